"""TierService: proto → plain values → operation → proto."""

from __future__ import annotations

from grpc.aio import ServicerContext as Context

from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.ids import from_edge
from chassis.rpc import caller
from huitong.member.v1 import member_pb2, member_pb2_grpc
from services.member import errors
from services.member.rules import is_plain
from services.member.tiers import operations, store
from services.member.tiers.rules import Tier


class TierServicer(member_pb2_grpc.TierServiceServicer):
    """The ladder and where members stand on it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def SetTierLadder(
        self, request: member_pb2.SetTierLadderRequest, context: Context
    ) -> member_pb2.SetTierLadderResponse:
        """See the proto."""
        if not all(is_plain(tier.name) and is_plain(tier.name_zh) for tier in request.tiers):
            raise InvalidArgument([("tiers", "a name has control characters")])
        tiers = [
            Tier(
                tier.code,
                tier.name,
                tier.name_zh,
                tier.min_growth,
                tier.earn_multiplier_bps,
                tier.free_parking_minutes,
            )
            for tier in request.tiers
        ]

        async def operation(tx: Tx) -> member_pb2.SetTierLadderResponse:
            before = await store.get_ladder(tx)
            tx.before = member_pb2.SetTierLadderResponse(tiers=map(operations.tier_message, before.tiers))
            await operations.set_ladder(tx, tiers)
            return member_pb2.SetTierLadderResponse(tiers=map(operations.tier_message, tiers))

        return await self._db.run_once(request, member_pb2.SetTierLadderResponse, operation)

    async def GetTierLadder(
        self, request: member_pb2.GetTierLadderRequest, context: Context
    ) -> member_pb2.GetTierLadderResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            ladder = await store.get_ladder(tx)
        return member_pb2.GetTierLadderResponse(tiers=map(operations.tier_message, ladder.tiers))

    async def GetTierProgress(
        self, request: member_pb2.GetTierProgressRequest, context: Context
    ) -> member_pb2.GetTierProgressResponse:
        """See the proto."""
        member_id = from_edge("mbr", request.member_id, "member_id")
        async with self._db.reading(caller()) as tx:
            ladder = await store.get_ladder(tx)
            standing = await store.find_standing(tx, member_id)
        if standing is None:
            raise errors.MemberUnknown
        held = ladder.held(standing.tier_code, standing.growth)
        response = member_pb2.GetTierProgressResponse(
            tier=operations.tier_message(ladder.tiers[held]), growth=standing.growth
        )
        if held + 1 < len(ladder.tiers):
            following = ladder.tiers[held + 1]
            response.next_tier.CopyFrom(operations.tier_message(following))
            response.missing_growth = max(0, following.min_growth - standing.growth)
        return response

    async def CountMembersByTier(
        self, request: member_pb2.CountMembersByTierRequest, context: Context
    ) -> member_pb2.CountMembersByTierResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            ladder = await store.get_ladder(tx)
            counts = await store.count_by_tier(tx, ladder)
        return member_pb2.CountMembersByTierResponse(
            tiers=[
                member_pb2.TierCount(tier=operations.tier_message(tier), member_count=count)
                for tier, count in zip(ladder.tiers, counts, strict=True)
            ]
        )
