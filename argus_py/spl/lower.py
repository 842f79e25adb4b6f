"""SPL to XACML: a resource becomes a PolicySet, an action a Policy in it, a rule a Rule.

BETTER: what the Java PAP stores and every PDP then stumbles over is refused here, with its place: empty values, names,
FQANs and patterns that cannot be read. ``lower_as_java`` stores it like the Java PAP, and warns.

Source: argus-pap:src/main/java/org/glite/authz/pap/common/xacml/wizard/*.java
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.model.identifiers import DataType
from argus_py.model.response import AttributeAssignment, Effect, Obligation
from argus_py.spl import ast
from argus_py.spl.attributes import AttributeMapping, AttributeMappings
from argus_py.spl.errors import Problem, SplMeaningError
from argus_py.spl.lexer import MAX_PROBLEMS
from argus_py.xacml.document import fit
from argus_py.xacml.matching import prepare_test
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

_EMPTY: Final = "the value is empty"

NewId = Callable[[], str]  # a random UUID in lower case


def lower(
    elements: Iterable[ast.Element], mappings: AttributeMappings, new_id: NewId
) -> tuple[PolicySet | Policy, ...]:
    """The elements of a whole text. Raises SplMeaningError: with the problems of all of them, MAX_PROBLEMS at most."""
    lowering = _Lowering(mappings, new_id)
    lowered = lowering.elements(elements)
    lowering.raise_problems()
    return lowered


@dataclass(frozen=True, slots=True)
class Lowered:
    """``warnings`` tell what ``lower`` would have refused."""

    elements: tuple[PolicySet | Policy, ...]
    warnings: tuple[Problem, ...]


def lower_as_java(elements: Iterable[ast.Element], mappings: AttributeMappings, new_id: NewId) -> Lowered:
    """Values that no PDP can use are kept. Raises SplMeaningError: for what the Java PAP refuses too."""
    lowering = _Lowering(mappings, new_id, as_java=True)
    lowered = lowering.elements(elements)
    lowering.raise_problems()
    return Lowered(lowered, lowering.warnings)


def as_loaded(resource: PolicySet) -> PolicySet:
    """COMPAT: a resource is stored first and each of its actions added to it, which its Version counts."""
    return replace(resource, version=str(1 + len(resource.children)))


def tree_of(elements: Iterable[PolicySet | Policy], id: str) -> PolicySet:
    """What a PDP gets of a PAP that has loaded the elements into its pap "default", and nothing else."""
    loaded = tuple(as_loaded(element) if isinstance(element, PolicySet) else element for element in elements)
    default = PolicySet(f"default-{id}", Combining.POLICIES_FIRST_APPLICABLE, loaded, version=str(len(loaded)))
    return PolicySet(f"root-{default.id}", Combining.POLICIES_FIRST_APPLICABLE, (default,))


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
    for candidate in _spellings(text, name):
        try:
            read = DistinguishedName.parse_rfc2253(candidate)
            if read.rdns == name.rdns or read == name:  # mostly the first, which costs less
                return candidate
        except DnSyntaxError:
            continue
    return name.rfc2253()


def _rfc2253(text: str) -> str:
    """Raises DnSyntaxError."""
    if text.startswith("/"):
        return rfc2253_of_slash(text)
    read_x500_name(text)
    return text


def _as_java(text: str) -> str:
    return _reversed_at_slashes(text) if text.startswith("/") else text


def _spellings(text: str, name: DistinguishedName) -> Iterator[str]:
    yield _reversed_at_slashes(text)
    yield name.readable()


def _reversed_at_slashes(text: str) -> str:
    """The conversion of the Java PAP."""
    pieces: list[str] = []
    for piece in text.replace(",", "\\,").split("/")[1:]:
        if "=" in piece or not pieces:
            pieces.append(piece)
        else:
            pieces[-1] += "/" + piece
    return ",".join(reversed(pieces))


class _Stored(NamedTuple):
    """A value as it is stored; ``usable`` unless a problem has been told."""

    text: str
    usable: bool = True


class _Lowering:
    """Goes on after a problem with whatever stands in the text, so that one pass finds all problems."""

    def __init__(self, mappings: AttributeMappings, new_id: NewId, as_java: bool = False) -> None:
        self._mappings = mappings
        self._new_id = new_id
        self._as_java = as_java
        self._problems: list[Problem] = []
        self._doubts: list[Problem] = []  # problems only if it is not done as in Java

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return _in_order(self._doubts)

    def raise_problems(self) -> None:
        problems = self._problems if self._as_java else [*self._problems, *self._doubts]
        if problems:
            raise SplMeaningError(_in_order(problems)[:MAX_PROBLEMS])

    def elements(self, elements: Iterable[ast.Element]) -> tuple[PolicySet | Policy, ...]:
        return tuple(
            self.resource(element) if isinstance(element, ast.Resource) else self.action(element)
            for element in elements
        )

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
                value = self._value(mapping.datatype, pair.value).text
                assignments.append(AttributeAssignment(mapping.attribute_id, value, mapping.datatype))
        return Obligation(self._text(obligation.name).text, Effect.PERMIT, tuple(assignments))

    def _mapping(self, name: ast.Text) -> AttributeMapping | None:
        mapping = self._mappings.named(name.text)
        if mapping is None:
            self._problems.append(Problem.placed(name.position, f'unknown attribute "{name.text}"'))
        return mapping

    def _match(self, mapping: AttributeMapping, text: ast.Text) -> Match:
        value = self._value(mapping.value_datatype, text)
        match = Match(mapping.function, AttributeValue(mapping.value_datatype, value.text), mapping.designator)
        if value.usable:
            try:
                prepare_test(match)
            except MalformedInput as error:
                self._doubts.append(Problem.placed(text.position, str(error)))
        return match

    def _value(self, datatype: str, text: ast.Text) -> _Stored:
        return self._name(text) if datatype == DataType.X500_NAME else self._text(text)

    def _name(self, text: ast.Text) -> _Stored:
        written = trim(text.text)
        if not written:
            self._problems.append(Problem.placed(text.position, _EMPTY))  # also in Java
            return _Stored("", usable=False)
        value = self._text(text)
        if not value.usable:
            return value
        try:
            spelling = _rfc2253(written)
        except DnSyntaxError as error:
            (self._problems if written == "/" else self._doubts).append(Problem.placed(text.position, str(error)))
            return _Stored(_as_java(written), usable=False)
        if self._as_java and spelling != _as_java(written):
            of_java = _as_java(written)
            self._doubts.append(
                Problem.placed(text.position, f"the Java PAP stores {of_java!r} for it, which is another name or none")
            )
            return _Stored(of_java, usable=False)
        return _Stored(spelling)

    def _text(self, text: ast.Text) -> _Stored:
        """COMPAT: blanks at the ends are cut; they do not survive the XML of the Java PAP."""
        value = trim(text.text)
        if not value:
            self._doubts.append(Problem.placed(text.position, _EMPTY))
            return _Stored("", usable=False)
        try:
            return _Stored(fit("a policy", value))
        except MalformedInput as error:
            self._problems.append(Problem.placed(text.position, str(error)))
            return _Stored("", usable=False)

    def _description(self, text: ast.Text | None) -> str | None:
        return None if text is None or not trim(text.text) else self._text(text).text


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))


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
