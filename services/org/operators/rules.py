"""Pure: roles and their permissions, passwords' rules, one-time codes of authenticator apps, secrets."""

from __future__ import annotations

import base64
import hashlib
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from chassis.permissions import WHOLE_GROUP, permits
from services.org.operators import errors

INVITATION_DAYS = 7
IDLE_MINUTES, SESSION_HOURS = 30, 12
# Failures that cost nothing, then seconds to wait: doubled with each further failure, up to the longest. A day without
# a try forgets them. An address has more, since an office has one for all its people.
LOGIN_TRIES, ADDRESS_TRIES, FIRST_LOCK_SECONDS, LONGEST_LOCK_SECONDS = 5, 30, 60, 900
PASSWORD_LENGTHS, DIFFERENT_CHARACTERS = range(12, 129), 5
TOTP_SECONDS, TOTP_DIGITS, TOTP_BYTES = 30, 6, 20
INVITATION_PREFIX, SESSION_PREFIX = "hti_", "hts_"

GROUP_ADMIN = "GROUP_ADMIN"
_SHOP = "org.structure.read member.members.identify member.tiers.read mall.catalogue.read mall.checkouts.*"
# Patterns of the permissions that the protos declare. Reading is never given by a pattern for writing.
PERMISSIONS: dict[str, str] = {
    GROUP_ADMIN: "*",
    "UNIT_OPERATOR": f"{_SHOP} org.structure.* mall.coupons.read parking.tariffs.* *.reports.read",
    "MARKETING": "org.structure.read org.approvals.* points.rules.read points.rules.write points.rules.simulate"
    " points.segments.* points.currencies.* points.conversion-rates.write points.conversion-rates.read"
    " points.costs.read points.wallets.read points.wallets.renew points.pools.read member.members.read"
    " member.members.identify member.merges.* member.tiers.* member.benefits.* member.attributes.*"
    " member.referrals.read member.referrals.write member.consent-texts.*"
    " mall.catalogue.* mall.coupons.* mall.orders.* *.reports.read",
    "FINANCE": "org.structure.read org.approvals.* points.adjustments.* points.sales.read points.wallets.read"
    " points.rules.read points.rules.approve points.sale-cases.* points.conversion-rates.* points.costs.read"
    " member.risk.* settlement.* *.reports.read",
    "MERCHANT_OWNER": f"{_SHOP} member.members.join mall.coupons.write-off mall.vouchers.use points.sales.*"
    " settlement.statements.read settlement.contracts.read",
    "MERCHANT_CLERK": f"{_SHOP} member.members.join mall.coupons.write-off mall.vouchers.use points.sales.record",
    "AUDITOR": "*.read",
}
_GROUP, _UNIT, _MERCHANT, _STORE = "group", "business unit", "merchant", "store"
SCOPES: dict[str, tuple[str, ...]] = {
    GROUP_ADMIN: (_GROUP,),
    "UNIT_OPERATOR": (_UNIT,),
    "MARKETING": (_GROUP, _UNIT),
    "FINANCE": (_GROUP, _UNIT),
    "MERCHANT_OWNER": (_MERCHANT,),
    "MERCHANT_CLERK": (_MERCHANT, _STORE),
    "AUDITOR": (_GROUP, _UNIT),
}
# What is the group's by its nature. A role has these only by a grant for the whole group: no door to them is bound to a
# place, and tests/contract/test_operator_permissions.py holds the protos to it.
GROUP_ONLY: dict[str, str] = {
    "member.attributes.write": "attributes and tags are of the group's members",
    "member.benefits.write": "a tier has its benefits everywhere",
    "member.consent-texts.write": "members agree with the group",
    "member.consents.read": "members agree with the group",
    "member.erasures.read": "a member is erased everywhere",
    "member.members.read": "a member is the group's; who stands at a till identifies them",
    "member.merges.*": "two records of one person are the group's",
    "member.privacy-settings.read": "one setting for the group",
    "member.referrals.write": "one programme for the group",
    "member.reports.read": "tiers are counted over all members",
    "member.risk.*": "a member is frozen everywhere",
    "org.approvals.*": "what needs a second person is asked for and decided for the group",
    "org.audit.read": "one chain for the group",
    "org.credentials.read": "keys of all kinds",
    "org.operators.read": "people of all places",
    "org.webhooks.read": "endpoints hear of the whole group",
    "parking.plates.read": "a member's plates count in every car park",
    "points.adjustments.*": "they change the member's points everywhere",
    "points.conversion-rates.write": "a rate is the same everywhere",
    "points.conversion-rates.decide": "a rate is the same everywhere",
    "points.pools.read": "a family's points are the group's",
    "points.rules.write": "one rule set for the group",
    "points.rules.approve": "one rule set for the group",
    "points.segments.*": "segments are of the group's members",
    "points.wallets.*": "a member's points are the group's",
}
_KIND_OF = {"": _GROUP, "unt": _UNIT, "mch": _MERCHANT, "sto": _STORE}


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role and the edge id that it is for; "" is the whole group."""

    role: str
    scope_id: str


@dataclass(frozen=True, slots=True)
class Operator:
    """A person, without grants."""

    operator_id: UUID
    group_id: UUID
    login: str
    name: str
    password_hash: str | None
    sealed_totp: bytes | None
    last_totp_step: int | None
    invitation_hash: bytes | None
    invitation_expire_time: datetime | None
    invited_by: str
    is_disabled: bool
    create_time: datetime

    @property
    def state(self) -> str:
        """INVITED, ACTIVE or DISABLED."""
        if self.is_disabled:
            return "DISABLED"
        return "ACTIVE" if self.password_hash else "INVITED"


@dataclass(frozen=True, slots=True)
class Session:
    """A login; times are real time."""

    session_id: UUID
    operator_id: UUID
    address: str
    create_time: datetime
    last_use_time: datetime
    expire_time: datetime


def check_grant(grant: Grant) -> None:
    """Raises GrantScopeWrong when the role cannot be given for such a thing."""
    kind = _KIND_OF.get(grant.scope_id.partition("_")[0])
    if kind not in SCOPES[grant.role]:
        shown = kind or grant.scope_id[:64]
        raise errors.GrantScopeWrong(role=grant.role, scope=shown, allowed=", ".join(SCOPES[grant.role]))


def permissions_of(grants: Iterable[Grant]) -> dict[str, str]:
    """By the id that they hold for, the patterns of all that the grants permit."""
    found: dict[str, set[str]] = {}
    for grant in grants:
        found.setdefault(grant.scope_id, set()).update(PERMISSIONS[grant.role].split())
    return {scope: " ".join(sorted(patterns)) for scope, patterns in found.items()}


def roles_that_may(grants: Iterable[Grant], permission: str, scope_id: str) -> list[str]:
    """The roles by which somebody has `permission` for the thing with this id ("" is the whole group)."""
    return [
        grant.role
        for grant in grants
        if grant.scope_id in (WHOLE_GROUP, scope_id) and permits(PERMISSIONS[grant.role], permission)
    ]


def normal_password(text: str) -> str:
    """The password as it is hashed: however a keyboard composes its characters, it is the same one."""
    return unicodedata.normalize("NFKC", text)


def check_password(text: str, login: str) -> None:
    """Raises PasswordWeak."""
    password = normal_password(text)
    if (
        len(password) not in PASSWORD_LENGTHS
        or len(set(password)) < DIFFERENT_CHARACTERS
        or login.casefold() in password.casefold()
    ):
        raise errors.PasswordWeak


def new_totp_secret() -> str:
    """A secret for an authenticator app, Base32."""
    return base64.b32encode(secrets.token_bytes(TOTP_BYTES)).decode()


def _totp(secret: str) -> TOTP:
    # SHA-1 is what every authenticator app does, and as HMAC it is sound.
    return TOTP(base64.b32decode(secret), TOTP_DIGITS, SHA1(), TOTP_SECONDS)  # noqa: S303


def totp_uri(secret: str, *, login: str, issuer: str) -> str:
    """The otpauth:// URI that an authenticator app reads."""
    return _totp(secret).get_provisioning_uri(login, issuer)


def fitting_step(secret: str, code: str, *, now: float, last_step: int | None) -> int | None:
    """The time step that `code` belongs to: this one, or one to either side; None when it fits none or was used.

    `now` is in unix seconds. A code of `last_step` or before it was used already.
    """
    totp, this = _totp(secret), int(now) // TOTP_SECONDS
    for step in (this - 1, this, this + 1):
        if last_step is not None and step <= last_step:
            continue
        try:
            totp.verify(code.encode(), step * TOTP_SECONDS)
        except InvalidToken:
            continue
        return step
    return None


def invitation_of(key: bytes) -> str:
    """The invitation's text, from 32 bytes that only we can compute."""
    return INVITATION_PREFIX + base64.urlsafe_b64encode(key).rstrip(b"=").decode()


def new_session_token() -> str:
    """A session's token: 256 random bits."""
    return SESSION_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of an invitation or a session's token. Both are random, so that a plain hash tells nothing."""
    return hashlib.sha256(token.encode()).digest()
