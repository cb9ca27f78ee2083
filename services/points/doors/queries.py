"""Named reads and marks of cases, devices and remembered sales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, text

from chassis.db import Tx

FORGOTTEN_AT_ONCE = 10_000
MOST_MISSING = 1_000
MOST_LOOKED_AT = 10_000

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
    tx: Tx, *, state: int, kind: int, unit_id: UUID | None, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[RowMapping]:
    """The cases of the group, or of stores of a unit, behind `before`, newest first; `state` and `kind` 0 mean any."""
    conditions = ["c.group_id = :group_id"]
    values: dict[str, Any] = {"group_id": tx.group_id, "limit": limit}
    if state:
        conditions.append("c.state = :state")
        values["state"] = state
    if kind:
        conditions.append("c.kind = :kind")
        values["kind"] = kind
    if unit_id is not None:
        conditions.append("c.store_id IN (SELECT store_id FROM store WHERE business_unit_id = :unit_id)")
        values["unit_id"] = unit_id
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


async def is_of_unit(pool: asyncpg.Pool, case_id: UUID, unit_id: UUID) -> bool:
    """Whether a case is of a store of the unit."""
    found: bool = await pool.fetchval(
        """SELECT EXISTS (SELECT FROM sale_case c JOIN store s USING (store_id)
                          WHERE c.case_id = $1 AND s.business_unit_id = $2)""",
        case_id,
        unit_id,
    )
    return found


async def list_cases_of_sale(pool: asyncpg.Pool, sale_id: UUID) -> Sequence[Mapping[str, Any]]:
    """All cases of a sale."""
    rows: Sequence[Mapping[str, Any]] = await pool.fetch(
        "SELECT * FROM sale_case WHERE sale_id = $1 ORDER BY kind", sale_id
    )
    return rows


async def lock_cases_of_sale(tx: Tx, sale_id: UUID) -> Sequence[RowMapping]:
    """All cases of a sale of the group, as they stay until the transaction ends."""
    result = await tx.execute(
        text(f"{_CASES} WHERE c.sale_id = :sale_id AND c.group_id = :group_id ORDER BY c.case_id FOR UPDATE OF c"),
        {"sale_id": sale_id, "group_id": tx.group_id},
    )
    return result.mappings().all()


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


class DeviceProgress(NamedTuple):
    """What is recorded of a device. `missing_seqs` is complete up to looked_at_seq."""

    contiguous_seq: int
    highest_seq: int
    missing_seqs: list[int]
    looked_at_seq: int
    has_more: bool


async def find_device(pool: asyncpg.Pool, device_key: UUID, *, newest_seq: int, after_seq: int) -> DeviceProgress:
    """How far a device is. However far apart its numbers are, so many of them are looked at and told."""
    row = await pool.fetchrow("SELECT contiguous_seq, highest_seq FROM device WHERE device_key = $1", device_key)
    contiguous_seq, highest_seq = (row["contiguous_seq"], row["highest_seq"]) if row is not None else (0, 0)
    start_seq = max(contiguous_seq, after_seq)
    rows = await pool.fetch(
        """SELECT s.seq FROM device_sale s WHERE s.device_key = $1 AND s.seq > $2 AND s.is_recorded
           ORDER BY s.seq LIMIT $3""",
        device_key,
        start_seq,
        MOST_LOOKED_AT,
    )
    recorded = [row["seq"] for row in rows]
    is_cut = len(recorded) == MOST_LOOKED_AT
    end_seq = recorded[-1] if is_cut else max(highest_seq, newest_seq, start_seq)
    missing: list[int] = []
    previous_seq = start_seq
    for seq in [*recorded, end_seq + 1]:
        missing += range(previous_seq + 1, min(seq, previous_seq + 2 + MOST_MISSING))
        previous_seq = seq
        if len(missing) > MOST_MISSING:
            missing = missing[:MOST_MISSING]
            return DeviceProgress(contiguous_seq, highest_seq, missing, missing[-1], True)
    return DeviceProgress(contiguous_seq, highest_seq, missing, end_seq, is_cut)


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
