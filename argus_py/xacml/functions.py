"""The functions a Match may name (XACML 2.0 appendix A.3 and gLite), by URI.

A function is prepared once with the value of the policy, its first argument; what remains is a test of one value of the
request.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/xacml/FQANEqualFunction.java, FQANRegexpFunction.java
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan, FqanPattern
from argus_py.model.identifiers import DataType, DciSec, Glite
from argus_py.xacml.java_pattern import JavaPattern
from argus_py.xacml.policy import Match
from argus_py.xacml.values import (
    Reader,
    Value,
    read_boolean,
    read_fqan,
    read_integer,
    read_pattern_subject,
    read_string,
    read_x500_name,
    trim,
)

_PREFIX: Final = "urn:oasis:names:tc:xacml:1.0:function:"


class FunctionUri:
    """Names of the functions that SPL attributes use."""

    STRING_EQUAL: Final = _PREFIX + "string-equal"
    STRING_REGEXP_MATCH: Final = _PREFIX + "string-regexp-match"
    X500_NAME_EQUAL: Final = _PREFIX + "x500Name-equal"
    FQAN_MATCH: Final = Glite.FQAN_MATCH


class UnknownFunction(MalformedInput):
    """No function of this ``uri`` is known here."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"the function {uri!r} is not supported")
        self.uri = uri


class UnusableValue(MalformedInput):
    """The value of a Match, or its data type, can only be an error when the attribute is there."""


@dataclass(frozen=True, slots=True)
class Equals:
    """Equality by the rules of the data type."""

    value: Value

    def __call__(self, value: Value) -> bool:
        return self.value == value


@dataclass(frozen=True, slots=True)
class MatchesPattern:
    """COMPAT: the whole value must match; the standard looks for a part of it, but policies rely on the whole."""

    pattern: JavaPattern

    def __call__(self, value: Value) -> bool:
        assert isinstance(value, str)
        return self.pattern.matches(value)


@dataclass(frozen=True, slots=True)
class EndsName:
    """BETTER: the name is the end of the other one, next to the root; Java looks for its parts anywhere."""

    name: DistinguishedName

    def __call__(self, value: Value) -> bool:
        assert isinstance(value, DistinguishedName)
        return DistinguishedName(value.rdns[: len(self.name.rdns)]) == self.name


@dataclass(frozen=True, slots=True)
class CoversFqan:
    """``/vo/*`` and ``Role=*`` of gLite; a capability never counts."""

    pattern: FqanPattern

    def __call__(self, value: Value) -> bool:
        assert isinstance(value, Fqan)
        return self.pattern.matches(value)


Test = Equals | MatchesPattern | EndsName | CoversFqan


@dataclass(frozen=True, slots=True)
class Function:
    """``datatype`` of both arguments; ``prepare`` raises MalformedInput for a policy value it cannot read."""

    datatype: str
    read: Reader  # a value of the request; raises MalformedInput
    prepare: Callable[[str], Test]


def _equality(datatype: str, read: Reader) -> Function:
    return Function(datatype, read, lambda text: Equals(read(text)))


FUNCTIONS: Final[Mapping[str, Function]] = {
    FunctionUri.STRING_EQUAL: _equality(DataType.STRING, read_string),
    _PREFIX + "boolean-equal": _equality(DataType.BOOLEAN, read_boolean),
    _PREFIX + "integer-equal": _equality(DataType.INTEGER, read_integer),
    _PREFIX + "anyURI-equal": _equality(DataType.ANY_URI, read_string),  # by code points, as the standard has it
    FunctionUri.X500_NAME_EQUAL: _equality(DataType.X500_NAME, read_x500_name),
    FunctionUri.FQAN_MATCH: _equality(DataType.FQAN, read_fqan),
    FunctionUri.STRING_REGEXP_MATCH: Function(
        DataType.STRING, read_pattern_subject, lambda text: MatchesPattern(JavaPattern.compile(trim(text)))
    ),
    _PREFIX + "x500Name-match": Function(
        DataType.X500_NAME, read_x500_name, lambda text: EndsName(read_x500_name(text))
    ),
    Glite.FQAN_REGEXP_MATCH: Function(DataType.FQAN, read_fqan, lambda text: CoversFqan(FqanPattern.parse(text))),
}


def function_of(match: Match) -> Function:
    """Raises UnknownFunction."""
    if (
        match.function == FunctionUri.STRING_EQUAL
        and match.designator.attribute_id == DciSec.RESOURCE_OWNER
        and match.designator.datatype == match.value.datatype == DataType.X500_NAME
    ):
        # BETTER: the mapping shipped with the Java PAP says string-equal, which fails on every name.
        return FUNCTIONS[FunctionUri.X500_NAME_EQUAL]
    try:
        return FUNCTIONS[match.function]
    except KeyError:
        raise UnknownFunction(match.function) from None


def prepare_test(match: Match) -> Test:
    """The test of one value of the request.

    Raises UnknownFunction; of other kinds of MalformedInput: UnusableValue and what the reader of the data type says.
    """
    function = function_of(match)
    if not function.datatype == match.value.datatype == match.designator.datatype:
        raise UnusableValue(f"{match.function} does not compare {match.value.datatype}")
    if not trim(match.value.text):
        raise UnusableValue("the value is empty")
    return function.prepare(match.value.text)
