"""TLS of the service ports: grid proxies are welcome as client certificates, and the application gets the chain.

The handshake is only the first half. OpenSSL proves that the peer holds the key of the leaf and that the chain ends at
an anchor, but knows neither namespaces nor the proxy rules in full, and overlooks the revoked owner of a proxy. So the
chain as sent is judged again by ``credentials.path`` when the connection is up; a peer that fails there gets 403 on
every request, with the reason.

uvicorn does not hand the client certificate on, and ``getpeercert`` gives the leaf only: this module alone touches the
SSL object. Session tickets are off, because a session resumed from a ticket carries no chain. TLS 1.2 can still resume
by session id; such a session has its chain and is judged like any other, and one that lost it is refused.
"""

import _ssl
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Scope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from argus_py.credentials import path
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ConfigurationError, CredentialRejected
from argus_py.snapshot import Snapshot

_log = logging.getLogger(__name__)
_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


class NoClientCertificate(CredentialRejected):
    """A peer that must show a certificate did not, or resumed a session that lost it."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """``protocols`` are names as Java writes them; those between the lowest and the highest are spoken."""

    certificate: Path
    private_key: Path
    private_key_password: str | None = None
    require_client_certificate: bool = True
    protocols: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")


class ServerTls:
    """The TLS side of one port: a context that follows the trust anchors, and the judgement of peers."""

    def __init__(self, settings: TlsSettings, trust: Snapshot[TrustAnchors], clock: Callable[[], datetime]) -> None:
        """Raises ConfigurationError: certificate, key or protocols unusable."""
        self._settings = settings
        self._trust = trust
        self._clock = clock
        self._in_force = (trust.current.number, _context(settings, trust.current.value))

    def listening_context(self) -> ssl.SSLContext:
        """The context to listen with; each handshake switches to the one made for the trust anchors in force.

        A context reads its anchors once, hence a new one per version. OpenSSL calls back also without SNI.
        """

        def follow_trust(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _c: ssl.SSLContext) -> None:
            version = self._trust.current
            if version.number != self._in_force[0]:
                self._in_force = (version.number, _context(self._settings, version.value))
            connection.context = self._in_force[1]

        context = _context(self._settings, self._trust.current.value)
        context.sni_callback = follow_trust
        return context

    def judge(self, connection: ssl.SSLObject) -> VerifiedChain | None:
        """The proven chain of a peer; None for a peer that needs no certificate and has shown none.

        Raises CredentialRejected: the chain does not validate, or none is there where one is required.
        """
        certificates = _unverified_chain(connection)
        if certificates:
            return path.verify(UnverifiedChain.from_der(certificates), self._trust.current.value, self._clock())
        if self._settings.require_client_certificate or connection.session_reused:
            raise NoClientCertificate("the peer has shown no client certificate in this TLS session")
        return None


class TlsProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 on a connection whose peer is known before the first request."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None, *, tls: ServerTls
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._tls = tls
        self._chain: VerifiedChain | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        try:
            self._chain = self._tls.judge(transport.get_extra_info("ssl_object"))
        except CredentialRejected as error:
            _log.warning("client %s refused after the TLS handshake: %s", self.client and self.client[0], error)
            self.app = _refusal(error)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"argus": {"chain": self._chain}}


def peer_chain(scope: Scope) -> VerifiedChain | None:
    """The proven certificate chain of the client, None on a port that does not ask for one."""
    chain: VerifiedChain | None = scope.get("extensions", {}).get("argus", {}).get("chain")
    return chain


def _refusal(error: CredentialRejected) -> ASGIApp:
    return PlainTextResponse(f"client certificate refused: {error}\n", status_code=403, headers={"Connection": "close"})


def _context(settings: TlsSettings, trust: TrustAnchors) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    unknown = [name for name in settings.protocols if name not in _VERSIONS]
    if unknown or not settings.protocols:
        raise ConfigurationError(f"TLS protocols {unknown} are not known here; known: {', '.join(_VERSIONS)}")
    spoken = [_VERSIONS[name] for name in settings.protocols]
    context.minimum_version, context.maximum_version = min(spoken), max(spoken)
    password = settings.private_key_password
    try:
        # A password function keeps OpenSSL from asking on the terminal when the key is encrypted and none is given.
        context.load_cert_chain(settings.certificate, settings.private_key, password=lambda: password or "")
    except (OSError, ssl.SSLError) as error:
        pair = f"{settings.certificate} with {settings.private_key}"
        raise ConfigurationError(f"Unable to read service credential information: {pair}: {error}") from error
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0  # OP_NO_TICKET alone leaves the tickets of TLS 1.3
    if settings.require_client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_ALLOW_PROXY_CERTS
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # every certificate of a trust directory is an anchor
        anchors = b"".join(anchor.public_bytes(Encoding.DER) for anchor in trust.certificates())
        if anchors:
            context.load_verify_locations(cadata=anchors)
    return context


def _unverified_chain(connection: ssl.SSLObject) -> list[bytes]:
    """The chain as sent, leaf first, each certificate in DER; empty when there is none."""
    if hasattr(connection, "get_unverified_chain"):  # Python 3.13
        return list(connection.get_unverified_chain() or ())
    chain = connection._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
    return [certificate.public_bytes(_ssl.ENCODING_DER) for certificate in chain or ()]
