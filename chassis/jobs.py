"""Recurring work: one replica at a time, restartable, following business time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from chassis.activity import Activity
from chassis.db import Database

log = structlog.get_logger()

LEASE_SECONDS = 30
JobFunction = Callable[[datetime], Awaitable[None]]


class Job:
    """Calls `run(business_now)` every `every_seconds` and whenever business time was told.

    `run` does all that is due up to that time; doing it twice, or again after a crash in the middle, changes nothing.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        run: JobFunction,
        *,
        every_seconds: float,
        holder: str,
        activity: Activity,
    ) -> None:
        self._db, self.name, self._run, self._activity = database, name, run, activity
        self._every_seconds, self._holder = every_seconds, holder
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Run now instead of at the next turn."""
        self._wake.set()

    async def loop(self) -> None:
        """Run for ever; a failure is logged, kept in job_state and tried again."""
        while True:
            self._wake.clear()
            try:
                await self.run_once()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.error("job_failed", job=self.name, exc_info=error)
                with contextlib.suppress(Exception):
                    await self._db.pool.execute(
                        "UPDATE job_state SET last_error = $2 WHERE job = $1", self.name, repr(error)[:1000]
                    )
                await asyncio.sleep(min(1.0, self._every_seconds))
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_seconds):
                    await self._wake.wait()

    async def run_once(self) -> bool:
        """Run if no other replica does. Answers whether it ran."""
        business_now = await self._take()
        if business_now is None:
            return False
        keeper = asyncio.create_task(self._keep_lease())
        try:
            await self._run(business_now)
        finally:
            keeper.cancel()
        await self._db.pool.execute(
            "UPDATE job_state SET done_until = $2, last_error = '' WHERE job = $1", self.name, business_now
        )
        self._activity.moved()
        return True

    async def _take(self) -> datetime | None:
        """Take the lease; answers business time, or None when another has it."""
        query = _TAKE.format(now=self._db.now_sql)
        now: datetime | None = await self._db.pool.fetchval(query, self.name, self._holder, LEASE_SECONDS)
        return now

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            with contextlib.suppress(Exception):
                await self._take()


_TAKE = """INSERT INTO job_state AS j (job, holder, held_until, last_error)
    VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3), '')
    ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
      WHERE j.holder = excluded.holder OR j.held_until < clock_timestamp()
    RETURNING {now}"""
