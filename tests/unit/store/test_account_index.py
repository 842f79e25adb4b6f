"""What one listing tells of a gridmapdir, and that it looks at no file for it."""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from argus_py.store.account_index import (
    SAMPLE,
    AccountIndex,
    PoolLease,
    PoolUse,
    inode_numbers,
    list_accounts,
)

ALICE, BOB = "%2fcn%3dalice:vo", "%2fcn%3dbob:vo"


def look_in(directory: Path) -> Callable[[str], os.stat_result | None]:
    def look(name: str) -> os.stat_result | None:
        path = directory / name
        return path.lstat() if os.path.lexists(path) else None

    return look


def never(name: str) -> os.stat_result | None:
    raise AssertionError(f"looked at {name}")


def drawn(index: AccountIndex, pool: str) -> list[str]:
    return sorted(index.draw(pool, random.Random(1)))


def test_account_is_found_by_its_inode() -> None:
    index = AccountIndex([("vo001", 7), (ALICE, 7), ("vo002", 8)])
    assert (index.account(7), index.account(8), index.account(9)) == ("vo001", "vo002", None)


def test_account_with_a_second_name_is_no_candidate() -> None:
    index = AccountIndex(
        [("vo001", 7), (ALICE, 7), ("vo002", 8), (".argus.aside.1.0123456789abcdef.x", 8), ("vo003", 9)]
    )
    assert drawn(index, "vo") == ["vo003"]


def test_claim_alone_does_not_make_an_account_leased() -> None:
    assert drawn(AccountIndex([("vo001", 7), (".argus.claim.1.0123456789abcdef.host", 7)]), "vo") == ["vo001"]


def test_two_accounts_that_are_one_file_are_no_candidates() -> None:
    index = AccountIndex([("vo001", 7), ("vo002", 7), ("vo003", 8)])
    assert drawn(index, "vo") == ["vo003"]
    assert index.size("vo") == 3


@pytest.mark.parametrize(
    ("pool", "account"),
    [("cms", "cms1001"), ("cms1", "cms1001"), ("user1test", "user1test01"), ("a_b-c.d", "a_b-c.d1"), ("VO", "VO1")],
)
def test_account_is_the_prefix_and_digits(pool: str, account: str) -> None:
    assert drawn(AccountIndex([(account, 1)]), pool) == [account]


@pytest.mark.parametrize(
    ("pool", "account"),
    [("dteam", "dteamprod001"), ("1vo", "1vo001"), ("vo", "VO1"), ("", "vo1"), ("", "1"), ("vo", "vo"), ("vo", "vo١")],
)
def test_other_names_are_no_accounts_of_the_pool(pool: str, account: str) -> None:
    index = AccountIndex([(account, 1)])
    assert drawn(index, pool) == []
    assert index.size(pool) == 0


def test_sample_has_the_same_size_in_every_pool() -> None:
    index = AccountIndex((f"vo{number:05}", number) for number in range(10_000))
    assert len(set(index.draw("vo", random.Random(1)))) == SAMPLE == 16
    assert index.draw("vo", random.Random(1)) != index.draw("vo", random.Random(2))


def test_struck_accounts_are_drawn_again_when_nothing_else_is_left() -> None:
    index = AccountIndex((f"vo{number:02}", number) for number in range(20))
    for number in range(19):
        index.strike("vo", f"vo{number:02}")
    assert drawn(index, "vo") == ["vo19"]
    index.strike("vo", "vo19")
    assert not index.has_candidates("vo")
    assert drawn(index, "vo") == [f"vo{number:02}" for number in range(4, 20)]


def test_account_is_struck_once() -> None:
    index = AccountIndex([("vo1", 1), ("vo2", 2)])
    for account in ("vo1", "vo1", "vo3"):
        index.strike("vo", account)
    assert drawn(index, "vo") == ["vo2"]


def test_temporary_names_are_told() -> None:
    index = AccountIndex([(".argus.claim.1.0123456789abcdef.host", 1), ("vo1", 1), (".nfs0001", 2), (".argus.x", 3)])
    assert index.temporaries == (".argus.claim.1.0123456789abcdef.host", ".argus.x")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for age, account in enumerate(("cms01", "vo001", "vo002", "vo003", "vo004")):
        (tmp_path / account).touch()
        os.utime(tmp_path / account, (1000 + age, 1000 + age))
    (tmp_path / ALICE).hardlink_to(tmp_path / "vo003")
    (tmp_path / BOB).hardlink_to(tmp_path / "vo002")
    (tmp_path / "README.txt").touch()
    return tmp_path


def test_directory_is_listed_without_a_look_at_its_files(directory: Path) -> None:
    index = list_accounts(directory)
    assert drawn(index, "vo") == ["vo001", "vo004"]
    assert index.account((directory / ALICE).stat().st_ino) == "vo003"


def test_leases_of_a_pool_come_longest_unused_first(directory: Path) -> None:
    leases = list_accounts(directory).leases("vo", look_in(directory))
    assert leases == [PoolLease(1002 * 10**9, "vo002", BOB), PoolLease(1003 * 10**9, "vo003", ALICE)]


def test_only_leases_in_order_are_leases_of_a_pool(directory: Path) -> None:
    (directory / "%2fcn%3dcarol").hardlink_to(directory / "vo002")
    (directory / "notes").hardlink_to(directory / "vo004")
    index = list_accounts(directory)
    (directory / ALICE).unlink()
    assert index.leases("vo", look_in(directory)) == []


def test_use_of_the_pools_is_counted(directory: Path) -> None:
    (directory / "%2fcn%3dcarol").hardlink_to(directory / "vo002")
    assert list_accounts(directory).use(look_in(directory)) == (
        PoolUse("cms", size=1, used=0, free=1, damaged=0, oldest_use=None),
        PoolUse("vo", size=4, used=1, free=2, damaged=1, oldest_use=datetime.fromtimestamp(1003, UTC)),
    )


def test_account_that_came_back_since_the_listing_counts_as_free(directory: Path) -> None:
    index = list_accounts(directory)
    (directory / ALICE).unlink()
    assert [use.free for use in index.use(look_in(directory))] == [1, 3]


def test_free_accounts_are_counted_without_a_look_at_them() -> None:
    index = AccountIndex((f"vo{number:02}", number) for number in range(50))
    assert [use.free for use in index.use(never)] == [50]


@dataclass
class Entry:
    """An entry of a directory that may tell another inode number than the file has."""

    name: str
    told: int
    directory: Path

    def inode(self) -> int:
        return self.told

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        return os.stat(self.directory / self.name, follow_symlinks=follow_symlinks)


def entries(directory: Path, told: Callable[[Path], int]) -> Iterator[Entry]:
    for path in sorted(directory.iterdir()):
        yield Entry(path.name, told(path), directory)


def test_inode_numbers_of_the_directory_are_believed_when_one_is_true(directory: Path) -> None:
    told = {path.name: 1000 + number for number, path in enumerate(sorted(directory.iterdir()))}
    first = min(told)
    told[first] = (directory / first).stat().st_ino
    assert dict(inode_numbers(entries(directory, lambda path: told[path.name]))) == told


def test_files_are_asked_when_the_directory_tells_no_inode_numbers(directory: Path) -> None:
    listed = inode_numbers(entries(directory, lambda path: 2**32 - 1))
    assert dict(listed) == {path.name: path.stat().st_ino for path in directory.iterdir()}


def test_file_removed_while_it_was_listed_is_left_out(directory: Path) -> None:
    gone = Entry("%2fgone", 1, directory)
    listed = dict(inode_numbers([gone, *entries(directory, lambda path: path.stat().st_ino)]))
    assert set(listed) == {path.name for path in directory.iterdir()}
