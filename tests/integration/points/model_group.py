"""What a group's wallets should be, with what moves between them: the written rules in the plainest code, in memory.

Each operation answers what the service should: the figures of its answer, or the reason of its refusal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.points.ledger.ledger import OWN_LOT_ONLY, Status
from tests.integration.points.model import Answer, ModelDebt, ModelLot, ModelWallet

Told = tuple[int, ...] | str
_REASONS = {
    Status.INSUFFICIENT: "INSUFFICIENT_POINTS",
    Status.HOLD_RELEASED: "HOLD_RELEASED",
    Status.HOLD_CAPTURED: "HOLD_CAPTURED",
    Status.CAPTURE_EXCEEDS_HOLD: "CAPTURE_EXCEEDS_HOLD",
    Status.REVERSAL_EXCEEDS: "REVERSAL_EXCEEDS_REDEMPTION",
}


@dataclass
class ModelSale:
    """`lines`: number → (amount, points, what has come back), amounts in fen."""

    member: UUID
    issuer: UUID
    lines: dict[int, tuple[int, int, int]]


@dataclass
class ModelMerge:
    """While two are one. What has moved counts from the absorbed one to the survivor."""

    survivor: UUID
    absorbed: UUID
    moved: Counter[UUID] = field(default_factory=Counter)  # points of each lot
    debts: list[ModelDebt] = field(default_factory=list)  # those that have moved, in the survivor's wallet
    debt_points: int = 0
    # What the survivor's wallet lost of each lot other than by redemptions, and the redemptions there.
    gone: Counter[UUID] = field(default_factory=Counter)
    spends: list[UUID] = field(default_factory=list)


class ModelGroup:
    """Members, one of whom may be merged into another, and a pool; `now` is set from outside."""

    def __init__(self, wallets: Iterable[UUID], *, debt_limit: int | None, transfer_limit: int, now: datetime) -> None:
        self.books: Counter[tuple[UUID | None, str]] = Counter()
        self.wallets = {wallet: ModelWallet(books=self.books) for wallet in wallets}
        self.debt_limit, self.transfer_limit, self.now = debt_limit, transfer_limit, now
        self.sales: dict[UUID, ModelSale] = {}
        self.merge: ModelMerge | None = None
        self.merged_before: set[frozenset[UUID]] = set()
        self.spent_at: dict[UUID, tuple[UUID, UUID, UUID]] = {}  # wallet, who named it, merchant
        self.held_in: dict[UUID, tuple[UUID, UUID, UUID]] = {}
        self.given_today: Counter[UUID] = Counter()

    # ---- one wallet

    def person(self, member: UUID) -> UUID:
        """Whose the points are that are asked for in this member's name."""
        return self.merge.survivor if self.merge and member == self.merge.absorbed else member

    def record(
        self, sale: UUID, member: UUID, issuer: UUID, amounts: Sequence[int], expire: datetime, unlock: datetime | None
    ) -> Told:
        """A sale of one point a yuan."""
        self.sales[sale] = ModelSale(member, issuer, {n: (a, a // 100, 0) for n, a in enumerate(amounts, 1)})
        points = sum(amounts) // 100
        _, _, repaid, _ = self.wallets[member].earn(sale, points, expire, unlock, issuer)
        self.sweep()
        return points, repaid, points - repaid if unlock else 0, self.available(member)

    def refund(self, sale_id: UUID, lines: Sequence[tuple[int, int]]) -> Told:
        """Of (line, fen); nothing means all that is left."""
        sale = self.sales[sale_id]
        asked = list(lines) or [(n, amount - back) for n, (amount, _, back) in sale.lines.items() if amount > back]
        if not asked or any(fen > sale.lines[n][0] - sale.lines[n][2] for n, fen in asked):
            return "REFUND_EXCEEDS_SALE"
        points = 0
        for n, fen in asked:
            amount, earned, back = sale.lines[n]
            points += earned * (back + fen) // amount - earned * back // amount
            sale.lines[n] = amount, earned, back + fen
        wallet, limit = self.wallets[sale.member], self.debt_limit
        if self.merge and sale.member == self.merge.absorbed:
            # The survivor gives first what is there of the sale's own lot, then what else it has.
            survivor = self.wallets[self.merge.survivor]
            chosen = survivor.choose(points, self.now, own=sale_id)
            if limit == OWN_LOT_ONLY:
                chosen = [(lot, part) for lot, part in chosen if lot.lot_id == sale_id]
            self.carry(chosen, sale.member)
            for lot, part in chosen:
                self.merge.moved[lot.lot_id] -= part
            limit = max(limit - survivor.debt, 0) if limit is not None and limit > 0 else limit
        with_survivor = self.watch()
        _, taken, debt, _ = wallet.claw_back(
            sale_id,
            points,
            self.now,
            seen_refunds=wallet.refund_counts.get(sale_id, 0),
            debt_limit=limit,
            issuer=sale.issuer,
        )
        self.note_gone(with_survivor)
        self.sweep()
        return taken, debt, points - taken, self.available(sale.member)

    def redeem(self, txn: UUID, member: UUID, points: int, merchant: UUID, pool: UUID | None = None) -> Told:
        """At once; from a pool when there is one."""
        place = pool or self.person(member)
        answer = self.wallets[place].redeem(txn, points, self.now)
        if answer[0] is Status.APPLIED:
            self.spent(txn, place, member, merchant, points)
        return told(answer)

    def spent(self, txn: UUID, wallet: UUID, member: UUID, merchant: UUID, points: int) -> None:
        self.spent_at[txn] = wallet, member, merchant
        self.books[merchant, "accepted"] += points
        if self.merge and wallet == self.merge.survivor:
            self.merge.spends.append(txn)

    def reverse(self, txn: UUID, points: int) -> Told:
        """By who spent it. What comes back after the two are apart is the one's in whose name it was spent."""
        place, member, merchant = self.spent_at[txn]
        answer = self.wallets[place].reverse(txn, points)
        if answer[0] is not Status.APPLIED:
            return told(answer)
        self.books[merchant, "accepted"] -= answer[1]
        if self.merge is None and frozenset((place, member)) in self.merged_before:
            self.carry(self.wallets[place].choose(answer[1], self.now), member)
        self.sweep()
        return answer[1], self.available(member)

    def hold(self, hold: UUID, member: UUID, points: int, expire: datetime, merchant: UUID) -> Told:
        place = self.person(member)
        answer = self.wallets[place].hold(hold, points, self.now, expire)
        if answer[0] is Status.APPLIED:
            self.held_in[hold] = place, member, merchant
            return (answer[3],)
        return told(answer)

    def capture(self, hold: UUID, txn: UUID, points: int) -> Told:
        place, member, merchant = self.held_in[hold]
        answer = self.wallets[place].capture(hold, txn, points, self.now)
        if answer[0] is Status.APPLIED:
            self.spent(txn, place, member, merchant, answer[1])
        self.sweep()
        return (answer[1], self.available(member)) if answer[0] is Status.APPLIED else told(answer)

    def release(self, hold: UUID) -> Told:
        place, member, _ = self.held_in[hold]
        answer = self.wallets[place].release(hold, self.now, by_timeout=False)
        self.sweep()
        return (answer[1], self.available(member)) if answer[0] is Status.APPLIED else told(answer)

    def adjust(self, txn: UUID, member: UUID, points: int, expire: datetime, issuer: UUID) -> Told:
        """Approved; a debit when `points` is negative."""
        wallet = self.wallets[self.person(member)]
        with_survivor = self.watch()
        if points > 0:
            answer = wallet.credit(txn, points, expire, None, issuer)
        else:
            answer = wallet.debit(txn, -points, self.now)
        self.note_gone(with_survivor)
        return (answer[2], answer[3]) if answer[0] is Status.APPLIED else told(answer)

    def close_day(self) -> None:
        """Holds that timed out, pending points, and what is over its time: in this order."""
        for wallet in self.wallets.values():
            for hold in list(wallet.holds):
                wallet.release(hold, self.now, by_timeout=True)
            for unlock_time in {lot.unlock_time for lot in wallet.lots if lot.unlock_time}:
                wallet.activate(unlock_time, self.now)
            for expire_time in {lot.expire_time for lot in wallet.lots}:
                wallet.expire(expire_time, self.now)
        self.given_today.clear()
        self.sweep()

    # ---- between wallets

    def transfer(self, giver: UUID, taker: UUID, points: int, *, is_limited: bool = True) -> Told:
        """Who owes points has that much less to give away."""
        wallet = self.wallets[giver]
        if is_limited and self.given_today[giver] + points > self.transfer_limit:
            return "TRANSFER_LIMIT_REACHED"
        there = sum(part for _, part in wallet.choose(points + wallet.debt, self.now))
        if there < points + wallet.debt:
            return "INSUFFICIENT_POINTS"
        if is_limited:
            self.given_today[giver] += points
        with_survivor = self.watch()
        chosen = wallet.choose(points, self.now)
        self.take(chosen)
        self.note_gone(with_survivor)
        answer = points, wallet.available
        self.put(chosen, taker, is_unlocked=True)
        self.sweep()
        return answer

    def take(self, chosen: Sequence[tuple[ModelLot, int]]) -> None:
        for lot, part in chosen:
            lot.left -= part

    def put(self, chosen: Sequence[tuple[ModelLot, int]], taker: UUID, *, is_unlocked: bool = False) -> None:
        """The same lots in another wallet."""
        for lot, part in chosen:
            unlock_time = None if is_unlocked else lot.unlock_time
            lots = self.wallets[taker].lots
            same = next((one for one in lots if (one.lot_id, one.expire_time) == (lot.lot_id, lot.expire_time)), None)
            if same is None:
                same = ModelLot(lot.lot_id, lot.expire_time, 0, issuer=lot.issuer)
                lots.append(same)
            if same.left == 0:
                same.unlock_time = unlock_time
            same.left += part

    def carry(self, chosen: Sequence[tuple[ModelLot, int]], taker: UUID) -> None:
        self.take(chosen)
        self.put(chosen, taker)

    def add_pool(self, pool: UUID) -> None:
        self.wallets[pool] = ModelWallet(books=self.books)

    def empty_pool(self, pool: UUID, owner: UUID) -> None:
        if points := self.wallets[pool].available:
            self.transfer(pool, owner, points, is_limited=False)

    def begin_merge(self, survivor: UUID, absorbed: UUID) -> None:
        self.merge = ModelMerge(survivor, absorbed)
        self.merged_before.add(frozenset((survivor, absorbed)))
        self.sweep()

    def sweep(self) -> None:
        """Whatever the absorbed one has and nothing holds is the survivor's."""
        if self.merge is None:
            return
        survivor, absorbed = self.wallets[self.merge.survivor], self.wallets[self.merge.absorbed]
        for debt in [debt for debt in absorbed.debts if debt.left]:
            survivor.debts.append(debt)
            self.merge.debts.append(debt)
            self.merge.debt_points += debt.left
        absorbed.debts = []
        chosen = [(lot, lot.left - lot.held) for lot in absorbed.lots if lot.left > lot.held]
        for lot, part in chosen:
            self.merge.moved[lot.lot_id] += part
        self.carry(chosen, self.merge.survivor)

    def unmerge(self) -> None:
        """Each gets its own back; what one has spent of the other's moves, as far as it is there."""
        merge = self.merge
        assert merge is not None
        self.merge = None
        survivor, absorbed = self.wallets[merge.survivor], self.wallets[merge.absorbed]
        survivor.debts = [debt for debt in survivor.debts if not any(debt is one for one in merge.debts)]
        absorbed.debts = [debt for debt in merge.debts if debt.left]
        owed = sum(debt.left for debt in absorbed.debts) - merge.debt_points
        missing = Counter(merge.moved)
        for lot in sorted(survivor.lots, key=lambda lot: (lot.expire_time, lot.lot_id)):
            part = min(lot.left - lot.held, missing[lot.lot_id])
            if part > 0:
                missing[lot.lot_id] -= part
                self.carry([(lot, part)], merge.absorbed)
        by_survivor, by_absorbed = Counter(merge.gone), Counter[UUID]()
        for txn in merge.spends:
            spends = by_absorbed if self.spent_at[txn][1] == merge.absorbed else by_survivor
            for lot, part in survivor.uses[txn]:
                spends[lot.lot_id] += part
        own = {lot_id for lot_id, points in missing.items() if points > 0}
        owed += sum(min(by_survivor[lot_id], missing[lot_id]) for lot_id in own)
        owed -= sum(points for lot_id, points in by_absorbed.items() if lot_id not in own)
        owed += sum(points for points in missing.values() if points < 0)
        giver, taker = merge.survivor, merge.absorbed
        if owed < 0:
            giver, taker = taker, giver
        self.carry(self.wallets[giver].choose(abs(owed), self.now), taker)

    def has_open_hold(self, wallet: UUID) -> bool:
        return any(state == "held" for state, _, _ in self.wallets[wallet].holds.values())

    # ---- looks

    def available(self, member: UUID) -> int:
        return self.wallets[self.person(member)].available

    def watch(self) -> Counter[UUID]:
        """What the survivor has of each lot, to see what of it goes."""
        if self.merge is None:
            return Counter()
        return _by_lot(self.wallets[self.merge.survivor])

    def note_gone(self, before: Counter[UUID]) -> None:
        if self.merge is not None:
            self.merge.gone += before - _by_lot(self.wallets[self.merge.survivor])


def _by_lot(wallet: ModelWallet) -> Counter[UUID]:
    points: Counter[UUID] = Counter()
    for lot in wallet.lots:
        points[lot.lot_id] += lot.left
    return points


def told(answer: Answer) -> Told:
    """An answer of one wallet as (points, available), or the reason of its refusal."""
    status, points, _, available = answer
    return (points, available) if status is Status.APPLIED else _REASONS[status]
