"""whatif: the answer of the daemon, the lines that lead to it, the names of the lease; and nothing is written."""

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from argus_py.cli.leases.command import Exit

if TYPE_CHECKING:
    from tests.unit.cli.leases.conftest import Directory, Leases, Machine, Outcome

Site = Callable[..., str]
USED = datetime(2026, 11, 20, tzinfo=UTC)

# The example of the names that programs make of one credential: GIDs descend where the group map ascends.
JD = "%2fc%3dch%2fo%3dexample%2fcn%3djohn%20doe"
ACCOUNTS = '# pools\n"/vo/*/Role=*" .vo\n"/ops" .ops\n"/C=CH/CN=Static" local\n"/C=CH/CN=Root" root\n'
GROUPS = '"/vo/Role=pilot" vopilot\n"/vo" vo\n"/vo/sub" vosub\n'
PILOT = ("--subject", "/C=CH/O=Example/CN=John Doe", "--fqan", "/vo/Role=pilot", "--fqan", "/vo", "--fqan", "/vo/sub")
GIDS = {"vopilot": 2003, "vo": 2002, "vosub": 2001}


@pytest.fixture(autouse=True)
def accounts(directory: "Directory") -> None:
    directory.account("vo001", "vo002", "vo003", "ops001")


@pytest.fixture
def what_if(leases: "Leases", site: Site) -> Callable[..., "Outcome"]:
    def what_if(*words: str, **options: str) -> "Outcome":
        return leases("whatif", *words, "--config", site(ACCOUNTS, GROUPS, **options))

    return what_if


WhatIf = Callable[..., "Outcome"]


def test_a_newcomer_gets_one_of_the_free_accounts(what_if: WhatIf, machine: "Machine", directory: "Directory") -> None:
    machine.gids.update(GIDS)
    root = directory.path.parent

    outcome = what_if(*PILOT)

    assert outcome.exit is Exit.FINE
    assert outcome.lines == [
        f"ACCOUNTMAP_OH, gridmapdir {directory.path}",
        f'  account  .vo, by {root}/grid-mapfile line 2: "/vo/*/Role=*"',
        f'  primary  vopilot, by {root}/groupmapfile line 1: "/vo/Role=pilot"',
        f'  group    vo, by {root}/groupmapfile line 2: "/vo"',
        f'  group    vosub, by {root}/groupmapfile line 3: "/vo/sub"',
        f"  answer   one of 3 free accounts, groups vopilot, vo, vosub; by a new lease {JD}:vopilot:vo:vosub",
        "GROUPS-IN-LEASE  PROGRAM  ACCOUNT  LAST-USE  LEASE",
        f"all*             Argus    -        -         {JD}:vopilot:vo:vosub",
        f"all              LCMAPS   -        -         {JD}:vopilot:vosub:vo",
        f"primary          Argus    -        -         {JD}:vopilot",
        f"none             Globus   -        -         {JD}",
        "* useSecondaryGroupNamesForMapping = true, as configured",
    ]


def test_a_lease_under_the_configured_name_is_the_answer(what_if: WhatIf, directory: "Directory") -> None:
    directory.lease(f"{JD}:vopilot:vo:vosub", "vo002", USED)

    told = what_if(*PILOT, "--output", "json").json["handlers"][0]

    assert (told["account"], told["held_by"]) == ("vo002", f"{JD}:vopilot:vo:vosub")
    assert told["spellings"][0] == {
        "groups": "all",
        "program": "Argus",
        "lease": f"{JD}:vopilot:vo:vosub",
        "exists": True,
        "account": "vo002",
        "last_use": "2026-11-20T00:00:00Z",
    }


def test_a_change_of_the_setting_that_takes_the_account_away_is_told(what_if: WhatIf, directory: "Directory") -> None:
    """The question of sites that upgrade."""
    directory.lease(f"{JD}:vopilot", "vo001")

    now = what_if(*PILOT, useSecondaryGroupNamesForMapping="false")
    then = what_if(*PILOT, useSecondaryGroupNamesForMapping="true")

    assert f"  answer   the account vo001, groups vopilot, vo, vosub; held by the lease {JD}:vopilot" in now.lines
    assert not any(line.startswith("  note") and "not looked for" in line for line in now.lines)
    assert f"  note     the subject has vo001 by the lease {JD}:vopilot, which is not looked for" in then.lines
    assert any(line.startswith("  answer   one of 2 free accounts") for line in then.lines)


def test_a_lease_of_lcmaps_is_found_if_the_daemon_looks_for_it(
    what_if: WhatIf, machine: "Machine", directory: "Directory"
) -> None:
    machine.gids.update(GIDS)
    directory.lease(f"{JD}:vopilot:vosub:vo", "vo003")

    without = what_if(*PILOT)
    looking = what_if(*PILOT, useLcmapsLeases="true")

    assert (
        f"  note     the subject has vo003 by the lease {JD}:vopilot:vosub:vo, which is not looked for" in without.lines
    )
    assert f"; held by the lease {JD}:vopilot:vosub:vo" in "\n".join(looking.lines)


def test_numbers_of_groups_that_nobody_knows_are_told_where_the_order_depends_on_them(what_if: WhatIf) -> None:
    note = "  note     LCMAPS has secondary groups in the order of their numbers: "
    several, single = what_if(*PILOT), what_if(*PILOT[:6])
    assert next(line for line in several.lines if line.startswith(note)).endswith("does not know the group 'vo'")
    assert not any(line.startswith(note) for line in single.lines)


def test_an_account_outside_of_the_pools_has_no_lease(what_if: WhatIf) -> None:
    outcome = what_if("--subject", "CN=Static,C=CH", "--fqan", "/vo")
    assert outcome.exit is Exit.FINE
    assert outcome.lines[-1] == "  answer   the account local, groups vo"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--subject", "/C=CH/CN=Nobody"), "to an account indicator"),
        (("--subject", "/C=CH/CN=Root"), "line 5 leads to root: only allowRoot would allow that"),
    ],
)
def test_a_refusal_is_told_with_its_reason(words: tuple[str, ...], reason: str, what_if: WhatIf) -> None:
    outcome = what_if(*words)
    assert outcome.exit is Exit.PROBLEMS
    assert outcome.lines[-1].startswith("  answer   refused: ")
    assert reason in outcome.lines[-1]


def test_a_line_that_would_fit_without_the_role_is_named(what_if: WhatIf, directory: "Directory") -> None:
    outcome = what_if("--subject", "/C=CH/CN=X", "--fqan", "/ops/Role=lcgadmin")
    assert outcome.lines[1] == (
        f'  note     {directory.path.parent}/grid-mapfile line 3, "/ops", would fit without the role'
    )


def test_an_exhausted_pool_refuses_newcomers(what_if: WhatIf, directory: "Directory") -> None:
    directory.lease("%2fcn%3dother", "ops001", USED)
    words = ("--subject", "/C=CH/CN=X", "--fqan", "/ops")

    assert "no free account in the pool 'ops'" in what_if(*words).out
    assert "no free account in the pool 'ops'" in what_if(*words, recycleIdleLeasesAfter="240").out
    recycling = what_if(*words, recycleIdleLeasesAfter="24")
    assert "the account ops001, no group; taken back from who used it last" in recycling.out


def test_a_damaged_lease_is_refused_and_shown(what_if: WhatIf, directory: "Directory") -> None:
    directory.lease(f"{JD}:vopilot:vo:vosub", "vo001")
    directory.lease("%2fcn%3dother", "vo001")

    outcome = what_if(*PILOT)

    assert outcome.exit is Exit.PROBLEMS
    assert "is damaged: its account has 2 leases" in outcome.out
    assert any(line.startswith("all*             Argus    damaged  ") for line in outcome.lines)


def test_a_lease_of_another_pool_is_refused(what_if: WhatIf, directory: "Directory") -> None:
    directory.lease(f"{JD}:vopilot:vo:vosub", "ops001")
    assert "which is not of the pool 'vo'" in what_if(*PILOT).out


def test_a_lease_alone_is_as_good_as_none(what_if: WhatIf, directory: "Directory") -> None:
    (directory.path / f"{JD}:vopilot:vo:vosub").touch()
    assert "one of 3 free accounts" in what_if(*PILOT).out


def test_a_name_that_is_too_long_is_refused(what_if: WhatIf) -> None:
    outcome = what_if("--subject", f"/C=CH/CN={'x' * 300}", "--fqan", "/vo")
    assert outcome.exit is Exit.PROBLEMS
    assert "bytes are more than the 255 of a file name" in outcome.out


def test_another_directory_can_be_asked_about(
    leases: "Leases", site: Site, tmp_path: Path, directory: "Directory"
) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "vo007").touch()
    outcome = leases("whatif", *PILOT, "--config", site(ACCOUNTS, GROUPS), "--gridmapdir", str(tmp_path / "copy"))
    assert "one of 1 free accounts" in outcome.out


@pytest.mark.parametrize("words", [("--subject", "John Doe"), ("--subject", ""), (*PILOT, "--fqan", "vo")])
def test_what_is_no_dn_or_fqan_is_wrong_usage(words: tuple[str, ...], what_if: WhatIf) -> None:
    with pytest.raises(SystemExit) as exit_:
        what_if(*words)
    assert exit_.value.code == Exit.USAGE


def test_a_missing_file_is_a_matter_of_configuration(leases: "Leases", site: Site, directory: "Directory") -> None:
    config = site(ACCOUNTS)
    (directory.path.parent / "groupmapfile").unlink()
    outcome = leases("whatif", *PILOT, "--config", config)
    assert outcome.exit is Exit.USAGE
    assert "groupmapfile" in outcome.err


def test_pepd_ini_without_an_account_mapping_is_told(leases: "Leases", tmp_path: Path) -> None:
    config = tmp_path / "pepd.ini"
    config.write_text("[SERVICE]\nentityId = x\nhostname = localhost\n[PDP]\npdps = http://localhost/\n")
    outcome = leases("whatif", *PILOT, "--config", str(config))
    assert outcome.exit is Exit.USAGE
    assert outcome.err == f"argus leases: {config} has no account mapping among its obligationHandlers\n"


def test_nothing_is_written_and_no_right_to_write_is_needed(
    what_if: WhatIf, directory: "Directory", machine: "Machine"
) -> None:
    machine.gids.update(GIDS)
    directory.lease(f"{JD}:vopilot", "vo001")
    directory.path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    before, of_directory = directory.look(), os.stat(directory.path)

    assert what_if(*PILOT).exit is Exit.FINE
    assert what_if(*PILOT, useLcmapsLeases="true", recycleIdleLeasesAfter="1").exit is Exit.FINE

    assert directory.look() == before
    assert os.stat(directory.path).st_mtime_ns == of_directory.st_mtime_ns
    directory.path.chmod(stat.S_IRWXU)
