"""Rule sets of a test, and what a sale earns by one: offers matched, points computed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from chassis import ids
from services.points.earning import rules
from services.points.earning.offers import Offer, Setting, match_offers
from services.points.earning.rating import Earning, points_for_sale, sale_facts
from services.points.earning.rules import Rule, RuleKind, RuleSet, Tier

SHOP, MALL, STORE = (ids.derive("offers", name) for name in ("shop", "mall", "store"))
DAY = date(2026, 3, 4)
BASE = Rule("base", RuleKind.BASE)
PLAIN = (
    BASE,
    Rule("from-100", RuleKind.THRESHOLD, 2_500, min_amount_minor=10_000),
    Rule("fresh", RuleKind.CATEGORY, 5_000, categories=frozenset({"TEA"})),
    Rule("store", RuleKind.STORE, 2_000, store_ids=frozenset({STORE})),
    Rule("day", RuleKind.DAY, 3_333, month_days=frozenset({4})),
    Rule("birthday", RuleKind.BIRTHDAY, 10_000),
)
GOLD = Tier("GOLD", 12_500)


def offer(rule_id: str, bonus_bps: int = 0, **values: Any) -> Rule:
    own = {name: values.pop(name) for name in ("categories", "store_ids") if name in values}
    return Rule(rule_id, RuleKind.OFFER, bonus_bps, offer=Offer(**values), **own)


def rule_set(*more: Rule, plain: tuple[Rule, ...] = (BASE,), **changes: object) -> RuleSet:
    values: dict[str, object] = {
        "version": 1,
        "effective_date": date(2015, 1, 1),
        "base_points": 1,
        "base_step_minor": 100,
        "rules": (*plain, *more),
        "expiry_months": 12,
        "excluded_categories": frozenset({"FUEL"}),
    }
    return RuleSet(**{**values, **changes})  # type: ignore[arg-type]


def earn(
    of: RuleSet,
    *lines: tuple[int, str],
    tier: Tier = rules.NO_TIER,
    birth_month: int = 0,
    granted: Mapping[str, int] | None = None,
) -> Earning:
    return earned(
        of,
        amounts_minor=[amount for amount, _ in lines],
        categories=[category for _, category in lines],
        store_id=STORE,
        business_date=DAY,
        tier=tier,
        birth_month=birth_month,
        is_birth_month=birth_month == DAY.month,
        setting=Setting(SHOP, MALL, 12, "pos", ["" for _ in lines], [1 for _ in lines], store_category="restaurant"),
        granted=granted,
    )


def given_by(earning: Earning) -> dict[str, int]:
    return {applied.rule_id: applied.points for applied in earning.applied}


def earned(
    of: RuleSet, *, tier: Tier, granted: Mapping[str, int] | None = None, is_throttled: bool = False, **facts: Any
) -> Earning:
    """`facts` are those of sale_facts."""
    sale = sale_facts(of, tier=tier, **facts)
    matched = match_offers(of.offers, sale, excluded=of.excluded_categories)
    return points_for_sale(of, sale, tier=tier, matched=matched, granted=granted, is_throttled=is_throttled)
