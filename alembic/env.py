"""Runs migrations: on the connection of the program that upgrades, or of ``alembic -x database=URL ...``."""

from sqlalchemy import Connection

from alembic import context
from argus_py.store.sql.engine import connect
from argus_py.store.sql.schema import metadata


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with connect(context.get_x_argument(as_dictionary=True)["database"]).connect() as opened:
        migrate(opened)
        opened.commit()
