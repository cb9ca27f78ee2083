from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Audience(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIENCE_UNSPECIFIED: _ClassVar[Audience]
    AUDIENCE_PUBLIC: _ClassVar[Audience]
    AUDIENCE_MEMBER: _ClassVar[Audience]
    AUDIENCE_TERMINAL: _ClassVar[Audience]
    AUDIENCE_VENDOR: _ClassVar[Audience]
    AUDIENCE_SYSTEM: _ClassVar[Audience]
    AUDIENCE_INTERNAL: _ClassVar[Audience]
    AUDIENCE_OPERATOR: _ClassVar[Audience]
    AUDIENCE_MERCHANT: _ClassVar[Audience]
    AUDIENCE_PARTNER: _ClassVar[Audience]

class Proof(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROOF_UNSPECIFIED: _ClassVar[Proof]
    PROOF_SPENDING: _ClassVar[Proof]
    PROOF_GIFTING: _ClassVar[Proof]
    PROOF_PHONE_CHANGE: _ClassVar[Proof]
AUDIENCE_UNSPECIFIED: Audience
AUDIENCE_PUBLIC: Audience
AUDIENCE_MEMBER: Audience
AUDIENCE_TERMINAL: Audience
AUDIENCE_VENDOR: Audience
AUDIENCE_SYSTEM: Audience
AUDIENCE_INTERNAL: Audience
AUDIENCE_OPERATOR: Audience
AUDIENCE_MERCHANT: Audience
AUDIENCE_PARTNER: Audience
PROOF_UNSPECIFIED: Proof
PROOF_SPENDING: Proof
PROOF_GIFTING: Proof
PROOF_PHONE_CHANGE: Proof
ACCESS_FIELD_NUMBER: _ClassVar[int]
access: _descriptor.FieldDescriptor
DOOR_FIELD_NUMBER: _ClassVar[int]
door: _descriptor.FieldDescriptor

class Access(_message.Message):
    __slots__ = ("audiences", "permission", "bindings", "services", "proof", "is_for_every_place")
    AUDIENCES_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    IS_FOR_EVERY_PLACE_FIELD_NUMBER: _ClassVar[int]
    audiences: _containers.RepeatedScalarFieldContainer[Audience]
    permission: str
    bindings: _containers.RepeatedCompositeFieldContainer[Binding]
    services: _containers.RepeatedScalarFieldContainer[str]
    proof: Proof
    is_for_every_place: bool
    def __init__(self, audiences: _Optional[_Iterable[_Union[Audience, str]]] = ..., permission: _Optional[str] = ..., bindings: _Optional[_Iterable[_Union[Binding, _Mapping]]] = ..., services: _Optional[_Iterable[str]] = ..., proof: _Optional[_Union[Proof, str]] = ..., is_for_every_place: _Optional[bool] = ...) -> None: ...

class Binding(_message.Message):
    __slots__ = ("audience", "field")
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    audience: Audience
    field: str
    def __init__(self, audience: _Optional[_Union[Audience, str]] = ..., field: _Optional[str] = ...) -> None: ...

class Door(_message.Message):
    __slots__ = ("ndjson_field", "ndjson_result_field", "max_body_bytes", "calls_per_minute", "headers", "call_seconds")
    NDJSON_FIELD_FIELD_NUMBER: _ClassVar[int]
    NDJSON_RESULT_FIELD_FIELD_NUMBER: _ClassVar[int]
    MAX_BODY_BYTES_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_MINUTE_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    CALL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ndjson_field: str
    ndjson_result_field: str
    max_body_bytes: int
    calls_per_minute: int
    headers: _containers.RepeatedCompositeFieldContainer[HeaderField]
    call_seconds: int
    def __init__(self, ndjson_field: _Optional[str] = ..., ndjson_result_field: _Optional[str] = ..., max_body_bytes: _Optional[int] = ..., calls_per_minute: _Optional[int] = ..., headers: _Optional[_Iterable[_Union[HeaderField, _Mapping]]] = ..., call_seconds: _Optional[int] = ...) -> None: ...

class HeaderField(_message.Message):
    __slots__ = ("header", "field")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    header: str
    field: str
    def __init__(self, header: _Optional[str] = ..., field: _Optional[str] = ...) -> None: ...
