"""Use cases of proofs and of the change of a phone. Each runs inside the transaction that it is given.

A wrong try is answered as an outcome instead of raised, as in sessions/operations.py: an exception would roll it back.
"""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from chassis.crypto import Vault, same
from chassis.db import Tx
from chassis.errors import RequestIdReused
from chassis.identity import MEMBER_PROOF_SECONDS
from chassis.ids import to_edge
from huitong.member.v1 import events_pb2
from services.member import errors
from services.member import store as member_store
from services.member.miniprogram.operations import member_behind
from services.member.miniprogram.wechat import WeChatUser
from services.member.operations import PHONE_PURPOSE, get_member, phone_index
from services.member.proofs import store
from services.member.proofs.errors import PhoneChangedTooOften, PhoneTaken, ProofNotTheMember
from services.member.proofs.rules import (
    MOST_PHONE_CHANGES,
    NEW_PHONE,
    PHONE_CHANGE_DAYS,
    Holder,
    Proof,
    purpose_name,
)
from services.member.rules import PHONE, Member
from services.member.sessions import store as session_store
from services.member.sessions.operations import Refusal
from services.member.sessions.providers import CodeProvider
from services.member.sessions.rules import new_one_time_code

PROOF_CODE, PROOF_PRINT, CHANGE_CODE, CHANGE_PRINT = (
    "member.proof-code",
    "member.proof",
    "member.phone-change-code",
    "member.phone-change",
)


async def start_proof(tx: Tx, vault: Vault, provider: CodeProvider, holder: Holder, *, purpose: int) -> None:
    """Send a code to the member's phone. Raises MemberUnknown, SessionEnded, LoginTooOften, LoginProviderMissing."""
    await require_session(tx, holder)
    row = await member_store.find_person(tx, holder.member_id)
    if row is None:
        raise errors.MemberUnknown
    phone = vault.decrypt(PHONE_PURPOSE, row.sealed_phone, bound_to=holder.member_id)
    index, code = _proof_challenge(vault, holder, purpose), new_one_time_code()
    await _put_challenge(tx, index, _proof_hash(vault, index, holder, code))
    await provider.take_over(
        tx,
        phone=phone,
        phone_index=phone_index(vault, tx.group_id, phone),
        one_time_code=code,
        purpose=purpose_name(purpose),
    )


async def require_session(tx: Tx, holder: Holder) -> None:
    """Raises SessionEnded: an access token outlives its session by minutes, but proves nothing any more."""
    if not await store.is_open(tx, session_id=holder.session_id, member_id=holder.member_id):
        raise errors.SessionEnded


def proof_print(vault: Vault, holder: Holder, *, purpose: int, shown: tuple[str, ...]) -> bytes:
    """What a request for a proof says, so that another one with its request id is known."""
    return vault.blind_index(PROOF_PRINT, holder.member_id, purpose, *shown)


async def find_proof(tx: Tx, holder: Holder, *, request_id: str, fingerprint: bytes) -> Proof | None:
    """The proof that this request got before. Raises RequestIdReused, SessionEnded."""
    await require_session(tx, holder)
    found = await store.find_proof(tx, _proof_id(holder, request_id))
    if found is not None and not same(found.fingerprint, fingerprint):
        raise RequestIdReused(request_id=request_id)
    return found


async def prove_by_code(
    tx: Tx, vault: Vault, holder: Holder, *, request_id: str, fingerprint: bytes, purpose: int, one_time_code: str
) -> Proof | Refusal:
    """A proof for the code that the member's phone got."""
    index = _proof_challenge(vault, holder, purpose)
    challenge = await session_store.lock_challenge(tx, index)
    # Under the lock: the same request at the same time may have used the code just now.
    found = await find_proof(tx, holder, request_id=request_id, fingerprint=fingerprint)
    if found is not None:
        return found
    refusal = await _judge(tx, challenge, index, _proof_hash(vault, index, holder, one_time_code))
    return refusal or await _give(tx, holder, request_id=request_id, fingerprint=fingerprint, purpose=purpose)


async def prove_by_mini_program(
    tx: Tx,
    vault: Vault,
    holder: Holder,
    *,
    request_id: str,
    fingerprint: bytes,
    purpose: int,
    app_id: str,
    user: WeChatUser,
) -> Proof:
    """A proof for a fresh login of the mini-program. Raises ProofNotTheMember."""
    await require_session(tx, holder)
    if await member_behind(tx, vault, app_id, user) != holder.member_id:
        raise ProofNotTheMember
    return await _give(tx, holder, request_id=request_id, fingerprint=fingerprint, purpose=purpose)


async def start_phone_change(tx: Tx, vault: Vault, provider: CodeProvider, *, member_id: UUID, new_phone: str) -> None:
    """Send a code to the new phone. Raises MemberUnknown, PhoneChangedTooOften, LoginTooOften, LoginProviderMissing."""
    if await member_store.find_person(tx, member_id) is None:
        raise errors.MemberUnknown
    await _check_velocity(tx, member_id)
    index, code = _change_challenge(vault, tx.group_id, new_phone), new_one_time_code()
    # Counted for the member as well: else one could send messages to as many phones as one likes.
    await _put_challenge(tx, vault.blind_index(CHANGE_CODE, member_id), b"")
    await _put_challenge(tx, index, _change_hash(vault, index, member_id, code))
    await provider.take_over(
        tx,
        phone=new_phone,
        phone_index=phone_index(vault, tx.group_id, new_phone),
        one_time_code=code,
        purpose=NEW_PHONE,
    )


async def change_phone(
    tx: Tx, vault: Vault, holder: Holder, *, request_id: str, new_phone: str, one_time_code: str
) -> Member | Refusal:
    """Make the phone the member's, free the old one and end the member's other sessions.

    Raises MemberUnknown, PhoneTaken, PhoneChangedTooOften, RequestIdReused.
    """
    member_id, new_index = holder.member_id, phone_index(vault, tx.group_id, new_phone)
    fingerprint = vault.blind_index(CHANGE_PRINT, member_id, new_phone, one_time_code)
    index = _change_challenge(vault, tx.group_id, new_phone)
    challenge = await session_store.lock_challenge(tx, index)
    before = await store.find_phone_change(tx, member_id=member_id, request_id=request_id)
    if before is not None:
        if not same(before, fingerprint):
            raise RequestIdReused(request_id=request_id)
        return await get_member(tx, vault, member_id)
    refusal = await _judge(tx, challenge, index, _change_hash(vault, index, member_id, one_time_code))
    if refusal:
        return refusal
    if not await member_store.claim_identities(tx, PHONE, {new_index: member_id}):
        owners = await member_store.find_identities(tx, PHONE, [new_index])
        if owners.get(new_index) != member_id:
            raise PhoneTaken
    sealed = await store.lock_phone(tx, member_id)
    if sealed is None:
        raise errors.MemberUnknown
    await _check_velocity(tx, member_id)
    old_index = phone_index(vault, tx.group_id, vault.decrypt(PHONE_PURPOSE, sealed, bound_to=member_id))
    if old_index != new_index:
        await store.free_identity(tx, PHONE, old_index, member_id=member_id)
    await store.save_phone(
        tx, member_id=member_id, sealed_phone=vault.encrypt(PHONE_PURPOSE, new_phone, bound_to=member_id)
    )
    await store.add_phone_change(tx, member_id=member_id, request_id=request_id, fingerprint=fingerprint)
    await session_store.log_out(tx, member_id, but=holder.session_id)
    edge = to_edge("mbr", member_id)
    tx.emit(events_pb2.MemberPhoneChanged(member_id=edge), key=edge)
    return await get_member(tx, vault, member_id)


async def _check_velocity(tx: Tx, member_id: UUID) -> None:
    if await store.count_phone_changes(tx, member_id) >= MOST_PHONE_CHANGES:
        raise PhoneChangedTooOften(most_changes=MOST_PHONE_CHANGES, days=PHONE_CHANGE_DAYS)


async def _put_challenge(tx: Tx, index: bytes, code_hash: bytes) -> None:
    if not await session_store.put_challenge(tx, index, code_hash):
        raise errors.LoginTooOften(retry_seconds=await session_store.seconds_to_wait(tx, index))


async def _judge(tx: Tx, challenge: session_store.Challenge | None, index: bytes, code_hash: bytes) -> Refusal | None:
    """Why the code is refused; None when it was right, and is used up."""
    if challenge is None or challenge.code_hash is None or challenge.is_expired or challenge.tries_left < 1:
        return Refusal.EXPIRED
    if not same(challenge.code_hash, code_hash):
        await session_store.count_wrong_try(tx, index)
        return Refusal.WRONG
    await session_store.use_up_challenge(tx, index)
    return None


async def _give(tx: Tx, holder: Holder, *, request_id: str, fingerprint: bytes, purpose: int) -> Proof:
    given = Proof(
        proof_id=_proof_id(holder, request_id),
        group_id=tx.group_id,
        session_id=holder.session_id,
        member_id=holder.member_id,
        purpose=purpose,
        fingerprint=fingerprint,
        expire_time=await store.expiry_of_new(tx, MEMBER_PROOF_SECONDS),
    )
    await store.add_proof(tx, given)
    return given


def _proof_id(holder: Holder, request_id: str) -> UUID:
    return ids.derive(holder.session_id, "proof", request_id)


def _proof_challenge(vault: Vault, holder: Holder, purpose: int) -> bytes:
    # In place of a phone's index in login_challenge: as often as a login code, and never mistaken for one.
    return vault.blind_index(PROOF_CODE, holder.member_id, purpose)


def _proof_hash(vault: Vault, index: bytes, holder: Holder, code: str) -> bytes:
    return vault.blind_index(PROOF_CODE, index, holder.session_id, code)


def _change_challenge(vault: Vault, group_id: UUID, phone: str) -> bytes:
    return vault.blind_index(CHANGE_CODE, group_id, phone)


def _change_hash(vault: Vault, index: bytes, member_id: UUID, code: str) -> bytes:
    return vault.blind_index(CHANGE_CODE, index, member_id, code)
