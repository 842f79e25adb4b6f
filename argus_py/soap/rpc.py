"""Messages of the PAP's management services as Axis 1 sends and takes them (rpc/literal), for both sides.

A server reads a message and the call in it, and writes an answer or a fault in the same version of SOAP:

    message = rpc.read_message(body, rpc.MAX_REQUEST)            raises MalformedInput: see ``fault_for``
    call = rpc.read_call(service, message)                       the same
    body = rpc.write_answer(call, value)                         or rpc.write_fault(fault, message.version)

A client writes a request, and reads a message and the fault or the value in it:

    body = rpc.write_request(service, operation, arguments)
    message = rpc.read_message(answer, rpc.MAX_ANSWER)
    value = rpc.read_value(operation, message)                   if rpc.fault_in(message) is None

Tolerated as Axis does: any namespace, any names of parameters, results and items, headers, ``encodingStyle`` and
``xsi:type``, values that stand apart (``href``, ``multiRef``), missing parameters at the end, SOAP 1.2.

BETTER: null for a parameter that cannot be null is refused here; Java fails somewhere inside of the operation. What the
policy model cannot express is refused too; the Java PAP stores any XACML unread.

Source: axis 1.4, org.apache.axis.providers.java.RPCProvider, org.apache.axis.message.*
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Final, TypeVar, cast

from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.soap import envelope, fault
from argus_py.soap.envelope import SOAP_NAMESPACE, HeaderNotUnderstood
from argus_py.soap.fault import AXIS_NAMESPACE, Fault
from argus_py.soap.java_exceptions import JavaException
from argus_py.soap.pap_operations import Operation, Service
from argus_py.soap.rpc_types import XSI_NAMESPACE, Nullable, NullValue, RpcError, Values, escaped
from argus_py.xacml import document, policy_xml
from argus_py.xacml.document import XmlSyntaxError, made_fit

MAX_REQUEST: Final = 64 * 1024 * 1024  # addPolicies sends the rules of one resource: 50,000 of them are 55 MB
MAX_ANSWER: Final = policy_xml.MAX_BYTES  # listPolicies sends all of a pap

SOAP12_NAMESPACE: Final = "http://www.w3.org/2003/05/soap-envelope"
_RPC_NAMESPACE: Final = "http://www.w3.org/2003/05/soap-rpc"

T = TypeVar("T")


class SoapVersion(Enum):
    """The namespace of the envelope."""

    SOAP11 = SOAP_NAMESPACE
    SOAP12 = SOAP12_NAMESPACE

    @property
    def content_type(self) -> str:
        return envelope.CONTENT_TYPE if self is SoapVersion.SOAP11 else "application/soap+xml; charset=UTF-8"


NO_SOAP_ACTION: Final = Fault("Client.NoSOAPAction", "no SOAPAction header!", AXIS_NAMESPACE)

_VERSIONS: Final = {version.value: version for version in SoapVersion}


class NotAnEnvelope(RpcError):
    """The document is no envelope of either version; carries the local ``name`` of its root."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Bad envelope tag:  {name}")
        self.name = name


class EmptyBody(RpcError):
    """There is no element in the body, or no body."""

    java_class: ClassVar = "java.lang.Exception"

    def __init__(self) -> None:
        super().__init__("Body not found.")


class AmbiguousId(RpcError):
    """Two values that stand apart have the same ``id``."""

    def __init__(self, id: str) -> None:
        super().__init__(f"the id {id[:100]!r} is there twice")
        self.id = id


class TooManyParameters(RpcError):
    """More than the ``operation`` has."""

    def __init__(self, operation: str) -> None:
        super().__init__("operation description is missing parameter description!")
        self.operation = operation


class NoSuchOperation(RpcError):
    """The service has no operation of this ``name``."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No such operation '{name}'")
        self.name = name


@dataclass(frozen=True, slots=True)
class Message:
    """``content`` is the first element in the body, ``apart`` are those after it that can be referred to, by id."""

    version: SoapVersion
    content: etree._Element
    apart: Mapping[str, etree._Element]


@dataclass(frozen=True, slots=True)
class Call:
    """``arguments``: one for each parameter, in Python's types for its wire type. ``namespace``: the caller's own."""

    operation: Operation[Any]
    arguments: tuple[Any, ...]
    namespace: str
    version: SoapVersion


def read_message(data: bytes, max_bytes: int) -> Message:
    """Raises XmlSyntaxError, NotAnEnvelope, HeaderNotUnderstood, EmptyBody, AmbiguousId."""
    root = document.parse(data, max_bytes)
    name = etree.QName(root)
    if name.localname != "Envelope" or name.namespace not in _VERSIONS:
        raise NotAnEnvelope(name.localname)
    version = _VERSIONS[name.namespace]
    for block in root.iterfind(f"{{{version.value}}}Header/*"):
        if block.get(f"{{{version.value}}}mustUnderstand") in ("1", "true"):
            raise HeaderNotUnderstood(str(block.tag))
    body = root.find(f"{{{version.value}}}Body")
    if body is None or not len(body):
        raise EmptyBody
    content, *others = body
    apart: dict[str, etree._Element] = {}
    for element in others:
        id = element.get("id")
        if id in apart:
            raise AmbiguousId(id)
        if id is not None:
            apart[id] = element
    return Message(version, content, apart)


def read_call(service: Service, message: Message) -> Call:
    """Raises NoSuchOperation, TooManyParameters, RpcError, PolicySyntaxError."""
    name = etree.QName(message.content)
    operation = service.operation(name.localname)
    if operation is None:
        raise NoSuchOperation(name.localname)
    if len(message.content) > len(operation.parameters):
        raise TooManyParameters(operation.name)
    values = Values(message.apart)
    arguments = [
        values.read(parameter.type, element)
        for parameter, element in zip(operation.parameters, message.content, strict=False)
    ]
    for parameter in operation.parameters[len(arguments) :]:
        if not isinstance(parameter.type, Nullable):
            raise NullValue(parameter.name)
        arguments.append(None)
    return Call(operation, tuple(arguments), name.namespace or "", message.version)


def write_answer(call: Call, value: Any) -> bytes:
    """``value`` in the type that the operation returns. Raises NotXmlText."""
    name, namespace = call.operation.name, call.namespace
    result = ""
    if call.operation.returns is not None:
        result = call.operation.returns.write(f"{name}Return", namespace, namespace, value)
        if call.version is SoapVersion.SOAP12:
            result = _result_name(f"{name}Return", namespace) + result
    return _envelope(call.version, _content(f"{name}Response", namespace, result))


def write_request(service: Service, operation: Operation[Any], arguments: Sequence[Any]) -> bytes:
    """``arguments``: one for each parameter. Raises NotXmlText."""
    parameters = "".join(
        parameter.type.write(parameter.name, "", service.namespace, argument)
        for parameter, argument in zip(operation.parameters, arguments, strict=True)
    )
    return _envelope(SoapVersion.SOAP11, _content(operation.name, service.namespace, parameters))


def fault_in(message: Message) -> Fault | None:
    """What a peer says instead of an answer."""
    return fault.from_element(message.content)


def read_value(operation: Operation[T], message: Message) -> T:
    """The result in an answer, the first element of whatever name.

    Raises NullValue: there is none; RpcError, PolicySyntaxError.
    """
    if operation.returns is None:
        return cast("T", None)
    for element in message.content:
        return Values(message.apart).read(operation.returns, element)
    raise NullValue(etree.QName(message.content).localname)


def fault_for(error: MalformedInput) -> Fault:
    """How a server answers a message that cannot be read, in the words of Axis where it has some."""
    match error:
        case NoSuchOperation():
            return Fault("Client", str(error), AXIS_NAMESPACE)
        case HeaderNotUnderstood():
            return Fault("MustUnderstand", str(error))
        case XmlSyntaxError():
            return JavaException("org.xml.sax.SAXParseException", str(error)).fault()
        case RpcError():
            return JavaException(error.java_class, str(error)).fault()
        case _:
            return JavaException(RpcError.java_class, str(error)).fault()


def no_such_service(name: str) -> Fault:
    """For a URL below that of the services."""
    text = f"The AXIS engine could not find a target service to invoke!  targetService is {name}"
    return Fault("Server.NoService", text, AXIS_NAMESPACE)


def write_fault(reason: Fault, version: SoapVersion) -> bytes:
    return _envelope(version, _fault11(reason) if version is SoapVersion.SOAP11 else _fault12(reason))


def _fault11(reason: Fault) -> str:
    """COMPAT: the prefixes are those of Axis, which numbers them as they come."""
    code, prefix = f"<faultcode>soapenv:{reason.code}</faultcode>", "ns1"
    if reason.namespace != SOAP_NAMESPACE:
        code, prefix = f'<faultcode xmlns:ns1="{reason.namespace}">ns1:{reason.code}</faultcode>', "ns2"
    detail = "" if reason.host is None else f"<detail>{_host_name(prefix, reason.host)}</detail>"
    text = escaped(made_fit(reason.text))
    return f"<soapenv:Fault>{code}<faultstring>{text}</faultstring>{detail}</soapenv:Fault>"


def _fault12(reason: Fault) -> str:
    kind = reason.code.partition(".")[0]
    code = {"Client": "Sender", "MustUnderstand": "MustUnderstand"}.get(kind, "Receiver")
    detail = "" if reason.host is None else f"<soapenv:Detail>{_host_name('ns1', reason.host)}</soapenv:Detail>"
    text = f'<soapenv:Text xml:lang="en">{escaped(made_fit(reason.text))}</soapenv:Text>'
    return (
        f"<soapenv:Fault><soapenv:Code><soapenv:Value>soapenv:{code}</soapenv:Value></soapenv:Code>"
        f"<soapenv:Reason>{text}</soapenv:Reason>{detail}</soapenv:Fault>"
    )


def _host_name(prefix: str, host: str) -> str:
    name = f"{prefix}:hostname"
    return f'<{name} xmlns:{prefix}="{AXIS_NAMESPACE}">{escaped(made_fit(host))}</{name}>'


def _content(name: str, namespace: str, children: str) -> str:
    """COMPAT: with a declaration even where there is no namespace."""
    start = f'{name} xmlns="{escaped(namespace)}"'
    return f"<{start}>{children}</{name}>" if children else f"<{start}/>"


def _result_name(name: str, namespace: str) -> str:
    """What tells the result apart in SOAP 1.2 (part 2, section 4.2.1)."""
    prefix, declaration = ("ns1:", f' xmlns:ns1="{escaped(namespace)}"') if namespace else ("", "")
    return f'<ns2:result{declaration} xmlns:ns2="{_RPC_NAMESPACE}">{prefix}{name}</ns2:result>'


def _envelope(version: SoapVersion, content: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{version.value}" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:xsi="{XSI_NAMESPACE}"><soapenv:Body>{content}</soapenv:Body></soapenv:Envelope>'
    ).encode()
