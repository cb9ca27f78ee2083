"""Pure: one-time codes, and the generations of a session's refresh token."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

import orjson

from chassis.crypto import keyed_hash, same

CODE_MINUTES, CODE_TRIES, RESEND_SECONDS, CODES_A_DAY = 5, 5, 60, 20
SESSION_DAYS = 30
MESSAGE_MINUTES = 10
SESSION_PREFIX = "mss"

# A refresh token is: session (16 bytes) · generation (4) · signature (32), base64url behind a prefix. It is signed with
# a key of ours over the session's random salt and stored nowhere, not even as a hash. So a token of any generation,
# however old, is known for genuine, and a copied database opens no session.
_PREFIX = "mrt_"
_BODY_BYTES = 16 + 4 + 32


@dataclass(frozen=True, slots=True)
class Session:
    """A login. Tokens of the current generation are good, and once more the one that led to it."""

    session_id: UUID
    group_id: UUID
    member_id: UUID
    salt: bytes
    generation: int
    previous_generation: int | None
    is_previous_spent: bool


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A token taken apart; its signature is not checked yet."""

    session_id: UUID
    generation: int
    signature: bytes


def new_one_time_code() -> str:
    """Six digits."""
    return f"{secrets.randbelow(10**6):06}"


def make_refresh_token(key: bytes, session: Session) -> str:
    """The token of the session's current generation."""
    signature = _sign(key, session, session.generation)
    body = session.session_id.bytes + session.generation.to_bytes(4) + signature
    return _PREFIX + _encode(body)


def _encode(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def read_refresh_token(text: str) -> RefreshToken | None:
    """The parts of a token; None when it has not the form of one."""
    if not text.startswith(_PREFIX) or not text.isascii():
        return None
    encoded = text.removeprefix(_PREFIX)
    try:
        body = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # Written in one way only: a decoder overlooks bits past the end.
    if len(body) != _BODY_BYTES or _encode(body) != encoded:
        return None
    return RefreshToken(UUID(bytes=body[:16]), int.from_bytes(body[16:20]), body[20:])


def is_genuine(key: bytes, session: Session, token: RefreshToken) -> bool:
    """Whether we made this token, whenever that was."""
    return same(_sign(key, session, token.generation), token.signature)


def rotate(session: Session, generation: int) -> Session | None:
    """The session after a token of this generation was used; None when that means theft.

    A response can get lost: the token before the current one is good once more. It then leads to a new generation, and
    the one that the lost response carried is void. Had the response not been lost but the token been copied, whoever of
    thief and member comes next with the void one ends the session for both.
    """
    if generation == session.generation:
        return replace(session, generation=generation + 1, previous_generation=generation, is_previous_spent=False)
    if generation == session.previous_generation and not session.is_previous_spent:
        return replace(session, generation=session.generation + 1, is_previous_spent=True)
    return None


def _sign(key: bytes, session: Session, generation: int) -> bytes:
    return keyed_hash(key, session.session_id, session.salt, generation)


def expire_time_of(access_token: str) -> datetime:
    """When an access token (a JWT of our own) expires."""
    payload = access_token.split(".")[1]
    claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return datetime.fromtimestamp(claims["exp"], UTC)
