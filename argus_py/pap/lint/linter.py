"""All checks of policies. Nothing is decided by them: a policy that lint complains of may be just what is meant."""

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final

from argus_py.model.identifiers import AttributeId
from argus_py.pap.conditions import Condition, Implications
from argus_py.pap.lint.accounts import Accounts, check_accounts
from argus_py.pap.lint.findings import Check, Finding, Place
from argus_py.pap.lint.reach import check_reach
from argus_py.pap.lint.readings import PolicySource, Readings
from argus_py.pap.lint.values import check_contradiction, check_values
from argus_py.spl.attributes import AttributeMappings
from argus_py.xacml.policy import AttributeDesignator, Policy

_LOST_PREFIX: Final = "private-"


def lint(
    sources: Iterable[PolicySource], mappings: AttributeMappings, accounts: Accounts | None = None
) -> tuple[Finding, ...]:
    """By source, in the order of their lines, or else of the evaluation."""
    sources = tuple(sources)
    readings = Readings(sources)
    rules = readings.rules
    implications = Implications(condition for rule in rules for condition in rule.demand.conditions)
    findings = list(readings.findings)
    for target in readings.targets:
        findings += check_values(target, mappings)
    for rule in rules:
        findings += check_contradiction(rule, mappings)
    findings += check_reach(rules, implications)
    findings += _not_private(readings.actions)
    findings += _without_catch_all(readings, implications)
    if accounts is not None:
        findings += check_accounts(rules, accounts)
    numbers = {source.name: number for number, source in enumerate(sources)}
    order = {target.place: number for number, target in enumerate(readings.targets)}
    return tuple(
        sorted(findings, key=lambda each: (numbers[each.place.source], each.place.position, order.get(each.place, 0)))
    )


def _not_private(actions: Sequence[tuple[Place, Policy]]) -> Iterator[Finding]:
    for place, action in actions:
        if action.id.startswith(_LOST_PREFIX):
            text = f"it was loaded as a private action and is none: a Java PAP made {_LOST_PREFIX!r} of its prefix"
            yield Finding(Check.NOT_PRIVATE, place, f"{text}, and hands it on to other PAPs")


def _without_catch_all(readings: Readings, implications: Implications) -> Iterator[Finding]:
    """Resources with permissions, for which there are requests that no rule decides all the same."""
    last: dict[frozenset[Condition], int] = {}  # of the rules for whatever is done with a resource, by the resource
    for number, rule in enumerate(readings.rules):
        if rule.demand.is_all:
            last[frozenset(each for each in rule.demand.conditions if not _is_anything(each))] = number
    for resource in filter(attrgetter("permits"), readings.resources):
        wider = implications.all_wider(resource.demand.conditions)
        resources = (frozenset[Condition](), *(frozenset((each,)) for each in wider))
        if max(last.get(each, -1) for each in resources) < resource.first:
            text = "a request for it that no rule is for is left undecided, and its PEP refuses"
            yield Finding(Check.NO_CATCH_ALL, resource.place, text)


def _is_anything(condition: Condition) -> bool:
    designator = condition.match.designator
    return (
        isinstance(designator, AttributeDesignator)
        and designator.attribute_id in (AttributeId.RESOURCE_ID, AttributeId.ACTION_ID)
        and condition.match.value.text == ".*"
    )
