"""Queries about other cards' levels and what was granted for them; the tables are in services/member/tier_tables.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, text

from chassis.db import Tx
from services.member.store import among
from services.member.tables import standing
from services.member.tier_tables import tier_grant, tier_match
from services.member.tiers.rules import Floor


@dataclass(frozen=True, slots=True)
class Match:
    """What a level of a unit's own card is worth."""

    level: str
    tier_code: str
    months: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A tier granted for another card, with its evidence; the last day is `end_date`."""

    grant_id: UUID
    member_id: UUID
    unit_id: UUID
    level: str
    tier_code: str
    start_date: date
    end_date: date
    scheme: int
    number_index: bytes
    import_id: UUID | None
    import_row_id: str | None
    create_time: datetime


_GRANT = tuple(field.name for field in fields(Grant))
_KINDS = {
    "grant_id": "uuid",
    "member_id": "uuid",
    "unit_id": "uuid",
    "level": "text",
    "tier_code": "text",
    "start_date": "date",
    "end_date": "date",
    "scheme": "smallint",
    "number_index": "bytea",
    "import_id": "uuid",
    "import_row_id": "text",
    "create_time": "timestamptz",
}


async def replace_matches(tx: Tx, unit_id: UUID, matches: Sequence[Match]) -> None:
    """Put these in place of the unit's table."""
    own = (tier_match.c.group_id == tx.group_id) & (tier_match.c.unit_id == unit_id)
    await tx.execute(delete(tier_match).where(own))
    if matches:
        rows = [
            {
                "group_id": tx.group_id,
                "unit_id": unit_id,
                "level": one.level,
                "tier_code": one.tier_code,
                "months": one.months,
            }
            for one in matches
        ]
        await tx.execute(insert(tier_match), rows)


async def list_matches(tx: Tx, unit_id: UUID) -> list[Match]:
    """The unit's table, by level."""
    rows = await tx.execute(
        select(tier_match.c.level, tier_match.c.tier_code, tier_match.c.months)
        .where(tier_match.c.group_id == tx.group_id, tier_match.c.unit_id == unit_id)
        .order_by(tier_match.c.level)
    )
    return [Match(**row._mapping) for row in rows]


async def add_grants(tx: Tx, grants: Sequence[Grant]) -> set[UUID]:
    """Keep those that are not there; answers which were not."""
    rows = await tx.execute(_ADD, {"group_id": tx.group_id, **{n: [getattr(g, n) for g in grants] for n in _GRANT}})
    return set(rows.scalars())


_ADD = text(
    f"""INSERT INTO tier_grant (group_id, {", ".join(_GRANT)})
        SELECT :group_id, n.* FROM unnest({", ".join(f"CAST(:{name} AS {_KINDS[name]}[])" for name in _GRANT)}) AS n
        ON CONFLICT DO NOTHING RETURNING grant_id"""
)


async def find_grant(tx: Tx, grant_id: UUID) -> Grant | None:
    """One of the group's."""
    query = select(*(tier_grant.c[name] for name in _GRANT)).where(
        tier_grant.c.grant_id == grant_id, tier_grant.c.group_id == tx.group_id
    )
    row = (await tx.execute(query)).first()
    return Grant(**row._mapping) if row else None


async def list_grants(tx: Tx, member_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int) -> list[Grant]:
    """A member's, newest first; `before` is the (create_time, grant_id) of the last one that was seen."""
    rows = await tx.execute(
        text(
            f"""SELECT {", ".join(_GRANT)} FROM tier_grant
                WHERE group_id = :group_id AND member_id = :member_id
                  AND (CAST(:before_time AS timestamptz) IS NULL
                       OR (create_time, grant_id) < (CAST(:before_time AS timestamptz), CAST(:before_id AS uuid)))
                ORDER BY create_time DESC, grant_id DESC LIMIT :most"""
        ),
        {
            "group_id": tx.group_id,
            "member_id": member_id,
            "before_time": before[0] if before else None,
            "before_id": before[1] if before else None,
            "most": limit,
        },
    )
    return [Grant(**row._mapping) for row in rows]


async def find_floors(tx: Tx, member_ids: Iterable[UUID], since: date) -> dict[UUID, list[Floor]]:
    """What these members, and those that they have absorbed, are granted on a day or later."""
    wanted = list(member_ids)
    found: dict[UUID, list[Floor]] = {member_id: [] for member_id in wanted}
    absorbed = await tx.execute(
        select(standing.c.member_id, standing.c.survivor_id).where(among(standing.c.survivor_id, wanted))
    )
    whose = {member_id: member_id for member_id in wanted} | {row.member_id: row.survivor_id for row in absorbed}
    rows = await tx.execute(
        select(tier_grant.c.member_id, tier_grant.c.tier_code, tier_grant.c.end_date).where(
            among(tier_grant.c.member_id, whose), tier_grant.c.end_date >= since
        )
    )
    for row in rows:
        found[whose[row.member_id]].append(Floor(row.tier_code, row.end_date))
    return found
