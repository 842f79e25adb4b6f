"""Numbers: rounding, signs, division by zero, and results that would grow without end."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from argus_py.xacml.outcome import Fault

BIGGEST = "9" * 100


@pytest.mark.parametrize(
    ("short", "value"),
    [
        (("integer-add", "integer:1", "integer:2"), 3),
        (("integer-add", "integer:1", "integer:2", "integer:3"), 6),
        (("integer-subtract", "integer:1", "integer:2"), -1),
        (("integer-multiply", "integer:-4", "integer:2"), -8),
        (("integer-divide", "integer:7", "integer:2"), 3),
        (("integer-divide", "integer:-7", "integer:2"), -3),
        (("integer-divide", "integer:7", "integer:-2"), -3),
        (("integer-divide", "integer:-7", "integer:-2"), 3),
        (("integer-mod", "integer:7", "integer:-2"), 1),
        (("integer-mod", "integer:-7", "integer:2"), -1),
        (("integer-abs", "integer:-7"), 7),
        (("double-add", "double:1.5", "double:2", "double:.5"), 4.0),
        (("double-subtract", "double:1", "double:INF"), -math.inf),
        (("double-multiply", "double:1e200", "double:1e200"), math.inf),
        (("double-divide", "double:1", "double:4"), 0.25),
        (("double-abs", "double:-INF"), math.inf),
        (("round", "double:2.5"), 3.0),
        (("round", "double:-2.5"), -2.0),
        (("round", "double:0.49999999999999994"), 0.0),
        (("round", "double:INF"), math.inf),
        (("floor", "double:-2.5"), -3.0),
        (("floor", "double:-INF"), -math.inf),
        (("integer-to-double", "integer:3"), 3.0),
        (("double-to-integer", "double:-3.9"), -3),
        (("integer-add", f"integer:{BIGGEST}", "integer:0"), int(BIGGEST)),
    ],
)
def test_arithmetic_of_the_standard(short: Any, value: object, value_of: Callable[..., object]) -> None:
    result = value_of(short)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize("short", [("double-subtract", "double:INF", "double:INF"), ("round", "double:NaN")])
def test_what_is_no_number_stays_none(short: Any, value_of: Callable[..., object]) -> None:
    result = value_of(short)
    assert isinstance(result, float)
    assert math.isnan(result)


@pytest.mark.parametrize(
    "short",
    [
        ("integer-divide", "integer:1", "integer:0"),
        ("integer-mod", "integer:1", "integer:0"),
        ("double-divide", "double:1", "double:0"),
        ("double-to-integer", "double:NaN"),
        ("double-to-integer", "double:1e101"),
        ("integer-add", f"integer:{BIGGEST}", "integer:1"),
        ("integer-multiply", f"integer:{BIGGEST}", f"integer:-{BIGGEST}"),
    ],
)
def test_what_has_no_result_is_an_error(short: Any, value_of: Callable[..., object]) -> None:
    assert isinstance(value_of(short), Fault)
