"""Sales that come one by one are recorded in rounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from chassis import ids
from chassis.errors import AppError, Overloaded, Unavailable
from huitong.points.v1 import points_pb2
from services.points.doors import single_sales
from services.points.doors.single_sales import SingleSales
from services.points.errors import StoreUnknown

GROUP, OTHER = ids.derive("group", "one"), ids.derive("group", "two")


class Recorder:
    """Answers each sale with its receipt number, when it is let."""

    def __init__(self) -> None:
        self.rounds: list[tuple[UUID, list[str]]] = []
        self.may_answer = asyncio.Event()
        self.stuck: set[str] = set()
        self.failure: Exception | None = None

    async def record_sales(
        self, group_id: UUID, requests: Sequence[points_pb2.RecordSaleRequest], *, timeout_s: float, are_valid: bool
    ) -> list[Any]:
        assert are_valid
        receipts = [request.receipt_no for request in requests]
        self.rounds.append((group_id, receipts))
        if self.stuck.intersection(receipts):
            await asyncio.Event().wait()
        await self.may_answer.wait()
        if self.failure is not None:
            raise self.failure
        return [StoreUnknown(store_id=each) if each.startswith("bad") else each for each in receipts]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def sales(recorder: Recorder) -> SingleSales:
    return SingleSales(recorder)  # type: ignore[arg-type]


def record(sales: SingleSales, *receipts: str, group_id: UUID = GROUP) -> list[asyncio.Task[Any]]:
    requests = [points_pb2.RecordSaleRequest(receipt_no=each) for each in receipts]
    return [asyncio.create_task(sales.record(group_id, request, timeout_s=5)) for request in requests]


async def begun(recorder: Recorder, count: int) -> None:
    async with asyncio.timeout(5):
        while len(recorder.rounds) < count:
            await asyncio.sleep(0)


async def test_what_arrives_during_a_round_goes_together_in_the_next(sales: SingleSales, recorder: Recorder) -> None:
    first = record(sales, "1")
    await begun(recorder, 1)
    others = record(sales, "2", "3", "4")
    await asyncio.sleep(0)
    recorder.may_answer.set()
    assert await asyncio.gather(*first, *others) == ["1", "2", "3", "4"]
    assert recorder.rounds == [(GROUP, ["1"]), (GROUP, ["2", "3", "4"])]


async def test_groups_take_turns_and_a_round_has_its_limit(
    sales: SingleSales, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_sales, "ROUND_SALES", 2)
    recorder.may_answer.set()
    bulk = record(sales, "1", "2", "3", "4", "5")
    other = record(sales, "6", group_id=OTHER)
    await asyncio.gather(*bulk, *other)
    assert recorder.rounds == [(GROUP, ["1", "2"]), (OTHER, ["6"]), (GROUP, ["3", "4"]), (GROUP, ["5"])]


async def test_a_refused_sale_is_its_own_callers_alone(sales: SingleSales, recorder: Recorder) -> None:
    recorder.may_answer.set()
    good, bad = record(sales, "1", "bad")
    with pytest.raises(StoreUnknown):
        await bad
    assert await good == "1"


async def test_a_round_that_fails_fails_its_callers_and_not_the_next_round(
    sales: SingleSales, recorder: Recorder
) -> None:
    recorder.may_answer.set()
    recorder.failure = Unavailable()
    for failed in record(sales, "1", "2"):
        with pytest.raises(Unavailable):
            await failed
    recorder.failure = None
    assert await record(sales, "3")[0] == "3"


async def test_a_round_that_is_stuck_does_not_hold_up_the_next(
    sales: SingleSales, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_sales, "PATIENCE_SECONDS", 0.01)
    recorder.stuck, stuck = {"1"}, record(sales, "1")
    recorder.may_answer.set()
    await begun(recorder, 1)
    async with asyncio.timeout(5):
        assert await asyncio.gather(*record(sales, "2", "3")) == ["2", "3"]
    assert not stuck[0].done()


async def test_a_caller_that_gives_up_takes_nobody_with_it(sales: SingleSales, recorder: Recorder) -> None:
    gone, stays = record(sales, "1", "2")
    await begun(recorder, 1)
    gone.cancel()
    recorder.may_answer.set()
    assert await stays == "2"
    assert recorder.rounds == [(GROUP, ["1", "2"])]


async def test_past_its_limit_the_queue_refuses(
    sales: SingleSales, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_sales, "WAITING_SALES", 2)
    recorder.may_answer.set()
    answers = await asyncio.gather(*record(sales, "1", "2", "3"), return_exceptions=True)
    assert answers[:2] == ["1", "2"] and isinstance(answers[2], Overloaded) and isinstance(answers[2], AppError)
