from huitong.common.v1 import types_pb2 as _types_pb2
from huitong.member.v1 import attributes_pb2 as _attributes_pb2
from huitong.member.v1 import consents_pb2 as _consents_pb2
from huitong.member.v1 import member_pb2 as _member_pb2
from huitong.member.v1 import risk_pb2 as _risk_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
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
    TIER_CHANGE_REASON_MERGE: _ClassVar[TierChangeReason]
TIER_CHANGE_REASON_UNSPECIFIED: TierChangeReason
TIER_CHANGE_REASON_GROWTH: TierChangeReason
TIER_CHANGE_REASON_PERIOD_END: TierChangeReason
TIER_CHANGE_REASON_MATCH: TierChangeReason
TIER_CHANGE_REASON_MATCH_END: TierChangeReason
TIER_CHANGE_REASON_LADDER: TierChangeReason
TIER_CHANGE_REASON_MERGE: TierChangeReason

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

class MemberStateChanged(_message.Message):
    __slots__ = ("member_id", "state", "previous_state", "reason_code", "version")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    state: _risk_pb2.MemberState
    previous_state: _risk_pb2.MemberState
    reason_code: str
    version: int
    def __init__(self, member_id: _Optional[str] = ..., state: _Optional[_Union[_risk_pb2.MemberState, str]] = ..., previous_state: _Optional[_Union[_risk_pb2.MemberState, str]] = ..., reason_code: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class RiskPolicyChanged(_message.Message):
    __slots__ = ("policy",)
    POLICY_FIELD_NUMBER: _ClassVar[int]
    policy: _risk_pb2.RiskPolicy
    def __init__(self, policy: _Optional[_Union[_risk_pb2.RiskPolicy, _Mapping]] = ...) -> None: ...

class ReferralMade(_message.Message):
    __slots__ = ("referral_id", "referrer_id", "friend_id")
    REFERRAL_ID_FIELD_NUMBER: _ClassVar[int]
    REFERRER_ID_FIELD_NUMBER: _ClassVar[int]
    FRIEND_ID_FIELD_NUMBER: _ClassVar[int]
    referral_id: str
    referrer_id: str
    friend_id: str
    def __init__(self, referral_id: _Optional[str] = ..., referrer_id: _Optional[str] = ..., friend_id: _Optional[str] = ...) -> None: ...

class ReferralRewarded(_message.Message):
    __slots__ = ("referral_id", "referrer_id", "friend_id", "referrer_points", "friend_points")
    REFERRAL_ID_FIELD_NUMBER: _ClassVar[int]
    REFERRER_ID_FIELD_NUMBER: _ClassVar[int]
    FRIEND_ID_FIELD_NUMBER: _ClassVar[int]
    REFERRER_POINTS_FIELD_NUMBER: _ClassVar[int]
    FRIEND_POINTS_FIELD_NUMBER: _ClassVar[int]
    referral_id: str
    referrer_id: str
    friend_id: str
    referrer_points: int
    friend_points: int
    def __init__(self, referral_id: _Optional[str] = ..., referrer_id: _Optional[str] = ..., friend_id: _Optional[str] = ..., referrer_points: _Optional[int] = ..., friend_points: _Optional[int] = ...) -> None: ...

class TagsChanged(_message.Message):
    __slots__ = ("member_id", "added", "removed", "source")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    added: _containers.RepeatedScalarFieldContainer[str]
    removed: _containers.RepeatedScalarFieldContainer[str]
    source: _attributes_pb2.AttributeSource
    def __init__(self, member_id: _Optional[str] = ..., added: _Optional[_Iterable[str]] = ..., removed: _Optional[_Iterable[str]] = ..., source: _Optional[_Union[_attributes_pb2.AttributeSource, str]] = ...) -> None: ...

class MemberProfileChanged(_message.Message):
    __slots__ = ("member_id", "birth_month")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    BIRTH_MONTH_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    birth_month: int
    def __init__(self, member_id: _Optional[str] = ..., birth_month: _Optional[int] = ...) -> None: ...

class ConsentChanged(_message.Message):
    __slots__ = ("member_id", "purpose", "version", "is_given", "channel")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IS_GIVEN_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    purpose: _consents_pb2.ConsentPurpose
    version: str
    is_given: bool
    channel: _consents_pb2.ConsentChannel
    def __init__(self, member_id: _Optional[str] = ..., purpose: _Optional[_Union[_consents_pb2.ConsentPurpose, str]] = ..., version: _Optional[str] = ..., is_given: _Optional[bool] = ..., channel: _Optional[_Union[_consents_pb2.ConsentChannel, str]] = ...) -> None: ...

class MemberErased(_message.Message):
    __slots__ = ("member_id", "erasure_id")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ERASURE_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    erasure_id: str
    def __init__(self, member_id: _Optional[str] = ..., erasure_id: _Optional[str] = ...) -> None: ...

class MemberPhoneChanged(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...
