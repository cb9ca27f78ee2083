"""A whole group graded anew by a process that dies in the middle. `make nightly` does it with a million members."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from chassis.db import Database
from services.member.tiers import ladders, recalculation, regrade
from services.member.tiers.growth import Policy, Window
from services.member.tiers.rules import Tier
from tests.apps import GROUP, Apps, system

MEMBERS = int(os.environ.get("HUITONG_TEST_GRADED_MEMBERS", "6000"))
pytestmark = pytest.mark.timeout(120 + MEMBERS // 1000)
TIERS = [Tier("MEMBER", "Member", "普卡", 0, 10_000, 0), Tier("GOLD", "Gold", "金卡", 300, 12_000, 60)]
# Three days of spending for each member, all in different hundreds of yuan.
_FILL = """WITH people AS (
    SELECT md5('graded' || n)::uuid AS member_id, n FROM generate_series(1, $2::integer) AS n),
  days AS (
    INSERT INTO growth_day (member_id, group_id, business_date, currency_code, spend_minor, sale_count, task_growth)
    SELECT member_id, $1, date '2026-01-01' + 40 * day, 'CNY', (n % 7 + day) * 3000, 1, 0
    FROM people CROSS JOIN generate_series(0, 2) AS day)
  INSERT INTO standing (member_id, group_id, growth_minor, tier_code, ladder_version)
  SELECT member_id, $1, 0, 'MEMBER', 0 FROM people"""


@contextlib.contextmanager
def member_process(apps: Apps) -> Iterator[subprocess.Popen[bytes]]:
    """The service as a program of its own, until it is killed at the latest here."""
    environment = {**os.environ, **apps.settings.environment()}
    process = subprocess.Popen(
        [sys.executable, "-m", "services.member"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


async def test_grading_goes_on_where_a_killed_process_left_it(
    apps: Apps, record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    await apps.migrate("member")
    db = Database(apps.sandbox.database_url("member"), may_set_time=False)
    await db.open()
    try:
        async with db.pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL statement_timeout = 0")
            await connection.execute("INSERT INTO group_copy (group_id, code) VALUES ($1, 'many')", GROUP)
            await connection.execute(_FILL, GROUP, MEMBERS, timeout=900)
            await connection.execute("ANALYZE standing, growth_day", timeout=300)
        async with db.transaction(system()) as tx:
            await ladders.add_ladder(tx, TIERS, Policy(Window.CALENDAR_YEAR, grace_days=3), tx.now)
            started = await recalculation.start(tx, request_id="many", may_downgrade=False)

        async def look() -> regrade.Recalculation:
            async with db.reading(system()) as tx:
                return await recalculation.get(tx, started.recalculation_id)

        # Somebody's standing is locked, so that it surely stands in the middle when the process is killed.
        half = "SELECT member_id FROM standing WHERE group_id = $1 ORDER BY member_id OFFSET $2 LIMIT 1"
        middle = await db.pool.fetchval(half, GROUP, MEMBERS // 2, timeout=60)
        async with db.pool.acquire() as holder, holder.transaction():
            await holder.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            await holder.execute("SELECT 1 FROM standing WHERE member_id = $1 FOR UPDATE", middle)
            with member_process(apps) as first:
                halves = MEMBERS // 2 // recalculation.BATCH * recalculation.BATCH
                while (seen := await look()).done_count < halves:
                    assert first.poll() is None
                    await asyncio.sleep(0.05)
        assert (seen.done_count, seen.state) == (halves, regrade.RUNNING)
        with member_process(apps) as second:
            while (end := await look()).state == regrade.RUNNING:
                assert second.poll() is None
                await asyncio.sleep(0.05)
        assert (end.done_count, end.total_count, end.state) == (MEMBERS, MEMBERS, regrade.DONE)

        # Everybody once: 3 × (n % 7) + 3 times thirty yuan reach 300 where n % 7 is 3 or more.
        gold = sum(number % 7 >= 3 for number in range(1, MEMBERS + 1))
        counts = dict(await db.pool.fetch("SELECT tier_code, count(*) FROM standing GROUP BY 1"))
        told = await db.pool.fetchval("SELECT count(DISTINCT key) FROM outbox WHERE type LIKE '%TierChanged'")
        events = await db.pool.fetchval("SELECT count(*) FROM outbox WHERE type LIKE '%TierChanged'")
        assert (counts["GOLD"], end.changed_count, told) == (gold, gold, gold)
        # The benefits of MEMBER are as they were; each change is told once.
        assert events == gold
        ends = await db.pool.fetch("SELECT DISTINCT tier_code, period_end FROM standing")
        year_end = date(end.start_time.year, 12, 31)
        assert {tuple(row) for row in ends} == {("MEMBER", None), ("GOLD", year_end)}
        if MEMBERS >= 100_000:
            seconds = (end.update_time - seen.update_time).total_seconds()
            with capsys.disabled():
                print(
                    f"\n{MEMBERS - halves} members after the restart in {seconds:.1f} s"
                    f" ({(MEMBERS - halves) / seconds:,.0f} a second); {halves} before it in"
                    f" {(seen.update_time - seen.start_time).total_seconds():.1f} s; {gold} tiers changed"
                )
    finally:
        await db.close()
