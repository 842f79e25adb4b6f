"""Operators and their daemons: commands over the admin port, SIGHUP, and the control scripts in the background."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from argus_py import __version__

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus, Done, Grid

PEPD, PDP = {"password": "pepdadmin_password"}, {"password": "pdpadmin_password"}


def ask(argus: "Argus", port: str, path: str, parameters: dict[str, str]) -> httpx.Response:
    return httpx.get(f"{argus.urls[f'{port}-admin']}{path}", params=parameters, trust_env=False)


def test_commands_of_both_daemons_in_one_process(grid: "Grid") -> None:
    argus = grid.serve()
    grid.load_policy(argus)
    status = ask(argus, "PEP", "/status", PEPD)
    assert status.text.startswith("Status: OK\nService: Argus PEP Server\n")
    assert status.headers["content-type"] == "text/plain;charset=iso-8859-1"
    assert not {"date", "server"} & set(status.headers)
    assert ask(argus, "PDP", "/status", PDP).text.startswith("Status: OK\nService: Argus PDP\n")

    for port, wrong in (("PEP", PDP), ("PDP", PEPD), ("PEP", {})):
        refused = ask(argus, port, "/shutdown", wrong)
        assert (refused.status_code, refused.content, dict(refused.headers)) == (401, b"", {"content-length": "0"})

    pilot = grid.pilot("Alice Pilot")
    assert [grid.ask(argus, pilot).decision for _ in range(2)] == ["Permit", "Permit"]
    assert grid.status(argus, "PEP")["CachedDecisions"].startswith("1 of ")
    cleared = ask(argus, "PEP", "/clearResponseCache", PEPD)
    assert (cleared.status_code, cleared.content) == (200, b"")
    assert grid.status(argus, "PEP")["CachedDecisions"].startswith("0 of ")

    assert ask(argus, "PDP", "/reloadPolicy", PDP).text.startswith("Policy reloaded: ")
    assert "\nContents: trust directory " in ask(argus, "PDP", "/reload", PDP).text
    assert "admin_password" not in argus.read("access.log") + argus.read("process.log")


@pytest.mark.parametrize("port", ["PEP", "PDP"])
def test_service_ports_answer_what_they_have_no_use_for_as_jetty_does(shared_grid: "Grid", port: str) -> None:
    argus = next(iter(shared_grid.started), None) or shared_grid.serve()
    expected = {
        ("HEAD", "/status"): 200,
        ("POST", "/status"): 405,
        ("GET", "/authz"): 405,
        ("PUT", "/authz"): 405,
        ("PATCH", "/authz"): 501,
        ("POST", "/authz/"): 405,
        ("GET", "/"): 404,
        ("POST", "/"): 405,
    }
    with shared_grid.https(shared_grid.site.host, argus.urls[port]) as client:
        answers = {case: client.request(*case) for case in expected}
    assert {case: answer.status_code for case, answer in answers.items()} == expected
    assert not {name for answer in answers.values() for name in answer.headers} & {"date", "server"}


@pytest.mark.parametrize(("port", "password"), [("PEP", PEPD), ("PDP", PDP)])
def test_a_shutdown_ends_as_by_sigterm(grid: "Grid", port: str, password: dict[str, str]) -> None:
    argus = grid.serve()
    stopped = ask(argus, port, "/shutdown", password)
    assert (stopped.status_code, stopped.content) == (200, b"")
    assert argus.exit_code() == 0
    assert "Service shutting down" in argus.read("process.log")


def test_at_sighup_everything_is_looked_at_now(grid: "Grid") -> None:
    argus = grid.serve()
    grid.load_policy(argus)
    pilot = grid.pilot("Alice Pilot")
    account = grid.ask(argus, pilot).account
    map_file = grid.site.root / "grid-security" / "grid-mapfile"
    good = map_file.read_text()
    map_file.write_text("no quotes\n")
    argus.hang_up()
    grid.eventually(lambda: "the key is not in double quotes" in grid.status(argus, "PEP").get("LastError", ""))
    assert grid.ask(argus, pilot).account == account
    map_file.write_text(good)
    argus.hang_up()
    grid.eventually(lambda: "LastError" not in grid.status(argus, "PEP"))


class Control:
    """pepdctl for the daemon of a site, with files of its own."""

    def __init__(self, grid: "Grid") -> None:
        with socket.create_server(("localhost", 0)) as unused:
            self._port = unused.getsockname()[1]
        self.configuration = grid.configure("pepd/pepd.ini", "adminPort = 0", f"adminPort = {self._port}")
        self.logs = grid.site.root / "log"
        self.pid_file = grid.site.root / "pepd.pid"
        self._grid = grid

    def __call__(self, word: str) -> "Done":
        program = "import sys; from argus_py.cli.ctl import pepdctl; sys.exit(pepdctl())"
        environment = {
            **os.environ,
            "PEPD_CONF": str(self.configuration),
            "PEPD_LOGDIR": str(self.logs),
            "PEPD_PID": str(self.pid_file),
        }
        command = [sys.executable, "-c", program, word]
        with (self._grid.site.root / "stderr").open("w+") as err:  # the daemon keeps it, so it must not be waited for
            done = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, stderr=err, text=True, check=False, timeout=30
            )
            err.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, done.stdout, err.read())


@pytest.fixture
def pepdctl(grid: "Grid") -> Iterator[Control]:
    control = Control(grid)
    yield control
    with suppress(OSError, ValueError):
        os.kill(int(control.pid_file.read_text()), signal.SIGKILL)


def log(control: Control) -> str:
    return (control.logs / "process.log").read_text()


def test_a_daemon_is_started_asked_and_stopped(pepdctl: Control) -> None:
    started = pepdctl("start")
    assert (started.returncode, started.stdout, started.stderr) == (0, "", "")
    assert f"Argus PEP Server version {__version__} started\n" in log(pepdctl)
    assert Path(f"/proc/{pepdctl.pid_file.read_text().strip()}").exists()

    assert pepdctl("status").stdout.startswith("Status: OK\nService: Argus PEP Server\n")
    assert pepdctl("clearResponseCache").returncode == 0
    assert "\nContents: trust directory " in pepdctl("reload").stdout

    again = pepdctl("start")
    assert again.returncode == 1
    assert "cannot listen on localhost port " in again.stderr

    assert pepdctl("stop").returncode == 0
    assert not pepdctl.pid_file.exists()
    gone = pepdctl("status")
    assert gone.returncode == 2
    assert gone.stderr.endswith(", perhaps the service is not running\n")


def test_a_start_that_fails_says_why(pepdctl: Control) -> None:
    pepdctl.configuration.write_text("[SERVICE]\n")
    failed = pepdctl("start")
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"argus: Error parsing configuration file {pepdctl.configuration}\n")
    assert not pepdctl.pid_file.exists()


def test_a_daemon_without_its_pid_file_is_not_left_running(pepdctl: Control) -> None:
    pepdctl.pid_file.mkdir()
    failed = pepdctl("start")
    assert failed.returncode == 1
    assert "Is a directory" in failed.stderr
    assert pepdctl("status").returncode == 2
