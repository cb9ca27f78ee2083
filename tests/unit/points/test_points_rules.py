from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from services.points import returns
from services.points.earning import rules
from services.points.earning.expiry import expiry_of, most_pending_days, rolling
from services.points.earning.offset_terms import OffsetTerms, Order, allow
from services.points.earning.rating import Earning
from services.points.earning.rules import Rule, RuleKind, RuleSet, Tier
from services.points.earning.shares import largest_remainder
from services.points.returns import ReturnedLine, SoldLine
from tests.unit.points.earned import earned

HERE, ELSEWHERE = ids.derive("store", 1), ids.derive("store", 2)
BASE = Rule("base", RuleKind.BASE)


def rule_set(*more: Rule, **changes: Any) -> RuleSet:
    values: dict[str, Any] = {
        "version": 1,
        "effective_date": date(2015, 1, 1),
        "base_points": 1,
        "base_step_minor": 100,
        "expiry_months": 12,
    }
    return RuleSet(**{**values, **changes}, rules=(BASE, *more))


def earn(
    of: RuleSet,
    *lines: tuple[int, str],
    day: date = date(2017, 3, 7),
    tier: Tier = rules.NO_TIER,
    birth_month: int = 0,
) -> Earning:
    return earned(
        of,
        amounts_minor=[amount for amount, _ in lines],
        categories=[category for _, category in lines],
        store_id=HERE,
        business_date=day,
        tier=tier,
        birth_month=birth_month,
        is_birth_month=birth_month == day.month,
    )


THRESHOLDS = (
    Rule("t588", RuleKind.THRESHOLD, 5_000, min_amount_minor=58_800),
    Rule("t888", RuleKind.THRESHOLD, 10_000, min_amount_minor=88_800),
)
PRODUCE = Rule("produce", RuleKind.CATEGORY, 5_000, categories=frozenset({"PRODUCE"}))
ORGANIC = Rule("organic", RuleKind.CATEGORY, 1_000, categories=frozenset({"PRODUCE", "ORGANIC"}))
SHOP = Rule("shop", RuleKind.STORE, 2_000, store_ids=frozenset({HERE}))
OTHER_SHOP = Rule("other", RuleKind.STORE, 2_000, store_ids=frozenset({ELSEWHERE}))
MEMBER_DAY = Rule("day", RuleKind.DAY, 10_000, month_days=frozenset({8, 18}), week_days=frozenset({2}))
BIRTHDAY = Rule("birthday", RuleKind.BIRTHDAY, 10_000)
GOLD = Tier("GOLD", 12_500)


@pytest.mark.parametrize(
    ("of", "lines", "options", "points"),
    [
        # one point a yuan, rounded down
        (rule_set(), [(1_299, "")], {}, 12),
        # one floor for the receipt: 0.99 + 0.99 + 0.02 is 2 yuan, though no line alone earns
        (rule_set(), [(99, ""), (99, ""), (2, "")], {}, 2),
        # nothing sold, nothing earned
        (rule_set(), [(0, "")], {}, 0),
        # an excluded category does not count
        (rule_set(excluded_categories=frozenset({"FUEL"})), [(1_000, "FUEL"), (500, "")], {}, 5),
        # below, at and above a threshold; the highest reached one counts, not the sum
        (rule_set(*THRESHOLDS), [(58_799, "")], {}, 587),
        (rule_set(*THRESHOLDS), [(58_800, "")], {}, 882),
        (rule_set(*THRESHOLDS), [(88_800, "")], {}, 1_776),
        # what is excluded does not help to reach it
        (
            rule_set(*THRESHOLDS, excluded_categories=frozenset({"FUEL"})),
            [(58_700, ""), (1_000, "FUEL")],
            {},
            587,
        ),
        # a category's bonus is for its lines only; two rules of one category add up
        (rule_set(PRODUCE), [(1_000, "PRODUCE"), (1_000, "")], {}, 25),
        (rule_set(PRODUCE, ORGANIC), [(1_000, "PRODUCE"), (1_000, "ORGANIC")], {}, 27),
        # a store's bonus
        (rule_set(SHOP, OTHER_SHOP), [(1_000, "")], {}, 12),
        # day of the month; day of the week (2017-03-07 is a Tuesday); neither
        (rule_set(MEMBER_DAY), [(1_000, "")], {"day": date(2017, 3, 18)}, 20),
        (rule_set(MEMBER_DAY), [(1_000, "")], {"day": date(2017, 3, 7)}, 20),
        (rule_set(MEMBER_DAY), [(1_000, "")], {"day": date(2017, 3, 9)}, 10),
        # month of birth; unknown month
        (rule_set(BIRTHDAY), [(1_000, "")], {"birth_month": 3}, 20),
        (rule_set(BIRTHDAY), [(1_000, "")], {"birth_month": 4}, 10),
        (rule_set(BIRTHDAY), [(1_000, "")], {}, 10),
        # the tier multiplies what the rules add up to: 10 × (1 + 0.2 + 1) × 1.25
        (rule_set(SHOP, BIRTHDAY), [(1_000, "")], {"tier": GOLD, "birth_month": 3}, 27),
        # a tier that earns less, and one that earns nothing
        (rule_set(), [(1_000, "")], {"tier": Tier("TRIAL", 5_000)}, 5),
        (rule_set(), [(1_000, "")], {"tier": Tier("STAFF", 0)}, 0),
        # another base: 3 points for every 10 yuan
        (rule_set(base_points=3, base_step_minor=1_000), [(1_999, "")], {}, 5),
    ],
)
def test_points_of_a_sale(of: RuleSet, lines: list[tuple[int, str]], options: dict[str, Any], points: int) -> None:
    earning = earn(of, *lines, **options)
    assert earning.points == points
    assert sum(earning.line_points) == points
    assert sum(applied.points for applied in earning.applied) == points


def test_explanation_names_each_rule_with_its_share() -> None:
    of = rule_set(PRODUCE, *THRESHOLDS, SHOP, MEMBER_DAY, excluded_categories=frozenset({"FUEL"}))
    earning = earn(of, (50_000, "PRODUCE"), (10_000, ""), (5_000, "FUEL"), tier=GOLD, day=date(2017, 3, 9))
    assert [(a.rule_id, a.kind, a.rate_bps, a.points) for a in earning.applied] == [
        ("base", RuleKind.BASE, 10_000, 600),
        ("produce", RuleKind.CATEGORY, 5_000, 250),
        ("t588", RuleKind.THRESHOLD, 5_000, 300),
        ("shop", RuleKind.STORE, 2_000, 120),
        ("tier-gold", RuleKind.TIER, 12_500, 317),
    ]
    assert earning.line_rates_bps == [22_000, 17_000, 0]
    assert earning.eligible_minor == 60_000
    assert earning.points == 1_587  # 1270 × 1.25 = 1587.5


def test_tier_is_named_only_when_it_changes_something() -> None:
    assert [a.kind for a in earn(rule_set(), (1_000, ""), tier=Tier("BASIC", 10_000)).applied] == [RuleKind.BASE]


AMOUNTS = st.lists(st.integers(0, 10**10), min_size=1, max_size=30)
SETS = st.builds(
    lambda bonuses, minimum, step, points: rule_set(
        Rule("a", RuleKind.CATEGORY, bonuses[0], categories=frozenset({"A"})),
        Rule("s", RuleKind.STORE, bonuses[1], store_ids=frozenset({HERE})),
        Rule("t", RuleKind.THRESHOLD, bonuses[2], min_amount_minor=minimum),
        base_points=points,
        base_step_minor=step,
        excluded_categories=frozenset({"X"}),
    ),
    st.tuples(*[st.integers(0, 1_000_000)] * 3),
    st.integers(0, 10**7),
    st.integers(1, 10**6),
    st.integers(0, 1_000),
)


@given(SETS, AMOUNTS, st.data(), st.integers(0, 100_000))
def test_shares_sum_to_the_exact_floor(of: RuleSet, amounts: list[int], data: st.DataObject, tier_bps: int) -> None:
    categories = data.draw(st.lists(st.sampled_from(["A", "B", "X", ""]), min_size=len(amounts), max_size=len(amounts)))
    earning = earn(of, *zip(amounts, categories, strict=True), tier=Tier("ANY", tier_bps))
    exact = sum(
        Fraction(amount * of.base_points * rate * tier_bps, of.base_step_minor * 10**8)
        for amount, rate in zip(amounts, earning.line_rates_bps, strict=True)
    )
    assert earning.points == exact // 1
    assert sum(earning.line_points) == earning.points == sum(a.points for a in earning.applied)
    assert all(points >= 0 for points in earning.line_points)
    for amount, category, points in zip(amounts, categories, earning.line_points, strict=True):
        assert points == 0 or (amount > 0 and category != "X")


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.lists(st.integers(1, 10**5), max_size=20))
def test_partial_refunds_take_back_the_whole_in_the_end(points: int, amount: int, parts: list[int]) -> None:
    returned, taken = 0, 0
    for part in [*parts, amount]:
        part = min(part, amount - returned)
        if part == 0:
            continue
        (line,) = returns.returned_lines([SoldLine(1, amount, points, returned)], [(1, part)])
        assert line.points >= 0
        returned, taken = line.returned_minor, taken + line.points
        assert taken == points * returned // amount
    assert (returned, taken) == (amount, points)


def test_refund_of_all_that_is_left() -> None:
    sold = [SoldLine(1, 1_000, 10), SoldLine(2, 300, 3, returned_minor=100), SoldLine(3, 0, 0)]
    assert returns.returned_lines(sold, []) == [ReturnedLine(1, 1_000, 10, 1_000), ReturnedLine(2, 200, 2, 300)]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ([(9, 1)], returns.LineNotSold),  # no such line
        ([(1, 400), (1, 400)], returns.LineNotSold),  # the same line twice
        ([(1, 901)], returns.ReturnTooLarge),  # 100 came back before
    ],
)
def test_refunds_that_cannot_be(asked: list[tuple[int, int]], error: type[Exception]) -> None:
    with pytest.raises(error):
        returns.returned_lines([SoldLine(1, 1_000, 10, returned_minor=100)], asked)


def test_refund_when_nothing_is_left() -> None:
    with pytest.raises(returns.ReturnTooLarge):
        returns.returned_lines([SoldLine(1, 1_000, 10, returned_minor=1_000)], [])


@pytest.mark.parametrize(
    ("year", "month", "months", "time_zone", "expires"),
    [
        # 12 whole months after the month of the sale, at local midnight
        (2017, 1, 12, "Asia/Shanghai", datetime(2018, 1, 31, 16, tzinfo=UTC)),
        (2017, 12, 12, "Asia/Shanghai", datetime(2018, 12, 31, 16, tzinfo=UTC)),
        (2017, 12, 1, "UTC", datetime(2018, 2, 1, tzinfo=UTC)),
        # summer time: local midnight is 22:00 or 23:00 UTC
        (2017, 5, 1, "Europe/Berlin", datetime(2017, 6, 30, 22, tzinfo=UTC)),
        (2017, 10, 1, "Europe/Berlin", datetime(2017, 11, 30, 23, tzinfo=UTC)),
    ],
)
def test_expiry(year: int, month: int, months: int, time_zone: str, expires: datetime) -> None:
    assert expiry_of(year, month, months, time_zone) == expires


def test_business_date_is_the_store_s() -> None:
    instant = datetime(2017, 3, 7, 17, 30, tzinfo=UTC)
    assert rules.business_date_of(instant, "Asia/Shanghai") == date(2017, 3, 8)
    assert rules.business_date_of(instant, "America/New_York") == date(2017, 3, 7)


def test_tier_is_the_one_held_at_the_start_of_the_day() -> None:
    history = [(date(1900, 1, 1), Tier("BASIC", 10_000)), (date(2017, 3, 8), GOLD)]
    assert rules.tier_on(history, date(2017, 3, 7)).code == "BASIC"
    assert rules.tier_on(history, date(2017, 3, 8)).code == "GOLD"
    assert rules.tier_on([], date(2017, 3, 8)) == rules.NO_TIER


@pytest.mark.parametrize(
    ("total_minor", "available", "points", "minor"),
    [
        (20_000, 10_000, 1_000, 3_000),  # 15% of 200 yuan is 30 yuan
        (20_999, 10_000, 1_000, 3_000),  # 31.49: the step below
        (20_000, 950, 900, 2_700),  # nine steps of what there is
        (1_999, 10_000, 0, 0),  # 15% is less than a step
        (20_000, 99, 0, 0),
        (20_000, 0, 0, 0),
    ],
)
def test_offset_quote(total_minor: int, available: int, points: int, minor: int) -> None:
    own = OffsetTerms("", 100, 300, 1_500)
    allowed = allow((), own, Order(total_minor, UUID(int=1), None, "", date(2026, 1, 1)))
    quote = allowed.within(available), allowed.worth(allowed.within(available))
    assert quote == (points, minor)


@pytest.mark.parametrize(
    ("of", "problem"),
    [
        (rule_set(PRODUCE, *THRESHOLDS, SHOP, MEMBER_DAY, BIRTHDAY), None),
        (RuleSet(1, date(2015, 1, 1), 1, 100, (PRODUCE,), 12), "base"),
        (rule_set(PRODUCE, PRODUCE), "differ"),
        (rule_set(Rule("c", RuleKind.CATEGORY, 1)), "category"),
        (rule_set(Rule("s", RuleKind.STORE, 1)), "store"),
        (rule_set(Rule("d", RuleKind.DAY, 1)), "day"),
        (rule_set(Rule("d", RuleKind.DAY, 1, month_days=frozenset({32}))), "exist"),
        (rule_set(Rule("d", RuleKind.DAY, 1, week_days=frozenset({0}))), "exist"),
        (rule_set(THRESHOLDS[0], Rule("again", RuleKind.THRESHOLD, 1, min_amount_minor=58_800)), "same minimum"),
    ],
)
def test_rule_sets_that_cannot_be_published(of: RuleSet, problem: str | None) -> None:
    found = rules.find_problems(of)
    assert found == [] if problem is None else problem in str(found)


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_largest_remainder_is_exact_and_close(total: int, weights: list[int]) -> None:
    shares = largest_remainder(total, weights)
    assert sum(shares) == total
    if sum(weights):
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share - Fraction(total * weight, sum(weights))) < 1


@pytest.mark.parametrize(
    ("time_zone", "unlock_time"),
    [
        ("Asia/Shanghai", datetime(2019, 3, 30, 16, tzinfo=UTC)),
        # The night on which the clocks go forward: the day begins before they do.
        ("Europe/Berlin", datetime(2019, 3, 30, 23, tzinfo=UTC)),
        # Midnight itself is skipped here: the day begins at one.
        ("Asia/Beirut", datetime(2019, 3, 30, 22, tzinfo=UTC)),
    ],
)
def test_points_unlock_when_the_day_begins_where_the_store_is(time_zone: str, unlock_time: datetime) -> None:
    assert rules.unlock_of(date(2019, 3, 24), 7, time_zone) == unlock_time


@pytest.mark.parametrize("expiry_months", [1, 2, 3, 11, 12, 13, 120])
def test_points_that_pend_as_long_as_allowed_unlock_before_they_expire(expiry_months: int) -> None:
    days = most_pending_days(rolling(expiry_months))
    margins = set()
    for number in range(4 * 366):
        day = date(2018, 1, 1) + timedelta(days=number)
        unlock_time = rules.unlock_of(day, days, "Asia/Shanghai")
        margins.add((expiry_of(day.year, day.month, expiry_months, "Asia/Shanghai") - unlock_time).days)
    assert min(margins) == 1  # one more and the last day of some month would fail
