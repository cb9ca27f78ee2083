"""People, tiers and sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
deploy = "before"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "member",
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("card_no", sa.Text, nullable=False),
        sa.Column("sealed_phone", sa.LargeBinary, nullable=False),
        sa.Column("birth_month", sa.SmallInteger, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("store_id", sa.Uuid),
        sa.Column("join_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("survivor_id", sa.Uuid),
        sa.UniqueConstraint("group_id", "card_no"),
    )
    op.create_table(
        "member_identity",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("value_index", sa.LargeBinary, primary_key=True),
        sa.Column("member_id", sa.Uuid, nullable=False),
    )
    op.create_table(
        "join_request",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("is_new", sa.Boolean),
        sa.Column("tier_code", sa.Text),
    )
    op.create_table(
        "code_use",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("member_no", sa.Text, primary_key=True),
        sa.Column("step", sa.BigInteger, primary_key=True),
        sa.Column("serial", sa.SmallInteger, primary_key=True),
        sa.Column("spend_request_id", sa.Text, nullable=False),
        sa.Column("use_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("code_use_by_time", "code_use", ["use_time"])
    op.create_table(
        "group_copy",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.Text, nullable=False),
    )
    op.create_table(
        "store_copy",
        sa.Column("store_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
    )
    op.create_table(
        "tier_ladder",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "tier",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("place", sa.SmallInteger, primary_key=True),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_zh", sa.Text, nullable=False),
        sa.Column("min_growth", sa.BigInteger, nullable=False),
        sa.Column("earn_multiplier_bps", sa.Integer, nullable=False),
        sa.Column("free_parking_minutes", sa.Integer, nullable=False),
    )
    op.create_table(
        "standing",
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("growth_minor", sa.BigInteger, nullable=False),
        sa.Column("tier_code", sa.Text),
        sa.Column("ladder_version", sa.Integer, nullable=False),
        sa.Column("survivor_id", sa.Uuid),
    )
    op.create_index("standing_by_tier", "standing", ["group_id", "tier_code"])
    op.create_table(
        "login_challenge",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("phone_index", sa.LargeBinary, primary_key=True),
        sa.Column("code_hash", sa.LargeBinary),
        sa.Column("tries_left", sa.SmallInteger, nullable=False),
        sa.Column("send_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day_start_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day_count", sa.Integer, nullable=False),
    )
    op.create_table(
        "login_outbox",
        sa.Column("message_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("phone_index", sa.LargeBinary, nullable=False),
        sa.Column("sealed_phone", sa.LargeBinary, nullable=False),
        sa.Column("sealed_code", sa.LargeBinary, nullable=False),
        sa.Column("send_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("login_outbox_by_time", "login_outbox", ["group_id", "send_time", "message_id"])
    op.create_table(
        "session",
        sa.Column("session_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("previous_generation", sa.Integer),
        sa.Column("is_previous_spent", sa.Boolean, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True)),
    )
    op.create_index("session_by_expiry", "session", ["expire_time"])
    op.create_index("session_by_member", "session", ["member_id"])
    op.create_table(
        "mini_program",
        sa.Column("app_id", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("mini_program_by_group", "mini_program", ["group_id", "app_id"])
    op.create_table(
        "member_import",
        sa.Column("import_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("unit_id", sa.Uuid, nullable=False),
        sa.Column("scheme", sa.SmallInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "member_import_row",
        sa.Column("import_id", sa.Uuid, primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("outcome", sa.SmallInteger, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("other_id", sa.Uuid),
    )
    op.create_index("member_import_row_by_outcome", "member_import_row", ["import_id", "outcome", "request_id"])
    op.create_table(
        "member_merge",
        sa.Column("merge_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("survivor_id", sa.Uuid, nullable=False),
        sa.Column("absorbed_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("survivor_tier_code", sa.Text, nullable=False),
        sa.Column("absorbed_tier_code", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("unmerge_reason", sa.Text, nullable=False),
        sa.Column("merged_by", sa.Text, nullable=False),
        sa.Column("unmerged_by", sa.Text, nullable=False),
        sa.Column("merge_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("complete_time", sa.DateTime(timezone=True)),
        sa.Column("unmerge_time", sa.DateTime(timezone=True)),
        sa.Column("unmerge_complete_time", sa.DateTime(timezone=True)),
        sa.Column("waiting_for", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("charged_points", sa.BigInteger, nullable=False),
        sa.Column("uncharged_points", sa.BigInteger, nullable=False),
    )
    op.create_index("member_merge_by_time", "member_merge", ["group_id", "merge_time", "merge_id"])
    op.create_index("member_merge_by_survivor", "member_merge", ["survivor_id"])
    op.create_index(
        "member_merge_absorbed", "member_merge", ["absorbed_id"], unique=True, postgresql_where=sa.text("state <> 4")
    )
