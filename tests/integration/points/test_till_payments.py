"""Unit points and stored value at a till: org, member and points are all real, and so are the members' codes."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError, Unavailable
from chassis.identity import Caller
from huitong.common.v1 import types_pb2
from huitong.member.v1 import member_pb2, member_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from huitong.points.v1 import (
    adjustments_pb2,
    adjustments_pb2_grpc,
    points_pb2,
    points_pb2_grpc,
    wallets_pb2,
    wallets_pb2_grpc,
)
from services.member import api as member_api
from services.points.convert import to_date
from services.points.spending.operations import Spendings
from tests.apps import Apps, internal, member, system, terminal
from tests.integration.points.test_sales import refused
from tests.integration.points.world import violations
from tests.people import People, grant

_groups = itertools.count(1)


class Tills:
    """A group with a mall (stores 0 and 1 of one merchant, 2 of another) and a hotel (store 3); two members."""

    def __init__(self, apps: Apps) -> None:
        self.apps, self.code = apps, f"tills-{next(_groups)}"
        self.group_id = ids.derive("group", self.code)
        self.structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
        self.people = apps.stub(member_pb2_grpc.MemberServiceStub, "member")
        self.ladder = apps.stub(member_pb2_grpc.TierServiceStub, "member")
        self.rules = apps.stub(points_pb2_grpc.RuleServiceStub, "points")
        self.wallets = apps.stub(points_pb2_grpc.WalletServiceStub, "points")
        self.currencies = apps.stub(wallets_pb2_grpc.CurrencyServiceStub, "points")
        self.money = apps.stub(wallets_pb2_grpc.StoredValueServiceStub, "points")
        self.adjustments = apps.stub(adjustments_pb2_grpc.AdjustmentServiceStub, "points")
        self.payments = apps.stub(wallets_pb2_grpc.TillPaymentServiceStub, "points")
        self.stores: list[str] = []
        self.merchants: list[str] = []
        self.members: list[str] = []
        self.hotel = self.card = ""

    async def call(self, method: Any, request: Any, caller: Caller | None = None) -> Any:
        """As a system of the group unless told otherwise; a request without a request id gets one."""
        if "request_id" in request.DESCRIPTOR.fields_by_name and not request.request_id:
            request.request_id = ids.new().hex
        return await self.apps.call(method, request, caller or system(self.group_id), timeout_s=20)

    async def build(self) -> Tills:
        group = org_pb2.CreateGroupRequest(code=self.code, name=self.code)
        await self.call(self.structure.CreateGroup, group, internal("suite"))
        for unit, kind, shops in (
            ("MALL", org_pb2.UNIT_KIND_MALL, (("A", 2), ("B", 1))),
            ("HOTEL", org_pb2.UNIT_KIND_HOTEL, (("H", 1),)),
        ):
            request = org_pb2.CreateBusinessUnitRequest(
                code=unit, name=unit, kind=kind, time_zone="Asia/Shanghai", currency_code="CNY"
            )
            unit_id = (await self.call(self.structure.CreateBusinessUnit, request)).business_unit.business_unit_id
            for merchant, count in shops:
                new = org_pb2.CreateMerchantRequest(code=merchant, name=merchant, business_unit_id=unit_id)
                merchant_id = (await self.call(self.structure.CreateMerchant, new)).merchant.merchant_id
                self.merchants.append(merchant_id)
                for number in range(count):
                    code = f"{merchant}{number}"
                    shop = org_pb2.CreateStoreRequest(code=code, name=code, merchant_id=merchant_id)
                    self.stores.append((await self.call(self.structure.CreateStore, shop)).store.store_id)
        tier = member_pb2.Tier(code="BASIC", name="Basic", min_growth=0, earn_multiplier_bps=10_000)
        await self.call(self.ladder.SetTierLadder, member_pb2.SetTierLadderRequest(tiers=[tier]))
        rule_set = points_pb2.RuleSet(
            effective_date=to_date(date(2015, 1, 1)),
            base_points=1,
            base_step_minor=100,
            rules=[points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")],
            expiry_months=12,
        )
        await self.call(self.rules.PublishRuleSet, points_pb2.PublishRuleSetRequest(rule_set=rule_set))
        for number in range(2):
            join = member_pb2.JoinMemberRequest(phone=f"+861380000000{number}")
            self.members.append((await self.call(self.people.JoinMember, join)).member.member_id)
        await self.apps.drain()
        self.hotel = await self._currency(
            kind=wallets_pb2.CURRENCY_KIND_UNIT_POINTS, code="HOTEL_POINTS", business_unit_id=unit_id, expiry_months=24
        )
        self.card = await self._currency(
            kind=wallets_pb2.CURRENCY_KIND_STORED_VALUE, code="CARD", money_code="CNY", expiry_months=0
        )
        return self

    async def _currency(self, **values: Any) -> str:
        request = wallets_pb2.CreateCurrencyRequest(name="Name", name_zh="名称", **values)
        return (await self.call(self.currencies.CreateCurrency, request)).currency.currency_id

    async def top_up(self, amount_minor: int, member: int = 0) -> None:
        request = wallets_pb2.TopUpRequest(
            member_id=self.members[member],
            currency_id=self.card,
            merchant_id=self.merchants[0],
            paid=types_pb2.Money(amount_minor=amount_minor, currency_code="CNY"),
            payment_reference=ids.new().hex,
        )
        await self.call(self.money.TopUp, request)

    async def give(self, points: int) -> None:
        """The hotel's points to member 0."""
        asked = await self.call(
            self.adjustments.RequestAdjustment,
            adjustments_pb2.RequestAdjustmentRequest(
                member_id=self.members[0],
                direction=adjustments_pb2.ADJUSTMENT_DIRECTION_CREDIT,
                points=points,
                merchant_id=self.merchants[2],
                reason_code="STAY",
                reason_text="One night",
                currency_id=self.hotel,
            ),
        )
        await self.call(
            self.adjustments.ApproveAdjustment,
            adjustments_pb2.ApproveAdjustmentRequest(adjustment_id=asked.adjustment.adjustment_id),
            await People(self.apps).hire(grant("GROUP_ADMIN"), group_id=self.group_id),
        )

    async def show(self, number: int = 0) -> str:
        """A code of the member, one that was not used."""
        request = member_pb2.GetMemberCodeRequest(member_id=self.members[number])
        who = member(self.members[number], self.group_id)
        return (await self.call(self.people.GetMemberCode, request, who)).member_code

    async def pay(self, points: int, code: str = "", *, shop: int = 0, till: int | None = None, **values: Any) -> Any:
        """As the till of the shop, or of another one. The card's money unless told otherwise."""
        request = wallets_pb2.PayAtTillRequest(
            **{
                "store_id": self.stores[shop],
                "currency_id": self.card,
                "points": points,
                "reference": "receipt-1",
                **({"member_code": code} if code else {}),
                **values,
            }
        )
        return await self.call(self.payments.PayAtTill, request, self.till(shop if till is None else till))

    async def refund(
        self, paid: Any, points: int = 0, *, shop: int = 0, till: int | None = None, **values: Any
    ) -> wallets_pb2.RefundTillPaymentResponse:
        request = wallets_pb2.RefundTillPaymentRequest(
            **{
                "store_id": self.stores[shop],
                "member_id": paid.member_id,
                "currency_id": self.card,
                "payment_txn_id": paid.txn_id,
                "points": points,
                **values,
            }
        )
        return await self.call(self.payments.RefundTillPayment, request, self.till(shop if till is None else till))

    def till(self, shop: int) -> Caller:
        return terminal(self.stores[shop], self.group_id)

    async def available(self, currency: str, member: int = 0) -> int:
        request = points_pb2.GetBalanceRequest(member_id=self.members[member], currency_id=currency)
        return (await self.call(self.wallets.GetBalance, request)).available_points

    async def statement(self, currency: str) -> list[points_pb2.StatementEntry]:
        request = points_pb2.ListStatementRequest(member_id=self.members[0], currency_id=currency)
        return list((await self.call(self.wallets.ListStatement, request)).entries)


class Clock:
    """The real clock as member sees it, until it is moved."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def time(self) -> float:
        return time.time() + self.ahead_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(member_api, "time", moved)
    return moved


@pytest.fixture
async def tills(apps: Apps) -> AsyncIterator[Tills]:
    await apps.start("org", "member", "points")
    database = apps.running["points"].db
    await database.pool.execute("DELETE FROM business_clock")
    yield await Tills(apps).build()
    assert await violations(database.url) == {}


async def test_a_till_takes_stored_value_of_a_member_who_shows_a_code(tills: Tills) -> None:
    await tills.top_up(10_000)
    code = await tills.show()
    paid = await tills.pay(3_000, code, shop=2)
    assert (paid.member_id, paid.points, paid.available_points) == (tills.members[0], 3_000, 7_000)
    assert not paid.is_replay
    await refused(tills.pay(10, code, shop=2), "MEMBER_CODE_USED")
    entry = (await tills.statement(tills.card))[0]
    assert (entry.kind, entry.points) == (points_pb2.MOVEMENT_KIND_REDEEM, -3_000)
    assert (entry.spending_kind, entry.reference) == (points_pb2.SPENDING_KIND_TILL_PAYMENT, "receipt-1")
    assert (entry.merchant_id, entry.store_id) == (tills.merchants[1], tills.stores[2])
    totals = await tills.call(
        tills.apps.stub(points_pb2_grpc.LedgerServiceStub, "points").GetTotals,
        points_pb2.GetTotalsRequest(currency_id=tills.card),
    )
    accepted = {one.merchant_id: one.accepted_points for one in totals.merchants if one.accepted_points}
    assert accepted == {tills.merchants[1]: 3_000}


async def test_points_of_a_unit_pay_at_its_own_tills_only(tills: Tills) -> None:
    await tills.give(50)
    code = await tills.show()
    error = await refused(tills.pay(20, code, currency_id=tills.hotel), "CURRENCY_NOT_SUITABLE")
    assert error.values["currency_code"] == "HOTEL_POINTS"
    # The refusal has not used the code up.
    paid = await tills.pay(20, code, shop=3, currency_id=tills.hotel)
    assert (paid.points, paid.available_points) == (20, 30)
    back = await tills.refund(paid, 5, shop=3, currency_id=tills.hotel)
    assert (back.points, back.available_points) == (5, 35)


async def test_what_cannot_be_paid_is_refused_and_leaves_the_code_unused(tills: Tills) -> None:
    await tills.top_up(1_000)
    code = await tills.show()
    own = ids.to_edge("cur", tills.group_id)
    await refused(tills.pay(10, code, currency_id=own), "CURRENCY_NOT_SUITABLE")
    await refused(tills.pay(10, code, currency_id=""), "INVALID_ARGUMENT")
    await refused(tills.pay(0, code), "INVALID_ARGUMENT")
    await refused(tills.pay(10, code, reference=""), "INVALID_ARGUMENT")
    await refused(tills.pay(10, code, currency_id=ids.to_edge("cur", ids.new())), "CURRENCY_UNKNOWN")
    await refused(tills.pay(10, code, till=1), "NOT_YOURS")
    await refused(tills.pay(10, member_id=tills.members[0]), "SPENDING_NEEDS_CODE")
    await refused(tills.pay(10), "INVALID_ARGUMENT")
    await refused(tills.pay(10, code[:-1] + str((int(code[-1]) + 1) % 10)), "MEMBER_CODE_INVALID")
    error = await refused(tills.pay(1_001, code), "INSUFFICIENT_POINTS")
    assert (error.values["available_points"], error.values["requested_points"]) == ("1000", "1001")
    assert (await tills.pay(1_000, code)).available_points == 0
    foreign = wallets_pb2.PayAtTillRequest(
        store_id=tills.stores[0], currency_id=tills.card, points=1, reference="r", member_code=code
    )
    who = member(tills.members[0], tills.group_id)
    await refused(tills.call(tills.payments.PayAtTill, foreign, who), "PERMISSION_DENIED")


async def test_money_of_another_currency_is_not_taken(tills: Tills) -> None:
    dollars = await tills._currency(kind=wallets_pb2.CURRENCY_KIND_STORED_VALUE, code="USD_CARD", money_code="USD")
    error = await refused(tills.pay(10, await tills.show(), currency_id=dollars), "CURRENCY_NOT_SUITABLE")
    assert "USD" in error.values["problem"]


async def test_a_system_of_the_group_may_name_the_member(tills: Tills) -> None:
    await tills.top_up(1_000)
    request = wallets_pb2.PayAtTillRequest(
        request_id="system-payment",
        store_id=tills.stores[0],
        currency_id=tills.card,
        points=400,
        reference="order-1",
        member_id=tills.members[0],
    )
    paid = await tills.call(tills.payments.PayAtTill, request)
    again = await tills.call(tills.payments.PayAtTill, request)
    assert (paid.available_points, again.is_replay, again.txn_id) == (600, True, paid.txn_id)
    await refused(tills.call(tills.payments.PayAtTill, request, tills.till(0)), "SPENDING_NEEDS_CODE")


@pytest.mark.parametrize("is_paid", [True, False], ids=["answer_lost", "never_reached_the_ledger"])
async def test_a_payment_whose_answer_was_lost_is_asked_for_again(
    tills: Tills, clock: Clock, monkeypatch: pytest.MonkeyPatch, is_paid: bool
) -> None:
    await tills.top_up(1_000)
    code = await tills.show()
    redeem = Spendings.redeem

    async def lose(*args: Any) -> Any:
        monkeypatch.setattr(Spendings, "redeem", redeem)
        if is_paid:
            await redeem(*args)
        raise Unavailable

    monkeypatch.setattr(Spendings, "redeem", lose)
    await refused(tills.pay(800, code, request_id="payment-1"), "UNAVAILABLE")
    # Meanwhile the code has expired, in one case for so long that it is no code any more.
    clock.ahead_s = 86_400 if is_paid else 300
    paid = await tills.pay(800, code, request_id="payment-1")
    assert (paid.points, paid.available_points, paid.is_replay) == (800, 200, is_paid)
    again = await tills.pay(800, code, request_id="payment-1")
    assert (again.txn_id, again.is_replay, again.available_points) == (paid.txn_id, True, 200)
    # The used code pays for nothing else, by whatever request id.
    await refused(tills.pay(100, code, request_id="payment-1"), "REQUEST_ID_REUSED")
    await refused(tills.pay(800, code, request_id="payment-1", shop=1), "REQUEST_ID_REUSED")
    with pytest.raises(AppError) as stale:
        await tills.pay(100, code, request_id="payment-2")
    assert stale.value.reason in ("MEMBER_CODE_EXPIRED", "MEMBER_CODE_INVALID")
    assert await tills.available(tills.card) == 200


async def test_one_request_id_is_one_member_s(tills: Tills) -> None:
    await tills.top_up(1_000)
    await tills.top_up(1_000, member=1)
    await tills.pay(100, await tills.show(), request_id="payment-1")
    theirs = await tills.show(1)
    await refused(tills.pay(100, theirs, request_id="payment-1"), "REQUEST_ID_REUSED")
    assert await tills.available(tills.card, 1) == 1_000
    assert (await tills.pay(100, theirs)).member_id == tills.members[1]


async def test_of_two_tills_at_once_one_gets_the_code(tills: Tills) -> None:
    await tills.top_up(10_000)
    code = await tills.show()
    answers = await asyncio.gather(
        *(tills.pay(1_000, code, shop=number % 3) for number in range(6)), return_exceptions=True
    )
    reasons = [answer.reason for answer in answers if isinstance(answer, AppError)]
    assert reasons == ["MEMBER_CODE_USED"] * 5
    assert await tills.available(tills.card) == 9_000
    # The same payment from two places at once is one payment.
    fresh = await tills.show()
    both = await asyncio.gather(*(tills.pay(1_000, fresh, request_id="payment-1") for _ in range(4)))
    assert len({answer.txn_id for answer in both}) == 1
    assert [answer.is_replay for answer in both].count(False) == 1
    assert await tills.available(tills.card) == 8_000


async def test_what_a_till_and_a_system_ask_for_at_once_is_not_overspent(tills: Tills) -> None:
    await tills.top_up(1_000)
    request = wallets_pb2.PayAtTillRequest(
        store_id=tills.stores[2], currency_id=tills.card, points=900, reference="o", member_id=tills.members[0]
    )
    answers = await asyncio.gather(
        tills.pay(900, await tills.show()), tills.call(tills.payments.PayAtTill, request), return_exceptions=True
    )
    assert [answer.reason for answer in answers if isinstance(answer, AppError)] == ["INSUFFICIENT_POINTS"]
    assert await tills.available(tills.card) == 100


async def test_a_payment_is_given_back_in_parts_by_its_merchant_only(tills: Tills) -> None:
    await tills.top_up(2_000)
    await tills.top_up(2_000)
    paid = await tills.pay(3_000, await tills.show())
    await refused(tills.refund(paid, 100, shop=2), "TILL_PAYMENT_UNKNOWN")
    await refused(tills.refund(paid, 100, till=1), "NOT_YOURS")
    await refused(tills.refund(paid, 100, currency_id=tills.hotel), "TILL_PAYMENT_UNKNOWN")
    await refused(tills.refund(paid, 100, member_id=tills.members[1]), "TILL_PAYMENT_UNKNOWN")
    # Another store of the same merchant may.
    part = await tills.refund(paid, 1_200, shop=1, request_id="refund-1")
    assert (part.points, part.available_points) == (1_200, 2_200)
    again = await tills.refund(paid, 1_200, shop=1, request_id="refund-1")
    assert (again.txn_id, again.is_replay) == (part.txn_id, True)
    await refused(tills.refund(paid, 1_300, request_id="refund-1"), "REQUEST_ID_REUSED")
    error = await refused(tills.refund(paid, 1_801), "REVERSAL_EXCEEDS_REDEMPTION")
    assert error.values["left_points"] == "1800"
    both = await asyncio.gather(tills.refund(paid, 1_800), tills.refund(paid, 1_800), return_exceptions=True)
    assert sum(not isinstance(answer, AppError) for answer in both) == 1
    assert await tills.available(tills.card) == 4_000
    entry = (await tills.statement(tills.card))[0]
    assert (entry.kind, entry.reversed_txn_id) == (points_pb2.MOVEMENT_KIND_REDEEM_REVERSAL, paid.txn_id)


async def test_a_till_gives_back_no_other_spending(tills: Tills) -> None:
    await tills.top_up(1_000)
    request = points_pb2.RedeemRequest(
        member_id=tills.members[0],
        points=300,
        spending=points_pb2.Spending(
            merchant_id=tills.merchants[0], kind=points_pb2.SPENDING_KIND_VOUCHER, reference="order-1"
        ),
        currency_id=tills.card,
    )
    order = await tills.call(tills.wallets.Redeem, request, internal("mall", tills.group_id))
    paid = wallets_pb2.PayAtTillResponse(txn_id=order.txn_id, member_id=tills.members[0])
    await refused(tills.refund(paid), "TILL_PAYMENT_UNKNOWN")
    assert await tills.available(tills.card) == 700
