"""Whatever a PDP answers, our PEP server has the decision of it or none, and no damage makes a Permit of a Deny."""

import math
import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.clients.pdp import HttpPdp, PdpFailed
from argus_py.clients.transport import Timeouts, Transport
from argus_py.model.request import Request
from argus_py.model.response import Decision
from argus_py.pep.ports import Call

VECTORS = Path(__file__).parents[1] / "vectors" / "soap" / "pdp"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUERY_ID = "_0bb71715ce8fab60962c05f36187b0a1"


def answer(name: str) -> bytes:
    return re.sub(rb">\s+<", b"><", (VECTORS / f"response-{name}.xml").read_bytes()).strip()


PERMIT, DENY, NOT_APPLICABLE = map(answer, ("permit-two-obligations", "deny", "notapplicable"))


class Pdp(httpx.BaseTransport):
    """Says what it is told to."""

    said = b""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return httpx.Response(200, stream=httpx.ByteStream(self.said))


PDP = Pdp()
CLIENT = HttpPdp("https://pdp.example.org:8152/authz", "urn:pep", Transport(Timeouts(), http=PDP), lambda: NOW)


def decided(said: bytes) -> Decision | None:
    """The decision that counts; None: the answer is of no use, and the next PDP is asked."""
    PDP.said = said
    try:
        return CLIENT.decide(Request(), Call(QUERY_ID, math.inf)).results[0].decision
    except PdpFailed:
        return None


def test_the_undamaged_answers_are_their_decisions() -> None:
    assert list(map(decided, (DENY, NOT_APPLICABLE))) == [Decision.DENY, Decision.NOT_APPLICABLE]
    assert (
        decided(re.sub(rb'InResponseTo="[^"]*"', b'InResponseTo="%s"' % QUERY_ID.encode(), PERMIT)) is Decision.PERMIT
    )


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Tags and texts dropped, doubled, swapped or spoilt, or octets cut out or overwritten."""
    said = draw(st.sampled_from([DENY, NOT_APPLICABLE]))
    if draw(st.booleans()):
        start, length = draw(st.integers(0, len(said))), draw(st.integers(0, 200))
        return said[:start] + draw(st.sampled_from([b"", b"\0", b"<", b"&a;", b'"', b"x"])) + said[start + length :]
    tokens = re.findall(rb"<[^>]*>|[^<]+", said)
    for _ in range(draw(st.integers(1, 4))):
        at, other = (draw(st.integers(0, len(tokens) - 1)) for _ in range(2))
        match draw(st.sampled_from(["drop", "double", "swap", "comment", "spoil"])):
            case "drop":
                tokens[at] = b""
            case "double":
                tokens[at] *= 2
            case "swap":
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case "comment":
                tokens[at] = draw(st.sampled_from([b"<!--%s-->", b"<![CDATA[%s]]>", b"<?a %s?>"])) % tokens[at]
            case _:
                tokens[at] = tokens[at].replace(draw(st.sampled_from([b"xacml", b"saml", b'="', b"e", b"1"])), b"")
    return b"".join(tokens)


@settings(max_examples=300, deadline=None)
@given(st.one_of(damaged(), st.binary(max_size=200)))
def test_no_damage_makes_a_permit(said: bytes) -> None:
    assert decided(said) is not Decision.PERMIT


def cut(tag: bytes) -> bytes:
    """That element of a Permit."""
    end = b"</%s>" % tag
    return PERMIT[PERMIT.index(b"<%s" % tag) : PERMIT.index(end) + len(end)]


RESPONSE, RESULT = cut(b"xacml-context:Response"), cut(b"xacml-context:Result")
STATEMENT, ASSERTION, ANSWER = cut(b"saml2:Statement"), cut(b"saml2:Assertion"), cut(b"saml2p:Response")
WRAPPINGS = {
    "a result after": (b"</xacml-context:Result>", b"</xacml-context:Result>" + RESULT),
    "a result in it": (b"<xacml-context:Decision>", RESULT + b"<xacml-context:Decision>"),
    "a decision before": (b"<xacml-context:Decision>", cut(b"xacml-context:Decision") + b"<xacml-context:Decision>"),
    "a decision in it": (b">Deny<", b">" + cut(b"xacml-context:Decision") + b"Deny<"),
    "a comment in it": (b">Deny<", b"><!--Permit-->Deny<"),
    "a response before": (b"<xacml-context:Response ", RESPONSE + b"<xacml-context:Response "),
    "a response in the echo": (b"</xacml-context:Request>", RESPONSE + b"</xacml-context:Request>"),
    "a response in the issuer": (b"</saml2:Issuer>", RESPONSE + b"</saml2:Issuer>"),
    "a statement before": (b"<saml2:Statement ", STATEMENT + b"<saml2:Statement "),
    "a statement in advice": (b"<saml2:Statement ", b"<saml2:Advice>%s</saml2:Advice><saml2:Statement " % ASSERTION),
    "an assertion before": (b"<saml2:Assertion ", ASSERTION + b"<saml2:Assertion "),
    "an assertion after": (b"</saml2p:Response>", ASSERTION + b"</saml2p:Response>"),
    "an assertion in the status": (b"</saml2p:Status>", ASSERTION + b"</saml2p:Status>"),
    "an answer before": (b"<saml2p:Response ", ANSWER + b"<saml2p:Response "),
    "an answer in a header": (b"<soap11:Body>", b"<soap11:Header>%s</soap11:Header><soap11:Body>" % ANSWER),
    "an answer in a body before": (b"<soap11:Body>", b"<soap11:Body>%s</soap11:Body><soap11:Body>" % ANSWER),
}


@pytest.mark.parametrize("shape", WRAPPINGS)
def test_a_permit_wrapped_into_a_deny_is_none(shape: str) -> None:
    old, new = WRAPPINGS[shape]
    said = DENY.replace(old, new, 1)
    assert said != DENY
    assert decided(said) in {Decision.DENY, None}
