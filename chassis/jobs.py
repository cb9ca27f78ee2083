"""Recurring work: one replica at a time, restartable, following business time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime

import structlog
from grpc import StatusCode

from chassis.activity import Activity
from chassis.db import Database
from chassis.errors import AppError, Internal
from chassis.rpc import is_connection_loss

log = structlog.get_logger()

LEASE_SECONDS = 30
JobFunction = Callable[[datetime], Awaitable[None]]
# What an error says of who was asked, and not of what was asked.
_AWAY = (StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED, StatusCode.RESOURCE_EXHAUSTED)


class RowsFailed(Exception):
    """Some rows failed, each for a reason of its own; all the others are done."""


class Rows:
    """The rows that a run goes through: one that fails does not hold up the others.

    One that fails for a reason of its own is logged and tried again by the next run; the job is done but for it, and
    names it in job_state. When what it needs is away, the others are tried all the same, but the run is not done.
    """

    def __init__(self, job: str) -> None:
        self._job = job
        self._failed_count = 0
        self._example = ""
        self._away: Exception | None = None

    @contextlib.contextmanager
    def row(self, **names: object) -> Iterator[None]:
        """Around the work on one row; `names` say which."""
        try:
            yield
        except Exception as error:
            self.failed(error, **names)

    def failed(self, error: Exception, **names: object) -> None:
        """Note what became of a row, and go on."""
        named = {name: str(value) for name, value in names.items()}
        if (isinstance(error, AppError) and error.code in _AWAY) or is_connection_loss(error):
            log.warning("job_row_unknown", job=self._job, error=repr(error), **named)
            self._away = error
            return
        if isinstance(error, AppError) and not isinstance(error, Internal):
            log.warning("job_row_refused", job=self._job, reason=error.reason, **named)
        else:
            log.error("job_row_failed", job=self._job, exc_info=error, **named)
        self._failed_count += 1
        self._example = f"{error!r} of {named}"

    def require_known(self) -> None:
        """Raises what kept the outcome of a row from being known."""
        if self._away is not None:
            raise self._away

    def end(self) -> None:
        """After the last row. Raises RowsFailed, and what require_known does."""
        self.require_known()
        if self._failed_count:
            raise RowsFailed(f"{self._failed_count} rows failed, the last with {self._example}")


class Job:
    """Calls `run(business_now)` every `every_seconds` and whenever business time was told.

    `run` does all that is due up to that time; doing it twice, or again after a crash in the middle, changes nothing.
    After RowsFailed it counts as done.
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
        problem = ""
        try:
            await self._run(business_now)
        except RowsFailed as error:
            problem = str(error)
        finally:
            keeper.cancel()
        await self._db.pool.execute(
            "UPDATE job_state SET done_until = $2, last_error = $3 WHERE job = $1",
            self.name,
            business_now,
            problem[:1000],
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
