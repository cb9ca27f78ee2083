"""Tables of join risk; the queries are in services/member/risk/store.py."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, Table, Text, Uuid

from services.member.tables import metadata

_Time = DateTime(timezone=True)

# What may not join or log in: the keyed hashes that members are found by, and those of devices.
denied_identity = Table(
    "denied_identity",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value_index", LargeBinary, primary_key=True),
    Column("denial_id", Uuid, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("denied_by", Text, nullable=False),
    Column("create_time", _Time, nullable=False),
    Index("denied_identity_by_time", "group_id", "create_time", "denial_id"),
)

# Devices that members have joined or logged in on; several people may share one.
member_device = Table(
    "member_device",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("member_id", Uuid, primary_key=True),
    Column("device_index", LargeBinary, primary_key=True),
    Column("create_time", _Time, nullable=False),
)

risk_policy = Table(
    "risk_policy",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("joins_per_address_hour", Integer, nullable=False),
    Column("joins_per_device_day", Integer, nullable=False),
    Column("joins_per_terminal_hour", Integer, nullable=False),
    Column("spend_cool_down_hours", Integer, nullable=False),
    Column("spends_per_member_hour", Integer, nullable=False),
)
