"""The tables of the policy store, the same on SQLite and PostgreSQL.

A policy body is its XACML text, as PDPs read it: the database can be inspected, and restored, without this program.
In the body of a policy set a PolicyIdReference stands for each of its policies, so their order is kept there.
``revision`` of a row is the store's revision that wrote it. Changes here travel with a migration in ``alembic/``.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

# One row: number and time (milliseconds since 1970 UTC) of the last committed change. Writers lock it first, so they
# take turns.
store = Table(
    "store",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="single_row"), primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

paps = Table(
    "paps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("alias", Text, nullable=False, unique=True),
    Column("position", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("remote_hostname", Text),  # NULL: a local pap
    Column("remote_port", Integer),
    Column("remote_path", Text),
    Column("remote_protocol", Text),
    Column("remote_dn", Text),
)

# Ids are unique within a pap only: two remote paps may both mirror the same third one.
policy_sets = Table(
    "policy_sets",
    metadata,
    Column("pap_id", Text, ForeignKey(paps.c.id, ondelete="CASCADE"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

policies = Table(
    "policies",
    metadata,
    Column("pap_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("policy_set_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    ForeignKeyConstraint(["pap_id", "policy_set_id"], ["policy_sets.pap_id", "policy_sets.id"], ondelete="CASCADE"),
    Index(None, "pap_id", "policy_set_id"),
)
