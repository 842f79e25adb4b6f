"""check: what is told, what is mended, what is left to the administrator."""

import shlex
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from argus_py.cli.leases.check import advice
from argus_py.cli.leases.command import Exit
from argus_py.store.lease_problems import Problem, ProblemKind

if TYPE_CHECKING:
    import argparse

    from tests.unit.cli.leases.conftest import Directory, Leases, Machine

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ALICE = "%2fcn%3dalice:dteam"


@pytest.fixture(autouse=True)
def accounts(directory: "Directory", machine: "Machine") -> None:
    directory.account("dteam001", "dteam002")
    machine.uids.update(dteam001=5001, dteam002=5002)


def aside(lease: str, made: datetime = NOW - timedelta(hours=1)) -> str:
    return f".argus.aside.{int(made.timestamp())}.0123456789abcdef.{lease}"


def test_nothing_is_said_of_a_directory_in_order(leases: "Leases", directory: "Directory", machine: "Machine") -> None:
    directory.lease(ALICE, "dteam001")
    outcome = leases("check")
    assert (outcome.exit, outcome.out, outcome.err) == (Exit.FINE, "", "")
    assert machine.pauses == []


def test_a_problem_is_told_with_what_to_do(leases: "Leases", directory: "Directory") -> None:
    directory.lease(ALICE, "dteam001")
    directory.lease("%2fcn%3dbob:my group", "dteam001")
    before = directory.look()

    outcome = leases("check")

    assert outcome.exit is Exit.PROBLEMS
    assert outcome.lines == [
        f"shared-account: {ALICE} '%2fcn%3dbob:my group': the account dteam001 has 2 leases, none of them is served",
        f"    to do: stop the jobs of the account, then argus leases release --gridmapdir {directory.path} "
        f"{ALICE} '%2fcn%3dbob:my group'",
    ]
    assert directory.look() == before


def test_what_is_gone_at_the_second_look_is_not_told(
    leases: "Leases", directory: "Directory", machine: "Machine"
) -> None:
    directory.lease(ALICE, "dteam001")
    directory.lease("%2fcn%3dbob", "dteam001")
    machine.during_pause = (directory.path / ALICE).unlink

    assert leases("check").exit is Exit.FINE
    assert machine.pauses == [1.0]


def test_repair_removes_lone_leases(leases: "Leases", directory: "Directory") -> None:
    (directory.path / ALICE).touch()

    outcome = leases("check", "--repair")

    assert outcome.exit is Exit.FINE
    assert outcome.lines == [f"lone-lease: {ALICE}: its account is gone", "    removed"]
    assert directory.names() == ["dteam001", "dteam002"]


def test_repair_gives_a_lease_back_that_a_dead_process_took_away(leases: "Leases", directory: "Directory") -> None:
    directory.lease(aside(ALICE), "dteam001")

    outcome = leases("check", "--repair")

    assert outcome.exit is Exit.FINE
    assert outcome.lines[1] == f"    put back as {ALICE}"
    assert directory.names() == [ALICE, "dteam001", "dteam002"]


def test_repair_leaves_what_may_be_at_work(leases: "Leases", directory: "Directory") -> None:
    name = aside(ALICE, made=NOW - timedelta(minutes=1))
    directory.lease(name, "dteam001")

    outcome = leases("check", "--repair")

    assert outcome.exit is Exit.PROBLEMS
    assert outcome.lines[1] == "    left: whoever made it may be at work"
    assert name in directory.names()


def test_repair_frees_no_account_that_somebody_may_have(leases: "Leases", directory: "Directory") -> None:
    """The lease was made anew with another account; who got the old one may still be running."""
    directory.lease(aside(ALICE), "dteam001")
    directory.lease(ALICE, "dteam002")

    outcome = leases("check", "--repair")

    assert outcome.exit is Exit.PROBLEMS
    assert outcome.lines[1].startswith("    left: it keeps an account occupied")
    assert outcome.lines[2].startswith("    to do: argus leases check --repair")
    assert directory.links("dteam001") == 2


def test_repair_leaves_a_lone_lease_that_has_got_an_account_since(
    leases: "Leases", directory: "Directory", machine: "Machine"
) -> None:
    """Between the second look and the repair; the account is asked for there."""
    (directory.path / ALICE).touch()

    class MadeAnew(dict[str, int]):
        def get(self, account: str, default: int | None = None) -> int | None:  # type: ignore[override]
            if machine.pauses and directory.links("dteam001") == 1:
                (directory.path / ALICE).unlink()
                directory.lease(ALICE, "dteam001")
            return super().get(account, default)

    machine.uids = MadeAnew(machine.uids)

    assert leases("check", "--repair").lines[1] == "    left: it has an account by now"
    assert (directory.path / ALICE).samefile(directory.path / "dteam001")


def test_repair_tells_what_the_file_system_refuses(
    leases: "Leases", directory: "Directory", machine: "Machine"
) -> None:
    (directory.path / ALICE).touch()

    class Replaced(dict[str, int]):
        def get(self, account: str, default: int | None = None) -> int | None:  # type: ignore[override]
            if machine.pauses and directory.path.is_dir():
                shutil.rmtree(directory.path)
                directory.path.touch()
            return super().get(account, default)

    machine.uids = Replaced(machine.uids)

    outcome = leases("check", "--repair")
    assert outcome.exit is Exit.PROBLEMS
    assert outcome.lines[1] == "    left: Not a directory"


def test_repair_leaves_everything_else(leases: "Leases", directory: "Directory") -> None:
    directory.lease(ALICE, "dteam001")
    directory.lease("%2fcn%3dbob", "dteam001")
    directory.lease("dteam002~", "dteam002")
    before = directory.look()

    assert leases("check", "--repair").exit is Exit.PROBLEMS
    assert directory.look() == before


def test_accounts_that_the_host_lacks_are_a_problem_unless_they_live_elsewhere(
    leases: "Leases", machine: "Machine"
) -> None:
    del machine.uids["dteam002"]
    assert leases("check").lines[0] == "unknown-account: dteam002: no account of this name on this host"
    assert leases("check", "--no-nss").exit is Exit.FINE


def test_json_has_problem_outcome_and_advice(leases: "Leases", directory: "Directory") -> None:
    (directory.path / ALICE).touch()
    (directory.path / "README").touch()
    found = leases("check", "--repair", "--output", "json").json["problems"]
    assert found == [
        {
            "problem": "lone-lease",
            "directory": str(directory.path),
            "files": [ALICE],
            "reason": "its account is gone",
            "mended": True,
            "outcome": "removed",
            "to_do": None,
        },
        {
            "problem": "foreign-file",
            "directory": str(directory.path),
            "files": ["README"],
            "reason": "neither account nor lease",
            "mended": False,
            "outcome": None,
            "to_do": "remove it if nobody needs it",
        },
    ]


# With the map files

Site = Callable[..., str]


def wrong_pools(leases: "Leases", config: str) -> list[str]:
    found = leases("check", "--config", config, "--output", "json").json["problems"]
    return [each["files"][0] for each in found if each["problem"] == "wrong-pool"]


def test_a_lease_of_a_pool_that_no_line_leads_to_is_wrong(leases: "Leases", directory: "Directory", site: Site) -> None:
    directory.lease(ALICE, "dteam001")
    directory.lease("%2fcn%3dbob", "ops001")
    assert wrong_pools(leases, site('"/dteam" .dteam\n"/CN=Carol" ops001\n')) == ["%2fcn%3dbob"]


def test_a_lease_of_a_person_whose_line_leads_elsewhere_is_wrong(
    leases: "Leases", directory: "Directory", site: Site
) -> None:
    directory.lease(ALICE, "dteam001")
    directory.lease("%2fcn%3dbob", "dteam002")
    directory.lease("%2fcn%3dcarol", "ops001")
    map_file = '"/CN=Alice" .ops\n"CN=Bob" local\n"/CN=Carol" .ops\n"/dteam" .dteam\n'
    assert wrong_pools(leases, site(map_file)) == [ALICE, "%2fcn%3dbob"]


def test_where_fqans_come_first_nobody_can_tell_by_the_dn(leases: "Leases", directory: "Directory", site: Site) -> None:
    directory.lease(ALICE, "dteam001")
    config = site('"/CN=Alice" .ops\n"/dteam" .dteam\n', preferDNForLoginName="false")
    assert wrong_pools(leases, config) == []


def test_persons_whose_names_differ_in_case_share_a_lease_and_its_pools(
    leases: "Leases", directory: "Directory", site: Site
) -> None:
    directory.lease("%2fdc%3dch%2fcn%3dalice", "dteam001")
    assert wrong_pools(leases, site('"/DC=ch/CN=Alice" .ops\n"/DC=CH/CN=Alice" .dteam\n')) == []


def test_without_map_files_no_pool_is_wrong(leases: "Leases", directory: "Directory") -> None:
    directory.lease(ALICE, "dteam001")
    assert leases("check").exit is Exit.FINE


# The advice


@pytest.mark.parametrize("kind", ProblemKind)
def test_every_problem_has_an_advice_whose_commands_exist(
    kind: ProblemKind, directory: "Directory", parser: "argparse.ArgumentParser"
) -> None:
    told = advice(Problem(kind, ("%2fcn%3da:my group",), ""), directory.path)
    assert told
    _, *commands = told.split("argus leases ")
    for command in commands:
        if "--gridmapdir" in command:
            words = shlex.split(command.split(";")[0])
            assert str(directory.path) in words
            if len(words) > 3:
                parser.parse_args(words)
