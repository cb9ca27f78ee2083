"""Pure: an approval's states, and how much each role may approve."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message

from services.org.approvals import errors

PENDING, APPROVED, REJECTED, USED, EXPIRED = "PENDING", "APPROVED", "REJECTED", "USED", "EXPIRED"
VALID_HOURS = 72
# What is approved of these is still to be used by who asked; of others' actions an approval is an order, and done.
PERMITS = "huitong.org."
# Hard limits by permission and role, in the action's own unit. A permission that is not here has none; a role that is
# not named may approve nothing of it.
LIMITS: dict[str, dict[str, int]] = {
    "points.adjustments.decide": {"FINANCE": 50_000, "GROUP_ADMIN": 1_000_000},  # points
}
# As many small ones come to much, what one person may approve of it in all within so many hours, in the same way.
SPAN_HOURS = 24
LIMITS_OF_SPAN: dict[str, dict[str, int]] = {
    "points.adjustments.decide": {"FINANCE": 200_000, "GROUP_ADMIN": 3_000_000},
}


@dataclass(frozen=True, slots=True)
class Approval:
    """What somebody asked for, and what became of it. `content` is the exact request, serialised."""

    approval_id: UUID
    group_id: UUID
    action: str
    permission: str
    scope_id: str
    amount: int
    content: bytes
    content_hash: bytes
    summary: str
    asked_by: str
    ask_time: datetime
    expire_time: datetime
    state: str
    decided_by: str
    decide_time: datetime | None
    reason: str

    def state_at(self, now: datetime) -> str:
        """The state, with what has expired by `now` taken as such."""
        is_open = self.state == PENDING or (self.state == APPROVED and self.action.startswith(PERMITS))
        return EXPIRED if is_open and self.expire_time <= now else self.state


def content_of(request: Message, *, without: Iterable[str] = ("request_id", "approval_id")) -> bytes:
    """`request` as it is approved: always the same bytes, without what differs between two sendings."""
    copy = type(request)()
    copy.CopyFrom(request)
    for name in without:
        copy.ClearField(name)
    return copy.SerializeToString(deterministic=True)


def hash_of(content: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(content).digest()


def check_decidable(one: Approval, now: datetime) -> None:
    """Raises ApprovalDecided, ApprovalExpired."""
    state = one.state_at(now)
    if state == EXPIRED:
        raise errors.ApprovalExpired
    if state != PENDING:
        raise errors.ApprovalDecided(state=state)


def check_usable(one: Approval, content: bytes, now: datetime) -> None:
    """Raises ApprovalPending, ApprovalDecided, ApprovalExpired, ApprovalForOtherContent."""
    state = one.state_at(now)
    if state == PENDING:
        raise errors.ApprovalPending
    if state == EXPIRED:
        raise errors.ApprovalExpired
    if state != APPROVED:
        raise errors.ApprovalDecided(state=state)
    if one.content_hash != hash_of(content):
        raise errors.ApprovalForOtherContent


def is_limited(one: Approval) -> bool:
    """Whether there are limits to what it is about."""
    return one.permission in LIMITS


def check_limits(one: Approval, roles: Collection[str], approved_before: int) -> None:
    """Whether somebody who has the action's permission by these roles may approve so much.

    `approved_before` is what they have approved of it in the span. Raises ApprovalLimitExceeded, ApprovalSpanExceeded.
    """
    if not is_limited(one):
        return
    limit, in_all = (
        max((limits[one.permission].get(role, 0) for role in roles), default=0) for limits in (LIMITS, LIMITS_OF_SPAN)
    )
    if one.amount > limit:
        raise errors.ApprovalLimitExceeded(amount=one.amount, limit=limit)
    if one.amount > in_all - approved_before:
        raise errors.ApprovalSpanExceeded(
            amount=one.amount, hours=SPAN_HOURS, limit=in_all, left=max(in_all - approved_before, 0)
        )
