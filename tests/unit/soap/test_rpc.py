"""The recorded session of the Java client with the Java PAP, seen from both sides, and messages out of the ordinary."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.soap import pap_operations as operations
from argus_py.soap import rpc
from argus_py.soap.envelope import HeaderNotUnderstood
from argus_py.soap.fault import AXIS_NAMESPACE, Fault
from argus_py.soap.java_exceptions import JavaClass, JavaException
from argus_py.soap.pap_operations import SERVICES, Service
from argus_py.soap.rpc import Call, SoapVersion
from argus_py.soap.rpc_types import BadNumber, BadReference, BadValue, NullValue, RpcError
from argus_py.xacml.document import NotXmlText, XmlSyntaxError
from argus_py.xacml.policy_elements import PolicyNotSupported, PolicySyntaxError

VECTORS: Final = Path(__file__).parents[2] / "vectors" / "pap-soap"
HOST: Final = "pap.example.org"  # of the recordings

EXCHANGES: Final[list[dict[str, Any]]] = json.loads((VECTORS / "exchanges.json").read_text())
BY_CASE: Final = {exchange["case"]: exchange for exchange in EXCHANGES}
BY_NAME: Final = {service.name: service for service in SERVICES}
SESSION: Final = [exchange for exchange in EXCHANGES if exchange["operation"] is not None]
REFUSED: Final = [exchange for exchange in SESSION if exchange["fault_string"] is not None]

PAP_MANAGEMENT: Final = operations.PAP_MANAGEMENT
XACML: Final = operations.XACML_POLICY_MANAGEMENT


def cases(exchanges: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("exchange", exchanges, ids=lambda exchange: exchange["case"])


def request_of(exchange: dict[str, Any]) -> bytes:
    return str(exchange["request"]).encode()


def response_of(exchange: dict[str, Any]) -> bytes:
    return str(exchange["response"]).encode()


def call_in(service: Service, body: bytes) -> Call:
    return rpc.read_call(service, rpc.read_message(body, rpc.MAX_REQUEST))


def same(written: bytes, recorded: bytes, canonical: Callable[[bytes], str]) -> bool:
    """Octet for octet, but for the white space and the declarations within XACML."""
    if b"xacml:" not in recorded:
        return written == recorded
    names = re.compile(rb"</?([\w:]+)")  # with their prefixes
    return canonical(written) == canonical(recorded) and names.findall(written) == names.findall(
        re.sub(rb"<(xacml:\w+)([^>]*)></\1>", rb"<\1\2/>", recorded)
    )


def body(content: str, others: str = "") -> bytes:
    namespaces = 'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    return f"<soapenv:Envelope {namespaces}><soapenv:Body>{content}{others}</soapenv:Body></soapenv:Envelope>".encode()


# the recorded session


@cases(SESSION)
def test_a_request_of_the_java_client_is_read_and_written_again_as_it_was(
    exchange: dict[str, Any], canonical: Callable[[bytes], str]
) -> None:
    service = BY_NAME[exchange["service"]]
    call = call_in(service, request_of(exchange))
    assert call.operation.name == exchange["operation"]
    assert same(rpc.write_request(service, call.operation, call.arguments), request_of(exchange), canonical)


@cases([exchange for exchange in SESSION if exchange["fault_string"] is None])
def test_an_answer_of_the_java_pap_is_read_and_written_again_as_it_was(
    exchange: dict[str, Any], canonical: Callable[[bytes], str]
) -> None:
    call = call_in(BY_NAME[exchange["service"]], request_of(exchange))
    message = rpc.read_message(response_of(exchange), rpc.MAX_ANSWER)
    assert rpc.fault_in(message) is None
    value = rpc.read_value(call.operation, message)
    assert same(rpc.write_answer(call, value), response_of(exchange), canonical)


@cases(REFUSED)
def test_a_fault_of_the_java_pap_is_read_and_written_again_as_it_was(exchange: dict[str, Any]) -> None:
    message = rpc.read_message(response_of(exchange), rpc.MAX_ANSWER)
    fault = rpc.fault_in(message)
    assert fault is not None
    assert fault.text == exchange["fault_string"]
    cause = JavaException.parse(fault.text)
    assert cause.java_class in vars(JavaClass).values()
    assert rpc.write_fault(cause.fault(HOST), SoapVersion.SOAP11) == response_of(exchange)


@cases(SESSION)
def test_the_soap_action_is_the_one_of_the_java_client(exchange: dict[str, Any]) -> None:
    service = BY_NAME[exchange["service"]]
    operation = service.operation(exchange["operation"])
    assert operation is not None
    assert service.soap_action(operation) == exchange["soap_action"]


def test_the_session_has_every_operation() -> None:
    recorded = {(exchange["service"], exchange["operation"]) for exchange in SESSION}
    assert recorded == {(service.name, operation.name) for service in SERVICES for operation in service.operations}


@cases(SESSION)
def test_parameters_are_written_under_the_names_of_the_table(exchange: dict[str, Any]) -> None:
    service = BY_NAME[exchange["service"]]
    operation = service.operation(exchange["operation"])
    assert operation is not None
    names = [etree.QName(child).localname for child in rpc.read_message(request_of(exchange), 1 << 20).content]
    expected = [parameter.name for parameter in operation.parameters]
    assert [name.lower() for name in names] == [name.lower() for name in expected]


# what Axis says to messages that cannot be worked with


@pytest.mark.parametrize(
    ("case", "error"),
    [
        ("bad-boolean", BadNumber),
        ("doctype", XmlSyntaxError),
        ("empty-body", rpc.EmptyBody),
        ("extra-parameter", rpc.TooManyParameters),
        ("malformed-xml", XmlSyntaxError),
        ("no-such-operation", rpc.NoSuchOperation),
        ("not-a-soap-envelope", rpc.NotAnEnvelope),
    ],
)
def test_a_message_that_axis_refuses_is_refused_with_its_code_and_class(case: str, error: type[MalformedInput]) -> None:
    exchange = BY_CASE[case]
    with pytest.raises(error) as refused:
        call_in(PAP_MANAGEMENT, request_of(exchange))
    ours = rpc.fault_for(refused.value)
    theirs = rpc.fault_in(rpc.read_message(response_of(exchange), rpc.MAX_ANSWER))
    assert theirs is not None
    assert (ours.code, ours.namespace) == (theirs.code, theirs.namespace)
    assert JavaException.parse(ours.text).java_class.startswith(JavaException.parse(theirs.text).java_class[:12])


@pytest.mark.parametrize("case", ["empty-body", "extra-parameter", "no-such-operation", "not-a-soap-envelope"])
def test_a_refusal_that_has_words_in_axis_is_written_as_axis_does(case: str) -> None:
    exchange = BY_CASE[case]
    with pytest.raises(RpcError) as refused:
        call_in(PAP_MANAGEMENT, request_of(exchange))
    fault = replace(rpc.fault_for(refused.value), host=HOST)
    assert rpc.write_fault(fault, SoapVersion.SOAP11) == response_of(exchange)


@pytest.mark.parametrize(
    ("case", "fault"),
    [("no-soapaction-header", rpc.NO_SOAP_ACTION), ("no-such-service", rpc.no_such_service("NoSuchService"))],
)
def test_what_axis_says_before_it_looks_into_a_message(
    case: str, fault: Fault, canonical: Callable[[bytes], str]
) -> None:
    written = rpc.write_fault(replace(fault, host=HOST), SoapVersion.SOAP11)
    assert canonical(written) == canonical(response_of(BY_CASE[case]))


def test_a_missing_parameter_at_the_end_is_null() -> None:
    assert call_in(PAP_MANAGEMENT, request_of(BY_CASE["missing-parameter"])).arguments == (None,)


def test_the_namespace_of_the_caller_is_the_one_of_the_answer() -> None:
    exchange = BY_CASE["wrong-namespace-accepted"]
    call = call_in(PAP_MANAGEMENT, request_of(exchange))
    assert rpc.write_answer(call, "PAP version: 1.7.3") == response_of(exchange)


def test_the_namespace_of_the_caller_is_written_so_that_it_is_the_same_when_read() -> None:
    call = call_in(PAP_MANAGEMENT, body('<ping xmlns="urn:x?a=1&amp;b=2"/>'))
    answer = rpc.read_message(rpc.write_answer(call, "pong"), 1 << 20)
    assert etree.QName(answer.content).namespace == call.namespace == "urn:x?a=1&b=2"


def test_soap_1_2_is_answered_in_soap_1_2() -> None:
    exchange = BY_CASE["soap12-envelope"]
    call = call_in(PAP_MANAGEMENT, request_of(exchange))
    assert call.version is SoapVersion.SOAP12
    assert call.version.content_type == "application/soap+xml; charset=UTF-8"
    assert rpc.write_answer(call, "PAP version: 1.7.3") == response_of(exchange)


def test_a_result_without_a_namespace_is_named_without_a_prefix_in_soap_1_2() -> None:
    call = Call(operations.HAS_POLICY, (None, "x"), "", SoapVersion.SOAP12)
    result, value = rpc.read_message(rpc.write_answer(call, True), 1 << 20).content
    assert (result.text, value.tag, value.text) == ("hasPolicyReturn", "hasPolicyReturn", "true")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Client", "Sender"),
        ("Client.NoSOAPAction", "Sender"),
        ("MustUnderstand", "MustUnderstand"),
        ("Server.userException", "Receiver"),
    ],
)
def test_faults_have_the_codes_of_soap_1_2_there(code: str, expected: str) -> None:
    written = rpc.write_fault(Fault(code, "a < b \x00", host="h"), SoapVersion.SOAP12)
    fault = rpc.read_message(written, 1 << 20).content
    names = {"s": SoapVersion.SOAP12.value, "a": AXIS_NAMESPACE}
    assert fault.findtext("s:Code/s:Value", namespaces=names) == f"soapenv:{expected}"
    assert fault.findtext("s:Reason/s:Text", namespaces=names) == "a < b \ufffd"
    assert fault.findtext("s:Detail/a:hostname", namespaces=names) == "h"


def test_a_header_that_must_be_understood_is_refused() -> None:
    header = '<soapenv:Header><x soapenv:mustUnderstand="1"/></soapenv:Header><soapenv:Body>'
    with pytest.raises(HeaderNotUnderstood) as refused:
        rpc.read_message(body("<ping/>").replace(b"<soapenv:Body>", header.encode()), 1 << 20)
    assert rpc.fault_for(refused.value).code == "MustUnderstand"


def test_another_header_is_not_looked_at() -> None:
    header = '<soapenv:Header><x soapenv:mustUnderstand="0"/><y/></soapenv:Header><soapenv:Body>'
    message = rpc.read_message(body("<ping/>").replace(b"<soapenv:Body>", header.encode()), 1 << 20)
    assert rpc.read_call(PAP_MANAGEMENT, message).operation is operations.PING


def test_an_envelope_of_a_version_yet_unknown_is_refused() -> None:
    with pytest.raises(rpc.NotAnEnvelope):
        rpc.read_message(b'<e:Envelope xmlns:e="urn:soap:3"><e:Body><ping/></e:Body></e:Envelope>', 1 << 20)


@pytest.mark.parametrize("content", ["", "<soapenv:Header/>"])
def test_an_envelope_without_a_body_is_refused(content: str) -> None:
    envelope = body("").replace(b"<soapenv:Body></soapenv:Body>", content.encode())
    with pytest.raises(rpc.EmptyBody):
        rpc.read_message(envelope, 1 << 20)


def test_of_two_calls_the_first_is_answered() -> None:
    assert call_in(PAP_MANAGEMENT, body("<ping/><getOrder/>")).operation is operations.PING


# what a caller may vary


@pytest.mark.parametrize("name", ["central-ban-curl", "central-ban-pycurl", "gums-axis"])
def test_the_programs_that_fetch_ban_lists_are_understood(name: str) -> None:
    call = call_in(XACML, (VECTORS / "callers" / f"{name}.xml").read_bytes())
    assert call.operation is operations.LIST_POLICIES
    assert call.arguments == ("default",)
    assert call.namespace == "http://services.pap.authz.glite.org"


def test_ban_lists_have_the_names_that_these_programs_look_for() -> None:
    call = call_in(XACML, (VECTORS / "callers" / "central-ban-curl.xml").read_bytes())
    added = call_in(XACML, request_of(BY_CASE["addPolicies"])).arguments[4]
    answer = rpc.write_answer(call, added).decode()
    assert '<xacml:Rule Effect="Deny"' in answer
    assert "<xacml:SubjectMatch " in answer
    assert ">/cms</xacml:AttributeValue>" in answer
    assert 'AttributeId="http://glite.org/xacml/attribute/fqan"' in answer


def test_parameters_have_any_name_and_namespace() -> None:
    call = call_in(
        PAP_MANAGEMENT, body('<setEnabled><a xmlns="urn:a">rem1</a><x:b xmlns:x="urn:b">1</x:b></setEnabled>')
    )
    assert call.arguments == ("rem1", True)


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), (" True\n", True), ("false", False), ("0", False), ("FALSE", False)],
)
def test_booleans_have_several_spellings(text: str, value: bool) -> None:
    call = call_in(PAP_MANAGEMENT, body(f"<setEnabled><a>x</a><b>{text}</b></setEnabled>"))
    assert call.arguments == ("x", value)


@pytest.mark.parametrize("text", ["", "maybe", "t", "2", "truefalse", "true false"])
def test_no_other_text_is_a_boolean(text: str) -> None:
    with pytest.raises(BadNumber, match="Invalid boolean"):
        call_in(PAP_MANAGEMENT, body(f"<setEnabled><a>x</a><b>{text}</b></setEnabled>"))


@pytest.mark.parametrize(("text", "value"), [("300", 300.0), ("+3.5e2", 350.0), (" .5 ", 0.5), ("-1", -1.0)])
def test_floats_are_decimal(text: str, value: float) -> None:
    assert call_in(PAP_MANAGEMENT, body(f"<setPollingInterval><s>{text}</s></setPollingInterval>")).arguments == (
        value,
    )


@pytest.mark.parametrize("text", ["", "NaN", "INF", "1e999", "1_000", "٣", "0x10", "1f", "1" * 400])
def test_no_other_text_is_a_float(text: str) -> None:
    with pytest.raises(BadNumber, match="Invalid float"):
        call_in(PAP_MANAGEMENT, body(f"<setPollingInterval><s>{text}</s></setPollingInterval>"))


@pytest.mark.parametrize("text", ["", "2147483648", "-2147483649", "1.0", "1_0", "٣", "9" * 5000])
def test_an_index_is_an_integer_of_32_bits(text: str) -> None:
    with pytest.raises(BadNumber, match="Invalid integer of 32 bits"):
        call_in(XACML, body(f"<addPolicySet><a>x</a><i>{text}</i></addPolicySet>"))


def test_texts_keep_their_blanks() -> None:
    assert call_in(PAP_MANAGEMENT, body("<exists><a> x\n</a></exists>")).arguments == (" x\n",)
    written = rpc.write_request(PAP_MANAGEMENT, operations.EXISTS, [" x\r\n\t"])
    assert call_in(PAP_MANAGEMENT, written).arguments == (" x\r\n\t",)


def test_a_text_that_xml_cannot_carry_is_not_sent() -> None:
    with pytest.raises(NotXmlText):
        rpc.write_request(PAP_MANAGEMENT, operations.EXISTS, ["a\x00"])


@pytest.mark.parametrize(
    ("service", "content"),
    [
        (PAP_MANAGEMENT, '<setEnabled><a>x</a><b xsi:nil="true"/></setEnabled>'),
        (PAP_MANAGEMENT, "<setEnabled><a>x</a></setEnabled>"),
        (PAP_MANAGEMENT, "<addPap/>"),
        (PAP_MANAGEMENT, '<addPap><pap xsi:nil="1"/></addPap>'),
        (PAP_MANAGEMENT, "<addPap><pap><id>x</id></pap></addPap>"),
        (PAP_MANAGEMENT, '<addPap><pap><alias xsi:nil="true"/></pap></addPap>'),
        (PAP_MANAGEMENT, '<setOrder><a><i>x</i><i xsi:nil="true"/></a></setOrder>'),
        (XACML, '<storePolicy><a/><p/><policy xsi:nil="true"/></storePolicy>'),
        (operations.AUTHORIZATION_MANAGEMENT, "<setACL><context>global-context</context></setACL>"),
        (operations.AUTHORIZATION_MANAGEMENT, '<setACL><context/><acl xsi:nil="true"/></setACL>'),
    ],
)
def test_null_is_refused_where_a_value_is_needed(service: Service, content: str) -> None:
    with pytest.raises(NullValue) as refused:
        call_in(service, body(content))
    assert rpc.fault_for(refused.value).text.startswith(JavaClass.ILLEGAL_ARGUMENT)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<exists><a><b/></a></exists>", "text is expected"),
        (f"<exists><a>{'x' * 70_000}</a></exists>", "70000 characters"),
        ("<setOrder><a>rem1</a></setOrder>", "items are expected"),
        ("<addPap><pap><alias>x</alias><owner/></pap></addPap>", "no field owner"),
        ("<addPap><pap><alias>x</alias><local>1</local><local>0</local></pap></addPap>", "local is there 2 times"),
    ],
)
def test_what_does_not_fit_its_place_is_refused(content: str, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        call_in(PAP_MANAGEMENT, body(content))


def test_too_many_items_are_refused() -> None:
    with pytest.raises(BadValue, match="250001 items"):
        call_in(PAP_MANAGEMENT, body(f"<setOrder><a>{'<i/>' * 250_001}</a></setOrder>"))


def test_a_pap_may_have_the_fields_of_the_wsdl_alone_in_any_order() -> None:
    fields = "<x:local xmlns:x='urn:x'>false</x:local><enabled>1</enabled><alias>rem1</alias><endpoint>e</endpoint>"
    (pap,) = call_in(PAP_MANAGEMENT, body(f"<addPap><pap>{fields}</pap></addPap>")).arguments
    assert (pap.alias, pap.local, pap.enabled, pap.endpoint) == ("rem1", False, True, None)


# XACML in the place of a parameter


def policy(function: str = "urn:oasis:names:tc:xacml:1.0:function:string-equal") -> str:
    string = "http://www.w3.org/2001/XMLSchema#string"
    action = "urn:oasis:names:tc:xacml:1.0:action:action-id"
    return (
        f'<p:Policy xmlns:p="urn:oasis:names:tc:xacml:2.0:policy:schema:os" PolicyId="x" '
        'RuleCombiningAlgId="urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:first-applicable"><p:Target><p:Actions>'
        f'<p:Action><p:ActionMatch MatchId="{function}"><p:AttributeValue DataType="{string}">a</p:AttributeValue>'
        f'<p:ActionAttributeDesignator AttributeId="{action}" DataType="{string}"/></p:ActionMatch></p:Action>'
        "</p:Actions></p:Target></p:Policy>"
    )


@pytest.mark.parametrize("prefix", [b"p:", b"xacml:", b""])
def test_policies_have_any_prefix_or_none(prefix: bytes) -> None:
    message = body(f"<storePolicy><a/><b/>{policy()}</storePolicy>")
    declaration = b"xmlns:" + prefix[:-1] if prefix else b"xmlns"
    message = message.replace(b"xmlns:p=", declaration + b"=").replace(b"<p:", b"<" + prefix)
    message = message.replace(b"</p:", b"</" + prefix)
    assert call_in(XACML, message).arguments[2].id == "x"


def test_items_of_one_list_have_prefixes_of_their_own() -> None:
    other = policy().replace("<p:", "<q:").replace("</p:", "</q:").replace(":p=", ":q=").replace('"x"', '"y"')
    message = body(f"<addPolicies><a/><i>0</i><id/><n><s/></n><l>{policy()}{other}</l></addPolicies>")
    assert [item.id for item in call_in(XACML, message).arguments[4]] == ["x", "y"]


def test_a_policy_that_cannot_be_expressed_is_refused_by_name() -> None:
    with pytest.raises(PolicyNotSupported, match="urn:made-up") as refused:
        call_in(XACML, body(f"<storePolicy><a/><b/>{policy(function='urn:made-up')}</storePolicy>"))
    assert "urn:made-up" in rpc.fault_for(refused.value).text


def test_another_element_is_no_policy() -> None:
    with pytest.raises(PolicySyntaxError):
        call_in(XACML, body(f"<storePolicy><a/><b/><policy>{policy()}</policy></storePolicy>"))


# SOAP's own encoding


def test_values_may_stand_apart() -> None:
    message = body(
        '<ns1:setEnabled xmlns:ns1="urn:x"><alias href="#id0"/><enabled href="#id1"/></ns1:setEnabled>',
        '<multiRef id="id0" xsi:type="xsd:string" xmlns:xsd="http://www.w3.org/2001/XMLSchema">rem1</multiRef>'
        '<multiRef id="id1">true</multiRef>',
    )
    assert call_in(PAP_MANAGEMENT, message).arguments == ("rem1", True)


def test_lists_and_beans_may_stand_apart_and_refer_to_more() -> None:
    message = body(
        '<setACL><context xsi:nil="true"/><acl href="#id0"/></setACL>',
        '<multiRef id="id0"><item href="#id1"/><item href="#id1"/></multiRef>'
        '<multiRef id="id1"><principal href="#id2"/><permissions href="#id3"/></multiRef>'
        '<multiRef id="id2"><type>x509-dn</type><name href="#id4"/></multiRef>'
        '<multiRef id="id3"><item>ALL</item><item>POLICY_WRITE</item></multiRef>'
        '<multiRef id="id4">/CN=x</multiRef>',
    )
    entry, again = call_in(operations.AUTHORIZATION_MANAGEMENT, message).arguments[1]
    assert entry == again
    assert entry.principal.name == "/CN=x"
    assert entry.permissions == ("ALL", "POLICY_WRITE")


@pytest.mark.parametrize(
    ("href", "others", "reason"),
    [
        ("#id0", "", "leads nowhere"),
        ("http://example.org/x", '<multiRef id="id0">x</multiRef>', "leads nowhere"),
        ("#id0", '<multiRef id="id0" href="#id0"/>', "leads to another reference"),
        ("#id0", f'<multiRef id="id0"><i>{"x" * (1 << 20)}</i></multiRef>', "more than 1048576 octets"),
    ],
)
def test_a_reference_that_is_no_good_is_refused(href: str, others: str, reason: str) -> None:
    with pytest.raises(BadReference, match=reason):
        call_in(PAP_MANAGEMENT, body(f'<exists><a href="{href}"/></exists>', others))


def test_references_to_one_value_do_not_multiply_without_limit() -> None:
    items = '<i href="#id0"/>' * 100
    with pytest.raises(BadReference, match="more than 1048576 octets"):
        call_in(PAP_MANAGEMENT, body(f"<setOrder><a>{items}</a></setOrder>", f'<x id="id0">{"x" * 60_000}</x>'))


def test_an_id_may_be_there_once() -> None:
    with pytest.raises(rpc.AmbiguousId):
        call_in(PAP_MANAGEMENT, body("<ping/>", '<x id="a"/><x id="a"/>'))


# what a server may vary


def test_a_result_has_any_name_and_namespace() -> None:
    answer = body('<r xmlns="urn:x"><v xmlns="">true</v></r>')
    assert rpc.read_value(operations.EXISTS, rpc.read_message(answer, 1 << 20)) is True


def test_an_answer_without_a_result_is_refused() -> None:
    with pytest.raises(NullValue):
        rpc.read_value(operations.EXISTS, rpc.read_message(body("<existsResponse/>"), 1 << 20))


def test_what_comes_with_nothing_to_return_is_not_looked_at() -> None:
    assert rpc.read_value(operations.MOVE, rpc.read_message(body("<r><x>?</x></r>"), 1 << 20)) is None


def test_java_exceptions_without_a_message_are_their_class() -> None:
    assert JavaException.parse(JavaClass.NULL_POINTER) == JavaException(JavaClass.NULL_POINTER, "")
    assert str(JavaException(JavaClass.NULL_POINTER, "")) == JavaClass.NULL_POINTER


@pytest.mark.parametrize("text", ["", "No such operation 'x'", "Error: see a.b", "org.example: x"])
def test_a_text_that_names_no_class_is_a_message(text: str) -> None:
    assert JavaException.parse(text) == JavaException("", text)


def test_the_message_of_an_exception_may_have_several_lines() -> None:
    text = f"{JavaClass.PAP}: ; nested exception is: \n\tjava.net.ConnectException: Connection refused"
    parsed = JavaException.parse(text)
    assert parsed.java_class == JavaClass.PAP
    assert str(parsed) == text
    written = rpc.write_fault(parsed.fault(), SoapVersion.SOAP11)
    fault = rpc.fault_in(rpc.read_message(written, 1 << 20))
    assert fault is not None
    assert fault.text == text
