"""Equality of two values of one type (XACML 2.0 appendix A.3.1) and of FQANs (gLite).

Source: argus-pdp:src/main/java/org/glite/authz/pdp/xacml/FQANEqualFunction.java
"""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from argus_py.model.identifiers import Glite
from argus_py.xacml.functions.signature import BOOLEAN, FQAN, FUNCTION_1_0, NAMED, Function, Type
from argus_py.xacml.values import Value


@dataclass(frozen=True, slots=True)
class Equals:
    """A test that can be looked up: ``value`` is hashable, and equal values are equal by the rules of their type."""

    value: Value

    def __call__(self, value: Value) -> bool:
        return self.value == value


def _equality(type: Type) -> Function:
    return Function((type, type), BOOLEAN, operator.eq, bind=Equals)


FUNCTIONS: Final[Mapping[str, Function]] = {
    **{f"{FUNCTION_1_0}{name}-equal": _equality(type) for name, type in NAMED},
    Glite.FQAN_MATCH: _equality(FQAN),
}
