"""Queries over merges of members; the tables are in services/mall/store.py.

An order or coupon that a saga works on keeps its member until the saga has ended: what it asks of points next has to
name the same member as what it asked before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text

from chassis.db import Tx

MERGING, MERGED, UNMERGING, UNMERGED = 1, 2, 3, 4


async def add_merge(tx: Tx, *, merge_id: UUID, group_id: UUID, survivor_id: UUID, absorbed_id: UUID) -> None:
    """From now on what names the absorbed member means the survivor."""
    await tx.execute(
        text(
            """INSERT INTO member_merge (merge_id, group_id, survivor_id, absorbed_id, state)
               VALUES (:merge_id, :group_id, :survivor_id, :absorbed_id, 1) ON CONFLICT DO NOTHING"""
        ),
        {"merge_id": merge_id, "group_id": group_id, "survivor_id": survivor_id, "absorbed_id": absorbed_id},
    )


async def begin_unmerge(tx: Tx, *, merge_id: UUID) -> None:
    """From now on the absorbed member is on its own again."""
    await tx.execute(
        text("UPDATE member_merge SET state = 3 WHERE merge_id = :merge_id AND state < 3"), {"merge_id": merge_id}
    )


async def list_open(tx: Tx) -> Sequence[RowMapping]:
    """Merges with work left, of all groups: new ones, ones to undo, ones whose absorbed member has something again."""
    rows = await tx.execute(
        text(
            """SELECT m.* FROM member_merge AS m
               WHERE m.state IN (1, 3) OR m.state = 2 AND (
                 EXISTS (SELECT FROM voucher_order AS o WHERE o.group_id = m.group_id AND o.member_id = m.absorbed_id)
                 OR EXISTS (SELECT FROM coupon AS c WHERE c.group_id = m.group_id AND c.member_id = m.absorbed_id))
               ORDER BY m.merge_id"""
        )
    )
    return rows.mappings().all()


async def lock_merge(tx: Tx, merge_id: UUID) -> int:
    """The state that a merge is in, locked."""
    result = await tx.execute(
        text("SELECT state FROM member_merge WHERE merge_id = :merge_id FOR UPDATE"), {"merge_id": merge_id}
    )
    return int(result.scalar_one())


async def set_state(tx: Tx, merge_id: UUID, state: int) -> None:
    """A step on."""
    await tx.execute(
        text("UPDATE member_merge SET state = :state WHERE merge_id = :merge_id"),
        {"merge_id": merge_id, "state": state},
    )


async def move_over(tx: Tx, merge: RowMapping) -> bool:
    """Give the survivor what no saga works on, and note what it was. Answers whether that was all."""
    values = _values(merge)
    await tx.execute(
        text(
            """WITH moved AS (
                 UPDATE voucher_order SET member_id = :survivor_id
                 WHERE group_id = :group_id AND member_id = :absorbed_id AND next_attempt_time IS NULL
                 RETURNING order_id)
               INSERT INTO merged_item (merge_id, item_id) SELECT :merge_id, order_id FROM moved
               ON CONFLICT DO NOTHING"""
        ),
        values,
    )
    await tx.execute(
        text(
            """WITH moved AS (
                 UPDATE coupon SET member_id = :survivor_id
                 WHERE group_id = :group_id AND member_id = :absorbed_id AND state <> 'LOCKED'
                 RETURNING coupon_id)
               INSERT INTO merged_item (merge_id, item_id) SELECT :merge_id, coupon_id FROM moved
               ON CONFLICT DO NOTHING"""
        ),
        values,
    )
    left = await tx.execute(
        text(
            """SELECT EXISTS (SELECT FROM voucher_order WHERE group_id = :group_id AND member_id = :absorbed_id)
                   OR EXISTS (SELECT FROM coupon WHERE group_id = :group_id AND member_id = :absorbed_id)"""
        ),
        values,
    )
    return not left.scalar_one()


async def move_back(tx: Tx, merge: RowMapping) -> bool:
    """Give back what was noted and no saga works on. Answers whether that was all."""
    values = _values(merge)
    for table, key, is_free in (
        ("voucher_order", "order_id", "next_attempt_time IS NULL"),
        ("coupon", "coupon_id", "state <> 'LOCKED'"),
    ):
        await tx.execute(
            text(
                f"""UPDATE {table} AS t SET member_id = :absorbed_id FROM merged_item AS m
                    WHERE m.merge_id = :merge_id AND t.group_id = :group_id AND t.{key} = m.item_id
                      AND t.member_id = :survivor_id AND t.{is_free}"""
            ),
            values,
        )
    left = await tx.execute(
        text(
            """SELECT EXISTS (SELECT FROM merged_item AS m JOIN voucher_order AS o ON o.order_id = m.item_id
                              WHERE m.merge_id = :merge_id AND o.group_id = :group_id AND o.member_id = :survivor_id)
                   OR EXISTS (SELECT FROM merged_item AS m JOIN coupon AS c ON c.coupon_id = m.item_id
                              WHERE m.merge_id = :merge_id AND c.group_id = :group_id AND c.member_id = :survivor_id)"""
        ),
        values,
    )
    return not left.scalar_one()


def _values(merge: RowMapping) -> dict[str, Any]:
    return {key: merge[key] for key in ("merge_id", "group_id", "survivor_id", "absorbed_id")}
