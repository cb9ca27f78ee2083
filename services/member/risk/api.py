"""RiskService: proto → plain values → operation → proto."""

from __future__ import annotations

from uuid import UUID

from grpc.aio import ServicerContext as Context

from chassis import ids, pages
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.rpc import caller
from huitong.member.v1 import risk_pb2, risk_pb2_grpc
from services.member import convert, errors
from services.member import store as member_store
from services.member.miniprogram.rules import IDENTITY_PURPOSE, OPENID
from services.member.operations import phone_index
from services.member.risk import operations, store
from services.member.risk.rules import DEVICE, Action, Policy, Standing
from services.member.risk.store import Denial
from services.member.rules import PHONE, is_plain

_KINDS = {PHONE: risk_pb2.IDENTITY_KIND_PHONE, DEVICE: risk_pb2.IDENTITY_KIND_DEVICE}


class RiskServicer(risk_pb2_grpc.RiskServiceServicer):
    """States, the deny list and limits."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault = db, vault

    async def FreezeMember(
        self, request: risk_pb2.FreezeMemberRequest, context: Context
    ) -> risk_pb2.FreezeMemberResponse:
        """See the proto."""

        async def operation(tx: Tx) -> risk_pb2.FreezeMemberResponse:
            before, standing, ended_count = await operations.change_state(
                tx,
                convert.member_id_of(request.member_id),
                Action.FREEZE,
                reason_code=request.reason_code,
                deny_identities=request.deny_identities,
            )
            tx.before = risk_pb2.FreezeMemberResponse(standing=_standing(before))
            return risk_pb2.FreezeMemberResponse(standing=_standing(standing), ended_session_count=ended_count)

        return await self._db.run_once(request, risk_pb2.FreezeMemberResponse, operation)

    async def UnfreezeMember(
        self, request: risk_pb2.UnfreezeMemberRequest, context: Context
    ) -> risk_pb2.UnfreezeMemberResponse:
        """See the proto."""

        async def operation(tx: Tx) -> risk_pb2.UnfreezeMemberResponse:
            member_id = convert.member_id_of(request.member_id)
            before, standing, _ = await operations.change_state(
                tx, member_id, Action.UNFREEZE, reason_code=request.reason_code
            )
            tx.before = risk_pb2.UnfreezeMemberResponse(standing=_standing(before))
            return risk_pb2.UnfreezeMemberResponse(standing=_standing(standing))

        return await self._db.run_once(request, risk_pb2.UnfreezeMemberResponse, operation)

    async def CloseMember(self, request: risk_pb2.CloseMemberRequest, context: Context) -> risk_pb2.CloseMemberResponse:
        """See the proto."""

        async def operation(tx: Tx) -> risk_pb2.CloseMemberResponse:
            before, standing, ended_count = await operations.change_state(
                tx,
                convert.member_id_of(request.member_id),
                Action.CLOSE,
                reason_code=request.reason_code,
                deny_identities=request.deny_identities,
            )
            tx.before = risk_pb2.CloseMemberResponse(standing=_standing(before))
            return risk_pb2.CloseMemberResponse(standing=_standing(standing), ended_session_count=ended_count)

        return await self._db.run_once(request, risk_pb2.CloseMemberResponse, operation)

    async def GetMemberState(
        self, request: risk_pb2.GetMemberStateRequest, context: Context
    ) -> risk_pb2.GetMemberStateResponse:
        """See the proto."""
        member_id = convert.member_id_of(request.member_id)
        async with self._db.reading(caller()) as tx:
            standing = await operations.get_standing(tx, member_id)
        return risk_pb2.GetMemberStateResponse(standing=_standing(standing))

    async def DenyIdentity(
        self, request: risk_pb2.DenyIdentityRequest, context: Context
    ) -> risk_pb2.DenyIdentityResponse:
        """See the proto."""
        kind, index = self._index_of(request, caller().group_id)
        # The log of requests keeps a plain hash of each, from which a phone could be guessed: it gets the index.
        request_kept = risk_pb2.DenyIdentityRequest(
            request_id=request.request_id, reason_code=request.reason_code, device_id=f"{kind}:{index.hex()}"
        )

        async def operation(tx: Tx) -> risk_pb2.DenyIdentityResponse:
            if not await member_store.has_group(tx, tx.group_id):
                raise errors.GroupUnknown
            denial = await operations.deny(tx, kind, index, request.reason_code)
            return risk_pb2.DenyIdentityResponse(denial=_denial(denial))

        return await self._db.run_once(request_kept, risk_pb2.DenyIdentityResponse, operation)

    async def LiftDenial(self, request: risk_pb2.LiftDenialRequest, context: Context) -> risk_pb2.LiftDenialResponse:
        """See the proto."""
        denial_id = ids.from_edge("den", request.denial_id, "denial_id")

        async def operation(tx: Tx) -> risk_pb2.LiftDenialResponse:
            tx.before = _denial(await operations.lift_denial(tx, denial_id))
            return risk_pb2.LiftDenialResponse()

        return await self._db.run_once(request, risk_pb2.LiftDenialResponse, operation)

    async def ListDeniedIdentities(
        self, request: risk_pb2.ListDeniedIdentitiesRequest, context: Context
    ) -> risk_pb2.ListDeniedIdentitiesResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        before = pages.decode_place(request.page_token) if request.page_token else None
        async with self._db.reading(caller()) as tx:
            found = await store.list_denials(tx, before=before, limit=size + 1)
        page, token = found[:size], ""
        if len(found) > size:
            token = pages.encode_token(page[-1].create_time.isoformat(), page[-1].denial_id.hex)
        return risk_pb2.ListDeniedIdentitiesResponse(denials=map(_denial, page), next_page_token=token)

    async def SetRiskPolicy(
        self, request: risk_pb2.SetRiskPolicyRequest, context: Context
    ) -> risk_pb2.SetRiskPolicyResponse:
        """See the proto."""
        policy = Policy(**{name: getattr(request.policy, name) for name in Policy.__dataclass_fields__})

        async def operation(tx: Tx) -> risk_pb2.SetRiskPolicyResponse:
            before = await store.get_policy(tx)
            tx.before = risk_pb2.SetRiskPolicyResponse(policy=operations.policy_message(before))
            await operations.set_policy(tx, policy)
            return risk_pb2.SetRiskPolicyResponse(policy=operations.policy_message(policy))

        return await self._db.run_once(request, risk_pb2.SetRiskPolicyResponse, operation)

    async def GetRiskPolicy(
        self, request: risk_pb2.GetRiskPolicyRequest, context: Context
    ) -> risk_pb2.GetRiskPolicyResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            policy = await store.get_policy(tx)
        return risk_pb2.GetRiskPolicyResponse(policy=operations.policy_message(policy))

    def _index_of(self, request: risk_pb2.DenyIdentityRequest, group_id: UUID) -> tuple[str, bytes]:
        match request.WhichOneof("identity"):
            case "phone":
                return PHONE, phone_index(self._vault, group_id, request.phone)
            case "account":
                app_id, openid = request.account.app_id, request.account.openid
                return OPENID, self._vault.blind_index(IDENTITY_PURPOSE, group_id, app_id, openid)
            case _:
                if not is_plain(request.device_id):
                    raise InvalidArgument([("device_id", "has control characters")])
                return DEVICE, operations.device_index(self._vault, group_id, request.device_id)


def _standing(standing: Standing) -> risk_pb2.MemberStanding:
    message = risk_pb2.MemberStanding(
        member_id=convert.member_edge(standing.member_id),
        state=int(standing.state),  # type: ignore[arg-type]
        reason_code=standing.reason_code,
        changed_by=standing.changed_by,
        version=standing.version,
    )
    if standing.change_time is not None:
        message.change_time.FromDatetime(standing.change_time)
    return message


def _denial(denial: Denial) -> risk_pb2.Denial:
    message = risk_pb2.Denial(
        denial_id=ids.to_edge("den", denial.denial_id),
        kind=_KINDS.get(denial.kind, risk_pb2.IDENTITY_KIND_WECHAT),
        reason_code=denial.reason_code,
        denied_by=denial.denied_by,
    )
    message.create_time.FromDatetime(denial.create_time)
    return message
