"""Use cases of orders: what happens in one transaction of the mall. The steps between them are in saga.py."""

from __future__ import annotations

from uuid import UUID

from chassis.db import Tx
from chassis.ids import derive, to_edge
from huitong.mall.v1 import events_pb2
from services.mall import copies
from services.mall.catalogue import operations as catalogue
from services.mall.catalogue import store as items
from services.mall.catalogue.errors import OutOfStock
from services.mall.errors import LimitReached, WrongStore
from services.mall.orders import rules, store
from services.mall.orders.errors import OrderUnknown, VoucherCancelled, VoucherUnknown, VoucherUsed
from services.mall.orders.rules import Order
from services.mall.saga import CLOCK, require_same


def order_id_of(group_id: UUID, request_id: str) -> UUID:
    """The order that a request makes; the row is the request's own record, so a retry finds it."""
    return derive(group_id, "order", request_id)


async def place_order(
    tx: Tx, *, request_id: str, request_hash: bytes, member_id: UUID, item_id: UUID
) -> tuple[Order, bool]:
    """Reserve one of the item's stock for a new order; answers the order and whether it is new.

    Raises: ItemUnknown, OutOfStock, LimitReached, RequestIdReused. A raised error leaves no trace.
    """
    order_id = order_id_of(tx.group_id, request_id)
    known = await store.find_order(tx, order_id)
    if known is None:
        item = await catalogue.get_item(tx, item_id)
        new = await store.insert_order(
            tx,
            Order(
                group_id=tx.group_id,
                order_id=order_id,
                request_id=request_id,
                request_hash=request_hash,
                state=rules.first_state(item.benefit_code),
                attempt_count=0,
                next_attempt_time=None,
                last_error=None,
                reject_status=None,
                member_id=member_id,
                item_id=item_id,
                merchant_id=item.merchant_id,
                benefit_code=item.benefit_code,
                points=item.price_points,
                order_time=tx.now,
                hold_id=None,
                redemption_txn_id=None,
                available_points=0,
                voucher_code=None,
                use_time=None,
                use_store_id=None,
                cancel_request_id=None,
            ),
        )
        if new is not None:
            await _take_stock(tx, new)
            return new, True
        # Another call with this request id was faster and has committed.
        known = await store.get_order(tx, order_id)
    require_same(request_id=request_id, known_hash=known.request_hash, new_hash=request_hash)
    return known, False


async def _take_stock(tx: Tx, order: Order) -> None:
    item = await items.lock_and_take_one(tx, order.item_id)
    if item is None:
        raise OutOfStock(item_id=to_edge("itm", order.item_id))
    if item.limit_per_member:
        # The item's row is locked, so no other order of this member for it can slip in between.
        # An order of an absorbed member is that one's until it is done, so that its points are spent in that name.
        people = await copies.people_of(tx, order.member_id)
        count = await store.count_held(tx, item_id=order.item_id, member_ids=people)
        if count > item.limit_per_member:
            raise LimitReached(held_count=count - 1, limit_per_member=item.limit_per_member)


async def announce_completed(tx: Tx, order: Order) -> None:
    """The order was done: stock, points and voucher."""
    tx.emit(
        events_pb2.OrderCompleted(
            order_id=to_edge("ord", order.order_id),
            member_id=to_edge("mbr", order.member_id),
            item_id=to_edge("itm", order.item_id),
            merchant_id=to_edge("mch", order.merchant_id),
            points=order.points,
        ),
        key=to_edge("ord", order.order_id),
    )


async def end(tx: Tx, order: Order) -> None:
    """If nothing is left of the order: its stock is there again, and who was told of it is told that it is undone."""
    if order.state not in rules.GIVEN_BACK:
        return
    await items.give_one_back(tx, order.item_id)
    if order.voucher_code is None:
        return
    tx.emit(
        events_pb2.OrderCancelled(
            order_id=to_edge("ord", order.order_id),
            member_id=to_edge("mbr", order.member_id),
            item_id=to_edge("itm", order.item_id),
            merchant_id=to_edge("mch", order.merchant_id),
            points=order.points,
        ),
        key=to_edge("ord", order.order_id),
    )


async def cancel_order(
    tx: Tx, *, order_id: UUID, member_id: UUID, merchant_id: UUID | None = None, request_id: str
) -> tuple[Order, Order]:
    """Begin to give everything back; from here on the voucher cannot be used. Order rows lock first.

    Answers the order as it was and as it is. One that is still under way is marked, and gives
    back as soon as it knows what it has taken.
    Raises: OrderUnknown, VoucherUsed.
    """
    order = await store.lock_order(tx, order_id)
    if (
        order is None
        or order.member_id not in (member_id, await copies.person_of(tx, member_id))
        or merchant_id not in (None, order.merchant_id)
    ):
        raise OrderUnknown(order_id=to_edge("ord", order_id))
    if order.use_time is not None:
        raise VoucherUsed(use_time=order.use_time.isoformat())
    if order.cancel_request_id or order.state in rules.GIVEN_BACK:
        return order, order
    if order.state == rules.COMPLETED:
        values = {"state": rules.undo(order), "next_attempt_time": CLOCK, "cancel_request_id": request_id}
    else:
        values = {"cancel_request_id": request_id}
    return order, await store.update_order(tx, order_id, values)


async def use_voucher(tx: Tx, *, voucher_code: str, store_id: UUID, merchant_id: UUID) -> tuple[Order, Order]:
    """Write a voucher off at a store of `merchant_id`; answers its order as it was and as it is.

    Raises: VoucherUnknown, WrongStore, VoucherUsed, VoucherCancelled.
    """
    order = await store.lock_order_by_code(tx, voucher_code)
    if order is None:
        raise VoucherUnknown
    if order.merchant_id != merchant_id:
        raise WrongStore(store_id=to_edge("sto", store_id))
    if order.use_time is not None:
        raise VoucherUsed(use_time=order.use_time.isoformat())
    if order.state != rules.COMPLETED:
        raise VoucherCancelled
    tx.emit(
        events_pb2.VoucherUsed(
            order_id=to_edge("ord", order.order_id),
            merchant_id=to_edge("mch", merchant_id),
            store_id=to_edge("sto", store_id),
        ),
        key=to_edge("ord", order.order_id),
    )
    return order, await store.update_order(tx, order.order_id, {"use_time": tx.now, "use_store_id": store_id})
