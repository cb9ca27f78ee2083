"""Who may spend: not a member who is frozen or closed, who has just joined, or who spends too often.

One query, as making sure that there is such a member takes anyway; a group without limits asks Valkey nothing. What was
done before is answered again whatever has become of its member since.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from chassis import ids
from chassis.db import Database
from chassis.errors import AppError
from chassis.valkey import ValkeyGone
from chassis.velocity import HOUR, Velocity, Window
from huitong.member.v1.risk_pb2 import MEMBER_STATE_CLOSED, MEMBER_STATE_FROZEN
from services.points import queries
from services.points.ledger.ledger import Kind
from services.points.lookup import Lookup
from services.points.spending.errors import (
    MemberClosed,
    MemberFrozen,
    SpendingCoolsDown,
    SpendingNotChecked,
    SpendingTooOften,
)

log = structlog.get_logger()
_SPENDER = """
    SELECT CASE WHEN m.survivor_id IS NULL THEN m.state  -- an absorbed member is frozen with its survivor
                ELSE (SELECT s.state FROM member s WHERE s.member_id = m.survivor_id) END AS state,
           m.join_time, p.cool_down_hours, p.spends_per_hour, {now_sql} AS now
    FROM member m LEFT JOIN spend_policy p ON p.group_id = m.group_id
    WHERE m.member_id = $1 AND m.group_id = $2"""

# What a member moved out or held within the last hour, but not through a family pool: it has limits of its own.
# Nobody moves more often than what is looked at.
_SPENT = f"""
    SELECT s.id, (extract(epoch FROM {{now_sql}} - s.time) * 1000)::bigint AS age_ms
    FROM wallet AS w CROSS JOIN LATERAL (
      SELECT t.txn_id AS id, t.record_time AS time
      FROM (SELECT kind, record_time, txn_id FROM txn WHERE wallet_id = w.wallet_id
            ORDER BY version DESC LIMIT 1000) AS t
      WHERE t.kind = ANY(ARRAY[{Kind.REDEEM}, {Kind.TRANSFER_OUT}, {Kind.CONVERT_OUT}])
      UNION ALL SELECT hold_id, create_time FROM hold
      WHERE wallet_id = w.wallet_id AND create_time > {{now_sql}} - interval '1 hour') AS s
    WHERE (w.wallet_id = $1 OR (w.owner_id = $1 AND w.currency_id IS NOT NULL))
      AND s.time > {{now_sql}} - interval '1 hour'"""


class Spenders:
    """Lets members spend, or says why not."""

    def __init__(self, database: Database, lookup: Lookup, velocity: Velocity) -> None:
        self._db, self._lookup, self._velocity = database, lookup, velocity
        self._select, self._spent = (text.format(now_sql=database.now_sql) for text in (_SPENDER, _SPENT))

    async def require(self, group_id: UUID, member_id: UUID, key: UUID) -> None:
        """Let a member make the movement or hold of the id `key`, and count it.

        Raises MemberUnknown, MemberFrozen, MemberClosed, SpendingCoolsDown, SpendingTooOften, SpendingNotChecked.
        """
        row = await self._find(group_id, member_id)
        refusal = _refusal(member_id, row)
        if refusal is None and row["spends_per_hour"]:
            refusal = await self._count(group_id, member_id, key, row["spends_per_hour"])
        if refusal is not None and not await self.is_done(key):
            raise refusal

    async def look(self, group_id: UUID, member_id: UUID) -> None:
        """As require, ahead of it: counts nothing.

        Raises MemberUnknown, MemberFrozen, MemberClosed, SpendingCoolsDown.
        """
        refusal = _refusal(member_id, await self._find(group_id, member_id))
        if refusal is not None:
            raise refusal

    async def is_done(self, key: UUID) -> bool:
        """Whether the movement or hold of this id is in the ledger."""
        wallet_id = await queries.find_request(self._db.pool, key)
        return wallet_id is not None and await queries.has_txn_or_hold(self._db.pool, wallet_id, key)

    async def _find(self, group_id: UUID, member_id: UUID) -> Any:
        row = await self._db.pool.fetchrow(self._select, member_id, group_id)
        if row is None:
            await self._lookup.require_member(group_id, member_id)
            row = await self._db.pool.fetchrow(self._select, member_id, group_id)
        return row

    async def _count(self, group_id: UUID, member_id: UUID, key: UUID, limit: int) -> AppError | None:
        spent = [(row["id"].hex, row["age_ms"]) for row in await self._db.pool.fetch(self._spent, member_id)]
        window = Window("spends", member_id.hex, limit, HOUR)
        try:
            full = await self._velocity.take(group_id, key.hex, [window], known=spent)
        except ValkeyGone:
            # Whoever empties an account does it while nobody counts.
            log.warning("spending_refused_uncounted", member_id=ids.to_edge("mbr", member_id))
            return SpendingNotChecked()
        return SpendingTooOften(limit=limit, retry_ms=full.retry_ms) if full else None


def _refusal(member_id: UUID, row: Any) -> AppError | None:
    if row["state"] == MEMBER_STATE_FROZEN:
        return MemberFrozen(member_id=ids.to_edge("mbr", member_id))
    if row["state"] == MEMBER_STATE_CLOSED:
        return MemberClosed(member_id=ids.to_edge("mbr", member_id))
    if row["cool_down_hours"] and row["join_time"] is not None:
        spend_from = row["join_time"] + timedelta(hours=row["cool_down_hours"])
        if row["now"] < spend_from:
            return SpendingCoolsDown(spend_from_time=spend_from.isoformat())
    return None
