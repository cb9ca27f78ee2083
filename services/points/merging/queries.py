"""Named reads and writes of merges of members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text

from chassis.db import Tx

Row = Mapping[str, Any]
MERGING, MERGED, UNMERGING, UNMERGED = 1, 2, 3, 4


async def add_merge(tx: Tx, *, group_id: UUID, merge_id: UUID, survivor_id: UUID, absorbed_id: UUID) -> None:
    """Note a merge, and where what names the absorbed member leads to."""
    values = {"group": group_id, "merge": merge_id, "survivor": survivor_id, "absorbed": absorbed_id, "now": tx.now}
    await tx.execute(
        text(
            """INSERT INTO member_merge (merge_id, group_id, survivor_id, absorbed_id, state, merge_time)
               VALUES (:merge, :group, :survivor, :absorbed, 1, :now) ON CONFLICT DO NOTHING"""
        ),
        values,
    )
    state = await tx.execute(text("SELECT state FROM member_merge WHERE merge_id = :merge"), {"merge": merge_id})
    if state.scalar_one() > MERGED:
        return  # told again after it was undone
    await _lead(tx, survivor_id=survivor_id, absorbed_id=absorbed_id, is_absorbed=True)


async def begin_unmerge(tx: Tx, *, merge_id: UUID, survivor_id: UUID, absorbed_id: UUID) -> None:
    """From now on the absorbed member is on its own again; what is its own follows."""
    begun = await tx.execute(
        text("UPDATE member_merge SET state = 3 WHERE merge_id = :merge AND state < 3 RETURNING 1"),
        {"merge": merge_id},
    )
    if begun.first() is None:
        return  # told again
    await _lead(tx, survivor_id=survivor_id, absorbed_id=absorbed_id, is_absorbed=False)


async def _lead(tx: Tx, *, survivor_id: UUID, absorbed_id: UUID, is_absorbed: bool) -> None:
    # In id order, as save_members writes them.
    await tx.execute(
        text(
            """UPDATE member AS m SET is_merged = true, survivor_id = CASE WHEN m.member_id = :absorbed AND :is_absorbed
                                                                        THEN CAST(:survivor AS uuid) END
               FROM (SELECT member_id FROM member WHERE member_id IN (:absorbed, :survivor)
                     ORDER BY member_id FOR UPDATE) l
               WHERE l.member_id = m.member_id"""
        ),
        {"survivor": survivor_id, "absorbed": absorbed_id, "is_absorbed": is_absorbed},
    )


async def list_open(pool: asyncpg.Pool) -> Sequence[Row]:
    """Merges with work left: new ones, ones to be undone, and ones whose absorbed member has something again."""
    rows: Sequence[Row] = await pool.fetch(
        """SELECT m.* FROM member_merge m
           WHERE m.state <> 4 AND (m.state <> 2 OR EXISTS (
               SELECT FROM wallet w
               WHERE (w.wallet_id = m.absorbed_id OR (w.owner_id = m.absorbed_id AND w.currency_id IS NOT NULL))
                 AND (w.available_points > 0 OR w.pending_points > 0 OR w.debt_points > 0)))
           ORDER BY m.merge_time, m.merge_id"""
    )
    return rows


async def find_merge_of(pool: asyncpg.Pool, absorbed_id: UUID, *, or_undoing: bool = False) -> Row | None:
    """The merge by which a member is absorbed now, or is just getting back what is its own."""
    row: Row | None = await pool.fetchrow(
        """SELECT * FROM member_merge WHERE absorbed_id = $1 AND (state IN (1, 2) OR (state = 3 AND $2))
           ORDER BY merge_time DESC LIMIT 1""",
        absorbed_id,
        or_undoing,
    )
    return row


async def is_linked(pool: asyncpg.Pool, member_id: UUID, other_id: UUID) -> UUID | None:
    """The newest merge of these two, whichever way and whether undone or not."""
    found: UUID | None = await pool.fetchval(
        """SELECT merge_id FROM member_merge
           WHERE (absorbed_id = $1 AND survivor_id = $2) OR (absorbed_id = $2 AND survivor_id = $1)
           ORDER BY merge_time DESC LIMIT 1""",
        member_id,
        other_id,
    )
    return found


async def list_absorbed(pool: asyncpg.Pool, survivor_id: UUID) -> list[UUID]:
    """Members that are absorbed by this one now."""
    rows = await pool.fetch(
        "SELECT absorbed_id FROM member_merge WHERE survivor_id = $1 AND state IN (1, 2)", survivor_id
    )
    return [row["absorbed_id"] for row in rows]


async def find_wallet(pool: asyncpg.Pool, wallet_id: UUID) -> Row | None:
    """A wallet as it is now."""
    row: Row | None = await pool.fetchrow("SELECT * FROM wallet w WHERE w.wallet_id = $1", wallet_id)
    return row


async def list_wallets(pool: asyncpg.Pool, member_id: UUID) -> Sequence[Row]:
    """A member's wallets, of each currency one: (wallet_id, currency_id)."""
    rows: Sequence[Row] = await pool.fetch(
        """SELECT w.wallet_id, w.currency_id FROM wallet w
           WHERE w.wallet_id = $1 OR (w.owner_id = $1 AND w.currency_id IS NOT NULL) ORDER BY w.wallet_id""",
        member_id,
    )
    return rows


async def is_fetching(pool: asyncpg.Pool, wallet_id: UUID, since: datetime) -> bool:
    """Whether something was fetched back into the wallet for a movement that has not come yet."""
    found: bool = await pool.fetchval(
        """SELECT EXISTS (SELECT FROM merge_move v
             WHERE v.to_wallet_id = $1 AND v.record_time > $2 AND v.for_txn_id IS NOT NULL
               AND NOT EXISTS (SELECT FROM txn t WHERE t.wallet_id = $1 AND t.txn_id = v.for_txn_id))""",
        wallet_id,
        since,
    )
    return found


async def get_move(pool: asyncpg.Pool, wallet_id: UUID, txn_id: UUID) -> Row:
    """A movement that was taken out."""
    row: Row = await pool.fetchrow(
        "SELECT v.* FROM merge_move v WHERE v.wallet_id = $1 AND v.txn_id = $2", wallet_id, txn_id
    )
    return row


async def list_moves_under_way(pool: asyncpg.Pool, *, after: tuple[UUID, UUID] | None, limit: int) -> Sequence[Row]:
    """Movements that are not known to have arrived, by (wallet, transaction) behind `after`."""
    rows: Sequence[Row] = await pool.fetch(
        """SELECT v.* FROM merge_move v WHERE NOT v.has_arrived AND (v.wallet_id, v.txn_id) > ($1, $2)
           ORDER BY v.wallet_id, v.txn_id LIMIT $3""",
        *(after or (UUID(int=0), UUID(int=0))),
        limit,
    )
    return rows


async def mark_move_arrived(pool: asyncpg.Pool, wallet_id: UUID, txn_id: UUID) -> None:
    """The other wallet has it."""
    await pool.execute(
        "UPDATE merge_move SET has_arrived = true WHERE wallet_id = $1 AND txn_id = $2", wallet_id, txn_id
    )


async def list_lots_moved(pool: asyncpg.Pool, merge_id: UUID, wallet_id: UUID, to_wallet_id: UUID) -> Sequence[Row]:
    """Lots by what of them moved from one wallet to the other, less what moved the other way."""
    rows: Sequence[Row] = await pool.fetch(
        """SELECT (a.lot->>'lot_id')::uuid AS lot_id, (a.lot->>'expire_time')::timestamptz AS expire_time,
                  sum(CASE WHEN a.wallet_id = $2 THEN (a.lot->>'points')::bigint
                           ELSE -(a.lot->>'points')::bigint END)::bigint AS points
           FROM (SELECT v.wallet_id, jsonb_array_elements(v.lots) AS lot FROM merge_move v
                 WHERE v.merge_id = $1 AND ((v.wallet_id = $2 AND v.to_wallet_id = $3)
                                            OR (v.wallet_id = $3 AND v.to_wallet_id = $2))) a
           GROUP BY 1, 2 ORDER BY 2, 1""",
        merge_id,
        wallet_id,
        to_wallet_id,
    )
    return rows


async def list_debts_arrived(pool: asyncpg.Pool, merge_id: UUID, wallet_id: UUID, to_wallet_id: UUID) -> Sequence[Row]:
    """Debts that moved from one wallet to the other: (txn_id there, left_points)."""
    rows: Sequence[Row] = await pool.fetch(
        """SELECT d.txn_id, d.left_points FROM merge_move v
           JOIN txn t ON t.wallet_id = v.to_wallet_id AND t.ref_id = v.txn_id AND t.kind = 101
           JOIN debt d ON d.wallet_id = t.wallet_id AND d.txn_id = t.txn_id
           WHERE v.merge_id = $1 AND v.wallet_id = $2 AND v.to_wallet_id = $3 AND v.debt_points > 0""",
        merge_id,
        wallet_id,
        to_wallet_id,
    )
    return rows


async def net_debt_moved(pool: asyncpg.Pool, merge_id: UUID, wallet_id: UUID, to_wallet_id: UUID) -> int:
    """Debt points that moved from one wallet to the other, less what moved the other way."""
    found: int = await pool.fetchval(
        """SELECT coalesce(sum(CASE WHEN v.wallet_id = $2 THEN v.debt_points ELSE -v.debt_points END), 0)::bigint
           FROM merge_move v WHERE v.merge_id = $1 AND ((v.wallet_id = $2 AND v.to_wallet_id = $3)
                                                        OR (v.wallet_id = $3 AND v.to_wallet_id = $2))""",
        merge_id,
        wallet_id,
        to_wallet_id,
    )
    return found


async def list_holds(pool: asyncpg.Pool, wallet_id: UUID) -> Sequence[Row]:
    """What the holds under way of a wallet reserve: (lot_id, detail)."""
    rows: Sequence[Row] = await pool.fetch(
        """SELECT t.lot_id, h.detail FROM hold h JOIN hold_lot t ON t.wallet_id = h.wallet_id AND t.hold_id = h.hold_id
           WHERE h.wallet_id = $1 AND h.state = 1""",
        wallet_id,
    )
    return rows


async def list_spent(pool: asyncpg.Pool, wallet_id: UUID, since: datetime) -> tuple[int, Sequence[Row]]:
    """What left a wallet for good since then, by transaction and lot, less what came back; expiry is nobody's doing.

    And the wallet's version as of which this is so. `detail` is set for redemptions: a Spending.
    """
    rows: Sequence[Row] = await pool.fetch(
        """SELECT w.version, s.lot_id, s.points, s.detail FROM wallet w
           LEFT JOIN LATERAL (
               SELECT u.lot_id, (u.points - u.restored_points)::bigint AS points,
                      CASE WHEN t.kind IN (3, 7) THEN t.detail END AS detail
               FROM txn t JOIN lot_use u ON u.wallet_id = t.wallet_id AND u.txn_id = t.txn_id
               WHERE t.wallet_id = w.wallet_id AND t.record_time >= $2 AND t.kind IN (2, 3, 7, 11, 12, 21, 22, 24)
                 AND u.points > u.restored_points) s ON true
           WHERE w.wallet_id = $1""",
        wallet_id,
        since,
    )
    return rows[0]["version"], [row for row in rows if row["lot_id"] is not None]


async def save_charges(pool: asyncpg.Pool, merge_id: UUID, charges: str) -> None:
    """Fix, once, who owes whom how much after an unmerge."""
    await pool.execute(
        "UPDATE member_merge SET charges = $2 WHERE merge_id = $1 AND charges IS NULL", merge_id, charges
    )


async def version_of(pool: asyncpg.Pool, wallet_id: UUID, txn_id: UUID) -> int:
    """The place of a transaction among those of its wallet."""
    found: int = await pool.fetchval("SELECT version FROM txn WHERE wallet_id = $1 AND txn_id = $2", wallet_id, txn_id)
    return found


async def get_charges(pool: asyncpg.Pool, merge_id: UUID) -> str | None:
    """What was fixed."""
    found: str | None = await pool.fetchval("SELECT charges::text FROM member_merge WHERE merge_id = $1", merge_id)
    return found


async def set_state(tx: Tx, merge_id: UUID, *, before: int, after: int) -> bool:
    """One step on; False when somebody has done it already."""
    result = await tx.execute(
        text("UPDATE member_merge SET state = :after WHERE merge_id = :merge AND state = :before RETURNING 1"),
        {"merge": merge_id, "before": before, "after": after},
    )
    return result.first() is not None


async def available_of(pool: asyncpg.Pool, wallet_ids: Iterable[UUID]) -> dict[UUID, int]:
    """What can be spent of each wallet."""
    rows = await pool.fetch(
        "SELECT w.wallet_id, w.available_points FROM wallet w WHERE w.wallet_id = ANY($1)", list(wallet_ids)
    )
    return {row["wallet_id"]: row["available_points"] for row in rows}
