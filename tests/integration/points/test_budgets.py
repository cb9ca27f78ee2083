"""Budgets of stores and the group's ceiling hold over all rules, however many tills sell at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import ids
from huitong.points.v1 import points_pb2, rules_pb2
from services.points.convert import to_date
from services.points.earning.caps import Caps, Granted, Taking
from tests.integration.points.test_caps import used
from tests.integration.points.test_rules_life import Office, offer, with_offers
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World

DAY = datetime(2017, 3, 8, 4, tzinfo=UTC)
STORE, STORE_MONTH = points_pb2.SALE_LIMIT_STORE, points_pb2.SALE_LIMIT_STORE_MONTH
GROUP_DAY, GROUP_MONTH = points_pb2.SALE_LIMIT_GROUP_DAY, points_pb2.SALE_LIMIT_GROUP_MONTH


def budget(world: World, shop: int = 0, **limits: int) -> points_pb2.StoreBudget:
    return points_pb2.StoreBudget(store_id=ids.to_edge("sto", world.stores[shop]), **limits)


async def publish(world: World, *offers: points_pb2.EarningRule, **changes: Any) -> None:
    changes = {"effective_date": to_date(date(2016, 1, 1)), **changes}
    await world.publish(with_offers(world, *offers, **changes))


def bit(answer: points_pb2.RecordSaleResponse | rules_pb2.QuoteSaleResponse) -> list[tuple[int, int, int]]:
    """The limits over all rules that a sale met: which, how much it gives, what was left."""
    return [(limit.limit, limit.limit_points, limit.left_points) for limit in answer.explanation.limits]


def adds_up(answer: points_pb2.RecordSaleResponse, would_be: int) -> bool:
    """Rules and lines sum to what the sale got, and what was taken away to what it did not get."""
    explanation = answer.explanation
    return (
        sum(rule.points for rule in explanation.rules) == answer.points
        and sum(line.points for line in explanation.lines) == answer.points
        and sum(rule.capped_points for rule in explanation.rules) == would_be - answer.points
    )


async def test_a_store_s_budget_is_given_to_the_point_by_many_tills_at_once(world: World) -> None:
    await publish(world, store_budgets=[budget(world, points_in_all=105)])
    answers = await asyncio.gather(*(world.sell(1_000, member=number % 3, sale_time=DAY) for number in range(40)))
    assert sorted(answer.points for answer in answers) == [0] * 29 + [5] + [10] * 10
    assert all(adds_up(answer, 10) for answer in answers)
    assert {len(bit(answer)) for answer in answers if answer.points < 10} == {1}
    assert bit(next(answer for answer in answers if answer.points == 5)) == [(STORE, 105, 5)]
    assert await used(world) == [105]
    # Other stores have nothing to do with it.
    assert (await world.sell(1_000, shop=1, sale_time=DAY)).points == 10


async def test_a_store_s_month_begins_where_the_store_is(world: World) -> None:
    await publish(world, store_budgets=[budget(world, points_per_month=15)])
    last = datetime(2017, 3, 31, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    assert (await world.sell(1_000, sale_time=last)).points == 10
    full = await world.sell(1_000, sale_time=DAY)
    assert (full.points, bit(full)) == (5, [(STORE_MONTH, 15, 5)])
    assert (await world.sell(1_000, sale_time=last + timedelta(minutes=1))).points == 10


async def test_the_group_s_ceiling_holds_over_all_stores_and_members(world: World) -> None:
    await publish(world, issuance_ceiling=points_pb2.IssuanceCeiling(points_per_day=105, points_per_month=160))
    answers = await asyncio.gather(
        *(world.sell(1_000, member=number % 3, shop=number % 3, sale_time=DAY) for number in range(40))
    )
    assert sorted(answer.points for answer in answers) == [0] * 29 + [5] + [10] * 10
    assert (await world.sell(10_000, sale_time=DAY + timedelta(days=1))).points == 55
    over = await world.sell(1_000, sale_time=DAY + timedelta(days=2))
    assert (over.points, bit(over)) == (0, [(GROUP_MONTH, 160, 0)])
    assert (await world.sell(1_000, sale_time=DAY + timedelta(days=31))).points == 10


async def test_the_rest_is_shared_by_rules_and_lines_with_the_tier(world: World) -> None:
    await world.join(1, tier="GOLD", multiplier_bps=12_500)
    await publish(
        world,
        offer("tea", bonus_bps=10_000, categories=["TEA"]),
        offer("welcome", bonus_bps=0, fixed_points=7),
        store_budgets=[budget(world, points_in_all=23)],
    )
    answer = await world.sell(1_000, 2_000, categories=["TEA", "RICE"], member=3, sale_time=DAY)
    would_be = 50 + 7  # (10 × 2 + 20) × 1.25 + 7
    assert answer.points == 23
    assert adds_up(answer, would_be)
    # 30 base, 10 tea, 10 tier, 7 welcome of 57, each by its share of 23.
    assert [rule.points for rule in answer.explanation.rules] == [12, 4, 4, 3]


async def test_what_rules_may_give_is_taken_before_what_the_sale_may(world: World) -> None:
    await publish(
        world,
        offer(bonus_bps=10_000, budget_points=4),
        store_budgets=[budget(world, points_in_all=20)],
        issuance_ceiling=points_pb2.IssuanceCeiling(points_per_day=30),
    )
    first = await world.sell(1_000, sale_time=DAY)
    assert (first.points, bit(first)) == (14, [])
    second = await world.sell(1_000, sale_time=DAY)
    assert (second.points, bit(second)) == (6, [(STORE, 20, 6)])
    third = await world.sell(5_000, shop=1, sale_time=DAY)
    assert (third.points, bit(third)) == (10, [(GROUP_DAY, 30, 10)])
    assert await used(world) == [4, 20, 30]


async def test_a_replayed_sale_takes_once_and_answers_the_same(world: World) -> None:
    await publish(world, store_budgets=[budget(world, points_in_all=15)])
    await world.sell(1_000, sale_time=DAY)
    sale = world.sale(1_000, sale_time=DAY)
    answers = await asyncio.gather(*(world.call(world.sales.RecordSale, sale) for _ in range(10)))
    assert {answer.points for answer in answers} == {5}
    assert {tuple(bit(answer)) for answer in answers} == {((STORE, 15, 5),)}
    assert await used(world) == [15]


async def test_processes_that_take_at_once_give_no_more_than_there_is(world: World) -> None:
    caps = [Caps(world.app.db.url) for _ in range(4)]
    await asyncio.gather(*(one.open() for one in caps))
    shared, own = (ids.derive("a cap of many processes", world.group_id, name) for name in ("shared", "own"))
    # Half of the sales name the caps the other way round: whoever takes must not wait for who waits for them.
    takings = []
    for number in range(200):
        sale_id = ids.derive("sale", world.group_id, number)
        pair = [
            Taking(shared, sale_id, "", world.group_id, 1_005, 10),
            Taking(own, sale_id, "", world.group_id, 5_000, 10),
        ]
        takings.append(pair if number % 2 else pair[::-1])

    async def take(number: int) -> list[dict[tuple[UUID, str], Granted]]:
        # One after the other, so that the four meet often. Every sale is taken for by two of them.
        own_part = [pair for place, pair in enumerate(takings) if number in (place % 4, (place + 1) % 4)]
        return [await caps[number].take(pair) for pair in own_part]

    try:
        found = [each for some in await asyncio.gather(*map(take, range(4))) for each in some]
    finally:
        await asyncio.gather(*(one.close() for one in caps))
    granted = {key: one.points for some in found for key, one in some.items()}
    assert all(granted[key] == one.points for some in found for key, one in some.items())
    assert sorted(granted.values()) == [0] * 99 + [5] + [10] * 100
    assert await used(world) == [1_005, 1_005]


async def test_one_sale_many_times_in_one_call_takes_once(world: World) -> None:
    await publish(world, offer(bonus_bps=10_000, budget_points=100), store_budgets=[budget(world, points_in_all=100)])
    sale = world.sale(1_000, sale_time=DAY)
    request = points_pb2.RecordSalesRequest(sales=[sale] * 5)
    answer = await world.call(world.sales.RecordSales, request)
    assert {result.recorded.points for result in answer.results} == {20}
    assert await used(world) == [10, 20]


async def test_a_sale_cut_off_after_taking_finds_what_it_was_given(world: World, monkeypatch: Any) -> None:
    await publish(world, store_budgets=[budget(world, points_in_all=15)])
    await world.sell(1_000, sale_time=DAY)
    sale = world.sale(1_000, sale_time=DAY)
    take = Caps.take

    async def cut_off(self: Caps, takings: Any) -> Any:
        await take(self, takings)
        raise ConnectionResetError

    monkeypatch.setattr(Caps, "take", cut_off)
    await refused(world.call(world.sales.RecordSale, sale), "UNAVAILABLE")
    monkeypatch.setattr(Caps, "take", take)
    assert (await world.sell(1_000, sale_time=DAY)).points == 0
    answer = await world.call(world.sales.RecordSale, sale)
    assert (answer.points, bit(answer)) == (5, [(STORE, 15, 5)])


async def test_a_return_takes_back_what_was_given_and_fills_no_budget(world: World) -> None:
    await publish(world, store_budgets=[budget(world, points_in_all=7)])
    sale = world.sale(500, 500, sale_time=DAY)
    assert (await world.call(world.sales.RecordSale, sale)).points == 7
    assert (await world.call(world.sales.RefundSale, world.refund(sale, (1, 500)))).clawed_back_points == 4
    assert (await world.call(world.sales.RefundSale, world.refund(sale, (2, 500)))).clawed_back_points == 3
    assert await used(world) == [7]
    assert (await world.sell(1_000, sale_time=DAY)).points == 0


async def test_a_limit_below_what_is_given_is_refused_with_what_is_given(world: World) -> None:
    office = Office(world)
    await publish(
        world,
        store_budgets=[budget(world, points_in_all=1_000)],
        issuance_ceiling=points_pb2.IssuanceCeiling(points_per_day=1_000, points_per_month=1_000),
    )
    await world.sell(6_000, sale_time=datetime.now(UTC))
    for changes, words in (
        ({"store_budgets": [budget(world, points_in_all=59)]}, f"store {ids.to_edge('sto', world.stores[0])}: its bud"),
        ({"issuance_ceiling": points_pb2.IssuanceCeiling(points_per_day=59)}, "the issuance ceiling of "),
        ({"issuance_ceiling": points_pb2.IssuanceCeiling(points_per_month=59)}, "the issuance ceiling of "),
    ):
        error = await refused(office.draft(world.rule_set(**changes)), "RULES_INVALID")
        assert words in error.values["problem"]
        assert "is below the 60 points that it has given" in error.values["problem"]
    draft = await office.draft(world.rule_set(store_budgets=[budget(world, points_in_all=60)]))
    await world.sell(100, sale_time=datetime.now(UTC))
    await refused(office.approve(draft), "RULES_INVALID")  # what is given grew meanwhile


@pytest.mark.parametrize("case", ["nothing", "twice", "no id", "empty ceiling"])
async def test_budgets_that_say_nothing_are_refused(world: World, case: str) -> None:
    cases: dict[str, dict[str, Any]] = {
        "nothing": {"store_budgets": [budget(world)]},
        "twice": {"store_budgets": [budget(world, points_in_all=1), budget(world, points_in_all=2)]},
        "no id": {"store_budgets": [points_pb2.StoreBudget(store_id="mch_1", points_in_all=1)]},
        "empty ceiling": {"issuance_ceiling": points_pb2.IssuanceCeiling()},
    }
    await refused(Office(world).draft(world.rule_set(**cases[case])), "RULES_INVALID")
