"""Errors of orders and vouchers."""

from __future__ import annotations

import grpc

from chassis.errors import AppError


class OrderUnknown(AppError):
    """There is no order {order_id} of this member."""

    code, reason = grpc.StatusCode.NOT_FOUND, "ORDER_UNKNOWN"
    zh = "该会员没有订单 {order_id}。"


class VoucherUnknown(AppError):
    """There is no voucher with this code."""

    code, reason = grpc.StatusCode.NOT_FOUND, "VOUCHER_UNKNOWN"
    zh = "券码不存在。"


class VoucherUsed(AppError):
    """The voucher was used at {use_time}."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "VOUCHER_USED"
    zh = "该券已于 {use_time} 核销。"


class VoucherCancelled(AppError):
    """The voucher's order was cancelled."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "VOUCHER_CANCELLED"
    zh = "该券的订单已取消。"
