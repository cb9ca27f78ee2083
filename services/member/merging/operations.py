"""Use cases of merges. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from uuid import UUID

from sqlalchemy import RowMapping

from chassis.db import Tx
from chassis.ids import to_edge
from huitong.member.v1 import events_pb2
from services.member import store as member_store
from services.member.errors import MemberClosed, MemberUnknown
from services.member.merging import rules, store
from services.member.merging.errors import (
    MemberAbsorbed,
    MemberIsSurvivor,
    MergeNotCompleted,
    MergeUnderWay,
    MergeUndone,
    MergeUnknown,
    MergeWithSelf,
)
from services.member.rules import MemberState
from services.member.sessions import store as sessions
from services.member.tiers import operations as tiers
from services.member.tiers import store as tier_store
from services.member.tiers.rules import Change, Ladder, Standing


async def merge_members(tx: Tx, *, merge_id: UUID, survivor_id: UUID, absorbed_id: UUID, reason: str) -> RowMapping:
    """Make one of two. Locks the members by id, then their standings.

    Raises: MergeWithSelf, MemberUnknown, MemberClosed, MemberAbsorbed, MemberIsSurvivor, MergeUnderWay.
    """
    if survivor_id == absorbed_id:
        raise MergeWithSelf
    members = await store.lock_members(tx, [survivor_id, absorbed_id])
    people = await member_store.find_people(tx, members)
    if len(members) < 2 or len(people) < 2:
        raise MemberUnknown
    if any(person.state == MemberState.CLOSED for person in people.values()):
        raise MemberClosed
    for member_id, leads_to in members.items():
        if leads_to is not None:
            raise MemberAbsorbed(member_id=to_edge("mbr", member_id), survivor_id=to_edge("mbr", leads_to))
    for other in await store.list_open(tx, list(members)):
        if other["absorbed_id"] in members:
            raise MergeUnderWay(member_id=to_edge("mbr", other["absorbed_id"]))
        if other["survivor_id"] == absorbed_id:
            raise MemberIsSurvivor(member_id=to_edge("mbr", absorbed_id))

    ladder = await tier_store.get_ladder(tx)
    before = await tier_store.lock_standings(tx, dict.fromkeys(members, tx.group_id))
    survivor, absorbed = rules.united(ladder, before[survivor_id], before[absorbed_id])
    await _save(tx, ladder, before, [survivor, absorbed])
    # Sales that name the absorbed member earn by the same tier.
    _announce(tx, ladder, before[absorbed_id], survivor.tier_code, growth=survivor.growth)
    await store.lead(tx, absorbed_id, survivor_id)
    await sessions.end_all_sessions(tx, absorbed_id)
    tx.emit(
        events_pb2.MemberMerged(
            merge_id=to_edge("mrg", merge_id),
            survivor_id=to_edge("mbr", survivor_id),
            absorbed_id=to_edge("mbr", absorbed_id),
        ),
        key=to_edge("mbr", absorbed_id),
    )
    return await store.add_merge(
        tx,
        {
            "merge_id": merge_id,
            "survivor_id": survivor_id,
            "absorbed_id": absorbed_id,
            "survivor_tier_code": before[survivor_id].tier_code or "",
            "absorbed_tier_code": before[absorbed_id].tier_code or "",
            "reason": reason,
        },
    )


async def unmerge_members(tx: Tx, *, merge_id: UUID, reason: str) -> RowMapping:
    """Make two of one again. Raises MergeUnknown, MergeNotCompleted, MergeUndone."""
    edge = to_edge("mrg", merge_id)
    found = await store.find_merge(tx, merge_id)
    if found is None:
        raise MergeUnknown(merge_id=edge)
    survivor_id, absorbed_id = found["survivor_id"], found["absorbed_id"]
    await store.lock_members(tx, [survivor_id, absorbed_id])
    merge = await get_merge(tx, merge_id, lock=True)
    if merge["state"] == rules.MERGING:
        raise MergeNotCompleted(merge_id=edge, waiting_for=", ".join(merge["waiting_for"]))
    if merge["state"] != rules.COMPLETED:
        raise MergeUndone(merge_id=edge)

    others = [
        other["absorbed_tier_code"]
        for other in await store.list_open(tx, [survivor_id])
        if other["merge_id"] != merge_id and other["state"] != rules.UNMERGING
    ]
    ladder = await tier_store.get_ladder(tx)
    before = await tier_store.lock_standings(tx, dict.fromkeys((survivor_id, absorbed_id), tx.group_id))
    survivor, absorbed = rules.parted(
        ladder,
        before[survivor_id],
        before[absorbed_id],
        survivor_codes=[merge["survivor_tier_code"], *others],
        absorbed_code=merge["absorbed_tier_code"],
    )
    await _save(tx, ladder, before, [survivor, absorbed])
    _announce(tx, ladder, before[survivor_id], absorbed.tier_code, growth=absorbed.growth, of=absorbed_id)
    await store.lead(tx, absorbed_id, None)
    tx.emit(
        events_pb2.MemberUnmerged(
            merge_id=edge, survivor_id=to_edge("mbr", survivor_id), absorbed_id=to_edge("mbr", absorbed_id)
        ),
        key=to_edge("mbr", absorbed_id),
    )
    return await store.begin_unmerge(tx, merge_id, reason)


async def get_merge(tx: Tx, merge_id: UUID, *, lock: bool = False) -> RowMapping:
    """Raises MergeUnknown."""
    merge = await store.find_merge(tx, merge_id, lock=lock)
    if merge is None:
        raise MergeUnknown(merge_id=to_edge("mrg", merge_id))
    return merge


async def _save(tx: Tx, ladder: Ladder, before: dict[UUID, Standing], after: Sequence[Standing]) -> None:
    """Write standings, and announce the survivor's new tier."""
    await tier_store.save_standings(tx, after)
    survivor = after[0]
    _announce(tx, ladder, before[survivor.member_id], survivor.tier_code, growth=survivor.growth)


def _announce(
    tx: Tx, ladder: Ladder, before: Standing, tier_code: str | None, *, growth: int, of: UUID | None = None
) -> None:
    """Tell of a tier other than the one before. It counts from the day after, as a tier that was reached does."""
    if tier_code is None or tier_code == before.tier_code:
        return
    # Units may be in several zones; the day is UTC's.
    effective_date = tx.now.astimezone(UTC).date() + timedelta(days=1)
    tier = ladder.tiers[ladder.held(tier_code, growth)]
    who = Standing(tx.group_id, of or before.member_id, 0, tier_code, ladder.version)
    tiers.emit_change(tx, who, Change(tier, before.tier_code or "", effective_date, growth))
