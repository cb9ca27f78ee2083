"""How discounts spread, what points are worth, and where states lead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from services.mall.checkout import rules
from services.mall.checkout.errors import OffsetTooLarge
from services.mall.checkout.rules import Checkout, NetLine, OffsetRule, offset_worth, spread

RULE = OffsetRule(step_points=100, step_minor=300, max_share_bps=1500)
LINES = st.lists(
    st.tuples(st.integers(0, 10**10), st.booleans()), min_size=1, max_size=40
)  # amount, whether the coupon is for it


def net_lines(amounts: list[tuple[int, bool]]) -> list[NetLine]:
    return [NetLine(no, amount, "G" if good else "H", "", 0) for no, (amount, good) in enumerate(amounts, 1)]


def spread_over(lines: list[NetLine], discount_minor: int, offset_minor: int) -> list[NetLine]:
    return spread(
        lines,
        discount_minor=discount_minor,
        offset_minor=offset_minor,
        is_eligible=lambda line: line.category == "G",
    )


@given(LINES, st.data())
def test_net_lines_sum_to_what_is_paid_and_none_is_negative(amounts: list[tuple[int, bool]], data: Any) -> None:
    lines = net_lines(amounts)
    total = sum(amount for amount, _ in amounts)
    eligible = sum(amount for amount, good in amounts if good)
    discount = data.draw(st.integers(0, eligible))
    offset = data.draw(st.integers(0, total - discount))
    result = spread_over(lines, discount, offset)
    assert sum(line.net_minor for line in result) == total - discount - offset
    assert sum(line.coupon_share_minor for line in result) == discount
    assert sum(line.offset_share_minor for line in result) == offset
    assert all(line.net_minor >= 0 and line.coupon_share_minor >= 0 for line in result)
    assert all(line.coupon_share_minor == 0 for line in result if line.category != "G")
    kept = [replace(line, coupon_share_minor=0, offset_share_minor=0) for line in result]
    assert kept == lines


@given(LINES, st.data())
def test_no_line_bears_a_whole_unit_more_than_its_exact_share(amounts: list[tuple[int, bool]], data: Any) -> None:
    lines = net_lines([(amount, True) for amount, _ in amounts])
    total = sum(amount for amount, _ in amounts)
    discount = data.draw(st.integers(0, total))
    for line in spread_over(lines, discount, 0):
        assert abs(line.coupon_share_minor * total - discount * line.amount_minor) < max(total, 1)


def test_an_example_by_hand() -> None:
    lines = net_lines([(6001, True), (3999, False)])
    shares = [(line.coupon_share_minor, line.offset_share_minor) for line in spread_over(lines, 2500, 900)]
    assert shares == [(2500, 420), (0, 480)]  # 9.00 over 35.01 and 39.99: 4.2012 and 4.7988


@pytest.mark.parametrize(
    ("order_minor", "max_points"),
    [
        (0, 0),
        (1999, 0),  # 15% is 2.99
        (2000, 100),  # 15% is 3.00
        (10000, 500),
        (3999, 100),  # 15% is 5.99
    ],
)
def test_points_pay_whole_steps_of_at_most_the_share(order_minor: int, max_points: int) -> None:
    assert RULE.max_points(order_minor) == max_points


def test_what_points_are_worth() -> None:
    assert offset_worth(RULE, offset_points=0, order_minor=0) == 0
    assert offset_worth(RULE, offset_points=500, order_minor=10000) == 1500
    with pytest.raises(OffsetTooLarge):
        offset_worth(RULE, offset_points=600, order_minor=10000)
    with pytest.raises(InvalidArgument):
        offset_worth(RULE, offset_points=150, order_minor=10000)
    with pytest.raises(OffsetTooLarge):  # no rule at all
        offset_worth(OffsetRule(0, 0, 0), offset_points=100, order_minor=10000)


@given(st.integers(0, 10**10), st.integers(1, 1000), st.integers(1, 10**6), st.integers(0, 10000))
def test_an_allowed_offset_never_exceeds_the_share(order: int, points: int, minor: int, bps: int) -> None:
    rule = OffsetRule(points, minor, bps)
    most = rule.max_points(order)
    assert offset_worth(rule, offset_points=most, order_minor=order) * 10_000 <= order * bps


def checkout(**values: Any) -> Checkout:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    fields: dict[str, Any] = dict.fromkeys(Checkout.__dataclass_fields__)
    fields |= {"group_id": UUID(int=1), "checkout_id": UUID(int=2), "sale_time": now, **values}
    return Checkout(**fields)


@pytest.mark.parametrize(
    ("decide", "values", "state"),
    [
        (rules.after_sale, {"hold_id": "hld_1"}, rules.CAPTURING),
        (rules.after_sale, {}, rules.COMMITTED),
        (rules.after_sale, {"void_request_id": "v"}, rules.VOIDING),
        (rules.after_capture, {}, rules.COMMITTED),
        (rules.after_capture, {"void_request_id": "v"}, rules.VOIDING),
        (rules.after_release, {"reject_status": b"x"}, rules.REJECTED),
        (rules.after_release, {"void_request_id": "v"}, rules.VOIDED),
        (rules.after_refund, {"redemption_txn_id": "txn_1"}, rules.REVERSING),
        (rules.after_refund, {}, rules.VOIDED),
    ],
)
def test_where_states_lead(decide: Any, values: Any, state: str) -> None:
    assert decide(checkout(**values)) == state


def test_step_ids_are_stable_differ_by_step_and_fit() -> None:
    ids = [checkout().step_id(step) for step in ("hold", "sale", "capture", "release", "refund", "reverse")]
    assert len(set(ids)) == 6 and all(8 <= len(text) <= 64 for text in ids)
    assert ids[0] == checkout().step_id("hold")
