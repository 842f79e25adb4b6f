from datetime import UTC, datetime
from typing import TYPE_CHECKING

from argus_py.cli.leases.command import Exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.leases.conftest import Directory, Leases


def test_the_pools_with_their_use(directory: "Directory", leases: "Leases") -> None:
    directory.account("dteam001", "dteam002", "dteam003", "ops001")
    directory.lease("%2fcn%3dalice", "dteam001", datetime(2026, 11, 20, tzinfo=UTC))
    directory.lease("%2fcn%3dbob", "dteam002", datetime(2026, 11, 21, tzinfo=UTC))

    outcome = leases("stats")

    assert outcome.exit is Exit.FINE
    assert outcome.lines == [
        "POOL   SIZE  USED  FREE  DAMAGED  OLDEST-USE            DIRECTORY",
        f"dteam  3     2     1     0        2026-11-20T00:00:00Z  {directory.path}",
        f"ops    1     0     1     0        -                     {directory.path}",
    ]


def test_damage_is_not_fine(directory: "Directory", leases: "Leases") -> None:
    directory.lease("%2fcn%3dalice", "dteam001")
    directory.lease("%2fcn%3dbob", "dteam001")

    outcome = leases("stats", "--output", "json")

    assert outcome.exit is Exit.PROBLEMS
    assert outcome.json == {
        "pools": [
            {
                "directory": str(directory.path),
                "pool": "dteam",
                "size": 1,
                "used": 0,
                "free": 0,
                "damaged": 1,
                "oldest_use": None,
            }
        ]
    }


def test_pools_are_those_of_the_map_files_where_these_are_known(
    directory: "Directory", leases: "Leases", site: "Callable[..., str]"
) -> None:
    directory.account("cms1001", "cms1002", "cms001")
    assert [line.split()[0] for line in leases("stats").lines] == ["POOL", "cms"]
    config = site('"/cms" .cms1\n"/atlas" .atlas\n')
    assert [line.split()[0] for line in leases("stats", "--config", config).lines] == ["POOL", "cms", "cms1"]
