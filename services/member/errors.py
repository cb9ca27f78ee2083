"""What member refuses."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class MemberUnknown(AppError):
    """There is no such member."""

    code, reason = StatusCode.NOT_FOUND, "MEMBER_UNKNOWN"
    zh = "会员不存在。"


class MemberCodeInvalid(AppError):
    """This is not a member code."""

    code, reason = StatusCode.INVALID_ARGUMENT, "MEMBER_CODE_INVALID"
    zh = "会员码无效。"


class MemberCodeExpired(AppError):
    """The member code has expired; ask for a fresh one."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MEMBER_CODE_EXPIRED"
    zh = "会员码已过期，请刷新。"


class MemberCodeUsed(AppError):
    """The member code was used for another purchase; ask for a fresh one."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MEMBER_CODE_USED"
    zh = "会员码已用于另一笔交易，请刷新。"


class GroupUnknown(AppError):
    """This group does not exist."""

    code, reason = StatusCode.NOT_FOUND, "GROUP_UNKNOWN"
    zh = "集团不存在。"


class LadderInvalid(AppError):
    """The tier ladder is not usable: {problem}."""

    code, reason = StatusCode.INVALID_ARGUMENT, "LADDER_INVALID"
    zh = "会员等级设置无效：{problem_zh}。"


class LoginTooOften(AppError):
    """A code was sent already; ask for another in {retry_seconds} seconds."""

    code, reason = StatusCode.RESOURCE_EXHAUSTED, "LOGIN_TOO_OFTEN"
    zh = "验证码发送过于频繁，请 {retry_seconds} 秒后再试。"

    def __init__(self, retry_seconds: int) -> None:
        super().__init__(retry_seconds=retry_seconds)
        self.retry_after_ms = retry_seconds * 1000


class LoginCodeWrong(AppError):
    """The one-time code is wrong."""

    code, reason = StatusCode.INVALID_ARGUMENT, "LOGIN_CODE_WRONG"
    zh = "验证码错误。"


class LoginCodeExpired(AppError):
    """There is no valid one-time code for this phone; ask for a new one."""

    code, reason = StatusCode.FAILED_PRECONDITION, "LOGIN_CODE_EXPIRED"
    zh = "验证码已失效，请重新获取。"


class LoginProviderMissing(AppError):
    """No provider that sends login codes is configured."""

    code, reason = StatusCode.UNIMPLEMENTED, "LOGIN_PROVIDER_MISSING"
    zh = "尚未配置验证码发送服务。"


class SessionEnded(AppError):
    """The session has ended; log in again."""

    code, reason = StatusCode.UNAUTHENTICATED, "SESSION_ENDED"
    zh = "会话已结束，请重新登录。"


class MemberFrozen(AppError):
    """The member is frozen; the service desk can say why."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MEMBER_FROZEN"
    zh = "会员已被冻结，请联系客服。"


class MemberClosed(AppError):
    """The member is closed."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MEMBER_CLOSED"
    zh = "会员已注销。"


class MerchantUnknown(AppError):
    """There is no merchant {merchant_id}."""

    code, reason = StatusCode.NOT_FOUND, "MERCHANT_UNKNOWN"
    zh = "商户 {merchant_id} 不存在。"


class BusinessUnitUnknown(AppError):
    """The group has no business unit {business_unit_id}."""

    code, reason = StatusCode.NOT_FOUND, "BUSINESS_UNIT_UNKNOWN"
    zh = "集团中没有业态单元 {business_unit_id}。"
