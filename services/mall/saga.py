"""Work that spans services, as a state machine whose state is a row.

A saga is a table of states and steps. A step asks other services (outside of any transaction, with request ids derived
from the row's id, so that asking twice does once) and answers a Move: the next state and what is written with it. The
runner writes the move only if the row is still in the state the step began from. So any number of drivers may work on
one row at once, or die at any point: nothing happens twice, and whoever comes next goes on from the row.

`next_attempt_time` keeps drivers from doing work twice needlessly; correctness does not depend on it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import structlog
from google.protobuf.message import Message
from sqlalchemy import ColumnElement, DateTime, Table, func, select, update

from chassis.db import Database, Tx
from chassis.errors import AppError, RequestIdReused
from chassis.rpc import internal_caller

log = structlog.get_logger()

# A driver that is alive moves on far sooner than this; after it the worker takes the row.
LEASE_SECONDS = 10
# How long a second call for the same row waits for the first to finish it.
PATIENCE_SECONDS, PATIENCE_STEP_SECONDS = 3.0, 0.03
LONGEST_BACKOFF_SECONDS = 15
WORKER_ROWS, WORKER_TASKS = 100, 8
CLOCK = func.clock_timestamp(type_=DateTime(timezone=True))


class SagaRow(Protocol):
    """What the runner needs to know of a row."""

    @property
    def group_id(self) -> UUID:
        """Whose row it is."""

    @property
    def state(self) -> str:
        """Where it stands."""

    @property
    def attempt_count(self) -> int:
        """How often the step that is due was tried in vain."""


R = TypeVar("R", bound=SagaRow)


@dataclass(frozen=True, slots=True)
class Move(Generic[R]):
    """Where a step leads. `state` may depend on the row as it is when the move is written."""

    state: str | Callable[[R], str]
    values: Mapping[str, Any] = field(default_factory=dict)
    # What else is written with the move; gets the row as it is after it.
    write: Callable[[Tx, R], Awaitable[None]] | None = None


Step = Callable[[R], Awaitable[Move[R]]]


def request_hash(request: Message) -> bytes:
    """What a retry's content is compared by."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


def require_same(*, request_id: str, known_hash: bytes, new_hash: bytes) -> None:
    """Raises RequestIdReused when a request id came again with other content."""
    if known_hash != new_hash:
        raise RequestIdReused(request_id=request_id)


def leased_until(seconds: float = LEASE_SECONDS) -> ColumnElement[datetime]:
    """The server's clock, so many seconds from now."""
    return CLOCK + timedelta(seconds=seconds)


class Saga(Generic[R]):
    """Drives the rows of `table`. A state without a step is final."""

    def __init__(
        self, db: Database, *, name: str, table: Table, key: str, row_type: type[R], steps: Mapping[str, Step[R]]
    ) -> None:
        self.name, self._db, self._table, self._key = name, db, table, table.c[key]
        self._row_type, self._steps = row_type, steps

    def is_final(self, state: str) -> bool:
        """Whether nothing is left to do in `state`."""
        return state not in self._steps

    async def advance(self, row: R) -> R:
        """Go on from `row` until its end, or until an outcome is unknown, which is left to the worker."""
        while not self.is_final(row.state):
            try:
                move = await self._steps[row.state](row)
            except AppError as error:
                await self._put_off(row, error)
                return row
            row = await self._write(row, move)
        return row

    async def finish(self, group_id: UUID, row_id: UUID) -> R:
        """Drive the row if nobody does, else wait for whoever does; answers it as it is then.

        A row that was put off is left to the worker: nobody is about to finish it.
        """
        waited = 0.0
        while True:
            claimed = await self._claim(group_id, row_id)
            if claimed is not None:
                return await self.advance(claimed)
            row = await self._read(group_id, row_id)
            if self.is_final(row.state) or row.attempt_count or waited >= PATIENCE_SECONDS:
                return row
            await asyncio.sleep(PATIENCE_STEP_SECONDS)
            waited += PATIENCE_STEP_SECONDS

    async def finish_due(self) -> int:
        """Drive every row whose time has come; answers how many. Safe to run anywhere, at any time."""
        rows = await self._claim_due()
        limit = asyncio.Semaphore(WORKER_TASKS)

        async def drive(row: R) -> None:
            async with limit:
                try:
                    await self.advance(row)
                except Exception as error:
                    # One row that cannot be driven must not keep the others; its lease brings it back.
                    log.error("saga_failed", saga=self.name, id=str(self._id(row)), state=row.state, exc_info=error)

        await asyncio.gather(*(drive(row) for row in rows))
        return len(rows)

    def _id(self, row: R) -> UUID:
        value: UUID = getattr(row, self._key.name)
        return value

    def _is(self, group_id: UUID, row_id: UUID) -> ColumnElement[bool]:
        return (self._table.c.group_id == group_id) & (self._key == row_id)

    def _row(self, found: Any) -> R:
        return self._row_type(**found._mapping)

    async def _read(self, group_id: UUID, row_id: UUID) -> R:
        async with self._db.reading(internal_caller("mall", group_id)) as tx:
            return self._row((await tx.execute(select(self._table).where(self._is(group_id, row_id)))).one())

    async def _claim(self, group_id: UUID, row_id: UUID) -> R | None:
        statement = (
            update(self._table)
            .where(self._is(group_id, row_id), self._table.c.next_attempt_time <= CLOCK)
            .values(next_attempt_time=leased_until())
            .returning(self._table)
        )
        async with self._db.transaction(internal_caller("mall", group_id)) as tx:
            found = (await tx.execute(statement)).one_or_none()
        return None if found is None else self._row(found)

    async def _claim_due(self) -> list[R]:
        columns = self._table.c
        due = (
            select(columns.group_id, self._key)
            .where(columns.next_attempt_time <= CLOCK)
            .order_by(columns.next_attempt_time)
            .limit(WORKER_ROWS)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        statement = (
            update(self._table)
            .where(columns.group_id == due.c.group_id, self._key == due.c[self._key.name])
            .values(next_attempt_time=leased_until())
            .returning(self._table)
        )
        async with self._db.transaction(internal_caller("mall", UUID(int=0))) as tx:
            return [self._row(found) for found in await tx.execute(statement)]

    async def _write(self, row: R, move: Move[R]) -> R:
        """Write `move` if the row is still where the step began; answers the row as it is then."""
        own = self._is(row.group_id, self._id(row))
        async with self._db.transaction(internal_caller("mall", row.group_id)) as tx:
            found = (await tx.execute(select(self._table).where(own).with_for_update())).one()
            current = self._row(found)
            if current.state != row.state:
                return current
            state = move.state if isinstance(move.state, str) else move.state(current)
            values = {
                **move.values,
                "state": state,
                "attempt_count": 0,
                "next_attempt_time": None if self.is_final(state) else leased_until(),
                "last_error": None,
            }
            statement = update(self._table).where(own).values(values).returning(self._table)
            moved = self._row((await tx.execute(statement)).one())
            if move.write is not None:
                await move.write(tx, moved)
        return moved

    async def _put_off(self, row: R, error: AppError) -> None:
        seconds = min(2**row.attempt_count, LONGEST_BACKOFF_SECONDS)
        statement = (
            update(self._table)
            .where(self._is(row.group_id, self._id(row)), self._table.c.state == row.state)
            .values(
                attempt_count=self._table.c.attempt_count + 1,
                next_attempt_time=leased_until(seconds),
                last_error=error.reason,
            )
        )
        log.warning(
            "saga_put_off",
            saga=self.name,
            id=str(self._id(row)),
            state=row.state,
            reason=error.reason,
            attempt=row.attempt_count + 1,
        )
        async with self._db.transaction(internal_caller("mall", row.group_id)) as tx:
            await tx.execute(statement)
