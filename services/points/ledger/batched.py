"""Many callers, one connection: what has arrived while the last call was under way goes together in the next one.

A call takes the oldest asks, and with them the smallest: an upload waits for those ahead of it, a till for the call
under way. When the queue fills up, large asks are refused first.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import asyncpg
import structlog

from chassis.errors import AppError, Internal, Overloaded, Unavailable

log = structlog.get_logger()

BATCH_ROWS = 1_000
SMALLEST_ROWS = 500  # more, of the smallest asks, in a call that has no room for all
WAITING_ROWS = 20_000
CALL_SECONDS = 10.0
PATIENCE_SECONDS = 10.0


class _Waiting(NamedTuple):
    rows: Sequence[tuple[Any, ...]]
    future: asyncio.Future[list[Any]]


class BatchedCalls:
    """Statements that take arrays and answer a row for each element, its ordinal first. Asking twice does no harm."""

    def __init__(self, url: str, statements: Sequence[str], *, settings: Mapping[str, str]) -> None:
        self._url, self._settings = url, settings
        self._queues: dict[str, list[_Waiting]] = {statement: [] for statement in statements}
        self._waiting_count = 0
        self._arrived = asyncio.Event()
        self._connection: asyncpg.Connection | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and warm up."""
        await self._connect()
        self._task = asyncio.create_task(self._run(), name=self._settings.get("application_name"))

    async def close(self) -> None:
        """Stop; whoever still waits gets Unavailable."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        for queue in self._queues.values():
            for waiting in queue:
                _fail(waiting, Unavailable())
            queue.clear()
        self._waiting_count = 0
        self._drop_connection()

    async def ask(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The answer's row for each of `rows`.

        Raises Overloaded, and Unavailable when the database does not answer.
        """
        if self._waiting_count + 2 * len(rows) > WAITING_ROWS:
            raise Overloaded
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._queues[statement].append(_Waiting(rows, future))
        self._waiting_count += len(rows)
        self._arrived.set()
        # A caller that gives up does not take the others' rows with it.
        return await asyncio.shield(future)

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting_count:
                for statement, queue in self._queues.items():
                    batch = _take(queue)
                    self._waiting_count -= sum(len(waiting.rows) for waiting in batch)
                    if batch:
                        await self._ask_together(statement, batch)

    async def _ask_together(self, statement: str, batch: Sequence[_Waiting]) -> None:
        rows = [row for waiting in batch for row in waiting.rows]
        try:
            answers = await self._call(statement, rows)
        except asyncio.CancelledError:
            for waiting in batch:
                _fail(waiting, Unavailable())
            raise
        except Exception as error:
            log.error("batched_call_failed", count=len(rows), exc_info=error)
            failure = error if isinstance(error, AppError) else Internal()
            for waiting in batch:
                _fail(waiting, failure)
            return
        start = 0
        for waiting in batch:
            if not waiting.future.done():
                waiting.future.set_result(answers[start : start + len(waiting.rows)])
            start += len(waiting.rows)

    async def _call(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Ask again and again while the outcome is unknown: the second time finds what the first has done."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        columns = [list(column) for column in zip(*rows, strict=True)]
        backoff_seconds = 0.02
        while True:
            try:
                connection = self._connection
                if connection is None or connection.is_closed():
                    connection = await self._connect()
                found = await connection.fetch(statement, *columns, timeout=CALL_SECONDS)
                break
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
                raise
            except Exception as error:
                log.warning("batched_outcome_unknown", count=len(rows), error=repr(error))
                self._drop_connection()
                if asyncio.get_running_loop().time() + backoff_seconds > deadline:
                    raise Unavailable from None
                await asyncio.sleep(backoff_seconds)
                backoff_seconds = min(backoff_seconds * 2, 1.0)
        answers: list[Any] = [None] * len(rows)
        for row in found:
            answers[row[0] - 1] = row
        return answers

    async def _connect(self) -> asyncpg.Connection:
        """A connection on which every statement has run once, of nothing: types are looked up and plans are made."""
        self._drop_connection()
        connection = await asyncpg.connect(self._url, timeout=5, server_settings=dict(self._settings))
        self._connection = connection
        for statement in self._queues:
            columns = (await connection.prepare(statement, timeout=CALL_SECONDS)).get_parameters()
            await connection.fetch(statement, *([] for _ in columns), timeout=CALL_SECONDS)
        return connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _take(queue: list[_Waiting]) -> list[_Waiting]:
    """Out of a queue what goes together, whole asks: the oldest, at least one, and the smallest of the others."""
    count = end = 0
    while end < len(queue) and (not end or count + len(queue[end].rows) <= BATCH_ROWS):
        count += len(queue[end].rows)
        end += 1
    batch, rest = queue[:end], queue[end:]
    by_size = sorted(rest, key=lambda waiting: len(waiting.rows))
    sizes = accumulate(len(waiting.rows) for waiting in by_size)
    smallest = [waiting for waiting, size in zip(by_size, sizes, strict=True) if size <= SMALLEST_ROWS]
    taken = {id(waiting) for waiting in smallest}
    queue[:] = [waiting for waiting in rest if id(waiting) not in taken]
    return batch + smallest


def _fail(waiting: _Waiting, error: BaseException) -> None:
    if not waiting.future.done():
        waiting.future.set_exception(error)
        waiting.future.exception()  # nobody may be listening any more
