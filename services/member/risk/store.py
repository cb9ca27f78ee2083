"""Queries about states, the deny list and limits. A member's state is locked before anything else here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.member.risk.rules import DEVICE, Policy, Standing
from services.member.risk_tables import denied_identity, member_device, risk_policy
from services.member.rules import MemberState
from services.member.tables import member, member_state

_POLICY = [risk_policy.c[name] for name in Policy.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class Denial:
    """An entry of the deny list, without what it is about."""

    denial_id: UUID
    kind: str
    reason_code: str
    denied_by: str
    create_time: datetime


_DENIAL = [denied_identity.c[name] for name in Denial.__dataclass_fields__]


async def lock_standing(tx: Tx, member_id: UUID) -> Standing | None:
    """One of the group's members, locked; None when there is no such member."""
    held = await tx.execute(
        select(member.c.member_id)
        .where(member.c.group_id == tx.group_id, member.c.member_id == member_id)
        .with_for_update()
    )
    return await find_standing(tx, member_id) if held.first() is not None else None


async def find_standing(tx: Tx, member_id: UUID) -> Standing | None:
    """One of the group's members."""
    row = (
        await tx.execute(
            select(
                member.c.member_id,
                member_state.c.state,
                member_state.c.version,
                member_state.c.reason_code,
                member_state.c.changed_by,
                member_state.c.change_time,
            )
            .outerjoin(member_state, member_state.c.member_id == member.c.member_id)
            .where(member.c.group_id == tx.group_id, member.c.member_id == member_id)
        )
    ).first()
    if row is None:
        return None
    if row.state is None:
        return Standing(member_id)
    return Standing(member_id, MemberState(row.state), row.version, row.reason_code, row.changed_by, row.change_time)


async def save_standing(tx: Tx, standing: Standing) -> None:
    """Keep it."""
    values = {**asdict(standing), "group_id": tx.group_id}
    await tx.execute(
        insert(member_state).values(values).on_conflict_do_update(index_elements=["member_id"], set_=values)
    )


async def deny(tx: Tx, *, denial_id: UUID, kind: str, index: bytes, reason_code: str) -> Denial:
    """Put it on the list unless it is there, and answer the entry."""
    await tx.execute(
        insert(denied_identity)
        .values(
            group_id=tx.group_id,
            kind=kind,
            value_index=index,
            denial_id=denial_id,
            reason_code=reason_code,
            denied_by=tx.caller.subject,
            create_time=tx.now,
        )
        .on_conflict_do_nothing()
    )
    row = (
        await tx.execute(
            select(*_DENIAL).where(
                denied_identity.c.group_id == tx.group_id,
                denied_identity.c.kind == kind,
                denied_identity.c.value_index == index,
            )
        )
    ).one()
    return Denial(**row._mapping)


async def list_known_by(tx: Tx, member_id: UUID, kinds: Iterable[str]) -> list[tuple[str, bytes]]:
    """Identities of these kinds that lead to a member, and the member's devices."""
    rows = await tx.execute(
        text(
            """SELECT kind, value_index FROM member_identity
               WHERE group_id = :group_id AND member_id = :member_id AND kind = ANY(:kinds)
               UNION ALL SELECT :device, device_index FROM member_device
               WHERE group_id = :group_id AND member_id = :member_id ORDER BY 1, 2"""
        ),
        {"group_id": tx.group_id, "member_id": member_id, "kinds": list(kinds), "device": DEVICE},
    )
    return [(row.kind, row.value_index) for row in rows]


async def lift(tx: Tx, denial_id: UUID) -> Denial | None:
    """Take an entry off the list and answer it; None when there is none."""
    this = denied_identity.c.group_id == tx.group_id, denied_identity.c.denial_id == denial_id
    row = (await tx.execute(delete(denied_identity).where(*this).returning(*_DENIAL))).first()
    return Denial(**row._mapping) if row else None


async def find_known(tx: Tx, identities: Sequence[tuple[str, bytes]]) -> list[UUID]:
    """The members whose these identities are."""
    rows = await tx.execute(
        text(
            """SELECT DISTINCT o.member_id FROM member_identity o
               JOIN unnest(CAST(:kinds AS text[]), CAST(:indexes AS bytea[])) AS i (kind, value_index)
                 ON i.kind = o.kind AND i.value_index = o.value_index
               WHERE o.group_id = :group_id"""
        ),
        {
            "group_id": tx.group_id,
            "kinds": [kind for kind, _ in identities],
            "indexes": [index for _, index in identities],
        },
    )
    return list(rows.scalars())


async def list_identities(tx: Tx, member_ids: Collection[UUID], kinds: Iterable[str]) -> list[tuple[str, bytes]]:
    """The identities of these kinds that members have."""
    rows = await tx.execute(
        text(
            """SELECT kind, value_index FROM member_identity
               WHERE member_id = ANY(CAST(:member_ids AS uuid[])) AND group_id = :group_id AND kind = ANY(:kinds)
               ORDER BY 1, 2"""
        ),
        {"group_id": tx.group_id, "member_ids": list(member_ids), "kinds": list(kinds)},
    )
    return [(row.kind, row.value_index) for row in rows]


async def find_denied(tx: Tx, identities: Sequence[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    """Those on the deny list."""
    rows = await tx.execute(
        text(
            """SELECT d.kind, d.value_index FROM denied_identity d
               JOIN unnest(CAST(:kinds AS text[]), CAST(:indexes AS bytea[])) AS i (kind, value_index)
                 ON i.kind = d.kind AND i.value_index = d.value_index
               WHERE d.group_id = :group_id"""
        ),
        {
            "group_id": tx.group_id,
            "kinds": [kind for kind, _ in identities],
            "indexes": [index for _, index in identities],
        },
    )
    return {(row.kind, row.value_index) for row in rows}


async def list_denials(tx: Tx, *, before: tuple[datetime, UUID] | None, limit: int) -> list[Denial]:
    """The group's, newest first."""
    query = select(*_DENIAL).where(denied_identity.c.group_id == tx.group_id)
    if before is not None:
        place = tuple_(denied_identity.c.create_time, denied_identity.c.denial_id)
        query = query.where(place < tuple_(literal(before[0]), literal(before[1])))
    ordered = query.order_by(denied_identity.c.create_time.desc(), denied_identity.c.denial_id.desc()).limit(limit)
    return [Denial(**row._mapping) for row in await tx.execute(ordered)]


async def note_devices(tx: Tx, devices: Iterable[tuple[UUID, bytes]]) -> None:
    """Keep that these members have used these devices."""
    rows: list[dict[str, Any]] = [
        {"group_id": tx.group_id, "member_id": member_id, "device_index": index, "create_time": tx.now}
        for member_id, index in sorted(set(devices))
    ]
    if rows:
        await tx.execute(insert(member_device).on_conflict_do_nothing(), rows)


async def get_policy(tx: Tx) -> Policy:
    """The group's limits, or the defaults."""
    row = (await tx.execute(select(*_POLICY).where(risk_policy.c.group_id == tx.group_id))).first()
    return Policy(**row._mapping) if row else Policy()


async def save_policy(tx: Tx, policy: Policy) -> None:
    """Keep the group's limits."""
    values = {"group_id": tx.group_id, **asdict(policy)}
    await tx.execute(insert(risk_policy).values(values).on_conflict_do_update(index_elements=["group_id"], set_=values))
