"""Random histories on the real ledger, step by step beside a small model in memory that follows the written rules.

`make nightly` plays ten thousand of them and more.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import ids
from services.points.ledger.ledger import OWN_LOT_ONLY, Item, Kind, Ledger, Outcome, Status
from tests.integration.points.bank import NOW, Bank
from tests.integration.points.model import Answer, ModelWallet

SEQUENCES = int(os.environ.get("HUITONG_TEST_SEQUENCES", "150"))
EXPIRIES = [NOW + timedelta(days=days) for days in (30, 60, 90)]
RENEWED = [*EXPIRIES[1:], NOW + timedelta(days=120)]
# Transfers and merges take two wallets: they have histories of their own in test_transfers and test_merging.
# Conversions are still on their way.
# Awards are the earns and claw-backs of other currencies' wallets: test_awards.
_ELSEWHERE = (
    *(Kind.TRANSFER_OUT, Kind.TRANSFER_IN, Kind.MERGE_OUT, Kind.MERGE_IN),
    *(Kind.AWARD, Kind.AWARD_RETURN),
)
PLAYED = [kind for kind in Kind if kind not in _ELSEWHERE]
KINDS = [*PLAYED, *[Kind.EARN] * 3, Kind.REDEEM, Kind.CLAW_BACK, Kind.HOLD, Kind.CAPTURE, Kind.EXPIRE]
CLOCK = "(SELECT business_time FROM business_clock WHERE id = 1)"


class Stage:
    """Open lanes, a connection to look at what they did, and a clock that stands still until it is told."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.moved: set[str] = set()  # kinds that were applied
        self.met: set[str] = set()  # statuses that were answered
        self.ledger = bank.ledger(now_sql=CLOCK)

    async def open(self) -> None:
        self.connection: asyncpg.Connection = await asyncpg.connect(self.bank.url)
        await self.set_clock(NOW)
        await self.ledger.open()

    async def close(self) -> None:
        await self.ledger.close()
        await self.connection.close()

    async def set_clock(self, now: datetime) -> None:
        await self.connection.execute(
            """INSERT INTO business_clock (id, business_time, set_time) VALUES (1, $1, clock_timestamp())
               ON CONFLICT (id) DO UPDATE SET business_time = $1""",
            now,
        )


class Player:
    """Draws steps, sends them in batches of any size, and compares every answer and the wallets with the model."""

    def __init__(self, stage: Stage, data: st.DataObject) -> None:
        self.stage, self.bank, self.data = stage, stage.bank, data
        self.now = NOW
        self.sent: list[tuple[Item, Answer]] = []
        self.number = 0
        self.expiries: dict[UUID, datetime] = {}  # of top-ups

    def move(self, kind: Kind, wallet: UUID, points: int = 0, **changes: Any) -> Item:
        """Its id is the same whenever this history is played: lots are taken in the order of their ids."""
        self.number += 1
        txn_id = ids.derive("step", self.number)
        adds = kind in (Kind.EARN, Kind.CREDIT)
        make = partial(self.bank.earn, kind=kind) if adds else partial(self.bank.move, kind)
        return make(wallet, points, txn_id=txn_id, **changes)

    def draw(self, strategy: Any) -> Any:
        return self.data.draw(strategy)

    def step(self) -> tuple[Item, Answer]:
        """An item and what the model answers to it."""
        if self.sent and self.draw(st.integers(0, 9)) == 0:
            return self.again()
        wallet = self.draw(st.sampled_from(self.wallets))
        model, now = self.models[wallet], self.now
        kind = self.draw(st.sampled_from(KINDS))
        points = self.draw(st.integers(1, 30))
        nothing = ids.derive("never-heard-of")
        is_odd = self.draw(st.integers(0, 7)) == 0
        clawable = [sale for sale in model.sales if sale[2] > 0]
        if kind is Kind.CLAW_BACK and (clawable or is_odd):
            sale, expire_time, left = self.draw(st.sampled_from(clawable or [(nothing, EXPIRIES[0], 1)]))
            points, seen = min(points, left), model.refund_counts.get(sale, 0) + is_odd
            debt_limit = self.draw(st.sampled_from([None, None, 0, 5, 20, OWN_LOT_ONLY]))
            item = self.move(
                kind, wallet, points, ref_id=sale, expire_time=expire_time, expected=seen, detail=b"", explanation=b""
            )
            item.limit_points = debt_limit
            return item, model.claw_back(sale, points, now, seen_refunds=seen, debt_limit=debt_limit)
        if kind is Kind.REDEEM:
            item = self.move(kind, wallet, points, detail=b"")
            return item, model.redeem(item.txn_id, points, now)
        if kind is Kind.DEBIT:
            item = self.move(kind, wallet, points, detail=b"", merchant_id=None)
            return item, model.debit(item.txn_id, points, now)
        if kind is Kind.CREDIT:
            expire_time = max(self.draw(st.sampled_from(EXPIRIES)), now + timedelta(days=1))
            shop = self.draw(st.integers(0, 3))
            item = self.move(kind, wallet, points, shop=shop, expire_time=expire_time, amount_minor=0)
            return item, model.credit(item.txn_id, points, expire_time)
        if kind is Kind.FUND:
            limit, expire_time = self.draw(st.sampled_from([0, 60])), now + timedelta(days=100)
            item = self.move(kind, wallet, points, expire_time=expire_time, expected=limit, detail=b"")
            lot = {"lot_id": str(item.txn_id), "merchant_id": str(item.merchant_id), "points": points}
            item.explanation = json.dumps([{**lot, "expire_time": expire_time.isoformat()}]).encode()
            self.expiries[item.txn_id] = expire_time
            return item, model.fund(item.txn_id, points, expire_time, limit)
        if kind is Kind.REFUND_FUNDING and model.funded:
            lot_id, points = self.draw(st.sampled_from(model.funded)), self.draw(st.sampled_from([0, points]))
            item = self.move(kind, wallet, points, ref_id=lot_id, expire_time=self.expiries[lot_id], detail=b"")
            return item, model.refund_funding(lot_id, points)
        if kind is Kind.CONVERT_OUT:
            item = self.move(
                kind,
                wallet,
                points,
                ref_id=nothing,
                store_id=nothing,
                expire_time=EXPIRIES[0],
                amount_minor=1,
                detail=b"",
            )
            return item, model.convert_out(points, now)
        if kind is Kind.ACTIVATE:
            # Also one that is not due yet, or that no lot has.
            times = sorted({lot.unlock_time for lot in model.lots if lot.unlock_time is not None}) or [now]
            unlock_time = self.draw(st.sampled_from(times))
            return self.move(kind, wallet, unlock_time=unlock_time), model.activate(unlock_time, now)
        if kind is Kind.UNLOCK and (model.sales or is_odd):
            waiting = [lot.lot_id for lot in model.lots if lot.unlock_time is not None]
            chosen = [sale for sale in model.sales if sale[0] in waiting] or model.sales or [(nothing, EXPIRIES[0], 1)]
            sale, expire_time, _ = self.draw(st.sampled_from(chosen))
            until = now + timedelta(days=self.draw(st.integers(-5, 15))) if self.draw(st.booleans()) else None
            item = self.move(kind, wallet, ref_id=sale, expire_time=expire_time, unlock_time=until)
            return item, model.unlock(sale, until, now)
        if kind is Kind.REVERSE and (model.uses or is_odd):
            txn = nothing if is_odd else self.draw(st.sampled_from(list(model.uses)))
            points = self.draw(st.sampled_from([0, points]))
            return self.move(kind, wallet, points, ref_id=txn), model.reverse(txn, points)
        if kind is Kind.HOLD:
            expire_time = now + timedelta(days=self.draw(st.integers(1, 40)))
            item = self.move(kind, wallet, points, expire_time=expire_time, detail=b"")
            if model.refused and is_odd:
                item.txn_id = self.draw(st.sampled_from(list(model.refused)))
            return item, model.hold(item.txn_id, points, now, expire_time)
        known_holds = [*model.holds, *model.refused]
        if kind is Kind.CAPTURE and (known_holds or is_odd):
            hold = nothing if is_odd else self.draw(st.sampled_from(known_holds))
            points = self.draw(st.sampled_from([0, points]))
            item = self.move(kind, wallet, points, ref_id=hold)
            return item, model.capture(hold, item.txn_id, points, now)
        if kind is Kind.RELEASE:
            # Of a hold that is there, or of one that has yet to come.
            item = self.move(kind, wallet, expected=self.draw(st.integers(0, 1)))
            if known_holds and not is_odd:
                item.txn_id = self.draw(st.sampled_from(known_holds))
            item.ref_id = item.txn_id
            return item, model.release(item.txn_id, now, by_timeout=item.expected == 1)
        if kind is Kind.RENEW:
            before, expire_time = self.draw(st.sampled_from(EXPIRIES)), self.draw(st.sampled_from(RENEWED))
            item = self.move(kind, wallet, expire_time=expire_time, unlock_time=before)
            return item, model.renew(before, expire_time, now)
        if kind is Kind.EXPIRE:
            due = [lot.expire_time for lot in model.lots if lot.expire_time <= now and lot.left > lot.held]
            expire_time = self.draw(st.sampled_from(EXPIRIES if is_odd or not due else due))
            return self.move(kind, wallet, expire_time=expire_time), model.expire(expire_time, now)
        unlock_time = now + timedelta(days=self.draw(st.integers(1, 20))) if self.draw(st.booleans()) else None
        expire_time = max(self.draw(st.sampled_from(EXPIRIES)), (unlock_time or now) + timedelta(days=1))
        shop = self.draw(st.integers(0, 3))
        item = self.move(Kind.EARN, wallet, points, shop=shop, expire_time=expire_time, unlock_time=unlock_time)
        return item, model.earn(item.txn_id, points, expire_time, unlock_time)

    def again(self) -> tuple[Item, Answer]:
        """What was applied before, or its id with other content."""
        item, (status, *values) = self.draw(st.sampled_from(self.sent))
        if status is Status.INSUFFICIENT:
            return item, (status, *values)
        if self.draw(st.integers(0, 3)) == 0:
            return replace(item, request_hash=b"other"), (Status.CONFLICT, *values)
        return item, (Status.REPLAY, *values)

    async def play(self) -> None:
        self.wallets = await self.bank.open_wallets(2, lane=0)
        self.models = {wallet: ModelWallet() for wallet in self.wallets}
        await self.stage.set_clock(self.now)
        for _ in range(self.draw(st.integers(4, 14))):
            if self.draw(st.integers(0, 3)) == 0:
                self.now += timedelta(days=self.draw(st.integers(1, 40)))
                await self.stage.set_clock(self.now)
            steps: list[tuple[Item, Answer]] = []
            for _ in range(self.draw(st.integers(1, 8))):
                item, expected = self.step()
                is_again = expected[0] in (Status.REPLAY, Status.CONFLICT, Status.INSUFFICIENT)
                if is_again and item.txn_id in {i.txn_id for i, _ in steps}:
                    continue  # a lane never puts a transaction and its replay into one batch
                steps.append((item, expected))
                # A debit that was refused is refused for ever, also when there are points again.
                refuses = item.kind is Kind.DEBIT and expected[0] is Status.INSUFFICIENT
                is_final = expected[0] is Status.APPLIED or refuses
                if is_final and item.kind is not Kind.RELEASE:
                    self.sent.append((item, expected))
            if steps:
                await self.compare(steps)

    async def compare(self, steps: list[tuple[Item, Answer]]) -> None:
        answers = await apply_in_order(self.stage.ledger, [item for item, _ in steps])
        for (item, expected), answer in zip(steps, answers, strict=True):
            assert (answer.status, answer.points, answer.debt_points, answer.available_points) == expected, item
            self.stage.met.add(answer.status.name)
            if answer.status is Status.APPLIED:
                self.stage.moved.add(item.kind.name)
        rows = await self.stage.connection.fetch(
            f"""SELECT wallet_id, available_points, held_points, pending_points, debt_points
                FROM wallet{self.bank.suffix} WHERE wallet_id = ANY($1)""",
            self.wallets,
        )
        assert {tuple(row) for row in rows} == {
            (wallet, model.available, model.held, model.pending, model.debt) for wallet, model in self.models.items()
        }
        lots = await self.stage.connection.fetch(
            f"""SELECT lot_id, expire_time, left_points, held_points FROM lot{self.bank.suffix}
                WHERE wallet_id = ANY($1)""",
            self.wallets,
        )
        assert {tuple(row) for row in lots} == {
            (lot.lot_id, lot.expire_time, lot.left, lot.held) for model in self.models.values() for lot in model.lots
        }


async def apply_in_order(ledger: Ledger, items: list[Item]) -> list[Outcome]:
    """One call of the SQL, its items in this order: a lane takes from the waiting merchants in turn."""
    rows = await ledger.lanes[0]._call(items)
    answers = {row[0]: Outcome(Status(row[1]), *row[2:]) for row in rows}
    return [answers[number] for number in range(1, len(items) + 1)]


async def test_random_histories_follow_the_model(bank: Bank) -> None:
    stage = Stage(bank)

    def play_all() -> None:
        with asyncio.Runner() as runner:

            @settings(max_examples=SEQUENCES, deadline=None, suppress_health_check=list(HealthCheck))
            @given(st.data())
            def play(data: st.DataObject) -> None:
                runner.run(Player(stage, data).play())

            runner.run(stage.open())
            try:
                play()
            finally:
                runner.run(stage.close())

    # In a thread of its own: what hypothesis draws has to be drawn where it runs.
    await asyncio.to_thread(play_all)
    # Histories prove nothing about what they never did. Wallets of other lanes are in test_lanes.
    assert {kind.name for kind in PLAYED} - stage.moved == set()
    if SEQUENCES >= 1_000:  # some are rare
        assert {status.name for status in Status} - stage.met == {
            "UNKNOWN_WALLET",
            "TRANSFER_LIMIT",
            "CONVERSION_LIMIT",
            "POOL_LIMIT",
        }
