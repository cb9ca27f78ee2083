"""People, tiers and sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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
        sa.Column("code_epoch", sa.Integer, nullable=False, server_default="0"),
        sa.Column("erase_time", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("group_id", "card_no"),
    )
    op.create_table(
        "member_identity",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("value_index", sa.LargeBinary, primary_key=True),
        sa.Column("member_id", sa.Uuid, nullable=False),
    )
    op.create_index("member_identity_by_member", "member_identity", ["member_id"])
    op.create_table(
        "join_request",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("member_id", sa.Uuid),
        sa.Column("is_new", sa.Boolean),
        sa.Column("tier_code", sa.Text),
    )
    op.create_index("join_request_by_member", "join_request", ["member_id"])
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
    _create_tiers()
    _create_benefits()
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
        sa.Column("purpose", sa.Text, nullable=False),
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
        sa.Column("is_end_told", sa.Boolean, nullable=False, server_default="false"),
    )
    op.create_index("session_by_expiry", "session", ["expire_time"])
    op.create_index(
        "session_to_tell",
        "session",
        ["end_time"],
        postgresql_where=sa.text("end_time IS NOT NULL AND NOT is_end_told"),
    )
    op.create_index("session_by_member", "session", ["member_id"])
    op.create_table(
        "proof",
        sa.Column("proof_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("purpose", sa.SmallInteger, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("proof_by_expiry", "proof", ["expire_time"])
    op.create_table(
        "phone_change",
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("change_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("phone_change_by_time", "phone_change", ["change_time"])
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
        sa.Column("survivor_period_end", sa.Date),
        sa.Column("absorbed_period_end", sa.Date),
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
    op.create_table(
        "member_state",
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("reason_code", sa.Text, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("change_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "denied_identity",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("value_index", sa.LargeBinary, primary_key=True),
        sa.Column("denial_id", sa.Uuid, nullable=False),
        sa.Column("reason_code", sa.Text, nullable=False),
        sa.Column("denied_by", sa.Text, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("denied_identity_by_time", "denied_identity", ["group_id", "create_time", "denial_id"])
    op.create_table(
        "member_device",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("device_index", sa.LargeBinary, primary_key=True),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "risk_policy",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("joins_per_address_hour", sa.Integer, nullable=False),
        sa.Column("joins_per_device_day", sa.Integer, nullable=False),
        sa.Column("joins_per_terminal_hour", sa.Integer, nullable=False),
        sa.Column("spend_cool_down_hours", sa.Integer, nullable=False),
        sa.Column("spends_per_member_hour", sa.Integer, nullable=False),
    )
    op.create_table(
        "referral_program",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("referrer_points", sa.BigInteger, nullable=False),
        sa.Column("friend_points", sa.BigInteger, nullable=False),
        sa.Column("min_amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency_code", sa.Text, nullable=False),
        sa.Column("merchant_id", sa.Uuid, nullable=False),
        sa.Column("use_within_days", sa.Integer, nullable=False),
        sa.Column("return_window_days", sa.Integer, nullable=False),
        sa.Column("referrals_per_month", sa.Integer, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
    )
    op.create_table(
        "referral_code",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Uuid, nullable=False),
    )
    op.create_index("referral_code_by_member", "referral_code", ["member_id"], unique=True)
    op.create_table(
        "referral",
        sa.Column("friend_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("referral_id", sa.Uuid, nullable=False),
        sa.Column("referrer_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("referrer_points", sa.BigInteger, nullable=False),
        sa.Column("friend_points", sa.BigInteger, nullable=False),
        sa.Column("min_amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency_code", sa.Text, nullable=False),
        sa.Column("merchant_id", sa.Uuid, nullable=False),
        sa.Column("return_window_days", sa.Integer, nullable=False),
        sa.Column("sale_id", sa.Text, nullable=False),
        sa.Column("kept_minor", sa.BigInteger, nullable=False),
        sa.Column("due_time", sa.DateTime(timezone=True)),
        sa.Column("is_referrer_rewarded", sa.Boolean, nullable=False),
        sa.Column("is_friend_rewarded", sa.Boolean, nullable=False),
    )
    op.create_index("referral_by_referrer", "referral", ["referrer_id", "create_time", "referral_id"])
    op.create_index(
        "referral_due", "referral", ["due_time", "referral_id"], postgresql_where=sa.text("state IN (2, 3)")
    )
    op.create_table(
        "attribute_definition",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("type", sa.SmallInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "member_attribute",
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("sealed_value", sa.LargeBinary, nullable=False),
        sa.Column("source", sa.SmallInteger, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "member_tag",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("tag", sa.Text, primary_key=True),
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("source", sa.SmallInteger, nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
        sa.Column("add_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("member_tag_by_member", "member_tag", ["member_id", "tag"])
    op.create_index("member_import_row_by_member", "member_import_row", ["member_id"])
    _create_privacy()


def _create_privacy() -> None:
    op.create_table(
        "member_profile",
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("birthday_change_count", sa.Integer, nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "consent_text",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("purpose", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("save_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "consent",
        sa.Column("consent_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("purpose", sa.SmallInteger, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("is_given", sa.Boolean, nullable=False),
        sa.Column("channel", sa.SmallInteger, nullable=False),
        sa.Column("sealed_evidence", sa.LargeBinary),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.Column("record_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("consent_by_member", "consent", ["member_id", "record_time", "consent_id"])
    op.create_table(
        "privacy_settings",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("erasure_wait_hours", sa.Integer, nullable=False),
        sa.Column("birthday_change_limit", sa.Integer, nullable=False),
    )
    op.create_table(
        "erasure",
        sa.Column("erasure_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("request_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begin_time", sa.DateTime(timezone=True)),
        sa.Column("done_time", sa.DateTime(timezone=True)),
        sa.Column("confirmed_services", ARRAY(sa.Text), nullable=False),
        sa.Column("blockers", JSONB, nullable=False),
        sa.Column("attempt_count", sa.Integer, nullable=False),
        sa.Column("next_attempt_time", sa.DateTime(timezone=True), nullable=False),
    )
    is_open = sa.text("state IN (1, 2, 3)")
    op.create_index("erasure_open", "erasure", ["member_id"], unique=True, postgresql_where=is_open)
    op.create_index("erasure_by_member", "erasure", ["member_id", "request_time"])
    op.create_index("erasure_due", "erasure", ["next_attempt_time"], postgresql_where=is_open)


def _create_tiers() -> None:
    op.create_table(
        "tier_ladder",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("effective_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_cancelled", sa.Boolean, nullable=False),
        sa.Column("window_kind", sa.SmallInteger, nullable=False),
        sa.Column("months", sa.SmallInteger, nullable=False),
        sa.Column("grace_days", sa.SmallInteger, nullable=False),
        sa.Column("spend_growth_bps", sa.Integer, nullable=False),
        sa.Column("visit_growth", sa.BigInteger, nullable=False),
        sa.Column("currency_code", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
    )
    op.create_table(
        "tier",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("place", sa.SmallInteger, primary_key=True),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_zh", sa.Text, nullable=False),
        sa.Column("min_growth", sa.BigInteger, nullable=False),
        sa.Column("earn_multiplier_bps", sa.Integer, nullable=False),
        sa.Column("free_parking_minutes", sa.Integer, nullable=False),
    )
    op.create_table(
        "tier_task",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("task_code", sa.Text, primary_key=True),
        sa.Column("growth", sa.BigInteger, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
    )
    op.create_table(
        "growth_day",
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("business_date", sa.Date, primary_key=True),
        sa.Column("currency_code", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("spend_minor", sa.BigInteger, nullable=False),
        sa.Column("sale_count", sa.Integer, nullable=False),
        sa.Column("task_growth", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "growth_entry",
        sa.Column("growth_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("task_code", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("business_date", sa.Date, nullable=False),
        sa.Column("growth", sa.BigInteger, nullable=False),
        sa.Column("reverses_id", sa.Uuid),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("growth_entry_by_member", "growth_entry", ["member_id", "growth_id"])
    op.create_table(
        "tier_match",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("unit_id", sa.Uuid, primary_key=True),
        sa.Column("level", sa.Text, primary_key=True),
        sa.Column("tier_code", sa.Text, nullable=False),
        sa.Column("months", sa.SmallInteger, nullable=False),
    )
    op.create_table(
        "tier_grant",
        sa.Column("grant_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("unit_id", sa.Uuid, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("tier_code", sa.Text, nullable=False),
        sa.Column("start_date", sa.Date, nullable=False),
        sa.Column("end_date", sa.Date, nullable=False),
        sa.Column("scheme", sa.SmallInteger, nullable=False),
        sa.Column("number_index", sa.LargeBinary, nullable=False),
        sa.Column("import_id", sa.Uuid),
        sa.Column("import_row_id", sa.Text),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("tier_grant_by_member", "tier_grant", ["member_id", "end_date"])
    op.create_table(
        "tier_recalculation",
        sa.Column("recalculation_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("ladder_version", sa.Integer, nullable=False),
        sa.Column("may_downgrade", sa.Boolean, nullable=False),
        sa.Column("total_count", sa.BigInteger, nullable=False),
        sa.Column("done_count", sa.BigInteger, nullable=False),
        sa.Column("changed_count", sa.BigInteger, nullable=False),
        sa.Column("after_member_id", sa.Uuid, nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True)),
    )
    op.create_index(
        "tier_recalculation_running",
        "tier_recalculation",
        ["group_id"],
        unique=True,
        postgresql_where=sa.text("state = 1"),
    )
    op.create_table(
        "standing",
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("growth_minor", sa.BigInteger, nullable=False),
        sa.Column("tier_code", sa.Text),
        sa.Column("ladder_version", sa.Integer, nullable=False),
        sa.Column("own_code", sa.Text),
        sa.Column("period_end", sa.Date),
        sa.Column("floor_code", sa.Text),
        sa.Column("floor_end", sa.Date),
        sa.Column("review_date", sa.Date),
        sa.Column("since_date", sa.Date),
        sa.Column("previous_code", sa.Text),
        sa.Column("survivor_id", sa.Uuid),
    )
    op.create_index(
        "standing_by_survivor", "standing", ["survivor_id"], postgresql_where=sa.text("survivor_id IS NOT NULL")
    )
    op.create_index("standing_by_tier", "standing", ["group_id", "tier_code"])
    op.create_index("standing_by_group", "standing", ["group_id", "member_id"])
    op.create_index(
        "standing_by_review",
        "standing",
        ["review_date", "member_id"],
        postgresql_where=sa.text("review_date IS NOT NULL"),
    )


def _create_benefits() -> None:
    op.create_table(
        "benefit",
        sa.Column("group_id", sa.Uuid, primary_key=True),
        sa.Column("tier_code", sa.Text, primary_key=True),
        sa.Column("benefit_code", sa.Text, primary_key=True),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_zh", sa.Text, nullable=False),
        sa.Column("quota", sa.Integer, nullable=False),
        sa.Column("period", sa.SmallInteger, nullable=False),
        sa.Column("price_bps", sa.Integer, nullable=False),
    )
    op.create_table(
        "benefit_counter",
        sa.Column("member_id", sa.Uuid, primary_key=True),
        sa.Column("benefit_code", sa.Text, primary_key=True),
        sa.Column("period_start", sa.Date, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
    )
    op.create_table(
        "benefit_use",
        sa.Column("use_id", sa.Uuid, primary_key=True),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("benefit_code", sa.Text, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("tier_code", sa.Text, nullable=False),
        sa.Column("price_bps", sa.Integer, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("store_id", sa.Uuid),
        sa.Column("period_start", sa.Date, nullable=False),
        sa.Column("use_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("return_time", sa.DateTime(timezone=True)),
    )
    op.create_index("benefit_use_by_member", "benefit_use", ["member_id", "use_time", "use_id"])
