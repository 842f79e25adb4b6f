"""The service port of the PDP, from message to message, with a real engine behind it."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import canonicalize

import httpx
import pytest

from argus_py.errors import Unavailable
from argus_py.model.identifiers import StatusUri
from argus_py.model.request import Request
from argus_py.model.response import Decision, Response
from argus_py.model.trail import REQUEST_ID
from argus_py.pdp.engine import Engine
from argus_py.pdp.exchange import Exchange
from argus_py.snapshot import Snapshot
from argus_py.soap import envelope, fault, saml
from argus_py.soap.fault import Fault
from argus_py.soap.saml import AuthzDecisionResponse
from argus_py.web.changes import ChangeFeed
from argus_py.web.pdp import BODY_LIMIT, PdpSettings, pdp_app, policy_lines
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.policy_xml import read_policy_set

VECTORS = Path(__file__).parents[2] / "vectors" / "soap" / "pdp"
GOLDEN = json.loads((VECTORS / "golden-protocol.json").read_text())["cases"]
START = datetime(2026, 2, 3, 4, 5, 6, 789000, UTC)
QUERY_ID = "_0bb71715ce8fab60962c05f36187b0a1"
URL = "https://argus.example.org:8152/authz"
ENTITY = "http://argus.example.org/pdp"

# Where the answer is better than the one recorded.
BETTER: dict[str, dict[str, Any]] = {
    # An empty value is the empty string, as XACML has it, and no failure.
    "query-indeterminate-empty-value.xml": {
        "decision": "NotApplicable",
        "status": StatusUri.OK,
        "resourceId": "http://authz.example.org/resource/ce01",
    },
    # The status code tells what is wrong; clients decide by the decision.
    "query-indeterminate-bad-fqan.xml": {"status": StatusUri.SYNTAX_ERROR},
}


def vector(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


CE_SITE = compile_policy(read_policy_set(vector("policies/ce-site.xml")))


@dataclass
class Kept:
    """The journal and the counters of a test."""

    exchanges: list[Exchange] = field(default_factory=list)
    requests: int = 0
    errors: int = 0

    def record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def started(self) -> None:
        self.requests += 1

    def failed(self) -> None:
        self.errors += 1


class Pdp:
    """A PDP with a policy, or without one, behind its HTTP interface."""

    def __init__(
        self,
        policy: CompiledPolicy | None = CE_SITE,
        settings: PdpSettings | None = None,
        changes: ChangeFeed | None = None,
    ) -> None:
        def load() -> CompiledPolicy:
            if policy is None:
                raise Unavailable("the PAP cannot be reached")
            return policy

        self.policy = Snapshot("policy", load, lambda: START)
        self.policy.refresh()
        self.kept = Kept()
        self.now = START
        self.ids = iter(("_response", "_assertion"))
        status = StatusPage(
            "Argus PDP",
            "1.7.1",
            START,
            lambda: (self.kept.requests, self.kept.errors),
            lambda: policy_lines(self.policy),
        )
        self.app = pdp_app(
            self.engine(),
            settings or PdpSettings(ENTITY),
            status=status,
            counters=self.kept,
            journal=self.kept,
            clock=self.clock,
            load=Load(),
            new_id=lambda: next(self.ids),
            changes=changes,
        )

    def engine(self) -> Engine:
        return Engine(self.policy, lambda: self.now)

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def send(self, method: str, url: str, body: bytes = b"") -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=("192.0.2.1", 1234))
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(method, url, content=body)

        return asyncio.run(exchange())

    def post(self, body: bytes, url: str = URL) -> httpx.Response:
        return self.send("POST", url, body)


class BrokenPdp(Pdp):
    def engine(self) -> Engine:
        class BrokenEngine(Engine):
            def decide(self, request: Request) -> Response:
                raise ZeroDivisionError("secret")

        return BrokenEngine(self.policy, lambda: self.now)


def answer_in(response: httpx.Response) -> AuthzDecisionResponse:
    assert response.status_code == 200
    return saml.authz_decision_response_from_element(envelope.read(response.content, 1 << 20))


def fault_in(response: httpx.Response) -> Fault | None:
    assert response.status_code == 500
    return fault.from_element(envelope.read(response.content, 10_000))


def canonical(xml: bytes) -> str:
    xsi_type = "{http://www.w3.org/2001/XMLSchema-instance}type"
    return canonicalize(xml.decode(), strip_text=True, rewrite_prefixes=True, qname_aware_attrs=[xsi_type])


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["query"])
def test_queries_are_answered_as_by_the_java_pdp(case: dict[str, Any]) -> None:
    response = Pdp(CE_SITE if case["policy"] else None).post(vector(case["query"]))
    expected = case["upstream"]
    assert response.status_code == expected["http"]
    if expected["http"] == 500:
        code = expected["fault"]["faultcode"].removeprefix("soap11:")
        assert fault_in(response) == Fault(code, expected["fault"]["faultstring"])
        return
    if case["query"] in BETTER:
        expected = expected | BETTER[case["query"]]
    answer = answer_in(response)
    (result,) = answer.results
    assert answer.in_response_to == expected["inResponseTo"]
    assert (result.decision.value, result.resource_id) == (expected["decision"], expected["resourceId"])
    assert result.status.code.value == expected["status"]
    assert (b"Request>" in response.content) is expected["requestEchoed"]
    assert [
        {
            "id": obligation.id,
            "fulfillOn": obligation.fulfill_on.value,
            "assignments": [[a.attribute_id, a.datatype, a.value] for a in obligation.assignments],
        }
        for obligation in result.obligations
    ] == expected["obligations"]


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("permit", "permit-obligation"),
        ("permit-two-obligations", "permit-two-obligations"),
        ("no-return-context", "permit-no-context"),
        ("deny-banned", "deny"),
        ("notapplicable", "notapplicable"),
        ("indeterminate-bad-fqan", "indeterminate"),
    ],
)
def test_an_answer_says_the_same_as_that_of_the_java_pdp(query: str, answer: str) -> None:
    recorded = saml.authz_decision_response_from_element(envelope.read(vector(f"response-{answer}.xml"), 1 << 20))
    response = Pdp().post(vector(f"query-{query}.xml"))
    body = response.content.replace(StatusUri.SYNTAX_ERROR.encode(), StatusUri.OK.encode())  # BETTER
    assert recorded.id is not None
    assert recorded.assertion_id is not None
    body = body.replace(b'"_response"', f'"{recorded.id}"'.encode())
    body = body.replace(b'"_assertion"', f'"{recorded.assertion_id}"'.encode())
    times = r'IssueInstant="[^"]*"'
    assert re.sub(times, "", canonical(body)) == re.sub(times, "", canonical(vector(f"response-{answer}.xml")))


@pytest.mark.parametrize(
    "name",
    ["doctype", "empty-body", "issuer-format", "must-understand", "not-xml", "soap12", "two-children", "unknown-body"],
)
def test_a_fault_is_that_of_the_java_pdp_byte_for_byte(name: str) -> None:
    query = next(VECTORS.glob(f"query-fault-{name}.*"))
    assert Pdp().post(query.read_bytes()).content == vector(f"fault-{name}.xml")


def test_an_empty_message_is_answered_by_the_fault_of_the_java_pdp_byte_for_byte() -> None:
    assert Pdp().post(b"").content == vector("fault-no-message.xml")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</soap11:Envelope>", b""),
        (b"soap11:Body", b"soap11:Head"),
        (b"XACMLAuthzDecisionQuery", b"AuthnRequest"),
        (b"XACMLAuthzDecisionQuery", b"XACMLPolicyQuery"),
        (b"2026-02-03T04:05:06.789Z", b"yesterday"),
        (b'Version="2.0"', b'Version="two"'),
        (b"xacml-context:Request", b"xacml-context:Question"),
    ],
)
def test_what_ends_in_a_page_of_the_java_pdp_is_a_fault(old: bytes, new: bytes) -> None:
    query = vector("query-permit.xml")
    assert old in query
    told = fault_in(Pdp().post(query.replace(old, new)))
    assert told is not None
    assert told.code == "Client"


@pytest.mark.parametrize("echo", [b"true", b"false"])
def test_a_query_without_a_request_is_a_fault(echo: bytes) -> None:
    query = vector("query-permit.xml").replace(b'ReturnContext="true"', b'ReturnContext="%s"' % echo)
    head, rest = query.split(b"<xacml-context:Request")
    _, tail = rest.split(b"</xacml-context:Request>")
    told = fault_in(Pdp().post(head + tail))
    assert told is not None
    assert told.code == "Client"


def test_a_query_without_its_envelope_is_a_fault() -> None:
    _, bare = vector("query-permit.xml").split(b"<soap11:Body>")
    bare, _ = bare.split(b"</soap11:Body>")
    told = fault_in(Pdp().post(bare))
    assert told is not None
    assert told.code == "Client"


def test_a_query_in_utf_16_is_answered() -> None:
    query = vector("query-permit.xml").decode().replace('encoding="UTF-8"', 'encoding="UTF-16"')
    assert answer_in(Pdp().post(query.encode("utf-16"))).results[0].decision is Decision.PERMIT


def test_a_wrong_xsi_type_is_not_looked_at() -> None:
    query = vector("query-permit.xml").replace(b"XACMLAuthzDecisionQueryType", b"Whatever")
    assert answer_in(Pdp().post(query)).results[0].decision is Decision.PERMIT


def test_the_headers_of_an_answer_are_those_of_the_java_pdp() -> None:
    headers = Pdp().post(vector("query-permit.xml")).headers
    assert headers["Cache-Control"] == "no-cache, no-store"
    assert headers["Pragma"] == "no-cache"
    assert headers["Content-Type"] == "text/xml;charset=utf-8"
    assert headers["SOAPAction"] == "http://www.oasis-open.org/committees/security"


def test_the_headers_of_a_fault_are_those_of_the_java_pdp() -> None:
    headers = Pdp().post(b"").headers
    assert headers["Content-Type"] == "text/xml;charset=utf-8"
    assert headers["SOAPAction"] == ""


@pytest.mark.parametrize(
    ("destination", "decision"),
    [
        (URL, Decision.PERMIT),
        ("HTTPS://ARGUS.example.org:8152/authz", Decision.PERMIT),
        ("https://pdp.example.org/authz", Decision.PERMIT),
        ("https://PDP.example.org/authz", Decision.PERMIT),
        ("", Decision.PERMIT),
        ("https://argus.example.org:8152/AUTHZ", Decision.INDETERMINATE),
        ("https://argus.example.org/authz", Decision.INDETERMINATE),
        ("http://argus.example.org:8152/authz", Decision.INDETERMINATE),
        ("https://argus.example.org:8152/authz?x", Decision.INDETERMINATE),
        ("https://[/authz", Decision.INDETERMINATE),
    ],
)
def test_a_destination_is_the_url_of_the_request_or_a_configured_one(destination: str, decision: Decision) -> None:
    pdp = Pdp(settings=PdpSettings(ENTITY, frozenset({"https://pdp.example.org/authz"})))
    query = vector("query-permit.xml").replace(b'Version="2.0"', f'Version="2.0" Destination="{destination}"'.encode())
    assert answer_in(pdp.post(query)).results[0].decision is decision


def test_reasons_are_sent_only_if_it_is_wanted() -> None:
    query = vector("query-permit.xml")
    silent, telling = Pdp(None), Pdp(None, PdpSettings(ENTITY, explain=True))
    assert answer_in(silent.post(query)).results[0].status.message is None
    assert answer_in(telling.post(query)).results[0].status.message == "No policy has been loaded yet"


def test_an_answer_has_its_times_ids_and_issuer() -> None:
    answer = answer_in(Pdp().post(vector("query-permit.xml")))
    assert answer.issue_instant == START + timedelta(seconds=2)
    assert (answer.id, answer.assertion_id, answer.issuer) == ("_response", "_assertion", ENTITY)


def test_the_journal_gets_what_was_asked_and_what_decided() -> None:
    pdp = Pdp()
    pdp.post(vector("query-permit.xml"))
    (exchange,) = pdp.kept.exchanges
    assert (exchange.address, exchange.issuer) == ("192.0.2.1", "http://argus.example.org/pepd")
    assert (exchange.received_at, exchange.duration) == (START + timedelta(seconds=1), timedelta(seconds=1))
    assert exchange.request is not None
    assert exchange.request.action is not None
    trail = exchange.response.trail
    assert (trail.request_id, trail.response_id, trail.decision) == (QUERY_ID, "_response", "Permit")
    assert trail.decided_by[0].startswith("root-")


def test_the_journal_is_told_why_a_request_was_not_read() -> None:
    pdp = Pdp()
    query = vector("query-permit.xml").replace(
        b"<xacml-context:Environment>", b"<xacml-context:Foo/><xacml-context:Environment>"
    )
    answer = answer_in(pdp.post(query))
    assert answer.results[0].status.code.value == StatusUri.PROCESSING_ERROR
    (exchange,) = pdp.kept.exchanges
    assert exchange.request is None
    assert exchange.response.trail.reason is not None
    assert "Foo at line" in exchange.response.trail.reason


def test_faults_are_not_in_the_journal() -> None:
    pdp = Pdp()
    pdp.post(b"")
    assert pdp.kept.exchanges == []


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("query-permit.xml", 0),
        ("query-deny-banned.xml", 0),
        ("query-indeterminate-bad-fqan.xml", 0),
        ("query-indeterminate-unknown-datatype.xml", 1),
        ("query-indeterminate-destination.xml", 1),
        ("query-fault-doctype.xml", 1),
    ],
)
def test_each_query_counts_once(query: str, errors: int) -> None:
    pdp = Pdp()
    pdp.post(vector(query))
    assert (pdp.kept.requests, pdp.kept.errors) == (1, errors)


def test_a_message_beyond_the_limit_is_a_fault_and_counts() -> None:
    pdp = Pdp()
    assert fault_in(pdp.post(b"<" * (BODY_LIMIT + 1))) == Fault("Client", "the message is longer than 1048576 octets")
    assert (pdp.kept.requests, pdp.kept.errors) == (1, 1)


def test_an_error_of_ours_is_a_fault_that_shows_nothing_of_itself() -> None:
    pdp = BrokenPdp()
    assert fault_in(pdp.post(vector("query-permit.xml"))) == Fault("Server", "internal error")
    assert (pdp.kept.requests, pdp.kept.errors) == (1, 1)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/authz", 405),
        ("HEAD", "/authz", 405),
        ("PUT", "/authz", 405),
        ("DELETE", "/authz", 405),
        ("OPTIONS", "/authz", 405),
        ("PATCH", "/authz", 501),
        ("POST", "/authz/", 405),
        ("POST", "/authz/x", 405),
        ("POST", "/status", 405),
        ("GET", "/", 404),
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
    ],
)
def test_other_methods_and_paths_are_not_served(method: str, path: str, status: int) -> None:
    assert Pdp().send(method, f"https://argus.example.org:8152{path}", b"").status_code == status


def status_lines(pdp: Pdp) -> list[tuple[str, str]]:
    response = pdp.send("GET", "https://argus.example.org:8152/status")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain;charset=iso-8859-1"
    lines = [line.split(": ") for line in response.text.removesuffix("\n").split("\n")]
    assert all(len(parts) == 2 for parts in lines), "probes split each line into two parts"
    return [(name, value) for name, value in lines]


def test_the_status_page_tells_the_policy_in_force() -> None:
    pdp = Pdp()
    pdp.post(vector("query-permit.xml"))
    lines = status_lines(pdp)
    assert [name for name, _ in lines] == [
        "Status",
        "Service",
        "ServiceVersion",
        "ServiceStartupTime",
        "ServiceStartupTimeMillis",
        "NumberOfProcessors",
        "MaxMemory",
        "UsedMemory",
        "TotalRequests",
        "TotalCompletedRequests",
        "TotalRequestErrors",
        "PolicyLoadTime",
        "PolicyLoadTimeMillis",
        "CurrentPolicy",
        "CurrentPolicyVersion",
    ]
    assert lines[0:2] == [("Status", "OK"), ("Service", "Argus PDP")]
    assert lines[8:11] == [("TotalRequests", "1"), ("TotalCompletedRequests", "1"), ("TotalRequestErrors", "0")]
    assert lines[11:] == [
        ("PolicyLoadTime", "2026-02-03T04:05:06.789Z"),
        ("PolicyLoadTimeMillis", "1770091506789"),
        ("CurrentPolicy", "root-default-00000001-0000-4000-8000-000000000001"),
        ("CurrentPolicyVersion", "1"),
    ]


def test_the_status_page_tells_why_there_is_no_policy() -> None:
    assert status_lines(Pdp(None))[11:] == [
        ("PolicyLoadTime", "null"),
        ("PolicyLoadTimeMillis", "0"),
        ("CurrentPolicy", "null"),
        ("CurrentPolicyVersion", "null"),
        ("LastRefreshError", "the PAP cannot be reached"),
    ]


def test_the_status_page_counts_rules_that_can_only_fail() -> None:
    text = vector("policies/ce-site.xml").replace(b">/cms/Role=pilot<", b">cms<")
    assert ("PolicyDefects", "1") in status_lines(Pdp(compile_policy(read_policy_set(text))))


def test_the_logs_know_a_query_by_its_id() -> None:
    ids: list[str | None] = []

    class Looking(Pdp):
        def engine(self) -> Engine:
            class LookingEngine(Engine):
                def decide(self, request: Request) -> Response:
                    ids.append(REQUEST_ID.get())
                    return super().decide(request)

            return LookingEngine(self.policy, lambda: self.now)

    pdp = Looking(CE_SITE)
    pdp.post(vector(GOLDEN[0]["query"]))
    [exchange] = pdp.kept.exchanges
    assert (ids, REQUEST_ID.get()) == ([exchange.response.trail.request_id], None)
    assert ids != [None]


def test_without_a_policy_there_is_a_fault_if_that_is_wanted() -> None:
    pdp = Pdp(None, PdpSettings(ENTITY, fault_without_policy=True))
    assert fault_in(pdp.post(vector("query-permit.xml"))) == Fault("Server", "No policy has been loaded yet")
    assert (pdp.kept.requests, pdp.kept.errors, pdp.kept.exchanges) == (1, 1, [])


def test_with_a_policy_it_decides_whatever_is_wanted_without_one() -> None:
    pdp = Pdp(settings=PdpSettings(ENTITY, fault_without_policy=True))
    assert answer_in(pdp.post(vector("query-permit.xml"))).results[0].decision is Decision.PERMIT


def test_changes_are_told_by_a_pdp_that_is_given_some() -> None:
    assert Pdp().send("GET", "https://argus.example.org:8152/v1/policy-changes").status_code == 404
    changes = ChangeFeed(lambda: 0.0)
    changes.announce("a")
    pdp = Pdp(changes=changes)
    answer = pdp.send("GET", "https://argus.example.org:8152/v1/policy-changes")
    assert (answer.status_code, answer.json()) == (200, {"state": "a", "age": None})
    assert pdp.send("POST", "https://argus.example.org:8152/v1/policy-changes").status_code == 405
