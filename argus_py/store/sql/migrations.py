"""The schema versions of the policy database, kept by alembic.

The scripts are the top-level folder ``alembic/`` of the source tree; a wheel carries them as ``alembic/`` next to
this module. They run on the connection given here, without a configuration file.
"""

from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine

from alembic import command
from argus_py.errors import ConfigurationError

_HERE = Path(__file__).resolve().parent
_INSTALLED = _HERE / "alembic"
_SOURCE_TREE = _HERE.parents[2] / "alembic"
_UPGRADE_LOCK = 0x41726775  # of PostgreSQL's advisory locks: upgrades started on several hosts take turns


class WrongSchemaVersion(ConfigurationError):
    """The tables of ``url`` are of version ``found`` (None: there are none); this program needs ``needed``."""

    def __init__(self, url: URL, found: str | None, needed: str | None) -> None:
        shown = url.render_as_string(hide_password=True)
        super().__init__(
            f"the policy database {shown} has schema version {found or 'none'}, this program needs {needed}: "
            f"run 'argus database upgrade {shown}' with the matching version of argus-py"
        )
        self.url = url
        self.found = found
        self.needed = needed


def upgrade_to_head(engine: Engine) -> None:
    """Bring the tables to the newest version, all or nothing; no change if they are.

    Raises WrongSchemaVersion: the database was written by a newer program.
    """
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
        found = _version_of(connection)
        config = _config(connection)
        scripts = ScriptDirectory.from_config(config)
        try:
            scripts.get_revision(found or "base")
        except CommandError as error:
            raise WrongSchemaVersion(engine.url, found, scripts.get_current_head()) from error
        command.upgrade(config, "head")


def require_head(engine: Engine) -> None:
    """Raises WrongSchemaVersion: the tables are missing, older or newer."""
    with engine.connect() as connection:
        found = _version_of(connection)
    needed = ScriptDirectory.from_config(_config()).get_current_head()
    if found != needed:
        raise WrongSchemaVersion(engine.url, found, needed)


def _version_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection | None = None) -> Config:
    """``connection`` reaches ``env.py`` by the attributes of the configuration."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_INSTALLED if _INSTALLED.is_dir() else _SOURCE_TREE))
    return config
