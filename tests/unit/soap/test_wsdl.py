"""What the WSDL says is what the table of operations says, and every name in it is one of something."""

import json
from pathlib import Path
from typing import Final

import pytest
from lxml import etree

from argus_py.soap.pap_operations import SERVICES, Service
from argus_py.soap.wsdl import provisioning_wsdl, wsdl

URL: Final = "https://pap.example.org:8150/pap/services/X?a&b"
NAMES: Final = {
    "w": "http://schemas.xmlsoap.org/wsdl/",
    "s": "http://schemas.xmlsoap.org/wsdl/soap/",
    "x": "http://www.w3.org/2001/XMLSchema",
}
XSD: Final = NAMES["x"]
VECTORS: Final = Path(__file__).parents[2] / "vectors" / "pap-soap"
DOCUMENTS: Final = {
    **{service.name: wsdl(service, URL) for service in SERVICES},
    "Provisioning": provisioning_wsdl(URL),
}

by_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
by_document = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=list(DOCUMENTS))


def names_of(root: etree._Element, path: str) -> list[str]:
    return [str(element.get("name")) for element in root.iterfind(path, NAMES)]


def resolved(element: etree._Element, attribute: str) -> tuple[str | None, str]:
    """Namespace and local name of what an attribute refers to."""
    prefix, _, name = str(element.get(attribute)).rpartition(":")
    return element.nsmap[prefix or None], name


@by_service
def test_each_operation_is_there_with_its_action_and_its_parameters_in_order(service: Service) -> None:
    root = etree.fromstring(wsdl(service, URL))
    assert names_of(root, "w:portType/w:operation") == [operation.name for operation in service.operations]
    for operation in service.operations:
        parts = names_of(root, f"w:message[@name='{operation.name}Request']/w:part")
        assert parts == [parameter.name for parameter in operation.parameters]
        results = names_of(root, f"w:message[@name='{operation.name}Response']/w:part")
        assert results == ([] if operation.returns is None else [f"{operation.name}Return"])
        bound = root.find(f"w:binding/w:operation[@name='{operation.name}']/s:operation", NAMES)
        assert bound is not None
        assert bound.get("soapAction") == service.soap_action(operation)


@by_document
def test_every_reference_leads_to_something(document: bytes) -> None:
    root = etree.fromstring(document)
    target = root.get("targetNamespace")
    defined = {
        "message": set(names_of(root, "w:message")),
        "binding": set(names_of(root, "w:binding")),
        "type": set(names_of(root, "w:portType") + names_of(root, ".//x:complexType")),
    }
    imported = {element.get("namespace") for element in root.iterfind(".//x:import", NAMES)}
    references = [
        (attribute, *resolved(element, attribute))
        for element in root.iter()
        for attribute in ("message", "binding", "type", "element", "ref")
        if element.get(attribute) is not None
    ]
    assert references
    for attribute, namespace, name in references:
        if namespace == target:
            assert name in defined[attribute]
        else:
            assert namespace in imported | {XSD}


@by_document
def test_the_address_is_the_one_of_the_service(document: bytes) -> None:
    address = etree.fromstring(document).find("w:service/w:port/s:address", NAMES)
    assert address is not None
    assert address.get("location") == URL


@by_service
def test_the_types_are_a_valid_schema(service: Service) -> None:
    root = etree.fromstring(wsdl(service, URL))
    schema = root.find("w:types/x:schema", NAMES)
    assert schema is not None
    for element in schema.findall("x:import", NAMES):
        schema.remove(element)  # of XACML, which is not at hand
    for element in schema.findall(".//x:element[@ref]", NAMES):
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)
    etree.XMLSchema(etree.fromstring(etree.tostring(schema)))


BEANS: Final = [
    (exchange, service)
    for exchange in json.loads((VECTORS / "exchanges.json").read_text())
    for service in SERVICES
    if service.name == exchange["service"]
    and exchange["operation"] in {"addPap", "updatePap", "addACE", "removeACE", "setACL", "setOrder", "addRule"}
    and exchange["case"] != "setOrder-null"  # parts cannot be null in WSDL
]


@pytest.mark.parametrize(("exchange", "service"), BEANS, ids=[exchange["case"] for exchange, _ in BEANS])
def test_what_the_java_client_sends_is_valid_by_the_schema(exchange: dict[str, str], service: Service) -> None:
    root = etree.fromstring(wsdl(service, URL))
    parts = root.findall(f"w:message[@name='{exchange['operation']}Request']/w:part", NAMES)
    parameters = etree.fromstring(exchange["request"].encode())[0][0]
    for part, parameter in zip(parts, parameters, strict=True):
        namespace, name = resolved(part, "type")
        if namespace == service.actions:
            schema = etree.fromstring(wsdl(service, URL)).find("w:types/x:schema", NAMES)
            assert schema is not None
            etree.SubElement(schema, f"{{{XSD}}}element", name="value", type=f"tns:{name}")
            parameter.tag = f"{{{namespace}}}value"
            etree.XMLSchema(etree.fromstring(etree.tostring(schema))).assertValid(
                etree.fromstring(etree.tostring(parameter))
            )


def test_the_provisioning_service_takes_a_document() -> None:
    root = etree.fromstring(provisioning_wsdl(URL))
    binding = root.find("w:binding/s:binding", NAMES)
    assert binding is not None
    assert binding.get("style") == "document"
