"""Positions: order as wanted, and whoever can stay stays."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.store.sql.positions import GAP, positions


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([], []),
        ([None], [0]),
        ([None, None, None], [0, GAP, 2 * GAP]),
        ([None, None, 5], [5 - 2 * GAP, 5 - GAP, 5]),
        ([5, None, None], [5, 5 + GAP, 5 + 2 * GAP]),
        ([10, None, 20], [10, 15, 20]),
        ([10, None, None, 20], [10, 13, 16, 20]),
        ([0, None, 10, None, None, 100], [0, 5, 10, 40, 70, 100]),
    ],
)
def test_who_comes_stands_between_its_neighbours(wanted: list[int | None], expected: list[int]) -> None:
    assert positions(wanted) == expected


@pytest.mark.parametrize(
    ("wanted", "moved"),
    [
        ([50, 10, 20, 30, 40], 0),  # the last became the first
        ([20, 30, 40, 50, 10], 4),
        ([10, 40, 20, 30, 50], 1),
    ],
)
def test_who_is_moved_alone_is_moved_alone(wanted: list[int | None], moved: int) -> None:
    found = positions(wanted)
    assert found == sorted(found)
    assert [index for index, pair in enumerate(zip(wanted, found, strict=True)) if pair[0] != pair[1]] == [moved]


def test_neighbours_make_room_where_there_is_none() -> None:
    wanted: list[int | None] = [0, GAP, GAP + 1, *(n * GAP for n in range(2, 100))]
    found = positions([*wanted[:2], None, *wanted[2:]])
    assert found == sorted(set(found))
    stayed = sum(position in wanted for position in found)
    assert stayed >= len(wanted) - 4


def test_neighbours_at_an_end_make_room_outwards() -> None:
    assert positions([1, None, 2, 3]) == [3 - 3 * GAP, 3 - 2 * GAP, 3 - GAP, 3]


def test_thousands_can_come_to_the_same_place_one_after_the_other() -> None:
    found = [0, GAP]
    written = 0
    for _ in range(2_000):
        wanted: list[int | None] = [*found[:1], None, *found[1:]]
        found = positions(wanted)
        written += sum(one != other for one, other in zip(wanted, found, strict=True))
    assert written < 3 * 2_000
    assert max(map(abs, found)) < 2**63


lists = st.lists(st.one_of(st.none(), st.integers(-20, 20), st.integers(-(2**40), 2**40)), max_size=12).filter(
    lambda wanted: len([each for each in wanted if each is not None]) == len({*wanted} - {None})
)


@settings(max_examples=300, deadline=None)
@given(wanted=lists)
def test_positions_ascend_whatever_was_there(wanted: list[int | None]) -> None:
    found = positions(wanted)
    assert len(found) == len(wanted)
    assert all(one < other for one, other in pairwise(found))


@settings(max_examples=200, deadline=None)
@given(wanted=st.permutations([n * GAP for n in range(7)]), new=st.integers(0, 6))
def test_no_more_are_moved_than_have_to(wanted: list[int | None], new: int) -> None:
    wanted = [*wanted[:new], None, *wanted[new:]]
    found = positions(wanted)
    stayed = sum(one == other for one, other in zip(wanted, found, strict=True))
    assert stayed == _longest_ascending([each for each in wanted if each is not None])


def _longest_ascending(numbers: list[int]) -> int:
    """By trying: the longest that ends at each of them."""
    longest: list[int] = []
    for index, number in enumerate(numbers):
        longest.append(1 + max((longest[i] for i in range(index) if numbers[i] < number), default=0))
    return max(longest, default=0)
