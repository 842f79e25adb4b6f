"""Expressions: types are known before any request, and what they may cost."""

from collections.abc import Callable
from typing import Any

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import DataType, StatusUri
from argus_py.model.request import Action, Request
from argus_py.xacml.expression import MAX_DEPTH, InvalidExpression, Variables, prepare, prepare_condition, truth
from argus_py.xacml.functions import UnknownFunction
from argus_py.xacml.functions.signature import BOOLEAN, INTEGER
from argus_py.xacml.outcome import Fault
from argus_py.xacml.policy import (
    AttributeDesignator,
    AttributeSelector,
    AttributeValue,
    Category,
    Expression,
    VariableDefinition,
    VariableReference,
)
from argus_py.xacml.request_attributes import MAX_STEPS, RequestAttributes
from argus_py.xacml.xpath import XPathNotSupported

In = Callable[[Any], Expression]
NO_VARIABLES = Variables(())
NUMBERS = AttributeDesignator(Category.ACTION, "n", DataType.INTEGER)
TRUE = AttributeValue(DataType.BOOLEAN, "true")


def request_with(*numbers: object) -> Request:
    return Request(action=Action((Attribute("n", tuple(map(str, numbers)), DataType.INTEGER),)))


def test_a_designator_gives_the_bag_of_its_type(value_of: Callable[..., object]) -> None:
    assert value_of(NUMBERS, request_with(1, 2, 1)) == (1, 2, 1)
    assert value_of(NUMBERS) == ()
    assert prepare(NUMBERS, NO_VARIABLES).type == INTEGER.bag


def test_an_unreadable_value_of_the_request_spoils_the_whole_expression(value_of: Callable[..., object]) -> None:
    fault = value_of(("integer-bag-size", NUMBERS), request_with(1, "x"))
    assert isinstance(fault, Fault)
    assert fault.status == StatusUri.SYNTAX_ERROR


def test_an_unreadable_constant_is_a_fault_that_is_known_before(expression: In) -> None:
    prepared = prepare(expression(("integer-add", "integer:x", ("integer-abs", "integer:x"))), NO_VARIABLES)
    assert [fault.status for fault in prepared.faults] == [StatusUri.SYNTAX_ERROR]
    assert prepared.evaluate(RequestAttributes(Request())) in prepared.faults


@pytest.mark.parametrize(
    "short",
    [
        ("string-regexp-match", "string:[a&&b]", "string:a"),
        ("any-of", "function:string-regexp-match", "string:[a&&b]", ("string-bag",)),
        ("fqan-regexp-match", "fqan:/a*", "fqan:/a"),
    ],
)
def test_a_constant_pattern_that_is_not_supported_is_known_before(short: Any, expression: In) -> None:
    (fault,) = prepare(expression(short), NO_VARIABLES).faults
    assert "the policy cannot be read" in fault.reason


@pytest.mark.parametrize(
    ("short", "reason"),
    [
        (("string-equal", "string:a"), "does not take"),
        (("string-equal", "string:a", "integer:1"), "does not take"),
        (("string-equal", "string:a", ("string-bag", "string:a")), "a bag of"),
        (("or", "string:a"), "does not take"),
        (("integer-abs",), "no arguments"),
        (("string-equal", "function:string-equal", "string:a"), "takes no Function"),
        (("any-of",), "is not a Function"),
        (("any-of", "string:a", "string:a", ("string-bag",)), "is not a Function"),
        (("any-of", "function:string-equal", "string:a", "string:a"), "does not take"),
        (("any-of", "function:string-equal", "integer:1", ("string-bag",)), "does not take"),
        (("any-of", "function:integer-add", "integer:1", ("integer-bag",)), "does not take"),
        (("any-of-any", "function:string-equal", ("string-bag",), ("string-bag",), ("string-bag",)), "does not take"),
        (("map", "function:string-bag", ("string-bag",)), "does not take"),
        (("map", "function:string-equal", ("string-bag",)), "does not take"),
        (("xpath-node-count", ("string-concatenate", "string:a", "string:b")), "is not a constant string"),
        (("xpath-node-count", "integer:1"), "is not a constant string"),
        (("xpath-node-equal", "string:a"), "takes 2 arguments, not 1"),
    ],
)
def test_arguments_of_another_type_are_refused(short: Any, reason: str, expression: In) -> None:
    with pytest.raises(InvalidExpression, match=reason):
        prepare(expression(short), NO_VARIABLES)


@pytest.mark.parametrize(
    ("short", "name"),
    [
        (("urn:unknown",), "urn:unknown"),
        (("any-of", "function:urn:unknown"), "urn:unknown"),
        (("any-of", "function:any-of"), "any-of"),
    ],
)
def test_a_function_that_is_not_known_there_is_named(short: Any, name: str, expression: In) -> None:
    with pytest.raises(UnknownFunction, match=name):
        prepare(expression(short), NO_VARIABLES)


@pytest.mark.parametrize(
    "wrong",
    [AttributeValue("urn:t", "x"), AttributeDesignator(Category.ACTION, "a", "urn:t"), AttributeSelector("a", "urn:t")],
)
def test_an_unknown_data_type_is_named(wrong: Expression) -> None:
    with pytest.raises(InvalidExpression, match="urn:t"):
        prepare(wrong, NO_VARIABLES)


def test_an_xpath_expression_that_is_none_is_refused(expression: In) -> None:
    for wrong in (AttributeSelector("[", DataType.STRING), expression(("xpath-node-count", "string:["))):
        with pytest.raises(XPathNotSupported):
            prepare(wrong, NO_VARIABLES)


def test_both_names_of_a_duration_are_one_type(value_of: Callable[..., object]) -> None:
    other_name = AttributeValue(DataType.W3C_YEAR_MONTH_DURATION, "P1Y")
    assert value_of(("yearMonthDuration-equal", "yearMonthDuration:P12M", other_name)) is True


def test_a_condition_is_a_single_boolean() -> None:
    attributes = RequestAttributes(Request())
    assert truth(prepare_condition(TRUE, NO_VARIABLES), attributes) is True
    for wrong in (AttributeValue(DataType.STRING, "true"), AttributeDesignator(Category.ACTION, "a", DataType.BOOLEAN)):
        with pytest.raises(InvalidExpression, match="not boolean"):
            prepare_condition(wrong, NO_VARIABLES)


def test_a_variable_stands_for_its_expression(expression: In) -> None:
    variables = Variables(
        (
            VariableDefinition("b", expression(("not", VariableReference("a")))),
            VariableDefinition("a", TRUE),
        )
    )
    variables.prepare_all()
    prepared = prepare(VariableReference("b"), variables)
    assert (prepared.type, prepared.evaluate(RequestAttributes(Request()))) == (BOOLEAN, False)


def test_variables_that_cannot_be_are_refused(expression: In) -> None:
    with pytest.raises(InvalidExpression, match="'a' is defined twice"):
        Variables((VariableDefinition("a", TRUE), VariableDefinition("a", TRUE)))
    with pytest.raises(InvalidExpression, match="'w' is not defined"):
        prepare(VariableReference("w"), Variables((VariableDefinition("a", TRUE),)))
    circle = (
        VariableDefinition("a", expression(("not", VariableReference("b")))),
        VariableDefinition("b", VariableReference("a")),
    )
    with pytest.raises(InvalidExpression, match="'a' is defined by itself"):
        Variables(circle).prepare_all()
    with pytest.raises(InvalidExpression, match="does not take"):
        Variables((VariableDefinition("unused", expression(("not",))),)).prepare_all()


def nested(depth: int, expression: In) -> Expression:
    inner: Expression = TRUE
    for _ in range(depth):
        inner = expression(("not", inner))
    return inner


def test_expressions_are_nested_so_deep_and_no_deeper(expression: In) -> None:
    deepest = prepare(nested(MAX_DEPTH - 1, expression), NO_VARIABLES)
    assert isinstance(deepest.evaluate(RequestAttributes(Request())), bool)
    with pytest.raises(InvalidExpression, match="deeper"):
        prepare(nested(MAX_DEPTH, expression), NO_VARIABLES)
    with pytest.raises(InvalidExpression, match="deeper"):
        prepare(nested(5000, expression), NO_VARIABLES)


@pytest.mark.parametrize("first_to_last", [True, False])
def test_variables_do_not_nest_deeper(first_to_last: bool, expression: In) -> None:
    chain = [VariableDefinition("0", TRUE)]
    chain += (
        VariableDefinition(str(number), expression(("not", VariableReference(str(number - 1)))))
        for number in range(1, 5000)
    )
    variables = Variables(chain if first_to_last else chain[::-1])
    with pytest.raises(InvalidExpression, match="deeper"):
        variables.prepare_all()


def test_a_chain_of_plain_references_does_not_nest_deeper() -> None:
    chain = [VariableDefinition(str(number), VariableReference(str(number + 1))) for number in range(5000)]
    with pytest.raises(InvalidExpression, match="deeper"):
        Variables((*chain, VariableDefinition("5000", TRUE))).prepare_all()


def test_what_would_take_too_many_steps_is_an_error(value_of: Callable[..., object]) -> None:
    quadratic = ("all-of-all", "function:integer-greater-than-or-equal", NUMBERS, NUMBERS)
    assert value_of(quadratic, request_with(*[1] * 200)) is True
    fault = value_of(quadratic, request_with(*[1] * 400))
    assert isinstance(fault, Fault)
    assert f"more than {MAX_STEPS} steps" in fault.reason


def test_variables_that_double_the_work_again_and_again_are_stopped(expression: In) -> None:
    doubled = [VariableDefinition("0", TRUE)]
    for number in range(1, 40):
        before = VariableReference(str(number - 1))
        doubled.append(VariableDefinition(str(number), expression(("and", before, before))))
    prepared = prepare(VariableReference("39"), Variables(doubled))
    assert isinstance(prepared.evaluate(RequestAttributes(Request())), Fault)


def test_long_texts_take_more_steps_than_short_ones(value_of: Callable[..., object]) -> None:
    texts = AttributeDesignator(Category.ACTION, "t", DataType.STRING)
    quadratic = ("all-of-all", "function:string-greater-than-or-equal", texts, texts)

    def request(length: int) -> Request:
        return Request(action=Action((Attribute("t", ("x" * length,) * 100),)))

    assert value_of(quadratic, request(100)) is True
    assert isinstance(value_of(quadratic, request(10_000)), Fault)


def test_patterns_that_a_request_brings_are_expensive_and_those_of_the_policy_are_not(
    value_of: Callable[..., object],
) -> None:
    texts = AttributeDesignator(Category.ACTION, "t", DataType.STRING)
    of_policy = ("string-bag", *(f"string:[^/]{{1,{number}}}/" for number in range(1, 100)))
    one_value = ("string-bag", "string:x")

    def request(patterns: int) -> Request:
        values = tuple(f"[^/]{{1,{number}}}/" for number in range(1, patterns + 1))
        return Request(action=Action((Attribute("t", values),)))

    from_request = ("any-of-any", "function:string-regexp-match", texts, one_value)
    assert value_of(from_request, request(100)) is False
    fault = value_of(from_request, request(400))
    assert isinstance(fault, Fault)
    assert f"more than {MAX_STEPS} steps" in fault.reason
    one_by_one = ("string-regexp-match", ("string-one-and-only", texts), "string:x")
    assert value_of(("or", *[one_by_one] * 100), request(1)) is False
    assert isinstance(value_of(("or", *[one_by_one] * 400), request(1)), Fault)
    assert value_of(("any-of-any", "function:string-regexp-match", of_policy, texts), request(100)) is False
