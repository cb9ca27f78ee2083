"""Recurring work: post facts that waited, close months that are over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from uuid import UUID

import structlog

from chassis import rpc
from chassis.db import Database
from chassis.errors import AppError
from chassis.rpc import internal_caller
from huitong.common.v1 import control_pb2, control_pb2_grpc
from services.settlement import operations, statements
from services.settlement.rules import CLOSE_LAG

log = structlog.get_logger()
_NO_GROUP = UUID(int=0)
_CALLER = internal_caller("settlement", _NO_GROUP)

# Whether everything that happened before an instant has arrived here.
IsPast = Callable[[datetime], Awaitable[bool]]


class Jobs:
    """The jobs of one settlement process. `is_past` says whether all producers' facts up to an instant are in."""

    def __init__(self, database: Database, is_past: IsPast) -> None:
        self._db, self._is_past = database, is_past

    async def post_waiting(self, business_now: datetime) -> None:
        """Post facts that came before what they refer to."""
        for group_id in await self._groups():
            async with self._db.transaction(_CALLER) as tx:
                await operations.accrue(tx, group_id, [])

    async def close_periods(self, business_now: datetime) -> None:
        """Close, in order, every month that has been over for CLOSE_LAG everywhere and whose facts have arrived."""
        await self.post_waiting(business_now)
        for group_id in await self._groups():
            while await self._close_next(group_id, business_now):
                pass

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


class Upstream:
    """The services whose facts are accrued. A month is closed only when each of them has passed its end with its clock
    and its jobs (expiry runs at a day's close), has published everything, and all of it has been applied here. So the
    figures of a month do not depend on how fast events travel; a producer that is down holds the close back."""

    def __init__(self, database: Database, controls: Mapping[str, control_pb2_grpc.ControlServiceStub]) -> None:
        self._db, self._controls = database, controls

    async def is_past(self, time: datetime) -> bool:
        """Whether every producer is past `time` and all that it had published is applied here."""
        for producer, control in self._controls.items():
            try:
                progress = await rpc.call(control.GetProgress, control_pb2.GetProgressRequest(), group_id=_NO_GROUP)
            except AppError as error:
                log.warning("producer_silent", producer=producer, reason=error.reason)
                return False
            if not has_passed(progress, time) or not has_applied(progress, await self._watermarks(producer)):
                return False
        return True

    async def _watermarks(self, producer: str) -> dict[int, int]:
        rows = await self._db.pool.fetch("SELECT lane, pack_no FROM watermark WHERE producer = $1", producer)
        return {row["lane"]: row["pack_no"] for row in rows}


def has_passed(progress: control_pb2.GetProgressResponse, time: datetime) -> bool:
    """Whether a producer's clock and all its jobs are at or beyond `time`."""
    times = [progress.business_time, *(job.done_until for job in progress.jobs)]
    return all(one.ToDatetime(tzinfo=UTC) >= time for one in times)


def has_applied(progress: control_pb2.GetProgressResponse, watermarks: Mapping[int, int]) -> bool:
    """Whether a producer has nothing unpublished and every pack of it was applied."""
    return all(
        produced.waiting_event_count == 0 and watermarks.get(produced.lane, 0) >= produced.pack_no
        for produced in progress.produced
    )
