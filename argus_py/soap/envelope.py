"""SOAP 1.1 envelopes around one element.

Two spellings are on the wire: OpenSAML's (PEP server and PDP, prefix ``soap11``) and Axis' (PAP, prefix ``soapenv`` and
two declarations nobody uses).

COMPAT: the messages of the errors are the texts of the Java PDP's faults, misspelled where they are.

Source: argus-pdp:src/main/java/org/glite/authz/pdp/server/AuthorizationRequestServlet.java (the behaviour followed)
"""

from typing import Final, Literal

from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.xacml import document

SOAP_NAMESPACE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
CONTENT_TYPE: Final = "text/xml;charset=utf-8"  # of requests and answers; receivers do not look at it

Prefix = Literal["soap11", "soapenv"]

_S: Final = f"{{{SOAP_NAMESPACE}}}"
_XML_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>'
_DECLARED: Final[dict[Prefix, dict[str, str]]] = {
    "soap11": {"soap11": SOAP_NAMESPACE},
    "soapenv": {
        "soapenv": SOAP_NAMESPACE,
        "xsd": "http://www.w3.org/2001/XMLSchema",
        "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    },
}


class NotAnEnvelope(MalformedInput):
    """The document is no SOAP 1.1 envelope; carries the name found."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Unable to unmarshall message, no unmarshaller registered for message element {name}")
        self.name = name


class HeaderNotUnderstood(MalformedInput):
    """A header asks to be understood, and none is; carries its name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"SOAP decoder encountered a header, {name}, that requires understanding however this decoder does not "
            "understand that header"
        )
        self.name = name


class UnexpectedBody(MalformedInput):
    """None or several elements where the Body should have one."""

    def __init__(self) -> None:
        super().__init__("Unexpected number of children in the SOAP body, unable to extract SAML message")


def read(data: bytes, max_bytes: int) -> etree._Element:
    """The one element in the Body.

    Raises XmlSyntaxError, NotAnEnvelope, HeaderNotUnderstood, UnexpectedBody.
    """
    children = read_all(data, max_bytes)
    if len(children) != 1:
        raise UnexpectedBody
    return children[0]


def read_all(data: bytes, max_bytes: int) -> tuple[etree._Element, ...]:
    """The elements in the Body, none if there is no Body. Raises as ``read``, but for UnexpectedBody."""
    root = document.parse(data, max_bytes)
    if root.tag != _S + "Envelope":
        raise NotAnEnvelope(str(root.tag))
    for header in root.iterchildren(_S + "Header"):
        for block in header:
            if block.get(_S + "mustUnderstand") in ("1", "true"):
                raise HeaderNotUnderstood(str(block.tag))
    return tuple(child for body in root.iterchildren(_S + "Body") for child in body)


def write(child: etree._Element, prefix: Prefix) -> bytes:
    """The envelope on one line; ``child`` becomes part of it."""
    root = etree.Element(_S + "Envelope", nsmap=_DECLARED[prefix])
    etree.SubElement(root, _S + "Body").append(child)
    return _XML_DECLARATION + etree.tostring(root, encoding="UTF-8", xml_declaration=False)
