"""An upload of thousands of sales does not keep the tills waiting, in whatever queue ahead of the ledger."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from chassis import ids
from chassis.errors import Overloaded
from huitong.points.v1 import points_pb2
from services.points.ledger import batched
from services.points.ledger.claims import GO_ON, Claims, ReceiptClaim
from tests.integration.points.bank import open_bank
from tests.integration.points.world import World
from tests.support import Sandbox

UPLOADS, UPLOADED = 5, 1_000


def claims_of(who: str, count: int) -> list[ReceiptClaim]:
    """Receipts of their own."""
    names = [ids.derive("fairness", who, number) for number in range(count)]
    return [ReceiptClaim(name, name, ids.derive("fairness"), name, b"0123456789abcdef") for name in names]


class Turns:
    """For each ask of a kind of queue: its size, and how many calls its queue began until it was answered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, queue_class: Any, *, ask: str, call: str) -> None:
        self.waited: list[tuple[int, int]] = []
        self.begun: Counter[int] = Counter()
        ask_of, call_of = getattr(queue_class, ask), getattr(queue_class, call)

        async def asking(queue: Any, *values: Any) -> Any:
            before = self.begun[id(queue)]
            answer = await ask_of(queue, *values)
            self.waited.append((len(values[-1]), self.begun[id(queue)] - before))
            return answer

        async def calling(queue: Any, *values: Any) -> Any:
            self.begun[id(queue)] += 1
            return await call_of(queue, *values)

        monkeypatch.setattr(queue_class, ask, asking)
        monkeypatch.setattr(queue_class, call, calling)

    def of_size(self, size: int) -> list[int]:
        return [begun for rows, begun in self.waited if rows == size]


async def test_a_till_waits_for_the_call_under_way_and_no_other(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = await open_bank(sandbox)
    turns = Turns(monkeypatch, batched.BatchedCalls, ask="ask", call="_ask_together")
    claims = Claims(bank.url)
    await claims.open()
    try:
        uploads = [asyncio.create_task(claims.receipts(claims_of(f"upload-{n}", UPLOADED))) for n in range(UPLOADS)]
        # Many tills, and one that comes last.
        tills = [asyncio.create_task(claims.receipts(claims_of(f"till-{n}", 10))) for n in range(20)]
        await asyncio.sleep(0)
        assert await claims.receipts(claims_of("till", 1)) == [GO_ON]
        assert sum(upload.done() for upload in uploads) <= 2
        # An upload is not starved either: each call has one.
        assert {tuple(set(answer)) for answer in await asyncio.gather(*uploads, *tills)} == {(GO_ON,)}
        # Some were there before the first call began, all others wait for the one under way.
        assert max(turns.of_size(1) + turns.of_size(10)) <= 2
        assert max(turns.of_size(UPLOADED)) <= UPLOADS
    finally:
        await claims.close()


async def test_a_queue_full_of_uploads_has_room_for_a_till(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batched, "WAITING_ROWS", 4_000)
    claims = Claims((await open_bank(sandbox)).url)
    await claims.open()
    try:
        uploads = [asyncio.create_task(claims.receipts(claims_of(f"full-{n}", UPLOADED))) for n in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await claims.receipts(claims_of("one-too-many", UPLOADED))
        assert await claims.receipts(claims_of("till", 1)) == [GO_ON]
        await asyncio.gather(*uploads)
    finally:
        await claims.close()


async def test_a_sale_at_a_till_passes_the_uploads_of_one_merchant(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An offer with a budget: sales take from it, in a queue of its own.
    limited = points_pb2.EarningRule(
        rule_id="double",
        kind=points_pb2.RULE_KIND_OFFER,
        name="Double",
        bonus_bps=10_000,
        budget_points=10**9,
    )
    base = points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")
    await world.publish(world.rule_set(rules=[base, limited]))
    await world.join(100)
    uploads = [
        points_pb2.RecordSalesRequest(sales=[world.sale(100, member=n % 100, shop=0) for n in range(UPLOADED)])
        for _ in range(UPLOADS)
    ]
    turns = Turns(monkeypatch, batched.BatchedCalls, ask="ask", call="_ask_together")
    waiting = [asyncio.create_task(world.call(world.sales.RecordSales, upload)) for upload in uploads]
    async with asyncio.timeout(20):
        while not turns.waited:  # uploads are past the look at their members
            await asyncio.sleep(0.001)
    assert (await world.sell(100, member=0, shop=1)).points == 2
    # It looked for its member, claimed its receipt and took from the budget.
    assert len(turns.of_size(1)) == 3
    assert max(turns.of_size(1)) <= 2
    assert all(result.HasField("recorded") for answer in await asyncio.gather(*waiting) for result in answer.results)
