"""The mall's tables. Named queries are in each capability's own store.py.

Lock order: voucher_order before item; checkout before coupon; coupon_template before coupon before coupon_write_off.
A saga's row (voucher_order, checkout) is open while `next_attempt_time` is set: a driver owns it until then, and from
then on the worker takes it. That column follows the server's own clock, all others follow business time.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.personal_data import erased_member_table

metadata = MetaData()


def _id(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Uuid, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Text, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _saga_columns() -> list[Column[object]]:
    """What saga.py needs in a row."""
    return [
        _text("request_id"),
        Column("request_hash", LargeBinary, nullable=False),
        _text("state"),
        Column("attempt_count", Integer, nullable=False),
        _time("next_attempt_time", nullable=True),
        _text("last_error", nullable=True),
        # google.rpc.Status of the business refusal; answered again to every retry.
        Column("reject_status", LargeBinary, nullable=True),
    ]


# ---- copies ----

merchant_copy = Table(
    "merchant_copy",
    metadata,
    _id("group_id"),
    _id("merchant_id"),
    _id("business_unit_id"),
    _text("name"),
    PrimaryKeyConstraint("group_id", "merchant_id", name="merchant_copy_pkey"),
)

store_copy = Table(
    "store_copy",
    metadata,
    _id("group_id"),
    _id("store_id"),
    _id("merchant_id"),
    _id("business_unit_id"),
    _text("time_zone"),
    _text("currency_code"),
    PrimaryKeyConstraint("group_id", "store_id", name="store_copy_pkey"),
)

member_copy = Table(
    "member_copy",
    metadata,
    _id("group_id"),
    _id("member_id"),
    PrimaryKeyConstraint("group_id", "member_id", name="member_copy_pkey"),
)

# Members that were merged. state: 1 merging, 2 merged, 3 unmerging, 4 unmerged.
member_merge = Table(
    "member_merge",
    metadata,
    Column("merge_id", Uuid, primary_key=True),
    _id("group_id"),
    _id("survivor_id"),
    _id("absorbed_id"),
    Column("state", Integer, nullable=False),
    Index("member_merge_absorbed_idx", "group_id", "absorbed_id"),
    Index("member_merge_survivor_idx", "group_id", "survivor_id"),
    Index("member_merge_open_idx", "merge_id", postgresql_where=text("state <> 4")),
)

# Orders and coupons of the absorbed member, which the survivor has until the merge is undone.
merged_item = Table(
    "merged_item",
    metadata,
    Column("merge_id", Uuid, primary_key=True),
    Column("item_id", Uuid, primary_key=True),
    Index("merged_item_idx", "item_id"),
)

erased_member = erased_member_table(metadata)

# ---- catalogue ----

item = Table(
    "item",
    metadata,
    _id("group_id"),
    _id("item_id"),
    _text("code"),
    _text("name"),
    _text("name_zh"),
    _id("merchant_id"),
    _number("price_points"),
    _number("face_value_minor"),
    # All that was ever put in; `stock_left` is what nobody has ordered.
    _number("stock_total"),
    _number("stock_left"),
    Column("limit_per_member", Integer, nullable=False),
    _text("benefit_code"),
    PrimaryKeyConstraint("group_id", "item_id", name="item_pkey"),
    UniqueConstraint("group_id", "code", name="item_code_key"),
    CheckConstraint("stock_left >= 0 AND stock_left <= stock_total", name="item_stock_check"),
    Index("item_price_idx", "group_id", "price_points", "item_id"),
)

# ---- orders ----

voucher_order = Table(
    "voucher_order",
    metadata,
    _id("group_id"),
    _id("order_id"),
    *_saga_columns(),
    _id("member_id"),
    _id("item_id"),
    _id("merchant_id"),
    _text("benefit_code"),
    _number("points"),
    _time("order_time"),
    _text("hold_id", nullable=True),
    _text("redemption_txn_id", nullable=True),
    _number("available_points"),
    _text("voucher_code", nullable=True),
    _time("use_time", nullable=True),
    _id("use_store_id", nullable=True),
    # Set as soon as somebody asks for it, also while the order is still being worked on.
    _text("cancel_request_id", nullable=True),
    PrimaryKeyConstraint("group_id", "order_id", name="voucher_order_pkey"),
    UniqueConstraint("group_id", "voucher_code", name="voucher_order_voucher_code_key"),
    CheckConstraint(
        "(use_time IS NULL) = (use_store_id IS NULL) AND (use_time IS NULL OR state = 'COMPLETED')",
        name="voucher_order_use_check",
    ),
    Index("voucher_order_member_idx", "group_id", "member_id", "order_time", "order_id"),
    Index("voucher_order_item_idx", "group_id", "item_id", "member_id"),
    Index(
        "voucher_order_due_idx",
        "next_attempt_time",
        postgresql_where=text("next_attempt_time IS NOT NULL"),
    ),
)

# ---- coupons ----

coupon_template = Table(
    "coupon_template",
    metadata,
    _id("group_id"),
    _id("template_id"),
    _text("request_id"),
    Column("request_hash", LargeBinary, nullable=False),
    _text("code"),
    _text("name"),
    _number("amount_off_minor"),
    _number("min_spend_minor"),
    Column("categories", ARRAY(Text), nullable=False),
    _id("merchant_id", nullable=True),
    _time("valid_from_time"),
    _time("valid_until_time"),
    _number("quantity"),
    _number("issued_count"),
    Column("limit_per_member", Integer, nullable=False),
    Column("platform_share_bps", Integer, nullable=False),
    PrimaryKeyConstraint("group_id", "template_id", name="coupon_template_pkey"),
    UniqueConstraint("group_id", "code", name="coupon_template_code_key"),
    UniqueConstraint("group_id", "request_id", name="coupon_template_request_id_key"),
    CheckConstraint("quantity = 0 OR issued_count <= quantity", name="coupon_template_quantity_check"),
)

coupon = Table(
    "coupon",
    metadata,
    _id("group_id"),
    _id("coupon_id"),
    _id("template_id"),
    _id("member_id"),
    _text("code"),
    _text("state"),
    _time("issue_time"),
    _time("use_time", nullable=True),
    # The checkout that has locked or used it.
    _id("checkout_id", nullable=True),
    # The template's, so that a member's coupons can be paged by expiry.
    _time("valid_until_time"),
    PrimaryKeyConstraint("group_id", "coupon_id", name="coupon_pkey"),
    UniqueConstraint("group_id", "code", name="coupon_code_key"),
    CheckConstraint("state IN ('ISSUED', 'LOCKED', 'USED')", name="coupon_state_check"),
    CheckConstraint("state <> 'LOCKED' OR checkout_id IS NOT NULL", name="coupon_lock_check"),
    Index("coupon_member_idx", "group_id", "member_id", "valid_until_time", "coupon_id"),
    Index("coupon_template_idx", "group_id", "template_id", "member_id"),
)

coupon_write_off = Table(
    "coupon_write_off",
    metadata,
    _id("group_id"),
    _id("write_off_id"),
    _id("coupon_id"),
    _id("template_id"),
    _id("member_id"),
    _id("merchant_id"),
    _id("store_id"),
    _text("receipt_no"),
    _number("discount_minor"),
    _text("currency_code"),
    Column("platform_share_bps", Integer, nullable=False),
    _time("write_off_time"),
    _time("reverse_time", nullable=True),
    PrimaryKeyConstraint("group_id", "write_off_id", name="coupon_write_off_pkey"),
    # A coupon is written off once until that is taken back.
    Index(
        "coupon_write_off_live_key",
        "group_id",
        "coupon_id",
        unique=True,
        postgresql_where=text("reverse_time IS NULL"),
    ),
)

# ---- checkout ----

checkout = Table(
    "checkout",
    metadata,
    _id("group_id"),
    _id("checkout_id"),
    *_saga_columns(),
    _id("store_id"),
    _id("merchant_id"),
    _id("member_id"),
    _text("receipt_no"),
    _time("sale_time"),
    _text("currency_code"),
    _number("total_minor"),
    _number("discount_minor"),
    _number("offset_minor"),
    _number("offset_points"),
    # Of the quote that the points pay by; empty for rules without offset terms.
    _text("offset_quote_token"),
    # The family pool whose points are spent (fpl_…); empty for the member's own.
    _text("pool_id"),
    _id("coupon_id", nullable=True),
    # Each line with its share of the coupon and of the offset; see rules.NetLine.
    Column("lines", JSONB, nullable=False),
    _text("hold_id", nullable=True),
    _text("sale_id", nullable=True),
    _text("redemption_txn_id", nullable=True),
    _number("earned_points"),
    _number("available_points"),
    Column("explanation", LargeBinary, nullable=True),
    _text("void_request_id", nullable=True),
    _time("void_time", nullable=True),
    PrimaryKeyConstraint("group_id", "checkout_id", name="checkout_pkey"),
    # One receipt is checked out once; a rejected try took nothing and may be followed by another.
    Index(
        "checkout_receipt_key",
        "group_id",
        "store_id",
        "receipt_no",
        unique=True,
        postgresql_where=text("state <> 'REJECTED'"),
    ),
    CheckConstraint(
        "discount_minor >= 0 AND offset_minor >= 0 AND discount_minor + offset_minor <= total_minor",
        name="checkout_payable_check",
    ),
    Index("checkout_member_idx", "group_id", "member_id", "sale_time"),
    Index("checkout_due_idx", "next_attempt_time", postgresql_where=text("next_attempt_time IS NOT NULL")),
)
