"""Use cases of org. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar
from uuid import UUID

from chassis.crypto import Vault
from chassis.db import Tx
from chassis.times import is_time_zone
from huitong.org.v1 import events_pb2
from services.org import convert, errors, rules, store
from services.org.credentials import operations as credentials
from services.org.credentials.store import Credential
from services.org.rules import Entity, Fault, Merchant, Origin, Row, Store, Terminal, Unit

E = TypeVar("E", bound=Entity)


def emit_unit(tx: Tx, unit: Unit) -> None:
    """Tell that the unit is new or changed."""
    message = convert.unit_message(unit)
    tx.emit(events_pb2.BusinessUnitSaved(business_unit=message), key=message.business_unit_id)


def emit_merchant(tx: Tx, merchant: Merchant) -> None:
    """Tell that the merchant is new or changed."""
    message = convert.merchant_message(merchant)
    tx.emit(events_pb2.MerchantSaved(merchant=message), key=message.merchant_id)


def emit_store(tx: Tx, one: Store) -> None:
    """Tell that the store is new or changed."""
    message = convert.store_message(one)
    tx.emit(events_pb2.StoreSaved(store=message), key=message.store_id)


async def create_group(tx: Tx, vault: Vault, *, code: str, name: str, origin: Origin) -> tuple[rules.Group, Credential]:
    """Create a group and its first system credential. Raises CodeTaken."""
    group = rules.Group(rules.group_id_of(code), code, name)
    if not await store.add_group(tx, group):
        raise errors.CodeTaken(kind="group", value=code)
    message = convert.group_message(group)
    tx.emit(events_pb2.GroupCreated(group=message), key=message.group_id, group_id=group.group_id)
    credential = credentials.new_credential(
        tx, group.group_id, origin, "", kind="SYSTEM", subject_id=group.group_id, name="first system"
    )
    await credentials.add_credentials(tx, vault, [credential], origin)
    return group, credential


async def create_unit(tx: Tx, *, code: str, name: str, kind: str, time_zone: str, currency_code: str) -> Unit:
    """Create a unit; one that is there already just so is answered as it is. Raises CodeTaken, TimeZoneUnknown."""
    if not is_time_zone(time_zone):
        raise errors.TimeZoneUnknown(value=time_zone)
    await store.lock_group(tx)
    unit = Unit(rules.entity_id(tx.group_id, "unit", code), code, name, kind, time_zone, currency_code)
    if _is_new("unit", unit, await store.find_units(tx, [code])):
        await store.save_units(tx, [unit])
        emit_unit(tx, unit)
    return unit


async def update_unit(
    tx: Tx,
    *,
    unit_id: UUID,
    name: str | None,
    is_open: bool | None,
    kind: str = "",
    time_zone: str = "",
    currency_code: str = "",
) -> tuple[Unit, Unit, int, int]:
    """The unit before and after what is given was changed, and how many merchants and stores were closed with it.

    None leaves as it is. Raises BusinessUnitUnknown, and UnitKindFixed, TimeZoneFixed or CurrencyFixed when what is
    given of those is another.
    """
    await store.lock_group(tx)
    old = await _get_unit(tx, unit_id)
    refused = rules.fixed_change(old, kind=kind, time_zone=time_zone, currency_code=currency_code)
    if refused:
        raise refused[1]
    given = {"name": name, "is_open": is_open}
    new = replace(old, **{field: value for field, value in given.items() if value is not None})  # type: ignore[arg-type]
    if new != old:
        await store.save_units(tx, [new])
        emit_unit(tx, new)
    if new.is_open:
        return old, new, 0, 0
    closing = [replace(one, is_open=False) for one in await store.find_open_merchants(tx, unit_id)]
    await store.save_merchants(tx, closing)
    for one in closing:
        emit_merchant(tx, one)
    return old, new, len(closing), await _close_stores(tx, [one.merchant_id for one in closing])


async def _get_unit(tx: Tx, unit_id: UUID) -> Unit:
    unit = (await store.find_units_by_id(tx, [unit_id])).get(unit_id)
    if unit is None:
        raise errors.BusinessUnitUnknown(business_unit_id=convert.unit_edge(unit_id))
    return unit


async def create_merchant(
    tx: Tx, *, code: str, name: str, unit_id: UUID, category: str, legal_name: str = ""
) -> Merchant:
    """Create a merchant. Raises CodeTaken, BusinessUnitUnknown, BusinessUnitClosed."""
    await store.lock_group(tx)
    if not (await _get_unit(tx, unit_id)).is_open:
        raise errors.BusinessUnitClosed(business_unit_id=convert.unit_edge(unit_id))
    merchant_id = rules.entity_id(tx.group_id, "merchant", code)
    merchant = Merchant(merchant_id, unit_id, code, name, category, legal_name=legal_name)
    if _is_new("merchant", merchant, await store.find_merchants(tx, [code])):
        await store.save_merchants(tx, [merchant])
        emit_merchant(tx, merchant)
    return merchant


async def update_merchant(
    tx: Tx,
    *,
    merchant_id: UUID,
    name: str | None,
    category: str | None,
    is_open: bool | None,
    legal_name: str | None = None,
) -> tuple[Merchant, Merchant, int]:
    """The merchant before and after what is given was changed, and how many stores were closed with it.

    None leaves as it is. Raises MerchantUnknown, BusinessUnitClosed.
    """
    await store.lock_group(tx)
    old = await store.find_merchant(tx, merchant_id)
    if old is None:
        raise errors.MerchantUnknown(merchant_id=convert.merchant_edge(merchant_id))
    given = {"name": name, "category": category, "is_open": is_open, "legal_name": legal_name}
    new = replace(old, **{field: value for field, value in given.items() if value is not None})  # type: ignore[arg-type]
    if new.is_open and not old.is_open and not (await _get_unit(tx, old.unit_id)).is_open:
        raise errors.BusinessUnitClosed(business_unit_id=convert.unit_edge(old.unit_id))
    if new != old:
        await store.save_merchants(tx, [new])
        emit_merchant(tx, new)
    return old, new, 0 if new.is_open else await _close_stores(tx, [merchant_id])


async def _close_stores(tx: Tx, merchant_ids: Sequence[UUID]) -> int:
    """Close what is open of these merchants; answers how many stores that were."""
    closing = [replace(one, is_open=False) for one in await store.find_open_stores(tx, merchant_ids)]
    await store.save_stores(tx, closing)
    for one in closing:
        emit_store(tx, one)
    return len(closing)


async def create_store(
    tx: Tx, *, code: str, name: str, merchant_id: UUID, category: str, floor: str, opening_date: date | None = None
) -> Store:
    """Create an open store. Raises CodeTaken, MerchantUnknown, MerchantClosed."""
    await store.lock_group(tx)
    merchant = await store.find_merchant(tx, merchant_id)
    if merchant is None:
        raise errors.MerchantUnknown(merchant_id=convert.merchant_edge(merchant_id))
    if not merchant.is_open:
        raise errors.MerchantClosed(merchant_id=convert.merchant_edge(merchant_id))
    units = await store.find_units_by_id(tx, [merchant.unit_id])
    store_id = rules.entity_id(tx.group_id, "store", code)
    one = rules.new_store(
        store_id, merchant, units[merchant.unit_id], code=code, name=name, category=category, floor=floor
    )
    one = replace(one, opening_date=opening_date)
    if _is_new("store", one, await store.find_stores(tx, [code])):
        await store.save_stores(tx, [one])
        emit_store(tx, one)
    return one


async def update_store(
    tx: Tx,
    *,
    store_id: UUID,
    name: str | None,
    category: str | None,
    floor: str | None,
    is_open: bool | None,
    opening_date: date | None = None,
) -> tuple[Store, Store]:
    """The store before and after what is given was changed; None leaves as it is.

    Raises StoreUnknown, MerchantClosed.
    """
    await store.lock_group(tx)
    old = await store.find_store(tx, store_id)
    if old is None:
        raise errors.StoreUnknown(store_id=convert.store_edge(store_id))
    given = {"name": name, "category": category, "floor": floor, "is_open": is_open, "opening_date": opening_date}
    changes = {field: value for field, value in given.items() if value is not None}
    new = replace(old, **changes)  # type: ignore[arg-type]
    if new.is_open and not old.is_open:
        merchant = await store.find_merchant(tx, old.merchant_id)
        if merchant is None or not merchant.is_open:
            raise errors.MerchantClosed(merchant_id=convert.merchant_edge(old.merchant_id))
    if new != old:
        await store.save_stores(tx, [new])
        emit_store(tx, new)
    return old, new


async def create_terminal(tx: Tx, *, code: str, store_id: UUID, name: str = "") -> Terminal:
    """Create a terminal. Raises CodeTaken, StoreUnknown."""
    await store.lock_group(tx)
    if await store.find_store(tx, store_id) is None:
        raise errors.StoreUnknown(store_id=convert.store_edge(store_id))
    terminal = Terminal(rules.entity_id(tx.group_id, "terminal", code), store_id, code, name)
    if _is_new("terminal", terminal, await store.find_terminals(tx, [code])):
        await store.save_terminals(tx, [terminal])
    return terminal


async def update_terminal(
    tx: Tx, *, terminal_id: UUID, store_id: UUID, name: str | None, is_open: bool | None
) -> tuple[Terminal, Terminal]:
    """The terminal of this store before and after what is given was changed; None leaves as it is.

    Raises TerminalUnknown.
    """
    await store.lock_group(tx)
    old = await store.find_terminal(tx, terminal_id)
    if old is None or old.store_id != store_id:
        raise errors.TerminalUnknown(terminal=convert.terminal_edge(terminal_id))
    given = {"name": name, "is_open": is_open}
    new = replace(old, **{field: value for field, value in given.items() if value is not None})  # type: ignore[arg-type]
    if new != old:
        await store.save_terminals(tx, [new])
    return old, new


def _is_new(kind: str, wanted: E, existing: Mapping[str, E]) -> bool:
    old = existing.get(wanted.code)
    if old is not None and old != wanted:
        raise errors.CodeTaken(kind=kind, value=wanted.code)
    return old is None


class Import:
    """One import of structure: level by level, each with a query for what is there and a statement for what changes."""

    def __init__(self, tx: Tx, *, validate_only: bool) -> None:
        self._tx, self._validate_only = tx, validate_only
        self.faults: list[Fault] = []
        self.created_count = self.updated_count = self.unchanged_count = 0

    async def run(self, text: str) -> None:
        """Keep the good rows (none when only validating) and collect the faults, in the file's order.

        A parent may stand anywhere in the file. Raises CsvUnreadable, GroupUnknown.
        """
        rows, self.faults = rules.read_rows(text)
        await store.lock_group(self._tx)
        tx, group_id = self._tx, self._tx.group_id
        of_kind = {kind: [row for row in rows if row.kind == kind] for kind in rules.KINDS}

        old_units = await store.find_units(tx, {row.code for row in of_kind["unit"]} | _parents(of_kind["merchant"]))
        new_units = self._decide(
            of_kind["unit"], old_units, lambda row: rules.unit_of(group_id, row, old_units.get(row.code))
        )
        units = old_units | new_units

        codes = {row.code for row in of_kind["merchant"]} | _parents(of_kind["store"])
        old_merchants = await store.find_merchants(tx, codes)
        new_merchants = self._decide(
            of_kind["merchant"],
            old_merchants,
            lambda row: rules.merchant_of(group_id, row, units.get(row.parent_code), old_merchants.get(row.code)),
        )
        merchants = old_merchants | new_merchants

        units_by_id = {unit.unit_id: unit for unit in units.values()}
        missing = {merchant.unit_id for merchant in merchants.values()} - units_by_id.keys()
        units_by_id |= await store.find_units_by_id(tx, missing)

        codes = {row.code for row in of_kind["store"]} | _parents(of_kind["terminal"])
        old_stores = await store.find_stores(tx, codes)

        def store_after(row: Row) -> Store | Fault:
            merchant = merchants.get(row.parent_code)
            unit = units_by_id[merchant.unit_id] if merchant else None
            return rules.store_of(group_id, row, merchant, unit, old_stores.get(row.code))

        new_stores = self._decide(of_kind["store"], old_stores, store_after)
        stores = old_stores | new_stores

        old_terminals = await store.find_terminals(tx, {row.code for row in of_kind["terminal"]})
        new_terminals = self._decide(
            of_kind["terminal"],
            old_terminals,
            lambda row: rules.terminal_of(group_id, row, stores.get(row.parent_code), old_terminals.get(row.code)),
        )
        self.faults.sort(key=lambda fault: fault.line)
        if not self._validate_only:
            await self._write(
                list(new_units.values()),
                list(new_merchants.values()),
                list(new_stores.values()),
                list(new_terminals.values()),
            )

    def _decide(self, rows: Sequence[Row], old: Mapping[str, E], after: Callable[[Row], E | Fault]) -> dict[str, E]:
        """What is new or changed, by code; counts and faults are kept."""
        changed: dict[str, E] = {}
        for row in rows:
            result = after(row)
            if isinstance(result, Fault):
                self.faults.append(result)
                continue
            before = old.get(row.code)
            if before is None:
                self.created_count += 1
            elif before != result:
                self.updated_count += 1
            else:
                self.unchanged_count += 1
                continue
            changed[row.code] = result
        return changed

    async def _write(
        self,
        units: Sequence[Unit],
        merchants: Sequence[Merchant],
        stores: Sequence[Store],
        terminals: Sequence[Terminal],
    ) -> None:
        tx = self._tx
        await store.save_units(tx, units)
        await store.save_merchants(tx, merchants)
        await store.save_stores(tx, stores)
        await store.save_terminals(tx, terminals)
        for unit in units:
            emit_unit(tx, unit)
        for merchant in merchants:
            emit_merchant(tx, merchant)
        for one in stores:
            emit_store(tx, one)


def _parents(rows: Sequence[Row]) -> set[str]:
    return {row.parent_code for row in rows}
