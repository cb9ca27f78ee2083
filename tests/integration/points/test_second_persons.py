"""What is asked for in points is decided by persons through org's approvals, at either door; keys only ask."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from huitong.common.v1 import types_pb2
from huitong.member.v1 import member_pb2, member_pb2_grpc
from huitong.org.v1 import approvals_pb2, approvals_pb2_grpc, operators_pb2
from huitong.points.v1 import adjustments_pb2 as pb
from huitong.points.v1 import (
    adjustments_pb2_grpc,
    points_pb2,
    points_pb2_grpc,
    rules_pb2,
    rules_pb2_grpc,
    wallets_pb2,
    wallets_pb2_grpc,
)
from services.points.invariants import INVARIANTS
from tests.apps import GROUP, Apps, internal, system
from tests.people import M1, MALL, People, grant


def rule_set(base_points: int) -> points_pb2.RuleSet:
    return points_pb2.RuleSet(
        effective_date=types_pb2.BusinessDate(year=2026, month=1, day=1),
        base_points=base_points,
        base_step_minor=100,
        rules=[points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")],
        expiry_months=12,
        offset=points_pb2.OffsetRule(offset_points=100, offset_minor=300, max_share_bps=1500),
    )


class Office:
    """org and points with a member, and people of the back office."""

    def __init__(self, apps: Apps) -> None:
        self.apps, self.people = apps, People(apps)
        self.approvals = apps.stub(approvals_pb2_grpc.ApprovalServiceStub, "org")
        self.adjustments = apps.stub(adjustments_pb2_grpc.AdjustmentServiceStub, "points")
        self.drafts = apps.stub(rules_pb2_grpc.RuleDraftServiceStub, "points")
        self.rules = apps.stub(points_pb2_grpc.RuleServiceStub, "points")
        self.wallets = apps.stub(points_pb2_grpc.WalletServiceStub, "points")

    async def start(self) -> Office:
        await self.people.start()
        await self.apps.start("member", "points")
        join = member_pb2.JoinMemberRequest(request_id="join-anna", phone="+8613800000001")
        members = self.apps.stub(member_pb2_grpc.MemberServiceStub, "member")
        self.anna = (await self.call(members.JoinMember, join)).member.member_id
        await self.apps.drain()
        publish = points_pb2.PublishRuleSetRequest(request_id="rule-set-1", rule_set=rule_set(1))
        await self.call(self.rules.PublishRuleSet, publish)
        return self

    async def call(self, method: Any, request: Any, who: Caller | None = None) -> Any:
        return await self.apps.call(method, request, who or system())

    async def refused(self, method: Any, request: Any, who: Caller | None = None) -> str:
        with pytest.raises(AppError) as caught:
            await self.call(method, request, who)
        return caught.value.reason

    async def hire(self, role: str, by: Caller | None = None) -> Caller:
        invite = operators_pb2.InviteOperatorRequest(
            request_id=ids.new().hex, login=f"p{ids.new().hex[-12:]}", name="Somebody", grants=[grant(role)]
        )
        invited = await self.people.call("InviteOperator", invite, by)
        # As the gateway would hand on an operator; what counts is in org's database.
        return Caller(CallerKind.OPERATOR, invited.operator.operator_id, GROUP, "ops_1", {"": "*"})

    async def ask(self, points: int, who: Caller) -> pb.Adjustment:
        request = pb.RequestAdjustmentRequest(
            request_id=ids.new().hex, member_id=self.anna, direction=pb.ADJUSTMENT_DIRECTION_CREDIT, points=points,
            merchant_id=M1, reason_code="GOODWILL", reason_text="The till was down.",
        )  # fmt: skip
        first = (await self.call(self.adjustments.RequestAdjustment, request, who)).adjustment
        assert (await self.call(self.adjustments.RequestAdjustment, request, who)).adjustment == first
        return first

    def approve(self, one: pb.Adjustment, note: str = "seen") -> tuple[Any, pb.ApproveAdjustmentRequest]:
        request = pb.ApproveAdjustmentRequest(
            request_id=ids.new().hex, adjustment_id=one.adjustment_id, decision_note=note
        )
        return self.adjustments.ApproveAdjustment, request

    async def draft(self, who: Caller, base_points: int = 2) -> rules_pb2.RuleDraft:
        request = rules_pb2.CreateRuleDraftRequest(
            request_id=ids.new().hex, rule_set=rule_set(base_points), note="for spring"
        )
        return (await self.call(self.drafts.CreateRuleDraft, request, who)).draft

    async def approval(self, asked_by: str) -> approvals_pb2.Approval:
        """The newest of who asked."""
        listed = await self.call(self.approvals.ListApprovals, approvals_pb2.ListApprovalsRequest(page_size=200))
        return next(one for one in listed.approvals if one.asked_by == asked_by)

    async def at_org(self, rpc: str, asked_by: str, who: Caller) -> None:
        """Decide the newest of who asked in the inbox of all approvals, and let points hear of it."""
        approval_id = (await self.approval(asked_by)).approval_id
        request = getattr(approvals_pb2, f"{rpc}Request")(
            request_id=ids.new().hex, approval_id=approval_id, reason="from the inbox"
        )
        await self.call(getattr(self.approvals, rpc), request, who)
        await self.apps.drain()

    async def adjustment(self, one: pb.Adjustment) -> pb.Adjustment:
        listed = await self.call(self.adjustments.ListAdjustments, pb.ListAdjustmentsRequest(page_size=200))
        return next(found for found in listed.adjustments if found.adjustment_id == one.adjustment_id)

    async def draft_state(self, one: rules_pb2.RuleDraft) -> str:
        request = rules_pb2.GetRuleDraftRequest(draft_id=one.draft_id)
        found = (await self.call(self.drafts.GetRuleDraft, request)).draft
        return rules_pb2.RuleDraftState.Name(found.state).removeprefix("RULE_DRAFT_STATE_")

    async def balance(self) -> int:
        request = points_pb2.GetBalanceRequest(member_id=self.anna)
        return int((await self.call(self.wallets.GetBalance, request)).available_points)

    async def check(self) -> None:
        database = self.apps.running["points"].db
        assert {name for name, sql in INVARIANTS.items() if await database.pool.fetch(sql)} == set()


@pytest.fixture
async def office(apps: Apps) -> Office:
    return await Office(apps).start()


async def test_an_operator_s_adjustment_takes_a_second_person_within_their_limit(office: Office) -> None:
    before = await office.balance()
    admin, finance = await office.hire("GROUP_ADMIN"), await office.hire("FINANCE")
    puppet = await office.hire("GROUP_ADMIN", by=admin)
    asked = await office.ask(50_001, admin)
    approval = await office.approval(admin.subject)
    assert (approval.amount, approval.permission) == (50_001, "points.adjustments.decide")
    assert approval.expire_time.ToSeconds() - approval.ask_time.ToSeconds() == 7 * 86_400
    assert await office.refused(*office.approve(asked), admin) == "SECOND_PERSON_REQUIRED"
    assert await office.refused(*office.approve(asked), system()) == "SECOND_PERSON_REQUIRED"
    assert await office.refused(*office.approve(asked), puppet) == "SECOND_PERSON_NEEDED"
    assert await office.refused(*office.approve(asked), finance) == "APPROVAL_LIMIT_EXCEEDED"
    assert (await office.adjustment(asked)).state == pb.ADJUSTMENT_STATE_PENDING
    other = await office.hire("GROUP_ADMIN")
    done = await office.call(*office.approve(asked), other)
    assert (done.adjustment.state, done.adjustment.decided_by) == (pb.ADJUSTMENT_STATE_APPLIED, other.subject)
    approval = await office.approval(admin.subject)
    assert (approval.state, approval.decided_by, approval.reason) == (
        approvals_pb2.APPROVAL_STATE_APPROVED, other.subject, "seen",
    )  # fmt: skip
    small = await office.ask(50_000, admin)
    await office.call(*office.approve(small), finance)
    # What a system asked for is held to the limits too, and needs a person no less.
    key = Caller(CallerKind.SYSTEM, "key_hotel", GROUP)
    of_system = await office.ask(50_001, key)
    assert await office.refused(*office.approve(of_system), finance) == "APPROVAL_LIMIT_EXCEEDED"
    reject = pb.RejectAdjustmentRequest(request_id=ids.new().hex, adjustment_id=of_system.adjustment_id)
    await office.call(office.adjustments.RejectAdjustment, reject, finance)
    assert (await office.approval(key.subject)).state == approvals_pb2.APPROVAL_STATE_REJECTED
    await office.apps.drain()  # what was decided here comes back as an event, and changes nothing
    assert await office.balance() == before + 100_001
    await office.check()


async def test_decisions_of_org_s_inbox_are_carried_out_once(office: Office) -> None:
    before = await office.balance()
    asking, finance = await office.hire("FINANCE"), await office.hire("FINANCE")
    approved = await office.ask(300, asking)
    await office.at_org("Approve", asking.subject, finance)
    rejected = await office.ask(400, asking)
    await office.at_org("Reject", asking.subject, finance)
    taken_back = await office.ask(500, asking)
    await office.at_org("Reject", asking.subject, asking)
    # The job brings what was approved into the ledger.
    async with asyncio.timeout(20):
        while (found := await office.adjustment(approved)).state != pb.ADJUSTMENT_STATE_APPLIED:
            next(job for job in office.apps.running["points"].jobs if job.name == "points-adjustments").wake()
            await asyncio.sleep(0.05)
    assert (found.decided_by, found.decision_note) == (finance.subject, "from the inbox")
    for one in (rejected, taken_back):
        assert (await office.adjustment(one)).state == pb.ADJUSTMENT_STATE_REJECTED
    for one in (approved, rejected):
        assert await office.refused(*office.approve(one), finance) == "ADJUSTMENT_DECIDED"
    assert await office.balance() == before + 300
    await office.check()


async def test_an_approval_that_points_did_not_get_to_use_lets_the_next_try_through(office: Office) -> None:
    asking, finance, other = await office.hire("FINANCE"), await office.hire("FINANCE"), await office.hire("FINANCE")
    asked = await office.ask(200, asking)
    approval_id = (await office.approval(asking.subject)).approval_id
    points = office.apps.running["points"]
    database = points.db
    # points stops between org's word and its own commit: a lock stands in for the moment.
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT 1 FROM adjustment WHERE adjustment_id = $1 FOR UPDATE",
            ids.from_edge("adj", asked.adjustment_id, ""),
        )
        decide = approvals_pb2.DecideApprovalRequest(
            request_id=ids.new().hex, approval_id=approval_id, operator_id=finance.subject,
            decision=approvals_pb2.APPROVAL_DECISION_APPROVE,
        )  # fmt: skip
        await office.call(office.approvals.DecideApproval, decide, internal("points"))
        tried = asyncio.create_task(office.call(*office.approve(asked), other))
    try:
        answer = (await tried).adjustment.decided_by
    except AppError as error:  # the event was faster
        assert error.reason == "ADJUSTMENT_DECIDED"
        answer = (await office.adjustment(asked)).decided_by
    assert answer == finance.subject
    assert await office.refused(office.approvals.DecideApproval, decide, finance) == "PERMISSION_DENIED"


async def test_a_conversion_rate_takes_two_persons_of_org_s_word(office: Office) -> None:
    admin, other = await office.hire("GROUP_ADMIN"), await office.hire("FINANCE")
    puppet, marketing = await office.hire("GROUP_ADMIN", by=admin), await office.hire("MARKETING")
    stub = office.apps.stub(wallets_pb2_grpc.ConversionServiceStub, "points")
    create = wallets_pb2.CreateCurrencyRequest(
        request_id=ids.new().hex, kind=wallets_pb2.CURRENCY_KIND_UNIT_POINTS, code="STAYS", name="Stays", name_zh="住",
        business_unit_id=MALL,
    )  # fmt: skip
    currencies = office.apps.stub(wallets_pb2_grpc.CurrencyServiceStub, "points")
    stays = (await office.call(currencies.CreateCurrency, create)).currency.currency_id
    propose = wallets_pb2.ProposeConversionRateRequest(
        request_id=ids.new().hex, from_currency_id=stays, to_currency_id=ids.to_edge("cur", GROUP), numerator=1,
        denominator=2,
    )  # fmt: skip
    rate = (await office.call(stub.ProposeConversionRate, propose, admin)).rate

    def decide(is_approved: bool = True) -> tuple[Any, Any]:
        return stub.DecideConversionRate, wallets_pb2.DecideConversionRateRequest(
            request_id=ids.new().hex, rate_id=rate.rate_id, is_approved=is_approved
        )

    assert await office.refused(*decide(), puppet) == "SECOND_PERSON_NEEDED"
    assert await office.refused(*decide(), marketing) == "PERMISSION_DENIED"
    for is_approved in (True, False):
        assert await office.refused(*decide(is_approved), system()) == "SECOND_PERSON_REQUIRED"
    decided = (await office.call(*decide(), other)).rate
    assert (decided.state, decided.decided_by) == (wallets_pb2.CONVERSION_RATE_STATE_APPROVED, other.subject)


async def test_an_operator_s_rules_are_published_by_another_at_either_door(office: Office) -> None:
    author, finance = await office.hire("MARKETING"), await office.hire("FINANCE")

    def decide(rpc: str, draft: rules_pb2.RuleDraft) -> tuple[Any, Any]:
        request = getattr(rules_pb2, f"{rpc}Request")(request_id=ids.new().hex, draft_id=draft.draft_id)
        return getattr(office.drafts, rpc), request

    here, there, refused, given_up = [await office.draft(author, number) for number in (2, 3, 4, 5)]
    assert await office.refused(*decide("ApproveRuleDraft", here), author) == "SECOND_PERSON_REQUIRED"
    assert await office.refused(*decide("ApproveRuleDraft", here), system()) == "SECOND_PERSON_REQUIRED"
    marketing = await office.hire("MARKETING")  # may write rules, not approve them
    assert await office.refused(*decide("ApproveRuleDraft", here), marketing) == "PERMISSION_DENIED"
    await office.call(*decide("DiscardRuleDraft", given_up), marketing)
    await office.call(*decide("ApproveRuleDraft", here), finance)
    listed = await office.call(office.approvals.ListApprovals, approvals_pb2.ListApprovalsRequest(page_size=200))
    pending = [one for one in listed.approvals if one.state == approvals_pb2.APPROVAL_STATE_PENDING]
    waiting = [one.approval_id for one in pending if one.asked_by == author.subject]
    assert len(waiting) == 2, "newest first: refused, there"
    for rpc, approval_id in (("Reject", waiting[0]), ("Approve", waiting[1])):
        request = getattr(approvals_pb2, f"{rpc}Request")(request_id=ids.new().hex, approval_id=approval_id)
        await office.call(getattr(office.approvals, rpc), request, finance)
    await office.apps.drain()
    states = [await office.draft_state(one) for one in (here, there, refused, given_up)]
    assert states == ["PUBLISHED", "PUBLISHED", "DISCARDED", "DISCARDED"]
    in_force = (await office.call(office.rules.GetRuleSet, points_pb2.GetRuleSetRequest())).rule_set
    assert in_force.base_points == 3
