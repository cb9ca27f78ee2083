"""What proofs and changes of a phone refuse."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class ProofNotTheMember(AppError):
    """The mini-program's account is not this member's."""

    code, reason = StatusCode.PERMISSION_DENIED, "PROOF_NOT_THE_MEMBER"
    zh = "该微信账号不属于当前会员。"


class PhoneTaken(AppError):
    """The phone is another member's."""

    code, reason = StatusCode.ALREADY_EXISTS, "PHONE_TAKEN"
    zh = "该手机号已属于其他会员。"


class PhoneChangedTooOften(AppError):
    """The phone was changed {most_changes} times within {days} days already."""

    code, reason = StatusCode.FAILED_PRECONDITION, "PHONE_CHANGED_TOO_OFTEN"
    zh = "{days} 天内最多更换 {most_changes} 次手机号。"
