"""What the sales of each member may earn in a day and a month holds over all rules, however many tills sell at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from huitong.points.v1 import points_pb2
from services.points.convert import to_date
from services.points.earning.caps import Caps
from tests.integration.points.test_budgets import adds_up, bit, budget
from tests.integration.points.test_caps import extra, used
from tests.integration.points.test_rules_life import Office, offer, with_offers
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World

DAY = datetime(2017, 3, 8, 4, tzinfo=UTC)
MEMBER_DAY, MEMBER_MONTH = points_pb2.SALE_LIMIT_MEMBER_DAY, points_pb2.SALE_LIMIT_MEMBER_MONTH


async def publish(
    world: World, *offers: points_pb2.EarningRule, changes: dict[str, Any] | None = None, **ceiling: int
) -> None:
    """Rules in force since long, with a ceiling for every member."""
    member_ceiling = points_pb2.MemberCeiling(**ceiling)
    values = {"effective_date": to_date(date(2016, 1, 1)), "member_ceiling": member_ceiling, **(changes or {})}
    await world.publish(with_offers(world, *offers, **values))


async def test_a_member_s_day_is_given_to_the_point_by_many_tills_at_once(world: World) -> None:
    await publish(world, points_per_day=105)
    answers = await asyncio.gather(
        *(world.sell(1_000, member=number % 2, shop=number % 3, sale_time=DAY) for number in range(60))
    )
    for member in range(2):
        own = [answer for answer in answers if answer.member_id == world.member_id(member)]
        assert sorted(answer.points for answer in own) == [0] * 19 + [5] + [10] * 10
        assert all(adds_up(answer, 10) for answer in own)
        assert [bit(answer) for answer in own if answer.points == 5] == [[(MEMBER_DAY, 105, 5)]]
        assert (await world.balance(member)).earned_points_total == 105
    assert await used(world) == [105, 105]


async def test_sales_of_one_batch_take_in_their_order(world: World) -> None:
    await publish(world, points_per_day=25)
    request = points_pb2.RecordSalesRequest(sales=[world.sale(1_000, sale_time=DAY) for _ in range(4)])
    answer = await world.call(world.sales.RecordSales, request)
    assert [result.recorded.points for result in answer.results] == [10, 10, 5, 0]
    assert [bit(result.recorded) for result in answer.results] == [
        [],
        [],
        [(MEMBER_DAY, 25, 5)],
        [(MEMBER_DAY, 25, 0)],
    ]


async def test_days_and_months_are_where_the_store_is(world: World) -> None:
    await publish(world, points_per_day=15, points_per_month=30)
    assert (await world.sell(1_000, sale_time=DAY)).points == 10
    full = await world.sell(1_000, sale_time=DAY)
    assert (full.points, bit(full)) == (5, [(MEMBER_DAY, 15, 5)])
    assert (await world.sell(1_000, sale_time=DAY, member=1)).points == 10  # another member has a day of its own
    # 16:00 UTC is the next day in Shanghai.
    assert (await world.sell(1_000, sale_time=DAY.replace(hour=16))).points == 10
    full = await world.sell(1_000, shop=1, sale_time=DAY + timedelta(days=5))
    assert (full.points, bit(full)) == (5, [(MEMBER_MONTH, 30, 5)])
    # 23:59 on the last of March in Shanghai, and a minute later.
    last = datetime(2017, 3, 31, 15, 59, tzinfo=UTC)
    empty = await world.sell(1_000, sale_time=last)
    assert (empty.points, bit(empty)) == (0, [(MEMBER_MONTH, 30, 0)])
    assert (await world.sell(1_000, sale_time=last + timedelta(minutes=1))).points == 10


async def test_base_thresholds_and_tier_count_and_each_gives_up_its_share(world: World) -> None:
    await world.join(1, tier="GOLD", multiplier_bps=12_500)
    threshold = points_pb2.EarningRule(
        rule_id="from-20", kind=points_pb2.RULE_KIND_THRESHOLD, min_amount_minor=2_000, bonus_bps=10_000
    )
    await publish(world, threshold, points_per_day=30)
    answer = await world.sell(1_000, 1_000, member=3, sale_time=DAY)
    assert (answer.points, bit(answer)) == (30, [(MEMBER_DAY, 30, 30)])
    assert adds_up(answer, 50)  # (20 + 20) × 1.25
    assert [rule.points for rule in answer.explanation.rules] == [12, 12, 6]
    assert [line.points for line in answer.explanation.lines] == [15, 15]


async def test_it_is_taken_after_what_rules_may_give_and_beside_budgets_and_the_group_s_ceiling(world: World) -> None:
    changes = {
        "store_budgets": [budget(world, points_in_all=22)],
        "issuance_ceiling": points_pb2.IssuanceCeiling(points_per_month=1_000),
    }
    await publish(world, offer(bonus_bps=10_000, budget_points=4), points_per_day=20, changes=changes)
    first = await world.sell(1_000, sale_time=DAY)
    assert (first.points, extra(first), bit(first)) == (14, (4, 6), [])
    second = await world.sell(1_000, sale_time=DAY)
    assert (second.points, bit(second)) == (6, [(points_pb2.SALE_LIMIT_STORE, 22, 8), (MEMBER_DAY, 20, 6)])
    third = await world.sell(1_000, member=1, sale_time=DAY)
    assert (third.points, bit(third)) == (2, [(points_pb2.SALE_LIMIT_STORE, 22, 2)])
    # Nobody's limit has lost more than was given.
    assert await used(world) == sorted([4, 20, 2, 22, 22])


async def test_a_replayed_sale_takes_once_and_answers_the_same(world: World) -> None:
    await publish(world, points_per_day=15)
    await world.sell(1_000, sale_time=DAY)
    sale = world.sale(1_000, sale_time=DAY)
    answers = await asyncio.gather(*(world.call(world.sales.RecordSale, sale) for _ in range(10)))
    assert {(answer.points, tuple(bit(answer))) for answer in answers} == {(5, ((MEMBER_DAY, 15, 5),))}
    assert await used(world) == [15]


async def test_a_sale_cut_off_after_taking_finds_what_it_was_given(world: World, monkeypatch: Any) -> None:
    await publish(world, points_per_day=15)
    sale = world.sale(1_000, sale_time=DAY)
    take = Caps.take

    async def cut_off(self: Caps, takings: Any) -> Any:
        await take(self, takings)
        raise ConnectionResetError

    monkeypatch.setattr(Caps, "take", cut_off)
    await refused(world.call(world.sales.RecordSale, sale), "UNAVAILABLE")
    monkeypatch.setattr(Caps, "take", take)
    assert (await world.sell(1_000, sale_time=DAY)).points == 5
    assert (await world.call(world.sales.RecordSale, sale)).points == 10
    assert await used(world) == [15]


async def test_a_return_takes_back_what_was_given_and_the_day_stays_full(world: World) -> None:
    await publish(world, points_per_day=7)
    sale = world.sale(500, 500, sale_time=DAY)
    assert (await world.call(world.sales.RecordSale, sale)).points == 7
    assert (await world.call(world.sales.RefundSale, world.refund(sale, (1, 500)))).clawed_back_points == 4
    assert (await world.call(world.sales.RefundSale, world.refund(sale, (2, 500)))).clawed_back_points == 3
    assert (await world.sell(1_000, sale_time=DAY)).points == 0


async def test_one_below_what_members_have_earned_is_drafted_and_takes_nothing_back(world: World) -> None:
    office = Office(world)
    await publish(world, points_per_day=1_000)
    await world.sell(6_000)
    draft = await office.draft(world.rule_set(member_ceiling=points_pb2.MemberCeiling(points_per_day=59)))
    begin = (await office.approve(draft)).rule_set.effective_time.ToDatetime(tzinfo=UTC)
    answer = await world.sell(1_000, sale_time=begin)
    assert (answer.points, bit(answer)) == (0, [(MEMBER_DAY, 59, 0)])
    assert (await world.balance()).available_points == 60


@pytest.mark.parametrize("ceiling", [{}, {"points_per_day": 0}])
async def test_a_ceiling_that_says_nothing_is_refused(world: World, ceiling: dict[str, int]) -> None:
    rule_set = world.rule_set(member_ceiling=points_pb2.MemberCeiling(**ceiling))
    error = await refused(Office(world).draft(rule_set), "RULES_INVALID")
    assert error.values["problem"] == "the member ceiling has no limit"
