"""What the other services say, for partners: the same handler for every event that may leave the house."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from google.protobuf.message import Message

from chassis.db import Database, Tx
from chassis.events import Fact, Handler
from chassis.identity import Caller, CallerKind
from services.org.webhooks import convert, operations, store


def handlers(producer: str, *, expect: Callable[[], None]) -> dict[type[Message], Handler]:
    """The handlers for one producer. `expect` is called when a transaction has written something that is to be sent."""

    async def on_facts(tx: Tx, facts: Sequence[Fact[Message]]) -> None:
        """Write down what is to be sent."""
        if await operations.take_in(tx, facts):
            expect()

    return dict.fromkeys(convert.event_classes(producer), on_facts)


def is_anybody_listening(db: Database) -> Callable[[], Awaitable[bool]]:
    """Whether any group has an endpoint: until one has, events need not be carried here."""
    nobody = Caller(CallerKind.INTERNAL, "org", UUID(int=0))

    async def ask() -> bool:
        async with db.reading(nobody) as tx:
            return await store.has_endpoints(tx)

    return ask
