"""Queries about sources of notices, and whose purchase a payment is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.points.doors.tables import payment_claim
from services.points.payment_notices.tables import notice_source


@dataclass(frozen=True, slots=True)
class NoticeSource:
    """A merchant number whose notices are taken; `platform_keys` is PEM by serial."""

    notice_source_id: UUID
    group_id: UUID
    mch_id: str
    sealed_key: bytes
    platform_keys: Mapping[str, str]
    update_time: datetime


async def save_source(
    tx: Tx, source_id: UUID, *, mch_id: str, sealed_key: bytes, platform_keys: Mapping[str, str]
) -> NoticeSource:
    """Keep a source, or its new keys."""
    new = insert(notice_source).values(
        notice_source_id=source_id,
        group_id=tx.group_id,
        mch_id=mch_id,
        sealed_key=sealed_key,
        platform_keys=dict(platform_keys),
        update_time=func.clock_timestamp(),
    )
    changed = {name: new.excluded[name] for name in ("sealed_key", "platform_keys", "update_time")}
    saved = await tx.execute(
        new.on_conflict_do_update(index_elements=["notice_source_id"], set_=changed).returning(notice_source)
    )
    return NoticeSource(**saved.one()._mapping)


async def find_source(tx: Tx, source_id: UUID) -> NoticeSource | None:
    """Whosever it is: the address alone says which group a notice is for."""
    row = (await tx.execute(select(notice_source).where(notice_source.c.notice_source_id == source_id))).first()
    return NoticeSource(**row._mapping) if row else None


async def list_sources(tx: Tx, *, after_mch_id: str, limit: int) -> list[NoticeSource]:
    """The group's, by merchant number."""
    rows = await tx.execute(
        select(notice_source)
        .where(notice_source.c.group_id == tx.group_id, notice_source.c.mch_id > after_mch_id)
        .order_by(notice_source.c.mch_id)
        .limit(limit)
    )
    return [NoticeSource(**row._mapping) for row in rows]


async def find_claimer(tx: Tx, payment_key: UUID) -> UUID | None:
    """The sale that a payment belongs to."""
    found = await tx.execute(
        select(payment_claim.c.sale_id).where(
            payment_claim.c.payment_key == payment_key, payment_claim.c.group_id == tx.group_id
        )
    )
    return found.scalar()
