import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.common.v1 import types_pb2 as _types_pb2
from huitong.points.v1 import doors_pb2 as _doors_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NoPointsReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NO_POINTS_REASON_UNSPECIFIED: _ClassVar[NoPointsReason]
    NO_POINTS_REASON_EXPIRY_PAST: _ClassVar[NoPointsReason]

class FunderKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FUNDER_KIND_UNSPECIFIED: _ClassVar[FunderKind]
    FUNDER_KIND_MERCHANT: _ClassVar[FunderKind]
    FUNDER_KIND_BUSINESS_UNIT: _ClassVar[FunderKind]
    FUNDER_KIND_PLATFORM: _ClassVar[FunderKind]
    FUNDER_KIND_NAMED_MERCHANT: _ClassVar[FunderKind]

class SaleLimit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SALE_LIMIT_UNSPECIFIED: _ClassVar[SaleLimit]
    SALE_LIMIT_STORE_MONTH: _ClassVar[SaleLimit]
    SALE_LIMIT_STORE: _ClassVar[SaleLimit]
    SALE_LIMIT_GROUP_DAY: _ClassVar[SaleLimit]
    SALE_LIMIT_GROUP_MONTH: _ClassVar[SaleLimit]
    SALE_LIMIT_MEMBER_DAY: _ClassVar[SaleLimit]
    SALE_LIMIT_MEMBER_MONTH: _ClassVar[SaleLimit]

class MovementKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MOVEMENT_KIND_UNSPECIFIED: _ClassVar[MovementKind]
    MOVEMENT_KIND_EARN: _ClassVar[MovementKind]
    MOVEMENT_KIND_CLAW_BACK: _ClassVar[MovementKind]
    MOVEMENT_KIND_REDEEM: _ClassVar[MovementKind]
    MOVEMENT_KIND_REDEEM_REVERSAL: _ClassVar[MovementKind]
    MOVEMENT_KIND_EXPIRE: _ClassVar[MovementKind]
    MOVEMENT_KIND_ACTIVATE: _ClassVar[MovementKind]
    MOVEMENT_KIND_CREDIT: _ClassVar[MovementKind]
    MOVEMENT_KIND_DEBIT: _ClassVar[MovementKind]
    MOVEMENT_KIND_TRANSFER_OUT: _ClassVar[MovementKind]
    MOVEMENT_KIND_TRANSFER_IN: _ClassVar[MovementKind]
    MOVEMENT_KIND_RENEW: _ClassVar[MovementKind]
    MOVEMENT_KIND_TOP_UP: _ClassVar[MovementKind]
    MOVEMENT_KIND_TOP_UP_REFUND: _ClassVar[MovementKind]
    MOVEMENT_KIND_CONVERT_OUT: _ClassVar[MovementKind]
    MOVEMENT_KIND_CONVERT_IN: _ClassVar[MovementKind]
    MOVEMENT_KIND_MERGE_OUT: _ClassVar[MovementKind]
    MOVEMENT_KIND_MERGE_IN: _ClassVar[MovementKind]

class SkippedOffsetReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SKIPPED_OFFSET_REASON_UNSPECIFIED: _ClassVar[SkippedOffsetReason]
    SKIPPED_OFFSET_REASON_PLACE: _ClassVar[SkippedOffsetReason]
    SKIPPED_OFFSET_REASON_TIER: _ClassVar[SkippedOffsetReason]
    SKIPPED_OFFSET_REASON_DAY: _ClassVar[SkippedOffsetReason]
    SKIPPED_OFFSET_REASON_LESS_SPECIFIC: _ClassVar[SkippedOffsetReason]

class SpendingKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPENDING_KIND_UNSPECIFIED: _ClassVar[SpendingKind]
    SPENDING_KIND_VOUCHER: _ClassVar[SpendingKind]
    SPENDING_KIND_CHECKOUT_OFFSET: _ClassVar[SpendingKind]
    SPENDING_KIND_PARKING: _ClassVar[SpendingKind]
    SPENDING_KIND_TILL_PAYMENT: _ClassVar[SpendingKind]

class RuleKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RULE_KIND_UNSPECIFIED: _ClassVar[RuleKind]
    RULE_KIND_BASE: _ClassVar[RuleKind]
    RULE_KIND_THRESHOLD: _ClassVar[RuleKind]
    RULE_KIND_CATEGORY: _ClassVar[RuleKind]
    RULE_KIND_STORE: _ClassVar[RuleKind]
    RULE_KIND_DAY: _ClassVar[RuleKind]
    RULE_KIND_BIRTHDAY: _ClassVar[RuleKind]
    RULE_KIND_TIER: _ClassVar[RuleKind]
    RULE_KIND_OFFER: _ClassVar[RuleKind]

class Combination(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMBINATION_UNSPECIFIED: _ClassVar[Combination]
    COMBINATION_STACK: _ClassVar[Combination]
    COMBINATION_BEST_OF: _ClassVar[Combination]
    COMBINATION_EXCLUSIVE: _ClassVar[Combination]

class DayKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DAY_KIND_UNSPECIFIED: _ClassVar[DayKind]
    DAY_KIND_DAY_OFF: _ClassVar[DayKind]
    DAY_KIND_WORKDAY: _ClassVar[DayKind]
    DAY_KIND_HOLIDAY: _ClassVar[DayKind]

class Rounding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROUNDING_UNSPECIFIED: _ClassVar[Rounding]
    ROUNDING_FLOOR: _ClassVar[Rounding]
    ROUNDING_HALF_UP: _ClassVar[Rounding]
    ROUNDING_CEILING: _ClassVar[Rounding]

class DebtPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEBT_POLICY_UNSPECIFIED: _ClassVar[DebtPolicy]
    DEBT_POLICY_UNLIMITED: _ClassVar[DebtPolicy]
    DEBT_POLICY_LIMITED: _ClassVar[DebtPolicy]
    DEBT_POLICY_WITHIN_BALANCE: _ClassVar[DebtPolicy]
    DEBT_POLICY_WRITTEN_OFF: _ClassVar[DebtPolicy]

class ExpiryKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPIRY_KIND_UNSPECIFIED: _ClassVar[ExpiryKind]
    EXPIRY_KIND_ROLLING_MONTHS: _ClassVar[ExpiryKind]
    EXPIRY_KIND_CALENDAR_YEAR_END: _ClassVar[ExpiryKind]
    EXPIRY_KIND_FIXED_DATE: _ClassVar[ExpiryKind]
    EXPIRY_KIND_NONE: _ClassVar[ExpiryKind]

class ExpiryRounding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPIRY_ROUNDING_UNSPECIFIED: _ClassVar[ExpiryRounding]
    EXPIRY_ROUNDING_DAY: _ClassVar[ExpiryRounding]
    EXPIRY_ROUNDING_MONTH: _ClassVar[ExpiryRounding]
    EXPIRY_ROUNDING_QUARTER: _ClassVar[ExpiryRounding]
    EXPIRY_ROUNDING_YEAR: _ClassVar[ExpiryRounding]
NO_POINTS_REASON_UNSPECIFIED: NoPointsReason
NO_POINTS_REASON_EXPIRY_PAST: NoPointsReason
FUNDER_KIND_UNSPECIFIED: FunderKind
FUNDER_KIND_MERCHANT: FunderKind
FUNDER_KIND_BUSINESS_UNIT: FunderKind
FUNDER_KIND_PLATFORM: FunderKind
FUNDER_KIND_NAMED_MERCHANT: FunderKind
SALE_LIMIT_UNSPECIFIED: SaleLimit
SALE_LIMIT_STORE_MONTH: SaleLimit
SALE_LIMIT_STORE: SaleLimit
SALE_LIMIT_GROUP_DAY: SaleLimit
SALE_LIMIT_GROUP_MONTH: SaleLimit
SALE_LIMIT_MEMBER_DAY: SaleLimit
SALE_LIMIT_MEMBER_MONTH: SaleLimit
MOVEMENT_KIND_UNSPECIFIED: MovementKind
MOVEMENT_KIND_EARN: MovementKind
MOVEMENT_KIND_CLAW_BACK: MovementKind
MOVEMENT_KIND_REDEEM: MovementKind
MOVEMENT_KIND_REDEEM_REVERSAL: MovementKind
MOVEMENT_KIND_EXPIRE: MovementKind
MOVEMENT_KIND_ACTIVATE: MovementKind
MOVEMENT_KIND_CREDIT: MovementKind
MOVEMENT_KIND_DEBIT: MovementKind
MOVEMENT_KIND_TRANSFER_OUT: MovementKind
MOVEMENT_KIND_TRANSFER_IN: MovementKind
MOVEMENT_KIND_RENEW: MovementKind
MOVEMENT_KIND_TOP_UP: MovementKind
MOVEMENT_KIND_TOP_UP_REFUND: MovementKind
MOVEMENT_KIND_CONVERT_OUT: MovementKind
MOVEMENT_KIND_CONVERT_IN: MovementKind
MOVEMENT_KIND_MERGE_OUT: MovementKind
MOVEMENT_KIND_MERGE_IN: MovementKind
SKIPPED_OFFSET_REASON_UNSPECIFIED: SkippedOffsetReason
SKIPPED_OFFSET_REASON_PLACE: SkippedOffsetReason
SKIPPED_OFFSET_REASON_TIER: SkippedOffsetReason
SKIPPED_OFFSET_REASON_DAY: SkippedOffsetReason
SKIPPED_OFFSET_REASON_LESS_SPECIFIC: SkippedOffsetReason
SPENDING_KIND_UNSPECIFIED: SpendingKind
SPENDING_KIND_VOUCHER: SpendingKind
SPENDING_KIND_CHECKOUT_OFFSET: SpendingKind
SPENDING_KIND_PARKING: SpendingKind
SPENDING_KIND_TILL_PAYMENT: SpendingKind
RULE_KIND_UNSPECIFIED: RuleKind
RULE_KIND_BASE: RuleKind
RULE_KIND_THRESHOLD: RuleKind
RULE_KIND_CATEGORY: RuleKind
RULE_KIND_STORE: RuleKind
RULE_KIND_DAY: RuleKind
RULE_KIND_BIRTHDAY: RuleKind
RULE_KIND_TIER: RuleKind
RULE_KIND_OFFER: RuleKind
COMBINATION_UNSPECIFIED: Combination
COMBINATION_STACK: Combination
COMBINATION_BEST_OF: Combination
COMBINATION_EXCLUSIVE: Combination
DAY_KIND_UNSPECIFIED: DayKind
DAY_KIND_DAY_OFF: DayKind
DAY_KIND_WORKDAY: DayKind
DAY_KIND_HOLIDAY: DayKind
ROUNDING_UNSPECIFIED: Rounding
ROUNDING_FLOOR: Rounding
ROUNDING_HALF_UP: Rounding
ROUNDING_CEILING: Rounding
DEBT_POLICY_UNSPECIFIED: DebtPolicy
DEBT_POLICY_UNLIMITED: DebtPolicy
DEBT_POLICY_LIMITED: DebtPolicy
DEBT_POLICY_WITHIN_BALANCE: DebtPolicy
DEBT_POLICY_WRITTEN_OFF: DebtPolicy
EXPIRY_KIND_UNSPECIFIED: ExpiryKind
EXPIRY_KIND_ROLLING_MONTHS: ExpiryKind
EXPIRY_KIND_CALENDAR_YEAR_END: ExpiryKind
EXPIRY_KIND_FIXED_DATE: ExpiryKind
EXPIRY_KIND_NONE: ExpiryKind
EXPIRY_ROUNDING_UNSPECIFIED: ExpiryRounding
EXPIRY_ROUNDING_DAY: ExpiryRounding
EXPIRY_ROUNDING_MONTH: ExpiryRounding
EXPIRY_ROUNDING_QUARTER: ExpiryRounding
EXPIRY_ROUNDING_YEAR: ExpiryRounding

class SaleLine(_message.Message):
    __slots__ = ("line_no", "amount_minor", "category", "item_code", "quantity", "tax_minor")
    LINE_NO_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    ITEM_CODE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    TAX_MINOR_FIELD_NUMBER: _ClassVar[int]
    line_no: int
    amount_minor: int
    category: str
    item_code: str
    quantity: int
    tax_minor: int
    def __init__(self, line_no: _Optional[int] = ..., amount_minor: _Optional[int] = ..., category: _Optional[str] = ..., item_code: _Optional[str] = ..., quantity: _Optional[int] = ..., tax_minor: _Optional[int] = ...) -> None: ...

class Tender(_message.Message):
    __slots__ = ("kind", "amount_minor")
    KIND_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    kind: str
    amount_minor: int
    def __init__(self, kind: _Optional[str] = ..., amount_minor: _Optional[int] = ...) -> None: ...

class RecordSaleRequest(_message.Message):
    __slots__ = ("request_id", "store_id", "source", "receipt_no", "sale_time", "member_id", "member_code", "total", "lines", "tenders", "tax_minor", "origin")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NO_FIELD_NUMBER: _ClassVar[int]
    SALE_TIME_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_CODE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    TENDERS_FIELD_NUMBER: _ClassVar[int]
    TAX_MINOR_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    store_id: str
    source: str
    receipt_no: str
    sale_time: _timestamp_pb2.Timestamp
    member_id: str
    member_code: str
    total: _types_pb2.Money
    lines: _containers.RepeatedCompositeFieldContainer[SaleLine]
    tenders: _containers.RepeatedCompositeFieldContainer[Tender]
    tax_minor: int
    origin: _doors_pb2.SaleOrigin
    def __init__(self, request_id: _Optional[str] = ..., store_id: _Optional[str] = ..., source: _Optional[str] = ..., receipt_no: _Optional[str] = ..., sale_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., member_id: _Optional[str] = ..., member_code: _Optional[str] = ..., total: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[SaleLine, _Mapping]]] = ..., tenders: _Optional[_Iterable[_Union[Tender, _Mapping]]] = ..., tax_minor: _Optional[int] = ..., origin: _Optional[_Union[_doors_pb2.SaleOrigin, _Mapping]] = ...) -> None: ...

class RecordSaleResponse(_message.Message):
    __slots__ = ("sale_id", "member_id", "points", "debt_repaid_points", "available_points", "expire_time", "explanation", "is_replay", "pending_points", "unlock_time", "outcome", "duplicate_of_sale_id")
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    DEBT_REPAID_POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    PENDING_POINTS_FIELD_NUMBER: _ClassVar[int]
    UNLOCK_TIME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_OF_SALE_ID_FIELD_NUMBER: _ClassVar[int]
    sale_id: str
    member_id: str
    points: int
    debt_repaid_points: int
    available_points: int
    expire_time: _timestamp_pb2.Timestamp
    explanation: Explanation
    is_replay: bool
    pending_points: int
    unlock_time: _timestamp_pb2.Timestamp
    outcome: _doors_pb2.SaleOutcome
    duplicate_of_sale_id: str
    def __init__(self, sale_id: _Optional[str] = ..., member_id: _Optional[str] = ..., points: _Optional[int] = ..., debt_repaid_points: _Optional[int] = ..., available_points: _Optional[int] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., explanation: _Optional[_Union[Explanation, _Mapping]] = ..., is_replay: _Optional[bool] = ..., pending_points: _Optional[int] = ..., unlock_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[_Union[_doors_pb2.SaleOutcome, str]] = ..., duplicate_of_sale_id: _Optional[str] = ...) -> None: ...

class RecordSalesRequest(_message.Message):
    __slots__ = ("sales",)
    SALES_FIELD_NUMBER: _ClassVar[int]
    sales: _containers.RepeatedCompositeFieldContainer[RecordSaleRequest]
    def __init__(self, sales: _Optional[_Iterable[_Union[RecordSaleRequest, _Mapping]]] = ...) -> None: ...

class RecordSalesResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[RecordSalesResult]
    def __init__(self, results: _Optional[_Iterable[_Union[RecordSalesResult, _Mapping]]] = ...) -> None: ...

class RecordSalesResult(_message.Message):
    __slots__ = ("recorded", "problem")
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    recorded: RecordSaleResponse
    problem: _types_pb2.Problem
    def __init__(self, recorded: _Optional[_Union[RecordSaleResponse, _Mapping]] = ..., problem: _Optional[_Union[_types_pb2.Problem, _Mapping]] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("rule_set_version", "business_date", "tier_code", "tier_multiplier_bps", "rules", "lines", "eligible_minor", "skipped", "unlock_time", "nominal_expire_time", "no_points_reason", "limits", "excluded_tax_minor", "excluded_tender_minor", "funders", "throttle", "waits", "awards", "base_rate", "rated_lines")
    RULE_SET_VERSION_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_DATE_FIELD_NUMBER: _ClassVar[int]
    TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    TIER_MULTIPLIER_BPS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    ELIGIBLE_MINOR_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    UNLOCK_TIME_FIELD_NUMBER: _ClassVar[int]
    NOMINAL_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    NO_POINTS_REASON_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_TAX_MINOR_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_TENDER_MINOR_FIELD_NUMBER: _ClassVar[int]
    FUNDERS_FIELD_NUMBER: _ClassVar[int]
    THROTTLE_FIELD_NUMBER: _ClassVar[int]
    WAITS_FIELD_NUMBER: _ClassVar[int]
    AWARDS_FIELD_NUMBER: _ClassVar[int]
    BASE_RATE_FIELD_NUMBER: _ClassVar[int]
    RATED_LINES_FIELD_NUMBER: _ClassVar[int]
    rule_set_version: int
    business_date: _types_pb2.BusinessDate
    tier_code: str
    tier_multiplier_bps: int
    rules: _containers.RepeatedCompositeFieldContainer[AppliedRule]
    lines: _containers.RepeatedCompositeFieldContainer[LinePoints]
    eligible_minor: int
    skipped: _containers.RepeatedCompositeFieldContainer[SkippedRule]
    unlock_time: _timestamp_pb2.Timestamp
    nominal_expire_time: _timestamp_pb2.Timestamp
    no_points_reason: NoPointsReason
    limits: _containers.RepeatedCompositeFieldContainer[AppliedLimit]
    excluded_tax_minor: int
    excluded_tender_minor: int
    funders: _containers.RepeatedCompositeFieldContainer[FundedPoints]
    throttle: AppliedThrottle
    waits: _containers.RepeatedCompositeFieldContainer[_doors_pb2.SaleWait]
    awards: _containers.RepeatedCompositeFieldContainer[CurrencyAward]
    base_rate: AppliedBaseRate
    rated_lines: _containers.RepeatedCompositeFieldContainer[RatedLines]
    def __init__(self, rule_set_version: _Optional[int] = ..., business_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., tier_code: _Optional[str] = ..., tier_multiplier_bps: _Optional[int] = ..., rules: _Optional[_Iterable[_Union[AppliedRule, _Mapping]]] = ..., lines: _Optional[_Iterable[_Union[LinePoints, _Mapping]]] = ..., eligible_minor: _Optional[int] = ..., skipped: _Optional[_Iterable[_Union[SkippedRule, _Mapping]]] = ..., unlock_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., nominal_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., no_points_reason: _Optional[_Union[NoPointsReason, str]] = ..., limits: _Optional[_Iterable[_Union[AppliedLimit, _Mapping]]] = ..., excluded_tax_minor: _Optional[int] = ..., excluded_tender_minor: _Optional[int] = ..., funders: _Optional[_Iterable[_Union[FundedPoints, _Mapping]]] = ..., throttle: _Optional[_Union[AppliedThrottle, _Mapping]] = ..., waits: _Optional[_Iterable[_Union[_doors_pb2.SaleWait, _Mapping]]] = ..., awards: _Optional[_Iterable[_Union[CurrencyAward, _Mapping]]] = ..., base_rate: _Optional[_Union[AppliedBaseRate, _Mapping]] = ..., rated_lines: _Optional[_Iterable[_Union[RatedLines, _Mapping]]] = ...) -> None: ...

class CurrencyAward(_message.Message):
    __slots__ = ("txn_id", "currency_id", "rule_id", "name", "name_zh", "rate_bps", "points", "capped_points", "lines", "issuer_merchant_id", "unlock_time", "expire_time")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    RATE_BPS_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    CAPPED_POINTS_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    ISSUER_MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    UNLOCK_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    currency_id: str
    rule_id: str
    name: str
    name_zh: str
    rate_bps: int
    points: int
    capped_points: int
    lines: _containers.RepeatedCompositeFieldContainer[LinePoints]
    issuer_merchant_id: str
    unlock_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, txn_id: _Optional[str] = ..., currency_id: _Optional[str] = ..., rule_id: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., rate_bps: _Optional[int] = ..., points: _Optional[int] = ..., capped_points: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[LinePoints, _Mapping]]] = ..., issuer_merchant_id: _Optional[str] = ..., unlock_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReturnedAward(_message.Message):
    __slots__ = ("award_txn_id", "currency_id", "rule_id", "points")
    AWARD_TXN_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    award_txn_id: str
    currency_id: str
    rule_id: str
    points: int
    def __init__(self, award_txn_id: _Optional[str] = ..., currency_id: _Optional[str] = ..., rule_id: _Optional[str] = ..., points: _Optional[int] = ...) -> None: ...

class AppliedThrottle(_message.Message):
    __slots__ = ("effective_time", "cost_bps", "threshold_bps")
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    COST_BPS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_BPS_FIELD_NUMBER: _ClassVar[int]
    effective_time: _timestamp_pb2.Timestamp
    cost_bps: int
    threshold_bps: int
    def __init__(self, effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cost_bps: _Optional[int] = ..., threshold_bps: _Optional[int] = ...) -> None: ...

class FunderShare(_message.Message):
    __slots__ = ("kind", "merchant_id", "share_bps")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    SHARE_BPS_FIELD_NUMBER: _ClassVar[int]
    kind: FunderKind
    merchant_id: str
    share_bps: int
    def __init__(self, kind: _Optional[_Union[FunderKind, str]] = ..., merchant_id: _Optional[str] = ..., share_bps: _Optional[int] = ...) -> None: ...

class FundedPoints(_message.Message):
    __slots__ = ("kind", "funder_id", "points")
    KIND_FIELD_NUMBER: _ClassVar[int]
    FUNDER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    kind: FunderKind
    funder_id: str
    points: int
    def __init__(self, kind: _Optional[_Union[FunderKind, str]] = ..., funder_id: _Optional[str] = ..., points: _Optional[int] = ...) -> None: ...

class AppliedLimit(_message.Message):
    __slots__ = ("limit", "limit_points", "left_points")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_POINTS_FIELD_NUMBER: _ClassVar[int]
    LEFT_POINTS_FIELD_NUMBER: _ClassVar[int]
    limit: SaleLimit
    limit_points: int
    left_points: int
    def __init__(self, limit: _Optional[_Union[SaleLimit, str]] = ..., limit_points: _Optional[int] = ..., left_points: _Optional[int] = ...) -> None: ...

class SkippedRule(_message.Message):
    __slots__ = ("rule_id", "problem")
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    problem: str
    def __init__(self, rule_id: _Optional[str] = ..., problem: _Optional[str] = ...) -> None: ...

class AppliedRule(_message.Message):
    __slots__ = ("rule_id", "kind", "name", "name_zh", "rate_bps", "points", "capped_points", "funders", "throttled_points")
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    RATE_BPS_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    CAPPED_POINTS_FIELD_NUMBER: _ClassVar[int]
    FUNDERS_FIELD_NUMBER: _ClassVar[int]
    THROTTLED_POINTS_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    kind: RuleKind
    name: str
    name_zh: str
    rate_bps: int
    points: int
    capped_points: int
    funders: _containers.RepeatedCompositeFieldContainer[FundedPoints]
    throttled_points: int
    def __init__(self, rule_id: _Optional[str] = ..., kind: _Optional[_Union[RuleKind, str]] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., rate_bps: _Optional[int] = ..., points: _Optional[int] = ..., capped_points: _Optional[int] = ..., funders: _Optional[_Iterable[_Union[FundedPoints, _Mapping]]] = ..., throttled_points: _Optional[int] = ...) -> None: ...

class LinePoints(_message.Message):
    __slots__ = ("line_no", "points", "rate_bps")
    LINE_NO_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    RATE_BPS_FIELD_NUMBER: _ClassVar[int]
    line_no: int
    points: int
    rate_bps: int
    def __init__(self, line_no: _Optional[int] = ..., points: _Optional[int] = ..., rate_bps: _Optional[int] = ...) -> None: ...

class RefundLine(_message.Message):
    __slots__ = ("line_no", "amount_minor")
    LINE_NO_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    line_no: int
    amount_minor: int
    def __init__(self, line_no: _Optional[int] = ..., amount_minor: _Optional[int] = ...) -> None: ...

class RefundSaleRequest(_message.Message):
    __slots__ = ("request_id", "store_id", "source", "receipt_no", "refund_time", "lines", "member_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NO_FIELD_NUMBER: _ClassVar[int]
    REFUND_TIME_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    store_id: str
    source: str
    receipt_no: str
    refund_time: _timestamp_pb2.Timestamp
    lines: _containers.RepeatedCompositeFieldContainer[RefundLine]
    member_id: str
    def __init__(self, request_id: _Optional[str] = ..., store_id: _Optional[str] = ..., source: _Optional[str] = ..., receipt_no: _Optional[str] = ..., refund_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[RefundLine, _Mapping]]] = ..., member_id: _Optional[str] = ...) -> None: ...

class RefundSaleResponse(_message.Message):
    __slots__ = ("refund_id", "sale_id", "member_id", "clawed_back_points", "debt_points", "available_points", "lines", "refunded_minor", "is_replay", "written_off_points", "returned_awards")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    CLAWED_BACK_POINTS_FIELD_NUMBER: _ClassVar[int]
    DEBT_POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_MINOR_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_OFF_POINTS_FIELD_NUMBER: _ClassVar[int]
    RETURNED_AWARDS_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    sale_id: str
    member_id: str
    clawed_back_points: int
    debt_points: int
    available_points: int
    lines: _containers.RepeatedCompositeFieldContainer[LinePoints]
    refunded_minor: int
    is_replay: bool
    written_off_points: int
    returned_awards: _containers.RepeatedCompositeFieldContainer[ReturnedAward]
    def __init__(self, refund_id: _Optional[str] = ..., sale_id: _Optional[str] = ..., member_id: _Optional[str] = ..., clawed_back_points: _Optional[int] = ..., debt_points: _Optional[int] = ..., available_points: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[LinePoints, _Mapping]]] = ..., refunded_minor: _Optional[int] = ..., is_replay: _Optional[bool] = ..., written_off_points: _Optional[int] = ..., returned_awards: _Optional[_Iterable[_Union[ReturnedAward, _Mapping]]] = ...) -> None: ...

class GetSaleRequest(_message.Message):
    __slots__ = ("member_id", "sale_id", "store_id")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    sale_id: str
    store_id: str
    def __init__(self, member_id: _Optional[str] = ..., sale_id: _Optional[str] = ..., store_id: _Optional[str] = ...) -> None: ...

class GetSaleResponse(_message.Message):
    __slots__ = ("sale_id", "member_id", "store_id", "source", "receipt_no", "sale_time", "total", "lines", "points", "explanation", "clawed_back_points", "refunded_minor", "written_off_points")
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NO_FIELD_NUMBER: _ClassVar[int]
    SALE_TIME_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    CLAWED_BACK_POINTS_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_MINOR_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_OFF_POINTS_FIELD_NUMBER: _ClassVar[int]
    sale_id: str
    member_id: str
    store_id: str
    source: str
    receipt_no: str
    sale_time: _timestamp_pb2.Timestamp
    total: _types_pb2.Money
    lines: _containers.RepeatedCompositeFieldContainer[SaleLine]
    points: int
    explanation: Explanation
    clawed_back_points: int
    refunded_minor: int
    written_off_points: int
    def __init__(self, sale_id: _Optional[str] = ..., member_id: _Optional[str] = ..., store_id: _Optional[str] = ..., source: _Optional[str] = ..., receipt_no: _Optional[str] = ..., sale_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., total: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[SaleLine, _Mapping]]] = ..., points: _Optional[int] = ..., explanation: _Optional[_Union[Explanation, _Mapping]] = ..., clawed_back_points: _Optional[int] = ..., refunded_minor: _Optional[int] = ..., written_off_points: _Optional[int] = ...) -> None: ...

class GetBalanceRequest(_message.Message):
    __slots__ = ("member_id", "currency_id")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    currency_id: str
    def __init__(self, member_id: _Optional[str] = ..., currency_id: _Optional[str] = ...) -> None: ...

class GetBalanceResponse(_message.Message):
    __slots__ = ("member_id", "available_points", "held_points", "pending_points", "debt_points", "earned_points_total", "spent_points_total", "expired_points_total", "next_expiries", "next_unlocks", "lifetime_points_total", "clawed_back_points_total", "transferred_points_total")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    HELD_POINTS_FIELD_NUMBER: _ClassVar[int]
    PENDING_POINTS_FIELD_NUMBER: _ClassVar[int]
    DEBT_POINTS_FIELD_NUMBER: _ClassVar[int]
    EARNED_POINTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    SPENT_POINTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_POINTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    NEXT_EXPIRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_UNLOCKS_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_POINTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    CLAWED_BACK_POINTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    TRANSFERRED_POINTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    available_points: int
    held_points: int
    pending_points: int
    debt_points: int
    earned_points_total: int
    spent_points_total: int
    expired_points_total: int
    next_expiries: _containers.RepeatedCompositeFieldContainer[Expiry]
    next_unlocks: _containers.RepeatedCompositeFieldContainer[Unlock]
    lifetime_points_total: int
    clawed_back_points_total: int
    transferred_points_total: int
    def __init__(self, member_id: _Optional[str] = ..., available_points: _Optional[int] = ..., held_points: _Optional[int] = ..., pending_points: _Optional[int] = ..., debt_points: _Optional[int] = ..., earned_points_total: _Optional[int] = ..., spent_points_total: _Optional[int] = ..., expired_points_total: _Optional[int] = ..., next_expiries: _Optional[_Iterable[_Union[Expiry, _Mapping]]] = ..., next_unlocks: _Optional[_Iterable[_Union[Unlock, _Mapping]]] = ..., lifetime_points_total: _Optional[int] = ..., clawed_back_points_total: _Optional[int] = ..., transferred_points_total: _Optional[int] = ...) -> None: ...

class Expiry(_message.Message):
    __slots__ = ("expire_time", "points", "is_at_least")
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    IS_AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    expire_time: _timestamp_pb2.Timestamp
    points: int
    is_at_least: bool
    def __init__(self, expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., points: _Optional[int] = ..., is_at_least: _Optional[bool] = ...) -> None: ...

class Unlock(_message.Message):
    __slots__ = ("unlock_time", "points", "is_at_least")
    UNLOCK_TIME_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    IS_AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    unlock_time: _timestamp_pb2.Timestamp
    points: int
    is_at_least: bool
    def __init__(self, unlock_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., points: _Optional[int] = ..., is_at_least: _Optional[bool] = ...) -> None: ...

class ListStatementRequest(_message.Message):
    __slots__ = ("member_id", "page_size", "page_token", "currency_id", "absorbed_member_id")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    ABSORBED_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    page_size: int
    page_token: str
    currency_id: str
    absorbed_member_id: str
    def __init__(self, member_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., currency_id: _Optional[str] = ..., absorbed_member_id: _Optional[str] = ...) -> None: ...

class ListStatementResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[StatementEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[StatementEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StatementEntry(_message.Message):
    __slots__ = ("txn_id", "kind", "points", "available_points", "occur_time", "record_time", "merchant_id", "store_id", "reference", "expire_time", "pending_points", "unlock_time", "rules", "debt_points", "spending_kind", "reason_code", "reversed_txn_id", "other_member_id", "written_off_points", "renewed_points", "pool_id", "other_currency_id", "merge_id")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    OCCUR_TIME_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    PENDING_POINTS_FIELD_NUMBER: _ClassVar[int]
    UNLOCK_TIME_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    DEBT_POINTS_FIELD_NUMBER: _ClassVar[int]
    SPENDING_KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REVERSED_TXN_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_OFF_POINTS_FIELD_NUMBER: _ClassVar[int]
    RENEWED_POINTS_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    kind: MovementKind
    points: int
    available_points: int
    occur_time: _timestamp_pb2.Timestamp
    record_time: _timestamp_pb2.Timestamp
    merchant_id: str
    store_id: str
    reference: str
    expire_time: _timestamp_pb2.Timestamp
    pending_points: int
    unlock_time: _timestamp_pb2.Timestamp
    rules: _containers.RepeatedCompositeFieldContainer[AppliedRule]
    debt_points: int
    spending_kind: SpendingKind
    reason_code: str
    reversed_txn_id: str
    other_member_id: str
    written_off_points: int
    renewed_points: int
    pool_id: str
    other_currency_id: str
    merge_id: str
    def __init__(self, txn_id: _Optional[str] = ..., kind: _Optional[_Union[MovementKind, str]] = ..., points: _Optional[int] = ..., available_points: _Optional[int] = ..., occur_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., merchant_id: _Optional[str] = ..., store_id: _Optional[str] = ..., reference: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., pending_points: _Optional[int] = ..., unlock_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rules: _Optional[_Iterable[_Union[AppliedRule, _Mapping]]] = ..., debt_points: _Optional[int] = ..., spending_kind: _Optional[_Union[SpendingKind, str]] = ..., reason_code: _Optional[str] = ..., reversed_txn_id: _Optional[str] = ..., other_member_id: _Optional[str] = ..., written_off_points: _Optional[int] = ..., renewed_points: _Optional[int] = ..., pool_id: _Optional[str] = ..., other_currency_id: _Optional[str] = ..., merge_id: _Optional[str] = ...) -> None: ...

class QuoteOffsetRequest(_message.Message):
    __slots__ = ("member_id", "store_id", "order_total", "lines", "quote_token", "merchant_id", "spending_kind", "pool_id")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_TOTAL_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    QUOTE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    SPENDING_KIND_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    store_id: str
    order_total: _types_pb2.Money
    lines: _containers.RepeatedCompositeFieldContainer[SaleLine]
    quote_token: str
    merchant_id: str
    spending_kind: SpendingKind
    pool_id: str
    def __init__(self, member_id: _Optional[str] = ..., store_id: _Optional[str] = ..., order_total: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[SaleLine, _Mapping]]] = ..., quote_token: _Optional[str] = ..., merchant_id: _Optional[str] = ..., spending_kind: _Optional[_Union[SpendingKind, str]] = ..., pool_id: _Optional[str] = ...) -> None: ...

class QuoteOffsetResponse(_message.Message):
    __slots__ = ("max_points", "max_offset", "step_points", "step_minor", "max_share_bps", "available_points", "min_points", "order_max_points", "eligible", "terms_id", "terms_name", "terms_name_zh", "skipped_terms", "quote_token", "quote_expire_time")
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    MAX_OFFSET_FIELD_NUMBER: _ClassVar[int]
    STEP_POINTS_FIELD_NUMBER: _ClassVar[int]
    STEP_MINOR_FIELD_NUMBER: _ClassVar[int]
    MAX_SHARE_BPS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    MIN_POINTS_FIELD_NUMBER: _ClassVar[int]
    ORDER_MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    ELIGIBLE_FIELD_NUMBER: _ClassVar[int]
    TERMS_ID_FIELD_NUMBER: _ClassVar[int]
    TERMS_NAME_FIELD_NUMBER: _ClassVar[int]
    TERMS_NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_TERMS_FIELD_NUMBER: _ClassVar[int]
    QUOTE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    QUOTE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    max_points: int
    max_offset: _types_pb2.Money
    step_points: int
    step_minor: int
    max_share_bps: int
    available_points: int
    min_points: int
    order_max_points: int
    eligible: _types_pb2.Money
    terms_id: str
    terms_name: str
    terms_name_zh: str
    skipped_terms: _containers.RepeatedCompositeFieldContainer[SkippedOffsetTerms]
    quote_token: str
    quote_expire_time: _timestamp_pb2.Timestamp
    def __init__(self, max_points: _Optional[int] = ..., max_offset: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., step_points: _Optional[int] = ..., step_minor: _Optional[int] = ..., max_share_bps: _Optional[int] = ..., available_points: _Optional[int] = ..., min_points: _Optional[int] = ..., order_max_points: _Optional[int] = ..., eligible: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., terms_id: _Optional[str] = ..., terms_name: _Optional[str] = ..., terms_name_zh: _Optional[str] = ..., skipped_terms: _Optional[_Iterable[_Union[SkippedOffsetTerms, _Mapping]]] = ..., quote_token: _Optional[str] = ..., quote_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SkippedOffsetTerms(_message.Message):
    __slots__ = ("terms_id", "reason")
    TERMS_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    terms_id: str
    reason: SkippedOffsetReason
    def __init__(self, terms_id: _Optional[str] = ..., reason: _Optional[_Union[SkippedOffsetReason, str]] = ...) -> None: ...

class RedeemRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "points", "spending", "currency_id", "pool_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    SPENDING_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    points: int
    spending: Spending
    currency_id: str
    pool_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., points: _Optional[int] = ..., spending: _Optional[_Union[Spending, _Mapping]] = ..., currency_id: _Optional[str] = ..., pool_id: _Optional[str] = ...) -> None: ...

class Spending(_message.Message):
    __slots__ = ("merchant_id", "store_id", "kind", "reference", "offset_minor", "pool_id", "member_id", "quote_token")
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_MINOR_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    QUOTE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    merchant_id: str
    store_id: str
    kind: SpendingKind
    reference: str
    offset_minor: int
    pool_id: str
    member_id: str
    quote_token: str
    def __init__(self, merchant_id: _Optional[str] = ..., store_id: _Optional[str] = ..., kind: _Optional[_Union[SpendingKind, str]] = ..., reference: _Optional[str] = ..., offset_minor: _Optional[int] = ..., pool_id: _Optional[str] = ..., member_id: _Optional[str] = ..., quote_token: _Optional[str] = ...) -> None: ...

class RedeemResponse(_message.Message):
    __slots__ = ("txn_id", "points", "available_points", "is_replay")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    points: int
    available_points: int
    is_replay: bool
    def __init__(self, txn_id: _Optional[str] = ..., points: _Optional[int] = ..., available_points: _Optional[int] = ..., is_replay: _Optional[bool] = ...) -> None: ...

class ReverseRedemptionRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "redemption_txn_id", "points", "currency_id", "pool_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    REDEMPTION_TXN_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    redemption_txn_id: str
    points: int
    currency_id: str
    pool_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., redemption_txn_id: _Optional[str] = ..., points: _Optional[int] = ..., currency_id: _Optional[str] = ..., pool_id: _Optional[str] = ...) -> None: ...

class ReverseRedemptionResponse(_message.Message):
    __slots__ = ("txn_id", "points", "available_points", "is_replay")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    points: int
    available_points: int
    is_replay: bool
    def __init__(self, txn_id: _Optional[str] = ..., points: _Optional[int] = ..., available_points: _Optional[int] = ..., is_replay: _Optional[bool] = ...) -> None: ...

class HoldRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "points", "spending", "hold_seconds", "currency_id", "pool_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    SPENDING_FIELD_NUMBER: _ClassVar[int]
    HOLD_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    points: int
    spending: Spending
    hold_seconds: int
    currency_id: str
    pool_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., points: _Optional[int] = ..., spending: _Optional[_Union[Spending, _Mapping]] = ..., hold_seconds: _Optional[int] = ..., currency_id: _Optional[str] = ..., pool_id: _Optional[str] = ...) -> None: ...

class HoldResponse(_message.Message):
    __slots__ = ("hold_id", "expire_time", "available_points", "is_replay")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    hold_id: str
    expire_time: _timestamp_pb2.Timestamp
    available_points: int
    is_replay: bool
    def __init__(self, hold_id: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., available_points: _Optional[int] = ..., is_replay: _Optional[bool] = ...) -> None: ...

class CaptureRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "hold_id", "points", "currency_id", "pool_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    hold_id: str
    points: int
    currency_id: str
    pool_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., hold_id: _Optional[str] = ..., points: _Optional[int] = ..., currency_id: _Optional[str] = ..., pool_id: _Optional[str] = ...) -> None: ...

class CaptureResponse(_message.Message):
    __slots__ = ("txn_id", "points", "available_points", "is_replay")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    points: int
    available_points: int
    is_replay: bool
    def __init__(self, txn_id: _Optional[str] = ..., points: _Optional[int] = ..., available_points: _Optional[int] = ..., is_replay: _Optional[bool] = ...) -> None: ...

class ReleaseRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "hold_request_id", "currency_id", "pool_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    hold_request_id: str
    currency_id: str
    pool_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., hold_request_id: _Optional[str] = ..., currency_id: _Optional[str] = ..., pool_id: _Optional[str] = ...) -> None: ...

class ReleaseResponse(_message.Message):
    __slots__ = ("released_points", "available_points")
    RELEASED_POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    released_points: int
    available_points: int
    def __init__(self, released_points: _Optional[int] = ..., available_points: _Optional[int] = ...) -> None: ...

class TransferPointsRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "to_member_id", "points")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TO_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    to_member_id: str
    points: int
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., to_member_id: _Optional[str] = ..., points: _Optional[int] = ...) -> None: ...

class TransferPointsResponse(_message.Message):
    __slots__ = ("txn_id", "points", "available_points", "is_replay")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    points: int
    available_points: int
    is_replay: bool
    def __init__(self, txn_id: _Optional[str] = ..., points: _Optional[int] = ..., available_points: _Optional[int] = ..., is_replay: _Optional[bool] = ...) -> None: ...

class EarningRule(_message.Message):
    __slots__ = ("rule_id", "kind", "name", "name_zh", "bonus_bps", "min_amount_minor", "categories", "store_ids", "month_days", "week_days", "funders", "fixed_points", "merchant_ids", "business_unit_ids", "store_categories", "condition", "start_date", "end_date", "recurrence", "day_kind", "combination", "combination_group", "priority", "max_points", "max_points_per_member_day", "max_points_per_member_month", "budget_points", "budget_id", "throttle", "currency_id")
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    BONUS_BPS_FIELD_NUMBER: _ClassVar[int]
    MIN_AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    STORE_IDS_FIELD_NUMBER: _ClassVar[int]
    MONTH_DAYS_FIELD_NUMBER: _ClassVar[int]
    WEEK_DAYS_FIELD_NUMBER: _ClassVar[int]
    FUNDERS_FIELD_NUMBER: _ClassVar[int]
    FIXED_POINTS_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_IDS_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_IDS_FIELD_NUMBER: _ClassVar[int]
    STORE_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    RECURRENCE_FIELD_NUMBER: _ClassVar[int]
    DAY_KIND_FIELD_NUMBER: _ClassVar[int]
    COMBINATION_FIELD_NUMBER: _ClassVar[int]
    COMBINATION_GROUP_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_PER_MEMBER_DAY_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_PER_MEMBER_MONTH_FIELD_NUMBER: _ClassVar[int]
    BUDGET_POINTS_FIELD_NUMBER: _ClassVar[int]
    BUDGET_ID_FIELD_NUMBER: _ClassVar[int]
    THROTTLE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    kind: RuleKind
    name: str
    name_zh: str
    bonus_bps: int
    min_amount_minor: int
    categories: _containers.RepeatedScalarFieldContainer[str]
    store_ids: _containers.RepeatedScalarFieldContainer[str]
    month_days: _containers.RepeatedScalarFieldContainer[int]
    week_days: _containers.RepeatedScalarFieldContainer[int]
    funders: _containers.RepeatedCompositeFieldContainer[FunderShare]
    fixed_points: int
    merchant_ids: _containers.RepeatedScalarFieldContainer[str]
    business_unit_ids: _containers.RepeatedScalarFieldContainer[str]
    store_categories: _containers.RepeatedScalarFieldContainer[str]
    condition: str
    start_date: _types_pb2.BusinessDate
    end_date: _types_pb2.BusinessDate
    recurrence: str
    day_kind: DayKind
    combination: Combination
    combination_group: str
    priority: int
    max_points: int
    max_points_per_member_day: int
    max_points_per_member_month: int
    budget_points: int
    budget_id: str
    throttle: OfferThrottle
    currency_id: str
    def __init__(self, rule_id: _Optional[str] = ..., kind: _Optional[_Union[RuleKind, str]] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., bonus_bps: _Optional[int] = ..., min_amount_minor: _Optional[int] = ..., categories: _Optional[_Iterable[str]] = ..., store_ids: _Optional[_Iterable[str]] = ..., month_days: _Optional[_Iterable[int]] = ..., week_days: _Optional[_Iterable[int]] = ..., funders: _Optional[_Iterable[_Union[FunderShare, _Mapping]]] = ..., fixed_points: _Optional[int] = ..., merchant_ids: _Optional[_Iterable[str]] = ..., business_unit_ids: _Optional[_Iterable[str]] = ..., store_categories: _Optional[_Iterable[str]] = ..., condition: _Optional[str] = ..., start_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., end_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., recurrence: _Optional[str] = ..., day_kind: _Optional[_Union[DayKind, str]] = ..., combination: _Optional[_Union[Combination, str]] = ..., combination_group: _Optional[str] = ..., priority: _Optional[int] = ..., max_points: _Optional[int] = ..., max_points_per_member_day: _Optional[int] = ..., max_points_per_member_month: _Optional[int] = ..., budget_points: _Optional[int] = ..., budget_id: _Optional[str] = ..., throttle: _Optional[_Union[OfferThrottle, _Mapping]] = ..., currency_id: _Optional[str] = ...) -> None: ...

class OfferThrottle(_message.Message):
    __slots__ = ("factor_bps",)
    FACTOR_BPS_FIELD_NUMBER: _ClassVar[int]
    factor_bps: int
    def __init__(self, factor_bps: _Optional[int] = ...) -> None: ...

class BaseRate(_message.Message):
    __slots__ = ("rate_id", "name", "name_zh", "business_unit_ids", "store_categories", "merchant_ids", "store_ids", "base_points", "base_step_minor", "item_categories")
    RATE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_IDS_FIELD_NUMBER: _ClassVar[int]
    STORE_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_IDS_FIELD_NUMBER: _ClassVar[int]
    STORE_IDS_FIELD_NUMBER: _ClassVar[int]
    BASE_POINTS_FIELD_NUMBER: _ClassVar[int]
    BASE_STEP_MINOR_FIELD_NUMBER: _ClassVar[int]
    ITEM_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    rate_id: str
    name: str
    name_zh: str
    business_unit_ids: _containers.RepeatedScalarFieldContainer[str]
    store_categories: _containers.RepeatedScalarFieldContainer[str]
    merchant_ids: _containers.RepeatedScalarFieldContainer[str]
    store_ids: _containers.RepeatedScalarFieldContainer[str]
    base_points: int
    base_step_minor: int
    item_categories: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, rate_id: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., business_unit_ids: _Optional[_Iterable[str]] = ..., store_categories: _Optional[_Iterable[str]] = ..., merchant_ids: _Optional[_Iterable[str]] = ..., store_ids: _Optional[_Iterable[str]] = ..., base_points: _Optional[int] = ..., base_step_minor: _Optional[int] = ..., item_categories: _Optional[_Iterable[str]] = ...) -> None: ...

class AppliedBaseRate(_message.Message):
    __slots__ = ("rate_id", "name", "name_zh", "base_points", "base_step_minor")
    RATE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    BASE_POINTS_FIELD_NUMBER: _ClassVar[int]
    BASE_STEP_MINOR_FIELD_NUMBER: _ClassVar[int]
    rate_id: str
    name: str
    name_zh: str
    base_points: int
    base_step_minor: int
    def __init__(self, rate_id: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., base_points: _Optional[int] = ..., base_step_minor: _Optional[int] = ...) -> None: ...

class RatedLines(_message.Message):
    __slots__ = ("rate", "line_nos", "points")
    RATE_FIELD_NUMBER: _ClassVar[int]
    LINE_NOS_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    rate: AppliedBaseRate
    line_nos: _containers.RepeatedScalarFieldContainer[int]
    points: int
    def __init__(self, rate: _Optional[_Union[AppliedBaseRate, _Mapping]] = ..., line_nos: _Optional[_Iterable[int]] = ..., points: _Optional[int] = ...) -> None: ...

class RuleSet(_message.Message):
    __slots__ = ("version", "effective_date", "base_points", "base_step_minor", "rules", "excluded_categories", "expiry_months", "offset", "rounding", "effective_time", "pending_days", "transfer_limit_points", "expiry", "debt_policy", "debt_limit_points", "reminder_days", "hoarding_months", "store_budgets", "issuance_ceiling", "excluded_item_codes", "excluded_tenders", "excludes_tax", "cost_governor", "member_ceiling", "campaign_budgets", "confirmation", "matching", "velocity", "latest_arrival_days", "interaction_limits", "family_pool_members", "offset_terms", "base_rates", "calendar_days")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    BASE_POINTS_FIELD_NUMBER: _ClassVar[int]
    BASE_STEP_MINOR_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_MONTHS_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    PENDING_DAYS_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_LIMIT_POINTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    DEBT_POLICY_FIELD_NUMBER: _ClassVar[int]
    DEBT_LIMIT_POINTS_FIELD_NUMBER: _ClassVar[int]
    REMINDER_DAYS_FIELD_NUMBER: _ClassVar[int]
    HOARDING_MONTHS_FIELD_NUMBER: _ClassVar[int]
    STORE_BUDGETS_FIELD_NUMBER: _ClassVar[int]
    ISSUANCE_CEILING_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_ITEM_CODES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_TENDERS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDES_TAX_FIELD_NUMBER: _ClassVar[int]
    COST_GOVERNOR_FIELD_NUMBER: _ClassVar[int]
    MEMBER_CEILING_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_BUDGETS_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATION_FIELD_NUMBER: _ClassVar[int]
    MATCHING_FIELD_NUMBER: _ClassVar[int]
    VELOCITY_FIELD_NUMBER: _ClassVar[int]
    LATEST_ARRIVAL_DAYS_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_LIMITS_FIELD_NUMBER: _ClassVar[int]
    FAMILY_POOL_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    OFFSET_TERMS_FIELD_NUMBER: _ClassVar[int]
    BASE_RATES_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_DAYS_FIELD_NUMBER: _ClassVar[int]
    version: int
    effective_date: _types_pb2.BusinessDate
    base_points: int
    base_step_minor: int
    rules: _containers.RepeatedCompositeFieldContainer[EarningRule]
    excluded_categories: _containers.RepeatedScalarFieldContainer[str]
    expiry_months: int
    offset: OffsetRule
    rounding: Rounding
    effective_time: _timestamp_pb2.Timestamp
    pending_days: int
    transfer_limit_points: int
    expiry: ExpiryPolicy
    debt_policy: DebtPolicy
    debt_limit_points: int
    reminder_days: _containers.RepeatedScalarFieldContainer[int]
    hoarding_months: int
    store_budgets: _containers.RepeatedCompositeFieldContainer[StoreBudget]
    issuance_ceiling: IssuanceCeiling
    excluded_item_codes: _containers.RepeatedScalarFieldContainer[str]
    excluded_tenders: _containers.RepeatedScalarFieldContainer[str]
    excludes_tax: bool
    cost_governor: CostGovernor
    member_ceiling: MemberCeiling
    campaign_budgets: _containers.RepeatedCompositeFieldContainer[CampaignBudget]
    confirmation: _doors_pb2.ConfirmationRule
    matching: _doors_pb2.MatchingRule
    velocity: _doors_pb2.VelocityRule
    latest_arrival_days: int
    interaction_limits: _containers.RepeatedCompositeFieldContainer[_doors_pb2.InteractionLimit]
    family_pool_members: int
    offset_terms: _containers.RepeatedCompositeFieldContainer[OffsetTerms]
    base_rates: _containers.RepeatedCompositeFieldContainer[BaseRate]
    calendar_days: _containers.RepeatedCompositeFieldContainer[CalendarDay]
    def __init__(self, version: _Optional[int] = ..., effective_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., base_points: _Optional[int] = ..., base_step_minor: _Optional[int] = ..., rules: _Optional[_Iterable[_Union[EarningRule, _Mapping]]] = ..., excluded_categories: _Optional[_Iterable[str]] = ..., expiry_months: _Optional[int] = ..., offset: _Optional[_Union[OffsetRule, _Mapping]] = ..., rounding: _Optional[_Union[Rounding, str]] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., pending_days: _Optional[int] = ..., transfer_limit_points: _Optional[int] = ..., expiry: _Optional[_Union[ExpiryPolicy, _Mapping]] = ..., debt_policy: _Optional[_Union[DebtPolicy, str]] = ..., debt_limit_points: _Optional[int] = ..., reminder_days: _Optional[_Iterable[int]] = ..., hoarding_months: _Optional[int] = ..., store_budgets: _Optional[_Iterable[_Union[StoreBudget, _Mapping]]] = ..., issuance_ceiling: _Optional[_Union[IssuanceCeiling, _Mapping]] = ..., excluded_item_codes: _Optional[_Iterable[str]] = ..., excluded_tenders: _Optional[_Iterable[str]] = ..., excludes_tax: _Optional[bool] = ..., cost_governor: _Optional[_Union[CostGovernor, _Mapping]] = ..., member_ceiling: _Optional[_Union[MemberCeiling, _Mapping]] = ..., campaign_budgets: _Optional[_Iterable[_Union[CampaignBudget, _Mapping]]] = ..., confirmation: _Optional[_Union[_doors_pb2.ConfirmationRule, _Mapping]] = ..., matching: _Optional[_Union[_doors_pb2.MatchingRule, _Mapping]] = ..., velocity: _Optional[_Union[_doors_pb2.VelocityRule, _Mapping]] = ..., latest_arrival_days: _Optional[int] = ..., interaction_limits: _Optional[_Iterable[_Union[_doors_pb2.InteractionLimit, _Mapping]]] = ..., family_pool_members: _Optional[int] = ..., offset_terms: _Optional[_Iterable[_Union[OffsetTerms, _Mapping]]] = ..., base_rates: _Optional[_Iterable[_Union[BaseRate, _Mapping]]] = ..., calendar_days: _Optional[_Iterable[_Union[CalendarDay, _Mapping]]] = ...) -> None: ...

class CalendarDay(_message.Message):
    __slots__ = ("date", "kind", "name", "business_unit_ids")
    DATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_IDS_FIELD_NUMBER: _ClassVar[int]
    date: _types_pb2.BusinessDate
    kind: DayKind
    name: str
    business_unit_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., kind: _Optional[_Union[DayKind, str]] = ..., name: _Optional[str] = ..., business_unit_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ExpiryPolicy(_message.Message):
    __slots__ = ("kind", "months", "rounding", "years", "fixed_date", "grace_days")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_FIELD_NUMBER: _ClassVar[int]
    YEARS_FIELD_NUMBER: _ClassVar[int]
    FIXED_DATE_FIELD_NUMBER: _ClassVar[int]
    GRACE_DAYS_FIELD_NUMBER: _ClassVar[int]
    kind: ExpiryKind
    months: int
    rounding: ExpiryRounding
    years: int
    fixed_date: _types_pb2.BusinessDate
    grace_days: int
    def __init__(self, kind: _Optional[_Union[ExpiryKind, str]] = ..., months: _Optional[int] = ..., rounding: _Optional[_Union[ExpiryRounding, str]] = ..., years: _Optional[int] = ..., fixed_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., grace_days: _Optional[int] = ...) -> None: ...

class CostGovernor(_message.Message):
    __slots__ = ("window_days", "warn_bps", "throttle_bps", "hysteresis_bps", "min_sales_minor")
    WINDOW_DAYS_FIELD_NUMBER: _ClassVar[int]
    WARN_BPS_FIELD_NUMBER: _ClassVar[int]
    THROTTLE_BPS_FIELD_NUMBER: _ClassVar[int]
    HYSTERESIS_BPS_FIELD_NUMBER: _ClassVar[int]
    MIN_SALES_MINOR_FIELD_NUMBER: _ClassVar[int]
    window_days: int
    warn_bps: int
    throttle_bps: int
    hysteresis_bps: int
    min_sales_minor: int
    def __init__(self, window_days: _Optional[int] = ..., warn_bps: _Optional[int] = ..., throttle_bps: _Optional[int] = ..., hysteresis_bps: _Optional[int] = ..., min_sales_minor: _Optional[int] = ...) -> None: ...

class CampaignBudget(_message.Message):
    __slots__ = ("budget_id", "points")
    BUDGET_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    budget_id: str
    points: int
    def __init__(self, budget_id: _Optional[str] = ..., points: _Optional[int] = ...) -> None: ...

class StoreBudget(_message.Message):
    __slots__ = ("store_id", "points_per_month", "points_in_all")
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_PER_MONTH_FIELD_NUMBER: _ClassVar[int]
    POINTS_IN_ALL_FIELD_NUMBER: _ClassVar[int]
    store_id: str
    points_per_month: int
    points_in_all: int
    def __init__(self, store_id: _Optional[str] = ..., points_per_month: _Optional[int] = ..., points_in_all: _Optional[int] = ...) -> None: ...

class IssuanceCeiling(_message.Message):
    __slots__ = ("points_per_day", "points_per_month")
    POINTS_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    POINTS_PER_MONTH_FIELD_NUMBER: _ClassVar[int]
    points_per_day: int
    points_per_month: int
    def __init__(self, points_per_day: _Optional[int] = ..., points_per_month: _Optional[int] = ...) -> None: ...

class MemberCeiling(_message.Message):
    __slots__ = ("points_per_day", "points_per_month")
    POINTS_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    POINTS_PER_MONTH_FIELD_NUMBER: _ClassVar[int]
    points_per_day: int
    points_per_month: int
    def __init__(self, points_per_day: _Optional[int] = ..., points_per_month: _Optional[int] = ...) -> None: ...

class OffsetRule(_message.Message):
    __slots__ = ("offset_points", "offset_minor", "max_share_bps")
    OFFSET_POINTS_FIELD_NUMBER: _ClassVar[int]
    OFFSET_MINOR_FIELD_NUMBER: _ClassVar[int]
    MAX_SHARE_BPS_FIELD_NUMBER: _ClassVar[int]
    offset_points: int
    offset_minor: int
    max_share_bps: int
    def __init__(self, offset_points: _Optional[int] = ..., offset_minor: _Optional[int] = ..., max_share_bps: _Optional[int] = ...) -> None: ...

class OffsetTerms(_message.Message):
    __slots__ = ("terms_id", "name", "name_zh", "business_unit_ids", "merchant_ids", "tier_codes", "start_date", "end_date", "recurrence", "day_kind", "offset", "step_points", "min_points", "excluded_categories", "excluded_item_codes")
    TERMS_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_IDS_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_IDS_FIELD_NUMBER: _ClassVar[int]
    TIER_CODES_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    RECURRENCE_FIELD_NUMBER: _ClassVar[int]
    DAY_KIND_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    STEP_POINTS_FIELD_NUMBER: _ClassVar[int]
    MIN_POINTS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_ITEM_CODES_FIELD_NUMBER: _ClassVar[int]
    terms_id: str
    name: str
    name_zh: str
    business_unit_ids: _containers.RepeatedScalarFieldContainer[str]
    merchant_ids: _containers.RepeatedScalarFieldContainer[str]
    tier_codes: _containers.RepeatedScalarFieldContainer[str]
    start_date: _types_pb2.BusinessDate
    end_date: _types_pb2.BusinessDate
    recurrence: str
    day_kind: DayKind
    offset: OffsetRule
    step_points: int
    min_points: int
    excluded_categories: _containers.RepeatedScalarFieldContainer[str]
    excluded_item_codes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, terms_id: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., business_unit_ids: _Optional[_Iterable[str]] = ..., merchant_ids: _Optional[_Iterable[str]] = ..., tier_codes: _Optional[_Iterable[str]] = ..., start_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., end_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., recurrence: _Optional[str] = ..., day_kind: _Optional[_Union[DayKind, str]] = ..., offset: _Optional[_Union[OffsetRule, _Mapping]] = ..., step_points: _Optional[int] = ..., min_points: _Optional[int] = ..., excluded_categories: _Optional[_Iterable[str]] = ..., excluded_item_codes: _Optional[_Iterable[str]] = ...) -> None: ...

class PublishRuleSetRequest(_message.Message):
    __slots__ = ("request_id", "rule_set")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_SET_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    rule_set: RuleSet
    def __init__(self, request_id: _Optional[str] = ..., rule_set: _Optional[_Union[RuleSet, _Mapping]] = ...) -> None: ...

class PublishRuleSetResponse(_message.Message):
    __slots__ = ("rule_set", "warnings")
    RULE_SET_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    rule_set: RuleSet
    warnings: _containers.RepeatedCompositeFieldContainer[_types_pb2.Problem]
    def __init__(self, rule_set: _Optional[_Union[RuleSet, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_types_pb2.Problem, _Mapping]]] = ...) -> None: ...

class GetRuleSetRequest(_message.Message):
    __slots__ = ("business_date",)
    BUSINESS_DATE_FIELD_NUMBER: _ClassVar[int]
    business_date: _types_pb2.BusinessDate
    def __init__(self, business_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ...) -> None: ...

class GetRuleSetResponse(_message.Message):
    __slots__ = ("rule_set",)
    RULE_SET_FIELD_NUMBER: _ClassVar[int]
    rule_set: RuleSet
    def __init__(self, rule_set: _Optional[_Union[RuleSet, _Mapping]] = ...) -> None: ...

class GetTotalsRequest(_message.Message):
    __slots__ = ("currency_id", "business_unit_id")
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    currency_id: str
    business_unit_id: str
    def __init__(self, currency_id: _Optional[str] = ..., business_unit_id: _Optional[str] = ...) -> None: ...

class GetTotalsResponse(_message.Message):
    __slots__ = ("merchants", "total")
    MERCHANTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    merchants: _containers.RepeatedCompositeFieldContainer[MerchantTotals]
    total: PointsTotals
    def __init__(self, merchants: _Optional[_Iterable[_Union[MerchantTotals, _Mapping]]] = ..., total: _Optional[_Union[PointsTotals, _Mapping]] = ...) -> None: ...

class MerchantTotals(_message.Message):
    __slots__ = ("merchant_id", "business_unit_id", "issued", "accepted_points")
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    ISSUED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_POINTS_FIELD_NUMBER: _ClassVar[int]
    merchant_id: str
    business_unit_id: str
    issued: PointsTotals
    accepted_points: int
    def __init__(self, merchant_id: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., issued: _Optional[_Union[PointsTotals, _Mapping]] = ..., accepted_points: _Optional[int] = ...) -> None: ...

class PointsTotals(_message.Message):
    __slots__ = ("issued_points", "clawed_back_points", "redeemed_points", "expired_points", "outstanding_points", "debt_points", "sale_count", "sales_minor", "written_off_points")
    ISSUED_POINTS_FIELD_NUMBER: _ClassVar[int]
    CLAWED_BACK_POINTS_FIELD_NUMBER: _ClassVar[int]
    REDEEMED_POINTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_POINTS_FIELD_NUMBER: _ClassVar[int]
    OUTSTANDING_POINTS_FIELD_NUMBER: _ClassVar[int]
    DEBT_POINTS_FIELD_NUMBER: _ClassVar[int]
    SALE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SALES_MINOR_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_OFF_POINTS_FIELD_NUMBER: _ClassVar[int]
    issued_points: int
    clawed_back_points: int
    redeemed_points: int
    expired_points: int
    outstanding_points: int
    debt_points: int
    sale_count: int
    sales_minor: int
    written_off_points: int
    def __init__(self, issued_points: _Optional[int] = ..., clawed_back_points: _Optional[int] = ..., redeemed_points: _Optional[int] = ..., expired_points: _Optional[int] = ..., outstanding_points: _Optional[int] = ..., debt_points: _Optional[int] = ..., sale_count: _Optional[int] = ..., sales_minor: _Optional[int] = ..., written_off_points: _Optional[int] = ...) -> None: ...
