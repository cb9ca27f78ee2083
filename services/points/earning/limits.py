"""Limits over all that sales earn: what a store and the whole group may give, and what a member may get. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

from chassis import ids


class SaleLimit(IntEnum):
    """As in huitong.points.v1.SaleLimit."""

    STORE_MONTH = 1
    STORE = 2
    GROUP_DAY = 3
    GROUP_MONTH = 4
    MEMBER_DAY = 5
    MEMBER_MONTH = 6


class StoreBudget(NamedTuple):
    """What a store may give, points; 0 is unlimited."""

    per_month: int
    in_all: int


class Ceiling(NamedTuple):
    """What the whole group may give, or each member may get, points; 0 is unlimited."""

    per_day: int
    per_month: int


UNLIMITED = Ceiling(0, 0)


class Limit(NamedTuple):
    """One limit that a sale falls under: the cap that counts it and how much that gives in all."""

    limit: SaleLimit
    cap_id: UUID
    points: int


class AppliedLimit(NamedTuple):
    """A limit that had less left than a sale would have earned."""

    limit: SaleLimit
    points: int
    left_points: int


class SaleLimits(NamedTuple):
    """All limits of a rule set."""

    stores: Mapping[UUID, StoreBudget]
    ceiling: Ceiling
    member_ceiling: Ceiling = UNLIMITED

    def of_store(self, group_id: UUID, store_id: UUID, business_date: date) -> list[Limit]:
        """The store's own, for sales of a business date."""
        budget = self.stores.get(store_id)
        if budget is None:
            return []
        month = f"{business_date:%Y-%m}"
        return _given(
            (SaleLimit.STORE_MONTH, budget.per_month, ("sale-cap", group_id, store_id, month)),
            (SaleLimit.STORE, budget.in_all, _in_all(group_id, store_id)),
        )

    def of_group(self, group_id: UUID, business_date: date) -> list[Limit]:
        """The whole group's, for sales of a business date."""
        month = f"{business_date:%Y-%m}"
        return _given(
            (SaleLimit.GROUP_DAY, self.ceiling.per_day, ("sale-cap", group_id, "day", business_date)),
            (SaleLimit.GROUP_MONTH, self.ceiling.per_month, ("sale-cap", group_id, "month", month)),
        )

    def of_member(self, group_id: UUID, member_id: UUID, business_date: date) -> list[Limit]:
        """A member's own, for sales of a business date."""
        ceiling, month = self.member_ceiling, f"{business_date:%Y-%m}"
        return _given(
            (SaleLimit.MEMBER_DAY, ceiling.per_day, ("member-cap", group_id, member_id, business_date)),
            (SaleLimit.MEMBER_MONTH, ceiling.per_month, ("member-cap", group_id, member_id, month)),
        )

    def of_place(self, group_id: UUID, store_id: UUID, business_date: date) -> list[Limit]:
        """All that sales in a store fall under, whoever buys."""
        return self.of_store(group_id, store_id, business_date) + self.of_group(group_id, business_date)

    def of_sale(self, group_id: UUID, store_id: UUID, business_date: date, *, member_id: UUID) -> list[Limit]:
        """All that a sale falls under. `member_id` is whose limits it uses up: of an absorbed member the survivor."""
        return self.of_place(group_id, store_id, business_date) + self.of_member(group_id, member_id, business_date)

    def lasting_caps(self, group_id: UUID) -> list[UUID]:
        """The caps that no day and no month begins anew."""
        return [ids.derive(*_in_all(group_id, store_id)) for store_id, budget in self.stores.items() if budget.in_all]

    @property
    def has_months(self) -> bool:
        """Whether any begins anew with a month."""
        ceilings = self.ceiling.per_month or self.member_ceiling.per_month
        return bool(ceilings) or any(budget.per_month for budget in self.stores.values())


# What the id of a cap is made of.
_Cap = tuple[object, ...]


def _in_all(group_id: UUID, store_id: UUID) -> _Cap:
    return ("sale-cap", group_id, store_id, "in-all")


def _given(*limits: tuple[SaleLimit, int, _Cap]) -> list[Limit]:
    return [Limit(limit, ids.derive(*cap), points) for limit, points, cap in limits if points]
