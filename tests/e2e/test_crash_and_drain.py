"""The ends of a service: asked to stop, it answers who is being served; killed, it has kept what it promised."""

import http.client
import itertools
import random
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from argus_py.clients.pap_rest import PapUnreachable
from argus_py.clients.pep import PepUnreachable
from argus_py.hessian import base64_lines, messages

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus, Grid

KILLS = 3
NEW_PILOTS = 5  # per kill


def test_a_request_in_progress_is_answered_after_sigterm(grid: "Grid") -> None:
    argus = grid.serve()
    grid.load_policy(argus)
    body = grid.body(grid.pilot("Alice Pilot"))
    port = urlsplit(argus.urls["PEP"]).port
    tls = grid.tls(grid.site.host)
    idle = http.client.HTTPSConnection("localhost", port, context=tls)
    idle.request("GET", "/status")
    assert idle.getresponse().read().startswith(b"Status: OK\n")
    busy = http.client.HTTPSConnection("localhost", port, context=tls, timeout=30)
    busy.putrequest("POST", "/authz")
    busy.putheader("Content-Length", str(len(body)))
    busy.endheaders(body[:100])

    argus.terminate()
    grid.eventually(lambda: refuses_connections(port))
    busy.send(body[100:])
    answer = busy.getresponse()
    response = messages.read_response(base64_lines.decode(answer.read()))
    assert (answer.status, response.results[0].decision.value) == (200, "Permit")
    assert argus.exit_code() == 0
    idle.close()
    busy.close()


def refuses_connections(port: int | None) -> bool:
    try:
        socket.create_connection(("localhost", port)).close()
    except ConnectionRefusedError:
        return True
    return False


@dataclass
class Promised:
    """What the service said it has done: resources in the order they were added, the account of each chain."""

    resources: list[str] = field(default_factory=list)
    accounts: dict[str, str] = field(default_factory=dict)

    def exceeds(self, resources: int, accounts: int) -> bool:
        return len(self.resources) > resources and len(self.accounts) > accounts


# Killed between the TCP connection and the handshake: the ssl module of Python 3.11 then leaves the socket unclosed.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_sigkill_at_any_moment_loses_no_policy_and_no_lease(grid: "Grid") -> None:
    rng = random.Random(8154)
    for number in range(4, KILLS * NEW_PILOTS + 1):
        (grid.site.gridmapdir / f"dtplt{number:03d}").touch()
    argus = grid.serve()
    grid.load_policy(argus)
    promised, names = Promised(), (f"resource-{number}" for number in itertools.count())
    for kill in range(KILLS):
        newcomers = [grid.pilot(f"Pilot {kill}-{number}") for number in range(NEW_PILOTS)]
        with ThreadPoolExecutor(NEW_PILOTS + 1) as clients:
            progress = partial(promised.exceeds, len(promised.resources), len(promised.accounts))
            tasks = [clients.submit(ask_until_the_end, grid, argus, pilot, promised) for pilot in newcomers]
            tasks.append(clients.submit(add_resources_until_the_end, grid, argus, names, promised))
            grid.eventually(progress)
            time.sleep(rng.uniform(0, 0.3))
            argus.kill()
        for task in tasks:
            task.result()

        argus = grid.serve()
        assert {pilot: grid.ask(argus, pilot).account for pilot in promised.accounts} == promised.accounts
        assert len(set(promised.accounts.values())) == len(promised.accounts)
        listed = [line.split('"')[1] for line in grid.policies(argus).splitlines() if '"resource-' in line]
        assert [name for name in listed if name in set(promised.resources)] == promised.resources
        assert len(listed) <= len(promised.resources) + kill + 1  # of each killed process one may have been unanswered
    assert argus.stop() == 0
    check_leases(grid)
    with closing(sqlite3.connect(grid.site.root / "repository" / "policies.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def ask_until_the_end(grid: "Grid", argus: "Argus", pilot: str, promised: Promised) -> None:
    while True:
        try:
            answer = grid.ask(argus, pilot)
        except PepUnreachable:
            return
        assert answer.account is not None, answer
        assert promised.accounts.setdefault(pilot, answer.account) == answer.account


def add_resources_until_the_end(grid: "Grid", argus: "Argus", names: Iterator[str], promised: Promised) -> None:
    with grid.pap(argus) as pap:
        for name in names:
            try:
                pap.add_policies("default", f'resource "{name}" {{ action "x" {{ rule deny {{ vo="y" }} }} }}', {})
            except PapUnreachable:
                return
            promised.resources.append(name)


def check_leases(grid: "Grid") -> None:
    """Each belongs to one account, and each account to one lease at most."""
    links = {path.name: path.stat() for path in grid.site.gridmapdir.iterdir()}
    accounts = {status.st_ino for name, status in links.items() if not name.startswith("%")}
    for name, status in links.items():
        if name.startswith("%"):
            assert status.st_ino in accounts
            assert status.st_nlink == 2
        else:
            assert status.st_nlink <= 2
