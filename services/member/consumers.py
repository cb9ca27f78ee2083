"""Copies of what org owns: groups, for login, and stores, for joins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.db import Tx
from chassis.events import Fact, Handler
from chassis.ids import from_edge
from huitong.org.v1 import events_pb2
from services.member import store


def in_turn(*handlers: Handler) -> Handler:
    """One handler that lets several capabilities look at the same events."""

    async def handle(tx: Tx, facts: Sequence[Fact[Any]]) -> None:
        for each in handlers:
            await each(tx, facts)

    return handle


async def on_groups(tx: Tx, facts: Sequence[Fact[events_pb2.GroupCreated]]) -> None:
    """Keep the groups."""
    await store.save_groups(tx, {fact.group_id: fact.payload.group.code for fact in facts})


async def on_stores(tx: Tx, facts: Sequence[Fact[events_pb2.StoreSaved]]) -> None:
    """Keep which group a store belongs to."""
    await store.save_stores(
        tx, {from_edge("sto", fact.payload.store.store_id, "store_id"): fact.group_id for fact in facts}
    )
