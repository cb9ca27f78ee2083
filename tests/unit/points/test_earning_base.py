"""What of a sale earns once tax, tenders and items are left out: exact, line by line."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitong.points.v1 import points_pb2
from services.points.earning.base import earning_base, line_taxes
from services.points.earning.rules import NOT_COUNTING, Rule, RuleKind, RuleSet
from services.points.errors import TaxInvalid


def rule_set(**changes: object) -> RuleSet:
    values: dict[str, object] = {
        "version": 1,
        "effective_date": date(2015, 1, 1),
        "base_points": 1,
        "base_step_minor": 100,
        "rules": (Rule("base", RuleKind.BASE),),
        "expiry_months": 12,
    }
    return RuleSet(**{**values, **changes})  # type: ignore[arg-type]


def sale(*lines: tuple[int, int], gift_minor: int = 0, tax_minor: int = 0) -> points_pb2.RecordSaleRequest:
    """Lines of (amount, tax)."""
    total = sum(amount for amount, _ in lines)
    return points_pb2.RecordSaleRequest(
        lines=[
            points_pb2.SaleLine(line_no=number, amount_minor=amount, tax_minor=tax, item_code=f"I{number}")
            for number, (amount, tax) in enumerate(lines, 1)
        ],
        tenders=[
            points_pb2.Tender(kind="CASH", amount_minor=total - gift_minor),
            points_pb2.Tender(kind="GIFT_CARD", amount_minor=gift_minor),
        ],
        tax_minor=tax_minor,
    )


def base_of(of: RuleSet, request: points_pb2.RecordSaleRequest) -> tuple[list[int], int, int]:
    amounts = [line.amount_minor for line in request.lines]
    found = earning_base(of, request, amounts, [line.category for line in request.lines])
    return found.amounts_minor, found.excluded_tax_minor, found.excluded_tender_minor


@pytest.mark.parametrize(
    ("request_of", "amounts", "tax", "tender"),
    [
        # A third by gift card: each line gives up a third, the odd fen by largest remainder.
        (sale((100, 0), (100, 0), (100, 0), gift_minor=100), [67, 67, 66], 0, 100),
        # Tax of the lines themselves, of the sale shared by amounts, and none that is not the sale's.
        (sale((113, 13), (100, 0), tax_minor=13), [100, 100], 13, 0),
        (sale((300, 0), (100, 0), tax_minor=40), [270, 90], 40, 0),
        (sale((113, 13)), [113], 0, 0),
        # The gift card paid half of the tax too, so it takes half of the rest.
        (sale((113, 13), (0, 0), gift_minor=56, tax_minor=13), [50, 0], 13, 50),
        # Everything by gift card; nothing sold at all.
        (sale((500, 0), gift_minor=500), [0], 0, 500),
        (sale((0, 0)), [0], 0, 0),
    ],
)
def test_what_earns(request_of: points_pb2.RecordSaleRequest, amounts: list[int], tax: int, tender: int) -> None:
    of = rule_set(excludes_tax=True, excluded_tenders=frozenset({"GIFT_CARD"}))
    assert base_of(of, request_of) == (amounts, tax, tender)
    assert base_of(rule_set(excluded_items=frozenset({"X"})), request_of)[1:] == (0, 0)


def test_lines_of_excluded_items_do_not_count_whatever_their_category() -> None:
    of = rule_set(excluded_items=frozenset({"I2"}))
    found = earning_base(of, sale((100, 0), (200, 0)), [100, 200], ["TEA", "TEA"])
    assert found.categories == ["TEA", NOT_COUNTING]
    assert NOT_COUNTING in of.excluded_categories


@pytest.mark.parametrize(
    ("request_of", "problem"),
    [
        (sale((100, 101), tax_minor=101), "more tax than it amounts to"),
        (sale((100, 10), (100, 10), tax_minor=21), "the lines have 20, the sale has 21"),
        (sale((100, 0), tax_minor=101), "more than the total"),
    ],
)
def test_tax_that_cannot_be(request_of: points_pb2.RecordSaleRequest, problem: str) -> None:
    with pytest.raises(TaxInvalid) as caught:
        line_taxes(request_of)
    assert problem in caught.value.values["problem"]


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=8), st.data())
def test_shares_are_exact_and_no_line_gives_up_more_than_it_has(amounts: list[int], data: st.DataObject) -> None:
    total = sum(amounts)
    gift, tax = data.draw(st.integers(0, total)), data.draw(st.integers(0, total))
    of = rule_set(excludes_tax=True, excluded_tenders=frozenset({"GIFT_CARD"}))
    request = sale(*((amount, 0) for amount in amounts), gift_minor=gift, tax_minor=tax)
    after, tax_minor, tender_minor = base_of(of, request)
    assert tax_minor == tax
    assert sum(after) + tax_minor + tender_minor == total
    net = total - tax
    assert tender_minor == (-(-net * gift // total) if total else 0)
    for amount, left in zip(amounts, after, strict=True):
        assert 0 <= left <= amount
        exact = Fraction(amount * net * (total - gift), total * total) if total else Fraction(0)
        assert abs(left - exact) <= 3  # one for the tax's share, one for the tenders', one for the total's rounding
