"""A policy prepared for many requests: the answers of ``evaluator``, in microseconds however many rules there are.

Values are read and conditions are checked once. A child whose target needs something that ``predicates`` can look up is
found by it, and what it was found by is not tested again. A child is passed over only if that makes its target plainly
False, whatever the rest says, and one that does not apply changes the result of no combining algorithm; what may be an
error is never skipped.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain, groupby
from types import MappingProxyType
from typing import Final

from argus_py.model.request import Request
from argus_py.model.response import Decision, Effect, Obligation
from argus_py.xacml.combining import Algorithm, Child, first_applicable, policy_algorithm, rule_algorithm
from argus_py.xacml.evaluator import decided
from argus_py.xacml.expression import PreparedExpression, Variables, prepare_condition, truth
from argus_py.xacml.matching import PreparedMatch
from argus_py.xacml.outcome import NOT_APPLICABLE, Evaluation, Fault, Matched, all_of, any_of, indeterminate
from argus_py.xacml.policy import Match, Policy, PolicyIdReference, PolicySet, PolicySetIdReference, Rule, Target
from argus_py.xacml.predicates import Facts, Predicate, Question, Sought, Vocabulary, sought_by
from argus_py.xacml.references import BROKEN, resolve
from argus_py.xacml.request_attributes import RequestAttributes, Selected
from argus_py.xacml.time_dependence import asks_for_the_time

Known = Mapping[int, tuple[Match, Sought]]
"""By the id() of matches, which are thereby kept: hashing what is in them takes as long as all the rest."""

_NOTHING: Final[Known] = MappingProxyType({})
_FEW: Final = 32  # candidates that are sooner sorted than merged as they are needed


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
    others a moment later. ``sought`` is what reading the values of its matches came to.
    """

    root: PolicySet
    resolved: PolicySet = field(compare=False, repr=False)
    defects: tuple[Defect, ...] = field(compare=False)
    asks_for_the_time: bool = field(compare=False)
    sought: Known = field(compare=False, repr=False)
    _entry: "_Group" = field(compare=False, repr=False)
    _questions: tuple[Question, ...] = field(compare=False, repr=False)

    def evaluate(self, request: Request, moment: datetime | None = None) -> Evaluation:
        """``moment``: as of ``evaluator.evaluate``. Raises UnknownDataType, TooManyValues."""
        return self._entry.evaluate(Facts(RequestAttributes(request, moment), self._questions), found=False)


def compile_policy(root: PolicySet, known: Known = _NOTHING) -> CompiledPolicy:
    """``known``: what was ``sought`` by another policy, so that the values of the same objects are not read again.

    Raises PolicyTooLarge.

    Raises UnknownFunction, UnknownAlgorithm, InvalidExpression, XPathNotSupported: not for what was read from XML.
    """
    resolved = resolve(root)
    compiler = _Compiler(known)
    entry = compiler.entry(resolved.root)
    broken = tuple(Defect(reference.path, reference.reason) for reference in resolved.broken)
    timed = asks_for_the_time(resolved.root)
    defects = (*broken, *compiler.defects)
    return CompiledPolicy(root, resolved.root, defects, timed, compiler.sought, entry, compiler.questions())


@dataclass(frozen=True, slots=True)
class _Asked:
    """A Match that cannot be looked up."""

    match: PreparedMatch

    def matched(self, facts: Facts) -> Matched:
        return self.match.matched(facts.attributes)


@dataclass(frozen=True, slots=True)
class _AnyOf:
    """A part of a target with several alternatives."""

    alternatives: "tuple[_Tests, ...]"

    def matched(self, facts: Facts) -> Matched:
        return any_of(_matched(alternative, facts) for alternative in self.alternatives)


_Test = Predicate | _Asked | _AnyOf
_Tests = tuple[_Test, ...]  # all of them must be true


def _matched(tests: _Tests, facts: Facts) -> Matched:
    return all_of(test.matched(facts) for test in tests) if tests else True


@dataclass(frozen=True, slots=True)
class _Rule:
    """``tests`` are its target, ``rest`` what remains of them for those that the rule was found for."""

    rule: Rule
    tests: _Tests
    rest: _Tests
    condition: PreparedExpression | None

    @property
    def id(self) -> str:
        return self.rule.id

    @property
    def effect(self) -> Effect:
        return self.rule.effect

    def evaluate(self, facts: Facts, found: bool) -> Evaluation:
        matched = _matched(self.rest if found else self.tests, facts)
        if matched is True and self.condition is not None:
            matched = truth(self.condition, facts.attributes)
        if matched is False:
            return NOT_APPLICABLE
        if isinstance(matched, Fault):
            return indeterminate(self.rule.id, matched)
        return decided(self.rule)


@dataclass(frozen=True, slots=True)
class _Reference:
    """One that cannot be followed."""

    id: str
    tests: _Tests = ()
    rest: _Tests = ()
    effect: None = None

    def evaluate(self, _facts: Facts, _found: bool) -> Evaluation:
        return indeterminate(self.id, BROKEN)


@dataclass(frozen=True, slots=True)
class _Group:
    """A Policy or a PolicySet; ``tests`` and ``rest`` as of rules."""

    id: str
    tests: _Tests
    rest: _Tests
    obligations: tuple[Obligation, ...]
    combine: Algorithm
    children: "tuple[_Node, ...]"
    selection: "_Selection"
    effect: None = None

    def evaluate(self, facts: Facts, found: bool) -> Evaluation:
        matched = _matched(self.rest if found else self.tests, facts)
        if matched is False:
            return NOT_APPLICABLE
        if isinstance(matched, Fault):
            return indeterminate(self.id, matched)
        numbers, tested = self.selection.candidates(facts)
        if self.combine is first_applicable:
            evaluation = self._first_applicable(numbers, facts, tested)
        else:
            evaluation = self.combine(_child(self.children[number], facts, tested) for number in numbers)
        return evaluation.within(self.id, self.obligations)

    def _first_applicable(self, numbers: Iterable[int], facts: Facts, found: bool) -> Evaluation:
        """The same without a Child for each candidate."""
        for number in numbers:
            evaluation = self.children[number].evaluate(facts, found)
            if evaluation.decision is not Decision.NOT_APPLICABLE:
                return evaluation
        return NOT_APPLICABLE


_Node = _Rule | _Reference | _Group


def _child(node: _Node, facts: Facts, found: bool) -> Child:
    return Child(node.id, node.effect, partial(_applies, node, facts, found), partial(node.evaluate, facts, found))


def _applies(node: _Node, facts: Facts, found: bool) -> Matched:
    return BROKEN if isinstance(node, _Reference) else _matched(node.rest if found else node.tests, facts)


class _Compiler:
    def __init__(self, known: Known) -> None:
        self.defects: list[Defect] = []
        self.sought: dict[int, tuple[Match, Sought]] = {}
        self._known = known
        self._vocabulary = Vocabulary()
        self._prepared: dict[Match, Predicate | _Asked] = {}

    def questions(self) -> tuple[Question, ...]:
        return self._vocabulary.questions()

    def entry(self, root: PolicySet) -> _Group:
        tests = self._tests(root.target, (root.id,))
        return self._policy_set(root, tests, tests, ())

    def _policy_set(self, policy_set: PolicySet, tests: _Tests, rest: _Tests, above: tuple[str, ...]) -> _Group:
        path = (*above, policy_set.id)
        elements = policy_set.children
        targets = [
            self._tests(child.target, (*path, child.id)) if isinstance(child, PolicySet | Policy) else ()
            for child in elements
        ]
        selection, rests = _select(targets)
        children = map(partial(self._policy_child, above=path), elements, targets, rests)
        combine = policy_algorithm(policy_set.combining)
        return _Group(policy_set.id, tests, rest, policy_set.obligations, combine, tuple(children), selection)

    def _policy_child(
        self,
        child: PolicySet | Policy | PolicyIdReference | PolicySetIdReference,
        tests: _Tests,
        rest: _Tests,
        above: tuple[str, ...],
    ) -> _Node:
        if isinstance(child, PolicySet):
            return self._policy_set(child, tests, rest, above)
        if isinstance(child, Policy):
            return self._policy(child, tests, rest, above)
        return _Reference(child.id)

    def _policy(self, policy: Policy, tests: _Tests, rest: _Tests, above: tuple[str, ...]) -> _Group:
        path = (*above, policy.id)
        variables = Variables(policy.variables)
        targets = [self._tests(rule.target, (*path, rule.id)) for rule in policy.rules]
        selection, rests = _select(targets)
        rules = map(partial(self._rule, variables=variables, above=path), policy.rules, targets, rests)
        combine = rule_algorithm(policy.combining)
        return _Group(policy.id, tests, rest, policy.obligations, combine, tuple(rules), selection)

    def _rule(self, rule: Rule, tests: _Tests, rest: _Tests, variables: Variables, above: tuple[str, ...]) -> _Rule:
        condition = None
        if rule.condition is not None:
            condition = prepare_condition(rule.condition, variables)
            self.defects += (Defect((*above, rule.id), fault.reason) for fault in condition.faults)
        return _Rule(rule, tests, rest, condition)

    def _tests(self, target: Target, path: tuple[str, ...]) -> _Tests:
        tests: list[_Test] = []
        for part in target.parts:
            alternatives = tuple(tuple(self._test(match, path) for match in alternative) for alternative in part)
            if len(alternatives) == 1:
                tests += alternatives[0]
            else:
                tests.append(_AnyOf(alternatives))
        return tuple(tests)

    def _test(self, match: Match, path: tuple[str, ...]) -> Predicate | _Asked:
        known = self._known.get(id(match))
        if known is not None:
            self.sought[id(match)] = known
            return self._vocabulary.predicate(known[1])
        test = self._prepared.get(match)
        if test is None:
            test = self._prepared[match] = self._new_test(match)
        if isinstance(test, _Asked) and isinstance(test.match.test, Fault):
            self.defects.append(Defect(path, test.match.test.reason))
        return test

    def _new_test(self, match: Match) -> Predicate | _Asked:
        prepared = PreparedMatch.of(match)
        sought = sought_by(prepared)
        if sought is None:
            return _Asked(prepared)
        self.sought[id(match)] = match, sought
        return self._vocabulary.predicate(sought)


@dataclass(frozen=True, slots=True)
class _Way:
    """To find a child: one of ``predicates`` must be true, or else its target is False.

    ``settles``: which of its tests is true if so; None if there is more to it.
    """

    predicates: tuple[Predicate, ...]
    settles: int | None

    def rest(self, tests: _Tests) -> _Tests:
        return tests if self.settles is None else tests[: self.settles] + tests[self.settles + 1 :]


def _ways(tests: _Tests) -> list[_Way]:
    """INVARIANT: none for a target with a selector, so that evaluator and index search a request equally often."""
    if any(map(_searches, tests)):
        return []
    ways: list[_Way] = []
    for number, test in enumerate(tests):
        if isinstance(test, Predicate):
            ways.append(_Way((test,), number))
        elif isinstance(test, _AnyOf):
            firsts = [_first_predicate(alternative) for alternative in test.alternatives]
            predicates = tuple(first for first in firsts if first is not None)
            if len(predicates) == len(firsts):
                settled = all(len(alternative) == 1 for alternative in test.alternatives)
                ways.append(_Way(predicates, number if settled else None))
    return ways


def _searches(test: _Test) -> bool:
    if isinstance(test, _AnyOf):
        return any(_searches(each) for alternative in test.alternatives for each in alternative)
    return isinstance(test, _Asked) and isinstance(test.match.source, Selected)


def _first_predicate(alternative: _Tests) -> Predicate | None:
    return next((test for test in alternative if isinstance(test, Predicate)), None)


@dataclass(frozen=True, slots=True)
class _Lookup:
    """The children that need some predicate of one question."""

    question: int
    by_predicate: Mapping[Predicate, tuple[int, ...]]
    all: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Selection:
    """Which children of a group are worth a look; ``always`` are those that need nothing that can be looked up."""

    always: tuple[int, ...]
    lookups: tuple[_Lookup, ...]

    def candidates(self, facts: Facts) -> tuple[Iterable[int], bool]:
        """Children by number, in order, each once; and whether what they were found by has been tested thereby."""
        lists = [self.always] if self.always else []
        readable = True
        for lookup in self.lookups:
            true = facts.true(lookup.question)
            if isinstance(true, Fault):
                lists.append(lookup.all)
                readable = False
            else:
                lists += [lookup.by_predicate[each] for each in lookup.by_predicate.keys() & true]
        return _in_order(lists), readable


def _in_order(lists: Sequence[tuple[int, ...]]) -> Iterable[int]:
    """The numbers of all ``lists``, which rise; each once."""
    if len(lists) == 1:
        return lists[0]
    if sum(map(len, lists)) <= _FEW:
        return sorted(set(chain.from_iterable(lists)))
    return (number for number, _ in groupby(heapq.merge(*lists)))


def _select(targets: Sequence[_Tests]) -> tuple[_Selection, list[_Tests]]:
    """A selection among the children with these targets, and what remains of each target for those it finds."""
    ways = list(map(_ways, targets))
    frequency = Counter(predicate for of_target in ways for way in of_target for predicate in way.predicates)
    always: list[int] = []
    rests: list[_Tests] = []
    numbers: dict[int, dict[Predicate, list[int]]] = {}
    for number, (tests, of_target) in enumerate(zip(targets, ways, strict=True)):
        if not of_target:
            always.append(number)
            rests.append(tests)
            continue
        rarest = min(of_target, key=lambda way: sum(frequency[each] for each in way.predicates))
        rests.append(rarest.rest(tests))
        for predicate in dict.fromkeys(rarest.predicates):
            numbers.setdefault(predicate.question, {}).setdefault(predicate, []).append(number)
    lookups = tuple(_lookup(question, by_predicate) for question, by_predicate in numbers.items())
    return _Selection(tuple(always), lookups), rests


def _lookup(question: int, by_predicate: Mapping[Predicate, Sequence[int]]) -> _Lookup:
    together = tuple(sorted(set(chain.from_iterable(by_predicate.values()))))
    return _Lookup(question, {each: tuple(numbers) for each, numbers in by_predicate.items()}, together)
