import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlatformKey(_message.Message):
    __slots__ = ("serial", "public_key_pem")
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_PEM_FIELD_NUMBER: _ClassVar[int]
    serial: str
    public_key_pem: str
    def __init__(self, serial: _Optional[str] = ..., public_key_pem: _Optional[str] = ...) -> None: ...

class SetNoticeSourceRequest(_message.Message):
    __slots__ = ("request_id", "mch_id", "api_v3_key", "platform_keys")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MCH_ID_FIELD_NUMBER: _ClassVar[int]
    API_V3_KEY_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_KEYS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    mch_id: str
    api_v3_key: str
    platform_keys: _containers.RepeatedCompositeFieldContainer[PlatformKey]
    def __init__(self, request_id: _Optional[str] = ..., mch_id: _Optional[str] = ..., api_v3_key: _Optional[str] = ..., platform_keys: _Optional[_Iterable[_Union[PlatformKey, _Mapping]]] = ...) -> None: ...

class SetNoticeSourceResponse(_message.Message):
    __slots__ = ("notice_source",)
    NOTICE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    notice_source: NoticeSource
    def __init__(self, notice_source: _Optional[_Union[NoticeSource, _Mapping]] = ...) -> None: ...

class NoticeSource(_message.Message):
    __slots__ = ("notice_source_id", "mch_id", "serials", "update_time", "path")
    NOTICE_SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    MCH_ID_FIELD_NUMBER: _ClassVar[int]
    SERIALS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    notice_source_id: str
    mch_id: str
    serials: _containers.RepeatedScalarFieldContainer[str]
    update_time: _timestamp_pb2.Timestamp
    path: str
    def __init__(self, notice_source_id: _Optional[str] = ..., mch_id: _Optional[str] = ..., serials: _Optional[_Iterable[str]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., path: _Optional[str] = ...) -> None: ...

class ListNoticeSourcesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListNoticeSourcesResponse(_message.Message):
    __slots__ = ("notice_sources", "next_page_token")
    NOTICE_SOURCES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    notice_sources: _containers.RepeatedCompositeFieldContainer[NoticeSource]
    next_page_token: str
    def __init__(self, notice_sources: _Optional[_Iterable[_Union[NoticeSource, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReceiveMallNoticeRequest(_message.Message):
    __slots__ = ("notice_source_id", "body", "timestamp", "nonce", "serial", "signature")
    NOTICE_SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    notice_source_id: str
    body: bytes
    timestamp: str
    nonce: str
    serial: str
    signature: str
    def __init__(self, notice_source_id: _Optional[str] = ..., body: _Optional[bytes] = ..., timestamp: _Optional[str] = ..., nonce: _Optional[str] = ..., serial: _Optional[str] = ..., signature: _Optional[str] = ...) -> None: ...

class ReceiveMallNoticeResponse(_message.Message):
    __slots__ = ("code", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...
