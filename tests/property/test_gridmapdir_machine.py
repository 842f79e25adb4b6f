"""Two hosts, a CE, its expiry script, an administrator and processes that die, in any order, on one real directory.

What a process leaves that is killed between two system calls is made here by hand; that these are all the states there
are is shown by the unit tests, which kill processes.
"""

import os
import random
import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from argus_py.store.account_index import in_pool
from argus_py.store.gridmapdir import DamagedLease, GridMapDir, LeaseOfAnotherPool, NoSuchPool, PoolExhausted
from argus_py.store.lease_removal import Removal, clean_up, read_temporary, remove_lease

USERS = tuple(f"%2fcn%3duser{number}" for number in range(4))
ACCOUNTS = ("vo1", "vo2", "vo3", "x1", "x2")

users, hosts, accounts = st.sampled_from(USERS), st.sampled_from((0, 1)), st.sampled_from(ACCOUNTS)
pools = st.sampled_from(("vo", "vo", "vo", "x"))  # the maps hardly ever change
which = st.integers(0, 3)


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def no_pause(seconds: float) -> None:
    """One acts after the other here."""


class SharedDirectory(RuleBasedStateMachine):
    """``told``: who was last told to use an account, as long as nobody took it from him."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="gridmapdir-"))
        self.told: dict[str, str] = {}
        self.serial = 0
        for account in ACCOUNTS[:4]:
            (self.directory / account).touch()
        self.hosts = [self.start(seed) for seed in range(2)]

    def start(self, seed: int) -> GridMapDir:
        clock = Clock()
        return GridMapDir(self.directory, random.Random(seed), clock, clock.sleep)

    def teardown(self) -> None:
        shutil.rmtree(self.directory)

    # --- What there is

    def links(self, account: str) -> set[str]:
        """The other names of the account."""
        inode = (self.directory / account).lstat().st_ino
        return {p.name for p in self.directory.iterdir() if p.lstat().st_ino == inode} - {account}

    def existing(self) -> list[str]:
        return [account for account in ACCOUNTS if (self.directory / account).exists()]

    def free(self) -> list[str]:
        return [account for account in self.existing() if not self.links(account)]

    def leased(self) -> list[str]:
        """Users with an account."""
        return [user for user in USERS if self.account_of(user) is not None]

    def strangers(self) -> list[str]:
        """Users without a lease."""
        return [user for user in USERS if not (self.directory / user).exists()]

    def account_of(self, name: str) -> str | None:
        return next((account for account in self.existing() if name in self.links(account)), None)

    def owners(self, account: str) -> set[str]:
        temporaries = {name: read_temporary(name) for name in self.links(account)}
        return {owner for name, found in temporaries.items() if (owner := name if found is None else found.lease)}

    def link(self, account: str, name: str) -> None:
        (self.directory / name).hardlink_to(self.directory / account)

    def temporary(self, kind: str, ending: str) -> str:
        self.serial += 1
        return f".argus.{kind}.{int(time.time())}.{self.serial:016x}.{ending}"

    def taken(self, user: str, account: str | None) -> None:
        if account is not None and self.told.get(account) == user:
            del self.told[account]

    # --- Our hosts

    def ask(self, user: str, pool: str, host: int) -> None:
        before = self.account_of(user)
        try:
            account = self.hosts[host].lease(user, pool).account
        except PoolExhausted:
            assert user in self.strangers()
            assert not any(in_pool(each, pool) for each in self.free())
        except NoSuchPool:
            assert not any(in_pool(each, pool) for each in self.existing())
        except LeaseOfAnotherPool:
            assert before is not None
            assert not in_pool(before, pool)
        except DamagedLease:
            assert before is None or len(self.owners(before)) > 1
        else:
            assert in_pool(account, pool)
            assert self.links(account) == {user}
            assert self.told.get(account, user) == user, "somebody else was told to use it"
            self.told[account] = user

    @rule(user=users, pool=pools, host=hosts)
    def lease(self, user: str, pool: str, host: int) -> None:
        self.ask(user, pool, host)

    @rule(pool=pools, host=hosts)
    def lease_for_everybody(self, pool: str, host: int) -> None:
        for user in USERS:
            self.ask(user, pool, host)

    @rule(user=users, pool=pools)
    def lease_on_both(self, user: str, pool: str) -> None:
        for host in (0, 1):
            self.ask(user, pool, host)

    @rule(user=users)
    def release(self, user: str) -> None:
        account = self.account_of(user)
        if remove_lease(self.directory, user, lambda found: False, no_pause) is Removal.REMOVED:
            self.taken(user, account)

    @rule(user=users)
    def judge_and_keep(self, user: str) -> None:
        before = self.account_of(user)
        expected = Removal.ABSENT if user in self.strangers() else Removal.KEPT
        lease = self.directory / user
        assert remove_lease(self.directory, user, lambda found: not lease.exists(), no_pause) is expected
        assert self.account_of(user) == before

    @rule()
    def mend(self) -> None:
        clean_up(self.directory, sorted(os.listdir(self.directory)), timedelta(-1), time.time())
        left = [found for path in self.directory.iterdir() if (found := read_temporary(path.name)) is not None]
        assert not any(temporary.is_claim for temporary in left)
        for temporary in left:
            assert temporary.lease not in self.strangers() or self.is_shared(temporary.name)

    def is_shared(self, name: str) -> bool:
        inode = (self.directory / name).lstat().st_ino
        return any(p.lstat().st_ino == inode for p in self.directory.iterdir() if p.name not in (*ACCOUNTS, name))

    def held_by(self, name: str) -> str:
        account = self.account_of(name)
        assert account is not None
        return account

    @rule(host=hosts)
    def restart_and_survey(self, host: int) -> None:
        self.hosts[host] = self.start(host)
        for use in self.hosts[host].pools():
            links = [len(self.links(account)) for account in self.existing() if in_pool(account, use.pool)]
            assert use.size == len(links) == use.used + use.free + use.damaged

    # --- Processes that die

    @precondition(lambda self: self.existing())
    @rule(number=which)
    def die_before_a_claim_is_removed(self, number: int) -> None:
        """A new one, or one that came too late."""
        self.link(self.existing()[number % len(self.existing())], self.temporary("claim", "host"))

    @precondition(lambda self: self.free() and self.strangers())
    @rule(number=which)
    def die_before_the_claim_of_a_lease_is_removed(self, number: int) -> None:
        account = self.free()[number % len(self.free())]
        self.link(account, self.temporary("claim", "host"))
        self.link(account, self.strangers()[0])

    @precondition(lambda self: self.leased())
    @rule(number=which)
    def die_with_a_lease_aside(self, number: int) -> None:
        user = self.leased()[number % len(self.leased())]
        (self.directory / user).rename(self.directory / self.temporary("aside", user))

    @precondition(lambda self: self.leased())
    @rule(number=which)
    def die_while_a_lease_is_put_back(self, number: int) -> None:
        user = self.leased()[number % len(self.leased())]
        self.link(self.held_by(user), self.temporary("aside", user))

    # --- The others

    @precondition(lambda self: self.free() and self.strangers())
    @rule(number=which)
    def map_by_lcmaps(self, number: int) -> None:
        account, user = self.free()[number % len(self.free())], self.strangers()[0]
        self.link(account, user)
        os.utime(self.directory / user)
        assert account not in self.told
        self.told[account] = user

    @precondition(lambda self: self.leased() and self.strangers())
    @rule(number=which)
    def die_as_lcmaps_before_the_withdrawal(self, number: int) -> None:
        user = self.leased()[number % len(self.leased())]
        self.link(self.held_by(user), self.strangers()[0])

    @rule(user=users)
    def expire_by_a_script(self, user: str) -> None:
        account = self.account_of(user)
        (self.directory / user).unlink(missing_ok=True)
        self.taken(user, account)

    @rule(account=accounts)
    def add_or_delete_an_account(self, account: str) -> None:
        if account in self.existing():
            (self.directory / account).unlink()
            self.told.pop(account, None)
        else:
            (self.directory / account).touch()

    @rule(really=st.sampled_from((False, False, False, True)))
    def restore_without_hard_links(self, really: bool) -> None:
        """Nobody can know any more whose an account was."""
        if really:
            for path in list(self.directory.iterdir()):
                path.rename(self.directory / "old")
                path.touch()
                (self.directory / "old").unlink()
            self.told.clear()

    # --- Whatever happens

    @invariant()
    def nobody_was_told_of_an_account_that_is_free(self) -> None:
        assert not set(self.told).intersection(self.free())


TestSharedDirectory = SharedDirectory.TestCase
TestSharedDirectory.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
