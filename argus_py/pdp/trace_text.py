"""An explanation as text for terminals: what was decided, by what, and the way there.

Each element on the way has a line with what it came to, and below it why. Of elements that came to the same and do not
lie on the way to the decision the first few are shown, those of which something matches apart from all others.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from argus_py.model.dn import escape_controls
from argus_py.model.response import Decision
from argus_py.pdp.explain import asked_of, words_of
from argus_py.pdp.explanation import Explanation
from argus_py.xacml.outcome import Fault
from argus_py.xacml.policy import (
    AttributeSelector,
    Policy,
    PolicyIdReference,
    PolicySet,
    PolicySetIdReference,
    Rule,
)
from argus_py.xacml.trace import MatchTrace, NodeTrace, Visited

FEW: Final = 5  # elements and matches of a kind in the short form

_RESULTS: Final = {
    Decision.PERMIT: "Permit",
    Decision.DENY: "Deny",
    Decision.INDETERMINATE: "error",
    Decision.NOT_APPLICABLE: "-",
    None: "asked",  # for its target alone
}
_WIDTH: Final = max(map(len, _RESULTS.values())) + 2
_KINDS: Final[dict[type[Visited], str]] = {
    PolicySet: "policy set",
    Policy: "policy",
    Rule: "rule",
    PolicyIdReference: "reference to the policy",
    PolicySetIdReference: "reference to the policy set",
}


def format_explanation(explanation: Explanation, whole: bool = False, lines: Mapping[str, int] | None = None) -> str:
    """``whole``: everything that was kept. ``lines``: of a policy file, by the ids of what stands there."""
    told = (*_head(explanation), "", *_Way(explanation, whole, lines or {}).lines())
    return "".join(f"{escape_controls(line)}\n" for line in told)


def _head(explanation: Explanation) -> Iterator[str]:
    evaluation = explanation.evaluation
    yield f"Decision: {evaluation.decision.value}"
    if evaluation.decision in (Decision.PERMIT, Decision.DENY):
        yield f"By: {explanation.words}"
    else:
        yield f"Because: {evaluation.reason}"
    for obligation in evaluation.obligations:
        yield f"Obligation: {obligation.id}"


class _Way:
    def __init__(self, explanation: Explanation, whole: bool, lines: Mapping[str, int]) -> None:
        self._root = explanation.trace
        self._path = explanation.evaluation.path
        self._whole = whole
        self._lines = lines

    def lines(self) -> Iterator[str]:
        return self._node(self._root, 0, on_path=True)

    def _node(self, node: NodeTrace, depth: int, on_path: bool) -> Iterator[str]:
        yield f"{_RESULTS[node.decision]:<{_WIDTH}}{_indent(depth)}{self._name(node.element, depth)}"
        for reason in self._reasons(node):
            yield f"{'':<{_WIDTH}}{_indent(depth + 2)}{reason}"
        following = self._path[depth + 1] if on_path and depth + 1 < len(self._path) else None
        left_out = node.omitted
        seen = Counter[tuple[Decision | None, bool]]()
        for child in node.children:
            is_next = child.element.id == following and child.decision is self._root.decision
            kind = child.decision, child.is_near
            seen[kind] += 1
            if self._whole or is_next or seen[kind] <= FEW:
                yield from self._node(child, depth + 1, is_next)
            else:
                left_out += 1
        if left_out:
            yield f"{'...':<{_WIDTH}}{_indent(depth + 1)}{left_out} more, looked at and not shown"

    def _name(self, element: Visited, depth: int) -> str:
        line = f", line {self._lines[element.id]}" if element.id in self._lines else ""
        words = None
        if isinstance(element, PolicySet | Policy | Rule):
            words = words_of(element, depth)
        return f"{words}  [{element.id}{line}]" if words else f"{_KINDS[type(element)]} {element.id}{line}"

    def _reasons(self, node: NodeTrace) -> Iterator[str]:
        told = list(node.matches if self._whole else _telling(node))
        shown = told if self._whole else told[-FEW:]
        if len(told) > len(shown):
            yield f"{len(told) - len(shown)} more matches, and"
        yield from map(_match, shown)
        if isinstance(node.target, Fault) and not told:
            yield node.target.reason
        if isinstance(node.condition, Fault):
            yield f"its condition cannot be evaluated: {node.condition.reason}"
        elif node.condition is not None:
            yield f"its condition is {str(node.condition).lower()}"


def _telling(node: NodeTrace) -> Iterable[MatchTrace]:
    """What made the target come to what it did: of one that does not match, what spoke for it as well."""
    if node.target is True:
        return (each for each in node.matches if each.outcome is True)
    return (each for each in node.matches if each.outcome is not False or _part(each) == _part(node.matches[-1]))


def _part(trace: MatchTrace) -> object:
    asked = trace.match.designator
    return None if isinstance(asked, AttributeSelector) else asked.category


def _match(trace: MatchTrace) -> str:
    wanted = f'{asked_of(trace.match)}="{trace.match.value.text}"'
    if isinstance(trace.outcome, Fault):
        return f"{wanted}: {trace.outcome.reason}"
    if not trace.many:
        return f"{wanted}: the request has none"
    if trace.outcome:
        return f'{wanted} matches "{trace.by}"'
    more = f" and {trace.many - len(trace.found)} more" if trace.many > len(trace.found) else ""
    found = ", ".join(f'"{text}"' for text in trace.found)
    return f"{wanted} does not match {found}{more}"


def _indent(depth: int) -> str:
    return "  " * depth
