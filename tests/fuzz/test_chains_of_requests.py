"""Any key-info is a proof, or the typed error of the points that read it."""

import base64
import contextlib
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType
from argus_py.model.request import Subject
from argus_py.pep.pips.proof import DER_KEY_INFO, PEM_KEY_INFO, CertificateJudge, ChainSource, UnusableChain
from argus_py.pep.ports import PipError
from argus_py.snapshot import Snapshot
from argus_py.store.trustdir import load_trust_anchors

GRID = Path(__file__).parents[1] / "vectors" / "credentials" / "grid"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BLOCK = re.compile("-----BEGIN CERTIFICATE-----\n(.*?)-----END CERTIFICATE-----\n", re.DOTALL)
CHAIN = list(BLOCK.finditer((GRID / "proxies" / "alice-dteam.pem").read_text()))
ENCODED = [base64.b64decode(match[1]) for match in CHAIN]

trust = Snapshot("trust anchors", lambda: load_trust_anchors(GRID / "certificates"), lambda: NOW)
trust.refresh()
JUDGE = CertificateJudge(trust, None, frozenset())

pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")

fuzz = settings(max_examples=200, deadline=None)


def judged(source: ChainSource, *values: str) -> str | None:
    """Whose chain it is, if it is one."""
    attribute = Attribute(AttributeId.KEY_INFO, values, source.datatype)
    with contextlib.suppress(PipError, UnusableChain):
        sent = source.sent_by(Subject((attribute,)))
        if sent is not None:
            return JUDGE.proof(sent, NOW).chain.subject.readable()
    return None


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A certificate of a chain with one octet changed."""
    octets = bytearray(draw(st.sampled_from(ENCODED)))
    octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
    return bytes(octets)


def test_the_chain_itself_is_one() -> None:
    alice = "CN=Alice Adams,OU=People,DC=argus-test,DC=org"
    assert judged(PEM_KEY_INFO, "".join(match[0] for match in CHAIN)) == alice
    assert judged(DER_KEY_INFO, *(match[1] for match in CHAIN)) == alice
    assert DER_KEY_INFO.datatype == DataType.BASE64_BINARY


@fuzz
@given(st.text() | st.lists(st.sampled_from([m[0] for m in CHAIN]) | st.text(max_size=5), max_size=5).map("".join))
def test_any_text(text: str) -> None:
    judged(PEM_KEY_INFO, text)


@fuzz
@given(st.lists(st.text() | damaged().map(lambda octets: base64.b64encode(octets).decode()), max_size=4))
def test_any_values(values: list[str]) -> None:
    whose = judged(DER_KEY_INFO, *values)
    assert whose is None or whose.startswith("CN=Alice Adams")
