"""One member's year, day by day: tiers, lots, debt, parking, orders."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from tests.figures import rules
from tests.figures.book import Book
from tests.figures.purchases import MemberYear, Order, Return, Sale, Stay

NameLot = Callable[[str, str], UUID]


@dataclass(slots=True)
class Lot:
    """What is left of a sale's points."""

    expiry: date
    lot_id: UUID
    merchant: str
    issued_on: date
    left: int

    def rank(self) -> tuple[date, UUID]:
        """The order of spending."""
        return self.expiry, self.lot_id


@dataclass(slots=True)
class Recorded:
    """A sale with what it earned."""

    sale: Sale
    points: int
    lot_id: UUID


@dataclass(slots=True)
class Tally:
    """Sums over all members of what is not money between merchants."""

    parking: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            (
                "stay_count",
                "tariff_fee_minor",
                "tier_waived_minor",
                "points_paid_minor",
                "points",
                "money_paid_minor",
                "due_minor",
            ),
            0,
        )
    )
    mall: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            (
                "order_completed_count",
                "order_cancelled_count",
                "order_points",
                "voucher_used_count",
                "coupon_issued_count",
                "coupon_used_count",
                "coupon_discount_minor",
            ),
            0,
        )
    )


class Dated(Protocol):
    """What happens on a day."""

    @property
    def day(self) -> date:
        """The day on which it is played."""


T = TypeVar("T", bound=Dated)


class Member:
    """A member's state while the year is played."""

    def __init__(self, year: MemberYear, book: Book, tally: Tally, name_lot: NameLot) -> None:
        self.year, self._book, self._tally, self._name_lot = year, book, tally, name_lot
        self.issued = self.clawed_back = self.spent = self.reversed = self.expired = 0
        self.available = self.debt = 0
        self.growth_minor = 0
        # From which day on which tier counted.
        self._tiers: list[tuple[date, int]] = [(date.min, 0)]
        self._lots: list[Lot] = []
        self._owed: deque[list[str | int]] = deque()
        self._recorded: dict[str, Recorded] = {}

    @property
    def growth(self) -> int:
        """Whole yuan of net spending."""
        return self.growth_minor // 100

    @property
    def tier(self) -> int:
        """The highest tier reached so far."""
        return self._tiers[-1][1]

    def tier_on(self, day: date) -> int:
        """The tier held at the start of a day."""
        return max(tier for since, tier in self._tiers if since <= day)

    def play(self, last_day: date) -> None:
        """All days up to and including `last_day`; then the day after comes, with what is due by then."""
        sales, returns = _by_day(self.year.sales), _by_day(self.year.returns)
        stays, orders = _by_day(self.year.stays), _by_day(self.year.orders)
        for day in sorted({*sales, *returns, *stays, *orders}):
            self._expire(day)
            for sale in sales.get(day, ()):
                self._sell(sale)
            for back in returns.get(day, ()):
                self._take_back(back)
            for stay in stays.get(day, ()):
                self._park(stay)
            for order in orders.get(day, ()):
                self._order(order)
        self._expire(last_day + timedelta(days=1))
        for lot in self._lots:
            self._book.issuers[lot.merchant]["outstanding_points"] += lot.left
        for merchant, left in self._owed:
            self._book.issuers[str(merchant)]["debt_points"] += int(left)

    def _expire(self, day: date) -> None:
        # All points of a month expire on one first of a month, before anything else of that day.
        while self._lots and self._lots[0].expiry <= day:
            lot = self._lots.pop(0)
            if lot.left:
                self._book.expire(lot.merchant, lot.expiry, lot.issued_on, lot.left)
                self.expired += lot.left
                self.available -= lot.left

    def _sell(self, sale: Sale) -> None:
        points = rules.points_of(sale.weight, self.tier_on(sale.day))
        self._book.sale(sale.merchant, sale.total_minor)
        recorded = Recorded(sale, points, self._name_lot(sale.store, sale.receipt_no))
        self._recorded[sale.receipt_no] = recorded
        self.growth_minor += sale.total_minor
        if rules.tier_of(self.growth) > self.tier:
            self._tiers.append((sale.day + timedelta(days=1), rules.tier_of(self.growth)))
        if not points:
            return
        self.issued += points
        self._book.issue(sale.merchant, sale.day, points)
        left = points
        while left and self._owed:
            merchant, owed = self._owed[0]
            repaid = min(left, int(owed))
            left -= repaid
            self.debt -= repaid
            if repaid == owed:
                self._owed.popleft()
            else:
                self._owed[0] = [merchant, int(owed) - repaid]
        if left:
            lot = Lot(rules.expiry_of(sale.day), recorded.lot_id, sale.merchant, sale.day, left)
            insort(self._lots, lot, key=Lot.rank)
            self.available += left

    def _take_back(self, back: Return) -> None:
        recorded = self._recorded[back.receipt_no]
        self.growth_minor -= back.refund_minor
        points = recorded.points
        if back.line is not None:
            points = rules.shares(points, back.weights)[back.line]
        if not points:
            return
        self.clawed_back += points
        sale = recorded.sale
        self._book.claw_back(sale.merchant, back.day, sale.day, sale.receipt_no, points)
        own = [lot for lot in self._lots if lot.lot_id == recorded.lot_id]
        taken = self._take(points, own + [lot for lot in self._lots if lot.lot_id != recorded.lot_id])
        owed = points - sum(part for _, part in taken)
        if owed:
            self._owed.append([sale.merchant, owed])
            self.debt += owed

    def _take(self, points: int, lots: Sequence[Lot]) -> list[tuple[Lot, int]]:
        """Up to `points` out of `lots`, in their order."""
        taken = []
        for lot in lots:
            part = min(points, lot.left)
            if part:
                lot.left -= part
                self.available -= part
                points -= part
                taken.append((lot, part))
            if not points:
                break
        return taken

    def _spend(self, merchant: str, day: date, points: int) -> tuple[list[tuple[Lot, int]], tuple[int, int]]:
        taken = self._take(points, self._lots)
        self.spent += points
        for lot, part in taken:
            self._book.issuers[lot.merchant]["redeemed_points"] += part
        return taken, self._book.redeem(merchant, day, points)

    def _park(self, stay: Stay) -> None:
        # The tier of the day of entry, which may be the day before the receipt's.
        tier = self.tier_on(stay.entry.date())
        minutes = (stay.exit - stay.entry) // timedelta(minutes=1)
        # Five minutes before going out; what is paid then covers the way out (15 minutes).
        fee, waived = rules.parking_fee(minutes - 5, tier)
        points = points_minor = 0
        if fee == waived:
            # Nothing was due, so nothing was paid, and the gate looks at the whole stay.
            fee, waived = rules.parking_fee(minutes, tier)
        elif stay.use_points:
            steps = min(self.available // rules.OFFSET_POINTS, (fee - waived) // rules.OFFSET_MINOR)
            points, points_minor = steps * rules.OFFSET_POINTS, steps * rules.OFFSET_MINOR
            if points:
                self._spend("parking", stay.day, points)
        if waived:
            self._book.waiver("parking", stay.exit.date(), waived)
        sums = self._tally.parking
        sums["stay_count"] += 1
        sums["tariff_fee_minor"] += fee
        sums["tier_waived_minor"] += waived
        sums["points"] += points
        sums["points_paid_minor"] += points_minor
        sums["money_paid_minor"] += fee - waived - points_minor

    def _order(self, order: Order) -> None:
        item = next((item for item in rules.ITEMS if item[1] <= self.available), None)
        if item is None:
            return
        _, price, merchant = item
        sums = self._tally.mall
        taken, amounts = self._spend(merchant, order.day, price)
        if not order.is_cancelled:
            sums["order_completed_count"] += 1
            sums["order_points"] += price
            sums["voucher_used_count"] += order.is_used
            return
        sums["order_cancelled_count"] += 1
        self._book.reverse(merchant, order.day, price, amounts)
        self.spent -= price
        self.reversed += price
        self.available += price
        for lot, part in taken:
            lot.left += part
            self._book.issuers[lot.merchant]["redeemed_points"] -= part


def _by_day(things: Sequence[T]) -> dict[date, list[T]]:
    found: dict[date, list[T]] = defaultdict(list)
    for thing in things:
        found[thing.day].append(thing)
    return found
