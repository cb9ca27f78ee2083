from huitong.common.v1 import types_pb2 as _types_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrderCompleted(_message.Message):
    __slots__ = ("order_id", "member_id", "item_id", "merchant_id", "points")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    member_id: str
    item_id: str
    merchant_id: str
    points: int
    def __init__(self, order_id: _Optional[str] = ..., member_id: _Optional[str] = ..., item_id: _Optional[str] = ..., merchant_id: _Optional[str] = ..., points: _Optional[int] = ...) -> None: ...

class OrderCancelled(_message.Message):
    __slots__ = ("order_id", "member_id", "item_id", "merchant_id", "points")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    member_id: str
    item_id: str
    merchant_id: str
    points: int
    def __init__(self, order_id: _Optional[str] = ..., member_id: _Optional[str] = ..., item_id: _Optional[str] = ..., merchant_id: _Optional[str] = ..., points: _Optional[int] = ...) -> None: ...

class VoucherUsed(_message.Message):
    __slots__ = ("order_id", "merchant_id", "store_id")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    merchant_id: str
    store_id: str
    def __init__(self, order_id: _Optional[str] = ..., merchant_id: _Optional[str] = ..., store_id: _Optional[str] = ...) -> None: ...

class CouponWrittenOff(_message.Message):
    __slots__ = ("write_off_id", "coupon_id", "template_id", "member_id", "merchant_id", "store_id", "discount", "platform_share_bps")
    WRITE_OFF_ID_FIELD_NUMBER: _ClassVar[int]
    COUPON_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_SHARE_BPS_FIELD_NUMBER: _ClassVar[int]
    write_off_id: str
    coupon_id: str
    template_id: str
    member_id: str
    merchant_id: str
    store_id: str
    discount: _types_pb2.Money
    platform_share_bps: int
    def __init__(self, write_off_id: _Optional[str] = ..., coupon_id: _Optional[str] = ..., template_id: _Optional[str] = ..., member_id: _Optional[str] = ..., merchant_id: _Optional[str] = ..., store_id: _Optional[str] = ..., discount: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., platform_share_bps: _Optional[int] = ...) -> None: ...

class CouponWriteOffReversed(_message.Message):
    __slots__ = ("write_off_id", "coupon_id", "template_id", "member_id", "merchant_id", "store_id", "discount", "platform_share_bps")
    WRITE_OFF_ID_FIELD_NUMBER: _ClassVar[int]
    COUPON_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_SHARE_BPS_FIELD_NUMBER: _ClassVar[int]
    write_off_id: str
    coupon_id: str
    template_id: str
    member_id: str
    merchant_id: str
    store_id: str
    discount: _types_pb2.Money
    platform_share_bps: int
    def __init__(self, write_off_id: _Optional[str] = ..., coupon_id: _Optional[str] = ..., template_id: _Optional[str] = ..., member_id: _Optional[str] = ..., merchant_id: _Optional[str] = ..., store_id: _Optional[str] = ..., discount: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., platform_share_bps: _Optional[int] = ...) -> None: ...

class MergeFollowed(_message.Message):
    __slots__ = ("merge_id", "is_unmerge")
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    IS_UNMERGE_FIELD_NUMBER: _ClassVar[int]
    merge_id: str
    is_unmerge: bool
    def __init__(self, merge_id: _Optional[str] = ..., is_unmerge: _Optional[bool] = ...) -> None: ...
