"""Base rates of places in place of the group's."""

from __future__ import annotations

from datetime import date

import pytest

from chassis import ids
from services.points.earning.base_rates import BaseRate, find_rate_problems, rates_at
from services.points.earning.rules import RuleSet
from services.points.lookup import Store

UNIT, MERCHANT, STORE = (ids.derive(name) for name in ("unit", "merchant", "store"))
PLACE = Store(STORE, MERCHANT, UNIT, "Asia/Shanghai", "CNY", category="hotel")
BY_UNIT = BaseRate("unit", 1, 100, business_unit_ids=frozenset([UNIT]))
BY_CATEGORY = BaseRate("category", 2, 100, store_categories=frozenset(["hotel"]))
BY_MERCHANT = BaseRate("merchant", 3, 100, merchant_ids=frozenset([MERCHANT]))
BY_STORE = BaseRate("store", 4, 100, store_ids=frozenset([STORE]))
OTHER = BaseRate("other", 7, 100, store_ids=frozenset([STORE]))
ELSEWHERE = BaseRate("elsewhere", 9, 100, store_ids=frozenset([MERCHANT]), store_categories=frozenset(["mall"]))


@pytest.mark.parametrize(
    ("rates", "found"),
    [
        ((BY_UNIT, BY_CATEGORY, BY_MERCHANT, BY_STORE), BY_STORE),
        ((BY_STORE, BY_MERCHANT, BY_CATEGORY, BY_UNIT), BY_STORE),
        ((BY_UNIT, BY_CATEGORY, BY_MERCHANT), BY_MERCHANT),
        ((BY_UNIT, BY_CATEGORY), BY_CATEGORY),
        ((ELSEWHERE, BY_UNIT), BY_UNIT),
        ((ELSEWHERE,), None),
        ((), None),
        # of equals the first
        (
            (BaseRate("other", 7, 100, store_ids=frozenset([STORE])), BY_STORE),
            BaseRate("other", 7, 100, store_ids=frozenset([STORE])),
        ),
    ],
)
def test_the_rate_that_names_the_place_most_closely_counts(rates: tuple[BaseRate, ...], found: BaseRate | None) -> None:
    assert rates_at(rates, PLACE).place == found


def test_a_store_without_a_category_is_in_none() -> None:
    nameless = Store(STORE, MERCHANT, UNIT, "Asia/Shanghai", "CNY")
    assert rates_at([BaseRate("odd", 1, 1, store_categories=frozenset([""]))], nameless).place is None


def test_the_rule_set_of_a_place_is_one_object_for_its_caches() -> None:
    rule_set = RuleSet(1, date(2026, 1, 1), 1, 100, (), 12, base_rates=(BY_STORE,))
    there = rule_set.at(PLACE)
    assert there is rule_set.at(PLACE) is not rule_set
    assert (there.base_points, there.base_step_minor, there.applied_base_rate) == (4, 100, BY_STORE)
    elsewhere = Store(MERCHANT, UNIT, STORE, "Asia/Shanghai", "CNY")
    assert rule_set.at(elsewhere) is rule_set and rule_set.applied_base_rate is None


def test_what_keeps_rates_from_being_published() -> None:
    assert find_rate_problems([BY_STORE, BY_UNIT]) == []
    assert find_rate_problems([BY_STORE, BY_STORE]) == ["base rate store is there twice"]
    nowhere = find_rate_problems([BaseRate("nowhere", 1, 100)])
    assert nowhere == ["base rate nowhere names no place and no item category: the group's own is base_points"]
