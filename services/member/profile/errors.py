"""What profiles refuse."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class BirthdayChangesUsedUp(AppError):
    """The birthday may be changed {limit} times and has been; ask the service desk."""

    code, reason = StatusCode.FAILED_PRECONDITION, "BIRTHDAY_CHANGES_USED_UP"
    zh = "生日最多可修改 {limit} 次，次数已用完，请联系客服。"
