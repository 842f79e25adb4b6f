"""What targets ask for, in a form that can be compared: which conditions follow from others, whatever the request.

A condition says of one bag that some value in it is the wanted one, or matches the wanted pattern. Nothing is guessed:
a condition follows from another one only where that can be shown, and the patterns of sites are simple enough for it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan, FqanPattern
from argus_py.xacml.functions.equality import Equals
from argus_py.xacml.functions.match import CoversFqan, MatchesPattern
from argus_py.xacml.functions.signature import Test
from argus_py.xacml.java_pattern import JavaPattern, PatternSet, PatternsTooLarge
from argus_py.xacml.matching import PreparedMatch
from argus_py.xacml.outcome import Fault
from argus_py.xacml.policy import Match, Target
from argus_py.xacml.request_attributes import Source
from argus_py.xacml.values import Reader, Value

_PLAIN: Final = r"[A-Za-z0-9:/_%~=&@#,;!'\" <>-]"
# Literal characters, "[.]" and dots, then ".*": the pattern of everything that begins so.
_BEGINNING: Final = re.compile(rf"((?:{_PLAIN}|\[\.\]|\.(?!\*))*+)\.\*")
# Matches no line end, which ".*" does not match either: no negation, no escape, no flag, printable ASCII alone.
_IN_ONE_LINE: Final = re.compile(r"(?:[ !-'*-Z\]-~)]|\[(?!\^)|\((?!\?))*+")
_TEXT: Final = re.compile(rf"(?:{_PLAIN}|\[\.\])*+")
_LAST_OF_TEXT: Final = re.compile(r"(?:\[\.\]|.)\Z")
_QUANTIFIERS: Final = ("*", "+", "?", "{")


@dataclass(frozen=True, slots=True)
class Condition:
    """``wanted``: a value, or a pattern; a pattern that only one text matches is that text. ``match`` has the words."""

    source: Source
    read: Reader
    wanted: Value
    match: Match = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class _Other:
    """Wanted by functions of which nothing is known here."""

    function: str
    text: str


@dataclass(frozen=True, slots=True)
class Demand:
    """What must be true for a target to match; if it ``is_all``, that is enough.

    ``unreadable`` are matches that can only be errors, with the reason: the target never matches.
    """

    conditions: frozenset[Condition] = frozenset()
    is_all: bool = True
    unreadable: tuple[tuple[Match, str], ...] = ()

    def and_(self, other: "Demand") -> "Demand":
        return Demand(
            self.conditions | other.conditions, self.is_all and other.is_all, self.unreadable + other.unreadable
        )


class Demands:
    """Reads targets; what many of them ask for is read once, and the same object for all."""

    def __init__(self) -> None:
        self._known: dict[Match, Condition | str] = {}

    def of(self, target: Target, has_condition: bool = False) -> Demand:
        """``has_condition``: more than the target is asked for."""
        conditions: list[Condition] = []
        unreadable: list[tuple[Match, str]] = []
        is_all = not has_condition
        for part in target.parts:
            if len(part) > 1:
                is_all = False  # one of several alternatives
                continue
            for match in part[0]:
                read = self._read(match)
                if isinstance(read, str):
                    unreadable.append((match, read))
                else:
                    conditions.append(read)
        return Demand(frozenset(conditions), is_all and not unreadable, tuple(unreadable))

    def _read(self, match: Match) -> Condition | str:
        known = self._known.get(match)
        if known is None:
            known = self._known[match] = _read(match)
        return known


def _read(match: Match) -> Condition | str:
    """The reason if it can only be an error."""
    try:
        prepared = PreparedMatch.of(match)
    except MalformedInput as error:
        return str(error)
    if isinstance(prepared.test, Fault):
        return prepared.test.reason
    return Condition(prepared.source, prepared.read, _wanted(match, prepared.test), match)


def _wanted(match: Match, test: Test) -> Value:
    if isinstance(test, Equals):
        return test.value.key if isinstance(test.value, DistinguishedName) else test.value
    if isinstance(test, MatchesPattern):
        return test.pattern if test.pattern.literal is None else test.pattern.literal
    if isinstance(test, CoversFqan):
        return test.pattern
    return _Other(match.function, match.value.text)


_Bag = tuple[Source, Reader]


class Implications:
    """Which of some known conditions are true whenever another one is."""

    def __init__(self, known: Iterable[Condition]) -> None:
        by_bag: dict[_Bag, dict[Condition, None]] = {}
        for each in known:
            by_bag.setdefault((each.source, each.read), {})[each] = None
        self._patterns = {bag: _Patterns(tuple(conditions)) for bag, conditions in by_bag.items()}
        self._found: dict[Condition, tuple[Condition, ...]] = {}

    def wider(self, condition: Condition) -> tuple[Condition, ...]:
        """The condition itself, then the known ones that it implies."""
        found = self._found.get(condition)
        if found is None:
            patterns = self._patterns.get((condition.source, condition.read))
            implied = () if patterns is None else patterns.implied_by(condition.wanted)
            found = self._found[condition] = (condition, *(each for each in implied if each != condition))
        return found

    def all_wider(self, conditions: Iterable[Condition]) -> frozenset[Condition]:
        return frozenset(each for condition in conditions for each in self.wider(condition))


class _Patterns:
    """The known patterns about one bag."""

    def __init__(self, known: Sequence[Condition]) -> None:
        self._of_fqans = [(each.wanted, each) for each in known if isinstance(each.wanted, FqanPattern)]
        of_strings = [(each.wanted, each) for each in known if isinstance(each.wanted, JavaPattern)]
        self._sets = list(_sets(of_strings))
        self._by_beginning: dict[str, list[Condition]] = {}
        for pattern, each in of_strings:
            beginning = _BEGINNING.fullmatch(pattern.text)
            if beginning:
                self._by_beginning.setdefault(beginning[1], []).append(each)
        self._lengths = sorted({len(beginning) for beginning in self._by_beginning})

    def implied_by(self, wanted: Value) -> Iterator[Condition]:
        if isinstance(wanted, str):
            yield from self._matching(wanted)
        elif isinstance(wanted, JavaPattern):
            yield from self._containing(wanted.text)
        elif isinstance(wanted, Fqan):
            yield from (each for pattern, each in self._of_fqans if pattern.matches(wanted))
        elif isinstance(wanted, FqanPattern):
            yield from (each for pattern, each in self._of_fqans if _contains(pattern, wanted))

    def _matching(self, text: str) -> Iterator[Condition]:
        for pattern_set, members in self._sets:
            found = pattern_set.matching(text)
            if found is None:
                yield from (each for pattern, each in members if pattern.matches(text))
            else:
                yield from (members[number][1] for number in found)

    def _containing(self, text: str) -> Iterator[Condition]:
        """Of the form BEGINNING.* alone."""
        for length in self._lengths:
            beginning = text[:length]
            if beginning not in self._by_beginning or text.startswith(_QUANTIFIERS, length):
                continue
            if _IN_ONE_LINE.fullmatch(text) and not (beginning and "|" in text):
                yield from self._by_beginning[beginning]


_Members = Sequence[tuple[JavaPattern, Condition]]


def _sets(members: _Members) -> Iterator[tuple[PatternSet, _Members]]:
    """As few as possible."""
    try:
        yield PatternSet([pattern for pattern, _ in members]), members
    except PatternsTooLarge:
        half = len(members) // 2
        yield from _sets(members[:half])
        yield from _sets(members[half:])


def _contains(wide: FqanPattern, narrow: FqanPattern) -> bool:
    """Whether the one matches all that the other does."""
    if wide.role not in ("*", narrow.role):
        return False
    if wide.group == narrow.group:
        return wide.subgroups or not narrow.subgroups
    return wide.subgroups and narrow.group.startswith(f"{wide.group}/")


def vo_of(fqan: Fqan) -> str:
    return fqan.group.split("/")[1]


def may_meet(one: Condition, other: Condition) -> bool:
    """Unless no single value can fulfil both, as far as that can be shown."""
    if (one.source, one.read) != (other.source, other.read) or one == other:
        return True
    if isinstance(one.wanted, JavaPattern):
        if isinstance(other.wanted, JavaPattern):
            beginnings = _beginning(one.wanted), _beginning(other.wanted)
            return beginnings[0].startswith(beginnings[1]) or beginnings[1].startswith(beginnings[0])
        return not isinstance(other.wanted, str) or one.wanted.matches(other.wanted)
    if isinstance(other.wanted, JavaPattern):
        return not isinstance(one.wanted, str) or other.wanted.matches(one.wanted)
    return not isinstance(one.wanted, str | Fqan) or type(one.wanted) is not type(other.wanted)


def _beginning(pattern: JavaPattern) -> str:
    """What every value begins with that it matches."""
    found = _TEXT.match(pattern.text)
    if found is None or "|" in pattern.text:
        return ""
    text = found[0]
    if pattern.text.startswith(_QUANTIFIERS, len(text)):
        text = _LAST_OF_TEXT.sub("", text)
    return text.replace("[.]", ".")
