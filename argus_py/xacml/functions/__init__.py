"""The functions of XACML 2.0 (appendix A.3) and gLite, by URI; a family in each file."""

from collections.abc import Mapping
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.identifiers import Glite
from argus_py.xacml.functions import (
    arithmetic,
    bag,
    comparison,
    equality,
    higher_order,
    logic,
    match,
    set,
    string,
    temporal,
    xpath,
)
from argus_py.xacml.functions.signature import BOOLEAN, FUNCTION_1_0, Function

FUNCTIONS: Final[Mapping[str, Function]] = {
    **equality.FUNCTIONS,
    **arithmetic.FUNCTIONS,
    **string.FUNCTIONS,
    **logic.FUNCTIONS,
    **temporal.FUNCTIONS,
    **comparison.FUNCTIONS,
    **bag.FUNCTIONS,
    **set.FUNCTIONS,
    **match.FUNCTIONS,
}
PATTERN_FUNCTIONS: Final[Mapping[str, Function]] = match.PATTERN_FUNCTIONS  # their first argument is a pattern
HIGHER_ORDER_FUNCTIONS: Final[Mapping[str, higher_order.HigherOrderFunction]] = higher_order.FUNCTIONS
XPATH_FUNCTIONS: Final[Mapping[str, xpath.XPathFunction]] = xpath.FUNCTIONS


class FunctionUri:
    """Names of the functions that SPL attributes use."""

    STRING_EQUAL: Final = FUNCTION_1_0 + "string-equal"
    STRING_REGEXP_MATCH: Final = match.STRING_REGEXP_MATCH
    X500_NAME_EQUAL: Final = FUNCTION_1_0 + "x500Name-equal"
    FQAN_MATCH: Final = Glite.FQAN_MATCH


class UnknownFunction(MalformedInput):
    """No function of this ``uri`` is known here, or none for the place it stands in."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"the function {uri!r} is not supported")
        self.uri = uri


def match_function(uri: str) -> Function:
    """A function that a Match may name (XACML 2.0 section 7.5): boolean, of two single values.

    Raises UnknownFunction.
    """
    function = FUNCTIONS.get(uri)
    if function is None or not is_match_function(function):
        raise UnknownFunction(uri)
    return function


def is_match_function(function: Function) -> bool:
    parameters = function.parameters
    return function.result == BOOLEAN and len(parameters) == 2 and not any(each.is_bag for each in parameters)
