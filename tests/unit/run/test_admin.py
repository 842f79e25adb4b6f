"""The admin port as it is put together: where it may be, and what a reload of everything shows."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from argus_py.config.daemon import AdminSettings
from argus_py.config.pepd import parse_pepd
from argus_py.errors import ConfigurationError
from argus_py.model.request import Request
from argus_py.model.response import Response, indeterminate
from argus_py.pep.ports import Call
from argus_py.run.admin import admin_address, admin_port, resolve
from argus_py.run.decisions import Decisions
from argus_py.run.parts import trust_anchors
from argus_py.run.pep import pep
from argus_py.run.servers import Periodic, Port
from argus_py.web.status import StatusPage

GRID = Path(__file__).parents[2] / "vectors" / "credentials" / "grid"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "::1"])
def test_a_port_for_this_host_alone_needs_no_password(host: str) -> None:
    admin_address(AdminSettings(host, 8155, None))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1"])
def test_a_port_that_others_can_reach_needs_a_password(host: str) -> None:
    admin_address(AdminSettings(host, 8155, "secret"))
    with pytest.raises(ConfigurationError, match=rf"^adminHost {host} can be reached from other hosts"):
        admin_address(AdminSettings(host, 8155, None))


@pytest.mark.parametrize("name", ["no.such.host.invalid", "a" * 70, "a..b"])
def test_a_name_without_an_address_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^the host name {name} cannot be resolved"):
        resolve(name)


def get(port: Port | None, path: str) -> str:
    assert port is not None

    async def ask() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(port.app), base_url="http://pep") as client:
            return (await client.get(path)).raise_for_status().text

    return asyncio.run(ask())


def test_a_reload_runs_everything_periodic_once_and_shows_the_status() -> None:
    runs: list[str] = []
    tasks = [Periodic(name, timedelta(hours=1), partial(runs.append, name)) for name in ("one", "two")]
    status = StatusPage("Argus", "0", datetime(2026, 11, 24, tzinfo=UTC), lambda: (0, 0), lambda: [("Runs", str(runs))])
    port = admin_port("TEST", AdminSettings("localhost", 1, None), status, tasks, {})
    assert (port.name, port.host, port.number, port.tls) == ("TEST-admin", "localhost", 1, None)
    assert get(port, "/reload").endswith("\nRuns: ['one', 'two']\n")


@dataclass(frozen=True, slots=True)
class Files:
    trust: Path
    voms: Path
    accounts: Path


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "pool001").touch()
    accounts = tmp_path / "grid-mapfile"
    accounts.write_text('"/dteam" .pool\n')
    (tmp_path / "groupmapfile").write_text('"/dteam" dteam\n')
    trust, voms = (shutil.copytree(GRID / name, tmp_path / name) for name in ("certificates", "vomsdir"))
    return Files(trust, voms, accounts)


class Undecided:
    def decide(self, request: Request, _call: Call) -> Response:
        return indeterminate(None, request)


@pytest.fixture
def reload(files: Files) -> Callable[[], list[str]]:
    """The lines of the status page below the known ones, after everything was looked at again."""
    settings = parse_pepd(
        f"""
        [SECURITY]
        trustInfoDir = {files.trust}
        [SERVICE]
        entityId = urn:pep
        hostname = localhost
        pips = VOMS
        obligationHandlers = MAP
        [PDP]
        pdps = http://localhost/authz
        [VOMS]
        parserClass = glite-profile
        vomsInfoDir = {files.voms}
        [MAP]
        parserClass = account-mapping
        accountMapFile = {files.accounts}
        groupMapFile = {files.accounts.parent}/groupmapfile
        gridMapDir = {files.accounts.parent}
        """,
        "pepd.ini",
    )
    daemon = pep(settings, Decisions(Undecided(), settings.pdp), (), trust_anchors)
    return lambda: get(daemon.admin, "/reload").splitlines()[11:]


def a_crl(files: Files) -> Path:
    return files.trust / "b1d95bc4.r0"


def an_lsc_file(files: Files) -> Path:
    return sorted(files.voms.rglob("*.lsc"))[0]


def the_account_map(files: Files) -> Path:
    return files.accounts


@pytest.mark.parametrize(
    ("victim", "line"), [(a_crl, "Problem"), (an_lsc_file, "Problem"), (the_account_map, "LastError")]
)
def test_a_bad_new_version_leaves_the_old_one_in_force_and_is_told_until_it_is_mended(
    victim: Callable[[Files], Path],
    line: str,
    files: Files,
    reload: Callable[[], list[str]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = victim(files)
    good = file.read_bytes()
    before = contents(reload())
    file.write_bytes(b"damaged\n")
    for _ in range(2):
        page = reload()
        assert [each for each in page if each.startswith(f"{line}: ") and file.name in each]
        assert contents(page) == before
    assert [message for message in caplog.messages if file.name in message]
    file.write_bytes(good)
    page = reload()
    assert [each for each in page if each.startswith(f"{line}: ") and file.name in each] == []
    assert contents(page) == before


def contents(page: list[str]) -> list[str]:
    return [line for line in page if line.startswith("Contents: ")]
