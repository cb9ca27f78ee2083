"""Points that change their currency: at published rates, once, whatever breaks in between."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.points.v1 import adjustments_pb2, events_pb2, points_pb2, wallets_pb2
from services.points import queries
from services.points.convert import to_timestamp
from services.points.ledger.events_source import events_of
from services.points.ledger.ledger import lane_of
from tests.apps import member, operator, system, wake_jobs
from tests.integration.points.bank import on_a_shard
from tests.integration.points.test_sales import refused
from tests.integration.points.test_wallets import NOON, Wallets
from tests.integration.points.world import World, set_time

pytestmark = on_a_shard


@pytest.fixture
async def wallets(world: World) -> Wallets:
    """Members of both lanes; ten points of the hotel become three of the group, one of the group two of the hotel."""
    await set_time(world.app, NOON)
    world.now = NOON
    return await Wallets(world).build()


async def publish(wallets: Wallets, source: str, target: str, rate: tuple[int, int], **values: Any) -> str:
    """A rate, proposed by one person and approved by another."""
    proposed = await propose(wallets, source, target, rate, **values)
    return (await decide(wallets, proposed.rate_id)).rate.rate_id


async def propose(wallets: Wallets, source: str, target: str, rate: tuple[int, int], **values: Any) -> Any:
    request = wallets_pb2.ProposeConversionRateRequest(
        request_id=wallets.world.request_id(),
        from_currency_id=source,
        to_currency_id=target,
        numerator=rate[0],
        denominator=rate[1],
        **values,
    )
    return (await wallets.call(wallets.conversion.ProposeConversionRate, request)).rate


async def decide(wallets: Wallets, rate_id: str, *, by: str = "approver", is_approved: bool = True) -> Any:
    group_id = wallets.world.group_id
    caller = replace(system(group_id), subject=by) if by.startswith("key_") else operator(by, group_id)
    request = wallets_pb2.DecideConversionRateRequest(
        request_id=wallets.world.request_id(), rate_id=rate_id, is_approved=is_approved
    )
    return await wallets.call(wallets.conversion.DecideConversionRate, request, caller)


async def convert(
    wallets: Wallets, source: str, target: str, points: int, rate: str, *, who: int = 0, request_id: str = ""
) -> wallets_pb2.ConvertPointsResponse:
    world = wallets.world
    request = wallets_pb2.ConvertPointsRequest(
        request_id=request_id or world.request_id(),
        member_id=world.member_id(who),
        from_currency_id=source,
        to_currency_id=target,
        points=points,
        rate_id=rate,
    )
    return await wallets.call(wallets.conversion.ConvertPoints, request, member(world.member_id(who), world.group_id))


async def test_quote_and_conversion_agree_and_the_remainder_stays(wallets: Wallets) -> None:
    rate = await publish(wallets, wallets.hotel, wallets.own, (3, 10))
    await wallets.give(27)
    await wallets.give(20)
    quote = await wallets.call(
        wallets.conversion.QuoteConversion,
        wallets_pb2.QuoteConversionRequest(from_currency_id=wallets.hotel, to_currency_id=wallets.own, points=47),
    )
    # 47 × 3/10 = 14.1: 14 points, which cost 46.67, so 47 are taken; of 45 only 13 could come, and 44 would be enough.
    assert (quote.taken_points, quote.given_points, quote.left_points) == (47, 14, 0)
    answer = await convert(wallets, wallets.hotel, wallets.own, 46, quote.rate.rate_id)
    assert (answer.taken_points, answer.given_points, answer.available_points) == (44, 13, 3)
    assert rate == quote.rate.rate_id
    assert (await wallets.balance(wallets.hotel)).available_points == 3
    own = await wallets.balance("")
    assert (own.available_points, own.lifetime_points_total, own.transferred_points_total) == (13, 0, 13)
    # They expire as the group's points earned on this day do, and are issued by whose points they were.
    assert own.next_expiries[0].expire_time.ToJsonString() == "2020-03-31T16:00:00Z"
    totals = (await wallets.call(wallets.world.ledger.GetTotals, points_pb2.GetTotalsRequest())).merchants
    assert [(one.merchant_id, one.issued.issued_points) for one in totals] == [(wallets.merchant(2), 13)]
    hotel = await wallets.totals(wallets.hotel)
    assert (hotel.issued_points, hotel.clawed_back_points, hotel.outstanding_points) == (47, 44, 3)
    out, came = (await wallets.statement(wallets.hotel))[0], (await wallets.statement(""))[0]
    assert (out.kind, out.points, out.other_currency_id) == (points_pb2.MOVEMENT_KIND_CONVERT_OUT, -44, wallets.own)
    assert (came.kind, came.points, came.other_currency_id) == (points_pb2.MOVEMENT_KIND_CONVERT_IN, 13, wallets.hotel)
    assert (await wallets.world.redeem(13)).available_points == 0


@pytest.mark.parametrize(
    ("policy", "expires"),
    [
        (points_pb2.ExpiryPolicy(kind=points_pb2.EXPIRY_KIND_NONE), None),
        (points_pb2.ExpiryPolicy(kind=points_pb2.EXPIRY_KIND_CALENDAR_YEAR_END, years=1), "2020-12-31T16:00:00Z"),
        (
            points_pb2.ExpiryPolicy(
                kind=points_pb2.EXPIRY_KIND_ROLLING_MONTHS, months=2, rounding=points_pb2.EXPIRY_ROUNDING_DAY
            ),
            None,
        ),
    ],
    ids=["none", "calendar_year_end", "rolling_months"],
)
async def test_converted_points_live_as_long_as_those_that_a_sale_earns(
    wallets: Wallets, policy: points_pb2.ExpiryPolicy, expires: str | None
) -> None:
    world = wallets.world
    await world.publish(world.rule_set(expiry_months=0, expiry=policy))
    rate = await publish(wallets, wallets.hotel, wallets.own, (3, 10))
    await wallets.give(100)
    await convert(wallets, wallets.hotel, wallets.own, 100, rate)
    converted = (await wallets.balance("")).next_expiries
    if expires is not None:
        assert [one.expire_time.ToJsonString() for one in converted] == [expires]
    sold = await world.sell(1_000, sale_time=NOON)
    both = (await wallets.balance("")).next_expiries
    if not sold.HasField("expire_time"):
        assert (list(converted), list(both)) == ([], [])
    else:
        assert [(one.expire_time, one.points) for one in both] == [(sold.expire_time, 40)]


async def test_issuers_keep_their_shares(wallets: Wallets) -> None:
    rate = await publish(wallets, wallets.own, wallets.hotel, (1, 3))
    for shop, amount in ((0, 5_000), (1, 3_000), (2, 2_000)):
        await wallets.world.sell(amount, shop=shop)
    answer = await convert(wallets, wallets.own, wallets.hotel, 100, rate)
    assert (answer.taken_points, answer.given_points) == (99, 33)
    totals = await wallets.call(wallets.world.ledger.GetTotals, points_pb2.GetTotalsRequest(currency_id=wallets.hotel))
    shares = {one.merchant_id: one.issued.issued_points for one in totals.merchants}
    assert sum(shares.values()) == 33
    taken = {
        one.merchant_id: one.issued.clawed_back_points
        for one in (await wallets.world.totals()).merchants
        if one.issued.clawed_back_points
    }
    assert sum(taken.values()) == 99
    assert all(abs(shares[merchant] * 3 - points) < 3 for merchant, points in taken.items())


async def test_conversion_again_and_at_once_has_one_effect(wallets: Wallets) -> None:
    rate = await publish(wallets, wallets.own, wallets.hotel, (2, 1))
    await wallets.world.sell(10_000)
    answers = await asyncio.gather(
        *(convert(wallets, wallets.own, wallets.hotel, 30, rate, request_id="conv-0001") for _ in range(10))
    )
    assert sum(not answer.is_replay for answer in answers) == 1
    assert {(one.taken_points, one.given_points, one.available_points) for one in answers} == {(30, 60, 70)}
    await refused(convert(wallets, wallets.own, wallets.hotel, 31, rate, request_id="conv-0001"), "REQUEST_ID_REUSED")
    await refused(
        convert(wallets, wallets.own, wallets.hotel, 30, rate, request_id="conv-0001", who=1), "REQUEST_ID_REUSED"
    )
    # Its answer stays, also when the rate is another by now; a new one is refused with the old rate.
    newer = await publish(wallets, wallets.own, wallets.hotel, (3, 1))
    again = await convert(wallets, wallets.own, wallets.hotel, 30, rate, request_id="conv-0001")
    assert (again.given_points, again.is_replay) == (60, True)
    error = await refused(convert(wallets, wallets.own, wallets.hotel, 30, rate), "CONVERSION_RATE_CHANGED")
    assert error.values["current_rate_id"] == newer
    assert (await convert(wallets, wallets.own, wallets.hotel, 30, newer)).given_points == 90


async def test_two_conversions_at_once_never_take_more_than_there_is(wallets: Wallets) -> None:
    rate = await publish(wallets, wallets.own, wallets.hotel, (2, 1))
    await wallets.world.sell(10_000)
    answers = await asyncio.gather(
        *(convert(wallets, wallets.own, wallets.hotel, 30, rate) for _ in range(8)), return_exceptions=True
    )
    refusals = [answer for answer in answers if isinstance(answer, AppError)]
    assert {error.reason for error in refusals} == {"INSUFFICIENT_POINTS"}
    assert len(refusals) == 5
    assert (await wallets.balance("")).available_points == 10
    assert (await wallets.balance(wallets.hotel)).available_points == 180


async def test_limits_of_a_rate_hold_also_at_once(wallets: Wallets) -> None:
    rate = await publish(
        wallets,
        wallets.own,
        wallets.hotel,
        (1, 1),
        min_points=20,
        max_points=60,
        step_points=10,
        daily_limit_points=100,
    )
    await wallets.world.sell(50_000)
    for points in (19, 61):
        error = await refused(convert(wallets, wallets.own, wallets.hotel, points, rate), "CONVERSION_AMOUNT_INVALID")
        assert error.values["min_points"] == "20"
    assert (await convert(wallets, wallets.own, wallets.hotel, 29, rate)).taken_points == 20
    answers = await asyncio.gather(
        *(convert(wallets, wallets.own, wallets.hotel, 40, rate) for _ in range(5)), return_exceptions=True
    )
    assert sum(not isinstance(answer, AppError) for answer in answers) == 2
    error = await refused(convert(wallets, wallets.own, wallets.hotel, 20, rate), "CONVERSION_LIMIT_REACHED")
    assert error.values == {"left_points": "0", "limit_points": "100"}
    await set_time(wallets.world.app, NOON + timedelta(hours=24, minutes=1))
    assert (await convert(wallets, wallets.own, wallets.hotel, 60, rate)).taken_points == 60


async def test_rates_need_a_second_person_and_their_time(wallets: Wallets) -> None:
    await wallets.world.sell(10_000)
    proposed = await propose(wallets, wallets.own, wallets.hotel, (2, 1))
    await refused(convert(wallets, wallets.own, wallets.hotel, 10, proposed.rate_id), "CONVERSION_NOT_OFFERED")
    for who in (proposed.proposed_by, "key_another"):
        await refused(decide(wallets, proposed.rate_id, by=who), "SECOND_PERSON_REQUIRED")
    await decide(wallets, proposed.rate_id, is_approved=False)
    await refused(decide(wallets, proposed.rate_id), "CONVERSION_RATE_DECIDED")
    await refused(convert(wallets, wallets.own, wallets.hotel, 10, proposed.rate_id), "CONVERSION_NOT_OFFERED")
    start, end = NOON + timedelta(days=1), NOON + timedelta(days=2)
    times = {"start_time": to_timestamp(start), "end_time": to_timestamp(end)}
    rate = await publish(wallets, wallets.own, wallets.hotel, (2, 1), **times)
    for time, is_offered in ((NOON, False), (start, True), (end - timedelta(seconds=1), True), (end, False)):
        await set_time(wallets.world.app, time)
        if is_offered:
            assert (await convert(wallets, wallets.own, wallets.hotel, 10, rate)).given_points == 20
        else:
            await refused(convert(wallets, wallets.own, wallets.hotel, 10, rate), "CONVERSION_NOT_OFFERED")
    # The other direction is another rate; stored value comes from payments only.
    await refused(convert(wallets, wallets.hotel, wallets.own, 10, rate), "CONVERSION_NOT_OFFERED")
    for bad in ((wallets.own, wallets.own), (wallets.own, wallets.card)):
        await refused(propose(wallets, *bad, (1, 1)), "INVALID_ARGUMENT")
    listed = await wallets.call(wallets.conversion.ListConversionRates, wallets_pb2.ListConversionRatesRequest())
    assert [one.state for one in listed.rates] == [
        wallets_pb2.CONVERSION_RATE_STATE_APPROVED,
        wallets_pb2.CONVERSION_RATE_STATE_REJECTED,
    ]


async def test_money_buys_points_and_cannot_be_refunded_afterwards(wallets: Wallets) -> None:
    rate = await publish(wallets, wallets.card, wallets.own, (1, 3))
    top_up = await wallets.top_up(3_000)
    assert (await convert(wallets, wallets.card, wallets.own, 3_000, rate)).given_points == 1_000
    await refused(wallets.refund(top_up), "REFUND_EXCEEDS_TOP_UP")


async def test_what_is_owed_cannot_be_converted(wallets: Wallets) -> None:
    world = wallets.world
    rate = await publish(wallets, wallets.own, wallets.hotel, (1, 1))
    sale = world.sale(3_000)
    await world.call(world.sales.RecordSale, sale)
    spent = await world.redeem(30)
    await world.call(world.sales.RefundSale, world.refund(sale))
    await world.reverse(spent)
    error = await refused(convert(wallets, wallets.own, wallets.hotel, 10, rate), "INSUFFICIENT_POINTS")
    assert error.values["available_points"] == "0"


async def test_what_was_taken_arrives_after_a_crash(wallets: Wallets) -> None:
    world = wallets.world
    rate = await publish(wallets, wallets.own, wallets.hotel, (2, 1))
    lanes = world.app.settings.points_lanes
    hotel = (await wallets_of(wallets)).wallet_of
    while not (
        apart := [n for n, one in enumerate(world.members) if lane_of(one, lanes) != lane_of(hotel(one), lanes)]
    ):
        await world.join(1)
    who = apart[0]
    await world.sell(5_000, member=who)
    pool = world.app.db.pool
    # The target's lane does not answer: the points are out, and whoever asked is gone.
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT * FROM lane WHERE lane = $1 FOR UPDATE", lane_of(hotel(world.members[who]), lanes)
        )
        asking = asyncio.ensure_future(
            convert(wallets, wallets.own, wallets.hotel, 20, rate, who=who, request_id="conv-0002")
        )
        async with asyncio.timeout(10):
            while not await pool.fetchval("SELECT count(*) FROM conversion WHERE wallet_id = $1", world.members[who]):
                await asyncio.sleep(0.01)
        asking.cancel()
        assert (await world.balance(who)).available_points == 30
        assert (await wallets.balance(wallets.hotel, who)).available_points == 0
    async with asyncio.timeout(20):
        while not await pool.fetchval("SELECT bool_and(has_arrived) FROM conversion"):
            wake_jobs(world.app)
            await asyncio.sleep(0.05)
    assert (await wallets.balance(wallets.hotel, who)).available_points == 40
    again = await convert(wallets, wallets.own, wallets.hotel, 20, rate, who=who, request_id="conv-0002")
    assert (again.is_replay, again.given_points) == (True, 40)
    assert (await wallets.balance(wallets.hotel, who)).available_points == 40


async def wallets_of(wallets: Wallets) -> Any:
    """The hotel's currency as the service knows it."""
    from services.points.wallets.currencies import Currency

    return Currency(ids.from_edge("cur", wallets.hotel, ""), wallets_pb2.CURRENCY_KIND_UNIT_POINTS, 1, "", "", "")


async def test_job_and_retry_finish_what_was_not_marked(wallets: Wallets) -> None:
    world = wallets.world
    rate = await publish(wallets, wallets.own, wallets.hotel, (2, 1))
    await world.sell(5_000)
    for number, retries in ((1, False), (2, True)):
        request_id = f"conv-{number:04d}"
        await convert(wallets, wallets.own, wallets.hotel, 10, rate, request_id=request_id)
        await world.app.db.pool.execute("UPDATE conversion SET has_arrived = false")
        if retries:
            await convert(wallets, wallets.own, wallets.hotel, 10, rate, request_id=request_id)
        async with asyncio.timeout(20):
            while await world.app.db.pool.fetchval("SELECT count(*) FROM conversion WHERE NOT has_arrived"):
                wake_jobs(world.app)
                await asyncio.sleep(0.05)
        assert (await wallets.balance(wallets.hotel)).available_points == 20 * number


async def test_a_target_without_room_is_refused_before_anything_is_taken(wallets: Wallets) -> None:
    world = wallets.world
    rate = await publish(wallets, wallets.own, wallets.hotel, (1_000_000, 1))
    await world.sell(10_000)
    target = (await wallets_of(wallets)).wallet_of(world.members[0])
    await wallets.give(500_000)
    await world.fill(2**53 - 1 - 3_000_000, wallet_id=target)
    await refused(convert(wallets, wallets.own, wallets.hotel, 3, rate, request_id="conv-0003"), "POINTS_OUT_OF_BOUNDS")
    assert (await world.balance()).available_points == 100
    answer = await convert(wallets, wallets.own, wallets.hotel, 2, rate, request_id="conv-0004")
    assert (answer.taken_points, answer.given_points) == (2, 2_000_000)
    await refused(convert(wallets, wallets.own, wallets.hotel, 1, rate), "POINTS_OUT_OF_BOUNDS")
    # What was done keeps its answer, and what was refused may be asked for again once there is room.
    assert (await convert(wallets, wallets.own, wallets.hotel, 2, rate, request_id="conv-0004")).is_replay
    await wallets.give(2_500_000, direction=adjustments_pb2.ADJUSTMENT_DIRECTION_DEBIT, merchant_id="")
    answer = await convert(wallets, wallets.own, wallets.hotel, 3, rate, request_id="conv-0003")
    assert (answer.taken_points, answer.given_points) == (3, 3_000_000)
    assert (await wallets.balance(wallets.hotel)).available_points == 2**53 - 1


async def test_what_finds_its_target_filled_meanwhile_waits_and_holds_up_nobody(
    wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, pool = wallets.world, wallets.world.app.db.pool
    rate = await publish(wallets, wallets.own, wallets.hotel, (1_000_000, 1))
    first, second = sorted(range(len(world.members)), key=lambda number: world.members[number])[:2]
    for who in (first, second):
        await world.sell(10_000, member=who)
    await wallets.give(1, member=first)
    await world.fill(2**53 - 1 - 1_000_000, wallet_id=(await wallets_of(wallets)).wallet_of(world.members[first]))
    monkeypatch.setattr(queries, "has_room", _always)  # as if it had been filled right after the look
    for _ in range(2):
        answer = await convert(wallets, wallets.own, wallets.hotel, 1, rate, who=first, request_id="conv-0005")
        assert (answer.taken_points, answer.available_points) == (1, 99)
    assert answer.is_replay
    # One behind it that did not arrive either.
    await convert(wallets, wallets.own, wallets.hotel, 1, rate, who=second)
    await pool.execute("UPDATE conversion SET has_arrived = false WHERE group_id = $1", world.group_id)
    async with asyncio.timeout(20):
        while len(await under_way(world)) > 1:
            wake_jobs(world.app)
            await asyncio.sleep(0.05)
    assert (await wallets.balance(wallets.hotel, first)).available_points == 2**53 - 1 - 999_999
    done_until = await pool.fetchval("SELECT done_until FROM job_state WHERE job = 'points-conversions'")
    await set_time(world.app, NOON + timedelta(minutes=1))
    async with asyncio.timeout(20):
        while done_until == await pool.fetchval("SELECT done_until FROM job_state WHERE job = 'points-conversions'"):
            wake_jobs(world.app)
            await asyncio.sleep(0.05)
    await wallets.give(1, member=first, direction=adjustments_pb2.ADJUSTMENT_DIRECTION_DEBIT, merchant_id="")
    async with asyncio.timeout(20):
        while await under_way(world):
            wake_jobs(world.app)
            await asyncio.sleep(0.05)
    assert (await wallets.balance(wallets.hotel, first)).available_points == 2**53 - 1


async def _always(*_: Any) -> bool:
    return True


async def test_a_conversion_that_cannot_arrive_holds_up_none_behind_it(wallets: Wallets) -> None:
    world, pool = wallets.world, wallets.world.app.db.pool
    rate = await publish(wallets, wallets.own, wallets.hotel, (2, 1))
    bad, good = sorted(range(len(world.members)), key=lambda number: world.members[number])[:2]
    for who in (bad, good):
        await world.sell(5_000, member=who)
        await convert(wallets, wallets.own, wallets.hotel, 10, rate, who=who)
    await pool.execute("UPDATE conversion SET has_arrived = false WHERE group_id = $1", world.group_id)
    nobody, target = ids.derive("nobody"), (await wallets_of(wallets)).wallet_of(world.members[bad])
    await pool.execute("UPDATE conversion SET to_wallet_id = $2 WHERE wallet_id = $1", world.members[bad], nobody)
    async with asyncio.timeout(20):
        while len(await under_way(world)) > 1:
            wake_jobs(world.app)
            await asyncio.sleep(0.05)
    assert await under_way(world) == [world.members[bad]]
    await pool.execute("UPDATE conversion SET to_wallet_id = $2 WHERE wallet_id = $1", world.members[bad], target)
    async with asyncio.timeout(20):
        while await under_way(world):
            wake_jobs(world.app)
            await asyncio.sleep(0.05)
    assert [(await wallets.balance(wallets.hotel, who)).available_points for who in (bad, good)] == [20, 20]


async def under_way(world: World) -> list[UUID]:
    """Out of which wallets."""
    rows = await world.app.db.pool.fetch(
        "SELECT wallet_id FROM conversion WHERE NOT has_arrived AND group_id = $1", world.group_id
    )
    return [row["wallet_id"] for row in rows]


async def test_events_say_that_the_group_s_points_became_fewer_or_more(wallets: Wallets) -> None:
    world = wallets.world
    there = await publish(wallets, wallets.own, wallets.hotel, (2, 1))
    back = await publish(wallets, wallets.hotel, wallets.own, (1, 2))
    await world.sell(5_000)
    out = await convert(wallets, wallets.own, wallets.hotel, 20, there)
    await convert(wallets, wallets.hotel, wallets.own, 10, back)
    rows = await world.app.db.pool.fetch(
        "SELECT * FROM ledger_outbox WHERE kind IN (20, 21) AND group_id = $1", world.group_id
    )
    events = {(event.type.rpartition(".")[2], row["kind"]): event for row in rows for event in events_of(row)}
    assert set(events) == {
        ("PointsConvertedOut", 21),
        ("PointsConvertedIn", 20),
        ("CurrencyMoved", 20),
        ("CurrencyMoved", 21),
    }
    went = events_pb2.PointsConvertedOut.FromString(events["PointsConvertedOut", 21].payload)
    came = events_pb2.PointsConvertedIn.FromString(events["PointsConvertedIn", 20].payload)
    assert (went.txn_id, went.points, went.to_currency_id) == (out.txn_id, 20, wallets.hotel)
    assert (came.points, came.from_currency_id, came.member_id) == (5, wallets.hotel, world.member_id())
    assert [(lot.issuer_merchant_id, lot.points) for lot in came.lots] == [(wallets.merchant(0), 5)]


@pytest.mark.parametrize("seed", range(3))
async def test_conversion_to_and_fro_makes_no_points(wallets: Wallets, seed: int) -> None:
    world, chance = wallets.world, random.Random(seed)
    there = await publish(wallets, wallets.own, wallets.hotel, (7, 3))
    back = await publish(wallets, wallets.hotel, wallets.own, (3, 7))
    for number in range(3):
        for shop in range(3):
            await world.sell(chance.randrange(1_000, 5_000), member=number, shop=shop)
    before = sum([(await world.balance(number)).available_points for number in range(3)])

    async def move() -> Any:
        who, points = chance.randrange(3), chance.randint(1, 40)
        if chance.random() < 0.5:
            return await convert(wallets, wallets.own, wallets.hotel, points, there, who=who)
        return await convert(wallets, wallets.hotel, wallets.own, points, back, who=who)

    answers = await asyncio.gather(*(move() for _ in range(100)), return_exceptions=True)
    reasons = {answer.reason for answer in answers if isinstance(answer, AppError)}
    assert reasons <= {"INSUFFICIENT_POINTS", "CONVERSION_AMOUNT_INVALID"}
    assert all(not isinstance(answer, BaseException) or isinstance(answer, AppError) for answer in answers)
    own = sum([(await world.balance(number)).available_points for number in range(3)])
    hotel = sum([(await wallets.balance(wallets.hotel, number)).available_points for number in range(3)])
    # Rounding is at the member's cost, never at the issuers'.
    assert own * 7 + hotel * 3 <= before * 7
