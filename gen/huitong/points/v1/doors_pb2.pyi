import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LimitScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIMIT_SCOPE_UNSPECIFIED: _ClassVar[LimitScope]
    LIMIT_SCOPE_MEMBER: _ClassVar[LimitScope]
    LIMIT_SCOPE_TERMINAL: _ClassVar[LimitScope]
    LIMIT_SCOPE_STORE: _ClassVar[LimitScope]

class SaleCaseKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SALE_CASE_KIND_UNSPECIFIED: _ClassVar[SaleCaseKind]
    SALE_CASE_KIND_CONFIRMATION: _ClassVar[SaleCaseKind]
    SALE_CASE_KIND_DOUBTFUL_PAIR: _ClassVar[SaleCaseKind]
    SALE_CASE_KIND_SUSPICIOUS: _ClassVar[SaleCaseKind]

class SaleOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SALE_OUTCOME_UNSPECIFIED: _ClassVar[SaleOutcome]
    SALE_OUTCOME_DUPLICATE: _ClassVar[SaleOutcome]
    SALE_OUTCOME_WAITING: _ClassVar[SaleOutcome]
LIMIT_SCOPE_UNSPECIFIED: LimitScope
LIMIT_SCOPE_MEMBER: LimitScope
LIMIT_SCOPE_TERMINAL: LimitScope
LIMIT_SCOPE_STORE: LimitScope
SALE_CASE_KIND_UNSPECIFIED: SaleCaseKind
SALE_CASE_KIND_CONFIRMATION: SaleCaseKind
SALE_CASE_KIND_DOUBTFUL_PAIR: SaleCaseKind
SALE_CASE_KIND_SUSPICIOUS: SaleCaseKind
SALE_OUTCOME_UNSPECIFIED: SaleOutcome
SALE_OUTCOME_DUPLICATE: SaleOutcome
SALE_OUTCOME_WAITING: SaleOutcome

class SaleOrigin(_message.Message):
    __slots__ = ("payment_id", "payment_provider", "device_id", "device_seq")
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_SEQ_FIELD_NUMBER: _ClassVar[int]
    payment_id: str
    payment_provider: str
    device_id: str
    device_seq: int
    def __init__(self, payment_id: _Optional[str] = ..., payment_provider: _Optional[str] = ..., device_id: _Optional[str] = ..., device_seq: _Optional[int] = ...) -> None: ...

class ConfirmationRule(_message.Message):
    __slots__ = ("sources", "store_ids", "longest_wait_days")
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    STORE_IDS_FIELD_NUMBER: _ClassVar[int]
    LONGEST_WAIT_DAYS_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedScalarFieldContainer[str]
    store_ids: _containers.RepeatedScalarFieldContainer[str]
    longest_wait_days: int
    def __init__(self, sources: _Optional[_Iterable[str]] = ..., store_ids: _Optional[_Iterable[str]] = ..., longest_wait_days: _Optional[int] = ...) -> None: ...

class MatchingRule(_message.Message):
    __slots__ = ("window_minutes", "longest_wait_days")
    WINDOW_MINUTES_FIELD_NUMBER: _ClassVar[int]
    LONGEST_WAIT_DAYS_FIELD_NUMBER: _ClassVar[int]
    window_minutes: int
    longest_wait_days: int
    def __init__(self, window_minutes: _Optional[int] = ..., longest_wait_days: _Optional[int] = ...) -> None: ...

class VelocityLimit(_message.Message):
    __slots__ = ("limit_id", "scope", "window_seconds", "max_sales", "max_points", "max_same_amount", "max_successive_receipts", "max_times_average")
    LIMIT_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    WINDOW_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_SALES_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    MAX_SAME_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_SUCCESSIVE_RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    MAX_TIMES_AVERAGE_FIELD_NUMBER: _ClassVar[int]
    limit_id: str
    scope: LimitScope
    window_seconds: int
    max_sales: int
    max_points: int
    max_same_amount: int
    max_successive_receipts: int
    max_times_average: int
    def __init__(self, limit_id: _Optional[str] = ..., scope: _Optional[_Union[LimitScope, str]] = ..., window_seconds: _Optional[int] = ..., max_sales: _Optional[int] = ..., max_points: _Optional[int] = ..., max_same_amount: _Optional[int] = ..., max_successive_receipts: _Optional[int] = ..., max_times_average: _Optional[int] = ...) -> None: ...

class VelocityRule(_message.Message):
    __slots__ = ("limits", "longest_wait_days")
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    LONGEST_WAIT_DAYS_FIELD_NUMBER: _ClassVar[int]
    limits: _containers.RepeatedCompositeFieldContainer[VelocityLimit]
    longest_wait_days: int
    def __init__(self, limits: _Optional[_Iterable[_Union[VelocityLimit, _Mapping]]] = ..., longest_wait_days: _Optional[int] = ...) -> None: ...

class InteractionLimit(_message.Message):
    __slots__ = ("reason_code", "max_points_per_member_day")
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_PER_MEMBER_DAY_FIELD_NUMBER: _ClassVar[int]
    reason_code: str
    max_points_per_member_day: int
    def __init__(self, reason_code: _Optional[str] = ..., max_points_per_member_day: _Optional[int] = ...) -> None: ...

class SaleWait(_message.Message):
    __slots__ = ("case_id", "kind", "until_time")
    CASE_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    case_id: str
    kind: SaleCaseKind
    until_time: _timestamp_pb2.Timestamp
    def __init__(self, case_id: _Optional[str] = ..., kind: _Optional[_Union[SaleCaseKind, str]] = ..., until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
