"""PolicyIdReference and PolicySetIdReference (XACML 2.0 sections 5.20 to 5.22): found within what was delivered.

BETTER: the Java PDP follows none. One that cannot be followed is an error when it is reached, as it is there: a bad
reference in a policy of somebody else must not freeze the policy of a site.
"""

import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.xacml.outcome import Fault
from argus_py.xacml.policy import Policy, PolicyIdReference, PolicySet, PolicySetIdReference

MAX_REFERRED: Final = 100_000  # sets, policies and rules behind references, counted as often as they are referred to
MAX_OTHERS: Final = 100_000  # elements of the same id that references choose among: other versions of what they mean
MAX_DEPTH: Final = 100  # sets within each other; documents are not deeper
BROKEN: Final = Fault("a reference that cannot be followed")  # what is left of one

_NUMBERS: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,20}", re.ASCII)
_PATTERN: Final = re.compile(r"(?:(?:[0-9]{1,9}|\*)\.){0,20}(?:[0-9]{1,9}|\*|\+)", re.ASCII)

_Reference = PolicyIdReference | PolicySetIdReference
_Child = PolicySet | Policy | _Reference


class PolicyTooLarge(MalformedInput):
    """The references of the policy ``id`` are too much work; carries ``reason``."""

    def __init__(self, id: str, reason: str) -> None:
        super().__init__(f"the references in policy {id} {reason}")
        self.id = id
        self.reason = reason


@dataclass(frozen=True, slots=True)
class BrokenReference:
    """``path`` leads to the set that it stands in."""

    path: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """``root`` has no references but those that are ``broken``."""

    root: PolicySet
    broken: tuple[BrokenReference, ...]


def resolve(root: PolicySet, others: Iterable[PolicySet | Policy] = ()) -> Resolved:
    """Put what is referred to in the place of the references: of ``root``, or of the ``others`` delivered with it.

    Raises PolicyTooLarge.
    """
    resolution = _Resolution(root, others)
    return Resolved(resolution.followed(root), tuple(resolution.broken))


class _Resolution:
    def __init__(self, root: PolicySet, others: Iterable[PolicySet | Policy]) -> None:
        self.broken: list[BrokenReference] = []
        self._root = root
        self._open: list[PolicySet] = []
        self._following = 0  # references that lead to where we are
        self._referred = 0
        self._others = 0
        self._newest: dict[_Reference, PolicySet | Policy | str] = {}
        self._known: dict[tuple[type[_Child], str], list[PolicySet | Policy]] = defaultdict(list)
        for element in chain.from_iterable(map(_delivered, (root, *others))):
            self._known[type(element), element.id].append(element)

    def followed(self, policy_set: PolicySet) -> PolicySet:
        """The same object if there is nothing to replace in it."""
        self._count(1)
        self._open.append(policy_set)
        children = tuple(map(self._child, policy_set.children))
        self._open.pop()
        unchanged = all(map(operator.is_, children, policy_set.children))
        return policy_set if unchanged else replace(policy_set, children=children)

    def _child(self, child: _Child) -> _Child:
        if isinstance(child, Policy):
            self._count(1 + len(child.rules))
            return child
        if isinstance(child, PolicySet):
            return self.followed(child)
        return self._reference(child)

    def _reference(self, reference: _Reference) -> _Child:
        self._count(1)
        found = self._found(reference)
        if isinstance(found, str):
            path = tuple(policy_set.id for policy_set in self._open)
            self.broken.append(BrokenReference(path, f"the reference to {reference.id} cannot be followed: {found}"))
            return reference
        self._following += 1
        child = self._child(found)
        self._following -= 1
        return child

    def _found(self, reference: _Reference) -> PolicySet | Policy | str:
        """What is referred to, or why it cannot be followed."""
        if reference not in self._newest:
            self._newest[reference] = self._newest_of(reference)
        found = self._newest[reference]
        if any(found is policy_set for policy_set in self._open):
            return "it leads back to where it stands"
        if len(self._open) == MAX_DEPTH:
            return f"it leads deeper than {MAX_DEPTH} levels"
        return found

    def _newest_of(self, reference: _Reference) -> PolicySet | Policy | str:
        kind = Policy if isinstance(reference, PolicyIdReference) else PolicySet
        delivered = self._known.get((kind, reference.id), ())
        self._others += max(len(delivered) - 1, 0)
        if self._others > MAX_OTHERS:
            raise PolicyTooLarge(self._root.id, f"choose among more than {MAX_OTHERS} others")
        fit = [element for element in delivered if _is_wanted(reference, element)]
        if not fit:
            return f"no such {kind.__name__} was delivered"
        newest = max(map(_version, fit))
        found, *others = (element for element in fit if _version(element) == newest)
        return "there are several of this version" if any(other != found for other in others) else found

    def _count(self, elements: int) -> None:
        """What is there anyway does not count."""
        if self._following:
            self._referred += elements
            if self._referred > MAX_REFERRED:
                raise PolicyTooLarge(self._root.id, f"stand for more than {MAX_REFERRED} elements")


def _delivered(element: _Child) -> Iterator[PolicySet | Policy]:
    if isinstance(element, PolicySet | Policy):
        yield element
    if isinstance(element, PolicySet):
        for child in element.children:
            yield from _delivered(child)


def _version(element: PolicySet | Policy) -> tuple[int, ...]:
    """Comparable; empty, and older than all others, if it is no version of the standard."""
    if not _NUMBERS.fullmatch(element.version):
        return ()
    return tuple(map(int, element.version.split(".")))


def _is_wanted(reference: _Reference, element: PolicySet | Policy) -> bool:
    """If the version of the element is among those that are asked for."""
    version = _version(element)
    asked: tuple[tuple[str | None, Callable[[int], bool]], ...] = (
        (reference.version, lambda order: order == 0),
        (reference.earliest, lambda order: order >= 0),
        (reference.latest, lambda order: order <= 0),
    )
    return all(
        bool(version and _PATTERN.fullmatch(pattern)) and is_wanted(_order(version, pattern))
        for pattern, is_wanted in asked
        if pattern is not None
    )


def _order(version: tuple[int, ...], pattern: str) -> int:
    """Below, at or above zero: the version is older than those of the pattern, among them, or newer."""
    wanted = pattern.split(".")
    for number, part in zip(version, wanted, strict=False):
        if part == "+":
            return 0
        if part != "*" and number != int(part):
            return number - int(part)
    if wanted[-1] == "+" and len(version) >= len(wanted) - 1:
        return 0
    return len(version) - len(wanted)
