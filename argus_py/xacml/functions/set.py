"""Bags as sets: how often a value occurs does not count (XACML 2.0 appendix A.3.11)."""

from collections.abc import Mapping
from typing import Final

from argus_py.xacml.functions.signature import BOOLEAN, FUNCTION_1_0, NAMED, Function, Type
from argus_py.xacml.values import Value

Bag = tuple[Value, ...]


def _intersection(one: Bag, other: Bag) -> Bag:
    members = frozenset(other)
    return tuple(value for value in dict.fromkeys(one) if value in members)


def _union(one: Bag, other: Bag) -> Bag:
    return tuple(dict.fromkeys(one + other))


def _at_least_one_member_of(one: Bag, other: Bag) -> bool:
    return not frozenset(one).isdisjoint(other)


def _subset(one: Bag, other: Bag) -> bool:
    return frozenset(one).issubset(other)


def _set_equals(one: Bag, other: Bag) -> bool:
    return frozenset(one) == frozenset(other)


def _of(name: str, type: Type) -> dict[str, Function]:
    prefix, bags = FUNCTION_1_0 + name, (type.bag, type.bag)
    return {
        f"{prefix}-intersection": Function(bags, type.bag, _intersection),
        f"{prefix}-at-least-one-member-of": Function(bags, BOOLEAN, _at_least_one_member_of),
        f"{prefix}-union": Function(bags, type.bag, _union),
        f"{prefix}-subset": Function(bags, BOOLEAN, _subset),
        f"{prefix}-set-equals": Function(bags, BOOLEAN, _set_equals),
    }


FUNCTIONS: Final[Mapping[str, Function]] = {
    uri: function for name, type in NAMED for uri, function in _of(name, type).items()
}
