"""The published rules, pure: what a sale earns and why, when points unlock and expire, what they pay.

What a sale earns by them: services/points/earning/rating.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.units import BPS
from services.points.doors.rules import DoorRules
from services.points.earning.base_rates import BaseRate, LineRates, Place, find_rate_problems, line_rates, rates_at
from services.points.earning.calendars import Calendars, StatedDay, calendars_of, find_calendar_problems
from services.points.earning.currency_offers import find_currency_offer_problems
from services.points.earning.expiry import ExpiryPolicy, expire_time, expiry_of, most_pending_days, rolling
from services.points.earning.funding import FunderShare, find_share_problems
from services.points.earning.limits import SaleLimits
from services.points.earning.mistakes import Mistake, of_rule
from services.points.earning.offers import NO_OFFER, FirstIn, Offer, find_offer_problems
from services.points.earning.offset_terms import OffsetTerms, find_terms_problems
from services.points.governor.costs import CostGovernor

BASE_RATE_BPS = BPS
# Stands in for the category of a line that does not count because of its item; longer than any that a sale may have.
NOT_COUNTING = "-" * 65


class RuleKind(IntEnum):
    """As in huitong.points.v1.RuleKind."""

    BASE = 1
    THRESHOLD = 2
    CATEGORY = 3
    STORE = 4
    DAY = 5
    BIRTHDAY = 6
    TIER = 7
    OFFER = 8


class Rounding(IntEnum):
    """As in huitong.points.v1.Rounding."""

    FLOOR = 1
    HALF_UP = 2
    CEILING = 3


class DebtPolicy(IntEnum):
    """As in huitong.points.v1.DebtPolicy."""

    UNLIMITED = 1
    LIMITED = 2
    WITHIN_BALANCE = 3
    WRITTEN_OFF = 4


@dataclass(frozen=True, slots=True, eq=False)  # by identity, as the rule set
class Rule:
    """A bonus on top of the base rate; BASE has none."""

    rule_id: str
    kind: RuleKind
    bonus_bps: int = 0
    name: str = ""
    name_zh: str = ""
    min_amount_minor: int = 0
    categories: frozenset[str] = frozenset()
    store_ids: frozenset[UUID] = frozenset()
    month_days: frozenset[int] = frozenset()
    week_days: frozenset[int] = frozenset()
    offer: Offer = NO_OFFER
    funders: tuple[FunderShare, ...] = ()


@dataclass(frozen=True, slots=True)
class Offset:
    """`points` points are worth `minor`, at most `max_share_bps` of an order."""

    points: int
    minor: int
    max_share_bps: int


# A place by all that base rates may name of it, and the rates that count there.
_PlaceKey = tuple[UUID, UUID, UUID, str]
_RatesKey = tuple[str | None, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, eq=False)  # by identity: looked up for every sale
class RuleSet:
    """One version of a group's rules, in force from `effective_time`, or else from the start of `effective_date`."""

    version: int
    effective_date: date
    base_points: int
    base_step_minor: int
    rules: tuple[Rule, ...]
    expiry_months: int
    excluded_categories: frozenset[str] = frozenset()
    offset: Offset | None = None
    rounding: Rounding = Rounding.FLOOR
    effective_time: datetime | None = None
    pending_days: int = 0
    transfer_limit_points: int = 0
    expiry: ExpiryPolicy | None = None  # instead of expiry_months
    debt_policy: DebtPolicy = DebtPolicy.UNLIMITED
    debt_limit_points: int = 0
    reminder_days: tuple[int, ...] = ()  # ascending
    hoarding_months: int = 0
    sale_limits: SaleLimits | None = None
    excluded_items: frozenset[str] = frozenset()
    excluded_tenders: frozenset[str] = frozenset()
    excludes_tax: bool = False
    governor: CostGovernor | None = None
    doors: DoorRules | None = None
    base_rates: tuple[BaseRate, ...] = ()  # instead of base_points and base_step_minor, where they apply
    # Of a place (`at`): where base_points and base_step_minor are from, and the rates of item categories.
    applied_base_rate: BaseRate | None = None
    item_rates: Mapping[str, BaseRate] = field(default_factory=dict)
    family_pool_members: int = 0
    offset_terms: tuple[OffsetTerms, ...] = ()
    calendar_days: tuple[StatedDay, ...] = ()
    # Derived: made once, looked up for every line.
    excludes_more: bool = field(init=False)  # than categories
    has_conditions: bool = field(init=False)
    uses_segments: bool = field(init=False)
    funders_of: Mapping[str, tuple[FunderShare, ...]] = field(init=False)  # by rule id, of rules that say so
    uses_first: tuple[FirstIn, ...] = field(init=False)
    base: Rule = field(init=False)
    calendars: Calendars = field(init=False)
    _by_place: dict[_PlaceKey, RuleSet] = field(init=False, default_factory=dict, repr=False)
    _by_rates: dict[_RatesKey, RuleSet] = field(init=False, default_factory=dict, repr=False)
    by_category: Mapping[str, tuple[Rule, ...]] = field(init=False)
    thresholds: tuple[Rule, ...] = field(init=False)
    offers: tuple[Rule, ...] = field(init=False)
    currency_offers: tuple[Rule, ...] = field(init=False)

    def __post_init__(self) -> None:
        base = next((rule for rule in self.rules if rule.kind is RuleKind.BASE), None)
        if base is None:
            base = Rule("base", RuleKind.BASE, name="Base rate", name_zh="基础积分")
        by_category: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules:
            if rule.kind is RuleKind.CATEGORY:
                for category in rule.categories:
                    by_category[category] = (*by_category.get(category, ()), rule)
        thresholds = sorted(
            (rule for rule in self.rules if rule.kind is RuleKind.THRESHOLD), key=lambda rule: -rule.min_amount_minor
        )
        conditions = [rule.offer.condition for rule in self.rules if rule.offer.condition]
        uses_first = tuple(scope for scope in FirstIn if any(each.uses(scope) for each in conditions))
        object.__setattr__(self, "has_conditions", bool(conditions))
        object.__setattr__(self, "uses_first", uses_first)
        object.__setattr__(self, "uses_segments", any(each.uses("member.segments") for each in conditions))
        funders_of = {rule.rule_id: rule.funders for rule in self.rules if rule.funders}
        object.__setattr__(self, "funders_of", funders_of)
        excludes_more = bool(self.excluded_items or self.excluded_tenders or self.excludes_tax)
        object.__setattr__(self, "excludes_more", excludes_more)
        if self.excluded_items:
            object.__setattr__(self, "excluded_categories", self.excluded_categories | {NOT_COUNTING})
        object.__setattr__(self, "base", base)
        object.__setattr__(self, "calendars", calendars_of(self.calendar_days))
        object.__setattr__(self, "by_category", by_category)
        object.__setattr__(self, "thresholds", tuple(thresholds))
        offers = [rule for rule in self.rules if rule.kind is RuleKind.OFFER]
        object.__setattr__(self, "offers", tuple(rule for rule in offers if rule.offer.currency_id is None))
        object.__setattr__(self, "currency_offers", tuple(rule for rule in offers if rule.offer.currency_id))

    @property
    def asks_of_member(self) -> bool:
        """Whether conditions want to know what only a question tells."""
        return self.uses_segments or bool(self.uses_first)

    def at(self, place: Place) -> RuleSet:
        """The same rules with the base rates of a place; the same object each time, for it is what caches look at."""
        if not self.base_rates:
            return self
        key = (place.store_id, place.merchant_id, place.business_unit_id, place.category)
        known = self._by_place.get(key)
        if known is None:
            known = self._by_place[key] = self._at(place)
        return known

    def _at(self, place: Place) -> RuleSet:
        rate, item_rates = rates_at(self.base_rates, place)
        if rate is None and not item_rates:
            return self
        key = (
            rate.rate_id if rate is not None else None,
            tuple(sorted((category, each.rate_id) for category, each in item_rates.items())),
        )
        known = self._by_rates.get(key)
        if known is None:
            known = replace(
                self,
                base_points=self.base_points if rate is None else rate.points,
                base_step_minor=self.base_step_minor if rate is None else rate.step_minor,
                applied_base_rate=rate,
                item_rates=item_rates,
            )
            self._by_rates[key] = known
        return known

    def line_rates(self, categories: Sequence[str]) -> LineRates:
        """What lines of these item categories earn before bonuses; of a rule set of a place."""
        return line_rates(self.base_points, self.base_step_minor, self.item_rates, categories)

    def starts_at(self, time_zone: str) -> datetime:
        """The instant from which it is in force where a store is, as UTC."""
        return self.effective_time or start_of(self.effective_date, time_zone)

    def expire_time(self, day: date, time_zone: str) -> datetime:
        """When points of a sale on that business date expire, as UTC; expiry.NEVER when they do not."""
        if self.expiry is None:
            return expiry_of(day.year, day.month, self.expiry_months, time_zone)
        return expire_time(self.expiry, day, time_zone)


def in_force(rule_sets: Sequence[RuleSet], instant: datetime, time_zone: str) -> RuleSet | None:
    """Of rule sets the one in force at `instant` where a store is: the last to start, of several the newest version."""
    started = [each for each in rule_sets if each.starts_at(time_zone) <= instant]
    return max(started, key=lambda each: (each.starts_at(time_zone), each.version), default=None)


def find_problems(rule_set: RuleSet) -> list[Mistake]:
    """All that keeps a rule set from being published."""
    problems: list[Mistake] = []
    if sum(rule.kind is RuleKind.BASE for rule in rule_set.rules) != 1:
        problems.append(Mistake("exactly one rule must be the base rate", "rules"))
    if len({rule.rule_id for rule in rule_set.rules}) != len(rule_set.rules):
        problems.append(Mistake("rule ids must differ", "rules"))
    for rule in rule_set.rules:
        problems += find_share_problems(rule.rule_id, rule.funders)
        if rule.kind is RuleKind.CATEGORY and not rule.categories:
            problems.append(of_rule(rule.rule_id, f"rule {rule.rule_id} names no category", "categories"))
        if rule.kind is RuleKind.STORE and not rule.store_ids:
            problems.append(of_rule(rule.rule_id, f"rule {rule.rule_id} names no store", "store_ids"))
        if rule.kind is RuleKind.DAY:
            if not rule.month_days and not rule.week_days:
                problems.append(of_rule(rule.rule_id, f"rule {rule.rule_id} names no day", "month_days"))
            if not rule.month_days <= set(range(1, 32)) or not rule.week_days <= set(range(1, 8)):
                problems.append(
                    of_rule(rule.rule_id, f"rule {rule.rule_id} names a day that does not exist", "month_days")
                )
    minimums = [rule.min_amount_minor for rule in rule_set.thresholds]
    if len(set(minimums)) != len(minimums):
        problems.append(Mistake("two thresholds have the same minimum", "rules"))
    if (rule_set.expiry is None) == (rule_set.expiry_months == 0):
        problems.append(Mistake("say when points expire either by expiry_months or by expiry", "expiry_months"))
    elif rule_set.pending_days > (most_days := most_pending_days(rule_set.expiry or rolling(rule_set.expiry_months))):
        sentence = f"points would expire before they unlock: at most {most_days} pending days go with this expiry"
        problems.append(Mistake(sentence, "pending_days"))
    if (rule_set.debt_policy is DebtPolicy.LIMITED) != (rule_set.debt_limit_points > 0):
        sentence = "debt_limit_points goes with the debt policy LIMITED and with no other"
        problems.append(Mistake(sentence, "debt_limit_points"))
    if rule_set.governor is not None:
        if rule_set.offset is None:
            problems.append(Mistake("a cost governor needs an offset: without one points cost nothing", "offset"))
        if rule_set.governor.throttle_bps < rule_set.governor.warn_bps:
            sentence = "the cost governor would throttle before it warns"
            problems.append(Mistake(sentence, "cost_governor.throttle_bps"))
    for rule in (*rule_set.offers, *rule_set.currency_offers):
        if problem := rule.offer.days.find_problem():
            problems.append(of_rule(rule.rule_id, f"rule {rule.rule_id}: {problem}", rule.offer.days.field_of(problem)))
        if rule.offer.condition is not None and (wrong := rule.offer.condition.find_problem()):
            sentence = f"rule {rule.rule_id}, condition: {wrong}"
            problems.append(of_rule(rule.rule_id, sentence, "condition", wrong.column))
    problems += find_currency_offer_problems(rule_set.currency_offers)
    problems += find_offer_problems(rule_set.offers, rule_set.effective_date, rule_set.calendars)
    problems += find_calendar_problems(rule_set.calendar_days)
    return problems + find_terms_problems(rule_set.offset_terms) + find_rate_problems(rule_set.base_rates)


def find_over(rule_set: RuleSet, since: date) -> list[Mistake]:
    """Recurrences of offers and offset terms that have no day left from `since` on, though their dates go on."""
    named = [
        ("rules", rule.rule_id, f"rule {rule.rule_id}", rule.offer.days)
        for rule in rule_set.rules
        if rule.kind is RuleKind.OFFER
    ]
    named += [
        ("offset_terms", terms.terms_id, f"offset terms {terms.terms_id}", terms.days)
        for terms in rule_set.offset_terms
    ]
    return [
        Mistake(f"{name}: {problem}", "recurrence", part=part, part_id=part_id)
        for part, part_id, name, days in named
        if (problem := days.find_over(since))
    ]


class Tier(NamedTuple):
    """A member's tier as far as earning goes."""

    code: str
    multiplier_bps: int


NO_TIER = Tier("", BPS)


@lru_cache(maxsize=4096)
def start_of(day: date, time_zone: str) -> datetime:
    """The instant at which a business date begins, as UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone(time_zone)).astimezone(UTC)


def unlock_of(business_date: date, pending_days: int, time_zone: str) -> datetime:
    """When points of a sale on that date unlock: the local start of the day `pending_days` later, as UTC."""
    day = business_date + timedelta(days=pending_days)
    return datetime(day.year, day.month, day.day, tzinfo=zone(time_zone)).astimezone(UTC)


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The IANA zone. Raises ZoneInfoNotFoundError."""
    return ZoneInfo(name)


def business_date_of(instant: datetime, time_zone: str) -> date:
    """The calendar date of an instant where the store is."""
    return instant.astimezone(zone(time_zone)).date()


def tier_on(history: Sequence[tuple[date, Tier]], business_date: date) -> Tier:
    """The tier held at the start of a business date. `history` is by effective date, oldest first."""
    held = history[0][1] if history else NO_TIER
    for effective_date, tier in history:
        if effective_date > business_date:
            break
        held = tier
    return held
