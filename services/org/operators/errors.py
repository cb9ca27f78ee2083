"""What is refused about operators."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class OperatorUnknown(AppError):
    """The group has no operator {operator_id}."""

    code, reason = StatusCode.NOT_FOUND, "OPERATOR_UNKNOWN"
    zh = "集团中没有操作员 {operator_id}。"


class OperatorDisabled(AppError):
    """The operator {operator_id} is disabled; invite the person under a new login."""

    code, reason = StatusCode.FAILED_PRECONDITION, "OPERATOR_DISABLED"
    zh = "操作员 {operator_id} 已停用，请用新的登录名重新邀请。"


class OwnAccount(AppError):
    """Nobody changes their own access; ask another administrator."""

    code, reason = StatusCode.PERMISSION_DENIED, "OWN_ACCOUNT"
    zh = "不能更改自己的权限，请由另一位管理员操作。"


class LoginTaken(AppError):
    """The login {login} already names another operator."""

    code, reason = StatusCode.ALREADY_EXISTS, "LOGIN_TAKEN"
    zh = "登录名 {login} 已被另一位操作员使用。"


class GrantScopeWrong(AppError):
    """The role {role} cannot be given for {scope}; it can be given for {allowed}."""

    code, reason = StatusCode.INVALID_ARGUMENT, "GRANT_SCOPE_WRONG"
    zh = "角色 {role} 不能授予 {scope} 范围，只能授予：{allowed}。"


class InvitationInvalid(AppError):
    """The invitation is not known, was used, or has expired."""

    code, reason = StatusCode.UNAUTHENTICATED, "INVITATION_INVALID"
    zh = "邀请不存在、已使用或已过期。"


class EnrolmentNotBegun(AppError):
    """Begin the enrolment first, to get the secret for the authenticator app."""

    code, reason = StatusCode.FAILED_PRECONDITION, "ENROLMENT_NOT_BEGUN"
    zh = "请先开始注册，以获取身份验证器的密钥。"


class TotpCodeWrong(AppError):
    """The code is not what the authenticator app shows now."""

    code, reason = StatusCode.INVALID_ARGUMENT, "TOTP_CODE_WRONG"
    zh = "动态码与身份验证器当前显示的不符。"


class PasswordWeak(AppError):
    """The password must have 12 to 128 characters, 5 different ones at least, and must not contain the login."""

    code, reason = StatusCode.INVALID_ARGUMENT, "PASSWORD_WEAK"
    zh = "密码须为 12 至 128 个字符，至少含 5 个不同字符，且不得包含登录名。"


class LoginRefused(AppError):
    """Login, password or code is wrong."""

    code, reason = StatusCode.UNAUTHENTICATED, "LOGIN_REFUSED"
    zh = "登录名、密码或动态码有误。"


class LoginLocked(AppError):
    """Too many failures; try again in {retry_seconds} s."""

    code, reason = StatusCode.RESOURCE_EXHAUSTED, "LOGIN_LOCKED"
    zh = "失败次数过多，请在 {retry_seconds} 秒后重试。"

    def __init__(self, retry_seconds: int) -> None:
        self.retry_after_ms = retry_seconds * 1000
        super().__init__(retry_seconds=retry_seconds)


class SessionUnknown(AppError):
    """The session is not known or has ended."""

    code, reason = StatusCode.NOT_FOUND, "SESSION_UNKNOWN"
    zh = "会话不存在或已结束。"
