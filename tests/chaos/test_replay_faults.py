"""kill -9 in the middle of the replay: everything acknowledged is there, once, and every invariant holds.

Each part is struck several times while tills, members and gates are at work; the supervisor starts what died, the
clients ask again with the same request ids. `make chaos` prints the figures, each part in a replay of its own.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from suite.demo.data import Year
from suite.demo.doors import Doors, Who
from suite.demo.replay import Replay
from suite.inside import Inside
from suite.invariants import check
from suite.state import Phase
from tests.e2e.demo_suite import DemoSuite
from tests.figures.compare import differences
from tests.figures.recompute import recompute

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]
RECEIPTS = 1200
STRIKES = 3
# Parts that are struck in turn, by replay.
VICTIMS: list[tuple[str, ...]] = [("points", "settlement", "postgres")]
if os.environ.get("HUITONG_CHAOS") == "all":  # `make chaos`
    parts = ("points", "settlement", "postgres", "member", "mall", "parking", "org", "gateway", "nats", "valkey")
    VICTIMS = [(part,) for part in parts]


class Witness(Doors):
    """Remembers every sale that was acknowledged: its id and the points that were promised."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.acknowledged: dict[UUID, int] = {}

    async def _send(self, method: str, key: Who, path: str, query: str, body: bytes, content_type: str) -> bytes:
        content = await super()._send(method, key, path, query, body, content_type)
        if path == "/v1/sales:batch":
            for line in content.splitlines():
                recorded = orjson.loads(line)["result"]["recorded"]
                self.acknowledged[UUID(recorded["sale_id"].removeprefix("sal_").removeprefix("txn_"))] = recorded[
                    "points"
                ]
        return content


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[DemoSuite]:
    """A suite after its first day."""
    suite = DemoSuite(tmp_path / "home")
    try:
        suite.demo(1)
        yield suite
    finally:
        suite.close()


async def _strike(suite: DemoSuite, parts: tuple[str, ...], finished: asyncio.Event) -> dict[str, list[float]]:
    """Kill each part a few times at random moments; answers how long each time until it was ready again, seconds."""
    seconds: dict[str, list[float]] = {part: [] for part in parts}
    for part in parts * STRIKES:
        await asyncio.sleep(random.uniform(0.2, 1.0))  # the moment is the random part of the fault
        if finished.is_set():
            break
        struck = time.monotonic()
        dead = suite.kill(part)
        while (now := suite.state.part(part)).pid == dead or now.phase != Phase.READY:
            assert time.monotonic() - struck < 60, f"{part} did not come back: {suite.logs()}"
            await asyncio.sleep(0.05)
        seconds[part].append(time.monotonic() - struck)
    return seconds


async def _acknowledged_but_missing(suite: DemoSuite, acknowledged: dict[UUID, int]) -> list[Any]:
    connection = await suite.database("points")
    try:
        rows = await connection.fetch(
            "SELECT txn_id, points FROM txn WHERE kind = 1 AND txn_id = ANY($1)", list(acknowledged)
        )
    finally:
        await connection.close()
    found = {row["txn_id"]: row["points"] for row in rows}
    return [sale for sale, points in acknowledged.items() if found.get(sale) != points]


@pytest.mark.parametrize("parts", VICTIMS, ids="+".join)
async def test_killed_in_the_middle_of_the_replay_nothing_is_lost(suite: DemoSuite, parts: tuple[str, ...]) -> None:
    year, memory = Year(RECEIPTS), suite.memory
    inside, finished = Inside(suite.settings), asyncio.Event()
    doors = Witness(suite.url)
    async with doors:
        replay = Replay(doors, inside, memory, advance=lambda _: None)
        striking = asyncio.create_task(_strike(suite, parts, finished))
        try:
            await replay.play(year, suite.home)
            finished.set()
            seconds = await striking
            await replay.finish(year)
        finally:
            finished.set()
            await inside.close()
    acknowledged = doors.acknowledged
    assert all(seconds.values()), f"a fault was never struck: {seconds}"
    for part, times in seconds.items():
        print(f"\n{part}: killed {len(times)} times, ready again after {', '.join(f'{s:.1f} s' for s in times)}")
    print(f"{len(acknowledged)} sales acknowledged")
    assert len(acknowledged) >= RECEIPTS / 2
    assert await _acknowledged_but_missing(suite, acknowledged) == []
    violated = [result for result in await check(suite.settings) if result.violation_count]
    assert violated == []
    assert differences(recompute(RECEIPTS), await suite.reported(members=False)) == []
