"""Whatever a PAP answers, a PDP has the whole policy of it or the one it had before, and nothing in between.

So has a PAP that copies it.

Who can write the policy can permit anybody; but damage must not do it. What is not understood is never left out, and
what stands outside the policy statement is no policy.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from argus_py.clients.pap import HttpPolicySource, HttpRemotePap, PapFailed
from argus_py.clients.transport import Timeouts, Transport
from argus_py.model.response import Decision
from argus_py.pap.federation import Copy, UnusableAnswer, copy_of
from argus_py.pdp.engine import Engine
from argus_py.pdp.refresh import policy_snapshot
from argus_py.soap import envelope, saml
from argus_py.xacml.context_xml import read_request
from argus_py.xacml.policy_elements import POLICY_NAMESPACE

VECTORS = Path(__file__).parents[1] / "vectors" / "soap"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "https://pap.example.org:8150/pap/services/ProvisioningService"
QUERY_ID = "_14a90c7fe12bf0415229cabd93cd1961"
PATIENCE = 10.0  # seconds of processor time for a fetch and its decisions; the usual ones take milliseconds
ANSWER = (VECTORS / "pap" / "response-policies.xml").read_bytes()
TWO_PAPS = (VECTORS / "pap" / "response-two-paps.xml").read_bytes()


def request(name: str) -> bytes:
    query = envelope.read((VECTORS / "pdp" / f"query-{name}.xml").read_bytes(), 10_000)
    return saml.authz_decision_query_from_element(query).context


REQUESTS = [read_request(request(name)) for name in ("permit", "deny-banned", "notapplicable", "minimal", "wn-pilot")]


class Pap(httpx.BaseTransport):
    """Says what it is told to."""

    def __init__(self) -> None:
        self.answer = ANSWER

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return httpx.Response(200, stream=httpx.ByteStream(self.answer))


class Pdp:
    """A PDP that has fetched the undamaged policy."""

    def __init__(self) -> None:
        self._pap = Pap()
        transport = Transport(Timeouts(), http=self._pap)
        source = HttpPolicySource((URL,), "urn:pdp", transport, lambda: NOW, lambda: QUERY_ID)
        self.policy = policy_snapshot(source, lambda: NOW)
        self.policy.refresh()
        self._first = self.policy.current.number
        self._engine = Engine(self.policy, lambda: NOW)

    def decisions(self) -> list[Decision]:
        return [self._engine.decide(request).results[0].decision for request in REQUESTS]

    def takes(self, answer: bytes) -> bool:
        """Whether an answer is in force now; if it is not, the first one is, and the status says why."""
        started = time.process_time()
        self._pap.answer = answer
        self.policy.refresh()
        self.decisions()
        assert time.process_time() - started < PATIENCE
        if self.policy.last_error is None:
            return True
        assert self.policy.current.number == self._first
        return False


UNDAMAGED = Pdp().decisions()


def test_the_undamaged_policy_gives_every_decision() -> None:
    assert set(UNDAMAGED) >= {Decision.PERMIT, Decision.DENY, Decision.NOT_APPLICABLE}


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Tags and texts dropped, doubled, swapped or spoilt, or octets cut out or overwritten."""
    answer = draw(st.sampled_from([ANSWER, TWO_PAPS]))
    if draw(st.booleans()):
        start, length = draw(st.integers(0, len(answer))), draw(st.integers(0, 200))
        return answer[:start] + draw(st.sampled_from([b"", b"\0", b"<", b"&a;", b'"', b"x"])) + answer[start + length :]
    tokens = re.findall(rb"<[^>]*>|[^<]+", answer)
    for _ in range(draw(st.integers(1, 3))):
        at, other = (draw(st.integers(0, len(tokens) - 1)) for _ in range(2))
        match draw(st.sampled_from(["drop", "double", "swap", "spoil"])):
            case "drop":
                tokens[at] = b""
            case "double":
                tokens[at] *= 2
            case "swap":
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case _:
                tokens[at] = tokens[at].replace(
                    draw(st.sampled_from([b"xacml", b"saml2", b"Id", b'="', b"e", b"1"])), b"x"
                )
    return b"".join(tokens)


@settings(max_examples=200, deadline=None)
@given(st.one_of(damaged(), st.binary(max_size=200)))
def test_any_answer_is_a_policy_or_leaves_the_one_there_is(answer: bytes) -> None:
    Pdp().takes(answer)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(ANSWER) - 1))
def test_an_answer_that_was_cut_off_is_no_policy(length: int) -> None:
    assert not Pdp().takes(ANSWER[:length])


def changed(change: Callable[[etree._Element], None]) -> Iterator[bytes]:
    """The answer with one element of the policy changed, for each of them in which that makes a difference."""
    for number in range(ANSWER.count(b"<xacml:")):
        root = etree.fromstring(ANSWER)
        before = etree.tostring(root)
        change(list(root.iter(f"{{{POLICY_NAMESPACE}}}*"))[number])
        if (after := etree.tostring(root)) != before:
            yield after


def rename(element: etree._Element) -> None:
    element.tag = f"{element.tag}s"


def move_to_another_namespace(element: etree._Element) -> None:
    element.tag = f"{{urn:x}}{etree.QName(element).localname}"


@pytest.mark.parametrize("change", [rename, move_to_another_namespace])
def test_an_element_that_is_not_known_is_never_left_out(change: Callable[[etree._Element], None]) -> None:
    """It might be a ban, or the half of a condition."""
    pdp = Pdp()
    assert [answer for answer in changed(change) if pdp.takes(answer)] == []


ATTRIBUTES = sorted(set(re.findall(r' (\w+)="', ANSWER[ANSWER.index(b"<xacml:") :].decode())))


def assert_no_more_is_permitted(answers: Iterable[bytes]) -> None:
    tried = 0
    for answer in answers:
        pdp = Pdp()
        pdp.takes(answer)
        for now, undamaged in zip(pdp.decisions(), UNDAMAGED, strict=True):
            assert now is not Decision.PERMIT or undamaged is Decision.PERMIT, answer
        tried += 1
    assert tried


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_no_attribute_can_get_lost_so_that_more_is_permitted(name: str) -> None:
    def lose(element: etree._Element) -> None:
        element.attrib.pop(name, "")

    assert_no_more_is_permitted(changed(lose))


@pytest.mark.parametrize("rest", ["", " ", "x"])
def test_no_text_can_get_lost_so_that_more_is_permitted(rest: str) -> None:
    def lose(element: etree._Element) -> None:
        element.text = rest if element.text else None

    assert_no_more_is_permitted(changed(lose))


EVERYBODY = b"""<xacml:PolicySet xmlns:xacml="%s" PolicySetId="everybody" Version="1" \
PolicyCombiningAlgId="urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:first-applicable"><xacml:Target/>\
<xacml:Policy PolicyId="p" Version="1" \
RuleCombiningAlgId="urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:first-applicable"><xacml:Target/>\
<xacml:Rule RuleId="r" Effect="Permit"/></xacml:Policy></xacml:PolicySet>""" % POLICY_NAMESPACE.encode()
XSI = b"http://www.w3.org/2001/XMLSchema-instance"
STATEMENT = b'<saml2:Statement xmlns:s="%%s" xmlns:xsi="%s" xsi:type="s:%%s">%%s</saml2:Statement>' % XSI
PROFILE = b"urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:assertion"
ASSERTION = b'<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion">%s</saml2:Assertion>'
OF_POLICIES = STATEMENT % (PROFILE, b"XACMLPolicyStatementType", EVERYBODY)
STATUS = b"<saml2p:Status>"
WRAPPINGS = {
    "in a header": (b"<soapenv:Body>", b"<soapenv:Header>%s</soapenv:Header><soapenv:Body>" % EVERYBODY),
    "in the response": (STATUS, EVERYBODY + STATUS),
    "in the status": (STATUS, STATUS + b"<saml2p:StatusDetail>%s</saml2p:StatusDetail>" % EVERYBODY),
    "in extensions": (STATUS, b"<saml2p:Extensions>%s</saml2p:Extensions>" % (ASSERTION % OF_POLICIES) + STATUS),
    "in the assertion": (b"<saml2:Statement ", EVERYBODY + b"<saml2:Statement "),
    "in an advice": (b"<saml2:Statement ", b"<saml2:Advice>%s</saml2:Advice><saml2:Statement " % OF_POLICIES),
    "in a signature": (
        b"<saml2:Statement ",
        b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:Object>%s</ds:Object></ds:Signature>'
        b"<saml2:Statement " % (ASSERTION % OF_POLICIES),
    ),
    "in the issuer": (b"</saml2:Issuer>", EVERYBODY + b"</saml2:Issuer>"),
    "in another kind of statement": (
        b"<saml2:Statement ",
        STATEMENT % (PROFILE, b"XACMLAuthzDecisionStatementType", EVERYBODY) + b"<saml2:Statement ",
    ),
    "in a statement of another namespace": (
        b"<saml2:Statement ",
        STATEMENT % (b"urn:x", b"XACMLPolicyStatementType", EVERYBODY) + b"<saml2:Statement ",
    ),
    "a second statement": (b"</saml2:Assertion>", OF_POLICIES + b"</saml2:Assertion>"),
    "a second assertion": (b"</saml2p:Response>", ASSERTION % OF_POLICIES + b"</saml2p:Response>"),
    "a second policy set": (b"</saml2:Statement>", EVERYBODY + b"</saml2:Statement>"),
    "an assertion in the body": (b"</saml2p:Response>", b"</saml2p:Response>" + ASSERTION % OF_POLICIES),
    "a body before": (b"<soapenv:Body>", b"<soapenv:Body>%s</soapenv:Body><soapenv:Body>" % EVERYBODY),
    "a comment": (b"<saml2:Statement ", b"<!--%s--><saml2:Statement " % OF_POLICIES),
    "in a description": (b"<xacml:Target/>", b"<xacml:Description>%s</xacml:Description><xacml:Target/>" % EVERYBODY),
    "in a target": (b"<xacml:Target/>", b"<xacml:Target>%s</xacml:Target>" % EVERYBODY),
    "in a value": (b"</xacml:AttributeValue>", EVERYBODY + b"</xacml:AttributeValue>"),
}


@pytest.mark.parametrize("shape", WRAPPINGS)
def test_a_policy_wrapped_into_an_answer_is_not_in_force(shape: str) -> None:
    old, new = WRAPPINGS[shape]
    answer = ANSWER.replace(old, new, 1)
    assert answer != ANSWER
    pdp = Pdp()
    pdp.takes(answer)
    assert pdp.decisions() == UNDAMAGED


def test_a_policy_for_everybody_would_be_seen() -> None:
    pdp = Pdp()
    assert pdp.takes(re.sub(rb"<xacml:PolicySet.*</xacml:PolicySet>", EVERYBODY, ANSWER))
    assert set(pdp.decisions()) == {Decision.PERMIT}


def with_doctype(subset: bytes, reference: bytes) -> bytes:
    answer = ANSWER.replace(b"http://argus.example.org/pap<", reference + b"<")
    return answer.replace(b"?>", b"?><!DOCTYPE x [%s]>" % subset, 1)


def in_root(content: bytes) -> bytes:
    return ANSWER.replace(b"<xacml:Target/>", b"<xacml:Target/>" + content, 1)


def start_of_set(number: int) -> bytes:
    return EVERYBODY[: EVERYBODY.index(b"<xacml:Policy ")].replace(b"everybody", b"s%d" % number)


def laughing(levels: int, references: int) -> bytes:
    """Each set refers to the one before it, so many times."""
    made = EVERYBODY.replace(b"everybody", b"s0")
    for level in range(1, levels):
        reference = b"<xacml:PolicySetIdReference>s%d</xacml:PolicySetIdReference>" % (level - 1)
        made += start_of_set(level) + reference * references + b"</xacml:PolicySet>"
    return in_root(made)


REFUSED = {
    "billion laughs": with_doctype(
        b'<!ENTITY l0 "ha">' + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10)),
        b"&l9;",
    ),
    "an external entity": with_doctype(b'<!ENTITY a SYSTEM "file:///etc/passwd">', b"&a;"),
    "a document type": with_doctype(b"", b"x"),
    "references to references": laughing(levels=30, references=10),
    "sets within sets": in_root(b"".join(start_of_set(n) for n in range(5000)) + b"</xacml:PolicySet>" * 5000),
    "sets that are not closed": in_root(b"".join(start_of_set(n) for n in range(20_000))),
    "ten megabytes of something else": b"<a>" * 3_500_000,
    "ten megabytes of nothing": b" " * 10_000_000,
}


@pytest.mark.parametrize("shape", REFUSED)
def test_a_bomb_is_refused_soon(shape: str) -> None:
    assert not Pdp().takes(REFUSED[shape])


def test_an_answer_without_end_is_given_up() -> None:
    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b" " * (1 << 24)

    class EndlessPap(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, stream=Endless())

    transport = Transport(Timeouts(), http=EndlessPap())
    policy = policy_snapshot(HttpPolicySource((URL,), "urn:pdp", transport, lambda: NOW), lambda: NOW)
    policy.refresh()
    assert not policy.ready
    assert "the answer is longer than" in str(policy.last_error)


TO_PAP = (VECTORS / "pap" / "response-to-pap.xml").read_bytes()
RECORDED = (VECTORS / "pap" / "recorded-pap-query.response.xml").read_bytes()


class CopyingPap:
    """A PAP that has a copy of an undamaged answer."""

    def __init__(self, answer: bytes) -> None:
        self._pap = Pap()
        self._pap.answer = answer
        transport = Transport(Timeouts(), http=self._pap)
        query_id = next(etree.fromstring(answer).iter("{*}Response")).get("InResponseTo", "")
        self._remote = HttpRemotePap(URL, "urn:pap", transport, lambda: NOW, lambda: query_id)
        self.copy = copy_of(self._remote.fetch(), frozenset())

    def takes(self, answer: bytes) -> Copy | None:
        """The copy, or None if the answer was refused: unusable, or none at all."""
        self._pap.answer = answer
        started = time.process_time()
        try:
            return copy_of(self._remote.fetch(), frozenset(), self.copy)
        except (UnusableAnswer, PapFailed):
            return None
        finally:
            assert time.process_time() - started < PATIENCE


@st.composite
def damaged_for_paps(draw: st.DrawFn) -> tuple[bytes, bytes]:
    answer = draw(st.sampled_from([TO_PAP, RECORDED]))
    tokens = re.findall(rb"<[^>]*>|[^<]+", answer)
    for _ in range(draw(st.integers(1, 3))):
        at, other = (draw(st.integers(0, len(tokens) - 1)) for _ in range(2))
        match draw(st.sampled_from(["drop", "double", "swap", "spoil"])):
            case "drop":
                tokens[at] = b""
            case "double":
                tokens[at] *= 2
            case "swap":
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case _:
                tokens[at] = tokens[at].replace(draw(st.sampled_from([b"xacml", b"Id", b'="', b"e", b"0"])), b"x")
    return answer, b"".join(tokens)


@settings(max_examples=200, deadline=None)
@given(damaged_for_paps())
def test_any_answer_to_a_pap_is_a_copy_or_is_refused(answers: tuple[bytes, bytes]) -> None:
    undamaged, damaged = answers
    CopyingPap(undamaged).takes(damaged)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.integers(0, len(TO_PAP.rstrip()) - 1).map(lambda length: TO_PAP[:length])))
def test_what_is_no_answer_is_no_copy(answer: bytes) -> None:
    assert CopyingPap(TO_PAP).takes(answer) is None


@pytest.mark.parametrize("change", [rename, move_to_another_namespace])
@pytest.mark.parametrize("answer", [TO_PAP, RECORDED])
def test_no_element_of_an_answer_to_a_pap_is_ever_left_out(
    change: Callable[[etree._Element], None], answer: bytes
) -> None:
    pap = CopyingPap(answer)
    elements = len(list(etree.fromstring(answer).iter(f"{{{POLICY_NAMESPACE}}}*")))
    for number in range(elements):
        root = etree.fromstring(answer)
        change(list(root.iter(f"{{{POLICY_NAMESPACE}}}*"))[number])
        assert pap.takes(etree.tostring(root)) is None


@pytest.mark.parametrize("answer", [TO_PAP, RECORDED])
def test_no_object_of_an_answer_to_a_pap_can_get_lost(answer: bytes) -> None:
    """A ban may have been in it; only a reference that is lost as well says that it was removed."""
    pap = CopyingPap(answer)
    for number in range(len(statement_of(etree.fromstring(answer)))):
        root = etree.fromstring(answer)
        statement = statement_of(root)
        statement.remove(statement[number])
        assert pap.takes(etree.tostring(root)) is None


def statement_of(root: etree._Element) -> etree._Element:
    return next(root.iter("{*}Statement"))


@pytest.mark.parametrize("shape", REFUSED)
def test_a_bomb_is_no_copy(shape: str) -> None:
    assert CopyingPap(TO_PAP).takes(REFUSED[shape]) is None
