"""Why a sale earned its points: the Explanation that is kept with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache

from chassis import ids
from huitong.points.v1 import points_pb2
from services.points.convert import to_date, to_timestamp
from services.points.earning import rules
from services.points.earning.base_rates import BaseRate
from services.points.earning.funding import Funded, Funder, FunderKind, Funding
from services.points.earning.limits import AppliedLimit
from services.points.earning.rating import Applied, Earning
from services.points.earning.shares import largest_remainder
from services.points.governor.costs import Throttle


def explanation_of(
    earning: Earning,
    *,
    rule_set_version: int,
    business_date: date,
    tier: rules.Tier,
    line_nos: list[int],
    unlock_time: datetime | None = None,
    nominal_expire_time: datetime | None = None,
    no_points_reason: points_pb2.NoPointsReason = points_pb2.NO_POINTS_REASON_UNSPECIFIED,
    limits: Sequence[AppliedLimit] = (),
    excluded_tax_minor: int = 0,
    excluded_tender_minor: int = 0,
    funding: Funding | None = None,
    throttle: Throttle | None = None,
    base_rate: BaseRate | None = None,
) -> bytes:
    """Why a sale earned its points: an Explanation, serialised.

    Messages put one after the other are one message, and in the order of their fields it is the very bytes that the
    whole would give. So the parts, most of which many sales share, are made once.
    """
    parts = [_explained_head(rule_set_version, business_date, tier)]
    if funding is None:
        parts += [_explained_rule(*applied) for applied in earning.applied]
    else:
        parts += map(_explained_funded, earning.applied, funding.by_rule)
    parts += map(_explained_line, line_nos, earning.line_points, earning.line_rates_bps)
    parts.append(points_pb2.Explanation(eligible_minor=earning.eligible_minor).SerializeToString())
    if earning.skipped:
        skipped = [points_pb2.SkippedRule(rule_id=rule_id, problem=problem) for rule_id, problem in earning.skipped]
        parts.append(points_pb2.Explanation(skipped=skipped).SerializeToString())
    if unlock_time is not None:
        parts.append(points_pb2.Explanation(unlock_time=to_timestamp(unlock_time)).SerializeToString())
    if nominal_expire_time is not None:
        parts.append(points_pb2.Explanation(nominal_expire_time=to_timestamp(nominal_expire_time)).SerializeToString())
    if no_points_reason:
        parts.append(points_pb2.Explanation(no_points_reason=no_points_reason).SerializeToString())
    if limits or excluded_tax_minor or excluded_tender_minor:
        parts.append(
            points_pb2.Explanation(
                limits=map(_limit_to_proto, limits),
                excluded_tax_minor=excluded_tax_minor,
                excluded_tender_minor=excluded_tender_minor,
            ).SerializeToString()
        )
    if funding is not None:
        parts.append(points_pb2.Explanation(funders=map(funded_to_proto, funding.in_all)).SerializeToString())
    if throttle is not None and any(applied.throttled_points for applied in earning.applied):
        bitten = points_pb2.AppliedThrottle(
            effective_time=to_timestamp(throttle.effective_time),
            cost_bps=throttle.cost_bps,
            threshold_bps=throttle.threshold_bps,
        )
        parts.append(points_pb2.Explanation(throttle=bitten).SerializeToString())
    if base_rate is not None:
        parts.append(points_pb2.Explanation(base_rate=_rate_to_proto(base_rate)).SerializeToString())
    if earning.rated:
        parts.append(points_pb2.Explanation(rated_lines=_rated_lines(earning, line_nos)).SerializeToString())
    return b"".join(parts)


def _rated_lines(earning: Earning, line_nos: Sequence[int]) -> list[points_pb2.RatedLines]:
    base_points = sum(applied.points for applied in earning.applied if applied.kind is rules.RuleKind.BASE)
    shares = largest_remainder(base_points, [rated.weight for rated in earning.rated])
    return [
        points_pb2.RatedLines(
            rate=_rate_to_proto(rated.rate) if rated.rate is not None else None,
            line_nos=[line_nos[index] for index in rated.lines],
            points=points,
        )
        for rated, points in zip(earning.rated, shares, strict=True)
    ]


def _rate_to_proto(rate: BaseRate) -> points_pb2.AppliedBaseRate:
    return points_pb2.AppliedBaseRate(
        rate_id=rate.rate_id,
        name=rate.name,
        name_zh=rate.name_zh,
        base_points=rate.points,
        base_step_minor=rate.step_minor,
    )


_FUNDER_PREFIX = {FunderKind.MERCHANT: "mch", FunderKind.NAMED_MERCHANT: "mch", FunderKind.BUSINESS_UNIT: "unt"}


def funded_to_proto(funded: Funded) -> points_pb2.FundedPoints:
    """Points and who pays for them, at the edge."""
    kind, funder_id = funded.funder
    return points_pb2.FundedPoints(
        kind=int(kind),  # type: ignore[arg-type]
        funder_id=ids.to_edge(_FUNDER_PREFIX[kind], funder_id) if funder_id is not None else "",
        points=funded.points,
    )


def funded_from_proto(message: points_pb2.FundedPoints) -> Funded:
    """As `funded_to_proto` has written it."""
    kind = FunderKind(message.kind)
    funder_id = (
        None if kind is FunderKind.PLATFORM else ids.from_edge(_FUNDER_PREFIX[kind], message.funder_id, "funder_id")
    )
    return Funded(Funder(kind, funder_id), message.points)


def _explained_funded(applied: Applied, funded: Sequence[Funded]) -> bytes:
    explained = points_pb2.Explanation.FromString(_explained_rule(*applied))
    explained.rules[0].funders.extend(map(funded_to_proto, funded))
    return explained.SerializeToString()


def _limit_to_proto(limit: AppliedLimit) -> points_pb2.AppliedLimit:
    return points_pb2.AppliedLimit(
        limit=int(limit.limit),  # type: ignore[arg-type]
        limit_points=limit.points,
        left_points=limit.left_points,
    )


@lru_cache(maxsize=4096)
def _explained_head(rule_set_version: int, business_date: date, tier: rules.Tier) -> bytes:
    return points_pb2.Explanation(
        rule_set_version=rule_set_version,
        business_date=to_date(business_date),
        tier_code=tier.code,
        tier_multiplier_bps=tier.multiplier_bps,
    ).SerializeToString()


@lru_cache(maxsize=32_768)
def _explained_rule(
    rule_id: str,
    kind: rules.RuleKind,
    name: str,
    name_zh: str,
    rate_bps: int,
    points: int,
    capped_points: int,
    throttled_points: int,
) -> bytes:
    rule = points_pb2.AppliedRule(
        rule_id=rule_id,
        kind=int(kind),  # type: ignore[arg-type]
        name=name,
        name_zh=name_zh,
        rate_bps=rate_bps,
        points=points,
        capped_points=capped_points,
        throttled_points=throttled_points,
    )
    return points_pb2.Explanation(rules=[rule]).SerializeToString()


@lru_cache(maxsize=32_768)
def _explained_line(line_no: int, points: int, rate_bps: int) -> bytes:
    line = points_pb2.LinePoints(line_no=line_no, points=points, rate_bps=rate_bps)
    return points_pb2.Explanation(lines=[line]).SerializeToString()
