"""lcmaps_voms_localgroup, lcmaps_voms_localaccount, lcmaps_voms_poolaccount: groups and accounts by FQANs.

The first FQAN gives the primary group; for the account, FQANs are tried in turn. Only proven FQANs count.

Source: lcmaps-plugins-voms:src/voms/lcmaps_voms_localgroup.c, lcmaps_voms_localaccount.c, lcmaps_voms_poolaccount.c
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from argus_py.worker.lcmaps_db import Module
from argus_py.worker.map_file import MapLine, Spellings, lines_for, parse_map_file
from argus_py.worker.plugins.accounts import (
    GRIDMAPDIR,
    MAP_OPTIONS,
    POOL_OPTIONS,
    WILDCARD_FLAGS,
    AccountMap,
    check_pool_options,
    leased_user,
)
from argus_py.worker.plugins.plugin import Options, PluginFailed, known_user, read_options
from argus_py.worker.plugins.voms_attributes import attributes_of, proven_chain
from argus_py.worker.ports import Node, User
from argus_py.worker.state import State

_GROUPMAPFILE: Final = "/etc/grid-security/groupmapfile"
_GROUP_FLAGS: Final = (
    "do-not-require-primary-gid",
    "add-primary-gid-from-mapped-account",
    "add-secondary-gids-from-mapped-account",
)


@dataclass(frozen=True, slots=True)
class VomsLocalGroup:
    """``least``: how many FQANs need a group."""

    node: Node
    file: str
    lines: tuple[MapLine, ...]
    wildcards: bool
    least: int
    all_of_them: bool
    secondary_only: bool

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "VomsLocalGroup":
        options = read_options(
            file,
            module,
            flags=("mapall", "map-to-secondary-groups", *WILDCARD_FLAGS),
            valued=("groupmapfile", "groupmapdir", "mapmin"),
        )
        path = options.last("groupmapfile") or _GROUPMAPFILE
        return cls(
            node,
            path,
            parse_map_file(node.text(path), path),
            not options.has(*WILDCARD_FLAGS),
            options.number("mapmin", 0),
            options.has("mapall"),
            options.has("map-to-secondary-groups"),
        )

    def run(self, state: State) -> State:
        found = attributes_of(state, self.node)
        state = state.noting(*found.problems)
        if not found.proven:
            raise PluginFailed("the proxy has no VOMS attributes that count")
        gids = [(fqan, self._gid(fqan)) for fqan in found.proven]
        mapped = [(fqan, gid) for fqan, gid in gids if gid is not None]
        primary_is_mapped = gids[0][1] is not None
        if self.all_of_them and len(mapped) < len(gids):
            raise PluginFailed(f"{self.file} has no group for {next(fqan for fqan, gid in gids if gid is None)}")
        if len(mapped) < max(1, self.least) or not (primary_is_mapped or self.secondary_only):
            raise PluginFailed(f"{self.file} has no group for {gids[0][0]}, or for fewer than {self.least} FQANs")
        notices = [
            f'FQAN:"{Spellings.of_fqan(fqan).texts[0]}"->mapped group:{gid}({self.node.group_name(gid)})'
            for fqan, gid in mapped
        ]
        numbers = tuple(gid for _, gid in mapped)
        primary, secondary = ((), numbers) if self.secondary_only else (numbers[:1], numbers[1:])
        return state.with_account((), primary, secondary).noting(*notices)

    def _gid(self, fqan: str) -> int | None:
        """Raises PluginFailed: a line leads to a group that this machine does not know."""
        lines = lines_for(self.lines, Spellings.of_fqan(fqan), wildcards=self.wildcards)
        name = next((target for line in lines for target in line.targets if not target.startswith(".")), None)
        if name is None:
            return None
        gid = self.node.group(name)
        if gid is None:
            raise PluginFailed(f"this machine does not know the group {name!r} of {self.file}")
        return gid


@dataclass(frozen=True, slots=True)
class _Groups:
    """What becomes of the groups of the account, and whether there has to be one before."""

    required: bool
    add_primary: bool
    add_secondary: bool

    @classmethod
    def of(cls, options: Options) -> "_Groups":
        not_required, add_primary, add_secondary = map(options.has, _GROUP_FLAGS)
        return cls(not (not_required or add_primary), add_primary, add_secondary)

    def check(self, state: State) -> None:
        if self.required and not state.account.primary_gids:
            raise PluginFailed("no plug-in has found a primary group before")

    def with_account(self, state: State, user: User) -> State:
        return state.with_account(
            (user.uid,),
            (user.gid,) if self.add_primary else (),
            tuple(sorted(user.gids)) if self.add_secondary else (),
        )


def _first(fqans: tuple[str, ...], target_of: Callable[[Spellings], str | None]) -> str | None:
    targets = (target_of(Spellings.of_fqan(fqan)) for fqan in fqans)
    return next((target for target in targets if target is not None), None)


@dataclass(frozen=True, slots=True)
class VomsLocalAccount:
    node: Node
    accounts: AccountMap
    groups: _Groups

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "VomsLocalAccount":
        options = read_options(file, module, flags=(*_GROUP_FLAGS, *WILDCARD_FLAGS, "use-voms-gid"), valued=MAP_OPTIONS)
        return cls(node, AccountMap.of(options, node), _Groups.of(options))

    def run(self, state: State) -> State:
        self.groups.check(state)
        found = attributes_of(state, self.node)
        account = _first(found.proven, self.accounts.account)
        if account is None:
            raise PluginFailed(f"{self.accounts.file} has no account for the FQANs {', '.join(found.proven)}")
        return self.groups.with_account(state, known_user(self.node, account)).noting(*found.problems)


@dataclass(frozen=True, slots=True)
class VomsPoolAccount:
    node: Node
    accounts: AccountMap
    groups: _Groups
    gridmapdir: str
    secondary_groups_in_lease: bool

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "VomsPoolAccount":
        options = read_options(
            file,
            module,
            flags=(*_GROUP_FLAGS, *WILDCARD_FLAGS, "use-voms-gid", "do-not-use-secondary-gids"),
            valued=(*MAP_OPTIONS, *POOL_OPTIONS),
        )
        check_pool_options(options)
        return cls(
            node,
            AccountMap.of(options, node),
            _Groups.of(options),
            options.last("gridmapdir") or GRIDMAPDIR,
            not options.has("do-not-use-secondary-gids"),
        )

    def run(self, state: State) -> State:
        self.groups.check(state)
        found = attributes_of(state, self.node)
        pool = _first(found.proven, self.accounts.pool)
        if pool is None:
            raise PluginFailed(f"{self.accounts.file} has no pool for the FQANs {', '.join(found.proven)}")
        user = leased_user(self.node, self.gridmapdir, proven_chain(state).subject, self._lease_groups(state), pool)
        return self.groups.with_account(state, user).noting(*found.problems)

    def _lease_groups(self, state: State) -> tuple[str, ...]:
        """INVARIANT: names as LCMAPS makes leases of them: the primary group, then the others by ascending number."""
        account = state.account
        gids = account.primary_gids[:1]
        if self.secondary_groups_in_lease:
            gids += tuple(sorted(account.secondary_gids))
        names = []
        for gid in gids:
            name = self.node.group_name(gid)
            if name is None:
                raise PluginFailed(f"this machine does not know the group {gid}")
            names.append(name)
        return tuple(names)
