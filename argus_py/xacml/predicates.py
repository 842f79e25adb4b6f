"""What a whole policy asks about attributes, and what of it is true for a request.

Matches that ask the same are one Predicate, wherever they stand, and all predicates about one bag are one Question. A
question is answered at most once per request, with the set of those that are true: values are found by hashing, FQAN
patterns by the groups above a name, other patterns in a single pass. What patterns say of a value is remembered.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan, FqanPattern
from argus_py.xacml.functions.equality import Equals
from argus_py.xacml.functions.match import CoversFqan, MatchesPattern
from argus_py.xacml.java_pattern import JavaPattern, PatternSet, PatternsTooLarge
from argus_py.xacml.matching import PreparedMatch
from argus_py.xacml.outcome import Fault, Matched
from argus_py.xacml.request_attributes import BagKey, Designated, RequestAttributes
from argus_py.xacml.values import Reader, Value

_REMEMBERED_VALUES: Final = 512  # resources, actions and FQANs: those that a site's services ask about
_REMEMBERED_LENGTH: Final = 256  # characters of such a value; bounds the memory that clients can fill

_Pattern = JavaPattern | FqanPattern  # neither is a value of any data type

Sought = tuple[BagKey, Reader, Value]
"""What a Match looks for that can be looked up: in this bag, read like this, a value, or one that fits the pattern."""


@dataclass(frozen=True, slots=True, eq=False)
class Predicate:
    """``question``: the number of its Question. INVARIANT: one object for all that ask the same."""

    question: int

    def matched(self, facts: "Facts") -> Matched:
        true = facts.true(self.question)
        return true if isinstance(true, Fault) else self in true


class Question:
    """All predicates about one bag."""

    def __init__(self, bag: BagKey, read: Reader, wanted: Mapping[Value, Predicate]) -> None:
        """``wanted``: what some value of the bag must be, or the pattern that it must match."""
        self._bag = bag
        self._read = read
        self._by_value = {value: each for value, each in wanted.items() if not isinstance(value, _Pattern)}
        of_fqans = {pattern: each for pattern, each in wanted.items() if isinstance(pattern, FqanPattern)}
        of_strings = {pattern: each for pattern, each in wanted.items() if isinstance(pattern, JavaPattern)}
        self._covering = _covering(of_fqans) if of_fqans else None
        self._matching = _matching(of_strings) if of_strings else None

    def answer(self, attributes: RequestAttributes) -> frozenset[Predicate] | Fault:
        """Those that are true."""
        values = attributes.values(self._bag, self._read)
        if isinstance(values, Fault):
            return values
        true = {found for value in values if (found := self._by_value.get(_key(value))) is not None}
        for about_value in (self._covering, self._matching):
            if about_value is not None:
                true.update(*map(about_value, values))
        return frozenset(true)


class Facts:
    """What is true for one request."""

    def __init__(self, attributes: RequestAttributes, questions: tuple[Question, ...]) -> None:
        self.attributes = attributes
        self._questions = questions
        self._answers: list[frozenset[Predicate] | Fault | None] = [None] * len(questions)

    def true(self, question: int) -> frozenset[Predicate] | Fault:
        """The true predicates of a question; a Fault if a value of its bag cannot be read."""
        answer = self._answers[question]
        if answer is None:
            answer = self._answers[question] = self._questions[question].answer(self.attributes)
        return answer


class Vocabulary:
    """Collects what a policy asks."""

    def __init__(self) -> None:
        self._wanted: dict[tuple[BagKey, Reader], dict[Value, Predicate]] = {}
        self._numbers: dict[tuple[BagKey, Reader], int] = {}

    def predicate(self, sought: Sought) -> Predicate:
        bag = sought[:2]
        number = self._numbers.setdefault(bag, len(self._numbers))
        return self._wanted.setdefault(bag, {}).setdefault(sought[2], Predicate(number))

    def questions(self) -> tuple[Question, ...]:
        """By their numbers."""
        return tuple(Question(bag, read, wanted) for (bag, read), wanted in self._wanted.items())


def sought_by(match: PreparedMatch) -> Sought | None:
    """None if the match cannot be looked up: it may be an error, or compares in another way."""
    source, wanted = match.source, _wanted_by(match)
    if wanted is None or not isinstance(source, Designated) or source.missing is not None:
        return None
    return source.bag, match.read, wanted


def _wanted_by(match: PreparedMatch) -> Value | None:
    test = match.test
    if isinstance(test, Equals):
        return _key(test.value)
    if isinstance(test, CoversFqan):
        return test.pattern
    if isinstance(test, MatchesPattern):
        return test.pattern if test.pattern.literal is None else test.pattern.literal
    return None


def _key(value: Value) -> Value:
    """Of a name the text alone, which takes a fifth of its memory: there may be 100,000 of them."""
    return value.key if isinstance(value, DistinguishedName) else value


def _covering(predicates: Mapping[FqanPattern, Predicate]) -> Callable[[Value], Iterable[Predicate]]:
    """What FQAN patterns say of a value."""
    longest = max(len(pattern.group) for pattern in predicates)

    @lru_cache(_REMEMBERED_VALUES)
    def covering(value: Value) -> tuple[Predicate, ...]:
        assert isinstance(value, Fqan)
        found = (predicates.get(pattern) for pattern in _patterns_that_match(value, longest))
        return tuple(each for each in found if each is not None)

    return covering


def _patterns_that_match(fqan: Fqan, longest: int) -> Iterator[FqanPattern]:
    """All, if none has a group of more than ``longest`` characters: FqanPattern.matches the other way round."""
    for role in {fqan.role, "*"}:
        yield FqanPattern(fqan.group, role)
        yield FqanPattern(fqan.group, role, subgroups=True)
        end = fqan.group.rfind("/", 0, longest + 1)
        while end > 0:
            yield FqanPattern(fqan.group[:end], role, subgroups=True)
            end = fqan.group.rfind("/", 0, end)


def _matching(predicates: Mapping[JavaPattern, Predicate]) -> Callable[[Value], Iterable[Predicate]]:
    """What patterns of strings say of a value."""
    matching = partial(_matching_one_of, tuple(_sets(tuple(predicates.items()))))
    remembered = lru_cache(_REMEMBERED_VALUES)(matching)

    def matching_or_remembered(value: Value) -> tuple[Predicate, ...]:
        assert isinstance(value, str)
        return matching(value) if len(value) > _REMEMBERED_LENGTH else remembered(value)

    return matching_or_remembered


_Members = tuple[tuple[JavaPattern, Predicate], ...]


def _sets(members: _Members) -> Iterator[tuple[PatternSet, _Members]]:
    """As few as possible."""
    try:
        yield PatternSet([pattern for pattern, _ in members]), members
    except PatternsTooLarge:
        half = len(members) // 2  # a single pattern always fits: JavaPattern has less memory than a set
        yield from _sets(members[:half])
        yield from _sets(members[half:])


def _matching_one_of(sets: Iterable[tuple[PatternSet, _Members]], value: str) -> tuple[Predicate, ...]:
    true: list[Predicate] = []
    for pattern_set, members in sets:
        found = pattern_set.matching(value)
        if found is None:
            true += (predicate for pattern, predicate in members if pattern.matches(value))
        else:
            true += (members[number][1] for number in found)
    return tuple(true)
