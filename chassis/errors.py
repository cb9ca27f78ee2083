"""Typed errors that cross gRPC and HTTP intact.

An error is a class: its docstring is the English sentence, `zh` the Chinese one, `reason` the stable name, `code` the
gRPC status. The values behind the sentence travel as metadata, so that any client can build its own sentence.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from huitong.common.v1 import types_pb2

DOMAIN = "huitong"
# An error travels in HTTP/2 headers, each value in four places and in part percent-encoded. Clients drop headers of
# more than 8 KiB, and the caller would hear of a broken stream instead of what was wrong.
VALUE_BYTES, VIOLATIONS_BYTES = 500, 1_000


class AppError(Exception):
    """The request could not be done."""

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.FAILED_PRECONDITION
    reason: ClassVar[str] = "FAILED"
    zh: ClassVar[str] = "请求无法完成。"
    retry_after_ms: int | None = None

    def __init__(self, **values: Any) -> None:
        self.values = {name: cut(str(value), VALUE_BYTES) for name, value in values.items()}
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The English sentence with its values filled in."""
        return _fill(inspect.cleandoc(type(self).__doc__ or "").splitlines()[0], self.values)

    @property
    def message_zh(self) -> str:
        """The Chinese sentence with its values filled in."""
        return _fill(self.zh, self.values)

    def to_status(self) -> status_pb2.Status:
        """The error as google.rpc.Status with ErrorInfo and both sentences."""
        number = self.code.value[0]
        info = error_details_pb2.ErrorInfo(reason=self.reason, domain=DOMAIN, metadata=self.values)
        chinese = error_details_pb2.LocalizedMessage(locale="zh-CN", message=self.message_zh)
        details: list[Any] = [info, chinese]
        if self.retry_after_ms is not None:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromMilliseconds(self.retry_after_ms)
            details.append(retry)
        return status_pb2.Status(code=number, message=self.message, details=[_pack(detail) for detail in details])

    def to_problem(self) -> types_pb2.Problem:
        """The error as the answer to one item of a batch."""
        return types_pb2.Problem(
            reason=self.reason, message=self.message, message_zh=self.message_zh, metadata=self.values
        )


def _pack(message: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def cut(text: str, most_bytes: int) -> str:
    """`text`, or its beginning and "…" when it is longer than `most_bytes` in UTF-8."""
    raw = text.encode(errors="replace")
    return text if len(raw) <= most_bytes else raw[: most_bytes - 3].decode(errors="ignore") + "…"


def _fill(template: str, values: dict[str, str]) -> str:
    try:
        return template.format_map(values)
    except (KeyError, ValueError, IndexError):
        return template


class Violation(NamedTuple):
    """What is wrong with a field of a request.

    `part_id` is the id of the part of it that the field is in, where the caller has given it one; `column` the place in
    the field's text, 1 the first, 0 when it is about all of it.
    """

    field: str
    description: str
    part_id: str = ""
    column: int = 0


class InvalidArgument(AppError):
    """The request has wrong or missing values: {fields}."""

    code, reason = grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT"
    zh = "请求中有错误或缺失的字段：{fields}。"

    def __init__(self, violations: Sequence[Violation | tuple[str, str]]) -> None:
        self.violations = _first([Violation(*violation) for violation in violations])
        super().__init__()
        self.values["fields"] = "; ".join(
            f"{each.field}: {each.description}" if each.field else each.description for each in self.violations
        )
        self.args = (self.message,)

    def to_status(self) -> status_pb2.Status:
        """As for every error, with google.rpc.BadRequest naming each field, and Spots when there is more to tell."""
        status = super().to_status()
        bad = error_details_pb2.BadRequest(
            field_violations=[
                error_details_pb2.BadRequest.FieldViolation(field=each.field, description=each.description)
                for each in self.violations
            ]
        )
        status.details.append(_pack(bad))
        if any(each.part_id or each.column for each in self.violations):
            spots = [types_pb2.Spot(part_id=each.part_id, column=each.column) for each in self.violations]
            status.details.append(_pack(types_pb2.Spots(spots=spots)))
        return status


def _first(violations: Sequence[Violation]) -> list[Violation]:
    """As many as an error can carry, and how many more there are."""
    kept: list[Violation] = []
    left_bytes = VIOLATIONS_BYTES
    for violation in violations:
        field, text, part_id = (cut(value, VALUE_BYTES) for value in violation[:3])
        left_bytes -= sum(len(value.encode(errors="replace")) for value in (field, text, part_id))
        if left_bytes < 0 and kept:
            return [*kept, Violation("", f"and {len(violations) - len(kept)} more")]
        kept.append(Violation(field, text, part_id, violation.column))
    return kept


class Unauthenticated(AppError):
    """The call carries no valid identity."""

    code, reason = grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"
    zh = "缺少有效的身份凭证。"


class PermissionDenied(AppError):
    """This caller may not call {method}."""

    code, reason = grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"
    zh = "当前身份无权调用 {method}。"


class NotYours(AppError):
    """The field {field} names something that does not belong to the caller."""

    code, reason = grpc.StatusCode.PERMISSION_DENIED, "NOT_YOURS"
    zh = "字段 {field} 所指的对象不属于当前调用者。"


class ProofNeeded(AppError):
    """This needs a fresh proof for {purpose}, in the header Huitong-Proof; get one at {start_at}."""

    code, reason = grpc.StatusCode.PERMISSION_DENIED, "PROOF_NEEDED"
    zh = "此操作（{purpose}）需要重新验证身份，请先在 {start_at} 获取证明，并放入 Huitong-Proof 请求头。"

    def __init__(self, purpose: str, member_id: str) -> None:
        super().__init__(purpose=purpose, start_at=f"/v1/members/{member_id}/proofs:start")


class RequestIdReused(AppError):
    """The request id {request_id} was used before with other content."""

    code, reason = grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED"
    zh = "请求号 {request_id} 已被不同内容的请求使用。"


class Overloaded(AppError):
    """The service has too much to do; try again shortly."""

    code, reason = grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"
    zh = "系统繁忙，请稍后重试。"
    retry_after_ms = 200


class Unavailable(AppError):
    """A part that this needs does not answer; try again with the same request id."""

    code, reason = grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"
    zh = "所需的服务暂时不可用，请用同一请求号重试。"
    retry_after_ms = 500


class DeadlineExceeded(AppError):
    """The answer did not come in time; try again with the same request id."""

    code, reason = grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"
    zh = "未能按时完成，请用同一请求号重试。"


class Unimplemented(AppError):
    """This does not exist yet."""

    code, reason = grpc.StatusCode.UNIMPLEMENTED, "UNIMPLEMENTED"
    zh = "此功能尚未提供。"


class Internal(AppError):
    """Something went wrong on our side."""

    code, reason = grpc.StatusCode.INTERNAL, "INTERNAL"
    zh = "系统内部错误。"


class RemoteError(AppError):
    """An error that another service answered; it passes through unchanged."""

    def __init__(self, status: status_pb2.Status) -> None:
        self.status = status
        self.code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)  # type: ignore[misc]
        values: dict[str, str] = {}
        for detail in status.details:
            if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
                info = error_details_pb2.ErrorInfo()
                detail.Unpack(info)
                self.reason = info.reason  # type: ignore[misc]
                values = dict(info.metadata)
            elif detail.Is(error_details_pb2.LocalizedMessage.DESCRIPTOR):
                chinese = error_details_pb2.LocalizedMessage()
                detail.Unpack(chinese)
                self.zh = chinese.message  # type: ignore[misc]
        super().__init__(**values)

    @property
    def message(self) -> str:
        """The sentence as the other service wrote it."""
        return self.status.message

    @property
    def message_zh(self) -> str:
        """The Chinese sentence as the other service wrote it."""
        return self.zh

    def to_status(self) -> status_pb2.Status:
        """The status as it came."""
        return self.status


_CODES = {code.value[0]: code for code in grpc.StatusCode}

# What a transport failure means to the caller: nothing of what the peer or the library said leaks.
_TRANSPORT: dict[grpc.StatusCode, type[AppError]] = {
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Overloaded,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
    grpc.StatusCode.CANCELLED: Unavailable,
}


def from_rpc_error(error: grpc.RpcError) -> AppError:
    """The typed error behind a failed call: the service's own, or what the transport failure means."""
    status = rpc_status.from_call(error) if hasattr(error, "trailing_metadata") else None
    if status is not None and any(d.Is(error_details_pb2.ErrorInfo.DESCRIPTOR) for d in status.details):
        return RemoteError(status)
    code = error.code() if hasattr(error, "code") else grpc.StatusCode.UNKNOWN
    return _TRANSPORT.get(code, Internal)()


def http_status(code: grpc.StatusCode) -> int:
    """The HTTP status of a gRPC code, as google.rpc.Code maps them."""
    return _HTTP.get(code.value[0], 500)


_HTTP = {
    code_pb2.OK: 200,
    code_pb2.CANCELLED: 499,
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.DEADLINE_EXCEEDED: 504,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.UNAUTHENTICATED: 401,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.FAILED_PRECONDITION: 422,
    code_pb2.ABORTED: 409,
    code_pb2.OUT_OF_RANGE: 400,
    code_pb2.UNIMPLEMENTED: 501,
    code_pb2.INTERNAL: 500,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.DATA_LOSS: 500,
}
