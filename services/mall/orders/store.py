"""Queries over orders."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.mall.orders.rules import GIVEN_BACK, Order
from services.mall.saga import leased_until
from services.mall.store import voucher_order


def _is(tx: Tx, order_id: UUID) -> ColumnElement[bool]:
    return (voucher_order.c.group_id == tx.group_id) & (voucher_order.c.order_id == order_id)


def _order(row: Any) -> Order | None:
    return None if row is None else Order(**row._mapping)


async def find_order(tx: Tx, order_id: UUID) -> Order | None:
    """The order, or None."""
    return _order((await tx.execute(select(voucher_order).where(_is(tx, order_id)))).one_or_none())


async def get_order(tx: Tx, order_id: UUID) -> Order:
    """The order, which is known to be there."""
    return Order(**(await tx.execute(select(voucher_order).where(_is(tx, order_id)))).one()._mapping)


async def lock_order(tx: Tx, order_id: UUID) -> Order | None:
    """The order with its row locked, or None."""
    query = select(voucher_order).where(_is(tx, order_id)).with_for_update()
    return _order((await tx.execute(query)).one_or_none())


async def lock_order_by_code(tx: Tx, voucher_code: str) -> Order | None:
    """The order of a voucher with its row locked, or None."""
    query = (
        select(voucher_order)
        .where(voucher_order.c.group_id == tx.group_id, voucher_order.c.voucher_code == voucher_code)
        .with_for_update()
    )
    return _order((await tx.execute(query)).one_or_none())


async def insert_order(tx: Tx, new: Order) -> Order | None:
    """The order, leased to whoever inserts it; None when its id (so its request id) exists."""
    values = {**asdict(new), "next_attempt_time": leased_until()}
    statement = insert(voucher_order).values(values).on_conflict_do_nothing().returning(voucher_order)
    return _order((await tx.execute(statement)).one_or_none())


async def count_held(tx: Tx, *, item_id: UUID, member_ids: Collection[UUID]) -> int:
    """How many of an item these members have or are getting. Exact while the item's row is locked."""
    query = select(func.count()).where(
        voucher_order.c.group_id == tx.group_id,
        voucher_order.c.item_id == item_id,
        voucher_order.c.member_id.in_(member_ids),
        voucher_order.c.state.not_in(GIVEN_BACK),
    )
    return int((await tx.execute(query)).scalar_one())


async def update_order(tx: Tx, order_id: UUID, values: dict[str, Any]) -> Order:
    """Change columns of an order."""
    statement = update(voucher_order).where(_is(tx, order_id)).values(values).returning(voucher_order)
    return Order(**(await tx.execute(statement)).one()._mapping)


async def list_orders(
    tx: Tx, *, member_id: UUID, merchant_id: UUID | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[Order]:
    """A member's orders (of items of the merchant, when one is named), newest first, older than `before`."""
    columns = voucher_order.c
    query = (
        select(voucher_order)
        .where(columns.group_id == tx.group_id, columns.member_id == member_id)
        .order_by(columns.order_time.desc(), columns.order_id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(columns.order_time, columns.order_id) < before)
    if merchant_id is not None:
        query = query.where(columns.merchant_id == merchant_id)
    return [Order(**row._mapping) for row in await tx.execute(query)]
