"""RPCs of renewal and hoarding."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chassis import acts, ids, rpc
from chassis.db import Database
from chassis.errors import InvalidArgument
from chassis.pages import decode_token, encode_token, page_size
from huitong.points.v1 import retention_pb2, retention_pb2_grpc
from services.points.convert import to_date, to_timestamp
from services.points.retention.hoarding import list_hoarders
from services.points.retention.renewals import Renewals


class RetentionServicer(retention_pb2_grpc.RetentionServiceServicer):
    """Renewal of points, and members who do not spend theirs."""

    def __init__(self, database: Database, renewals: Renewals) -> None:
        self._db, self._renewals = database, renewals

    async def RenewPoints(
        self, request: retention_pb2.RenewPointsRequest, context: Any
    ) -> retention_pb2.RenewPointsResponse:
        """Give points a later expiry."""
        group_id = rpc.caller().group_id
        return await acts.noted(self._db, lambda: self._renewals.renew(group_id, request))

    async def ListHoardingMembers(
        self, request: retention_pb2.ListHoardingMembersRequest, context: Any
    ) -> retention_pb2.ListHoardingMembersResponse:
        """Who hoards."""
        after_id = _wallet_of(request.page_token) if request.page_token else UUID(int=0)
        size = page_size(request.page_size)
        async with self._db.reading(rpc.caller()) as tx:
            rows = await list_hoarders(tx, after_id=after_id, limit=size + 1)
        more, rows = len(rows) > size, rows[:size]
        return retention_pb2.ListHoardingMembersResponse(
            members=[
                retention_pb2.HoardingMember(
                    member_id=ids.to_edge("mbr", row["wallet_id"]),
                    available_points=row["available_points"],
                    idle_since=to_date(row["idle_since"]),
                    flag_time=to_timestamp(row["flag_time"]),
                )
                for row in rows
            ],
            next_page_token=encode_token(rows[-1]["wallet_id"]) if more else "",
        )


def _wallet_of(token: str) -> UUID:
    try:
        return UUID(str(decode_token(token, 1)[0]))
    except ValueError:
        raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None
