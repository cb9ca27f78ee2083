"""Recurring work of member."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from chassis.db import Database
from chassis.identity import Caller, CallerKind
from services.member import store
from services.member.proofs import store as proof_store
from services.member.sessions import store as session_store

_SELF = Caller(CallerKind.INTERNAL, "member", UUID(int=0))


def forget(db: Database) -> Callable[[datetime], Awaitable[None]]:
    """A job that deletes used codes, sent messages, ended sessions and old proofs once they mean nothing any more."""

    async def run(business_now: datetime) -> None:
        async with db.transaction(_SELF) as tx:
            await store.delete_old_code_uses(tx)
            await session_store.delete_old(tx)
            await proof_store.delete_old(tx)

    return run
