"""Recurring work: post facts that waited, close months that are over."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog

from chassis.db import Database
from chassis.jobs import Rows
from chassis.rpc import internal_caller
from chassis.upstream import IsPast
from services.settlement import operations, statements
from services.settlement.rules import CLOSE_LAG

log = structlog.get_logger()
_NO_GROUP = UUID(int=0)
_CALLER = internal_caller("settlement", _NO_GROUP)


class Jobs:
    """The jobs of one settlement process. `is_past` says whether all producers' facts up to an instant are in."""

    def __init__(self, database: Database, is_past: IsPast) -> None:
        self._db, self._is_past = database, is_past

    async def post_waiting(self, business_now: datetime) -> None:
        """Post facts that came before what they refer to."""
        run = Rows("settlement.post-waiting")
        for group_id in await self._groups():
            with run.row(group_id=group_id):
                await self._post_waiting(group_id)
        run.end()

    async def close_periods(self, business_now: datetime) -> None:
        """Close, in order, every month that has been over for CLOSE_LAG everywhere and whose facts have arrived."""
        run = Rows("settlement.close-periods")
        for group_id in await self._groups():
            with run.row(group_id=group_id):
                await self._post_waiting(group_id)
                while await self._close_next(group_id, business_now):
                    pass
        run.end()

    async def _post_waiting(self, group_id: UUID) -> None:
        async with self._db.transaction(_CALLER) as tx:
            await operations.accrue(tx, group_id, [])

    async def _close_next(self, group_id: UUID, business_now: datetime) -> bool:
        async with self._db.reading(_CALLER) as tx:
            closable = await operations.find_closable(tx, group_id)
        if closable is None or closable[1] + CLOSE_LAG > business_now:
            return False
        month, end = closable
        if not await self._is_past(end):
            log.info("period_close_waits", group_id=str(group_id), period=month)
            return False
        async with self._db.transaction(_CALLER) as tx:
            return await operations.close_period(tx, group_id, month)

    async def _groups(self) -> list[UUID]:
        async with self._db.reading(_CALLER) as tx:
            return await statements.list_groups(tx)
