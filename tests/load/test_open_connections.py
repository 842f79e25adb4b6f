"""Ten thousand clients who stay: each is served when he asks, and until then costs memory alone."""

import os
import resource
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GRID = HERE.parent / "vectors" / "credentials" / "grid"
CONNECTIONS = 10_000
FILES = CONNECTIONS + 500
PATIENCE = 60.0  # seconds; the machine may be busy
REQUEST = b"POST /authz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000\r\n\r\n" + b"x" * 8000
ANSWER = b"\r\n\r\nhello"

Connect = Callable[[], socket.socket]


@dataclass(frozen=True, slots=True)
class Process:
    """Of ``open_port.py``."""

    pid: int
    ports: dict[str, int]

    def connections(self) -> int:
        """And some descriptors of its own, always the same."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def kib(self) -> int:
        """Resident memory."""
        return self._status("VmRSS:")

    def wake_ups(self) -> int:
        """How often its main thread, with the event loop, has gone to sleep so far."""
        return self._status("voluntary_ctxt_switches:")

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= FILES, f"this needs a limit of {FILES} open files, not {hard}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FILES), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def process(many_files: None) -> Iterator[Process]:
    host = GRID / "hosts" / "localhost"
    files = map(str, (host.with_suffix(".pem"), host.with_suffix(".key"), GRID / "certificates"))
    with subprocess.Popen(
        [sys.executable, str(HERE / "open_port.py"), *files], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        told = [running.stdout.readline().split() for _ in range(2)]
        yield Process(running.pid, {name: int(url.rpartition(":")[2]) for name, url in told})
        running.kill()


@pytest.fixture
def in_clear(process: Process) -> Connect:
    return lambda: socket.create_connection(("127.0.0.1", process.ports["CLEAR"]), PATIENCE)


@pytest.fixture
def with_tls(process: Process) -> Connect:
    context = ssl.create_default_context(cafile=str(GRID / "ca" / "argus-test-ca.pem"))
    context.load_cert_chain(GRID / "users" / "alice.pem", GRID / "users" / "alice.key")

    def connect() -> ssl.SSLSocket:
        raw = socket.create_connection(("127.0.0.1", process.ports["TLS"]), PATIENCE)
        return context.wrap_socket(raw, server_hostname="localhost")

    return connect


def ask(connection: socket.socket) -> None:
    connection.sendall(REQUEST)
    answer = b""
    while not answer.endswith(ANSWER):
        received = connection.recv(4096)
        assert received, "closed instead of answered"
        answer += received
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(("connect", "kib"), [("in_clear", 16), ("with_tls", 64)])
def test_ten_thousand_clients_may_stay(
    process: Process, connect: str, kib: int, request: pytest.FixtureRequest
) -> None:
    connect_one: Connect = request.getfixturevalue(connect)
    others, before = process.connections(), process.kib()
    with ExitStack() as stack:
        connections = [stack.enter_context(connect_one()) for _ in range(CONNECTIONS)]
        for connection in connections:
            ask(connection)
        assert process.connections() - others == CONNECTIONS
        assert (process.kib() - before) / CONNECTIONS < kib
        woken = process.wake_ups()
        time.sleep(1)
        assert process.wake_ups() - woken <= 1  # one may have been under way
        for connection in connections:
            ask(connection)
    give_up = time.monotonic() + PATIENCE
    while process.connections() > others:
        assert time.monotonic() < give_up, "connections are kept that clients have closed"
        time.sleep(0.05)
