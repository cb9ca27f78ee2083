import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.common.v1 import types_pb2 as _types_pb2
from huitong.member.v1 import imports_pb2 as _imports_pb2
from huitong.member.v1 import risk_pb2 as _risk_pb2
from huitong.member.v1 import tier_policy_pb2 as _tier_policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Member(_message.Message):
    __slots__ = ("member_id", "card_no", "masked_phone", "tier_code", "birth_month", "join_time", "time_zone", "state", "state_version", "state_time")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    CARD_NO_FIELD_NUMBER: _ClassVar[int]
    MASKED_PHONE_FIELD_NUMBER: _ClassVar[int]
    TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    BIRTH_MONTH_FIELD_NUMBER: _ClassVar[int]
    JOIN_TIME_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_TIME_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    card_no: str
    masked_phone: str
    tier_code: str
    birth_month: int
    join_time: _timestamp_pb2.Timestamp
    time_zone: str
    state: _risk_pb2.MemberState
    state_version: int
    state_time: _timestamp_pb2.Timestamp
    def __init__(self, member_id: _Optional[str] = ..., card_no: _Optional[str] = ..., masked_phone: _Optional[str] = ..., tier_code: _Optional[str] = ..., birth_month: _Optional[int] = ..., join_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., time_zone: _Optional[str] = ..., state: _Optional[_Union[_risk_pb2.MemberState, str]] = ..., state_version: _Optional[int] = ..., state_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Tier(_message.Message):
    __slots__ = ("code", "name", "name_zh", "min_growth", "earn_multiplier_bps", "free_parking_minutes")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    MIN_GROWTH_FIELD_NUMBER: _ClassVar[int]
    EARN_MULTIPLIER_BPS_FIELD_NUMBER: _ClassVar[int]
    FREE_PARKING_MINUTES_FIELD_NUMBER: _ClassVar[int]
    code: str
    name: str
    name_zh: str
    min_growth: int
    earn_multiplier_bps: int
    free_parking_minutes: int
    def __init__(self, code: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., min_growth: _Optional[int] = ..., earn_multiplier_bps: _Optional[int] = ..., free_parking_minutes: _Optional[int] = ...) -> None: ...

class JoinMemberRequest(_message.Message):
    __slots__ = ("request_id", "phone", "store_id", "birth_month", "time_zone", "device_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    BIRTH_MONTH_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    phone: str
    store_id: str
    birth_month: int
    time_zone: str
    device_id: str
    def __init__(self, request_id: _Optional[str] = ..., phone: _Optional[str] = ..., store_id: _Optional[str] = ..., birth_month: _Optional[int] = ..., time_zone: _Optional[str] = ..., device_id: _Optional[str] = ...) -> None: ...

class JoinMemberResponse(_message.Message):
    __slots__ = ("member", "is_new")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    IS_NEW_FIELD_NUMBER: _ClassVar[int]
    member: Member
    is_new: bool
    def __init__(self, member: _Optional[_Union[Member, _Mapping]] = ..., is_new: _Optional[bool] = ...) -> None: ...

class JoinMembersRequest(_message.Message):
    __slots__ = ("members",)
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[JoinMemberRequest]
    def __init__(self, members: _Optional[_Iterable[_Union[JoinMemberRequest, _Mapping]]] = ...) -> None: ...

class JoinMembersResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[JoinMembersResult]
    def __init__(self, results: _Optional[_Iterable[_Union[JoinMembersResult, _Mapping]]] = ...) -> None: ...

class JoinMembersResult(_message.Message):
    __slots__ = ("joined", "problem")
    JOINED_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    joined: JoinMemberResponse
    problem: _types_pb2.Problem
    def __init__(self, joined: _Optional[_Union[JoinMemberResponse, _Mapping]] = ..., problem: _Optional[_Union[_types_pb2.Problem, _Mapping]] = ...) -> None: ...

class GetMemberRequest(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class GetMemberResponse(_message.Message):
    __slots__ = ("member",)
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    member: Member
    def __init__(self, member: _Optional[_Union[Member, _Mapping]] = ...) -> None: ...

class IdentifyMemberRequest(_message.Message):
    __slots__ = ("phone", "card_no", "member_code", "plate_no", "unit_number", "spend_request_id", "place_id")
    PHONE_FIELD_NUMBER: _ClassVar[int]
    CARD_NO_FIELD_NUMBER: _ClassVar[int]
    MEMBER_CODE_FIELD_NUMBER: _ClassVar[int]
    PLATE_NO_FIELD_NUMBER: _ClassVar[int]
    UNIT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SPEND_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PLACE_ID_FIELD_NUMBER: _ClassVar[int]
    phone: str
    card_no: str
    member_code: str
    plate_no: str
    unit_number: UnitNumber
    spend_request_id: str
    place_id: str
    def __init__(self, phone: _Optional[str] = ..., card_no: _Optional[str] = ..., member_code: _Optional[str] = ..., plate_no: _Optional[str] = ..., unit_number: _Optional[_Union[UnitNumber, _Mapping]] = ..., spend_request_id: _Optional[str] = ..., place_id: _Optional[str] = ...) -> None: ...

class UnitNumber(_message.Message):
    __slots__ = ("business_unit_id", "scheme", "number")
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    business_unit_id: str
    scheme: _imports_pb2.NumberScheme
    number: str
    def __init__(self, business_unit_id: _Optional[str] = ..., scheme: _Optional[_Union[_imports_pb2.NumberScheme, str]] = ..., number: _Optional[str] = ...) -> None: ...

class IdentifyMemberResponse(_message.Message):
    __slots__ = ("member_id", "tier_code", "may_spend")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    MAY_SPEND_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    tier_code: str
    may_spend: bool
    def __init__(self, member_id: _Optional[str] = ..., tier_code: _Optional[str] = ..., may_spend: _Optional[bool] = ...) -> None: ...

class GetMemberCodeRequest(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class GetMemberCodeResponse(_message.Message):
    __slots__ = ("member_code", "expire_time")
    MEMBER_CODE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    member_code: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, member_code: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetMemberCodeSeedRequest(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class GetMemberCodeSeedResponse(_message.Message):
    __slots__ = ("member_no", "seed", "step_seconds", "first_serial", "last_serial")
    MEMBER_NO_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    STEP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_SERIAL_FIELD_NUMBER: _ClassVar[int]
    LAST_SERIAL_FIELD_NUMBER: _ClassVar[int]
    member_no: str
    seed: str
    step_seconds: int
    first_serial: int
    last_serial: int
    def __init__(self, member_no: _Optional[str] = ..., seed: _Optional[str] = ..., step_seconds: _Optional[int] = ..., first_serial: _Optional[int] = ..., last_serial: _Optional[int] = ...) -> None: ...

class StartLoginRequest(_message.Message):
    __slots__ = ("group_code", "phone")
    GROUP_CODE_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    group_code: str
    phone: str
    def __init__(self, group_code: _Optional[str] = ..., phone: _Optional[str] = ...) -> None: ...

class StartLoginResponse(_message.Message):
    __slots__ = ("retry_seconds",)
    RETRY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    retry_seconds: int
    def __init__(self, retry_seconds: _Optional[int] = ...) -> None: ...

class CompleteLoginRequest(_message.Message):
    __slots__ = ("group_code", "phone", "one_time_code", "device_id")
    GROUP_CODE_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    ONE_TIME_CODE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    group_code: str
    phone: str
    one_time_code: str
    device_id: str
    def __init__(self, group_code: _Optional[str] = ..., phone: _Optional[str] = ..., one_time_code: _Optional[str] = ..., device_id: _Optional[str] = ...) -> None: ...

class CompleteLoginResponse(_message.Message):
    __slots__ = ("member", "tokens")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    member: Member
    tokens: Tokens
    def __init__(self, member: _Optional[_Union[Member, _Mapping]] = ..., tokens: _Optional[_Union[Tokens, _Mapping]] = ...) -> None: ...

class Tokens(_message.Message):
    __slots__ = ("access_token", "access_expire_time", "refresh_token")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ACCESS_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    access_expire_time: _timestamp_pb2.Timestamp
    refresh_token: str
    def __init__(self, access_token: _Optional[str] = ..., access_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., refresh_token: _Optional[str] = ...) -> None: ...

class RefreshSessionRequest(_message.Message):
    __slots__ = ("refresh_token",)
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    refresh_token: str
    def __init__(self, refresh_token: _Optional[str] = ...) -> None: ...

class RefreshSessionResponse(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: Tokens
    def __init__(self, tokens: _Optional[_Union[Tokens, _Mapping]] = ...) -> None: ...

class EndAllSessionsRequest(_message.Message):
    __slots__ = ("request_id", "member_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ...) -> None: ...

class EndAllSessionsResponse(_message.Message):
    __slots__ = ("ended_session_count",)
    ENDED_SESSION_COUNT_FIELD_NUMBER: _ClassVar[int]
    ended_session_count: int
    def __init__(self, ended_session_count: _Optional[int] = ...) -> None: ...

class EndSessionRequest(_message.Message):
    __slots__ = ("refresh_token",)
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    refresh_token: str
    def __init__(self, refresh_token: _Optional[str] = ...) -> None: ...

class EndSessionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSentMessagesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "phone")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    phone: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., phone: _Optional[str] = ...) -> None: ...

class ListSentMessagesResponse(_message.Message):
    __slots__ = ("messages", "next_page_token")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[SentMessage]
    next_page_token: str
    def __init__(self, messages: _Optional[_Iterable[_Union[SentMessage, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SentMessage(_message.Message):
    __slots__ = ("message_id", "phone", "one_time_code", "send_time", "purpose")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    ONE_TIME_CODE_FIELD_NUMBER: _ClassVar[int]
    SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    phone: str
    one_time_code: str
    send_time: _timestamp_pb2.Timestamp
    purpose: str
    def __init__(self, message_id: _Optional[str] = ..., phone: _Optional[str] = ..., one_time_code: _Optional[str] = ..., send_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., purpose: _Optional[str] = ...) -> None: ...

class SetTierLadderRequest(_message.Message):
    __slots__ = ("request_id", "tiers", "effective_date", "policy")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TIERS_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    tiers: _containers.RepeatedCompositeFieldContainer[Tier]
    effective_date: _types_pb2.BusinessDate
    policy: _tier_policy_pb2.TierPolicy
    def __init__(self, request_id: _Optional[str] = ..., tiers: _Optional[_Iterable[_Union[Tier, _Mapping]]] = ..., effective_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., policy: _Optional[_Union[_tier_policy_pb2.TierPolicy, _Mapping]] = ...) -> None: ...

class SetTierLadderResponse(_message.Message):
    __slots__ = ("tiers", "version", "policy", "effective_time")
    TIERS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    tiers: _containers.RepeatedCompositeFieldContainer[Tier]
    version: int
    policy: _tier_policy_pb2.TierPolicy
    effective_time: _timestamp_pb2.Timestamp
    def __init__(self, tiers: _Optional[_Iterable[_Union[Tier, _Mapping]]] = ..., version: _Optional[int] = ..., policy: _Optional[_Union[_tier_policy_pb2.TierPolicy, _Mapping]] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetTierLadderRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetTierLadderResponse(_message.Message):
    __slots__ = ("tiers", "version", "policy", "effective_time")
    TIERS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    tiers: _containers.RepeatedCompositeFieldContainer[Tier]
    version: int
    policy: _tier_policy_pb2.TierPolicy
    effective_time: _timestamp_pb2.Timestamp
    def __init__(self, tiers: _Optional[_Iterable[_Union[Tier, _Mapping]]] = ..., version: _Optional[int] = ..., policy: _Optional[_Union[_tier_policy_pb2.TierPolicy, _Mapping]] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetTierProgressRequest(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class GetTierProgressResponse(_message.Message):
    __slots__ = ("tier", "growth", "next_tier", "missing_growth", "missing_spend", "period_end_date", "keep_until_date", "keep_missing_growth", "keep_missing_spend", "next_text", "next_text_zh", "keep_text", "keep_text_zh", "match_end_date")
    TIER_FIELD_NUMBER: _ClassVar[int]
    GROWTH_FIELD_NUMBER: _ClassVar[int]
    NEXT_TIER_FIELD_NUMBER: _ClassVar[int]
    MISSING_GROWTH_FIELD_NUMBER: _ClassVar[int]
    MISSING_SPEND_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_DATE_FIELD_NUMBER: _ClassVar[int]
    KEEP_UNTIL_DATE_FIELD_NUMBER: _ClassVar[int]
    KEEP_MISSING_GROWTH_FIELD_NUMBER: _ClassVar[int]
    KEEP_MISSING_SPEND_FIELD_NUMBER: _ClassVar[int]
    NEXT_TEXT_FIELD_NUMBER: _ClassVar[int]
    NEXT_TEXT_ZH_FIELD_NUMBER: _ClassVar[int]
    KEEP_TEXT_FIELD_NUMBER: _ClassVar[int]
    KEEP_TEXT_ZH_FIELD_NUMBER: _ClassVar[int]
    MATCH_END_DATE_FIELD_NUMBER: _ClassVar[int]
    tier: Tier
    growth: int
    next_tier: Tier
    missing_growth: int
    missing_spend: _types_pb2.Money
    period_end_date: _types_pb2.BusinessDate
    keep_until_date: _types_pb2.BusinessDate
    keep_missing_growth: int
    keep_missing_spend: _types_pb2.Money
    next_text: str
    next_text_zh: str
    keep_text: str
    keep_text_zh: str
    match_end_date: _types_pb2.BusinessDate
    def __init__(self, tier: _Optional[_Union[Tier, _Mapping]] = ..., growth: _Optional[int] = ..., next_tier: _Optional[_Union[Tier, _Mapping]] = ..., missing_growth: _Optional[int] = ..., missing_spend: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., period_end_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., keep_until_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., keep_missing_growth: _Optional[int] = ..., keep_missing_spend: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., next_text: _Optional[str] = ..., next_text_zh: _Optional[str] = ..., keep_text: _Optional[str] = ..., keep_text_zh: _Optional[str] = ..., match_end_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ...) -> None: ...

class CountMembersByTierRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CountMembersByTierResponse(_message.Message):
    __slots__ = ("tiers",)
    TIERS_FIELD_NUMBER: _ClassVar[int]
    tiers: _containers.RepeatedCompositeFieldContainer[TierCount]
    def __init__(self, tiers: _Optional[_Iterable[_Union[TierCount, _Mapping]]] = ...) -> None: ...

class TierCount(_message.Message):
    __slots__ = ("tier", "member_count")
    TIER_FIELD_NUMBER: _ClassVar[int]
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    tier: Tier
    member_count: int
    def __init__(self, tier: _Optional[_Union[Tier, _Mapping]] = ..., member_count: _Optional[int] = ...) -> None: ...
