"""Tables behind facts of members: their segments, and which purchase was their first."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, DateTime, Table, Text, Uuid

from chassis.tables import APPEND_ONLY
from services.points.metadata import metadata

# A member is in the segment from start_time on, until end_time.
member_segment = Table(
    "member_segment",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("segment", Text, primary_key=True),
    Column("start_time", DateTime(timezone=True), primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("end_time", DateTime(timezone=True)),  # none while it lasts
    CheckConstraint("end_time >= start_time", name="member_segment_ends_last"),
)

# A claim: the sale that is a member's first in a group, business unit or store; first_purchases.py makes the ids.
first_purchase = Table(
    "first_purchase",
    metadata,
    Column("claim_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("sale_id", Uuid, nullable=False),
    info=APPEND_ONLY,
)
