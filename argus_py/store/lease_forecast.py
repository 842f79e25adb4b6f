"""A gridmapdir that is asked and not changed: which account a lease would get, without making it.

It answers as ``gridmapdir`` does, for the moment when the directory was read.
"""

from collections.abc import Sequence
from datetime import datetime

from argus_py.pep.ports import Lease
from argus_py.store.account_index import in_pool
from argus_py.store.gridmapdir import DamagedLease, LeaseOfAnotherPool, NoSuchPool, PoolExhausted, check_name
from argus_py.store.lease_files import Contents, FileKind, LeaseFile


class LeaseForecast:
    """A LeaseStore on what was read of a directory."""

    def __init__(self, contents: Contents, recycled_before: datetime | None = None) -> None:
        """``recycled_before``: a full pool takes back the lease that is longest unused, if it is since then."""
        self._contents = contents
        self._recycled_before = recycled_before
        self._leases = {lease.name: lease for lease in contents.of_kind(FileKind.LEASE)}

    def lease(self, name: str, pool: str, other_names: Sequence[str] = ()) -> Lease:
        """See LeaseStore. For a lease that is to be made: one of the accounts that are free."""
        check_name(name)
        if (lease := self.existing(name)) is not None:
            return Lease(self._account(lease, pool), name)
        for other in other_names:
            account = self.account_of(other)
            if account is not None and in_pool(account, pool):
                return Lease(account, other)
        return Lease(self._free_account(pool), name)

    def existing(self, name: str) -> LeaseFile | None:
        """The lease of this name, unless its account is gone: that one would be made anew."""
        lease = self._leases.get(name)
        return None if lease is None or lease.links == 1 else lease

    def account_of(self, name: str) -> str | None:
        """None if there is no lease of this name, or it is damaged."""
        lease = self._leases.get(name)
        return None if lease is None or lease.links != 2 else self._contents.account_of(lease)

    def free_accounts(self, pool: str) -> tuple[str, ...]:
        return tuple(account.name for account in self._accounts(pool) if account.links == 1)

    def _account(self, lease: LeaseFile, pool: str) -> str:
        directory = self._contents.directory
        if lease.links > 2:
            raise DamagedLease(directory, lease.name, f"its account has {lease.links - 1} leases")
        account = self._contents.account_of(lease)
        if account is None:
            raise DamagedLease(directory, lease.name, "it is a link to a file that is no account")
        if not in_pool(account, pool):
            raise LeaseOfAnotherPool(directory, lease.name, account, pool)
        return account

    def _free_account(self, pool: str) -> str:
        accounts, free = self._accounts(pool), self.free_accounts(pool)
        if not accounts:
            raise NoSuchPool(self._contents.directory, pool)
        if free:
            return free[0]
        idlest = min(
            (account for account in accounts if account.links == 2), key=lambda each: each.used_ns, default=None
        )
        if idlest is None or self._recycled_before is None or idlest.last_use >= self._recycled_before:
            raise PoolExhausted(self._contents.directory, pool, len(accounts))
        return idlest.name

    def _accounts(self, pool: str) -> list[LeaseFile]:
        return [account for account in self._contents.of_kind(FileKind.ACCOUNT) if in_pool(account.name, pool)]
