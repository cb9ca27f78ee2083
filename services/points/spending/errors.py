"""Why a member may not spend, whatever they have."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class MemberFrozen(AppError):
    """The member {member_id} is frozen and cannot spend."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MEMBER_FROZEN"
    zh = "会员 {member_id} 已被冻结，无法使用积分。"


class MemberClosed(AppError):
    """The member {member_id} is closed."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MEMBER_CLOSED"
    zh = "会员 {member_id} 已注销。"


class SpendingCoolsDown(AppError):
    """The member joined lately and can spend from {spend_from_time} on."""

    code, reason = StatusCode.FAILED_PRECONDITION, "SPENDING_COOLS_DOWN"
    zh = "新会员自 {spend_from_time} 起方可使用积分。"


class SpendingTooOften(AppError):
    """The member may spend {limit} times an hour; try again later."""

    code, reason = StatusCode.RESOURCE_EXHAUSTED, "SPENDING_TOO_OFTEN"
    zh = "该会员每小时最多使用积分 {limit} 次，请稍后再试。"

    def __init__(self, *, limit: int, retry_ms: int) -> None:
        super().__init__(limit=limit)
        self.retry_after_ms = retry_ms


class SpendingNotChecked(AppError):
    """How often the member spends cannot be checked now; try again with the same request id."""

    code, reason = StatusCode.UNAVAILABLE, "SPENDING_NOT_CHECKED"
    zh = "暂时无法核对使用频率，请用同一请求号重试。"
    retry_after_ms = 1_000
