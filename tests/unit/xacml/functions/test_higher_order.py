"""Functions applied to the members of bags."""

from collections.abc import Callable
from typing import Any

import pytest

from argus_py.xacml.outcome import Fault

GREATER, EQUAL = "function:integer-greater-than", "function:integer-equal"
DIVIDES = "function:integer-divide"


def integers(*numbers: int) -> Any:
    return ("integer-bag", *(f"integer:{number}" for number in numbers))


@pytest.mark.parametrize(
    ("short", "value"),
    [
        (("any-of", EQUAL, "integer:2", integers(1, 2)), True),
        (("any-of", EQUAL, "integer:2", integers()), False),
        (("all-of", GREATER, "integer:5", integers(1, 4)), True),
        (("all-of", GREATER, "integer:5", integers(1, 5)), False),
        (("all-of", GREATER, "integer:5", integers()), True),
        (("any-of-any", EQUAL, integers(1, 2), integers(2, 3)), True),
        (("any-of-any", EQUAL, integers(1), integers()), False),
        (("all-of-any", GREATER, integers(10, 20), integers(1, 3, 19)), True),
        (("all-of-any", GREATER, integers(10, 1), integers(1, 3, 5, 19)), False),
        (("all-of-any", GREATER, integers(), integers()), True),
        (("any-of-all", GREATER, integers(3, 5), integers(1, 2, 3, 4)), True),
        (("any-of-all", GREATER, integers(3, 4), integers(1, 2, 3, 4)), False),
        (("any-of-all", GREATER, integers(), integers()), False),
        (("any-of-all", EQUAL, integers(1, 2), integers(1, 2)), False),
        (("all-of-all", GREATER, integers(6, 5), integers(1, 2, 3, 4)), True),
        (("all-of-all", GREATER, integers(6, 4), integers(1, 2, 3, 4)), False),
        (("map", "function:integer-abs", integers(-1, 2, -1)), (1, 2, 1)),
        (("map", "function:integer-to-double", integers()), ()),
        (("any-of", "function:or", "boolean:false", ("boolean-bag", "boolean:true")), True),
        (("any-of", "function:string-regexp-match", "string:a.*", ("string-bag", "string:b", "string:ab")), True),
    ],
)
def test_as_the_standard_has_it(short: Any, value: object, value_of: Callable[..., object]) -> None:
    assert value_of(short) == value


@pytest.mark.parametrize(
    ("short", "is_error"),
    [
        (("any-of", "function:string-regexp-match", "string:(", ("string-bag", "string:a")), True),
        (("any-of", "function:string-regexp-match", "string:(", ("string-bag",)), False),
        (("all-of", "function:string-regexp-match", "string:(", ("string-bag", "string:a")), True),
        (("map", "function:double-to-integer", ("double-bag", "double:1", "double:NaN")), True),
        (("any-of", EQUAL, "integer:1", ("integer-bag", ("integer-divide", "integer:1", "integer:0"))), True),
    ],
)
def test_an_error_of_the_function_is_one_if_it_is_reached(
    short: Any, is_error: bool, value_of: Callable[..., object]
) -> None:
    assert isinstance(value_of(short), Fault) is is_error
