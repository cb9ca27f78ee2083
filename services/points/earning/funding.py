"""Who pays for the points of a sale: shares of what each rule gave, exact. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from chassis.units import BPS, largest_remainder
from huitong.points.v1 import points_pb2
from services.points.earning.mistakes import Mistake, of_rule

if TYPE_CHECKING:
    from services.points.earning.rating import Applied
    from services.points.earning.rules import RuleSet


class FunderKind(IntEnum):
    """As in huitong.points.v1.FunderKind."""

    MERCHANT = 1
    BUSINESS_UNIT = 2
    PLATFORM = 3
    NAMED_MERCHANT = 4


class FunderShare(NamedTuple):
    """Whoever pays for a part of what a rule gives; `merchant_id` of a named merchant only."""

    kind: FunderKind
    merchant_id: UUID | None
    share_bps: int


class Funder(NamedTuple):
    """Somebody who pays: a merchant, a business unit, or (no id) the platform."""

    kind: FunderKind
    id: UUID | None


class Funded(NamedTuple):
    """Points and who pays for them."""

    funder: Funder
    points: int


class Funding(NamedTuple):
    """Who pays for what each rule gave, in the order of the rules, and for the sale."""

    by_rule: list[list[Funded]]
    in_all: list[Funded]


def find_share_problems(rule_id: str, shares: Sequence[FunderShare]) -> list[Mistake]:
    """What keeps a rule's funders from being published."""
    problems = []
    if shares and sum(share.share_bps for share in shares) != BPS:
        problems.append(f"rule {rule_id}: the shares of its funders do not sum to {BPS} basis points")
    if len({(share.kind, share.merchant_id) for share in shares}) != len(shares):
        problems.append(f"rule {rule_id} names a funder twice")
    for share in shares:
        if (share.kind is FunderKind.NAMED_MERCHANT) is not (share.merchant_id is not None):
            problems.append(f"rule {rule_id}: a funder has a merchant_id exactly when it is a named merchant")
    return [of_rule(rule_id, problem, "funders") for problem in problems]


def fund(rule_set: RuleSet, applied: Sequence[Applied], *, merchant_id: UUID, business_unit_id: UUID) -> Funding:
    """Share what the rules gave for a sale in a merchant's store.

    A rule's points are shared by its basis points, largest remainder. What a tier added or took is shared by the points
    of the rates that it multiplied; fixed points are not among them.
    """
    issuer = Funder(FunderKind.MERCHANT, merchant_id)
    by_rule: list[list[Funded]] = []
    multiplied: dict[Funder, int] = {}
    for one in applied:
        if int(one.kind) == int(points_pb2.RULE_KIND_TIER):
            by_rule.append(_shared(one.points, multiplied or {issuer: 1}))
            continue
        weights: dict[Funder, int] = {}
        for share in rule_set.funders_of.get(one.rule_id, ()):
            funder = _funder(share, merchant_id, business_unit_id)
            weights[funder] = weights.get(funder, 0) + share.share_bps
        shared = _shared(one.points, weights or {issuer: BPS})
        by_rule.append(shared)
        if one.rate_bps:
            for funder, points in shared:
                multiplied[funder] = multiplied.get(funder, 0) + points
    totals: dict[Funder, int] = {}
    for shared in by_rule:
        for funder, points in shared:
            totals[funder] = totals.get(funder, 0) + points
    return Funding(by_rule, [Funded(funder, points) for funder, points in totals.items() if points])


def _funder(share: FunderShare, merchant_id: UUID, business_unit_id: UUID) -> Funder:
    if share.kind is FunderKind.PLATFORM:
        return Funder(share.kind, None)
    if share.kind is FunderKind.BUSINESS_UNIT:
        return Funder(share.kind, business_unit_id)
    if share.kind is FunderKind.NAMED_MERCHANT and share.merchant_id != merchant_id:
        return Funder(share.kind, share.merchant_id)
    return Funder(FunderKind.MERCHANT, merchant_id)  # also when it is named and sells itself


def _shared(points: int, weights: dict[Funder, int]) -> list[Funded]:
    # A tier may take away; nobody loses more than was theirs, since the weights are what it takes from.
    sign = -1 if points < 0 else 1
    shares = largest_remainder(abs(points), list(weights.values()))
    return [Funded(funder, sign * share) for funder, share in zip(weights, shares, strict=True)]
