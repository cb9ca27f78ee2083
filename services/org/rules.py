"""Pure: what the structure is made of, and what a row of an import means."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from google.protobuf.message import Message

from chassis import ids
from chassis.errors import AppError
from chassis.times import is_time_zone
from services.org import errors

UNIT_KINDS = ("MALL", "OFFICE", "HOTEL", "COMMUNITY", "PARKING", "OTHER")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
CURRENCY = re.compile(r"[A-Z]{3}")
COLUMNS = (
    "kind", "code", "name", "parent_code", "unit_kind", "time_zone", "currency_code", "category", "floor",
    "legal_name",
)  # fmt: skip
# The kinds of row, parents first: each level is written before the one below it.
KINDS = ("unit", "merchant", "store", "terminal")
MAX_ROWS = 5_000
_MAX_SHOWN = 64


@dataclass(frozen=True, slots=True)
class Group:
    """A tenant."""

    group_id: UUID
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A business unit; `kind` is one of UNIT_KINDS."""

    unit_id: UUID
    code: str
    name: str
    kind: str
    time_zone: str
    currency_code: str
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Merchant:
    """A legal entity in one unit; `name` is what its customers call it, `legal_name` may be empty."""

    merchant_id: UUID
    unit_id: UUID
    code: str
    name: str
    category: str
    is_open: bool = True
    legal_name: str = ""


@dataclass(frozen=True, slots=True)
class Store:
    """A store with what it has from the unit above its merchant."""

    store_id: UUID
    merchant_id: UUID
    code: str
    name: str
    category: str
    floor: str
    is_open: bool
    unit_id: UUID
    time_zone: str
    currency_code: str
    opening_date: date | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """A till or other machine of a store."""

    terminal_id: UUID
    store_id: UUID
    code: str
    name: str = ""
    is_open: bool = True


Entity = Unit | Merchant | Store | Terminal


@dataclass(frozen=True, slots=True)
class Origin:
    """The request that makes something: its RPC and its id, as the request log knows it.

    Requests of two RPCs may have the same id, so neither says it alone, and they are never joined to one text.
    """

    rpc: str
    request_id: str


def origin_of(request: Message) -> Origin:
    """Where what this request makes comes from."""
    return Origin(request.DESCRIPTOR.name.removesuffix("Request"), request.request_id)  # type: ignore[attr-defined]


def group_id_of(code: str) -> UUID:
    """The id of the group with this code. Other services derive it alike, with `ids.derive("group", code)`."""
    return ids.derive("group", code)


def entity_id(group_id: UUID, kind: str, code: str) -> UUID:
    """The id of a unit, merchant, store or terminal: codes are unique in a group and never change."""
    return ids.derive(group_id, kind, code)


def is_plain(text: str) -> bool:
    """Whether `text` has no control characters, unpaired surrogates or line breaks, which no name needs."""
    return not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text)


@dataclass(frozen=True, slots=True)
class Row:
    """A row whose cells are good by themselves. What its kind does not have is ignored."""

    line: int
    kind: str
    code: str
    name: str = ""
    parent_code: str = ""
    unit_kind: str = ""
    time_zone: str = ""
    currency_code: str = ""
    category: str = ""
    floor: str = ""
    legal_name: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the row that begins in `line` was left out."""

    line: int
    column: str
    problem: AppError


def read_rows(text: str) -> tuple[list[Row], list[Fault]]:
    """The good rows of a CSV file and every fault of the others; a byte order mark and blank lines are tolerated.

    Raises CsvUnreadable when it has no header that we know, or too many rows.
    """
    lines = _lines(text.removeprefix("\ufeff"))
    header = _read_header(next(lines, (1, None))[1])
    rows: list[Row] = []
    faults: list[Fault] = []
    first_lines: dict[tuple[str, str], int] = {}
    row_count = 0
    for line, cells in lines:
        row_count += 1
        if row_count > MAX_ROWS:
            raise errors.CsvUnreadable(problem=f"it has more than {MAX_ROWS} rows")
        if cells is None:
            faults.append(Fault(line, "", errors.RowUnreadable()))
            continue
        if len(cells) != len(header):
            faults.append(Fault(line, "", errors.CellCountWrong(actual=len(cells), expected=len(header))))
            continue
        row = _to_row(line, dict(zip(header, cells, strict=True)))
        found = list(_faults_of(row))
        first = first_lines.setdefault((row.kind, row.code), line)
        if not found and first != line:
            found = [Fault(line, "code", errors.CodeRepeated(value=row.code, first_line=first))]
        faults.extend(found)
        if not found:
            rows.append(row)
    return rows, faults


def _lines(text: str) -> Iterator[tuple[int, list[str] | None]]:
    """Each record with the line it begins in; None for one that cannot be read. Blank lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, None
            continue
        if any(cell.strip() for cell in cells):
            yield line, cells


def _read_header(cells: list[str] | None) -> list[str]:
    if cells is None:
        raise errors.CsvUnreadable(problem="it has no header line")
    header = [cell.strip().lower() for cell in cells]
    for name in header:
        if name not in COLUMNS:
            raise errors.CsvUnreadable(problem=f"unknown column {_shown(name)!r}")
    if len(set(header)) != len(header):
        raise errors.CsvUnreadable(problem="a column comes twice")
    for name in ("kind", "code"):
        if name not in header:
            raise errors.CsvUnreadable(problem=f"the column {name!r} is missing")
    return header


def _to_row(line: int, cells: dict[str, str]) -> Row:
    # A line break inside a quoted name is how some spreadsheets wrap; it counts as a blank.
    values = {name: " ".join(cell.split()) for name, cell in cells.items()}
    values["kind"] = values["kind"].lower()
    if "unit_kind" in values:
        values["unit_kind"] = values["unit_kind"].upper()
    if "currency_code" in values:
        values["currency_code"] = values["currency_code"].upper()
    return Row(line=line, **values)


def _faults_of(row: Row) -> Iterator[Fault]:
    if row.kind not in KINDS:
        yield Fault(row.line, "kind", errors.KindUnknown(value=_shown(row.kind)))
        return
    if not CODE.fullmatch(row.code):
        yield Fault(row.line, "code", errors.CodeInvalid(value=_shown(row.code)))
    # A terminal may do without.
    if not ((row.name or row.kind == "terminal") and len(row.name) <= 100 and is_plain(row.name)):
        yield Fault(row.line, "name", errors.NameInvalid())
    if row.kind == "unit":
        if row.parent_code:
            yield Fault(row.line, "parent_code", errors.ParentNotEmpty())
        if row.unit_kind not in UNIT_KINDS:
            yield Fault(row.line, "unit_kind", errors.UnitKindUnknown(value=_shown(row.unit_kind)))
        if not is_time_zone(row.time_zone):
            yield Fault(row.line, "time_zone", errors.TimeZoneUnknown(value=_shown(row.time_zone)))
        if not CURRENCY.fullmatch(row.currency_code):
            yield Fault(row.line, "currency_code", errors.CurrencyInvalid(value=_shown(row.currency_code)))
    if row.kind in ("merchant", "store") and not (len(row.category) <= 64 and is_plain(row.category)):
        yield Fault(row.line, "category", errors.CategoryInvalid())
    if row.kind == "merchant" and not (len(row.legal_name) <= 200 and is_plain(row.legal_name)):
        yield Fault(row.line, "legal_name", errors.LegalNameInvalid())
    if row.kind == "store" and not (len(row.floor) <= 16 and is_plain(row.floor)):
        yield Fault(row.line, "floor", errors.FloorInvalid())


def _shown(value: str) -> str:
    """`value` as it may stand in a sentence: short and printable."""
    return "".join(character if character.isprintable() else "?" for character in value[:_MAX_SHOWN])


def parent_unknown(row: Row, parent_kind: str) -> Fault:
    """The fault of a row whose parent does not exist."""
    return Fault(row.line, "parent_code", errors.ParentUnknown(parent_kind=parent_kind, value=_shown(row.parent_code)))


def parent_closed(row: Row, parent_kind: str) -> Fault:
    """The fault of a new row whose parent is closed."""
    return Fault(row.line, "parent_code", errors.ParentClosed(parent_kind=parent_kind, value=row.parent_code))


def parent_fixed(row: Row) -> Fault:
    """The fault of a row that would move an entity."""
    return Fault(row.line, "parent_code", errors.ParentFixed(kind=row.kind, value=row.code))


def fixed_change(old: Unit, *, kind: str, time_zone: str, currency_code: str) -> tuple[str, AppError] | None:
    """What would be changed of a unit that stays what it was, and why that is refused; "" changes nothing.

    Days were closed, money was counted, and the keys of car parks' vendors were issued by it.
    """
    if kind not in ("", old.kind):
        return "kind", errors.UnitKindFixed(value=old.kind.lower())
    if time_zone not in ("", old.time_zone):
        return "time_zone", errors.TimeZoneFixed(value=old.time_zone)
    if currency_code not in ("", old.currency_code):
        return "currency_code", errors.CurrencyFixed(value=old.currency_code)
    return None


def unit_of(group_id: UUID, row: Row, old: Unit | None) -> Unit | Fault:
    """The unit after this row."""
    if old:
        changed = fixed_change(old, kind=row.unit_kind, time_zone=row.time_zone, currency_code=row.currency_code)
        if changed:
            column, problem = changed
            return Fault(row.line, "unit_kind" if column == "kind" else column, problem)
        return replace(old, name=row.name)
    unit_id = entity_id(group_id, "unit", row.code)
    return Unit(unit_id, row.code, row.name, row.unit_kind, row.time_zone, row.currency_code)


def merchant_of(group_id: UUID, row: Row, unit: Unit | None, old: Merchant | None) -> Merchant | Fault:
    """The merchant after this row. Empty cells leave what is there."""
    if unit is None:
        return parent_unknown(row, "unit")
    if old and old.unit_id != unit.unit_id:
        return parent_fixed(row)
    if old is None and not unit.is_open:
        return parent_closed(row, "unit")
    if old:
        category, legal_name = row.category or old.category, row.legal_name or old.legal_name
        return replace(old, name=row.name, category=category, legal_name=legal_name)
    merchant_id = entity_id(group_id, "merchant", row.code)
    return Merchant(merchant_id, unit.unit_id, row.code, row.name, row.category, legal_name=row.legal_name)


def store_of(
    group_id: UUID, row: Row, merchant: Merchant | None, unit: Unit | None, old: Store | None
) -> Store | Fault:
    """The store after this row. Empty cells leave what is there; a new store has its merchant's category."""
    if merchant is None or unit is None:
        return parent_unknown(row, "merchant")
    if old and old.merchant_id != merchant.merchant_id:
        return parent_fixed(row)
    if old is None and not merchant.is_open:
        return parent_closed(row, "merchant")
    if old:
        return replace(old, name=row.name, category=row.category or old.category, floor=row.floor or old.floor)
    store_id = entity_id(group_id, "store", row.code)
    return new_store(store_id, merchant, unit, code=row.code, name=row.name, category=row.category, floor=row.floor)


def new_store(
    store_id: UUID, merchant: Merchant, unit: Unit, *, code: str, name: str, category: str, floor: str
) -> Store:
    """A store that opens."""
    return Store(
        store_id=store_id,
        merchant_id=merchant.merchant_id,
        code=code,
        name=name,
        category=category or merchant.category,
        floor=floor,
        is_open=True,
        unit_id=unit.unit_id,
        time_zone=unit.time_zone,
        currency_code=unit.currency_code,
    )


def terminal_of(group_id: UUID, row: Row, store: Store | None, old: Terminal | None) -> Terminal | Fault:
    """The terminal after this row. An empty name leaves what is there."""
    if store is None:
        return parent_unknown(row, "store")
    if old and old.store_id != store.store_id:
        return parent_fixed(row)
    if old:
        return replace(old, name=row.name or old.name)
    return Terminal(entity_id(group_id, "terminal", row.code), store.store_id, row.code, row.name)
