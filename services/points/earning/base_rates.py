"""Base rates of units, categories of stores, merchants and stores, in place of the group's. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


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
    """`points` points for each `step_minor` at the places that it names."""

    rate_id: str
    points: int
    step_minor: int
    name: str = ""
    name_zh: str = ""
    business_unit_ids: frozenset[UUID] = frozenset()
    store_categories: frozenset[str] = frozenset()
    merchant_ids: frozenset[UUID] = frozenset()
    store_ids: frozenset[UUID] = frozenset()

    def specificity(self, place: Place) -> int:
        """How closely it names the place: 4 the store, 3 its merchant, 2 its category, 1 its unit, 0 not at all."""
        if place.store_id in self.store_ids:
            return 4
        if place.merchant_id in self.merchant_ids:
            return 3
        if place.category and place.category in self.store_categories:
            return 2
        return 1 if place.business_unit_id in self.business_unit_ids else 0


def rate_at(rates: Sequence[BaseRate], place: Place) -> BaseRate | None:
    """The rate that names the place most closely, of equals the first; None when none does."""
    best = max(rates, key=lambda rate: rate.specificity(place), default=None)
    return best if best is not None and best.specificity(place) else None


def find_rate_problems(rates: Iterable[BaseRate]) -> list[str]:
    """All that keeps base rates from being published."""
    problems = []
    seen: set[str] = set()
    for rate in rates:
        if rate.rate_id in seen:
            problems.append(f"base rate {rate.rate_id} is there twice")
        seen.add(rate.rate_id)
        if not (rate.business_unit_ids or rate.store_categories or rate.merchant_ids or rate.store_ids):
            problems.append(f"base rate {rate.rate_id} names no place: the group's own is base_points")
    return problems
