"""list: who holds which account, and who held it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from argus_py.cli.leases.command import Exit

if TYPE_CHECKING:
    from tests.unit.cli.leases.conftest import Directory, Leases

ALICE, BOB = "%2fdc%3dch%2fcn%3dalice:dteam:ops", "%2fdc%3dch%2fcn%3dbob"


@pytest.fixture(autouse=True)
def accounts(directory: "Directory") -> None:
    directory.account("dteam001", "dteam002", "dteam003")
    directory.lease(ALICE, "dteam002", datetime(2026, 11, 23, 8, tzinfo=UTC))
    directory.lease(BOB, "dteam001", datetime(2026, 11, 24, 9, tzinfo=UTC))


@pytest.fixture
def records(tmp_path: Path) -> str:
    path = tmp_path / "audit.jsonl"
    path.write_text("")
    return str(path)


def write(records: str, *lines: dict[str, Any]) -> None:
    defaults: dict[str, Any] = {"subject": None, "fqan": None, "client": "CN=ce01", "address": "192.0.2.7"}
    Path(records).write_text("".join(json.dumps({**defaults, **line}) + "\n" for line in lines))


def mapped(time: str, account: str, lease: str | None, subject: str, *fqans: str) -> dict[str, Any]:
    fqan = fqans[0] if fqans else None
    return {"time": time, "account": account, "lease": lease, "subject": subject, "fqan": fqan, "fqans": fqans}


# Leases there are


def test_the_directory_alone_tells_account_use_groups_and_name(leases: "Leases") -> None:
    outcome = leases("list")

    assert outcome.exit is Exit.FINE
    assert outcome.lines == [
        "ACCOUNT   LAST-USE              GROUPS     DN-IN-LOWER-CASE",
        "dteam001  2026-11-24T09:00:00Z  -          /dc=ch/cn=bob",
        "dteam002  2026-11-23T08:00:00Z  dteam:ops  /dc=ch/cn=alice",
    ]


def test_an_empty_directory_has_a_heading(leases: "Leases", directory: "Directory") -> None:
    for name in directory.names():
        (directory.path / name).unlink()
    assert leases("list").lines == ["ACCOUNT  LAST-USE  GROUPS  DN-IN-LOWER-CASE"]


def test_control_characters_of_a_name_make_no_line(leases: "Leases", directory: "Directory") -> None:
    directory.lease("%2fcn%3d%0aeve:a\nb", "dteam003")
    assert leases("list", "--account", "dteam003").lines[1].endswith(r"  a\0Ab   /cn=\0Aeve")


def test_a_lease_without_an_account_is_listed(leases: "Leases", directory: "Directory") -> None:
    (directory.path / "dteam001").unlink()
    assert leases("list").lines[1] == "-         2026-11-24T09:00:00Z  -          /dc=ch/cn=bob"


@pytest.mark.parametrize(
    "which", [("--account", "dteam002"), ("--subject", "/DC=CH/CN=Alice"), ("--subject", "cn=ALICE,dc=ch")]
)
def test_one_account_or_one_subject_in_any_case(which: tuple[str, str], leases: "Leases") -> None:
    assert [line.split()[0] for line in leases("list", *which).lines[1:]] == ["dteam002"]


def test_records_add_exact_names_fqans_and_first_use(leases: "Leases", records: str) -> None:
    write(
        records,
        mapped("2026-11-20T10:00:00.500Z", "dteam002", ALICE, "CN=Alice,DC=CH", "/dteam/Role=pilot", "/ops"),
        mapped("2026-10-20T10:00:00.500Z", "dteam002", ALICE, "CN=ALICE,DC=CH", "/dteam"),
    )

    assert leases("list", "--records", records).lines == [
        "ACCOUNT   LAST-USE              FIRST-USE             GROUPS     FQANS                          DN",
        "dteam001  2026-11-24T09:00:00Z  -                     -          -                              "
        "(in lower case) /dc=ch/cn=bob",
        "dteam002  2026-11-23T08:00:00Z  2026-10-20T10:00:00Z  dteam:ops  /dteam/Role=pilot,/ops,/dteam  "
        "/DC=CH/CN=Alice | /DC=CH/CN=ALICE",
    ]


def test_records_of_another_account_are_not_of_this_lease(leases: "Leases", records: str) -> None:
    write(records, mapped("2026-01-20T10:00:00Z", "dteam003", ALICE, "CN=Alice,DC=CH"))
    assert leases("list", "--records", records, "--output", "json").json["leases"][1]["first_use"] is None


def test_json_has_all_of_it(leases: "Leases", directory: "Directory", records: str) -> None:
    directory.lease("%2fcn%3dcarol:dteam:mapcount=0002", "dteam003")
    write(records, mapped("2026-11-20T10:00:00Z", "dteam002", ALICE, "CN=Alice,DC=CH", "/dteam"))

    found = leases("list", "--records", records, "--output", "json").json["leases"]

    assert found[1] == {
        "directory": str(directory.path),
        "account": "dteam002",
        "lease": ALICE,
        "links": 2,
        "last_use": "2026-11-23T08:00:00Z",
        "first_use": "2026-11-20T10:00:00Z",
        "groups": ["dteam", "ops"],
        "map_counter": None,
        "fqans": ["/dteam"],
        "subjects": ["CN=Alice,DC=CH"],
        "dn_in_lower_case": "/dc=ch/cn=alice",
    }
    assert (found[2]["groups"], found[2]["map_counter"]) == (["dteam"], "0002")


def test_damaged_records_are_told_and_the_answer_is_not_fine(leases: "Leases", records: str) -> None:
    Path(records).write_text("{\n" + json.dumps(mapped("2026-11-20T10:00:00Z", "dteam001", BOB, "CN=Bob,DC=CH")) + "\n")

    outcome = leases("list", "--records", records)

    assert outcome.exit is Exit.PROBLEMS
    assert outcome.err == f"argus leases: {records}:1: skipped, it is not JSON\n"
    assert "/DC=CH/CN=Bob" in outcome.out


def test_records_that_are_not_there_are_named(leases: "Leases", tmp_path: Path) -> None:
    outcome = leases("list", "--records", str(tmp_path / "gone"))
    assert outcome.exit is Exit.UNAVAILABLE
    assert str(tmp_path / "gone") in outcome.err


def test_a_directory_that_is_not_there_is_named(leases: "Leases", directory: "Directory") -> None:
    directory.path.rename(directory.path.with_name("moved"))
    outcome = leases("list")
    assert outcome.exit is Exit.UNAVAILABLE
    assert str(directory.path) in outcome.err


# Leases there were


@pytest.fixture
def history(records: str) -> str:
    """In no order, as rotated files may be named."""
    write(
        records,
        mapped("2026-11-01T06:30:00Z", "dteam002", "%2fcn%3dolder", "CN=Older"),
        mapped("2026-11-10T06:19:59Z", "dteam002", ALICE, "CN=Alice,DC=CH", "/dteam"),
        mapped("2026-11-10T06:20:00Z", "dteam002", "%2fcn%3dlater", "CN=Later"),
        mapped("2026-11-10T06:18:59Z", "dteam002", "%2fcn%3dbefore", "CN=Before", "/dteam", "/ops"),
        mapped("2026-11-10T06:19:00Z", "dteam002", ALICE, "CN=Alice,DC=CH", "/dteam"),
        mapped("2026-11-09T06:19:00Z", "local", None, "CN=Local"),
    )
    return records


def test_who_had_an_account_in_a_minute_is_who_got_it_last_before_and_all_who_got_it_then(
    leases: "Leases", history: str
) -> None:
    outcome = leases("list", "--records", history, "--account", "dteam002", "--at", "2026-11-10T06:19:30")

    assert outcome.exit is Exit.FINE
    assert outcome.lines == [
        "ACCOUNT   MAPPED                LEASED-NOW  CLIENT     FQANS        DN",
        "dteam002  2026-11-10T06:18:59Z  no          192.0.2.7  /dteam,/ops  /CN=Before",
        "dteam002  2026-11-10T06:19:00Z  yes         192.0.2.7  /dteam       /DC=CH/CN=Alice",
    ]


def test_accounts_outside_of_the_pools_have_holders_too(leases: "Leases", history: str) -> None:
    lines = leases("list", "--records", history, "--account", "local", "--at", "2026-11-10T06:19Z").lines
    assert lines[1:] == ["local    2026-11-09T06:19:00Z  -           192.0.2.7  -      /CN=Local"]


def test_a_time_with_a_zone_is_that_time(leases: "Leases", history: str) -> None:
    here = leases("list", "--records", history, "--at", "2026-11-10T06:19Z")
    there = leases("list", "--records", history, "--at", "2026-11-10T07:19+01:00")
    assert here == there
    assert len(here.lines) == 4


def test_holders_in_json_have_the_exact_name(leases: "Leases", history: str) -> None:
    found = leases(
        *("list", "--records", history, "--subject", "/CN=ALICE/DC=CH", "--at", "2026-11-10T06:19", "--output", "json")
    ).json
    assert found == {
        "holders": [
            {
                "account": "dteam002",
                "mapped": "2026-11-10T06:19:00Z",
                "lease": ALICE,
                "leased_now": True,
                "subject": "CN=Alice,DC=CH",
                "fqans": ["/dteam"],
                "client": "CN=ce01",
                "address": "192.0.2.7",
            }
        ]
    }


def test_nobody_knows_the_past_without_records(leases: "Leases") -> None:
    outcome = leases("list", "--at", "2026-11-10T06:19")
    assert outcome.exit is Exit.USAGE
    assert outcome.err == "argus leases: --at needs the records of the daemon: --records FILE ...\n"


def test_a_name_that_a_record_has_cut_is_shown_as_it_is(leases: "Leases", records: str) -> None:
    write(records, mapped("2026-11-20T10:00:00Z", "dteam001", BOB, "CN=Bob,DC..."))
    assert leases("list", "--records", records).lines[1].endswith("  CN=Bob,DC...")
