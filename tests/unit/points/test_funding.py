"""Who pays: every rule's points, and the sale's, are shared to the point."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from services.points.earning import rules
from services.points.earning.earning import within
from services.points.earning.funding import Funder, FunderKind, FunderShare, Funding, fund
from services.points.earning.offers import Offer, Setting
from services.points.earning.rules import Rule, RuleKind, RuleSet, Tier
from tests.unit.points.earned import earned

SHOP, MALL, BRAND = (ids.derive("funding", name) for name in ("shop", "mall", "brand"))
MERCHANT, UNIT, PLATFORM, NAMED = FunderKind
OWN, HOUSE, GROUP = Funder(MERCHANT, SHOP), Funder(UNIT, MALL), Funder(PLATFORM, None)


def shares(*given: tuple[Any, ...]) -> tuple[FunderShare, ...]:
    return tuple(FunderShare(kind, merchant, bps) for kind, merchant, bps in given)


def rule_set(*more: Rule, base: tuple[FunderShare, ...] = ()) -> RuleSet:
    return RuleSet(1, date(2015, 1, 1), 1, 100, (Rule("base", RuleKind.BASE, funders=base), *more), 12)


def offer(rule_id: str, bonus_bps: int, *given: tuple[Any, ...], fixed_points: int = 0) -> Rule:
    return Rule(rule_id, RuleKind.OFFER, bonus_bps, offer=Offer(fixed_points=fixed_points), funders=shares(*given))


def paid(of: RuleSet, amount_minor: int, *, tier: Tier = rules.NO_TIER, most: int | None = None) -> Funding:
    earning = earned(
        of,
        amounts_minor=[amount_minor],
        categories=["TEA"],
        store_id=SHOP,
        business_date=date(2026, 3, 4),
        tier=tier,
        birth_month=0,
        is_birth_month=False,
        setting=Setting(SHOP, MALL, 12, "pos", [""], [1]),
    )
    if most is not None:
        earning = within(earning, most)
    found = fund(of, earning.applied, merchant_id=SHOP, business_unit_id=MALL)
    assert [sum(points for _, points in some) for some in found.by_rule] == [one.points for one in earning.applied]
    assert sum(points for _, points in found.in_all) == earning.points
    assert all(points >= 0 for _, points in found.in_all)
    return found


def test_the_issuer_pays_for_what_no_rule_says() -> None:
    found = paid(rule_set(offer("half", 5_000, (PLATFORM, None, 10_000))), 10_000)
    assert dict(found.in_all) == {OWN: 100, GROUP: 50}


def test_the_odd_point_goes_to_the_largest_remainder() -> None:
    thirds = ((MERCHANT, None, 3_333), (UNIT, None, 3_333), (PLATFORM, None, 3_334))
    found = paid(rule_set(base=shares(*thirds)), 10_000)
    assert dict(found.in_all) == {OWN: 33, HOUSE: 33, GROUP: 34}


def test_what_a_tier_adds_is_shared_as_the_rates_are_and_fixed_points_are_not_among_them() -> None:
    of = rule_set(
        offer("rate", 10_000, (PLATFORM, None, 10_000)),
        offer("fixed", 0, (NAMED, BRAND, 10_000), fixed_points=40),
    )
    found = paid(of, 10_000, tier=Tier("GOLD", 12_500))
    # 100 own and 100 of the group, each a quarter more; the brand pays its 40 and nothing of the tier.
    assert dict(found.in_all) == {OWN: 125, GROUP: 125, Funder(NAMED, BRAND): 40}


def test_a_tier_that_takes_away_takes_from_those_who_pay() -> None:
    found = paid(rule_set(offer("rate", 10_000, (PLATFORM, None, 10_000))), 10_000, tier=Tier("LESS", 5_000))
    assert dict(found.in_all) == {OWN: 50, GROUP: 50}


def test_a_named_merchant_that_sells_itself_is_the_issuer() -> None:
    found = paid(rule_set(base=shares((NAMED, SHOP, 5_000), (MERCHANT, None, 5_000))), 10_000)
    assert dict(found.in_all) == {OWN: 100}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (((PLATFORM, None, 9_999),), "do not sum to 10000"),
        (((PLATFORM, None, 5_000), (PLATFORM, None, 5_000)), "names a funder twice"),
        (((NAMED, None, 10_000),), "exactly when it is a named merchant"),
        (((PLATFORM, BRAND, 10_000),), "exactly when it is a named merchant"),
    ],
)
def test_shares_that_cannot_be_published(given: tuple[tuple[Any, ...], ...], problem: str) -> None:
    assert problem in str(rules.find_problems(rule_set(base=shares(*given))))
    assert rules.find_problems(rule_set(base=shares((PLATFORM, None, 10_000)))) == []


_cuts = st.lists(st.integers(1, 9_999), max_size=3, unique=True).map(sorted)


@given(_cuts, _cuts, st.integers(0, 10**7), st.integers(0, 30_000), st.integers(1, 40_000), st.integers(0, 10**6))
def test_shares_add_up_whatever_rules_tiers_and_limits_do(
    base: list[int], extra: list[int], amount: int, bonus_bps: int, tier_bps: int, most: int
) -> None:
    who = ((MERCHANT, None), (UNIT, None), (PLATFORM, None), (NAMED, BRAND))

    def cut(cuts: list[int]) -> list[tuple[Any, ...]]:
        ends = [0, *cuts, 10_000]
        return [(*who[number], end - ends[number]) for number, end in enumerate(ends[1:])]

    of = rule_set(
        offer("rate", bonus_bps, *cut(extra)), offer("fixed", 0, *cut(base), fixed_points=7), base=shares(*cut(base))
    )
    paid(of, amount, tier=Tier("T", tier_bps))
    paid(of, amount, tier=Tier("T", tier_bps), most=most)
