"""Members who have points and do not spend them: noted, told once, and told again when it is over.

The ledger keeps the date of a wallet's last spending (`wallet.idle_since`, of joining before the first), with an index.
Once an hour of business time the job looks at the wallets beyond the limit that are not noted yet, and at those that
are. A member who has had points for less time than the limit is not hoarding, however long ago they joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text

from chassis import ids, rpc
from chassis.db import Database, Tx
from huitong.points.v1 import events_pb2
from services.points.convert import to_date
from services.points.earning.expiry import add_months
from services.points.lookup import Lookup
from services.points.retention.reminders import rule_sets_of_today

CHUNK = 500
NOBODY = date(1, 1, 1)
# The first movement of a wallet is one step into an index.
_IDLE = text(
    """SELECT w.wallet_id, w.idle_since AS place, w.available_points,
              greatest(w.idle_since, (f.record_time AT TIME ZONE 'UTC')::date) AS idle_since
       FROM (SELECT w.wallet_id, w.idle_since, w.available_points FROM wallet w
             WHERE w.group_id = :group_id AND w.idle_since <= :limit
               AND (w.idle_since, w.wallet_id) > (:after_date, :after_id) AND w.available_points > 0
               AND NOT EXISTS (SELECT FROM hoarder h WHERE h.group_id = w.group_id AND h.wallet_id = w.wallet_id)
             ORDER BY w.idle_since, w.wallet_id LIMIT :chunk) w
       LEFT JOIN LATERAL (
           SELECT t.record_time FROM txn t WHERE t.wallet_id = w.wallet_id
             AND (t.points <> 0 OR t.pending_points <> 0 OR t.unmoved_points IS NOT NULL)
           ORDER BY t.version LIMIT 1) f ON true
       ORDER BY w.idle_since, w.wallet_id"""
)
_NOTE = text(
    """INSERT INTO hoarder (group_id, wallet_id, idle_since, flag_time)
       SELECT :group_id, i.wallet_id, i.idle_since, :now
       FROM unnest(CAST(:wallet_ids AS uuid[]), CAST(:dates AS date[])) AS i (wallet_id, idle_since)
       ON CONFLICT DO NOTHING RETURNING wallet_id"""
)
_NOTED = text(
    """SELECT h.wallet_id, w.available_points, w.available_points > 0 AND w.idle_since <= :limit AS is_hoarding
       FROM hoarder h JOIN wallet w ON w.wallet_id = h.wallet_id
       WHERE h.group_id = :group_id AND h.wallet_id > :after_id ORDER BY h.wallet_id LIMIT :chunk"""
)
_FORGET = text(
    """DELETE FROM hoarder h WHERE h.group_id = :group_id AND h.wallet_id = ANY (:wallet_ids) RETURNING h.wallet_id"""
)
_LIST = text(
    """SELECT h.wallet_id, h.idle_since, h.flag_time, w.available_points
       FROM hoarder h JOIN wallet w ON w.wallet_id = h.wallet_id
       WHERE h.group_id = :group_id AND h.wallet_id > :after_id ORDER BY h.wallet_id LIMIT :limit"""
)


class Hoarding:
    """Notes who hoards."""

    def __init__(self, database: Database, lookup: Lookup) -> None:
        self._db, self._lookup = database, lookup
        self._looked_at: datetime | None = None

    async def look(self, now: datetime) -> None:
        """Note who hoards by now, and who does not any more; at most once an hour."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour == self._looked_at:
            return
        limits = {
            group_id: add_months(now.date(), -rule_set.hoarding_months)
            for group_id, rule_set in (await rule_sets_of_today(self._db, self._lookup, now)).items()
            if rule_set.hoarding_months
        }
        noted = await self._db.pool.fetch("SELECT DISTINCT group_id FROM hoarder")
        for group_id in sorted({row["group_id"] for row in noted} | limits.keys()):
            await self._end(group_id, limits.get(group_id, NOBODY))
        for group_id, limit in sorted(limits.items()):
            await self._start(group_id, limit)
        self._looked_at = hour

    async def _start(self, group_id: UUID, limit: date) -> None:
        place: tuple[date, UUID] | None = (NOBODY, UUID(int=0))
        while place is not None:
            async with self._db.transaction(rpc.internal_caller("points", group_id)) as tx:
                place = await _start_some(tx, limit, place)

    async def _end(self, group_id: UUID, limit: date) -> None:
        place: UUID | None = UUID(int=0)
        while place is not None:
            async with self._db.transaction(rpc.internal_caller("points", group_id)) as tx:
                place = await _end_some(tx, limit, place)


async def _start_some(tx: Tx, limit: date, after: tuple[date, UUID]) -> tuple[date, UUID] | None:
    values = {"group_id": tx.group_id, "limit": limit, "after_date": after[0], "after_id": after[1], "chunk": CHUNK}
    rows = (await tx.execute(_IDLE, values)).mappings().all()
    found = {row["wallet_id"]: row for row in rows if row["idle_since"] <= limit}
    dates = [row["idle_since"] for row in found.values()]
    noting: dict[str, Any] = {"group_id": tx.group_id, "wallet_ids": list(found), "dates": dates, "now": tx.now}
    for noted in await tx.execute(_NOTE, noting):
        row = found[noted.wallet_id]
        member_edge = ids.to_edge("mbr", noted.wallet_id)
        tx.emit(
            events_pb2.PointsHoardingStarted(
                member_id=member_edge,
                available_points=row["available_points"],
                idle_since=to_date(row["idle_since"]),
            ),
            key=member_edge,
        )
    return (rows[-1]["place"], rows[-1]["wallet_id"]) if rows else None


async def _end_some(tx: Tx, limit: date, after: UUID) -> UUID | None:
    values = {"group_id": tx.group_id, "limit": limit, "after_id": after, "chunk": CHUNK}
    rows = (await tx.execute(_NOTED, values)).mappings().all()
    over = {row["wallet_id"]: row["available_points"] for row in rows if not row["is_hoarding"]}
    for forgotten in await tx.execute(_FORGET, {"group_id": tx.group_id, "wallet_ids": list(over)}):
        member_edge = ids.to_edge("mbr", forgotten.wallet_id)
        tx.emit(
            events_pb2.PointsHoardingEnded(member_id=member_edge, available_points=over[forgotten.wallet_id]),
            key=member_edge,
        )
    return rows[-1]["wallet_id"] if rows else None


async def list_hoarders(tx: Tx, *, after_id: UUID, limit: int) -> Sequence[RowMapping]:
    """The group's members who are noted as hoarding, behind `after_id`, by id."""
    result = await tx.execute(_LIST, {"group_id": tx.group_id, "after_id": after_id, "limit": limit})
    return result.mappings().all()
