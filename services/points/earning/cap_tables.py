"""Tables of limits over many sales. Written by take_caps alone, ahead of the ledger call."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Table, Text, Uuid

from chassis.tables import APPEND_ONLY
from services.points.metadata import metadata

# Limits over many sales, and what each rule ("": all rules together) of each sale took of them; caps.py makes the ids.
cap = Table(
    "cap",
    metadata,
    Column("cap_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("used_points", BigInteger, nullable=False),
    CheckConstraint("used_points >= 0", name="cap_not_negative"),
)

cap_use = Table(
    "cap_use",
    metadata,
    Column("cap_id", Uuid, primary_key=True),
    Column("sale_id", Uuid, primary_key=True),
    Column("rule_id", Text, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("left_points", BigInteger, nullable=False),  # what the cap had left before
    info=APPEND_ONLY,
)
