"""Referral codes, and what purchases and returns make of a referral."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.member.referral.rules import ALPHABET, Referral, State, bring_back, buy, code_of, month_of, read_code

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
WAITING = Referral(
    friend_id=UUID(int=1),
    group_id=UUID(int=2),
    referral_id=UUID(int=3),
    referrer_id=UUID(int=4),
    state=State.WAITING,
    create_time=NOW,
    referrer_points=500,
    friend_points=200,
    min_amount_minor=10_000,
    currency_code="CNY",
    merchant_id=UUID(int=5),
    return_window_days=7,
)


@given(st.integers(0, 32**7 - 1), st.integers(0, 7), st.sampled_from(ALPHABET))
def test_a_code_is_read_as_it_was_made_and_one_wrong_character_is_found(number: int, place: int, other: str) -> None:
    code = code_of(number)
    assert len(code) == 8 and read_code(f" {code[:4].lower()}-{code[4:]}") == code
    wrong = code[:place] + other + code[place + 1 :]
    assert read_code(wrong) == (code if wrong == code else None)


@given(st.integers(0, 32**7 - 1), st.integers(0, 6))
def test_two_characters_that_changed_places_are_found(number: int, place: int) -> None:
    code = code_of(number)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    # As with every Luhn, the first and the last of the alphabet may stand for each other.
    if swapped != code and {code[place], code[place + 1]} != {"0", "Z"}:
        assert read_code(swapped) is None


def test_what_looks_alike_is_read_alike() -> None:
    code = next(code for code in map(code_of, range(32**4, 32**4 + 100)) if "0" in code and "1" in code)
    assert read_code(code.replace("0", "o").replace("1", "l")) == code == read_code(code.replace("1", "I"))
    assert [read_code(text) for text in ("", "0000000", "000000000", "0000000U", "推荐码")] == [None] * 5


def bought(one: Referral = WAITING, amount_minor: int = 10_000, currency: str = "CNY", **late: int) -> Referral:
    return buy(
        one,
        sale_id="txn_1",
        amount_minor=amount_minor,
        currency_code=currency,
        sale_time=NOW + timedelta(**late),
        now=NOW,
    )


def test_the_least_amount_in_its_currency_qualifies() -> None:
    assert bought(amount_minor=9_999) == bought(currency="HKD") == WAITING
    done = bought()
    assert (done.state, done.sale_id, done.due_time) == (State.QUALIFIED, "txn_1", NOW + timedelta(days=7))
    # A till's clock that goes ahead makes the window no shorter, one that goes behind makes no purchase of before.
    assert bought(hours=5).due_time == NOW + timedelta(days=7, hours=5)
    assert bought(minutes=-10).state is State.QUALIFIED
    assert bought(minutes=-16).state is State.VOID
    assert bought(replace(WAITING, state=State.REWARDED), minutes=-16).state is State.REWARDED


def test_what_is_brought_back_counts_until_the_window_is_over() -> None:
    done = bought(amount_minor=12_000)
    kept = bring_back(done, sale_id="txn_1", amount_minor=2_000)
    assert (kept.state, kept.kept_minor) == (State.QUALIFIED, 10_000)
    assert bring_back(kept, sale_id="txn_2", amount_minor=5_000) == kept
    assert bring_back(kept, sale_id="txn_1", amount_minor=1) == WAITING
    # Of a program without a least amount a purchase that came back whole is none.
    free = bought(replace(WAITING, min_amount_minor=0), amount_minor=100)
    assert bring_back(free, sale_id="txn_1", amount_minor=100).state is State.WAITING
    rewarding = replace(done, state=State.REWARDING)
    assert bring_back(rewarding, sale_id="txn_1", amount_minor=12_000) == rewarding


def test_months_begin_at_their_first_midnight() -> None:
    assert month_of(NOW) == datetime(2026, 3, 1, tzinfo=UTC) == month_of(datetime(2026, 3, 1, tzinfo=UTC))
