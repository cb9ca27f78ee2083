"""Recurring work of org."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from chassis.db import Database
from chassis.identity import Caller, CallerKind
from services.org.operators import store as operator_store

_SELF = Caller(CallerKind.INTERNAL, "org", UUID(int=0))


def forget(db: Database) -> Callable[[datetime], Awaitable[None]]:
    """A job that deletes counted tries and ended sessions once they mean nothing any more."""

    async def run(business_now: datetime) -> None:
        async with db.transaction(_SELF) as tx:
            await operator_store.delete_old(tx)

    return run
