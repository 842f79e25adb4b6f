"""What lint has to say: a check that found something, where, and a sentence."""

from dataclasses import dataclass
from enum import Enum, IntEnum

from argus_py.spl.ast import NOWHERE, Position


class Severity(IntEnum):
    """The number of the worst one is an exit code: information alone is none to fail for."""

    INFORMATION = 0
    WARNING = 1
    ERROR = 2


class Check(Enum):
    """``code`` is how people and programs call it; docs/policy-tests.md has a paragraph for each."""

    SYNTAX = "syntax", Severity.ERROR
    UNREADABLE = "unreadable-value", Severity.ERROR
    UNREACHABLE = "unreachable-rule", Severity.ERROR
    SHADOWED = "shadowed-rule", Severity.WARNING
    DUPLICATE = "duplicate-rule", Severity.WARNING
    PERMIT_ABOVE_BAN = "permit-above-ban", Severity.WARNING
    CONTRADICTION = "contradiction", Severity.WARNING
    LITERAL_STAR = "literal-star", Severity.WARNING
    LOOSE_DOT = "loose-dot", Severity.WARNING
    LOOSE_STAR = "loose-star", Severity.WARNING
    UNFINISHED_PATTERN = "unfinished-pattern", Severity.WARNING
    NOT_PRIVATE = "not-private", Severity.WARNING
    NO_ACCOUNT = "no-account", Severity.WARNING
    NO_GROUP = "no-group", Severity.WARNING
    NO_CATCH_ALL = "no-catch-all", Severity.INFORMATION
    NOT_CHECKED = "not-checked", Severity.INFORMATION

    def __init__(self, code: str, severity: Severity) -> None:
        self.code = code
        self.severity = severity


@dataclass(frozen=True, slots=True)
class Place:
    """``source`` is a file or a pap, ``words`` the way to the element in it, ``id`` that of a stored one."""

    source: str
    position: Position = NOWHERE
    words: str = ""
    id: str | None = None

    def seen_from(self, other: "Place") -> str:
        """For somebody who reads of the other place: what both have in common is left out."""
        if self.source != other.source:
            return f"{self} of {self.source}"
        above, _, last = self.words.rpartition(" > ")
        return self._named(last if above == other.words.rpartition(" > ")[0] else self.words)

    def __str__(self) -> str:
        return self._named(self.words)

    def _named(self, words: str) -> str:
        if self.position != NOWHERE:
            return f"{words} (line {self.position.line})"
        return words if self.id is None else f"{words} [{self.id}]"


@dataclass(frozen=True, slots=True)
class Finding:
    """``text`` is a sentence without an end."""

    check: Check
    place: Place
    text: str

    @property
    def severity(self) -> Severity:
        return self.check.severity


def worst(findings: tuple[Finding, ...]) -> Severity:
    return max((finding.severity for finding in findings), default=Severity.INFORMATION)
