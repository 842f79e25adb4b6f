"""Parts that more than one daemon is made of."""

import logging
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar

from argus_py.clients.transport import ClientCredential, ClientTls, Timeouts, Transport
from argus_py.config.daemon import SecuritySettings
from argus_py.config.ini import Problem
from argus_py.credentials.trust import TrustAnchors
from argus_py.credentials.voms import VomsTrust
from argus_py.errors import ConfigurationError
from argus_py.run.servers import Periodic
from argus_py.snapshot import Snapshot
from argus_py.store.trustdir import TrustDirectory
from argus_py.store.vomsdir import VomsDirectory
from argus_py.web.tls import ServerTls, TlsSettings

_log = logging.getLogger(__name__)
T = TypeVar("T")

TrustOf = Callable[[Path, bool], Snapshot[TrustAnchors]]
"""The trust anchors of a directory, with CRLs or without; one snapshot per directory, whoever asks."""


def now() -> datetime:
    return datetime.now(UTC)


def our_names() -> frozenset[str]:
    """The names an attribute certificate may be targeted at."""
    return frozenset({socket.gethostname(), socket.getfqdn()})


def trust_anchors(directory: Path, check_crls: bool = True) -> Snapshot[TrustAnchors]:
    """Raises ConfigurationError: the directory cannot be listed, or holds no usable CA certificate."""
    files = TrustDirectory(directory)

    def load() -> TrustAnchors:
        trust = files.load()
        return trust if check_crls else replace(trust, crls=(), unreadable_crls=())

    snapshot = loaded(Snapshot(f"trust directory {directory}", load, now))
    if not snapshot.current.value.anchors:
        raise ConfigurationError(f"the trust directory {directory} holds no usable CA certificate")
    return snapshot


def voms_trust(directory: Path) -> Snapshot[VomsTrust]:
    """Raises ConfigurationError: the directory cannot be listed."""
    return loaded(Snapshot(f"vomsdir {directory}", VomsDirectory(directory).load, now))


def loaded(snapshot: Snapshot[T]) -> Snapshot[T]:
    """The snapshot with its first version. Raises ConfigurationError: there is none to be had."""
    snapshot.refresh()
    if not snapshot.ready:
        raise ConfigurationError(f"{snapshot.name}: {snapshot.last_error}")
    return snapshot


@dataclass(frozen=True, slots=True)
class _Refresh(Generic[T]):
    snapshot: Snapshot[T]

    def __call__(self) -> None:
        self.snapshot.refresh()
        if self.snapshot.last_error is not None:
            _log.error("%s: the version in force stays: %s", self.snapshot.name, self.snapshot.last_error)


def refreshing(snapshot: Snapshot[T], every: timedelta) -> Periodic:
    """Looks for a new version; why there is none to be had is logged every time. Equal for the same snapshot."""
    return Periodic(snapshot.name, every, _Refresh(snapshot))


def server_tls(security: SecuritySettings, trust_of: TrustOf) -> ServerTls | None:
    """None for a daemon that is told to listen in the clear."""
    if not security.tls or security.certificate is None or security.private_key is None or security.trust_dir is None:
        _log.warning("TLS is off: requests and answers travel in the clear, and clients are not known")
        return None
    settings = TlsSettings(
        security.certificate,
        security.private_key,
        security.private_key_password,
        security.require_client_certificate,
        security.tls_protocols,
    )
    return ServerTls(settings, trust_of(security.trust_dir, security.check_crls), now)


def transport(security: SecuritySettings, trust_of: TrustOf, timeouts: Timeouts) -> Transport:
    """For calls to other daemons, with the credential of this one; https needs a trust directory."""
    if security.trust_dir is None:
        return Transport(timeouts)
    credential = None
    if security.certificate is not None and security.private_key is not None:
        credential = ClientCredential(security.certificate, security.private_key, security.private_key_password)
    return Transport(timeouts, ClientTls(credential, trust_of(security.trust_dir, security.check_crls), now))


def log_warnings(warnings: Iterable[Problem]) -> None:
    for warning in warnings:
        _log.warning("%s", warning)


def state_of(snapshot: Snapshot[T], problems: Iterable[object]) -> list[tuple[str, str]]:
    """Lines for the status page: age of the version in force, why there is no newer one, and its ``problems``."""
    lines = [("Loaded", f"{snapshot.name} at {snapshot.current.loaded_at.isoformat(timespec='seconds')}")]
    if snapshot.last_error:
        lines.append(("LastError", f"{snapshot.name}, {snapshot.last_error}"))
    return lines + [("Problem", str(problem)) for problem in problems]
