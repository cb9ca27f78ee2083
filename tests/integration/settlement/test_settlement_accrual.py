"""Facts into money, on a real database through the real consumers: every kind, any order, exactly once."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime

import pytest

from huitong.settlement.v1 import settlement_pb2 as pb
from tests.integration.settlement.feed import (
    NOON,
    Feed,
    clawed,
    coupon,
    credited,
    debited,
    earned,
    expired,
    lot_id,
    merchant_id,
    redeemed,
    reversed_redemption,
    share,
    stay,
    txn_id,
)


async def with_contracts(feed: Feed) -> None:
    await feed.structure("grocer", "baker", "spa")
    await feed.structure("parking", unit="car-park")
    await feed.set_contract("grocer", issue_price_centi=310, redeem_price_centi=270, platform_fee_bps=200)
    await feed.set_contract("baker", issue_price_centi=335, merchant_keeps_breakage=True)
    await feed.set_contract("spa", redeem_price_centi=275, platform_fee_bps=250)
    await feed.set_contract("parking", redeem_price_centi=300, parking_waiver_bps=5000)


async def test_each_movement_moves_money_between_its_accounts(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.send("points", earned("a", 1000), earned("b", 101, merchant="baker"))
    await feed.send("points", clawed("a", 333))
    await feed.send("points", redeemed("r", share("a", "grocer", 400), share("b", "baker", 100)))
    await feed.send("points", expired("x", share("a", "grocer", 7), share("b", "baker", 1)))
    await feed.send("mall", coupon("c", 125, 5000))
    await feed.send("parking", stay("s", 801))

    grocer = (await feed.statement("grocer")).statement
    assert (grocer.issued_points, grocer.clawed_back_points, grocer.expired_points) == (1000, 333, 7)
    # 1000 × 3.10; 333 × 3.10 = 1032.3; half of 1.25 rounded up; breakage is the platform's
    assert (grocer.issue_charge_minor, grocer.claw_back_minor, grocer.coupon_minor) == (-3100, 1032, 63)
    assert (grocer.breakage_minor, grocer.spent_points, grocer.redeemed_points) == (0, 400, 0)
    assert grocer.net_minor == -3100 + 1032 + 63

    baker = (await feed.statement("baker")).statement
    # 101 × 3.35 = 338.35; 1 × 3.35 comes back to it
    assert (baker.issue_charge_minor, baker.breakage_minor, baker.spent_points) == (-338, 3, 100)

    spa = (await feed.statement("spa")).statement
    # 500 × 2.75; 2.5% of 1375 = 34.375
    assert (spa.redeemed_points, spa.reimbursement_minor, spa.platform_fee_minor) == (500, 1375, -34)

    parking = (await feed.statement("parking")).statement
    assert parking.parking_waiver_minor == 401  # half of 801, rounded up

    totals = await feed.call("GetSettlementTotals", pb.GetSettlementTotalsRequest())
    assert totals.imbalance_minor == 0
    # 7 × 3.10 = 21.7 → 22 kept, 34 fee, less 63 and 401
    assert totals.platform_minor == 22 + 34 - 63 - 401


async def test_a_statement_leads_down_to_lots_and_their_issuers(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.send("points", earned("a", 1000), earned("b", 101, merchant="baker"))
    await feed.send("points", redeemed("r", share("a", "grocer", 2), share("b", "baker", 1)))
    movement = (await feed.statement("spa")).movements[0]
    assert (movement.kind, movement.points, movement.source_id) == (pb.ACCRUAL_KIND_REDEEM, 3, txn_id("redeem-r"))
    assert movement.amount_minor == 8  # 3 × 2.75 = 8.25, no fee on so little
    # 8 shared 2 : 1 is 5⅓ : 2⅔; the larger remainder gets the odd fen
    assert [(lot.lot_id, lot.issuer_merchant_id, lot.points, lot.amount_minor) for lot in movement.lots] == [
        (lot_id("a"), merchant_id("grocer"), 2, 5),
        (lot_id("b"), merchant_id("baker"), 1, 3),
    ]
    issue = (await feed.statement("grocer")).movements[0]
    assert [(lot.lot_id, lot.points, lot.amount_minor) for lot in issue.lots] == [(lot_id("a"), 1000, -3100)]


async def test_movements_are_paged_oldest_first(feed: Feed) -> None:
    await with_contracts(feed)
    for hour in (5, 3, 4):
        await feed.send("points", earned(f"p{hour}", hour), at=datetime(2017, 3, 15, hour, tzinfo=UTC))
    request = pb.GetStatementRequest(period="2017-03", merchant_id=merchant_id("grocer"), page_size=2)
    first = await feed.call("GetStatement", request)
    request.page_token = first.next_page_token
    second = await feed.call("GetStatement", request)
    assert [movement.points for movement in (*first.movements, *second.movements)] == [3, 4, 5]
    assert not second.next_page_token


async def test_a_full_return_in_parts_gives_back_exactly_the_charge(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.send("points", earned("a", 101, merchant="baker"))
    for number, points in enumerate((33, 33, 35)):
        await feed.send("points", clawed("a", points, number, merchant="baker"))
    assert (await feed.statement("baker")).statement.net_minor == 0


async def test_a_credit_by_hand_is_charged_to_its_issuer_and_a_debit_gives_the_charge_back(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.send("points", credited("m", 1000), earned("b", 101, merchant="baker"))
    await feed.send("points", debited("d", share("m", "grocer", 333), share("b", "baker", 100)))
    grocer, baker = (await feed.statement("grocer")).statement, (await feed.statement("baker")).statement
    assert (grocer.issued_points, grocer.clawed_back_points) == (1000, 333)
    # 1000 × 3.10; 333 × 3.10 = 1032.3
    assert (grocer.issue_charge_minor, grocer.claw_back_minor) == (-3100, 1032)
    assert (baker.clawed_back_points, baker.claw_back_minor) == (100, 335)
    movement = next(one for one in (await feed.statement("baker")).movements if one.points == 100)
    assert (movement.kind, movement.source_id) == (pb.ACCRUAL_KIND_CLAW_BACK, txn_id("debit-d"))
    assert [(lot.lot_id, lot.points, lot.amount_minor) for lot in movement.lots] == [(lot_id("b"), 100, 335)]


async def test_a_lot_debited_in_parts_gives_back_exactly_its_charge(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.send("points", credited("m", 101, merchant="baker"))
    for number, points in enumerate((33, 33, 35)):
        await feed.send("points", debited(f"d{number}", share("m", "baker", points)))
    assert (await feed.statement("baker")).statement.net_minor == 0


async def test_a_debit_and_a_return_of_one_sale_are_both_taken_as_they_come(feed: Feed) -> None:
    await with_contracts(feed)
    # The lot was debited by hand, so the return of its sale found its points in another lot.
    await feed.send("points", earned("a", 100), earned("b", 100, merchant="baker"))
    await feed.send("points", debited("d", share("a", "grocer", 100)), clawed("a", 100))
    grocer = (await feed.statement("grocer")).statement
    assert (grocer.issued_points, grocer.clawed_back_points) == (100, 200)
    assert (grocer.issue_charge_minor, grocer.claw_back_minor) == (-310, 620)


async def test_a_debit_of_more_than_its_lot_had_is_parked(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.send("points", credited("m", 100, repaid=40))
    await feed.send("points", debited("d", share("m", "grocer", 61)))
    assert await feed.app.db.pool.fetchval("SELECT count(*) FROM parked_event") == 1
    await feed.send("points", debited("e", share("m", "grocer", 60)))
    assert (await feed.statement("grocer")).statement.clawed_back_points == 60


async def test_a_redemption_given_back_in_parts_leaves_nothing_but_its_history(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.send("points", earned("a", 1000))
    await feed.send("points", redeemed("r", share("a", "grocer", 1000)))
    for number, points in enumerate((333, 333, 334)):
        await feed.send("points", reversed_redemption("r", share("a", "grocer", points), number=number))
    spa = (await feed.statement("spa")).statement
    assert (spa.redeemed_points, spa.reimbursement_minor, spa.platform_fee_minor, spa.net_minor) == (0, 0, 0, 0)
    assert len((await feed.statement("spa")).movements) == 4


async def test_a_coupon_reversal_is_the_opposite(feed: Feed) -> None:
    await with_contracts(feed)
    # The reversal may even be told before the write-off: each is complete in itself.
    await feed.send("mall", coupon("c", 125, 5000, is_reversal=True))
    await feed.send("mall", coupon("c", 125, 5000))
    assert (await feed.statement("grocer")).statement.coupon_minor == 0


async def test_a_pack_that_comes_again_changes_nothing(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.send("points", earned("a", 1000), clawed("a", 10), redeemed("r", share("a", "grocer", 20)))
    before = await feed.snapshot()
    for pack in feed.sent:
        await feed.take(pack)
    assert await feed.snapshot() == before


async def test_the_same_movement_in_a_new_pack_is_not_accrued_again(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.send("points", earned("a", 1000), redeemed("r", share("a", "grocer", 20)), stay_free("s"))
    before = await feed.snapshot()
    await feed.send("points", earned("a", 1000), redeemed("r", share("a", "grocer", 20)))
    assert await feed.snapshot() == before


def stay_free(name: str):
    return stay(name, 0)


async def test_facts_that_come_before_the_structure_wait_for_it(feed: Feed) -> None:
    # Midnight in Shanghai: the zone decides the month, so it must be known.
    late = datetime(2017, 3, 31, 16, 30, tzinfo=UTC)
    await feed.send("points", earned("a", 1000), clawed("a", 10), at=late)
    assert await feed.app.db.pool.fetchval("SELECT count(*) FROM deferred_fact") == 2
    await feed.send("org", feed.merchant_saved("grocer"))
    assert await feed.app.db.pool.fetchval("SELECT count(*) FROM entry") == 0
    await feed.send("org", feed.unit_saved("mall"))
    assert (await feed.statement("grocer", "2017-03")).statement.issued_points == 1000
    assert (await feed.statement("grocer", "2017-04")).statement.clawed_back_points == 10


@pytest.mark.parametrize("seed", range(4))
async def test_order_between_producers_does_not_matter(feed: Feed, seed: int) -> None:
    streams = {
        "org": [
            feed.unit_saved("mall"),
            feed.unit_saved("car-park"),
            *(feed.merchant_saved(name) for name in ("grocer", "baker", "spa")),
            feed.merchant_saved("parking", "car-park"),
        ],
        "points": [
            earned("a", 1000),
            earned("b", 101, merchant="baker"),
            clawed("a", 333),
            redeemed("r", share("a", "grocer", 400), share("b", "baker", 100)),
            reversed_redemption("r", share("a", "grocer", 150)),
            expired("x", share("a", "grocer", 7), share("b", "baker", 1)),
            clawed("a", 100, 2),
            credited("m", 50, merchant="baker"),
            debited("d", share("m", "baker", 20), share("a", "grocer", 5)),
        ],
        "mall": [coupon("c", 125, 5000), coupon("c", 125, 5000, is_reversal=True), coupon("d", 70, 10000)],
        "parking": [stay("s", 801), stay("t", 0)],
    }
    chance = random.Random(seed)
    while streams:
        producer = chance.choice(sorted(streams))
        await feed.send(producer, streams[producer].pop(0))
        if not streams[producer]:
            del streams[producer]
    await feed.jobs.post_waiting(NOON)
    answer = await feed.call("ListStatements", pb.ListStatementsRequest(period="2017-03"))
    nets = {one.merchant_id: one.net_minor for one in answer.statements}
    assert nets == {
        merchant_id("grocer"): -1000 + 433 + 70 + 5,
        merchant_id("baker"): -101 - 50 + 20,
        merchant_id("spa"): 350,
        merchant_id("parking"): 0,
    }


async def test_two_lanes_and_three_producers_at_once(feed: Feed) -> None:
    await with_contracts(feed)
    merchants = ("grocer", "baker", "spa")
    packs = []
    for number in range(8):
        for lane in (0, 1):
            names = [f"{lane}-{number}-{index}" for index in range(30)]
            packs.append(
                feed.pack("points", [earned(name, 10, merchants[i % 3]) for i, name in enumerate(names)], lane=lane)
            )
        packs.append(
            feed.pack("mall", [coupon(f"{number}-{i}", 100, 5000, merchant=merchants[-i % 3]) for i in range(20)])
        )

    async def run(producer: str, lane: int) -> None:
        for pack in packs:
            if (pack.producer, pack.lane) == (producer, lane):
                await feed.take(pack)

    await asyncio.gather(run("points", 0), run("points", 1), run("mall", 0))
    assert await feed.app.db.pool.fetchval("SELECT sum(issued_points) FROM total") == 8 * 2 * 30 * 10
    assert await feed.app.db.pool.fetchval("SELECT count(*) FROM entry WHERE kind = 6") == 160


async def test_a_fact_that_contradicts_is_parked_and_the_stream_goes_on(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.send("points", earned("a", 100), clawed("a", 101), earned("b", 5))
    assert (await feed.statement("grocer")).statement.issued_points == 105
    assert await feed.app.db.pool.fetchval("SELECT count(*) FROM parked_event") == 1


async def test_packs_from_the_real_stream_are_accrued(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.publish(feed.pack("points", [earned(f"n{number}", 10) for number in range(100)]))
    async with asyncio.timeout(15):
        while not (await feed.statement("grocer")).statement.issued_points:
            await asyncio.sleep(0.05)
    assert (await feed.statement("grocer")).statement.issued_points == 1000


async def test_another_groups_facts_and_statements_stay_apart(feed: Feed) -> None:
    from chassis import ids
    from chassis.errors import AppError

    await with_contracts(feed)
    await feed.send("points", earned("a", 1000))
    other = ids.derive("group", "other")
    request = pb.GetStatementRequest(period="2017-03", merchant_id=merchant_id("grocer"))
    with pytest.raises(AppError) as refused:
        await feed.call("GetStatement", request, other)
    assert refused.value.reason == "MERCHANT_UNKNOWN"
    assert not (await feed.call("ListStatements", pb.ListStatementsRequest(period="2017-03"), other)).statements
    # A movement that names another group's merchant never reaches that merchant's books.
    await feed.take(feed.pack("points", [earned("z", 7)], group_id=other))
    assert (await feed.statement("grocer")).statement.issued_points == 1000
    await feed.app.db.pool.execute("DELETE FROM deferred_fact")
