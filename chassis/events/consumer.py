"""From JetStream into this service's tables: each event once, in the order of its lane."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog
from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from sqlalchemy import text

from chassis.activity import Activity
from chassis.db import Database, Tx
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from chassis.rpc import is_connection_loss
from chassis.subjects import durable, packs_of
from huitong.common.v1 import events_pb2

log = structlog.get_logger()
M = TypeVar("M", bound=Message)

FETCH_PACKS = 32
FETCH_SECONDS = 2.0
TAKE_ALONG_SECONDS = 0.005
IDLE_CHECK_SECONDS = 5.0
ATTEMPTS = 3
_NO_GROUP = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Fact(Generic[M]):
    """An event with its payload decoded."""

    event_id: UUID
    group_id: UUID
    key: str
    occur_time: datetime
    payload: M


Handler = Callable[[Tx, Sequence[Fact[Any]]], Awaitable[None]]
# Asks a producer for packs first..last of a lane.
PackLoader = Callable[[int, int, int], Awaitable[Sequence[events_pb2.EventPack]]]
# Asks a producer for the newest pack number of each lane.
HeadReader = Callable[[], Awaitable[Mapping[int, int]]]


class Consumer:
    """Applies what one producer publishes. Handlers get runs of their events, in the transaction that moves the
    watermark. An event that keeps failing is parked with its reason; the stream goes on.

    With `needed`, it listens only from when that first says yes (or `listen` is called), and lets pass what was
    published before; it is asked every few seconds. Events are not carried to a service that would drop them all.
    """

    def __init__(
        self,
        database: Database,
        *,
        service: str,
        producer: str,
        stream: str,
        handlers: Mapping[type[Message], Handler],
        load_packs: PackLoader,
        read_heads: HeadReader,
        activity: Activity,
        needed: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._db, self.service, self.producer, self._stream = database, service, producer, stream
        self._handlers = {message.DESCRIPTOR.full_name: (message, handler) for message, handler in handlers.items()}
        self._load_packs, self._read_heads, self._activity = load_packs, read_heads, activity
        self._caller = Caller(CallerKind.INTERNAL, service, _NO_GROUP)
        self._needed, self._listen = needed, asyncio.Event()
        if needed is None:
            self._listen.set()

    @property
    def is_listening(self) -> bool:
        """Whether what the producer publishes is applied."""
        return self._listen.is_set()

    async def listen(self) -> None:
        """The events are needed from now on; those that were published before still pass."""
        if not self.is_listening:
            await self._skip(await self._heads())
            self._listen.set()

    async def run(self, jetstream: JetStreamContext) -> None:
        """Consume for ever, over losses of NATS, of the database and of the producer."""
        subscription = None
        idle_since = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            try:
                if not self.is_listening:
                    await self._let_pass()
                    continue
                if subscription is None:
                    subscription = await self._subscribe(jetstream)
                messages = await _fetch(subscription)
                if messages:
                    await self.take([events_pb2.EventPack.FromString(message.data) for message in messages])
                    for message in messages:
                        await message.ack()
                    idle_since = clock()
                elif clock() - idle_since > IDLE_CHECK_SECONDS:
                    await self._catch_up()
                    idle_since = clock()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                expected = isinstance(error, NatsError | AppError | TimeoutError) or is_connection_loss(error)
                log.warning(
                    "consumer_failed",
                    service=self.service,
                    producer=self.producer,
                    error=repr(error),
                    exc_info=None if expected else error,
                )
                subscription = None
                await asyncio.sleep(0.5)

    async def _subscribe(self, jetstream: JetStreamContext) -> JetStreamContext.PullSubscription:
        since = DeliverPolicy.ALL if self._needed is None else DeliverPolicy.NEW
        subscription = await jetstream.pull_subscribe(
            packs_of(self._stream, self.producer),
            durable=durable(self.service, self.producer),
            stream=self._stream,
            config=ConsumerConfig(
                ack_policy=AckPolicy.EXPLICIT, ack_wait=30, max_ack_pending=1000, deliver_policy=since
            ),
        )
        if self._needed is not None:
            await self._catch_up()  # what was published since it last let pass
        return subscription

    async def _let_pass(self) -> None:
        """Until somebody needs them, count the events of the producer as applied, a few seconds at a time."""
        heads = await self._heads()
        # Asked after the heads were read: all that they count was published while nobody needed it.
        if self._needed is None or await self._needed():
            self._listen.set()
            return
        await self._skip(heads)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_CHECK_SECONDS):
                await self._listen.wait()

    async def _heads(self) -> Mapping[int, int]:
        try:
            return await self._read_heads()
        except AppError:  # it does not run yet
            return {}

    async def _skip(self, heads: Mapping[int, int]) -> None:
        marks = await self.watermarks()
        for lane, head in heads.items():
            if head > marks.get(lane, 0):
                async with self._db.transaction(self._caller) as tx:
                    if head > await self._lock_watermark(tx, lane):
                        await self._move_watermark(tx, lane, head)

    async def _catch_up(self) -> None:
        """Fetch from the producer itself what never came: NATS may lose what it acknowledged."""
        heads = await self._read_heads()
        marks = await self.watermarks()
        for lane, head in heads.items():
            mark = marks.get(lane, 0)
            if head > mark:
                await self._fill(lane, mark + 1, head)

    async def watermarks(self) -> dict[int, int]:
        """Last pack applied, by lane."""
        rows = await self._db.pool.fetch("SELECT lane, pack_no FROM watermark WHERE producer = $1", self.producer)
        return {row["lane"]: row["pack_no"] for row in rows}

    async def take(self, packs: Iterable[events_pb2.EventPack]) -> None:
        """Apply packs of any lanes: duplicates are skipped, gaps are filled from the producer first."""
        by_lane: dict[int, dict[int, events_pb2.EventPack]] = {}
        for pack in packs:
            by_lane.setdefault(pack.lane, {})[pack.pack_no] = pack
        for lane, numbered in by_lane.items():
            waiting = [numbered[number] for number in sorted(numbered)]
            while waiting:
                gap = await self._apply_run(lane, waiting)
                if gap is None:
                    break
                log.warning("pack_gap", producer=self.producer, lane=lane, first=gap[0], last=gap[1])
                await self._fill(lane, *gap)

    async def _fill(self, lane: int, first: int, last: int) -> None:
        while first <= last:
            packs = await self._load_packs(lane, first, last)
            if not packs:
                raise LookupError(f"{self.producer} has no pack {first} of lane {lane}")
            await self._apply_run(lane, packs)
            first = packs[-1].pack_no + 1

    async def _apply_run(self, lane: int, packs: Sequence[events_pb2.EventPack]) -> tuple[int, int] | None:
        """Apply what continues the watermark, all in one transaction; answers the gap that stopped it, if any."""
        try:
            return await self._apply(lane, packs)
        finally:
            self._activity.moved()

    async def _apply(self, lane: int, packs: Sequence[events_pb2.EventPack]) -> tuple[int, int] | None:
        try:
            return await self._apply_together(lane, packs)
        except Exception as error:
            if is_connection_loss(error):
                raise
            log.warning("packs_failed", producer=self.producer, lane=lane, error=repr(error))
        # One pack after the other, so that only the failing one pays for it.
        for pack in packs:
            gap = await self._apply_patiently(lane, pack)
            if gap is not None:
                return gap
        return None

    async def _apply_together(self, lane: int, packs: Sequence[events_pb2.EventPack]) -> tuple[int, int] | None:
        async with self._db.transaction(self._caller) as tx:
            mark = await self._lock_watermark(tx, lane)
            todo: list[events_pb2.EventPack] = []
            gap = None
            for pack in packs:
                expected = mark + len(todo) + 1
                if pack.pack_no > expected:
                    gap = (expected, pack.pack_no - 1)
                    break
                if pack.pack_no == expected:
                    todo.append(pack)
            if todo:
                await self._apply_events(tx, [event for pack in todo for event in pack.events])
                await self._move_watermark(tx, lane, todo[-1].pack_no)
            return gap

    async def _apply_patiently(self, lane: int, pack: events_pb2.EventPack) -> tuple[int, int] | None:
        for attempt in range(ATTEMPTS):
            try:
                return await self._apply_together(lane, [pack])
            except Exception as error:
                if is_connection_loss(error):
                    raise
                log.warning("pack_failed", producer=self.producer, lane=lane, pack_no=pack.pack_no, error=repr(error))
                await asyncio.sleep(0.05 * 2**attempt)
        async with self._db.transaction(self._caller) as tx:
            mark = await self._lock_watermark(tx, lane)
            if pack.pack_no != mark + 1:
                return None if pack.pack_no <= mark else (mark + 1, pack.pack_no - 1)
            for event in pack.events:
                await self._apply_or_park(tx, pack, event)
            await self._move_watermark(tx, lane, pack.pack_no)
        return None

    async def _apply_or_park(self, tx: Tx, pack: events_pb2.EventPack, event: events_pb2.Event) -> None:
        try:
            async with tx.nested():
                await self._apply_events(tx, [event])
        except Exception as error:
            if is_connection_loss(error):
                raise
            log.error("event_parked", producer=self.producer, type=event.type, reason=repr(error), exc_info=error)
            await tx.execute(
                _PARK,
                {
                    "event_id": UUID(bytes=event.event_id),
                    "producer": self.producer,
                    "lane": pack.lane,
                    "pack_no": pack.pack_no,
                    "type": event.type,
                    "event": event.SerializeToString(),
                    "reason": repr(error)[:1000],
                    "attempt_count": ATTEMPTS + 1,
                },
            )

    async def _apply_events(self, tx: Tx, events: Sequence[events_pb2.Event]) -> None:
        wanted = [event for event in events if event.type in self._handlers]
        # A handler that is registered for several types gets them mixed, in their order: its runs are longer so.
        for handler, run in groupby(wanted, key=lambda event: self._handlers[event.type][1]):
            await handler(tx, [_to_fact(event, self._handlers[event.type][0]) for event in run])

    async def retry(self, event: events_pb2.Event) -> None:
        """Apply one parked event. Raises what its handler raises."""
        async with self._db.transaction(self._caller) as tx:
            await self._apply_events(tx, [event])
            await tx.execute(text("DELETE FROM parked_event WHERE event_id = :id"), {"id": UUID(bytes=event.event_id)})

    async def _lock_watermark(self, tx: Tx, lane: int) -> int:
        parameters = {"producer": self.producer, "lane": lane}
        mark = (await tx.execute(_LOCK_MARK, parameters)).scalar_one_or_none()
        if mark is None:
            await tx.execute(_FIRST_MARK, parameters)
            mark = (await tx.execute(_LOCK_MARK, parameters)).scalar_one()
        return int(mark)

    async def _move_watermark(self, tx: Tx, lane: int, pack_no: int) -> None:
        await tx.execute(_MOVE_MARK, {"producer": self.producer, "lane": lane, "pack_no": pack_no})


async def _fetch(subscription: JetStreamContext.PullSubscription) -> list[Msg]:
    """The packs that are there, or the next one to come; empty when none came for FETCH_SECONDS.

    Asking for many at once would wait until so many had come: so one is waited for, and the rest taken along.
    """
    messages: list[Msg] = []
    with contextlib.suppress(TimeoutError):
        messages = await subscription.fetch(1, timeout=FETCH_SECONDS)
    if messages:
        with contextlib.suppress(TimeoutError):
            messages += await subscription.fetch(FETCH_PACKS - 1, timeout=TAKE_ALONG_SECONDS)
    return messages


def _to_fact(event: events_pb2.Event, message: type[Message]) -> Fact[Any]:
    try:
        payload = message.FromString(event.payload)
    except DecodeError as error:
        raise ValueError(f"payload is not a {event.type}") from error
    return Fact(
        event_id=UUID(bytes=event.event_id),
        group_id=UUID(bytes=event.group_id),
        key=event.key,
        occur_time=event.occur_time.ToDatetime(tzinfo=UTC),
        payload=payload,
    )


_LOCK_MARK = text("SELECT pack_no FROM watermark WHERE producer = :producer AND lane = :lane FOR UPDATE")
_FIRST_MARK = text(
    "INSERT INTO watermark (producer, lane, pack_no) VALUES (:producer, :lane, 0) ON CONFLICT DO NOTHING"
)
_MOVE_MARK = text("UPDATE watermark SET pack_no = :pack_no WHERE producer = :producer AND lane = :lane")
_PARK = text(
    """INSERT INTO parked_event (event_id, producer, lane, pack_no, type, event, reason, attempt_count, park_time)
       VALUES (:event_id, :producer, :lane, :pack_no, :type, :event, :reason, :attempt_count, clock_timestamp())
       ON CONFLICT (event_id) DO NOTHING"""
)
