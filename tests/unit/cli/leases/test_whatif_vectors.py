"""whatif says of each recorded case what the daemon then does on the same directory."""

import json
import os
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from argus_py.cli.leases.command import Host
from argus_py.cli.leases.maps import HandlerMaps
from argus_py.cli.leases.whatif import forecast
from argus_py.config.obligations import AccountMappingPart
from argus_py.errors import ConfigurationError, Unavailable, Unmapped
from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.model.fqan import Fqan, FqanSyntaxError
from argus_py.pep.mapping.identity import GridIdentity
from argus_py.pep.mapping.plan import MappingRules
from argus_py.pep.obligations.account_mapping import AccountMapping, MappingSettings
from argus_py.pep.obligations.posix_account import PosixAccount
from argus_py.store.gridmapdir import GridMapDir
from argus_py.store.lease_files import read_contents
from argus_py.store.mapfiles import load_map_file

Case = dict[str, Any]
CASES: list[Case] = json.loads((Path(__file__).parents[3] / "vectors" / "mapping" / "cases.json").read_text("utf-8"))
NOT_ASKED = {"config", "request"}  # the stage of refusals that come before any mapping


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def utc() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


def wanted(case: Case) -> Case:
    chosen: Case = case["recommended"] if "recommended" in case else case["expected"]
    return chosen


def mapped_cases() -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in CASES if wanted(case).get("stage") not in NOT_ASKED]


def maps(case: Case, tmp_path: Path) -> HandlerMaps:
    accounts, groups = tmp_path / "gridmapfile", tmp_path / "groupmapfile"
    for path in accounts, groups:
        path.write_text(case.get(path.name, ""), encoding="utf-8")
    options = case["options"]
    rules = MappingRules(
        prefer_dn_for_login_name=options["preferDNForLoginName"],
        prefer_dn_for_primary_group_name=options["preferDNForPrimaryGroupName"],
        no_primary_group_name_is_error=options["noPrimaryGroupNameIsError"],
        use_secondary_group_names_for_mapping=options["useSecondaryGroupNamesForMapping"],
    )
    settings, every = MappingSettings(rules=rules), timedelta(minutes=15)
    part = AccountMappingPart("mapper", accounts, groups, tmp_path / "gridmapdir", every, settings)
    return HandlerMaps(part, load_map_file(accounts, utc), load_map_file(groups, utc))


def identity(case: Case) -> GridIdentity:
    fqans = None if case["fqans"] is None else tuple(map(Fqan.parse, case["fqans"]))
    primary = None if case["primary_fqan"] is None else Fqan.parse(case["primary_fqan"])
    return GridIdentity(DistinguishedName.parse_rfc2253(case["subject_dn"]), primary, fqans)


@pytest.fixture
def gridmapdir(tmp_path: Path) -> Path:
    (tmp_path / "gridmapdir").mkdir()
    return tmp_path / "gridmapdir"


def fill(case: Case, directory: Path) -> None:
    for account in (*case.get("gridmapdir_accounts", ()), *case.get("lone_files_before", ())):
        (directory / account).touch()
        os.utime(directory / account, (0, 0))
    for lease, account in (*case.get("leases_before", {}).items(), *case.get("extra_links_before", {}).items()):
        (directory / lease).hardlink_to(directory / account)


@pytest.mark.parametrize("case", mapped_cases())
def test_the_forecast_comes_true(case: Case, gridmapdir: Path, tmp_path: Path) -> None:
    fill(case, gridmapdir)
    handler, subject, clock = maps(case, tmp_path), identity(case), Clock()
    host = Host(utc, lambda _name: None, lambda _name: None, tmp_path, clock.sleep)

    told = forecast(handler, read_contents(gridmapdir), subject, host)

    answered = answer(handler, subject, GridMapDir(gridmapdir, random.Random(1), clock, clock.sleep))
    assert told.refusal == (answered if isinstance(answered, str) else None)
    assert ("error" if isinstance(answered, str) else "mapped") == wanted(case)["status"]
    if isinstance(answered, str) or told.account is None:
        return
    assert (told.account.groups, told.account.lease) == (answered.groups, answered.lease)
    if answered.lease is None or told.held_by is not None:
        assert told.account.login == answered.login
    else:
        assert told.free > 0
        assert re.fullmatch(wanted(case)["login_pattern"], told.account.login)


def answer(handler: HandlerMaps, subject: GridIdentity, leases: GridMapDir) -> PosixAccount | str:
    """The daemon's, or why it has none."""
    daemon = AccountMapping("mapper", handler.part.settings, handler.accounts, handler.groups, leases)
    try:
        return daemon.map(subject)
    except (Unmapped, Unavailable) as error:
        return str(error.__cause__ or error)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["id"]) for case in CASES if wanted(case).get("stage") in NOT_ASKED]
)
def test_what_is_refused_before_any_mapping_is_refused_here_as_well(case: Case, tmp_path: Path) -> None:
    with pytest.raises((ConfigurationError, DnSyntaxError, FqanSyntaxError)):
        maps(case, tmp_path), identity(case)


def test_every_recorded_case_is_asked() -> None:
    assert len(CASES) == 108
    assert len(mapped_cases()) > 90
