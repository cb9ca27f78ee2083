import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.common.v1 import types_pb2 as _types_pb2
from huitong.points.v1 import points_pb2 as _points_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrderState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_STATE_UNSPECIFIED: _ClassVar[OrderState]
    ORDER_STATE_PENDING: _ClassVar[OrderState]
    ORDER_STATE_COMPLETED: _ClassVar[OrderState]
    ORDER_STATE_REJECTED: _ClassVar[OrderState]
    ORDER_STATE_CANCELLED: _ClassVar[OrderState]

class CouponState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COUPON_STATE_UNSPECIFIED: _ClassVar[CouponState]
    COUPON_STATE_ISSUED: _ClassVar[CouponState]
    COUPON_STATE_LOCKED: _ClassVar[CouponState]
    COUPON_STATE_USED: _ClassVar[CouponState]

class CheckoutState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHECKOUT_STATE_UNSPECIFIED: _ClassVar[CheckoutState]
    CHECKOUT_STATE_PENDING: _ClassVar[CheckoutState]
    CHECKOUT_STATE_COMMITTED: _ClassVar[CheckoutState]
    CHECKOUT_STATE_REJECTED: _ClassVar[CheckoutState]
    CHECKOUT_STATE_VOIDED: _ClassVar[CheckoutState]
ORDER_STATE_UNSPECIFIED: OrderState
ORDER_STATE_PENDING: OrderState
ORDER_STATE_COMPLETED: OrderState
ORDER_STATE_REJECTED: OrderState
ORDER_STATE_CANCELLED: OrderState
COUPON_STATE_UNSPECIFIED: CouponState
COUPON_STATE_ISSUED: CouponState
COUPON_STATE_LOCKED: CouponState
COUPON_STATE_USED: CouponState
CHECKOUT_STATE_UNSPECIFIED: CheckoutState
CHECKOUT_STATE_PENDING: CheckoutState
CHECKOUT_STATE_COMMITTED: CheckoutState
CHECKOUT_STATE_REJECTED: CheckoutState
CHECKOUT_STATE_VOIDED: CheckoutState

class Item(_message.Message):
    __slots__ = ("item_id", "code", "name", "name_zh", "merchant_id", "price_points", "face_value_minor", "stock_left", "limit_per_member", "benefit_code")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    PRICE_POINTS_FIELD_NUMBER: _ClassVar[int]
    FACE_VALUE_MINOR_FIELD_NUMBER: _ClassVar[int]
    STOCK_LEFT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_PER_MEMBER_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_CODE_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    code: str
    name: str
    name_zh: str
    merchant_id: str
    price_points: int
    face_value_minor: int
    stock_left: int
    limit_per_member: int
    benefit_code: str
    def __init__(self, item_id: _Optional[str] = ..., code: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., merchant_id: _Optional[str] = ..., price_points: _Optional[int] = ..., face_value_minor: _Optional[int] = ..., stock_left: _Optional[int] = ..., limit_per_member: _Optional[int] = ..., benefit_code: _Optional[str] = ...) -> None: ...

class CreateItemRequest(_message.Message):
    __slots__ = ("request_id", "code", "name", "name_zh", "merchant_id", "price_points", "face_value_minor", "stock", "limit_per_member", "benefit_code")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    PRICE_POINTS_FIELD_NUMBER: _ClassVar[int]
    FACE_VALUE_MINOR_FIELD_NUMBER: _ClassVar[int]
    STOCK_FIELD_NUMBER: _ClassVar[int]
    LIMIT_PER_MEMBER_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_CODE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code: str
    name: str
    name_zh: str
    merchant_id: str
    price_points: int
    face_value_minor: int
    stock: int
    limit_per_member: int
    benefit_code: str
    def __init__(self, request_id: _Optional[str] = ..., code: _Optional[str] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., merchant_id: _Optional[str] = ..., price_points: _Optional[int] = ..., face_value_minor: _Optional[int] = ..., stock: _Optional[int] = ..., limit_per_member: _Optional[int] = ..., benefit_code: _Optional[str] = ...) -> None: ...

class CreateItemResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: Item
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ...) -> None: ...

class AddStockRequest(_message.Message):
    __slots__ = ("request_id", "item_id", "quantity", "merchant_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    item_id: str
    quantity: int
    merchant_id: str
    def __init__(self, request_id: _Optional[str] = ..., item_id: _Optional[str] = ..., quantity: _Optional[int] = ..., merchant_id: _Optional[str] = ...) -> None: ...

class AddStockResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: Item
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ...) -> None: ...

class GetItemRequest(_message.Message):
    __slots__ = ("item_id",)
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    def __init__(self, item_id: _Optional[str] = ...) -> None: ...

class GetItemResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: Item
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ...) -> None: ...

class ListItemsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListItemsResponse(_message.Message):
    __slots__ = ("items", "next_page_token")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Item]
    next_page_token: str
    def __init__(self, items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("order_id", "member_id", "item_id", "state", "points", "voucher", "order_time", "reject_reason", "benefit_code")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    VOUCHER_FIELD_NUMBER: _ClassVar[int]
    ORDER_TIME_FIELD_NUMBER: _ClassVar[int]
    REJECT_REASON_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_CODE_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    member_id: str
    item_id: str
    state: OrderState
    points: int
    voucher: Voucher
    order_time: _timestamp_pb2.Timestamp
    reject_reason: str
    benefit_code: str
    def __init__(self, order_id: _Optional[str] = ..., member_id: _Optional[str] = ..., item_id: _Optional[str] = ..., state: _Optional[_Union[OrderState, str]] = ..., points: _Optional[int] = ..., voucher: _Optional[_Union[Voucher, _Mapping]] = ..., order_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reject_reason: _Optional[str] = ..., benefit_code: _Optional[str] = ...) -> None: ...

class Voucher(_message.Message):
    __slots__ = ("code", "is_used", "use_time")
    CODE_FIELD_NUMBER: _ClassVar[int]
    IS_USED_FIELD_NUMBER: _ClassVar[int]
    USE_TIME_FIELD_NUMBER: _ClassVar[int]
    code: str
    is_used: bool
    use_time: _timestamp_pb2.Timestamp
    def __init__(self, code: _Optional[str] = ..., is_used: _Optional[bool] = ..., use_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PlaceOrderRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "item_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    item_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., item_id: _Optional[str] = ...) -> None: ...

class PlaceOrderResponse(_message.Message):
    __slots__ = ("order", "available_points")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    order: Order
    available_points: int
    def __init__(self, order: _Optional[_Union[Order, _Mapping]] = ..., available_points: _Optional[int] = ...) -> None: ...

class GetOrderRequest(_message.Message):
    __slots__ = ("member_id", "order_id", "merchant_id")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    order_id: str
    merchant_id: str
    def __init__(self, member_id: _Optional[str] = ..., order_id: _Optional[str] = ..., merchant_id: _Optional[str] = ...) -> None: ...

class GetOrderResponse(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: Order
    def __init__(self, order: _Optional[_Union[Order, _Mapping]] = ...) -> None: ...

class ListOrdersRequest(_message.Message):
    __slots__ = ("member_id", "page_size", "page_token", "merchant_id")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    page_size: int
    page_token: str
    merchant_id: str
    def __init__(self, member_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., merchant_id: _Optional[str] = ...) -> None: ...

class ListOrdersResponse(_message.Message):
    __slots__ = ("orders", "next_page_token")
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    orders: _containers.RepeatedCompositeFieldContainer[Order]
    next_page_token: str
    def __init__(self, orders: _Optional[_Iterable[_Union[Order, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelOrderRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "order_id", "merchant_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    order_id: str
    merchant_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., order_id: _Optional[str] = ..., merchant_id: _Optional[str] = ...) -> None: ...

class CancelOrderResponse(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: Order
    def __init__(self, order: _Optional[_Union[Order, _Mapping]] = ...) -> None: ...

class UseVoucherRequest(_message.Message):
    __slots__ = ("request_id", "store_id", "voucher_code")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    VOUCHER_CODE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    store_id: str
    voucher_code: str
    def __init__(self, request_id: _Optional[str] = ..., store_id: _Optional[str] = ..., voucher_code: _Optional[str] = ...) -> None: ...

class UseVoucherResponse(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: Order
    def __init__(self, order: _Optional[_Union[Order, _Mapping]] = ...) -> None: ...

class CouponTemplate(_message.Message):
    __slots__ = ("template_id", "code", "name", "amount_off_minor", "min_spend_minor", "categories", "merchant_id", "valid_from_time", "valid_until_time", "quantity", "limit_per_member", "platform_share_bps")
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_OFF_MINOR_FIELD_NUMBER: _ClassVar[int]
    MIN_SPEND_MINOR_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_PER_MEMBER_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_SHARE_BPS_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    code: str
    name: str
    amount_off_minor: int
    min_spend_minor: int
    categories: _containers.RepeatedScalarFieldContainer[str]
    merchant_id: str
    valid_from_time: _timestamp_pb2.Timestamp
    valid_until_time: _timestamp_pb2.Timestamp
    quantity: int
    limit_per_member: int
    platform_share_bps: int
    def __init__(self, template_id: _Optional[str] = ..., code: _Optional[str] = ..., name: _Optional[str] = ..., amount_off_minor: _Optional[int] = ..., min_spend_minor: _Optional[int] = ..., categories: _Optional[_Iterable[str]] = ..., merchant_id: _Optional[str] = ..., valid_from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., quantity: _Optional[int] = ..., limit_per_member: _Optional[int] = ..., platform_share_bps: _Optional[int] = ...) -> None: ...

class CreateTemplateRequest(_message.Message):
    __slots__ = ("request_id", "code", "name", "amount_off_minor", "min_spend_minor", "categories", "merchant_id", "valid_from_time", "valid_until_time", "quantity", "limit_per_member", "platform_share_bps")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_OFF_MINOR_FIELD_NUMBER: _ClassVar[int]
    MIN_SPEND_MINOR_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_PER_MEMBER_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_SHARE_BPS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code: str
    name: str
    amount_off_minor: int
    min_spend_minor: int
    categories: _containers.RepeatedScalarFieldContainer[str]
    merchant_id: str
    valid_from_time: _timestamp_pb2.Timestamp
    valid_until_time: _timestamp_pb2.Timestamp
    quantity: int
    limit_per_member: int
    platform_share_bps: int
    def __init__(self, request_id: _Optional[str] = ..., code: _Optional[str] = ..., name: _Optional[str] = ..., amount_off_minor: _Optional[int] = ..., min_spend_minor: _Optional[int] = ..., categories: _Optional[_Iterable[str]] = ..., merchant_id: _Optional[str] = ..., valid_from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., quantity: _Optional[int] = ..., limit_per_member: _Optional[int] = ..., platform_share_bps: _Optional[int] = ...) -> None: ...

class CreateTemplateResponse(_message.Message):
    __slots__ = ("template",)
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    template: CouponTemplate
    def __init__(self, template: _Optional[_Union[CouponTemplate, _Mapping]] = ...) -> None: ...

class CreateTemplatesRequest(_message.Message):
    __slots__ = ("templates",)
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    templates: _containers.RepeatedCompositeFieldContainer[CreateTemplateRequest]
    def __init__(self, templates: _Optional[_Iterable[_Union[CreateTemplateRequest, _Mapping]]] = ...) -> None: ...

class CreateTemplatesResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[CreateTemplatesResult]
    def __init__(self, results: _Optional[_Iterable[_Union[CreateTemplatesResult, _Mapping]]] = ...) -> None: ...

class CreateTemplatesResult(_message.Message):
    __slots__ = ("created", "problem")
    CREATED_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    created: CreateTemplateResponse
    problem: _types_pb2.Problem
    def __init__(self, created: _Optional[_Union[CreateTemplateResponse, _Mapping]] = ..., problem: _Optional[_Union[_types_pb2.Problem, _Mapping]] = ...) -> None: ...

class Coupon(_message.Message):
    __slots__ = ("coupon_id", "code", "member_id", "template", "state", "use_time")
    COUPON_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    USE_TIME_FIELD_NUMBER: _ClassVar[int]
    coupon_id: str
    code: str
    member_id: str
    template: CouponTemplate
    state: CouponState
    use_time: _timestamp_pb2.Timestamp
    def __init__(self, coupon_id: _Optional[str] = ..., code: _Optional[str] = ..., member_id: _Optional[str] = ..., template: _Optional[_Union[CouponTemplate, _Mapping]] = ..., state: _Optional[_Union[CouponState, str]] = ..., use_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class IssueCouponRequest(_message.Message):
    __slots__ = ("request_id", "template_id", "member_id", "merchant_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    template_id: str
    member_id: str
    merchant_id: str
    def __init__(self, request_id: _Optional[str] = ..., template_id: _Optional[str] = ..., member_id: _Optional[str] = ..., merchant_id: _Optional[str] = ...) -> None: ...

class IssueCouponResponse(_message.Message):
    __slots__ = ("coupon",)
    COUPON_FIELD_NUMBER: _ClassVar[int]
    coupon: Coupon
    def __init__(self, coupon: _Optional[_Union[Coupon, _Mapping]] = ...) -> None: ...

class ListCouponsRequest(_message.Message):
    __slots__ = ("member_id", "page_size", "page_token", "merchant_id")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    page_size: int
    page_token: str
    merchant_id: str
    def __init__(self, member_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., merchant_id: _Optional[str] = ...) -> None: ...

class ListCouponsResponse(_message.Message):
    __slots__ = ("coupons", "next_page_token")
    COUPONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    coupons: _containers.RepeatedCompositeFieldContainer[Coupon]
    next_page_token: str
    def __init__(self, coupons: _Optional[_Iterable[_Union[Coupon, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WriteOffCouponRequest(_message.Message):
    __slots__ = ("request_id", "store_id", "coupon_code", "receipt_no", "lines")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    COUPON_CODE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NO_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    store_id: str
    coupon_code: str
    receipt_no: str
    lines: _containers.RepeatedCompositeFieldContainer[_points_pb2.SaleLine]
    def __init__(self, request_id: _Optional[str] = ..., store_id: _Optional[str] = ..., coupon_code: _Optional[str] = ..., receipt_no: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[_points_pb2.SaleLine, _Mapping]]] = ...) -> None: ...

class WriteOffCouponResponse(_message.Message):
    __slots__ = ("coupon", "discount")
    COUPON_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_FIELD_NUMBER: _ClassVar[int]
    coupon: Coupon
    discount: _types_pb2.Money
    def __init__(self, coupon: _Optional[_Union[Coupon, _Mapping]] = ..., discount: _Optional[_Union[_types_pb2.Money, _Mapping]] = ...) -> None: ...

class ReverseWriteOffRequest(_message.Message):
    __slots__ = ("request_id", "store_id", "coupon_code")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    COUPON_CODE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    store_id: str
    coupon_code: str
    def __init__(self, request_id: _Optional[str] = ..., store_id: _Optional[str] = ..., coupon_code: _Optional[str] = ...) -> None: ...

class ReverseWriteOffResponse(_message.Message):
    __slots__ = ("coupon",)
    COUPON_FIELD_NUMBER: _ClassVar[int]
    coupon: Coupon
    def __init__(self, coupon: _Optional[_Union[Coupon, _Mapping]] = ...) -> None: ...

class QuoteCheckoutRequest(_message.Message):
    __slots__ = ("store_id", "member_id", "member_code", "sale_time", "total", "lines", "pool_id")
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_CODE_FIELD_NUMBER: _ClassVar[int]
    SALE_TIME_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    store_id: str
    member_id: str
    member_code: str
    sale_time: _timestamp_pb2.Timestamp
    total: _types_pb2.Money
    lines: _containers.RepeatedCompositeFieldContainer[_points_pb2.SaleLine]
    pool_id: str
    def __init__(self, store_id: _Optional[str] = ..., member_id: _Optional[str] = ..., member_code: _Optional[str] = ..., sale_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., total: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[_points_pb2.SaleLine, _Mapping]]] = ..., pool_id: _Optional[str] = ...) -> None: ...

class QuoteCheckoutResponse(_message.Message):
    __slots__ = ("member_id", "coupons", "max_points", "max_offset", "payable", "min_points", "step_points", "step_minor", "offset_quote_token")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    COUPONS_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    MAX_OFFSET_FIELD_NUMBER: _ClassVar[int]
    PAYABLE_FIELD_NUMBER: _ClassVar[int]
    MIN_POINTS_FIELD_NUMBER: _ClassVar[int]
    STEP_POINTS_FIELD_NUMBER: _ClassVar[int]
    STEP_MINOR_FIELD_NUMBER: _ClassVar[int]
    OFFSET_QUOTE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    coupons: _containers.RepeatedCompositeFieldContainer[CouponOffer]
    max_points: int
    max_offset: _types_pb2.Money
    payable: _types_pb2.Money
    min_points: int
    step_points: int
    step_minor: int
    offset_quote_token: str
    def __init__(self, member_id: _Optional[str] = ..., coupons: _Optional[_Iterable[_Union[CouponOffer, _Mapping]]] = ..., max_points: _Optional[int] = ..., max_offset: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., payable: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., min_points: _Optional[int] = ..., step_points: _Optional[int] = ..., step_minor: _Optional[int] = ..., offset_quote_token: _Optional[str] = ...) -> None: ...

class CouponOffer(_message.Message):
    __slots__ = ("coupon_code", "name", "discount")
    COUPON_CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_FIELD_NUMBER: _ClassVar[int]
    coupon_code: str
    name: str
    discount: _types_pb2.Money
    def __init__(self, coupon_code: _Optional[str] = ..., name: _Optional[str] = ..., discount: _Optional[_Union[_types_pb2.Money, _Mapping]] = ...) -> None: ...

class CommitCheckoutRequest(_message.Message):
    __slots__ = ("request_id", "store_id", "receipt_no", "member_id", "member_code", "sale_time", "total", "lines", "coupon_code", "offset_points", "offset_quote_token", "pool_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NO_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_CODE_FIELD_NUMBER: _ClassVar[int]
    SALE_TIME_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    COUPON_CODE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_POINTS_FIELD_NUMBER: _ClassVar[int]
    OFFSET_QUOTE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    store_id: str
    receipt_no: str
    member_id: str
    member_code: str
    sale_time: _timestamp_pb2.Timestamp
    total: _types_pb2.Money
    lines: _containers.RepeatedCompositeFieldContainer[_points_pb2.SaleLine]
    coupon_code: str
    offset_points: int
    offset_quote_token: str
    pool_id: str
    def __init__(self, request_id: _Optional[str] = ..., store_id: _Optional[str] = ..., receipt_no: _Optional[str] = ..., member_id: _Optional[str] = ..., member_code: _Optional[str] = ..., sale_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., total: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[_points_pb2.SaleLine, _Mapping]]] = ..., coupon_code: _Optional[str] = ..., offset_points: _Optional[int] = ..., offset_quote_token: _Optional[str] = ..., pool_id: _Optional[str] = ...) -> None: ...

class Checkout(_message.Message):
    __slots__ = ("checkout_id", "store_id", "member_id", "receipt_no", "state", "total", "coupon_discount", "points_offset", "payable", "offset_points", "earned_points", "available_points", "sale_id", "explanation", "reject_reason")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NO_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    COUPON_DISCOUNT_FIELD_NUMBER: _ClassVar[int]
    POINTS_OFFSET_FIELD_NUMBER: _ClassVar[int]
    PAYABLE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_POINTS_FIELD_NUMBER: _ClassVar[int]
    EARNED_POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    REJECT_REASON_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    store_id: str
    member_id: str
    receipt_no: str
    state: CheckoutState
    total: _types_pb2.Money
    coupon_discount: _types_pb2.Money
    points_offset: _types_pb2.Money
    payable: _types_pb2.Money
    offset_points: int
    earned_points: int
    available_points: int
    sale_id: str
    explanation: _points_pb2.Explanation
    reject_reason: str
    def __init__(self, checkout_id: _Optional[str] = ..., store_id: _Optional[str] = ..., member_id: _Optional[str] = ..., receipt_no: _Optional[str] = ..., state: _Optional[_Union[CheckoutState, str]] = ..., total: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., coupon_discount: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., points_offset: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., payable: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., offset_points: _Optional[int] = ..., earned_points: _Optional[int] = ..., available_points: _Optional[int] = ..., sale_id: _Optional[str] = ..., explanation: _Optional[_Union[_points_pb2.Explanation, _Mapping]] = ..., reject_reason: _Optional[str] = ...) -> None: ...

class CommitCheckoutResponse(_message.Message):
    __slots__ = ("checkout",)
    CHECKOUT_FIELD_NUMBER: _ClassVar[int]
    checkout: Checkout
    def __init__(self, checkout: _Optional[_Union[Checkout, _Mapping]] = ...) -> None: ...

class VoidCheckoutRequest(_message.Message):
    __slots__ = ("request_id", "store_id", "checkout_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    store_id: str
    checkout_id: str
    def __init__(self, request_id: _Optional[str] = ..., store_id: _Optional[str] = ..., checkout_id: _Optional[str] = ...) -> None: ...

class VoidCheckoutResponse(_message.Message):
    __slots__ = ("checkout",)
    CHECKOUT_FIELD_NUMBER: _ClassVar[int]
    checkout: Checkout
    def __init__(self, checkout: _Optional[_Union[Checkout, _Mapping]] = ...) -> None: ...

class GetCheckoutRequest(_message.Message):
    __slots__ = ("store_id", "checkout_id")
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    store_id: str
    checkout_id: str
    def __init__(self, store_id: _Optional[str] = ..., checkout_id: _Optional[str] = ...) -> None: ...

class GetCheckoutResponse(_message.Message):
    __slots__ = ("checkout",)
    CHECKOUT_FIELD_NUMBER: _ClassVar[int]
    checkout: Checkout
    def __init__(self, checkout: _Optional[_Union[Checkout, _Mapping]] = ...) -> None: ...

class GetMallTotalsRequest(_message.Message):
    __slots__ = ("business_unit_id",)
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    business_unit_id: str
    def __init__(self, business_unit_id: _Optional[str] = ...) -> None: ...

class GetMallTotalsResponse(_message.Message):
    __slots__ = ("order_completed_count", "order_cancelled_count", "order_points", "voucher_used_count", "coupon_issued_count", "coupon_used_count", "coupon_discount_minor", "checkout_count", "checkout_offset_minor")
    ORDER_COMPLETED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ORDER_CANCELLED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ORDER_POINTS_FIELD_NUMBER: _ClassVar[int]
    VOUCHER_USED_COUNT_FIELD_NUMBER: _ClassVar[int]
    COUPON_ISSUED_COUNT_FIELD_NUMBER: _ClassVar[int]
    COUPON_USED_COUNT_FIELD_NUMBER: _ClassVar[int]
    COUPON_DISCOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    CHECKOUT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKOUT_OFFSET_MINOR_FIELD_NUMBER: _ClassVar[int]
    order_completed_count: int
    order_cancelled_count: int
    order_points: int
    voucher_used_count: int
    coupon_issued_count: int
    coupon_used_count: int
    coupon_discount_minor: int
    checkout_count: int
    checkout_offset_minor: int
    def __init__(self, order_completed_count: _Optional[int] = ..., order_cancelled_count: _Optional[int] = ..., order_points: _Optional[int] = ..., voucher_used_count: _Optional[int] = ..., coupon_issued_count: _Optional[int] = ..., coupon_used_count: _Optional[int] = ..., coupon_discount_minor: _Optional[int] = ..., checkout_count: _Optional[int] = ..., checkout_offset_minor: _Optional[int] = ...) -> None: ...
