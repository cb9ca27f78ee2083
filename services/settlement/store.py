"""Named queries of settlement; the tables are in tables.py.

Lock order: the group's `book` row first, then everything else. Posting, closing and retrying of one group therefore
follow each other: totals need no order of their own, and nothing is posted into a month while it closes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, TextClause, text
from sqlalchemy.dialects import postgresql

from chassis.db import Tx
from services.settlement.funding import Funder, FunderKind, FunderShare
from services.settlement.journal import TOTAL_FIGURES, Entry, IssueState, Journal, Party, RedemptionState
from services.settlement.rules import DEFAULT_TERMS, Terms
from services.settlement.tables import (
    business_unit,
    contract,
    deferred_fact,
    entry,
    issue,
    issue_funder,
    line,
    lot_part,
    merchant,
    metadata,
    redemption,
    total,
)

__all__ = ["metadata"]


def insert_of(table: Table, *, without: Sequence[str] = (), suffix: str = "") -> TextClause:
    """INSERT of many rows at once: one array parameter for each column, named like it."""
    names = [column.name for column in table.columns if column.name not in without]
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    arrays = ", ".join(f"CAST(:{name} AS {table.c[name].type.compile(dialect)}[])" for name in names)
    columns = ", ".join(names)
    return text(
        f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM unnest({arrays}) AS r ({columns}) {suffix}"
    )


async def insert_rows(tx: Tx, statement_text: TextClause, rows: Sequence[dict[str, Any]]) -> None:
    """Run an `insert_of` with `rows`; nothing for no rows."""
    if rows:
        await tx.execute(statement_text, {name: [row[name] for row in rows] for name in rows[0]})


# ---- copies and contracts

_SAVE_UNITS = insert_of(
    business_unit,
    suffix="""ON CONFLICT (business_unit_id)
              DO UPDATE SET time_zone = excluded.time_zone, currency_code = excluded.currency_code""",
)
_SAVE_MERCHANTS = insert_of(
    merchant, suffix="ON CONFLICT (merchant_id) DO UPDATE SET business_unit_id = excluded.business_unit_id"
)
_ADD_CONTRACTS = insert_of(contract, suffix="ON CONFLICT DO NOTHING RETURNING 1")


async def save_units(tx: Tx, rows: Iterable[dict[str, Any]]) -> None:
    """Keep the newest state of business units; rows of (business_unit_id, group_id, time_zone, currency_code)."""
    await insert_rows(tx, _SAVE_UNITS, list({row["business_unit_id"]: row for row in rows}.values()))


async def save_merchants(tx: Tx, rows: Iterable[dict[str, Any]]) -> None:
    """Keep the newest state of merchants and give new ones the default terms."""
    newest = list({row["merchant_id"]: row for row in rows}.values())
    await insert_rows(tx, _SAVE_MERCHANTS, newest)
    defaults = [_contract_row(row["group_id"], row["merchant_id"], DEFAULT_TERMS) for row in newest]
    await insert_rows(tx, _ADD_CONTRACTS, defaults)


def _contract_row(group_id: UUID, merchant_id: UUID, terms: Terms) -> dict[str, Any]:
    return {
        "merchant_id": merchant_id,
        "effective_date": terms.effective_date,
        "group_id": group_id,
        "issue_price_centi": terms.issue_price_centi,
        "redeem_price_centi": terms.redeem_price_centi,
        "platform_fee_bps": terms.platform_fee_bps,
        "parking_waiver_bps": terms.parking_waiver_bps,
        "merchant_keeps_breakage": terms.merchant_keeps_breakage,
    }


async def add_contract(tx: Tx, *, merchant_id: UUID, terms: Terms) -> bool:
    """Add terms; False when the merchant has some from that date on already."""
    row = _contract_row(tx.group_id, merchant_id, terms)
    result = await tx.execute(_ADD_CONTRACTS, {name: [value] for name, value in row.items()})
    return result.first() is not None


async def find_contract(tx: Tx, merchant_id: UUID, day: date) -> Terms | None:
    """A merchant's terms on a day."""
    found = await tx.execute(
        text("""SELECT * FROM contract WHERE merchant_id = :merchant_id AND group_id = :group_id
                AND effective_date <= :day ORDER BY effective_date DESC LIMIT 1"""),
        {"merchant_id": merchant_id, "group_id": tx.group_id, "day": day},
    )
    row = found.one_or_none()
    return _terms(row) if row else None


async def find_merchant_currency(tx: Tx, merchant_id: UUID) -> str | None:
    """The currency of a merchant of the caller's group; None when there is no such merchant."""
    found = await tx.execute(
        text("""SELECT u.currency_code FROM merchant AS m JOIN business_unit AS u USING (business_unit_id)
                WHERE m.merchant_id = :merchant_id AND m.group_id = :group_id"""),
        {"merchant_id": merchant_id, "group_id": tx.group_id},
    )
    return found.scalar_one_or_none()


async def list_contracts(
    tx: Tx, *, merchant_id: UUID | None, after: tuple[UUID, date] | None, limit: int
) -> list[tuple[UUID, Terms]]:
    """Contracts of the caller's group by merchant and date, behind `after`; of one merchant or of all."""
    after_merchant_id, effective_date = after or (UUID(int=0), date.min)
    rows = await tx.execute(
        text("""SELECT * FROM contract WHERE group_id = :group_id
                AND (CAST(:of_merchant AS uuid) IS NULL OR merchant_id = :of_merchant)
                AND (merchant_id, effective_date) > (:merchant_id, :effective_date)
                ORDER BY merchant_id, effective_date LIMIT :limit"""),
        {
            "group_id": tx.group_id,
            "of_merchant": merchant_id,
            "merchant_id": after_merchant_id,
            "effective_date": effective_date,
            "limit": limit,
        },
    )
    return [(row.merchant_id, _terms(row)) for row in rows]


def _terms(row: Any) -> Terms:
    return Terms(
        row.effective_date,
        row.issue_price_centi,
        row.redeem_price_centi,
        row.platform_fee_bps,
        row.parking_waiver_bps,
        row.merchant_keeps_breakage,
    )


# ---- posting


@dataclass(frozen=True, slots=True)
class BookState:
    """A locked book: last month closed ("" for none), and whether facts are waiting."""

    closed_period: str
    has_deferred: bool


async def lock_book(tx: Tx, group_id: UUID) -> BookState:
    """Lock the group's ledger until the transaction ends, making its row when it is new."""
    while True:
        row = (await tx.execute(_LOCK_BOOK, {"group_id": group_id})).one_or_none()
        if row is not None:
            return BookState(row.closed_period, row.has_deferred)
        await tx.execute(
            text("INSERT INTO book (group_id, closed_period) VALUES (:group_id, '') ON CONFLICT DO NOTHING"),
            {"group_id": group_id},
        )


_LOCK_BOOK = text(
    """SELECT closed_period, EXISTS (SELECT FROM deferred_fact AS d WHERE d.group_id = b.group_id) AS has_deferred
       FROM book AS b WHERE group_id = :group_id FOR UPDATE"""
)


async def find_parties(tx: Tx, group_id: UUID, merchant_ids: Iterable[UUID]) -> dict[UUID, Party]:
    """Merchants of the group whose business unit is known, with their contracts."""
    rows = await tx.execute(_FIND_PARTIES, {"group_id": group_id, "merchant_ids": list(merchant_ids)})
    zones: dict[UUID, str] = {}
    contracts: dict[UUID, list[Terms]] = {}
    for row in rows:
        zones[row.merchant_id] = row.time_zone
        contracts.setdefault(row.merchant_id, []).append(_terms(row))
    return {merchant_id: Party(zone, contracts[merchant_id]) for merchant_id, zone in zones.items()}


_FIND_PARTIES = text(
    """SELECT m.merchant_id, u.time_zone, c.effective_date, c.issue_price_centi, c.redeem_price_centi,
              c.platform_fee_bps, c.parking_waiver_bps, c.merchant_keeps_breakage
       FROM merchant AS m
       JOIN business_unit AS u USING (business_unit_id)
       JOIN contract AS c USING (merchant_id)
       WHERE m.group_id = :group_id AND m.merchant_id = ANY(CAST(:merchant_ids AS uuid[]))"""
)


_PAIRS = "unnest(CAST(:merchant_ids AS uuid[]), CAST(:wanted_ids AS uuid[])) AS w (merchant_id, wanted_id)"


def _pairs(pairs: Sequence[tuple[UUID, UUID]]) -> dict[str, list[UUID]]:
    return {"merchant_ids": [pair[0] for pair in pairs], "wanted_ids": [pair[1] for pair in pairs]}


async def find_posted(tx: Tx, pairs: Sequence[tuple[UUID, UUID]]) -> set[UUID]:
    """Which of (merchant, entry) exist."""
    rows = await tx.execute(
        text(f"""SELECT e.entry_id FROM {_PAIRS}
                 JOIN entry AS e ON e.merchant_id = w.merchant_id AND e.entry_id = w.wanted_id"""),
        _pairs(pairs),
    )
    return set(rows.scalars())


async def find_issues(tx: Tx, column: str, pairs: Sequence[tuple[UUID, UUID]]) -> list[IssueState]:
    """Issues by (merchant, `column`), where `column` is sale_id or lot_id."""
    if not pairs:
        return []
    rows = await tx.execute(
        text(f"""SELECT i.* FROM {_PAIRS}
                 JOIN issue AS i ON i.merchant_id = w.merchant_id AND i.{column} = w.wanted_id"""),
        _pairs(pairs),
    )
    found = rows.all()
    funders = await _find_funders(tx, [(row.merchant_id, row.entry_id) for row in found if row.is_shared])
    return [
        IssueState(
            row.merchant_id,
            row.entry_id,
            row.sale_id,
            row.lot_id,
            row.lot_points,
            row.points,
            row.price_centi,
            row.clawed_points,
            row.debited_points,
            funders.get(row.entry_id, ()),
        )
        for row in found
    ]


async def _find_funders(tx: Tx, pairs: Sequence[tuple[UUID, UUID]]) -> dict[UUID, tuple[FunderShare, ...]]:
    """Who pays for issues by (merchant, entry)."""
    if not pairs:
        return {}
    rows = await tx.execute(
        text(f"""SELECT DISTINCT f.entry_id, f.funder_no, f.kind, f.funder_merchant_id, f.points FROM {_PAIRS}
                 JOIN issue_funder AS f ON f.merchant_id = w.merchant_id AND f.entry_id = w.wanted_id
                 ORDER BY f.entry_id, f.funder_no"""),
        _pairs(pairs),
    )
    found: dict[UUID, tuple[FunderShare, ...]] = {}
    for row in rows:
        share = FunderShare(Funder(FunderKind(row.kind), row.funder_merchant_id), row.points)
        found[row.entry_id] = (*found.get(row.entry_id, ()), share)
    return found


async def find_redemptions(tx: Tx, pairs: Sequence[tuple[UUID, UUID]]) -> list[RedemptionState]:
    """Redemptions by (merchant, entry)."""
    if not pairs:
        return []
    rows = await tx.execute(
        text(f"""SELECT r.* FROM {_PAIRS}
                 JOIN redemption AS r ON r.merchant_id = w.merchant_id AND r.entry_id = w.wanted_id"""),
        _pairs(pairs),
    )
    return [
        RedemptionState(row.merchant_id, row.entry_id, row.points, row.paid_minor, row.fee_minor, row.reversed_points)
        for row in rows
    ]


_ADD_ENTRIES = insert_of(entry)
_ADD_LINES = insert_of(line)
_ADD_PARTS = insert_of(lot_part)
_ADD_ISSUES = insert_of(issue)
_ADD_FUNDERS = insert_of(issue_funder)
_ADD_REDEMPTIONS = insert_of(redemption)
_ADD_TO_TOTALS = insert_of(
    total,
    suffix="ON CONFLICT (merchant_id, period) DO UPDATE SET "
    + ", ".join(f"{name} = total.{name} + excluded.{name}" for name in TOTAL_FIGURES),
)
_CHANGE_ISSUES = text(
    """UPDATE issue AS i SET clawed_points = w.clawed_points, debited_points = w.debited_points
       FROM unnest(CAST(:merchant_id AS uuid[]), CAST(:entry_id AS uuid[]), CAST(:clawed_points AS bigint[]),
                   CAST(:debited_points AS bigint[])) AS w (merchant_id, entry_id, clawed_points, debited_points)
       WHERE i.merchant_id = w.merchant_id AND i.entry_id = w.entry_id"""
)
_CHANGE_REDEMPTIONS = text(
    """UPDATE redemption AS r SET reversed_points = w.reversed_points
       FROM unnest(CAST(:merchant_id AS uuid[]), CAST(:entry_id AS uuid[]), CAST(:reversed_points AS bigint[]))
            AS w (merchant_id, entry_id, reversed_points)
       WHERE r.merchant_id = w.merchant_id AND r.entry_id = w.entry_id"""
)


async def write_journal(tx: Tx, journal: Journal) -> None:
    """Write what the journal's postings made and changed: a fixed number of statements, however many entries."""
    group_id = journal.group_id
    await insert_rows(tx, _ADD_ENTRIES, [_entry_row(group_id, one) for one in journal.entries])
    await insert_rows(
        tx,
        _ADD_LINES,
        [
            {
                "merchant_id": one.merchant_id,
                "entry_id": one.entry_id,
                "line_no": number,
                "group_id": group_id,
                "account": int(posted.account),
                "figure": int(posted.figure),
                "amount_minor": posted.amount_minor,
            }
            for one in journal.entries
            for number, posted in enumerate(one.lines, 1)
        ],
    )
    await insert_rows(
        tx,
        _ADD_PARTS,
        [
            {
                "merchant_id": one.merchant_id,
                "entry_id": one.entry_id,
                "part_no": number,
                "group_id": group_id,
                "lot_id": part.lot_id,
                "issuer_merchant_id": part.issuer_id,
                "points": part.points,
                "amount_minor": part.amount_minor,
            }
            for one in journal.entries
            for number, part in enumerate(one.parts, 1)
        ],
    )
    await _write_states(tx, journal)
    # Sorted although the book is locked: cheap, and right if that lock is ever made finer.
    await insert_rows(
        tx,
        _ADD_TO_TOTALS,
        [
            {"merchant_id": merchant_id, "period": month, "group_id": group_id, **figures}
            for (merchant_id, month), figures in sorted(journal.totals().items())
        ],
    )


async def _write_states(tx: Tx, journal: Journal) -> None:
    await insert_rows(
        tx,
        _ADD_ISSUES,
        [
            {
                "merchant_id": state.merchant_id,
                "entry_id": state.entry_id,
                "group_id": journal.group_id,
                "sale_id": state.sale_id,
                "lot_id": state.lot_id,
                "lot_points": state.lot_points,
                "points": state.points,
                "price_centi": state.price_centi,
                "clawed_points": state.clawed_points,
                "debited_points": state.debited_points,
                "is_shared": bool(state.funders),
            }
            for state in journal.new_issues
        ],
    )
    await insert_rows(
        tx,
        _ADD_FUNDERS,
        [
            {
                "merchant_id": state.merchant_id,
                "entry_id": state.entry_id,
                "funder_no": number,
                "group_id": journal.group_id,
                "kind": int(share.funder.kind),
                "funder_merchant_id": share.funder.merchant_id,
                "points": share.points,
            }
            for state in journal.new_issues
            for number, share in enumerate(state.funders, 1)
        ],
    )
    await insert_rows(
        tx,
        _ADD_REDEMPTIONS,
        [
            {
                "merchant_id": state.merchant_id,
                "entry_id": state.entry_id,
                "group_id": journal.group_id,
                "points": state.points,
                "paid_minor": state.paid_minor,
                "fee_minor": state.fee_minor,
                "reversed_points": state.reversed_points,
            }
            for state in journal.new_redemptions
        ],
    )
    await insert_rows(
        tx,
        _CHANGE_ISSUES,
        [
            {
                "merchant_id": state.merchant_id,
                "entry_id": state.entry_id,
                "clawed_points": state.clawed_points,
                "debited_points": state.debited_points,
            }
            for state in journal.changed_issues.values()
        ],
    )
    await insert_rows(
        tx,
        _CHANGE_REDEMPTIONS,
        [
            {"merchant_id": state.merchant_id, "entry_id": state.entry_id, "reversed_points": state.reversed_points}
            for state in journal.changed_redemptions.values()
        ],
    )


def _entry_row(group_id: UUID, one: Entry) -> dict[str, Any]:
    return {
        "merchant_id": one.merchant_id,
        "entry_id": one.entry_id,
        "group_id": group_id,
        "kind": int(one.kind),
        "period": one.period,
        "business_date": one.business_date,
        "occur_time": one.occur_time,
        "source_id": one.source_id,
        "points": one.points,
        "amount_minor": one.amount_minor,
    }


# ---- facts that wait


@dataclass(frozen=True, slots=True)
class DeferredFact:
    """A fact as it came."""

    event_id: UUID
    type: str
    key: str
    occur_time: datetime
    payload: bytes


_DEFER = insert_of(
    deferred_fact,
    without=("arrival_no",),
    suffix="ON CONFLICT (event_id) DO UPDATE SET reason = excluded.reason",
)


async def save_deferred(tx: Tx, group_id: UUID, facts: Sequence[tuple[DeferredFact, str]]) -> None:
    """Let facts wait, each with the reason why."""
    await insert_rows(
        tx,
        _DEFER,
        [
            {
                "event_id": fact.event_id,
                "group_id": group_id,
                "type": fact.type,
                "key": fact.key,
                "occur_time": fact.occur_time,
                "payload": fact.payload,
                "reason": reason,
            }
            for fact, reason in facts
        ],
    )


async def list_deferred(tx: Tx, group_id: UUID, limit: int) -> list[DeferredFact]:
    """Waiting facts in their order of arrival."""
    rows = await tx.execute(
        text("""SELECT event_id, type, key, occur_time, payload FROM deferred_fact
                WHERE group_id = :group_id ORDER BY arrival_no LIMIT :limit"""),
        {"group_id": group_id, "limit": limit},
    )
    return [DeferredFact(row.event_id, row.type, row.key, row.occur_time, row.payload) for row in rows]


async def drop_deferred(tx: Tx, event_ids: Sequence[UUID]) -> None:
    """Forget facts that were posted."""
    if event_ids:
        await tx.execute(
            text("DELETE FROM deferred_fact WHERE event_id = ANY(CAST(:event_ids AS uuid[]))"),
            {"event_ids": list(event_ids)},
        )
