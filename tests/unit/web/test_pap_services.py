"""The management services: the recorded session of the Java client, faults, limits, and callers of other kinds."""

import asyncio
import json
import re
import threading
import uuid
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from lxml import etree
from starlette.applications import Starlette
from starlette.types import Scope

from argus_py import __version__
from argus_py.errors import CredentialRejected
from argus_py.model.dn import DistinguishedName
from argus_py.pap.access import StoredAcl
from argus_py.pap.administration import ensure_default_pap
from argus_py.pap.authorization import ANYONE, Acl, Admin, Gate, Permission
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, Remote
from argus_py.pap.use_cases import UseCases
from argus_py.soap.envelope import SOAP_NAMESPACE
from argus_py.soap.java_exceptions import JavaClass
from argus_py.soap.pap_operations import SERVICES
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.store.memory import MemoryPolicies
from argus_py.web.pap_services import SMALL_REQUEST, Callers, management_routes
from argus_py.web.workers import Load

if TYPE_CHECKING:
    from tests.conftest import RecordedSession

VECTORS = Path(__file__).parents[2] / "vectors" / "pap-soap"
EXCHANGES: list[dict[str, Any]] = json.loads((VECTORS / "exchanges.json").read_text())
SESSION = list(takewhile(lambda each: each["case"] != "bad-boolean", EXCHANGES))
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
BAN: Callable[..., str] = "<a>{}</a><i>{}</i><v>{}</v><r>.*</r><c>.*</c><p>true</p>".format
EVERYTHING = Acl(((ANYONE, Permission.ALL),))


def admin_of(scope: Scope) -> Admin:
    if b"x-nobody" in dict(scope["headers"]):
        raise CredentialRejected("no client certificate")
    return Admin(DistinguishedName.parse_slash("/CN=admin"))


class Pap17:
    """The services over a store."""

    def __init__(self, acl: Acl = EVERYTHING, admin_of: Callable[[Scope], Admin] = admin_of) -> None:
        self.store = MemoryPolicies()
        self.refreshed: list[str] = []
        ensure_default_pap(self.store, self._new_id)
        with self.store.change(Note("test", "set up")) as writer:
            writer.set_acl(acl)
            writer.set_ordering(("default",))
        gate = Gate(StoredAcl(self.store))
        use_cases = UseCases.of(
            self.store, gate, DEFAULT_MAPPINGS, self._new_id, lambda pap: self.refreshed.append(pap.alias)
        )
        self._app = Starlette(routes=management_routes(use_cases, Callers(admin_of, gate), "pap.example.org", Load(4)))

    @staticmethod
    def _new_id() -> str:
        return str(uuid.uuid4())

    def send(self, path: str, body: bytes, headers: dict[str, str], method: str = "POST") -> httpx.Response:
        async def exchange() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="https://pap") as client:
                return await client.request(method, path, content=body, headers=headers)

        return asyncio.run(exchange())

    def replay(self, exchange: dict[str, Any], request: str) -> httpx.Response:
        headers = {"Content-Type": exchange.get("content_type") or "text/xml; charset=utf-8"}
        if exchange["soap_action"] is not None:
            headers["SOAPAction"] = f'"{exchange["soap_action"]}"'
        return self.send(f"/{exchange['service']}", request.encode(), headers)

    def call(self, service: str, operation: str, parameters: str = "") -> httpx.Response:
        content = f"<{operation}>{parameters}</{operation}>"
        body = f'<e:Envelope xmlns:e="{SOAP_NAMESPACE}"><e:Body>{content}</e:Body></e:Envelope>'
        return self.send(f"/{service}", body.encode(), {"SOAPAction": ""})


def named(case: str) -> dict[str, Any]:
    (found,) = (each for each in EXCHANGES if each["case"] == case)
    return found


def test_the_recorded_session_is_answered_as_recorded(recorded_session: "RecordedSession") -> None:
    pap = Pap17()
    recorded_session.replay(SESSION, pap.replay)
    assert pap.refreshed == ["rem1"]


def test_an_action_that_is_loaded_as_private_is_private() -> None:
    pap = Pap17()
    request = named("addPolicies")["request"]
    (set_id,) = UUID.findall(pap.replay(named("addPolicySet"), named("addPolicySet")["request"]).text)
    answer = pap.replay(named("addPolicies"), re.sub(r"(<policySetId[^>]*>)[^<]*", rf"\g<1>{set_id}", request))
    assert re.findall("(p[a-z]+.)" + UUID.pattern, answer.text) == ["public-", "private_"]


def test_a_rule_at_the_bottom_of_a_new_resource_is_no_fault() -> None:
    exchange = named("addRule-bottom-new-resource")
    assert Pap17().replay(exchange, exchange["request"]).status_code == 200


def test_ping_tells_the_version() -> None:
    assert f"PAP version: {__version__}" in Pap17().replay(named("ping"), named("ping")["request"]).text


PROTOCOL = [each for each in EXCHANGES[len(SESSION) :] if each["service"] != "ProvisioningService"]


@pytest.mark.parametrize("exchange", PROTOCOL, ids=lambda each: each["case"])
def test_unusual_messages_are_answered_as_recorded(exchange: dict[str, Any]) -> None:
    pap = Pap17(Acl() if exchange["case"] == "not-authorized" else EVERYTHING)
    answer = pap.replay(exchange, exchange["request"])
    assert answer.status_code == exchange["status"]
    versions = {"soap12-envelope": "application/soap+xml; charset=UTF-8"}
    assert answer.headers["content-type"] == versions.get(exchange["case"], "text/xml;charset=utf-8")
    if exchange["status"] == 500:
        assert fault(answer)[0] == exchange["fault_code"]
        if exchange["case"] not in ("doctype", "malformed-xml", "bad-boolean"):  # texts of the Java parser
            assert fault(answer)[1] == exchange["fault_string"]


def fault(answer: httpx.Response) -> tuple[str, str]:
    root = etree.fromstring(answer.content)
    return root.findtext(".//faultcode") or "", root.findtext(".//faultstring") or ""


@pytest.mark.parametrize("file", sorted((VECTORS / "callers").iterdir()), ids=lambda file: file.stem)
def test_scripts_of_sites_get_the_bans_in_the_words_they_look_for(file: Path) -> None:
    pap = Pap17()
    pap.call("HighLevelPolicyManagementService", "ban", BAN("default", "subject", "/DC=org/CN=Eve"))
    kind = "application/x-www-form-urlencoded" if "pycurl" in file.name else "text/xml; charset=utf-8"
    headers = {"Content-Type": kind, "SOAPAction": '""'}
    answer = pap.send("/XACMLPolicyManagementService?wsdl", file.read_bytes(), headers)
    assert answer.status_code == 200, answer.text
    assert '<xacml:Rule Effect="Deny"' in answer.text
    assert "<xacml:SubjectMatch " in answer.text
    assert 'AttributeId="urn:oasis:names:tc:xacml:1.0:subject:subject-id"' in answer.text


ROWS = [
    ("PAPManagementService", "getPap", "<a>default</a>", "GetPapOperation"),
    ("PAPManagementService", "getAllPaps", "", "ListPapsOperation"),
    ("HighLevelPolicyManagementService", "eraseRepository", "<a>default</a>", "EraseRepositoryOperation"),
    ("XACMLPolicyManagementService", "listPolicies", "<a>default</a>", "ListLocalPoliciesOperation"),
    ("XACMLPolicyManagementService", "listPolicies", "<a>far</a>", "ListRemotePoliciesOperation"),
    ("XACMLPolicyManagementService", "getRootPolicySet", "<a>far</a>", "GetRemoteRootPolicySetOperation"),
    ("XACMLPolicyManagementService", "removeObjectByIdAndReferences", "<a>default</a><i>x</i>", None),
    ("AuthorizationManagementService", "getACL", "", "GetACLOperation"),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "java"), ROWS)
def test_a_refusal_names_the_operation_as_java_does(
    service: str, operation: str, parameters: str, java: str | None
) -> None:
    pap = Pap17(Acl())
    with pap.store.change(Note("test", "add")) as writer:
        writer.add_pap(Pap("far-1", "far", remote=Remote("far.example.org")))
    name = java or "RemoveObjectByIdAndReferencesOperation"
    text = f"{JavaClass.NOT_AUTHORIZED}: Insufficient privileges to perform operation '{name}'."
    assert fault(pap.call(service, operation, parameters)) == ("soapenv:Server.userException", text)


def test_every_operation_of_the_table_is_there_and_nothing_happens_without_permission() -> None:
    pap = Pap17(Acl())
    revision = pap.store.revision()
    for exchange in SESSION:
        if exchange["operation"] == "ping":
            continue
        answer = pap.replay(exchange, exchange["request"])
        assert answer.status_code == 500, exchange["case"]
    assert pap.store.revision() == revision
    assert {each["operation"] for each in SESSION} == {each.name for service in SERVICES for each in service.operations}


def test_the_services_are_listed_described_and_greeted() -> None:
    pap = Pap17()
    assert "<li>PAPManagementService<ul><li>ping</li>" in pap.send("/", b"", {}, "GET").text
    greeting = pap.send("/PAPManagementService", b"", {}, "GET").text
    assert greeting.startswith("<h1>PAPManagementService</h1>")
    description = pap.send("/PAPManagementService?wsdl", b"", {}, "GET")
    assert 'location="https://pap/PAPManagementService"' in description.text
    assert pap.send("/Other", b"", {}, "GET").status_code == 404


def test_who_may_not_write_cannot_send_much() -> None:
    body = b" " * (SMALL_REQUEST + 1)
    may = Acl(((ANYONE, Permission.POLICY_READ_LOCAL),))
    answer = Pap17(may).send("/XACMLPolicyManagementService", body, {"SOAPAction": ""})
    assert fault(answer)[1] == f"the message is longer than {SMALL_REQUEST} octets"


def test_who_asks_is_found_out_beside_the_event_loop() -> None:
    """Attribute certificates have signatures, and the permissions are in a database that may be slow or gone."""
    threads: list[str] = []

    def slow_admin_of(scope: Scope) -> Admin:
        threads.append(threading.current_thread().name)
        return admin_of(scope)

    assert Pap17(admin_of=slow_admin_of).call("PAPManagementService", "ping").status_code == 200
    (thread,) = threads  # and once: it is the same connection all the time
    assert thread != threading.main_thread().name


@pytest.mark.parametrize("path", ["/PAPManagementService", "/Other"])
def test_a_question_for_the_head_of_a_page_is_no_message(path: str) -> None:
    pap = Pap17()
    assert pap.send(path, b"", {}, "HEAD").status_code == pap.send(path, b"", {}, "GET").status_code


def test_nobody_is_told_that_he_is_nobody() -> None:
    answer = Pap17().send("/PAPManagementService", b"", {"SOAPAction": "", "X-Nobody": "1"})
    assert answer.status_code == 500
    assert fault(answer)[0] == "soapenv:Server.userException"


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (BAN("default", "foo", "x"), "UnsupportedAttributeException: id=foo"),
        (BAN("far", "vo", "x"), "Forbidden operation for a remote PAP"),
    ],
)
def test_faults_of_operations_have_the_words_of_java(parameters: str, text: str) -> None:
    pap = Pap17()
    with pap.store.change(Note("test", "add")) as writer:
        writer.add_pap(Pap("far-1", "far", remote=Remote("far.example.org")))
    answer = pap.call("HighLevelPolicyManagementService", "ban", parameters)
    assert text in fault(answer)[1], answer.text


ADD_RULE: Callable[..., str] = (
    "<a>{alias}</a><p>true</p><l>{attributes}</l><v>a</v><r>r</r>"
    '<n xsi:nil="1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>'
    '<n xsi:nil="1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>'
    '<n xsi:nil="1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/><s>{scope}</s><m>false</m>'
).format


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"attributes": "<i>vo=x</i>", "scope": "both"}, "java.lang.IllegalArgumentException"),
        ({"attributes": "", "scope": "action"}, "a rule needs at least one attribute"),
        ({"attributes": "<i>vo</i>", "scope": "action"}, 'invalid "id=value" string: vo'),
        ({"attributes": "<i>vo=x</i>", "scope": "action", "alias": "far"}, "You cannot add rules to a remote PAP!"),
    ],
)
def test_rules_that_cannot_be_added(values: dict[str, str], text: str) -> None:
    pap = Pap17()
    with pap.store.change(Note("test", "add")) as writer:
        writer.add_pap(Pap("far-1", "far", remote=Remote("far.example.org")))
    revision = pap.store.revision()
    answer = pap.call("HighLevelPolicyManagementService", "addRule", ADD_RULE(**{"alias": "default"} | values))
    assert text in fault(answer)[1], answer.text
    assert pap.store.revision() == revision
