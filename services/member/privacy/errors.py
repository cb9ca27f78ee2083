"""What export and erasure refuse."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class ErasureUnknown(AppError):
    """Nobody has asked for this member to be erased."""

    code, reason = StatusCode.NOT_FOUND, "ERASURE_UNKNOWN"
    zh = "该会员没有注销申请。"


class ErasureUnderWay(AppError):
    """Member {member_id} is being erased, is erased or has asked for it: withdraw the erasure first if it can be."""

    code, reason = StatusCode.FAILED_PRECONDITION, "ERASURE_UNDER_WAY"
    zh = "会员 {member_id} 已申请注销、正在注销或已注销；如可撤回，请先撤回注销申请。"


class ErasureBegun(AppError):
    """The erasure has begun and cannot be withdrawn."""

    code, reason = StatusCode.FAILED_PRECONDITION, "ERASURE_BEGUN"
    zh = "注销已开始，无法撤回。"
