"""SPL to XACML: a resource becomes a PolicySet, an action a Policy in it, a rule a Rule.

BETTER: what the Java PAP stores and every PDP then stumbles over is refused here, with its place: unknown attributes,
empty values, names, FQANs and patterns that cannot be read.

Source: argus-pap:src/main/java/org/glite/authz/pap/common/xacml/wizard/*.java
"""

from collections.abc import Callable, Iterable
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.model.identifiers import DataType
from argus_py.model.response import AttributeAssignment, Effect, Obligation
from argus_py.spl import ast
from argus_py.spl.attributes import AttributeMapping, AttributeMappings
from argus_py.spl.errors import Problem, SplMeaningError
from argus_py.xacml.document import fit
from argus_py.xacml.matching import UnusableValue, prepare_test
from argus_py.xacml.policy import (
    Alternative,
    AttributeDesignator,
    AttributeValue,
    Category,
    Combining,
    Match,
    Policy,
    PolicySet,
    Rule,
    Target,
)
from argus_py.xacml.values import read_x500_name, trim

PUBLIC_PREFIX: Final = "public_"
PRIVATE_PREFIX: Final = "private_"  # COMPAT: Java PAPs read the visibility of a policy from its id

NewId = Callable[[], str]  # a random UUID in lower case


def lower(
    elements: Iterable[ast.Element], mappings: AttributeMappings, new_id: NewId
) -> tuple[PolicySet | Policy, ...]:
    """The elements of a whole text. Raises SplMeaningError: with every problem of all of them."""
    lowering = _Lowering(mappings, new_id)
    lowered: list[PolicySet | Policy] = []
    for element in elements:
        lowered.append(lowering.resource(element) if isinstance(element, ast.Resource) else lowering.action(element))
    lowering.raise_problems()
    return tuple(lowered)


def lower_resource(resource: ast.Resource, mappings: AttributeMappings, new_id: NewId) -> PolicySet:
    """Its actions are embedded. Raises SplMeaningError."""
    lowering = _Lowering(mappings, new_id)
    policy_set = lowering.resource(resource)
    lowering.raise_problems()
    return policy_set


def lower_obligation(obligation: ast.Obligation, mappings: AttributeMappings) -> Obligation:
    """Raises SplMeaningError."""
    lowering = _Lowering(mappings, new_id=str)  # nothing in it gets an id
    lowered = lowering.obligation(obligation)
    lowering.raise_problems()
    return lowered


def rfc2253_of_slash(text: str) -> str:
    """A name in slash form as RFC 2253 text, in the spelling of its author where Java reads that as the same name.

    >>> rfc2253_of_slash("/DC=org/CN=host/node1/emailAddress=a@b")
    'emailAddress=a@b,CN=host/node1,DC=org'

    Raises DnSyntaxError.
    """
    name = DistinguishedName.parse_slash(text)
    for candidate in (_reversed_at_slashes(text), name.readable()):
        try:
            if DistinguishedName.parse_rfc2253(candidate) == name:
                return candidate
        except DnSyntaxError:
            continue
    return name.rfc2253()


def _reversed_at_slashes(text: str) -> str:
    """The conversion of the Java PAP."""
    pieces: list[str] = []
    for piece in text.replace(",", "\\,").split("/")[1:]:
        if "=" in piece or not pieces:
            pieces.append(piece)
        else:
            pieces[-1] += "/" + piece
    return ",".join(reversed(pieces))


class _Lowering:
    """Goes on after a problem with whatever stands in the text, so that one pass finds all problems."""

    def __init__(self, mappings: AttributeMappings, new_id: NewId) -> None:
        self._mappings = mappings
        self._new_id = new_id
        self._problems: list[Problem] = []

    def raise_problems(self) -> None:
        if self._problems:
            raise SplMeaningError(sorted(self._problems, key=lambda problem: (problem.line, problem.column)))

    def resource(self, resource: ast.Resource) -> PolicySet:
        return PolicySet(
            id=self._new_id(),
            combining=Combining.POLICIES_FIRST_APPLICABLE,
            children=tuple(self.action(action) for action in resource.actions),
            target=_target([self._match(self._mappings.resource, resource.value)]),
            obligations=tuple(self.obligation(obligation) for obligation in resource.obligations),
            description=self._description(resource.description),
        )

    def action(self, action: ast.Action) -> Policy:
        return Policy(
            id=(PRIVATE_PREFIX if action.private else PUBLIC_PREFIX) + self._new_id(),
            combining=Combining.RULES_FIRST_APPLICABLE,
            rules=tuple(self.rule(rule) for rule in action.rules),
            target=_target([self._match(self._mappings.action, action.value)]),
            obligations=tuple(self.obligation(obligation) for obligation in action.obligations),
            description=self._description(action.description),
        )

    def rule(self, rule: ast.Rule) -> Rule:
        matches = []
        for pair in rule.pairs:
            mapping = self._mapping(pair.attribute)
            if mapping is not None:
                matches.append(self._match(mapping, pair.value))
        return Rule(self._new_id(), rule.effect, _target(matches))

    def obligation(self, obligation: ast.Obligation) -> Obligation:
        """COMPAT: to be fulfilled on Permit, whatever the rules say."""
        assignments = []
        for pair in obligation.pairs:
            mapping = self._mapping(pair.attribute)
            if mapping is not None:
                value = self._value(mapping.datatype, pair.value)
                assignments.append(AttributeAssignment(mapping.attribute_id, value, mapping.datatype))
        return Obligation(self._text(obligation.name), Effect.PERMIT, tuple(assignments))

    def _mapping(self, name: ast.Text) -> AttributeMapping | None:
        mapping = self._mappings.named(name.text)
        if mapping is None:
            self._note(name.position, f'unknown attribute "{name.text}"')
        return mapping

    def _match(self, mapping: AttributeMapping, text: ast.Text) -> Match:
        value = self._value(mapping.value_datatype, text)
        match = Match(mapping.function, AttributeValue(mapping.value_datatype, value), mapping.designator)
        if value:
            try:
                prepare_test(match)
            except MalformedInput as error:
                self._note(text.position, str(error))
        return match

    def _value(self, datatype: str, text: ast.Text) -> str:
        """As it is stored; empty after a problem."""
        value = self._text(text)
        if datatype != DataType.X500_NAME or not value:
            return value
        try:
            if value.startswith("/"):
                return rfc2253_of_slash(value)
            read_x500_name(value)
        except DnSyntaxError as error:
            self._note(text.position, str(error))
            return ""
        return value

    def _text(self, text: ast.Text) -> str:
        """COMPAT: blanks at the ends are cut; they do not survive the XML of the Java PAP."""
        value = trim(text.text)
        try:
            if not value:
                raise UnusableValue("the value is empty")
            return fit("a policy", value)
        except MalformedInput as error:
            self._note(text.position, str(error))
            return ""

    def _description(self, text: ast.Text | None) -> str | None:
        return None if text is None or not trim(text.text) else self._text(text)

    def _note(self, position: ast.Position, text: str) -> None:
        place = "" if position == ast.NOWHERE else f"line {position.line}, column {position.column}: "
        self._problems.append(Problem.at(position, place + text))


def _target(matches: list[Match]) -> Target:
    """All matches must be true: one alternative for each category that occurs."""

    def part(category: Category) -> tuple[Alternative, ...]:
        alternative = tuple(
            match
            for match in matches
            if isinstance(match.designator, AttributeDesignator) and match.designator.category is category
        )
        return (alternative,) if alternative else ()

    return Target(
        subjects=part(Category.SUBJECT),
        resources=part(Category.RESOURCE),
        actions=part(Category.ACTION),
        environments=part(Category.ENVIRONMENT),
    )
