"""Structure and credentials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
deploy = "before"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "org_group",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
    )
    op.create_table(
        "business_unit",
        sa.Column("unit_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, sa.ForeignKey("org_group.group_id"), nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("currency_code", sa.Text, nullable=False),
        sa.UniqueConstraint("group_id", "code"),
    )
    op.create_table(
        "merchant",
        sa.Column("merchant_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("unit_id", sa.Uuid, sa.ForeignKey("business_unit.unit_id"), nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.UniqueConstraint("group_id", "code"),
    )
    op.create_table(
        "store",
        sa.Column("store_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("merchant_id", sa.Uuid, sa.ForeignKey("merchant.merchant_id"), nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("floor", sa.Text, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("opening_date", sa.Date),
        sa.UniqueConstraint("group_id", "code"),
    )
    op.create_table(
        "terminal",
        sa.Column("terminal_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("store_id", sa.Uuid, sa.ForeignKey("store.store_id"), nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.UniqueConstraint("group_id", "code"),
    )
    op.create_table(
        "credential",
        sa.Column("key_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoke_time", sa.DateTime(timezone=True)),
    )
    op.create_index("credential_by_time", "credential", ["group_id", "create_time", "key_id"])
    op.create_table(
        "credential_secret",
        sa.Column("key_id", sa.Uuid, sa.ForeignKey("credential.key_id"), primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("rotation_no", sa.Integer, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("key_id", "rotation_no"),
    )
