"""The gridmapdir: pool accounts are empty files, a lease is a hard link to one of them, made by whoever maps first.

Argus, LCMAPS and Globus daemons of several hosts share such a directory without locks. Rules all of them rely on:

INVARIANT: link() is the only claim; a free account has one link, a leased one two; whoever sees more than two after
its own link() takes its link back. The modification time of the (common) inode is the time of the last use.

BETTER: Java waits for nothing, gives up after ten looks, and lists the accounts of a pool every 3.5 days. Here every
answer is verified after the touch, a lease that lost its account is replaced, and all waiting ends at a deadline.

Source: argus-pep-server:.../obligation/dfpmap/LockFreeMappingStrategy.java, GridMapDirPoolAccountManager.java
"""

import logging
import os
import random
import re
import secrets
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from argus_py.errors import ConfigurationError, Unavailable, Unmapped
from argus_py.model.dn import escape_controls

_log = logging.getLogger(__name__)

DEADLINE: Final = timedelta(seconds=3)  # a race is over within milliseconds; what lasts longer is damage
_PAUSE: Final = (0.01, 0.1)  # seconds, at random, as the other programs do: two that collide part at the second try
_LOOKS: Final = 3  # a pool is exhausted if it was so this often in a row: an account may be held by one who withdraws
_SETTLED_NS: Final = 200_000_000  # a claim this old has been verified or withdrawn by its maker
_REMEMBERED: Final = 100_000  # leases whose account is known; more than accounts of any site
_NAME_MAX: Final = 255  # bytes of a file name, on every file system in use
_ACCOUNT = re.compile(r"[A-Za-z][A-Za-z0-9._-]*[0-9]")


class GridMapDirUnavailable(Unavailable):
    """The directory cannot be read or written, or a lease stayed in motion until the deadline."""


class PoolExhausted(Unmapped):
    """Carries ``pool`` and ``size``, the number of its accounts; none of them is free."""

    def __init__(self, directory: Path, pool: str, size: int) -> None:
        super().__init__(f"no free account in the pool {pool!r} of {directory}: all {size} are leased or damaged")
        self.pool = pool
        self.size = size


class NoSuchPool(Unmapped):
    """Carries ``pool``, a prefix that no account of the directory has."""

    def __init__(self, directory: Path, pool: str) -> None:
        super().__init__(f"{directory} has no account of the pool {pool!r}")
        self.pool = pool


class LeaseOfAnotherPool(Unmapped):
    """The map files changed and the subject still holds an account of its old pool; carries ``lease``, ``account``."""

    def __init__(self, directory: Path, lease: str, account: str, pool: str) -> None:
        super().__init__(
            f"the lease {lease} in {directory} belongs to the account {account}, which is not of the pool {pool!r}; "
            "remove the lease once the account is idle"
        )
        self.lease = lease
        self.account = account
        self.pool = pool


class DamagedLease(Unmapped):
    """The lease belongs to no account, or shares its account with another one; carries ``lease``."""

    def __init__(self, directory: Path, lease: str, reason: str) -> None:
        super().__init__(f"the lease {lease} in {directory} is damaged: {reason}")
        self.lease = lease
        self.reason = reason


class UnusableLeaseName(Unmapped):
    """The name cannot be a file name: too long (a long DN or many groups), or with a slash in a group."""

    def __init__(self, lease: str, reason: str) -> None:
        super().__init__(f"{escape_controls(lease[:_NAME_MAX])!r} cannot be the name of a lease: {reason}")
        self.lease = lease
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Listing:
    changed_ns: int  # modification time of the directory before it was listed
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """The account of a lease when this process last answered with it."""

    inode: int
    account: str


class GridMapDir:
    """A LeaseStore on a directory; safe to share between threads, processes and hosts.

    ``clock`` counts seconds and never goes back; ``rng`` spreads candidates and pauses.
    """

    def __init__(
        self,
        path: Path,
        rng: random.Random,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        deadline: timedelta = DEADLINE,
    ) -> None:
        """Raises ConfigurationError: the directory does not exist or this process may not use it."""
        _check_directory(path)
        self._path = path
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._deadline = deadline.total_seconds()
        # INVARIANT: one lock per name, or a damaged lease makes strangers wait; an entry goes with its last user.
        self._locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._choosing_lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._listing = _Listing(0, ())

    def lease(self, name: str, pool: str) -> str:
        """See LeaseStore. Every call sets the modification time of the account: expiry tools go by it."""
        _check_name(name)
        give_up = self._clock() + self._deadline
        with self._locked(name):
            try:
                return self._lease(name, pool, give_up)
            except OSError as error:
                raise GridMapDirUnavailable(f"cannot lease {name} in {self._path}: {error.strerror}") from error

    def _lease(self, name: str, pool: str, give_up: float) -> str:
        fruitless = 0  # looks at the pool, in a row, that found no free account
        while True:
            lease = self._stat(name)
            account: str | None = None
            if lease is None:
                free = self._free_accounts(pool, relist=fruitless > 0)
                fruitless = 0 if free else fruitless + 1
                if fruitless == _LOOKS:
                    raise PoolExhausted(self._path, pool, len(self._accounts(pool)))
                account = self._claim(name, free)
            elif not stat.S_ISREG(lease.st_mode):
                raise DamagedLease(self._path, name, "it is not a regular file")
            elif lease.st_nlink == 2:
                account = self._reuse(name, lease, pool)
            elif lease.st_nlink == 1:
                remove_unless_leased(self._path, name)
            if account is not None:
                return account
            if self._clock() >= give_up:
                raise self._unsettled(name, lease)
            self._sleep(self._rng.uniform(*_PAUSE))

    def _claim(self, name: str, free: list[str]) -> str | None:
        """One of the free accounts, or None to look again: somebody else made this lease or took the same account."""
        for account in free:
            try:
                os.link(self._path / account, self._path / name, follow_symlinks=False)
            except FileNotFoundError:
                continue  # the account was removed meanwhile
            except FileExistsError:
                return None  # also what NFS says when its first answer, a success, was lost
            claimed = self._stat(account)
            if claimed is None:
                return None
            if self._verify(name, claimed.st_ino) is None:
                self._withdraw(name, claimed.st_ino)
                return None
            if self._touch(name, claimed.st_ino) is None:
                return None
            self._remember(name, _Known(claimed.st_ino, account))
            return account
        return None

    def _withdraw(self, name: str, inode: int) -> None:
        """Takes back a link just made, unless the other one of the account has gone already."""
        lease = self._stat(name)
        if lease is not None and lease.st_ino == inode and lease.st_nlink > 2:
            remove_unless_leased(self._path, name)

    def _reuse(self, name: str, lease: os.stat_result, pool: str) -> str | None:
        """The account of a lease with two links, or None to look again: it changed while it was looked at."""
        known = self._known.get(name)
        first_sight = known is None or known.inode != lease.st_ino or self._inode(known.account) != known.inode
        if known is None or first_sight:
            known = self._find_account(name, lease.st_ino)
            if known is None:
                return None
        if not _in_pool(known.account, pool):
            raise LeaseOfAnotherPool(self._path, name, known.account, pool)
        touched = self._touch(name, lease.st_ino)
        if touched is None:
            return None
        if first_sight and touched.st_mtime_ns - lease.st_ctime_ns < _SETTLED_NS:
            # Both times are the file server's. The maker of so young a lease may be about to withdraw it.
            self._sleep(_SETTLED_NS / 1e9)
            if self._verify(name, lease.st_ino) is None:
                return None
        self._remember(name, known)
        return known.account

    def _find_account(self, name: str, inode: int) -> _Known | None:
        """Looks through all pools; None when the lease has changed meanwhile."""
        for account in self._list():
            if self._inode(account) == inode:
                return _Known(inode, account)
        if self._verify(name, inode) is None:
            return None
        raise DamagedLease(self._path, name, "it is a link to a file that is no account")

    def _touch(self, name: str, inode: int) -> os.stat_result | None:
        """Sets the time of use; None when the lease expired or was withdrawn before that."""
        try:
            os.utime(self._path / name, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return self._verify(name, inode)

    def _verify(self, name: str, inode: int) -> os.stat_result | None:
        lease = self._stat(name)
        return lease if lease is not None and lease.st_ino == inode and lease.st_nlink == 2 else None

    def _free_accounts(self, pool: str, relist: bool) -> list[str]:
        """Long unused ones first, so that an account rests after use; an account overtakes half the pool at most."""
        accounts = self._accounts(pool, relist) or self._accounts(pool, relist=True)
        if not accounts:
            raise NoSuchPool(self._path, pool)
        free: list[tuple[int, str]] = []
        for account in accounts:
            found = self._stat(account)
            if found is None or not stat.S_ISREG(found.st_mode):
                continue
            if found.st_nlink == 1:
                free.append((found.st_mtime_ns, account))
            elif found.st_nlink > 2:
                _log.warning("the account %s in %s has %d leases", account, self._path, found.st_nlink - 1)
        free.sort()
        ranked = [(rank + self._rng.uniform(0, len(free) / 2), account) for rank, (_, account) in enumerate(free)]
        return [account for _, account in sorted(ranked)]

    def _accounts(self, pool: str, relist: bool = False) -> tuple[str, ...]:
        listed = self._listing.accounts
        if relist or self._listing.changed_ns != self._path.stat().st_mtime_ns:
            listed = self._list()
        return tuple(account for account in listed if _in_pool(account, pool))

    def _list(self) -> tuple[str, ...]:
        changed_ns = self._path.stat().st_mtime_ns
        accounts = tuple(name for name in os.listdir(self._path) if _ACCOUNT.fullmatch(name))
        self._listing = _Listing(changed_ns, accounts)
        return accounts

    def _stat(self, name: str) -> os.stat_result | None:
        try:
            return os.lstat(f"{self._path}/{name}")
        except FileNotFoundError:
            return None

    def _inode(self, account: str) -> int | None:
        found = self._stat(account)
        return None if found is None else found.st_ino

    def _remember(self, name: str, known: _Known) -> None:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[name] = known

    def _unsettled(self, name: str, lease: os.stat_result | None) -> Unmapped | Unavailable:
        if lease is not None and lease.st_nlink > 2:
            return DamagedLease(self._path, name, f"its account has {lease.st_nlink - 1} leases")
        return GridMapDirUnavailable(
            f"the lease {name} in {self._path} did not come to rest in {self._deadline} seconds"
        )

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Requests of one subject go one by one here: they need not race each other in the directory."""
        with self._choosing_lock:
            lock = self._locks.setdefault(name, threading.Lock())
        if not lock.acquire(timeout=self._deadline):
            raise GridMapDirUnavailable(f"other requests for the lease {name} did not end in {self._deadline} seconds")
        try:
            yield
        finally:
            lock.release()


def remove_unless_leased(directory: Path, name: str) -> None:
    """Removes a lease without an account, or with an account that has another lease; one in order is put back.

    BETTER: Java and LCMAPS unlink what they saw a moment ago. By then it may be in order and known to a client, and
    its account would be free for the next user.
    """
    lease = directory / name
    # Neither an account nor a lease of any program begins with a dot.
    aside = directory / f".argus.{os.uname().nodename}.{secrets.token_hex(8)}"
    try:
        lease.rename(aside)
    except FileNotFoundError:
        return
    links = aside.lstat().st_nlink
    if links == 2:
        try:
            os.link(aside, lease, follow_symlinks=False)
        except FileExistsError:
            _log.warning("%s keeps an account occupied: remove it once the account is idle", aside)
            return
    aside.unlink()
    if links == 1:
        _log.warning("removed the lease %s of %s: its account is gone", name, directory)


def _check_directory(path: Path) -> None:
    for fine, problem in (
        (path.exists(), "does not exist"),
        (path.is_dir(), "is not a directory"),
        (os.access(path, os.R_OK | os.X_OK), "is not readable by this process"),
        (os.access(path, os.W_OK), "is not writable by this process"),
    ):
        if not fine:
            raise ConfigurationError(f"Grid map directory {path} {problem}")


def _check_name(name: str) -> None:
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise UnusableLeaseName(name, "it is empty, starts with a dot, or has a slash or a null character in it")
    try:
        length = len(os.fsencode(name))
    except UnicodeEncodeError:
        raise UnusableLeaseName(name, "it has a character that no file name can have") from None
    if length > _NAME_MAX:
        raise UnusableLeaseName(name, f"{length} bytes are more than the {_NAME_MAX} of a file name")


def _in_pool(account: str, pool: str) -> bool:
    """BETTER: a prefix and digits; Java takes all digits off the end, so the pool ``.cms1`` cannot be used there."""
    number = account.removeprefix(pool)
    return account.startswith(pool) and number.isdigit()  # names of accounts are ASCII
