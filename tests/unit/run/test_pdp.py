"""The PDP daemon as it is put together: what its status page tells beside the policy, and what its admin port does."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from argus_py.config.pdp import parse_pdp
from argus_py.errors import Unavailable
from argus_py.pdp.refresh import policy_snapshot
from argus_py.run.parts import LOOK, trust_anchors
from argus_py.run.pdp import PolicyRefresh, pdp
from argus_py.run.servers import Daemon, Periodic, Port
from argus_py.xacml.policy import PolicySet
from argus_py.xacml.policy_xml import read_policy_set

CERTIFICATES = Path(__file__).parents[2] / "vectors" / "credentials" / "grid" / "certificates"


POLICIES = Path(__file__).parents[2] / "vectors" / "soap" / "pdp" / "policies"


ROOT = "root-default-00000001-0000-4000-8000-000000000001"


class Pap:
    """Has one policy after the other, or none."""

    def __init__(self) -> None:
        self.policies: list[str] = []

    def fetch(self) -> PolicySet:
        if not self.policies:
            raise Unavailable("no PAP")
        return read_policy_set((POLICIES / self.policies[-1]).read_bytes())


def clock() -> datetime:
    return datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def pap() -> Pap:
    return Pap()


@pytest.fixture
def daemon(pap: Pap) -> Daemon:
    settings = parse_pdp(
        f"""
        [SECURITY]
        trustInfoDir = {CERTIFICATES}
        [SERVICE]
        entityId = urn:pdp
        hostname = localhost
        bindAddress = 127.0.0.2
        adminPort = 18153
        [POLICY]
        paps = http://localhost/pap
        """,
        "pdp.ini",
    )
    refresh = PolicyRefresh(policy_snapshot(pap, clock))
    return pdp(settings, refresh, (Periodic("policy", timedelta(hours=4), refresh),), trust_anchors)


def get(port: Port | None, path: str) -> str:
    assert port is not None

    async def ask() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(port.app), base_url="http://pdp") as client:
            return (await client.get(path)).raise_for_status().text

    return asyncio.run(ask())


def test_trust_anchors_are_watched_and_their_state_told(daemon: Daemon) -> None:
    assert [task.every for task in daemon.periodic] == [timedelta(hours=4), LOOK, timedelta(hours=1)]
    page = get(daemon.port, "/status")
    assert f"Contents: trust directory {CERTIFICATES}, 6 CA certificates, 5 CRLs, 14 namespace files\n" in page
    assert "NextCrlExpiryHours: " in page


def test_ports_are_where_the_file_says(daemon: Daemon) -> None:
    assert (daemon.port.host, daemon.port.number) == ("127.0.0.2", 8152)
    assert daemon.admin
    assert (daemon.admin.name, daemon.admin.host, daemon.admin.number) == ("PDP-admin", "localhost", 18153)


def test_the_operator_is_told_what_came_of_reloading_the_policy(daemon: Daemon, pap: Pap) -> None:
    assert get(daemon.admin, "/reloadPolicy") == "Policy NOT reloaded: no PAP\n"
    pap.policies.append("ce-site.xml")
    assert get(daemon.admin, "/reloadPolicy") == f"Policy reloaded: {ROOT}, in force since 2026-11-24T00:00:00.000Z\n"


def test_a_reload_of_all_fetches_the_policy_too_and_shows_the_status(daemon: Daemon, pap: Pap) -> None:
    pap.policies.append("ce-site.xml")
    page = get(daemon.admin, "/reload")
    assert page.startswith("Status: OK\nService: Argus PDP\n")
    assert f"CurrentPolicy: {ROOT}\n" in page
    pap.policies.clear()
    page = get(daemon.admin, "/reload")
    assert f"CurrentPolicy: {ROOT}\n" in page
    assert "LastRefreshError: no PAP\n" in page
