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

class MergeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MERGE_STATE_UNSPECIFIED: _ClassVar[MergeState]
    MERGE_STATE_MERGING: _ClassVar[MergeState]
    MERGE_STATE_COMPLETED: _ClassVar[MergeState]
    MERGE_STATE_UNMERGING: _ClassVar[MergeState]
    MERGE_STATE_UNMERGED: _ClassVar[MergeState]
MERGE_STATE_UNSPECIFIED: MergeState
MERGE_STATE_MERGING: MergeState
MERGE_STATE_COMPLETED: MergeState
MERGE_STATE_UNMERGING: MergeState
MERGE_STATE_UNMERGED: MergeState

class MemberMerge(_message.Message):
    __slots__ = ("merge_id", "survivor_id", "absorbed_id", "state", "reason", "unmerge_reason", "merged_by", "unmerged_by", "merge_time", "complete_time", "unmerge_time", "unmerge_complete_time", "waiting_for", "charged_points", "uncharged_points")
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    SURVIVOR_ID_FIELD_NUMBER: _ClassVar[int]
    ABSORBED_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    UNMERGE_REASON_FIELD_NUMBER: _ClassVar[int]
    MERGED_BY_FIELD_NUMBER: _ClassVar[int]
    UNMERGED_BY_FIELD_NUMBER: _ClassVar[int]
    MERGE_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_TIME_FIELD_NUMBER: _ClassVar[int]
    UNMERGE_TIME_FIELD_NUMBER: _ClassVar[int]
    UNMERGE_COMPLETE_TIME_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_FIELD_NUMBER: _ClassVar[int]
    CHARGED_POINTS_FIELD_NUMBER: _ClassVar[int]
    UNCHARGED_POINTS_FIELD_NUMBER: _ClassVar[int]
    merge_id: str
    survivor_id: str
    absorbed_id: str
    state: MergeState
    reason: str
    unmerge_reason: str
    merged_by: str
    unmerged_by: str
    merge_time: _timestamp_pb2.Timestamp
    complete_time: _timestamp_pb2.Timestamp
    unmerge_time: _timestamp_pb2.Timestamp
    unmerge_complete_time: _timestamp_pb2.Timestamp
    waiting_for: _containers.RepeatedScalarFieldContainer[str]
    charged_points: int
    uncharged_points: int
    def __init__(self, merge_id: _Optional[str] = ..., survivor_id: _Optional[str] = ..., absorbed_id: _Optional[str] = ..., state: _Optional[_Union[MergeState, str]] = ..., reason: _Optional[str] = ..., unmerge_reason: _Optional[str] = ..., merged_by: _Optional[str] = ..., unmerged_by: _Optional[str] = ..., merge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., complete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., unmerge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., unmerge_complete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., waiting_for: _Optional[_Iterable[str]] = ..., charged_points: _Optional[int] = ..., uncharged_points: _Optional[int] = ...) -> None: ...

class MergeMembersRequest(_message.Message):
    __slots__ = ("request_id", "survivor_id", "absorbed_id", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SURVIVOR_ID_FIELD_NUMBER: _ClassVar[int]
    ABSORBED_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    survivor_id: str
    absorbed_id: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., survivor_id: _Optional[str] = ..., absorbed_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class MergeMembersResponse(_message.Message):
    __slots__ = ("merge",)
    MERGE_FIELD_NUMBER: _ClassVar[int]
    merge: MemberMerge
    def __init__(self, merge: _Optional[_Union[MemberMerge, _Mapping]] = ...) -> None: ...

class UnmergeMembersRequest(_message.Message):
    __slots__ = ("request_id", "merge_id", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    merge_id: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., merge_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class UnmergeMembersResponse(_message.Message):
    __slots__ = ("merge",)
    MERGE_FIELD_NUMBER: _ClassVar[int]
    merge: MemberMerge
    def __init__(self, merge: _Optional[_Union[MemberMerge, _Mapping]] = ...) -> None: ...

class GetMemberMergeRequest(_message.Message):
    __slots__ = ("merge_id",)
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    merge_id: str
    def __init__(self, merge_id: _Optional[str] = ...) -> None: ...

class GetMemberMergeResponse(_message.Message):
    __slots__ = ("merge",)
    MERGE_FIELD_NUMBER: _ClassVar[int]
    merge: MemberMerge
    def __init__(self, merge: _Optional[_Union[MemberMerge, _Mapping]] = ...) -> None: ...

class ListMemberMergesRequest(_message.Message):
    __slots__ = ("member_id", "page_size", "page_token")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    page_size: int
    page_token: str
    def __init__(self, member_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMemberMergesResponse(_message.Message):
    __slots__ = ("merges", "next_page_token")
    MERGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    merges: _containers.RepeatedCompositeFieldContainer[MemberMerge]
    next_page_token: str
    def __init__(self, merges: _Optional[_Iterable[_Union[MemberMerge, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
