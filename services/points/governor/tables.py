"""Tables of the cost governor."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, DateTime, Integer, SmallInteger, Table, Text, Uuid

from chassis.tables import APPEND_ONLY
from services.points.metadata import metadata

# Up to which event of each lane sales and points are counted.
cost_position = Table(
    "cost_position",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
)

# Net sales and points of a business date, where the unit is.
unit_cost = Table(
    "unit_cost",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("business_unit_id", Uuid, primary_key=True),
    Column("business_date", Date, primary_key=True),
    Column("sales_minor", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
)

# Every change of a unit's state; states as huitong.points.v1.CostState. Never changed.
cost_action = Table(
    "cost_action",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("business_unit_id", Uuid, primary_key=True),
    Column("effective_time", DateTime(timezone=True), primary_key=True),
    Column("state", SmallInteger, nullable=False),
    Column("previous_state", SmallInteger, nullable=False),
    Column("first_date", Date, nullable=False),
    Column("last_date", Date, nullable=False),
    Column("sales_minor", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("cost_minor", BigInteger, nullable=False),
    Column("cost_bps", BigInteger, nullable=False),
    Column("threshold_bps", Integer, nullable=False),
    Column("rule_set_version", BigInteger, nullable=False),
    Column("explanation", Text, nullable=False),
    Column("explanation_zh", Text, nullable=False),
    info=APPEND_ONLY,
)
