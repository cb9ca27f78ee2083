import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReferralState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFERRAL_STATE_UNSPECIFIED: _ClassVar[ReferralState]
    REFERRAL_STATE_WAITING: _ClassVar[ReferralState]
    REFERRAL_STATE_QUALIFIED: _ClassVar[ReferralState]
    REFERRAL_STATE_REWARDING: _ClassVar[ReferralState]
    REFERRAL_STATE_REWARDED: _ClassVar[ReferralState]
    REFERRAL_STATE_VOID: _ClassVar[ReferralState]
REFERRAL_STATE_UNSPECIFIED: ReferralState
REFERRAL_STATE_WAITING: ReferralState
REFERRAL_STATE_QUALIFIED: ReferralState
REFERRAL_STATE_REWARDING: ReferralState
REFERRAL_STATE_REWARDED: ReferralState
REFERRAL_STATE_VOID: ReferralState

class ReferralProgram(_message.Message):
    __slots__ = ("referrer_points", "friend_points", "min_amount", "merchant_id", "use_within_days", "return_window_days", "referrals_per_month", "is_open")
    REFERRER_POINTS_FIELD_NUMBER: _ClassVar[int]
    FRIEND_POINTS_FIELD_NUMBER: _ClassVar[int]
    MIN_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    USE_WITHIN_DAYS_FIELD_NUMBER: _ClassVar[int]
    RETURN_WINDOW_DAYS_FIELD_NUMBER: _ClassVar[int]
    REFERRALS_PER_MONTH_FIELD_NUMBER: _ClassVar[int]
    IS_OPEN_FIELD_NUMBER: _ClassVar[int]
    referrer_points: int
    friend_points: int
    min_amount: _types_pb2.Money
    merchant_id: str
    use_within_days: int
    return_window_days: int
    referrals_per_month: int
    is_open: bool
    def __init__(self, referrer_points: _Optional[int] = ..., friend_points: _Optional[int] = ..., min_amount: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., merchant_id: _Optional[str] = ..., use_within_days: _Optional[int] = ..., return_window_days: _Optional[int] = ..., referrals_per_month: _Optional[int] = ..., is_open: _Optional[bool] = ...) -> None: ...

class SetReferralProgramRequest(_message.Message):
    __slots__ = ("request_id", "program")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    program: ReferralProgram
    def __init__(self, request_id: _Optional[str] = ..., program: _Optional[_Union[ReferralProgram, _Mapping]] = ...) -> None: ...

class SetReferralProgramResponse(_message.Message):
    __slots__ = ("program",)
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    program: ReferralProgram
    def __init__(self, program: _Optional[_Union[ReferralProgram, _Mapping]] = ...) -> None: ...

class GetReferralProgramRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetReferralProgramResponse(_message.Message):
    __slots__ = ("program",)
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    program: ReferralProgram
    def __init__(self, program: _Optional[_Union[ReferralProgram, _Mapping]] = ...) -> None: ...

class GetReferralCodeRequest(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class GetReferralCodeResponse(_message.Message):
    __slots__ = ("referral_code",)
    REFERRAL_CODE_FIELD_NUMBER: _ClassVar[int]
    referral_code: str
    def __init__(self, referral_code: _Optional[str] = ...) -> None: ...

class UseReferralCodeRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "referral_code")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    REFERRAL_CODE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    referral_code: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., referral_code: _Optional[str] = ...) -> None: ...

class UseReferralCodeResponse(_message.Message):
    __slots__ = ("referral",)
    REFERRAL_FIELD_NUMBER: _ClassVar[int]
    referral: Referral
    def __init__(self, referral: _Optional[_Union[Referral, _Mapping]] = ...) -> None: ...

class Referral(_message.Message):
    __slots__ = ("referral_id", "state", "create_time", "referrer_points", "friend_points", "min_amount", "due_time", "is_referrer_rewarded", "is_friend_rewarded")
    REFERRAL_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REFERRER_POINTS_FIELD_NUMBER: _ClassVar[int]
    FRIEND_POINTS_FIELD_NUMBER: _ClassVar[int]
    MIN_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    IS_REFERRER_REWARDED_FIELD_NUMBER: _ClassVar[int]
    IS_FRIEND_REWARDED_FIELD_NUMBER: _ClassVar[int]
    referral_id: str
    state: ReferralState
    create_time: _timestamp_pb2.Timestamp
    referrer_points: int
    friend_points: int
    min_amount: _types_pb2.Money
    due_time: _timestamp_pb2.Timestamp
    is_referrer_rewarded: bool
    is_friend_rewarded: bool
    def __init__(self, referral_id: _Optional[str] = ..., state: _Optional[_Union[ReferralState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., referrer_points: _Optional[int] = ..., friend_points: _Optional[int] = ..., min_amount: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_referrer_rewarded: _Optional[bool] = ..., is_friend_rewarded: _Optional[bool] = ...) -> None: ...

class ListReferralsRequest(_message.Message):
    __slots__ = ("member_id", "page_size", "page_token")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    page_size: int
    page_token: str
    def __init__(self, member_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListReferralsResponse(_message.Message):
    __slots__ = ("referrals", "next_page_token")
    REFERRALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    referrals: _containers.RepeatedCompositeFieldContainer[Referral]
    next_page_token: str
    def __init__(self, referrals: _Optional[_Iterable[_Union[Referral, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
