"""What a coupon takes off, and codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.crypto import Vault
from chassis.errors import AppError
from services.mall.codes import Codes, as_typed
from services.mall.coupons.rules import Template, discount_for

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 2, 1, tzinfo=UTC)
HERE, THERE = UUID(int=1), UUID(int=2)


@dataclass(frozen=True)
class Line:
    amount_minor: int
    category: str = ""


def template(**values: Any) -> Template:
    defaults: dict[str, Any] = {
        "group_id": UUID(int=9),
        "template_id": UUID(int=8),
        "request_id": "request-1",
        "request_hash": b"",
        "code": "TEN",
        "name": "ten",
        "amount_off_minor": 1000,
        "min_spend_minor": 0,
        "categories": [],
        "merchant_id": None,
        "valid_from_time": START,
        "valid_until_time": END,
        "quantity": 0,
        "issued_count": 0,
        "limit_per_member": 0,
        "platform_share_bps": 0,
    }
    return Template(**{**defaults, **values})


def outcome(made: Template, lines: list[Line], *, merchant_id: UUID = HERE, now: datetime = START) -> Any:
    try:
        return discount_for(made, merchant_id=merchant_id, lines=lines, now=now)
    except AppError as error:
        return error.values.get("why", error.reason)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (START - timedelta(microseconds=1), "NOT_YET_VALID"),
        (START, 1000),
        (END - timedelta(microseconds=1), 1000),
        (END, "COUPON_EXPIRED"),  # the first instant at which it is no longer valid
    ],
)
def test_validity_is_half_open(now: datetime, expected: Any) -> None:
    assert outcome(template(), [Line(5000)], now=now) == expected


def test_a_merchants_coupon_works_only_there() -> None:
    assert outcome(template(merchant_id=HERE), [Line(5000)]) == 1000
    assert outcome(template(merchant_id=THERE), [Line(5000)]) == "STORE"


def test_lines_worth_nothing_do_not_make_a_coupon_fit() -> None:
    assert outcome(template(), [Line(0)]) == "CATEGORY"


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["G", "H", ""])), max_size=20),
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.sampled_from([[], ["G"], ["G", "H"]]),
)
def test_a_discount_is_the_lesser_of_amount_and_eligible_and_never_below_the_minimum_spend(
    lines: list[tuple[int, str]], amount_off: int, min_spend: int, categories: list[str]
) -> None:
    made = template(amount_off_minor=amount_off, min_spend_minor=min_spend, categories=categories)
    eligible = sum(amount for amount, category in lines if not categories or category in categories)
    found = outcome(made, [Line(*line) for line in lines])
    if eligible == 0:
        assert found == "CATEGORY"
    elif eligible < min_spend:
        assert found == "MIN_SPEND"
    else:
        assert found == min(amount_off, eligible)


def test_codes_are_stable_unguessable_and_of_fixed_length() -> None:
    codes, others = Codes(Vault("k" * 32)), Codes(Vault("l" * 32))
    order_id = uuid4()
    assert codes.voucher(order_id) == codes.voucher(order_id) != others.voucher(order_id)
    assert (len(codes.voucher(order_id)), len(codes.coupon(order_id))) == (16, 12)
    assert not codes.voucher(order_id).startswith(codes.coupon(order_id))
    made = {codes.coupon(uuid4()) for _ in range(2000)}
    assert len(made) == 2000 and set("".join(made)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def test_a_code_may_be_typed_as_it_is_read() -> None:
    assert as_typed(" abcd-EFGH 2345 ") == "ABCDEFGH2345"
