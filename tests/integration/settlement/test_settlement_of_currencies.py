"""Real services: what is not the group's points is not settled as such, what becomes them, or leaves them, is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chassis import ids
from huitong.common.v1 import types_pb2
from huitong.points.v1 import (
    adjustments_pb2,
    adjustments_pb2_grpc,
    points_pb2,
    points_pb2_grpc,
    wallets_pb2,
    wallets_pb2_grpc,
)
from huitong.settlement.v1 import settlement_pb2 as pb
from services.points.invariants import INVARIANTS as POINTS_INVARIANTS
from services.settlement.invariants import INVARIANTS
from tests.apps import GROUP, Apps, internal, member
from tests.integration.settlement.test_settlement_of_all_services import Suite

pytestmark = pytest.mark.timeout(120)


async def test_only_the_group_s_points_settle_and_conversion_issues_or_takes_them(apps: Apps) -> None:
    suite = await Suite(apps).start()
    noon = datetime(2017, 2, 10, 4, tzinfo=UTC)
    await suite.set_time(noon)
    await suite.sell("r1", 1000, noon)
    currencies = apps.stub(wallets_pb2_grpc.CurrencyServiceStub, "points")
    money = apps.stub(wallets_pb2_grpc.StoredValueServiceStub, "points")
    conversion = apps.stub(wallets_pb2_grpc.ConversionServiceStub, "points")
    desk = apps.stub(adjustments_pb2_grpc.AdjustmentServiceStub, "points")
    wallets = apps.stub(points_pb2_grpc.WalletServiceStub, "points")
    own = ids.to_edge("cur", GROUP)

    async def create(kind: int, code: str, **values: Any) -> str:
        request = wallets_pb2.CreateCurrencyRequest(
            request_id=f"create-{code}",
            kind=kind,  # type: ignore[arg-type]
            code=code,
            name=code,
            name_zh=code,
            **values,
        )
        return str((await suite.call(currencies.CreateCurrency, request)).currency.currency_id)

    async def convert(source: str, target: str, points: int, numerator: int, denominator: int) -> Any:
        propose = wallets_pb2.ProposeConversionRateRequest(
            request_id=f"propose-{points}",
            from_currency_id=source,
            to_currency_id=target,
            numerator=numerator,
            denominator=denominator,
        )
        rate_id = (await suite.call(conversion.ProposeConversionRate, propose)).rate.rate_id
        decide = wallets_pb2.DecideConversionRateRequest(
            request_id=f"decide-{points}", rate_id=rate_id, is_approved=True
        )
        await suite.call(conversion.DecideConversionRate, decide, suite.second)
        request = wallets_pb2.ConvertPointsRequest(
            request_id=f"convert-{points}",
            member_id=suite.anna,
            from_currency_id=source,
            to_currency_id=target,
            points=points,
            rate_id=rate_id,
        )
        return await suite.call(conversion.ConvertPoints, request, member(suite.anna))

    coins = await create(wallets_pb2.CURRENCY_KIND_UNIT_POINTS, "PARK_COINS", business_unit_id=suite.car_park)
    card = await create(wallets_pb2.CURRENCY_KIND_STORED_VALUE, "CARD", money_code="CNY")
    ask = adjustments_pb2.RequestAdjustmentRequest(
        request_id="ask-coins",
        member_id=suite.anna,
        direction=adjustments_pb2.ADJUSTMENT_DIRECTION_CREDIT,
        points=500,
        merchant_id=suite.merchant["P1"],
        reason_code="GOODWILL",
        reason_text="For a start",
        currency_id=coins,
    )
    adjustment_id = (await suite.call(desk.RequestAdjustment, ask)).adjustment.adjustment_id
    approve = adjustments_pb2.ApproveAdjustmentRequest(request_id="approve-coins", adjustment_id=adjustment_id)
    await suite.call(desk.ApproveAdjustment, approve, suite.second)
    top_up = wallets_pb2.TopUpRequest(
        request_id="top-up-0001",
        member_id=suite.anna,
        currency_id=card,
        merchant_id=suite.merchant["M1"],
        paid=types_pb2.Money(amount_minor=10_000, currency_code="CNY"),
        payment_reference="wx-1",
    )
    await suite.call(money.TopUp, top_up)
    for currency, merchant, points in ((coins, "P1", 100), (card, "P1", 2_500)):
        redeem = points_pb2.RedeemRequest(
            request_id=f"redeem-{points}",
            member_id=suite.anna,
            points=points,
            spending=points_pb2.Spending(
                merchant_id=suite.merchant[merchant], kind=points_pb2.SPENDING_KIND_PARKING, offset_minor=points
            ),
            currency_id=currency,
        )
        await suite.call(wallets.Redeem, redeem, internal("mall"))
    await apps.drain()
    # The parking merchant gave and took coins, and took money from a card: none of it is the group's points.
    parking = await suite.statement("P1", "2017-02")
    assert (parking.issued_points, parking.redeemed_points, parking.reimbursement_minor) == (0, 0, 0)

    await convert(own, coins, 200, 1, 1)  # 200 points of the grocer's leave
    await convert(coins, own, 400, 1, 2)  # and of 400 coins, the grocer's and the car park's, 200 points come
    await apps.drain()
    grocer, parking = await suite.statement("M1", "2017-02"), await suite.statement("P1", "2017-02")
    assert (grocer.clawed_back_points, grocer.claw_back_minor) == (200, 620)
    assert grocer.issued_points + parking.issued_points == 1000 + 200
    assert parking.issued_points > 0 and parking.issue_charge_minor == -3 * parking.issued_points
    answer = await suite.call(suite.statements.Reconcile, pb.ReconcileRequest())
    assert answer.is_equal, answer
    for service, invariants in (("settlement", INVARIANTS), ("points", POINTS_INVARIANTS)):
        for name, query in invariants.items():
            assert await suite.running[service].db.pool.fetch(query) == [], name
