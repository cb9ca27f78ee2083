import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.common.v1 import personal_data_pb2 as _personal_data_pb2
from huitong.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErasureState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERASURE_STATE_UNSPECIFIED: _ClassVar[ErasureState]
    ERASURE_STATE_WAITING: _ClassVar[ErasureState]
    ERASURE_STATE_POSTPONED: _ClassVar[ErasureState]
    ERASURE_STATE_RUNNING: _ClassVar[ErasureState]
    ERASURE_STATE_DONE: _ClassVar[ErasureState]
    ERASURE_STATE_WITHDRAWN: _ClassVar[ErasureState]
ERASURE_STATE_UNSPECIFIED: ErasureState
ERASURE_STATE_WAITING: ErasureState
ERASURE_STATE_POSTPONED: ErasureState
ERASURE_STATE_RUNNING: ErasureState
ERASURE_STATE_DONE: ErasureState
ERASURE_STATE_WITHDRAWN: ErasureState

class PrivacySettings(_message.Message):
    __slots__ = ("erasure_wait_hours", "birthday_change_limit")
    ERASURE_WAIT_HOURS_FIELD_NUMBER: _ClassVar[int]
    BIRTHDAY_CHANGE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    erasure_wait_hours: int
    birthday_change_limit: int
    def __init__(self, erasure_wait_hours: _Optional[int] = ..., birthday_change_limit: _Optional[int] = ...) -> None: ...

class GetPrivacySettingsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetPrivacySettingsResponse(_message.Message):
    __slots__ = ("settings",)
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    settings: PrivacySettings
    def __init__(self, settings: _Optional[_Union[PrivacySettings, _Mapping]] = ...) -> None: ...

class SetPrivacySettingsRequest(_message.Message):
    __slots__ = ("request_id", "settings")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    settings: PrivacySettings
    def __init__(self, request_id: _Optional[str] = ..., settings: _Optional[_Union[PrivacySettings, _Mapping]] = ...) -> None: ...

class SetPrivacySettingsResponse(_message.Message):
    __slots__ = ("settings",)
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    settings: PrivacySettings
    def __init__(self, settings: _Optional[_Union[PrivacySettings, _Mapping]] = ...) -> None: ...

class ExportMemberDataRequest(_message.Message):
    __slots__ = ("member_id", "page_size", "page_token")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    page_size: int
    page_token: str
    def __init__(self, member_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ExportMemberDataResponse(_message.Message):
    __slots__ = ("records", "next_page_token")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_personal_data_pb2.PersonalRecord]
    next_page_token: str
    def __init__(self, records: _Optional[_Iterable[_Union[_personal_data_pb2.PersonalRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Erasure(_message.Message):
    __slots__ = ("erasure_id", "member_id", "state", "requested_by", "request_time", "due_time", "begin_time", "done_time", "blockers", "confirmed_services", "open_services")
    ERASURE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_TIME_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    BEGIN_TIME_FIELD_NUMBER: _ClassVar[int]
    DONE_TIME_FIELD_NUMBER: _ClassVar[int]
    BLOCKERS_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_SERVICES_FIELD_NUMBER: _ClassVar[int]
    OPEN_SERVICES_FIELD_NUMBER: _ClassVar[int]
    erasure_id: str
    member_id: str
    state: ErasureState
    requested_by: str
    request_time: _timestamp_pb2.Timestamp
    due_time: _timestamp_pb2.Timestamp
    begin_time: _timestamp_pb2.Timestamp
    done_time: _timestamp_pb2.Timestamp
    blockers: _containers.RepeatedCompositeFieldContainer[ErasureBlocker]
    confirmed_services: _containers.RepeatedScalarFieldContainer[str]
    open_services: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, erasure_id: _Optional[str] = ..., member_id: _Optional[str] = ..., state: _Optional[_Union[ErasureState, str]] = ..., requested_by: _Optional[str] = ..., request_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., begin_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., done_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., blockers: _Optional[_Iterable[_Union[ErasureBlocker, _Mapping]]] = ..., confirmed_services: _Optional[_Iterable[str]] = ..., open_services: _Optional[_Iterable[str]] = ...) -> None: ...

class ErasureBlocker(_message.Message):
    __slots__ = ("service", "problem")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    service: str
    problem: _types_pb2.Problem
    def __init__(self, service: _Optional[str] = ..., problem: _Optional[_Union[_types_pb2.Problem, _Mapping]] = ...) -> None: ...

class RequestErasureRequest(_message.Message):
    __slots__ = ("request_id", "member_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ...) -> None: ...

class RequestErasureResponse(_message.Message):
    __slots__ = ("erasure",)
    ERASURE_FIELD_NUMBER: _ClassVar[int]
    erasure: Erasure
    def __init__(self, erasure: _Optional[_Union[Erasure, _Mapping]] = ...) -> None: ...

class WithdrawErasureRequest(_message.Message):
    __slots__ = ("request_id", "member_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ...) -> None: ...

class WithdrawErasureResponse(_message.Message):
    __slots__ = ("erasure",)
    ERASURE_FIELD_NUMBER: _ClassVar[int]
    erasure: Erasure
    def __init__(self, erasure: _Optional[_Union[Erasure, _Mapping]] = ...) -> None: ...

class GetErasureRequest(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class GetErasureResponse(_message.Message):
    __slots__ = ("erasure",)
    ERASURE_FIELD_NUMBER: _ClassVar[int]
    erasure: Erasure
    def __init__(self, erasure: _Optional[_Union[Erasure, _Mapping]] = ...) -> None: ...
