"""What notices of payment platforms are refused for."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class NoticeSourceUnknown(AppError):
    """Notices are not taken at this address."""

    code, reason = StatusCode.NOT_FOUND, "NOTICE_SOURCE_UNKNOWN"
    zh = "该地址不接收支付通知。"


class NoticeKeyInvalid(AppError):
    """The platform key {serial} is no RSA public key or certificate of at least 2048 bits."""

    code, reason = StatusCode.INVALID_ARGUMENT, "NOTICE_KEY_INVALID"
    zh = "平台公钥 {serial} 不是 2048 位以上的 RSA 公钥或证书。"


class NoticeSignatureInvalid(AppError):
    """The notice is not signed by the platform, or not within the last five minutes."""

    code, reason = StatusCode.UNAUTHENTICATED, "NOTICE_SIGNATURE_INVALID"
    zh = "支付通知签名无效或已超过五分钟。"


class NoticeInvalid(AppError):
    """The notice cannot be read: {what}."""

    code, reason = StatusCode.INVALID_ARGUMENT, "NOTICE_INVALID"
    zh = "支付通知无法解析：{what}。"


class NoticeKindUnknown(AppError):
    """Notices of the kind {kind} are not taken here."""

    code, reason = StatusCode.INVALID_ARGUMENT, "NOTICE_KIND_UNKNOWN"
    zh = "不接收 {kind} 类通知。"
