"""Between messages and plain values."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids
from chassis.errors import InvalidArgument
from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2
from services.points.doors.rules import door_rules_of
from services.points.earning import rules
from services.points.earning.base_rates import BaseRate
from services.points.earning.calendars import DayKind, StatedDay
from services.points.earning.conditions import condition
from services.points.earning.days import Days
from services.points.earning.expiry import (
    NEVER,
    ExpiryKind,
    ExpiryPolicy,
    ExpiryRounding,
    find_expiry_problems,
    rolling,
)
from services.points.earning.funding import FunderKind, FunderShare
from services.points.earning.limits import UNLIMITED, Ceiling, SaleLimits, StoreBudget
from services.points.earning.mistakes import Mistake, of_rule, refusal
from services.points.earning.offers import NO_OFFER, Combination, Offer, SharedBudget
from services.points.earning.offset_terms import OffsetTerms
from services.points.governor.costs import CostGovernor

_Placed = points_pb2.EarningRule | points_pb2.OffsetTerms | points_pb2.BaseRate | points_pb2.CalendarDay
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAR_SECONDS = 2**32


def content_hash(content: bytes) -> bytes:
    """What is compared when a request comes again; kept for ever, so it is short."""
    return hashlib.blake2b(content, digest_size=16).digest()


def request_hash(request: Message) -> bytes:
    """The hash of a request without its request_id."""
    same = type(request)()
    same.CopyFrom(request)
    same.ClearField("request_id")
    return content_hash(same.SerializeToString(deterministic=True))


def to_timestamp(instant: datetime | None) -> Timestamp | None:
    """As protobuf has it."""
    if instant is None:
        return None
    # As Timestamp.FromDatetime, in a third of its time: every sale makes several.
    since = instant - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1_000)


def to_expiry(instant: datetime | None) -> Timestamp | None:
    """As to_timestamp; what never expires has no expire_time."""
    return None if instant == NEVER else to_timestamp(instant)


@lru_cache(maxsize=1024)
def to_date(day: date) -> types_pb2.BusinessDate:
    """As our protos have it. Shared: not to be changed."""
    return types_pb2.BusinessDate(year=day.year, month=day.month, day=day.day)


def from_date(day: types_pb2.BusinessDate) -> date:
    """The date. Raises ValueError when there is no such day."""
    return date(day.year, day.month, day.day)


def instant_of(stamp: Timestamp) -> datetime:
    """UTC, aware."""
    seconds, nanos = stamp.seconds, stamp.nanos
    if 0 <= seconds < _FAR_SECONDS and 0 <= nanos < 1_000_000_000:
        return _EPOCH + timedelta(0, seconds, nanos // 1_000)  # the same, in a third of its time
    return stamp.ToDatetime(tzinfo=UTC)


def rule_set_of(message: points_pb2.RuleSet) -> rules.RuleSet:
    """The rules as values. Raises RulesInvalid with all that is wrong, also what only a look at the whole shows."""
    problems: list[Mistake] = []
    rule_set = _parsed(message, problems)
    if rule_set.expiry is not None:
        used = {descriptor.name for descriptor, _ in message.expiry.ListFields()} - {"kind"}
        if found := find_expiry_problems(rule_set.expiry, used, rule_set.effective_date):
            problems += found
            rule_set = replace(rule_set, expiry=rolling(12))  # so that the rest can be checked
    problems += rules.find_problems(rule_set)
    if problems:
        raise refusal(message, problems)
    return rule_set


def published_rule_set_of(message: points_pb2.RuleSet) -> rules.RuleSet:
    """A version as it was published. Not checked anew: sales go on when checks are added or calendars change."""
    return _parsed(message, [])


def _parsed(message: points_pb2.RuleSet, problems: list[Mistake]) -> rules.RuleSet:
    effective_date = date.max
    try:
        effective_date = from_date(message.effective_date)
    except ValueError:
        problems.append(Mistake("the effective date does not exist", "effective_date"))
    offset = None
    if message.HasField("offset"):
        offset = rules.Offset(message.offset.offset_points, message.offset.offset_minor, message.offset.max_share_bps)
    budgets = _campaign_budgets_of(message, problems)
    return rules.RuleSet(
        version=message.version,
        effective_date=effective_date,
        base_points=message.base_points,
        base_step_minor=message.base_step_minor,
        rules=tuple(_rule_of(rule, budgets, problems) for rule in message.rules),
        expiry_months=message.expiry_months,
        excluded_categories=frozenset(message.excluded_categories),
        offset=offset,
        rounding=rules.Rounding(message.rounding or rules.Rounding.FLOOR),
        effective_time=instant_of(message.effective_time) if message.HasField("effective_time") else None,
        pending_days=message.pending_days,
        transfer_limit_points=message.transfer_limit_points,
        expiry=_expiry_of(message.expiry) if message.HasField("expiry") else None,
        debt_policy=rules.DebtPolicy(message.debt_policy or rules.DebtPolicy.UNLIMITED),
        debt_limit_points=message.debt_limit_points,
        reminder_days=tuple(sorted(message.reminder_days)),
        hoarding_months=message.hoarding_months,
        sale_limits=_sale_limits_of(message, problems),
        excluded_items=frozenset(message.excluded_item_codes),
        excluded_tenders=frozenset(message.excluded_tenders),
        excludes_tax=message.excludes_tax,
        governor=_governor_of(message.cost_governor) if message.HasField("cost_governor") else None,
        doors=door_rules_of(message, problems),
        base_rates=tuple(_base_rate_of(rate, problems) for rate in message.base_rates),
        family_pool_members=message.family_pool_members,
        offset_terms=tuple(_terms_of(terms, problems) for terms in message.offset_terms),
        calendar_days=tuple(_stated_days_of(message, problems)),
    )


def _stated_days_of(message: points_pb2.RuleSet, problems: list[Mistake]) -> Iterator[StatedDay]:
    for number, stated in enumerate(message.calendar_days):
        try:
            day = from_date(stated.date)
        except ValueError:
            problems.append(Mistake("calendar: a day does not exist", f"calendar_days[{number}].date"))
            continue
        units = _ids_of("unt", stated, "business_unit_ids", problems)
        yield StatedDay(day, DayKind(stated.kind), stated.name, units)


def _expiry_of(message: points_pb2.ExpiryPolicy) -> ExpiryPolicy:
    fixed_date = None
    if message.HasField("fixed_date"):
        with contextlib.suppress(ValueError):  # without a date it is refused below
            fixed_date = from_date(message.fixed_date)
    return ExpiryPolicy(
        kind=ExpiryKind(message.kind),
        months=message.months,
        rounding=ExpiryRounding(message.rounding),
        years=message.years,
        fixed_date=fixed_date,
        grace_days=message.grace_days,
    )


# What only offers have.
_OFFER_FIELDS = {
    "fixed_points",
    "merchant_ids",
    "business_unit_ids",
    "store_categories",
    "condition",
    "start_date",
    "end_date",
    "recurrence",
    "day_kind",
    "combination",
    "combination_group",
    "priority",
    "max_points",
    "max_points_per_member_day",
    "max_points_per_member_month",
    "budget_points",
    "budget_id",
    "throttle",
    "currency_id",
}


def _sale_limits_of(message: points_pb2.RuleSet, problems: list[Mistake]) -> SaleLimits | None:
    stores: dict[UUID, StoreBudget] = {}
    for budget in message.store_budgets:
        try:
            store_id = ids.from_edge("sto", budget.store_id, "store_id")
        except InvalidArgument:
            sentence = f"store budgets: {budget.store_id!r} is not an id that starts with sto_"
            problems.append(_of_budget(budget, sentence))
            continue
        if store_id in stores:
            problems.append(_of_budget(budget, f"store budgets: {budget.store_id} has two"))
        if not (budget.points_per_month or budget.points_in_all):
            problems.append(_of_budget(budget, f"store budgets: {budget.store_id} has no limit"))
        stores[store_id] = StoreBudget(budget.points_per_month, budget.points_in_all)
    ceiling = Ceiling(message.issuance_ceiling.points_per_day, message.issuance_ceiling.points_per_month)
    if message.HasField("issuance_ceiling") and ceiling == UNLIMITED:
        problems.append(Mistake("the issuance ceiling has no limit", "issuance_ceiling"))
    of_member = Ceiling(message.member_ceiling.points_per_day, message.member_ceiling.points_per_month)
    if message.HasField("member_ceiling") and of_member == UNLIMITED:
        problems.append(Mistake("the member ceiling has no limit", "member_ceiling"))
    if not stores and ceiling == of_member == UNLIMITED:
        return None
    return SaleLimits(stores, ceiling, of_member)


def _campaign_budgets_of(message: points_pb2.RuleSet, problems: list[Mistake]) -> dict[str, SharedBudget]:
    named = {rule.budget_id for rule in message.rules}
    budgets: dict[str, SharedBudget] = {}
    for budget in message.campaign_budgets:
        budget_id, sentence = budget.budget_id, ""
        if budget_id in budgets:
            sentence = f"campaign budgets: two are named {budget_id}"
        elif budget_id not in named:
            sentence = f"campaign budgets: no offer names {budget_id}"
        if sentence:
            problems.append(Mistake(sentence, "budget_id", part="campaign_budgets", part_id=budget_id))
        budgets[budget_id] = SharedBudget(budget_id, budget.points)
    return budgets


def _of_budget(budget: points_pb2.StoreBudget, sentence: str) -> Mistake:
    return Mistake(sentence, part="store_budgets", part_id=budget.store_id)


def _governor_of(message: points_pb2.CostGovernor) -> CostGovernor:
    return CostGovernor(
        message.window_days,
        message.warn_bps or 300,
        message.throttle_bps or 500,
        message.hysteresis_bps or 50,
        message.min_sales_minor,
    )


def _rule_of(
    message: points_pb2.EarningRule, budgets: Mapping[str, SharedBudget], problems: list[Mistake]
) -> rules.Rule:
    kind = rules.RuleKind(message.kind)
    if kind is not rules.RuleKind.OFFER:
        used = {descriptor.name for descriptor, _ in message.ListFields()} & _OFFER_FIELDS
        if used:
            sentence = f"rule {message.rule_id} is no OFFER and cannot have {', '.join(sorted(used))}"
            problems.append(of_rule(message.rule_id, sentence, min(used)))
    return rules.Rule(
        rule_id=message.rule_id,
        kind=kind,
        bonus_bps=0 if message.kind == points_pb2.RULE_KIND_BASE else message.bonus_bps,
        name=message.name,
        name_zh=message.name_zh,
        min_amount_minor=message.min_amount_minor,
        categories=frozenset(message.categories),
        store_ids=_ids_of("sto", message, "store_ids", problems),
        month_days=frozenset(message.month_days),
        week_days=frozenset(message.week_days),
        offer=_offer_of(message, budgets, problems) if kind is rules.RuleKind.OFFER else NO_OFFER,
        funders=tuple(_funder_of(message.rule_id, share, problems) for share in message.funders),
    )


def _funder_of(rule_id: str, share: points_pb2.FunderShare, problems: list[Mistake]) -> FunderShare:
    merchant_id = None
    if share.merchant_id:
        try:
            merchant_id = ids.from_edge("mch", share.merchant_id, "merchant_id")
        except InvalidArgument:
            sentence = f"rule {rule_id}: {share.merchant_id!r} of funders is not an id that starts with mch_"
            problems.append(of_rule(rule_id, sentence, "funders"))
    return FunderShare(FunderKind(share.kind), merchant_id, share.share_bps)


def _ids_of(prefix: str, message: _Placed, field: str, problems: list[Mistake]) -> frozenset[UUID]:
    found = set()
    for text in getattr(message, field):
        try:
            found.add(ids.from_edge(prefix, text, field))
        except InvalidArgument:
            problems.append(_of_part(message, f"{text!r} of {field} is not an id that starts with {prefix}_", field))
    return frozenset(found)


def _of_part(message: _Placed, problem: str, field: str) -> Mistake:
    match message:
        case points_pb2.OffsetTerms():
            part, part_id, name = "offset_terms", message.terms_id, f"offset terms {message.terms_id}"
        case points_pb2.BaseRate():
            part, part_id, name = "base_rates", message.rate_id, f"base rate {message.rate_id}"
        case points_pb2.CalendarDay():
            part, part_id, name = "calendar_days", str(from_date(message.date)), f"calendar, {from_date(message.date)}"
        case _:
            part, part_id, name = "rules", message.rule_id, f"rule {message.rule_id}"
    return Mistake(f"{name}: {problem}", field, part=part, part_id=part_id)


def _dates_of(
    message: points_pb2.EarningRule | points_pb2.OffsetTerms, problems: list[Mistake]
) -> tuple[date | None, date | None]:
    dates: list[date | None] = []
    for stamp, field in ((message.start_date, "start_date"), (message.end_date, "end_date")):
        try:
            dates.append(from_date(stamp) if message.HasField(field) else None)
        except ValueError:
            problems.append(_of_part(message, f"its {field} does not exist", field))
            dates.append(None)
    return dates[0], dates[1]


def _base_rate_of(message: points_pb2.BaseRate, problems: list[Mistake]) -> BaseRate:
    return BaseRate(
        rate_id=message.rate_id,
        points=message.base_points,
        step_minor=message.base_step_minor,
        name=message.name,
        name_zh=message.name_zh,
        business_unit_ids=_ids_of("unt", message, "business_unit_ids", problems),
        store_categories=frozenset(message.store_categories),
        merchant_ids=_ids_of("mch", message, "merchant_ids", problems),
        store_ids=_ids_of("sto", message, "store_ids", problems),
        item_categories=frozenset(message.item_categories),
    )


def _terms_of(message: points_pb2.OffsetTerms, problems: list[Mistake]) -> OffsetTerms:
    start, end = _dates_of(message, problems)
    return OffsetTerms(
        terms_id=message.terms_id,
        points=message.offset.offset_points,
        minor=message.offset.offset_minor,
        max_share_bps=message.offset.max_share_bps,
        step_points=message.step_points,
        min_points=message.min_points,
        name=message.name,
        name_zh=message.name_zh,
        business_unit_ids=_ids_of("unt", message, "business_unit_ids", problems),
        merchant_ids=_ids_of("mch", message, "merchant_ids", problems),
        tier_codes=frozenset(message.tier_codes),
        days=Days(start=start, end=end, recurrence=message.recurrence, kind=DayKind(message.day_kind)),
        excluded_categories=frozenset(message.excluded_categories),
        excluded_item_codes=frozenset(message.excluded_item_codes),
    )


def _offer_of(message: points_pb2.EarningRule, budgets: Mapping[str, SharedBudget], problems: list[Mistake]) -> Offer:
    dates = _dates_of(message, problems)
    days = Days(
        start=dates[0],
        end=dates[1],
        recurrence=message.recurrence,
        kind=DayKind(message.day_kind),
        month_days=frozenset(message.month_days),
        week_days=frozenset(message.week_days),
    )
    currency_id = None
    if message.currency_id:
        try:
            currency_id = ids.from_edge("cur", message.currency_id, "currency_id")
        except InvalidArgument:
            sentence = f"rule {message.rule_id}: {message.currency_id!r} is not an id that starts with cur_"
            problems.append(of_rule(message.rule_id, sentence, "currency_id"))
    if message.budget_id and message.budget_id not in budgets:
        sentence = f"rule {message.rule_id}: there is no campaign budget {message.budget_id!r}"
        problems.append(of_rule(message.rule_id, sentence, "budget_id"))
    return Offer(
        days=days,
        fixed_points=message.fixed_points,
        merchant_ids=_ids_of("mch", message, "merchant_ids", problems),
        business_unit_ids=_ids_of("unt", message, "business_unit_ids", problems),
        store_categories=frozenset(message.store_categories),
        condition=condition(message.condition) if message.condition else None,
        combination=Combination(message.combination or Combination.STACK),
        group=message.combination_group,
        priority=message.priority,
        max_points=message.max_points,
        max_points_per_member_day=message.max_points_per_member_day,
        max_points_per_member_month=message.max_points_per_member_month,
        budget_points=message.budget_points,
        shared_budget=budgets.get(message.budget_id),
        throttle_bps=message.throttle.factor_bps if message.HasField("throttle") else None,
        currency_id=currency_id,
    )


def optional_edge(prefix: str, value: UUID | None) -> str:
    """The id at the edge, "" when there is none."""
    return ids.to_edge(prefix, value) if value is not None else ""
