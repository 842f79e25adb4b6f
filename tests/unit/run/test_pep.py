"""The PEP daemon as it is put together: what its status page and its admin port tell, how long it waits for a PDP."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from argus_py.clients.transport import Timeouts
from argus_py.config.pepd import PdpSettings, parse_pepd
from argus_py.credentials.trust import TrustAnchors
from argus_py.model.request import Request
from argus_py.model.response import Response, indeterminate
from argus_py.pep.ports import Call
from argus_py.run.decisions import Decisions
from argus_py.run.parts import LOOK, trust_anchors
from argus_py.run.pep import pdp_timeouts, pep
from argus_py.run.servers import Daemon
from argus_py.snapshot import Snapshot

GRID = Path(__file__).parents[2] / "vectors" / "credentials" / "grid"


class Undecided:
    def decide(self, request: Request, call: Call) -> Response:
        return indeterminate(None, request)


def no_trust(directory: Path, check_crls: bool) -> Snapshot[TrustAnchors]:
    raise AssertionError(f"nobody asked for {directory}")


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    (tmp_path / "accounts").write_text("".join(f'"/vo{n}*" .vo\n' for n in range(30)), encoding="utf-8")
    (tmp_path / "groups").write_text('"/vo" vo\n', encoding="utf-8")
    settings = parse_pepd(
        f"""
        [SERVICE]
        entityId = urn:pep
        hostname = localhost
        obligationHandlers = MAP
        [PDP]
        pdps = http://localhost/authz
        [MAP]
        parserClass = account-mapping
        accountMapFile = {tmp_path}/accounts
        groupMapFile = {tmp_path}/groups
        gridMapDir = {tmp_path}
        """,
        "pepd.ini",
    )
    return pep(settings, Decisions(Undecided(), settings.pdp), (), no_trust)


def status(daemon: Daemon) -> list[str]:
    async def get() -> str:
        transport = httpx.ASGITransport(daemon.port.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://pep") as client:
            return (await client.get("/status")).text

    return asyncio.run(get()).splitlines()[11:]


def test_status_page_tells_the_state_of_the_map_files(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "groups").write_text("unquoted x\n", encoding="utf-8")
    for task in daemon.periodic:
        task.run()

    of_files = [line for line in status(daemon) if line.startswith(("Loaded: ", "Problem: ", "LastError: "))]
    loaded, warning, *warnings, other_loaded, error = of_files

    assert loaded.startswith(f"Loaded: map file {tmp_path}/accounts at ")
    assert warning.startswith(f"Problem: {tmp_path}/accounts:line 1 matches nobody:")
    assert len(warnings) == 19
    assert other_loaded.startswith(f"Loaded: map file {tmp_path}/groups at ")
    assert error.startswith(f"LastError: map file {tmp_path}/groups, ")
    assert error.endswith("line 1:the key is not in double quotes")


@pytest.mark.parametrize(("configured", "connect"), [(30, 5), (5, 5), (2, 2)])
def test_a_dead_pdp_leaves_time_for_another_one(configured: int, connect: int) -> None:
    settings = PdpSettings((), 0, timedelta(), 1, timedelta(seconds=configured))
    assert pdp_timeouts(settings) == Timeouts(timedelta(seconds=connect), timedelta(seconds=10))


def test_trust_material_is_watched_and_its_state_told(tmp_path: Path) -> None:
    trust_dir = Path(shutil.copytree(GRID / "certificates", tmp_path / "certificates"))
    settings = parse_pepd(
        f"""
        [SECURITY]
        trustInfoDir = {trust_dir}
        trustInfoRefresh = 90
        [SERVICE]
        entityId = urn:pep
        hostname = localhost
        pips = VOMS
        [PDP]
        pdps = http://localhost/authz
        [VOMS]
        parserClass = glite-profile
        vomsInfoDir = {GRID}/vomsdir
        vomsInfoRefresh = 80
        """,
        "pepd.ini",
    )
    daemon = pep(settings, Decisions(Undecided(), settings.pdp), (), trust_anchors)
    assert [task.every for task in daemon.periodic] == [LOOK, timedelta(minutes=90), LOOK, timedelta(minutes=80)]
    (trust_dir / "b1d95bc4.r0").write_text("damaged")
    (trust_dir / "0f70aaec.r0").unlink()
    daemon.periodic[0].run()
    lines = status(daemon)
    assert f"Contents: trust directory {trust_dir}, 6 CA certificates, 5 CRLs, 14 namespace files" in lines
    assert f"Contents: vomsdir {GRID}/vomsdir, 8 LSC files, 1 server certificates" in lines
    assert [line for line in lines if line.startswith("Problem: b1d95bc4.r0:a CRL cannot be read")]
    assert [line for line in lines if line.startswith("NextCrlExpiryHours: ")]
