"""Spending points: redeem, reverse, hold, capture, release."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis import ids
from chassis.db import Database
from chassis.errors import Internal, RequestIdReused
from huitong.points.v1 import points_pb2
from services.points import queries
from services.points.convert import request_hash, to_timestamp
from services.points.errors import (
    CaptureExceedsHold,
    HoldCaptured,
    HoldReleased,
    HoldUnknown,
    InsufficientPoints,
    MemberUnknown,
    RedemptionUnknown,
    ReversalExceedsRedemption,
)
from services.points.ledger.claims import Claims
from services.points.ledger.ledger import Item, Kind, Ledger, Outcome, Status
from services.points.lookup import Lookup, MemberLink
from services.points.merging.operations import Merges
from services.points.spending.offsets import Offsets
from services.points.spending.spenders import Spenders
from services.points.wallets.errors import PoolLimitReached
from services.points.wallets.purses import Purses


class Spendings:
    """Moves of points that mall and parking ask for."""

    def __init__(
        self,
        database: Database,
        lookup: Lookup,
        claims: Claims,
        ledger: Ledger,
        *,
        purses: Purses,
        offsets: Offsets,
        spenders: Spenders,
        merges: Merges,
    ) -> None:
        self._db, self._lookup, self._claims, self._ledger = database, lookup, claims, ledger
        self._purses, self._offsets, self._spenders, self._merges = purses, offsets, spenders, merges

    async def redeem(self, group_id: UUID, request: points_pb2.RedeemRequest) -> points_pb2.RedeemResponse:
        """Spend at once.

        Raises: MerchantUnknown, InsufficientPoints, PoolLimitReached, RequestIdReused, and what Spenders.require,
        Purses.to_spend and Offsets.check do.
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        txn_id = ids.derive("redeem", group_id, request.request_id)
        hashed = request_hash(request)
        merchant_id, store_id = await self._place(group_id, request.spending)
        link = await self._lookup.require_member(group_id, member_id)
        await self._spenders.require(group_id, link.survivor_id or member_id, txn_id)
        purse = await self._purses.to_spend(group_id, request, txn_id, request.spending, link)
        if link.is_merged:
            purse = purse._replace(wallet_id=await self._where(txn_id, member_id, purse.wallet_id))
        await self._offsets.check(group_id, request, purse.wallet_id, txn_id)
        spending = request.spending.SerializeToString(deterministic=True)
        await self._bind(group_id, txn_id, purse.wallet_id, request.request_id)
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.REDEEM,
                wallet_id=purse.wallet_id,
                group_id=group_id,
                txn_id=txn_id,
                request_hash=hashed,
                ref_id=purse.spender_id,
                expected=purse.limit_points,
                points=request.points,
                occur_time=await self._db.now(),
                merchant_id=merchant_id,
                store_id=store_id,
                amount_minor=request.spending.offset_minor,
                reference=request.spending.reference,
                detail=spending,
                payload=spending,
            )
        )
        _check(
            outcome,
            request_id=request.request_id,
            member_id=member_id,
            points=request.points,
            limit_points=purse.limit_points,
        )
        return points_pb2.RedeemResponse(
            txn_id=ids.to_edge("txn", txn_id),
            points=outcome.points,
            available_points=outcome.available_points,
            is_replay=outcome.status is Status.REPLAY,
        )

    async def reverse(
        self, group_id: UUID, request: points_pb2.ReverseRedemptionRequest
    ) -> points_pb2.ReverseRedemptionResponse:
        """Give back. Raises RedemptionUnknown, ReversalExceedsRedemption, RequestIdReused."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        redemption_id = ids.from_edge("txn", request.redemption_txn_id, "redemption_txn_id")
        txn_id = ids.derive("reverse", group_id, request.request_id)
        link = await self._lookup.find_link(group_id, member_id)
        if link is None:
            raise RedemptionUnknown(txn_id=request.redemption_txn_id)
        wallet_id = await self._purses.to_return(group_id, request)
        if link.is_merged:
            wallet_id = await self._where(redemption_id, member_id, wallet_id)
        await self._bind(group_id, txn_id, wallet_id, request.request_id)
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.REVERSE,
                wallet_id=wallet_id,
                group_id=group_id,
                txn_id=txn_id,
                request_hash=request_hash(request),
                points=request.points,
                occur_time=await self._db.now(),
                ref_id=redemption_id,
            )
        )
        if outcome.status is Status.REDEMPTION_UNKNOWN:
            raise RedemptionUnknown(txn_id=request.redemption_txn_id)
        _check(outcome, request_id=request.request_id, member_id=member_id, points=request.points)
        if link.is_merged:
            await self._merges.give_over(wallet_id, member_id, outcome.points, after_txn_id=txn_id)
        return points_pb2.ReverseRedemptionResponse(
            txn_id=ids.to_edge("txn", txn_id),
            points=outcome.points,
            available_points=await self._available(link, request, outcome),
            is_replay=outcome.status is Status.REPLAY,
        )

    async def hold(self, group_id: UUID, request: points_pb2.HoldRequest) -> points_pb2.HoldResponse:
        """Reserve. Raises as redeem, and HoldReleased."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        hold_id = hold_id_of(group_id, request.request_id)
        hashed = request_hash(request)
        merchant_id, store_id = await self._place(group_id, request.spending)
        link = await self._lookup.require_member(group_id, member_id)
        await self._spenders.require(group_id, link.survivor_id or member_id, hold_id)
        purse = await self._purses.to_spend(group_id, request, hold_id, request.spending, link)
        if link.is_merged:
            purse = purse._replace(wallet_id=await self._where(hold_id, member_id, purse.wallet_id))
        await self._offsets.check(group_id, request, purse.wallet_id, hold_id)
        await self._bind(group_id, hold_id, purse.wallet_id, request.request_id)
        now = await self._db.now()
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.HOLD,
                wallet_id=purse.wallet_id,
                group_id=group_id,
                txn_id=hold_id,
                request_hash=hashed,
                ref_id=purse.spender_id,
                expected=purse.limit_points,
                points=request.points,
                occur_time=now,
                merchant_id=merchant_id,
                store_id=store_id,
                expire_time=now + timedelta(seconds=request.hold_seconds),
                reference=request.spending.reference,
                detail=request.spending.SerializeToString(deterministic=True),
            )
        )
        _check(
            outcome,
            request_id=request.request_id,
            member_id=member_id,
            points=request.points,
            hold_id=hold_id,
            limit_points=purse.limit_points,
        )
        return points_pb2.HoldResponse(
            hold_id=ids.to_edge("hld", hold_id),
            expire_time=to_timestamp(outcome.expire_time),
            available_points=outcome.available_points,
            is_replay=outcome.status is Status.REPLAY,
        )

    async def capture(self, group_id: UUID, request: points_pb2.CaptureRequest) -> points_pb2.CaptureResponse:
        """Spend what is held. Raises HoldUnknown, HoldReleased, HoldCaptured, CaptureExceedsHold, RequestIdReused."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        hold_id = ids.from_edge("hld", request.hold_id, "hold_id")
        txn_id = ids.derive("capture", group_id, request.request_id)
        link = await self._lookup.find_link(group_id, member_id)
        if link is None:
            raise HoldUnknown(hold_id=request.hold_id)
        wallet_id = await self._purses.to_return(group_id, request)
        if link.is_merged:
            wallet_id = await self._where(hold_id, member_id, wallet_id)
        await self._bind(group_id, txn_id, wallet_id, request.request_id)
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.CAPTURE,
                wallet_id=wallet_id,
                group_id=group_id,
                txn_id=txn_id,
                request_hash=request_hash(request),
                points=request.points,
                occur_time=await self._db.now(),
                ref_id=hold_id,
            )
        )
        _check(outcome, request_id=request.request_id, member_id=member_id, points=request.points, hold_id=hold_id)
        return points_pb2.CaptureResponse(
            txn_id=ids.to_edge("txn", txn_id),
            points=outcome.points,
            available_points=await self._available(link, request, outcome),
            is_replay=outcome.status is Status.REPLAY,
        )

    async def release(self, group_id: UUID, request: points_pb2.ReleaseRequest) -> points_pb2.ReleaseResponse:
        """Give a hold back, or mark one that has not come yet. Raises MemberUnknown, HoldCaptured."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        hold_id = hold_id_of(group_id, request.hold_request_id)
        link = await self._lookup.require_member(group_id, member_id)
        wallet_id = await self._purses.to_return(group_id, request)
        if link.is_merged:
            wallet_id = await self._where(hold_id, member_id, wallet_id)
        outcome = await self._ledger.apply_one(release_item(group_id, wallet_id, hold_id, await self._db.now()))
        _check(outcome, request_id=request.request_id, member_id=member_id, points=0, hold_id=hold_id)
        return points_pb2.ReleaseResponse(
            released_points=outcome.points, available_points=await self._available(link, request, outcome)
        )

    async def _place(self, group_id: UUID, spending: points_pb2.Spending) -> tuple[UUID, UUID | None]:
        merchant_id = ids.from_edge("mch", spending.merchant_id, "spending.merchant_id")
        await self._lookup.require_merchant(group_id, merchant_id)
        store_id = ids.from_edge("sto", spending.store_id, "spending.store_id") if spending.store_id else None
        return merchant_id, store_id

    async def _where(self, key: UUID, member_id: UUID, wallet_id: UUID) -> UUID:
        """Of a member with a part in a merge: the wallet that a hold or redemption is in already."""
        bound_id = await queries.find_request(self._db.pool, key)
        if bound_id is None or bound_id == wallet_id:
            return wallet_id
        return bound_id if await self._merges.are_one(member_id, bound_id) else wallet_id

    async def _available(self, link: MemberLink, request: Any, outcome: Outcome) -> int:
        """What can be spent after a movement: of merged members what the survivor has with what has come free."""
        if not link.is_merged or request.currency_id or request.pool_id:
            return outcome.available_points
        person_id = link.survivor_id or ids.from_edge("mbr", request.member_id, "member_id")
        return await self._merges.available_of(person_id)

    async def _bind(self, group_id: UUID, key: UUID, wallet_id: UUID, request_id: str) -> None:
        """A request id is one wallet's for ever: the ledger, which is kept by wallet, could not tell."""
        if await self._claims.request(request_key=key, group_id=group_id, target_id=wallet_id) != wallet_id:
            raise RequestIdReused(request_id=request_id)


def hold_id_of(group_id: UUID, request_id: str) -> UUID:
    """The id of the hold that was, or will be, asked for with that request id."""
    return ids.derive("hold", group_id, request_id)


def release_item(group_id: UUID, wallet_id: UUID, hold_id: UUID, now: object, *, by_timeout: bool = False) -> Item:
    """The ledger's item of a release; one by time-out frees only what is over its time."""
    return Item(
        kind=Kind.RELEASE,
        wallet_id=wallet_id,
        group_id=group_id,
        txn_id=hold_id,
        request_hash=b"",
        points=0,
        occur_time=now,  # type: ignore[arg-type]
        ref_id=hold_id,
        expected=1 if by_timeout else 0,
    )


def _check(
    outcome: Outcome,
    *,
    request_id: str,
    member_id: UUID,
    points: int,
    hold_id: UUID | None = None,
    limit_points: int = 0,
) -> None:
    """Raise what a refusal means to the caller."""
    hold = ids.to_edge("hld", hold_id) if hold_id else ""
    match outcome.status:
        case Status.APPLIED | Status.REPLAY:
            return
        case Status.CONFLICT:
            raise RequestIdReused(request_id=request_id)
        case Status.UNKNOWN_WALLET:
            raise MemberUnknown(member_id=ids.to_edge("mbr", member_id))
        case Status.INSUFFICIENT:
            raise InsufficientPoints(available_points=outcome.available_points, requested_points=points)
        case Status.POOL_LIMIT:
            raise PoolLimitReached(left_points=outcome.points, limit_points=limit_points)
        case Status.HOLD_UNKNOWN:
            raise HoldUnknown(hold_id=hold)
        case Status.HOLD_RELEASED:
            raise HoldReleased(hold_id=hold)
        case Status.HOLD_CAPTURED:
            raise HoldCaptured(hold_id=hold)
        case Status.CAPTURE_EXCEEDS_HOLD:
            raise CaptureExceedsHold(held_points=outcome.points, requested_points=points)
        case Status.REVERSAL_EXCEEDS:
            raise ReversalExceedsRedemption(left_points=outcome.points, requested_points=points)
        case _:
            raise Internal
