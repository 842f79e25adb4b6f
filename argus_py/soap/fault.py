"""SOAP 1.1 faults: how a peer says that it could not work with a message."""

from dataclasses import dataclass
from typing import Final

from lxml import etree

from argus_py.soap import envelope
from argus_py.soap.envelope import SOAP_NAMESPACE, Prefix
from argus_py.xacml.document import made_fit

AXIS_NAMESPACE: Final = "http://xml.apache.org/axis/"

_S: Final = f"{{{SOAP_NAMESPACE}}}"


@dataclass(frozen=True, slots=True)
class Fault:
    """``code`` is a local name like ``Client`` or ``Server.userException``; ``host`` is the detail that Axis adds."""

    code: str
    text: str
    namespace: str = SOAP_NAMESPACE
    host: str | None = None


def write(fault: Fault, prefix: Prefix) -> bytes:
    """A whole envelope; both ``faultcode`` and ``faultstring`` are there, Java clients break without either."""
    root = etree.Element(_S + "Fault")
    if fault.namespace == SOAP_NAMESPACE:
        etree.SubElement(root, "faultcode").text = f"{prefix}:{fault.code}"
    else:
        etree.SubElement(root, "faultcode", nsmap={"ns1": fault.namespace}).text = f"ns1:{fault.code}"
    etree.SubElement(root, "faultstring").text = made_fit(fault.text)
    if fault.host is not None:
        detail = etree.SubElement(root, "detail")
        etree.SubElement(detail, f"{{{AXIS_NAMESPACE}}}hostname", nsmap={"ns2": AXIS_NAMESPACE}).text = fault.host
    return envelope.write(root, prefix)


def from_element(element: etree._Element) -> Fault | None:
    """The fault an answer's Body holds; None if the element is something else."""
    if element.tag != _S + "Fault":
        return None
    code = element.find("faultcode")
    if code is None:
        return Fault("without a code", _text(element.find("faultstring")))
    prefix, _, name = _text(code).rpartition(":")
    return Fault(name, _text(element.find("faultstring")), code.nsmap.get(prefix or None, SOAP_NAMESPACE))


def _text(element: etree._Element | None) -> str:
    return "" if element is None else (element.text or "").strip()
