"""Six real services: points that others pay for settle and reconcile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2, rules_pb2, rules_pb2_grpc
from huitong.settlement.v1 import settlement_pb2 as pb
from services.points.invariants import INVARIANTS as POINTS_INVARIANTS
from services.settlement.invariants import INVARIANTS
from tests.apps import Apps
from tests.integration.settlement.test_settlement_of_all_services import Suite

pytestmark = pytest.mark.timeout(120)
UNIT, PLATFORM = points_pb2.FUNDER_KIND_BUSINESS_UNIT, points_pb2.FUNDER_KIND_PLATFORM
NAMED = points_pb2.FUNDER_KIND_NAMED_MERCHANT


async def test_six_services_agree_on_who_pays(apps: Apps) -> None:
    suite = await Suite(apps).start()
    rule_set = points_pb2.RuleSet(
        effective_date=types_pb2.BusinessDate(year=2017, month=2, day=10),
        base_points=1,
        base_step_minor=100,
        rules=[
            points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base"),
            points_pb2.EarningRule(
                rule_id="spring",
                kind=points_pb2.RULE_KIND_OFFER,
                bonus_bps=10_000,
                funders=[
                    points_pb2.FunderShare(kind=PLATFORM, share_bps=5_000),
                    points_pb2.FunderShare(kind=NAMED, merchant_id=suite.merchant["P1"], share_bps=3_000),
                    points_pb2.FunderShare(kind=UNIT, share_bps=2_000),
                ],
            ),
        ],
        expiry_months=1,
    )
    drafts = apps.stub(rules_pb2_grpc.RuleDraftServiceStub, "points")
    drafting = rules_pb2.CreateRuleDraftRequest(request_id="rule-set-2", rule_set=rule_set)
    draft_id = (await suite.call(drafts.CreateRuleDraft, drafting)).draft.draft_id
    approving = rules_pb2.ApproveRuleDraftRequest(request_id="rule-set-2-approved", draft_id=draft_id)
    await suite.call(drafts.ApproveRuleDraft, approving, suite.second)
    noon = datetime(2017, 2, 10, 4, tzinfo=UTC)
    await suite.set_time(noon)
    await suite.sell("r1", 1000, noon)
    await suite.apps.drain()
    grocer, parking = await suite.statement("M1", "2017-02"), await suite.statement("P1", "2017-02")
    # 2000 × 3.10; of the offer's 1000 points half, 30% and 20%.
    assert (grocer.issued_points, grocer.issue_charge_minor, grocer.funding_minor) == (2000, -6200, 3100)
    assert (parking.issued_points, parking.funding_minor) == (0, -930)
    await suite.give_back("r1", 500, noon)
    await suite.apps.drain()
    assert (await suite.statement("P1", "2017-02")).funding_minor == -465
    # What is left expires and stays with the platform, which keeps breakage here: nobody gets anything back.
    await suite.set_time(datetime(2017, 4, 2, 4, tzinfo=UTC))
    async with asyncio.timeout(60):
        while (await suite.statement("M1", "2017-04")).expired_points < 1000:
            await asyncio.sleep(0.1)
    await suite.apps.drain()
    answer = await suite.call(suite.statements.Reconcile, pb.ReconcileRequest())
    assert answer.is_equal, answer
    totals = await suite.call(suite.statements.GetSettlementTotals, pb.GetSettlementTotalsRequest())
    assert (totals.unit_minor, totals.imbalance_minor) == (-310, 0)
    for service, invariants in (("settlement", INVARIANTS), ("points", POINTS_INVARIANTS)):
        for name, query in invariants.items():
            assert await suite.running[service].db.pool.fetch(query) == [], name
