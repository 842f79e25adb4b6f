"""lcmaps_posix_enf: the identity found so far is to be taken on, if it is no larger than allowed.

The change itself is made by whoever runs the policy, after the policy: once there is no way back, nothing should be
left that can refuse. A policy that names this plug-in demands a change of identity, which only root can make.

Source: lcmaps-plugins-basic:src/posix_enf/lcmaps_posix_enf.c
"""

from dataclasses import dataclass, replace
from typing import Final

from argus_py.worker.lcmaps_db import Module
from argus_py.worker.plugins.plugin import PluginFailed, read_options
from argus_py.worker.ports import Node
from argus_py.worker.state import State

_MAX_UIDS: Final = 1
_MAX_PRIMARY_GIDS: Final = 1
_MAX_SECONDARY_GIDS: Final = 32


@dataclass(frozen=True, slots=True)
class PosixEnf:
    node: Node
    max_uids: int
    max_primary_gids: int
    max_secondary_gids: int

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "PosixEnf":
        """Raises PolicyFileError: half a change is asked for, which a payload could undo."""
        effective_only = ("set-only-euid", "set-only-egid")
        options = read_options(file, module, valued=["maxuid", "maxpgid", "maxsgid", *effective_only])
        for name in effective_only:
            if options.truth(name, default=False):
                raise options.error(f"-{name} yes would leave the payload a way back to root")
        return cls(
            node,
            options.number("maxuid", _MAX_UIDS),
            options.number("maxpgid", _MAX_PRIMARY_GIDS),
            options.number("maxsgid", _MAX_SECONDARY_GIDS),
        )

    def run(self, state: State) -> State:
        if not self.node.changes_identity:
            raise PluginFailed("it cannot change the identity: this program was not started as root")
        account = state.account
        for what, found, allowed in (
            ("users", account.uids, self.max_uids),
            ("primary groups", account.primary_gids, self.max_primary_gids),
            ("secondary groups", account.secondary_gids, self.max_secondary_gids),
        ):
            if len(found) > allowed:
                raise PluginFailed(f"{len(found)} {what} were found, and {allowed} are allowed")
        if not account.uids or not account.primary_gids:
            raise PluginFailed("no user or no primary group was found")
        return replace(state, enforced=True)
