"""Structure, credentials, operators, audit, approvals and webhooks."""

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
        sa.Column("is_open", sa.Boolean, nullable=False),
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
        sa.Column("legal_name", sa.Text, nullable=False),
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
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
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
        sa.Column("certificates", sa.ARRAY(sa.Text), nullable=False),
    )
    op.create_index("credential_by_time", "credential", ["group_id", "create_time", "key_id"])
    op.create_table(
        "credential_secret",
        sa.Column("key_id", sa.Uuid, sa.ForeignKey("credential.key_id"), primary_key=True),
        sa.Column("rpc", sa.Text, primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("rotation_no", sa.Integer, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("key_id", "rotation_no"),
    )
    _operators()
    _audit_and_approvals()
    _webhooks()


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
    op.create_index("approval_by_decider", "approval", ["group_id", "decided_by", "decide_time"])
    # Nobody corrects an audit, the service itself least of all.
    op.execute(
        """CREATE FUNCTION audit_entry_is_final() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'audit entries are never changed or removed'; END $$"""
    )
    op.execute(
        """CREATE TRIGGER audit_entry_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
           FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_final()"""
    )


def _webhooks() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("endpoint_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, sa.ForeignKey("org_group.group_id"), nullable=False),
        sa.Column("partner_id", sa.Uuid),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("event_types", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("disable_cause", sa.Text, nullable=False),
        sa.Column("disable_time", sa.DateTime(timezone=True)),
        sa.Column("failing_since_time", sa.DateTime(timezone=True)),
        sa.Column("last_success_time", sa.DateTime(timezone=True)),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("enable_time", sa.DateTime(timezone=True)),
        sa.Column("delete_time", sa.DateTime(timezone=True)),
    )
    op.create_index("webhook_endpoint_by_time", "webhook_endpoint", ["group_id", "create_time", "endpoint_id"])
    op.create_table(
        "webhook_secret",
        sa.Column("endpoint_id", sa.Uuid, sa.ForeignKey("webhook_endpoint.endpoint_id"), primary_key=True),
        sa.Column("rpc", sa.Text, primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("secret_no", sa.Integer, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("endpoint_id", "secret_no"),
    )
    op.create_table(
        "webhook_event",
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("occur_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("receive_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("webhook_event_by_time", "webhook_event", ["group_id", "occur_time"])
    op.create_index("webhook_event_by_receipt", "webhook_event", ["receive_time"])
    op.create_table(
        "webhook_delivery",
        sa.Column("endpoint_id", sa.Uuid, sa.ForeignKey("webhook_endpoint.endpoint_id"), primary_key=True),
        sa.Column("event_id", sa.Uuid, sa.ForeignKey("webhook_event.event_id"), primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt_count", sa.Integer, nullable=False),
        sa.Column("last_status", sa.Integer, nullable=False),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("last_answer", sa.Text, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_attempt_time", sa.DateTime(timezone=True)),
        sa.Column("next_attempt_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_id", sa.Uuid),
        sa.Column("lease_holder", sa.Text, nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
    )
    op.create_index(
        "webhook_delivery_due",
        "webhook_delivery",
        ["endpoint_id", "next_attempt_time"],
        postgresql_where=sa.text("state = 'PENDING'"),
    )
    op.create_index("webhook_delivery_by_time", "webhook_delivery", ["endpoint_id", "create_time", "event_id"])
    op.create_index("webhook_delivery_by_event", "webhook_delivery", ["event_id"])
