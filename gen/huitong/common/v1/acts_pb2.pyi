import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Act(_message.Message):
    __slots__ = ("act_id", "time", "service", "action", "actor_kind", "actor", "via", "subject_ids", "before_json", "request_json", "after_json", "reason", "traceparent", "is_outcome_unknown")
    ACT_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ACTOR_KIND_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    VIA_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_IDS_FIELD_NUMBER: _ClassVar[int]
    BEFORE_JSON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_JSON_FIELD_NUMBER: _ClassVar[int]
    AFTER_JSON_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    IS_OUTCOME_UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    act_id: str
    time: _timestamp_pb2.Timestamp
    service: str
    action: str
    actor_kind: str
    actor: str
    via: str
    subject_ids: _containers.RepeatedScalarFieldContainer[str]
    before_json: str
    request_json: str
    after_json: str
    reason: str
    traceparent: str
    is_outcome_unknown: bool
    def __init__(self, act_id: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., service: _Optional[str] = ..., action: _Optional[str] = ..., actor_kind: _Optional[str] = ..., actor: _Optional[str] = ..., via: _Optional[str] = ..., subject_ids: _Optional[_Iterable[str]] = ..., before_json: _Optional[str] = ..., request_json: _Optional[str] = ..., after_json: _Optional[str] = ..., reason: _Optional[str] = ..., traceparent: _Optional[str] = ..., is_outcome_unknown: _Optional[bool] = ...) -> None: ...

class RecordActsRequest(_message.Message):
    __slots__ = ("request_id", "acts")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    acts: _containers.RepeatedCompositeFieldContainer[Act]
    def __init__(self, request_id: _Optional[str] = ..., acts: _Optional[_Iterable[_Union[Act, _Mapping]]] = ...) -> None: ...

class RecordActsResponse(_message.Message):
    __slots__ = ("recorded_count",)
    RECORDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    recorded_count: int
    def __init__(self, recorded_count: _Optional[int] = ...) -> None: ...
