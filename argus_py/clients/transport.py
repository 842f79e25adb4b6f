"""Outgoing SOAP calls between daemons: own credential, a proven peer, limits on the time and size of an answer.

A TLS peer is judged twice, as on the service ports: OpenSSL checks the chain and the host name in the handshake, then
``credentials.path`` checks namespaces and revocation before the first octet is sent. Proxy settings of the environment
and redirections are not followed.
"""

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
from lxml import etree

from argus_py.credentials import path
from argus_py.credentials.tls import add_anchors, load_key_pair, sent_chain
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import CredentialRejected, MalformedInput, Unavailable
from argus_py.model.dn import DistinguishedName
from argus_py.snapshot import Snapshot
from argus_py.soap import envelope, fault, saml
from argus_py.soap.fault import Fault

_MOMENT = 0.001  # seconds; a timeout of none at all would mean another kind of socket
_SOON = 5.0  # seconds; who is not reached is tried again and again
_UNPACKED = {"Accept-Encoding": "identity"}
_HEADERS = {"Content-Type": envelope.CONTENT_TYPE, "SOAPAction": saml.SOAP_ACTION, **_UNPACKED}


class PeerUnreachable(Unavailable):
    """No complete answer came from ``url``; ``reason`` says what went wrong on the way."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason


class PeerFault(Unavailable):
    """The peer at ``url`` answered with a SOAP ``fault``."""

    def __init__(self, url: str, fault: Fault) -> None:
        super().__init__(f"{url}: SOAP fault {fault.code}: {fault.text}")
        self.url = url
        self.fault = fault


@dataclass(frozen=True, slots=True)
class ClientCredential:
    """PEM files; the key may be in a file of its own or in that of the certificate."""

    certificate: Path
    private_key: Path
    private_key_password: str | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """``connect``: TCP and TLS each; ``answer``: from the first octet sent to the last one received."""

    connect: timedelta = timedelta(seconds=30)
    answer: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a peer that was not asked by SOAP."""

    status: int
    content: bytes


class ClientTls:
    """The TLS side of outgoing connections; follows the trust anchors as they are refreshed."""

    def __init__(
        self,
        credential: ClientCredential | None,
        trust: Snapshot[TrustAnchors],
        clock: Callable[[], datetime],
        peer: DistinguishedName | None = None,
        *,
        check_host_name: bool = True,
        newest: ssl.TLSVersion | None = None,
    ) -> None:
        """``peer``: the name that the certificate of every peer must have, instead of that of the host.

        ``newest``: the newest protocol that is spoken, if that is not the newest there is.

        Raises ConfigurationError: the credential cannot be used.
        """
        self._credential = credential
        self._peer = peer
        self._check_host_name = check_host_name and peer is None
        self._newest = newest
        self._trust = trust
        self._clock = clock
        self._changing = threading.Lock()
        self._current = self._new_context()
        self._loaded = 0

    def context(self) -> ssl.SSLContext:
        """To be kept by an HTTP client; every connection is made with the trust anchors and credential of its time."""
        return _FollowingContext.following(self._context_of_now)

    @property
    def files(self) -> tuple[Path, Path] | None:
        """Certificate and key, if peers are shown one."""
        return (self._credential.certificate, self._credential.private_key) if self._credential else None

    def reload(self) -> None:
        """Show new peers the certificate that is in the files now.

        Raises ConfigurationError: certificate and key unusable; the ones in force stay.
        """
        context = self._new_context()
        with self._changing:
            self._current, self._loaded = context, 0

    def _new_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # certificate and host name are checked
        context.check_hostname = self._check_host_name
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._newest is not None:
            context.maximum_version = self._newest
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # sub CAs are anchors too
        context.sslsocket_class = _judging_socket(self._judge)
        credential = self._credential
        if credential is not None:
            load_key_pair(context, credential.certificate, credential.private_key, credential.private_key_password)
        return context

    def _context_of_now(self) -> ssl.SSLContext:
        """New anchors are added to the context there is; those taken away fail in the second judgement."""
        with self._changing:
            version = self._trust.current
            if version.number != self._loaded:
                add_anchors(self._current, version.value)
                self._loaded = version.number
            return self._current

    def _judge(self, connection: ssl.SSLSocket) -> None:
        try:
            chain = path.verify(sent_chain(connection), self._trust.current.value, self._clock())
        except CredentialRejected as error:
            raise _refusal(str(error)) from error
        if self._peer is not None and chain.subject != self._peer:
            raise _refusal(f"it shows the certificate of {chain.subject.readable()}, not of {self._peer.readable()}")


def _refusal(reason: str) -> ssl.SSLCertVerificationError:
    return ssl.SSLCertVerificationError(ssl.SSL_ERROR_SSL, reason)  # only with a number its text is the reason alone


class Transport:
    """Calls SOAP services; safe to use from many threads, keeps connections open."""

    def __init__(
        self,
        timeouts: Timeouts,
        tls: ClientTls | None = None,
        connections: int = 200,
        http: httpx.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without ``tls`` no https peer is trusted. ``http`` stands in for the network."""
        self.tls = tls
        self._connect_time = timeouts.connect.total_seconds()
        self._answer_time = timeouts.answer.total_seconds()
        self._monotonic = monotonic
        self._client = httpx.Client(
            verify=tls.context() if tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            trust_env=False,
            transport=http,
        )

    def call(
        self,
        url: str,
        message: etree._Element,
        max_answer: int,
        deadline: float | None = None,
        shorten: Callable[[bytes], bytes] = lambda octets: octets,
    ) -> etree._Element:
        """The one element in the body of the answer. ``deadline``: the monotonic time that it is given up by.

        ``shorten`` gives the document that is read instead of the answer.

        Raises PeerUnreachable: no connection, no trust, no complete answer in time, more than ``max_answer`` octets, or
        an HTTP error; PeerFault; of MalformedInput's kind: an answer that is no SOAP envelope.
        """
        limits = self._limits(None if deadline is None else deadline - self._monotonic())
        answer = self._exchange(
            "POST", url, max_answer, limits, content=envelope.write(message, "soap11"), headers=_HEADERS
        )
        try:
            body = envelope.read(shorten(answer.content), max_answer)
        except MalformedInput as error:
            if answer.status == 200:
                raise
            raise PeerUnreachable(url, f"HTTP status {answer.status}") from error
        refusal = fault.from_element(body)
        if refusal is not None:
            raise PeerFault(url, refusal)
        if answer.status != 200:
            raise PeerUnreachable(url, f"HTTP status {answer.status}")
        return body

    def get(self, url: str, max_answer: int, patience: timedelta) -> Answer:
        """Whatever is there. ``patience`` takes the place of the time for an answer; connections are made in seconds.

        Raises PeerUnreachable: no connection, no trust, no complete answer in time, or more than ``max_answer`` octets.
        """
        limits = min(self._connect_time, _SOON), patience.total_seconds()
        return self._exchange("GET", url, max_answer, limits)

    def _exchange(
        self,
        method: str,
        url: str,
        max_answer: int,
        limits: tuple[float, float],
        *,
        content: bytes | None = None,
        headers: dict[str, str] = _UNPACKED,
    ) -> Answer:
        """``limits`` in seconds: to connect, and to receive the answer."""
        connect, limit = limits
        give_up = self._monotonic() + limit
        received = bytearray()
        try:
            timeout = httpx.Timeout(limit, connect=connect)
            with self._client.stream(method, url, content=content, headers=headers, timeout=timeout) as response:
                for piece in response.iter_raw():
                    received += piece
                    if len(received) > max_answer:
                        raise PeerUnreachable(url, f"the answer is longer than {max_answer} octets")
                    if self._monotonic() > give_up:
                        raise PeerUnreachable(url, f"no complete answer within {limit:.3g} seconds")
                return Answer(response.status_code, bytes(received))
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # the last is of names that DNS cannot have
            raise PeerUnreachable(url, str(error) or type(error).__name__) from error

    def _limits(self, left: float | None) -> tuple[float, float]:
        """Seconds for TCP and for TLS each, and for the answer: within the time that is left, if that is limited."""
        if left is None:
            return self._connect_time, self._answer_time
        left = max(left, _MOMENT)
        return min(self._connect_time, left / 4), min(self._answer_time, left / 2)

    def close(self) -> None:
        self._client.close()


class _FollowingContext(ssl.SSLContext):
    """Stands for another one, which may change. Trusts nobody itself: whatever is not handed on fails."""

    _current: Callable[[], ssl.SSLContext]

    @classmethod
    def following(cls, current: Callable[[], ssl.SSLContext]) -> Self:
        made = cls(ssl.PROTOCOL_TLS_CLIENT)
        made._current = current
        return made

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        return self._current().wrap_socket(*args, **kwargs)


def _judging_socket(judge: Callable[[ssl.SSLSocket], None]) -> type[ssl.SSLSocket]:
    class JudgingSocket(ssl.SSLSocket):
        """Has itself judged when the handshake is done, before anything is sent."""

        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            judge(self)

    return JudgingSocket
