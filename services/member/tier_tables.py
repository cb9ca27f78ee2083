"""Tables of tiers: ladders, growth by day, other cards, and grading a group anew. `standing` is in store.py."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from services.member.tables import metadata

_Time = DateTime(timezone=True)

tier_ladder = Table(
    "tier_ladder",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("effective_time", _Time, nullable=False),
    Column("create_time", _Time, nullable=False),
    Column("is_cancelled", Boolean, nullable=False),
    Column("window_kind", SmallInteger, nullable=False),
    Column("months", SmallInteger, nullable=False),
    Column("grace_days", SmallInteger, nullable=False),
    Column("spend_growth_bps", Integer, nullable=False),
    Column("visit_growth", BigInteger, nullable=False),
    Column("currency_code", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
)

tier = Table(
    "tier",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("place", SmallInteger, primary_key=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("min_growth", BigInteger, nullable=False),
    Column("earn_multiplier_bps", Integer, nullable=False),
    Column("free_parking_minutes", Integer, nullable=False),
)

tier_task = Table(
    "tier_task",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("task_code", Text, primary_key=True),
    Column("growth", BigInteger, nullable=False),
    Column("tag", Text, nullable=False),  # "" for none
)

# What every growth is computed from, whatever a ladder counts and for how long. currency_code is "" for tasks.
growth_day = Table(
    "growth_day",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("business_date", Date, primary_key=True),
    Column("currency_code", Text, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("spend_minor", BigInteger, nullable=False),
    Column("sale_count", Integer, nullable=False),
    Column("task_growth", BigInteger, nullable=False),
)

# Growth of tasks, one entry each and one for its reversal; the id is derived from what makes it one of its own.
growth_entry = Table(
    "growth_entry",
    metadata,
    Column("growth_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("task_code", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("growth", BigInteger, nullable=False),
    Column("reverses_id", Uuid),
    Column("tag", Text, nullable=False),  # that the doing gave, "" for none
    Column("create_time", _Time, nullable=False),
    Index("growth_entry_by_member", "member_id", "growth_id"),
)

tier_match = Table(
    "tier_match",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("unit_id", Uuid, primary_key=True),
    Column("level", Text, primary_key=True),
    Column("tier_code", Text, nullable=False),
    Column("months", SmallInteger, nullable=False),
)

# The evidence: whose number it was (its blind index), its level, and where that came from.
tier_grant = Table(
    "tier_grant",
    metadata,
    Column("grant_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("unit_id", Uuid, nullable=False),
    Column("level", Text, nullable=False),
    Column("tier_code", Text, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    Column("scheme", SmallInteger, nullable=False),
    Column("number_index", LargeBinary, nullable=False),
    Column("import_id", Uuid),
    Column("import_row_id", Text),
    Column("create_time", _Time, nullable=False),
    Index("tier_grant_by_member", "member_id", "end_date"),
)

# start_time, update_time and end_time are real time: they say how fast it is.
tier_recalculation = Table(
    "tier_recalculation",
    metadata,
    Column("recalculation_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("ladder_version", Integer, nullable=False),
    Column("may_downgrade", Boolean, nullable=False),
    Column("total_count", BigInteger, nullable=False),
    Column("done_count", BigInteger, nullable=False),
    Column("changed_count", BigInteger, nullable=False),
    Column("after_member_id", Uuid, nullable=False),
    Column("start_time", _Time, nullable=False),
    Column("update_time", _Time, nullable=False),
    Column("end_time", _Time),
    Index("tier_recalculation_running", "group_id", unique=True, postgresql_where=text("state = 1")),
)
