"""Goods come back whose points are spent: what is taken, what is owed, and what nobody pays but the issuer."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from chassis import ids
from huitong.points.v1 import events_pb2, points_pb2
from services.points.convert import to_date
from services.points.ledger.events_source import events_of
from tests.integration.points.world import World

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"
LIMITED, WITHIN_BALANCE = points_pb2.DEBT_POLICY_LIMITED, points_pb2.DEBT_POLICY_WITHIN_BALANCE


async def publish(world: World, policy: points_pb2.DebtPolicy | str, limit_points: int = 0) -> None:
    await world.publish(
        world.rule_set(debt_policy=policy, debt_limit_points=limit_points, effective_date=to_date(date(2016, 1, 1)))
    )


async def spend_and_return(world: World) -> points_pb2.RefundSaleRequest:
    """100 points of one sale, of which 70 are spent, and 20 of another shop's; then the first sale comes back."""
    first = world.sale(10_000)
    await world.call(world.sales.RecordSale, first)
    await world.redeem(70, merchant=2)
    await world.sell(2_000, shop=1)
    return world.refund(first)


def page_examples() -> list[dict[str, Any]]:
    (block,) = re.findall(r'```json\n(\{"return_examples".*?)```', PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found: list[dict[str, Any]] = json.loads(block)["return_examples"]
    return [{**found[0], "debt_policy": "DEBT_POLICY_UNSPECIFIED"}, *found]


@pytest.mark.parametrize("example", page_examples(), ids=lambda example: example["debt_policy"])
async def test_a_return_takes_what_the_page_says(world: World, example: dict[str, Any]) -> None:
    debt, written_off, available = example["owed"], example["written_off"], example["available"]
    clawed_back = example["taken"] + debt
    await publish(world, example["debt_policy"], example.get("debt_limit_points", 0))
    refund = await spend_and_return(world)
    # The terms of the purchase count, not those of the day of the return.
    await publish(world, LIMITED, 1)
    answer = await world.call(world.sales.RefundSale, refund)
    found = (answer.clawed_back_points, answer.debt_points, answer.written_off_points, answer.available_points)
    assert found == (clawed_back, debt, written_off, available)
    again = await world.call(world.sales.RefundSale, refund)
    again.is_replay = False
    assert again == answer

    balance = await world.balance()
    assert (balance.available_points, balance.debt_points) == (available, debt)
    entry = (await world.statement())[0]
    assert (entry.kind, entry.points, entry.debt_points, entry.written_off_points) == (
        points_pb2.MOVEMENT_KIND_CLAW_BACK,
        -clawed_back,
        debt,
        written_off,
    )
    request = points_pb2.GetSaleRequest(member_id=world.member_id(), sale_id=answer.sale_id)
    kept = await world.call(world.sales.GetSale, request)
    assert (kept.clawed_back_points, kept.written_off_points) == (clawed_back, written_off)
    # The issuer bears what is written off: those points stay issued and redeemed.
    totals = {row.merchant_id: row.issued for row in (await world.totals()).merchants}
    issuer = totals[ids.to_edge("mch", world.merchants[0])]
    assert (issuer.issued_points, issuer.clawed_back_points, issuer.debt_points, issuer.written_off_points) == (
        100,
        clawed_back,
        debt,
        written_off,
    )
    event = (await clawed_back_events(world))[-1]
    assert (event.points, event.debt_points, event.written_off_points) == (clawed_back, debt, written_off)
    assert sum(lot.points for lot in event.lots) == clawed_back - debt


async def clawed_back_events(world: World) -> list[events_pb2.PointsClawedBack]:
    rows = await world.app.db.pool.fetch("SELECT * FROM ledger_outbox WHERE group_id = $1 ORDER BY n", world.group_id)
    name = events_pb2.PointsClawedBack.DESCRIPTOR.full_name
    return [
        events_pb2.PointsClawedBack.FromString(event.payload)
        for row in rows
        for event in events_of(row)
        if event.type == name
    ]


async def test_a_return_that_takes_nothing_is_on_the_statement_all_the_same(world: World) -> None:
    await publish(world, WITHIN_BALANCE)
    sale = world.sale(10_000)
    await world.call(world.sales.RecordSale, sale)
    await world.redeem(100)
    first = await world.call(world.sales.RefundSale, world.refund(sale, (1, 4_000)))
    assert (first.clawed_back_points, first.written_off_points) == (0, 40)
    entry = (await world.statement())[0]
    assert (entry.kind, entry.points, entry.written_off_points) == (points_pb2.MOVEMENT_KIND_CLAW_BACK, 0, 40)
    assert [event.written_off_points for event in await clawed_back_events(world)] == [40]
    # The rest of it, and no more than it earned.
    second = await world.call(world.sales.RefundSale, world.refund(sale))
    assert (second.clawed_back_points, second.written_off_points) == (0, 60)
    await world.sell(5_000)
    assert (await world.balance()).available_points == 50


async def test_what_is_owed_already_counts_towards_the_limit(world: World) -> None:
    await publish(world, LIMITED, 100)
    sales = [world.sale(8_000), world.sale(8_000)]
    for sale in sales:
        await world.call(world.sales.RecordSale, sale)
    await world.redeem(160)
    answers = [await world.call(world.sales.RefundSale, world.refund(sale)) for sale in sales]
    assert [(answer.debt_points, answer.written_off_points) for answer in answers] == [(80, 0), (20, 60)]
    sold = await world.sell(15_000)
    assert (sold.debt_repaid_points, sold.available_points) == (100, 50)
