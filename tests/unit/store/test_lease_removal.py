"""Removal of leases, and what becomes of names that a dead process left."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from argus_py.store.lease_removal import (
    LEFTOVER_AGE,
    NAME_MAX,
    Leftover,
    Removal,
    Temporary,
    claim_name,
    clean_up,
    mend,
    read_temporary,
    remove_lease,
    remove_unless_leased,
)

ALICE, BOB = "%2fcn%3dalice:vo", "%2fcn%3dbob:vo"
MADE, RANDOM = 1_790_000_000, "0123456789abcdef"
CLAIM = f".argus.claim.{MADE}.{RANDOM}.host.example.org"
ASIDE = f".argus.aside.{MADE}.{RANDOM}.{ALICE}"
NAMELESS = f".argus.aside.{MADE}.{RANDOM}"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for account in ("vo001", "vo002"):
        (tmp_path / account).touch()
    return tmp_path


def link(directory: Path, account: str, *names: str) -> None:
    for name in names:
        (directory / name).hardlink_to(directory / account)


def links(directory: Path) -> dict[str, str | None]:
    """Each name that is no account, with its account."""
    accounts = {path.stat().st_ino: path.name for path in directory.glob("vo*")}
    return {path.name: accounts.get(path.lstat().st_ino) for path in directory.iterdir() if path.name[:2] != "vo"}


def keep(found: os.stat_result) -> bool:
    return True


def take(found: os.stat_result) -> bool:
    return False


def at_once(seconds: float) -> None:
    """Nobody else is at work."""


def mended(directory: Path, name: str) -> Leftover:
    temporary = read_temporary(name)
    assert temporary is not None
    return mend(directory, temporary)


def test_lease_is_removed_and_its_account_is_free(directory: Path) -> None:
    link(directory, "vo001", ALICE)
    assert remove_lease(directory, ALICE, take, at_once) is Removal.REMOVED
    assert links(directory) == {}
    assert (directory / "vo001").stat().st_nlink == 1


def test_lease_that_is_to_be_kept_stays(directory: Path) -> None:
    link(directory, "vo001", ALICE)
    assert remove_lease(directory, ALICE, keep, at_once) is Removal.KEPT
    assert links(directory) == {ALICE: "vo001"}
    assert (directory / "vo001").stat().st_nlink == 2


def test_lease_cannot_be_used_any_more_when_it_is_judged(directory: Path) -> None:
    link(directory, "vo001", ALICE)

    judged: list[tuple[bool, int]] = []

    def judge(found: os.stat_result) -> bool:
        judged.append(((directory / ALICE).exists(), found.st_nlink))
        return False

    remove_lease(directory, ALICE, judge, at_once)
    assert judged == [(True, 2), (False, 2)]


def test_use_by_a_program_that_had_looked_at_the_lease_before_is_seen(directory: Path) -> None:
    link(directory, "vo001", ALICE)
    os.utime(directory / ALICE, (MADE, MADE))

    def touch(seconds: float) -> None:
        os.utime(directory / ALICE)  # it is not set aside after that, or this could not be done again

    assert remove_lease(directory, ALICE, take, touch) is Removal.KEPT
    assert links(directory) == {ALICE: "vo001"}


def test_program_that_still_looks_for_the_account_of_the_lease_takes_it_for_damaged(directory: Path) -> None:
    link(directory, "vo001", ALICE)
    seen: list[tuple[bool, int]] = []

    def look(seconds: float) -> None:
        seen.append(((directory / ALICE).exists(), (directory / "vo001").stat().st_nlink))

    assert remove_lease(directory, ALICE, take, look) is Removal.REMOVED
    assert seen == [(True, 3), (False, 3)]


def test_lease_that_is_made_anew_meanwhile_strands_the_old_one(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    link(directory, "vo001", ALICE)

    def make_anew(found: os.stat_result) -> bool:
        if (directory / ALICE).exists():
            return False
        link(directory, "vo002", ALICE)
        return True

    assert remove_lease(directory, ALICE, make_anew, at_once) is Removal.STRANDED
    [aside] = set(links(directory)) - {ALICE}
    assert links(directory) == {ALICE: "vo002", aside: "vo001"}
    assert f"{directory / aside} keeps an account occupied" in caplog.text


def test_lease_that_was_put_back_by_somebody_else_is_kept(directory: Path) -> None:
    link(directory, "vo001", ALICE)

    def put_back(found: os.stat_result) -> bool:
        if (directory / ALICE).exists():
            return False
        link(directory, "vo001", ALICE)
        return True

    assert remove_lease(directory, ALICE, put_back, at_once) is Removal.KEPT
    assert links(directory) == {ALICE: "vo001"}


def test_lease_that_was_mended_by_somebody_else_is_no_error(directory: Path) -> None:
    link(directory, "vo001", ALICE)

    def mend_all(found: os.stat_result) -> bool:
        if (directory / ALICE).exists():
            return False
        assert [each.mended for each in clean_up(directory, os.listdir(directory), timedelta(-1), 2e9)] == [True]
        return True

    assert remove_lease(directory, ALICE, mend_all, at_once) is Removal.KEPT
    assert links(directory) == {ALICE: "vo001"}


def test_lease_that_is_not_there_is_absent(directory: Path) -> None:
    assert remove_lease(directory, ALICE, take, at_once) is Removal.ABSENT


def test_what_is_no_regular_file_is_kept(directory: Path) -> None:
    (directory / ALICE).mkdir()
    assert remove_lease(directory, ALICE, take, at_once) is Removal.KEPT
    assert (directory / ALICE).is_dir()


def test_stranded_lease_is_removed_by_its_temporary_name(directory: Path) -> None:
    link(directory, "vo001", ASIDE)
    assert remove_lease(directory, ASIDE, keep, at_once) is Removal.KEPT
    assert links(directory) == {ASIDE: "vo001"}
    assert remove_lease(directory, ASIDE, take, at_once) is Removal.REMOVED
    assert links(directory) == {}


def test_lone_lease_is_removed_and_told(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    (directory / ALICE).touch()
    assert remove_unless_leased(directory, ALICE) is Removal.REMOVED
    assert links(directory) == {}
    assert f"removed the lease {ALICE} of {directory}: its account is gone" in caplog.text


@pytest.mark.parametrize("others", [(), (BOB,), (BOB, "%2fcn%3dcarol")])
def test_lease_with_an_account_is_not_removed_as_a_lone_one(directory: Path, others: tuple[str, ...]) -> None:
    link(directory, "vo001", ALICE, *others)
    before = links(directory)
    assert remove_unless_leased(directory, ALICE) is Removal.KEPT
    assert links(directory) == before


def test_names_of_claims_are_read_back() -> None:
    name = claim_name()
    claim = read_temporary(name)
    assert claim is not None
    assert claim.is_claim
    assert len(name) < NAME_MAX
    assert claim_name() != name


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (CLAIM, Temporary(CLAIM, MADE, True, None)),
        (ASIDE, Temporary(ASIDE, MADE, False, ALICE)),
        (NAMELESS, Temporary(NAMELESS, MADE, False, None)),
        (f".argus.aside.1.{RANDOM}.a.b\nc", Temporary(f".argus.aside.1.{RANDOM}.a.b\nc", 1, False, "a.b\nc")),
        (f".argus.other.{MADE}.{RANDOM}", None),
        (".argus.", None),
        (f".argus.claim.{MADE}", None),
        (f".argus.claim.{'1' * 13}.{RANDOM}.host", None),
        (f".argus.claim.x.{RANDOM}.host", None),
        (f"x{CLAIM}", None),
        (ALICE, None),
    ],
)
def test_temporary_names_are_told_from_others(name: str, read: Temporary | None) -> None:
    assert read_temporary(name) == read


@pytest.mark.parametrize("length", [NAME_MAX - 41, NAME_MAX - 40, NAME_MAX])
def test_every_lease_can_be_set_aside(directory: Path, length: int) -> None:
    """The name of a long one is lost in a crash; all others are put back."""
    lease = "%2f" + "x" * (length - 3)
    link(directory, "vo001", lease)

    def die(found: os.stat_result) -> bool:
        if not (directory / lease).exists():
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        remove_lease(directory, lease, die, at_once)
    [(aside, account)] = links(directory).items()
    assert account == "vo001"
    assert mended(directory, aside).mended is (length == NAME_MAX - 41)
    assert list(links(directory)) == [lease if length == NAME_MAX - 41 else aside]


@pytest.mark.parametrize("leases", [(), (ALICE,), (ALICE, BOB)])
def test_claim_is_removed_whatever_else_its_account_has(directory: Path, leases: tuple[str, ...]) -> None:
    link(directory, "vo001", *leases, CLAIM)
    assert mended(directory, CLAIM) == Leftover(CLAIM, True, "removed: nobody uses it")
    assert sorted(links(directory)) == sorted(leases)


def test_lone_lease_aside_is_removed(directory: Path) -> None:
    (directory / ASIDE).touch()
    assert mended(directory, ASIDE).mended
    assert links(directory) == {}


def test_lease_aside_is_put_back(directory: Path) -> None:
    link(directory, "vo001", ASIDE)
    assert mended(directory, ASIDE) == Leftover(ASIDE, True, f"put back as {ALICE}")
    assert links(directory) == {ALICE: "vo001"}


def test_lease_aside_that_was_put_back_already_is_removed(directory: Path) -> None:
    link(directory, "vo001", ASIDE, ALICE)
    assert mended(directory, ASIDE).mended
    assert links(directory) == {ALICE: "vo001"}


def held_anew(directory: Path) -> str:
    link(directory, "vo001", ASIDE)
    link(directory, "vo002", ALICE)
    return ASIDE


def shared(directory: Path) -> str:
    link(directory, "vo001", ASIDE, BOB)
    return ASIDE


def nameless(directory: Path) -> str:
    link(directory, "vo001", NAMELESS)
    return NAMELESS


@pytest.mark.parametrize("make", [held_anew, shared, nameless])
def test_lease_aside_that_may_be_in_use_keeps_its_account(directory: Path, make: Callable[[Path], str]) -> None:
    name = make(directory)
    before = links(directory)
    leftover = mended(directory, name)
    assert not leftover.mended
    assert leftover.outcome.startswith("left: ")
    assert links(directory) == before


@pytest.mark.parametrize("names", [(ASIDE, CLAIM), (CLAIM, ASIDE)])
def test_claim_keeps_no_lease_aside_from_its_account(directory: Path, names: tuple[str, str]) -> None:
    link(directory, "vo001", *names)
    assert all(each.mended for each in clean_up(directory, names, LEFTOVER_AGE, MADE + 1000))
    assert links(directory) == {ALICE: "vo001"}


def test_temporary_name_that_has_gone_is_no_error(directory: Path) -> None:
    assert mended(directory, ASIDE) == Leftover(ASIDE, True, "gone already")


def test_only_old_temporary_names_are_cleaned_up(directory: Path) -> None:
    names = [CLAIM, ALICE, ".argus.unknown", "vo001"]
    link(directory, "vo001", CLAIM, ALICE, ".argus.unknown")
    limit = MADE + LEFTOVER_AGE.total_seconds()
    assert clean_up(directory, names, LEFTOVER_AGE, limit) == ()
    assert [each.name for each in clean_up(directory, names, LEFTOVER_AGE, limit + 1)] == [CLAIM]
    assert sorted(links(directory)) == sorted([ALICE, ".argus.unknown"])
