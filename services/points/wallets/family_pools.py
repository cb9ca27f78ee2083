"""Family pools: who is in one, and what moves into and out of it.

A pool's wallet has the pool's id, so the ledger's calls work on it. What a member puts in, and what is left when the
pool is dissolved, are transfers: two calls, finished by the job of transfers when something breaks in between.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from chassis import ids, rpc
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.jobs import Rows
from huitong.points.v1 import family_pools_pb2 as pb
from services.points.errors import InsufficientPoints, PointsOutOfBounds
from services.points.lookup import Lookup
from services.points.spending.spenders import Spenders
from services.points.wallets.currencies import open_wallet
from services.points.wallets.errors import (
    AlreadyInPool,
    FamilyPoolDissolved,
    FamilyPoolFull,
    FamilyPoolsNotAllowed,
    FamilyPoolUnknown,
    NotInPool,
    NotInvited,
    PoolOwnerRequired,
    PoolOwnerStays,
    PoolSpendingNotAllowed,
)
from services.points.wallets.tables import family_pool, pool_member
from services.points.wallets.transfers import Transfers

log = structlog.get_logger()

CHUNK = 200
SPEND_DAYS = timedelta(days=30)
_INVITED, _ACTIVE, _LEFT = pb.POOL_MEMBER_STATE_INVITED, pb.POOL_MEMBER_STATE_ACTIVE, pb.POOL_MEMBER_STATE_LEFT


class FamilyPools:
    """Pools, their members, contributions and their end."""

    def __init__(
        self, database: Database, lookup: Lookup, transfers: Transfers, lane_count: int, spenders: Spenders
    ) -> None:
        self._db, self._lookup, self._transfers, self._lane_count = database, lookup, transfers, lane_count
        self._spenders = spenders

    async def create(self, group_id: UUID, request: pb.CreateFamilyPoolRequest) -> pb.CreateFamilyPoolResponse:
        """A new pool.

        Raises: MemberUnknown, FamilyPoolsNotAllowed, AlreadyInPool, RuleSetUnknown, RequestIdReused.
        """
        owner_id = ids.from_edge("mbr", request.member_id, "member_id")
        await self._lookup.require_member(group_id, owner_id)
        data = await self._lookup.group(group_id)
        pool_id = ids.derive("family-pool", group_id, request.request_id)

        async def create(tx: Tx) -> pb.CreateFamilyPoolResponse:
            max_members = data.rule_set_at(tx.now, "UTC").family_pool_members
            if not max_members:
                raise FamilyPoolsNotAllowed
            await tx.execute(
                insert(family_pool).values(
                    pool_id=pool_id,
                    group_id=tx.group_id,
                    owner_id=owner_id,
                    state=pb.FAMILY_POOL_STATE_OPEN,
                    name=request.name,
                    max_members=max_members,
                    create_time=tx.now,
                )
            )
            await _put_member(tx, pool_id, owner_id, _ACTIVE, may_spend=True, spend_limit_points=0)
            return pb.CreateFamilyPoolResponse(pool=await _message(tx, pool_id))

        # Before the pool can be used: a wallet that a refusal leaves behind is empty for ever.
        await open_wallet(
            self._db, pool_id, group_id=group_id, currency_id=None, owner_id=owner_id, lane_count=self._lane_count
        )
        try:
            return await self._db.run_once(request, pb.CreateFamilyPoolResponse, create)
        except IntegrityError:
            raise AlreadyInPool(member_id=request.member_id) from None

    async def set_member(self, group_id: UUID, request: pb.SetPoolMemberRequest) -> pb.SetPoolMemberResponse:
        """Invite, or change what a member may do.

        Raises: MemberUnknown, FamilyPoolUnknown, FamilyPoolDissolved, PoolOwnerRequired, FamilyPoolFull,
        InvalidArgument, RequestIdReused.
        """
        other_id = ids.from_edge("mbr", request.other_member_id, "other_member_id")
        await self._lookup.require_member(group_id, other_id)

        async def change(tx: Tx) -> pb.SetPoolMemberResponse:
            pool = await _lock(tx, request, must_be_open=True, by_owner=True)
            if other_id == pool["owner_id"]:
                raise InvalidArgument([("other_member_id", "the owner may always spend")])
            result = await tx.execute(
                text("SELECT member_id, state FROM pool_member WHERE pool_id = :pool_id AND state IN (1, 2)"),
                {"pool_id": pool["pool_id"]},
            )
            states: dict[UUID, int] = {row["member_id"]: row["state"] for row in result.mappings()}
            if other_id not in states and len(states) >= pool["max_members"]:
                raise FamilyPoolFull(max_members=pool["max_members"])
            state = states.get(other_id, int(_INVITED))
            await _put_member(
                tx,
                pool["pool_id"],
                other_id,
                state,
                may_spend=request.may_spend,
                spend_limit_points=request.spend_limit_points,
            )
            return pb.SetPoolMemberResponse(pool=await _message(tx, pool["pool_id"]))

        return await self._db.run_once(request, pb.SetPoolMemberResponse, change)

    async def join(self, request: pb.JoinFamilyPoolRequest) -> pb.JoinFamilyPoolResponse:
        """Accept an invitation.

        Raises: FamilyPoolUnknown, FamilyPoolDissolved, NotInvited, AlreadyInPool, RequestIdReused.
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")

        async def join(tx: Tx) -> pb.JoinFamilyPoolResponse:
            pool = await _lock(tx, request, must_be_open=True)
            result = await tx.execute(
                text(
                    """UPDATE pool_member SET state = 2, change_time = :now
                       WHERE pool_id = :pool_id AND member_id = :member_id AND state = 1 RETURNING 1"""
                ),
                {"pool_id": pool["pool_id"], "member_id": member_id, "now": tx.now},
            )
            if result.one_or_none() is None:
                raise NotInvited(member_id=request.member_id)
            return pb.JoinFamilyPoolResponse(pool=await _message(tx, pool["pool_id"]))

        try:
            return await self._db.run_once(request, pb.JoinFamilyPoolResponse, join)
        except IntegrityError:
            raise AlreadyInPool(member_id=request.member_id) from None

    async def leave(self, request: pb.LeaveFamilyPoolRequest) -> pb.LeaveFamilyPoolResponse:
        """Leave, decline, or remove. Raises FamilyPoolUnknown, NotInPool, PoolOwnerRequired, PoolOwnerStays."""
        leaver = request.other_member_id or request.member_id
        leaver_id = ids.from_edge("mbr", leaver, "other_member_id")

        async def leave(tx: Tx) -> pb.LeaveFamilyPoolResponse:
            pool = await _lock(tx, request, by_owner=leaver != request.member_id)
            if leaver_id == pool["owner_id"]:
                raise PoolOwnerStays
            result = await tx.execute(
                text(
                    """UPDATE pool_member SET state = 3, change_time = :now
                       WHERE pool_id = :pool_id AND member_id = :member_id AND state IN (1, 2) RETURNING 1"""
                ),
                {"pool_id": pool["pool_id"], "member_id": leaver_id, "now": tx.now},
            )
            if result.one_or_none() is None:
                raise NotInPool(member_id=leaver)
            return pb.LeaveFamilyPoolResponse(pool=await _message(tx, pool["pool_id"]))

        return await self._db.run_once(request, pb.LeaveFamilyPoolResponse, leave)

    async def dissolve(self, request: pb.DissolveFamilyPoolRequest) -> pb.DissolveFamilyPoolResponse:
        """End a pool and give its points to the owner. Raises FamilyPoolUnknown, PoolOwnerRequired, RequestIdReused."""

        async def dissolve(tx: Tx) -> pb.DissolveFamilyPoolResponse:
            pool = await _lock(tx, request, by_owner=True)
            values = {"pool_id": pool["pool_id"], "now": tx.now}
            await tx.execute(
                text("UPDATE family_pool SET state = 2, dissolve_time = :now WHERE pool_id = :pool_id AND state = 1"),
                values,
            )
            await tx.execute(
                text(
                    """UPDATE pool_member SET state = 3, change_time = :now
                       WHERE pool_id = :pool_id AND state IN (1, 2)"""
                ),
                values,
            )
            return pb.DissolveFamilyPoolResponse(pool=await _message(tx, pool["pool_id"]))

        answer = await self._db.run_once(request, pb.DissolveFamilyPoolResponse, dissolve)
        await self._empty(ids.from_edge("fpl", request.pool_id, "pool_id"))
        return answer

    async def contribute(self, group_id: UUID, request: pb.ContributeToPoolRequest) -> pb.ContributeToPoolResponse:
        """Put own points in.

        Raises: what Spenders.require does, FamilyPoolUnknown, FamilyPoolDissolved, NotInPool, InsufficientPoints,
        PointsOutOfBounds (the pool is full), RequestIdReused, Unavailable (unknown outcome: ask again).
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        pool_id = ids.from_edge("fpl", request.pool_id, "pool_id")
        txn_id = ids.derive("contribute", group_id, request.request_id)
        await self._spenders.require(group_id, member_id, txn_id)
        # A retry gets its first answer, whatever became of pool and member since.
        if not await self._transfers.is_known(member_id, txn_id):
            await self._require_active(group_id, pool_id, member_id)
        outcome = await self._transfers.into_pool(
            group_id, request, txn_id=txn_id, member_id=member_id, pool_id=pool_id
        )
        return pb.ContributeToPoolResponse(
            txn_id=ids.to_edge("txn", txn_id),
            points=outcome.points,
            available_points=outcome.available_points,
            is_replay=outcome.is_replay,
        )

    async def spend_limit(self, group_id: UUID, pool_id: UUID, member_id: UUID, txn_id: UUID) -> int:
        """What the member may spend in 30 days (0: any amount), for the redemption or hold of that id.

        Raises: FamilyPoolUnknown, FamilyPoolDissolved, NotInPool, PoolSpendingNotAllowed.
        """
        if await self._db.pool.fetchval(
            "SELECT 1 FROM pool_spend s WHERE s.wallet_id = $1 AND s.txn_id = $2", pool_id, txn_id
        ):
            return 0  # it is done: the ledger only repeats its answer
        return await self.require_spender(group_id, pool_id, member_id)

    async def require_spender(self, group_id: UUID, pool_id: UUID, member_id: UUID) -> int:
        """Make sure that the member may spend from the pool now, and answer how much in 30 days (0: any amount).

        Raises: FamilyPoolUnknown, FamilyPoolDissolved, NotInPool, PoolSpendingNotAllowed.
        """
        row = await self._require_active(group_id, pool_id, member_id)
        if not row["may_spend"]:
            raise PoolSpendingNotAllowed(member_id=ids.to_edge("mbr", member_id))
        limit_points: int = row["spend_limit_points"]
        return limit_points

    async def require_pool(self, group_id: UUID, pool_id: UUID) -> None:
        """Raises FamilyPoolUnknown."""
        if not await self._db.pool.fetchval(
            "SELECT 1 FROM family_pool WHERE pool_id = $1 AND group_id = $2", pool_id, group_id
        ):
            raise FamilyPoolUnknown(pool_id=ids.to_edge("fpl", pool_id))

    async def get(self, tx: Tx, member_id: str, pool_id: str, *, also_invited: bool) -> pb.FamilyPool:
        """A pool as one who is in it sees it. Raises FamilyPoolUnknown, NotInPool."""
        pool = await _find(tx, ids.from_edge("fpl", pool_id, "pool_id"))
        message = await _message(tx, pool["pool_id"])
        states = (_INVITED, _ACTIVE) if also_invited else (_ACTIVE,)
        # The owner sees a pool also after its end.
        if message.owner_member_id != member_id and not any(
            one.member_id == member_id and one.state in states for one in message.members
        ):
            raise NotInPool(member_id=member_id)
        return message

    async def list_of(self, member_id: UUID) -> list[pb.FamilyPool]:
        """The pools that a member is in or invited to."""
        async with self._db.reading(rpc.caller()) as tx:
            result = await tx.execute(
                text(
                    """SELECT m.pool_id FROM pool_member m
                       WHERE m.member_id = :member_id AND m.group_id = :group_id AND m.state IN (1, 2)
                       ORDER BY m.change_time, m.pool_id LIMIT 100"""
                ),
                {"member_id": member_id, "group_id": tx.group_id},
            )
            return [await _message(tx, pool_id) for (pool_id,) in result]

    async def finish(self, now: datetime) -> None:
        """Give to the owners what dissolved pools still hold, or got back since."""
        run = Rows("points-dissolved-pools")
        after = UUID(int=0)
        while rows := await self._db.pool.fetch(
            """SELECT f.pool_id FROM family_pool f JOIN wallet w ON w.wallet_id = f.pool_id
               WHERE f.state = 2 AND w.available_points > 0 AND f.pool_id > $1 ORDER BY f.pool_id LIMIT $2""",
            after,
            CHUNK,
        ):
            for row in rows:
                with run.row(pool_id=row["pool_id"]):
                    await self._empty(row["pool_id"])
            after = rows[-1]["pool_id"]
        run.end()

    async def _empty(self, pool_id: UUID) -> None:
        """Transfer what is available in a dissolved pool to its owner, who needs room. Again moves what came since."""
        row = await self._db.pool.fetchrow(
            """SELECT f.group_id, f.owner_id, w.available_points, w.version
               FROM family_pool f JOIN wallet w ON w.wallet_id = f.pool_id WHERE f.pool_id = $1""",
            pool_id,
        )
        points = row["available_points"]
        while points:
            try:
                await self._transfers.out_of_pool(
                    row["group_id"], pool_id=pool_id, member_id=row["owner_id"], points=points, version=row["version"]
                )
                return
            except InsufficientPoints as error:  # some of it is over its time, and goes with the next expiry run
                points = min(points - 1, int(error.values["available_points"]))
            except PointsOutOfBounds as full:
                log.warning("dissolved_pool_waits", pool_id=str(pool_id), reason=full.reason)
                return

    async def _require_active(self, group_id: UUID, pool_id: UUID, member_id: UUID) -> Any:
        row = await self._db.pool.fetchrow(
            """SELECT f.state AS pool_state, m.state, m.may_spend, m.spend_limit_points
               FROM family_pool f LEFT JOIN pool_member m ON m.pool_id = f.pool_id AND m.member_id = $2
               WHERE f.pool_id = $1 AND f.group_id = $3""",
            pool_id,
            member_id,
            group_id,
        )
        if row is None:
            raise FamilyPoolUnknown(pool_id=ids.to_edge("fpl", pool_id))
        if row["pool_state"] != pb.FAMILY_POOL_STATE_OPEN:
            raise FamilyPoolDissolved(pool_id=ids.to_edge("fpl", pool_id))
        if row["state"] != _ACTIVE:
            raise NotInPool(member_id=ids.to_edge("mbr", member_id))
        return row


async def _find(tx: Tx, pool_id: UUID, *, lock: str = "") -> Any:
    result = await tx.execute(
        text(f"SELECT * FROM family_pool WHERE pool_id = :pool_id AND group_id = :group_id {lock}"),
        {"pool_id": pool_id, "group_id": tx.group_id},
    )
    row = result.mappings().one_or_none()
    if row is None:
        raise FamilyPoolUnknown(pool_id=ids.to_edge("fpl", pool_id))
    return row


async def _lock(tx: Tx, request: Any, *, must_be_open: bool = False, by_owner: bool = False) -> Any:
    """The pool's row, locked: its members change one after the other."""
    pool = await _find(tx, ids.from_edge("fpl", request.pool_id, "pool_id"), lock="FOR UPDATE")
    if by_owner and ids.to_edge("mbr", pool["owner_id"]) != request.member_id:
        raise PoolOwnerRequired
    if must_be_open and pool["state"] != pb.FAMILY_POOL_STATE_OPEN:
        raise FamilyPoolDissolved(pool_id=request.pool_id)
    return pool


async def _put_member(
    tx: Tx, pool_id: UUID, member_id: UUID, state: int, *, may_spend: bool, spend_limit_points: int
) -> None:
    await tx.execute(
        text(
            f"""INSERT INTO {pool_member.name} (pool_id, member_id, group_id, state, may_spend, spend_limit_points,
                                                change_time)
                VALUES (:pool_id, :member_id, :group_id, :state, :may_spend, :spend_limit_points, :now)
                ON CONFLICT (pool_id, member_id) DO UPDATE
                SET state = excluded.state, may_spend = excluded.may_spend,
                    spend_limit_points = excluded.spend_limit_points, change_time = excluded.change_time"""
        ),
        {
            "pool_id": pool_id,
            "member_id": member_id,
            "group_id": tx.group_id,
            "state": state,
            "may_spend": may_spend,
            "spend_limit_points": spend_limit_points,
            "now": tx.now,
        },
    )


async def _message(tx: Tx, pool_id: UUID) -> pb.FamilyPool:
    pool = await _find(tx, pool_id)
    result = await tx.execute(
        text(
            """SELECT m.member_id, m.state, m.may_spend, m.spend_limit_points,
                      (SELECT coalesce(sum(s.points), 0)::bigint FROM pool_spend s
                       WHERE s.wallet_id = m.pool_id AND s.member_id = m.member_id AND s.record_time > :since) AS spent
               FROM pool_member m WHERE m.pool_id = :pool_id AND m.state IN (1, 2)
               ORDER BY m.change_time, m.member_id"""
        ),
        {"pool_id": pool_id, "since": tx.now - SPEND_DAYS},
    )
    return pb.FamilyPool(
        pool_id=ids.to_edge("fpl", pool_id),
        state=pool["state"],
        name=pool["name"],
        owner_member_id=ids.to_edge("mbr", pool["owner_id"]),
        max_members=pool["max_members"],
        members=[
            pb.PoolMember(
                member_id=ids.to_edge("mbr", row["member_id"]),
                state=row["state"],
                may_spend=row["may_spend"],
                spend_limit_points=row["spend_limit_points"],
                spent_points=row["spent"],
            )
            for row in result.mappings()
        ],
    )
