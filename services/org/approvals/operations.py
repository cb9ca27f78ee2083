"""Use cases of approvals. Each runs inside the transaction that it is given."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from chassis import ids
from chassis.db import Tx
from chassis.errors import NotYours, PermissionDenied
from chassis.ids import from_edge
from huitong.org.v1 import events_pb2
from services.org.approvals import convert, errors, rules, store
from services.org.approvals.rules import Approval
from services.org.operators import operations as operator_operations
from services.org.operators import store as operator_store
from services.org.operators.rules import roles_that_may


async def ask(
    tx: Tx,
    *,
    action: str,
    permission: str,
    content: bytes,
    summary: str,
    asked_by: str,
    request_id: str,
    scope_id: str = "",
    amount: int = 0,
    valid_hours: int = 0,
) -> Approval:
    """Ask for a second person. A retry of the request finds the same approval."""
    one = Approval(
        approval_id=ids.derive(tx.group_id, "approval", action, request_id),
        group_id=tx.group_id,
        action=action,
        permission=permission,
        scope_id=scope_id,
        amount=amount,
        content=content,
        content_hash=rules.hash_of(content),
        summary=summary,
        asked_by=asked_by,
        ask_time=tx.now,
        expire_time=tx.now + timedelta(hours=valid_hours or rules.VALID_HOURS),
        state=rules.PENDING,
        decided_by="",
        decide_time=None,
        reason="",
    )
    await store.add(tx, one)
    return one


async def get(tx: Tx, approval_id: UUID, *, lock: bool = False) -> Approval:
    """One approval. Raises ApprovalUnknown."""
    one = await store.find(tx, approval_id, lock=lock)
    if one is None:
        raise errors.ApprovalUnknown(approval_id=convert.approval_edge(approval_id))
    return one


async def approve(tx: Tx, one: Approval, *, reason: str) -> Approval:
    """The caller, an operator, agrees to a locked approval.

    What counts is what the operator may do now, not when the session was last looked up. Raises ApprovalDecided,
    ApprovalExpired, SecondPersonNeeded, PermissionDenied, ApprovalLimitExceeded, ApprovalSpanExceeded.
    """
    rules.check_decidable(one, tx.now)
    # Whoever invited a person could have enrolled in their place. So two who may both be one and the same person are no
    # two persons.
    asker, approver = [{who, *await operator_store.find_inviters(tx, who)} for who in (one.asked_by, tx.caller.subject)]
    if any(who.startswith("opr_") for who in asker & approver):
        raise errors.SecondPersonNeeded
    roles, before = await _roles(tx, one), 0
    if rules.is_limited(one):
        # What they approve at once is counted one after the other.
        await operator_store.lock_operator(tx, from_edge("opr", tx.caller.subject, "operator_id"))
        since = tx.now - timedelta(hours=rules.SPAN_HOURS)
        before = await store.sum_approved(tx, permission=one.permission, decided_by=tx.caller.subject, since=since)
    rules.check_limits(one, roles, before)
    return await _decide(tx, one, rules.APPROVED, reason)


async def reject(tx: Tx, one: Approval, *, reason: str) -> Approval:
    """The caller, an operator, refuses a locked approval. Who asked may, too; others need the action's permission.

    Raises ApprovalDecided, ApprovalExpired, PermissionDenied.
    """
    rules.check_decidable(one, tx.now)
    if one.asked_by != tx.caller.subject:
        await _roles(tx, one)
    return await _decide(tx, one, rules.REJECTED, reason)


async def withdraw(tx: Tx, one: Approval, *, reason: str) -> Approval:
    """What a locked approval is for was given up by the caller. Raises ApprovalDecided, ApprovalExpired."""
    rules.check_decidable(one, tx.now)
    return await _decide(tx, one, rules.REJECTED, reason)


async def _roles(tx: Tx, one: Approval) -> list[str]:
    operator_id = from_edge("opr", tx.caller.subject, "operator_id")
    operator, grants = await operator_operations.get(tx, operator_id)
    roles = [] if operator.is_disabled else roles_that_may(grants, one.permission, one.scope_id)
    if not roles:
        raise PermissionDenied(method=one.action)
    return roles


async def _decide(tx: Tx, one: Approval, state: str, reason: str) -> Approval:
    changes = {"state": state, "decided_by": tx.caller.subject, "decide_time": tx.now, "reason": reason}
    await store.change(tx, one.approval_id, **changes)
    decided = replace(one, **changes)  # type: ignore[arg-type]
    message = convert.approval_message(decided, tx.now)
    tx.emit(events_pb2.ApprovalDecided(approval=message, content=one.content), key=message.approval_id)
    return decided


async def check_own(tx: Tx, approval_id: UUID) -> None:
    """Whether the caller is who asked: nobody else gets what was asked for. Raises ApprovalUnknown, NotYours."""
    if (await get(tx, approval_id)).asked_by != tx.caller.subject:
        raise NotYours(field="approval_id")


async def use(tx: Tx, approval_id: UUID, *, action: str, content: bytes) -> Approval:
    """Use up an approval for just this; what it allows is done in this transaction.

    Raises ApprovalUnknown, ApprovalPending, ApprovalDecided, ApprovalExpired, ApprovalForOtherContent.
    """
    one = await get(tx, approval_id, lock=True)
    if one.action != action:
        raise errors.ApprovalForOtherContent
    rules.check_usable(one, content, tx.now)
    await store.change(tx, approval_id, state=rules.USED)
    return replace(one, state=rules.USED)
