"""Pure: what a profile has, how complete it is, and what a change does to it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from datetime import date

from services.member.profile.errors import BirthdayChangesUsedUp


@dataclass(frozen=True, slots=True)
class Profile:
    """What is empty is "", 0 or None; gender as in huitong.member.v1.Gender."""

    name: str = ""
    gender: int = 0
    birthday: date | None = None
    email: str = ""


FIELDS = tuple(field.name for field in fields(Profile))


def missing_fields(profile: Profile) -> list[str]:
    """Names of the fields that are empty, in their order."""
    return [name for name in FIELDS if not getattr(profile, name)]


def percent_complete(profile: Profile) -> int:
    """Fields that are filled of all fields, rounded down."""
    return 100 * (len(FIELDS) - len(missing_fields(profile))) // len(FIELDS)


def changed(before: Profile, wanted: Profile, names: Collection[str]) -> Profile:
    """`before` with the fields `names` of `wanted`."""
    return replace(before, **{name: getattr(wanted, name) for name in names})


def count_birthday_changes(before: Profile, after: Profile, *, birth_month: int, count: int, limit: int | None) -> int:
    """How often a birthday that was known has changed, `count` times before; `limit` None is for who may always.

    Filling one in is no change, unless the month that the member joined with says otherwise. Raises
    BirthdayChangesUsedUp.
    """
    if before.birthday is not None:
        is_change = after.birthday != before.birthday
    else:
        is_change = after.birthday is not None and birth_month not in (0, after.birthday.month)
    if not is_change:
        return count
    if limit is not None and count >= limit:
        raise BirthdayChangesUsedUp(limit=limit)
    return count + 1


def month_of(before: Profile, after: Profile, known_month: int) -> int:
    """The month of birth that rules may know: the birthday's; 0 when that was taken out; else the one known before."""
    if after.birthday is not None:
        return after.birthday.month
    return known_month if before.birthday is None else 0


def to_text(profile: Profile) -> str:
    """As it is encrypted."""
    return json.dumps(asdict(profile) | {"birthday": profile.birthday.isoformat() if profile.birthday else None})


def from_text(text: str) -> Profile:
    """What to_text made."""
    values = json.loads(text)
    day = values.pop("birthday")
    return Profile(**values, birthday=date.fromisoformat(day) if day else None)
