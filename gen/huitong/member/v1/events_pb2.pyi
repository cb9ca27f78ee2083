from huitong.common.v1 import types_pb2 as _types_pb2
from huitong.member.v1 import member_pb2 as _member_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MemberJoined(_message.Message):
    __slots__ = ("member_id", "card_no", "birth_month", "tier", "time_zone")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    CARD_NO_FIELD_NUMBER: _ClassVar[int]
    BIRTH_MONTH_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    card_no: str
    birth_month: int
    tier: _member_pb2.Tier
    time_zone: str
    def __init__(self, member_id: _Optional[str] = ..., card_no: _Optional[str] = ..., birth_month: _Optional[int] = ..., tier: _Optional[_Union[_member_pb2.Tier, _Mapping]] = ..., time_zone: _Optional[str] = ...) -> None: ...

class TierChanged(_message.Message):
    __slots__ = ("member_id", "tier", "previous_tier_code", "effective_date", "growth")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    GROWTH_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    tier: _member_pb2.Tier
    previous_tier_code: str
    effective_date: _types_pb2.BusinessDate
    growth: int
    def __init__(self, member_id: _Optional[str] = ..., tier: _Optional[_Union[_member_pb2.Tier, _Mapping]] = ..., previous_tier_code: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., growth: _Optional[int] = ...) -> None: ...

class MemberMerged(_message.Message):
    __slots__ = ("merge_id", "survivor_id", "absorbed_id")
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    SURVIVOR_ID_FIELD_NUMBER: _ClassVar[int]
    ABSORBED_ID_FIELD_NUMBER: _ClassVar[int]
    merge_id: str
    survivor_id: str
    absorbed_id: str
    def __init__(self, merge_id: _Optional[str] = ..., survivor_id: _Optional[str] = ..., absorbed_id: _Optional[str] = ...) -> None: ...

class MemberUnmerged(_message.Message):
    __slots__ = ("merge_id", "survivor_id", "absorbed_id")
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    SURVIVOR_ID_FIELD_NUMBER: _ClassVar[int]
    ABSORBED_ID_FIELD_NUMBER: _ClassVar[int]
    merge_id: str
    survivor_id: str
    absorbed_id: str
    def __init__(self, merge_id: _Optional[str] = ..., survivor_id: _Optional[str] = ..., absorbed_id: _Optional[str] = ...) -> None: ...
