"""Days on which an offer is on: dates, RFC 5545 recurrence, and kinds of days by the business calendar. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from dateutil import rrule

from services.points.earning.calendars import STATUTORY, Calendar, DayKind

# A recurrence without a start is counted from here, a Monday.
COUNTED_FROM = date(2001, 1, 1)
# One that has no day in so long a time is a mistake.
LONGEST_WAIT = timedelta(days=366 * 9)


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
        if self.recurrence and not self._recurs_from(self.counted_from):
            raise DaysInvalid("its recurrence has no day")

    def find_problem(self) -> str:
        """What `check` raises, "" when nothing."""
        try:
            self.check()
        except DaysInvalid as error:
            return str(error)
        return ""

    def field_of(self, problem: str) -> str:
        """The field of a rule that a problem of its days is about."""
        if "recurrence" in problem:
            return "recurrence"
        return "end_date" if self.start and self.end and self.end < self.start else "month_days"

    def find_over(self, since: date) -> str:
        """Says so when the recurrence has no day from `since` on, though the dates go on. The days must be in order."""
        goes_on = self.end is None or self.end >= since
        if self.recurrence and goes_on and not self._recurs_from(max(self.counted_from, since)):
            return f"its recurrence has no day from {since} on"
        return ""

    @property
    def counted_from(self) -> date:
        """The day from which the recurrence counts."""
        return self.start or COUNTED_FROM

    def _recurs_from(self, begin: date) -> bool:
        """Whether the recurrence has a day within the longest wait from `begin` on."""
        end = begin + min(LONGEST_WAIT, date.max - begin)
        days = _occurrences(self.recurrence, self.counted_from, begin, min(end, self.end or end))
        return next(days, None) is not None

    def include(self, day: date, calendar: Calendar = STATUTORY) -> bool:
        """Whether `day` is one of them; of a recurrence that is none (any more) no day is."""
        return _include(self, day, calendar)

    def meets(self, other: Days, since: date, calendar: Calendar = STATUTORY) -> bool:
        """Whether a day from `since` on is one of both, within the next nine years."""
        begin = max(day for day in (since, self.start, other.start) if day)
        if begin.year > date.max.year - 20:
            return True  # nobody knows
        end = min(day for day in (begin + LONGEST_WAIT, self.end, other.end) if day)
        if begin > since + LONGEST_WAIT:
            return not self._within(begin, end, calendar).isdisjoint(other._within(begin, end, calendar))
        # As nearly always. Offers are compared by pairs: the days of each are found once.
        window = ((1 << max((end - begin).days + 1, 0)) - 1) << (begin - since).days
        return bool(_bits(self, since, calendar) & _bits(other, since, calendar) & window)

    def _within(self, begin: date, end: date, calendar: Calendar) -> set[date]:
        if not self.recurrence:
            days = {begin + timedelta(days=number) for number in range((end - begin).days + 1)}
            return {day for day in days if _is_one(self, day, calendar)}
        rest = replace(self, recurrence="")
        found = _occurrences(self.recurrence, self.counted_from, begin, end)
        return {day for day in found if _is_one(rest, day, calendar)}


ALWAYS = Days()


@lru_cache(maxsize=1024)
def _bits(days: Days, since: date, calendar: Calendar) -> int:
    """Bit n is set when the n-th day after `since` is one, as far as two offers that begin by then are compared."""
    end = min(since + 2 * LONGEST_WAIT, days.end or date.max)
    return sum(1 << (day - since).days for day in days._within(since, end, calendar))


@lru_cache(maxsize=65_536)
def _include(days: Days, day: date, calendar: Calendar) -> bool:
    return _is_one(days, day, calendar)


def _is_one(days: Days, day: date, calendar: Calendar) -> bool:
    if (days.start and day < days.start) or (days.end and day > days.end):
        return False
    if (days.month_days or days.week_days) and not (day.day in days.month_days or day.isoweekday() in days.week_days):
        return False
    if days.kind is not DayKind.ANY and not _is_of_kind(day, days.kind, calendar):
        return False
    if days.recurrence:
        try:
            return next(_occurrences(days.recurrence, days.counted_from, day, day), None) is not None
        except DaysInvalid:
            return False
    return True


def _is_of_kind(day: date, kind: DayKind, calendar: Calendar) -> bool:
    if kind is DayKind.HOLIDAY:
        return calendar.is_holiday(day)
    return calendar.is_day_off(day) is (kind is DayKind.DAY_OFF)


# At least so many days are from one period of a frequency to the next.
_DAYS_OF = {rrule.YEARLY: 365, rrule.MONTHLY: 28, rrule.WEEKLY: 7, rrule.DAILY: 1}
_UNTIL_IN_UTC = re.compile(r"UNTIL=\d{8}T\d{6}Z", re.IGNORECASE)


class _PeriodsOver(Exception):
    """A recurrence was followed as far as its days are asked for."""


class _Positions(tuple[int, ...]):
    """BYSETPOS of a recurrence that ends after `left` periods, whether they have days or not.

    dateutil asks once for each period whether there are positions. By itself it goes on to the year 9999, for seconds,
    when no day matches: an end (UNTIL) counts only once a later day does.
    """

    left: int

    def __bool__(self) -> bool:
        self.left -= 1
        if self.left < 0:
            raise _PeriodsOver
        return len(self) > 0


def _occurrences(text: str, start: date, begin: date, end: date) -> Iterator[date]:
    """Days of the recurrence from `begin` to `end`, both included. Raises DaysInvalid."""
    found, step_days = _recurrence(text, start)
    known = found._bysetpos  # type: ignore[attr-defined]
    positions = _Positions(() if known is None else known)
    positions.left = max((end - start).days, 0) // step_days + 3
    found._bysetpos = positions  # type: ignore[attr-defined]
    try:
        for each in found:
            if each.date() > end:
                return
            if each.date() >= begin:
                yield each.date()
    except _PeriodsOver:
        return


@lru_cache(maxsize=4096)
def _recurrence(text: str, start: date) -> tuple[rrule.rrule, int]:
    """The recurrence, and how many days are at least from one period to the next. Raises DaysInvalid."""
    if "\n" in text or "DTSTART" in text.upper():
        raise DaysInvalid("its recurrence must be one RRULE; start_date says when it starts")
    if _UNTIL_IN_UTC.search(text):
        raise DaysInvalid(
            "its recurrence ends at an instant in UTC; UNTIL is a date where the store is, as in 20261231"
        )
    try:
        found = rrule.rrulestr(text, dtstart=datetime.combine(start, time()))
    except (ValueError, TypeError, KeyError) as error:
        raise DaysInvalid(f"its recurrence is not an RRULE ({error})") from None
    if not isinstance(found, rrule.rrule) or getattr(found, "_freq") > rrule.DAILY:  # noqa: B009
        raise DaysInvalid("its recurrence must be of days or longer")
    if any(getattr(found, f"_by{unit}") not in ((0,), {0}, None) for unit in ("hour", "minute", "second")):
        raise DaysInvalid("its recurrence must be of whole days; sale.hour in the condition says when in a day")
    interval = getattr(found, "_interval")  # noqa: B009
    if interval < 1:
        raise DaysInvalid("its recurrence must have an INTERVAL of 1 or more")
    return found, _DAYS_OF[getattr(found, "_freq")] * interval  # noqa: B009
