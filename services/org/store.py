"""Queries of org; the tables are in tables.py.

Lock order: the group's row (every change of the structure takes it, so that changes of one group follow each other),
then credentials.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Row,
    Select,
    Table,
    and_,
    any_,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.db import Tx
from services.org import errors
from services.org.audit.rules import NO_HASH
from services.org.rules import Group, Merchant, Origin, Store, Terminal, Unit
from services.org.tables import (
    business_unit,
    credential,
    credential_secret,
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


def _among(column: Column[Any], values: Iterable[Any]) -> Any:
    """`column = ANY(array)`: one parameter however many values there are."""
    return column == any_(literal(list(values), ARRAY(column.type)))


async def _fetch(tx: Tx, statement: Select[Any]) -> Sequence[Row[Any]]:
    return (await tx.execute(statement)).all()


async def find_units(tx: Tx, codes: Iterable[str]) -> dict[str, Unit]:
    """The group's units with these codes, by code."""
    rows = await _fetch(tx, _units(tx.group_id).where(_among(business_unit.c.code, codes)))
    return {row.code: Unit(**row._mapping) for row in rows}


async def find_units_by_id(tx: Tx, unit_ids: Iterable[UUID]) -> dict[UUID, Unit]:
    """The group's units with these ids, by id."""
    rows = await _fetch(tx, _units(tx.group_id).where(_among(business_unit.c.unit_id, unit_ids)))
    return {row.unit_id: Unit(**row._mapping) for row in rows}


async def find_merchants(tx: Tx, codes: Iterable[str]) -> dict[str, Merchant]:
    """The group's merchants with these codes, by code."""
    rows = await _fetch(tx, _merchants(tx.group_id).where(_among(merchant.c.code, codes)))
    return {row.code: Merchant(**row._mapping) for row in rows}


async def find_merchant(tx: Tx, merchant_id: UUID) -> Merchant | None:
    """One merchant of the group."""
    rows = await _fetch(tx, _merchants(tx.group_id).where(merchant.c.merchant_id == merchant_id))
    return Merchant(**rows[0]._mapping) if rows else None


async def find_open_merchants(tx: Tx, unit_id: UUID) -> list[Merchant]:
    """The unit's merchants that are open."""
    rows = await _fetch(tx, _merchants(tx.group_id).where(merchant.c.unit_id == unit_id, merchant.c.is_open))
    return [Merchant(**row._mapping) for row in rows]


async def find_stores(tx: Tx, codes: Iterable[str]) -> dict[str, Store]:
    """The group's stores with these codes, by code."""
    rows = await _fetch(tx, _stores(tx.group_id).where(_among(store.c.code, codes)))
    return {row.code: Store(**row._mapping) for row in rows}


async def find_store(tx: Tx, store_id: UUID) -> Store | None:
    """One store of the group."""
    rows = await _fetch(tx, _stores(tx.group_id).where(store.c.store_id == store_id))
    return Store(**rows[0]._mapping) if rows else None


async def find_open_stores(tx: Tx, merchant_ids: Iterable[UUID]) -> list[Store]:
    """The merchants' stores that are open."""
    rows = await _fetch(tx, _stores(tx.group_id).where(_among(store.c.merchant_id, merchant_ids), store.c.is_open))
    return [Store(**row._mapping) for row in rows]


async def find_terminals(tx: Tx, codes: Iterable[str]) -> dict[str, Terminal]:
    """The group's terminals with these codes, by code."""
    rows = await _fetch(tx, _terminals(tx.group_id).where(_among(terminal.c.code, codes)))
    return {row.code: Terminal(**row._mapping) for row in rows}


async def find_terminal(tx: Tx, terminal_id: UUID) -> Terminal | None:
    """One terminal of the group."""
    rows = await _fetch(tx, _terminals(tx.group_id).where(terminal.c.terminal_id == terminal_id))
    return Terminal(**rows[0]._mapping) if rows else None


async def list_units(tx: Tx, *, after_code: str, limit: int) -> list[Unit]:
    """Units by code, from the one after `after_code`."""
    statement = _units(tx.group_id).where(business_unit.c.code > after_code)
    rows = await _fetch(tx, statement.order_by(business_unit.c.code).limit(limit))
    return [Unit(**row._mapping) for row in rows]


async def list_merchants(tx: Tx, *, unit_id: UUID | None, after_code: str, limit: int) -> list[Merchant]:
    """Merchants by code, of one unit or of all."""
    statement = _merchants(tx.group_id).where(merchant.c.code > after_code)
    if unit_id:
        statement = statement.where(merchant.c.unit_id == unit_id)
    return [Merchant(**row._mapping) for row in await _fetch(tx, statement.order_by(merchant.c.code).limit(limit))]


async def list_stores(tx: Tx, *, merchant_id: UUID | None, after_code: str, limit: int) -> list[Store]:
    """Stores by code, of one merchant or of all."""
    statement = _stores(tx.group_id).where(store.c.code > after_code)
    if merchant_id:
        statement = statement.where(store.c.merchant_id == merchant_id)
    return [Store(**row._mapping) for row in await _fetch(tx, statement.order_by(store.c.code).limit(limit))]


async def list_terminals(tx: Tx, *, store_id: UUID | None, after_code: str, limit: int) -> list[Terminal]:
    """Terminals by code, of one store or of all."""
    statement = _terminals(tx.group_id).where(terminal.c.code > after_code)
    if store_id:
        statement = statement.where(terminal.c.store_id == store_id)
    return [Terminal(**row._mapping) for row in await _fetch(tx, statement.order_by(terminal.c.code).limit(limit))]


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


@dataclass(frozen=True, slots=True)
class Credential:
    """A machine's key, without its secrets."""

    key_id: UUID
    group_id: UUID
    kind: str
    subject_id: UUID
    name: str
    create_time: datetime
    revoke_time: datetime | None
    # Of a partner: patterns, separated by blanks.
    permissions: str = ""
    certificates: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Binding:
    """Where the terminal behind a credential stands."""

    store_id: UUID
    merchant_id: UUID
    unit_id: UUID
    # Whether the terminal is in use.
    is_open: bool


async def add_credentials(tx: Tx, credentials: Sequence[Credential]) -> None:
    """Add credentials in one statement."""
    await tx.execute(insert(credential), [asdict(one) for one in credentials])


async def add_secrets(
    tx: Tx, sealed: Mapping[UUID, bytes], *, group_id: UUID, origin: Origin, rotation_no: int
) -> None:
    """Add the encrypted secret of each key."""
    await tx.execute(
        insert(credential_secret),
        [
            {
                "key_id": key_id,
                "group_id": group_id,
                **asdict(origin),
                "rotation_no": rotation_no,
                "sealed_secret": secret,
                "end_time": None,
            }
            for key_id, secret in sealed.items()
        ],
    )


async def lock_credential(tx: Tx, key_id: UUID) -> Credential | None:
    """The group's credential, locked."""
    statement = select(credential).where(credential.c.key_id == key_id, credential.c.group_id == tx.group_id)
    row = (await tx.execute(statement.with_for_update())).first()
    return Credential(**row._mapping) if row else None


async def find_credential(tx: Tx, key_id: UUID) -> Credential | None:
    """A credential of any group: whoever signs a request is not known before."""
    row = (await tx.execute(select(credential).where(credential.c.key_id == key_id))).first()
    return Credential(**row._mapping) if row else None


async def list_credentials(tx: Tx, *, before: tuple[datetime, UUID] | None, limit: int) -> list[Credential]:
    """The group's credentials, newest first, from the one after `before`."""
    statement = select(credential).where(credential.c.group_id == tx.group_id)
    if before:
        columns = tuple_(credential.c.create_time, credential.c.key_id)
        statement = statement.where(columns < tuple_(literal(before[0]), literal(before[1])))
    statement = statement.order_by(credential.c.create_time.desc(), credential.c.key_id.desc()).limit(limit)
    return [Credential(**row._mapping) for row in await _fetch(tx, statement)]


async def save_certificates(tx: Tx, key_id: UUID, certificates: list[str]) -> None:
    """Write which client certificates the credential needs one of."""
    await tx.execute(update(credential).where(credential.c.key_id == key_id).values(certificates=certificates))


async def revoke_credential(tx: Tx, key_id: UUID) -> None:
    """Mark the credential as revoked, now."""
    await tx.execute(update(credential).where(credential.c.key_id == key_id).values(revoke_time=tx.now))


async def end_secrets(tx: Tx, key_id: UUID, *, newest_ends_in_seconds: int) -> int:
    """Let the newest secret work for so long still and end older ones now; answers the number of the newest."""
    real_now = func.clock_timestamp()
    newest = (
        await tx.execute(select(func.max(credential_secret.c.rotation_no)).where(credential_secret.c.key_id == key_id))
    ).scalar_one()
    works = or_(credential_secret.c.end_time.is_(None), credential_secret.c.end_time > real_now)
    of_key = credential_secret.c.key_id == key_id
    await tx.execute(
        update(credential_secret)
        .where(and_(of_key, works, credential_secret.c.rotation_no < newest))
        .values(end_time=real_now)
    )
    await tx.execute(
        update(credential_secret)
        .where(and_(of_key, credential_secret.c.rotation_no == newest))
        .values(end_time=real_now + func.make_interval(0, 0, 0, 0, 0, 0, newest_ends_in_seconds))
    )
    return int(newest)


async def find_working_secrets(tx: Tx, key_id: UUID) -> list[bytes]:
    """The encrypted secrets that work now by the real clock, newest first."""
    rows = await _fetch(
        tx,
        select(credential_secret.c.sealed_secret)
        .where(
            credential_secret.c.key_id == key_id,
            or_(credential_secret.c.end_time.is_(None), credential_secret.c.end_time > func.clock_timestamp()),
        )
        .order_by(credential_secret.c.rotation_no.desc()),
    )
    return [row.sealed_secret for row in rows]


async def find_secrets_of_request(tx: Tx, key_ids: Iterable[UUID], origin: Origin) -> dict[UUID, bytes]:
    """The encrypted secrets that one request made, by key."""
    rows = await _fetch(
        tx,
        select(credential_secret.c.key_id, credential_secret.c.sealed_secret).where(
            _among(credential_secret.c.key_id, key_ids),
            credential_secret.c.rpc == origin.rpc,
            credential_secret.c.request_id == origin.request_id,
        ),
    )
    return {row.key_id: row.sealed_secret for row in rows}


async def find_binding(tx: Tx, terminal_id: UUID) -> Binding | None:
    """Store, merchant and unit of a terminal."""
    row = (
        await tx.execute(
            select(terminal.c.store_id, store.c.merchant_id, merchant.c.unit_id, terminal.c.is_open)
            .join(store, store.c.store_id == terminal.c.store_id)
            .join(merchant, merchant.c.merchant_id == store.c.merchant_id)
            .where(terminal.c.terminal_id == terminal_id)
        )
    ).first()
    return Binding(**row._mapping) if row else None
