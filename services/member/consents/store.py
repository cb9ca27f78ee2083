"""Queries about consents; the tables are in services/member/privacy_tables.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import literal, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on, insert

from chassis.db import Tx
from services.member.privacy_tables import consent, consent_text
from services.member.tables import member


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One version of a purpose's text."""

    purpose: int
    version: str
    url: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Consent:
    """One record; purpose and channel as in huitong.member.v1."""

    consent_id: UUID
    member_id: UUID
    purpose: int
    version: str
    is_given: bool
    channel: int
    sealed_evidence: bytes | None
    recorded_by: str
    record_time: datetime


_columns = [column for column in consent.c if column.name != "group_id"]
_text_columns = (consent_text.c.purpose, consent_text.c.version, consent_text.c.url, consent_text.c.sha256)


async def save_text(tx: Tx, new: ConsentText) -> ConsentText:
    """Keep a version unless it is known; answers it as it is kept."""
    values = {"purpose": new.purpose, "version": new.version, "url": new.url, "sha256": new.sha256}
    await tx.execute(
        insert(consent_text).values(group_id=tx.group_id, save_time=tx.now, **values).on_conflict_do_nothing()
    )
    kept = await find_text(tx, new.purpose, new.version)
    assert kept is not None  # noqa: S101
    return kept


async def find_text(tx: Tx, purpose: int, version: str) -> ConsentText | None:
    """One of the group's."""
    row = (
        await tx.execute(
            select(*_text_columns).where(
                consent_text.c.group_id == tx.group_id,
                consent_text.c.purpose == purpose,
                consent_text.c.version == version,
            )
        )
    ).first()
    return ConsentText(**row._mapping) if row else None


async def list_texts(
    tx: Tx, *, after: tuple[int, datetime, str] | None, limit: int
) -> list[tuple[ConsentText, datetime]]:
    """The group's by purpose, each purpose's newest first, with the times they were saved at."""
    statement = select(*_text_columns, consent_text.c.save_time).where(consent_text.c.group_id == tx.group_id)
    if after:
        purpose, time, version = after
        statement = statement.where(
            (consent_text.c.purpose > purpose)
            | (consent_text.c.purpose == purpose)
            & (tuple_(consent_text.c.save_time, consent_text.c.version) < tuple_(literal(time), literal(version)))
        )
    order = (consent_text.c.purpose, consent_text.c.save_time.desc(), consent_text.c.version.desc())
    rows = await tx.execute(statement.order_by(*order).limit(limit))
    return [(ConsentText(row.purpose, row.version, row.url, row.sha256), row.save_time) for row in rows]


async def has_member(tx: Tx, member_id: UUID, *, lock: bool = False) -> bool:
    """Whether the group has this member; with `lock` they cannot be erased before this transaction ends."""
    whose = select(member.c.member_id).where(
        member.c.member_id == member_id, member.c.group_id == tx.group_id, member.c.erase_time.is_(None)
    )
    found = await tx.execute(whose.with_for_update(read=True) if lock else whose)
    return found.first() is not None


async def add_consent(tx: Tx, new: Consent) -> None:
    """Add a record."""
    values = {column.name: getattr(new, column.name) for column in _columns}
    await tx.execute(insert(consent).values(group_id=tx.group_id, **values))


async def list_in_force(tx: Tx, member_id: UUID) -> list[Consent]:
    """The newest record of each purpose, by purpose."""
    newest_first = (consent.c.purpose, consent.c.record_time.desc(), consent.c.consent_id.desc())
    rows = await tx.execute(
        select(*_columns).where(_of(tx, member_id)).ext(distinct_on(consent.c.purpose)).order_by(*newest_first)
    )
    return [Consent(**row._mapping) for row in rows]


async def list_records(
    tx: Tx, member_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Consent]:
    """Every record, newest first."""
    statement = select(*_columns).where(_of(tx, member_id))
    if before:
        columns = tuple_(consent.c.record_time, consent.c.consent_id)
        statement = statement.where(columns < tuple_(literal(before[0]), literal(before[1])))
    order = (consent.c.record_time.desc(), consent.c.consent_id.desc())
    return [Consent(**row._mapping) for row in await tx.execute(statement.order_by(*order).limit(limit))]


def _of(tx: Tx, member_id: UUID) -> Any:
    return (consent.c.member_id == member_id) & (consent.c.group_id == tx.group_id)
