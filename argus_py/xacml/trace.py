"""How an evaluation went, for people: what was visited, and why each part applied or not.

A Recorder is handed to the evaluator and told as it goes; the evaluator decides the same with and without one. What it
keeps is bounded, since a policy may have a hundred thousand rules and a rule as many matches; the rest is counted.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from argus_py.model.response import Decision
from argus_py.xacml.outcome import Evaluation, Fault, Matched
from argus_py.xacml.policy import (
    AttributeSelector,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
)

MAX_ELEMENTS: Final = 10_000  # of each decision, some ten MB; nobody reads more, and programs have the policy itself
MAX_MATCHES: Final = 100  # of one element, the last ones: they settle its target
MAX_FOUND: Final = 10  # values of one attribute; the member of many groups has hundreds

Visited = PolicySet | Policy | Rule | PolicyIdReference | PolicySetIdReference


@dataclass(frozen=True, slots=True)
class MatchTrace:
    """A Match, the first values it found in the request, as they were sent, how ``many``, and what came of it.

    ``by`` is the value that matches.
    """

    match: Match
    found: tuple[str, ...]
    many: int
    outcome: Matched
    by: str | None


@dataclass(frozen=True, slots=True)
class NodeTrace:
    """A visited PolicySet, Policy or Rule, or a reference that cannot be followed.

    ``matches`` are those of its target, up to the one that settled it. ``condition`` is None without one, or when it
    was not reached, ``evaluation`` where only the target was asked for, as only-one-applicable does. ``omitted`` are
    children that were visited and not kept.
    """

    element: Visited
    target: Matched
    matches: tuple[MatchTrace, ...] = ()
    condition: Matched | None = None
    evaluation: Evaluation | None = None
    children: tuple["NodeTrace", ...] = ()
    omitted: int = 0

    @property
    def decision(self) -> Decision | None:
        return None if self.evaluation is None else self.evaluation.decision

    @property
    def is_near(self) -> bool:
        """It applies, or something of its target does: what people look for who expected another decision."""
        return self.target is not False or any(each.outcome is not False for each in self.matches)

    @property
    def explanation(self) -> str:
        """Why the element applied or not, in a clause."""
        if isinstance(self.target, Fault):
            if isinstance(self.element, PolicyIdReference | PolicySetIdReference):
                return f"it is {self.target.reason}"
            return f"its target cannot be evaluated: {self.target.reason}"
        if self.target is False:
            return f"its target does not match: {_unmatched(self.matches)}"
        if isinstance(self.condition, Fault):
            return f"its condition cannot be evaluated: {self.condition.reason}"
        if self.condition is False:
            return "its target matches, but its condition is false"
        if self.evaluation is None or isinstance(self.element, Rule):
            return "it applies"
        return f"its target matches, and it comes to {self.evaluation.decision.value}"


def _unmatched(matches: Sequence[MatchTrace]) -> str:
    """The matches that were false in the part of the target that was looked at last, and settled it."""
    failed = [each for each in matches if each.outcome is False and _part(each) == _part(matches[-1])]
    return "; ".join(dict.fromkeys(map(_unlike, failed)))


def _part(trace: MatchTrace) -> object:
    designator = trace.match.designator
    return None if isinstance(designator, AttributeSelector) else designator.category


def _unlike(trace: MatchTrace) -> str:
    designator = trace.match.designator
    name = designator.path if isinstance(designator, AttributeSelector) else designator.attribute_id
    if not trace.found:
        return f"the request has no {name}"
    return f"{name} does not match {trace.match.value.text!r}"


@dataclass(slots=True)
class _Open:
    element: Visited
    target: Matched = True
    matches: deque[MatchTrace] = field(default_factory=lambda: deque(maxlen=MAX_MATCHES))
    condition: Matched | None = None
    children: list[NodeTrace] = field(default_factory=list)
    omitted: int = 0


class Recorder:
    """Is told of one evaluation; ``root`` is what was recorded. Not for several evaluations at a time."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._root: NodeTrace | None = None
        self._kept = Counter[tuple[Decision | None, bool]]()

    @property
    def root(self) -> NodeTrace:
        """Of an evaluation that has ended."""
        assert self._root is not None
        return self._root

    def enter(self, element: Visited) -> None:
        self._open.append(_Open(element))

    def match(self, match: Match, found: tuple[str, ...], outcome: Matched, by: str | None) -> None:
        self._open[-1].matches.append(MatchTrace(match, found[:MAX_FOUND], len(found), outcome, by))

    def target(self, outcome: Matched) -> None:
        self._open[-1].target = outcome

    def condition(self, outcome: Matched) -> None:
        self._open[-1].condition = outcome

    def leave(self, evaluation: Evaluation | None) -> None:
        """``evaluation``: of the element entered last; None if only its target was asked for."""
        done = self._open.pop()
        node = NodeTrace(
            done.element,
            done.target,
            tuple(done.matches),
            done.condition,
            evaluation,
            tuple(done.children),
            done.omitted,
        )
        if not self._open:
            self._root = node
        elif self._is_kept(node):
            self._open[-1].children.append(node)
        else:
            self._open[-1].omitted += 1

    def _is_kept(self, node: NodeTrace) -> bool:
        """Near ones count apart, lest they be lost among thousands that have nothing to do with the request."""
        kind = node.decision, node.is_near
        self._kept[kind] += 1
        return self._kept[kind] <= MAX_ELEMENTS
