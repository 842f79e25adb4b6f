"""lcmaps_ban_dn and lcmaps_ban_fqan: a list of names that may not run here, whatever else is true.

A list that cannot be read ends the policy. BETTER: a name is found in every spelling, and what an attribute certificate
claims counts even when it does not verify; a ban is not escaped by being unclear.

Source: lcmaps-plugins-basic:src/ban_dn/lcmaps_ban_dn.c, src/ban_fqan/lcmaps_ban_fqan.c
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from argus_py.model.dn import DistinguishedName, DnSyntaxError
from argus_py.worker.lcmaps_db import Module
from argus_py.worker.map_file import MapLine, Spellings, names, parse_map_file, spells
from argus_py.worker.plugins.plugin import PluginFailed, read_options
from argus_py.worker.plugins.voms_attributes import attributes_of
from argus_py.worker.ports import Node
from argus_py.worker.state import State

_WITHOUT_WILDCARDS = ("no-wildcard", "disablewildcard", "no-wildcards", "disablewildcards")


@dataclass(frozen=True, slots=True)
class BanList:
    file: str
    lines: tuple[MapLine, ...]
    wildcards: bool

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "BanList":
        options = read_options(file, module, flags=_WITHOUT_WILDCARDS, valued=["banmapfile"])
        path = options.required("banmapfile")
        return cls(path, parse_map_file(node.text(path), path), not options.has(*_WITHOUT_WILDCARDS))

    def check(self, found: Iterable[Spellings]) -> None:
        """Raises PluginFailed: one of them is banned."""
        sought = tuple(found)
        for line in self.lines:
            for key in {line.key} if line.text.startswith('"') else {line.key, line.text}:
                meant = _dn(key)  # once per line: a list has thousands of them, and a chain several names
                for name in sought:
                    if self._bans(key, meant, name):
                        raise PluginFailed(f"{name.texts[0]} is banned by line {line.line} of {self.file}")

    def _bans(self, key: str, meant: DistinguishedName | None, name: Spellings) -> bool:
        if name.dn is None:
            return names(key, name, wildcards=self.wildcards)
        return spells(key, name, wildcards=self.wildcards) or (meant is not None and meant.loosely_equal(name.dn))


def _dn(key: str) -> DistinguishedName | None:
    try:
        return DistinguishedName.parse_slash(key) if "=" in key else None
    except DnSyntaxError:
        return None


@dataclass(frozen=True, slots=True)
class BanDn:
    """The name of the end entity, and that of every proxy, proven or not."""

    bans: BanList

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "BanDn":
        return cls(BanList.of(file, module, node))

    def run(self, state: State) -> State:
        subjects = dict.fromkeys(link.subject for link in state.proxy.chain.links)
        self.bans.check(Spellings.of_dn(dn) for dn in subjects)
        return state


@dataclass(frozen=True, slots=True)
class BanFqan:
    """Every FQAN, not the primary one alone. Nobody is banned by this list who has none."""

    node: Node
    bans: BanList

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "BanFqan":
        return cls(node, BanList.of(file, module, node))

    def run(self, state: State) -> State:
        found = attributes_of(state, self.node)
        self.bans.check(map(_short_and_long, dict.fromkeys(found.proven + found.claimed)))
        return state.noting(*found.problems)


def _short_and_long(text: str) -> Spellings:
    """A pattern may have been made for the qualifiers that say nothing: ``/vo/Role=pilot/*``."""
    name = Spellings.of_fqan(text)
    if name.fqan is None:
        return name
    with_role = f"{name.fqan.group}/Role={name.fqan.role}"
    with_capability = f"{with_role}/Capability={name.fqan.capability}"
    return replace(name, texts=tuple(dict.fromkeys((*name.texts, with_role, with_capability))))
