"""Whatever octets come to the management services of a PAP, or from one: values or an error of ours."""

import json
from pathlib import Path
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.soap import rpc
from argus_py.soap.pap_operations import SERVICES, Operation, Service
from argus_py.soap.rpc import SoapVersion
from argus_py.xacml import document

LIMIT: Final = 1 << 18
EXCHANGES: Final = json.loads((Path(__file__).parents[1] / "vectors" / "pap-soap" / "exchanges.json").read_text())
CALLS: Final = [
    (service, operation, exchange)
    for exchange in EXCHANGES
    for service in SERVICES
    if service.name == exchange["service"]
    for operation in service.operations
    if operation.name == exchange["operation"]
]
ELEMENTS: Final = [
    element
    for _, _, exchange in CALLS
    for body in (exchange["request"], exchange["response"])
    for element in document.parse(body.encode(), LIMIT).iter()
]
TAGS: Final = sorted({str(element.tag) for element in ELEMENTS} | {"multiRef"})
ATTRIBUTES: Final = sorted({str(name) for element in ELEMENTS for name in element.attrib} | {"href", "id"})
TEXTS: Final = sorted(
    {text for element in ELEMENTS for text in (element.text or "", *map(str, element.attrib.values()))}
    | {"#id0", "id0", "1e400", "-0", "9" * 30, "INF"}
)

Known = tuple[Service, Operation[object]]


def serve(service: Service, data: bytes) -> None:
    """As a server: what was understood is written and understood again; what was not gets a fault."""
    version = SoapVersion.SOAP11
    try:
        message = rpc.read_message(data, LIMIT)
        version = message.version
        call = rpc.read_call(service, message)
    except MalformedInput as error:
        fault = rpc.read_message(rpc.write_fault(rpc.fault_for(error), version), LIMIT)
        assert etree.QName(fault.content).localname == "Fault"
        return
    written = rpc.write_request(service, call.operation, call.arguments)
    again = rpc.read_call(service, rpc.read_message(written, 4 * LIMIT))
    assert again.operation is call.operation
    assert rpc.write_request(service, again.operation, again.arguments) == written


def ask(operation: Operation[object], data: bytes) -> None:
    """As a client."""
    try:
        message = rpc.read_message(data, LIMIT)
        if rpc.fault_in(message) is None:
            rpc.read_value(operation, message)
    except MalformedInput:
        return


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Known, bytes]:
    """A message with a piece cut out, doubled or overwritten."""
    service, operation, exchange = draw(st.sampled_from(CALLS))
    message = exchange[draw(st.sampled_from(["request", "response"]))].encode()
    start = draw(st.integers(0, len(message)))
    end = draw(st.integers(start, min(len(message), start + 200)))
    piece = draw(st.one_of(st.just(b""), st.just(message[start:end] * 2), st.binary(max_size=20)))
    return (service, operation), message[:start] + piece + message[end:]


@st.composite
def scrambled(draw: st.DrawFn) -> tuple[Known, bytes]:
    """A well-formed message with names, attributes and texts of others in it."""
    service, operation, exchange = draw(st.sampled_from(CALLS))
    root = document.parse(exchange[draw(st.sampled_from(["request", "response"]))].encode(), LIMIT)
    elements = list(root.iter())
    for _ in range(draw(st.integers(1, 4))):
        element = draw(st.sampled_from(elements))
        match draw(st.sampled_from(["tag", "text", "attribute", "double", "apart"])):
            case "tag":
                element.tag = draw(st.sampled_from(TAGS))
            case "text":
                element.text = draw(st.sampled_from(TEXTS))
            case "attribute":
                element.set(draw(st.sampled_from(ATTRIBUTES)), draw(st.sampled_from(TEXTS)))
            case "double":
                element.append(etree.fromstring(etree.tostring(draw(st.sampled_from(elements)))))
            case _:
                target = etree.SubElement(root[-1] if len(root) else root, "multiRef", id="id0")
                target.text = draw(st.sampled_from(TEXTS))
                element.set("href", "#id0")
    return (service, operation), etree.tostring(root)


@settings(max_examples=150, deadline=None)
@given(damaged())
def test_damaged_messages(case: tuple[Known, bytes]) -> None:
    (service, operation), data = case
    serve(service, data)
    ask(operation, data)


@settings(max_examples=200, deadline=None)
@given(scrambled())
def test_scrambled_messages(case: tuple[Known, bytes]) -> None:
    (service, operation), data = case
    serve(service, data)
    ask(operation, data)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SERVICES), st.binary(max_size=200))
def test_any_octets(service: Service, data: bytes) -> None:
    serve(service, data)
