"""Between the ladder's plain values and its protos."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from chassis.errors import InvalidArgument
from chassis.times import is_time_zone
from huitong.common.v1 import types_pb2
from huitong.member.v1 import member_pb2, tier_policy_pb2, tiers_pb2
from services.member.rules import is_plain
from services.member.tiers.growth import DEFAULT_POLICY, Policy, Task, Window
from services.member.tiers.operations import tier_message
from services.member.tiers.rules import Ladder, Tier


def read_tiers(messages: Iterable[member_pb2.Tier]) -> list[Tier]:
    """Raises InvalidArgument."""
    tiers = [
        Tier(
            tier.code,
            tier.name,
            tier.name_zh,
            tier.min_growth,
            tier.earn_multiplier_bps,
            tier.free_parking_minutes,
        )
        for tier in messages
    ]
    if not all(is_plain(tier.name) and is_plain(tier.name_zh) for tier in tiers):
        raise InvalidArgument([("tiers", "a name has control characters")])
    return tiers


def read_policy(message: tier_policy_pb2.TierPolicy) -> Policy:
    """Raises InvalidArgument."""
    zone = message.time_zone or DEFAULT_POLICY.time_zone
    if not is_time_zone(zone):
        raise InvalidArgument([("policy.time_zone", "is not an IANA time zone")])
    tasks = {task.task_code: Task(task.growth, task.tag) for task in message.tasks}
    if len(tasks) != len(message.tasks):
        raise InvalidArgument([("policy.tasks", "a task comes twice")])
    return Policy(
        window=Window(message.window),
        months=message.months,
        grace_days=message.grace_days,
        spend_growth_bps=message.spend_growth_bps,
        visit_growth=message.visit_growth,
        currency_code=message.currency_code or "CNY",
        time_zone=zone,
        tasks=tasks,
    )


def policy_message(policy: Policy) -> tier_policy_pb2.TierPolicy:
    """The policy at the edge, with nothing left out."""
    return tier_policy_pb2.TierPolicy(
        window=int(policy.window),  # type: ignore[arg-type]
        months=policy.months,
        grace_days=policy.grace_days,
        spend_growth_bps=policy.spend_growth_bps,
        visit_growth=policy.visit_growth,
        tasks=[
            tier_policy_pb2.TaskGrowth(task_code=code, growth=task.growth, tag=task.tag)
            for code, task in sorted(policy.tasks.items())
        ],
        currency_code=policy.currency_code,
        time_zone=policy.time_zone,
    )


def ladder_fields(ladder: Ladder) -> dict[str, Any]:
    """What every message about a ladder has."""
    fields: dict[str, Any] = {
        "tiers": map(tier_message, ladder.tiers),
        "version": ladder.version,
        "policy": policy_message(ladder.policy),
    }
    if ladder.effective_time is not None:
        fields["effective_time"] = ladder.effective_time
    return fields


def ladder_message(ladder: Ladder, *, version_in_force: int) -> tiers_pb2.TierLadder:
    """A version at the edge."""
    return tiers_pb2.TierLadder(
        is_cancelled=ladder.is_cancelled, is_in_force=ladder.version == version_in_force, **ladder_fields(ladder)
    )


def read_date(day: types_pb2.BusinessDate, field: str) -> date:
    """Raises InvalidArgument when it is not in the calendar."""
    try:
        return date(day.year, day.month, day.day)
    except ValueError:
        raise InvalidArgument([(field, "is not a day of the calendar")]) from None
