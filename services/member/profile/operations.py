"""Use cases of profiles. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from chassis.crypto import Vault
from chassis.db import Tx
from chassis.identity import CallerKind
from chassis.ids import to_edge
from huitong.member.v1 import events_pb2
from services.member import store as member_store
from services.member.errors import MemberUnknown
from services.member.privacy.store import get_settings
from services.member.profile import rules, store
from services.member.profile.rules import Profile
from services.member.profile.store import Kept

PROFILE_PURPOSE = "member.profile"


@dataclass(frozen=True, slots=True)
class Shown:
    """A profile, and how often its birthday may still be changed by the member."""

    profile: Profile
    birthday_changes_left: int


def open_profile(vault: Vault, member_id: UUID, sealed: bytes | None) -> Profile:
    """What was sealed; an empty profile for None."""
    if sealed is None:
        return Profile()
    return rules.from_text(vault.decrypt(PROFILE_PURPOSE, sealed, bound_to=member_id))


async def get_profile(tx: Tx, vault: Vault, member_id: UUID) -> Shown:
    """An absorbed member's is the survivor's. Raises MemberUnknown."""
    member_id = await member_store.leader_of(tx, member_id)
    kept = await _kept(tx, member_id)
    limit = (await get_settings(tx)).birthday_change_limit
    return Shown(open_profile(vault, member_id, kept.sealed), max(0, limit - kept.birthday_change_count))


async def update_profile(tx: Tx, vault: Vault, member_id: UUID, wanted: Profile, names: Collection[str]) -> None:
    """Change the fields `names`; points hears of another month of birth. An absorbed id means its survivor.

    Raises MemberUnknown, BirthdayChangesUsedUp.
    """
    member_id = await member_store.leader_of(tx, member_id)
    kept = await _kept(tx, member_id, lock=True)
    before = open_profile(vault, member_id, kept.sealed)
    after = rules.changed(before, wanted, names)
    is_own = tx.caller.kind is CallerKind.MEMBER
    count = rules.count_birthday_changes(
        before,
        after,
        birth_month=kept.birth_month,
        count=kept.birthday_change_count,
        limit=(await get_settings(tx)).birthday_change_limit if is_own else None,
    )
    sealed = vault.encrypt(PROFILE_PURPOSE, rules.to_text(after), bound_to=member_id)
    await store.save_profile(tx, member_id, sealed=sealed, birthday_change_count=count)
    month = rules.month_of(before, after, kept.birth_month)
    if month != kept.birth_month:
        await store.save_birth_month(tx, member_id, month)
        edge = to_edge("mbr", member_id)
        tx.emit(events_pb2.MemberProfileChanged(member_id=edge, birth_month=month), key=edge)


async def _kept(tx: Tx, member_id: UUID, *, lock: bool = False) -> Kept:
    kept = await store.find_profile(tx, member_id, lock=lock)
    if kept is None:
        raise MemberUnknown
    return kept
