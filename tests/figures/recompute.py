"""The year's figures, computed without the services. Names are those of the report messages in protos/huitong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from uuid import UUID

import duckdb

from tests.figures import rules
from tests.figures.book import STATEMENT, TOTALS, Book
from tests.figures.member import Member, Tally
from tests.figures.purchases import make_plan, open_package

Row = dict[str, int]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that the services report and that the rules decide.

    `members` by household (issued, clawed_back, spent net of reversals, reversed, expired, available, debt, growth and
    the tier's code), `tiers` the number of members by tier code, `merchants` MerchantTotals by merchant code (issued
    points and what became of them, and accepted_points), `points_total` their sums, `settlement` Statement over all
    periods by merchant code, `settlement_months` the same by period, `periods` Period's sums by period,
    `settlement_totals` fund, platform and imbalance, `parking` CarParkTotals of the one car park, `mall` MallTotals.
    """

    first_day: date
    last_day: date
    receipt_count: int
    sale_count: int
    members: dict[int, dict[str, int | str]]
    tiers: Row
    merchants: dict[str, Row]
    points_total: Row
    settlement: dict[str, Row]
    settlement_months: dict[str, dict[str, Row]]
    periods: dict[str, Row]
    settlement_totals: Row
    parking: Row
    mall: Row


def recompute(receipts: int | None = None, *, database: duckdb.DuckDBPyConnection | None = None) -> Figures:
    """Play whole days until `receipts` receipts are in, the whole year when None.

    `database` may bring other tables `transactions`, `products` and `coupon_redemptions` than the package's.
    """
    db = database or open_package()
    db.execute("SET threads = 1")
    plan = make_plan(db, receipts)
    book, tally = Book(), Tally()
    for coupon in plan.coupons:
        tally.mall["coupon_issued_count"] += 1
        tally.mall["coupon_used_count"] += 1
        tally.mall["coupon_discount_minor"] += coupon.discount_minor
        book.coupon(coupon.merchant, coupon.day, coupon.discount_minor)
    members: dict[int, dict[str, int | str]] = {}
    tiers = {code: 0 for code, *_ in rules.TIERS}
    name_lot = lot_names()
    sale_count = 0
    for year in plan.members:
        member = Member(year, book, tally, name_lot)
        member.play(plan.last_day)
        sale_count += len(year.sales)
        code = rules.TIERS[member.tier][0]
        tiers[code] += 1
        members[year.household] = {
            "issued": member.issued,
            "earned": member.issued - member.clawed_back,
            "clawed_back": member.clawed_back,
            "spent": member.spent,
            "reversed": member.reversed,
            "expired": member.expired,
            "available": member.available,
            "debt": member.debt,
            "tier": code,
            "growth": member.growth,
        }
    merchants = {code: book.issuers[code] for code in rules.all_merchants()}
    months = sorted({month for _, month in book.statements})
    by_month = {
        month: {code: row for (code, of), row in sorted(book.statements.items()) if of == month} for month in months
    }
    periods = {
        month: _balance(
            sum(row["net_minor"] for row in by_month[month].values()), book.fund[month], book.platform[month]
        )
        for month in months
    }
    return Figures(
        plan.first_day,
        plan.last_day,
        plan.receipt_count,
        sale_count,
        members,
        tiers,
        merchants,
        {name: sum(row[name] for row in merchants.values()) for name in TOTALS},
        {
            code: {name: sum(rows[code][name] for rows in by_month.values() if code in rows) for name in STATEMENT}
            for code in rules.all_merchants()
        },
        by_month,
        periods,
        {
            name: sum(period[name] for period in periods.values())
            for name in ("fund_minor", "platform_minor", "imbalance_minor")
        },
        tally.parking,
        tally.mall,
    )


def _balance(merchants: int, fund: int, platform: int) -> Row:
    return {
        "merchants_net_minor": merchants,
        "fund_minor": fund,
        "platform_minor": platform,
        "imbalance_minor": merchants + fund + platform,
    }


def lot_names() -> Callable[[str, str], UUID]:
    """Ids of lots by store code and receipt number, as docs/demo-year.md publishes them under "Identifiers"."""
    group_id = rules.derive("group", rules.GROUP_CODE)

    @cache
    def store_id(code: str) -> UUID:
        return rules.derive(group_id, "store", code)

    return lambda store, receipt_no: rules.derive("sale", store_id(store), "pos", receipt_no)
