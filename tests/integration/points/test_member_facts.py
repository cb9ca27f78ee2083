"""Facts about members that take a question: segments, first purchases; and what stores and tills say beside."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis import ids, rpc
from huitong.org.v1 import org_pb2
from huitong.points.v1 import points_pb2, rules_pb2, segments_pb2, segments_pb2_grpc
from services.points import store
from services.points.convert import to_date
from services.points.earning.first_purchases import FirstPurchases
from tests.apps import system
from tests.integration.points.test_caps import DAY, extra, publish
from tests.integration.points.test_merging import ABSORBED, SURVIVOR
from tests.integration.points.test_merging import Office as MergingOffice
from tests.integration.points.test_rules_life import Office, offer, with_offers
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World


def welcome(where: str = "member.first_in_group", **values: Any) -> points_pb2.EarningRule:
    return offer("welcome", **{"bonus_bps": 0, "fixed_points": 100, "condition": where, **values})


async def change(world: World, segment: str, *, add: list[int] | None = None, remove: list[int] | None = None) -> Any:
    request = segments_pb2.ChangeSegmentRequest(
        request_id=world.request_id(),
        segment=segment,
        add_member_ids=[world.member_id(number) for number in add or ()],
        remove_member_ids=[world.member_id(number) for number in remove or ()],
    )
    stub = world.apps.stub(segments_pb2_grpc.SegmentServiceStub, "points")
    return await world.call(stub.ChangeSegment, request, system(world.group_id))


def welcomed(answer: points_pb2.RecordSaleResponse) -> bool:
    return any(rule.rule_id == "welcome" for rule in answer.explanation.rules)


# ---- first purchases


async def test_one_of_many_tills_at_once_sells_the_first_purchase(world: World) -> None:
    await publish(world, welcome())
    answers = await asyncio.gather(*(world.sell(1_000, shop=number % 3, sale_time=DAY) for number in range(30)))
    assert sorted(answer.points for answer in answers) == [10] * 29 + [110]
    # Another member has a first purchase of their own.
    assert (await world.sell(1_000, member=1, sale_time=DAY)).points == 110


async def test_in_a_batch_the_first_of_a_member_is_the_first(world: World) -> None:
    await publish(world, welcome())
    sales = [
        world.sale(amount, sale_time=DAY, member=member) for amount, member in ((0, 0), (500, 0), (500, 0), (500, 1))
    ]
    answer = await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=sales))
    # A sale of nothing is nobody's first purchase.
    assert [welcomed(result.recorded) for result in answer.results] == [False, True, False, True]


async def test_a_sale_that_earns_too_much_once_more_is_known_holds_up_no_other(world: World) -> None:
    most = points_pb2.EarningRule(
        rule_id="most", kind=points_pb2.RULE_KIND_OFFER, bonus_bps=10_000, condition="member.first_in_group"
    )
    await world.publish(world.rule_set(base_points=1_000_000, base_step_minor=1, rules=[*world.rule_set().rules, most]))
    sales = [world.sale(amount, member=member) for amount, member in ((1_000, 0), (600_000, 1), (1_000, 2))]
    answer = await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=sales))
    assert [result.problem.reason for result in answer.results] == ["", "SALE_EARNS_TOO_MUCH", ""]
    assert [result.recorded.points for result in answer.results] == [2_000_000_000, 0, 2_000_000_000]


async def test_a_first_purchase_sent_again_stays_the_first(world: World) -> None:
    await publish(world, welcome())
    sale = world.sale(1_000, sale_time=DAY)
    answers = await asyncio.gather(*(world.call(world.sales.RecordSale, sale) for _ in range(10)))
    assert {answer.points for answer in answers} == {110}
    assert (await world.call(world.sales.RefundSale, world.refund(sale))).clawed_back_points == 110
    # Neither its return nor a sale of an earlier day that comes in late makes another one the first.
    assert (await world.sell(1_000, sale_time=DAY - timedelta(days=3))).points == 10


async def test_a_sale_cut_off_after_its_claim_is_still_the_first(world: World, monkeypatch: Any) -> None:
    await publish(world, welcome())
    sale = world.sale(1_000, sale_time=DAY)
    decide = FirstPurchases.decide

    async def cut_off(self: FirstPurchases, *values: Any, **options: Any) -> Any:
        await decide(self, *values, **options)
        raise ConnectionResetError

    monkeypatch.setattr(FirstPurchases, "decide", cut_off)
    await refused(world.call(world.sales.RecordSale, sale), "UNAVAILABLE")
    monkeypatch.setattr(FirstPurchases, "decide", decide)
    assert (await world.sell(1_000, sale_time=DAY)).points == 10
    assert (await world.call(world.sales.RecordSale, sale)).points == 110


async def test_a_refused_request_takes_nobody_s_first_purchase(world: World) -> None:
    await publish(world, welcome())
    await world.sell(1_000, member=1, sale_time=DAY, request_id="request-used")
    await refused(world.sell(1_000, sale_time=DAY, request_id="request-used"), "REQUEST_ID_REUSED")
    assert (await world.sell(1_000, sale_time=DAY)).points == 110


async def test_purchases_from_before_the_rule_count(world: World) -> None:
    await world.sell(1_000, sale_time=DAY)  # by rules that do not ask
    await publish(world, welcome(), offer("store", bonus_bps=0, fixed_points=30, condition="member.first_in_store"))
    first = await world.sell(1_000, member=1, sale_time=DAY)
    assert first.points == 10 + 100 + 30
    old = await world.sell(1_000, sale_time=DAY)
    assert old.points == 10  # known in the group and in this store
    other_store = await world.sell(1_000, shop=1, sale_time=DAY)
    assert other_store.points == 10 + 30
    assert (await world.sell(1_000, shop=1, sale_time=DAY)).points == 10


async def test_what_an_absorbed_member_bought_is_the_survivor_s_too(world: World) -> None:
    await world.sell(1_000, member=ABSORBED, shop=1)
    await world.sell(1_000, member=SURVIVOR, shop=2)
    await publish(world, welcome(), offer("store", bonus_bps=0, fixed_points=30, condition="member.first_in_store"))
    merging = MergingOffice(world)
    await merging.merge()
    quoted = await Office(world).quote(world.sale(1_000, member=ABSORBED, shop=0))
    # Neither in the group nor in one another's stores; in the third it is, once for both.
    stores = [(SURVIVOR, 1), (ABSORBED, 2), (ABSORBED, 0), (SURVIVOR, 0)]
    answers = [await world.sell(1_000, member=member, shop=shop) for member, shop in stores]
    assert [answer.points for answer in answers] == [10, 10, 40, 10]
    assert quoted.points == 40


async def test_a_unit_s_first_purchase_looks_at_all_its_stores(world: World) -> None:
    async with world.app.db.transaction(rpc.internal_caller("points", world.group_id)) as tx:
        moved = org_pb2.Store(
            store_id=ids.to_edge("sto", world.stores[2]),
            merchant_id=ids.to_edge("mch", world.merchants[2]),
            business_unit_id=ids.to_edge("unt", ids.derive("hotel", world.group_id)),
            time_zone="Asia/Shanghai",
            currency_code="CNY",
        )
        await store.save_stores(tx, world.group_id, [moved])
        await store.count_change(tx, [world.group_id])
    await world.sell(1_000, shop=0, sale_time=DAY)
    await publish(world, welcome("member.first_in_unit"))
    assert not welcomed(await world.sell(1_000, shop=1, sale_time=DAY))
    assert welcomed(await world.sell(1_000, shop=2, sale_time=DAY))
    assert not welcomed(await world.sell(1_000, shop=2, sale_time=DAY))


async def test_a_quote_says_what_would_be_and_claims_nothing(world: World) -> None:
    await publish(world, welcome())
    office = Office(world)
    sale = world.sale(1_000, sale_time=DAY)
    assert (await office.quote(sale)).points == (await office.quote(world.sale(1_000, sale_time=DAY))).points == 110
    assert (await world.call(world.sales.RecordSale, sale)).points == 110
    assert (await office.quote(world.sale(1_000, sale_time=DAY))).points == 10


async def test_a_simulation_knows_first_purchases_and_segments(world: World) -> None:
    await change(world, "commuters", add=[1])
    now = datetime.now(UTC)
    for member, when in ((0, DAY), (0, DAY), (1, DAY), (1, now)):
        await world.sell(1_000, member=member, sale_time=when)
    office = Office(world)
    commuters = offer("commuters", bonus_bps=10_000, condition='"commuters" in member.segments')
    draft = await office.draft(with_offers(world, welcome(), commuters))
    done = await office.simulate(draft.draft_id, DAY.date(), now.date() + timedelta(days=1))
    assert done.state == rules_pb2.RULE_SIMULATION_STATE_DONE, done.problem
    by_rule = {rule.rule_id: rule.points for rule in done.result.rules}
    # Two members bought first; only the last sale was made by a commuter.
    assert (by_rule["welcome"], by_rule["commuters"]) == (200, 10)


# ---- segments


async def test_a_segment_counts_from_when_a_member_is_in_it_until_taken_out(world: World) -> None:
    await publish(world, offer(bonus_bps=10_000, condition='"parents" in member.segments'))
    before = datetime.now(UTC)
    changed = await change(world, "parents", add=[0, 1])
    assert (changed.added_count, changed.removed_count) == (2, 0)
    during = datetime.now(UTC)
    assert extra(await world.sell(1_000, sale_time=during)) == (10, 0)
    assert (await world.sell(1_000, member=2, sale_time=during)).points == 10
    assert (await change(world, "parents", add=[0], remove=[1, 2])).removed_count == 1
    after = datetime.now(UTC)
    # Sales that come late keep what was.
    assert [
        (await world.sell(1_000, member=member, sale_time=when)).points
        for member, when in ((0, before), (0, after), (1, before), (1, during), (1, after))
    ] == [10, 20, 10, 20, 10]


async def test_changing_a_segment_again_changes_nothing(world: World) -> None:
    request = segments_pb2.ChangeSegmentRequest(
        request_id="segment-change-1", segment="parents", add_member_ids=[world.member_id()]
    )
    stub = world.apps.stub(segments_pb2_grpc.SegmentServiceStub, "points")
    answers = await asyncio.gather(*(world.call(stub.ChangeSegment, request, system(world.group_id)) for _ in range(5)))
    assert {answer.added_count for answer in answers} == {1}
    assert (await change(world, "parents", add=[0])).added_count == 0
    listed = await world.call(
        stub.ListMemberSegments,
        segments_pb2.ListMemberSegmentsRequest(member_id=world.member_id()),
        system(world.group_id),
    )
    assert [(one.segment, one.start_time) for one in listed.segments] == [("parents", answers[0].change_time)]


async def test_wrong_segment_changes_change_nobody(world: World) -> None:
    stub = world.apps.stub(segments_pb2_grpc.SegmentServiceStub, "points")
    stranger = ids.to_edge("mbr", ids.derive("nobody"))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"segment": "parents", "add_member_ids": [world.member_id(), stranger]}, "MEMBER_UNKNOWN"),
        ({"segment": "parents", "add_member_ids": [world.member_id()] * 2}, "INVALID_ARGUMENT"),
        ({"segment": "Parents!", "add_member_ids": [world.member_id()]}, "INVALID_ARGUMENT"),
    ]
    for values, reason in cases:
        request = segments_pb2.ChangeSegmentRequest(request_id=world.request_id(), **values)
        await refused(world.call(stub.ChangeSegment, request, system(world.group_id)), reason)
    assert (
        await world.app.db.pool.fetchval("SELECT count(*) FROM member_segment WHERE group_id = $1", world.group_id) == 0
    )


# ---- stores and tills


async def test_a_newly_opened_shop_is_one_for_its_first_days(world: World) -> None:
    async with world.app.db.transaction(rpc.internal_caller("points", world.group_id)) as tx:
        opened = org_pb2.Store(
            store_id=ids.to_edge("sto", world.stores[0]),
            merchant_id=ids.to_edge("mch", world.merchants[0]),
            business_unit_id=ids.to_edge("unt", ids.derive("unit", world.group_id)),
            time_zone="Asia/Shanghai",
            currency_code="CNY",
            opening_date=to_date(date(2017, 3, 1)),
        )
        await store.save_stores(tx, world.group_id, [opened])
        await store.count_change(tx, [world.group_id])
    await publish(world, offer(bonus_bps=10_000, condition="store.days_open >= 1 && store.days_open <= 8"))
    assert (await world.sell(1_000, sale_time=DAY)).points == 20  # the eighth day
    assert (await world.sell(1_000, sale_time=DAY + timedelta(days=1))).points == 10
    assert (await world.sell(1_000, sale_time=DAY - timedelta(days=8))).points == 10  # not open yet
    assert (await world.sell(1_000, shop=1, sale_time=DAY)).points == 10  # nobody said when


async def test_excluded_items_tenders_and_tax_earn_nothing_and_the_explanation_says_so(world: World) -> None:
    await world.publish(
        world.rule_set(
            effective_date=to_date(date(2016, 1, 1)),
            excluded_item_codes=["WATER"],
            excluded_tenders=["GIFT_CARD"],
            excludes_tax=True,
        )
    )
    sale = world.sale(11_300, 2_000, sale_time=DAY, tax_minor=1_300)
    sale.lines[0].tax_minor = 1_300
    sale.lines[1].item_code = "WATER"
    sale.tenders.add(kind="GIFT_CARD", amount_minor=6_650)
    sale.tenders.add(kind="CASH", amount_minor=6_650)
    answer = await world.call(world.sales.RecordSale, sale)
    # ¥100 without tax, half of it by gift card.
    assert answer.points == 50
    explanation = answer.explanation
    assert (explanation.eligible_minor, explanation.excluded_tax_minor) == (5_000, 1_300)
    assert explanation.excluded_tender_minor == 6_000  # half of both lines without tax
    assert [line.points for line in explanation.lines] == [50, 0]
    assert (await world.call(world.sales.RefundSale, world.refund(sale, (1, 5_650)))).clawed_back_points == 25


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tenders": [points_pb2.Tender(kind="CASH", amount_minor=999)]}, "TENDERS_DO_NOT_SUM"),
        ({"tenders": [points_pb2.Tender(kind="cash", amount_minor=1_000)]}, "INVALID_ARGUMENT"),
        ({"tenders": [points_pb2.Tender(kind="CASH", amount_minor=-1)]}, "INVALID_ARGUMENT"),
        ({"tax_minor": 1_001}, "TAX_INVALID"),
        ({"tax_minor": -1}, "INVALID_ARGUMENT"),
    ],
)
async def test_tenders_and_tax_that_cannot_be_are_refused(world: World, changes: dict[str, Any], reason: str) -> None:
    await refused(world.sell(1_000, sale_time=DAY, **changes), reason)
    assert await world.app.db.pool.fetchval("SELECT count(*) FROM txn WHERE group_id = $1", world.group_id) == 0
