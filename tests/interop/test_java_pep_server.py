"""The Java PEP server and our PDP, our PEP server and the Java PDP: each reads the answers of the other.

``JavaPepServer`` looks at an answer as the Java one does (argus-pep-server 1.7.4: PEPDaemonRequestHandler.java,
XACMLConverter.java): at few things, and at these strictly. It uses another XML library than the product.
"""

import asyncio
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import httpx
import pytest

from argus_py.clients.pdp import HttpPdp
from argus_py.clients.transport import Timeouts, Transport
from argus_py.errors import Unavailable
from argus_py.model.request import Request
from argus_py.observe.metrics import Counters
from argus_py.observe.pdp_audit import PdpAuditJournal
from argus_py.pdp.engine import Engine
from argus_py.pep.ports import Call
from argus_py.snapshot import Snapshot
from argus_py.web.pdp import BODY_LIMIT, PdpSettings, pdp_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.policy_xml import read_policy_set

VECTORS = Path(__file__).parents[1] / "vectors" / "soap" / "pdp"
GOLDEN = json.loads((VECTORS / "golden-protocol.json").read_text())["cases"]
RECORDED = sorted(path.name for path in VECTORS.glob("response-*.xml"))
FAULTS = sorted(path.name for path in VECTORS.glob("fault-*.xml"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "https://argus.example.org:8152/authz"

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
CONTEXT = "{urn:oasis:names:tc:xacml:2.0:context:schema:os}"
POLICY = "{urn:oasis:names:tc:xacml:2.0:policy:schema:os}"
STATEMENT_NAMESPACE = "urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:assertion"
DECISIONS = {"Permit", "Deny", "NotApplicable", "Indeterminate"}


class NextPdp(Exception):
    """The PEP server goes on to the next PDP of its list."""


class BrokenOff(Exception):
    """It breaks off: the client gets an error though another PDP might have answered."""


@dataclass(frozen=True)
class Read:
    decision: str
    obligations: list[tuple[str, str]]
    echo: bool


class JavaPepServer:
    def read(self, status: int, body: bytes) -> Read:
        """Raises NextPdp, BrokenOff."""
        content = self._first(self._envelope(body))
        if status != 200:
            raise NextPdp(self._fault(content))
        if content.tag != f"{SAMLP}Response":
            raise NextPdp("no SAML response")
        statement = self._statement(self._one(content, f"{SAML}Assertion"), self._prefixes(body))
        response = statement.find(f"{CONTEXT}Response")
        results = [] if response is None else response.findall(f"{CONTEXT}Result")
        if not results:
            raise BrokenOff("no result")
        decision = results[0].findtext(f"{CONTEXT}Decision")
        if decision not in DECISIONS:
            raise BrokenOff(f"decision {decision}")
        obligations = results[0].iterfind(f"{POLICY}Obligations/{POLICY}Obligation")
        echo = statement.find(f"{CONTEXT}Request") is not None
        return Read(decision, list(map(self._obligation, obligations)), echo)

    def _envelope(self, body: bytes) -> Element:
        try:
            root = ElementTree.fromstring(body)
        except ElementTree.ParseError as error:
            raise NextPdp("not XML") from error
        if root.tag != f"{SOAP}Envelope":
            raise BrokenOff(f"well-formed, but {root.tag}")
        return root

    def _first(self, envelope: Element) -> Element:
        body = envelope.find(f"{SOAP}Body")
        if body is None or len(body) == 0:
            raise BrokenOff("nothing in the body")
        return body[0]

    def _fault(self, content: Element) -> str:
        """Both children are read without a look whether they are there."""
        code, text = content.find("faultcode"), content.find("faultstring")
        if content.tag != f"{SOAP}Fault" or code is None or text is None:
            raise BrokenOff("no readable fault")
        return f"{code.text}: {text.text}"

    def _one(self, parent: Element, tag: str) -> Element:
        found = parent.findall(tag)
        if len(found) != 1:
            raise NextPdp(f"{len(found)} of {tag}")
        return found[0]

    def _statement(self, assertion: Element, prefixes: dict[str, str]) -> Element:
        """By its xsi:type; an element named after the type would not be found."""
        found = []
        for statement in assertion.iterfind(f"{SAML}Statement"):
            prefix, _, name = statement.get("{http://www.w3.org/2001/XMLSchema-instance}type", "").partition(":")
            if (prefixes.get(prefix), name) == (STATEMENT_NAMESPACE, "XACMLAuthzDecisionStatementType"):
                found.append(statement)
        if len(found) != 1:
            raise NextPdp(f"{len(found)} decision statements")
        return found[0]

    def _prefixes(self, body: bytes) -> dict[str, str]:
        """ElementTree forgets them, and the type is named by one."""
        return {prefix.decode(): uri.decode() for prefix, uri in re.findall(rb'xmlns:([\w-]+)="([^"]*)"', body)}

    def _obligation(self, obligation: Element) -> tuple[str, str]:
        id_, fulfill_on = obligation.get("ObligationId"), obligation.get("FulfillOn")
        if id_ is None or fulfill_on not in {"Permit", "Deny"}:
            raise BrokenOff("an obligation without ObligationId or FulfillOn")
        return id_, fulfill_on


JAVA = JavaPepServer()


def vector(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def pdp(policy: str | None) -> Callable[[bytes], httpx.Response]:
    """Our PDP with the policy of a file, or with none."""

    def load() -> CompiledPolicy:
        if policy is None:
            raise Unavailable("the PAP cannot be reached")
        return compile_policy(read_policy_set(vector(policy)))

    snapshot: Snapshot[CompiledPolicy] = Snapshot("policy", load, lambda: NOW)
    snapshot.refresh()
    app = pdp_app(
        Engine(snapshot, lambda: NOW),
        PdpSettings("urn:pdp"),
        status=StatusPage("PDP", "1", NOW, lambda: (0, 0), list),
        counters=Counters(),
        journal=PdpAuditJournal(snapshot),
        clock=lambda: NOW,
        load=Load(),
    )

    def post(body: bytes) -> httpx.Response:
        async def exchange() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
                return await client.post(URL, content=body)

        return asyncio.run(exchange())

    return post


ANSWERED = [case for case in GOLDEN if case["upstream"]["http"] == 200]
REFUSED = [case for case in GOLDEN if case["upstream"]["http"] == 500]


def test_the_cases_are_all_there() -> None:
    assert (len(ANSWERED), len(REFUSED), len(RECORDED), len(FAULTS)) == (15, 8, 9, 9)


# Our PDP, the Java PEP server


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: case["query"])
def test_our_decisions_are_read(case: dict[str, Any]) -> None:
    answer = pdp(case["policy"])(vector(case["query"]))
    read = JAVA.read(answer.status_code, answer.content)
    upstream = case["upstream"]
    if case["query"] != "query-indeterminate-empty-value.xml":  # the standard has an empty value be an empty string
        assert read.decision == upstream["decision"]
    assert read.obligations == [(each["id"], each["fulfillOn"]) for each in upstream["obligations"]]
    assert read.echo is upstream["requestEchoed"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["query"])
def test_our_faults_lead_to_the_next_pdp(case: dict[str, Any]) -> None:
    answer = pdp(case["policy"])(vector(case["query"]))
    with pytest.raises(NextPdp, match=r"^soap11:Client: ."):
        JAVA.read(answer.status_code, answer.content)


@pytest.mark.parametrize("body", [b"", b"\0", b"<a/>", b"<" * (BODY_LIMIT + 1)], ids=["none", "nul", "xml", "huge"])
def test_whatever_we_refuse_leads_to_the_next_pdp(body: bytes) -> None:
    answer = pdp(None)(body)
    with pytest.raises(NextPdp, match=r"^soap11:"):
        JAVA.read(answer.status_code, answer.content)


def test_every_element_has_the_prefix_it_is_found_by() -> None:
    """ARC's client looks for names with their prefixes, not for namespaces; in this order from the outside."""
    answer = pdp("policies/ce-site.xml")(vector("query-permit.xml")).text
    outside = ("saml2p:Response", "saml2:Assertion", "saml2:Statement")
    inside = ("xacml-context:Response", "xacml-context:Result", "xacml-context:Decision")
    places = [answer.index(f"<{name}") for name in outside + inside]
    assert places == sorted(places)


# The reader: it takes what the Java PDP wrote, and refuses what the Java PEP server does


@pytest.mark.parametrize("name", RECORDED)
def test_answers_of_the_java_pdp_are_read(name: str) -> None:
    assert JAVA.read(200, vector(name)).decision.lower() in name


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_the_java_pdp_lead_to_the_next_one(name: str) -> None:
    with pytest.raises(NextPdp, match=r"^soap11:Client: ."):
        JAVA.read(500, vector(name))


ASSERTION = re.compile(rb"<saml2:Assertion.*</saml2:Assertion>", re.DOTALL)
STATEMENT = re.compile(rb"<saml2:Statement.*</saml2:Statement>", re.DOTALL)
RESULT = re.compile(rb"<xacml-context:Result.*</xacml-context:Result>", re.DOTALL)


@pytest.mark.parametrize(
    ("spoilt", "error"),
    [
        (lambda answer: ASSERTION.sub(b"", answer), NextPdp),
        (lambda answer: ASSERTION.sub(lambda found: found[0] * 2, answer), NextPdp),
        (lambda answer: STATEMENT.sub(b"", answer), NextPdp),
        (lambda answer: STATEMENT.sub(lambda found: found[0] * 2, answer), NextPdp),
        (lambda answer: answer.replace(b"xacml-saml:XACMLAuthz", b"xacml-saml:Authz"), NextPdp),
        (lambda answer: answer.replace(b"saml2p:Response", b"saml2p:ArtifactResponse"), NextPdp),
        (lambda answer: answer[:-1], NextPdp),
        (lambda answer: RESULT.sub(b"", answer), BrokenOff),
        (lambda answer: answer.replace(b">Permit<", b">Perhaps<"), BrokenOff),
        (lambda answer: answer.replace(b"ObligationId", b"Id"), BrokenOff),
        (lambda answer: answer.replace(b"FulfillOn", b"On"), BrokenOff),
    ],
)
def test_each_of_its_checks_is_made(spoilt: Callable[[bytes], bytes], error: type[Exception]) -> None:
    answer = pdp("policies/ce-site.xml")(vector("query-permit.xml")).content
    with pytest.raises(error):
        JAVA.read(200, spoilt(answer))


# The Java PDP, our PEP server


class Wire(httpx.BaseTransport):
    """A PDP that always answers the same."""

    def __init__(self, status: int, answer: bytes) -> None:
        self._status = status
        self._answer = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return httpx.Response(self._status, stream=httpx.ByteStream(self._answer))


@pytest.mark.parametrize("name", RECORDED)
def test_our_pep_server_reads_the_java_pdp_as_the_java_one_does(name: str) -> None:
    answer = vector(name)
    (query_id,) = re.findall(r'InResponseTo="([^"]*)"', answer.decode())
    client = HttpPdp(URL, "urn:pep", Transport(Timeouts(), http=Wire(200, answer)), lambda: NOW)
    (result,) = client.decide(Request(), Call(query_id, math.inf)).results
    theirs = JAVA.read(200, answer)
    assert result.decision.value == theirs.decision
    assert [(each.id, each.fulfill_on.value) for each in result.obligations] == theirs.obligations
