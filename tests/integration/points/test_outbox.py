"""The ledger's events: numbered under the lane's lock, read without gaps, packed and published once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import nats
import pytest
from nats.js import JetStreamContext

from chassis.db import Database
from huitong.common.v1 import events_pb2
from services.points.ledger import events_source
from services.points.ledger.events_source import LedgerOutbox
from services.points.ledger.ledger import Ledger, columns
from tests.integration.points.bank import Bank, applied, open_bank
from tests.integration.points.mortal import LANES, open_relay, start
from tests.support import Sandbox


@pytest.fixture(autouse=True)
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads do not wait for more events to come."""
    monkeypatch.setattr(events_source, "READ_SECONDS", 0)


async def test_outbox_is_read_without_gaps_however_it_is_cut(bank: Bank, ledger: Ledger) -> None:
    wallets = await bank.open_wallets(6, lane=0)
    for _ in range(4):
        await ledger.apply([bank.earn(wallet, points) for points, wallet in enumerate(wallets)])
    connection = await asyncpg.connect(bank.url)
    source = LedgerOutbox(bank.lane_count, suffix=bank.suffix)
    everything = await source.read(connection, 0, "", 100_000)
    assert [int(each.position) for each in everything] == list(range(1, len(everything) + 1))
    assert await source.count_after(connection, 0, everything[-1].position) == 0
    for limit in (1, 2, 3, 7):
        pieces, after = [], ""
        while piece := await source.read(connection, 0, after, limit):
            assert len(piece) <= limit
            pieces += piece
            after = piece[-1].position
        assert pieces == everything
    middle = await source.read(connection, 0, "3", 100, "6")
    assert [each.position for each in middle] == ["4", "5", "6"]
    assert len({each.event.event_id for each in everything}) == len(everything)
    await connection.close()


async def test_batch_that_commits_late_is_never_skipped(bank: Bank, ledger: Ledger) -> None:
    early, late = await bank.open_wallets(2, lane=0)
    lane, source = ledger.lanes[0], LedgerOutbox(bank.lane_count, suffix=bank.suffix)
    slow, reader = await asyncpg.connect(bank.url), await asyncpg.connect(bank.url)
    before = await source.read(reader, 0, "", 100_000)
    seen = before[-1].position if before else ""
    # Another process' batch of the same lane: it has its numbers, and does not commit for now.
    transaction = slow.transaction()
    await transaction.start()
    await slow.fetch(lane._statement_text, 0, *columns([bank.earn(early, 5)]))
    following = asyncio.create_task(ledger.apply([bank.earn(late, 6)]))
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while not await reader.fetch(waiting):
            await asyncio.sleep(0.01)
    # The later batch cannot pass it, so there is nothing that a reader could take for the newest and go on from.
    assert await source.read(reader, 0, seen, 100) == []
    await transaction.commit()
    applied(await following)
    found = await source.read(reader, 0, seen, 100)
    assert [int(each.position) - int(seen or 0) for each in found] == [1, 2, 3, 4]
    keys = [each.event.key for each in found]
    assert keys[0] == keys[1] != keys[2] == keys[3]
    await slow.close()
    await reader.close()


class Stream:
    """What JetStream has of the ledger's first lane."""

    def __init__(self, jetstream: JetStreamContext, name: str) -> None:
        self.jetstream, self.name = jetstream, name

    async def packs(self) -> list[bytes]:
        """Every message, in its order."""
        state = (await self.jetstream.stream_info(self.name)).state
        messages = [
            await self.jetstream.get_msg(self.name, seq) for seq in range(state.first_seq or 1, state.last_seq + 1)
        ]
        return [message.data or b"" for message in messages]


@pytest.fixture
async def stream(sandbox: Sandbox) -> AsyncIterator[Stream]:
    """Of this module."""
    client = await nats.connect(sandbox.nats_url)
    jetstream = client.jetstream()
    await jetstream.add_stream(name=sandbox.stream, subjects=[f"{sandbox.stream}.>"], duplicate_window=120)
    yield Stream(jetstream, sandbox.stream)
    await client.close()


async def relay_all(database: Database, stream: Stream) -> Any:
    """Run a relay until it has published everything."""
    relay = open_relay(database, stream.name, "survivor")
    running = asyncio.create_task(relay.run(0, stream.jetstream))
    async with asyncio.timeout(20), database.pool.acquire() as connection:
        while await relay._has_work(connection, 0):
            await asyncio.sleep(0.02)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return relay


@pytest.mark.parametrize(
    ("point", "published_count"),
    # Five packs: how many of them are in the stream when the process dies (None: some).
    [("bounds_stored", 0), ("half_published", None), ("published", 5)],
)
async def test_relay_killed_at_each_point_publishes_every_pack_once_and_to_the_byte(
    sandbox: Sandbox, stream: Stream, point: str, published_count: int | None
) -> None:
    bank = await open_bank(sandbox)
    ledger = bank.ledger()
    await ledger.open()
    database = Database(bank.url, may_set_time=False)
    await database.open()
    state = "SELECT pack_no, published_pack_no FROM relay_lane WHERE lane = 0"
    try:
        await relay_all(database, stream)
        before, packed = await stream.packs(), await database.pool.fetchrow(state)
        wallets = await bank.open_wallets(10, lane=0)
        applied(await ledger.apply([bank.earn(wallet) for wallet in wallets for _ in range(25)]))

        # Our own lease is over: the process need not wait for it to run out.
        await database.pool.execute("UPDATE relay_lane SET held_until = clock_timestamp()")
        process = await start("relay", bank.url, sandbox.nats_url, stream.name, point)
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
        assert tuple(await database.pool.fetchrow(state)) == (packed["pack_no"] + 5, packed["pack_no"])
        left_behind = (await stream.packs())[len(before) :]
        assert 1 <= len(left_behind) <= 5 if published_count is None else len(left_behind) == published_count

        # More comes while nobody relays; then the dead one's lease runs out.
        applied(await ledger.apply([bank.earn(wallet, 0) for wallet in wallets]))
        await database.pool.execute("UPDATE relay_lane SET held_until = clock_timestamp()")
        relay = await relay_all(database, stream)

        found = await stream.packs()
        packs = [events_pb2.EventPack.FromString(message) for message in found]
        # In the stream each once, though what had been published was published again ...
        assert sorted(pack.pack_no for pack in packs) == list(range(1, packed["pack_no"] + 7))
        # ... what was there before still first, and all the same to the byte as when they are built anew ...
        assert found[: len(before) + len(left_behind)] == [*before, *left_behind]
        async with database.pool.acquire() as connection:
            rebuilt = await relay.load_packs(connection, 0, 1, len(packs))
            everything = await relay.source.read(connection, 0, "", 1_000_000)
        assert sorted(found) == sorted(pack.SerializeToString(deterministic=True) for pack in rebuilt)
        # ... with every event of the lane in its order, none twice.
        assert [event for pack in rebuilt for event in pack.events] == [each.event for each in everything]
        assert len({each.event.event_id for each in everything}) == len(everything)
        assert await bank.violations() == {}
    finally:
        await ledger.close()
        await database.close()
    assert bank.lane_count == LANES
