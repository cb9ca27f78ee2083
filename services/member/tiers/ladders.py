"""Queries about ladders; the tables are in services/member/tier_tables.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, text

from chassis.db import Tx
from services.member.tier_tables import tier, tier_task
from services.member.tiers.growth import Policy, Task, Window
from services.member.tiers.rules import DEFAULT_LADDER, Ladder, Tier

# A ladder a row for each tier, with the ladder's own columns on each.
_LADDERS = """SELECT l.group_id, l.version, l.effective_time, l.is_cancelled, l.window_kind, l.months, l.grace_days,
         l.spend_growth_bps, l.visit_growth, l.currency_code, l.time_zone,
         (SELECT coalesce(json_object_agg(k.task_code, json_build_array(k.growth, k.tag)), '{{}}')::text
          FROM tier_task AS k WHERE k.group_id = l.group_id AND k.version = l.version) AS tasks,
         t.code, t.name, t.name_zh, t.min_growth, t.earn_multiplier_bps, t.free_parking_minutes
  FROM ({chosen}) AS l JOIN tier AS t ON t.group_id = l.group_id AND t.version = l.version
  ORDER BY l.group_id, l.version DESC, t.place"""
_IN_FORCE = text(
    _LADDERS.format(
        chosen="""SELECT DISTINCT ON (group_id) * FROM tier_ladder
                  WHERE group_id = ANY (CAST(:group_ids AS uuid[])) AND effective_time <= :now AND NOT is_cancelled
                  ORDER BY group_id, effective_time DESC, version DESC"""
    )
)
_VERSIONS = text(
    _LADDERS.format(
        chosen="""SELECT * FROM tier_ladder
                  WHERE group_id = :group_id AND version < :before ORDER BY version DESC LIMIT :most"""
    )
)
_POLICY = ("months", "grace_days", "spend_growth_bps", "visit_growth", "currency_code", "time_zone")
_TRIES = 20


async def find_ladders(tx: Tx, group_ids: Iterable[UUID]) -> dict[UUID, Ladder]:
    """The ladder in force of each group: its own, or the default one."""
    groups = set(group_ids)
    found = await _ladders(tx, _IN_FORCE, {"group_ids": list(groups), "now": tx.now})
    own = dict(found)
    return {group_id: own.get(group_id, DEFAULT_LADDER) for group_id in groups}


async def get_ladder(tx: Tx) -> Ladder:
    """The ladder in force in the caller's group."""
    return (await find_ladders(tx, [tx.group_id]))[tx.group_id]


async def list_ladders(tx: Tx, *, before_version: int, limit: int) -> list[Ladder]:
    """The group's versions below one, newest first."""
    parameters = {"group_id": tx.group_id, "before": before_version, "most": limit}
    return [ladder for _, ladder in await _ladders(tx, _VERSIONS, parameters)]


async def find_ladder(tx: Tx, version: int) -> Ladder | None:
    """One version."""
    if version >= 2**31 - 1:  # the next one is no number of the column's
        return None
    found = await list_ladders(tx, before_version=version + 1, limit=1)
    return found[0] if found and found[0].version == version else None


async def _ladders(tx: Tx, statement: Any, parameters: dict[str, Any]) -> list[tuple[UUID, Ladder]]:
    found: dict[tuple[UUID, int], Ladder] = {}
    for row in (await tx.execute(statement, parameters)).mappings():
        new = Tier(**{field.name: row[field.name] for field in fields(Tier)})
        key = row["group_id"], row["version"]
        if key in found:
            found[key] = replace(found[key], tiers=(*found[key].tiers, new))
        else:
            policy = Policy(
                window=Window(row["window_kind"]),
                tasks={code: Task(*gives) for code, gives in orjson.loads(row["tasks"]).items()},
                **{name: row[name] for name in _POLICY},
            )
            found[key] = Ladder(row["version"], (new,), policy, row["effective_time"], row["is_cancelled"])
    return [(group_id, ladder) for (group_id, _), ladder in found.items()]


async def add_ladder(tx: Tx, tiers: Sequence[Tier], policy: Policy, effective_time: datetime) -> Ladder:
    """Make these the group's next version."""
    values = {name: getattr(policy, name) for name in _POLICY}
    parameters = {"group_id": tx.group_id, "effective": effective_time, "now": tx.now, "window": int(policy.window)}
    for _ in range(_TRIES):
        # Of two at once the second waits here for the first to commit, and takes the number after it.
        version = (await tx.execute(_ADD, {**values, **parameters})).scalar_one_or_none()
        if version is not None:
            break
    else:
        raise RuntimeError("no free version was found")
    key = {"group_id": tx.group_id, "version": version}
    await tx.execute(
        insert(tier),
        [
            {**key, "place": place, **{field.name: getattr(one, field.name) for field in fields(Tier)}}
            for place, one in enumerate(tiers)
        ],
    )
    if policy.tasks:
        rows = [{**key, "task_code": code, **asdict(task)} for code, task in policy.tasks.items()]
        await tx.execute(insert(tier_task), rows)
    return Ladder(version, tuple(tiers), policy, effective_time)


_ADD = text(
    """INSERT INTO tier_ladder (group_id, version, effective_time, create_time, is_cancelled, window_kind, months,
                                grace_days, spend_growth_bps, visit_growth, currency_code, time_zone)
       SELECT :group_id, coalesce(max(version), 0) + 1, :effective, :now, false, :window, :months,
              :grace_days, :spend_growth_bps, :visit_growth, :currency_code, :time_zone
       FROM tier_ladder WHERE group_id = :group_id
       ON CONFLICT DO NOTHING RETURNING version"""
)


async def cancel_ladder(tx: Tx, version: int) -> bool:
    """Cancel a version that is not in force yet; answers whether it was one."""
    done = await tx.execute(
        text(
            """UPDATE tier_ladder SET is_cancelled = true
               WHERE group_id = :group_id AND version = :version AND effective_time > :now"""
        ),
        {"group_id": tx.group_id, "version": version, "now": tx.now},
    )
    return bool(done.rowcount)
