"""Expressions in short: ``("integer-add", "integer:1", "integer:2")``."""

from collections.abc import Callable
from typing import Any

import pytest

from argus_py.model.identifiers import DataType
from argus_py.model.request import Request
from argus_py.xacml.expression import Variables, prepare
from argus_py.xacml.functions import FUNCTIONS, HIGHER_ORDER_FUNCTIONS, XPATH_FUNCTIONS
from argus_py.xacml.policy import Apply, AttributeValue, Expression, FunctionReference
from argus_py.xacml.request_attributes import RequestAttributes

Short = Any  # a tuple of a function's name and its arguments, a text "type:value", "function:name", or an expression

_FUNCTIONS: dict[str, str] = {
    uri.rsplit(":", 1)[-1].rsplit("/", 1)[-1]: uri for uri in (*FUNCTIONS, *HIGHER_ORDER_FUNCTIONS, *XPATH_FUNCTIONS)
}
_DATATYPES = {
    uri.replace("#", ":").rsplit(":", 1)[-1].rsplit("/", 1)[-1]: uri
    for name, uri in vars(DataType).items()
    if not name.startswith(("_", "W3C"))
}


def expression_of(short: Short) -> Any:
    """Which is an Expression, or a FunctionReference for ``function:name``."""
    if isinstance(short, tuple):
        name: str = short[0]
        return Apply(_FUNCTIONS.get(name, name), tuple(map(expression_of, short[1:])))
    if not isinstance(short, str):
        return short
    word, text = short.split(":", 1)
    if word == "function":
        return FunctionReference(_FUNCTIONS.get(text, text))
    return AttributeValue(_DATATYPES[word], text)


@pytest.fixture(scope="session")
def expression() -> Callable[[Short], Expression]:
    return expression_of


@pytest.fixture(scope="session")
def value_of() -> Callable[..., object]:
    """The value of an expression in short, or its Fault, for a request."""

    def value_of(short: Short, request: Request | None = None) -> object:
        return prepare(expression_of(short), Variables(())).evaluate(RequestAttributes(request or Request()))

    return value_of
