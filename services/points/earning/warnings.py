"""What should be known of a rule set that may be published all the same. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from services.points.earning.calendars import DayKind
from services.points.earning.rules import RuleKind
from services.points.errors import CalendarUnknown

if TYPE_CHECKING:
    from services.points.earning.days import Days
    from services.points.earning.rules import RuleSet

_KINDS_OF_DAYS = ("calendar.is_day_off", "calendar.is_holiday")


def find_warnings(rule_set: RuleSet, since: date) -> list[CalendarUnknown]:
    """Rules and offset terms that go by holidays or days off on days, from `since` on, of which nobody knows those."""
    found = []
    for field, rule_id, days, business_unit_ids in _users(rule_set):
        begin = max(since, days.start or since)
        unknown = [
            day
            for calendar in rule_set.calendars.within(business_unit_ids)
            if (day := calendar.find_unknown(begin)) is not None and (days.end is None or day <= days.end)
        ]
        if unknown:
            found.append(CalendarUnknown(rule_id=rule_id, field=field, unknown_from=min(unknown)))
    return found


def _users(rule_set: RuleSet) -> Iterator[tuple[str, str, Days, Iterable[UUID]]]:
    """The field that goes by kinds of days, of which rule, on which days, and for which units (none: all)."""
    for number, rule in enumerate(rule_set.rules):
        if rule.kind is not RuleKind.OFFER:
            continue
        offer = rule.offer
        if offer.days.kind is not DayKind.ANY:
            yield f"rule_set.rules[{number}].day_kind", rule.rule_id, offer.days, offer.business_unit_ids
        elif offer.condition is not None and any(offer.condition.uses(fact) for fact in _KINDS_OF_DAYS):
            yield f"rule_set.rules[{number}].condition", rule.rule_id, offer.days, offer.business_unit_ids
    for number, terms in enumerate(rule_set.offset_terms):
        if terms.days.kind is not DayKind.ANY:
            field = f"rule_set.offset_terms[{number}].day_kind"
            yield field, terms.terms_id, terms.days, terms.business_unit_ids
