"""Clients as worker nodes are: each a process with a proxy of its own, one request at a time, on raw sockets.

An HTTP library would take as much of the processors that both sides share as the server that is measured.
"""

import itertools
import multiprocessing
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, Self

_SPAWN: Final = multiprocessing.get_context("spawn")
_HOST: Final = "localhost"
_TIMEOUT: Final = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Identity:
    """``proxy``: certificate, key and chain in PEM, for TLS. ``certificates``: hashed CAs.

    ``bodies`` of the requests, from the first one again when all have been sent.
    """

    proxy: Path
    certificates: Path
    bodies: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """``requests`` of one client: all on one connection that is open already, or each on a new one."""

    port: int
    requests: int
    kept: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """What a client saw. ``seconds`` of each request, with its handshake if there was one; ``answers`` that differ."""

    seconds: tuple[float, ...]
    answers: frozenset[bytes]


class Client:
    """The handle of a client process."""

    def __init__(self, identity: Identity) -> None:
        self._orders, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_obey, args=(theirs, identity))
        self._process.start()
        theirs.close()

    def prepare(self, order: Order) -> None:
        self._orders.send(order)

    def wait_until_ready(self) -> None:
        self._orders.recv()

    def go(self) -> None:
        self._orders.send(None)

    def result(self) -> Measured:
        """Raises EOFError: the client has failed; why is on standard error."""
        measured: Measured = self._orders.recv()
        return measured

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._orders.close()
        self._process.join()


@contextmanager
def clients(identities: Sequence[Identity]) -> Iterator[tuple[Client, ...]]:
    with ExitStack() as stack:
        yield tuple(stack.enter_context(Client(identity)) for identity in identities)


def _obey(orders: Connection, identity: Identity) -> None:
    """Until the other end is closed."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.load_verify_locations(capath=identity.certificates)
    tls.load_cert_chain(identity.proxy)
    while True:
        try:
            order: Order = orders.recv()
        except EOFError:
            return
        measure = _measure_kept if order.kept else _measure_new
        orders.send(measure(order, tls, identity.bodies, orders))


def _measure_new(order: Order, tls: ssl.SSLContext, bodies: tuple[bytes, ...], orders: Connection) -> Measured:
    requests = itertools.cycle([http(order.port, body, "close") for body in bodies])
    _wait_for_go(orders)
    seconds, answers = [], set()
    for request in itertools.islice(requests, order.requests):
        begin = time.perf_counter()
        with connect(order.port, tls) as connection:
            answers.add(ask(connection, request))
            seconds.append(time.perf_counter() - begin)
    return Measured(tuple(seconds), frozenset(answers))


def _measure_kept(order: Order, tls: ssl.SSLContext, bodies: tuple[bytes, ...], orders: Connection) -> Measured:
    requests = itertools.cycle([http(order.port, body, "keep-alive") for body in bodies])
    with connect(order.port, tls) as connection:
        answers = {ask(connection, next(requests))}
        _wait_for_go(orders)
        seconds = []
        for request in itertools.islice(requests, order.requests):
            begin = time.perf_counter()
            answers.add(ask(connection, request))
            seconds.append(time.perf_counter() - begin)
    return Measured(tuple(seconds), frozenset(answers))


def _wait_for_go(orders: Connection) -> None:
    orders.send(None)
    orders.recv()


def connect(port: int, tls: ssl.SSLContext | None) -> socket.socket:
    connection = socket.create_connection((_HOST, port), _TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as libcurl does
    return tls.wrap_socket(connection, server_hostname=_HOST) if tls else connection


def http(port: int, body: bytes, connection: str) -> bytes:
    lines = (
        "POST /authz HTTP/1.1",
        f"Host: {_HOST}:{port}",
        f"Content-Length: {len(body)}",
        f"Connection: {connection}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


def ask(connection: socket.socket, request: bytes) -> bytes:
    """The body of the answer, whose head has a length. Raises RuntimeError: it is no 200."""
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode("latin-1"))
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += _receive(connection)
    return body


def _receive(connection: socket.socket) -> bytes:
    received = connection.recv(1 << 16)
    if not received:
        raise ConnectionError("the server has closed the connection before its answer was complete")
    return received
