"""How an evaluation went, for people: what was visited, and why each part applied or not.

A Recorder is handed to the evaluator and told as it goes; the evaluator decides the same with and without one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

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

Visited = PolicySet | Policy | Rule | PolicyIdReference | PolicySetIdReference


@dataclass(frozen=True, slots=True)
class MatchTrace:
    """A Match, the values it found in the request, as they were sent, and what came of it."""

    match: Match
    found: tuple[str, ...]
    outcome: Matched


@dataclass(frozen=True, slots=True)
class NodeTrace:
    """A visited PolicySet, Policy or Rule, or a reference that cannot be followed.

    ``matches`` are those of its target, up to the one that settled it. ``condition`` is None without one, or when it
    was not reached, ``evaluation`` where only the target was asked for, as only-one-applicable does.
    """

    element: Visited
    target: Matched
    matches: tuple[MatchTrace, ...] = ()
    condition: Matched | None = None
    evaluation: Evaluation | None = None
    children: tuple["NodeTrace", ...] = ()

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
    matches: list[MatchTrace] = field(default_factory=list)
    condition: Matched | None = None
    children: list[NodeTrace] = field(default_factory=list)


class Recorder:
    """Is told of one evaluation; ``root`` is what was recorded. Not for several evaluations at a time."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._root: NodeTrace | None = None

    @property
    def root(self) -> NodeTrace:
        """Of an evaluation that has ended."""
        assert self._root is not None
        return self._root

    def enter(self, element: Visited) -> None:
        self._open.append(_Open(element))

    def match(self, match: Match, found: tuple[str, ...], outcome: Matched) -> None:
        self._open[-1].matches.append(MatchTrace(match, found, outcome))

    def target(self, outcome: Matched) -> None:
        self._open[-1].target = outcome

    def condition(self, outcome: Matched) -> None:
        self._open[-1].condition = outcome

    def leave(self, evaluation: Evaluation | None) -> None:
        """``evaluation``: of the element entered last; None if only its target was asked for."""
        done = self._open.pop()
        node = NodeTrace(
            done.element, done.target, tuple(done.matches), done.condition, evaluation, tuple(done.children)
        )
        if self._open:
            self._open[-1].children.append(node)
        else:
            self._root = node
