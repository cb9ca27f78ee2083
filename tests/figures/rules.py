"""The published rules as pure functions. All money in fen, all arithmetic in whole numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid5

MALL_MERCHANTS = 40
NEW_SHOPS = (367, 406, 31782)
EXCLUDED = ("FUEL", "SPIRITS", "COUPON", "MISCELLANEOUS")
FRESH = ("PRODUCE", "SEAFOOD", "SALAD BAR")
HALF_YEAR = date(2017, 7, 1)
LIFE_MONTHS = 6

# Code, growth needed, earning in basis points, free minutes of parking.
TIERS = (
    ("MEMBER", 0, 10_000, 0),
    ("SILVER", 500, 11_000, 60),
    ("GOLD", 2_000, 12_500, 120),
    ("DIAMOND", 5_000, 15_000, 180),
)

# Code, points, merchant; the dearest first.
ITEMS = (("hotel-night", 3_000, "hotel"), ("spa", 1_000, "m03"), ("lunch", 500, "m02"), ("coffee", 200, "m01"))

COUPON_FALLBACK_STORE, COUPON_FALLBACK_TOTAL = 367, 1_000
COUPON_PLATFORM_BPS = 5_000
OFFSET_POINTS, OFFSET_MINOR = 100, 300
FREE_MINUTES, HOUR_MINOR, DAY_CAP_MINOR = 30, 800, 6_000


def h(*parts: object) -> int:
    """The published hash."""
    text = "|".join(("huitong-2017", *map(str, parts)))
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8], 16)


def half_up(numerator: int, denominator: int) -> int:
    """A quotient (both >= 0) rounded half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """`total` shared by weights: largest remainder, ties to the earlier."""
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    exact = [divmod(total * weight, whole) for weight in weights]
    result = [quotient for quotient, _ in exact]
    by_remainder = sorted(range(len(weights)), key=lambda place: -exact[place][1])  # stable: ties to the earlier
    for place in by_remainder[: total - sum(result)]:
        result[place] += 1
    return result


# ---- earning


def receipt_bonus_bps(counted_minor: int, store: int | None, day: date, birth_month: int) -> int:
    """Bonuses of the whole receipt. `store` is the number of a store of the data, None for the desks."""
    second_half = day >= HALF_YEAR
    bonus = 0
    if counted_minor >= 20_000:
        bonus += 10_000 if second_half else 5_000
    elif counted_minor >= 10_000:
        bonus += 2_500
    elif counted_minor >= 5_000:
        bonus += 1_000
    if store in NEW_SHOPS:
        bonus += 2_000
    if day.day in (8, 18, 28) or (second_half and day.isoweekday() == 3):
        bonus += 5_000
    if day.month == birth_month:
        bonus += 10_000
    return bonus


def line_weight(amount_minor: int, category: str, bonus_bps: int) -> int:
    """Amount × rate of one line."""
    if category in EXCLUDED:
        return 0
    return amount_minor * (10_000 + bonus_bps + (5_000 if category in FRESH else 0))


def points_of(weight: int, tier: int) -> int:
    """Points of a receipt whose lines' amount × rate sum to `weight`."""
    return weight * TIERS[tier][2] // (100 * 10**8)


def tier_of(growth: int) -> int:
    """The highest tier that this growth reaches."""
    return max(place for place, (_, needed, _, _) in enumerate(TIERS) if growth >= needed)


def expiry_of(day: date) -> date:
    """First day on which points of a sale on `day` are gone."""
    months = day.year * 12 + day.month - 1 + LIFE_MONTHS + 1
    return date(months // 12, months % 12 + 1, 1)


# ---- parking


def tariff_minor(minutes: int) -> int:
    """Fee of a stay of so many minutes."""
    total = 0
    for first in range(0, max(minutes, 1), 24 * 60):
        # Within each 24 hours from entry the hours count that begin in it.
        hours = [begin for begin in range(FREE_MINUTES, minutes, 60) if first <= begin < first + 24 * 60]
        total += min(DAY_CAP_MINOR, HOUR_MINOR * len(hours))
    return total


def parking_fee(minutes: int, tier: int) -> tuple[int, int]:
    """Fee by the tariff, and what of it the tier takes off."""
    fee = tariff_minor(minutes)
    return fee, fee - tariff_minor(max(0, minutes - TIERS[tier][3]))


# ---- contracts


@dataclass(frozen=True, slots=True)
class Terms:
    """Prices in hundredths of a fen a point."""

    issue: int
    redeem: int
    fee_bps: int
    waiver_bps: int
    keeps_breakage: bool


def terms(merchant: str, day: date) -> Terms:
    """The contract of a merchant on a day."""
    if merchant == "parking":
        return Terms(300, 300, 0, 5_000, False)
    if merchant in ("hotel", "office"):
        return Terms(300, 270, 200, 0, False)
    number = int(merchant[1:])
    issue = 360 if number < 10 and day >= HALF_YEAR else 300 + 10 * (number % 5)
    return Terms(issue, 270 + 10 * (number % 3), 200 + 100 * (number % 3), 0, number % 2 == 0)


def all_merchants() -> list[str]:
    """Codes of all merchants."""
    return [f"m{number:02d}" for number in range(MALL_MERCHANTS)] + ["hotel", "office", "parking"]


# ---- identifiers: they decide which of several lots of the same month is spent first

_NAMESPACE = UUID("6f1d0c1e-63a5-5b8e-9d1c-0b1d5e8f7a42")
GROUP_CODE = "huitong-demo"


def derive(*parts: object) -> UUID:
    """The published derivation of an id."""
    return uuid5(_NAMESPACE, "\x1f".join(part.hex if isinstance(part, UUID) else str(part) for part in parts))
