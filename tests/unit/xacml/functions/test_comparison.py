"""Greater, less, equal: by value, not by text."""

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("datatype", "lesser", "greater"),
    [
        ("integer", "-10", "9"),
        ("double", "-INF", "1e-3"),
        ("string", "B", "a"),
        ("string", "\uffff", "\U00010000"),
        ("time", "08:00:00+02:00", "07:00:00"),
        ("date", "2026-01-01+14:00", "2026-01-01Z"),
        ("dateTime", "2026-01-01T00:30:00+01:00", "2026-01-01T00:00:00Z"),
    ],
)
def test_order(datatype: str, lesser: str, greater: str, value_of: Callable[..., object]) -> None:
    one, other = f"{datatype}:{lesser}", f"{datatype}:{greater}"
    results = {
        relation: [value_of((f"{datatype}-{relation}", *pair)) for pair in ((one, other), (other, one), (one, one))]
        for relation in ("greater-than", "greater-than-or-equal", "less-than", "less-than-or-equal")
    }
    assert results == {
        "greater-than": [False, True, False],
        "greater-than-or-equal": [False, True, True],
        "less-than": [True, False, False],
        "less-than-or-equal": [True, False, True],
    }


@pytest.mark.parametrize(
    ("datatype", "one", "other", "equal"),
    [
        ("string", "a", " a ", True),
        ("boolean", "1", "true", True),
        ("integer", "+01", "1", True),
        ("double", "1e2", "100", True),
        ("double", "NaN", "NaN", False),
        ("double", "-0", "0", True),
        ("time", "08:00:00Z", "08:00:00", True),
        ("time", "24:00:00", "00:00:00", True),
        ("time", "08:00:00+09:00", "17:00:00-06:00", False),
        ("dateTime", "2026-01-01T24:00:00", "2026-01-02T00:00:00.000", True),
        ("dateTime", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z", True),
        ("date", "2026-01-01", "2026-01-01Z", True),
        ("date", "2026-01-01", "2026-01-01+01:00", False),
        ("dayTimeDuration", "P1DT1H", "PT25H", True),
        ("yearMonthDuration", "P1Y2M", "P14M", True),
        ("anyURI", "http://A/", "http://a/", False),
        ("x500Name", "CN=a, O=X", "cn=A,o=x", True),
        ("rfc822Name", "a@Example.org", "a@example.ORG", True),
        ("rfc822Name", "A@example.org", "a@example.org", False),
        ("hexBinary", "0a", "0A", True),
        ("base64Binary", "YQ==", " Y Q = = ", True),
    ],
)
def test_equality(datatype: str, one: str, other: str, equal: bool, value_of: Callable[..., object]) -> None:
    assert value_of((f"{datatype}-equal", f"{datatype}:{one}", f"{datatype}:{other}")) is equal


@pytest.mark.parametrize(
    ("time", "lower", "upper", "inside"),
    [
        ("12:00:00", "08:00:00", "17:00:00", True),
        ("08:00:00", "08:00:00", "17:00:00", True),
        ("17:00:00", "08:00:00", "17:00:00", True),
        ("17:00:00.000000001", "08:00:00", "17:00:00", False),
        ("23:00:00", "22:00:00", "06:00:00", True),
        ("05:00:00", "22:00:00", "06:00:00", True),
        ("12:00:00", "22:00:00", "06:00:00", False),
        ("12:00:00+02:00", "11:30:00", "12:30:00", True),
        ("12:00:00+02:00", "09:30:00Z", "10:30:00Z", True),
        ("12:00:00", "11:30:00+02:00", "12:30:00+02:00", False),
        ("00:00:00", "08:00:00", "08:00:00", False),
    ],
)
def test_a_range_of_times_may_pass_midnight_and_has_the_zone_of_the_time(
    time: str, lower: str, upper: str, inside: bool, value_of: Callable[..., object]
) -> None:
    assert value_of(("time-in-range", f"time:{time}", f"time:{lower}", f"time:{upper}")) is inside
