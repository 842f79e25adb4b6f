"""Dates and times plus and minus durations."""

from collections.abc import Callable
from typing import Any

import pytest

from argus_py.xacml.outcome import Fault
from argus_py.xacml.temporal import read_date, read_date_time

READERS = {"date": read_date, "dateTime": read_date_time}


@pytest.mark.parametrize(
    ("function", "start", "duration", "end"),
    [
        ("dateTime-add-dayTimeDuration", "2026-02-28T23:00:00Z", "P1DT2H", "2026-03-02T01:00:00Z"),
        ("dateTime-add-dayTimeDuration", "2026-01-01T00:00:00", "-PT0.5S", "2025-12-31T23:59:59.5"),
        ("dateTime-subtract-dayTimeDuration", "2026-01-01T00:00:00+05:00", "PT30M", "2025-12-31T23:30:00+05:00"),
        ("dateTime-add-yearMonthDuration", "2024-02-29T12:00:00Z", "P1Y", "2025-02-28T12:00:00Z"),
        ("dateTime-add-yearMonthDuration", "2026-01-31T12:00:00Z", "P1M", "2026-02-28T12:00:00Z"),
        ("dateTime-add-yearMonthDuration", "2026-11-30T12:00:00Z", "P14M", "2028-01-30T12:00:00Z"),
        # By the calendar of the zone: it is the last day of January there, and the day before in UTC.
        ("dateTime-add-yearMonthDuration", "2026-01-31T01:00:00+02:00", "P1M", "2026-02-28T01:00:00+02:00"),
        ("dateTime-subtract-yearMonthDuration", "2026-03-31T00:00:00Z", "P1M", "2026-02-28T00:00:00Z"),
        ("date-add-yearMonthDuration", "2026-12-31", "P2M", "2027-02-28"),
        ("date-subtract-yearMonthDuration", "2026-01-31+14:00", "P1Y1M", "2024-12-31+14:00"),
        ("date-add-yearMonthDuration", "9999-11-30", "P1M", "9999-12-30"),
    ],
)
def test_calendar_arithmetic(
    function: str, start: str, duration: str, end: str, value_of: Callable[..., object]
) -> None:
    datatype, _, unit = function.split("-")
    result: Any = value_of((function, f"{datatype}:{start}", f"{unit}:{duration}"))
    expected: Any = READERS[datatype](end)
    assert (result, result.zone) == (expected, expected.zone)


@pytest.mark.parametrize(
    "short",
    [
        ("dateTime-add-dayTimeDuration", "dateTime:9999-12-31T23:59:59Z", "dayTimeDuration:PT1S"),
        ("dateTime-subtract-dayTimeDuration", "dateTime:0001-01-01T00:00:00Z", "dayTimeDuration:PT1S"),
        ("dateTime-add-yearMonthDuration", "dateTime:9999-12-31T23:59:59Z", "yearMonthDuration:P1M"),
        ("date-subtract-yearMonthDuration", "date:0001-01-01Z", "yearMonthDuration:P1M"),
        ("date-add-yearMonthDuration", "date:2026-01-01Z", "yearMonthDuration:P999999999Y"),
        (  # by the calendar of the zone it is the year 10000 already
            "dateTime-add-yearMonthDuration",
            ("dateTime-add-dayTimeDuration", "dateTime:9999-12-31T22:00:00+14:00", "dayTimeDuration:PT10H"),
            "yearMonthDuration:P0M",
        ),
    ],
)
def test_beyond_the_calendar_there_is_no_result(short: Any, value_of: Callable[..., object]) -> None:
    assert isinstance(value_of(short), Fault)
