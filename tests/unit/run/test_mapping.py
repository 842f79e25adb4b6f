"""Account mappings as a daemon puts them together: what they share, what is told of their files and pools."""

import os
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from argus_py.config.obligations import AccountMappingPart
from argus_py.errors import ConfigurationError
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.model.request import Request, Subject
from argus_py.model.response import Decision, Effect, Obligation, Response, Result
from argus_py.pep.mapping.plan import MappingRules
from argus_py.pep.obligations.account_mapping import MappingSettings
from argus_py.pep.obligations.service import ObligationService
from argus_py.run.mapping import AccountMappings, PoolWatch
from argus_py.store.gridmapdir import GridMapDir

DN = Attribute(AttributeId.SUBJECT_ID, ("CN=John Doe,C=CH",), DataType.X500_NAME)
PRIMARY = Attribute(Glite.PRIMARY_FQAN, ("/vo",), DataType.FQAN)
JOHN = Request((Subject((DN, PRIMARY, Attribute(AttributeId.KEY_INFO, ("PEM",)))),))
LEASE = "%2fc%3dch%2fcn%3djohn%20doe:root"
ROOT_ALLOWED = MappingSettings(rules=MappingRules(allow_root=True))


@pytest.fixture
def part(tmp_path: Path) -> AccountMappingPart:
    (tmp_path / "accounts").write_text('"/vo" .vo\n', encoding="utf-8")
    (tmp_path / "groups").write_text('"/vo" root\n', encoding="utf-8")  # a group that every machine knows
    directory = tmp_path / "gridmapdir"
    directory.mkdir()
    for number in range(10):
        (directory / f"vo{number:03}").touch()
    files = tmp_path / "accounts", tmp_path / "groups", directory
    return AccountMappingPart("MAP", *files, timedelta(minutes=15), ROOT_ALLOWED)


def write(file: Path, text: str) -> None:
    """As long ago, so that nobody waits for what else is written."""
    file.write_text(text, encoding="utf-8")
    os.utime(file, (0, 0))


def run_all(mappings: AccountMappings) -> None:
    for task in mappings.periodic:
        task.run()


def problems(mappings: AccountMappings) -> list[str]:
    return [text for name, text in mappings.details() if name == "Problem"]


def test_handlers_of_both_families_share_files_directory_and_lease(part: AccountMappingPart) -> None:
    mappings = AccountMappings()
    common = replace(ROOT_ALLOWED, handled_obligation_id=DciSec.MAP_LOCAL_USER)
    handlers = [mappings.handler(part), mappings.handler(replace(part, name="COMMON", settings=common))]
    asked = tuple(Obligation(id, Effect.PERMIT) for id in (Glite.LOCAL_ENVIRONMENT_MAP, DciSec.MAP_LOCAL_USER))

    response = ObligationService(handlers).fulfil(JOHN, Response((Result(Decision.PERMIT, obligations=asked),)))

    common_account, glite_account = (o.assignments[0].value for o in response.results[0].obligations)
    assert common_account == glite_account == response.trail.account
    assert [name for name in os.listdir(part.grid_map_dir) if name.startswith("%")] == [LEASE]
    assert [line for line in mappings.details() if line[0] == "Pool"] == [
        ("Pool", f"vo in {part.grid_map_dir}, 10 accounts, 0 used, 10 free")  # a minute old at most
    ]


def test_numbers_are_looked_up_only_if_so_configured(part: AccountMappingPart) -> None:
    permit = Response((Result(Decision.PERMIT, obligations=(Obligation(Glite.LOCAL_ENVIRONMENT_MAP, Effect.PERMIT),)),))
    for use, gid in ((False, None), (True, 0)):
        handler = AccountMappings().handler(replace(part, use_name_service=use))
        assert handler.fulfil(JOHN, permit).trail.gid == gid


def test_lines_that_lead_nowhere_are_told_once_until_they_are_mended(
    part: AccountMappingPart, caplog: pytest.LogCaptureFixture
) -> None:
    file = part.account_map_file
    write(file, '"/vo" .vo\n"/CN=x" .none\n"/vo/*" no-such-login\n"/vo/a" .vo\n"/CN=y" root\n')
    write(part.group_map_file, '"/vo" no-such-group\n"/vo/a" a:b\n')
    mappings = AccountMappings()
    mappings.handler(replace(part, use_name_service=True, settings=MappingSettings()))
    groups = part.group_map_file
    expected = [
        f"{file}: line 5 leads to root: whom it matches is refused",
        f"{file}: line 4 has no effect: line 3 matches all that it matches",
        f"{file}: line 2 leads to '.none', which does not exist here",
        f"{file}: line 3 leads to 'no-such-login', which does not exist here",
        f"{groups}: line 2 names the group 'a:b': with such a character it cannot be part of a lease name",
        f"{groups}: line 1 leads to 'no-such-group', which does not exist here",
        f"{groups}: line 2 leads to 'a:b', which does not exist here",
    ]
    assert problems(mappings) == expected
    run_all(mappings)
    assert caplog.messages == [f"MAP: {problem}" for problem in expected]

    write(file, '"/vo" .vo\n')
    write(groups, '"/vo" root\n')
    run_all(mappings)
    assert problems(mappings) == [f"{groups}: line 1 leads to root: whom it matches is refused"]


def test_names_are_not_checked_unless_so_configured(part: AccountMappingPart) -> None:
    write(part.account_map_file, '"/vo" no-such-login\n')
    write(part.group_map_file, '"/vo" no-such-group\n')
    mappings = AccountMappings()
    mappings.handler(part)
    assert problems(mappings) == []


def test_bad_new_version_is_told_until_it_is_mended_and_the_old_one_stays(
    part: AccountMappingPart, caplog: pytest.LogCaptureFixture
) -> None:
    mappings = AccountMappings()
    mappings.handler(part)
    write(part.account_map_file, "unquoted x\n")
    run_all(mappings)
    run_all(mappings)
    assert len([message for message in caplog.messages if "the version in force stays" in message]) == 2
    error = f"{part.account_map_file}: Error on map file line 1: the key is not in double quotes"
    assert ("LastError", f"map file {part.account_map_file}, {error}") in mappings.details()
    write(part.account_map_file, '"/vo" .vo\n')
    run_all(mappings)
    assert [name for name, _ in mappings.details()] == ["Loaded", "Loaded", "Pool"]


def test_missing_files_are_configuration_errors(part: AccountMappingPart) -> None:
    for name in ("account_map_file", "group_map_file", "grid_map_dir"):
        with pytest.raises(ConfigurationError, match="/nowhere"):
            AccountMappings().handler(replace(part, **{name: Path("/nowhere")}))  # type: ignore[arg-type]


def test_directory_that_cannot_be_read_any_more_is_told(part: AccountMappingPart) -> None:
    seconds = 0.0
    leases = GridMapDir(part.grid_map_dir, random.Random(1), lambda: seconds)
    watch = PoolWatch(part.grid_map_dir, leases)
    part.grid_map_dir.rename(part.grid_map_dir.with_name("away"))
    [(name, text)] = watch.details()
    assert name == "LastError"
    assert str(part.grid_map_dir) in text
    assert watch.may_have("whatever")


def test_pool_that_runs_out_is_told_once_until_it_recovers(
    part: AccountMappingPart, caplog: pytest.LogCaptureFixture
) -> None:
    seconds = 0.0
    directory = part.grid_map_dir
    watch = PoolWatch(directory, GridMapDir(directory, random.Random(1), lambda: seconds))

    def lease(*numbers: int) -> None:
        nonlocal seconds
        seconds += 3600
        for old in directory.glob("%2f*"):
            old.unlink()
        for number in numbers:
            (directory / f"%2fcn%3d{number}").hardlink_to(directory / f"vo{number:03}")
        watch.tell()

    lease(*range(9))
    assert caplog.messages == []
    for numbers in (range(10), range(10), range(5), range(10)):
        lease(*numbers)
    told = f"less than a tenth of the 10 accounts of the pool 'vo' in {directory} is free"
    assert caplog.messages == [told] * 2
    assert watch.details() == [("Pool", f"vo in {directory}, 10 accounts, 10 used, 0 free")]


@pytest.mark.parametrize(("prefix", "may"), [("vo", True), ("vo0", True), ("v", False), ("vox", False), ("", False)])
def test_pool_is_known_by_its_letters(part: AccountMappingPart, prefix: str, may: bool) -> None:
    watch = PoolWatch(part.grid_map_dir, GridMapDir(part.grid_map_dir, random.Random(1)))
    assert watch.may_have(prefix) is may
