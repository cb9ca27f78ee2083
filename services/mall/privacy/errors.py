"""What keeps a member from being erased here. None of them tells a person's data: they are kept with the erasure."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class OrderOpen(AppError):
    """Order {order_id} is being worked on."""

    code, reason = StatusCode.FAILED_PRECONDITION, "ORDER_OPEN"
    zh = "订单 {order_id} 正在处理中。"


class CheckoutOpen(AppError):
    """Checkout {checkout_id} is being worked on."""

    code, reason = StatusCode.FAILED_PRECONDITION, "CHECKOUT_OPEN"
    zh = "收银单 {checkout_id} 正在处理中。"
