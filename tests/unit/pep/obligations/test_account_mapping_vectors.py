"""What argus-pep-server 1.7.4 did with 108 map files and subjects, on a real gridmapdir."""

import json
import os
import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from argus_py.errors import ArgusError
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Request, Subject
from argus_py.model.response import Decision, Effect, Obligation, Response, Result
from argus_py.pep.mapping.plan import MappingRules
from argus_py.pep.obligations.account_mapping import AccountMapping, MappingSettings
from argus_py.store.gridmapdir import GridMapDir
from argus_py.store.mapfiles import load_map_file

Case = dict[str, Any]
CASES: list[Case] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "mapping" / "cases.json").read_text(encoding="utf-8")
)
PERMIT = Response((Result(Decision.PERMIT, obligations=(Obligation(Glite.LOCAL_ENVIRONMENT_MAP, Effect.PERMIT),)),))


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


def settings(case: Case) -> MappingSettings:
    options = case["options"]
    rules = MappingRules(
        prefer_dn_for_login_name=options["preferDNForLoginName"],
        prefer_dn_for_primary_group_name=options["preferDNForPrimaryGroupName"],
        no_primary_group_name_is_error=options["noPrimaryGroupNameIsError"],
        use_secondary_group_names_for_mapping=options["useSecondaryGroupNamesForMapping"],
    )
    return MappingSettings(require_subject_key_info=False, rules=rules)


def request(case: Case) -> Request:
    attributes = [Attribute(AttributeId.SUBJECT_ID, (case["subject_dn"],), DataType.X500_NAME)]
    if case["primary_fqan"] is not None:
        attributes.append(Attribute(Glite.PRIMARY_FQAN, (case["primary_fqan"],), DataType.FQAN))
    if case["fqans"] is not None:
        attributes.append(Attribute(Glite.FQAN, tuple(case["fqans"]), DataType.FQAN))
    return Request((Subject(tuple(attributes)),))


def gridmapdir(case: Case, directory: Path) -> Path:
    directory.mkdir()
    for account in (*case.get("gridmapdir_accounts", ()), *case.get("lone_files_before", ())):
        (directory / account).touch()
        os.utime(directory / account, (0, 0))
    for lease, account in (*case.get("leases_before", {}).items(), *case.get("extra_links_before", {}).items()):
        (directory / lease).hardlink_to(directory / account)
    return directory


def answer(case: Case, tmp_path: Path) -> Response:
    files = {name: tmp_path / name for name in ("gridmapfile", "groupmapfile")}
    for name, path in files.items():
        path.write_text(case.get(name, ""), encoding="utf-8")
    clock = Clock()
    leases = GridMapDir(gridmapdir(case, tmp_path / "gridmapdir"), random.Random(1), clock, clock.sleep)
    accounts, groups = (load_map_file(path, utc) for path in files.values())
    return AccountMapping("mapper", settings(case), accounts, groups, leases).fulfil(request(case), PERMIT)


def values(response: Response, attribute_id: str) -> list[str | None]:
    [obligation] = response.results[0].obligations
    assert obligation.id == Glite.LOCAL_ENVIRONMENT_MAP_POSIX
    return [a.value for a in obligation.assignments if a.attribute_id == attribute_id]


def wanted(case: Case) -> Case:
    chosen: Case = case["recommended"] if "recommended" in case else case["expected"]
    return chosen


# Its recommendation names a group although its group map is empty; it has a test of its own.
CONTRADICTION = "dn-key-slash-only"


def cases(status: str) -> list[Any]:
    return [
        pytest.param(case, id=case["id"])
        for case in CASES
        if wanted(case)["status"] == status and case["id"] != CONTRADICTION
    ]


@pytest.mark.parametrize("case", cases("mapped"))
def test_subject_is_mapped_to_the_recorded_account(case: Case, tmp_path: Path) -> None:
    expected = wanted(case)

    response = answer(case, tmp_path)

    [login] = values(response, Glite.USER_ID)
    assert login is not None
    assert login == expected.get("login", login)
    assert re.search(expected.get("login_pattern", ""), login)
    groups = [g for g in (expected["primary_group"], *expected["secondary_groups"]) if g is not None]
    assert values(response, Glite.PRIMARY_GROUP_ID) == groups[:1]
    assert values(response, Glite.GROUP_ID) == groups
    assert response.trail.account == login
    assert response.trail.lease == expected["lease"]
    if expected["lease"]:
        lease = (tmp_path / "gridmapdir" / expected["lease"]).stat()
        assert lease.st_ino == (tmp_path / "gridmapdir" / login).stat().st_ino
        assert lease.st_nlink == 2
        assert lease.st_mtime > 0


@pytest.mark.parametrize("case", cases("error"))
def test_subject_is_refused_with_the_recorded_text(case: Case, tmp_path: Path) -> None:
    expected = wanted(case)

    with pytest.raises(ArgusError) as refusal:
        answer(case, tmp_path)

    text = str(refusal.value)
    if expected["stage"] == "config":
        assert expected["message_contains"] in text
        assert "Error on map file line" in text
    else:
        assert text == expected.get("handler_message", expected["upstream_message"])


def test_line_that_matches_nobody_harms_no_other_line(tmp_path: Path) -> None:
    [case] = [case for case in CASES if case["id"] == CONTRADICTION]

    response = answer(case, tmp_path)

    [login] = values(response, Glite.USER_ID)
    assert login in ("vo001", "vo002", "vo003")
    assert response.trail.lease == "%2fc%3dch%2fo%3dexample%2fcn%3djohn%20doe"


def test_every_recorded_case_is_run() -> None:
    assert len(cases("mapped")) + len(cases("error")) + 1 == len(CASES) == 108
    assert sum("recommended" in case for case in CASES) == 12
