"""Copies of org's structure that are missing: asked for once, outside of any transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from chassis import rpc
from chassis.db import Database
from chassis.errors import AppError
from huitong.org.v1 import org_pb2, org_pb2_grpc
from services.settlement import store
from services.settlement.convert import merchant_row, unit_row

_PAGE = 200


class Copies:
    """Fetches the caller's group's structure when a request names a merchant that no event has told of yet."""

    def __init__(self, database: Database, structure: org_pb2_grpc.StructureServiceStub) -> None:
        self._db, self._structure = database, structure

    async def ensure_merchant(self, merchant_id: UUID) -> None:
        """Copy the group's structure unless the merchant is known. Raises Unavailable when org does not answer."""
        if not await self._is_known(merchant_id):
            await self._copy()

    def once(self) -> Callable[[UUID], Awaitable[None]]:
        """`ensure_merchant` for the lines of one batch: org is asked once, however many merchants are unknown."""
        outcome: list[AppError | None] = []

        async def ensure(merchant_id: UUID) -> None:
            if await self._is_known(merchant_id):
                return
            if not outcome:
                try:
                    await self._copy()
                    outcome.append(None)
                except AppError as error:
                    outcome.append(error)
            if outcome[0]:
                raise outcome[0]

        return ensure

    async def _is_known(self, merchant_id: UUID) -> bool:
        async with self._db.reading(rpc.caller()) as tx:
            return await store.find_merchant_currency(tx, merchant_id) is not None

    async def _copy(self) -> None:
        who = rpc.caller()
        units = await self._list(self._structure.ListBusinessUnits, org_pb2.ListBusinessUnitsRequest(page_size=_PAGE))
        merchants = await self._list(self._structure.ListMerchants, org_pb2.ListMerchantsRequest(page_size=_PAGE))
        async with self._db.transaction(who) as tx:
            await store.save_units(tx, [unit_row(who.group_id, unit) for page in units for unit in page.business_units])
            await store.save_merchants(
                tx, [merchant_row(who.group_id, one) for page in merchants for one in page.merchants]
            )

    async def _list(self, method: Any, request: Any) -> list[Any]:
        pages = []
        while True:
            page = await rpc.call(method, request)
            pages.append(page)
            if not page.next_page_token:
                return pages
            request.page_token = page.next_page_token
