"""A lane's call is struck at named points: before it, in the middle of it, after its commit and before its answer.

Each time the caller gets the truth, every item has one effect, and no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from asyncpg.exceptions import InternalClientError

from chassis.errors import Unavailable
from services.points.ledger import ledger as ledger_module
from services.points.ledger.ledger import Item, Kind, Ledger, Outcome, Status
from suite.local import LocalServers
from tests.integration.points import mortal
from tests.integration.points.bank import NOW, Bank, applied, open_bank
from tests.integration.points.wire import Wire
from tests.support import Sandbox

_LANE_BACKENDS = """FROM pg_stat_activity WHERE datname = current_database()
    AND application_name LIKE 'huitong-points-lane-%'"""


async def until(bank: Bank, query: str, *values: Any) -> None:
    """Wait until the query answers something."""
    async with asyncio.timeout(15):
        while not await bank.fetch(query, *values):
            await asyncio.sleep(0.01)


async def terminate_backends(bank: Bank) -> None:
    """Kill the server's side of every lane, and wait until it is gone."""
    pids = [row["pid"] for row in await bank.fetch(f"SELECT pid, pg_terminate_backend(pid) {_LANE_BACKENDS}")]
    assert pids
    await until(bank, "SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = ANY($1))", pids)


@contextlib.asynccontextmanager
async def held_up(bank: Bank, item: Item) -> AsyncIterator[None]:
    """Inside, the call that carries `item` cannot get past the lock of its wallet."""
    other = await asyncpg.connect(bank.url)
    try:
        await other.execute("BEGIN")
        # The lane's connection waits for this row until the other session goes away.
        await other.fetch(f"SELECT FROM wallet{bank.suffix} WHERE wallet_id = $1 FOR UPDATE", item.wallet_id)
        yield
    finally:
        other.terminate()


async def until_held_up(bank: Bank) -> None:
    """The call has begun, holds its lane's row, and waits for the wallet."""
    await until(bank, f"SELECT 1 {_LANE_BACKENDS} AND state = 'active' AND wait_event_type = 'Lock'")


async def until_committed(bank: Bank, items: list[Item]) -> None:
    """The last of `items` can be seen by others."""
    await until(bank, "SELECT 1 FROM txn{s} WHERE txn_id = $1", items[-1].txn_id)


class Batch:
    """Items of all kinds for the wallets of one lane, which have been applied in part before."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    async def prepare(self, ledger: Ledger) -> None:
        bank = self.bank
        self.wallets = await bank.open_wallets(6, lane=0)
        first = [bank.earn(wallet, 100, shop=number % 4) for number, wallet in enumerate(self.wallets)]
        spent = bank.move(Kind.REDEEM, self.wallets[1], 30, detail=b"")
        held = [
            bank.move(Kind.HOLD, wallet, 20, expire_time=NOW.replace(year=2100), detail=b"")
            for wallet in self.wallets[2:4]
        ]
        for before in (first, [spent], held):
            applied(await ledger.apply(before))
        self.items = [
            bank.earn(self.wallets[0], 7),
            bank.claw_back(first[0], 40),
            bank.move(Kind.REVERSE, self.wallets[1], 10, ref_id=spent.txn_id),
            bank.move(Kind.CAPTURE, self.wallets[2], 15, ref_id=held[0].txn_id),
            bank.move(Kind.RELEASE, self.wallets[3], ref_id=held[1].txn_id, txn_id=held[1].txn_id),
            bank.move(Kind.REDEEM, self.wallets[4], 25, detail=b""),
            bank.earn(self.wallets[5], 3),
        ]
        # Of each wallet: available, held.
        self.expected = [(67, 0), (80, 0), (85, 0), (100, 0), (75, 0), (103, 0)]

    async def check(self, answers: list[Any], *, replayed: bool) -> None:
        """Everything has been done once, and was answered as what it was."""
        assert all(isinstance(answer, Outcome) for answer in answers), answers
        status = Status.REPLAY if replayed else Status.APPLIED
        # A release has no id of its own: done twice it is simply done.
        assert [a.status for a, i in zip(answers, self.items, strict=True) if i.kind is not Kind.RELEASE] == [
            status
        ] * 6
        assert [(a.points, a.available_points) for a in answers] == [
            *((7, 107), (40, 67), (10, 80), (15, 85), (20, 100), (25, 75), (3, 103))
        ]
        rows = [await self.bank.wallet(wallet) for wallet in self.wallets]
        assert [(row["available_points"], row["held_points"]) for row in rows] == self.expected
        found = await self.bank.fetch(
            "SELECT txn_id FROM txn{s} WHERE txn_id = ANY($1)", [item.txn_id for item in self.items]
        )
        assert len(found) == len(self.items) - 1


@pytest.fixture
async def batch(bank: Bank, ledger: Ledger) -> Batch:
    """Ready to be sent."""
    batch = Batch(bank)
    await batch.prepare(ledger)
    return batch


async def test_backend_killed_before_the_call_does_it_on_the_next_connection(batch: Batch, ledger: Ledger) -> None:
    await terminate_backends(batch.bank)
    await batch.check(await ledger.apply(batch.items), replayed=False)


async def test_backend_killed_during_the_call_leaves_nothing_of_it_and_it_is_sent_again(
    batch: Batch, ledger: Ledger
) -> None:
    async with held_up(batch.bank, batch.items[-1]):
        answering = asyncio.create_task(ledger.apply(batch.items))
        await until_held_up(batch.bank)
        await terminate_backends(batch.bank)
        await until_held_up(batch.bank)  # the lane has connected anew and asks the same again
        found = await batch.bank.fetch("SELECT FROM txn{s} WHERE txn_id = $1", batch.items[0].txn_id)
        assert found == []
    await batch.check(await answering, replayed=False)


async def test_connection_cut_during_the_call_waits_for_what_the_server_does_with_it(
    batch: Batch, ledger: Ledger
) -> None:
    # The server does not notice that nobody listens: it commits, behind the back of the lane that is asking again.
    async with Wire(batch.bank.url) as wire:
        far = batch.bank.ledger(wire.url)
        await far.open()
        async with held_up(batch.bank, batch.items[-1]):
            answering = asyncio.create_task(far.apply(batch.items))
            await until_held_up(batch.bank)
            wire.cut()
            # Two calls now, one behind the other: the second one waits for the lane's row.
            await until(
                batch.bank,
                f"SELECT 1 {_LANE_BACKENDS} AND wait_event_type = 'Lock' HAVING count(*) = 2",
            )
        await batch.check(await answering, replayed=True)
        await far.close()


async def test_answer_lost_after_the_commit_is_given_as_a_replay(batch: Batch, ledger: Ledger) -> None:
    async with Wire(batch.bank.url) as wire:
        far = batch.bank.ledger(wire.url)
        await far.open()
        wire.is_deaf = True
        answering = asyncio.create_task(far.apply(batch.items))
        await until_committed(batch.bank, batch.items)
        wire.is_deaf = False
        wire.cut()
        await batch.check(await answering, replayed=True)
        await far.close()


async def test_backend_killed_after_the_commit_is_answered_as_a_replay(batch: Batch, ledger: Ledger) -> None:
    async with Wire(batch.bank.url) as wire:
        far = batch.bank.ledger(wire.url)
        await far.open()
        wire.is_deaf = True
        answering = asyncio.create_task(far.apply(batch.items))
        await until_committed(batch.bank, batch.items)
        await terminate_backends(batch.bank)
        wire.is_deaf = False
        wire.cut()
        await batch.check(await answering, replayed=True)
        await far.close()


@pytest.mark.parametrize(
    "error",
    [
        # What asyncpg raised when a server died in the middle of its answer.
        InternalClientError("got result for unknown protocol state 3"),
        # Not an Exception of the driver at all.
        RuntimeError("transport closed"),
    ],
)
async def test_any_unexpected_exception_means_unknown_outcome_and_the_same_ids_again(
    batch: Batch, ledger: Ledger, error: Exception
) -> None:
    lane = ledger.lanes[0]
    call, connection, asked = lane._call, lane._connection, []

    async def fail_once(items: Any) -> Any:
        asked.append([item.txn_id for item in items])
        rows = await call(items)
        if len(asked) == 1:
            raise error
        return rows

    lane._call = fail_once  # type: ignore[method-assign]  # no server can be made to raise this when it is told to
    await batch.check(await ledger.apply(batch.items), replayed=True)
    assert len(asked) == 2
    assert asked[0] == asked[1] == [item.txn_id for item in batch.items]
    assert lane._connection is not connection, "nobody knows what state the connection is in"


async def test_server_that_stays_away_is_answered_as_unknown_and_the_retry_gets_the_truth(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "CALL_SECONDS", 1.0)
    async with Wire(batch.bank.url) as wire:
        far = batch.bank.ledger(wire.url)
        await far.open()
        wire.is_deaf = True
        answers = await far.apply(batch.items, timeout_s=0.5)
        assert all(isinstance(answer, Unavailable) for answer in answers)
        await until_committed(batch.bank, batch.items)
        wire.is_deaf = False
        wire.cut()
        await batch.check(await far.apply(batch.items), replayed=True)
        await far.close()


@contextlib.asynccontextmanager
async def lane_moves(bank: Bank) -> AsyncIterator[asyncpg.Connection]:
    """Inside, the lane's row is being moved away; once this connection commits it is gone. Afterwards it is back."""
    mover = await asyncpg.connect(bank.url)
    try:
        await mover.execute("BEGIN")
        await mover.execute(f"UPDATE lane{bank.suffix} SET lane = 1000 WHERE lane = 0")
        yield mover
    finally:
        await mover.execute(f"UPDATE lane{bank.suffix} SET lane = 0 WHERE lane = 1000")
        await mover.close()


async def test_lane_that_moves_away_during_the_call_is_asked_again_where_it_is_then(
    batch: Batch, ledger: Ledger
) -> None:
    lane = ledger.lanes[0]
    connection, sent_count = lane._connection, len(lane.batch_sizes)
    async with lane_moves(batch.bank) as mover:
        answering = asyncio.create_task(ledger.apply(batch.items))
        await until_held_up(batch.bank)
        await mover.execute("COMMIT")
        async with asyncio.timeout(15):
            while len(lane.batch_sizes) < sent_count + 3:
                await asyncio.sleep(0.01)
        assert not answering.done()
        assert lane._connection is not connection, "the way to where it is now begins with a new one"
        assert set(lane.batch_sizes[sent_count:]) == {len(batch.items)}, "no item is at fault"
    await batch.check(await answering, replayed=False)


async def test_lane_that_stays_away_is_answered_as_unavailable_and_the_retry_is_applied_once(
    batch: Batch, ledger: Ledger
) -> None:
    async with lane_moves(batch.bank) as mover:
        await mover.execute("COMMIT")
        answers = await ledger.apply(batch.items, timeout_s=0.3)
        assert all(isinstance(answer, Unavailable) for answer in answers), answers
        found = await batch.bank.fetch(
            "SELECT FROM txn{s} WHERE txn_id = ANY($1)", [item.txn_id for item in batch.items]
        )
        assert found == []
    await batch.check(await ledger.apply(batch.items), replayed=False)


async def test_server_that_falls_silent_while_a_lane_connects_does_not_hold_it_for_ever(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "CONNECT_SECONDS", 0.5)
    async with Wire(batch.bank.url) as wire:
        far = batch.bank.ledger(wire.url)
        await far.open()
        wire.cut()
        wire.forget()
        # The connection is made, and then the answer to its preparing the call does not come.
        wire.deaf_after = b"ledger_apply"
        answering = asyncio.create_task(far.apply(batch.items))
        async with asyncio.timeout(15):
            while not wire.is_deaf:
                await asyncio.sleep(0.01)
            wire.deaf_after, connections = None, wire.connection_count
            while wire.connection_count == connections:
                await asyncio.sleep(0.01)
            wire.is_deaf = False
            await batch.check(await answering, replayed=False)
        await far.close()


@pytest.mark.parametrize(("point", "is_done"), [("taken", False), ("sent", True), ("answered", True)])
async def test_process_killed_with_a_batch_in_its_hands_does_it_once(bank: Bank, point: str, is_done: bool) -> None:
    (wallet,) = await bank.open_wallets(1)
    items = mortal.batch_of(bank, wallet)
    async with held_up(bank, items[0]) if point == "sent" else contextlib.nullcontext():
        process = await mortal.start("call", bank.url, point, str(wallet), *bank.tables)
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
    # What the server had been told it does to the end, for nobody.
    await until(bank, f"SELECT 1 WHERE NOT EXISTS (SELECT {_LANE_BACKENDS})")
    done = await bank.fetch("SELECT FROM txn{s} WHERE wallet_id = $1", wallet)
    assert len(done) == (len(items) if is_done else 0)
    ledger = bank.ledger()
    await ledger.open()
    try:
        answers = await ledger.apply(items)
    finally:
        await ledger.close()
    status = Status.REPLAY if is_done else Status.APPLIED
    assert [answer.status for answer in answers if isinstance(answer, Outcome)] == [status] * len(items)
    assert (await bank.wallet(wallet))["available_points"] == 43


@pytest.mark.timeout(180)
async def test_server_killed_at_each_point_loses_nothing_and_doubles_nothing(
    own_servers: LocalServers, tables: tuple[int, str]
) -> None:
    lane_count, suffix = tables
    bank = await open_bank(Sandbox(own_servers, valkey_database=1), lane_count=lane_count, suffix=suffix)
    async with Wire(bank.url) as wire:
        ledger = bank.ledger(wire.url)
        await ledger.open()

        async def crash() -> None:
            await asyncio.to_thread(own_servers.kill, "postgres")
            wire.is_deaf = False
            await asyncio.to_thread(own_servers.restart, "postgres")

        for point in ("before the call", "during the call", "after the commit"):
            batch = Batch(bank)
            await batch.prepare(ledger)
            if point == "before the call":
                await crash()
                answers = await ledger.apply(batch.items, timeout_s=60)
            elif point == "during the call":
                async with held_up(bank, batch.items[-1]):
                    answering = asyncio.create_task(ledger.apply(batch.items, timeout_s=60))
                    await until_held_up(bank)
                    await crash()
                answers = await answering
            else:
                wire.is_deaf = True
                answering = asyncio.create_task(ledger.apply(batch.items, timeout_s=60))
                await until_committed(bank, batch.items)
                await crash()
                answers = await answering
            await batch.check(answers, replayed=point == "after the commit")
        await ledger.close()
    assert await bank.violations() == {}
