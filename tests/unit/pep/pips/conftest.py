"""The recorded grid as points see it, and chains in the forms that clients send."""

import base64
import re
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsTrust
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType
from argus_py.pep.pips.proof import CertificateJudge
from argus_py.snapshot import Snapshot
from argus_py.store.trustdir import load_trust_anchors
from argus_py.store.vomsdir import load_voms_trust

GRID = Path(__file__).parents[3] / "vectors" / "credentials" / "grid"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOSTNAMES = frozenset({"argus.argus-test.org"})
BLOCK = re.compile("-----BEGIN CERTIFICATE-----\n(.*?)-----END CERTIFICATE-----\n", re.DOTALL)

Sent = Callable[[str], Attribute]

VERSION_1 = """\
-----BEGIN CERTIFICATE-----
MIIBFDCBuwIUNtqRgRD2zQbQKbT13rI0XnoPl1QwCgYIKoZIzj0EAwIwDTELMAkG
A1UEAwwCdjEwHhcNMjYxMTI0MTIwNjI1WhcNNDYwMTIzMTIwNjI1WjANMQswCQYD
VQQDDAJ2MTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGnXczFCZTsworZ8pWys
3fK/YNdK9jhvKsyteQC+rAqYqJ6GwYPNCKxrdsmA8p4usqra1QRB+haiKr2l5hRI
G04wCgYIKoZIzj0EAwIDSAAwRQIhAK60tgkZ4pcq45vpQopa2acvv1RybwT6sMKZ
kpqX67ogAiBUUtQq56kabBciSzAMOAh0ckSMejPxZEqpkK7xAJU8BA==
-----END CERTIFICATE-----
"""  # made with: openssl x509 -req -signkey


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def grid() -> Path:
    return GRID


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Of the traffic of the PEP port."""
    return GRID.parents[1] / "pep"


@pytest.fixture(scope="session")
def trust() -> Snapshot[TrustAnchors]:
    anchors = Snapshot("trust anchors", lambda: load_trust_anchors(GRID / "certificates"), lambda: NOW)
    anchors.refresh()
    return anchors


@pytest.fixture(scope="session")
def voms_trust() -> Snapshot[VomsTrust]:
    vomsdir = Snapshot("vomsdir", lambda: load_voms_trust(GRID / "vomsdir"), lambda: NOW)
    vomsdir.refresh()
    return vomsdir


@pytest.fixture
def judge(trust: Snapshot[TrustAnchors], voms_trust: Snapshot[VomsTrust]) -> CertificateJudge:
    return CertificateJudge(trust, voms_trust, HOSTNAMES)


@pytest.fixture(scope="session")
def as_pem() -> Sent:
    """The key-info of the gLite profiles with the certificates of a credential file, without its private key."""

    def sent(file: str) -> Attribute:
        blocks = (match[0] for match in BLOCK.finditer((GRID / file).read_text()))
        return Attribute(AttributeId.KEY_INFO, ("".join(blocks),))

    return sent


@pytest.fixture(scope="session")
def as_der() -> Sent:
    """The key-info of the common profile, with lines of 76 characters as the Java client sends them."""

    def sent(file: str) -> Attribute:
        encoded = [base64.b64decode(match[1]) for match in BLOCK.finditer((GRID / file).read_text())]
        values = ("\n".join(textwrap.wrap(base64.b64encode(each).decode(), 76)) for each in encoded)
        return Attribute(AttributeId.KEY_INFO, tuple(values), DataType.BASE64_BINARY)

    return sent


@pytest.fixture(scope="session")
def version_1() -> str:
    """A certificate without extensions, as PEM."""
    return VERSION_1
