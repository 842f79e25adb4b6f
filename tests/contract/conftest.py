"""Real servers and stores for the contract suites."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from argus_py.pap.ports import PolicyRepository
from argus_py.store.memory import MemoryPolicies
from argus_py.store.sql.engine import open_policies, upgrade

START_TIMEOUT_SECONDS = 30


class PostgreSql:
    """A server of our own on a socket in ``home``; nothing of it is left when it is stopped."""

    def __init__(self, binaries: Path, home: Path) -> None:
        self._home = home
        self._user = unprivileged_user()
        if self._user is not None:
            shutil.chown(home, self._user)
        data = home / "data"
        cluster = ["-U", "argus", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        initdb = [str(binaries / "initdb"), "-D", str(data), *cluster]
        subprocess.run(initdb, check=True, user=self._user, cwd=home, stdout=subprocess.DEVNULL)
        settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "unix_socket_permissions=0777"]
        with (home / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-k", home, *settings], user=self._user, cwd=home, stderr=log
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            try:
                psycopg.connect(self._dsn("postgres")).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _dsn(self, database: str) -> str:
        return f"host={self._home} user=argus dbname={database}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql+psycopg://argus@/{name}?host={self._home}"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(START_TIMEOUT_SECONDS)


def unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("no PostgreSQL server is installed (Debian package postgresql)")
    # Below /tmp and not in pytest's folder: other users must get in, and a socket path may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="argus-pg-") as home:
        server = PostgreSql(found[-1].parent, Path(home))
        yield server
        server.stop()


OpenRepository = Callable[[], PolicyRepository]


def empty_database(kind: str, request: pytest.FixtureRequest, directory: Path) -> str:
    """The URL of a database that has its tables."""
    if kind == "sqlite":
        return f"sqlite:///{directory}/policies.db"
    server: PostgreSql = request.getfixturevalue("postgresql")
    url = server.new_database()
    upgrade(url)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return empty_database(request.param, request, tmp_path)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def open_repository(request: pytest.FixtureRequest, tmp_path: Path) -> OpenRepository:
    """Opens an empty repository."""
    if request.param == "memory":
        return MemoryPolicies
    url = empty_database(request.param, request, tmp_path)
    return lambda: open_policies(url)
