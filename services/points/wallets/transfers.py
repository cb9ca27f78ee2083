"""Points from member to member: out of one wallet, into the other, and nothing left between them.

The two wallets may be in two lanes, one day on two servers, so it takes two calls of the ledger. The first decides (is
there enough, is the limit kept) and leaves a row that says what is on its way; the second cannot fail for a reason of
business. So the only way is forward: whoever finds the row, the caller's retry or the job, makes it arrive, once.

A wallet that has no room for it is refused ahead of the first call. One that others fill in between lets it wait where
it is, until there is room.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from chassis import ids
from chassis.db import Database
from chassis.errors import Internal, RequestIdReused
from chassis.jobs import Rows
from huitong.points.v1 import events_pb2, family_pools_pb2, points_pb2
from services.points import queries
from services.points.convert import optional_edge, request_hash
from services.points.errors import (
    InsufficientPoints,
    MemberUnknown,
    PointsOutOfBounds,
    TransferLimitReached,
    TransferNotAllowed,
    TransferToSelf,
)
from services.points.ledger.claims import Claims
from services.points.ledger.ledger import Item, Kind, Ledger, Outcome, Status
from services.points.lookup import Lookup
from services.points.spending.errors import MemberClosed
from services.points.spending.spenders import Spenders

log = structlog.get_logger()

CHUNK = 200
# A transfer into or out of a family pool has no limit, and counts in none.
UNLIMITED = -1


class Moved(NamedTuple):
    """What was taken, and what the giver has right after it."""

    points: int
    available_points: int
    is_replay: bool


class Transfers:
    """Moves points between the members of a group."""

    def __init__(self, database: Database, lookup: Lookup, claims: Claims, ledger: Ledger, spenders: Spenders) -> None:
        self._db, self._lookup, self._claims, self._ledger = database, lookup, claims, ledger
        self._spenders = spenders

    async def transfer(
        self, group_id: UUID, request: points_pb2.TransferPointsRequest
    ) -> points_pb2.TransferPointsResponse:
        """Give points away.

        Raises: MemberUnknown, TransferToSelf, TransferNotAllowed, TransferLimitReached, InsufficientPoints,
        PointsOutOfBounds (the receiver's wallet is full), RuleSetUnknown, RequestIdReused, MemberClosed (also the
        receiver), what Spenders.require does, Unavailable (unknown outcome: ask again).
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        to_member_id = ids.from_edge("mbr", request.to_member_id, "to_member_id")
        if member_id == to_member_id:
            raise TransferToSelf
        data, members, now = await self._lookup.members(group_id, [member_id, to_member_id])
        for wanted in (member_id, to_member_id):
            if wanted not in members:
                raise MemberUnknown(member_id=ids.to_edge("mbr", wanted))
        txn_id = ids.derive("transfer", group_id, request.request_id)
        await self._spenders.require(group_id, member_id, txn_id)
        if members[to_member_id].close_time is not None and not await self._spenders.is_done(txn_id):
            raise MemberClosed(member_id=request.to_member_id)
        if await self._claims.request(request_key=txn_id, group_id=group_id, target_id=member_id) != member_id:
            raise RequestIdReused(request_id=request.request_id)
        await self._require_room(member_id, txn_id, to_member_id, request.points)
        limit_points = data.rule_set_at(now, "UTC").transfer_limit_points
        origin = points_pb2.TransferPointsRequest(
            member_id=request.member_id, to_member_id=request.to_member_id
        ).SerializeToString(deterministic=True)
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.TRANSFER_OUT,
                wallet_id=member_id,
                group_id=group_id,
                txn_id=txn_id,
                request_hash=request_hash(request),
                points=request.points,
                occur_time=now,
                ref_id=to_member_id,
                expected=limit_points,
                detail=origin,
                payload=origin,
            )
        )
        _check(outcome, request, limit_points)
        await self._arrive(await queries.get_transfer(self._db.pool, member_id, txn_id))
        return points_pb2.TransferPointsResponse(
            txn_id=ids.to_edge("txn", txn_id),
            points=outcome.points,
            available_points=outcome.available_points,
            is_replay=outcome.status is Status.REPLAY,
        )

    async def is_known(self, wallet_id: UUID, txn_id: UUID) -> bool:
        """Whether a transfer was taken out already."""
        return await queries.get_transfer(self._db.pool, wallet_id, txn_id) is not None

    async def into_pool(
        self,
        group_id: UUID,
        request: family_pools_pb2.ContributeToPoolRequest,
        *,
        txn_id: UUID,
        member_id: UUID,
        pool_id: UUID,
    ) -> Moved:
        """From a known member into a pool that exists.

        Raises InsufficientPoints, PointsOutOfBounds, RequestIdReused, Unavailable.
        """
        if await self._claims.request(request_key=txn_id, group_id=group_id, target_id=member_id) != member_id:
            raise RequestIdReused(request_id=request.request_id)
        ends = events_pb2.TransferEnds(member_id=request.member_id, pool_id=request.pool_id)
        return await self._move(
            group_id, txn_id, member_id, pool_id, request.points, ends, request_hash(request), request.request_id
        )

    async def out_of_pool(self, group_id: UUID, *, pool_id: UUID, member_id: UUID, points: int, version: int) -> Moved:
        """From a pool to a member, once for a version of its wallet.

        Raises InsufficientPoints, PointsOutOfBounds, Unavailable.
        """
        ends = events_pb2.TransferEnds(to_member_id=ids.to_edge("mbr", member_id), pool_id=ids.to_edge("fpl", pool_id))
        txn_id = ids.derive("empty-pool", pool_id, version, points)
        return await self._move(group_id, txn_id, pool_id, member_id, points, ends, b"", "")

    async def _move(
        self,
        group_id: UUID,
        txn_id: UUID,
        wallet_id: UUID,
        to_wallet_id: UUID,
        points: int,
        ends: events_pb2.TransferEnds,
        hashed: bytes,
        request_id: str,
    ) -> Moved:
        await self._require_room(wallet_id, txn_id, to_wallet_id, points)
        origin = ends.SerializeToString(deterministic=True)
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.TRANSFER_OUT,
                wallet_id=wallet_id,
                group_id=group_id,
                txn_id=txn_id,
                request_hash=hashed,
                points=points,
                occur_time=await self._db.now(),
                ref_id=to_wallet_id,
                expected=UNLIMITED,
                detail=origin,
                payload=origin,
            )
        )
        if outcome.status is Status.CONFLICT:
            raise RequestIdReused(request_id=request_id)
        if outcome.status is Status.INSUFFICIENT:
            raise InsufficientPoints(available_points=outcome.available_points, requested_points=points)
        if outcome.status not in (Status.APPLIED, Status.REPLAY):
            raise Internal
        await self._arrive(await queries.get_transfer(self._db.pool, wallet_id, txn_id))
        return Moved(outcome.points, outcome.available_points, outcome.status is Status.REPLAY)

    async def _require_room(self, wallet_id: UUID, txn_id: UUID, to_wallet_id: UUID, points: int) -> None:
        """Raises PointsOutOfBounds, not for what was taken before."""
        if not await queries.has_room(self._db.pool, to_wallet_id, points) and not await self.is_known(
            wallet_id, txn_id
        ):
            raise PointsOutOfBounds

    async def finish(self, now: datetime) -> None:
        """Make everything arrive that is on its way."""
        run = Rows("points-transfers")
        after: tuple[UUID, UUID] | None = None
        while rows := await queries.list_transfers_under_way(self._db.pool, after=after, limit=CHUNK):
            for row in rows:
                with run.row(txn_id=row["txn_id"]):
                    await self._arrive(row)
            after = (rows[-1]["wallet_id"], rows[-1]["txn_id"])
        run.end()

    async def _arrive(self, row: Any) -> None:
        """Put what was taken into the receiver's wallet, if it has room; again changes nothing."""
        if row["has_arrived"]:
            return
        origin = _ends_of(row).SerializeToString(deterministic=True)
        item = Item(
            kind=Kind.TRANSFER_IN,
            wallet_id=row["to_wallet_id"],
            group_id=row["group_id"],
            txn_id=ids.derive("transfer-in", row["txn_id"]),
            request_hash=row["txn_id"].bytes,
            points=row["points"],
            occur_time=row["record_time"],
            ref_id=row["txn_id"],
            explanation=row["lots"].encode(),
            detail=origin,
            payload=origin,
        )
        try:
            outcome = await self._ledger.apply_one(item)
        except PointsOutOfBounds as error:
            log.warning("transfer_waits", txn_id=str(row["txn_id"]), reason=error.reason)
            return
        if outcome.status not in (Status.APPLIED, Status.REPLAY):
            raise Internal
        await queries.mark_arrived(self._db.pool, row["wallet_id"], row["txn_id"])


def _ends_of(row: Any) -> events_pb2.TransferEnds:
    pool_id = row["pool_id"]
    return events_pb2.TransferEnds(
        member_id="" if row["wallet_id"] == pool_id else ids.to_edge("mbr", row["wallet_id"]),
        to_member_id="" if row["to_wallet_id"] == pool_id else ids.to_edge("mbr", row["to_wallet_id"]),
        pool_id=optional_edge("fpl", pool_id),
    )


def _check(outcome: Outcome, request: points_pb2.TransferPointsRequest, limit_points: int) -> None:
    match outcome.status:
        case Status.APPLIED | Status.REPLAY:
            return
        case Status.CONFLICT:
            raise RequestIdReused(request_id=request.request_id)
        case Status.TRANSFER_LIMIT:
            if not limit_points:
                raise TransferNotAllowed
            raise TransferLimitReached(left_points=outcome.points, limit_points=limit_points)
        case Status.INSUFFICIENT:
            raise InsufficientPoints(available_points=outcome.available_points, requested_points=request.points)
        case _:
            raise Internal
