"""Tables of reminders and of hoarding members: what was told, so that it is told once. Written by jobs alone."""

from __future__ import annotations

from sqlalchemy import Column, Date, DateTime, Integer, Table, Uuid

from services.points.store import metadata

_Time = DateTime(timezone=True)

# Reminders that were sent, until their points have expired.
expiry_reminder = Table(
    "expiry_reminder",
    metadata,
    Column("expire_time", _Time, primary_key=True),
    Column("wallet_id", Uuid, primary_key=True),
    Column("days_ahead", Integer, primary_key=True, autoincrement=False),
    Column("group_id", Uuid, nullable=False),
)

# Members who are noted as hoarding.
hoarder = Table(
    "hoarder",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("wallet_id", Uuid, primary_key=True),
    Column("idle_since", Date, nullable=False),
    Column("flag_time", _Time, nullable=False),
)
