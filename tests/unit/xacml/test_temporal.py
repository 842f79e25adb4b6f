"""Times, dates and durations as XML Schema writes them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from argus_py.xacml.temporal import (
    DAY,
    SECOND,
    Date,
    DateTime,
    DayTimeDuration,
    Time,
    YearMonthDuration,
    current,
    read_date,
    read_date_time,
    read_day_time_duration,
    read_time,
    read_year_month_duration,
)
from argus_py.xacml.values import UnreadableValue


@pytest.mark.parametrize(
    ("text", "nanoseconds", "zone"),
    [
        (" 00:00:00 ", 0, None),
        ("00:00:01.5Z", 1_500_000_000, 0),
        ("24:00:00", 0, None),
        ("00:00:00-14:00", 14 * 3600 * SECOND, -840),
        ("23:59:59.999999999+00:00", DAY - 1, 0),
    ],
)
def test_times(text: str, nanoseconds: int, zone: int | None) -> None:
    time = read_time(text)
    assert (time.nanoseconds, time.zone) == (nanoseconds, zone)


def test_dates_and_times_of_day_make_moments() -> None:
    assert read_date("0001-01-02") == Date(DAY)
    assert read_date("0001-01-02+01:00") == Date(DAY - 3600 * SECOND)
    assert read_date_time("0001-01-01T00:00:01Z") == DateTime(SECOND)
    assert read_date_time("0001-01-01T24:00:00Z") == DateTime(DAY)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("P1D", DAY),
        ("-PT1M", -60 * SECOND),
        ("PT0.5S", SECOND // 2),
        ("P1DT1H1M1.1S", DAY + 3661 * SECOND + SECOND // 10),
        ("PT36H", DAY * 3 // 2),
        ("P0D", 0),
    ],
)
def test_durations_of_days_and_time(text: str, nanoseconds: int) -> None:
    assert read_day_time_duration(text) == DayTimeDuration(nanoseconds)


@pytest.mark.parametrize(("text", "months"), [("P1Y", 12), ("-P1Y2M", -14), ("P13M", 13), ("P0M", 0)])
def test_durations_of_years_and_months(text: str, months: int) -> None:
    assert read_year_month_duration(text) == YearMonthDuration(months)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_time, ""),
        (read_time, "8:00:00"),
        (read_time, "08:00"),
        (read_time, "25:00:00"),
        (read_time, "24:00:01"),
        (read_time, "08:60:00"),
        (read_time, "08:00:60"),
        (read_time, "08:00:00."),
        (read_time, "08:00:00.0000000001"),
        (read_time, "08:00:00z"),
        (read_time, "08:00:00+14:01"),
        (read_time, "08:00:00+01:60"),
        (read_time, "٠٨:00:00"),
        (read_date, "2026-02-29"),
        (read_date, "0000-01-01"),
        (read_date, "-0001-01-01"),
        (read_date, "12026-01-01"),
        (read_date, "2026-1-1"),
        (read_date, "2026-13-01"),
        (read_date_time, "2026-01-01"),
        (read_date_time, "2026-01-01 00:00:00"),
        (read_date_time, "2026-01-01T"),
        (read_day_time_duration, ""),
        (read_day_time_duration, "P"),
        (read_day_time_duration, "PT"),
        (read_day_time_duration, "P1DT"),
        (read_day_time_duration, "P1Y"),
        (read_day_time_duration, "P1.5D"),
        (read_day_time_duration, "1D"),
        (read_day_time_duration, "+P1D"),
        (read_day_time_duration, f"P{'9' * 10}D"),
        (read_year_month_duration, "P"),
        (read_year_month_duration, "P1D"),
        (read_year_month_duration, "P1M1Y"),
        (read_year_month_duration, f"P{'9' * 10}Y"),
    ],
)
def test_other_texts_are_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(UnreadableValue) as refusal:
        read(text)
    assert refusal.value.text == text


def test_a_clock_without_a_zone_takes_that_of_another_one() -> None:
    noon = read_time("12:00:00")
    assert noon.in_zone_of(read_time("00:00:00+02:00")) == read_time("10:00:00Z")
    assert noon.in_zone_of(read_time("00:00:00")) == noon
    assert read_time("12:00:00Z").in_zone_of(read_time("00:00:00+02:00")) == Time(noon.nanoseconds, 0)


@pytest.mark.parametrize(
    ("moment", "texts"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), ("03:04:05Z", "2026-01-02Z", "2026-01-02T03:04:05Z")),
        (
            datetime(2026, 1, 1, 0, 0, 0, 500, timezone(timedelta(hours=1))),
            ("23:00:00.000500Z", "2025-12-31Z", "2025-12-31T23:00:00.000500Z"),
        ),
    ],
)
def test_the_current_time_and_date_are_told_in_utc(moment: datetime, texts: tuple[str, str, str]) -> None:
    assert current(moment) == texts
    for read, text in zip((read_time, read_date, read_date_time), texts, strict=True):
        read(text)
