import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.common.v1 import types_pb2 as _types_pb2
from huitong.org.v1 import approvals_pb2 as _approvals_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UnitKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNIT_KIND_UNSPECIFIED: _ClassVar[UnitKind]
    UNIT_KIND_MALL: _ClassVar[UnitKind]
    UNIT_KIND_OFFICE: _ClassVar[UnitKind]
    UNIT_KIND_HOTEL: _ClassVar[UnitKind]
    UNIT_KIND_COMMUNITY: _ClassVar[UnitKind]
    UNIT_KIND_PARKING: _ClassVar[UnitKind]
    UNIT_KIND_OTHER: _ClassVar[UnitKind]

class CredentialKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CREDENTIAL_KIND_UNSPECIFIED: _ClassVar[CredentialKind]
    CREDENTIAL_KIND_TERMINAL: _ClassVar[CredentialKind]
    CREDENTIAL_KIND_VENDOR: _ClassVar[CredentialKind]
    CREDENTIAL_KIND_SYSTEM: _ClassVar[CredentialKind]
    CREDENTIAL_KIND_MERCHANT: _ClassVar[CredentialKind]
    CREDENTIAL_KIND_PARTNER: _ClassVar[CredentialKind]
UNIT_KIND_UNSPECIFIED: UnitKind
UNIT_KIND_MALL: UnitKind
UNIT_KIND_OFFICE: UnitKind
UNIT_KIND_HOTEL: UnitKind
UNIT_KIND_COMMUNITY: UnitKind
UNIT_KIND_PARKING: UnitKind
UNIT_KIND_OTHER: UnitKind
CREDENTIAL_KIND_UNSPECIFIED: CredentialKind
CREDENTIAL_KIND_TERMINAL: CredentialKind
CREDENTIAL_KIND_VENDOR: CredentialKind
CREDENTIAL_KIND_SYSTEM: CredentialKind
CREDENTIAL_KIND_MERCHANT: CredentialKind
CREDENTIAL_KIND_PARTNER: CredentialKind

class Group(_message.Message):
    __slots__ = ("group_id", "code", "name")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    code: str
    name: str
    def __init__(self, group_id: _Optional[str] = ..., code: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class BusinessUnit(_message.Message):
    __slots__ = ("business_unit_id", "code", "name", "kind", "time_zone", "currency_code", "is_open")
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_CODE_FIELD_NUMBER: _ClassVar[int]
    IS_OPEN_FIELD_NUMBER: _ClassVar[int]
    business_unit_id: str
    code: str
    name: str
    kind: UnitKind
    time_zone: str
    currency_code: str
    is_open: bool
    def __init__(self, business_unit_id: _Optional[str] = ..., code: _Optional[str] = ..., name: _Optional[str] = ..., kind: _Optional[_Union[UnitKind, str]] = ..., time_zone: _Optional[str] = ..., currency_code: _Optional[str] = ..., is_open: _Optional[bool] = ...) -> None: ...

class Merchant(_message.Message):
    __slots__ = ("merchant_id", "code", "name", "business_unit_id", "category", "is_open", "legal_name")
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    IS_OPEN_FIELD_NUMBER: _ClassVar[int]
    LEGAL_NAME_FIELD_NUMBER: _ClassVar[int]
    merchant_id: str
    code: str
    name: str
    business_unit_id: str
    category: str
    is_open: bool
    legal_name: str
    def __init__(self, merchant_id: _Optional[str] = ..., code: _Optional[str] = ..., name: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., category: _Optional[str] = ..., is_open: _Optional[bool] = ..., legal_name: _Optional[str] = ...) -> None: ...

class Store(_message.Message):
    __slots__ = ("store_id", "code", "name", "merchant_id", "business_unit_id", "category", "floor", "is_open", "time_zone", "currency_code", "opening_date")
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    IS_OPEN_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_CODE_FIELD_NUMBER: _ClassVar[int]
    OPENING_DATE_FIELD_NUMBER: _ClassVar[int]
    store_id: str
    code: str
    name: str
    merchant_id: str
    business_unit_id: str
    category: str
    floor: str
    is_open: bool
    time_zone: str
    currency_code: str
    opening_date: _types_pb2.BusinessDate
    def __init__(self, store_id: _Optional[str] = ..., code: _Optional[str] = ..., name: _Optional[str] = ..., merchant_id: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., category: _Optional[str] = ..., floor: _Optional[str] = ..., is_open: _Optional[bool] = ..., time_zone: _Optional[str] = ..., currency_code: _Optional[str] = ..., opening_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ...) -> None: ...

class Terminal(_message.Message):
    __slots__ = ("terminal_id", "code", "store_id", "name", "is_open")
    TERMINAL_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    IS_OPEN_FIELD_NUMBER: _ClassVar[int]
    terminal_id: str
    code: str
    store_id: str
    name: str
    is_open: bool
    def __init__(self, terminal_id: _Optional[str] = ..., code: _Optional[str] = ..., store_id: _Optional[str] = ..., name: _Optional[str] = ..., is_open: _Optional[bool] = ...) -> None: ...

class Credential(_message.Message):
    __slots__ = ("key_id", "kind", "subject_id", "name", "is_revoked", "create_time", "permissions", "certificate_sha256")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    IS_REVOKED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    kind: CredentialKind
    subject_id: str
    name: str
    is_revoked: bool
    create_time: _timestamp_pb2.Timestamp
    permissions: _containers.RepeatedScalarFieldContainer[str]
    certificate_sha256: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, key_id: _Optional[str] = ..., kind: _Optional[_Union[CredentialKind, str]] = ..., subject_id: _Optional[str] = ..., name: _Optional[str] = ..., is_revoked: _Optional[bool] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., permissions: _Optional[_Iterable[str]] = ..., certificate_sha256: _Optional[_Iterable[str]] = ...) -> None: ...

class CreateGroupRequest(_message.Message):
    __slots__ = ("request_id", "code", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., code: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class CreateGroupResponse(_message.Message):
    __slots__ = ("group", "system_credential", "secret")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    group: Group
    system_credential: Credential
    secret: str
    def __init__(self, group: _Optional[_Union[Group, _Mapping]] = ..., system_credential: _Optional[_Union[Credential, _Mapping]] = ..., secret: _Optional[str] = ...) -> None: ...

class CreateBusinessUnitRequest(_message.Message):
    __slots__ = ("request_id", "code", "name", "kind", "time_zone", "currency_code")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_CODE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code: str
    name: str
    kind: UnitKind
    time_zone: str
    currency_code: str
    def __init__(self, request_id: _Optional[str] = ..., code: _Optional[str] = ..., name: _Optional[str] = ..., kind: _Optional[_Union[UnitKind, str]] = ..., time_zone: _Optional[str] = ..., currency_code: _Optional[str] = ...) -> None: ...

class CreateBusinessUnitResponse(_message.Message):
    __slots__ = ("business_unit",)
    BUSINESS_UNIT_FIELD_NUMBER: _ClassVar[int]
    business_unit: BusinessUnit
    def __init__(self, business_unit: _Optional[_Union[BusinessUnit, _Mapping]] = ...) -> None: ...

class UpdateBusinessUnitRequest(_message.Message):
    __slots__ = ("request_id", "business_unit_id", "name", "is_open", "kind", "time_zone", "currency_code", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    IS_OPEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    business_unit_id: str
    name: str
    is_open: bool
    kind: UnitKind
    time_zone: str
    currency_code: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., name: _Optional[str] = ..., is_open: _Optional[bool] = ..., kind: _Optional[_Union[UnitKind, str]] = ..., time_zone: _Optional[str] = ..., currency_code: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class UpdateBusinessUnitResponse(_message.Message):
    __slots__ = ("business_unit", "closed_merchant_count", "closed_store_count")
    BUSINESS_UNIT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_MERCHANT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_STORE_COUNT_FIELD_NUMBER: _ClassVar[int]
    business_unit: BusinessUnit
    closed_merchant_count: int
    closed_store_count: int
    def __init__(self, business_unit: _Optional[_Union[BusinessUnit, _Mapping]] = ..., closed_merchant_count: _Optional[int] = ..., closed_store_count: _Optional[int] = ...) -> None: ...

class ListBusinessUnitsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBusinessUnitsResponse(_message.Message):
    __slots__ = ("business_units", "next_page_token")
    BUSINESS_UNITS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    business_units: _containers.RepeatedCompositeFieldContainer[BusinessUnit]
    next_page_token: str
    def __init__(self, business_units: _Optional[_Iterable[_Union[BusinessUnit, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateMerchantRequest(_message.Message):
    __slots__ = ("request_id", "code", "name", "business_unit_id", "category", "legal_name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    LEGAL_NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code: str
    name: str
    business_unit_id: str
    category: str
    legal_name: str
    def __init__(self, request_id: _Optional[str] = ..., code: _Optional[str] = ..., name: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., category: _Optional[str] = ..., legal_name: _Optional[str] = ...) -> None: ...

class CreateMerchantResponse(_message.Message):
    __slots__ = ("merchant",)
    MERCHANT_FIELD_NUMBER: _ClassVar[int]
    merchant: Merchant
    def __init__(self, merchant: _Optional[_Union[Merchant, _Mapping]] = ...) -> None: ...

class UpdateMerchantRequest(_message.Message):
    __slots__ = ("request_id", "merchant_id", "name", "category", "is_open", "reason", "legal_name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    IS_OPEN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LEGAL_NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    merchant_id: str
    name: str
    category: str
    is_open: bool
    reason: str
    legal_name: str
    def __init__(self, request_id: _Optional[str] = ..., merchant_id: _Optional[str] = ..., name: _Optional[str] = ..., category: _Optional[str] = ..., is_open: _Optional[bool] = ..., reason: _Optional[str] = ..., legal_name: _Optional[str] = ...) -> None: ...

class UpdateMerchantResponse(_message.Message):
    __slots__ = ("merchant", "closed_store_count")
    MERCHANT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_STORE_COUNT_FIELD_NUMBER: _ClassVar[int]
    merchant: Merchant
    closed_store_count: int
    def __init__(self, merchant: _Optional[_Union[Merchant, _Mapping]] = ..., closed_store_count: _Optional[int] = ...) -> None: ...

class ListMerchantsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "business_unit_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    business_unit_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., business_unit_id: _Optional[str] = ...) -> None: ...

class ListMerchantsResponse(_message.Message):
    __slots__ = ("merchants", "next_page_token")
    MERCHANTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    merchants: _containers.RepeatedCompositeFieldContainer[Merchant]
    next_page_token: str
    def __init__(self, merchants: _Optional[_Iterable[_Union[Merchant, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateStoreRequest(_message.Message):
    __slots__ = ("request_id", "code", "name", "merchant_id", "category", "floor", "opening_date")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    OPENING_DATE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code: str
    name: str
    merchant_id: str
    category: str
    floor: str
    opening_date: _types_pb2.BusinessDate
    def __init__(self, request_id: _Optional[str] = ..., code: _Optional[str] = ..., name: _Optional[str] = ..., merchant_id: _Optional[str] = ..., category: _Optional[str] = ..., floor: _Optional[str] = ..., opening_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ...) -> None: ...

class CreateStoreResponse(_message.Message):
    __slots__ = ("store",)
    STORE_FIELD_NUMBER: _ClassVar[int]
    store: Store
    def __init__(self, store: _Optional[_Union[Store, _Mapping]] = ...) -> None: ...

class UpdateStoreRequest(_message.Message):
    __slots__ = ("request_id", "store_id", "name", "category", "floor", "is_open", "opening_date")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    IS_OPEN_FIELD_NUMBER: _ClassVar[int]
    OPENING_DATE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    store_id: str
    name: str
    category: str
    floor: str
    is_open: bool
    opening_date: _types_pb2.BusinessDate
    def __init__(self, request_id: _Optional[str] = ..., store_id: _Optional[str] = ..., name: _Optional[str] = ..., category: _Optional[str] = ..., floor: _Optional[str] = ..., is_open: _Optional[bool] = ..., opening_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ...) -> None: ...

class UpdateStoreResponse(_message.Message):
    __slots__ = ("store",)
    STORE_FIELD_NUMBER: _ClassVar[int]
    store: Store
    def __init__(self, store: _Optional[_Union[Store, _Mapping]] = ...) -> None: ...

class GetStoreRequest(_message.Message):
    __slots__ = ("store_id",)
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    store_id: str
    def __init__(self, store_id: _Optional[str] = ...) -> None: ...

class GetStoreResponse(_message.Message):
    __slots__ = ("store",)
    STORE_FIELD_NUMBER: _ClassVar[int]
    store: Store
    def __init__(self, store: _Optional[_Union[Store, _Mapping]] = ...) -> None: ...

class ListStoresRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "merchant_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MERCHANT_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    merchant_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., merchant_id: _Optional[str] = ...) -> None: ...

class ListStoresResponse(_message.Message):
    __slots__ = ("stores", "next_page_token")
    STORES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    stores: _containers.RepeatedCompositeFieldContainer[Store]
    next_page_token: str
    def __init__(self, stores: _Optional[_Iterable[_Union[Store, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateTerminalRequest(_message.Message):
    __slots__ = ("request_id", "code", "store_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    code: str
    store_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., code: _Optional[str] = ..., store_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class CreateTerminalResponse(_message.Message):
    __slots__ = ("terminal",)
    TERMINAL_FIELD_NUMBER: _ClassVar[int]
    terminal: Terminal
    def __init__(self, terminal: _Optional[_Union[Terminal, _Mapping]] = ...) -> None: ...

class UpdateTerminalRequest(_message.Message):
    __slots__ = ("request_id", "terminal_id", "store_id", "name", "is_open", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TERMINAL_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    IS_OPEN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    terminal_id: str
    store_id: str
    name: str
    is_open: bool
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., terminal_id: _Optional[str] = ..., store_id: _Optional[str] = ..., name: _Optional[str] = ..., is_open: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class UpdateTerminalResponse(_message.Message):
    __slots__ = ("terminal",)
    TERMINAL_FIELD_NUMBER: _ClassVar[int]
    terminal: Terminal
    def __init__(self, terminal: _Optional[_Union[Terminal, _Mapping]] = ...) -> None: ...

class ListTerminalsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "store_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    store_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., store_id: _Optional[str] = ...) -> None: ...

class ListTerminalsResponse(_message.Message):
    __slots__ = ("terminals", "next_page_token")
    TERMINALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    terminals: _containers.RepeatedCompositeFieldContainer[Terminal]
    next_page_token: str
    def __init__(self, terminals: _Optional[_Iterable[_Union[Terminal, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ImportStructureRequest(_message.Message):
    __slots__ = ("request_id", "csv", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CSV_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    csv: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., csv: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ImportStructureResponse(_message.Message):
    __slots__ = ("created_count", "updated_count", "unchanged_count", "errors")
    CREATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    created_count: int
    updated_count: int
    unchanged_count: int
    errors: _containers.RepeatedCompositeFieldContainer[RowError]
    def __init__(self, created_count: _Optional[int] = ..., updated_count: _Optional[int] = ..., unchanged_count: _Optional[int] = ..., errors: _Optional[_Iterable[_Union[RowError, _Mapping]]] = ...) -> None: ...

class RowError(_message.Message):
    __slots__ = ("line", "column", "reason", "message", "message_zh")
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ZH_FIELD_NUMBER: _ClassVar[int]
    line: int
    column: str
    reason: str
    message: str
    message_zh: str
    def __init__(self, line: _Optional[int] = ..., column: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., message_zh: _Optional[str] = ...) -> None: ...

class CreateCredentialRequest(_message.Message):
    __slots__ = ("request_id", "kind", "subject_id", "name", "approval_id", "permissions", "partner_code")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_ID_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    PARTNER_CODE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    kind: CredentialKind
    subject_id: str
    name: str
    approval_id: str
    permissions: _containers.RepeatedScalarFieldContainer[str]
    partner_code: str
    def __init__(self, request_id: _Optional[str] = ..., kind: _Optional[_Union[CredentialKind, str]] = ..., subject_id: _Optional[str] = ..., name: _Optional[str] = ..., approval_id: _Optional[str] = ..., permissions: _Optional[_Iterable[str]] = ..., partner_code: _Optional[str] = ...) -> None: ...

class CreateCredentialResponse(_message.Message):
    __slots__ = ("credential", "secret", "approval")
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    credential: Credential
    secret: str
    approval: _approvals_pb2.Approval
    def __init__(self, credential: _Optional[_Union[Credential, _Mapping]] = ..., secret: _Optional[str] = ..., approval: _Optional[_Union[_approvals_pb2.Approval, _Mapping]] = ...) -> None: ...

class CreateTerminalCredentialsRequest(_message.Message):
    __slots__ = ("request_id", "terminal_codes")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TERMINAL_CODES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    terminal_codes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., terminal_codes: _Optional[_Iterable[str]] = ...) -> None: ...

class CreateTerminalCredentialsResponse(_message.Message):
    __slots__ = ("credentials",)
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    credentials: _containers.RepeatedCompositeFieldContainer[TerminalCredential]
    def __init__(self, credentials: _Optional[_Iterable[_Union[TerminalCredential, _Mapping]]] = ...) -> None: ...

class TerminalCredential(_message.Message):
    __slots__ = ("terminal_code", "terminal_id", "store_id", "key_id", "secret")
    TERMINAL_CODE_FIELD_NUMBER: _ClassVar[int]
    TERMINAL_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    terminal_code: str
    terminal_id: str
    store_id: str
    key_id: str
    secret: str
    def __init__(self, terminal_code: _Optional[str] = ..., terminal_id: _Optional[str] = ..., store_id: _Optional[str] = ..., key_id: _Optional[str] = ..., secret: _Optional[str] = ...) -> None: ...

class RotateCredentialRequest(_message.Message):
    __slots__ = ("request_id", "key_id", "overlap_seconds")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    key_id: str
    overlap_seconds: int
    def __init__(self, request_id: _Optional[str] = ..., key_id: _Optional[str] = ..., overlap_seconds: _Optional[int] = ...) -> None: ...

class RotateCredentialResponse(_message.Message):
    __slots__ = ("credential", "secret")
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    credential: Credential
    secret: str
    def __init__(self, credential: _Optional[_Union[Credential, _Mapping]] = ..., secret: _Optional[str] = ...) -> None: ...

class RevokeCredentialRequest(_message.Message):
    __slots__ = ("request_id", "key_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    key_id: str
    def __init__(self, request_id: _Optional[str] = ..., key_id: _Optional[str] = ...) -> None: ...

class RevokeCredentialResponse(_message.Message):
    __slots__ = ("credential",)
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    credential: Credential
    def __init__(self, credential: _Optional[_Union[Credential, _Mapping]] = ...) -> None: ...

class SetCredentialCertificatesRequest(_message.Message):
    __slots__ = ("request_id", "key_id", "certificate_sha256")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    key_id: str
    certificate_sha256: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., key_id: _Optional[str] = ..., certificate_sha256: _Optional[_Iterable[str]] = ...) -> None: ...

class SetCredentialCertificatesResponse(_message.Message):
    __slots__ = ("credential",)
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    credential: Credential
    def __init__(self, credential: _Optional[_Union[Credential, _Mapping]] = ...) -> None: ...

class ListCredentialsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCredentialsResponse(_message.Message):
    __slots__ = ("credentials", "next_page_token")
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    credentials: _containers.RepeatedCompositeFieldContainer[Credential]
    next_page_token: str
    def __init__(self, credentials: _Optional[_Iterable[_Union[Credential, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetCredentialSecretRequest(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class GetCredentialSecretResponse(_message.Message):
    __slots__ = ("kind", "group_id", "subject_id", "bound_id", "scopes", "secrets", "is_revoked", "certificate_sha256")
    class ScopesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    BOUND_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    IS_REVOKED_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    kind: CredentialKind
    group_id: str
    subject_id: str
    bound_id: str
    scopes: _containers.ScalarMap[str, str]
    secrets: _containers.RepeatedScalarFieldContainer[str]
    is_revoked: bool
    certificate_sha256: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, kind: _Optional[_Union[CredentialKind, str]] = ..., group_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., bound_id: _Optional[str] = ..., scopes: _Optional[_Mapping[str, str]] = ..., secrets: _Optional[_Iterable[str]] = ..., is_revoked: _Optional[bool] = ..., certificate_sha256: _Optional[_Iterable[str]] = ...) -> None: ...
