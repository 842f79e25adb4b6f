"""Questions to the policies as they are: who may do this?

The answer is read off the policies and not tried out with requests: it lists the rules that can decide, in the order in
which they are tried, and says which of them can never be reached because an earlier one asks for less.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId
from argus_py.model.request import Action, Request, Resource
from argus_py.pap.editing import Resources, normal_value
from argus_py.pap.listing import rule_text
from argus_py.pap.paps import Pap
from argus_py.spl.attributes import AttributeMappings
from argus_py.xacml.matching import PreparedMatch
from argus_py.xacml.outcome import Fault, Matched, all_of, any_of
from argus_py.xacml.policy import AttributeDesignator, Category, Match, Rule, Target
from argus_py.xacml.request_attributes import RequestAttributes

_ASKED = ((Category.RESOURCE, AttributeId.RESOURCE_ID), (Category.ACTION, AttributeId.ACTION_ID))


@dataclass(frozen=True, slots=True)
class ApplicableRule:
    """A rule that is tried for the asked resource and action; ``shadowed_by`` is the id of one that always wins.

    ``text`` is the rule in the policy language.
    """

    pap: Pap
    resource_id: str
    action_id: str
    rule: Rule
    text: str
    shadowed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """``ends``: why no rule behind the last one is ever tried, if the end of the policies is not the reason."""

    rules: tuple[ApplicableRule, ...]
    ends: str | None = None


class _Unevaluable(Exception):
    """A target that is an error for every request with the asked values: evaluation ends there, Indeterminate."""


def who_may(paps: Iterable[tuple[Pap, Resources]], resource: str, action: str, mappings: AttributeMappings) -> Answer:
    """``paps`` are the enabled ones in their order; ``resource`` and ``action`` are values, not patterns."""
    asked = RequestAttributes(
        Request(
            resources=(Resource((Attribute(AttributeId.RESOURCE_ID, (resource,)),)),),
            action=Action((Attribute(AttributeId.ACTION_ID, (action,)),)),
        )
    )
    found: list[ApplicableRule] = []
    try:
        for pap, resources in paps:
            for policy_set in resources:
                if not _applies(policy_set.id, policy_set.target, asked):
                    continue
                for policy in policy_set.policies():
                    if not _applies(policy.id, policy.target, asked):
                        continue
                    for rule in policy.rules:
                        if _verdict(rule.target, asked) is not False:
                            text, shadow = rule_text(rule, mappings), _shadow(rule, found)
                            found.append(ApplicableRule(pap, policy_set.id, policy.id, rule, text, shadow))
    except _Unevaluable as error:
        return Answer(tuple(found), str(error))
    return Answer(tuple(found))


def _applies(id: str, target: Target, asked: RequestAttributes) -> bool:
    matched = _verdict(target, asked)
    if isinstance(matched, Fault):
        raise _Unevaluable(f"{id}: {matched.reason}")
    return matched


def _verdict(target: Target, asked: RequestAttributes) -> Matched:
    """What the asked values make of a target; whatever else it asks for is taken as given."""
    return all_of(
        any_of(all_of(_match(match, asked) for match in alternative) for alternative in part) for part in target.parts
    )


def _match(match: Match, asked: RequestAttributes) -> Matched:
    return PreparedMatch.of(match).matched(asked) if _is_asked(match) else True


def _shadow(rule: Rule, earlier: list[ApplicableRule]) -> str | None:
    conditions = _conditions(rule)
    for other in earlier:
        weaker = _conditions(other.rule)
        if conditions is not None and weaker is not None and weaker <= conditions:
            return other.rule.id
    return None


def _conditions(rule: Rule) -> frozenset[object] | None:
    """What a user must have besides the asked values; None if a rule asks in other ways than SPL writes."""
    parts = rule.target.parts
    if rule.condition is not None or any(len(part) > 1 for part in parts):
        return None
    return frozenset(
        (match.function, match.designator, normal_value(match))
        for part in parts
        for match in part[0]
        if not _is_asked(match)
    )


def _is_asked(match: Match) -> bool:
    designator = match.designator
    return isinstance(designator, AttributeDesignator) and (designator.category, designator.attribute_id) in _ASKED
