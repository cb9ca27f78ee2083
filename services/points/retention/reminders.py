"""Reminders of points that expire soon: an event for each member, expiry and distance, once.

What was sent is written down in the transaction that sends it, so a run that was cut short is finished by the next one.
Looked for once an hour of business time, in the wallets that an index says may have something that expires within the
longest distance. What was spent is not there any more; of distances that were missed only the nearest is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from chassis import ids, rpc
from chassis.db import Database, Tx
from huitong.points.v1 import events_pb2
from services.points.convert import to_timestamp
from services.points.earning import rules
from services.points.lookup import Lookup

CHUNK = 500
_DUE = """
    SELECT d.wallet_id, d.group_id, d.first_expire_time, l.expire_time, l.points
    FROM (SELECT w.wallet_id, w.group_id, w.first_expire_time FROM wallet w
          WHERE w.first_expire_time <= $1 AND (w.first_expire_time, w.wallet_id) > ($2, $3)
          ORDER BY w.first_expire_time, w.wallet_id LIMIT $5) d
    LEFT JOIN LATERAL (
        SELECT l.expire_time, sum(l.left_points - l.held_points)::bigint AS points FROM lot l
        WHERE d.group_id = ANY ($4) AND l.wallet_id = d.wallet_id AND l.expire_time >= d.first_expire_time
          AND l.expire_time > $6 AND l.expire_time <= $1 AND l.unlock_time IS NULL AND l.left_points > l.held_points
        GROUP BY l.expire_time) l ON true
    ORDER BY d.first_expire_time, d.wallet_id, l.expire_time"""
_NOTE = text(
    """INSERT INTO expiry_reminder (expire_time, wallet_id, days_ahead, group_id)
       SELECT * FROM unnest(CAST(:expire_times AS timestamptz[]), CAST(:wallet_ids AS uuid[]),
                            CAST(:days_ahead AS integer[]), CAST(:group_ids AS uuid[])) AS r (a, b, c, d)
       ORDER BY r.a, r.b, r.c  -- so that two runs cannot wait for each other
       ON CONFLICT DO NOTHING RETURNING wallet_id, expire_time"""
)


class _Reminder(NamedTuple):
    wallet_id: UUID
    group_id: UUID
    expire_time: datetime
    days_ahead: int
    points: int


class Reminders:
    """Reminds members of what expires."""

    def __init__(self, database: Database, lookup: Lookup) -> None:
        self._db, self._lookup = database, lookup
        self._looked_at: datetime | None = None

    async def remind(self, now: datetime) -> None:
        """Send what is due and was not sent; at most once an hour."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour == self._looked_at:
            return
        days = {
            group_id: rule_set.reminder_days
            for group_id, rule_set in (await rule_sets_of_today(self._db, self._lookup, now)).items()
            if rule_set.reminder_days
        }
        if days:
            await self._db.pool.execute("DELETE FROM expiry_reminder WHERE expire_time <= $1", now)
            await self._remind(now, days)
        self._looked_at = hour

    async def _remind(self, now: datetime, days: Mapping[UUID, Sequence[int]]) -> None:
        until = now + timedelta(days=max(max(each) for each in days.values()))
        after = (datetime.min.replace(tzinfo=UTC), UUID(int=0))
        while rows := await self._db.pool.fetch(_DUE, until, *after, list(days), CHUNK, now):
            due = [reminder for row in rows if (reminder := _reminder(row, now, days.get(row["group_id"], ())))]
            if due:
                async with self._db.transaction(rpc.internal_caller("points", rpc.NO_GROUP)) as tx:
                    await _send(tx, due)
            after = (rows[-1]["first_expire_time"], rows[-1]["wallet_id"])


def nearest_distance(left: timedelta, days: Sequence[int]) -> int | None:
    """The least of `days`, which ascend, that is reached when so much time is left."""
    return next((each for each in days if left <= timedelta(days=each)), None)


def _reminder(row: Any, now: datetime, days: Sequence[int]) -> _Reminder | None:
    """For the nearest distance that is reached; None when none is."""
    if row["expire_time"] is None:
        return None
    days_ahead = nearest_distance(row["expire_time"] - now, days)
    if days_ahead is None:
        return None
    return _Reminder(row["wallet_id"], row["group_id"], row["expire_time"], days_ahead, row["points"])


async def _send(tx: Tx, due: Sequence[_Reminder]) -> None:
    result = await tx.execute(
        _NOTE,
        {
            "expire_times": [each.expire_time for each in due],
            "wallet_ids": [each.wallet_id for each in due],
            "days_ahead": [each.days_ahead for each in due],
            "group_ids": [each.group_id for each in due],
        },
    )
    new = {(row.wallet_id, row.expire_time) for row in result}
    for each in due:
        if (each.wallet_id, each.expire_time) not in new:
            continue
        member_edge = ids.to_edge("mbr", each.wallet_id)
        tx.emit(
            events_pb2.PointsExpiringSoon(
                member_id=member_edge,
                expire_time=to_timestamp(each.expire_time),
                points=each.points,
                days_ahead=each.days_ahead,
            ),
            key=member_edge,
            group_id=each.group_id,
            event_id=ids.derive("expiring", each.wallet_id, each.expire_time.isoformat(), each.days_ahead),
        )


async def rule_sets_of_today(database: Database, lookup: Lookup, now: datetime) -> dict[UUID, rules.RuleSet]:
    """The rule set in force (UTC) of each group that has one."""
    found: dict[UUID, rules.RuleSet] = {}
    for row in await database.pool.fetch("SELECT DISTINCT group_id FROM rule_set ORDER BY group_id"):
        data = await lookup.group(row["group_id"])
        rule_set = rules.in_force(data.rule_sets, now, "UTC")
        if rule_set is not None:
            found[row["group_id"]] = rule_set
    return found
