"""Accounts of an exhausted pool, taken back from those who were not seen for as long as the site says."""

import logging
import threading
from collections.abc import Callable, Iterator
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

    def __init__(self, directory: Path, limit: timedelta, now: Callable[[], float]) -> None:
        """``limit``: no lease used since then is taken; ``now``: seconds since 1970."""
        self._directory = directory
        self._limit = limit.total_seconds()
        self._now = now
        self._lock = threading.Lock()
        self._listed: dict[str, list[PoolLease]] = {}  # by pool, the longest unused one last
        self._none_before: dict[str, float] = {}  # by pool, when the next one is long enough unused

    def take(self, pool: str, list_leases: Callable[[], list[PoolLease]], successor: str) -> str | None:
        """The account of the longest unused lease, which is removed; None when no lease is long enough unused.

        ``list_leases`` gives those of the pool, the longest unused one first. Raises OSError: the directory fails.
        """
        with self._lock:
            for idle in self._idle(pool, list_leases):
                if remove_lease(self._directory, idle.lease, partial(_is_changed, idle)) is Removal.REMOVED:
                    seen = datetime.fromtimestamp(idle.used_ns // 1_000_000_000, UTC).isoformat()
                    _log.warning(
                        "took the account %s in %s from %s, who was last seen at %s, for %s",
                        *(idle.account, self._directory, idle.lease, seen, successor),
                    )
                    return idle.account
        return None

    def _idle(self, pool: str, list_leases: Callable[[], list[PoolLease]]) -> Iterator[PoolLease]:
        now = self._now()
        if now < self._none_before.get(pool, 0.0):
            return
        leases = self._listed.get(pool)
        if not leases:
            leases = self._listed[pool] = list_leases()[::-1]
        while leases and now - leases[-1].used_ns / 1e9 >= self._limit:
            yield leases.pop()
        # Of a pool without any lease in order there may be one in a second.
        self._none_before[pool] = leases[-1].used_ns / 1e9 + self._limit if leases else now + 1


def _is_changed(idle: PoolLease, lease: stat_result) -> bool:
    """Whether it was used since it was listed, or its account has got another lease."""
    return lease.st_nlink != 2 or lease.st_mtime_ns != idle.used_ns
