"""Sales that come one by one: those that arrive while others are under way are recorded together.

As in a lane there is no timer that a sale would wait for. One that finds nobody before it goes alone and at once; under
load rounds grow by themselves, and what a round costs (three queues, three answers to wait for) is shared.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from uuid import UUID

from chassis.errors import AppError, Overloaded
from huitong.points.v1 import points_pb2
from services.points.doors.operations import Duplicate
from services.points.operations import Recorded, Sales

ROUND_SALES = 100
WAITING_SALES = 20_000
# Rounds that run side by side are smaller and cost more: 0.32 of an empty call's rate with three, 0.50 with one. But
# one that waits for another service must not hold up the next.
PATIENCE_SECONDS = 0.1


class _Waiting(NamedTuple):
    request: points_pb2.RecordSaleRequest
    timeout_s: float
    future: asyncio.Future[Recorded | Duplicate]


class SingleSales:
    """Records sales that have been validated, each for a caller of its own."""

    def __init__(self, sales: Sales) -> None:
        self._sales = sales
        self._waiting: dict[UUID, list[_Waiting]] = {}
        self._waiting_count = 0
        self._rounds: set[asyncio.Task[None]] = set()
        # The round that the next one waits for.
        self._current: asyncio.Task[None] | None = None

    async def record(
        self, group_id: UUID, request: points_pb2.RecordSaleRequest, *, timeout_s: float
    ) -> Recorded | Duplicate:
        """Record one sale. Raises what Sales.record_sales answers, and Overloaded.

        A caller that gives up does not take the others' sales with it, nor its own: it may have been recorded.
        """
        if self._waiting_count >= WAITING_SALES:
            raise Overloaded
        waiting = _Waiting(request, timeout_s, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(group_id, []).append(waiting)
        self._waiting_count += 1
        if self._current is None:
            self._begin()
        return await asyncio.shield(waiting.future)

    def _begin(self) -> None:
        """A round of its own task: whoever arrives before that runs comes along."""
        task = self._current = asyncio.create_task(self._round(), name="points-single-sales")
        self._rounds.add(task)
        task.add_done_callback(self._end)
        asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._let_go, task)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._rounds.discard(task)
        self._let_go(task)

    def _let_go(self, task: asyncio.Task[None]) -> None:
        """Whoever waits need not wait for this round any more."""
        if self._current is task:
            self._current = None
            if self._waiting:
                self._begin()

    async def _round(self) -> None:
        # Groups in turn: one that has more waiting goes to the end.
        group_id = next(iter(self._waiting))
        queue = self._waiting.pop(group_id)
        taken, left = queue[:ROUND_SALES], queue[ROUND_SALES:]
        if left:
            self._waiting[group_id] = left
        self._waiting_count -= len(taken)
        await self._record(group_id, taken)

    async def _record(self, group_id: UUID, taken: list[_Waiting]) -> None:
        try:
            answers = await self._sales.record_sales(
                group_id,
                [one.request for one in taken],
                timeout_s=max(one.timeout_s for one in taken),
                are_valid=True,
            )
        except BaseException as error:
            for one in taken:
                _fail(one.future, error)
            if not isinstance(error, Exception):
                raise
            return
        for one, answer in zip(taken, answers, strict=True):
            if isinstance(answer, AppError):
                _fail(one.future, answer)
            elif not one.future.done():
                one.future.set_result(answer)


def _fail(future: asyncio.Future[Recorded | Duplicate], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # nobody may be listening any more
