"""Refusals of the gateway's own, and every error as problem+json (RFC 9457)."""

from __future__ import annotations

from typing import Any, ClassVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2

from chassis.errors import AppError, http_status
from huitong.common.v1 import types_pb2

PROBLEM_TYPE = "application/problem+json"
_NAMES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Cannot be done",
    429: "Too many requests",
    431: "Headers too large",
    500: "Internal error",
    501: "Not implemented",
    503: "Unavailable",
    504: "No answer in time",
}


class HttpError(AppError):
    """A refusal whose HTTP status no gRPC code stands for."""

    status: ClassVar[int] = 400


class RouteUnknown(HttpError):
    """There is nothing at {path}."""

    code, status, reason = grpc.StatusCode.NOT_FOUND, 404, "ROUTE_UNKNOWN"
    zh = "没有 {path} 这个地址。"


class MethodNotAllowed(HttpError):
    """{path} takes {allowed} only."""

    code, status, reason = grpc.StatusCode.UNIMPLEMENTED, 405, "METHOD_NOT_ALLOWED"
    zh = "{path} 只接受 {allowed}。"


class BodyTooLarge(HttpError):
    """The body is larger than {limit_bytes} bytes."""

    code, status, reason = grpc.StatusCode.INVALID_ARGUMENT, 413, "BODY_TOO_LARGE"
    zh = "请求体超过 {limit_bytes} 字节。"


class TooManyLines(HttpError):
    """The batch has more than {limit} lines."""

    code, status, reason = grpc.StatusCode.INVALID_ARGUMENT, 413, "TOO_MANY_LINES"
    zh = "批量请求超过 {limit} 行。"


class HeadersTooLarge(HttpError):
    """The headers are larger than {limit_bytes} bytes."""

    code, status, reason = grpc.StatusCode.INVALID_ARGUMENT, 431, "HEADERS_TOO_LARGE"
    zh = "请求头超过 {limit_bytes} 字节。"


class UnsupportedMediaType(HttpError):
    """The body must be {accepted}."""

    code, status, reason = grpc.StatusCode.INVALID_ARGUMENT, 415, "UNSUPPORTED_MEDIA_TYPE"
    zh = "请求体的类型必须是 {accepted}。"


class BadEncoding(AppError):
    """The body is not what its Content-Encoding says."""

    code, reason = grpc.StatusCode.INVALID_ARGUMENT, "BAD_CONTENT_ENCODING"
    zh = "请求体与其 Content-Encoding 不符。"


class RateLimited(AppError):
    """Too many calls; try again in {retry_after_seconds} s."""

    code, reason = grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED"
    zh = "调用过于频繁，请在 {retry_after_seconds} 秒后重试。"

    def __init__(self, retry_after_ms: int, *, calls_per_minute: int) -> None:
        self.retry_after_ms, self.calls_per_minute = retry_after_ms, calls_per_minute
        super().__init__(retry_after_seconds=whole_seconds(retry_after_ms))


class SignatureInvalid(AppError):
    """The request's signature does not fit its content."""

    code, reason = grpc.StatusCode.UNAUTHENTICATED, "SIGNATURE_INVALID"
    zh = "请求签名与内容不符。"


class SignatureExpired(AppError):
    """The request was signed more than {window_seconds} s away from our time, {server_time}."""

    code, reason = grpc.StatusCode.UNAUTHENTICATED, "SIGNATURE_EXPIRED"
    zh = "签名时间与服务器时间 {server_time} 相差超过 {window_seconds} 秒。"


class NonceReused(AppError):
    """A request with this nonce was received before."""

    code, reason = grpc.StatusCode.UNAUTHENTICATED, "NONCE_REUSED"
    zh = "该 nonce 已被使用。"


class CertificateNeeded(AppError):
    """This key works only beside its client certificate, at the TLS port."""

    code, reason = grpc.StatusCode.UNAUTHENTICATED, "CERTIFICATE_NEEDED"
    zh = "该密钥须与其客户端证书一起在 TLS 端口使用。"


class ProofInvalid(AppError):
    """The proof is not ours, has expired, or is for another member, session or purpose; get a new one."""

    code, reason = grpc.StatusCode.UNAUTHENTICATED, "PROOF_INVALID"
    zh = "身份证明无效、已过期，或属于其他会员、会话或用途，请重新获取。"


class ProofUsed(AppError):
    """The proof was used for another request; get a new one."""

    code, reason = grpc.StatusCode.UNAUTHENTICATED, "PROOF_USED"
    zh = "身份证明已用于另一请求，请重新获取。"


class KeyUnknownOrRevoked(AppError):
    """The key is not known, or was revoked."""

    code, reason = grpc.StatusCode.UNAUTHENTICATED, "KEY_UNKNOWN_OR_REVOKED"
    zh = "密钥不存在或已被吊销。"


class SessionEnded(AppError):
    """The session is not known or has ended; log in again."""

    code, reason = grpc.StatusCode.UNAUTHENTICATED, "SESSION_ENDED"
    zh = "会话不存在或已结束，请重新登录。"


def status_of(error: AppError) -> int:
    """The HTTP status that `error` is answered with."""
    return error.status if isinstance(error, HttpError) else http_status(error.code)


def whole_seconds(milliseconds: float) -> int:
    """Rounded up, at least 1: Retry-After has no fractions."""
    return max(1, -(-int(milliseconds) // 1000))


def problem_title(status: int) -> str:
    """The title of every answer with this status."""
    return _NAMES.get(status, "Error")


def problem(error: AppError, *, chinese: bool, trace_id: str = "") -> dict[str, Any]:
    """The body of the answer to a request that failed with `error`."""
    status = status_of(error)
    body: dict[str, Any] = {
        "type": f"urn:huitong:problem:{error.reason}",
        "title": problem_title(status),
        "status": status,
        "detail": error.message_zh if chinese else error.message,
        "detail_zh": error.message_zh,
        "reason": error.reason,
        "metadata": dict(error.values),
    }
    violations: list[dict[str, Any]] = [
        {"field": each.field, "description": each.description}
        for bad in _details(error, error_details_pb2.BadRequest)
        for each in bad.field_violations  # type: ignore[attr-defined]
    ]
    for found in _details(error, types_pb2.Spots):
        for violation, spot in zip(violations, found.spots, strict=False):  # type: ignore[attr-defined]
            violation.update({name: value for name in ("part_id", "column") if (value := getattr(spot, name))})
    if violations:
        body["errors"] = violations
        body["metadata"].pop("fields", None)  # the same text once more
    if trace_id:
        body["trace_id"] = trace_id
    return body


def line_problem(message: Any, *, chinese: bool) -> dict[str, Any]:
    """A huitong.common.v1.Problem that a service answered for one element, in the same form."""
    return {
        "type": f"urn:huitong:problem:{message.reason}",
        "title": "Refused",
        "detail": (chinese and message.message_zh) or message.message,
        "detail_zh": message.message_zh,
        "reason": message.reason,
        "metadata": dict(message.metadata),
    }


def retry_after_seconds(error: AppError) -> int | None:
    """When to try again, for Retry-After; None when trying again does not help."""
    for retry in _details(error, error_details_pb2.RetryInfo):
        return whole_seconds(retry.retry_delay.ToMilliseconds())  # type: ignore[attr-defined]
    return 1 if status_of(error) in (429, 503) else None


def _details(error: AppError, kind: type[Message]) -> list[Message]:
    found = []
    for detail in error.to_status().details:
        if detail.Is(kind.DESCRIPTOR):
            message = kind()
            detail.Unpack(message)
            found.append(message)
    return found
