"""The business calendar: what a group and its units say of days, and the statutory calendar for all others. Pure.

The statutory calendar is a library's, which knows mainland China's years as they are announced. A rule set says what is
different or not known there yet; so a sale is computed by the calendar of its own version, whenever it arrives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from functools import cached_property, lru_cache
from typing import NamedTuple
from uuid import UUID

import chinese_calendar
from chinese_calendar.constants import holidays

from services.points.earning.mistakes import Mistake

STATUTORY_YEARS = range(min(holidays).year, max(holidays).year + 1)


class DayKind(IntEnum):
    """As in huitong.points.v1.DayKind. A HOLIDAY is a day off, too."""

    ANY = 0
    DAY_OFF = 1
    WORKDAY = 2
    HOLIDAY = 3


class StatedDay(NamedTuple):
    """What a rule set says of a day: its kind (ANY: whatever it is), a name, and for which units (none: the group)."""

    day: date
    kind: DayKind
    name: str
    business_unit_ids: frozenset[UUID]


@dataclass(frozen=True, eq=False)  # by identity: answers about days are kept for each
class Calendar:
    """Days of a group, or of one of its units."""

    kinds: Mapping[date, DayKind] = field(default_factory=dict)
    names: Mapping[date, Sequence[str]] = field(default_factory=dict)

    def is_day_off(self, day: date) -> bool:
        """Whether nobody works: of days that nobody knows, on weekends."""
        return self._kind_of(day) is not DayKind.WORKDAY

    def is_holiday(self, day: date) -> bool:
        """Whether it is a statutory holiday, or was stated to be one; no day that nobody knows is."""
        return self._kind_of(day) is DayKind.HOLIDAY

    def names_of(self, day: date) -> Sequence[str]:
        """What the day is called."""
        return self.names.get(day, ())

    def find_unknown(self, begin: date) -> date | None:
        """The first day from `begin` on of a year that is neither statutory nor has a holiday stated; None for ever."""
        while begin.year in STATUTORY_YEARS or begin.year in self._stated_years:
            if begin.year == date.max.year:
                return None
            begin = date(begin.year + 1, 1, 1)
        return begin

    @cached_property
    def _stated_years(self) -> frozenset[int]:
        return frozenset(day.year for day, kind in self.kinds.items() if kind is DayKind.HOLIDAY)

    def _kind_of(self, day: date) -> DayKind:
        stated = self.kinds.get(day)
        if stated is not None:
            return stated
        if day.year not in STATUTORY_YEARS:
            return DayKind.DAY_OFF if day.isoweekday() >= 6 else DayKind.WORKDAY
        return _statutory_kind_of(day)


@lru_cache(maxsize=4096)
def _statutory_kind_of(day: date) -> DayKind:
    is_off, name = chinese_calendar.get_holiday_detail(day)
    if not is_off:
        return DayKind.WORKDAY
    return DayKind.HOLIDAY if name else DayKind.DAY_OFF


STATUTORY = Calendar()


@dataclass(frozen=True, eq=False)
class Calendars:
    """The group's calendar, and those of the units that have days of their own: the group's with these."""

    group: Calendar = STATUTORY
    units: Mapping[UUID, Calendar] = field(default_factory=dict)

    def of(self, business_unit_id: UUID | None) -> Calendar:
        """The calendar of a unit."""
        return self.units.get(business_unit_id, self.group) if business_unit_id else self.group

    def within(self, business_unit_ids: Iterable[UUID]) -> list[Calendar]:
        """The calendars that may count for something that is for these units, none meaning all."""
        named = [self.of(unit_id) for unit_id in business_unit_ids]
        return named or [self.group, *self.units.values()]


STATUTORY_ONLY = Calendars()


def calendars_of(stated: Iterable[StatedDay]) -> Calendars:
    """The calendars of a rule set: a unit's kind of a day goes before the group's, names of both count."""
    kinds: dict[UUID | None, dict[date, DayKind]] = defaultdict(dict)
    names: dict[UUID | None, dict[date, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in stated:
        for unit_id in one.business_unit_ids or (None,):
            if one.kind is not DayKind.ANY:
                kinds[unit_id].setdefault(one.day, one.kind)
            if one.name:
                names[unit_id][one.day].append(one.name)
    if not kinds and not names:
        return STATUTORY_ONLY
    group = Calendar(kinds[None], names[None])
    units = {}
    for unit_id in (kinds.keys() | names.keys()) - {None}:
        if unit_id is not None:
            own = {day: [*group.names_of(day), *found] for day, found in names[unit_id].items()}
            units[unit_id] = Calendar({**group.kinds, **kinds[unit_id]}, {**group.names, **own})
    return Calendars(group, units)


def find_calendar_problems(stated: Iterable[StatedDay]) -> list[Mistake]:
    """All that keeps a calendar from being published."""
    problems = []
    seen: set[tuple[UUID | None, date]] = set()
    for one in stated:
        if one.kind is DayKind.ANY and not one.name:
            problems.append(_of_day(one.day, f"calendar: nothing is said of {one.day}"))
        if one.kind is DayKind.ANY:
            continue
        places: set[tuple[UUID | None, date]] = {(unit_id, one.day) for unit_id in one.business_unit_ids or (None,)}
        if places & seen:
            sentence = f"calendar: the kind of {one.day} is said twice for the same unit or the group"
            problems.append(_of_day(one.day, sentence, "kind"))
        seen |= places
    return problems


def _of_day(day: date, sentence: str, field: str = "") -> Mistake:
    return Mistake(sentence, field, part="calendar_days", part_id=day.isoformat())
