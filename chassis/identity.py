"""Who calls, inside the suite: a short-lived signed token in the gRPC metadata."""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from chassis.config import Settings
from chassis.errors import Unauthenticated

INSIDE, INSIDE_SECONDS = "huitong-inside", 120
# What a member's app carries: the member service mints it, the gateway checks it.
MEMBER_ACCESS, MEMBER_ACCESS_SECONDS = "huitong-member", 900
# What a member's app carries beside it for a few minutes, having shown once more who holds the phone.
MEMBER_PROOF, MEMBER_PROOF_SECONDS = "huitong-proof", 300
# Names of scopes: a member's session, and what they have proved themselves for (names of Proof, separated by blanks).
SESSION_SCOPE, PROOF_SCOPE, PROOF_ID_SCOPE = "session", "proof", "proof_id"
_NO_GROUP = UUID(int=0)
# Characters. A token that names hundreds of places is for one batch, and would only fill the caches.
_LONGEST_KEPT = 4_000


class TokenExpired(Unauthenticated):
    """The token has expired; get a new one."""

    zh = "身份凭证已过期，请重新获取。"


class CallerKind(enum.StrEnum):
    """The audiences of huitong.common.v1.Access, lower case."""

    PUBLIC = "public"
    MEMBER = "member"
    TERMINAL = "terminal"
    VENDOR = "vendor"
    SYSTEM = "system"
    INTERNAL = "internal"
    OPERATOR = "operator"
    MERCHANT = "merchant"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a call is made for. `subject` is a service, or the id of the member, terminal, car park, key, operator,
    merchant or partner."""

    kind: CallerKind
    subject: str
    group_id: UUID = _NO_GROUP
    # What the caller is bound to: the member id of a member, the store id of a terminal, the car park id of a vendor,
    # the merchant id of a merchant, a partner's own, the session id of an operator.
    bound_id: str = ""
    # The merchant and unit behind a terminal, as edge ids; an operator's or partner's permissions; for a merchant those
    # of its stores that the request names, as keys (chassis.permissions); a member's session and proof.
    scopes: dict[str, str] = field(default_factory=dict)

    @property
    def proofs(self) -> list[str]:
        """What a member has proved themselves for lately, as names of huitong.common.v1.Proof."""
        return self.scopes.get(PROOF_SCOPE, "").split()

    @property
    def is_internal(self) -> bool:
        """Whether another service of the suite calls."""
        return self.kind is CallerKind.INTERNAL


class TokenBook:
    """Makes and checks tokens of one issuer; both directions are cached while a token is valid.

    Tokens name the key that they are signed with. `key` signs; those of `previous`, the key before it, are accepted
    until it is taken out, so that keys can change while tokens are in use.
    """

    def __init__(
        self, key: str, *, issuer: str = INSIDE, lifetime_seconds: int = INSIDE_SECONDS, previous: str = ""
    ) -> None:
        self._key_id = key_id_of(key)
        self._keys = {key_id_of(each): OctKey.import_key(each.encode()) for each in (key, previous) if each}
        self._issuer, self._lifetime_seconds = issuer, lifetime_seconds
        self._minted: dict[object, tuple[float, str]] = {}
        self._checked: dict[str, tuple[float, Caller]] = {}

    def mint(self, caller: Caller) -> str:
        """A token for `caller`, valid for at least half of the lifetime."""
        now = time.time()
        cache_key = (caller.kind, caller.subject, caller.group_id, caller.bound_id, tuple(caller.scopes.items()))
        known = self._minted.get(cache_key)
        if known and known[0] > now + self._lifetime_seconds / 2:
            return known[1]
        expires = now + self._lifetime_seconds
        token = self.mint_until(caller, expires)
        if len(token) <= _LONGEST_KEPT:
            _bound(self._minted)
            self._minted[cache_key] = (expires, token)
        return token

    def mint_until(self, caller: Caller, expire_time_s: float) -> str:
        """A token for `caller` that expires at this moment, in unix seconds."""
        claims = {
            "iss": self._issuer,
            "sub": caller.subject,
            "kind": caller.kind.value,
            "grp": caller.group_id.hex,
            "bnd": caller.bound_id,
            "scp": caller.scopes,
            "exp": int(expire_time_s),
        }
        return jwt.encode({"alg": "HS256", "kid": self._key_id}, claims, self._keys[self._key_id])

    def check(self, token: str) -> Caller:
        """The caller behind `token`. Raises TokenExpired, Unauthenticated when it is not ours or altered."""
        now = time.time()
        known = self._checked.get(token)
        if known:
            if known[0] <= now:
                del self._checked[token]
                raise TokenExpired
            return known[1]
        try:
            claims = jwt.decode(token, self._key_of, algorithms=["HS256"]).claims
            if claims["iss"] != self._issuer:
                raise Unauthenticated
            if claims["exp"] <= now:
                raise TokenExpired
            caller = Caller(
                CallerKind(claims["kind"]), claims["sub"], UUID(claims["grp"]), claims["bnd"], dict(claims["scp"])
            )
        except (JoseError, KeyError, ValueError, TypeError, AttributeError):
            raise Unauthenticated from None
        if len(token) <= _LONGEST_KEPT:
            _bound(self._checked)
            self._checked[token] = (float(claims["exp"]), caller)
        return caller

    def _key_of(self, token: Any) -> OctKey:
        return self._keys[token.headers()["kid"]]


def key_id_of(key: str) -> str:
    """What tokens call a key: it follows from the key, and tells nothing about it."""
    return sha256(b"huitong:key-id:" + key.encode()).hexdigest()[:12]


def access_tokens(config: Settings) -> TokenBook:
    """The access tokens of members."""
    return _of_members(config, MEMBER_ACCESS, MEMBER_ACCESS_SECONDS)


def proof_tokens(config: Settings) -> TokenBook:
    """The proofs of members."""
    return _of_members(config, MEMBER_PROOF, MEMBER_PROOF_SECONDS)


def _of_members(config: Settings, issuer: str, lifetime_seconds: int) -> TokenBook:
    key, previous = config.access_key.get_secret_value(), config.access_key_previous.get_secret_value()
    return TokenBook(key, issuer=issuer, lifetime_seconds=lifetime_seconds, previous=previous)


def _bound(cache: dict) -> None:  # type: ignore[type-arg]
    # A cache, not a store: past the bound it starts anew instead of growing with every caller ever seen.
    if len(cache) > 10_000:
        cache.clear()
