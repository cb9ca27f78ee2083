"""Queries about imports; the tables are in services/member/tables.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.member.imports.rules import Found, Outcome
from services.member.store import among
from services.member.tables import member_import, member_import_row


@dataclass(frozen=True, slots=True)
class MemberImport:
    """An import; `scheme` as in huitong.member.v1.NumberScheme."""

    import_id: UUID
    unit_id: UUID
    scheme: int
    name: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """A row and what it led to."""

    request_id: str
    fingerprint: bytes
    outcome: int
    member_id: UUID | None
    other_id: UUID | None

    @property
    def found(self) -> Found:
        """What it led to."""
        return Found(Outcome(self.outcome), self.member_id, self.other_id)


_import_columns = [column for column in member_import.c if column.name != "group_id"]
_row_columns = [column for column in member_import_row.c if column.name not in ("group_id", "import_id")]


async def add_import(tx: Tx, new: MemberImport) -> None:
    """Keep it."""
    await tx.execute(
        insert(member_import).values(
            import_id=new.import_id,
            group_id=tx.group_id,
            unit_id=new.unit_id,
            scheme=new.scheme,
            name=new.name,
            create_time=new.create_time,
        )
    )


async def find_import(tx: Tx, import_id: UUID) -> MemberImport | None:
    """One of the group's."""
    row = (
        await tx.execute(
            select(*_import_columns).where(
                member_import.c.group_id == tx.group_id, member_import.c.import_id == import_id
            )
        )
    ).first()
    return MemberImport(**row._mapping) if row else None


async def claim_rows(tx: Tx, import_id: UUID, fingerprints: dict[str, bytes]) -> set[str]:
    """Claim request ids, and answer those that were free. Waits for a concurrent claim of the same row to end."""
    ordered = sorted(fingerprints)
    rows = await tx.execute(
        text(
            """INSERT INTO member_import_row (import_id, request_id, group_id, fingerprint, outcome)
               SELECT :import_id, r.request_id, :group_id, r.fingerprint, 0
               FROM unnest(CAST(:request_ids AS text[]), CAST(:fingerprints AS bytea[])) AS r (request_id, fingerprint)
               ON CONFLICT DO NOTHING RETURNING request_id"""
        ),
        {
            "import_id": import_id,
            "group_id": tx.group_id,
            "request_ids": ordered,
            "fingerprints": [fingerprints[request_id] for request_id in ordered],
        },
    )
    return set(rows.scalars())


async def find_rows(tx: Tx, import_id: UUID, request_ids: Iterable[str]) -> dict[str, ImportedRow]:
    """Rows that came before, by request id."""
    rows = await tx.execute(
        select(*_row_columns).where(
            member_import_row.c.import_id == import_id, among(member_import_row.c.request_id, request_ids)
        )
    )
    return {row.request_id: ImportedRow(**row._mapping) for row in rows}


async def answer_rows(tx: Tx, import_id: UUID, answers: Sequence[tuple[str, Found]]) -> None:
    """Note what the claimed rows led to."""
    await tx.execute(
        text(
            """UPDATE member_import_row AS r
               SET outcome = a.outcome, member_id = a.member_id, other_id = a.other_id
               FROM unnest(CAST(:request_ids AS text[]), CAST(:outcomes AS smallint[]), CAST(:member_ids AS uuid[]),
                           CAST(:other_ids AS uuid[])) AS a (request_id, outcome, member_id, other_id)
               WHERE r.import_id = :import_id AND r.request_id = a.request_id"""
        ),
        {
            "import_id": import_id,
            "request_ids": [request_id for request_id, _ in answers],
            "outcomes": [int(found.outcome) for _, found in answers],
            "member_ids": [found.member_id for _, found in answers],
            "other_ids": [found.other_id for _, found in answers],
        },
    )


async def count_rows(tx: Tx, import_id: UUID) -> dict[int, int]:
    """How many rows had which outcome."""
    rows = await tx.execute(
        select(member_import_row.c.outcome, func.count().label("row_count"))
        .where(member_import_row.c.import_id == import_id)
        .group_by(member_import_row.c.outcome)
        .order_by(member_import_row.c.outcome)
    )
    return {row.outcome: row.row_count for row in rows}


async def list_rows(tx: Tx, import_id: UUID, *, outcome: int, after: str, limit: int) -> list[ImportedRow]:
    """By request id; `outcome` 0 means all."""
    query = select(*_row_columns).where(
        member_import_row.c.import_id == import_id, member_import_row.c.request_id > after
    )
    if outcome:
        query = query.where(member_import_row.c.outcome == outcome)
    rows = await tx.execute(query.order_by(member_import_row.c.request_id).limit(limit))
    return [ImportedRow(**row._mapping) for row in rows]
