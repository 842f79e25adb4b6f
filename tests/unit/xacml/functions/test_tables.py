"""Which functions there are, and how they are called."""

import re

import pytest

from argus_py.model.identifiers import DataType
from argus_py.xacml.functions import (
    FUNCTIONS,
    HIGHER_ORDER_FUNCTIONS,
    XPATH_FUNCTIONS,
    UnknownFunction,
    match_function,
)
from argus_py.xacml.functions.signature import BOOLEAN, DOUBLE, INTEGER, STRING, Function, Type

_1_0 = "urn:oasis:names:tc:xacml:1.0:function:"
_2_0 = "urn:oasis:names:tc:xacml:2.0:function:"
FOURTEEN = [
    "string",
    "boolean",
    "integer",
    "double",
    "date",
    "time",
    "dateTime",
    "dayTimeDuration",
    "yearMonthDuration",
    "anyURI",
    "x500Name",
    "rfc822Name",
    "hexBinary",
    "base64Binary",
]
MANDATORY = {
    *(f"{_1_0}{name}-equal" for name in FOURTEEN),
    *(
        f"{_1_0}{name}-{relation}"
        for name in ("integer", "double", "string", "time", "date", "dateTime")
        for relation in ("greater-than", "greater-than-or-equal", "less-than", "less-than-or-equal")
    ),
    *(
        f"{_1_0}{name}-{what}"
        for name in ("integer", "double")
        for what in ["add", "subtract", "multiply", "divide", "abs"]
    ),
    *(_1_0 + name for name in ["integer-mod", "round", "floor", "integer-to-double", "double-to-integer"]),
    *(_1_0 + name for name in ["string-normalize-space", "string-normalize-to-lower-case", "or", "and", "n-of", "not"]),
    *(_2_0 + name for name in ["string-concatenate", "uri-string-concatenate", "time-in-range"]),
    *(f"{_1_0}dateTime-{verb}-{of}Duration" for verb in ("add", "subtract") for of in ("dayTime", "yearMonth")),
    *(f"{_1_0}date-{verb}-yearMonthDuration" for verb in ("add", "subtract")),
    *(
        f"{_1_0}{name}-{what}"
        for name in FOURTEEN
        for what in (
            [
                "one-and-only",
                "bag-size",
                "is-in",
                "bag",
                "intersection",
                "at-least-one-member-of",
                "union",
                "subset",
                "set-equals",
            ]
        )
    ),
    *(_1_0 + name for name in ["string-regexp-match", "x500Name-match", "rfc822Name-match"]),
    *(f"{_2_0}{name}-{what}" for name in ("ipAddress", "dnsName") for what in ["one-and-only", "bag-size", "bag"]),
    *(f"{_2_0}{name}-regexp-match" for name in ["anyURI", "ipAddress", "dnsName", "rfc822Name", "x500Name"]),
}
HIGHER_ORDER = {
    _1_0 + name for name in ["any-of", "all-of", "any-of-any", "all-of-any", "any-of-all", "all-of-all", "map"]
}
GLITE = {f"http://glite.org/xacml/algorithm/fqan-{name}" for name in ("match", "regexp-match")}
OTHER_NAMES = {
    f"{_2_0}url-string-concatenate": f"{_2_0}uri-string-concatenate",
    f"{_1_0}regexp-string-match": f"{_1_0}string-regexp-match",
}


def test_all_functions_of_the_standard_are_known() -> None:
    assert set(FUNCTIONS) - set(OTHER_NAMES) == MANDATORY | GLITE
    assert set(HIGHER_ORDER_FUNCTIONS) == HIGHER_ORDER
    assert set(XPATH_FUNCTIONS) == {
        _1_0 + name for name in ["xpath-node-count", "xpath-node-equal", "xpath-node-match"]
    }
    # The Java PDP registers 211, without those of bags of addresses.
    assert len({*FUNCTIONS, *HIGHER_ORDER_FUNCTIONS} - set(OTHER_NAMES)) == 211 + 6


def test_functions_are_known_by_the_other_names_that_policies_have_for_them() -> None:
    assert all(FUNCTIONS[other] is FUNCTIONS[uri] for other, uri in OTHER_NAMES.items())


def test_the_type_in_a_name_is_that_of_the_first_argument_or_its_members() -> None:
    for uri, function in FUNCTIONS.items():
        name = re.split("[:/]", uri)[-1].split("-")[0]
        if name in FOURTEEN and "-regexp-" not in uri and name != "rfc822Name":
            first = function.parameters[0] if function.parameters else function.rest
            assert first is not None
            assert first.datatype.endswith(name), uri


@pytest.mark.parametrize(
    ("types", "accepted"),
    [
        ((), False),
        ((INTEGER,), True),
        ((INTEGER, BOOLEAN, BOOLEAN), True),
        ((INTEGER, BOOLEAN, STRING), False),
        ((STRING,), False),
        ((INTEGER.bag,), False),
    ],
)
def test_further_arguments_are_of_the_type_of_the_rest(types: tuple[Type, ...], accepted: bool) -> None:
    assert FUNCTIONS[f"{_1_0}n-of"].accepts(types) is accepted


def test_no_further_argument_is_taken_without_a_rest() -> None:
    function = Function((DOUBLE,), DOUBLE, abs)
    assert function.accepts((DOUBLE,))
    assert not function.accepts((DOUBLE, DOUBLE))


@pytest.mark.parametrize("name", ["not", "string-is-in", "integer-add", "and", "any-of", "unknown"])
def test_a_match_needs_a_boolean_function_of_two_values(name: str) -> None:
    with pytest.raises(UnknownFunction) as refusal:
        match_function(_1_0 + name)
    assert refusal.value.uri == _1_0 + name
    assert match_function(f"{_1_0}integer-less-than").parameters == (Type(DataType.INTEGER),) * 2
