"""``or``, ``and``, ``n-of`` and ``not`` (XACML 2.0 appendix A.3.5).

Arguments are evaluated from left to right until the result is settled: an error counts where it is reached.

BETTER: Java evaluates all of them first, and one error anywhere is the result.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Final

from argus_py.xacml.functions.signature import BOOLEAN, FUNCTION_1_0, INTEGER, Function
from argus_py.xacml.outcome import Fault, Matched

Argument = Callable[[], Matched]


def _or(*arguments: Argument) -> Matched:
    for argument in arguments:
        value = argument()
        if value is not False:
            return value
    return False


def _and(*arguments: Argument) -> Matched:
    for argument in arguments:
        value = argument()
        if value is not True:
            return value
    return True


def _n_of(number: Callable[[], int | Fault], *arguments: Argument) -> Matched:
    wanted = number()
    if isinstance(wanted, Fault):
        return wanted
    if not 0 <= wanted <= len(arguments):
        return Fault(f"n-of wants {wanted} of {len(arguments)} arguments to be true")
    for position, argument in enumerate(arguments):
        if wanted == 0 or wanted > len(arguments) - position:
            break
        value = argument()
        if isinstance(value, Fault):
            return value
        wanted -= value
    return wanted == 0


FUNCTIONS: Final[Mapping[str, Function]] = {
    f"{FUNCTION_1_0}or": Function((), BOOLEAN, _or, rest=BOOLEAN, lazy=True),
    f"{FUNCTION_1_0}and": Function((), BOOLEAN, _and, rest=BOOLEAN, lazy=True),
    f"{FUNCTION_1_0}n-of": Function((INTEGER,), BOOLEAN, _n_of, rest=BOOLEAN, lazy=True),
    f"{FUNCTION_1_0}not": Function((BOOLEAN,), BOOLEAN, operator.not_),
}
