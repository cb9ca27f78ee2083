"""Six real services: points that are pending or put right by hand settle like any others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from huitong.common.v1 import types_pb2
from huitong.member.v1 import member_pb2
from huitong.points.v1 import (
    adjustments_pb2,
    adjustments_pb2_grpc,
    points_pb2,
    points_pb2_grpc,
    rules_pb2,
    rules_pb2_grpc,
)
from huitong.settlement.v1 import settlement_pb2 as pb
from services.points.invariants import INVARIANTS as POINTS_INVARIANTS
from services.settlement.invariants import INVARIANTS
from tests.apps import Apps, member
from tests.integration.settlement.test_settlement_of_all_services import Suite

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def suite(apps: Apps) -> Suite:
    return await Suite(apps).start()


async def test_pending_points_and_adjustments_settle_and_reconcile(suite: Suite) -> None:
    rule_set = points_pb2.RuleSet(
        effective_date=types_pb2.BusinessDate(year=2017, month=2, day=10),
        base_points=1,
        base_step_minor=100,
        rules=[points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")],
        expiry_months=12,
        pending_days=7,
        transfer_limit_points=1_000,
    )
    drafts = suite.apps.stub(rules_pb2_grpc.RuleDraftServiceStub, "points")
    drafting = rules_pb2.CreateRuleDraftRequest(request_id="rule-set-2", rule_set=rule_set)
    draft_id = (await suite.call(drafts.CreateRuleDraft, drafting)).draft.draft_id
    publishing = rules_pb2.ApproveRuleDraftRequest(request_id="rule-set-2-approved", draft_id=draft_id)
    await suite.call(drafts.ApproveRuleDraft, publishing, suite.second)
    noon = datetime(2017, 2, 10, 4, tzinfo=UTC)
    await suite.set_time(noon)
    await suite.sell("r1", 1001, noon)
    await suite.give_back("r1", 101, noon)

    async def adjust(name: str, direction: int, points: int, merchant: str = "") -> Any:
        desk = suite.apps.stub(adjustments_pb2_grpc.AdjustmentServiceStub, "points")
        asking = adjustments_pb2.RequestAdjustmentRequest(
            request_id=f"ask-{name}-0001",
            member_id=suite.anna,
            direction=direction,  # type: ignore[arg-type]
            points=points,
            merchant_id=merchant,
            reason_code="GOODWILL",
            reason_text="The gate did not open.",
        )
        asked = (await suite.call(desk.RequestAdjustment, asking)).adjustment
        approving = adjustments_pb2.ApproveAdjustmentRequest(
            request_id=f"approve-{name}", adjustment_id=asked.adjustment_id
        )
        return await suite.call(desk.ApproveAdjustment, approving, suite.second)

    credit = await adjust("credit", adjustments_pb2.ADJUSTMENT_DIRECTION_CREDIT, 60, suite.merchant["P1"])
    # The points of the sale are pending: only the credit can be spent or debited.
    assert credit.available_points == 60
    await adjust("debit", adjustments_pb2.ADJUSTMENT_DIRECTION_DEBIT, 25)
    await suite.apps.drain()
    grocer = await suite.statement("M1", "2017-02")
    # Charged when they were earned, not when they unlock: 1001 × 3.10 = 3103.1; 101 × 3.10 = 313.1
    assert (grocer.issue_charge_minor, grocer.claw_back_minor) == (-3103, 313)
    parking = await suite.statement("P1", "2017-02")
    assert (parking.issued_points, parking.issue_charge_minor) == (60, -180)
    assert (parking.clawed_back_points, parking.claw_back_minor) == (25, 75)

    await suite.set_time(datetime(2017, 2, 18, 4, tzinfo=UTC))
    wallets = suite.apps.stub(points_pb2_grpc.WalletServiceStub, "points")
    async with asyncio.timeout(30):
        while True:
            balance = await suite.call(wallets.GetBalance, points_pb2.GetBalanceRequest(member_id=suite.anna))
            if not balance.pending_points:
                break
            await asyncio.sleep(0.1)
    assert balance.available_points == 935
    await adjust("debit-2", adjustments_pb2.ADJUSTMENT_DIRECTION_DEBIT, 500)
    await suite.apps.drain()
    # The unlock moved no money; the debit took 500 of the two lots, which expire together.
    after = [await suite.statement(code, "2017-02") for code in ("M1", "P1")]
    assert sum(one.clawed_back_points for one in after) == 101 + 25 + 500
    assert sum(one.issue_charge_minor for one in after) == -3103 - 180

    # Points that were given away are settled as what they are: their issuer's, when they expire in another wallet.
    join = member_pb2.JoinMemberRequest(request_id="join-bo-0001", phone="+8613800000002")
    taker = (await suite.call(suite.members.JoinMember, join)).member.member_id
    await suite.apps.drain()
    giving = points_pb2.TransferPointsRequest(
        request_id="give-0001", member_id=suite.anna, to_member_id=taker, points=400
    )
    await suite.call(wallets.TransferPoints, giving, member(suite.anna))
    await suite.set_time(datetime(2018, 3, 2, 4, tzinfo=UTC))
    async with asyncio.timeout(60):
        while sum([(await suite.statement(code, "2018-03")).expired_points for code in ("M1", "P1")]) < 935 - 500:
            await asyncio.sleep(0.1)
    await suite.apps.drain()
    balance = await suite.call(wallets.GetBalance, points_pb2.GetBalanceRequest(member_id=taker))
    assert (balance.available_points, balance.expired_points_total) == (0, 400)
    answer = await suite.call(suite.statements.Reconcile, pb.ReconcileRequest())
    assert answer.is_equal, answer
    for service, invariants in (("settlement", INVARIANTS), ("points", POINTS_INVARIANTS)):
        for name, query in invariants.items():
            assert await suite.running[service].db.pool.fetch(query) == [], name
