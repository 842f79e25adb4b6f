"""WSDL 1.1 of the PAP's SOAP services, made from the table of operations.

No known client asks for it; it is for people, and for tools that make clients. Two things stand in it as they are on
the wire and not as the WSDL of the Java PAP has them: results have the names that Axis gives them, and a policy is a
live XACML element, so it is a part with an element instead of a type. One thing WSDL cannot say: in answers Axis puts
a result, and the fields of a Pap, into the namespace of the operation.

Source: argus-pap:src/main/wsdl/*.wsdl
"""

from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from argus_py.soap.pap_operations import Operation, Service
from argus_py.soap.rpc_types import Array, Bean, Field, Nullable, Simple, WireType, Xacml
from argus_py.xacml.policy_elements import POLICY_NAMESPACE

_WSDL_NAMESPACE: Final = "http://schemas.xmlsoap.org/wsdl/"
_SOAP_NAMESPACE: Final = "http://schemas.xmlsoap.org/wsdl/soap/"
_XSD_NAMESPACE: Final = "http://www.w3.org/2001/XMLSchema"
_SAMLP_NAMESPACE: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
_QUERY_NAMESPACE: Final = "urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:protocol"
_PROVISIONING_NAMESPACE: Final = "http://org.glite.authz/wsdl/pap/services/provisioning"
_HTTP: Final = "http://schemas.xmlsoap.org/soap/http"

_W: Final = f"{{{_WSDL_NAMESPACE}}}"
_S: Final = f"{{{_SOAP_NAMESPACE}}}"
_X: Final = f"{{{_XSD_NAMESPACE}}}"

_PREFIXES: Final = {"wsdl": _WSDL_NAMESPACE, "soap": _SOAP_NAMESPACE, "xsd": _XSD_NAMESPACE}
_POLICY_PREFIXES: Final = {"xacml": POLICY_NAMESPACE}
_PROVISIONING_PREFIXES: Final = {"samlp": _SAMLP_NAMESPACE, "query": _QUERY_NAMESPACE}


@dataclass(frozen=True, slots=True)
class _Part:
    """Of a message: ``attribute`` is ``type`` or ``element``, ``reference`` the name of one."""

    name: str
    attribute: str
    reference: str


@dataclass(frozen=True, slots=True)
class _Method:
    name: str
    action: str
    request: tuple[_Part, ...]
    response: tuple[_Part, ...]


@dataclass(frozen=True, slots=True)
class _Interface:
    """``namespace``: of the elements of operations, empty if they have none."""

    name: str
    port_type: str
    style: str
    namespace: str
    methods: tuple[_Method, ...]


def wsdl(service: Service, url: str) -> bytes:
    """Of a management service that is reached at ``url``."""
    root = _definitions(service.name, service.actions, _POLICY_PREFIXES)
    types = _Types(root, service.actions)
    methods = tuple(_method(service, operation, types) for operation in service.operations)
    _describe(root, _Interface(service.name, service.port_type, "rpc", service.namespace, methods), url)
    return _document(root)


def provisioning_wsdl(url: str) -> bytes:
    """Of the service at ``url`` that PDPs and other PAPs fetch policies from."""
    name = "ProvisioningService"
    root = _definitions(name, _PROVISIONING_NAMESPACE, _PROVISIONING_PREFIXES)
    types = _Types(root, _PROVISIONING_NAMESPACE)
    types.need(_SAMLP_NAMESPACE)
    types.need(_QUERY_NAMESPACE)
    query = _Method(
        "XACMLPolicyQuery",
        f"{_PROVISIONING_NAMESPACE}/XACMLPolicyQuery",
        (_Part("query", "element", "query:XACMLPolicyQuery"),),
        (_Part("response", "element", "samlp:Response"),),
    )
    _describe(root, _Interface(name, "Provisioning", "document", "", (query,)), url)
    return _document(root)


class _Types:
    """The schema in a document; grows by what its messages need."""

    def __init__(self, root: etree._Element, namespace: str) -> None:
        types = etree.SubElement(root, _W + "types")
        self._schema = etree.SubElement(types, _X + "schema", targetNamespace=namespace)
        self._known: set[str] = set()

    def need(self, namespace: str) -> None:
        """What is in another schema, whose place tools have to know: it is not ours to serve."""
        if namespace not in self._known:
            self._known.add(namespace)
            self._schema.insert(0, etree.Element(_X + "import", namespace=namespace))

    def part(self, name: str, list_name: str, type: WireType[Any]) -> _Part:
        """``list_name``: what the type is to be called if it is one of a list."""
        inner = _not_null(type)
        if isinstance(inner, Xacml):
            self.need(POLICY_NAMESPACE)
            return _Part(name, "element", f"xacml:{inner.name}")
        return _Part(name, "type", self._type(inner, name, list_name))

    def _type(self, type: WireType[Any], name: str, list_name: str) -> str:
        match type:
            case Simple():
                return f"xsd:{type.schema_type}"
            case Bean():
                if type.name not in self._known:
                    self._known.add(type.name)
                    self._add_bean(type)
                return f"tns:{type.name}"
            case Array():
                if list_name not in self._known:
                    self._known.add(list_name)
                    self._add_list(list_name, type.item_name or name, type.item)
                return f"tns:{list_name}"
        raise AssertionError(f"{type} has no type in a schema")

    def _add_bean(self, bean: Bean[Any]) -> None:
        sequence = self._complex_type(bean.name)
        for field in bean.fields:
            self._add_field(sequence, bean, field)

    def _add_field(self, sequence: etree._Element, bean: Bean[Any], field: Field) -> None:
        type = self._type(_not_null(field.type), field.name, _capital(bean.name, field.name))
        element = etree.SubElement(sequence, _X + "element", name=field.name, type=type)
        if not field.required:
            element.set("minOccurs", "0")
        if field.repeated:
            element.set("maxOccurs", "unbounded")
        if isinstance(field.type, Nullable):
            element.set("nillable", "true")

    def _add_list(self, list_name: str, name: str, item: WireType[Any]) -> None:
        sequence = self._complex_type(list_name)
        if isinstance(item, Xacml):
            self.need(POLICY_NAMESPACE)
            element = etree.SubElement(sequence, _X + "element", ref=f"xacml:{item.name}")
        else:
            element = etree.SubElement(sequence, _X + "element", name=name, type=self._type(item, name, list_name))
        element.set("minOccurs", "0")
        element.set("maxOccurs", "unbounded")

    def _complex_type(self, name: str) -> etree._Element:
        return etree.SubElement(etree.SubElement(self._schema, _X + "complexType", name=name), _X + "sequence")


def _not_null(type: WireType[Any]) -> WireType[Any]:
    return type.type if isinstance(type, Nullable) else type


def _method(service: Service, operation: Operation[Any], types: _Types) -> _Method:
    name = operation.name
    request = (
        types.part(parameter.name, _capital(name, parameter.name), parameter.type) for parameter in operation.parameters
    )
    result = f"{name}Return"
    response = () if operation.returns is None else (types.part(result, _capital(result, "list"), operation.returns),)
    return _Method(name, service.soap_action(operation), tuple(request), response)


def _capital(*words: str) -> str:
    return "".join(word[0].upper() + word[1:] for word in words)


def _definitions(name: str, namespace: str, prefixes: dict[str, str]) -> etree._Element:
    root = etree.Element(_W + "definitions", nsmap={**_PREFIXES, **prefixes, "tns": namespace})
    root.set("name", name)
    root.set("targetNamespace", namespace)
    return root


def _describe(root: etree._Element, interface: _Interface, url: str) -> None:
    for method in interface.methods:
        _add_message(root, f"{method.name}Request", method.request)
        _add_message(root, f"{method.name}Response", method.response)
    port_type = etree.SubElement(root, _W + "portType", name=interface.port_type)
    for method in interface.methods:
        operation = etree.SubElement(port_type, _W + "operation", name=method.name)
        etree.SubElement(operation, _W + "input", message=f"tns:{method.name}Request")
        etree.SubElement(operation, _W + "output", message=f"tns:{method.name}Response")
    binding = f"{interface.port_type}SOAP"
    _add_binding(root, binding, interface)
    service = etree.SubElement(root, _W + "service", name=interface.name)
    port = etree.SubElement(service, _W + "port", name=interface.name, binding=f"tns:{binding}")
    etree.SubElement(port, _S + "address", location=url)


def _add_message(root: etree._Element, name: str, parts: tuple[_Part, ...]) -> None:
    message = etree.SubElement(root, _W + "message", name=name)
    for part in parts:
        etree.SubElement(message, _W + "part", {"name": part.name, part.attribute: part.reference})


def _add_binding(root: etree._Element, name: str, interface: _Interface) -> None:
    binding = etree.SubElement(root, _W + "binding", name=name, type=f"tns:{interface.port_type}")
    etree.SubElement(binding, _S + "binding", style=interface.style, transport=_HTTP)
    for method in interface.methods:
        operation = etree.SubElement(binding, _W + "operation", name=method.name)
        etree.SubElement(operation, _S + "operation", soapAction=method.action)
        for direction in ("input", "output"):
            body = etree.SubElement(etree.SubElement(operation, _W + direction), _S + "body", use="literal")
            if interface.namespace:
                body.set("namespace", interface.namespace)


def _document(root: etree._Element) -> bytes:
    etree.indent(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
