"""Prices, shares and periods: tables with a reason for each row, and properties."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement import rules
from services.settlement.rules import DEFAULT_TERMS, Account, Figure, Line, Terms

TERMS = Terms(date(2017, 1, 1), 310, 275, 250, 5000, True)


def amounts(lines: list[Line]) -> dict[tuple[Account, Figure], int]:
    return {(line.account, line.figure): line.amount_minor for line in lines}


@pytest.mark.parametrize(
    ("points", "price_centi", "minor"),
    [
        (0, 310, 0),  # nothing issued, nothing charged
        (1, 100, 1),  # one fen a point
        (1, 50, 1),  # half a fen rounds up
        (1, 49, 0),  # less than half rounds down
        (3, 50, 2),  # 1.5 rounds up
        (333, 310, 1032),  # 1032.3
        (335, 310, 1039),  # 1038.5 rounds up
        (1_000_000_000, 1_000_000, 10_000_000_000_000),  # the largest price of the largest movement is exact
    ],
)
def test_points_are_worth_their_price_rounded_half_up(points: int, price_centi: int, minor: int) -> None:
    assert rules.value_minor(points, price_centi) == minor


def test_an_issue_moves_money_from_the_issuer_to_the_fund() -> None:
    assert amounts(rules.issue_lines(100, 310)) == {
        (Account.MERCHANT, Figure.ISSUE_CHARGE): -310,
        (Account.FUND, Figure.ISSUE_CHARGE): 310,
    }


def test_a_redemption_pays_the_merchant_less_the_platforms_fee() -> None:
    # 1001 points × 2.75 fen = 2752.75 → 2753; 2.5% of it = 68.825 → 69
    assert amounts(rules.redeem_lines(1001, TERMS)) == {
        (Account.FUND, Figure.REIMBURSEMENT): -2753,
        (Account.MERCHANT, Figure.REIMBURSEMENT): 2753,
        (Account.MERCHANT, Figure.PLATFORM_FEE): -69,
        (Account.PLATFORM, Figure.PLATFORM_FEE): 69,
    }


@pytest.mark.parametrize(
    ("keeps", "taker"),
    [
        (True, Account.MERCHANT),  # the issuer's contract says that it keeps breakage
        (False, Account.PLATFORM),  # otherwise it is the platform's
    ],
)
def test_breakage_goes_to_whom_the_contract_names(keeps: bool, taker: Account) -> None:
    found = amounts(rules.expire_lines(120, merchant_keeps=keeps))
    assert found == {(Account.FUND, Figure.BREAKAGE): -120, (taker, Figure.BREAKAGE): 120}


@pytest.mark.parametrize(
    ("discount", "bps", "share"),
    [
        (125, 5000, 63),  # 62.5 rounds up
        (101, 5000, 51),  # 50.5 rounds up
        (100, 0, 0),  # the merchant bears it alone
        (100, 10000, 100),  # the platform bears it alone
    ],
)
def test_the_platform_bears_its_share_of_a_coupon(discount: int, bps: int, share: int) -> None:
    taken = amounts(rules.coupon_lines(discount, bps, sign=1))
    returned = amounts(rules.coupon_lines(discount, bps, sign=-1))
    assert taken.get((Account.MERCHANT, Figure.COUPON), 0) == share
    assert returned == {key: -value for key, value in taken.items()}


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20), st.integers(0, 1000))
def test_claw_backs_in_any_parts_give_back_exactly_the_charge(parts: list[int], price_centi: int) -> None:
    before, returned = 0, 0
    for points in parts:
        found = amounts(rules.claw_back_lines(points, price_centi, before))
        returned += found.get((Account.MERCHANT, Figure.CLAW_BACK), 0)
        before += points
        # Never more than the points clawed back so far had cost.
        assert returned == rules.value_minor(before, price_centi)
    assert returned == -amounts(rules.issue_lines(before, price_centi)).get((Account.MERCHANT, Figure.ISSUE_CHARGE), 0)


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20), st.integers(0, 10_000_000))
def test_reversals_in_any_parts_give_back_exactly_the_amount(parts: list[int], amount: int) -> None:
    before, returned = 0, 0
    for points in parts:
        share = rules.given_back(amount, sum(parts), before, before + points)
        assert share >= 0
        returned += share
        before += points
    assert returned == amount


@given(
    st.integers(0, 10_000_000),
    st.integers(0, 1_000_000),
    st.integers(0, 10000),
    st.booleans(),
)
def test_every_entry_sums_to_zero(points: int, price: int, bps: int, flag: bool) -> None:
    terms = Terms(date(2017, 1, 1), price, price, bps, bps, flag)
    for lines in (
        rules.issue_lines(points, price),
        rules.claw_back_lines(points, price, 7),
        rules.redeem_lines(points, terms),
        rules.expire_lines(points, merchant_keeps=flag),
        rules.coupon_lines(points, bps, sign=-1),
        rules.waiver_lines(points, terms),
    ):
        assert sum(line.amount_minor for line in lines) == 0
        assert all(line.amount_minor for line in lines)


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=30), st.integers(0, 10_000_000))
def test_lots_share_the_whole_amount(points: list[int], amount: int) -> None:
    lots = [(UUID(int=number), UUID(int=1), some) for number, some in enumerate(points)]
    assert sum(part.amount_minor for part in rules.share_over_lots(lots, amount)) == amount


@pytest.mark.parametrize(
    ("day", "closed", "period"),
    [
        (date(2017, 3, 31), "", "2017-03"),  # nothing closed: its own month
        (date(2017, 3, 31), "2017-02", "2017-03"),  # an open month
        (date(2017, 3, 31), "2017-03", "2017-04"),  # late by a month: the first open one
        (date(2016, 7, 1), "2017-03", "2017-04"),  # late by many months: the first open one too
        (date(2017, 12, 31), "2017-12", "2018-01"),  # over the year's end
        (date(2018, 1, 1), "2017-03", "2018-01"),  # ahead of the first open one: its own month
    ],
)
def test_a_late_movement_goes_to_the_first_open_month(day: date, closed: str, period: str) -> None:
    assert rules.period_of(day, closed) == period


@pytest.mark.parametrize(
    ("period", "zones", "end"),
    [
        ("2017-02", ["Asia/Shanghai"], datetime(2017, 2, 28, 16, tzinfo=UTC)),  # midnight of 1 March, UTC+8
        ("2016-02", ["UTC"], datetime(2016, 3, 1, tzinfo=UTC)),  # leap year
        ("2017-12", ["UTC"], datetime(2018, 1, 1, tzinfo=UTC)),  # year's end
        ("2017-03", ["Europe/Berlin"], datetime(2017, 3, 31, 22, tzinfo=UTC)),  # summer time since 26 March
        ("2017-10", ["Europe/Berlin"], datetime(2017, 10, 31, 23, tzinfo=UTC)),  # winter time since 29 October
        ("2017-02", ["Asia/Shanghai", "America/New_York"], datetime(2017, 3, 1, 5, tzinfo=UTC)),  # the last zone counts
    ],
)
def test_a_month_is_over_when_it_is_over_everywhere(period: str, zones: list[str], end: datetime) -> None:
    assert rules.period_end(period, zones) == end


@pytest.mark.parametrize(
    ("day", "price"),
    [
        (date(2016, 12, 31), 100),  # before any contract of its own: the default
        (date(2017, 1, 1), 300),  # its first day
        (date(2017, 6, 30), 300),  # the last day before the next
        (date(2017, 7, 1), 360),  # the next one's first day
    ],
)
def test_the_newest_contract_not_after_the_day_counts(day: date, price: int) -> None:
    contracts = [
        Terms(date(2017, 7, 1), 360, 0, 0, 0, False),
        DEFAULT_TERMS,
        Terms(date(2017, 1, 1), 300, 0, 0, 0, False),
    ]
    assert rules.terms_on(contracts, day).issue_price_centi == price
