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

class NumberScheme(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NUMBER_SCHEME_UNSPECIFIED: _ClassVar[NumberScheme]
    NUMBER_SCHEME_HOTEL_GUEST: _ClassVar[NumberScheme]
    NUMBER_SCHEME_OFFICE_CARD: _ClassVar[NumberScheme]
    NUMBER_SCHEME_HOUSEHOLD: _ClassVar[NumberScheme]
    NUMBER_SCHEME_CARD: _ClassVar[NumberScheme]

class ImportOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMPORT_OUTCOME_UNSPECIFIED: _ClassVar[ImportOutcome]
    IMPORT_OUTCOME_NEW: _ClassVar[ImportOutcome]
    IMPORT_OUTCOME_LINKED: _ClassVar[ImportOutcome]
    IMPORT_OUTCOME_MATCHED: _ClassVar[ImportOutcome]
    IMPORT_OUTCOME_CONFLICT: _ClassVar[ImportOutcome]
    IMPORT_OUTCOME_OTHER_PHONE: _ClassVar[ImportOutcome]
    IMPORT_OUTCOME_NO_PHONE: _ClassVar[ImportOutcome]
NUMBER_SCHEME_UNSPECIFIED: NumberScheme
NUMBER_SCHEME_HOTEL_GUEST: NumberScheme
NUMBER_SCHEME_OFFICE_CARD: NumberScheme
NUMBER_SCHEME_HOUSEHOLD: NumberScheme
NUMBER_SCHEME_CARD: NumberScheme
IMPORT_OUTCOME_UNSPECIFIED: ImportOutcome
IMPORT_OUTCOME_NEW: ImportOutcome
IMPORT_OUTCOME_LINKED: ImportOutcome
IMPORT_OUTCOME_MATCHED: ImportOutcome
IMPORT_OUTCOME_CONFLICT: ImportOutcome
IMPORT_OUTCOME_OTHER_PHONE: ImportOutcome
IMPORT_OUTCOME_NO_PHONE: ImportOutcome

class MemberImport(_message.Message):
    __slots__ = ("import_id", "business_unit_id", "scheme", "name", "create_time")
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    business_unit_id: str
    scheme: NumberScheme
    name: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, import_id: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., scheme: _Optional[_Union[NumberScheme, str]] = ..., name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateMemberImportRequest(_message.Message):
    __slots__ = ("request_id", "business_unit_id", "scheme", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_UNIT_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    business_unit_id: str
    scheme: NumberScheme
    name: str
    def __init__(self, request_id: _Optional[str] = ..., business_unit_id: _Optional[str] = ..., scheme: _Optional[_Union[NumberScheme, str]] = ..., name: _Optional[str] = ...) -> None: ...

class CreateMemberImportResponse(_message.Message):
    __slots__ = ("member_import",)
    MEMBER_IMPORT_FIELD_NUMBER: _ClassVar[int]
    member_import: MemberImport
    def __init__(self, member_import: _Optional[_Union[MemberImport, _Mapping]] = ...) -> None: ...

class MemberRow(_message.Message):
    __slots__ = ("request_id", "number", "phone", "birth_month", "tags")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    BIRTH_MONTH_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    number: str
    phone: str
    birth_month: int
    tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., number: _Optional[str] = ..., phone: _Optional[str] = ..., birth_month: _Optional[int] = ..., tags: _Optional[_Iterable[str]] = ...) -> None: ...

class ImportMembersRequest(_message.Message):
    __slots__ = ("request_id", "import_id", "rows")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    import_id: str
    rows: _containers.RepeatedCompositeFieldContainer[MemberRow]
    def __init__(self, request_id: _Optional[str] = ..., import_id: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[MemberRow, _Mapping]]] = ...) -> None: ...

class ImportMembersResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ImportedMember]
    def __init__(self, results: _Optional[_Iterable[_Union[ImportedMember, _Mapping]]] = ...) -> None: ...

class ImportedMember(_message.Message):
    __slots__ = ("request_id", "outcome", "member_id", "other_member_id", "problem")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    outcome: ImportOutcome
    member_id: str
    other_member_id: str
    problem: _types_pb2.Problem
    def __init__(self, request_id: _Optional[str] = ..., outcome: _Optional[_Union[ImportOutcome, str]] = ..., member_id: _Optional[str] = ..., other_member_id: _Optional[str] = ..., problem: _Optional[_Union[_types_pb2.Problem, _Mapping]] = ...) -> None: ...

class GetMemberImportRequest(_message.Message):
    __slots__ = ("import_id",)
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    def __init__(self, import_id: _Optional[str] = ...) -> None: ...

class GetMemberImportResponse(_message.Message):
    __slots__ = ("member_import", "counts")
    MEMBER_IMPORT_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    member_import: MemberImport
    counts: _containers.RepeatedCompositeFieldContainer[OutcomeCount]
    def __init__(self, member_import: _Optional[_Union[MemberImport, _Mapping]] = ..., counts: _Optional[_Iterable[_Union[OutcomeCount, _Mapping]]] = ...) -> None: ...

class OutcomeCount(_message.Message):
    __slots__ = ("outcome", "row_count")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    outcome: ImportOutcome
    row_count: int
    def __init__(self, outcome: _Optional[_Union[ImportOutcome, str]] = ..., row_count: _Optional[int] = ...) -> None: ...

class ListImportedMembersRequest(_message.Message):
    __slots__ = ("import_id", "outcome", "page_size", "page_token")
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    outcome: ImportOutcome
    page_size: int
    page_token: str
    def __init__(self, import_id: _Optional[str] = ..., outcome: _Optional[_Union[ImportOutcome, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListImportedMembersResponse(_message.Message):
    __slots__ = ("rows", "next_page_token")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[ImportedMember]
    next_page_token: str
    def __init__(self, rows: _Optional[_Iterable[_Union[ImportedMember, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
