"""One service port in a process of its own, and clients with the credentials of the recorded grid."""

import json
import select
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import pytest

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
GRID = VECTORS / "credentials" / "grid"
PATIENCE = 30.0  # seconds; what is waited for takes far less


def key_of(credential: str) -> Path:
    """The key beside the certificate, or in the same file."""
    file = GRID / credential
    beside = (file.with_suffix(".key"), VECTORS / "tls" / f"{file.stem}.key")
    return next((key for key in beside if key.exists()), file)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def caller(self) -> Any:
        """Who asked, as the application saw it."""
        return json.loads(self.text)["caller"]

    @property
    def served(self) -> int:
        """How many requests the application has seen so far."""
        count: int = json.loads(self.text)["served"]
        return count


class Connection:
    """Sends octets, reads HTTP answers."""

    def __init__(self, tls: ssl.SSLSocket) -> None:
        self.tls = tls
        self._stream = tls.makefile("rb")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stream.close()
        self.tls.close()

    def send(self, head: str, body: bytes = b"") -> None:
        """``head``: lines of the request without the last, empty one."""
        lines = [*head.splitlines(), "Host: localhost", "", ""]
        self.tls.sendall("\r\n".join(lines).encode() + body)

    def answer(self) -> Answer:
        """Raises EOFError: the connection was closed instead."""
        status_line = self._stream.readline()
        if not status_line:
            raise EOFError
        headers = {}
        while (line := self._stream.readline().rstrip()) != b"":
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        text = self._stream.read(int(headers.get("content-length", 0))).decode()
        return Answer(int(status_line.split()[1]), headers, text)

    @property
    def is_answered(self) -> bool:
        """Whether the first octets of an answer are there. To be asked before any of it is read."""
        return self.tls.pending() > 0 or bool(select.select([self.tls], [], [], 0)[0])

    def ask(self, head: str = "GET /authz HTTP/1.1", body: bytes = b"") -> Answer:
        self.send(head, body)
        return self.answer()

    def is_closed(self) -> bool:
        """Waits for the end; false if there is another octet before it."""
        try:
            return self._stream.read(1) == b""
        except ConnectionResetError:
            return True


class ServedPort:
    """The process; ``stop`` sends SIGTERM."""

    def __init__(self, settings: dict[str, Any], log: Path) -> None:
        self._log = log
        with log.open("wb") as err:
            command = [sys.executable, str(Path(__file__).parent / "program.py"), json.dumps(settings)]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True)
        assert self.process.stdout is not None
        url = self.process.stdout.readline()
        self.number = int(url.rpartition(":")[2]) if url else 0

    @property
    def log(self) -> str:
        return self._log.read_text()

    def connect(
        self,
        credential: str | None = "users/alice.pem",
        version: ssl.TLSVersion | None = None,
        name: str = "localhost",
        ciphers: str = "DEFAULT",
        source: str = "127.0.0.1",
    ) -> Connection:
        """``name`` as an address means that no name is sent in the handshake; ``source`` is where we come from."""
        return self._connect(client(credential, version, ciphers), name, source=source)

    def connect_in_clear(self, source: str = "127.0.0.1") -> socket.socket:
        """For what is no TLS."""
        return socket.create_connection(("127.0.0.1", self.number), PATIENCE, (source, 0))

    def resume(self, connection: Connection) -> Connection:
        """A second connection that resumes the TLS session of the first one."""
        return self._connect(connection.tls.context, "localhost", connection.tls.session)

    def _connect(
        self, context: ssl.SSLContext, name: str, session: ssl.SSLSession | None = None, source: str = "127.0.0.1"
    ) -> Connection:
        raw = self.connect_in_clear(source)
        try:
            return Connection(context.wrap_socket(raw, server_hostname=name, session=session))
        except OSError:
            raw.close()
            raise

    def ask(
        self,
        credential: str | None = "users/alice.pem",
        version: ssl.TLSVersion | None = None,
        ciphers: str = "DEFAULT",
    ) -> Answer:
        with self.connect(credential, version, ciphers=ciphers) as connection:
            return connection.ask()

    def terminate(self) -> None:
        self.process.terminate()

    def exit_code(self) -> int:
        """Of a process that ends by itself."""
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def client(credential: str | None, version: ssl.TLSVersion | None = None, ciphers: str = "DEFAULT") -> ssl.SSLContext:
    """One that trusts the CA of the recorded hosts; of one version if it is given."""
    context = ssl.create_default_context(cafile=str(GRID / "ca" / "argus-test-ca.pem"))
    context.set_ciphers(ciphers)
    if version:
        context.minimum_version = context.maximum_version = version
    if credential:
        context.load_cert_chain(GRID / credential, key_of(credential))
    return context


class TrustDirectory:
    """A copy of the recorded one, from which files can be missing for a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        shutil.copytree(GRID / "certificates", path)

    def remove(self, *patterns: str) -> None:
        for pattern in patterns:
            for file in list(self.path.glob(pattern)):
                file.unlink()

    def add(self, *patterns: str) -> None:
        for pattern in patterns:
            for file in (GRID / "certificates").glob(pattern):
                shutil.copy(file, self.path)


class Serve(Protocol):
    """Settings of ``program.py`` that are not as usual."""

    def __call__(self, **changed: Any) -> ServedPort: ...


@contextmanager
def starting(folder: Path) -> Iterator[Serve]:
    started: list[ServedPort] = []

    def serve(**changed: Any) -> ServedPort:
        settings = {
            "trust": str(GRID / "certificates"),
            "certificate": str(GRID / "hosts" / "localhost.pem"),
            "key": str(GRID / "hosts" / "localhost.key"),
            "require": True,
            "judging": True,
            "protocols": ["TLSv1.2", "TLSv1.3"],
            "host": "127.0.0.1",
            "port": 0,
            "idle": 30,
            "drain": 10,
            "working": 200,
            "waiting": 500,
            "look": 0.02,  # seconds between looks at certificates
            "files": None,  # file descriptors that the process may have, and may ask for; None: those we have
        }
        started.append(ServedPort(settings | changed, folder / f"{len(started)}.log"))
        return started[-1]

    yield serve
    for each in started:
        each.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with starting(tmp_path) as serve:
        yield serve


@pytest.fixture
def trust(tmp_path: Path) -> TrustDirectory:
    return TrustDirectory(tmp_path / "certificates")


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Waits until something is true."""

    def wait(check: Callable[[], bool]) -> None:
        give_up = time.monotonic() + PATIENCE
        while not check():
            assert time.monotonic() < give_up, f"not within {PATIENCE} seconds"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPort]:
    """One with the usual settings, for all tests of a module."""
    with starting(tmp_path_factory.mktemp("port")) as serve:
        yield serve()


@pytest.fixture(scope="module")
def unjudging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPort]:
    """One where OpenSSL decides in the handshake."""
    with starting(tmp_path_factory.mktemp("unjudging")) as serve:
        yield serve(judging=False)
