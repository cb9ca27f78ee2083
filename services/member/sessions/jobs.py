"""Telling gateways of sessions that have ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from chassis import ended_sessions
from chassis.db import Database
from chassis.identity import Caller, CallerKind
from chassis.ids import to_edge
from services.member.sessions import store
from services.member.sessions.rules import SESSION_PREFIX

log = structlog.get_logger()
_SELF = Caller(CallerKind.INTERNAL, "member", UUID(int=0))
BATCH = 1_000


def tell_ended(db: Database, valkey: Redis, prefix: str) -> Callable[[datetime], Awaitable[None]]:
    """A job that names in Valkey what has ended since. While Valkey is away it waits, and then tells what matters."""

    async def run(business_now: datetime) -> None:
        while True:
            async with db.transaction(_SELF) as tx:
                ended = await store.take_ended(tx, limit=BATCH)
                if not ended:
                    return
                try:
                    await ended_sessions.tell(valkey, prefix, [to_edge(SESSION_PREFIX, one) for one in ended])
                except (RedisError, OSError, TimeoutError) as error:
                    log.warning("ended_sessions_not_told", error=type(error).__name__)
                    raise

    return run
