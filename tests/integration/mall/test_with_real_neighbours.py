"""The mall with the real org, member and points, over events and gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import AppError
from chassis.rpc import internal_caller
from huitong.common.v1 import types_pb2
from huitong.mall.v1 import mall_pb2
from huitong.member.v1 import benefits_pb2, benefits_pb2_grpc, member_pb2, member_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from huitong.points.v1 import family_pools_pb2, family_pools_pb2_grpc, points_pb2, points_pb2_grpc
from services.mall.invariants import INVARIANTS
from services.points.invariants import INVARIANTS as POINTS_INVARIANTS
from services.points.rule_sets import operations as rule_sets
from tests.apps import GROUP, Apps, internal, member, system, terminal
from tests.integration.mall.mall import STUBS, rid
from tests.integration.points.world import set_time

pytestmark = pytest.mark.timeout(120)

CSV = """kind,code,name,parent_code,unit_kind,time_zone,currency_code,category,floor
unit,MALL,Mall,,mall,Asia/Shanghai,CNY,,
merchant,M1,Grocer,MALL,,,,supermarket,
merchant,M2,Baker,MALL,,,,bakery,
store,S1,Grocer 1,M1,,,,,L1
store,S2,Baker 1,M2,,,,,L2
"""


class World:
    """A group with two stores and one member who has bought something."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps

    async def start(self) -> World:
        self.running = await self.apps.start("org", "member", "points", "mall")
        self.org = self.apps.stub(org_pb2_grpc.StructureServiceStub, "org")
        self.members = self.apps.stub(member_pb2_grpc.MemberServiceStub, "member")
        self.rules = self.apps.stub(points_pb2_grpc.RuleServiceStub, "points")
        self.sales = self.apps.stub(points_pb2_grpc.SalesServiceStub, "points")
        create = org_pb2.CreateGroupRequest(request_id="create-group", code="test-group", name="Test")
        await self.apps.call(self.org.CreateGroup, create, internal("suite"))
        await self.apps.call(
            self.org.ImportStructure, org_pb2.ImportStructureRequest(request_id="import-csv", csv=CSV), system()
        )
        listed = await self.apps.call(self.org.ListStores, org_pb2.ListStoresRequest(), system())
        self.stores = {store.code: store.store_id for store in listed.stores}
        self.merchants = {store.code: store.merchant_id for store in listed.stores}
        await self.apps.call(self.rules.PublishRuleSet, _rule_set(), system())
        join = member_pb2.JoinMemberRequest(request_id="join-anna", phone="+8613800000001")
        joined = await self.apps.call(self.members.JoinMember, join, system())
        self.anna = joined.member.member_id
        await self.apps.drain()
        await self.buy_once()
        return self

    async def buy_once(self) -> None:
        """1,000 points."""
        request = points_pb2.RecordSaleRequest(
            request_id=rid(),
            store_id=self.stores["S1"],
            receipt_no=rid(),
            sale_time=_now(),
            member_id=self.anna,
            total=types_pb2.Money(amount_minor=100_000, currency_code="CNY"),
            lines=[points_pb2.SaleLine(line_no=1, amount_minor=100_000)],
        )
        await self.apps.call(self.sales.RecordSale, request, system())

    async def call(self, service: str, rpc: str, request: Any, caller: Any = None) -> Any:
        return await self.apps.call(getattr(self.apps.stub(STUBS[service], "mall"), rpc), request, caller or system())

    async def balance(self) -> tuple[int, int]:
        wallets = self.apps.stub(points_pb2_grpc.WalletServiceStub, "points")
        found = await self.apps.call(wallets.GetBalance, points_pb2.GetBalanceRequest(member_id=self.anna), system())
        return found.available_points, found.held_points

    async def code(self) -> str:
        request = member_pb2.GetMemberCodeRequest(member_id=self.anna)
        return str((await self.apps.call(self.members.GetMemberCode, request, member(self.anna))).member_code)

    async def assert_invariants(self) -> None:
        for name, query in INVARIANTS.items():
            assert await self.running["mall"].db.pool.fetch(query) == [], name
        for name, query in POINTS_INVARIANTS.items():
            rows = await self.running["points"].db.pool.fetch(query)
            assert [row for row in rows if tuple(row) != (0,)] == [], name


def _now() -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC))
    return stamp


def _rule_set() -> points_pb2.PublishRuleSetRequest:
    return points_pb2.PublishRuleSetRequest(
        request_id="rule-set-1",
        rule_set=points_pb2.RuleSet(
            effective_date=types_pb2.BusinessDate(year=2020, month=1, day=1),
            base_points=1,
            base_step_minor=100,
            rules=[points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")],
            expiry_months=12,
            offset=points_pb2.OffsetRule(offset_points=100, offset_minor=300, max_share_bps=1500),
        ),
    )


@pytest.fixture
async def world(apps: Apps) -> AsyncIterator[World]:
    yield await World(apps).start()


async def test_the_whole_mall_on_real_points(world: World) -> None:
    # copies came by events: nobody had to be asked
    item_request = mall_pb2.CreateItemRequest(
        request_id=rid(), code="TEA", name="Tea", merchant_id=world.merchants["S1"], price_points=300, stock=5
    )
    item = (await world.call("Catalogue", "CreateItem", item_request)).item
    assert await world.running["mall"].db.pool.fetchval("SELECT count(*) FROM store_copy") == 2
    assert await world.running["mall"].db.pool.fetchval("SELECT count(*) FROM member_copy") == 1

    # an order, cancelled again, and one that stays
    def place() -> mall_pb2.PlaceOrderRequest:
        return mall_pb2.PlaceOrderRequest(request_id=rid(), member_id=world.anna, item_id=item.item_id)

    first = await world.call("Order", "PlaceOrder", place(), member(world.anna))
    assert (first.order.state, first.available_points) == (mall_pb2.ORDER_STATE_COMPLETED, 700)
    cancel = mall_pb2.CancelOrderRequest(request_id=rid(), member_id=world.anna, order_id=first.order.order_id)
    cancelled = await world.call("Order", "CancelOrder", cancel, member(world.anna))
    assert cancelled.order.state == mall_pb2.ORDER_STATE_CANCELLED
    assert await world.balance() == (1000, 0)
    request = place()
    same = await asyncio.gather(*(world.call("Order", "PlaceOrder", request, member(world.anna)) for _ in range(20)))
    assert {answer.order.voucher.code for answer in same} == {same[0].order.voucher.code}
    assert await world.balance() == (700, 0)

    # too dear
    dear = mall_pb2.CreateItemRequest(
        request_id=rid(), code="CAR", name="Car", merchant_id=world.merchants["S2"], price_points=10**6, stock=1
    )
    car = (await world.call("Catalogue", "CreateItem", dear)).item
    refused = mall_pb2.PlaceOrderRequest(request_id=rid(), member_id=world.anna, item_id=car.item_id)
    for _ in range(2):
        with pytest.raises(AppError) as caught:
            await world.call("Order", "PlaceOrder", refused, member(world.anna))
        assert caught.value.reason == "INSUFFICIENT_POINTS"
    await world.assert_invariants()

    # a checkout with coupon and points, voided afterwards
    await _checkout_and_void(world)
    await world.assert_invariants()


async def _checkout_and_void(world: World) -> None:
    template = mall_pb2.CreateTemplateRequest(
        request_id=rid(),
        code="TEN",
        name="Ten off",
        amount_off_minor=1000,
        valid_from_time=Timestamp(seconds=1_500_000_000),
        valid_until_time=Timestamp(seconds=4_000_000_000),
    )
    made = (await world.call("Coupon", "CreateTemplate", template)).template
    issue = mall_pb2.IssueCouponRequest(request_id=rid(), template_id=made.template_id, member_id=world.anna)
    coupon = (await world.call("Coupon", "IssueCoupon", issue)).coupon
    till = terminal(world.stores["S2"])
    purchase: dict[str, Any] = {
        "store_id": world.stores["S2"],
        "sale_time": _now(),
        "total": types_pb2.Money(amount_minor=11_000, currency_code="CNY"),
        "lines": [
            points_pb2.SaleLine(line_no=1, amount_minor=7_001),
            points_pb2.SaleLine(line_no=2, amount_minor=3_999),
        ],
    }
    code = await world.code()
    quote = await world.call(
        "Checkout", "QuoteCheckout", mall_pb2.QuoteCheckoutRequest(**purchase, member_code=code), till
    )
    assert (quote.coupons[0].discount.amount_minor, quote.max_points, quote.payable.amount_minor) == (1000, 500, 8500)
    commit = mall_pb2.CommitCheckoutRequest(
        **purchase,
        request_id=rid(),
        receipt_no="C1",
        member_code=code,
        coupon_code=coupon.code,
        offset_points=quote.max_points,
    )
    answers = await asyncio.gather(*(world.call("Checkout", "CommitCheckout", commit, till) for _ in range(10)))
    done = answers[0].checkout
    assert all(answer.checkout == done for answer in answers)
    assert (done.state, done.payable.amount_minor, done.earned_points) == (
        mall_pb2.CHECKOUT_STATE_COMMITTED,
        8500,
        85,
    )
    assert done.explanation.rules and await world.balance() == (700 - 500 + 85, 0)
    assert done.available_points == 285
    again = mall_pb2.CommitCheckoutRequest()
    again.CopyFrom(commit)
    again.request_id, again.receipt_no, again.coupon_code, again.offset_points = rid(), "C2", "", 100
    with pytest.raises(AppError) as caught:
        await world.call("Checkout", "CommitCheckout", again, till)
    assert caught.value.reason == "MEMBER_CODE_USED"

    void = mall_pb2.VoidCheckoutRequest(request_id=rid(), store_id=world.stores["S2"], checkout_id=done.checkout_id)
    voided = (await world.call("Checkout", "VoidCheckout", void, till)).checkout
    assert voided.state == mall_pb2.CHECKOUT_STATE_VOIDED
    assert await world.balance() == (700, 0)
    listed = await world.call("Coupon", "ListCoupons", mall_pb2.ListCouponsRequest(member_id=world.anna))
    assert listed.coupons[0].state == mall_pb2.COUPON_STATE_ISSUED


async def test_benefits_of_a_tier_are_spent_on_orders_exactly(world: World) -> None:
    async def benefits(rpc: str, request: Any) -> Any:
        return await world.apps.call(
            getattr(world.apps.stub(benefits_pb2_grpc.BenefitServiceStub, "member"), rpc), request, system()
        )

    join = member_pb2.JoinMemberRequest(request_id="join-carl", phone="+8613800000003")
    joined = (await world.apps.call(world.members.JoinMember, join, system())).member
    await world.apps.drain()
    gift = benefits_pb2.Benefit(
        benefit_code="LOUNGE",
        kind=benefits_pb2.BENEFIT_KIND_LOUNGE_ENTRY,
        name="Lounge",
        quota=2,
        period=benefits_pb2.QUOTA_PERIOD_YEAR,
    )
    price = benefits_pb2.Benefit(
        benefit_code="PRICE",
        kind=benefits_pb2.BENEFIT_KIND_MEMBER_PRICE,
        name="Member price",
        price_bps=9000,
        period=benefits_pb2.QUOTA_PERIOD_YEAR,
    )
    await benefits(
        "SetTierBenefits",
        benefits_pb2.SetTierBenefitsRequest(request_id=rid(), tier_code=joined.tier_code, benefits=[gift, price]),
    )
    made = [
        (await world.call("Catalogue", "CreateItem", request)).item
        for request in (
            mall_pb2.CreateItemRequest(
                request_id=rid(), code=code, name=code, merchant_id=world.merchants["S1"], stock=50, **values
            )
            for code, values in (
                ("ENTRY", {"benefit_code": "LOUNGE"}),
                ("BOOK", {"benefit_code": "PRICE", "price_points": 111}),
                ("NOBODY", {"benefit_code": "UNHEARD"}),
            )
        )
    ]

    async def order(item: Any, member_id: str = joined.member_id, request_id: str = "") -> Any:
        request = mall_pb2.PlaceOrderRequest(request_id=request_id or rid(), member_id=member_id, item_id=item.item_id)
        try:
            return (await world.call("Order", "PlaceOrder", request, member(member_id))).order
        except AppError as refused:
            return refused.reason

    async def used() -> list[tuple[str, bool]]:
        listed = await benefits("ListBenefitUses", benefits_pb2.ListBenefitUsesRequest(member_id=joined.member_id))
        return sorted((use.reference, use.HasField("return_time")) for use in listed.uses)

    entry, book, nobody = made
    answers = await asyncio.gather(*(order(entry) for _ in range(12)))
    granted = [answer for answer in answers if not isinstance(answer, str)]
    assert [one.state for one in granted] == [mall_pb2.ORDER_STATE_COMPLETED] * 2
    assert [answer for answer in answers if isinstance(answer, str)] == ["BENEFIT_QUOTA_USED"] * 10
    assert await used() == sorted((one.order_id, False) for one in granted)
    assert await order(nobody) == "BENEFIT_UNKNOWN"
    # One is given back, and ordered again by somebody whose member service is away for a while.
    cancel = mall_pb2.CancelOrderRequest(request_id=rid(), member_id=joined.member_id, order_id=granted[0].order_id)
    await world.call("Order", "CancelOrder", cancel, member(joined.member_id))
    assert dict(await used())[granted[0].order_id]
    await world.apps.stop("member")
    request_id = rid()
    assert (await order(entry, request_id=request_id)).state == mall_pb2.ORDER_STATE_PENDING
    await world.apps.start("member")
    async with asyncio.timeout(30):
        while (again := await order(entry, request_id=request_id)).state == mall_pb2.ORDER_STATE_PENDING:
            await asyncio.sleep(0.2)
    assert again.state == mall_pb2.ORDER_STATE_COMPLETED
    assert sum(not returned for _, returned in await used()) == 2
    # A member price, of points that Anna has.
    before, _ = await world.balance()
    bought = await order(book, world.anna)
    assert (bought.state, bought.points, await world.balance()) == (
        mall_pb2.ORDER_STATE_COMPLETED,
        100,
        (before - 100, 0),
    )
    await world.assert_invariants()


async def test_points_stopped_in_the_middle_is_waited_for(world: World) -> None:
    request = mall_pb2.CreateItemRequest(
        request_id=rid(), code="JAM", name="Jam", merchant_id=world.merchants["S1"], price_points=100, stock=3
    )
    item = (await world.call("Catalogue", "CreateItem", request)).item
    available, _ = await world.balance()
    await world.apps.stop("points")
    place = mall_pb2.PlaceOrderRequest(request_id=rid(), member_id=world.anna, item_id=item.item_id)
    pending = await world.call("Order", "PlaceOrder", place, member(world.anna))
    assert pending.order.state == mall_pb2.ORDER_STATE_PENDING
    await world.apps.start("points")
    async with asyncio.timeout(30):
        while pending.order.state == mall_pb2.ORDER_STATE_PENDING:
            await asyncio.sleep(0.2)
            pending = await world.call("Order", "PlaceOrder", place, member(world.anna))
    assert pending.order.state == mall_pb2.ORDER_STATE_COMPLETED and pending.order.voucher.code
    assert await world.balance() == (available - 100, 0)
    await world.assert_invariants()


async def test_a_till_pays_by_its_quote_when_the_campaign_has_ended_since(world: World) -> None:
    # Somebody without coupons.
    join = member_pb2.JoinMemberRequest(request_id="join-ben-1", phone="+8613800000002")
    world.anna = (await world.apps.call(world.members.JoinMember, join, system())).member.member_id
    await world.buy_once()
    points = world.running["points"]
    minute_before = datetime.now(UTC).replace(hour=15, minute=59, second=0, microsecond=0)  # 23:59 in Shanghai
    today = minute_before.date()
    worth = {"step_points": 10, "min_points": 50, "excluded_categories": ["GOLD"]}
    rules = points_pb2.RuleSet()
    rules.CopyFrom(_rule_set().rule_set)
    rules.effective_date.day = 2
    rules.offset_terms.add(
        terms_id="usual", offset=points_pb2.OffsetRule(offset_points=1, offset_minor=2, max_share_bps=5000), **worth
    )
    rules.offset_terms.add(
        terms_id="today",
        offset=points_pb2.OffsetRule(offset_points=1, offset_minor=3, max_share_bps=5000),
        end_date=types_pb2.BusinessDate(year=today.year, month=today.month, day=today.day),
        **worth,
    )
    async with points.db.transaction(internal_caller("points", GROUP)) as tx:
        await rule_sets.publish_rule_set(tx, rules)
    await set_time(points, minute_before)
    till = terminal(world.stores["S2"])
    stamp = Timestamp()
    stamp.FromDatetime(minute_before)
    purchase: dict[str, Any] = {
        "store_id": world.stores["S2"],
        "sale_time": stamp,
        "total": types_pb2.Money(amount_minor=11_000, currency_code="CNY"),
        "lines": [
            points_pb2.SaleLine(line_no=1, amount_minor=10_000, category="GOLD"),
            points_pb2.SaleLine(line_no=2, amount_minor=1_000, category="FOOD"),
        ],
    }
    code = await world.code()
    quote = await world.call(
        "Checkout", "QuoteCheckout", mall_pb2.QuoteCheckoutRequest(**purchase, member_code=code), till
    )
    # Half of the ten yuan that are not gold.
    assert (quote.max_points, quote.max_offset.amount_minor, quote.min_points, quote.step_minor) == (160, 480, 50, 30)
    await set_time(points, minute_before + timedelta(minutes=2))

    def commit(offset_points: int, token: str) -> mall_pb2.CommitCheckoutRequest:
        return mall_pb2.CommitCheckoutRequest(
            **purchase,
            request_id=rid(),
            receipt_no=rid(),
            member_code=code,
            offset_points=offset_points,
            offset_quote_token=token,
        )

    for offset_points, token, reason in (
        (170, quote.offset_quote_token, "OFFSET_TOO_LARGE"),
        (40, quote.offset_quote_token, "OFFSET_TOO_SMALL"),
        (100, "nonsense", "OFFSET_QUOTE_INVALID"),
    ):
        with pytest.raises(AppError) as caught:
            await world.call("Checkout", "CommitCheckout", commit(offset_points, token), till)
        assert caught.value.reason == reason
    # None of these has used the member's code up.
    done = (await world.call("Checkout", "CommitCheckout", commit(100, quote.offset_quote_token), till)).checkout
    assert (done.state, done.points_offset.amount_minor) == (mall_pb2.CHECKOUT_STATE_COMMITTED, 300)
    # Without the quote the terms of the new day count.
    code = await world.code()
    done = (await world.call("Checkout", "CommitCheckout", commit(100, ""), till)).checkout
    assert (done.state, done.points_offset.amount_minor) == (mall_pb2.CHECKOUT_STATE_COMMITTED, 200)
    await world.assert_invariants()


async def test_a_member_pays_with_the_family_s_points(world: World) -> None:
    points = world.running["points"]
    await points.db.pool.execute("DELETE FROM business_clock")
    rules = points_pb2.RuleSet()
    rules.CopyFrom(_rule_set().rule_set)
    rules.effective_date.day, rules.family_pool_members = 3, 2
    async with points.db.transaction(internal_caller("points", GROUP)) as tx:
        await rule_sets.publish_rule_set(tx, rules)
    family = []
    for number in (3, 4):
        join = member_pb2.JoinMemberRequest(request_id=f"join-{number}-001", phone=f"+861380000000{number}")
        family.append((await world.apps.call(world.members.JoinMember, join, system())).member.member_id)
    owner, world.anna = family
    pools = world.apps.stub(family_pools_pb2_grpc.FamilyPoolServiceStub, "points")

    async def ask(method: str, who: str, **values: Any) -> Any:
        request = getattr(family_pools_pb2, f"{method}Request")(request_id=rid(), member_id=who, **values)
        return await world.apps.call(getattr(pools, method), request, member(who))

    pool_id = (await ask("CreateFamilyPool", owner, name="Home")).pool.pool_id
    await ask(
        "SetPoolMember", owner, pool_id=pool_id, other_member_id=world.anna, may_spend=True, spend_limit_points=600
    )
    await ask("JoinFamilyPool", world.anna, pool_id=pool_id)
    world.anna = owner
    await world.buy_once()
    await ask("ContributeToPool", owner, pool_id=pool_id, points=1_000)
    world.anna = family[1]

    async def left() -> tuple[int, int]:
        request = family_pools_pb2.GetFamilyPoolRequest(member_id=owner, pool_id=pool_id)
        found = await world.apps.call(pools.GetFamilyPool, request, member(owner))
        return found.available_points, found.pool.members[-1].spent_points

    till = terminal(world.stores["S2"])
    purchase: dict[str, Any] = {
        "store_id": world.stores["S2"],
        "sale_time": _now(),
        "total": types_pb2.Money(amount_minor=10_000, currency_code="CNY"),
        "lines": [points_pb2.SaleLine(line_no=1, amount_minor=10_000)],
        "pool_id": pool_id,
    }
    code = await world.code()
    asking = mall_pb2.QuoteCheckoutRequest(**purchase, member_code=code)
    quote = await world.call("Checkout", "QuoteCheckout", asking, till)
    assert quote.max_points == 500
    commit = mall_pb2.CommitCheckoutRequest(
        **purchase, request_id=rid(), receipt_no=rid(), member_code=code, offset_points=500
    )
    done = (await world.call("Checkout", "CommitCheckout", commit, till)).checkout
    assert done.state == mall_pb2.CHECKOUT_STATE_COMMITTED
    # The pool paid, the purchase earned for who bought.
    assert (await left(), await world.balance()) == ((500, 500), (85, 0))
    assert done.available_points == 85
    commit.request_id, commit.receipt_no, commit.member_code = rid(), rid(), await world.code()
    with pytest.raises(AppError) as caught:
        await world.call("Checkout", "CommitCheckout", commit, till)
    assert caught.value.reason == "POOL_LIMIT_REACHED"
    void = mall_pb2.VoidCheckoutRequest(request_id=rid(), store_id=world.stores["S2"], checkout_id=done.checkout_id)
    await world.call("Checkout", "VoidCheckout", void, till)
    assert (await left(), await world.balance()) == ((1_000, 0), (0, 0))
    await world.assert_invariants()
