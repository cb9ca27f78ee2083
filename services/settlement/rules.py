"""Prices, shares and periods of settlement: pure, exact, integers only. The formulas are in the package's docstring."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.units import divide_half_up, largest_remainder, share_half_up

# A month is closed this long after it has ended in every zone of the group: events may lag.
CLOSE_LAG = timedelta(hours=6)


class Kind(enum.IntEnum):
    """What moved; the numbers of huitong.settlement.v1.AccrualKind."""

    ISSUE = 1
    CLAW_BACK = 2
    REDEEM = 3
    REDEEM_REVERSAL = 4
    EXPIRE = 5
    COUPON = 6
    COUPON_REVERSAL = 7
    PARKING_WAIVER = 8
    FUNDING = 40


class Account(enum.IntEnum):
    """Whose money: the entry's merchant's, the points fund's, the platform's, or that of the merchant's unit."""

    MERCHANT = 1
    FUND = 2
    PLATFORM = 3
    UNIT = 4


class Figure(enum.IntEnum):
    """The column of a statement that a line belongs to."""

    ISSUE_CHARGE = 1
    CLAW_BACK = 2
    REIMBURSEMENT = 3
    PLATFORM_FEE = 4
    COUPON = 5
    PARKING_WAIVER = 6
    BREAKAGE = 7
    FUNDING = 8


@dataclass(frozen=True, slots=True)
class Terms:
    """A merchant's contract from `effective_date` on. Prices in hundredths of a fen for one point."""

    effective_date: date
    issue_price_centi: int
    redeem_price_centi: int
    platform_fee_bps: int
    parking_waiver_bps: int
    merchant_keeps_breakage: bool


# In force for every merchant from the beginning; a row of its own that ListContracts shows.
DEFAULT_TERMS = Terms(
    effective_date=date(1900, 1, 1),
    issue_price_centi=100,
    redeem_price_centi=100,
    platform_fee_bps=0,
    parking_waiver_bps=0,
    merchant_keeps_breakage=False,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One account's share of an entry, fen; positive is in the account's favour."""

    account: Account
    figure: Figure
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Part:
    """A lot behind an entry: points of it and their share of the entry's money."""

    lot_id: UUID
    issuer_id: UUID
    points: int
    amount_minor: int


def terms_on(contracts: Sequence[Terms], day: date) -> Terms:
    """The terms in force on `day`: the greatest effective date that is not after it; `contracts` in any order."""
    return max((terms for terms in contracts if terms.effective_date <= day), key=lambda terms: terms.effective_date)


def value_minor(points: int, price_centi: int) -> int:
    """Worth of `points` (>= 0) at `price_centi` hundredths of a fen each, half up to the fen."""
    return divide_half_up(points * price_centi, 100)


def issue_lines(points: int, price_centi: int) -> list[Line]:
    """The issuer pays the fund."""
    return _transfer(Figure.ISSUE_CHARGE, Account.MERCHANT, Account.FUND, value_minor(points, price_centi))


def claw_back_lines(points: int, price_centi: int, clawed_before: int) -> list[Line]:
    """The fund returns what the clawed points had cost, cumulatively rounded over the sale."""
    amount = value_minor(clawed_before + points, price_centi) - value_minor(clawed_before, price_centi)
    return _transfer(Figure.CLAW_BACK, Account.FUND, Account.MERCHANT, amount)


def debit_lines(amount_minor: int) -> list[Line]:
    """The fund returns what the points that were debited by hand had cost their issuer."""
    return _transfer(Figure.CLAW_BACK, Account.FUND, Account.MERCHANT, amount_minor)


def redeem_lines(points: int, terms: Terms) -> list[Line]:
    """The fund pays the merchant that took the points, which pays the platform's fee."""
    paid = value_minor(points, terms.redeem_price_centi)
    fee = share_half_up(paid, terms.platform_fee_bps)
    return reimbursement_lines(paid, fee)


def reimbursement_lines(paid_minor: int, fee_minor: int) -> list[Line]:
    """Lines of a reimbursement and its fee; negative amounts take it back."""
    return [
        *_transfer(Figure.REIMBURSEMENT, Account.FUND, Account.MERCHANT, paid_minor),
        *_transfer(Figure.PLATFORM_FEE, Account.MERCHANT, Account.PLATFORM, fee_minor),
    ]


def given_back(amount_minor: int, total_points: int, before: int, after: int) -> int:
    """What of `amount_minor` comes back when the points given back grow from `before` to `after` of `total_points`."""
    return divide_half_up(amount_minor * after, total_points) - divide_half_up(amount_minor * before, total_points)


def expire_lines(amount_minor: int, *, merchant_keeps: bool) -> list[Line]:
    """The fund gives up what the issuer had paid for points that expired."""
    to = Account.MERCHANT if merchant_keeps else Account.PLATFORM
    return _transfer(Figure.BREAKAGE, Account.FUND, to, amount_minor)


def coupon_lines(discount_minor: int, platform_share_bps: int, *, sign: int) -> list[Line]:
    """The platform bears its share of a coupon; `sign` -1 takes it back."""
    amount = sign * share_half_up(discount_minor, platform_share_bps)
    return _transfer(Figure.COUPON, Account.PLATFORM, Account.MERCHANT, amount)


def waiver_lines(waived_minor: int, terms: Terms) -> list[Line]:
    """The platform bears its share of a parking fee that a tier waived."""
    amount = share_half_up(waived_minor, terms.parking_waiver_bps)
    return _transfer(Figure.PARKING_WAIVER, Account.PLATFORM, Account.MERCHANT, amount)


def funding_lines(payer: Account, amount_minor: int) -> list[Line]:
    """Somebody else pays the issuer what points cost it; a negative amount gives it back."""
    return _transfer(Figure.FUNDING, payer, Account.MERCHANT, amount_minor)


def funded_change(weights: Sequence[int], before: int, after: int) -> list[int]:
    """How the shares of a total change when it grows from `before` to `after`: largest remainder of each, so that they
    add up to the total at any time."""
    return [
        new - old
        for old, new in zip(largest_remainder(before, weights), largest_remainder(after, weights), strict=True)
    ]


def share_over_lots(lots: Sequence[tuple[UUID, UUID, int]], amount_minor: int) -> list[Part]:
    """Share `amount_minor` (>= 0) over (lot, issuer, points) by points, largest remainder; the parts add up to it."""
    shares = largest_remainder(amount_minor, [points for _, _, points in lots])
    return [Part(lot, issuer, points, share) for (lot, issuer, points), share in zip(lots, shares, strict=True)]


def _transfer(figure: Figure, giver: Account, taker: Account, amount_minor: int) -> list[Line]:
    # Lines of nothing would only be noise: an entry of no money still carries its points.
    return [Line(giver, figure, -amount_minor), Line(taker, figure, amount_minor)] if amount_minor else []


# ---- periods: months, "2017-03"


def period_of(day: date, closed_period: str) -> str:
    """The month of `day`, or the first open one when that is closed already ("" when none is closed)."""
    month = f"{day.year:04d}-{day.month:02d}"
    return month if month > closed_period else next_period(closed_period)


def next_period(period: str) -> str:
    """The month after."""
    year, month = int(period[:4]), int(period[5:])
    return f"{year + month // 12:04d}-{month % 12 + 1:02d}"


def period_end(period: str, zones: Sequence[str]) -> datetime:
    """The instant (UTC) at which the month is over in every one of `zones` (IANA names, at least one)."""
    following = next_period(period)
    year, month = int(following[:4]), int(following[5:])
    return max(datetime(year, month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) for zone in zones)


def local_date(time: datetime, zone: str) -> date:
    """The calendar date of an instant in a zone."""
    return time.astimezone(ZoneInfo(zone)).date()
