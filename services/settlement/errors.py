"""What settlement refuses, and facts that contradict what it knows."""

from __future__ import annotations

import grpc

from chassis.errors import AppError


class MerchantUnknown(AppError):
    """There is no merchant {merchant_id}."""

    code, reason = grpc.StatusCode.NOT_FOUND, "MERCHANT_UNKNOWN"
    zh = "商户 {merchant_id} 不存在。"


class EffectiveDateTaken(AppError):
    """Merchant {merchant_id} has other terms from {effective_date} on already."""

    code, reason = grpc.StatusCode.ALREADY_EXISTS, "EFFECTIVE_DATE_TAKEN"
    zh = "商户 {merchant_id} 自 {effective_date} 起已有其他合同条款。"


class PeriodInvalid(AppError):
    """{period} is not a month that can be settled."""

    code, reason = grpc.StatusCode.INVALID_ARGUMENT, "PERIOD_INVALID"
    zh = "{period} 不是有效的结算月份。"


class FactContradicts(Exception):
    """A fact takes back more than there was. It is parked for an operator: guessing would unbalance the ledger."""


class NotYet(Exception):
    """What a fact refers to has not arrived; the fact waits in `deferred_fact`."""
