"""A host with credentials and trust material, and the commands of ``argus site`` on it."""

import argparse
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from argus_py.cli import site
from argus_py.cli.site.clock import KernelClock
from argus_py.cli.site.command import Call, Host
from demo.site import Site, make_site

ADMIN = "/DC=org/DC=example/CN=Jo Doe"


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Done:
    exit_code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class SiteHost:
    """``root`` is a folder where everything is put; ``grid`` has the credentials."""

    root: Path
    grid: Site

    def run(self, *arguments: str | Path, typed: str | None = None, host: Host | None = None) -> Done:
        """``typed``: on a terminal."""
        parser = argparse.ArgumentParser()
        site.add_arguments(parser)
        entered = io.StringIO() if typed is None else Terminal(typed)
        out, err = io.StringIO(), io.StringIO()
        clock = Host(clock=lambda: KernelClock(True, timedelta(milliseconds=1)), gid_of={"nogroup": 65534}.get)
        exit_code = site.run(Call(parser.parse_args(list(map(str, arguments))), entered, out, err, host or clock))
        return Done(exit_code, out.getvalue(), err.getvalue())

    def init(self, *arguments: str | Path, typed: str | None = None) -> Done:
        certificate, key = self.grid.host
        return self.run(
            *("init", "--config-dir", self.root / "argus", "--state-dir", self.root / "lib"),
            *("--host-certificate", certificate, "--host-key", key),
            *("--trust-dir", self.grid.certificates, "--vomsdir", self.grid.vomsdir),
            *self.maps,
            *arguments,
            typed=typed,
        )

    def made(self, *arguments: str | Path) -> Done:
        """A small site, with pools of dteam alone."""
        vos = ("--admin", ADMIN, "--vo", "dteam:dteam:dtplt", "--pool-size", "5", "--pilot-pool-size", "3")
        return self.init(*vos, *arguments)

    @property
    def maps(self) -> tuple[str | Path, ...]:
        return (
            *("--grid-mapfile", self.root / "grid-mapfile", "--group-mapfile", self.root / "groupmapfile"),
            *("--gridmapdir", self.root / "gridmapdir", "--policy", self.root / "policy.spl"),
        )


@pytest.fixture(scope="session")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("grid") / "site")


@pytest.fixture
def host(tmp_path: Path, grid: Site) -> SiteHost:
    return SiteHost(tmp_path, grid)


@pytest.fixture
def files_of(tmp_path: Path) -> Callable[[], set[str]]:
    """Whatever is below the folder where everything is put."""
    return lambda: {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
