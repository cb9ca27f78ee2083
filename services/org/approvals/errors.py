"""What is refused about approvals."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class ApprovalUnknown(AppError):
    """The group has no approval {approval_id}."""

    code, reason = StatusCode.NOT_FOUND, "APPROVAL_UNKNOWN"
    zh = "集团中没有审批 {approval_id}。"


class ApprovalPending(AppError):
    """Nobody has approved this yet."""

    code, reason = StatusCode.FAILED_PRECONDITION, "APPROVAL_PENDING"
    zh = "该申请尚未获批准。"


class ApprovalDecided(AppError):
    """This was decided already: {state}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "APPROVAL_DECIDED"
    zh = "该申请已有结果：{state}。"


class ApprovalExpired(AppError):
    """The approval has expired; ask anew."""

    code, reason = StatusCode.FAILED_PRECONDITION, "APPROVAL_EXPIRED"
    zh = "该审批已过期，请重新申请。"


class ApprovalForOtherContent(AppError):
    """What was approved is not what is asked for now."""

    code, reason = StatusCode.FAILED_PRECONDITION, "APPROVAL_FOR_OTHER_CONTENT"
    zh = "获批内容与当前请求不一致。"


class SecondPersonNeeded(AppError):
    """Who approves this must neither have asked for it nor have been invited by who did."""

    code, reason = StatusCode.PERMISSION_DENIED, "SECOND_PERSON_NEEDED"
    zh = "批准人不得是申请人，也不得由申请人邀请或重置。"


class ApprovalLimitExceeded(AppError):
    """This is about {amount}; your roles may approve up to {limit}."""

    code, reason = StatusCode.PERMISSION_DENIED, "APPROVAL_LIMIT_EXCEEDED"
    zh = "该申请数额为 {amount}，您的角色最多可批准 {limit}。"


class ApprovalSpanExceeded(AppError):
    """This is about {amount}; of the {limit} that you may approve within {hours} hours, {left} are left."""

    code, reason = StatusCode.PERMISSION_DENIED, "APPROVAL_SPAN_EXCEEDED"
    zh = "该申请数额为 {amount}；您在 {hours} 小时内最多可批准 {limit}，尚余 {left}。"
