"""The first schema: the store's revision, paps, their resources (policy sets) and actions (policies)."""

import sqlalchemy as sa

from alembic import op

revision: str = "0001"
down_revision: str | None = None


def upgrade() -> None:
    store = op.create_table(
        "store",
        sa.Column("id", sa.Integer, autoincrement=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_store"),
        sa.CheckConstraint("id = 1", name="ck_store_single_row"),
    )
    op.bulk_insert(store, [{"id": 1, "revision": 0, "changed_at": 0}])
    op.create_table(
        "paps",
        sa.Column("id", sa.Text),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("remote_hostname", sa.Text),
        sa.Column("remote_port", sa.Integer),
        sa.Column("remote_path", sa.Text),
        sa.Column("remote_protocol", sa.Text),
        sa.Column("remote_dn", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_paps"),
        sa.UniqueConstraint("alias", name="uq_paps_alias"),
    )
    op.create_table(
        "policy_sets",
        sa.Column("pap_id", sa.Text),
        sa.Column("id", sa.Text),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("pap_id", "id", name="pk_policy_sets"),
        sa.ForeignKeyConstraint(["pap_id"], ["paps.id"], name="fk_policy_sets_paps", ondelete="CASCADE"),
    )
    op.create_table(
        "policies",
        sa.Column("pap_id", sa.Text),
        sa.Column("id", sa.Text),
        sa.Column("policy_set_id", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("pap_id", "id", name="pk_policies"),
        sa.ForeignKeyConstraint(
            ["pap_id", "policy_set_id"],
            ["policy_sets.pap_id", "policy_sets.id"],
            name="fk_policies_policy_sets",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_policies_pap_id", "policies", ["pap_id", "policy_set_id"])
