from __future__ import annotations

from datetime import date
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from huitong.points.v1 import points_pb2
from services.points.earning import rules
from services.points.earning.base_rates import BaseRate, find_rate_problems, rates_at
from services.points.earning.currency_offers import awards_of
from services.points.earning.earning import within
from services.points.earning.explanations import explanation_of
from services.points.earning.offers import Offer, SaleFacts, Setting
from services.points.earning.rating import Earning
from services.points.earning.rules import Rule, RuleKind, RuleSet, Tier
from services.points.lookup import Store
from tests.unit.points.earned import earned

UNIT, MERCHANT, STORE = (ids.derive("item rates", name) for name in ("unit", "merchant", "store"))
PLACE = Store(STORE, MERCHANT, UNIT, "Asia/Shanghai", "CNY", category="jeweller")
DAY = date(2026, 3, 4)
GOLD = frozenset({"GOLD"})
BASE = Rule("base", RuleKind.BASE)
PLAIN = (
    BASE,
    Rule("from-100", RuleKind.THRESHOLD, 2_500, min_amount_minor=10_000),
    Rule("tea", RuleKind.CATEGORY, 5_000, categories=frozenset({"TEA"})),
    Rule("day", RuleKind.DAY, 3_333, month_days=frozenset({4})),
)
CAPPED = Rule("capped", RuleKind.OFFER, 10_000, categories=frozenset({"GOLD", "TEA"}), offer=Offer(max_points=7))
TIERS = [rules.NO_TIER, Tier("GOLD", 12_500), Tier("LOW", 9_000)]

Lines = list[tuple[int, str]]


def rule_set(*rates: BaseRate, with_rules: tuple[Rule, ...] = PLAIN, points: int = 1, step_minor: int = 100) -> RuleSet:
    return RuleSet(1, date(2015, 1, 1), points, step_minor, with_rules, 12, frozenset({"FUEL"}), base_rates=rates).at(
        PLACE
    )


def earn(of: RuleSet, lines: Lines, tier: Tier = rules.NO_TIER) -> Earning:
    return earned(
        of,
        amounts_minor=[amount for amount, _ in lines],
        categories=[category for _, category in lines],
        store_id=STORE,
        business_date=DAY,
        tier=tier,
        birth_month=0,
        is_birth_month=False,
        setting=Setting(MERCHANT, UNIT, 12, "pos", ["" for _ in lines], [1 for _ in lines]),
    )


def explained(of: RuleSet, earning: Earning) -> points_pb2.Explanation:
    line_nos = [10 * (index + 1) for index in range(len(earning.line_points))]
    raw = explanation_of(earning, rule_set_version=1, business_date=DAY, tier=rules.NO_TIER, line_nos=line_nos)
    return points_pb2.Explanation.FromString(raw)


EVERYWHERE = BaseRate("everywhere", 1, 1_000, item_categories=GOLD)
IN_UNIT = BaseRate("in-unit", 2, 1_000, business_unit_ids=frozenset([UNIT]), item_categories=GOLD)
AT_JEWELLERS = BaseRate("at-jewellers", 3, 1_000, store_categories=frozenset(["jeweller"]), item_categories=GOLD)
AT_MERCHANT = BaseRate("at-merchant", 4, 1_000, merchant_ids=frozenset([MERCHANT]), item_categories=GOLD)
IN_STORE = BaseRate("in-store", 5, 1_000, store_ids=frozenset([STORE]), item_categories=GOLD)
ELSEWHERE = BaseRate("elsewhere", 9, 1, store_ids=frozenset([MERCHANT]), item_categories=GOLD)
OF_STORE = BaseRate("of-store", 7, 100, store_ids=frozenset([STORE]))


@pytest.mark.parametrize(
    ("rates", "found"),
    [
        ((EVERYWHERE, IN_UNIT, AT_JEWELLERS, AT_MERCHANT, IN_STORE), IN_STORE),
        ((IN_STORE, AT_MERCHANT, AT_JEWELLERS, IN_UNIT, EVERYWHERE), IN_STORE),
        ((EVERYWHERE, IN_UNIT, AT_JEWELLERS, AT_MERCHANT), AT_MERCHANT),
        ((EVERYWHERE, IN_UNIT, AT_JEWELLERS), AT_JEWELLERS),
        ((EVERYWHERE, IN_UNIT), IN_UNIT),
        ((ELSEWHERE, EVERYWHERE), EVERYWHERE),
        ((ELSEWHERE,), None),
        # one for the item goes before one for the place, however close that is
        ((OF_STORE, EVERYWHERE), EVERYWHERE),
        # of equals the first
        ((EVERYWHERE, BaseRate("later", 9, 1, item_categories=frozenset({"GOLD", "TEA"}))), EVERYWHERE),
    ],
)
def test_of_rates_for_an_item_category_the_one_that_names_the_place_most_closely_counts(
    rates: tuple[BaseRate, ...], found: BaseRate | None
) -> None:
    assert rates_at(rates, PLACE).by_item_category.get("GOLD") == found


def test_other_lines_have_the_rate_of_the_place() -> None:
    at = rates_at((EVERYWHERE, OF_STORE), PLACE)
    assert at.place == OF_STORE and "TEA" not in at.by_item_category
    earning = earn(rule_set(EVERYWHERE, OF_STORE, with_rules=(BASE,)), [(10_000, "GOLD"), (10_000, "TEA")])
    assert (earning.points, earning.line_points) == (710, [10, 700])


def test_places_with_the_same_rates_share_their_rule_set() -> None:
    whole = RuleSet(1, DAY, 1, 100, (BASE,), 12, base_rates=(EVERYWHERE, ELSEWHERE))
    neighbour = Store(UNIT, UNIT, UNIT, "Asia/Shanghai", "CNY")
    assert whole.at(PLACE) is whole.at(neighbour) is not whole
    assert whole.at(Store(MERCHANT, UNIT, UNIT, "Asia/Shanghai", "CNY")).item_rates == {"GOLD": ELSEWHERE}


def test_a_sale_of_other_items_is_computed_as_if_there_were_no_such_rate() -> None:
    lines = [(12_345, "TEA"), (999, "RICE")]
    assert earn(rule_set(EVERYWHERE), lines) == earn(rule_set(), lines)


_lines = st.lists(
    st.tuples(st.integers(0, 500_000), st.sampled_from(["GOLD", "TEA", "RICE", "FUEL", ""])), min_size=1, max_size=8
)
_rates = st.lists(
    st.tuples(
        st.integers(0, 50),
        st.sampled_from([1, 7, 60, 100, 1_000, 9_999]),
        st.sets(st.sampled_from(["GOLD", "TEA", "RICE", "FUEL"]), max_size=3),
        st.booleans(),
    ),
    max_size=4,
)


def built(drawn: list[tuple[int, int, set[str], bool]]) -> tuple[BaseRate, ...]:
    return tuple(
        BaseRate(
            f"r{number}",
            points,
            step_minor,
            store_ids=frozenset([STORE]) if in_store or not categories else frozenset(),
            item_categories=frozenset(categories),
        )
        for number, (points, step_minor, categories, in_store) in enumerate(drawn)
    )


def rate_of(category: str, rates: tuple[BaseRate, ...]) -> tuple[int, int]:
    """The rate of a line, found by trying one kind after the other."""
    for candidates in (
        [rate for rate in rates if category in rate.item_categories and rate.store_ids],
        [rate for rate in rates if category in rate.item_categories],
        [rate for rate in rates if not rate.item_categories],
    ):
        if candidates:
            return candidates[0].points, candidates[0].step_minor
    return 1, 100


@given(_lines, _rates, st.sampled_from(TIERS))
def test_a_sale_earns_the_sum_over_its_rates_rounded_once(
    lines: Lines, drawn: list[tuple[int, int, set[str], bool]], tier: Tier
) -> None:
    rates = built(drawn)
    counted = sum(amount for amount, category in lines if category != "FUEL")
    exact = Fraction(0)
    for amount, category in lines:
        if category != "FUEL":
            points, step_minor = rate_of(category, rates)
            bps = 13_333 + (2_500 if counted >= 10_000 else 0) + (5_000 if category == "TEA" else 0)
            exact += Fraction(amount * points * bps, step_minor * 10_000)
    assert earn(rule_set(*rates), lines, tier).points == floor(exact * tier.multiplier_bps / 10_000)


@given(_lines, _rates, st.sampled_from(TIERS), st.booleans(), st.integers(0, 10**6))
def test_shares_of_lines_rules_and_rates_add_up(
    lines: Lines, drawn: list[tuple[int, int, set[str], bool]], tier: Tier, with_offer: bool, limit: int
) -> None:
    of = rule_set(*built(drawn), with_rules=(*PLAIN, CAPPED) if with_offer else PLAIN)
    earning = within(earn(of, lines, tier), limit)
    assert sum(earning.line_points) == earning.points == sum(applied.points for applied in earning.applied)
    told = explained(of, earning)
    if told.rated_lines:
        assert sum(rated.points for rated in told.rated_lines) == earning.applied[0].points
        named = sorted(line_no for rated in told.rated_lines for line_no in rated.line_nos)
        assert named == [10 * (index + 1) for index, (_, category) in enumerate(lines) if category != "FUEL"]


@given(st.data(), _lines, _rates, st.sampled_from(TIERS))
def test_the_order_of_lines_does_not_matter(
    data: st.DataObject, lines: Lines, drawn: list[tuple[int, int, set[str], bool]], tier: Tier
) -> None:
    of = rule_set(*built(drawn), with_rules=(*PLAIN, CAPPED))
    shuffled = data.draw(st.permutations(lines))
    one, two = earn(of, lines, tier), earn(of, shuffled, tier)
    assert (one.points, one.applied) == (two.points, two.applied)
    first, second = ([(each.rate, each.weight) for each in earning.rated] for earning in (one, two))
    assert first == second
    shares = [[(each.rate.rate_id, each.points) for each in explained(of, each_).rated_lines] for each_ in (one, two)]
    assert shares[0] == shares[1]


@given(_lines, st.integers(0, 50), st.sampled_from([1, 7, 100, 9_999]), st.sampled_from(TIERS), st.booleans())
def test_one_rate_for_every_category_is_the_plain_rate(
    lines: Lines, points: int, step_minor: int, tier: Tier, with_offer: bool
) -> None:
    with_rules = (*PLAIN, CAPPED) if with_offer else PLAIN
    every = BaseRate("every", points, step_minor, item_categories=frozenset({"GOLD", "TEA", "RICE", "FUEL", ""}))
    plain = earn(rule_set(with_rules=with_rules, points=points, step_minor=step_minor), lines, tier)
    assert earn(rule_set(every, with_rules=with_rules), lines, tier)._replace(rated=()) == plain


def test_points_of_a_unit_follow_the_rates_of_the_lines_too() -> None:
    unit_points = Rule("unit-points", RuleKind.OFFER, 10_000, offer=Offer(currency_id=UNIT))
    of = rule_set(EVERYWHERE, with_rules=(BASE, unit_points))
    sale = SaleFacts(
        [10_000, 10_000],
        ["GOLD", "TEA"],
        20_000,
        True,
        STORE,
        DAY,
        "",
        0,
        False,
        Setting(MERCHANT, UNIT, 12, "pos", ["", ""], [1, 1]),
    )
    (award,), _ = awards_of(of.currency_offers, sale, excluded=frozenset(), base_rates=of.line_rates(sale.categories))
    assert (award.points, award.line_points) == (110, [(0, 10), (1, 100)])


def test_a_rate_names_a_place_or_an_item_category() -> None:
    assert find_rate_problems([EVERYWHERE]) == []
    assert find_rate_problems([BaseRate("nothing", 1, 100)]) == [
        "base rate nothing names no place and no item category: the group's own is base_points"
    ]
