"""Use cases of login. Each runs inside the transaction that it is given.

What must be remembered although the call is refused (a wrong try, a session ended for theft) is answered as an outcome
instead of raised: an exception would roll it back.
"""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass

from chassis import ids
from chassis.crypto import Vault, same
from chassis.db import Tx
from services.member import errors
from services.member.operations import Newcomer, admit, phone_index, require_active
from services.member.rules import Member, MemberState
from services.member.sessions import rules, store
from services.member.sessions.providers import CodeProvider
from services.member.sessions.rules import Session
from services.member.store import find_state, has_group
from services.member.tiers import store as tier_store

CODE_PURPOSE, TOKEN_PURPOSE = "member.login-code", "member.refresh-token"


class Refusal(enum.Enum):
    """Why a one-time code opens no session."""

    WRONG = enum.auto()
    EXPIRED = enum.auto()


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was opened."""

    member: Member
    session: Session


async def start_login(tx: Tx, vault: Vault, provider: CodeProvider, *, phone: str) -> None:
    """Make a one-time code and hand it to the provider. Nothing here depends on whether the phone is a member's.

    Raises GroupUnknown, LoginTooOften, LoginProviderMissing.
    """
    if not await has_group(tx, tx.group_id):
        raise errors.GroupUnknown
    index = phone_index(vault, tx.group_id, phone)
    code = rules.new_one_time_code()
    if not await store.put_challenge(tx, index, _code_hash(vault, index, code)):
        raise errors.LoginTooOften(retry_seconds=await store.seconds_to_wait(tx, index))
    await provider.take_over(tx, phone=phone, phone_index=index, one_time_code=code)


async def complete_login(tx: Tx, vault: Vault, *, phone: str, one_time_code: str) -> Opened | Refusal:
    """Open a session when the code is right; a phone that is nobody's joins.

    Raises GroupUnknown, MemberFrozen, MemberClosed.
    """
    if not await has_group(tx, tx.group_id):
        raise errors.GroupUnknown
    index = phone_index(vault, tx.group_id, phone)
    challenge = await store.lock_challenge(tx, index)
    if challenge is None or challenge.code_hash is None or challenge.is_expired or challenge.tries_left < 1:
        return Refusal.EXPIRED
    if not same(challenge.code_hash, _code_hash(vault, index, one_time_code)):
        await store.count_wrong_try(tx, index)
        return Refusal.WRONG
    await store.use_up_challenge(tx, index)
    (joined,) = await admit(tx, vault, await tier_store.get_ladder(tx), [Newcomer(phone, ids.new())])
    return await open_session(tx, joined.member)


async def is_code_of(tx: Tx, vault: Vault, *, phone: str, one_time_code: str) -> bool:
    """Whether this is the code that was sent to the phone and can be used; counts and changes nothing."""
    index = phone_index(vault, tx.group_id, phone)
    challenge = await store.find_challenge(tx, index)
    if challenge is None or challenge.code_hash is None or challenge.is_expired or challenge.tries_left < 1:
        return False
    return same(challenge.code_hash, _code_hash(vault, index, one_time_code))


async def open_session(tx: Tx, member: Member) -> Opened:
    """A new session of a member who has shown who they are. Raises MemberFrozen, MemberClosed."""
    require_active(member.state)
    session = Session(ids.new(), tx.group_id, member.member_id, os.urandom(16), 1, None, False)
    await store.add_session(tx, session)
    return Opened(member, session)


async def refresh_session(tx: Tx, vault: Vault, refresh_token: str) -> Session | None:
    """The session with its next generation; None when the token opens nothing (any more)."""
    token = rules.read_refresh_token(refresh_token)
    session = await store.lock_session(tx, token.session_id) if token else None
    if token is None or session is None or not rules.is_genuine(token_key(vault), session, token):
        return None
    if await find_state(tx, session.member_id) != MemberState.ACTIVE:
        return None  # a login that was under way when the member was frozen
    rotated = rules.rotate(session, token.generation)
    if rotated is None:
        await store.end_session(tx, session.session_id)
    else:
        await store.save_rotation(tx, rotated)
    return rotated


async def end_session(tx: Tx, vault: Vault, refresh_token: str) -> None:
    """End the session of a token of ours, of whichever generation."""
    token = rules.read_refresh_token(refresh_token)
    session = await store.lock_session(tx, token.session_id) if token else None
    if token and session and rules.is_genuine(token_key(vault), session, token):
        await store.end_session(tx, session.session_id)


def token_key(vault: Vault) -> bytes:
    """The key that refresh tokens are signed with."""
    return vault.key(TOKEN_PURPOSE)


def _code_hash(vault: Vault, index: bytes, code: str) -> bytes:
    # Keyed: a million codes are hashed in no time.
    return vault.blind_index(CODE_PURPOSE, index, code)
