"""The recomputation itself: cases worked out by hand, and sums that must always agree."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis import ids
from services.org.rules import entity_id, group_id_of
from tests import figures
from tests.figures import rules
from tests.figures.book import Book
from tests.figures.compare import Reported, differences
from tests.figures.member import Member, Tally
from tests.figures.purchases import MemberYear, Order, Return, Sale, Stay, make_plan, without_overlaps
from tests.figures.recompute import lot_names, recompute

# Products by number: category.
PRODUCTS = {1: "GROCERY", 2: "PRODUCE", 3: "FUEL", 4: None, 5: "SALAD BAR"}
Basket = tuple[int, int, int, datetime, list[tuple[int, str]]]  # household, store, basket, time, (product, yuan)


def tables(baskets: Sequence[Basket], coupons: Sequence[tuple[int, int, int, date]] = ()) -> duckdb.DuckDBPyConnection:
    """A data set of our own. Coupons are (household, upc, campaign, date)."""
    db = duckdb.connect()
    db.execute("SET threads = 1")
    db.execute("CREATE TABLE products (product_id BIGINT, department VARCHAR)")
    db.executemany("INSERT INTO products VALUES (?, ?)", [list(item) for item in PRODUCTS.items()])
    db.execute(
        """CREATE TABLE transactions (household_id BIGINT, store_id BIGINT, basket_id BIGINT, product_id BIGINT,
                                      quantity BIGINT, sales_value DOUBLE, transaction_timestamp TIMESTAMP)"""
    )
    lines = [
        [household, store, basket, product, 1, float(yuan), at]
        for household, store, basket, at, items in baskets
        for product, yuan in items
    ]
    db.executemany("INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)", lines)
    db.execute(
        """CREATE TABLE coupon_redemptions (household_id BIGINT, coupon_upc BIGINT, campaign_id BIGINT,
                                            redemption_date TIMESTAMP)"""
    )
    if coupons:
        db.executemany("INSERT INTO coupon_redemptions VALUES (?, ?, ?, ?)", [list(coupon) for coupon in coupons])
    return db


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute))


def quiet_household(days: Sequence[date], remainder: int = 0) -> int:
    """A household (≡ remainder mod 12) that orders nothing on these days, never stays at the hotel, has no office."""
    return next(
        household
        for household in count(remainder + 12, 12)
        if household % 20 != 3
        and all(rules.h("order", household, day) % 40 for day in days)
        and all(rules.h("hotel", household, month) % 40 for month in range(1, 13))
    )


def kept_baskets() -> Iterator[int]:
    """Numbers of baskets that are not returned."""
    return (basket for basket in count(1) if rules.h("return", basket) % 50)


# ---- independence


def test_imports_nothing_but_duckdb_and_the_standard_library() -> None:
    allowed = {*sys.stdlib_module_names, "duckdb"}
    for path in Path(next(iter(figures.__path__))).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            for name in names:
                assert name.split(".")[0] in allowed or name.startswith("tests.figures"), f"{path.name} imports {name}"


def test_identifiers_are_those_of_the_services() -> None:
    group_id = group_id_of("huitong-demo")
    store_id = entity_id(group_id, "store", "s367")
    assert lot_names()("s367", "31198570044") == ids.derive("sale", store_id, "pos", "31198570044")


# ---- rules, by hand


def test_hash() -> None:
    # printf 'huitong-2017|return|31198570044' | md5sum | cut -c1-8 → 080d1a3c
    assert rules.h("return", 31198570044) == 0x080D1A3C
    assert rules.h("park", 1, date(2017, 3, 1)) == rules.h("park", "1", "2017-03-01")


def test_largest_remainder_gives_ties_to_the_earlier() -> None:
    assert rules.shares(10, [1, 1, 1]) == [4, 3, 3]
    assert rules.shares(5, [3, 0, 3, 4]) == [2, 0, 1, 2]
    assert rules.shares(0, [0, 0]) == [0, 0]


@pytest.mark.parametrize(
    ("minutes", "fee"),
    [(0, 0), (30, 0), (31, 800), (90, 800), (91, 1600), (330, 4000), (1440, 6000), (1470, 6000), (1471, 6800)],
)
def test_tariff(minutes: int, fee: int) -> None:
    assert rules.tariff_minor(minutes) == fee


def test_tier_takes_off_the_difference_to_a_shorter_stay() -> None:
    assert rules.parking_fee(200, tier=0) == (2400, 0)
    assert rules.parking_fee(200, tier=1) == (2400, 800)
    assert rules.parking_fee(200, tier=3) == (2400, 2400)


def test_expiry() -> None:
    assert rules.expiry_of(date(2017, 1, 31)) == date(2017, 8, 1)
    assert rules.expiry_of(date(2017, 6, 1)) == date(2018, 1, 1)


def test_contracts_from_july() -> None:
    assert rules.terms("m04", date(2017, 6, 30)).issue == 340
    assert rules.terms("m04", date(2017, 7, 1)).issue == 360
    assert rules.terms("m14", date(2017, 7, 1)) == rules.Terms(340, 290, 400, 0, True)


# ---- receipts out of tables


def test_points_of_a_receipt() -> None:
    day = date(2017, 3, 1)
    household = quiet_household([day])
    # 100.00 counts (fuel does not): +25%. 60.00 × 1.25 + 40.00 × 1.75 = 145; m05 pays 3.00 fen a point.
    lines = [(1, "60.00"), (2, "40.00"), (3, "30.00")]
    result = recompute(database=tables([(household, 5, next(kept_baskets()), at(day), lines)]))
    assert result.members[household]["issued"] == 145
    assert result.members[household]["growth"] == 130
    assert result.settlement["m05"]["issue_charge_minor"] == -435
    assert result.settlement_totals == {"fund_minor": 435, "platform_minor": 0, "imbalance_minor": 0}


def test_bonuses_add_up() -> None:
    day = date(2017, 7, 5)  # a Wednesday
    household = quiet_household([day], remainder=6)  # born in July
    result = recompute(database=tables([(household, 367, next(kept_baskets()), at(day), [(1, "200.00")])]))
    # 1 + 1.00 (200 and more) + 0.20 (new shop) + 0.50 (Wednesday) + 1.00 (month of birth) = 3.70
    assert result.members[household]["issued"] == 740
    assert result.settlement["m07"]["issue_charge_minor"] == -2664


def test_a_tier_counts_from_the_next_day() -> None:
    days = [date(2017, 3, 1), date(2017, 3, 2)]
    household = quiet_household(days)
    baskets = kept_baskets()
    data = [(household, 5, next(baskets), at(day, hour), [(1, "499.99")]) for day in days for hour in (9, 12)]
    result = recompute(database=tables(data))
    # 499.99 × 1.5 is 749 twice, then × 1.1 is 824 twice.
    assert result.members[household]["issued"] == 749 + 749 + 824 + 824
    assert result.members[household]["tier"] == "SILVER"
    assert result.tiers == {"MEMBER": 0, "SILVER": 1, "GOLD": 0, "DIAMOND": 0}


def test_whole_days_are_played() -> None:
    days = [date(2017, 3, day) for day in (1, 2, 4)]
    data = [(12, 5, number, at(days[place]), [(1, "1.00")]) for number, place in enumerate((0, 0, 1, 1, 2), start=1)]
    played = [
        (plan.last_day, plan.receipt_count) for plan in (make_plan(tables(data), receipts) for receipts in (2, 3))
    ]
    assert played == [(days[0], 2), (days[1], 4)]
    assert make_plan(tables(data)).last_day == days[2]


def test_returns() -> None:
    day, later = date(2017, 3, 1), date(2017, 3, 4)
    household = quiet_household([day, later])
    whole = next(basket for basket in count(1) if rules.h("return", basket) % 250 == 0)
    line = next(basket for basket in count(1) if rules.h("return", basket) % 250 and not rules.h("return", basket) % 50)
    kept = next(kept_baskets())
    data = [
        (household, 5, whole, at(day), [(1, "10.00"), (3, "7.00")]),
        (household, 6, line, at(day), [(1, "0.50"), (2, "3.00"), (4, "3.00")]),
        (household, 6, kept, at(later), [(1, "1.00")]),
    ]
    plan = make_plan(tables(data))
    assert sorted(plan.members[0].returns, key=lambda back: back.refund_minor) == [
        Return(later, str(line), 300, 1, (50 * 10_000, 300 * 15_000, 300 * 10_000)),
        Return(later, str(whole), 1700, None, ()),
    ]
    result = recompute(database=tables(data))
    # 10 points back of the whole receipt. 8 points of the other, shared 0.5 : 4.5 : 3 → 1, 4, 3.
    assert result.members[household]["clawed_back"] == 10 + 4
    assert result.members[household]["growth"] == 4
    assert result.settlement["m05"]["claw_back_minor"] == 30
    # One day less is played: nothing comes back.
    assert recompute(2, database=tables(data)).points_total["clawed_back_points"] == 0


def test_coupons() -> None:
    day = date(2017, 3, 1)
    baskets = kept_baskets()
    data = [
        (12, 5, next(baskets), at(day, 9), [(1, "0.00")]),
        (12, 6, next(baskets), at(day, 10), [(1, "1.01")]),
        (12, 7, next(baskets), at(day, 11), [(1, "50.00")]),
    ]
    coupons = [(12, 1009, 3, day), (12, 1000, 3, day), (24, 1001, 3, day), (24, 1001, 3, day + timedelta(days=1))]
    result = recompute(database=tables(data, coupons))
    # 500 off, of 101 only; 50 off; without a receipt 100 off at s367. The last one's day is not played.
    assert result.mall["coupon_discount_minor"] == 101 + 50 + 100
    assert result.settlement["m06"]["coupon_minor"] == 51 + 25
    assert result.settlement["m07"]["coupon_minor"] == 50
    assert result.settlement_totals["platform_minor"] == -126


# ---- one member's year without tables


def name_lot(store: str, receipt_no: str) -> UUID:
    return UUID(int=int(receipt_no))


def sale(day: date, receipt_no: int, points: int, merchant: str = "m00") -> Sale:
    return Sale(day, str(receipt_no), f"s{int(merchant[1:])}", merchant, 100 * points, 1_000_000 * points)


def back(day: date, receipt_no: int, points: int) -> Return:
    return Return(day, str(receipt_no), 100 * points, None, ())


def play(year: MemberYear, last_day: date = date(2017, 12, 31)) -> tuple[Member, Book, Tally]:
    book, tally = Book(), Tally()
    member = Member(year, book, tally, name_lot)
    member.play(last_day)
    return member, book, tally


def day_of(month: int, day: int) -> date:
    return date(2017, month, day)


def test_lots_are_spent_by_expiry_and_id_and_the_rest_expires() -> None:
    sales = [
        sale(day_of(1, 5), 9, 150, "m00"),
        sale(day_of(1, 6), 3, 150, "m01"),
        sale(day_of(2, 1), 1, 150, "m02"),
    ]
    member, book, tally = play(MemberYear(1, sales, orders=[Order(day_of(2, 2), False, True)]), day_of(7, 31))
    # `coffee` for 200 (450 are not enough for `lunch`): lot 3 first, then 50 of lot 9. The day after is 1 August.
    assert {code: row["redeemed_points"] for code, row in book.issuers.items()} == {
        "m00": 50,
        "m01": 150,
        "m02": 0,
    }
    assert (member.spent, member.expired, member.available) == (200, 100, 150)
    assert book.statements["m01", "2017-02"]["reimbursement_minor"] == 560
    assert book.statements["m01", "2017-02"]["platform_fee_minor"] == -17
    assert book.statements["m00", "2017-08"]["breakage_minor"] == 300
    assert book.issuers["m02"]["outstanding_points"] == 150
    assert tally.mall["voucher_used_count"] == 1


def test_expired_points_buy_nothing_on_the_first() -> None:
    member, book, tally = play(
        MemberYear(1, [sale(day_of(1, 5), 1, 300, "m01")], orders=[Order(day_of(8, 1), False, False)])
    )
    assert (member.expired, member.spent, tally.mall["order_completed_count"]) == (300, 0, 0)
    # m01 is odd: the platform keeps 300 × 3.10 fen.
    assert book.statements["m01", "2017-08"]["breakage_minor"] == 0
    assert (book.fund["2017-08"], book.platform["2017-08"]) == (-930, 930)


def test_a_cancelled_order_leaves_nothing_but_its_count() -> None:
    year = MemberYear(1, [sale(day_of(3, 1), 1, 600)], orders=[Order(day_of(3, 1), True, False)])
    member, book, tally = play(year)
    assert (member.spent, member.reversed, member.available + member.expired) == (0, 500, 600)
    assert (tally.mall["order_cancelled_count"], tally.mall["order_points"]) == (1, 0)
    assert book.statements["m02", "2017-03"]["net_minor"] == 0
    assert book.issuers["m00"]["redeemed_points"] == 0


def test_claw_back_takes_the_own_lot_then_others_then_debt_which_earning_repays() -> None:
    sales = [
        sale(day_of(2, 1), 7, 100, "m01"),
        sale(day_of(3, 1), 8, 260, "m00"),
        sale(day_of(3, 10), 9, 30, "m02"),
    ]
    # 360 available; 200 are spent: all of lot 7, 100 of lot 8. 260 come back: 160 of lot 8, 100 are owed.
    year = MemberYear(1, sales, [back(day_of(3, 4), 8, 260)], orders=[Order(day_of(3, 1), False, False)])
    member, book, _ = play(year, day_of(3, 10))
    assert (member.available, member.debt, member.clawed_back) == (0, 70, 260)
    assert (book.issuers["m00"]["debt_points"], book.issuers["m02"]["outstanding_points"]) == (70, 0)
    assert book.statements["m00", "2017-03"]["claw_back_minor"] == 780
    assert book.statements["m02", "2017-03"]["issued_points"] == 30


def test_the_debt_is_gone_when_all_is_repaid() -> None:
    sales = [sale(day_of(2, 1), 7, 200), sale(day_of(3, 10), 9, 30), sale(day_of(3, 11), 10, 200)]
    year = MemberYear(1, sales, [back(day_of(2, 4), 7, 200)], orders=[Order(day_of(2, 1), False, False)])
    member, book, _ = play(year, day_of(3, 20))
    assert (member.available, member.debt, member.issued) == (30, 0, 430)
    assert book.issuers["m00"]["outstanding_points"] == 30


def stay(day: date, minutes: int, *, use_points: bool, entry: datetime | None = None) -> Stay:
    begin = entry or at(day, 10)
    return Stay(day, begin, begin + timedelta(minutes=minutes), use_points)


def test_parking_with_points() -> None:
    year = MemberYear(1, [sale(day_of(3, 1), 1, 480)], stays=[stay(day_of(3, 1), 150, use_points=True)])
    member, book, tally = play(year, day_of(3, 2))
    # 145 minutes when paying: two begun hours, 1600 fen: 400 points are 1200 fen, 400 fen in money.
    assert tally.parking == {
        "stay_count": 1,
        "tariff_fee_minor": 1600,
        "tier_waived_minor": 0,
        "points_paid_minor": 1200,
        "points": 400,
        "money_paid_minor": 400,
        "due_minor": 0,
    }
    assert (member.available, book.issuers["parking"]["accepted_points"]) == (80, 400)
    assert book.statements["parking", "2017-03"]["reimbursement_minor"] == 1200


def test_paying_stops_the_clock_and_paying_nothing_does_not() -> None:
    _, _, tally = play(MemberYear(1, stays=[stay(day_of(3, 1), 93, use_points=False)]))
    assert tally.parking["tariff_fee_minor"] == 800  # 88 minutes when paid, 93 when leaving
    _, _, tally = play(MemberYear(1, stays=[stay(day_of(3, 1), 33, use_points=True)]))
    assert (tally.parking["tariff_fee_minor"], tally.parking["money_paid_minor"]) == (800, 800)  # nothing due at 28


def test_the_tier_of_the_day_of_entry_waives() -> None:
    sales = [sale(day_of(3, 30), 1, 600)]
    before_midnight = at(day_of(3, 30), 23, 50)
    year = MemberYear(1, sales, stays=[stay(day_of(3, 31), 100, use_points=False, entry=before_midnight)])
    assert play(year)[2].parking["tier_waived_minor"] == 0
    late = at(day_of(3, 31), 23, 50)
    member, book, tally = play(MemberYear(1, sales, stays=[stay(day_of(3, 31), 100, use_points=False, entry=late)]))
    assert (member.tier, tally.parking["tier_waived_minor"], tally.parking["money_paid_minor"]) == (1, 800, 800)
    # The fee is final when the car leaves, in April.
    assert book.statements["parking", "2017-04"]["parking_waiver_minor"] == 400


def test_stays_and_orders_come_from_the_hash() -> None:
    day = date(2017, 3, 1)
    household = next(one for one in count(1) if one % 3 and rules.h("park", one, day) % 60 == 0)
    buyer = next(
        one for one in count(1) if rules.h("order", one, day) % 40 == 0 and rules.h("order", one, day) // 40 % 16 == 4
    )
    baskets = kept_baskets()
    plan = make_plan(tables([(one, 5, next(baskets), at(day), [(1, "0.00")]) for one in (household, buyer)]))
    years = {year.household: year for year in plan.members}
    x = rules.h("park", household, day)
    entry = at(day) - timedelta(minutes=20 + x // 60 % 60)
    use_points = x // 1_080_000 % 2 == 0
    assert years[household].stays == [Stay(day, entry, entry + timedelta(minutes=30 + x // 3_600 % 300), use_points)]
    assert years[buyer].orders == [Order(day, False, True)]


def test_stays_that_overlap_are_left_out() -> None:
    first = stay(day_of(3, 1), 200, use_points=False)
    early = stay(day_of(3, 2), 60, use_points=False, entry=first.exit - timedelta(seconds=1))
    just = stay(day_of(3, 3), 60, use_points=False, entry=first.exit)
    assert without_overlaps([first, early, just]) == [first, just]


# ---- what must always agree


baskets_strategy = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.sampled_from([5, 6, 367, 406]),
        st.integers(0, 300),
        st.integers(0, 24 * 60 * 60 - 1),
        st.lists(st.tuples(st.sampled_from([1, 2, 3, 4, 5]), st.integers(0, 60_000)), min_size=1, max_size=4,
                 unique_by=lambda line: line[0]),
    ),
    min_size=1, max_size=60,
)  # fmt: skip


@settings(max_examples=15)
@given(baskets_strategy)
def test_sums_agree(drawn: list[tuple[int, int, int, int, list[tuple[int, int]]]]) -> None:
    data: list[Basket] = [
        (household, store, number, at(day_of(1, 1), 0) + timedelta(days=days, seconds=seconds),
         [(product, f"{fen // 100}.{fen % 100:02d}") for product, fen in lines])
        for number, (household, store, days, seconds, lines) in enumerate(drawn, start=1)
    ]  # fmt: skip
    db = tables(data)
    plan = make_plan(db)
    weights = {one.receipt_no: one.weight for member in plan.members for one in member.sales}
    for number, (household, store, days, _, lines) in enumerate(drawn, start=1):
        counted = sum(fen for product, fen in lines if PRODUCTS[product] not in rules.EXCLUDED)
        day = date(2017, 1, 1) + timedelta(days=days)
        bonus = rules.receipt_bonus_bps(counted, store, day, 1 + household % 12)
        assert weights[str(number)] == sum(
            rules.line_weight(fen, PRODUCTS[product] or "", bonus) for product, fen in lines
        )

    result = recompute(database=db)
    for row in result.members.values():
        numbers = {name: int(value) for name, value in row.items() if name != "tier"}
        assert numbers["available"] - numbers["debt"] == (
            numbers["issued"] - numbers["clawed_back"] - numbers["spent"] - numbers["expired"]
        )
        assert numbers["available"] >= 0 and numbers["debt"] >= 0
    for of_members, of_merchants in (
        ("issued", "issued_points"),
        ("clawed_back", "clawed_back_points"),
        ("spent", "redeemed_points"),
        ("expired", "expired_points"),
        ("available", "outstanding_points"),
        ("debt", "debt_points"),
    ):
        assert sum(int(row[of_members]) for row in result.members.values()) == result.points_total[of_merchants]
    assert all(period["imbalance_minor"] == 0 for period in result.periods.values())
    accepted = sum(row["accepted_points"] for row in result.merchants.values())
    assert accepted == result.points_total["redeemed_points"] == result.mall["order_points"] + result.parking["points"]
    parking = result.parking
    assert parking["tariff_fee_minor"] == (
        parking["tier_waived_minor"] + parking["points_paid_minor"] + parking["money_paid_minor"]
    )
    assert differences(result, Reported(members=result.members, settlement=result.settlement)) == []


# ---- comparing


def test_differences_are_named() -> None:
    day = date(2017, 3, 1)
    household = quiet_household([day])
    result = recompute(database=tables([(household, 5, next(kept_baskets()), at(day), [(1, "10.00")])]))
    same = Reported(
        members={household: {"issued": 10, "tier": "MEMBER"}},
        tiers={"MEMBER": 1, "SILVER": 0},
        merchants={"m05": {**result.merchants["m05"], "business_unit_id": 7}},
        settlement_months={"2017-03": {"m05": {"issue_charge_minor": -30}, "m06": {"issue_charge_minor": 0}}},
        settlement_totals={"fund_minor": 30},
    )
    assert differences(result, same) == []
    other = Reported(
        members={},
        merchants={"m06": {"issued_points": 3}},
        settlement_months={"2017-04": {"m05": {"issue_charge_minor": -30}}},
        settlement_totals={"fund_minor": 31},
    )
    assert differences(result, other) == [
        f"members {household}: not reported",
        "merchants m05 issued_points: expected 10, not reported",
        "merchants m05 outstanding_points: expected 10, not reported",
        "merchants m05 sale_count: expected 1, not reported",
        "merchants m05 sales_minor: expected 1000, not reported",
        "merchants m06 issued_points: expected 0, reported 3",
        "settlement_months 2017-03 m05 issued_points: expected 10, not reported",
        "settlement_months 2017-03 m05 issue_charge_minor: expected -30, not reported",
        "settlement_months 2017-03 m05 net_minor: expected -30, not reported",
        "settlement_months 2017-04 m05 issue_charge_minor: not expected, reported -30",
        "settlement_totals fund_minor: expected 30, reported 31",
    ]
