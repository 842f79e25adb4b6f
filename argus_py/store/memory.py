"""A policy repository in memory, for tests and throw-away daemons: nothing survives the process."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from argus_py.pap.history import Change, Note
from argus_py.pap.paps import Pap, RemoteState
from argus_py.pap.ports import RevisionNotFound
from argus_py.store.policy_state import StateWriter, StoredState

_NEVER = datetime.fromtimestamp(0, UTC)


class MemoryPolicies:
    """A PolicyRepository."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._states = [StoredState()]  # that of revision n is number n
        self._changes: list[Change] = []
        self._remote_states: dict[str, RemoteState] = {}
        self._writing = threading.Lock()
        self._told: list[Callable[[], None]] = []

    def revision(self) -> int:
        return len(self._states) - 1

    @contextmanager
    def read(self, revision: int | None = None) -> Iterator[StateWriter]:
        wanted = self.revision() if revision is None else revision
        if not 0 <= wanted < len(self._states):
            raise RevisionNotFound(wanted)
        yield self._at(wanted, self._clock())

    @contextmanager
    def change(self, note: Note) -> Iterator[StateWriter]:
        with self._writing:
            now = self._clock()
            writer = self._at(self.revision(), now)
            before = writer.state
            yield writer
            if writer.state is before:
                return
            self._changes.append(Change(len(self._states), now, note))
            self._states.append(writer.state)
        for tell in self._told:
            tell()

    def changes(self, before: int | None = None, limit: int = 50) -> tuple[Change, ...]:
        newest_first = reversed(self._changes)
        return tuple(change for change in newest_first if before is None or change.revision < before)[:limit]

    def remote_states(self) -> Mapping[str, RemoteState]:
        return dict(self._remote_states)

    def note_remote(self, pap: Pap, state: RemoteState) -> None:
        if any(other.id == pap.id for other in self._states[-1].paps):
            self._remote_states[pap.id] = state

    def on_commit(self, tell: Callable[[], None]) -> None:
        self._told.append(tell)

    def _at(self, revision: int, now: datetime) -> StateWriter:
        changed_at = self._changes[revision - 1].made_at if revision else _NEVER
        return StateWriter(revision, changed_at, self._states[revision], now)
