"""The SAML profile of XACML: queries and answers of the Java services, read and written."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from lxml import etree

from argus_py.model.response import Decision, Result
from argus_py.soap import envelope, saml
from argus_py.soap.saml import (
    AuthzDecisionQuery,
    AuthzDecisionResponse,
    PolicyQuery,
    PolicyResponse,
    SamlError,
    Status,
    StatusCode,
)
from argus_py.xacml import context_xml
from argus_py.xacml.context_xml import ContextSyntaxError
from argus_py.xacml.policy_xml import read_policy_set

Vector = Callable[[str], bytes]
Canonical = Callable[[bytes], str]

LIMIT = 1 << 20
QUERY_ID = "_0bb71715ce8fab60962c05f36187b0a1"
PEP = "http://argus.example.org/pepd"
PDP = "http://argus.example.org/pdp"
NOON = datetime(2026, 2, 3, 4, 5, 6, 789000, UTC)


def body_of(xml: bytes) -> etree._Element:
    return envelope.read(xml, LIMIT)


def query_of(vector: Vector, name: str, old: str = "", new: str = "") -> AuthzDecisionQuery:
    """A recorded query, with one text replaced."""
    xml = vector(f"pdp/query-{name}.xml").decode()
    assert old in xml
    return saml.authz_decision_query_from_element(body_of(xml.replace(old, new, 1).encode()))


def test_a_query_of_the_java_pep_server_is_read(vector: Vector) -> None:
    query = query_of(vector, "permit")
    assert replace(query, context=b"") == AuthzDecisionQuery(QUERY_ID, PEP, NOON, b"")
    assert context_xml.read_request(query.context).action is not None


def test_a_query_is_written_as_the_java_pep_server_does(vector: Vector, canonical: Canonical) -> None:
    recorded = vector("pdp/query-permit.xml")
    query = saml.authz_decision_query_from_element(body_of(recorded))
    assert canonical(envelope.write(saml.authz_decision_query_to_element(query), "soap11")) == canonical(recorded)


def test_a_query_without_id_issuer_time_and_version_is_taken(vector: Vector) -> None:
    query = query_of(vector, "minimal")
    assert (query.id, query.issuer, query.issue_instant, query.return_context) == (None, None, None, False)


def test_any_prefix_will_do(vector: Vector) -> None:
    query = query_of(vector, "other-prefixes")
    assert (query.id, query.issuer) == ("_q2", PEP)
    (attribute,) = context_xml.read_request(query.context).subjects[0].attributes
    assert attribute.values == ("  atlas\n ",)


@pytest.mark.parametrize(
    ("value", "wanted"), [("true", True), ("1", True), ("false", False), ("yes", False), ("", False)]
)
def test_the_context_is_returned_for_true_alone(value: str, wanted: bool, vector: Vector) -> None:
    assert query_of(vector, "permit", 'ReturnContext="true"', f'ReturnContext="{value}"').return_context is wanted


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('Version="2.0"', 'Version="1.1"', "SAML version '1.1' is not supported"),
        ('IssueInstant="2026-02-03T04:05:06.789Z"', 'IssueInstant="today"', "IssueInstant is no time: 'today'"),
        ("nameid-format:entity", "nameid-format:email", "SAML 2 Issuer is not of ENTITY format type"),
    ],
)
def test_a_query_that_breaks_saml_is_refused(old: str, new: str, reason: str, vector: Vector) -> None:
    with pytest.raises(SamlError, match=reason):
        query_of(vector, "permit", old, new)


@pytest.mark.parametrize("count", [0, 2])
def test_a_query_has_one_request(count: int) -> None:
    request = f'<Request xmlns="{context_xml.CONTEXT_NAMESPACE}"/>'
    namespace = "urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:protocol"
    element = etree.fromstring(
        f'<q:XACMLAuthzDecisionQuery xmlns:q="{namespace}">{request * count}</q:XACMLAuthzDecisionQuery>'
    )
    with pytest.raises(SamlError, match=f"has {count} Request elements instead of one"):
        saml.authz_decision_query_from_element(element)


@pytest.mark.parametrize(("declared", "taken"), [(saml.MAX_NAMESPACES - 4, True), (saml.MAX_NAMESPACES - 3, False)])
def test_a_request_is_in_the_scope_of_few_namespaces(declared: int, taken: bool, vector: Vector) -> None:
    envelope_with_names = "<soap11:Envelope" + "".join(f' xmlns:n{i}="urn:{i}"' for i in range(declared))
    if taken:
        assert query_of(vector, "permit", "<soap11:Envelope", envelope_with_names).id == QUERY_ID
    else:
        with pytest.raises(SamlError, match="namespaces are in the scope of the Request, 100 are allowed"):
            query_of(vector, "permit", "<soap11:Envelope", envelope_with_names)


@pytest.mark.parametrize(
    "name", ["pdp/query-fault-unknown-body.xml", "pap/query-from-pdp.xml", "pdp/response-deny.xml"]
)
def test_another_message_is_no_query(name: str, vector: Vector) -> None:
    with pytest.raises(SamlError, match=r"Unexpected SOAP body content\.  Expected a SAML request but recieved \{"):
        saml.authz_decision_query_from_element(body_of(vector(name)))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-02-03T04:05:06Z", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("2026-02-03T04:05:06.123456789Z", datetime(2026, 2, 3, 4, 5, 6, 123456, tzinfo=UTC)),
        ("2026-02-03T04:05:06+02:00", datetime(2026, 2, 3, 2, 5, 6, tzinfo=UTC)),
        (" 2026-02-03T04:05:06 ", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_every_zone_and_precision(text: str, instant: datetime, vector: Vector) -> None:
    assert query_of(vector, "permit", "2026-02-03T04:05:06.789Z", text).issue_instant == instant


def test_times_are_written_in_utc_with_milliseconds() -> None:
    at = datetime(2026, 2, 3, 6, 5, 6, tzinfo=timezone(timedelta(hours=2)))
    element = saml.policy_query_to_element(PolicyQuery("_1", PDP, at))
    assert element.get("IssueInstant") == "2026-02-03T04:05:06.000Z"


def test_a_destination_is_kept_unless_it_is_empty(vector: Vector) -> None:
    assert query_of(vector, "indeterminate-destination").destination is not None
    assert query_of(vector, "permit", 'Version="2.0"', 'Version="2.0" Destination=""').destination is None


@pytest.mark.parametrize(
    ("name", "decision"),
    [
        ("permit-obligation", Decision.PERMIT),
        ("permit-obligation.upstream-bytes", Decision.PERMIT),
        ("permit-two-obligations", Decision.PERMIT),
        ("permit-no-context", Decision.PERMIT),
        ("deny", Decision.DENY),
        ("notapplicable", Decision.NOT_APPLICABLE),
        ("indeterminate", Decision.INDETERMINATE),
        ("indeterminate-processing-error", Decision.INDETERMINATE),
        ("indeterminate-processing-error.upstream-bytes", Decision.INDETERMINATE),
    ],
)
def test_answers_of_the_java_pdp_are_read(name: str, decision: Decision, vector: Vector) -> None:
    response = saml.authz_decision_response_from_element(body_of(vector(f"pdp/response-{name}.xml")))
    assert (response.in_response_to, response.issuer) == (QUERY_ID, PDP)
    assert [result.decision for result in response.results] == [decision]


@pytest.mark.parametrize(
    "name", ["permit-obligation", "permit-two-obligations", "deny", "indeterminate-processing-error"]
)
def test_an_answer_is_written_as_the_java_pdp_does_and_with_its_times(
    name: str, vector: Vector, canonical: Canonical
) -> None:
    recorded = vector(f"pdp/response-{name}.xml")
    body = body_of(recorded)
    statement = body.find(".//{*}Statement")
    assert statement is not None
    echo = etree.tostring(statement[0], with_tail=False)
    response = replace(saml.authz_decision_response_from_element(body), context=echo)
    assert canonical(envelope.write(saml.authz_decision_response_to_element(response), "soap11")) == canonical(recorded)


ANSWER = AuthzDecisionResponse("_a", "_q", NOON, "_b", PDP, (Result(Decision.PERMIT),))


def test_the_echo_is_left_out_when_it_is_not_wanted() -> None:
    assert saml.authz_decision_response_to_element(ANSWER).find(".//{*}Request") is None


def test_an_echo_may_have_names_of_any_letters(vector: Vector) -> None:
    query = query_of(vector, "permit", 'AttributeId="urn', 'Prüfstück="x" AttributeId="urn')
    (element, *_) = etree.fromstring(query.context).iter("{*}Attribute")
    assert element.get("Prüfstück") == "x"
    answer = saml.authz_decision_response_to_element(replace(ANSWER, context=query.context))
    assert "Prüfstück".encode() in envelope.write(answer, "soap11")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("status:Success", "status:Responder", "the SAML status is urn:oasis:names:tc:SAML:2.0:status:Responder"),
        ("saml2p:Status>", "saml2p:State>", "0 Status elements"),
        ("saml2p:StatusCode", "saml2p:Code", "0 StatusCode elements"),
        ("saml2:Assertion", "saml2:EncryptedAssertion", "0 Assertion elements"),
        ("XACMLAuthzDecisionStatementType", "XACMLPolicyStatementType", "0 statements of type XACMLAuthz"),
        ("xacml-saml:XACML", "saml2p:XACML", "0 statements of type XACMLAuthz"),
        ("xacml-context:Response", "xacml-context:Request", "0 Response elements"),
        ("xacml-context:Result", "xacml-context:Request", "no Result"),
        ("saml2p:Response", "saml2p:LogoutResponse", "a SAML Response is expected"),
    ],
)
def test_an_answer_that_gives_no_decision_is_refused(old: str, new: str, reason: str) -> None:
    xml = etree.tostring(saml.authz_decision_response_to_element(ANSWER)).decode()
    assert old in xml
    with pytest.raises(SamlError, match=reason):
        saml.authz_decision_response_from_element(etree.fromstring(xml.replace(old, new)))


@pytest.mark.parametrize("part", ["Assertion", "Statement", "Response"])
def test_an_answer_with_a_second_decision_is_refused(part: str) -> None:
    root = saml.authz_decision_response_to_element(ANSWER)
    element = next(root.iterdescendants(f"{{*}}{part}"))
    parent = element.getparent()
    assert parent is not None
    parent.append(etree.fromstring(etree.tostring(element)))
    with pytest.raises(SamlError, match=rf"2 ({part} elements|statements)"):
        saml.authz_decision_response_from_element(root)


def test_an_answer_with_an_unknown_decision_is_refused() -> None:
    xml = etree.tostring(saml.authz_decision_response_to_element(ANSWER)).replace(b">Permit<", b">Allow<")
    with pytest.raises(ContextSyntaxError, match="its Decision is none of"):
        saml.authz_decision_response_from_element(etree.fromstring(xml))


@pytest.mark.parametrize(
    "name", ["query-from-pdp", "query-error-no-issuer", "query-error-issuer-format", "query-error-version"]
)
def test_a_policy_query_is_written_as_the_java_pdp_does(name: str, vector: Vector, canonical: Canonical) -> None:
    recorded = vector(f"pap/{name}.xml")
    query = saml.policy_query_from_element(body_of(recorded))
    assert canonical(envelope.write(saml.policy_query_to_element(query), "soap11")) == canonical(recorded)


def test_a_policy_query_of_a_pap_is_written_as_the_java_pap_does(vector: Vector, canonical: Canonical) -> None:
    recorded = vector("pap/query-from-pap.xml")
    query = saml.policy_query_from_element(body_of(recorded))
    assert canonical(envelope.write(saml.policy_query_to_element(query), "soapenv")) == canonical(recorded)


@pytest.mark.parametrize(
    ("name", "from_pap"),
    [("query-from-pdp", False), ("query-from-pap", True), ("recorded-pap-query-samlp-extensions.request", True)],
)
def test_an_extensions_element_tells_a_pap_from_a_pdp(name: str, from_pap: bool, vector: Vector) -> None:
    assert saml.policy_query_from_element(body_of(vector(f"pap/{name}.xml"))).from_pap is from_pap


@pytest.mark.parametrize("name", ["response-policies", "response-two-paps", "response-empty"])
def test_policies_are_written_as_the_java_pap_does(name: str, vector: Vector, canonical: Canonical) -> None:
    recorded = vector(f"pap/{name}.xml")
    response = saml.policy_response_from_element(body_of(recorded))
    written = saml.write_policy_response(response)
    # The Java PAP reads the clock anew for the assertion.
    assert canonical(written) == canonical(recorded.replace(b"04:00:00.459Z", b"04:00:00.456Z"))


@pytest.mark.parametrize("name", ["response-error-issuer-format", "response-error-no-issuer", "response-error-version"])
def test_a_refusal_is_written_as_the_java_pap_does(name: str, vector: Vector, canonical: Canonical) -> None:
    recorded = vector(f"pap/{name}.xml")
    response = saml.policy_response_from_element(body_of(recorded))
    assert response.policies is None
    assert canonical(saml.write_policy_response(response)) == canonical(recorded)


def test_policies_recorded_from_the_java_pap_are_read(vector: Vector) -> None:
    response = saml.policy_response_from_element(body_of(vector("pap/recorded-pdp-query.response.xml")))
    assert response.policies is not None
    assert read_policy_set(response.policies).id == "root-default-00000000-0000-4000-8000-000000000001"


def test_all_that_a_java_pap_makes_public_is_read(vector: Vector) -> None:
    public = saml.public_policies_from_element(body_of(vector("pap/recorded-pap-query.response.xml")))
    names = [etree.QName(element).localname for element in public.elements]
    assert names == [*["PolicySet"] * 3, *["Policy"] * 3, "PolicySet", "Policy"]
    assert (public.status, public.in_response_to) == (Status(), "_0123456789abcdef")


def test_statements_of_all_assertions_count_for_a_pap(vector: Vector) -> None:
    answer = vector("pap/recorded-pap-query-samlp-extensions.response.xml")
    assertion = answer[answer.index(b"<saml2:Assertion") : answer.index(b"</saml2p:Response>")]
    twice = answer.replace(assertion, assertion * 2)
    once, both = (saml.public_policies_from_element(body_of(xml)).elements for xml in (answer, twice))
    assert len(both) == 2 * len(once) > 0


def test_a_refused_pap_gets_no_policies(vector: Vector) -> None:
    public = saml.public_policies_from_element(body_of(vector("pap/response-error-no-issuer.xml")))
    assert public.elements == ()
    assert public.status == Status(StatusCode.REQUESTER, "The Issuer element must be present")


def test_policies_of_any_text_are_written_as_they_are() -> None:
    policies = b"<a/><b xmlns='urn:x'>&lt;\xc3\xa9</b>"
    written = saml.write_policy_response(PolicyResponse("_a", "_q", NOON, "_b", "urn:pap", policies))
    assert policies + b"</saml2:Statement>" in written


@pytest.mark.parametrize("old", ["saml2:Assertion", "XACMLPolicyStatementType", "xacml:PolicySet"])
def test_success_without_a_policy_set_is_refused(old: str, vector: Vector) -> None:
    xml = vector("pap/response-empty.xml").replace(old.encode(), old.encode() + b"X")
    with pytest.raises(SamlError, match="no policy statement with a PolicySet"):
        saml.policy_response_from_element(body_of(xml))


def test_the_policies_of_a_response_keep_the_prefixes_that_stand_outside_of_them(vector: Vector) -> None:
    xml = vector("pap/response-empty.xml").replace(b"<soapenv:Body", b'<soapenv:Body xmlns:far="urn:far"', 1)
    policies = saml.policy_response_from_element(body_of(xml)).policies
    assert policies is not None
    assert etree.fromstring(policies).nsmap["far"] == "urn:far"


def test_a_refusal_says_so_in_words() -> None:
    assert str(Status(StatusCode.REQUESTER, "why")) == "urn:oasis:names:tc:SAML:2.0:status:Requester: why"
    assert str(Status()) == "urn:oasis:names:tc:SAML:2.0:status:Success"


def test_a_refusal_has_no_assertion() -> None:
    response = PolicyResponse("_a", "_q", NOON, "_b", "urn:pap", None, Status(StatusCode.VERSION_MISMATCH))
    written = envelope.read(saml.write_policy_response(response), 10_000)
    assert [etree.QName(child).localname for child in written] == ["Status"]


def test_message_ids_are_those_of_the_java_services_and_differ() -> None:
    first, second = saml.message_id(), saml.message_id()
    assert first != second
    assert first[0] == "_"
    assert len(first) == 33
    assert set(first[1:]) <= set("0123456789abcdef")
