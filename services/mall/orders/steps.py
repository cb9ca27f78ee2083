"""The order as a saga over stock (here), a benefit (member) and points: each step asks one thing and says where that
leads.

Every step may be tried any number of times, by several drivers at once: the others do each request id once.
"""

from __future__ import annotations

from chassis.db import Database
from chassis.ids import to_edge
from huitong.member.v1 import benefits_pb2
from huitong.points.v1 import points_pb2
from services.mall.codes import Codes
from services.mall.errors import Refused
from services.mall.neighbours import HOLD_SECONDS, Neighbours
from services.mall.orders import operations, rules
from services.mall.orders.rules import Order
from services.mall.saga import Move, Saga
from services.mall.store import voucher_order


def order_saga(db: Database, neighbours: Neighbours, codes: Codes) -> Saga[Order]:
    """The state machine, read top to bottom."""
    steps = OrderSteps(neighbours, codes)
    return Saga(
        db,
        name="order",
        table=voucher_order,
        key="order_id",
        row_type=Order,
        steps={
            rules.CLAIMING: steps.claim,
            rules.HOLDING: steps.hold,
            rules.CAPTURING: steps.capture,
            rules.RELEASING: steps.release,
            rules.REVERSING: steps.reverse,
            rules.RETURNING: steps.return_benefit,
        },
    )


class OrderSteps:
    """What is asked of member and points in each state."""

    def __init__(self, neighbours: Neighbours, codes: Codes) -> None:
        self._neighbours, self._codes = neighbours, codes

    async def claim(self, order: Order) -> Move[Order]:
        """Use a unit of the benefit. A refusal goes by way of a return, for the reason of `hold`."""
        if order.cancel_request_id:
            return Move(rules.RETURNING)
        request = benefits_pb2.UseBenefitRequest(
            request_id=order.step_id("claim"),
            member_id=to_edge("mbr", order.member_id),
            benefit_code=order.benefit_code,
            quantity=1,
            reference=to_edge("ord", order.order_id),
        )
        try:
            use = await self._neighbours.use_benefit(order.group_id, request)
        except Refused as refusal:
            return Move(rules.RETURNING, _reason(refusal))
        points = rules.price(order.points, use.price_bps)
        if points:
            return Move(rules.after_claim, {"points": points})
        values = {"voucher_code": self._codes.voucher(order.order_id)}
        return Move(rules.after_claim_of_all, values, operations.announce_completed)

    async def hold(self, order: Order) -> Move[Order]:
        """Reserve the points. A refusal gives the stock back, by way of a release: another driver of this row may have
        been granted what this one was refused, and a release settles it for good."""
        if order.cancel_request_id:
            return Move(rules.RELEASING)
        request = points_pb2.HoldRequest(
            request_id=order.step_id("hold"),
            member_id=to_edge("mbr", order.member_id),
            points=order.points,
            spending=points_pb2.Spending(
                merchant_id=to_edge("mch", order.merchant_id),
                kind=points_pb2.SPENDING_KIND_VOUCHER,
                reference=to_edge("ord", order.order_id),
            ),
            hold_seconds=HOLD_SECONDS,
        )
        try:
            held = await self._neighbours.hold(order.group_id, request)
        except Refused as refusal:
            return Move(rules.RELEASING, _reason(refusal))
        return Move(rules.after_hold, {"hold_id": held.hold_id, "available_points": held.available_points})

    async def capture(self, order: Order) -> Move[Order]:
        """Spend the held points; then the voucher comes into being."""
        request = points_pb2.CaptureRequest(
            request_id=order.step_id("capture"),
            member_id=to_edge("mbr", order.member_id),
            hold_id=order.hold_id or "",
        )
        try:
            captured = await self._neighbours.capture(order.group_id, request)
        except Refused as refusal:
            # Only a hold that timed out during a very long outage refuses; then nothing was spent.
            return Move(rules.after_points, _reason(refusal), operations.end)
        values = {
            "redemption_txn_id": captured.txn_id,
            "available_points": captured.available_points,
            "voucher_code": self._codes.voucher(order.order_id),
        }
        return Move(rules.after_capture, values, operations.announce_completed)

    async def release(self, order: Order) -> Move[Order]:
        """Refused, or cancelled before it was known whether points were held: release them by the hold's request id."""
        request = points_pb2.ReleaseRequest(
            request_id=order.step_id("release"),
            member_id=to_edge("mbr", order.member_id),
            hold_request_id=order.step_id("hold"),
        )
        values = await self._neighbours.release(order.group_id, request)
        return Move(rules.after_points, values, operations.end)

    async def reverse(self, order: Order) -> Move[Order]:
        """Give the spent points back to the lots they came from."""
        request = points_pb2.ReverseRedemptionRequest(
            request_id=order.step_id("reverse"),
            member_id=to_edge("mbr", order.member_id),
            redemption_txn_id=order.redemption_txn_id or "",
        )
        reversed_ = await self._neighbours.reverse_redemption(order.group_id, request)
        values = {"available_points": reversed_.available_points}
        return Move(rules.after_points, values, operations.end)

    async def return_benefit(self, order: Order) -> Move[Order]:
        """Give the unit back, or see to it that none is used any more."""
        request = benefits_pb2.CancelBenefitUseRequest(
            request_id=order.step_id("return"),
            member_id=to_edge("mbr", order.member_id),
            benefit_code=order.benefit_code,
            reference=to_edge("ord", order.order_id),
        )
        await self._neighbours.cancel_benefit_use(order.group_id, request)
        return Move(rules.after_return, {}, operations.end)


def _reason(refusal: Refused) -> dict[str, object]:
    return {"reject_status": refusal.status.SerializeToString()}
