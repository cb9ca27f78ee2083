"""What imports refuse."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class BusinessUnitUnknown(AppError):
    """The group has no business unit {business_unit_id}."""

    code, reason = StatusCode.NOT_FOUND, "BUSINESS_UNIT_UNKNOWN"
    zh = "集团中没有业态单元 {business_unit_id}。"


class MemberImportUnknown(AppError):
    """There is no such import: {import_id}."""

    code, reason = StatusCode.NOT_FOUND, "MEMBER_IMPORT_UNKNOWN"
    zh = "导入任务 {import_id} 不存在。"
