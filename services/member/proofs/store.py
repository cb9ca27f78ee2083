"""Queries about proofs and changes of a phone. All times are real time, by the database's clock."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, text, update

from chassis.db import Tx
from services.member.proof_tables import phone_change, proof
from services.member.proofs.rules import PHONE_CHANGE_DAYS, Proof
from services.member.tables import member, member_identity, session

_now = func.clock_timestamp


async def is_open(tx: Tx, *, session_id: UUID, member_id: UUID) -> bool:
    """Whether the member's session has not ended."""
    found = await tx.execute(
        select(session.c.session_id).where(
            session.c.session_id == session_id,
            session.c.member_id == member_id,
            session.c.group_id == tx.group_id,
            session.c.end_time.is_(None),
            session.c.expire_time > _now(),
        )
    )
    return found.first() is not None


async def find_proof(tx: Tx, proof_id: UUID) -> Proof | None:
    """A proof that was given."""
    row = (await tx.execute(select(*proof.c).where(proof.c.proof_id == proof_id))).first()
    return Proof(**row._mapping) if row else None


async def expiry_of_new(tx: Tx, seconds: int) -> datetime:
    """When a proof that is given now expires: a whole second, as its token says it."""
    moment = text(f"date_trunc('second', clock_timestamp()) + interval '{seconds} seconds'")
    found: datetime = (await tx.execute(select(moment))).scalar_one()
    return found


async def add_proof(tx: Tx, one: Proof) -> None:
    """Keep that a proof was given."""
    await tx.execute(proof.insert().values({column.name: getattr(one, column.name) for column in proof.c}))


async def find_phone_change(tx: Tx, *, member_id: UUID, request_id: str) -> bytes | None:
    """The fingerprint of the request that changed the member's phone before."""
    found = await tx.execute(
        select(phone_change.c.fingerprint).where(
            phone_change.c.member_id == member_id, phone_change.c.request_id == request_id
        )
    )
    return found.scalar_one_or_none()


async def count_phone_changes(tx: Tx, member_id: UUID) -> int:
    """How often the member's phone was changed lately."""
    since = _now() - text(f"interval '{PHONE_CHANGE_DAYS} days'")
    found = await tx.execute(
        select(func.count()).where(phone_change.c.member_id == member_id, phone_change.c.change_time > since)
    )
    return int(found.scalar_one())


async def add_phone_change(tx: Tx, *, member_id: UUID, request_id: str, fingerprint: bytes) -> None:
    """Keep that the phone was changed."""
    values = {"member_id": member_id, "request_id": request_id, "group_id": tx.group_id, "fingerprint": fingerprint}
    await tx.execute(phone_change.insert().values(**values, change_time=_now()))


async def lock_phone(tx: Tx, member_id: UUID) -> bytes | None:
    """The member's phone as stored, locked: two changes follow each other."""
    found = await tx.execute(
        select(member.c.sealed_phone)
        .where(member.c.member_id == member_id, member.c.group_id == tx.group_id)
        .with_for_update()
    )
    return found.scalar_one_or_none()


async def save_phone(tx: Tx, *, member_id: UUID, sealed_phone: bytes) -> None:
    """Write the member's phone."""
    await tx.execute(update(member).where(member.c.member_id == member_id).values(sealed_phone=sealed_phone))


async def free_identity(tx: Tx, kind: str, index: bytes, *, member_id: UUID) -> None:
    """Let somebody else be found by what the member was found by."""
    await tx.execute(
        delete(member_identity).where(
            member_identity.c.group_id == tx.group_id,
            member_identity.c.kind == kind,
            member_identity.c.value_index == index,
            member_identity.c.member_id == member_id,
        )
    )


async def delete_old(tx: Tx) -> None:
    """Forget proofs a day after they expired, and changes of a phone that count no more."""
    await tx.execute(delete(proof).where(proof.c.expire_time < _now() - text("interval '1 day'")))
    days = text(f"interval '{2 * PHONE_CHANGE_DAYS} days'")
    await tx.execute(delete(phone_change).where(phone_change.c.change_time < _now() - days))
