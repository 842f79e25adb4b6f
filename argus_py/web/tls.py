"""TLS of the service ports: grid proxies are welcome as client certificates, and the application gets the chain.

The handshake is only the first half. OpenSSL proves that the peer holds the key of the leaf and that the chain ends at
an anchor, but knows neither namespaces nor the proxy rules in full, and overlooks the revoked owner of a proxy. So the
chain as sent is judged again by ``credentials.path`` when the connection is up; a peer that fails there gets 403 on
every request, with the reason. Proxies older than RFC 3820 do not even get that far: OpenSSL takes them for broken.

uvicorn does not hand the client certificate on, hence a connection class of its own. Session tickets are off, because
a session resumed from a ticket carries no chain. TLS 1.2 can still resume by session id; such a session has its chain
and is judged like any other, and one that lost it is refused.
"""

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Scope
from uvicorn.config import Config
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState

from argus_py.credentials import path
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.tls import add_anchors, load_key_pair, sent_chain
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ConfigurationError, CredentialRejected
from argus_py.snapshot import Snapshot
from argus_py.web.connection import HttpConnection

_log = logging.getLogger(__name__)
_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


class NoClientCertificate(CredentialRejected):
    """The application needs to know who is calling, on a port that asks nobody for a certificate."""


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
        self._certificate_required = settings.require_client_certificate
        self._trust = trust
        self._clock = clock
        self._loaded = 0
        self.context = _context(settings)
        if self._certificate_required:
            self.context.sni_callback = self._add_new_anchors

    def judge(self, connection: ssl.SSLObject) -> VerifiedChain | None:
        """The proven chain of a peer; None on a port that asks nobody for a certificate.

        Raises CredentialRejected: the chain does not validate, or there is none in this TLS session.
        """
        if not self._certificate_required:
            return None
        return path.verify(sent_chain(connection), self._trust.current.value, self._clock())

    def _add_new_anchors(self, *_: object) -> None:
        """OpenSSL calls this early in every handshake, also without SNI.

        Anchors taken away stay in the context, where they cannot be removed; who relies on them fails in ``judge``.
        """
        version = self._trust.current
        if version.number != self._loaded:
            add_anchors(self.context, version.value)
            self._loaded = version.number


class TlsConnection(HttpConnection):
    """An HTTP connection whose peer is judged before the first request."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None, *, tls: ServerTls
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._tls = tls
        self._chain: VerifiedChain | None = None

    def connection_made(self, transport: Any) -> None:
        # INVARIANT: nothing is read from the peer before there is a verdict, whatever goes wrong here.
        try:
            self._chain = self._tls.judge(transport.get_extra_info("ssl_object"))
        except CredentialRejected as error:
            address = get_remote_addr(transport)
            _log.warning("client %s refused after the TLS handshake: %s", address[0] if address else "-", error)
            self.app = _refusal(error)
        super().connection_made(transport)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"argus": {"chain": self._chain}}


def peer_chain(scope: Scope) -> VerifiedChain | None:
    """The proven certificate chain of the client, None on a port that does not ask for one."""
    chain: VerifiedChain | None = scope.get("extensions", {}).get("argus", {}).get("chain")
    return chain


def _refusal(error: CredentialRejected) -> ASGIApp:
    return PlainTextResponse(f"client certificate refused: {error}\n", status_code=403, headers={"Connection": "close"})


def _context(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    unknown = [name for name in settings.protocols if name not in _VERSIONS]
    if unknown or not settings.protocols:
        raise ConfigurationError(f"TLS protocols {unknown} are not known here; known: {', '.join(_VERSIONS)}")
    spoken = [_VERSIONS[name] for name in settings.protocols]
    context.minimum_version, context.maximum_version = min(spoken), max(spoken)
    load_key_pair(context, settings.certificate, settings.private_key, settings.private_key_password)
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0  # OP_NO_TICKET alone leaves the tickets of TLS 1.3
    if settings.require_client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_ALLOW_PROXY_CERTS
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # every certificate of a trust directory is an anchor
    return context
