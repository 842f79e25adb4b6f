"""The policy language as values (XACML 2.0 section 5), the one object model of policies.

Order is kept everywhere: it decides under first-applicable, and listings show it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from argus_py.model.identifiers import SubjectCategory
from argus_py.model.response import Effect, Obligation


class Category(Enum):
    """Which part of the request a designator looks at."""

    SUBJECT = "Subject"
    RESOURCE = "Resource"
    ACTION = "Action"
    ENVIRONMENT = "Environment"


Namespaces = tuple[tuple[str, str], ...]  # prefixes and what they stand for, sorted


@dataclass(frozen=True, slots=True)
class AttributeValue:
    """``namespaces`` are kept where the text is an XPath expression."""

    datatype: str
    text: str
    namespaces: Namespaces = ()


@dataclass(frozen=True, slots=True)
class AttributeDesignator:
    """``subject_category`` counts for Category.SUBJECT only."""

    category: Category
    attribute_id: str
    datatype: str
    issuer: str | None = None
    must_be_present: bool = False
    subject_category: str = SubjectCategory.ACCESS_SUBJECT


@dataclass(frozen=True, slots=True)
class AttributeSelector:
    """``path``: XPath 1.0 from the Request element of the request context."""

    path: str
    datatype: str
    namespaces: Namespaces = ()
    must_be_present: bool = False


@dataclass(frozen=True, slots=True)
class VariableReference:
    id: str


@dataclass(frozen=True, slots=True)
class FunctionReference:
    """The Function element: a function as the argument of another one."""

    function: str


@dataclass(frozen=True, slots=True)
class Apply:
    function: str
    arguments: tuple["Expression | FunctionReference", ...] = ()


Expression = Apply | AttributeValue | AttributeDesignator | AttributeSelector | VariableReference


@dataclass(frozen=True, slots=True)
class VariableDefinition:
    id: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Match:
    """True if ``function(value, x)`` is true for some x of the designated, or selected, bag."""

    function: str
    value: AttributeValue
    designator: AttributeDesignator | AttributeSelector


Alternative = tuple[Match, ...]  # a Subject, Resource, Action or Environment element: all its matches must be true


@dataclass(frozen=True, slots=True)
class Target:
    """Each non-empty part must have one true alternative; the empty target matches everything."""

    subjects: tuple[Alternative, ...] = ()
    resources: tuple[Alternative, ...] = ()
    actions: tuple[Alternative, ...] = ()
    environments: tuple[Alternative, ...] = ()

    @property
    def parts(self) -> tuple[tuple[Alternative, ...], ...]:
        """Those that are there."""
        parts = (self.subjects, self.resources, self.actions, self.environments)
        return tuple(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    effect: Effect
    target: Target = field(default_factory=Target)
    description: str | None = None
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """``combining`` is the URI of a rule-combining algorithm. ``variables`` are for the conditions of its rules."""

    id: str
    combining: str
    rules: tuple[Rule, ...] = ()
    target: Target = field(default_factory=Target)
    obligations: tuple[Obligation, ...] = ()
    description: str | None = None
    version: str = "1"
    variables: tuple[VariableDefinition, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyIdReference:
    """Versions are patterns: numbers, ``*`` for any number, ``+`` at the end for any numbers (section 5.21)."""

    id: str
    version: str | None = None
    earliest: str | None = None
    latest: str | None = None


@dataclass(frozen=True, slots=True)
class PolicySetIdReference:
    """Versions as of PolicyIdReference."""

    id: str
    version: str | None = None
    earliest: str | None = None
    latest: str | None = None


@dataclass(frozen=True, slots=True)
class PolicySet:
    """``combining`` is the URI of a policy-combining algorithm."""

    id: str
    combining: str
    children: tuple["PolicySet | Policy | PolicyIdReference | PolicySetIdReference", ...] = ()
    target: Target = field(default_factory=Target)
    obligations: tuple[Obligation, ...] = ()
    description: str | None = None
    version: str = "1"

    def policies(self) -> Iterator[Policy]:
        """The policies that are direct children, in order."""
        return (child for child in self.children if isinstance(child, Policy))


class Combining:
    """URIs of first-applicable, the only algorithms a PAP writes (XACML 2.0 appendix C)."""

    RULES_FIRST_APPLICABLE = "urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:first-applicable"
    POLICIES_FIRST_APPLICABLE = "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:first-applicable"
