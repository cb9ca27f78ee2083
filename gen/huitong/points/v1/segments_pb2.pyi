import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChangeSegmentRequest(_message.Message):
    __slots__ = ("request_id", "segment", "add_member_ids", "remove_member_ids")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    ADD_MEMBER_IDS_FIELD_NUMBER: _ClassVar[int]
    REMOVE_MEMBER_IDS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    segment: str
    add_member_ids: _containers.RepeatedScalarFieldContainer[str]
    remove_member_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., segment: _Optional[str] = ..., add_member_ids: _Optional[_Iterable[str]] = ..., remove_member_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ChangeSegmentResponse(_message.Message):
    __slots__ = ("added_count", "removed_count", "change_time")
    ADDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    added_count: int
    removed_count: int
    change_time: _timestamp_pb2.Timestamp
    def __init__(self, added_count: _Optional[int] = ..., removed_count: _Optional[int] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListMemberSegmentsRequest(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class ListMemberSegmentsResponse(_message.Message):
    __slots__ = ("segments",)
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[MemberSegment]
    def __init__(self, segments: _Optional[_Iterable[_Union[MemberSegment, _Mapping]]] = ...) -> None: ...

class MemberSegment(_message.Message):
    __slots__ = ("segment", "start_time")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    segment: str
    start_time: _timestamp_pb2.Timestamp
    def __init__(self, segment: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
