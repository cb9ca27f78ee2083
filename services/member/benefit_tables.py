"""Tables of benefits."""

from __future__ import annotations

from sqlalchemy import Column, Date, DateTime, Index, Integer, SmallInteger, Table, Text, Uuid

from services.member.tables import metadata

_Time = DateTime(timezone=True)

benefit = Table(
    "benefit",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("tier_code", Text, primary_key=True),
    Column("benefit_code", Text, primary_key=True),
    Column("kind", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("quota", Integer, nullable=False),
    Column("period", SmallInteger, nullable=False),
    Column("price_bps", Integer, nullable=False),
)

# A row for each member, benefit and period: nobody waits for another member.
benefit_counter = Table(
    "benefit_counter",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("benefit_code", Text, primary_key=True),
    Column("period_start", Date, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("used", Integer, nullable=False),
)

# The id is derived from member, benefit and reference: what is used for one thing is used once.
benefit_use = Table(
    "benefit_use",
    metadata,
    Column("use_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("benefit_code", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("tier_code", Text, nullable=False),
    Column("price_bps", Integer, nullable=False),
    Column("quantity", Integer, nullable=False),  # 0: nothing was used, and nothing may be for this reference
    Column("reference", Text, nullable=False),
    Column("store_id", Uuid),
    Column("period_start", Date, nullable=False),
    Column("use_time", _Time, nullable=False),
    Column("return_time", _Time),
    Index("benefit_use_by_member", "member_id", "use_time", "use_id"),
)
