"""The examples that groups publish to their members, as one table: rules, sales, and what members are told they get."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from chassis import ids
from huitong.points.v1 import points_pb2
from services.points.convert import rule_set_of, to_date, to_timestamp
from services.points.earning.earning import Computation, lines_of
from services.points.earning.offset_terms import OffsetTerms, Order, allow
from services.points.earning.rules import Tier
from services.points.lookup import FIRST_DAY, Member, Store

SHANGHAI, TOKYO, LONDON = "Asia/Shanghai", "Asia/Tokyo", "Europe/London"


class Sale(NamedTuple):
    """One sale where the store is, what it earns, and the last day on which that can be spent ("" is not looked at)."""

    yuan: float
    points: int
    at: str = "2026-03-04T12:00"
    last_day: str = ""
    zone: str = SHANGHAI
    birth_month: int = 0
    member_zone: str = ""  # not known


def rule(kind: str, **changes: Any) -> points_pb2.EarningRule:
    return points_pb2.EarningRule(rule_id=kind.lower(), kind=f"RULE_KIND_{kind}", **changes)


def expiry(kind: str, **changes: Any) -> points_pb2.ExpiryPolicy:
    return points_pb2.ExpiryPolicy(kind=f"EXPIRY_KIND_{kind}", **changes)


THRESHOLDS = [
    points_pb2.EarningRule(
        rule_id=f"from-{yuan}", kind=points_pb2.RULE_KIND_THRESHOLD, min_amount_minor=yuan * 100, bonus_bps=bonus_bps
    )
    for yuan, bonus_bps in ((588, 5_000), (888, 10_000))
]
FROM_500 = [rule("OFFER", min_amount_minor=50_000, bonus_bps=1_000)]
BIRTHDAY = [rule("BIRTHDAY", bonus_bps=10_000)]

TABLE: list[tuple[str, dict[str, Any], list[Sale]]] = [
    (
        "from 588 half as much again, from 888 double",
        {"rules": THRESHOLDS},
        [Sale(587.99, 587), Sale(588, 882), Sale(887.99, 1331), Sale(888, 1776), Sale(1000, 2000)],
    ),
    (
        "ten percent on top from 500",
        {"rules": FROM_500},
        [Sale(499.99, 499), Sale(500, 550), Sale(999.99, 1099)],  # 1099.989
    ),
    (
        "both at once add up: 1 + 0.5 + 0.1",
        {"rules": [*THRESHOLDS, *FROM_500]},
        [Sale(588, 940), Sale(500, 550)],  # 940.8
    ),
    (
        "at the end of the calendar year",
        {"expiry": expiry("CALENDAR_YEAR_END")},
        [
            Sale(10, 10, "2026-01-01T00:00", "2026-12-31"),
            Sale(10, 10, "2026-12-31T23:59", "2026-12-31"),
            Sale(10, 10, "2027-01-01T00:00", "2027-12-31"),
            # The same instant is in two years: the store's counts.
            Sale(10, 10, "2026-12-31T23:30", "2026-12-31", zone=LONDON),
            Sale(10, 10, "2027-01-01T08:30", "2027-12-31", zone=TOKYO),
        ],
    ),
    (
        "at the end of the year after, with the first quarter as grace",
        {"expiry": expiry("CALENDAR_YEAR_END", years=1, grace_days=90)},
        [Sale(10, 10, "2026-06-01T12:00", "2028-03-30"), Sale(10, 10, "2027-06-01T12:00", "2029-03-31")],  # leap year
    ),
    (
        "after 24 months, at the end of the month",
        {"expiry_months": 24},
        [Sale(10, 10, "2026-03-15T12:00", "2028-03-31"), Sale(10, 10, "2026-02-28T23:59", "2028-02-29")],
    ),
    (
        "after 24 months to the day",
        {"expiry": expiry("ROLLING_MONTHS", months=24, rounding=points_pb2.EXPIRY_ROUNDING_DAY)},
        [
            Sale(10, 10, "2026-03-15T12:00", "2028-03-15"),
            Sale(10, 10, "2024-02-29T12:00", "2026-02-28"),  # sold on a leap day
            Sale(10, 10, "2026-02-28T12:00", "2028-02-28"),
        ],
    ),
    (
        "double in the month of birth, where the store is when nobody knows where the member lives",
        {"rules": BIRTHDAY},
        [
            Sale(100, 200, "2026-03-01T00:00", birth_month=3),
            Sale(100, 200, "2026-03-31T23:59", birth_month=3),
            Sale(100, 100, "2026-04-01T00:00", birth_month=3),
            Sale(100, 100, birth_month=0),  # not given
            # One instant: March in Tokyo already, still February in London.
            Sale(100, 200, "2026-03-01T05:00", zone=TOKYO, birth_month=3),
            Sale(100, 100, "2026-02-28T20:00", zone=LONDON, birth_month=3),
        ],
    ),
    (
        "double in the month of birth, where the member lives",
        {"rules": BIRTHDAY},
        [
            # Still February in London, March already where the member lives, and the other way round.
            Sale(100, 200, "2026-02-28T20:00", zone=LONDON, birth_month=3, member_zone=TOKYO),
            Sale(100, 100, "2026-02-28T20:00", zone=LONDON, birth_month=2, member_zone=TOKYO),
            Sale(100, 100, "2026-03-01T05:00", zone=TOKYO, birth_month=3, member_zone=LONDON),
            Sale(100, 200, "2026-03-01T05:00", zone=TOKYO, birth_month=2, member_zone=LONDON),
            Sale(100, 200, "2026-03-31T23:59", zone=TOKYO, birth_month=3, member_zone=TOKYO),
        ],
    ),
    (
        "born on 29 February: all of February, in every year",
        {"rules": BIRTHDAY},
        [
            Sale(100, 200, "2026-02-28T23:59", birth_month=2),
            Sale(100, 100, "2026-03-01T00:00", birth_month=2),
            Sale(100, 200, "2028-02-29T12:00", birth_month=2),
        ],
    ),
]


@pytest.mark.parametrize(("changes", "sales"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_published_example(changes: dict[str, Any], sales: list[Sale]) -> None:
    values: dict[str, Any] = {"expiry_months": 0 if "expiry" in changes else 12, **changes}
    values["rules"] = [rule("BASE"), *changes.get("rules", ())]
    rule_set = rule_set_of(
        points_pb2.RuleSet(effective_date=to_date(date(2015, 1, 1)), base_points=1, base_step_minor=100, **values)
    )
    for sale in sales:
        place = Store(ids.derive("store"), ids.derive("merchant"), ids.derive("unit"), sale.zone, "CNY")
        instant = datetime.fromisoformat(sale.at).replace(tzinfo=ZoneInfo(sale.zone)).astimezone(UTC)
        request = points_pb2.RecordSaleRequest(
            sale_time=to_timestamp(instant),
            lines=[points_pb2.SaleLine(line_no=1, amount_minor=round(sale.yuan * 100))],
        )
        computed = Computation(
            request,
            lines_of(request),
            member=Member(sale.birth_month, [(FIRST_DAY, Tier("", 10_000))], sale.member_zone),
            place=place,
            sale_time=instant,
            rule_set=rule_set,
        )()
        assert computed.earning.points == sale.points, sale
        expire_time = computed.expire_time(sale.zone)
        if sale.last_day:
            assert expire_time is not None
            last_moment = (expire_time - timedelta(seconds=1)).astimezone(ZoneInfo(sale.zone))
            assert str(last_moment.date()) == sale.last_day, sale


@pytest.mark.parametrize(
    ("order_yuan", "available_points", "points", "yuan"),
    [
        (100, 10_000, 500, 15),  # 15% of 100
        (99.99, 10_000, 400, 12),  # 15% are 14.99: four steps of 3
        (20, 10_000, 100, 3),
        (19.99, 10_000, 0, 0),  # 15% are less than one step
        (1000, 250, 200, 6),  # whole steps only
        (1000, 99, 0, 0),
    ],
)
def test_100_points_are_3_yuan_of_at_most_15_percent(
    order_yuan: float, available_points: int, points: int, yuan: int
) -> None:
    group = OffsetTerms("", points=100, minor=300, max_share_bps=1_500)
    order = Order(round(order_yuan * 100), UUID(int=1), None, "", date(2026, 1, 1))
    allowed = allow((), group, order)
    quoted_points = allowed.within(available_points)
    assert (quoted_points, allowed.worth(quoted_points)) == (points, yuan * 100)
