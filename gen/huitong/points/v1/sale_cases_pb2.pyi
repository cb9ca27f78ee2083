import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.points.v1 import doors_pb2 as _doors_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SaleCaseState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SALE_CASE_STATE_UNSPECIFIED: _ClassVar[SaleCaseState]
    SALE_CASE_STATE_OPEN: _ClassVar[SaleCaseState]
    SALE_CASE_STATE_RELEASED: _ClassVar[SaleCaseState]
    SALE_CASE_STATE_REJECTED: _ClassVar[SaleCaseState]

class SaleCaseDecision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SALE_CASE_DECISION_UNSPECIFIED: _ClassVar[SaleCaseDecision]
    SALE_CASE_DECISION_RELEASE: _ClassVar[SaleCaseDecision]
    SALE_CASE_DECISION_REJECT: _ClassVar[SaleCaseDecision]
SALE_CASE_STATE_UNSPECIFIED: SaleCaseState
SALE_CASE_STATE_OPEN: SaleCaseState
SALE_CASE_STATE_RELEASED: SaleCaseState
SALE_CASE_STATE_REJECTED: SaleCaseState
SALE_CASE_DECISION_UNSPECIFIED: SaleCaseDecision
SALE_CASE_DECISION_RELEASE: SaleCaseDecision
SALE_CASE_DECISION_REJECT: SaleCaseDecision

class CaseEvidence(_message.Message):
    __slots__ = ("limit_id", "measure", "seen", "allowed")
    LIMIT_ID_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    SEEN_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    limit_id: str
    measure: str
    seen: int
    allowed: int
    def __init__(self, limit_id: _Optional[str] = ..., measure: _Optional[str] = ..., seen: _Optional[int] = ..., allowed: _Optional[int] = ...) -> None: ...

class SaleCase(_message.Message):
    __slots__ = ("case_id", "kind", "state", "sale_id", "member_id", "store_id", "receipt_no", "sale_time", "amount_minor", "points", "other_sale_id", "other_source", "other_receipt_no", "evidence", "create_time", "until_time", "decided_by", "decision_note", "decide_time")
    CASE_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NO_FIELD_NUMBER: _ClassVar[int]
    SALE_TIME_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MINOR_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    OTHER_SALE_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_SOURCE_FIELD_NUMBER: _ClassVar[int]
    OTHER_RECEIPT_NO_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    DECISION_NOTE_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    case_id: str
    kind: _doors_pb2.SaleCaseKind
    state: SaleCaseState
    sale_id: str
    member_id: str
    store_id: str
    receipt_no: str
    sale_time: _timestamp_pb2.Timestamp
    amount_minor: int
    points: int
    other_sale_id: str
    other_source: str
    other_receipt_no: str
    evidence: _containers.RepeatedCompositeFieldContainer[CaseEvidence]
    create_time: _timestamp_pb2.Timestamp
    until_time: _timestamp_pb2.Timestamp
    decided_by: str
    decision_note: str
    decide_time: _timestamp_pb2.Timestamp
    def __init__(self, case_id: _Optional[str] = ..., kind: _Optional[_Union[_doors_pb2.SaleCaseKind, str]] = ..., state: _Optional[_Union[SaleCaseState, str]] = ..., sale_id: _Optional[str] = ..., member_id: _Optional[str] = ..., store_id: _Optional[str] = ..., receipt_no: _Optional[str] = ..., sale_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., amount_minor: _Optional[int] = ..., points: _Optional[int] = ..., other_sale_id: _Optional[str] = ..., other_source: _Optional[str] = ..., other_receipt_no: _Optional[str] = ..., evidence: _Optional[_Iterable[_Union[CaseEvidence, _Mapping]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decided_by: _Optional[str] = ..., decision_note: _Optional[str] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ConfirmSaleRequest(_message.Message):
    __slots__ = ("request_id", "store_id", "source", "receipt_no")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NO_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    store_id: str
    source: str
    receipt_no: str
    def __init__(self, request_id: _Optional[str] = ..., store_id: _Optional[str] = ..., source: _Optional[str] = ..., receipt_no: _Optional[str] = ...) -> None: ...

class ConfirmSaleResponse(_message.Message):
    __slots__ = ("sale_id", "member_id", "activated_points", "unlock_time")
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVATED_POINTS_FIELD_NUMBER: _ClassVar[int]
    UNLOCK_TIME_FIELD_NUMBER: _ClassVar[int]
    sale_id: str
    member_id: str
    activated_points: int
    unlock_time: _timestamp_pb2.Timestamp
    def __init__(self, sale_id: _Optional[str] = ..., member_id: _Optional[str] = ..., activated_points: _Optional[int] = ..., unlock_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RejectSaleRequest(_message.Message):
    __slots__ = ("request_id", "store_id", "source", "receipt_no", "note")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_NO_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    store_id: str
    source: str
    receipt_no: str
    note: str
    def __init__(self, request_id: _Optional[str] = ..., store_id: _Optional[str] = ..., source: _Optional[str] = ..., receipt_no: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class RejectSaleResponse(_message.Message):
    __slots__ = ("sale_id", "member_id", "clawed_back_points", "debt_points")
    SALE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    CLAWED_BACK_POINTS_FIELD_NUMBER: _ClassVar[int]
    DEBT_POINTS_FIELD_NUMBER: _ClassVar[int]
    sale_id: str
    member_id: str
    clawed_back_points: int
    debt_points: int
    def __init__(self, sale_id: _Optional[str] = ..., member_id: _Optional[str] = ..., clawed_back_points: _Optional[int] = ..., debt_points: _Optional[int] = ...) -> None: ...

class ListSaleCasesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state", "kind", "business_unit_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: SaleCaseState
    kind: _doors_pb2.SaleCaseKind
    business_unit_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[SaleCaseState, str]] = ..., kind: _Optional[_Union[_doors_pb2.SaleCaseKind, str]] = ..., business_unit_id: _Optional[str] = ...) -> None: ...

class ListSaleCasesResponse(_message.Message):
    __slots__ = ("cases", "next_page_token")
    CASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    cases: _containers.RepeatedCompositeFieldContainer[SaleCase]
    next_page_token: str
    def __init__(self, cases: _Optional[_Iterable[_Union[SaleCase, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DecideSaleCaseRequest(_message.Message):
    __slots__ = ("request_id", "case_id", "decision", "note", "business_unit_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CASE_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    case_id: str
    decision: SaleCaseDecision
    note: str
    business_unit_id: str
    def __init__(self, request_id: _Optional[str] = ..., case_id: _Optional[str] = ..., decision: _Optional[_Union[SaleCaseDecision, str]] = ..., note: _Optional[str] = ..., business_unit_id: _Optional[str] = ...) -> None: ...

class DecideSaleCaseResponse(_message.Message):
    __slots__ = ("sale_case", "activated_points", "clawed_back_points", "debt_points")
    SALE_CASE_FIELD_NUMBER: _ClassVar[int]
    ACTIVATED_POINTS_FIELD_NUMBER: _ClassVar[int]
    CLAWED_BACK_POINTS_FIELD_NUMBER: _ClassVar[int]
    DEBT_POINTS_FIELD_NUMBER: _ClassVar[int]
    sale_case: SaleCase
    activated_points: int
    clawed_back_points: int
    debt_points: int
    def __init__(self, sale_case: _Optional[_Union[SaleCase, _Mapping]] = ..., activated_points: _Optional[int] = ..., clawed_back_points: _Optional[int] = ..., debt_points: _Optional[int] = ...) -> None: ...
