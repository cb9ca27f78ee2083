"""Base rates of places (units, categories of stores, merchants, stores) and of item categories. Pure.

A line has the rate that names its item category; of several the one that names the place of the sale most closely, of
equals the first. Every other line has the rate of the place, found the same way among those that name no item category,
and where there is none the group's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import lcm
from typing import NamedTuple, Protocol
from uuid import UUID

from services.points.earning.mistakes import Mistake


class Place(Protocol):
    """Where a sale happens."""

    @property
    def store_id(self) -> UUID:
        """The store."""

    @property
    def merchant_id(self) -> UUID:
        """Its merchant."""

    @property
    def business_unit_id(self) -> UUID:
        """Its business unit."""

    @property
    def category(self) -> str:
        """The store's own, or "" when it has none."""


@dataclass(frozen=True, slots=True)
class BaseRate:
    """`points` points for each `step_minor`, at the places and for lines of the item categories that it names.

    Empty places mean all, empty item categories all lines.
    """

    rate_id: str
    points: int
    step_minor: int
    name: str = ""
    name_zh: str = ""
    business_unit_ids: frozenset[UUID] = frozenset()
    store_categories: frozenset[str] = frozenset()
    merchant_ids: frozenset[UUID] = frozenset()
    store_ids: frozenset[UUID] = frozenset()
    item_categories: frozenset[str] = frozenset()

    @property
    def names_place(self) -> bool:
        """Whether it is for some places only."""
        return bool(self.business_unit_ids or self.store_categories or self.merchant_ids or self.store_ids)

    def specificity(self, place: Place) -> int:
        """How closely it names the place: 5 the store, 4 its merchant, 3 its category, 2 its unit, 1 all, 0 others."""
        if place.store_id in self.store_ids:
            return 5
        if place.merchant_id in self.merchant_ids:
            return 4
        if place.category and place.category in self.store_categories:
            return 3
        if place.business_unit_id in self.business_unit_ids:
            return 2
        return 0 if self.names_place else 1


class RatesAt(NamedTuple):
    """The rates of a place: of its lines in general (None: the group's), and of item categories."""

    place: BaseRate | None
    by_item_category: Mapping[str, BaseRate]


class LineRates(NamedTuple):
    """What lines earn by their base rates: `factors[i]` points for each `step_minor` of line i."""

    factors: list[int]
    step_minor: int


class RatedLines(NamedTuple):
    """The lines that one base rate (None: the group's) is for, by index, and their part of the sum of the base."""

    rate: BaseRate | None
    lines: list[int]
    weight: int


def rates_at(rates: Sequence[BaseRate], place: Place) -> RatesAt:
    """The rates that count at a place."""
    # The closest first; sorting keeps equals in their order.
    here = sorted((rate for rate in rates if rate.specificity(place)), key=lambda rate: -rate.specificity(place))
    by_item_category: dict[str, BaseRate] = {}
    for rate in here:
        for category in rate.item_categories:
            by_item_category.setdefault(category, rate)
    return RatesAt(next((rate for rate in here if not rate.item_categories), None), by_item_category)


def line_rates(
    points: int, step_minor: int, by_item_category: Mapping[str, BaseRate], categories: Sequence[str]
) -> LineRates:
    """What lines of these item categories earn: by the rates of theirs, or else `points` for each `step_minor`.

    Exact: steps are brought to their least common multiple.
    """
    rates = [by_item_category.get(category) for category in categories]
    steps = {rate.step_minor for rate in rates if rate is not None}
    common = lcm(step_minor, *steps)
    usual = points * (common // step_minor)
    return LineRates([usual if rate is None else rate.points * (common // rate.step_minor) for rate in rates], common)


def find_rate_problems(rates: Iterable[BaseRate]) -> list[Mistake]:
    """All that keeps base rates from being published."""
    problems = []
    seen: set[str] = set()
    for rate in rates:
        if rate.rate_id in seen:
            problems.append(_of_rate(rate, f"base rate {rate.rate_id} is there twice"))
        seen.add(rate.rate_id)
        if not rate.names_place and not rate.item_categories:
            sentence = f"base rate {rate.rate_id} names no place and no item category: the group's own is base_points"
            problems.append(_of_rate(rate, sentence))
    return problems


def _of_rate(rate: BaseRate, sentence: str) -> Mistake:
    return Mistake(sentence, part="base_rates", part_id=rate.rate_id)
