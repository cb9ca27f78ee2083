"""Named reads: sales, balances, statements, totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, text

from chassis.db import Tx
from services.points.earning.expiry import NEVER

SaleRow = Mapping[str, Any]


async def find_wallet_of_sale(pool: asyncpg.Pool, group_id: UUID, sale_id: UUID) -> UUID | None:
    """Whose sale it is, or None when this group has no such receipt."""
    found: UUID | None = await pool.fetchval(
        "SELECT wallet_id FROM receipt_claim WHERE sale_id = $1 AND group_id = $2", sale_id, group_id
    )
    return found


async def list_claimed(pool: asyncpg.Pool, sale_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the sales whose receipts came in before."""
    rows = await pool.fetch("SELECT sale_id FROM receipt_claim WHERE sale_id = ANY($1)", sale_ids)
    return {row["sale_id"] for row in rows}


async def list_used(pool: asyncpg.Pool, cap_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What caps have given; those that have given nothing yet are left out."""
    rows = await pool.fetch("SELECT cap_id, used_points FROM cap WHERE cap_id = ANY($1)", cap_ids)
    return {row["cap_id"]: row["used_points"] for row in rows}


# By the business dates of the sales, which are where their stores are.
_USED_BETWEEN = """SELECT u.cap_id, sum(u.points)::bigint AS points
    FROM txn t JOIN store s USING (store_id) JOIN cap_use u ON u.sale_id = t.txn_id
    WHERE t.group_id = $1 AND u.group_id = $1 AND t.kind = 1
      AND t.occur_time > $2::date - interval '1 day' AND t.occur_time < $3::date + interval '1 day'
      AND (t.occur_time AT TIME ZONE s.time_zone)::date >= $2 AND (t.occur_time AT TIME ZONE s.time_zone)::date < $3
      AND ($4::uuid[] IS NULL OR u.cap_id = ANY($4))
    GROUP BY u.cap_id"""


async def list_used_between(
    pool: asyncpg.Pool, group_id: UUID, first_date: date, end_date: date, cap_ids: Sequence[UUID] | None = None
) -> dict[UUID, int]:
    """What sales from `first_date` until before `end_date` took from these caps, or from any."""
    rows = await pool.fetch(_USED_BETWEEN, group_id, first_date, end_date, cap_ids)
    return {row["cap_id"]: row["points"] for row in rows}


async def find_request(pool: asyncpg.Pool, request_key: UUID) -> UUID | None:
    """What a request id is bound to; None when it never came."""
    found: UUID | None = await pool.fetchval("SELECT target_id FROM request_claim WHERE request_key = $1", request_key)
    return found


async def find_txn(pool: asyncpg.Pool, wallet_id: UUID, txn_id: UUID) -> asyncpg.Record | None:
    """Kind, merchant, group and detail of a transaction."""
    return await pool.fetchrow(
        """SELECT t.kind, t.group_id, t.merchant_id, t.detail FROM txn t
           WHERE t.wallet_id = $1 AND t.txn_id = $2""",
        wallet_id,
        txn_id,
    )


async def has_txn_or_hold(pool: asyncpg.Pool, wallet_id: UUID, key: UUID) -> bool:
    """Whether a wallet has a transaction or a hold of this id."""
    return bool(
        await pool.fetchval(
            """SELECT EXISTS (SELECT FROM txn t WHERE t.wallet_id = $1 AND t.txn_id = $2)
                   OR EXISTS (SELECT FROM hold h WHERE h.wallet_id = $1 AND h.hold_id = $2)""",
            wallet_id,
            key,
        )
    )


async def find_owner_of_txn(pool: asyncpg.Pool, wallet_id: UUID, txn_id: UUID) -> UUID | None:
    """Whose wallet of another currency a transaction moved; None when it did not happen."""
    found: UUID | None = await pool.fetchval(
        """SELECT w.owner_id FROM wallet w JOIN txn t ON t.wallet_id = w.wallet_id
           WHERE w.wallet_id = $1 AND t.txn_id = $2""",
        wallet_id,
        txn_id,
    )
    return found


async def find_sale(pool: asyncpg.Pool, wallet_id: UUID, sale_id: UUID, refund_id: UUID) -> SaleRow | None:
    """A sale, what came back of it so far, and (refund_…) the refund of that id when it was made: one snapshot."""
    row: SaleRow | None = await pool.fetchrow(
        """SELECT s.txn_id, s.merchant_id, s.expire_time, s.detail, s.explanation,
                  s.points, coalesce(r.clawed_back_points, 0) AS clawed_back_points,
                  coalesce(r.written_off_points, 0) AS written_off_points,
                  coalesce(r.refund_count, 0) AS refund_count, r.returned_lines,
                  f.request_hash AS refund_hash, f.points AS refund_points, f.debt_points AS refund_debt_points,
                  f.available_points AS refund_available_points, f.unmoved_points AS refund_written_off_points,
                  f.detail AS refund_detail
           FROM txn s
           LEFT JOIN sale_refund r ON r.wallet_id = s.wallet_id AND r.sale_id = s.txn_id
           LEFT JOIN txn f ON f.wallet_id = s.wallet_id AND f.txn_id = $3
           WHERE s.wallet_id = $1 AND s.txn_id = $2 AND s.kind = 1""",
        wallet_id,
        sale_id,
        refund_id,
    )
    return row


async def count_refunds(pool: asyncpg.Pool, wallet_id: UUID, sale_id: UUID) -> int:
    """How often something of a sale, or of an award, came back."""
    found: int | None = await pool.fetchval(
        "SELECT r.refund_count FROM sale_refund r WHERE r.wallet_id = $1 AND r.sale_id = $2", wallet_id, sale_id
    )
    return found or 0


async def find_sale_with_refunds(tx: Tx, wallet_id: UUID, sale_id: UUID) -> RowMapping | None:
    """A sale of the caller's group with the sums of its refunds."""
    result = await tx.execute(
        text(
            """SELECT s.points, s.detail, s.explanation, coalesce(r.clawed_back_points, 0) AS clawed_back_points,
                      coalesce(r.written_off_points, 0) AS written_off_points,
                      coalesce(r.refunded_minor, 0) AS refunded_minor
               FROM txn s LEFT JOIN sale_refund r ON r.wallet_id = s.wallet_id AND r.sale_id = s.txn_id
               WHERE s.wallet_id = :wallet_id AND s.txn_id = :sale_id AND s.group_id = :group_id AND s.kind = 1"""
        ),
        {"wallet_id": wallet_id, "sale_id": sale_id, "group_id": tx.group_id},
    )
    return result.mappings().one_or_none()


# A balance and a page of a statement cost the same however long the history is: each query follows an index to what it
# answers with, and where a member's lots could be without number it looks at so many and says when there are more.
MOST_LOTS = 2_000

BALANCE = text(
    """SELECT w.available_points - coalesce(x.points, 0) AS available_points, w.held_points, w.pending_points,
              w.debt_points, w.earned_points, w.clawed_back_points, w.spent_points, w.transferred_points,
              w.expired_points + coalesce(x.points, 0) AS expired_points
       FROM wallet w
       LEFT JOIN LATERAL (SELECT sum(l.left_points - l.held_points)::bigint AS points FROM lot l
                          WHERE w.first_expire_time <= :now AND l.wallet_id = w.wallet_id AND l.unlock_time IS NULL
                            AND l.expire_time >= w.first_expire_time AND l.expire_time <= :now) x ON true
       WHERE w.wallet_id = :wallet_id AND w.group_id = :group_id"""
)

# The scan starts at the first lot that may have points left, past what is spent.
NEXT_EXPIRIES = text(
    """SELECT l.expire_time, sum(l.free_points)::bigint AS points, count(*) AS lot_count
       FROM (SELECT l.expire_time,
                    CASE WHEN l.unlock_time IS NULL THEN l.left_points - l.held_points ELSE 0 END AS free_points
             FROM lot l
             WHERE l.wallet_id = :wallet_id
               AND l.expire_time >= (SELECT greatest(w.first_expire_time, :now) FROM wallet w
                                     WHERE w.wallet_id = :wallet_id AND w.first_expire_time IS NOT NULL)
               AND l.expire_time > :now AND l.expire_time < :never
             ORDER BY l.expire_time, l.lot_id LIMIT :most_lots) l
       GROUP BY l.expire_time ORDER BY l.expire_time"""
)

NEXT_UNLOCKS = text(
    """SELECT l.unlock_time, sum(l.left_points)::bigint AS points, count(*) AS lot_count
       FROM (SELECT l.unlock_time, l.left_points FROM lot l
             WHERE l.wallet_id = :wallet_id AND l.unlock_time IS NOT NULL ORDER BY l.unlock_time LIMIT :most_lots) l
       GROUP BY l.unlock_time ORDER BY l.unlock_time"""
)

# Of a sale the explanation says why, of other movements the detail. What was sold is not read.
STATEMENT = text(
    """SELECT t.txn_id, t.version, t.kind, t.points, t.pending_points, t.debt_points, t.available_points, t.occur_time,
              t.record_time, t.merchant_id, t.store_id, t.ref_id, t.reference, t.expire_time, t.unlock_time,
              t.unmoved_points,
              CASE WHEN t.kind IN (1, 10, 23) THEN t.explanation END AS explanation,
              CASE WHEN t.kind IN (3, 7, 10, 11, 12, 13, 20, 21, 22, 100, 101) THEN t.detail END AS detail
       FROM txn t WHERE t.wallet_id = :wallet_id AND t.version < :before_version
         AND (t.points <> 0 OR t.pending_points <> 0 OR t.unmoved_points IS NOT NULL)
       ORDER BY t.version DESC LIMIT :limit"""
)


class Due(NamedTuple):
    """Points that expire or unlock at an instant; at least so many when there may be more."""

    time: datetime
    points: int
    is_at_least: bool


async def find_balance(tx: Tx, wallet_id: UUID) -> RowMapping | None:
    """A wallet's balance as of business time: lots that are over their time do not count, run or no run."""
    result = await tx.execute(BALANCE, {"wallet_id": wallet_id, "group_id": tx.group_id, "now": tx.now})
    return result.mappings().one_or_none()


async def list_next_expiries(tx: Tx, wallet_id: UUID, limit: int) -> list[Due]:
    """What expires when, earliest first; held and pending points are not counted, nor those that never expire."""
    values = {"wallet_id": wallet_id, "now": tx.now, "never": NEVER, "most_lots": MOST_LOTS}
    return _due((await tx.execute(NEXT_EXPIRIES, values)).all(), limit)


async def list_next_unlocks(tx: Tx, wallet_id: UUID, limit: int) -> list[Due]:
    """What unlocks when, earliest first."""
    values = {"wallet_id": wallet_id, "most_lots": MOST_LOTS}
    return _due((await tx.execute(NEXT_UNLOCKS, values)).all(), limit)


def _due(rows: Sequence[Any], limit: int) -> list[Due]:
    """The first `limit` of (time, points, lots). When the lots were cut off, the last time may have more of them."""
    is_cut = sum(lot_count for _, _, lot_count in rows) == MOST_LOTS
    found = [Due(time, points, is_cut and number == len(rows)) for number, (time, points, _) in enumerate(rows, 1)]
    return [due for due in found if due.points or due.is_at_least][:limit]


async def list_statement(tx: Tx, wallet_id: UUID, *, before_version: int, limit: int) -> Sequence[RowMapping]:
    """Movements older than `before_version`, newest first. Sales that earned nothing moved nothing."""
    values = {"wallet_id": wallet_id, "before_version": before_version, "limit": limit}
    return (await tx.execute(STATEMENT, values)).mappings().all()


async def list_totals(tx: Tx, currency_id: UUID, unit_id: UUID | None) -> Sequence[RowMapping]:
    """Sums of each merchant of the group (or the unit) that issued or took points of a currency, with its unit."""
    there = "AND m.business_unit_id = :unit_id" if unit_id else ""
    result = await tx.execute(
        text(
            f"""SELECT s.merchant_id, m.business_unit_id, sum(s.issued_points)::bigint AS issued_points,
                      sum(s.clawed_back_points)::bigint AS clawed_back_points,
                      sum(s.redeemed_points)::bigint AS redeemed_points,
                      sum(s.expired_points)::bigint AS expired_points,
                      sum(s.outstanding_points)::bigint AS outstanding_points,
                      sum(s.debt_points)::bigint AS debt_points, sum(s.accepted_points)::bigint AS accepted_points,
                      sum(s.sale_count)::bigint AS sale_count, sum(s.sales_minor)::bigint AS sales_minor,
                      coalesce(sum(s.written_off_points), 0)::bigint AS written_off_points
               FROM issuer_slot s LEFT JOIN merchant m ON m.merchant_id = s.merchant_id
               WHERE s.group_id = :group_id AND s.currency_id = :currency_id {there}
               GROUP BY s.merchant_id, m.business_unit_id ORDER BY s.merchant_id"""
        ),
        {"group_id": tx.group_id, "currency_id": currency_id} | ({"unit_id": unit_id} if unit_id else {}),
    )
    return result.mappings().all()


async def list_due_expiries(
    pool: asyncpg.Pool, *, now: datetime, after_wallet_id: UUID, limit: int
) -> Sequence[Mapping[str, Any]]:
    """Wallets that may hold expired points, by id, with each instant at which some of them did.

    A row without an instant is a wallet whose lower bound is behind; its next expiry run brings it up to date.
    """
    rows: Sequence[Mapping[str, Any]] = await pool.fetch(
        """SELECT d.wallet_id, d.group_id, d.version, l.expire_time, d.first_expire_time
           FROM (SELECT wallet_id, group_id, version, first_expire_time FROM wallet
                 WHERE first_expire_time <= $1 AND wallet_id > $2 ORDER BY wallet_id LIMIT $3) d
           LEFT JOIN LATERAL (
               SELECT DISTINCT l.expire_time FROM lot l
               WHERE l.wallet_id = d.wallet_id AND l.expire_time >= d.first_expire_time AND l.expire_time <= $1
                 AND l.unlock_time IS NULL AND l.left_points > l.held_points) l ON true
           ORDER BY d.wallet_id, l.expire_time""",
        now,
        after_wallet_id,
        limit,
    )
    return rows


async def list_due_unlocks(
    pool: asyncpg.Pool, *, now: datetime, after: tuple[datetime, UUID], limit: int
) -> Sequence[Mapping[str, Any]]:
    """Pending lots whose time has come, as (time, wallet) behind `after`, each with its wallet's version."""
    rows: Sequence[Mapping[str, Any]] = await pool.fetch(
        """SELECT d.unlock_time, d.wallet_id, w.group_id, w.version
           FROM (SELECT DISTINCT l.unlock_time, l.wallet_id FROM lot l
                 WHERE l.unlock_time <= $1 AND (l.unlock_time, l.wallet_id) > ($2, $3)
                 ORDER BY l.unlock_time, l.wallet_id LIMIT $4) d
           JOIN wallet w ON w.wallet_id = d.wallet_id
           ORDER BY d.unlock_time, d.wallet_id""",
        now,
        *after,
        limit,
    )
    return rows


async def list_due_holds(
    pool: asyncpg.Pool, *, now: datetime, after: tuple[datetime, UUID, UUID], limit: int
) -> Sequence[Mapping[str, Any]]:
    """Holds whose time is over, as (time, wallet, hold) behind `after`, the oldest first."""
    rows: Sequence[Mapping[str, Any]] = await pool.fetch(
        """SELECT wallet_id, hold_id, group_id, expire_time FROM hold
           WHERE state = 1 AND expire_time <= $1 AND (expire_time, wallet_id, hold_id) > ($2, $3, $4)
           ORDER BY expire_time, wallet_id, hold_id LIMIT $5""",
        now,
        *after,
        limit,
    )
    return rows


async def get_adjustment(pool: asyncpg.Pool, adjustment_id: UUID) -> Mapping[str, Any]:
    """An adjustment that exists."""
    row: Mapping[str, Any] = await pool.fetchrow("SELECT * FROM adjustment WHERE adjustment_id = $1", adjustment_id)
    return row


async def finish_adjustment(pool: asyncpg.Pool, adjustment_id: UUID, state: int) -> None:
    """Keep what the ledger made of an approved adjustment."""
    await pool.execute("UPDATE adjustment SET state = $2 WHERE adjustment_id = $1 AND state = 2", adjustment_id, state)


async def list_approved_adjustments(
    pool: asyncpg.Pool, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Mapping[str, Any]]:
    """Adjustments that are approved and not known to be applied, behind `after`, oldest decision first."""
    time, adjustment_id = after or (datetime.min.replace(tzinfo=UTC), UUID(int=0))
    rows: Sequence[Mapping[str, Any]] = await pool.fetch(
        """SELECT adjustment_id, decide_time FROM adjustment
           WHERE state = 2 AND (decide_time, adjustment_id) > ($1, $2)
           ORDER BY decide_time, adjustment_id LIMIT $3""",
        time,
        adjustment_id,
        limit,
    )
    return rows


async def get_transfer(pool: asyncpg.Pool, wallet_id: UUID, txn_id: UUID) -> Mapping[str, Any]:
    """A transfer that was taken out."""
    row: Mapping[str, Any] = await pool.fetchrow(
        "SELECT * FROM transfer t WHERE t.wallet_id = $1 AND t.txn_id = $2", wallet_id, txn_id
    )
    return row


async def has_room(pool: asyncpg.Pool, wallet_id: UUID, points: int) -> bool:
    """Whether a wallet can get so many points from another one; see wallet_in_bounds.

    One that is not there is the ledger's to refuse.
    """
    found: bool | None = await pool.fetchval(
        """SELECT greatest(w.available_points + w.held_points + w.pending_points, w.transferred_points) + $2::bigint
                  < 9007199254740992
           FROM wallet w WHERE w.wallet_id = $1""",
        wallet_id,
        points,
    )
    return found is not False


async def list_transfers_under_way(
    pool: asyncpg.Pool, *, after: tuple[UUID, UUID] | None, limit: int
) -> Sequence[Mapping[str, Any]]:
    """Transfers that are not known to have arrived, by (wallet, transaction) behind `after`."""
    wallet_id, txn_id = after or (UUID(int=0), UUID(int=0))
    rows: Sequence[Mapping[str, Any]] = await pool.fetch(
        """SELECT * FROM transfer WHERE NOT has_arrived AND (wallet_id, txn_id) > ($1, $2)
           ORDER BY wallet_id, txn_id LIMIT $3""",
        wallet_id,
        txn_id,
        limit,
    )
    return rows


async def mark_arrived(pool: asyncpg.Pool, wallet_id: UUID, txn_id: UUID) -> None:
    """The receiver's wallet has it."""
    await pool.execute("UPDATE transfer SET has_arrived = true WHERE wallet_id = $1 AND txn_id = $2", wallet_id, txn_id)
