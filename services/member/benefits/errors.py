"""What benefits refuse."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class BenefitInvalid(AppError):
    """The benefits are not usable: {problem}."""

    code, reason = StatusCode.INVALID_ARGUMENT, "BENEFIT_INVALID"
    zh = "权益设置无效：{problem_zh}。"


class BenefitUnknown(AppError):
    """The member's tier has no benefit {benefit_code}."""

    code, reason = StatusCode.NOT_FOUND, "BENEFIT_UNKNOWN"
    zh = "该会员等级没有权益 {benefit_code}。"


class BenefitQuotaUsed(AppError):
    """{left} of {quota} are left in this period."""

    code, reason = StatusCode.FAILED_PRECONDITION, "BENEFIT_QUOTA_USED"
    zh = "本期 {quota} 次中还剩 {left} 次，不足以使用。"


class BenefitNeedsCode(AppError):
    """To use a benefit here the member shows their code."""

    code, reason = StatusCode.FAILED_PRECONDITION, "BENEFIT_NEEDS_CODE"
    zh = "在此使用权益需要会员出示动态码。"


class BenefitNotNow(AppError):
    """This benefit cannot be used now."""

    code, reason = StatusCode.FAILED_PRECONDITION, "BENEFIT_NOT_NOW"
    zh = "该权益当前不可使用。"


class BenefitReferenceReused(AppError):
    """The reference {reference} came before with another quantity."""

    code, reason = StatusCode.ALREADY_EXISTS, "BENEFIT_REFERENCE_REUSED"
    zh = "凭据 {reference} 已用于其他数量。"


class BenefitReturned(AppError):
    """What was used for {reference} was given back."""

    code, reason = StatusCode.FAILED_PRECONDITION, "BENEFIT_RETURNED"
    zh = "凭据 {reference} 的使用已退回。"


class BenefitUseUnknown(AppError):
    """There is no such use of a benefit."""

    code, reason = StatusCode.NOT_FOUND, "BENEFIT_USE_UNKNOWN"
    zh = "权益使用记录不存在。"
