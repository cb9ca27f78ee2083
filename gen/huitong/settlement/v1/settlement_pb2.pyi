import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccrualKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCRUAL_KIND_UNSPECIFIED: _ClassVar[AccrualKind]
    ACCRUAL_KIND_ISSUE: _ClassVar[AccrualKind]
    ACCRUAL_KIND_CLAW_BACK: _ClassVar[AccrualKind]
    ACCRUAL_KIND_REDEEM: _ClassVar[AccrualKind]
    ACCRUAL_KIND_REDEEM_REVERSAL: _ClassVar[AccrualKind]
    ACCRUAL_KIND_EXPIRE: _ClassVar[AccrualKind]
    ACCRUAL_KIND_COUPON: _ClassVar[AccrualKind]
    ACCRUAL_KIND_COUPON_REVERSAL: _ClassVar[AccrualKind]
    ACCRUAL_KIND_PARKING_WAIVER: _ClassVar[AccrualKind]
    ACCRUAL_KIND_FUNDING: _ClassVar[AccrualKind]
ACCRUAL_KIND_UNSPECIFIED: AccrualKind
ACCRUAL_KIND_ISSUE: AccrualKind
ACCRUAL_KIND_CLAW_BACK: AccrualKind
ACCRUAL_KIND_REDEEM: AccrualKind
ACCRUAL_KIND_REDEEM_REVERSAL: AccrualKind
ACCRUAL_KIND_EXPIRE: AccrualKind
ACCRUAL_KIND_COUPON: AccrualKind
ACCRUAL_KIND_COUPON_REVERSAL: AccrualKind
ACCRUAL_KIND_PARKING_WAIVER: AccrualKind
ACCRUAL_KIND_FUNDING: AccrualKind

class Contract(_message.Message):
    __slots__ = ("merchant_id", "effective_date", "issue_price_centi", "redeem_price_centi", "platform_fee_bps", "parking_waiver_bps", "merchant_keeps_breakage")
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    ISSUE_PRICE_CENTI_FIELD_NUMBER: _ClassVar[int]
    REDEEM_PRICE_CENTI_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FEE_BPS_FIELD_NUMBER: _ClassVar[int]
    PARKING_WAIVER_BPS_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_KEEPS_BREAKAGE_FIELD_NUMBER: _ClassVar[int]
    merchant_id: str
    effective_date: _types_pb2.BusinessDate
    issue_price_centi: int
    redeem_price_centi: int
    platform_fee_bps: int
    parking_waiver_bps: int
    merchant_keeps_breakage: bool
    def __init__(self, merchant_id: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., issue_price_centi: _Optional[int] = ..., redeem_price_centi: _Optional[int] = ..., platform_fee_bps: _Optional[int] = ..., parking_waiver_bps: _Optional[int] = ..., merchant_keeps_breakage: _Optional[bool] = ...) -> None: ...

class SetContractRequest(_message.Message):
    __slots__ = ("request_id", "contract")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    contract: Contract
    def __init__(self, request_id: _Optional[str] = ..., contract: _Optional[_Union[Contract, _Mapping]] = ...) -> None: ...

class SetContractResponse(_message.Message):
    __slots__ = ("contract",)
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    contract: Contract
    def __init__(self, contract: _Optional[_Union[Contract, _Mapping]] = ...) -> None: ...

class SetContractsRequest(_message.Message):
    __slots__ = ("contracts",)
    CONTRACTS_FIELD_NUMBER: _ClassVar[int]
    contracts: _containers.RepeatedCompositeFieldContainer[SetContractRequest]
    def __init__(self, contracts: _Optional[_Iterable[_Union[SetContractRequest, _Mapping]]] = ...) -> None: ...

class SetContractsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SetContractsResult]
    def __init__(self, results: _Optional[_Iterable[_Union[SetContractsResult, _Mapping]]] = ...) -> None: ...

class SetContractsResult(_message.Message):
    __slots__ = ("saved", "problem")
    SAVED_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    saved: SetContractResponse
    problem: _types_pb2.Problem
    def __init__(self, saved: _Optional[_Union[SetContractResponse, _Mapping]] = ..., problem: _Optional[_Union[_types_pb2.Problem, _Mapping]] = ...) -> None: ...

class ListContractsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "merchant_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    merchant_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., merchant_id: _Optional[str] = ...) -> None: ...

class ListContractsResponse(_message.Message):
    __slots__ = ("contracts", "next_page_token")
    CONTRACTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    contracts: _containers.RepeatedCompositeFieldContainer[Contract]
    next_page_token: str
    def __init__(self, contracts: _Optional[_Iterable[_Union[Contract, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Statement(_message.Message):
    __slots__ = ("merchant_id", "period", "currency_code", "issued_points", "clawed_back_points", "redeemed_points", "expired_points", "issue_charge_minor", "claw_back_minor", "reimbursement_minor", "platform_fee_minor", "coupon_minor", "parking_waiver_minor", "breakage_minor", "net_minor", "is_closed", "spent_points", "funding_minor")
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_CODE_FIELD_NUMBER: _ClassVar[int]
    ISSUED_POINTS_FIELD_NUMBER: _ClassVar[int]
    CLAWED_BACK_POINTS_FIELD_NUMBER: _ClassVar[int]
    REDEEMED_POINTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_POINTS_FIELD_NUMBER: _ClassVar[int]
    ISSUE_CHARGE_MINOR_FIELD_NUMBER: _ClassVar[int]
    CLAW_BACK_MINOR_FIELD_NUMBER: _ClassVar[int]
    REIMBURSEMENT_MINOR_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FEE_MINOR_FIELD_NUMBER: _ClassVar[int]
    COUPON_MINOR_FIELD_NUMBER: _ClassVar[int]
    PARKING_WAIVER_MINOR_FIELD_NUMBER: _ClassVar[int]
    BREAKAGE_MINOR_FIELD_NUMBER: _ClassVar[int]
    NET_MINOR_FIELD_NUMBER: _ClassVar[int]
    IS_CLOSED_FIELD_NUMBER: _ClassVar[int]
    SPENT_POINTS_FIELD_NUMBER: _ClassVar[int]
    FUNDING_MINOR_FIELD_NUMBER: _ClassVar[int]
    merchant_id: str
    period: str
    currency_code: str
    issued_points: int
    clawed_back_points: int
    redeemed_points: int
    expired_points: int
    issue_charge_minor: int
    claw_back_minor: int
    reimbursement_minor: int
    platform_fee_minor: int
    coupon_minor: int
    parking_waiver_minor: int
    breakage_minor: int
    net_minor: int
    is_closed: bool
    spent_points: int
    funding_minor: int
    def __init__(self, merchant_id: _Optional[str] = ..., period: _Optional[str] = ..., currency_code: _Optional[str] = ..., issued_points: _Optional[int] = ..., clawed_back_points: _Optional[int] = ..., redeemed_points: _Optional[int] = ..., expired_points: _Optional[int] = ..., issue_charge_minor: _Optional[int] = ..., claw_back_minor: _Optional[int] = ..., reimbursement_minor: _Optional[int] = ..., platform_fee_minor: _Optional[int] = ..., coupon_minor: _Optional[int] = ..., parking_waiver_minor: _Optional[int] = ..., breakage_minor: _Optional[int] = ..., net_minor: _Optional[int] = ..., is_closed: _Optional[bool] = ..., spent_points: _Optional[int] = ..., funding_minor: _Optional[int] = ...) -> None: ...

class ListStatementsRequest(_message.Message):
    __slots__ = ("period", "page_size", "page_token", "business_unit_id")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    period: str
    page_size: int
    page_token: str
    business_unit_id: str
    def __init__(self, period: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., business_unit_id: _Optional[str] = ...) -> None: ...

class ListStatementsResponse(_message.Message):
    __slots__ = ("statements", "next_page_token")
    STATEMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    statements: _containers.RepeatedCompositeFieldContainer[Statement]
    next_page_token: str
    def __init__(self, statements: _Optional[_Iterable[_Union[Statement, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetStatementRequest(_message.Message):
    __slots__ = ("period", "merchant_id", "page_size", "page_token")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    period: str
    merchant_id: str
    page_size: int
    page_token: str
    def __init__(self, period: _Optional[str] = ..., merchant_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetStatementResponse(_message.Message):
    __slots__ = ("statement", "movements", "next_page_token")
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    MOVEMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    statement: Statement
    movements: _containers.RepeatedCompositeFieldContainer[StatementMovement]
    next_page_token: str
    def __init__(self, statement: _Optional[_Union[Statement, _Mapping]] = ..., movements: _Optional[_Iterable[_Union[StatementMovement, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StatementMovement(_message.Message):
    __slots__ = ("entry_id", "kind", "occur_time", "points", "amount_minor", "source_id", "lots")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OCCUR_TIME_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    entry_id: str
    kind: AccrualKind
    occur_time: _timestamp_pb2.Timestamp
    points: int
    amount_minor: int
    source_id: str
    lots: _containers.RepeatedCompositeFieldContainer[LotPart]
    def __init__(self, entry_id: _Optional[str] = ..., kind: _Optional[_Union[AccrualKind, str]] = ..., occur_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., points: _Optional[int] = ..., amount_minor: _Optional[int] = ..., source_id: _Optional[str] = ..., lots: _Optional[_Iterable[_Union[LotPart, _Mapping]]] = ...) -> None: ...

class LotPart(_message.Message):
    __slots__ = ("lot_id", "issuer_merchant_id", "points", "amount_minor")
    LOT_ID_FIELD_NUMBER: _ClassVar[int]
    ISSUER_MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    lot_id: str
    issuer_merchant_id: str
    points: int
    amount_minor: int
    def __init__(self, lot_id: _Optional[str] = ..., issuer_merchant_id: _Optional[str] = ..., points: _Optional[int] = ..., amount_minor: _Optional[int] = ...) -> None: ...

class ListPeriodsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPeriodsResponse(_message.Message):
    __slots__ = ("periods",)
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    periods: _containers.RepeatedCompositeFieldContainer[Period]
    def __init__(self, periods: _Optional[_Iterable[_Union[Period, _Mapping]]] = ...) -> None: ...

class Period(_message.Message):
    __slots__ = ("period", "is_closed", "close_time", "merchants_net_minor", "fund_minor", "platform_minor", "imbalance_minor", "entry_count", "unit_minor")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    IS_CLOSED_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    MERCHANTS_NET_MINOR_FIELD_NUMBER: _ClassVar[int]
    FUND_MINOR_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_MINOR_FIELD_NUMBER: _ClassVar[int]
    IMBALANCE_MINOR_FIELD_NUMBER: _ClassVar[int]
    ENTRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNIT_MINOR_FIELD_NUMBER: _ClassVar[int]
    period: str
    is_closed: bool
    close_time: _timestamp_pb2.Timestamp
    merchants_net_minor: int
    fund_minor: int
    platform_minor: int
    imbalance_minor: int
    entry_count: int
    unit_minor: int
    def __init__(self, period: _Optional[str] = ..., is_closed: _Optional[bool] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., merchants_net_minor: _Optional[int] = ..., fund_minor: _Optional[int] = ..., platform_minor: _Optional[int] = ..., imbalance_minor: _Optional[int] = ..., entry_count: _Optional[int] = ..., unit_minor: _Optional[int] = ...) -> None: ...

class GetSettlementTotalsRequest(_message.Message):
    __slots__ = ("business_unit_id",)
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    business_unit_id: str
    def __init__(self, business_unit_id: _Optional[str] = ...) -> None: ...

class GetSettlementTotalsResponse(_message.Message):
    __slots__ = ("merchants", "fund_minor", "platform_minor", "imbalance_minor", "unit_minor", "units")
    MERCHANTS_FIELD_NUMBER: _ClassVar[int]
    FUND_MINOR_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_MINOR_FIELD_NUMBER: _ClassVar[int]
    IMBALANCE_MINOR_FIELD_NUMBER: _ClassVar[int]
    UNIT_MINOR_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    merchants: _containers.RepeatedCompositeFieldContainer[Statement]
    fund_minor: int
    platform_minor: int
    imbalance_minor: int
    unit_minor: int
    units: _containers.RepeatedCompositeFieldContainer[UnitTotal]
    def __init__(self, merchants: _Optional[_Iterable[_Union[Statement, _Mapping]]] = ..., fund_minor: _Optional[int] = ..., platform_minor: _Optional[int] = ..., imbalance_minor: _Optional[int] = ..., unit_minor: _Optional[int] = ..., units: _Optional[_Iterable[_Union[UnitTotal, _Mapping]]] = ...) -> None: ...

class UnitTotal(_message.Message):
    __slots__ = ("business_unit_id", "unit_minor")
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_MINOR_FIELD_NUMBER: _ClassVar[int]
    business_unit_id: str
    unit_minor: int
    def __init__(self, business_unit_id: _Optional[str] = ..., unit_minor: _Optional[int] = ...) -> None: ...

class ReconcileRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReconcileResponse(_message.Message):
    __slots__ = ("is_equal", "differences", "merchant_count")
    IS_EQUAL_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_COUNT_FIELD_NUMBER: _ClassVar[int]
    is_equal: bool
    differences: _containers.RepeatedCompositeFieldContainer[Difference]
    merchant_count: int
    def __init__(self, is_equal: _Optional[bool] = ..., differences: _Optional[_Iterable[_Union[Difference, _Mapping]]] = ..., merchant_count: _Optional[int] = ...) -> None: ...

class Difference(_message.Message):
    __slots__ = ("merchant_id", "figure", "ledger_points", "settlement_points")
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    FIGURE_FIELD_NUMBER: _ClassVar[int]
    LEDGER_POINTS_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_POINTS_FIELD_NUMBER: _ClassVar[int]
    merchant_id: str
    figure: str
    ledger_points: int
    settlement_points: int
    def __init__(self, merchant_id: _Optional[str] = ..., figure: _Optional[str] = ..., ledger_points: _Optional[int] = ..., settlement_points: _Optional[int] = ...) -> None: ...
