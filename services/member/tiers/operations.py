"""Use cases of ladders and growth. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import ids
from chassis.db import Tx
from chassis.ids import to_edge
from huitong.common.v1 import types_pb2
from huitong.member.v1 import events_pb2, member_pb2
from services.member import errors
from services.member.attributes.operations import follow_tags
from services.member.attributes.rules import Source
from services.member.attributes.store import list_tags
from services.member.merging import store as merge_store
from services.member.tiers import ladders, rules, store
from services.member.tiers.errors import GrowthUnknown, LadderInForce, LadderUnknown, TaskUnknown
from services.member.tiers.growth import MINOR_PER_GROWTH, Day, Policy
from services.member.tiers.rules import Ladder, Spending, Standing, Tier
from services.member.tiers.store import Entry


@dataclass(frozen=True, slots=True)
class MemberSpending:
    """A sale of one member."""

    group_id: UUID
    member_id: UUID
    spending: Spending


@dataclass(frozen=True, slots=True)
class MemberRefund:
    """What one member got back, as what it takes off the day of its sale."""

    group_id: UUID
    member_id: UUID
    day: Day


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


def date_message(day: date) -> types_pb2.BusinessDate:
    """The day at the edge."""
    return types_pb2.BusinessDate(year=day.year, month=day.month, day=day.day)


async def set_ladder(tx: Tx, tiers: Sequence[Tier], policy: Policy, effective_date: date | None) -> Ladder:
    """Make a version of the ladder that is in force from a day on, or (None) at once. Raises LadderInvalid.

    Members are graded on it as their next sale arrives.
    """
    problem = rules.ladder_problem(tiers, policy)
    zone = ZoneInfo(policy.time_zone)
    if problem is None and effective_date is not None and effective_date <= tx.now.astimezone(zone).date():
        problem = "the effective date is not in the future", "生效日期必须晚于今天"
    if problem:
        raise errors.LadderInvalid(problem=problem[0], problem_zh=problem[1])
    since = datetime.combine(effective_date, time.min, zone) if effective_date else tx.now
    return await ladders.add_ladder(tx, tiers, policy, since)


async def cancel_ladder(tx: Tx, version: int) -> Ladder:
    """Take back a version that is not in force yet. Raises LadderUnknown, LadderInForce."""
    found = await ladders.find_ladder(tx, version)
    if found is None:
        raise LadderUnknown(version=version)
    if not await ladders.cancel_ladder(tx, version):
        raise LadderInForce(version=version)
    return replace(found, is_cancelled=True)


async def enter(tx: Tx, ladder: Ladder, member_ids: Iterable[UUID]) -> dict[UUID, Standing]:
    """Give members who join their first standing; sales that came in before count."""
    known = await store.lock_standings(tx, dict.fromkeys(member_ids, tx.group_id))
    today = ladder.day_of(tx.now)
    start = ladder.policy.window_start(today)
    books = await store.load_books(
        tx, {member_id: start for member_id, standing in known.items() if _needs_book(ladder, standing)}
    )
    entered = {
        member_id: rules.enter(ladder, standing, today, books.get(member_id)) for member_id, standing in known.items()
    }
    await store.save_standings(tx, list(entered.values()))
    return entered


def _needs_book(ladder: Ladder, standing: Standing) -> bool:
    """Whether growth has to be counted from the days, since it is no running total on this ladder."""
    return not ladder.policy.is_additive or standing.ladder_version != ladder.version


async def add_spendings(tx: Tx, spendings: Sequence[MemberSpending]) -> dict[UUID, Standing]:
    """Add sales to their members' growth, in their order, and announce every tier that was reached on the way."""
    by_member: dict[UUID, list[Spending]] = {}
    for one in spendings:
        by_member.setdefault(one.member_id, []).append(one.spending)
    groups = {one.member_id: one.group_id for one in spendings}
    in_force = await store.find_ladders(tx, groups.values())
    standings = await store.lock_standings(tx, groups)
    for member_id, survivor in (await _lock_survivors(tx, standings)).items():
        by_member.setdefault(survivor, []).extend(by_member[member_id])
    books = await store.load_books(
        tx,
        {
            member_id: in_force[standing.group_id].policy.window_start(
                min(spending.business_date for spending in by_member[member_id])
            )
            for member_id, standing in standings.items()
            if _needs_book(in_force[standing.group_id], standing)
        },
    )
    after = {}
    for member_id, standing in standings.items():
        ladder = in_force[standing.group_id]
        after[member_id], changes = rules.spend(ladder, standing, by_member[member_id], books.get(member_id))
        for change in changes:
            emit_change(tx, standing, change)
    await store.add_days(
        tx,
        {(standings[member_id].group_id, member_id): [one.day for one in own] for member_id, own in by_member.items()},
    )
    await store.save_standings(tx, list(after.values()))
    return after


async def take_back(tx: Tx, refunds: Sequence[MemberRefund]) -> None:
    """Take refunds off the growth of the days of their sales. Nobody steps down here."""
    groups = {one.member_id: one.group_id for one in refunds}
    in_force = await store.find_ladders(tx, groups.values())
    standings = await store.lock_standings(tx, groups)
    days: dict[tuple[UUID, UUID], list[Day]] = {}
    for one in refunds:
        days.setdefault((one.group_id, one.member_id), []).append(one.day)
    for member_id, survivor in (await _lock_survivors(tx, standings)).items():
        group_id = standings[member_id].group_id
        days.setdefault((group_id, survivor), []).extend(days[group_id, member_id])
    await store.add_days(tx, days)
    counted = {member_id for member_id, each in standings.items() if _needs_book(in_force[each.group_id], each)}
    today = {group_id: ladder.day_of(tx.now) for group_id, ladder in in_force.items()}
    books = await store.load_books(
        tx,
        {
            member_id: in_force[group_id].policy.window_start(today[group_id])
            for member_id in counted
            for group_id in (standings[member_id].group_id,)
        },
    )
    after = []
    for member_id, standing in standings.items():
        policy = in_force[standing.group_id].policy
        if member_id in counted:
            growth_minor = books[member_id].growth_minor(policy, today[standing.group_id])
        else:
            own = days[standing.group_id, member_id]
            growth_minor = standing.growth_minor + sum(_additive(policy, day) for day in own)
        after.append(replace(standing, growth_minor=growth_minor))
    await store.save_standings(tx, after)


def _additive(policy: Policy, day: Day) -> int:
    money = day.spend_minor if day.currency_code == policy.currency_code else 0
    return money + day.task_growth * MINOR_PER_GROWTH


async def record_growth(tx: Tx, *, member_id: UUID, task_code: str, reference: str) -> tuple[Entry, bool, str]:
    """Add a task's growth once; answers the entry, whether it was there already, and the code of the tier held now.

    Raises MemberUnknown, TaskUnknown.
    """
    standing = await store.find_standing(tx, member_id)
    if standing is None:
        raise errors.MemberUnknown
    ladder = await store.get_ladder(tx)
    growth_id = ids.derive("growth", tx.group_id, member_id, task_code, reference)
    before = await store.find_entry(tx, growth_id)
    if before is None:
        task = ladder.policy.tasks.get(task_code)
        if task is None:
            raise TaskUnknown(task_code=task_code)
        day = ladder.day_of(tx.now)
        new = Entry(growth_id, member_id, task_code, reference, day, task.growth, None, task.tag, tx.now)
        if await store.add_entry(tx, new):
            if task.tag:
                await tag_by_tasks(tx, member_id)
            spending = Spending(0, day, ladder.policy.time_zone, tx.now, currency_code="", task_growth=task.growth)
            after = await add_spendings(tx, [MemberSpending(tx.group_id, member_id, spending)])
            _emit_growth(tx, new)
            return new, False, after[standing.member_id].tier_code or ""
        before = await _get_entry(tx, growth_id)  # the one that was waited for
    return before, True, ladder.tiers[ladder.held(standing.tier_code, standing.growth)].code


async def reverse_growth(tx: Tx, growth_id: UUID) -> Entry:
    """Take a task's growth back, once; answers the entry that does. Raises GrowthUnknown."""
    entry = await _get_entry(tx, growth_id)
    if entry.reverses_id is not None:
        raise GrowthUnknown
    new = replace(
        entry,
        growth_id=ids.derive("growth-reversal", growth_id),
        growth=-entry.growth,
        reverses_id=growth_id,
        create_time=tx.now,
    )
    if await store.add_entry(tx, new):
        day = Day(entry.business_date, "", task_growth=-entry.growth)
        if entry.tag:
            await tag_by_tasks(tx, entry.member_id)
        await take_back(tx, [MemberRefund(tx.group_id, entry.member_id, day)])
        _emit_growth(tx, new)
    return new


async def tag_by_tasks(tx: Tx, member_id: UUID) -> None:
    """Give a person the tags of all that they have done, and take those of what was taken back.

    Locks the person, before any standing: of two doings, or undoings, at once the second sees the first.
    """
    people = await merge_store.lock_person(tx, member_id)
    if people:
        given = await store.list_given_tags(tx, people)
        had = {tag.tag for tag in await list_tags(tx, people[0]) if tag.source == Source.TASK}
        await follow_tags(tx, {(people[0], tag): tag in given for tag in given | had}, Source.TASK)


async def _get_entry(tx: Tx, growth_id: UUID) -> Entry:
    entry = await store.find_entry(tx, growth_id)
    if entry is None:
        raise GrowthUnknown
    return entry


def _emit_growth(tx: Tx, entry: Entry) -> None:
    member = to_edge("mbr", entry.member_id)
    event = events_pb2.GrowthRecorded(
        growth_id=to_edge("grw", entry.growth_id),
        member_id=member,
        task_code=entry.task_code,
        reference=entry.reference,
        growth=entry.growth,
        business_date=date_message(entry.business_date),
        reverses_growth_id=to_edge("grw", entry.reverses_id) if entry.reverses_id else "",
    )
    tx.emit(event, key=member)


async def _lock_survivors(tx: Tx, standings: dict[UUID, Standing]) -> dict[UUID, UUID]:
    """What absorbed members do counts for them and for their survivors: who those are, locked and among `standings`."""
    survivors = {one.member_id: one.survivor_id for one in standings.values() if one.survivor_id is not None}
    missing = {
        survivor: standings[member_id].group_id
        for member_id, survivor in survivors.items()
        if survivor not in standings
    }
    if missing:
        standings |= await store.lock_standings(tx, missing)
    return survivors


def emit_change(tx: Tx, standing: Standing, change: rules.Change) -> None:
    """Announce a tier."""
    member = to_edge("mbr", standing.member_id)
    event = events_pb2.TierChanged(
        member_id=member,
        tier=tier_message(change.tier),
        previous_tier_code=change.previous_code,
        effective_date=date_message(change.effective_date),
        growth=change.growth,
        reason=int(change.reason),  # type: ignore[arg-type]
    )
    tx.emit(event, key=member, group_id=standing.group_id)
