"""What consents refuse."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class ConsentTextUnknown(AppError):
    """There is no version {version} of this purpose's text."""

    code, reason = StatusCode.NOT_FOUND, "CONSENT_TEXT_UNKNOWN"
    zh = "该用途的协议没有 {version} 版本。"


class ConsentTextChanged(AppError):
    """Version {version} is known with another text; a new text needs a new version."""

    code, reason = StatusCode.FAILED_PRECONDITION, "CONSENT_TEXT_CHANGED"
    zh = "版本 {version} 已存在且内容不同，新内容请使用新版本号。"
