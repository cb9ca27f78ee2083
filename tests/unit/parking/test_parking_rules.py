"""Plates, tariffs and fees: tables with a reason for each row, and properties."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.parking import rules
from services.parking.errors import PlateInvalid, TariffInvalid
from services.parking.rules import Account, Offset, Tariff, fee_at, normalise_plate, tariff_fee_minor

TARIFF = Tariff(free_minutes=30, hour_minor=800, day_cap_minor=6000, exit_grace_minutes=15)
ENTRY = datetime(2017, 3, 15, 2, 0, tzinfo=UTC)
DAY = 1440


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("沪A12345", "沪A12345"),  # ordinary
        ("沪a12345", "沪A12345"),  # lower case
        (" 沪A·123 45 ", "沪A12345"),  # blanks and the dot of the plate
        ("沪Ａ１２３４５", "沪A12345"),  # full width
        ("沪AD12345", "沪AD12345"),  # small new-energy
        ("粤BFA1345", "粤BFA1345"),  # small new-energy with a second letter
        ("沪A12345D", "沪A12345D"),  # large new-energy
        ("粤Z1234港", "粤Z1234港"),  # crosses to Hong Kong
        ("沪A1234警", "沪A1234警"),  # police
        ("沪A1234挂", "沪A1234挂"),  # trailer
        ("沪A1234领", "沪A1234领"),  # consulate
        ("使123456", "使123456"),  # embassy
        ("WJ京12345", "WJ京12345"),  # armed police
        ("VA12345", "VA12345"),  # armed forces
    ],
)
def test_plates_are_kept_in_one_form(text: str, plate: str) -> None:
    assert normalise_plate(text) == plate
    assert normalise_plate(plate) == plate


@pytest.mark.parametrize(
    "text",
    [
        "",  # nothing
        "A12345",  # no province
        "沪A1234",  # one short
        "沪A123456",  # one long, and no new-energy letter
        "沪A1234I",  # I is not used
        "沪AO2345",  # O is not used
        "港A12345",  # no mainland province
        "沪AL12345",  # L is no new-energy letter
        "沪A12345;DROP",  # rubbish
    ],
)
def test_what_is_no_plate_is_refused(text: str) -> None:
    with pytest.raises(PlateInvalid):
        normalise_plate(text)


@pytest.mark.parametrize(
    ("minutes", "fee"),
    [
        (0, 0),  # in and out
        (30, 0),  # the last free minute
        (31, 800),  # the first hour begins
        (90, 800),  # its last minute
        (91, 1600),  # the second begins
        (30 + 7 * 60, 5600),  # seven hours
        (30 + 7 * 60 + 1, 6000),  # the eighth would be 6400: the cap
        (DAY, 6000),  # a whole day from entry
        (DAY + 30, 6000),  # the 24th hour, begun at 23:30, still belongs to the first day
        (DAY + 31, 6800),  # the second day's first hour
        (2 * DAY + 30, 12000),  # two capped days
        (2 * DAY + 31, 12800),  # the third begins
        (10 * DAY + 30 + 90, 60000 + 1600),  # ten days and two begun hours
    ],
)
def test_a_fee_is_begun_hours_after_the_free_minutes_capped_for_each_24_hours(minutes: int, fee: int) -> None:
    assert tariff_fee_minor(TARIFF, minutes) == fee


@pytest.mark.parametrize(
    ("tariff", "minutes", "fee"),
    [
        (Tariff(0, 500, 0, 0), 0, 0),  # no free minutes: no minute costs nothing
        (Tariff(0, 500, 0, 0), 1, 500),  # the first minute begins an hour
        (Tariff(0, 500, 0, 0), 3 * DAY, 72 * 500),  # no cap
        (Tariff(0, 500, 3000, 0), 3 * DAY, 9000),  # three caps exactly
        (Tariff(DAY, 500, 3000, 0), DAY, 0),  # a free day
        (Tariff(DAY, 500, 3000, 0), DAY + 1, 500),  # and a minute: the second day's first hour
        (Tariff(100, 500, 3000, 0), DAY + 41, 3500),  # hours begin at minute 40 of an hour: 1440 + 40 is the next day's
        (Tariff(60, 0, 0, 0), 5 * DAY, 0),  # a free car park
    ],
)
def test_other_tariffs(tariff: Tariff, minutes: int, fee: int) -> None:
    assert tariff_fee_minor(tariff, minutes) == fee


def hour_by_hour(tariff: Tariff, minutes: int) -> int:
    """The published formula, word by word."""
    days: dict[int, int] = {}
    start = tariff.free_minutes
    while minutes > start:
        days[start // DAY] = days.get(start // DAY, 0) + tariff.hour_minor
        start += 60
    return sum(min(fee, tariff.day_cap_minor) if tariff.day_cap_minor else fee for fee in days.values())


tariffs = st.builds(Tariff, st.integers(0, DAY), st.integers(0, 5000), st.integers(0, 30000), st.integers(0, 240))


@given(tariffs, st.integers(0, 12 * DAY))
def test_the_fee_is_the_published_formula(tariff: Tariff, minutes: int) -> None:
    assert tariff_fee_minor(tariff, minutes) == hour_by_hour(tariff, minutes)


@given(tariffs, st.integers(0, 12 * DAY), st.integers(0, 3 * DAY))
def test_a_longer_stay_never_costs_less(tariff: Tariff, minutes: int, more: int) -> None:
    assert 0 <= tariff_fee_minor(tariff, minutes) <= tariff_fee_minor(tariff, minutes + more)


@pytest.mark.parametrize(
    ("seconds", "minutes"),
    [
        (-60, 0),  # a gate's clock behind
        (59, 0),  # a begun minute does not count
        (60, 1),  # a whole one does
        (1800, 30),  # the last free minute …
        (1859, 30),  # … and its last second
        (1860, 31),
    ],
)
def test_minutes_are_whole(seconds: int, minutes: int) -> None:
    assert rules.whole_minutes(ENTRY, ENTRY + timedelta(seconds=seconds)) == minutes


def berlin(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """What a clock on the wall in Berlin shows."""
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)


@pytest.mark.parametrize(
    ("entry", "leave", "minutes"),
    [
        # the night summer time begins: 01:30 to 03:30 by the clock is one hour
        (berlin(2017, 3, 26, 1, 30), berlin(2017, 3, 26, 3, 30), 60),
        # the night it ends: 01:30 to 03:30 by the clock is three hours
        (berlin(2017, 10, 29, 1, 30), berlin(2017, 10, 29, 3, 30), 180),
        # over the whole of the short day: 23 hours, not a day
        (berlin(2017, 3, 25, 12), berlin(2017, 3, 26, 12), 23 * 60),
        # over the whole of the long day: 25 hours
        (berlin(2017, 10, 28, 12), berlin(2017, 10, 29, 12), 25 * 60),
        # midnight, and a leap day
        (berlin(2016, 2, 28, 23, 59), berlin(2016, 3, 1, 0, 1), 24 * 60 + 2),
    ],
)
def test_clock_changes_and_midnights_do_not_bend_a_stay(entry: datetime, leave: datetime, minutes: int) -> None:
    assert rules.whole_minutes(entry, leave) == minutes


@pytest.mark.parametrize(
    ("time", "day"),
    [
        (datetime(2017, 3, 14, 15, 59, 59, tzinfo=UTC), date(2017, 3, 14)),  # a second before midnight in Shanghai
        (datetime(2017, 3, 14, 16, 0, tzinfo=UTC), date(2017, 3, 15)),  # midnight
    ],
)
def test_the_day_of_entry_is_the_car_parks(time: datetime, day: date) -> None:
    assert rules.local_date(time, "Asia/Shanghai") == day


def after(minutes: float) -> datetime:
    return ENTRY + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("minutes", "tier", "tariff_fee", "waived"),
    [
        (100, 0, 1600, 0),  # no free hours
        (100, 60, 1600, 800),  # as if it were 40 minutes
        (100, 70, 1600, 1600),  # as if it were 30: free
        (100, 600, 1600, 1600),  # more than the stay: never below zero
        (20, 60, 0, 0),  # nothing to waive
        (DAY + 31, 60, 6800, 800),  # takes the second day's hour off
        (30 + 9 * 60, 60, 6000, 0),  # the cap holds either way
    ],
)
def test_a_tier_takes_off_the_difference_to_a_shorter_stay(
    minutes: int, tier: int, tariff_fee: int, waived: int
) -> None:
    fee = fee_at(Account(ENTRY, TARIFF), tier, after(minutes))
    assert (fee.tariff_fee_minor, fee.tier_waived_minor, fee.due_minor) == (tariff_fee, waived, tariff_fee - waived)


PAID = Account(ENTRY, TARIFF, 0, 0, 1600, after(100), after(115))


@pytest.mark.parametrize(
    ("minutes", "due", "stay_minutes"),
    [
        (100, 0, 100),  # at once
        (115, 0, 115),  # the last moment of grace
        (115.02, 0, 115),  # a second later the fee goes on, and is still the same hour's
        (150, 0, 150),  # the end of the hour that is paid
        (151, 800, 151),  # the next hour
        (DAY + 31, 5200, DAY + 31),  # 6800 in all, 1600 paid
        (40, 0, 40),  # a clock that runs behind does not make it cheaper than it was paid
    ],
)
def test_after_paying_there_is_grace_and_then_the_fee_goes_on(minutes: float, due: int, stay_minutes: int) -> None:
    fee = fee_at(PAID, 0, after(minutes))
    assert (fee.due_minor, fee.stay_minutes) == (due, stay_minutes)


def test_in_grace_an_hour_that_begins_costs_nothing() -> None:
    account = Account(ENTRY, TARIFF, 0, 0, 1600, after(148), after(163))
    assert fee_at(account, 0, after(163)).due_minor == 0
    # Beyond it the hour that began in it is owed.
    assert fee_at(account, 0, after(164)).due_minor == 800


def test_a_tier_that_rose_after_paying_takes_no_more_off_than_is_left() -> None:
    fee = fee_at(PAID, 600, after(150))
    assert (fee.tier_waived_minor, fee.due_minor) == (0, 0)


@given(tariffs, st.integers(0, 5 * DAY), st.integers(0, DAY), st.integers(0, 5 * DAY), st.integers(0, 10_000_000))
def test_parts_always_add_up_and_none_is_negative(
    tariff: Tariff, first: int, tier: int, later: int, points_minor: int
) -> None:
    before = fee_at(Account(ENTRY, tariff), tier, after(first))
    by_points = min(points_minor, before.due_minor)
    money = before.due_minor - by_points
    paid = Account(ENTRY, tariff, 1, by_points, money, after(first), after(first + tariff.exit_grace_minutes))
    for fee in (before, fee_at(paid, tier, after(first + later)), fee_at(paid, 0, after(later))):
        parts = (fee.tier_waived_minor, fee.points_paid_minor, fee.money_paid_minor, fee.due_minor)
        assert min(parts) >= 0
        assert sum(parts) == fee.tariff_fee_minor
    if later <= tariff.exit_grace_minutes:
        assert fee_at(paid, tier, after(first + later)).due_minor == 0


@pytest.mark.parametrize(
    ("due", "offset", "points", "minor"),
    [
        (1600, None, 0, 0),  # no rule
        (1600, Offset(100, 300, 10_000), 500, 1500),  # five steps; the rest is money
        (1500, Offset(100, 300, 10_000), 500, 1500),  # the whole fee
        (1600, Offset(100, 300, 299), 200, 600),  # the balance has two whole steps
        (299, Offset(100, 300, 10_000), 0, 0),  # less than a step is due
        (1600, Offset(100, 300, 0), 0, 0),  # no points
    ],
)
def test_points_pay_whole_steps(due: int, offset: Offset | None, points: int, minor: int) -> None:
    assert rules.most_points(due, offset) == (points, minor)


def test_a_cap_below_the_price_of_an_hour_is_no_tariff() -> None:
    with pytest.raises(TariffInvalid):
        rules.check_tariff(Tariff(30, 800, 799, 15))
    rules.check_tariff(Tariff(30, 800, 800, 15))
    rules.check_tariff(Tariff(30, 800, 0, 15))
