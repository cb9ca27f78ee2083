"""Offers that give points of a business unit beside the sale's own. Pure.

They share everything that says when an offer counts, and nothing of how offers combine, are limited and are paid for:
each gives by itself, the tier does not multiply it, and what it gives is rounded down.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from chassis.units import BPS
from services.points.earning.mistakes import Mistake, of_rule
from services.points.earning.offers import Combination, SaleFacts, match_offers
from services.points.earning.shares import largest_remainder

if TYPE_CHECKING:
    from services.points.earning.base_rates import LineRates
    from services.points.earning.rules import Rule


class Award(NamedTuple):
    """What one offer gives, and the lines (by their place in the sale) that it is for."""

    rule: Rule
    points: int
    line_points: Sequence[tuple[int, int]]
    capped_points: int = 0


def currencies_of(awards: Iterable[Award]) -> set[UUID]:
    """Which currencies they are of."""
    return {award.rule.offer.currency_id for award in awards if award.rule.offer.currency_id is not None}


def find_currency_offer_problems(offers: Sequence[Rule]) -> list[Mistake]:
    """What keeps these offers from being published, by rule."""
    problems = []
    for rule in offers:
        offer = rule.offer
        if bool(offer.fixed_points) is bool(rule.bonus_bps):
            sentence = f"rule {rule.rule_id} gives either bonus_bps or fixed_points"
            problems.append(of_rule(rule.rule_id, sentence, "bonus_bps"))
        if offer.combination is not Combination.STACK or offer.group or offer.priority:
            sentence = f"rule {rule.rule_id} gives another currency and can only STACK"
            problems.append(of_rule(rule.rule_id, sentence, "combination"))
        if offer.is_limited:
            sentence = f"rule {rule.rule_id} gives another currency: max_points is its only limit"
            problems.append(of_rule(rule.rule_id, sentence, "currency_id"))
        if offer.throttle_bps is not None or rule.funders:
            sentence = f"rule {rule.rule_id} gives another currency: it has no throttle and no funders"
            problems.append(of_rule(rule.rule_id, sentence, "currency_id"))
    return problems


def awards_of(
    offers: Sequence[Rule],
    sale: SaleFacts,
    *,
    excluded: frozenset[str],
    base_rates: LineRates,
) -> tuple[list[Award], Sequence[tuple[str, str]]]:
    """What these offers give for a sale, and those that could not be computed (rule id, problem)."""
    matched = match_offers(offers, sale, excluded=excluded)
    awards = []
    for rule in offers:
        lines = [index for index, rules in enumerate(matched.by_line) if rule in rules]
        amounts = [sale.amounts_minor[index] for index in lines]
        if not lines:
            continue
        parts = [amount * base_rates.factors[index] for index, amount in zip(lines, amounts, strict=True)]
        whole = rule.offer.fixed_points or sum(parts) * rule.bonus_bps // (base_rates.step_minor * BPS)
        points = min(whole, rule.offer.max_points) if rule.offer.max_points else whole
        if points:
            shares = largest_remainder(points, amounts if rule.offer.fixed_points else parts)
            awards.append(Award(rule, points, list(zip(lines, shares, strict=True)), whole - points))
    return awards, matched.skipped
