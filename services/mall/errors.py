"""Errors that more than one capability raises."""

from __future__ import annotations

import grpc
from google.rpc import status_pb2

from chassis.errors import AppError, RemoteError


class MerchantUnknown(AppError):
    """There is no merchant {merchant_id}."""

    code, reason = grpc.StatusCode.NOT_FOUND, "MERCHANT_UNKNOWN"
    zh = "商户 {merchant_id} 不存在。"


class CodeTaken(AppError):
    """The code {code} is taken."""

    code, reason = grpc.StatusCode.ALREADY_EXISTS, "CODE_TAKEN"
    zh = "编码 {code} 已被占用。"


class LimitReached(AppError):
    """The member has {held_count} of these already; {limit_per_member} is the most."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "LIMIT_REACHED"
    zh = "该会员已领取 {held_count} 份，每人最多 {limit_per_member} 份。"


class WrongStore(AppError):
    """This does not belong to the store {store_id}."""

    code, reason = grpc.StatusCode.PERMISSION_DENIED, "WRONG_STORE"
    zh = "该业务不属于门店 {store_id}。"


class Refused(RemoteError):
    """Another service answered that it will not do this: a business decision, final for this request id."""


# Codes that are a decision. Whatever else a call ends with leaves its outcome unknown.
DECISIONS = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
    }
)


def from_stored(status: bytes) -> RemoteError:
    """The refusal that a saga's row keeps, as it came."""
    return RemoteError(status_pb2.Status.FromString(status))
