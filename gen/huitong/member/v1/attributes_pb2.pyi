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

class AttributeType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTRIBUTE_TYPE_UNSPECIFIED: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_TEXT: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_INTEGER: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_DECIMAL: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_BOOLEAN: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_DATE: _ClassVar[AttributeType]
    ATTRIBUTE_TYPE_CHOICE: _ClassVar[AttributeType]

class AttributeSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTRIBUTE_SOURCE_UNSPECIFIED: _ClassVar[AttributeSource]
    ATTRIBUTE_SOURCE_OPERATOR: _ClassVar[AttributeSource]
    ATTRIBUTE_SOURCE_IMPORT: _ClassVar[AttributeSource]
    ATTRIBUTE_SOURCE_TASK: _ClassVar[AttributeSource]
    ATTRIBUTE_SOURCE_SEGMENT: _ClassVar[AttributeSource]
    ATTRIBUTE_SOURCE_SYSTEM: _ClassVar[AttributeSource]
ATTRIBUTE_TYPE_UNSPECIFIED: AttributeType
ATTRIBUTE_TYPE_TEXT: AttributeType
ATTRIBUTE_TYPE_INTEGER: AttributeType
ATTRIBUTE_TYPE_DECIMAL: AttributeType
ATTRIBUTE_TYPE_BOOLEAN: AttributeType
ATTRIBUTE_TYPE_DATE: AttributeType
ATTRIBUTE_TYPE_CHOICE: AttributeType
ATTRIBUTE_SOURCE_UNSPECIFIED: AttributeSource
ATTRIBUTE_SOURCE_OPERATOR: AttributeSource
ATTRIBUTE_SOURCE_IMPORT: AttributeSource
ATTRIBUTE_SOURCE_TASK: AttributeSource
ATTRIBUTE_SOURCE_SEGMENT: AttributeSource
ATTRIBUTE_SOURCE_SYSTEM: AttributeSource

class AttributeChoice(_message.Message):
    __slots__ = ("code", "label", "label_zh")
    CODE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    LABEL_ZH_FIELD_NUMBER: _ClassVar[int]
    code: str
    label: str
    label_zh: str
    def __init__(self, code: _Optional[str] = ..., label: _Optional[str] = ..., label_zh: _Optional[str] = ...) -> None: ...

class AttributeDefinition(_message.Message):
    __slots__ = ("key", "type", "label", "label_zh", "choices")
    KEY_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    LABEL_ZH_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    key: str
    type: AttributeType
    label: str
    label_zh: str
    choices: _containers.RepeatedCompositeFieldContainer[AttributeChoice]
    def __init__(self, key: _Optional[str] = ..., type: _Optional[_Union[AttributeType, str]] = ..., label: _Optional[str] = ..., label_zh: _Optional[str] = ..., choices: _Optional[_Iterable[_Union[AttributeChoice, _Mapping]]] = ...) -> None: ...

class AttributeValue(_message.Message):
    __slots__ = ("text_value", "integer_value", "decimal_value", "boolean_value", "date_value", "choice_value")
    TEXT_VALUE_FIELD_NUMBER: _ClassVar[int]
    INTEGER_VALUE_FIELD_NUMBER: _ClassVar[int]
    DECIMAL_VALUE_FIELD_NUMBER: _ClassVar[int]
    BOOLEAN_VALUE_FIELD_NUMBER: _ClassVar[int]
    DATE_VALUE_FIELD_NUMBER: _ClassVar[int]
    CHOICE_VALUE_FIELD_NUMBER: _ClassVar[int]
    text_value: str
    integer_value: int
    decimal_value: str
    boolean_value: bool
    date_value: _types_pb2.BusinessDate
    choice_value: str
    def __init__(self, text_value: _Optional[str] = ..., integer_value: _Optional[int] = ..., decimal_value: _Optional[str] = ..., boolean_value: _Optional[bool] = ..., date_value: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., choice_value: _Optional[str] = ...) -> None: ...

class DefineAttributeRequest(_message.Message):
    __slots__ = ("request_id", "definition")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    definition: AttributeDefinition
    def __init__(self, request_id: _Optional[str] = ..., definition: _Optional[_Union[AttributeDefinition, _Mapping]] = ...) -> None: ...

class DefineAttributeResponse(_message.Message):
    __slots__ = ("definition",)
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    definition: AttributeDefinition
    def __init__(self, definition: _Optional[_Union[AttributeDefinition, _Mapping]] = ...) -> None: ...

class ListAttributeDefinitionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAttributeDefinitionsResponse(_message.Message):
    __slots__ = ("definitions", "next_page_token")
    DEFINITIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    definitions: _containers.RepeatedCompositeFieldContainer[AttributeDefinition]
    next_page_token: str
    def __init__(self, definitions: _Optional[_Iterable[_Union[AttributeDefinition, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AttributeItem(_message.Message):
    __slots__ = ("member_id", "key", "value")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    key: str
    value: AttributeValue
    def __init__(self, member_id: _Optional[str] = ..., key: _Optional[str] = ..., value: _Optional[_Union[AttributeValue, _Mapping]] = ...) -> None: ...

class SetMemberAttributesRequest(_message.Message):
    __slots__ = ("request_id", "items", "source")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    items: _containers.RepeatedCompositeFieldContainer[AttributeItem]
    source: AttributeSource
    def __init__(self, request_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[AttributeItem, _Mapping]]] = ..., source: _Optional[_Union[AttributeSource, str]] = ...) -> None: ...

class SetMemberAttributesResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ItemResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ItemResult, _Mapping]]] = ...) -> None: ...

class ItemResult(_message.Message):
    __slots__ = ("is_changed", "problem")
    IS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    is_changed: bool
    problem: _types_pb2.Problem
    def __init__(self, is_changed: _Optional[bool] = ..., problem: _Optional[_Union[_types_pb2.Problem, _Mapping]] = ...) -> None: ...

class MemberAttribute(_message.Message):
    __slots__ = ("key", "value", "source", "set_by", "set_time")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SET_BY_FIELD_NUMBER: _ClassVar[int]
    SET_TIME_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: AttributeValue
    source: AttributeSource
    set_by: str
    set_time: _timestamp_pb2.Timestamp
    def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[AttributeValue, _Mapping]] = ..., source: _Optional[_Union[AttributeSource, str]] = ..., set_by: _Optional[str] = ..., set_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MemberTag(_message.Message):
    __slots__ = ("tag", "source", "added_by", "add_time")
    TAG_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ADDED_BY_FIELD_NUMBER: _ClassVar[int]
    ADD_TIME_FIELD_NUMBER: _ClassVar[int]
    tag: str
    source: AttributeSource
    added_by: str
    add_time: _timestamp_pb2.Timestamp
    def __init__(self, tag: _Optional[str] = ..., source: _Optional[_Union[AttributeSource, str]] = ..., added_by: _Optional[str] = ..., add_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetMemberAttributesRequest(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class GetMemberAttributesResponse(_message.Message):
    __slots__ = ("attributes", "tags")
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.RepeatedCompositeFieldContainer[MemberAttribute]
    tags: _containers.RepeatedCompositeFieldContainer[MemberTag]
    def __init__(self, attributes: _Optional[_Iterable[_Union[MemberAttribute, _Mapping]]] = ..., tags: _Optional[_Iterable[_Union[MemberTag, _Mapping]]] = ...) -> None: ...

class TagItem(_message.Message):
    __slots__ = ("member_id", "tag")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    tag: str
    def __init__(self, member_id: _Optional[str] = ..., tag: _Optional[str] = ...) -> None: ...

class AddTagsRequest(_message.Message):
    __slots__ = ("request_id", "items", "source")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    items: _containers.RepeatedCompositeFieldContainer[TagItem]
    source: AttributeSource
    def __init__(self, request_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[TagItem, _Mapping]]] = ..., source: _Optional[_Union[AttributeSource, str]] = ...) -> None: ...

class AddTagsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ItemResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ItemResult, _Mapping]]] = ...) -> None: ...

class RemoveTagsRequest(_message.Message):
    __slots__ = ("request_id", "items", "source")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    items: _containers.RepeatedCompositeFieldContainer[TagItem]
    source: AttributeSource
    def __init__(self, request_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[TagItem, _Mapping]]] = ..., source: _Optional[_Union[AttributeSource, str]] = ...) -> None: ...

class RemoveTagsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ItemResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ItemResult, _Mapping]]] = ...) -> None: ...

class ListMembersByTagRequest(_message.Message):
    __slots__ = ("tag", "page_size", "page_token")
    TAG_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tag: str
    page_size: int
    page_token: str
    def __init__(self, tag: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMembersByTagResponse(_message.Message):
    __slots__ = ("member_ids", "next_page_token")
    MEMBER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    member_ids: _containers.RepeatedScalarFieldContainer[str]
    next_page_token: str
    def __init__(self, member_ids: _Optional[_Iterable[str]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
