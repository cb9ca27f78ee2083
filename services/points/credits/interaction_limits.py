"""How many points of one reason a member may be given on a day, by whichever door they come."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from chassis.db import Tx
from services.points.errors import InteractionLimitReached
from services.points.lookup import GroupData

# The person, and all members that are one with it.
_PERSON = text("SELECT coalesce(survivor_id, member_id) FROM member WHERE member_id = :member_id")
_GIVEN = text(
    """WITH one AS (SELECT member_id FROM member WHERE member_id = :person_id OR survivor_id = :person_id)
       SELECT coalesce(sum(g.points), 0)
       FROM (SELECT a.points, a.decide_time AS time FROM adjustment a
             WHERE a.member_id IN (SELECT member_id FROM one) AND a.reason_code = :reason_code AND a.direction = 1
               AND a.state IN (2, 3)
             UNION ALL
             SELECT r.points, r.create_time FROM reward r
             WHERE r.member_id IN (SELECT member_id FROM one) AND r.reason_code = :reason_code) g
       WHERE (g.time AT TIME ZONE 'UTC')::date = (:now AT TIME ZONE 'UTC')::date"""
)


async def check_interaction_limit(tx: Tx, data: GroupData, *, member_id: UUID, reason_code: str, points: int) -> None:
    """Points of one reason and member are given one after the other. Raises InteractionLimitReached, RuleSetUnknown."""
    doors = data.rule_set_at(tx.now, "UTC").doors
    limit_points = doors.interaction_limits.get(reason_code, 0) if doors is not None else 0
    if not limit_points:
        return
    person_id = (await tx.execute(_PERSON, {"member_id": member_id})).scalar_one()
    await tx.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('interaction' || :person_id || :reason_code, 0))"),
        {"person_id": str(person_id), "reason_code": reason_code},
    )
    values = {"person_id": person_id, "reason_code": reason_code, "now": tx.now}
    left_points = max(limit_points - int((await tx.execute(_GIVEN, values)).scalar_one()), 0)
    if points > left_points:
        raise InteractionLimitReached(
            limit_points=limit_points, reason_code=reason_code, left_points=left_points, requested_points=points
        )
