"""A store moves to another floor, in real services: what was sold before is shown, given back and settled as before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from huitong.org.v1 import org_pb2
from huitong.points.v1 import points_pb2, points_pb2_grpc
from huitong.settlement.v1 import settlement_pb2 as pb
from services.settlement.invariants import INVARIANTS
from tests.apps import Apps, member
from tests.integration.settlement.test_settlement_of_all_services import CSV, Suite

pytestmark = pytest.mark.timeout(120)

MORNING = datetime(2017, 2, 10, 2, tzinfo=UTC)
HEADER = CSV.splitlines()[0]


@dataclass
class History:
    """All that is shown of what was before."""

    sale: Any
    member_entries: list[Any]
    merchant_statement: Any
    movements: list[Any]


async def history(suite: Suite, sale_id: str) -> History:
    wallets = suite.apps.stub(points_pb2_grpc.WalletServiceStub, "points")
    anna = member(suite.anna)
    show = points_pb2.GetSaleRequest(member_id=suite.anna, sale_id=sale_id)
    entries = points_pb2.ListStatementRequest(member_id=suite.anna, page_size=10)
    settled = pb.GetStatementRequest(period="2017-02", merchant_id=suite.merchant["M1"])
    answer = await suite.call(suite.statements.GetStatement, settled)
    return History(
        await suite.call(suite.sales.GetSale, show, anna),
        list((await suite.call(wallets.ListStatement, entries, anna)).entries),
        answer.statement,
        list(answer.movements),
    )


async def the_store(suite: Suite) -> Any:
    return (await suite.call(suite.org.GetStore, org_pb2.GetStoreRequest(store_id=suite.store))).store


async def load(suite: Suite, row: str) -> list[str]:
    """The reasons why a row is left out."""
    request = org_pb2.ImportStructureRequest(request_id=f"import-{row}"[:64], csv=f"{HEADER}\n{row}\n")
    answer = await suite.call(suite.org.ImportStructure, request)
    await suite.apps.drain()
    return [each.reason for each in answer.errors]


async def test_a_store_moves_to_another_floor_and_its_history_stays(apps: Apps) -> None:
    suite = await Suite(apps).start()
    await suite.set_time(MORNING + timedelta(hours=8))
    await suite.sell("r1", 200, MORNING)
    await suite.apps.drain()
    statement = points_pb2.ListStatementRequest(member_id=suite.anna, page_size=1)
    wallets = apps.stub(points_pb2_grpc.WalletServiceStub, "points")
    sale_id = (await suite.call(wallets.ListStatement, statement, member(suite.anna))).entries[0].txn_id
    await suite.set_time(datetime(2017, 3, 5, 2, tzinfo=UTC))
    await suite.close("2017-02")
    before, store = await history(suite, sale_id), await the_store(suite)
    # 200 × 3.10 = 620
    charged = before.merchant_statement
    assert (charged.issued_points, charged.issue_charge_minor, charged.is_closed) == (200, -620, True)
    assert (before.sale.points, len(before.member_entries), len(before.movements), store.floor) == (200, 1, 1, "L1")

    # By hand, and by file.
    move = org_pb2.UpdateStoreRequest(request_id="move-s1-b2", store_id=suite.store, floor="B2")
    moved = (await suite.call(suite.org.UpdateStore, move)).store
    await suite.apps.drain()
    assert moved.floor == "B2" and await history(suite, sale_id) == before
    assert await load(suite, "store,S1,Grocer 1,M1,,,,,L3") == []
    moved = await the_store(suite)
    assert (moved.floor, moved.store_id, moved.merchant_id) == ("L3", store.store_id, store.merchant_id)
    # To another merchant, and with its merchant to another unit, nothing moves: that is a new one with a new code.
    assert await load(suite, "store,S1,Grocer 1,P1,,,,,L3") == ["PARENT_FIXED"]
    assert await load(suite, "merchant,M1,Grocer,PARK,,,,,") == ["PARENT_FIXED"]
    assert await the_store(suite) == moved
    assert await history(suite, sale_id) == before

    # What comes back, and what is sold on the other floor, is the same merchant's.
    await suite.give_back("r1", 50, datetime(2017, 3, 5, 1, tzinfo=UTC))
    await suite.sell("r2", 100, datetime(2017, 3, 5, 1, 30, tzinfo=UTC))
    await suite.apps.drain()
    march = await suite.statement("M1", "2017-03")
    assert (march.issued_points, march.clawed_back_points) == (100, 50)
    after = await history(suite, sale_id)
    assert (after.merchant_statement, after.movements) == (before.merchant_statement, before.movements)
    assert before.member_entries[0].txn_id in {entry.txn_id for entry in after.member_entries}
    assert {entry.store_id for entry in after.member_entries} == {store.store_id}
    assert (await suite.call(suite.statements.Reconcile, pb.ReconcileRequest())).is_equal
    for name, query in INVARIANTS.items():
        assert await suite.running["settlement"].db.pool.fetch(query) == [], name
