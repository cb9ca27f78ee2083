"""Points that live as their rule set says, through the real service: to a day, with grace, for ever."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from huitong.points.v1 import adjustments_pb2, adjustments_pb2_grpc, events_pb2, points_pb2, rules_pb2, rules_pb2_grpc
from services.points.convert import to_date
from services.points.jobs import Jobs
from services.points.ledger.events_source import events_of
from services.points.ledger.ledger import Ledger
from tests.apps import operator, system
from tests.integration.points.bank import on_a_shard
from tests.integration.points.world import World, set_time

pytestmark = on_a_shard

SOLD = datetime(2026, 3, 15, 4, tzinfo=UTC)  # noon in Shanghai
FIXED, NONE, ROLLING = (
    points_pb2.EXPIRY_KIND_FIXED_DATE,
    points_pb2.EXPIRY_KIND_NONE,
    points_pb2.EXPIRY_KIND_ROLLING_MONTHS,
)


def policy(kind: points_pb2.ExpiryKind, **changes: Any) -> points_pb2.ExpiryPolicy:
    return points_pb2.ExpiryPolicy(kind=kind, **changes)


def person(world: World, name: str) -> Caller:
    return operator(name, world.group_id) if name == "bo" else Caller(CallerKind.SYSTEM, f"key_{name}", world.group_id)


async def publish(world: World, expiry: points_pb2.ExpiryPolicy, **changes: Any) -> None:
    await world.publish(
        world.rule_set(expiry_months=0, expiry=expiry, effective_date=to_date(date(2020, 1, 1)), **changes)
    )


async def close_day(world: World, now: datetime) -> None:
    await set_time(world.app, now)
    ledger = Ledger(world.app.db.url, world.app.settings.points_lanes, now_sql=world.app.db.now_sql)
    await ledger.open()
    await Jobs(world.app.db, ledger).close_day(now)
    await ledger.close()


async def earned_events(world: World) -> list[events_pb2.PointsEarned]:
    rows = await world.app.db.pool.fetch("SELECT * FROM ledger_outbox WHERE group_id = $1", world.group_id)
    earned = events_pb2.PointsEarned.DESCRIPTOR.full_name
    return [
        events_pb2.PointsEarned.FromString(event.payload)
        for row in rows
        for event in events_of(row)
        if event.type == earned
    ]


async def test_points_that_never_expire_are_there_whatever_the_year(world: World) -> None:
    await set_time(world.app, SOLD)
    await publish(world, policy(NONE))
    sale = world.sale(10_000, sale_time=SOLD)
    sold = await world.call(world.sales.RecordSale, sale)
    assert sold.points == 100
    assert not sold.HasField("expire_time")
    again = await world.call(world.sales.RecordSale, world.sale(10_000, sale_time=SOLD, receipt_no=sale.receipt_no))
    assert again.is_replay
    assert not again.HasField("expire_time")
    assert [event.HasField("expire_time") for event in await earned_events(world)] == [False]
    assert [entry.HasField("expire_time") for entry in await world.statement()] == [False]

    await close_day(world, datetime(2150, 1, 1, tzinfo=UTC))
    balance = await world.balance()
    assert (balance.available_points, list(balance.next_expiries)) == (100, [])
    # What expires goes first, however late it was earned.
    await world.publish(world.rule_set(effective_date=to_date(date(2140, 1, 1))))
    await world.sell(3_000, sale_time=datetime(2150, 1, 1, tzinfo=UTC))
    await world.redeem(50)
    assert (await world.balance()).next_expiries == []
    # A return takes the sale's own points.
    refund = await world.call(world.sales.RefundSale, world.refund(sale))
    assert (refund.clawed_back_points, refund.debt_points, refund.available_points) == (100, 20, 0)


async def test_a_member_with_more_due_days_than_a_lane_takes_loses_them_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_time(world.app, SOLD)
    await publish(world, policy(ROLLING, months=1, rounding=points_pb2.EXPIRY_ROUNDING_DAY))
    days = [world.sale(100, sale_time=SOLD - timedelta(days=number)) for number in range(28)]
    await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=days))
    monkeypatch.setattr("services.points.jobs.CHUNK", 10)
    monkeypatch.setattr("services.points.ledger.ledger.WAITING_ITEMS", 20)
    await close_day(world, SOLD + timedelta(days=60))
    expired = [entry for entry in await world.statement() if entry.kind == points_pb2.MOVEMENT_KIND_EXPIRE]
    assert [entry.points for entry in expired] == [-1] * 28
    assert [entry.occur_time.seconds for entry in expired] == sorted(
        (entry.occur_time.seconds for entry in expired), reverse=True
    )


async def test_days_of_grace_are_days_on_which_points_can_be_spent(world: World) -> None:
    await set_time(world.app, SOLD)
    await publish(world, policy(ROLLING, months=1, rounding=points_pb2.EXPIRY_ROUNDING_DAY, grace_days=7))
    sold = await world.sell(10_000, sale_time=SOLD)
    nominal = datetime(2026, 4, 15, 16, tzinfo=UTC)
    assert sold.explanation.nominal_expire_time.ToDatetime(UTC) == nominal
    assert sold.expire_time.ToDatetime(UTC) == nominal + timedelta(days=7)

    await close_day(world, nominal + timedelta(days=6))
    await world.redeem(40)
    (due,) = (await world.balance()).next_expiries
    assert (due.expire_time.ToDatetime(UTC), due.points) == (nominal + timedelta(days=7), 60)
    await close_day(world, nominal + timedelta(days=7))
    balance = await world.balance()
    assert (balance.available_points, balance.expired_points_total) == (0, 60)


async def test_a_sale_after_the_day_on_which_all_points_expire_earns_nothing_and_says_why(world: World) -> None:
    await set_time(world.app, SOLD)
    world.now = SOLD
    last_day = to_date(date(2026, 3, 14))
    await publish(world, policy(FIXED, fixed_date=last_day, grace_days=5), pending_days=5)
    late = world.sale(10_000, 5_000, sale_time=SOLD)
    sold = await world.call(world.sales.RecordSale, late)
    assert (sold.points, sold.explanation.no_points_reason) == (0, points_pb2.NO_POINTS_REASON_EXPIRY_PAST)
    assert [line.points for line in sold.explanation.lines] == [0, 0]
    assert not sold.explanation.rules
    assert not sold.HasField("expire_time")
    refund = await world.call(world.sales.RefundSale, world.refund(late))
    assert (refund.clawed_back_points, refund.refunded_minor) == (0, 15_000)

    # One of the last day earns, and its points, which would be pending for five days, are there for one more.
    sold = await world.sell(10_000, sale_time=SOLD - timedelta(days=1))
    assert (sold.points, sold.pending_points) == (100, 100)
    assert sold.unlock_time.ToDatetime(UTC) == sold.expire_time.ToDatetime(UTC) - timedelta(days=1)
    # One that arrives when they have expired expires with them.
    await set_time(world.app, SOLD + timedelta(days=30))
    await world.sell(20_000, sale_time=SOLD - timedelta(days=1))
    await close_day(world, SOLD + timedelta(days=30))
    await close_day(world, SOLD + timedelta(days=30))
    balance = await world.balance()
    assert (balance.available_points, balance.pending_points, balance.expired_points_total) == (0, 0, 300)


async def test_rules_whose_points_would_have_expired_are_not_published(world: World) -> None:
    await set_time(world.app, SOLD)
    drafts = world.apps.stub(rules_pb2_grpc.RuleDraftServiceStub, "points")

    def draft(last_day: date) -> rules_pb2.CreateRuleDraftRequest:
        rules = world.rule_set(expiry_months=0, expiry=policy(FIXED, fixed_date=to_date(last_day)))
        return rules_pb2.CreateRuleDraftRequest(request_id=world.request_id(), rule_set=rules)

    with pytest.raises(AppError) as refused:
        await world.call(drafts.CreateRuleDraft, draft(date(2026, 3, 14)), person(world, "anna"))
    assert refused.value.reason == "RULES_INVALID"
    assert "which is past" in refused.value.message
    # A draft that waited too long.
    created = await world.call(drafts.CreateRuleDraft, draft(date(2026, 3, 15)), person(world, "anna"))
    await set_time(world.app, SOLD + timedelta(days=1))
    approval = rules_pb2.ApproveRuleDraftRequest(request_id=world.request_id(), draft_id=created.draft.draft_id)
    with pytest.raises(AppError) as refused:
        await world.call(drafts.ApproveRuleDraft, approval, person(world, "bo"))
    assert refused.value.reason == "RULES_INVALID"
    # The first rules of a group, and older ones that are to come back.
    past = world.rule_set(expiry_months=0, expiry=policy(FIXED, fixed_date=to_date(date(2026, 3, 15))))
    first = points_pb2.PublishRuleSetRequest(request_id=world.request_id(), rule_set=past)
    with pytest.raises(AppError) as refused:
        await world.call(world.rules.PublishRuleSet, first, system(ids.derive("no rules yet", world.number)))
    assert refused.value.reason == "RULES_INVALID"
    published = await world.publish(past)
    back = rules_pb2.RollBackRulesRequest(request_id=world.request_id(), version=published.version)
    with pytest.raises(AppError) as refused:
        await world.call(drafts.RollBackRules, back, person(world, "anna"))
    assert refused.value.reason == "RULES_INVALID"


async def test_a_credit_by_hand_lives_as_the_rules_of_the_day_say(world: World) -> None:
    await set_time(world.app, SOLD)
    service = world.apps.stub(adjustments_pb2_grpc.AdjustmentServiceStub, "points")

    async def credit() -> adjustments_pb2.ApproveAdjustmentResponse:
        asked = await world.call(
            service.RequestAdjustment,
            adjustments_pb2.RequestAdjustmentRequest(
                request_id=world.request_id(),
                member_id=world.member_id(),
                direction=adjustments_pb2.ADJUSTMENT_DIRECTION_CREDIT,
                points=70,
                merchant_id=ids.to_edge("mch", world.merchants[0]),
                reason_code="GOODWILL",
                reason_text="sorry",
            ),
            person(world, "anna"),
        )
        approval = adjustments_pb2.ApproveAdjustmentRequest(
            request_id=world.request_id(), adjustment_id=asked.adjustment.adjustment_id
        )
        return await world.call(service.ApproveAdjustment, approval, person(world, "bo"))

    await publish(world, policy(NONE))
    forever = await credit()
    assert (forever.available_points, forever.adjustment.HasField("points_expire_time")) == (70, False)
    # The rules of today have run out.
    await publish(world, policy(FIXED, fixed_date=to_date(date(2026, 3, 14))))
    with pytest.raises(AppError) as refused:
        await credit()
    assert refused.value.reason == "EXPIRY_PAST"
    assert (await world.balance()).available_points == 70
