"""Structure, credentials, operators, audit and approvals."""

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
        sa.Column("audit_no", sa.BigInteger, nullable=False),
        sa.Column("audit_hash", sa.LargeBinary, nullable=False),
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
        sa.Column("is_open", sa.Boolean, nullable=False),
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
        sa.Column("permissions", sa.Text, nullable=False, server_default=""),
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
    _operators()
    _audit_and_approvals()


def _operators() -> None:
    op.create_table(
        "operator",
        sa.Column("operator_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, sa.ForeignKey("org_group.group_id"), nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("sealed_totp", sa.LargeBinary),
        sa.Column("last_totp_step", sa.BigInteger),
        sa.Column("invitation_hash", sa.LargeBinary, unique=True),
        sa.Column("invitation_expire_time", sa.DateTime(timezone=True)),
        sa.Column("invited_by", sa.Text, nullable=False),
        sa.Column("is_disabled", sa.Boolean, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("group_id", "login"),
    )
    op.create_table(
        "operator_grant",
        sa.Column("operator_id", sa.Uuid, sa.ForeignKey("operator.operator_id"), primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("scope_id", sa.Text, primary_key=True),
    )
    op.create_table(
        "operator_session",
        sa.Column("session_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("operator_id", sa.Uuid, sa.ForeignKey("operator.operator_id"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_use_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True)),
    )
    op.create_index("operator_session_by_operator", "operator_session", ["operator_id", "create_time"])
    op.create_table(
        "login_tries",
        sa.Column("tried_hash", sa.LargeBinary, primary_key=True),
        sa.Column("failed_count", sa.Integer, nullable=False),
        sa.Column("last_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=False),
    )


def _audit_and_approvals() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("entry_no", sa.BigInteger, primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subjects", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("traceparent", sa.Text, nullable=False),
        sa.Column("act_id", sa.Uuid, unique=True),
        sa.Column("is_outcome_unknown", sa.Boolean, nullable=False),
        sa.Column("previous_hash", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "approval",
        sa.Column("approval_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("permission", sa.Text, nullable=False),
        sa.Column("scope_id", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("content_hash", sa.LargeBinary, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("ask_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("decide_time", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("approval_by_time", "approval", ["group_id", "ask_time", "approval_id"])
    # Nobody corrects an audit, the service itself least of all.
    op.execute(
        """CREATE FUNCTION audit_entry_is_final() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'audit entries are never changed or removed'; END $$"""
    )
    op.execute(
        """CREATE TRIGGER audit_entry_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
           FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_final()"""
    )
