from buf.validate import validate_pb2 as _validate_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class GetPlacesBelowRequest(_message.Message):
    __slots__ = ("place_id",)
    PLACE_ID_FIELD_NUMBER: _ClassVar[int]
    place_id: str
    def __init__(self, place_id: _Optional[str] = ...) -> None: ...

class GetPlacesBelowResponse(_message.Message):
    __slots__ = ("group_id", "place_ids")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    PLACE_IDS_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    place_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, group_id: _Optional[str] = ..., place_ids: _Optional[_Iterable[str]] = ...) -> None: ...
