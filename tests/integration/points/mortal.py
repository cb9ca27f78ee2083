"""Parts of the points service as processes of their own that die, by SIGKILL, at a named point.

python -m tests.integration.points.mortal relay <database> <nats> <stream> bounds_stored|half_published|published
python -m tests.integration.points.mortal expiry <database> never|holds_freed|found|half_expired|expired <tables>
python -m tests.integration.points.mortal call <database> taken|sent|answered <wallet> <tables>

<tables> are the number of lanes and what the names of their tables end in.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import asyncpg
import nats
from nats.js import JetStreamContext

from chassis import ids
from chassis.activity import Activity
from chassis.db import Database
from chassis.events.relay import Relay
from chassis.jobs import Rows
from huitong.common.v1 import events_pb2
from services.points.jobs import Jobs
from services.points.ledger.events_source import LedgerOutbox
from services.points.ledger.ledger import Item, Kind, Lane, Ledger, lane_of
from tests.integration.points.bank import Bank

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


class MortalJobs(Jobs):
    """Dies when holds are freed and nothing else is done, before, after the first or after the last chunk expires."""

    point = ""

    async def activate_points(self, now: datetime, run: Rows) -> None:
        if self.point == "holds_freed":
            die()
        await super().activate_points(now, run)

    async def expire_points(self, now: datetime, run: Rows) -> None:
        await super().expire_points(now, run)
        if self.point == "expired":
            die()

    async def _apply(self, items: list[Item], run: Rows) -> None:
        expires = any(item.kind is Kind.EXPIRE for item in items)
        if expires and self.point == "found":
            die()
        await super()._apply(items, run)
        if expires and self.point == "half_expired":
            die()


async def _expiry(url: str, point: str, lane_count: str, suffix: str) -> None:
    database = Database(url, may_set_time=False)
    await database.open()
    ledger = Ledger(url, int(lane_count), suffix=suffix)
    await ledger.open()
    jobs = MortalJobs(database, ledger)
    jobs.point = point
    await jobs.close_day(await database.now())
    await ledger.close()
    await database.close()


class MortalLane(Lane):
    """Dies with a batch in its hands: before it is sent, while the server works on it, or with the answers."""

    point = ""

    async def _call(self, items: Sequence[Item]) -> list[Any]:
        if self.point == "taken":
            die()
        call = asyncio.ensure_future(super()._call(items))
        if self.point == "sent":
            await until_held_up(self._url)
            die()
        await call
        die()


async def until_held_up(url: str) -> None:
    """Until a lane's call waits for a lock that somebody else has."""
    connection = await asyncpg.connect(url)
    while not await connection.fetchval(
        """SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
             AND wait_event_type = 'Lock' AND application_name LIKE 'huitong-points-lane-%')"""
    ):
        await asyncio.sleep(0.01)
    await connection.close()


def batch_of(bank: Bank, wallet: UUID) -> list[Item]:
    """What the lane that dies was asked for, the same whoever asks: it may be asked for again."""
    sales = [bank.earn(wallet, 10, txn_id=ids.derive("mortal", wallet, number), shop=number % 4) for number in range(5)]
    return [*sales, bank.move(Kind.REDEEM, wallet, 7, txn_id=ids.derive("mortal-spends", wallet), detail=b"")]


async def _call(url: str, point: str, wallet: str, lane_count: str, suffix: str) -> None:
    lane = MortalLane(lane_of(UUID(wallet), int(lane_count)), url, suffix=suffix)
    lane.point = point
    await lane.open()
    ledger = Ledger(url, int(lane_count), suffix=suffix)
    ledger.lanes[lane.lane] = lane
    await ledger.apply(batch_of(Bank(url), UUID(wallet)))


if __name__ == "__main__":
    parts: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {"relay": _relay, "expiry": _expiry, "call": _call}
    asyncio.run(parts[sys.argv[1]](*sys.argv[2:]))
