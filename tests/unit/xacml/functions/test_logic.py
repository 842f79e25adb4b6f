"""or, and, n-of, not: from left to right, no further than needed."""

from collections.abc import Callable
from typing import Any

import pytest

from argus_py.xacml.outcome import Fault

TRUE, FALSE = "boolean:true", "boolean:false"
ERROR = ("boolean-one-and-only", ("boolean-bag",))


@pytest.mark.parametrize(
    ("short", "value"),
    [
        (("or",), False),
        (("or", FALSE, TRUE, ERROR), True),
        (("or", FALSE, FALSE), False),
        (("and",), True),
        (("and", TRUE, FALSE, ERROR), False),
        (("and", TRUE, TRUE), True),
        (("n-of", "integer:0", ERROR), True),
        (("n-of", "integer:0"), True),
        (("n-of", "integer:2", TRUE, FALSE, TRUE, ERROR), True),
        (("n-of", "integer:2", FALSE, FALSE, ERROR), False),
        (("n-of", "integer:2", TRUE, FALSE), False),
        (("not", FALSE), True),
        (("not", TRUE), False),
    ],
)
def test_the_first_argument_that_settles_it_ends_it(short: Any, value: bool, value_of: Callable[..., object]) -> None:
    assert value_of(short) is value


@pytest.mark.parametrize(
    "short",
    [
        ("or", ERROR, TRUE),
        ("and", ERROR, FALSE),
        ("n-of", "integer:1", ERROR, TRUE),
        ("n-of", "integer:2", TRUE),
        ("n-of", "integer:-1", TRUE),
        ("n-of", ("integer-divide", "integer:1", "integer:0"), TRUE),
        ("not", ERROR),
    ],
)
def test_an_error_counts_where_it_is_reached(short: Any, value_of: Callable[..., object]) -> None:
    assert isinstance(value_of(short), Fault)
