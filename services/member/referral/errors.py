"""What referrals refuse."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class ReferralNotOffered(AppError):
    """Referrals are not offered now."""

    code, reason = StatusCode.FAILED_PRECONDITION, "REFERRAL_NOT_OFFERED"
    zh = "目前没有推荐好友活动。"


class ReferralCodeInvalid(AppError):
    """This is not a referral code; a character may be mistyped."""

    code, reason = StatusCode.INVALID_ARGUMENT, "REFERRAL_CODE_INVALID"
    zh = "推荐码无效，请检查输入。"


class ReferralCodeUnknown(AppError):
    """Nobody has this referral code."""

    code, reason = StatusCode.NOT_FOUND, "REFERRAL_CODE_UNKNOWN"
    zh = "推荐码不存在。"


class ReferralTooLate(AppError):
    """A referral code is good within {use_within_days} days of joining and before the first purchase."""

    code, reason = StatusCode.FAILED_PRECONDITION, "REFERRAL_TOO_LATE"
    zh = "推荐码须在入会 {use_within_days} 天内、首次消费之前使用。"


class ReferralAlreadyMade(AppError):
    """The member has used a referral code already."""

    code, reason = StatusCode.FAILED_PRECONDITION, "REFERRAL_ALREADY_MADE"
    zh = "该会员已使用过推荐码。"


class ReferralToSelf(AppError):
    """Nobody can bring themselves."""

    code, reason = StatusCode.FAILED_PRECONDITION, "REFERRAL_TO_SELF"
    zh = "不能推荐自己。"


class ReferralLoop(AppError):
    """The member whose code this is was brought by this member."""

    code, reason = StatusCode.FAILED_PRECONDITION, "REFERRAL_LOOP"
    zh = "该推荐人由您推荐入会，不能互相推荐。"


class ReferralLimitReached(AppError):
    """The member whose code this is has brought {limit} friends this month, which is the most."""

    code, reason = StatusCode.FAILED_PRECONDITION, "REFERRAL_LIMIT_REACHED"
    zh = "推荐人本月推荐已达上限（{limit} 人）。"
