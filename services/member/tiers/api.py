"""TierService: proto → plain values → operation → proto."""

from __future__ import annotations

from grpc.aio import ServicerContext as Context

from chassis.db import Database, Tx
from chassis.ids import from_edge
from chassis.rpc import caller
from huitong.common.v1 import types_pb2
from huitong.member.v1 import member_pb2, member_pb2_grpc
from services.member import errors
from services.member.tiers import convert, operations, store
from services.member.tiers.growth import DEFAULT_POLICY
from services.member.tiers.operations import date_message
from services.member.tiers.wording import Missing, Progress, progress


class TierServicer(member_pb2_grpc.TierServiceServicer):
    """The ladder and where members stand on it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def SetTierLadder(
        self, request: member_pb2.SetTierLadderRequest, context: Context
    ) -> member_pb2.SetTierLadderResponse:
        """See the proto."""
        tiers = convert.read_tiers(request.tiers)
        policy = convert.read_policy(request.policy) if request.HasField("policy") else DEFAULT_POLICY
        since = None
        if request.HasField("effective_date"):
            since = convert.read_date(request.effective_date, "effective_date")

        async def operation(tx: Tx) -> member_pb2.SetTierLadderResponse:
            before = await store.get_ladder(tx)
            tx.before = member_pb2.SetTierLadderResponse(**convert.ladder_fields(before))
            ladder = await operations.set_ladder(tx, tiers, policy, since)
            return member_pb2.SetTierLadderResponse(**convert.ladder_fields(ladder))

        return await self._db.run_once(request, member_pb2.SetTierLadderResponse, operation)

    async def GetTierLadder(
        self, request: member_pb2.GetTierLadderRequest, context: Context
    ) -> member_pb2.GetTierLadderResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            ladder = await store.get_ladder(tx)
        return member_pb2.GetTierLadderResponse(**convert.ladder_fields(ladder))

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
            today = ladder.day_of(tx.now)
            book = None
            if not ladder.policy.is_additive or standing.ladder_version != ladder.version:
                start = ladder.policy.window_start(min(today, standing.period_end or today))
                # An absorbed member's standing is the survivor's, and so are the days.
                book = (await store.load_books(tx, {standing.member_id: start}))[standing.member_id]
        return _progress_message(progress(ladder, standing, book, today), ladder.policy.currency_code)

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


def _progress_message(now: Progress, currency_code: str) -> member_pb2.GetTierProgressResponse:
    message = member_pb2.GetTierProgressResponse(
        tier=operations.tier_message(now.tier),
        growth=now.growth,
        missing_growth=now.next_missing.growth,
        keep_missing_growth=now.keep_missing.growth,
        next_text=now.next_texts[0],
        next_text_zh=now.next_texts[1],
        keep_text=now.keep_texts[0],
        keep_text_zh=now.keep_texts[1],
        missing_spend=_money(now.next_missing, currency_code),
        keep_missing_spend=_money(now.keep_missing, currency_code),
        period_end_date=date_message(now.period_end) if now.period_end else None,
        keep_until_date=date_message(now.keep_until) if now.keep_until else None,
        match_end_date=date_message(now.match_end) if now.match_end else None,
    )
    if now.next_tier:
        message.next_tier.CopyFrom(operations.tier_message(now.next_tier))
    return message


def _money(missing: Missing, currency_code: str) -> types_pb2.Money | None:
    if not missing.spend_minor:
        return None
    return types_pb2.Money(amount_minor=missing.spend_minor, currency_code=currency_code)
