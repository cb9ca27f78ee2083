"""What notices of payment platforms are verified and opened with."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, LargeBinary, Table, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.points.metadata import metadata

notice_source = Table(
    "notice_source",
    metadata,
    Column("notice_source_id", Uuid, primary_key=True),  # made of group and merchant number
    Column("group_id", Uuid, nullable=False),
    Column("mch_id", Text, nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("platform_keys", JSONB, nullable=False),  # PEM by serial
    Column("update_time", DateTime(timezone=True), nullable=False),
    UniqueConstraint("group_id", "mch_id"),
)
