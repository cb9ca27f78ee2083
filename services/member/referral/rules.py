"""Pure: codes, programs, and what purchases and returns make of a referral."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

# Crockford's base 32: no I, L, O or U, so nothing looks like another or like a word.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})
BODY_LENGTH = 7
# A till's clock may be wrong, and the friend may pay while they still type: this much is no purchase of before.
_CLOCKS_DIFFER = timedelta(minutes=15)


class State(enum.IntEnum):
    """As in huitong.member.v1.ReferralState."""

    WAITING = 1
    QUALIFIED = 2
    REWARDING = 3
    REWARDED = 4
    VOID = 5


@dataclass(frozen=True, slots=True)
class Program:
    """A group's program; see huitong.member.v1.ReferralProgram."""

    referrer_points: int
    friend_points: int
    min_amount_minor: int
    currency_code: str
    merchant_id: UUID
    use_within_days: int
    return_window_days: int
    referrals_per_month: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Referral:
    """Who brought whom, under which terms, and how far it is."""

    friend_id: UUID
    group_id: UUID
    referral_id: UUID
    referrer_id: UUID
    state: State
    create_time: datetime
    referrer_points: int
    friend_points: int
    min_amount_minor: int
    currency_code: str
    merchant_id: UUID
    return_window_days: int
    sale_id: str = ""
    kept_minor: int = 0
    due_time: datetime | None = None
    is_referrer_rewarded: bool = False
    is_friend_rewarded: bool = False


def code_of(number: int) -> str:
    """The code of a number below 32^7: seven characters and one that checks them."""
    body = "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(BODY_LENGTH)))
    return body + _check_character(body)


def read_code(text: str) -> str | None:
    """A code as it is kept; None when it is none, or mistyped."""
    code = text.upper().translate(_READ_AS)
    if len(code) != BODY_LENGTH + 1 or any(character not in ALPHABET for character in code):
        return None
    return code if code[-1] == _check_character(code[:-1]) else None


def _check_character(body: str) -> str:
    """Luhn's, modulo 32: finds every wrong character, and nearly all that have changed places."""
    total = 0
    for position, character in enumerate(reversed(body)):
        value = ALPHABET.index(character) * (2 if position % 2 == 0 else 1)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]


def month_of(instant: datetime) -> datetime:
    """When the calendar month of an instant began, UTC."""
    return instant.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def buy(
    one: Referral, *, sale_id: str, amount_minor: int, currency_code: str, sale_time: datetime, now: datetime
) -> Referral:
    """What a purchase of the friend makes of it."""
    if one.state is not State.WAITING:
        return one
    if sale_time < one.create_time - _CLOCKS_DIFFER:
        return replace(one, state=State.VOID)
    if amount_minor < one.min_amount_minor or currency_code != one.currency_code:
        return one
    due_time = max(now, sale_time) + timedelta(days=one.return_window_days)
    return replace(one, state=State.QUALIFIED, sale_id=sale_id, kept_minor=amount_minor, due_time=due_time)


def bring_back(one: Referral, *, sale_id: str, amount_minor: int) -> Referral:
    """What a return makes of it: below the least amount it waits for another purchase."""
    if one.state is not State.QUALIFIED or one.sale_id != sale_id:
        return one
    kept_minor = one.kept_minor - amount_minor
    if kept_minor >= max(one.min_amount_minor, 1):
        return replace(one, kept_minor=kept_minor)
    return replace(one, state=State.WAITING, sale_id="", kept_minor=0, due_time=None)
