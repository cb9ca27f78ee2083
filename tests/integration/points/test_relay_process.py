"""`python -m services.points` relays in a process of its own, which it keeps running and which never outlives it.

What it relays are the ledger's events and those of transactions.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis import ids, rpc
from chassis.db import Database
from huitong.points.v1 import events_pb2
from tests.apps import Apps, internal
from tests.integration.points.world import World

pytestmark = pytest.mark.timeout(90)
ROOT = Path(__file__).resolve().parents[3]
GROUP = ids.derive("group", "relay-process")


class Service:
    """A points service in a process of its own."""

    def __init__(self, process: Process, database: Database) -> None:
        self.process, self.database = process, database

    async def relay_pid(self, *, other_than: int = 0) -> int:
        """The process id of its relay, once there is one."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        while True:
            for pid in map(int, children.read_text().split()):
                if pid != other_than and b"chassis.relay_process" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
            await asyncio.sleep(0.02)

    async def emit(self, key: str) -> None:
        """A fact in its outbox."""
        async with self.database.transaction(rpc.internal_caller("points", GROUP)) as tx:
            tx.emit(events_pb2.PointsExpired(member_id=key), key=key)

    async def published(self, pack_count: int) -> None:
        """Returns once so many packs have been published."""
        query = "SELECT coalesce(sum(published_pack_no), 0) FROM relay_lane"
        while await self.database.pool.fetchval(query) < pack_count:
            await asyncio.sleep(0.02)


@pytest.fixture
async def service(apps: Apps) -> AsyncIterator[Service]:
    await apps.migrate("points")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.points",
        cwd=ROOT,
        env={**os.environ, **apps.settings.environment(), "PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}"},
    )
    database = Database(apps.settings.database_url("points"), may_set_time=True)
    await database.open()
    yield Service(process, database)
    await database.close()
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def gone(pid: int) -> None:
    """Returns once the process has ended."""
    while Path(f"/proc/{pid}").exists() and "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
        await asyncio.sleep(0.02)


async def test_a_relay_that_dies_is_started_again(service: Service) -> None:
    async with asyncio.timeout(60):
        first = await service.relay_pid()
        await service.emit("one")
        await service.published(1)
        os.kill(first, signal.SIGKILL)
        await service.emit("two")
        await service.relay_pid(other_than=first)
        await service.published(2)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_the_relay_ends_with_its_service(service: Service, number: signal.Signals) -> None:
    async with asyncio.timeout(60):
        relay = await service.relay_pid()
        await service.emit("one")
        await service.published(1)
        service.process.send_signal(number)
        code = await service.process.wait()
        await gone(relay)
        assert code == (0 if number is signal.SIGTERM else -signal.SIGKILL)


async def test_events_of_the_ledger_and_of_transactions_go_out_side_by_side(world: World) -> None:
    recorded = await world.sell(10_000)
    async with world.app.db.transaction(internal("points", world.group_id)) as tx:
        tx.emit(events_pb2.PointsExpired(member_id=world.member_id()), key="ours")
    await world.apps.drain()
    found: dict[str, set[int]] = {}
    relay = world.app.relay
    async with world.app.db.pool.acquire() as connection:
        for lane in relay.source.lanes:
            for pack in await relay.load_packs(connection, lane, 1, 1_000):
                for event in pack.events:
                    if event.group_id == world.group_id.bytes:
                        found.setdefault(event.type.rpartition(".")[2], set()).add(lane)
    ledger_lane = ids.from_edge("mbr", recorded.member_id, "member_id").int % world.app.settings.points_lanes
    assert found["SaleRecorded"] == found["PointsEarned"] == {ledger_lane}
    assert found["PointsExpired"] == {world.app.settings.points_lanes}
