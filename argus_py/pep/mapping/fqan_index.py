"""FQAN patterns by group and role: which of thousands match an FQAN, in as many steps as its group has parts."""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from argus_py.model.fqan import Fqan, FqanPattern

T = TypeVar("T")


class FqanIndex(Generic[T]):
    """Immutable; a value per pattern, several patterns may be equal."""

    def __init__(self, entries: Iterable[tuple[FqanPattern, T]] = ()) -> None:
        self._by_name: dict[tuple[str, str], list[tuple[int, FqanPattern, T]]] = {}
        self._depth = 0  # of the deepest wildcard: parts of a longer group are not tried one by one
        for position, (pattern, value) in enumerate(entries):
            self._by_name.setdefault((pattern.group, pattern.role), []).append((position, pattern, value))
            if pattern.subgroups:
                self._depth = max(self._depth, pattern.group.count("/"))

    def matching(self, fqan: Fqan) -> list[T]:
        """The values of all patterns that match, in the order the index was made of."""
        found = [
            (position, value)
            for group in self._groups(fqan.group)
            for role in {fqan.role, "*"}
            for position, pattern, value in self._by_name.get((group, role), ())
            if pattern.matches(fqan)
        ]
        found.sort(key=lambda each: each[0])
        return [value for _, value in found]

    def _groups(self, group: str) -> Iterator[str]:
        """The group itself and those above it that a wildcard may stand at."""
        yield group
        end = 0
        for _ in range(self._depth):
            end = group.find("/", end + 1)
            if end < 0:
                return
            yield group[:end]
