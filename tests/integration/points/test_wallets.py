"""Wallets of other currencies: points of one business unit, and stored value. None counts as the group's points."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis import ids, rpc
from chassis.errors import AppError
from chassis.identity import Caller
from huitong.common.v1 import types_pb2
from huitong.org.v1 import org_pb2
from huitong.points.v1 import (
    adjustments_pb2,
    adjustments_pb2_grpc,
    events_pb2,
    points_pb2,
    wallets_pb2,
    wallets_pb2_grpc,
)
from services.points import store
from services.points.ledger.events_source import events_of
from tests.apps import internal, member, operator, system
from tests.integration.points.test_sales import refused
from tests.integration.points.test_spending import run_jobs
from tests.integration.points.world import World, set_time

NOON = datetime(2019, 3, 15, 4, tzinfo=UTC)


class Wallets:
    """A world whose merchant 2 is a hotel, with points and a prepaid card of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.currencies = world.apps.stub(wallets_pb2_grpc.CurrencyServiceStub, "points")
        self.money = world.apps.stub(wallets_pb2_grpc.StoredValueServiceStub, "points")
        self.conversion = world.apps.stub(wallets_pb2_grpc.ConversionServiceStub, "points")
        self.adjustments = world.apps.stub(adjustments_pb2_grpc.AdjustmentServiceStub, "points")
        self.own = ids.to_edge("cur", world.group_id)
        self.hotel = self.card = ""

    async def build(self) -> Wallets:
        world = self.world
        async with world.app.db.transaction(rpc.internal_caller("points", world.group_id)) as tx:
            await store.save_stores(
                tx,
                world.group_id,
                [
                    org_pb2.Store(
                        store_id=ids.to_edge("sto", world.stores[2]),
                        merchant_id=ids.to_edge("mch", world.merchants[2]),
                        business_unit_id=self.unit,
                        time_zone="Asia/Shanghai",
                        currency_code="CNY",
                    )
                ],
            )
            await store.count_change(tx, [world.group_id])
        self.hotel = (
            await self.create(
                kind=wallets_pb2.CURRENCY_KIND_UNIT_POINTS,
                code="HOTEL_POINTS",
                business_unit_id=self.unit,
                expiry_months=24,
            )
        ).currency_id
        self.card = (
            await self.create(kind=wallets_pb2.CURRENCY_KIND_STORED_VALUE, code="CARD", money_code="CNY")
        ).currency_id
        return self

    @property
    def unit(self) -> str:
        return ids.to_edge("unt", ids.derive("hotel", self.world.group_id))

    def merchant(self, number: int) -> str:
        return ids.to_edge("mch", self.world.merchants[number])

    async def call(self, method: Any, request: Any, caller: Caller | None = None) -> Any:
        return await self.world.call(method, request, caller or system(self.world.group_id))

    async def create(self, **values: Any) -> wallets_pb2.Currency:
        request = wallets_pb2.CreateCurrencyRequest(
            request_id=self.world.request_id(), **{"name": "Name", "name_zh": "名称", **values}
        )
        return (await self.call(self.currencies.CreateCurrency, request)).currency

    async def give(self, points: int, *, member: int = 0, merchant: int = 2, currency: str = "", **values: Any) -> Any:
        """Points of the hotel, asked for by one and approved by another."""
        asked = await self.call(
            self.adjustments.RequestAdjustment,
            adjustments_pb2.RequestAdjustmentRequest(
                request_id=self.world.request_id(),
                member_id=self.world.member_id(member),
                **{
                    "direction": adjustments_pb2.ADJUSTMENT_DIRECTION_CREDIT,
                    "points": points,
                    "merchant_id": self.merchant(merchant),
                    "reason_code": "STAY",
                    "reason_text": "One night",
                    "currency_id": currency or self.hotel,
                    **values,
                },
            ),
        )
        return await self.call(
            self.adjustments.ApproveAdjustment,
            adjustments_pb2.ApproveAdjustmentRequest(
                request_id=self.world.request_id(), adjustment_id=asked.adjustment.adjustment_id
            ),
            operator("approver", self.world.group_id),
        )

    async def top_up(
        self, amount_minor: int, *, member: int = 0, request_id: str = "", payment: str = "", **values: Any
    ) -> wallets_pb2.TopUpResponse:
        request_id = request_id or self.world.request_id()
        request = wallets_pb2.TopUpRequest(
            request_id=request_id,
            member_id=self.world.member_id(member),
            payment_reference=payment or f"pay-{request_id}",
            paid=types_pb2.Money(amount_minor=amount_minor, currency_code=values.pop("money", "CNY")),
            **{"currency_id": self.card, "merchant_id": self.merchant(0), **values},
        )
        return await self.call(self.money.TopUp, request)

    async def refund(
        self, top_up: wallets_pb2.TopUpResponse, amount_minor: int = 0, *, member: int = 0, request_id: str = ""
    ) -> wallets_pb2.RefundTopUpResponse:
        request = wallets_pb2.RefundTopUpRequest(
            request_id=request_id or self.world.request_id(),
            member_id=self.world.member_id(member),
            currency_id=self.card,
            top_up_txn_id=top_up.txn_id,
            amount_minor=amount_minor,
        )
        return await self.call(self.money.RefundTopUp, request)

    async def redeem(
        self, points: int, currency: str, *, member: int = 0, merchant: int = 2, request_id: str = ""
    ) -> points_pb2.RedeemResponse:
        request = points_pb2.RedeemRequest(
            request_id=request_id or self.world.request_id(),
            member_id=self.world.member_id(member),
            points=points,
            spending=self.world.spending(merchant),
            currency_id=currency,
        )
        return await self.call(self.world.wallets.Redeem, request, internal("mall", self.world.group_id))

    async def balance(self, currency: str, member: int = 0) -> points_pb2.GetBalanceResponse:
        request = points_pb2.GetBalanceRequest(member_id=self.world.member_id(member), currency_id=currency)
        return await self.call(self.world.wallets.GetBalance, request)

    async def statement(self, currency: str, member: int = 0) -> list[points_pb2.StatementEntry]:
        request = points_pb2.ListStatementRequest(member_id=self.world.member_id(member), currency_id=currency)
        return list((await self.call(self.world.wallets.ListStatement, request)).entries)

    async def totals(self, currency: str = "") -> points_pb2.PointsTotals:
        return (await self.call(self.world.ledger.GetTotals, points_pb2.GetTotalsRequest(currency_id=currency))).total


@pytest.fixture
async def wallets(world: World) -> Wallets:
    await set_time(world.app, NOON)
    world.now = NOON
    return await Wallets(world).build()


async def test_each_currency_is_a_wallet_of_its_own(wallets: Wallets) -> None:
    world = wallets.world
    await world.sell(10_000)
    await wallets.give(40)
    await wallets.top_up(5_000)
    found = await wallets.call(
        wallets.currencies.ListWallets,
        wallets_pb2.ListWalletsRequest(member_id=world.member_id()),
        member(world.member_id(), world.group_id),
    )
    assert [(one.currency.code, one.available_points) for one in found.wallets] == [
        ("GROUP_POINTS", 100),
        ("CARD", 5_000),
        ("HOTEL_POINTS", 40),
    ]
    listed = (await wallets.call(wallets.currencies.ListCurrencies, wallets_pb2.ListCurrenciesRequest())).currencies
    assert [one.currency_id for one in listed] == [wallets.own, wallets.card, wallets.hotel]
    # The whole group's points are what sales gave, no more; and each currency has its own sums.
    assert (await wallets.totals()).issued_points == (await wallets.totals(wallets.own)).issued_points == 100
    assert (await wallets.totals(wallets.hotel)).issued_points == 40
    assert (await wallets.totals(wallets.card)).outstanding_points == 5_000
    assert [entry.points for entry in await wallets.statement(wallets.card)] == [5_000]
    assert [entry.points for entry in await wallets.statement("")] == [100]
    assert (await wallets.balance(wallets.hotel, member=1)).available_points == 0
    await refused(wallets.balance(ids.to_edge("cur", ids.derive("none"))), "CURRENCY_UNKNOWN")
    await refused(
        wallets.call(
            world.wallets.GetBalance,
            points_pb2.GetBalanceRequest(member_id=world.member_id(), currency_id=wallets.hotel),
            member(world.member_id(1), world.group_id),
        ),
        "NOT_YOURS",
    )


async def test_points_of_a_unit_are_spent_at_its_merchants_only(wallets: Wallets) -> None:
    world = wallets.world
    await world.sell(10_000)
    await wallets.give(40)
    error = await refused(wallets.redeem(10, wallets.hotel, merchant=0), "CURRENCY_NOT_SUITABLE")
    assert error.values["currency_code"] == "HOTEL_POINTS"
    # The group's points do not help out.
    error = await refused(wallets.redeem(41, wallets.hotel), "INSUFFICIENT_POINTS")
    assert error.values["available_points"] == "40"
    spent = await wallets.redeem(30, wallets.hotel)
    assert spent.available_points == 10
    back = points_pb2.ReverseRedemptionRequest(
        request_id=world.request_id(),
        member_id=world.member_id(),
        redemption_txn_id=spent.txn_id,
        points=5,
        currency_id=wallets.hotel,
    )
    assert (await world.call(world.wallets.ReverseRedemption, back)).available_points == 15
    # Without its currency the redemption is not the member's.
    back.ClearField("currency_id")
    back.request_id = world.request_id()
    await refused(world.call(world.wallets.ReverseRedemption, back), "REDEMPTION_UNKNOWN")
    assert (await world.balance()).available_points == 100
    assert [entry.kind for entry in await wallets.statement(wallets.hotel)] == [
        points_pb2.MOVEMENT_KIND_REDEEM_REVERSAL,
        points_pb2.MOVEMENT_KIND_REDEEM,
        points_pb2.MOVEMENT_KIND_CREDIT,
    ]


async def test_hold_and_capture_of_a_unit_s_points(wallets: Wallets) -> None:
    world = wallets.world
    await wallets.give(40)
    hold = points_pb2.HoldRequest(
        request_id="hold-0001",
        member_id=world.member_id(),
        points=25,
        spending=world.spending(2),
        hold_seconds=600,
        currency_id=wallets.hotel,
    )
    held = await world.call(world.wallets.Hold, hold)
    assert (held.available_points, (await wallets.balance(wallets.hotel)).held_points) == (15, 25)
    capture = points_pb2.CaptureRequest(
        request_id=world.request_id(),
        member_id=world.member_id(),
        hold_id=held.hold_id,
        points=20,
        currency_id=wallets.hotel,
    )
    assert (await world.call(world.wallets.Capture, capture)).available_points == 20
    # One that never came is marked in the wallet that it would have come to.
    release = points_pb2.ReleaseRequest(
        request_id=world.request_id(),
        member_id=world.member_id(1),
        hold_request_id="hold-0002",
        currency_id=wallets.hotel,
    )
    await world.call(world.wallets.Release, release)
    hold.request_id, hold.member_id = "hold-0002", world.member_id(1)
    await refused(world.call(world.wallets.Hold, hold), "HOLD_RELEASED")


async def test_points_of_a_unit_are_given_by_two_people_and_its_merchants(wallets: Wallets) -> None:
    answer = await wallets.give(40)
    assert answer.adjustment.currency_id == wallets.hotel
    assert answer.adjustment.points_expire_time.ToDatetime(tzinfo=UTC) == datetime(2021, 3, 31, 16, tzinfo=UTC)
    await refused(wallets.give(40, merchant=0), "CURRENCY_NOT_SUITABLE")
    await refused(wallets.give(40, currency=wallets.card, merchant=0), "CURRENCY_NOT_SUITABLE")
    debit = adjustments_pb2.ADJUSTMENT_DIRECTION_DEBIT
    assert (await wallets.give(15, direction=debit, merchant_id="")).available_points == 25
    await refused(wallets.give(26, direction=debit, merchant_id=""), "INSUFFICIENT_POINTS")
    await wallets.call(
        wallets.currencies.CloseCurrency,
        wallets_pb2.CloseCurrencyRequest(request_id=wallets.world.request_id(), currency_id=wallets.hotel),
    )
    await refused(wallets.give(40), "CURRENCY_CLOSED")
    assert (await wallets.redeem(25, wallets.hotel)).available_points == 0


async def test_points_of_a_unit_expire_by_their_own_terms_and_money_never(wallets: Wallets) -> None:
    world = wallets.world
    await wallets.give(40)
    await wallets.top_up(5_000)
    assert len((await wallets.balance(wallets.hotel)).next_expiries) == 1
    assert len((await wallets.balance(wallets.card)).next_expiries) == 0
    await set_time(world.app, datetime(2021, 3, 31, 16, tzinfo=UTC))
    await run_jobs(world, await world.app.db.now())
    assert (await wallets.balance(wallets.hotel)).expired_points_total == 40
    assert (await wallets.balance(wallets.card)).available_points == 5_000
    assert (await wallets.totals()).expired_points == 0
    assert (await wallets.redeem(5_000, wallets.card, merchant=1)).available_points == 0


async def test_a_payment_tops_up_once(wallets: Wallets) -> None:
    answers = await asyncio.gather(
        *(wallets.top_up(5_000, request_id="top-up-0001", payment="wx-1") for _ in range(10))
    )
    assert sum(not answer.is_replay for answer in answers) == 1
    assert {(answer.points, answer.available_points) for answer in answers} == {(5_000, 5_000)}
    assert not answers[0].HasField("expire_time")
    await refused(wallets.top_up(5_000, payment="wx-1"), "PAYMENT_REFERENCE_USED")
    await refused(wallets.top_up(5_000, payment="wx-1", member=1), "PAYMENT_REFERENCE_USED")
    await refused(wallets.top_up(5_001, request_id="top-up-0001", payment="wx-1"), "REQUEST_ID_REUSED")
    await refused(wallets.top_up(5_000, request_id="top-up-0001", payment="wx-1", member=1), "REQUEST_ID_REUSED")
    assert (await wallets.balance(wallets.card)).available_points == 5_000


async def test_limits_of_prepaid_cards_hold_also_at_once(wallets: Wallets) -> None:
    error = await refused(wallets.top_up(100_001), "BALANCE_LIMIT_REACHED")
    assert error.values == {"limit_minor": "100000", "left_minor": "100000"}
    answers = await asyncio.gather(*(wallets.top_up(30_000) for _ in range(8)), return_exceptions=True)
    assert sum(not isinstance(answer, AppError) for answer in answers) == 3
    # Whoever is identified may hold more; what is held for an order counts.
    assert (await wallets.top_up(300_000, is_identified=True)).available_points == 390_000
    await refused(wallets.top_up(110_001, is_identified=True), "BALANCE_LIMIT_REACHED")
    await refused(wallets.top_up(500_001, is_identified=True), "TOP_UP_TOO_LARGE")
    await refused(wallets.top_up(0), "INVALID_ARGUMENT")
    await refused(wallets.top_up(-5), "INVALID_ARGUMENT")
    await refused(wallets.top_up(5, money="USD"), "CURRENCY_NOT_SUITABLE")
    await refused(wallets.top_up(5, currency_id=wallets.hotel), "CURRENCY_NOT_SUITABLE")
    await refused(wallets.top_up(5, currency_id=wallets.own), "CURRENCY_NOT_SUITABLE")


async def test_a_top_up_is_refunded_to_its_source_as_far_as_it_is_left(wallets: Wallets) -> None:
    first = await wallets.top_up(5_000, payment="wx-1")
    second = await wallets.top_up(3_000, payment="wx-2")
    spent = await wallets.redeem(6_000, wallets.card, merchant=1)
    left = {"first": 0, "second": 0}
    for name, top_up in (("first", first), ("second", second)):
        error = await refused(wallets.refund(top_up, 5_000 if name == "first" else 3_000), "REFUND_EXCEEDS_TOP_UP")
        left[name] = int(error.values["left_minor"])
    assert sum(left.values()) == 2_000
    rest = first if left["first"] else second
    answers = await asyncio.gather(*(wallets.refund(rest, 1_500, request_id="refund-0001") for _ in range(5)))
    assert sum(not answer.is_replay for answer in answers) == 1
    assert {answer.refunded.amount_minor for answer in answers} == {1_500}
    assert answers[0].payment_reference == ("wx-1" if rest is first else "wx-2")
    # All that is left, after the order was cancelled.
    await wallets.world.call(
        wallets.world.wallets.ReverseRedemption,
        points_pb2.ReverseRedemptionRequest(
            request_id=wallets.world.request_id(),
            member_id=wallets.world.member_id(),
            redemption_txn_id=spent.txn_id,
            currency_id=wallets.card,
        ),
    )
    amounts = [(await wallets.refund(top_up)).refunded.amount_minor for top_up in (first, second)]
    assert sum(amounts) == 6_500
    await refused(wallets.refund(first), "REFUND_EXCEEDS_TOP_UP")
    await refused(wallets.refund(first, member=1), "TOP_UP_UNKNOWN")
    assert (await wallets.balance(wallets.card)).available_points == 0
    assert (await wallets.statement(wallets.card))[0].kind == points_pb2.MOVEMENT_KIND_TOP_UP_REFUND


async def test_stored_value_is_never_overspent_by_two_tills(wallets: Wallets) -> None:
    await wallets.top_up(5_000)
    answers = await asyncio.gather(
        *(wallets.redeem(1_500, wallets.card, merchant=number % 3) for number in range(8)), return_exceptions=True
    )
    assert sum(not isinstance(answer, AppError) for answer in answers) == 3
    assert (await wallets.balance(wallets.card)).available_points == 500


async def test_no_event_of_the_group_s_points_tells_of_other_currencies(wallets: Wallets) -> None:
    world = wallets.world
    await wallets.give(40)
    top_up = await wallets.top_up(5_000)
    await wallets.redeem(10, wallets.hotel)
    await wallets.refund(top_up, 1_000)
    rows = await world.app.db.pool.fetch(
        "SELECT * FROM ledger_outbox WHERE group_id = $1 ORDER BY lane, n", world.group_id
    )
    events = [event for row in rows for event in events_of(row)]
    assert {event.type for event in events} == {"huitong.points.v1.CurrencyMoved"}
    moved = [events_pb2.CurrencyMoved.FromString(event.payload) for event in events]
    assert {(one.member_id, event.key) for one, event in zip(moved, events, strict=True)} == {
        (world.member_id(), world.member_id())
    }
    kinds = {(one.currency_id, one.kind): one for one in moved}
    assert kinds[wallets.hotel, points_pb2.MOVEMENT_KIND_REDEEM].spending.merchant_id == wallets.merchant(2)
    assert [lot.points for lot in kinds[wallets.hotel, points_pb2.MOVEMENT_KIND_CREDIT].lots] == [40]
    assert kinds[wallets.card, points_pb2.MOVEMENT_KIND_TOP_UP].points == 5_000
    assert kinds[wallets.card, points_pb2.MOVEMENT_KIND_TOP_UP_REFUND].ref_txn_id == top_up.txn_id


async def test_bad_currencies_are_refused(wallets: Wallets) -> None:
    unit_points, stored = wallets_pb2.CURRENCY_KIND_UNIT_POINTS, wallets_pb2.CURRENCY_KIND_STORED_VALUE
    await refused(wallets.create(kind=stored, code="CARD", money_code="CNY"), "CURRENCY_CODE_TAKEN")
    await refused(wallets.create(kind=stored, code="GROUP_POINTS", money_code="CNY"), "CURRENCY_CODE_TAKEN")
    await refused(wallets.create(kind=stored, code="OTHER"), "INVALID_ARGUMENT")
    await refused(wallets.create(kind=unit_points, code="OTHER"), "INVALID_ARGUMENT")
    await refused(wallets.create(kind=wallets_pb2.CURRENCY_KIND_GROUP_POINTS, code="OTHER"), "INVALID_ARGUMENT")
    unknown = ids.to_edge("unt", ids.derive("nowhere"))
    await refused(wallets.create(kind=unit_points, code="OTHER", business_unit_id=unknown), "BUSINESS_UNIT_UNKNOWN")
    # Another group's currency does not exist here.
    stranger = wallets_pb2.CloseCurrencyRequest(request_id="close-0001", currency_id=wallets.hotel)
    await refused(
        wallets.call(wallets.currencies.CloseCurrency, stranger, system(ids.derive("another group"))),
        "CURRENCY_UNKNOWN",
    )
