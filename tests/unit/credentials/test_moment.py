from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.credentials.moment import Moment

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)  # the finest that a datetime knows
MINUTE = timedelta(minutes=1)

Comparison = Callable[[Moment, datetime, timedelta], bool]

OFFSETS = st.integers(-5, 5).map(lambda minutes: minutes * MINUTE)
GRACES = st.sampled_from([timedelta(0), MINUTE, 2 * MINUTE])
COMPARISONS = st.tuples(st.sampled_from([Moment.is_after, Moment.is_before]), OFFSETS.map(NOON.__add__), GRACES)


def test_both_ends_belong_to_what_is_valid() -> None:
    assert not Moment(NOON).is_after(NOON)
    assert Moment(NOON + TICK).is_after(NOON)
    assert not Moment(NOON).is_before(NOON)
    assert Moment(NOON - TICK).is_before(NOON)


def test_grace_is_added_outside_at_either_end() -> None:
    assert not Moment(NOON + MINUTE).is_after(NOON, MINUTE)
    assert Moment(NOON + MINUTE + TICK).is_after(NOON, MINUTE)
    assert not Moment(NOON - MINUTE).is_before(NOON, MINUTE)
    assert Moment(NOON - MINUTE - TICK).is_before(NOON, MINUTE)


def test_dates_at_the_ends_of_time_compare() -> None:
    assert not Moment(NOON).is_after(datetime.max.replace(tzinfo=UTC), MINUTE)
    assert not Moment(NOON).is_before(datetime.min.replace(tzinfo=UTC), MINUTE)


def test_a_judgement_without_a_date_stays_for_ever() -> None:
    moment = Moment(NOON)
    moment.is_after(NOON - TICK)
    moment.is_before(NOON - TICK)
    assert moment.stays == timedelta.max


def test_the_nearest_date_ahead_counts() -> None:
    moment = Moment(NOON)
    moment.is_after(NOON + 9 * MINUTE)
    moment.is_before(NOON + 7 * MINUTE)
    moment.is_after(NOON + 8 * MINUTE)
    assert moment.stays == 7 * MINUTE


def test_a_moment_is_taken_as_it_is_and_a_time_made_into_one() -> None:
    moment = Moment(NOON)
    assert Moment.of(moment) is moment
    assert Moment.of(NOON).now == NOON


@settings(max_examples=200, deadline=None)
@given(st.lists(COMPARISONS, min_size=1, max_size=4), OFFSETS)
def test_no_comparison_changes_before_the_time_told_and_one_does_then(
    comparisons: list[tuple[Comparison, datetime, timedelta]], offset: timedelta
) -> None:
    def answers(moment: Moment) -> list[bool]:
        return [compare(moment, date, grace) for compare, date, grace in comparisons]

    moment = Moment(NOON + offset)
    given_now = answers(moment)
    if moment.stays == timedelta.max:
        assert answers(Moment(moment.now + timedelta(days=1000))) == given_now
        return
    end = moment.now + moment.stays
    for before in (moment.now + moment.stays / 2, end - TICK):
        if before >= moment.now:
            assert answers(Moment(before)) == given_now
    if moment.stays:  # at the very instant of a date nothing is promised, so nothing need change
        assert answers(Moment(end + TICK)) != given_now
