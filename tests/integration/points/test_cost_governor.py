"""The cost governor counts exactly, acts once, and what it decides counts by the time of the sale."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis import ids, rpc
from huitong.org.v1 import org_pb2
from huitong.points.v1 import events_pb2, governor_pb2, governor_pb2_grpc, points_pb2
from services.points import store
from services.points.governor.operations import Governor
from services.points.lookup import Lookup
from tests.apps import system
from tests.integration.points.test_caps import extra
from tests.integration.points.test_rules_life import Office, offer, with_offers
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World

CALM, WARNED = governor_pb2.COST_STATE_CALM, governor_pb2.COST_STATE_WARNED
THROTTLED = governor_pb2.COST_STATE_THROTTLED


def governed(world: World, *offers: points_pb2.EarningRule, **settings: int) -> points_pb2.RuleSet:
    """Points of ¥0.03: the base rate alone costs 3%."""
    return with_offers(
        world,
        *offers,
        cost_governor=points_pb2.CostGovernor(**{"window_days": 7, **settings}),
        excluded_categories=["FUEL"],
    )


def double(**values: Any) -> points_pb2.EarningRule:
    return offer("double", **{"bonus_bps": 10_000, "throttle": points_pb2.OfferThrottle(factor_bps=2_500), **values})


class Desk:
    """Runs the governor beside the service's own job, and looks at what it did."""

    def __init__(self, world: World) -> None:
        self.world = world
        lanes = world.app.settings.points_lanes
        lookup = Lookup(world.app.db, lanes, org=None, member=None, ladder=None)
        self.governor = Governor(world.app.db, lookup, lanes)
        self.stub = world.apps.stub(governor_pb2_grpc.CostGovernorServiceStub, "points")

    async def run(self, now: datetime | None = None) -> list[governor_pb2.CostAction]:
        """All actions afterwards, oldest first."""
        await self.governor.run(now or datetime.now(UTC))
        return (await self.actions())[::-1]

    async def actions(self, **values: Any) -> list[governor_pb2.CostAction]:
        request = governor_pb2.ListCostActionsRequest(**values)
        return list((await self.world.call(self.stub.ListCostActions, request, system(self.world.group_id))).actions)

    async def costs(self) -> governor_pb2.ListUnitCostsResponse:
        request = governor_pb2.ListUnitCostsRequest()
        return await self.world.call(self.stub.ListUnitCosts, request, system(self.world.group_id))


def after(action: governor_pb2.CostAction) -> datetime:
    """A moment at which the action is in force."""
    return action.effective_time.ToDatetime(tzinfo=UTC) + timedelta(milliseconds=1)


async def test_a_unit_that_costs_too_much_is_throttled_and_released_again(world: World) -> None:
    await world.publish(governed(world, double(), offer("other", bonus_bps=1_000)))
    desk, now = Desk(world), datetime.now(UTC)
    assert extra(await world.sell(100_000, sale_time=now), "double") == (1_000, 0)
    (action,) = await desk.run()
    unit = ids.to_edge("unt", ids.derive("unit", world.group_id))
    # 2,100 points of ¥0.03 for ¥1,000.
    assert (action.cost.business_unit_id, action.cost.sales_minor, action.cost.points) == (unit, 100_000, 2_100)
    assert (action.cost.cost_minor, action.cost.cost_bps, action.threshold_bps) == (6_300, 630, 500)
    assert (action.previous_state, action.state) == (CALM, THROTTLED)
    assert "6.30% of sales" in action.explanation
    assert "above 5.00%" in action.explanation

    sale = world.sale(10_000, sale_time=after(action))
    answer = await world.call(world.sales.RecordSale, sale)
    by_rule = {rule.rule_id: (rule.points, rule.throttled_points) for rule in answer.explanation.rules}
    assert by_rule == {"base": (100, 0), "double": (25, 75), "other": (10, 0)}
    bitten = answer.explanation.throttle
    assert (bitten.effective_time, bitten.cost_bps, bitten.threshold_bps) == (action.effective_time, 630, 500)
    # One of the time before that comes late is computed as it would have been then.
    late = await world.sell(10_000, sale_time=now)
    assert (late.points, late.explanation.HasField("throttle")) == (210, False)
    assert await desk.run() == [action]  # it costs too much still, and that is known already

    # 2,445 points for ¥1,500 are 4.89%: under the ceiling, not yet by enough.
    await world.sell(30_000, categories=["FUEL"], sale_time=now)
    assert await desk.run() == [action]
    # For ¥1,630 they are 4.5%.
    await world.sell(13_000, categories=["FUEL"], sale_time=now)
    (_, released) = await desk.run()
    assert (released.previous_state, released.state, released.cost.cost_bps) == (THROTTLED, WARNED, 450)
    assert "no more than 4.50%" in released.explanation
    assert (await world.sell(10_000, sale_time=after(released))).points == 210
    # What was said while it was throttled stays said, also for what comes late and again.
    again = await world.call(world.sales.RecordSale, sale)
    assert (again.points, again.is_replay) == (135, True)
    between = await world.sell(10_000, sale_time=after(action))
    assert between.points == 135


async def test_every_process_computes_by_a_new_action_with_its_next_call(world: World) -> None:
    await world.publish(governed(world, double()))
    await world.sell(100_000, sale_time=datetime.now(UTC))
    office = Office(world)
    (action,) = await Desk(world).run()
    # The service has not been told; it reads the group's version with every call.
    quoted = await office.quote(world.sale(10_000, sale_time=after(action)))
    assert quoted.points == 125
    assert (await office.quote(world.sale(10_000, sale_time=datetime.now(UTC) - timedelta(hours=1)))).points == 200


async def test_a_warning_changes_nothing(world: World) -> None:
    await world.publish(governed(world, double(bonus_bps=5_000)))
    await world.sell(100_000, sale_time=datetime.now(UTC))
    (action,) = await Desk(world).run()
    assert (action.state, action.cost.cost_bps, action.threshold_bps) == (WARNED, 450, 300)
    assert (await world.sell(10_000, sale_time=after(action))).points == 150


async def test_returns_count_against_sales_and_points(world: World) -> None:
    await world.publish(governed(world, double()))
    desk = Desk(world)
    sale = world.sale(80_000, sale_time=datetime.now(UTC))
    await world.call(world.sales.RecordSale, sale)
    await world.call(world.sales.RefundSale, world.refund(sale, (1, 20_000)))
    await desk.run()
    (unit,) = (await desk.costs()).units
    assert (unit.cost.sales_minor, unit.cost.points, unit.cost.cost_bps) == (60_000, 1_200, 600)
    assert unit.state == THROTTLED


async def test_sales_are_counted_once_by_many_runs_at_once(world: World) -> None:
    await world.publish(governed(world, double(), min_sales_minor=10**9))
    desk = Desk(world)

    async def sell(number: int) -> None:
        await world.sell(1_000, member=number % 3, shop=number % 3, sale_time=datetime.now(UTC))
        await desk.governor.run(datetime.now(UTC))

    await asyncio.gather(*(sell(number) for number in range(30)))
    await desk.run()
    costs = await desk.costs()
    (unit,) = costs.units
    assert (unit.cost.sales_minor, unit.cost.points, costs.uncounted_event_count) == (30_000, 600, 0)
    assert await desk.actions() == []  # not enough sales to act


async def test_two_runs_at_once_act_once(world: World) -> None:
    await world.publish(governed(world, double()))
    await world.sell(100_000, sale_time=datetime.now(UTC))
    desks = [Desk(world) for _ in range(5)]
    await asyncio.gather(*(desk.governor.run(datetime.now(UTC)) for desk in desks))
    actions = await desks[0].actions()
    assert len(actions) == 1
    # It is told once, with its figures.
    rows = await world.app.db.pool.fetch(
        "SELECT payload FROM outbox WHERE group_id = $1 AND type = $2",
        world.group_id,
        events_pb2.CostActionTaken.DESCRIPTOR.full_name,
    )
    assert [events_pb2.CostActionTaken.FromString(row["payload"]).action for row in rows] == actions


async def test_only_the_window_s_business_dates_count(world: World) -> None:
    await world.publish(governed(world, double(), window_days=2))
    desk, now = Desk(world), datetime.now(UTC)
    await world.sell(100_000, sale_time=now - timedelta(days=3))
    assert await desk.run(now) == []
    assert list((await desk.costs()).units) == []
    await world.sell(100_000, sale_time=now)
    assert [action.cost.sales_minor for action in await desk.run(now)] == [100_000]


async def test_units_are_judged_by_themselves_and_actions_listed_in_pages(world: World) -> None:
    hotel = ids.derive("hotel", world.group_id)
    async with world.app.db.transaction(rpc.internal_caller("points", world.group_id)) as tx:
        moved = org_pb2.Store(
            store_id=ids.to_edge("sto", world.stores[2]),
            merchant_id=ids.to_edge("mch", world.merchants[2]),
            business_unit_id=ids.to_edge("unt", hotel),
            time_zone="America/New_York",
            currency_code="CNY",
        )
        await store.save_stores(tx, world.group_id, [moved])
        await store.count_change(tx, [world.group_id])
    await world.publish(governed(world, double(merchant_ids=[ids.to_edge("mch", world.merchants[2])])))
    desk, now = Desk(world), datetime.now(UTC)
    await world.sell(100_000, shop=0, sale_time=now)
    await world.sell(100_000, shop=2, sale_time=now)
    (action,) = await desk.run(now)
    assert (action.cost.business_unit_id, action.state) == (ids.to_edge("unt", hotel), THROTTLED)
    states = {one.cost.business_unit_id: one.state for one in (await desk.costs()).units}
    assert sorted(states.values()) == [CALM, THROTTLED]
    await world.sell(300_000, shop=2, categories=["FUEL"], sale_time=now)
    assert [one.state for one in await desk.run(now)] == [THROTTLED, CALM]
    request = governor_pb2.ListCostActionsRequest(page_size=1, business_unit_id=ids.to_edge("unt", hotel))
    first = await world.call(desk.stub.ListCostActions, request, system(world.group_id))
    request.page_token = first.next_page_token
    second = await world.call(desk.stub.ListCostActions, request, system(world.group_id))
    assert [one.state for page in (first, second) for one in page.actions] == [CALM, THROTTLED]
    assert second.next_page_token == ""


async def test_an_action_that_had_to_wait_is_in_force_a_second_after_it_is_written(world: World) -> None:
    await world.publish(governed(world, double()))
    await world.sell(100_000, sale_time=datetime.now(UTC))
    desk, pool = Desk(world), world.app.db.pool
    async with pool.acquire() as connection, connection.transaction():
        # Somebody else changes the group, for longer than an action is ahead.
        await connection.execute("SELECT FROM cache_version WHERE group_id = $1 FOR UPDATE", world.group_id)
        running = asyncio.create_task(desk.run())
        async with asyncio.timeout(20):
            while not await pool.fetchval(
                """SELECT bool_or(clock_timestamp() - xact_start > '1.1 s') FROM pg_stat_activity
                   WHERE wait_event_type = 'Lock' AND query LIKE '%INTO cache_version%'"""
            ):
                await asyncio.sleep(0.05)
        released = datetime.now(UTC)
    (action,) = await running
    assert released < action.effective_time.ToDatetime(tzinfo=UTC) <= datetime.now(UTC) + timedelta(seconds=1)


async def test_without_a_governor_nothing_is_throttled(world: World) -> None:
    await world.publish(governed(world, double()))
    await world.sell(100_000, sale_time=datetime.now(UTC))
    (action,) = await Desk(world).run()
    await world.publish(with_offers(world, double()))
    assert (await world.sell(10_000, sale_time=after(action))).points == 200


async def test_a_governor_that_cannot_work_is_refused(world: World) -> None:
    office = Office(world)
    no_price = governed(world)
    no_price.ClearField("offset")
    for wrong, words in (
        (no_price, "a cost governor needs an offset"),
        (governed(world, warn_bps=600), "would throttle before it warns"),
    ):
        assert words in (await refused(office.draft(wrong), "RULES_INVALID")).values["problem"]
    await refused(office.draft(governed(world, window_days=0)), "INVALID_ARGUMENT")
