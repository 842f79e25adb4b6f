"""What lies in a gridmapdir: accounts, leases, and what does not belong there. Looks alone, changes nothing.

The directory has no moment of its own: daemons work in it while it is read, so that a lease can be seen with a link
too many or too few which the next look does not find.

The name of a lease holds less than it was made from: the DN in lower case, local groups in the place of FQANs.
"""

import os
import re
import stat
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.store.account_index import PoolUse, in_pool, is_account
from argus_py.store.gridmapdir import GridMapDirUnavailable
from argus_py.store.lease_removal import TEMPORARY_PREFIX

_LEASE_PREFIX: Final = "%2f"  # the first slash of every DN
_NUMBER = re.compile(r"[0-9]+\Z")
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_MAP_COUNTER: Final = "mapcount="
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class FileKind(Enum):
    ACCOUNT = "account"
    LEASE = "lease"
    TEMPORARY = "temporary"  # of a lease that is being made or removed, or was when the process died
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class LeaseFile:
    """One name in the directory; ``used_ns``, the modification time of the inode, is that of account and lease."""

    name: str
    kind: FileKind
    inode: int
    links: int
    used_ns: int  # nanoseconds since 1970

    @property
    def last_use(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self.used_ns // 1000)


@dataclass(frozen=True, slots=True)
class Contents:
    """The directory as it was read; ``files`` by name."""

    directory: Path
    files: tuple[LeaseFile, ...]
    _of_inode: Mapping[int, Sequence[LeaseFile]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        of_inode: defaultdict[int, list[LeaseFile]] = defaultdict(list)
        for file in self.files:
            of_inode[file.inode].append(file)
        object.__setattr__(self, "_of_inode", of_inode)

    def of_kind(self, kind: FileKind) -> tuple[LeaseFile, ...]:
        return tuple(file for file in self.files if file.kind is kind)

    def links_of(self, file: LeaseFile, kind: FileKind) -> tuple[LeaseFile, ...]:
        """The files of this kind, itself among them, that are links to the same inode."""
        return tuple(other for other in self._of_inode[file.inode] if other.kind is kind)

    def account_of(self, lease: LeaseFile) -> str | None:
        """None for a lease that belongs to no account."""
        accounts = self.links_of(lease, FileKind.ACCOUNT)
        return accounts[0].name if accounts else None

    def names_of(self, file: LeaseFile) -> int:
        """How many of its links are in this directory."""
        return len(self._of_inode[file.inode])


def read_contents(directory: Path) -> Contents:
    """Raises GridMapDirUnavailable: the directory cannot be read."""
    try:
        with os.scandir(directory) as entries:
            found = [_file(entry) for entry in entries]
    except OSError as error:
        raise GridMapDirUnavailable(f"cannot read the gridmapdir {directory}: {error.strerror}") from error
    return Contents(directory, tuple(sorted((file for file in found if file), key=lambda file: file.name)))


def _file(entry: os.DirEntry[str]) -> LeaseFile | None:
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # removed since it was listed
    return LeaseFile(entry.name, _kind(entry.name, found), found.st_ino, found.st_nlink, found.st_mtime_ns)


def _kind(name: str, found: os.stat_result) -> FileKind:
    if not stat.S_ISREG(found.st_mode):
        return FileKind.FOREIGN
    if name.startswith(TEMPORARY_PREFIX):
        return FileKind.TEMPORARY
    if name.lower().startswith(_LEASE_PREFIX):
        return FileKind.LEASE
    return FileKind.ACCOUNT if is_account(name) else FileKind.FOREIGN


# --- Names


@dataclass(frozen=True, slots=True)
class LeaseName:
    """``dn``: slash form in lower case; ``map_counter``: as LCMAPS adds it for one more account of the same person."""

    dn: str
    groups: tuple[str, ...]
    map_counter: str | None = None


def read_lease_name(name: str) -> LeaseName:
    """What can be told from the name; any text gives something.

    >>> read_lease_name("%2fc%3dch%2fcn%3drobot%3a%20jo:atlas:LTE")
    LeaseName(dn='/c=ch/cn=robot: jo', groups=('atlas', 'LTE'), map_counter=None)
    """
    encoded, *groups = name.split(":")
    dn = _ENCODED.sub(lambda match: bytes.fromhex(match[0].replace("%", "")).decode(errors="backslashreplace"), encoded)
    if groups and groups[-1].startswith(_MAP_COUNTER):
        return LeaseName(dn, tuple(groups[:-1]), groups[-1].removeprefix(_MAP_COUNTER))
    return LeaseName(dn, tuple(groups))


PersonKey = tuple[tuple[str, str], ...] | str


def person_key(dn: DistinguishedName | str) -> PersonKey:
    r"""Equal for one person whatever program spelled the DN in lower case, and for nearly nobody else.

    A lease tells neither case nor which attributes stood in one RDN, and ``\/`` may be written for ``/``: attributes
    are compared without their order. A text that is no DN is its own key.

    >>> person_key("/c=ch/cn=a+uid=b") == person_key(DistinguishedName.parse_slash("/C=CH/UID=B/CN=A"))
    True
    """
    try:
        name = DistinguishedName.parse_slash(dn) if isinstance(dn, str) else dn
    except DnSyntaxError:
        return str(dn)
    return tuple(sorted((attribute.type, attribute.value.lower()) for rdn in name.rdns for attribute in rdn))


def pool_of(account: str, mapped: Iterable[str] = ()) -> str:
    """The longest pool of the map files that the account belongs to, else its name without the number.

    >>> pool_of("cms1001"), pool_of("cms1001", ["cms", "cms1", "atlas"])
    ('cms', 'cms1')
    """
    fitting = (pool for pool in mapped if in_pool(account, pool))
    return max(fitting, key=len, default=None) or _NUMBER.sub("", account)


def pool_uses(contents: Contents, mapped: Collection[str] = ()) -> tuple[PoolUse, ...]:
    """Of every pool that has accounts, by name; ``mapped`` are the pools that the map files name.

    An account is used by one lease; whatever else gives it a second link is damage.
    """
    pools: defaultdict[str, list[LeaseFile]] = defaultdict(list)
    for account in contents.of_kind(FileKind.ACCOUNT):
        pools[pool_of(account.name, mapped)].append(account)
    return tuple(_pool_use(contents, pool, pools[pool]) for pool in sorted(pools))


def _pool_use(contents: Contents, pool: str, accounts: Sequence[LeaseFile]) -> PoolUse:
    free = sum(account.links == 1 for account in accounts)
    used = [a for a in accounts if a.links == 2 and len(contents.links_of(a, FileKind.LEASE)) == 1]
    oldest = min((account.last_use for account in used), default=None)
    return PoolUse(pool, len(accounts), len(used), free, len(accounts) - free - len(used), oldest)
