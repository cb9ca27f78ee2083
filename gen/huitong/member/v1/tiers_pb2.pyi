import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.common.v1 import types_pb2 as _types_pb2
from huitong.member.v1 import imports_pb2 as _imports_pb2
from huitong.member.v1 import member_pb2 as _member_pb2
from huitong.member.v1 import tier_policy_pb2 as _tier_policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecalculationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECALCULATION_STATE_UNSPECIFIED: _ClassVar[RecalculationState]
    RECALCULATION_STATE_RUNNING: _ClassVar[RecalculationState]
    RECALCULATION_STATE_DONE: _ClassVar[RecalculationState]
    RECALCULATION_STATE_CANCELLED: _ClassVar[RecalculationState]
RECALCULATION_STATE_UNSPECIFIED: RecalculationState
RECALCULATION_STATE_RUNNING: RecalculationState
RECALCULATION_STATE_DONE: RecalculationState
RECALCULATION_STATE_CANCELLED: RecalculationState

class TierLadder(_message.Message):
    __slots__ = ("version", "tiers", "policy", "effective_time", "is_cancelled", "is_in_force")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TIERS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    IS_CANCELLED_FIELD_NUMBER: _ClassVar[int]
    IS_IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    version: int
    tiers: _containers.RepeatedCompositeFieldContainer[_member_pb2.Tier]
    policy: _tier_policy_pb2.TierPolicy
    effective_time: _timestamp_pb2.Timestamp
    is_cancelled: bool
    is_in_force: bool
    def __init__(self, version: _Optional[int] = ..., tiers: _Optional[_Iterable[_Union[_member_pb2.Tier, _Mapping]]] = ..., policy: _Optional[_Union[_tier_policy_pb2.TierPolicy, _Mapping]] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_cancelled: _Optional[bool] = ..., is_in_force: _Optional[bool] = ...) -> None: ...

class ListTierLaddersRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTierLaddersResponse(_message.Message):
    __slots__ = ("ladders", "next_page_token")
    LADDERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ladders: _containers.RepeatedCompositeFieldContainer[TierLadder]
    next_page_token: str
    def __init__(self, ladders: _Optional[_Iterable[_Union[TierLadder, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelTierLadderRequest(_message.Message):
    __slots__ = ("request_id", "version")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    version: int
    def __init__(self, request_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class CancelTierLadderResponse(_message.Message):
    __slots__ = ("ladder",)
    LADDER_FIELD_NUMBER: _ClassVar[int]
    ladder: TierLadder
    def __init__(self, ladder: _Optional[_Union[TierLadder, _Mapping]] = ...) -> None: ...

class RecordGrowthRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "task_code", "reference")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_CODE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    task_code: str
    reference: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., task_code: _Optional[str] = ..., reference: _Optional[str] = ...) -> None: ...

class RecordGrowthResponse(_message.Message):
    __slots__ = ("growth_id", "growth", "is_repeated", "tier_code")
    GROWTH_ID_FIELD_NUMBER: _ClassVar[int]
    GROWTH_FIELD_NUMBER: _ClassVar[int]
    IS_REPEATED_FIELD_NUMBER: _ClassVar[int]
    TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    growth_id: str
    growth: int
    is_repeated: bool
    tier_code: str
    def __init__(self, growth_id: _Optional[str] = ..., growth: _Optional[int] = ..., is_repeated: _Optional[bool] = ..., tier_code: _Optional[str] = ...) -> None: ...

class ReverseGrowthRequest(_message.Message):
    __slots__ = ("request_id", "growth_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    GROWTH_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    growth_id: str
    def __init__(self, request_id: _Optional[str] = ..., growth_id: _Optional[str] = ...) -> None: ...

class ReverseGrowthResponse(_message.Message):
    __slots__ = ("growth_id", "growth")
    GROWTH_ID_FIELD_NUMBER: _ClassVar[int]
    GROWTH_FIELD_NUMBER: _ClassVar[int]
    growth_id: str
    growth: int
    def __init__(self, growth_id: _Optional[str] = ..., growth: _Optional[int] = ...) -> None: ...

class TierMatch(_message.Message):
    __slots__ = ("level", "tier_code", "months")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    level: str
    tier_code: str
    months: int
    def __init__(self, level: _Optional[str] = ..., tier_code: _Optional[str] = ..., months: _Optional[int] = ...) -> None: ...

class SetTierMatchesRequest(_message.Message):
    __slots__ = ("request_id", "business_unit_id", "matches")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    business_unit_id: str
    matches: _containers.RepeatedCompositeFieldContainer[TierMatch]
    def __init__(self, request_id: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., matches: _Optional[_Iterable[_Union[TierMatch, _Mapping]]] = ...) -> None: ...

class SetTierMatchesResponse(_message.Message):
    __slots__ = ("matches",)
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    matches: _containers.RepeatedCompositeFieldContainer[TierMatch]
    def __init__(self, matches: _Optional[_Iterable[_Union[TierMatch, _Mapping]]] = ...) -> None: ...

class ListTierMatchesRequest(_message.Message):
    __slots__ = ("business_unit_id", "page_size", "page_token")
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    business_unit_id: str
    page_size: int
    page_token: str
    def __init__(self, business_unit_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTierMatchesResponse(_message.Message):
    __slots__ = ("matches", "next_page_token")
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    matches: _containers.RepeatedCompositeFieldContainer[TierMatch]
    next_page_token: str
    def __init__(self, matches: _Optional[_Iterable[_Union[TierMatch, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GrantTierMatchRequest(_message.Message):
    __slots__ = ("request_id", "business_unit_id", "scheme", "number", "level")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    business_unit_id: str
    scheme: _imports_pb2.NumberScheme
    number: str
    level: str
    def __init__(self, request_id: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., scheme: _Optional[_Union[_imports_pb2.NumberScheme, str]] = ..., number: _Optional[str] = ..., level: _Optional[str] = ...) -> None: ...

class GrantTierMatchResponse(_message.Message):
    __slots__ = ("grant",)
    GRANT_FIELD_NUMBER: _ClassVar[int]
    grant: TierGrant
    def __init__(self, grant: _Optional[_Union[TierGrant, _Mapping]] = ...) -> None: ...

class TierGrant(_message.Message):
    __slots__ = ("grant_id", "member_id", "business_unit_id", "level", "tier_code", "start_date", "end_date", "scheme", "import_id", "import_row_id", "create_time")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    IMPORT_ROW_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    member_id: str
    business_unit_id: str
    level: str
    tier_code: str
    start_date: _types_pb2.BusinessDate
    end_date: _types_pb2.BusinessDate
    scheme: _imports_pb2.NumberScheme
    import_id: str
    import_row_id: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, grant_id: _Optional[str] = ..., member_id: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., level: _Optional[str] = ..., tier_code: _Optional[str] = ..., start_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., end_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., scheme: _Optional[_Union[_imports_pb2.NumberScheme, str]] = ..., import_id: _Optional[str] = ..., import_row_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListTierGrantsRequest(_message.Message):
    __slots__ = ("member_id", "page_size", "page_token")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    page_size: int
    page_token: str
    def __init__(self, member_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTierGrantsResponse(_message.Message):
    __slots__ = ("grants", "next_page_token")
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    grants: _containers.RepeatedCompositeFieldContainer[TierGrant]
    next_page_token: str
    def __init__(self, grants: _Optional[_Iterable[_Union[TierGrant, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StartTierRecalculationRequest(_message.Message):
    __slots__ = ("request_id", "may_downgrade")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MAY_DOWNGRADE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    may_downgrade: bool
    def __init__(self, request_id: _Optional[str] = ..., may_downgrade: _Optional[bool] = ...) -> None: ...

class StartTierRecalculationResponse(_message.Message):
    __slots__ = ("recalculation",)
    RECALCULATION_FIELD_NUMBER: _ClassVar[int]
    recalculation: TierRecalculation
    def __init__(self, recalculation: _Optional[_Union[TierRecalculation, _Mapping]] = ...) -> None: ...

class GetTierRecalculationRequest(_message.Message):
    __slots__ = ("recalculation_id",)
    RECALCULATION_ID_FIELD_NUMBER: _ClassVar[int]
    recalculation_id: str
    def __init__(self, recalculation_id: _Optional[str] = ...) -> None: ...

class GetTierRecalculationResponse(_message.Message):
    __slots__ = ("recalculation",)
    RECALCULATION_FIELD_NUMBER: _ClassVar[int]
    recalculation: TierRecalculation
    def __init__(self, recalculation: _Optional[_Union[TierRecalculation, _Mapping]] = ...) -> None: ...

class CancelTierRecalculationRequest(_message.Message):
    __slots__ = ("request_id", "recalculation_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECALCULATION_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recalculation_id: str
    def __init__(self, request_id: _Optional[str] = ..., recalculation_id: _Optional[str] = ...) -> None: ...

class CancelTierRecalculationResponse(_message.Message):
    __slots__ = ("recalculation",)
    RECALCULATION_FIELD_NUMBER: _ClassVar[int]
    recalculation: TierRecalculation
    def __init__(self, recalculation: _Optional[_Union[TierRecalculation, _Mapping]] = ...) -> None: ...

class TierRecalculation(_message.Message):
    __slots__ = ("recalculation_id", "state", "ladder_version", "may_downgrade", "total_count", "done_count", "changed_count", "rate_per_second", "remaining_seconds", "start_time", "end_time")
    RECALCULATION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LADDER_VERSION_FIELD_NUMBER: _ClassVar[int]
    MAY_DOWNGRADE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    DONE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    RATE_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    REMAINING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    recalculation_id: str
    state: RecalculationState
    ladder_version: int
    may_downgrade: bool
    total_count: int
    done_count: int
    changed_count: int
    rate_per_second: int
    remaining_seconds: int
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, recalculation_id: _Optional[str] = ..., state: _Optional[_Union[RecalculationState, str]] = ..., ladder_version: _Optional[int] = ..., may_downgrade: _Optional[bool] = ..., total_count: _Optional[int] = ..., done_count: _Optional[int] = ..., changed_count: _Optional[int] = ..., rate_per_second: _Optional[int] = ..., remaining_seconds: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
