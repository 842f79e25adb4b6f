"""XACML back to SPL, for policies that SPL can express: one condition per attribute name, all in one alternative.

What was read is said in full or not at all: nothing is left out, but ids and versions, which no policy file has.
"""

import re
from collections.abc import Iterator
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.dn import DnSyntaxError
from argus_py.model.identifiers import DataType
from argus_py.model.response import Effect, Obligation
from argus_py.spl import ast
from argus_py.spl.attributes import AttributeMapping, AttributeMappings
from argus_py.spl.lower import PRIVATE_PREFIX, rfc2253_of_slash
from argus_py.spl.printer import in_quotes
from argus_py.xacml.matching import function_of
from argus_py.xacml.policy import (
    Alternative,
    AttributeSelector,
    Category,
    Combining,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
)

UNRECOGNIZED: Final = "unrecognized-id"  # COMPAT: how listings call an attribute that has no name here


_COMMA: Final = re.compile(r"(?<!\\),")


class NotExpressible(MalformedInput):
    """SPL has no words for the ``element`` (PolicySet, Policy or Rule) ``id``, for the ``reason`` given."""

    def __init__(self, owner: PolicySet | Policy | Rule, reason: str) -> None:
        self.element = type(owner).__name__
        self.id = owner.id
        self.reason = reason
        super().__init__(f"{self.element} {self.id} cannot be told in the policy language: {reason}")


def lift_resource(policy_set: PolicySet, mappings: AttributeMappings) -> ast.Resource:
    """Raises NotExpressible: for itself, or for a policy or rule in it."""
    return _Lifting(mappings).resource(policy_set)


def lift_listed_resource(policy_set: PolicySet, mappings: AttributeMappings) -> ast.Resource:
    """For people and not to be read back: an attribute without a name is UNRECOGNIZED. Raises NotExpressible."""
    return _Lifting(mappings, nameless=UNRECOGNIZED).resource(policy_set)


def lift_for_file(element: PolicySet | Policy, mappings: AttributeMappings) -> ast.Element:
    """As ``format_source`` can write it: names that no quotes fit around are in slash form. Raises NotExpressible."""
    lifting = _Lifting(mappings, for_file=True)
    return lifting.action(element) if isinstance(element, Policy) else lifting.resource(element)


def lift_action(policy: Policy, mappings: AttributeMappings) -> ast.Action:
    """Raises NotExpressible: for itself, or for a rule in it."""
    return _Lifting(mappings).action(policy)


def lift_rule(rule: Rule, mappings: AttributeMappings) -> ast.Rule:
    """Its pairs go subject, resource, action, environment. Raises NotExpressible."""
    return _Lifting(mappings).rule(rule)


def elements_of(root: PolicySet | Policy) -> Iterator[PolicySet | Policy]:
    """The resources and actions of a tree such as a PDP gets, without the sets that only hold others together.

    Raises NotExpressible: a reference in such a set, to what is not there.
    """
    if isinstance(root, Policy) or root.combining != Combining.POLICIES_FIRST_APPLICABLE or not _only_holds(root):
        yield root
        return
    for child in root.children:
        if isinstance(child, PolicyIdReference | PolicySetIdReference):
            raise NotExpressible(root, f"it refers to {child.id}, which is not there")
        yield from elements_of(child)


def _only_holds(policy_set: PolicySet) -> bool:
    return not (policy_set.target.parts or policy_set.obligations or policy_set.description)


class _Lifting:
    def __init__(self, mappings: AttributeMappings, nameless: str | None = None, for_file: bool = False) -> None:
        self._mappings = mappings
        self._nameless = nameless
        self._for_file = for_file

    def resource(self, policy_set: PolicySet) -> ast.Resource:
        if policy_set.combining != Combining.POLICIES_FIRST_APPLICABLE:
            raise NotExpressible(policy_set, f"its children are combined by {policy_set.combining}")
        actions = []
        for child in policy_set.children:
            if not isinstance(child, Policy):
                raise NotExpressible(policy_set, f"its child {child.id} is no action")
            actions.append(self.action(child))
        return ast.Resource(
            value=_only_value(policy_set, self._mappings.resource),
            actions=tuple(actions),
            obligations=self._obligations(policy_set),
            description=_description(policy_set),
            id=policy_set.id,
        )

    def action(self, policy: Policy) -> ast.Action:
        if policy.combining != Combining.RULES_FIRST_APPLICABLE:
            raise NotExpressible(policy, f"its rules are combined by {policy.combining}")
        if policy.variables:
            raise NotExpressible(policy, "it defines variables")
        return ast.Action(
            value=_only_value(policy, self._mappings.action),
            rules=tuple(map(self.rule, policy.rules)),
            obligations=self._obligations(policy),
            description=_description(policy),
            private=policy.id.startswith(PRIVATE_PREFIX),
            id=policy.id,
        )

    def rule(self, rule: Rule) -> ast.Rule:
        if rule.description is not None:
            raise NotExpressible(rule, "it has a description")
        if rule.condition is not None:
            raise NotExpressible(rule, "it has a condition")
        target = rule.target
        pairs = tuple(
            self._pair(rule, match, category)
            for category, part in (
                (Category.SUBJECT, target.subjects),
                (Category.RESOURCE, target.resources),
                (Category.ACTION, target.actions),
                (Category.ENVIRONMENT, target.environments),
            )
            for match in _only_alternative(rule, part)
        )
        return ast.Rule(rule.effect, pairs, id=rule.id)

    def _pair(self, rule: Rule, match: Match, category: Category) -> ast.Pair:
        if isinstance(match.designator, AttributeSelector):
            raise NotExpressible(rule, f"no attribute name stands for its match on {match.designator.path}")
        mapping = self._mappings.of_attribute(match.designator.attribute_id)
        if mapping is None and self._nameless:
            return ast.Pair(ast.Text(self._nameless), ast.Text(match.value.text))
        if mapping is None or match.designator.category is not category or not _says(mapping, match):
            raise NotExpressible(rule, f"no attribute name stands for its match on {match.designator.attribute_id}")
        return ast.Pair(ast.Text(mapping.name), self._value(match.value.datatype, match.value.text))

    def _value(self, datatype: str | None, text: str) -> ast.Text:
        return ast.Text(_writable(text) if self._for_file and datatype == DataType.X500_NAME else text)

    def _obligations(self, owner: PolicySet | Policy) -> tuple[ast.Obligation, ...]:
        return tuple(self._obligation(owner, obligation) for obligation in owner.obligations)

    def _obligation(self, owner: PolicySet | Policy, obligation: Obligation) -> ast.Obligation:
        if obligation.fulfill_on is not Effect.PERMIT:
            raise NotExpressible(owner, f"its obligation {obligation.id} is to be fulfilled on Deny")
        pairs = []
        for assignment in obligation.assignments:
            mapping = self._mappings.of_attribute(assignment.attribute_id)
            name = mapping.name if mapping else self._nameless
            if name is None or (mapping and mapping.datatype != assignment.datatype):
                raise NotExpressible(
                    owner, f"no attribute name stands for {assignment.attribute_id} of {obligation.id}"
                )
            pairs.append(ast.Pair(ast.Text(name), self._value(assignment.datatype, assignment.value or "")))
        return ast.Obligation(ast.Text(obligation.id), tuple(pairs))


def _writable(name: str) -> str:
    """In slash form if the name cannot be written otherwise: between quotes no comma has a backslash."""
    if in_quotes(name) is not None:
        return name
    slashes = "/" + "/".join(reversed(_COMMA.split(name))).replace("\\,", ",")
    try:
        return slashes if rfc2253_of_slash(slashes) == name else name
    except DnSyntaxError:
        return name


def _only_alternative(rule: Rule, part: tuple[Alternative, ...]) -> Alternative:
    if len(part) > 1:
        raise NotExpressible(rule, "its target has alternatives")
    return part[0] if part else ()


def _says(mapping: AttributeMapping, match: Match) -> bool:
    """If the name means exactly this match, apart from the value."""
    meant = Match(mapping.function, match.value, mapping.designator)
    return (
        match.designator == meant.designator
        and match.value.datatype == mapping.value_datatype
        and function_of(match) is function_of(meant)
    )


def _only_value(owner: PolicySet | Policy, mapping: AttributeMapping) -> ast.Text:
    matches = [match for part in owner.target.parts for alternative in part for match in alternative]
    if len(matches) != 1 or not _says(mapping, matches[0]):
        raise NotExpressible(owner, f"its target is not a single {mapping.name}")
    return ast.Text(matches[0].value.text)


def _description(owner: PolicySet | Policy) -> ast.Text | None:
    return None if owner.description is None else ast.Text(owner.description)
