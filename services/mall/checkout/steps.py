"""The checkout as a saga over the coupon (here) and points: each step asks points one thing and says where that leads.

Hold (try) → record the sale → capture (confirm). What can be refused comes before anything is taken for good; after the
sale is recorded everything goes forward. Every step may be tried any number of times, by several drivers at once.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from chassis.db import Database
from chassis.ids import to_edge
from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2
from services.mall.checkout import operations, rules
from services.mall.checkout.rules import Checkout
from services.mall.errors import Refused
from services.mall.neighbours import HOLD_SECONDS, Neighbours
from services.mall.saga import Move, Saga
from services.mall.store import checkout as checkout_table

log = structlog.get_logger()

# System that numbers the receipts, as points knows it: checkouts never meet the sales that tills upload themselves.
SOURCE = "checkout"


def checkout_saga(db: Database, points: Neighbours) -> Saga[Checkout]:
    """The state machine, read top to bottom."""
    steps = CheckoutSteps(db, points)
    return Saga(
        db,
        name="checkout",
        table=checkout_table,
        key="checkout_id",
        row_type=Checkout,
        steps={
            rules.HOLDING: steps.hold,
            rules.RECORDING: steps.record_sale,
            rules.CAPTURING: steps.capture,
            rules.RELEASING: steps.release,
            rules.VOIDING: steps.refund_sale,
            rules.REVERSING: steps.reverse,
        },
    )


class CheckoutSteps:
    """What is asked of points in each state."""

    def __init__(self, db: Database, points: Neighbours) -> None:
        self._db, self._points = db, points

    async def hold(self, checkout: Checkout) -> Move[Checkout]:
        """Reserve the points. A refusal frees the coupon, by way of a release: another driver of this row may have been
        granted what this one was refused, and a release settles it for good."""
        if checkout.void_request_id:
            return Move(rules.RELEASING)
        request = points_pb2.HoldRequest(
            request_id=checkout.step_id("hold"),
            member_id=to_edge("mbr", checkout.member_id),
            points=checkout.offset_points,
            spending=points_pb2.Spending(
                merchant_id=to_edge("mch", checkout.merchant_id),
                store_id=to_edge("sto", checkout.store_id),
                kind=points_pb2.SPENDING_KIND_CHECKOUT_OFFSET,
                reference=to_edge("chk", checkout.checkout_id),
                offset_minor=checkout.offset_minor,
                quote_token=checkout.offset_quote_token,
            ),
            hold_seconds=HOLD_SECONDS,
            pool_id=checkout.pool_id,
        )
        try:
            held = await self._points.hold(checkout.group_id, request)
        except Refused as refusal:
            return Move(rules.RELEASING, _reason(refusal))
        values: dict[str, object] = {"hold_id": held.hold_id}
        return Move(rules.RECORDING, values | _own(checkout, {"available_points": held.available_points}))

    async def record_sale(self, checkout: Checkout) -> Move[Checkout]:
        """Record the purchase at what is paid in money. A refusal gives the points and the coupon back."""
        try:
            sale = await self._points.record_sale(checkout.group_id, _sale(checkout))
        except Refused as refusal:
            state = rules.RELEASING if checkout.hold_id else rules.REJECTED
            return Move(state, _reason(refusal), operations.give_back_coupon)
        values = {
            "sale_id": sale.sale_id,
            "earned_points": sale.points,
            "available_points": sale.available_points,
            "explanation": sale.explanation.SerializeToString(),
        }
        write = None if checkout.hold_id else operations.commit_coupon
        return Move(rules.after_sale, values, write)

    async def capture(self, checkout: Checkout) -> Move[Checkout]:
        """Spend the held points; then the coupon is used and the checkout is done."""
        request = points_pb2.CaptureRequest(
            request_id=checkout.step_id("capture"),
            member_id=to_edge("mbr", checkout.member_id),
            hold_id=checkout.hold_id or "",
            pool_id=checkout.pool_id,
        )
        try:
            captured = await self._points.capture(checkout.group_id, request)
        except Refused as refusal:
            # Only a hold that timed out during a very long outage refuses: the sale is undone again.
            log.error("checkout_hold_lost", checkout_id=str(checkout.checkout_id), reason=refusal.reason)
            return Move(rules.VOIDING, {**_reason(refusal), "void_time": await self._db.now()})
        values: dict[str, object] = {"redemption_txn_id": captured.txn_id}
        values |= _own(checkout, {"available_points": captured.available_points})
        return Move(rules.after_capture, values, operations.commit_coupon)

    async def release(self, checkout: Checkout) -> Move[Checkout]:
        """Release what is, or may have been, held."""
        request = points_pb2.ReleaseRequest(
            request_id=checkout.step_id("release"),
            member_id=to_edge("mbr", checkout.member_id),
            hold_request_id=checkout.step_id("hold"),
            pool_id=checkout.pool_id,
        )
        values = await self._points.release(checkout.group_id, request)
        return Move(rules.after_release, _own(checkout, values), operations.give_back_coupon)

    async def refund_sale(self, checkout: Checkout) -> Move[Checkout]:
        """Take the earned points back. Lines that were returned before are not returned again."""
        request = points_pb2.RefundSaleRequest(
            request_id=checkout.step_id("refund"),
            store_id=to_edge("sto", checkout.store_id),
            source=SOURCE,
            receipt_no=checkout.receipt_no,
        )
        if checkout.void_time is not None:
            request.refund_time.FromDatetime(checkout.void_time)
        values: dict[str, object] = {}
        try:
            refunded = await self._points.refund_sale(checkout.group_id, request)
            values["available_points"] = refunded.available_points
        except Refused as refusal:
            if refusal.reason != "REFUND_EXCEEDS_SALE":
                raise
        return Move(rules.after_refund, values, operations.give_back_coupon)

    async def reverse(self, checkout: Checkout) -> Move[Checkout]:
        """Give the spent points back to the lots they came from."""
        request = points_pb2.ReverseRedemptionRequest(
            request_id=checkout.step_id("reverse"),
            member_id=to_edge("mbr", checkout.member_id),
            redemption_txn_id=checkout.redemption_txn_id or "",
            pool_id=checkout.pool_id,
        )
        reversed_ = await self._points.reverse_redemption(checkout.group_id, request)
        values = _own(checkout, {"available_points": reversed_.available_points})
        return Move(rules.VOIDED, values, operations.give_back_coupon)


def _own(checkout: Checkout, values: Mapping[str, object]) -> dict[str, object]:
    """What points answered of the member's own wallet; nothing when it was of a family pool."""
    return {} if checkout.pool_id else dict(values)


def _reason(refusal: Refused) -> dict[str, object]:
    return {"reject_status": refusal.status.SerializeToString()}


def _sale(checkout: Checkout) -> points_pb2.RecordSaleRequest:
    request = points_pb2.RecordSaleRequest(
        request_id=checkout.step_id("sale"),
        store_id=to_edge("sto", checkout.store_id),
        source=SOURCE,
        receipt_no=checkout.receipt_no,
        member_id=to_edge("mbr", checkout.member_id),
        total=types_pb2.Money(amount_minor=checkout.payable_minor, currency_code=checkout.currency_code),
        lines=[
            points_pb2.SaleLine(
                line_no=line.line_no,
                amount_minor=line.net_minor,
                category=line.category,
                item_code=line.item_code,
                quantity=line.quantity,
            )
            for line in checkout.net_lines
        ],
    )
    request.sale_time.FromDatetime(checkout.sale_time)
    return request
