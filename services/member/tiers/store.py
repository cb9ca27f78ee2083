"""Queries about standings and growth; the tables are in services/member/tables.py and tier_tables.py.

Lock order: standings by member id, then growth_day, which only who holds its member's standing writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.member.store import among
from services.member.tables import standing
from services.member.tier_tables import growth_entry
from services.member.tiers.growth import MINOR_PER_GROWTH, Book, Day
from services.member.tiers.ladders import find_ladders as find_ladders
from services.member.tiers.ladders import get_ladder as get_ladder
from services.member.tiers.rules import Ladder, Standing

_STANDING = tuple(field.name for field in fields(Standing))
_CHANGING = {
    "growth_minor": "bigint",
    "tier_code": "text",
    "ladder_version": "integer",
    "own_code": "text",
    "period_end": "date",
    "floor_code": "text",
    "floor_end": "date",
    "review_date": "date",
    "since_date": "date",
    "previous_code": "text",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """Growth of a task, or (negative) its reversal."""

    growth_id: UUID
    member_id: UUID
    task_code: str
    reference: str
    business_date: date
    growth: int
    reverses_id: UUID | None
    tag: str
    create_time: datetime


async def lock_standings(tx: Tx, groups: dict[UUID, UUID]) -> dict[UUID, Standing]:
    """The standing of each of these members (member id → group id), locked; one that is not there yet begins at 0.

    Missing rows are added first, and rows are added and locked in order of their ids: a join and a run of sales that
    meet in the same new member wait for each other and neither overwrites the other.
    """
    ordered = sorted(groups)
    await tx.execute(
        text(
            """INSERT INTO standing (member_id, group_id, growth_minor, ladder_version)
               SELECT m.member_id, m.group_id, 0, 0
               FROM unnest(CAST(:member_ids AS uuid[]), CAST(:group_ids AS uuid[])) AS m (member_id, group_id)
               ON CONFLICT DO NOTHING"""
        ),
        {"member_ids": ordered, "group_ids": [groups[member_id] for member_id in ordered]},
    )
    return await lock_known(tx, ordered)


async def lock_known(tx: Tx, member_ids: Iterable[UUID]) -> dict[UUID, Standing]:
    """The standings that are there, locked in order of their ids."""
    rows = await tx.execute(
        select(*(standing.c[name] for name in _STANDING))
        .where(among(standing.c.member_id, sorted(member_ids)))
        .order_by(standing.c.member_id)
        .with_for_update()
    )
    return {row.member_id: Standing(**row._mapping) for row in rows}


_SAVE = text(
    f"""UPDATE standing AS s SET {", ".join(f"{name} = n.{name}" for name in _CHANGING)}
        FROM unnest(CAST(:member_id AS uuid[]),
                    {", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _CHANGING.items())})
             AS n (member_id, {", ".join(_CHANGING)})
        WHERE s.member_id = n.member_id"""
)


async def save_standings(tx: Tx, standings: Sequence[Standing]) -> None:
    """Write standings that are locked."""
    await tx.execute(_SAVE, {name: [getattr(one, name) for one in standings] for name in ("member_id", *_CHANGING)})


async def find_standing(tx: Tx, member_id: UUID) -> Standing | None:
    """The standing of a member of the group, or of the survivor of an absorbed one; None before it has joined."""
    asked = standing.alias("asked")
    row = (
        await tx.execute(
            select(*(standing.c[name] for name in _STANDING))
            .select_from(asked)
            .join(standing, standing.c.member_id == func.coalesce(asked.c.survivor_id, asked.c.member_id))
            .where(asked.c.member_id == member_id, asked.c.group_id == tx.group_id, standing.c.tier_code.is_not(None))
        )
    ).first()
    return Standing(**row._mapping) if row else None


async def list_due(tx: Tx, *, until: date, after: tuple[date, UUID], limit: int) -> list[tuple[UUID, UUID, date]]:
    """Member, group and review date of standings that are due, in order of (review date, member)."""
    rows = await tx.execute(
        text(
            """SELECT member_id, group_id, review_date FROM standing
               WHERE review_date <= :until AND (review_date, member_id) > (:after_date, :after_id)
               ORDER BY review_date, member_id LIMIT :most"""
        ),
        {"until": until, "after_date": after[0], "after_id": after[1], "most": limit},
    )
    return [(row.member_id, row.group_id, row.review_date) for row in rows]


async def add_days(tx: Tx, days: Mapping[tuple[UUID, UUID], Iterable[Day]]) -> None:
    """Add to the days of members ((group id, member id) → days) whose standings are locked."""
    rows: dict[tuple[UUID, date, str], tuple[UUID, Day]] = {}
    for (group_id, member_id), added in days.items():
        for day in added:
            key = member_id, day.business_date, day.currency_code
            _, total = rows.setdefault(key, (group_id, Day(day.business_date, day.currency_code)))
            total.spend_minor += day.spend_minor
            total.sale_count += day.sale_count
            total.task_growth += day.task_growth
    await tx.execute(
        _ADD_DAYS,
        {
            "member_ids": [member_id for member_id, _, _ in rows],
            "group_ids": [group_id for group_id, _ in rows.values()],
            **{field.name: [getattr(day, field.name) for _, day in rows.values()] for field in fields(Day)},
        },
    )


async def unite_days(tx: Tx, *, absorbed_id: UUID, survivor_id: UUID, sign: int) -> None:
    """Add (1) the days of an absorbed member to its survivor's, or (-1) take them off again. Both are locked."""
    await tx.execute(_UNITE_DAYS, {"absorbed_id": absorbed_id, "survivor_id": survivor_id, "sign": sign})


_UNITE_DAYS = text(
    """INSERT INTO growth_day AS g (member_id, group_id, business_date, currency_code, spend_minor, sale_count,
                                    task_growth)
       SELECT :survivor_id, group_id, business_date, currency_code, :sign * spend_minor, :sign * sale_count,
              :sign * task_growth
       FROM growth_day WHERE member_id = :absorbed_id
       ON CONFLICT (member_id, business_date, currency_code) DO UPDATE
       SET spend_minor = g.spend_minor + excluded.spend_minor, sale_count = g.sale_count + excluded.sale_count,
           task_growth = g.task_growth + excluded.task_growth"""
)
_ADD_DAYS = text(
    """INSERT INTO growth_day AS g (member_id, group_id, business_date, currency_code, spend_minor, sale_count,
                                    task_growth)
       SELECT * FROM unnest(CAST(:member_ids AS uuid[]), CAST(:group_ids AS uuid[]), CAST(:business_date AS date[]),
                            CAST(:currency_code AS text[]), CAST(:spend_minor AS bigint[]),
                            CAST(:sale_count AS integer[]), CAST(:task_growth AS bigint[]))
       ON CONFLICT (member_id, business_date, currency_code) DO UPDATE
       SET spend_minor = g.spend_minor + excluded.spend_minor, sale_count = g.sale_count + excluded.sale_count,
           task_growth = g.task_growth + excluded.task_growth"""
)


async def load_books(tx: Tx, since: dict[UUID, date]) -> dict[UUID, Book]:
    """The days of these members, each from a date on."""
    if not since:
        return {}
    rows = await tx.execute(
        text(
            """SELECT g.member_id, g.business_date, g.currency_code, g.spend_minor, g.sale_count, g.task_growth
               FROM unnest(CAST(:member_ids AS uuid[]), CAST(:dates AS date[])) AS m (member_id, since)
               JOIN growth_day AS g ON g.member_id = m.member_id AND g.business_date >= m.since"""
        ),
        {"member_ids": list(since), "dates": list(since.values())},
    )
    days: dict[UUID, list[Day]] = {member_id: [] for member_id in since}
    for row in rows:
        days[row.member_id].append(
            Day(row.business_date, row.currency_code, row.spend_minor, row.sale_count, row.task_growth)
        )
    return {member_id: Book(own) for member_id, own in days.items()}


async def add_entry(tx: Tx, new: Entry) -> bool:
    """Keep an entry unless it is there; answers whether it was not. Waits for a concurrent one of the same id."""
    values = {"group_id": tx.group_id, **asdict(new)}
    done = await tx.execute(insert(growth_entry).values(values).on_conflict_do_nothing())
    return bool(done.rowcount)


async def find_entry(tx: Tx, growth_id: UUID) -> Entry | None:
    """One of the group's."""
    columns = [growth_entry.c[field.name] for field in fields(Entry)]
    row = (
        await tx.execute(
            select(*columns).where(growth_entry.c.growth_id == growth_id, growth_entry.c.group_id == tx.group_id)
        )
    ).first()
    return Entry(**row._mapping) if row else None


async def list_given_tags(tx: Tx, member_ids: Iterable[UUID]) -> set[str]:
    """The tags that doings of these members gave, of those that were not taken back."""
    rows = await tx.execute(
        text(
            """SELECT DISTINCT e.tag FROM growth_entry AS e
               WHERE e.group_id = :group_id AND e.member_id = ANY (CAST(:member_ids AS uuid[]))
                 AND e.tag <> '' AND e.reverses_id IS NULL
                 AND NOT EXISTS (SELECT FROM growth_entry AS r
                                 WHERE r.member_id = e.member_id AND r.reverses_id = e.growth_id)"""
        ),
        {"group_id": tx.group_id, "member_ids": list(member_ids)},
    )
    return set(rows.scalars())


async def count_by_tier(tx: Tx, ladder: Ladder) -> list[int]:
    """How many members hold each tier of the ladder, lowest first."""
    counts = [0] * len(ladder.tiers)
    of_group = standing.c.group_id == tx.group_id
    rows = await tx.execute(
        select(standing.c.tier_code, func.count().label("member_count"))
        .where(of_group, standing.c.tier_code.is_not(None))
        .group_by(standing.c.tier_code)
    )
    has_strays = False
    for row in rows.all():
        place = ladder.index(row.tier_code)
        if place is None:
            has_strays = True
        else:
            counts[place] = row.member_count
    if has_strays:  # their tier is gone from the ladder: they hold what their growth reaches
        rows = await tx.execute(
            text(
                """SELECT width_bucket(growth_minor, CAST(:steps AS bigint[])) AS bucket, count(*) AS member_count
                   FROM standing WHERE group_id = :group_id AND tier_code <> ALL (CAST(:codes AS text[]))
                   GROUP BY bucket"""
            ),
            {
                "group_id": tx.group_id,
                "steps": [one.min_growth * MINOR_PER_GROWTH for one in ladder.tiers],
                "codes": [one.code for one in ladder.tiers],
            },
        )
        for row in rows.all():
            counts[max(0, row.bucket - 1)] += row.member_count
    return counts
