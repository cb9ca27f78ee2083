import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AdjustmentDirection(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADJUSTMENT_DIRECTION_UNSPECIFIED: _ClassVar[AdjustmentDirection]
    ADJUSTMENT_DIRECTION_CREDIT: _ClassVar[AdjustmentDirection]
    ADJUSTMENT_DIRECTION_DEBIT: _ClassVar[AdjustmentDirection]

class AdjustmentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADJUSTMENT_STATE_UNSPECIFIED: _ClassVar[AdjustmentState]
    ADJUSTMENT_STATE_PENDING: _ClassVar[AdjustmentState]
    ADJUSTMENT_STATE_APPROVED: _ClassVar[AdjustmentState]
    ADJUSTMENT_STATE_APPLIED: _ClassVar[AdjustmentState]
    ADJUSTMENT_STATE_REJECTED: _ClassVar[AdjustmentState]
    ADJUSTMENT_STATE_REFUSED: _ClassVar[AdjustmentState]
    ADJUSTMENT_STATE_LAPSED: _ClassVar[AdjustmentState]
ADJUSTMENT_DIRECTION_UNSPECIFIED: AdjustmentDirection
ADJUSTMENT_DIRECTION_CREDIT: AdjustmentDirection
ADJUSTMENT_DIRECTION_DEBIT: AdjustmentDirection
ADJUSTMENT_STATE_UNSPECIFIED: AdjustmentState
ADJUSTMENT_STATE_PENDING: AdjustmentState
ADJUSTMENT_STATE_APPROVED: AdjustmentState
ADJUSTMENT_STATE_APPLIED: AdjustmentState
ADJUSTMENT_STATE_REJECTED: AdjustmentState
ADJUSTMENT_STATE_REFUSED: AdjustmentState
ADJUSTMENT_STATE_LAPSED: AdjustmentState

class Adjustment(_message.Message):
    __slots__ = ("adjustment_id", "state", "member_id", "direction", "points", "merchant_id", "reason_code", "reason_text", "requested_by", "decided_by", "decision_note", "create_time", "lapse_time", "decide_time", "txn_id", "points_expire_time", "currency_id")
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_TEXT_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    DECISION_NOTE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAPSE_TIME_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    adjustment_id: str
    state: AdjustmentState
    member_id: str
    direction: AdjustmentDirection
    points: int
    merchant_id: str
    reason_code: str
    reason_text: str
    requested_by: str
    decided_by: str
    decision_note: str
    create_time: _timestamp_pb2.Timestamp
    lapse_time: _timestamp_pb2.Timestamp
    decide_time: _timestamp_pb2.Timestamp
    txn_id: str
    points_expire_time: _timestamp_pb2.Timestamp
    currency_id: str
    def __init__(self, adjustment_id: _Optional[str] = ..., state: _Optional[_Union[AdjustmentState, str]] = ..., member_id: _Optional[str] = ..., direction: _Optional[_Union[AdjustmentDirection, str]] = ..., points: _Optional[int] = ..., merchant_id: _Optional[str] = ..., reason_code: _Optional[str] = ..., reason_text: _Optional[str] = ..., requested_by: _Optional[str] = ..., decided_by: _Optional[str] = ..., decision_note: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lapse_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., txn_id: _Optional[str] = ..., points_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., currency_id: _Optional[str] = ...) -> None: ...

class RequestAdjustmentRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "direction", "points", "merchant_id", "reason_code", "reason_text", "currency_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_TEXT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    direction: AdjustmentDirection
    points: int
    merchant_id: str
    reason_code: str
    reason_text: str
    currency_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., direction: _Optional[_Union[AdjustmentDirection, str]] = ..., points: _Optional[int] = ..., merchant_id: _Optional[str] = ..., reason_code: _Optional[str] = ..., reason_text: _Optional[str] = ..., currency_id: _Optional[str] = ...) -> None: ...

class RequestAdjustmentResponse(_message.Message):
    __slots__ = ("adjustment",)
    ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    adjustment: Adjustment
    def __init__(self, adjustment: _Optional[_Union[Adjustment, _Mapping]] = ...) -> None: ...

class ApproveAdjustmentRequest(_message.Message):
    __slots__ = ("request_id", "adjustment_id", "decision_note")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_NOTE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    adjustment_id: str
    decision_note: str
    def __init__(self, request_id: _Optional[str] = ..., adjustment_id: _Optional[str] = ..., decision_note: _Optional[str] = ...) -> None: ...

class ApproveAdjustmentResponse(_message.Message):
    __slots__ = ("adjustment", "debt_repaid_points", "available_points")
    ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    DEBT_REPAID_POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    adjustment: Adjustment
    debt_repaid_points: int
    available_points: int
    def __init__(self, adjustment: _Optional[_Union[Adjustment, _Mapping]] = ..., debt_repaid_points: _Optional[int] = ..., available_points: _Optional[int] = ...) -> None: ...

class RejectAdjustmentRequest(_message.Message):
    __slots__ = ("request_id", "adjustment_id", "decision_note")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_NOTE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    adjustment_id: str
    decision_note: str
    def __init__(self, request_id: _Optional[str] = ..., adjustment_id: _Optional[str] = ..., decision_note: _Optional[str] = ...) -> None: ...

class RejectAdjustmentResponse(_message.Message):
    __slots__ = ("adjustment",)
    ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    adjustment: Adjustment
    def __init__(self, adjustment: _Optional[_Union[Adjustment, _Mapping]] = ...) -> None: ...

class ListAdjustmentsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "member_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: AdjustmentState
    member_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[AdjustmentState, str]] = ..., member_id: _Optional[str] = ...) -> None: ...

class ListAdjustmentsResponse(_message.Message):
    __slots__ = ("adjustments", "next_page_token")
    ADJUSTMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    adjustments: _containers.RepeatedCompositeFieldContainer[Adjustment]
    next_page_token: str
    def __init__(self, adjustments: _Optional[_Iterable[_Union[Adjustment, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
