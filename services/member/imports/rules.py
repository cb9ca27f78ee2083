"""Pure: what a row of a member file leads to."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


class Outcome(enum.IntEnum):
    """As in huitong.member.v1.ImportOutcome."""

    NEW = 1
    LINKED = 2
    MATCHED = 3
    CONFLICT = 4
    OTHER_PHONE = 5
    NO_PHONE = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the file: number and phone as their indexes (no phone: None), and who they are if they join."""

    request_id: str
    number_index: bytes
    phone_index: bytes | None
    newcomer_id: UUID


@dataclass(frozen=True, slots=True)
class Found:
    """What a row leads to. `other_id` is the phone's member in a conflict."""

    outcome: Outcome
    member_id: UUID | None = None
    other_id: UUID | None = None


def decide(rows: Sequence[Row], *, numbers: dict[bytes, UUID], phones: dict[bytes, UUID]) -> list[Found]:
    """What each row leads to, in order; a row sees those before it.

    `numbers` and `phones` say whose the rows' numbers and phones are; what the rows give to somebody is added to them.
    """
    found = []
    for row in rows:
        by_number = numbers.get(row.number_index)
        by_phone = phones.get(row.phone_index) if row.phone_index is not None else None
        if by_number is not None:
            if by_phone is not None and by_phone != by_number:
                found.append(Found(Outcome.CONFLICT, by_number, by_phone))
            elif by_phone is None and row.phone_index is not None:
                found.append(Found(Outcome.OTHER_PHONE, by_number))
            else:
                found.append(Found(Outcome.MATCHED, by_number))
            continue
        if row.phone_index is None:
            found.append(Found(Outcome.NO_PHONE))
            continue
        outcome = Outcome.NEW if by_phone is None else Outcome.LINKED
        member_id = by_phone or row.newcomer_id
        numbers[row.number_index] = phones[row.phone_index] = member_id
        found.append(Found(outcome, member_id))
    return found
