"""Services that have followed a merge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.db import Tx
from chassis.events import Fact, Handler
from chassis.ids import from_edge
from services.member.merging import store
from services.member.merging.rules import MERGING, UNMERGING


def followed(service: str) -> Handler:
    """The handler of what `service` tells."""

    async def on_followed(tx: Tx, facts: Sequence[Fact[Any]]) -> None:
        for fact in facts:
            event = fact.payload
            values: dict[str, Any] = {}
            if service == "points" and event.is_unmerge:
                values = {"charged_points": event.charged_points, "uncharged_points": event.uncharged_points}
            await store.follow(
                tx,
                from_edge("mrg", event.merge_id, "merge_id"),
                group_id=fact.group_id,
                service=service,
                state=UNMERGING if event.is_unmerge else MERGING,
                values=values,
            )

    return on_followed
