"""On which days offers count, and which days cannot be saved."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from time import process_time

import pytest
from dateutil import rrule
from hypothesis import given, reject
from hypothesis import strategies as st

from services.points.earning.calendars import DayKind
from services.points.earning.days import Days, DaysInvalid


@pytest.mark.parametrize(
    ("days", "day", "on"),
    [
        (Days(recurrence="FREQ=MONTHLY;BYDAY=1SA"), date(2026, 3, 7), True),
        (Days(recurrence="FREQ=MONTHLY;BYDAY=1SA"), date(2026, 3, 14), False),
        (Days(recurrence="FREQ=DAILY;INTERVAL=2", start=date(2026, 3, 1)), date(2026, 3, 3), True),
        (Days(recurrence="FREQ=DAILY;COUNT=2", start=date(2026, 3, 1)), date(2026, 3, 3), False),
        (Days(recurrence="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"), date(2028, 2, 29), True),  # a leap day
        (Days(month_days=frozenset({8}), week_days=frozenset({3})), date(2026, 3, 4), True),  # a Wednesday
        (Days(month_days=frozenset({8}), week_days=frozenset({3})), date(2026, 3, 5), False),
        (Days(kind=DayKind.HOLIDAY), date(2026, 10, 1), True),
        (Days(kind=DayKind.DAY_OFF), date(2026, 3, 7), True),  # a Saturday
        (Days(kind=DayKind.WORKDAY), date(2017, 1, 22), True),  # a Sunday that was worked
        (Days(kind=DayKind.DAY_OFF), date(2099, 3, 7), True),  # a year that the calendar does not know: weekends only
    ],
)
def test_days_are_on(days: Days, day: date, on: bool) -> None:
    days.check()
    assert days.include(day) is on


@pytest.mark.parametrize(
    ("days", "problem"),
    [
        (Days(start=date(2026, 3, 2), end=date(2026, 3, 1)), "ends before it starts"),
        (Days(recurrence="FREQ=HOURLY"), "days or longer"),
        (Days(recurrence="FREQ=DAILY;BYHOUR=9"), "whole days"),
        (Days(recurrence="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "has no day"),
        (Days(recurrence="FREQ=DAILY", start=date(2026, 3, 1), end=date(2026, 2, 1)), "ends before"),
        (Days(recurrence="every day"), "not an RRULE"),
        (Days(recurrence="DTSTART:20260101T000000\nRRULE:FREQ=DAILY"), "one RRULE"),
        (Days(month_days=frozenset({32})), "does not exist"),
        # What dateutil follows for ever, or to the year 9999.
        (Days(recurrence="FREQ=DAILY;INTERVAL=0"), "INTERVAL of 1 or more"),
        (Days(recurrence="FREQ=YEARLY;INTERVAL=0", start=date(2026, 3, 1)), "INTERVAL of 1 or more"),
        (Days(recurrence="FREQ=DAILY;INTERVAL=-1"), "INTERVAL of 1 or more"),
        (Days(recurrence="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "has no day"),
        (Days(recurrence="FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=31"), "has no day"),
        (Days(recurrence="FREQ=DAILY;BYSETPOS=2"), "has no day"),  # a day has one
        (Days(recurrence="FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29"), "has no day"),  # 2001, 2005, …
        (Days(recurrence="FREQ=DAILY;COUNT=0"), "has no day"),
        (Days(recurrence="FREQ=DAILY;UNTIL=20000101"), "has no day"),  # before it is counted from
        (Days(recurrence="FREQ=DAILY", start=date.max), None),
        (Days(recurrence="FREQ=DAILY;UNTIL=20300101T160000Z"), "UNTIL is a date where the store is"),
    ],
)
def test_days_that_cannot_be_saved_are_refused_at_once(days: Days, problem: str | None) -> None:
    began = process_time()
    if problem is None:
        days.check()
    else:
        with pytest.raises(DaysInvalid, match=problem):
            days.check()
    assert process_time() - began < 0.5  # sales wait meanwhile; the worst of these took seven seconds, or for ever


_recurrences = st.builds(
    lambda frequency, interval, parts: ";".join([f"FREQ={frequency}", f"INTERVAL={interval}", *parts.values()]),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.sampled_from([1, 1, 2, 3, 5, 12]),
    st.fixed_dictionaries(
        {},
        optional={
            "month": st.sampled_from(["BYMONTH=2", "BYMONTH=1,6,12"]),
            "day": st.sampled_from(["BYDAY=MO", "BYDAY=SA,SU", "BYDAY=1SA", "BYDAY=-1FR"]),
            "month day": st.sampled_from(["BYMONTHDAY=8", "BYMONTHDAY=-1", "BYMONTHDAY=29,30,31"]),
            "year day": st.sampled_from(["BYYEARDAY=1,-1", "BYYEARDAY=366"]),
            "week": st.sampled_from(["BYWEEKNO=1,53"]),
            "position": st.sampled_from(["BYSETPOS=1", "BYSETPOS=-1,2"]),
            "first": st.sampled_from(["WKST=SU"]),
            "last": st.sampled_from(["COUNT=5", "UNTIL=20280301"]),
        },
    ),
)


@given(_recurrences, st.dates(date(2024, 1, 1), date(2026, 12, 31)), st.integers(0, 800), st.integers(0, 20))
def test_days_are_those_of_the_recurrence(recurrence: str, start: date, after_days: int, count: int) -> None:
    begin = start + timedelta(days=after_days)
    end = begin + timedelta(days=count)
    days = Days(start=start, recurrence=recurrence)
    try:
        days.check()
    except DaysInvalid:
        reject()  # dateutil would look for its first day until the year 9999
    expected = set()
    for each in rrule.rrulestr(recurrence, dtstart=datetime.combine(start, time())):
        if each.date() > end:
            break
        expected.add(each.date())
    for number in range(count + 1):
        day = begin + timedelta(days=number)
        assert days.include(day) is (day in expected)


@pytest.mark.parametrize(
    ("days", "is_over"),
    [
        (Days(recurrence="FREQ=DAILY;UNTIL=20260228"), True),
        (Days(recurrence="FREQ=DAILY;UNTIL=20260301"), False),
        (Days(recurrence="FREQ=DAILY;COUNT=3", start=date(2026, 2, 26)), True),
        (Days(recurrence="FREQ=DAILY;COUNT=4", start=date(2026, 2, 26)), False),
        (Days(recurrence="FREQ=DAILY;COUNT=4", start=date(2027, 2, 26)), False),  # has not begun
        (Days(recurrence="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"), False),  # in two years
        (Days(recurrence="FREQ=MONTHLY;BYMONTHDAY=8", end=date(2026, 3, 7)), True),  # the dates say that it goes on
        (Days(recurrence="FREQ=MONTHLY;BYMONTHDAY=8", end=date(2026, 2, 20)), False),  # the dates say that it is over
    ],
)
def test_a_recurrence_is_over_when_no_day_is_left(days: Days, is_over: bool) -> None:
    days.check()
    assert days.find_over(date(2026, 3, 1)) == ("its recurrence has no day from 2026-03-01 on" if is_over else "")
