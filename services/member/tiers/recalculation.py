"""Use cases of grading a whole group anew. Each runs inside the transaction that it is given."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from chassis import ids
from chassis.db import Tx
from chassis.ids import to_edge
from huitong.member.v1 import events_pb2
from services.member import errors
from services.member import store as member_store
from services.member.tiers import ladders, regrade, store
from services.member.tiers.errors import RecalculationEnded, RecalculationRunning, RecalculationUnknown
from services.member.tiers.operations import date_message, tier_message
from services.member.tiers.regrade import CANCELLED, DONE, RUNNING, Recalculation
from services.member.tiers.rules import DEFAULT_LADDER, Ladder, Reason, whole

BATCH = 2_000
_VERSIONS = 1_000  # looked at for what a member was told last


async def start(tx: Tx, *, request_id: str, may_downgrade: bool) -> Recalculation:
    """Begin. Raises GroupUnknown, RecalculationRunning (which names the one that runs)."""
    if not await member_store.has_group(tx, tx.group_id):
        raise errors.GroupUnknown
    recalculation_id = ids.derive("tier-recalculation", tx.group_id, request_id)
    ladder = await store.get_ladder(tx)
    if not await regrade.add_recalculation(
        tx, recalculation_id, ladder_version=ladder.version, may_downgrade=may_downgrade
    ):
        running = await regrade.find_running(tx)
        raise RecalculationRunning(recalculation_id=to_edge("trc", running) if running else "")
    return await get(tx, recalculation_id)


async def get(tx: Tx, recalculation_id: UUID, *, lock: bool = False) -> Recalculation:
    """Raises RecalculationUnknown."""
    found = await regrade.find_recalculation(tx, recalculation_id, lock=lock)
    if found is None:
        raise RecalculationUnknown
    return found


async def cancel(tx: Tx, recalculation_id: UUID) -> tuple[Recalculation, Recalculation]:
    """Stop it after the batch under way; answers it as it was and as it is.

    Raises RecalculationUnknown, RecalculationEnded.
    """
    found = await get(tx, recalculation_id, lock=True)
    if found.state != RUNNING:
        raise RecalculationEnded
    await regrade.save_recalculation(tx, replace(found, state=CANCELLED))
    return found, await get(tx, recalculation_id)


async def go_on(tx: Tx, recalculation_id: UUID, *, batch_size: int = BATCH) -> bool:
    """Grade the next batch, with its progress and its events; answers whether there is more to do.

    When another version has come into force meanwhile, it begins from the first member again.
    """
    now = await get(tx, recalculation_id, lock=True)
    if now.state != RUNNING:
        return False
    ladder = await store.get_ladder(tx)
    if ladder.version != now.ladder_version:
        now = replace(now, ladder_version=ladder.version, after_member_id=UUID(int=0), done_count=0, changed_count=0)
    today = ladder.day_of(tx.now)
    batch = await regrade.regrade(
        tx,
        ladder,
        after=now.after_member_id,
        limit=batch_size,
        today=today,
        may_downgrade=now.may_downgrade,
        quiet=await _quiet(tx, ladder),
    )
    effective_date = date_message(today + timedelta(days=1))
    for one in batch.announced:
        member = to_edge("mbr", one.member_id)
        tier = ladder.tiers[ladder.held(one.tier_code, 0)]
        event = events_pb2.TierChanged(
            member_id=member,
            tier=tier_message(tier),
            previous_tier_code=one.previous_code,
            effective_date=effective_date,
            growth=whole(one.growth_minor),
            reason=int(Reason.LADDER),  # type: ignore[arg-type]
        )
        tx.emit(event, key=member)
    done_count = now.done_count + batch.member_count
    is_done = batch.member_count < batch_size
    await regrade.save_recalculation(
        tx,
        replace(
            now,
            state=DONE if is_done else RUNNING,
            done_count=done_count,
            total_count=max(now.total_count, done_count),
            changed_count=now.changed_count + batch.changed_count,
            after_member_id=batch.last_member_id or now.after_member_id,
        ),
    )
    return not is_done


async def _quiet(tx: Tx, ladder: Ladder) -> list[str]:
    """The "version:code" whose benefits this ladder has as they were told."""
    mine = {one.code: one for one in ladder.tiers}
    versions = [DEFAULT_LADDER, *await ladders.list_ladders(tx, before_version=ladder.version + 1, limit=_VERSIONS)]
    return [
        f"{version.version}:{old.code}"
        for version in versions
        for old in version.tiers
        if (new := mine.get(old.code)) is not None
        and (new.earn_multiplier_bps, new.free_parking_minutes) == (old.earn_multiplier_bps, old.free_parking_minutes)
    ]
