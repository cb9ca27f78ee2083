"""Queries of org; the tables are in tables.py.

Lock order: the group's row (every change of the structure takes it, so that changes of one group follow each other),
then credentials.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Row,
    Select,
    Table,
    any_,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.db import Tx
from services.org import errors
from services.org.audit.rules import NO_HASH
from services.org.rules import Group, Merchant, Store, Terminal, Unit
from services.org.tables import (
    business_unit,
    merchant,
    metadata,
    org_group,
    store,
    terminal,
)

__all__ = ["metadata"]


async def lock_group(tx: Tx) -> None:
    """Make this the only change of the group's structure until it commits. Raises GroupUnknown."""
    group = select(org_group.c.group_id).where(org_group.c.group_id == tx.group_id)
    # NO KEY, as in the audit's store.
    found = await tx.execute(group.with_for_update(key_share=True))
    if found.first() is None:
        raise errors.GroupUnknown


async def add_group(tx: Tx, group: Group) -> bool:
    """Whether the group is new; False when its code is taken."""
    row = {**asdict(group), "audit_no": 0, "audit_hash": NO_HASH}
    added = await tx.execute(insert(org_group).values(row).on_conflict_do_nothing())
    return bool(added.rowcount)


def _units(group_id: UUID) -> Select[Any]:
    columns = [column for column in business_unit.c if column.name != "group_id"]
    return select(*columns).where(business_unit.c.group_id == group_id)


def _merchants(group_id: UUID) -> Select[Any]:
    columns = [column for column in merchant.c if column.name != "group_id"]
    return select(*columns).where(merchant.c.group_id == group_id)


def _stores(group_id: UUID) -> Select[Any]:
    columns = [column for column in store.c if column.name != "group_id"]
    return (
        select(*columns, business_unit.c.unit_id, business_unit.c.time_zone, business_unit.c.currency_code)
        .join(merchant, merchant.c.merchant_id == store.c.merchant_id)
        .join(business_unit, business_unit.c.unit_id == merchant.c.unit_id)
        .where(store.c.group_id == group_id)
    )


def _terminals(group_id: UUID) -> Select[Any]:
    columns = [column for column in terminal.c if column.name != "group_id"]
    return select(*columns).where(terminal.c.group_id == group_id)


def among(column: Column[Any], values: Iterable[Any]) -> Any:
    """Whether a column has one of these, in one array."""
    """`column = ANY(array)`: one parameter however many values there are."""
    return column == any_(literal(list(values), ARRAY(column.type)))


async def fetch(tx: Tx, statement: Select[Any]) -> Sequence[Row[Any]]:
    """All rows of a query."""
    return (await tx.execute(statement)).all()


async def find_units(tx: Tx, codes: Iterable[str]) -> dict[str, Unit]:
    """The group's units with these codes, by code."""
    rows = await fetch(tx, _units(tx.group_id).where(among(business_unit.c.code, codes)))
    return {row.code: Unit(**row._mapping) for row in rows}


async def find_units_by_id(tx: Tx, unit_ids: Iterable[UUID]) -> dict[UUID, Unit]:
    """The group's units with these ids, by id."""
    rows = await fetch(tx, _units(tx.group_id).where(among(business_unit.c.unit_id, unit_ids)))
    return {row.unit_id: Unit(**row._mapping) for row in rows}


async def find_merchants(tx: Tx, codes: Iterable[str]) -> dict[str, Merchant]:
    """The group's merchants with these codes, by code."""
    rows = await fetch(tx, _merchants(tx.group_id).where(among(merchant.c.code, codes)))
    return {row.code: Merchant(**row._mapping) for row in rows}


async def find_merchant(tx: Tx, merchant_id: UUID) -> Merchant | None:
    """One merchant of the group."""
    rows = await fetch(tx, _merchants(tx.group_id).where(merchant.c.merchant_id == merchant_id))
    return Merchant(**rows[0]._mapping) if rows else None


async def find_open_merchants(tx: Tx, unit_id: UUID) -> list[Merchant]:
    """The unit's merchants that are open."""
    rows = await fetch(tx, _merchants(tx.group_id).where(merchant.c.unit_id == unit_id, merchant.c.is_open))
    return [Merchant(**row._mapping) for row in rows]


async def find_stores(tx: Tx, codes: Iterable[str]) -> dict[str, Store]:
    """The group's stores with these codes, by code."""
    rows = await fetch(tx, _stores(tx.group_id).where(among(store.c.code, codes)))
    return {row.code: Store(**row._mapping) for row in rows}


async def find_store(tx: Tx, store_id: UUID) -> Store | None:
    """One store of the group."""
    rows = await fetch(tx, _stores(tx.group_id).where(store.c.store_id == store_id))
    return Store(**rows[0]._mapping) if rows else None


async def find_open_stores(tx: Tx, merchant_ids: Iterable[UUID]) -> list[Store]:
    """The merchants' stores that are open."""
    rows = await fetch(tx, _stores(tx.group_id).where(among(store.c.merchant_id, merchant_ids), store.c.is_open))
    return [Store(**row._mapping) for row in rows]


async def find_terminals(tx: Tx, codes: Iterable[str]) -> dict[str, Terminal]:
    """The group's terminals with these codes, by code."""
    rows = await fetch(tx, _terminals(tx.group_id).where(among(terminal.c.code, codes)))
    return {row.code: Terminal(**row._mapping) for row in rows}


async def find_terminal(tx: Tx, terminal_id: UUID) -> Terminal | None:
    """One terminal of the group."""
    rows = await fetch(tx, _terminals(tx.group_id).where(terminal.c.terminal_id == terminal_id))
    return Terminal(**rows[0]._mapping) if rows else None


async def list_units(tx: Tx, *, after_code: str, limit: int) -> list[Unit]:
    """Units by code, from the one after `after_code`."""
    statement = _units(tx.group_id).where(business_unit.c.code > after_code)
    rows = await fetch(tx, statement.order_by(business_unit.c.code).limit(limit))
    return [Unit(**row._mapping) for row in rows]


async def list_merchants(tx: Tx, *, unit_id: UUID | None, after_code: str, limit: int) -> list[Merchant]:
    """Merchants by code, of one unit or of all."""
    statement = _merchants(tx.group_id).where(merchant.c.code > after_code)
    if unit_id:
        statement = statement.where(merchant.c.unit_id == unit_id)
    return [Merchant(**row._mapping) for row in await fetch(tx, statement.order_by(merchant.c.code).limit(limit))]


async def list_stores(tx: Tx, *, merchant_id: UUID | None, after_code: str, limit: int) -> list[Store]:
    """Stores by code, of one merchant or of all."""
    statement = _stores(tx.group_id).where(store.c.code > after_code)
    if merchant_id:
        statement = statement.where(store.c.merchant_id == merchant_id)
    return [Store(**row._mapping) for row in await fetch(tx, statement.order_by(store.c.code).limit(limit))]


async def list_terminals(tx: Tx, *, store_id: UUID | None, after_code: str, limit: int) -> list[Terminal]:
    """Terminals by code, of one store or of all."""
    statement = _terminals(tx.group_id).where(terminal.c.code > after_code)
    if store_id:
        statement = statement.where(terminal.c.store_id == store_id)
    return [Terminal(**row._mapping) for row in await fetch(tx, statement.order_by(terminal.c.code).limit(limit))]


async def save_units(tx: Tx, units: Sequence[Unit]) -> None:
    """Add or change units."""
    await _save(tx, business_unit, [asdict(unit) for unit in units], fixed=("unit_id", "code"))


async def save_merchants(tx: Tx, merchants: Sequence[Merchant]) -> None:
    """Add or change merchants."""
    await _save(tx, merchant, [asdict(one) for one in merchants], fixed=("merchant_id", "code"))


async def save_stores(tx: Tx, stores: Sequence[Store]) -> None:
    """Add or change stores; what they have from their unit is not stored again."""
    rows = [{name: value for name, value in asdict(one).items() if name in store.c} for one in stores]
    await _save(tx, store, rows, fixed=("store_id", "code"))


async def save_terminals(tx: Tx, terminals: Sequence[Terminal]) -> None:
    """Add or change terminals."""
    await _save(tx, terminal, [asdict(one) for one in terminals], fixed=("terminal_id", "code"))


async def _save(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]], *, fixed: Collection[str]) -> None:
    if not rows:
        return
    statement = insert(table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in fixed}
    await tx.execute(
        statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed),
        [{"group_id": tx.group_id, **row} for row in rows],
    )
