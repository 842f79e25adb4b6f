"""Arithmetic (XACML 2.0 appendix A.3.2) and conversions of numbers (A.3.4). Doubles follow IEEE 754."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Final

from argus_py.xacml.functions.signature import DOUBLE, FUNCTION_1_0, INTEGER, Function
from argus_py.xacml.outcome import Fault
from argus_py.xacml.values import MAX_DIGITS

_BEYOND: Final = 10**MAX_DIGITS
_TOO_LARGE: Final = Fault(f"the result has more than {MAX_DIGITS} digits")
_BY_ZERO: Final = Fault("a division by zero")


def _bounded(number: int) -> int | Fault:
    return number if -_BEYOND < number < _BEYOND else _TOO_LARGE


def _on_integers(calculate: Callable[[int, int], int]) -> Callable[[int, int], int | Fault]:
    return lambda one, other: _bounded(calculate(one, other))


def _integer_sum(*numbers: int) -> int | Fault:
    return _bounded(sum(numbers))


def _double_sum(*numbers: float) -> float:
    return sum(numbers)


def _integer_quotient(dividend: int, divisor: int) -> int | Fault:
    """Towards zero, as in Java."""
    if divisor == 0:
        return _BY_ZERO
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) is (divisor < 0) else -quotient


def _integer_remainder(dividend: int, divisor: int) -> int | Fault:
    """With the sign of the dividend, as in Java."""
    if divisor == 0:
        return _BY_ZERO
    remainder = abs(dividend) % abs(divisor)
    return -remainder if dividend < 0 else remainder


def _double_quotient(dividend: float, divisor: float) -> float | Fault:
    return _BY_ZERO if divisor == 0 else dividend / divisor


def _floor(number: float) -> float:
    return float(math.floor(number)) if math.isfinite(number) else number


def _round(number: float) -> float:
    """The nearest whole number; of two that are equally near, the greater one (fn:round)."""
    below = _floor(number)
    return below + 1 if number - below >= 0.5 else below


def _to_integer(number: float) -> int | Fault:
    return _bounded(math.trunc(number)) if math.isfinite(number) else Fault(f"{number} is no integer")


def _binary(calculate: Callable[..., object]) -> Function:
    return Function((INTEGER, INTEGER), INTEGER, calculate)


def _binary_double(calculate: Callable[..., object]) -> Function:
    return Function((DOUBLE, DOUBLE), DOUBLE, calculate)


FUNCTIONS: Final[Mapping[str, Function]] = {
    FUNCTION_1_0 + name: function
    for name, function in {
        "integer-add": Function((INTEGER, INTEGER), INTEGER, _integer_sum, rest=INTEGER),
        "double-add": Function((DOUBLE, DOUBLE), DOUBLE, _double_sum, rest=DOUBLE),
        "integer-subtract": _binary(_on_integers(operator.sub)),
        "double-subtract": _binary_double(operator.sub),
        "integer-multiply": _binary(_on_integers(operator.mul)),
        "double-multiply": _binary_double(operator.mul),
        "integer-divide": _binary(_integer_quotient),
        "double-divide": _binary_double(_double_quotient),
        "integer-mod": _binary(_integer_remainder),
        "integer-abs": Function((INTEGER,), INTEGER, abs),
        "double-abs": Function((DOUBLE,), DOUBLE, abs),
        "round": Function((DOUBLE,), DOUBLE, _round),
        "floor": Function((DOUBLE,), DOUBLE, _floor),
        "integer-to-double": Function((INTEGER,), DOUBLE, float),
        "double-to-integer": Function((DOUBLE,), INTEGER, _to_integer),
    }.items()
}
