"""Which elements of a list have kept their places when it became another one."""

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def in_place(before: Sequence[Key], after: Sequence[Key]) -> frozenset[Key]:
    """The largest set of keys that both lists have, in the same order; the others came, went, or were moved.

    No list has a key twice. Takes n log n steps.

    >>> sorted(in_place("abcd", "bxcda"))
    ['b', 'c', 'd']
    """
    places = {key: place for place, key in enumerate(before)}
    common = [key for key in after if key in places]
    ends: list[int] = []  # the lowest place in which an ascending row of each length can end
    last: list[int] = []  # where that is, as an index of ``common``
    previous: list[int] = []
    for index, key in enumerate(common):
        length = bisect_left(ends, places[key])
        ends[length : length + 1] = [places[key]]
        last[length : length + 1] = [index]
        previous.append(last[length - 1] if length else -1)
    kept = set()
    index = last[-1] if last else -1
    while index >= 0:
        kept.add(common[index])
        index = previous[index]
    return frozenset(kept)
