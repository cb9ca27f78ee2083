"""Segments of members, as a copy: who is in which, and since when."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from chassis import ids
from chassis.db import Tx
from chassis.errors import InvalidArgument
from huitong.points.v1 import events_pb2, segments_pb2
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
    asked = [
        [ids.from_edge("mbr", text, field) for text in getattr(request, field)]
        for field in ("add_member_ids", "remove_member_ids")
    ]
    leaders = await _lock_members(tx, {*asked[0], *asked[1]})
    added, removed = ([leaders[member_id] for member_id in member_ids] for member_ids in asked)
    if len({*added, *removed}) != len(added) + len(removed):
        raise InvalidArgument([("add_member_ids", "each member is named once")])
    parameters = {"group_id": tx.group_id, "segment": request.segment, "now": tx.now}
    put = (await tx.execute(_ADD, {**parameters, "member_ids": sorted(added)})).scalars().all()
    ended = (await tx.execute(_REMOVE, {**parameters, "member_ids": sorted(removed)})).scalars().all()
    for member_id, entered, left in (
        *((member_id, [request.segment], []) for member_id in put),
        *((member_id, [], [request.segment]) for member_id in ended),
    ):
        edge = ids.to_edge("mbr", member_id)
        tx.emit(events_pb2.SegmentsChanged(member_id=edge, entered=entered, left=left), key=edge)
    return segments_pb2.ChangeSegmentResponse(
        added_count=len(put), removed_count=len(ended), change_time=to_timestamp(tx.now)
    )


async def list_segments(tx: Tx, member_id: UUID) -> list[segments_pb2.MemberSegment]:
    """The segments that a member is in now, by name. Raises MemberUnknown."""
    leaders = await _find_leaders(tx, [member_id])
    rows = await tx.execute(_LIST, {"member_id": leaders[member_id]})
    return [segments_pb2.MemberSegment(segment=row.segment, start_time=to_timestamp(row.start_time)) for row in rows]


_ADD = text(
    """INSERT INTO member_segment AS s (member_id, segment, start_time, group_id, end_time)
       SELECT m, :segment, CAST(:now AS timestamptz), :group_id, NULL FROM unnest(CAST(:member_ids AS uuid[])) m
       WHERE NOT EXISTS (SELECT FROM member_segment o
                         WHERE o.member_id = m AND o.segment = :segment AND o.end_time IS NULL)
       ON CONFLICT (member_id, segment, start_time) DO UPDATE SET end_time = NULL RETURNING member_id"""
)
# Who waited for another change of the member may have begun before it: then they were in it for no time.
_REMOVE = text(
    """UPDATE member_segment SET end_time = greatest(start_time, CAST(:now AS timestamptz))
       WHERE member_id = ANY(CAST(:member_ids AS uuid[])) AND segment = :segment AND group_id = :group_id
         AND end_time IS NULL RETURNING member_id"""
)
_LIST = text(
    "SELECT segment, start_time FROM member_segment WHERE member_id = :member_id AND end_time IS NULL ORDER BY segment"
)


async def _lock_members(tx: Tx, member_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """As _find_leaders, with them and their survivors locked: two changes of one member follow each other."""
    found = await _find_leaders(tx, member_ids, lock="FOR UPDATE")
    survivors = set(found.values()) - found.keys()
    return found | (await _find_leaders(tx, survivors, lock="FOR UPDATE") if survivors else {})


async def _find_leaders(tx: Tx, member_ids: Collection[UUID], lock: str = "") -> dict[UUID, UUID]:
    """Each of these members with whom it leads to: its survivor, or itself. Raises MemberUnknown."""
    rows = await tx.execute(text(f"{_LEADERS} {lock}"), {"group_id": tx.group_id, "member_ids": list(member_ids)})
    found = {row.member_id: row.leader_id for row in rows}
    if missing := set(member_ids) - found.keys():
        raise MemberUnknown(member_id=ids.to_edge("mbr", min(missing)))
    return found


_LEADERS = """SELECT member_id, coalesce(survivor_id, member_id) AS leader_id FROM member
    WHERE group_id = :group_id AND member_id = ANY(CAST(:member_ids AS uuid[])) ORDER BY member_id"""
