"""Parts of the points service as processes of their own that die, by SIGKILL, at a named point.

python -m tests.integration.points.mortal relay <database> <nats> <stream> bounds_stored|half_published|published
python -m tests.integration.points.mortal expiry <database>      (killed from outside)
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn

import nats
from nats.js import JetStreamContext

from chassis.activity import Activity
from chassis.db import Database
from chassis.events.relay import Relay
from huitong.common.v1 import events_pb2
from services.points.jobs import Jobs
from services.points.ledger.events_source import LedgerOutbox
from services.points.ledger.ledger import Ledger

LANES = 2


async def start(*arguments: str) -> Process:
    """Run this file in a process of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, *arguments, cwd=Path(__file__).parents[3]
    )


def open_relay(database: Database, stream: str, holder: str, kind: type[Relay] = Relay) -> Any:
    """As the points service makes it."""
    source = LedgerOutbox(LANES)
    return kind(database, source, producer="points", stream=stream, holder=holder, activity=Activity())


def die() -> NoReturn:
    """At once, as if the power were cut: nothing is closed, flushed or told."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


class MortalRelay(Relay):
    """Dies before the first, after the first or after the last pack of a round is published."""

    point = ""
    _published_count = 0

    async def _publish(self, jetstream: JetStreamContext, pack: events_pb2.EventPack) -> None:
        if self.point == "bounds_stored":
            die()
        await super()._publish(jetstream, pack)
        self._published_count += 1
        waiting_count = await self._db.pool.fetchval(
            "SELECT pack_no - published_pack_no FROM relay_lane WHERE lane = $1", pack.lane
        )
        if self.point == "half_published" or self._published_count == waiting_count:
            die()


async def _relay(url: str, nats_url: str, stream: str, point: str) -> None:
    database = Database(url, may_set_time=False)
    await database.open()
    client = await nats.connect(nats_url)
    relay = open_relay(database, stream, "mortal", MortalRelay)
    relay.point = point
    await relay.run(0, client.jetstream())


async def _expiry(url: str) -> None:
    database = Database(url, may_set_time=False)
    await database.open()
    ledger = Ledger(url, LANES)
    await ledger.open()
    await Jobs(database, ledger).close_day(await database.now())
    await ledger.close()
    await database.close()


if __name__ == "__main__":
    parts: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {"relay": _relay, "expiry": _expiry}
    asyncio.run(parts[sys.argv[1]](*sys.argv[2:]))
