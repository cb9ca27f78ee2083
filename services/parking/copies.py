"""Copies that are missing: asked for once, outside of any transaction."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection
from typing import Any
from uuid import UUID

import grpc

from chassis import ids, rpc
from chassis.db import Database
from chassis.errors import RemoteError
from huitong.member.v1 import member_pb2, member_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from services.parking import store
from services.parking.convert import BEGINNING, car_park_row, tier_row
from services.parking.errors import MemberUnknown

_PAGE = 200
_ASKED_AT_ONCE = 8


class Copies:
    """Fetches what a request names and no event has told of yet. Raises Unavailable when its owner does not answer."""

    def __init__(
        self,
        database: Database,
        structure: org_pb2_grpc.StructureServiceStub,
        members: member_pb2_grpc.MemberServiceStub,
        tiers: member_pb2_grpc.TierServiceStub,
    ) -> None:
        self._db, self._structure, self._members, self._tiers = database, structure, members, tiers

    async def ensure_car_park(self, car_park_id: UUID, merchant_id: UUID | None = None) -> None:
        """Copy the group's structure unless the car park (and the merchant) is known."""
        who = rpc.caller()
        async with self._db.reading(who) as tx:
            if await store.find_car_park(tx, car_park_id) is not None and (
                merchant_id is None or await store.is_merchant(tx, merchant_id)
            ):
                return
        units = await self._list(self._structure.ListBusinessUnits, org_pb2.ListBusinessUnitsRequest(page_size=_PAGE))
        merchants = await self._list(self._structure.ListMerchants, org_pb2.ListMerchantsRequest(page_size=_PAGE))
        async with self._db.transaction(who) as tx:
            await store.save_car_parks(
                tx,
                [
                    car_park_row(who.group_id, unit)
                    for page in units
                    for unit in page.business_units
                    if unit.kind == org_pb2.UNIT_KIND_PARKING
                ],
            )
            await store.save_merchants(
                tx,
                [
                    (who.group_id, ids.from_edge("mch", one.merchant_id, "merchant_id"))
                    for page in merchants
                    for one in page.merchants
                ],
            )

    async def _list(self, method: Any, request: Any) -> list[Any]:
        pages = []
        while True:
            page = await rpc.call(method, request)
            pages.append(page)
            if not page.next_page_token:
                return pages
            request.page_token = page.next_page_token

    async def ensure_members(self, member_ids: Collection[UUID]) -> None:
        """Copy members and their tiers unless known. Whom member does not know either is left out."""
        async with self._db.reading(rpc.caller()) as tx:
            missing = set(member_ids) - await store.find_members(tx, member_ids)
        turn = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def fetch(member_id: UUID) -> None:
            async with turn:
                with contextlib.suppress(MemberUnknown):
                    await self._fetch_member(member_id)

        await asyncio.gather(*map(fetch, missing))

    async def _fetch_member(self, member_id: UUID) -> None:
        who = rpc.caller()
        member_edge = ids.to_edge("mbr", member_id)
        try:
            await rpc.call(self._members.GetMember, member_pb2.GetMemberRequest(member_id=member_edge))
            progress = await rpc.call(
                self._tiers.GetTierProgress, member_pb2.GetTierProgressRequest(member_id=member_edge)
            )
        except RemoteError as error:
            if error.code is grpc.StatusCode.NOT_FOUND:
                raise MemberUnknown(member_id=member_edge) from None
            raise
        async with self._db.transaction(who) as tx:
            await store.save_members(tx, [(who.group_id, member_id)])
            row = tier_row(who.group_id, member_id, progress.tier, BEGINNING)
            await store.save_tiers(tx, [row], overwrite=False)
