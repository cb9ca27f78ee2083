"""Second persons by org's approvals: who asked, for what exactly, who approved, until when, and how much they may.

What an operator asks for here is an approval there; what an operator decides here is decided there first, by org's
rules (limits by role, nobody whom the asker invited). Decisions that are taken at org's own door come as events.
Keys are no persons: a system may ask, take back and refuse what another system asked for, and approves nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from google.protobuf.message import Message

from chassis import ids, rpc
from chassis.db import Tx
from chassis.errors import AppError
from chassis.events import Fact, Handler
from chassis.identity import Caller, CallerKind
from huitong.org.v1 import approvals_pb2, approvals_pb2_grpc
from huitong.org.v1.events_pb2 import ApprovalDecided
from services.points.errors import SecondPersonRequired

log = structlog.get_logger()
APPROVE, REJECT, WITHDRAW = (
    approvals_pb2.APPROVAL_DECISION_APPROVE,
    approvals_pb2.APPROVAL_DECISION_REJECT,
    approvals_pb2.APPROVAL_DECISION_WITHDRAW,
)


@dataclass(frozen=True, slots=True)
class Ask:
    """What needs a second person. `content` is exactly what, with the id `key` of the thing that waits."""

    key: str
    action: str
    permission: str
    content: Message
    summary: str
    asked_by: str
    valid_hours: int
    amount: int = 0


class SecondPersons:
    """Asks org."""

    def __init__(self, approvals: approvals_pb2_grpc.ApprovalServiceStub) -> None:
        self._approvals = approvals

    async def ask(self, ask: Ask) -> str:
        """Put it before the group's people, once; answers the approval's id."""
        request = approvals_pb2.RequestApprovalRequest(
            request_id=ask.key,
            action=ask.action,
            permission=ask.permission,
            amount=ask.amount,
            summary=ask.summary,
            content=ask.content.SerializeToString(deterministic=True),
            asked_by=ask.asked_by,
            valid_hours=ask.valid_hours,
        )
        answer = await rpc.call(self._approvals.RequestApproval, request)
        return str(answer.approval.approval_id)

    async def asked(self, ask: Ask) -> None:
        """As `ask`, when it is an operator who asks in the current call."""
        if rpc.caller().kind is CallerKind.OPERATOR:
            await self.ask(ask)

    async def decide(self, tx: Tx, ask: Ask, decision: approvals_pb2.ApprovalDecision, reason: str = "") -> str:
        """Let org record the caller's decision; answers who decided, by org's word.

        Called with all checks of our own behind it, before the decision is written here: if that fails yet, the
        approval stands and the next try goes through.
        Raises SecondPersonRequired, and what org refuses.
        """
        who = tx.caller
        if who.kind is CallerKind.OPERATOR:
            return await self._decide_at_org(who, ask, decision, reason)
        if decision == APPROVE or (decision == REJECT and is_person(ask.asked_by)):
            raise SecondPersonRequired
        return who.subject

    async def _decide_at_org(self, who: Caller, ask: Ask, decision: approvals_pb2.ApprovalDecision, reason: str) -> str:
        approval_id = await self.ask(ask)
        request = approvals_pb2.DecideApprovalRequest(
            request_id=ids.derive(ask.key, decision, who.subject, reason).hex,
            approval_id=approval_id,
            operator_id=who.subject,
            decision=decision,
            reason=reason,
        )
        try:
            answer = await rpc.call(self._approvals.DecideApproval, request)
        except AppError as error:
            if decision == WITHDRAW and error.reason in ("APPROVAL_DECIDED", "APPROVAL_EXPIRED"):
                return who.subject  # nothing came of it, and nothing will
            raise
        return str(answer.approval.decided_by)


def is_person(subject: str) -> bool:
    """Whether a caller's id is an operator's."""
    return subject.startswith("opr_")


# Carries out a decision on the thing in `content`: (transaction of the decider, content, whether approved, reason).
Carry = Callable[[Tx, bytes, bool, str], Awaitable[None]]


def decision_handler(carriers: dict[str, Carry]) -> Handler:
    """Carries out what was decided at org's door, by action. What was decided here is done already."""

    async def handle(tx: Tx, facts: Sequence[Fact[ApprovalDecided]]) -> None:
        for fact in facts:
            approval = fact.payload.approval
            carry = carriers.get(approval.action)
            if carry is None:
                continue
            who = Caller(CallerKind.OPERATOR, approval.decided_by, fact.group_id)
            is_approved = approval.state == approvals_pb2.APPROVAL_STATE_APPROVED
            try:
                async with tx.nested():
                    await carry(tx.acting_as(who), fact.payload.content, is_approved, approval.reason)
            except AppError as error:
                log.info("decision_not_carried_out", approval_id=approval.approval_id, reason=error.reason)

    return handle
