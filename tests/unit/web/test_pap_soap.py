"""The ProvisioningService, from message to message."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import canonicalize

import httpx
import pytest
from fastapi import FastAPI
from lxml import etree
from starlette.types import Scope

from argus_py.errors import Unavailable
from argus_py.model.dn import DistinguishedName
from argus_py.model.trail import REQUEST_ID
from argus_py.pap.authorization import Acl, Act, Admin, Gate
from argus_py.soap import envelope, fault, saml
from argus_py.soap.fault import AXIS_NAMESPACE, Fault
from argus_py.soap.saml import PolicyResponse
from argus_py.web.pap_soap import PapSoapSettings, pap_services
from argus_py.web.workers import Load
from argus_py.xacml.policy_xml import read_policy_set

VECTORS = Path(__file__).parents[2] / "vectors" / "soap" / "pap"
PATH = "/pap/services/ProvisioningService"
SETTINGS = PapSoapSettings("http://argus.example.org/pap", "argus.example.org")
NOW = datetime(2026, 2, 3, 4, 0, 0, 456000, UTC)
QUERY_ID = "_14a90c7fe12bf0415229cabd93cd1961"


def vector(name: str) -> bytes:
    return (VECTORS / f"{name}.xml").read_bytes()


def policies_of(name: str) -> bytes:
    policies = saml.policy_response_from_element(envelope.read(vector(name), 1 << 20)).policies
    assert policies is not None
    return policies


POLICIES = policies_of("response-policies")


def public_policies_of(name: str) -> bytes:
    elements = saml.public_policies_from_element(envelope.read(vector(name), 1 << 20)).elements
    return b"".join(etree.tostring(element, with_tail=False) for element in elements)


PUBLIC = public_policies_of("response-to-pap")


def everybody(_scope: Scope, _act: Act) -> None:
    pass


@dataclass(frozen=True)
class Policies:
    """``for_paps`` gets the name that the asking PAP has for itself."""

    for_pdps: Callable[[], bytes] = lambda: POLICIES
    for_paps: Callable[[str | None], bytes] = lambda _asker: PUBLIC

    def document(self) -> bytes:
        return self.for_pdps()

    def public_document(self, asker: str | None) -> bytes:
        return self.for_paps(asker)


class Pap:
    """The service as the PAP mounts it, with policies, permissions and ids from the test."""

    def __init__(
        self, policies: Policies | Callable[[], bytes] = Policies(), permit: Callable[[Scope, Act], None] = everybody
    ) -> None:
        if not isinstance(policies, Policies):
            policies = Policies(policies)
        self.ids = iter(("_884321ad-30e4-47f5-81ec-1080e00a8a1c", "_f8924946-1199-4f02-918e-5bef4667bac8"))
        self.app = FastAPI()
        services = pap_services(
            policies, permit, SETTINGS, clock=lambda: NOW, load=Load(), new_id=lambda: next(self.ids)
        )
        self.app.mount("/pap/services", services)

    def send(self, method: str, body: bytes, headers: dict[str, str], path: str = PATH) -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="https://argus.example.org:8150") as client:
                return await client.request(method, path, content=body, headers=headers)

        return asyncio.run(exchange())

    def post(self, body: bytes) -> httpx.Response:
        return self.send("POST", body, {"SOAPAction": '""'})


def canonical(xml: bytes) -> str:
    xsi_type = "{http://www.w3.org/2001/XMLSchema-instance}type"
    return canonicalize(
        xml.decode(),
        strip_text=True,
        rewrite_prefixes=True,
        qname_aware_attrs=[xsi_type],
        qname_aware_tags=["faultcode"],
    )


def fault_in(response: httpx.Response) -> Fault | None:
    assert response.status_code == 500
    assert response.headers["Content-Type"] == "text/xml;charset=utf-8"
    return fault.from_element(envelope.read(response.content, 10_000))


def answer_in(response: httpx.Response) -> PolicyResponse:
    assert response.status_code == 200
    return saml.policy_response_from_element(envelope.read(response.content, 1 << 20))


@pytest.mark.parametrize("name", ["policies", "two-paps", "empty"])
def test_a_pdp_gets_what_the_java_pap_gives(name: str) -> None:
    recorded = vector(f"response-{name}").replace(b"04:00:00.459Z", b"04:00:00.456Z")
    response = Pap(lambda: policies_of(f"response-{name}")).post(vector("query-from-pdp"))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/xml;charset=utf-8"
    assert canonical(response.content) == canonical(recorded)


@pytest.mark.parametrize("name", ["version", "no-issuer", "issuer-format"])
def test_what_is_wrong_with_the_saml_is_answered_by_a_status(name: str) -> None:
    response = Pap().post(vector(f"query-error-{name}"))
    assert response.status_code == 200
    assert canonical(response.content) == canonical(vector(f"response-error-{name}"))


@pytest.mark.parametrize(
    "name",
    ["pdp-query", "pdp-query-twice", "pdp-query-without-version", "pdp-query-issuer-without-format"],
)
def test_queries_the_java_pap_was_seen_to_answer_are_answered(name: str) -> None:
    answer = answer_in(Pap().post(vector(f"recorded-{name}.request")))
    assert answer.in_response_to == "_0123456789abcdef"
    assert read_policy_set(answer.policies or b"") == read_policy_set(POLICIES)


def test_who_may_not_fetch_policies_gets_the_fault_pdps_know() -> None:
    response = Pap(permit=nobody).post(vector("query-from-pdp"))
    assert response.status_code == 500
    assert canonical(response.content) == canonical(vector("fault-not-authorized"))


def test_a_pap_that_may_not_fetch_policies_is_told_of_its_own_operation() -> None:
    recorded = vector("fault-not-authorized").replace(b"PoliciesForPDP", b"PoliciesForPAP")
    assert canonical(Pap(permit=nobody).post(vector("query-from-pap")).content) == canonical(recorded)


def nobody(_scope: Scope, act: Act) -> None:
    Gate(Acl).admit(Admin(DistinguishedName.parse_slash("/CN=somebody")), act)


@pytest.mark.parametrize(("query", "act"), [("query-from-pdp", Act.FETCH_AS_PDP), ("query-from-pap", Act.FETCH_AS_PAP)])
def test_permission_is_judged_by_the_connection(query: str, act: Act) -> None:
    seen: list[tuple[str, Act]] = []

    def permit(scope: Scope, act: Act) -> None:
        seen.append((scope["path"], act))

    Pap(permit=permit).post(vector(query))
    assert seen == [(PATH, act)]


@pytest.mark.parametrize("name", ["version", "no-issuer", "issuer-format"])
def test_nothing_is_given_for_a_refused_query(name: str) -> None:
    def never() -> bytes:
        raise AssertionError("asked for policies")

    assert answer_in(Pap(never).post(vector(f"query-error-{name}"))).policies is None


def test_another_operation_is_a_fault() -> None:
    response = Pap().post(vector("recorded-fault-unknown-element.request"))
    assert fault_in(response) == Fault("Client", "No such operation 'foo'", AXIS_NAMESPACE)
    recorded = vector("recorded-fault-unknown-element.response").replace(b"pap.example.org", b"argus.example.org")
    assert canonical(response.content) == canonical(recorded)


def test_a_message_without_soapaction_is_a_fault() -> None:
    response = Pap().send("POST", vector("query-from-pdp"), {})
    assert response.status_code == 500
    assert canonical(response.content) == canonical(vector("fault-no-soapaction"))


def test_a_pap_gets_what_the_java_pap_gives() -> None:
    recorded = vector("response-to-pap").replace(b"04:00:00.459Z", b"04:00:00.456Z")
    response = Pap().post(vector("query-from-pap"))
    assert canonical(response.content) == canonical(recorded)


@pytest.mark.parametrize(
    ("name", "issuer"),
    [
        ("query-from-pap", "ISSUER_STRING"),
        ("recorded-pap-query.request", "http://pdp.example.org"),
        ("recorded-pap-query-samlp-extensions.request", "http://pdp.example.org"),
    ],
)
def test_queries_of_paps_are_known_by_their_extensions(name: str, issuer: str) -> None:
    askers: list[str | None] = []

    def public(asker: str | None) -> bytes:
        askers.append(asker)
        return PUBLIC

    response = Pap(Policies(for_paps=public)).post(vector(name))
    public_policies = saml.public_policies_from_element(envelope.read(response.content, 1 << 20))
    assert len(public_policies.elements) == 6
    assert askers == [issuer]


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"<a/>", b"<!DOCTYPE a><a/>", vector("query-from-pdp")[:-5], b"x" * (1 << 16)]
)
def test_what_cannot_be_read_is_a_fault(body: bytes) -> None:
    told = fault_in(Pap().post(body))
    assert told is not None
    assert told.code == "Server.userException"


def test_an_empty_soap_body_is_a_fault() -> None:
    empty = envelope.SOAP_NAMESPACE
    body = f'<s:Envelope xmlns:s="{empty}"><s:Body/></s:Envelope>'.encode()
    assert fault_in(Pap().post(body)) == Fault("Server.userException", "no element in the SOAP body")


def test_a_message_beyond_the_limit_is_a_fault() -> None:
    assert fault_in(Pap().post(b"x" * ((1 << 16) + 1))) == Fault("Client", "the message is longer than 65536 octets")


def test_a_store_that_cannot_be_reached_is_a_fault() -> None:
    def unreachable() -> bytes:
        raise Unavailable("the database is locked")

    told = fault_in(Pap(unreachable).post(vector("query-from-pdp")))
    assert told == Fault("Server.userException", "the database is locked")


def test_an_error_of_ours_shows_nothing_of_itself() -> None:
    def broken() -> bytes:
        raise ZeroDivisionError("secret")

    told = fault_in(Pap(broken).post(vector("query-from-pdp")))
    assert told == Fault("Server.generalException", "internal error")


def test_a_browser_is_greeted_as_by_axis() -> None:
    response = Pap().send("GET", b"", {})
    assert (response.status_code, "Hi there, this is an AXIS service!" in response.text) == (200, True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("PUT", PATH, 405), ("POST", "/pap/services/NoSuchService", 404)],
)
def test_other_methods_and_paths_are_not_served(method: str, path: str, status: int) -> None:
    assert Pap().send(method, vector("query-from-pdp"), {"SOAPAction": ""}, path).status_code == status


def test_the_logs_know_a_query_by_its_id(caplog: pytest.LogCaptureFixture) -> None:
    ids: list[str | None] = []

    def policies() -> bytes:
        ids.append(REQUEST_ID.get())
        return POLICIES

    caplog.set_level(logging.INFO, "argus_py.web.pap_soap")
    Pap(policies).post(vector("query-from-pdp"))
    assert (ids, REQUEST_ID.get()) == ([QUERY_ID], None)
    assert caplog.messages == ["policies provided to http://argus.example.org/pdp"]
