from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from huitong.common.v1 import access_pb2 as _access_pb2
from huitong.points.v1 import points_pb2 as _points_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FamilyPoolState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAMILY_POOL_STATE_UNSPECIFIED: _ClassVar[FamilyPoolState]
    FAMILY_POOL_STATE_OPEN: _ClassVar[FamilyPoolState]
    FAMILY_POOL_STATE_DISSOLVED: _ClassVar[FamilyPoolState]

class PoolMemberState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POOL_MEMBER_STATE_UNSPECIFIED: _ClassVar[PoolMemberState]
    POOL_MEMBER_STATE_INVITED: _ClassVar[PoolMemberState]
    POOL_MEMBER_STATE_ACTIVE: _ClassVar[PoolMemberState]
    POOL_MEMBER_STATE_LEFT: _ClassVar[PoolMemberState]
FAMILY_POOL_STATE_UNSPECIFIED: FamilyPoolState
FAMILY_POOL_STATE_OPEN: FamilyPoolState
FAMILY_POOL_STATE_DISSOLVED: FamilyPoolState
POOL_MEMBER_STATE_UNSPECIFIED: PoolMemberState
POOL_MEMBER_STATE_INVITED: PoolMemberState
POOL_MEMBER_STATE_ACTIVE: PoolMemberState
POOL_MEMBER_STATE_LEFT: PoolMemberState

class FamilyPool(_message.Message):
    __slots__ = ("pool_id", "state", "name", "owner_member_id", "max_members", "members")
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    pool_id: str
    state: FamilyPoolState
    name: str
    owner_member_id: str
    max_members: int
    members: _containers.RepeatedCompositeFieldContainer[PoolMember]
    def __init__(self, pool_id: _Optional[str] = ..., state: _Optional[_Union[FamilyPoolState, str]] = ..., name: _Optional[str] = ..., owner_member_id: _Optional[str] = ..., max_members: _Optional[int] = ..., members: _Optional[_Iterable[_Union[PoolMember, _Mapping]]] = ...) -> None: ...

class PoolMember(_message.Message):
    __slots__ = ("member_id", "state", "may_spend", "spend_limit_points", "spent_points")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MAY_SPEND_FIELD_NUMBER: _ClassVar[int]
    SPEND_LIMIT_POINTS_FIELD_NUMBER: _ClassVar[int]
    SPENT_POINTS_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    state: PoolMemberState
    may_spend: bool
    spend_limit_points: int
    spent_points: int
    def __init__(self, member_id: _Optional[str] = ..., state: _Optional[_Union[PoolMemberState, str]] = ..., may_spend: _Optional[bool] = ..., spend_limit_points: _Optional[int] = ..., spent_points: _Optional[int] = ...) -> None: ...

class CreateFamilyPoolRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class CreateFamilyPoolResponse(_message.Message):
    __slots__ = ("pool",)
    POOL_FIELD_NUMBER: _ClassVar[int]
    pool: FamilyPool
    def __init__(self, pool: _Optional[_Union[FamilyPool, _Mapping]] = ...) -> None: ...

class SetPoolMemberRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "pool_id", "other_member_id", "may_spend", "spend_limit_points")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    MAY_SPEND_FIELD_NUMBER: _ClassVar[int]
    SPEND_LIMIT_POINTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    pool_id: str
    other_member_id: str
    may_spend: bool
    spend_limit_points: int
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., pool_id: _Optional[str] = ..., other_member_id: _Optional[str] = ..., may_spend: _Optional[bool] = ..., spend_limit_points: _Optional[int] = ...) -> None: ...

class SetPoolMemberResponse(_message.Message):
    __slots__ = ("pool",)
    POOL_FIELD_NUMBER: _ClassVar[int]
    pool: FamilyPool
    def __init__(self, pool: _Optional[_Union[FamilyPool, _Mapping]] = ...) -> None: ...

class JoinFamilyPoolRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "pool_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    pool_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., pool_id: _Optional[str] = ...) -> None: ...

class JoinFamilyPoolResponse(_message.Message):
    __slots__ = ("pool",)
    POOL_FIELD_NUMBER: _ClassVar[int]
    pool: FamilyPool
    def __init__(self, pool: _Optional[_Union[FamilyPool, _Mapping]] = ...) -> None: ...

class LeaveFamilyPoolRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "pool_id", "other_member_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    pool_id: str
    other_member_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., pool_id: _Optional[str] = ..., other_member_id: _Optional[str] = ...) -> None: ...

class LeaveFamilyPoolResponse(_message.Message):
    __slots__ = ("pool",)
    POOL_FIELD_NUMBER: _ClassVar[int]
    pool: FamilyPool
    def __init__(self, pool: _Optional[_Union[FamilyPool, _Mapping]] = ...) -> None: ...

class DissolveFamilyPoolRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "pool_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    pool_id: str
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., pool_id: _Optional[str] = ...) -> None: ...

class DissolveFamilyPoolResponse(_message.Message):
    __slots__ = ("pool",)
    POOL_FIELD_NUMBER: _ClassVar[int]
    pool: FamilyPool
    def __init__(self, pool: _Optional[_Union[FamilyPool, _Mapping]] = ...) -> None: ...

class ContributeToPoolRequest(_message.Message):
    __slots__ = ("request_id", "member_id", "pool_id", "points")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    member_id: str
    pool_id: str
    points: int
    def __init__(self, request_id: _Optional[str] = ..., member_id: _Optional[str] = ..., pool_id: _Optional[str] = ..., points: _Optional[int] = ...) -> None: ...

class ContributeToPoolResponse(_message.Message):
    __slots__ = ("txn_id", "points", "available_points", "is_replay")
    TXN_ID_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    IS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    txn_id: str
    points: int
    available_points: int
    is_replay: bool
    def __init__(self, txn_id: _Optional[str] = ..., points: _Optional[int] = ..., available_points: _Optional[int] = ..., is_replay: _Optional[bool] = ...) -> None: ...

class GetFamilyPoolRequest(_message.Message):
    __slots__ = ("member_id", "pool_id")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    pool_id: str
    def __init__(self, member_id: _Optional[str] = ..., pool_id: _Optional[str] = ...) -> None: ...

class GetFamilyPoolResponse(_message.Message):
    __slots__ = ("pool", "available_points", "held_points", "next_expiries")
    POOL_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_POINTS_FIELD_NUMBER: _ClassVar[int]
    HELD_POINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_EXPIRIES_FIELD_NUMBER: _ClassVar[int]
    pool: FamilyPool
    available_points: int
    held_points: int
    next_expiries: _containers.RepeatedCompositeFieldContainer[_points_pb2.Expiry]
    def __init__(self, pool: _Optional[_Union[FamilyPool, _Mapping]] = ..., available_points: _Optional[int] = ..., held_points: _Optional[int] = ..., next_expiries: _Optional[_Iterable[_Union[_points_pb2.Expiry, _Mapping]]] = ...) -> None: ...

class ListFamilyPoolsRequest(_message.Message):
    __slots__ = ("member_id",)
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    def __init__(self, member_id: _Optional[str] = ...) -> None: ...

class ListFamilyPoolsResponse(_message.Message):
    __slots__ = ("pools",)
    POOLS_FIELD_NUMBER: _ClassVar[int]
    pools: _containers.RepeatedCompositeFieldContainer[FamilyPool]
    def __init__(self, pools: _Optional[_Iterable[_Union[FamilyPool, _Mapping]]] = ...) -> None: ...

class ListPoolStatementRequest(_message.Message):
    __slots__ = ("member_id", "pool_id", "page_size", "page_token")
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    member_id: str
    pool_id: str
    page_size: int
    page_token: str
    def __init__(self, member_id: _Optional[str] = ..., pool_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPoolStatementResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_points_pb2.StatementEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[_points_pb2.StatementEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
