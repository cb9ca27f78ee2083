"""Pure: phones, card numbers, and the dynamic member code."""

from __future__ import annotations

import enum
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chassis.crypto import keyed_hash, same

PHONE = "phone"  # kind of identity

# --- dynamic member code ----------------------------------------------------------------------------------------------
# 24 digits: member number (10) · time step modulo 1000 (3) · serial (1) · signature (10).
# The signature is HMAC-SHA256(seed, step, serial) modulo 10^10, each part in decimal behind its length in 4 bytes; step
# is Unix time // 30. A phone that is offline makes codes by itself with its member's seed, which opens nobody else's.
CODE_DIGITS, NUMBER_DIGITS, STEP_DIGITS, SIGNATURE_DIGITS = 24, 10, 3, 10
STEP_SECONDS = 30
# Serials tell apart codes of one step, so that a member need not wait for the next one after spending; and they tell
# who made a code. One of ours is valid in the step that it was made in and the next: 60 seconds from the step's begin
# (and a step early, should the clocks of two of our machines differ). One that a phone made may have been made by a
# clock that is wrong by up to 60 seconds either way.
OUR_SERIALS, PHONE_SERIALS = range(5), range(5, 10)
STEPS_VALID, STEPS_AHEAD = 2, 1
PHONE_STEPS_VALID, PHONE_STEPS_AHEAD = STEPS_VALID + 60 // STEP_SECONDS, 60 // STEP_SECONDS
_CODE = re.compile(r"[0-9]{24}", re.ASCII)
_CARD = re.compile(r"[0-9]{16}", re.ASCII)
# Numbers beginning with 9 are for private use: no bank card has this.
_CARD_PREFIX = "96"


class MemberState(enum.IntEnum):
    """As in huitong.member.v1.MemberState."""

    ACTIVE = 1
    FROZEN = 2
    CLOSED = 3


@dataclass(frozen=True, slots=True)
class Member:
    """A member as others see it; the phone is masked."""

    member_id: UUID
    card_no: str
    masked_phone: str
    tier_code: str
    birth_month: int
    join_time: datetime
    time_zone: str = ""
    state: MemberState = MemberState.ACTIVE
    state_version: int = 0
    state_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class JoinLine:
    """One person who wants to join."""

    request_id: str
    phone: str
    store_id: UUID | None
    birth_month: int
    time_zone: str = ""
    device_id: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """The member behind a line, and whether this line made it."""

    member: Member
    is_new: bool


def is_plain(text: str) -> bool:
    """Whether `text` has no control characters, which no name or request id needs and PostgreSQL may refuse."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def mask_phone(phone: str) -> str:
    """An E.164 number as it may be shown: "138****0001"; without the country code when that is China's."""
    digits = phone[3:] if phone.startswith("+86") else phone.removeprefix("+")
    if len(digits) < 10:
        return f"****{digits[-3:]}"
    return f"{digits[:3]}****{digits[-4:]}"


def luhn_digit(digits: str) -> int:
    """The check digit that follows `digits` (ISO/IEC 7812-1)."""
    total = 0
    for position, character in enumerate(reversed(digits)):
        value = int(character) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10


def card_no_of(group_id: UUID, member_id: UUID, attempt: int = 0) -> str:
    """16 digits: prefix (2), group (3), member number (10), check digit.

    It follows from the ids; the next `attempt` is for a number that another member has already.
    """
    group_digits = int.from_bytes(hashlib.sha256(group_id.bytes).digest()) % 1000
    seed = member_id.bytes + attempt.to_bytes(2)
    number = int.from_bytes(hashlib.sha256(seed).digest()) % 10**NUMBER_DIGITS
    digits = f"{_CARD_PREFIX}{group_digits:03}{number:0{NUMBER_DIGITS}}"
    return f"{digits}{luhn_digit(digits)}"


def is_card_no(text: str) -> bool:
    """Whether `text` can be a card number; a slip of the finger is not."""
    return bool(_CARD.fullmatch(text)) and int(text[-1]) == luhn_digit(text[:-1])


def member_no_of(card_no: str) -> str:
    """The ten digits of a card number that are the member's own within the group."""
    return card_no[5:15]


def card_no_from(group_id: UUID, member_no: str) -> str:
    """The card number with this member number."""
    group_digits = int.from_bytes(hashlib.sha256(group_id.bytes).digest()) % 1000
    digits = f"{_CARD_PREFIX}{group_digits:03}{member_no}"
    return f"{digits}{luhn_digit(digits)}"


class Verdict(enum.Enum):
    """What a code is worth."""

    VALID = enum.auto()
    EXPIRED = enum.auto()
    INVALID = enum.auto()


@dataclass(frozen=True, slots=True)
class Code:
    """A code taken apart; its signature is not checked yet."""

    member_no: str
    step_digits: int
    serial: int
    signature: str


def step_at(real_time_s: float) -> int:
    """Number of the 30-second step of a Unix time."""
    return int(real_time_s // STEP_SECONDS)


def expire_time_of(step: int) -> datetime:
    """When a code of this step stops being valid."""
    return datetime.fromtimestamp((step + STEPS_VALID) * STEP_SECONDS, UTC)


def member_seed(key: bytes, group_id: UUID, member_no: str, epoch: int = 0) -> bytes:
    """The member's own seed: HMAC-SHA256(key, group, member number, epoch). The next epoch ends all codes of this."""
    return keyed_hash(key, group_id, member_no, epoch)


def make_code(seed: bytes, *, member_no: str, step: int, serial: int) -> str:
    """The code of one step; serials tell apart those that a member shows within the same step."""
    return f"{member_no}{step % 10**STEP_DIGITS:0{STEP_DIGITS}}{serial}{_sign(seed, step, serial)}"


def read_code(text: str) -> Code | None:
    """The parts of a code; None when it has not the form of one."""
    if not _CODE.fullmatch(text):
        return None
    return Code(text[:10], int(text[10:13]), int(text[13]), text[14:])


def judge_code(seed: bytes, code: Code, *, now_step: int) -> tuple[Verdict, int]:
    """What the code is worth now, and the step it is from (-1 when invalid).

    The signature covers the whole step number: an old code whose three digits come round again is invalid.
    """
    by_phone = code.serial in PHONE_SERIALS
    newest = now_step + (PHONE_STEPS_AHEAD if by_phone else STEPS_AHEAD)
    step = newest - (newest - code.step_digits) % 10**STEP_DIGITS
    if not same(_sign(seed, step, code.serial).encode(), code.signature.encode()):
        return Verdict.INVALID, -1
    valid_steps = PHONE_STEPS_VALID if by_phone else STEPS_VALID
    return (Verdict.VALID if now_step - step < valid_steps else Verdict.EXPIRED), step


def _sign(seed: bytes, step: int, serial: int) -> str:
    number = int.from_bytes(keyed_hash(seed, step, serial)) % 10**SIGNATURE_DIGITS
    return f"{number:0{SIGNATURE_DIGITS}}"
