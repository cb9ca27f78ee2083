"""Six real services in their own time: sales, returns, parking, orders and expiry settle, close and reconcile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids
from huitong.common.v1 import control_pb2, control_pb2_grpc, types_pb2
from huitong.member.v1 import member_pb2, member_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from huitong.parking.v1 import parking_pb2, parking_pb2_grpc
from huitong.points.v1 import points_pb2, points_pb2_grpc
from huitong.settlement.v1 import settlement_pb2 as pb
from huitong.settlement.v1 import settlement_pb2_grpc
from services.parking.invariants import INVARIANTS as PARKING_INVARIANTS
from services.settlement.invariants import INVARIANTS
from tests.apps import Apps, internal, member, system, vendor
from tests.people import People, grant

pytestmark = pytest.mark.timeout(120)

CSV = """kind,code,name,parent_code,unit_kind,time_zone,currency_code,category,floor
unit,MALL,Mall,,mall,Asia/Shanghai,CNY,,
unit,PARK,Car park,,parking,Asia/Shanghai,CNY,,
merchant,M1,Grocer,MALL,,,,supermarket,
merchant,P1,Parking,PARK,,,,parking,
store,S1,Grocer 1,M1,,,,,L1
"""
PLATE = "沪A12345"


def stamp(time: datetime) -> Timestamp:
    value = Timestamp()
    value.FromDatetime(time)
    return value


class Suite:
    """Everything but the gateway."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps
        stub = apps.stub
        self.org = stub(org_pb2_grpc.StructureServiceStub, "org")
        self.members = stub(member_pb2_grpc.MemberServiceStub, "member")
        self.tiers = stub(member_pb2_grpc.TierServiceStub, "member")
        self.sales = stub(points_pb2_grpc.SalesServiceStub, "points")
        self.rules = stub(points_pb2_grpc.RuleServiceStub, "points")
        self.ledger = stub(points_pb2_grpc.LedgerServiceStub, "points")
        self.vehicles = stub(parking_pb2_grpc.VehicleServiceStub, "parking")
        self.parking = stub(parking_pb2_grpc.ParkingServiceStub, "parking")
        self.contracts = stub(settlement_pb2_grpc.ContractServiceStub, "settlement")
        self.statements = stub(settlement_pb2_grpc.StatementServiceStub, "settlement")

    async def call(self, method: Any, request: Any, caller: Any = None) -> Any:
        return await self.apps.call(method, request, caller or system(), timeout_s=20)

    async def set_time(self, time: datetime) -> None:
        """Every service's business time."""
        for name in self.apps.running:
            control = self.apps.stub(control_pb2_grpc.ControlServiceStub, name)
            request = control_pb2.SetBusinessTimeRequest(business_time=stamp(time))
            await self.call(control.SetBusinessTime, request, internal("suite"))

    async def start(self) -> Suite:
        self.running = await self.apps.start("org", "member", "points", "mall", "parking", "settlement")
        await self.set_time(datetime(2017, 2, 1, 4, tzinfo=UTC))
        create = org_pb2.CreateGroupRequest(request_id="create-group", code="test-group", name="Test")
        await self.call(self.org.CreateGroup, create, internal("suite"))
        self.second = await People(self.apps).hire(grant("GROUP_ADMIN"))
        load = org_pb2.ImportStructureRequest(request_id="import-csv", csv=CSV)
        assert not (await self.call(self.org.ImportStructure, load)).errors
        merchants = (await self.call(self.org.ListMerchants, org_pb2.ListMerchantsRequest())).merchants
        self.merchant = {one.code: one.merchant_id for one in merchants}
        units = (await self.call(self.org.ListBusinessUnits, org_pb2.ListBusinessUnitsRequest())).business_units
        self.car_park = next(unit.business_unit_id for unit in units if unit.code == "PARK")
        self.store = (await self.call(self.org.ListStores, org_pb2.ListStoresRequest())).stores[0].store_id
        ladder = [
            member_pb2.Tier(code="BASIC", name="Basic", min_growth=0, earn_multiplier_bps=10000),
            member_pb2.Tier(
                code="GOLD", name="Gold", min_growth=500, earn_multiplier_bps=10000, free_parking_minutes=60
            ),
        ]
        await self.call(self.tiers.SetTierLadder, member_pb2.SetTierLadderRequest(request_id="ladder-1", tiers=ladder))
        rule_set = points_pb2.RuleSet(
            effective_date=types_pb2.BusinessDate(year=2017, month=1, day=1),
            base_points=1,
            base_step_minor=100,
            rules=[points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")],
            expiry_months=1,
            offset=points_pb2.OffsetRule(offset_points=100, offset_minor=300, max_share_bps=1500),
        )
        publish = points_pb2.PublishRuleSetRequest(request_id="rule-set-1", rule_set=rule_set)
        await self.call(self.rules.PublishRuleSet, publish)
        # Contracts come before any event may have told settlement of the merchants: they are asked for.
        for code, terms in {
            "M1": {"issue_price_centi": 310, "redeem_price_centi": 270, "platform_fee_bps": 200},
            "P1": {"issue_price_centi": 300, "redeem_price_centi": 295, "parking_waiver_bps": 5000},
        }.items():
            contract = pb.Contract(
                merchant_id=self.merchant[code],
                effective_date=types_pb2.BusinessDate(year=2017, month=1, day=1),
                **terms,  # type: ignore[arg-type]
            )
            request = pb.SetContractRequest(request_id=f"contract-{code}", contract=contract)
            await self.call(self.contracts.SetContract, request)
        tariff = parking_pb2.SetTariffRequest(
            request_id="tariff-1",
            car_park_id=self.car_park,
            merchant_id=self.merchant["P1"],
            tariff=parking_pb2.Tariff(free_minutes=30, hour_minor=800, day_cap_minor=6000, exit_grace_minutes=15),
            effective_time=stamp(datetime(2017, 1, 1, tzinfo=UTC)),
        )
        await self.call(self.parking.SetTariff, tariff)
        join = member_pb2.JoinMemberRequest(request_id="join-anna", phone="+8613800000001")
        self.anna = (await self.call(self.members.JoinMember, join)).member.member_id
        # Parking may not have heard of Anna yet: it asks.
        bind = parking_pb2.BindPlateRequest(request_id="bind-anna", member_id=self.anna, plate_no=PLATE)
        await self.call(self.vehicles.BindPlate, bind, member(self.anna))
        await self.apps.drain()
        return self

    async def sell(self, receipt_no: str, yuan: int, time: datetime) -> None:
        await self.call(
            self.sales.RecordSale,
            points_pb2.RecordSaleRequest(
                request_id=f"receipt-{receipt_no}",
                store_id=self.store,
                receipt_no=receipt_no,
                sale_time=stamp(time),
                member_id=self.anna,
                total=types_pb2.Money(amount_minor=yuan * 100, currency_code="CNY"),
                lines=[points_pb2.SaleLine(line_no=1, amount_minor=yuan * 100)],
            ),
        )

    async def give_back(self, receipt_no: str, yuan: int, time: datetime) -> None:
        await self.call(
            self.sales.RefundSale,
            points_pb2.RefundSaleRequest(
                request_id=f"return-{receipt_no}-{yuan}",
                store_id=self.store,
                receipt_no=receipt_no,
                refund_time=stamp(time),
                lines=[points_pb2.RefundLine(line_no=1, amount_minor=yuan * 100)],
            ),
        )

    async def park(self, entry: datetime, minutes: int, *, points: bool) -> Any:
        park: dict[str, Any] = {"car_park_id": self.car_park, "plate_no": PLATE}
        enter = parking_pb2.RecordEntryRequest(request_id=ids.new().hex, entry_time=stamp(entry), **park)
        await self.call(self.parking.RecordEntry, enter, vendor(self.car_park))
        leaving = entry + timedelta(minutes=minutes)
        pay = parking_pb2.PayFeeRequest(
            request_id=ids.new().hex, member_id=self.anna, pay_time=stamp(leaving), use_points=points, **park
        )
        await self.call(self.parking.PayFee, pay, member(self.anna))
        leave = parking_pb2.RecordExitRequest(request_id=ids.new().hex, exit_time=stamp(leaving), **park)
        answer = await self.call(self.parking.RecordExit, leave, vendor(self.car_park))
        assert answer.may_leave
        return answer.fee

    async def statement(self, code: str, period: str) -> Any:
        request = pb.GetStatementRequest(period=period, merchant_id=self.merchant[code])
        return (await self.call(self.statements.GetStatement, request)).statement

    async def close(self, period: str) -> None:
        """Wait until the month is closed by settlement's own job."""
        async with asyncio.timeout(30):
            while True:
                periods = (await self.call(self.statements.ListPeriods, pb.ListPeriodsRequest())).periods
                if any(one.period == period and one.is_closed for one in periods):
                    return
                await asyncio.sleep(0.1)


@pytest.fixture
async def suite(apps: Apps) -> Suite:
    return await Suite(apps).start()


async def test_two_months_of_a_member_settle_to_the_fen(suite: Suite) -> None:
    morning = datetime(2017, 2, 10, 2, tzinfo=UTC)
    await suite.set_time(morning + timedelta(hours=8))
    await suite.sell("r1", 1001, morning)
    await suite.apps.drain()
    # Anna was not gold at the start of the 10th; she is on the 11th.
    fee = await suite.park(morning + timedelta(hours=1), 100, points=True)
    assert (fee.tier_waived.amount_minor, fee.points, fee.money_paid.amount_minor) == (0, 500, 100)
    await suite.set_time(morning + timedelta(days=1, hours=8))
    await suite.apps.drain()
    fee = await suite.park(morning + timedelta(days=1), 100, points=True)
    assert (fee.tier_waived.amount_minor, fee.points, fee.money_paid.amount_minor) == (800, 200, 200)
    await suite.give_back("r1", 333, morning + timedelta(days=1, hours=2))
    await suite.apps.drain()

    february = await suite.statement("M1", "2017-02")
    # 1001 × 3.10 = 3103.1; 333 × 3.10 = 1032.3
    assert (february.issued_points, february.clawed_back_points, february.spent_points) == (1001, 333, 700)
    assert (february.issue_charge_minor, february.claw_back_minor) == (-3103, 1032)
    parking = await suite.statement("P1", "2017-02")
    # 500 × 2.95 = 1475, 200 × 2.95 = 590; half of 800
    assert (parking.redeemed_points, parking.reimbursement_minor, parking.parking_waiver_minor) == (700, 2065, 400)

    # March: a sale that repays the debt of 32 points first; and the rest of it expires on 1 May.
    await suite.set_time(datetime(2017, 3, 5, 2, tzinfo=UTC))
    await suite.close("2017-02")
    await suite.sell("r2", 100, datetime(2017, 3, 5, 2, tzinfo=UTC))
    await suite.apps.drain()
    await suite.set_time(datetime(2017, 5, 2, 2, tzinfo=UTC))
    await suite.close("2017-04")
    async with asyncio.timeout(30):
        while not (may := await suite.statement("M1", "2017-05")).expired_points:
            await asyncio.sleep(0.1)
    march = await suite.statement("M1", "2017-03")
    assert (march.issued_points, march.issue_charge_minor, march.is_closed) == (100, -310, True)
    assert (may.expired_points, may.breakage_minor) == (68, 0)

    await suite.apps.drain()
    periods = (await suite.call(suite.statements.ListPeriods, pb.ListPeriodsRequest())).periods
    assert [period.imbalance_minor for period in periods] == [0] * len(periods)
    # 68 × 3.10 = 210.8 → 211 is the platform's
    assert periods[-1].platform_minor == 211
    answer = await suite.call(suite.statements.Reconcile, pb.ReconcileRequest())
    assert answer.is_equal, answer
    for service, invariants in (("settlement", INVARIANTS), ("parking", PARKING_INVARIANTS)):
        for name, query in invariants.items():
            assert await suite.running[service].db.pool.fetch(query) == [], name
