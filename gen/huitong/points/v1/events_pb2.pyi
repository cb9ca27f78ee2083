import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import types_pb2 as _types_pb2
from huitong.points.v1 import governor_pb2 as _governor_pb2
from huitong.points.v1 import points_pb2 as _points_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LotShare(_message.Message):
    __slots__ = ("lot_id", "issuer_merchant_id", "points")
    LOT_ID_FIELD_NUMBER: _ClassVar[int]
    ISSUER_MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    lot_id: str
    issuer_merchant_id: str
    points: int
    def __init__(self, lot_id: _Optional[str] = ..., issuer_merchant_id: _Optional[str] = ..., points: _Optional[int] = ...) -> None: ...

class SaleRecorded(_message.Message):
    __slots__ = ("sale_id", "member_id", "store_id", "merchant_id", "business_unit_id", "receipt_no", "sale_time", "business_date", "time_zone", "total", "funders")
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NO_FIELD_NUMBER: _ClassVar[int]
    SALE_TIME_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_DATE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    FUNDERS_FIELD_NUMBER: _ClassVar[int]
    sale_id: str
    member_id: str
    store_id: str
    merchant_id: str
    business_unit_id: str
    receipt_no: str
    sale_time: _timestamp_pb2.Timestamp
    business_date: _types_pb2.BusinessDate
    time_zone: str
    total: _types_pb2.Money
    funders: _containers.RepeatedCompositeFieldContainer[_points_pb2.FundedPoints]
    def __init__(self, sale_id: _Optional[str] = ..., member_id: _Optional[str] = ..., store_id: _Optional[str] = ..., merchant_id: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., receipt_no: _Optional[str] = ..., sale_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., business_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., time_zone: _Optional[str] = ..., total: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., funders: _Optional[_Iterable[_Union[_points_pb2.FundedPoints, _Mapping]]] = ...) -> None: ...

class PointsEarned(_message.Message):
    __slots__ = ("txn_id", "member_id", "lot", "points", "debt_repaid_points", "business_unit_id", "store_id", "sale_id", "expire_time", "business_date", "unlock_time", "funders")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    LOT_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    DEBT_REPAID_POINTS_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_DATE_FIELD_NUMBER: _ClassVar[int]
    UNLOCK_TIME_FIELD_NUMBER: _ClassVar[int]
    FUNDERS_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    lot: LotShare
    points: int
    debt_repaid_points: int
    business_unit_id: str
    store_id: str
    sale_id: str
    expire_time: _timestamp_pb2.Timestamp
    business_date: _types_pb2.BusinessDate
    unlock_time: _timestamp_pb2.Timestamp
    funders: _containers.RepeatedCompositeFieldContainer[_points_pb2.FundedPoints]
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., lot: _Optional[_Union[LotShare, _Mapping]] = ..., points: _Optional[int] = ..., debt_repaid_points: _Optional[int] = ..., business_unit_id: _Optional[str] = ..., store_id: _Optional[str] = ..., sale_id: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., business_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., unlock_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., funders: _Optional[_Iterable[_Union[_points_pb2.FundedPoints, _Mapping]]] = ...) -> None: ...

class PointsActivated(_message.Message):
    __slots__ = ("txn_id", "member_id", "points", "lots", "unlock_time")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    UNLOCK_TIME_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    unlock_time: _timestamp_pb2.Timestamp
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ..., unlock_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PointsCredited(_message.Message):
    __slots__ = ("txn_id", "member_id", "lot", "points", "debt_repaid_points", "expire_time", "adjustment_id", "reason_code")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    LOT_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    DEBT_REPAID_POINTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    lot: LotShare
    points: int
    debt_repaid_points: int
    expire_time: _timestamp_pb2.Timestamp
    adjustment_id: str
    reason_code: str
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., lot: _Optional[_Union[LotShare, _Mapping]] = ..., points: _Optional[int] = ..., debt_repaid_points: _Optional[int] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., adjustment_id: _Optional[str] = ..., reason_code: _Optional[str] = ...) -> None: ...

class PointsDebited(_message.Message):
    __slots__ = ("txn_id", "member_id", "points", "lots", "adjustment_id", "reason_code")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    adjustment_id: str
    reason_code: str
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ..., adjustment_id: _Optional[str] = ..., reason_code: _Optional[str] = ...) -> None: ...

class PointsDebitRefused(_message.Message):
    __slots__ = ("txn_id", "member_id", "adjustment_id", "reason_code")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    adjustment_id: str
    reason_code: str
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., adjustment_id: _Optional[str] = ..., reason_code: _Optional[str] = ...) -> None: ...

class PointsTransferredOut(_message.Message):
    __slots__ = ("txn_id", "member_id", "to_member_id", "points", "lots", "pool_id")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TO_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    to_member_id: str
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    pool_id: str
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., to_member_id: _Optional[str] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ..., pool_id: _Optional[str] = ...) -> None: ...

class PointsTransferredIn(_message.Message):
    __slots__ = ("txn_id", "out_txn_id", "member_id", "from_member_id", "points", "lots", "pool_id")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    OUT_TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    out_txn_id: str
    member_id: str
    from_member_id: str
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    pool_id: str
    def __init__(self, txn_id: _Optional[str] = ..., out_txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., from_member_id: _Optional[str] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ..., pool_id: _Optional[str] = ...) -> None: ...

class TransferEnds(_message.Message):
    __slots__ = ("member_id", "to_member_id", "pool_id")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TO_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    to_member_id: str
    pool_id: str
    def __init__(self, member_id: _Optional[str] = ..., to_member_id: _Optional[str] = ..., pool_id: _Optional[str] = ...) -> None: ...

class PointsConvertedOut(_message.Message):
    __slots__ = ("txn_id", "member_id", "to_currency_id", "points", "lots")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TO_CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    to_currency_id: str
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., to_currency_id: _Optional[str] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ...) -> None: ...

class PointsConvertedIn(_message.Message):
    __slots__ = ("txn_id", "out_txn_id", "member_id", "from_currency_id", "points", "lots", "expire_time")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    OUT_TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    out_txn_id: str
    member_id: str
    from_currency_id: str
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, txn_id: _Optional[str] = ..., out_txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., from_currency_id: _Optional[str] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CurrencyMoved(_message.Message):
    __slots__ = ("txn_id", "member_id", "currency_id", "kind", "points", "lots", "spending", "ref_txn_id", "expire_time")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    SPENDING_FIELD_NUMBER: _ClassVar[int]
    REF_TXN_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    currency_id: str
    kind: _points_pb2.MovementKind
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    spending: _points_pb2.Spending
    ref_txn_id: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., currency_id: _Optional[str] = ..., kind: _Optional[_Union[_points_pb2.MovementKind, str]] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ..., spending: _Optional[_Union[_points_pb2.Spending, _Mapping]] = ..., ref_txn_id: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SaleRefunded(_message.Message):
    __slots__ = ("refund_id", "sale_id", "member_id", "store_id", "merchant_id", "business_unit_id", "refund_time", "business_date", "time_zone", "refunded", "sale_business_date")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    REFUND_TIME_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_DATE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_FIELD_NUMBER: _ClassVar[int]
    SALE_BUSINESS_DATE_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    sale_id: str
    member_id: str
    store_id: str
    merchant_id: str
    business_unit_id: str
    refund_time: _timestamp_pb2.Timestamp
    business_date: _types_pb2.BusinessDate
    time_zone: str
    refunded: _types_pb2.Money
    sale_business_date: _types_pb2.BusinessDate
    def __init__(self, refund_id: _Optional[str] = ..., sale_id: _Optional[str] = ..., member_id: _Optional[str] = ..., store_id: _Optional[str] = ..., merchant_id: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., refund_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., business_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., time_zone: _Optional[str] = ..., refunded: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., sale_business_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ...) -> None: ...

class PointsClawedBack(_message.Message):
    __slots__ = ("txn_id", "member_id", "issuer_merchant_id", "points", "debt_points", "lots", "sale_id", "refund_id", "written_off_points")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ISSUER_MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    DEBT_POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_OFF_POINTS_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    issuer_merchant_id: str
    points: int
    debt_points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    sale_id: str
    refund_id: str
    written_off_points: int
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., issuer_merchant_id: _Optional[str] = ..., points: _Optional[int] = ..., debt_points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ..., sale_id: _Optional[str] = ..., refund_id: _Optional[str] = ..., written_off_points: _Optional[int] = ...) -> None: ...

class PointsRedeemed(_message.Message):
    __slots__ = ("txn_id", "member_id", "points", "lots", "spending")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    SPENDING_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    spending: _points_pb2.Spending
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ..., spending: _Optional[_Union[_points_pb2.Spending, _Mapping]] = ...) -> None: ...

class RedemptionReversed(_message.Message):
    __slots__ = ("txn_id", "redemption_txn_id", "member_id", "points", "lots", "spending")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    REDEMPTION_TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    SPENDING_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    redemption_txn_id: str
    member_id: str
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    spending: _points_pb2.Spending
    def __init__(self, txn_id: _Optional[str] = ..., redemption_txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ..., spending: _Optional[_Union[_points_pb2.Spending, _Mapping]] = ...) -> None: ...

class PointsExpired(_message.Message):
    __slots__ = ("txn_id", "member_id", "points", "lots")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ...) -> None: ...

class PointsRenewed(_message.Message):
    __slots__ = ("txn_id", "member_id", "points", "lots", "expire_time")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    member_id: str
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, txn_id: _Optional[str] = ..., member_id: _Optional[str] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PointsExpiringSoon(_message.Message):
    __slots__ = ("member_id", "expire_time", "points", "days_ahead")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    DAYS_AHEAD_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    expire_time: _timestamp_pb2.Timestamp
    points: int
    days_ahead: int
    def __init__(self, member_id: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., points: _Optional[int] = ..., days_ahead: _Optional[int] = ...) -> None: ...

class PointsHoardingStarted(_message.Message):
    __slots__ = ("member_id", "available_points", "idle_since")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    IDLE_SINCE_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    available_points: int
    idle_since: _types_pb2.BusinessDate
    def __init__(self, member_id: _Optional[str] = ..., available_points: _Optional[int] = ..., idle_since: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ...) -> None: ...

class PointsHoardingEnded(_message.Message):
    __slots__ = ("member_id", "available_points")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    available_points: int
    def __init__(self, member_id: _Optional[str] = ..., available_points: _Optional[int] = ...) -> None: ...

class CostActionTaken(_message.Message):
    __slots__ = ("action",)
    ACTION_FIELD_NUMBER: _ClassVar[int]
    action: _governor_pb2.CostAction
    def __init__(self, action: _Optional[_Union[_governor_pb2.CostAction, _Mapping]] = ...) -> None: ...

class PointsMergedOut(_message.Message):
    __slots__ = ("txn_id", "merge_id", "member_id", "to_member_id", "points", "lots")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TO_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    merge_id: str
    member_id: str
    to_member_id: str
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    def __init__(self, txn_id: _Optional[str] = ..., merge_id: _Optional[str] = ..., member_id: _Optional[str] = ..., to_member_id: _Optional[str] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ...) -> None: ...

class PointsMergedIn(_message.Message):
    __slots__ = ("txn_id", "out_txn_id", "merge_id", "member_id", "from_member_id", "points", "lots")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    OUT_TXN_ID_FIELD_NUMBER: _ClassVar[int]
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    out_txn_id: str
    merge_id: str
    member_id: str
    from_member_id: str
    points: int
    lots: _containers.RepeatedCompositeFieldContainer[LotShare]
    def __init__(self, txn_id: _Optional[str] = ..., out_txn_id: _Optional[str] = ..., merge_id: _Optional[str] = ..., member_id: _Optional[str] = ..., from_member_id: _Optional[str] = ..., points: _Optional[int] = ..., lots: _Optional[_Iterable[_Union[LotShare, _Mapping]]] = ...) -> None: ...

class MergeEnds(_message.Message):
    __slots__ = ("merge_id", "member_id", "to_member_id")
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TO_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    merge_id: str
    member_id: str
    to_member_id: str
    def __init__(self, merge_id: _Optional[str] = ..., member_id: _Optional[str] = ..., to_member_id: _Optional[str] = ...) -> None: ...

class MergeFollowed(_message.Message):
    __slots__ = ("merge_id", "is_unmerge", "charged_points", "uncharged_points")
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    IS_UNMERGE_FIELD_NUMBER: _ClassVar[int]
    CHARGED_POINTS_FIELD_NUMBER: _ClassVar[int]
    UNCHARGED_POINTS_FIELD_NUMBER: _ClassVar[int]
    merge_id: str
    is_unmerge: bool
    charged_points: int
    uncharged_points: int
    def __init__(self, merge_id: _Optional[str] = ..., is_unmerge: _Optional[bool] = ..., charged_points: _Optional[int] = ..., uncharged_points: _Optional[int] = ...) -> None: ...

class SegmentsChanged(_message.Message):
    __slots__ = ("member_id", "entered", "left")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ENTERED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    entered: _containers.RepeatedScalarFieldContainer[str]
    left: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, member_id: _Optional[str] = ..., entered: _Optional[_Iterable[str]] = ..., left: _Optional[_Iterable[str]] = ...) -> None: ...
