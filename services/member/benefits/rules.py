"""Pure: quotas, their periods, and when a benefit can be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

from services.member.tiers.growth import Policy, Window, add_months
from services.member.tiers.rules import Standing

# The period that is once and for all.
ONCE = date(1970, 1, 1)


class Kind(IntEnum):
    """As in huitong.member.v1.BenefitKind."""

    BIRTHDAY_GIFT = 1
    FREE_PARKING_HOURS = 2
    LOUNGE_ENTRY = 3
    PRIORITY_BOOKING = 4
    MEMBER_PRICE = 5


class Period(IntEnum):
    """As in huitong.member.v1.QuotaPeriod."""

    DAY = 1
    MONTH = 2
    YEAR = 3
    MEMBERSHIP = 4


@dataclass(frozen=True, slots=True)
class Benefit:
    """As huitong.member.v1.Benefit; quota 0 is without limit."""

    tier_code: str
    benefit_code: str
    kind: Kind
    name: str
    name_zh: str
    quota: int
    period: Period
    price_bps: int

    def left(self, used: int) -> int | None:
        """Units left; None without a limit. A quota that was made smaller leaves none."""
        return max(0, self.quota - used) if self.quota else None

    def is_time(self, *, is_birth_month: bool) -> bool:
        """Whether this is a time for it: a birthday gift is for the month of birth."""
        return self.kind is not Kind.BIRTHDAY_GIFT or is_birth_month


def benefits_problem(benefits: Sequence[Benefit]) -> tuple[str, str] | None:
    """Why these are no benefits of a tier, in English and Chinese; None when they are."""
    if len({one.benefit_code for one in benefits}) != len(benefits):
        return "a code comes twice", "权益代码重复"
    if any((one.kind is Kind.MEMBER_PRICE) != bool(one.price_bps) for one in benefits):
        return "price_bps is for member prices, and they need it", "会员价必须且只有会员价可以设置 price_bps"
    return None


def period_start(period: Period, policy: Policy, standing: Standing, today: date) -> date:
    """The first day of the quota's period that today is in; ONCE where it is once and for all."""
    match period:
        case Period.DAY:
            return today
        case Period.MONTH:
            return today.replace(day=1)
        case Period.YEAR:
            return date(today.year, 1, 1)
        case Period.MEMBERSHIP:
            return _membership_start(policy, standing, today)


def counted_starts(period: Period, policy: Policy, start: date, today: date) -> tuple[date, date]:
    """First and last beginning of periods that count for merged members, of whom each had periods of its own.

    Memberships of rolling months began on any day: all count that are under way, so that a merge gives nothing anew.
    """
    if period is Period.MEMBERSHIP and policy.window is Window.ROLLING_MONTHS:
        return min(start, add_months(today, -policy.months) + timedelta(days=1)), max(start, today)
    return start, start


def _membership_start(policy: Policy, standing: Standing, today: date) -> date:
    match policy.window:
        case Window.LIFETIME:
            return ONCE
        case Window.CALENDAR_YEAR:
            return date(today.year, 1, 1)
        case Window.ROLLING_MONTHS:
            if standing.period_end is not None:
                return add_months(standing.period_end, -policy.months) + timedelta(days=1)
            # The lowest tier has no period of its own: as long ones, one after the other.
            months = (today.year - ONCE.year) * 12 + today.month - 1
            return add_months(ONCE, months - months % policy.months)
