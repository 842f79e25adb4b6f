"""Accounts of an exhausted pool, taken back from those who were not seen for as long as the site says."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from os import stat_result
from pathlib import Path

from argus_py.store.account_index import PoolLease
from argus_py.store.lease_removal import Removal, remove_lease

_log = logging.getLogger(__name__)


class IdleLeases:
    """Safe to share between threads.

    One list of all leases of a pool serves many calls: uses since then only make them younger.
    """

    def __init__(
        self, directory: Path, limit: timedelta, now: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        """``limit``: no lease used since then is taken; ``now``: seconds since 1970."""
        self._directory = directory
        self._limit = limit.total_seconds()
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._listed: dict[str, list[PoolLease]] = {}  # by pool, the longest unused one last
        self._none_before: dict[str, float] = {}  # by pool, when the next one is long enough unused

    def take(self, pool: str, list_leases: Callable[[], list[PoolLease]], successor: str) -> str | None:
        """The account of the longest unused lease, which is removed; None when no lease is long enough unused.

        ``list_leases`` gives those of the pool, the longest unused one first. Raises OSError: the directory fails.
        """
        with self._lock:
            if self._now() < self._none_before.get(pool, 0.0):
                return None
            if not self._listed.get(pool):
                self._listed[pool] = list_leases()[::-1]
        while (idle := self._next(pool)) is not None:
            removal = remove_lease(self._directory, idle.lease, partial(_is_changed, idle), self._sleep)
            if removal is Removal.REMOVED:
                seen = datetime.fromtimestamp(idle.used_ns // 1_000_000_000, UTC).isoformat()
                _log.warning(
                    "took the account %s in %s from %s, who was last seen at %s, for %s",
                    *(idle.account, self._directory, idle.lease, seen, successor),
                )
                return idle.account
        return None

    def _next(self, pool: str) -> PoolLease | None:
        """The longest unused lease that was listed and not taken yet, if it is long enough unused."""
        with self._lock:
            now, leases = self._now(), self._listed[pool]
            if leases and now - leases[-1].used_ns / 1e9 >= self._limit:
                return leases.pop()
            # Of a pool without any lease in order there may be one in a second.
            self._none_before[pool] = leases[-1].used_ns / 1e9 + self._limit if leases else now + 1
            return None


def _is_changed(idle: PoolLease, lease: stat_result) -> bool:
    """Whether it was used since it was listed, or its account has got another lease."""
    return lease.st_nlink != 2 or lease.st_mtime_ns != idle.used_ns
