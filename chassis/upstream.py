"""Whether everything that other services did before an instant has arrived here: what a close waits for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import structlog

from chassis import rpc
from chassis.db import Database
from chassis.errors import AppError
from huitong.common.v1 import control_pb2, control_pb2_grpc

log = structlog.get_logger()

# Whether everything that happened before an instant has arrived here.
IsPast = Callable[[datetime], Awaitable[bool]]


class Upstream:
    """The services whose facts a close waits for: each of them has passed the end of what is closed with its clock and
    its jobs (expiry runs at a day's close), has published everything, and all of it has been applied here. So what is
    closed does not depend on how fast events travel; a producer that is down holds the close back."""

    def __init__(self, database: Database, controls: Mapping[str, control_pb2_grpc.ControlServiceStub]) -> None:
        self._db, self._controls = database, controls

    async def is_past(self, time: datetime) -> bool:
        """Whether every producer is past `time` and all that it had published is applied here."""
        for producer, control in self._controls.items():
            try:
                progress = await rpc.call(control.GetProgress, control_pb2.GetProgressRequest(), group_id=rpc.NO_GROUP)
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
