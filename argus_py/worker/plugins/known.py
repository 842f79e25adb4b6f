"""Which plug-ins there are, by the names of their files; loaded when a policy names them: pilots wait for the start."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from argus_py.worker.errors import PolicyFileError
from argus_py.worker.lcmaps_db import Module, Policy, PolicyFile
from argus_py.worker.plugins.plugin import Plugin
from argus_py.worker.ports import Node

PLUGINS: Final[Mapping[str, tuple[str, str]]] = {
    "lcmaps_verify_proxy": ("verify_proxy", "VerifyProxy"),
    "lcmaps_dummy_good": ("dummy", "DummyGood"),
    "lcmaps_dummy_bad": ("dummy", "DummyBad"),
    "lcmaps_ban_dn": ("bans", "BanDn"),
    "lcmaps_ban_fqan": ("bans", "BanFqan"),
    "lcmaps_c_pep": ("c_pep", "CPep"),
    "lcmaps_posix_enf": ("posix_enf", "PosixEnf"),
    "lcmaps_localaccount": ("accounts", "LocalAccount"),
    "lcmaps_poolaccount": ("accounts", "PoolAccount"),
    "lcmaps_voms": ("voms_attributes", "Voms"),
    "lcmaps_voms_localgroup": ("voms_accounts", "VomsLocalGroup"),
    "lcmaps_voms_localaccount": ("voms_accounts", "VomsLocalAccount"),
    "lcmaps_voms_poolaccount": ("voms_accounts", "VomsPoolAccount"),
}
"""Module in this package, and class."""


def load_plugins(file: PolicyFile, policy: Policy, node: Node) -> Mapping[str, Plugin]:
    """Those that the policy may come to, by the names in its rules; their options are checked before one of them runs.

    Raises PolicyFileError: a plug-in or an option that is not known; ConfigurationError: a file it names.
    """
    return {name: _load(file.file, file.modules[name], node) for name in policy.modules()}


def _load(file: str, module: Module, node: Node) -> Plugin:
    found = PLUGINS.get(module.plugin)
    if found is None:
        raise PolicyFileError(file, module.line, f"the plug-in {module.plugin} of {module.name} is not known here")
    room, name = found
    make: Callable[[str, Module, Node], Plugin] = getattr(import_module(f"{__package__}.{room}"), name).of
    return make(file, module, node)
