"""Errors of coupons."""

from __future__ import annotations

import grpc

from chassis.errors import AppError


class TemplateUnknown(AppError):
    """There is no coupon template {template_id}."""

    code, reason = grpc.StatusCode.NOT_FOUND, "TEMPLATE_UNKNOWN"
    zh = "优惠券模板 {template_id} 不存在。"


class TemplateInvalid(AppError):
    """The template's {field} is wrong: {why}."""

    code, reason = grpc.StatusCode.INVALID_ARGUMENT, "TEMPLATE_INVALID"
    zh = "优惠券模板的 {field} 有误：{why}。"


class TemplateExhausted(AppError):
    """All {quantity} coupons of this template are issued."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "TEMPLATE_EXHAUSTED"
    zh = "该优惠券共 {quantity} 张，已发完。"


class TemplateNotValidNow(AppError):
    """The template's validity ended at {valid_until_time}."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "TEMPLATE_NOT_VALID_NOW"
    zh = "该优惠券模板已于 {valid_until_time} 失效。"


class CouponUnknown(AppError):
    """There is no such coupon."""

    code, reason = grpc.StatusCode.NOT_FOUND, "COUPON_UNKNOWN"
    zh = "优惠券不存在。"


class CouponUsed(AppError):
    """The coupon was used at {use_time}."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "COUPON_USED"
    zh = "该优惠券已于 {use_time} 使用。"


class CouponNotUsed(AppError):
    """The coupon is not written off."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "COUPON_NOT_USED"
    zh = "该优惠券尚未核销。"


class CouponExpired(AppError):
    """The coupon was valid until {valid_until_time}."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "COUPON_EXPIRED"
    zh = "该优惠券已于 {valid_until_time} 过期。"


class CouponLocked(AppError):
    """Another checkout is using the coupon."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "COUPON_LOCKED"
    zh = "该优惠券正在另一笔结账中使用。"


class CouponInCheckout(AppError):
    """The coupon was used by the checkout {checkout_id}; void that to get it back."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "COUPON_IN_CHECKOUT"
    zh = "该优惠券由结账单 {checkout_id} 使用，请撤销该结账单。"


class CouponNotApplicable(AppError):
    """The coupon does not fit this purchase: {why}."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "COUPON_NOT_APPLICABLE"
    zh = "该优惠券不适用于本次消费：{why}。"
