"""What is wrong with a gridmapdir: damage that locks users out or joins them, and what will be trouble one day.

A look at a directory in use finds leases half made or half withdrawn. Only what two looks, some time apart, find alike
is a problem (``lasting``).
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from argus_py.store.lease_files import Contents, FileKind, LeaseFile, person_key, read_lease_name

_NAME_MAX: Final = 255  # bytes of a file name, on every file system in use
_ONE_MORE_GROUP: Final = 33  # a colon and the longest name that useradd and groupadd make


class ProblemKind(Enum):
    LONE_LEASE = "lone-lease"
    TEMPORARY = "temporary"
    SHARED_ACCOUNT = "shared-account"
    LEASE_WITHOUT_ACCOUNT = "lease-without-account"
    ACCOUNT_TWICE = "account-twice"
    LINKED_ELSEWHERE = "linked-elsewhere"
    FOREIGN_FILE = "foreign-file"
    TWO_SPELLINGS = "two-spellings"
    LETTER_CASE = "letter-case"
    LONG_NAME = "long-name"
    WRONG_POOL = "wrong-pool"
    UNKNOWN_ACCOUNT = "unknown-account"


@dataclass(frozen=True, slots=True)
class Problem:
    """``files`` are the names concerned, by name."""

    kind: ProblemKind
    files: tuple[str, ...]
    reason: str


def problems(contents: Contents) -> tuple[Problem, ...]:
    """All that can be told from the directory alone, kind by kind."""
    checks = (
        _lone_leases,
        _temporaries,
        _shared_accounts,
        _leases_without_account,
        _accounts_twice,
        _linked_elsewhere,
        _foreign_files,
        _two_spellings,
        _letter_case,
        _long_names,
    )
    return tuple(problem for check in checks for problem in check(contents))


def unknown_accounts(contents: Contents, is_known: Callable[[str], bool]) -> Iterator[Problem]:
    """Accounts that this host has not; if it has none of them, that is told once."""
    accounts = [account.name for account in contents.of_kind(FileKind.ACCOUNT)]
    unknown = [account for account in accounts if not is_known(account)]
    if unknown and unknown == accounts:
        yield Problem(ProblemKind.UNKNOWN_ACCOUNT, (), f"this host knows none of the {len(accounts)} accounts")
    else:
        for account in unknown:
            yield Problem(ProblemKind.UNKNOWN_ACCOUNT, (account,), "no account of this name on this host")


def lasting(first: Iterable[Problem], second: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those that both looks have found."""
    again = frozenset(second)
    return tuple(problem for problem in first if problem in again)


def _lone_leases(contents: Contents) -> Iterator[Problem]:
    for lease in contents.of_kind(FileKind.LEASE):
        if lease.links == 1:
            yield Problem(ProblemKind.LONE_LEASE, (lease.name,), "its account is gone")


def _temporaries(contents: Contents) -> Iterator[Problem]:
    for file in contents.of_kind(FileKind.TEMPORARY):
        account = contents.account_of(file)
        if account is None:
            reason = "left over from a removal"
        else:
            reason = f"left over from a removal, and a link to the account {account}"
        yield Problem(ProblemKind.TEMPORARY, (file.name,), reason)


def _shared_accounts(contents: Contents) -> Iterator[Problem]:
    for account in contents.of_kind(FileKind.ACCOUNT):
        leases = _names(contents.links_of(account, FileKind.LEASE))
        if len(leases) > 1:
            reason = f"the account {account.name} has {len(leases)} leases, none of them is served"
            yield Problem(ProblemKind.SHARED_ACCOUNT, leases, reason)


def _leases_without_account(contents: Contents) -> Iterator[Problem]:
    for lease in contents.of_kind(FileKind.LEASE):
        if lease.links > 1 and contents.account_of(lease) is None:
            reason = f"one of {lease.links} links to a file that is no account"
            yield Problem(ProblemKind.LEASE_WITHOUT_ACCOUNT, (lease.name,), reason)


def _accounts_twice(contents: Contents) -> Iterator[Problem]:
    for account in contents.of_kind(FileKind.ACCOUNT):
        same = _names(contents.links_of(account, FileKind.ACCOUNT))
        if len(same) > 1 and account.name == same[0]:
            yield Problem(ProblemKind.ACCOUNT_TWICE, same, "links to one file, which so is never free")


def _linked_elsewhere(contents: Contents) -> Iterator[Problem]:
    for account in contents.of_kind(FileKind.ACCOUNT):
        elsewhere = account.links - contents.names_of(account)
        if elsewhere > 0:
            reason = f"{elsewhere} of its {account.links} links are outside of the directory, it never is free"
            yield Problem(ProblemKind.LINKED_ELSEWHERE, (account.name,), reason)


def _foreign_files(contents: Contents) -> Iterator[Problem]:
    for file in contents.of_kind(FileKind.FOREIGN):
        account = contents.account_of(file)
        link = "" if account is None else f", a link that keeps the account {account} occupied"
        yield Problem(ProblemKind.FOREIGN_FILE, (file.name,), f"neither account nor lease{link}")


def _two_spellings(contents: Contents) -> Iterator[Problem]:
    """One person with the same groups: Argus has them in the order of the map file, LCMAPS in that of their GIDs."""
    spellings: defaultdict[object, list[LeaseFile]] = defaultdict(list)
    for lease in contents.of_kind(FileKind.LEASE):
        name = read_lease_name(lease.name)
        key = (person_key(name.dn), name.groups[:1], frozenset(name.groups[1:]), name.map_counter)
        spellings[key].append(lease)
    for leases in spellings.values():
        if len(leases) > 1:
            accounts = ", ".join(filter(None, map(contents.account_of, leases)))
            reason = f"one person with the same groups, in the spellings of two programs: {accounts or 'no account'}"
            yield Problem(ProblemKind.TWO_SPELLINGS, _names(leases), reason)


def _letter_case(contents: Contents) -> Iterator[Problem]:
    alike: defaultdict[str, list[LeaseFile]] = defaultdict(list)
    for file in contents.files:
        alike[file.name.casefold()].append(file)
    for files in alike.values():
        if len(files) > 1:
            yield Problem(ProblemKind.LETTER_CASE, _names(files), "names that differ in letter case alone")


def _long_names(contents: Contents) -> Iterator[Problem]:
    for lease in contents.of_kind(FileKind.LEASE):
        length = len(os.fsencode(lease.name))
        if length > _NAME_MAX - _ONE_MORE_GROUP:
            reason = f"{length} bytes long; with one more group it may not fit into {_NAME_MAX}, and nobody be mapped"
            yield Problem(ProblemKind.LONG_NAME, (lease.name,), reason)


def _names(files: Iterable[LeaseFile]) -> tuple[str, ...]:
    return tuple(file.name for file in files)
