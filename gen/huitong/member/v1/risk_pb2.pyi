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

class MemberState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEMBER_STATE_UNSPECIFIED: _ClassVar[MemberState]
    MEMBER_STATE_ACTIVE: _ClassVar[MemberState]
    MEMBER_STATE_FROZEN: _ClassVar[MemberState]
    MEMBER_STATE_CLOSED: _ClassVar[MemberState]

class IdentityKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDENTITY_KIND_UNSPECIFIED: _ClassVar[IdentityKind]
    IDENTITY_KIND_PHONE: _ClassVar[IdentityKind]
    IDENTITY_KIND_WECHAT: _ClassVar[IdentityKind]
    IDENTITY_KIND_DEVICE: _ClassVar[IdentityKind]
MEMBER_STATE_UNSPECIFIED: MemberState
MEMBER_STATE_ACTIVE: MemberState
MEMBER_STATE_FROZEN: MemberState
MEMBER_STATE_CLOSED: MemberState
IDENTITY_KIND_UNSPECIFIED: IdentityKind
IDENTITY_KIND_PHONE: IdentityKind
IDENTITY_KIND_WECHAT: IdentityKind
IDENTITY_KIND_DEVICE: IdentityKind

class MemberStanding(_message.Message):
    __slots__ = ("member_id", "state", "reason_code", "change_time", "changed_by", "version")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    state: MemberState
    reason_code: str
    change_time: _timestamp_pb2.Timestamp
    changed_by: str
    version: int
    def __init__(self, member_id: _Optional[str] = ..., state: _Optional[_Union[MemberState, str]] = ..., reason_code: _Optional[str] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., changed_by: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class FreezeMemberRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "reason_code", "deny_identities")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    DENY_IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    reason_code: str
    deny_identities: bool
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., reason_code: _Optional[str] = ..., deny_identities: _Optional[bool] = ...) -> None: ...

class FreezeMemberResponse(_message.Message):
    __slots__ = ("standing", "ended_session_count")
    STANDING_FIELD_NUMBER: _ClassVar[int]
    ENDED_SESSION_COUNT_FIELD_NUMBER: _ClassVar[int]
    standing: MemberStanding
    ended_session_count: int
    def __init__(self, standing: _Optional[_Union[MemberStanding, _Mapping]] = ..., ended_session_count: _Optional[int] = ...) -> None: ...

class UnfreezeMemberRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "reason_code")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    reason_code: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., reason_code: _Optional[str] = ...) -> None: ...

class UnfreezeMemberResponse(_message.Message):
    __slots__ = ("standing",)
    STANDING_FIELD_NUMBER: _ClassVar[int]
    standing: MemberStanding
    def __init__(self, standing: _Optional[_Union[MemberStanding, _Mapping]] = ...) -> None: ...

class CloseMemberRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "reason_code", "deny_identities")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    DENY_IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    reason_code: str
    deny_identities: bool
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., reason_code: _Optional[str] = ..., deny_identities: _Optional[bool] = ...) -> None: ...

class CloseMemberResponse(_message.Message):
    __slots__ = ("standing", "ended_session_count")
    STANDING_FIELD_NUMBER: _ClassVar[int]
    ENDED_SESSION_COUNT_FIELD_NUMBER: _ClassVar[int]
    standing: MemberStanding
    ended_session_count: int
    def __init__(self, standing: _Optional[_Union[MemberStanding, _Mapping]] = ..., ended_session_count: _Optional[int] = ...) -> None: ...

class GetMemberStateRequest(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class GetMemberStateResponse(_message.Message):
    __slots__ = ("standing",)
    STANDING_FIELD_NUMBER: _ClassVar[int]
    standing: MemberStanding
    def __init__(self, standing: _Optional[_Union[MemberStanding, _Mapping]] = ...) -> None: ...

class MiniProgramAccount(_message.Message):
    __slots__ = ("app_id", "openid")
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    OPENID_FIELD_NUMBER: _ClassVar[int]
    app_id: str
    openid: str
    def __init__(self, app_id: _Optional[str] = ..., openid: _Optional[str] = ...) -> None: ...

class DenyIdentityRequest(_message.Message):
    __slots__ = ("request_id", "phone", "account", "device_id", "reason_code")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    phone: str
    account: MiniProgramAccount
    device_id: str
    reason_code: str
    def __init__(self, request_id: _Optional[str] = ..., phone: _Optional[str] = ..., account: _Optional[_Union[MiniProgramAccount, _Mapping]] = ..., device_id: _Optional[str] = ..., reason_code: _Optional[str] = ...) -> None: ...

class DenyIdentityResponse(_message.Message):
    __slots__ = ("denial",)
    DENIAL_FIELD_NUMBER: _ClassVar[int]
    denial: Denial
    def __init__(self, denial: _Optional[_Union[Denial, _Mapping]] = ...) -> None: ...

class Denial(_message.Message):
    __slots__ = ("denial_id", "kind", "reason_code", "denied_by", "create_time")
    DENIAL_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    DENIED_BY_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    denial_id: str
    kind: IdentityKind
    reason_code: str
    denied_by: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, denial_id: _Optional[str] = ..., kind: _Optional[_Union[IdentityKind, str]] = ..., reason_code: _Optional[str] = ..., denied_by: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LiftDenialRequest(_message.Message):
    __slots__ = ("request_id", "denial_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DENIAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    denial_id: str
    def __init__(self, request_id: _Optional[str] = ..., denial_id: _Optional[str] = ...) -> None: ...

class LiftDenialResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListDeniedIdentitiesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeniedIdentitiesResponse(_message.Message):
    __slots__ = ("denials", "next_page_token")
    DENIALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    denials: _containers.RepeatedCompositeFieldContainer[Denial]
    next_page_token: str
    def __init__(self, denials: _Optional[_Iterable[_Union[Denial, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RiskPolicy(_message.Message):
    __slots__ = ("joins_per_address_hour", "joins_per_device_day", "joins_per_terminal_hour", "spend_cool_down_hours", "spends_per_member_hour")
    JOINS_PER_ADDRESS_HOUR_FIELD_NUMBER: _ClassVar[int]
    JOINS_PER_DEVICE_DAY_FIELD_NUMBER: _ClassVar[int]
    JOINS_PER_TERMINAL_HOUR_FIELD_NUMBER: _ClassVar[int]
    SPEND_COOL_DOWN_HOURS_FIELD_NUMBER: _ClassVar[int]
    SPENDS_PER_MEMBER_HOUR_FIELD_NUMBER: _ClassVar[int]
    joins_per_address_hour: int
    joins_per_device_day: int
    joins_per_terminal_hour: int
    spend_cool_down_hours: int
    spends_per_member_hour: int
    def __init__(self, joins_per_address_hour: _Optional[int] = ..., joins_per_device_day: _Optional[int] = ..., joins_per_terminal_hour: _Optional[int] = ..., spend_cool_down_hours: _Optional[int] = ..., spends_per_member_hour: _Optional[int] = ...) -> None: ...

class SetRiskPolicyRequest(_message.Message):
    __slots__ = ("request_id", "policy")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    policy: RiskPolicy
    def __init__(self, request_id: _Optional[str] = ..., policy: _Optional[_Union[RiskPolicy, _Mapping]] = ...) -> None: ...

class SetRiskPolicyResponse(_message.Message):
    __slots__ = ("policy",)
    POLICY_FIELD_NUMBER: _ClassVar[int]
    policy: RiskPolicy
    def __init__(self, policy: _Optional[_Union[RiskPolicy, _Mapping]] = ...) -> None: ...

class GetRiskPolicyRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetRiskPolicyResponse(_message.Message):
    __slots__ = ("policy",)
    POLICY_FIELD_NUMBER: _ClassVar[int]
    policy: RiskPolicy
    def __init__(self, policy: _Optional[_Union[RiskPolicy, _Mapping]] = ...) -> None: ...
