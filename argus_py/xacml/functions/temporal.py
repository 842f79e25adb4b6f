"""Dates and times plus and minus durations (XACML 2.0 appendix A.3.7)."""

from collections.abc import Callable, Mapping
from typing import Final

from argus_py.xacml.functions.signature import (
    DATE,
    DATE_TIME,
    DAY_TIME_DURATION,
    FUNCTION_1_0,
    YEAR_MONTH_DURATION,
    Function,
)
from argus_py.xacml.outcome import Fault
from argus_py.xacml.temporal import (
    BeyondCalendar,
    Date,
    DateTime,
    DayTimeDuration,
    YearMonthDuration,
    date_plus_months,
    date_time_plus,
    date_time_plus_months,
)

_BEYOND: Final = Fault("a date is not between the years 1 and 9999")


def _days(sign: int) -> Callable[[DateTime, DayTimeDuration], DateTime | Fault]:
    def calculate(start: DateTime, duration: DayTimeDuration) -> DateTime | Fault:
        try:
            return date_time_plus(start, sign * duration.nanoseconds)
        except BeyondCalendar:
            return _BEYOND

    return calculate


def _months_of_date_time(sign: int) -> Callable[[DateTime, YearMonthDuration], DateTime | Fault]:
    def calculate(start: DateTime, duration: YearMonthDuration) -> DateTime | Fault:
        try:
            return date_time_plus_months(start, sign * duration.months)
        except BeyondCalendar:
            return _BEYOND

    return calculate


def _months_of_date(sign: int) -> Callable[[Date, YearMonthDuration], Date | Fault]:
    def calculate(start: Date, duration: YearMonthDuration) -> Date | Fault:
        try:
            return date_plus_months(start, sign * duration.months)
        except BeyondCalendar:
            return _BEYOND

    return calculate


FUNCTIONS: Final[Mapping[str, Function]] = {
    FUNCTION_1_0 + name: function
    for word, sign in (("add", 1), ("subtract", -1))
    for name, function in {
        f"dateTime-{word}-dayTimeDuration": Function((DATE_TIME, DAY_TIME_DURATION), DATE_TIME, _days(sign)),
        f"dateTime-{word}-yearMonthDuration": Function(
            (DATE_TIME, YEAR_MONTH_DURATION), DATE_TIME, _months_of_date_time(sign)
        ),
        f"date-{word}-yearMonthDuration": Function((DATE, YEAR_MONTH_DURATION), DATE, _months_of_date(sign)),
    }.items()
}
