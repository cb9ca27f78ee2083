"""Queries over templates, coupons and write-offs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.mall.coupons.rules import ISSUED, Coupon, Template, WriteOff
from services.mall.store import coupon, coupon_template, coupon_write_off

# ---- templates


async def insert_templates(tx: Tx, new: Sequence[Template]) -> None:
    """Insert those whose code and request id are free; see find_templates for what became of each."""
    # In id order, so that two calls with the same templates wait for each other instead of deadlocking.
    rows = [asdict(template) for template in sorted(new, key=lambda template: template.template_id)]
    if rows:
        await tx.execute(insert(coupon_template).values(rows).on_conflict_do_nothing())


async def find_templates(tx: Tx, *, request_ids: Sequence[str]) -> dict[str, Template]:
    """Templates by the request ids that made them."""
    query = select(coupon_template).where(
        coupon_template.c.group_id == tx.group_id, coupon_template.c.request_id.in_(request_ids)
    )
    return {row.request_id: Template(**row._mapping) for row in await tx.execute(query)}


def _is_template(tx: Tx, template_id: UUID) -> ColumnElement[bool]:
    return (coupon_template.c.group_id == tx.group_id) & (coupon_template.c.template_id == template_id)


async def find_template(tx: Tx, template_id: UUID) -> Template | None:
    """The template, or None."""
    row = (await tx.execute(select(coupon_template).where(_is_template(tx, template_id)))).one_or_none()
    return None if row is None else Template(**row._mapping)


async def lock_and_count_one(tx: Tx, template_id: UUID) -> bool:
    """Count one more coupon of the template; False when its quantity is used up. Locks its row."""
    columns = coupon_template.c
    statement = (
        update(coupon_template)
        .where(_is_template(tx, template_id), or_(columns.quantity == 0, columns.issued_count < columns.quantity))
        .values(issued_count=columns.issued_count + 1)
        .returning(columns.template_id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


# ---- coupons


def _is_coupon(tx: Tx, coupon_id: UUID) -> ColumnElement[bool]:
    return (coupon.c.group_id == tx.group_id) & (coupon.c.coupon_id == coupon_id)


def _coupon(row: Any) -> Coupon | None:
    return None if row is None else Coupon(**row._mapping)


async def insert_coupon(tx: Tx, new: Coupon) -> None:
    """Issue a coupon."""
    await tx.execute(insert(coupon).values(asdict(new)))


async def count_of_member(tx: Tx, *, template_id: UUID, member_id: UUID) -> int:
    """How many of a template a member was given. Exact while the template's row is locked."""
    query = select(func.count()).where(
        coupon.c.group_id == tx.group_id, coupon.c.template_id == template_id, coupon.c.member_id == member_id
    )
    return int((await tx.execute(query)).scalar_one())


async def find_coupon_by_code(tx: Tx, code: str) -> Coupon | None:
    """The coupon, or None; not locked."""
    query = select(coupon).where(coupon.c.group_id == tx.group_id, coupon.c.code == code)
    return _coupon((await tx.execute(query)).one_or_none())


async def lock_coupon_by_code(tx: Tx, code: str) -> Coupon | None:
    """The coupon with its row locked, or None."""
    query = select(coupon).where(coupon.c.group_id == tx.group_id, coupon.c.code == code).with_for_update()
    return _coupon((await tx.execute(query)).one_or_none())


async def lock_coupon(tx: Tx, coupon_id: UUID) -> Coupon | None:
    """The coupon with its row locked, or None."""
    return _coupon((await tx.execute(select(coupon).where(_is_coupon(tx, coupon_id)).with_for_update())).one_or_none())


async def update_coupon(tx: Tx, coupon_id: UUID, values: dict[str, Any]) -> Coupon:
    """Change columns of a coupon."""
    statement = update(coupon).where(_is_coupon(tx, coupon_id)).values(values).returning(coupon)
    return Coupon(**(await tx.execute(statement)).one()._mapping)


async def list_coupons(
    tx: Tx, *, member_id: UUID, merchant_id: UUID | None, after: tuple[datetime, UUID] | None, limit: int
) -> list[tuple[Coupon, Template]]:
    """A member's coupons (for the merchant alone, when one is named) with templates, by (expiry, id) behind `after`."""
    columns = coupon.c
    query = (
        select(coupon)
        .where(columns.group_id == tx.group_id, columns.member_id == member_id)
        .order_by(columns.valid_until_time, columns.coupon_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(columns.valid_until_time, columns.coupon_id) > after)
    if merchant_id is not None:
        of_merchant = select(coupon_template.c.template_id).where(
            coupon_template.c.group_id == tx.group_id, coupon_template.c.merchant_id == merchant_id
        )
        query = query.where(columns.template_id.in_(of_merchant))
    return await _with_templates(tx, [Coupon(**row._mapping) for row in await tx.execute(query)])


async def list_usable_coupons(tx: Tx, *, member_id: UUID, limit: int) -> list[tuple[Coupon, Template]]:
    """A member's free coupons that have not expired, soonest expiry first, at most `limit`."""
    columns = coupon.c
    query = (
        select(coupon)
        .where(
            columns.group_id == tx.group_id,
            columns.member_id == member_id,
            columns.state == ISSUED,
            columns.valid_until_time > tx.now,
        )
        .order_by(columns.valid_until_time, columns.coupon_id)
        .limit(limit)
    )
    return await _with_templates(tx, [Coupon(**row._mapping) for row in await tx.execute(query)])


async def _with_templates(tx: Tx, coupons: list[Coupon]) -> list[tuple[Coupon, Template]]:
    template_ids = {one.template_id for one in coupons}
    query = select(coupon_template).where(
        coupon_template.c.group_id == tx.group_id, coupon_template.c.template_id.in_(template_ids)
    )
    templates = {row.template_id: Template(**row._mapping) for row in await tx.execute(query)}
    return [(one, templates[one.template_id]) for one in coupons]


# ---- write-offs


async def insert_write_off(tx: Tx, new: WriteOff) -> None:
    """Write a coupon off; its unique index refuses a second live write-off of one coupon."""
    await tx.execute(insert(coupon_write_off).values(asdict(new)))


async def find_live_write_off(tx: Tx, coupon_id: UUID) -> WriteOff | None:
    """The coupon's write-off that was not taken back, or None."""
    columns = coupon_write_off.c
    query = select(coupon_write_off).where(
        columns.group_id == tx.group_id, columns.coupon_id == coupon_id, columns.reverse_time.is_(None)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else WriteOff(**row._mapping)


async def reverse_write_off(tx: Tx, write_off_id: UUID) -> None:
    """Mark a write-off as taken back."""
    columns = coupon_write_off.c
    await tx.execute(
        update(coupon_write_off)
        .where(columns.group_id == tx.group_id, columns.write_off_id == write_off_id)
        .values(reverse_time=tx.now)
    )
