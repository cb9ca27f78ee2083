import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.member.v1 import member_pb2 as _member_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StartProofRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "purpose")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    purpose: _access_pb2.Proof
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., purpose: _Optional[_Union[_access_pb2.Proof, str]] = ...) -> None: ...

class StartProofResponse(_message.Message):
    __slots__ = ("retry_seconds",)
    RETRY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    retry_seconds: int
    def __init__(self, retry_seconds: _Optional[int] = ...) -> None: ...

class CompleteProofRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "purpose", "one_time_code", "mini_program_login")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    ONE_TIME_CODE_FIELD_NUMBER: _ClassVar[int]
    MINI_PROGRAM_LOGIN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    purpose: _access_pb2.Proof
    one_time_code: str
    mini_program_login: MiniProgramLogin
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., purpose: _Optional[_Union[_access_pb2.Proof, str]] = ..., one_time_code: _Optional[str] = ..., mini_program_login: _Optional[_Union[MiniProgramLogin, _Mapping]] = ...) -> None: ...

class MiniProgramLogin(_message.Message):
    __slots__ = ("app_id", "login_code")
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    LOGIN_CODE_FIELD_NUMBER: _ClassVar[int]
    app_id: str
    login_code: str
    def __init__(self, app_id: _Optional[str] = ..., login_code: _Optional[str] = ...) -> None: ...

class CompleteProofResponse(_message.Message):
    __slots__ = ("proof", "expire_time")
    PROOF_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    proof: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, proof: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StartPhoneChangeRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "new_phone")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    NEW_PHONE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    new_phone: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., new_phone: _Optional[str] = ...) -> None: ...

class StartPhoneChangeResponse(_message.Message):
    __slots__ = ("retry_seconds",)
    RETRY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    retry_seconds: int
    def __init__(self, retry_seconds: _Optional[int] = ...) -> None: ...

class ChangePhoneRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "new_phone", "one_time_code")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    NEW_PHONE_FIELD_NUMBER: _ClassVar[int]
    ONE_TIME_CODE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    new_phone: str
    one_time_code: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., new_phone: _Optional[str] = ..., one_time_code: _Optional[str] = ...) -> None: ...

class ChangePhoneResponse(_message.Message):
    __slots__ = ("member",)
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    member: _member_pb2.Member
    def __init__(self, member: _Optional[_Union[_member_pb2.Member, _Mapping]] = ...) -> None: ...
