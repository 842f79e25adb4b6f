"""What has kept its place in a list that became another one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.pap.sequences import in_place

lists = st.lists(st.integers(0, 8), unique=True, max_size=8)


@settings(max_examples=200, deadline=None)
@given(before=lists, after=lists)
def test_what_is_in_place_is_in_both_lists_in_one_order_and_nothing_could_be_added(
    before: list[int], after: list[int]
) -> None:
    kept = in_place(before, after)
    assert [key for key in before if key in kept] == [key for key in after if key in kept]
    for key in set(before) & set(after) - kept:
        more = kept | {key}
        assert [each for each in before if each in more] != [each for each in after if each in more]


@given(before=lists)
def test_a_list_that_only_lost_or_won_has_all_others_in_place(before: list[int]) -> None:
    assert in_place(before, [*before[::2], 99]) == frozenset(before[::2])
