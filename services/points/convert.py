"""Between messages and plain values."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids
from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2
from services.points import rules
from services.points.errors import RulesInvalid

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
    """The rules as values. Raises RulesInvalid (a date that does not exist), InvalidArgument (a broken id)."""
    try:
        effective_date = from_date(message.effective_date)
    except ValueError:
        raise RulesInvalid(problem="the effective date does not exist") from None
    offset = None
    if message.HasField("offset"):
        offset = rules.Offset(message.offset.offset_points, message.offset.offset_minor, message.offset.max_share_bps)
    return rules.RuleSet(
        version=message.version,
        effective_date=effective_date,
        base_points=message.base_points,
        base_step_minor=message.base_step_minor,
        rules=tuple(_rule_of(rule) for rule in message.rules),
        expiry_months=message.expiry_months,
        excluded_categories=frozenset(message.excluded_categories),
        offset=offset,
        pending_days=message.pending_days,
        transfer_limit_points=message.transfer_limit_points,
    )


def _rule_of(message: points_pb2.EarningRule) -> rules.Rule:
    return rules.Rule(
        rule_id=message.rule_id,
        kind=rules.RuleKind(message.kind),
        bonus_bps=0 if message.kind == points_pb2.RULE_KIND_BASE else message.bonus_bps,
        name=message.name,
        name_zh=message.name_zh,
        min_amount_minor=message.min_amount_minor,
        categories=frozenset(message.categories),
        store_ids=frozenset(ids.from_edge("sto", text, "rule_set.rules.store_ids") for text in message.store_ids),
        month_days=frozenset(message.month_days),
        week_days=frozenset(message.week_days),
    )


def explanation_of(
    earning: rules.Earning,
    *,
    rule_set_version: int,
    business_date: date,
    tier: rules.Tier,
    line_nos: list[int],
    unlock_time: datetime | None = None,
) -> bytes:
    """Why a sale earned its points: an Explanation, serialised.

    Messages put one after the other are one message, and in the order of their fields it is the very bytes that the
    whole would give. So the parts, most of which many sales share, are made once.
    """
    parts = [_explained_head(rule_set_version, business_date, tier)]
    parts += [_explained_rule(*applied) for applied in earning.applied]
    parts += map(_explained_line, line_nos, earning.line_points, earning.line_rates_bps)
    parts.append(points_pb2.Explanation(eligible_minor=earning.eligible_minor).SerializeToString())
    if unlock_time is not None:
        parts.append(points_pb2.Explanation(unlock_time=to_timestamp(unlock_time)).SerializeToString())
    return b"".join(parts)


@lru_cache(maxsize=4096)
def _explained_head(rule_set_version: int, business_date: date, tier: rules.Tier) -> bytes:
    return points_pb2.Explanation(
        rule_set_version=rule_set_version,
        business_date=to_date(business_date),
        tier_code=tier.code,
        tier_multiplier_bps=tier.multiplier_bps,
    ).SerializeToString()


@lru_cache(maxsize=32_768)
def _explained_rule(rule_id: str, kind: rules.RuleKind, name: str, name_zh: str, rate_bps: int, points: int) -> bytes:
    rule = points_pb2.AppliedRule(
        rule_id=rule_id,
        kind=int(kind),  # type: ignore[arg-type]
        name=name,
        name_zh=name_zh,
        rate_bps=rate_bps,
        points=points,
    )
    return points_pb2.Explanation(rules=[rule]).SerializeToString()


@lru_cache(maxsize=32_768)
def _explained_line(line_no: int, points: int, rate_bps: int) -> bytes:
    line = points_pb2.LinePoints(line_no=line_no, points=points, rate_bps=rate_bps)
    return points_pb2.Explanation(lines=[line]).SerializeToString()


def optional_edge(prefix: str, value: UUID | None) -> str:
    """The id at the edge, "" when there is none."""
    return ids.to_edge(prefix, value) if value is not None else ""
