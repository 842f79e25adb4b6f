"""Rules of the gridmapdir, with the other programs played by hooks in the pauses and in the choice of a candidate."""

import itertools
import multiprocessing
import os
import random
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from argus_py.errors import ConfigurationError
from argus_py.store.gridmapdir import (
    DamagedLease,
    GridMapDir,
    GridMapDirUnavailable,
    LeaseOfAnotherPool,
    NoSuchPool,
    PoolExhausted,
    UnusableLeaseName,
    remove_unless_leased,
)

ALICE, BOB = "%2fcn%3dalice:vo", "%2fcn%3dbob:vo"
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


def leases(directory: Path, clock: Clock | None = None, rng: random.Random | None = None) -> GridMapDir:
    clock = clock or Clock()
    return GridMapDir(directory, rng or Oldest(), clock, clock.sleep)


def links(directory: Path, account: str) -> int:
    return (directory / account).stat().st_nlink


def link(directory: Path, account: str, name: str) -> None:
    (directory / name).hardlink_to(directory / account)


def test_lease_is_a_hard_link_to_a_free_account_and_marks_its_use(directory: Path) -> None:
    account = leases(directory).lease(ALICE, "vo")

    assert account == "vo001"
    assert (directory / ALICE).samefile(directory / account)
    assert links(directory, account) == 2
    assert (directory / account).stat().st_mtime > 2000
    assert sorted(path.name for path in directory.iterdir()) == [ALICE, "vo001", "vo002", "vo003"]


def test_holder_gets_his_account_again_and_marks_its_use_again(directory: Path) -> None:
    clock = Clock()
    store = leases(directory, clock)
    account = store.lease(ALICE, "vo")
    os.utime(directory / account, (1, 1))

    assert store.lease(ALICE, "vo") == account
    assert clock.pauses == []
    assert (directory / account).stat().st_mtime > 2000


def test_longest_unused_account_is_given_first(directory: Path) -> None:
    os.utime(directory / "vo002", (1, 1))
    assert leases(directory).lease(ALICE, "vo") == "vo002"


def test_choice_is_spread_over_the_pool(directory: Path) -> None:
    for number in range(4, 100):
        (directory / f"vo{number:03}").touch()
    store = leases(directory, rng=random.Random(1))
    assert len({store.lease(f"%2fcn%3duser{n}", "vo") for n in range(10)}) == 10
    assert store.lease(ALICE, "vo") not in ("vo001", "vo002", "vo003")


def test_lease_of_another_server_is_found(directory: Path) -> None:
    link(directory, "vo002", ALICE)
    assert leases(directory).lease(ALICE, "vo") == "vo002"


def test_young_lease_of_another_server_is_looked_at_twice(directory: Path) -> None:
    link(directory, "vo002", ALICE)
    clock = Clock()
    store = leases(directory, clock)

    assert store.lease(ALICE, "vo") == "vo002"
    assert clock.pauses == [0.2]
    assert store.lease(ALICE, "vo") == "vo002"
    assert clock.pauses == [0.2]


def test_lease_withdrawn_by_its_maker_meanwhile_is_not_answered(directory: Path) -> None:
    link(directory, "vo002", ALICE)

    def withdraw() -> None:
        (directory / ALICE).unlink()
        link(directory, "vo002", BOB)

    assert leases(directory, Clock(withdraw)).lease(ALICE, "vo") == "vo001"
    assert (directory / BOB).samefile(directory / "vo002")


def test_account_taken_by_another_server_at_the_same_instant_is_left_to_it(directory: Path) -> None:
    store = leases(directory, rng=Oldest(lambda: link(directory, "vo001", BOB)))

    assert store.lease(ALICE, "vo") == "vo002"
    assert (directory / BOB).samefile(directory / "vo001")
    assert links(directory, "vo001") == 2


def test_lease_made_by_another_server_at_the_same_instant_is_taken_over(directory: Path) -> None:
    store = leases(directory, rng=Oldest(lambda: link(directory, "vo003", ALICE)))

    assert store.lease(ALICE, "vo") == "vo003"
    assert [links(directory, account) for account in ("vo001", "vo002", "vo003")] == [1, 1, 2]


def test_account_removed_at_the_same_instant_is_passed_over(directory: Path) -> None:
    store = leases(directory, rng=Oldest((directory / "vo001").unlink))
    assert store.lease(ALICE, "vo") == "vo002"


def test_account_freed_while_the_pool_looked_exhausted_is_used(directory: Path) -> None:
    for number, account in enumerate(("vo001", "vo002", "vo003")):
        link(directory, account, f"%2fcn%3dother{number}")
    store = leases(directory, Clock((directory / "%2fcn%3dother1").unlink))

    assert store.lease(ALICE, "vo") == "vo002"


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


def answered_before(store: GridMapDir) -> None:
    store.lease(ALICE, "vo")


def leased_elsewhere(store: GridMapDir) -> None:
    link(store._path, "vo001", ALICE)


def unknown(store: GridMapDir) -> None:
    """ALICE has no lease."""


@pytest.mark.parametrize("look", range(1, 8))
@pytest.mark.parametrize("others", [expire, expire_and_lease_again, remove_the_account_and_lease_again])
@pytest.mark.parametrize("before", [answered_before, leased_elsewhere, unknown])
def test_answer_is_true_whenever_the_others_act(
    directory: Path, before: Callable[[GridMapDir], None], others: Callable[[Path], None], look: int
) -> None:
    store = Interrupted(directory, 0, lambda: others(directory))
    before(store)
    store.looks_left = look

    account = store.lease(ALICE, "vo")

    if store.looks_left > 0:  # they never acted
        assert account == "vo001"
    assert (directory / ALICE).samefile(directory / account)
    assert links(directory, account) == 2
    assert all(links(directory, path.name) < 3 for path in directory.iterdir())


def test_withdrawal_that_comes_late_leaves_a_lease_that_is_in_order(directory: Path) -> None:
    """BOB goes first after both have seen the collision; ALICE's lease may have been answered by another server."""
    collision = Oldest(lambda: link(directory, "vo001", BOB))

    class Late(GridMapDir):
        def _stat(self, name: str) -> os.stat_result | None:
            found = super()._stat(name)
            if name == ALICE and found is not None and found.st_nlink == 3 and next(looks) == 2:
                (directory / BOB).unlink()
            return found

    looks = itertools.count(1)
    afterwards: list[bool] = []
    clock = Clock(lambda: afterwards.append((directory / ALICE).samefile(directory / "vo001")))

    assert Late(directory, collision, clock, clock.sleep).lease(ALICE, "vo") == "vo001"
    assert afterwards == [True]
    assert sorted(path.name for path in directory.iterdir()) == [ALICE, "vo001", "vo002", "vo003"]


def test_account_that_was_renamed_is_answered_by_its_new_name(directory: Path) -> None:
    store = leases(directory)
    store.lease(ALICE, "vo")
    (directory / "vo001").rename(directory / "vo009")
    assert store.lease(ALICE, "vo") == "vo009"


def test_account_given_anew_by_another_server_is_found(directory: Path) -> None:
    store = leases(directory)
    store.lease(ALICE, "vo")
    expire_and_lease_again(directory)
    assert store.lease(ALICE, "vo") == "vo003"


def test_lease_that_lost_its_account_is_replaced(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    (directory / ALICE).touch()

    assert leases(directory).lease(ALICE, "vo") == "vo001"
    assert (directory / ALICE).samefile(directory / "vo001")
    assert len(list(directory.iterdir())) == 4
    assert f"removed the lease {ALICE}" in caplog.text


def test_lone_lease_that_got_an_account_is_put_back(directory: Path) -> None:
    link(directory, "vo002", ALICE)

    remove_unless_leased(directory, ALICE)

    assert (directory / ALICE).samefile(directory / "vo002")
    assert links(directory, "vo002") == 2


def test_lease_whose_account_has_another_one_is_removed(directory: Path) -> None:
    link(directory, "vo002", BOB)
    link(directory, "vo002", ALICE)

    remove_unless_leased(directory, ALICE)

    assert not (directory / ALICE).exists()
    assert (directory / BOB).samefile(directory / "vo002")
    assert links(directory, "vo002") == 2


def test_lone_lease_removed_by_somebody_else_is_no_error(directory: Path) -> None:
    remove_unless_leased(directory, ALICE)
    assert len(list(directory.iterdir())) == 3


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

    assert leases(directory, clock).lease(ALICE, "vo") == "vo001"


def test_lease_that_stays_shared_is_damaged(directory: Path) -> None:
    link(directory, "vo001", ALICE)
    link(directory, "vo001", BOB)
    clock = Clock()

    with pytest.raises(DamagedLease, match="its account has 2 leases") as refusal:
        leases(directory, clock).lease(ALICE, "vo")
    assert refusal.value.lease == ALICE
    assert 3 <= clock.seconds < 3.2


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


def test_shared_account_is_not_given_to_anybody_else(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    link(directory, "vo001", ALICE)
    link(directory, "vo001", BOB)

    assert leases(directory).lease("%2fcn%3dcarol", "vo") == "vo002"
    assert f"the account vo001 in {directory} has 2 leases" in caplog.text


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
    assert store.lease(ALICE, "late") == "late1"


def test_new_account_of_a_pool_in_use_counts_at_the_next_lease(directory: Path) -> None:
    store = leases(directory)
    store.lease(ALICE, "vo")
    (directory / "vo000").touch()
    os.utime(directory / "vo000", (1, 1))
    assert store.lease(BOB, "vo") == "vo000"


def test_new_pool_is_found_even_if_the_time_of_the_directory_tells_nothing(directory: Path) -> None:
    store = leases(directory)
    with pytest.raises(NoSuchPool):
        store.lease(ALICE, "late")
    before = directory.stat().st_mtime_ns
    (directory / "late1").touch()
    os.utime(directory, ns=(before, before))
    assert store.lease(ALICE, "late") == "late1"


def test_exhausted_pool_is_listed_again_even_if_the_time_of_the_directory_tells_nothing(directory: Path) -> None:
    for number, account in enumerate(("vo001", "vo002", "vo003")):
        link(directory, account, f"%2fcn%3dother{number}")

    def add_account() -> None:
        before = directory.stat().st_mtime_ns
        (directory / "vo004").touch()
        os.utime(directory, ns=(before, before))

    assert leases(directory, Clock(add_account)).lease(ALICE, "vo") == "vo004"


@pytest.mark.parametrize(
    ("pool", "account"),
    [("cms", "cms1001"), ("cms1", "cms1001"), ("user1test", "user1test01"), ("a_b-c.d", "a_b-c.d1"), ("VO", "VO1")],
)
def test_account_is_the_prefix_and_digits(tmp_path: Path, pool: str, account: str) -> None:
    (tmp_path / account).touch()
    assert leases(tmp_path).lease(ALICE, pool) == account


@pytest.mark.parametrize(
    ("pool", "account"),
    [("dteam", "dteamprod001"), ("1vo", "1vo001"), ("vo", "VO1"), ("", "vo1"), ("", "1"), ("vo", "vo"), ("vo", "vo١")],
)
def test_other_names_are_no_accounts_of_the_pool(tmp_path: Path, pool: str, account: str) -> None:
    (tmp_path / account).touch()
    with pytest.raises(NoSuchPool):
        leases(tmp_path).lease(ALICE, pool)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../vo001", "a\0b", "x" * 256, "é" * 128, "\ud800"])
def test_name_that_no_file_can_have_is_refused(directory: Path, name: str) -> None:
    with pytest.raises(UnusableLeaseName) as refusal:
        leases(directory).lease(name, "vo")
    assert refusal.value.lease == name


def test_longest_name_is_accepted(directory: Path) -> None:
    assert leases(directory).lease("x" * 255, "vo") == "vo001"


def test_vanished_directory_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "gridmapdir"
    path.mkdir()
    store = leases(path)
    path.rmdir()
    with pytest.raises(GridMapDirUnavailable, match="No such file or directory"):
        store.lease(ALICE, "vo")


def test_wait_for_another_request_of_the_user_ends_at_the_deadline(directory: Path) -> None:
    link(directory, "vo001", ALICE)
    refusals: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(GridMapDirUnavailable) as refusal:
            store.lease(ALICE, "vo")
        refusals.append(str(refusal.value))

    clock = Clock(meanwhile)
    store = GridMapDir(directory, Oldest(), clock, clock.sleep, timedelta(milliseconds=1))

    assert store.lease(ALICE, "vo") == "vo001"
    assert len(refusals) == 1


def test_threads_share_no_account_and_agree_on_the_accounts(directory: Path) -> None:
    for number in range(4, 41):
        (directory / f"vo{number:03}").touch()
    store = GridMapDir(directory, random.Random(1))
    names = [f"%2fcn%3duser{number % 20}" for number in range(200)]

    with ThreadPoolExecutor(16) as threads:
        given = list(threads.map(lambda name: store.lease(name, "vo"), names))

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


def _refusal_as_nobody(path: Path, refusals: "multiprocessing.SimpleQueue[str]") -> None:
    if os.geteuid() == 0:  # root may use every directory
        os.setuid(NOBODY)
    try:
        leases(path)
    except ConfigurationError as error:
        refusals.put(str(error))
    else:
        refusals.put("accepted")


@pytest.mark.parametrize(
    ("mode", "problem"), [(0o000, "is not readable by this process"), (0o555, "is not writable by this process")]
)
def test_closed_directory_is_a_configuration_error(closed_directory: Path, mode: int, problem: str) -> None:
    closed_directory.chmod(mode)
    context = multiprocessing.get_context("fork")
    refusals = context.SimpleQueue()
    process = context.Process(target=_refusal_as_nobody, args=(closed_directory, refusals))
    process.start()
    process.join(30)
    assert refusals.get() == f"Grid map directory {closed_directory} {problem}"
