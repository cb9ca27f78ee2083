"""Tables about the doors that sales come through: what is unique or counted over all wallets, and cases to be decided.

None of them is written by the ledger call; ledger/sql/72_doors.sql writes them ahead of it, in calls of its own.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, SmallInteger, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from chassis.tables import APPEND_ONLY
from services.points.metadata import metadata

_Time = DateTime(timezone=True)

# Whose purchase a payment is: of the sale that came first.
payment_claim = Table(
    "payment_claim",
    metadata,
    Column("payment_key", Uuid, primary_key=True),  # made of group, merchant, provider and the platform's id
    Column("group_id", Uuid, nullable=False),
    Column("sale_id", Uuid, nullable=False),
    info=APPEND_ONLY,
)

# What a device numbered; recorded once the ledger, or the sale that it is a duplicate of, has it.
device_sale = Table(
    "device_sale",
    metadata,
    Column("device_key", Uuid, primary_key=True),  # made of store and device
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("group_id", Uuid, nullable=False),
    Column("sale_id", Uuid, nullable=False),
    Column("is_recorded", Boolean, nullable=False),
)

# Everything of a device up to contiguous_seq is recorded.
device = Table(
    "device",
    metadata,
    Column("device_key", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("contiguous_seq", BigInteger, nullable=False),
    Column("highest_seq", BigInteger, nullable=False),
)

# Sales of groups whose rules look for pairs or for suspicious earning, for as long as a window can reach.
sale_seen = Table(
    "sale_seen",
    metadata,
    Column("sale_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("wallet_id", Uuid, nullable=False),
    Column("merchant_id", Uuid, nullable=False),
    Column("store_id", Uuid, nullable=False),
    Column("source", Text, nullable=False),
    Column("terminal", Text, nullable=False),  # the device, or else the source
    Column("payment_provider", Text),
    Column("receipt_no", Text, nullable=False),
    Column("receipt_serial", BigInteger),  # the digits that the receipt number ends in
    Column("amount_minor", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("sale_time", _Time, nullable=False),
    Index("sale_seen_by_member", "wallet_id", "sale_time"),
    Index("sale_seen_by_terminal", "store_id", "terminal", "sale_time"),
    Index("sale_seen_by_store", "store_id", "sale_time"),
    Index("sale_seen_by_time", "sale_time"),
)

# What the points of a sale wait for. kind, state: as huitong.points.v1.SaleCaseKind and SaleCaseState.
sale_case = Table(
    "sale_case",
    metadata,
    Column("case_id", Uuid, primary_key=True),  # made of sale and kind
    Column("sale_id", Uuid, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("group_id", Uuid, nullable=False),
    Column("wallet_id", Uuid, nullable=False),
    Column("store_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("until_time", _Time, nullable=False),
    Column("window_time", _Time),  # end of the sale's return window; none when it has none
    Column("other_sale_id", Uuid),
    Column("evidence", JSONB),
    Column("create_time", _Time, nullable=False),
    Column("decided_by", Text),
    Column("decision_note", Text),
    Column("decide_time", _Time),
    Column("is_applied", Boolean, nullable=False),  # the ledger has done what was decided
    Index("sale_case_by_sale", "sale_id"),
    Index("sale_case_by_other", "other_sale_id", postgresql_where=text("other_sale_id IS NOT NULL")),
    Index("sale_case_by_time", "group_id", "create_time", "case_id"),
    Index("sale_case_under_way", "decide_time", postgresql_where=text("state <> 1 AND NOT is_applied")),
)
