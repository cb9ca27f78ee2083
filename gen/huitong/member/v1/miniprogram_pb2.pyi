import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.member.v1 import member_pb2 as _member_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SetMiniProgramRequest(_message.Message):
    __slots__ = ("request_id", "app_id", "app_secret")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    APP_SECRET_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    app_id: str
    app_secret: str
    def __init__(self, request_id: _Optional[str] = ..., app_id: _Optional[str] = ..., app_secret: _Optional[str] = ...) -> None: ...

class SetMiniProgramResponse(_message.Message):
    __slots__ = ("mini_program",)
    MINI_PROGRAM_FIELD_NUMBER: _ClassVar[int]
    mini_program: MiniProgram
    def __init__(self, mini_program: _Optional[_Union[MiniProgram, _Mapping]] = ...) -> None: ...

class MiniProgram(_message.Message):
    __slots__ = ("app_id", "update_time")
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    app_id: str
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, app_id: _Optional[str] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListMiniProgramsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMiniProgramsResponse(_message.Message):
    __slots__ = ("mini_programs", "next_page_token")
    MINI_PROGRAMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    mini_programs: _containers.RepeatedCompositeFieldContainer[MiniProgram]
    next_page_token: str
    def __init__(self, mini_programs: _Optional[_Iterable[_Union[MiniProgram, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class LogInByMiniProgramRequest(_message.Message):
    __slots__ = ("app_id", "login_code", "link_ticket", "phone_code", "device_id")
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    LOGIN_CODE_FIELD_NUMBER: _ClassVar[int]
    LINK_TICKET_FIELD_NUMBER: _ClassVar[int]
    PHONE_CODE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    app_id: str
    login_code: str
    link_ticket: str
    phone_code: str
    device_id: str
    def __init__(self, app_id: _Optional[str] = ..., login_code: _Optional[str] = ..., link_ticket: _Optional[str] = ..., phone_code: _Optional[str] = ..., device_id: _Optional[str] = ...) -> None: ...

class LogInByMiniProgramResponse(_message.Message):
    __slots__ = ("member", "tokens", "link_ticket")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    LINK_TICKET_FIELD_NUMBER: _ClassVar[int]
    member: _member_pb2.Member
    tokens: _member_pb2.Tokens
    link_ticket: str
    def __init__(self, member: _Optional[_Union[_member_pb2.Member, _Mapping]] = ..., tokens: _Optional[_Union[_member_pb2.Tokens, _Mapping]] = ..., link_ticket: _Optional[str] = ...) -> None: ...

class GetMiniProgramMemberRequest(_message.Message):
    __slots__ = ("app_id", "openid")
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    OPENID_FIELD_NUMBER: _ClassVar[int]
    app_id: str
    openid: str
    def __init__(self, app_id: _Optional[str] = ..., openid: _Optional[str] = ...) -> None: ...

class GetMiniProgramMemberResponse(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...
