"""Strings."""

from collections.abc import Callable
from typing import Any

import pytest

from argus_py.xacml.functions.string import MAX_LENGTH
from argus_py.xacml.outcome import Fault


@pytest.mark.parametrize(
    ("short", "value"),
    [
        (("string-normalize-space", "string: a  b "), "a  b"),
        (("string-normalize-to-lower-case", "string:ÀB"), "àb"),
        (("string-concatenate", "string:a", "string:b", "string:c"), "abc"),
        (("uri-string-concatenate", "anyURI:http://a", "string:/b", "string:/c"), "http://a/b/c"),
    ],
)
def test_strings(short: Any, value: str, value_of: Callable[..., object]) -> None:
    assert value_of(short) == value


def test_a_concatenation_does_not_grow_without_end(value_of: Callable[..., object]) -> None:
    half = f"string:{'x' * (MAX_LENGTH // 2)}"
    assert value_of(("string-concatenate", half, half)) == "x" * MAX_LENGTH
    assert isinstance(value_of(("string-concatenate", half, half, "string:x")), Fault)
