"""A service's own database: transactions that carry time, caller and events, and requests that take effect once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from google.protobuf.message import Message
from sqlalchemy import CursorResult, Executable, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chassis import acts, ids
from chassis.context import caller as current_caller
from chassis.errors import RequestIdReused
from chassis.identity import Caller
from chassis.telemetry import traceparent

M = TypeVar("M", bound=Message)

# Business time as SQL: the database's clock, moved when demo or test mode told another time.
BUSINESS_NOW = """coalesce(
    (SELECT least(business_time + (clock_timestamp() - set_time), hold_at_time) FROM business_clock WHERE id = 1),
    clock_timestamp())"""
_REAL_NOW = "clock_timestamp()"

CLOSE_SECONDS = 2.0
_RETRYABLE = ("40001", "40P01")  # serialization failure, deadlock


def sqlalchemy_url(url: str) -> str:
    """`postgresql://…` as SQLAlchemy names the asyncpg driver."""
    return "postgresql+asyncpg://" + url.partition("://")[2]


class Tx:
    """One transaction: its connection, business time, caller, and the events that become true with it."""

    def __init__(self, connection: AsyncConnection, now: datetime, caller: Caller, lane_count: int) -> None:
        self.connection = connection
        self.now = now
        self.caller = caller
        self._lane_count = lane_count
        self._events: list[dict[str, Any]] = []
        # For the audit: the thing as it was, and as it is when that is not what `run_once` answers.
        self.before: Message | None = None
        self.after: Message | None = None

    @property
    def group_id(self) -> UUID:
        """The caller's group; never taken from a request's body."""
        return self.caller.group_id

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run one statement (many rows of parameters: one round trip)."""
        return await self.connection.execute(statement, parameters)

    def emit(self, event: Message, *, key: str, group_id: UUID | None = None, event_id: UUID | None = None) -> None:
        """Publish `event` if and only if this transaction commits. Events of one `key` stay in order.

        What the transaction waited for, or saw, was told before.
        """
        self._events.append(
            {
                "lane": int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % self._lane_count,
                "event_id": event_id or ids.new(),
                "type": event.DESCRIPTOR.full_name,
                "group_id": group_id or self.group_id,
                "key": key,
                "occur_time": self.now,
                "traceparent": traceparent(),
                "payload": event.SerializeToString(deterministic=True),
            }
        )

    def acting_as(self, caller: Caller) -> Tx:
        """This transaction on behalf of somebody else, for what a service carries out at another's word."""
        other = Tx(self.connection, self.now, caller, self._lane_count)
        other._events = self._events
        return other

    @asynccontextmanager
    async def nested(self) -> AsyncIterator[None]:
        """A savepoint: an exception inside undoes what was written and emitted since, and is raised again."""
        event_count = len(self._events)
        try:
            async with self.connection.begin_nested():
                yield
        except BaseException:
            del self._events[event_count:]
            raise

    async def _write_events(self) -> None:
        if not self._events:
            return
        columns = ("lane", "event_id", "type", "group_id", "key", "occur_time", "traceparent", "payload")
        await self.connection.execute(
            _INSERT_EVENTS, {column: [event[column] for event in self._events] for column in columns}
        )


# Not the transaction's own xid alone: that is given at its first write, maybe long before it got the lock under which
# it learned what it tells. All that it can know of has ended by now, so it stands behind the newest that has
# (docs/decisions/0031).
_INSERT_EVENTS = text(
    """WITH written AS (
         INSERT INTO outbox (xid, lane, event_id, type, group_id, key, occur_time, traceparent, payload)
         SELECT greatest(pg_current_xact_id(),
                         (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8),
                e.lane, e.event_id, e.type, e.group_id, e.key, e.occur_time, e.traceparent, e.payload
         FROM unnest(CAST(:lane AS integer[]), CAST(:event_id AS uuid[]), CAST(:type AS text[]),
                     CAST(:group_id AS uuid[]), CAST(:key AS text[]), CAST(:occur_time AS timestamptz[]),
                     CAST(:traceparent AS text[]), CAST(:payload AS bytea[])) WITH ORDINALITY
              AS e (lane, event_id, type, group_id, key, occur_time, traceparent, payload, position)
         ORDER BY e.position
         RETURNING 1)
       SELECT pg_notify('outbox', '') FROM (SELECT count(*) FROM written) AS all_written"""
)


async def _leave_as_it_is(connection: asyncpg.Connection) -> None:
    """Nobody changes a session's settings here, so a round trip to reset them at each release would be for nothing
    (a transaction left open is rolled back all the same)."""


class Database:
    """The service's connections. `lane_count` is how many lanes its events are spread over."""

    def __init__(self, url: str, *, may_set_time: bool, name: str = "huitong", lane_count: int = 1) -> None:
        self.url = url
        self.lane_count = lane_count
        self.now_sql = BUSINESS_NOW if may_set_time else _REAL_NOW
        self._select_now = text(f"SELECT {self.now_sql}")
        self._claim = text(
            f"""INSERT INTO request_log (group_id, method, request_id, request_hash, create_time)
                VALUES (:group_id, :method, :request_id, :request_hash, {self.now_sql})
                ON CONFLICT DO NOTHING RETURNING create_time"""
        )
        self._connect_options: dict[str, Any] = {
            "timeout": 5,
            "server_settings": {
                "application_name": name,
                "idle_in_transaction_session_timeout": "30s",
                "lock_timeout": "5s",
                "statement_timeout": "30s",
            },
        }
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            # No overflow: a connection beyond the pool would be made and closed for each use, and making one (fork,
            # SCRAM, preparing every statement anew) costs more than waiting for one.
            pool_size=16,
            max_overflow=0,
            pool_timeout=3,
            hide_parameters=True,  # an error's text goes into the log, and values may be a person's data
            connect_args=self._connect_options,
        )
        self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._pool: asyncpg.Pool | None = None
        # Set when there may be acts to tell the keeper of the audit.
        self.acts_waiting = asyncio.Event()

    @property
    def pool(self) -> asyncpg.Pool:
        """Raw asyncpg connections, for hot paths; there after open()."""
        if self._pool is None:
            raise RuntimeError("open() comes first")
        return self._pool

    async def open(self) -> None:
        """Connect. Raises what asyncpg raises when the server is not there."""
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self.url, min_size=1, max_size=8, reset=_leave_as_it_is, **self._connect_options
            )

    async def close(self) -> None:
        """Give every connection back to the server."""
        if self._pool is not None:
            with contextlib.suppress(TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.wait_for(self._pool.close(), CLOSE_SECONDS)
            self._pool.terminate()
            self._pool = None
        await self.engine.dispose()

    async def now(self) -> datetime:
        """Business time, UTC, by the database's clock."""
        return await self.pool.fetchval(f"SELECT {self.now_sql}")

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator[Tx]:
        """A transaction on behalf of `caller`: commits at the end, rolls back on an exception."""
        async with self.engine.begin() as connection:
            now = (await connection.execute(self._select_now)).scalar_one()
            tx = Tx(connection, now, caller, self.lane_count)
            yield tx
            await tx._write_events()
            is_noted = await acts.note(tx)
        if is_noted:
            self.acts_waiting.set()

    @asynccontextmanager
    async def reading(self, caller: Caller) -> AsyncIterator[Tx]:
        """A read-only transaction, one snapshot for all its queries."""
        async with self._reading.connect() as connection:
            now = (await connection.execute(self._select_now)).scalar_one()
            yield Tx(connection, now, caller, self.lane_count)

    async def run_once(
        self,
        request: Message,
        response_type: type[M],
        operation: Callable[[Tx], Awaitable[M]],
        *,
        caller: Caller | None = None,
    ) -> M:
        """Run `operation` for this request id once, in one transaction, and answer every retry with the same response.

        The claim, the effect, its events and the answer commit together; a failure leaves no trace, so a retry runs.
        Raises RequestIdReused when the id came before with other content, and whatever `operation` raises.
        """
        who = caller or current_caller()
        for attempt in range(5):
            try:
                return await self._run_once(request, response_type, operation, who)
            except DBAPIError as error:
                # Nothing was committed: the server chose this transaction to give way.
                if getattr(error.orig, "sqlstate", None) not in _RETRYABLE or attempt == 4:
                    raise
                await asyncio.sleep(0.005 * 2**attempt)
        raise AssertionError("unreachable")

    async def _run_once(
        self, request: Message, response_type: type[M], operation: Callable[[Tx], Awaitable[M]], caller: Caller
    ) -> M:
        request_id: str = request.request_id  # type: ignore[attr-defined]
        claim = {
            "group_id": caller.group_id,
            "method": request.DESCRIPTOR.full_name,
            "request_id": request_id,
            "request_hash": hashlib.sha256(request.SerializeToString(deterministic=True)).digest(),
        }
        async with self.engine.begin() as connection:
            # A concurrent call with the same id waits here until the first one has committed or failed.
            now = (await connection.execute(self._claim, claim)).scalar_one_or_none()
            if now is None:
                row = (await connection.execute(_FIND_ANSWER, claim)).one()
                if row.request_hash != claim["request_hash"]:
                    raise RequestIdReused(request_id=request_id)
                return response_type.FromString(row.response)
            tx = Tx(connection, now, caller, self.lane_count)
            response = await operation(tx)
            await tx._write_events()
            is_noted = await acts.note(tx, request, response)
            await connection.execute(_STORE_ANSWER, {**claim, "response": response.SerializeToString()})
        if is_noted:
            self.acts_waiting.set()
        return response


_FIND_ANSWER = text(
    """SELECT request_hash, response FROM request_log
       WHERE group_id = :group_id AND method = :method AND request_id = :request_id"""
)
_STORE_ANSWER = text(
    """UPDATE request_log SET response = :response
       WHERE group_id = :group_id AND method = :method AND request_id = :request_id"""
)
