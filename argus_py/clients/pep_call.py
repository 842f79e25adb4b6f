"""One question to the PEP daemons of a site, from a process that lives for a second.

An answer has status 200 and a body that can be read; without it the next endpoint is asked. The HTTP client of the
other tools takes longer to load than the whole exchange takes, and it follows the environment; here neither a variable
of the caller's nor the system's trust anchors count, only what is passed in.

A server is judged twice, as by the daemons: OpenSSL checks the chain and the host name in the handshake, then ``judge``
looks at the chain before the first octet is sent.
"""

import os
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httptools

from argus_py import __version__
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.tls import sent_chain
from argus_py.errors import ArgusError, ConfigurationError, CredentialRejected
from argus_py.hessian import base64_lines, messages
from argus_py.model.request import Request
from argus_py.model.response import Response
from argus_py.worker.failover import DEADLINES, Deadlines, EndpointFailed, first_answer

_PIECE: Final = 65536
_MAX_HEAD: Final = 256 * 1024  # octets of header fields, and of what chunks have around them
_MOMENT: Final = 0.001  # seconds; a timeout of none at all would mean another kind of socket
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom to trust, and what to show. ``proxy`` holds certificates and key in PEM, as a proxy file does."""

    ca_directory: str | None = None
    ca_file: str | None = None
    check: bool = True
    certificate: str | None = None
    private_key: str | None = None
    password: str | None = None
    proxy: bytes | None = None
    judge: Callable[[UnverifiedChain], object] | None = None  # raises CredentialRejected


def ask(
    endpoints: Sequence[str],
    request: Request,
    peer: Peer,
    deadlines: Deadlines = DEADLINES,
    monotonic: Callable[[], float] = time.monotonic,
) -> Response:
    """Raises NoEndpointAnswers; ConfigurationError: a file or the proxy of ``peer`` cannot be used."""
    context = _context(peer)
    body = base64_lines.encode(messages.write_request(request))

    def answer(endpoint: str, end: float) -> Response:
        exchange = _Exchange(urlsplit(endpoint), context, peer.judge, _Clock(deadlines.connect, end, monotonic))
        return messages.read_response(base64_lines.decode(exchange.post(body)))

    return first_answer(endpoints, answer, deadlines, monotonic)


@dataclass(frozen=True, slots=True)
class _Clock:
    connect: timedelta
    end: float
    monotonic: Callable[[], float]

    def left(self) -> float:
        """Seconds. Raises TimeoutError: none."""
        left = self.end - self.monotonic()
        if left <= 0:
            raise TimeoutError
        return max(left, _MOMENT)

    def to_connect(self) -> float:
        return min(self.connect.total_seconds(), self.left())


class _Exchange:
    """One POST on a connection of its own; nothing in it outlives its deadline but the look-up of the host's name."""

    def __init__(
        self,
        url: SplitResult,
        context: ssl.SSLContext,
        judge: Callable[[UnverifiedChain], object] | None,
        clock: _Clock,
    ) -> None:
        self._url = url
        self._context = context
        self._judge = judge
        self._clock = clock

    def post(self, body: bytes) -> bytes:
        """Raises EndpointFailed."""
        try:
            with self._connection() as connection:
                connection.settimeout(self._clock.left())
                connection.sendall(self._head(len(body)) + body)
                return self._answer(connection)
        except TimeoutError:
            raise EndpointFailed("no answer in time") from None
        except CredentialRejected as error:
            raise EndpointFailed(f"its certificate is not accepted: {error}") from error
        except ssl.SSLCertVerificationError as error:
            raise EndpointFailed(f"its certificate is not accepted: {error.verify_message}") from error
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be looked up
            raise EndpointFailed(getattr(error, "strerror", None) or str(error) or type(error).__name__) from error

    def _connection(self) -> socket.socket:
        host = self._url.hostname or ""
        port = self._url.port or _PORTS[self._url.scheme]
        plain = socket.create_connection((host, port), timeout=self._clock.to_connect())
        if self._url.scheme == "http":
            return plain
        plain.settimeout(self._clock.to_connect())
        try:
            secure = self._context.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise
        try:
            if self._judge is not None:
                self._judge(sent_chain(secure))
        except ArgusError:
            secure.close()
            raise
        return secure

    def _head(self, length: int) -> bytes:
        target = self._url.path or "/"
        if self._url.query:
            target += f"?{self._url.query}"
        lines = (
            f"POST {target} HTTP/1.1",
            f"Host: {self._url.netloc}",
            f"User-Agent: argus-py/{__version__}",
            "Accept: */*",
            "Content-Type: application/octet-stream",
            f"Content-Length: {length}",
            "Connection: close",
        )
        return "\r\n".join((*lines, "", "")).encode("ascii", "replace")

    def _answer(self, connection: socket.socket) -> bytes:
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        left = base64_lines.MAX_BODY + _MAX_HEAD
        while not answer.complete:
            connection.settimeout(self._clock.left())
            piece = connection.recv(_PIECE)
            left -= len(piece)
            if not piece:
                break
            try:
                parser.feed_data(piece)
            except httptools.HttpParserError as error:
                raise EndpointFailed(f"its answer is not HTTP: {error}") from error
            if left < 0 or len(answer.body) > base64_lines.MAX_BODY:
                raise EndpointFailed("its answer is too long")
        if not answer.complete and (answer.has_length or not answer.begun):
            raise EndpointFailed("the connection ended before the answer did")
        if parser.get_status_code() != 200:
            raise EndpointFailed(f"HTTP status {parser.get_status_code()}")
        return bytes(answer.body)


class _Answer:
    """What the HTTP parser calls back."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.begun = False
        self.complete = False
        self.has_length = False  # else the end of the connection is that of the body

    def on_header(self, name: bytes, _value: bytes) -> None:
        self.has_length = self.has_length or name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        self.begun = True

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        self.complete = True


def _context(peer: Peer) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks chain and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a CA below the root may be the anchor
    if not peer.check:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if peer.ca_file is not None or peer.ca_directory is not None:
            context.load_verify_locations(peer.ca_file, peer.ca_directory)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(f"no trust anchors in {peer.ca_file or peer.ca_directory}: {error}") from error
    try:
        if peer.proxy is not None:
            _show_proxy(context, peer.proxy)
        elif peer.certificate is not None:
            # A password function keeps OpenSSL from asking on the terminal when the key is encrypted and none is given.
            context.load_cert_chain(peer.certificate, peer.private_key, password=lambda: peer.password or "")
    except OSError as error:
        what = "the proxy" if peer.proxy is not None else f"{peer.certificate} with the key {peer.private_key}"
        raise ConfigurationError(f"{what} cannot be shown to Argus: {error}") from error
    return context


def _show_proxy(context: ssl.SSLContext, proxy: bytes) -> None:
    """From memory: the file may lie where root cannot read it again, and must not change in between."""
    memory = os.memfd_create("proxy", os.MFD_CLOEXEC)
    with os.fdopen(memory, "wb") as file:
        file.write(proxy)
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{memory}", password=lambda: "")
