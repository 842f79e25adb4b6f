from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.site.conftest import Done, SiteHost

GROUPS = '"/dteam/ROLE=pilot":::pilot:\n"/dteam"::::\n'
USERS = """\
1001:dteam001:100:dteam:dteam::
1002:dteam002:100:dteam:dteam::
1101:dtplt001:110,100:dtplt,dteam:dteam:pilot:
"""


@pytest.fixture
def lists(tmp_path: Path) -> tuple[Path, Path]:
    groups, users = tmp_path / "groups.conf", tmp_path / "users.conf"
    groups.write_text(GROUPS)
    users.write_text(USERS)
    return groups, users


def accounts(host: "SiteHost", lists: tuple[Path, Path], *arguments: str | Path) -> "Done":
    return host.run("accounts", "--groups", lists[0], "--users", lists[1], *host.maps, *arguments)


def test_map_files_accounts_and_policy_are_made_of_the_lists(host: "SiteHost", lists: tuple[Path, Path]) -> None:
    done = accounts(host, lists)
    assert (done.exit_code, done.err) == (0, "")
    assert '"/dteam/Role=pilot" .dtplt\n"/dteam" .dteam\n' in (host.root / "grid-mapfile").read_text()
    assert '"/dteam/*/Role=*" dteam\n' in (host.root / "groupmapfile").read_text()
    assert 'rule permit { fqan = "/dteam" }' in (host.root / "policy.spl").read_text()
    assert sorted(path.name for path in (host.root / "gridmapdir").iterdir()) == ["dteam001", "dteam002", "dtplt001"]


def test_who_may_call_glexec_is_told(host: "SiteHost", lists: tuple[Path, Path]) -> None:
    assert "user_white_list of glexec.conf: .dtplt\n" in accounts(host, lists).out


def test_what_is_wrong_in_the_lists_is_told_and_nothing_written(host: "SiteHost", lists: tuple[Path, Path]) -> None:
    lists[1].write_text(USERS.replace("1002", "1001") + "x\n")
    done = accounts(host, lists)
    assert done.exit_code == 2
    assert f"{lists[1]}:4" in done.err
    assert not (host.root / "grid-mapfile").exists()


def test_files_that_differ_are_not_overwritten(host: "SiteHost", lists: tuple[Path, Path]) -> None:
    (host.root / "grid-mapfile").write_text("mine\n")
    assert accounts(host, lists).exit_code == 2
    assert (host.root / "grid-mapfile").read_text() == "mine\n"


def test_accounts_that_the_lists_do_not_have_are_told_and_stay(host: "SiteHost", lists: tuple[Path, Path]) -> None:
    (host.root / "gridmapdir").mkdir()
    (host.root / "gridmapdir" / "dteam099").touch()
    done = accounts(host, lists)
    assert done.exit_code == 0
    assert "dteam099 is of a pool in use, and no account of users.conf" in done.err
    assert (host.root / "gridmapdir" / "dteam099").exists()


def test_a_dry_run_tells_how_many_accounts_are_missing(host: "SiteHost", lists: tuple[Path, Path]) -> None:
    assert f"would add 3 pool accounts to {host.root / 'gridmapdir'}" in accounts(host, lists, "--dry-run").out
    assert not (host.root / "gridmapdir").exists()
