"""Errors of points."""

from __future__ import annotations

from collections.abc import Sequence

from grpc import StatusCode

from chassis.errors import VALUE_BYTES, AppError, InvalidArgument, Violation, cut


class StoreUnknown(AppError):
    """There is no store {store_id}."""

    code, reason = StatusCode.NOT_FOUND, "STORE_UNKNOWN"
    zh = "门店 {store_id} 不存在。"


class MerchantUnknown(AppError):
    """There is no merchant {merchant_id}."""

    code, reason = StatusCode.NOT_FOUND, "MERCHANT_UNKNOWN"
    zh = "商户 {merchant_id} 不存在。"


class MemberUnknown(AppError):
    """There is no member {member_id}."""

    code, reason = StatusCode.NOT_FOUND, "MEMBER_UNKNOWN"
    zh = "会员 {member_id} 不存在。"


class LinesDoNotSum(AppError):
    """The lines sum to {lines_minor} minor units, the total is {total_minor}."""

    code, reason = StatusCode.INVALID_ARGUMENT, "LINES_DO_NOT_SUM"
    zh = "明细合计 {lines_minor}（分）与总额 {total_minor}（分）不一致。"


class TendersDoNotSum(AppError):
    """The tenders sum to {tenders_minor} minor units, the total is {total_minor}."""

    code, reason = StatusCode.INVALID_ARGUMENT, "TENDERS_DO_NOT_SUM"
    zh = "支付方式合计 {tenders_minor}（分）与总额 {total_minor}（分）不一致。"


class TaxInvalid(AppError):
    """The tax is wrong: {problem}."""

    code, reason = StatusCode.INVALID_ARGUMENT, "TAX_INVALID"
    zh = "税额有误：{problem}。"


class SaleTimeInvalid(AppError):
    """The time {sale_time} lies before 2000 or more than a day ahead."""

    code, reason = StatusCode.INVALID_ARGUMENT, "SALE_TIME_INVALID"
    zh = "时间 {sale_time} 无效：早于 2000 年或晚于当前时间一天以上。"


class SaleEarnsTooMuch(AppError):
    """The sale would earn {points} points; {most_points} is the most for one sale."""

    code, reason = StatusCode.FAILED_PRECONDITION, "SALE_EARNS_TOO_MUCH"
    zh = "该笔交易将获得 {points} 积分，超过单笔上限 {most_points}。"


class PointsOutOfBounds(AppError):
    """The wallet's totals would pass 2^53, the largest whole number that every client can read."""

    code, reason = StatusCode.FAILED_PRECONDITION, "POINTS_OUT_OF_BOUNDS"
    zh = "账户累计积分将超过 2^53 的上限。"


class CurrencyMismatch(AppError):
    """The store sells in {expected}, the sale is in {currency_code}."""

    code, reason = StatusCode.INVALID_ARGUMENT, "CURRENCY_MISMATCH"
    zh = "门店币种为 {expected}，与交易币种 {currency_code} 不一致。"


class ReceiptChanged(AppError):
    """Receipt {receipt_no} was recorded before with other content."""

    code, reason = StatusCode.ALREADY_EXISTS, "RECEIPT_CHANGED"
    zh = "小票 {receipt_no} 已用不同内容登记。"


class SaleTooLate(AppError):
    """The sale of {sale_time} comes in more than {latest_arrival_days} days later."""

    code, reason = StatusCode.FAILED_PRECONDITION, "SALE_TOO_LATE"
    zh = "{sale_time} 的交易上传过晚：最迟 {latest_arrival_days} 天内。"


class DeviceSeqReused(AppError):
    """Device {device_id} gave its number {device_seq} to another receipt before."""

    code, reason = StatusCode.ALREADY_EXISTS, "DEVICE_SEQ_REUSED"
    zh = "设备 {device_id} 的序号 {device_seq} 已用于另一张小票。"


class SaleNotAwaited(AppError):
    """The sale {receipt_no} waits for no confirming event."""

    code, reason = StatusCode.FAILED_PRECONDITION, "SALE_NOT_AWAITED"
    zh = "交易 {receipt_no} 无需确认。"


class SaleCaseUnknown(AppError):
    """There is no case {case_id}."""

    code, reason = StatusCode.NOT_FOUND, "SALE_CASE_UNKNOWN"
    zh = "待核交易 {case_id} 不存在。"


class SaleCaseDecided(AppError):
    """The case {case_id} was decided the other way already: {state}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "SALE_CASE_DECIDED"
    zh = "待核交易 {case_id} 已有相反的决定：{state}。"


class InteractionLimitReached(AppError):
    """Of {limit_points} {reason_code} points a day {left_points} are left to this member, not {requested_points}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "INTERACTION_LIMIT_REACHED"
    zh = "该会员今日 {reason_code} 积分上限 {limit_points}，剩余 {left_points}，不足 {requested_points}。"


class SaleUnknown(AppError):
    """There is no such sale: {sale}."""

    code, reason = StatusCode.NOT_FOUND, "SALE_UNKNOWN"
    zh = "交易 {sale} 不存在。"


class SaleOfAnotherMember(AppError):
    """The sale {sale} is not of member {member_id}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "SALE_OF_ANOTHER_MEMBER"
    zh = "交易 {sale} 不属于会员 {member_id}。"


class LineUnknown(AppError):
    """The sale has no line {line_no}, or it was named twice."""

    code, reason = StatusCode.INVALID_ARGUMENT, "LINE_UNKNOWN"
    zh = "交易中没有第 {line_no} 行，或该行重复。"


class RefundExceedsSale(AppError):
    """Of line {line_no} {left_minor} minor units are left to be returned, not {refund_minor}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "REFUND_EXCEEDS_SALE"
    zh = "第 {line_no} 行可退金额为 {left_minor}（分），不足 {refund_minor}（分）。"


class InsufficientPoints(AppError):
    """Member has {available_points} points; {requested_points} requested."""

    code, reason = StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_POINTS"
    zh = "可用积分 {available_points}，不足 {requested_points}。"


class RedemptionUnknown(AppError):
    """There is no redemption {txn_id} of this member."""

    code, reason = StatusCode.NOT_FOUND, "REDEMPTION_UNKNOWN"
    zh = "该会员没有积分支出 {txn_id}。"


class ReversalExceedsRedemption(AppError):
    """Of the redemption {left_points} points are left to be given back, not {requested_points}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "REVERSAL_EXCEEDS_REDEMPTION"
    zh = "该笔支出可退回积分为 {left_points}，不足 {requested_points}。"


class HoldUnknown(AppError):
    """There is no hold {hold_id} of this member."""

    code, reason = StatusCode.NOT_FOUND, "HOLD_UNKNOWN"
    zh = "该会员没有积分冻结 {hold_id}。"


class HoldReleased(AppError):
    """The hold {hold_id} was released, or its time is over."""

    code, reason = StatusCode.FAILED_PRECONDITION, "HOLD_RELEASED"
    zh = "积分冻结 {hold_id} 已释放或已超时。"


class HoldCaptured(AppError):
    """The hold {hold_id} was captured already."""

    code, reason = StatusCode.FAILED_PRECONDITION, "HOLD_CAPTURED"
    zh = "积分冻结 {hold_id} 已扣除。"


class CaptureExceedsHold(AppError):
    """The hold has {held_points} points, not {requested_points}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "CAPTURE_EXCEEDS_HOLD"
    zh = "冻结积分为 {held_points}，不足 {requested_points}。"


class TransferToSelf(AppError):
    """A member cannot give points to themselves."""

    code, reason = StatusCode.INVALID_ARGUMENT, "TRANSFER_TO_SELF"
    zh = "不能把积分转赠给自己。"


class TransferNotAllowed(AppError):
    """The rules in force do not let members give points away."""

    code, reason = StatusCode.FAILED_PRECONDITION, "TRANSFER_NOT_ALLOWED"
    zh = "现行规则不允许转赠积分。"


class TransferLimitReached(AppError):
    """Of {limit_points} points that may be given away in 24 hours {left_points} are left."""

    code, reason = StatusCode.FAILED_PRECONDITION, "TRANSFER_LIMIT_REACHED"
    zh = "24 小时内最多可转赠 {limit_points} 积分，剩余额度 {left_points}。"


class AdjustmentUnknown(AppError):
    """There is no adjustment {adjustment_id}."""

    code, reason = StatusCode.NOT_FOUND, "ADJUSTMENT_UNKNOWN"
    zh = "积分调整 {adjustment_id} 不存在。"


class AdjustmentDecided(AppError):
    """The adjustment {adjustment_id} was decided already: {state}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "ADJUSTMENT_DECIDED"
    zh = "积分调整 {adjustment_id} 已有决定：{state}。"


class AdjustmentLapsed(AppError):
    """Nobody decided on the adjustment {adjustment_id} before {lapse_time}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "ADJUSTMENT_LAPSED"
    zh = "积分调整 {adjustment_id} 在 {lapse_time} 前未获审批，已失效。"


class RulesInvalid(InvalidArgument):
    """The rule set is not valid: {problem}."""

    code, reason = StatusCode.INVALID_ARGUMENT, "RULES_INVALID"
    zh = "积分规则无效：{problem}。"

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(violations)
        del self.values["fields"]  # the same text without the paths, as a sentence
        self.values["problem"] = cut("; ".join(each.description for each in violations), VALUE_BYTES)
        self.args = (self.message,)


class CalendarUnknown(AppError):
    """{rule_id} goes by holidays or days off, of which {unknown_from} and after are not known: see calendar_days."""

    code, reason = StatusCode.FAILED_PRECONDITION, "CALENDAR_UNKNOWN"
    zh = "{rule_id} 按节假日或休息日生效，但 {unknown_from} 起的节假日尚不可知，请在 calendar_days 中补充。"


class ExpiryPast(AppError):
    """The points would expire on {expire_time}, which is past or too early."""

    code, reason = StatusCode.FAILED_PRECONDITION, "EXPIRY_PAST"
    zh = "积分到期时间 {expire_time} 已过或过早。"


class NothingToRenew(AppError):
    """The member has no available points that expire before {expiring_before} and {expire_time}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "NOTHING_TO_RENEW"
    zh = "该会员没有在 {expiring_before} 和 {expire_time} 之前到期的可用积分。"


class SecondPersonRequired(AppError):
    """A second person has to approve this: somebody else than who asked for it, and no system."""

    code, reason = StatusCode.PERMISSION_DENIED, "SECOND_PERSON_REQUIRED"
    zh = "需由发起人以外的另一人审批，系统密钥不能代为审批。"


class EffectiveTimePast(AppError):
    """The rules would be in force from a time that has begun, or is about to; sales of it were computed by others."""

    code, reason = StatusCode.FAILED_PRECONDITION, "EFFECTIVE_TIME_PAST"
    zh = "生效时间已过或即将到来，该时段的消费已按原规则计算。"


class RuleDraftUnknown(AppError):
    """There is no draft {draft_id}."""

    code, reason = StatusCode.NOT_FOUND, "RULE_DRAFT_UNKNOWN"
    zh = "规则草稿 {draft_id} 不存在。"


class RuleDraftDecided(AppError):
    """Draft {draft_id} was published or discarded by {decided_by}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "RULE_DRAFT_DECIDED"
    zh = "规则草稿 {draft_id} 已由 {decided_by} 发布或作废。"


class RuleSimulationUnknown(AppError):
    """There is no simulation {simulation_id}."""

    code, reason = StatusCode.NOT_FOUND, "RULE_SIMULATION_UNKNOWN"
    zh = "规则模拟 {simulation_id} 不存在。"


class SpanInvalid(AppError):
    """The span from {first_date} to {last_date} is no span of dates."""

    code, reason = StatusCode.INVALID_ARGUMENT, "SPAN_INVALID"
    zh = "日期区间 {first_date} 至 {last_date} 无效。"


class RuleSetUnknown(AppError):
    """No rule set is in force on {business_date}."""

    code, reason = StatusCode.NOT_FOUND, "RULE_SET_UNKNOWN"
    zh = "{business_date} 没有生效的积分规则。"
