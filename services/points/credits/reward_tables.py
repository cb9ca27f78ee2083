"""Rewards beside sales: what was decided, before the ledger moves anything."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, Table, Text, Uuid

from services.points.metadata import metadata

_Time = DateTime(timezone=True)

reward = Table(
    "reward",
    metadata,
    Column("reward_id", Uuid, primary_key=True),  # also the transaction's id
    Column("group_id", Uuid, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("merchant_id", Uuid, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("create_time", _Time, nullable=False),
    Column("points_expire_time", _Time, nullable=False),
    Index("reward_by_member", "member_id", "create_time"),
)
