"""Another expiry for points that a member has, for those who want to keep them: a reward, a courtesy."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from chassis.db import Database
from chassis.errors import Internal, RequestIdReused
from huitong.points.v1 import retention_pb2
from services.points.convert import instant_of, request_hash, to_timestamp
from services.points.errors import ExpiryPast, NothingToRenew
from services.points.ledger.claims import Claims
from services.points.ledger.ledger import Item, Kind, Ledger, Status
from services.points.lookup import Lookup


class Renewals:
    """Renews points."""

    def __init__(self, database: Database, lookup: Lookup, claims: Claims, ledger: Ledger) -> None:
        self._db, self._lookup, self._claims, self._ledger = database, lookup, claims, ledger

    async def renew(
        self, group_id: UUID, request: retention_pb2.RenewPointsRequest
    ) -> retention_pb2.RenewPointsResponse:
        """Give points that expire before an instant a later expiry.

        Raises: MemberUnknown, NothingToRenew, ExpiryPast, RequestIdReused, Unavailable (unknown outcome: ask again).
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        txn_id = ids.derive("renew", group_id, request.request_id)
        before, expire_time = instant_of(request.expiring_before), instant_of(request.expire_time)
        await self._lookup.require_member(group_id, member_id)
        if await self._claims.request(request_key=txn_id, group_id=group_id, target_id=member_id) != member_id:
            raise RequestIdReused(request_id=request.request_id)
        now = await self._db.now()
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.RENEW,
                wallet_id=member_id,
                group_id=group_id,
                txn_id=txn_id,
                request_hash=request_hash(request),
                points=0,
                occur_time=now,
                expire_time=expire_time,
                unlock_time=before,
            )
        )
        match outcome.status:
            case Status.APPLIED | Status.REPLAY:
                return retention_pb2.RenewPointsResponse(
                    txn_id=ids.to_edge("txn", txn_id),
                    renewed_points=outcome.points,
                    expire_time=to_timestamp(outcome.expire_time),
                    is_replay=outcome.status is Status.REPLAY,
                )
            case Status.CONFLICT:
                raise RequestIdReused(request_id=request.request_id)
            case Status.NOTHING:  # decided by the ledger, so that a renewal that is asked for again finds itself first
                if expire_time <= now:
                    raise ExpiryPast(expire_time=expire_time.isoformat())
                raise NothingToRenew(expiring_before=before.isoformat(), expire_time=expire_time.isoformat())
            case _:
                raise Internal
