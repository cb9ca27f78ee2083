import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.parking.v1 import parking_pb2 as _parking_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlateBound(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class StayEnded(_message.Message):
    __slots__ = ("stay_id", "car_park_id", "merchant_id", "member_id", "entry_time", "exit_time", "fee")
    STAY_ID_FIELD_NUMBER: _ClassVar[int]
    CAR_PARK_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_TIME_FIELD_NUMBER: _ClassVar[int]
    EXIT_TIME_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    stay_id: str
    car_park_id: str
    merchant_id: str
    member_id: str
    entry_time: _timestamp_pb2.Timestamp
    exit_time: _timestamp_pb2.Timestamp
    fee: _parking_pb2.Fee
    def __init__(self, stay_id: _Optional[str] = ..., car_park_id: _Optional[str] = ..., merchant_id: _Optional[str] = ..., member_id: _Optional[str] = ..., entry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., exit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., fee: _Optional[_Union[_parking_pb2.Fee, _Mapping]] = ...) -> None: ...

class MergeFollowed(_message.Message):
    __slots__ = ("merge_id", "is_unmerge")
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    IS_UNMERGE_FIELD_NUMBER: _ClassVar[int]
    merge_id: str
    is_unmerge: bool
    def __init__(self, merge_id: _Optional[str] = ..., is_unmerge: _Optional[bool] = ...) -> None: ...
