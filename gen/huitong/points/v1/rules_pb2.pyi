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

class RuleDraftState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RULE_DRAFT_STATE_UNSPECIFIED: _ClassVar[RuleDraftState]
    RULE_DRAFT_STATE_DRAFT: _ClassVar[RuleDraftState]
    RULE_DRAFT_STATE_PUBLISHED: _ClassVar[RuleDraftState]
    RULE_DRAFT_STATE_DISCARDED: _ClassVar[RuleDraftState]

class RuleSimulationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RULE_SIMULATION_STATE_UNSPECIFIED: _ClassVar[RuleSimulationState]
    RULE_SIMULATION_STATE_RUNNING: _ClassVar[RuleSimulationState]
    RULE_SIMULATION_STATE_DONE: _ClassVar[RuleSimulationState]
    RULE_SIMULATION_STATE_FAILED: _ClassVar[RuleSimulationState]
RULE_DRAFT_STATE_UNSPECIFIED: RuleDraftState
RULE_DRAFT_STATE_DRAFT: RuleDraftState
RULE_DRAFT_STATE_PUBLISHED: RuleDraftState
RULE_DRAFT_STATE_DISCARDED: RuleDraftState
RULE_SIMULATION_STATE_UNSPECIFIED: RuleSimulationState
RULE_SIMULATION_STATE_RUNNING: RuleSimulationState
RULE_SIMULATION_STATE_DONE: RuleSimulationState
RULE_SIMULATION_STATE_FAILED: RuleSimulationState

class RuleDraft(_message.Message):
    __slots__ = ("draft_id", "state", "rule_set", "note", "author", "decided_by", "create_time", "decide_time", "warnings")
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RULE_SET_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    draft_id: str
    state: RuleDraftState
    rule_set: _points_pb2.RuleSet
    note: str
    author: str
    decided_by: str
    create_time: _timestamp_pb2.Timestamp
    decide_time: _timestamp_pb2.Timestamp
    warnings: _containers.RepeatedCompositeFieldContainer[_types_pb2.Problem]
    def __init__(self, draft_id: _Optional[str] = ..., state: _Optional[_Union[RuleDraftState, str]] = ..., rule_set: _Optional[_Union[_points_pb2.RuleSet, _Mapping]] = ..., note: _Optional[str] = ..., author: _Optional[str] = ..., decided_by: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_types_pb2.Problem, _Mapping]]] = ...) -> None: ...

class CreateRuleDraftRequest(_message.Message):
    __slots__ = ("request_id", "rule_set", "note")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_SET_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    rule_set: _points_pb2.RuleSet
    note: str
    def __init__(self, request_id: _Optional[str] = ..., rule_set: _Optional[_Union[_points_pb2.RuleSet, _Mapping]] = ..., note: _Optional[str] = ...) -> None: ...

class CreateRuleDraftResponse(_message.Message):
    __slots__ = ("draft",)
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    draft: RuleDraft
    def __init__(self, draft: _Optional[_Union[RuleDraft, _Mapping]] = ...) -> None: ...

class GetRuleDraftRequest(_message.Message):
    __slots__ = ("draft_id",)
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    draft_id: str
    def __init__(self, draft_id: _Optional[str] = ...) -> None: ...

class GetRuleDraftResponse(_message.Message):
    __slots__ = ("draft",)
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    draft: RuleDraft
    def __init__(self, draft: _Optional[_Union[RuleDraft, _Mapping]] = ...) -> None: ...

class ListRuleDraftsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRuleDraftsResponse(_message.Message):
    __slots__ = ("drafts", "next_page_token")
    DRAFTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    drafts: _containers.RepeatedCompositeFieldContainer[RuleDraft]
    next_page_token: str
    def __init__(self, drafts: _Optional[_Iterable[_Union[RuleDraft, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ApproveRuleDraftRequest(_message.Message):
    __slots__ = ("request_id", "draft_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    draft_id: str
    def __init__(self, request_id: _Optional[str] = ..., draft_id: _Optional[str] = ...) -> None: ...

class ApproveRuleDraftResponse(_message.Message):
    __slots__ = ("draft",)
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    draft: RuleDraft
    def __init__(self, draft: _Optional[_Union[RuleDraft, _Mapping]] = ...) -> None: ...

class DiscardRuleDraftRequest(_message.Message):
    __slots__ = ("request_id", "draft_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    draft_id: str
    def __init__(self, request_id: _Optional[str] = ..., draft_id: _Optional[str] = ...) -> None: ...

class DiscardRuleDraftResponse(_message.Message):
    __slots__ = ("draft",)
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    draft: RuleDraft
    def __init__(self, draft: _Optional[_Union[RuleDraft, _Mapping]] = ...) -> None: ...

class RollBackRulesRequest(_message.Message):
    __slots__ = ("request_id", "version", "note")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    version: int
    note: str
    def __init__(self, request_id: _Optional[str] = ..., version: _Optional[int] = ..., note: _Optional[str] = ...) -> None: ...

class RollBackRulesResponse(_message.Message):
    __slots__ = ("draft",)
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    draft: RuleDraft
    def __init__(self, draft: _Optional[_Union[RuleDraft, _Mapping]] = ...) -> None: ...

class ListRuleSetsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRuleSetsResponse(_message.Message):
    __slots__ = ("rule_sets", "next_page_token")
    RULE_SETS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    rule_sets: _containers.RepeatedCompositeFieldContainer[_points_pb2.RuleSet]
    next_page_token: str
    def __init__(self, rule_sets: _Optional[_Iterable[_Union[_points_pb2.RuleSet, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class QuoteSaleRequest(_message.Message):
    __slots__ = ("sale", "draft_id")
    SALE_FIELD_NUMBER: _ClassVar[int]
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    sale: _points_pb2.RecordSaleRequest
    draft_id: str
    def __init__(self, sale: _Optional[_Union[_points_pb2.RecordSaleRequest, _Mapping]] = ..., draft_id: _Optional[str] = ...) -> None: ...

class QuoteSaleResponse(_message.Message):
    __slots__ = ("points", "expire_time", "explanation")
    POINTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    points: int
    expire_time: _timestamp_pb2.Timestamp
    explanation: _points_pb2.Explanation
    def __init__(self, points: _Optional[int] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., explanation: _Optional[_Union[_points_pb2.Explanation, _Mapping]] = ...) -> None: ...

class StartRuleSimulationRequest(_message.Message):
    __slots__ = ("request_id", "draft_id", "first_date", "last_date")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_DATE_FIELD_NUMBER: _ClassVar[int]
    LAST_DATE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    draft_id: str
    first_date: _types_pb2.BusinessDate
    last_date: _types_pb2.BusinessDate
    def __init__(self, request_id: _Optional[str] = ..., draft_id: _Optional[str] = ..., first_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., last_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ...) -> None: ...

class StartRuleSimulationResponse(_message.Message):
    __slots__ = ("simulation",)
    SIMULATION_FIELD_NUMBER: _ClassVar[int]
    simulation: RuleSimulation
    def __init__(self, simulation: _Optional[_Union[RuleSimulation, _Mapping]] = ...) -> None: ...

class GetRuleSimulationRequest(_message.Message):
    __slots__ = ("simulation_id",)
    SIMULATION_ID_FIELD_NUMBER: _ClassVar[int]
    simulation_id: str
    def __init__(self, simulation_id: _Optional[str] = ...) -> None: ...

class GetRuleSimulationResponse(_message.Message):
    __slots__ = ("simulation",)
    SIMULATION_FIELD_NUMBER: _ClassVar[int]
    simulation: RuleSimulation
    def __init__(self, simulation: _Optional[_Union[RuleSimulation, _Mapping]] = ...) -> None: ...

class RuleSimulation(_message.Message):
    __slots__ = ("simulation_id", "state", "draft_id", "first_date", "last_date", "done_sale_count", "total_sale_count", "problem", "result")
    SIMULATION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_DATE_FIELD_NUMBER: _ClassVar[int]
    LAST_DATE_FIELD_NUMBER: _ClassVar[int]
    DONE_SALE_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SALE_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    simulation_id: str
    state: RuleSimulationState
    draft_id: str
    first_date: _types_pb2.BusinessDate
    last_date: _types_pb2.BusinessDate
    done_sale_count: int
    total_sale_count: int
    problem: str
    result: SimulationResult
    def __init__(self, simulation_id: _Optional[str] = ..., state: _Optional[_Union[RuleSimulationState, str]] = ..., draft_id: _Optional[str] = ..., first_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., last_date: _Optional[_Union[_types_pb2.BusinessDate, _Mapping]] = ..., done_sale_count: _Optional[int] = ..., total_sale_count: _Optional[int] = ..., problem: _Optional[str] = ..., result: _Optional[_Union[SimulationResult, _Mapping]] = ...) -> None: ...

class SimulationResult(_message.Message):
    __slots__ = ("sale_count", "sales_minor", "actual_points", "draft_points", "actual_cost_minor", "draft_cost_minor", "liability_change_minor", "winning_member_count", "losing_member_count", "member_winners", "member_losers", "store_winners", "store_losers", "rules", "skipped_count", "actual_outstanding_points", "draft_outstanding_points", "liabilities", "throttled_count")
    SALE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SALES_MINOR_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_POINTS_FIELD_NUMBER: _ClassVar[int]
    DRAFT_POINTS_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_COST_MINOR_FIELD_NUMBER: _ClassVar[int]
    DRAFT_COST_MINOR_FIELD_NUMBER: _ClassVar[int]
    LIABILITY_CHANGE_MINOR_FIELD_NUMBER: _ClassVar[int]
    WINNING_MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    LOSING_MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMBER_WINNERS_FIELD_NUMBER: _ClassVar[int]
    MEMBER_LOSERS_FIELD_NUMBER: _ClassVar[int]
    STORE_WINNERS_FIELD_NUMBER: _ClassVar[int]
    STORE_LOSERS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_OUTSTANDING_POINTS_FIELD_NUMBER: _ClassVar[int]
    DRAFT_OUTSTANDING_POINTS_FIELD_NUMBER: _ClassVar[int]
    LIABILITIES_FIELD_NUMBER: _ClassVar[int]
    THROTTLED_COUNT_FIELD_NUMBER: _ClassVar[int]
    sale_count: int
    sales_minor: int
    actual_points: int
    draft_points: int
    actual_cost_minor: int
    draft_cost_minor: int
    liability_change_minor: int
    winning_member_count: int
    losing_member_count: int
    member_winners: _containers.RepeatedCompositeFieldContainer[SimulatedChange]
    member_losers: _containers.RepeatedCompositeFieldContainer[SimulatedChange]
    store_winners: _containers.RepeatedCompositeFieldContainer[SimulatedChange]
    store_losers: _containers.RepeatedCompositeFieldContainer[SimulatedChange]
    rules: _containers.RepeatedCompositeFieldContainer[_points_pb2.AppliedRule]
    skipped_count: int
    actual_outstanding_points: int
    draft_outstanding_points: int
    liabilities: _containers.RepeatedCompositeFieldContainer[FunderLiability]
    throttled_count: int
    def __init__(self, sale_count: _Optional[int] = ..., sales_minor: _Optional[int] = ..., actual_points: _Optional[int] = ..., draft_points: _Optional[int] = ..., actual_cost_minor: _Optional[int] = ..., draft_cost_minor: _Optional[int] = ..., liability_change_minor: _Optional[int] = ..., winning_member_count: _Optional[int] = ..., losing_member_count: _Optional[int] = ..., member_winners: _Optional[_Iterable[_Union[SimulatedChange, _Mapping]]] = ..., member_losers: _Optional[_Iterable[_Union[SimulatedChange, _Mapping]]] = ..., store_winners: _Optional[_Iterable[_Union[SimulatedChange, _Mapping]]] = ..., store_losers: _Optional[_Iterable[_Union[SimulatedChange, _Mapping]]] = ..., rules: _Optional[_Iterable[_Union[_points_pb2.AppliedRule, _Mapping]]] = ..., skipped_count: _Optional[int] = ..., actual_outstanding_points: _Optional[int] = ..., draft_outstanding_points: _Optional[int] = ..., liabilities: _Optional[_Iterable[_Union[FunderLiability, _Mapping]]] = ..., throttled_count: _Optional[int] = ...) -> None: ...

class FunderLiability(_message.Message):
    __slots__ = ("kind", "funder_id", "actual_points", "draft_points", "actual_minor", "draft_minor")
    KIND_FIELD_NUMBER: _ClassVar[int]
    FUNDER_ID_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_POINTS_FIELD_NUMBER: _ClassVar[int]
    DRAFT_POINTS_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_MINOR_FIELD_NUMBER: _ClassVar[int]
    DRAFT_MINOR_FIELD_NUMBER: _ClassVar[int]
    kind: _points_pb2.FunderKind
    funder_id: str
    actual_points: int
    draft_points: int
    actual_minor: int
    draft_minor: int
    def __init__(self, kind: _Optional[_Union[_points_pb2.FunderKind, str]] = ..., funder_id: _Optional[str] = ..., actual_points: _Optional[int] = ..., draft_points: _Optional[int] = ..., actual_minor: _Optional[int] = ..., draft_minor: _Optional[int] = ...) -> None: ...

class SimulatedChange(_message.Message):
    __slots__ = ("id", "actual_points", "draft_points")
    ID_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_POINTS_FIELD_NUMBER: _ClassVar[int]
    DRAFT_POINTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    actual_points: int
    draft_points: int
    def __init__(self, id: _Optional[str] = ..., actual_points: _Optional[int] = ..., draft_points: _Optional[int] = ...) -> None: ...
