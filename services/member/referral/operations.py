"""Use cases of referrals. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from chassis import ids
from chassis.crypto import Vault
from chassis.db import Tx
from huitong.member.v1 import events_pb2
from services.member import errors
from services.member import store as member_store
from services.member.merging import store as merge_store
from services.member.operations import require_active
from services.member.referral import rules, store
from services.member.referral.errors import (
    ReferralAlreadyMade,
    ReferralCodeInvalid,
    ReferralCodeUnknown,
    ReferralLimitReached,
    ReferralLoop,
    ReferralNotOffered,
    ReferralTooLate,
    ReferralToSelf,
)
from services.member.referral.rules import Program, Referral, State
from services.member.rules import MemberState

CODE_PURPOSE = "member.referral-code"
_MOST_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a member bought, or (`is_return`) brought back of it."""

    member_id: UUID
    sale_id: str
    amount_minor: int
    currency_code: str
    sale_time: datetime
    is_return: bool = False


async def set_program(tx: Tx, program: Program) -> None:
    """Replace the group's program. Raises GroupUnknown."""
    if not await member_store.has_group(tx, tx.group_id):
        raise errors.GroupUnknown
    await store.save_program(tx, program)


async def get_program(tx: Tx) -> Program:
    """Raises ReferralNotOffered."""
    found = await store.find_program(tx)
    if found is None:
        raise ReferralNotOffered
    return found


async def code_of(tx: Tx, vault: Vault, member_id: UUID) -> str:
    """A member's code. It follows from the member, so that asking at once gives one.

    Raises MemberUnknown, MemberFrozen, MemberClosed.
    """
    person = await member_store.find_person(tx, member_id)
    if person is None:
        raise errors.MemberUnknown
    require_active(person.state)
    member_id = person.member_id
    for attempt in range(_MOST_ATTEMPTS):
        if (known := await store.find_code(tx, member_id)) is not None:
            return known
        index = vault.blind_index(CODE_PURPOSE, tx.group_id, member_id, attempt)
        await store.claim_code(tx, member_id, rules.code_of(int.from_bytes(index) % 32**rules.BODY_LENGTH))
    raise RuntimeError("no free referral code was found")


async def use_code(tx: Tx, *, request_id: str, friend_id: UUID, code_text: str) -> Referral:
    """Keep who brought a member. Raises what the proto says."""
    code = rules.read_code(code_text)
    if code is None:
        raise ReferralCodeInvalid
    program = await store.find_program(tx, lock=True)
    if program is None or not program.is_open:
        raise ReferralNotOffered
    friend = await member_store.find_person(tx, friend_id)
    if friend is None:
        raise errors.MemberUnknown
    require_active(friend.state)
    # Merged members are one person: brought once under whichever id, and on neither side twice.
    friend_id = friend.member_id
    people = await merge_store.people_of(tx, friend_id)
    for one_id in people:
        if await store.find_referral(tx, one_id) is not None:
            raise ReferralAlreadyMade
    # Growth is money spent and kept: a purchase that was brought back whole does no harm.
    if tx.now > friend.join_time + timedelta(days=program.use_within_days) or friend.growth_minor > 0:
        raise ReferralTooLate(use_within_days=program.use_within_days)
    referrer_id = await store.find_owner(tx, code)
    if referrer_id is not None:
        referrer_id = await member_store.leader_of(tx, referrer_id)
    if referrer_id is None or await member_store.find_state(tx, referrer_id) != MemberState.ACTIVE:
        raise ReferralCodeUnknown
    if referrer_id == friend_id or await store.share_a_device(tx, referrer_id, friend_id):
        raise ReferralToSelf
    if await store.is_behind(tx, friend_id, of=referrer_id):
        raise ReferralLoop
    limit = program.referrals_per_month
    referrers = await merge_store.people_of(tx, referrer_id)
    if limit and await store.count_since(tx, referrers, rules.month_of(tx.now)) >= limit:
        raise ReferralLimitReached(limit=limit)
    made = Referral(
        friend_id=friend_id,
        group_id=tx.group_id,
        referral_id=ids.derive("referral", tx.group_id, request_id, friend_id),
        referrer_id=referrer_id,
        state=State.WAITING,
        create_time=tx.now,
        referrer_points=program.referrer_points,
        friend_points=program.friend_points,
        min_amount_minor=program.min_amount_minor,
        currency_code=program.currency_code,
        merchant_id=program.merchant_id,
        return_window_days=program.return_window_days,
    )
    await store.add_referral(tx, made)
    event = events_pb2.ReferralMade(
        referral_id=edge(made), referrer_id=ids.to_edge("mbr", referrer_id), friend_id=ids.to_edge("mbr", friend_id)
    )
    tx.emit(event, key=event.friend_id)
    return made


async def follow(tx: Tx, purchases: Sequence[Purchase]) -> None:
    """Let purchases and returns, in their order, change the referrals of who made them."""
    buyers = {purchase.member_id for purchase in purchases}
    under_way = await store.lock_under_way(tx, buyers)
    if not under_way:
        return
    # Who was brought before a merge buys by either id since.
    people = await merge_store.find_merged(tx, buyers)
    after = dict(under_way)
    for purchase in purchases:
        ids_of_person = people.get(purchase.member_id, [purchase.member_id])
        friend_id = next((one_id for one_id in ids_of_person if one_id in after), None)
        if friend_id is None:
            continue
        one = after[friend_id]
        if purchase.is_return:
            one = rules.bring_back(one, sale_id=purchase.sale_id, amount_minor=purchase.amount_minor)
        else:
            one = rules.buy(
                one,
                sale_id=purchase.sale_id,
                amount_minor=purchase.amount_minor,
                currency_code=purchase.currency_code,
                sale_time=purchase.sale_time,
                now=tx.now,
            )
        after[friend_id] = one
    for friend_id, one in after.items():
        if one != under_way[friend_id]:
            await store.save_referral(tx, one)


async def begin_reward(tx: Tx, friend_id: UUID) -> Referral | None:
    """Fix that the window is over: returns change nothing any more. None when there is nothing to give (any more)."""
    one = await store.lock_referral(tx, friend_id)
    if one is None or one.state not in (State.QUALIFIED, State.REWARDING):
        return None
    if one.due_time is None or one.due_time > tx.now:
        return None  # brought back and bought anew meanwhile
    leaders = await member_store.find_leaders(tx, [one.friend_id, one.referrer_id])
    are_one = leaders.get(one.friend_id) == leaders.get(one.referrer_id) is not None
    if are_one and one.state is State.QUALIFIED:  # merged while the code was being used
        await store.save_referral(tx, replace(one, state=State.VOID))
        return None
    begun = replace(one, state=State.REWARDING)
    if begun != one:
        await store.save_referral(tx, begun)
    return begun


async def end_reward(tx: Tx, friend_id: UUID, *, referrer_got: bool, friend_got: bool) -> None:
    """Keep that each side got its points or never will."""
    one = await store.lock_referral(tx, friend_id)
    if one is None or one.state is not State.REWARDING:
        return
    done = replace(one, state=State.REWARDED, is_referrer_rewarded=referrer_got, is_friend_rewarded=friend_got)
    await store.save_referral(tx, done)
    event = events_pb2.ReferralRewarded(
        referral_id=edge(one),
        referrer_id=ids.to_edge("mbr", one.referrer_id),
        friend_id=ids.to_edge("mbr", friend_id),
        referrer_points=one.referrer_points if referrer_got else 0,
        friend_points=one.friend_points if friend_got else 0,
    )
    tx.emit(event, key=event.friend_id, group_id=one.group_id)


def edge(one: Referral) -> str:
    """`ref_…`"""
    return ids.to_edge("ref", one.referral_id)
