"""XACML back to SPL, for policies that SPL can express: one condition per attribute name, all in one alternative."""

from argus_py.errors import MalformedInput
from argus_py.model.response import Effect, Obligation
from argus_py.spl import ast
from argus_py.spl.attributes import AttributeMapping, AttributeMappings
from argus_py.spl.lower import PRIVATE_PREFIX
from argus_py.xacml.matching import function_of
from argus_py.xacml.policy import (
    Alternative,
    AttributeSelector,
    Category,
    Combining,
    Match,
    Policy,
    PolicySet,
    Rule,
    Target,
)


class NotExpressible(MalformedInput):
    """SPL has no words for the element ``id``, for the ``reason`` given."""

    def __init__(self, id: str, reason: str) -> None:
        super().__init__(f"{id} cannot be told in the policy language: {reason}")
        self.id = id
        self.reason = reason


def lift_resource(policy_set: PolicySet, mappings: AttributeMappings) -> ast.Resource:
    """Raises NotExpressible: for itself, or for a policy or rule in it."""
    if policy_set.combining != Combining.POLICIES_FIRST_APPLICABLE:
        raise NotExpressible(policy_set.id, f"its children are combined by {policy_set.combining}")
    actions = []
    for child in policy_set.children:
        if not isinstance(child, Policy):
            raise NotExpressible(policy_set.id, f"its child {child.id} is no action")
        actions.append(lift_action(child, mappings))
    return ast.Resource(
        value=_only_value(policy_set.id, policy_set.target, mappings.resource),
        actions=tuple(actions),
        obligations=_obligations(policy_set, mappings),
        description=_description(policy_set),
        id=policy_set.id,
    )


def lift_action(policy: Policy, mappings: AttributeMappings) -> ast.Action:
    """Raises NotExpressible: for itself, or for a rule in it."""
    if policy.combining != Combining.RULES_FIRST_APPLICABLE:
        raise NotExpressible(policy.id, f"its rules are combined by {policy.combining}")
    if policy.variables:
        raise NotExpressible(policy.id, "it defines variables")
    return ast.Action(
        value=_only_value(policy.id, policy.target, mappings.action),
        rules=tuple(lift_rule(rule, mappings) for rule in policy.rules),
        obligations=_obligations(policy, mappings),
        description=_description(policy),
        private=policy.id.startswith(PRIVATE_PREFIX),
        id=policy.id,
    )


def lift_rule(rule: Rule, mappings: AttributeMappings) -> ast.Rule:
    """Its pairs go subject, resource, action, environment. Raises NotExpressible."""
    if rule.description is not None:
        raise NotExpressible(rule.id, "it has a description")
    if rule.condition is not None:
        raise NotExpressible(rule.id, "it has a condition")
    target = rule.target
    pairs = tuple(
        _pair(rule.id, match, category, mappings)
        for category, part in (
            (Category.SUBJECT, target.subjects),
            (Category.RESOURCE, target.resources),
            (Category.ACTION, target.actions),
            (Category.ENVIRONMENT, target.environments),
        )
        for match in _only_alternative(rule.id, part)
    )
    return ast.Rule(rule.effect, pairs, id=rule.id)


def _only_alternative(id: str, part: tuple[Alternative, ...]) -> Alternative:
    if len(part) > 1:
        raise NotExpressible(id, "its target has alternatives")
    return part[0] if part else ()


def _pair(id: str, match: Match, category: Category, mappings: AttributeMappings) -> ast.Pair:
    if isinstance(match.designator, AttributeSelector):
        raise NotExpressible(id, f"no attribute name stands for its match on {match.designator.path}")
    mapping = mappings.of_attribute(match.designator.attribute_id)
    if mapping is None or match.designator.category is not category or not _says(mapping, match):
        raise NotExpressible(id, f"no attribute name stands for its match on {match.designator.attribute_id}")
    return ast.Pair(ast.Text(mapping.name), ast.Text(match.value.text))


def _says(mapping: AttributeMapping, match: Match) -> bool:
    """If the name means exactly this match, apart from the value."""
    meant = Match(mapping.function, match.value, mapping.designator)
    return (
        match.designator == meant.designator
        and match.value.datatype == mapping.value_datatype
        and function_of(match) is function_of(meant)
    )


def _only_value(id: str, target: Target, mapping: AttributeMapping) -> ast.Text:
    matches = [
        match
        for part in (target.subjects, target.resources, target.actions, target.environments)
        for alternative in part
        for match in alternative
    ]
    if len(matches) != 1 or not _says(mapping, matches[0]):
        raise NotExpressible(id, f"its target is not a single {mapping.name}")
    return ast.Text(matches[0].value.text)


def _obligations(owner: PolicySet | Policy, mappings: AttributeMappings) -> tuple[ast.Obligation, ...]:
    return tuple(_obligation(owner.id, obligation, mappings) for obligation in owner.obligations)


def _obligation(id: str, obligation: Obligation, mappings: AttributeMappings) -> ast.Obligation:
    if obligation.fulfill_on is not Effect.PERMIT:
        raise NotExpressible(id, f"its obligation {obligation.id} is to be fulfilled on Deny")
    pairs = []
    for assignment in obligation.assignments:
        mapping = mappings.of_attribute(assignment.attribute_id)
        if mapping is None or mapping.datatype != assignment.datatype:
            raise NotExpressible(id, f"no attribute name stands for {assignment.attribute_id} of {obligation.id}")
        pairs.append(ast.Pair(ast.Text(mapping.name), ast.Text(assignment.value or "")))
    return ast.Obligation(ast.Text(obligation.id), tuple(pairs))


def _description(owner: PolicySet | Policy) -> ast.Text | None:
    return None if owner.description is None else ast.Text(owner.description)
