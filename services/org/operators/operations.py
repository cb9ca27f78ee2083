"""Use cases of operators. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from chassis import ids
from chassis.crypto import Vault
from chassis.db import Tx
from chassis.identity import CallerKind
from services.org import convert as org_convert
from services.org import errors as org_errors
from services.org import store as org_store
from services.org.operators import convert, errors, rules, store
from services.org.operators.rules import Grant, Operator, Session
from services.org.rules import Origin

INVITATION_PURPOSE, TOTP_PURPOSE, TRIES_PURPOSE = "org.invitation", "org.totp", "org.login-tries"
ISSUER = "Huitong"


async def invite(
    tx: Tx, vault: Vault, *, login: str, name: str, grants: Sequence[Grant], origin: Origin
) -> tuple[Operator, list[Grant]]:
    """Create an operator who can enrol. Raises LoginTaken, GrantScopeWrong and what names a scope that is not there."""
    await check_grants(tx, grants)
    operator_id = ids.derive(tx.group_id, "operator", login)
    invitation = invitation_of(vault, operator_id, origin)
    one = Operator(
        operator_id=operator_id,
        group_id=tx.group_id,
        login=login,
        name=name,
        password_hash=None,
        sealed_totp=None,
        last_totp_step=None,
        invitation_hash=rules.token_hash(invitation),
        invitation_expire_time=None,
        invited_by=tx.caller.subject,
        is_disabled=False,
        create_time=tx.now,
    )
    if not await store.add_operator(tx, one):
        raise errors.LoginTaken(login=login)
    await store.set_grants(tx, operator_id, grants)
    return await get(tx, operator_id)


def invitation_of(vault: Vault, operator_id: UUID, origin: Origin) -> str:
    """The invitation that this request made: computed, so that a retry answers it again and nothing stores it."""
    return rules.invitation_of(vault.blind_index(INVITATION_PURPOSE, operator_id, origin.rpc, origin.request_id))


async def check_grants(tx: Tx, grants: Iterable[Grant]) -> None:
    """Raises GrantScopeWrong, BusinessUnitUnknown, MerchantUnknown, StoreUnknown."""
    for grant in grants:
        rules.check_grant(grant)
        prefix = grant.scope_id.partition("_")[0]
        if not prefix:
            continue
        scope = ids.from_edge(prefix, grant.scope_id, "grants.scope_id")
        if prefix == "unt" and scope not in await org_store.find_units_by_id(tx, [scope]):
            raise org_errors.BusinessUnitUnknown(business_unit_id=org_convert.unit_edge(scope))
        if prefix == "mch" and await org_store.find_merchant(tx, scope) is None:
            raise org_errors.MerchantUnknown(merchant_id=org_convert.merchant_edge(scope))
        if prefix == "sto" and await org_store.find_store(tx, scope) is None:
            raise org_errors.StoreUnknown(store_id=org_convert.store_edge(scope))


async def get(tx: Tx, operator_id: UUID) -> tuple[Operator, list[Grant]]:
    """An operator with grants. Raises OperatorUnknown."""
    one = await store.find_operator(tx, operator_id)
    if one is None:
        raise errors.OperatorUnknown(operator_id=convert.operator_edge(operator_id))
    return one, (await store.find_grants(tx, [operator_id]))[operator_id]


async def lock(tx: Tx, operator_id: UUID, *, may_be_own: bool = False) -> tuple[Operator, list[Grant]]:
    """An operator with grants, locked. Raises OperatorUnknown, OwnAccount when it is the caller's own."""
    edge = convert.operator_edge(operator_id)
    if tx.caller.kind is CallerKind.OPERATOR and tx.caller.subject == edge and not may_be_own:
        raise errors.OwnAccount
    one = await store.lock_operator(tx, operator_id)
    if one is None:
        raise errors.OperatorUnknown(operator_id=edge)
    return one, (await store.find_grants(tx, [operator_id]))[operator_id]


async def set_grants(tx: Tx, one: Operator, grants: Sequence[Grant]) -> None:
    """Replace the grants of a locked operator. Raises OperatorDisabled and as `check_grants`."""
    if one.is_disabled:
        raise errors.OperatorDisabled(operator_id=convert.operator_edge(one.operator_id))
    await check_grants(tx, grants)
    await store.set_grants(tx, one.operator_id, grants)


async def disable(tx: Tx, one: Operator) -> None:
    """End everything that a locked operator could do."""
    await store.change(
        tx, one.operator_id, is_disabled=True, password_hash=None, sealed_totp=None, invitation_hash=None
    )
    await store.set_grants(tx, one.operator_id, [])
    await store.end_sessions(tx, one.operator_id)


async def reset(tx: Tx, vault: Vault, one: Operator, *, origin: Origin) -> None:
    """Invite a locked operator anew and end what password and phone could do. Raises OperatorDisabled."""
    if one.is_disabled:
        raise errors.OperatorDisabled(operator_id=convert.operator_edge(one.operator_id))
    invitation = invitation_of(vault, one.operator_id, origin)
    await store.invite(tx, one.operator_id, rules.token_hash(invitation))
    await store.end_sessions(tx, one.operator_id)


# --- enrolment ---


async def begin_enrolment(tx: Tx, vault: Vault, invitation: str) -> tuple[Operator, str]:
    """The invited operator and their TOTP secret, made now or by the call before. Raises InvitationInvalid."""
    one = await _invited(tx, invitation)
    if one.sealed_totp:
        return one, open_totp(vault, one)
    secret = rules.new_totp_secret()
    await store.change(tx, one.operator_id, sealed_totp=vault.encrypt(TOTP_PURPOSE, secret, bound_to=one.operator_id))
    return one, secret


async def check_enrolment(tx: Tx, vault: Vault, *, invitation: str, password: str, code: str, now: float) -> Operator:
    """The invited operator, locked, with the step of `code` as used.

    Raises InvitationInvalid, EnrolmentNotBegun, TotpCodeWrong, PasswordWeak.
    """
    one = await _invited(tx, invitation)
    if not one.sealed_totp:
        raise errors.EnrolmentNotBegun
    rules.check_password(password, one.login)
    step = rules.fitting_step(open_totp(vault, one), code, now=now, last_step=one.last_totp_step)
    if step is None:
        raise errors.TotpCodeWrong
    return replace(one, last_totp_step=step)


async def complete_enrolment(tx: Tx, one: Operator, password_hash: str) -> Operator:
    """Use up the invitation of a locked operator."""
    changes = {"password_hash": password_hash, "last_totp_step": one.last_totp_step, "invitation_hash": None}
    await store.change(tx, one.operator_id, **changes)
    return replace(one, **changes)  # type: ignore[arg-type]


async def _invited(tx: Tx, invitation: str) -> Operator:
    one = await store.lock_by_invitation(tx, rules.token_hash(invitation))
    if one is None:
        raise errors.InvitationInvalid
    return one


def open_totp(vault: Vault, one: Operator) -> str:
    """The operator's TOTP secret."""
    return vault.decrypt(TOTP_PURPOSE, one.sealed_totp or b"", bound_to=one.operator_id)


# --- login ---


@dataclass(frozen=True, slots=True)
class Try:
    """One try to log in, by what it is counted under."""

    login_hash: bytes
    address_hash: bytes


async def take_try(tx: Tx, vault: Vault, *, login: str, address: str) -> Try:
    """Count a try against its login, known or not, and its address. Raises LoginLocked; then it is not counted."""
    one = Try(
        vault.blind_index(TRIES_PURPOSE, "login", tx.group_id, login),
        vault.blind_index(TRIES_PURPOSE, "address", address),
    )
    for tried_hash, free in ((one.login_hash, rules.LOGIN_TRIES), (one.address_hash, rules.ADDRESS_TRIES)):
        seconds = await store.take_try(tx, tried_hash, free=free)
        if seconds:
            raise errors.LoginLocked(seconds)
    return one


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was opened; its token is known here alone."""

    operator: Operator
    grants: list[Grant]
    session: Session
    token: str


async def open_session(
    tx: Tx,
    vault: Vault,
    tried: Try,
    *,
    known: Operator | None,
    is_password_right: bool,
    code: str,
    now: float,
    address: str,
    new_password_hash: str | None,
) -> Opened | None:
    """Open a session when password and code are right; None leaves the try counted as a failure.

    Every refusal does the same work. `new_password_hash` replaces one that was made with older parameters.
    """
    operator_id = known.operator_id if known else ids.new()
    one = await store.lock_operator(tx, operator_id)
    is_usable = one is not None and one.sealed_totp is not None and not one.is_disabled
    secret = open_totp(vault, one) if one is not None and is_usable else rules.new_totp_secret()
    step = rules.fitting_step(secret, code, now=now, last_step=one.last_totp_step if one else None)
    if (
        one is None
        or known is None
        or not is_usable
        or not is_password_right
        or step is None
        # Reset or enrolled anew since the password was checked.
        or one.password_hash != known.password_hash
    ):
        return None
    changes: dict[str, int | str] = {"last_totp_step": step}
    if new_password_hash:
        changes["password_hash"] = new_password_hash
    await store.change(tx, one.operator_id, **changes)
    await store.forgive(tx, login_hash=tried.login_hash, address_hash=tried.address_hash)
    token = rules.new_session_token()
    session = await store.add_session(tx, ids.new(), one.operator_id, rules.token_hash(token), address)
    grants = (await store.find_grants(tx, [one.operator_id]))[one.operator_id]
    return Opened(one, grants, session, token)
