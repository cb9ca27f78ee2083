"""Queries about ladders and standings; the tables are in services/member/store.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.member.store import among, standing, tier, tier_ladder
from services.member.tiers.rules import DEFAULT_LADDER, MINOR_PER_GROWTH, Ladder, Standing, Tier

_STANDING = ("group_id", "member_id", "growth_minor", "tier_code", "ladder_version", "survivor_id")


async def find_ladders(tx: Tx, group_ids: Iterable[UUID]) -> dict[UUID, Ladder]:
    """The ladder in force of each group: its own, or the default one."""
    groups = set(group_ids)
    columns = [tier.c[field.name] for field in fields(Tier)]
    rows = await tx.execute(
        select(tier_ladder.c.group_id, tier_ladder.c.version, *columns)
        .join(tier, tier.c.group_id == tier_ladder.c.group_id)
        .where(among(tier_ladder.c.group_id, groups))
        .order_by(tier.c.group_id, tier.c.place)
    )
    found: dict[UUID, tuple[int, list[Tier]]] = {}
    for row in rows.mappings():
        values: dict[str, Any] = dict(row)
        group_id, version = values.pop("group_id"), values.pop("version")
        found.setdefault(group_id, (version, []))[1].append(Tier(**values))
    own = {group_id: Ladder(version, tuple(tiers)) for group_id, (version, tiers) in found.items()}
    return {group_id: own.get(group_id, DEFAULT_LADDER) for group_id in groups}


async def get_ladder(tx: Tx) -> Ladder:
    """The ladder in force in the caller's group."""
    return (await find_ladders(tx, [tx.group_id]))[tx.group_id]


async def replace_ladder(tx: Tx, tiers: Sequence[Tier]) -> None:
    """Put these tiers in place of the group's ladder."""
    # The version's row is taken first: two replacements at once follow each other.
    await tx.execute(
        insert(tier_ladder)
        .values(group_id=tx.group_id, version=1)
        .on_conflict_do_update(index_elements=["group_id"], set_={"version": tier_ladder.c.version + 1})
    )
    await tx.execute(delete(tier).where(tier.c.group_id == tx.group_id))
    await tx.execute(
        insert(tier),
        [
            {
                "group_id": tx.group_id,
                "place": place,
                **{field.name: getattr(one, field.name) for field in fields(Tier)},
            }
            for place, one in enumerate(tiers)
        ],
    )


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
    rows = await tx.execute(
        select(*(standing.c[name] for name in _STANDING))
        .where(among(standing.c.member_id, ordered))
        .order_by(standing.c.member_id)
        .with_for_update()
    )
    return {row.member_id: Standing(**row._mapping) for row in rows}


async def save_standings(tx: Tx, standings: Sequence[Standing]) -> None:
    """Write standings that are locked."""
    columns = ("member_id", "growth_minor", "tier_code", "ladder_version")
    await tx.execute(
        text(
            """UPDATE standing AS s
               SET growth_minor = n.growth_minor, tier_code = n.tier_code, ladder_version = n.ladder_version
               FROM unnest(CAST(:member_id AS uuid[]), CAST(:growth_minor AS bigint[]), CAST(:tier_code AS text[]),
                           CAST(:ladder_version AS integer[])) AS n (member_id, growth_minor, tier_code, ladder_version)
               WHERE s.member_id = n.member_id"""
        ),
        {name: [getattr(one, name) for one in standings] for name in columns},
    )


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
