"""What a row of a member file leads to."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from services.member.imports.rules import Found, Outcome, Row, decide

A, B = ids.derive("member", "a"), ids.derive("member", "b")


def newcomer(row_no: int) -> UUID:
    return ids.derive("newcomer", row_no)


def row(number: str, phone: str, row_no: int = 1) -> Row:
    return Row(f"row-{row_no}", number.encode(), phone.encode() or None, newcomer(row_no))


@pytest.mark.parametrize(
    ("number", "phone", "outcome", "member_id", "other_id"),
    [
        ("number of a", "phone of a", Outcome.MATCHED, A, None),
        ("number of a", "", Outcome.MATCHED, A, None),
        ("new number", "phone of a", Outcome.LINKED, A, None),
        ("new number", "new phone", Outcome.NEW, newcomer(1), None),
        ("number of a", "phone of b", Outcome.CONFLICT, A, B),
        ("number of a", "new phone", Outcome.OTHER_PHONE, A, None),
        ("new number", "", Outcome.NO_PHONE, None, None),
    ],
)
def test_a_row_is_found_by_number_then_by_phone(
    number: str, phone: str, outcome: Outcome, member_id: UUID | None, other_id: UUID | None
) -> None:
    numbers, phones = {b"number of a": A}, {b"phone of a": A, b"phone of b": B}
    assert decide([row(number, phone)], numbers=numbers, phones=phones) == [Found(outcome, member_id, other_id)]


def test_a_row_sees_those_before_it() -> None:
    rows = [row("n1", "p1", 1), row("n2", "p1", 2), row("n1", "p2", 3), row("n3", "p2", 4), row("n3", "p1", 5)]
    first, fourth = newcomer(1), newcomer(4)
    assert decide(rows, numbers={}, phones={}) == [
        Found(Outcome.NEW, first),
        Found(Outcome.LINKED, first),  # two cards of one guest
        Found(Outcome.OTHER_PHONE, first),
        Found(Outcome.NEW, fourth),
        Found(Outcome.CONFLICT, fourth, first),
    ]


NAMES = st.sampled_from(["1", "2", "3"])


@given(st.lists(st.tuples(NAMES, NAMES | st.just("")), max_size=30), st.integers(0, 30))
def test_however_a_file_is_cut_its_rows_lead_to_the_same(pairs: list[tuple[str, str]], cut: int) -> None:
    rows = [row(number, phone, place) for place, (number, phone) in enumerate(pairs)]
    whole = decide(rows, numbers={}, phones={})
    numbers: dict[bytes, UUID] = {}
    phones: dict[bytes, UUID] = {}
    parts = decide(rows[:cut], numbers=numbers, phones=phones) + decide(rows[cut:], numbers=numbers, phones=phones)
    assert parts == whole
    # One number and one phone are one member's, whatever comes.
    for found, each in zip(whole, rows, strict=True):
        if found.member_id is not None and found.outcome is not Outcome.NO_PHONE:
            assert numbers[each.number_index] == found.member_id
