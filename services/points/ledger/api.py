"""RPCs of lots."""

from __future__ import annotations

from typing import Any

from chassis import ids, rpc
from chassis.db import Database
from huitong.points.v1 import lots_pb2, lots_pb2_grpc
from services.points.ledger.lots import lots_page
from services.points.lookup import Lookup
from services.points.merging.operations import Merges
from services.points.wallets.currencies import Currencies


class LotServicer(lots_pb2_grpc.LotServiceServicer):
    """Lots of points."""

    def __init__(self, database: Database, lookup: Lookup, currencies: Currencies, merges: Merges) -> None:
        self._db, self._lookup, self._currencies, self._merges = database, lookup, currencies, merges

    async def ListLots(self, request: lots_pb2.ListLotsRequest, context: Any) -> lots_pb2.ListLotsResponse:
        """Those of a member that still hold points."""
        group_id = rpc.caller().group_id
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        link = await self._lookup.require_member(group_id, member_id)
        member_id = link.survivor_id or member_id
        owners = [member_id, *(await self._merges.absorbed_by(member_id) if link.is_merged else ())]
        currency = await self._currencies.get(group_id, request.currency_id)
        offsets = {rule_set.version: rule_set.offset for rule_set in (await self._lookup.group(group_id)).rule_sets}
        async with self._db.reading(rpc.caller()) as tx:
            wallets = [currency.wallet_of(one) for one in owners]
            lots, token = await lots_page(tx, wallets, offsets, request.page_size, request.page_token)
        return lots_pb2.ListLotsResponse(lots=lots, next_page_token=token)
