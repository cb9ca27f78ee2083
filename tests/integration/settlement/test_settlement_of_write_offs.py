"""Six real services: points of returned goods that nobody owes stay paid for by their issuer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2, rules_pb2, rules_pb2_grpc
from huitong.settlement.v1 import settlement_pb2 as pb
from services.points.invariants import INVARIANTS as POINTS_INVARIANTS
from services.settlement.invariants import INVARIANTS
from tests.apps import Apps
from tests.integration.settlement.test_settlement_of_all_services import Suite

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def suite(apps: Apps) -> Suite:
    return await Suite(apps).start()


async def test_what_is_written_off_is_the_issuers_loss_and_reconciles(suite: Suite) -> None:
    day = datetime(2017, 2, 10, 2, tzinfo=UTC)
    rule_set = points_pb2.RuleSet(
        effective_date=types_pb2.BusinessDate(year=2017, month=2, day=10),
        base_points=1,
        base_step_minor=100,
        rules=[points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")],
        expiry=points_pb2.ExpiryPolicy(kind=points_pb2.EXPIRY_KIND_NONE),
        debt_policy=points_pb2.DEBT_POLICY_WITHIN_BALANCE,
        offset=points_pb2.OffsetRule(offset_points=100, offset_minor=300, max_share_bps=1500),
    )
    drafts = suite.apps.stub(rules_pb2_grpc.RuleDraftServiceStub, "points")
    drafting = rules_pb2.CreateRuleDraftRequest(request_id="rule-set-2", rule_set=rule_set)
    draft_id = (await suite.call(drafts.CreateRuleDraft, drafting)).draft.draft_id
    publishing = rules_pb2.ApproveRuleDraftRequest(request_id="rule-set-2-approved", draft_id=draft_id)
    await suite.call(drafts.ApproveRuleDraft, publishing, suite.second)

    await suite.set_time(day + timedelta(hours=8))
    await suite.sell("r1", 600, day + timedelta(hours=8))
    await suite.apps.drain()
    fee = await suite.park(day + timedelta(hours=9), 100, points=True)
    assert fee.points == 500
    await suite.give_back("r1", 400, day + timedelta(hours=11))  # 100 of 400 are there
    await suite.give_back("r1", 200, day + timedelta(hours=11))  # nothing is
    await suite.apps.drain()

    grocer = await suite.statement("M1", "2017-02")
    # 600 × 3.10 were paid, 100 × 3.10 come back; who took the 500 gets 500 × 2.95 as ever.
    assert (grocer.issued_points, grocer.clawed_back_points, grocer.spent_points) == (600, 100, 500)
    assert (grocer.issue_charge_minor, grocer.claw_back_minor) == (-1860, 310)
    assert (await suite.statement("P1", "2017-02")).reimbursement_minor == 1475
    periods = (await suite.call(suite.statements.ListPeriods, pb.ListPeriodsRequest())).periods
    assert [period.imbalance_minor for period in periods] == [0] * len(periods)
    answer = await suite.call(suite.statements.Reconcile, pb.ReconcileRequest())
    assert answer.is_equal, answer
    for service, invariants in (("settlement", INVARIANTS), ("points", POINTS_INVARIANTS)):
        for name, query in invariants.items():
            assert await suite.running[service].db.pool.fetch(query) == [], name
