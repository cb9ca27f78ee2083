"""Reminders before points expire: each once, the nearest only, and nothing for what is not there any more."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis.db import Tx
from huitong.points.v1 import events_pb2
from services.points.convert import to_date
from services.points.lookup import Lookup
from services.points.retention import reminders
from services.points.retention.reminders import Reminders
from tests.integration.points.test_expiry_policies import NONE, policy
from tests.integration.points.world import World, set_time

SOLD = datetime(2026, 3, 15, 4, tzinfo=UTC)
EXPIRY = datetime(2027, 3, 31, 16, tzinfo=UTC)  # 12 months, to the end of the month in Shanghai
Sent = tuple[int, int, int]


class Bell:
    """Runs the job as a new process would, and tells what it has sent."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reminders = self.restarted()

    def restarted(self) -> Reminders:
        app = self.world.app
        return Reminders(app.db, Lookup(app.db, app.settings.points_lanes, org=None, member=None, ladder=None))

    async def ring(self, now: datetime) -> None:
        await set_time(self.world.app, now)
        await self.reminders.remind(now)

    async def sent(self) -> list[Sent]:
        """Member, days ahead, points of each reminder, in order."""
        rows = await self.world.app.db.pool.fetch(
            "SELECT event_id, payload FROM outbox WHERE group_id = $1 AND type = $2 ORDER BY xid, id",
            self.world.group_id,
            events_pb2.PointsExpiringSoon.DESCRIPTOR.full_name,
        )
        assert len({row["event_id"] for row in rows}) == len(rows)
        events = [events_pb2.PointsExpiringSoon.FromString(row["payload"]) for row in rows]
        number = {self.world.member_id(n): n for n in range(len(self.world.members))}
        return [(number[event.member_id], event.days_ahead, event.points) for event in events]


@pytest.fixture
async def bell(world: World) -> Bell:
    world.now = SOLD
    await set_time(world.app, SOLD)
    await world.app.db.pool.execute("DELETE FROM rule_set WHERE group_id <> $1", world.group_id)  # of other tests
    await world.publish(world.rule_set(reminder_days=[30, 7, 1], effective_date=to_date(date(2020, 1, 1))))
    return Bell(world)


async def test_each_distance_is_told_once(world: World, bell: Bell) -> None:
    await world.sell(10_000)
    await bell.ring(EXPIRY - timedelta(days=30, hours=1))
    assert await bell.sent() == []
    for days in (30, 20, 7, 3, 1):
        for _ in range(2):
            bell.reminders = bell.restarted()
            await bell.ring(EXPIRY - timedelta(days=days))
    assert await bell.sent() == [(0, 30, 100), (0, 7, 100), (0, 1, 100)]
    await bell.ring(EXPIRY)
    await bell.ring(EXPIRY + timedelta(days=1))
    assert len(await bell.sent()) == 3
    assert await world.app.db.pool.fetchval("SELECT count(*) FROM expiry_reminder") == 0, "kept for nothing"


async def test_of_distances_that_were_jumped_over_only_the_nearest_is_told(world: World, bell: Bell) -> None:
    await world.sell(10_000)
    await bell.ring(EXPIRY - timedelta(days=5))
    assert await bell.sent() == [(0, 7, 100)]
    await bell.ring(EXPIRY - timedelta(days=4))
    await bell.ring(EXPIRY - timedelta(hours=2))
    assert await bell.sent() == [(0, 7, 100), (0, 1, 100)]


async def test_nothing_is_told_of_points_that_are_not_there(world: World, bell: Bell) -> None:
    for member in range(3):
        await world.sell(10_000, member=member)
    await world.redeem(100, member=0)
    await world.redeem(40, member=1)
    await world.hold(25, member=1, hold_seconds=604_800)
    await bell.ring(EXPIRY - timedelta(days=30))
    assert sorted(await bell.sent()) == [(1, 30, 35), (2, 30, 100)]
    await world.redeem(100, member=2)
    await world.redeem(5, member=1)
    await bell.ring(EXPIRY - timedelta(days=7))
    assert sorted(await bell.sent())[:1] == [(1, 7, 30)]
    assert len(await bell.sent()) == 3


async def test_pending_points_and_points_for_ever_are_not_told_of(world: World, bell: Bell) -> None:
    later = to_date(date(2021, 1, 1))
    await world.publish(world.rule_set(reminder_days=[366], pending_days=30, effective_date=later))
    await world.sell(10_000)
    await bell.ring(SOLD + timedelta(days=20))
    assert (await world.balance()).pending_points == 100
    later = to_date(date(2022, 1, 1))
    await world.publish(world.rule_set(expiry_months=0, expiry=policy(NONE), reminder_days=[366], effective_date=later))
    await world.sell(10_000)
    await bell.ring(SOLD + timedelta(days=3_000))
    assert await bell.sent() == []


async def test_each_expiry_of_a_member_has_reminders_of_its_own(world: World, bell: Bell) -> None:
    await world.sell(10_000)
    await world.sell(2_000)
    await world.sell(3_000, sale_time=SOLD - timedelta(days=20))  # a month earlier
    await bell.ring(EXPIRY - timedelta(days=31 + 7))
    await bell.ring(EXPIRY - timedelta(days=30))
    assert await bell.sent() == [(0, 7, 30), (0, 30, 120)]


async def test_rules_without_reminders_send_none(world: World, bell: Bell) -> None:
    await world.publish(world.rule_set(effective_date=to_date(date(2021, 1, 1))))
    await world.sell(10_000)
    await bell.ring(EXPIRY - timedelta(days=1))
    assert await bell.sent() == []


async def test_a_run_that_was_cut_short_is_finished_by_the_next_one(
    world: World, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.join(9)
    for member in range(len(world.members)):
        await world.sell(10_000, member=member)
    monkeypatch.setattr(reminders, "CHUNK", 5)
    send = reminders._send
    calls: list[int] = []

    async def cut_short(tx: Tx, due: list[Any]) -> None:
        await send(tx, due)
        calls.append(len(due))
        if len(calls) == 2:
            raise ConnectionError("the server is gone")  # with the second chunk written and not committed

    monkeypatch.setattr(reminders, "_send", cut_short)
    with pytest.raises(ConnectionError):
        await bell.ring(EXPIRY - timedelta(days=7))
    assert 1 <= len(await bell.sent()) <= 5  # wallets of other tests are looked through too
    monkeypatch.setattr(reminders, "_send", send)
    await bell.ring(EXPIRY - timedelta(days=7))
    assert sorted(await bell.sent()) == [(member, 7, 100) for member in range(12)]


async def test_two_runs_at_once_tell_once(world: World, bell: Bell) -> None:
    await world.join(20)
    for member in range(len(world.members)):
        await world.sell(10_000, member=member)
    now = EXPIRY - timedelta(days=7)
    await set_time(world.app, now)
    await asyncio.gather(*(bell.restarted().remind(now) for _ in range(4)))
    assert sorted(await bell.sent()) == [(member, 7, 100) for member in range(23)]
