from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class PeriodClosed(_message.Message):
    __slots__ = ("period", "merchants_net_minor", "fund_minor", "platform_minor", "unit_minor")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    MERCHANTS_NET_MINOR_FIELD_NUMBER: _ClassVar[int]
    FUND_MINOR_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_MINOR_FIELD_NUMBER: _ClassVar[int]
    UNIT_MINOR_FIELD_NUMBER: _ClassVar[int]
    period: str
    merchants_net_minor: int
    fund_minor: int
    platform_minor: int
    unit_minor: int
    def __init__(self, period: _Optional[str] = ..., merchants_net_minor: _Optional[int] = ..., fund_minor: _Optional[int] = ..., platform_minor: _Optional[int] = ..., unit_minor: _Optional[int] = ...) -> None: ...
