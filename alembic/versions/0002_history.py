"""History: rows are true from one revision until another, changes have authors, rules get rows of their own.

The policies as they are become the oldest state; when and by whom they were made is not known, except the last change.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from lxml import etree

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"

_GAP = 2**32  # between the positions of neighbours
_XACML = "urn:oasis:names:tc:xacml:2.0:policy:schema:os"
_FIRST_APPLICABLE = "urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:first-applicable"


def upgrade() -> None:
    connection = op.get_bind()
    made, changed_at = connection.execute(sa.text("SELECT revision, changed_at FROM store")).one()
    paps = _rows(connection, "SELECT * FROM paps ORDER BY position")
    policy_sets = _rows(connection, "SELECT * FROM policy_sets ORDER BY pap_id, position")
    policies = _rows(connection, "SELECT * FROM policies")
    for table in ("policies", "policy_sets", "paps"):
        op.drop_table(table)
    with op.batch_alter_table("store") as store:
        store.add_column(sa.Column("oldest", sa.BigInteger, nullable=False, server_default="0"))
    with op.batch_alter_table("store") as store:
        store.alter_column("oldest", server_default=None)
    connection.execute(sa.text("UPDATE store SET oldest = revision"))
    tables = _create_tables()
    if made:
        first = {"author": "unknown", "command": "whatever was done before there was a history"}
        op.bulk_insert(tables["changes"], [{"revision": made, "made_at": changed_at, **first, "pap": None}])
    holders = {policy_set["pap_id"] for policy_set in policy_sets}
    of_set = {(policy["pap_id"], policy["policy_set_id"], policy["id"]) for policy in policies}
    op.bulk_insert(
        tables["paps"],
        [
            {
                **pap,
                "since": made,
                "position": number * _GAP,
                "modified_at": changed_at if pap["id"] in holders else None,
            }
            for number, pap in enumerate(paps)
        ],
    )
    op.bulk_insert(tables["policy_sets"], list(_new_policy_sets(policy_sets, of_set, made)))
    op.bulk_insert(tables["policies"], [_new_policy(policy, made) for policy in policies])
    op.bulk_insert(tables["rules"], [rule for policy in policies for rule in _new_rules(policy, made)])


def _rows(connection: sa.Connection, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sa.text(query)).mappings()]


def _new_policy_sets(
    policy_sets: list[dict[str, Any]], of_set: set[tuple[str, str, str]], made: int
) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(policy_sets):
        body = etree.fromstring(row["body"].encode(), etree.XMLParser(huge_tree=True))
        for reference in body.findall(f"{{{_XACML}}}PolicyIdReference"):
            policy_id = reference.text or ""
            if (row["pap_id"], row["id"], policy_id) in of_set:
                body.replace(reference, _place_of(policy_id))
        yield {
            "pap_id": row["pap_id"],
            "id": row["id"],
            "since": made,
            "position": number * _GAP,
            "loose": False,
            "body": etree.tostring(body, encoding="unicode"),
        }


def _place_of(policy_id: str) -> etree._Element:
    """The empty Policy that stands for one with a row of its own."""
    policy = etree.Element(f"{{{_XACML}}}Policy", nsmap={"xacml": _XACML})
    policy.set("PolicyId", policy_id)
    policy.set("RuleCombiningAlgId", _FIRST_APPLICABLE)
    policy.set("Version", "1")
    etree.SubElement(policy, f"{{{_XACML}}}Target")
    return policy


def _new_policy(row: dict[str, Any], made: int) -> dict[str, Any]:
    body, rules = _parsed(row)
    for rule in rules:
        body.remove(rule)
    return {
        "pap_id": row["pap_id"],
        "id": row["id"],
        "since": made,
        "policy_set_id": row["policy_set_id"],
        "position": None,
        "body": etree.tostring(body, encoding="unicode"),
    }


def _new_rules(row: dict[str, Any], made: int) -> Iterator[dict[str, Any]]:
    for number, rule in enumerate(_parsed(row)[1]):
        yield {
            "pap_id": row["pap_id"],
            "policy_id": row["id"],
            "id": rule.get("RuleId"),
            "since": made,
            "position": number * _GAP,
            "body": etree.tostring(rule, encoding="unicode", with_tail=False),
        }


def _parsed(policy: dict[str, Any]) -> tuple[etree._Element, list[etree._Element]]:
    body = etree.fromstring(policy["body"].encode(), etree.XMLParser(huge_tree=True))
    return body, body.findall(f"{{{_XACML}}}Rule")


def _create_tables() -> dict[str, sa.Table]:
    changes = op.create_table(
        "changes",
        sa.Column("revision", sa.BigInteger, autoincrement=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("pap", sa.Text),
        sa.PrimaryKeyConstraint("revision", name="pk_changes"),
    )
    op.create_table(
        "remote_states",
        sa.Column("pap_id", sa.Text),
        sa.Column("confirmed_at", sa.BigInteger),
        sa.Column("failed_at", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("quarantined", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("pap_id", name="pk_remote_states"),
    )
    paps = _create_with_history(
        "paps",
        ("id",),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger),
        sa.Column("remote_hostname", sa.Text),
        sa.Column("remote_port", sa.Integer),
        sa.Column("remote_path", sa.Text),
        sa.Column("remote_protocol", sa.Text),
        sa.Column("remote_dn", sa.Text),
    )
    policy_sets = _create_with_history(
        "policy_sets",
        ("pap_id", "id"),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("loose", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    policies = _create_with_history(
        "policies",
        ("pap_id", "id"),
        sa.Column("policy_set_id", sa.Text),
        sa.Column("position", sa.BigInteger),
        sa.Column("body", sa.Text, nullable=False),
    )
    rules = _create_with_history(
        "rules",
        ("pap_id", "policy_id", "id"),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    _create_with_history("ordering", (), sa.Column("aliases", sa.Text, nullable=False))
    _create_with_history("acl", (), sa.Column("entries", sa.Text, nullable=False))
    _create_with_history("settings", ("key",), sa.Column("value", sa.Text, nullable=False))
    return {"changes": changes, "paps": paps, "policy_sets": policy_sets, "policies": policies, "rules": rules}


def _create_with_history(name: str, key: tuple[str, ...], *columns: sa.Column[Any]) -> sa.Table:
    table = op.create_table(
        name,
        *(sa.Column(part, sa.Text) for part in key),
        sa.Column("since", sa.BigInteger, autoincrement=False),
        sa.Column("until", sa.BigInteger),
        *columns,
        sa.PrimaryKeyConstraint(*key, "since", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_since", name, ["since"])
    op.create_index(f"ix_{name}_until", name, ["until"])
    return table
