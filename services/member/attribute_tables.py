"""Tables of attributes and tags; the queries are in services/member/attributes/store.py."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, LargeBinary, SmallInteger, Table, Text, Uuid

from services.member.tables import metadata

_Time = DateTime(timezone=True)

attribute_definition = Table(
    "attribute_definition",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("type", SmallInteger, nullable=False),  # as huitong.member.v1.AttributeType
    Column("content", LargeBinary, nullable=False),  # AttributeDefinition
)

# Values are sealed: whatever a group notes of a person may be personal.
member_attribute = Table(
    "member_attribute",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("sealed_value", LargeBinary, nullable=False),
    Column("source", SmallInteger, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_time", _Time, nullable=False),
)

member_tag = Table(
    "member_tag",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("member_id", Uuid, primary_key=True),
    Column("source", SmallInteger, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("add_time", _Time, nullable=False),
    Index("member_tag_by_member", "member_id", "tag"),
)
