import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Plate(_message.Message):
    __slots__ = ("plate_no", "bind_time")
    PLATE_NO_FIELD_NUMBER: _ClassVar[int]
    BIND_TIME_FIELD_NUMBER: _ClassVar[int]
    plate_no: str
    bind_time: _timestamp_pb2.Timestamp
    def __init__(self, plate_no: _Optional[str] = ..., bind_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BindPlateRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "plate_no")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PLATE_NO_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    plate_no: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., plate_no: _Optional[str] = ...) -> None: ...

class BindPlateResponse(_message.Message):
    __slots__ = ("plate",)
    PLATE_FIELD_NUMBER: _ClassVar[int]
    plate: Plate
    def __init__(self, plate: _Optional[_Union[Plate, _Mapping]] = ...) -> None: ...

class BindPlatesRequest(_message.Message):
    __slots__ = ("plates",)
    PLATES_FIELD_NUMBER: _ClassVar[int]
    plates: _containers.RepeatedCompositeFieldContainer[BindPlateRequest]
    def __init__(self, plates: _Optional[_Iterable[_Union[BindPlateRequest, _Mapping]]] = ...) -> None: ...

class BindPlatesResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BindPlatesResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BindPlatesResult, _Mapping]]] = ...) -> None: ...

class BindPlatesResult(_message.Message):
    __slots__ = ("bound", "problem")
    BOUND_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    bound: BindPlateResponse
    problem: _types_pb2.Problem
    def __init__(self, bound: _Optional[_Union[BindPlateResponse, _Mapping]] = ..., problem: _Optional[_Union[_types_pb2.Problem, _Mapping]] = ...) -> None: ...

class UnbindPlateRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "plate_no")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PLATE_NO_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    plate_no: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., plate_no: _Optional[str] = ...) -> None: ...

class UnbindPlateResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPlatesRequest(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class ListPlatesResponse(_message.Message):
    __slots__ = ("plates",)
    PLATES_FIELD_NUMBER: _ClassVar[int]
    plates: _containers.RepeatedCompositeFieldContainer[Plate]
    def __init__(self, plates: _Optional[_Iterable[_Union[Plate, _Mapping]]] = ...) -> None: ...

class GetPlateOwnerRequest(_message.Message):
    __slots__ = ("plate_no",)
    PLATE_NO_FIELD_NUMBER: _ClassVar[int]
    plate_no: str
    def __init__(self, plate_no: _Optional[str] = ...) -> None: ...

class GetPlateOwnerResponse(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class Tariff(_message.Message):
    __slots__ = ("free_minutes", "hour_minor", "day_cap_minor", "exit_grace_minutes")
    FREE_MINUTES_FIELD_NUMBER: _ClassVar[int]
    HOUR_MINOR_FIELD_NUMBER: _ClassVar[int]
    DAY_CAP_MINOR_FIELD_NUMBER: _ClassVar[int]
    EXIT_GRACE_MINUTES_FIELD_NUMBER: _ClassVar[int]
    free_minutes: int
    hour_minor: int
    day_cap_minor: int
    exit_grace_minutes: int
    def __init__(self, free_minutes: _Optional[int] = ..., hour_minor: _Optional[int] = ..., day_cap_minor: _Optional[int] = ..., exit_grace_minutes: _Optional[int] = ...) -> None: ...

class SetTariffRequest(_message.Message):
    __slots__ = ("request_id", "car_park_id", "merchant_id", "tariff", "effective_time")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CAR_PARK_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    TARIFF_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    car_park_id: str
    merchant_id: str
    tariff: Tariff
    effective_time: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., car_park_id: _Optional[str] = ..., merchant_id: _Optional[str] = ..., tariff: _Optional[_Union[Tariff, _Mapping]] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SetTariffResponse(_message.Message):
    __slots__ = ("tariff",)
    TARIFF_FIELD_NUMBER: _ClassVar[int]
    tariff: Tariff
    def __init__(self, tariff: _Optional[_Union[Tariff, _Mapping]] = ...) -> None: ...

class RecordEntryRequest(_message.Message):
    __slots__ = ("request_id", "car_park_id", "plate_no", "entry_time")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CAR_PARK_ID_FIELD_NUMBER: _ClassVar[int]
    PLATE_NO_FIELD_NUMBER: _ClassVar[int]
    ENTRY_TIME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    car_park_id: str
    plate_no: str
    entry_time: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., car_park_id: _Optional[str] = ..., plate_no: _Optional[str] = ..., entry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RecordEntryResponse(_message.Message):
    __slots__ = ("stay_id", "is_member")
    STAY_ID_FIELD_NUMBER: _ClassVar[int]
    IS_MEMBER_FIELD_NUMBER: _ClassVar[int]
    stay_id: str
    is_member: bool
    def __init__(self, stay_id: _Optional[str] = ..., is_member: _Optional[bool] = ...) -> None: ...

class RecordExitRequest(_message.Message):
    __slots__ = ("request_id", "car_park_id", "plate_no", "exit_time", "gate_paid_minor")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CAR_PARK_ID_FIELD_NUMBER: _ClassVar[int]
    PLATE_NO_FIELD_NUMBER: _ClassVar[int]
    EXIT_TIME_FIELD_NUMBER: _ClassVar[int]
    GATE_PAID_MINOR_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    car_park_id: str
    plate_no: str
    exit_time: _timestamp_pb2.Timestamp
    gate_paid_minor: int
    def __init__(self, request_id: _Optional[str] = ..., car_park_id: _Optional[str] = ..., plate_no: _Optional[str] = ..., exit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., gate_paid_minor: _Optional[int] = ...) -> None: ...

class RecordExitResponse(_message.Message):
    __slots__ = ("stay_id", "may_leave", "due", "fee")
    STAY_ID_FIELD_NUMBER: _ClassVar[int]
    MAY_LEAVE_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    stay_id: str
    may_leave: bool
    due: _types_pb2.Money
    fee: Fee
    def __init__(self, stay_id: _Optional[str] = ..., may_leave: _Optional[bool] = ..., due: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., fee: _Optional[_Union[Fee, _Mapping]] = ...) -> None: ...

class Fee(_message.Message):
    __slots__ = ("tariff_fee", "tier_waived", "points_paid", "money_paid", "due", "points", "stay_minutes")
    TARIFF_FEE_FIELD_NUMBER: _ClassVar[int]
    TIER_WAIVED_FIELD_NUMBER: _ClassVar[int]
    POINTS_PAID_FIELD_NUMBER: _ClassVar[int]
    MONEY_PAID_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    STAY_MINUTES_FIELD_NUMBER: _ClassVar[int]
    tariff_fee: _types_pb2.Money
    tier_waived: _types_pb2.Money
    points_paid: _types_pb2.Money
    money_paid: _types_pb2.Money
    due: _types_pb2.Money
    points: int
    stay_minutes: int
    def __init__(self, tariff_fee: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., tier_waived: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., points_paid: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., money_paid: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., due: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., points: _Optional[int] = ..., stay_minutes: _Optional[int] = ...) -> None: ...

class QuoteFeeRequest(_message.Message):
    __slots__ = ("member_id", "car_park_id", "plate_no", "at_time")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    CAR_PARK_ID_FIELD_NUMBER: _ClassVar[int]
    PLATE_NO_FIELD_NUMBER: _ClassVar[int]
    AT_TIME_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    car_park_id: str
    plate_no: str
    at_time: _timestamp_pb2.Timestamp
    def __init__(self, member_id: _Optional[str] = ..., car_park_id: _Optional[str] = ..., plate_no: _Optional[str] = ..., at_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class QuoteFeeResponse(_message.Message):
    __slots__ = ("stay_id", "fee", "max_points", "max_points_value", "points_unavailable")
    STAY_ID_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_VALUE_FIELD_NUMBER: _ClassVar[int]
    POINTS_UNAVAILABLE_FIELD_NUMBER: _ClassVar[int]
    stay_id: str
    fee: Fee
    max_points: int
    max_points_value: _types_pb2.Money
    points_unavailable: bool
    def __init__(self, stay_id: _Optional[str] = ..., fee: _Optional[_Union[Fee, _Mapping]] = ..., max_points: _Optional[int] = ..., max_points_value: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., points_unavailable: _Optional[bool] = ...) -> None: ...

class PayFeeRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "car_park_id", "plate_no", "pay_time", "use_points")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    CAR_PARK_ID_FIELD_NUMBER: _ClassVar[int]
    PLATE_NO_FIELD_NUMBER: _ClassVar[int]
    PAY_TIME_FIELD_NUMBER: _ClassVar[int]
    USE_POINTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    car_park_id: str
    plate_no: str
    pay_time: _timestamp_pb2.Timestamp
    use_points: bool
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., car_park_id: _Optional[str] = ..., plate_no: _Optional[str] = ..., pay_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., use_points: _Optional[bool] = ...) -> None: ...

class PayFeeResponse(_message.Message):
    __slots__ = ("stay_id", "fee", "leave_before_time")
    STAY_ID_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    LEAVE_BEFORE_TIME_FIELD_NUMBER: _ClassVar[int]
    stay_id: str
    fee: Fee
    leave_before_time: _timestamp_pb2.Timestamp
    def __init__(self, stay_id: _Optional[str] = ..., fee: _Optional[_Union[Fee, _Mapping]] = ..., leave_before_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListStaysRequest(_message.Message):
    __slots__ = ("member_id", "page_size", "page_token", "car_park_id")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CAR_PARK_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    page_size: int
    page_token: str
    car_park_id: str
    def __init__(self, member_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., car_park_id: _Optional[str] = ...) -> None: ...

class ListStaysResponse(_message.Message):
    __slots__ = ("stays", "next_page_token")
    STAYS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    stays: _containers.RepeatedCompositeFieldContainer[Stay]
    next_page_token: str
    def __init__(self, stays: _Optional[_Iterable[_Union[Stay, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Stay(_message.Message):
    __slots__ = ("stay_id", "car_park_id", "plate_no", "entry_time", "exit_time", "fee")
    STAY_ID_FIELD_NUMBER: _ClassVar[int]
    CAR_PARK_ID_FIELD_NUMBER: _ClassVar[int]
    PLATE_NO_FIELD_NUMBER: _ClassVar[int]
    ENTRY_TIME_FIELD_NUMBER: _ClassVar[int]
    EXIT_TIME_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    stay_id: str
    car_park_id: str
    plate_no: str
    entry_time: _timestamp_pb2.Timestamp
    exit_time: _timestamp_pb2.Timestamp
    fee: Fee
    def __init__(self, stay_id: _Optional[str] = ..., car_park_id: _Optional[str] = ..., plate_no: _Optional[str] = ..., entry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., exit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., fee: _Optional[_Union[Fee, _Mapping]] = ...) -> None: ...

class GetParkingTotalsRequest(_message.Message):
    __slots__ = ("car_park_id",)
    CAR_PARK_ID_FIELD_NUMBER: _ClassVar[int]
    car_park_id: str
    def __init__(self, car_park_id: _Optional[str] = ...) -> None: ...

class GetParkingTotalsResponse(_message.Message):
    __slots__ = ("car_parks",)
    CAR_PARKS_FIELD_NUMBER: _ClassVar[int]
    car_parks: _containers.RepeatedCompositeFieldContainer[CarParkTotals]
    def __init__(self, car_parks: _Optional[_Iterable[_Union[CarParkTotals, _Mapping]]] = ...) -> None: ...

class CarParkTotals(_message.Message):
    __slots__ = ("car_park_id", "stay_count", "tariff_fee_minor", "tier_waived_minor", "points_paid_minor", "points", "money_paid_minor", "due_minor")
    CAR_PARK_ID_FIELD_NUMBER: _ClassVar[int]
    STAY_COUNT_FIELD_NUMBER: _ClassVar[int]
    TARIFF_FEE_MINOR_FIELD_NUMBER: _ClassVar[int]
    TIER_WAIVED_MINOR_FIELD_NUMBER: _ClassVar[int]
    POINTS_PAID_MINOR_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    MONEY_PAID_MINOR_FIELD_NUMBER: _ClassVar[int]
    DUE_MINOR_FIELD_NUMBER: _ClassVar[int]
    car_park_id: str
    stay_count: int
    tariff_fee_minor: int
    tier_waived_minor: int
    points_paid_minor: int
    points: int
    money_paid_minor: int
    due_minor: int
    def __init__(self, car_park_id: _Optional[str] = ..., stay_count: _Optional[int] = ..., tariff_fee_minor: _Optional[int] = ..., tier_waived_minor: _Optional[int] = ..., points_paid_minor: _Optional[int] = ..., points: _Optional[int] = ..., money_paid_minor: _Optional[int] = ..., due_minor: _Optional[int] = ...) -> None: ...
