"""Which of two values is greater or later (XACML 2.0 appendices A.3.6 and A.3.8). Strings go by code points."""

import operator
from collections.abc import Mapping
from typing import Final

from argus_py.xacml.functions.signature import (
    BOOLEAN,
    DATE,
    DATE_TIME,
    DOUBLE,
    FUNCTION_1_0,
    FUNCTION_2_0,
    INTEGER,
    STRING,
    TIME,
    Function,
)
from argus_py.xacml.temporal import time_in_range

_ORDERED: Final = (
    ("integer", INTEGER),
    ("double", DOUBLE),
    ("string", STRING),
    ("time", TIME),
    ("date", DATE),
    ("dateTime", DATE_TIME),
)
_RELATIONS: Final = (
    ("greater-than", operator.gt),
    ("greater-than-or-equal", operator.ge),
    ("less-than", operator.lt),
    ("less-than-or-equal", operator.le),
)

FUNCTIONS: Final[Mapping[str, Function]] = {
    **{
        f"{FUNCTION_1_0}{name}-{relation}": Function((type, type), BOOLEAN, compare)
        for name, type in _ORDERED
        for relation, compare in _RELATIONS
    },
    # BETTER: Java compares with the lower bound alone.
    f"{FUNCTION_2_0}time-in-range": Function((TIME, TIME, TIME), BOOLEAN, time_in_range),
}
