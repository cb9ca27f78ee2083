"""Use cases of merges. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import RowMapping

from chassis.db import Tx
from chassis.ids import to_edge
from huitong.member.v1 import events_pb2
from services.member import store as member_store
from services.member.errors import MemberUnknown
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
from services.member.merging.rules import Held
from services.member.operations import require_active
from services.member.privacy.errors import ErasureUnderWay
from services.member.privacy.store import find_erased
from services.member.referral import store as referral_store
from services.member.sessions import store as sessions
from services.member.tiers import grants
from services.member.tiers import operations as tiers
from services.member.tiers import store as tier_store
from services.member.tiers.rules import Change, Floor, Ladder, Reason, Standing, best_floor


async def merge_members(tx: Tx, *, merge_id: UUID, survivor_id: UUID, absorbed_id: UUID, reason: str) -> RowMapping:
    """Make one of two. Locks the members by id, then their standings.

    Raises: MergeWithSelf, MemberUnknown, MemberFrozen, MemberClosed, MemberAbsorbed, MemberIsSurvivor, MergeUnderWay,
    ErasureUnderWay.
    """
    if survivor_id == absorbed_id:
        raise MergeWithSelf
    members = await store.lock_members(tx, [survivor_id, absorbed_id])
    people = await member_store.find_people(tx, members)
    if len(members) < 2 or len(people) < 2:
        raise MemberUnknown
    for person in people.values():
        require_active(person.state)
    for member_id, leads_to in members.items():
        if leads_to is not None:
            raise MemberAbsorbed(member_id=to_edge("mbr", member_id), survivor_id=to_edge("mbr", leads_to))
    await _require_no_erasure(tx, members)
    for other in await store.list_open(tx, list(members)):
        if other["absorbed_id"] in members:
            raise MergeUnderWay(member_id=to_edge("mbr", other["absorbed_id"]))
        if other["survivor_id"] == absorbed_id:
            raise MemberIsSurvivor(member_id=to_edge("mbr", absorbed_id))

    ladder = await tier_store.get_ladder(tx)
    before = await tier_store.lock_standings(tx, dict.fromkeys(members, tx.group_id))
    survivor, absorbed = before[survivor_id], before[absorbed_id]
    await tier_store.unite_days(tx, absorbed_id=absorbed_id, survivor_id=survivor_id, sign=1)
    await store.lead(tx, absorbed_id, survivor_id)
    # Nobody brings themselves; what is being given already stays.
    await referral_store.void_within(tx, [absorbed_id, *await store.people_of(tx, survivor_id)])
    after, change, absorbed_after = rules.united(
        ladder,
        survivor,
        absorbed,
        growth_minor=await _growth_minor(tx, ladder, survivor, survivor.growth_minor + absorbed.growth_minor),
        floor=await _floor(tx, ladder, survivor_id),
        today=ladder.day_of(tx.now),
    )
    await tier_store.save_standings(tx, [after, absorbed_after])
    _announce(tx, after, change)
    if after.tier_code != absorbed.tier_code:
        # Sales that name the absorbed member earn by the same tier.
        tier = ladder.tiers[ladder.held(after.tier_code, after.growth)]
        day = ladder.day_of(tx.now) + timedelta(days=1)
        _announce(tx, absorbed, Change(tier, absorbed.tier_code or "", day, after.growth, Reason.MERGE))
    await sessions.end_all_sessions(tx, absorbed_id)
    merge = await store.add_merge(
        tx,
        {
            "merge_id": merge_id,
            "survivor_id": survivor_id,
            "absorbed_id": absorbed_id,
            "survivor_tier_code": rules.own_code(survivor),
            "survivor_period_end": survivor.period_end,
            "absorbed_tier_code": rules.own_code(absorbed),
            "absorbed_period_end": absorbed.period_end,
            "reason": reason,
        },
    )
    await tiers.tag_by_tasks(tx, survivor_id)
    tx.emit(
        events_pb2.MemberMerged(
            merge_id=to_edge("mrg", merge_id),
            survivor_id=to_edge("mbr", survivor_id),
            absorbed_id=to_edge("mbr", absorbed_id),
        ),
        key=to_edge("mbr", absorbed_id),
    )
    return merge


async def unmerge_members(tx: Tx, *, merge_id: UUID, reason: str) -> tuple[RowMapping, RowMapping]:
    """Make two of one again; answers the merge as it was and as it is.

    Raises MergeUnknown, MergeNotCompleted, MergeUndone, ErasureUnderWay.
    """
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

    await _require_no_erasure(tx, [survivor_id, absorbed_id])

    others = [
        Held(other["absorbed_tier_code"], other["absorbed_period_end"])
        for other in await store.list_open(tx, [survivor_id])
        if other["merge_id"] != merge_id and other["state"] != rules.UNMERGING
    ]
    ladder = await tier_store.get_ladder(tx)
    today = ladder.day_of(tx.now)
    before = await tier_store.lock_standings(tx, dict.fromkeys((survivor_id, absorbed_id), tx.group_id))
    survivor, absorbed = before[survivor_id], before[absorbed_id]
    await tier_store.unite_days(tx, absorbed_id=absorbed_id, survivor_id=survivor_id, sign=-1)
    await store.lead(tx, absorbed_id, None)
    # What each has held since before the merge, and whether they still do.
    ours = [Held(merge["survivor_tier_code"], merge["survivor_period_end"]), *others]
    theirs = [Held(merge["absorbed_tier_code"], merge["absorbed_period_end"])]
    ends = [held.period_end for held in (*ours, *theirs) if held.period_end]
    when = {"merged_on": ladder.day_of(merge["merge_time"]), "today": today}
    since = ladder.policy.window_start(min([*when.values(), *ends]))
    books = await tier_store.load_books(tx, dict.fromkeys((survivor_id, absorbed_id), since))
    left, change = rules.parted(
        ladder, survivor, ours, books[survivor_id], await _floor(tx, ladder, survivor_id), **when
    )
    told = rules.told(absorbed, survivor)
    own, own_change = rules.parted(
        ladder, told, theirs, books[absorbed_id], await _floor(tx, ladder, absorbed_id), **when
    )
    await tier_store.save_standings(tx, [left, own])
    undone = await store.begin_unmerge(tx, merge_id, reason)
    for member_id in (survivor_id, absorbed_id):
        await tiers.tag_by_tasks(tx, member_id)
        await sessions.log_out(tx, member_id)  # whoever logged in while they were one may be either
    _announce(tx, left, change)
    _announce(tx, own, own_change)
    tx.emit(
        events_pb2.MemberUnmerged(
            merge_id=edge, survivor_id=to_edge("mbr", survivor_id), absorbed_id=to_edge("mbr", absorbed_id)
        ),
        key=to_edge("mbr", absorbed_id),
    )
    return merge, undone


async def get_merge(tx: Tx, merge_id: UUID, *, lock: bool = False) -> RowMapping:
    """Raises MergeUnknown."""
    merge = await store.find_merge(tx, merge_id, lock=lock)
    if merge is None:
        raise MergeUnknown(merge_id=to_edge("mrg", merge_id))
    return merge


async def _require_no_erasure(tx: Tx, member_ids: Iterable[UUID]) -> None:
    """Of members that are locked. Raises ErasureUnderWay."""
    member_id = await find_erased(tx, list(member_ids))
    if member_id is not None:
        raise ErasureUnderWay(member_id=to_edge("mbr", member_id))


async def _growth_minor(tx: Tx, ladder: Ladder, standing: Standing, total_minor: int) -> int:
    """The growth of a member whose days have changed: the total where growth is one, else what the days say."""
    if ladder.policy.is_additive and standing.ladder_version == ladder.version:
        return total_minor
    today = ladder.day_of(tx.now)
    books = await tier_store.load_books(tx, {standing.member_id: ladder.policy.window_start(today)})
    return books[standing.member_id].growth_minor(ladder.policy, today)


async def _floor(tx: Tx, ladder: Ladder, member_id: UUID) -> Floor | None:
    """The best tier that a member, or one that it has absorbed, is granted."""
    today = ladder.day_of(tx.now)
    return best_floor(ladder, (await grants.find_floors(tx, [member_id], today))[member_id], today)


def _announce(tx: Tx, standing: Standing, change: Change | None) -> None:
    if change is not None:
        tiers.emit_change(tx, standing, change)
