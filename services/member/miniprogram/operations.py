"""Use cases of mini-programs. Each runs inside the transaction that it is given; the platform is asked before."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from chassis.crypto import Vault
from chassis.db import Tx
from services.member import errors
from services.member import store as member_store
from services.member.miniprogram import store
from services.member.miniprogram.errors import IdentityTaken, MiniProgramTaken
from services.member.miniprogram.rules import IDENTITY_PURPOSE, OPENID, UNION_ID
from services.member.miniprogram.store import MiniProgram
from services.member.miniprogram.wechat import Credentials, WeChatUser
from services.member.operations import Newcomer, admit, get_member, phone_index
from services.member.rules import PHONE
from services.member.sessions.operations import Opened, open_session
from services.member.tiers import store as tier_store

SECRET_PURPOSE = "member.mini-program"  # noqa: S105


async def set_mini_program(tx: Tx, vault: Vault, *, app_id: str, app_secret: str) -> MiniProgram:
    """Keep an app id and its secret. Raises GroupUnknown, MiniProgramTaken."""
    if not await member_store.has_group(tx, tx.group_id):
        raise errors.GroupUnknown
    sealed = vault.encrypt(SECRET_PURPOSE, app_secret, bound_to=app_id)
    saved = await store.save_mini_program(tx, app_id=app_id, sealed_secret=sealed)
    if saved is None:
        raise MiniProgramTaken(app_id=app_id)
    return saved


def credentials_of(vault: Vault, program: MiniProgram) -> Credentials:
    """What the platform knows the mini-program by."""
    secret = vault.decrypt(SECRET_PURPOSE, program.sealed_secret, bound_to=program.app_id)
    return Credentials(program.app_id, secret)


async def member_behind(tx: Tx, vault: Vault, app_id: str, user: WeChatUser) -> UUID | None:
    """The member who is known by this WeChat account; None when nobody is."""
    for kind, index in identities(tx.group_id, vault, app_id, user):
        member_id = (await member_store.find_identities(tx, kind, [index])).get(index)
        if member_id is not None:
            return member_id
    return None


async def log_in_known(tx: Tx, vault: Vault, app_id: str, user: WeChatUser) -> Opened | None:
    """A session of the member who is known by this WeChat account; None when nobody is."""
    owner_id = await _owner(tx, vault, app_id, user)
    if owner_id is None:
        return None
    # They may be known by the union id alone, or by an openid from before the union id was there.
    await _claim(tx, vault, app_id, user, owner_id)
    return await open_session(tx, await get_member(tx, vault, owner_id))


async def log_in_with_phone(tx: Tx, vault: Vault, app_id: str, user: WeChatUser, phone: str) -> Opened:
    """A session of the phone's member, who joins when there is none and has this WeChat account from now on.

    Raises IdentityTaken.
    """
    (joined,) = await admit(tx, vault, await tier_store.get_ladder(tx), [Newcomer(phone, ids.new())])
    phone_at = phone_index(vault, tx.group_id, phone)
    owners = await member_store.find_owners(tx, PHONE, [phone_at])
    await _claim(tx, vault, app_id, user, owners.get(phone_at, joined.member.member_id))
    for kind, index in identities(tx.group_id, vault, app_id, user):
        if (await member_store.find_identities(tx, kind, [index]))[index] != joined.member.member_id:
            raise IdentityTaken
    return await open_session(tx, joined.member)


async def _owner(tx: Tx, vault: Vault, app_id: str, user: WeChatUser) -> UUID | None:
    """As member_behind, but the member who has the account, also one who is absorbed."""
    for kind, index in identities(tx.group_id, vault, app_id, user):
        owner_id = (await member_store.find_owners(tx, kind, [index])).get(index)
        if owner_id is not None:
            return owner_id
    return None


async def _claim(tx: Tx, vault: Vault, app_id: str, user: WeChatUser, member_id: UUID) -> None:
    """Give the account's identities to the member, who has the phone or one of them, where nobody has them yet."""
    await member_store.hold_living(tx, [member_id])
    for kind, index in identities(tx.group_id, vault, app_id, user):
        await member_store.claim_identities(tx, kind, {index: member_id})


def identities(group_id: UUID, vault: Vault, app_id: str, user: WeChatUser) -> list[tuple[str, bytes]]:
    """What the account is found by, the surest first. Nothing of it is kept but these indexes."""
    found = [(OPENID, vault.blind_index(IDENTITY_PURPOSE, group_id, app_id, user.openid))]
    if user.union_id:
        found.insert(0, (UNION_ID, vault.blind_index(IDENTITY_PURPOSE, group_id, user.union_id)))
    return found
