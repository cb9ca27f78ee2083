"""Queries about benefits; the tables are in services/member/benefit_tables.py.

Lock order: benefit_use by its id, then benefit_counter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as pg_insert

from chassis.db import Tx
from services.member.benefit_tables import benefit, benefit_counter, benefit_use
from services.member.benefits.rules import Benefit, Kind, Period
from services.member.store import among
from services.member.tables import member


@dataclass(frozen=True, slots=True)
class Use:
    """A benefit that a member has used."""

    use_id: UUID
    member_id: UUID
    benefit_code: str
    kind: int
    tier_code: str
    price_bps: int
    quantity: int
    reference: str
    store_id: UUID | None
    period_start: date
    use_time: datetime
    return_time: datetime | None = None


_BENEFIT = [benefit.c[field.name] for field in fields(Benefit)]
_USE = [benefit_use.c[field.name] for field in fields(Use)]


async def replace_benefits(tx: Tx, tier_code: str, benefits: Sequence[Benefit]) -> None:
    """Put these in place of a tier's."""
    await tx.execute(delete(benefit).where(benefit.c.group_id == tx.group_id, benefit.c.tier_code == tier_code))
    if benefits:
        names = [field.name for field in fields(Benefit)]
        rows: list[dict[str, Any]] = [
            {"group_id": tx.group_id, **{name: getattr(one, name) for name in names}} for one in benefits
        ]
        await tx.execute(insert(benefit), rows)


async def list_benefits(
    tx: Tx, *, tier_code: str, after: tuple[str, str] = ("", ""), limit: int = 200
) -> list[Benefit]:
    """Those of a tier ("": of all), by tier and code."""
    query = select(*_BENEFIT).where(benefit.c.group_id == tx.group_id)
    if tier_code:
        query = query.where(benefit.c.tier_code == tier_code)
    query = query.where(text("(tier_code, benefit_code) > (:after_tier, :after_code)")).order_by(
        benefit.c.tier_code, benefit.c.benefit_code
    )
    rows = await tx.execute(query.limit(limit), {"after_tier": after[0], "after_code": after[1]})
    return [_benefit(row) for row in rows]


async def find_benefit(tx: Tx, tier_code: str, benefit_code: str) -> Benefit | None:
    """One of a tier."""
    row = (
        await tx.execute(
            select(*_BENEFIT).where(
                benefit.c.group_id == tx.group_id,
                benefit.c.tier_code == tier_code,
                benefit.c.benefit_code == benefit_code,
            )
        )
    ).first()
    return _benefit(row) if row else None


def _benefit(row: Any) -> Benefit:
    values = dict(row._mapping)
    return Benefit(**{**values, "kind": Kind(values["kind"]), "period": Period(values["period"])})


async def find_birthday(tx: Tx, member_id: UUID) -> tuple[int, str]:
    """The month of birth (0: not known), and the zone whose calendar says when it is ("": not known)."""
    found = await tx.execute(
        select(member.c.birth_month, member.c.time_zone).where(
            member.c.member_id == member_id, member.c.group_id == tx.group_id
        )
    )
    row = found.first()
    return (row.birth_month, row.time_zone) if row else (0, "")


async def find_used(tx: Tx, people: Sequence[UUID], counted: dict[str, tuple[date, date]]) -> dict[str, int]:
    """Units that a person, under all these ids, has used of each benefit (code → first and last day of beginning)."""
    rows = await tx.execute(
        text(
            """SELECT c.benefit_code, sum(c.used)::bigint AS used
               FROM unnest(CAST(:codes AS text[]), CAST(:firsts AS date[]), CAST(:lasts AS date[]))
                      AS w (benefit_code, first_start, last_start)
               JOIN benefit_counter AS c ON c.member_id = ANY(CAST(:people AS uuid[]))
                                        AND c.benefit_code = w.benefit_code
                                        AND c.period_start BETWEEN w.first_start AND w.last_start
               GROUP BY c.benefit_code"""
        ),
        {
            "people": list(people),
            "codes": list(counted),
            "firsts": [first for first, _ in counted.values()],
            "lasts": [last for _, last in counted.values()],
        },
    )
    return dict.fromkeys(counted, 0) | {row.benefit_code: row.used for row in rows}


async def count_others(tx: Tx, use: Use, people: Sequence[UUID], counted: tuple[date, date]) -> int:
    """Units of a use's benefit that count against its quota beside those in the use's own counter."""
    if len(people) == 1:
        return 0
    found = await tx.execute(
        text(
            """SELECT coalesce(sum(used), 0)::bigint FROM benefit_counter
               WHERE member_id = ANY(CAST(:people AS uuid[])) AND benefit_code = :benefit_code
                 AND period_start BETWEEN :first AND :last
                 AND (member_id, period_start) <> (:member_id, CAST(:period_start AS date))"""
        ),
        {
            "people": list(people),
            "benefit_code": use.benefit_code,
            "first": counted[0],
            "last": counted[1],
            "member_id": use.member_id,
            "period_start": use.period_start,
        },
    )
    return int(found.scalar_one())


async def add_use(tx: Tx, new: Use) -> bool:
    """Keep a use unless it is there; answers whether it was not. Waits for a concurrent one of the same id."""
    values = {"group_id": tx.group_id, **{field.name: getattr(new, field.name) for field in fields(Use)}}
    return bool((await tx.execute(pg_insert(benefit_use).values(values).on_conflict_do_nothing())).rowcount)


async def find_use(tx: Tx, use_id: UUID, *, lock: bool = False) -> Use | None:
    """One of the group's."""
    query = select(*_USE).where(benefit_use.c.use_id == use_id, benefit_use.c.group_id == tx.group_id)
    row = (await tx.execute(query.with_for_update() if lock else query)).first()
    return Use(**row._mapping) if row else None


async def take(tx: Tx, use: Use, quota: int, other_used: int = 0) -> int | None:
    """Count a use's units unless that exceeds the quota (0: no limit); answers the units used then, None if it does.

    `other_used` units count too; who calls holds what changes them.
    """
    counter = pg_insert(benefit_counter).values(
        member_id=use.member_id,
        benefit_code=use.benefit_code,
        period_start=use.period_start,
        group_id=tx.group_id,
        used=use.quantity,
    )
    used = benefit_counter.c.used + use.quantity
    if quota and use.quantity + other_used > quota:
        return None
    # Concurrent uses wait here for each other, and each decides on what the one before has left.
    statement = counter.on_conflict_do_update(
        index_elements=["member_id", "benefit_code", "period_start"],
        set_={"used": used},
        where=(used <= quota - other_used) if quota else None,
    ).returning(benefit_counter.c.used)
    own_used = (await tx.execute(statement)).scalar_one_or_none()
    return None if own_used is None else own_used + other_used


async def give_back(tx: Tx, use: Use, now: datetime) -> None:
    """Mark a use that is locked as returned, and uncount it."""
    await tx.execute(
        text("UPDATE benefit_use SET return_time = :now WHERE use_id = :use_id"), {"now": now, "use_id": use.use_id}
    )
    await tx.execute(
        text(
            """UPDATE benefit_counter SET used = used - :quantity
               WHERE member_id = :member_id AND benefit_code = :benefit_code AND period_start = :period_start"""
        ),
        {
            "quantity": use.quantity,
            "member_id": use.member_id,
            "benefit_code": use.benefit_code,
            "period_start": use.period_start,
        },
    )


async def list_uses(tx: Tx, people: Sequence[UUID], *, before: tuple[datetime, UUID] | None, limit: int) -> list[Use]:
    """A person's, newest first; `before` is the (use_time, use_id) of the last one that was seen."""
    query = select(*_USE).where(
        benefit_use.c.group_id == tx.group_id, among(benefit_use.c.member_id, people), benefit_use.c.quantity > 0
    )
    if before:
        query = query.where(text("(use_time, use_id) < (:before_time, :before_id)"))
    query = query.order_by(benefit_use.c.use_time.desc(), benefit_use.c.use_id.desc()).limit(limit)
    parameters = {"before_time": before[0], "before_id": before[1]} if before else {}
    return [Use(**row._mapping) for row in await tx.execute(query, parameters)]
