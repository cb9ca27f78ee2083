"""A hotel guest and a mall member turn out to be one person, and then not: six real services follow, and settle."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.common.v1 import types_pb2
from huitong.mall.v1 import mall_pb2, mall_pb2_grpc
from huitong.member.v1 import (
    imports_pb2,
    imports_pb2_grpc,
    member_pb2,
    member_pb2_grpc,
    merging_pb2,
    merging_pb2_grpc,
    risk_pb2,
    risk_pb2_grpc,
)
from huitong.org.v1 import org_pb2
from huitong.parking.v1 import parking_pb2, parking_pb2_grpc
from huitong.points.v1 import points_pb2, points_pb2_grpc
from huitong.settlement.v1 import settlement_pb2
from services.mall.invariants import INVARIANTS as MALL_INVARIANTS
from services.member.invariants import INVARIANTS as MEMBER_INVARIANTS
from services.parking.invariants import INVARIANTS as PARKING_INVARIANTS
from services.points.invariants import INVARIANTS as POINTS_INVARIANTS
from services.settlement.invariants import INVARIANTS as SETTLEMENT_INVARIANTS
from tests.apps import Apps, member, public, system, vendor
from tests.integration.settlement.test_settlement_of_all_services import Suite, stamp

pytestmark = pytest.mark.timeout(120)

NOON = datetime(2017, 2, 10, 4, tzinfo=UTC)
PHONE, GUEST_PHONE = "+8613800000001", "+8613800000002"
PLATE = "沪B12345"


class Group(Suite):
    """Anna of the mall, and a guest of the hotel."""

    async def begin(self) -> Group:
        await self.start()
        stub = self.apps.stub
        self.merges = stub(merging_pb2_grpc.MemberMergeServiceStub, "member")
        self.imports = stub(imports_pb2_grpc.MemberImportServiceStub, "member")
        self.sessions = stub(member_pb2_grpc.SessionServiceStub, "member")
        self.simulator = stub(member_pb2_grpc.SimulatorServiceStub, "member")
        self.connect()
        self.orders = stub(mall_pb2_grpc.OrderServiceStub, "mall")
        self.coupons = stub(mall_pb2_grpc.CouponServiceStub, "mall")
        await self.set_time(NOON)
        units = (await self.call(self.org.ListBusinessUnits, org_pb2.ListBusinessUnitsRequest())).business_units
        create = imports_pb2.CreateMemberImportRequest(
            request_id="hotel-file",
            business_unit_id=units[0].business_unit_id,
            scheme=imports_pb2.NUMBER_SCHEME_HOTEL_GUEST,
            name="guests.csv",
        )
        file = (await self.call(self.imports.CreateMemberImport, create)).member_import
        rows = imports_pb2.ImportMembersRequest(
            request_id="hotel-rows",
            import_id=file.import_id,
            rows=[imports_pb2.MemberRow(request_id="row-1", number="H-100", phone=GUEST_PHONE)],
        )
        (row,) = (await self.call(self.imports.ImportMembers, rows)).results
        assert row.outcome == imports_pb2.IMPORT_OUTCOME_NEW
        self.guest: str = row.member_id
        await self.apps.drain()
        catalogue = stub(mall_pb2_grpc.CatalogueServiceStub, "mall")
        item = mall_pb2.CreateItemRequest(
            request_id=rid(), code="TEA", name="Tea", merchant_id=self.merchant["M1"], price_points=100, stock=9,
            limit_per_member=1,
        )  # fmt: skip
        self.item = (await self.call(catalogue.CreateItem, item)).item.item_id
        item.request_id, item.code = rid(), "CAKE"
        self.other_item = (await self.call(catalogue.CreateItem, item)).item.item_id
        template = mall_pb2.CreateTemplateRequest(
            request_id=rid(), code="TEN", name="Ten off", amount_off_minor=1_000, valid_from_time=stamp(NOON),
            valid_until_time=stamp(NOON + timedelta(days=300)), limit_per_member=1,
        )  # fmt: skip
        self.template = (await self.call(self.coupons.CreateTemplate, template)).template.template_id
        return self

    def connect(self) -> None:
        """To points and parking, also when they have been started again."""
        self.sales = self.apps.stub(points_pb2_grpc.SalesServiceStub, "points")
        self.wallets = self.apps.stub(points_pb2_grpc.WalletServiceStub, "points")
        self.vehicles = self.apps.stub(parking_pb2_grpc.VehicleServiceStub, "parking")
        self.parking = self.apps.stub(parking_pb2_grpc.ParkingServiceStub, "parking")

    async def buy(self, member_id: str, yuan: int, time: datetime = NOON) -> Any:
        sale = points_pb2.RecordSaleRequest(
            request_id=rid(),
            store_id=self.store,
            receipt_no=rid(),
            sale_time=stamp(time),
            member_id=member_id,
            total=types_pb2.Money(amount_minor=yuan * 100, currency_code="CNY"),
            lines=[points_pb2.SaleLine(line_no=1, amount_minor=yuan * 100)],
        )
        return await self.call(self.sales.RecordSale, sale)

    async def order(self, member_id: str, item: str) -> Any:
        request = mall_pb2.PlaceOrderRequest(request_id=rid(), member_id=member_id, item_id=item)
        return (await self.call(self.orders.PlaceOrder, request, member(member_id))).order

    async def issue(self, member_id: str) -> Any:
        request = mall_pb2.IssueCouponRequest(request_id=rid(), template_id=self.template, member_id=member_id)
        return (await self.call(self.coupons.IssueCoupon, request)).coupon

    async def bind(self, member_id: str, plate_no: str) -> None:
        request = parking_pb2.BindPlateRequest(request_id=rid(), member_id=member_id, plate_no=plate_no)
        await self.call(self.vehicles.BindPlate, request, member(member_id))

    async def has(self, member_id: str) -> tuple[int, int, int, int, int, str, int]:
        """Points, coupons, orders, plates, stays, tier and growth."""
        balance = await self.call(self.wallets.GetBalance, points_pb2.GetBalanceRequest(member_id=member_id))
        coupons = await self.call(self.coupons.ListCoupons, mall_pb2.ListCouponsRequest(member_id=member_id))
        orders = await self.call(self.orders.ListOrders, mall_pb2.ListOrdersRequest(member_id=member_id))
        plates = await self.call(self.vehicles.ListPlates, parking_pb2.ListPlatesRequest(member_id=member_id))
        stays = await self.call(
            self.parking.ListStays, parking_pb2.ListStaysRequest(member_id=member_id), member(member_id)
        )
        tier = await self.call(self.tiers.GetTierProgress, member_pb2.GetTierProgressRequest(member_id=member_id))
        return (
            balance.available_points,
            len(coupons.coupons),
            len(orders.orders),
            len(plates.plates),
            len(stays.stays),
            tier.tier.code,
            tier.growth,
        )

    async def identify(self, **identity: Any) -> Any:
        return await self.call(self.members.IdentifyMember, member_pb2.IdentifyMemberRequest(**identity))

    async def log_in(self, phone: str) -> Any:
        await self.call(
            self.sessions.StartLogin, member_pb2.StartLoginRequest(group_code="test-group", phone=phone), public()
        )
        sent = (
            await self.call(self.simulator.ListSentMessages, member_pb2.ListSentMessagesRequest(phone=phone))
        ).messages
        complete = member_pb2.CompleteLoginRequest(
            group_code="test-group", phone=phone, one_time_code=sent[0].one_time_code
        )
        return await self.call(self.sessions.CompleteLogin, complete, public())

    async def merge(self, survivor: str, absorbed: str, request_id: str = "", caller: Any = None) -> Any:
        request = merging_pb2.MergeMembersRequest(
            request_id=request_id or rid(), survivor_id=survivor, absorbed_id=absorbed, reason="one person"
        )
        return (await self.call(self.merges.MergeMembers, request, caller)).merge

    async def unmerge(self, merge_id: str) -> Any:
        request = merging_pb2.UnmergeMembersRequest(request_id=rid(), merge_id=merge_id, reason="two people")
        return (await self.call(self.merges.UnmergeMembers, request)).merge

    async def until(self, merge_id: str, is_so: Any) -> Any:
        """Wait, with all jobs woken again and again, until the merge is so."""
        async with asyncio.timeout(30):
            while True:
                request = merging_pb2.GetMemberMergeRequest(merge_id=merge_id)
                found = (await self.call(self.merges.GetMemberMerge, request)).merge
                if is_so(found):
                    return found
                await self.wake()

    async def wake(self) -> None:
        """Let whatever follows merges look again."""
        for app in self.apps.running.values():
            for job in app.jobs:
                if "merges" in job.name:
                    job.wake()
        await asyncio.sleep(0.05)

    async def assert_all_is_well(self) -> None:
        await self.apps.drain()
        for service, invariants in (
            ("member", MEMBER_INVARIANTS),
            ("points", POINTS_INVARIANTS),
            ("mall", MALL_INVARIANTS),
            ("parking", PARKING_INVARIANTS),
            ("settlement", SETTLEMENT_INVARIANTS),
        ):
            for name, query in invariants.items():
                assert await self.apps.running[service].db.pool.fetch(query) == [], name
        answer = await self.call(self.statements.Reconcile, settlement_pb2.ReconcileRequest())
        assert answer.is_equal, answer


def rid() -> str:
    return ids.new().hex


async def refused(answer: Any, reason: str) -> None:
    with pytest.raises(AppError) as caught:
        await answer
    assert caught.value.reason == reason


@pytest.fixture
async def group(apps: Apps) -> Group:
    return await Group(apps).begin()


async def test_a_hotel_guest_and_a_mall_member_become_one_and_two_again(group: Group) -> None:
    anna, guest = group.anna, group.guest
    await group.buy(anna, 250)
    await group.buy(guest, 300)
    await group.order(anna, group.item)
    ordered = await group.order(guest, group.item)
    coupon = await group.issue(guest)
    await group.bind(guest, PLATE)
    park: dict[str, Any] = {"car_park_id": group.car_park, "plate_no": PLATE}
    enter = parking_pb2.RecordEntryRequest(request_id=rid(), entry_time=stamp(NOON), **park)
    await group.call(group.parking.RecordEntry, enter, vendor(group.car_park))
    logged_in = await group.log_in(GUEST_PHONE)
    code = await group.call(
        group.members.GetMemberCode, member_pb2.GetMemberCodeRequest(member_id=guest), member(guest)
    )
    card_no = logged_in.member.card_no
    await group.apps.drain()
    assert await group.has(anna) == (150, 0, 1, 1, 0, "BASIC", 250)
    assert await group.has(guest) == (200, 1, 1, 1, 1, "BASIC", 300)

    # What cannot be merged.
    await refused(group.merge(anna, anna), "MERGE_WITH_SELF")
    await refused(group.merge(anna, ids.to_edge("mbr", ids.new())), "MEMBER_UNKNOWN")
    await refused(group.merge(anna, guest, caller=system(ids.derive("other"))), "MEMBER_UNKNOWN")

    # Two services are away: the merge waits for them, and says so.
    await group.apps.stop("parking", "points")
    twice = await asyncio.gather(*(group.merge(anna, guest, "merge-anna-guest") for _ in range(5)))
    merge_id = twice[0].merge_id
    assert {one.merge_id for one in twice} == {merge_id}
    waiting = await group.until(merge_id, lambda one: "mall" not in one.waiting_for)
    assert (waiting.state, list(waiting.waiting_for)) == (merging_pb2.MERGE_STATE_MERGING, ["parking", "points"])
    await refused(group.unmerge(merge_id), "MERGE_NOT_COMPLETED")
    await refused(group.merge(anna, guest), "MEMBER_ABSORBED")
    joined = member_pb2.JoinMemberRequest(request_id="join-third", phone="+8613800000003")
    third = (await group.call(group.members.JoinMember, joined)).member.member_id
    await refused(group.merge(third, anna), "MEMBER_IS_SURVIVOR")
    await refused(group.merge(guest, third), "MEMBER_ABSORBED")
    joined = member_pb2.JoinMemberRequest(request_id="join-fourth", phone="+8613800000004")
    fourth = (await group.call(group.members.JoinMember, joined)).member.member_id
    closing = risk_pb2.CloseMemberRequest(request_id=rid(), member_id=fourth, reason_code="ASKED")
    await group.call(group.apps.stub(risk_pb2_grpc.RiskServiceStub, "member").CloseMember, closing)
    await refused(group.merge(anna, fourth), "MEMBER_CLOSED")
    await group.apps.start("points", "parking")
    group.connect()
    done = await group.until(merge_id, lambda one: one.state == merging_pb2.MERGE_STATE_COMPLETED)
    assert (done.survivor_id, done.absorbed_id, done.merged_by) == (anna, guest, "key_test")

    # Whatever led to the guest leads to Anna, who has it all, gold by what both have bought.
    everything = (350, 1, 2, 2, 1, "GOLD", 550)
    assert await group.has(anna) == everything
    assert await group.has(guest) == everything
    for identity in ({"phone": GUEST_PHONE}, {"card_no": card_no}, {"phone": PHONE}):
        found = await group.identify(**identity)
        assert (found.member_id, found.tier_code) == (anna, "GOLD")
    await refused(group.identify(member_code=code.member_code), "MEMBER_CODE_EXPIRED")
    refresh = member_pb2.RefreshSessionRequest(refresh_token=logged_in.tokens.refresh_token)
    await refused(group.call(group.sessions.RefreshSession, refresh, public()), "SESSION_ENDED")
    one = await group.call(group.members.GetMember, member_pb2.GetMemberRequest(member_id=guest))
    assert one.member.member_id == anna
    listed = merging_pb2.ListMemberMergesRequest(member_id=guest)
    assert len((await group.call(group.merges.ListMemberMerges, listed)).merges) == 1
    counts = await group.call(group.tiers.CountMembersByTier, member_pb2.CountMembersByTierRequest())
    assert sum(tier.member_count for tier in counts.tiers) == 3  # with the third and the fourth

    # Both go on, under either name: Anna pays for the guest's car and gives the guest's order back, the guest orders.
    leaving = stamp(NOON + timedelta(minutes=200))
    pay = parking_pb2.PayFeeRequest(request_id=rid(), member_id=anna, pay_time=leaving, use_points=True, **park)
    assert (await group.call(group.parking.PayFee, pay, member(anna))).fee.points == 300
    cancel = mall_pb2.CancelOrderRequest(request_id=rid(), member_id=anna, order_id=ordered.order_id)
    cancelled = await group.call(group.orders.CancelOrder, cancel, member(anna))
    assert cancelled.order.state == mall_pb2.ORDER_STATE_CANCELLED
    assert (await group.buy(guest, 50)).available_points == 200
    await group.buy(anna, 20)
    assert (await group.order(guest, group.other_item)).state == mall_pb2.ORDER_STATE_COMPLETED
    await refused(group.order(guest, group.item), "LIMIT_REACHED")
    await refused(group.issue(anna), "LIMIT_REACHED")  # one of it is there already
    await group.apps.drain()
    async with asyncio.timeout(10):
        while await group.has(anna) != (120, 1, 3, 2, 1, "GOLD", 620):
            await group.wake()
    await group.assert_all_is_well()

    # It was a mistake. What each did since is its own.
    await group.unmerge(merge_id)
    await refused(group.unmerge(merge_id), "MERGE_UNDONE")
    undone = await group.until(merge_id, lambda one: one.state == merging_pb2.MERGE_STATE_UNMERGED)
    await group.apps.drain()
    # The guest would have 300 + 50 - 100. Anna had 150 + 20 and paid 300: all 120 are the guest's, 130 are missing.
    assert await group.has(anna) == (0, 0, 1, 1, 0, "BASIC", 270)
    assert await group.has(guest) == (120, 1, 2, 1, 1, "BASIC", 350)
    assert undone.uncharged_points == 130
    assert (await group.identify(phone=GUEST_PHONE)).member_id == guest
    assert (await group.identify(card_no=card_no)).member_id == guest
    coupons = await group.call(group.coupons.ListCoupons, mall_pb2.ListCouponsRequest(member_id=guest))
    assert coupons.coupons[0].coupon_id == coupon.coupon_id
    assert (await group.buy(guest, 10)).available_points == 130
    assert (await group.buy(anna, 10)).available_points == 10

    # Whoever is closed is closed under the id of an absorbed member too.
    merge_id = (await group.merge(guest, third)).merge_id
    await group.until(merge_id, lambda one: one.state == merging_pb2.MERGE_STATE_COMPLETED)
    closing = risk_pb2.CloseMemberRequest(request_id=rid(), member_id=third, reason_code="ASKED")
    closed = await group.call(group.apps.stub(risk_pb2_grpc.RiskServiceStub, "member").CloseMember, closing)
    assert closed.standing.member_id == guest
    await group.apps.drain()
    later = NOON + timedelta(days=1)
    await group.set_time(later + timedelta(hours=1))
    await refused(group.buy(third, 10, later), "MEMBER_CLOSED")
    await group.assert_all_is_well()
