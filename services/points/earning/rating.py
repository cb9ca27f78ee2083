"""What a sale earns by one rule set, and by which rules. Pure.

A line counts when its category is not excluded. Its rate in basis points is

    rate_bps = 10000 (base) + Σ bonus_bps of the rules that match

CATEGORY matches lines of the category, STORE every line of the store, DAY and BIRTHDAY every line on such a business
date; of the THRESHOLD rules the one with the highest reached minimum matches, reached by the sum of the lines that
count. OFFER rules match as offers.py says. The tier multiplies. The points of a sale are one rounding
(down, unless the rule set says otherwise) of the exact sum:

    points = round( Σ amount_minor × base_points × rate_bps × tier_bps / (base_step_minor × 10^8) )

base_points and base_step_minor are the line's: its item category may have a base rate of its own (base_rates.py).

An offer with max_points gives at most those in place of its part of the sum, before the tier; one that is limited over
many sales gives whole points (its part rounded as the sale is), as many as it is granted. Fixed points are added after
rounding; the tier does not multiply them. Points of lines and of rules are shares of the total by largest remainder
(ties to the earlier one); fixed points are shared by the lines of their offer. Rounding up gives no rule a share beyond
its cap: the others have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from chassis.units import BPS
from services.points.earning.base_rates import BaseRate, LineRates, RatedLines
from services.points.earning.offers import NO_SETTING, Matched, SaleFacts, Setting, combine
from services.points.earning.rules import BASE_RATE_BPS, Rounding, Rule, RuleKind, RuleSet, Tier
from services.points.earning.shares import keep_within, largest_remainder


class Applied(NamedTuple):
    """What one rule gave. For TIER rate_bps is the multiplier."""

    rule_id: str
    kind: RuleKind
    name: str
    name_zh: str
    rate_bps: int
    points: int
    capped_points: int = 0
    throttled_points: int = 0


class Earning(NamedTuple):
    """Points of a sale and why. `line_points` and `line_rates_bps` are in the order of the lines."""

    points: int
    eligible_minor: int
    line_points: list[int]
    line_rates_bps: list[int]
    applied: list[Applied]
    skipped: Sequence[tuple[str, str]] = ()
    # What limited offers want to give: rule and points.
    wants: Sequence[tuple[Rule, int]] = ()
    # Where item categories have base rates of their own: which lines each rate is for, in the order of the rule set.
    rated: Sequence[RatedLines] = ()


NO_EARNING = Earning(0, 0, [], [], [])


class _Common(NamedTuple):
    """What all sales of a day and place have in common that reach the same threshold."""

    rule_ids: frozenset[str]  # of the rules that match every line
    rate_bps: int  # what they give in all
    # Those rules and the ones of categories, in the order of the rule set, and whether they match every line.
    rules: tuple[tuple[Rule, bool], ...]


def sale_facts(
    rule_set: RuleSet,
    *,
    amounts_minor: Sequence[int],
    categories: Sequence[str],
    store_id: UUID,
    business_date: date,
    tier: Tier,
    birth_month: int,
    is_birth_month: bool,
    setting: Setting = NO_SETTING,
) -> SaleFacts:
    """A sale as `rule_set` sees it: its lines' net amounts and item categories ("" when unknown), in minor units.

    `birth_month` is 0 when unknown; whether it `is_birth_month` is decided by the member's own calendar.
    """
    excluded = rule_set.excluded_categories
    counting = [amount for amount, category in zip(amounts_minor, categories, strict=True) if category not in excluded]
    return SaleFacts(
        amounts_minor,
        categories,
        sum(counting),
        bool(counting),
        store_id,
        business_date,
        tier.code,
        birth_month,
        is_birth_month,
        setting,
    )


def points_for_sale(
    rule_set: RuleSet,
    sale: SaleFacts,
    *,
    tier: Tier,
    matched: Matched | None = None,
    granted: Mapping[str, int] | None = None,
    is_throttled: bool = False,
) -> Earning:
    """What a sale earns by `rule_set`.

    `matched` are the offers that match it, as match_offers says; none count without. `granted` is what limited offers
    may give, by rule id; without it, or when a rule is not in it, they give all that they want. When `is_throttled`,
    offers that have a throttle give their factor of what they would. Exact: only the last step rounds.
    """
    excluded, by_category = rule_set.excluded_categories, rule_set.by_category
    amounts_minor, categories, eligible_minor = sale.amounts_minor, sale.categories, sale.eligible_minor

    threshold = None
    for rule in rule_set.thresholds:
        if eligible_minor >= rule.min_amount_minor:
            threshold = rule
            break
    common = _common_of(rule_set, sale.store_id, sale.business_date, sale.is_birth_month, threshold)
    if (rule_set.offers and matched is not None) or rule_set.item_rates:
        if matched is None:
            matched = Matched([[] for _ in amounts_minor], ())
        return _with_offers(rule_set, sale, matched, common.rule_ids, tier, granted or {}, is_throttled)

    common_bps = common.rate_bps
    rates_bps: list[int] = []
    weights: list[int] = []
    category_minor: dict[str, int] = {}  # amount that each CATEGORY rule applied to, by rule id
    for amount_minor, category in zip(amounts_minor, categories, strict=True):
        rate_bps = 0 if category in excluded else common_bps
        if rate_bps and category in by_category:
            for rule in by_category[category]:
                rate_bps += rule.bonus_bps
                category_minor[rule.rule_id] = category_minor.get(rule.rule_id, 0) + amount_minor
        rates_bps.append(rate_bps)
        weights.append(amount_minor * rate_bps)

    weight, multiplier_bps = sum(weights), tier.multiplier_bps
    points = _rounded(
        weight * rule_set.base_points * multiplier_bps, rule_set.base_step_minor * BPS * BPS, rule_set.rounding
    )

    # Weights of the rules in the same measure: they sum to weight × multiplier.
    named = [(rule_set.base, BASE_RATE_BPS)]
    rule_weights = [eligible_minor * BASE_RATE_BPS * BPS]
    for rule, is_common in common.rules:
        if is_common:
            if not sale.counts:
                continue
            matched_minor = eligible_minor
        elif rule.rule_id in category_minor:
            matched_minor = category_minor[rule.rule_id]
        else:
            continue
        named.append((rule, rule.bonus_bps))
        rule_weights.append(matched_minor * rule.bonus_bps * BPS)
    if multiplier_bps != BPS:
        rule_weights.append(weight * (multiplier_bps - BPS))
    shares = largest_remainder(points, rule_weights)
    applied = [
        Applied(rule.rule_id, rule.kind, rule.name, rule.name_zh, rate_bps, share)
        for (rule, rate_bps), share in zip(named, shares, strict=False)
    ]
    if multiplier_bps != BPS:
        applied.append(_tier_applied(tier, shares[-1]))
    return Earning(points, eligible_minor, largest_remainder(points, weights), rates_bps, applied)


def _rounded(numerator: int, denominator: int, rounding: Rounding) -> int:
    if rounding is Rounding.HALF_UP:
        return (2 * numerator + denominator) // (2 * denominator)
    return -(-numerator // denominator) if rounding is Rounding.CEILING else numerator // denominator


def _with_offers(
    rule_set: RuleSet,
    sale: SaleFacts,
    matched: Matched,
    common: frozenset[str],
    tier: Tier,
    granted: Mapping[str, int],
    is_throttled: bool,
) -> Earning:
    """points_for_sale in general: which bonuses and which base rate count is decided for each line.

    `common` match every line.
    """
    everywhere = [rule for rule in rule_set.rules if rule.rule_id in common]
    exhausted = {rule_id for rule_id, points in granted.items() if not points}
    lines_of: dict[str, list[int]] = {}  # the lines that a bonus counts for, by rule id
    rates_bps: list[int] = []
    # Lines of one category that the same offers match are alike: their rate, and the rules that it is made of.
    alike: dict[tuple[str, tuple[Rule, ...]], tuple[int, Sequence[Rule]]] = {}
    for index, category in enumerate(sale.categories):
        key = (category, tuple(matched.by_line[index]))
        found = alike.get(key)
        if found is None:
            found = alike[key] = (0, ())
            if category not in rule_set.excluded_categories:
                plain, offers = combine(
                    (*everywhere, *rule_set.by_category.get(category, ())),
                    key[1],
                    is_throttled=is_throttled,
                    exhausted=exhausted,
                )
                counting = (*plain, *offers)
                found = alike[key] = (BASE_RATE_BPS + sum(rule.bonus_bps for rule in counting), counting)
        rate_bps, rules = found
        rates_bps.append(rate_bps)
        for rule in rules:
            lines_of.setdefault(rule.rule_id, []).append(index)

    # Exact, in parts of 1 / (step_minor × BPS) points before the tier.
    base_rates = rule_set.line_rates(sale.categories)
    factors, unit = base_rates.factors, base_rates.step_minor * BPS
    weights = [
        amount * (BASE_RATE_BPS if rate else 0) * factor
        for amount, rate, factor in zip(sale.amounts_minor, rates_bps, factors, strict=True)
    ]
    rated = _rated(rule_set, sale, rates_bps, base_rates) if rule_set.item_rates else ()
    scale = 1  # what `weights` are multiplied by to be whole: fractions cost more than all the rest
    named: list[tuple[Rule, int, int, tuple[int, int]]] = [(rule_set.base, BASE_RATE_BPS, sum(weights), (0, 0))]
    most: dict[int, int] = {}  # whole points that a rule's share may not exceed, by its place in `named`
    fixed: list[Applied] = []
    wants: list[tuple[Rule, int]] = []
    fixed_by_line = [0] * len(weights)
    for rule in rule_set.rules:
        lines = lines_of.get(rule.rule_id)
        if not lines:
            continue
        offer = rule.offer
        amounts = [sale.amounts_minor[index] for index in lines]
        parts = [amount * rule.bonus_bps * factors[index] for index, amount in zip(lines, amounts, strict=True)]
        whole = offer.fixed_points * unit or sum(parts)
        open_part = offer.throttled(whole, unit) if is_throttled else whole
        part = min(open_part, offer.max_points * unit) if offer.max_points else open_part
        capped_points = (open_part - part) // unit
        if offer.is_limited:
            want = _rounded(part, unit, rule_set.rounding)
            wants.append((rule, want))
            part = min(want, granted.get(rule.rule_id, want)) * unit
            capped_points = _rounded(open_part, unit, rule_set.rounding) - part // unit
        lost = (capped_points, (whole - open_part) // unit)
        if offer.fixed_points:
            given = part // unit
            for index, share in zip(lines, largest_remainder(given, amounts), strict=True):
                fixed_by_line[index] += share
            fixed.append(Applied(rule.rule_id, rule.kind, rule.name, rule.name_zh, 0, given, *lost))
            continue
        share = scale  # of each line's own part, in the measure of `weights`
        if part != whole:
            weights, share, scale = [each * whole for each in weights], scale * part, scale * whole
        for index, own in zip(lines, parts, strict=True):
            weights[index] += own * share
        if offer.is_limited or offer.max_points:
            most[len(named)] = part // unit if offer.is_limited else offer.max_points
        named.append((rule, rule.bonus_bps, part, lost))

    weight = sum(part for _, _, part, _ in named)
    points = _rounded(weight * tier.multiplier_bps, unit * BPS, rule_set.rounding)
    rule_weights = [part * BPS for _, _, part, _ in named]
    if tier.multiplier_bps != BPS:
        rule_weights.append(weight * (tier.multiplier_bps - BPS))
    shares = largest_remainder(points, rule_weights)
    if any(shares[index] > limit for index, limit in most.items()):
        keep_within(shares, most, [Fraction(own, unit * BPS) for own in rule_weights])
    applied = [
        Applied(rule.rule_id, rule.kind, rule.name, rule.name_zh, rate_bps, share, *lost)
        for (rule, rate_bps, _, lost), share in zip(named, shares, strict=False)
    ]
    if tier.multiplier_bps != BPS:
        applied.append(_tier_applied(tier, shares[-1]))
    line_points = [a + b for a, b in zip(largest_remainder(points, weights), fixed_by_line, strict=True)]
    return Earning(
        points + sum(fixed_by_line),
        sale.eligible_minor,
        line_points,
        rates_bps,
        applied + fixed,
        matched.skipped,
        tuple(wants),
        rated,
    )


def _rated(rule_set: RuleSet, sale: SaleFacts, rates_bps: Sequence[int], base_rates: LineRates) -> Sequence[RatedLines]:
    """Which base rate the lines that count have; none when no item category of them has one of its own."""
    found: dict[BaseRate | None, tuple[list[int], int]] = {}
    for index, category in enumerate(sale.categories):
        if rates_bps[index]:
            rate = rule_set.item_rates.get(category, rule_set.applied_base_rate)
            lines, weight = found.get(rate, ([], 0))
            found[rate] = ([*lines, index], weight + sale.amounts_minor[index] * base_rates.factors[index])
    if not any(rate is not None and rate.item_categories for rate in found):
        return ()
    # In an order that has nothing to do with that of the lines, so that shares have not either.
    return tuple(RatedLines(rate, *found[rate]) for rate in (*rule_set.base_rates, None) if rate in found)


def _tier_applied(tier: Tier, points: int) -> Applied:
    return Applied(f"tier-{tier.code.lower()}", RuleKind.TIER, tier.code, tier.code, tier.multiplier_bps, points)


@lru_cache(maxsize=16_384)
def _common_of(
    rule_set: RuleSet, store_id: UUID, business_date: date, is_birth_month: bool, threshold: Rule | None
) -> _Common:
    found = [rule for rule in rule_set.rules if _matches(rule, store_id, business_date, is_birth_month)]
    if threshold is not None:
        found.append(threshold)
    rule_ids = frozenset(rule.rule_id for rule in found)
    return _Common(
        rule_ids,
        BASE_RATE_BPS + sum(rule.bonus_bps for rule in found),
        tuple(
            (rule, rule.rule_id in rule_ids)
            for rule in rule_set.rules
            if rule.rule_id in rule_ids or rule.kind is RuleKind.CATEGORY
        ),
    )


def _matches(rule: Rule, store_id: UUID, business_date: date, is_birth_month: bool) -> bool:
    """Whether a rule applies to every line of the sale, thresholds aside."""
    if rule.kind is RuleKind.STORE:
        return store_id in rule.store_ids
    if rule.kind is RuleKind.DAY:
        return business_date.day in rule.month_days or business_date.isoweekday() in rule.week_days
    return rule.kind is RuleKind.BIRTHDAY and is_birth_month
