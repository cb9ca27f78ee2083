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

class CostState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COST_STATE_UNSPECIFIED: _ClassVar[CostState]
    COST_STATE_CALM: _ClassVar[CostState]
    COST_STATE_WARNED: _ClassVar[CostState]
    COST_STATE_THROTTLED: _ClassVar[CostState]
COST_STATE_UNSPECIFIED: CostState
COST_STATE_CALM: CostState
COST_STATE_WARNED: CostState
COST_STATE_THROTTLED: CostState

class UnitCost(_message.Message):
    __slots__ = ("business_unit_id", "first_date", "last_date", "sales_minor", "points", "cost_minor", "cost_bps")
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_DATE_FIELD_NUMBER: _ClassVar[int]
    LAST_DATE_FIELD_NUMBER: _ClassVar[int]
    SALES_MINOR_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    COST_MINOR_FIELD_NUMBER: _ClassVar[int]
    COST_BPS_FIELD_NUMBER: _ClassVar[int]
    business_unit_id: str
    first_date: _types_pb2.BusinessDate
    last_date: _types_pb2.BusinessDate
    sales_minor: int
    points: int
    cost_minor: int
    cost_bps: int
    def __init__(self, business_unit_id: _Optional[str] = ..., first_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., last_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., sales_minor: _Optional[int] = ..., points: _Optional[int] = ..., cost_minor: _Optional[int] = ..., cost_bps: _Optional[int] = ...) -> None: ...

class CostAction(_message.Message):
    __slots__ = ("cost", "state", "previous_state", "effective_time", "threshold_bps", "rule_set_version", "explanation", "explanation_zh")
    COST_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_STATE_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_BPS_FIELD_NUMBER: _ClassVar[int]
    RULE_SET_VERSION_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_ZH_FIELD_NUMBER: _ClassVar[int]
    cost: UnitCost
    state: CostState
    previous_state: CostState
    effective_time: _timestamp_pb2.Timestamp
    threshold_bps: int
    rule_set_version: int
    explanation: str
    explanation_zh: str
    def __init__(self, cost: _Optional[_Union[UnitCost, _Mapping]] = ..., state: _Optional[_Union[CostState, str]] = ..., previous_state: _Optional[_Union[CostState, str]] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., threshold_bps: _Optional[int] = ..., rule_set_version: _Optional[int] = ..., explanation: _Optional[str] = ..., explanation_zh: _Optional[str] = ...) -> None: ...

class ListUnitCostsRequest(_message.Message):
    __slots__ = ("business_unit_id",)
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    business_unit_id: str
    def __init__(self, business_unit_id: _Optional[str] = ...) -> None: ...

class ListUnitCostsResponse(_message.Message):
    __slots__ = ("units", "uncounted_event_count")
    UNITS_FIELD_NUMBER: _ClassVar[int]
    UNCOUNTED_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    units: _containers.RepeatedCompositeFieldContainer[UnitCostState]
    uncounted_event_count: int
    def __init__(self, units: _Optional[_Iterable[_Union[UnitCostState, _Mapping]]] = ..., uncounted_event_count: _Optional[int] = ...) -> None: ...

class UnitCostState(_message.Message):
    __slots__ = ("cost", "state")
    COST_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    cost: UnitCost
    state: CostState
    def __init__(self, cost: _Optional[_Union[UnitCost, _Mapping]] = ..., state: _Optional[_Union[CostState, str]] = ...) -> None: ...

class ListCostActionsRequest(_message.Message):
    __slots__ = ("business_unit_id", "page_size", "page_token")
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    business_unit_id: str
    page_size: int
    page_token: str
    def __init__(self, business_unit_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCostActionsResponse(_message.Message):
    __slots__ = ("actions", "next_page_token")
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    actions: _containers.RepeatedCompositeFieldContainer[CostAction]
    next_page_token: str
    def __init__(self, actions: _Optional[_Iterable[_Union[CostAction, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
