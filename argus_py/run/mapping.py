"""The account mappings of a PEP daemon, with the map files and the gridmapdirs they watch."""

import logging
import random
from collections.abc import Iterable
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Final

from argus_py.config.obligations import AccountMappingPart
from argus_py.errors import Unavailable
from argus_py.pep.mapping.accounts import pool_prefix
from argus_py.pep.mapping.checks import broken_lease_names, root_targets, shadowed_lines, unknown_targets
from argus_py.pep.mapping.map_file import MapFile, MapProblem
from argus_py.pep.obligations.account_mapping import AccountMapping
from argus_py.pep.ports import NameService
from argus_py.run.parts import now, refreshing, state_of
from argus_py.run.servers import Periodic
from argus_py.snapshot import Snapshot
from argus_py.store.account_index import PoolUse
from argus_py.store.gridmapdir import GridMapDir
from argus_py.store.mapfiles import load_map_file
from argus_py.store.nss import NssNames

_log = logging.getLogger(__name__)

_SHOWN_PROBLEMS: Final = 20  # of each map file on the status page; the log has all
_POOL_LOOK: Final = timedelta(minutes=5)  # a pool that fills up within that time is found out by the requests
_NAMES_RETRY: Final = timedelta(minutes=5)  # what an account made today may take to be known by its number
_NAMES_RENEWAL: Final = timedelta(hours=1)  # of all names, which may be a hundred thousand: numbers hardly ever change


class AccountMappings:
    """Makes obligation handlers from their sections; keeps what has to be refreshed and shown for them."""

    def __init__(self) -> None:
        self.periodic: list[Periodic] = []
        self._map_files: dict[Path, Snapshot[MapFile]] = {}
        self._directories: dict[tuple[Path, timedelta | None], PoolWatch] = {}
        self._names: NssNames | None = None
        self._watches: list[MapWatch] = []

    def handler(self, part: AccountMappingPart) -> AccountMapping:
        """Raises ConfigurationError: a file or directory that the section names is unusable."""
        accounts, groups = self._map_file(part.account_map_file), self._map_file(part.group_map_file)
        pools = self._pools(part)
        names = self._name_service() if part.use_name_service else None
        watch = MapWatch(part, accounts, groups, pools, names)
        watch.tell()
        self._watches.append(watch)
        self.periodic.append(Periodic(f"map files of {part.name}", part.refresh_period, watch.refresh))
        return AccountMapping(part.name, part.settings, accounts, groups, pools.leases, names=names)

    @property
    def names(self) -> NameService | None:
        """The accounts and groups of this machine, once a section is made that uses them."""
        return self._names

    def details(self) -> list[tuple[str, str]]:
        """Lines for the status page."""
        of_files = chain.from_iterable(watch.details() for watch in self._watches)
        of_pools = chain.from_iterable(pools.details() for pools in self._directories.values())
        return [*of_files, *of_pools]

    def _map_file(self, path: Path) -> Snapshot[MapFile]:
        if path not in self._map_files:
            self._map_files[path] = load_map_file(path, now)
        return self._map_files[path]

    def _pools(self, part: AccountMappingPart) -> "PoolWatch":
        """Handlers that share a directory share what is known of it, and one lock per lease."""
        key = part.grid_map_dir, part.recycle_idle_leases_after
        if key not in self._directories:
            leases = GridMapDir(part.grid_map_dir, random.SystemRandom(), recycle_idle=part.recycle_idle_leases_after)
            pools = self._directories[key] = PoolWatch(part.grid_map_dir, leases)
            pools.tell()
            self.periodic.append(Periodic(f"pools of {part.grid_map_dir}", _POOL_LOOK, pools.tell))
        return self._directories[key]

    def _name_service(self) -> NssNames:
        if self._names is None:
            self._names = NssNames()
            self.periodic += (
                Periodic("numbers of accounts and groups", _NAMES_RENEWAL, self._names.renew),
                Periodic("unknown accounts and groups", _NAMES_RETRY, self._names.retry),
            )
        return self._names


class _Told:
    """Warns of each thing once for as long as it lasts."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def tell(self, complaints: Iterable[str]) -> None:
        lasting = list(complaints)
        for complaint in lasting:
            if complaint not in self._told:
                _log.warning("%s", complaint)
        self._told = set(lasting)


class PoolWatch:
    """A gridmapdir and how full it is."""

    def __init__(self, directory: Path, leases: GridMapDir) -> None:
        self.leases = leases
        self._directory = directory
        self._told = _Told()

    def may_have(self, prefix: str) -> bool:
        """False if no account begins as those of the pool do: pools are counted without the digits of their names."""
        try:
            pools = self.leases.pools()
        except Unavailable:
            return True  # the directory itself is told then
        return prefix.rstrip("0123456789") in {use.pool for use in pools}

    def tell(self) -> None:
        self._told.tell(self._complaints())

    def details(self) -> list[tuple[str, str]]:
        try:
            return [("Pool", self._line(use)) for use in self.leases.pools()]
        except Unavailable as error:
            return [("LastError", str(error))]

    def _complaints(self) -> list[str]:
        try:
            pools = self.leases.pools()
        except Unavailable as error:
            return [str(error)]
        return [
            # Without a figure that changes, or every change of it would be told.
            f"less than a tenth of the {use.size} accounts of the pool {use.pool!r} in {self._directory} is free"
            for use in pools
            if use.free * 10 < use.size
        ]

    def _line(self, use: PoolUse) -> str:
        damaged = f", {use.damaged} damaged" if use.damaged else ""
        return f"{use.pool} in {self._directory}, {use.size} accounts, {use.used} used, {use.free} free{damaged}"


class MapWatch:
    """The map files of one handler: takes up new versions, tells what is wrong with them."""

    def __init__(
        self,
        part: AccountMappingPart,
        accounts: Snapshot[MapFile],
        groups: Snapshot[MapFile],
        pools: PoolWatch,
        names: NssNames | None,
    ) -> None:
        self._name = part.name
        self._allow_root = part.settings.rules.allow_root
        self._accounts = accounts
        self._groups = groups
        self._pools = pools
        self._names = names
        self._refreshing = [refreshing(snapshot, part.refresh_period) for snapshot in (accounts, groups)]
        self._told = _Told()
        self._problems: tuple[list[MapProblem], list[MapProblem]] = ([], [])

    def refresh(self) -> None:
        for task in self._refreshing:
            task.run()
        self.tell()

    def tell(self) -> None:
        accounts, groups = self._accounts.current.value, self._groups.current.value
        self._problems = [*self._of_accounts(accounts)], [*self._of_groups(groups)]
        self._told.tell(f"{self._name}: {problem}" for problem in chain(*self._problems))

    def details(self) -> list[tuple[str, str]]:
        lines: list[tuple[str, str]] = []
        for snapshot, problems in zip((self._accounts, self._groups), self._problems, strict=True):
            shown = (*snapshot.current.value.problems, *problems)[:_SHOWN_PROBLEMS]
            lines += state_of(snapshot, shown)
        return lines

    def _of_accounts(self, accounts: MapFile) -> Iterable[MapProblem]:
        return chain(
            () if self._allow_root else root_targets(accounts),
            shadowed_lines(accounts),
            unknown_targets(accounts, self._is_account),
        )

    def _of_groups(self, groups: MapFile) -> Iterable[MapProblem]:
        names = self._names
        return chain(
            () if self._allow_root else root_targets(groups),
            broken_lease_names(groups),
            () if names is None else unknown_targets(groups, lambda group: names.gid(group) is not None),
        )

    def _is_account(self, target: str) -> bool:
        pool = pool_prefix(target)
        if pool is not None:
            return self._pools.may_have(pool)
        return self._names is None or self._names.uid(target) is not None
