import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.common.v1 import events_pb2 as _events_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListPacksRequest(_message.Message):
    __slots__ = ("lane", "first_pack_no", "last_pack_no")
    LANE_FIELD_NUMBER: _ClassVar[int]
    FIRST_PACK_NO_FIELD_NUMBER: _ClassVar[int]
    LAST_PACK_NO_FIELD_NUMBER: _ClassVar[int]
    lane: int
    first_pack_no: int
    last_pack_no: int
    def __init__(self, lane: _Optional[int] = ..., first_pack_no: _Optional[int] = ..., last_pack_no: _Optional[int] = ...) -> None: ...

class ListPacksResponse(_message.Message):
    __slots__ = ("packs",)
    PACKS_FIELD_NUMBER: _ClassVar[int]
    packs: _containers.RepeatedCompositeFieldContainer[_events_pb2.EventPack]
    def __init__(self, packs: _Optional[_Iterable[_Union[_events_pb2.EventPack, _Mapping]]] = ...) -> None: ...

class GetProgressRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetProgressResponse(_message.Message):
    __slots__ = ("service", "business_time", "produced", "consumed", "jobs", "parked_event_count")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_TIME_FIELD_NUMBER: _ClassVar[int]
    PRODUCED_FIELD_NUMBER: _ClassVar[int]
    CONSUMED_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    PARKED_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    service: str
    business_time: _timestamp_pb2.Timestamp
    produced: _containers.RepeatedCompositeFieldContainer[Produced]
    consumed: _containers.RepeatedCompositeFieldContainer[Consumed]
    jobs: _containers.RepeatedCompositeFieldContainer[JobProgress]
    parked_event_count: int
    def __init__(self, service: _Optional[str] = ..., business_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., produced: _Optional[_Iterable[_Union[Produced, _Mapping]]] = ..., consumed: _Optional[_Iterable[_Union[Consumed, _Mapping]]] = ..., jobs: _Optional[_Iterable[_Union[JobProgress, _Mapping]]] = ..., parked_event_count: _Optional[int] = ...) -> None: ...

class Produced(_message.Message):
    __slots__ = ("lane", "pack_no", "waiting_event_count")
    LANE_FIELD_NUMBER: _ClassVar[int]
    PACK_NO_FIELD_NUMBER: _ClassVar[int]
    WAITING_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    lane: int
    pack_no: int
    waiting_event_count: int
    def __init__(self, lane: _Optional[int] = ..., pack_no: _Optional[int] = ..., waiting_event_count: _Optional[int] = ...) -> None: ...

class Consumed(_message.Message):
    __slots__ = ("producer", "lane", "pack_no")
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    PACK_NO_FIELD_NUMBER: _ClassVar[int]
    producer: str
    lane: int
    pack_no: int
    def __init__(self, producer: _Optional[str] = ..., lane: _Optional[int] = ..., pack_no: _Optional[int] = ...) -> None: ...

class JobProgress(_message.Message):
    __slots__ = ("job", "done_until", "last_error")
    JOB_FIELD_NUMBER: _ClassVar[int]
    DONE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    job: str
    done_until: _timestamp_pb2.Timestamp
    last_error: str
    def __init__(self, job: _Optional[str] = ..., done_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_error: _Optional[str] = ...) -> None: ...

class AwaitDrainedRequest(_message.Message):
    __slots__ = ("applied",)
    APPLIED_FIELD_NUMBER: _ClassVar[int]
    applied: _containers.RepeatedCompositeFieldContainer[Consumed]
    def __init__(self, applied: _Optional[_Iterable[_Union[Consumed, _Mapping]]] = ...) -> None: ...

class AwaitDrainedResponse(_message.Message):
    __slots__ = ("produced",)
    PRODUCED_FIELD_NUMBER: _ClassVar[int]
    produced: _containers.RepeatedCompositeFieldContainer[Produced]
    def __init__(self, produced: _Optional[_Iterable[_Union[Produced, _Mapping]]] = ...) -> None: ...

class SetBusinessTimeRequest(_message.Message):
    __slots__ = ("business_time", "hold_at_time")
    BUSINESS_TIME_FIELD_NUMBER: _ClassVar[int]
    HOLD_AT_TIME_FIELD_NUMBER: _ClassVar[int]
    business_time: _timestamp_pb2.Timestamp
    hold_at_time: _timestamp_pb2.Timestamp
    def __init__(self, business_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., hold_at_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SetBusinessTimeResponse(_message.Message):
    __slots__ = ("business_time",)
    BUSINESS_TIME_FIELD_NUMBER: _ClassVar[int]
    business_time: _timestamp_pb2.Timestamp
    def __init__(self, business_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListParkedEventsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListParkedEventsResponse(_message.Message):
    __slots__ = ("events", "next_page_token")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[ParkedEvent]
    next_page_token: str
    def __init__(self, events: _Optional[_Iterable[_Union[ParkedEvent, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ParkedEvent(_message.Message):
    __slots__ = ("event_id", "type", "producer", "lane", "pack_no", "reason", "attempt_count", "park_time")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    PACK_NO_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PARK_TIME_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    type: str
    producer: str
    lane: int
    pack_no: int
    reason: str
    attempt_count: int
    park_time: _timestamp_pb2.Timestamp
    def __init__(self, event_id: _Optional[str] = ..., type: _Optional[str] = ..., producer: _Optional[str] = ..., lane: _Optional[int] = ..., pack_no: _Optional[int] = ..., reason: _Optional[str] = ..., attempt_count: _Optional[int] = ..., park_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RetryParkedEventsRequest(_message.Message):
    __slots__ = ("event_ids",)
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, event_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class RetryParkedEventsResponse(_message.Message):
    __slots__ = ("applied_count", "still_parked_count")
    APPLIED_COUNT_FIELD_NUMBER: _ClassVar[int]
    STILL_PARKED_COUNT_FIELD_NUMBER: _ClassVar[int]
    applied_count: int
    still_parked_count: int
    def __init__(self, applied_count: _Optional[int] = ..., still_parked_count: _Optional[int] = ...) -> None: ...
