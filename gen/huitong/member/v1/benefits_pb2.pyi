import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BenefitKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BENEFIT_KIND_UNSPECIFIED: _ClassVar[BenefitKind]
    BENEFIT_KIND_BIRTHDAY_GIFT: _ClassVar[BenefitKind]
    BENEFIT_KIND_FREE_PARKING_HOURS: _ClassVar[BenefitKind]
    BENEFIT_KIND_LOUNGE_ENTRY: _ClassVar[BenefitKind]
    BENEFIT_KIND_PRIORITY_BOOKING: _ClassVar[BenefitKind]
    BENEFIT_KIND_MEMBER_PRICE: _ClassVar[BenefitKind]

class QuotaPeriod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUOTA_PERIOD_UNSPECIFIED: _ClassVar[QuotaPeriod]
    QUOTA_PERIOD_DAY: _ClassVar[QuotaPeriod]
    QUOTA_PERIOD_MONTH: _ClassVar[QuotaPeriod]
    QUOTA_PERIOD_YEAR: _ClassVar[QuotaPeriod]
    QUOTA_PERIOD_MEMBERSHIP: _ClassVar[QuotaPeriod]
BENEFIT_KIND_UNSPECIFIED: BenefitKind
BENEFIT_KIND_BIRTHDAY_GIFT: BenefitKind
BENEFIT_KIND_FREE_PARKING_HOURS: BenefitKind
BENEFIT_KIND_LOUNGE_ENTRY: BenefitKind
BENEFIT_KIND_PRIORITY_BOOKING: BenefitKind
BENEFIT_KIND_MEMBER_PRICE: BenefitKind
QUOTA_PERIOD_UNSPECIFIED: QuotaPeriod
QUOTA_PERIOD_DAY: QuotaPeriod
QUOTA_PERIOD_MONTH: QuotaPeriod
QUOTA_PERIOD_YEAR: QuotaPeriod
QUOTA_PERIOD_MEMBERSHIP: QuotaPeriod

class Benefit(_message.Message):
    __slots__ = ("benefit_code", "kind", "name", "name_zh", "quota", "period", "price_bps")
    BENEFIT_CODE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PRICE_BPS_FIELD_NUMBER: _ClassVar[int]
    benefit_code: str
    kind: BenefitKind
    name: str
    name_zh: str
    quota: int
    period: QuotaPeriod
    price_bps: int
    def __init__(self, benefit_code: _Optional[str] = ..., kind: _Optional[_Union[BenefitKind, str]] = ..., name: _Optional[str] = ..., name_zh: _Optional[str] = ..., quota: _Optional[int] = ..., period: _Optional[_Union[QuotaPeriod, str]] = ..., price_bps: _Optional[int] = ...) -> None: ...

class TierBenefit(_message.Message):
    __slots__ = ("tier_code", "benefit")
    TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_FIELD_NUMBER: _ClassVar[int]
    tier_code: str
    benefit: Benefit
    def __init__(self, tier_code: _Optional[str] = ..., benefit: _Optional[_Union[Benefit, _Mapping]] = ...) -> None: ...

class SetTierBenefitsRequest(_message.Message):
    __slots__ = ("request_id", "tier_code", "benefits")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    BENEFITS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    tier_code: str
    benefits: _containers.RepeatedCompositeFieldContainer[Benefit]
    def __init__(self, request_id: _Optional[str] = ..., tier_code: _Optional[str] = ..., benefits: _Optional[_Iterable[_Union[Benefit, _Mapping]]] = ...) -> None: ...

class SetTierBenefitsResponse(_message.Message):
    __slots__ = ("benefits",)
    BENEFITS_FIELD_NUMBER: _ClassVar[int]
    benefits: _containers.RepeatedCompositeFieldContainer[Benefit]
    def __init__(self, benefits: _Optional[_Iterable[_Union[Benefit, _Mapping]]] = ...) -> None: ...

class ListTierBenefitsRequest(_message.Message):
    __slots__ = ("tier_code", "page_size", "page_token")
    TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tier_code: str
    page_size: int
    page_token: str
    def __init__(self, tier_code: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTierBenefitsResponse(_message.Message):
    __slots__ = ("benefits", "next_page_token")
    BENEFITS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    benefits: _containers.RepeatedCompositeFieldContainer[TierBenefit]
    next_page_token: str
    def __init__(self, benefits: _Optional[_Iterable[_Union[TierBenefit, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListMyBenefitsRequest(_message.Message):
    __slots__ = ("member_id", "page_size", "page_token")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    page_size: int
    page_token: str
    def __init__(self, member_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMyBenefitsResponse(_message.Message):
    __slots__ = ("benefits", "next_page_token")
    BENEFITS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    benefits: _containers.RepeatedCompositeFieldContainer[MemberBenefit]
    next_page_token: str
    def __init__(self, benefits: _Optional[_Iterable[_Union[MemberBenefit, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class MemberBenefit(_message.Message):
    __slots__ = ("benefit", "tier_code", "used", "left", "period_start_date", "is_usable")
    BENEFIT_FIELD_NUMBER: _ClassVar[int]
    TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_START_DATE_FIELD_NUMBER: _ClassVar[int]
    IS_USABLE_FIELD_NUMBER: _ClassVar[int]
    benefit: Benefit
    tier_code: str
    used: int
    left: int
    period_start_date: _types_pb2.BusinessDate
    is_usable: bool
    def __init__(self, benefit: _Optional[_Union[Benefit, _Mapping]] = ..., tier_code: _Optional[str] = ..., used: _Optional[int] = ..., left: _Optional[int] = ..., period_start_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., is_usable: _Optional[bool] = ...) -> None: ...

class CheckBenefitRequest(_message.Message):
    __slots__ = ("member_id", "benefit_code", "quantity")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_CODE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    benefit_code: str
    quantity: int
    def __init__(self, member_id: _Optional[str] = ..., benefit_code: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class CheckBenefitResponse(_message.Message):
    __slots__ = ("is_usable", "benefit", "reason")
    IS_USABLE_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    is_usable: bool
    benefit: MemberBenefit
    reason: str
    def __init__(self, is_usable: _Optional[bool] = ..., benefit: _Optional[_Union[MemberBenefit, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class UseBenefitRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "benefit_code", "quantity", "reference", "store_id", "member_code")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_CODE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_CODE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    benefit_code: str
    quantity: int
    reference: str
    store_id: str
    member_code: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., benefit_code: _Optional[str] = ..., quantity: _Optional[int] = ..., reference: _Optional[str] = ..., store_id: _Optional[str] = ..., member_code: _Optional[str] = ...) -> None: ...

class UseBenefitResponse(_message.Message):
    __slots__ = ("use", "left")
    USE_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    use: BenefitUse
    left: int
    def __init__(self, use: _Optional[_Union[BenefitUse, _Mapping]] = ..., left: _Optional[int] = ...) -> None: ...

class CancelBenefitUseRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "benefit_code", "reference")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_CODE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    benefit_code: str
    reference: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., benefit_code: _Optional[str] = ..., reference: _Optional[str] = ...) -> None: ...

class CancelBenefitUseResponse(_message.Message):
    __slots__ = ("use",)
    USE_FIELD_NUMBER: _ClassVar[int]
    use: BenefitUse
    def __init__(self, use: _Optional[_Union[BenefitUse, _Mapping]] = ...) -> None: ...

class ReturnBenefitRequest(_message.Message):
    __slots__ = ("request_id", "use_id", "store_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    USE_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    use_id: str
    store_id: str
    def __init__(self, request_id: _Optional[str] = ..., use_id: _Optional[str] = ..., store_id: _Optional[str] = ...) -> None: ...

class ReturnBenefitResponse(_message.Message):
    __slots__ = ("use",)
    USE_FIELD_NUMBER: _ClassVar[int]
    use: BenefitUse
    def __init__(self, use: _Optional[_Union[BenefitUse, _Mapping]] = ...) -> None: ...

class BenefitUse(_message.Message):
    __slots__ = ("use_id", "member_id", "benefit_code", "kind", "tier_code", "quantity", "reference", "store_id", "use_time", "return_time", "price_bps")
    USE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_CODE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIER_CODE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    USE_TIME_FIELD_NUMBER: _ClassVar[int]
    RETURN_TIME_FIELD_NUMBER: _ClassVar[int]
    PRICE_BPS_FIELD_NUMBER: _ClassVar[int]
    use_id: str
    member_id: str
    benefit_code: str
    kind: BenefitKind
    tier_code: str
    quantity: int
    reference: str
    store_id: str
    use_time: _timestamp_pb2.Timestamp
    return_time: _timestamp_pb2.Timestamp
    price_bps: int
    def __init__(self, use_id: _Optional[str] = ..., member_id: _Optional[str] = ..., benefit_code: _Optional[str] = ..., kind: _Optional[_Union[BenefitKind, str]] = ..., tier_code: _Optional[str] = ..., quantity: _Optional[int] = ..., reference: _Optional[str] = ..., store_id: _Optional[str] = ..., use_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., return_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., price_bps: _Optional[int] = ...) -> None: ...

class ListBenefitUsesRequest(_message.Message):
    __slots__ = ("member_id", "page_size", "page_token")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    page_size: int
    page_token: str
    def __init__(self, member_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBenefitUsesResponse(_message.Message):
    __slots__ = ("uses", "next_page_token")
    USES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    uses: _containers.RepeatedCompositeFieldContainer[BenefitUse]
    next_page_token: str
    def __init__(self, uses: _Optional[_Iterable[_Union[BenefitUse, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class BenefitUsed(_message.Message):
    __slots__ = ("use",)
    USE_FIELD_NUMBER: _ClassVar[int]
    use: BenefitUse
    def __init__(self, use: _Optional[_Union[BenefitUse, _Mapping]] = ...) -> None: ...

class BenefitReturned(_message.Message):
    __slots__ = ("use",)
    USE_FIELD_NUMBER: _ClassVar[int]
    use: BenefitUse
    def __init__(self, use: _Optional[_Union[BenefitUse, _Mapping]] = ...) -> None: ...
