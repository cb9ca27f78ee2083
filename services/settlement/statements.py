"""Queries over what was accrued: statements with their movements, periods, totals; and the snapshot of a close."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.db import Tx
from services.settlement import rules
from services.settlement.journal import OTHERS_MONEY, TOTAL_FIGURES, TOTAL_MONEY
from services.settlement.rules import Kind, Part

_MERCHANT_MONEY = tuple(name for name in TOTAL_MONEY if name not in OTHERS_MONEY)
_NET = " + ".join(_MERCHANT_MONEY)
_SUMS = ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in TOTAL_FIGURES)


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One merchant's figures of a period ("" for all periods), named as in TOTAL_FIGURES."""

    merchant_id: UUID
    period: str
    currency_code: str
    is_closed: bool
    figures: dict[str, int]

    @property
    def net_minor(self) -> int:
        """What the merchant gets (negative: owes)."""
        return sum(self.figures[name] for name in _MERCHANT_MONEY)


@dataclass(frozen=True, slots=True)
class MovementRow:
    """One entry as its merchant sees it."""

    entry_id: UUID
    kind: Kind
    occur_time: datetime
    points: int
    amount_minor: int
    source_id: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class PeriodSums:
    """A period's sums over all merchants."""

    period: str
    close_time: datetime | None
    merchants_net_minor: int
    fund_minor: int
    platform_minor: int
    unit_minor: int
    entry_count: int


async def list_statements(
    tx: Tx, period: str, *, unit_id: UUID | None, after: UUID | None, limit: int
) -> list[StatementRow]:
    """Statements of the caller's group (or of a unit) by merchant; a closed period's come from its snapshot."""
    is_closed = await is_period_closed(tx, period)
    rows = await tx.execute(
        text(f"""SELECT t.*, coalesce(u.currency_code, '') AS currency_code
                 FROM {"statement" if is_closed else "total"} AS t
                 LEFT JOIN merchant AS m USING (merchant_id)
                 LEFT JOIN business_unit AS u USING (business_unit_id)
                 WHERE t.group_id = :group_id AND t.period = :period AND t.merchant_id > :after {_of_unit(unit_id)}
                 ORDER BY t.merchant_id LIMIT :limit"""),
        {
            "group_id": tx.group_id,
            "period": period,
            "unit_id": unit_id,
            "after": after or UUID(int=0),
            "limit": limit,
        },
    )
    return [_statement(row, row.currency_code, is_closed) for row in rows]


def _of_unit(unit_id: UUID | None) -> str:
    # Only when there is one: an empty one is bound, and not looked at.
    return "AND m.business_unit_id = :unit_id" if unit_id else "AND CAST(:unit_id AS uuid) IS NULL"


async def get_statement(tx: Tx, period: str, merchant_id: UUID, currency_code: str) -> StatementRow:
    """One merchant's statement; zeros when nothing moved."""
    is_closed = await is_period_closed(tx, period)
    found = await tx.execute(
        text(f"""SELECT * FROM {"statement" if is_closed else "total"}
                 WHERE merchant_id = :merchant_id AND period = :period AND group_id = :group_id"""),
        {"group_id": tx.group_id, "period": period, "merchant_id": merchant_id},
    )
    row = found.one_or_none()
    if row is None:
        return StatementRow(merchant_id, period, currency_code, is_closed, dict.fromkeys(TOTAL_FIGURES, 0))
    return _statement(row, currency_code, is_closed)


def _statement(row: Any, currency_code: str, is_closed: bool) -> StatementRow:
    figures = {name: getattr(row, name) for name in TOTAL_FIGURES}
    return StatementRow(row.merchant_id, row.period, currency_code, is_closed, figures)


async def list_movements(
    tx: Tx, period: str, merchant_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[MovementRow]:
    """A merchant's entries of a period, oldest first, each with its lots."""
    behind = "AND (occur_time, entry_id) > (:after_time, :after_id)" if after else ""
    parameters: dict[str, Any] = {
        "group_id": tx.group_id,
        "merchant_id": merchant_id,
        "period": period,
        "limit": limit,
    }
    if after:
        parameters |= {"after_time": after[0], "after_id": after[1]}
    rows = await tx.execute(
        text(f"""SELECT * FROM entry
                 WHERE merchant_id = :merchant_id AND period = :period AND group_id = :group_id {behind}
                 ORDER BY occur_time, entry_id LIMIT :limit"""),
        parameters,
    )
    entries = rows.all()
    parts = await _find_parts(tx, merchant_id, [row.entry_id for row in entries])
    return [
        MovementRow(
            row.entry_id,
            Kind(row.kind),
            row.occur_time,
            row.points,
            row.amount_minor,
            row.source_id,
            parts.get(row.entry_id, []),
        )
        for row in entries
    ]


async def _find_parts(tx: Tx, merchant_id: UUID, entry_ids: Iterable[UUID]) -> dict[UUID, list[Part]]:
    rows = await tx.execute(_FIND_PARTS, {"merchant_id": merchant_id, "entry_ids": list(entry_ids)})
    parts: dict[UUID, list[Part]] = {}
    for row in rows:
        parts.setdefault(row.entry_id, []).append(
            Part(row.lot_id, row.issuer_merchant_id, row.points, row.amount_minor)
        )
    return parts


# An issue's lot is the one that it made: its points may be fewer than the when debt was repaid, so its money is
# the whole charge only together with that debt.
_FIND_PARTS = text(
    """SELECT entry_id, part_no, lot_id, issuer_merchant_id, points, amount_minor FROM lot_part
       WHERE merchant_id = :merchant_id AND entry_id = ANY(CAST(:entry_ids AS uuid[]))
       UNION ALL
       SELECT i.entry_id, 1, i.lot_id, i.merchant_id, i.lot_points, e.amount_minor
       FROM issue AS i JOIN entry AS e USING (merchant_id, entry_id)
       WHERE i.merchant_id = :merchant_id AND i.entry_id = ANY(CAST(:entry_ids AS uuid[])) AND i.lot_id IS NOT NULL
       ORDER BY 1, 2"""
)


async def list_totals(tx: Tx, unit_id: UUID | None = None) -> list[StatementRow]:
    """The figures of each merchant of the group, or of one of its units, over all periods, by merchant."""
    rows = await tx.execute(
        text(f"""SELECT t.merchant_id, '' AS period, coalesce(max(u.currency_code), '') AS currency_code, {_SUMS}
                 FROM total AS t
                 LEFT JOIN merchant AS m USING (merchant_id)
                 LEFT JOIN business_unit AS u USING (business_unit_id)
                 WHERE t.group_id = :group_id {_of_unit(unit_id)} GROUP BY t.merchant_id ORDER BY t.merchant_id"""),
        {"group_id": tx.group_id, "unit_id": unit_id},
    )
    return [_statement(row, row.currency_code, False) for row in rows]


async def list_unit_totals(tx: Tx) -> list[tuple[UUID, int]]:
    """What each business unit paid for points of its merchants (negative), over all periods; none that paid nothing."""
    rows = await tx.execute(
        text("""SELECT m.business_unit_id, sum(t.unit_minor)::bigint AS unit_minor
                FROM total AS t JOIN merchant AS m USING (merchant_id)
                WHERE t.group_id = :group_id AND t.unit_minor <> 0
                GROUP BY m.business_unit_id ORDER BY m.business_unit_id"""),
        {"group_id": tx.group_id},
    )
    return [(row.business_unit_id, row.unit_minor) for row in rows]


async def list_periods(tx: Tx) -> list[PeriodSums]:
    """Every period of the caller's group, oldest first."""
    rows = await tx.execute(
        text(f"""SELECT coalesce(t.period, p.period) AS period, p.close_time,
                        coalesce(t.net, 0)::bigint AS merchants_net_minor, coalesce(t.fund, 0)::bigint AS fund_minor,
                        coalesce(t.platform, 0)::bigint AS platform_minor, coalesce(t.unit, 0)::bigint AS unit_minor,
                        coalesce(t.entries, 0)::bigint AS entry_count
                 FROM (SELECT period, sum({_NET}) AS net, sum(fund_minor) AS fund, sum(platform_minor) AS platform,
                              sum(unit_minor) AS unit,
                              sum(entry_count) AS entries
                       FROM total WHERE group_id = :group_id GROUP BY period) AS t
                 FULL JOIN (SELECT period, close_time FROM period WHERE group_id = :group_id) AS p
                   ON p.period = t.period
                 ORDER BY 1"""),
        {"group_id": tx.group_id},
    )
    return [_period_sums(row) for row in rows]


def _period_sums(row: Any) -> PeriodSums:
    return PeriodSums(
        row.period,
        row.close_time,
        row.merchants_net_minor,
        row.fund_minor,
        row.platform_minor,
        row.unit_minor,
        row.entry_count,
    )


async def is_period_closed(tx: Tx, period: str) -> bool:
    """Whether nothing is posted into the period any more."""
    found = await tx.execute(
        text("SELECT closed_period FROM book WHERE group_id = :group_id"), {"group_id": tx.group_id}
    )
    closed = found.scalar_one_or_none()
    return closed is not None and period <= closed


# ---- closing


async def list_groups(tx: Tx) -> list[UUID]:
    """Groups that have a ledger."""
    return list((await tx.execute(text("SELECT group_id FROM book ORDER BY group_id"))).scalars())


async def list_zones(tx: Tx, group_id: UUID) -> list[str]:
    """The time zones of a group's business units."""
    rows = await tx.execute(
        text("SELECT DISTINCT time_zone FROM business_unit WHERE group_id = :group_id"), {"group_id": group_id}
    )
    return list(rows.scalars())


async def first_open_period(tx: Tx, group_id: UUID) -> str | None:
    """The month that is closed next: the one after the last closed, else the first with movements."""
    row = (
        await tx.execute(
            text("""SELECT b.closed_period, (SELECT min(period) FROM total WHERE group_id = b.group_id) AS first_period
                    FROM book AS b WHERE b.group_id = :group_id"""),
            {"group_id": group_id},
        )
    ).one_or_none()
    if row is None:
        return None
    return rules.next_period(row.closed_period) if row.closed_period else row.first_period


async def snapshot_period(tx: Tx, group_id: UUID, period: str) -> PeriodSums:
    """Copy a month's totals into statements, write its sums, and let nothing more in. The book is locked."""
    parameters = {"group_id": group_id, "period": period, "close_time": tx.now}
    names = ", ".join(TOTAL_FIGURES)
    await tx.execute(
        text(f"""INSERT INTO statement (merchant_id, period, group_id, {names})
                 SELECT merchant_id, period, group_id, {names} FROM total
                 WHERE group_id = :group_id AND period = :period"""),
        parameters,
    )
    row = (
        await tx.execute(
            text(f"""INSERT INTO period (group_id, period, close_time, merchants_net_minor, fund_minor, platform_minor,
                                         unit_minor, entry_count)
                     SELECT :group_id, :period, :close_time, coalesce(sum({_NET}), 0), coalesce(sum(fund_minor), 0),
                            coalesce(sum(platform_minor), 0), coalesce(sum(unit_minor), 0),
                            coalesce(sum(entry_count), 0)
                     FROM total WHERE group_id = :group_id AND period = :period
                     RETURNING *"""),
            parameters,
        )
    ).one()
    await tx.execute(text("UPDATE book SET closed_period = :period WHERE group_id = :group_id"), parameters)
    return _period_sums(row)
