"""Use cases of join risk. Each runs inside the transaction that it is given."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from chassis.crypto import Vault
from chassis.db import Tx
from huitong.member.v1 import events_pb2, risk_pb2
from services.member import errors
from services.member import store as member_store
from services.member.merging import store as merge_store
from services.member.miniprogram.rules import OPENID, UNION_ID
from services.member.risk import rules, store
from services.member.risk.errors import DenialUnknown
from services.member.risk.rules import Action, Policy, Standing
from services.member.risk.store import Denial
from services.member.rules import PHONE, MemberState
from services.member.sessions import store as session_store

DEVICE_PURPOSE = "member.device"
# What says who somebody is; a device may be another's tomorrow.
DENIABLE = (PHONE, OPENID, UNION_ID)


def device_index(vault: Vault, group_id: UUID, device_id: str) -> bytes:
    """What a device is known by."""
    return vault.blind_index(DEVICE_PURPOSE, group_id, device_id)


async def note_device(tx: Tx, vault: Vault, member_id: UUID, device_id: str) -> None:
    """Keep that the member has used a device; "" is none."""
    if device_id:
        await store.note_devices(tx, [(member_id, device_index(vault, tx.group_id, device_id))])


async def get_standing(tx: Tx, member_id: UUID) -> Standing:
    """An absorbed member's is the survivor's. Raises MemberUnknown."""
    found = await store.find_standing(tx, await member_store.leader_of(tx, member_id))
    if found is None:
        raise errors.MemberUnknown
    return found


async def change_state(
    tx: Tx, member_id: UUID, action: Action, *, reason_code: str, deny_identities: bool = False
) -> tuple[Standing, Standing, int]:
    """Freeze, unfreeze or close a member; answers how they stood and stand and how many sessions ended.

    An absorbed id means its survivor, whom everything leads to.
    Raises MemberUnknown, MemberFrozen, MemberNotFrozen, MemberClosed.
    """
    people = await merge_store.lock_person(tx, member_id)
    before = await store.lock_standing(tx, people[0]) if people else None
    if before is None:
        raise errors.MemberUnknown
    member_id = before.member_id
    state = rules.state_after(before.state, action)
    after = Standing(member_id, state, before.version + 1, reason_code, tx.caller.subject, tx.now)
    await store.save_standing(tx, after)
    ended_count = 0
    if state is MemberState.ACTIVE:
        # While they were frozen a code was good for earning; a phone that was stolen makes none from now on.
        await member_store.end_codes(tx, member_id)
    else:
        ended_count = await session_store.end_all_sessions(tx, member_id)
    if deny_identities:
        for kind, index in await store.list_known_by(tx, member_id, DENIABLE):
            await deny(tx, kind, index, reason_code)
    edge = ids.to_edge("mbr", member_id)
    changed = events_pb2.MemberStateChanged(
        member_id=edge,
        state=_state(state),
        previous_state=_state(before.state),
        reason_code=reason_code,
        version=after.version,
    )
    tx.emit(changed, key=edge)
    return before, after, ended_count


async def deny(tx: Tx, kind: str, index: bytes, reason_code: str) -> Denial:
    """Put what is known by `index` on the deny list."""
    denial_id = ids.derive("denial", tx.group_id, kind, index.hex(), tx.now.isoformat())
    return await store.deny(tx, denial_id=denial_id, kind=kind, index=index, reason_code=reason_code)


async def lift_denial(tx: Tx, denial_id: UUID) -> Denial:
    """Answers what is lifted. Raises DenialUnknown."""
    lifted = await store.lift(tx, denial_id)
    if lifted is None:
        raise DenialUnknown(denial_id=ids.to_edge("den", denial_id))
    return lifted


async def set_policy(tx: Tx, policy: Policy) -> None:
    """Replace the group's limits. Raises GroupUnknown."""
    if not await member_store.has_group(tx, tx.group_id):
        raise errors.GroupUnknown
    await store.save_policy(tx, policy)
    tx.emit(events_pb2.RiskPolicyChanged(policy=policy_message(policy)), key=ids.to_edge("grp", tx.group_id))


def policy_message(policy: Policy) -> risk_pb2.RiskPolicy:
    """At the edge."""
    return risk_pb2.RiskPolicy(**{name: getattr(policy, name) for name in Policy.__dataclass_fields__})


def _state(state: MemberState) -> risk_pb2.MemberState:
    return int(state)  # type: ignore[return-value]
