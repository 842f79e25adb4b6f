"""Policy tests at work: the decision engine and the map files of a site, without any daemon; and what is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from argus_py.cli.policy_lint import MapFiles
from argus_py.errors import MalformedInput, Unmapped
from argus_py.model.dn import escape_controls
from argus_py.model.identifiers import DciSec, Glite
from argus_py.model.request import Request
from argus_py.model.response import Decision
from argus_py.pap.policy_tests import Case, Observed, Verdict, run_tests
from argus_py.pdp.explain import explain
from argus_py.pdp.question import Profile, Question
from argus_py.pep.mapping.identity import GridIdentity
from argus_py.pep.mapping.map_file import MapFile
from argus_py.pep.mapping.plan import MappingRules, plan_mapping
from argus_py.spl.attributes import AttributeMappings
from argus_py.xacml.index import compile_policy
from argus_py.xacml.policy import Combining, Policy, PolicySet

_ASKING_FOR_AN_ACCOUNT: Final = {Glite.LOCAL_ENVIRONMENT_MAP, DciSec.MAP_LOCAL_USER}
_RULES: Final = MappingRules()  # as without any setting in pepd.ini


class MapsMissing(MalformedInput):
    """A test expects an account or groups, and there are no map files to tell them."""

    def __init__(self, case: Case) -> None:
        super().__init__(f"the test in line {case.line} expects an account, and no map files are named")
        self.case = case


@dataclass(frozen=True, slots=True)
class Trials:
    """Decides cases by policies; ``maps`` None: nobody gets an account. ``moment`` is what the time is to be."""

    elements: Sequence[PolicySet | Policy]
    mappings: AttributeMappings
    maps: MapFiles | None
    moment: datetime

    def run(self, cases: Iterable[Case]) -> tuple[Verdict, ...]:
        """Raises MapsMissing; PolicyTooLarge."""
        root = PolicySet("root", Combining.POLICIES_FIRST_APPLICABLE, tuple(self.elements))
        policy = compile_policy(root)

        def decide(case: Case) -> Observed:
            if case.expected.needs_maps and self.maps is None:
                raise MapsMissing(case)
            evaluation = policy.evaluate(_request(case), self.moment)
            decided = evaluation.decision in (Decision.PERMIT, Decision.DENY)
            reason = explain(root, evaluation.path, self.mappings) if decided else evaluation.reason or ""
            observed = Observed(evaluation.decision, reason)
            is_mapped = any(obligation.id in _ASKING_FOR_AN_ACCOUNT for obligation in evaluation.obligations)
            if evaluation.decision is not Decision.PERMIT or not is_mapped or self.maps is None:
                return observed
            return _mapped(observed, case, self.maps)

        return run_tests(cases, decide)


def _request(case: Case) -> Request:
    who = case.who
    asked = Question(who.subject, case.where, case.what, who.fqans, who.issuers, Profile(case.profile)).request()
    [subject] = asked.subjects
    return replace(asked, subjects=(replace(subject, attributes=(*subject.attributes, *who.attributes)),))


def _mapped(observed: Observed, case: Case, maps: MapFiles) -> Observed:
    """As the PEP daemon would map the subject, as far as that does not depend on who has which account already."""
    fqans = case.who.fqans
    identity = GridIdentity(case.who.subject, fqans[0] if fqans else None, fqans or None)
    try:
        plan = plan_mapping(maps.accounts, maps.groups or MapFile(), identity, _RULES, lambda _group: None)
    except Unmapped as error:
        return replace(observed, reason=f"{observed.reason}; {error}")
    return replace(observed, account=plan.account.name, groups=tuple(dict.fromkeys(plan.group_names)))


def as_text(file: str, verdicts: Sequence[Verdict], every: bool = False) -> str:
    """The failures, ``every`` one else too, and how many there are."""
    lines = [line for verdict in verdicts if verdict.failures or every for line in _told(file, verdict)]
    failed = sum(1 for verdict in verdicts if verdict.failures)
    result = f"{failed} failed" if failed else "all as expected"
    lines.append(f"{file}: {len(verdicts)} case{'' if len(verdicts) == 1 else 's'}, {result}")
    return "".join(f"{escape_controls(line)}\n" for line in lines)


def _told(file: str, verdict: Verdict) -> Iterable[str]:
    case = verdict.case
    name = f"{case.name}: " if case.name else ""
    result = "; ".join(verdict.failures) or _result(verdict.observed)
    yield f"{file}:{case.line}: {'FAILED' if verdict.failures else 'ok'}: {name}{result}"
    yield f"    {case.who.name} does {case.what} on {case.where}"
    if verdict.observed.reason:
        yield f"    {verdict.observed.reason}"


def _result(observed: Observed) -> str:
    account = f", account {observed.account}" if observed.account else ""
    return f"{observed.decision.value}{account}"


def as_values(file: str, verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """For JSON."""
    return [
        {
            "file": file,
            "line": verdict.case.line,
            "name": verdict.case.name or None,
            "who": verdict.case.who.name,
            "what": verdict.case.what,
            "where": verdict.case.where,
            "decision": verdict.observed.decision.value,
            "account": verdict.observed.account,
            "groups": verdict.observed.groups,
            "reason": verdict.observed.reason or None,
            "failures": verdict.failures,
        }
        for verdict in verdicts
    ]
