"""Parts that more than one daemon is made of."""

import logging
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Generic, Protocol, TypeVar

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

LOOK = timedelta(seconds=10)  # between looks for changed files; one takes some ten milliseconds in a large directory

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

    snapshot = loaded(Snapshot(f"trust directory {directory}", load, now, files.distrust_versions))
    if not snapshot.current.value.anchors:
        raise ConfigurationError(f"the trust directory {directory} holds no usable CA certificate")
    return snapshot


def voms_trust(directory: Path) -> Snapshot[VomsTrust]:
    """Raises ConfigurationError: the directory cannot be listed."""
    files = VomsDirectory(directory)
    return loaded(Snapshot(f"vomsdir {directory}", files.load, now, files.distrust_versions))


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


class TrustMaterial(Protocol):
    """What the snapshots of trust directory and vomsdir hold."""

    @property
    def problems(self) -> tuple[object, ...]: ...

    def contents(self) -> str: ...


M = TypeVar("M", bound=TrustMaterial)


@dataclass(frozen=True, slots=True)
class _Watch(Generic[M]):
    """Equal for the same snapshot and way of looking."""

    snapshot: Snapshot[M]
    anew: bool
    told: set[str] = field(compare=False)

    def __call__(self) -> None:
        if self.snapshot.refresh(self.anew):
            _log.info("%s: %s", self.snapshot.name, self.snapshot.current.value.contents())
        self._tell()

    def _tell(self) -> None:
        """What is wrong, once for as long as it lasts."""
        complaints = list(map(str, self.snapshot.current.value.problems))
        if self.snapshot.last_error is not None:
            complaints.append(f"the version in force stays: {self.snapshot.last_error}")
        for complaint in complaints:
            if complaint not in self.told:
                _log.warning("%s: %s", self.snapshot.name, complaint)
        self.told.intersection_update(complaints)
        self.told.update(complaints)


def watching(snapshot: Snapshot[M], every: timedelta) -> tuple[Periodic, ...]:
    """Takes up changes of files within seconds, reads all of them ``every`` so often, and logs what is wrong."""
    told: set[str] = set()
    look, reading = _Watch(snapshot, False, told), _Watch(snapshot, True, told)
    return Periodic(f"{snapshot.name}, changes", LOOK, look), Periodic(snapshot.name, every, reading)


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


def material_state(snapshot: Snapshot[M], moment: datetime) -> list[tuple[str, str]]:
    """Lines for the status page about trust material: also what is in it and when it was last looked at."""
    looked_at = snapshot.looked_at
    lines = [("Contents", f"{snapshot.name}, {snapshot.current.value.contents()}")]
    if looked_at is not None:
        lines.append(("LastLook", f"{snapshot.name}, {(moment - looked_at).total_seconds():.0f} s ago"))
    return lines + state_of(snapshot, snapshot.current.value.problems)


def trust_state(snapshot: Snapshot[TrustAnchors], moment: datetime) -> list[tuple[str, str]]:
    """The same for trust anchors, and what monitoring should watch: when the next CA has its users locked out."""
    trust = snapshot.current.value
    lines = material_state(snapshot, moment)
    expiry = trust.next_crl_expiry(moment)
    if expiry is not None:
        lines.append(("NextCrlExpiryHours", f"{(expiry - moment) / timedelta(hours=1):.1f}"))
    for crl in trust.outdated_crls(moment):
        lines.append(("Problem", f"the CRL of {crl.issuer.readable()} expired on {crl.next_update:%Y-%m-%d %H:%M} UTC"))
    return lines
