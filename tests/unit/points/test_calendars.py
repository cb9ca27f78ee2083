"""The business calendar: what is stated, for whom, what counts otherwise, and of what nobody knows."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chassis import ids
from services.points.earning.calendars import (
    STATUTORY,
    STATUTORY_ONLY,
    STATUTORY_YEARS,
    Calendars,
    DayKind,
    StatedDay,
    calendars_of,
    find_calendar_problems,
)
from services.points.earning.conditions import Condition
from services.points.earning.days import Days
from services.points.earning.offers import Combination, Offer, find_offer_problems
from services.points.earning.offset_terms import OffsetTerms, Order, Skipped
from services.points.earning.rules import Rule, RuleKind, RuleSet
from services.points.earning.warnings import find_warnings

MALL, HOTEL, OFFICE = (ids.derive("calendars", name) for name in ("mall", "hotel", "office"))
NATIONAL_DAY, SATURDAY, WEDNESDAY = date(2026, 10, 1), date(2026, 3, 7), date(2026, 3, 4)
NEW_YEAR_2027 = date(2027, 1, 1)


def stated(day: date, kind: DayKind = DayKind.ANY, name: str = "", *units: Any) -> StatedDay:
    return StatedDay(day, kind, name, frozenset(units))


def kind_of(calendars: Calendars, day: date, unit: Any = MALL) -> str:
    calendar = calendars.of(unit)
    assert calendar.is_day_off(day) or not calendar.is_holiday(day)
    return "holiday" if calendar.is_holiday(day) else "off" if calendar.is_day_off(day) else "work"


@pytest.mark.parametrize(
    ("days", "day", "kind"),
    [
        # nothing stated: the statutory calendar, and weekends where that ends
        ([], NATIONAL_DAY, "holiday"),
        ([], SATURDAY, "off"),
        ([], date(2026, 10, 10), "work"),  # a Saturday that is worked
        ([], date(STATUTORY_YEARS.stop, 10, 1), "work"),
        ([], date(STATUTORY_YEARS.stop, 10, 2), "off"),
        ([], date(1999, 10, 1), "work"),
        # the group's word goes before it
        ([stated(NATIONAL_DAY, DayKind.WORKDAY)], NATIONAL_DAY, "work"),
        ([stated(WEDNESDAY, DayKind.DAY_OFF)], WEDNESDAY, "off"),
        ([stated(NEW_YEAR_2027, DayKind.HOLIDAY)], NEW_YEAR_2027, "holiday"),
        # and the unit's before both, whichever comes first
        ([stated(WEDNESDAY, DayKind.HOLIDAY), stated(WEDNESDAY, DayKind.WORKDAY, "", MALL)], WEDNESDAY, "work"),
        ([stated(WEDNESDAY, DayKind.WORKDAY, "", MALL), stated(WEDNESDAY, DayKind.HOLIDAY)], WEDNESDAY, "work"),
        ([stated(WEDNESDAY, DayKind.HOLIDAY), stated(WEDNESDAY, DayKind.WORKDAY, "", HOTEL)], WEDNESDAY, "holiday"),
        # a name alone changes nothing
        ([stated(SATURDAY, DayKind.ANY, "member day")], SATURDAY, "off"),
    ],
)
def test_the_most_specific_word_counts(days: list[StatedDay], day: date, kind: str) -> None:
    assert kind_of(calendars_of(days), day) == kind


def test_names_of_the_group_and_of_the_unit_all_count() -> None:
    calendars = calendars_of(
        [
            stated(SATURDAY, DayKind.ANY, "member day"),
            stated(SATURDAY, DayKind.DAY_OFF, "closing day", HOTEL),
            stated(SATURDAY, DayKind.ANY, "fair", HOTEL, MALL),
        ]
    )
    assert [list(calendars.of(unit).names_of(SATURDAY)) for unit in (HOTEL, MALL, OFFICE, None)] == [
        ["member day", "closing day", "fair"],
        ["member day", "fair"],
        ["member day"],
        ["member day"],
    ]
    assert STATUTORY.names_of(SATURDAY) == ()


def test_a_kind_is_said_once_for_each_unit_and_day() -> None:
    off, work = DayKind.DAY_OFF, DayKind.WORKDAY
    assert find_calendar_problems([stated(SATURDAY, off), stated(SATURDAY, work, "", MALL)]) == []
    assert find_calendar_problems([stated(SATURDAY, off), stated(SATURDAY, DayKind.ANY, "fair")]) == []
    assert find_calendar_problems([stated(SATURDAY, off, "", MALL, HOTEL), stated(SATURDAY, work, "", MALL)]) == [
        "calendar: the kind of 2026-03-07 is said twice for the same unit or the group"
    ]
    assert find_calendar_problems([stated(SATURDAY)]) == ["calendar: nothing is said of 2026-03-07"]


def test_a_year_is_known_once_a_holiday_of_it_is_stated() -> None:
    assert STATUTORY.find_unknown(date(2026, 11, 26)) == date(STATUTORY_YEARS.stop, 1, 1)
    assert STATUTORY.find_unknown(date(2031, 5, 6)) == date(2031, 5, 6)
    next_years = [stated(date(STATUTORY_YEARS.stop, 10, 1), DayKind.HOLIDAY)]
    assert calendars_of(next_years).group.find_unknown(date(2026, 11, 26)) == date(STATUTORY_YEARS.stop + 1, 1, 1)
    worked = [stated(date(STATUTORY_YEARS.stop, 10, 3), DayKind.WORKDAY)]
    assert calendars_of(worked).group.find_unknown(date(2026, 11, 26)) == date(STATUTORY_YEARS.stop, 1, 1)


def offer(rule_id: str, **values: Any) -> Rule:
    return Rule(rule_id, RuleKind.OFFER, 1, offer=Offer(**values))


def rule_set(*rules: Rule, days: tuple[StatedDay, ...] = (), terms: tuple[OffsetTerms, ...] = ()) -> RuleSet:
    base = Rule("base", RuleKind.BASE)
    return RuleSet(1, date(2026, 1, 1), 1, 100, (base, *rules), 12, calendar_days=days, offset_terms=terms)


HOLIDAYS = Days(kind=DayKind.HOLIDAY)
OF_HOTEL_2027 = stated(date(2027, 10, 1), DayKind.HOLIDAY, "", HOTEL)


@pytest.mark.parametrize(
    ("rules", "days", "warned"),
    [
        ((offer("a", days=Days(end=date(2099, 1, 1))),), (), []),  # kinds of days do not matter to it
        ((offer("a", days=HOLIDAYS),), (), [("a", "rule_set.rules[1].day_kind", "2027-01-01")]),
        ((offer("a", days=Days(kind=DayKind.WORKDAY, end=date(2026, 12, 31))),), (), []),
        (
            (offer("a"), offer("b", condition=Condition("sale.hour < 9 && calendar.is_day_off"))),
            (),
            [("b", "rule_set.rules[2].condition", "2027-01-01")],
        ),
        ((offer("a", days=Days(kind=DayKind.HOLIDAY, start=date(2028, 3, 1))),), (),
         [("a", "rule_set.rules[1].day_kind", "2028-03-01")]),
        # what one unit knows helps rules of that unit only
        ((offer("a", days=HOLIDAYS, business_unit_ids=frozenset([HOTEL])),), (OF_HOTEL_2027,),
         [("a", "rule_set.rules[1].day_kind", "2028-01-01")]),
        ((offer("a", days=HOLIDAYS),), (OF_HOTEL_2027,), [("a", "rule_set.rules[1].day_kind", "2027-01-01")]),
    ],
)  # fmt: skip
def test_rules_for_days_of_which_nobody_knows_are_warned_of(
    rules: tuple[Rule, ...], days: tuple[StatedDay, ...], warned: list[tuple[str, str, str]]
) -> None:
    found = [warning.values for warning in find_warnings(rule_set(*rules, days=days), date(2026, 11, 26))]
    assert [(each["rule_id"], each["field"], each["unknown_from"]) for each in found] == warned


def test_offset_terms_are_warned_of_too() -> None:
    terms = OffsetTerms("weekends", 1, 1, 1_000, days=Days(kind=DayKind.DAY_OFF))
    (warning,) = find_warnings(rule_set(terms=(terms,)), date(2026, 11, 26))
    assert (warning.values["rule_id"], warning.values["field"]) == ("weekends", "rule_set.offset_terms[0].day_kind")


def test_offset_terms_go_by_the_calendar_of_the_place() -> None:
    terms = OffsetTerms("workdays", 1, 1, 1_000, days=Days(kind=DayKind.WORKDAY))
    calendars = calendars_of([stated(WEDNESDAY, DayKind.DAY_OFF, "", HOTEL)])
    orders = [Order(100, MALL, unit, "", WEDNESDAY, calendar=calendars.of(unit)) for unit in (MALL, HOTEL)]
    assert [terms.skips(order) for order in orders] == [None, Skipped.DAY]


def test_whether_exclusive_offers_meet_is_looked_up_in_the_calendars_of_their_units() -> None:
    def pair(*units: Any) -> list[Rule]:
        scope = {"combination": Combination.EXCLUSIVE, "business_unit_ids": frozenset(units)}
        days = (HOLIDAYS, Days(start=WEDNESDAY, end=WEDNESDAY))
        return [offer(f"r{number}", days=each, **scope) for number, each in enumerate(days)]

    of_mall = calendars_of([stated(WEDNESDAY, DayKind.HOLIDAY, "", MALL)])
    assert find_offer_problems(pair(), WEDNESDAY, STATUTORY_ONLY) == []
    assert len(find_offer_problems(pair(), WEDNESDAY, of_mall)) == 1
    assert len(find_offer_problems(pair(MALL), WEDNESDAY, of_mall)) == 1
    assert find_offer_problems(pair(HOTEL), WEDNESDAY, of_mall) == []
