"""Redeem, reverse, hold, capture, release, expire: through gRPC and the jobs."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError, Internal
from chassis.jobs import RowsFailed
from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2
from services.points.convert import to_date
from services.points.jobs import Jobs
from services.points.ledger.ledger import Ledger
from tests.apps import member
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World, set_time


async def run_jobs(world: World, now: datetime) -> None:
    ledger = Ledger(world.app.db.url, world.app.settings.points_lanes, now_sql=world.app.db.now_sql)
    await ledger.open()
    try:
        await Jobs(world.app.db, ledger).close_day(now)
    finally:
        await ledger.close()


async def test_redeem_takes_the_earliest_expiry_first(world: World) -> None:
    for days in (0, 120, 60):
        await world.sell(10_000, sale_time=world.now - timedelta(days=days), shop=days // 60)
    answer = await world.redeem(150, merchant=1)
    assert (answer.points, answer.available_points) == (150, 150)
    assert [expiry.points for expiry in (await world.balance()).next_expiries] == [50, 100]
    merchants = {entry.merchant_id: entry for entry in (await world.totals()).merchants}
    issuers = [merchants[ids.to_edge("mch", merchant)] for merchant in world.merchants]
    assert [issuer.issued.redeemed_points for issuer in issuers] == [0, 50, 100]
    assert [issuer.accepted_points for issuer in issuers] == [0, 150, 0]


async def test_redeem_once_and_never_more_than_there_is(world: World) -> None:
    await world.sell(10_000)
    first = await world.redeem(60, request_id="redeem-0001")
    again = await world.redeem(60, request_id="redeem-0001")
    assert (again.txn_id, again.available_points, again.is_replay) == (first.txn_id, 40, True)
    await refused(world.redeem(61, request_id="redeem-0001"), "REQUEST_ID_REUSED")
    await refused(world.redeem(60, request_id="redeem-0001", member=1), "REQUEST_ID_REUSED")
    error = await refused(world.redeem(41), "INSUFFICIENT_POINTS")
    assert error.values == {"available_points": "40", "requested_points": "41"}
    answers = await asyncio.gather(*(world.redeem(7) for _ in range(20)), return_exceptions=True)
    assert sum(not isinstance(answer, AppError) for answer in answers) == 5
    assert (await world.balance()).available_points == 5


async def test_reversal_restores_the_lots(world: World) -> None:
    for days in (0, 60):
        await world.sell(10_000, sale_time=world.now - timedelta(days=days))
    before = (await world.balance()).next_expiries
    redemption = await world.redeem(150)
    part = await world.reverse(redemption, 70)
    assert (part.points, part.available_points) == (70, 120)
    # What was taken last comes back first: 50 of the later lot, 20 of the earlier.
    assert [expiry.points for expiry in (await world.balance()).next_expiries] == [20, 100]
    await refused(world.reverse(redemption, 81), "REVERSAL_EXCEEDS_REDEMPTION")
    rest = await world.reverse(redemption)
    assert (rest.points, rest.available_points) == (80, 200)
    assert (await world.balance()).next_expiries == before
    await refused(world.reverse(redemption), "REVERSAL_EXCEEDS_REDEMPTION")
    await refused(world.reverse(rest), "REDEMPTION_UNKNOWN")
    balance = await world.balance()
    assert (balance.spent_points_total, balance.earned_points_total) == (0, 200)


async def test_replayed_reversal_gives_back_once(world: World) -> None:
    await world.sell(10_000)
    redemption = await world.redeem(100)
    answers = await asyncio.gather(*(world.reverse(redemption, 30, request_id="reverse-0001") for _ in range(10)))
    assert sum(not answer.is_replay for answer in answers) == 1
    assert (await world.balance()).available_points == 30


async def test_hold_capture_and_what_is_left_goes_back(world: World) -> None:
    await world.sell(10_000)
    hold = await world.hold(60)
    balance = await world.balance()
    assert (hold.available_points, balance.available_points, balance.held_points) == (40, 40, 60)
    await refused(world.redeem(41), "INSUFFICIENT_POINTS")
    await refused(world.capture(hold, 61), "CAPTURE_EXCEEDS_HOLD")
    captured = await world.capture(hold, 45, request_id="capture-0001")
    assert (captured.points, captured.available_points) == (45, 55)
    again = await world.capture(hold, 45, request_id="capture-0001")
    assert (again.txn_id, again.is_replay) == (captured.txn_id, True)
    await refused(world.capture(hold), "HOLD_CAPTURED")
    reversal = await world.reverse(captured)
    assert (reversal.points, reversal.available_points) == (45, 100)


async def test_released_hold_cannot_be_captured(world: World) -> None:
    await world.sell(10_000)
    hold = await world.hold(60, request_id="hold-0001")
    assert (await world.release("hold-0001")).released_points == 60
    again = await world.release("hold-0001")
    assert (again.released_points, again.available_points) == (60, 100)
    await refused(world.capture(hold), "HOLD_RELEASED")
    # The late retry of the hold gets its first answer; it holds nothing any more.
    assert (await world.hold(60, request_id="hold-0001")).is_replay
    assert (await world.balance()).held_points == 0


async def test_release_that_comes_first_keeps_the_hold_out(world: World) -> None:
    await world.sell(10_000)
    assert (await world.release("hold-0002")).released_points == 0
    await refused(world.hold(60, request_id="hold-0002"), "HOLD_RELEASED")
    assert (await world.balance()).available_points == 100


async def test_captured_hold_cannot_be_released(world: World) -> None:
    await world.sell(10_000)
    await world.capture(await world.hold(60, request_id="hold-0003"))
    await refused(world.release("hold-0003"), "HOLD_CAPTURED")


@pytest.mark.parametrize("round_number", range(5))
async def test_capture_and_release_at_once_never_both(world: World, round_number: int) -> None:
    await world.sell(10_000)
    holds = [await world.hold(5, request_id=f"race-{round_number}-{n:04d}") for n in range(10)]
    answers = await asyncio.gather(
        *(
            call
            for n, hold in enumerate(holds)
            for call in (world.capture(hold), world.release(f"race-{round_number}-{n:04d}"))
        ),
        return_exceptions=True,
    )
    for capture, release in zip(answers[::2], answers[1::2], strict=True):
        assert isinstance(capture, AppError) != isinstance(release, AppError)
    captured = sum(not isinstance(answer, AppError) for answer in answers[::2])
    balance = await world.balance()
    assert (balance.available_points, balance.held_points) == (100 - 5 * captured, 0)


async def test_hold_is_over_after_its_time(world: World) -> None:
    await set_time(world.app, world.now)
    await world.sell(10_000)
    hold = await world.hold(60, hold_seconds=60)
    other = await world.hold(30, hold_seconds=60)
    await set_time(world.app, world.now + timedelta(seconds=61))
    await refused(world.capture(hold), "HOLD_RELEASED")
    balance = await world.balance()
    assert (balance.available_points, balance.held_points) == (70, 30)
    await run_jobs(world, await world.app.db.now())
    assert (await world.balance()).held_points == 0
    await refused(world.capture(other), "HOLD_RELEASED")


async def test_expiry_run_expires_once_and_spending_skips_what_is_over(world: World) -> None:
    start = datetime(2017, 1, 15, 4, tzinfo=UTC)
    await set_time(world.app, start)
    await world.sell(10_000, sale_time=start)
    await world.sell(5_000, sale_time=start + timedelta(days=1))
    await set_time(world.app, datetime(2017, 2, 3, tzinfo=UTC))
    await world.sell(3_000, sale_time=datetime(2017, 2, 3, tzinfo=UTC))
    redemption = await world.redeem(20)
    end = datetime(2018, 1, 31, 16, tzinfo=UTC)  # 1 February in Shanghai
    await set_time(world.app, end - timedelta(days=1))
    held = await world.hold(10, hold_seconds=604_800)
    await run_jobs(world, end - timedelta(seconds=1))
    assert (await world.balance()).expired_points_total == 0
    await set_time(world.app, end + timedelta(seconds=1))
    # Points whose time is over do not count, run or no run; held ones stay until they are released.
    balance = await world.balance()
    assert (balance.available_points, balance.held_points, balance.expired_points_total) == (30, 10, 120)
    await refused(world.redeem(41), "INSUFFICIENT_POINTS")
    for _ in range(2):
        await run_jobs(world, await world.app.db.now())
        balance = await world.balance()
        assert (balance.available_points, balance.held_points, balance.expired_points_total) == (30, 10, 120)
    await set_time(world.app, end + timedelta(days=7))
    await run_jobs(world, await world.app.db.now())
    await refused(world.capture(held), "HOLD_RELEASED")
    balance = await world.balance()
    assert (balance.available_points, balance.held_points, balance.expired_points_total) == (30, 0, 130)
    expiries = [entry for entry in await world.statement() if entry.kind == points_pb2.MOVEMENT_KIND_EXPIRE]
    assert [entry.points for entry in expiries] == [-10, -120]
    assert {entry.occur_time.ToDatetime(tzinfo=UTC) for entry in expiries} == {end}
    # What comes back to an expired lot is gone again after the next run.
    assert (await world.reverse(redemption)).points == 20
    assert (await world.balance()).available_points == 30
    await run_jobs(world, await world.app.db.now())
    balance = await world.balance()
    assert (balance.available_points, balance.expired_points_total) == (30, 150)
    await set_time(world.app, datetime(2030, 1, 1, tzinfo=UTC))
    await run_jobs(world, await world.app.db.now())
    assert (await world.balance()).available_points == 0
    assert not await world.app.db.pool.fetchval(
        "SELECT count(*) FROM wallet WHERE first_expire_time IS NOT NULL AND group_id = $1", world.group_id
    )


async def test_a_wallet_whose_day_cannot_close_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2019, 3, 15, 4, tzinfo=UTC)
    await set_time(world.app, noon)
    await world.publish(world.rule_set(effective_date=to_date(date(2019, 3, 15)), pending_days=7))
    bad, good = sorted(range(3), key=lambda number: world.members[number])[:2]
    for who in (bad, good):
        await world.sell(10_000, member=who, sale_time=noon - timedelta(days=30))
        await world.sell(5_000, member=who, sale_time=noon)
        await world.hold(30, member=who)
    for job in world.app.jobs:
        if job.name in ("points-holds", "points-day-close"):
            monkeypatch.setattr(job, "run_once", _nothing)
    await set_time(world.app, later := noon + timedelta(days=800))
    monkeypatch.setattr("services.points.jobs.CHUNK", 1)
    apply = Ledger.apply

    async def refuse(ledger: Ledger, items: Any, **options: Any) -> Any:
        if items[0].wallet_id == world.members[bad]:
            return [Internal() for _ in items]
        return await apply(ledger, items, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "apply", refuse)
        with pytest.raises(RowsFailed):
            await run_jobs(world, later)
    rows = await world.app.db.pool.fetch(
        """SELECT held_points, pending_points, expired_points FROM wallet WHERE wallet_id = ANY($1)
           ORDER BY wallet_id LIMIT 2""",
        world.members,
    )
    assert [tuple(row) for row in rows] == [(30, 50, 0), (0, 0, 150)]
    await run_jobs(world, later)
    assert (await world.balance(bad)).expired_points_total == 150


async def _nothing() -> bool:
    return True


async def test_refund_leaves_held_points_alone(world: World) -> None:
    request = world.sale(10_000)
    await world.call(world.sales.RecordSale, request)
    hold = await world.hold(70)
    refund = await world.call(world.sales.RefundSale, world.refund(request))
    assert (refund.clawed_back_points, refund.debt_points) == (100, 70)
    assert (await world.capture(hold)).points == 70


async def test_statement_pages_newest_first_with_the_balance_after(world: World) -> None:
    for number in range(1, 8):
        await world.sell(number * 1_000)
    await world.redeem(80)
    entries = await world.statement(page_size=3)
    assert [entry.points for entry in entries] == [-80, 70, 60, 50, 40, 30, 20, 10]
    assert [entry.available_points for entry in entries] == [200, 280, 210, 150, 100, 60, 30, 10]
    assert entries[0].reference == "order-1"
    assert entries[1].reference == "r7"
    broken = points_pb2.ListStatementRequest(member_id=world.member_id(), page_token="nonsense")
    await refused(world.call(world.wallets.ListStatement, broken), "INVALID_ARGUMENT")


async def test_offset_quote(world: World) -> None:
    for _ in range(11):
        await world.sell(10_000)
    request = points_pb2.QuoteOffsetRequest(
        member_id=world.member_id(),
        store_id=ids.to_edge("sto", world.stores[0]),
        order_total=types_pb2.Money(amount_minor=20_000, currency_code="CNY"),
    )
    answer = await world.call(world.wallets.QuoteOffset, request, member(world.member_id(), world.group_id))
    assert (answer.max_points, answer.max_offset.amount_minor, answer.available_points) == (1_000, 3_000, 1_100)
    request.order_total.currency_code = "USD"
    await refused(world.call(world.wallets.QuoteOffset, request), "CURRENCY_MISMATCH")


async def test_members_see_their_own_points_only(world: World) -> None:
    request = points_pb2.GetBalanceRequest(member_id=world.member_id(0))
    await refused(
        world.call(world.wallets.GetBalance, request, member(world.member_id(1), world.group_id)), "NOT_YOURS"
    )
