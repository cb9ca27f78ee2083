"""From the outbox to JetStream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import asyncpg
import structlog
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from chassis.activity import Activity
from chassis.db import Database
from chassis.subjects import packs_of
from huitong.common.v1 import events_pb2

log = structlog.get_logger()

PACK_EVENTS = 100
ROUND_PACKS = 20
LEASE_SECONDS = 10
POLL_SECONDS = 1.0
PUBLISH_SECONDS = 5.0
# A first event goes at once; those that follow it closely share a round.
ROUND_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Positioned:
    """An event and where it stands in its lane, as text that the source understands."""

    position: str
    event: events_pb2.Event


class EventSource(Protocol):
    """Committed events of a service, by lane, in an order that never changes."""

    @property
    def lanes(self) -> Sequence[int]:
        """Numbers of the lanes."""

    async def read(
        self, connection: asyncpg.Connection, lane: int, after: str, limit: int, until: str | None = None
    ) -> list[Positioned]:
        """At most `limit` events behind position `after` ("" is the beginning), none behind `until`."""

    async def count_after(self, connection: asyncpg.Connection, lane: int, after: str) -> int:
        """How many events stand behind position `after`, also those that cannot be read yet."""


class OutboxSource:
    """The chassis' outbox. A sequence number is not a commit order: only rows below the snapshot's horizon are read,
    in (xid, id) order, so a transaction that commits late is never skipped."""

    def __init__(self, lane_count: int) -> None:
        self.lanes = range(lane_count)

    async def read(
        self, connection: asyncpg.Connection, lane: int, after: str, limit: int, until: str | None = None
    ) -> list[Positioned]:
        """See EventSource."""
        after_xid, after_id = _split(after)
        until_xid, until_id = _split(until) if until else ("18446744073709551615", 2**63 - 1)
        rows = await connection.fetch(_READ, lane, after_xid, after_id, until_xid, until_id, limit)
        return [Positioned(f"{row['xid']}:{row['id']}", _to_event(row)) for row in rows]

    async def count_after(self, connection: asyncpg.Connection, lane: int, after: str) -> int:
        """See EventSource."""
        after_xid, after_id = _split(after)
        return await connection.fetchval(_COUNT, lane, after_xid, after_id)


_READ = """SELECT xid::text AS xid, id, event_id, type, group_id, key, occur_time, traceparent, payload
    FROM outbox
    WHERE lane = $1 AND (xid, id) > ($2::text::xid8, $3::bigint) AND (xid, id) <= ($4::text::xid8, $5::bigint)
      AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY outbox.xid, outbox.id LIMIT $6"""
_COUNT = "SELECT count(*) FROM outbox WHERE lane = $1 AND (xid, id) > ($2::text::xid8, $3::bigint)"


def _split(position: str) -> tuple[str, int]:
    if not position:
        return "0", 0
    xid, _, number = position.partition(":")
    return xid, int(number)


def _to_event(row: asyncpg.Record) -> events_pb2.Event:
    event = events_pb2.Event(
        event_id=row["event_id"].bytes,
        type=row["type"],
        group_id=row["group_id"].bytes,
        key=row["key"],
        traceparent=row["traceparent"],
        payload=row["payload"],
    )
    event.occur_time.FromDatetime(row["occur_time"])
    return event


class JoinedSources:
    """Several sources as one: the lanes of the first come first, then those of the next."""

    def __init__(self, *sources: EventSource) -> None:
        self._lanes = [(source, lane) for source in sources for lane in source.lanes]
        self.lanes = range(len(self._lanes))

    async def read(
        self, connection: asyncpg.Connection, lane: int, after: str, limit: int, until: str | None = None
    ) -> list[Positioned]:
        """See EventSource."""
        source, own_lane = self._lanes[lane]
        return await source.read(connection, own_lane, after, limit, until)

    async def count_after(self, connection: asyncpg.Connection, lane: int, after: str) -> int:
        """See EventSource."""
        source, own_lane = self._lanes[lane]
        return await source.count_after(connection, own_lane, after)


class _Outcome(Enum):
    """What a round found."""

    IDLE = "nothing new, or another replica's lane"
    PUBLISHED = "there may be more"
    HELD_BACK = "there is more, behind the horizon of a transaction that is still open: look again soon"


class Relay:
    """Packs and publishes the events of one source, lane by lane. One replica at a time works on a lane."""

    def __init__(
        self,
        database: Database,
        source: EventSource,
        *,
        producer: str,
        stream: str,
        holder: str,
        activity: Activity,
    ) -> None:
        self._db, self.source, self._producer = database, source, producer
        self._stream, self._holder, self._activity = stream, holder, activity
        self._wake = {lane: asyncio.Event() for lane in source.lanes}

    def wake(self) -> None:
        """There may be new events: look now instead of at the next poll."""
        for event in self._wake.values():
            event.set()

    async def run(self, lane: int, jetstream: JetStreamContext) -> None:
        """Relay one lane for ever. Failures are waited out: the outbox keeps everything."""
        backoff_seconds = 0.1
        clock = asyncio.get_running_loop().time
        while True:
            self._wake[lane].clear()
            begun = clock()
            try:
                outcome = await self._round(lane, jetstream)
                backoff_seconds = 0.1
            except (NatsError, TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("relay_failed", producer=self._producer, lane=lane, error=repr(error))
                await asyncio.sleep(backoff_seconds)
                backoff_seconds = min(backoff_seconds * 2, 2.0)
                continue
            if outcome is not _Outcome.IDLE:
                self._activity.moved()
                await asyncio.sleep(max(0.0, begun + ROUND_SECONDS - clock()))
            else:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._wake[lane].wait()

    async def _round(self, lane: int, jetstream: JetStreamContext) -> _Outcome:
        """Pack what is new, publish what is packed."""
        async with self._db.pool.acquire() as connection:
            if not await self._has_work(connection, lane):
                return _Outcome.IDLE
            state = await connection.fetchrow(_TAKE_LANE, lane, self._holder, LEASE_SECONDS)
            if state is None:
                return _Outcome.IDLE
            packs: list[events_pb2.EventPack] = []
            if state["published_pack_no"] < state["pack_no"]:
                # An earlier round, maybe of another process, stored bounds and did not come to publish.
                first = state["published_pack_no"] + 1
                packs = await self.load_packs(connection, lane, first, min(state["pack_no"], first + ROUND_PACKS - 1))
            else:
                packs = await self._pack(connection, lane, state["pack_no"], state["position"])
            if not packs:
                return _Outcome.HELD_BACK
        await asyncio.gather(*(self._publish(jetstream, pack) for pack in packs))
        await self._db.pool.execute(
            "UPDATE relay_lane SET published_pack_no = greatest(published_pack_no, $2) WHERE lane = $1",
            lane,
            packs[-1].pack_no,
        )
        return _Outcome.PUBLISHED

    async def _has_work(self, connection: asyncpg.Connection, lane: int) -> bool:
        """Look before taking the lease, so that an idle lane writes nothing."""
        state = await connection.fetchrow(
            "SELECT pack_no, published_pack_no, position FROM relay_lane WHERE lane = $1", lane
        )
        if state is None or state["published_pack_no"] < state["pack_no"]:
            return True
        return await self.source.count_after(connection, lane, state["position"]) > 0

    async def _pack(
        self, connection: asyncpg.Connection, lane: int, pack_no: int, position: str
    ) -> list[events_pb2.EventPack]:
        rows = await self.source.read(connection, lane, position, PACK_EVENTS * ROUND_PACKS)
        chunks = [rows[start : start + PACK_EVENTS] for start in range(0, len(rows), PACK_EVENTS)]
        if not chunks:
            return []
        numbers = list(range(pack_no + 1, pack_no + 1 + len(chunks)))
        lasts = [chunk[-1].position for chunk in chunks]
        async with connection.transaction():
            moved = await connection.fetchval(
                """UPDATE relay_lane SET pack_no = $2, position = $3
                   WHERE lane = $1 AND pack_no = $4 AND holder = $5 RETURNING 1""",
                lane,
                numbers[-1],
                lasts[-1],
                pack_no,
                self._holder,
            )
            if not moved:
                return []  # another replica took the lane over
            await connection.execute(
                """INSERT INTO event_pack (lane, pack_no, after_position, last_position, event_count, create_time)
                   SELECT $1, p.pack_no, p.after_position, p.last_position, p.event_count, clock_timestamp()
                   FROM unnest($2::bigint[], $3::text[], $4::text[], $5::integer[])
                        AS p (pack_no, after_position, last_position, event_count)""",
                lane,
                numbers,
                [position, *lasts[:-1]],
                lasts,
                [len(chunk) for chunk in chunks],
            )
        return [self._build(lane, number, chunk) for number, chunk in zip(numbers, chunks, strict=True)]

    def _build(self, lane: int, pack_no: int, rows: Sequence[Positioned]) -> events_pb2.EventPack:
        return events_pb2.EventPack(
            producer=self._producer, lane=lane, pack_no=pack_no, events=[row.event for row in rows]
        )

    async def load_packs(
        self, connection: asyncpg.Connection, lane: int, first: int, last: int
    ) -> list[events_pb2.EventPack]:
        """Packs `first` to `last` again, the same to the byte as when they were published."""
        bounds = await connection.fetch(
            """SELECT pack_no, after_position, last_position, event_count FROM event_pack
               WHERE lane = $1 AND pack_no BETWEEN $2 AND $3 ORDER BY pack_no""",
            lane,
            first,
            last,
        )
        packs = []
        for row in bounds:
            events = await self.source.read(
                connection, lane, row["after_position"], row["event_count"], row["last_position"]
            )
            packs.append(self._build(lane, row["pack_no"], events))
        return packs

    async def _publish(self, jetstream: JetStreamContext, pack: events_pb2.EventPack) -> None:
        await jetstream.publish(
            packs_of(self._stream, pack.producer, str(pack.lane)),
            pack.SerializeToString(deterministic=True),
            timeout=PUBLISH_SECONDS,
            headers={
                "Nats-Msg-Id": f"{pack.producer}-{pack.lane}-{pack.pack_no}",
                "ce-specversion": "1.0",
                "ce-type": "huitong.common.v1.EventPack",
                "ce-source": f"huitong/{pack.producer}",
                "ce-id": f"{pack.producer}-{pack.lane}-{pack.pack_no}",
            },
        )


_TAKE_LANE = """INSERT INTO relay_lane AS r (lane, holder, held_until, pack_no, published_pack_no, position)
    VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3), 0, 0, '')
    ON CONFLICT (lane) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
      WHERE r.holder = excluded.holder OR r.held_until < clock_timestamp()
    RETURNING pack_no, published_pack_no, position"""
