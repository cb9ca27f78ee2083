"""What is refused about webhooks."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class WebhookEndpointUnknown(AppError):
    """The group has no webhook endpoint {webhook_endpoint_id}."""

    code, reason = StatusCode.NOT_FOUND, "WEBHOOK_ENDPOINT_UNKNOWN"
    zh = "集团中没有 Webhook 端点 {webhook_endpoint_id}。"


class WebhookEndpointDisabled(AppError):
    """The webhook endpoint {webhook_endpoint_id} is disabled; enable it first."""

    code, reason = StatusCode.FAILED_PRECONDITION, "WEBHOOK_ENDPOINT_DISABLED"
    zh = "Webhook 端点 {webhook_endpoint_id} 已停用，请先启用。"


class WebhookEndpointLimit(AppError):
    """The group has {limit} webhook endpoints already; change or delete one of them."""

    code, reason = StatusCode.FAILED_PRECONDITION, "WEBHOOK_ENDPOINT_LIMIT"
    zh = "集团已有 {limit} 个 Webhook 端点，请修改或删除已有端点。"


class WebhookUrlRefused(AppError):
    """Nothing is sent to this URL: {problem}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "WEBHOOK_URL_REFUSED"
    zh = "不能向该地址发送：{problem}。"


class WebhookReplayTooLarge(AppError):
    """There are {event_count} events in that time, more than {limit}; choose a shorter one."""

    code, reason = StatusCode.FAILED_PRECONDITION, "WEBHOOK_REPLAY_TOO_LARGE"
    zh = "该时段有 {event_count} 个事件，超过 {limit} 个，请缩短时段。"


class PartnerUnknown(AppError):
    """The group has no partner {partner_id} with a key that works."""

    code, reason = StatusCode.NOT_FOUND, "PARTNER_UNKNOWN"
    zh = "集团中没有持有有效凭证的合作伙伴 {partner_id}。"


class WebhookEventsNotAllowed(AppError):
    """The partner's keys do not permit to be told of {event_types}."""

    code, reason = StatusCode.PERMISSION_DENIED, "WEBHOOK_EVENTS_NOT_ALLOWED"
    zh = "该合作伙伴的凭证不允许接收事件：{event_types}。"
