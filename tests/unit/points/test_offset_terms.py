"""Which offset terms apply to an order, and what they allow."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.earning.calendars import DayKind
from services.points.earning.days import Days
from services.points.earning.offset_terms import Line, OffsetTerms, Order, Skipped, allow, find_terms_problems

MALL, HOTEL, SHOP, OTHER = (UUID(int=number) for number in range(1, 5))
DAY = date(2019, 3, 15)
OWN = OffsetTerms("", 100, 300, 1_500)


def terms(terms_id: str, points: int = 1, minor: int = 2, share: int = 2_000, **values: Any) -> OffsetTerms:
    return OffsetTerms(terms_id, points, minor, share, **values)


def order(total_minor: int = 10_000, *lines: Line, **values: Any) -> Order:
    place = {"merchant_id": SHOP, "business_unit_id": MALL, "tier_code": "GOLD", "business_date": DAY}
    return Order(total_minor, **{**place, **values}, lines=lines)


def test_the_group_s_own_offset_counts_where_no_terms_apply() -> None:
    allowed = allow([terms("hotel", business_unit_ids=frozenset([HOTEL]))], OWN, order())
    assert (allowed.terms, allowed.max_points, allowed.worth(500)) == (OWN, 500, 1_500)
    assert allowed.skipped == [("hotel", Skipped.PLACE)]
    nothing = allow([], None, order())
    assert (nothing.terms, nothing.max_points, nothing.within(1_000)) == (None, 0, 0)


ALL = [
    terms("all"),
    terms("tier", tier_codes=frozenset(["GOLD"])),
    terms("unit", business_unit_ids=frozenset([MALL])),
    terms("unit-tier", business_unit_ids=frozenset([MALL]), tier_codes=frozenset(["GOLD"])),
    terms("shop", merchant_ids=frozenset([SHOP])),
    terms("week", days=Days(start=date(2019, 3, 11), end=date(2019, 3, 17))),
    terms("week-shop", days=Days(start=date(2019, 3, 11)), merchant_ids=frozenset([SHOP])),
]


@pytest.mark.parametrize(
    ("without", "chosen"),
    [
        (0, "week-shop"),  # days, and a merchant
        (1, "week"),  # days go before any place
        (2, "shop"),  # a merchant before its unit
        (3, "unit-tier"),  # a unit, and a tier
        (4, "unit"),
        (5, "tier"),  # a tier before everybody
        (6, "all"),
    ],
)
def test_the_most_specific_terms_count(without: int, chosen: str) -> None:
    given_terms = ALL[: len(ALL) - without]
    for ordered in (given_terms, given_terms[::-1]):
        allowed = allow(ordered, OWN, order())
        assert allowed.terms is not None
        assert allowed.terms.terms_id == chosen
        assert {reason for _, reason in allowed.skipped} <= {Skipped.LESS_SPECIFIC}
        assert len(allowed.skipped) == len(ordered) - 1


def test_of_equals_the_earlier_counts() -> None:
    first, second = terms("first", merchant_ids=frozenset([SHOP])), terms("second", merchant_ids=frozenset([SHOP]))
    assert allow([first, second], OWN, order()).terms is first
    assert allow([second, first], OWN, order()).terms is second


def test_why_terms_do_not_apply() -> None:
    found = allow(
        [
            terms("shop", merchant_ids=frozenset([OTHER])),
            terms("tier", tier_codes=frozenset(["DIAMOND"])),
            terms("day", days=Days(recurrence="FREQ=WEEKLY;BYDAY=SA")),
            terms("workday", days=Days(kind=DayKind.DAY_OFF)),
        ],
        OWN,
        order(),
    )
    assert found.terms is OWN
    assert [reason for _, reason in found.skipped] == [Skipped.PLACE, Skipped.TIER, Skipped.DAY, Skipped.DAY]


def test_a_campaign_changes_what_a_point_is_worth_on_its_days() -> None:
    usual = terms("usual", 1, 2, 10_000, step_points=50)
    campaign = terms("week", 1, 3, 10_000, step_points=50, days=Days(start=date(2019, 3, 11), end=date(2019, 3, 17)))
    for day, worth in ((10, 2), (11, 3), (17, 3), (18, 2)):
        allowed = allow([usual, campaign], None, order(business_date=date(2019, 3, day)))
        assert allowed.worth(100) == 100 * worth


@pytest.mark.parametrize(
    ("total_minor", "available", "points"),
    [
        (10_000, 5_000, 1_000),  # 20% of 100 yuan is 20 yuan: a thousand points of two fen
        (10_000, 720, 700),  # whole steps of what there is
        (10_000, 299, 0),  # fewer than the least
        (2_999, 5_000, 0),  # the order allows 250, and the least is 300
        (3_000, 5_000, 300),
    ],
)
def test_steps_and_the_least(total_minor: int, available: int, points: int) -> None:
    least = terms("least", step_points=50, min_points=260)
    assert least.least_points == 300
    assert allow([least], OWN, order(total_minor)).within(available) == points


def test_excluded_items_do_not_count() -> None:
    some = terms("some", excluded_categories=frozenset(["GOLD"]), excluded_item_codes=frozenset(["gift-card"]))
    lines = (Line(6_000, "GOLD"), Line(1_000, "FOOD", "gift-card"), Line(3_000, "FOOD"))
    allowed = allow([some], OWN, order(10_000, *lines))
    assert (allowed.eligible_minor, allowed.max_points) == (3_000, 300)
    # A coupon of 20 yuan counts against what points pay.
    assert allow([some], OWN, order(8_000, *lines)).eligible_minor == 1_000
    assert allow([some], OWN, order(5_000, *lines)).max_points == 0
    assert allow([some], OWN, order(10_000)).eligible_minor == 10_000


@given(
    points=st.integers(1, 50),
    minor=st.integers(1, 50),
    share=st.integers(0, 10_000),
    total=st.integers(0, 10**9),
    available=st.integers(-100, 10**9),
    least=st.integers(0, 1_000),
)
def test_points_never_pay_more_than_the_share(
    points: int, minor: int, share: int, total: int, available: int, least: int
) -> None:
    some = terms("some", points, minor, share, min_points=least)
    allowed = allow([some], None, order(total))
    used = allowed.within(available)
    assert 0 <= used <= max(available, 0)
    assert used % some.step == 0
    assert used == 0 or used >= least
    assert allowed.worth(used) * 10_000 <= total * share


def test_bad_terms_are_told() -> None:
    problems = find_terms_problems(
        [
            terms("a", 3, 2),
            terms("a", 3, 2, step_points=4),
            terms("b", 0, 1),
            terms("c", days=Days(start=date(2019, 3, 2), end=date(2019, 3, 1))),
        ]
    )
    assert problems == [
        "offset terms a come 2 times",
        "offset terms a: 4 points are not worth whole minor units",
        "offset terms b: points must be worth something",
        "offset terms c: ends before it starts",
    ]
