"""Random histories on the real ledger, step by step beside a small model in memory that follows the written rules."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.points.ledger import Item, Kind, Ledger, Outcome, Status
from tests.integration.points.test_lanes import NOW, Bank, bank

__all__ = ["bank"]
EXPIRIES = [NOW + timedelta(days=days) for days in (30, 60, 90)]


@dataclass
class ModelLot:
    lot_id: UUID
    expire_time: datetime
    left: int
    held: int = 0
    unlock_time: datetime | None = None  # pending until it is activated


@dataclass
class ModelWallet:
    """What a wallet should be, in the plainest code."""

    lots: list[ModelLot] = field(default_factory=list)
    debt: int = 0
    answers: dict[UUID, tuple[Status, int, int, int]] = field(default_factory=dict)
    sales: list[tuple[UUID, datetime, int]] = field(default_factory=list)  # sale, expiry, points left to claw back
    uses: dict[UUID, list[tuple[ModelLot, int]]] = field(default_factory=dict)
    holds: dict[UUID, tuple[str, list[tuple[ModelLot, int]], datetime]] = field(default_factory=dict)
    refund_counts: dict[UUID, int] = field(default_factory=dict)

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

    def earn(
        self, sale: UUID, points: int, expire_time: datetime, unlock_time: datetime | None
    ) -> tuple[Status, int, int, int]:
        repaid = min(self.debt, points)
        self.debt -= repaid
        if points > repaid:
            self.lots.append(ModelLot(sale, expire_time, points - repaid, unlock_time=unlock_time))
        self.sales.append((sale, expire_time, points))
        return Status.APPLIED, points, repaid, self.available

    def claw_back(self, sale: UUID, points: int, now: datetime) -> tuple[Status, int, int, int]:
        chosen = self.choose(points, now, own=sale)
        for lot, part in chosen:
            lot.left -= part
        debt = points - sum(part for _, part in chosen)
        self.debt += debt
        self.refund_counts[sale] = self.refund_counts.get(sale, 0) + 1
        self.sales = [(s, e, left - points if s == sale else left) for s, e, left in self.sales]
        return Status.APPLIED, points, debt, self.available

    def redeem(self, txn: UUID, points: int, now: datetime) -> tuple[Status, int, int, int]:
        chosen = self.choose(points, now)
        there = sum(part for _, part in chosen)
        if there < points:
            return Status.INSUFFICIENT, 0, 0, there
        for lot, part in chosen:
            lot.left -= part
        self.uses[txn] = chosen
        return Status.APPLIED, points, 0, self.available

    def debit(self, txn: UUID, points: int, now: datetime) -> tuple[Status, int, int, int]:
        answer = self.redeem(txn, points, now)
        self.uses.pop(txn, None)  # nothing ever comes back of it
        return answer

    def reverse(self, txn: UUID, points: int) -> tuple[Status, int, int, int]:
        uses = self.uses[txn]
        there = sum(part for _, part in uses)
        points = points or there
        if points > there or there == 0:
            return Status.REVERSAL_EXCEEDS, there, 0, self.available
        given, left = points, []
        for lot, part in reversed(uses):
            back = min(part, points)
            lot.left += back
            points -= back
            left.append((lot, part - back))
        self.uses[txn] = left[::-1]
        return Status.APPLIED, given, 0, self.available

    def hold(self, hold: UUID, points: int, now: datetime, expire_time: datetime) -> tuple[Status, int, int, int]:
        if hold in self.holds:
            return Status.HOLD_RELEASED, 0, 0, self.available
        chosen = self.choose(points, now)
        there = sum(part for _, part in chosen)
        if there < points:
            return Status.INSUFFICIENT, 0, 0, there
        for lot, part in chosen:
            lot.held += part
        self.holds[hold] = ("held", chosen, expire_time)
        return Status.APPLIED, points, 0, self.available

    def free(self, hold: UUID) -> None:
        _, chosen, expire_time = self.holds[hold]
        for lot, part in chosen:
            lot.held -= part
        self.holds[hold] = ("released", [], expire_time)

    def capture(self, hold: UUID, txn: UUID, points: int, now: datetime) -> tuple[Status, int, int, int]:
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
        self.holds[hold] = ("captured", [], expire_time)
        return Status.APPLIED, points, 0, self.available

    def expire(self, expire_time: datetime, now: datetime) -> tuple[Status, int, int, int]:
        points = 0
        for lot in self.lots:
            if lot.expire_time == expire_time <= now and lot.unlock_time is None:
                points += lot.left - lot.held
                lot.left = lot.held
        return (Status.APPLIED if points else Status.NOTHING), points, 0, self.available

    def activate(self, unlock_time: datetime, now: datetime) -> tuple[Status, int, int, int]:
        points = 0
        for lot in self.lots:
            if lot.unlock_time == unlock_time <= now:
                points += lot.left
                lot.unlock_time = None
        return (Status.APPLIED if points else Status.NOTHING), points, 0, self.available


class Player:
    """Draws steps, sends them in batches of any size, and compares every answer and the wallet with the model."""

    def __init__(self, bank: Bank, ledger: Ledger, wallet_id: UUID, data: st.DataObject) -> None:
        self.bank, self.ledger, self.wallet_id, self.data = bank, ledger, wallet_id, data
        self.model = ModelWallet()
        self.now = NOW
        self.sent: list[tuple[Item, tuple[Status, int, int, int]]] = []

    def draw(self, strategy: Any) -> Any:
        return self.data.draw(strategy)

    def step(self) -> tuple[Item, tuple[Status, int, int, int]]:
        """An item and what the model answers to it."""
        model, bank, wallet, now = self.model, self.bank, self.wallet_id, self.now
        # Transfers take two wallets: they have histories of their own in test_transfers.
        kinds = [kind for kind in Kind if kind not in (Kind.TRANSFER_OUT, Kind.TRANSFER_IN)]
        kind = self.draw(st.sampled_from(kinds + [Kind.EARN] * 3 + [Kind.REDEEM, Kind.CLAW_BACK]))
        points = self.draw(st.integers(1, 30))
        shop = self.draw(st.integers(0, 3))
        clawable = [sale for sale in model.sales if sale[2] > 0]
        if self.sent and self.draw(st.integers(0, 9)) == 0:  # again
            item, (status, *values) = self.draw(st.sampled_from(self.sent))
            return item, (status if status is Status.INSUFFICIENT else Status.REPLAY, *values)
        if kind is Kind.CLAW_BACK and clawable:
            sale, expire_time, left = self.draw(st.sampled_from(clawable))
            points = min(points, left)
            item = bank.move(kind, wallet, points, ref_id=sale, expire_time=expire_time, detail=b"", explanation=b"")
            item.expected = model.refund_counts.get(sale, 0)
            return item, model.claw_back(sale, points, now)
        if kind is Kind.REDEEM:
            item = bank.move(kind, wallet, points, detail=b"")
            return item, model.redeem(item.txn_id, points, now)
        if kind is Kind.DEBIT:
            item = bank.move(kind, wallet, points, detail=b"", merchant_id=None)
            return item, model.debit(item.txn_id, points, now)
        if kind is Kind.CREDIT:
            expire_time = max(self.draw(st.sampled_from(EXPIRIES)), now + timedelta(days=1))
            item = bank.earn(wallet, points, kind=kind, shop=shop, expire_time=expire_time, amount_minor=0)
            answer = model.earn(item.txn_id, points, expire_time, None)
            model.sales.pop()  # there are no goods that could be returned
            return item, answer
        if kind is Kind.REVERSE and model.uses:
            txn = self.draw(st.sampled_from(list(model.uses)))
            points = self.draw(st.sampled_from([0, points]))
            return bank.move(kind, wallet, points, ref_id=txn), model.reverse(txn, points)
        if kind is Kind.HOLD:
            expire_time = now + timedelta(days=self.draw(st.integers(1, 40)))
            item = bank.move(kind, wallet, points, expire_time=expire_time, detail=b"")
            return item, model.hold(item.txn_id, points, now, expire_time)
        if kind is Kind.CAPTURE and model.holds:
            hold = self.draw(st.sampled_from(list(model.holds)))
            points = self.draw(st.sampled_from([0, points]))
            item = bank.move(kind, wallet, points, ref_id=hold)
            return item, model.capture(hold, item.txn_id, points, now)
        if kind is Kind.RELEASE and model.holds:
            hold = self.draw(st.sampled_from(list(model.holds)))
            item = bank.move(kind, wallet, ref_id=hold, txn_id=hold)
            held = sum(part for _, part in model.holds[hold][1])
            if model.holds[hold][0] == "held":
                model.free(hold)
                return item, (Status.APPLIED, held, 0, model.available)
            status = Status.HOLD_CAPTURED if model.holds[hold][0] == "captured" else Status.APPLIED
            return item, (status, -1, 0, model.available)
        if kind is Kind.EXPIRE:
            expire_time = self.draw(st.sampled_from(EXPIRIES))
            return bank.move(kind, wallet, expire_time=expire_time), model.expire(expire_time, now)
        if kind is Kind.ACTIVATE:
            # Also one that is not due yet, or that no lot has.
            times = sorted({lot.unlock_time for lot in model.lots if lot.unlock_time is not None}) or [now]
            unlock_time = self.draw(st.sampled_from(times))
            return bank.move(kind, wallet, unlock_time=unlock_time), model.activate(unlock_time, now)
        unlock_time = now + timedelta(days=self.draw(st.integers(1, 20))) if self.draw(st.booleans()) else None
        expire_time = max(self.draw(st.sampled_from(EXPIRIES)), (unlock_time or now) + timedelta(days=1))
        item = bank.earn(wallet, points, shop=shop, expire_time=expire_time, unlock_time=unlock_time)
        return item, model.earn(item.txn_id, points, expire_time, unlock_time)

    async def play(self, batch_count: int) -> None:
        for _ in range(batch_count):
            if self.draw(st.integers(0, 4)) == 0:
                self.now += timedelta(days=self.draw(st.integers(1, 40)))
                await set_clock(self.bank, self.now)
            # One queue keeps the order within a wallet: the lane takes from merchants in turn.
            steps: list[tuple[Item, tuple[Status, int, int, int]]] = []
            for _ in range(self.draw(st.integers(1, 6))):
                item, expected = self.step()
                is_again = expected[0] in (Status.REPLAY, Status.INSUFFICIENT)
                if is_again and any(item.txn_id == other.txn_id for other, _ in steps):
                    continue  # a lane never puts a transaction and its replay into one batch
                steps.append((item, expected))
                # A debit that was refused is refused for ever, also when there are points again.
                is_final = expected[0] is Status.APPLIED or item.kind is Kind.DEBIT
                if is_final and item.kind not in (Kind.RELEASE, Kind.HOLD):
                    self.sent.append((item, expected))
            await self.compare(steps)

    async def compare(self, steps: list[tuple[Item, tuple[Status, int, int, int]]]) -> None:
        answers = await apply_in_order(self.ledger, [item for item, _ in steps])
        for (item, (status, points, debt, available)), answer in zip(steps, answers, strict=True):
            assert isinstance(answer, Outcome)
            assert answer.status is status, item
            assert points == -1 or answer.points == points, item
            if status is not Status.UNKNOWN_WALLET:
                assert (answer.debt_points, answer.available_points) == (debt, available), item
        row = await self.bank.wallet(self.wallet_id)
        assert (row["available_points"], row["held_points"], row["pending_points"], row["debt_points"]) == (
            self.model.available,
            self.model.held,
            self.model.pending,
            self.model.debt,
        )


async def apply_in_order(ledger: Ledger, items: list[Item]) -> list[Any]:
    """One call of the SQL, its items in this order."""
    lane = ledger.lanes[ledger.lane_of(items[0].wallet_id)]
    rows = await lane._call(items)
    answers = {row[0]: Outcome(Status(row[1]), *row[2:]) for row in rows}
    return [answers[number] for number in range(1, len(items) + 1)]


async def set_clock(bank: Bank, now: datetime) -> None:
    import asyncpg

    connection = await asyncpg.connect(bank.url)
    await connection.execute(
        """INSERT INTO business_clock (id, business_time, set_time) VALUES (1, $1, clock_timestamp())
           ON CONFLICT (id) DO UPDATE SET business_time = $1""",
        now,
    )
    await connection.close()


async def test_random_histories_follow_the_model(bank: Bank) -> None:
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def play(data: st.DataObject) -> None:
        async def one() -> None:
            await set_clock(bank, NOW)
            # Its time is the one that was told, and stands still.
            ledger = Ledger(bank.url, 2, now_sql="(SELECT business_time FROM business_clock WHERE id = 1)")
            await ledger.open()
            try:
                (wallet_id,) = await bank.open_wallets(1)
                await Player(bank, ledger, wallet_id, data).play(batch_count=25)
            finally:
                await ledger.close()

        asyncio.run(one())

    # In a thread of its own: what hypothesis draws has to be drawn where it runs.
    await asyncio.to_thread(play)
