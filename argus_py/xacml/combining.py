"""The combining algorithms of XACML 2.0 appendix C, by URI. The ordered ones are the plain ones: both go in order."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.response import Decision, Effect
from argus_py.xacml.outcome import NOT_APPLICABLE, Evaluation, Fault, Matched, indeterminate
from argus_py.xacml.policy import Combining


class UnknownAlgorithm(MalformedInput):
    """No combining algorithm of this ``uri`` is known for rules, or for policies."""

    def __init__(self, uri: str, combined: str) -> None:
        super().__init__(f"the combining algorithm {uri!r} is not known for {combined}")
        self.uri = uri


@dataclass(frozen=True, slots=True)
class Child:
    """A rule, policy or policy set; ``effect`` is a rule's, ``applies`` looks at the target alone."""

    id: str
    effect: Effect | None
    applies: Callable[[], Matched]
    evaluate: Callable[[], Evaluation]


Algorithm = Callable[[Iterable[Child]], Evaluation]


def first_applicable(children: Iterable[Child]) -> Evaluation:
    """Appendix C.3: an Indeterminate ends the search, too."""
    for child in children:
        evaluation = child.evaluate()
        if evaluation.decision is not Decision.NOT_APPLICABLE:
            return evaluation
    return NOT_APPLICABLE


def _rule_overrides(winner: Effect) -> Algorithm:
    """Appendices C.1 and C.2 for rules: the error of a rule counts as what the rule could have said."""

    def combine(children: Iterable[Child]) -> Evaluation:
        winner_in_error: Evaluation | None = None
        loser: Evaluation | None = None
        loser_in_error: Evaluation | None = None
        for child in children:
            evaluation = child.evaluate()
            if evaluation.decision is winner.decision:
                return evaluation
            if evaluation.decision is Decision.INDETERMINATE:
                if child.effect is winner:
                    winner_in_error = winner_in_error or evaluation
                else:
                    loser_in_error = loser_in_error or evaluation
            elif evaluation.decision is not Decision.NOT_APPLICABLE:
                loser = loser or evaluation
        return winner_in_error or loser or loser_in_error or NOT_APPLICABLE

    return combine


def _policy_deny_overrides(children: Iterable[Child]) -> Evaluation:
    """Appendix C.1 for policies: an error is a Deny. With Permits only, all their obligations count."""
    permits: list[Evaluation] = []
    for child in children:
        evaluation = child.evaluate()
        if evaluation.decision is Decision.DENY:
            return evaluation
        if evaluation.decision is Decision.INDETERMINATE:
            return Evaluation(Decision.DENY, (), evaluation.path, f"denied because of an error: {evaluation.reason}")
        if evaluation.decision is Decision.PERMIT:
            permits.append(evaluation)
    return _together(permits)


def _policy_permit_overrides(children: Iterable[Child]) -> Evaluation:
    """Appendix C.2 for policies. With Denies only, all their obligations count."""
    denies: list[Evaluation] = []
    in_error: Evaluation | None = None
    for child in children:
        evaluation = child.evaluate()
        if evaluation.decision is Decision.PERMIT:
            return evaluation
        if evaluation.decision is Decision.DENY:
            denies.append(evaluation)
        elif evaluation.decision is Decision.INDETERMINATE:
            in_error = in_error or evaluation
    return _together(denies) if denies else in_error or NOT_APPLICABLE


def _together(evaluations: list[Evaluation]) -> Evaluation:
    """Evaluations of one decision as one, explained by the first."""
    if not evaluations:
        return NOT_APPLICABLE
    first = evaluations[0]
    obligations = tuple(obligation for evaluation in evaluations for obligation in evaluation.obligations)
    return Evaluation(first.decision, obligations, first.path, first.reason)


def _only_one_applicable(children: Iterable[Child]) -> Evaluation:
    """Appendix C.4."""
    only: Child | None = None
    for child in children:
        applies = child.applies()
        if isinstance(applies, Fault):
            return indeterminate(child.id, applies)
        if applies and only is not None:
            return indeterminate(child.id, Fault(f"applies as well as {only.id}, but only one may"))
        if applies:
            only = child
    return only.evaluate() if only is not None else NOT_APPLICABLE


_RULES_1_0: Final = "urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:"
_RULES_1_1: Final = "urn:oasis:names:tc:xacml:1.1:rule-combining-algorithm:"
_POLICIES_1_0: Final = "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:"
_POLICIES_1_1: Final = "urn:oasis:names:tc:xacml:1.1:policy-combining-algorithm:"

RULE_ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    Combining.RULES_FIRST_APPLICABLE: first_applicable,
    _RULES_1_0 + "deny-overrides": _rule_overrides(Effect.DENY),
    _RULES_1_0 + "permit-overrides": _rule_overrides(Effect.PERMIT),
    _RULES_1_1 + "ordered-deny-overrides": _rule_overrides(Effect.DENY),
    _RULES_1_1 + "ordered-permit-overrides": _rule_overrides(Effect.PERMIT),
}
POLICY_ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    Combining.POLICIES_FIRST_APPLICABLE: first_applicable,
    _POLICIES_1_0 + "deny-overrides": _policy_deny_overrides,
    _POLICIES_1_0 + "permit-overrides": _policy_permit_overrides,
    _POLICIES_1_0 + "only-one-applicable": _only_one_applicable,
    _POLICIES_1_1 + "ordered-deny-overrides": _policy_deny_overrides,
    _POLICIES_1_1 + "ordered-permit-overrides": _policy_permit_overrides,
}


def rule_algorithm(uri: str) -> Algorithm:
    """Raises UnknownAlgorithm."""
    try:
        return RULE_ALGORITHMS[uri]
    except KeyError:
        raise UnknownAlgorithm(uri, "rules") from None


def policy_algorithm(uri: str) -> Algorithm:
    """Raises UnknownAlgorithm."""
    try:
        return POLICY_ALGORITHMS[uri]
    except KeyError:
        raise UnknownAlgorithm(uri, "policies") from None
