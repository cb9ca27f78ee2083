"""What a rule set says about the doors that sales come through. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from chassis import ids
from chassis.errors import InvalidArgument
from huitong.points.v1 import doors_pb2, points_pb2
from services.points.earning.mistakes import Mistake

PAIR_MINUTES = 10
DECISION_DAYS = 30
_MAXIMA = ("max_sales", "max_points", "max_same_amount", "max_successive_receipts", "max_times_average")


@dataclass(frozen=True, slots=True)
class DoorRules:
    """A rule set's rules for doors; 0 days, seconds and no limits mean that it has none of the kind."""

    confirm_days: int = 0
    confirm_sources: frozenset[str] = frozenset()
    confirm_stores: frozenset[UUID] = frozenset()
    pair_seconds: int = 0
    pair_days: int = 0
    limits: str | None = None  # VelocityLimit as a JSON list
    risk_days: int = 0
    latest_arrival_days: int = 0
    interaction_limits: Mapping[str, int] = field(default_factory=dict)  # reason code → points

    def waits_for_event(self, source: str, store_id: UUID) -> bool:
        """Whether points of such a sale wait for a confirming event."""
        return (
            self.confirm_days > 0
            and (not self.confirm_sources or source in self.confirm_sources)
            and (not self.confirm_stores or store_id in self.confirm_stores)
        )

    def watches(self, source: str, store_id: UUID) -> bool:
        """Whether anything has to be found out about such a sale before its points are given."""
        return self.pair_seconds > 0 or self.limits is not None or self.waits_for_event(source, store_id)


def door_rules_of(message: points_pb2.RuleSet, problems: list[Mistake]) -> DoorRules | None:
    """Those of a rule set, None when it has none; adds what is wrong to `problems`."""
    has_any = message.latest_arrival_days or message.interaction_limits
    if not (has_any or any(map(message.HasField, ("confirmation", "matching", "velocity")))):
        return None
    stores = set()
    for text in message.confirmation.store_ids:
        try:
            stores.add(ids.from_edge("sto", text, "store_ids"))
        except InvalidArgument:
            sentence = f"confirmation: {text!r} is not an id that starts with sto_"
            problems.append(Mistake(sentence, "confirmation.store_ids"))
    limits = message.velocity.limits
    if len({limit.limit_id for limit in limits}) != len(limits):
        problems.append(Mistake("velocity: limit ids must differ", "velocity.limits"))
    for limit in limits:
        if not any(getattr(limit, name) for name in _MAXIMA):
            problems.append(_of_limit(limit, f"velocity limit {limit.limit_id} has no maximum"))
        if limit.max_successive_receipts and limit.scope != doors_pb2.LIMIT_SCOPE_MEMBER:
            sentence = f"velocity limit {limit.limit_id}: successive receipts are a MEMBER's"
            problems.append(_of_limit(limit, sentence, "max_successive_receipts"))
        if limit.max_times_average and limit.scope != doors_pb2.LIMIT_SCOPE_STORE:
            sentence = f"velocity limit {limit.limit_id}: the average is a STORE's"
            problems.append(_of_limit(limit, sentence, "max_times_average"))
    interactions = {limit.reason_code: limit.max_points_per_member_day for limit in message.interaction_limits}
    if len(interactions) != len(message.interaction_limits):
        problems.append(Mistake("interaction limits: reason codes must differ", "interaction_limits"))
    return DoorRules(
        confirm_days=message.confirmation.longest_wait_days,
        confirm_sources=frozenset(message.confirmation.sources),
        confirm_stores=frozenset(stores),
        pair_seconds=60 * (message.matching.window_minutes or PAIR_MINUTES) if message.HasField("matching") else 0,
        pair_days=message.matching.longest_wait_days or DECISION_DAYS,
        limits=json.dumps([_row(limit) for limit in limits]) if limits else None,
        risk_days=message.velocity.longest_wait_days or DECISION_DAYS,
        latest_arrival_days=message.latest_arrival_days,
        interaction_limits=interactions,
    )


def _of_limit(limit: doors_pb2.VelocityLimit, sentence: str, field: str = "") -> Mistake:
    return Mistake(sentence, field, part="velocity.limits", part_id=limit.limit_id)


def _row(limit: doors_pb2.VelocityLimit) -> dict[str, object]:
    return {
        "limit_id": limit.limit_id,
        "scope": int(limit.scope),
        "window_seconds": limit.window_seconds,
        **{name: getattr(limit, name) for name in _MAXIMA},
    }
