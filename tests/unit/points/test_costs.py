"""When points cost too much, what follows, and what a throttled offer gives."""

from __future__ import annotations

from datetime import date

import pytest

from services.points.earning import rules
from services.points.earning.offers import Combination, Setting
from services.points.earning.rating import Earning
from services.points.governor.costs import CostGovernor, CostState, UnitCost, change_of, explain
from tests.unit.points.earned import MALL, SHOP, STORE, earn, earned, given_by, offer, rule_set

CALM, WARNED, THROTTLED = CostState
GOVERNOR = CostGovernor(7, 300, 500, 50, 0)


def cost(bps: int, sales_minor: int = 1_000_000) -> UnitCost:
    """A cost of exactly so many basis points: one point is one fen."""
    return UnitCost(sales_minor, sales_minor * bps // 10_000, 1, 1)


@pytest.mark.parametrize(
    ("state", "bps", "next_state"),
    [
        (CALM, 300, None),  # a threshold is crossed when it is exceeded
        (CALM, 301, WARNED),
        (CALM, 501, THROTTLED),  # at once
        (WARNED, 301, None),
        (WARNED, 251, None),  # hovers
        (WARNED, 250, CALM),
        (WARNED, 501, THROTTLED),
        (THROTTLED, 501, None),
        (THROTTLED, 451, None),  # under the ceiling, not yet by enough
        (THROTTLED, 450, WARNED),
        (THROTTLED, 250, CALM),
        (THROTTLED, 0, CALM),
    ],
)
def test_states_follow_cost_with_hysteresis(state: CostState, bps: int, next_state: CostState | None) -> None:
    change = change_of(GOVERNOR, state, cost(bps))
    assert (change.state if change else None) is next_state


def test_thresholds_are_compared_exactly() -> None:
    # 3 points at 3 fen for 100 of sales of 30 fen are 0.3%: three hundred basis points need one point more.
    assert not UnitCost(300, 300, 3, 100).exceeds(300)
    assert UnitCost(299, 300, 3, 100).exceeds(300)
    assert UnitCost(10**15, 10**15 + 1, 3, 100).exceeds(300)


def test_nothing_is_done_without_sales_or_before_there_are_enough() -> None:
    assert change_of(GOVERNOR, CALM, UnitCost(0, 10, 1, 1)) is None
    assert change_of(GOVERNOR, CALM, UnitCost(-5, 10, 1, 1)) is None
    assert change_of(GOVERNOR._replace(min_sales_minor=1_000_001), CALM, cost(900)) is None
    assert UnitCost(0, 10, 1, 1).cost_bps == 0


def test_an_action_explains_itself() -> None:
    change = change_of(GOVERNOR, CALM, cost(600))
    assert change is not None
    english, chinese = explain(change, cost(600), date(2026, 3, 1), date(2026, 3, 7))
    assert english == (
        "Points cost 6.00% of sales from 2026-03-01 to 2026-03-07, above 5.00%: offers with a throttle give less."
    )
    assert "6.00%" in chinese


def throttled(of: rules.RuleSet, amount: int) -> Earning:
    plain = earn(of, (amount, "TEA"))
    found = earned(
        of,
        amounts_minor=[amount],
        categories=["TEA"],
        store_id=STORE,
        business_date=date(2026, 3, 4),
        tier=rules.NO_TIER,
        birth_month=0,
        is_birth_month=False,
        setting=Setting(SHOP, MALL, 12, "pos", [""], [1]),
        is_throttled=True,
    )
    assert sum(one.points for one in found.applied) == sum(found.line_points) == found.points
    lost = sum(one.throttled_points for one in found.applied)
    assert plain.points - found.points == lost
    return found


def test_a_throttled_offer_gives_its_factor_and_others_all() -> None:
    of = rule_set(
        offer("half", 10_000, throttle_bps=5_000),
        offer("none", 5_000, throttle_bps=0),
        offer("seven", fixed_points=7, throttle_bps=5_000),
        offer("all", 2_000),
    )
    assert given_by(throttled(of, 10_000)) == {"base": 100, "half": 50, "none": 0, "seven": 3, "all": 20}


def test_a_throttled_exclusive_offer_lets_no_other_in() -> None:
    of = rule_set(offer("only", 10_000, throttle_bps=0, combination=Combination.EXCLUSIVE), offer("beside", 5_000))
    assert given_by(throttled(of, 10_000)) == {"base": 100, "only": 0}


def test_a_limit_takes_from_what_the_throttle_leaves() -> None:
    of = rule_set(offer("capped", 10_000, throttle_bps=5_000, max_points=30))
    found = earned(
        of,
        amounts_minor=[10_000],
        categories=["TEA"],
        store_id=STORE,
        business_date=date(2026, 3, 4),
        tier=rules.NO_TIER,
        birth_month=0,
        is_birth_month=False,
        setting=Setting(SHOP, MALL, 12, "pos", [""], [1]),
        is_throttled=True,
    )
    (capped,) = [one for one in found.applied if one.rule_id == "capped"]
    assert (capped.points, capped.capped_points, capped.throttled_points) == (30, 20, 50)
