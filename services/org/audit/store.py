"""Queries of the audit; the table is in services/org/tables.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, select, update

from chassis.db import Tx
from services.org.audit.rules import Entry, Head
from services.org.tables import audit_entry, org_group


async def lock_head(tx: Tx, group_id: UUID) -> Head | None:
    """The end of the group's chain, locked: entries follow each other. None when there is no such group.

    The weaker lock (NO KEY) goes with what rows that refer to the group hold on it. With the full one, two transactions
    that have both added such a row would wait for each other.
    """
    statement = _head(group_id).with_for_update(key_share=True)
    row = (await tx.execute(statement)).first()
    return Head(row.audit_no, row.audit_hash) if row else None


async def find_head(tx: Tx, group_id: UUID) -> Head | None:
    """The end of the group's chain. None when there is no such group."""
    row = (await tx.execute(_head(group_id))).first()
    return Head(row.audit_no, row.audit_hash) if row else None


def _head(group_id: UUID) -> Select[Any]:
    return select(org_group.c.audit_no, org_group.c.audit_hash).where(org_group.c.group_id == group_id)


async def add_entries(tx: Tx, entries: Sequence[Entry]) -> None:
    """Add entries of one group that follow each other, and move the head to the last."""
    await tx.execute(insert(audit_entry), [asdict(entry) for entry in entries])
    last = entries[-1]
    head = {"audit_no": last.entry_no, "audit_hash": last.hash}
    await tx.execute(update(org_group).where(org_group.c.group_id == last.group_id).values(head))


async def find_acts(tx: Tx, act_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these acts have an entry."""
    statement = select(audit_entry.c.act_id).where(audit_entry.c.act_id.in_(act_ids))
    return {row.act_id for row in await tx.execute(statement)}


async def list_entries(
    tx: Tx,
    *,
    before_no: int | None,
    limit: int,
    actor: str = "",
    action: str = "",
    subject: str = "",
    after_time: datetime | None = None,
    before_time: datetime | None = None,
) -> list[Entry]:
    """The group's entries, newest first; empty filters mean all. `subject` is one of the ids an entry is about."""
    columns = audit_entry.c
    statement = select(audit_entry).where(columns.group_id == tx.group_id)
    if before_no is not None:
        statement = statement.where(columns.entry_no < before_no)
    if actor:
        statement = statement.where(columns.actor == actor)
    if action:
        statement = statement.where(columns.action == action)
    if subject:
        # Whole ids: blanks around both sides.
        statement = statement.where((" " + columns.subjects + " ").contains(f" {subject} ", autoescape=True))
    if after_time is not None:
        statement = statement.where(columns.time >= after_time)
    if before_time is not None:
        statement = statement.where(columns.time < before_time)
    rows = await tx.execute(statement.order_by(columns.entry_no.desc()).limit(limit))
    return [Entry(**row._mapping) for row in rows]


async def find_hashes(tx: Tx, group_id: UUID, entry_nos: Iterable[int]) -> dict[int, bytes]:
    """The hashes of these entries, by their numbers."""
    of_entries = (audit_entry.c.group_id == group_id, audit_entry.c.entry_no.in_(entry_nos))
    statement = select(audit_entry.c.entry_no, audit_entry.c.hash).where(*of_entries)
    return {row.entry_no: row.hash for row in await tx.execute(statement)}


async def read_chain(tx: Tx, group_id: UUID, *, after_no: int, limit: int) -> list[Entry]:
    """Entries in the order of the chain."""
    statement = select(audit_entry).where(audit_entry.c.group_id == group_id, audit_entry.c.entry_no > after_no)
    rows = await tx.execute(statement.order_by(audit_entry.c.entry_no).limit(limit))
    return [Entry(**row._mapping) for row in rows]
