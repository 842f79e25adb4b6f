"""Sections that configure a part of the PEP daemon: ``parserClass`` names the kind, the kind has a reader.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/server/config/PEPDaemonIniConfigurationParser.java
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from argus_py.config.ini import SectionReader
from argus_py.config.java_names import DEPRECATED, HandlerKind, PipKind

Part = TypeVar("Part")
Kind = TypeVar("Kind", PipKind, HandlerKind)


@dataclass(frozen=True, slots=True)
class Catalogue(Generic[Kind, Part]):
    """Parts of one sort: what messages call them, the names they go by, and who reads the section of each kind."""

    title: str
    term: str
    kinds: Mapping[str, Kind]
    readers: Mapping[Kind, Callable[[SectionReader], Part]]

    def configured(self, reader: SectionReader) -> Part | None:
        """What the section configures; None, and an error in its findings, when that is no known part."""
        class_name = reader.required("parserClass")
        if not class_name:
            return None
        kind = self.kinds.get(class_name)
        if kind is None:
            reader.error("parserClass", class_name)  # COMPAT: the name is all that Java says
            return None
        if class_name in DEPRECATED:
            reader.warn("parserClass", f"{class_name} is deprecated, use {kind.value}")
        part = self.readers[kind](reader)
        reader.warn_unknown()
        return part
