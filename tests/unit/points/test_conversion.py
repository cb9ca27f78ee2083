"""What an amount becomes in another currency, and whose points the new ones are."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.wallets.conversion import Exchange, exchange, new_lots

LATER = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("points", "terms", "expected"),
    [
        (100, (1, 1, 1), Exchange(100, 100, 0)),
        (10, (2, 3, 1), Exchange(9, 6, 1)),  # 6.67: six cost nine
        (10, (3, 10, 1), Exchange(10, 3, 0)),
        (9, (3, 10, 1), Exchange(7, 2, 2)),  # 2.7: two cost 6.67
        (3, (3, 10, 1), Exchange(0, 0, 3)),  # not one
        (1, (5, 1, 1), Exchange(1, 5, 0)),
        (29, (1, 1, 10), Exchange(20, 20, 9)),  # whole steps
        (29, (1, 7, 10), Exchange(20, 2, 9)),  # two cost 14, in steps 20
    ],
)
def test_examples(points: int, terms: tuple[int, int, int], expected: Exchange) -> None:
    numerator, denominator, step = terms
    assert exchange(points, numerator=numerator, denominator=denominator, step=step) == expected


@pytest.mark.parametrize(("points", "taken"), [(19, 0), (20, 20), (60, 60), (61, 0)])
def test_least_and_most(points: int, taken: int) -> None:
    found = exchange(points, numerator=1, denominator=1, step=1, min_points=20, max_points=60)
    assert (found.taken, found.left) == (taken, points - taken)


@given(st.integers(0, 10**9), st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 1_000))
def test_nothing_is_given_that_was_not_taken(points: int, numerator: int, denominator: int, step: int) -> None:
    found = exchange(points, numerator=numerator, denominator=denominator, step=step)
    assert found.taken + found.left == points
    assert found.taken % step == 0 and found.left >= 0
    # Never more than the rate says, and no step could be left out.
    assert found.given * denominator <= found.taken * numerator
    if found.taken:
        assert found.given * denominator > (found.taken - step) * numerator
    assert exchange(found.taken, numerator=numerator, denominator=denominator, step=step) == Exchange(
        found.taken, found.given, 0
    )


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 10**6)), min_size=1, max_size=20), st.integers(1, 10**9))
def test_issuers_keep_their_shares(taken: list[tuple[int, int]], to_points: int) -> None:
    lots = [{"merchant_id": str(UUID(int=issuer)), "points": points} for issuer, points in taken]
    found = new_lots(UUID(int=9), lots, to_points, LATER)
    assert sum(lot["points"] for lot in found) == to_points
    assert len({lot["lot_id"] for lot in found}) == len({lot["merchant_id"] for lot in found}) == len(found)
    whole = sum(points for _, points in taken)
    for lot in found:
        exact = to_points * sum(p for issuer, p in taken if str(UUID(int=issuer)) == lot["merchant_id"])
        assert abs(lot["points"] * whole - exact) < whole
    # The same whenever it is computed, and in whatever order the lots were taken.
    assert new_lots(UUID(int=9), lots[::-1], to_points, LATER) == found
