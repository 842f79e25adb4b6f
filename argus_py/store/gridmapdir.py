"""The gridmapdir: pool accounts are empty files, a lease is a hard link to one of them, made by whoever maps first.

Argus, LCMAPS and Globus daemons of several hosts share such a directory without locks. Rules all of them rely on:

INVARIANT: link() is the only claim; a free account has one link, a leased one two; whoever sees more than two after
its own link() takes its link back. The modification time of the (common) inode is the time of the last use.

BETTER: a lease that must be taken back may have been answered to somebody by then. So an account is claimed by a link
with a name that nobody else knows, which can be withdrawn, or lost in a crash, without harm to anybody; only when it is
the second link is the lease made, and the claim removed. A lease so comes into being with its account and its time of
use in order. It has a third link for a moment: others wait; LCMAPS and Java, asked for the same new user at the same
instant, may fail that once. A lease that is there already when it is to be made is somebody else's, and watched: he may
have seen the claim and be about to withdraw.

BETTER: Java waits for nothing, gives up after ten looks, and lists the accounts of a pool every 3.5 days. Here every
answer is verified after the touch, a lease that lost its account is replaced, one that its maker has not touched yet is
watched before it is believed, all waiting ends at a deadline, and no request looks at more than a few files: the whole
directory is listed (see account_index) when what is known of it proves old, for a tenth of the time at most.

What remains is in the hands of others: a program of the old kind, or a script that expires leases, that sleeps longer
than the watch between its look and its unlink(), or looked before another host used the lease again after a long time;
and NFS mounted with a cache of names, by which a lease can be seen that has been removed on another host (mount with
``lookupcache=none`` and ``actimeo=0``).

There are no lock files: only daemons of this package would heed them, link() needs none, and a lock that a file server
does not grant any more stops all hosts at once.

Source: argus-pep-server:.../obligation/dfpmap/LockFreeMappingStrategy.java, GridMapDirPoolAccountManager.java
"""

import errno
import logging
import os
import random
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from argus_py.errors import ConfigurationError, Unavailable, Unmapped
from argus_py.model.dn import escape_controls
from argus_py.pep.ports import Lease
from argus_py.store.account_index import AccountIndex, PoolUse, in_pool, is_account, is_free, list_accounts
from argus_py.store.idle_leases import IdleLeases
from argus_py.store.lease_removal import (
    LEFTOVER_AGE,
    NAME_MAX,
    Leftover,
    claim_name,
    clean_up,
    mend,
    read_temporary,
    remove_unless_leased,
)

_log = logging.getLogger(__name__)

DEADLINE: Final = timedelta(seconds=3)  # a race is over within milliseconds; what lasts longer is damage
_PAUSE: Final = (0.01, 0.1)  # seconds, at random, as the other programs do: two that collide part at the second try
_LOOKS: Final = 3  # a pool is exhausted if it was so this often in a row: an account may be held by one who withdraws
_MORE_LOOKS: Final = 6  # for one whose lease was just removed: its account is free within a fifth of a second
_SETTLED: Final = 0.5  # seconds without a change, after which the maker of a lease has either kept or withdrawn it
_LONG_UNUSED: Final = 12 * 3600.0  # seconds; sites expire leases after a day, if not after ten
_SAME_TIME_NS: Final = 10_000_000  # what a file server may take from the one time to the other in one touch
_LISTING_SHARE: Final = 9  # listings of the directory take a tenth of the time at most,
_LISTING_PAUSE: Final = 1.0  # but one that is waited for comes within a second: the deadline is near
_SURVEY_PAUSE: Final = 60.0  # seconds that the figures of the pools are kept
_REMEMBERED: Final = 1000  # damaged leases; more is damage of another kind


class GridMapDirUnavailable(Unavailable):
    """The directory cannot be read or written, or a lease stayed in motion until the deadline."""


class GridMapDirReadOnly(GridMapDirUnavailable):
    """The file system or the permissions of the directory or of an account allow no change."""


class GridMapDirFull(GridMapDirUnavailable):
    """The file system has no place for another name; leases that exist are served."""


class GridMapDirGone(GridMapDirUnavailable):
    """The directory was removed, or its file server has another one in its place."""


_OF_ERRNO: Final = {
    errno.EROFS: GridMapDirReadOnly,
    errno.EACCES: GridMapDirReadOnly,
    errno.EPERM: GridMapDirReadOnly,
    errno.ENOSPC: GridMapDirFull,
    errno.EDQUOT: GridMapDirFull,
    errno.ENOENT: GridMapDirGone,
    errno.ENOTDIR: GridMapDirGone,
    errno.ESTALE: GridMapDirGone,
}


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
        super().__init__(f"{escape_controls(lease[:NAME_MAX])!r} cannot be the name of a lease: {reason}")
        self.lease = lease
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Claim:
    """An account that is ours and of which nobody knows yet."""

    path: Path
    inode: int


_State = tuple[int, int, int]  # inode, links, time of the last change of either


class _Watch:
    """Tells how long a lease has looked the same."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._state: _State | None = None
        self._since = 0.0

    def seconds(self, lease: os.stat_result) -> float:
        now = self._clock()
        if self._state != _state(lease):
            self._state, self._since = _state(lease), now
        return now - self._since


class GridMapDir:
    """A LeaseStore on a directory; safe to share between threads, processes and hosts.

    ``clock`` counts seconds and never goes back; ``rng`` spreads candidates and pauses; ``now``: seconds since 1970.
    """

    def __init__(
        self,
        path: Path,
        rng: random.Random,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        deadline: timedelta = DEADLINE,
        *,
        recycle_idle: timedelta | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``recycle_idle``: in an exhausted pool, a lease that was not used for so long loses its account.

        Raises ConfigurationError: the directory does not exist or this process may not use it.
        """
        check_access(path)
        check_links(path)
        self._path = path
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._deadline = deadline.total_seconds()
        self._now = now
        self._idle = IdleLeases(path, recycle_idle, now, sleep) if recycle_idle is not None else None
        # INVARIANT: one lock per name, or a damaged lease makes strangers wait; an entry goes with its last user.
        self._locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._choosing_lock = threading.Lock()
        self._listing_lock = threading.Lock()
        self._survey_lock = threading.Lock()
        self._next_listing = 0.0
        self._index = AccountIndex(())
        self._told: set[str] = set()  # leftovers that were reported
        self._damaged: dict[str, _State] = {}  # leases as they were when waiting for them was in vain
        self._pools: tuple[PoolUse, ...] = ()
        self._next_survey = 0.0
        try:
            self._list()
        except OSError as error:
            raise ConfigurationError(f"Grid map directory {path} cannot be read: {error.strerror}") from error
        account = self._index.any_account()
        if account is None:
            _log.warning("%s has no accounts", path)
        elif not os.access(path / account, os.R_OK | os.W_OK):
            # Needed to set the time of use, and to link the file of another user (fs.protected_hardlinks of Linux).
            _log.warning(
                "%s is not readable and writable by this process: it can be neither leased nor marked", path / account
            )

    def lease(self, name: str, pool: str, other_names: Sequence[str] = ()) -> Lease:
        """See LeaseStore. Every call sets the modification time of the account: expiry tools go by it."""
        check_name(name)
        asked = self._clock()
        with self._locked(name):
            try:
                return self._lease(name, pool, [other for other in other_names if _is_usable(other)], asked)
            except OSError as error:
                raise _unavailable(f"cannot lease {name} in {self._path}", error) from error

    def pools(self) -> tuple[PoolUse, ...]:
        """How full the pools are, at most a minute old.

        Costs a listing and a look at each leased account: a tenth of a second for 20,000 of them on a local disk.

        Raises GridMapDirUnavailable: the directory cannot be read.
        """
        with self._survey_lock:
            if self._clock() >= self._next_survey:
                try:
                    with self._listing_lock:
                        index = self._list()
                    self._pools = index.use(self._stat)
                except OSError as error:
                    raise _unavailable(f"cannot read {self._path}", error) from error
                self._next_survey = self._clock() + _SURVEY_PAUSE
            return self._pools

    def _lease(self, name: str, pool: str, other_names: Sequence[str], asked: float) -> Lease:
        watch = _Watch(self._clock)
        fruitless = 0  # looks at the pool, in a row, that found no free account
        helped = False
        while True:
            found, lease = self._find(name, pool, other_names)
            if lease is not None:
                fruitless = -_MORE_LOOKS
            account: str | None = None
            if lease is None:
                free = self._free_accounts(pool)
                fruitless = 0 if free else fruitless + 1
                if fruitless >= _LOOKS:
                    free = self._recycled(name, pool)
                account = self._make(name, pool, free)
            elif not stat.S_ISREG(lease.st_mode):
                raise DamagedLease(self._path, name, "it is not a regular file")
            elif lease.st_nlink == 1:
                remove_unless_leased(self._path, name)
            elif lease.st_nlink == 2:
                if _is_touched(lease) or watch.seconds(lease) >= _SETTLED:
                    account = self._reuse(found, lease, pool, asked)
            elif self._damaged.get(name) == _state(lease):
                raise _shared(self._path, name, lease)
            elif not helped and watch.seconds(lease) >= _SETTLED:
                self._help(lease.st_ino)
                helped = True
            if account is not None:
                return Lease(account, found)
            if self._clock() - asked >= self._deadline:
                raise self._unsettled(name, lease)
            self._sleep(self._rng.uniform(*_PAUSE))

    # --- A lease that exists

    def _find(self, name: str, pool: str, other_names: Sequence[str]) -> tuple[str, os.stat_result | None]:
        """The lease, or one in order under another name for the same pool."""
        lease = self._stat(name)
        if lease is None:
            for other in other_names:
                found = self._stat(other)
                if found is None or not stat.S_ISREG(found.st_mode) or found.st_nlink != 2:
                    continue
                account = self._account_of(found.st_ino)
                if account is not None and in_pool(account, pool):
                    return other, found
        return name, lease

    def _reuse(self, name: str, lease: os.stat_result, pool: str, asked: float) -> str | None:
        """The account of a lease with two links, or None to look again: it changed while it was looked at."""
        account = self._account_of(lease.st_ino)
        if account is None:
            if self._index.listed_at < asked or not self._is_in_order(name, lease.st_ino):
                return None
            raise DamagedLease(self._path, name, "it is a link to a file that is no account")
        if not in_pool(account, pool):
            raise LeaseOfAnotherPool(self._path, name, account, pool)
        if not self._touch(name, lease.st_ino):
            return None
        if self._now() - lease.st_mtime > _LONG_UNUSED:
            # A script that expires leases may have looked at it before the touch, and unlinks it after that.
            self._sleep(_SETTLED)
            if not self._is_in_order(name, lease.st_ino):
                return None
        return account

    def _account_of(self, inode: int) -> str | None:
        """None when it has none, or none that was there at the last listing."""
        index = self._index
        account = self._verified(index, inode)
        return account if account is not None else self._verified(self._listed_after(index), inode)

    def _verified(self, index: AccountIndex, inode: int) -> str | None:
        account = index.account(inode)
        if account is None:
            return None
        found = self._stat(account)
        return account if found is not None and found.st_ino == inode else None

    def _touch(self, name: str, inode: int) -> bool:
        """Sets the time of use; False when the lease expired or was withdrawn before that."""
        try:
            os.utime(self._path / name, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return self._is_in_order(name, inode)

    def _is_in_order(self, name: str, inode: int) -> bool:
        lease = self._stat(name)
        return lease is not None and lease.st_ino == inode and lease.st_nlink == 2

    def _help(self, inode: int) -> None:
        """Ends for others what keeps a third link to this account: they died, or are very slow."""
        for name in self._listed_after(self._index).temporaries:
            temporary = read_temporary(name)
            found = self._stat(name)
            if temporary is not None and found is not None and found.st_ino == inode:
                self._tell(mend(self._path, temporary))

    def _unsettled(self, name: str, lease: os.stat_result | None) -> Unmapped | Unavailable:
        if lease is not None and lease.st_nlink > 2:
            if len(self._damaged) >= _REMEMBERED:
                self._damaged.clear()
            self._damaged[name] = _state(lease)
            return _shared(self._path, name, lease)
        return GridMapDirUnavailable(
            f"the lease {name} in {self._path} did not come to rest in {self._deadline} seconds"
        )

    # --- A new lease

    def _free_accounts(self, pool: str) -> list[str]:
        """A few of them, long unused ones first, so that an account rests after use; none overtakes half of them."""
        index = self._index
        free = self._free_of(index, pool)
        if not free:
            index = self._listed_after(index)
            free = self._free_of(index, pool)
            while not free and index.has_candidates(pool):
                free = self._free_of(index, pool)
        if index.size(pool) == 0:
            raise NoSuchPool(self._path, pool)
        return free

    def _free_of(self, index: AccountIndex, pool: str) -> list[str]:
        free: list[tuple[int, str]] = []
        for account in index.draw(pool, self._rng):
            found = self._stat(account)
            if found is not None and is_free(found):
                free.append((found.st_mtime_ns, account))
                continue
            index.strike(pool, account)
        free.sort()
        ranked = [(rank + self._rng.uniform(0, len(free) / 2), account) for rank, (_, account) in enumerate(free)]
        return [account for _, account in sorted(ranked)]

    def _make(self, name: str, pool: str, free: Sequence[str]) -> str | None:
        """One of the free accounts, or None to look again: somebody else made this lease or took the same accounts."""
        for account in free:
            with self._claimed(account) as claim:
                if claim is None:
                    continue
                try:
                    os.link(claim.path, self._path / name, follow_symlinks=False)
                    # While the claim is a third link: nobody expires the lease for the time of use of the last holder.
                    os.utime(claim.path, follow_symlinks=False)
                except FileExistsError:
                    # INVARIANT: whoever has made it may have seen the claim and be about to withdraw it, so it must
                    # not look touched. NFS says the same when its first answer, a success, was lost.
                    return None
                except FileNotFoundError:
                    return None  # somebody took the claim for a leftover
            if not self._is_in_order(name, claim.inode) or not self._touch(name, claim.inode):
                return None
            self._index.strike(pool, account)
            return account
        return None

    @contextmanager
    def _claimed(self, account: str) -> Iterator[_Claim | None]:
        """None: somebody else has the account."""
        path = self._path / claim_name()
        try:
            os.link(self._path / account, path, follow_symlinks=False)
        except FileNotFoundError:
            yield None  # it was removed
            return
        except FileExistsError:
            pass  # as above: nobody else makes this name
        try:
            yield self._exclusive(path)
        finally:
            path.unlink(missing_ok=True)

    def _exclusive(self, path: Path) -> _Claim | None:
        """The claim if it is the second link."""
        try:
            claim = path.lstat()
        except FileNotFoundError:
            return None  # as above: the claim was taken for a leftover
        return _Claim(path, claim.st_ino) if claim.st_nlink == 2 else None

    def _recycled(self, name: str, pool: str) -> list[str]:
        """An account that was leased to somebody who is not seen any more.

        Raises PoolExhausted: there is none, or the site does not want that.
        """
        if self._idle is not None:
            account = self._idle.take(pool, lambda: self._index.leases(pool, self._stat), name)
            if account is not None:
                return [account]
        raise PoolExhausted(self._path, pool, self._index.size(pool))

    # --- The directory

    def _listed_after(self, known: AccountIndex) -> AccountIndex:
        """A newer listing than this one, if it is time for one."""
        with self._listing_lock:
            if self._index is known and self._clock() >= self._next_listing:
                self._list()
            return self._index

    def _list(self) -> AccountIndex:
        began = self._clock()
        self._index = list_accounts(self._path, began)
        ended = self._clock()
        self._next_listing = ended + min((ended - began) * _LISTING_SHARE, _LISTING_PAUSE)
        self._clean_up()
        return self._index

    def _clean_up(self) -> None:
        try:
            leftovers = clean_up(self._path, self._index.temporaries, LEFTOVER_AGE, self._now())
        except OSError as error:
            self._say_once(f"cannot clean up {self._path}: {error.strerror}")
            return
        for leftover in leftovers:
            self._tell(leftover)

    def _tell(self, leftover: Leftover) -> None:
        self._say_once(f"{leftover.name} in {self._path}, which a process left behind, is {leftover.outcome}")

    def _say_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            _log.warning(text)

    def _stat(self, name: str) -> os.stat_result | None:
        try:
            return os.lstat(f"{self._path}/{name}")
        except FileNotFoundError:
            return None

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


def _state(lease: os.stat_result) -> _State:
    return lease.st_ino, lease.st_nlink, lease.st_ctime_ns


def _is_touched(lease: os.stat_result) -> bool:
    """Whether it was used since it got its second link; else its maker may be about to withdraw it."""
    return lease.st_ctime_ns <= lease.st_mtime_ns + _SAME_TIME_NS


def _shared(directory: Path, name: str, lease: os.stat_result) -> DamagedLease:
    return DamagedLease(directory, name, f"its account has {lease.st_nlink - 1} leases")


def _unavailable(what: str, error: OSError) -> GridMapDirUnavailable:
    return _OF_ERRNO.get(error.errno or 0, GridMapDirUnavailable)(f"{what}: {error.strerror}")


def check_access(path: Path) -> None:
    """Raises ConfigurationError: the directory does not exist or this process may not use it. Changes nothing."""
    for fine, problem in (
        (path.exists(), "does not exist"),
        (path.is_dir(), "is not a directory"),
        (os.access(path, os.R_OK | os.X_OK), "is not readable by this process"),
        (os.access(path, os.W_OK), "is not writable by this process"),
    ):
        if not fine:
            raise ConfigurationError(f"Grid map directory {path} {problem}")


def check_links(path: Path) -> None:
    """A file server may refuse what the permissions allow, and not every file system has hard links.

    Raises ConfigurationError.
    """
    scratch, link = path / claim_name(), path / claim_name()
    try:
        scratch.touch()
        with suppress(FileExistsError):  # NFS, whose first answer was lost
            link.hardlink_to(scratch)
    except OSError as error:
        problem = f"Grid map directory {path} takes no links: {error.strerror}"
        if _OF_ERRNO.get(error.errno or 0) is not GridMapDirFull:
            raise ConfigurationError(problem) from error
        _log.warning(problem)  # those who have leases are served
    finally:
        for each in (link, scratch):
            with suppress(OSError):
                each.unlink()


def check_name(name: str) -> None:
    """Raises UnusableLeaseName: no lease can have this name."""
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise UnusableLeaseName(name, "it is empty, starts with a dot, or has a slash or a null character in it")
    if is_account(name):
        raise UnusableLeaseName(name, "it could be the name of an account")
    try:
        length = len(os.fsencode(name))
    except UnicodeEncodeError:
        raise UnusableLeaseName(name, "it has a character that no file name can have") from None
    if length > NAME_MAX:
        raise UnusableLeaseName(name, f"{length} bytes are more than the {NAME_MAX} of a file name")


def _is_usable(name: str) -> bool:
    try:
        check_name(name)
    except UnusableLeaseName:
        return False
    return True
