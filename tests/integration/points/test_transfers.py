"""Points from member to member: out of one wallet and into the other, once, whatever breaks in between."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller
from huitong.points.v1 import events_pb2, points_pb2
from services.points import queries
from services.points.convert import to_date
from services.points.ledger.events_source import events_of
from services.points.ledger.ledger import lane_of
from tests.apps import internal, member, system, wake_jobs
from tests.integration.points.bank import on_a_shard
from tests.integration.points.test_adjustments import Desk
from tests.integration.points.test_sales import refused
from tests.integration.points.test_spending import run_jobs
from tests.integration.points.world import World, set_time

pytestmark = on_a_shard

NOON = datetime(2019, 3, 15, 4, tzinfo=UTC)


@pytest.fixture
async def friends(world: World) -> World:
    """Six members or more, of both lanes, who may give away 100 points in 24 hours."""
    await set_time(world.app, NOON)
    world.now = NOON
    await world.join(3)
    while len({lane_of(one, world.app.settings.points_lanes) for one in world.members}) < 2:
        await world.join(1)
    await world.publish(world.rule_set(effective_date=to_date(date(2016, 1, 1)), transfer_limit_points=100))
    return world


async def give(
    world: World, points: int, *, giver: int = 0, taker: int = 1, request_id: str = "", by: Caller | None = None
) -> points_pb2.TransferPointsResponse:
    request = points_pb2.TransferPointsRequest(
        request_id=request_id or world.request_id(),
        member_id=world.member_id(giver),
        to_member_id=world.member_id(taker),
        points=points,
    )
    caller = by or member(world.member_id(giver), world.group_id)
    return await world.call(world.wallets.TransferPoints, request, caller)


@pytest.mark.parametrize("taker", [1, 2, 3, 4, 5])
async def test_points_arrive_with_their_issuers_and_expiry(friends: World, taker: int) -> None:
    for days in (0, 120, 60):
        await friends.sell(4_000, sale_time=friends.now - timedelta(days=days), shop=days // 60)
    before = [(expiry.expire_time, expiry.points) for expiry in (await friends.balance()).next_expiries]
    outstanding = [one.issued.outstanding_points for one in (await friends.totals()).merchants]
    answer = await give(friends, 70, taker=taker)
    assert (answer.points, answer.available_points, answer.is_replay) == (70, 50, False)
    giver, got = await friends.balance(0), await friends.balance(taker)
    assert [(expiry.expire_time, expiry.points) for expiry in got.next_expiries] == [before[0], (before[1][0], 30)]
    assert (got.available_points, got.lifetime_points_total, got.transferred_points_total) == (70, 0, 70)
    assert (giver.available_points, giver.lifetime_points_total, giver.transferred_points_total) == (50, 120, -70)
    # Nobody's points became more or fewer.
    assert [one.issued.outstanding_points for one in (await friends.totals()).merchants] == outstanding
    out, came = (await friends.statement(0))[0], (await friends.statement(taker))[0]
    assert (out.kind, out.points, out.other_member_id) == (
        points_pb2.MOVEMENT_KIND_TRANSFER_OUT,
        -70,
        friends.member_id(taker),
    )
    assert (came.kind, came.points, came.other_member_id) == (
        points_pb2.MOVEMENT_KIND_TRANSFER_IN,
        70,
        friends.member_id(0),
    )
    assert came.reversed_txn_id == ""
    assert (await friends.redeem(70, member=taker)).available_points == 0


async def test_transfer_again_and_at_once_has_one_effect(friends: World) -> None:
    await friends.sell(10_000)
    answers = await asyncio.gather(*(give(friends, 30, request_id="give-0001") for _ in range(10)))
    assert sum(not answer.is_replay for answer in answers) == 1
    assert {answer.available_points for answer in answers} == {70}
    await refused(give(friends, 31, request_id="give-0001"), "REQUEST_ID_REUSED")
    await refused(give(friends, 30, request_id="give-0001", taker=2), "REQUEST_ID_REUSED")
    await refused(give(friends, 30, request_id="give-0001", giver=1, taker=2), "REQUEST_ID_REUSED")
    assert [(await friends.balance(number)).available_points for number in (0, 1)] == [70, 30]


async def test_limit_of_24_hours_holds_also_for_transfers_at_once(friends: World) -> None:
    await friends.sell(50_000)
    await give(friends, 60)
    error = await refused(give(friends, 41), "TRANSFER_LIMIT_REACHED")
    assert error.values == {"left_points": "40", "limit_points": "100"}
    answers = await asyncio.gather(
        *(give(friends, 10, taker=1 + number % 5) for number in range(12)), return_exceptions=True
    )
    assert sum(not isinstance(answer, AppError) for answer in answers) == 4
    assert (await friends.balance()).available_points == 400
    # What was got does not count, and a day later there is a new limit.
    assert (await give(friends, 60, giver=1, taker=2)).points == 60
    await set_time(friends.app, NOON + timedelta(hours=24, minutes=1))
    assert (await give(friends, 100)).points == 100


async def test_only_what_is_available_beyond_debt_can_be_given(friends: World) -> None:
    first = friends.sale(3_000)
    await friends.call(friends.sales.RecordSale, first)
    redemption = await friends.redeem(30)
    await friends.call(friends.sales.RefundSale, friends.refund(first))
    await friends.reverse(redemption)
    balance = await friends.balance()
    assert (balance.available_points, balance.debt_points) == (30, 30)
    error = await refused(give(friends, 1), "INSUFFICIENT_POINTS")
    assert error.values["available_points"] == "0"
    await friends.sell(5_000)  # repays 30
    await friends.hold(10)
    error = await refused(give(friends, 41), "INSUFFICIENT_POINTS")
    assert error.values["available_points"] == "40"
    assert (await give(friends, 40)).available_points == 0


async def test_pending_points_cannot_be_given_away(friends: World) -> None:
    rules = friends.rule_set(effective_date=to_date(date(2019, 3, 15)), transfer_limit_points=100, pending_days=7)
    await friends.publish(rules)
    await friends.sell(5_000)
    await refused(give(friends, 1), "INSUFFICIENT_POINTS")
    await set_time(friends.app, NOON + timedelta(days=8))
    await run_jobs(friends, await friends.app.db.now())
    assert (await give(friends, 50)).available_points == 0


async def test_points_that_go_round_come_back_to_their_lot(friends: World) -> None:
    sale = friends.sale(9_000)
    await friends.call(friends.sales.RecordSale, sale)
    await give(friends, 30, giver=0, taker=1)
    await friends.sell(1_000, member=1)
    await give(friends, 40, giver=1, taker=2)
    await give(friends, 40, giver=2, taker=0)
    await give(friends, 60, giver=0, taker=1)
    assert [(await friends.balance(number)).available_points for number in range(3)] == [40, 60, 0]
    # What was given away is owed when the goods come back.
    refund = await friends.call(friends.sales.RefundSale, friends.refund(sale))
    balance = await friends.balance()
    assert (refund.clawed_back_points, refund.debt_points, balance.debt_points) == (90, 50, 50)


async def test_given_points_expire_for_the_taker(friends: World) -> None:
    await friends.sell(5_000)
    await give(friends, 20)
    await set_time(friends.app, NOON + timedelta(days=500))
    await run_jobs(friends, await friends.app.db.now())
    assert [(await friends.balance(number)).expired_points_total for number in (0, 1)] == [30, 20]
    totals = {one.merchant_id: one.issued for one in (await friends.totals()).merchants}
    issued = totals[ids.to_edge("mch", friends.merchants[0])]
    assert (issued.expired_points, issued.outstanding_points) == (50, 0)


async def test_what_was_taken_arrives_after_a_crash(friends: World) -> None:
    await friends.sell(5_000)
    giver, pool, lanes = friends.members[0], friends.app.db.pool, friends.app.settings.points_lanes
    taker = next(n for n, one in enumerate(friends.members) if lane_of(one, lanes) != lane_of(giver, lanes))
    taker_lane = lane_of(friends.members[taker], lanes)
    # The taker's lane does not answer: the points are out, and whoever sent them is gone.
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT * FROM lane WHERE lane = $1 FOR UPDATE", taker_lane)
        giving = asyncio.ensure_future(give(friends, 20, taker=taker, request_id="give-0002"))
        async with asyncio.timeout(10):
            while not await pool.fetchval("SELECT count(*) FROM transfer WHERE wallet_id = $1", giver):
                await asyncio.sleep(0.01)
        giving.cancel()
        assert [(await friends.balance(number)).available_points for number in (0, taker)] == [30, 0]
        assert (await friends.totals()).total.outstanding_points == 50
    async with asyncio.timeout(20):
        while not await pool.fetchval("SELECT bool_and(has_arrived) FROM transfer WHERE wallet_id = $1", giver):
            wake_jobs(friends.app)
            await asyncio.sleep(0.05)
    assert [(await friends.balance(number)).available_points for number in (0, taker)] == [30, 20]
    assert (await give(friends, 20, taker=taker, request_id="give-0002")).is_replay
    assert (await friends.balance(taker)).available_points == 20


async def test_job_and_retry_finish_what_never_reached_the_taker(friends: World) -> None:
    await friends.sell(5_000)
    for number, retries in ((1, False), (2, True)):
        await give(friends, 10, taker=number, request_id=f"give-{number:04d}")
        # As if the mark after the arrival had been lost.
        await friends.app.db.pool.execute(
            "UPDATE transfer SET has_arrived = false WHERE to_wallet_id = $1", friends.members[number]
        )
        if retries:
            await give(friends, 10, taker=number, request_id=f"give-{number:04d}")
        async with asyncio.timeout(20):
            while await friends.app.db.pool.fetchval("SELECT count(*) FROM transfer WHERE NOT has_arrived"):
                wake_jobs(friends.app)
                await asyncio.sleep(0.05)
        assert (await friends.balance(number)).available_points == 10


async def test_a_receiver_without_room_is_refused_before_anything_is_taken(friends: World) -> None:
    await friends.sell(10_000)
    desk = Desk(friends)
    await friends.fill(2**53 - 1 - 30, member=1)
    await friends.hold(20, member=1)
    # What is held may come back: it needs its room.
    await refused(give(friends, 31, request_id="give-0003"), "POINTS_OUT_OF_BOUNDS")
    assert (await friends.balance()).available_points == 100
    assert (await give(friends, 30, request_id="give-0004")).available_points == 70
    await refused(give(friends, 1), "POINTS_OUT_OF_BOUNDS")
    assert (await give(friends, 30, request_id="give-0004")).is_replay
    await friends.redeem(1, member=1)
    assert (await give(friends, 1)).available_points == 69
    await desk.approve(await desk.ask(-31, member_id=friends.member_id(1)))
    assert (await give(friends, 31, request_id="give-0003")).available_points == 38


async def test_what_finds_the_receiver_filled_meanwhile_waits_and_holds_up_nobody(
    friends: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = friends.app.db.pool
    giver, other = sorted(range(len(friends.members)), key=lambda number: friends.members[number])[:2]
    full, third = [number for number in range(6) if number not in (giver, other)][:2]
    for who in (giver, other):
        await friends.sell(10_000, member=who)
    await friends.fill(2**53 - 1 - 30, member=full)
    hold_id = friends.request_id()
    await friends.hold(50, member=full, request_id=hold_id)
    monkeypatch.setattr(queries, "has_room", _always)  # as if the wallet had been filled right after the look
    for _ in range(2):
        answer = await give(friends, 31, giver=giver, taker=full, request_id="give-0005")
        assert (answer.points, answer.available_points) == (31, 69)
    assert answer.is_replay
    # One behind it that did not arrive either.
    await give(friends, 10, giver=other, taker=third)
    await pool.execute("UPDATE transfer SET has_arrived = false WHERE group_id = $1", friends.group_id)
    async with asyncio.timeout(20):
        while len(await under_way(friends)) > 1:
            wake_jobs(friends.app)
            await asyncio.sleep(0.05)
    # It is nobody's loss, and what the receiver held comes back to it.
    assert (await friends.totals()).total.outstanding_points == 200 + 2**53 - 1 - 30
    await friends.release(hold_id, member=full)
    assert (await friends.balance(full)).available_points == 2**53 - 1 - 30
    await friends.redeem(1, member=full)
    async with asyncio.timeout(20):
        while await under_way(friends):
            wake_jobs(friends.app)
            await asyncio.sleep(0.05)
    assert (await friends.balance(full)).available_points == 2**53 - 1


async def _always(*_: Any) -> bool:
    return True


async def test_a_transfer_that_cannot_arrive_holds_up_none_behind_it(friends: World) -> None:
    pool = friends.app.db.pool
    bad, good = sorted(range(len(friends.members)), key=lambda number: friends.members[number])[:2]
    taker = next(number for number in range(3) if number not in (bad, good))
    for giver in (bad, good):
        await friends.sell(5_000, member=giver)
        await give(friends, 10, giver=giver, taker=taker)
    await pool.execute("UPDATE transfer SET has_arrived = false WHERE group_id = $1", friends.group_id)
    nobody, taken_by = ids.derive("nobody"), friends.members[taker]
    await pool.execute("UPDATE transfer SET to_wallet_id = $2 WHERE wallet_id = $1", friends.members[bad], nobody)
    async with asyncio.timeout(20):
        while len(await under_way(friends)) > 1:
            wake_jobs(friends.app)
            await asyncio.sleep(0.05)
    assert await under_way(friends) == [friends.members[bad]]
    # Nor does it hold up a close of a day; it is named until it has arrived.
    later = NOON + timedelta(minutes=1)
    await set_time(friends.app, later)
    async with asyncio.timeout(20):
        while not (problem := await problem_of(friends, later)):
            wake_jobs(friends.app)
            await asyncio.sleep(0.05)
    assert "1 rows failed" in problem
    await pool.execute("UPDATE transfer SET to_wallet_id = $2 WHERE wallet_id = $1", friends.members[bad], taken_by)
    async with asyncio.timeout(20):
        while await problem_of(friends, later) != "":
            wake_jobs(friends.app)
            await asyncio.sleep(0.05)
    assert await under_way(friends) == []
    assert (await friends.balance(taker)).available_points == 20


async def under_way(world: World) -> list[UUID]:
    """Out of which wallets."""
    rows = await world.app.db.pool.fetch(
        "SELECT wallet_id FROM transfer WHERE NOT has_arrived AND group_id = $1", world.group_id
    )
    return [row["wallet_id"] for row in rows]


async def problem_of(world: World, time: datetime) -> str | None:
    """What the job of transfers could not do, once it has done all else that was due up to `time`."""
    problem: str | None = await world.app.db.pool.fetchval(
        "SELECT last_error FROM job_state WHERE job = 'points-transfers' AND done_until >= $1", time
    )
    return problem


@pytest.mark.parametrize("seed", range(3))
async def test_friends_who_give_in_all_directions_lose_nothing(friends: World, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(6):
        for _ in range(3):
            days = chance.randrange(300)
            await friends.sell(1_500, member=number, shop=number % 3, sale_time=friends.now - timedelta(days=days))

    async def move() -> Any:
        giver, taker = chance.sample(range(6), 2)
        if chance.random() < 0.2:
            return await friends.redeem(chance.randint(1, 5), member=giver)
        return await give(friends, chance.randint(1, 20), giver=giver, taker=taker)

    answers = await asyncio.gather(*(move() for _ in range(120)), return_exceptions=True)
    reasons = {answer.reason for answer in answers if isinstance(answer, AppError)}
    assert reasons <= {"INSUFFICIENT_POINTS", "TRANSFER_LIMIT_REACHED"}
    assert all(not isinstance(answer, BaseException) or isinstance(answer, AppError) for answer in answers)
    spent = sum(one.points for one in answers if isinstance(one, points_pb2.RedeemResponse))
    balances = [await friends.balance(number) for number in range(6)]
    assert sum(one.available_points for one in balances) == 6 * 45 - spent
    assert sum(one.transferred_points_total for one in balances) == 0


async def test_bad_transfers_are_refused(friends: World) -> None:
    await friends.sell(5_000)
    await refused(give(friends, 5, taker=0), "TRANSFER_TO_SELF")
    for points in (0, -1, 2**53):
        await refused(give(friends, points), "INVALID_ARGUMENT")
    await refused(give(friends, 5, by=member(friends.member_id(1), friends.group_id)), "NOT_YOURS")
    await refused(give(friends, 5, by=internal("mall", friends.group_id)), "PERMISSION_DENIED")
    await friends.start_neighbours()
    nobody = points_pb2.TransferPointsRequest(
        request_id=friends.request_id(),
        member_id=friends.member_id(),
        to_member_id=ids.to_edge("mbr", ids.derive("nobody")),
        points=5,
    )
    await refused(friends.call(friends.wallets.TransferPoints, nobody, system(friends.group_id)), "MEMBER_UNKNOWN")
    # So is one whom another group knows.
    strangers = await World(friends.apps, friends.app).build()
    nobody.request_id, nobody.to_member_id = friends.request_id(), strangers.member_id()
    await refused(friends.call(friends.wallets.TransferPoints, nobody, system(friends.group_id)), "MEMBER_UNKNOWN")
    by_giver = member(friends.member_id(), friends.group_id)
    await refused(friends.call(friends.wallets.TransferPoints, nobody, by_giver), "MEMBER_UNKNOWN")
    # A member of this group is unknown to another one's system.
    await refused(give(friends, 5, by=system(ids.derive("another group"))), "MEMBER_UNKNOWN")
    await friends.publish(friends.rule_set(effective_date=to_date(date(2019, 3, 1))))
    await refused(give(friends, 5), "TRANSFER_NOT_ALLOWED")
    assert (await friends.balance()).available_points == 50


async def test_events_tell_both_ends(friends: World) -> None:
    await friends.sell(5_000)
    answer = await give(friends, 20)
    rows = await friends.app.db.pool.fetch(
        "SELECT * FROM ledger_outbox WHERE kind IN (12, 13) AND wallet_id = ANY($1) ORDER BY kind", friends.members
    )
    out, came = (next(iter(events_of(row))) for row in rows)
    gave = events_pb2.PointsTransferredOut.FromString(out.payload)
    got = events_pb2.PointsTransferredIn.FromString(came.payload)
    assert (gave.txn_id, gave.points, gave.to_member_id) == (answer.txn_id, 20, friends.member_id(1))
    assert (got.out_txn_id, got.points, got.from_member_id) == (answer.txn_id, 20, friends.member_id(0))
    assert (out.key, came.key) == (friends.member_id(0), friends.member_id(1))
    assert list(gave.lots) == list(got.lots)
