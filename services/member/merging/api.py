"""MemberMergeService: proto → plain values → operation → proto."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from grpc.aio import ServicerContext as Context
from sqlalchemy import RowMapping

from chassis import pages
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.ids import derive, from_edge, to_edge
from chassis.rpc import caller
from huitong.member.v1 import merging_pb2, merging_pb2_grpc
from services.member import convert
from services.member.merging import operations, store
from services.member.rules import is_plain


class MemberMergeServicer(merging_pb2_grpc.MemberMergeServiceServicer):
    """Merges of members."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def MergeMembers(
        self, request: merging_pb2.MergeMembersRequest, context: Context
    ) -> merging_pb2.MergeMembersResponse:
        """See the proto."""
        _check(request.request_id, request.reason)
        survivor_id = from_edge("mbr", request.survivor_id, "survivor_id")
        absorbed_id = from_edge("mbr", request.absorbed_id, "absorbed_id")
        merge_id = derive("member-merge", caller().group_id, request.request_id)

        async def merge(tx: Tx) -> merging_pb2.MergeMembersResponse:
            row = await operations.merge_members(
                tx, merge_id=merge_id, survivor_id=survivor_id, absorbed_id=absorbed_id, reason=request.reason
            )
            return merging_pb2.MergeMembersResponse(merge=_message(row))

        await self._db.run_once(request, merging_pb2.MergeMembersResponse, merge)
        return merging_pb2.MergeMembersResponse(merge=await self._now(merge_id))

    async def UnmergeMembers(
        self, request: merging_pb2.UnmergeMembersRequest, context: Context
    ) -> merging_pb2.UnmergeMembersResponse:
        """See the proto."""
        _check(request.request_id, request.reason)
        merge_id = from_edge("mrg", request.merge_id, "merge_id")

        async def unmerge(tx: Tx) -> merging_pb2.UnmergeMembersResponse:
            before, row = await operations.unmerge_members(tx, merge_id=merge_id, reason=request.reason)
            tx.before = merging_pb2.UnmergeMembersResponse(merge=_message(before))
            return merging_pb2.UnmergeMembersResponse(merge=_message(row))

        await self._db.run_once(request, merging_pb2.UnmergeMembersResponse, unmerge)
        return merging_pb2.UnmergeMembersResponse(merge=await self._now(merge_id))

    async def GetMemberMerge(
        self, request: merging_pb2.GetMemberMergeRequest, context: Context
    ) -> merging_pb2.GetMemberMergeResponse:
        """See the proto."""
        return merging_pb2.GetMemberMergeResponse(merge=await self._now(from_edge("mrg", request.merge_id, "merge_id")))

    async def ListMemberMerges(
        self, request: merging_pb2.ListMemberMergesRequest, context: Context
    ) -> merging_pb2.ListMemberMergesResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        before = _place_of(request.page_token)
        member_id = convert.member_id_of(request.member_id) if request.member_id else None
        async with self._db.reading(caller()) as tx:
            rows = await store.list_merges(tx, member_id=member_id, before=before, limit=size + 1)
        response = merging_pb2.ListMemberMergesResponse(merges=[_message(row) for row in rows[:size]])
        if len(rows) > size:
            last = rows[size - 1]
            response.next_page_token = pages.encode_token(last["merge_time"].isoformat(), last["merge_id"].hex)
        return response

    async def _now(self, merge_id: UUID) -> merging_pb2.MemberMerge:
        async with self._db.reading(caller()) as tx:
            return _message(await operations.get_merge(tx, merge_id))


def _check(request_id: str, reason: str) -> None:
    problems = [
        (field, "has control characters")
        for field, text in (("request_id", request_id), ("reason", reason))
        if not is_plain(text)
    ]
    if problems:
        raise InvalidArgument(problems)


def _place_of(token: str) -> tuple[datetime, UUID] | None:
    if not token:
        return None
    merge_time, merge_id = pages.decode_token(token, 2)
    try:
        place = datetime.fromisoformat(merge_time), UUID(merge_id)
    except ValueError:
        place = None
    if place is None or place[0].tzinfo is None:
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    return place


def _message(row: RowMapping) -> merging_pb2.MemberMerge:
    message = merging_pb2.MemberMerge(
        merge_id=to_edge("mrg", row["merge_id"]),
        survivor_id=convert.member_edge(row["survivor_id"]),
        absorbed_id=convert.member_edge(row["absorbed_id"]),
        state=row["state"],
        reason=row["reason"],
        unmerge_reason=row["unmerge_reason"],
        merged_by=row["merged_by"],
        unmerged_by=row["unmerged_by"],
        waiting_for=row["waiting_for"],
        charged_points=row["charged_points"],
        uncharged_points=row["uncharged_points"],
    )
    for field in ("merge_time", "complete_time", "unmerge_time", "unmerge_complete_time"):
        if row[field] is not None:
            getattr(message, field).FromDatetime(row[field])
    return message
