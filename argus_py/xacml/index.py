"""A policy prepared for many requests: the answers of ``evaluator``, in microseconds however many rules there are.

Values are read once. Below a set or policy that takes the first applicable child, a child whose target needs one
certain value (or a pattern with a known beginning and end) is found by hashing. It is passed over only if that one
match is plainly False, which makes the target False whatever the rest says; what may be an error is never skipped.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from argus_py.model.request import Request
from argus_py.model.response import Decision, Effect, Obligation
from argus_py.xacml.combining import Algorithm, Child, first_applicable, policy_algorithm, rule_algorithm
from argus_py.xacml.evaluator import REFERENCE, decided
from argus_py.xacml.functions import Equals, MatchesPattern
from argus_py.xacml.matching import BagKey, PreparedMatch, RequestAttributes
from argus_py.xacml.outcome import (
    NOT_APPLICABLE,
    Evaluation,
    Fault,
    Matched,
    all_of,
    any_of,
    indeterminate,
)
from argus_py.xacml.policy import (
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
    Target,
)
from argus_py.xacml.values import Reader, Value


@dataclass(frozen=True, slots=True)
class Defect:
    """A match that is an error whenever its attribute is there; ``path`` leads to its rule, policy or set."""

    path: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """Equal to another one made from the same ``root``. ``defects`` should be told to the operator."""

    root: PolicySet
    defects: tuple[Defect, ...] = field(compare=False)
    _entry: "_Group" = field(compare=False, repr=False)

    def evaluate(self, request: Request) -> Evaluation:
        """Raises UnknownDataType."""
        return self._entry.evaluate(RequestAttributes(request))


def compile_policy(root: PolicySet) -> CompiledPolicy:
    """Raises UnknownFunction, UnknownAlgorithm: no policy that was read from XML has any."""
    compiler = _Compiler()
    entry = compiler.group(root, ())
    return CompiledPolicy(root, tuple(compiler.defects), entry)


@dataclass(frozen=True, slots=True)
class _Target:
    parts: tuple[tuple[tuple[PreparedMatch, ...], ...], ...]  # those that are there; alternatives; matches

    def matched(self, attributes: RequestAttributes) -> Matched:
        return all_of(
            any_of(all_of(match.matched(attributes) for match in alternative) for alternative in part)
            for part in self.parts
        )

    def required(self) -> Iterator[PreparedMatch]:
        """If one of these is False, so is the target."""
        for part in self.parts:
            if len(part) == 1:
                yield from part[0]


@dataclass(frozen=True, slots=True)
class _Rule:
    id: str
    effect: Effect
    target: _Target
    decided: Evaluation

    def evaluate(self, attributes: RequestAttributes) -> Evaluation:
        matched = self.target.matched(attributes)
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
        return indeterminate(self.id, REFERENCE)


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
        if self.combine is first_applicable:
            evaluation = self._first_applicable(attributes)
        else:
            evaluation = self.combine(_child(child, attributes) for child in self.children)
        return evaluation.within(self.id, self.obligations)

    def _first_applicable(self, attributes: RequestAttributes) -> Evaluation:
        for number in self.selection.candidates(attributes):
            evaluation = self.children[number].evaluate(attributes)
            if evaluation.decision is not Decision.NOT_APPLICABLE:
                return evaluation
        return NOT_APPLICABLE


_Node = _Rule | _Reference | _Group


def _child(node: _Node, attributes: RequestAttributes) -> Child:
    applies = partial(_applies, node, attributes)
    return Child(node.id, node.effect, applies, partial(node.evaluate, attributes))


def _applies(node: _Node, attributes: RequestAttributes) -> Matched:
    return REFERENCE if isinstance(node, _Reference) else node.target.matched(attributes)


class _Compiler:
    def __init__(self) -> None:
        self.defects: list[Defect] = []

    def group(self, element: PolicySet | Policy, above: tuple[str, ...]) -> _Group:
        path = (*above, element.id)
        target = self._target(element.target, path)
        children: tuple[_Node, ...]
        if isinstance(element, Policy):
            combine = rule_algorithm(element.combining)
            children = tuple(self._rule(rule, path) for rule in element.rules)
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

    def _rule(self, rule: Rule, path: tuple[str, ...]) -> _Rule:
        return _Rule(rule.id, rule.effect, self._target(rule.target, (*path, rule.id)), decided(rule))

    def _target(self, target: Target, path: tuple[str, ...]) -> _Target:
        parts = (target.subjects, target.resources, target.actions, target.environments)
        return _Target(
            tuple(
                tuple(tuple(self._match(match, path) for match in alternative) for alternative in part)
                for part in parts
                if part
            )
        )

    def _match(self, match: Match, path: tuple[str, ...]) -> PreparedMatch:
        prepared = PreparedMatch.of(match)
        if isinstance(prepared.test, Fault):
            self.defects.append(Defect(path, prepared.test.reason))
        return prepared


@dataclass(frozen=True, slots=True)
class _Affixes:
    """How a value must begin and end."""

    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class _Key:
    """What some value of the bag must be, or how it must begin and end."""

    bag: BagKey
    read: Reader
    value: Value  # an _Affixes is no value of any data type


def _key_of(match: PreparedMatch) -> _Key | None:
    """None if the match cannot be looked up: it may be an error, or compares in another way."""
    if match.must_be_present:
        return None
    if isinstance(match.test, Equals):
        return _Key(match.bag, match.read, match.test.value)
    if isinstance(match.test, MatchesPattern):
        pattern = match.test.pattern
        return _Key(match.bag, match.read, _Affixes(pattern.prefix, pattern.suffix))
    return None


class _Lookup:
    """The children, by number, that need some value of one bag."""

    def __init__(self, bag: BagKey, read: Reader) -> None:
        self._bag = bag
        self._read = read
        self._all: list[int] = []
        self._by_value: dict[Value, list[int]] = {}
        self._lengths: set[tuple[int, int]] = set()

    def add(self, value: Value, number: int) -> None:
        self._all.append(number)
        self._by_value.setdefault(value, []).append(number)
        if isinstance(value, _Affixes):
            self._lengths.add((len(value.prefix), len(value.suffix)))

    def found(self, attributes: RequestAttributes) -> list[list[int]]:
        """Lists of rising numbers; no number is in two of them."""
        values = attributes.values(self._bag, self._read)
        if isinstance(values, Fault):
            return [self._all]
        keys = set(values)
        for value in values if self._lengths else ():
            assert isinstance(value, str)  # patterns are for strings
            keys.update(_Affixes(value[:head], value[max(0, len(value) - tail) :]) for head, tail in self._lengths)
        return [self._by_value[key] for key in keys if key in self._by_value]


@dataclass(frozen=True, slots=True)
class _Selection:
    """Which children of a group are worth a look; ``always`` are those that need nothing that can be looked up."""

    always: list[int]
    lookups: tuple[_Lookup, ...]

    @classmethod
    def among(cls, targets: Sequence[_Target]) -> "_Selection":
        keys = [[key for key in map(_key_of, target.required()) if key is not None] for target in targets]
        frequency = Counter(key for of_target in keys for key in of_target)
        always: list[int] = []
        lookups: dict[tuple[BagKey, Reader], _Lookup] = {}
        for number, of_target in enumerate(keys):
            if of_target:
                rarest = min(of_target, key=frequency.__getitem__)
                lookup = lookups.setdefault((rarest.bag, rarest.read), _Lookup(rarest.bag, rarest.read))
                lookup.add(rarest.value, number)
            else:
                always.append(number)
        return cls(always, tuple(lookups.values()))

    def candidates(self, attributes: RequestAttributes) -> Iterable[int]:
        """In order."""
        found = [numbers for lookup in self.lookups for numbers in lookup.found(attributes)]
        if self.always:
            found.append(self.always)
        return found[0] if len(found) == 1 else heapq.merge(*found)
