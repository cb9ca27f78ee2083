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

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_GROUP_ADMIN: _ClassVar[Role]
    ROLE_UNIT_OPERATOR: _ClassVar[Role]
    ROLE_MARKETING: _ClassVar[Role]
    ROLE_FINANCE: _ClassVar[Role]
    ROLE_MERCHANT_OWNER: _ClassVar[Role]
    ROLE_MERCHANT_CLERK: _ClassVar[Role]
    ROLE_AUDITOR: _ClassVar[Role]

class OperatorState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATOR_STATE_UNSPECIFIED: _ClassVar[OperatorState]
    OPERATOR_STATE_INVITED: _ClassVar[OperatorState]
    OPERATOR_STATE_ACTIVE: _ClassVar[OperatorState]
    OPERATOR_STATE_DISABLED: _ClassVar[OperatorState]
ROLE_UNSPECIFIED: Role
ROLE_GROUP_ADMIN: Role
ROLE_UNIT_OPERATOR: Role
ROLE_MARKETING: Role
ROLE_FINANCE: Role
ROLE_MERCHANT_OWNER: Role
ROLE_MERCHANT_CLERK: Role
ROLE_AUDITOR: Role
OPERATOR_STATE_UNSPECIFIED: OperatorState
OPERATOR_STATE_INVITED: OperatorState
OPERATOR_STATE_ACTIVE: OperatorState
OPERATOR_STATE_DISABLED: OperatorState

class Grant(_message.Message):
    __slots__ = ("role", "scope_id")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_ID_FIELD_NUMBER: _ClassVar[int]
    role: Role
    scope_id: str
    def __init__(self, role: _Optional[_Union[Role, str]] = ..., scope_id: _Optional[str] = ...) -> None: ...

class Operator(_message.Message):
    __slots__ = ("operator_id", "login", "name", "state", "grants", "create_time", "invitation_expire_time")
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    INVITATION_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    operator_id: str
    login: str
    name: str
    state: OperatorState
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    create_time: _timestamp_pb2.Timestamp
    invitation_expire_time: _timestamp_pb2.Timestamp
    def __init__(self, operator_id: _Optional[str] = ..., login: _Optional[str] = ..., name: _Optional[str] = ..., state: _Optional[_Union[OperatorState, str]] = ..., grants: _Optional[_Iterable[_Union[Grant, _Mapping]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., invitation_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class OperatorSession(_message.Message):
    __slots__ = ("session_id", "create_time", "last_use_time", "expire_time", "address")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_USE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    create_time: _timestamp_pb2.Timestamp
    last_use_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    address: str
    def __init__(self, session_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_use_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., address: _Optional[str] = ...) -> None: ...

class InviteOperatorRequest(_message.Message):
    __slots__ = ("request_id", "login", "name", "grants", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    login: str
    name: str
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., login: _Optional[str] = ..., name: _Optional[str] = ..., grants: _Optional[_Iterable[_Union[Grant, _Mapping]]] = ..., reason: _Optional[str] = ...) -> None: ...

class InviteOperatorResponse(_message.Message):
    __slots__ = ("operator", "invitation")
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    operator: Operator
    invitation: str
    def __init__(self, operator: _Optional[_Union[Operator, _Mapping]] = ..., invitation: _Optional[str] = ...) -> None: ...

class ListOperatorsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOperatorsResponse(_message.Message):
    __slots__ = ("operators", "next_page_token")
    OPERATORS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    operators: _containers.RepeatedCompositeFieldContainer[Operator]
    next_page_token: str
    def __init__(self, operators: _Optional[_Iterable[_Union[Operator, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetOperatorRequest(_message.Message):
    __slots__ = ("operator_id",)
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    operator_id: str
    def __init__(self, operator_id: _Optional[str] = ...) -> None: ...

class GetOperatorResponse(_message.Message):
    __slots__ = ("operator",)
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    operator: Operator
    def __init__(self, operator: _Optional[_Union[Operator, _Mapping]] = ...) -> None: ...

class SetOperatorGrantsRequest(_message.Message):
    __slots__ = ("request_id", "operator_id", "grants", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    operator_id: str
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., operator_id: _Optional[str] = ..., grants: _Optional[_Iterable[_Union[Grant, _Mapping]]] = ..., reason: _Optional[str] = ...) -> None: ...

class SetOperatorGrantsResponse(_message.Message):
    __slots__ = ("operator",)
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    operator: Operator
    def __init__(self, operator: _Optional[_Union[Operator, _Mapping]] = ...) -> None: ...

class DisableOperatorRequest(_message.Message):
    __slots__ = ("request_id", "operator_id", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    operator_id: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., operator_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class DisableOperatorResponse(_message.Message):
    __slots__ = ("operator",)
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    operator: Operator
    def __init__(self, operator: _Optional[_Union[Operator, _Mapping]] = ...) -> None: ...

class ResetOperatorRequest(_message.Message):
    __slots__ = ("request_id", "operator_id", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    operator_id: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., operator_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ResetOperatorResponse(_message.Message):
    __slots__ = ("operator", "invitation")
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    operator: Operator
    invitation: str
    def __init__(self, operator: _Optional[_Union[Operator, _Mapping]] = ..., invitation: _Optional[str] = ...) -> None: ...

class ListOperatorSessionsRequest(_message.Message):
    __slots__ = ("operator_id",)
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    operator_id: str
    def __init__(self, operator_id: _Optional[str] = ...) -> None: ...

class ListOperatorSessionsResponse(_message.Message):
    __slots__ = ("sessions",)
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[OperatorSession]
    def __init__(self, sessions: _Optional[_Iterable[_Union[OperatorSession, _Mapping]]] = ...) -> None: ...

class EndOperatorSessionsRequest(_message.Message):
    __slots__ = ("request_id", "operator_id", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    operator_id: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., operator_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class EndOperatorSessionsResponse(_message.Message):
    __slots__ = ("ended_count",)
    ENDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ended_count: int
    def __init__(self, ended_count: _Optional[int] = ...) -> None: ...

class BeginEnrolmentRequest(_message.Message):
    __slots__ = ("invitation",)
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    invitation: str
    def __init__(self, invitation: _Optional[str] = ...) -> None: ...

class BeginEnrolmentResponse(_message.Message):
    __slots__ = ("login", "totp_secret", "totp_uri")
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    TOTP_SECRET_FIELD_NUMBER: _ClassVar[int]
    TOTP_URI_FIELD_NUMBER: _ClassVar[int]
    login: str
    totp_secret: str
    totp_uri: str
    def __init__(self, login: _Optional[str] = ..., totp_secret: _Optional[str] = ..., totp_uri: _Optional[str] = ...) -> None: ...

class CompleteEnrolmentRequest(_message.Message):
    __slots__ = ("invitation", "password", "totp_code")
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    TOTP_CODE_FIELD_NUMBER: _ClassVar[int]
    invitation: str
    password: str
    totp_code: str
    def __init__(self, invitation: _Optional[str] = ..., password: _Optional[str] = ..., totp_code: _Optional[str] = ...) -> None: ...

class CompleteEnrolmentResponse(_message.Message):
    __slots__ = ("login",)
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    login: str
    def __init__(self, login: _Optional[str] = ...) -> None: ...

class LogInRequest(_message.Message):
    __slots__ = ("group_code", "login", "password", "totp_code")
    GROUP_CODE_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    TOTP_CODE_FIELD_NUMBER: _ClassVar[int]
    group_code: str
    login: str
    password: str
    totp_code: str
    def __init__(self, group_code: _Optional[str] = ..., login: _Optional[str] = ..., password: _Optional[str] = ..., totp_code: _Optional[str] = ...) -> None: ...

class LogInResponse(_message.Message):
    __slots__ = ("session_token", "operator", "expire_time")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    operator: Operator
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, session_token: _Optional[str] = ..., operator: _Optional[_Union[Operator, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LogOutRequest(_message.Message):
    __slots__ = ("session_token",)
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    def __init__(self, session_token: _Optional[str] = ...) -> None: ...

class LogOutResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetOperatorSessionRequest(_message.Message):
    __slots__ = ("token_hash",)
    TOKEN_HASH_FIELD_NUMBER: _ClassVar[int]
    token_hash: bytes
    def __init__(self, token_hash: _Optional[bytes] = ...) -> None: ...

class GetOperatorSessionResponse(_message.Message):
    __slots__ = ("group_id", "operator_id", "session_id", "permissions")
    class PermissionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    operator_id: str
    session_id: str
    permissions: _containers.ScalarMap[str, str]
    def __init__(self, group_id: _Optional[str] = ..., operator_id: _Optional[str] = ..., session_id: _Optional[str] = ..., permissions: _Optional[_Mapping[str, str]] = ...) -> None: ...
