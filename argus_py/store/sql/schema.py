"""The tables of the policy store, the same on SQLite and PostgreSQL.

Nearly everything has a history. A row is true from its revision ``since`` until before its revision ``until`` (NULL: it
still is): a change closes rows and writes others, and nothing else of a row is ever changed. So the state after every
change is a query, and what a change did are the rows that it wrote and closed.

A body is XACML text, as PDPs read it: the database can be inspected without this program. An element has a row of its
own, without what it is made of: in the body of a policy set an empty Policy stands for each of its policies, so their
order is kept there; rules are in the order of their positions, which leave room between them. Ids are unique within a
pap only, since two remote paps may both mirror the same third one, and those of rules within their policy.

INVARIANT: of all rows with one key at most one is true at any revision; writers take turns, so no constraint says it.
Changes here travel with a migration in ``alembic/``.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def _with_history(name: str, key: tuple[str, ...], *columns: Column[str] | Column[int] | Column[bool]) -> Table:
    return Table(
        name,
        metadata,
        *(Column(part, Text, primary_key=True) for part in key),
        Column("since", BigInteger, primary_key=True, autoincrement=False),
        Column("until", BigInteger),
        *columns,
        # What has changed since a revision is found without looking at what has not.
        Index(None, "since"),
        Index(None, "until"),
    )


# One row: number and time (milliseconds since 1970 UTC) of the last committed change, and the first revision whose
# state is not forgotten. Writers lock it first, so they take turns.
store = Table(
    "store",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="single_row"), primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("oldest", BigInteger, nullable=False),
)

changes = Table(
    "changes",
    metadata,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("made_at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("pap", Text),
)

paps = _with_history(
    "paps",
    ("id",),
    Column("position", BigInteger, nullable=False),
    Column("alias", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("modified_at", BigInteger),
    Column("remote_hostname", Text),  # NULL: a local pap
    Column("remote_port", Integer),
    Column("remote_path", Text),
    Column("remote_protocol", Text),
    Column("remote_dn", Text),
)

policy_sets = _with_history(
    "policy_sets",
    ("pap_id", "id"),
    Column("position", BigInteger, nullable=False),
    Column("loose", Boolean, nullable=False),
    Column("body", Text, nullable=False),
)

policies = _with_history(
    "policies",
    ("pap_id", "id"),
    Column("policy_set_id", Text),  # NULL: a loose one
    Column("position", BigInteger),  # of a loose one, among the loose policies and policy sets
    Column("body", Text, nullable=False),
)

rules = _with_history(
    "rules",
    ("pap_id", "policy_id", "id"),
    Column("position", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

ordering = _with_history("ordering", (), Column("aliases", Text, nullable=False))  # a JSON array

acl = _with_history("acl", (), Column("entries", Text, nullable=False))  # JSON: [kind, principal, [permission ...]] ...

settings = _with_history("settings", ("key",), Column("value", Text, nullable=False))

remote_states = Table(
    "remote_states",
    metadata,
    Column("pap_id", Text, primary_key=True),
    Column("confirmed_at", BigInteger),
    Column("failed_at", BigInteger),
    Column("reason", Text),
    Column("quarantined", Boolean, nullable=False),
)
