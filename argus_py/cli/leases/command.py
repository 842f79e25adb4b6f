"""What every command of ``argus leases`` works with: its arguments, the site, this host, where to print."""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TextIO

from argus_py.cli.leases.maps import HandlerMaps, load_maps
from argus_py.config.obligations import AccountMappingPart
from argus_py.config.pepd import load_pepd
from argus_py.errors import ConfigurationError
from argus_py.model.dn import escape_controls
from argus_py.store.account_use import PROC
from argus_py.store.nss import system_gid, system_uid

DEFAULT_CONFIG: Final = Path("/etc/argus/pepd/pepd.ini")


class Exit(IntEnum):
    """What cron jobs and monitoring go by; docs/leases.md explains them."""

    FINE = 0
    PROBLEMS = 1
    USAGE = 2
    UNAVAILABLE = 3


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Host:
    """This machine; ``uid_of`` and ``gid_of`` give None for a name it does not know."""

    now: Callable[[], datetime] = _now
    uid_of: Callable[[str], int | None] = system_uid
    gid_of: Callable[[str], int | None] = system_gid
    proc: Path = PROC
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Call:
    """One command line, understood."""

    arguments: argparse.Namespace
    host: Host
    out: TextIO
    err: TextIO

    @cached_property
    def handlers(self) -> tuple[AccountMappingPart, ...]:
        """The account mappings of pepd.ini; none if ``--gridmapdir`` alone was given, and no more is needed.

        Raises ConfigurationError: the file cannot be used, or has no account mapping.
        """
        arguments = self.arguments
        if arguments.config is None and arguments.gridmapdir is not None and not arguments.needs_config:
            return ()
        config = arguments.config or DEFAULT_CONFIG
        handlers = load_pepd(config).obligation_handlers
        if not handlers:
            raise ConfigurationError(f"{config} has no account mapping among its obligationHandlers")
        return handlers

    @cached_property
    def maps(self) -> tuple[HandlerMaps, ...]:
        """With their map files. Raises ConfigurationError: one of these cannot be used."""
        return tuple(load_maps(handler, self.host.now) for handler in self.handlers)

    @property
    def directories(self) -> tuple[Path, ...]:
        """Those to work on: the one given, else all that pepd.ini names, each once."""
        given: Path | None = self.arguments.gridmapdir
        if given is not None:
            return (given,)
        return tuple(dict.fromkeys(handler.grid_map_dir for handler in self.handlers))

    def maps_of(self, directory: Path) -> tuple[HandlerMaps, ...]:
        """The account mappings that lease there; all of them for a directory that was given."""
        if self.arguments.gridmapdir is not None:
            return self.maps
        return tuple(each for each in self.maps if each.part.grid_map_dir == directory)

    @property
    def wants_json(self) -> bool:
        return bool(self.arguments.output == "json")

    def say(self, line: str) -> None:
        print(escape_controls(line), file=self.out)

    def warn(self, text: str) -> None:
        for line in text.split("\n"):  # a configuration may have several problems
            print(escape_controls(f"argus leases: {line}"), file=self.err)

    def say_json(self, value: Any) -> None:
        print(json.dumps(value, indent=2), file=self.out)

    def say_table(self, header: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
        """Columns as ``ps`` prints them: nothing is cut, a hyphen for nothing, blanks in the last column alone."""
        lines = [[escape_controls(cell or "-") for cell in row] for row in (header, *rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            print("  ".join(cells).rstrip(), file=self.out)
