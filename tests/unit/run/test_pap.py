"""Who a caller of the PAP is, and which changes of its policy are announced."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from argus_py.credentials import path
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsTrust
from argus_py.errors import Unavailable
from argus_py.model.fqan import Fqan
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap
from argus_py.run.pap import Callers, PolicyWatch
from argus_py.snapshot import Snapshot
from argus_py.store.memory import MemoryPolicies
from argus_py.store.trustdir import TrustDirectory
from argus_py.store.vomsdir import VomsDirectory
from argus_py.web.changes import ChangeFeed, NoState
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


class Store(MemoryPolicies):
    """One that can be out of reach."""

    reachable = True

    def revision(self) -> int:
        if not self.reachable:
            raise Unavailable("the database is down")
        return super().revision()


class Announced(ChangeFeed):
    """A PAP with an empty store, and what it announces; nothing is announced before somebody looks."""

    def __init__(self) -> None:
        super().__init__(lambda: 1000.0, timedelta(milliseconds=1))
        self.now = datetime(2026, 11, 24, tzinfo=UTC)
        self.store = Store(lambda: self.now)
        self.states: list[tuple[str, float | None]] = []
        self.watch = PolicyWatch(self.store, self, lambda: self.now, lambda: 1000.0)

    def announce(self, state: str, made: float | None = None) -> None:
        self.states.append((state, made))
        super().announce(state, made)

    def change(self) -> None:
        with self.store.change(Note("test", "change")) as writer:
            writer.add_pap(Pap(f"{len(self.states)}", f"pap-{len(self.states)}"))


def test_a_change_is_announced_once_with_the_moment_it_was_made() -> None:
    pap = Announced()
    pap.change()
    pap.now += timedelta(seconds=3)
    pap.watch()
    pap.watch()
    assert pap.states == [("1-1795478400000", 997.0)]
    pap.change()
    pap.watch()
    assert pap.states[1:] == [("2-1795478403000", 1000.0)]


def test_a_change_from_the_future_was_made_just_now() -> None:
    pap = Announced()
    pap.change()
    pap.now -= timedelta(seconds=3)
    pap.watch()
    assert pap.states == [("1-1795478400000", 1000.0)]


def test_a_store_out_of_reach_is_told_once_and_looked_at_again(caplog: pytest.LogCaptureFixture) -> None:
    pap = Announced()
    for pap.store.reachable in (False, False, True, False):
        pap.watch()
    assert caplog.messages == ["changes of the policy are not seen: the database is down"] * 2


def test_while_the_store_is_out_of_reach_nobody_is_told_that_nothing_has_changed() -> None:
    pap = Announced()
    pap.watch()
    ((state, _),) = pap.states
    assert asyncio.run(pap.after(state)) is None
    pap.store.reachable = False
    pap.watch()
    with pytest.raises(NoState):
        asyncio.run(pap.after(state))
    pap.store.reachable = True
    pap.watch()
    assert asyncio.run(pap.after(state)) is None
