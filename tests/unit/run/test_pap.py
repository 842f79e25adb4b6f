"""Who a caller of the PAP is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from argus_py.credentials import path
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsTrust
from argus_py.model.fqan import Fqan
from argus_py.run.pap import Callers
from argus_py.snapshot import Snapshot
from argus_py.store.trustdir import TrustDirectory
from argus_py.store.vomsdir import VomsDirectory
from argus_py.web.tls import NoClientCertificate

GRID = Path(__file__).parents[2] / "vectors" / "credentials" / "grid"


def clock() -> datetime:
    return datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def trust() -> Snapshot[TrustAnchors]:
    snapshot = Snapshot("trust directory", TrustDirectory(GRID / "certificates").load, clock)
    snapshot.refresh()
    return snapshot


@pytest.fixture(scope="module")
def voms_trust() -> Snapshot[VomsTrust]:
    snapshot = Snapshot("vomsdir", VomsDirectory(GRID / "vomsdir").load, clock)
    snapshot.refresh()
    return snapshot


def connection_of(proxy: str, trust: Snapshot[TrustAnchors]) -> dict[str, Any]:
    """The scope of a request that came with this proxy."""
    sent = UnverifiedChain.of(x509.load_pem_x509_certificates((GRID / proxy).read_bytes()))
    return {"extensions": {"argus": {"chain": path.verify(sent, trust.current.value, clock())}}}


def test_a_caller_has_the_name_of_its_end_entity_and_the_fqans_of_its_proxy(
    trust: Snapshot[TrustAnchors], voms_trust: Snapshot[VomsTrust]
) -> None:
    admin = Callers(trust, voms_trust).of(connection_of("proxies/admin-dteam-admin.pem", trust))
    assert admin.dn.slash() == "/DC=org/DC=argus-test/OU=People/CN=Ada Admin"
    assert Fqan.parse("/dteam/Role=VO-Admin") in admin.fqans


def test_an_attribute_certificate_that_is_refused_proves_nothing(
    trust: Snapshot[TrustAnchors], voms_trust: Snapshot[VomsTrust], caplog: pytest.LogCaptureFixture
) -> None:
    admin = Callers(trust, voms_trust).of(connection_of("bad/ac-expired.pem", trust))
    assert admin.fqans == ()
    assert "AC validity check failed" in caplog.text


def test_without_a_vomsdir_nobody_has_fqans(trust: Snapshot[TrustAnchors]) -> None:
    assert Callers(trust, None).of(connection_of("proxies/admin-dteam-admin.pem", trust)).fqans == ()


def test_a_caller_without_certificate_is_refused(trust: Snapshot[TrustAnchors]) -> None:
    with pytest.raises(NoClientCertificate):
        Callers(trust, None).of({"extensions": {"argus": {"chain": None}}})
