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

class ConsentPurpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSENT_PURPOSE_UNSPECIFIED: _ClassVar[ConsentPurpose]
    CONSENT_PURPOSE_TERMS: _ClassVar[ConsentPurpose]
    CONSENT_PURPOSE_PRIVACY_POLICY: _ClassVar[ConsentPurpose]
    CONSENT_PURPOSE_MARKETING_SMS: _ClassVar[ConsentPurpose]
    CONSENT_PURPOSE_MARKETING_INBOX: _ClassVar[ConsentPurpose]
    CONSENT_PURPOSE_MARKETING_EMAIL: _ClassVar[ConsentPurpose]
    CONSENT_PURPOSE_PARTNER_SHARING: _ClassVar[ConsentPurpose]
    CONSENT_PURPOSE_PERSONALISATION: _ClassVar[ConsentPurpose]
    CONSENT_PURPOSE_AUTO_PAYMENT: _ClassVar[ConsentPurpose]

class ConsentChannel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSENT_CHANNEL_UNSPECIFIED: _ClassVar[ConsentChannel]
    CONSENT_CHANNEL_MINI_PROGRAM: _ClassVar[ConsentChannel]
    CONSENT_CHANNEL_WEB: _ClassVar[ConsentChannel]
    CONSENT_CHANNEL_STORE: _ClassVar[ConsentChannel]
    CONSENT_CHANNEL_PAPER: _ClassVar[ConsentChannel]
    CONSENT_CHANNEL_PHONE_CALL: _ClassVar[ConsentChannel]
    CONSENT_CHANNEL_IMPORT: _ClassVar[ConsentChannel]
CONSENT_PURPOSE_UNSPECIFIED: ConsentPurpose
CONSENT_PURPOSE_TERMS: ConsentPurpose
CONSENT_PURPOSE_PRIVACY_POLICY: ConsentPurpose
CONSENT_PURPOSE_MARKETING_SMS: ConsentPurpose
CONSENT_PURPOSE_MARKETING_INBOX: ConsentPurpose
CONSENT_PURPOSE_MARKETING_EMAIL: ConsentPurpose
CONSENT_PURPOSE_PARTNER_SHARING: ConsentPurpose
CONSENT_PURPOSE_PERSONALISATION: ConsentPurpose
CONSENT_PURPOSE_AUTO_PAYMENT: ConsentPurpose
CONSENT_CHANNEL_UNSPECIFIED: ConsentChannel
CONSENT_CHANNEL_MINI_PROGRAM: ConsentChannel
CONSENT_CHANNEL_WEB: ConsentChannel
CONSENT_CHANNEL_STORE: ConsentChannel
CONSENT_CHANNEL_PAPER: ConsentChannel
CONSENT_CHANNEL_PHONE_CALL: ConsentChannel
CONSENT_CHANNEL_IMPORT: ConsentChannel

class ConsentText(_message.Message):
    __slots__ = ("purpose", "version", "url", "sha256")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    purpose: ConsentPurpose
    version: str
    url: str
    sha256: str
    def __init__(self, purpose: _Optional[_Union[ConsentPurpose, str]] = ..., version: _Optional[str] = ..., url: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class SaveConsentTextRequest(_message.Message):
    __slots__ = ("request_id", "text")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    text: ConsentText
    def __init__(self, request_id: _Optional[str] = ..., text: _Optional[_Union[ConsentText, _Mapping]] = ...) -> None: ...

class SaveConsentTextResponse(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: ConsentText
    def __init__(self, text: _Optional[_Union[ConsentText, _Mapping]] = ...) -> None: ...

class ListConsentTextsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListConsentTextsResponse(_message.Message):
    __slots__ = ("texts", "next_page_token")
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedCompositeFieldContainer[ConsentText]
    next_page_token: str
    def __init__(self, texts: _Optional[_Iterable[_Union[ConsentText, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SetConsentRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "purpose", "version", "is_given", "channel", "evidence")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IS_GIVEN_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    purpose: ConsentPurpose
    version: str
    is_given: bool
    channel: ConsentChannel
    evidence: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., purpose: _Optional[_Union[ConsentPurpose, str]] = ..., version: _Optional[str] = ..., is_given: _Optional[bool] = ..., channel: _Optional[_Union[ConsentChannel, str]] = ..., evidence: _Optional[str] = ...) -> None: ...

class SetConsentResponse(_message.Message):
    __slots__ = ("consent_id", "record_time")
    CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    consent_id: str
    record_time: _timestamp_pb2.Timestamp
    def __init__(self, consent_id: _Optional[str] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Consent(_message.Message):
    __slots__ = ("consent_id", "purpose", "version", "is_given", "channel", "evidence", "recorded_by", "record_time")
    CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IS_GIVEN_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BY_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    consent_id: str
    purpose: ConsentPurpose
    version: str
    is_given: bool
    channel: ConsentChannel
    evidence: str
    recorded_by: str
    record_time: _timestamp_pb2.Timestamp
    def __init__(self, consent_id: _Optional[str] = ..., purpose: _Optional[_Union[ConsentPurpose, str]] = ..., version: _Optional[str] = ..., is_given: _Optional[bool] = ..., channel: _Optional[_Union[ConsentChannel, str]] = ..., evidence: _Optional[str] = ..., recorded_by: _Optional[str] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListConsentsRequest(_message.Message):
    __slots__ = ("member_id", "page_size", "page_token")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    page_size: int
    page_token: str
    def __init__(self, member_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListConsentsResponse(_message.Message):
    __slots__ = ("in_force", "records", "next_page_token")
    IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    in_force: _containers.RepeatedCompositeFieldContainer[Consent]
    records: _containers.RepeatedCompositeFieldContainer[Consent]
    next_page_token: str
    def __init__(self, in_force: _Optional[_Iterable[_Union[Consent, _Mapping]]] = ..., records: _Optional[_Iterable[_Union[Consent, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
