"""Every response this package can write is read by both clients, judged by readers as strict and as wrong as theirs.

The readers below take what libargus-pep 2.3.1 and the Java client are known to need, and nothing else: all fields in
the Java order, class and list types, no reference; each counts characters as its original does.
"""

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.hessian import messages
from argus_py.model.attribute import Attribute
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

MODEL: Final = "org.glite.authz.common.model."
LAZY_LIST, LAZY_SET = MODEL + "util.LazyList", MODEL + "util.LazySet"

# Class -> fields in order; a field is text, text or null, an int below a bound, a list, an object or null.
TEXT, TEXT_OR_NULL = "text", "text or null"
Field = str | int | tuple[str, str]  # (list type or "object" or "object or null", class name or TEXT)
CLASSES: Final[dict[str, dict[str, Field]]] = {
    "Response": {"request": ("object or null", "Request"), "results": (LAZY_LIST, "Result")},
    "Result": {
        "decision": 4,
        "resourceId": TEXT_OR_NULL,
        "status": ("object", "Status"),
        "obligations": (LAZY_LIST, "Obligation"),
    },
    "Status": {"message": TEXT_OR_NULL, "statusCode": ("object", "StatusCode")},
    "StatusCode": {"code": TEXT, "subCode": ("object or null", "StatusCode")},
    "Obligation": {"id": TEXT, "fulfillOn": 2, "attributeAssignments": (LAZY_LIST, "AttributeAssignment")},
    "AttributeAssignment": {"attributeId": TEXT, "dataType": TEXT_OR_NULL, "value": TEXT_OR_NULL},
    "Request": {
        "subjects": (LAZY_SET, "Subject"),
        "resources": (LAZY_SET, "Resource"),
        "action": ("object or null", "Action"),
        "environment": ("object or null", "Environment"),
    },
    "Subject": {"category": TEXT_OR_NULL, "attributes": (LAZY_SET, "Attribute")},
    "Resource": {"resourceContent": TEXT_OR_NULL, "attributes": (LAZY_SET, "Attribute")},
    "Action": {"attributes": (LAZY_SET, "Attribute")},
    "Environment": {"attributes": (LAZY_SET, "Attribute")},
    "Attribute": {"id": TEXT, "dataType": TEXT_OR_NULL, "issuer": TEXT_OR_NULL, "values": (LAZY_SET, TEXT)},
}


class StrictReader:
    """Accepts one response and nothing after it; an AssertionError says what a client would stumble over."""

    def __init__(self, data: bytes, character: Callable[[bytes, int], int]) -> None:
        self.data = data
        self.position = 0
        self.character = character  # octets of the character at a position, as the client sees it

    def accept(self) -> None:
        self.object("Response")
        assert self.position == len(self.data)

    def object(self, name: str) -> None:
        self.expect(b"Mt")
        assert self.characters() == (MODEL + name).encode()
        for key, field in CLASSES[name].items():
            self.expect(b"S")
            assert self.characters() == key.encode()
            self.field(field)
        self.expect(b"z")

    def field(self, field: Field) -> None:
        match field:
            case int():
                self.expect(b"I\0\0\0")
                assert self.octets(1)[0] < field
            case "text":
                self.text()
            case "text or null":
                if not self.null():
                    self.text()
            case ("object or null", name):
                if not self.null():
                    self.object(name)
            case ("object", name):
                self.object(name)
            case (list_type, element):
                self.expect(b"Vt")
                assert self.characters() == list_type.encode()
                self.expect(b"l")
                for _ in range(int.from_bytes(self.octets(4))):
                    self.text() if element == TEXT else self.object(element)
                self.expect(b"z")

    def null(self) -> bool:
        found = self.data.startswith(b"N", self.position)
        self.position += found
        return found

    def text(self) -> None:
        while self.octets(1) == b"s":
            self.characters()
        assert self.data[self.position - 1 : self.position] == b"S"
        self.characters()

    def characters(self) -> bytes:
        count = int.from_bytes(self.octets(2))
        start = self.position
        for _ in range(count):
            self.octets(self.character(self.data, self.position))
        text = self.data[start : self.position]
        assert b"\0" not in text, "a NUL ends a C string"
        return text

    def octets(self, count: int) -> bytes:
        self.position += count
        assert self.position <= len(self.data)
        return self.data[self.position - count : self.position]

    def expect(self, octets: bytes) -> None:
        assert self.octets(len(octets)) == octets


def character_in_c(data: bytes, position: int) -> int:
    """Its test for two octets looks at four bits and misses D0 to DF."""
    lead = data[position]
    return {0xC0: 2, 0xE0: 3, 0xF0: 4}.get(lead & 0xF0, 1)


def character_in_java(data: bytes, position: int) -> int:
    lead = data[position]
    assert lead < 0x80 or 0xC0 <= lead < 0xF0, "bad utf-8 encoding"
    return 1 if lead < 0x80 else 2 if lead < 0xE0 else 3


READABLE = st.text(st.characters(codec="ascii", exclude_characters="\0")) | st.sampled_from(["é€", "\U0001f600" * 3])
TEXTS = READABLE | st.sampled_from(["\u05d0" * 3, "a\0b"]) | st.text(st.characters(exclude_categories=()))


def requests(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Request]:
    values = st.lists(texts, max_size=2).map(tuple)
    attributes = st.lists(st.builds(Attribute, texts, values, texts, st.none() | texts), max_size=2).map(tuple)
    return st.builds(
        Request,
        st.lists(st.builds(Subject, attributes, st.none() | texts), max_size=2).map(tuple),
        st.lists(st.builds(Resource, attributes, st.none() | texts), max_size=1).map(tuple),
        st.none() | st.builds(Action, attributes),
        st.none() | st.builds(Environment, attributes),
    )


CODES = st.builds(StatusCode, TEXTS, st.none() | st.builds(StatusCode, TEXTS))
ASSIGNMENTS = st.lists(st.builds(AttributeAssignment, TEXTS, st.none() | TEXTS, st.none() | TEXTS), max_size=2)
OBLIGATIONS = st.lists(st.builds(Obligation, TEXTS, st.sampled_from(Effect), ASSIGNMENTS.map(tuple)), max_size=2)
RESULTS = st.builds(
    Result,
    st.sampled_from(Decision),
    st.builds(Status, CODES, st.none() | TEXTS),
    OBLIGATIONS.map(tuple),
    st.none() | TEXTS,
)
RESPONSES = st.builds(
    Response, st.lists(RESULTS, max_size=2).map(tuple), st.none() | requests(READABLE) | requests(TEXTS)
)


@settings(max_examples=100, deadline=None)
@given(RESPONSES)
def test_both_clients_read_every_response(response: Response) -> None:
    written = messages.write_response(response)
    StrictReader(written, character_in_c).accept()
    StrictReader(written, character_in_java).accept()


@pytest.mark.parametrize("character", [character_in_c, character_in_java])
@pytest.mark.parametrize("text", ["a" * 32767 + "\U0001f600", "é" * 40000, "\U0001f600" * 20000, "\u05d0" * 70000])
def test_both_clients_read_long_texts(text: str, character: Callable[[bytes, int], int]) -> None:
    StrictReader(messages.write_response(indeterminate(text)), character).accept()


@settings(max_examples=100, deadline=None)
@given(RESPONSES)
def test_decisions_and_obligations_survive_the_wire(response: Response) -> None:
    read_back = messages.read_response(messages.write_response(response))
    assert [result.decision for result in read_back.results] == [result.decision for result in response.results]
    for result, original in zip(read_back.results, response.results, strict=True):
        assert [o.fulfill_on for o in result.obligations] == [o.fulfill_on for o in original.obligations]
