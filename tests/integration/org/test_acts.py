"""What operators do in any service comes into org's audit: once, when it took effect, without anybody's data."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import acts, ids
from chassis.errors import AppError, Unavailable
from chassis.identity import Caller, CallerKind
from huitong.common.v1 import acts_pb2, acts_pb2_grpc, types_pb2
from huitong.mall.v1 import mall_pb2, mall_pb2_grpc
from huitong.member.v1 import member_pb2, member_pb2_grpc
from huitong.parking.v1 import parking_pb2, parking_pb2_grpc
from huitong.points.v1 import (
    adjustments_pb2,
    adjustments_pb2_grpc,
    points_pb2,
    points_pb2_grpc,
    retention_pb2,
    retention_pb2_grpc,
)
from huitong.settlement.v1 import settlement_pb2, settlement_pb2_grpc
from services.points.errors import NothingToRenew
from suite.audit import check
from tests.apps import GROUP, Apps, acts_told, count_untold, internal, system
from tests.people import M1, PARK, People, grant

OPERATOR = Caller(CallerKind.OPERATOR, "opr_" + "1" * 32, GROUP, "ops_1", {"": "*"})
SERVICES = ("member", "points", "mall", "parking", "settlement")
PHONE = "+8613800000042"
pytestmark = pytest.mark.timeout(120)


def stamp(time: datetime) -> Timestamp:
    value = Timestamp()
    value.FromDatetime(time)
    return value


def ladder(multiplier: int) -> member_pb2.SetTierLadderRequest:
    tier = member_pb2.Tier(code="BASIC", name="Basic", min_growth=0, earn_multiplier_bps=multiplier)
    return member_pb2.SetTierLadderRequest(request_id=ids.new().hex, tiers=[tier])


class Desk:
    """All services, and the audit."""

    def __init__(self, apps: Apps) -> None:
        self.apps, self.people, stub = apps, People(apps), apps.stub
        self.tiers = stub(member_pb2_grpc.TierServiceStub, "member")
        self.members = stub(member_pb2_grpc.MemberServiceStub, "member")
        self.items = stub(mall_pb2_grpc.CatalogueServiceStub, "mall")
        self.parking = stub(parking_pb2_grpc.ParkingServiceStub, "parking")
        self.contracts = stub(settlement_pb2_grpc.ContractServiceStub, "settlement")
        self.rules = stub(points_pb2_grpc.RuleServiceStub, "points")
        self.adjustments = stub(adjustments_pb2_grpc.AdjustmentServiceStub, "points")
        self.renewals = stub(retention_pb2_grpc.RetentionServiceStub, "points")

    async def call(self, method: Any, request: Any, who: Caller = OPERATOR) -> Any:
        return await self.apps.call(method, request, who)

    async def refused(self, method: Any, request: Any, who: Caller = OPERATOR) -> str:
        with pytest.raises(AppError) as caught:
            await self.call(method, request, who)
        return caught.value.reason

    async def intact(self) -> bool:
        answers = await check(self.apps.settings, group_code="test-group")
        return [answer.problem for answer in answers] == [""]


@pytest.fixture
async def desk(apps: Apps) -> Desk:
    desk = Desk(apps)
    await desk.people.start()
    await apps.start(*SERVICES)
    return desk


async def test_an_operator_s_act_in_each_service_is_an_entry(desk: Desk) -> None:
    await desk.call(desk.tiers.SetTierLadder, ladder(10_000), system())
    change = ladder(12_000)
    await desk.call(desk.tiers.SetTierLadder, change)
    await desk.call(desk.tiers.SetTierLadder, change)  # sent again
    join = member_pb2.JoinMemberRequest(request_id=ids.new().hex, phone=PHONE, birth_month=7)
    member_id = (await desk.call(desk.members.JoinMember, join)).member.member_id
    await desk.call(desk.members.JoinMember, join)
    await desk.apps.drain()
    item = mall_pb2.CreateItemRequest(
        request_id=ids.new().hex, code="CUP", name="Cup", merchant_id=M1, price_points=100, stock=5
    )
    item_id = (await desk.call(desk.items.CreateItem, item)).item.item_id
    tariff = parking_pb2.SetTariffRequest(
        request_id=ids.new().hex, car_park_id=PARK, merchant_id=M1, tariff=parking_pb2.Tariff(hour_minor=800),
        effective_time=stamp(datetime(2026, 1, 1, tzinfo=UTC)),
    )  # fmt: skip
    await desk.call(desk.parking.SetTariff, tariff)
    terms = settlement_pb2.Contract(
        merchant_id=M1, issue_price_centi=310, redeem_price_centi=270,
        effective_date=types_pb2.BusinessDate(year=2026, month=1, day=1),
    )  # fmt: skip
    batch = settlement_pb2.SetContractsRequest(
        contracts=[
            settlement_pb2.SetContractRequest(request_id=ids.new().hex, contract=terms),
            settlement_pb2.SetContractRequest(request_id=ids.new().hex, contract=terms),  # the date is taken
        ]
    )
    await desk.call(desk.contracts.SetContracts, batch)
    rule_set = points_pb2.RuleSet(
        effective_date=types_pb2.BusinessDate(year=2026, month=1, day=1), base_points=1, base_step_minor=100,
        rules=[points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")], expiry_months=12,
        offset=points_pb2.OffsetRule(offset_points=100, offset_minor=300, max_share_bps=1500),
    )  # fmt: skip
    publish = points_pb2.PublishRuleSetRequest(request_id=ids.new().hex, rule_set=rule_set)
    await desk.call(desk.rules.PublishRuleSet, publish, system())
    ask = adjustments_pb2.RequestAdjustmentRequest(
        request_id=ids.new().hex, member_id=member_id, points=500, merchant_id=M1, reason_code="GOODWILL",
        direction=adjustments_pb2.ADJUSTMENT_DIRECTION_CREDIT, reason_text="a broken cup",
    )  # fmt: skip
    another = Caller(CallerKind.SYSTEM, "key_other", GROUP)
    adjustment_id = (await desk.call(desk.adjustments.RequestAdjustment, ask, another)).adjustment.adjustment_id
    invited = await desk.people.invite(grant("FINANCE"))
    other = Caller(CallerKind.OPERATOR, invited.operator.operator_id, GROUP, "ops_2", {"": "*"})
    approve = adjustments_pb2.ApproveAdjustmentRequest(
        request_id=ids.new().hex, adjustment_id=adjustment_id, decision_note="seen"
    )
    await desk.call(desk.adjustments.ApproveAdjustment, approve, other)
    now = datetime.now(UTC)
    renew = retention_pb2.RenewPointsRequest(
        request_id=ids.new().hex, member_id=member_id, expiring_before=stamp(now + timedelta(days=800)),
        expire_time=stamp(now + timedelta(days=900)),
    )  # fmt: skip
    await desk.call(desk.renewals.RenewPoints, renew)
    await desk.call(desk.renewals.RenewPoints, renew)

    entries = await acts_told(desk.apps)
    told = sorted((entry.service, entry.action, entry.actor) for entry in entries)
    key, one, two = "key_test", OPERATOR.subject, other.subject
    assert told == sorted(
        [
            # What a system joins or asks for is everyday; that it sets terms is not.
            ("member", "SetTierLadder", key), ("points", "PublishRuleSet", key),
            ("member", "SetTierLadder", one), ("member", "JoinMember", one), ("mall", "CreateItem", one),
            ("parking", "SetTariff", one), ("settlement", "SetContracts", one),
            ("points", "ApproveAdjustment", two), ("points", "RenewPoints", one),
        ]
    )  # fmt: skip
    of = {(entry.service, entry.action): entry for entry in entries if entry.actor != key}
    tiers = of["member", "SetTierLadder"]
    assert (tiers.actor_kind, tiers.via) == ("operator", "ops_1")
    before, after = (json.loads(text)["tiers"][0] for text in (tiers.before_json, tiers.after_json))
    assert (before["earn_multiplier_bps"], after["earn_multiplier_bps"]) == (10_000, 12_000)
    assert json.loads(of["mall", "CreateItem"].request_json)["price_points"] == "100"
    assert {item_id, M1} <= set(of["mall", "CreateItem"].subject_ids)
    assert PARK in of["parking", "SetTariff"].subject_ids
    assert M1 in of["settlement", "SetContracts"].subject_ids and of["settlement", "SetContracts"].before_json
    decision = of["points", "ApproveAdjustment"]
    assert decision.reason == "seen" and adjustment_id in decision.subject_ids
    assert json.loads(decision.before_json)["state"] == "ADJUSTMENT_STATE_PENDING"
    assert json.loads(of["points", "RenewPoints"].after_json)["renewed_points"] == "500"
    assert not of["points", "RenewPoints"].is_outcome_unknown
    everything = "".join(str(entry) for entry in entries)
    assert PHONE[3:] not in everything and "birth_month" not in everything
    assert await desk.intact()


async def test_what_is_refused_or_rolled_back_leaves_nothing(desk: Desk) -> None:
    known = len(await acts_told(desk.apps))
    assert await desk.refused(desk.tiers.SetTierLadder, member_pb2.SetTierLadderRequest(request_id="x")) != ""
    upside_down = ladder(10_000)
    upside_down.tiers[0].min_growth = 5
    assert await desk.refused(desk.tiers.SetTierLadder, upside_down) == "LADDER_INVALID"
    nobody = Caller(CallerKind.OPERATOR, OPERATOR.subject, GROUP, "ops_1", {"": "*.read"})
    assert await desk.refused(desk.tiers.SetTierLadder, ladder(10_000), nobody) == "PERMISSION_DENIED"
    now = datetime.now(UTC)
    join = member_pb2.JoinMemberRequest(request_id=ids.new().hex, phone="+8613800000043")
    member_id = (await desk.call(desk.members.JoinMember, join, system())).member.member_id
    renew = retention_pb2.RenewPointsRequest(
        request_id=ids.new().hex, member_id=member_id, expiring_before=stamp(now + timedelta(days=800)),
        expire_time=stamp(now + timedelta(days=900)),
    )  # fmt: skip
    assert await desk.refused(desk.renewals.RenewPoints, renew) == NothingToRenew.reason
    reads = (
        (desk.tiers.GetTierLadder, member_pb2.GetTierLadderRequest()),
        (desk.items.ListItems, mall_pb2.ListItemsRequest()),
    )
    for method, request in reads:
        await desk.call(method, request)
    assert len(await acts_told(desk.apps)) == known
    assert await desk.intact()


async def test_acts_wait_for_org_and_are_told_once(desk: Desk) -> None:
    known = len(await acts_told(desk.apps))
    await desk.apps.stop("org")
    await desk.call(desk.tiers.SetTierLadder, ladder(11_000))
    assert await count_untold(desk.apps) == 1
    row = await desk.apps.running["member"].db.pool.fetchrow("SELECT * FROM operator_act")
    await desk.apps.start("org")
    assert len(await acts_told(desk.apps)) == known + 1
    # The answer was lost, or another replica tells it too.
    again = acts_pb2.RecordActsRequest(request_id="again-0001", acts=[acts_pb2.Act.FromString(row["act"])])
    keeper = desk.apps.stub(acts_pb2_grpc.ActServiceStub, "org")
    assert (await desk.call(keeper.RecordActs, again, internal("member"))).recorded_count == 0
    assert await desk.refused(keeper.RecordActs, again, system()) == "PERMISSION_DENIED"
    assert len(await acts_told(desk.apps)) == known + 1
    assert await desk.intact()


async def test_an_act_without_a_transaction_of_its_own_is_told_even_if_its_outcome_is_unknown(desk: Desk) -> None:
    database = desk.apps.running["points"].db
    known = len(await acts_told(desk.apps))
    request = retention_pb2.RenewPointsRequest(request_id=ids.new().hex)
    acts.begin(acts.Act("points", "RenewPoints", OPERATOR, request))

    async def lost() -> Any:
        assert await count_untold(desk.apps) == 1, "written before anything is done"
        raise Unavailable

    with pytest.raises(Unavailable):
        await acts.noted(database, lost)
    assert await count_untold(desk.apps) == 1
    await database.pool.execute("UPDATE operator_act SET deliver_time = clock_timestamp()")
    database.acts_waiting.set()
    entry = (await acts_told(desk.apps))[known]
    assert (entry.action, entry.is_outcome_unknown) == ("RenewPoints", True)
