"""Points that cannot be spent before a return window is over: through gRPC and the day close."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from chassis import ids
from chassis.jobs import Rows
from huitong.points.v1 import events_pb2, points_pb2
from services.points.convert import to_date
from services.points.jobs import Jobs
from services.points.ledger.events_source import events_of
from services.points.ledger.ledger import Ledger
from tests.apps import system
from tests.integration.points.bank import on_a_shard
from tests.integration.points.test_sales import refused
from tests.integration.points.test_spending import run_jobs
from tests.integration.points.world import World, set_time

pytestmark = on_a_shard

NOON = datetime(2019, 3, 15, 4, tzinfo=UTC)  # in Shanghai
UNLOCK = datetime(2019, 3, 21, 16, tzinfo=UTC)  # 22 March, 00:00 in Shanghai


@pytest.fixture
async def week(world: World) -> World:
    """Seven days to bring things back; it is noon of 15 March 2019 in Shanghai."""
    await set_time(world.app, NOON)
    world.now = NOON
    await world.publish(world.rule_set(effective_date=to_date(date(2019, 1, 1)), pending_days=7))
    return world


async def pass_time(world: World, instant: datetime) -> None:
    """Business time goes on, and the day is closed."""
    await set_time(world.app, instant)
    world.now = instant
    await run_jobs(world, await world.app.db.now())


async def test_points_of_a_sale_wait_until_its_return_window_is_over(week: World) -> None:
    sold = await week.sell(10_000)
    assert (sold.points, sold.pending_points, sold.available_points) == (100, 100, 0)
    assert sold.unlock_time.ToDatetime(tzinfo=UTC) == UNLOCK
    assert sold.explanation.unlock_time == sold.unlock_time
    balance = await week.balance()
    assert (balance.available_points, balance.pending_points, balance.earned_points_total) == (0, 100, 100)
    assert [(unlock.unlock_time, unlock.points) for unlock in balance.next_unlocks] == [(sold.unlock_time, 100)]
    assert not balance.next_expiries
    error = await refused(week.redeem(1), "INSUFFICIENT_POINTS")
    assert error.values["available_points"] == "0"
    await refused(week.hold(1), "INSUFFICIENT_POINTS")

    await pass_time(week, UNLOCK - timedelta(seconds=1))
    await refused(week.redeem(1), "INSUFFICIENT_POINTS")
    await pass_time(week, UNLOCK)
    balance = await week.balance()
    assert (balance.available_points, balance.pending_points, balance.earned_points_total) == (100, 0, 100)
    assert not balance.next_unlocks
    assert [expiry.points for expiry in balance.next_expiries] == [100]
    assert (await week.redeem(100)).available_points == 0


async def test_only_the_activation_makes_points_available(week: World) -> None:
    await week.sell(10_000)
    await set_time(week.app, UNLOCK + timedelta(hours=1))
    # The time has come but the day is not closed: still pending, and said to be so.
    balance = await week.balance()
    assert (balance.available_points, balance.pending_points) == (0, 100)
    await refused(week.redeem(1), "INSUFFICIENT_POINTS")
    await run_jobs(week, await week.app.db.now())
    assert (await week.redeem(1)).available_points == 99


async def test_statement_shows_when_points_unlock_and_that_they_did(week: World) -> None:
    await week.sell(10_000)
    await pass_time(week, UNLOCK + timedelta(days=1))
    activated, earned = await week.statement()
    assert (earned.kind, earned.points, earned.pending_points, earned.available_points) == (
        points_pb2.MOVEMENT_KIND_EARN,
        100,
        100,
        0,
    )
    assert earned.unlock_time.ToDatetime(tzinfo=UTC) == UNLOCK
    assert (activated.kind, activated.points, activated.pending_points, activated.available_points) == (
        points_pb2.MOVEMENT_KIND_ACTIVATE,
        0,
        -100,
        100,
    )
    # Dated when it was due, not when the job came round to it.
    assert activated.occur_time.ToDatetime(tzinfo=UTC) == UNLOCK


async def test_replayed_sale_says_the_same_after_its_points_are_unlocked(week: World) -> None:
    first = await week.sell(10_000, receipt_no="r-pending")
    await pass_time(week, UNLOCK)
    again = await week.sell(10_000, receipt_no="r-pending", sale_time=NOON)
    assert again.is_replay
    assert (again.pending_points, again.unlock_time, again.available_points) == (100, first.unlock_time, 0)


async def test_return_before_the_unlock_takes_from_that_very_lot(week: World) -> None:
    other, returned = week.sale(5_000), week.sale(10_000, shop=1)
    await week.call(week.sales.RecordSale, other)
    await week.call(week.sales.RecordSale, returned)
    refund = await week.call(week.sales.RefundSale, week.refund(returned, (1, 4_000)))
    assert (refund.clawed_back_points, refund.debt_points, refund.available_points) == (40, 0, 0)
    balance = await week.balance()
    assert (balance.pending_points, balance.debt_points) == (110, 0)
    assert (await week.statement())[0].pending_points == -40
    await week.call(week.sales.RefundSale, week.refund(returned))
    assert (await week.balance()).pending_points == 50
    # The emptied lot unlocks nothing, and the run leaves nothing behind that is due.
    await pass_time(week, UNLOCK)
    balance = await week.balance()
    assert (balance.available_points, balance.pending_points) == (50, 0)
    assert not await week.app.db.pool.fetchval(
        "SELECT count(*) FROM lot WHERE unlock_time IS NOT NULL AND group_id = $1", week.group_id
    )


async def test_return_of_spent_points_leaves_pending_ones_of_other_sales_alone(week: World) -> None:
    spent = week.sale(10_000)
    await week.call(week.sales.RecordSale, spent)
    await pass_time(week, UNLOCK)
    await week.redeem(100)
    await week.sell(6_000)
    refund = await week.call(week.sales.RefundSale, week.refund(spent))
    assert (refund.clawed_back_points, refund.debt_points) == (100, 100)
    balance = await week.balance()
    assert (balance.available_points, balance.pending_points, balance.debt_points) == (0, 60, 100)


async def test_debt_is_repaid_at_once_and_only_the_rest_is_pending(week: World) -> None:
    spent = week.sale(10_000)
    await week.call(week.sales.RecordSale, spent)
    await pass_time(week, UNLOCK)
    await week.redeem(100)
    await week.call(week.sales.RefundSale, week.refund(spent))
    all_repaid = await week.sell(4_000)
    assert (all_repaid.points, all_repaid.debt_repaid_points, all_repaid.pending_points) == (40, 40, 0)
    assert not all_repaid.HasField("unlock_time")
    rest = await week.sell(10_000)
    assert (rest.debt_repaid_points, rest.pending_points, rest.available_points) == (60, 40, 0)
    balance = await week.balance()
    assert (balance.debt_points, balance.pending_points) == (0, 40)


async def test_sale_that_comes_in_after_its_window_can_be_spent_at_once(week: World) -> None:
    sold = await week.sell(10_000, sale_time=NOON - timedelta(days=7))
    assert (sold.pending_points, sold.available_points) == (0, 100)
    assert not sold.HasField("unlock_time") and not sold.explanation.HasField("unlock_time")
    almost = await week.sell(10_000, sale_time=NOON - timedelta(days=6))
    assert (almost.pending_points, almost.available_points) == (100, 100)


async def test_sales_of_one_batch_pending_or_not_add_up(week: World) -> None:
    await week.publish(week.rule_set(effective_date=to_date(date(2019, 3, 14)), pending_days=0))
    await week.publish(week.rule_set(effective_date=to_date(date(2019, 3, 15)), pending_days=7))
    yesterday = NOON - timedelta(days=1)
    request = points_pb2.RecordSalesRequest(
        sales=[
            week.sale(1_000),
            week.sale(2_000, sale_time=yesterday),
            week.sale(3_000),
            week.sale(50),
            week.sale(4_000, sale_time=yesterday),
        ]
    )
    results = (await week.call(week.sales.RecordSales, request)).results
    assert [result.recorded.pending_points for result in results] == [10, 0, 30, 0, 0]
    assert sorted(result.recorded.available_points for result in results)[-1] == 60
    balance = await week.balance()
    assert (balance.available_points, balance.pending_points) == (60, 40)


async def test_day_close_activates_before_it_expires(week: World) -> None:
    await week.sell(10_000)
    # Nobody closed a day for two years: the points became available in time and expired in their turn.
    await pass_time(week, NOON + timedelta(days=730))
    balance = await week.balance()
    assert (balance.available_points, balance.pending_points, balance.expired_points_total) == (0, 0, 100)
    kinds = [entry.kind for entry in await week.statement()]
    assert kinds == [
        points_pb2.MOVEMENT_KIND_EXPIRE,
        points_pb2.MOVEMENT_KIND_ACTIVATE,
        points_pb2.MOVEMENT_KIND_EARN,
    ]


async def test_pending_points_are_not_expired_by_a_run_without_activation(week: World) -> None:
    await week.sell(10_000)
    await set_time(week.app, NOON + timedelta(days=730))
    ledger = Ledger(week.app.db.url, week.app.settings.points_lanes, now_sql=week.app.db.now_sql)
    await ledger.open()
    try:
        await Jobs(week.app.db, ledger).expire_points(await week.app.db.now(), Rows("expiry"))
    finally:
        await ledger.close()
    balance = await week.balance()
    assert (balance.pending_points, balance.expired_points_total) == (100, 0)


async def test_activation_again_and_at_once_moves_points_once(week: World) -> None:
    for number in range(3):
        await week.sell(10_000, member=number)
        await week.sell(5_000, member=number, shop=1)
    await set_time(week.app, UNLOCK)
    await asyncio.gather(*(run_jobs(week, UNLOCK) for _ in range(3)))
    await run_jobs(week, UNLOCK)
    for number in range(3):
        balance = await week.balance(number)
        assert (balance.available_points, balance.pending_points) == (150, 0)
        activations = [e for e in await week.statement(number) if e.kind == points_pb2.MOVEMENT_KIND_ACTIVATE]
        assert [entry.pending_points for entry in activations] == [-150]


async def test_redeeming_around_pending_lots_still_finds_them_when_they_unlock(week: World) -> None:
    # Expires before the one that is available: once unlocked it is spent first.
    await week.publish(week.rule_set(effective_date=to_date(date(2019, 3, 16)), expiry_months=24))
    await week.sell(10_000)
    await set_time(week.app, NOON + timedelta(days=1))
    await week.sell(8_000, sale_time=NOON + timedelta(days=1))
    await week.redeem(30)
    await pass_time(week, UNLOCK)
    balance = await week.balance()
    assert [expiry.points for expiry in balance.next_expiries] == [100, 50]
    await week.redeem(120)
    assert [expiry.points for expiry in (await week.balance()).next_expiries] == [30]


async def test_events_tell_of_pending_points_and_of_their_activation(week: World) -> None:
    sold = await week.sell(10_000)
    await pass_time(week, UNLOCK)
    connection = await asyncpg.connect(week.app.db.url)
    rows = await connection.fetch("SELECT * FROM ledger_outbox WHERE wallet_id = $1 ORDER BY lane, n", week.members[0])
    await connection.close()
    events = {event.type.rpartition(".")[2]: event for row in rows for event in events_of(row)}
    earned = events_pb2.PointsEarned.FromString(events["PointsEarned"].payload)
    assert earned.unlock_time == sold.unlock_time
    activated = events_pb2.PointsActivated.FromString(events["PointsActivated"].payload)
    assert (activated.points, activated.member_id, activated.unlock_time) == (100, week.member_id(), sold.unlock_time)
    assert [(lot.lot_id, lot.issuer_merchant_id, lot.points) for lot in activated.lots] == [
        (earned.lot.lot_id, ids.to_edge("mch", week.merchants[0]), 100)
    ]
    assert events["PointsActivated"].occur_time.ToDatetime(tzinfo=UTC) == UNLOCK


async def test_rule_set_whose_points_would_expire_before_they_unlock_is_refused(world: World) -> None:
    for months, most_days in ((1, 28), (2, 59), (12, 365)):
        day = to_date(date(2020, months, 1))
        error = await refused(
            world.publish(world.rule_set(effective_date=day, expiry_months=months, pending_days=most_days + 1)),
            "RULES_INVALID",
        )
        assert str(most_days) in error.values["problem"]
        await world.publish(world.rule_set(effective_date=day, expiry_months=months, pending_days=most_days))
    for days in (-1, 367):
        wrong = points_pb2.PublishRuleSetRequest(
            request_id=world.request_id(), rule_set=world.rule_set(pending_days=days)
        )
        await refused(world.call(world.rules.PublishRuleSet, wrong, system(world.group_id)), "INVALID_ARGUMENT")
