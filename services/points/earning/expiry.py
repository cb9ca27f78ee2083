"""When points expire, pure: by whole months, by the calendar year, on a date, or never.

Every way names the last day on which points can be spent, where the store is; they expire when that day is over. Days
of grace move that instant: the ledger, and with it every answer and event, knows the later one only. The nominal
instant is part of a sale's explanation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.points.earning.mistakes import Mistake

# Points that never expire: the key of a lot needs an instant. At the edge it is an expire_time that is not there.
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
MOST_MONTHS = 120
# No rule set lets points pend longer (RuleSet.pending_days).
LONGEST_PENDING_DAYS = 366


class ExpiryKind(IntEnum):
    """As in huitong.points.v1.ExpiryKind."""

    UNSPECIFIED = 0
    ROLLING_MONTHS = 1
    CALENDAR_YEAR_END = 2
    FIXED_DATE = 3
    NONE = 4


class ExpiryRounding(IntEnum):
    """As in huitong.points.v1.ExpiryRounding."""

    UNSPECIFIED = 0
    DAY = 1
    MONTH = 2
    QUARTER = 3
    YEAR = 4


# What each kind is made of.
_FIELDS = {
    ExpiryKind.ROLLING_MONTHS: {"months", "rounding", "grace_days"},
    ExpiryKind.CALENDAR_YEAR_END: {"years", "grace_days"},
    ExpiryKind.FIXED_DATE: {"fixed_date", "grace_days"},
    ExpiryKind.NONE: set[str](),
}


@dataclass(frozen=True, slots=True)
class ExpiryPolicy:
    """How long points of a sale live; what a kind does not use is empty."""

    kind: ExpiryKind
    months: int = 0
    rounding: ExpiryRounding = ExpiryRounding.UNSPECIFIED  # for ROLLING_MONTHS that is MONTH
    years: int = 0
    fixed_date: date | None = None
    grace_days: int = 0

    def last_day(self, day: date) -> date | None:
        """The last day, before any grace, on which points of a sale on `day` can be spent; None when there is none."""
        match self.kind:
            case ExpiryKind.ROLLING_MONTHS:
                return _round_up(add_months(day, self.months), self.rounding)
            case ExpiryKind.CALENDAR_YEAR_END:
                return date(day.year + self.years, 12, 31)
            case _:
                return self.fixed_date

    def is_over(self, day: date) -> bool:
        """Whether points of a sale on `day` would have expired before it: its fixed date is past."""
        return self.fixed_date is not None and day > self.fixed_date


@lru_cache(maxsize=4096)
def expire_time(policy: ExpiryPolicy, day: date, time_zone: str) -> datetime:
    """When points of a sale on `day` expire, grace included, as UTC; NEVER when they do not."""
    last_day = policy.last_day(day)
    return NEVER if last_day is None else _end_of(last_day + timedelta(days=policy.grace_days), time_zone)


@lru_cache(maxsize=4096)
def nominal_expire_time(policy: ExpiryPolicy, day: date, time_zone: str) -> datetime | None:
    """When they would expire without days of grace; None when there is no other instant than expire_time."""
    last_day = policy.last_day(day)
    return _end_of(last_day, time_zone) if last_day is not None and policy.grace_days else None


@lru_cache(maxsize=4096)
def expiry_of(year: int, month: int, expiry_months: int, time_zone: str) -> datetime:
    """When points of a sale in that month expire: the local start of month + expiry_months + 1, as UTC.

    The same as ROLLING_MONTHS to the end of the month, for rule sets that say no more than expiry_months.
    """
    months = year * 12 + (month - 1) + expiry_months + 1
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


@lru_cache(maxsize=256)
def most_pending_days(policy: ExpiryPolicy) -> int:
    """The most days that points may be pending and still unlock before they expire, whenever they are earned.

    Found by looking at every day of four years; a date that is fixed comes nearest on itself.
    """
    if policy.kind is ExpiryKind.NONE:
        return LONGEST_PENDING_DAYS
    first = date(2001, 1, 1)
    days = [policy.fixed_date] if policy.fixed_date else [first + timedelta(days=number) for number in range(1461)]
    shortest = min((last_day - day).days for day in days if (last_day := policy.last_day(day)) is not None)
    return shortest + policy.grace_days


def rolling(months: int) -> ExpiryPolicy:
    """What expiry_months says, as a policy."""
    return ExpiryPolicy(ExpiryKind.ROLLING_MONTHS, months=months)


def find_expiry_problems(policy: ExpiryPolicy, used: Iterable[str], effective_date: date) -> list[Mistake]:
    """All that is wrong with a policy. `used` are the names of the fields that were given, `kind` aside."""
    if policy.kind is ExpiryKind.UNSPECIFIED:
        return [Mistake("the expiry names no kind", "expiry.kind")]
    problems = []
    if foreign := sorted(set(used) - _FIELDS[policy.kind]):
        sentence = f"an expiry of kind {policy.kind.name} cannot have {', '.join(foreign)}"
        problems.append(Mistake(sentence, f"expiry.{foreign[0]}"))
    if policy.kind is ExpiryKind.ROLLING_MONTHS and not 1 <= policy.months <= MOST_MONTHS:
        problems.append(Mistake(f"an expiry of kind ROLLING_MONTHS needs 1 to {MOST_MONTHS} months", "expiry.months"))
    if policy.kind is ExpiryKind.FIXED_DATE:
        if policy.fixed_date is None:
            sentence = "an expiry of kind FIXED_DATE needs a fixed_date that exists"
            problems.append(Mistake(sentence, "expiry.fixed_date"))
        elif policy.fixed_date < effective_date:
            sentence = f"points would expire on {policy.fixed_date}, before the rules are in force"
            problems.append(Mistake(sentence, "expiry.fixed_date"))
    return problems


def add_months(day: date, months: int) -> date:
    """The same day so many months later, the last of its month when that has fewer days."""
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    return min(date(year, month, 1) + timedelta(days=day.day - 1), _month_end(year, month))


def _round_up(day: date, rounding: ExpiryRounding) -> date:
    match rounding:
        case ExpiryRounding.DAY:
            return day
        case ExpiryRounding.QUARTER:
            return _month_end(day.year, (day.month + 2) // 3 * 3)
        case ExpiryRounding.YEAR:
            return date(day.year, 12, 31)
        case _:
            return _month_end(day.year, day.month)


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _end_of(day: date, time_zone: str) -> datetime:
    after = day + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
