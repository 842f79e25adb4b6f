"""A policy repository in memory, for tests and throw-away daemons: nothing survives the process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from argus_py.pap.paps import Pap, PapExists, PapNotFound
from argus_py.xacml.policy import PolicySet


class _Content:
    """A PolicyWriter over values of its own."""

    def __init__(
        self, revision: int, changed_at: datetime, paps: tuple[Pap, ...], resources: dict[str, tuple[PolicySet, ...]]
    ) -> None:
        self.revision = revision
        self.changed_at = changed_at
        self.changed = False
        self._paps = paps
        self._resources = resources

    def copy(self) -> "_Content":
        return _Content(self.revision, self.changed_at, self._paps, dict(self._resources))

    def paps(self) -> tuple[Pap, ...]:
        return self._paps

    def resources(self, pap: Pap) -> tuple[PolicySet, ...]:
        return self._resources.get(pap.id, ())

    def add_pap(self, pap: Pap) -> None:
        if any(other.alias == pap.alias for other in self._paps):
            raise PapExists(pap.alias)
        self._paps += (pap,)
        self.changed = True

    def store(self, pap: Pap, resources: tuple[PolicySet, ...]) -> None:
        if all(other.id != pap.id for other in self._paps):
            raise PapNotFound(pap.alias)
        self._paps = tuple(pap if other.id == pap.id else other for other in self._paps)
        self._resources[pap.id] = resources
        self.changed = True


class MemoryPolicies:
    """A PolicyRepository."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._committed = _Content(0, datetime.fromtimestamp(0, UTC), (), {})
        self._writing = threading.Lock()
        self._told: list[Callable[[], None]] = []

    def revision(self) -> int:
        return self._committed.revision

    @contextmanager
    def read(self) -> Iterator[_Content]:
        yield self._committed.copy()

    @contextmanager
    def change(self) -> Iterator[_Content]:
        with self._writing:
            content = self._committed.copy()
            yield content
            if not content.changed:
                return
            content.revision += 1
            content.changed_at = self._clock()
            self._committed = content
        for tell in self._told:
            tell()

    def on_commit(self, tell: Callable[[], None]) -> None:
        self._told.append(tell)
