"""The account mapping of a PEP daemon, with the map files it watches."""

import random

from argus_py.config.obligations import AccountMappingPart
from argus_py.pep.mapping.map_file import MapFile
from argus_py.pep.obligations.account_mapping import AccountMapping
from argus_py.run.parts import now, refreshing, state_of
from argus_py.run.servers import Periodic
from argus_py.snapshot import Snapshot
from argus_py.store.gridmapdir import GridMapDir
from argus_py.store.mapfiles import load_map_file

_SHOWN_WARNINGS = 20  # of each map file on the status page; the log has all


class AccountMappings:
    """Makes obligation handlers from their sections; keeps what has to be refreshed and shown for them."""

    def __init__(self) -> None:
        self.periodic: list[Periodic] = []
        self._map_files: list[Snapshot[MapFile]] = []

    def handler(self, part: AccountMappingPart) -> AccountMapping:
        """Raises ConfigurationError: a file or directory that the section names is unusable."""
        accounts, groups = (load_map_file(file, now) for file in (part.account_map_file, part.group_map_file))
        self.periodic += (refreshing(each, part.refresh_period) for each in (accounts, groups))
        self._map_files += (accounts, groups)
        leases = GridMapDir(part.grid_map_dir, random.SystemRandom())
        return AccountMapping(part.name, part.settings, accounts, groups, leases)

    def details(self) -> list[tuple[str, str]]:
        """Lines for the status page."""
        lines: list[tuple[str, str]] = []
        for map_file in self._map_files:
            lines += state_of(map_file, map_file.current.value.warnings[:_SHOWN_WARNINGS])
        return lines
