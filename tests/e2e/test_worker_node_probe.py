"""``argus-probe-wn`` against running daemons, in the states that it is there to find."""

import os
import re
import shutil
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from argus_py.cli import probe_wn
from argus_py.cli.probe_wn import State, World
from argus_py.cli.site.clock import KernelClock
from argus_py.client import Certificates

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus, Grid

CE = "http://example.org/ce"
POLICY = f"""\
resource "{CE}" {{
    obligation "http://glite.org/xacml/obligation/local-environment-map" {{ }}
    action ".*" {{ rule permit {{ vo="dteam" }} }}
}}
"""
RIGHT = KernelClock(True, timedelta(milliseconds=3))


@pytest.fixture(scope="module")
def argus(shared_grid: "Grid", tmp_path_factory: pytest.TempPathFactory) -> "Argus":
    """One that the VO of the tour takes the place of ops at."""
    argus = shared_grid.serve()
    shared_grid.load_policy(argus)
    policy = tmp_path_factory.mktemp("policy") / "ce.spl"
    policy.write_text(POLICY)
    assert shared_grid.pap_admin(argus, "add-policies-from-file", str(policy)).returncode == 0
    return argus


class Node:
    """A worker node of the site, and a pilot job on it."""

    def __init__(self, grid: "Grid", argus: "Argus", capsys: pytest.CaptureFixture[str]) -> None:
        self.grid = grid
        self.proxy = grid.site.add_pilot("Olga Ops")
        self.account = str(grid.ask(argus, Certificates.from_file(self.proxy).pem).account)
        self._urls = [f"{argus.urls['PEP']}/authz"]
        self._capsys = capsys

    def probe(
        self,
        *arguments: str | Path,
        user: str | None = None,
        clock: KernelClock | None = RIGHT,
        now: datetime | None = None,
        urls: list[str] | None = None,
    ) -> tuple[State, str]:
        world = World(
            {"X509_USER_PROXY": str(self.proxy), "GLEXEC_CLIENT_CERT": "/elsewhere", "PATH": os.environ["PATH"]},
            user or self.account,
            os.getuid(),
            now=lambda: now or datetime.now(UTC),
            clock=lambda: clock,
        )
        site = self.grid.site
        where = [each for url in urls or self._urls for each in ("-p", url)]
        fixed = ["--fqan", "/dteam/Role=pilot", "--capath", site.certificates, "--vomsdir", site.vomsdir]
        code = probe_wn.main([*map(str, (*where, *fixed, *arguments))], world)
        return State(code), self._capsys.readouterr().out


@pytest.fixture
def node(shared_grid: "Grid", argus: "Argus", capsys: pytest.CaptureFixture[str]) -> Node:
    return Node(shared_grid, argus, capsys)


FIGURE = re.compile(r"(\w+)=[\d.]+s;[\d.:]*;[\d.:]*")


def test_a_node_in_order_is_ok_with_figures_for_everything(node: Node) -> None:
    state, output = node.probe("--ce-resource", CE)
    first, *others = output.splitlines()
    text, _, figures = first.partition(" | ")
    assert (state, text) == (State.OK, f"WN OK - pilot and payload are the same account, {node.account}")
    assert FIGURE.findall(figures) == ["proxy_left", "crl_left", "clock_error", "wn", "ce"]
    assert [line.split(":")[0] for line in others] == ["OK"] * 7


def test_an_endpoint_that_is_down_is_a_warning_and_all_of_them_critical(node: Node, argus: "Argus") -> None:
    down, alive = "https://localhost:9/authz", f"{argus.urls['PEP']}/authz"
    state, output = node.probe(urls=[down, alive])
    assert (state, "only after: https://localhost:9/authz: " in output) == (State.WARNING, True)
    state, output = node.probe(urls=[down, down])
    assert state is State.CRITICAL
    assert output.startswith("WN CRITICAL - wn: no answer of Argus: https://localhost:9/authz: ")


def test_a_change_of_identity_is_critical(node: Node) -> None:
    state, output = node.probe(user="somebody")
    assert state is State.CRITICAL
    assert f"the payload would run as {node.account}, and the pilot runs as somebody" in output
    assert node.probe("--account", "ANY", user="nagios")[0] is State.OK


def test_a_refusal_is_critical_and_says_why(node: Node) -> None:
    state, output = node.probe("--resource", "http://example.org/unknown")
    assert (state, "wn: Argus answers NotApplicable" in output) == (State.CRITICAL, True)
    state, output = node.probe("--ce-resource", "http://example.org/unknown")
    assert (state, "ce: Argus answers NotApplicable" in output) == (State.CRITICAL, True)


@pytest.mark.parametrize(
    ("clock", "state"),
    [
        (None, State.WARNING),
        (KernelClock(False, timedelta(0)), State.WARNING),
        (KernelClock(True, timedelta(minutes=1)), State.WARNING),
        (RIGHT, State.OK),
    ],
)
def test_a_clock_that_nobody_keeps_right_is_a_warning(node: Node, clock: KernelClock | None, state: State) -> None:
    assert node.probe(clock=clock)[0] is state


def test_the_proxy_is_judged_here_first(node: Node, tmp_path: Path) -> None:
    other = node.grid.site.add_pilot("Otto Other")
    assert node.probe("-x", other, "--fqan", "/ops/Role=pilot", "--account", "ANY")[0] is State.UNKNOWN
    assert node.probe("-x", tmp_path / "none")[0] is State.UNKNOWN
    later = datetime.now(UTC) + timedelta(hours=11, minutes=30)
    state, output = node.probe(now=later)
    assert (state, "is good for 0.5 h" in output) == (State.WARNING, True)
    readable = tmp_path / "proxy"
    readable.write_bytes(node.proxy.read_bytes())
    readable.chmod(stat.S_IRUSR | stat.S_IRGRP)
    state, output = node.probe("-x", readable)
    assert (state, "takes no proxy that others own or may read" in output) == (State.CRITICAL, True)


def test_an_expired_proxy_is_the_fault_of_the_probe(node: Node) -> None:
    state, output = node.probe(now=datetime.now(UTC) + timedelta(days=2), urls=["https://localhost:9/authz"])
    assert "UNKNOWN: the proxy of this probe is no good: " in output
    assert state is State.CRITICAL  # Argus does not answer


def test_a_host_that_does_not_know_the_voms_server_is_critical(node: Node, tmp_path: Path) -> None:
    state, output = node.probe("--vomsdir", tmp_path)
    assert (state, "CRITICAL: this host does not accept" in output) == (State.CRITICAL, True)


def test_outdated_revocation_lists_are_critical_and_missing_ones_a_warning(node: Node, tmp_path: Path) -> None:
    state, output = node.probe(now=datetime.now(UTC) + timedelta(days=31))
    assert (state, "outdated CRL of " in output) == (State.CRITICAL, True)
    trusted = Path(shutil.copytree(node.grid.site.certificates, tmp_path / "certificates"))
    for file in trusted.glob("*.r0"):
        file.unlink()
    state, output = node.probe("--capath", trusted)
    assert (state, "there is no CRL here" in output) == (State.WARNING, True)


@pytest.mark.parametrize(
    ("script", "state", "text"),
    [
        ('test "$GLEXEC_CLIENT_CERT" = "$X509_USER_PROXY" && exec {echo}', State.OK, "gLExec ran the payload as"),
        ("echo root", State.CRITICAL, "gLExec ran the payload as root, not as"),
        ("echo 'banned: | go away' >&2; exit 203", State.CRITICAL, "gLExec ended with 203: banned: / go away"),
        ("exit 202", State.CRITICAL, "gLExec ended with 202: it says nothing"),
    ],
)
def test_glexec_is_run_with_the_proxy_as_its_payload(
    node: Node, tmp_path: Path, script: str, state: State, text: str
) -> None:
    glexec = tmp_path / "glexec"
    glexec.write_text(f"#!/bin/sh\n{script.format(echo=f'echo {node.account}')}\n")
    glexec.chmod(0o755)
    found, output = node.probe("--glexec", glexec)
    assert (found, text in output) == (state, True)
    assert node.probe("--glexec", tmp_path / "none")[0] is State.CRITICAL


def test_a_glexec_that_does_not_end_is_not_waited_for(node: Node, tmp_path: Path) -> None:
    glexec = tmp_path / "glexec"
    glexec.write_text("#!/bin/sh\nsleep 10 &\nwait\n")
    glexec.chmod(0o755)
    state, output = node.probe("--glexec", glexec, "-t", "1.5")
    assert (state, "timed out after 3.0 seconds" in output) == (State.CRITICAL, True)


@pytest.mark.parametrize(
    "arguments",
    [(), ("-p",), ("-p", "x", "--fqan", "ops"), ("-p", "x", "-t", "0"), ("-p", "x", "-w", "nan"), ("--no",)],
)
def test_wrong_usage_is_unknown(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert probe_wn.main(arguments, World({}, "ops001", 1)) == State.UNKNOWN
    assert capsys.readouterr().out.startswith("WN UNKNOWN - ")


def test_it_runs_as_a_program(node: Node, argus: "Argus") -> None:
    site = node.grid.site
    options = ["--fqan", "/dteam/Role=pilot", "--capath", str(site.certificates), "--vomsdir", str(site.vomsdir)]
    url = f"{argus.urls['PEP']}/authz"
    command = [sys.executable, "-m", "argus_py.cli.probe_wn", "-p", url, "-x", str(node.proxy), "--account", "ANY"]
    done = node.grid.run([*command, *options])
    assert done.returncode in (State.OK, State.WARNING)  # the clock of this machine may be nobody's
    assert done.stdout.startswith("WN ")
