"""A throw-away site for each test, real ``argus`` processes on it, and those who ask them."""

import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from argus_py.clients.pap_rest import BASE_PATH, PapRest
from argus_py.clients.pep import HttpPep, PepTls
from argus_py.hessian import base64_lines, messages
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import Response
from demo.site import ACTION, RESOURCE, make_site
from demo.tour import Commands

BIN = Path(sys.executable).parent
PATIENCE = 30.0  # seconds; what is waited for takes one or two on an idle machine
T = TypeVar("T")
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker node makes of a response."""

    decision: str
    account: str | None = None
    message: str | None = None

    @classmethod
    def of(cls, response: Response) -> "Answer":
        (result,) = response.results
        assignments = [each for obligation in result.obligations for each in obligation.assignments]
        accounts = [each.value for each in assignments if each.attribute_id == Glite.USER_ID]
        return cls(result.decision.value, accounts[0] if accounts else None, result.status.message)


def question(key_info: str) -> Request:
    subject = Subject((Attribute(AttributeId.KEY_INFO, (key_info,)),))
    resource = Resource((Attribute(AttributeId.RESOURCE_ID, (RESOURCE,)),))
    action = Action((Attribute(AttributeId.ACTION_ID, (ACTION,)),))
    profile = Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,), DataType.ANY_URI)
    return Request((subject,), (resource,), action, Environment((profile,)))


def eventually(check: Callable[[], T]) -> T:
    """The first true answer; fails if there is none in time."""
    give_up = time.monotonic() + PATIENCE
    while not (answer := check()):
        assert time.monotonic() < give_up, f"not within {PATIENCE} seconds"
        time.sleep(0.02)
    return answer


class Argus:
    """One ``argus`` process; standard output, standard error and logs go to ``folder``."""

    def __init__(self, arguments: tuple[str | Path, ...], ports: int, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._ports = ports
        self.folder = folder
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            command = [BIN / "argus", *arguments, "--log-dir", folder]
            self._process = subprocess.Popen(command, stdout=out, stderr=err)

    @cached_property
    def urls(self) -> dict[str, str]:
        """Where each port is reached, as soon as all of them answer."""

        def ready() -> bool:
            assert self._process.poll() is None, self.read("stderr")
            return self.read("stdout").count("\n") >= self._ports

        eventually(ready)
        lines = self.read("stdout").replace("0.0.0.0", "localhost").splitlines()
        return dict(line.split() for line in lines)

    def read(self, name: str) -> str:
        """What one of the files in its folder holds by now."""
        return (self.folder / name).read_text()

    def terminate(self) -> None:
        self._process.terminate()

    def hang_up(self) -> None:
        """SIGHUP: it is to look at everything again."""
        self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """SIGKILL: nothing in the process can prepare for it."""
        self._process.kill()
        self._process.wait()

    def exit_code(self) -> int:
        """Of a process that ends by itself."""
        return self._process.wait(PATIENCE)

    def stop(self) -> int:
        self.terminate()
        return self.exit_code()


class WorkerNode:
    """One connection to a PEP."""

    def __init__(self, pep: HttpPep) -> None:
        self._pep = pep

    def ask(self, key_info: str) -> Answer:
        """May the owner of this chain run a job?"""
        return Answer.of(self._pep.authorize(question(key_info)))


class Line:
    """A port that hands everything on to another one, until it is cut."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("localhost", 0))
        self.port: int = self._listener.getsockname()[1]
        self._serve()

    def cut(self) -> None:
        for each in (self._listener, *self._sockets):
            with suppress(OSError):  # the other side has gone
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._sockets.clear()

    def mend(self) -> None:
        self._listener = socket.create_server(("localhost", self.port))
        self._serve()

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # cut
            while True:
                here, _ = listener.accept()
                try:
                    there = socket.create_connection(("localhost", self._to))
                except ConnectionRefusedError:
                    here.close()
                    continue
                self._sockets += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=hand_on, args=(one, other), daemon=True).start()


def hand_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):  # cut
        while octets := one.recv(1 << 16):
            other.sendall(octets)
        other.shutdown(socket.SHUT_WR)


class Grid:
    """A site, and the ways to reach what runs there; ``started`` are its processes."""

    policy = Path(__file__).resolve().parents[2] / "policies" / "worker-node.spl"

    def __init__(self, folder: Path) -> None:
        self.site = make_site(folder / "site")
        self.started: list[Argus] = []
        self.lines: list[Line] = []
        self.eventually = eventually
        self._folder = folder

    def serve(self) -> Argus:
        """All daemons in one process; several may run at once, the system chooses their ports."""
        return self.start("serve", "--config-dir", self.site.configuration, ports=3)

    def start(self, *arguments: str | Path, ports: int = 1) -> Argus:
        argus = Argus(arguments, ports, self._folder / "processes" / str(len(self.started)))
        self.started.append(argus)
        return argus

    def free_port(self) -> int:
        """For a daemon that is started again on the same port."""
        with socket.create_server(("localhost", 0)) as server:
            port: int = server.getsockname()[1]
            return port

    def line_to(self, port: int) -> Line:
        line = Line(port)
        self.lines.append(line)
        return line

    def configure(self, file: str, old: str, new: str) -> Path:
        """Put ``new`` in the place of ``old`` in an ini file below the configuration folder."""
        path = self.site.configuration / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return path

    def pilot(self, common_name: str) -> str:
        """The chain of a new pilot's proxy in PEM, as a worker node sends it."""
        return self.site.pilot(common_name).certificate_pem().decode()

    @contextmanager
    def worker_node(self, argus: Argus) -> Iterator[WorkerNode]:
        """One that shows the certificate of the host."""
        certificate, key = self.site.host
        with HttpPep(f"{argus.urls['PEP']}/authz", PepTls(None, self.site.certificates, certificate, key)) as pep:
            yield WorkerNode(pep)

    def ask(self, argus: Argus, key_info: str) -> Answer:
        """Over a new connection."""
        with self.worker_node(argus) as node:
            return node.ask(key_info)

    def body(self, key_info: str) -> bytes:
        """The octets of such a question."""
        return base64_lines.encode(messages.write_request(question(key_info)))

    def status(self, argus: Argus, port: str, path: str = "/status") -> dict[str, str]:
        """The lines of a status page."""
        with self.https(self.site.host) as client:
            page = client.get(f"{argus.urls[port]}{path}").raise_for_status().text
        return dict(line.split(": ", 1) for line in page.splitlines())

    @contextmanager
    def pap(self, argus: Argus) -> Iterator[PapRest]:
        """The interface behind pap-admin, for the administrator."""
        with self.https(self.site.admin, argus.urls["PAP"] + BASE_PATH) as client:
            yield PapRest(client)

    def load_policy(self, argus: Argus) -> None:
        """That of the tour: pilots of the VO may run on worker nodes."""
        with self.pap(argus) as pap:
            pap.add_policies("default", self.policy.read_text(), {})

    def policies(self, argus: Argus) -> str:
        """The listing of all, with their ids."""
        with self.pap(argus) as pap:
            return pap.listing(None, {"ids": "rules"})

    def pap_admin(self, argus: Argus, *arguments: str) -> Done:
        return self.run(Commands(self.site, argus.urls).pap_admin(*arguments))

    def run(self, command: Sequence[str]) -> Done:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)

    @contextmanager
    def https(self, credential: tuple[Path, Path], base_url: str = "") -> Iterator[httpx.Client]:
        """``credential``: certificate and key."""
        with httpx.Client(base_url=base_url, verify=self.tls(credential), trust_env=False) as client:
            yield client

    def tls(self, credential: tuple[Path, Path]) -> ssl.SSLContext:
        context = ssl.create_default_context(capath=str(self.site.certificates))
        context.load_cert_chain(*credential)
        return context


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[Grid]:
    with grid_in(tmp_path) as grid:
        yield grid


@pytest.fixture(scope="module")
def shared_grid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    """For tests that leave it as they found it."""
    with grid_in(tmp_path_factory.mktemp("grid")) as grid:
        yield grid


@contextmanager
def grid_in(folder: Path) -> Iterator[Grid]:
    """Its processes end with it, and none of them has met an error of its own."""
    grid = Grid(folder)
    try:
        yield grid
    finally:
        for argus in grid.started:
            argus.kill()
        for line in grid.lines:
            line.cut()
    logs = [log for argus in grid.started for log in argus.folder.iterdir()]
    assert [log for log in logs if "Traceback" in log.read_text()] == []
