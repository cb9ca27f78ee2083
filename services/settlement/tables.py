"""Settlement's tables. Keys start with the merchant, the entity that settlement would be spread by."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from chassis.tables import APPEND_ONLY
from services.settlement.journal import TOTAL_FIGURES, TOTAL_MONEY

metadata = MetaData()

# One row a group: the lock of its ledger, and the last month closed ("" while none is).
book = Table(
    "book",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("closed_period", Text, nullable=False),
)

# Copies of org's structure.
merchant = Table(
    "merchant",
    metadata,
    Column("merchant_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("business_unit_id", Uuid, nullable=False),
    Index("merchant_by_group", "group_id", "merchant_id"),
)
business_unit = Table(
    "business_unit",
    metadata,
    Column("business_unit_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("currency_code", Text, nullable=False),
)

contract = Table(
    "contract",
    metadata,
    Column("merchant_id", Uuid, primary_key=True),
    Column("effective_date", Date, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("issue_price_centi", Integer, nullable=False),
    Column("redeem_price_centi", Integer, nullable=False),
    Column("platform_fee_bps", Integer, nullable=False),
    Column("parking_waiver_bps", Integer, nullable=False),
    Column("merchant_keeps_breakage", Boolean, nullable=False),
    Index("contract_by_group", "group_id", "merchant_id", "effective_date"),
)

# One movement in money, as its merchant sees it.
entry = Table(
    "entry",
    metadata,
    Column("merchant_id", Uuid, primary_key=True),
    Column("entry_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("period", Text, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("occur_time", DateTime(timezone=True), nullable=False),
    Column("source_id", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Index("entry_by_time", "merchant_id", "period", "occur_time", "entry_id"),
    info=APPEND_ONLY,
)
# Lines of an entry: account 1 the entry's merchant, 2 the points fund, 3 the platform, 4 the merchant's business unit.
# They sum to zero.
line = Table(
    "line",
    metadata,
    Column("merchant_id", Uuid, primary_key=True),
    Column("entry_id", Uuid, primary_key=True),
    Column("line_no", SmallInteger, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("account", SmallInteger, nullable=False),
    Column("figure", SmallInteger, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    info=APPEND_ONLY,
)
# Lots behind entries other than issues (those are in `issue`).
lot_part = Table(
    "lot_part",
    metadata,
    Column("merchant_id", Uuid, primary_key=True),
    Column("entry_id", Uuid, primary_key=True),
    Column("part_no", SmallInteger, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("lot_id", Uuid, nullable=False),
    Column("issuer_merchant_id", Uuid, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    info=APPEND_ONLY,
)
# What was issued, at which price: claw-backs find it by sale, expiries by lot.
issue = Table(
    "issue",
    metadata,
    Column("merchant_id", Uuid, primary_key=True),
    Column("entry_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("sale_id", Uuid),
    Column("lot_id", Uuid),
    Column("lot_points", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("price_centi", Integer, nullable=False),
    Column("clawed_points", BigInteger, nullable=False),
    Column("debited_points", BigInteger, nullable=False),  # taken out of its lot by hand
    Column("is_shared", Boolean, nullable=False),  # others pay too: rows of issue_funder
    CheckConstraint("clawed_points BETWEEN 0 AND points", name="issue_clawed"),
    CheckConstraint("debited_points BETWEEN 0 AND lot_points", name="issue_debited"),
    UniqueConstraint("merchant_id", "sale_id", name="issue_by_sale"),
    UniqueConstraint("merchant_id", "lot_id", name="issue_by_lot"),
)
# Who pays for what was issued: 1 the issuer, 2 its business unit, 3 the platform, 4 another merchant.
issue_funder = Table(
    "issue_funder",
    metadata,
    Column("merchant_id", Uuid, primary_key=True),
    Column("entry_id", Uuid, primary_key=True),
    Column("funder_no", SmallInteger, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("funder_merchant_id", Uuid),
    Column("points", BigInteger, nullable=False),
    CheckConstraint("(kind = 4) = (funder_merchant_id IS NOT NULL)", name="issue_funder_named"),
    info=APPEND_ONLY,
)
redemption = Table(
    "redemption",
    metadata,
    Column("merchant_id", Uuid, primary_key=True),
    Column("entry_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("paid_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("reversed_points", BigInteger, nullable=False),
    CheckConstraint("reversed_points BETWEEN 0 AND points", name="redemption_reversed"),
)


def _figures() -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in TOTAL_FIGURES]


# Running sums of entries, and their copy at the close.
total = Table(
    "total",
    metadata,
    Column("merchant_id", Uuid, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    *_figures(),
    CheckConstraint(f"{' + '.join(TOTAL_MONEY)} = 0", name="total_balanced"),
    Index("total_by_period", "group_id", "period", "merchant_id"),
)
statement = Table(
    "statement",
    metadata,
    Column("merchant_id", Uuid, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    *_figures(),
    Index("statement_by_period", "group_id", "period", "merchant_id"),
)
# Months that are closed.
period = Table(
    "period",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("close_time", DateTime(timezone=True), nullable=False),
    Column("merchants_net_minor", BigInteger, nullable=False),
    Column("fund_minor", BigInteger, nullable=False),
    Column("platform_minor", BigInteger, nullable=False),
    Column("unit_minor", BigInteger, nullable=False),
    Column("entry_count", BigInteger, nullable=False),
)
# Facts that came before what they refer to; they are posted, in order, as soon as they can be.
deferred_fact = Table(
    "deferred_fact",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("arrival_no", BigInteger, Identity(), nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("occur_time", DateTime(timezone=True), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Index("deferred_fact_by_group", "group_id", "arrival_no"),
)
