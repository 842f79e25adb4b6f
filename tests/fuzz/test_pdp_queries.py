"""Whatever is posted to the PDP is answered by a fault or a decision, soon, and by no Permit that is not in the policy.

Everything goes through the application of the service port, and its answers through the reader of our PEP server.
"""

import asyncio
import re
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from argus_py.model.response import Decision
from argus_py.observe.metrics import Counters
from argus_py.observe.pdp_audit import PdpAuditJournal
from argus_py.pdp.engine import Engine
from argus_py.snapshot import Snapshot
from argus_py.soap import envelope, fault, saml
from argus_py.soap.envelope import SOAP_NAMESPACE
from argus_py.web.pdp import BODY_LIMIT, PdpSettings, pdp_app
from argus_py.web.status import StatusPage
from argus_py.web.workers import Load
from argus_py.xacml.context_xml import CONTEXT_NAMESPACE
from argus_py.xacml.document import MAX_DEPTH
from argus_py.xacml.index import CompiledPolicy, compile_policy
from argus_py.xacml.policy_xml import read_policy_set

VECTORS = Path(__file__).parents[1] / "vectors" / "soap" / "pdp"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "https://argus.example.org:8152/authz"
PATIENCE = 5.0  # seconds of processor time for one answer; an ordinary one takes milliseconds
ANSWER_LIMIT = 8 * BODY_LIMIT  # an echo may need longer escapes than the query


def query(name: str) -> bytes:
    return re.sub(rb">\s+<", b"><", (VECTORS / f"query-{name}.xml").read_bytes()).strip()


POLICY = compile_policy(read_policy_set((VECTORS / "policies" / "ce-site.xml").read_bytes()))
PERMITTED, BANNED, STRANGER = query("permit"), query("deny-banned"), query("notapplicable")


def application() -> Callable[[bytes], httpx.Response]:
    snapshot: Snapshot[CompiledPolicy] = Snapshot("policy", lambda: POLICY, lambda: NOW)
    snapshot.refresh()
    app = pdp_app(
        Engine(snapshot, lambda: NOW),
        PdpSettings("urn:pdp", explain=True),
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


POST = application()


def ask(body: bytes) -> Decision | None:
    """The decision; None is a fault of the asker's. An error of ours comes out as it is."""
    started = time.process_time()
    response = POST(body)
    assert time.process_time() - started < PATIENCE
    content = envelope.read(response.content, ANSWER_LIMIT)
    if response.status_code == 500:
        refusal = fault.from_element(content)
        assert refusal is not None
        assert refusal.code == "Client"
        assert refusal.text
        return None
    assert response.status_code == 200
    (result,) = saml.authz_decision_response_from_element(content).results
    return result.decision


def test_the_undamaged_queries_have_their_decisions() -> None:
    assert [ask(body) for body in (PERMITTED, BANNED, STRANGER)] == [
        Decision.PERMIT,
        Decision.DENY,
        Decision.NOT_APPLICABLE,
    ]


# Damage


@st.composite
def damaged_text(draw: st.DrawFn, of: tuple[bytes, ...]) -> bytes:
    """A piece of the octets is cut out, doubled or overwritten, or all of them say that they are something else."""
    body = draw(st.sampled_from(of))
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 200)))
    piece = draw(st.sampled_from([b"", body[start:end] * 2, b"\0", b"\xff\xfe", b"<", b"&lt;", b"&a;", b"]]>", b"'"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-16", "utf-16-be", "utf-32", "cp037", "utf-7"]))
    damaged = (body[:start] + piece + body[end:]).decode("latin-1")
    declared = damaged.replace("UTF-8", draw(st.sampled_from(["UTF-8", "UTF-16", "latin-1", "EBCDIC-CP-US", "x"])))
    return declared.encode(encoding if draw(st.booleans()) else "latin-1")


@st.composite
def damaged_tags(draw: st.DrawFn, of: tuple[bytes, ...]) -> bytes:
    """Tags and texts are dropped, doubled, swapped, put into others or spoilt."""
    tokens = re.findall(rb"<[^>]*>|[^<]+", draw(st.sampled_from(of)))
    for _ in range(draw(st.integers(1, 4))):
        at, other = (draw(st.integers(0, len(tokens) - 1)) for _ in range(2))
        match draw(st.sampled_from(["drop", "double", "swap", "comment", "text", "name"])):
            case "drop":
                tokens[at] = b""
            case "double":
                tokens[at] *= 2
            case "swap":
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case "comment":
                tokens[at] = draw(st.sampled_from([b"<!--%s-->", b"<![CDATA[%s]]>", b"<?a %s?>"])) % tokens[at]
            case "text":
                tokens[at] += draw(st.sampled_from([b"&#0;", b"&#x10FFFF;", b" ", b"x", b"\xc2\xa0", b"&quot;"]))
            case _:
                tokens[at] = tokens[at].replace(draw(st.sampled_from([b"xacml", b"Attr", b"saml2", b'="'])), b"")
    return b"".join(tokens)


@st.composite
def damaged_trees(draw: st.DrawFn, of: tuple[bytes, ...]) -> bytes:
    """Well-formed: elements have moved, and taken the names, attributes and texts of others."""
    root = etree.fromstring(draw(st.sampled_from(of)))
    for _ in range(draw(st.integers(1, 4))):
        one, other = (draw(st.sampled_from(list(root.iter()))) for _ in range(2))
        match draw(st.sampled_from(["name", "attributes", "text", "copy", "move", "remove"])):
            case "name":
                one.tag = other.tag
            case "attributes":
                one.attrib.update(other.attrib)
            case "text":
                one.text = other.text
            case "copy":
                one.append(etree.fromstring(etree.tostring(other)))
            case "move" if one not in other.iter() and other not in one.iter():
                one.append(other)
            case _ if one is not root:
                parent = one.getparent()
                assert parent is not None
                parent.remove(one)
    return etree.tostring(root)


def damaged(*of: bytes) -> st.SearchStrategy[bytes]:
    return st.one_of(damaged_text(of), damaged_tags(of), damaged_trees(of))


@settings(max_examples=300, deadline=None)
@given(st.one_of(damaged(PERMITTED, BANNED), st.binary(max_size=200)))
def test_any_damage_is_answered_by_a_fault_or_a_decision(body: bytes) -> None:
    ask(body)


@settings(max_examples=500, deadline=None)
@given(damaged(STRANGER))
def test_no_damage_gets_a_stranger_permitted(body: bytes) -> None:
    assert ask(body) is not Decision.PERMIT


# Wrapping: the query of a stranger, and somewhere in it the request of somebody who is permitted


def cut(tag: bytes, body: bytes) -> bytes:
    """The first element of that name."""
    end = b"</%s>" % tag
    return body[body.index(b"<%s" % tag) : body.index(end) + len(end)]


GOOD, OWN = (cut(b"xacml-context:Request", body) for body in (PERMITTED, STRANGER))
GOOD_QUERY = cut(b"xacml-samlp:XACMLAuthzDecisionQuery", PERMITTED)
SIGNATURE = b"""<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/><ds:Object>%s</ds:Object>\
</ds:Signature>"""
EXTENSIONS = b'<saml2p:Extensions xmlns:saml2p="urn:oasis:names:tc:SAML:2.0:protocol">%s</saml2p:Extensions>'
POLICIES = b'<xacml:%s xmlns:xacml="urn:oasis:names:tc:xacml:2.0:policy:schema:os"/>'
HEADER = b"<soap11:Header>%s</soap11:Header>"
BODY = b"<soap11:Body>%s</soap11:Body>"
FIRST_IN_QUERY = b"<saml2:Issuer"
LAST_IN_QUERY = b"</xacml-samlp:XACMLAuthzDecisionQuery>"
WRAPPINGS = {
    "before": (OWN, GOOD + OWN),
    "after": (OWN, OWN + GOOD),
    "in its request": (b"</xacml-context:Request>", GOOD + b"</xacml-context:Request>"),
    "in its subject": (b"</xacml-context:Subject>", GOOD + b"</xacml-context:Subject>"),
    "in its attribute": (b"</xacml-context:Attribute>", GOOD + b"</xacml-context:Attribute>"),
    "in its value": (b"<xacml-context:AttributeValue>", b"<xacml-context:AttributeValue>" + GOOD),
    "in its resource": (
        b"<xacml-context:Resource>",
        b"<xacml-context:Resource><xacml-context:ResourceContent>%s</xacml-context:ResourceContent>" % GOOD,
    ),
    "around it": (OWN, GOOD.replace(b"</xacml-context:Request>", OWN + b"</xacml-context:Request>")),
    "in a signature": (FIRST_IN_QUERY, SIGNATURE % GOOD + FIRST_IN_QUERY),
    "in a signature at the end": (LAST_IN_QUERY, SIGNATURE % GOOD + LAST_IN_QUERY),
    "in extensions": (OWN, EXTENSIONS % GOOD + OWN),
    "in the issuer": (b"http://argus.example.org/pepd", b"http://argus.example.org/pepd" + GOOD),
    "in a header": (b"<soap11:Body>", HEADER % GOOD + b"<soap11:Body>"),
    "a query in a header": (b"<soap11:Body>", HEADER % GOOD_QUERY + b"<soap11:Body>"),
    "a body before": (b"<soap11:Body>", BODY % GOOD_QUERY + b"<soap11:Body>"),
    "a body after": (b"</soap11:Envelope>", BODY % GOOD_QUERY + b"</soap11:Envelope>"),
    "a query before": (b"<soap11:Body>", b"<soap11:Body>" + GOOD_QUERY),
    "a query after": (b"</soap11:Body>", GOOD_QUERY + b"</soap11:Body>"),
    "a query in it": (OWN, OWN + GOOD_QUERY),
    "a comment": (OWN, b"<!--" + GOOD + b"-->" + OWN),
    "a processing instruction": (OWN, b"<?x " + GOOD + b"?>" + OWN),
    "an envelope in it": (LAST_IN_QUERY, PERMITTED.partition(b"?>")[2] + LAST_IN_QUERY),
    "a policy of its own": (LAST_IN_QUERY, POLICIES % b"PolicySet" + POLICIES % b"Policy" + LAST_IN_QUERY),
    "its name twice": (b"<xacml-samlp:XACMLAuthzDecisionQuery", b'<xacml-samlp:XACMLAuthzDecisionQuery ID="_2"'),
}


@pytest.mark.parametrize("shape", WRAPPINGS)
def test_a_request_wrapped_into_the_query_of_a_stranger_is_not_permitted(shape: str) -> None:
    old, new = WRAPPINGS[shape]
    body = STRANGER.replace(old, new)
    assert body != STRANGER
    assert ask(body) in {None, Decision.NOT_APPLICABLE, Decision.INDETERMINATE}


@pytest.mark.parametrize("nothing", [b"<!--x-->", b"<?x y?>", b"<![CDATA[]]>"])
def test_what_is_nothing_to_xml_neither_cuts_nor_changes_a_value(nothing: bytes) -> None:
    assert ask(PERMITTED.replace(b">atlas<", b">at%slas<" % nothing)) is Decision.PERMIT
    assert ask(PERMITTED.replace(b">atlas<", b">atlas%smore<" % nothing)) is Decision.NOT_APPLICABLE
    assert ask(BANNED.replace(b"CN=Banned User", b"CN=Banned%s User" % nothing)) is Decision.DENY


@pytest.mark.parametrize("more", [b"<![CDATA[x]]>", b"<x/>", b"&#x200B;", b"&#xA0;", b"&#x1F1;", b"&amp;", b"/"])
def test_a_value_with_more_to_it_is_another_one(more: bytes) -> None:
    for changed in (b">at%slas<", b">atlas%s<", b">%satlas<"):
        assert ask(PERMITTED.replace(b">atlas<", changed % more)) is not Decision.PERMIT


# Shapes that are made to hurt


def with_doctype(subset: bytes, reference: bytes) -> bytes:
    declaration, _, document = PERMITTED.partition(b"?>")
    doctype = b"<!DOCTYPE soap11:Envelope [%s]>" % subset
    return declaration + b"?>" + doctype + document.replace(b"http://argus.example.org/pepd", reference)


LAUGHS = b'<!ENTITY l0 "lol">' + b"".join(
    b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10)
)
DOCTYPES = {
    "billion laughs": with_doctype(LAUGHS, b"&l9;"),
    "quadratic": with_doctype(b'<!ENTITY a "%s">' % (b"a" * 50_000), b"&a;" * 10_000),
    "a file": with_doctype(b'<!ENTITY a SYSTEM "file:///etc/passwd">', b"&a;"),
    "a parameter entity": with_doctype(b'<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;', b"x"),
    "a default attribute": with_doctype(b'<!ATTLIST saml2:Issuer Format CDATA "urn:x">', b"x"),
    "a recursive entity": with_doctype(b'<!ENTITY a "&b;"><!ENTITY b "&a;">', b"&a;"),
    "nothing": with_doctype(b"", b"x"),
    "in UTF-16": with_doctype(LAUGHS, b"&l9;").replace(b"UTF-8", b"UTF-16").decode().encode("utf-16"),
}


@pytest.mark.parametrize("shape", DOCTYPES)
def test_a_document_type_is_a_fault(shape: str) -> None:
    assert ask(DOCTYPES[shape]) is None


@pytest.mark.parametrize(
    "doctype", ["SYSTEM '{}'", "[<!ENTITY a SYSTEM '{}'>]", "[<!ENTITY % a SYSTEM '{}'> %a;]", "PUBLIC 'x' '{}'"]
)
def test_nothing_is_fetched_for_a_document(doctype: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        declared = b"?><!DOCTYPE x %s>" % doctype.format(address).encode()
        assert ask(PERMITTED.replace(b"?>", declared, 1).replace(b"/pepd<", b"/&a;<")) is None
        with pytest.raises(BlockingIOError):
            server.accept()


FULL = BODY_LIMIT - len(PERMITTED) - 1000
SUBJECT_ID = re.compile(
    rb'(<xacml-context:Attribute AttributeId="[^"]*subject-id"[^>]*>).*?(</xacml-context:Attribute>)'
)
VALUE = b"<xacml-context:AttributeValue>%s</xacml-context:AttributeValue>"


def filled(piece: bytes) -> bytes:
    return piece * (FULL // len(piece))


def numbered(piece: bytes) -> bytes:
    return b"".join(piece % number for number in range(FULL // (len(piece) + 4)))


def in_query(content: bytes) -> bytes:
    return PERMITTED.replace(FIRST_IN_QUERY, content + FIRST_IN_QUERY)


def in_request(content: bytes) -> bytes:
    return PERMITTED.replace(b"<xacml-context:Resource>", content + b"<xacml-context:Resource>")


def in_name(content: bytes) -> bytes:
    """The policy asks for the name of the user first."""
    return SUBJECT_ID.sub(lambda found: found[1] + content + found[2], PERMITTED)


BOMBS = {
    "elements nested a little too deep": in_query(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH),
    "elements nested deep": in_query(b"<a>" * (FULL // 7) + b"</a>" * (FULL // 7)),
    "elements nested deep in the request": in_request(b"<a>" * (FULL // 7) + b"</a>" * (FULL // 7)),
    "elements that are not closed": in_query(filled(b"<a>")),
    "elements": in_query(filled(b"<a/>")),
    "elements in a header": PERMITTED.replace(b"<soap11:Body>", HEADER % filled(b"<a/>") + b"<soap11:Body>"),
    "elements with a long name": in_query(b"<%s/>" % filled(b"a")),
    "attributes": in_query(b"<a %s/>" % numbered(b'a%d="" ')),
    "namespaces": PERMITTED.replace(b"<soap11:Envelope ", b"<soap11:Envelope " + numbered(b'xmlns:a%d="u" ')),
    "namespaces of nested elements": in_query(
        b"".join(b'<a xmlns:a%d="u">' % number for number in range(MAX_DEPTH // 2)) + b"</a>" * (MAX_DEPTH // 2)
    ),
    "comments": in_query(filled(b"<!---->")),
    "comments in a value": in_name(VALUE % filled(b"<!---->")),
    "processing instructions": in_query(filled(b"<?a?>")),
    "white space": in_query(filled(b" ")),
    "character references": in_query(filled(b"&#65;")),
    "character references in a value": in_name(VALUE % filled(b"&#65;")),
    "character data": in_query(filled(b"<![CDATA[<]]>")),
    "bodies": PERMITTED.replace(b"</soap11:Envelope>", filled(b"<soap11:Body/>") + b"</soap11:Envelope>"),
    "requests": in_query(filled(b'<c:Request xmlns:c="%s"/>' % CONTEXT_NAMESPACE.encode())),
    "subjects": in_request(filled(b"<xacml-context:Subject/>")),
    "resources": in_request(filled(b"<xacml-context:Resource/>")),
    "a long value": in_name(VALUE % (b"CN=" + filled(b"a")[:-3])),
    "a long name of a user": in_name(VALUE % (b"CN=a" + filled(b",CN=a")[:-5])),
    "a name of escapes": in_name(VALUE % (b"CN=" + filled(b"\\")[:-3])),
    "a name of quotes": in_name(VALUE % filled(b'CN="')),
    "values": in_name(filled(VALUE % b"CN=a")),
    "empty values": in_name(filled(VALUE % b"")),
    "a long group": PERMITTED.replace(b">/atlas/analysis<", b">%s<" % filled(b"/a")),
    "a long resource": PERMITTED.replace(b"http://authz.example.org/resource/ce01", filled(b"a/")[: FULL // 2]),
    "a long action": PERMITTED.replace(b"http://glite.org/xacml/action/ce/job/submit", filled(b"a/")),
}


@pytest.mark.parametrize("shape", BOMBS)
def test_a_bomb_is_answered_soon(shape: str) -> None:
    assert BOMBS[shape] != PERMITTED
    assert len(BOMBS[shape]) <= BODY_LIMIT
    ask(BOMBS[shape])


@pytest.mark.parametrize("filling", [b" ", b"<a>", b"\0"])
def test_a_message_of_megabytes_is_a_fault_whatever_it_holds(filling: bytes) -> None:
    assert ask(in_query(filling * 10_000_000)) is None
    assert ask(in_query(filling * BODY_LIMIT)) is None


@pytest.mark.parametrize("version", ["http://www.w3.org/2003/05/soap-envelope", f"{SOAP_NAMESPACE}x", ""])
def test_an_envelope_of_another_kind_is_a_fault(version: str) -> None:
    assert ask(PERMITTED.replace(SOAP_NAMESPACE.encode(), version.encode())) is None
