"""Requests as the Java daemon understands them, responses as it writes them; every difference has its reason here."""

import json
from pathlib import Path
from typing import Any

import pytest

from argus_py.hessian import base64_lines, messages
from argus_py.hessian.messages import MessageError
from argus_py.hessian.reader import read
from argus_py.hessian.values import HessianError, HessianList, HessianMap, Value
from argus_py.hessian.writer import write
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import DataType, StatusUri
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import (
    AttributeAssignment,
    Decision,
    Effect,
    Obligation,
    Response,
    Result,
    Status,
    StatusCode,
    indeterminate,
)

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "pep" / "cases"
CASES: dict[str, Any] = {path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("*.json"))}
REQUESTS = [name for name in CASES if "request" in CASES[name] and "java_daemon" in CASES[name]]
UNDERSTOOD = [name for name in REQUESTS if "request_as_understood" in CASES[name]["java_daemon"]]
# The Java client does without a status; the PEP never sends such a response.
RESPONSES = [name for name in CASES if name.startswith("java-resp") and name != "java-resp-status-null"]

MODEL = "org.glite.authz.common.model."

READ_HERE_REFUSED_BY_JAVA = {
    "c-req-nonascii-astral": "what the C library makes of characters above U+FFFF is UTF-8",
    "srv-req-utf8-4byte": "the same",
    "srv-req-b64-high-bytes": "an octet outside the base64 alphabet is dropped, whatever it is",
    "srv-req-b64-no-padding-needed": "padding is not needed",
    "srv-req-attribute-values-null": "a null collection is an empty one",
    "srv-req-attributes-null": "a null collection is an empty one",
    "srv-req-subjects-null": "a null collection is an empty one",
}
REFUSED_HERE_READ_BY_JAVA = {
    "srv-req-attribute-id-missing": "nothing can match an attribute without id; the Java PDP fails on it",
    "srv-req-value-null": "the Java PEP reads it, then fails: Indeterminate",
    "srv-req-value-types": "binary values; in Java the policy compares with the address of an object",
}
NOT_WRITTEN_AS_BY_JAVA = {
    "java-resp-cyrillic-echo": "a request that the C library cannot read is not echoed",
    "java-resp-unicode-message": "characters that the C library cannot read are replaced",
    "java-resp-indeterminate-error": "Java echoes the sets it received, which are of another class",
    "java-resp-indeterminate-null-message": "the same",
    "java-resp-indeterminate-pip": "the same",
    "java-resp-shared-status": "a reference, which the C library cannot read",
}


def octets(name: str, side: str) -> bytes:
    return base64_lines.decode(CASES[name][side].encode("latin-1"))


def items(recorded: Any) -> list[Any]:
    return list(recorded["$items"]) if isinstance(recorded, dict) else list(recorded)


def java_text(value: Any) -> str:
    match value:
        case {"$long": number}:
            return str(number)
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def as_java_sets(recorded: Any) -> tuple[Any, ...]:
    """A request as the Java daemon understood it, without the order its sets have lost."""

    def attributes(owner: Any) -> frozenset[Any]:
        return frozenset(
            (a["id"], a["dataType"] or DataType.STRING, a["issuer"], frozenset(map(java_text, items(a["values"]))))
            for a in items(owner["attributes"])
        )

    return (
        frozenset((attributes(s), s["category"]) for s in items(recorded["subjects"])),
        frozenset((attributes(r), r["resourceContent"]) for r in items(recorded["resources"])),
        recorded["action"] and attributes(recorded["action"]),
        recorded["environment"] and attributes(recorded["environment"]),
    )


def as_sets(request: Request) -> tuple[Any, ...]:
    def attributes(owner: Subject | Resource | Action | Environment) -> frozenset[Any]:
        return frozenset((a.id, a.datatype, a.issuer, frozenset(a.values)) for a in owner.attributes)

    return (
        frozenset((attributes(s), s.category) for s in request.subjects),
        frozenset((attributes(r), r.content) for r in request.resources),
        request.action and attributes(request.action),
        request.environment and attributes(request.environment),
    )


def obj(name: str, **fields: Value) -> HessianMap:
    return HessianMap(MODEL + name, fields)


def listed(*values: Value) -> HessianList:
    return HessianList(values)


def request_with(*attributes: Value) -> bytes:
    return write(obj("Request", subjects=listed(obj("Subject", attributes=listed(*attributes)))))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_read_if_the_java_daemon_reads_it(name: str) -> None:
    java_reads = CASES[name]["java_daemon"]["status"] == 200
    if java_reads != (name in READ_HERE_REFUSED_BY_JAVA or name in REFUSED_HERE_READ_BY_JAVA):
        assert isinstance(messages.read_request(octets(name, "request")), Request)
    else:
        with pytest.raises((HessianError, MessageError)):
            messages.read_request(octets(name, "request"))


@pytest.mark.parametrize("name", sorted(set(UNDERSTOOD) - REFUSED_HERE_READ_BY_JAVA.keys() - {"srv-req-ref-valid"}))
def test_a_request_is_understood_as_by_the_java_daemon(name: str) -> None:
    request = messages.read_request(octets(name, "request"))
    assert as_sets(request) == as_java_sets(CASES[name]["java_daemon"]["request_as_understood"])


@pytest.mark.parametrize("name", RESPONSES)
def test_a_response_is_written_octet_for_octet_as_by_the_java_daemon(name: str) -> None:
    written = messages.write_response(messages.read_response(octets(name, "response")))
    assert (written == octets(name, "response")) == (name not in NOT_WRITTEN_AS_BY_JAVA)


def test_a_reference_is_read_as_what_it_refers_to() -> None:
    request = messages.read_request(octets("srv-req-ref-valid", "request"))
    assert request.action is not None
    assert request.action.attributes == request.subjects[0].attributes != ()


def test_attributes_and_values_keep_their_order_and_exact_duplicates_are_gone() -> None:
    first = obj("Attribute", id="b", values=listed("2", "1", "2"))
    second = obj("Attribute", id="a", values=listed("1"))
    same_set = obj("Attribute", id="b", values=listed("1", "2"))
    (subject,) = messages.read_request(request_with(first, second, same_set)).subjects
    assert subject.attributes == (Attribute("b", ("2", "1")), Attribute("a", ("1",)))


def test_two_attributes_of_one_id_stay_two_if_they_differ() -> None:
    primary = [obj("Attribute", id="primary", values=listed(value)) for value in ("first", "second")]
    (subject,) = messages.read_request(request_with(*primary)).subjects
    assert [attribute.values for attribute in subject.attributes] == [("first",), ("second",)]


def test_equal_subjects_and_resources_are_one() -> None:
    subject = obj("Subject", attributes=listed(obj("Attribute", id="a", values=listed("1"))))
    resource = obj("Resource", attributes=listed())
    request = obj("Request", subjects=listed(subject, subject), resources=listed(resource, resource))
    assert messages.read_request(write(request)) == Request((Subject((Attribute("a", ("1",)),)),), (Resource(),))


def test_texts_are_trimmed_and_blank_ones_are_absent_but_for_values() -> None:
    attribute = obj("Attribute", id=" a\n", dataType=" ", issuer="\t", values=listed(" 1 ", "", "\r\n", "\u00a0"))
    subject = obj("Subject", category=" ", attributes=listed(attribute))
    resource = obj("Resource", resourceContent=" text ", attributes=listed())
    request = messages.read_request(write(obj("Request", subjects=listed(subject), resources=listed(resource))))
    assert request.subjects == (Subject((Attribute("a", ("1", "", "\u00a0"), DataType.STRING),)),)
    assert request.resources == (Resource(content="text"),)


def test_a_blank_id_is_refused() -> None:
    with pytest.raises(MessageError, match="blank"):
        messages.read_request(request_with(obj("Attribute", id=" ", values=listed("1"))))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (42, "42"),
        (True, "true"),
        (1.5, "1.5"),
        (0.0, "0.0"),
        (-0.001, "-0.001"),
        (1e7, "1.0E7"),
        (-1.5e300, "-1.5E300"),
        (123456789.0, "1.23456789E8"),
        (2.5e-4, "2.5E-4"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_values_of_other_types_have_the_text_of_java(value: Value, text: str) -> None:
    (subject,) = messages.read_request(request_with(obj("Attribute", id="a", values=listed(value)))).subjects
    assert subject.attributes[0].values == (text,)


def test_a_map_without_type_is_refused_in_a_collection_and_taken_elsewhere() -> None:
    assert messages.read_request(write(HessianMap(None, {"action": HessianMap("", {})}))) == Request(action=Action())
    with pytest.raises(MessageError, match="a Subject is expected"):
        messages.read_request(write(obj("Request", subjects=listed(HessianMap()))))


def test_an_error_says_what_was_found_instead() -> None:
    with pytest.raises(MessageError) as caught:
        messages.read_request(write(obj("Request", subjects="none")))
    assert caught.value.reason == "subjects is expected to be a list, not a str"


RESULT = obj("Result", decision=1, status=obj("Status", statusCode=obj("StatusCode", code=StatusUri.OK)))


def altered(**fields: Value) -> bytes:
    """A response whose only result has other fields."""
    return write(obj("Response", results=listed(HessianMap(RESULT.type, {**RESULT.fields, **fields}))))


@pytest.mark.parametrize(
    "data",
    [
        write(None),
        write(HessianMap(None, {"results": listed()})),
        write(obj("Response", results=None)),
        write(obj("Response", results=listed(None))),
        altered(decision=None),
        altered(decision="1"),
        altered(decision=True),
        altered(decision=4),
        altered(decision=-1),
        altered(status=None),
        altered(status=obj("Status", statusCode=None)),
        altered(status=obj("Status", statusCode=obj("StatusCode"))),
        altered(resourceId=listed()),
        altered(obligations=None),
        altered(obligations=listed(obj("Obligation", fulfillOn=1))),
        altered(obligations=listed(obj("Obligation", id="o", fulfillOn=2))),
        altered(obligations=listed(obj("Obligation", id="o", attributeAssignments=listed(obj("AttributeAssignment"))))),
    ],
)
def test_a_response_without_what_matters_is_refused(data: bytes) -> None:
    with pytest.raises(MessageError):
        messages.read_response(data)


def test_a_response_may_lack_what_the_c_client_does_without() -> None:
    assert messages.read_response(write(obj("Response"))) == Response(())
    assert messages.read_response(altered()).results == (Result(Decision.PERMIT),)


def test_a_missing_decision_is_deny_and_so_is_a_missing_fulfill_on() -> None:
    status = RESULT.fields["status"]
    result = obj("Result", status=status, obligations=listed(obj("Obligation", id="o")))
    read_back = messages.read_response(write(obj("Response", results=listed(result))))
    assert read_back.results == (Result(Decision.DENY, obligations=(Obligation("o", Effect.DENY),)),)


def test_of_the_values_of_an_old_assignment_the_last_counts() -> None:
    assignment = obj("AttributeAssignment", attributeId="a", values=listed("1", "2"))
    obligation = obj("Obligation", id="o", fulfillOn=1, attributeAssignments=listed(assignment))
    (result,) = messages.read_response(altered(obligations=listed(obligation))).results
    assert result.obligations[0].assignments == (AttributeAssignment("a", "2", None),)


def test_a_request_the_c_library_cannot_read_is_not_echoed() -> None:
    for text in ("Иван", "a\0b", "\ud800"):
        request = Request((Subject((Attribute("id", (text,)),)),))
        written = read(messages.write_response(indeterminate("m", request)))
        assert isinstance(written, HessianMap)
        assert written.fields["request"] is None


def test_a_request_the_c_library_can_read_is_echoed() -> None:
    request = Request((Subject((Attribute("id", ("Müller € \U0001f600",)),)),), action=Action())
    assert messages.read_response(messages.write_response(indeterminate("m", request))).request == request


def test_text_the_c_library_cannot_read_is_replaced() -> None:
    text, readable = "é\u0400\u07ff\u0800\0\udfff", "é??\u0800??"
    status = Status(StatusCode(text, StatusCode(text)), text)
    obligation = Obligation(text, Effect.DENY, (AttributeAssignment(text, text, text),))
    response = Response((Result(Decision.DENY, status, (obligation,), text),))
    assert messages.read_response(messages.write_response(response)) == Response(
        (
            Result(
                Decision.DENY,
                Status(StatusCode(readable, StatusCode(readable)), readable),
                (Obligation(readable, Effect.DENY, (AttributeAssignment(readable, readable, readable),)),),
                readable,
            ),
        )
    )


def test_string_is_left_out_as_data_type_of_resources_and_actions_alone() -> None:
    attribute = Attribute("a", ("1",))
    request = Request(
        (Subject((attribute,)),), (Resource((attribute,)),), Action((attribute,)), Environment((attribute,))
    )
    written = messages.write_request(request)
    assert written.count(DataType.STRING.encode()) == 2
    assert messages.read_request(written) == request
