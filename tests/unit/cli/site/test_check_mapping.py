"""Map files, gridmapdir and white list: what is missing is told, and nothing of what is in order."""

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from argus_py.cli.leases.maps import HandlerMaps, load_maps
from argus_py.cli.site.check_mapping import (
    accounts_for_all,
    gridmapdir,
    pilot_roles,
    probes,
    shared_with_ce,
    vos_of,
    white_list,
)
from argus_py.cli.site.findings import Finding, Severity
from argus_py.config.obligations import AccountMappingPart
from argus_py.pep.mapping.plan import MappingRules
from argus_py.pep.obligations.account_mapping import MappingSettings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACCOUNTS = """\
"/dteam/Role=pilot" .dtplt
"/dteam" .dteam
"/dteam/*/Role=*" .dteam
"/ops/Role=pilot" .opspil
"/ops" .ops
"/ops/*/Role=*" .ops
"""
GROUPS = ACCOUNTS.replace(" .", " ")


class SiteFiles:
    """Map files and a gridmapdir in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.accounts = root / "grid-mapfile"
        self.groups = root / "groupmapfile"
        self.gridmapdir = root / "gridmapdir"
        self.gridmapdir.mkdir()
        self.write(ACCOUNTS, GROUPS)
        for pool in ("dtplt", "dteam", "opspil", "ops"):
            self.pool(pool, 3)

    def write(self, accounts: str, groups: str = GROUPS) -> None:
        self.accounts.write_text(accounts)
        self.groups.write_text(groups)

    def pool(self, name: str, size: int) -> None:
        for number in range(1, size + 1):
            (self.gridmapdir / f"{name}{number:03d}").touch()

    def maps(self) -> list[HandlerMaps]:
        settings = MappingSettings("obligation", True, False, MappingRules(no_primary_group_name_is_error=True))
        part = AccountMappingPart(
            "ACCOUNTMAP_OH", self.accounts, self.groups, self.gridmapdir, timedelta(minutes=15), settings
        )
        return [load_maps(part, lambda: NOW)]


@pytest.fixture
def site(tmp_path: Path) -> SiteFiles:
    return SiteFiles(tmp_path)


def told(findings: Iterable[Finding]) -> list[tuple[Severity, str]]:
    found = list(findings)
    assert all(each.remedy for each in found)
    return [(each.severity, each.text) for each in found]


def test_a_site_in_order_is_told_nothing(site: SiteFiles) -> None:
    maps = site.maps()
    assert told(pilot_roles(maps)) == []
    assert told(gridmapdir(maps)) == []
    assert told(accounts_for_all(maps)) == []


def test_the_vos_are_those_of_the_account_map(site: SiteFiles) -> None:
    assert vos_of(site.maps()) == ("dteam", "ops")


def test_groups_and_roles_that_nobody_has_listed_are_asked_about_too(site: SiteFiles) -> None:
    site.write(f'{ACCOUNTS}"/dteam/prod/Role=x" .dteam\n')
    asked = [str(fqans[0]) for fqans in probes("dteam", site.maps())]
    assert {"/dteam", "/dteam/prod/Role=x", "/dteam/argus-site-check/Role=argus-site-check"} <= set(asked)
    assert len(asked) == len(set(asked))


def test_a_vo_without_pilot_role_is_worth_a_look_and_ops_needs_one(site: SiteFiles) -> None:
    site.write('"/dteam" .dteam\n')
    assert [severity for severity, _ in told(pilot_roles(site.maps()))] == [Severity.WARNING, Severity.ERROR]


def test_a_pilot_line_behind_one_that_fits_everybody_is_told(site: SiteFiles) -> None:
    lines = ACCOUNTS.splitlines(keepends=True)
    site.write("".join([*lines[1:3], lines[0], *lines[3:]]))
    ((severity, text),) = told(pilot_roles(site.maps()))
    assert severity is Severity.WARNING
    assert "line 2 fits it as it fits everybody" in text


def test_pilots_with_accounts_that_others_get_are_told(site: SiteFiles) -> None:
    site.write(ACCOUNTS.replace('"/ops" .ops', '"/ops" .opspil'))
    ((severity, text),) = told(pilot_roles(site.maps()))
    assert severity is Severity.ERROR
    assert "/ops/Role=pilot gets .opspil, and so do those of line 5" in text


def conf(site: SiteFiles, listed: str) -> Path:
    file = site.root / "glexec.conf"
    file.write_text(f"[glexec]\nuser_white_list = {listed}\n")
    return file


def test_a_white_list_of_all_pilots_is_in_order(site: SiteFiles) -> None:
    assert told(white_list(conf(site, ".dtplt, .opspil"), site.maps())) == []


@pytest.mark.parametrize(
    ("listed", "severity", "text"),
    [
        (".dtplt", Severity.ERROR, "the pilots with .opspil may not call gLExec"),
        (".dtplt, .opspil, .dteam", Severity.ERROR, ".dteam is on the white list, and not of pilots alone"),
        (".dtplt, .opspil, tomcat", Severity.WARNING, "tomcat is on the white list, and no map file leads to it"),
        ("a b c!", Severity.ERROR, "user_white_list"),
    ],
)
def test_a_white_list_that_is_another_is_told(site: SiteFiles, listed: str, severity: Severity, text: str) -> None:
    ((found, sentence),) = told(white_list(conf(site, listed), site.maps()))
    assert found is severity
    assert text in sentence


def test_a_white_list_that_is_elsewhere_is_not_known(site: SiteFiles) -> None:
    ((severity, _),) = told(white_list(site.root / "none", site.maps()))
    assert severity is Severity.UNKNOWN


def test_a_gridmapdir_that_is_missing_is_told(site: SiteFiles) -> None:
    maps = site.maps()
    shutil.rmtree(site.gridmapdir)
    ((severity, text),) = told(gridmapdir(maps))
    assert severity is Severity.ERROR
    assert "does not exist" in text


def test_the_look_at_a_gridmapdir_leaves_nothing_there(site: SiteFiles) -> None:
    before = sorted(path.name for path in site.gridmapdir.iterdir())
    assert told(gridmapdir(site.maps())) == []
    assert sorted(path.name for path in site.gridmapdir.iterdir()) == before


def test_a_pool_without_accounts_is_told(site: SiteFiles) -> None:
    for account in site.gridmapdir.glob("dtplt*"):
        account.unlink()
    ((severity, text),) = told(gridmapdir(site.maps()))
    assert (severity, "no account of the pool dtplt" in text) == (Severity.ERROR, True)


def test_a_pool_that_is_exhausted_is_told(site: SiteFiles) -> None:
    for number, account in enumerate(sorted(site.gridmapdir.glob("dtplt*"))):
        (site.gridmapdir / f"%2fcn%3d{number}:dtplt").hardlink_to(account)
    ((severity, text),) = told(gridmapdir(site.maps()))
    assert (severity, "all 3 accounts of dtplt are taken" in text) == (Severity.ERROR, True)


def test_a_pool_that_is_nearly_exhausted_is_worth_a_look(site: SiteFiles) -> None:
    site.pool("dtplt", 20)
    for number, account in enumerate(sorted(site.gridmapdir.glob("dtplt*"))[:19]):
        (site.gridmapdir / f"%2fcn%3d{number}:dtplt").hardlink_to(account)
    ((severity, text),) = told(gridmapdir(site.maps()))
    assert (severity, "1 of 20 accounts of dtplt are free" in text) == (Severity.WARNING, True)


@pytest.mark.parametrize(
    ("accounts", "groups", "text"),
    [
        ('"/dteam" .dteam\n"/dteam/*" .dteam\n', GROUPS, "who comes with /dteam/Role=argus-site-check gets no account"),
        (ACCOUNTS, GROUPS.partition('"/ops" ops')[0], "who comes with /ops gets no account or no group"),
    ],
)
def test_roles_that_the_maps_leave_out_are_told(site: SiteFiles, accounts: str, groups: str, text: str) -> None:
    site.write(accounts, groups)
    found = told(accounts_for_all(site.maps()))
    assert all(severity is Severity.ERROR for severity, _ in found)
    assert any(text in sentence for _, sentence in found)


def ce(site: SiteFiles, gridmapdir: Path | None, *files: Path | None) -> list[tuple[Severity, str]]:
    grid_mapfile, group_mapfile = files or (None, None)
    return told(shared_with_ce(site.maps(), gridmapdir, grid_mapfile, group_mapfile, lambda: NOW))


def test_it_is_not_known_where_the_ces_keep_their_leases(site: SiteFiles) -> None:
    ((severity, _),) = ce(site, None)
    assert severity is Severity.UNKNOWN


def test_one_directory_and_the_same_files_are_in_order(site: SiteFiles) -> None:
    (site.root / "link").symlink_to(site.gridmapdir)
    assert ce(site, site.root / "link", site.accounts, site.groups) == []


def test_one_directory_and_files_that_are_not_known_are_told(site: SiteFiles) -> None:
    assert [severity for severity, _ in ce(site, site.gridmapdir)] == [Severity.UNKNOWN] * 2


def test_one_directory_and_other_lines_are_told(site: SiteFiles) -> None:
    other = site.root / "other"
    other.write_text(ACCOUNTS.replace('"/ops" .ops', '"/ops" .dteam'))
    ((severity, text),) = ce(site, site.gridmapdir, other, site.groups)
    assert (severity, text.endswith("do not say the same of /ops")) == (Severity.ERROR, True)


def test_the_same_lines_in_another_order_are_worth_a_look(site: SiteFiles) -> None:
    other = site.root / "other"
    other.write_text("".join(reversed(ACCOUNTS.splitlines(keepends=True))))
    ((severity, _),) = ce(site, site.gridmapdir, other, site.groups)
    assert severity is Severity.WARNING


def test_two_directories_with_the_same_accounts_are_told(site: SiteFiles) -> None:
    other = site.root / "other"
    other.mkdir()
    (other / "dteam001").touch()
    ((severity, text),) = ce(site, other)
    assert (severity, text.startswith("dteam001 are in ")) == (Severity.ERROR, True)


def test_two_directories_with_accounts_of_their_own_are_worth_a_look(site: SiteFiles) -> None:
    other = site.root / "other"
    other.mkdir()
    (other / "ce001").touch()
    ((severity, _),) = ce(site, other)
    assert severity is Severity.WARNING


def test_a_directory_of_the_ces_that_is_not_there_is_told(site: SiteFiles) -> None:
    ((severity, _),) = ce(site, site.root / "none")
    assert severity is Severity.ERROR
