"""How long a ban takes from the PAP to a refusal by the PEP: three daemons as processes, whose caches hold the Permit.

The clock runs from before the call that ``pap-admin ban`` makes, with its commit to disk, to the end of the first
answer that is a Deny, on a connection that is kept. All bans are of one pilot, lifted in between. Then the same right
after each of the daemons was killed and started again, and among ten thousand other bans.
"""

import os
import signal
import socket
import ssl
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from argus_py.clients.pap_rest import BASE_PATH, PapRest
from argus_py.clients.pep import HttpPep, PepTls
from argus_py.hessian import base64_lines, messages
from argus_py.model.request import Request
from argus_py.model.response import Decision
from benchmarks.pilots import body
from benchmarks.policies import ACTION, GROUP, banned
from benchmarks.processes import Server, serving
from benchmarks.tables import Row, show
from demo.site import Site, make_site

_BIN = Path(sys.executable).parent
_HOST = "localhost"
_HOST_DN = "/DC=org/DC=argus-demo/CN=localhost"
_PILOT = "Alice Pilot"
_RESOURCE = "wn"
_POLICY = f'resource "{_RESOURCE}" {{ action "{ACTION}" {{ rule permit {{ fqan="{GROUP}" }} }} }}'
_BANS = 140
_BANS_AFTER = 20  # a restart
_BANS_AMONG = 60  # many
_MANY = 10_000
_MANY_BANS = "\n".join(
    [
        'resource ".*" { action ".*" {',
        *(f'rule deny {{ subject="{banned(number)}" }}' for number in range(_MANY)),
        "} }",
    ]
)
_AIM = 1000.0  # milliseconds
_PATIENCE = 20.0  # seconds
_URLS = {"pap": 1, "pdp": 2, "pepd": 2}
_FILES = {"pap": "pap/pap_configuration.ini", "pdp": "pdp/pdp.ini", "pepd": "pepd/pepd.ini"}


def main(root: Path) -> None:
    site = make_site(root)
    with _daemons(site) as daemons:
        banning = _Banning(site, daemons)
        milliseconds = {"in peace": banning.rounds(_BANS)}
        for name in _FILES:
            daemons.kill_and_start(name)
            milliseconds[f"after kill -9 of {name}"] = banning.rounds(_BANS_AFTER)
        banning.load(_MANY_BANS)
        banning.rounds(1)  # until this one has come through, the PDP may still be reading the others
        among = banning.rounds(_BANS_AMONG)
    rows = [Row("p50, all", statistics.median(_all(milliseconds)), _AIM), Row("p99, all", _p99(milliseconds), _AIM)]
    for when, times in milliseconds.items():
        rows += [Row(f"p50, {when}", statistics.median(times), _AIM), Row(f"longest, {when}", max(times), _AIM)]
    rows += [
        Row(f"p50, among {_MANY:,} bans", statistics.median(among), _AIM),
        Row(f"p99, among {_MANY:,} bans", _p99({"": among}), _AIM),
    ]
    show(f"From {len(_all(milliseconds))} bans to refusals, ms", "measured", "aim", rows)


def _all(milliseconds: dict[str, list[float]]) -> list[float]:
    return [each for times in milliseconds.values() for each in times]


def _p99(milliseconds: dict[str, list[float]]) -> float:
    return statistics.quantiles(_all(milliseconds), n=100)[98]


@dataclass
class _Daemons:
    site: Site
    processes: ExitStack
    servers: dict[str, Server] = field(default_factory=dict)

    def start(self, name: str) -> None:
        command = [str(_BIN / "argus"), name, str(self.site.configuration / _FILES[name])]
        logs = ["--log-dir", str(self.site.root / "log" / name)]
        self.servers[name] = self.processes.enter_context(serving([*command, *logs], urls=_URLS[name]))

    def kill_and_start(self, name: str) -> None:
        os.kill(self.servers[name].pid, signal.SIGKILL)
        os.waitid(os.P_PID, self.servers[name].pid, os.WEXITED | os.WNOWAIT)
        self.start(name)


@contextmanager
def _daemons(site: Site) -> Iterator[_Daemons]:
    ports = {name: _free_port() for name in _FILES}
    grant = f'"{_HOST_DN}" : POLICY_READ_LOCAL|POLICY_READ_REMOTE\n\n[fqan]'
    _configure(site, "pap/pap_authorization.ini", "[fqan]", grant)
    for name, file in _FILES.items():
        _configure(site, file, "\nport = 0", f"\nport = {ports[name]}")
    _configure(site, "pdp/pdp.ini", f"{_HOST}:8150", f"{_HOST}:{ports['pap']}")
    _configure(site, "pepd/pepd.ini", f"{_HOST}:8152", f"{_HOST}:{ports['pdp']}")
    with ExitStack() as processes:
        daemons = _Daemons(site, processes)
        for name in _FILES:
            daemons.start(name)
        yield daemons


def _configure(site: Site, file: str, old: str, new: str) -> None:
    path = site.configuration / file
    path.write_text(path.read_text().replace(old, new))


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port


class _Banning:
    """The administrator, and a worker node that a pilot runs on."""

    def __init__(self, site: Site, daemons: _Daemons) -> None:
        pem = site.pilot(_PILOT, (f"{GROUP}/Role=NULL/Capability=NULL",)).certificate_pem().decode()
        self._request = messages.read_request(base64_lines.decode(body(pem, _RESOURCE)))
        self._dn = f"/DC=org/DC=argus-demo/CN={_PILOT}"
        self._site = site
        self._daemons = daemons
        self.load(_POLICY)

    def load(self, text: str) -> None:
        with self._pap() as pap:
            pap.add_policies("default", text, {})

    def rounds(self, number: int) -> list[float]:
        """Milliseconds of each."""
        with self._pap() as pap, self._pep() as pep:
            return [self._round(pap, pep) for _ in range(number)]

    def _round(self, pap: PapRest, pep: HttpPep) -> float:
        rule = {"attribute": {"name": "subject", "value": self._dn}, "resource": ".*", "action": ".*"}
        for _ in range(2):  # the second answer comes from the cache
            _until(lambda: _decision(pep, self._request) is Decision.PERMIT)
        started = time.perf_counter()
        pap.ban("default", {**rule, "private": False})
        _until(lambda: _decision(pep, self._request) is Decision.DENY)
        taken = time.perf_counter() - started
        pap.unban("default", "subject", self._dn, ".*", ".*")
        return taken * 1e3

    @contextmanager
    def _pap(self) -> Iterator[PapRest]:
        url = self._daemons.servers["pap"].urls["PAP"].replace("0.0.0.0", _HOST) + BASE_PATH
        tls = ssl.create_default_context(capath=str(self._site.certificates))
        tls.load_cert_chain(*self._site.admin)
        with httpx.Client(base_url=url, verify=tls, trust_env=False) as client:
            yield PapRest(client)

    @contextmanager
    def _pep(self) -> Iterator[HttpPep]:
        tls = PepTls(None, self._site.certificates, *self._site.host)
        with HttpPep(f"{self._daemons.servers['pepd'].urls['PEP']}/authz", tls) as pep:
            yield pep


def _decision(pep: HttpPep, request: Request) -> Decision:
    return pep.authorize(request).results[0].decision


def _until(check: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _PATIENCE
    while not check():
        if time.monotonic() > give_up:
            raise RuntimeError("the change has not come through")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent / "var" / "benchmarks")
