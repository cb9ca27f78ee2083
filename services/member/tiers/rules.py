"""Pure: the tier ladder and how growth moves a member up on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

# One growth for each whole yuan.
MINOR_PER_GROWTH = 100


@dataclass(frozen=True, slots=True)
class Tier:
    """One rung. `earn_multiplier_bps` 10000 means ×1."""

    code: str
    name: str
    name_zh: str
    min_growth: int
    earn_multiplier_bps: int
    free_parking_minutes: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """The tiers of a group, lowest first; the version counts how often it was replaced."""

    version: int
    tiers: tuple[Tier, ...]

    def index(self, code: str | None) -> int | None:
        """The place of the tier with this code, 0 for the lowest."""
        return next((place for place, tier in enumerate(self.tiers) if tier.code == code), None)

    def grade(self, growth: int) -> int:
        """The place of the highest tier that this growth reaches."""
        return max((place for place, tier in enumerate(self.tiers) if tier.min_growth <= growth), default=0)

    def held(self, code: str | None, growth: int) -> int:
        """The place of the tier that a member holds; one whose tier is gone holds what its growth reaches."""
        place = self.index(code)
        return self.grade(growth) if place is None else place


DEFAULT_LADDER = Ladder(
    version=0,
    tiers=(
        Tier("MEMBER", "Member", "普卡", 0, 10_000, 0),
        Tier("SILVER", "Silver", "银卡", 500, 11_000, 60),
        Tier("GOLD", "Gold", "金卡", 2_000, 12_500, 120),
        Tier("DIAMOND", "Diamond", "钻石卡", 5_000, 15_000, 180),
    ),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A member's growth and tier. `tier_code` is None while sales came in but the member has not been seen joining."""

    group_id: UUID
    member_id: UUID
    growth_minor: int
    tier_code: str | None
    ladder_version: int
    # The member by whom this one is absorbed, whose growth includes this one's.
    survivor_id: UUID | None = None

    @property
    def growth(self) -> int:
        """Whole yuan of net spending, rounded down; refunds never make it negative."""
        return max(0, self.growth_minor // MINOR_PER_GROWTH)


@dataclass(frozen=True, slots=True)
class Spending:
    """A sale as far as growth goes. `record_time` is the business time at which points recorded it."""

    amount_minor: int
    business_date: date
    time_zone: str
    record_time: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A tier to be announced."""

    tier: Tier
    previous_code: str
    effective_date: date
    growth: int


def ladder_problem(tiers: Sequence[Tier]) -> str | None:
    """Why these tiers make no ladder; None when they do."""
    if not tiers or tiers[0].min_growth != 0:
        return "the first tier must be at growth 0"
    if any(upper.min_growth <= lower.min_growth for lower, upper in pairwise(tiers)):
        return "growth must rise from tier to tier"
    if len({tier.code for tier in tiers}) != len(tiers):
        return "a code comes twice"
    return None


def effective_date_of(spending: Spending) -> date:
    """The day after the tier was reached: after the sale's business day and after the day it was recorded.

    The later of both, so that a sale that comes in late changes no day whose sales have been counted already.
    """
    recorded_on = spending.record_time.astimezone(ZoneInfo(spending.time_zone)).date()
    return max(spending.business_date, recorded_on) + timedelta(days=1)


def spend(ladder: Ladder, standing: Standing, spendings: Iterable[Spending]) -> tuple[Standing, list[Change]]:
    """The standing after these sales, one after the other, and each tier reached on the way. Nobody steps down here.

    A member who was graded on an older ladder is graded anew, and told, since the tier's benefits may be other ones.
    """
    changes: list[Change] = []
    for spending in spendings:
        standing = replace(standing, growth_minor=standing.growth_minor + spending.amount_minor)
        if standing.tier_code is None:
            continue
        held = ladder.held(standing.tier_code, standing.growth)
        reached = max(held, ladder.grade(standing.growth))
        if ladder.tiers[reached].code == standing.tier_code and standing.ladder_version == ladder.version:
            continue
        tier = ladder.tiers[reached]
        changes.append(Change(tier, standing.tier_code, effective_date_of(spending), standing.growth))
        standing = replace(standing, tier_code=tier.code, ladder_version=ladder.version)
    return standing, changes


def enter(ladder: Ladder, standing: Standing) -> Standing:
    """The standing of somebody who joins: the tier that the growth reaches, the lowest as a rule."""
    tier = ladder.tiers[ladder.grade(standing.growth)]
    return replace(standing, tier_code=tier.code, ladder_version=ladder.version)
