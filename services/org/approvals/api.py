"""ApprovalService: proto → plain values → operation → proto."""

from __future__ import annotations

from grpc.aio import ServicerContext as Context

from chassis import pages
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.identity import Caller, CallerKind
from chassis.ids import from_edge
from chassis.rpc import caller
from huitong.org.v1 import approvals_pb2 as pb
from huitong.org.v1 import approvals_pb2_grpc
from services.org.approvals import convert, operations, store
from services.org.audit.operations import Audit


class ApprovalServicer(approvals_pb2_grpc.ApprovalServiceServicer):
    """Approvals of the caller's group."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._audit = db, Audit(vault)

    async def RequestApproval(self, request: pb.RequestApprovalRequest, context: Context) -> pb.RequestApprovalResponse:
        """See the proto."""

        async def operation(tx: Tx) -> pb.RequestApprovalResponse:
            one = await operations.ask(
                tx,
                action=request.action,
                permission=request.permission,
                content=request.content,
                summary=request.summary,
                asked_by=request.asked_by,
                request_id=request.request_id,
                scope_id=request.scope_id,
                amount=request.amount,
                valid_hours=request.valid_hours,
            )
            message = convert.approval_message(one, tx.now)
            await self._audit.record(tx, request, message.approval_id, after=message)
            return pb.RequestApprovalResponse(approval=message)

        return await self._db.run_once(request, pb.RequestApprovalResponse, operation)

    async def DecideApproval(self, request: pb.DecideApprovalRequest, context: Context) -> pb.DecideApprovalResponse:
        """See the proto."""
        approval_id = from_edge("apr", request.approval_id, "approval_id")
        from_edge("opr", request.operator_id, "operator_id")
        decide, wanted = _DECISIONS[request.decision]

        async def operation(tx: Tx) -> pb.DecideApprovalResponse:
            who = Caller(CallerKind.OPERATOR, request.operator_id, tx.group_id, bound_id=tx.caller.subject)
            one = await operations.get(tx, approval_id, lock=True)
            before = convert.approval_message(one, tx.now)
            if before.state == wanted:
                return pb.DecideApprovalResponse(approval=before)
            decided = await decide(tx.acting_as(who), one, reason=request.reason)
            after = convert.approval_message(decided, tx.now)
            await self._audit.record(tx, request, request.approval_id, before=before, after=after, who=who)
            return pb.DecideApprovalResponse(approval=after)

        return await self._db.run_once(request, pb.DecideApprovalResponse, operation)

    async def ListApprovals(self, request: pb.ListApprovalsRequest, context: Context) -> pb.ListApprovalsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        state = pb.ApprovalState.Name(request.state).removeprefix("APPROVAL_STATE_") if request.state else ""
        async with self._db.reading(caller()) as tx:
            before = pages.decode_place(request.page_token) if request.page_token else None
            found = await store.list_approvals(tx, state=state, before=before, limit=size + 1)
            messages = [convert.approval_message(one, tx.now) for one in found[:size]]
        token = ""
        if len(found) > size:
            token = pages.encode_token(found[size - 1].ask_time.isoformat(), found[size - 1].approval_id.hex)
        return pb.ListApprovalsResponse(approvals=messages, next_page_token=token)

    async def GetApproval(self, request: pb.GetApprovalRequest, context: Context) -> pb.GetApprovalResponse:
        """See the proto."""
        approval_id = from_edge("apr", request.approval_id, "approval_id")
        async with self._db.reading(caller()) as tx:
            one = await operations.get(tx, approval_id)
            return pb.GetApprovalResponse(approval=convert.approval_message(one, tx.now))

    async def Approve(self, request: pb.ApproveRequest, context: Context) -> pb.ApproveResponse:
        """See the proto."""
        approval_id = from_edge("apr", request.approval_id, "approval_id")

        async def operation(tx: Tx) -> pb.ApproveResponse:
            one = await operations.get(tx, approval_id, lock=True)
            decided = await operations.approve(tx, one, reason=request.reason)
            before, after = convert.approval_message(one, tx.now), convert.approval_message(decided, tx.now)
            await self._audit.record(tx, request, request.approval_id, before=before, after=after)
            return pb.ApproveResponse(approval=after)

        return await self._db.run_once(request, pb.ApproveResponse, operation)

    async def Reject(self, request: pb.RejectRequest, context: Context) -> pb.RejectResponse:
        """See the proto."""
        approval_id = from_edge("apr", request.approval_id, "approval_id")

        async def operation(tx: Tx) -> pb.RejectResponse:
            one = await operations.get(tx, approval_id, lock=True)
            decided = await operations.reject(tx, one, reason=request.reason)
            before, after = convert.approval_message(one, tx.now), convert.approval_message(decided, tx.now)
            await self._audit.record(tx, request, request.approval_id, before=before, after=after)
            return pb.RejectResponse(approval=after)

        return await self._db.run_once(request, pb.RejectResponse, operation)


_DECISIONS = {
    pb.APPROVAL_DECISION_APPROVE: (operations.approve, pb.APPROVAL_STATE_APPROVED),
    pb.APPROVAL_DECISION_REJECT: (operations.reject, pb.APPROVAL_STATE_REJECTED),
    pb.APPROVAL_DECISION_WITHDRAW: (operations.withdraw, pb.APPROVAL_STATE_REJECTED),
}
