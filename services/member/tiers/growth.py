"""Pure: what counts as growth, in which window, and until when a tier is held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import IntEnum

# Growth is kept in hundredths, so that fen are not lost: one growth for each whole yuan.
MINOR_PER_GROWTH = 100
BPS = 10_000


class Window(IntEnum):
    """As in huitong.member.v1.QualificationWindow."""

    LIFETIME = 1
    CALENDAR_YEAR = 2
    ROLLING_MONTHS = 3


@dataclass(frozen=True, slots=True)
class Task:
    """What doing a task gives: growth, and a tag ("" for none)."""

    growth: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """As huitong.member.v1.TierPolicy; `tasks` are by code."""

    window: Window = Window.LIFETIME
    months: int = 0
    grace_days: int = 0
    spend_growth_bps: int = BPS
    visit_growth: int = 0
    currency_code: str = "CNY"
    time_zone: str = "Asia/Shanghai"
    tasks: dict[str, Task] = field(default_factory=dict)

    @property
    def is_additive(self) -> bool:
        """Whether growth is a running total of money and tasks: no day has to be looked at again."""
        return self.window is Window.LIFETIME and self.spend_growth_bps == BPS and not self.visit_growth

    def window_start(self, as_of: date) -> date:
        """First day of the window that ends on `as_of`."""
        match self.window:
            case Window.LIFETIME:
                return date.min
            case Window.CALENDAR_YEAR:
                return date(as_of.year, 1, 1)
            case Window.ROLLING_MONTHS:
                return add_months(as_of, -self.months) + timedelta(days=1)

    def period_end(self, day: date) -> date | None:
        """Last day of the qualifying period of a tier that is reached on `day`; None when it is held for good."""
        match self.window:
            case Window.LIFETIME:
                return None
            case Window.CALENDAR_YEAR:
                return date(day.year, 12, 31)
            case Window.ROLLING_MONTHS:
                return add_months(day, self.months)

    def next_period_end(self, period_end: date) -> date:
        """Last day of the period after one."""
        if self.window is Window.CALENDAR_YEAR:
            return date(period_end.year + 1, 12, 31)
        return add_months(period_end, self.months)

    def last_kept_day(self, period_end: date) -> date:
        """Last day of grace."""
        return period_end + timedelta(days=self.grace_days)


DEFAULT_POLICY = Policy()


@dataclass(slots=True)
class Day:
    """What a member did on one business day in one currency ("" for tasks)."""

    business_date: date
    currency_code: str
    spend_minor: int = 0
    sale_count: int = 0
    task_growth: int = 0


class Book:
    """The days of one member, as far back as any window asks."""

    def __init__(self, days: Iterable[Day] = ()) -> None:
        self._days = {(day.business_date, day.currency_code): day for day in days}

    def add(self, new: Day) -> None:
        """Add to a day."""
        day = self._days.setdefault((new.business_date, new.currency_code), Day(new.business_date, new.currency_code))
        day.spend_minor += new.spend_minor
        day.sale_count += new.sale_count
        day.task_growth += new.task_growth

    def dates(self, since: date) -> list[date]:
        """The days from one on, on which there is something."""
        return sorted({day.business_date for day in self._days.values() if day.business_date >= since})

    def growth_minor(self, policy: Policy, as_of: date) -> int:
        """Growth, in hundredths, of the window that ends on `as_of` (LIFETIME: of all days); money rounded down."""
        start = policy.window_start(as_of)
        end = date.max if policy.window is Window.LIFETIME else as_of
        days = [day for day in self._days.values() if start <= day.business_date <= end]
        spend_minor = sum(day.spend_minor for day in days if day.currency_code == policy.currency_code)
        visits = len({day.business_date for day in days if day.sale_count > 0})
        tasks = sum(day.task_growth for day in days)
        return spend_minor * policy.spend_growth_bps // BPS + MINOR_PER_GROWTH * (visits * policy.visit_growth + tasks)


def spend_for(policy: Policy, missing_growth_minor: int) -> int | None:
    """The least spending, in minor units, that gives this growth (hundredths); None where spending gives none."""
    if missing_growth_minor <= 0:
        return 0
    return -(-missing_growth_minor * BPS // policy.spend_growth_bps) if policy.spend_growth_bps else None


def add_months(day: date, months: int) -> date:
    """The same day so many months later, the last of its month when that has fewer days."""
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    next_month = date(year + month // 12, month % 12 + 1, 1)
    return min(date(year, month, 1) + timedelta(days=day.day - 1), next_month - timedelta(days=1))
