"""A merchant closes in the middle of a month, in real services: what was before stays, is given back and is settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from huitong.common.v1 import types_pb2
from huitong.org.v1 import org_pb2
from huitong.points.v1 import doors_pb2, points_pb2, points_pb2_grpc
from huitong.settlement.v1 import settlement_pb2 as pb
from services.settlement.invariants import INVARIANTS
from tests.apps import Apps, member, terminal
from tests.integration.settlement.test_settlement_of_all_services import Suite, stamp

pytestmark = pytest.mark.timeout(120)

MORNING = datetime(2017, 2, 10, 2, tzinfo=UTC)


async def close(suite: Suite) -> None:
    """The merchant closes, and its store with it."""
    request = org_pb2.UpdateMerchantRequest(
        request_id="close-m1", merchant_id=suite.merchant["M1"], is_open=False, reason="the lease has ended"
    )
    assert (await suite.call(suite.org.UpdateMerchant, request)).closed_store_count == 1
    await suite.apps.drain()


def late_sale(suite: Suite, receipt_no: str, yuan: int, time: datetime) -> points_pb2.RecordSaleRequest:
    """What a till sold without a line."""
    return points_pb2.RecordSaleRequest(
        request_id=f"receipt-{receipt_no}",
        store_id=suite.store,
        receipt_no=receipt_no,
        sale_time=stamp(time),
        member_id=suite.anna,
        total=types_pb2.Money(amount_minor=yuan * 100, currency_code="CNY"),
        lines=[points_pb2.SaleLine(line_no=1, amount_minor=yuan * 100)],
        origin=doors_pb2.SaleOrigin(device_id="till-1", device_seq=1),
    )


async def names(suite: Suite, entries: list[Any]) -> set[tuple[str, str]]:
    """What org calls the merchants and stores of a statement."""
    merchants = (await suite.call(suite.org.ListMerchants, org_pb2.ListMerchantsRequest())).merchants
    name_of = {one.merchant_id: one.name for one in merchants}
    found = set()
    for entry in entries:
        store = (await suite.call(suite.org.GetStore, org_pb2.GetStoreRequest(store_id=entry.store_id))).store
        assert not store.is_open
        found.add((name_of[entry.merchant_id], store.name))
    return found


async def test_a_merchant_closes_and_what_was_before_is_shown_given_back_and_settled(apps: Apps) -> None:
    suite = await Suite(apps).start()
    wallets = apps.stub(points_pb2_grpc.WalletServiceStub, "points")
    await suite.set_time(MORNING + timedelta(hours=8))
    await suite.sell("r1", 200, MORNING)
    await suite.apps.drain()
    await close(suite)
    await suite.set_time(MORNING + timedelta(days=2))
    # Goods of before come back, and the till sends what it sold before the closing.
    await suite.give_back("r1", 50, MORNING + timedelta(days=2))
    late = late_sale(suite, "r2", 100, MORNING + timedelta(hours=3))
    answer = await suite.call(suite.sales.RecordSale, late, terminal(suite.store))
    assert (answer.points, answer.available_points) == (100, 250)
    await suite.apps.drain()

    request = points_pb2.ListStatementRequest(member_id=suite.anna, page_size=10)
    entries = list((await suite.call(wallets.ListStatement, request, member(suite.anna))).entries)
    assert sorted((entry.reference, entry.points) for entry in entries) == [("r1", -50), ("r1", 200), ("r2", 100)]
    assert await names(suite, entries) == {("Grocer", "Grocer 1")}
    show = points_pb2.GetSaleRequest(member_id=suite.anna, sale_id=answer.sale_id)
    assert (await suite.call(suite.sales.GetSale, show, member(suite.anna))).points == 100

    await suite.set_time(datetime(2017, 3, 5, 2, tzinfo=UTC))
    await suite.close("2017-02")
    february = await suite.statement("M1", "2017-02")
    # 300 × 3.10 = 930; 50 × 3.10 = 155
    assert (february.issued_points, february.clawed_back_points, february.is_closed) == (300, 50, True)
    assert (february.issue_charge_minor, february.claw_back_minor) == (-930, 155)
    of_february = pb.ListStatementsRequest(period="2017-02", page_size=10)
    listed = (await suite.call(suite.statements.ListStatements, of_february)).statements
    assert [one for one in listed if one.merchant_id == suite.merchant["M1"]] == [february]
    # Given back after the month was closed: it is in the next one, of a merchant that has been closed all along.
    await suite.give_back("r2", 30, datetime(2017, 3, 5, 1, tzinfo=UTC))
    await suite.apps.drain()
    march = await suite.statement("M1", "2017-03")
    assert (march.clawed_back_points, march.claw_back_minor, march.is_closed) == (30, 93, False)
    assert (await suite.call(suite.statements.Reconcile, pb.ReconcileRequest())).is_equal
    for name, query in INVARIANTS.items():
        assert await suite.running["settlement"].db.pool.fetch(query) == [], name
