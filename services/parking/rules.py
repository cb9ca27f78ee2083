"""Plates, tariffs and fees: pure and exact. The formulas are in the package's docstring."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.parking.errors import PlateInvalid, TariffInvalid

DAY_MINUTES = 1440
# A vendor's or member's time may be this far ahead of ours, not more: a wrong clock must not park a car for years.
MOST_AHEAD = timedelta(hours=24)

_PROVINCE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_LETTER = "A-HJ-NP-Z"  # I and O are not used: they look like 1 and 0
_PLATE = re.compile(
    "|".join(
        (
            rf"[{_PROVINCE}][A-Z][{_LETTER}0-9]{{4}}[{_LETTER}0-9挂学警港澳领]",  # 沪A12345, 粤Z1234港, 沪A1234警
            rf"[{_PROVINCE}][A-Z][A-HJK][{_LETTER}0-9][0-9]{{4}}",  # small new-energy: 沪AD12345
            rf"[{_PROVINCE}][A-Z][0-9]{{5}}[A-HJK]",  # large new-energy: 沪A12345D
            r"(?:使[0-9]{6}|[0-9]{6}使)",  # embassies: 使123456, 123456使
            rf"WJ[{_PROVINCE}]?[0-9]{{4}}[0-9A-Z]",  # armed police: WJ京12345
            r"[A-Z]{2}[0-9]{5}",  # armed forces: VA12345
        )
    )
)
_NOISE = re.compile(r"[\s·•・．.\-]")


def normalise_plate(text: str) -> str:
    """The plate in the form it is kept in: half width, upper case, no blanks or dots. Raises PlateInvalid."""
    plate = _NOISE.sub("", unicodedata.normalize("NFKC", text)).upper()
    if not _PLATE.fullmatch(plate):
        raise PlateInvalid(plate_no=text)
    return plate


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a stay costs; see Tariff in the contract. `day_cap_minor` 0 means no cap."""

    free_minutes: int
    hour_minor: int
    day_cap_minor: int
    exit_grace_minutes: int


def check_tariff(tariff: Tariff) -> None:
    """Raises TariffInvalid for a cap below the price of one hour: it would be the price."""
    if 0 < tariff.day_cap_minor < tariff.hour_minor:
        raise TariffInvalid(problem="the cap of a day is below the price of an hour")


def tariff_fee_minor(tariff: Tariff, minutes: int) -> int:
    """The fee of a stay of `minutes` whole minutes (>= 0), before any benefit."""
    if minutes <= tariff.free_minutes:
        return 0
    hours = _begun_hours(minutes - tariff.free_minutes)
    # Hours begin on the same minute of every 24 hours, so each full 24 hours but the first has 24 of them.
    first_hours = min(hours, _begun_hours(max(DAY_MINUTES - tariff.free_minutes, 0)))
    days, last_hours = divmod(hours - first_hours, 24)
    return sum(count * _capped(tariff, some) for count, some in ((1, first_hours), (days, 24), (1, last_hours)))


def _begun_hours(minutes: int) -> int:
    return -(-minutes // 60)


def _capped(tariff: Tariff, hours: int) -> int:
    fee = hours * tariff.hour_minor
    return min(fee, tariff.day_cap_minor) if tariff.day_cap_minor else fee


def whole_minutes(start: datetime, end: datetime) -> int:
    """Whole minutes between two instants; a begun minute does not count. 0 when `end` is not after `start`."""
    return max((end - start) // timedelta(minutes=1), 0)


@dataclass(frozen=True, slots=True)
class Account:
    """What a stay has been paid, and until when that settles it."""

    entry_time: datetime
    tariff: Tariff
    points: int = 0
    points_paid_minor: int = 0
    money_paid_minor: int = 0
    # The time whose fee the last payment went towards; no earlier time is looked at again.
    counted_until_time: datetime | None = None
    # After a payment that left nothing due: leave by then at no more cost.
    leave_before_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fee:
    """How the fee comes about, fen: tariff = waived + points + money + due, none below zero."""

    tariff_fee_minor: int
    tier_waived_minor: int
    points_paid_minor: int
    money_paid_minor: int
    due_minor: int
    points: int
    stay_minutes: int
    # The time that the fee was counted to.
    counted_time: datetime


def fee_at(account: Account, tier_free_minutes: int, time: datetime) -> Fee:
    """The fee if the vehicle left at `time`."""
    counted = time
    if account.counted_until_time is not None:
        in_grace = account.leave_before_time is not None and time <= account.leave_before_time
        counted = account.counted_until_time if in_grace else max(time, account.counted_until_time)
    minutes = whole_minutes(account.entry_time, counted)
    tariff_fee = tariff_fee_minor(account.tariff, minutes)
    paid = account.points_paid_minor + account.money_paid_minor
    waived = tariff_fee - tariff_fee_minor(account.tariff, max(minutes - tier_free_minutes, 0))
    # A tier that rose after a payment takes no more off than is left.
    waived = min(waived, tariff_fee - paid)
    return Fee(
        tariff_fee,
        waived,
        account.points_paid_minor,
        account.money_paid_minor,
        tariff_fee - waived - paid,
        account.points,
        whole_minutes(account.entry_time, time),
        counted,
    )


@dataclass(frozen=True, slots=True)
class Offset:
    """What points can pay: `step_points` are worth `step_minor`, and the member has, or may use, `available_points`.

    `quote_token` names the terms that they are used by, if there are any; fewer than `min_points` are not used.
    """

    step_points: int
    step_minor: int
    available_points: int
    min_points: int = 0
    quote_token: str = ""


def most_points(due_minor: int, offset: Offset | None) -> tuple[int, int]:
    """The most points that may pay `due_minor`, in whole steps, and what they are worth (never more than is due)."""
    if offset is None:
        return 0, 0
    steps = min(due_minor // offset.step_minor, offset.available_points // offset.step_points)
    if steps * offset.step_points < offset.min_points:
        return 0, 0
    return steps * offset.step_points, steps * offset.step_minor


def local_date(time: datetime, zone: str) -> date:
    """The calendar date of an instant in a zone."""
    return time.astimezone(ZoneInfo(zone)).date()
