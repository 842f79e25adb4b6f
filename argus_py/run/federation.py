"""The copies of other PAPs: when each is fetched, what becomes of it, and what the status page says of it.

A remote pap is fetched at the start, at intervals, after a change of the interval, when ``refresh-cache`` says so, and
from a PAP of our kind at the moment when it changes. Each has threads of its own, so that one which hangs holds up no
other. After a failure the next attempt comes soon, and then at growing intervals; the copy stays as it is.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from argus_py.clients.changes import ChangesRefused, HttpChanges
from argus_py.clients.pap import HttpRemotePap, PapFailed
from argus_py.clients.transport import ClientCredential, ClientTls, Timeouts, Transport
from argus_py.config.pap import PapSettings
from argus_py.credentials.trust import TrustAnchors
from argus_py.errors import ArgusError, Unavailable
from argus_py.model.policy_news import News
from argus_py.pap.authorization import parse_dn
from argus_py.pap.distribution import polling_interval
from argus_py.pap.federation import Copy, Element, UnusableAnswer, copy_of, ids_of_ours, take_up
from argus_py.pap.paps import Pap, RemoteState
from argus_py.pap.ports import PolicyRepository
from argus_py.pap.provisioning import service_of
from argus_py.run.credential import follow_credential
from argus_py.run.following import Changes, Follower
from argus_py.run.parts import now
from argus_py.run.servers import Periodic, Steady, go_on, repeat
from argus_py.snapshot import Snapshot
from argus_py.web.status import java_time
from argus_py.xacml.making_room import give_memory_back, no_collections

_log = logging.getLogger(__name__)

FIRST_RETRY: Final = timedelta(seconds=1)
LONGEST_RETRY: Final = timedelta(minutes=10)
SHORTEST_INTERVAL: Final = timedelta(seconds=1)  # BETTER: with 0 a Java PAP is busy with nothing else
_LOOK: Final = timedelta(seconds=0.5)  # between looks at which remote paps there are
_NOTED: Final = timedelta(minutes=1)  # so often a copy that has not changed is written to be known as young
_TIMEOUTS: Final = Timeouts(connect=timedelta(seconds=5), answer=timedelta(minutes=2))  # 50 megabytes from far away


class Origin(Protocol):
    """Where a pap is copied from; see ``clients.pap.HttpRemotePap``."""

    def fetch(self) -> tuple[Element, ...]: ...


@dataclass(frozen=True, slots=True)
class Peer:
    """A remote PAP; ``upkeep`` is to be repeated while it is in use."""

    origin: Origin
    changes: Changes
    upkeep: tuple[Periodic, ...] = ()


class Mirror:
    """The copy of one remote pap. Safe to be called from many threads, of which one fetches at a time."""

    def __init__(
        self,
        pap: Pap,
        peer: Peer,
        repository: PolicyRepository,
        interval: Callable[[], timedelta],
        clock: Callable[[], datetime] = now,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pap = pap
        self.state = repository.remote_states().get(pap.id, RemoteState())
        self.follower = Follower(peer.changes, self._follow, monotonic, self._confirm)
        self._peer = peer
        self._repository = repository
        self._interval = interval
        self._clock = clock
        self._one_at_a_time = threading.Lock()
        self._copy: Copy | None = None
        self._noted_at: datetime | None = None
        self._told = ""
        self._pause = FIRST_RETRY
        self._stopped = threading.Event()
        self._wake = threading.Event()

    def refresh(self) -> None:
        """Fetch it, and make what it has now the copy. Raises ArgusError: the copy stays, ``state`` says why."""
        with self._one_at_a_time:
            try:
                self._refresh()
            except ArgusError as error:
                self._failed(error)
                raise
            self._tell("")
            self._note(RemoteState(self._clock()))

    def poll(self) -> timedelta:
        """Fetches it; returns for how long to leave it alone."""
        interval = max(self._interval(), SHORTEST_INTERVAL)
        if self._is_refreshed():
            self._pause = FIRST_RETRY
            return interval
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_RETRY)
        return min(pause, interval)

    def start(self) -> None:
        """In threads that end after ``stop``, but are not worth waiting for."""
        name = self.pap.alias
        _in_thread(f"polls of {name}", go_on, Steady(f"polls of {name}", self.poll), self._wait)
        steady = Steady(f"changes of {name}", self.follower.step)
        _in_thread(steady.name, go_on, steady, self._stopped.wait)
        for task in self._peer.upkeep:
            _in_thread(task.name, repeat, task, self._stopped.wait)

    def stop(self) -> None:
        self._stopped.set()
        self._wake.set()

    def poll_now(self) -> None:
        """Whatever the interval says."""
        self._wake.set()

    @property
    def age(self) -> timedelta | None:
        """Since the copy was last known to be what the remote has; None: it never was."""
        at = self.state.confirmed_at
        return None if at is None else max(self._clock() - at, timedelta())

    def line(self) -> str:
        """For the status page; what may hold any text comes last."""
        state, age = self.state, self.age
        facts = {
            "alias": self.pap.alias,
            "endpoint": self.pap.remote.endpoint if self.pap.remote else "-",
            "confirmedAt": java_time(state.confirmed_at) if state.confirmed_at else "never",
            "ageSeconds": "-" if age is None else f"{age.total_seconds():.0f}",
            "quarantined": "true" if state.quarantined else "false",
            "changes": self.follower.hearing.value,
            "lastErrorAt": java_time(state.failed_at) if state.failed_at else "-",
            "lastError": state.reason or "-",
        }
        return "; ".join(f"{name}={value}" for name, value in facts.items())

    def _refresh(self) -> None:
        with no_collections():
            answer = self._peer.origin.fetch()
            give_memory_back()  # it has been read from XML
            with self._repository.read() as reader:
                ours = ids_of_ours(reader)
            copy = copy_of(answer, ours, self._copy)
            if copy is None:
                return
            if take_up(self._repository, self.pap, copy):
                _log.info("the policies of %s are taken up: %d resources", self._name, len(copy.resources))
        if copy.ours and (self._copy is None or self._copy.ours != copy.ours):
            _log.warning(
                "%s sends back %d of our own resources, which are left out: it copies them from here, or from one that "
                "does, and should make that copy private",
                self._name,
                len(copy.ours),
            )
        self._copy = copy

    def _is_refreshed(self) -> bool:
        with suppress(ArgusError):
            self.refresh()
            return True
        return False

    def _follow(self, _made: float | None) -> bool:
        """What is unusable now is so until it changes again."""
        return self._is_refreshed() or self.state.quarantined

    def _confirm(self) -> None:
        """The remote says that nothing has changed."""
        with self._one_at_a_time:
            if self.state.reason is not None or self.state.confirmed_at is None:
                return
            self.state = RemoteState(self._clock())
            if self._noted_at is None or self._clock() - self._noted_at >= _NOTED:
                self._note(self.state)

    def _failed(self, error: ArgusError) -> None:
        reason = str(error)
        quarantined = isinstance(error, UnusableAnswer)
        self._tell(
            f"the policies of {self._name} are unusable, and the copy stays as it is: {reason}"
            if quarantined
            else f"Error connecting to {self._name}: {reason}"  # COMPAT: operators look for it
        )
        self._note(RemoteState(self.state.confirmed_at, self._clock(), reason, quarantined))

    def _note(self, state: RemoteState) -> None:
        self.state = state
        self._noted_at = self._clock()
        with suppress(Unavailable):  # the state of a database that is out of reach is told elsewhere
            self._repository.note_remote(self.pap, state)

    def _tell(self, trouble: str) -> None:
        """Once for as long as it lasts."""
        if trouble != self._told:
            if trouble:
                _log.error("%s", trouble)
            else:
                _log.info("%s: all is well again", self._name)
        self._told = trouble

    @property
    def _name(self) -> str:
        return f"{self.pap.alias} ({self.pap.remote.endpoint if self.pap.remote else '-'})"

    def _wait(self, seconds: float) -> bool:
        self._wake.wait(seconds)
        self._wake.clear()
        return self._stopped.is_set()


class Federation:
    """A mirror for each remote pap that there is."""

    def __init__(
        self,
        repository: PolicyRepository,
        peer_of: Callable[[Pap], Peer],
        longest: timedelta | None = None,
        clock: Callable[[], datetime] = now,
        run: Callable[[Mirror], None] = Mirror.start,
    ) -> None:
        """``longest``: a copy that has not been confirmed for longer is warned of; None: any age will do.

        ``run`` begins to keep a mirror up to date.
        """
        self._repository = repository
        self._peer_of = peer_of
        self._longest = longest
        self._clock = clock
        self._run = run
        self._changing = threading.Lock()
        self._mirrors: dict[str, Mirror] = {}  # by pap id; replaced, never edited
        self._interval = SHORTEST_INTERVAL
        self._revision: int | None = None
        self._too_old: frozenset[str] = frozenset()

    def step(self) -> timedelta:
        """Take note of remote paps that were added, removed or changed, and of the interval."""
        try:
            if self._repository.revision() != self._revision:
                self._look()
        except Unavailable as error:
            _log.debug("the remote paps are not known: %s", error)  # who else needs the store tells it louder
        self._warn()
        return _LOOK

    def refresh(self, pap: Pap) -> None:
        """The Refresher of ``pap.distribution``. Raises ArgusError: what went wrong."""
        self._mirror_of(pap).refresh()

    def close(self) -> None:
        """Let the threads of all mirrors end."""
        with self._changing:
            for mirror in self._mirrors.values():
                mirror.stop()
            self._mirrors = {}

    def lines(self) -> list[tuple[str, str]]:
        """For the status page."""
        mirrors = self._mirrors.values()
        lines = [("RemotePap", mirror.line()) for mirror in mirrors]
        return lines + [("Problem", _too_old(mirror)) for mirror in mirrors if mirror.pap.id in self._too_old]

    def _look(self) -> None:
        with self._repository.read() as reader:
            revision, interval = reader.revision, polling_interval(reader)
            remote = [pap for pap in reader.paps() if not pap.is_local]
        changed, self._interval = interval != self._interval, interval
        known = [self._mirror_of(pap) for pap in remote]
        with self._changing:
            for mirror in self._mirrors.values():
                if mirror not in known:
                    mirror.stop()
            self._mirrors = {mirror.pap.id: mirror for mirror in known}
        if changed and self._revision is not None:
            for mirror in known:
                mirror.poll_now()
        self._revision = revision

    def _mirror_of(self, pap: Pap) -> Mirror:
        """A pap that is copied from elsewhere now is begun anew."""
        with self._changing:
            mirror = self._mirrors.get(pap.id)
            if mirror is not None and mirror.pap.remote == pap.remote:
                return mirror
            if mirror is not None:
                mirror.stop()
            mirror = Mirror(pap, self._peer(pap), self._repository, lambda: self._interval, self._clock)
            self._mirrors = self._mirrors | {pap.id: mirror}
            self._run(mirror)
            return mirror

    def _peer(self, pap: Pap) -> Peer:
        try:
            return self._peer_of(pap)
        except ArgusError as error:
            nobody = _Nobody(pap.remote.endpoint if pap.remote else "-", str(error))
            return Peer(nobody, nobody)

    def _warn(self) -> None:
        """Of each copy that has become too old, once."""
        mirrors = self._mirrors.values()
        longest = self._longest
        too_old = [m for m in mirrors if longest is not None and m.age is not None and m.age > longest]
        for mirror in too_old:
            if mirror.pap.id not in self._too_old:
                _log.warning("%s", _too_old(mirror))
        self._too_old = frozenset(mirror.pap.id for mirror in too_old)


def _too_old(mirror: Mirror) -> str:
    hours = (mirror.age or timedelta()) / timedelta(hours=1)
    return f"the copy of {mirror.pap.alias} was last confirmed {hours:.1f} hours ago, and stays in force"


@dataclass(frozen=True, slots=True)
class _Nobody:
    """A remote PAP that cannot even be asked."""

    service: str
    reason: str

    def fetch(self) -> tuple[Element, ...]:
        raise PapFailed(self.service, self.reason)

    def after(self, _known: str | None) -> News | None:
        raise ChangesRefused(self.service, self.reason)


def remote_peers(settings: PapSettings, trust: Snapshot[TrustAnchors]) -> Callable[[Pap], Peer]:
    """How remote PAPs are reached: with the host certificate, and each judged by its DN if that was given.

    BETTER: Java looks neither at the name of the host nor at that DN.
    """
    credential = ClientCredential(settings.certificate, settings.private_key)

    def peer_of(pap: Pap) -> Peer:
        """Raises DnSyntaxError, PeerUnreachable: of the pap; ConfigurationError: the host certificate is unusable."""
        if pap.remote is None:
            raise ValueError(f"pap {pap.alias} is local")
        dn = None if pap.remote.dn is None else parse_dn(pap.remote.dn)
        calls = Transport(_TIMEOUTS, ClientTls(credential, trust, now, dn))
        service = service_of(pap.remote)
        return Peer(
            HttpRemotePap(service, settings.entity_id, calls, now),
            HttpChanges(service, calls),
            follow_credential(calls),
        )

    return peer_of


def _in_thread(name: str, run: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=run, args=arguments, name=name, daemon=True).start()
