from pathlib import Path

import pytest

from argus_py.store.lease_files import read_contents
from argus_py.store.lease_problems import Problem, ProblemKind, lasting, problems, unknown_accounts

A = "%2fcn%3dalice:dteam"


def found(directory: Path) -> list[tuple[ProblemKind, tuple[str, ...]]]:
    return [(problem.kind, problem.files) for problem in problems(read_contents(directory))]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for account in ("dteam001", "dteam002", "dteam003"):
        (tmp_path / account).touch()
    return tmp_path


def link(directory: Path, account: str, *names: str) -> None:
    for name in names:
        (directory / name).hardlink_to(directory / account)


def test_free_and_leased_accounts_are_no_problem(directory: Path) -> None:
    link(directory, "dteam001", A)
    assert found(directory) == []


def test_lone_lease(directory: Path) -> None:
    (directory / A).touch()
    assert found(directory) == [(ProblemKind.LONE_LEASE, (A,))]


def test_account_with_two_leases(directory: Path) -> None:
    link(directory, "dteam001", "%2fcn%3dbob", A)
    assert found(directory) == [(ProblemKind.SHARED_ACCOUNT, (A, "%2fcn%3dbob"))]


def test_leases_of_a_file_that_is_no_account(directory: Path) -> None:
    link(directory, "dteam001", A, "%2fcn%3dbob")
    (directory / "dteam001").unlink()
    assert found(directory) == [
        (ProblemKind.LEASE_WITHOUT_ACCOUNT, (A,)),
        (ProblemKind.LEASE_WITHOUT_ACCOUNT, ("%2fcn%3dbob",)),
    ]


def test_one_file_for_two_accounts(directory: Path) -> None:
    link(directory, "dteam001", "dteam004")
    assert found(directory) == [(ProblemKind.ACCOUNT_TWICE, ("dteam001", "dteam004"))]


def test_links_outside_of_the_directory_make_an_account_look_leased(
    directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    backup = tmp_path_factory.mktemp("backup")
    (backup / "dteam001").hardlink_to(directory / "dteam001")
    [problem] = problems(read_contents(directory))
    assert (problem.kind, problem.files) == (ProblemKind.LINKED_ELSEWHERE, ("dteam001",))
    assert problem.reason.startswith("1 of its 2 links")


def test_left_over_temporary_name(directory: Path) -> None:
    name = ".argus.aside.1790000000.0123456789abcdef"
    link(directory, "dteam001", name)
    [problem] = problems(read_contents(directory))
    assert (problem.kind, problem.files) == (ProblemKind.TEMPORARY, (name,))
    assert problem.reason.endswith("a link to the account dteam001")


def test_foreign_files_and_what_they_are_links_to(directory: Path) -> None:
    (directory / "README").touch()
    link(directory, "dteam001", "dteam001~")
    assert [(p.files, p.reason) for p in problems(read_contents(directory))] == [
        (("README",), "neither account nor lease"),
        (("dteam001~",), "neither account nor lease, a link that keeps the account dteam001 occupied"),
    ]


@pytest.mark.parametrize(
    ("argus", "lcmaps"),
    [
        (f"{A}:b:a", f"{A}:a:b"),  # the order of the map file, that of GIDs
        (f"{A}:a:a", f"{A}:a"),  # doubles stay, or are removed
        ("%2fcn%3dhost%2fce:dteam", "%2fcn%3dhost%5c%2fce:dteam"),
        ("%2fcn%3da%2ft%3dx", "%2fcn%3da%2ftitle%3dx"),
    ],
)
def test_one_person_in_the_spellings_of_two_programs(argus: str, lcmaps: str, directory: Path) -> None:
    link(directory, "dteam001", argus)
    link(directory, "dteam002", lcmaps)
    [problem] = problems(read_contents(directory))
    assert problem.kind is ProblemKind.TWO_SPELLINGS
    assert set(problem.files) == {argus, lcmaps}
    assert "dteam001" in problem.reason
    assert "dteam002" in problem.reason


@pytest.mark.parametrize(
    "other",
    ["%2fcn%3dalice:atlas", f"{A}:atlas", "%2fcn%3dalice", f"{A}:mapcount=0002", "%2fcn%3dalicia:dteam"],
)
def test_other_groups_or_persons_are_meant_to_have_accounts_of_their_own(other: str, directory: Path) -> None:
    link(directory, "dteam001", A)
    link(directory, "dteam002", other)
    assert found(directory) == []


def test_names_that_differ_in_letter_case_alone(directory: Path) -> None:
    link(directory, "dteam001", "%2fcn%3dalice:LTE")
    link(directory, "dteam002", "%2fcn%3dalice:lte")
    (directory / "Dteam003").touch()
    assert found(directory) == [
        (ProblemKind.LETTER_CASE, ("%2fcn%3dalice:LTE", "%2fcn%3dalice:lte")),
        (ProblemKind.LETTER_CASE, ("Dteam003", "dteam003")),
    ]


@pytest.mark.parametrize(("length", "is_told"), [(222, False), (223, True), (255, True)])
def test_a_name_that_one_more_group_may_not_fit_into(length: int, is_told: bool, directory: Path) -> None:
    link(directory, "dteam001", "%2fcn%3d".ljust(length, "x"))
    assert [kind for kind, _ in found(directory)] == [ProblemKind.LONG_NAME] * is_told


def test_accounts_that_the_host_does_not_know_are_told_one_by_one(directory: Path) -> None:
    contents = read_contents(directory)
    assert list(unknown_accounts(contents, lambda account: account != "dteam002")) == [
        Problem(ProblemKind.UNKNOWN_ACCOUNT, ("dteam002",), "no account of this name on this host")
    ]


def test_a_host_without_any_of_the_accounts_is_told_once(directory: Path) -> None:
    assert list(unknown_accounts(read_contents(directory), lambda _account: False)) == [
        Problem(ProblemKind.UNKNOWN_ACCOUNT, (), "this host knows none of the 3 accounts")
    ]


def test_an_empty_directory_lacks_no_accounts(tmp_path: Path) -> None:
    assert list(unknown_accounts(read_contents(tmp_path), lambda _account: False)) == []


def test_what_the_second_look_does_not_find_was_somebody_at_work(directory: Path) -> None:
    link(directory, "dteam001", A, "%2fcn%3dbob")
    (directory / "%2fcn%3dlone").touch()
    first = problems(read_contents(directory))
    (directory / A).unlink()
    second = problems(read_contents(directory))
    assert [problem.kind for problem in first] == [ProblemKind.LONE_LEASE, ProblemKind.SHARED_ACCOUNT]
    assert [problem.kind for problem in lasting(first, second)] == [ProblemKind.LONE_LEASE]
