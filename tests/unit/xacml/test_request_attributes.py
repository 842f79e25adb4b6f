"""What policies see of a request."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, StatusUri
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import MissingAttribute
from argus_py.xacml.context_xml import CONTEXT_NAMESPACE
from argus_py.xacml.datatypes import READERS
from argus_py.xacml.outcome import Fault
from argus_py.xacml.policy import AttributeDesignator, AttributeSelector, Category
from argus_py.xacml.request_attributes import (
    MAX_VALUES,
    MAX_XPATH_NODES,
    RequestAttributes,
    TooManyValues,
    UnknownDataType,
    source_of,
)
from argus_py.xacml.temporal import DAY, DayTimeDuration, read_date, read_date_time, read_time

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONTEXT = (("c", CONTEXT_NAMESPACE),)


def values(asked: AttributeDesignator | AttributeSelector, request: Request, moment: datetime | None = None) -> object:
    return source_of(asked).values(RequestAttributes(request, moment), READERS[asked.datatype])


def test_subjects_of_one_category_and_resources_are_pooled() -> None:
    request = Request(
        (
            Subject((Attribute("a", ("1",)),)),
            Subject((Attribute("a", ("2",)),), "machine"),
            Subject((Attribute("a", ("3",), issuer="i"),)),
        ),
        (Resource((Attribute("a", ("4",)),)), Resource((Attribute("a", ("5",)),))),
    )
    subject = AttributeDesignator(Category.SUBJECT, "a", DataType.STRING)
    assert values(subject, request) == ("1", "3")
    assert values(AttributeDesignator(Category.SUBJECT, "a", DataType.STRING, issuer="i"), request) == ("3",)
    machine = AttributeDesignator(Category.SUBJECT, "a", DataType.STRING, subject_category="machine")
    assert values(machine, request) == ("2",)
    assert values(AttributeDesignator(Category.RESOURCE, "a", DataType.STRING), request) == ("4", "5")
    assert values(AttributeDesignator(Category.ACTION, "a", DataType.STRING), request) == ()
    assert values(AttributeDesignator(Category.SUBJECT, "a", DataType.ANY_URI), request) == ()


@pytest.mark.parametrize("sent", [DataType.DAY_TIME_DURATION, DataType.W3C_DAY_TIME_DURATION])
@pytest.mark.parametrize("asked", [DataType.DAY_TIME_DURATION, DataType.W3C_DAY_TIME_DURATION])
def test_both_names_of_a_data_type_mean_the_same(sent: str, asked: str) -> None:
    request = Request((Subject((Attribute("a", ("P1D",), sent),)),))
    assert values(AttributeDesignator(Category.SUBJECT, "a", asked), request) == (DayTimeDuration(DAY),)


@pytest.mark.parametrize(
    ("id", "datatype", "value"),
    [
        (AttributeId.CURRENT_TIME, DataType.TIME, read_time("12:00:00Z")),
        (AttributeId.CURRENT_DATE, DataType.DATE, read_date("2026-01-01Z")),
        (AttributeId.CURRENT_DATE_TIME, DataType.DATE_TIME, read_date_time("2026-01-01T12:00:00Z")),
    ],
)
def test_the_time_is_supplied_unless_the_request_tells_it(id: str, datatype: str, value: object) -> None:
    asked = AttributeDesignator(Category.ENVIRONMENT, id, datatype)
    assert values(asked, Request(), NOON) == (value,)
    assert values(asked, Request()) == ()
    told = Request(environment=Environment((Attribute(id, ("nonsense",), datatype),)))
    assert isinstance(values(asked, told, NOON), Fault)
    nothing_told = Request(environment=Environment((Attribute(id, (), datatype),)))
    assert values(asked, nothing_told, NOON) == (value,)  # or a blank time would step over a ban at that time
    assert values(AttributeDesignator(Category.ACTION, id, datatype), Request(), NOON) == ()
    assert values(AttributeDesignator(Category.ENVIRONMENT, id, DataType.STRING), Request(), NOON) == ()
    assert values(AttributeDesignator(Category.ENVIRONMENT, id, datatype, issuer="i"), Request(), NOON) == ()


def test_what_must_be_present_is_missed_by_name() -> None:
    asked = AttributeDesignator(Category.ACTION, "a", DataType.STRING, issuer="i", must_be_present=True)
    fault = values(asked, Request())
    assert isinstance(fault, Fault)
    assert (fault.status, fault.missing) == (
        StatusUri.MISSING_ATTRIBUTE,
        MissingAttribute("a", DataType.STRING, "i"),
    )
    assert values(asked, Request(action=Action((Attribute("a", ("",), issuer="i"),)))) == ("",)


MARKUP = f'<ResourceContent xmlns="{CONTEXT_NAMESPACE}"><r xmlns="urn:r"><n k="7"> 8 </n></r></ResourceContent>'
WITH_CONTENT = Request((Subject((Attribute("a", (" ", "x")),)),), (Resource((Attribute("a", ("1",)),), " 8 ", MARKUP),))


def selector(path: str, must_be_present: bool = False) -> AttributeSelector:
    return AttributeSelector(path, DataType.INTEGER, (*CONTEXT, ("r", "urn:r")), must_be_present)


def test_a_selector_sees_the_request_as_it_was_sent() -> None:
    assert values(selector("c:Resource/c:ResourceContent/r:r/r:n/@k"), WITH_CONTENT) == (7,)
    assert values(selector("//r:n/text()"), WITH_CONTENT) == (8,)
    assert values(selector("c:Resource/c:Attribute[@AttributeId='a']/c:AttributeValue/text()"), WITH_CONTENT) == (1,)
    texts = AttributeSelector("//c:Subject//text()", DataType.STRING, CONTEXT)
    assert values(texts, WITH_CONTENT) == ("", "x")


def test_a_selector_that_selects_nothing_is_an_error_if_it_must() -> None:
    assert values(selector("//r:none"), WITH_CONTENT) == ()
    fault = values(selector("//r:none", must_be_present=True), WITH_CONTENT)
    assert isinstance(fault, Fault)
    assert fault.status == StatusUri.MISSING_ATTRIBUTE


@pytest.mark.parametrize("path", ["//c:Subject//text()", "//r:n"])
def test_what_a_selector_cannot_read_is_a_syntax_error(path: str) -> None:
    fault = values(selector(path), WITH_CONTENT)
    assert isinstance(fault, Fault)
    assert fault.status == StatusUri.SYNTAX_ERROR


@pytest.mark.parametrize(
    "request_",
    [
        Request((Subject((Attribute("a", ("\x01",)),)),)),
        Request(resources=(Resource((), "x", "<r>"),)),
        Request((Subject((Attribute("a", ("",) * 2000),)),)),
    ],
)
def test_a_request_that_is_no_document_or_a_large_one_has_no_selected_values(request_: Request) -> None:
    assert isinstance(values(selector("//r:n/text()"), request_), Fault)


def test_a_request_is_searched_so_often_and_no_more() -> None:
    request = Request((Subject((Attribute("a", ("x",) * 900),)),))
    attributes = RequestAttributes(request)
    searches = [
        source_of(selector(f"//r:n{number}")).values(attributes, READERS[DataType.INTEGER]) for number in range(60)
    ]
    done = searches.index(next(each for each in searches if isinstance(each, Fault)))
    assert done == MAX_XPATH_NODES // 905  # values, three elements around them, two attributes
    again = source_of(selector("//r:n0")).values(attributes, READERS[DataType.INTEGER])
    assert again == ()


def test_functions_of_nodes_see_the_same_request(value_of: Callable[..., object]) -> None:
    assert value_of(("xpath-node-count", "string://*[@AttributeId]"), WITH_CONTENT) == 2
    assert isinstance(value_of(("xpath-node-count", "string:count(//*)"), WITH_CONTENT), Fault)
    half = Request(action=Action((Attribute("a", ("\ud800",)),)))
    assert isinstance(value_of(("xpath-node-count", "string://*"), half), Fault)


def test_unknown_data_types_and_too_many_values_are_refused_whatever_is_asked() -> None:
    with pytest.raises(UnknownDataType, match="urn:t"):
        RequestAttributes(Request(environment=Environment((Attribute("a", (), "urn:t"),))))
    many = Attribute("a", ("x",) * (MAX_VALUES // 2))
    RequestAttributes(Request((Subject((many, many)),)))
    with pytest.raises(TooManyValues):
        RequestAttributes(Request((Subject((many, many)),), action=Action((Attribute("b", ("x",)),))))
