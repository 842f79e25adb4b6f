"""Opening the database of the policy store: settings of the connections, and its schema brought up to date.

SQLite is upgraded at every start. PostgreSQL may be shared by several daemons, so the operator upgrades it.
"""

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from argus_py.errors import ConfigurationError
from argus_py.store.sql.errors import database_errors
from argus_py.store.sql.migrations import require_head, upgrade_to_head
from argus_py.store.sql.repository import SqlPolicies

LOCK_TIMEOUT = timedelta(
    seconds=10
)  # a change takes milliseconds; who waits this long should hear that something is stuck
CONNECT_TIMEOUT_SECONDS = 5
SQLITE = "sqlite"
POSTGRESQL = "postgresql"


class UnusableDatabaseUrl(ConfigurationError):
    """The database URL ``text`` names nothing a policy store can live in."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"database URL {text!r}: {reason}")
        self.text = text
        self.reason = reason


def open_policies(url: str, lock_timeout: timedelta = LOCK_TIMEOUT) -> SqlPolicies:
    """The policy store at ``sqlite:////path/to/file`` or ``postgresql+psycopg://user@host/name``, ready for use.

    A change waits ``lock_timeout`` for the one before it, then it is refused as StoreUnavailable.

    Raises ConfigurationError: bad URL, driver not installed, schema not at head or from a newer version.
    Raises StoreUnavailable: the database does not answer.
    """
    engine = connect(url, lock_timeout)
    with ExitStack() as on_failure:
        on_failure.callback(engine.dispose)
        with database_errors(engine.url):
            if engine.dialect.name == SQLITE:
                upgrade_to_head(engine)
            else:
                require_head(engine)
        on_failure.pop_all()
    return SqlPolicies(engine)


def upgrade(url: str) -> None:
    """Bring the schema of a database to the version this program needs; for the operator of a PostgreSQL store."""
    engine = connect(url)
    try:
        with database_errors(engine.url):
            upgrade_to_head(engine)
    finally:
        engine.dispose()


def connect(url: str, lock_timeout: timedelta = LOCK_TIMEOUT) -> Engine:
    """An engine with the settings every user of the store needs; makes the folder of a SQLite file.

    Raises UnusableDatabaseUrl.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == SQLITE:
        return _sqlite(parsed, lock_timeout)
    return _postgresql(parsed, lock_timeout)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        shown = url.rpartition("@")[2]  # what stands before may be a password
        raise UnusableDatabaseUrl(shown, "not of the form dialect://user@host/name") from error
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() not in (SQLITE, POSTGRESQL):
        raise UnusableDatabaseUrl(shown, "only sqlite and postgresql+psycopg are supported")
    try:
        parsed.get_dialect()
    except NoSuchModuleError as error:
        raise UnusableDatabaseUrl(shown, f"there is no driver {parsed.get_driver_name()!r}") from error
    if parsed.get_backend_name() == SQLITE and parsed.database in (None, "", ":memory:"):
        raise UnusableDatabaseUrl(shown, "SQLite needs a file")  # every thread would get a memory of its own
    return parsed


def _sqlite(url: URL, lock_timeout: timedelta) -> Engine:
    file = Path(url.database or "")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableDatabaseUrl(url.render_as_string(), f"{file.parent}: {error.strerror}") from error
    engine = create_engine(url, connect_args={"timeout": lock_timeout.total_seconds()})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    _follow_file(engine, file)
    return engine


def _follow_file(engine: Engine, file: Path) -> None:
    """No connection is used when there is another file of its name, as after a restore: changes would be lost in it."""

    def remember(_connection: SqliteConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["file"] = _identity(file)

    def compare(_connection: SqliteConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        if entry.info["file"] != _identity(file):
            raise DisconnectionError(f"{file} is another file now")

    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", compare)


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _prepare_sqlite(connection: SqliteConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself, _begin_sqlite does
    connection.execute("PRAGMA journal_mode = WAL")  # readers do not wait for the writer
    connection.execute("PRAGMA synchronous = FULL")  # INVARIANT: what was acknowledged is on disk
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _postgresql(url: URL, lock_timeout: timedelta) -> Engine:
    settings: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "options": f"-c lock_timeout={lock_timeout // timedelta(milliseconds=1)}",
    }
    try:
        return create_engine(url, connect_args=settings, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        shown = url.render_as_string(hide_password=True)
        raise UnusableDatabaseUrl(
            shown, f"driver {error.name!r} is missing: pip install 'argus-py[postgresql]'"
        ) from error
