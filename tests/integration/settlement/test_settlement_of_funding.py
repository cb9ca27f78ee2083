"""Points that others pay for: through the consumers on a real database."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from huitong.points.v1 import points_pb2
from huitong.settlement.v1 import settlement_pb2 as pb
from tests.integration.settlement.feed import (
    Feed,
    clawed,
    debited,
    expired,
    funded,
    lot_id,
    share,
    txn_id,
    unit_id,
)

OWN, UNIT = points_pb2.FUNDER_KIND_MERCHANT, points_pb2.FUNDER_KIND_BUSINESS_UNIT
PLATFORM, NAMED = points_pb2.FUNDER_KIND_PLATFORM, points_pb2.FUNDER_KIND_NAMED_MERCHANT


async def with_contracts(feed: Feed) -> None:
    await feed.structure("grocer", "baker", "spa")
    await feed.set_contract("grocer", issue_price_centi=310, merchant_keeps_breakage=True)
    await feed.set_contract("baker", issue_price_centi=200, merchant_keeps_breakage=True)


async def test_funders_pay_get_back_and_everything_nets_to_zero(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.send(
        "points",
        funded("a", (OWN, "grocer", 500), (UNIT, "mall", 200), (PLATFORM, "", 200), (NAMED, "spa", 100)),
        funded("b", (NAMED, "spa", 100), merchant="baker"),
    )
    grocer = (await feed.statement("grocer")).statement
    assert (grocer.issue_charge_minor, grocer.funding_minor, grocer.issued_points) == (-3100, 1550, 1000)
    spa = await feed.statement("spa")
    assert (spa.statement.funding_minor, spa.statement.issued_points) == (-310 - 200, 0)
    assert {(one.kind, one.amount_minor, one.source_id) for one in spa.movements} == {
        (pb.ACCRUAL_KIND_FUNDING, -310, txn_id("earn-a")),
        (pb.ACCRUAL_KIND_FUNDING, -200, txn_id("earn-b")),
    }
    assert {lot.lot_id for one in spa.movements for lot in one.lots} == {lot_id("a"), lot_id("b")}
    totals = await feed.call("GetSettlementTotals", pb.GetSettlementTotalsRequest())
    assert (totals.platform_minor, totals.unit_minor, totals.imbalance_minor) == (-620, -620, 0)
    assert [(one.business_unit_id, one.unit_minor) for one in totals.units] == [(unit_id("mall"), -620)]

    # One expiry of two issuers' lots that one merchant pays for; a debit by hand; the return of the rest.
    await feed.send("points", expired("x", share("a", "grocer", 100), share("b", "baker", 50)))
    spa = await feed.statement("spa")
    assert spa.statement.funding_minor == -310 - 200 + 31 + 100
    await feed.send("points", debited("d", share("b", "baker", 50)), clawed("a", 1000))
    spa = await feed.statement("spa")
    assert spa.statement.funding_minor == 31
    periods = (await feed.call("ListPeriods", pb.ListPeriodsRequest())).periods
    assert (periods[0].unit_minor, periods[0].imbalance_minor) == (62, 0)


async def test_any_order_and_every_pack_twice_come_out_the_same(feed: Feed) -> None:
    await with_contracts(feed)
    facts = [
        funded("a", (OWN, "grocer", 334), (PLATFORM, "", 333), (NAMED, "spa", 333)),
        clawed("a", 100, 1),
        clawed("a", 200, 2),
        expired("x", share("a", "grocer", 7)),
    ]
    random.Random(7).shuffle(facts)
    for fact in facts:
        pack = feed.pack("points", [fact])
        await feed.take(pack)
        await feed.take(pack)
    spa, grocer = (await feed.statement("spa")).statement, (await feed.statement("grocer")).statement
    # 1000 × 3.10 = 3100 less 300 × 3.10 = 930, by thirds; 7 × 3.10 = 22 come back.
    assert spa.funding_minor == -1032 + 310 + 7
    assert grocer.net_minor == -3100 + 930 + 22 + grocer.funding_minor
    totals = await feed.call("GetSettlementTotals", pb.GetSettlementTotalsRequest())
    assert totals.imbalance_minor == 0


async def test_a_closed_month_keeps_what_business_units_paid(feed: Feed) -> None:
    await with_contracts(feed)
    await feed.send("points", funded("a", (UNIT, "mall", 100)))
    await feed.jobs.close_periods(datetime(2017, 4, 2, tzinfo=UTC))
    (march,) = (await feed.call("ListPeriods", pb.ListPeriodsRequest())).periods
    assert (march.is_closed, march.unit_minor, march.imbalance_minor) == (True, -310, 0)
    assert (await feed.statement("grocer")).statement.funding_minor == 310
