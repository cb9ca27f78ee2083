"""Queries about referrals.

Lock order: the program's row (whoever uses a code), referrals by friend. Uses of codes in one group follow each other,
so nobody can slip through a loop or a limit that another use is about to close.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.member.merging.rules import COMPLETED, MERGING
from services.member.referral.rules import Program, Referral, State
from services.member.referral_tables import referral, referral_code, referral_program
from services.member.store import among

_PROGRAM = [referral_program.c[name] for name in Program.__dataclass_fields__]
_REFERRAL = [referral.c[name] for name in Referral.__dataclass_fields__]


async def save_program(tx: Tx, program: Program) -> None:
    """Keep the group's program."""
    values = {"group_id": tx.group_id, **asdict(program)}
    await tx.execute(
        insert(referral_program).values(values).on_conflict_do_update(index_elements=["group_id"], set_=values)
    )


async def find_program(tx: Tx, *, lock: bool = False) -> Program | None:
    """The group's program."""
    query = select(*_PROGRAM).where(referral_program.c.group_id == tx.group_id)
    row = (await tx.execute(query.with_for_update() if lock else query)).first()
    return Program(**row._mapping) if row else None


async def find_code(tx: Tx, member_id: UUID) -> str | None:
    """A member's code."""
    found = await tx.execute(select(referral_code.c.code).where(referral_code.c.member_id == member_id))
    return found.scalar_one_or_none()


async def claim_code(tx: Tx, member_id: UUID, code: str) -> None:
    """Give a code to a member unless somebody has it, or the member has one."""
    await tx.execute(
        insert(referral_code).values(group_id=tx.group_id, code=code, member_id=member_id).on_conflict_do_nothing()
    )


async def find_owner(tx: Tx, code: str) -> UUID | None:
    """Whose code it is."""
    found = await tx.execute(
        select(referral_code.c.member_id).where(referral_code.c.group_id == tx.group_id, referral_code.c.code == code)
    )
    return found.scalar_one_or_none()


async def find_referral(tx: Tx, friend_id: UUID) -> Referral | None:
    """Who brought a member."""
    rows = await tx.execute(select(*_REFERRAL).where(referral.c.friend_id == friend_id))
    return next(iter(_read(rows)), None)


async def is_behind(tx: Tx, person_id: UUID, *, of: UUID) -> bool:
    """Whether a person brought the person `of`, or who brought them, and so on, under whichever id."""
    found = await tx.execute(_BEHIND, {"of": of, "person_id": person_id})
    return found.first() is not None


# By leaders: a survivor stands for all that it has absorbed.
_BEHIND = text(
    f"""WITH RECURSIVE chain (person_id) AS (
          SELECT CAST(:of AS uuid)
          UNION
          SELECT coalesce(m.survivor_id, m.member_id)
          FROM chain AS c
          JOIN LATERAL (SELECT c.person_id AS member_id
                        UNION ALL SELECT g.absorbed_id FROM member_merge AS g
                                  WHERE g.survivor_id = c.person_id AND g.state IN ({MERGING}, {COMPLETED})
                       ) AS p ON true
          JOIN referral AS r ON r.friend_id = p.member_id
          JOIN member AS m ON m.member_id = r.referrer_id)
        SELECT 1 FROM chain WHERE person_id = :person_id"""
)


async def share_a_device(tx: Tx, one_id: UUID, other_id: UUID) -> bool:
    """Whether two members have used the same device."""
    found = await tx.execute(
        text(
            """SELECT 1 FROM member_device a JOIN member_device b USING (group_id, device_index)
               WHERE a.group_id = :group_id AND a.member_id = :one_id AND b.member_id = :other_id LIMIT 1"""
        ),
        {"group_id": tx.group_id, "one_id": one_id, "other_id": other_id},
    )
    return found.first() is not None


async def count_since(tx: Tx, people: Sequence[UUID], since: datetime) -> int:
    """Friends that a person, by all ids, has brought since then, void ones not counted."""
    found = await tx.execute(
        select(func.count())
        .select_from(referral)
        .where(among(referral.c.referrer_id, people), referral.c.create_time >= since, referral.c.state != State.VOID)
    )
    return int(found.scalar_one())


async def add_referral(tx: Tx, one: Referral) -> None:
    """Keep a new one."""
    await tx.execute(insert(referral).values(asdict(one)))


async def save_referral(tx: Tx, one: Referral) -> None:
    """Write one that is locked."""
    await tx.execute(update(referral).where(referral.c.friend_id == one.friend_id).values(asdict(one)))


async def void_within(tx: Tx, people: Sequence[UUID]) -> None:
    """Void what is not being given yet where both sides are of these ids: they are one person."""
    await tx.execute(
        update(referral)
        .where(
            among(referral.c.friend_id, people),
            among(referral.c.referrer_id, people),
            referral.c.state.in_((State.WAITING, State.QUALIFIED)),
        )
        .values(state=State.VOID)
    )


async def lock_under_way(tx: Tx, member_ids: Iterable[UUID]) -> dict[UUID, Referral]:
    """The referrals that purchases and returns of these members, by whichever id, still change, locked in order."""
    rows = await tx.execute(_UNDER_WAY, {"member_ids": sorted(set(member_ids))})
    return {one.friend_id: one for one in _read(rows)}


# Nearly every run of sales finds none: one look.
_UNDER_WAY = text(
    f"""WITH asked AS (SELECT unnest(CAST(:member_ids AS uuid[])) AS member_id),
          merged AS (SELECT g.survivor_id FROM member_merge AS g JOIN asked AS a ON g.absorbed_id = a.member_id
                     WHERE g.state IN ({MERGING}, {COMPLETED})),
          people AS (SELECT member_id FROM asked UNION SELECT survivor_id FROM merged
                     UNION SELECT g.absorbed_id FROM member_merge AS g
                           JOIN (SELECT member_id FROM asked UNION SELECT survivor_id FROM merged) AS l
                             ON g.survivor_id = l.member_id
                           WHERE g.state IN ({MERGING}, {COMPLETED}))
        SELECT {", ".join(f"r.{name}" for name in Referral.__dataclass_fields__)} FROM referral AS r
        WHERE r.friend_id IN (SELECT member_id FROM people) AND r.state IN (1, 2)
        ORDER BY r.friend_id FOR UPDATE OF r"""
)


async def lock_referral(tx: Tx, friend_id: UUID) -> Referral | None:
    """One, locked."""
    rows = await tx.execute(select(*_REFERRAL).where(referral.c.friend_id == friend_id).with_for_update())
    return next(iter(_read(rows)), None)


async def list_due(tx: Tx, now: datetime, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[Referral]:
    """Of all groups, those whose window is over and whose points are still to be given, the longest due first."""
    query = select(*_REFERRAL).where(referral.c.state.in_((2, 3)), referral.c.due_time <= now)
    if after is not None:
        query = query.where(_place(referral.c.due_time) > _values(after))
    rows = await tx.execute(query.order_by(referral.c.due_time, referral.c.referral_id).limit(limit))
    return _read(rows)


async def list_brought(
    tx: Tx, referrer_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Referral]:
    """Whom a member has brought, newest first."""
    query = select(*_REFERRAL).where(referral.c.referrer_id == referrer_id)
    if before is not None:
        query = query.where(_place(referral.c.create_time) < _values(before))
    rows = await tx.execute(query.order_by(referral.c.create_time.desc(), referral.c.referral_id.desc()).limit(limit))
    return _read(rows)


def _place(column: Any) -> Any:
    return tuple_(column, referral.c.referral_id)


def _values(place: tuple[datetime, UUID]) -> Any:
    return tuple_(literal(place[0]), literal(place[1]))


def _read(rows: Any) -> list[Referral]:
    return [Referral(**{**row._mapping, "state": State(row.state)}) for row in rows]
