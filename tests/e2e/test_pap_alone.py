"""The PAP as its operators meet it: papctl, the port for its own host, its files, moving from Java and back."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Done, Grid

HEADER = "PAP_SHUTDOWN_COMMAND"


def get(url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False)


def test_probes_of_the_host_read_the_status_page_without_a_certificate(grid: "Grid") -> None:
    argus = grid.start("pap", grid.site.configuration / "pap" / "pap_configuration.ini")
    grid.eventually(lambda: "PAP-admin" in argus.urls)
    page = get(f"{argus.urls['PAP-admin']}/status")
    lines = dict(line.split(": ") for line in page.text.splitlines())
    assert (lines["Status"], lines["Service"]) == ("OK", "Argus PAP")
    assert lines["UsedMemory"].endswith(" bytes")
    with grid.https(grid.site.host) as client:
        assert client.get(f"{argus.urls['PAP']}/pap/status").text.startswith("Status: OK\nService: Argus PAP\n")
        assert client.get(f"{argus.urls['PAP']}/status").status_code == 404


def test_the_right_command_stops_it(grid: "Grid") -> None:
    file = grid.configure("pap/pap_configuration.ini", "shutdown_port = 0", "shutdown_port = 0\nshutdown_command = now")
    argus = grid.start("pap", file, ports=2)
    url = f"{argus.urls['PAP-admin']}/shutdown"
    assert (get(url).status_code, get(url, {HEADER: "later"}).content) == (200, b"")
    assert get(f"{argus.urls['PAP-admin']}/status").status_code == 200
    assert get(url, {HEADER: "now"}).status_code == 200
    assert argus.exit_code() == 0


def test_permissions_and_paps_of_the_files_are_taken_up_while_it_runs(grid: "Grid") -> None:
    argus = grid.serve()
    authorization = grid.site.configuration / "pap" / "pap_authorization.ini"
    admins = authorization.read_text()
    assert grid.pap_admin(argus, "list-policies").returncode == 0

    authorization.write_text("[dn]\nnobody\n")
    argus.hang_up()
    grid.eventually(lambda: "line 2: 'nobody' does not match" in argus.read("process.log"))
    assert grid.pap_admin(argus, "list-policies").returncode == 0

    authorization.write_text('[dn]\n"/CN=Somebody Else" : ALL\n')
    argus.hang_up()
    grid.eventually(lambda: grid.pap_admin(argus, "list-policies").returncode == 5)

    authorization.write_text(admins)
    grid.configure(
        "pap/pap_configuration.ini", "[repository]", "[paps]\nmine.type = local\nmine.public = false\n[repository]"
    )
    argus.hang_up()
    grid.eventually(lambda: grid.pap_admin(argus, "list-policies", "--pap", "mine").returncode == 0)


def test_a_site_can_go_back_to_java_and_return(grid: "Grid", tmp_path: Path) -> None:
    argus = grid.serve()
    grid.load_policy(argus)
    assert grid.pap_admin(argus, "ban", "subject", "/DC=org/CN=Eve", "--private").returncode == 0
    listed = grid.policies(argus)
    argus.stop()

    config_dir, target = grid.site.configuration / "pap", tmp_path / "java"
    exported = grid.run([bin_of("argus"), "export-pap", str(target), "--config-dir", str(config_dir)])
    assert exported.returncode == 0, exported.stderr
    assert len(list((target / "repository").glob("default-*/Policy_private_*.xml"))) == 1

    moved = f"[repository]\ndatabase = sqlite:///{tmp_path}/new.db\nlocation"
    grid.configure("pap/pap_configuration.ini", "[repository]\nlocation", moved)
    imported = grid.run([bin_of("argus"), "import-pap", str(config_dir), str(target / "repository")])
    assert imported.returncode == 0, imported.stderr
    again = grid.run([bin_of("argus"), "import-pap", str(config_dir), str(target / "repository")])
    assert (again.returncode, "is not empty" in again.stderr) == (1, True)
    assert grid.policies(grid.serve()) == listed


def bin_of(program: str) -> str:
    return str(Path(sys.executable).parent / program)


class Control:
    """papctl for the PAP of a site."""

    def __init__(self, grid: "Grid") -> None:
        self.port = grid.free_port()
        new = f"shutdown_port = {self.port}\nshutdown_command = stop-it"
        grid.configure("pap/pap_configuration.ini", "shutdown_port = 0", new)
        self.home = grid.site.root / "home"
        self.home.mkdir()
        (self.home / "conf").symlink_to(grid.site.configuration / "pap")
        self.pid_file = self.home / ".argus-pap.pid"
        self._stderr = grid.site.root / "stderr"

    def __call__(self, word: str) -> "Done":
        program = "import os, sys; from argus_py.cli.papctl import run; sys.exit(run(sys.argv[1:], os.environ, 0))"
        command = [sys.executable, "-c", program, word]
        environment = {**os.environ, "PAP_HOME": str(self.home)}
        with self._stderr.open("w+") as err:  # the daemon keeps it, so it must not be waited for
            done = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, stderr=err, text=True, check=False, timeout=60
            )
            err.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, done.stdout, err.read())


@pytest.fixture
def papctl(grid: "Grid") -> Iterator[Control]:

    control = Control(grid)
    (control.home / "logs").mkdir()
    yield control
    with suppress(OSError, ValueError):
        os.kill(int(control.pid_file.read_text()), signal.SIGKILL)


def test_papctl_starts_shows_and_stops(papctl: Control) -> None:
    assert papctl("status").stdout == "PAP not running!\n"
    started = papctl("start")
    assert (started.returncode, started.stdout, started.stderr) == (0, "", "")
    assert papctl("status").stdout == "PAP running!\n"
    assert get(f"http://localhost:{papctl.port}/status").text.startswith("Status: OK\n")
    assert papctl("start").stdout == "PAP already running...\n"
    restarted = papctl("restart")
    assert (restarted.returncode, restarted.stdout) == (0, "Ok.\n")
    stopped = papctl("stop")
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (0, "Ok.\n", "")
    assert "Shutdown requested" in (papctl.home / "logs" / "process.log").read_text()
    assert papctl("status").returncode == 1


def test_a_start_that_fails_says_why(papctl: Control) -> None:
    (papctl.home / "conf" / "pap_configuration.ini").write_text("[paps:properties]\n")
    failed = papctl("start")
    assert failed.returncode == 1
    assert "does not contain the required property poll_interval" in failed.stderr
