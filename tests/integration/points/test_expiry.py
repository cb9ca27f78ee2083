"""The expiry run over many lots: killed in the middle and run again, everything expires exactly once."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chassis.db import Database
from services.points.jobs import Jobs
from services.points.ledger.ledger import Item, Kind
from tests.integration.points.bank import GROUP, SHOPS, Bank, applied, open_bank
from tests.integration.points.mortal import start
from tests.support import Sandbox

LOTS_EACH, POINTS_EACH = 5, 10
MAKEFILE = Path(__file__).parents[3] / "Makefile"
# `make nightly` has more.
WALLETS = int(os.environ.get("HUITONG_TEST_EXPIRY_WALLETS", "2000"))
# When the lots of a wallet expire; the last one is not over.
JANUARY, FEBRUARY, NEVER = (
    datetime(2020, 2, 1, tzinfo=UTC),
    datetime(2020, 3, 1, tzinfo=UTC),
    datetime(2999, 1, 1, tzinfo=UTC),
)
EXPIRIES = [JANUARY, JANUARY, FEBRUARY, FEBRUARY, NEVER]
EARN_TIME = datetime(2019, 3, 4, 5, tzinfo=UTC)
CALL_SPENDS = 2_000  # what all lanes have room for


def expiring_lots(wallet_count: int) -> int:
    """How many lots of so many wallets expire: a fifth is not over, and each seventh wallet has spent two before."""
    return 4 * wallet_count - 2 * len(range(1, wallet_count, 7))


async def fill(bank: Bank, wallet_count: int, lots_each: int) -> None:
    """Wallets with lots, as that many sales would have left them, in a fraction of the time."""
    connection = await asyncpg.connect(bank.owner_url)
    expiries = ", ".join(f"timestamptz '{each.isoformat()}'" for each in EXPIRIES)
    shops = ", ".join(f"uuid '{shop}'" for shop in SHOPS)
    group = f"uuid '{GROUP}'"
    try:
        async with connection.transaction():
            await connection.execute(
                f"""CREATE TEMP TABLE sale ON COMMIT DROP AS
                    SELECT w.wallet_id, w.lane, number, md5(w.wallet_id::text || number)::uuid AS txn_id,
                           (ARRAY[{expiries}])[1 + number % {len(EXPIRIES)}] AS expire_time,
                           (ARRAY[{shops}])[1 + number % {len(SHOPS)}] AS merchant_id,
                           2 * row_number() OVER (PARTITION BY w.lane ORDER BY w.wallet_id, number) AS n
                    FROM (SELECT wallet_id, ('x' || right(wallet_id::text, 2))::bit(8)::int % {bank.lane_count} AS lane
                          FROM (SELECT md5('expiry' || i)::uuid AS wallet_id
                                FROM generate_series(1, {wallet_count}) i) w) w,
                         generate_series(0, {lots_each - 1}) number;
                    INSERT INTO wallet SELECT wallet_id, {group}, lane, {POINTS_EACH} * count(*), 0, 0, 0,
                        {POINTS_EACH} * count(*), 0, 0, 0, 0, count(*), min(expire_time), min(expire_time)
                      FROM sale GROUP BY wallet_id, lane;
                    INSERT INTO txn SELECT wallet_id, txn_id, {group}, number + 1, 1, {POINTS_EACH}, 0, 0,
                        {POINTS_EACH} * (number + 1), '', '{EARN_TIME}', '{EARN_TIME}', merchant_id, NULL, NULL, '',
                        expire_time, NULL, 1000, '', '' FROM sale;
                    INSERT INTO posting SELECT wallet_id, txn_id, leg, {group}, account, shop, points
                      FROM sale, LATERAL (VALUES (0, 'member', NULL, {POINTS_EACH}),
                                                 (1, 'issuer', merchant_id, -{POINTS_EACH}))
                                         AS leg (leg, account, shop, points);
                    INSERT INTO lot SELECT wallet_id, expire_time, txn_id, {group}, merchant_id, {POINTS_EACH},
                        {POINTS_EACH}, 0 FROM sale;
                    INSERT INTO ledger_outbox SELECT lane, n, wallet_id, {group}, txn_id, NULL, 1, {POINTS_EACH}, 0,
                        merchant_id, '{EARN_TIME}', expire_time, NULL, NULL, NULL, NULL, '' FROM sale;
                    INSERT INTO issuer_slot SELECT lane, merchant_id, {group}, {POINTS_EACH} * count(*), 0, 0, 0,
                        {POINTS_EACH} * count(*), 0, 0, count(*), 1000 * count(*), NULL, {group}
                      FROM sale GROUP BY lane, merchant_id;
                    UPDATE lane SET n = s.n FROM (SELECT lane, max(n) AS n FROM sale GROUP BY lane) s
                      WHERE s.lane = lane.lane"""
            )
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


class Filled:
    """Members with lots of which some are spent, some are held, most are over their time and some are not."""

    def __init__(self, bank: Bank, database: Database, wallet_count: int) -> None:
        self.bank, self.database, self.wallet_count = bank, database, wallet_count
        self.ledger = bank.ledger()
        self.jobs = Jobs(database, self.ledger)

    async def prepare(self) -> None:
        await self.ledger.open()
        await fill(self.bank, self.wallet_count, LOTS_EACH)
        rows = await self.bank.fetch("SELECT wallet_id FROM wallet ORDER BY wallet_id")
        self.wallets: list[UUID] = [row["wallet_id"] for row in rows]
        # Before the first lot was over.
        then = self.bank.ledger(now_sql=f"timestamptz '{EARN_TIME}'")
        await then.open()
        for kind, first, points in ((Kind.REDEEM, 1, 25), (Kind.HOLD, 2, 15)):
            wallets = self.wallets[first::7]
            for number in range(0, len(wallets), CALL_SPENDS):
                some = wallets[number : number + CALL_SPENDS]
                applied(await then.apply([self._spend(kind, wallet, points) for wallet in some]))
        await then.close()

    def _spend(self, kind: Kind, wallet: UUID, points: int) -> Item:
        expire_time = EARN_TIME + timedelta(minutes=10) if kind is Kind.HOLD else None
        return self.bank.move(kind, wallet, points, expire_time=expire_time, detail=b"")

    async def run(self) -> None:
        """To the end, in this process."""
        await self.jobs.close_day(await self.database.now())

    async def expired_count(self) -> int:
        """Transactions that expired something."""
        (row,) = await self.bank.fetch("SELECT count(*) FROM txn WHERE kind = $1", int(Kind.EXPIRE))
        return int(row["count"])

    async def check(self) -> None:
        """What was over is gone, once, and nothing else is."""
        over = await self.bank.fetch("SELECT FROM lot WHERE expire_time <= now() AND left_points > 0")
        live = await self.bank.fetch("SELECT sum(left_points) AS points, count(*) FROM lot WHERE expire_time > now()")
        assert over == []
        # Each fifth lot is not over, and nobody has spent of it.
        assert tuple(live[0]) == (self.wallet_count * POINTS_EACH, self.wallet_count)
        expired = await self.bank.fetch(
            """SELECT count(*) FROM lot_use u JOIN txn t ON t.wallet_id = u.wallet_id AND t.txn_id = u.txn_id
               WHERE t.kind = $1""",
            int(Kind.EXPIRE),
        )
        assert expired[0]["count"] == expiring_lots(self.wallet_count)
        twice = await self.bank.fetch(
            "SELECT FROM txn WHERE kind = $1 GROUP BY wallet_id, expire_time HAVING count(*) > 1", int(Kind.EXPIRE)
        )
        assert twice == []
        held = await self.bank.fetch("SELECT FROM wallet WHERE held_points > 0 OR first_expire_time <= now()")
        assert held == []
        totals = await self.bank.fetch(
            "SELECT sum(expired_points), (SELECT -sum(points) FROM txn WHERE kind = $1) FROM wallet", int(Kind.EXPIRE)
        )
        spent = 25 * len(self.wallets[1::7])
        assert tuple(totals[0]) == (4 * self.wallet_count * POINTS_EACH - spent,) * 2
        assert await self.bank.violations() == {}


@pytest.fixture
async def filled(request: pytest.FixtureRequest, tables: tuple[int, str], sandbox: Sandbox) -> AsyncIterator[Filled]:
    """With so many wallets, and nobody else's: the lots of every group expire in the same run."""
    lane_count, suffix = tables
    bank = await open_bank(sandbox, lane_count=lane_count, suffix=suffix, under_views=True)
    await _empty(bank.owner_url)
    database = Database(bank.url, may_set_time=False)
    await database.open()
    filled = Filled(bank, database, request.param)
    await filled.prepare()
    yield filled
    await filled.ledger.close()
    await database.close()


async def _empty(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            """SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                 AND relname NOT LIKE 'alembic%'"""
        )
        await connection.execute(f"TRUNCATE {', '.join(row['relname'] for row in tables)}")
    finally:
        await connection.close()


async def _until(check: Any, seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.01)


def test_nightly_expires_a_million_lots() -> None:
    found = re.search(r"HUITONG_TEST_EXPIRY_WALLETS=\$\(or \$\(EXPIRY_WALLETS\),(\d+)\)", MAKEFILE.read_text())
    assert found
    assert expiring_lots(int(found[1])) >= 1_000_000


@pytest.mark.parametrize(
    "filled", [WALLETS], indirect=True, ids=lambda wallets: f"{expiring_lots(wallets)}_lots_expire"
)
async def test_run_killed_in_the_middle_and_run_again_expires_everything_once(filled: Filled) -> None:
    bank = filled.bank
    lanes = await bank.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    ours = [row["pid"] for row in lanes]
    theirs = """SELECT wait_event_type FROM pg_stat_activity WHERE datname = current_database() AND pid <> ALL($1)
                AND application_name LIKE 'huitong-points-lane-%'"""
    # The run goes by wallet id: in the middle it meets a wallet that somebody else has locked.
    stop = await asyncpg.connect(bank.url)
    await stop.execute("BEGIN")
    await stop.fetch(
        "SELECT FROM wallet WHERE wallet_id = $1 FOR UPDATE", filled.wallets[filled.wallet_count // 2 // 7 * 7]
    )
    process = await start("expiry", bank.url, "never", *bank.tables)

    async def is_held_up() -> bool:
        return any(row["wait_event_type"] == "Lock" for row in await bank.fetch(theirs, ours))

    async def is_gone() -> bool:
        return not await bank.fetch(theirs, ours)

    await _until(is_held_up, 20.0 + filled.wallet_count / 500)
    process.kill()
    assert await process.wait() == -signal.SIGKILL
    # What the server was doing for it is done, and committed, for nobody.
    stop.terminate()
    await _until(is_gone)
    in_the_middle = await filled.expired_count()

    await filled.run()
    done = await filled.expired_count()
    assert 0 < in_the_middle < done
    await filled.check()
    await filled.run()
    assert await filled.expired_count() == done, "a run with nothing to do did something"


@pytest.mark.parametrize("filled", [600], indirect=True, ids=str)
async def test_run_killed_at_each_point_is_finished_by_the_next(filled: Filled) -> None:
    """One run after the other dies a step further on: each goes on where the one before it left off."""
    at_each_point = []
    for point in ("holds_freed", "found", "half_expired", "expired"):
        process = await start("expiry", filled.bank.url, point, *filled.bank.tables)
        assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL, point
        held = await filled.bank.fetch("SELECT FROM wallet WHERE held_points > 0")
        assert held == [], point
        at_each_point.append(await filled.expired_count())
        assert await filled.bank.violations() == {}, point
    assert at_each_point[:2] == [0, 0]
    assert 0 < at_each_point[2] < at_each_point[3]
    await filled.check()
    await filled.run()
    assert await filled.expired_count() == at_each_point[3], "a run with nothing to do did something"


@pytest.mark.parametrize("filled", [600], indirect=True, ids=str)
async def test_two_runs_at_once_expire_everything_once(filled: Filled) -> None:
    # A lease can be lost while its holder still works.
    other = filled.bank.ledger()
    await other.open()
    now = await filled.database.now()
    await asyncio.gather(filled.run(), Jobs(filled.database, other).close_day(now))
    await other.close()
    await filled.check()
