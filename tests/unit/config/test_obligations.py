"""The keys of account-mapping sections that the Java daemon does not have."""

from datetime import timedelta

import pytest

from argus_py.config.ini import BadConfiguration
from argus_py.config.obligations import AccountMappingPart
from argus_py.config.pepd import parse_pepd
from argus_py.pep.mapping.plan import GroupOrder

FILE = """
[SERVICE]
entityId = urn:pep
hostname = localhost
obligationHandlers = MAP
[PDP]
pdps = http://localhost/authz
[MAP]
parserClass = account-mapping
accountMapFile = /a
groupMapFile = /g
gridMapDir = /d
"""


def part(*lines: str) -> AccountMappingPart:
    [read] = parse_pepd(FILE + "\n".join(lines), "pepd.ini").obligation_handlers
    return read


def test_all_of_them_are_off_by_default() -> None:
    read = part()
    assert read.settings.rules.secondary_group_order is GroupOrder.MAP_FILE
    assert not read.settings.rules.allow_root
    assert not read.settings.use_lcmaps_leases
    assert not read.use_name_service
    assert read.recycle_idle_leases_after is None


def test_each_can_be_set() -> None:
    read = part(
        "secondaryGroupOrder = gid", "useLcmapsLeases = true", "allowRoot = true", "recycleIdleLeasesAfter = 240"
    )
    assert read.settings.rules.secondary_group_order is GroupOrder.GID
    assert read.settings.use_lcmaps_leases
    assert read.settings.rules.allow_root
    assert read.recycle_idle_leases_after == timedelta(days=10)


@pytest.mark.parametrize("line", ["useNameService = true", "useLcmapsLeases = true", "secondaryGroupOrder = gid"])
def test_what_needs_numbers_uses_the_name_service(line: str) -> None:
    assert part(line).use_name_service


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("secondaryGroupOrder = GID", "'GID' is none of map-file, gid"),
        ("allowRoot = maybe", "'maybe' is neither true, yes, 1 nor false, no, 0"),
    ],
)
def test_word_that_is_none_is_refused_where_accounts_depend_on_it(line: str, reason: str) -> None:
    with pytest.raises(BadConfiguration) as refusal:
        part(line)
    assert reason in str(refusal.value)


def test_number_of_hours_that_is_none_takes_no_lease_away() -> None:
    for value in ("0", "-1", "soon"):
        assert part(f"recycleIdleLeasesAfter = {value}").recycle_idle_leases_after is None
