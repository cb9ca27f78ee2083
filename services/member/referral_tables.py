"""Tables of referrals; the queries are in services/member/referral/store.py."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, SmallInteger, Table, Text, Uuid, text

from services.member.tables import metadata

_Time = DateTime(timezone=True)

# Also the lock that uses of codes take in turn: loops and monthly limits are over many rows.
referral_program = Table(
    "referral_program",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("referrer_points", BigInteger, nullable=False),
    Column("friend_points", BigInteger, nullable=False),
    Column("min_amount_minor", BigInteger, nullable=False),
    Column("currency_code", Text, nullable=False),
    Column("merchant_id", Uuid, nullable=False),
    Column("use_within_days", Integer, nullable=False),
    Column("return_window_days", Integer, nullable=False),
    Column("referrals_per_month", Integer, nullable=False),
    Column("is_open", Boolean, nullable=False),
)

referral_code = Table(
    "referral_code",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Index("referral_code_by_member", "member_id", unique=True),
)

# A friend is brought once. state: as huitong.member.v1.ReferralState. The terms are the program's of that time.
referral = Table(
    "referral",
    metadata,
    Column("friend_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("referral_id", Uuid, nullable=False),
    Column("referrer_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("create_time", _Time, nullable=False),
    Column("referrer_points", BigInteger, nullable=False),
    Column("friend_points", BigInteger, nullable=False),
    Column("min_amount_minor", BigInteger, nullable=False),
    Column("currency_code", Text, nullable=False),
    Column("merchant_id", Uuid, nullable=False),
    Column("return_window_days", Integer, nullable=False),
    Column("sale_id", Text, nullable=False),  # the purchase that qualified; "" while there is none
    Column("kept_minor", BigInteger, nullable=False),  # what of it was not brought back
    Column("due_time", _Time),
    Column("is_referrer_rewarded", Boolean, nullable=False),
    Column("is_friend_rewarded", Boolean, nullable=False),
    Index("referral_by_referrer", "referrer_id", "create_time", "referral_id"),
    Index("referral_due", "due_time", "referral_id", postgresql_where=text("state IN (2, 3)")),
)
