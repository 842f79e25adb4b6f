"""Every system call that changes the directory fails, or is the last of its process, or comes just after the others.

Python tells an audit hook before it makes such a call; a hook cannot be taken off again, so each case has a process of
its own. What survives is looked at from outside: no account ever has two users, and nothing half made is left.
"""

import errno
import itertools
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from argus_py.errors import ArgusError
from argus_py.store.gridmapdir import GridMapDir
from argus_py.store.lease_removal import clean_up, read_temporary, remove_lease

ALICE, BOB, CAROL = "%2fcn%3dalice:vo", "%2fcn%3dbob:vo", "%2fcn%3dcarol:vo"
ACCOUNTS = ("vo001", "vo002", "vo003")
CALLS = ("os.link", "os.rename", "os.remove", "os.utime", "os.scandir")
MORE_CALLS_THAN_ANY_CASE_MAKES = 60
FORK = multiprocessing.get_context("fork")

Work = Callable[[Path], str]
Act = Callable[[int, str, tuple[str, ...]], None]


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def an_hour_later() -> float:
    """No lease is young then, and what a dead process left is old."""
    return time.time() + 3600


def store(directory: Path, recycle_idle: timedelta | None = None) -> GridMapDir:
    clock = Clock()
    return GridMapDir(directory, random.Random(1), clock, clock.sleep, recycle_idle=recycle_idle, now=an_hour_later)


def lease(directory: Path) -> str:
    return store(directory).lease(ALICE, "vo").account


def lease_by(leases: GridMapDir, directory: Path) -> str:
    return leases.lease(ALICE, "vo").account


def recycle(directory: Path) -> str:
    return store(directory, recycle_idle=timedelta(days=1)).lease(ALICE, "vo").account


def no_pause(seconds: float) -> None:
    """The others act between two calls here."""


def release(directory: Path) -> str:
    return remove_lease(directory, ALICE, lambda found: False, no_pause).value


def put_back(directory: Path) -> str:
    return remove_lease(directory, ALICE, lambda found: not (directory / ALICE).exists(), no_pause).value


def mend_all(directory: Path) -> str:
    return str(len(clean_up(directory, os.listdir(directory), timedelta(-1), time.time())))


def in_child(work: Work, directory: Path, act: Act) -> str | None:
    """What ``work`` gives, or its error after a "!"; None: it was killed. ``act`` comes before each call, counted."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_child, args=(work, directory, act, sender))
    process.start()
    sender.close()
    process.join(30)
    if process.exitcode == -signal.SIGKILL:
        return None
    assert process.exitcode == 0
    answer: str = receiver.recv()
    return answer


def _child(work: Work, directory: Path, act: Act, sender: Connection) -> None:
    counter = itertools.count(1)
    acting = False

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal acting
        if event in CALLS and not acting and os.fspath(args[0]).startswith(str(directory)):
            acting = True
            try:
                act(next(counter), event, tuple(os.fspath(each) for each in args if isinstance(each, (str, Path))))
            finally:
                acting = False

    sys.addaudithook(hook)
    try:
        sender.send(work(directory))
    except ArgusError as error:
        sender.send(f"!{type(error).__name__}: {error}")
    except OSError as error:
        sender.send(f"!{type(error).__name__}: {error}")


def nothing(number: int, call: str, paths: tuple[str, ...]) -> None:
    """The others keep still."""


def at_call(at: int, directory: Path, do: Callable[[Path], None]) -> Act:
    """Leaves ``reached`` behind when there is a call with this number."""

    def act(number: int, call: str, paths: tuple[str, ...]) -> None:
        if number == at:
            reached(directory).touch()
            do(directory)

    return act


def reached(directory: Path) -> Path:
    return directory.with_suffix(".reached")


def die(directory: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(directory: Path) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def fail_all(failing: str, code: int) -> Act:
    def act(number: int, call: str, paths: tuple[str, ...]) -> None:
        if call == failing:
            raise OSError(code, os.strerror(code))

    return act


# --- Directories to begin with


def empty(directory: Path) -> None:
    for account in ACCOUNTS:
        (directory / account).touch()
        os.utime(directory / account, (1000, 1000))


def in_use(directory: Path) -> None:
    empty(directory)
    (directory / ALICE).hardlink_to(directory / "vo001")
    os.utime(directory / ALICE)


def lone(directory: Path) -> None:
    empty(directory)
    (directory / ALICE).touch()


def half_made(directory: Path) -> None:
    """Its maker died before it removed the claim, and so did another one that wanted the account."""
    in_use(directory)
    for number in range(2):
        claim = f".argus.claim.{int(time.time())}.{number:016x}.host"
        (directory / claim).hardlink_to(directory / "vo001")


def set_aside(directory: Path) -> None:
    in_use(directory)
    (directory / ALICE).rename(directory / f".argus.aside.1790000000.0123456789abcdef.{ALICE}")


def full(directory: Path) -> None:
    empty(directory)
    for number, account in enumerate(ACCOUNTS):
        (directory / f"%2fcn%3dold{number}").hardlink_to(directory / account)
        os.utime(directory / account, (2000 + number, 2000 + number))


CASES = [
    pytest.param(make, work, id=f"{work.__name__}-{make.__name__}")
    for make, work in (
        (empty, lease),
        (in_use, lease),
        (lone, lease),
        (half_made, lease),
        (set_aside, lease),
        (full, lease),
        (full, recycle),
        (in_use, release),
        (lone, release),
        (in_use, put_back),
        (set_aside, mend_all),
        (half_made, mend_all),
    )
]


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[Callable[[Path], None]], Path]:
    """Makes a directory to begin with, a new one each time."""
    counter = itertools.count()

    def make(begin: Callable[[Path], None]) -> Path:
        path = tmp_path / f"gridmapdir{next(counter)}"
        path.mkdir()
        begin(path)
        return path

    return make


Fresh = Callable[[Callable[[Path], None]], Path]


def leases_of(directory: Path) -> dict[str, set[str]]:
    """Per account the names that are links to it, among them temporary ones."""
    accounts = {(directory / account).lstat().st_ino: account for account in ACCOUNTS}
    held: dict[str, set[str]] = {account: set() for account in ACCOUNTS}
    for path in directory.iterdir():
        if path.name not in ACCOUNTS and path.lstat().st_ino in accounts:
            held[accounts[path.lstat().st_ino]].add(path.name)
    return held


def owners(directory: Path) -> dict[str, set[str]]:
    """Per account those who hold it, or held it when a process died that was taking their lease away."""
    return {
        account: {owner for name in names if (owner := owner_of(name)) is not None}
        for account, names in leases_of(directory).items()
    }


def owner_of(name: str) -> str | None:
    temporary = read_temporary(name)
    return name if temporary is None else temporary.lease


def check(directory: Path) -> None:
    assert all(len(users) <= 1 for users in owners(directory).values()), leases_of(directory)


def check_after_repair(directory: Path) -> None:
    """Nothing half made is left, and the accounts are of use to as many users as there are accounts.

    Except an account that was not given back to its user in time: it is kept from everybody, as he may still use it.
    """
    mend_all(directory)
    held = leases_of(directory)
    assert all(len(names) <= 1 for names in held.values())
    kept = sorted(name for names in held.values() for name in names if read_temporary(name) is None)
    stranded = [name for names in held.values() for name in names if read_temporary(name) is not None]
    assert all(owner_of(name) in kept for name in stranded)
    free = sum(not names for names in held.values())
    newcomers = [user for user in (ALICE, BOB, CAROL, "%2fcn%3ddora:vo") if user not in kept][:free]
    others = store(directory)
    accounts = {others.lease(user, "vo").account for user in (*kept, *newcomers)}
    assert len(accounts) == len(ACCOUNTS) - len(stranded)
    assert {path.name for path in directory.iterdir()} == {*kept, *newcomers, *stranded, *ACCOUNTS}
    check(directory)


@pytest.mark.parametrize(("begin", "work"), CASES)
def test_process_killed_before_any_call_harms_nobody(fresh: Fresh, begin: Callable[[Path], None], work: Work) -> None:
    for at in range(1, MORE_CALLS_THAN_ANY_CASE_MAKES):
        directory = fresh(begin)
        before = leases_of(directory)
        if in_child(work, directory, at_call(at, directory, die)) is not None:
            assert at > 1
            return
        check(directory)
        free = [account for account, names in leases_of(directory).items() if not names]
        if free:  # another host, before anybody cleans up
            clock = Clock()
            account = GridMapDir(directory, random.Random(1), clock, clock.sleep).lease(BOB, "vo").account
            assert leases_of(directory)[account] == {BOB}
            check(directory)
        check_after_repair(directory)
        after = leases_of(directory)
        assert all(ALICE in after[account] for account in ACCOUNTS if ALICE in before[account] and work is not release)
    raise AssertionError("there are more calls")


@pytest.mark.parametrize(("begin", "work"), CASES)
def test_call_that_fails_harms_nobody(fresh: Fresh, begin: Callable[[Path], None], work: Work) -> None:
    for at in range(1, MORE_CALLS_THAN_ANY_CASE_MAKES):
        directory = fresh(begin)
        answer = in_child(work, directory, at_call(at, directory, fail))
        if not reached(directory).exists():
            assert at > 1
            return
        check(directory)
        if answer in ACCOUNTS:
            assert ALICE in leases_of(directory)[answer]
        check_after_repair(directory)
    raise AssertionError("there are more calls")


@pytest.mark.parametrize(
    ("call", "code", "refusal"),
    [
        ("os.link", errno.ENOSPC, "GridMapDirFull"),
        ("os.link", errno.EDQUOT, "GridMapDirFull"),
        ("os.link", errno.EROFS, "GridMapDirReadOnly"),
        ("os.link", errno.EPERM, "GridMapDirReadOnly"),
        ("os.link", errno.EACCES, "GridMapDirReadOnly"),
        ("os.link", errno.ESTALE, "GridMapDirGone"),
        ("os.link", errno.EIO, "GridMapDirUnavailable"),
        ("os.utime", errno.EROFS, "GridMapDirReadOnly"),
        ("os.utime", errno.EACCES, "GridMapDirReadOnly"),
        ("os.utime", errno.ESTALE, "GridMapDirGone"),
        ("os.utime", errno.EIO, "GridMapDirUnavailable"),
    ],
)
def test_refusal_says_what_is_wrong_with_the_directory(fresh: Fresh, call: str, code: int, refusal: str) -> None:
    directory = fresh(empty)
    answer = in_child(partial(lease_by, store(directory)), directory, fail_all(call, code))
    assert answer == f"!{refusal}: cannot lease {ALICE} in {directory}: {os.strerror(code)}"
    made = [ALICE] if call == "os.utime" else []  # it is in order, and she has it once it can be marked
    assert sorted(path.name for path in directory.iterdir()) == [*made, *ACCOUNTS]


def test_full_directory_serves_those_who_have_leases(fresh: Fresh) -> None:
    assert in_child(lease, fresh(in_use), fail_all("os.link", errno.ENOSPC)) == "vo001"


@pytest.mark.parametrize("code", [errno.EROFS, errno.EPERM, errno.EOPNOTSUPP])
def test_service_does_not_start_on_a_directory_that_takes_no_links(fresh: Fresh, code: int) -> None:
    directory = fresh(in_use)
    answer = in_child(lease, directory, fail_all("os.link", code))
    reason = f"Grid map directory {directory} takes no links: {os.strerror(code)}"
    assert answer == f"!ConfigurationError: {reason}"
    assert sorted(path.name for path in directory.iterdir()) == [ALICE, *ACCOUNTS]


def test_leftover_that_cannot_be_mended_keeps_nobody_from_an_account(fresh: Fresh) -> None:
    """As in a directory with the sticky bit, where another user's process left it."""
    directory = fresh(in_use)
    leftover = directory / ".argus.claim.1790000000.0123456789abcdef.host"
    leftover.hardlink_to(directory / "vo003")

    def ask(directory: Path) -> str:
        leases = store(directory)
        return " ".join(leases.lease(user, "vo").account for user in (ALICE, BOB))

    def refuse(number: int, call: str, paths: tuple[str, ...]) -> None:
        if call == "os.remove" and paths == (str(leftover),):
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    assert in_child(ask, directory, refuse) == "vo001 vo002"
    assert leftover.exists()


def answer_twice(number: int, call: str, paths: tuple[str, ...]) -> None:
    """As NFS does when its first answer is lost: the call is made again, and fails since it succeeded before."""
    if call == "os.link":
        os.link(*paths, follow_symlinks=False)
    elif call == "os.rename":
        os.rename(*paths)
    elif call == "os.remove":
        os.remove(*paths)


@pytest.mark.parametrize(("begin", "work"), CASES)
def test_answer_that_a_file_server_loses_changes_nothing(
    fresh: Fresh, begin: Callable[[Path], None], work: Work
) -> None:
    directory, undisturbed = fresh(begin), fresh(begin)
    answers = in_child(work, directory, answer_twice), in_child(work, undisturbed, nothing)
    told = [
        (answer or "").replace(str(path), "") for answer, path in zip(answers, (directory, undisturbed), strict=True)
    ]
    assert told[0] == told[1] != ""
    assert leases_of(directory) == leases_of(undisturbed)


# --- The others act


def expire(directory: Path) -> None:
    """As a script does it, or LCMAPS when it withdraws; somebody else gets the account at once."""
    if (directory / ALICE).exists():
        account = holder(directory)
        (directory / ALICE).unlink()
        if account is not None and (directory / account).lstat().st_nlink == 1:
            (directory / BOB).hardlink_to(directory / account)


def holder(directory: Path) -> str | None:
    return next((account for account, names in leases_of(directory).items() if ALICE in names), None)


def expire_and_lease_again(directory: Path) -> None:
    expire(directory)
    if not (directory / ALICE).exists():
        free = next(account for account in reversed(ACCOUNTS) if (directory / account).lstat().st_nlink == 1)
        (directory / ALICE).hardlink_to(directory / free)


def take_all_but_one(directory: Path) -> None:
    for name, account in ((BOB, "vo001"), (CAROL, "vo002")):
        if (directory / account).lstat().st_nlink == 1:
            (directory / name).hardlink_to(directory / account)


def release_carefully(directory: Path) -> None:
    release(directory)


def judge_and_keep(directory: Path) -> None:
    put_back(directory)


def clean_up_what_is_alive(directory: Path) -> None:
    """As a process would whose clock is far ahead."""
    mend_all(directory)


@pytest.mark.parametrize(
    "others",
    [expire, expire_and_lease_again, take_all_but_one, release_carefully, judge_and_keep, clean_up_what_is_alive],
)
@pytest.mark.parametrize("begin", [empty, in_use, lone, half_made])
def test_answer_is_true_whatever_others_do_before_any_call(
    fresh: Fresh, begin: Callable[[Path], None], others: Callable[[Path], None]
) -> None:
    for at in range(1, MORE_CALLS_THAN_ANY_CASE_MAKES):
        directory = fresh(begin)
        work = partial(lease_by, store(directory))
        account = in_child(work, directory, at_call(at, directory, others))
        assert account in ACCOUNTS
        assert leases_of(directory)[account] == {ALICE}
        check(directory)
        check_after_repair(directory)
        if not reached(directory).exists():
            assert at > 1
            return
    raise AssertionError("there are more calls")


class Colliding:
    """Another program has made a link to the account right before ours, saw three, and takes its own back during the
    next pause; at the latest when ours has answered."""

    def __init__(self, directory: Path, lease: str) -> None:
        self._lease = directory / lease
        self._clock = Clock()
        self._is_withdrawn = False
        self.leases = GridMapDir(directory, random.Random(1), self._clock, self.sleep)

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)
        self.withdraw()

    def withdraw(self) -> None:
        if not self._is_withdrawn:
            self._lease.unlink()
            self._is_withdrawn = True


def lease_while_another_withdraws(directory: Path) -> str:
    other = Colliding(directory, ALICE)
    account = other.leases.lease(ALICE, "vo").account
    other.withdraw()
    return account


def before_link_to(lease: str, do: Callable[[Path], None]) -> Act:
    """Once, right before the lease would be made from a claim."""
    done = False

    def act(number: int, call: str, paths: tuple[str, ...]) -> None:
        nonlocal done
        if call == "os.link" and Path(paths[1]).name == lease and not done:
            done = True
            do(Path(paths[0]))

    return act


def test_lease_that_its_maker_withdraws_because_of_the_claim_is_not_answered(fresh: Fresh) -> None:
    directory = fresh(empty)
    account = in_child(
        lease_while_another_withdraws,
        directory,
        before_link_to(ALICE, (directory / ALICE).hardlink_to),
    )
    assert account in ACCOUNTS
    assert leases_of(directory)[account] == {ALICE}


def lease_to_bob(directory: Path) -> str:
    return store(directory).lease(BOB, "vo").account


def test_claim_that_comes_to_nothing_makes_no_lease_look_used(fresh: Fresh) -> None:
    """Its maker saw the claim, and has not withdrawn it yet."""
    directory = fresh(empty)

    def collide(claim: Path) -> None:
        (directory / ALICE).hardlink_to(claim)
        free = next(each for each in ACCOUNTS if (directory / each).lstat().st_nlink == 1)
        (directory / BOB).hardlink_to(directory / free)

    in_child(lease_to_bob, directory, before_link_to(BOB, collide))

    assert (directory / ALICE).lstat().st_mtime == 1000
    account = lease_while_another_withdraws(directory)
    assert leases_of(directory)[account] == {ALICE}


# --- What a request costs


def test_exhausted_pool_is_not_listed_for_every_request(fresh: Fresh) -> None:
    """A listing takes time here, and the next one waits nine times as long, or a second at most."""
    directory = fresh(full)
    clock = Clock()
    listings: list[float] = []

    def ask(directory: Path) -> str:
        leases = GridMapDir(directory, random.Random(1), clock, clock.sleep)
        for _ in range(100):
            with pytest.raises(ArgusError, match="no free account"):
                leases.lease(ALICE, "vo")
        return f"{len(listings)} listings in {clock.seconds:.0f} seconds"

    def act(number: int, call: str, paths: tuple[str, ...]) -> None:
        if call == "os.scandir":
            listings.append(clock.seconds)
            clock.seconds += 0.5

    answer = in_child(ask, directory, act)
    assert answer is not None
    count, seconds = (float(word) for word in answer.split() if word.isdigit())
    assert 5 < count <= seconds / 1.5 + 2


@pytest.mark.parametrize("begin", [empty, in_use])
def test_request_lists_nothing_when_what_is_known_is_true(fresh: Fresh, begin: Callable[[Path], None]) -> None:
    directory = fresh(begin)

    def act(number: int, call: str, paths: tuple[str, ...]) -> None:
        assert call != "os.scandir"

    assert in_child(partial(lease_by, store(directory)), directory, act) in ACCOUNTS


class SlowListings:
    """A clock by which each listing takes a twentieth of a second, so that the next one is due half a second later."""

    def __init__(self) -> None:
        self.clock = Clock()

    def __call__(self, number: int, call: str, paths: tuple[str, ...]) -> None:
        if call == "os.scandir":
            self.clock.seconds += 0.05

    def start(self, directory: Path) -> GridMapDir:
        return GridMapDir(directory, random.Random(1), self.clock, self.clock.sleep)


def test_lease_on_an_account_that_is_not_known_yet_waits_for_the_next_listing(fresh: Fresh) -> None:
    slow = SlowListings()

    def ask(directory: Path) -> str:
        leases = slow.start(directory)
        (directory / "vo009").touch()
        (directory / ALICE).hardlink_to(directory / "vo009")
        os.utime(directory / ALICE)
        return f"{leases.lease(ALICE, 'vo').account} {slow.clock.seconds >= 0.5}"

    assert in_child(ask, fresh(empty), slow) == "vo009 True"


def test_last_free_account_is_found_when_no_listing_is_due(fresh: Fresh) -> None:
    slow = SlowListings()

    def ask(directory: Path) -> str:
        for number in range(300):
            (directory / f"x{number}").touch()
        leases = slow.start(directory)
        for number in range(299):
            (directory / f"%2fcn%3dother{number}").hardlink_to(directory / f"x{number}")
        return f"{leases.lease(ALICE, 'x').account} {slow.clock.seconds}"

    assert in_child(ask, fresh(empty), slow) == "x299 0.05"
