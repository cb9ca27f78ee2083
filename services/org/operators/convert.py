"""Between plain values about operators and their protos."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from chassis.ids import to_edge
from huitong.org.v1 import operators_pb2
from services.org.operators.rules import Grant, Operator, Session


def operator_edge(operator_id: UUID) -> str:
    """`opr_…`"""
    return to_edge("opr", operator_id)


def session_edge(session_id: UUID) -> str:
    """`ops_…`"""
    return to_edge("ops", session_id)


def grants_of(messages: Iterable[operators_pb2.Grant]) -> list[Grant]:
    """The grants of a request."""
    return [Grant(operators_pb2.Role.Name(one.role).removeprefix("ROLE_"), one.scope_id) for one in messages]


def operator_message(one: Operator, grants: Iterable[Grant]) -> operators_pb2.Operator:
    """The operator at the edge; it never holds a secret."""
    message = operators_pb2.Operator(
        operator_id=operator_edge(one.operator_id),
        login=one.login,
        name=one.name,
        state=f"OPERATOR_STATE_{one.state}",
        grants=[operators_pb2.Grant(role=f"ROLE_{grant.role}", scope_id=grant.scope_id) for grant in grants],
    )
    message.create_time.FromDatetime(one.create_time)
    if one.invitation_hash and one.invitation_expire_time and not one.is_disabled:
        message.invitation_expire_time.FromDatetime(one.invitation_expire_time)
    return message


def session_message(session: Session) -> operators_pb2.OperatorSession:
    """The session at the edge, without its token."""
    message = operators_pb2.OperatorSession(session_id=session_edge(session.session_id), address=session.address)
    message.create_time.FromDatetime(session.create_time)
    message.last_use_time.FromDatetime(session.last_use_time)
    message.expire_time.FromDatetime(session.expire_time)
    return message
