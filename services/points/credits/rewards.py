"""Points that another service gives for what it has decided itself, and the RPC for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis import ids, rpc
from chassis.db import Database
from chassis.errors import Internal, RequestIdReused
from huitong.points.v1 import adjustments_pb2, points_pb2, rewards_pb2, rewards_pb2_grpc
from services.points.convert import request_hash, to_expiry
from services.points.credits.adjustments import expiry_of_credit
from services.points.credits.interaction_limits import check_interaction_limit
from services.points.credits.reward_tables import reward
from services.points.ledger.claims import Claims
from services.points.ledger.ledger import Item, Kind, Ledger, Status
from services.points.lookup import GroupData, Lookup
from services.points.spending.errors import MemberClosed
from services.points.spending.spenders import Spenders


class Rewards:
    """Gives rewards."""

    def __init__(self, database: Database, lookup: Lookup, claims: Claims, ledger: Ledger, spenders: Spenders) -> None:
        self._db, self._lookup, self._claims, self._ledger = database, lookup, claims, ledger
        self._spenders = spenders

    async def give(self, group_id: UUID, request: rewards_pb2.GiveRewardRequest) -> rewards_pb2.GiveRewardResponse:
        """A lot of the merchant's.

        Raises: MemberUnknown, MemberClosed, MerchantUnknown, RuleSetUnknown, ExpiryPast, InteractionLimitReached (ask
        again on another day), RequestIdReused, Unavailable (unknown outcome: ask again).
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        merchant_id = ids.from_edge("mch", request.merchant_id, "merchant_id")
        txn_id = ids.derive("reward", group_id, request.request_id)
        await self._lookup.require_member(group_id, member_id)
        await self._lookup.require_merchant(group_id, merchant_id)
        data, members, now = await self._lookup.members(group_id, [member_id])
        if members[member_id].close_time is not None and not await self._spenders.is_done(txn_id):
            raise MemberClosed(member_id=request.member_id)
        if await self._claims.request(request_key=txn_id, group_id=group_id, target_id=member_id) != member_id:
            raise RequestIdReused(request_id=request.request_id)
        created, expire_time = await self._decide(
            txn_id, group_id, member_id, merchant_id, request, data, expiry_of_credit(data, merchant_id, now)
        )
        origin = adjustments_pb2.Adjustment(reason_code=request.reason_code).SerializeToString(deterministic=True)
        why = points_pb2.AppliedRule(
            rule_id=request.reason_code, name=request.reason, name_zh=request.reason_zh, points=request.points
        )
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.CREDIT,
                wallet_id=member_id,
                group_id=group_id,
                txn_id=txn_id,
                request_hash=request_hash(request),
                points=request.points,
                occur_time=created,
                merchant_id=merchant_id,
                expire_time=expire_time,
                reference=request.reference,
                detail=origin,
                payload=origin,
                explanation=points_pb2.Explanation(rules=[why]).SerializeToString(deterministic=True),
            )
        )
        if outcome.status is Status.CONFLICT:
            raise RequestIdReused(request_id=request.request_id)
        if outcome.status not in (Status.APPLIED, Status.REPLAY):
            raise Internal
        return rewards_pb2.GiveRewardResponse(
            txn_id=ids.to_edge("txn", txn_id),
            points=request.points,
            debt_repaid_points=outcome.debt_points,
            available_points=outcome.available_points,
            expire_time=to_expiry(expire_time),
            is_replay=outcome.status is Status.REPLAY,
        )

    async def _decide(
        self,
        reward_id: UUID,
        group_id: UUID,
        member_id: UUID,
        merchant_id: UUID,
        request: rewards_pb2.GiveRewardRequest,
        data: GroupData,
        expire_time: datetime,
    ) -> tuple[datetime, datetime]:
        """Keep what is given, before it is; answers when that was first decided and when the points expire.

        Raises InteractionLimitReached, and keeps nothing.
        """
        find = select(reward.c.create_time, reward.c.points_expire_time).where(reward.c.reward_id == reward_id)
        async with self._db.transaction(rpc.internal_caller("points", group_id)) as tx:
            known = (await tx.execute(find)).one_or_none()
            if known is None:
                await check_interaction_limit(
                    tx, data, member_id=member_id, reason_code=request.reason_code, points=request.points
                )
                row = {
                    "reward_id": reward_id,
                    "group_id": group_id,
                    "member_id": member_id,
                    "points": request.points,
                    "merchant_id": merchant_id,
                    "reason_code": request.reason_code,
                    "reference": request.reference,
                    "create_time": tx.now,
                    "points_expire_time": expire_time,
                }
                await tx.execute(insert(reward).values(row).on_conflict_do_nothing())
                known = (await tx.execute(find)).one()
        return known.create_time, known.points_expire_time


class RewardServicer(rewards_pb2_grpc.RewardServiceServicer):
    """Rewards beside sales."""

    def __init__(self, rewards: Rewards) -> None:
        self._rewards = rewards

    async def GiveReward(self, request: rewards_pb2.GiveRewardRequest, context: Any) -> rewards_pb2.GiveRewardResponse:
        """Give points."""
        return await self._rewards.give(rpc.caller().group_id, request)
