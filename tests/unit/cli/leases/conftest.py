"""A gridmapdir, a host with accounts and processes, and the command line of ``argus leases``."""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from argus_py.cli.leases import add_arguments, run
from argus_py.cli.leases.command import Call, Exit, Host

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Directory:
    """A gridmapdir in the making."""

    path: Path

    def account(self, *names: str, used: datetime = NOW - timedelta(hours=1)) -> None:
        for name in names:
            (self.path / name).touch()
            self.use(name, used)

    def lease(self, name: str, account: str, used: datetime = NOW - timedelta(hours=1)) -> None:
        if not (self.path / account).exists():
            (self.path / account).touch()
        (self.path / name).hardlink_to(self.path / account)
        self.use(name, used)

    def use(self, name: str, at: datetime) -> None:
        os.utime(self.path / name, (at.timestamp(), at.timestamp()))

    def links(self, name: str) -> int:
        return (self.path / name).stat().st_nlink

    def names(self) -> list[str]:
        return sorted(os.listdir(self.path))

    def look(self) -> dict[str, tuple[int, int, int, int]]:
        """Everything that a command which changes nothing must leave as it is."""
        found = {entry.name: entry.stat(follow_symlinks=False) for entry in os.scandir(self.path)}
        return {name: (each.st_ino, each.st_nlink, each.st_mtime_ns, each.st_ctime_ns) for name, each in found.items()}


@dataclass
class Machine:
    """Its accounts by name, and its processes; ``pauses`` are those that a command made."""

    proc: Path
    uids: dict[str, int] = field(default_factory=dict)
    gids: dict[str, int] = field(default_factory=dict)
    pauses: list[float] = field(default_factory=list)
    during_pause: Callable[[], None] = lambda: None

    def runs(self, pid: int, *uids: int) -> None:
        """Real, effective, saved and file system uid; one stands for all."""
        four = uids * 4 if len(uids) == 1 else uids
        (self.proc / str(pid)).mkdir()
        status = f"Name:\tjob\nUid:\t{four[0]}\t{four[1]}\t{four[2]}\t{four[3]}\nGid:\t0\t0\t0\t0\n"
        (self.proc / str(pid) / "status").write_text(status)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.during_pause()

    def host(self) -> Host:
        return Host(lambda: NOW, self.uids.get, self.gids.get, self.proc, self.sleep)


@dataclass(frozen=True)
class Outcome:
    exit: Exit
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Leases = Callable[..., Outcome]


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    (tmp_path / "gridmapdir").mkdir()
    return Directory(tmp_path / "gridmapdir")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "proc").mkdir()
    machine = Machine(tmp_path / "proc")
    machine.runs(1, 0)
    return machine


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("argus leases")
    add_arguments(parser)
    return parser


@pytest.fixture
def leases(directory: Directory, machine: Machine, parser: argparse.ArgumentParser) -> Leases:
    """Runs a command, on the directory of the test unless a pepd.ini is named."""

    def leases(*words: str) -> Outcome:
        site = () if "--config" in words or words[0] == "who" else ("--gridmapdir", str(directory.path))
        out, err = StringIO(), StringIO()
        exit_code = run(Call(parser.parse_args([*words, *site]), machine.host(), out, err))
        return Outcome(exit_code, out.getvalue(), err.getvalue())

    return leases


@pytest.fixture
def site(directory: Directory, tmp_path: Path) -> Callable[..., str]:
    """Writes map files and a pepd.ini that names them and the directory; gives the path of the latter."""

    def site(accounts: str, groups: str = "", **options: str) -> str:
        (tmp_path / "grid-mapfile").write_text(accounts)
        (tmp_path / "groupmapfile").write_text(groups)
        more = "".join(f"{key} = {value}\n" for key, value in options.items())
        (tmp_path / "pepd.ini").write_text(
            "[SERVICE]\nentityId = pep\nhostname = localhost\nobligationHandlers = ACCOUNTMAP_OH\n"
            "[PDP]\npdps = http://localhost:8152/authz\n"
            "[ACCOUNTMAP_OH]\n"
            "parserClass = org.glite.authz.pep.obligation.dfpmap.DFPMObligationHandlerConfigurationParser\n"
            f"accountMapFile = {tmp_path}/grid-mapfile\n"
            f"groupMapFile = {tmp_path}/groupmapfile\n"
            f"gridMapDir = {directory.path}\n"
            f"{more}"
        )
        return str(tmp_path / "pepd.ini")

    return site
