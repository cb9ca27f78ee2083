"""Merges of members, as member tells of them. The job moves what they have."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.db import Tx
from chassis.events import Fact
from chassis.ids import from_edge
from huitong.member.v1 import events_pb2
from services.mall.merging import store


async def on_merged(tx: Tx, facts: Sequence[Fact[events_pb2.MemberMerged]]) -> None:
    """Two members became one."""
    for fact in facts:
        await store.add_merge(
            tx,
            merge_id=from_edge("mrg", fact.payload.merge_id, "merge_id"),
            group_id=fact.group_id,
            survivor_id=from_edge("mbr", fact.payload.survivor_id, "survivor_id"),
            absorbed_id=from_edge("mbr", fact.payload.absorbed_id, "absorbed_id"),
        )


async def on_unmerged(tx: Tx, facts: Sequence[Fact[events_pb2.MemberUnmerged]]) -> None:
    """They are two again."""
    for fact in facts:
        await store.begin_unmerge(tx, merge_id=from_edge("mrg", fact.payload.merge_id, "merge_id"))
