"""CheckoutService."""

from __future__ import annotations

from datetime import UTC
from typing import TypeAlias
from uuid import UUID

import grpc

from chassis.db import Database, Tx
from chassis.errors import AppError
from chassis.identity import CallerKind
from chassis.ids import from_edge, to_edge
from chassis.rpc import caller
from huitong.common.v1 import types_pb2
from huitong.mall.v1 import mall_pb2, mall_pb2_grpc
from huitong.points.v1 import points_pb2
from services.mall.checkout import operations, rules
from services.mall.checkout.errors import SpendingNeedsCode
from services.mall.checkout.operations import CheckoutPlan, Purchase
from services.mall.checkout.rules import Checkout, NetLine, OffsetRule
from services.mall.codes import as_typed
from services.mall.copies import Copies
from services.mall.errors import from_stored
from services.mall.neighbours import Neighbours
from services.mall.saga import Saga, request_hash

Context: TypeAlias = grpc.aio.ServicerContext
CheckoutRequest: TypeAlias = mall_pb2.QuoteCheckoutRequest | mall_pb2.CommitCheckoutRequest

NO_OFFSET = OffsetRule(step_points=0, step_minor=0, max_share_bps=0)


class CheckoutServicer(mall_pb2_grpc.CheckoutServiceServicer):
    """Identify, quote, commit, void."""

    def __init__(self, db: Database, copies: Copies, neighbours: Neighbours, saga: Saga[Checkout]) -> None:
        self._db, self._copies, self._neighbours, self._saga = db, copies, neighbours, saga

    async def QuoteCheckout(self, request: mall_pb2.QuoteCheckoutRequest, _: Context) -> mall_pb2.QuoteCheckoutResponse:
        """See the proto."""
        purchase = await self._purchase(request)
        async with self._db.reading(caller()) as tx:
            offers = await operations.list_offers(tx, purchase)
        discount_minor = offers[0].discount_minor if offers else 0
        quote = await self._quote_offset(purchase, purchase.total_minor - discount_minor, "", request.pool_id)
        currency_code = purchase.where.currency_code
        payable_minor = purchase.total_minor - discount_minor - quote.max_offset.amount_minor
        return mall_pb2.QuoteCheckoutResponse(
            member_id=to_edge("mbr", purchase.member_id),
            coupons=[
                mall_pb2.CouponOffer(
                    coupon_code=offer.coupon.code,
                    name=offer.template.name,
                    discount=types_pb2.Money(amount_minor=offer.discount_minor, currency_code=currency_code),
                )
                for offer in offers
            ],
            max_points=quote.max_points,
            max_offset=types_pb2.Money(amount_minor=quote.max_offset.amount_minor, currency_code=currency_code),
            payable=types_pb2.Money(amount_minor=payable_minor, currency_code=currency_code),
            min_points=quote.min_points,
            step_points=quote.step_points,
            step_minor=quote.step_minor,
            offset_quote_token=quote.quote_token,
        )

    async def CommitCheckout(
        self, request: mall_pb2.CommitCheckoutRequest, _: Context
    ) -> mall_pb2.CommitCheckoutResponse:
        """See the proto. A known request id is answered before anything is asked: the member's code may have expired
        since. A system of the group may spend for a member that it names, a till needs the member's fresh code."""
        known = await self._find_same(request)
        opened, is_new = (known, False) if known is not None else await self._open(request)
        done = await (self._saga.advance(opened) if is_new else self._finish(opened))
        if done.state == rules.REJECTED and done.reject_status is not None:
            raise from_stored(done.reject_status)
        return mall_pb2.CommitCheckoutResponse(checkout=checkout_to_proto(done))

    async def VoidCheckout(self, request: mall_pb2.VoidCheckoutRequest, _: Context) -> mall_pb2.VoidCheckoutResponse:
        """See the proto. A retry answers the checkout as it is by then."""
        checkout_id = from_edge("chk", request.checkout_id, "checkout_id")
        store_id = from_edge("sto", request.store_id, "store_id")

        async def void(tx: Tx) -> mall_pb2.VoidCheckoutResponse:
            before, checkout = await operations.void_checkout(
                tx, checkout_id=checkout_id, store_id=store_id, request_id=request.request_id
            )
            tx.before = mall_pb2.VoidCheckoutResponse(checkout=checkout_to_proto(before))
            return mall_pb2.VoidCheckoutResponse(checkout=checkout_to_proto(checkout))

        await self._db.run_once(request, mall_pb2.VoidCheckoutResponse, void)
        done = await self._saga.finish(caller().group_id, checkout_id)
        return mall_pb2.VoidCheckoutResponse(checkout=checkout_to_proto(done))

    async def GetCheckout(self, request: mall_pb2.GetCheckoutRequest, _: Context) -> mall_pb2.GetCheckoutResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            checkout = await operations.get_checkout(
                tx,
                checkout_id=from_edge("chk", request.checkout_id, "checkout_id"),
                store_id=from_edge("sto", request.store_id, "store_id"),
            )
        return mall_pb2.GetCheckoutResponse(checkout=checkout_to_proto(checkout))

    async def _finish(self, checkout: Checkout) -> Checkout:
        return await self._saga.finish(checkout.group_id, checkout.checkout_id)

    async def _open(self, request: mall_pb2.CommitCheckoutRequest) -> tuple[Checkout, bool]:
        """Plan the checkout and write it down; answers it and whether it is new."""
        try:
            plan = await self._plan(request)
            async with self._db.transaction(caller()) as tx:
                return await operations.open_checkout(tx, plan)
        except AppError:
            # An identical call may have been faster, and hold the very coupon that this one finds taken.
            known = await self._find_same(request)
            if known is None:
                raise
            return known, False

    async def _find_same(self, request: mall_pb2.CommitCheckoutRequest) -> Checkout | None:
        async with self._db.reading(caller()) as tx:
            return await operations.find_same(tx, request_id=request.request_id, request_hash=request_hash(request))

    async def _plan(self, request: mall_pb2.CommitCheckoutRequest) -> CheckoutPlan:
        """All that must be asked of others before the checkout can be written down. A member's code, which spends once,
        is used up last: after a refusal for another reason it can be shown again."""
        purchase = await self._purchase(request)
        coupon_code = as_typed(request.coupon_code)
        offset = rules.OffsetQuote(NO_OFFSET)
        if request.offset_points:
            offset = await self._allow_offset(request, purchase, coupon_code)
        return CheckoutPlan(
            purchase=purchase,
            request_id=request.request_id,
            request_hash=request_hash(request),
            receipt_no=request.receipt_no,
            sale_time=request.sale_time.ToDatetime(UTC),
            coupon_code=coupon_code,
            offset_points=request.offset_points,
            offset=offset,
            pool_id=request.pool_id,
        )

    async def _allow_offset(
        self, request: mall_pb2.CommitCheckoutRequest, purchase: Purchase, coupon_code: str
    ) -> rules.OffsetQuote:
        """The rule by which the points are worth money.

        Raises SpendingNeedsCode, OffsetTooLarge, OffsetTooSmall, and what the coupon or an old quote is refused for.
        """
        has_code = request.WhichOneof("identity") == "member_code"
        if not has_code and caller().kind is not CallerKind.SYSTEM:
            raise SpendingNeedsCode
        order_minor = purchase.total_minor
        if coupon_code:
            async with self._db.reading(caller()) as tx:
                order_minor -= await operations.preview_discount(tx, purchase, coupon_code)
        quote = await self._quote_offset(purchase, order_minor, request.offset_quote_token, request.pool_id)
        rule = OffsetRule(quote.step_points, quote.step_minor, quote.max_share_bps)
        offset = rules.OffsetQuote(rule, quote.min_points, quote.order_max_points, quote.quote_token)
        offset.check(request.offset_points)
        rules.offset_worth(rule, offset_points=request.offset_points, order_minor=order_minor)
        if has_code:
            proof = await self._neighbours.identify_member(
                caller().group_id, request.member_code, spend_request_id=request.request_id
            )
            if not proof.may_spend:
                raise SpendingNeedsCode
        return offset

    async def _purchase(self, request: CheckoutRequest) -> Purchase:
        """The store, the lines and the member. Raises what is wrong with them."""
        where = await self._copies.store(caller().group_id, from_edge("sto", request.store_id, "store_id"))
        lines = [
            NetLine(line.line_no, line.amount_minor, line.category, line.item_code, line.quantity)
            for line in request.lines
        ]
        operations.check_lines(lines, request.total.amount_minor)
        operations.check_currency(where, request.total.currency_code)
        return Purchase(where, await self._identify(request), request.total.amount_minor, lines)

    async def _identify(self, request: CheckoutRequest) -> UUID:
        """Whose purchase it is; uses no code up."""
        group_id = caller().group_id
        if request.WhichOneof("identity") == "member_id":
            member_id = from_edge("mbr", request.member_id, "member_id")
            await self._copies.require_member(group_id, member_id)
            return member_id
        found = await self._neighbours.identify_member(group_id, request.member_code)
        return from_edge("mbr", found.member_id, "member_id")

    async def _quote_offset(
        self, purchase: Purchase, order_minor: int, quote_token: str, pool_id: str
    ) -> points_pb2.QuoteOffsetResponse:
        request = points_pb2.QuoteOffsetRequest(
            member_id=to_edge("mbr", purchase.member_id),
            store_id=to_edge("sto", purchase.where.store_id),
            order_total=types_pb2.Money(amount_minor=order_minor, currency_code=purchase.where.currency_code),
            lines=[
                points_pb2.SaleLine(
                    line_no=line.line_no,
                    amount_minor=line.amount_minor,
                    category=line.category,
                    item_code=line.item_code,
                )
                for line in purchase.lines
            ],
            quote_token=quote_token,
            pool_id=pool_id,
        )
        return await self._neighbours.quote_offset(purchase.where.group_id, request)


_STATES = {
    rules.COMMITTED: mall_pb2.CHECKOUT_STATE_COMMITTED,
    rules.REJECTED: mall_pb2.CHECKOUT_STATE_REJECTED,
    rules.VOIDED: mall_pb2.CHECKOUT_STATE_VOIDED,
}


def checkout_to_proto(checkout: Checkout) -> mall_pb2.Checkout:
    """The checkout as callers see it; every state with work left is PENDING."""

    def money(amount_minor: int) -> types_pb2.Money:
        return types_pb2.Money(amount_minor=amount_minor, currency_code=checkout.currency_code)

    return mall_pb2.Checkout(
        checkout_id=to_edge("chk", checkout.checkout_id),
        store_id=to_edge("sto", checkout.store_id),
        member_id=to_edge("mbr", checkout.member_id),
        receipt_no=checkout.receipt_no,
        state=_STATES.get(checkout.state, mall_pb2.CHECKOUT_STATE_PENDING),
        total=money(checkout.total_minor),
        coupon_discount=money(checkout.discount_minor),
        points_offset=money(checkout.offset_minor),
        payable=money(checkout.payable_minor),
        offset_points=checkout.offset_points,
        earned_points=checkout.earned_points,
        available_points=checkout.available_points,
        sale_id=checkout.sale_id or "",
        explanation=points_pb2.Explanation.FromString(checkout.explanation) if checkout.explanation else None,
        reject_reason=from_stored(checkout.reject_status).reason if checkout.reject_status else "",
    )
