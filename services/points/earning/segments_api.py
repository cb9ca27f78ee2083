"""RPCs about segments."""

from __future__ import annotations

from typing import Any

from chassis import ids, rpc
from chassis.db import Database, Tx
from huitong.points.v1 import segments_pb2, segments_pb2_grpc
from services.points.earning import segments


class SegmentServicer(segments_pb2_grpc.SegmentServiceServicer):
    """Segments of members."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def ChangeSegment(
        self, request: segments_pb2.ChangeSegmentRequest, context: Any
    ) -> segments_pb2.ChangeSegmentResponse:
        """Put members in, take members out."""

        async def change(tx: Tx) -> segments_pb2.ChangeSegmentResponse:
            return await segments.change_segment(tx, request)

        return await self._db.run_once(request, segments_pb2.ChangeSegmentResponse, change)

    async def ListMemberSegments(
        self, request: segments_pb2.ListMemberSegmentsRequest, context: Any
    ) -> segments_pb2.ListMemberSegmentsResponse:
        """What a member is in."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        async with self._db.reading(rpc.caller()) as tx:
            found = await segments.list_segments(tx, member_id)
        return segments_pb2.ListMemberSegmentsResponse(segments=found)
