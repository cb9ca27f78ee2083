"""What keeps offers from being published, and which exclusive ones can meet."""

from __future__ import annotations

from datetime import date, timedelta
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.points.earning import rules
from services.points.earning.calendars import STATUTORY, DayKind
from services.points.earning.conditions import Condition
from services.points.earning.days import Days
from services.points.earning.offers import Combination, find_offer_problems
from services.points.earning.rules import Rule
from tests.unit.points.earned import DAY, MALL, SHOP, offer, rule_set


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
