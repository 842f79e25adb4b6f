"""Positions of the elements of a list, with room between them: who comes or moves is written, the others stay."""

from collections.abc import Sequence
from typing import Final

from argus_py.pap.sequences import in_place

# Between neighbours at an end of a list, so that 32 elements can be put into the same place one after the other.
# A BIGINT holds two thousand million of them in either direction.
GAP: Final = 2**32
_ROOM: Final = 2**8  # between neighbours that had to make room: they will not have to again at once


def positions(wanted: Sequence[int | None]) -> list[int]:
    """Ascending positions for a list whose elements are at these now (None: nowhere); as many as can stay do.

    >>> positions([1, None, 9, 7, 11])
    [1, 3, 5, 7, 11]
    """
    found = _ascending(wanted)
    start = _start_of_gap(found, 0)
    while start < len(found):
        start = _start_of_gap(found, _fill(found, start))
    return [position for position in found if position is not None]


def _ascending(wanted: Sequence[int | None]) -> list[int | None]:
    """None for those that do not stay."""
    known = [position for position in wanted if position is not None]
    if known == sorted(known):
        return list(wanted)
    staying = in_place(sorted(known), known)
    return [position if position in staying else None for position in wanted]


def _fill(found: list[int | None], start: int) -> int:
    """Give positions to the elements without one from ``start`` on, and to neighbours if there is no room between them.

    Returns where those end that were given.
    """
    end = _end_of_gap(found, start)
    least_room, wider = 1, 1
    while True:
        low = found[start - 1] if start else None
        high = found[end] if end < len(found) else None
        count = end - start
        if low is not None and high is not None:
            room = (high - low) // (count + 1)
            if room < least_room:
                start = max(start - wider, 0)
                end = _end_of_gap(found, min(end + wider, len(found)))
                least_room, wider = _ROOM, wider * 2
                continue
            first = low + room
        else:
            room = GAP
            first = low + GAP if low is not None else high - GAP * count if high is not None else 0
        found[start:end] = range(first, first + room * count, room)
        return end


def _start_of_gap(found: Sequence[int | None], start: int) -> int:
    try:
        return found.index(None, start)
    except ValueError:
        return len(found)


def _end_of_gap(found: Sequence[int | None], start: int) -> int:
    while start < len(found) and found[start] is None:
        start += 1
    return start
