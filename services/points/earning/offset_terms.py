"""How points pay: which terms apply to an order, and what they allow. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

from chassis.units import share_floor
from services.points.earning.calendars import STATUTORY, Calendar
from services.points.earning.days import ALWAYS, Days
from services.points.earning.mistakes import Mistake


class Skipped(IntEnum):
    """Why terms do not count; as in huitong.points.v1.SkippedOffsetReason."""

    PLACE = 1
    TIER = 2
    DAY = 3
    LESS_SPECIFIC = 4


@dataclass(frozen=True, slots=True)
class OffsetTerms:
    """`points` points are worth `minor`; used in steps, at least `min_points`, for at most `max_share_bps`."""

    terms_id: str
    points: int
    minor: int
    max_share_bps: int
    step_points: int = 0  # 0: `points`
    min_points: int = 0
    name: str = ""
    name_zh: str = ""
    business_unit_ids: frozenset[UUID] = frozenset()
    merchant_ids: frozenset[UUID] = frozenset()
    tier_codes: frozenset[str] = frozenset()
    days: Days = ALWAYS
    excluded_categories: frozenset[str] = frozenset()
    excluded_item_codes: frozenset[str] = frozenset()

    @property
    def step(self) -> int:
        """Points are used in multiples of this."""
        return self.step_points or self.points

    @property
    def step_minor(self) -> int:
        """What a step is worth."""
        return self.step * self.minor // self.points

    @property
    def least_points(self) -> int:
        """The fewest that can be used: whole steps."""
        return -(-self.min_points // self.step) * self.step

    @property
    def specificity(self) -> tuple[bool, bool, bool, bool]:
        """Of several that apply the greatest counts."""
        return self.days != ALWAYS, bool(self.merchant_ids), bool(self.business_unit_ids), bool(self.tier_codes)

    def skips(self, order: Order) -> Skipped | None:
        """Why they do not apply to an order; None when they do."""
        if self.merchant_ids and order.merchant_id not in self.merchant_ids:
            return Skipped.PLACE
        if self.business_unit_ids and order.business_unit_id not in self.business_unit_ids:
            return Skipped.PLACE
        if self.tier_codes and order.tier_code not in self.tier_codes:
            return Skipped.TIER
        return None if self.days.include(order.business_date, order.calendar) else Skipped.DAY

    def excludes(self, line: Line) -> bool:
        """Whether points do not pay a line."""
        return line.category in self.excluded_categories or line.item_code in self.excluded_item_codes


class Line(NamedTuple):
    """What is sold, before discounts."""

    amount_minor: int
    category: str = ""
    item_code: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid where, by whom and when; `lines` may be empty."""

    total_minor: int
    merchant_id: UUID
    business_unit_id: UUID | None
    tier_code: str
    business_date: date
    lines: Sequence[Line] = ()
    calendar: Calendar = STATUTORY


@dataclass(frozen=True, slots=True)
class Allowed:
    """What points may pay of an order, by which terms, and why not by others."""

    terms: OffsetTerms | None = None
    eligible_minor: int = 0
    max_points: int = 0
    skipped: Sequence[tuple[str, Skipped]] = field(default_factory=tuple)

    def within(self, available_points: int) -> int:
        """The most points that a member who has so many can use."""
        if self.terms is None:
            return 0
        points = min(self.max_points, max(available_points, 0) // self.terms.step * self.terms.step)
        return points if points >= self.terms.least_points else 0

    def worth(self, points: int) -> int:
        """What so many points, whole steps, take off; minor units."""
        return points // self.terms.step * self.terms.step_minor if self.terms else 0


def allow(all_terms: Sequence[OffsetTerms], own: OffsetTerms | None, order: Order) -> Allowed:
    """Find the terms for an order, the most specific that apply or else the group's `own`, and what they allow.

    The share is of what points may pay: the total less the price of the excluded lines, so a discount counts against
    the others. Rounded down to whole steps; fewer than the least become none.
    """
    reasons = [(terms, terms.skips(order)) for terms in all_terms]
    applying = [terms for terms, reason in reasons if reason is None]
    chosen = max(applying, key=lambda terms: terms.specificity, default=own)  # of equals the first
    skipped = [(terms.terms_id, reason or Skipped.LESS_SPECIFIC) for terms, reason in reasons if terms is not chosen]
    if chosen is None:
        return Allowed(skipped=skipped)
    excluded_minor = sum(line.amount_minor for line in order.lines if chosen.excludes(line))
    eligible_minor = max(order.total_minor - excluded_minor, 0)
    points = share_floor(eligible_minor, chosen.max_share_bps) // chosen.step_minor * chosen.step
    return Allowed(chosen, eligible_minor, points if points >= chosen.least_points else 0, skipped)


def find_terms_problems(all_terms: Iterable[OffsetTerms]) -> list[Mistake]:
    """All that keeps terms from being published."""
    problems = []
    for terms_id, count in Counter(terms.terms_id for terms in all_terms).items():
        if count > 1:
            problems.append(_of_terms(terms_id, f"offset terms {terms_id} come {count} times"))
    for terms in all_terms:
        if terms.points < 1 or terms.minor < 1:
            sentence = f"offset terms {terms.terms_id}: points must be worth something"
            problems.append(_of_terms(terms.terms_id, sentence, "offset"))
        elif terms.step * terms.minor % terms.points:
            sentence = f"offset terms {terms.terms_id}: {terms.step} points are not worth whole minor units"
            problems.append(_of_terms(terms.terms_id, sentence, "step_points"))
        if problem := terms.days.find_problem():
            sentence = f"offset terms {terms.terms_id}: {problem}"
            problems.append(_of_terms(terms.terms_id, sentence, terms.days.field_of(problem)))
    return problems


def _of_terms(terms_id: str, sentence: str, field: str = "") -> Mistake:
    return Mistake(sentence, field, part="offset_terms", part_id=terms_id)
