"""Tables of proofs and changes of a phone; the queries are in proofs/store.py."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, LargeBinary, SmallInteger, Table, Text, Uuid

from services.member.tables import metadata

_Time = DateTime(timezone=True)

# Proofs that were given, so that a retry gets the same one. The token is not here: it is signed anew. The fingerprint
# of what was shown is keyed. Times are real time.
proof = Table(
    "proof",
    metadata,
    Column("proof_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("session_id", Uuid, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("purpose", SmallInteger, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("expire_time", _Time, nullable=False),
    Index("proof_by_expiry", "expire_time"),
)

# That a member's phone was changed and by which request, never from or to which; the fingerprint is keyed.
phone_change = Table(
    "phone_change",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("change_time", _Time, nullable=False),
    Index("phone_change_by_time", "change_time"),
)
