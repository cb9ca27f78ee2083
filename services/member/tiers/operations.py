"""Use cases of tiers. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from chassis.db import Tx
from chassis.ids import to_edge
from huitong.common.v1 import types_pb2
from huitong.member.v1 import events_pb2, member_pb2
from services.member import errors
from services.member.tiers import rules, store
from services.member.tiers.rules import Ladder, Spending, Standing, Tier


@dataclass(frozen=True, slots=True)
class MemberSpending:
    """A sale of one member."""

    group_id: UUID
    member_id: UUID
    spending: Spending


@dataclass(frozen=True, slots=True)
class MemberRefund:
    """Money that one member got back."""

    group_id: UUID
    member_id: UUID
    amount_minor: int


def tier_message(tier: Tier) -> member_pb2.Tier:
    """The tier at the edge."""
    return member_pb2.Tier(
        code=tier.code,
        name=tier.name,
        name_zh=tier.name_zh,
        min_growth=tier.min_growth,
        earn_multiplier_bps=tier.earn_multiplier_bps,
        free_parking_minutes=tier.free_parking_minutes,
    )


async def set_ladder(tx: Tx, tiers: Sequence[Tier]) -> None:
    """Replace the ladder. Members are graded on it as their next sale arrives. Raises LadderInvalid."""
    problem = rules.ladder_problem(tiers)
    if problem:
        raise errors.LadderInvalid(problem=problem)
    await store.replace_ladder(tx, tiers)


async def enter(tx: Tx, ladder: Ladder, member_ids: Iterable[UUID]) -> dict[UUID, Standing]:
    """Give members who join their first standing; sales that came in before count."""
    known = await store.lock_standings(tx, dict.fromkeys(member_ids, tx.group_id))
    entered = {member_id: rules.enter(ladder, standing) for member_id, standing in known.items()}
    await store.save_standings(tx, list(entered.values()))
    return entered


async def add_spendings(tx: Tx, spendings: Sequence[MemberSpending]) -> None:
    """Add sales to their members' growth, in their order, and announce every tier that was reached on the way."""
    by_member: dict[UUID, list[Spending]] = {}
    for one in spendings:
        by_member.setdefault(one.member_id, []).append(one.spending)
    groups = {one.member_id: one.group_id for one in spendings}
    ladders = await store.find_ladders(tx, groups.values())
    standings = await store.lock_standings(tx, groups)
    if any(standing.survivor_id for standing in standings.values()):
        for member_id, survivor in (await _lock_survivors(tx, standings)).items():
            by_member.setdefault(survivor, []).extend(by_member[member_id])
    after = []
    for member_id, standing in standings.items():
        new, changes = rules.spend(ladders[standing.group_id], standing, by_member[member_id])
        after.append(new)
        for change in changes:
            emit_change(tx, standing, change)
    await store.save_standings(tx, after)


async def take_back(tx: Tx, refunds: Sequence[MemberRefund]) -> None:
    """Take refunds off their members' growth. Nobody steps down here."""
    standings = await store.lock_standings(tx, {one.member_id: one.group_id for one in refunds})
    totals: dict[UUID, int] = {}
    for one in refunds:
        totals[one.member_id] = totals.get(one.member_id, 0) + one.amount_minor
    if any(standing.survivor_id for standing in standings.values()):
        for member_id, survivor in (await _lock_survivors(tx, standings)).items():
            totals[survivor] = totals.get(survivor, 0) + totals[member_id]
    await store.save_standings(
        tx,
        [
            replace(standing, growth_minor=standing.growth_minor - totals[member_id])
            for member_id, standing in standings.items()
        ],
    )


async def _lock_survivors(tx: Tx, standings: dict[UUID, Standing]) -> dict[UUID, UUID]:
    """What absorbed members do counts for them and for their survivors: who those are, locked and among `standings`."""
    survivors = {one.member_id: one.survivor_id for one in standings.values() if one.survivor_id is not None}
    missing = {survivors[one.member_id]: one.group_id for one in standings.values() if one.survivor_id is not None}
    missing = {survivor: group for survivor, group in missing.items() if survivor not in standings}
    if missing:
        standings |= await store.lock_standings(tx, missing)
    return survivors


def emit_change(tx: Tx, standing: Standing, change: rules.Change) -> None:
    """Announce a tier."""
    member = to_edge("mbr", standing.member_id)
    day = change.effective_date
    event = events_pb2.TierChanged(
        member_id=member,
        tier=tier_message(change.tier),
        previous_tier_code=change.previous_code,
        effective_date=types_pb2.BusinessDate(year=day.year, month=day.month, day=day.day),
        growth=change.growth,
    )
    tx.emit(event, key=member, group_id=standing.group_id)
