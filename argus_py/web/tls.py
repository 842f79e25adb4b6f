"""TLS of the service ports: grid proxies of all ages are welcome as client certificates, and the application is told.

OpenSSL knows neither namespaces nor the proxy rules in full, overlooks the revoked owner of a proxy, and takes proxies
older than RFC 3820 for broken. So ``credentials.path`` judges the chain in its place, in the handshake: who is refused
gets an alert and not a word of HTTP. OpenSSL's security level then says nothing about client chains, on purpose: old
tools still make proxies of 1024 bits. ``credentials.signatures`` has the floor for keys that sign certificates,
``WeakKey`` stands for the one of the handshake itself. Our own protocols, ciphers and key are not touched by that.

The chain is judged once more when the connection is up, which is cheap (``AcceptedChains``). Where the handshake cannot
be judged, and ``web.openssl`` says why, OpenSSL decides first and this judgement is the one that counts: who fails here
gets 403 on every request, with the reason. It is the only one, too, of sessions of TLS 1.2 that are resumed there by
their id. Where we judge none is resumed. Session tickets are off, because what is resumed from one carries no chain.

uvicorn does not hand the client certificate on, hence a connection class of its own.
"""

import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Scope
from uvicorn.config import Config
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState

from argus_py.credentials import path
from argus_py.credentials.accepted import AcceptedChains
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import NoTrustAnchor, NotValidNow, Rejection, Revoked
from argus_py.credentials.signatures import MIN_RSA_BITS
from argus_py.credentials.tls import add_anchors, load_key_pair, sent_chain
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ConfigurationError, CredentialRejected
from argus_py.snapshot import Snapshot
from argus_py.web.connection import HttpConnection
from argus_py.web.fairness import Place
from argus_py.web.handshake import HandshakeFailures
from argus_py.web.openssl import Judge, JudgingContext, NotPossible, Verdict

_log = logging.getLogger(__name__)
_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


class NoClientCertificate(CredentialRejected):
    """The application needs to know who is calling, on a port that asks nobody for a certificate."""


class WeakKey(Rejection):
    """The key that proves the handshake can be found by others within the life of a proxy."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """``protocols`` are names as Java writes them; those between the lowest and the highest are spoken."""

    certificate: Path
    private_key: Path
    private_key_password: str | None = None
    require_client_certificate: bool = True
    protocols: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")


class ServerTls:
    """The TLS side of one port: the context for the next connection, and the judgement of peers."""

    def __init__(
        self,
        settings: TlsSettings,
        trust: Snapshot[TrustAnchors],
        clock: Callable[[], datetime],
        judge_clients: Callable[[JudgingContext, Judge, ssl.SSLContext], None] = JudgingContext.judge_clients,
    ) -> None:
        """``judge_clients`` raises NotPossible where OpenSSL has to judge.

        Raises ConfigurationError: certificate, key or protocols unusable.
        """
        self.failures = HandshakeFailures(_log.warning, time.monotonic)
        self._settings = settings
        self._trust = trust
        self._clock = clock
        self._accepted = AcceptedChains[VerifiedChain]()
        self._judge_clients = judge_clients
        self._refusal: CredentialRejected | None = None
        self._context = self._new_context()

    @property
    def context(self) -> JudgingContext:
        """To be used for one connection."""
        return self._context

    @property
    def files(self) -> tuple[Path, Path]:
        """Certificate and key."""
        return self._settings.certificate, self._settings.private_key

    def reload(self) -> None:
        """Show the certificate that is in the files now; connections that are up keep theirs.

        Raises ConfigurationError: certificate and key unusable; the ones in force stay.
        """
        self._context = self._new_context()

    def judge(self, connection: ssl.SSLObject) -> VerifiedChain | None:
        """The proven chain of a peer; None on a port that asks nobody for a certificate.

        Raises CredentialRejected: the chain does not validate, or there is none in this TLS session.
        """
        if not self._settings.require_client_certificate:
            return None
        return self._verified(sent_chain(connection))

    def explain(self, error: ssl.SSLError) -> tuple[str, str]:
        """Cause and text of a failed handshake, which must be the last one that was worked on."""
        refusal, self._refusal = self._refusal, None
        reason = error.reason or "unknown"
        if refusal is not None:
            alert = _verdict(refusal).name.lower()
            return alert, f"the client certificate is refused with the alert {alert}: {refusal}"
        _, received, alert = reason.lower().partition("_alert_")
        if received:
            return alert, f"the client sent the alert {alert}"
        if isinstance(error, ssl.SSLCertVerificationError):
            return reason.lower(), error.verify_message
        return reason.lower(), reason.lower().replace("_", " ")

    def _new_context(self) -> JudgingContext:
        context = _context(self._settings)
        if self._settings.require_client_certificate:
            try:
                self._judge_clients(context, self._judge_sent, _probing_client(self._settings))
            except NotPossible as error:
                _log.warning("legacy and draft proxies cannot connect, OpenSSL refuses them: %s", error)
                self._let_openssl_judge(context)
        return context

    def _judge_sent(self, certificates: list[bytes]) -> Verdict:
        self._refusal = None
        try:
            self._verified(UnverifiedChain.from_der(certificates))
        except CredentialRejected as error:
            self._refusal = error
            return _verdict(error)
        return Verdict.ACCEPTED

    def _verified(self, sent: UnverifiedChain) -> VerifiedChain:
        trust = self._trust.current
        chain = self._accepted.verdict(
            sent.encoded(), (trust.number,), self._clock(), lambda moment: path.verify(sent, trust.value, moment)
        )
        _check_key(chain)
        return chain

    def _let_openssl_judge(self, context: JudgingContext) -> None:
        """First, that is; ``judge`` has the last word.

        Anchors taken away stay in the context, where they cannot be removed; who relies on them fails in ``judge``.
        """
        loaded = 0

        def add_new_anchors(*_: object) -> None:
            """OpenSSL calls this early in every handshake, also without SNI."""
            nonlocal loaded
            version = self._trust.current
            if version.number != loaded:
                add_anchors(context, version.value)
                loaded = version.number

        context.verify_flags |= ssl.VERIFY_ALLOW_PROXY_CERTS
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # every certificate of a trust directory is an anchor
        context.sni_callback = add_new_anchors


class TlsConnection(HttpConnection):
    """An HTTP connection whose peer is judged before the first request."""

    def __init__(self, config: Config, server_state: ServerState, place: Place, tls: ServerTls) -> None:
        super().__init__(config, server_state, lambda _transport: place)
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


def _context(settings: TlsSettings) -> JudgingContext:
    context = JudgingContext(ssl.PROTOCOL_TLS_SERVER)
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
    return context


def _probing_client(settings: TlsSettings) -> ssl.SSLContext:
    """Shows our certificate and asks nothing: for a handshake with ourselves."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    load_key_pair(context, settings.certificate, settings.private_key, settings.private_key_password)
    return context


def _check_key(chain: VerifiedChain) -> None:
    """The leaf has signed nothing but the handshake, so its key was not looked at on the way.

    Raises WeakKey.
    """
    match chain.links[0].public_key:
        case rsa.RSAPublicKey() as key if key.key_size >= MIN_RSA_BITS:
            return
        case ec.EllipticCurvePublicKey() | ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            return
    raise WeakKey("weakKey", f"not a key of {MIN_RSA_BITS} bits RSA, or of an elliptic curve", chain.links[0].subject)


def _verdict(refusal: CredentialRejected) -> Verdict:
    match refusal:
        case NotValidNow():
            return Verdict.CERTIFICATE_EXPIRED
        case Revoked():
            return Verdict.CERTIFICATE_REVOKED
        case NoTrustAnchor():
            return Verdict.UNKNOWN_CA
    return Verdict.BAD_CERTIFICATE
