"""Gives the points of referrals whose return window is over.

First it is written down that the window is over, then points gives each side its points under an id made of the
referral, then it is written down that they were given. Whatever breaks in between, the next turn only asks points
again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import structlog

from chassis import ids, rpc
from chassis.db import Database
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from huitong.points.v1 import rewards_pb2, rewards_pb2_grpc
from services.member.referral import operations, store
from services.member.referral.rules import Referral

log = structlog.get_logger()
CHUNK = 100
REFERRER, FRIEND = "REFERRAL_REFERRER", "REFERRAL_FRIEND"
_REASONS = {
    REFERRER: ("A friend whom you brought has made their first purchase", "推荐的好友完成首次消费"),
    FRIEND: ("First purchase after joining through a friend", "受好友推荐入会首次消费"),
}
# What points answers for good: this side gets nothing.
_NEVER = ("MEMBER_CLOSED", "MEMBER_UNKNOWN")


def reward(db: Database, rewards: rewards_pb2_grpc.RewardServiceStub) -> Callable[[datetime], Awaitable[None]]:
    """A job that gives what is due."""

    async def run(business_now: datetime) -> None:
        after: tuple[datetime, UUID] | None = None
        while True:
            async with db.reading(_caller(UUID(int=0))) as tx:
                due = await store.list_due(tx, business_now, after=after, limit=CHUNK)
            for one in due:
                await _reward(db, rewards, one)
                after = (one.due_time or business_now, one.referral_id)
            if len(due) < CHUNK:
                return

    return run


async def _reward(db: Database, rewards: rewards_pb2_grpc.RewardServiceStub, due: Referral) -> None:
    async with db.transaction(_caller(due.group_id)) as tx:
        one = await operations.begin_reward(tx, due.friend_id)
    if one is None:
        return
    try:
        friend_got = await _give(rewards, one, one.friend_id, one.friend_points, FRIEND)
        referrer_got = await _give(rewards, one, one.referrer_id, one.referrer_points, REFERRER)
    except AppError as error:  # the next turn asks again; meanwhile the others get theirs
        log.warning("referral_not_rewarded", referral_id=operations.edge(one), reason=error.reason)
        return
    async with db.transaction(_caller(due.group_id)) as tx:
        await operations.end_reward(tx, one.friend_id, referrer_got=referrer_got, friend_got=friend_got)


async def _give(
    rewards: rewards_pb2_grpc.RewardServiceStub, one: Referral, member_id: UUID, points: int, reason_code: str
) -> bool:
    """Whether the side got its points. Raises AppError when that is not known, or may still be."""
    if not points:
        return False
    reason, reason_zh = _REASONS[reason_code]
    request = rewards_pb2.GiveRewardRequest(
        request_id=f"{one.referral_id.hex}-{reason_code}",
        member_id=ids.to_edge("mbr", member_id),
        points=points,
        merchant_id=ids.to_edge("mch", one.merchant_id),
        reason_code=reason_code,
        reason=reason,
        reason_zh=reason_zh,
        reference=operations.edge(one),
    )
    try:
        await rpc.call(rewards.GiveReward, request, group_id=one.group_id)
    except AppError as error:
        if error.reason in _NEVER:
            return False
        raise
    return True


def _caller(group_id: UUID) -> Caller:
    return Caller(CallerKind.INTERNAL, "member", group_id)
