"""Removal from a gridmapdir that takes no account from its holder, and mending what a dead process left half done.

A lease unlinked by its name may not be the one that was looked at: a daemon may have used it or made it anew since.
So it is renamed first. What has no name of a lease cannot be used any more, and a use before that shows in its times
and its links; then it is unlinked, or put back.

Java and LCMAPS look at a lease, then at the accounts, then set the time of use, and verify nothing. Meanwhile a claim
is a third link: who has looked before it was made has time to set the time of use, who looks later sees damage.

Temporary names begin with a dot, which the other programs on the directory pass over:

    .argus.claim.<unix time>.<random>.<host>     a link to an account, by which nobody has been told of it
    .argus.aside.<unix time>.<random>[.<lease>]  a lease on its way out, perhaps in use; without a name that is too long

INVARIANT: a claim may be removed by anybody at any time; what was to become a lease then comes to nothing, and a
removal is as safe as a rename alone. A lease aside is removed only if its account has gone or is
still held by the lease of the same name.

All functions raise OSError: the file system refuses.
"""

import logging
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)

TEMPORARY_PREFIX: Final = ".argus."
CLAIM_PREFIX: Final = ".argus.claim."
NAME_MAX: Final = 255  # bytes of a file name, on every file system in use
_IN_FLIGHT: Final = 0.1  # seconds; another program goes from its look to its touch within some milliseconds
LEFTOVER_AGE: Final = timedelta(minutes=10)  # no claim and no removal takes so long, not even on a stalled file server
_ASIDE_PREFIX: Final = ".argus.aside."
_TEMPORARY = re.compile(r"\.argus\.(claim|aside)\.([0-9]{1,12})\.[0-9a-f]{16}(?:\.(.+))?", re.DOTALL)


class Removal(Enum):
    """What came of the removal of a lease."""

    REMOVED = "removed"
    KEPT = "kept"
    ABSENT = "absent"
    STRANDED = "stranded"  # it was to be kept, but its name was taken meanwhile; a temporary name holds its account


@dataclass(frozen=True, slots=True)
class Temporary:
    """``made``: seconds since 1970 by the clock of its maker; ``lease``: what a lease aside was called, if it tells."""

    name: str
    made: int
    is_claim: bool
    lease: str | None

    def is_older(self, age: timedelta, now: float) -> bool:
        return now - self.made > age.total_seconds()


@dataclass(frozen=True, slots=True)
class Leftover:
    """What was done about a temporary name, in ``outcome``; not ``mended``: it waits for its account to be idle."""

    name: str
    mended: bool
    outcome: str


def claim_name() -> str:
    """A name that nobody else ever makes."""
    return f"{CLAIM_PREFIX}{int(time.time())}.{secrets.token_hex(8)}.{os.uname().nodename}"


def read_temporary(name: str) -> Temporary | None:
    """None for any other name.

    >>> read_temporary(".argus.aside.1790000000.0123456789abcdef.%2fcn%3djo:atlas")
    Temporary(name='.argus.aside.1790000000.0123456789abcdef.%2fcn%3djo:atlas', made=1790000000, is_claim=False, \
lease='%2fcn%3djo:atlas')
    """
    found = _TEMPORARY.fullmatch(name)
    if found is None:
        return None
    kind, made, rest = found.groups()
    return Temporary(name, int(made), kind == "claim", rest if kind == "aside" else None)


def remove_unless_leased(directory: Path, name: str) -> Removal:
    """Removes a lease that has no account; any other one stays."""
    removal = remove_lease(directory, name, lambda found: found.st_nlink > 1)
    if removal is Removal.REMOVED:
        _log.warning("removed the lease %s of %s: its account is gone", name, directory)
    return removal


def remove_lease(
    directory: Path,
    name: str,
    keep: Callable[[os.stat_result], bool],
    sleep: Callable[[float], None] = time.sleep,
) -> Removal:
    """``keep`` judges the lease as it is, and once more when nobody can use it any more.

    One that daemons use has a new time of modification.

    ``name`` may also be a temporary name, as of a lease that was stranded. Takes a fifth of a second.

    BETTER: Java, LCMAPS and the expiry scripts of sites unlink what they saw a moment ago. By then it may be in use,
    and its account would be free for the next user.
    """
    lease = directory / name
    if (before := _look(lease)) is None:
        return Removal.ABSENT
    if not stat.S_ISREG(before.st_mode) or keep(before):
        return Removal.KEPT
    aside = directory / _aside_name(name)
    try:
        if before.st_nlink == 1:
            lease.rename(aside)  # it leads nobody to an account
        elif not _set_aside(lease, aside, before.st_mtime_ns, sleep):
            return Removal.KEPT
    except FileNotFoundError:
        if _look(aside) is None:  # else NFS lost its first answer, a success
            return Removal.ABSENT
    found = _look(aside)
    if found is None:
        return Removal.KEPT  # somebody took it for a leftover, and put it back
    if not keep(found):
        aside.unlink(missing_ok=True)
        return Removal.REMOVED
    if _put_back(aside, lease):
        return Removal.KEPT
    _log.warning("%s keeps an account occupied: remove it once the account is idle", aside)
    return Removal.STRANDED


def _set_aside(lease: Path, aside: Path, used_ns: int, sleep: Callable[[float], None]) -> bool:
    """Before and after, others have time to finish what they began with the lease; none begins with it meanwhile.

    False: it was used since ``used_ns``. A lease that is not set aside cannot be made anew beside the old one.
    """
    claim = lease.with_name(claim_name())
    with suppress(FileExistsError):  # NFS, whose first answer was lost
        os.link(lease, claim, follow_symlinks=False)
    try:
        sleep(_IN_FLIGHT)
        if lease.lstat().st_mtime_ns != used_ns:
            return False
        lease.rename(aside)
        sleep(_IN_FLIGHT)
        return True
    finally:
        claim.unlink(missing_ok=True)


def clean_up(directory: Path, names: Iterable[str], age: timedelta, now: float) -> tuple[Leftover, ...]:
    """Mends those of the names that are temporary and older than ``age``."""
    temporaries = [found for name in names if (found := read_temporary(name)) is not None and found.is_older(age, now)]
    # Claims first: an account of which nobody but a lease aside is left can be given back.
    return tuple(mend(directory, each) for each in sorted(temporaries, key=lambda each: not each.is_claim))


def mend(directory: Path, temporary: Temporary) -> Leftover:
    """Ends what the maker of this name did not, if that takes no account from anybody."""
    path = directory / temporary.name
    found = _look(path)
    if found is None:
        return Leftover(temporary.name, True, "gone already")
    if temporary.is_claim or found.st_nlink == 1:
        path.unlink(missing_ok=True)
        return Leftover(temporary.name, True, "removed: nobody uses it")
    if temporary.lease is None:
        return Leftover(
            temporary.name, False, "left: it keeps an account occupied and does not tell whose lease it was"
        )
    lease = directory / temporary.lease
    if found.st_nlink > 2 and _inode(lease) != found.st_ino:
        return Leftover(temporary.name, False, "left: its account has other leases")
    if not _put_back(path, lease):
        return Leftover(temporary.name, False, f"left: it keeps an account occupied, {temporary.lease} has another one")
    return Leftover(temporary.name, True, f"put back as {temporary.lease}")


def _put_back(aside: Path, lease: Path) -> bool:
    """False: the name of the lease belongs to another account by now."""
    try:
        os.link(aside, lease, follow_symlinks=False)
    except FileNotFoundError:
        return True  # somebody else has done it
    except FileExistsError:
        if _inode(lease) != _inode(aside):
            return False
    aside.unlink(missing_ok=True)
    return True


def _aside_name(name: str) -> str:
    temporary = read_temporary(name)
    lease = name if temporary is None else temporary.lease
    bare = f"{_ASIDE_PREFIX}{int(time.time())}.{secrets.token_hex(8)}"
    full = bare if lease is None else f"{bare}.{lease}"
    return full if len(os.fsencode(full)) <= NAME_MAX else bare


def _look(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _inode(path: Path) -> int | None:
    found = _look(path)
    return None if found is None else found.st_ino
