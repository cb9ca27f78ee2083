"""Offers: how they combine, what caps take, and that the general computation is the plain one where there are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from math import ceil, floor
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.earning import rules
from services.points.earning.conditions import Condition
from services.points.earning.days import Days
from services.points.earning.offers import Combination, Setting, first_to_take
from services.points.earning.rules import Rounding, Rule, RuleKind, Tier
from tests.unit.points.earned import BASE, DAY, GOLD, MALL, PLAIN, SHOP, STORE, earn, earned, given_by, offer, rule_set

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
