"""Which names a CA may sign: EUGridPMA ``.namespaces`` and Globus ``.signing_policy`` files, read and applied.

Both speak of slash forms and compare without regard to case. ``.namespaces`` has regular expressions that must match
the whole name, ``.signing_policy`` has ``*`` and ``?``; both become RE2 expressions, which take linear time.

BETTER: a present but unreadable file refuses the CA's certificates; canl takes it for absent, and the CA may sign
anything. Expressions keep their case, where canl turns ``\\D`` into ``\\d``.

Source: canl-java:src/main/java/eu/emi/security/authn/x509/helpers/ns/
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import re2

from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName

MAX_FILE_LENGTH = 256 * 1024  # the largest file of the IGTF distribution has 4 KiB

_SUPPORTED_VERSION = "1.0"
_VERSION_KEY = "#NAMESPACES-VERSION:"
_QUOTED = r'"((?:[^"\\]|\\.)*+)"'
_ENTRY = re.compile(
    rf"TO[ \t]++ISSUER[ \t]++(?:SELF|{_QUOTED})[ \t]++(PERMIT|DENY)[ \t]++SUBJECT[ \t]++{_QUOTED}", re.IGNORECASE
)
_COMMENT = re.compile(r"((?:[^\\#]|\\.|\\$)*+)#.*")
_CONTINUED = re.compile(r"(?<!\\)\\$")

_ACCESS_ID = re.compile(r"access_id_CA[ \t]++X509[ \t]++(.++)")
_RIGHTS = re.compile(r"pos_rights[ \t]++globus[ \t]++CA:sign")
_SUBJECTS = re.compile(r"cond_subjects[ \t]++globus[ \t]++(.++)")
_SINGLE_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*+)'")
_PATTERN = re.compile(r'[ \t]*+(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"(?=[ \t]|\Z)|(?P<bare>(?!").*+))')
_ESCAPED = re.compile(r"\\(.)")

_LABEL = re.compile(r"/([A-Za-z][A-Za-z0-9]*)=")
_SYNONYMS = {
    "e": "emailAddress",
    "email": "emailAddress",
    "userid": "UID",
    "s": "ST",
    "surname": "sn",
    "givenname": "gn",
    "dn": "dnQualifier",
    "dnq": "dnQualifier",
    "generation": "generationQualifier",
    "uniqueidentifier": "x500UniqueIdentifier",
    "ip": "1.3.6.1.4.1.42.2.11.2.1",
    "nameatbirth": "1.3.36.8.3.14",
}


class NamespaceSyntaxError(MalformedInput):
    """A namespace file that cannot be read; carries ``line`` (0: the whole file) and ``reason``."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line
        self.reason = reason


class NamespaceFormat(Enum):
    """The value is the ending of the file."""

    EUGRIDPMA = "namespaces"
    GLOBUS = "signing_policy"


def _compile(expression: str) -> Any:
    """Raises re2.error: no RE2 expression, or one too large."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return re2.compile(expression, options)


@dataclass(frozen=True, slots=True)
class NamespacePolicy:
    """One rule. ``issuer`` None is the CA the file is named after."""

    issuer: str | None  # as ``comparable``
    permit: bool
    subject: str  # RE2 expression for the whole slash form
    line: int
    _compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "_compiled", _compile(self.subject))
        except re2.error as error:
            raise NamespaceSyntaxError(self.line, f"the subject is no regular expression: {error}") from error

    def matches(self, subject: str) -> bool:
        return self._compiled.fullmatch(subject) is not None


@dataclass(frozen=True, slots=True)
class NamespaceFile:
    """One file: ``hash`` from its name, and either policies or the ``problem`` that keeps it from being read."""

    name: str
    hash: str
    format: NamespaceFormat
    policies: tuple[NamespacePolicy, ...]
    problem: str | None = None

    def about(self, issuer: DistinguishedName, issuer_hashes: tuple[str, str]) -> tuple[NamespacePolicy, ...]:
        """The policies for one issuer."""
        text = comparable(issuer)
        return tuple(
            policy
            for policy in self.policies
            if (policy.issuer == text if policy.issuer is not None else self.hash in issuer_hashes)
        )


def comparable(name: DistinguishedName) -> str:
    """The slash form with common labels, in lower case: what patterns are matched with."""
    return _comparable(name.slash())


def parse_namespaces(text: str) -> tuple[NamespacePolicy, ...]:
    """The rules of an EUGridPMA ``.namespaces`` file. Raises NamespaceSyntaxError: with the line."""
    return tuple(_namespace_entry(line, entry) for line, entry in _entries(text) if entry)


def parse_signing_policy(text: str) -> tuple[NamespacePolicy, ...]:
    """The rules of a Globus EACL; all permit. Raises NamespaceSyntaxError: with the line."""
    policies: list[NamespacePolicy] = []
    lines = _significant_lines(text)
    for number, line in lines:
        if not line.startswith("access_id_CA"):
            continue  # COMPAT: whatever stands outside of a block is ignored
        issuer = _unquoted(number, _matched(number, line, _ACCESS_ID, "access_id_CA X509 'name of the CA'"))
        rights_number, rights = _next(lines, number)
        _matched(rights_number, rights, _RIGHTS, "pos_rights globus CA:sign")
        subjects_number, subjects = _next(lines, rights_number)
        listed = _matched(subjects_number, subjects, _SUBJECTS, "cond_subjects globus '\"pattern\" ...'")
        patterns = tuple(_patterns(subjects_number, _unquoted(subjects_number, listed)))
        if not patterns:  # without a rule about it the CA might sign anything
            raise NamespaceSyntaxError(subjects_number, "no subject is permitted")
        policies += (
            NamespacePolicy(_comparable(issuer), True, _expression(pattern), subjects_number) for pattern in patterns
        )
    return tuple(policies)


PARSERS = {NamespaceFormat.EUGRIDPMA: parse_namespaces, NamespaceFormat.GLOBUS: parse_signing_policy}


def _entries(text: str) -> Iterator[tuple[int, str]]:
    """Entries without comments, continued lines joined, each with the number of its first line."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(_lines(text), start=1):
        if line.startswith(_VERSION_KEY):
            version = line.removeprefix(_VERSION_KEY).strip()
            if version != _SUPPORTED_VERSION:
                raise NamespaceSyntaxError(number, f"version {version[:20]!r} is not supported")
            continue
        comment = _COMMENT.fullmatch(line)
        content = comment[1] if comment else line
        first = first if parts else number
        continued = _CONTINUED.search(content) is not None
        parts.append(content[:-1] if continued else content)
        if not continued:
            yield first, "".join(parts).strip()
            parts = []
    yield first, "".join(parts).strip()


def _namespace_entry(number: int, entry: str) -> NamespacePolicy:
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise NamespaceSyntaxError(number, 'expected TO ISSUER "name"|SELF PERMIT|DENY SUBJECT "expression"')
    issuer, right, subject = match.groups()
    return NamespacePolicy(
        _comparable(issuer) if issuer is not None else None,
        right.upper() == "PERMIT",
        _with_common_labels(subject),
        number,
    )


def _significant_lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(_lines(text), start=1):
        content = line.strip()
        if content and not content.startswith("#"):
            yield number, content


def _next(lines: Iterator[tuple[int, str]], after: int) -> tuple[int, str]:
    try:
        return next(lines)
    except StopIteration:
        raise NamespaceSyntaxError(after, "the block is not complete") from None


def _matched(number: int, line: str, pattern: re.Pattern[str], expected: str) -> str:
    """The last group of the pattern. Raises NamespaceSyntaxError: no match."""
    match = pattern.fullmatch(line)
    if match is None:
        raise NamespaceSyntaxError(number, f"expected {expected}")
    return match[pattern.groups]


def _unquoted(number: int, text: str) -> str:
    """The text between single quotes, or all of it if it does not begin with one."""
    if not text.startswith("'"):
        return text
    match = _SINGLE_QUOTED.fullmatch(text)
    if match is None:
        raise NamespaceSyntaxError(number, "a quoted text does not end with the line")
    return _ESCAPED.sub(r"\1", match[1])


def _patterns(number: int, listed: str) -> Iterator[str]:
    """Quoted patterns separated by blanks; one without quotes reaches to the end."""
    position = 0
    while position < len(listed):
        match = _PATTERN.match(listed, position)
        if match is None:
            raise NamespaceSyntaxError(number, "expected quoted patterns with blanks between")
        pattern = match["bare"] if match["quoted"] is None else _ESCAPED.sub(r"\1", match["quoted"])
        if pattern.strip():
            yield pattern.strip()
        position = match.end()


def _expression(pattern: str) -> str:
    """``*`` is any text, ``?`` one character."""
    wild = {"*": "(?s:.*)", "?": "(?s:.)"}
    return "".join(wild.get(part) or re2.escape(part) for part in re.split(r"([*?])", _with_common_labels(pattern)))


def _with_common_labels(text: str) -> str:
    return _LABEL.sub(lambda m: f"/{_SYNONYMS.get(m[1].lower(), m[1])}=", text)


def _comparable(text: str) -> str:
    return _with_common_labels(text).lower()


def _lines(text: str) -> Sequence[str]:
    if len(text) > MAX_FILE_LENGTH:
        raise NamespaceSyntaxError(0, f"{len(text)} characters; {MAX_FILE_LENGTH} are allowed")
    return [line.rstrip("\r") for line in text.split("\n")]
