from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QualificationWindow(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUALIFICATION_WINDOW_UNSPECIFIED: _ClassVar[QualificationWindow]
    QUALIFICATION_WINDOW_LIFETIME: _ClassVar[QualificationWindow]
    QUALIFICATION_WINDOW_CALENDAR_YEAR: _ClassVar[QualificationWindow]
    QUALIFICATION_WINDOW_ROLLING_MONTHS: _ClassVar[QualificationWindow]
QUALIFICATION_WINDOW_UNSPECIFIED: QualificationWindow
QUALIFICATION_WINDOW_LIFETIME: QualificationWindow
QUALIFICATION_WINDOW_CALENDAR_YEAR: QualificationWindow
QUALIFICATION_WINDOW_ROLLING_MONTHS: QualificationWindow

class TaskGrowth(_message.Message):
    __slots__ = ("task_code", "growth", "tag")
    TASK_CODE_FIELD_NUMBER: _ClassVar[int]
    GROWTH_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    task_code: str
    growth: int
    tag: str
    def __init__(self, task_code: _Optional[str] = ..., growth: _Optional[int] = ..., tag: _Optional[str] = ...) -> None: ...

class TierPolicy(_message.Message):
    __slots__ = ("window", "months", "grace_days", "spend_growth_bps", "visit_growth", "tasks", "currency_code", "time_zone")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    GRACE_DAYS_FIELD_NUMBER: _ClassVar[int]
    SPEND_GROWTH_BPS_FIELD_NUMBER: _ClassVar[int]
    VISIT_GROWTH_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_CODE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    window: QualificationWindow
    months: int
    grace_days: int
    spend_growth_bps: int
    visit_growth: int
    tasks: _containers.RepeatedCompositeFieldContainer[TaskGrowth]
    currency_code: str
    time_zone: str
    def __init__(self, window: _Optional[_Union[QualificationWindow, str]] = ..., months: _Optional[int] = ..., grace_days: _Optional[int] = ..., spend_growth_bps: _Optional[int] = ..., visit_growth: _Optional[int] = ..., tasks: _Optional[_Iterable[_Union[TaskGrowth, _Mapping]]] = ..., currency_code: _Optional[str] = ..., time_zone: _Optional[str] = ...) -> None: ...
