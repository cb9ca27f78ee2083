"""What a wallet should be: the written rules in the plainest code, in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.points.ledger.ledger import Status

# Status, points, debt, points available afterwards.
Answer = tuple[Status, int, int, int]


@dataclass
class ModelLot:
    lot_id: UUID
    expire_time: datetime
    left: int
    held: int = 0
    unlock_time: datetime | None = None  # pending until it is activated
    issuer: UUID | None = None


@dataclass
class ModelDebt:
    issuer: UUID | None
    left: int


@dataclass
class ModelWallet:
    """What a wallet should be, in the plainest code."""

    lots: list[ModelLot] = field(default_factory=list)
    debts: list[ModelDebt] = field(default_factory=list)
    # What became of each issuer's points: (issuer, "redeemed").
    books: Counter[tuple[UUID | None, str]] = field(default_factory=Counter)
    sales: list[tuple[UUID, datetime, int]] = field(default_factory=list)  # sale, expiry, points left to claw back
    uses: dict[UUID, list[tuple[ModelLot, int]]] = field(default_factory=dict)
    holds: dict[UUID, tuple[str, list[tuple[ModelLot, int]], datetime]] = field(default_factory=dict)
    hold_points: dict[UUID, int] = field(default_factory=dict)
    refused: dict[UUID, int] = field(default_factory=dict)  # holds released before they came, and the balance then
    refund_counts: dict[UUID, int] = field(default_factory=dict)
    funded: list[UUID] = field(default_factory=list)  # top-ups

    @property
    def debt(self) -> int:
        return sum(debt.left for debt in self.debts)

    @property
    def available(self) -> int:
        return sum(lot.left - lot.held for lot in self.lots if lot.unlock_time is None)

    @property
    def pending(self) -> int:
        return sum(lot.left for lot in self.lots if lot.unlock_time is not None)

    @property
    def held(self) -> int:
        return sum(lot.held for lot in self.lots)

    def choose(self, points: int, now: datetime, own: UUID | None = None) -> list[tuple[ModelLot, int]]:
        """The sale's own lot first, then what expires first; nothing held, over its time or pending."""
        order = sorted(self.lots, key=lambda lot: (lot.lot_id != own, lot.expire_time, lot.lot_id))
        chosen = []
        for lot in order:
            free = min(lot.left - lot.held, points)
            is_spendable = lot.expire_time > now and lot.unlock_time is None
            if free > 0 and (is_spendable or lot.lot_id == own):
                chosen.append((lot, free))
                points -= free
        return chosen

    def note(self, parts: list[tuple[ModelLot, int]], account: str, sign: int = 1) -> None:
        for lot, part in parts:
            self.books[lot.issuer, account] += sign * part

    def earn(
        self,
        sale: UUID,
        points: int,
        expire_time: datetime,
        unlock_time: datetime | None,
        issuer: UUID | None = None,
    ) -> Answer:
        self.sales.append((sale, expire_time, points))
        return self.credit(sale, points, expire_time, unlock_time, issuer)

    def credit(
        self,
        txn: UUID,
        points: int,
        expire_time: datetime,
        unlock_time: datetime | None = None,
        issuer: UUID | None = None,
    ) -> Answer:
        """What is owed is repaid first, the oldest debt first."""
        left = points
        for debt in self.debts:
            part = min(debt.left, left)
            debt.left -= part
            left -= part
            self.books[debt.issuer, "debt"] -= part
        if left:
            self.lots.append(ModelLot(txn, expire_time, left, unlock_time=unlock_time, issuer=issuer))
        self.books[issuer, "issued"] += points
        return Status.APPLIED, points, points - left, self.available

    def fund(self, txn: UUID, points: int, expire_time: datetime, limit: int) -> Answer:
        """A top-up: it repays nothing, and the wallet may hold no more than `limit` (0: any amount)."""
        there = self.available + self.held + self.pending
        if limit and there + points > limit:
            return Status.BALANCE_LIMIT, max(limit - there, 0), 0, self.available
        self.lots.append(ModelLot(txn, expire_time, points))
        self.funded.append(txn)
        return Status.APPLIED, points, 0, self.available

    def refund_funding(self, lot_id: UUID, points: int) -> Answer:
        free = sum(lot.left - lot.held for lot in self.lots if lot.lot_id == lot_id)
        points = points or free
        if not free or points > free:
            return Status.INSUFFICIENT, 0, 0, free
        next(lot for lot in self.lots if lot.lot_id == lot_id).left -= points
        return Status.APPLIED, points, 0, self.available

    def convert_out(self, points: int, now: datetime) -> Answer:
        """As spending, but what is owed has to stay."""
        there = sum(part for _, part in self.choose(points + self.debt, now))
        if there < points + self.debt:
            return Status.INSUFFICIENT, 0, 0, max(there - self.debt, 0)
        for lot, part in self.choose(points, now):
            lot.left -= part
        return Status.APPLIED, points, 0, self.available

    def claw_back(
        self,
        sale: UUID,
        points: int,
        now: datetime,
        *,
        seen_refunds: int,
        debt_limit: int | None = None,
        issuer: UUID | None = None,
    ) -> Answer:
        """Beyond `debt_limit` nothing is owed; one below 0 leaves all lots but the sale's own alone."""
        if sale not in {known for known, _, _ in self.sales}:
            return Status.SALE_UNKNOWN, 0, 0, self.available
        if seen_refunds != self.refund_counts.get(sale, 0):
            return Status.STALE, 0, 0, self.available
        chosen = self.choose(points, now, own=sale)
        if debt_limit is not None and debt_limit < 0:
            chosen = [(lot, part) for lot, part in chosen if lot.lot_id == sale]
        for lot, part in chosen:
            lot.left -= part
        taken = sum(part for _, part in chosen)
        debt = points - taken
        if debt_limit is not None:
            debt = min(debt, max(debt_limit - self.debt, 0))
        if debt:
            self.debts.append(ModelDebt(issuer, debt))
        self.books[issuer, "clawed_back"] += taken + debt
        self.books[issuer, "debt"] += debt
        self.books[issuer, "written_off"] += points - taken - debt
        self.refund_counts[sale] = self.refund_counts.get(sale, 0) + 1
        self.sales = [(s, e, left - points if s == sale else left) for s, e, left in self.sales]
        return Status.APPLIED, taken + debt, debt, self.available

    def redeem(self, txn: UUID, points: int, now: datetime, account: str = "redeemed") -> Answer:
        chosen = self.choose(points, now)
        there = sum(part for _, part in chosen)
        if there < points:
            return Status.INSUFFICIENT, 0, 0, there
        for lot, part in chosen:
            lot.left -= part
        self.uses[txn] = chosen
        self.note(chosen, account)
        return Status.APPLIED, points, 0, self.available

    def debit(self, txn: UUID, points: int, now: datetime) -> Answer:
        answer = self.redeem(txn, points, now, "clawed_back")
        self.uses.pop(txn, None)  # nothing ever comes back of it
        return answer

    def reverse(self, txn: UUID, points: int) -> Answer:
        uses = self.uses.get(txn)
        if uses is None:
            return Status.REDEMPTION_UNKNOWN, 0, 0, self.available
        there = sum(part for _, part in uses)
        points = points or there
        if points > there or there == 0:
            return Status.REVERSAL_EXCEEDS, there, 0, self.available
        given, left = points, []
        for lot, part in reversed(uses):
            back = min(part, points)
            lot.left += back
            points -= back
            self.note([(lot, back)], "redeemed", -1)
            left.append((lot, part - back))
        self.uses[txn] = left[::-1]
        return Status.APPLIED, given, 0, self.available

    def hold(self, hold: UUID, points: int, now: datetime, expire_time: datetime) -> Answer:
        if hold in self.refused:
            return Status.HOLD_RELEASED, 0, 0, self.refused[hold]
        chosen = self.choose(points, now)
        there = sum(part for _, part in chosen)
        if there < points:
            return Status.INSUFFICIENT, 0, 0, there
        for lot, part in chosen:
            lot.held += part
        self.holds[hold] = ("held", chosen, expire_time)
        self.hold_points[hold] = points
        return Status.APPLIED, points, 0, self.available

    def free(self, hold: UUID) -> None:
        _, chosen, expire_time = self.holds[hold]
        for lot, part in chosen:
            lot.held -= part
        self.holds[hold] = ("released", [], expire_time)

    def release(self, hold: UUID, now: datetime, *, by_timeout: bool) -> Answer:
        if hold not in self.holds:
            if not by_timeout:
                self.refused.setdefault(hold, self.available)
            return Status.APPLIED, 0, 0, self.available
        state, _, expire_time = self.holds[hold]
        if state == "held" and (expire_time <= now or not by_timeout):
            self.free(hold)
        status = Status.HOLD_CAPTURED if state == "captured" else Status.APPLIED
        return status, self.hold_points[hold], 0, self.available

    def capture(self, hold: UUID, txn: UUID, points: int, now: datetime) -> Answer:
        if hold in self.refused:
            return Status.HOLD_RELEASED, 0, 0, self.available
        if hold not in self.holds:
            return Status.HOLD_UNKNOWN, 0, 0, self.available
        state, chosen, expire_time = self.holds[hold]
        if state == "held" and expire_time <= now:
            self.free(hold)
            state = "released"
        if state != "held":
            return (Status.HOLD_RELEASED if state == "released" else Status.HOLD_CAPTURED), 0, 0, self.available
        there = sum(part for _, part in chosen)
        points = points or there
        if points > there:
            return Status.CAPTURE_EXCEEDS_HOLD, there, 0, self.available
        self.free(hold)
        self.uses[txn], wanted = [], points
        for lot, part in chosen:
            part = min(part, wanted)
            lot.left -= part
            wanted -= part
            if part:
                self.uses[txn].append((lot, part))
        self.note(self.uses[txn], "redeemed")
        self.holds[hold] = ("captured", [], expire_time)
        return Status.APPLIED, points, 0, self.available

    def expire(self, expire_time: datetime, now: datetime) -> Answer:
        points = 0
        for lot in self.lots:
            if lot.expire_time == expire_time <= now and lot.unlock_time is None:
                points += lot.left - lot.held
                self.books[lot.issuer, "expired"] += lot.left - lot.held
                lot.left = lot.held
        return (Status.APPLIED if points else Status.NOTHING), points, 0, self.available

    def renew(self, before: datetime, expire_time: datetime, now: datetime) -> Answer:
        points = 0
        for lot in list(self.lots):
            free = lot.left - lot.held
            if free and now < lot.expire_time < min(before, expire_time) and lot.unlock_time is None:
                lot.left -= free
                points += free
                same = [one for one in self.lots if (one.lot_id, one.expire_time) == (lot.lot_id, expire_time)]
                if not same:
                    same = [ModelLot(lot.lot_id, expire_time, 0, issuer=lot.issuer)]
                    self.lots += same
                same[0].left += free
        return (Status.APPLIED if points else Status.NOTHING), points, 0, self.available

    def activate(self, unlock_time: datetime, now: datetime) -> Answer:
        points = 0
        for lot in self.lots:
            if lot.unlock_time == unlock_time <= now:
                points += lot.left
                lot.unlock_time = None
        return (Status.APPLIED if points else Status.NOTHING), points, 0, self.available

    def unlock(self, sale: UUID, until: datetime | None, now: datetime) -> Answer:
        """One lot, out of its turn; one that still has something to wait for waits no longer than for that."""
        points = 0
        for lot in self.lots:
            if lot.lot_id == sale and lot.unlock_time is not None:
                if until is not None and until > now:
                    lot.unlock_time = min(lot.unlock_time, until)
                else:
                    points += lot.left
                    lot.unlock_time = None
        return (Status.APPLIED if points else Status.NOTHING), points, 0, self.available
