"""Times, dates and durations of XML Schema as XACML 2.0 compares them and counts with them.

A moment is kept as nanoseconds on the time line of UTC, so that values of different zones compare; the zone is kept
for arithmetic alone. A value without a zone is taken as UTC, as are the current time and date that a PDP supplies.

Source: XML Schema part 2, sections 3.2.6 to 3.2.9 and appendix E; XQuery 1.0 functions and operators, section 10
"""

import calendar
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from argus_py.model.identifiers import DataType
from argus_py.xacml.values import UnreadableValue, trim

SECOND: Final = 10**9
_MINUTE: Final = 60 * SECOND
_HOUR: Final = 60 * _MINUTE
DAY: Final = 24 * _HOUR
_MAX_ZONE: Final = 14 * 60  # minutes
_END: Final = date.max.toordinal() * DAY  # the first moment of the year 10000

# BETTER: Java refuses the zone letter Z in times and dates. Nine digits of a second are nanoseconds.
_ZONE: Final = r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?"
_CLOCK: Final = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?"
_CALENDAR: Final = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_TIME: Final = re.compile(_CLOCK + _ZONE, re.ASCII)
_DATE: Final = re.compile(_CALENDAR + _ZONE, re.ASCII)
_DATE_TIME: Final = re.compile(f"{_CALENDAR}T{_CLOCK}{_ZONE}", re.ASCII)
_DAY_TIME_DURATION: Final = re.compile(
    r"(?P<sign>-?)P(?=.)(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?=.)(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?"
    r"(?:(?P<seconds>[0-9]{1,9})(?:\.(?P<fraction>[0-9]{1,9}))?S)?)?",
    re.ASCII,
)
_YEAR_MONTH_DURATION: Final = re.compile(
    r"(?P<sign>-?)P(?=.)(?:(?P<years>[0-9]{1,9})Y)?(?:(?P<months>[0-9]{1,9})M)?", re.ASCII
)


@dataclass(frozen=True, slots=True, order=True)
class Time:
    """``nanoseconds`` since midnight of UTC, below zero or beyond a day where the zone is ahead or behind."""

    nanoseconds: int
    zone: int | None = field(default=None, compare=False)  # minutes

    def in_zone_of(self, other: "Time") -> "Time":
        """The same clock in the zone of the other one, if there is no zone yet."""
        if self.zone is not None or not other.zone:
            return self
        return Time(self.nanoseconds - other.zone * _MINUTE, other.zone)


@dataclass(frozen=True, slots=True, order=True)
class Date:
    """``nanoseconds`` from the start of the year 1 to the first moment of the day."""

    nanoseconds: int
    zone: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, order=True)
class DateTime:
    """``nanoseconds`` since the start of the year 1."""

    nanoseconds: int
    zone: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, order=True)
class DayTimeDuration:
    nanoseconds: int


@dataclass(frozen=True, slots=True, order=True)
class YearMonthDuration:
    months: int


class BeyondCalendar(ArithmeticError):
    """A date before the year 1 or after the year 9999."""


def read_time(text: str) -> Time:
    """Raises UnreadableValue."""
    match = _match(_TIME, DataType.TIME, text)
    zone = _zone(match, DataType.TIME, text)
    return Time(_clock(match, DataType.TIME, text) % DAY - (zone or 0) * _MINUTE, zone)


def read_date(text: str) -> Date:
    """Raises UnreadableValue: among others a year before 1 or after 9999."""
    match = _match(_DATE, DataType.DATE, text)
    zone = _zone(match, DataType.DATE, text)
    return Date(_calendar(match, DataType.DATE, text) - (zone or 0) * _MINUTE, zone)


def read_date_time(text: str) -> DateTime:
    """Raises UnreadableValue: among others a year before 1 or after 9999."""
    match = _match(_DATE_TIME, DataType.DATE_TIME, text)
    zone = _zone(match, DataType.DATE_TIME, text)
    start, clock = _calendar(match, DataType.DATE_TIME, text), _clock(match, DataType.DATE_TIME, text)
    return DateTime(start + clock - (zone or 0) * _MINUTE, zone)


def read_day_time_duration(text: str) -> DayTimeDuration:
    """Raises UnreadableValue."""
    match = _match(_DAY_TIME_DURATION, DataType.DAY_TIME_DURATION, text)
    days, hours, minutes, seconds = (int(match[name] or 0) for name in ("days", "hours", "minutes", "seconds"))
    length = days * DAY + hours * _HOUR + minutes * _MINUTE + seconds * SECOND + _fraction(match)
    return DayTimeDuration(-length if match["sign"] else length)


def read_year_month_duration(text: str) -> YearMonthDuration:
    """Raises UnreadableValue."""
    match = _match(_YEAR_MONTH_DURATION, DataType.YEAR_MONTH_DURATION, text)
    length = int(match["years"] or 0) * 12 + int(match["months"] or 0)
    return YearMonthDuration(-length if match["sign"] else length)


def date_time_plus(start: DateTime, nanoseconds: int) -> DateTime:
    """Raises BeyondCalendar."""
    moment = start.nanoseconds + nanoseconds
    if not 0 <= moment < _END:
        raise BeyondCalendar
    return DateTime(moment, start.zone)


def date_time_plus_months(start: DateTime, months: int) -> DateTime:
    """Raises BeyondCalendar."""
    return DateTime(_plus_months(start.nanoseconds, start.zone, months), start.zone)


def date_plus_months(start: Date, months: int) -> Date:
    """Raises BeyondCalendar."""
    return Date(_plus_months(start.nanoseconds, start.zone, months), start.zone)


def time_in_range(time: Time, lower: Time, upper: Time) -> bool:
    """Bounds without a zone are in that of ``time``; an upper bound before the lower one is of the next day."""
    start, end = lower.in_zone_of(time).nanoseconds, upper.in_zone_of(time).nanoseconds
    return (time.nanoseconds - start) % DAY <= (end - start) % DAY


def current(moment: datetime) -> tuple[str, str, str]:
    """Time, date and dateTime of a moment, as texts in UTC."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{utc.time().isoformat()}Z", f"{utc.date().isoformat()}Z", f"{utc.isoformat()}Z"


def _match(form: re.Pattern[str], datatype: str, text: str) -> re.Match[str]:
    match = form.fullmatch(trim(text))
    if not match:
        raise UnreadableValue(datatype, text, "the form of XML Schema is expected")
    return match


def _zone(match: re.Match[str], datatype: str, text: str) -> int | None:
    zone = match["zone"]
    if zone is None or zone == "Z":
        return None if zone is None else 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    if minutes > _MAX_ZONE or int(zone[4:6]) > 59:
        raise UnreadableValue(datatype, text, "a time zone is at most 14 hours away")
    return -minutes if zone[0] == "-" else minutes


def _clock(match: re.Match[str], datatype: str, text: str) -> int:
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"])
    clock = hour * _HOUR + minute * _MINUTE + second * SECOND + _fraction(match)
    if minute > 59 or second > 59 or clock > DAY:
        raise UnreadableValue(datatype, text, "there is no such time of day")
    return clock


def _fraction(match: re.Match[str]) -> int:
    return int((match["fraction"] or "").ljust(9, "0"))


def _calendar(match: re.Match[str], datatype: str, text: str) -> int:
    try:
        day = date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError as error:
        raise UnreadableValue(datatype, text, "there is no such day") from error
    return (day.toordinal() - 1) * DAY


def _plus_months(nanoseconds: int, zone: int | None, months: int) -> int:
    """The same day so many months later, or the last one of that month, by the calendar of the zone."""
    offset = (zone or 0) * _MINUTE
    days, rest = divmod(nanoseconds + offset, DAY)
    if not 0 <= days < date.max.toordinal():
        raise BeyondCalendar
    start = date.fromordinal(days + 1)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise BeyondCalendar
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return (date(year, month + 1, day).toordinal() - 1) * DAY + rest - offset
