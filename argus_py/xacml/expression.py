"""Expressions, their types and their values (XACML 2.0 sections 5.25 to 5.38 and 7.4).

Types are known before any request: an argument of the wrong type, a variable that is not defined or that needs itself,
and an unknown function are errors of the policy. What remains is a function from the attributes of a request to a
value, a bag or a Fault; evaluator and index use the same one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.identifiers import StatusUri
from argus_py.xacml.datatypes import READERS, principal_name
from argus_py.xacml.functions import (
    FUNCTIONS,
    HIGHER_ORDER_FUNCTIONS,
    PATTERN_FUNCTIONS,
    XPATH_FUNCTIONS,
    UnknownFunction,
)
from argus_py.xacml.functions.higher_order import HigherOrderFunction
from argus_py.xacml.functions.signature import BOOLEAN, STRING, Function, Type
from argus_py.xacml.functions.xpath import XPathFunction
from argus_py.xacml.outcome import Fault, Matched
from argus_py.xacml.policy import (
    Apply,
    AttributeDesignator,
    AttributeSelector,
    AttributeValue,
    Expression,
    FunctionReference,
    VariableDefinition,
    VariableReference,
)
from argus_py.xacml.request_attributes import RequestAttributes, source_of
from argus_py.xacml.xpath import XPath

MAX_DEPTH: Final = 100  # expressions within each other, through variables, too; documents are not deeper
_PATTERN_STEPS: Final = 500  # to make a pattern ready that a request brings: three milliseconds at worst

Evaluate = Callable[[RequestAttributes], object]  # a value, a bag or a Fault


class InvalidExpression(MalformedInput):
    """An expression that has no value for any request; ``reason`` names the function or variable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PreparedExpression:
    """``faults``: constants in it that can only be an error, each once. They make the policy no less usable.

    ``is_constant``: no request has a part in its value.
    """

    type: Type
    evaluate: Evaluate
    depth: int = 1
    faults: tuple[Fault, ...] = ()
    is_constant: bool = False


class Variables:
    """The variables of one policy, each prepared when it is first needed."""

    def __init__(self, definitions: Sequence[VariableDefinition]) -> None:
        """Raises InvalidExpression: one is defined twice."""
        self._definitions: dict[str, VariableDefinition] = {}
        self._prepared: dict[str, PreparedExpression] = {}
        self._open: list[str] = []
        self._depth = 0
        for definition in definitions:
            if definition.id in self._definitions:
                raise InvalidExpression(f"the variable {definition.id!r} is defined twice")
            self._definitions[definition.id] = definition

    def prepare_all(self) -> None:
        """Those that nothing refers to must be right, too. Raises as ``prepare``."""
        for id in self._definitions:
            self.prepared(id)

    def prepared(self, id: str) -> PreparedExpression:
        """Raises InvalidExpression: not defined, defined by itself, or as ``prepare``."""
        found = self._prepared.get(id)
        if found is not None:
            return found
        if id not in self._definitions:
            raise InvalidExpression(f"the variable {id!r} is not defined")
        if id in self._open:
            raise InvalidExpression(f"the variable {id!r} is defined by itself")
        self._open.append(id)
        try:
            found = self._prepared[id] = prepare(self._definitions[id].expression, self)
        finally:
            self._open.pop()
        return found

    @contextmanager
    def one_deeper(self) -> Iterator[None]:
        """Raises InvalidExpression: too deep."""
        self._depth = _deeper(self._depth)
        try:
            yield
        finally:
            self._depth -= 1


def prepare(expression: Expression, variables: Variables) -> PreparedExpression:
    """Raises InvalidExpression, UnknownFunction, XPathNotSupported."""
    with variables.one_deeper():
        if isinstance(expression, Apply):
            return _apply(expression, variables)
        if isinstance(expression, VariableReference):
            variable = variables.prepared(expression.id)
            return replace(variable, depth=_deeper(variable.depth))
        if isinstance(expression, AttributeValue):
            return _constant(expression)
        return _bag(expression)


def prepare_condition(condition: Expression, variables: Variables) -> PreparedExpression:
    """Raises InvalidExpression: not a single boolean value, or as ``prepare``; UnknownFunction, XPathNotSupported."""
    prepared = prepare(condition, variables)
    if prepared.type != BOOLEAN:
        raise InvalidExpression(f"the condition is not boolean, but {prepared.type}")
    return prepared


def truth(condition: PreparedExpression, attributes: RequestAttributes) -> Matched:
    """The value of a condition."""
    value = condition.evaluate(attributes)
    assert isinstance(value, bool | Fault)
    return value


def _constant(value: AttributeValue) -> PreparedExpression:
    reader = READERS.get(value.datatype)
    if reader is None:
        raise InvalidExpression(f"the data type {value.datatype!r} is not known")
    type = Type(principal_name(value.datatype))
    try:
        constant: object = reader(value.text)
    except MalformedInput as error:
        fault = Fault(f"the policy cannot be read: {error}", StatusUri.SYNTAX_ERROR)
        return PreparedExpression(type, lambda _: fault, faults=(fault,), is_constant=True)
    return PreparedExpression(type, lambda _: constant, is_constant=True)


def _bag(asked: AttributeDesignator | AttributeSelector) -> PreparedExpression:
    reader = READERS.get(asked.datatype)
    if reader is None:
        raise InvalidExpression(f"the data type {asked.datatype!r} is not known")
    source = source_of(asked)
    return PreparedExpression(
        Type(principal_name(asked.datatype)).bag, lambda attributes: source.values(attributes, reader)
    )


def _apply(apply: Apply, variables: Variables) -> PreparedExpression:
    if apply.function in HIGHER_ORDER_FUNCTIONS:
        return _higher_order(apply, HIGHER_ORDER_FUNCTIONS[apply.function], variables)
    if apply.function in XPATH_FUNCTIONS:
        return _on_nodes(apply, XPATH_FUNCTIONS[apply.function])
    function = _function(apply.function)
    arguments = _arguments(apply, apply.arguments, variables)
    if not function.accepts([argument.type for argument in arguments]):
        raise _wrong_arguments(apply, arguments)
    steps = _least_steps(apply.function, arguments)
    call = _lazy(function, arguments) if function.lazy else _eager(function, steps, arguments)
    return _prepared(function.result, call, arguments, _constant_faults(function, apply.arguments))


def _higher_order(apply: Apply, higher: HigherOrderFunction, variables: Variables) -> PreparedExpression:
    reference, *others = apply.arguments or (None,)
    if not isinstance(reference, FunctionReference):
        raise InvalidExpression(f"the first argument of {apply.function} is not a Function")
    function = _function(reference.function)
    arguments = _arguments(apply, others, variables)
    result = higher.result(function, [argument.type for argument in arguments])
    if result is None:
        raise _wrong_arguments(apply, arguments)
    steps = _least_steps(reference.function, arguments)

    def call(attributes: RequestAttributes) -> object:
        values = _values(arguments, attributes)
        if isinstance(values, Fault):
            return values
        return higher.call(partial(_charged, function, attributes, steps), *values)

    return _prepared(result, call, arguments, _constant_faults(function, others))


def _on_nodes(apply: Apply, function: XPathFunction) -> PreparedExpression:
    """BETTER: only constants are evaluated as XPath, so that no client brings an expression of its own."""
    paths: list[XPath] = []
    for argument in apply.arguments:
        if not isinstance(argument, AttributeValue) or argument.datatype != STRING.datatype:
            raise InvalidExpression(f"an argument of {apply.function} is not a constant string")
        paths.append(XPath.compile(argument.text, argument.namespaces))
    if len(paths) != function.arguments:
        raise InvalidExpression(f"{apply.function} takes {function.arguments} arguments, not {len(paths)}")

    def call(attributes: RequestAttributes) -> object:
        found = []
        for path in paths:
            nodes = attributes.nodes(path)
            if isinstance(nodes, Fault):
                return nodes
            found.append(nodes)
        return function.call(*found)

    return _prepared(function.result, call, (), ())


def _function(uri: str) -> Function:
    try:
        return FUNCTIONS[uri]
    except KeyError:
        raise UnknownFunction(uri) from None


def _arguments(
    apply: Apply, arguments: Sequence[Expression | FunctionReference], variables: Variables
) -> tuple[PreparedExpression, ...]:
    prepared = []
    for argument in arguments:
        if isinstance(argument, FunctionReference):
            raise InvalidExpression(f"{apply.function} takes no Function {argument.function} there")
        prepared.append(prepare(argument, variables))
    return tuple(prepared)


def _wrong_arguments(apply: Apply, arguments: Sequence[PreparedExpression]) -> InvalidExpression:
    types = ", ".join(str(argument.type) for argument in arguments) or "no arguments"
    return InvalidExpression(f"{apply.function} does not take {types}")


def _deeper(depth: int) -> int:
    """Raises InvalidExpression: too deep."""
    if depth == MAX_DEPTH:
        raise InvalidExpression(f"expressions are nested deeper than {MAX_DEPTH} levels")
    return depth + 1


def _constant_faults(function: Function, arguments: Sequence[Expression | FunctionReference]) -> tuple[Fault, ...]:
    """A first argument that can only be an error, a pattern for example."""
    if function.bind is None or not arguments or not isinstance(arguments[0], AttributeValue):
        return ()
    try:
        function.bind(READERS[arguments[0].datatype](arguments[0].text))
    except MalformedInput as error:
        return (Fault(f"the policy cannot be read: {error}", StatusUri.SYNTAX_ERROR),)
    return ()


def _prepared(
    result: Type, call: Evaluate, arguments: Sequence[PreparedExpression], faults: tuple[Fault, ...]
) -> PreparedExpression:
    depth = _deeper(max((argument.depth for argument in arguments), default=0))
    inner = [fault for argument in arguments for fault in argument.faults]
    is_constant = bool(arguments) and all(argument.is_constant for argument in arguments)
    return PreparedExpression(result, call, depth, tuple(dict.fromkeys((*inner, *faults))), is_constant)


def _eager(function: Function, steps: int, arguments: Sequence[PreparedExpression]) -> Evaluate:
    def call(attributes: RequestAttributes) -> object:
        values = _values(arguments, attributes)
        return values if isinstance(values, Fault) else _charged(function, attributes, steps, *values)

    return call


def _lazy(function: Function, arguments: Sequence[PreparedExpression]) -> Evaluate:
    def call(attributes: RequestAttributes) -> object:
        fault = attributes.spend(1)
        return fault or function.call(*(partial(argument.evaluate, attributes) for argument in arguments))

    return call


def _values(arguments: Sequence[PreparedExpression], attributes: RequestAttributes) -> list[object] | Fault:
    """All of them; the first that is a Fault, if one is."""
    values: list[object] = []
    for argument in arguments:
        value = argument.evaluate(attributes)
        if isinstance(value, Fault):
            return value
        values.append(value)
    return values


def _least_steps(function: str, arguments: Sequence[PreparedExpression]) -> int:
    """Of one call."""
    return _PATTERN_STEPS if function in PATTERN_FUNCTIONS and not arguments[0].is_constant else 1


def _charged(function: Function, attributes: RequestAttributes, steps: int, *values: object) -> object:
    """A call costs its least steps, one more for each member of a bag and for every 256 characters."""
    for value in values:
        if isinstance(value, tuple):
            steps += len(value)
        elif isinstance(value, str):
            steps += len(value) >> 8
    return attributes.spend(steps) or function.apply(*values)
