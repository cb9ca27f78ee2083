"""What a member is shown: every movement with its reason, totals that add up, at a cost that history does not raise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import TextClause, text

from chassis import ids, rpc
from huitong.points.v1 import points_pb2
from services.points import queries
from services.points.convert import to_date
from services.points.earning.expiry import NEVER
from tests.integration.points.test_adjustments import Desk
from tests.integration.points.test_spending import run_jobs
from tests.integration.points.world import World, set_time

NOON = datetime(2019, 3, 15, 4, tzinfo=UTC)
MOVEMENTS = 20_000


async def test_every_movement_says_why(world: World) -> None:
    await world.publish(
        world.rule_set(
            effective_date=to_date(date(2016, 1, 1)),
            rules=[
                points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base", name_zh="基础"),
                points_pb2.EarningRule(
                    rule_id="big",
                    kind=points_pb2.RULE_KIND_THRESHOLD,
                    name="Big basket",
                    name_zh="满额",
                    bonus_bps=5_000,
                    min_amount_minor=10_000,
                ),
            ],
        )
    )
    desk = Desk(world)
    request = world.sale(10_000)
    sale = await world.call(world.sales.RecordSale, request)
    redemption = await world.redeem(100)
    await world.reverse(redemption, 40)
    await world.call(world.sales.RefundSale, world.refund(request))
    await desk.approve(await desk.ask(80))
    await desk.approve(await desk.ask(-10))
    debit, credit, claw_back, reversal, redeemed, earned = await world.statement()

    assert [(rule.name, rule.name_zh, rule.points) for rule in earned.rules] == [
        ("Base", "基础", 100),
        ("Big basket", "满额", 50),
    ]
    assert (earned.reference, earned.expire_time) == (request.receipt_no, sale.expire_time)
    assert (earned.store_id, earned.merchant_id) == (request.store_id, ids.to_edge("mch", world.merchants[0]))
    assert (redeemed.spending_kind, redeemed.reference) == (points_pb2.SPENDING_KIND_VOUCHER, "order-1")
    assert (reversal.reversed_txn_id, reversal.points) == (redemption.txn_id, 40)
    assert (claw_back.reversed_txn_id, claw_back.points, claw_back.debt_points) == (sale.sale_id, -150, 60)
    assert (credit.reason_code, credit.points, credit.debt_points) == ("GOODWILL", 80, 60)
    assert (debit.reason_code, debit.points, debit.debt_points) == ("GOODWILL", -10, 0)
    entries = (debit, credit, claw_back, reversal, redeemed, earned)
    assert [entry.available_points for entry in entries] == [10, 20, 0, 90, 50, 150]
    assert all(not entry.rules for entry in entries[:-1])


async def test_totals_of_a_balance_add_up(world: World) -> None:
    await set_time(world.app, NOON)
    world.now = NOON
    await world.publish(world.rule_set(effective_date=to_date(date(2019, 3, 10)), pending_days=7, expiry_months=24))
    desk = Desk(world)
    old = world.sale(30_000, sale_time=NOON - timedelta(days=360))
    await world.call(world.sales.RecordSale, old)
    await world.sell(20_000, sale_time=NOON - timedelta(days=30))
    await world.sell(5_000)
    await world.redeem(40)
    await world.call(world.sales.RefundSale, world.refund(old, (1, 6_000)))
    await desk.approve(await desk.ask(7))
    await set_time(world.app, datetime(2019, 3, 31, 17, tzinfo=UTC))  # the lot of last March is over
    await run_jobs(world, await world.app.db.now())
    await world.publish(world.rule_set(effective_date=to_date(date(2019, 4, 1)), pending_days=30))
    await world.sell(1_100, sale_time=datetime(2019, 3, 31, 17, tzinfo=UTC))
    await world.hold(25)
    balance = await world.balance()
    assert (balance.lifetime_points_total, balance.clawed_back_points_total) == (300 + 200 + 50 + 7 + 11, 60)
    assert balance.earned_points_total == balance.lifetime_points_total - balance.clawed_back_points_total
    assert (balance.spent_points_total, balance.expired_points_total) == (40, 200)
    assert (balance.pending_points, balance.held_points, balance.debt_points) == (11, 25, 0)
    assert balance.earned_points_total - balance.spent_points_total - balance.expired_points_total == (
        balance.available_points + balance.held_points + balance.pending_points - balance.debt_points
    )
    # What was held was taken of what expires first.
    assert sum(expiry.points for expiry in balance.next_expiries) == balance.available_points
    assert sum(unlock.points for unlock in balance.next_unlocks) == balance.pending_points


@pytest.fixture
async def old_hand(world: World) -> World:
    """A member with 20,000 movements, most of them sales of the last eleven months, and nearly all of it spent."""
    world.now = NOON
    await set_time(world.app, NOON)
    for start in range(0, MOVEMENTS - 400, 700):
        sales = [
            world.sale(1_000, sale_time=NOON - timedelta(minutes=24 * (MOVEMENTS - start - number)), shop=number % 3)
            for number in range(700)
        ]
        answer = await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=sales))
        assert all(result.HasField("recorded") for result in answer.results)
    available = (await world.balance()).available_points
    for _ in range(20):
        await asyncio.gather(*(world.redeem(available // 405) for _ in range(20)))
    await world.apps.as_owner("points", "ANALYZE wallet, txn, lot")
    return world


async def rows_touched(world: World, query: TextClause, **values: Any) -> int:
    """Rows that the plan read, those it threw away included; as the service itself asks."""
    async with world.app.db.reading(rpc.internal_caller("points", world.group_id)) as tx:
        plan = (await tx.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {query.text}"), values)).scalar_one()
    return sum(_scanned(plan[0]["Plan"]))


def _scanned(node: dict[str, Any]) -> Iterator[int]:
    for child in node.get("Plans", ()):
        yield from _scanned(child)
    if "Relation Name" in node:
        removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        yield int((node["Actual Rows"] + removed) * node["Actual Loops"])


async def test_balance_and_statement_cost_the_same_after_20000_movements(old_hand: World) -> None:
    world = old_hand
    wallet_id = world.members[0]
    count = await world.app.db.pool.fetchval("SELECT count(*) FROM txn WHERE wallet_id = $1 AND points <> 0", wallet_id)
    assert count >= MOVEMENTS
    now = await world.app.db.now()
    key: dict[str, Any] = {"wallet_id": wallet_id}
    # The other wallets and lots in this database are few; a plan that read 20,000 rows would stand out.
    others = await world.app.db.pool.fetchval("SELECT count(*) FROM wallet")
    assert await rows_touched(world, queries.BALANCE, **key, now=now, group_id=world.group_id) <= others + 10
    for before in (2**63 - 1, count // 2, 60):
        page: dict[str, Any] = {"before_version": before, "limit": 51}
        assert await rows_touched(world, queries.STATEMENT, **key, **page) <= 51
    lots = {"most_lots": queries.MOST_LOTS}
    span = {"now": now, "never": NEVER}
    assert await rows_touched(world, queries.NEXT_EXPIRIES, **key, **span, **lots) <= queries.MOST_LOTS + others
    assert await rows_touched(world, queries.NEXT_UNLOCKS, **key, **lots) <= others

    # And it is still right: the pages are every movement once, and the last of them leads to the balance.
    entries = await world.statement()
    assert len(entries) == len({entry.txn_id for entry in entries}) == count
    balance = await world.balance()
    assert sum(entry.points for entry in entries) == entries[0].available_points == balance.available_points
    assert not any(expiry.is_at_least for expiry in balance.next_expiries)
    assert sum(expiry.points for expiry in balance.next_expiries) == balance.available_points


async def test_expiries_of_thousands_of_lots_say_that_there_is_more(world: World) -> None:
    await set_time(world.app, NOON)
    world.now = NOON
    wallet_id: UUID = world.members[0]
    for _ in range(3):
        sales = [world.sale(1_000) for _ in range(1_000)]
        await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=sales))
    (expiry,) = (await world.balance()).next_expiries
    assert (expiry.points, expiry.is_at_least) == (queries.MOST_LOTS * 10, True)
    await world.redeem(1_500 * 10)
    await world.redeem(1_495 * 10)
    # The lots at the front are spent and the rest is not in sight: said, and not left out.
    (expiry,) = (await world.balance()).next_expiries
    assert expiry.is_at_least
    balance = await world.balance()
    assert (balance.available_points, ids.to_edge("mbr", wallet_id)) == (50, world.member_id())
