"""Queries over checkouts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.mall.checkout.rules import REJECTED, Checkout
from services.mall.saga import leased_until
from services.mall.store import checkout


def _is(tx: Tx, checkout_id: UUID) -> ColumnElement[bool]:
    return (checkout.c.group_id == tx.group_id) & (checkout.c.checkout_id == checkout_id)


def _checkout(row: Any) -> Checkout | None:
    return None if row is None else Checkout(**row._mapping)


async def find_checkout(tx: Tx, checkout_id: UUID) -> Checkout | None:
    """The checkout, or None."""
    return _checkout((await tx.execute(select(checkout).where(_is(tx, checkout_id)))).one_or_none())


async def lock_checkout(tx: Tx, checkout_id: UUID) -> Checkout | None:
    """The checkout with its row locked, or None."""
    query = select(checkout).where(_is(tx, checkout_id)).with_for_update()
    return _checkout((await tx.execute(query)).one_or_none())


async def find_by_receipt(tx: Tx, *, store_id: UUID, receipt_no: str) -> Checkout | None:
    """The checkout that a receipt belongs to, or None; rejected tries do not count."""
    query = select(checkout).where(
        checkout.c.group_id == tx.group_id,
        checkout.c.store_id == store_id,
        checkout.c.receipt_no == receipt_no,
        checkout.c.state != REJECTED,
    )
    return _checkout((await tx.execute(query)).one_or_none())


async def insert_checkout(tx: Tx, new: Checkout) -> Checkout | None:
    """The checkout, leased to whoever inserts it; None when its request id or its receipt was there before."""
    values = {**asdict(new), "next_attempt_time": leased_until()}
    statement = insert(checkout).values(values).on_conflict_do_nothing().returning(checkout)
    return _checkout((await tx.execute(statement)).one_or_none())


async def update_checkout(tx: Tx, checkout_id: UUID, values: dict[str, Any]) -> Checkout:
    """Change columns of a checkout."""
    statement = update(checkout).where(_is(tx, checkout_id)).values(values).returning(checkout)
    return Checkout(**(await tx.execute(statement)).one()._mapping)
