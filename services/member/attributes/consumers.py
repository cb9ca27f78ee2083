"""Segments, as tags."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.db import Tx
from chassis.events import Fact
from chassis.ids import from_edge
from chassis.rpc import internal_caller
from huitong.points.v1 import events_pb2
from services.member.attributes import operations
from services.member.attributes.rules import Source, segment_tag


async def on_segments(tx: Tx, facts: Sequence[Fact[events_pb2.SegmentsChanged]]) -> None:
    """Whoever is in a segment has its tag; of several changes the last counts."""
    wanted: dict[UUID, dict[tuple[UUID, str], bool]] = {}
    for fact in facts:
        member_id = from_edge("mbr", fact.payload.member_id, "member_id")
        of_group = wanted.setdefault(fact.group_id, {})
        of_group |= {(member_id, segment_tag(segment)): False for segment in fact.payload.left}
        of_group |= {(member_id, segment_tag(segment)): True for segment in fact.payload.entered}
    for group_id, changes in wanted.items():
        segments = tx.acting_as(internal_caller("segments", group_id))
        await operations.follow_tags(segments, changes, Source.SEGMENT)
