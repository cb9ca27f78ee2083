"""Tables of profiles, consents, and erasures."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, LargeBinary, SmallInteger, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.tables import APPEND_ONLY
from services.member.tables import metadata

_Time = DateTime(timezone=True)

# `sealed` is the whole profile as one JSON text, encrypted.
member_profile = Table(
    "member_profile",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("birthday_change_count", Integer, nullable=False),
    Column("update_time", _Time, nullable=False),
)

# purpose and channel: as in huitong.member.v1.
consent_text = Table(
    "consent_text",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("purpose", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("save_time", _Time, nullable=False),
    info=APPEND_ONLY,
)

# Added to, never changed; an erasure takes the evidence away.
consent = Table(
    "consent",
    metadata,
    Column("consent_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("purpose", SmallInteger, nullable=False),
    Column("version", Text, nullable=False),
    Column("is_given", Boolean, nullable=False),
    Column("channel", SmallInteger, nullable=False),
    Column("sealed_evidence", LargeBinary),
    Column("recorded_by", Text, nullable=False),
    Column("record_time", _Time, nullable=False),
    Index("consent_by_member", "member_id", "record_time", "consent_id"),
)

# A group that never set them has no row.
privacy_settings = Table(
    "privacy_settings",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("erasure_wait_hours", Integer, nullable=False),
    Column("birthday_change_limit", Integer, nullable=False),
)

# state: as huitong.member.v1.ErasureState. `next_attempt_time` follows the server's own clock: until then nobody tries.
# blockers: a list of {service, reason, message, message_zh, metadata}.
erasure = Table(
    "erasure",
    metadata,
    Column("erasure_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("request_time", _Time, nullable=False),
    Column("due_time", _Time, nullable=False),
    Column("begin_time", _Time),
    Column("done_time", _Time),
    Column("confirmed_services", ARRAY(Text), nullable=False),
    Column("blockers", JSONB, nullable=False),
    Column("attempt_count", Integer, nullable=False),
    Column("next_attempt_time", _Time, nullable=False),
    # A member is erased once, and asks for it once at a time.
    Index("erasure_open", "member_id", unique=True, postgresql_where=text("state IN (1, 2, 3)")),
    Index("erasure_by_member", "member_id", "request_time"),
    Index("erasure_due", "next_attempt_time", postgresql_where=text("state IN (1, 2, 3)")),
)
