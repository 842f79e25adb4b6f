"""The PDP daemon as it is put together: what its status page tells beside the policy."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from argus_py.config.pdp import parse_pdp
from argus_py.errors import Unavailable
from argus_py.run.parts import LOOK, trust_anchors
from argus_py.run.pdp import pdp
from argus_py.snapshot import Snapshot
from argus_py.xacml.index import CompiledPolicy

CERTIFICATES = Path(__file__).parents[2] / "vectors" / "credentials" / "grid" / "certificates"


def no_policy() -> CompiledPolicy:
    raise Unavailable("no PAP")


def test_trust_anchors_are_watched_and_their_state_told() -> None:
    settings = parse_pdp(
        f"""
        [SECURITY]
        trustInfoDir = {CERTIFICATES}
        [SERVICE]
        entityId = urn:pdp
        hostname = localhost
        [POLICY]
        paps = http://localhost/pap
        """,
        "pdp.ini",
    )
    policy = Snapshot("policy", no_policy, lambda: datetime(2026, 11, 24, tzinfo=UTC))
    daemon = pdp(settings, policy, (), trust_anchors)
    assert [task.every for task in daemon.periodic] == [LOOK, timedelta(hours=1)]

    async def get() -> str:
        transport = httpx.ASGITransport(daemon.port.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://pdp") as client:
            return (await client.get("/status")).text

    page = asyncio.run(get())
    assert f"Contents: trust directory {CERTIFICATES}, 6 CA certificates, 5 CRLs, 14 namespace files\n" in page
    assert "NextCrlExpiryHours: " in page
