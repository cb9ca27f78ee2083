"""What a sale earns by a rule set, from the facts of the sale: offers matched, points computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.points.earning.offers import match_offers
from services.points.earning.rating import Earning, points_for_sale, sale_facts
from services.points.earning.rules import RuleSet, Tier


def earned(
    of: RuleSet, *, tier: Tier, granted: Mapping[str, int] | None = None, is_throttled: bool = False, **facts: Any
) -> Earning:
    """`facts` are those of sale_facts."""
    sale = sale_facts(of, tier=tier, **facts)
    matched = match_offers(of.offers, sale, excluded=of.excluded_categories)
    return points_for_sale(of, sale, tier=tier, matched=matched, granted=granted, is_throttled=is_throttled)
