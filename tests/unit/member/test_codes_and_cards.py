"""Dynamic member codes, card numbers and masked phones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from services.member import rules
from services.member.rules import Verdict

KEY = b"k" * 32
GROUP = ids.derive("group", "test-group")
NUMBERS = st.from_regex(r"[0-9]{10}", fullmatch=True).filter(str.isascii)
STEPS = st.integers(10_000, 10**9)
SERIALS = st.sampled_from(rules.OUR_SERIALS)
PHONE_SERIALS = st.sampled_from(rules.PHONE_SERIALS)
ALL_SERIALS = SERIALS | PHONE_SERIALS


def verdict(text: str, now_step: int, group_id: object = GROUP, key: bytes = KEY) -> tuple[Verdict, int]:
    code = rules.read_code(text)
    if code is None:
        return Verdict.INVALID, -1
    return rules.judge_code(rules.member_seed(key, group_id, code.member_no), code, now_step=now_step)  # type: ignore[arg-type]


def code_of(number: str, step: int, serial: int) -> str:
    return rules.make_code(rules.member_seed(KEY, GROUP, number), member_no=number, step=step, serial=serial)


@given(NUMBERS, STEPS, SERIALS)
def test_code_is_24_digits_and_valid_for_60_seconds(number: str, step: int, serial: int) -> None:
    code = code_of(number, step, serial)
    assert len(code) == 24
    assert code.isdecimal()
    assert [verdict(code, step + age)[0] for age in (-2, -1, 0, 1, 2, 900)] == [
        Verdict.INVALID,  # from the future: no clock is that fast
        Verdict.VALID,
        Verdict.VALID,
        Verdict.VALID,
        Verdict.EXPIRED,
        Verdict.EXPIRED,
    ]
    assert verdict(code, step)[1] == step
    assert verdict(code, step + 1000)[0] is Verdict.INVALID  # its three digits of time come round again


@given(NUMBERS, STEPS, PHONE_SERIALS)
def test_code_of_a_phone_whose_clock_is_wrong_by_a_minute_is_valid(number: str, step: int, serial: int) -> None:
    code = code_of(number, step, serial)
    assert [verdict(code, step + age)[0] for age in (-3, -2, -1, 0, 1, 2, 3, 4)] == [
        Verdict.INVALID,
        *[Verdict.VALID] * 6,
        Verdict.EXPIRED,
    ]
    assert verdict(code, step + 3)[1] == step


@given(NUMBERS, STEPS, ALL_SERIALS, st.integers(0, 23), st.integers(1, 9))
def test_code_with_one_digit_changed_is_invalid(number: str, step: int, serial: int, place: int, add: int) -> None:
    code = code_of(number, step, serial)
    changed = code[:place] + str((int(code[place]) + add) % 10) + code[place + 1 :]
    assert verdict(changed, step)[0] is Verdict.INVALID


@given(NUMBERS, STEPS, ALL_SERIALS)
def test_code_is_worth_nothing_in_another_group_or_under_another_key(number: str, step: int, serial: int) -> None:
    code = code_of(number, step, serial)
    assert verdict(code, step, group_id=ids.derive("group", "other"))[0] is Verdict.INVALID
    assert verdict(code, step, key=b"j" * 32)[0] is Verdict.INVALID


@given(st.text(max_size=30))
def test_any_other_text_is_no_code(text: str) -> None:
    assert verdict(text, 12345)[0] is Verdict.INVALID


def test_code_shown_at_the_end_of_its_step_is_valid_for_the_whole_next_one() -> None:
    shown_at = 1_000_000_019.9
    step = rules.step_at(shown_at)
    assert rules.step_at(shown_at + 0.2) == step + 1
    assert rules.expire_time_of(step).timestamp() == (step + 2) * 30


@given(st.uuids(), st.uuids(), st.integers(0, 30))
def test_card_number_has_sixteen_digits_a_check_digit_and_the_member_number(group, member, attempt) -> None:
    card = rules.card_no_of(group, member, attempt)
    assert rules.is_card_no(card)
    assert card == rules.card_no_of(group, member, attempt)
    assert rules.card_no_from(group, rules.member_no_of(card)) == card


@given(st.uuids(), st.integers(0, 15), st.integers(1, 9))
def test_card_number_with_one_wrong_digit_is_noticed(member, place: int, add: int) -> None:
    card = rules.card_no_of(GROUP, member)
    assert not rules.is_card_no(card[:place] + str((int(card[place]) + add) % 10) + card[place + 1 :])


def test_check_digit_is_the_published_one() -> None:
    assert rules.luhn_digit("7992739871") == 3


@pytest.mark.parametrize("text", ["", "1", "96" * 9, "96000000000000-0", "٩" * 16, "9600000000000\x00"])
def test_what_is_no_card_number_is_refused(text: str) -> None:
    assert not rules.is_card_no(text)


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+8613800000001", "138****0001"),
        ("+14155550123", "141****0123"),
        ("+85291234567", "852****4567"),
        ("+1234567", "****567"),  # too short to show both ends
    ],
)
def test_masked_phone_shows_no_more_than_both_ends(phone: str, masked: str) -> None:
    assert rules.mask_phone(phone) == masked
