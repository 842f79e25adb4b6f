"""One question over one connection of HTTP/1.1, within a time limit for the connection and one for all of it.

A library for HTTP takes longer to start than a worker node takes for the question, and has no limit for the whole: an
answer that trickles keeps it going. What is not bounded here is the name service, which has limits of its own.

Proxy settings of the environment and redirections are not followed.
"""

import io
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from ipaddress import ip_address
from typing import Any, Final, cast
from urllib.parse import urlsplit

from argus_py import __version__
from argus_py.client.answer import MAX_ANSWER
from argus_py.client.tls import Contexts, Judge
from argus_py.errors import ArgusError, ConfigurationError, CredentialRejected

PATH: Final = "/v1/authorize"
_NO_CRL: Final = 3  # X509_V_ERR_UNABLE_TO_GET_CRL
_HEAD: Final = (
    "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    f"Accept: application/json, application/problem+json\r\nUser-Agent: argus-py/{__version__}\r\n"
    "Connection: close\r\n\r\n"
)


class UnusableEndpoint(ConfigurationError):
    """``url`` is none that a daemon can be asked at."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason


class NoExchange(Exception):
    """There was no complete answer; the text says what went wrong on the way."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``host`` and ``port`` are dialled, ``netloc`` is what the daemon is called."""

    url: str
    netloc: str
    host: str
    port: int
    path: str
    tls: bool

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
        """A URL without a path is that of a port of a daemon.

        Raises UnusableEndpoint: it is none of https, or of http to this machine. Answers in clear text from elsewhere
        could be anybody's.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise UnusableEndpoint(url, str(error)) from error
        if parts.scheme not in ("https", "http") or not host or parts.username is not None:
            raise UnusableEndpoint(url, "it is not like https://argus.example.org:8154")
        if not url.isascii() or not url.isprintable() or " " in url or parts.query or parts.fragment:
            raise UnusableEndpoint(url, "it has more than a host, a port and a path")
        if parts.scheme == "http" and not _is_loopback(host):
            raise UnusableEndpoint(url, "only this machine is asked without TLS")
        tls = parts.scheme == "https"
        path = parts.path if parts.path not in ("", "/") else PATH
        return cls(url, parts.netloc, host, port or (443 if tls else 80), path, tls)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Monotonic times: when there must be a connection, TLS included, and when there must be an answer."""

    connected: float
    answered: float


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    media_type: str
    body: bytes


def exchange(
    endpoint: Endpoint,
    question: bytes,
    contexts: Contexts | None,
    deadlines: Deadlines,
    monotonic: Callable[[], float] = time.monotonic,
) -> Reply:
    """``contexts`` None: for an endpoint without TLS. Raises NoExchange."""
    clock = _Clock(monotonic)
    try:
        with _connected(endpoint, contexts, deadlines.connected, clock) as connection:
            head = _HEAD.format(path=endpoint.path, host=endpoint.netloc, length=len(question))
            connection.settimeout(clock.left(deadlines.answered))
            connection.sendall(head.encode() + question)
            return _reply(connection, deadlines.answered, clock)
    except TimeoutError as error:
        raise NoExchange("no answer in time") from error
    except HTTPException as error:
        raise NoExchange(f"no answer of HTTP: {error!r}"[:200]) from error
    except CredentialRejected as error:
        raise NoExchange(f"its certificate is not accepted: {error}") from error
    except ssl.SSLCertVerificationError as error:
        raise NoExchange(f"its certificate is not accepted: {error.verify_message}") from error
    except OSError as error:  # of TLS too
        raise NoExchange(error.strerror or str(error)) from error
    except ValueError as error:  # a name that no host can have
        raise NoExchange(f"{endpoint.host}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Clock:
    now: Callable[[], float]

    def left(self, deadline: float) -> float:
        """Seconds. Raises TimeoutError: none."""
        left = deadline - self.now()
        if left <= 0:
            raise TimeoutError
        return left


def _connected(endpoint: Endpoint, contexts: Contexts | None, deadline: float, clock: _Clock) -> socket.socket:
    if contexts is None:
        return _dialled(endpoint, deadline, clock)
    try:
        return _judged(_secured(endpoint, contexts.listed, deadline, clock), contexts.judge)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code != _NO_CRL:
            raise
        return _judged(_secured(endpoint, contexts.unlisted, deadline, clock), contexts.judge)


def _secured(endpoint: Endpoint, context: ssl.SSLContext, deadline: float, clock: _Clock) -> ssl.SSLSocket:
    plain = _dialled(endpoint, deadline, clock)
    try:
        plain.settimeout(clock.left(deadline))
        return context.wrap_socket(plain, server_hostname=endpoint.host)
    except (OSError, ValueError):
        plain.close()
        raise


def _judged(connection: ssl.SSLSocket, judge: Judge | None) -> ssl.SSLSocket:
    try:
        if judge is not None:
            judge(connection)
    except ArgusError:
        connection.close()
        raise
    return connection


def _dialled(endpoint: Endpoint, deadline: float, clock: _Clock) -> socket.socket:
    """To the first address that answers; one that is silent, as IPv6 can be, leaves time for the others."""
    failure: OSError = ConnectionError("the host has no address")
    found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    for number, (family, kind, protocol, _, address) in enumerate(found):
        dialling = socket.socket(family, kind, protocol)
        try:
            dialling.settimeout(clock.left(deadline) / (len(found) - number))
            dialling.connect(address)
        except OSError as error:
            dialling.close()
            failure = error
        else:
            return dialling
    raise failure


def _reply(connection: socket.socket, deadline: float, clock: _Clock) -> Reply:
    stream = cast(socket.socket, _Stream(connection, deadline, clock))
    with HTTPResponse(stream, method="POST") as response:
        response.begin()
        body = response.read(MAX_ANSWER + 1)
        if len(body) > MAX_ANSWER:
            raise NoExchange(f"the answer has more than {MAX_ANSWER} octets")
        media_type = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
        return Reply(response.status, media_type, body)


class _Stream:
    """The part of a socket that http.client reads from."""

    def __init__(self, connection: socket.socket, deadline: float, clock: _Clock) -> None:
        self._incoming = _Incoming(connection, deadline, clock)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._incoming)


class _Incoming(io.RawIOBase):
    """What comes until the deadline, however slowly."""

    def __init__(self, connection: socket.socket, deadline: float, clock: _Clock) -> None:
        self._connection = connection
        self._deadline = deadline
        self._clock = clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._clock.left(self._deadline))
        return self._connection.recv_into(buffer)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
