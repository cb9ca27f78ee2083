"""Errors of checkout. LINES_DO_NOT_SUM and CURRENCY_MISMATCH are told as points tells them, only earlier."""

from __future__ import annotations

import grpc

from chassis.errors import AppError


class LinesDoNotSum(AppError):
    """The lines sum to {lines_minor}, the total is {total_minor}."""

    code, reason = grpc.StatusCode.INVALID_ARGUMENT, "LINES_DO_NOT_SUM"
    zh = "明细合计 {lines_minor} 与总额 {total_minor} 不符。"


class CurrencyMismatch(AppError):
    """The store trades in {store_currency}, not in {currency}."""

    code, reason = grpc.StatusCode.INVALID_ARGUMENT, "CURRENCY_MISMATCH"
    zh = "该门店使用 {store_currency} 结算，不是 {currency}。"


class OffsetTooLarge(AppError):
    """At most {max_points} points may be used for this purchase; {requested_points} requested."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "OFFSET_TOO_LARGE"
    zh = "本次消费最多可用 {max_points} 积分，申请使用 {requested_points} 积分。"


class OffsetTooSmall(AppError):
    """At least {min_points} points are used for a purchase; {requested_points} requested."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "OFFSET_TOO_SMALL"
    zh = "每次消费至少使用 {min_points} 积分，申请使用 {requested_points} 积分。"


class SpendingNeedsCode(AppError):
    """Spending points needs the member's fresh code."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "SPENDING_NEEDS_CODE"
    zh = "使用积分需要会员出示动态码。"


class CheckoutUnknown(AppError):
    """There is no checkout {checkout_id}."""

    code, reason = grpc.StatusCode.NOT_FOUND, "CHECKOUT_UNKNOWN"
    zh = "结账单 {checkout_id} 不存在。"


class ReceiptChanged(AppError):
    """The receipt {receipt_no} belongs to the checkout {checkout_id}, made with another request id."""

    code, reason = grpc.StatusCode.ALREADY_EXISTS, "RECEIPT_CHANGED"
    zh = "小票 {receipt_no} 已属于另一请求号的结账单 {checkout_id}。"
