"""OrderService."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import grpc

from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.ids import from_edge, optional_from_edge, to_edge
from chassis.pages import decode_token, encode_token, page_size
from chassis.rpc import caller
from huitong.mall.v1 import mall_pb2, mall_pb2_grpc
from services.mall.codes import as_typed
from services.mall.copies import Copies, person_of
from services.mall.errors import from_stored
from services.mall.orders import operations, rules, store
from services.mall.orders.errors import OrderUnknown
from services.mall.orders.rules import Order
from services.mall.saga import Saga, request_hash

Context: TypeAlias = grpc.aio.ServicerContext


class OrderServicer(mall_pb2_grpc.OrderServiceServicer):
    """Orders of vouchers for points and benefits."""

    def __init__(self, db: Database, copies: Copies, saga: Saga[Order]) -> None:
        self._db, self._copies, self._saga = db, copies, saga

    async def PlaceOrder(self, request: mall_pb2.PlaceOrderRequest, _: Context) -> mall_pb2.PlaceOrderResponse:
        """See the proto. The order's row is the record of the request id, refusals by points included."""
        async with self._db.transaction(caller()) as tx:
            order, is_new = await operations.place_order(
                tx,
                request_id=request.request_id,
                request_hash=request_hash(request),
                member_id=from_edge("mbr", request.member_id, "member_id"),
                item_id=from_edge("itm", request.item_id, "item_id"),
            )
        if is_new:
            order = await self._saga.advance(order)
        else:
            order = await self._saga.finish(order.group_id, order.order_id)
        if order.state == rules.REJECTED and order.reject_status is not None:
            raise from_stored(order.reject_status)
        return mall_pb2.PlaceOrderResponse(order=order_to_proto(order), available_points=order.available_points)

    async def GetOrder(self, request: mall_pb2.GetOrderRequest, _: Context) -> mall_pb2.GetOrderResponse:
        """See the proto."""
        order_id = from_edge("ord", request.order_id, "order_id")
        member_id = from_edge("mbr", request.member_id, "member_id")
        merchant_id = optional_from_edge("mch", request.merchant_id, "merchant_id")
        async with self._db.reading(caller()) as tx:
            order = await store.find_order(tx, order_id)
            owners = (member_id, await person_of(tx, member_id))
        if order is None or order.member_id not in owners or merchant_id not in (None, order.merchant_id):
            raise OrderUnknown(order_id=request.order_id)
        return mall_pb2.GetOrderResponse(order=order_to_proto(order))

    async def ListOrders(self, request: mall_pb2.ListOrdersRequest, _: Context) -> mall_pb2.ListOrdersResponse:
        """See the proto."""
        limit = page_size(request.page_size)
        before = _read_token(request.page_token)
        member_id = from_edge("mbr", request.member_id, "member_id")
        merchant_id = optional_from_edge("mch", request.merchant_id, "merchant_id")
        async with self._db.reading(caller()) as tx:
            member_id = await person_of(tx, member_id)
            orders = await store.list_orders(
                tx, member_id=member_id, merchant_id=merchant_id, before=before, limit=limit + 1
            )
        response = mall_pb2.ListOrdersResponse(orders=[order_to_proto(order) for order in orders[:limit]])
        if len(orders) > limit:
            last = orders[limit - 1]
            response.next_page_token = encode_token(last.order_time.isoformat(), last.order_id.hex)
        return response

    async def CancelOrder(self, request: mall_pb2.CancelOrderRequest, _: Context) -> mall_pb2.CancelOrderResponse:
        """See the proto. A retry answers the order as it is by then."""
        order_id = from_edge("ord", request.order_id, "order_id")
        member_id = from_edge("mbr", request.member_id, "member_id")
        merchant_id = optional_from_edge("mch", request.merchant_id, "merchant_id")

        async def cancel(tx: Tx) -> mall_pb2.CancelOrderResponse:
            before, order = await operations.cancel_order(
                tx, order_id=order_id, member_id=member_id, merchant_id=merchant_id, request_id=request.request_id
            )
            tx.before = mall_pb2.CancelOrderResponse(order=order_to_proto(before))
            return mall_pb2.CancelOrderResponse(order=order_to_proto(order))

        await self._db.run_once(request, mall_pb2.CancelOrderResponse, cancel)
        order = await self._saga.finish(caller().group_id, order_id)
        return mall_pb2.CancelOrderResponse(order=order_to_proto(order))

    async def UseVoucher(self, request: mall_pb2.UseVoucherRequest, _: Context) -> mall_pb2.UseVoucherResponse:
        """See the proto."""
        where = await self._copies.store(caller().group_id, from_edge("sto", request.store_id, "store_id"))

        async def use(tx: Tx) -> mall_pb2.UseVoucherResponse:
            before, order = await operations.use_voucher(
                tx,
                voucher_code=as_typed(request.voucher_code),
                store_id=where.store_id,
                merchant_id=where.merchant_id,
            )
            tx.before = mall_pb2.UseVoucherResponse(order=order_to_proto(before))
            return mall_pb2.UseVoucherResponse(order=order_to_proto(order))

        return await self._db.run_once(request, mall_pb2.UseVoucherResponse, use)


def _read_token(token: str) -> tuple[datetime, UUID] | None:
    if not token:
        return None
    order_time, order_id = decode_token(token, 2)
    try:
        return datetime.fromisoformat(order_time), UUID(hex=order_id)
    except ValueError:
        raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None


_STATES = {
    rules.COMPLETED: mall_pb2.ORDER_STATE_COMPLETED,
    rules.REJECTED: mall_pb2.ORDER_STATE_REJECTED,
    rules.CANCELLED: mall_pb2.ORDER_STATE_CANCELLED,
}


def order_to_proto(order: Order) -> mall_pb2.Order:
    """The order as callers see it; every state with work left is PENDING."""
    message = mall_pb2.Order(
        order_id=to_edge("ord", order.order_id),
        member_id=to_edge("mbr", order.member_id),
        item_id=to_edge("itm", order.item_id),
        state=_STATES.get(order.state, mall_pb2.ORDER_STATE_PENDING),
        points=order.points,
        benefit_code=order.benefit_code,
        reject_reason=from_stored(order.reject_status).reason if order.reject_status else "",
    )
    message.order_time.FromDatetime(order.order_time)
    if order.state == rules.COMPLETED and order.voucher_code:
        message.voucher.code = order.voucher_code
        message.voucher.is_used = order.use_time is not None
        if order.use_time is not None:
            message.voucher.use_time.FromDatetime(order.use_time)
    return message
