"""What is refreshed while requests run: policy, trust anchors, map files.

A new version is loaded aside and swapped in one assignment; a failure keeps the version in force and is told.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from argus_py.errors import ArgusError, Unavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Version(Generic[T]):
    """One loaded value; ``number`` counts from 1 and grows with every swap, ``loaded_at`` is an aware UTC time."""

    value: T
    number: int
    loaded_at: datetime


class Snapshot(Generic[T]):
    """The version in force of one refreshed thing, and the last error of its loader.

    >>> from datetime import UTC
    >>> s = Snapshot("policy", lambda: "text", clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    >>> s.refresh()
    True
    >>> s.current.value, s.current.number
    ('text', 1)
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], T],
        clock: Callable[[], datetime],
        forget: Callable[[], None] | None = None,
    ) -> None:
        """``forget`` makes a loader that spares itself what seems unchanged look at everything the next time."""
        self.name = name
        self.last_error: ArgusError | OSError | None = None
        self.looked_at: datetime | None = None  # the last time the source could be used, changed or not
        self._load = load
        self._forget = forget
        self._clock = clock
        self._current: Version[T] | None = None
        self._loading = threading.Lock()

    @property
    def current(self) -> Version[T]:
        """Raises Unavailable: before the first successful load."""
        if self._current is None:
            reason = f": {self.last_error}" if self.last_error else ""
            raise Unavailable(f"no {self.name} has been loaded yet{reason}")
        return self._current

    @property
    def ready(self) -> bool:
        return self._current is not None

    def refresh(self, anew: bool = False) -> bool:
        """Load a new version and swap it in if it differs; true if something changed. Never raises for a bad source.

        ``anew``: nothing is spared because it seems unchanged.
        """
        with self._loading:
            if anew and self._forget is not None:
                self._forget()
            try:
                value = self._load()
            except (ArgusError, OSError) as error:
                self.last_error = error
                return False
            self.last_error = None
            self.looked_at = self._clock()
            if self._current is not None and (self._current.value is value or self._current.value == value):
                return False
            self._current = Version(value, self._current.number + 1 if self._current else 1, self.looked_at)
            return True

    def adopt(self, value: T, loaded_at: datetime) -> None:
        """Put a value in force that the loader did not give; what there is to say of its last failure stays."""
        with self._loading:
            self._current = Version(value, self._current.number + 1 if self._current else 1, loaded_at)
