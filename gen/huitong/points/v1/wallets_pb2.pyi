import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.common.v1 import types_pb2 as _types_pb2
from huitong.points.v1 import points_pb2 as _points_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CurrencyKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CURRENCY_KIND_UNSPECIFIED: _ClassVar[CurrencyKind]
    CURRENCY_KIND_GROUP_POINTS: _ClassVar[CurrencyKind]
    CURRENCY_KIND_UNIT_POINTS: _ClassVar[CurrencyKind]
    CURRENCY_KIND_STORED_VALUE: _ClassVar[CurrencyKind]

class CurrencyState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CURRENCY_STATE_UNSPECIFIED: _ClassVar[CurrencyState]
    CURRENCY_STATE_OPEN: _ClassVar[CurrencyState]
    CURRENCY_STATE_CLOSED: _ClassVar[CurrencyState]

class ConversionRateState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONVERSION_RATE_STATE_UNSPECIFIED: _ClassVar[ConversionRateState]
    CONVERSION_RATE_STATE_PROPOSED: _ClassVar[ConversionRateState]
    CONVERSION_RATE_STATE_APPROVED: _ClassVar[ConversionRateState]
    CONVERSION_RATE_STATE_REJECTED: _ClassVar[ConversionRateState]
CURRENCY_KIND_UNSPECIFIED: CurrencyKind
CURRENCY_KIND_GROUP_POINTS: CurrencyKind
CURRENCY_KIND_UNIT_POINTS: CurrencyKind
CURRENCY_KIND_STORED_VALUE: CurrencyKind
CURRENCY_STATE_UNSPECIFIED: CurrencyState
CURRENCY_STATE_OPEN: CurrencyState
CURRENCY_STATE_CLOSED: CurrencyState
CONVERSION_RATE_STATE_UNSPECIFIED: ConversionRateState
CONVERSION_RATE_STATE_PROPOSED: ConversionRateState
CONVERSION_RATE_STATE_APPROVED: ConversionRateState
CONVERSION_RATE_STATE_REJECTED: ConversionRateState

class Currency(_message.Message):
    __slots__ = ("currency_id", "kind", "state", "code", "name", "name_zh", "business_unit_id", "expiry_months", "money_code", "max_balance_minor", "anonymous_max_balance_minor", "max_top_up_minor")
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_MONTHS_FIELD_NUMBER: _ClassVar[int]
    MONEY_CODE_FIELD_NUMBER: _ClassVar[int]
    MAX_BALANCE_MINOR_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_MAX_BALANCE_MINOR_FIELD_NUMBER: _ClassVar[int]
    MAX_TOP_UP_MINOR_FIELD_NUMBER: _ClassVar[int]
    currency_id: str
    kind: CurrencyKind
    state: CurrencyState
    code: str
    name: str
    name_zh: str
    business_unit_id: str
    expiry_months: int
    money_code: str
    max_balance_minor: int
    anonymous_max_balance_minor: int
    max_top_up_minor: int
    def __init__(self, currency_id: _Optional[str] = ..., kind: _Optional[_Union[CurrencyKind, str]] = ..., state: _Optional[_Union[CurrencyState, str]] = ..., code: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., expiry_months: _Optional[int] = ..., money_code: _Optional[str] = ..., max_balance_minor: _Optional[int] = ..., anonymous_max_balance_minor: _Optional[int] = ..., max_top_up_minor: _Optional[int] = ...) -> None: ...

class CreateCurrencyRequest(_message.Message):
    __slots__ = ("request_id", "kind", "code", "name", "name_zh", "business_unit_id", "expiry_months", "money_code", "max_balance_minor", "anonymous_max_balance_minor", "max_top_up_minor")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_MONTHS_FIELD_NUMBER: _ClassVar[int]
    MONEY_CODE_FIELD_NUMBER: _ClassVar[int]
    MAX_BALANCE_MINOR_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_MAX_BALANCE_MINOR_FIELD_NUMBER: _ClassVar[int]
    MAX_TOP_UP_MINOR_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    kind: CurrencyKind
    code: str
    name: str
    name_zh: str
    business_unit_id: str
    expiry_months: int
    money_code: str
    max_balance_minor: int
    anonymous_max_balance_minor: int
    max_top_up_minor: int
    def __init__(self, request_id: _Optional[str] = ..., kind: _Optional[_Union[CurrencyKind, str]] = ..., code: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., expiry_months: _Optional[int] = ..., money_code: _Optional[str] = ..., max_balance_minor: _Optional[int] = ..., anonymous_max_balance_minor: _Optional[int] = ..., max_top_up_minor: _Optional[int] = ...) -> None: ...

class CreateCurrencyResponse(_message.Message):
    __slots__ = ("currency",)
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    currency: Currency
    def __init__(self, currency: _Optional[_Union[Currency, _Mapping]] = ...) -> None: ...

class CloseCurrencyRequest(_message.Message):
    __slots__ = ("request_id", "currency_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    currency_id: str
    def __init__(self, request_id: _Optional[str] = ..., currency_id: _Optional[str] = ...) -> None: ...

class CloseCurrencyResponse(_message.Message):
    __slots__ = ("currency",)
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    currency: Currency
    def __init__(self, currency: _Optional[_Union[Currency, _Mapping]] = ...) -> None: ...

class ListCurrenciesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListCurrenciesResponse(_message.Message):
    __slots__ = ("currencies",)
    CURRENCIES_FIELD_NUMBER: _ClassVar[int]
    currencies: _containers.RepeatedCompositeFieldContainer[Currency]
    def __init__(self, currencies: _Optional[_Iterable[_Union[Currency, _Mapping]]] = ...) -> None: ...

class ListWalletsRequest(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class ListWalletsResponse(_message.Message):
    __slots__ = ("wallets",)
    WALLETS_FIELD_NUMBER: _ClassVar[int]
    wallets: _containers.RepeatedCompositeFieldContainer[WalletBalance]
    def __init__(self, wallets: _Optional[_Iterable[_Union[WalletBalance, _Mapping]]] = ...) -> None: ...

class WalletBalance(_message.Message):
    __slots__ = ("currency", "available_points", "held_points", "pending_points", "debt_points", "next_expiries")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    HELD_POINTS_FIELD_NUMBER: _ClassVar[int]
    PENDING_POINTS_FIELD_NUMBER: _ClassVar[int]
    DEBT_POINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_EXPIRIES_FIELD_NUMBER: _ClassVar[int]
    currency: Currency
    available_points: int
    held_points: int
    pending_points: int
    debt_points: int
    next_expiries: _containers.RepeatedCompositeFieldContainer[_points_pb2.Expiry]
    def __init__(self, currency: _Optional[_Union[Currency, _Mapping]] = ..., available_points: _Optional[int] = ..., held_points: _Optional[int] = ..., pending_points: _Optional[int] = ..., debt_points: _Optional[int] = ..., next_expiries: _Optional[_Iterable[_Union[_points_pb2.Expiry, _Mapping]]] = ...) -> None: ...

class TopUpRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "currency_id", "merchant_id", "paid", "payment_reference", "is_identified")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    PAID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    IS_IDENTIFIED_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    currency_id: str
    merchant_id: str
    paid: _types_pb2.Money
    payment_reference: str
    is_identified: bool
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., currency_id: _Optional[str] = ..., merchant_id: _Optional[str] = ..., paid: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., payment_reference: _Optional[str] = ..., is_identified: _Optional[bool] = ...) -> None: ...

class TopUpResponse(_message.Message):
    __slots__ = ("txn_id", "points", "available_points", "expire_time", "is_replay")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    points: int
    available_points: int
    expire_time: _timestamp_pb2.Timestamp
    is_replay: bool
    def __init__(self, txn_id: _Optional[str] = ..., points: _Optional[int] = ..., available_points: _Optional[int] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_replay: _Optional[bool] = ...) -> None: ...

class RefundTopUpRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "currency_id", "top_up_txn_id", "amount_minor")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    TOP_UP_TXN_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    currency_id: str
    top_up_txn_id: str
    amount_minor: int
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., currency_id: _Optional[str] = ..., top_up_txn_id: _Optional[str] = ..., amount_minor: _Optional[int] = ...) -> None: ...

class RefundTopUpResponse(_message.Message):
    __slots__ = ("txn_id", "refunded", "payment_reference", "available_points", "is_replay")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    refunded: _types_pb2.Money
    payment_reference: str
    available_points: int
    is_replay: bool
    def __init__(self, txn_id: _Optional[str] = ..., refunded: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., payment_reference: _Optional[str] = ..., available_points: _Optional[int] = ..., is_replay: _Optional[bool] = ...) -> None: ...

class PayAtTillRequest(_message.Message):
    __slots__ = ("request_id", "store_id", "member_id", "member_code", "currency_id", "points", "reference")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_CODE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    store_id: str
    member_id: str
    member_code: str
    currency_id: str
    points: int
    reference: str
    def __init__(self, request_id: _Optional[str] = ..., store_id: _Optional[str] = ..., member_id: _Optional[str] = ..., member_code: _Optional[str] = ..., currency_id: _Optional[str] = ..., points: _Optional[int] = ..., reference: _Optional[str] = ...) -> None: ...

class PayAtTillResponse(_message.Message):
    __slots__ = ("txn_id", "member_id", "points", "available_points", "is_replay")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    points: int
    available_points: int
    is_replay: bool
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., points: _Optional[int] = ..., available_points: _Optional[int] = ..., is_replay: _Optional[bool] = ...) -> None: ...

class RefundTillPaymentRequest(_message.Message):
    __slots__ = ("request_id", "store_id", "member_id", "currency_id", "payment_txn_id", "points")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_TXN_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    store_id: str
    member_id: str
    currency_id: str
    payment_txn_id: str
    points: int
    def __init__(self, request_id: _Optional[str] = ..., store_id: _Optional[str] = ..., member_id: _Optional[str] = ..., currency_id: _Optional[str] = ..., payment_txn_id: _Optional[str] = ..., points: _Optional[int] = ...) -> None: ...

class RefundTillPaymentResponse(_message.Message):
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

class Funding(_message.Message):
    __slots__ = ("member_id", "payment_reference", "other_currency_id", "rate_id")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    OTHER_CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    RATE_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    payment_reference: str
    other_currency_id: str
    rate_id: str
    def __init__(self, member_id: _Optional[str] = ..., payment_reference: _Optional[str] = ..., other_currency_id: _Optional[str] = ..., rate_id: _Optional[str] = ...) -> None: ...

class ConversionRate(_message.Message):
    __slots__ = ("rate_id", "state", "from_currency_id", "to_currency_id", "numerator", "denominator", "min_points", "max_points", "step_points", "daily_limit_points", "start_time", "end_time", "proposed_by", "decided_by")
    RATE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FROM_CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    TO_CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    NUMERATOR_FIELD_NUMBER: _ClassVar[int]
    DENOMINATOR_FIELD_NUMBER: _ClassVar[int]
    MIN_POINTS_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    STEP_POINTS_FIELD_NUMBER: _ClassVar[int]
    DAILY_LIMIT_POINTS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_BY_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    rate_id: str
    state: ConversionRateState
    from_currency_id: str
    to_currency_id: str
    numerator: int
    denominator: int
    min_points: int
    max_points: int
    step_points: int
    daily_limit_points: int
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    proposed_by: str
    decided_by: str
    def __init__(self, rate_id: _Optional[str] = ..., state: _Optional[_Union[ConversionRateState, str]] = ..., from_currency_id: _Optional[str] = ..., to_currency_id: _Optional[str] = ..., numerator: _Optional[int] = ..., denominator: _Optional[int] = ..., min_points: _Optional[int] = ..., max_points: _Optional[int] = ..., step_points: _Optional[int] = ..., daily_limit_points: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., proposed_by: _Optional[str] = ..., decided_by: _Optional[str] = ...) -> None: ...

class ProposeConversionRateRequest(_message.Message):
    __slots__ = ("request_id", "from_currency_id", "to_currency_id", "numerator", "denominator", "min_points", "max_points", "step_points", "daily_limit_points", "start_time", "end_time")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    TO_CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    NUMERATOR_FIELD_NUMBER: _ClassVar[int]
    DENOMINATOR_FIELD_NUMBER: _ClassVar[int]
    MIN_POINTS_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    STEP_POINTS_FIELD_NUMBER: _ClassVar[int]
    DAILY_LIMIT_POINTS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    from_currency_id: str
    to_currency_id: str
    numerator: int
    denominator: int
    min_points: int
    max_points: int
    step_points: int
    daily_limit_points: int
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., from_currency_id: _Optional[str] = ..., to_currency_id: _Optional[str] = ..., numerator: _Optional[int] = ..., denominator: _Optional[int] = ..., min_points: _Optional[int] = ..., max_points: _Optional[int] = ..., step_points: _Optional[int] = ..., daily_limit_points: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ProposeConversionRateResponse(_message.Message):
    __slots__ = ("rate",)
    RATE_FIELD_NUMBER: _ClassVar[int]
    rate: ConversionRate
    def __init__(self, rate: _Optional[_Union[ConversionRate, _Mapping]] = ...) -> None: ...

class DecideConversionRateRequest(_message.Message):
    __slots__ = ("request_id", "rate_id", "is_approved")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RATE_ID_FIELD_NUMBER: _ClassVar[int]
    IS_APPROVED_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    rate_id: str
    is_approved: bool
    def __init__(self, request_id: _Optional[str] = ..., rate_id: _Optional[str] = ..., is_approved: _Optional[bool] = ...) -> None: ...

class DecideConversionRateResponse(_message.Message):
    __slots__ = ("rate",)
    RATE_FIELD_NUMBER: _ClassVar[int]
    rate: ConversionRate
    def __init__(self, rate: _Optional[_Union[ConversionRate, _Mapping]] = ...) -> None: ...

class ListConversionRatesRequest(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: ConversionRateState
    def __init__(self, state: _Optional[_Union[ConversionRateState, str]] = ...) -> None: ...

class ListConversionRatesResponse(_message.Message):
    __slots__ = ("rates",)
    RATES_FIELD_NUMBER: _ClassVar[int]
    rates: _containers.RepeatedCompositeFieldContainer[ConversionRate]
    def __init__(self, rates: _Optional[_Iterable[_Union[ConversionRate, _Mapping]]] = ...) -> None: ...

class QuoteConversionRequest(_message.Message):
    __slots__ = ("from_currency_id", "to_currency_id", "points")
    FROM_CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    TO_CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    from_currency_id: str
    to_currency_id: str
    points: int
    def __init__(self, from_currency_id: _Optional[str] = ..., to_currency_id: _Optional[str] = ..., points: _Optional[int] = ...) -> None: ...

class QuoteConversionResponse(_message.Message):
    __slots__ = ("rate", "taken_points", "given_points", "left_points")
    RATE_FIELD_NUMBER: _ClassVar[int]
    TAKEN_POINTS_FIELD_NUMBER: _ClassVar[int]
    GIVEN_POINTS_FIELD_NUMBER: _ClassVar[int]
    LEFT_POINTS_FIELD_NUMBER: _ClassVar[int]
    rate: ConversionRate
    taken_points: int
    given_points: int
    left_points: int
    def __init__(self, rate: _Optional[_Union[ConversionRate, _Mapping]] = ..., taken_points: _Optional[int] = ..., given_points: _Optional[int] = ..., left_points: _Optional[int] = ...) -> None: ...

class ConvertPointsRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "from_currency_id", "to_currency_id", "points", "rate_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    TO_CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    RATE_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    from_currency_id: str
    to_currency_id: str
    points: int
    rate_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., from_currency_id: _Optional[str] = ..., to_currency_id: _Optional[str] = ..., points: _Optional[int] = ..., rate_id: _Optional[str] = ...) -> None: ...

class ConvertPointsResponse(_message.Message):
    __slots__ = ("txn_id", "taken_points", "given_points", "available_points", "is_replay")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    TAKEN_POINTS_FIELD_NUMBER: _ClassVar[int]
    GIVEN_POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    taken_points: int
    given_points: int
    available_points: int
    is_replay: bool
    def __init__(self, txn_id: _Optional[str] = ..., taken_points: _Optional[int] = ..., given_points: _Optional[int] = ..., available_points: _Optional[int] = ..., is_replay: _Optional[bool] = ...) -> None: ...
