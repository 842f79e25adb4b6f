"""Whatever bytes come from a peer: a value or an error of ours."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from argus_py.errors import MalformedInput
from argus_py.soap import envelope, fault, saml
from argus_py.xacml import context_xml, document

VECTORS = Path(__file__).parent.parent / "vectors" / "soap"
LIMIT = 1 << 16

MESSAGES = [
    (VECTORS / name).read_bytes()
    for name in (
        "pdp/query-permit.xml",
        "pdp/query-other-prefixes.xml",
        "pdp/query-fault-must-understand.xml",
        "pdp/response-permit-two-obligations.xml",
        "pdp/response-permit-obligation.upstream-bytes.xml",
        "pdp/fault-issuer-format.xml",
        "pap/query-from-pap.xml",
        "pap/response-policies.xml",
        "pap/response-error-no-issuer.xml",
        "pap/fault-no-such-operation.xml",
    )
]
ELEMENTS = [element for message in MESSAGES for element in document.parse(message, LIMIT).iter()]
TAGS = sorted({str(element.tag) for element in ELEMENTS})
ATTRIBUTES = sorted({str(name) for element in ELEMENTS for name in element.attrib})
TEXTS = sorted({text for element in ELEMENTS for text in (element.text or "", *map(str, element.attrib.values()))})


def decision_query(element: etree._Element) -> None:
    query = saml.authz_decision_query_from_element(element)
    written = saml.authz_decision_query_from_element(saml.authz_decision_query_to_element(query))
    assert (written.id, written.issuer, written.return_context) == (query.id, query.issuer, query.return_context)
    request = context_xml.read_request(query.context)
    context_xml.read_request(context_xml.write_request(request))


def decision_response(element: etree._Element) -> None:
    response = saml.authz_decision_response_from_element(element)
    written = saml.authz_decision_response_from_element(saml.authz_decision_response_to_element(response))
    assert written.results == response.results


READERS: list[Callable[[etree._Element], object]] = [
    decision_query,
    decision_response,
    saml.policy_query_from_element,
    saml.policy_response_from_element,
    fault.from_element,
]


def read_everything(data: bytes) -> None:
    """Nothing but an error of ours comes out, and a decision that could be read is written to say the same."""
    for reader in READERS:
        with contextlib.suppress(MalformedInput):
            reader(envelope.read(data, LIMIT))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A message with a piece cut out, doubled or overwritten."""
    message = draw(st.sampled_from(MESSAGES))
    start = draw(st.integers(0, len(message)))
    end = draw(st.integers(start, min(len(message), start + 200)))
    piece = draw(st.one_of(st.just(b""), st.just(message[start:end] * 2), st.binary(max_size=20)))
    return message[:start] + piece + message[end:]


@st.composite
def scrambled(draw: st.DrawFn) -> bytes:
    """A well-formed message in which elements have moved, and changed their names, attributes and texts."""
    root = etree.fromstring(draw(st.sampled_from(MESSAGES)))
    for _ in range(draw(st.integers(1, 4))):
        element = draw(st.sampled_from([e for e in root.iter() if isinstance(e.tag, str)]))
        match draw(st.integers(0, 4)):
            case 0:
                element.tag = draw(st.sampled_from(TAGS))
            case 1:
                element.set(draw(st.sampled_from(ATTRIBUTES)), draw(st.sampled_from(TEXTS)))
            case 2:
                element.text = draw(st.sampled_from(TEXTS))
            case 3:
                element.append(etree.fromstring(etree.tostring(draw(st.sampled_from(ELEMENTS)), with_tail=False)))
            case 4:
                element.clear()
    return etree.tostring(root)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), damaged()))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read_everything(data)


@settings(max_examples=300, deadline=None)
@given(scrambled())
def test_any_order_of_known_elements_is_read_or_refused(data: bytes) -> None:
    read_everything(data)
