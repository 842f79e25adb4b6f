"""Patterns, ends of names, mailboxes and FQANs (XACML 2.0 appendices A.3.13 and A.3.14, and gLite).

COMPAT: a pattern must match the whole value, as in Java; the standard looks for a part, but policies rely on the whole.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/xacml/FQANRegexpFunction.java
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan, FqanPattern
from argus_py.model.identifiers import DataType, Glite
from argus_py.xacml.addresses import Rfc822Name
from argus_py.xacml.functions.signature import (
    BOOLEAN,
    FQAN,
    FUNCTION_1_0,
    FUNCTION_2_0,
    RFC822_NAME,
    STRING,
    X500_NAME,
    Function,
    Test,
    Type,
)
from argus_py.xacml.java_pattern import JavaPattern
from argus_py.xacml.outcome import Fault, Matched
from argus_py.xacml.values import Value, read_pattern_subject, unfit_for_patterns


@dataclass(frozen=True, slots=True)
class MatchesPattern:
    """A test of strings that can be looked up with others of its kind."""

    pattern: JavaPattern

    def __call__(self, value: Value) -> Matched:
        return _matched(self.pattern, str(value))


@dataclass(frozen=True, slots=True)
class _TextMatchesPattern:
    """A test of the text of a value that is no string."""

    pattern: JavaPattern
    text_of: Callable[[Value], str]

    def __call__(self, value: Value) -> Matched:
        return _matched(self.pattern, self.text_of(value))


@dataclass(frozen=True, slots=True)
class CoversFqan:
    """A test of FQANs that can be looked up with others of its kind."""

    pattern: FqanPattern

    def __call__(self, value: Value) -> bool:
        assert isinstance(value, Fqan)
        return self.pattern.matches(value)


def _matched(pattern: JavaPattern, text: str) -> Matched:
    unfit = unfit_for_patterns(text)
    return pattern.matches(text) if unfit is None else Fault(f"a value cannot be matched with a pattern: it is {unfit}")


def _bind_string_pattern(pattern: Value) -> Test:
    """Raises PatternSyntaxError."""
    return MatchesPattern(JavaPattern.compile(str(pattern)))


def _bind_fqan_pattern(pattern: Value) -> Test:
    """``/vo/*`` and ``Role=*`` of gLite; a capability never counts. Raises FqanSyntaxError."""
    return CoversFqan(FqanPattern.parse(str(pattern)))


def _called(bind: Callable[[Value], Test]) -> Callable[[Value, Value], Matched]:
    """The function of two arguments, of which the first is not known before."""

    def call(first: Value, second: Value) -> Matched:
        try:
            return bind(first)(second)
        except MalformedInput as error:
            return Fault(str(error))

    return call


def _pattern_of(type: Type, text_of: Callable[[Value], str]) -> Function:
    def bind(pattern: Value) -> Test:
        return _TextMatchesPattern(JavaPattern.compile(str(pattern)), text_of)

    return Function((STRING, type), BOOLEAN, _called(bind), bind=bind)


def _readable(name: Value) -> str:
    assert isinstance(name, DistinguishedName)
    return name.readable()


def _is_end_of_name(end: DistinguishedName, name: DistinguishedName) -> bool:
    """BETTER: the end is next to the root and compares as names do; Java looks for its parts anywhere."""
    return DistinguishedName(name.rdns[: len(end.rdns)]) == end


def _is_mailbox_of(wanted: str, mailbox: Rfc822Name) -> bool:
    """``wanted``: a mailbox, a host, or a domain with a leading dot, which covers the host of its name, too."""
    local, at, domain = wanted.rpartition("@")
    if at:
        return (local, domain.lower()) == (mailbox.local, mailbox.domain)
    if domain.startswith("."):
        return f".{mailbox.domain}".endswith(domain.lower())
    return domain.lower() == mailbox.domain


STRING_REGEXP_MATCH: Final = FUNCTION_1_0 + "string-regexp-match"

_STRING_REGEXP_MATCH: Final = Function(
    (STRING, STRING), BOOLEAN, _called(_bind_string_pattern), bind=_bind_string_pattern, reads=read_pattern_subject
)

PATTERN_FUNCTIONS: Final[Mapping[str, Function]] = {
    STRING_REGEXP_MATCH: _STRING_REGEXP_MATCH,
    FUNCTION_1_0 + "regexp-string-match": _STRING_REGEXP_MATCH,  # its name until XACML 1.1
    **{
        f"{FUNCTION_2_0}{name}-regexp-match": _pattern_of(Type(datatype), text_of)
        for name, datatype, text_of in (
            ("anyURI", DataType.ANY_URI, str),
            ("ipAddress", DataType.IP_ADDRESS, str),
            ("dnsName", DataType.DNS_NAME, str),
            ("rfc822Name", DataType.RFC822_NAME, str),
            ("x500Name", DataType.X500_NAME, _readable),
        )
    },
}
FUNCTIONS: Final[Mapping[str, Function]] = {
    **PATTERN_FUNCTIONS,
    f"{FUNCTION_1_0}x500Name-match": Function((X500_NAME, X500_NAME), BOOLEAN, _is_end_of_name),
    f"{FUNCTION_1_0}rfc822Name-match": Function((STRING, RFC822_NAME), BOOLEAN, _is_mailbox_of),
    Glite.FQAN_REGEXP_MATCH: Function((FQAN, FQAN), BOOLEAN, _called(_bind_fqan_pattern), bind=_bind_fqan_pattern),
}
