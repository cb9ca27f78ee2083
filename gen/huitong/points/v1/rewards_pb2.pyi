import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GiveRewardRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "points", "merchant_id", "reason_code", "reason", "reason_zh", "reference")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REASON_ZH_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    points: int
    merchant_id: str
    reason_code: str
    reason: str
    reason_zh: str
    reference: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., points: _Optional[int] = ..., merchant_id: _Optional[str] = ..., reason_code: _Optional[str] = ..., reason: _Optional[str] = ..., reason_zh: _Optional[str] = ..., reference: _Optional[str] = ...) -> None: ...

class GiveRewardResponse(_message.Message):
    __slots__ = ("txn_id", "points", "debt_repaid_points", "available_points", "expire_time", "is_replay")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    DEBT_REPAID_POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    points: int
    debt_repaid_points: int
    available_points: int
    expire_time: _timestamp_pb2.Timestamp
    is_replay: bool
    def __init__(self, txn_id: _Optional[str] = ..., points: _Optional[int] = ..., debt_repaid_points: _Optional[int] = ..., available_points: _Optional[int] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_replay: _Optional[bool] = ...) -> None: ...
