import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.pep.mapping.lease_name import lease_name
from argus_py.store.gridmapdir import GridMapDirUnavailable
from argus_py.store.lease_files import (
    Contents,
    FileKind,
    LeaseName,
    person_key,
    pool_uses,
    read_contents,
    read_lease_name,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "mapping"
ALICE, BOB = "%2fcn%3dalice:dteam", "%2fcn%3dbob:dteam"


def make(directory: Path, accounts: str, **leases: str) -> Path:
    for account in accounts.split():
        (directory / account).touch()
    for lease, account in leases.items():
        (directory / f"%2fcn%3d{lease}").hardlink_to(directory / account)
    return directory


# The directory


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("dteam001", FileKind.ACCOUNT),
        ("user1test01", FileKind.ACCOUNT),
        ("dteam-pilot.x_1", FileKind.ACCOUNT),
        (ALICE, FileKind.LEASE),
        ("%2Fcn%3dalice", FileKind.LEASE),
        (".argus.aside.1790000000.0123456789abcdef", FileKind.TEMPORARY),
        ("dteam", FileKind.FOREIGN),
        ("1vo001", FileKind.FOREIGN),
        (".nfs0000000000a1b2c3", FileKind.FOREIGN),
        ("_C=CH_O=Example_CN=John Doe", FileKind.FOREIGN),  # of ARC
    ],
)
def test_the_kind_of_a_file_shows_in_its_name(name: str, kind: FileKind, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert [(file.name, file.kind) for file in read_contents(tmp_path).files] == [(name, kind)]


def test_what_is_no_regular_file_is_foreign_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "dteam001").mkdir()
    (tmp_path / ALICE).symlink_to("dteam002")
    assert {file.kind for file in read_contents(tmp_path).files} == {FileKind.FOREIGN}


def test_a_lease_has_inode_links_and_time_of_use_in_common_with_its_account(tmp_path: Path) -> None:
    make(tmp_path, "dteam001 dteam002", alice="dteam001")
    os.utime(tmp_path / "dteam001", ns=(0, 1_700_000_000_123_456_789))

    contents = read_contents(tmp_path)

    [lease] = contents.of_kind(FileKind.LEASE)
    assert lease.links == 2
    assert lease.used_ns == 1_700_000_000_123_456_789
    assert lease.last_use == datetime(2023, 11, 14, 22, 13, 20, 123456, UTC)
    assert contents.account_of(lease) == "dteam001"
    assert contents.names_of(lease) == 2


def test_a_lease_of_no_account_has_none(tmp_path: Path) -> None:
    (tmp_path / ALICE).touch()
    (tmp_path / BOB).hardlink_to(tmp_path / ALICE)
    contents = read_contents(tmp_path)
    assert [contents.account_of(lease) for lease in contents.of_kind(FileKind.LEASE)] == [None, None]


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(GridMapDirUnavailable, match=f"{tmp_path}/gone: No such file or directory"):
        read_contents(tmp_path / "gone")


# Names


@pytest.mark.parametrize(
    "case", json.loads((VECTORS / "lcmaps.json").read_text()), ids=lambda case: case["lease"][-30:]
)
def test_names_of_both_programs_tell_person_and_groups(case: dict[str, object]) -> None:
    name = read_lease_name(str(case["lease"]))
    assert person_key(name.dn) == person_key(DistinguishedName.parse_slash(str(case["dn"])))
    assert list(name.groups) == case["groups"]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("%2fcn%3dalice", LeaseName("/cn=alice", ())),
        ("%2fcn%3dalice:a:B:a", LeaseName("/cn=alice", ("a", "B", "a"))),
        ("%2fcn%3dalice:a:mapcount=0002", LeaseName("/cn=alice", ("a",), "0002")),
        ("%2fcn%3da%3ab:my group", LeaseName("/cn=a:b", ("my group",))),
        ("%2fcn%3djos%ff%ff", LeaseName(r"/cn=jos\xff\xff", ())),  # LCMAPS reads UTF-8 as signed characters
        ("100%", LeaseName("100%", ())),
    ],
)
def test_any_name_is_read(name: str, read: LeaseName) -> None:
    assert read_lease_name(name) == read


@pytest.mark.parametrize(
    "spelled",
    [
        "%2fdc%3dch%2fuid%3db%2fcn%3dhost%2fce",  # Argus: the values of an RDN in reverse order
        "%2fdc%3dch%2fcn%3dhost%2fce%2fuid%3db",  # LCMAPS on an old OpenSSL
        "%2fdc%3dch%2fcn%3dhost%5c%2fce%2buid%3db",  # LCMAPS on OpenSSL 3
    ],
)
def test_one_person_is_known_in_every_spelling(spelled: str) -> None:
    dn = DistinguishedName.parse_rfc2253("CN=host/ce+UID=b,DC=CH")
    assert person_key(read_lease_name(spelled).dn) == person_key(dn)


def test_different_persons_are_told_apart() -> None:
    dns = ("/CN=Alice", "/CN=Alicia", "/O=Alice", "/CN=Alice/CN=Alice", "no DN")
    assert len({person_key(dn) for dn in dns}) == len(dns)


def test_letters_beyond_ascii_keep_their_case_in_a_lease() -> None:
    dn = DistinguishedName.parse_slash("/CN=ÉLODIE")
    assert person_key(read_lease_name(lease_name(dn, ())).dn) == person_key(dn)


# Figures


def figures(contents: Contents, mapped: tuple[str, ...] = ()) -> list[tuple[str, int, int, int, int]]:
    return [(use.pool, use.size, use.used, use.free, use.damaged) for use in pool_uses(contents, mapped)]


def test_every_account_is_used_free_or_damaged(tmp_path: Path) -> None:
    make(tmp_path, "dteam001 dteam002 dteam003 dteam004 ops001", alice="dteam001", bob="dteam002", carol="dteam002")
    (tmp_path / "copy").hardlink_to(tmp_path / "dteam003")

    assert figures(read_contents(tmp_path)) == [("dteam", 4, 1, 1, 2), ("ops", 1, 0, 1, 0)]


def test_oldest_use_is_that_of_leases_in_order(tmp_path: Path) -> None:
    make(tmp_path, "dteam001 dteam002 dteam003", alice="dteam001", bob="dteam002")
    for account, day in ("dteam001", 20), ("dteam002", 10), ("dteam003", 1):
        at = datetime(2026, 11, day, tzinfo=UTC).timestamp()
        os.utime(tmp_path / account, (at, at))

    [use] = pool_uses(read_contents(tmp_path))

    assert use.oldest_use == datetime(2026, 11, 10, tzinfo=UTC)


def test_a_pool_with_digits_in_its_name_is_known_by_the_map_files(tmp_path: Path) -> None:
    contents = read_contents(make(tmp_path, "cms1001 cms1002 cms001"))
    assert figures(contents) == [("cms", 3, 0, 3, 0)]
    assert figures(contents, ("cms", "cms1", "atlas")) == [("cms", 1, 0, 1, 0), ("cms1", 2, 0, 2, 0)]
