"""ControlService: what the suite asks of every service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import grpc

from chassis.errors import AppError, InvalidArgument
from chassis.pages import decode_token, encode_token, page_size
from huitong.common.v1 import control_pb2, control_pb2_grpc, events_pb2

if TYPE_CHECKING:
    from chassis.run import App

MOST_PACKS = 50
WAIT_SECONDS = 0.1


class ClockNotSettable(AppError):
    """Business time cannot be told in production mode."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "CLOCK_NOT_SETTABLE"
    zh = "生产模式下不能设定业务时间。"


class ClockGoesBack(AppError):
    """Business time is {business_time} already and does not go back."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "CLOCK_GOES_BACK"
    zh = "业务时间已是 {business_time}，不能倒退。"


class ControlServicer(control_pb2_grpc.ControlServiceServicer):
    """Packs, progress, business time and parked events of one service."""

    def __init__(self, app: App) -> None:
        self._app, self._db = app, app.db

    async def ListPacks(
        self, request: control_pb2.ListPacksRequest, context: grpc.aio.ServicerContext
    ) -> control_pb2.ListPacksResponse:
        """Packs from the tables, at most MOST_PACKS."""
        last = min(request.last_pack_no, request.first_pack_no + MOST_PACKS - 1)
        async with self._db.pool.acquire() as connection:
            packs = await self._app.relay.load_packs(connection, request.lane, request.first_pack_no, last)
        return control_pb2.ListPacksResponse(packs=packs)

    async def GetProgress(
        self, request: control_pb2.GetProgressRequest, context: grpc.aio.ServicerContext
    ) -> control_pb2.GetProgressResponse:
        """Events made and taken, jobs done."""
        answer = control_pb2.GetProgressResponse(service=self._app.name)
        async with self._db.pool.acquire() as connection:
            answer.business_time.FromDatetime(await connection.fetchval(f"SELECT {self._db.now_sql}"))
            answer.produced.extend(await self._produced(connection))
            answer.consumed.extend(await self._consumed(connection))
            for row in await connection.fetch("SELECT job, done_until, last_error FROM job_state ORDER BY job"):
                job = answer.jobs.add(job=row["job"], last_error=row["last_error"])
                if row["done_until"]:
                    job.done_until.FromDatetime(row["done_until"])
            answer.parked_event_count = await connection.fetchval("SELECT count(*) FROM parked_event")
        return answer

    async def _produced(self, connection: asyncpg.Connection) -> list[control_pb2.Produced]:
        lanes = {row["lane"]: row for row in await connection.fetch(_LANES)}
        produced = []
        for lane in self._app.relay.source.lanes:
            state = lanes.get(lane)
            position = state["position"] if state else ""
            waiting = await self._app.relay.source.count_after(connection, lane, position)
            produced.append(
                control_pb2.Produced(
                    lane=lane,
                    pack_no=state["published_pack_no"] if state else 0,
                    waiting_event_count=waiting + (state["unpublished_count"] if state else 0),
                )
            )
        return produced

    async def _consumed(self, connection: asyncpg.Connection) -> list[control_pb2.Consumed]:
        listened_to = self._app.producers
        rows = await connection.fetch(
            "SELECT producer, lane, pack_no FROM watermark WHERE producer = ANY($1) ORDER BY 1, 2", listened_to
        )
        consumed = [control_pb2.Consumed(**dict(row)) for row in rows]
        seen = {row["producer"] for row in rows}
        return consumed + [
            control_pb2.Consumed(producer=name, lane=0, pack_no=0) for name in listened_to if name not in seen
        ]

    async def AwaitDrained(
        self, request: control_pb2.AwaitDrainedRequest, context: grpc.aio.ServicerContext
    ) -> control_pb2.AwaitDrainedResponse:
        """Wait for the given packs to be applied and for our own events to be published."""
        listened_to = set(self._app.producers)
        wanted = {(mark.producer, mark.lane): mark.pack_no for mark in request.applied if mark.producer in listened_to}
        while True:
            async with self._db.pool.acquire() as connection:
                marks = {(m.producer, m.lane): m.pack_no for m in await self._consumed(connection)} if wanted else {}
                if all(marks.get(lane, 0) >= pack_no for lane, pack_no in wanted.items()):
                    produced = await self._produced(connection)
                    if not any(lane.waiting_event_count for lane in produced):
                        return control_pb2.AwaitDrainedResponse(produced=produced)
            await self._app.activity.wait(WAIT_SECONDS)

    async def SetBusinessTime(
        self, request: control_pb2.SetBusinessTimeRequest, context: grpc.aio.ServicerContext
    ) -> control_pb2.SetBusinessTimeResponse:
        """Move business time forward, wake the jobs, and wait until they have done what is due."""
        if not self._app.settings.may_set_time:
            raise ClockNotSettable
        time = request.business_time.ToDatetime(tzinfo=UTC)
        hold_at = request.hold_at_time.ToDatetime(tzinfo=UTC) if request.HasField("hold_at_time") else None
        moved = await self._db.pool.fetchval(_SET_TIME, time, hold_at)
        if not moved:
            raise ClockGoesBack(business_time=(await self._db.now()).isoformat())
        jobs = [job.name for job in self._app.jobs]
        for job in self._app.jobs:
            job.wake()
        while await self._db.pool.fetchval(_JOBS_DONE, jobs, time) < len(jobs):
            await self._app.activity.wait(WAIT_SECONDS)
        answer = control_pb2.SetBusinessTimeResponse()
        answer.business_time.FromDatetime(time)
        return answer

    async def ListParkedEvents(
        self, request: control_pb2.ListParkedEventsRequest, context: grpc.aio.ServicerContext
    ) -> control_pb2.ListParkedEventsResponse:
        """Parked events, oldest first."""
        size = page_size(request.page_size)
        after_time, after_id = datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0)
        if request.page_token:
            time_text, id_text = decode_token(request.page_token, 2)
            after_time, after_id = datetime.fromisoformat(time_text), UUID(id_text)
        rows = await self._db.pool.fetch(
            """SELECT event_id, type, producer, lane, pack_no, reason, attempt_count, park_time FROM parked_event
               WHERE (park_time, event_id) > ($1, $2) ORDER BY park_time, event_id LIMIT $3""",
            after_time,
            after_id,
            size + 1,
        )
        answer = control_pb2.ListParkedEventsResponse()
        for row in rows[:size]:
            parked = answer.events.add(
                event_id=str(row["event_id"]),
                type=row["type"],
                producer=row["producer"],
                lane=row["lane"],
                pack_no=row["pack_no"],
                reason=row["reason"],
                attempt_count=row["attempt_count"],
            )
            parked.park_time.FromDatetime(row["park_time"])
        if len(rows) > size:
            answer.next_page_token = encode_token(rows[size - 1]["park_time"].isoformat(), rows[size - 1]["event_id"])
        return answer

    async def RetryParkedEvents(
        self, request: control_pb2.RetryParkedEventsRequest, context: grpc.aio.ServicerContext
    ) -> control_pb2.RetryParkedEventsResponse:
        """Apply parked events again, in the order in which they came."""
        try:
            wanted = [UUID(text) for text in request.event_ids]
        except ValueError:
            raise InvalidArgument([("event_ids", "must be event ids")]) from None
        rows = await self._db.pool.fetch(
            """SELECT event_id, producer, event FROM parked_event WHERE $1::uuid[] = '{}' OR event_id = ANY($1)
               ORDER BY producer, lane, pack_no, park_time LIMIT 1000""",
            wanted,
        )
        consumers = {consumer.producer: consumer for consumer in self._app.consumers}
        applied = 0
        for row in rows:
            try:
                await consumers[row["producer"]].retry(events_pb2.Event.FromString(row["event"]))
                applied += 1
            except Exception as error:
                await self._db.pool.execute(
                    "UPDATE parked_event SET attempt_count = attempt_count + 1, reason = $2 WHERE event_id = $1",
                    row["event_id"],
                    repr(error)[:1000],
                )
        return control_pb2.RetryParkedEventsResponse(applied_count=applied, still_parked_count=len(rows) - applied)


_LANES = """SELECT r.lane, r.published_pack_no, r.position,
        coalesce((SELECT sum(p.event_count)::bigint FROM event_pack AS p
                  WHERE p.lane = r.lane AND p.pack_no > r.published_pack_no), 0) AS unpublished_count
    FROM relay_lane AS r"""
_JOBS_DONE = "SELECT count(*) FROM job_state WHERE job = ANY($1) AND done_until >= $2"
_SET_TIME = """INSERT INTO business_clock AS c (id, business_time, set_time, hold_at_time)
    VALUES (1, $1, clock_timestamp(), $2)
    ON CONFLICT (id) DO UPDATE SET business_time = excluded.business_time, set_time = excluded.set_time,
        hold_at_time = excluded.hold_at_time
      WHERE excluded.business_time >= least(c.business_time + (clock_timestamp() - c.set_time), c.hold_at_time)
    RETURNING 1"""
