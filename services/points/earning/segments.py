"""Segments of members, as a copy: who is in which, and since when."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from chassis import ids
from chassis.db import Tx
from chassis.errors import InvalidArgument
from huitong.points.v1 import segments_pb2
from services.points.convert import to_timestamp
from services.points.errors import MemberUnknown
from services.points.ledger.batched import BatchedCalls

_SETTINGS = {"application_name": "huitong-points-segments", "statement_timeout": "10s"}
_AT = """SELECT i.ord, array_agg(s.segment ORDER BY s.segment) FILTER (WHERE s.segment IS NOT NULL) AS segments
    FROM unnest($1::uuid[], $2::timestamptz[]) WITH ORDINALITY AS i (member_id, at, ord)
    LEFT JOIN member_segment s ON s.member_id = i.member_id AND s.start_time <= i.at
      AND (s.end_time IS NULL OR s.end_time > i.at)
    GROUP BY i.ord"""


class Segments:
    """Reads segments over one connection, whatever has arrived in one call."""

    def __init__(self, url: str) -> None:
        self._calls = BatchedCalls(url, (_AT,), settings=_SETTINGS)
        self.open, self.close = self._calls.open, self._calls.close

    async def at(self, asked: Sequence[tuple[UUID, datetime]]) -> list[tuple[str, ...]]:
        """For each member and instant the segments, by name. Raises Overloaded, and Unavailable (ask again)."""
        rows = await self._calls.ask(_AT, asked) if asked else []
        return [tuple(row["segments"] or ()) for row in rows]


async def change_segment(tx: Tx, request: segments_pb2.ChangeSegmentRequest) -> segments_pb2.ChangeSegmentResponse:
    """Put members in and take members out, from now on. Raises MemberUnknown, InvalidArgument."""
    added = [ids.from_edge("mbr", text, "add_member_ids") for text in request.add_member_ids]
    removed = [ids.from_edge("mbr", text, "remove_member_ids") for text in request.remove_member_ids]
    if len({*added, *removed}) != len(added) + len(removed):
        raise InvalidArgument([("add_member_ids", "each member is named once")])
    await _lock_members(tx, sorted([*added, *removed]))
    parameters = {"group_id": tx.group_id, "segment": request.segment, "now": tx.now}
    put = await tx.execute(_ADD, {**parameters, "member_ids": sorted(added)})
    ended = await tx.execute(_REMOVE, {**parameters, "member_ids": sorted(removed)})
    return segments_pb2.ChangeSegmentResponse(
        added_count=len(put.all()), removed_count=len(ended.all()), change_time=to_timestamp(tx.now)
    )


async def list_segments(tx: Tx, member_id: UUID) -> list[segments_pb2.MemberSegment]:
    """The segments that a member is in now, by name. Raises MemberUnknown."""
    await _lock_members(tx, [member_id], lock="")
    rows = await tx.execute(_LIST, {"member_id": member_id})
    return [segments_pb2.MemberSegment(segment=row.segment, start_time=to_timestamp(row.start_time)) for row in rows]


# Two changes of one member follow each other.
_MEMBERS = """SELECT member_id FROM member WHERE group_id = :group_id AND member_id = ANY(CAST(:member_ids AS uuid[]))
    ORDER BY member_id"""
_ADD = text(
    """INSERT INTO member_segment AS s (member_id, segment, start_time, group_id, end_time)
       SELECT m, :segment, CAST(:now AS timestamptz), :group_id, NULL FROM unnest(CAST(:member_ids AS uuid[])) m
       WHERE NOT EXISTS (SELECT FROM member_segment o
                         WHERE o.member_id = m AND o.segment = :segment AND o.end_time IS NULL)
       ON CONFLICT (member_id, segment, start_time) DO UPDATE SET end_time = NULL RETURNING 1"""
)
_REMOVE = text(
    """UPDATE member_segment SET end_time = CAST(:now AS timestamptz)
       WHERE member_id = ANY(CAST(:member_ids AS uuid[])) AND segment = :segment AND group_id = :group_id
         AND end_time IS NULL RETURNING 1"""
)
_LIST = text(
    "SELECT segment, start_time FROM member_segment WHERE member_id = :member_id AND end_time IS NULL ORDER BY segment"
)


async def _lock_members(tx: Tx, member_ids: Collection[UUID], lock: str = "FOR UPDATE") -> None:
    rows = await tx.execute(text(f"{_MEMBERS} {lock}"), {"group_id": tx.group_id, "member_ids": list(member_ids)})
    missing = set(member_ids) - set(rows.scalars())
    if missing:
        raise MemberUnknown(member_id=ids.to_edge("mbr", min(missing)))
