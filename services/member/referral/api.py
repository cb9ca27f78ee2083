"""ReferralService: proto → plain values → operation → proto."""

from __future__ import annotations

from grpc.aio import ServicerContext as Context

from chassis import ids, pages, rpc
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.rpc import caller
from huitong.common.v1 import types_pb2
from huitong.member.v1 import referral_pb2, referral_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from services.member import convert, errors
from services.member import store as member_store
from services.member.referral import operations, store
from services.member.referral.rules import Program, Referral


class ReferralServicer(referral_pb2_grpc.ReferralServiceServicer):
    """Programs, codes and referrals."""

    def __init__(self, db: Database, vault: Vault, structure: org_pb2_grpc.StructureServiceStub) -> None:
        self._db, self._vault, self._structure = db, vault, structure

    async def SetReferralProgram(
        self, request: referral_pb2.SetReferralProgramRequest, context: Context
    ) -> referral_pb2.SetReferralProgramResponse:
        """See the proto."""
        program = _program(request.program)
        await self._require_merchant(request.program.merchant_id)

        async def operation(tx: Tx) -> referral_pb2.SetReferralProgramResponse:
            if before := await store.find_program(tx, lock=True):
                tx.before = referral_pb2.SetReferralProgramResponse(program=_program_message(before))
            await operations.set_program(tx, program)
            return referral_pb2.SetReferralProgramResponse(program=_program_message(program))

        return await self._db.run_once(request, referral_pb2.SetReferralProgramResponse, operation)

    async def GetReferralProgram(
        self, request: referral_pb2.GetReferralProgramRequest, context: Context
    ) -> referral_pb2.GetReferralProgramResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            program = await operations.get_program(tx)
        return referral_pb2.GetReferralProgramResponse(program=_program_message(program))

    async def GetReferralCode(
        self, request: referral_pb2.GetReferralCodeRequest, context: Context
    ) -> referral_pb2.GetReferralCodeResponse:
        """See the proto."""
        async with self._db.transaction(caller()) as tx:
            code = await operations.code_of(tx, self._vault, convert.member_id_of(request.member_id))
        return referral_pb2.GetReferralCodeResponse(referral_code=code)

    async def UseReferralCode(
        self, request: referral_pb2.UseReferralCodeRequest, context: Context
    ) -> referral_pb2.UseReferralCodeResponse:
        """See the proto."""
        friend_id = convert.member_id_of(request.member_id)

        async def operation(tx: Tx) -> referral_pb2.UseReferralCodeResponse:
            made = await operations.use_code(
                tx, request_id=request.request_id, friend_id=friend_id, code_text=request.referral_code
            )
            return referral_pb2.UseReferralCodeResponse(referral=_message(made))

        return await self._db.run_once(request, referral_pb2.UseReferralCodeResponse, operation)

    async def ListReferrals(
        self, request: referral_pb2.ListReferralsRequest, context: Context
    ) -> referral_pb2.ListReferralsResponse:
        """See the proto."""
        member_id, size = convert.member_id_of(request.member_id), pages.page_size(request.page_size)
        before = pages.decode_place(request.page_token) if request.page_token else None
        async with self._db.reading(caller()) as tx:
            if await member_store.find_person(tx, member_id) is None:
                raise errors.MemberUnknown
            found = await store.list_brought(tx, member_id, before=before, limit=size + 1)
        page, token = found[:size], ""
        if len(found) > size:
            token = pages.encode_token(page[-1].create_time.isoformat(), page[-1].referral_id.hex)
        return referral_pb2.ListReferralsResponse(referrals=map(_message, page), next_page_token=token)

    async def _require_merchant(self, merchant_id: str) -> None:
        """Raises MerchantUnknown."""
        token = ""
        while True:
            request = org_pb2.ListMerchantsRequest(page_size=200, page_token=token)
            answer = await rpc.call(self._structure.ListMerchants, request)
            if any(merchant.merchant_id == merchant_id for merchant in answer.merchants):
                return
            token = answer.next_page_token
            if not token:
                raise errors.MerchantUnknown(merchant_id=merchant_id)


def _program(message: referral_pb2.ReferralProgram) -> Program:
    if message.min_amount.amount_minor < 0:
        raise InvalidArgument([("program.min_amount.amount_minor", "must not be negative")])
    return Program(
        referrer_points=message.referrer_points,
        friend_points=message.friend_points,
        min_amount_minor=message.min_amount.amount_minor,
        currency_code=message.min_amount.currency_code,
        merchant_id=ids.from_edge("mch", message.merchant_id, "program.merchant_id"),
        use_within_days=message.use_within_days,
        return_window_days=message.return_window_days,
        referrals_per_month=message.referrals_per_month,
        is_open=message.is_open,
    )


def _program_message(program: Program) -> referral_pb2.ReferralProgram:
    return referral_pb2.ReferralProgram(
        referrer_points=program.referrer_points,
        friend_points=program.friend_points,
        min_amount=types_pb2.Money(amount_minor=program.min_amount_minor, currency_code=program.currency_code),
        merchant_id=ids.to_edge("mch", program.merchant_id),
        use_within_days=program.use_within_days,
        return_window_days=program.return_window_days,
        referrals_per_month=program.referrals_per_month,
        is_open=program.is_open,
    )


def _message(one: Referral) -> referral_pb2.Referral:
    message = referral_pb2.Referral(
        referral_id=operations.edge(one),
        state=int(one.state),  # type: ignore[arg-type]
        referrer_points=one.referrer_points,
        friend_points=one.friend_points,
        min_amount=types_pb2.Money(amount_minor=one.min_amount_minor, currency_code=one.currency_code),
        is_referrer_rewarded=one.is_referrer_rewarded,
        is_friend_rewarded=one.is_friend_rewarded,
    )
    message.create_time.FromDatetime(one.create_time)
    if one.due_time is not None:
        message.due_time.FromDatetime(one.due_time)
    return message
