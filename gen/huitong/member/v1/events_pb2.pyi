from huitong.common.v1 import types_pb2 as _types_pb2
from huitong.member.v1 import member_pb2 as _member_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TierChangeReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIER_CHANGE_REASON_UNSPECIFIED: _ClassVar[TierChangeReason]
    TIER_CHANGE_REASON_GROWTH: _ClassVar[TierChangeReason]
    TIER_CHANGE_REASON_PERIOD_END: _ClassVar[TierChangeReason]
    TIER_CHANGE_REASON_MATCH: _ClassVar[TierChangeReason]
    TIER_CHANGE_REASON_MATCH_END: _ClassVar[TierChangeReason]
    TIER_CHANGE_REASON_LADDER: _ClassVar[TierChangeReason]
TIER_CHANGE_REASON_UNSPECIFIED: TierChangeReason
TIER_CHANGE_REASON_GROWTH: TierChangeReason
TIER_CHANGE_REASON_PERIOD_END: TierChangeReason
TIER_CHANGE_REASON_MATCH: TierChangeReason
TIER_CHANGE_REASON_MATCH_END: TierChangeReason
TIER_CHANGE_REASON_LADDER: TierChangeReason

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
    __slots__ = ("member_id", "tier", "previous_tier_code", "effective_date", "growth", "reason")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    GROWTH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    tier: _member_pb2.Tier
    previous_tier_code: str
    effective_date: _types_pb2.BusinessDate
    growth: int
    reason: TierChangeReason
    def __init__(self, member_id: _Optional[str] = ..., tier: _Optional[_Union[_member_pb2.Tier, _Mapping]] = ..., previous_tier_code: _Optional[str] = ..., effective_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., growth: _Optional[int] = ..., reason: _Optional[_Union[TierChangeReason, str]] = ...) -> None: ...

class GrowthRecorded(_message.Message):
    __slots__ = ("growth_id", "member_id", "task_code", "reference", "growth", "business_date", "reverses_growth_id")
    GROWTH_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_CODE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    GROWTH_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_DATE_FIELD_NUMBER: _ClassVar[int]
    REVERSES_GROWTH_ID_FIELD_NUMBER: _ClassVar[int]
    growth_id: str
    member_id: str
    task_code: str
    reference: str
    growth: int
    business_date: _types_pb2.BusinessDate
    reverses_growth_id: str
    def __init__(self, growth_id: _Optional[str] = ..., member_id: _Optional[str] = ..., task_code: _Optional[str] = ..., reference: _Optional[str] = ..., growth: _Optional[int] = ..., business_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., reverses_growth_id: _Optional[str] = ...) -> None: ...

class TierMatched(_message.Message):
    __slots__ = ("grant_id", "member_id", "business_unit_id", "level", "tier_code", "end_date")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    member_id: str
    business_unit_id: str
    level: str
    tier_code: str
    end_date: _types_pb2.BusinessDate
    def __init__(self, grant_id: _Optional[str] = ..., member_id: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., level: _Optional[str] = ..., tier_code: _Optional[str] = ..., end_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ...) -> None: ...
