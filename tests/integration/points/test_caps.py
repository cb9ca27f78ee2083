"""Limits over many sales hold exactly, however many tills sell at once; the remainder is awarded and explained."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

from huitong.points.v1 import points_pb2, rules_pb2
from services.points.convert import to_date
from services.points.earning.caps import Caps
from tests.integration.points.test_rules_life import Office, offer, with_offers
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World

DAY = datetime(2017, 3, 8, 4, tzinfo=UTC)


async def publish(world: World, *offers: points_pb2.EarningRule, **changes: Any) -> None:
    await world.publish(with_offers(world, *offers, **{"effective_date": to_date(date(2016, 1, 1)), **changes}))


def spring(points: int) -> list[points_pb2.CampaignBudget]:
    return [points_pb2.CampaignBudget(budget_id="spring", points=points)]


def extra(
    answer: points_pb2.RecordSaleResponse | rules_pb2.QuoteSaleResponse, rule_id: str = "offer"
) -> tuple[int, int]:
    """What a rule gave for a sale, and what limits took away."""
    (applied,) = [rule for rule in answer.explanation.rules if rule.rule_id == rule_id]
    return applied.points, applied.capped_points


async def used(world: World) -> list[int]:
    rows = await world.app.db.pool.fetch(
        "SELECT used_points FROM cap WHERE group_id = $1 ORDER BY used_points", world.group_id
    )
    return [row["used_points"] for row in rows]


async def test_a_budget_is_given_to_the_point_by_many_tills_at_once(world: World) -> None:
    await publish(world, offer(bonus_bps=10_000, budget_points=105))
    answers = await asyncio.gather(
        *(world.sell(1_000, member=number % 3, shop=number % 3, sale_time=DAY) for number in range(40))
    )
    given = sorted(extra(answer)[0] for answer in answers)
    assert given == [0] * 29 + [5] + [10] * 10
    assert all(sum(extra(answer)) == 10 for answer in answers)
    assert [answer.points for answer in answers] == [10 + extra(answer)[0] for answer in answers]
    assert await used(world) == [105]


async def test_a_batch_takes_from_its_budget_in_its_order(world: World) -> None:
    await publish(world, offer(bonus_bps=10_000, budget_points=25))
    request = points_pb2.RecordSalesRequest(sales=[world.sale(1_000, sale_time=DAY) for _ in range(4)])
    answer = await world.call(world.sales.RecordSales, request)
    assert [extra(result.recorded) for result in answer.results] == [(10, 0), (10, 0), (5, 5), (0, 10)]


async def test_a_full_batch_of_sales_with_many_limits_is_taken(world: World) -> None:
    limits = {"budget_points": 10**9, "max_points_per_member_day": 10**9, "max_points_per_member_month": 10**9}
    await publish(world, *(offer(f"offer-{number}", bonus_bps=10_000, **limits) for number in range(7)))
    sales = [world.sale(1_000, sale_time=DAY, member=number % 3) for number in range(1_000)]
    answer = await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=sales))
    assert {result.recorded.points for result in answer.results} == {80}  # 21,000 times something was taken
    assert await used(world) == sorted([10_000] * 7 + [3_340] * 14 + [3_330] * 28)


async def test_a_member_s_day_and_month_are_where_the_store_is(world: World) -> None:
    await publish(world, offer(bonus_bps=10_000, max_points_per_member_day=15, max_points_per_member_month=30))
    assert extra(await world.sell(1_000, sale_time=DAY)) == (10, 0)
    assert extra(await world.sell(1_000, sale_time=DAY)) == (5, 5)  # the day is full
    assert extra(await world.sell(1_000, sale_time=DAY, member=1)) == (10, 0)  # another member's is not
    # 16:00 UTC is the next day in Shanghai.
    assert extra(await world.sell(1_000, sale_time=DAY.replace(hour=16))) == (10, 0)
    assert extra(await world.sell(1_000, sale_time=DAY + timedelta(days=5))) == (5, 5)  # the month is full
    assert extra(await world.sell(1_000, sale_time=DAY + timedelta(days=31))) == (10, 0)


async def test_the_tightest_limit_counts_and_the_others_lose_no_more(world: World) -> None:
    await publish(world, offer(bonus_bps=10_000, budget_points=100, max_points_per_member_day=7))
    assert extra(await world.sell(1_000, sale_time=DAY)) == (7, 3)
    assert extra(await world.sell(1_000, sale_time=DAY)) == (0, 10)
    assert await used(world) == [7, 7]


async def test_a_rival_without_budget_gives_way_to_the_next_which_takes_in_its_turn(world: World) -> None:
    best: dict[str, Any] = {"combination": points_pb2.COMBINATION_BEST_OF, "combination_group": "spring"}
    await publish(
        world,
        offer("double", bonus_bps=10_000, budget_points=15, **best),
        offer("half", bonus_bps=5_000, budget_points=7, **best),
        offer("tenth", bonus_bps=1_000, **best),
    )
    sales = [world.sale(1_000, sale_time=DAY) for _ in range(5)]
    answers = [await world.call(world.sales.RecordSale, sale) for sale in sales]
    found = [{rule.rule_id: rule.points for rule in answer.explanation.rules[1:]} for answer in answers]
    assert found == [{"double": 10}, {"double": 5}, {"half": 5}, {"half": 2}, {"tenth": 1}]
    assert [answer.points for answer in answers] == [20, 15, 15, 12, 11]
    assert await used(world) == [7, 15]
    again = await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=sales))
    assert [result.recorded.points for result in again.results] == [20, 15, 15, 12, 11]
    assert await used(world) == [7, 15]


async def test_a_replayed_sale_takes_once(world: World) -> None:
    await publish(world, offer(bonus_bps=10_000, budget_points=15))
    sale = world.sale(1_000, sale_time=DAY)
    answers = await asyncio.gather(*(world.call(world.sales.RecordSale, sale) for _ in range(10)))
    assert {answer.points for answer in answers} == {20}
    assert await used(world) == [10]
    assert extra(await world.sell(1_000, sale_time=DAY)) == (5, 5)
    # When the budget is empty the first sale's answer is still what it was.
    assert (await world.call(world.sales.RecordSale, sale)).points == 20


async def test_a_sale_cut_off_after_taking_finds_what_it_was_given(world: World, monkeypatch: Any) -> None:
    await publish(world, offer(bonus_bps=10_000, budget_points=15))
    sale = world.sale(1_000, sale_time=DAY)
    take = Caps.take

    async def cut_off(self: Caps, takings: Any) -> Any:
        await take(self, takings)
        raise ConnectionResetError

    monkeypatch.setattr(Caps, "take", cut_off)
    await refused(world.call(world.sales.RecordSale, sale), "UNAVAILABLE")
    monkeypatch.setattr(Caps, "take", take)
    assert await used(world) == [10]
    assert extra(await world.sell(1_000, sale_time=DAY)) == (5, 5)
    assert (await world.call(world.sales.RecordSale, sale)).points == 20
    assert await used(world) == [15]


async def test_fixed_points_are_limited_too_and_the_tier_multiplies_what_is_granted(world: World) -> None:
    await world.join(1, tier="GOLD", multiplier_bps=12_500)
    await publish(
        world,
        offer("welcome", bonus_bps=0, fixed_points=50, budget_points=60),
        offer("rate", bonus_bps=10_000, budget_points=12),
    )
    first = await world.sell(1_000, member=3, sale_time=DAY)
    assert (first.points, extra(first, "welcome"), extra(first, "rate")) == (75, (50, 0), (10, 0))
    second = await world.sell(1_000, member=3, sale_time=DAY)
    assert (extra(second, "welcome"), extra(second, "rate")) == ((10, 40), (2, 8))
    assert second.points == 25  # (10 + 2) × 1.25 + 10


async def test_a_budget_below_what_is_spent_is_refused(world: World) -> None:
    office = Office(world)
    await publish(world, offer(bonus_bps=10_000, budget_points=100))
    await world.sell(6_000, sale_time=DAY)
    error = await refused(office.draft(with_offers(world, offer(bonus_bps=1, budget_points=59))), "RULES_INVALID")
    assert "below the 60 points that it has given" in error.values["problem"]
    await office.draft(with_offers(world, offer(bonus_bps=1, budget_points=60)))


async def test_offers_of_a_campaign_share_its_budget_to_the_point_at_many_tills_at_once(world: World) -> None:
    tea = offer("tea", bonus_bps=10_000, categories=["TEA"], budget_id="spring")
    rice = offer("rice", bonus_bps=20_000, categories=["RICE"], budget_id="spring")
    await publish(world, tea, rice, offer("other", bonus_bps=10_000), campaign_budgets=spring(105))
    answers = await asyncio.gather(
        *(
            world.sell(1_000, member=number % 3, sale_time=DAY, categories=["RICE" if number % 2 else "TEA"])
            for number in range(40)
        )
    )
    given = [
        sum(rule.points for rule in answer.explanation.rules if rule.rule_id in ("tea", "rice")) for answer in answers
    ]
    assert sum(given) == 105
    # Of the sales that were not given all one got the rest.
    assert sum(number not in (0, 10, 20) for number in given) == 1
    assert all(extra(answer, "other") == (10, 0) for answer in answers)
    assert await used(world) == [105]


async def test_two_offers_of_one_sale_take_from_a_shared_budget_in_turn(world: World) -> None:
    second = offer("second", bonus_bps=0, fixed_points=8, budget_id="spring", budget_points=100)
    await publish(world, offer("first", bonus_bps=10_000, budget_id="spring"), second, campaign_budgets=spring(25))
    sales = [world.sale(1_000, sale_time=DAY) for _ in range(2)]
    answer = await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=sales))
    found = [(extra(result.recorded, "first"), extra(result.recorded, "second")) for result in answer.results]
    assert found == [((10, 0), (8, 0)), ((7, 3), (0, 8))]
    assert await used(world) == [8, 25]
    # What each was given is found again, also when the sales come one by one.
    for sale, points in zip(sales, (28, 17), strict=True):
        assert (await world.call(world.sales.RecordSale, sale)).points == points
    assert await used(world) == [8, 25]


async def test_a_shared_budget_goes_on_with_other_offers_and_not_below_what_is_spent(world: World) -> None:
    office = Office(world)
    await publish(world, offer(bonus_bps=10_000, budget_id="spring"), campaign_budgets=spring(100))
    await world.sell(6_000, sale_time=DAY)
    rules = with_offers(world, offer("other", bonus_bps=10_000, budget_id="spring"), campaign_budgets=spring(59))
    error = await refused(office.draft(rules), "RULES_INVALID")
    assert error.values["problem"] == "campaign budget spring is below the 60 points that it has given"
    rules.campaign_budgets[0].points = 65
    approved = await office.approve(await office.draft(rules))
    later = approved.rule_set.effective_time.ToDatetime(tzinfo=UTC)
    assert extra(await world.sell(1_000, sale_time=later), "other") == (5, 5)
    assert await used(world) == [65]


async def test_rivals_without_budget_in_common_give_way(world: World) -> None:
    best: dict[str, Any] = {"combination": points_pb2.COMBINATION_BEST_OF, "combination_group": "spring"}
    await publish(
        world,
        offer("double", bonus_bps=10_000, budget_id="spring", **best),
        offer("half", bonus_bps=5_000, budget_id="spring", **best),
        offer("tenth", bonus_bps=1_000, **best),
        campaign_budgets=spring(15),
    )
    answers = [await world.sell(1_000, sale_time=DAY) for _ in range(3)]
    found = [{rule.rule_id: rule.points for rule in answer.explanation.rules[1:]} for answer in answers]
    assert found == [{"double": 10}, {"double": 5}, {"tenth": 1}]
    assert await used(world) == [15]


async def test_an_exclusive_offer_whose_budget_is_spent_takes_no_other_away(world: World) -> None:
    exclusive: dict[str, Any] = {"combination": points_pb2.COMBINATION_EXCLUSIVE, "priority": 1}
    await publish(
        world,
        offer("clearance", bonus_bps=1_000, categories=["CLEARED"], budget_points=15, **exclusive),
        # It counts for more lines once the exclusive one gives way, and takes only then.
        offer("all", bonus_bps=10_000, budget_points=100),
    )
    sales = [world.sale(10_000, 1_000, categories=["CLEARED", "TEA"], sale_time=DAY) for _ in range(4)]
    answers = [await world.call(world.sales.RecordSale, sale) for sale in sales]
    found = [(extra(answer, "clearance"), extra(answer, "all")) for answer in answers]
    assert found == [((10, 0), (10, 0)), ((5, 5), (10, 0)), ((0, 10), (80, 30)), ((0, 10), (0, 110))]
    assert [answer.points for answer in answers] == [130, 125, 190, 110]
    assert await used(world) == [15, 100]
    again = await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=sales))
    assert [result.recorded.points for result in again.results] == [130, 125, 190, 110]
    assert await used(world) == [15, 100]


async def test_a_rival_takes_for_the_lines_of_one_that_gave_way_too(world: World) -> None:
    best: dict[str, Any] = {"combination": points_pb2.COMBINATION_BEST_OF, "combination_group": "spring"}
    await publish(
        world,
        offer("tea", bonus_bps=10_000, categories=["TEA"], budget_points=10, **best),
        offer("all", bonus_bps=5_000, budget_points=100, **best),
    )
    found = []
    for _ in range(2):
        answer = await world.sell(1_000, 1_000, categories=["TEA", "RICE"], sale_time=DAY)
        found.append({rule.rule_id: (rule.points, rule.capped_points) for rule in answer.explanation.rules[1:]})
    assert found == [{"tea": (10, 0), "all": (5, 0)}, {"all": (10, 0)}]
    assert await used(world) == [10, 15]


async def test_a_return_takes_back_what_a_limited_offer_gave_and_no_more(world: World) -> None:
    await publish(world, offer(bonus_bps=10_000, budget_points=5))
    sale = world.sale(1_000, sale_time=DAY)
    assert (await world.call(world.sales.RecordSale, sale)).points == 15
    assert (await world.call(world.sales.RefundSale, world.refund(sale))).clawed_back_points == 15
    assert await used(world) == [5]  # goods that come back do not fill a campaign's budget
