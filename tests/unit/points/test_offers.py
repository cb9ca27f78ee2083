"""Offers: how they combine, what caps take, and that the general computation is the plain one where there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from math import ceil, floor
from time import process_time
from typing import Any
from uuid import UUID

import pytest
from dateutil import rrule
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from chassis import ids
from services.points.earning import rules
from services.points.earning.calendars import STATUTORY, DayKind
from services.points.earning.conditions import (
    LINE_FACTS,
    SALE_FACTS,
    Condition,
    ConditionFailed,
    ConditionInvalid,
)
from services.points.earning.days import Days, DaysInvalid
from services.points.earning.offers import Combination, Offer, Setting, find_offer_problems, first_to_take
from services.points.earning.rating import Earning
from services.points.earning.rules import Rounding, Rule, RuleKind, RuleSet, Tier
from tests.unit.points.earned import earned

SHOP, MALL, STORE = (ids.derive("offers", name) for name in ("shop", "mall", "store"))
DAY = date(2026, 3, 4)
BASE = Rule("base", RuleKind.BASE)
PLAIN = (
    BASE,
    Rule("from-100", RuleKind.THRESHOLD, 2_500, min_amount_minor=10_000),
    Rule("fresh", RuleKind.CATEGORY, 5_000, categories=frozenset({"TEA"})),
    Rule("store", RuleKind.STORE, 2_000, store_ids=frozenset({STORE})),
    Rule("day", RuleKind.DAY, 3_333, month_days=frozenset({4})),
    Rule("birthday", RuleKind.BIRTHDAY, 10_000),
)
GOLD = Tier("GOLD", 12_500)


def offer(rule_id: str, bonus_bps: int = 0, **values: Any) -> Rule:
    own = {name: values.pop(name) for name in ("categories", "store_ids") if name in values}
    return Rule(rule_id, RuleKind.OFFER, bonus_bps, offer=Offer(**values), **own)


def rule_set(*more: Rule, plain: tuple[Rule, ...] = (BASE,), **changes: object) -> RuleSet:
    values: dict[str, object] = {
        "version": 1,
        "effective_date": date(2015, 1, 1),
        "base_points": 1,
        "base_step_minor": 100,
        "rules": (*plain, *more),
        "expiry_months": 12,
        "excluded_categories": frozenset({"FUEL"}),
    }
    return RuleSet(**{**values, **changes})  # type: ignore[arg-type]


def earn(
    of: RuleSet,
    *lines: tuple[int, str],
    tier: Tier = rules.NO_TIER,
    birth_month: int = 0,
    granted: Mapping[str, int] | None = None,
) -> Earning:
    return earned(
        of,
        amounts_minor=[amount for amount, _ in lines],
        categories=[category for _, category in lines],
        store_id=STORE,
        business_date=DAY,
        tier=tier,
        birth_month=birth_month,
        is_birth_month=birth_month == DAY.month,
        setting=Setting(SHOP, MALL, 12, "pos", ["" for _ in lines], [1 for _ in lines], store_category="restaurant"),
        granted=granted,
    )


def given_by(earning: Earning) -> dict[str, int]:
    return {applied.rule_id: applied.points for applied in earning.applied}


NEVER = offer("never", 1, days=Days(end=date(2000, 1, 1)))


@given(
    st.lists(st.tuples(st.integers(0, 500_000), st.sampled_from(["TEA", "RICE", "FUEL", ""])), min_size=1, max_size=8),
    st.sampled_from([rules.NO_TIER, GOLD, Tier("LOW", 9_000)]),
    st.integers(0, 12),
    st.sampled_from(Rounding),
)
def test_with_an_offer_that_never_matches_a_sale_earns_as_without_offers(
    lines: list[tuple[int, str]], tier: Tier, birth_month: int, rounding: Rounding
) -> None:
    plain = earn(rule_set(plain=PLAIN, rounding=rounding), *lines, tier=tier, birth_month=birth_month)
    general = earn(rule_set(NEVER, plain=PLAIN, rounding=rounding), *lines, tier=tier, birth_month=birth_month)
    assert general == plain


@given(
    st.lists(st.tuples(st.integers(0, 500_000), st.sampled_from(["TEA", "RICE", "FUEL", ""])), min_size=1, max_size=8),
    st.sampled_from([rules.NO_TIER, GOLD]),
    st.sampled_from([0, DAY.month]),
    st.sampled_from(Rounding),
)
def test_every_other_kind_can_be_written_as_an_offer(
    lines: list[tuple[int, str]], tier: Tier, birth_month: int, rounding: Rounding
) -> None:
    highest = {"combination": Combination.BEST_OF, "group": "thresholds"}
    higher = Rule("from-200", RuleKind.THRESHOLD, 5_000, min_amount_minor=20_000)
    written = (
        BASE,
        replace(offer("from-100", 2_500, **highest), min_amount_minor=10_000),
        offer("fresh", 5_000, categories=frozenset({"TEA"})),
        offer("store", 2_000, store_ids=frozenset({STORE})),
        offer("day", 3_333, days=Days(month_days=frozenset({4}))),
        offer("birthday", 10_000, condition=Condition("member.is_birth_month")),
        replace(offer("from-200", 5_000, **highest), min_amount_minor=20_000),
    )
    plain = earn(rule_set(plain=(*PLAIN, higher), rounding=rounding), *lines, tier=tier, birth_month=birth_month)
    same = earn(rule_set(plain=written, rounding=rounding), *lines, tier=tier, birth_month=birth_month)
    assert (same.points, same.line_points, same.line_rates_bps) == (
        plain.points,
        plain.line_points,
        plain.line_rates_bps,
    )
    assert given_by(same) == given_by(plain)


_offers = st.lists(
    st.builds(
        lambda bonus, fixed, combination, group, priority, most, budget, categories: (
            bonus,
            {
                "fixed_points": 0 if bonus else fixed,
                "combination": combination,
                "group": group if combination is Combination.BEST_OF else "",
                "priority": priority,
                "max_points": most,
                "budget_points": budget,
            },
            categories,
        ),
        st.sampled_from([0, 1, 3_333, 20_000]),
        st.integers(1, 500),
        st.sampled_from(Combination),
        st.sampled_from(["a", "b"]),
        st.integers(0, 3),
        st.sampled_from([0, 1, 7, 300]),
        st.sampled_from([0, 0, 3, 150]),
        st.sampled_from([frozenset[str](), frozenset({"TEA"}), frozenset({"RICE", "FUEL"})]),
    ),
    max_size=5,
)


@given(
    st.lists(st.tuples(st.integers(0, 500_000), st.sampled_from(["TEA", "RICE", "FUEL"])), min_size=1, max_size=6),
    _offers,
    st.sampled_from([rules.NO_TIER, GOLD, Tier("LOW", 2_000)]),
    st.sampled_from(Rounding),
)
def test_points_of_lines_and_of_rules_sum_to_the_sale_and_no_cap_is_exceeded(
    lines: list[tuple[int, str]],
    offers: list[tuple[int, dict[str, object], frozenset[str]]],
    tier: Tier,
    rounding: Rounding,
) -> None:
    made = [
        offer(f"o{n}", bonus, categories=categories, **values) for n, (bonus, values, categories) in enumerate(offers)
    ]
    granted = {rule.rule_id: rule.offer.budget_points for rule in made if rule.offer.budget_points}
    earning = earn(rule_set(*made, plain=PLAIN, rounding=rounding), *lines, tier=tier, granted=granted)
    assert sum(earning.line_points) == sum(given_by(earning).values()) == earning.points
    own = {rule_id: points for rule_id, points in given_by(earning).items() if rule_id != "tier-low"}
    assert all(points >= 0 for points in (*earning.line_points, *own.values()))
    for (_, category), points in zip(lines, earning.line_points, strict=True):
        assert category != "FUEL" or points == 0
    for rule in made:
        for most in (rule.offer.max_points, rule.offer.budget_points):
            assert not most or given_by(earning).get(rule.rule_id, 0) <= most


@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=5), st.integers(0, 30_000), st.sampled_from([0, 1, 50, 999])
)
def test_a_capped_rate_gives_exactly_what_fractions_say(amounts: list[int], bonus_bps: int, most: int) -> None:
    earning = earn(
        rule_set(offer("capped", bonus_bps or 1, max_points=most)), *((amount, "TEA") for amount in amounts), tier=GOLD
    )
    extra = Fraction(sum(amounts) * (bonus_bps or 1), 100 * 10_000)
    if most:
        extra = min(extra, Fraction(most))
    exact = (Fraction(sum(amounts), 100) + extra) * Fraction(5, 4)
    assert earning.points == int(exact)


def rounded(exact: Fraction, rounding: Rounding) -> int:
    """Points of an exact value, computed another way."""
    if rounding is Rounding.CEILING:
        return ceil(exact)
    return floor(exact + Fraction(1, 2)) if rounding is Rounding.HALF_UP else floor(exact)


@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=5),
    st.integers(1, 30_000),
    st.sampled_from([0, 1, 50]),
    st.booleans(),
    st.sampled_from([rules.NO_TIER, GOLD, Tier("ODD", 10_001)]),
    st.sampled_from(Rounding),
)
def test_a_sale_is_rounded_once_and_a_limited_rule_before_as_the_rule_set_says(
    amounts: list[int], bonus_bps: int, most: int, is_limited: bool, tier: Tier, rounding: Rounding
) -> None:
    budget = {"budget_points": 10**12} if is_limited else {}
    limited = offer("offer", bonus_bps, max_points=most, **budget)
    earning = earn(rule_set(limited, rounding=rounding), *((amount, "TEA") for amount in amounts), tier=tier)
    extra = Fraction(sum(amounts) * bonus_bps, 100 * 10_000)
    if most:
        extra = min(extra, Fraction(most))
    if is_limited:
        extra = Fraction(rounded(extra, rounding))  # whole points
        assert [want for _, want in earning.wants] == [extra]
    exact = (Fraction(sum(amounts), 100) + extra) * Fraction(tier.multiplier_bps, 10_000)
    assert earning.points == rounded(exact, rounding)
    assert sum(earning.line_points) == sum(given_by(earning).values()) == earning.points


@pytest.mark.parametrize(
    ("rounding", "granted", "given_and_capped"),
    [
        (Rounding.FLOOR, 10, (10, 0)),  # of 10.50
        (Rounding.FLOOR, 4, (4, 6)),
        (Rounding.HALF_UP, 11, (11, 0)),
        (Rounding.HALF_UP, 4, (4, 7)),
        (Rounding.CEILING, 11, (11, 0)),
        (Rounding.CEILING, 0, (0, 11)),
    ],
)
def test_what_a_limit_took_away_is_the_rest_of_what_was_wanted(
    rounding: Rounding, granted: int, given_and_capped: tuple[int, int]
) -> None:
    earning = earned(
        rule_set(offer("limited", 10_500, budget_points=1_000), rounding=rounding),
        amounts_minor=[1_000],
        categories=["TEA"],
        store_id=STORE,
        business_date=DAY,
        tier=rules.NO_TIER,
        birth_month=0,
        is_birth_month=False,
        setting=Setting(SHOP, MALL, 12, "pos", [""], [1]),
        granted={"limited": granted},
    )
    (applied,) = [applied for applied in earning.applied if applied.rule_id == "limited"]
    assert (applied.points, applied.capped_points) == given_and_capped
    assert earning.points == 10 + granted


def test_stacked_offers_add_up() -> None:
    earning = earn(rule_set(offer("a", 5_000), offer("b", 2_500)), (10_000, "TEA"))
    assert (earning.points, given_by(earning)) == (175, {"base": 100, "a": 50, "b": 25})


def test_the_best_of_a_group_counts_line_by_line() -> None:
    best = {"combination": Combination.BEST_OF, "group": "spring"}
    rivals = (offer("tea", 10_000, categories=frozenset({"TEA"}), **best), offer("all", 3_000, **best))
    earning = earn(rule_set(*rivals, offer("other", 1_000)), (10_000, "TEA"), (10_000, "RICE"))
    assert given_by(earning) == {"base": 200, "tea": 100, "all": 30, "other": 20}


@pytest.mark.parametrize(
    ("granted", "is_throttled", "given"),
    [
        ({}, False, {"double": 100}),
        ({"double": 40}, False, {"double": 40}),  # some is left of it, and it stays the best
        ({"double": 0}, False, {"third": 30}),  # nothing is left: it keeps nobody out
        ({"double": 0, "third": 0}, False, {"double": 0}),
        ({}, True, {"third": 30}),  # a tenth of it is less
    ],
)
def test_a_rival_that_can_give_nothing_keeps_no_other_out(
    granted: dict[str, int], is_throttled: bool, given: dict[str, int]
) -> None:
    best = {"combination": Combination.BEST_OF, "group": "spring", "budget_points": 1_000}
    rivals = (offer("double", 10_000, throttle_bps=1_000, **best), offer("third", 3_000, **best))
    earning = earned(
        rule_set(*rivals),
        amounts_minor=[10_000],
        categories=["TEA"],
        store_id=STORE,
        business_date=DAY,
        tier=rules.NO_TIER,
        birth_month=0,
        is_birth_month=False,
        setting=Setting(SHOP, MALL, 12, "pos", [""], [1]),
        granted=granted,
        is_throttled=is_throttled,
    )
    assert given_by(earning) == {"base": 100, **given}


def test_an_exclusive_offer_leaves_nothing_beside_it_on_its_lines() -> None:
    exclusive = {"combination": Combination.EXCLUSIVE, "categories": frozenset({"TEA"})}
    low, high = offer("low", 9_000, priority=1, **exclusive), offer("high", 1_000, priority=2, **exclusive)
    earning = earn(rule_set(low, high, offer("any", 500), plain=PLAIN), (10_000, "TEA"), (10_000, "RICE"))
    assert earning.line_rates_bps == [11_000, 10_000 + 2_500 + 2_000 + 3_333 + 500]
    assert given_by(earning)["high"] == 10


@pytest.mark.parametrize(
    ("granted", "given"),
    [
        ({}, {"base": 200, "high": 10}),
        ({"high": 4}, {"base": 200, "high": 4}),  # something is left of it
        # Nothing is left of it: it keeps nobody out, and the next exclusive one counts.
        ({"high": 0}, {"base": 200, "low": 90}),
        ({"high": 0, "low": 0}, {"base": 200, "high": 0, "low": 0, "day": 33, "any": 5}),
    ],
)
def test_an_exclusive_offer_that_has_nothing_left_keeps_no_other_out(
    granted: dict[str, int], given: dict[str, int]
) -> None:
    exclusive = {"combination": Combination.EXCLUSIVE, "budget_points": 1_000, "categories": frozenset({"TEA"})}
    low, high = offer("low", 9_000, priority=1, **exclusive), offer("high", 1_000, priority=2, **exclusive)
    tea = frozenset({"TEA"})
    day = Rule("day", RuleKind.CATEGORY, 3_333, categories=tea)
    of = rule_set(low, high, offer("any", 500, categories=tea), plain=(BASE, day))
    assert given_by(earn(of, (10_000, "TEA"), (10_000, "RICE"), granted=granted)) == given


def test_offers_that_keep_others_out_take_first() -> None:
    best = {"combination": Combination.BEST_OF, "group": "spring", "budget_points": 1}
    high = offer("high", 1, combination=Combination.EXCLUSIVE, priority=2, budget_points=1)
    low = offer("low", 9, combination=Combination.EXCLUSIVE, priority=1, budget_points=1)
    third, double = offer("third", 3, **best), offer("double", 10, throttle_bps=1_000, **best)
    stack = offer("stack", 5, budget_points=1)
    every = [stack, third, low, double, high]

    def first(*offers: Rule, is_throttled: bool = False) -> list[str]:
        return [rule.rule_id for rule in first_to_take(offers, is_throttled=is_throttled)]

    assert first(*every) == ["high"]
    assert first(stack, third, low, double) == ["low"]
    assert first(stack, third, double) == ["stack", "double"]
    assert first(stack, third, double, is_throttled=True) == ["stack", "third"]
    assert first(third) == ["third"]
    assert first() == []


def test_fixed_points_are_given_once_and_shared_by_their_lines() -> None:
    fixed = offer("welcome", fixed_points=10, categories=frozenset({"TEA"}))
    earning = earn(rule_set(fixed), (10_000, "TEA"), (5_000, "RICE"), (20_000, "TEA"), tier=GOLD)
    assert earning.line_points == [125 + 3, 62, 250 + 7]  # 437.5 × … rounds down; the tier leaves the 10 alone
    assert given_by(earning) == {"base": 350, "tier-gold": 87, "welcome": 10}


@given(
    st.integers(0, 5_000),  # small sums: of those a rounded point is much
    st.lists(st.tuples(st.integers(1, 200_000), st.integers(1, 9), st.booleans()), min_size=1, max_size=4),
    st.sampled_from([rules.NO_TIER, GOLD, Tier("LOW", 2_000)]),
    st.sampled_from([Rounding.HALF_UP, Rounding.CEILING]),
)
def test_no_rule_is_said_to_give_more_than_its_cap_however_the_sale_is_rounded(
    amount: int, caps: list[tuple[int, int, bool]], tier: Tier, rounding: Rounding
) -> None:
    offers = [
        offer(f"o{number}", bonus, **{"budget_points" if is_limited else "max_points": most})
        for number, (bonus, most, is_limited) in enumerate(caps)
    ]
    granted = {f"o{number}": most for number, (_, most, is_limited) in enumerate(caps) if is_limited}
    given = given_by(earned := earn(rule_set(*offers, rounding=rounding), (amount, "TEA"), tier=tier, granted=granted))
    assert sum(given.values()) == earned.points
    assert all(given.get(f"o{number}", 0) <= most for number, (_, most, _) in enumerate(caps))


@pytest.mark.parametrize(
    ("tier", "points", "given"),
    [
        # 1.10 + 7 = 8.10 is 9, of which the capped rule's share would be 7.78.
        (rules.NO_TIER, 9, {"base": 2, "capped": 7}),
        # (1.10 + 7) × 0.2 = 1.62 is 2, of which it would be 8.64, and the tier's -8.
        (Tier("LOW", 2_000), 2, {"base": 1, "capped": 7, "tier-low": -6}),
    ],
)
def test_rounding_up_gives_no_rule_more_than_its_cap(tier: Tier, points: int, given: dict[str, int]) -> None:
    of = rule_set(offer("capped", 100_000, max_points=7), rounding=Rounding.CEILING)
    earning = earn(of, (110, "TEA"), tier=tier)
    assert (earning.points, given_by(earning)) == (points, given)


def test_a_cap_is_explained() -> None:
    earning = earn(rule_set(offer("triple", 20_000, max_points=500)), (40_000, "TEA"))
    (capped,) = [applied for applied in earning.applied if applied.rule_id == "triple"]
    assert (earning.points, capped.points, capped.capped_points) == (900, 500, 300)


@pytest.mark.parametrize(
    ("rounding", "points"),
    [(Rounding.FLOOR, 10), (Rounding.HALF_UP, 11), (Rounding.CEILING, 11)],  # of 10.50
)
def test_rounding_is_what_the_rule_set_says(rounding: Rounding, points: int) -> None:
    assert earn(rule_set(rounding=rounding), (1_050, "TEA")).points == points
    assert earn(rule_set(NEVER, rounding=rounding), (1_050, "TEA")).points == points


@pytest.mark.parametrize(
    ("offers", "problem"),
    [
        ([offer("a", 5_000, fixed_points=5)], "either bonus_bps or fixed_points"),
        ([offer("a")], "either bonus_bps or fixed_points"),
        ([offer("a", 1, combination=Combination.BEST_OF)], "combination_group"),
        ([offer("a", 1, group="g")], "combination_group"),
        # Which of the two would count is not said.
        (
            [offer("a", 1, combination=Combination.EXCLUSIVE), offer("b", 1, combination=Combination.EXCLUSIVE)],
            "both exclusive",
        ),
        # A rate and fixed points cannot be compared.
        (
            [
                offer("a", 1, combination=Combination.BEST_OF, group="g"),
                offer("b", fixed_points=1, combination=Combination.BEST_OF, group="g"),
            ],
            "cannot be compared",
        ),
    ],
)
def test_offers_that_cannot_be_published(offers: list[Rule], problem: str) -> None:
    assert problem in str(rules.find_problems(rule_set(*offers)))


def test_exclusive_offers_of_different_priority_can_be_published() -> None:
    first = offer("a", 1, combination=Combination.EXCLUSIVE, priority=1)
    second = offer("b", 1, combination=Combination.EXCLUSIVE, priority=2)
    assert rules.find_problems(rule_set(first, second)) == []


@pytest.mark.parametrize(
    ("one", "two", "can_meet"),
    [
        ({}, {}, True),
        ({"categories": frozenset({"TEA"})}, {"categories": frozenset({"RICE"})}, False),
        ({"categories": frozenset({"TEA", "RICE"})}, {"categories": frozenset({"RICE"})}, True),
        ({"categories": frozenset({"TEA"})}, {}, True),
        ({"merchant_ids": frozenset({SHOP})}, {"merchant_ids": frozenset({MALL})}, False),
        ({"business_unit_ids": frozenset({SHOP})}, {"business_unit_ids": frozenset({MALL})}, False),
        ({"store_ids": frozenset({SHOP})}, {"store_ids": frozenset({MALL})}, False),
        # A merchant's offer and a unit's may meet in the merchant's store.
        ({"merchant_ids": frozenset({SHOP})}, {"business_unit_ids": frozenset({MALL})}, True),
        ({"days": Days(end=DAY)}, {"days": Days(start=date(2026, 3, 5))}, False),
        ({"days": Days(end=DAY)}, {"days": Days(start=DAY)}, True),
        ({"days": Days(week_days=frozenset({1}))}, {"days": Days(week_days=frozenset({2}))}, False),
        # A Monday and the 13th of a month: either list suffices, and Mondays can be the 13th.
        ({"days": Days(week_days=frozenset({1}))}, {"days": Days(month_days=frozenset({13}))}, True),
        ({"days": Days(kind=DayKind.WORKDAY)}, {"days": Days(kind=DayKind.HOLIDAY)}, False),
        ({"days": Days(recurrence="FREQ=WEEKLY;BYDAY=MO")}, {"days": Days(recurrence="FREQ=WEEKLY;BYDAY=TU")}, False),
        ({"days": Days(recurrence="FREQ=MONTHLY;BYDAY=1SA")}, {"days": Days(week_days=frozenset({6}))}, True),
        # The first Saturday of a month is never its 8th day.
        ({"days": Days(recurrence="FREQ=MONTHLY;BYDAY=1SA")}, {"days": Days(month_days=frozenset({8}))}, False),
        # Only a leap day is both.
        (
            {"days": Days(recurrence="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29")},
            {"days": Days(recurrence="FREQ=MONTHLY;BYMONTHDAY=-1")},
            True,
        ),
        ({"condition": Condition("sale.hour < 9")}, {"condition": Condition("sale.hour > 9")}, True),  # not looked into
    ],
)
def test_exclusive_offers_of_one_priority_are_refused_when_they_can_meet(
    one: dict[str, Any], two: dict[str, Any], can_meet: bool
) -> None:
    pair = [offer("one", 1, combination=Combination.EXCLUSIVE, **one)]
    pair.append(offer("two", 1, combination=Combination.EXCLUSIVE, **two))
    problems = rules.find_problems(rule_set(*pair))
    assert (len(problems), "rules one and two" in str(problems)) == (int(can_meet), can_meet)
    # One that stacks does not keep anybody out.
    assert rules.find_problems(rule_set(pair[0], offer("two", 1, **two))) == []


_some_days = st.builds(
    lambda start, length, recurrence, kind, week_days: Days(
        start=start,
        end=None if start is None or length is None else start + timedelta(days=length),
        recurrence=recurrence,
        kind=kind,
        week_days=week_days,
    ),
    # before and after the rules begin, and beyond what pairs are compared by at once
    st.sampled_from([None, date(2025, 12, 1), DAY, date(2026, 5, 1), date(2034, 6, 7), date(2044, 2, 28)]),
    st.sampled_from([None, 0, 3, 90]),
    st.sampled_from(["", "FREQ=MONTHLY;BYDAY=1SA", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=DAILY;INTERVAL=3"]),
    st.sampled_from([DayKind.ANY, DayKind.HOLIDAY, DayKind.WORKDAY]),
    st.sampled_from([frozenset[int](), frozenset({2}), frozenset({6, 7})]),
)


@settings(max_examples=40)
@given(_some_days, _some_days)
def test_days_meet_when_one_day_of_nine_years_is_one_of_both(one: Days, two: Days) -> None:
    first = max(day for day in (DAY, one.start, two.start) if day)
    last = first + timedelta(days=366 * 9)
    expected = bool(one._within(first, last, STATUTORY) & two._within(first, last, STATUTORY))
    assert one.meets(two, DAY) is two.meets(one, DAY) is expected


def test_as_many_exclusive_offers_as_a_rule_set_has_are_compared_at_once() -> None:
    names = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
    offers = [
        offer(
            f"o{number}",
            1,
            combination=Combination.EXCLUSIVE,
            days=Days(recurrence=f"FREQ=WEEKLY;BYDAY={names[number % 7]}", kind=DayKind(number % 2)),
        )
        for number in range(200)
    ]
    began = process_time()
    assert len(find_offer_problems(offers, DAY)) > 1_000
    assert process_time() - began < 5  # pair by pair it took minutes, while sales wait


# ---- scope


@pytest.mark.parametrize(
    ("scope", "matches"),
    [
        ({"merchant_ids": frozenset({SHOP})}, True),
        ({"merchant_ids": frozenset({MALL})}, False),
        ({"business_unit_ids": frozenset({MALL})}, True),
        ({"business_unit_ids": frozenset({SHOP})}, False),
        ({"store_ids": frozenset({STORE})}, True),
        ({"store_ids": frozenset({SHOP})}, False),
        ({"store_categories": frozenset({"cinema", "restaurant"})}, True),
        ({"store_categories": frozenset({"cinema"})}, False),
        ({"store_ids": frozenset({STORE}), "store_categories": frozenset({"cinema"})}, False),  # all that are given
        ({"condition": Condition("sale.hour == 12")}, True),
        ({"condition": Condition("sale.hour == 13")}, False),
        ({"days": Days(start=DAY, end=DAY)}, True),
        ({"days": Days(start=date(2026, 3, 5))}, False),
    ],
)
def test_an_offer_counts_where_and_when_its_scope_says(scope: dict[str, frozenset[UUID]], matches: bool) -> None:
    assert ("scoped" in given_by(earn(rule_set(offer("scoped", 5_000, **scope)), (10_000, "TEA")))) is matches


def test_a_rule_set_starts_at_its_instant_or_at_its_date_where_the_store_is() -> None:
    older, newer = rule_set(), rule_set(version=2, effective_date=DAY)
    before = rules.start_of(DAY, "Asia/Shanghai")
    assert rules.in_force([older, newer], before, "Asia/Shanghai") is newer
    assert rules.in_force([older, newer], before, "UTC") is older
    exact = replace(newer, version=3, effective_time=rules.start_of(date(2026, 3, 5), "UTC"))
    assert rules.in_force([older, exact], before, "Asia/Shanghai") is older
    assert rules.in_force([], before, "UTC") is None


# ---- conditions


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("sale.hours < 9", 5, "undeclared reference"),
        ("sale.hour <", 12, "Syntax error"),
        ('"tea" + 1 == 2', 7, "no matching overload"),
        ("sale.hour", 0, "must be true or false"),
        ("1 / 0 == 1", 0, "divide by zero"),
        ("10 / line.quantity > 3", 0, "divide by zero"),
        # Ends, but not for the largest sale.
        ("sale.categories.all(a, sale.categories.all(b, a == b || true))", 0, "budget exceeded"),
        ('sale.categories[0] == "TEA"', 0, "Index error"),
        ("(" * 500 + "true" + ")" * 500, 0, "recursion"),
    ],
)
def test_a_condition_that_cannot_be_saved_says_where_and_why(text: str, column: int, problem: str) -> None:
    with pytest.raises(ConditionInvalid) as caught:
        Condition(text)
    assert caught.value.column == column
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    "text",
    [
        "sale.hour < 10",
        "sale\n  .hour < 10",
        "sale // of the day\n  .hour < 10",
        'sale.hour < 10 && sale.source != "line.category"',
        'sale.hour < 10 && line.category == "TEA"',
        'sale.hour < 10 && line // of the sale\n.category == "TEA"',
    ],
)
def test_a_condition_is_given_what_it_names_however_it_is_written(text: str) -> None:
    condition = Condition(text)
    facts = {name: empty for name, (_, empty) in SALE_FACTS.items()}
    if condition.uses_line:
        facts |= {name: empty for name, (_, empty) in LINE_FACTS.items()} | {"line.category": "TEA"}
    assert [condition.holds(facts | {"sale.hour": hour}) for hour in (9, 10)] == [True, False]


@pytest.mark.parametrize("name", [*SALE_FACTS, *LINE_FACTS])
def test_every_fact_that_a_condition_may_name_is_there(name: str) -> None:
    asked = Condition(f"{name} == {name}")
    assert given_by(earn(rule_set(offer("double", 10_000, condition=asked)), (1_000, "TEA"))) == {
        "base": 10,
        "double": 10,
    }


def test_lines_that_are_alike_to_a_condition_are_asked_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    holds = Condition.holds

    def counted(self: Condition, facts: Mapping[str, Any]) -> bool:
        asked.append(facts["line.category"])
        return holds(self, facts)

    monkeypatch.setattr(Condition, "holds", counted)
    lines = (1_000, "TEA"), (2_000, "CAKE"), (3_000, "TEA"), (4_000, "TEA")
    # By what they name the third and the fourth line are as the first, or another one.
    for text, points, categories in (
        ('line.category == "TEA"', 80, ["TEA", "CAKE"]),
        ('line.category == "TEA" && line.amount_minor > 1000', 70, ["TEA", "CAKE", "TEA", "TEA"]),
    ):
        double = offer("double", 10_000, condition=Condition(text))
        asked.clear()
        assert given_by(earn(rule_set(double), *lines))["double"] == points
        assert asked == categories


def test_a_condition_that_fails_on_a_sale_says_why() -> None:
    failing = Condition("line.quantity == 0 || 100 / (line.quantity - 7) > 3")
    with pytest.raises(ConditionFailed, match=r"^divide by zero$"):
        failing.holds({"line.quantity": 7})


# ---- days


@pytest.mark.parametrize(
    ("days", "day", "on"),
    [
        (Days(recurrence="FREQ=MONTHLY;BYDAY=1SA"), date(2026, 3, 7), True),
        (Days(recurrence="FREQ=MONTHLY;BYDAY=1SA"), date(2026, 3, 14), False),
        (Days(recurrence="FREQ=DAILY;INTERVAL=2", start=date(2026, 3, 1)), date(2026, 3, 3), True),
        (Days(recurrence="FREQ=DAILY;COUNT=2", start=date(2026, 3, 1)), date(2026, 3, 3), False),
        (Days(recurrence="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"), date(2028, 2, 29), True),  # a leap day
        (Days(month_days=frozenset({8}), week_days=frozenset({3})), date(2026, 3, 4), True),  # a Wednesday
        (Days(month_days=frozenset({8}), week_days=frozenset({3})), date(2026, 3, 5), False),
        (Days(kind=DayKind.HOLIDAY), date(2026, 10, 1), True),
        (Days(kind=DayKind.DAY_OFF), date(2026, 3, 7), True),  # a Saturday
        (Days(kind=DayKind.WORKDAY), date(2017, 1, 22), True),  # a Sunday that was worked
        (Days(kind=DayKind.DAY_OFF), date(2099, 3, 7), True),  # a year that the calendar does not know: weekends only
    ],
)
def test_days_are_on(days: Days, day: date, on: bool) -> None:
    days.check()
    assert days.include(day) is on


@pytest.mark.parametrize(
    ("days", "problem"),
    [
        (Days(start=date(2026, 3, 2), end=date(2026, 3, 1)), "ends before it starts"),
        (Days(recurrence="FREQ=HOURLY"), "days or longer"),
        (Days(recurrence="FREQ=DAILY;BYHOUR=9"), "whole days"),
        (Days(recurrence="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "has no day"),
        (Days(recurrence="FREQ=DAILY", start=date(2026, 3, 1), end=date(2026, 2, 1)), "ends before"),
        (Days(recurrence="every day"), "not an RRULE"),
        (Days(recurrence="DTSTART:20260101T000000\nRRULE:FREQ=DAILY"), "one RRULE"),
        (Days(month_days=frozenset({32})), "does not exist"),
        # What dateutil follows for ever, or to the year 9999.
        (Days(recurrence="FREQ=DAILY;INTERVAL=0"), "INTERVAL of 1 or more"),
        (Days(recurrence="FREQ=YEARLY;INTERVAL=0", start=date(2026, 3, 1)), "INTERVAL of 1 or more"),
        (Days(recurrence="FREQ=DAILY;INTERVAL=-1"), "INTERVAL of 1 or more"),
        (Days(recurrence="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "has no day"),
        (Days(recurrence="FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=31"), "has no day"),
        (Days(recurrence="FREQ=DAILY;BYSETPOS=2"), "has no day"),  # a day has one
        (Days(recurrence="FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29"), "has no day"),  # 2001, 2005, …
        (Days(recurrence="FREQ=DAILY;COUNT=0"), "has no day"),
        (Days(recurrence="FREQ=DAILY;UNTIL=20000101"), "has no day"),  # before it is counted from
        (Days(recurrence="FREQ=DAILY", start=date.max), None),
        (Days(recurrence="FREQ=DAILY;UNTIL=20300101T160000Z"), "UNTIL is a date where the store is"),
    ],
)
def test_days_that_cannot_be_saved_are_refused_at_once(days: Days, problem: str | None) -> None:
    began = process_time()
    if problem is None:
        days.check()
    else:
        with pytest.raises(DaysInvalid, match=problem):
            days.check()
    assert process_time() - began < 0.5  # sales wait meanwhile; the worst of these took seven seconds, or for ever


_recurrences = st.builds(
    lambda frequency, interval, parts: ";".join([f"FREQ={frequency}", f"INTERVAL={interval}", *parts.values()]),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.sampled_from([1, 1, 2, 3, 5, 12]),
    st.fixed_dictionaries(
        {},
        optional={
            "month": st.sampled_from(["BYMONTH=2", "BYMONTH=1,6,12"]),
            "day": st.sampled_from(["BYDAY=MO", "BYDAY=SA,SU", "BYDAY=1SA", "BYDAY=-1FR"]),
            "month day": st.sampled_from(["BYMONTHDAY=8", "BYMONTHDAY=-1", "BYMONTHDAY=29,30,31"]),
            "year day": st.sampled_from(["BYYEARDAY=1,-1", "BYYEARDAY=366"]),
            "week": st.sampled_from(["BYWEEKNO=1,53"]),
            "position": st.sampled_from(["BYSETPOS=1", "BYSETPOS=-1,2"]),
            "first": st.sampled_from(["WKST=SU"]),
            "last": st.sampled_from(["COUNT=5", "UNTIL=20280301"]),
        },
    ),
)


@given(_recurrences, st.dates(date(2024, 1, 1), date(2026, 12, 31)), st.integers(0, 800), st.integers(0, 20))
def test_days_are_those_of_the_recurrence(recurrence: str, start: date, after_days: int, count: int) -> None:
    begin = start + timedelta(days=after_days)
    end = begin + timedelta(days=count)
    days = Days(start=start, recurrence=recurrence)
    try:
        days.check()
    except DaysInvalid:
        reject()  # dateutil would look for its first day until the year 9999
    expected = set()
    for each in rrule.rrulestr(recurrence, dtstart=datetime.combine(start, time())):
        if each.date() > end:
            break
        expected.add(each.date())
    for number in range(count + 1):
        day = begin + timedelta(days=number)
        assert days.include(day) is (day in expected)


@pytest.mark.parametrize(
    ("days", "is_over"),
    [
        (Days(recurrence="FREQ=DAILY;UNTIL=20260228"), True),
        (Days(recurrence="FREQ=DAILY;UNTIL=20260301"), False),
        (Days(recurrence="FREQ=DAILY;COUNT=3", start=date(2026, 2, 26)), True),
        (Days(recurrence="FREQ=DAILY;COUNT=4", start=date(2026, 2, 26)), False),
        (Days(recurrence="FREQ=DAILY;COUNT=4", start=date(2027, 2, 26)), False),  # has not begun
        (Days(recurrence="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"), False),  # in two years
        (Days(recurrence="FREQ=MONTHLY;BYMONTHDAY=8", end=date(2026, 3, 7)), True),  # the dates say that it goes on
        (Days(recurrence="FREQ=MONTHLY;BYMONTHDAY=8", end=date(2026, 2, 20)), False),  # the dates say that it is over
    ],
)
def test_a_recurrence_is_over_when_no_day_is_left(days: Days, is_over: bool) -> None:
    days.check()
    assert days.find_over(date(2026, 3, 1)) == ("its recurrence has no day from 2026-03-01 on" if is_over else "")
