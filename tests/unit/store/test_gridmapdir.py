"""Rules of the gridmapdir, with the other programs played by hooks in the pauses and in the choice of a candidate."""

import logging
import multiprocessing
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from argus_py.errors import ConfigurationError
from argus_py.store.gridmapdir import (
    DamagedLease,
    GridMapDir,
    GridMapDirGone,
    GridMapDirUnavailable,
    LeaseOfAnotherPool,
    NoSuchPool,
    PoolExhausted,
    UnusableLeaseName,
)

ALICE, BOB, CAROL = "%2fcn%3dalice:vo", "%2fcn%3dbob:vo", "%2fcn%3dcarol:vo"
CLAIM = ".argus.claim.1790000000.0123456789abcdef.host"
ASIDE = f".argus.aside.1790000000.0123456789abcdef.{ALICE}"
NOBODY = 65534  # a user who owns nothing


def nothing() -> None:
    """The other programs keep still."""


class Clock:
    """Time that passes only while somebody sleeps; the others act during the first pause."""

    def __init__(self, others: Callable[[], None] = nothing) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []
        self._others = others

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        if not self.pauses:
            self._others()
        self.pauses.append(seconds)
        self.seconds += seconds


class Oldest(random.Random):
    """No shuffling; the others act between the look at the pool and the first claim."""

    def __init__(self, others: Callable[[], None] = nothing) -> None:
        super().__init__(0)
        self._others: Callable[[], None] | None = others

    def uniform(self, a: float, b: float) -> float:
        if self._others is not None:
            others, self._others = self._others, None
            others()
        return a


class Interrupted(GridMapDir):
    """The others act once, right before the look with this number (from 1) at a file of the directory."""

    def __init__(self, directory: Path, look: int, others: Callable[[], None]) -> None:
        clock = Clock()
        super().__init__(directory, Oldest(), clock, clock.sleep)
        self.looks_left = look
        self._others = others

    def _stat(self, name: str) -> os.stat_result | None:
        self.looks_left -= 1
        if self.looks_left == 0:
            self._others()
        return super()._stat(name)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for age, account in enumerate(("vo001", "vo002", "vo003")):
        (tmp_path / account).touch()
        os.utime(tmp_path / account, (1000 + age, 1000 + age))
    return tmp_path


def leases(
    directory: Path,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    recycle_idle: timedelta | None = None,
    now: Callable[[], float] = time.time,
) -> GridMapDir:
    clock = clock or Clock()
    return GridMapDir(directory, rng or Oldest(), clock, clock.sleep, recycle_idle=recycle_idle, now=now)


def links(directory: Path, account: str) -> int:
    return (directory / account).stat().st_nlink


def names(directory: Path) -> list[str]:
    """All that is no account."""
    return sorted(path.name for path in directory.iterdir() if not path.name.startswith("vo"))


def link(directory: Path, account: str, name: str) -> None:
    """As a program that has not come to its touch yet."""
    (directory / name).hardlink_to(directory / account)


def use(directory: Path, account: str, name: str) -> None:
    link(directory, account, name)
    os.utime(directory / name)


def test_lease_is_a_hard_link_to_a_free_account_and_marks_its_use(directory: Path) -> None:
    account = leases(directory).lease(ALICE, "vo").account

    assert account == "vo001"
    assert (directory / ALICE).samefile(directory / account)
    assert links(directory, account) == 2
    assert (directory / account).stat().st_mtime > 2000
    assert sorted(path.name for path in directory.iterdir()) == [ALICE, "vo001", "vo002", "vo003"]


def test_holder_gets_his_account_again_and_marks_its_use_again(directory: Path) -> None:
    store = leases(directory)
    account = store.lease(ALICE, "vo").account
    os.utime(directory / account, (1, 1))

    assert store.lease(ALICE, "vo").account == account
    assert (directory / account).stat().st_mtime > 2000


def test_longest_unused_account_is_given_first(directory: Path) -> None:
    os.utime(directory / "vo002", (1, 1))
    assert leases(directory).lease(ALICE, "vo").account == "vo002"


def test_choice_is_spread_over_the_pool(directory: Path) -> None:
    for number in range(4, 100):
        (directory / f"vo{number:03}").touch()
    store = leases(directory, rng=random.Random(1))
    assert len({store.lease(f"%2fcn%3duser{n}", "vo").account for n in range(10)}) == 10
    assert store.lease(ALICE, "vo").account not in ("vo001", "vo002", "vo003")


def test_lease_of_another_server_is_found(directory: Path) -> None:
    link(directory, "vo002", ALICE)
    assert leases(directory).lease(ALICE, "vo").account == "vo002"


def test_lease_is_believed_at_once_when_its_maker_has_touched_it(directory: Path) -> None:
    use(directory, "vo002", ALICE)
    clock = Clock()
    assert leases(directory, clock).lease(ALICE, "vo").account == "vo002"
    assert clock.pauses == []


def test_lease_that_its_maker_has_not_touched_is_watched(directory: Path) -> None:
    os.utime(directory / "vo002", (time.time() - 60,) * 2)
    link(directory, "vo002", ALICE)
    clock = Clock()
    store = leases(directory, clock)

    assert store.lease(ALICE, "vo").account == "vo002"
    assert 0.5 <= clock.seconds < 0.6
    assert store.lease(ALICE, "vo").account == "vo002"
    assert clock.seconds < 0.6


def test_lease_unused_for_long_may_be_expired_by_a_script_that_looked_at_it_before(directory: Path) -> None:
    use(directory, "vo002", ALICE)
    os.utime(directory / ALICE, (1, 1))
    clock = Clock()

    def expire_once_it_is_touched(seconds: float) -> None:
        clock.sleep(seconds)
        if (directory / "vo002").stat().st_mtime > 2000 and not (directory / BOB).exists():
            (directory / ALICE).unlink()
            link(directory, "vo002", BOB)

    store = GridMapDir(directory, Oldest(), clock, expire_once_it_is_touched)
    assert store.lease(ALICE, "vo").account == "vo001"
    assert (directory / BOB).samefile(directory / "vo002")


def test_lease_that_changes_while_it_is_watched_is_watched_from_then_on(directory: Path) -> None:
    link(directory, "vo002", ALICE)
    link(directory, "vo002", BOB)
    clock = Clock((directory / BOB).unlink)

    assert leases(directory, clock).lease(ALICE, "vo").account == "vo002"
    assert clock.seconds - clock.pauses[0] >= 0.5


def test_lease_withdrawn_by_its_maker_meanwhile_is_not_answered(directory: Path) -> None:
    link(directory, "vo002", ALICE)

    def withdraw() -> None:
        (directory / ALICE).unlink()
        link(directory, "vo002", BOB)

    assert leases(directory, Clock(withdraw)).lease(ALICE, "vo").account == "vo001"
    assert (directory / BOB).samefile(directory / "vo002")


def test_account_taken_by_another_server_at_the_same_instant_is_left_to_it(directory: Path) -> None:
    clock = Clock()
    store = leases(directory, clock, rng=Oldest(lambda: link(directory, "vo001", BOB)))

    assert store.lease(ALICE, "vo").account == "vo002"
    assert (directory / BOB).samefile(directory / "vo001")
    assert links(directory, "vo001") == 2
    assert clock.pauses == []


def test_withdrawn_claim_leaves_the_time_of_use_of_the_other_one(directory: Path) -> None:
    store = leases(directory, rng=Oldest(lambda: link(directory, "vo001", BOB)))
    store.lease(ALICE, "vo")
    assert (directory / BOB).stat().st_mtime == 1000


def test_lease_made_by_another_server_at_the_same_instant_is_taken_over(directory: Path) -> None:
    store = leases(directory, rng=Oldest(lambda: link(directory, "vo003", ALICE)))

    assert store.lease(ALICE, "vo").account == "vo003"
    assert [links(directory, account) for account in ("vo001", "vo002", "vo003")] == [1, 1, 2]


def test_account_removed_at_the_same_instant_is_passed_over(directory: Path) -> None:
    store = leases(directory, rng=Oldest((directory / "vo001").unlink))
    assert store.lease(ALICE, "vo").account == "vo002"


def test_account_freed_while_the_pool_looked_exhausted_is_used(directory: Path) -> None:
    for number, account in enumerate(("vo001", "vo002", "vo003")):
        link(directory, account, f"%2fcn%3dother{number}")
    store = leases(directory, Clock((directory / "%2fcn%3dother1").unlink))

    assert store.lease(ALICE, "vo").account == "vo002"


def test_account_of_a_lease_that_is_being_removed_is_waited_for_in_a_full_pool(directory: Path) -> None:
    for account, name in (("vo001", ALICE), ("vo002", BOB), ("vo003", CAROL)):
        link(directory, account, name)

    def set_aside() -> None:
        (directory / ALICE).rename(directory / ASIDE)

    clock = Clock(set_aside)

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.seconds > 0.2:
            (directory / ASIDE).unlink(missing_ok=True)

    assert GridMapDir(directory, random.Random(1), clock, sleep).lease(ALICE, "vo").account == "vo001"


def expire(directory: Path) -> None:
    (directory / ALICE).unlink(missing_ok=True)
    link(directory, "vo001", BOB)


def expire_and_lease_again(directory: Path) -> None:
    expire(directory)
    link(directory, "vo003", ALICE)


def remove_the_account_and_lease_again(directory: Path) -> None:
    (directory / ALICE).unlink(missing_ok=True)
    (directory / "vo001").unlink()
    link(directory, "vo003", ALICE)


def remove_the_account(directory: Path) -> None:
    (directory / "vo001").unlink()


def answered_before(store: GridMapDir) -> None:
    store.lease(ALICE, "vo")


def leased_elsewhere(store: GridMapDir) -> None:
    link(store._path, "vo001", ALICE)


def unknown(store: GridMapDir) -> None:
    """ALICE has no lease."""


@pytest.mark.parametrize("look", range(1, 10))
@pytest.mark.parametrize(
    "others", [expire, expire_and_lease_again, remove_the_account_and_lease_again, remove_the_account]
)
@pytest.mark.parametrize("before", [answered_before, leased_elsewhere, unknown])
def test_answer_is_true_whenever_the_others_act(
    directory: Path, before: Callable[[GridMapDir], None], others: Callable[[Path], None], look: int
) -> None:
    store = Interrupted(directory, 0, lambda: others(directory))
    before(store)
    store.looks_left = look

    account = store.lease(ALICE, "vo").account

    if store.looks_left > 0:  # they never acted
        assert account == "vo001"
    assert (directory / ALICE).samefile(directory / account)
    assert links(directory, account) == 2
    assert all(links(directory, path.name) < 3 for path in directory.iterdir())


def test_account_that_was_renamed_is_answered_by_its_new_name(directory: Path) -> None:
    store = leases(directory)
    store.lease(ALICE, "vo")
    (directory / "vo001").rename(directory / "vo009")
    assert store.lease(ALICE, "vo").account == "vo009"


def test_account_given_anew_by_another_server_is_found(directory: Path) -> None:
    store = leases(directory)
    store.lease(ALICE, "vo")
    expire_and_lease_again(directory)
    assert store.lease(ALICE, "vo").account == "vo003"


def test_lease_that_lost_its_account_is_replaced(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    (directory / ALICE).touch()

    assert leases(directory).lease(ALICE, "vo").account == "vo001"
    assert (directory / ALICE).samefile(directory / "vo001")
    assert len(list(directory.iterdir())) == 4
    assert f"removed the lease {ALICE}" in caplog.text


def test_lease_that_never_comes_to_rest_is_unavailable(directory: Path) -> None:
    clock = Clock()

    def pause_while_others_make_it_anew(seconds: float) -> None:
        (directory / ALICE).touch()
        clock.sleep(seconds)

    (directory / ALICE).touch()
    store = GridMapDir(directory, random.Random(1), clock, pause_while_others_make_it_anew)

    with pytest.raises(GridMapDirUnavailable, match=r"did not come to rest in 3\.0 seconds"):
        store.lease(ALICE, "vo")
    assert 3 <= clock.seconds < 3.2


def test_lease_waits_for_another_server_to_withdraw(directory: Path) -> None:
    link(directory, "vo001", ALICE)
    link(directory, "vo001", BOB)
    clock = Clock((directory / BOB).unlink)

    assert leases(directory, clock).lease(ALICE, "vo").account == "vo001"


def test_lease_that_stays_shared_is_damaged(directory: Path) -> None:
    link(directory, "vo001", ALICE)
    link(directory, "vo001", BOB)
    clock = Clock()

    with pytest.raises(DamagedLease, match="its account has 2 leases") as refusal:
        leases(directory, clock).lease(ALICE, "vo")
    assert refusal.value.lease == ALICE
    assert 3 <= clock.seconds < 3.2


def test_damaged_lease_is_waited_for_once(directory: Path) -> None:
    """A thread of the server waits, and pilots come by the hundred."""
    link(directory, "vo001", ALICE)
    link(directory, "vo001", BOB)
    clock = Clock()
    store = leases(directory, clock)
    for _ in range(100):
        with pytest.raises(DamagedLease):
            store.lease(ALICE, "vo")
    assert clock.seconds < 3.2
    (directory / BOB).unlink()
    assert store.lease(ALICE, "vo").account == "vo001"


def test_damaged_lease_makes_nobody_else_wait(directory: Path) -> None:
    link(directory, "vo001", ALICE)
    link(directory, "vo001", BOB)
    waiting, others_done = threading.Event(), threading.Event()

    def wait_for_the_others(seconds: float) -> None:
        waiting.set()
        others_done.wait()

    clock = Clock()
    store = GridMapDir(directory, Oldest(), clock, wait_for_the_others, timedelta(seconds=0.01))
    with ThreadPoolExecutor(1) as thread:
        refused = thread.submit(store.lease, ALICE, "vo")
        waiting.wait()
        try:
            for number in range(500):
                with pytest.raises(NoSuchPool):
                    store.lease(f"%2fcn%3duser{number}", "late")
        finally:
            clock.seconds = 1.0
            others_done.set()
        assert isinstance(refused.exception(), DamagedLease)


def test_shared_account_is_not_given_to_anybody_else(directory: Path) -> None:
    link(directory, "vo001", ALICE)
    link(directory, "vo001", BOB)
    assert leases(directory).lease(CAROL, "vo").account == "vo002"


@pytest.mark.parametrize("leftover", [CLAIM, ASIDE])
def test_third_link_left_by_a_dead_process_is_taken_off(
    directory: Path, leftover: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It died while it made the lease, or while it put it back."""
    use(directory, "vo001", ALICE)
    store = leases(directory)
    link(directory, "vo001", leftover.replace("1790000000", str(int(time.time()))))

    assert store.lease(ALICE, "vo").account == "vo001"
    assert names(directory) == [ALICE]
    assert "which a process left behind, is" in caplog.text


@pytest.mark.parametrize(
    ("leftover", "left", "told"),
    [(CLAIM, [], "removed: nobody uses it"), (ASIDE, [ALICE], f"put back as {ALICE}")],
)
def test_old_leftovers_are_mended_at_the_start(
    directory: Path, leftover: str, left: list[str], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    link(directory, "vo001", leftover)
    leases(directory)
    assert names(directory) == left
    assert caplog.messages == [f"{leftover} in {directory}, which a process left behind, is {told}"]


def test_young_leftovers_are_left_at_the_start(directory: Path) -> None:
    """Their makers may be alive."""
    leftover = CLAIM.replace("1790000000", str(int(time.time())))
    link(directory, "vo001", leftover)
    leases(directory)
    assert names(directory) == [leftover]


def test_leftover_that_holds_an_account_is_told_once(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    use(directory, "vo001", ASIDE)
    use(directory, "vo002", ALICE)
    store = leases(directory)
    for _ in range(2):
        with pytest.raises(NoSuchPool):
            store.lease(BOB, "late")
    assert len(caplog.messages) == 1
    assert store.lease(ALICE, "vo").account == "vo002"
    assert names(directory) == sorted([ALICE, ASIDE])


def test_lease_on_a_file_that_is_no_account_is_damaged(directory: Path) -> None:
    (directory / "README").touch()
    link(directory, "README", ALICE)
    with pytest.raises(DamagedLease, match="no account"):
        leases(directory).lease(ALICE, "vo")


def test_symbolic_link_is_no_lease(directory: Path) -> None:
    (directory / ALICE).symlink_to("vo001")
    with pytest.raises(DamagedLease, match="not a regular file"):
        leases(directory).lease(ALICE, "vo")
    assert (directory / ALICE).is_symlink()


def test_only_regular_files_are_accounts(directory: Path) -> None:
    (directory / "x01").mkdir()
    (directory / "x02").symlink_to("vo001")
    with pytest.raises(PoolExhausted):
        leases(directory).lease(ALICE, "x")


def test_lease_of_another_pool_is_refused_and_kept(directory: Path) -> None:
    (directory / "old01").touch()
    link(directory, "old01", ALICE)

    with pytest.raises(LeaseOfAnotherPool) as refusal:
        leases(directory).lease(ALICE, "vo")
    assert (refusal.value.lease, refusal.value.account, refusal.value.pool) == (ALICE, "old01", "vo")
    assert links(directory, "old01") == 2


def test_exhausted_pool_is_named_with_its_size(directory: Path) -> None:
    store = leases(directory)
    for number in range(3):
        store.lease(f"%2fcn%3duser{number}", "vo")

    with pytest.raises(PoolExhausted, match="no free account in the pool 'vo'") as refusal:
        store.lease(ALICE, "vo")
    assert (refusal.value.pool, refusal.value.size) == ("vo", 3)
    assert not (directory / ALICE).exists()


def test_new_accounts_are_used_at_once(directory: Path) -> None:
    store = leases(directory)
    with pytest.raises(NoSuchPool, match="has no account of the pool 'late'"):
        store.lease(ALICE, "late")
    (directory / "late1").touch()
    assert store.lease(ALICE, "late").account == "late1"


def test_new_account_of_a_pool_in_use_counts_when_the_others_are_taken(directory: Path) -> None:
    store = leases(directory)
    (directory / "vo000").touch()
    assert {store.lease(f"%2fcn%3duser{n}", "vo").account for n in range(4)} == {"vo000", "vo001", "vo002", "vo003"}


def test_new_account_of_a_pool_in_use_counts_when_the_pools_were_surveyed(directory: Path) -> None:
    store = leases(directory)
    (directory / "vo000").touch()
    os.utime(directory / "vo000", (1, 1))
    store.pools()
    assert store.lease(ALICE, "vo").account == "vo000"


def test_new_pool_is_found_even_if_the_time_of_the_directory_tells_nothing(directory: Path) -> None:
    store = leases(directory)
    with pytest.raises(NoSuchPool):
        store.lease(ALICE, "late")
    before = directory.stat().st_mtime_ns
    (directory / "late1").touch()
    os.utime(directory, ns=(before, before))
    assert store.lease(ALICE, "late").account == "late1"


def test_exhausted_pool_is_listed_again_even_if_the_time_of_the_directory_tells_nothing(directory: Path) -> None:
    for number, account in enumerate(("vo001", "vo002", "vo003")):
        link(directory, account, f"%2fcn%3dother{number}")

    def add_account() -> None:
        before = directory.stat().st_mtime_ns
        (directory / "vo004").touch()
        os.utime(directory, ns=(before, before))

    assert leases(directory, Clock(add_account)).lease(ALICE, "vo").account == "vo004"


def test_pool_may_end_in_a_digit(directory: Path) -> None:
    (directory / "cms1001").touch()
    store = leases(directory)
    assert store.lease(ALICE, "cms1").account == "cms1001"
    assert store.lease(ALICE, "cms").account == "cms1001"


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../vo001", "a\0b", "x" * 256, "é" * 128, "\ud800", "vo001"])
def test_name_that_no_file_can_have_is_refused(directory: Path, name: str) -> None:
    with pytest.raises(UnusableLeaseName) as refusal:
        leases(directory).lease(name, "vo")
    assert refusal.value.lease == name
    assert names(directory) == []


def test_longest_name_is_accepted(directory: Path) -> None:
    assert leases(directory).lease("x" * 255, "vo").account == "vo001"


def test_vanished_directory_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "gridmapdir"
    path.mkdir()
    store = leases(path)
    path.rmdir()
    with pytest.raises(GridMapDirGone, match="No such file or directory"):
        store.lease(ALICE, "vo")


def test_wait_for_another_request_of_the_user_ends_at_the_deadline(directory: Path) -> None:
    (directory / ALICE).touch()
    refusals: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(GridMapDirUnavailable) as refusal:
            store.lease(ALICE, "vo")
        refusals.append(str(refusal.value))

    clock = Clock(meanwhile)
    store = GridMapDir(directory, Oldest(), clock, clock.sleep, timedelta(milliseconds=1))

    assert store.lease(ALICE, "vo").account == "vo001"
    assert refusals == [f"other requests for the lease {ALICE} did not end in 0.001 seconds"]


# --- Other names of a lease

LCMAPS = "%2fcn%3dalice:vo:a:b"


def test_lease_under_another_name_is_used_and_marked(directory: Path) -> None:
    use(directory, "vo002", LCMAPS)
    os.utime(directory / LCMAPS, (1, 1))
    store = leases(directory)

    assert store.lease(ALICE, "vo", ["%2fcn%3dnobody", LCMAPS]).account == "vo002"
    assert (directory / LCMAPS).stat().st_mtime > 2000
    assert names(directory) == [LCMAPS]


def test_own_name_goes_before_the_others(directory: Path) -> None:
    use(directory, "vo002", LCMAPS)
    use(directory, "vo003", ALICE)
    assert leases(directory).lease(ALICE, "vo", [LCMAPS]).account == "vo003"


def of_another_pool(directory: Path) -> None:
    (directory / "old01").touch()
    link(directory, "old01", LCMAPS)


def without_an_account(directory: Path) -> None:
    (directory / LCMAPS).touch()


def shared(directory: Path) -> None:
    link(directory, "vo003", LCMAPS)
    link(directory, "vo003", BOB)


def on_no_account(directory: Path) -> None:
    (directory / "README").touch()
    link(directory, "README", LCMAPS)


@pytest.mark.parametrize("other", [of_another_pool, without_an_account, shared, on_no_account])
def test_lease_under_another_name_that_is_not_in_order_is_left_alone(
    directory: Path, other: Callable[[Path], None]
) -> None:
    other(directory)
    before = (directory / LCMAPS).lstat()

    assert leases(directory).lease(ALICE, "vo", [LCMAPS]).account == "vo001"
    after = (directory / LCMAPS).lstat()
    assert (after.st_ino, after.st_nlink, after.st_mtime_ns) == (before.st_ino, before.st_nlink, before.st_mtime_ns)


def test_other_name_that_no_file_can_have_is_passed_over(directory: Path) -> None:
    assert leases(directory).lease(ALICE, "vo", ["x" * 256, "a/b"]).account == "vo001"


def test_lease_under_another_name_that_is_withdrawn_is_not_answered(directory: Path) -> None:
    link(directory, "vo002", LCMAPS)
    clock = Clock((directory / LCMAPS).unlink)
    assert leases(directory, clock).lease(ALICE, "vo", [LCMAPS]).account == "vo001"
    assert names(directory) == [ALICE]


# --- Idle leases of an exhausted pool

DAY = 86400


def fill(directory: Path, now: float) -> None:
    """BOB was last seen ten days ago, CAROL two days ago, another one is there today."""
    for account, name, days in (("vo001", CAROL, 2), ("vo002", BOB, 10), ("vo003", "%2fcn%3ddora:vo", 0)):
        link(directory, account, name)
        os.utime(directory / name, (now - days * DAY,) * 2)


def test_longest_idle_lease_of_an_exhausted_pool_is_recycled(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(directory, 1_790_000_000)
    store = leases(directory, recycle_idle=timedelta(days=1), now=lambda: 1_790_000_000)

    assert store.lease(ALICE, "vo").account == "vo002"
    assert BOB not in names(directory)
    assert caplog.messages == [
        f"took the account vo002 in {directory} from {BOB}, who was last seen at 2026-09-11T14:13:20+00:00, for {ALICE}"
    ]
    assert store.lease("%2fcn%3derin:vo", "vo").account == "vo001"
    with pytest.raises(PoolExhausted):
        store.lease("%2fcn%3dfred:vo", "vo")


def test_no_lease_is_recycled_before_its_time(directory: Path) -> None:
    moments = [1_790_000_000.0]
    fill(directory, moments[0])
    store = leases(directory, recycle_idle=timedelta(days=11), now=lambda: moments[0])

    with pytest.raises(PoolExhausted):
        store.lease(ALICE, "vo")
    moments[0] += DAY - 1
    with pytest.raises(PoolExhausted):
        store.lease(ALICE, "vo")
    moments[0] += 2
    assert store.lease(ALICE, "vo").account == "vo002"


def test_no_lease_is_recycled_unless_the_site_says_so(directory: Path) -> None:
    fill(directory, 1_790_000_000)
    with pytest.raises(PoolExhausted):
        leases(directory).lease(ALICE, "vo")
    assert len(names(directory)) == 3


def test_no_lease_is_recycled_while_an_account_is_free(directory: Path) -> None:
    fill(directory, 1_790_000_000)
    (directory / "vo004").touch()
    store = leases(directory, recycle_idle=timedelta(days=1), now=lambda: 1_790_000_000)
    assert store.lease(ALICE, "vo").account == "vo004"
    assert BOB in names(directory)


def test_lease_used_since_it_was_listed_is_not_recycled(directory: Path) -> None:
    fill(directory, 1_790_000_000)
    store = leases(directory, recycle_idle=timedelta(days=1), now=lambda: 1_790_000_000)
    assert store.lease(ALICE, "vo").account == "vo002"  # BOB's; he was listed with CAROL
    os.utime(directory / CAROL)

    with pytest.raises(PoolExhausted):
        store.lease("%2fcn%3derin:vo", "vo")
    assert CAROL in names(directory)


def test_lease_of_another_pool_is_not_recycled(directory: Path) -> None:
    fill(directory, 1_790_000_000)
    (directory / "x1").touch()
    use(directory, "x1", "%2fcn%3derin:x")
    store = leases(directory, recycle_idle=timedelta(days=1), now=lambda: 1_790_000_000)
    with pytest.raises(PoolExhausted):
        store.lease(ALICE, "x")


def test_damaged_pool_has_nothing_to_recycle(directory: Path) -> None:
    for account in ("vo001", "vo002", "vo003"):
        for name in ("a", "b"):
            link(directory, account, f"%2fcn%3d{account}{name}")
            os.utime(directory / account, (1, 1))
    store = leases(directory, recycle_idle=timedelta(days=1))
    for _ in range(2):
        with pytest.raises(PoolExhausted):
            store.lease(ALICE, "vo")


# --- Figures


def test_use_of_the_pools_is_told_at_most_a_minute_late(directory: Path) -> None:
    clock = Clock()
    store = leases(directory, clock)
    store.lease(ALICE, "vo")
    [before] = store.pools()
    assert (before.pool, before.size, before.used, before.free, before.damaged) == ("vo", 3, 1, 2, 0)
    assert before.oldest_use is not None

    store.lease(BOB, "vo")
    assert store.pools() == (before,)
    clock.seconds += 60
    assert [use.used for use in store.pools()] == [2]


def test_pools_of_a_vanished_directory_are_unavailable(directory: Path) -> None:
    store = leases(directory)
    shutil.rmtree(directory)
    with pytest.raises(GridMapDirGone, match=f"^cannot read {directory}: No such file or directory$"):
        store.pools()


# --- What this process knows of the directory grows old: two stores are two hosts


def test_last_account_that_others_have_left_is_found(directory: Path) -> None:
    for number in range(4, 101):
        (directory / f"vo{number:03}").touch()
    store, other = leases(directory), leases(directory)
    given = {other.lease(f"%2fcn%3duser{number}", "vo").account for number in range(99)}

    assert store.lease(ALICE, "vo").account not in given
    with pytest.raises(PoolExhausted):
        store.lease(BOB, "vo")
    (directory / "%2fcn%3duser50").unlink()
    assert store.lease(BOB, "vo").account in given


def test_accounts_that_were_deleted_are_not_given(directory: Path) -> None:
    store = leases(directory)
    (directory / "vo001").unlink()
    (directory / "vo002").unlink()
    assert store.lease(ALICE, "vo").account == "vo003"
    (directory / "vo003").unlink()
    with pytest.raises(NoSuchPool):
        store.lease(ALICE, "vo")


def test_inode_that_got_another_name_is_answered_by_that(directory: Path) -> None:
    """File systems give the numbers of deleted files to new ones."""
    store = leases(directory)
    store.lease(ALICE, "vo")
    (directory / "vo001").rename(directory / "vo009")
    (directory / "vo002").rename(directory / "vo001")
    assert store.lease(ALICE, "vo").account == "vo009"
    assert store.lease(BOB, "vo").account == "vo001"


def test_directory_restored_without_hard_links_is_used_anew(directory: Path) -> None:
    """All leases stand alone then. Users may get other accounts, and none gets that of another one."""
    store, other = leases(directory), leases(directory)
    for name in (ALICE, BOB):
        store.lease(name, "vo")
    for path in list(directory.iterdir()):
        path.rename(directory / "aside")
        path.touch()
        (directory / "aside").unlink()

    given = {name: store.lease(name, "vo").account for name in (ALICE, BOB, CAROL)}

    assert len(set(given.values())) == 3
    assert all((directory / name).samefile(directory / account) for name, account in given.items())
    assert {name: other.lease(name, "vo").account for name in given} == given


# --- Threads


def test_threads_share_no_account_and_agree_on_the_accounts(directory: Path) -> None:
    for number in range(4, 41):
        (directory / f"vo{number:03}").touch()
    store = GridMapDir(directory, random.Random(1))
    names = [f"%2fcn%3duser{number % 20}" for number in range(200)]

    with ThreadPoolExecutor(16) as threads:
        given = list(threads.map(lambda name: store.lease(name, "vo").account, names))

    assert len(set(zip(names, given, strict=True))) == 20
    assert len(set(given)) == 20


@pytest.mark.parametrize(
    ("make", "problem"), [(lambda path: None, "does not exist"), (Path.touch, "is not a directory")]
)
def test_missing_directory_is_a_configuration_error(tmp_path: Path, make: Callable[[Path], None], problem: str) -> None:
    path = tmp_path / "gridmapdir"
    make(path)
    with pytest.raises(ConfigurationError, match=f"^Grid map directory {path} {problem}$"):
        leases(path)


@pytest.fixture
def closed_directory() -> Iterator[Path]:
    """A directory below one that everybody may enter, unlike those of pytest."""
    outer = Path(tempfile.mkdtemp())
    outer.chmod(0o755)
    path = outer / "gridmapdir"
    path.mkdir()
    yield path
    path.chmod(0o755)
    shutil.rmtree(outer)


def _as_nobody(path: Path, answers: "multiprocessing.SimpleQueue[str]") -> None:
    """What a start says: the refusal, or what is logged."""
    if os.geteuid() == 0:  # root may use every directory
        os.setuid(NOBODY)
    logged = StringIO()
    logging.basicConfig(stream=logged, format="%(message)s", force=True)
    try:
        leases(path)
    except ConfigurationError as error:
        answers.put(str(error))
    else:
        answers.put(logged.getvalue())


def start_as_nobody(path: Path) -> str:
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    process = context.Process(target=_as_nobody, args=(path, answers))
    process.start()
    process.join(30)
    answer: str = answers.get()
    return answer


@pytest.mark.parametrize(
    ("mode", "problem"), [(0o000, "is not readable by this process"), (0o555, "is not writable by this process")]
)
def test_closed_directory_is_a_configuration_error(closed_directory: Path, mode: int, problem: str) -> None:
    closed_directory.chmod(mode)
    assert start_as_nobody(closed_directory) == f"Grid map directory {closed_directory} {problem}"


@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_accounts_that_cannot_be_leased_are_told_at_the_start(closed_directory: Path, mode: int) -> None:
    closed_directory.chmod(0o777)
    account = closed_directory / "vo001"
    account.touch(mode)
    account.chmod(mode)
    told = f"{account} is not readable and writable by this process: it can be neither leased nor marked\n"
    assert start_as_nobody(closed_directory) == told


def test_directory_without_accounts_is_told_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    leases(tmp_path)
    assert caplog.messages == [f"{tmp_path} has no accounts"]
