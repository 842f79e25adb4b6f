"""A policy prepared for many requests: the answers of ``evaluator``, in microseconds however many rules there are.

Values are read and conditions are checked once. A child whose target needs one of certain values is found by hashing,
one that needs a value to match a pattern by a single pass over all patterns. It is passed over only if that makes its
target plainly False, whatever the rest says, and a child that does not apply changes the result of no combining
algorithm; what may be an error is never skipped.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from itertools import groupby
from typing import Final

from argus_py.model.request import Request
from argus_py.model.response import Decision, Effect, Obligation
from argus_py.xacml.combining import Algorithm, Child, first_applicable, policy_algorithm, rule_algorithm
from argus_py.xacml.evaluator import decided
from argus_py.xacml.expression import PreparedExpression, Variables, prepare_condition, truth
from argus_py.xacml.functions.equality import Equals
from argus_py.xacml.functions.match import MatchesPattern
from argus_py.xacml.java_pattern import JavaPattern, PatternSet, PatternsTooLarge
from argus_py.xacml.matching import PreparedMatch
from argus_py.xacml.outcome import NOT_APPLICABLE, Evaluation, Fault, Matched, all_of, any_of, indeterminate
from argus_py.xacml.policy import Match, Policy, PolicyIdReference, PolicySet, PolicySetIdReference, Rule, Target
from argus_py.xacml.references import BROKEN, resolve
from argus_py.xacml.request_attributes import BagKey, Designated, RequestAttributes
from argus_py.xacml.time_dependence import asks_for_the_time
from argus_py.xacml.values import Reader, Value

_MANY_PATTERNS: Final = 8  # fewer are tried one by one in the time that a look-up takes
_REMEMBERED_VALUES: Final = 512  # of resources and actions: those that a site's services ask about
_REMEMBERED_LENGTH: Final = 256  # characters of such a value; bounds the memory that clients can fill


@dataclass(frozen=True, slots=True)
class Defect:
    """What can only be an error, a pattern that is not supported for example.

    ``path`` leads to its rule, policy or set.
    """

    path: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        """For logs: the innermost element first."""
        return f"{' of '.join(reversed(self.path))}: {self.reason}"


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """Equal to another one made from the same ``root``. ``defects`` should be told to the operator.

    ``resolved`` has what ``root`` refers to in the place of the references. ``asks_for_the_time``: decisions may be
    others a moment later.
    """

    root: PolicySet
    resolved: PolicySet = field(compare=False, repr=False)
    defects: tuple[Defect, ...] = field(compare=False)
    asks_for_the_time: bool = field(compare=False)
    _entry: "_Group" = field(compare=False, repr=False)

    def evaluate(self, request: Request, moment: datetime | None = None) -> Evaluation:
        """``moment``: as of ``evaluator.evaluate``. Raises UnknownDataType, TooManyValues."""
        return self._entry.evaluate(RequestAttributes(request, moment))


def compile_policy(root: PolicySet) -> CompiledPolicy:
    """Raises PolicyTooLarge.

    Raises UnknownFunction, UnknownAlgorithm, InvalidExpression, XPathNotSupported: not for what was read from XML.
    """
    resolved = resolve(root)
    compiler = _Compiler()
    entry = compiler.group(resolved.root, ())
    broken = tuple(Defect(reference.path, reference.reason) for reference in resolved.broken)
    timed = asks_for_the_time(resolved.root)
    return CompiledPolicy(root, resolved.root, (*broken, *compiler.defects), timed, entry)


@dataclass(frozen=True, slots=True)
class _Target:
    parts: tuple[tuple[tuple[PreparedMatch, ...], ...], ...]  # those that are there; alternatives; matches

    def matched(self, attributes: RequestAttributes) -> Matched:
        return all_of(
            any_of(all_of(match.matched(attributes) for match in alternative) for alternative in part)
            for part in self.parts
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    id: str
    effect: Effect
    target: _Target
    condition: PreparedExpression | None
    decided: Evaluation

    def evaluate(self, attributes: RequestAttributes) -> Evaluation:
        matched = self.target.matched(attributes)
        if matched is True and self.condition is not None:
            matched = truth(self.condition, attributes)
        if matched is False:
            return NOT_APPLICABLE
        if isinstance(matched, Fault):
            return indeterminate(self.id, matched)
        return self.decided


@dataclass(frozen=True, slots=True)
class _Reference:
    id: str
    effect: None = None
    target: _Target = _Target(())

    def evaluate(self, _: RequestAttributes) -> Evaluation:
        return indeterminate(self.id, BROKEN)


@dataclass(frozen=True, slots=True)
class _Group:
    """A Policy or a PolicySet."""

    id: str
    target: _Target
    obligations: tuple[Obligation, ...]
    combine: Algorithm
    children: "tuple[_Node, ...]"
    selection: "_Selection"
    effect: None = None

    def evaluate(self, attributes: RequestAttributes) -> Evaluation:
        matched = self.target.matched(attributes)
        if matched is False:
            return NOT_APPLICABLE
        if isinstance(matched, Fault):
            return indeterminate(self.id, matched)
        candidates = self.selection.candidates(attributes)
        if self.combine is first_applicable:
            evaluation = self._first_applicable(candidates, attributes)
        else:
            evaluation = self.combine(_child(self.children[number], attributes) for number in candidates)
        return evaluation.within(self.id, self.obligations)

    def _first_applicable(self, candidates: Iterable[int], attributes: RequestAttributes) -> Evaluation:
        """The same without a Child for each candidate."""
        for number in candidates:
            evaluation = self.children[number].evaluate(attributes)
            if evaluation.decision is not Decision.NOT_APPLICABLE:
                return evaluation
        return NOT_APPLICABLE


_Node = _Rule | _Reference | _Group


def _child(node: _Node, attributes: RequestAttributes) -> Child:
    applies = partial(_applies, node, attributes)
    return Child(node.id, node.effect, applies, partial(node.evaluate, attributes))


def _applies(node: _Node, attributes: RequestAttributes) -> Matched:
    return BROKEN if isinstance(node, _Reference) else node.target.matched(attributes)


class _Compiler:
    def __init__(self) -> None:
        self.defects: list[Defect] = []

    def group(self, element: PolicySet | Policy, above: tuple[str, ...]) -> _Group:
        path = (*above, element.id)
        target = self._target(element.target, path)
        children: tuple[_Node, ...]
        if isinstance(element, Policy):
            combine = rule_algorithm(element.combining)
            variables = Variables(element.variables)
            children = tuple(self._rule(rule, variables, path) for rule in element.rules)
        else:
            combine = policy_algorithm(element.combining)
            children = tuple(self._policy_child(child, path) for child in element.children)
        selection = _Selection.among([child.target for child in children])
        return _Group(element.id, target, element.obligations, combine, children, selection)

    def _policy_child(
        self, child: PolicySet | Policy | PolicyIdReference | PolicySetIdReference, path: tuple[str, ...]
    ) -> _Node:
        if isinstance(child, PolicyIdReference | PolicySetIdReference):
            return _Reference(child.id)
        return self.group(child, path)

    def _rule(self, rule: Rule, variables: Variables, above: tuple[str, ...]) -> _Rule:
        path = (*above, rule.id)
        condition = None
        if rule.condition is not None:
            condition = prepare_condition(rule.condition, variables)
            self.defects += (Defect(path, fault.reason) for fault in condition.faults)
        return _Rule(rule.id, rule.effect, self._target(rule.target, path), condition, decided(rule))

    def _target(self, target: Target, path: tuple[str, ...]) -> _Target:
        return _Target(
            tuple(
                tuple(tuple(self._match(match, path) for match in alternative) for alternative in part)
                for part in target.parts
            )
        )

    def _match(self, match: Match, path: tuple[str, ...]) -> PreparedMatch:
        prepared = PreparedMatch.of(match)
        if isinstance(prepared.test, Fault):
            self.defects.append(Defect(path, prepared.test.reason))
        return prepared


@dataclass(frozen=True, slots=True)
class _Key:
    """What some value of the bag must be, or match."""

    bag: BagKey
    read: Reader
    wanted: Value | JavaPattern  # a pattern is no value of any data type


_Keys = tuple[_Key, ...]  # one of them must be found


def _key_of(match: PreparedMatch) -> _Key | None:
    """None if the match cannot be looked up: it may be an error, or compares in another way."""
    if not isinstance(match.source, Designated) or match.source.missing is not None:
        return None
    if isinstance(match.test, Equals):
        return _Key(match.source.bag, match.read, match.test.value)
    if isinstance(match.test, MatchesPattern):
        pattern = match.test.pattern
        return _Key(match.source.bag, match.read, pattern if pattern.literal is None else pattern.literal)
    return None


def _ways_to_find(target: _Target) -> list[_Keys]:
    """Each of them finds all requests for which the target may be anything but False.

    INVARIANT: there is none for a target with a selector, so that evaluator and index search a request equally often.
    """
    matches = [match for part in target.parts for alternative in part for match in alternative]
    if not all(isinstance(match.source, Designated) for match in matches):
        return []
    ways: list[_Keys] = []
    for part in target.parts:
        keys = [[key for key in map(_key_of, alternative) if key is not None] for alternative in part]
        if len(keys) == 1:
            ways += ((key,) for key in keys[0])
        elif all(keys):
            ways.append(tuple(of_alternative[0] for of_alternative in keys))
    return ways


class _Patterns:
    """The children, by number, whose patterns a value matches; remembered for values that were asked for before."""

    def __init__(self, numbers: dict[JavaPattern, list[int]]) -> None:
        self._numbers = tuple(numbers.values())
        self._remembered = lru_cache(_REMEMBERED_VALUES)(self._matching)
        try:
            self._set: PatternSet | None = PatternSet(tuple(numbers))
        except PatternsTooLarge:
            self._set = None

    def matching(self, value: str) -> tuple[list[int], ...]:
        return self._matching(value) if len(value) > _REMEMBERED_LENGTH else self._remembered(value)

    def _matching(self, value: str) -> tuple[list[int], ...]:
        found = None if self._set is None else self._set.matching(value)
        return self._numbers if found is None else tuple(self._numbers[number] for number in found)


class _Lookup:
    """The children, by number, that need some value of one bag."""

    def __init__(self, bag: BagKey, read: Reader, wanted: dict[Value | JavaPattern, list[int]]) -> None:
        self._bag = bag
        self._read = read
        self._all = sorted({number for numbers in wanted.values() for number in numbers})
        self._by_value = {each: numbers for each, numbers in wanted.items() if not isinstance(each, JavaPattern)}
        patterns = {each: numbers for each, numbers in wanted.items() if isinstance(each, JavaPattern)}
        self._patterns = _Patterns(patterns) if patterns else None

    def found(self, attributes: RequestAttributes) -> list[list[int]]:
        """Lists of rising numbers."""
        values = attributes.values(self._bag, self._read)
        if isinstance(values, Fault):
            return [self._all]
        found = [self._by_value[value] for value in values if value in self._by_value]
        if self._patterns is not None:
            for value in values:
                assert isinstance(value, str)  # patterns are for strings
                found += self._patterns.matching(value)
        return found


@dataclass(frozen=True, slots=True)
class _Selection:
    """Which children of a group are worth a look; ``always`` are those that need nothing that can be looked up."""

    always: list[int]
    lookups: tuple[_Lookup, ...]

    @classmethod
    def among(cls, targets: Sequence[_Target]) -> "_Selection":
        ways = _without_few_patterns([_ways_to_find(target) for target in targets])
        frequency = Counter(key for of_target in ways for keys in of_target for key in keys)
        always: list[int] = []
        wanted: dict[tuple[BagKey, Reader], dict[Value | JavaPattern, list[int]]] = {}
        for number, of_target in enumerate(ways):
            if not of_target:
                always.append(number)
                continue
            rarest = min(of_target, key=lambda keys: sum(frequency[key] for key in keys))
            for key in dict.fromkeys(rarest):
                wanted.setdefault((key.bag, key.read), defaultdict(list))[key.wanted].append(number)
        return cls(always, tuple(_Lookup(bag, read, of_bag) for (bag, read), of_bag in wanted.items()))

    def candidates(self, attributes: RequestAttributes) -> Iterable[int]:
        """In order, each once."""
        found = [numbers for lookup in self.lookups for numbers in lookup.found(attributes)]
        if self.always:
            found.append(self.always)
        return found[0] if len(found) == 1 else map(_first, groupby(heapq.merge(*found)))


def _first(group: tuple[int, object]) -> int:
    return group[0]


def _without_few_patterns(ways: list[list[_Keys]]) -> list[list[_Keys]]:
    """Patterns of a bag that has few of them are not worth a look-up."""
    patterns = {key for of_target in ways for keys in of_target for key in keys if isinstance(key.wanted, JavaPattern)}
    of_bag = Counter((key.bag, key.read) for key in patterns)
    few = {key for key in patterns if of_bag[key.bag, key.read] < _MANY_PATTERNS}
    if not few:
        return ways
    return [[keys for keys in of_target if few.isdisjoint(keys)] for of_target in ways]
