"""Offers: bonuses with a scope, days, a condition and a way of combining. Pure.

Which offers count is decided line by line: of those that match a line, an EXCLUSIVE one (the highest priority first)
leaves no other bonus beside it; of BEST_OF offers with one group name the best counts; STACK ones add up. One whose
limits have nothing left keeps no other out. An offer of fixed points counts for the sale when it counts for at least
one of its lines.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from chassis import ids
from chassis.units import BPS
from services.points.earning.calendars import STATUTORY, STATUTORY_ONLY, Calendar, Calendars, DayKind
from services.points.earning.conditions import Condition, ConditionFailed
from services.points.earning.days import ALWAYS, Days
from services.points.earning.mistakes import Mistake, of_rule

if TYPE_CHECKING:
    from datetime import date

    from services.points.earning.rules import Rule


class FirstIn(StrEnum):
    """Where a purchase may be a member's first; as the facts that say so."""

    GROUP = "member.first_in_group"
    UNIT = "member.first_in_unit"
    STORE = "member.first_in_store"


class Combination(IntEnum):
    """As in huitong.points.v1.Combination."""

    STACK = 1
    BEST_OF = 2
    EXCLUSIVE = 3


class SharedBudget(NamedTuple):
    """What several offers may give together."""

    budget_id: str
    points: int


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """What an OFFER rule has beside the fields of every rule. Empty scopes allow all."""

    days: Days = ALWAYS
    fixed_points: int = 0
    merchant_ids: frozenset[UUID] = frozenset()
    business_unit_ids: frozenset[UUID] = frozenset()
    store_categories: frozenset[str] = frozenset()
    condition: Condition | None = None
    combination: Combination = Combination.STACK
    group: str = ""
    priority: int = 0
    max_points: int = 0
    max_points_per_member_day: int = 0
    max_points_per_member_month: int = 0
    budget_points: int = 0
    shared_budget: SharedBudget | None = None
    throttle_bps: int | None = None  # what it still gives while throttled; None: all
    currency_id: UUID | None = None  # points of a unit instead of the group's

    def throttled(self, whole: int, unit: int) -> int:
        """What it gives of `whole` while throttled, in parts of 1 / `unit` points; fixed points stay whole points."""
        if self.throttle_bps is None:
            return whole
        if self.fixed_points:
            return self.fixed_points * self.throttle_bps // BPS * unit
        return whole * self.throttle_bps // BPS

    @property
    def is_limited(self) -> bool:
        """Whether other sales have to do with what it may give for one."""
        limits = (self.max_points_per_member_day, self.max_points_per_member_month, self.budget_points)
        return any(limits) or self.shared_budget is not None


NO_OFFER = Offer()


class More(NamedTuple):
    """What only some conditions look at."""

    # Lines as they were sold, where that is not what earns.
    sold_amounts_minor: Sequence[int] | None = None
    sold_categories: Sequence[str] | None = None
    tenders: Sequence[str] = ()
    segments: Sequence[str] = ()
    first_in: Container[FirstIn] = ()
    days_open: int = 0


NO_MORE = More()


class Setting(NamedTuple):
    """What offers look at beside amounts and categories; `hour` is where the store is."""

    merchant_id: UUID
    business_unit_id: UUID
    hour: int
    source: str
    item_codes: Sequence[str]
    quantities: Sequence[int]
    more: More = NO_MORE
    store_category: str = ""
    calendar: Calendar = STATUTORY


# Stands in where no offer is looked at.
NO_SETTING = Setting(UUID(int=0), UUID(int=0), 0, "", (), ())


class SaleFacts(NamedTuple):
    """A sale as offers see it."""

    amounts_minor: Sequence[int]
    categories: Sequence[str]
    eligible_minor: int
    counts: bool  # whether any of its lines does
    store_id: UUID
    business_date: date
    tier_code: str
    birth_month: int
    is_birth_month: bool
    setting: Setting


class Matched(NamedTuple):
    """The offers that match, line by line, and those that could not be computed (rule id, problem)."""

    by_line: list[list[Rule]]
    skipped: tuple[tuple[str, str], ...]


def find_offer_problems(offers: Sequence[Rule], since: date, calendars: Calendars = STATUTORY_ONLY) -> list[Mistake]:
    """What keeps these offers from being published from `since` on, by rule."""
    problems = []
    unsound = {rule.rule_id for rule in offers if rule.offer.days.find_problem()}  # which is said of them already
    for rule in offers:
        offer = rule.offer
        if bool(offer.fixed_points) is bool(rule.bonus_bps):
            sentence = f"rule {rule.rule_id} gives either bonus_bps or fixed_points"
            problems.append(of_rule(rule.rule_id, sentence, "bonus_bps"))
        if (offer.combination is Combination.BEST_OF) is not bool(offer.group):
            sentence = f"rule {rule.rule_id} names a combination_group exactly when it is BEST_OF"
            problems.append(of_rule(rule.rule_id, sentence, "combination_group"))
        for other in offers:
            if other is rule:
                break
            if not unsound & {other.rule_id, rule.rule_id} and _overlap(rule, other, since, calendars):
                sentence = (
                    f"rules {other.rule_id} and {rule.rule_id} are both exclusive with the same priority "
                    "and can meet on one line"
                )
                problems.append(of_rule(rule.rule_id, sentence, "priority"))
            if offer.group and offer.group == other.offer.group and bool(rule.bonus_bps) is not bool(other.bonus_bps):
                sentence = (
                    f"rules {other.rule_id} and {rule.rule_id} of group {offer.group} cannot be compared: "
                    "one gives a rate, the other fixed points"
                )
                problems.append(of_rule(rule.rule_id, sentence, "combination_group"))
    return problems


def _overlap(rule: Rule, other: Rule, since: date, calendars: Calendars) -> bool:
    """Whether two exclusive offers of one priority can match the same line at the same time: which of them counts is
    then said by nobody. What conditions say is not looked into."""
    one, two = rule.offer, other.offer
    if {one.combination, two.combination} != {Combination.EXCLUSIVE} or one.priority != two.priority:
        return False
    scopes: tuple[tuple[frozenset[Any], frozenset[Any]], ...] = (
        (rule.store_ids, other.store_ids),
        (one.merchant_ids, two.merchant_ids),
        (one.business_unit_ids, two.business_unit_ids),
        (one.store_categories, two.store_categories),
        (rule.categories, other.categories),
    )
    if any(ours and theirs and ours.isdisjoint(theirs) for ours, theirs in scopes):
        return False
    if DayKind.ANY is one.days.kind is two.days.kind:
        return one.days.meets(two.days, since)
    units = one.business_unit_ids & two.business_unit_ids or one.business_unit_ids or two.business_unit_ids
    return any(one.days.meets(two.days, since, calendar) for calendar in calendars.within(units))


def match_offers(offers: Sequence[Rule], sale: SaleFacts, *, excluded: frozenset[str]) -> Matched:
    """Which offers match which lines, before they are combined."""
    by_line: list[list[Rule]] = [[] for _ in sale.amounts_minor]
    skipped: list[tuple[str, str]] = []
    for rule in offers:
        if not _is_in_scope(rule, rule.offer, sale):
            continue
        try:
            lines = _lines_of(rule, rule.offer.condition, sale, excluded)
        except ConditionFailed as failed:
            skipped.append((rule.rule_id, str(failed)))
            continue
        for index in lines:
            by_line[index].append(rule)
    return Matched(by_line, tuple(skipped))


def combine(
    plain: Sequence[Rule],
    offers: Sequence[Rule],
    *,
    is_throttled: bool = False,
    exhausted: Container[str] = (),
) -> tuple[Sequence[Rule], list[Rule]]:
    """Of the bonuses that match one line, those that count: plain ones and offers.

    Rivals are compared by their rates, throttled ones by what that leaves. One whose limits have nothing left
    (`exhausted`) keeps no other out.
    """
    exclusive = [
        rule for rule in offers if rule.offer.combination is Combination.EXCLUSIVE and rule.rule_id not in exhausted
    ]
    if exclusive:
        return (), [max(exclusive, key=lambda rule: rule.offer.priority)]
    best = _best_of_groups(offers, is_throttled=is_throttled, exhausted=exhausted)
    return plain, [rule for rule in offers if not rule.offer.group or best[rule.offer.group] is rule]


def first_to_take(offers: Sequence[Rule], *, is_throttled: bool) -> list[Rule]:
    """Of limited offers that count for a sale those that take from their limits before the others.

    How much the others want depends on them: where they turn out to have nothing left, others count for more lines.
    """
    exclusive = [rule for rule in offers if rule.offer.combination is Combination.EXCLUSIVE]
    if exclusive:
        highest = max(rule.offer.priority for rule in exclusive)
        return [rule for rule in exclusive if rule.offer.priority == highest]
    best = _best_of_groups(offers, is_throttled=is_throttled)
    return [rule for rule in offers if not rule.offer.group or best[rule.offer.group] is rule]


def _best_of_groups(
    offers: Iterable[Rule], *, is_throttled: bool, exhausted: Container[str] = ()
) -> Mapping[str, Rule]:
    def value(rule: Rule) -> tuple[bool, int, int]:
        factor_bps = rule.offer.throttle_bps if is_throttled else None
        rate = (rule.bonus_bps + rule.offer.fixed_points) * (BPS if factor_bps is None else factor_bps)
        return rule.rule_id not in exhausted, rate, rule.offer.priority

    best: dict[str, Rule] = {}
    for rule in offers:
        group = rule.offer.group
        if group and (group not in best or value(rule) > value(best[group])):  # the earlier one wins a tie
            best[group] = rule
    return best


def _is_in_scope(rule: Rule, offer: Offer, sale: SaleFacts) -> bool:
    return (
        sale.eligible_minor >= rule.min_amount_minor
        and (not rule.store_ids or sale.store_id in rule.store_ids)
        and (not offer.merchant_ids or sale.setting.merchant_id in offer.merchant_ids)
        and (not offer.business_unit_ids or sale.setting.business_unit_id in offer.business_unit_ids)
        and (not offer.store_categories or sale.setting.store_category in offer.store_categories)
        and offer.days.include(sale.business_date, sale.setting.calendar)
    )


def _lines_of(rule: Rule, condition: Condition | None, sale: SaleFacts, excluded: frozenset[str]) -> list[int]:
    facts = {name: SALE_FACTS[name](sale) for name in condition.sale_facts} if condition is not None else {}
    if condition is not None and not condition.uses_line and not condition.holds(facts):
        return []
    lines = [
        index
        for index, category in enumerate(sale.categories)
        if category not in excluded and (not rule.categories or category in rule.categories)
    ]
    if condition is None or not condition.uses_line:
        return lines
    of_line = [LINE_FACTS[name] for name in condition.line_facts]
    found: list[int] = []
    answers: dict[tuple[Any, ...], bool] = {}
    for index in lines:
        alike = tuple(fact(sale, index) for fact in of_line)
        if alike not in answers:
            answers[alike] = condition.holds({**facts, **dict(zip(condition.line_facts, alike, strict=True))})
        if answers[alike]:
            found.append(index)
    return found


def _sold_minor(sale: SaleFacts) -> Sequence[int]:
    return sale.setting.more.sold_amounts_minor or sale.amounts_minor


# The facts of a sale that conditions may name; docs/rules.md explains them. Each by itself: a condition names few.
SALE_FACTS: Mapping[str, Callable[[SaleFacts], Any]] = {
    "sale.amount_minor": lambda sale: sum(_sold_minor(sale)),
    "sale.eligible_minor": lambda sale: sale.eligible_minor,
    "sale.line_count": lambda sale: len(sale.amounts_minor),
    "sale.categories": lambda sale: list(sale.setting.more.sold_categories or sale.categories),
    "sale.hour": lambda sale: sale.setting.hour,
    "sale.source": lambda sale: sale.setting.source,
    "sale.tenders": lambda sale: list(sale.setting.more.tenders),
    "member.tier": lambda sale: sale.tier_code,
    "member.birth_month": lambda sale: sale.birth_month,
    "member.is_birth_month": lambda sale: sale.is_birth_month,
    "member.segments": lambda sale: list(sale.setting.more.segments),
    "member.first_in_group": lambda sale: FirstIn.GROUP in sale.setting.more.first_in,
    "member.first_in_unit": lambda sale: FirstIn.UNIT in sale.setting.more.first_in,
    "member.first_in_store": lambda sale: FirstIn.STORE in sale.setting.more.first_in,
    "store.id": lambda sale: ids.to_edge("sto", sale.store_id),
    "store.merchant_id": lambda sale: ids.to_edge("mch", sale.setting.merchant_id),
    "store.business_unit_id": lambda sale: ids.to_edge("unt", sale.setting.business_unit_id),
    "store.category": lambda sale: sale.setting.store_category,
    "store.days_open": lambda sale: sale.setting.more.days_open,
    "calendar.date": lambda sale: sale.business_date.isoformat(),
    "calendar.year": lambda sale: sale.business_date.year,
    "calendar.month": lambda sale: sale.business_date.month,
    "calendar.day": lambda sale: sale.business_date.day,
    "calendar.weekday": lambda sale: sale.business_date.isoweekday(),
    "calendar.is_day_off": lambda sale: sale.setting.calendar.is_day_off(sale.business_date),
    "calendar.is_holiday": lambda sale: sale.setting.calendar.is_holiday(sale.business_date),
    "calendar.day_names": lambda sale: list(sale.setting.calendar.names_of(sale.business_date)),
}
LINE_FACTS: Mapping[str, Callable[[SaleFacts, int], Any]] = {
    "line.category": lambda sale, index: sale.categories[index],
    "line.item_code": lambda sale, index: sale.setting.item_codes[index],
    "line.amount_minor": lambda sale, index: _sold_minor(sale)[index],
    "line.quantity": lambda sale, index: sale.setting.quantities[index],
}
