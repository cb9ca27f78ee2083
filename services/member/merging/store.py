"""Queries about merges; the tables are in services/member/tables.py."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, insert, or_, select, text, tuple_, update

from chassis.db import Tx
from services.member.merging.rules import COMPLETED, FOLLOWERS, MERGING, UNMERGED, UNMERGING
from services.member.store import among
from services.member.tables import member, member_merge, standing


async def lock_members(tx: Tx, member_ids: Sequence[UUID]) -> dict[UUID, UUID | None]:
    """The group's members among these, locked in order of their ids, each with its survivor."""
    rows = await tx.execute(
        select(member.c.member_id, member.c.survivor_id)
        .where(member.c.group_id == tx.group_id, among(member.c.member_id, member_ids))
        .order_by(member.c.member_id)
        .with_for_update()
    )
    return {row.member_id: row.survivor_id for row in rows}


async def people_of(tx: Tx, member_id: UUID) -> list[UUID]:
    """All ids of the person whom one of the group's members is: the survivor's first; none for an unknown one."""
    rows = await tx.execute(_PEOPLE, {"member_id": member_id, "group_id": tx.group_id})
    return list(rows.scalars())


_PEOPLE = text(
    f"""WITH leader AS (SELECT coalesce(survivor_id, member_id) AS member_id FROM member
                        WHERE member_id = :member_id AND group_id = :group_id)
        SELECT member_id, 0 AS place FROM leader
        UNION ALL
        SELECT g.absorbed_id, 1 FROM member_merge AS g JOIN leader AS l ON g.survivor_id = l.member_id
        WHERE g.state IN ({MERGING}, {COMPLETED}) ORDER BY 2, 1"""
)


async def find_merged(tx: Tx, member_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Of members, of any group, who are one with others by a merge: all ids of the person, their own first."""
    rows = await tx.execute(_MERGED, {"member_ids": list(member_ids)})
    absorbed: dict[UUID, list[UUID]] = {}
    survivor: dict[UUID, UUID] = {}
    for row in rows:
        absorbed.setdefault(row.survivor_id, []).append(row.absorbed_id)
        survivor[row.absorbed_id] = row.survivor_id
    found = {}
    for member_id in set(member_ids):
        leader = survivor.get(member_id, member_id)
        others = [leader, *absorbed.get(leader, [])]
        if len(others) > 1:
            found[member_id] = [member_id, *(one for one in others if one != member_id)]
    return found


_MERGED = text(
    f"""SELECT survivor_id, absorbed_id FROM member_merge
        WHERE state IN ({MERGING}, {COMPLETED}) AND survivor_id = ANY (
          SELECT survivor_id FROM member_merge
          WHERE absorbed_id = ANY (CAST(:member_ids AS uuid[])) AND state IN ({MERGING}, {COMPLETED})
          UNION SELECT unnest(CAST(:member_ids AS uuid[])))"""
)


async def lock_person(tx: Tx, member_id: UUID) -> list[UUID]:
    """As people_of, with the member and whom it leads to locked: no merge or unmerge of theirs is in between."""
    people = await people_of(tx, member_id)
    while people:
        leader_id = people[0]
        await lock_members(tx, [member_id, leader_id])
        people = await people_of(tx, member_id)
        if people and people[0] == leader_id:
            break
    return people


async def list_under_way(tx: Tx, member_id: UUID) -> Sequence[UUID]:
    """Merges of a member, in either part, that some service has not followed, or not undone, yet."""
    rows = await tx.execute(
        select(member_merge.c.merge_id)
        .where(
            member_merge.c.group_id == tx.group_id,
            member_merge.c.state.in_((MERGING, UNMERGING)),
            or_(member_merge.c.survivor_id == member_id, member_merge.c.absorbed_id == member_id),
        )
        .order_by(member_merge.c.merge_id)
    )
    return rows.scalars().all()


async def list_open(tx: Tx, member_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """Merges of these members, in either part, that are not undone."""
    rows = await tx.execute(
        select(member_merge).where(
            member_merge.c.group_id == tx.group_id,
            member_merge.c.state != UNMERGED,
            or_(among(member_merge.c.survivor_id, member_ids), among(member_merge.c.absorbed_id, member_ids)),
        )
    )
    return rows.mappings().all()


async def lead(tx: Tx, member_id: UUID, survivor_id: UUID | None) -> None:
    """From now on the member leads to its survivor, or to itself again."""
    await tx.execute(update(member).where(member.c.member_id == member_id).values(survivor_id=survivor_id))
    await tx.execute(update(standing).where(standing.c.member_id == member_id).values(survivor_id=survivor_id))


async def add_merge(tx: Tx, values: dict[str, Any]) -> RowMapping:
    """Note a merge."""
    row = {
        "group_id": tx.group_id,
        "state": MERGING,
        "unmerge_reason": "",
        "unmerged_by": "",
        "merged_by": tx.caller.subject,
        "merge_time": tx.now,
        "waiting_for": list(FOLLOWERS),
        "charged_points": 0,
        "uncharged_points": 0,
        **values,
    }
    return (await tx.execute(insert(member_merge).values(row).returning(member_merge))).mappings().one()


async def begin_unmerge(tx: Tx, merge_id: UUID, reason: str) -> RowMapping:
    """Note that it is undone here."""
    values = {
        "state": UNMERGING,
        "unmerge_reason": reason,
        "unmerged_by": tx.caller.subject,
        "unmerge_time": tx.now,
        "waiting_for": list(FOLLOWERS),
    }
    statement = update(member_merge).where(member_merge.c.merge_id == merge_id).values(values).returning(member_merge)
    return (await tx.execute(statement)).mappings().one()


async def find_merge(tx: Tx, merge_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """A merge of the group."""
    statement = select(member_merge).where(member_merge.c.group_id == tx.group_id, member_merge.c.merge_id == merge_id)
    return (await tx.execute(statement.with_for_update() if lock else statement)).mappings().one_or_none()


async def list_merges(
    tx: Tx, *, member_id: UUID | None, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[RowMapping]:
    """The group's merges behind `before`, newest first."""
    columns = member_merge.c
    statement = (
        select(member_merge)
        .where(columns.group_id == tx.group_id)
        .order_by(columns.merge_time.desc(), columns.merge_id.desc())
        .limit(limit)
    )
    if member_id is not None:
        statement = statement.where(or_(columns.survivor_id == member_id, columns.absorbed_id == member_id))
    if before is not None:
        statement = statement.where(tuple_(columns.merge_time, columns.merge_id) < before)
    return (await tx.execute(statement)).mappings().all()


async def follow(tx: Tx, merge_id: UUID, *, group_id: UUID, service: str, state: int, values: dict[str, Any]) -> None:
    """A service has followed; with the last one the merge, or its undoing, is complete. Again changes nothing."""
    columns = member_merge.c
    of_merge = (columns.merge_id == merge_id) & (columns.group_id == group_id) & (columns.state == state)
    await tx.execute(
        update(member_merge)
        .where(of_merge)
        .values(waiting_for=func.array_remove(columns.waiting_for, service), **values)
    )
    done = "complete_time" if state == MERGING else "unmerge_complete_time"
    await tx.execute(
        update(member_merge)
        .where(of_merge, func.cardinality(columns.waiting_for) == 0)
        .values({"state": state + 1, done: tx.now})
    )
