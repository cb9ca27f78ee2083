"""OpenAPI 3.1 from the contract: paths, who may call, limits, errors, schemas."""

from __future__ import annotations

import re
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from chassis.acts import MOST_REASON_BYTES, recorded_kinds
from chassis.identity import CallerKind
from gateway.binding import find_field, find_message
from gateway.contract import Contract, HttpBinding, Operation
from gateway.errors import problem_title
from gateway.limits import CALLS_PER_MINUTE
from gateway.routing import Template
from gateway.schemas import Schemas

_ERRORS = re.compile(r"Errors?:(.*)", re.DOTALL)
_REASON = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
# By status: the reasons that any operation may answer with it, and what it means in both languages.
_GENERAL: dict[str, tuple[tuple[str, ...], str, str]] = {
    "400": (
        ("INVALID_ARGUMENT", "MALFORMED_JSON", "BAD_CONTENT_ENCODING"),
        "The request is not valid.",
        "请求无效。",
    ),
    "401": (
        (
            "UNAUTHENTICATED",
            "SIGNATURE_INVALID",
            "SIGNATURE_EXPIRED",
            "NONCE_REUSED",
            "KEY_UNKNOWN_OR_REVOKED",
            "CERTIFICATE_NEEDED",
            "SESSION_ENDED",
        ),
        "There is no valid identity.",
        "身份无效。",
    ),
    "403": (("PERMISSION_DENIED", "NOT_YOURS"), "Not allowed, or somebody else's.", "无权限，或对象不属于调用者。"),
    "404": (("ROUTE_UNKNOWN",), "What the request names is not there.", "对象不存在。"),
    "409": (("REQUEST_ID_REUSED",), "Something else has taken that place.", "与已有的内容冲突。"),
    "413": (("BODY_TOO_LARGE", "TOO_MANY_LINES"), "The body is too large.", "请求体过大。"),
    "415": (
        ("UNSUPPORTED_MEDIA_TYPE",),
        "The Content-Type or Content-Encoding is not taken.",
        "不支持的内容类型或编码。",
    ),
    "422": ((), "The request is valid, but cannot be done as things stand.", "当前状态下无法完成。"),
    "429": (("RATE_LIMITED", "OVERLOADED"), "Too many calls; Retry-After says when to come again.", "调用过于频繁。"),
    "431": (("HEADERS_TOO_LARGE",), "The headers are too large.", "请求头过大。"),
    "500": (("INTERNAL",), "Something went wrong on our side; the trace id helps us to find it.", "系统内部错误。"),
    "501": (("UNIMPLEMENTED",), "This installation does not offer it.", "此安装不提供该功能。"),
    "503": (
        ("UNAVAILABLE",),
        "A part does not answer: try again with the same request id.",
        "服务暂不可用，请用同一请求号重试。",
    ),
    "504": (
        ("DEADLINE_EXCEEDED",),
        "Not done in time: try again with the same request id.",
        "未能按时完成，请用同一请求号重试。",
    ),
}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details. `reason` is stable, sentences are not. 错误详情，reason 稳定不变。",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "reason": {"type": "string", "description": "Stable name, INSUFFICIENT_POINTS."},
        "detail": {"type": "string", "description": "A sentence in the language of Accept-Language."},
        "detail_zh": {"type": "string", "description": "The same in Chinese."},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "description": {"type": "string"},
                    "part_id": {"type": "string", "description": "The id of the part that the field is in, a rule's."},
                    "column": {"type": "integer", "description": "The place in the field's text, 1 is the first."},
                },
            },
        },
        "trace_id": {"type": "string"},
    },
    "required": ["type", "title", "status", "reason", "detail"],
    "example": {
        "type": "urn:huitong:problem:INSUFFICIENT_POINTS",
        "title": "Cannot be done",
        "status": 422,
        "reason": "INSUFFICIENT_POINTS",
        "detail": "Member has 120 points; 500 requested.",
        "detail_zh": "会员有 120 积分，需要 500 积分。",
        "metadata": {"available_points": "120", "requested_points": "500"},
    },
}
_HEADERS: dict[str, dict[str, Any]] = {
    "X-Trace-Id": {
        "description": "Tell us this when you ask about a call. 追踪号，查询问题时请提供。",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "example": "4bf92f3577b34da6a3ce929d0e0e4736",
    },
    "RateLimit": {
        "description": "Calls left (r), and seconds until all are there again (t). 剩余次数与恢复秒数。",
        "schema": {"type": "string"},
        "example": '"calls";r=59;t=1',
    },
    "RateLimit-Policy": {
        "description": "Calls allowed (q) in so many seconds (w). 限额与时间窗口。",
        "schema": {"type": "string"},
        "example": '"calls";q=60;w=60',
    },
    "Retry-After": {
        "description": "Seconds. 秒。",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
        "example": 1,
    },
    "WWW-Authenticate": {
        "description": "The ways to say who calls. 可用的身份验证方式。",
        "required": True,
        "schema": {"type": "string"},
        "example": "Bearer, HUITONG-HMAC-SHA256",
    },
}
_LIMIT_HEADERS = ("RateLimit", "RateLimit-Policy")
_MORE_HEADERS = {"401": ("WWW-Authenticate",), "429": (*_LIMIT_HEADERS, "Retry-After"), "503": ("Retry-After",)}
# A line that the service refused has a reason and its sentences; only a whole answer has a status.
_LINE_PROBLEM: dict[str, Any] = {
    **{name: value for name, value in _PROBLEM.items() if name != "example"},
    "description": "Why one line of a batch was refused; the others are not held up. 批量中某一行被拒绝的原因。",
    "required": ["type", "title", "reason", "detail"],
}
_SECURITY = {
    "memberToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A member's access token, valid 15 minutes. 会员访问令牌，15 分钟有效。",
    },
    "memberProof": {
        "type": "apiKey",
        "in": "header",
        "name": "Huitong-Proof",
        "description": "A member's proof beside the access token, from ProofService.CompleteProof: for one purpose and "
        "one request, within 5 minutes. Other callers need none. 会员身份证明：单一用途、单次请求，5 分钟内有效。",
    },
    "operatorSession": {
        "type": "http",
        "scheme": "bearer",
        "description": "An operator's session token (`hts_…`), from OperatorSessionService.LogIn: 30 minutes idle, 12 "
        "hours in all. 操作员会话令牌：闲置 30 分钟失效，最长 12 小时。",
    },
    "signedRequest": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": (
            "`HUITONG-HMAC-SHA256 key_id=…, timestamp=…, nonce=…, signature=…` where signature is the hex "
            "HMAC-SHA256 by the secret over these seven, joined by newlines: METHOD, path, query (both as sent, the "
            "query without its question mark), hex SHA-256 of the body as sent, unix seconds, nonce (16 to 64 "
            "characters, never used twice), key id. Good for 5 minutes. For terminals, car-park vendors, merchants, "
            "partners and the group's systems. 终端、停车供应商、商户、合作伙伴与集团系统的请求签名。"
        ),
    },
}
_SCHEME_OF = {
    CallerKind.MEMBER: "memberToken",
    CallerKind.TERMINAL: "signedRequest",
    CallerKind.VENDOR: "signedRequest",
    CallerKind.SYSTEM: "signedRequest",
    CallerKind.OPERATOR: "operatorSession",
    CallerKind.MERCHANT: "signedRequest",
    CallerKind.PARTNER: "signedRequest",
}
# Of what leaves an entry in the audit.
_REASON_PARAMETER: dict[str, Any] = {
    "name": "Huitong-Reason",
    "in": "header",
    "required": False,
    "description": "Why, for the audit: UTF-8 text, percent-encoded, at most 1,500 bytes. A reason that the request "
    "itself has comes first. Not the place for personal data. 操作原因，写入审计：UTF-8 百分号编码，"
    "不超过 1500 字节；请求体中已有原因时以其为准；请勿填写个人信息。",
    # Three letters for a byte.
    "schema": {"type": "string", "maxLength": 3 * MOST_REASON_BYTES},
    "example": "ordered%20by%20the%20board",
}
_PROOF_REASONS = ["PROOF_NEEDED", "PROOF_INVALID", "PROOF_USED"]
_INTRODUCTION = """\
One membership, one points pool and one settlement. JSON in snake_case; amounts are whole minor units (fen), points are
whole; times are RFC 3339; unknown fields are refused. Every change carries a `request_id` chosen by the caller: the
same request sent again gets the first answer. Bulk doors take `application/x-ndjson`, one element a line, and answer
line by line; bodies may be gzipped.

会员、积分、结算一体。JSON 字段为 snake_case；金额为整数分，积分为整数；时间为 RFC 3339；未知字段会被拒绝。
每个写操作都带调用方自定的 `request_id`：同一请求重发，得到第一次的结果。
批量接口按行收发 NDJSON，请求体可用 gzip 压缩。"""


def describe(contract: Contract) -> dict[str, Any]:
    """The OpenAPI document."""
    operations = contract.operations()
    schemas = Schemas(contract.comments, operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        for index, http in enumerate(operation.http):
            path = paths.setdefault(Template.parse(http.template).open_path, {})
            path[http.verb.lower()] = _operation(contract, schemas, operation, http, index)
    used = {operation.method.containing_service.full_name for operation in operations}
    tags = [
        {"name": service.name, "description": contract.comments.of(service), "x-package": service.full_name}
        for service in contract.services
        if service.full_name in used
    ]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Huitong API 汇通开放接口", "version": "1", "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM, "LineProblem": _LINE_PROBLEM, **schemas.components()},
            "responses": {f"E{status}": _refusal(status) for status in _GENERAL},
            "headers": _HEADERS,
            "securitySchemes": _SECURITY,
        },
    }


def _refusal(status: str) -> dict[str, Any]:
    """The answer with one status, with an example of it."""
    reasons, english, chinese = _GENERAL[status]
    example = {**_PROBLEM["example"], "status": int(status), "title": problem_title(int(status))}
    if reasons:
        example |= {"type": f"urn:huitong:problem:{reasons[0]}", "reason": reasons[0], "metadata": {}}
        example |= {"detail": english, "detail_zh": chinese}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": " ".join([english, f"{', '.join(reasons)}." if reasons else "", chinese]).replace("  ", " "),
        "content": {"application/problem+json": {"schema": schema, "example": example}},
        "headers": _headers(*_MORE_HEADERS.get(status, ())),
        "x-reasons": list(reasons),
    }


def _headers(*more: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Trace-Id", *more)}


def error_reasons(comment: str) -> list[str]:
    """The reasons that an RPC's comment names after "Errors:"."""
    match = _ERRORS.search(comment)
    return list(dict.fromkeys(_REASON.findall(match[1]))) if match else []


def _sibling(contract: Contract, operation: Operation, name: str) -> str:
    """The full name of an RPC of the same package; "" when there is none."""
    package = operation.method.containing_service.file.package
    own = operation.method.containing_service.full_name
    found = [
        method.full_name
        for method in contract.methods()
        if method.name == name and method.containing_service.file.package == package
    ]
    return next((full for full in found if full == f"{own}.{name}"), found[0] if found else "")


def _reasons(contract: Contract, operation: Operation) -> list[str]:
    """The operation's own error reasons, and those of another RPC of its package that its comment points to."""
    comment = contract.comments.of(operation.method)
    reasons = error_reasons(comment)
    other = re.search(r"Errors?: as (\w+)", " ".join(comment.split()))
    if other:
        reasons += error_reasons(contract.comments.of(_sibling(contract, operation, other[1])))
    return list(dict.fromkeys(reasons))


def _operation(
    contract: Contract, schemas: Schemas, operation: Operation, http: HttpBinding, index: int
) -> dict[str, Any]:
    comment = contract.comments.of(operation.method)
    text = " ".join(_ERRORS.sub("", comment).split())
    summary = re.split(r"(?<=[.:;])\s", text, maxsplit=1)[0].rstrip(".:;")
    service = operation.method.containing_service.name
    kinds = sorted(operation.audiences)
    limits = {kind.value: operation.door.calls_per_minute or CALLS_PER_MINUTE[kind] for kind in kinds}
    reasons = _reasons(contract, operation) + (_PROOF_REASONS if operation.proof else [])
    result: dict[str, Any] = {
        "operationId": f"{service}_{operation.method.name}" + (f"_{index + 1}" if index else ""),
        "tags": [service],
        "summary": summary,
        "description": text,
        "x-rpc": operation.rpc[1:],
        "x-permission": operation.permission,
        "x-audiences": list(limits),
        "x-calls-per-minute": limits,
        "x-bindings": [{"audience": bound.kind.value, "field": ".".join(bound.path)} for bound in operation.bindings],
        "x-errors": reasons,
        "security": _security(operation),
        "responses": _responses(schemas, operation, http),
    }
    parameters = _parameters(schemas, operation, http)
    if parameters:
        result["parameters"] = parameters
    if http.body:
        result["requestBody"] = {"required": True, "content": _request_content(schemas, operation, http)}
    return result


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if CallerKind.PUBLIC in operation.audiences:
        return [{}]
    schemes = dict.fromkeys(_SCHEME_OF[kind] for kind in sorted(operation.audiences))
    proof: dict[str, list[str]] = {"memberProof": []} if operation.proof else {}
    return [{scheme: [], **(proof if scheme == "memberToken" else {})} for scheme in schemes]


def _parameters(schemas: Schemas, operation: Operation, http: HttpBinding) -> list[dict[str, Any]]:
    variables = Template.parse(http.template).variables
    found = []
    for name in variables:
        field = find_field(operation.request, name.split("."))
        found.append({"name": name, "in": "path", "required": True, **_parameter(schemas, field)})
    for each in operation.door.headers:
        parameter = _parameter(schemas, find_field(operation.request, [each.field]))
        found.append({"name": each.header, "in": "header", "required": True, **parameter})
    if http.body != "*":
        skipped = {*variables, http.body, *(each.field for each in operation.door.headers)}
        for name, field in _query_fields(operation.request, "", 0):
            if name not in skipped:
                found.append({"name": name, "in": "query", "required": False, **_parameter(schemas, field)})
    if recorded_kinds(operation.permission) & operation.audiences:
        found.append(_REASON_PARAMETER)
    return found


def _parameter(schemas: Schemas, field: FieldDescriptor) -> dict[str, Any]:
    schema = schemas.field(field)
    description = schema.pop("description", "")
    example = schemas.example_of(field)
    return {"schema": schema, "example": example, **({"description": description} if description else {})}


def _query_fields(message: Descriptor, prefix: str, depth: int) -> list[tuple[str, FieldDescriptor]]:
    found: list[tuple[str, FieldDescriptor]] = []
    for field in message.fields:
        inner = field.message_type
        if inner is None or inner.full_name.startswith("google.protobuf."):
            found.append((prefix + field.name, field))
        elif not field.is_repeated and depth < 2:
            found += _query_fields(inner, f"{prefix}{field.name}.", depth + 1)
    return found


def _request_content(schemas: Schemas, operation: Operation, http: HttpBinding) -> dict[str, Any]:
    if http.body != "*":
        field = find_field(operation.request, [http.body])
        if field.type == FieldDescriptor.TYPE_BYTES:
            return {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}, "example": "…"}}
        message = find_message(operation.request, [http.body])
        return {"application/json": {"schema": schemas.reference(message), "example": schemas.example(message)}}
    variables = set(Template.parse(http.template).variables)
    schema = schemas.reference(operation.request, without=variables)
    content = {"application/json": {"schema": schema, "example": schemas.example(operation.request, without=variables)}}
    if operation.door.ndjson_field:
        element = find_message(operation.request, [operation.door.ndjson_field])
        content["application/x-ndjson"] = {
            "schema": schemas.reference(element),
            "example": schemas.example(element),
            "x-each-line": True,
        }
    return content


def _responses(schemas: Schemas, operation: Operation, http: HttpBinding) -> dict[str, Any]:
    message = operation.response
    if http.response_body:
        message = find_message(message, [http.response_body])
    content: dict[str, Any] = {
        "application/json": {"schema": schemas.reference(message), "example": schemas.example(message)}
    }
    if operation.door.ndjson_field:
        result = find_message(operation.response, [operation.door.ndjson_result_field])
        line = {
            "type": "object",
            "properties": {
                "line": {"type": "integer", "minimum": 1},
                "result": schemas.reference(result),
                "error": {"$ref": "#/components/schemas/LineProblem"},
            },
            "required": ["line"],
        }
        example = {"line": 1, "result": schemas.example(result)}
        content["application/x-ndjson"] = {"schema": line, "example": example, "x-each-line": True}
    refused = {status: {"$ref": f"#/components/responses/E{status}"} for status in _GENERAL}
    done = {"description": "Done 成功", "headers": _headers(*_LIMIT_HEADERS), "content": content}
    return {"200": done, **refused}
