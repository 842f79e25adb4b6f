"""Dates and times compare and count as those of the standard library do, where it knows them."""

from datetime import UTC, date, datetime, time, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.xacml.temporal import (
    DAY,
    SECOND,
    BeyondCalendar,
    current,
    date_time_plus,
    date_time_plus_months,
    read_date,
    read_date_time,
    read_time,
    time_in_range,
)

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES)  # noqa: DTZ001  # zones are added


def text_of(moment: datetime) -> str:
    return moment.isoformat()


@settings(max_examples=200, deadline=None)
@given(MOMENTS, MOMENTS)
def test_moments_compare_across_zones(one: datetime, other: datetime) -> None:
    assert (read_date_time(text_of(one)) < read_date_time(text_of(other))) is (one < other)
    assert (read_date_time(text_of(one)) == read_date_time(text_of(other))) is (one == other)
    assert read_date_time(text_of(one)) == read_date_time(current(one)[2])


@settings(max_examples=200, deadline=None)
@given(MOMENTS)
def test_a_date_is_its_first_moment(moment: datetime) -> None:
    zone = text_of(moment)[-6:]
    first = datetime.combine(moment.date(), time.min, moment.tzinfo)
    assert read_date(f"{moment.date().isoformat()}{zone}").nanoseconds == read_date_time(text_of(first)).nanoseconds


@settings(max_examples=200, deadline=None)
@given(MOMENTS, st.timedeltas(timedelta(days=-5_000_000), timedelta(days=5_000_000)))
def test_durations_move_moments(moment: datetime, duration: timedelta) -> None:
    start = read_date_time(text_of(moment))
    nanoseconds = (duration // timedelta(microseconds=1)) * 1000
    try:
        expected = moment.astimezone(UTC) + duration
    except OverflowError:
        try:
            date_time_plus(start, nanoseconds)
        except BeyondCalendar:
            return
        raise AssertionError("beyond the calendar") from None
    assert date_time_plus(start, nanoseconds) == read_date_time(text_of(expected))


@settings(max_examples=200, deadline=None)
@given(MOMENTS, st.integers(-24_000, 24_000))
def test_months_keep_the_day_or_take_the_last_one(moment: datetime, months: int) -> None:
    start = read_date_time(text_of(moment))
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return
    moved = date_time_plus_months(start, months)
    offset = moment.utcoffset() or timedelta()
    local = date.fromordinal((moved.nanoseconds + offset // timedelta(seconds=1) * SECOND) // DAY + 1)
    assert (local.year, local.month) == (year, month + 1)
    assert local.day == moment.day or (local.day < moment.day and (local + timedelta(days=1)).day == 1)


@settings(max_examples=200, deadline=None)
@given(st.times(), st.times(), st.times())
def test_a_range_covers_the_clock_from_its_lower_to_its_upper_bound(now: time, lower: time, upper: time) -> None:
    inside = lower <= now <= upper if lower <= upper else now >= lower or now <= upper
    assert time_in_range(*(read_time(each.isoformat()) for each in (now, lower, upper))) is inside
