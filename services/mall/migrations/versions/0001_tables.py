"""The mall's tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
deploy = "before"


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "checkout",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("checkout_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("next_attempt_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("reject_status", sa.LargeBinary(), nullable=True),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("receipt_no", sa.Text(), nullable=False),
        sa.Column("sale_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("offset_minor", sa.BigInteger(), nullable=False),
        sa.Column("offset_points", sa.BigInteger(), nullable=False),
        sa.Column("offset_quote_token", sa.Text(), nullable=False),
        sa.Column("pool_id", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Uuid(), nullable=True),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=True),
        sa.Column("sale_id", sa.Text(), nullable=True),
        sa.Column("redemption_txn_id", sa.Text(), nullable=True),
        sa.Column("earned_points", sa.BigInteger(), nullable=False),
        sa.Column("available_points", sa.BigInteger(), nullable=False),
        sa.Column("explanation", sa.LargeBinary(), nullable=True),
        sa.Column("void_request_id", sa.Text(), nullable=True),
        sa.Column("void_time", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "discount_minor >= 0 AND offset_minor >= 0 AND discount_minor + offset_minor <= total_minor",
            name="checkout_payable_check",
        ),
        sa.PrimaryKeyConstraint("group_id", "checkout_id", name="checkout_pkey"),
    )
    op.create_index(
        "checkout_due_idx",
        "checkout",
        ["next_attempt_time"],
        unique=False,
        postgresql_where=sa.text("next_attempt_time IS NOT NULL"),
    )
    op.create_index(
        "checkout_receipt_key",
        "checkout",
        ["group_id", "store_id", "receipt_no"],
        unique=True,
        postgresql_where=sa.text("state <> 'REJECTED'"),
    )
    op.create_table(
        "coupon",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("coupon_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("issue_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("use_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checkout_id", sa.Uuid(), nullable=True),
        sa.Column("valid_until_time", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state <> 'LOCKED' OR checkout_id IS NOT NULL", name="coupon_lock_check"),
        sa.CheckConstraint("state IN ('ISSUED', 'LOCKED', 'USED')", name="coupon_state_check"),
        sa.PrimaryKeyConstraint("group_id", "coupon_id", name="coupon_pkey"),
        sa.UniqueConstraint("group_id", "code", name="coupon_code_key"),
    )
    op.create_index(
        "coupon_member_idx", "coupon", ["group_id", "member_id", "valid_until_time", "coupon_id"], unique=False
    )
    op.create_index("coupon_template_idx", "coupon", ["group_id", "template_id", "member_id"], unique=False)
    op.create_table(
        "coupon_template",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("amount_off_minor", sa.BigInteger(), nullable=False),
        sa.Column("min_spend_minor", sa.BigInteger(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("issued_count", sa.BigInteger(), nullable=False),
        sa.Column("limit_per_member", sa.Integer(), nullable=False),
        sa.Column("platform_share_bps", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity = 0 OR issued_count <= quantity", name="coupon_template_quantity_check"),
        sa.PrimaryKeyConstraint("group_id", "template_id", name="coupon_template_pkey"),
        sa.UniqueConstraint("group_id", "code", name="coupon_template_code_key"),
        sa.UniqueConstraint("group_id", "request_id", name="coupon_template_request_id_key"),
    )
    op.create_table(
        "coupon_write_off",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("write_off_id", sa.Uuid(), nullable=False),
        sa.Column("coupon_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("receipt_no", sa.Text(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.Column("platform_share_bps", sa.Integer(), nullable=False),
        sa.Column("write_off_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reverse_time", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("group_id", "write_off_id", name="coupon_write_off_pkey"),
    )
    op.create_index(
        "coupon_write_off_live_key",
        "coupon_write_off",
        ["group_id", "coupon_id"],
        unique=True,
        postgresql_where=sa.text("reverse_time IS NULL"),
    )
    op.create_table(
        "item",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("price_points", sa.BigInteger(), nullable=False),
        sa.Column("face_value_minor", sa.BigInteger(), nullable=False),
        sa.Column("stock_total", sa.BigInteger(), nullable=False),
        sa.Column("stock_left", sa.BigInteger(), nullable=False),
        sa.Column("limit_per_member", sa.Integer(), nullable=False),
        sa.Column("benefit_code", sa.Text(), nullable=False),
        sa.CheckConstraint("stock_left >= 0 AND stock_left <= stock_total", name="item_stock_check"),
        sa.PrimaryKeyConstraint("group_id", "item_id", name="item_pkey"),
        sa.UniqueConstraint("group_id", "code", name="item_code_key"),
    )
    op.create_index("item_price_idx", "item", ["group_id", "price_points", "item_id"], unique=False)
    op.create_table(
        "member_copy",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "member_id", name="member_copy_pkey"),
    )
    op.create_table(
        "merchant_copy",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("business_unit_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "merchant_id", name="merchant_copy_pkey"),
    )
    op.create_table(
        "store_copy",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("business_unit_id", sa.Uuid(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "store_id", name="store_copy_pkey"),
    )
    op.create_table(
        "voucher_order",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("next_attempt_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("reject_status", sa.LargeBinary(), nullable=True),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("benefit_code", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("order_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=True),
        sa.Column("redemption_txn_id", sa.Text(), nullable=True),
        sa.Column("available_points", sa.BigInteger(), nullable=False),
        sa.Column("voucher_code", sa.Text(), nullable=True),
        sa.Column("use_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("use_store_id", sa.Uuid(), nullable=True),
        sa.Column("cancel_request_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(use_time IS NULL) = (use_store_id IS NULL) AND (use_time IS NULL OR state = 'COMPLETED')",
            name="voucher_order_use_check",
        ),
        sa.PrimaryKeyConstraint("group_id", "order_id", name="voucher_order_pkey"),
        sa.UniqueConstraint("group_id", "voucher_code", name="voucher_order_voucher_code_key"),
    )
    op.create_index(
        "voucher_order_due_idx",
        "voucher_order",
        ["next_attempt_time"],
        unique=False,
        postgresql_where=sa.text("next_attempt_time IS NOT NULL"),
    )
    op.create_index("voucher_order_item_idx", "voucher_order", ["group_id", "item_id", "member_id"], unique=False)
    op.create_index(
        "voucher_order_member_idx", "voucher_order", ["group_id", "member_id", "order_time", "order_id"], unique=False
    )
    op.create_table(
        "member_merge",
        sa.Column("merge_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("survivor_id", sa.Uuid(), nullable=False),
        sa.Column("absorbed_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("merge_id"),
    )
    op.create_index("member_merge_absorbed_idx", "member_merge", ["group_id", "absorbed_id"], unique=False)
    op.create_index("member_merge_survivor_idx", "member_merge", ["group_id", "survivor_id"], unique=False)
    op.create_index(
        "member_merge_open_idx", "member_merge", ["merge_id"], unique=False, postgresql_where=sa.text("state <> 4")
    )
    op.create_table(
        "merged_item",
        sa.Column("merge_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("merge_id", "item_id"),
    )
    op.create_index("merged_item_idx", "merged_item", ["item_id"], unique=False)
    op.create_index("checkout_member_idx", "checkout", ["group_id", "member_id", "sale_time"], unique=False)
    op.create_table(
        "erased_member",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("told_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_time", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("member_id", name="erased_member_pkey"),
    )
