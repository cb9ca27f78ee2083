"""Errors of currencies, stored value, conversion and family pools."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class CurrencyUnknown(AppError):
    """There is no currency {currency_id}."""

    code, reason = StatusCode.NOT_FOUND, "CURRENCY_UNKNOWN"
    zh = "积分币种 {currency_id} 不存在。"


class CurrencyCodeTaken(AppError):
    """There is a currency {currency_code} already."""

    code, reason = StatusCode.ALREADY_EXISTS, "CURRENCY_CODE_TAKEN"
    zh = "积分币种代码 {currency_code} 已被使用。"


class CurrencyClosed(AppError):
    """The currency {currency_code} is closed: nothing comes in any more."""

    code, reason = StatusCode.FAILED_PRECONDITION, "CURRENCY_CLOSED"
    zh = "积分币种 {currency_code} 已停用，不再发放。"


class CurrencyNotSuitable(AppError):
    """The currency {currency_code} is not for this: {problem}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "CURRENCY_NOT_SUITABLE"
    zh = "积分币种 {currency_code} 不适用：{problem}。"


class BusinessUnitUnknown(AppError):
    """No merchant of a business unit {business_unit_id} is known."""

    code, reason = StatusCode.NOT_FOUND, "BUSINESS_UNIT_UNKNOWN"
    zh = "业务单元 {business_unit_id} 没有已知商户。"


class TopUpTooLarge(AppError):
    """One top-up is at most {limit_minor} minor units, not {requested_minor}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "TOP_UP_TOO_LARGE"
    zh = "单次充值上限为 {limit_minor}（分），本次为 {requested_minor}（分）。"


class BalanceLimitReached(AppError):
    """The wallet may hold {limit_minor} minor units; {left_minor} can still be put in."""

    code, reason = StatusCode.FAILED_PRECONDITION, "BALANCE_LIMIT_REACHED"
    zh = "储值余额上限为 {limit_minor}（分），还可充值 {left_minor}（分）。"


class PaymentReferenceUsed(AppError):
    """The payment {payment_reference} has paid for another top-up."""

    code, reason = StatusCode.ALREADY_EXISTS, "PAYMENT_REFERENCE_USED"
    zh = "支付流水 {payment_reference} 已用于另一笔充值。"


class TopUpUnknown(AppError):
    """There is no top-up {txn_id} of this member."""

    code, reason = StatusCode.NOT_FOUND, "TOP_UP_UNKNOWN"
    zh = "该会员没有充值 {txn_id}。"


class RefundExceedsTopUp(AppError):
    """Of the top-up {left_minor} minor units are left, not {requested_minor}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "REFUND_EXCEEDS_TOP_UP"
    zh = "该笔充值剩余 {left_minor}（分），不足 {requested_minor}（分）。"


class ConversionRateUnknown(AppError):
    """There is no conversion rate {rate_id}."""

    code, reason = StatusCode.NOT_FOUND, "CONVERSION_RATE_UNKNOWN"
    zh = "兑换比例 {rate_id} 不存在。"


class ConversionRateDecided(AppError):
    """The conversion rate {rate_id} was decided already by {decided_by}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "CONVERSION_RATE_DECIDED"
    zh = "兑换比例 {rate_id} 已由 {decided_by} 审批。"


class ConversionNotOffered(AppError):
    """No rate is in force from {from_currency_id} to {to_currency_id}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "CONVERSION_NOT_OFFERED"
    zh = "目前不支持从 {from_currency_id} 兑换为 {to_currency_id}。"


class ConversionRateChanged(AppError):
    """The rate {rate_id} is not in force any more; now it is {current_rate_id}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "CONVERSION_RATE_CHANGED"
    zh = "兑换比例 {rate_id} 已失效，现行比例为 {current_rate_id}。"


class ConversionAmountInvalid(AppError):
    """{points} points cannot be converted: {min_points} to {max_points} (0: no limit), in steps of {step_points}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "CONVERSION_AMOUNT_INVALID"
    zh = "{points} 积分不可兑换：范围 {min_points} 至 {max_points}（0 为不限），步长 {step_points}。"


class ConversionLimitReached(AppError):
    """Of {limit_points} points that may be converted in 24 hours {left_points} are left."""

    code, reason = StatusCode.FAILED_PRECONDITION, "CONVERSION_LIMIT_REACHED"
    zh = "24 小时内最多可兑换 {limit_points} 积分，剩余额度 {left_points}。"


class FamilyPoolUnknown(AppError):
    """There is no family pool {pool_id}."""

    code, reason = StatusCode.NOT_FOUND, "FAMILY_POOL_UNKNOWN"
    zh = "家庭积分池 {pool_id} 不存在。"


class FamilyPoolsNotAllowed(AppError):
    """The rules in force have no family pools."""

    code, reason = StatusCode.FAILED_PRECONDITION, "FAMILY_POOLS_NOT_ALLOWED"
    zh = "现行规则不支持家庭积分池。"


class FamilyPoolDissolved(AppError):
    """The family pool {pool_id} is dissolved."""

    code, reason = StatusCode.FAILED_PRECONDITION, "FAMILY_POOL_DISSOLVED"
    zh = "家庭积分池 {pool_id} 已解散。"


class FamilyPoolFull(AppError):
    """A family pool has at most {max_members} members, invited ones included."""

    code, reason = StatusCode.FAILED_PRECONDITION, "FAMILY_POOL_FULL"
    zh = "家庭积分池最多 {max_members} 人（含待接受邀请者）。"


class AlreadyInPool(AppError):
    """The member {member_id} is in a family pool already."""

    code, reason = StatusCode.FAILED_PRECONDITION, "ALREADY_IN_POOL"
    zh = "会员 {member_id} 已加入家庭积分池。"


class NotInPool(AppError):
    """The member {member_id} is not in this family pool."""

    code, reason = StatusCode.FAILED_PRECONDITION, "NOT_IN_POOL"
    zh = "会员 {member_id} 不在该家庭积分池中。"


class NotInvited(AppError):
    """The member {member_id} has no invitation to this family pool."""

    code, reason = StatusCode.FAILED_PRECONDITION, "NOT_INVITED"
    zh = "会员 {member_id} 没有该家庭积分池的邀请。"


class PoolOwnerRequired(AppError):
    """Only the owner of a family pool may do this."""

    code, reason = StatusCode.PERMISSION_DENIED, "POOL_OWNER_REQUIRED"
    zh = "仅家庭积分池的创建者可以执行此操作。"


class PoolOwnerStays(AppError):
    """The owner cannot leave a family pool, only dissolve it."""

    code, reason = StatusCode.FAILED_PRECONDITION, "POOL_OWNER_STAYS"
    zh = "创建者不能退出家庭积分池，只能解散。"


class PoolSpendingNotAllowed(AppError):
    """The member {member_id} may not spend from this family pool."""

    code, reason = StatusCode.FAILED_PRECONDITION, "POOL_SPENDING_NOT_ALLOWED"
    zh = "会员 {member_id} 不可使用该家庭积分池。"


class PoolLimitReached(AppError):
    """Of {limit_points} points that the member may spend from the pool in 30 days {left_points} are left."""

    code, reason = StatusCode.FAILED_PRECONDITION, "POOL_LIMIT_REACHED"
    zh = "该会员 30 天内最多可使用家庭积分 {limit_points}，剩余额度 {left_points}。"


class SpendingNeedsCode(AppError):
    """Spending needs the member's fresh code."""

    code, reason = StatusCode.FAILED_PRECONDITION, "SPENDING_NEEDS_CODE"
    zh = "支付需要会员出示动态码。"


class TillPaymentUnknown(AppError):
    """There is no till payment {txn_id} of this member and currency that this store's merchant took."""

    code, reason = StatusCode.NOT_FOUND, "TILL_PAYMENT_UNKNOWN"
    zh = "该门店商户没有收取过此会员的支付 {txn_id}。"


class OffsetQuoteRequired(AppError):
    """Paying with points needs the token of a quote by the terms in force."""

    code, reason = StatusCode.FAILED_PRECONDITION, "OFFSET_QUOTE_REQUIRED"
    zh = "使用积分抵扣须先取得报价。"


class OffsetQuoteInvalid(AppError):
    """The token is not that of a quote for this member and merchant."""

    code, reason = StatusCode.FAILED_PRECONDITION, "OFFSET_QUOTE_INVALID"
    zh = "积分抵扣报价与该会员或商户不符。"


class OffsetQuoteExpired(AppError):
    """The quote was good until {expire_time}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "OFFSET_QUOTE_EXPIRED"
    zh = "积分抵扣报价已于 {expire_time} 失效。"


class OffsetNotAllowed(AppError):
    """{requested_points} points do not pay {offset_minor}: {step_points} for {step_minor}, {max_points} at most."""

    code, reason = StatusCode.FAILED_PRECONDITION, "OFFSET_NOT_ALLOWED"
    zh = "{requested_points} 积分不可抵 {offset_minor}（分）：每 {step_points} 抵 {step_minor}，上限 {max_points}。"
