"""Pure: the tier ladder, how growth moves a member up on it, and when somebody steps down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import IntEnum
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from services.member.tiers.growth import DEFAULT_POLICY, MINOR_PER_GROWTH, Book, Day, Policy, Window


class Reason(IntEnum):
    """As in huitong.member.v1.TierChangeReason."""

    GROWTH = 1
    PERIOD_END = 2
    MATCH = 3
    MATCH_END = 4
    LADDER = 5
    MERGE = 6


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
    """The tiers of a group, lowest first. Versions count from 1; 0 is the default one."""

    version: int
    tiers: tuple[Tier, ...]
    policy: Policy = DEFAULT_POLICY
    effective_time: datetime | None = None
    is_cancelled: bool = False

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

    def day_of(self, time: datetime) -> date:
        """The ladder's day at an instant."""
        return time.astimezone(ZoneInfo(self.policy.time_zone)).date()


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
    """A member's growth and tier. `tier_code` is None while sales came in but the member has not been seen joining.

    `growth_minor` is growth in hundredths, as it was when something last happened. The tier that is held is the higher
    of the member's own (`own_code`; None: the same) until `period_end` and grace, and of a granted one (`floor_code`)
    until `floor_end`. It counts from `since_date` on; before, `previous_code` does. On `review_date` one of them ends.
    """

    group_id: UUID
    member_id: UUID
    growth_minor: int
    tier_code: str | None
    ladder_version: int
    own_code: str | None = None
    period_end: date | None = None
    floor_code: str | None = None
    floor_end: date | None = None
    review_date: date | None = None
    since_date: date | None = None
    previous_code: str | None = None
    # The member by whom this one is absorbed, whose growth includes this one's.
    survivor_id: UUID | None = None

    @property
    def growth(self) -> int:
        """Whole growth, rounded down; refunds never make it negative."""
        return whole(self.growth_minor)

    def tier_on(self, day: date) -> str | None:
        """The code of the tier that counts on a day, this one or the next."""
        return self.previous_code if self.since_date is not None and day < self.since_date else self.tier_code


@dataclass(frozen=True, slots=True)
class Spending:
    """A sale, or a task, as far as growth goes. `record_time` is the business time at which it was recorded."""

    amount_minor: int
    business_date: date
    time_zone: str
    record_time: datetime
    currency_code: str = "CNY"
    task_growth: int = 0

    @property
    def day(self) -> Day:
        """What it adds to its day."""
        if self.task_growth:
            return Day(self.business_date, "", task_growth=self.task_growth)
        return Day(self.business_date, self.currency_code, self.amount_minor, sale_count=1)


@dataclass(frozen=True, slots=True)
class Change:
    """A tier to be announced."""

    tier: Tier
    previous_code: str
    effective_date: date
    growth: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Floor:
    """A tier granted for another card, until the end of a day."""

    tier_code: str
    end_date: date


def whole(growth_minor: int) -> int:
    """Whole growth of hundredths, rounded down and never negative."""
    return max(0, growth_minor // MINOR_PER_GROWTH)


def ladder_problem(tiers: Sequence[Tier], policy: Policy = DEFAULT_POLICY) -> tuple[str, str] | None:
    """Why these make no ladder, in English and Chinese; None when they do."""
    if not tiers or tiers[0].min_growth != 0:
        return "the first tier must be at growth 0", "第一级的成长值必须为 0"
    if any(upper.min_growth <= lower.min_growth for lower, upper in pairwise(tiers)):
        return "growth must rise from tier to tier", "成长值必须逐级递增"
    if len({tier.code for tier in tiers}) != len(tiers):
        return "a code comes twice", "等级代码重复"
    for names in ([tier.name for tier in tiers], [tier.name_zh for tier in tiers if tier.name_zh]):
        if len({name.strip().casefold() for name in names}) != len(names):
            return "a name comes twice", "等级名称重复"
    return _policy_problem(policy)


def _policy_problem(policy: Policy) -> tuple[str, str] | None:
    if (policy.window is Window.ROLLING_MONTHS) != bool(policy.months):
        return "months are for a rolling window, and it needs them", "滚动周期必须且只有滚动周期可以设置月数"
    if policy.window is Window.LIFETIME and policy.grace_days:
        return "a tier that is held for good has no days of grace", "终身有效的等级没有宽限期"
    if not (policy.spend_growth_bps or policy.visit_growth or policy.tasks):
        return "nothing gives growth", "没有任何成长值来源"
    return None


def effective_date_of(spending: Spending) -> date:
    """The day after the tier was reached: after the sale's business day and after the day it was recorded.

    The later of both, so that a sale that comes in late changes no day whose sales have been counted already.
    """
    recorded_on = spending.record_time.astimezone(ZoneInfo(spending.time_zone)).date()
    return max(spending.business_date, recorded_on) + timedelta(days=1)


def spend(
    ladder: Ladder, standing: Standing, spendings: Iterable[Spending], book: Book | None = None
) -> tuple[Standing, list[Change]]:
    """The standing after these sales, one after the other, and each tier reached on the way. Nobody steps down here.

    A member who was graded on an older ladder is graded anew, and told, since the tier's benefits may be other ones.
    `book` has the days before; without it growth is the running total.
    """
    changes: list[Change] = []
    for spending in spendings:
        effective_date = effective_date_of(spending)
        reached_on = spending.business_date
        growth_minor = standing.growth_minor + gained(ladder.policy, spending)
        best_minor = growth_minor
        if book is not None:
            book.add(spending.day)
            growth_minor = book.growth_minor(ladder.policy, effective_date - timedelta(days=1))
            # A sale that comes late may have reached a tier in the window that it belongs to.
            best_minor = max(growth_minor, book.growth_minor(ladder.policy, spending.business_date))
            if best_minor == growth_minor:
                reached_on = effective_date - timedelta(days=1)
        standing = replace(standing, growth_minor=growth_minor)
        if standing.tier_code is None:
            standing = replace(standing, ladder_version=ladder.version)
            continue
        standing, change = _rise(ladder, standing, whole(best_minor), reached_on, effective_date)
        if change:
            changes.append(change)
    return standing, changes


def gained(policy: Policy, spending: Spending) -> int:
    """Growth, in hundredths, of a sale or task where growth is a running total."""
    if spending.task_growth:
        return spending.task_growth * MINOR_PER_GROWTH
    return spending.amount_minor if spending.currency_code == policy.currency_code else 0


def _rise(
    ladder: Ladder, standing: Standing, growth: int, reached_on: date, effective_date: date
) -> tuple[Standing, Change | None]:
    held = ladder.held(standing.own_code or standing.tier_code, standing.growth)
    reached = ladder.grade(growth)
    if reached <= held and standing.ladder_version == ladder.version:
        return standing, None
    # A qualifying period that is under way goes on when only the ladder is another one.
    period_end = ladder.policy.period_end(reached_on) if reached > held else _period_under(ladder, standing, reached_on)
    return settle(
        ladder, standing, max(held, reached), period_end, effective_date,
        Reason.GROWTH if reached > held else Reason.LADDER,
    )  # fmt: skip


def _period_under(ladder: Ladder, standing: Standing, day: date) -> date | None:
    if ladder.policy.window is Window.LIFETIME:
        return None
    return standing.period_end or ladder.policy.period_end(day)


def settle(
    ladder: Ladder, standing: Standing, own: int, period_end: date | None, effective_date: date, reason: Reason
) -> tuple[Standing, Change | None]:
    """The standing of a member whose own tier is `own` until `period_end`, and what is to be announced, if anything."""
    last_day = effective_date - timedelta(days=1)
    floor_end = standing.floor_end if standing.floor_end and standing.floor_end >= last_day else None
    floor = ladder.index(standing.floor_code) if floor_end else None
    place = max(own, floor or 0)
    period_end = period_end if own else None  # nobody falls below the lowest tier
    ends = [ladder.policy.last_kept_day(period_end)] if period_end else []
    ends += [floor_end] if floor_end else []
    tier = ladder.tiers[place]
    after = replace(
        standing,
        tier_code=tier.code,
        own_code=None if place == own else ladder.tiers[own].code,
        period_end=period_end,
        floor_code=standing.floor_code if floor_end else None,
        floor_end=floor_end,
        review_date=min(ends) + timedelta(days=1) if ends else None,
        ladder_version=ladder.version,
    )
    if tier.code == standing.tier_code and standing.ladder_version == ladder.version:
        return after, None
    if tier.code != standing.tier_code:
        # Of two changes that do not count yet the first one knows what does.
        waits = standing.since_date is not None and standing.since_date >= effective_date
        after = replace(
            after, since_date=effective_date, previous_code=standing.previous_code if waits else standing.tier_code
        )
    return after, Change(tier, standing.tier_code or "", effective_date, standing.growth, reason)


def enter(ladder: Ladder, standing: Standing, day: date | None = None, book: Book | None = None) -> Standing:
    """The standing of somebody who joins: the tier that the growth reaches, the lowest as a rule."""
    if book is not None and day is not None:
        standing = replace(standing, growth_minor=book.growth_minor(ladder.policy, day))
    place = ladder.grade(standing.growth)
    entered = replace(standing, tier_code=ladder.tiers[place].code, ladder_version=ladder.version)
    if place and day is not None and ladder.policy.window is not Window.LIFETIME:
        entered, _ = settle(
            ladder, entered, place, ladder.policy.period_end(day), day + timedelta(days=1), Reason.GROWTH
        )
    return entered


def grant(ladder: Ladder, standing: Standing, floor: Floor | None, today: date) -> tuple[Standing, Change | None]:
    """The standing with `floor` as the tier granted to the member; None for none any more."""
    own = ladder.held(standing.own_code or standing.tier_code, standing.growth)
    standing = replace(
        standing, floor_code=floor.tier_code if floor else None, floor_end=floor.end_date if floor else None
    )
    reason = Reason.MATCH if floor else Reason.MATCH_END
    return settle(ladder, standing, own, standing.period_end, today + timedelta(days=1), reason)


def review(
    ladder: Ladder, standing: Standing, book: Book, floor: Floor | None, today: date
) -> tuple[Standing, Change | None]:
    """The standing of a member of whom something has ended before `today`, on which this is found out.

    A period's tier is kept when the growth of the period, or that of the window at the end of grace, reaches it; else
    the member steps down to what they reach, from tomorrow on. `floor` is what is granted from today on. Periods that
    ended one after the other are looked at in their order: a review that comes late ends as one in time.
    """
    policy = ladder.policy
    own = ladder.held(standing.own_code or standing.tier_code, standing.growth)
    period_end, reason = standing.period_end, Reason.MATCH_END
    while own and period_end and policy.last_kept_day(period_end) < today:
        ended = book.growth_minor(policy, period_end)
        current = book.growth_minor(policy, policy.last_kept_day(period_end))
        kept = min(own, ladder.grade(whole(max(ended, current))))
        own, reason = kept, Reason.PERIOD_END if kept < own else reason
        period_end = policy.next_period_end(period_end)
    growth_minor = book.growth_minor(policy, today)
    reached = ladder.grade(whole(growth_minor))
    if reached > own:
        own, period_end = reached, policy.period_end(today)
    standing = replace(
        standing,
        growth_minor=growth_minor,
        floor_code=floor.tier_code if floor else None,
        floor_end=floor.end_date if floor else None,
    )
    return settle(ladder, standing, own, period_end, today + timedelta(days=1), reason)


def best_floor(ladder: Ladder, floors: Iterable[Floor], today: date) -> Floor | None:
    """The highest tier that is granted today, and of equals the one that lasts longest."""
    ranked = [
        (place, floor.end_date, floor)
        for floor in floors
        if floor.end_date >= today and (place := ladder.index(floor.tier_code)) is not None
    ]
    return max(ranked, key=lambda each: each[:2])[2] if ranked else None
