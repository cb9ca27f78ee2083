"""RPCs of the cost governor."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from chassis import ids, rpc
from chassis.db import Database
from chassis.errors import InvalidArgument
from chassis.pages import decode_token, encode_token, page_size
from huitong.points.v1 import governor_pb2, governor_pb2_grpc
from services.points.governor import operations as governor
from services.points.lookup import Lookup


class CostGovernorServicer(governor_pb2_grpc.CostGovernorServiceServicer):
    """What points cost, and what was done about it."""

    def __init__(self, database: Database, lookup: Lookup) -> None:
        self._db, self._lookup = database, lookup

    async def ListUnitCosts(
        self, request: governor_pb2.ListUnitCostsRequest, context: Any
    ) -> governor_pb2.ListUnitCostsResponse:
        """Figures of the window, by unit."""
        unit_id = ids.optional_from_edge("unt", request.business_unit_id, "business_unit_id")
        data = await self._lookup.group(rpc.caller().group_id)
        async with self._db.reading(rpc.caller()) as tx:
            units = await governor.list_unit_costs(tx, data, unit_id)
            uncounted = await governor.count_uncounted(tx) if units else 0
        return governor_pb2.ListUnitCostsResponse(units=units, uncounted_event_count=uncounted)

    async def ListCostActions(
        self, request: governor_pb2.ListCostActionsRequest, context: Any
    ) -> governor_pb2.ListCostActionsResponse:
        """All actions, newest first."""
        limit = page_size(request.page_size)
        unit_id = ids.optional_from_edge("unt", request.business_unit_id, "business_unit_id")
        async with self._db.reading(rpc.caller()) as tx:
            found = await governor.list_actions(tx, unit_id=unit_id, before=_token(request.page_token), limit=limit + 1)
        response = governor_pb2.ListCostActionsResponse(actions=found[:limit])
        if len(found) > limit:
            last = found[limit - 1]
            response.next_page_token = encode_token(last.effective_time.ToJsonString(), last.cost.business_unit_id)
        return response


def _token(token: str) -> tuple[datetime, UUID] | None:
    if not token:
        return None
    effective_time, unit_id = decode_token(token, 2)
    try:
        return datetime.fromisoformat(effective_time), ids.from_edge("unt", unit_id, "page_token")
    except (ValueError, InvalidArgument):
        raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None
