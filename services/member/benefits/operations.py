"""Use cases of benefits. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import ids
from chassis.db import Tx
from chassis.ids import to_edge
from huitong.member.v1 import benefits_pb2
from services.member import store as member_store
from services.member.benefits import rules, store
from services.member.benefits.errors import (
    BenefitInvalid,
    BenefitNotNow,
    BenefitQuotaUsed,
    BenefitReferenceReused,
    BenefitReturned,
    BenefitUnknown,
    BenefitUseUnknown,
)
from services.member.benefits.rules import Benefit
from services.member.benefits.store import Use
from services.member.errors import MemberUnknown
from services.member.merging import store as merge_store
from services.member.operations import require_active
from services.member.tiers import store as tier_store
from services.member.tiers.errors import TierUnknown
from services.member.tiers.rules import Ladder, Standing


@dataclass(frozen=True, slots=True)
class Held:
    """A benefit as one member has it in the period that began on `period_start`."""

    benefit: Benefit
    used: int
    period_start: date
    is_time: bool

    @property
    def left(self) -> int | None:
        """Units left; None without a limit."""
        return self.benefit.left(self.used)

    def refusal(self, quantity: int) -> str:
        """The reason for which so many units cannot be used now; "" when they can."""
        if not self.is_time:
            return BenefitNotNow.reason
        return BenefitQuotaUsed.reason if self.left is not None and quantity > self.left else ""


@dataclass(frozen=True, slots=True)
class _Member:
    people: list[UUID]  # all ids of the person, the survivor's first
    ladder: Ladder
    standing: Standing
    today: date
    tier_code: str
    is_birth_month: bool

    def start_of(self, benefit: Benefit) -> date:
        return rules.period_start(benefit.period, self.ladder.policy, self.standing, self.today)

    def counted(self, benefit: Benefit) -> tuple[date, date]:
        """First and last of the beginnings of periods whose uses count now."""
        start = self.start_of(benefit)
        if len(self.people) == 1:
            return start, start
        return rules.counted_starts(benefit.period, self.ladder.policy, start, self.today)


async def _member(tx: Tx, member_id: UUID, people: list[UUID] | None = None) -> _Member:
    """The whole person, also by an absorbed id. Raises MemberUnknown."""
    people = people or await merge_store.people_of(tx, member_id)
    standing = await tier_store.find_standing(tx, member_id)
    if standing is None or not people:
        raise MemberUnknown
    ladder = await tier_store.get_ladder(tx)
    today = ladder.day_of(tx.now)
    code = ladder.tiers[ladder.held(standing.tier_on(today), standing.growth)].code
    birth_month, zone = await store.find_birthday(tx, people[0])
    # The month of birth is by the calendar of where the member lives.
    lives_in = tx.now.astimezone(ZoneInfo(zone)).month if zone else today.month
    return _Member(people, ladder, standing, today, code, birth_month == lives_in)


async def set_benefits(tx: Tx, tier_code: str, benefits: Sequence[Benefit]) -> list[Benefit]:
    """Replace a tier's. Raises TierUnknown, BenefitInvalid."""
    if (await tier_store.get_ladder(tx)).index(tier_code) is None:
        raise TierUnknown(tier_code=tier_code)
    if problem := rules.benefits_problem(benefits):
        raise BenefitInvalid(problem=problem[0], problem_zh=problem[1])
    await store.replace_benefits(tx, tier_code, benefits)
    return sorted(benefits, key=lambda one: one.benefit_code)


async def list_held(tx: Tx, member_id: UUID) -> list[Held]:
    """What a member has today. Raises MemberUnknown."""
    who = await _member(tx, member_id)
    return await _held(tx, who, await store.list_benefits(tx, tier_code=who.tier_code))


async def check(tx: Tx, member_id: UUID, benefit_code: str) -> Held:
    """One benefit of a member today. Raises MemberUnknown, BenefitUnknown."""
    who = await _member(tx, member_id)
    (held,) = await _held(tx, who, [await _benefit(tx, who, benefit_code)])
    return held


async def _benefit(tx: Tx, who: _Member, benefit_code: str) -> Benefit:
    benefit = await store.find_benefit(tx, who.tier_code, benefit_code)
    if benefit is None:
        raise BenefitUnknown(benefit_code=benefit_code)
    return benefit


async def _held(tx: Tx, who: _Member, benefits: Sequence[Benefit]) -> list[Held]:
    starts = {one.benefit_code: who.start_of(one) for one in benefits}
    counted = {one.benefit_code: who.counted(one) for one in benefits}
    used = await store.find_used(tx, who.people, counted) if starts else {}
    return [
        Held(one, used[one.benefit_code], starts[one.benefit_code], one.is_time(is_birth_month=who.is_birth_month))
        for one in benefits
    ]


async def use(
    tx: Tx, member_id: UUID, benefit_code: str, *, quantity: int, reference: str, store_id: UUID | None
) -> tuple[Use, int | None]:
    """Use units of a benefit, once for each reference; answers the use and what is left (None: no limit).

    Merged members share each quota, and a reference. A use stays in whose name it was made, so that it is that one's
    when the merge is undone.

    Raises MemberUnknown, MemberFrozen, MemberClosed, BenefitUnknown, BenefitQuotaUsed, BenefitNotNow,
    BenefitReferenceReused, BenefitReturned.
    """
    people = await merge_store.lock_person(tx, member_id)
    before = await _find_by_reference(tx, people, benefit_code, reference)
    if before is None:
        who = await _member(tx, member_id, people)
        require_active(await member_store.find_state(tx, people[0]))
        benefit = await _benefit(tx, who, benefit_code)
        use_id = _use_id(tx, member_id, benefit_code, reference)
        new = Use(
            use_id=use_id,
            member_id=member_id,
            benefit_code=benefit_code,
            kind=int(benefit.kind),
            tier_code=who.tier_code,
            price_bps=benefit.price_bps,
            quantity=quantity,
            reference=reference,
            store_id=store_id,
            period_start=who.start_of(benefit),
            use_time=tx.now,
        )
        if await store.add_use(tx, new):
            if not benefit.is_time(is_birth_month=who.is_birth_month):
                raise BenefitNotNow
            # The person is locked, so that nobody counts at once under another id.
            other_used = await store.count_others(tx, new, who.people, who.counted(benefit))
            used = await store.take(tx, new, benefit.quota, other_used)
            if used is None:
                (held,) = await _held(tx, who, [benefit])
                raise BenefitQuotaUsed(left=held.left, quota=benefit.quota)
            tx.emit(benefits_pb2.BenefitUsed(use=use_message(new)), key=to_edge("mbr", member_id))
            return new, benefit.left(used)
        before = await _get_use(tx, use_id)  # the one that was waited for
    if before.return_time is not None:
        raise BenefitReturned(reference=reference)
    if before.quantity != quantity:
        raise BenefitReferenceReused(reference=reference)
    return before, await _left_now(tx, before)


def _use_id(tx: Tx, member_id: UUID, benefit_code: str, reference: str) -> UUID:
    return ids.derive("benefit-use", tx.group_id, member_id, benefit_code, reference)


async def _find_by_reference(tx: Tx, people: Sequence[UUID], benefit_code: str, reference: str) -> Use | None:
    for one in people:
        found = await store.find_use(tx, _use_id(tx, one, benefit_code, reference))
        if found is not None:
            return found
    return None


async def _left_now(tx: Tx, use: Use) -> int | None:
    try:
        return (await check(tx, use.member_id, use.benefit_code)).left
    except BenefitUnknown:
        return 0  # the member's tier has it no more


async def _get_use(tx: Tx, use_id: UUID, *, lock: bool = False) -> Use:
    found = await store.find_use(tx, use_id, lock=lock)
    if found is None:
        raise BenefitUseUnknown
    return found


async def give_back(tx: Tx, use_id: UUID, *, only_store_id: UUID | None) -> Use:
    """Give a use back to the period that it was taken from, once; `only_store_id`: if it was used there.

    Raises BenefitUseUnknown.
    """
    found = await _get_use(tx, use_id, lock=True)
    if only_store_id is not None and found.store_id != only_store_id:
        raise BenefitUseUnknown
    return await _give_back(tx, found)


async def _give_back(tx: Tx, found: Use) -> Use:
    if found.return_time is not None:
        return found
    await store.give_back(tx, found, tx.now)
    returned = replace(found, return_time=tx.now)
    tx.emit(benefits_pb2.BenefitReturned(use=use_message(returned)), key=to_edge("mbr", found.member_id))
    return returned


async def cancel(tx: Tx, member_id: UUID, benefit_code: str, *, reference: str) -> Use | None:
    """Give back what was used for a reference, and let nothing be used for it later; answers what was used, if any.

    Raises MemberUnknown.
    """
    people = await merge_store.lock_person(tx, member_id)
    before = await _find_by_reference(tx, people, benefit_code, reference)
    if before is None:
        if await tier_store.find_standing(tx, member_id) is None:
            raise MemberUnknown
        never = Use(
            use_id=_use_id(tx, member_id, benefit_code, reference),
            member_id=member_id,
            benefit_code=benefit_code,
            kind=0,
            tier_code="",
            price_bps=0,
            quantity=0,
            reference=reference,
            store_id=None,
            period_start=rules.ONCE,
            use_time=tx.now,
            return_time=tx.now,
        )
        if await store.add_use(tx, never):
            return None
        before = await _get_use(tx, never.use_id)  # the one that was waited for
    before = await _get_use(tx, before.use_id, lock=True)
    return await _give_back(tx, before) if before.quantity else None


def use_message(use: Use) -> benefits_pb2.BenefitUse:
    """The use at the edge."""
    return benefits_pb2.BenefitUse(
        use_id=to_edge("bus", use.use_id),
        member_id=to_edge("mbr", use.member_id),
        benefit_code=use.benefit_code,
        kind=use.kind,  # type: ignore[arg-type]
        tier_code=use.tier_code,
        quantity=use.quantity,
        price_bps=use.price_bps,
        reference=use.reference,
        store_id=to_edge("sto", use.store_id) if use.store_id else "",
        use_time=use.use_time,
        return_time=use.return_time,
    )
