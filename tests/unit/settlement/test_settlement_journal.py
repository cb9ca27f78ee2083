"""The journal: movements into entries, once, in any split, and never out of what is not there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.errors import FactContradicts, NotYet
from services.settlement.journal import ClawBack, Expire, Issue, Journal, Movement, Party, Redeem, RedeemReversal
from services.settlement.rules import DEFAULT_TERMS, Kind, Terms

GROUP, ISSUER, TAKER = UUID(int=1), UUID(int=10), UUID(int=20)
SALE, LOT, OTHER_LOT = UUID(int=100), UUID(int=200), UUID(int=201)
NOON = datetime(2017, 3, 15, 4, tzinfo=UTC)
TERMS = Terms(date(2017, 1, 1), 310, 270, 200, 5000, False)


def journal(closed_period: str = "") -> Journal:
    party = Party("Asia/Shanghai", [DEFAULT_TERMS, TERMS])
    return Journal(GROUP, closed_period, {ISSUER: party, TAKER: party})


def issue(points: int = 1000, **values: object) -> Issue:
    given_values = {"sale_id": SALE, "lot_id": LOT, "lot_points": points, "business_date": date(2017, 3, 15)}
    return Issue(
        merchant_id=ISSUER,
        source_id="txn_issue",
        occur_time=NOON,
        points=points,
        **{**given_values, **values},  # type: ignore[arg-type]
    )


def claw_back(points: int, number: int) -> ClawBack:
    return ClawBack(
        merchant_id=ISSUER, source_id=f"txn_claw_{number}", occur_time=NOON, points=points, sale_id=SALE, lots=()
    )


def redeem(*points: int) -> Redeem:
    lots = tuple((UUID(int=200 + number), ISSUER, some) for number, some in enumerate(points))
    return Redeem(merchant_id=TAKER, source_id="txn_redeem", occur_time=NOON, points=sum(points), lots=lots)


def reversal(points: int, number: int = 1) -> RedeemReversal:
    return RedeemReversal(
        merchant_id=TAKER,
        source_id=f"txn_back_{number}",
        occur_time=NOON,
        points=points,
        lots=((LOT, ISSUER, points),),
        redemption_source_id="txn_redeem",
    )


def test_the_same_movement_is_posted_once() -> None:
    book = journal()
    book.post(issue())
    book.post(issue())
    assert len(book.entries) == 1
    assert book.totals()[ISSUER, "2017-03"]["issue_charge_minor"] == -3100


def test_the_business_date_of_the_event_counts_before_its_time() -> None:
    book = journal()
    book.post(issue(business_date=date(2017, 2, 28)))
    assert book.entries[0].period == "2017-02"


def test_a_time_without_a_date_counts_in_the_merchants_zone() -> None:
    book = journal()
    # 16:00 UTC on 28 February is midnight of 1 March in Shanghai
    book.post(
        Redeem(
            merchant_id=TAKER,
            source_id="txn_redeem",
            occur_time=datetime(2017, 2, 28, 16, tzinfo=UTC),
            points=1,
            lots=((LOT, ISSUER, 1),),
        )
    )
    assert book.entries[0].business_date == date(2017, 3, 1)


def test_a_claw_back_waits_for_its_issue() -> None:
    book = journal()
    with pytest.raises(NotYet):
        book.post(claw_back(10, 1))
    book.post(issue())
    book.post(claw_back(10, 1))
    assert [entry.amount_minor for entry in book.entries] == [-3100, 31]


def test_a_claw_back_uses_the_price_of_the_issue_not_of_its_own_day() -> None:
    book = journal()
    dearer = Terms(date(2017, 3, 10), 900, 270, 200, 5000, False)
    book.parties[ISSUER] = Party("Asia/Shanghai", [DEFAULT_TERMS, TERMS, dearer])
    book.post(issue(business_date=date(2017, 3, 9)))
    book.post(claw_back(1000, 1))
    assert sum(entry.amount_minor for entry in book.entries) == 0


def test_more_than_was_issued_cannot_be_clawed_back() -> None:
    book = journal()
    book.post(issue(100))
    book.post(claw_back(60, 1))
    with pytest.raises(FactContradicts):
        book.post(claw_back(41, 2))


def test_more_than_was_redeemed_cannot_be_given_back() -> None:
    book = journal()
    book.post(redeem(100))
    book.post(reversal(60, 1))
    with pytest.raises(FactContradicts):
        book.post(reversal(41, 2))


def test_an_expiry_is_worth_what_each_lot_had_cost() -> None:
    book = journal()
    book.post(issue(1000))
    book.post(Expire(merchant_id=ISSUER, source_id="txn_expire", occur_time=NOON, points=5, lots=((LOT, ISSUER, 5),)))
    entry = book.entries[-1]
    # 5 × 3.10 = 15.5 → 16, kept by the platform: nothing for the merchant, but its points are shown
    assert (entry.kind, entry.amount_minor, entry.points) == (Kind.EXPIRE, 0, 5)
    assert book.totals()[ISSUER, "2017-03"]["platform_minor"] == 16


def test_an_expiry_of_a_lot_that_is_not_known_waits() -> None:
    with pytest.raises(NotYet):
        journal().post(
            Expire(merchant_id=ISSUER, source_id="txn_x", occur_time=NOON, points=5, lots=((OTHER_LOT, ISSUER, 5),))
        )


def test_a_merchant_that_is_not_known_makes_its_movement_wait() -> None:
    book = Journal(GROUP, "", {})
    with pytest.raises(NotYet):
        book.post(issue())


def test_lots_of_a_redemption_share_its_reimbursement_by_largest_remainder() -> None:
    book = journal()
    book.post(redeem(1, 1, 1))
    # 3 × 2.70 = 8.1 → 8 over three equal lots: the earlier ones get the odd fen
    assert [part.amount_minor for part in book.entries[0].parts] == [3, 3, 2]


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12))
def test_a_redemption_given_back_in_parts_leaves_nothing(parts: list[int]) -> None:
    book = journal()
    movements: list[Movement] = [redeem(sum(parts)), *(reversal(some, number) for number, some in enumerate(parts))]
    for movement in movements:
        book.post(movement)
    row = book.totals()[TAKER, "2017-03"]
    assert {name: value for name, value in row.items() if name != "entry_count" and value} == {}


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=6),
    st.lists(st.integers(1, 400), min_size=1, max_size=6),
    st.sampled_from(["", "2017-02", "2017-03"]),
)
def test_every_period_nets_to_zero(clawed: list[int], taken: list[int], closed: str) -> None:
    book = journal(closed)
    book.post(issue(sum(clawed) + 50))
    for number, points in enumerate(clawed):
        book.post(claw_back(points, number))
    book.post(redeem(*taken))
    book.post(reversal(taken[0]))
    for entry in book.entries:
        assert sum(line.amount_minor for line in entry.lines) == 0
        assert entry.period > closed
    figures = list(book.totals().values())
    assert sum(row["spent_points"] for row in figures) == sum(row["accepted_points"] for row in figures)
