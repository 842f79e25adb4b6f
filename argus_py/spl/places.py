"""Where in its policy file an element stands, found again by its id after it was lowered."""

from collections.abc import Iterable, Iterator

from argus_py.spl.ast import Action, Element, Resource
from argus_py.xacml.policy import Policy, PolicySet


def lines_by_id(elements: Iterable[Element], lowered: Iterable[PolicySet | Policy]) -> dict[str, int]:
    """Lines, counted from 1, by the ids of sets, policies and rules; ``lowered`` is what ``lower`` made of them."""
    return dict(pair for element, made in zip(elements, lowered, strict=True) for pair in _lines(element, made))


def _lines(element: Element, made: object) -> Iterator[tuple[str, int]]:
    if isinstance(element, Resource) and isinstance(made, PolicySet):
        yield made.id, element.value.position.line
        for action, policy in zip(element.actions, made.children, strict=True):
            yield from _lines(action, policy)
    elif isinstance(element, Action) and isinstance(made, Policy):
        yield made.id, element.value.position.line
        yield from ((rule.id, line.position.line) for line, rule in zip(element.rules, made.rules, strict=True))
