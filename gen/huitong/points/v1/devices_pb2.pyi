from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class GetDeviceProgressRequest(_message.Message):
    __slots__ = ("store_id", "device_id", "newest_seq", "after_seq")
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    NEWEST_SEQ_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQ_FIELD_NUMBER: _ClassVar[int]
    store_id: str
    device_id: str
    newest_seq: int
    after_seq: int
    def __init__(self, store_id: _Optional[str] = ..., device_id: _Optional[str] = ..., newest_seq: _Optional[int] = ..., after_seq: _Optional[int] = ...) -> None: ...

class GetDeviceProgressResponse(_message.Message):
    __slots__ = ("contiguous_seq", "highest_seq", "missing_seqs", "has_more", "looked_at_seq")
    CONTIGUOUS_SEQ_FIELD_NUMBER: _ClassVar[int]
    HIGHEST_SEQ_FIELD_NUMBER: _ClassVar[int]
    MISSING_SEQS_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    LOOKED_AT_SEQ_FIELD_NUMBER: _ClassVar[int]
    contiguous_seq: int
    highest_seq: int
    missing_seqs: _containers.RepeatedScalarFieldContainer[int]
    has_more: bool
    looked_at_seq: int
    def __init__(self, contiguous_seq: _Optional[int] = ..., highest_seq: _Optional[int] = ..., missing_seqs: _Optional[_Iterable[int]] = ..., has_more: _Optional[bool] = ..., looked_at_seq: _Optional[int] = ...) -> None: ...
