"""One Match against one request, with functions beyond equality."""

from collections.abc import Callable
from typing import Any

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import DataType, StatusUri
from argus_py.model.request import Action, Request
from argus_py.xacml.functions import FUNCTIONS
from argus_py.xacml.matching import PreparedMatch
from argus_py.xacml.outcome import Fault, Matched
from argus_py.xacml.policy import AttributeDesignator, AttributeSelector, AttributeValue, Category, Match
from argus_py.xacml.request_attributes import RequestAttributes

_1_0, _2_0 = (f"urn:oasis:names:tc:xacml:{version}:function:" for version in ("1.0", "2.0"))


def matched(function: str, policy: tuple[str, str], sent: tuple[str, *tuple[str, ...]]) -> Matched:
    datatype, *texts = sent
    match = Match(function, AttributeValue(*policy), AttributeDesignator(Category.ACTION, "a", datatype))
    request = Request(action=Action((Attribute("a", tuple(texts), datatype),)))
    return PreparedMatch.of(match).matched(RequestAttributes(request))


@pytest.mark.parametrize(
    ("function", "policy", "sent", "outcome"),
    [
        (_1_0 + "integer-less-than", (DataType.INTEGER, "3"), (DataType.INTEGER, "1", "4"), True),
        (_1_0 + "integer-less-than", (DataType.INTEGER, "3"), (DataType.INTEGER, "1", "3"), False),
        (_1_0 + "rfc822Name-match", (DataType.STRING, "x.org"), (DataType.RFC822_NAME, "a@X.org"), True),
        (_2_0 + "dnsName-regexp-match", (DataType.STRING, ".*[.]org"), (DataType.DNS_NAME, "x.com", "x.org"), True),
        (_2_0 + "anyURI-regexp-match", (DataType.STRING, "u.*"), (DataType.ANY_URI, "x"), False),
        (
            _1_0 + "yearMonthDuration-equal",
            (DataType.YEAR_MONTH_DURATION, "P1Y"),
            (DataType.W3C_YEAR_MONTH_DURATION, "P12M"),
            True,
        ),
        (_1_0 + "boolean-equal", (DataType.BOOLEAN, "1"), (DataType.BOOLEAN, "true"), True),
    ],
)
def test_the_value_of_the_policy_is_the_first_argument(
    function: str, policy: tuple[str, str], sent: Any, outcome: bool
) -> None:
    assert matched(function, policy, sent) is outcome


@pytest.mark.parametrize(
    ("function", "policy", "sent"),
    [
        (_1_0 + "integer-less-than", (DataType.INTEGER, "x"), (DataType.INTEGER, "1")),
        (_1_0 + "integer-less-than", (DataType.INTEGER, "1"), (DataType.INTEGER, "2", "x")),
        (_1_0 + "integer-less-than", (DataType.STRING, "1"), (DataType.INTEGER, "2")),
        (_1_0 + "rfc822Name-match", (DataType.RFC822_NAME, "a@b"), (DataType.RFC822_NAME, "a@b")),
        (_2_0 + "anyURI-regexp-match", (DataType.STRING, "("), (DataType.ANY_URI, "x")),
    ],
)
def test_an_unreadable_value_or_a_wrong_type_is_a_syntax_error(
    function: str, policy: tuple[str, str], sent: Any
) -> None:
    fault = matched(function, policy, sent)
    assert isinstance(fault, Fault)
    assert fault.status == StatusUri.SYNTAX_ERROR


def test_one_value_that_matches_outweighs_one_that_cannot_be_matched() -> None:
    function, policy = _2_0 + "anyURI-regexp-match", (DataType.STRING, "u.*")
    unfit = "x\ud800"
    assert matched(function, policy, (DataType.ANY_URI, unfit, "u")) is True
    assert isinstance(matched(function, policy, (DataType.ANY_URI, "x", unfit)), Fault)


def test_a_selector_takes_the_place_of_a_designator() -> None:
    selector = AttributeSelector("//@AttributeId", DataType.STRING)
    match = Match(f"{_1_0}string-equal", AttributeValue(DataType.STRING, "a"), selector)
    request = Request(action=Action((Attribute("a", ()),)))
    assert PreparedMatch.of(match).matched(RequestAttributes(request)) is True
    assert PreparedMatch.of(match).matched(RequestAttributes(Request())) is False


def test_the_test_of_a_match_is_the_function_of_its_two_values(value_of: Callable[..., object]) -> None:
    """For every function that a Match may name."""
    texts = {
        "boolean": "true",
        "integer": "1",
        "double": "1",
        "time": "12:00:00",
        "date": "2026-01-01",
        "dateTime": "2026-01-01T12:00:00",
        "dayTimeDuration": "P1D",
        "yearMonthDuration": "P1Y",
        "x500Name": "CN=a",
        "rfc822Name": "a@b",
        "hexBinary": "0a",
        "base64Binary": "YQ==",
        "fqan": "/a",
        "ipAddress": "192.0.2.1",
        "dnsName": "a",
    }

    def of(datatype: str) -> str:
        return texts.get(datatype.replace("#", ":").replace("/", ":").rsplit(":", 1)[-1], "a")

    functions = {uri: f for uri, f in FUNCTIONS.items() if f.result.datatype == DataType.BOOLEAN}
    for uri, function in functions.items():
        types = [each.datatype for each in function.parameters]
        if len(types) == 2 and not any(each.is_bag for each in function.parameters):
            first, second = (AttributeValue(datatype, of(datatype)) for datatype in types)
            assert matched(uri, (types[0], of(types[0])), (types[1], of(types[1]))) is value_of((uri, first, second))
