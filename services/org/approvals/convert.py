"""From an approval to its proto."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.ids import to_edge
from huitong.org.v1 import approvals_pb2
from services.org.approvals.rules import Approval


def approval_edge(approval_id: UUID) -> str:
    """`apr_…`"""
    return to_edge("apr", approval_id)


def approval_message(one: Approval, now: datetime) -> approvals_pb2.Approval:
    """The approval at the edge, with its state at `now`."""
    message = approvals_pb2.Approval(
        approval_id=approval_edge(one.approval_id),
        action=one.action,
        permission=one.permission,
        scope_id=one.scope_id,
        amount=one.amount,
        summary=one.summary,
        content_hash=one.content_hash.hex(),
        asked_by=one.asked_by,
        state=f"APPROVAL_STATE_{one.state_at(now)}",
        decided_by=one.decided_by,
        reason=one.reason,
    )
    message.ask_time.FromDatetime(one.ask_time)
    message.expire_time.FromDatetime(one.expire_time)
    if one.decide_time:
        message.decide_time.FromDatetime(one.decide_time)
    return message
