"""A remote PDP as a decision point."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from argus_py.clients.pdp import HttpPdp, PdpFailed
from argus_py.clients.transport import Timeouts, Transport
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, Glite, StatusUri
from argus_py.model.request import Action, Request
from argus_py.model.response import AttributeAssignment, Decision, Effect, Obligation, Response, Result
from argus_py.model.trail import Trail
from argus_py.pep.ports import Call
from argus_py.soap import envelope, saml
from argus_py.xacml import context_xml
from argus_py.xacml.document import NotXmlText

URL = "https://pdp.example.org:8152/authz"
QUERY_ID = "_0bb71715ce8fab60962c05f36187b0a1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = Request(action=Action((Attribute(AttributeId.ACTION_ID, (" execute ",)),)))


def ask(peer: Any, query_id: str = QUERY_ID) -> Response:
    pdp = HttpPdp(URL, "urn:pep", peer.transport(), lambda: NOW)
    return pdp.decide(REQUEST, Call(query_id, math.inf))


def failure(peer: Any) -> PdpFailed:
    with pytest.raises(PdpFailed) as caught:
        ask(peer)
    return caught.value


def test_the_query_holds_the_request_and_asks_for_its_echo(peer: Any, vector: Callable[[str], bytes]) -> None:
    pdp = peer(httpx.Response(200, content=vector("pdp/response-deny.xml")))
    ask(pdp)
    query = saml.authz_decision_query_from_element(envelope.read(pdp.requests[0].content, 10_000))
    assert (query.id, query.issuer, query.issue_instant, query.return_context) == (QUERY_ID, "urn:pep", NOW, True)
    assert query.destination is None
    assert context_xml.read_request(query.context) == Request(
        action=Action((Attribute(AttributeId.ACTION_ID, ("execute",)),))
    )


def test_an_answer_of_the_java_pdp_is_the_response(peer: Any, vector: Callable[[str], bytes]) -> None:
    response = ask(peer(httpx.Response(200, content=vector("pdp/response-permit-obligation.upstream-bytes.xml"))))
    mapping = Obligation(Glite.LOCAL_ENVIRONMENT_MAP, Effect.PERMIT)
    assert response == Response(
        (Result(Decision.PERMIT, obligations=(mapping,), resource_id="http://authz.example.org/resource/ce01"),),
        REQUEST,
        Trail(
            decision="Permit",
            request_id=QUERY_ID,
            responder=URL,
            response_id="_f7aa523cd061aec3adf9e716aee2a3cf",
        ),
    )


def test_obligations_keep_their_assignments(peer: Any, vector: Callable[[str], bytes]) -> None:
    response = ask(peer(httpx.Response(200, content=vector("pdp/response-permit-two-obligations.xml"))))
    _, posix = response.results[0].obligations
    assert posix.assignments == (
        AttributeAssignment(Glite.USER_ID, "admin01"),
        AttributeAssignment(Glite.GROUP_ID, "admins"),
        AttributeAssignment(Glite.GROUP_ID, "wheel"),
    )


@pytest.mark.parametrize(
    ("name", "decision", "status"),
    [
        ("deny", Decision.DENY, StatusUri.OK),
        ("notapplicable", Decision.NOT_APPLICABLE, StatusUri.OK),
        ("indeterminate", Decision.INDETERMINATE, StatusUri.OK),
        ("indeterminate-processing-error", Decision.INDETERMINATE, StatusUri.PROCESSING_ERROR),
    ],
)
def test_every_decision_is_an_answer(
    name: str, decision: Decision, status: str, peer: Any, vector: Callable[[str], bytes]
) -> None:
    (result,) = ask(peer(httpx.Response(200, content=vector(f"pdp/response-{name}.xml")))).results
    assert (result.decision, result.status.code.value) == (decision, status)


@pytest.mark.parametrize("answer_to", ["_another", None])
def test_an_answer_to_another_query_is_refused(
    answer_to: str | None, peer: Any, vector: Callable[[str], bytes]
) -> None:
    attribute = f' InResponseTo="{answer_to}"' if answer_to else ""
    xml = vector("pdp/response-deny.xml").replace(f' InResponseTo="{QUERY_ID}"'.encode(), attribute.encode())
    error = failure(peer(httpx.Response(200, content=xml)))
    assert str(error).endswith(f"it answers the query {answer_to}, not {QUERY_ID}")


def test_a_fault_is_told_in_the_words_of_the_audit_log(peer: Any, vector: Callable[[str], bytes]) -> None:
    error = failure(peer(httpx.Response(500, content=vector("pdp/fault-issuer-format.xml"))))
    text = f"Recieved SOAP Fault Client from PDP: {URL}"
    assert error.trail == Trail(reason=text, request_id=QUERY_ID)
    assert str(error) == f"{text}: SAML 2 Issuer is not of ENTITY format type"


@pytest.mark.parametrize("answer", [httpx.ConnectError("refused"), httpx.Response(503, content=b"busy")])
def test_a_pdp_that_cannot_be_reached_is_told_in_the_words_of_the_audit_log(
    answer: httpx.Response | Exception, peer: Any
) -> None:
    error = failure(peer(answer))
    assert error.trail == Trail(reason=f"Error sending request to PDP: {URL}", request_id=QUERY_ID)


@pytest.mark.parametrize("content", [b"", b"<html/>", b"<<<"])
def test_an_answer_that_cannot_be_read_is_no_decision(content: bytes, peer: Any) -> None:
    assert failure(peer(httpx.Response(200, content=content))).trail.reason == f"Invalid response from PDP: {URL}"


def test_another_message_is_no_decision(peer: Any, vector: Callable[[str], bytes]) -> None:
    assert "0 statements of type" in str(failure(peer(httpx.Response(200, content=vector("pap/response-empty.xml")))))


def test_a_request_that_xml_cannot_carry_is_not_sent(peer: Any) -> None:
    pdp = peer(httpx.Response(200))
    request = Request(action=Action((Attribute("urn:a", ("x\x00y",)),)))
    with pytest.raises(NotXmlText):
        HttpPdp(URL, "urn:pep", pdp.transport(), lambda: NOW).decide(request, Call(QUERY_ID, math.inf))
    assert pdp.requests == []


def test_the_deadline_of_the_call_limits_the_wait(wire: Any) -> None:
    limits: list[dict[str, float]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"])
        return httpx.Response(503)

    transport = Transport(Timeouts(), http=wire(answer), monotonic=lambda: 1000.0)
    with pytest.raises(PdpFailed):
        HttpPdp(URL, "urn:pep", transport, lambda: NOW).decide(REQUEST, Call(QUERY_ID, 1008.0))
    assert (limits[0]["connect"], limits[0]["read"]) == (2, 4)
