"""Tables of what moves between wallets: transfers, currencies and their conversion, family pools.

`transfer`, `conversion` and `pool_spend` are the ledger's own, written by its call alone; see ledger/tables.py.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.points.metadata import metadata

_Time = DateTime(timezone=True)


def _points(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


# Points given to another member, from the moment they are taken. `lots` are those that arrive, or have arrived.
transfer = Table(
    "transfer",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("txn_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("to_wallet_id", Uuid, nullable=False),
    _points("points"),
    Column("record_time", _Time, nullable=False),
    Column("has_arrived", Boolean, nullable=False),
    Column("lots", JSONB, nullable=False),
    Column("pool_id", Uuid),  # the family pool at one end
    Index("transfer_by_time", "wallet_id", "record_time"),
    Index("transfer_under_way", "wallet_id", "txn_id", postgresql_where=text("NOT has_arrived")),
)

# Points that change their currency, from the moment they are taken. `lots` are those taken.
conversion = Table(
    "conversion",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("txn_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("to_wallet_id", Uuid, nullable=False),
    Column("rate_id", Uuid, nullable=False),
    _points("points"),
    _points("to_points"),
    Column("record_time", _Time, nullable=False),
    Column("to_expire_time", _Time, nullable=False),
    Column("has_arrived", Boolean, nullable=False),
    Column("lots", JSONB, nullable=False),
    Index("conversion_by_time", "wallet_id", "rate_id", "record_time"),
    Index("conversion_under_way", "wallet_id", "txn_id", postgresql_where=text("NOT has_arrived")),
)

# What each member spent of a family pool, or holds: the redemption or the hold, less what was given back.
pool_spend = Table(
    "pool_spend",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("txn_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("member_id", Uuid, nullable=False),
    _points("points"),
    Column("record_time", _Time, nullable=False),
    CheckConstraint("points >= 0", name="pool_spend_not_negative"),
    Index("pool_spend_by_member", "wallet_id", "member_id", "record_time"),
)

# kind and state: as huitong.points.v1.CurrencyKind and CurrencyState. The group's own points have no row.
currency = Table(
    "currency",
    metadata,
    Column("currency_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("business_unit_id", Uuid),
    Column("expiry_months", Integer, nullable=False),
    Column("money_code", Text, nullable=False),
    Column("max_balance_minor", BigInteger, nullable=False),
    Column("anonymous_max_balance_minor", BigInteger, nullable=False),
    Column("max_top_up_minor", BigInteger, nullable=False),
    Column("create_time", _Time, nullable=False),
    Index("currency_by_code", "group_id", "code", unique=True),
)

# At which rate one currency becomes another from when on. state: as huitong.points.v1.ConversionRateState.
conversion_rate = Table(
    "conversion_rate",
    metadata,
    Column("rate_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("from_currency_id", Uuid, nullable=False),
    Column("to_currency_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("numerator", BigInteger, nullable=False),
    Column("denominator", BigInteger, nullable=False),
    _points("min_points"),
    _points("max_points"),
    _points("step_points"),
    _points("daily_limit_points"),
    Column("start_time", _Time, nullable=False),
    Column("end_time", _Time),
    Column("proposed_by", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("create_time", _Time, nullable=False),
    Column("decide_time", _Time),
    CheckConstraint("decided_by <> proposed_by", name="conversion_rate_second_person"),
    CheckConstraint("numerator > 0 AND denominator > 0", name="conversion_rate_positive"),
    Index("conversion_rate_by_pair", "group_id", "from_currency_id", "to_currency_id", "start_time"),
)

# state: as huitong.points.v1.FamilyPoolState. The pool's wallet has the pool's id.
family_pool = Table(
    "family_pool",
    metadata,
    Column("pool_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("owner_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("max_members", Integer, nullable=False),
    Column("create_time", _Time, nullable=False),
    Column("dissolve_time", _Time),
    Index("family_pool_dissolved", "pool_id", postgresql_where=text("state = 2")),
)

# state: as huitong.points.v1.PoolMemberState. A member is in one pool at a time.
pool_member = Table(
    "pool_member",
    metadata,
    Column("pool_id", Uuid, primary_key=True),
    Column("member_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("may_spend", Boolean, nullable=False),
    _points("spend_limit_points"),
    Column("change_time", _Time, nullable=False),
    Index("pool_member_once", "member_id", unique=True, postgresql_where=text("state = 2")),
)
