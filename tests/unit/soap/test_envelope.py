"""SOAP envelopes: what is taken, and the words of the refusals."""

from collections.abc import Callable

import pytest
from lxml import etree

from argus_py.soap import envelope
from argus_py.soap.envelope import HeaderNotUnderstood, NotAnEnvelope, UnexpectedBody
from argus_py.xacml.document import XmlSyntaxError

LIMIT = 10_000
SOAP = 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'


def message(body: str, header: str = "") -> bytes:
    return f"<s:Envelope {SOAP}>{header}{body}</s:Envelope>".encode()


def test_the_element_in_the_body_is_read() -> None:
    assert envelope.read(message("<s:Body> <a/> </s:Body>"), LIMIT).tag == "a"


@pytest.mark.parametrize(
    "body", ["", "<s:Body/>", "<s:Body>text</s:Body>", "<s:Body><a/><b/></s:Body>", "<Body><a/></Body>"]
)
def test_none_or_several_elements_in_the_body_are_refused(body: str) -> None:
    with pytest.raises(UnexpectedBody):
        envelope.read(message(body), LIMIT)


def test_all_elements_of_the_body_can_be_read() -> None:
    assert [child.tag for child in envelope.read_all(message("<s:Body><a/><b/></s:Body>"), LIMIT)] == ["a", "b"]
    assert envelope.read_all(message(""), LIMIT) == ()


@pytest.mark.parametrize("value", ["1", "true"])
def test_a_header_that_must_be_understood_is_refused(value: str) -> None:
    header = f'<s:Header><a/><x:token xmlns:x="urn:h" s:mustUnderstand="{value}"/></s:Header>'
    with pytest.raises(HeaderNotUnderstood, match=r"a header, \{urn:h\}token, that requires") as caught:
        envelope.read(message("<s:Body><a/></s:Body>", header), LIMIT)
    assert caught.value.name == "{urn:h}token"


def test_other_headers_are_not_looked_at() -> None:
    header = '<s:Header><a s:mustUnderstand="0"/><b mustUnderstand="1"/></s:Header>'
    assert envelope.read(message("<s:Body><a/></s:Body>", header), LIMIT).tag == "a"


@pytest.mark.parametrize(
    "document",
    [b"<Envelope><Body><a/></Body></Envelope>", b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>'],
)
def test_another_root_is_no_envelope(document: bytes) -> None:
    with pytest.raises(NotAnEnvelope):
        envelope.read(document, LIMIT)


def test_what_is_no_xml_is_refused_as_such() -> None:
    with pytest.raises(XmlSyntaxError):
        envelope.read(b"", LIMIT)


def test_an_envelope_is_one_line_with_the_declaration_of_the_java_services() -> None:
    assert envelope.write(etree.Element("a"), "soap11") == (
        b'<?xml version="1.0" encoding="UTF-8"?>'
        b'<soap11:Envelope xmlns:soap11="http://schemas.xmlsoap.org/soap/envelope/"><soap11:Body><a/></soap11:Body>'
        b"</soap11:Envelope>"
    )


def test_the_envelope_of_the_pap_declares_what_axis_declares(vector: Callable[[str], bytes]) -> None:
    start = vector("pap/response-policies.xml").partition(b"<soapenv:Body>")[0]
    assert envelope.write(etree.Element("a"), "soapenv").startswith(start)
