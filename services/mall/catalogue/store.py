"""Queries over items."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.mall.catalogue.rules import Item
from services.mall.store import item


def _is(tx: Tx, item_id: UUID) -> ColumnElement[bool]:
    return (item.c.group_id == tx.group_id) & (item.c.item_id == item_id)


def _item(row: Any) -> Item | None:
    return None if row is None else Item(**row._mapping)


async def insert_item(tx: Tx, new: Item) -> bool:
    """False when the code is taken."""
    statement = insert(item).values(asdict(new)).on_conflict_do_nothing().returning(item.c.item_id)
    return (await tx.execute(statement)).one_or_none() is not None


async def find_item(tx: Tx, item_id: UUID) -> Item | None:
    """The item, or None."""
    return _item((await tx.execute(select(item).where(_is(tx, item_id)))).one_or_none())


async def add_stock(tx: Tx, item_id: UUID, merchant_id: UUID | None, quantity: int) -> Item | None:
    """Put `quantity` (>= 1) in; None when there is no such item (of the merchant, when one is named)."""
    is_whose = true() if merchant_id is None else item.c.merchant_id == merchant_id
    statement = (
        update(item)
        .where(_is(tx, item_id), is_whose)
        .values(stock_total=item.c.stock_total + quantity, stock_left=item.c.stock_left + quantity)
        .returning(item)
    )
    return _item((await tx.execute(statement)).one_or_none())


async def lock_and_take_one(tx: Tx, item_id: UUID) -> Item | None:
    """Take one from what is left; None when nothing is. Locks the item's row."""
    statement = (
        update(item)
        .where(_is(tx, item_id), item.c.stock_left >= 1)
        .values(stock_left=item.c.stock_left - 1)
        .returning(item)
    )
    return _item((await tx.execute(statement)).one_or_none())


async def give_one_back(tx: Tx, item_id: UUID) -> None:
    """The opposite of lock_and_take_one."""
    await tx.execute(update(item).where(_is(tx, item_id)).values(stock_left=item.c.stock_left + 1))


async def list_items(tx: Tx, *, after: tuple[int, UUID] | None, limit: int) -> list[Item]:
    """Items by (price, id) behind `after`."""
    query = select(item).where(item.c.group_id == tx.group_id).order_by(item.c.price_points, item.c.item_id)
    if after is not None:
        query = query.where(tuple_(item.c.price_points, item.c.item_id) > after)
    return [Item(**row._mapping) for row in await tx.execute(query.limit(limit))]
