"""What imports refuse."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class MemberImportUnknown(AppError):
    """There is no such import: {import_id}."""

    code, reason = StatusCode.NOT_FOUND, "MEMBER_IMPORT_UNKNOWN"
    zh = "导入任务 {import_id} 不存在。"
