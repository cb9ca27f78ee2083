"""Named reads and marks of cases, devices and remembered sales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, text

from chassis.db import Tx

FORGOTTEN_AT_ONCE = 10_000
MOST_MISSING = 1_000

# A case with its sale and, of a pair, what the other one was.
_CASES = """SELECT c.*, t.reference, t.occur_time, t.amount_minor, t.points, o.source AS other_source,
                   o.receipt_no AS other_receipt_no
            FROM sale_case c
            LEFT JOIN txn t ON t.wallet_id = c.wallet_id AND t.txn_id = c.sale_id
            LEFT JOIN sale_seen o ON o.sale_id = c.other_sale_id"""


async def find_case(pool: asyncpg.Pool, group_id: UUID, case_id: UUID) -> Mapping[str, Any] | None:
    """A case of the group."""
    row: Mapping[str, Any] | None = await pool.fetchrow(
        f"{_CASES} WHERE c.case_id = $1 AND c.group_id = $2", case_id, group_id
    )
    return row


async def list_cases(
    tx: Tx, *, state: int, kind: int, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[RowMapping]:
    """The group's cases behind `before`, newest first; `state` and `kind` 0 mean any."""
    conditions = ["c.group_id = :group_id"]
    values: dict[str, Any] = {"group_id": tx.group_id, "limit": limit}
    if state:
        conditions.append("c.state = :state")
        values["state"] = state
    if kind:
        conditions.append("c.kind = :kind")
        values["kind"] = kind
    if before is not None:
        conditions.append("(c.create_time, c.case_id) < (:before_time, :before_id)")
        values["before_time"], values["before_id"] = before
    result = await tx.execute(
        text(
            f"""{_CASES} WHERE {" AND ".join(conditions)}
                ORDER BY c.create_time DESC, c.case_id DESC LIMIT :limit"""
        ),
        values,
    )
    return result.mappings().all()


async def list_cases_of_sale(pool: asyncpg.Pool, sale_id: UUID) -> Sequence[Mapping[str, Any]]:
    """All cases of a sale."""
    rows: Sequence[Mapping[str, Any]] = await pool.fetch(
        "SELECT * FROM sale_case WHERE sale_id = $1 ORDER BY kind", sale_id
    )
    return rows


async def list_decided(
    pool: asyncpg.Pool, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Mapping[str, Any]]:
    """Cases that are decided and not known to be applied, behind `after`, oldest decision first."""
    time, case_id = after or (datetime.min.replace(tzinfo=UTC), UUID(int=0))
    rows: Sequence[Mapping[str, Any]] = await pool.fetch(
        """SELECT case_id, group_id, wallet_id, sale_id, decide_time FROM sale_case
           WHERE state <> 1 AND NOT is_applied AND (decide_time, case_id) > ($1, $2)
           ORDER BY decide_time, case_id LIMIT $3""",
        time,
        case_id,
        limit,
    )
    return rows


async def mark_applied(pool: asyncpg.Pool, case_ids: Sequence[UUID]) -> None:
    """The ledger has done what was decided."""
    await pool.execute("UPDATE sale_case SET is_applied = true WHERE case_id = ANY($1)", case_ids)


async def find_unlock_time(pool: asyncpg.Pool, wallet_id: UUID, sale_id: UUID) -> datetime | None:
    """Until when a sale's points are pending; None when they are not."""
    found: datetime | None = await pool.fetchval(
        """SELECT l.unlock_time FROM txn t
           JOIN lot l ON l.wallet_id = t.wallet_id AND l.expire_time = t.expire_time AND l.lot_id = t.txn_id
           WHERE t.wallet_id = $1 AND t.txn_id = $2""",
        wallet_id,
        sale_id,
    )
    return found


async def find_device(pool: asyncpg.Pool, device_key: UUID, newest_seq: int) -> tuple[int, int, Sequence[int]]:
    """Contiguous and highest recorded number of a device, and what is missing after the first, one more than told."""
    rows = await pool.fetch(
        """SELECT d.contiguous_seq, d.highest_seq, m.seq
           FROM (SELECT coalesce(max(contiguous_seq), 0) AS contiguous_seq, coalesce(max(highest_seq), 0) AS highest_seq
                 FROM device WHERE device_key = $1) d
           LEFT JOIN LATERAL (
               SELECT seq FROM generate_series(d.contiguous_seq + 1, greatest(d.highest_seq, $2)) seq
               WHERE NOT EXISTS (SELECT FROM device_sale s
                                 WHERE s.device_key = $1 AND s.seq = seq.seq AND s.is_recorded)
               LIMIT $3) m ON true""",
        device_key,
        newest_seq,
        MOST_MISSING + 1,
    )
    return rows[0]["contiguous_seq"], rows[0]["highest_seq"], [row["seq"] for row in rows if row["seq"] is not None]


async def forget_seen(pool: asyncpg.Pool, before: datetime) -> None:
    """Remove sales that are too old to be compared, a part at a time."""
    while (
        await pool.execute(
            """DELETE FROM sale_seen WHERE sale_id IN (
                 SELECT sale_id FROM sale_seen WHERE sale_time < $1 ORDER BY sale_time LIMIT $2)""",
            before,
            FORGOTTEN_AT_ONCE,
        )
        != "DELETE 0"
    ):
        pass
