"""The exchange of the JSON client with servers that misbehave, over real sockets of this machine."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from argus_py.client.answer import MAX_ANSWER
from argus_py.client.exchange import Deadlines, Endpoint, NoExchange, Reply, exchange

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
PATIENCE = 0.3  # seconds for an answer


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[Endpoint]:
    """Reads one request, then does as told."""

    def accept() -> None:
        connection, _ = listener.accept()
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            try:
                serve(connection)
            except OSError:
                return  # the client has seen enough

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        yield Endpoint.parse(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()


def ask(endpoint: Endpoint) -> Reply:
    now = time.monotonic()
    return exchange(endpoint, b"{}", None, Deadlines(now + PATIENCE, now + PATIENCE))


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 2\r\n\r\n{}",
        OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        OK + b"\r\n{}",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}",
    ],
)
def test_an_answer_is_read_however_it_is_framed(answer: bytes) -> None:
    with server(lambda connection: connection.sendall(answer)) as endpoint:
        assert ask(endpoint) == Reply(200, "application/json", b"{}")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x15\x03\x01\x00\x02\x02\x46",  # an alert of TLS
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        OK + b"X: " + b"y" * 100_000,
        OK + b"X: y\r\n" * 200 + b"\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    ],
)
def test_what_is_no_http_is_no_answer(answer: bytes) -> None:
    with server(lambda connection: connection.sendall(answer)) as endpoint, pytest.raises(NoExchange):
        ask(endpoint)


def test_an_endless_answer_is_cut() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(OK + b"\r\n")
        for _ in range(2 * MAX_ANSWER // 65536):
            connection.sendall(b"x" * 65536)

    with server(endless) as endpoint, pytest.raises(NoExchange, match=r"more than|in time"):
        ask(endpoint)


@pytest.mark.parametrize("begin", [b"", OK + b"\r\n"], ids=["in the head", "in the body"])
def test_an_answer_that_trickles_ends_at_the_deadline(begin: bytes) -> None:
    def trickle(connection: socket.socket) -> None:
        connection.sendall(begin)
        for octet in (OK * 50).replace(b"\n", b" "):
            connection.sendall(bytes([octet]))
            time.sleep(0.02)

    began = time.monotonic()
    with server(trickle) as endpoint, pytest.raises(NoExchange, match="in time"):
        ask(endpoint)
    assert time.monotonic() - began < 10 * PATIENCE


ASK_BOTH = f"""\
import time
from argus_py.client.exchange import Deadlines, Endpoint, exchange
now = time.monotonic()
deadlines = Deadlines(now + {2 * PATIENCE}, now + {20 * PATIENCE})
print(exchange(Endpoint("", "two.test", "two.test", %d, "/", False), b"", None, deadlines).status)
"""


def test_an_address_that_is_silent_leaves_time_for_the_next(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.2 two.test\n127.0.0.1 two.test\n")
    with server(lambda connection: connection.sendall(OK + b"Content-Length: 0\r\n\r\n")) as endpoint:
        with socket.socket() as silent, filled(silent, endpoint.port):
            done = subprocess.run(
                [sys.executable, "-c", ASK_BOTH % endpoint.port],
                env={"LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_HOSTS": str(hosts)},
                capture_output=True,
                check=False,
            )
        assert (done.stdout, done.stderr) == (b"200\n", b"")


@contextmanager
def filled(listener: socket.socket, port: int) -> Iterator[None]:
    """It takes no more connections, and refuses none."""
    listener.bind(("127.0.0.2", port))
    listener.listen(0)
    waiting: list[socket.socket] = []
    try:
        with suppress(TimeoutError):
            while True:
                waiting.append(socket.create_connection(("127.0.0.2", port), timeout=PATIENCE))
        yield
    finally:
        for connection in waiting:
            connection.close()


def test_a_host_that_does_not_listen_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NoExchange, match="refused"):
        ask(Endpoint.parse(f"http://127.0.0.1:{port}"))


def test_a_deadline_that_has_passed_is_kept() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = Endpoint.parse(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(NoExchange, match="in time"):
            exchange(endpoint, b"{}", None, Deadlines(0.0, 0.0))


@pytest.mark.parametrize("host", ["a..b", f"{'x' * 70}.example", "no-such-host.invalid"])
def test_a_name_that_no_host_has_is_no_answer(host: str) -> None:
    with pytest.raises(NoExchange):
        ask(Endpoint.parse(f"https://{host}:8154"))
