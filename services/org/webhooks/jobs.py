"""Sending: what is due is leased, tried, and written down."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import structlog

from chassis.crypto import Vault
from chassis.db import Database
from chassis.identity import Caller, CallerKind
from services.org.audit.operations import Audit
from services.org.webhooks import operations, rules, store
from services.org.webhooks.courier import Courier
from services.org.webhooks.rules import Leased

log = structlog.get_logger()

POLL_SECONDS = 1.0
# Beyond the longest try: time to write down what came of it.
LEASE_MARGIN_SECONDS = 20.0
TRIES_MOST = 256
# Events that one transaction deletes; each has a delivery for every endpoint of its group.
FORGET_BATCH = 1_000
_SELF = Caller(CallerKind.INTERNAL, "org", UUID(int=0))


class Sender:
    """Sends what is due, over crashes and beside other replicas: a try belongs to who holds its lease.

    `holder` is the same for a process that replaces one that died, and takes over its tries at once; others' leases it
    waits out. A try whose outcome could not be written is made again: at least once, with the same id.
    """

    def __init__(
        self,
        db: Database,
        vault: Vault,
        courier: Courier,
        *,
        holder: str,
        timeout_s: float,
        first_wait_seconds: float,
    ) -> None:
        self._db, self._vault, self._courier, self._audit = db, vault, courier, Audit(vault)
        self._holder, self._first_wait_seconds = holder, first_wait_seconds
        self._lease_seconds = timeout_s + LEASE_MARGIN_SECONDS
        self._poll_seconds = min(POLL_SECONDS, first_wait_seconds)
        self._wake = asyncio.Event()
        self._expecting = False
        self._tries: set[asyncio.Task[None]] = set()

    def expect(self) -> None:
        """A transaction is about to commit something to send; `moved` will tell that it has."""
        self._expecting = True

    def moved(self) -> None:
        """Something was committed here."""
        if self._expecting:
            self._expecting = False
            self.wake()

    def wake(self) -> None:
        """There may be something to send: look now instead of at the next poll."""
        self._wake.set()

    async def run(self) -> None:
        """Send for ever."""
        try:
            async with self._db.transaction(_SELF) as tx:
                await store.release(tx, self._holder)
            while True:
                self._wake.clear()
                if not await self._start_tries():
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._poll_seconds):
                            await self._wake.wait()
        finally:
            for task in self._tries:
                task.cancel()
            await asyncio.gather(*self._tries, return_exceptions=True)

    async def _start_tries(self) -> bool:
        room = TRIES_MOST - len(self._tries)
        if room <= 0:
            return False
        async with self._db.transaction(_SELF) as tx:
            leased = await store.lease(
                tx, holder=self._holder, seconds=self._lease_seconds, concurrent=rules.CONCURRENT_TRIES, most=room
            )
            sealed = await store.working_secrets(tx, {one.endpoint_id for one in leased}) if leased else {}
        for one in leased:
            secrets = [
                (number, operations.open_secret(self._vault, one.endpoint_id, each))
                for number, each in sealed.get(one.endpoint_id, [])
            ]
            task = asyncio.create_task(self._try(one, secrets))
            self._tries.add(task)
            task.add_done_callback(self._done)
        return bool(leased)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tries.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # Not written down: it is made again when its lease is over.
            log.warning("webhook_try_failed", error=repr(task.exception()))
        self.wake()

    async def _try(self, one: Leased, secrets: list[tuple[int, str]]) -> None:
        headers = rules.headers_of(secrets, event_id=one.event_id, timestamp=int(time.time()), body=one.body)
        answer = await self._courier.post(one.url, headers, one.body)
        async with self._db.transaction(_SELF) as tx:
            disabled = await operations.finish(
                tx, self._audit, one, answer, first_wait_seconds=self._first_wait_seconds
            )
        if not answer.is_success:
            log.info(
                "webhook_not_delivered",
                endpoint_id=one.endpoint_id.hex,
                attempt=one.attempt_count,
                status=answer.status,
                error=answer.error,
            )
        if disabled:
            log.warning("webhook_endpoint_disabled", endpoint_id=one.endpoint_id.hex, cause=disabled.disable_cause)


def forget(db: Database) -> Callable[[datetime], Awaitable[None]]:
    """A job that deletes events that are kept no longer, a batch a transaction."""

    async def run(business_now: datetime) -> None:
        deleted_count = FORGET_BATCH
        while deleted_count == FORGET_BATCH:
            async with db.transaction(_SELF) as tx:
                deleted_count = await store.delete_old(tx, most=FORGET_BATCH)

    return run
