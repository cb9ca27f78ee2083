"""The ledger's lanes: what arrives is applied in batches, one array call and one commit each.

A lane has no timer. It takes what has arrived (at most BATCH_ITEMS), sends it, and meanwhile the next batch collects.
Correctness never depends on which process runs a lane: the SQL locks the lane's row and the wallets' first.

Outcomes are rows, never exceptions. When a call does raise, a definite error splits the batch until the culprit stands
alone; anything else means "unknown outcome": the connection is dropped and the same items, whose ids are permanent, are
sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import structlog

from chassis.errors import AppError, DeadlineExceeded, Internal, Overloaded, Unavailable
from services.points.errors import PointsOutOfBounds

log = structlog.get_logger()

BATCH_ITEMS = 256
WAITING_ITEMS = 20_000
CALL_SECONDS = 15.0
CONNECT_SECONDS = 5.0
# Plans are kept, and one made for a table of ten rows may not suit one of ten million: they are made anew soon after
# connecting, then less and less often.
FIRST_REPLAN_SECONDS, LAST_REPLAN_SECONDS = 0.5, 60.0
# Every access of the ledger is by key, so other ways are switched off for its connections: none of them may be chosen
# while a table is small and kept while it grows.
LEDGER_SETTINGS = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "synchronous_commit": "on",
    "lock_timeout": "10s",
    "statement_timeout": "20s",
}


# For Item.limit_points: what the sale's own lot does not give is written off.
OWN_LOT_ONLY = -1


class Kind(enum.IntEnum):
    """What an item asks for; as in ledger/sql/60_apply.sql."""

    EARN = 1
    CLAW_BACK = 2
    REDEEM = 3
    REVERSE = 4
    EXPIRE = 5
    HOLD = 6
    CAPTURE = 7
    RELEASE = 8
    ACTIVATE = 9
    CREDIT = 10
    DEBIT = 11
    TRANSFER_OUT = 12
    TRANSFER_IN = 13
    RENEW = 14
    UNLOCK = 16
    FUND = 20
    CONVERT_OUT = 21
    REFUND_FUNDING = 22
    AWARD = 23
    AWARD_RETURN = 24
    MERGE_OUT = 100
    MERGE_IN = 101


class Status(enum.IntEnum):
    """What became of it; as in ledger/sql/60_apply.sql."""

    APPLIED = 1
    REPLAY = 2
    CONFLICT = 3
    UNKNOWN_WALLET = 4
    INSUFFICIENT = 5
    STALE = 6
    HOLD_RELEASED = 7
    HOLD_UNKNOWN = 8
    HOLD_CAPTURED = 9
    CAPTURE_EXCEEDS_HOLD = 10
    REDEMPTION_UNKNOWN = 11
    REVERSAL_EXCEEDS = 12
    NOTHING = 13
    SALE_UNKNOWN = 14
    TRANSFER_LIMIT = 15
    BALANCE_LIMIT = 25
    CONVERSION_LIMIT = 26
    POOL_LIMIT = 27


_STATUSES = {int(status): status for status in Status}


@dataclass(slots=True)
class Item:
    """One movement asked for. `txn_id` is derived from its natural key, so that sending it again changes nothing."""

    kind: Kind
    wallet_id: UUID
    group_id: UUID
    txn_id: UUID
    request_hash: bytes
    points: int
    occur_time: datetime
    merchant_id: UUID | None = None
    store_id: UUID | None = None
    ref_id: UUID | None = None
    expire_time: datetime | None = None
    amount_minor: int = 0
    expected: int = 0
    reference: str = ""
    detail: bytes | None = None
    explanation: bytes | None = None
    payload: bytes | None = None
    unlock_time: datetime | None = None  # an earn's: pending until then; a renewal's: for what expires before it
    limit_points: int | None = None  # a claw-back's: the most that the member may owe, or OWN_LOT_ONLY


class Outcome(NamedTuple):
    """What became of an item. Replays carry the first answer; `detail` and `explanation` are set on replays only."""

    status: Status
    points: int = 0
    debt_points: int = 0
    available_points: int = 0
    expire_time: datetime | None = None
    detail: bytes | None = None
    explanation: bytes | None = None


class _Call:
    """Items that one caller waits for together."""

    __slots__ = ("answers", "future", "left")

    def __init__(self, count: int) -> None:
        self.answers: list[Outcome | AppError] = [Internal()] * count
        self.left = count
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def answer(self, position: int, answer: Outcome | AppError) -> None:
        self.answers[position] = answer
        self.left -= 1
        if self.left == 0 and not self.future.done():
            self.future.set_result(None)


@dataclass(slots=True)
class _Waiting:
    item: Item
    call: _Call
    position: int
    deadline: float
    attempts: int = 0


class Lane:
    """One lane: a queue, a connection, and at most one batch under way."""

    def __init__(
        self,
        lane: int,
        url: str,
        *,
        now_sql: str = "clock_timestamp()",
        suffix: str = "",
        after_batch: Callable[[], None] = lambda: None,
    ) -> None:
        """`now_sql` is business time as SQL. `after_batch` runs after each commit."""
        self.lane, self._url, self._after_batch = lane, url, after_batch
        arrays = ", ".join(f"${number}" for number in range(2, 21))
        self._statement_text = f"SELECT * FROM ledger_apply{suffix}($1, {now_sql}, {arrays})"
        # One queue a merchant, taken from in turn: a bulk upload does not starve the tills of others.
        self._queues: dict[UUID | None, deque[_Waiting]] = {}
        self._waiting_count = 0
        self._arrived = asyncio.Event()
        self._connection: asyncpg.Connection | None = None
        self._statement: Any = None
        self._replan_at = self._replan_seconds = 0.0
        self._task: asyncio.Task[None] | None = None
        self.batch_sizes: list[int] = []

    async def open(self) -> None:
        """Connect, and prepare the call: the driver looks types up once, before the first sale."""
        await self._connect()
        self._task = asyncio.create_task(self._run(), name=f"ledger-lane-{self.lane}")

    async def close(self) -> None:
        """Finish the batch under way; what still waits is answered Unavailable."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        for queue in self._queues.values():
            for waiting in queue:
                waiting.call.answer(waiting.position, Unavailable())
        self._queues.clear()
        self._waiting_count = 0
        self._drop_connection()

    @property
    def waiting_count(self) -> int:
        """Items that are not under way yet."""
        return self._waiting_count

    def put(self, waiting: Iterable[_Waiting], count: int) -> None:
        """Queue items that a caller waits for together.

        Raises Overloaded, and queues none of them, when there is no room for twice their number: uploads are refused
        while there still is some for tills.
        """
        if self._waiting_count + 2 * count > WAITING_ITEMS:
            raise Overloaded
        self._queue(waiting, count)

    def _queue(self, waiting: Iterable[_Waiting], count: int) -> None:
        for one in waiting:
            key = one.item.merchant_id
            queue = self._queues.get(key)
            if queue is None:
                queue = self._queues[key] = deque()
            queue.append(one)
        self._waiting_count += count
        self._arrived.set()

    def _take(self) -> list[_Waiting]:
        """The next batch: from the waiting merchants in turn, each transaction at most once, none past its deadline."""
        now = asyncio.get_running_loop().time()
        batch: list[_Waiting] = []
        taken: set[tuple[UUID, UUID]] = set()
        again: list[_Waiting] = []
        while self._queues and len(batch) < BATCH_ITEMS:
            share = max(1, (BATCH_ITEMS - len(batch)) // len(self._queues))
            for key in list(self._queues):
                queue = self._queues[key]
                for _ in range(min(share, len(queue), BATCH_ITEMS - len(batch))):
                    one = queue.popleft()
                    self._waiting_count -= 1
                    if one.deadline < now:
                        one.call.answer(one.position, DeadlineExceeded())
                        continue
                    name = (one.item.wallet_id, one.item.txn_id)
                    if name in taken:
                        again.append(one)
                        continue
                    taken.add(name)
                    batch.append(one)
                del self._queues[key]
                if queue:
                    self._queues[key] = queue  # to the end of the turn
                if len(batch) >= BATCH_ITEMS:
                    break
        if again:
            # A twin of an item in this batch comes with a later one and then finds what the first has done.
            self._queue(again, len(again))
        return batch

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting_count:
                batch = self._take()
                if batch:
                    # A stop waits for the commit: an answer that is on its way is not thrown away.
                    sending = asyncio.ensure_future(self._send(batch))
                    try:
                        await asyncio.shield(sending)
                    except asyncio.CancelledError:
                        with contextlib.suppress(Exception):
                            await asyncio.wait_for(sending, CALL_SECONDS)
                        raise

    async def _send(self, batch: Sequence[_Waiting]) -> None:
        try:
            await self._apply(batch)
        except Exception as error:  # a defect: nobody may wait for ever
            log.error("ledger_batch_failed", lane=self.lane, exc_info=error)
            for one in batch:
                one.call.answer(one.position, Internal())
        self._after_batch()

    async def _apply(self, batch: Sequence[_Waiting]) -> None:
        """Send a batch until its outcome is known, in halves when it is at fault itself."""
        backoff_seconds = 0.02
        while True:
            try:
                rows = await self._call([one.item for one in batch])
                break
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError):
                pass  # undone by the server so that others could go on
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
                if len(batch) == 1:
                    batch[0].call.answer(batch[0].position, self._refusal(batch[0].item, error))
                    return
                log.warning("ledger_batch_split", lane=self.lane, count=len(batch), error=repr(error))
                middle = len(batch) // 2
                await self._apply(batch[:middle])
                await self._apply(batch[middle:])
                return
            except Exception as error:
                # Committed or not, nobody knows, or the lane has moved away (LN001): drop the connection and ask again
                # with the same ids.
                log.warning("ledger_outcome_unknown", lane=self.lane, count=len(batch), error=repr(error))
                self._drop_connection()
            await asyncio.sleep(backoff_seconds)
            backoff_seconds = min(backoff_seconds * 2, 1.0)
            batch = self._still_wanted(batch)
            if not batch:
                return
        for row in rows:
            one = batch[row[0] - 1]
            one.call.answer(one.position, Outcome(_STATUSES[row[1]], *row[2:]))
        if len(rows) != len(batch):
            answered = {row[0] for row in rows}
            for number, one in enumerate(batch, 1):
                if number not in answered:
                    one.call.answer(one.position, Internal())

    def _refusal(self, item: Item, error: asyncpg.PostgresError) -> AppError:
        """What it means that the database refuses an item by itself."""
        if getattr(error, "constraint_name", None) == "wallet_in_bounds":
            return PointsOutOfBounds()
        log.error("ledger_item_failed", lane=self.lane, txn_id=str(item.txn_id), exc_info=error)
        return Internal()

    def _still_wanted(self, batch: Sequence[_Waiting]) -> Sequence[_Waiting]:
        now = asyncio.get_running_loop().time()
        for one in batch:
            if one.deadline < now:
                one.call.answer(one.position, Unavailable())
        return [one for one in batch if one.deadline >= now]

    async def _call(self, items: Sequence[Item]) -> list[Any]:
        if self._connection is None or self._connection.is_closed():
            await self._connect()
        self.batch_sizes.append(len(items))
        if len(self.batch_sizes) > 10_000:
            del self.batch_sizes[:5_000]
        if self._replan_at < asyncio.get_running_loop().time():
            await self._connection.execute("DISCARD PLANS", timeout=CALL_SECONDS)  # type: ignore[union-attr]
            self._replan_seconds = min(self._replan_seconds * 2, LAST_REPLAN_SECONDS)
            self._replan_at = asyncio.get_running_loop().time() + self._replan_seconds
        rows: list[Any] = await self._statement.fetch(self.lane, *columns(items), timeout=CALL_SECONDS)
        return rows

    async def _connect(self) -> None:
        self._drop_connection()
        connection = await asyncpg.connect(
            self._url,
            timeout=CONNECT_SECONDS,
            server_settings={"application_name": f"huitong-points-lane-{self.lane}", **LEDGER_SETTINGS},
        )
        self._connection = connection
        # A server that falls silent right here must not hold the lane for ever.
        self._statement = await connection.prepare(self._statement_text, timeout=CONNECT_SECONDS)
        self._replan_seconds = FIRST_REPLAN_SECONDS
        self._replan_at = asyncio.get_running_loop().time() + self._replan_seconds

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def columns(items: Sequence[Item]) -> tuple[list[Any] | None, ...]:
    """The items as the arrays that ledger_apply takes; None for an array that plain sales have nothing in."""
    return (
        [one.kind for one in items],
        [one.wallet_id for one in items],
        [one.group_id for one in items],
        [one.txn_id for one in items],
        [one.request_hash for one in items],
        [one.points for one in items],
        [one.merchant_id for one in items],
        [one.store_id for one in items],
        _given([one.ref_id for one in items]),
        [one.occur_time for one in items],
        [one.expire_time for one in items],
        [one.amount_minor for one in items],
        [one.expected for one in items],
        [one.reference for one in items],
        [one.detail for one in items],
        [one.explanation for one in items],
        [one.payload for one in items],
        _given([one.unlock_time for one in items]),
        _given([one.limit_points for one in items]),
    )


def _given(values: list[Any]) -> list[Any] | None:
    # unnest fills a missing array up with nulls, and the driver need not look at each of them.
    return values if any(value is not None for value in values) else None


class Ledger:
    """All lanes of this process."""

    def __init__(
        self,
        url: str,
        lane_count: int,
        *,
        now_sql: str = "clock_timestamp()",
        suffix: str = "",
        after_batch: Callable[[], None] = lambda: None,
    ) -> None:
        """`suffix` ends the names of the tables and functions; empty on plain PostgreSQL."""
        self._url, self._suffix = url, suffix
        self.lanes = [
            Lane(number, url, now_sql=now_sql, suffix=suffix, after_batch=after_batch) for number in range(lane_count)
        ]

    async def open(self) -> None:
        """Make sure that the lanes exist, and connect each.

        Raises LaneCountChanged when wallets exist that were spread over another number of lanes.
        """
        connection = await asyncpg.connect(self._url, timeout=CONNECT_SECONDS)
        try:
            lanes, wallets = f"lane{self._suffix}", f"wallet{self._suffix}"
            there = await connection.fetchval(f"SELECT count(*) FROM {lanes}")
            if there not in (0, len(self.lanes)) and await connection.fetchval(
                f"SELECT EXISTS (SELECT FROM {wallets})"
            ):
                raise LaneCountChanged(there, len(self.lanes))
            # Lanes that nobody used yet must not be counted once there are wallets.
            await connection.execute(f"DELETE FROM {lanes} WHERE lane >= $1", len(self.lanes))
            await connection.execute(
                f"INSERT INTO {lanes} (lane, batch_count, n) SELECT number, 0, 0 FROM generate_series(0, $1 - 1) number"
                " ON CONFLICT DO NOTHING",
                len(self.lanes),
            )
        finally:
            await connection.close()
        for lane in self.lanes:
            await lane.open()

    async def close(self) -> None:
        """Finish what is under way."""
        await asyncio.gather(*(lane.close() for lane in self.lanes))

    def lane_of(self, wallet_id: UUID) -> int:
        """The lane that the wallet belongs to; never changes."""
        return lane_of(wallet_id, len(self.lanes))

    async def apply(self, items: Sequence[Item], *, timeout_s: float = 10.0) -> list[Outcome | AppError]:
        """Apply `items`, all at once; each gets an outcome, or the error that kept it from having one.

        An error Unavailable means that the outcome is unknown: ask again with the same ids. Cancelling the caller
        does not cancel what has been queued. Raises Overloaded.
        """
        call = _Call(len(items))
        if not items:
            return []
        deadline = asyncio.get_running_loop().time() + timeout_s
        by_lane: list[list[_Waiting]] = [[] for _ in self.lanes]
        lane_count = len(by_lane)
        for position, item in enumerate(items):
            by_lane[lane_of(item.wallet_id, lane_count)].append(_Waiting(item, call, position, deadline))
        for lane, waiting in zip(self.lanes, by_lane, strict=True):
            if not waiting:
                continue
            try:
                lane.put(waiting, len(waiting))
            except Overloaded as refused:
                for one in waiting:
                    call.answer(one.position, refused)
        await call.future
        return call.answers

    async def apply_one(self, item: Item, *, timeout_s: float = 10.0) -> Outcome:
        """Apply one item. Raises Overloaded, DeadlineExceeded, Unavailable (unknown outcome) or Internal."""
        answer = (await self.apply([item], timeout_s=timeout_s))[0]
        if isinstance(answer, AppError):
            raise answer
        return answer


def lane_of(wallet_id: UUID, lane_count: int) -> int:
    """Which lane a wallet belongs to: its hash today, its shard one day."""
    return wallet_id.int % lane_count


class LaneCountChanged(Exception):
    """Wallets are spread over {there} lanes already; HUITONG_POINTS_LANES says {wanted}."""

    def __init__(self, there: int, wanted: int) -> None:
        super().__init__(f"Wallets are spread over {there} lanes already; HUITONG_POINTS_LANES says {wanted}.")
