"""release and expire: what is taken, and what stands against it."""

import os
import shlex
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from argus_py.cli.leases.command import Exit

if TYPE_CHECKING:
    from tests.unit.cli.leases.conftest import Directory, Leases, Machine

ALICE, BOB, CAROL = "%2fcn%3dalice:dteam", "%2fcn%3dbob:dteam", "%2fcn%3dcarol:dteam"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=20), NOW - timedelta(days=2)
EXPIRE = ("expire", "--older-than", "10d")


@pytest.fixture(autouse=True)
def accounts(directory: "Directory", machine: "Machine") -> None:
    """Alice and Bob have been away for long, Carol has not."""
    directory.account("dteam001", "dteam002", "dteam003", "dteam004")
    directory.lease(ALICE, "dteam001", OLD)
    directory.lease(BOB, "dteam002", OLD)
    directory.lease(CAROL, "dteam003", YOUNG)
    machine.uids.update(dteam001=5001, dteam002=5002, dteam003=5003, dteam004=5004)


# expire


def test_leases_that_were_unused_longer_than_the_limit_expire(directory: "Directory", leases: "Leases") -> None:
    outcome = leases(*EXPIRE)

    assert outcome.exit is Exit.FINE
    assert outcome.lines == [
        f"expired {ALICE} (dteam001, last used 2026-11-04T12:00:00Z)",
        f"expired {BOB} (dteam002, last used 2026-11-04T12:00:00Z)",
    ]
    assert directory.names() == [CAROL, "dteam001", "dteam002", "dteam003", "dteam004"]
    assert [directory.links(name) for name in ("dteam001", "dteam002", "dteam003")] == [1, 1, 2]


def test_the_limit_itself_is_not_older(directory: "Directory", leases: "Leases") -> None:
    directory.use(ALICE, NOW - timedelta(days=10))

    leases(*EXPIRE)

    assert ALICE in directory.names()


def test_dry_run_tells_and_takes_nothing(directory: "Directory", leases: "Leases") -> None:
    before = directory.look()

    outcome = leases(*EXPIRE, "--dry-run")

    assert [line.split(" (")[0] for line in outcome.lines] == [f"would be expired {ALICE}", f"would be expired {BOB}"]
    assert directory.look() == before


@pytest.mark.parametrize("position", range(4))
def test_an_account_with_a_process_is_kept_whichever_of_its_uids_it_is(
    position: int, directory: "Directory", machine: "Machine", leases: "Leases"
) -> None:
    machine.runs(4711, *(5001 if each == position else 0 for each in range(4)))

    outcome = leases(*EXPIRE)

    assert outcome.exit is Exit.FINE
    assert "its account has processes on this host" in outcome.lines[0]
    assert ALICE in directory.names()
    assert BOB not in directory.names()


def test_an_account_that_this_host_does_not_know_is_kept(
    directory: "Directory", machine: "Machine", leases: "Leases"
) -> None:
    machine.uids.clear()  # as when the directory server does not answer

    outcome = leases(*EXPIRE)

    assert all("does not know the account" in line for line in outcome.lines)
    assert ALICE in directory.names()


def test_without_a_look_at_processes_accounts_of_other_hosts_expire(
    directory: "Directory", machine: "Machine", leases: "Leases"
) -> None:
    machine.uids.clear()

    leases(*EXPIRE, "--no-processes")

    assert ALICE not in directory.names()


def test_hidden_processes_let_nothing_expire(directory: "Directory", machine: "Machine", leases: "Leases") -> None:
    (machine.proc / "1" / "status").unlink()
    (machine.proc / "1").rmdir()

    outcome = leases(*EXPIRE)

    assert outcome.exit is Exit.UNAVAILABLE
    assert "only root sees them" in outcome.err
    assert ALICE in directory.names()


def test_an_account_with_a_younger_file_is_kept(
    directory: "Directory", machine: "Machine", leases: "Leases", tmp_path: Path
) -> None:
    output = tmp_path / "scratch" / "job" / "output"
    output.parent.mkdir(parents=True)
    output.touch()
    os.utime(output, (NOW.timestamp(), NOW.timestamp()))
    machine.uids["dteam001"] = os.getuid()  # the owner is whoever runs this test

    outcome = leases(*EXPIRE, "--no-processes", "--files", str(tmp_path / "scratch"))

    assert "its account has files that are younger" in outcome.lines[0]
    assert ALICE in directory.names()
    assert BOB not in directory.names()


def test_a_directory_that_cannot_be_searched_lets_nothing_expire(
    directory: "Directory", leases: "Leases", tmp_path: Path
) -> None:
    outcome = leases(*EXPIRE, "--files", str(tmp_path / "gone"))

    assert outcome.exit is Exit.UNAVAILABLE
    assert str(tmp_path / "gone") in outcome.err
    assert ALICE in directory.names()


def python(program: str) -> str:
    return shlex.join([sys.executable, "-c", program])


def test_the_busy_command_gets_the_accounts_and_names_those_to_keep(directory: "Directory", leases: "Leases") -> None:
    last_one = python("import sys; print('root'); print(sys.stdin.readlines()[-1])")

    outcome = leases(*EXPIRE, "--busy-command", last_one)

    assert outcome.lines[1].endswith("the busy command names its account")
    assert BOB in directory.names()
    assert ALICE not in directory.names()


@pytest.mark.parametrize(
    "command",
    [python("print('dteam002'); raise SystemExit(1)"), "/nonexistent/command", python("print('two words')")],
)
def test_a_failing_busy_command_lets_nothing_expire(command: str, directory: "Directory", leases: "Leases") -> None:
    before = directory.look()

    outcome = leases(*EXPIRE, "--busy-command", command)

    assert outcome.exit is Exit.UNAVAILABLE
    assert "cannot tell which accounts are in use" in outcome.err
    assert directory.look() == before


def test_nobody_is_asked_when_there_is_nothing_to_expire(leases: "Leases") -> None:
    outcome = leases("expire", "--older-than", "100d", "--busy-command", "/nonexistent/command")

    assert outcome.exit is Exit.FINE
    assert outcome.out == ""


def test_damaged_leases_do_not_expire(directory: "Directory", leases: "Leases") -> None:
    directory.lease("%2fcn%3ddave:dteam", "dteam001", OLD)
    (directory.path / "dteam002").unlink()

    leases(*EXPIRE)

    assert {ALICE, BOB, "%2fcn%3ddave:dteam"} <= set(directory.names())


def test_what_a_dead_process_left_of_a_lease_expires_with_its_account(directory: "Directory", leases: "Leases") -> None:
    left_over = f".argus.aside.{int(OLD.timestamp())}.0123456789abcdef.{ALICE}"
    at_work = f".argus.aside.{int(NOW.timestamp())}.0123456789abcdef.{BOB}"
    (directory.path / ALICE).rename(directory.path / left_over)
    (directory.path / BOB).rename(directory.path / at_work)

    leases(*EXPIRE)

    assert left_over not in directory.names()
    assert at_work in directory.names()
    assert directory.links("dteam001") == 1


def test_json_tells_of_every_lease(leases: "Leases", machine: "Machine") -> None:
    machine.runs(4711, 5002)

    found = leases(*EXPIRE, "--output", "json").json["leases"]

    assert [(each["action"], each["lease"], each["account"]) for each in found] == [
        ("expired", ALICE, "dteam001"),
        ("kept", BOB, "dteam002"),
    ]
    assert found[0]["last_use"] == "2026-11-04T12:00:00Z"
    assert found[1]["reason"] == "its account has processes on this host"


# release


@pytest.mark.parametrize("which", [(ALICE,), ("--subject", "/CN=Alice"), ("--account", "dteam001")])
def test_a_lease_is_released_by_its_name_its_subject_or_its_account(
    which: tuple[str, ...], directory: "Directory", leases: "Leases"
) -> None:
    outcome = leases("release", *which)

    assert outcome.exit is Exit.FINE
    assert outcome.lines == [f"released {ALICE} (dteam001, last used 2026-11-04T12:00:00Z)"]
    assert set(directory.names()) >= {BOB, CAROL}
    assert directory.links("dteam001") == 1


def test_all_leases_of_a_subject_are_released_whatever_program_made_them(
    directory: "Directory", leases: "Leases"
) -> None:
    directory.lease("%2fcn%3dhost%2fce:a", "dteam004")
    directory.lease("%2fcn%3dhost%5c%2fce:b", "dteam005")

    outcome = leases("release", "--subject", "CN=host/ce", "--force")

    assert len(outcome.lines) == 2
    assert {ALICE, BOB, CAROL} == {name for name in directory.names() if name.startswith("%")}


def test_an_account_with_processes_is_released_by_force_alone(
    directory: "Directory", machine: "Machine", leases: "Leases"
) -> None:
    machine.runs(4711, 5001)

    outcome = leases("release", ALICE, BOB)
    assert outcome.exit is Exit.PROBLEMS
    assert "its account has processes on this host; --force releases it" in outcome.lines[0]
    assert ALICE in directory.names()
    assert BOB not in directory.names()

    assert leases("release", ALICE, "--force").exit is Exit.FINE
    assert ALICE not in directory.names()


def test_release_of_an_account_that_nobody_knows_needs_force(machine: "Machine", leases: "Leases") -> None:
    machine.uids.clear()

    assert "--force" in leases("release", ALICE).lines[0]
    assert leases("release", ALICE, "--force").exit is Exit.FINE


def test_a_lease_without_an_account_can_be_released(directory: "Directory", leases: "Leases") -> None:
    (directory.path / "dteam001").unlink()

    assert leases("release", ALICE).lines == [f"released {ALICE} (no account, last used 2026-11-04T12:00:00Z)"]


def test_the_leases_of_an_account_with_several_are_released_one_after_the_other(
    directory: "Directory", leases: "Leases"
) -> None:
    directory.lease("%2fcn%3ddave:dteam", "dteam001")

    outcome = leases("release", "--account", "dteam001")

    assert outcome.exit is Exit.FINE
    assert len(outcome.lines) == 2
    assert directory.links("dteam001") == 1


def test_unknown_leases_are_a_problem(leases: "Leases") -> None:
    outcome = leases("release", "%2fcn%3dnobody", ALICE)
    assert outcome.exit is Exit.PROBLEMS
    assert outcome.err == "argus leases: there is no lease %2fcn%3dnobody\n"
    assert outcome.lines[0].startswith(f"released {ALICE} ")

    outcome = leases("release", "--account", "dteam004")
    assert outcome.exit is Exit.PROBLEMS
    assert outcome.err == "argus leases: there is no such lease\n"


def test_dry_run_of_release_takes_nothing(directory: "Directory", leases: "Leases") -> None:
    before = directory.look()

    assert leases("release", ALICE, "--dry-run").lines[0].startswith(f"would be released {ALICE} ")
    assert directory.look() == before


@pytest.mark.parametrize("words", [("release",), ("release", ALICE, "--account", "dteam001")])
def test_exactly_one_way_to_name_leases_is_wanted(words: tuple[str, ...], leases: "Leases") -> None:
    with pytest.raises(SystemExit) as exit_:
        leases(*words)
    assert exit_.value.code == Exit.USAGE


class UidsOfUse(dict[str, int]):
    """Somebody uses the lease in the moment in which the tool asks for the account."""

    def __init__(self, uids: dict[str, int], lease: Path) -> None:
        super().__init__(uids)
        self._lease = lease

    def get(self, account: str, default: int | None = None) -> int | None:  # type: ignore[override]
        os.utime(self._lease)
        return super().get(account, default)


def test_release_keeps_what_is_used_after_it_has_looked(
    directory: "Directory", machine: "Machine", leases: "Leases"
) -> None:
    machine.uids = UidsOfUse(machine.uids, directory.path / ALICE)

    outcome = leases("release", ALICE)

    assert outcome.exit is Exit.PROBLEMS
    assert outcome.lines[0].endswith(": it was used meanwhile")
    assert (directory.path / ALICE).samefile(directory.path / "dteam001")


# What happens between the look and the removal; the busy command stands for anybody else who is at work


def test_a_lease_that_is_used_meanwhile_is_kept(directory: "Directory", leases: "Leases") -> None:
    used = python(f"import os; os.utime({str(directory.path / 'dteam001')!r})")

    outcome = leases(*EXPIRE, "--busy-command", used)

    assert outcome.exit is Exit.FINE
    assert outcome.lines[0].startswith(f"kept {ALICE} ")
    assert outcome.lines[0].endswith(": it was used meanwhile")
    assert directory.links("dteam001") == 2
    assert (directory.path / ALICE).samefile(directory.path / "dteam001")
    assert BOB not in directory.names()


def test_a_lease_that_is_removed_and_made_anew_meanwhile_is_kept(directory: "Directory", leases: "Leases") -> None:
    """Even if the new one looks as old: it may be an account that was not asked about."""
    anew = python(
        f"import os; os.chdir({str(directory.path)!r}); os.unlink({ALICE!r}); os.link('dteam004', {ALICE!r}); "
        f"os.utime({ALICE!r}, ({OLD.timestamp()}, {OLD.timestamp()}))"
    )

    leases(*EXPIRE, "--busy-command", anew)

    assert (directory.path / ALICE).samefile(directory.path / "dteam004")


def test_a_lease_that_is_removed_meanwhile_is_told(directory: "Directory", leases: "Leases") -> None:
    removed = python(f"import os; os.unlink({str(directory.path / ALICE)!r})")

    outcome = leases(*EXPIRE, "--busy-command", removed)

    assert outcome.exit is Exit.FINE
    assert outcome.lines[0].startswith(f"gone {ALICE} ")


def test_the_first_refusal_of_the_file_system_ends_it(directory: "Directory", leases: "Leases") -> None:
    path = str(directory.path)
    replaced = python(f"import shutil; shutil.rmtree({path!r}); open({path!r}, 'w')")

    outcome = leases(*EXPIRE, "--busy-command", replaced)

    assert outcome.exit is Exit.UNAVAILABLE
    assert len(outcome.lines) == 1
    assert outcome.lines[0].startswith(f"failed {ALICE} ")
    assert outcome.lines[0].endswith(": Not a directory")
