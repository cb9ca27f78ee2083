"""What the other services say, for partners: the same handler for every event that may leave the house."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from google.protobuf.message import Message

from chassis.db import Tx
from chassis.events import Fact, Handler
from services.org.webhooks import convert, operations

# Services whose events partners may be told of.
PRODUCERS = ("member", "points", "mall", "parking", "settlement")


def handlers(producer: str, *, expect: Callable[[], None]) -> dict[type[Message], Handler]:
    """The handlers for one producer. `expect` is called when a transaction has written something that is to be sent."""

    async def on_facts(tx: Tx, facts: Sequence[Fact[Message]]) -> None:
        """Write down what is to be sent."""
        if await operations.take_in(tx, facts):
            expect()

    return dict.fromkeys(convert.event_classes(producer), on_facts)
