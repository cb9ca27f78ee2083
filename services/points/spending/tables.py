"""Limits of spending, a copy of what member's risk policy says."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Uuid

from services.points.metadata import metadata

spend_policy = Table(
    "spend_policy",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("cool_down_hours", Integer, nullable=False),  # after joining; 0 is none
    Column("spends_per_hour", Integer, nullable=False),  # of one member; 0 is any number
)
