"""Where in its policy file an element stands, found again by its id after it was lowered."""

from collections.abc import Iterable, Iterator

from argus_py.spl.ast import Action, Element, Position, Resource
from argus_py.xacml.policy import Policy, PolicySet


def lines_by_id(elements: Iterable[Element], lowered: Iterable[PolicySet | Policy]) -> dict[str, int]:
    """Lines, counted from 1, by the ids of sets, policies and rules; ``lowered`` is what ``lower`` made of them."""
    return {id: position.line for id, position in positions_by_id(elements, lowered).items()}


def positions_by_id(elements: Iterable[Element], lowered: Iterable[PolicySet | Policy]) -> dict[str, Position]:
    """As ``lines_by_id``: of the value of a resource or action, of the word ``rule``."""
    return dict(pair for element, made in zip(elements, lowered, strict=True) for pair in _positions(element, made))


def _positions(element: Element, made: object) -> Iterator[tuple[str, Position]]:
    if isinstance(element, Resource) and isinstance(made, PolicySet):
        yield made.id, element.value.position
        for action, policy in zip(element.actions, made.children, strict=True):
            yield from _positions(action, policy)
    elif isinstance(element, Action) and isinstance(made, Policy):
        yield made.id, element.value.position
        yield from ((rule.id, line.position) for line, rule in zip(element.rules, made.rules, strict=True))
