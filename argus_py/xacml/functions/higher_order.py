"""Functions that apply a function to the members of bags (XACML 2.0 appendix A.3.12).

As with ``or`` and ``and``, the first result that settles the matter ends it, and so does the first error.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from argus_py.xacml.functions.signature import BOOLEAN, FUNCTION_1_0, Function, Type
from argus_py.xacml.outcome import Fault
from argus_py.xacml.values import Value

Bag = tuple[Value, ...]
Applied = Callable[..., object]  # of a boolean function: True, False or a Fault


@dataclass(frozen=True, slots=True)
class HigherOrderFunction:
    """``bags``: for each argument after the function, if it is a bag. The result is boolean or a bag of results."""

    bags: tuple[bool, ...]
    call: Callable[..., object]
    is_boolean: bool = True

    def result(self, function: Function, arguments: Sequence[Type]) -> Type | None:
        """None: the function does not take the members of these arguments, or gives something else than wanted."""
        if tuple(argument.is_bag for argument in arguments) != self.bags:
            return None
        if not function.accepts([argument.element for argument in arguments]):
            return None
        if self.is_boolean:
            return BOOLEAN if function.result == BOOLEAN else None
        return None if function.result.is_bag else function.result.bag


def _any(test: Applied, bag: Bag) -> object:
    for member in bag:
        result = test(member)
        if result is not False:
            return result
    return False


def _all(test: Applied, bag: Bag) -> object:
    for member in bag:
        result = test(member)
        if result is not True:
            return result
    return True


def _any_of(function: Applied, value: Value, bag: Bag) -> object:
    return _any(partial(function, value), bag)


def _all_of(function: Applied, value: Value, bag: Bag) -> object:
    return _all(partial(function, value), bag)


def _any_of_any(function: Applied, one: Bag, other: Bag) -> object:
    return _any(lambda member: _any_of(function, member, other), one)


def _all_of_any(function: Applied, one: Bag, other: Bag) -> object:
    """Each member of the first bag has one in the second."""
    return _all(lambda member: _any_of(function, member, other), one)


def _any_of_all(function: Applied, one: Bag, other: Bag) -> object:
    """Some member of the first bag has all in the second."""
    return _any(lambda member: _all_of(function, member, other), one)


def _all_of_all(function: Applied, one: Bag, other: Bag) -> object:
    return _all(lambda member: _all_of(function, member, other), one)


def _map(function: Applied, bag: Bag) -> object:
    results = []
    for member in bag:
        result = function(member)
        if isinstance(result, Fault):
            return result
        results.append(result)
    return tuple(results)


FUNCTIONS: Final[Mapping[str, HigherOrderFunction]] = {
    f"{FUNCTION_1_0}any-of": HigherOrderFunction((False, True), _any_of),
    f"{FUNCTION_1_0}all-of": HigherOrderFunction((False, True), _all_of),
    f"{FUNCTION_1_0}any-of-any": HigherOrderFunction((True, True), _any_of_any),
    f"{FUNCTION_1_0}all-of-any": HigherOrderFunction((True, True), _all_of_any),
    f"{FUNCTION_1_0}any-of-all": HigherOrderFunction((True, True), _any_of_all),
    f"{FUNCTION_1_0}all-of-all": HigherOrderFunction((True, True), _all_of_all),
    f"{FUNCTION_1_0}map": HigherOrderFunction((True,), _map, is_boolean=False),
}
