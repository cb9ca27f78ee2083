"""Parking's tables."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)

from chassis.personal_data import erased_member_table

metadata = MetaData()


def _id(name: str, *, primary_key: bool = False, nullable: bool = False) -> Column[object]:
    return Column(name, Uuid, primary_key=primary_key, nullable=nullable)


def _time(name: str, *, primary_key: bool = False, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), primary_key=primary_key, nullable=nullable)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _tariff_columns() -> list[Column[int]]:
    return [
        Column("free_minutes", Integer, nullable=False),
        _number("hour_minor"),
        _number("day_cap_minor"),
        Column("exit_grace_minutes", Integer, nullable=False),
    ]


# Copies: org's business units of kind PARKING and merchants, member's members and tiers.
car_park = Table(
    "car_park",
    metadata,
    _id("car_park_id", primary_key=True),
    _id("group_id"),
    Column("time_zone", Text, nullable=False),
    Column("currency_code", Text, nullable=False),
)
merchant = Table("merchant", metadata, _id("merchant_id", primary_key=True), _id("group_id"))
member = Table("member", metadata, _id("member_id", primary_key=True), _id("group_id"))
member_tier = Table(
    "member_tier",
    metadata,
    _id("member_id", primary_key=True),
    Column("effective_date", Date, primary_key=True),
    _id("group_id"),
    Column("tier_code", Text, nullable=False),
    Column("free_parking_minutes", Integer, nullable=False),
)
erased_member = erased_member_table(metadata)

# Whose plate it is, and was.
plate_binding = Table(
    "plate_binding",
    metadata,
    _id("binding_id", primary_key=True),
    _id("group_id"),
    Column("plate_no", Text, nullable=False),
    _id("member_id"),
    _time("bind_time"),
    _time("unbind_time", nullable=True),
    Index("plate_binding_owner", "group_id", "plate_no", unique=True, postgresql_where=text("unbind_time IS NULL")),
    Index("plate_binding_by_member", "member_id", "bind_time"),
)
# Members that were merged. state: 1 merging, 2 merged, 3 unmerging, 4 unmerged.
member_merge = Table(
    "member_merge",
    metadata,
    _id("merge_id", primary_key=True),
    _id("group_id"),
    _id("survivor_id"),
    _id("absorbed_id"),
    Column("state", Integer, nullable=False),
    _time("merge_time"),
    Index("member_merge_by_absorbed", "absorbed_id"),
    Index("member_merge_open", "merge_id", postgresql_where=text("state <> 4")),
)
# Bindings and stays of the absorbed member, which the survivor has until the merge is undone.
merged_item = Table(
    "merged_item",
    metadata,
    _id("merge_id", primary_key=True),
    _id("item_id", primary_key=True),
)
tariff = Table(
    "tariff",
    metadata,
    _id("car_park_id", primary_key=True),
    _time("effective_time", primary_key=True),
    _id("group_id"),
    _id("merchant_id"),
    *_tariff_columns(),
)
# One row for each plate that a car park has seen: the lock that its entries, exits and payments take.
vehicle = Table(
    "vehicle",
    metadata,
    _id("car_park_id", primary_key=True),
    Column("plate_no", Text, primary_key=True),
    _id("group_id"),
    _id("latest_stay_id", nullable=True),
)
# The tariff at entry is kept with the stay. Fee columns hold the fee as it was last counted.
stay = Table(
    "stay",
    metadata,
    _id("stay_id", primary_key=True),
    _id("group_id"),
    _id("car_park_id"),
    Column("plate_no", Text, nullable=False),
    _id("merchant_id"),
    _id("member_id", nullable=True),
    Column("state", Text, nullable=False),
    Column("currency_code", Text, nullable=False),
    _time("entry_time"),
    Column("entry_date", Date, nullable=False),
    _time("exit_time", nullable=True),
    *_tariff_columns(),
    _number("tariff_fee_minor"),
    _number("tier_waived_minor"),
    _number("points_paid_minor"),
    _number("money_paid_minor"),
    _number("due_minor"),
    _number("points"),
    # Of money_paid_minor, what was taken at the gate; and what the gate took beyond what was due.
    _number("gate_paid_minor"),
    _number("overpaid_minor"),
    Column("stay_minutes", Integer, nullable=False),
    _time("counted_until_time", nullable=True),
    _time("leave_before_time", nullable=True),
    CheckConstraint("state IN ('inside', 'left', 'lost')", name="stay_state"),
    CheckConstraint(
        "tariff_fee_minor = tier_waived_minor + points_paid_minor + money_paid_minor + due_minor", name="stay_fee"
    ),
    CheckConstraint(
        "tier_waived_minor >= 0 AND points_paid_minor >= 0 AND money_paid_minor >= 0 AND due_minor >= 0",
        name="stay_not_negative",
    ),
    CheckConstraint("state = 'inside' OR due_minor = 0", name="stay_ended_owes_nothing"),
    Index("stay_by_vehicle", "car_park_id", "plate_no", "entry_time"),
    Index("stay_inside", "car_park_id", "plate_no", unique=True, postgresql_where=text("state = 'inside'")),
    Index("stay_by_member", "member_id", "entry_time", "stay_id"),
    Index("stay_inside_by_plate", "group_id", "plate_no", postgresql_where=text("state = 'inside'")),
)
# A payment from plan to record. States: pending → done | refused; pending → reversing → reversed | refused.
# `lease_until_time` follows the server's own clock: until then somebody works on the row.
pay_intent = Table(
    "pay_intent",
    metadata,
    _id("group_id", primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    _id("intent_id"),
    Column("attempt", Integer, nullable=False),
    Column("state", Text, nullable=False),
    _id("stay_id"),
    _id("member_id"),
    _time("pay_time"),
    _number("points"),
    _number("points_minor"),
    _number("money_minor"),
    Column("quote_token", Text, nullable=False),
    Column("redeem_txn_id", Text, nullable=False),
    Column("response", LargeBinary),
    _time("lease_until_time"),
    _time("create_time"),
    CheckConstraint("state IN ('pending', 'done', 'refused', 'reversing', 'reversed')", name="pay_intent_state"),
    Index("pay_intent_pending", "stay_id", unique=True, postgresql_where=text("state = 'pending'")),
    Index("pay_intent_by_member", "member_id"),
    Index("pay_intent_open", "lease_until_time", postgresql_where=text("state IN ('pending', 'reversing')")),
)
