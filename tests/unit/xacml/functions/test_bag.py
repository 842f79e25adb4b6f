"""Bags and sets."""

from collections.abc import Callable
from typing import Any

import pytest

from argus_py.xacml.addresses import DnsName
from argus_py.xacml.outcome import Fault

AAB = ("string-bag", "string:a", "string:a", "string:b")
BA = ("string-bag", "string:b", "string:a")
BC = ("string-bag", "string:b", "string:c")
NONE = ("string-bag",)


@pytest.mark.parametrize(
    ("short", "value"),
    [
        (AAB, ("a", "a", "b")),
        (NONE, ()),
        (("string-bag-size", AAB), 3),
        (("string-one-and-only", ("string-bag", "string:a")), "a"),
        (("string-is-in", "string:b", AAB), True),
        (("string-is-in", "string:b", NONE), False),
        (("double-is-in", "double:NaN", ("double-bag", "double:NaN")), False),
        (("x500Name-is-in", "x500Name:cn=A", ("x500Name-bag", "x500Name:CN=a")), True),
        (("ipAddress-bag-size", ("ipAddress-bag", "ipAddress:192.0.2.1", "ipAddress:192.0.2.1")), 2),
        (("dnsName-one-and-only", ("dnsName-bag", "dnsName:example.org")), DnsName("example.org")),
        (("string-intersection", AAB, BC), ("b",)),
        (("string-intersection", AAB, BA), ("a", "b")),
        (("string-union", AAB, BC), ("a", "b", "c")),
        (("string-at-least-one-member-of", AAB, BC), True),
        (("string-at-least-one-member-of", NONE, AAB), False),
        (("string-subset", AAB, BA), True),
        (("string-subset", AAB, BC), False),
        (("string-subset", NONE, NONE), True),
        (("string-set-equals", AAB, BA), True),
        (("string-set-equals", AAB, BC), False),
    ],
)
def test_bags_and_sets(short: Any, value: object, value_of: Callable[..., object]) -> None:
    assert value_of(short) == value


@pytest.mark.parametrize("bag", [NONE, BA])
def test_one_and_only_is_an_error_for_none_and_for_two(bag: Any, value_of: Callable[..., object]) -> None:
    fault = value_of(("string-one-and-only", bag))
    assert isinstance(fault, Fault)
    assert f"there are {len(bag) - 1}" in fault.reason
