"""The accounts of a gridmapdir by inode and by pool, from one pass over the names: candidates, not answers.

A directory entry tells its inode number, so a hundred thousand files are known without a look at any of them: an
account whose inode has a second name is leased. All of that may have changed since; who uses it looks at the file.
"""

import os
import random
import re
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from argus_py.store.lease_removal import CLAIM_PREFIX, TEMPORARY_PREFIX

SAMPLE: Final = 16  # accounts looked at for one lease: the oldest of 16 is among the oldest 6 % of the pool on average
_ACCOUNT = re.compile(r"[A-Za-z][A-Za-z0-9._-]*[0-9]")
_DIGITS: Final = "0123456789"
_LEASE_PREFIX: Final = "%2f"  # the first slash of every DN

Look = Callable[[str], os.stat_result | None]  # lstat by name; None: there is no such file


class Entry(Protocol):
    """What is needed of an os.DirEntry."""

    @property
    def name(self) -> str: ...

    def inode(self) -> int: ...

    def stat(self, *, follow_symlinks: bool) -> os.stat_result: ...


@dataclass(frozen=True, slots=True)
class PoolUse:
    """``used`` accounts have one lease each, ``damaged`` ones several; ``oldest_use``: the last use of the idlest one.

    ``pool`` is the name of its accounts without the digits at the end.
    """

    pool: str
    size: int
    used: int
    free: int
    damaged: int
    oldest_use: datetime | None


@dataclass(frozen=True, slots=True)
class PoolLease:
    """A lease of one pool that looked in order; ``used_ns``: its last use, by the clock of the file server."""

    used_ns: int
    account: str
    lease: str


class AccountIndex:
    """One listing; safe to share between threads."""

    def __init__(self, entries: Iterable[tuple[str, int]], listed_at: float = 0.0) -> None:
        """``entries``: all names of the directory with their inodes; ``listed_at``: when the listing began."""
        self.listed_at = listed_at
        self._account_of: dict[int, str] = {}
        self._stems: dict[str, list[tuple[str, int]]] = {}
        self._lease_of: dict[int, str] = {}  # or whatever else occupies the inode
        temporaries: list[str] = []
        for name, inode in entries:
            if is_account(name):
                if inode in self._account_of:
                    self._lease_of[inode] = name  # two accounts are one file: neither is free
                self._account_of[inode] = name
                self._stems.setdefault(name.rstrip(_DIGITS), []).append((name, inode))
                continue
            if name.startswith(TEMPORARY_PREFIX):
                temporaries.append(name)
            if not name.startswith(CLAIM_PREFIX):  # a claim may have ended without a lease
                self._lease_of[inode] = name
        self.temporaries = tuple(temporaries)
        self._pools: dict[str, _Pool] = {}
        self._lock = threading.Lock()

    def account(self, inode: int) -> str | None:
        return self._account_of.get(inode)

    def any_account(self) -> str | None:
        return next(iter(self._account_of.values()), None)

    def size(self, pool: str) -> int:
        with self._lock:
            return self._pool(pool).size

    def draw(self, pool: str, rng: random.Random) -> list[str]:
        """Some accounts of the pool that may be free, at random; none when all have been found taken of late."""
        with self._lock:
            return self._pool(pool).draw(rng)

    def strike(self, pool: str, account: str) -> None:
        """It is taken: the last few of these are drawn again when nothing else is left, as a claim may be withdrawn."""
        with self._lock:
            self._pool(pool).strike(account)

    def has_candidates(self, pool: str) -> bool:
        """Whether there are accounts that have not been found taken."""
        with self._lock:
            return self._pool(pool).has_candidates()

    def leases(self, pool: str, look: Look) -> list[PoolLease]:
        """Looks at every leased account of the pool; longest unused first."""
        found = []
        for account, inode in self._members(pool):
            lease = self._lease_of.get(inode)
            if lease is None or not lease.startswith(_LEASE_PREFIX):
                continue
            seen = look(account)
            if seen is not None and seen.st_ino == inode and seen.st_nlink == 2:
                found.append(PoolLease(seen.st_mtime_ns, account, lease))
        return sorted(found, key=lambda lease: lease.used_ns)

    def use(self, look: Look) -> tuple[PoolUse, ...]:
        """Looks at every account that has a second name; by pool."""
        return tuple(self._use_of(stem, look) for stem in sorted(self._stems))

    def _use_of(self, stem: str, look: Look) -> PoolUse:
        members = self._stems[stem]
        free = damaged = 0
        uses = []
        for account, inode in members:
            seen = look(account) if inode in self._lease_of else None
            if seen is None or seen.st_nlink == 1:
                free += 1
            elif seen.st_nlink == 2:
                uses.append(seen.st_mtime)
            else:
                damaged += 1
        oldest = datetime.fromtimestamp(min(uses), UTC) if uses else None
        return PoolUse(stem, len(members), len(uses), free, damaged, oldest)

    def _members(self, pool: str) -> list[tuple[str, int]]:
        stem = pool.rstrip(_DIGITS)
        return [member for member in self._stems.get(stem, ()) if in_pool(member[0], pool)]

    def _pool(self, pool: str) -> "_Pool":
        found = self._pools.get(pool)
        if found is None:
            members = self._members(pool)
            free = [account for account, inode in members if inode not in self._lease_of]
            found = self._pools[pool] = _Pool(len(members), free)
        return found


class _Pool:
    """The candidates of one pool. Not for several threads at a time."""

    def __init__(self, size: int, accounts: list[str]) -> None:
        self.size = size
        self._accounts = accounts
        self._position = {account: position for position, account in enumerate(accounts)}
        self._struck: deque[str] = deque(maxlen=SAMPLE)

    def has_candidates(self) -> bool:
        return bool(self._accounts)

    def draw(self, rng: random.Random) -> list[str]:
        if not self._accounts:
            return list(self._struck)
        return rng.sample(self._accounts, min(SAMPLE, len(self._accounts)))

    def strike(self, account: str) -> None:
        position = self._position.pop(account, None)
        if position is None:
            return
        last = self._accounts.pop()
        if last != account:
            self._accounts[position] = last
            self._position[last] = position
        self._struck.append(account)


def list_accounts(directory: Path, listed_at: float = 0.0) -> AccountIndex:
    """Raises OSError: the directory cannot be read."""
    with os.scandir(directory) as entries:
        return AccountIndex(inode_numbers(entries), listed_at)


def inode_numbers(entries: Iterable[Entry]) -> Iterator[tuple[str, int]]:
    """Names and inodes. Some file systems in user space have no inode numbers in their directories; then files tell."""
    is_true: bool | None = None
    for entry in entries:
        try:
            if is_true is None:
                is_true = entry.inode() == entry.stat(follow_symlinks=False).st_ino
            yield entry.name, entry.inode() if is_true else entry.stat(follow_symlinks=False).st_ino
        except FileNotFoundError:
            continue  # removed since it was listed


def is_account(name: str) -> bool:
    return name[-1] in _DIGITS and _ACCOUNT.fullmatch(name) is not None


def in_pool(account: str, pool: str) -> bool:
    """BETTER: a prefix and digits; Java takes all digits off the end, so the pool ``.cms1`` cannot be used there."""
    number = account.removeprefix(pool)
    return account.startswith(pool) and number.isdigit()  # names of accounts are ASCII


def is_free(account: os.stat_result) -> bool:
    return stat.S_ISREG(account.st_mode) and account.st_nlink == 1
