"""The ladder, and how sales move a member up on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from services.member.tiers import rules
from services.member.tiers.rules import DEFAULT_LADDER, Ladder, Spending, Standing, Tier

START = Standing(ids.derive("group"), ids.derive("member"), 0, "MEMBER", 0)
DAY = date(2026, 3, 10)


def sale(
    yuan: float, day: date = DAY, recorded: datetime = datetime(2026, 3, 10, 4, tzinfo=UTC), zone: str = "Asia/Shanghai"
) -> Spending:
    return Spending(round(yuan * 100), day, zone, recorded)


@pytest.mark.parametrize(
    ("growth", "code"),
    [
        (0, "MEMBER"),
        (499, "MEMBER"),
        (500, "SILVER"),
        (1999, "SILVER"),
        (2000, "GOLD"),
        (5000, "DIAMOND"),
        (10**9, "DIAMOND"),
    ],
)
def test_member_holds_the_highest_tier_reached(growth: int, code: str) -> None:
    assert DEFAULT_LADDER.tiers[DEFAULT_LADDER.grade(growth)].code == code


def test_fen_add_up_and_growth_is_rounded_down_once() -> None:
    standing, changes = rules.spend(DEFAULT_LADDER, START, [sale(249.99), sale(249.99), sale(0.01)])
    assert (standing.growth_minor, standing.growth, changes) == (49_999, 499, [])
    standing, changes = rules.spend(DEFAULT_LADDER, standing, [sale(0.01)])
    assert (standing.growth, standing.tier_code, [change.tier.code for change in changes]) == (
        500,
        "SILVER",
        ["SILVER"],
    )


def test_every_tier_passed_in_one_run_is_announced_with_its_own_day() -> None:
    standing, changes = rules.spend(
        DEFAULT_LADDER,
        START,
        [sale(600, date(2026, 3, 10)), sale(100, date(2026, 3, 11)), sale(5000, date(2026, 3, 12))],
    )
    assert [
        (change.previous_code, change.tier.code, change.effective_date.day, change.growth) for change in changes
    ] == [
        ("MEMBER", "SILVER", 11, 600),
        ("SILVER", "DIAMOND", 13, 5700),
    ]
    assert standing.tier_code == "DIAMOND"


@pytest.mark.parametrize(
    ("spending", "effective"),
    [
        # on the day: from tomorrow
        (sale(500), date(2026, 3, 11)),
        # 16:30 UTC is past midnight in Shanghai
        (sale(500, recorded=datetime(2026, 3, 10, 16, 30, tzinfo=UTC)), date(2026, 3, 12)),
        # the same moment in Berlin is the same day
        (sale(500, recorded=datetime(2026, 3, 10, 16, 30, tzinfo=UTC), zone="Europe/Berlin"), date(2026, 3, 11)),
        # a late sale changes no day that is past
        (sale(500, day=date(2026, 1, 5)), date(2026, 3, 11)),
        # a sale with a day that is still to come
        (sale(500, day=date(2026, 3, 12)), date(2026, 3, 13)),
        # over the end of a year
        (sale(500, date(2026, 12, 31), datetime(2026, 12, 31, 3, tzinfo=UTC)), date(2027, 1, 1)),
    ],
)
def test_tier_counts_from_the_day_after(spending: Spending, effective: date) -> None:
    _, (change,) = rules.spend(DEFAULT_LADDER, START, [spending])
    assert change.effective_date == effective


def test_nobody_steps_down_after_refunds() -> None:
    gold = replace(START, growth_minor=-5, tier_code="GOLD")
    standing, changes = rules.spend(DEFAULT_LADDER, gold, [sale(10)])
    assert (standing.tier_code, standing.growth, changes) == ("GOLD", 9, [])
    assert replace(gold, growth_minor=-50_000).growth == 0


def test_growth_of_somebody_who_has_not_joined_counts_when_they_do() -> None:
    unknown = replace(START, tier_code=None)
    standing, changes = rules.spend(DEFAULT_LADDER, unknown, [sale(2500)])
    assert (standing.tier_code, changes) == (None, [])
    assert rules.enter(DEFAULT_LADDER, standing).tier_code == "GOLD"


def test_new_ladder_grades_anew_with_the_next_sale() -> None:
    ladder = Ladder(3, (Tier("MEMBER", "M", "", 0, 10_000, 0), Tier("PLUS", "P", "", 300, 20_000, 0)))
    # reached under the new ladder
    _, (change,) = rules.spend(ladder, replace(START, growth_minor=40_000), [sale(1)])
    assert (change.tier.code, change.previous_code) == ("PLUS", "MEMBER")
    # the tier held is gone
    standing, (change,) = rules.spend(ladder, replace(START, tier_code="SILVER"), [sale(1)])
    assert (change.tier.code, standing.ladder_version) == ("MEMBER", 3)
    # the same tier with new benefits is announced once
    standing, changes = rules.spend(ladder, START, [sale(1), sale(1)])
    assert [(change.tier.code, change.previous_code) for change in changes] == [("MEMBER", "MEMBER")]


@pytest.mark.parametrize(
    ("growths", "codes", "is_good"),
    [
        ([0, 500], ["A", "B"], True),
        ([0], ["A"], True),
        ([1, 500], ["A", "B"], False),  # nobody could be below 1
        ([0, 500, 500], ["A", "B", "C"], False),
        ([0, 500, 400], ["A", "B", "C"], False),
        ([0, 500], ["A", "A"], False),
    ],
)
def test_ladder_must_rise_from_zero(growths: list[int], codes: list[str], is_good: bool) -> None:
    tiers = [Tier(code, code, "", growth, 10_000, 0) for code, growth in zip(codes, growths, strict=True)]
    assert (rules.ladder_problem(tiers) is None) == is_good


@given(st.lists(st.integers(0, 300_000), max_size=30), st.integers(0, 30))
def test_how_sales_are_cut_into_runs_does_not_matter(amounts: list[int], cut: int) -> None:
    sales = [Spending(amount, DAY, "Asia/Shanghai", datetime(2026, 3, 10, tzinfo=UTC)) for amount in amounts]
    whole = rules.spend(DEFAULT_LADDER, START, sales)
    middle, first = rules.spend(DEFAULT_LADDER, START, sales[:cut])
    end, second = rules.spend(DEFAULT_LADDER, middle, sales[cut:])
    assert whole == (end, first + second)
    assert end.growth_minor == sum(amounts)
    assert end.tier_code == DEFAULT_LADDER.tiers[DEFAULT_LADDER.grade(end.growth)].code
