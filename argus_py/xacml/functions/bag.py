"""Bags: their size, their members and their making (XACML 2.0 appendix A.3.10)."""

from collections.abc import Mapping
from typing import Final

from argus_py.xacml.functions.signature import (
    BOOLEAN,
    DNS_NAME,
    FUNCTION_1_0,
    FUNCTION_2_0,
    INTEGER,
    IP_ADDRESS,
    NAMED,
    Function,
    Type,
)
from argus_py.xacml.outcome import Fault
from argus_py.xacml.values import Value

Bag = tuple[Value, ...]


def _one_and_only(bag: Bag) -> Value | Fault:
    return bag[0] if len(bag) == 1 else Fault(f"one value is wanted, there are {len(bag)}")


def _is_in(value: Value, bag: Bag) -> bool:
    return any(value == member for member in bag)


def _bag(*values: Value) -> Bag:
    return values


def _of(prefix: str, type: Type) -> dict[str, Function]:
    return {
        f"{prefix}-one-and-only": Function((type.bag,), type, _one_and_only),
        f"{prefix}-bag-size": Function((type.bag,), INTEGER, len),
        f"{prefix}-bag": Function((), type.bag, _bag, rest=type),
    }


_ADDRESSES: Final = (("ipAddress", IP_ADDRESS), ("dnsName", DNS_NAME))  # without equality, hence without is-in

FUNCTIONS: Final[Mapping[str, Function]] = {
    **{uri: function for name, type in NAMED for uri, function in _of(FUNCTION_1_0 + name, type).items()},
    **{uri: function for name, type in _ADDRESSES for uri, function in _of(FUNCTION_2_0 + name, type).items()},
    **{f"{FUNCTION_1_0}{name}-is-in": Function((type, type.bag), BOOLEAN, _is_in) for name, type in NAMED},
}
