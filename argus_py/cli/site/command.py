"""What every command of ``argus site`` works with: its arguments, this host, where to ask and to print."""

import argparse
import io
import pwd
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import TextIO

from argus_py.cli.site.clock import KernelClock, kernel_clock
from argus_py.errors import ConfigurationError
from argus_py.model.dn import escape_controls
from argus_py.store.nss import system_gid


class Exit(IntEnum):
    """What scripts and monitoring go by; docs/site.md explains them."""

    FINE = 0
    PROBLEMS = 1
    USAGE = 2


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Host:
    """This machine; ``gid_of`` gives None for a group it does not know."""

    now: Callable[[], datetime] = _now
    clock: Callable[[], KernelClock | None] = kernel_clock
    gid_of: Callable[[str], int | None] = system_gid


@dataclass(frozen=True, slots=True)
class Call:
    """One command line, understood."""

    arguments: argparse.Namespace
    input: TextIO
    out: TextIO
    err: TextIO
    host: Host = field(default_factory=Host)

    def say(self, line: str) -> None:
        print(escape_controls(line), file=self.out)

    def put(self, text: str) -> None:
        """As it is; half a surrogate pair stands for an octet that is not UTF-8."""
        if isinstance(self.out, io.TextIOWrapper):
            self.out.flush()
            self.out.buffer.write(text.encode("utf-8", "surrogateescape"))
        else:
            self.out.write(text)

    def warn(self, text: str) -> None:
        for line in text.split("\n"):
            print(escape_controls(f"argus site: {line}"), file=self.err)

    @property
    def owner(self) -> tuple[int, int] | None:
        """Who ``--user`` is, by uid and gid; None: files belong to whoever runs this.

        Raises ConfigurationError: there is no such user.
        """
        user: str | None = self.arguments.user
        if user is None:
            return None
        try:
            entry = pwd.getpwnam(user)
        except KeyError as error:
            raise ConfigurationError(f"there is no user {user!r} on this host") from error
        return entry.pw_uid, entry.pw_gid


def add_writing(parser: argparse.ArgumentParser) -> None:
    """The options of commands that write files."""
    parser.add_argument("--force", action="store_true", help="replace files that are there and differ")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be written, and write nothing")


def add_user(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", metavar="NAME", help="whom the daemons run as, default: the one who runs this")


def add_map_files(parser: argparse.ArgumentParser) -> None:
    """Where the account mapping has its files."""
    for option, default, content in (
        ("--grid-mapfile", "/etc/grid-security/grid-mapfile", "who gets which account"),
        ("--group-mapfile", "/etc/grid-security/groupmapfile", "who gets which group"),
    ):
        parser.add_argument(
            option, type=Path, default=Path(default), metavar="FILE", help=f"{content}, default {default}"
        )


def add_gridmapdir(parser: argparse.ArgumentParser) -> None:
    default = Path("/etc/grid-security/gridmapdir")
    parser.add_argument("--gridmapdir", type=Path, default=default, metavar="DIR", help="default %(default)s")
