"""Others pay their shares of what an issuer is charged, and get them back: to the fen, whatever is taken back when."""

from __future__ import annotations

from collections import Counter
from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chassis.units import largest_remainder
from services.settlement.funding import Funder, FunderKind, FunderShare
from services.settlement.journal import Debit, Expire, Issue, Journal, Party
from services.settlement.rules import DEFAULT_TERMS, Account, Kind, Terms
from tests.unit.settlement.test_settlement_journal import GROUP, ISSUER, LOT, NOON, TAKER, claw_back, issue

BRAND = UUID(int=30)
OWN, UNIT, PLATFORM = (Funder(kind, None) for kind in list(FunderKind)[:3])
NAMED = Funder(FunderKind.NAMED_MERCHANT, BRAND)
KEEPS = Terms(date(2017, 1, 1), 310, 270, 200, 5000, True)


def journal(terms: Terms = KEEPS) -> Journal:
    party = Party("Asia/Shanghai", [DEFAULT_TERMS, terms])
    return Journal(GROUP, "", {ISSUER: party, TAKER: party})


def funded(*shares: tuple[Funder, int], **values: object) -> Issue:
    funders = tuple(FunderShare(funder, points) for funder, points in shares)
    return issue(sum(points for _, points in shares), funders=funders, **values)


def bears(book: Journal) -> dict[str, int]:
    """What everybody got in all, fund aside."""
    sums: Counter[str] = Counter()
    for entry in book.entries:
        assert sum(line.amount_minor for line in entry.lines) == 0
        for line in entry.lines:
            name = str(entry.merchant_id.int) if line.account is Account.MERCHANT else line.account.name
            sums[name] += line.amount_minor
    return {name: amount for name, amount in sums.items() if amount and name != "FUND"}


def test_the_others_pay_the_issuer_their_shares() -> None:
    book = journal()
    book.post(funded((OWN, 500), (UNIT, 200), (PLATFORM, 200), (NAMED, 100)))
    # 1000 × 3.10 = 3100
    assert bears(book) == {"10": -1550, "UNIT": -620, "PLATFORM": -620, "30": -310}
    issued, own, brand = book.entries
    assert [issued.kind, own.kind, brand.kind] == [Kind.ISSUE, Kind.FUNDING, Kind.FUNDING]
    assert (issued.amount_minor, own.amount_minor, brand.amount_minor) == (-3100, 1550, -310)
    assert (own.points, brand.points) == (500, 100)
    # Both lead down to the lot, and only the issue counts as issued.
    assert [(part.lot_id, part.points, part.amount_minor) for part in brand.parts] == [(LOT, 100, -310)]
    assert sum(part.amount_minor for part in own.parts) == 1550
    totals = book.totals()
    assert totals[ISSUER, "2017-03"]["issued_points"] == 1000
    assert (totals[BRAND, "2017-03"]["issued_points"], totals[BRAND, "2017-03"]["funding_minor"]) == (0, -310)


def test_the_same_issue_is_paid_for_once() -> None:
    book = journal()
    for _ in range(2):
        book.post(funded((PLATFORM, 1000)))
    assert bears(book) == {"PLATFORM": -3100}
    assert len(book.entries) == 2


def test_a_full_return_gives_everybody_everything_back() -> None:
    book = journal()
    book.post(funded((OWN, 333), (NAMED, 333), (PLATFORM, 334)))
    for number, points in enumerate((1, 332, 667), 1):
        book.post(claw_back(points, number))
    assert bears(book) == {}


def test_points_that_expire_are_shared_when_the_issuer_keeps_them() -> None:
    for keeps, expected in ((True, {"10": -1395, "30": -1395}), (False, {"10": -1550, "30": -1550, "PLATFORM": 310})):
        book = journal(Terms(date(2017, 1, 1), 310, 270, 200, 5000, keeps))
        book.post(funded((OWN, 500), (NAMED, 500)))
        lots = ((LOT, ISSUER, 100),)
        book.post(Expire(merchant_id=ISSUER, source_id="txn_x", occur_time=NOON, points=100, lots=lots))
        assert bears(book) == expected


def test_a_debit_by_hand_is_shared_too() -> None:
    book = journal()
    book.post(funded((PLATFORM, 600), (OWN, 400)))
    for number in (1, 2):
        lots = ((LOT, ISSUER, 500),)
        book.post(Debit(merchant_id=ISSUER, source_id=f"txn_d{number}", occur_time=NOON, points=500, lots=lots))
    assert bears(book) == {}


@given(
    st.lists(st.integers(0, 500), min_size=4, max_size=4).filter(any),
    st.integers(0, 1000),
    st.lists(st.integers(1, 400), max_size=8),
)
def test_at_any_time_everybody_bears_a_share_of_what_is_left(points: list[int], price: int, parts: list[int]) -> None:
    book = journal(Terms(date(2017, 1, 1), price, 270, 200, 5000, True))
    book.post(funded(*zip((OWN, UNIT, PLATFORM, NAMED), points, strict=True)))
    total, clawed = sum(points), 0
    for number, part in enumerate(parts, 1):
        back = min(part, total - clawed)
        if not back:
            break
        clawed += back
        book.post(claw_back(back, number))
        charge, returned = (2 * total * price + 100) // 200, (2 * clawed * price + 100) // 200
        exact = [
            old - new
            for old, new in zip(largest_remainder(charge, points), largest_remainder(returned, points), strict=True)
        ]
        found = bears(book)
        assert [-found.get(name, 0) for name in ("10", "UNIT", "PLATFORM", "30")] == exact
