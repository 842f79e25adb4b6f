"""lcmaps_localaccount and lcmaps_poolaccount: an account by the DN, with the groups of the account.

Source: lcmaps-plugins-basic:src/localaccount/lcmaps_localaccount.c, src/poolaccount/lcmaps_poolaccount.c
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from argus_py.errors import Unavailable, Unmapped
from argus_py.model.dn import DistinguishedName
from argus_py.worker.lcmaps_db import Module
from argus_py.worker.map_file import MapLine, Spellings, lines_for, parse_map_file
from argus_py.worker.plugins.plugin import Options, PluginFailed, known_user, read_options
from argus_py.worker.plugins.voms_attributes import proven_chain
from argus_py.worker.ports import Node, User
from argus_py.worker.state import State

GRIDMAPFILE: Final = "/etc/grid-security/grid-mapfile"
GRIDMAPDIR: Final = "/etc/grid-security/gridmapdir"
MAP_OPTIONS: Final = ("gridmapfile",)
WILDCARD_FLAGS: Final = ("no-wildcard", "disablewildcard", "no-wildcards", "disablewildcards")
# -max_mappings_per_credential limits a counter of the job manager's that gLExec never hands over.
POOL_OPTIONS: Final = ("gridmapdir", "max-mappings-per-credential", "strict-poolprefix-match")


@dataclass(frozen=True, slots=True)
class AccountMap:
    """A grid-mapfile."""

    file: str
    lines: tuple[MapLine, ...]
    wildcards: bool

    @classmethod
    def of(cls, options: Options, node: Node) -> "AccountMap":
        path = options.last("gridmapfile") or GRIDMAPFILE
        return cls(path, parse_map_file(node.text(path), path), not options.has(*WILDCARD_FLAGS))

    def targets(self, name: Spellings) -> Iterable[str]:
        """Of all lines about the name, in file order."""
        return (target for line in lines_for(self.lines, name, wildcards=self.wildcards) for target in line.targets)

    def account(self, name: Spellings) -> str | None:
        return next((target for target in self.targets(name) if not target.startswith(".")), None)

    def pool(self, name: Spellings) -> str | None:
        """The prefix of the accounts, without the dot."""
        return next((target[1:] for target in self.targets(name) if target.startswith(".") and target != "."), None)


def leased_user(node: Node, gridmapdir: str, dn: DistinguishedName, groups: tuple[str, ...], pool: str) -> User:
    """Raises PluginFailed: no account is free, or the directory fails."""
    try:
        account = node.lease(gridmapdir, dn, groups, pool)
    except (Unmapped, Unavailable) as error:
        raise PluginFailed(str(error)) from error
    return known_user(node, account)


def check_pool_options(options: Options) -> None:
    """Raises PolicyFileError: a pool of another kind than the gridmapdir here knows."""
    if not options.truth("strict-poolprefix-match", default=True):
        raise options.error("-strict_poolprefix_match no: an account of a pool is its prefix and digits here")
    options.number("max-mappings-per-credential", 0)


def with_account(state: State, user: User) -> State:
    """The account with all its groups; the primary one is among the secondary ones too, as in LCMAPS."""
    return state.with_account((user.uid,), (user.gid,), tuple(sorted(user.gids)))


@dataclass(frozen=True, slots=True)
class LocalAccount:
    node: Node
    accounts: AccountMap

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "LocalAccount":
        options = read_options(file, module, flags=WILDCARD_FLAGS, valued=MAP_OPTIONS)
        return cls(node, AccountMap.of(options, node))

    def run(self, state: State) -> State:
        dn = proven_chain(state).subject
        account = self.accounts.account(Spellings.of_dn(dn))
        if account is None:
            raise PluginFailed(f"{self.accounts.file} has no account for {dn.oneline(escaped=False)}")
        return with_account(state, known_user(self.node, account))


@dataclass(frozen=True, slots=True)
class PoolAccount:
    node: Node
    accounts: AccountMap
    gridmapdir: str

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "PoolAccount":
        options = read_options(file, module, flags=WILDCARD_FLAGS, valued=(*MAP_OPTIONS, *POOL_OPTIONS))
        check_pool_options(options)
        return cls(node, AccountMap.of(options, node), options.last("gridmapdir") or GRIDMAPDIR)

    def run(self, state: State) -> State:
        dn = proven_chain(state).subject
        pool = self.accounts.pool(Spellings.of_dn(dn))
        if pool is None:
            raise PluginFailed(f"{self.accounts.file} has no pool for {dn.oneline(escaped=False)}")
        return with_account(state, leased_user(self.node, self.gridmapdir, dn, (), pool))
