"""Windows, grace, floors, and what members are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from services.member.benefits.rules import ONCE, Period, counted_starts, period_start
from services.member.tiers import rules
from services.member.tiers.growth import Book, Day, Policy, Window, add_months, spend_for
from services.member.tiers.rules import DEFAULT_LADDER, Floor, Ladder, Reason, Spending, Standing
from services.member.tiers.wording import money_text, progress

START = Standing(ids.derive("group"), ids.derive("member"), 0, "MEMBER", 1)
YEAR, ROLLING = Policy(Window.CALENDAR_YEAR, grace_days=10), Policy(Window.ROLLING_MONTHS, months=6)


def ladder(policy: Policy) -> Ladder:
    return Ladder(1, DEFAULT_LADDER.tiers, policy)


def sale(yuan: int, day: date, recorded: date | None = None) -> Spending:
    noon = datetime.combine(recorded or day, datetime.min.time(), UTC) + timedelta(hours=4)
    return Spending(yuan * 100, day, "Asia/Shanghai", noon)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 1, 15), -13, date(2024, 12, 15)),
    ],
)
def test_months_end_on_days_that_exist(day: date, months: int, later: date) -> None:
    assert add_months(day, months) == later


def test_a_window_begins_and_ends_on_its_days() -> None:
    days = [Day(date(2025, 12, 31), "CNY", 100), Day(date(2026, 1, 1), "CNY", 1_000), Day(date(2026, 6, 30), "CNY", 10)]
    book = Book(days)
    assert book.growth_minor(YEAR, date(2026, 6, 29)) == 1_000
    assert book.growth_minor(YEAR, date(2026, 12, 31)) == 1_010
    assert book.growth_minor(ROLLING, date(2026, 6, 29)) == 1_100
    assert book.growth_minor(ROLLING, date(2026, 6, 30)) == 1_110
    assert book.growth_minor(ROLLING, date(2026, 7, 1)) == 10  # from 2 January on
    assert book.growth_minor(Policy(), date(2020, 1, 1)) == 1_110


def test_what_counts_is_what_the_policy_says() -> None:
    policy = Policy(spend_growth_bps=5_000, visit_growth=7)
    first = date(2026, 3, 10)
    book = Book([Day(first, "CNY", 301, 2), Day(first, "USD", 9_999, 1), Day(first, "", 0, 0, 4)])
    # Half of 3.01, one visit on one day, and the task; the dollars are a visit only.
    assert book.growth_minor(policy, first) == 150 + 700 + 400
    book.add(Day(first, "CNY", -301))
    assert book.growth_minor(policy, first) == 700 + 400
    assert [spend_for(policy, missing) for missing in (-5, 0, 1, 150)] == [0, 0, 2, 300]
    assert spend_for(Policy(spend_growth_bps=0), 1) is None


def test_a_late_sale_counts_for_the_period_that_it_belongs_to() -> None:
    gold, (change,) = rules.spend(ladder(YEAR), START, [sale(2_000, date(2026, 12, 31), date(2027, 1, 5))], Book())
    assert (change.tier.code, change.effective_date, gold.period_end) == ("GOLD", date(2027, 1, 6), date(2026, 12, 31))
    assert gold.review_date == date(2027, 1, 11)
    assert gold.growth == 0  # of the window that is under way
    kept, change_at_review = rules.review(
        ladder(YEAR), gold, Book([Day(date(2026, 12, 31), "CNY", 200_000, 1)]), None, date(2027, 1, 11)
    )
    assert (change_at_review, kept.tier_code, kept.period_end) == (None, "GOLD", date(2027, 12, 31))


@given(
    st.permutations([(300, 5), (900, 40), (1200, 41), (250, 90), (700, 200), (3000, 364)]),
    st.sampled_from([YEAR, Policy()]),
)
def test_the_order_of_arrival_decides_nothing(sales: list[tuple[int, int]], policy: Policy) -> None:
    book, standing = Book(), START
    for yuan, after in sales:
        one = sale(yuan, date(2026, 1, 1) + timedelta(days=after - 1), date(2026, 12, 31))
        standing, _ = rules.spend(ladder(policy), standing, [one], book)
    assert (standing.tier_code, standing.growth) == ("DIAMOND", 6_350)
    assert standing.period_end == policy.period_end(date(2026, 12, 31))


def test_a_floor_holds_up_and_leaves_the_own_tier_alone() -> None:
    on = ladder(YEAR)
    silver, _ = rules.spend(on, START, [sale(700, date(2026, 3, 10))], book := Book())
    held, change = rules.grant(on, silver, Floor("GOLD", date(2026, 6, 10)), date(2026, 3, 11))
    assert change is not None and (change.tier.code, change.reason) == ("GOLD", Reason.MATCH)
    assert (held.own_code, held.period_end, held.review_date) == ("SILVER", date(2026, 12, 31), date(2026, 6, 11))
    # A sale that does not reach more changes nothing; one that does takes over.
    same, changes = rules.spend(on, held, [sale(100, date(2026, 4, 1))], book)
    assert (same.tier_code, same.own_code, changes) == ("GOLD", "SILVER", [])
    own, changes = rules.spend(on, same, [sale(1_300, date(2026, 4, 2))], book)
    assert (own.tier_code, own.own_code, changes) == ("GOLD", None, [])
    assert rules.review(on, own, book, None, date(2026, 6, 11))[1] is None
    back, change = rules.review(on, held, book, None, date(2026, 6, 11))
    assert change is None and back.tier_code == "GOLD"  # what was bought meanwhile reaches it
    floors = [Floor("SILVER", date(2027, 1, 1)), Floor("GOLD", date(2026, 5, 1)), Floor("GONE", date(2028, 1, 1))]
    assert rules.best_floor(on, floors, date(2026, 5, 1)) == floors[1]
    assert rules.best_floor(on, floors, date(2026, 5, 2)) == floors[0]
    assert rules.best_floor(on, floors[1:], date(2026, 5, 2)) is None


def test_the_tier_of_a_day_is_the_one_that_counts_on_it() -> None:
    risen, _ = rules.spend(DEFAULT_LADDER, replace(START, ladder_version=0), [sale(600, DAY), sale(1500, DAY)])
    assert [risen.tier_on(DAY), risen.tier_on(DAY + timedelta(days=1))] == ["MEMBER", "GOLD"]


DAY = date(2026, 3, 10)


def test_members_are_told_what_is_missing() -> None:
    standing = replace(START, growth_minor=168_000, tier_code="SILVER", ladder_version=0)
    now = progress(DEFAULT_LADDER, standing, None, DAY)
    assert now.next_texts == ("¥320 more for Gold", "还差 ¥320 升级金卡")
    assert (now.keep_until, now.keep_texts) == (None, ("", ""))
    odd = progress(DEFAULT_LADDER, replace(standing, growth_minor=168_050), None, DAY)
    assert odd.next_texts[0] == "¥319.50 more for Gold"
    top = progress(DEFAULT_LADDER, replace(standing, growth_minor=999_900, tier_code="DIAMOND"), None, DAY)
    assert (top.next_tier, top.next_texts, top.next_missing.growth) == (None, ("", ""), 0)
    amounts = [money_text(132_000, code) for code in ("CNY", "HKD", "CHF", "JPY")]
    assert amounts == ["¥1,320", "HK$1,320", "CHF 1,320", "JPY 132,000"]


@pytest.mark.parametrize(
    ("period", "policy", "period_end", "start"),
    [
        (Period.DAY, YEAR, None, date(2026, 8, 20)),
        (Period.MONTH, YEAR, None, date(2026, 8, 1)),
        (Period.YEAR, YEAR, None, date(2026, 1, 1)),
        (Period.MEMBERSHIP, Policy(), None, ONCE),
        (Period.MEMBERSHIP, YEAR, date(2026, 12, 31), date(2026, 1, 1)),
        (Period.MEMBERSHIP, ROLLING, date(2026, 11, 9), date(2026, 5, 10)),
        (Period.MEMBERSHIP, ROLLING, None, date(2026, 7, 1)),  # the lowest tier: half years, one after the other
    ],
)
def test_a_quota_begins_anew_with_its_period(
    period: Period, policy: Policy, period_end: date | None, start: date
) -> None:
    standing = replace(START, period_end=period_end)
    assert period_start(period, policy, standing, date(2026, 8, 20)) == start
    # Of merged members every membership of rolling months counts that can still be under way, of all else the same.
    is_rolling = (period, policy) == (Period.MEMBERSHIP, ROLLING)
    counted = (date(2026, 2, 21), date(2026, 8, 20)) if is_rolling else (start, start)
    assert counted_starts(period, policy, start, date(2026, 8, 20)) == counted
