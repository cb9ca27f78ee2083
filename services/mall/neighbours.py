"""What the mall asks of org, member and points. A refusal is Refused; any other error leaves the outcome unknown."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from chassis import rpc
from chassis.errors import RemoteError
from chassis.run import App
from huitong.member.v1 import benefits_pb2, benefits_pb2_grpc, member_pb2, member_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from huitong.points.v1 import points_pb2, points_pb2_grpc
from services.mall.errors import DECISIONS, Refused

# Points must outlive any outage that the worker waits out: the longest that points grants.
HOLD_SECONDS = 7 * 24 * 3600
STEP_TIMEOUT_SECONDS = 2.5


class Neighbours:
    """Stubs of the other services; every call names the group it is for."""

    def __init__(self, app: App) -> None:
        self._org = app.stub(org_pb2_grpc.StructureServiceStub, "org")
        self._member = app.stub(member_pb2_grpc.MemberServiceStub, "member")
        self._benefits = app.stub(benefits_pb2_grpc.BenefitServiceStub, "member")
        self._wallets = app.stub(points_pb2_grpc.WalletServiceStub, "points")
        self._sales = app.stub(points_pb2_grpc.SalesServiceStub, "points")

    async def get_store(self, group_id: UUID, store_id: str) -> org_pb2.Store:
        """Raises Refused: STORE_UNKNOWN."""
        response = await _call(self._org.GetStore, org_pb2.GetStoreRequest(store_id=store_id), group_id)
        store: org_pb2.Store = response.store
        return store

    async def list_merchants(self, group_id: UUID) -> list[org_pb2.Merchant]:
        """All merchants of the group."""
        merchants: list[org_pb2.Merchant] = []
        token = ""
        while True:
            request = org_pb2.ListMerchantsRequest(page_size=200, page_token=token)
            page = await _call(self._org.ListMerchants, request, group_id)
            merchants += page.merchants
            token = page.next_page_token
            if not token:
                return merchants

    async def get_member(self, group_id: UUID, member_id: str) -> None:
        """Raises Refused: MEMBER_UNKNOWN."""
        await _call(self._member.GetMember, member_pb2.GetMemberRequest(member_id=member_id), group_id)

    async def identify_member(
        self, group_id: UUID, member_code: str, *, spend_request_id: str = ""
    ) -> member_pb2.IdentifyMemberResponse:
        """Raises Refused: MEMBER_CODE_INVALID, MEMBER_CODE_EXPIRED, MEMBER_CODE_USED, MEMBER_UNKNOWN."""
        request = member_pb2.IdentifyMemberRequest(member_code=member_code, spend_request_id=spend_request_id)
        response: member_pb2.IdentifyMemberResponse = await _call(self._member.IdentifyMember, request, group_id)
        return response

    async def use_benefit(self, group_id: UUID, request: benefits_pb2.UseBenefitRequest) -> benefits_pb2.BenefitUse:
        """Raises Refused: BENEFIT_UNKNOWN, BENEFIT_QUOTA_USED, BENEFIT_NOT_NOW, BENEFIT_RETURNED, MEMBER_UNKNOWN."""
        response = await _call(self._benefits.UseBenefit, request, group_id)
        use: benefits_pb2.BenefitUse = response.use
        return use

    async def cancel_benefit_use(self, group_id: UUID, request: benefits_pb2.CancelBenefitUseRequest) -> None:
        """Make sure that nothing is used for that reference, now or later; harmless whatever became of the use."""
        try:
            await _call(self._benefits.CancelBenefitUse, request, group_id)
        except Refused as refusal:
            if refusal.reason != "MEMBER_UNKNOWN":
                raise

    async def quote_offset(
        self, group_id: UUID, request: points_pb2.QuoteOffsetRequest
    ) -> points_pb2.QuoteOffsetResponse:
        """Raises Refused: MEMBER_UNKNOWN, STORE_UNKNOWN, OFFSET_QUOTE_INVALID, OFFSET_QUOTE_EXPIRED."""
        response: points_pb2.QuoteOffsetResponse = await _call(self._wallets.QuoteOffset, request, group_id)
        return response

    async def hold(self, group_id: UUID, request: points_pb2.HoldRequest) -> points_pb2.HoldResponse:
        """Raises Refused: INSUFFICIENT_POINTS, MEMBER_UNKNOWN, MERCHANT_UNKNOWN, HOLD_RELEASED, OFFSET_NOT_ALLOWED."""
        response: points_pb2.HoldResponse = await _call(self._wallets.Hold, request, group_id)
        return response

    async def capture(self, group_id: UUID, request: points_pb2.CaptureRequest) -> points_pb2.CaptureResponse:
        """Raises Refused: HOLD_RELEASED, when the hold has timed out."""
        response: points_pb2.CaptureResponse = await _call(self._wallets.Capture, request, group_id)
        return response

    async def release(self, group_id: UUID, request: points_pb2.ReleaseRequest) -> dict[str, int]:
        """Make sure that nothing is held by that request id, now or later; harmless whatever became of the hold.

        Answers the points available then, by name; nothing when the member has no wallet.
        """
        try:
            response = await _call(self._wallets.Release, request, group_id)
        except Refused as refusal:
            if refusal.reason == "MEMBER_UNKNOWN":
                return {}
            raise
        return {"available_points": response.available_points}

    async def reverse_redemption(
        self, group_id: UUID, request: points_pb2.ReverseRedemptionRequest
    ) -> points_pb2.ReverseRedemptionResponse:
        """Gives the points of a capture back."""
        response: points_pb2.ReverseRedemptionResponse = await _call(self._wallets.ReverseRedemption, request, group_id)
        return response

    async def record_sale(self, group_id: UUID, request: points_pb2.RecordSaleRequest) -> points_pb2.RecordSaleResponse:
        """Raises Refused: RECEIPT_CHANGED, SALE_TIME_INVALID, MEMBER_UNKNOWN and the like."""
        response: points_pb2.RecordSaleResponse = await _call(self._sales.RecordSale, request, group_id)
        return response

    async def refund_sale(self, group_id: UUID, request: points_pb2.RefundSaleRequest) -> points_pb2.RefundSaleResponse:
        """Raises Refused: REFUND_EXCEEDS_SALE, when all of it was returned before."""
        response: points_pb2.RefundSaleResponse = await _call(self._sales.RefundSale, request, group_id)
        return response


async def _call(method: Any, request: Message, group_id: UUID) -> Any:
    try:
        return await rpc.call(method, request, group_id=group_id, timeout_s=STEP_TIMEOUT_SECONDS)
    except RemoteError as error:
        if error.code in DECISIONS:
            raise Refused(error.status) from error
        raise
