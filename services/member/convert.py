"""Between member's plain values and its protos."""

from __future__ import annotations

from uuid import UUID

from chassis.ids import from_edge, to_edge
from huitong.member.v1 import member_pb2
from services.member.rules import Member


def member_edge(member_id: UUID) -> str:
    """`mbr_…`"""
    return to_edge("mbr", member_id)


def member_id_of(text: str) -> UUID:
    """The id in a request's `member_id`. Raises InvalidArgument."""
    return from_edge("mbr", text, "member_id")


def member_message(member: Member) -> member_pb2.Member:
    """The member at the edge."""
    message = member_pb2.Member(
        member_id=member_edge(member.member_id),
        card_no=member.card_no,
        masked_phone=member.masked_phone,
        tier_code=member.tier_code,
        birth_month=member.birth_month,
        time_zone=member.time_zone,
        state=int(member.state),  # type: ignore[arg-type]
        state_version=member.state_version,
    )
    message.join_time.FromDatetime(member.join_time)
    if member.state_time is not None:
        message.state_time.FromDatetime(member.state_time)
    return message
