"""Days on which an offer is on: dates, RFC 5545 recurrence, and the business calendar. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from functools import lru_cache

import chinese_calendar
from dateutil import rrule

# A recurrence without a start is counted from here, a Monday.
COUNTED_FROM = date(2001, 1, 1)
# One that has no day in so long a time is a mistake.
LONGEST_WAIT = timedelta(days=366 * 9)


class DayKind(IntEnum):
    """As in huitong.points.v1.DayKind."""

    ANY = 0
    DAY_OFF = 1
    WORKDAY = 2
    HOLIDAY = 3


class DaysInvalid(Exception):
    """Days that never come, or a recurrence that is not one."""


@dataclass(frozen=True, slots=True)
class Days:
    """Dates from `start` to `end` that the recurrence, the lists and the kind allow; what is empty allows all."""

    start: date | None = None
    end: date | None = None
    recurrence: str = ""
    kind: DayKind = DayKind.ANY
    month_days: frozenset[int] = frozenset()
    week_days: frozenset[int] = frozenset()

    def check(self) -> None:
        """Raises DaysInvalid."""
        if self.start and self.end and self.end < self.start:
            raise DaysInvalid("ends before it starts")
        if not self.month_days <= set(range(1, 32)) or not self.week_days <= set(range(1, 8)):
            raise DaysInvalid("names a day that does not exist")
        if self.recurrence:
            first = _recurrence(self.recurrence, self.start or COUNTED_FROM)
            begin = datetime.combine(self.start or COUNTED_FROM, time())
            until = begin + LONGEST_WAIT
            if self.end:
                until = min(until, datetime.combine(self.end, time()))
            if not first.between(begin, until, inc=True, count=1):
                raise DaysInvalid("its recurrence has no day")

    def include(self, day: date) -> bool:
        """Whether `day` is one of them."""
        return _include(self, day)

    def meets(self, other: Days, since: date) -> bool:
        """Whether a day from `since` on is one of both, within the next nine years."""
        begin = max(day for day in (since, self.start, other.start) if day)
        if begin.year > date.max.year - 10:
            return True  # nobody knows
        end = min(day for day in (begin + LONGEST_WAIT, self.end, other.end) if day)
        return not self._within(begin, end).isdisjoint(other._within(begin, end))

    def _within(self, begin: date, end: date) -> set[date]:
        if not self.recurrence:
            days = {begin + timedelta(days=number) for number in range((end - begin).days + 1)}
            return {day for day in days if _include(self, day)}
        found = _recurrence(self.recurrence, self.start or COUNTED_FROM)
        recurring = found.between(datetime.combine(begin, time()), datetime.combine(end, time()), inc=True)
        rest = replace(self, recurrence="")
        return {each.date() for each in recurring if rest.include(each.date())}


ALWAYS = Days()


@lru_cache(maxsize=65_536)
def _include(days: Days, day: date) -> bool:
    if (days.start and day < days.start) or (days.end and day > days.end):
        return False
    if (days.month_days or days.week_days) and not (day.day in days.month_days or day.isoweekday() in days.week_days):
        return False
    if days.kind is not DayKind.ANY and not _is_of_kind(day, days.kind):
        return False
    if days.recurrence:
        midnight = datetime.combine(day, time())
        return bool(_recurrence(days.recurrence, days.start or COUNTED_FROM).between(midnight, midnight, inc=True))
    return True


def _is_of_kind(day: date, kind: DayKind) -> bool:
    if kind is DayKind.HOLIDAY:
        return is_holiday(day)
    return is_day_off(day) is (kind is DayKind.DAY_OFF)


def is_day_off(day: date) -> bool:
    """A day without work by the business calendar: weekends move around holidays.

    Years that the calendar does not know yet have their weekends only.
    """
    try:
        return chinese_calendar.is_holiday(day)
    except NotImplementedError:
        return day.isoweekday() >= 6


def is_holiday(day: date) -> bool:
    """A statutory holiday; none in years that the calendar does not know yet."""
    try:
        off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return False
    return bool(off and name)


@lru_cache(maxsize=4096)
def _recurrence(text: str, start: date) -> rrule.rrule:
    """Raises DaysInvalid."""
    if "\n" in text or "DTSTART" in text.upper():
        raise DaysInvalid("its recurrence must be one RRULE; start_date says when it starts")
    try:
        found = rrule.rrulestr(text, dtstart=datetime.combine(start, time()))
    except (ValueError, TypeError, KeyError) as error:
        raise DaysInvalid(f"its recurrence is not an RRULE ({error})") from None
    if not isinstance(found, rrule.rrule) or getattr(found, "_freq") > rrule.DAILY:  # noqa: B009
        raise DaysInvalid("its recurrence must be of days or longer")
    if any(getattr(found, f"_by{unit}") not in ((0,), {0}, None) for unit in ("hour", "minute", "second")):
        raise DaysInvalid("its recurrence must be of whole days; sale.hour in the condition says when in a day")
    return found
