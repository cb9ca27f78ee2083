"""What login through a mini-program refuses."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class MiniProgramUnknown(AppError):
    """This mini-program is not known here."""

    code, reason = StatusCode.NOT_FOUND, "MINI_PROGRAM_UNKNOWN"
    zh = "小程序未登记。"


class MiniProgramTaken(AppError):
    """The mini-program {app_id} belongs to another group."""

    code, reason = StatusCode.ALREADY_EXISTS, "MINI_PROGRAM_TAKEN"
    zh = "小程序 {app_id} 已属于其他集团。"


class MiniProgramCodeInvalid(AppError):
    """The code is not valid (any more); get a new one from the mini-program."""

    code, reason = StatusCode.INVALID_ARGUMENT, "MINI_PROGRAM_CODE_INVALID"
    zh = "微信凭证无效或已过期，请重新获取。"


class MiniProgramTicketExpired(AppError):
    """The ticket has expired or is not for this mini-program; begin the login again."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MINI_PROGRAM_TICKET_EXPIRED"
    zh = "登录已超时，请重新登录。"


class MiniProgramBusy(AppError):
    """WeChat takes no more logins of this mini-program right now; try again in a minute."""

    code, reason = StatusCode.RESOURCE_EXHAUSTED, "MINI_PROGRAM_BUSY"
    zh = "微信登录繁忙，请一分钟后再试。"
    retry_after_ms = 60_000


class MiniProgramBlocked(AppError):
    """WeChat has blocked this user's logins."""

    code, reason = StatusCode.PERMISSION_DENIED, "MINI_PROGRAM_BLOCKED"
    zh = "该微信用户被限制登录。"


class MiniProgramRefused(AppError):
    """WeChat does not accept this mini-program's credentials (its error {errcode})."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MINI_PROGRAM_REFUSED"
    zh = "微信不接受该小程序的凭证（错误码 {errcode}）。"


class IdentityTaken(AppError):
    """This WeChat account has just become another member's; log in again."""

    code, reason = StatusCode.ABORTED, "IDENTITY_TAKEN"
    zh = "该微信账号刚刚绑定了其他会员，请重新登录。"
