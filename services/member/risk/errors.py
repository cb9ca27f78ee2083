"""What join risk refuses."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class MemberNotFrozen(AppError):
    """The member is not frozen."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MEMBER_NOT_FROZEN"
    zh = "会员未被冻结。"


class DenialUnknown(AppError):
    """There is no entry {denial_id} on the deny list."""

    code, reason = StatusCode.NOT_FOUND, "DENIAL_UNKNOWN"
    zh = "禁入名单中没有 {denial_id}。"


class IdentityDenied(AppError):
    """Joining and logging in is not possible with this {kind}; the service desk can help."""

    code, reason = StatusCode.FAILED_PRECONDITION, "IDENTITY_DENIED"
    zh = "该身份（{kind}）无法加入或登录，请联系客服。"


class JoinTooOften(AppError):
    """Too many people have joined through this {what}; {limit} may within {hours} hours."""

    code, reason = StatusCode.RESOURCE_EXHAUSTED, "JOIN_TOO_OFTEN"
    zh = "此处（{what}）入会过于频繁，{hours} 小时内最多 {limit} 人，请稍后再试。"

    def __init__(self, *, what: str, limit: int, hours: int, retry_ms: int) -> None:
        super().__init__(what=what, limit=limit, hours=hours)
        self.retry_after_ms = retry_ms
