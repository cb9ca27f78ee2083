"""Limits over many sales and throttles count in simulations and quotes as they do for sales, and nothing is taken."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chassis import ids
from huitong.points.v1 import points_pb2, rules_pb2
from services.points.convert import to_date
from services.points.earning.caps import Caps, Taking
from services.points.earning.limited import Count
from tests.integration.points.test_budgets import STORE, bit, budget
from tests.integration.points.test_caps import extra, used
from tests.integration.points.test_cost_governor import Desk, after, double, governed
from tests.integration.points.test_rules_life import Office, offer, with_offers
from tests.integration.points.world import World

MARCH = (date(2017, 3, 1), date(2017, 3, 31))
BEST_OF = {"combination": points_pb2.COMBINATION_BEST_OF, "combination_group": "spring"}
EXCLUSIVE = points_pb2.COMBINATION_EXCLUSIVE
LIMITED: dict[str, dict[str, Any]] = {
    "a campaign's budget": {"offers": [{"bonus_bps": 10_000, "budget_points": 45}]},
    "fixed points": {"offers": [{"bonus_bps": 0, "fixed_points": 20, "budget_points": 50}]},
    "a member's day": {"offers": [{"bonus_bps": 10_000, "max_points_per_member_day": 15}]},
    "a member's month": {"offers": [{"bonus_bps": 10_000, "max_points_per_member_month": 25}]},
    "rivals": {
        "offers": [
            {"rule_id": "double", "bonus_bps": 10_000, "budget_points": 25, **BEST_OF},
            {"rule_id": "half", "bonus_bps": 5_000, "max_points_per_member_day": 7, **BEST_OF},
            {"rule_id": "tenth", "bonus_bps": 1_000, **BEST_OF},
        ]
    },
    "a budget of two": {
        "offers": [
            {"rule_id": "first", "bonus_bps": 10_000, "budget_id": "spring"},
            {"rule_id": "second", "bonus_bps": 5_000, "budget_id": "spring"},
        ],
        "budgets": [points_pb2.CampaignBudget(budget_id="spring", points=60)],
    },
    "an exclusive one": {
        "offers": [
            {"rule_id": "alone", "bonus_bps": 10_000, "budget_points": 45, "combination": EXCLUSIVE},
            {"rule_id": "beside", "bonus_bps": 5_000},
        ]
    },
    "a store's month": {"store": {"points_per_month": 35}},
    "a store's budget": {"store": {"points_in_all": 35}},
    "a ceiling of days": {"ceiling": {"points_per_day": 25}},
    "a ceiling of months": {"ceiling": {"points_per_month": 75}},
    "a member's ceiling of days": {"member_ceiling": {"points_per_day": 15}},
    "a member's ceiling of months": {"member_ceiling": {"points_per_month": 35}},
    "all of them": {
        "offers": [{"bonus_bps": 10_000, "budget_points": 45, "max_points_per_member_day": 15}],
        "store": {"points_per_month": 60},
        "ceiling": {"points_per_day": 45, "points_per_month": 125},
    },
}


def limited(world: World, case: str) -> points_pb2.RuleSet:
    """Rules with the limits of a case."""
    values = LIMITED[case]
    changes: dict[str, Any] = {}
    if "store" in values:
        changes["store_budgets"] = [budget(world, **values["store"])]
    if "ceiling" in values:
        changes["issuance_ceiling"] = points_pb2.IssuanceCeiling(**values["ceiling"])
    if "member_ceiling" in values:
        changes["member_ceiling"] = points_pb2.MemberCeiling(**values["member_ceiling"])
    changes["campaign_budgets"] = values.get("budgets", [])
    offers = [offer(**each) for each in values.get("offers", [])]
    return with_offers(world, *offers, effective_date=to_date(date(2016, 1, 1)), **changes)


def at(month: int, day: int, hour: int = 12) -> datetime:
    """Of 2017, in Shanghai."""
    return datetime(2017, month, day, hour, tzinfo=ZoneInfo("Asia/Shanghai"))


async def sell_all(world: World, *days: tuple[int, int], hours: int = 4) -> list[points_pb2.RecordSaleResponse]:
    """Sales of two members in two shops on these days (month and day), one hour after the other."""
    return [
        await world.sell(1_000, member=number % 2, shop=number % 3 // 2, sale_time=at(month, day, 12 + number))
        for month, day in days
        for number in range(hours)
    ]


async def simulate(
    world: World, rule_set: points_pb2.RuleSet, span: tuple[date, date] = MARCH
) -> rules_pb2.SimulationResult:
    office = Office(world)
    done = await office.simulate((await office.draft(rule_set)).draft_id, *span)
    assert done.state == rules_pb2.RULE_SIMULATION_STATE_DONE, done.problem
    return done.result


def assert_nothing_changes(result: rules_pb2.SimulationResult, answers: list[points_pb2.RecordSaleResponse]) -> None:
    """What the draft would have given is what these sales were given, rule by rule, and what they were not."""
    assert result.sale_count == len(answers)
    assert result.draft_points == result.actual_points == sum(answer.points for answer in answers)
    assert result.draft_cost_minor == result.actual_cost_minor
    assert result.liability_change_minor == 0
    assert (result.winning_member_count, result.losing_member_count, len(result.store_winners)) == (0, 0, 0)
    given: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for rule in (rule for answer in answers for rule in answer.explanation.rules):
        given[rule.rule_id] += rule.points
        lost[rule.rule_id] += rule.capped_points + rule.throttled_points
    assert {rule.rule_id: rule.points for rule in result.rules} == given
    assert {rule.rule_id: rule.capped_points + rule.throttled_points for rule in result.rules} == lost
    assert lost.total(), "no limit was met"


@pytest.mark.parametrize("case", LIMITED)
async def test_the_rules_in_force_change_nothing_whatever_limit_was_met(world: World, case: str) -> None:
    rule_set = limited(world, case)
    await world.publish(rule_set)
    # Each takes something, and none of them all.
    await sell_all(world, (2, 28), hours=1)
    before = await sell_all(world, (3, 7), hours=1)
    answers = await sell_all(world, (3, 8), (3, 9))
    # One o'clock in Shanghai is the day before in UTC.
    after = await world.sell(1_000, member=0, sale_time=at(3, 10, 1))
    taken = await used(world)
    month, days = await asyncio.gather(
        simulate(world, rule_set), simulate(world, rule_set, (date(2017, 3, 8), date(2017, 3, 9)))
    )
    assert_nothing_changes(month, [*before, *answers, after])
    # What was taken before the span counts where a limit had begun before it.
    assert_nothing_changes(days, answers)
    assert await used(world) == taken


async def test_sales_are_computed_in_the_order_of_their_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.points.rule_sets.simulation.CHUNK_SALES", 2)
    await world.publish(limited(world, "a ceiling of days"))
    for hour, member in ((15, 1), (14, 2), (13, 1), (12, 0)):  # who comes late comes to an empty ceiling
        await world.sell(1_000, member=member, sale_time=at(3, 8, hour))
    result = await simulate(world, limited(world, "a ceiling of days"))
    assert result.actual_points == result.draft_points == 25
    assert [(each.id, each.actual_points, each.draft_points) for each in result.member_winners] == [
        (world.member_id(0), 0, 10)
    ]
    assert {(each.id, each.actual_points, each.draft_points) for each in result.member_losers} == {
        (world.member_id(1), 15, 10),
        (world.member_id(2), 10, 5),
    }


async def test_a_draft_that_halves_a_budget_shows_what_is_lost_and_by_whom(world: World) -> None:
    rule_set = limited(world, "a store's month")
    await world.publish(rule_set)
    answers = await sell_all(world, (3, 8), hours=6)
    assert [answer.points for answer in answers] == [10, 10, 10, 10, 5, 10]
    half = with_offers(world, store_budgets=[budget(world, points_per_month=17)])
    result = await simulate(world, half)
    assert (result.actual_points, result.draft_points) == (55, 37)
    assert (result.actual_cost_minor, result.draft_cost_minor) == (165, 111)
    assert (result.liability_change_minor, result.losing_member_count) == (-54, 2)
    shop = ids.to_edge("sto", world.stores[0])
    assert [(each.id, each.actual_points, each.draft_points) for each in result.store_losers] == [(shop, 35, 17)]
    assert [(rule.points, rule.capped_points) for rule in result.rules] == [(37, 23)]


async def test_a_campaign_s_smaller_budget_ends_earlier(world: World) -> None:
    await world.publish(limited(world, "a campaign's budget"))
    assert sum(extra(answer)[0] for answer in await sell_all(world, (3, 8), (3, 9))) == 45
    # Of the same campaign less than it has given is refused; another of its kind begins anew.
    other = offer("other", bonus_bps=10_000, budget_points=22)
    result = await simulate(world, with_offers(world, other))
    assert {rule.rule_id: (rule.points, rule.capped_points) for rule in result.rules} == {
        "base": (80, 0),
        "other": (22, 58),
    }
    assert (result.actual_points, result.draft_points, result.liability_change_minor) == (125, 102, -69)


async def test_a_throttle_counts_as_it_was_in_force(world: World) -> None:
    rule_set = governed(world, double())
    await world.publish(rule_set)
    now = datetime.now(UTC)
    answers = [await world.sell(100_000, sale_time=now)]
    (action,) = await Desk(world).run()
    answers += [await world.sell(10_000, member=1, sale_time=after(action))]
    assert extra(answers[-1], "double") == (25, 0)
    zone = ZoneInfo("Asia/Shanghai")
    span = now.astimezone(zone).date(), after(action).astimezone(zone).date()
    same = await simulate(world, rule_set, span)
    assert_nothing_changes(same, answers)
    assert same.throttled_count == 1
    # Rules that watch no cost throttle nothing.
    free = await simulate(world, with_offers(world, double()), span)
    assert (free.draft_points - free.actual_points, free.winning_member_count) == (75, 1)
    assert (free.throttled_count, sum(rule.throttled_points for rule in free.rules)) == (0, 0)


async def test_a_quote_looks_at_what_limits_have_left_and_takes_nothing(world: World) -> None:
    office = Office(world)
    await world.publish(limited(world, "rivals"))
    await sell_all(world, (3, 8), hours=2)
    before = await used(world)
    sale = world.sale(1_000, sale_time=at(3, 9))
    for _ in range(2):
        quoted = await office.quote(sale)
        assert (extra(quoted, "double"), quoted.points) == ((5, 5), 15)
    assert await used(world) == before
    recorded = await world.call(world.sales.RecordSale, sale)
    assert (recorded.points, recorded.explanation) == (quoted.points, quoted.explanation)
    # Nothing is left of the best: the next counts, with what is left of that.
    for left in (5, 2):
        sale = world.sale(1_000, sale_time=at(3, 10))
        quoted = await office.quote(sale)
        assert (extra(quoted, "half")[0], quoted.points) == (left, 10 + left)
        assert (await world.call(world.sales.RecordSale, sale)).explanation == quoted.explanation


async def test_a_quote_by_a_draft_looks_at_what_its_limits_would_have_left(world: World) -> None:
    office = Office(world)
    await world.publish(limited(world, "a store's budget"))
    await sell_all(world, (3, 8), hours=3)
    sale = world.sale(5_000, sale_time=at(3, 9))
    quoted = await office.quote(sale)
    assert (quoted.points, bit(quoted)) == (15, [(STORE, 35, 15)])
    more = await office.draft(with_offers(world, store_budgets=[budget(world, points_in_all=45)]))
    quoted = await office.quote(sale, more.draft_id)
    assert (quoted.points, bit(quoted)) == (25, [(STORE, 45, 25)])
    assert await used(world) == [20]


async def test_caps_are_counted_as_the_database_counts_them(world: World) -> None:
    chance = random.Random(2017)
    caps = Caps(world.app.db.url)
    await caps.open()
    try:
        limits = {ids.derive("a counted cap", world.group_id, number): chance.randrange(400) for number in range(6)}
        count = Count({})
        for call in range(12):
            takings = [
                Taking(cap_id, sale_id, rule_id, world.group_id, limits[cap_id], want)
                for number in range(10)
                for sale_id in [ids.derive("a counted sale", world.group_id, call, number)]
                for rule_id in ("one", "other")
                for want in [chance.randrange(20)]
                for cap_id in chance.sample([*limits], chance.randrange(1, 4))
            ]
            assert count.take(takings) == await caps.take(takings)
    finally:
        await caps.close()
    assert len(set(limits.values()).intersection(await used(world))) > 2, "hardly a cap was emptied"
