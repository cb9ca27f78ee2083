"""A household's pool: its members put points in and spend them, each within what the owner allows."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.points.v1 import events_pb2, family_pools_pb2, family_pools_pb2_grpc, points_pb2
from services.points.convert import to_date
from services.points.ledger.events_source import events_of
from services.points.ledger.ledger import lane_of
from tests.apps import internal, member, system, wake_jobs
from tests.integration.points.bank import on_a_shard
from tests.integration.points.test_sales import refused
from tests.integration.points.test_spending import run_jobs
from tests.integration.points.world import World, set_time

pytestmark = on_a_shard

NOON = datetime(2019, 3, 15, 4, tzinfo=UTC)


class Family:
    """Members of a world in pools of at most three."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stub = world.apps.stub(family_pools_pb2_grpc.FamilyPoolServiceStub, "points")
        self.pool = ""

    async def ask(self, method: str, who: int = 0, *, request_id: str = "", pool: str = "", **values: Any) -> Any:
        request = getattr(family_pools_pb2, f"{method}Request")(member_id=self.world.member_id(who), **values)
        names = {field.name for field in request.DESCRIPTOR.fields}
        if "request_id" in names:
            request.request_id = request_id or self.world.request_id()
        if "pool_id" in names:
            request.pool_id = pool or self.pool
        caller = member(self.world.member_id(who), self.world.group_id)
        return await self.world.call(getattr(self.stub, method), request, caller)

    async def create(self, who: int = 0) -> family_pools_pb2.FamilyPool:
        return (await self.ask("CreateFamilyPool", who, name="Home")).pool

    async def invite(self, who: int, *, may_spend: bool = True, limit: int = 0, by: int = 0) -> Any:
        return await self.ask(
            "SetPoolMember",
            by,
            other_member_id=self.world.member_id(who),
            may_spend=may_spend,
            spend_limit_points=limit,
        )

    async def add(self, who: int, **options: Any) -> None:
        await self.invite(who, **options)
        await self.ask("JoinFamilyPool", who)

    async def spend(self, points: int, who: int = 0, *, request_id: str = "", **values: Any) -> Any:
        request = points_pb2.RedeemRequest(
            request_id=request_id or self.world.request_id(),
            member_id=self.world.member_id(who),
            points=points,
            spending=self.world.spending(),
            **{"pool_id": self.pool, **values},
        )
        return await self.world.call(self.world.wallets.Redeem, request, internal("mall", self.world.group_id))

    async def hold(self, points: int, who: int = 0, *, request_id: str = "") -> points_pb2.HoldResponse:
        request = points_pb2.HoldRequest(
            request_id=request_id or self.world.request_id(),
            member_id=self.world.member_id(who),
            points=points,
            spending=self.world.spending(),
            hold_seconds=600,
            pool_id=self.pool,
        )
        return await self.world.call(self.world.wallets.Hold, request, internal("mall", self.world.group_id))

    async def back(self, method: str, who: int = 0, **values: Any) -> Any:
        """Capture, Release or ReverseRedemption."""
        request = getattr(points_pb2, f"{method}Request")(
            request_id=self.world.request_id(), member_id=self.world.member_id(who), pool_id=self.pool, **values
        )
        return await self.world.call(getattr(self.world.wallets, method), request)

    async def points(self) -> tuple[int, int]:
        """What the pool has, and what of it is held."""
        found = await self.ask("GetFamilyPool")
        return found.available_points, found.held_points

    async def spent(self) -> dict[str, int]:
        return {one.member_id: one.spent_points for one in (await self.ask("GetFamilyPool")).pool.members}


@pytest.fixture
async def family(world: World) -> Family:
    """A pool of member 0, which holds 200 points of two merchants; 1 is in it and may spend 60, 2 is not in it."""
    await set_time(world.app, NOON)
    world.now = NOON
    await world.join(3)
    await world.publish(world.rule_set(effective_date=to_date(date(2016, 1, 1)), family_pool_members=3))
    family = Family(world)
    family.pool = (await family.create()).pool_id
    await family.add(1, limit=60)
    for who in (0, 1):
        await world.sell(15_000, member=who, shop=who)
        await family.ask("ContributeToPool", who, points=100)
    return family


async def test_members_put_points_in_and_spend_them(family: Family) -> None:
    world = family.world
    assert await family.points() == (200, 0)
    assert [(await world.balance(who)).available_points for who in (0, 1)] == [50, 50]
    # Nobody's points became more or fewer.
    assert (await world.totals()).total.outstanding_points == 300
    answer = await family.spend(50, 1)
    assert answer.available_points == 150
    assert [(await world.balance(who)).available_points for who in (0, 1)] == [50, 50]
    entries = (await family.ask("ListPoolStatement", 1)).entries
    assert [(entry.kind, entry.points, entry.other_member_id) for entry in entries] == [
        (points_pb2.MOVEMENT_KIND_REDEEM, -50, world.member_id(1)),
        (points_pb2.MOVEMENT_KIND_TRANSFER_IN, 100, world.member_id(1)),
        (points_pb2.MOVEMENT_KIND_TRANSFER_IN, 100, world.member_id(0)),
    ]
    given = (await world.statement(1))[0]
    assert (given.kind, given.points, given.other_member_id, given.pool_id) == (
        points_pb2.MOVEMENT_KIND_TRANSFER_OUT,
        -100,
        "",
        family.pool,
    )
    assert await family.spent() == {world.member_id(0): 0, world.member_id(1): 50}


async def test_who_may_spend_and_how_much(family: Family) -> None:
    world = family.world
    await refused(family.spend(10, 2), "NOT_IN_POOL")
    await refused(family.spend(10, pool_id=ids.to_edge("fpl", ids.derive("none"))), "FAMILY_POOL_UNKNOWN")
    await family.add(2, may_spend=False)
    await refused(family.spend(10, 2), "POOL_SPENDING_NOT_ALLOWED")
    await family.spend(40, 1, request_id="pool-0001")
    error = await refused(family.spend(21, 1), "POOL_LIMIT_REACHED")
    assert error.values == {"left_points": "20", "limit_points": "60"}
    await refused(family.hold(21, 1), "POOL_LIMIT_REACHED")
    await refused(family.spend(500), "INSUFFICIENT_POINTS")
    # A month later there is a new limit; the owner has none.
    assert (await family.spend(150)).available_points == 10
    await set_time(world.app, NOON + timedelta(days=30, minutes=1))
    assert (await family.spend(10, 1)).available_points == 0
    # The first answer stays, whatever became of the member.
    await family.ask("LeaveFamilyPool", 1)
    assert (await family.spend(40, 1, request_id="pool-0001")).is_replay
    await refused(family.spend(41, 1, request_id="pool-0001"), "REQUEST_ID_REUSED")
    await refused(family.spend(1, 1), "NOT_IN_POOL")


async def test_holds_count_until_they_are_freed_and_reversals_give_the_limit_back(family: Family) -> None:
    spent, held = family.world.member_id(1), await family.hold(50, 1, request_id="hold-0001")
    assert (await family.spent())[spent] == 50
    await refused(family.spend(11, 1), "POOL_LIMIT_REACHED")
    captured = await family.back("Capture", 1, hold_id=held.hold_id, points=30)
    assert (await family.spent())[spent] == 30
    await family.back("ReverseRedemption", 1, redemption_txn_id=captured.txn_id, points=10)
    assert (await family.spent())[spent] == 20
    await family.hold(40, 1, request_id="hold-0002")
    await refused(family.spend(1, 1), "POOL_LIMIT_REACHED")
    await family.back("Release", 1, hold_request_id="hold-0002")
    timed_out = await family.hold(40, 1)
    await set_time(family.world.app, NOON + timedelta(minutes=11))
    await run_jobs(family.world, await family.world.app.db.now())
    await refused(family.back("Capture", 1, hold_id=timed_out.hold_id), "HOLD_RELEASED")
    redeemed = await family.spend(40, 1)
    await family.back("ReverseRedemption", 1, redemption_txn_id=redeemed.txn_id)
    assert (await family.spent())[spent] == 20
    assert await family.points() == (180, 0)


async def test_two_members_who_spend_at_once_get_no_more_than_there_is(family: Family) -> None:
    await family.add(2, limit=0)
    answers = await asyncio.gather(
        *(family.spend(30, who) for _ in range(5) for who in (0, 2)),
        *(family.spend(25, 1) for _ in range(4)),
        return_exceptions=True,
    )
    reasons = {answer.reason for answer in answers if isinstance(answer, AppError)}
    assert reasons <= {"INSUFFICIENT_POINTS", "POOL_LIMIT_REACHED"}
    done = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert (await family.points())[0] == 200 - sum(answer.points for answer in done) < 30
    assert (await family.spent())[family.world.member_id(1)] <= 50


async def test_one_spends_at_once_no_more_than_the_own_limit(family: Family) -> None:
    answers = await asyncio.gather(*(family.spend(25, 1) for _ in range(6)), return_exceptions=True)
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 2
    assert {answer.reason for answer in answers if isinstance(answer, AppError)} == {"POOL_LIMIT_REACHED"}


async def test_a_member_is_in_one_pool_and_a_pool_has_a_size(family: Family) -> None:
    await refused(family.create(), "ALREADY_IN_POOL")
    other = (await family.create(3)).pool_id
    await family.ask("SetPoolMember", 3, pool=other, other_member_id=family.world.member_id(1), may_spend=True)
    await refused(family.ask("JoinFamilyPool", 1, pool=other), "ALREADY_IN_POOL")
    await family.invite(2)
    error = await refused(family.invite(4), "FAMILY_POOL_FULL")
    assert error.values["max_members"] == "3"
    assert len((await family.ask("ListFamilyPools", 1)).pools) == 2
    await family.ask("LeaveFamilyPool", 2)  # declines
    await family.invite(4)
    await refused(family.ask("JoinFamilyPool", 2), "NOT_INVITED")
    # Once out of the one, into the other; what was contributed stays.
    await family.ask("LeaveFamilyPool", 1)
    await family.ask("JoinFamilyPool", 1, pool=other)
    assert await family.points() == (200, 0)
    await refused(family.ask("GetFamilyPool", 1), "NOT_IN_POOL")


async def test_only_the_owner_decides(family: Family) -> None:
    await refused(family.invite(2, by=1), "POOL_OWNER_REQUIRED")
    await refused(family.ask("DissolveFamilyPool", 1), "POOL_OWNER_REQUIRED")
    await family.add(2)
    await refused(family.ask("LeaveFamilyPool", 1, other_member_id=family.world.member_id(2)), "POOL_OWNER_REQUIRED")
    await refused(family.ask("LeaveFamilyPool"), "POOL_OWNER_STAYS")
    await family.ask("LeaveFamilyPool", other_member_id=family.world.member_id(2))
    await refused(family.ask("LeaveFamilyPool", 2), "NOT_IN_POOL")
    await refused(family.ask("ListPoolStatement", 2), "NOT_IN_POOL")
    # Nobody acts for another member, and no other group sees the pool.
    request = family_pools_pb2.GetFamilyPoolRequest(member_id=family.world.member_id(), pool_id=family.pool)
    stranger = member(family.world.member_id(2), family.world.group_id)
    await refused(family.world.call(family.stub.GetFamilyPool, request, stranger), "NOT_YOURS")
    await refused(
        family.world.call(family.stub.GetFamilyPool, request, system(ids.derive("another group"))),
        "FAMILY_POOL_UNKNOWN",
    )


async def test_rules_without_pools_make_none(family: Family) -> None:
    await family.world.publish(family.world.rule_set(effective_date=to_date(date(2019, 3, 1))))
    await refused(family.create(4), "FAMILY_POOLS_NOT_ALLOWED")
    assert (await family.spend(10)).available_points == 190  # those there are go on


async def test_contribution_again_and_at_once_has_one_effect(family: Family) -> None:
    async def give(points: int = 30) -> Any:
        return await family.ask("ContributeToPool", 1, points=points, request_id="give-0001")

    answers = await asyncio.gather(*(give() for _ in range(10)))
    assert sum(not answer.is_replay for answer in answers) == 1
    assert {answer.available_points for answer in answers} == {20}
    await refused(give(31), "REQUEST_ID_REUSED")
    await refused(family.ask("ContributeToPool", 1, points=21), "INSUFFICIENT_POINTS")
    await refused(family.ask("ContributeToPool", 2, points=1), "NOT_IN_POOL")
    await family.ask("LeaveFamilyPool", 1)
    assert (await give()).is_replay
    assert await family.points() == (230, 0)


async def test_the_limit_of_transfers_does_not_count_contributions(family: Family) -> None:
    world = family.world
    await world.publish(
        world.rule_set(effective_date=to_date(date(2019, 3, 1)), family_pool_members=3, transfer_limit_points=20)
    )
    await family.ask("ContributeToPool", 0, points=25)  # more than the limit, and before it 100

    async def give(points: int) -> points_pb2.TransferPointsResponse:
        request = points_pb2.TransferPointsRequest(
            request_id=world.request_id(),
            member_id=world.member_id(),
            to_member_id=world.member_id(2),
            points=points,
        )
        caller = member(world.member_id(), world.group_id)
        return await world.call(world.wallets.TransferPoints, request, caller)

    assert (await give(20)).available_points == 5
    await refused(give(1), "TRANSFER_LIMIT_REACHED")
    assert (await family.ask("ContributeToPool", 0, points=5)).available_points == 0


async def test_what_is_left_goes_to_the_owner_also_what_comes_back_later(family: Family) -> None:
    world = family.world
    redeemed = await family.spend(50, 1)
    await family.hold(20, request_id="hold-0001")
    answer = await family.ask("DissolveFamilyPool")
    assert answer.pool.state == family_pools_pb2.FAMILY_POOL_STATE_DISSOLVED
    assert await family.points() == (0, 20)
    assert (await world.balance()).available_points == 50 + 130
    # The issuers and expiries are as they were, and it happens once.
    await family.ask("DissolveFamilyPool")
    assert (await world.totals()).total.outstanding_points == 250
    await refused(family.ask("ContributeToPool", 1, points=5), "FAMILY_POOL_DISSOLVED")
    await refused(family.ask("JoinFamilyPool", 1), "FAMILY_POOL_DISSOLVED")
    await refused(family.spend(1), "FAMILY_POOL_DISSOLVED")
    await family.back("Release", hold_request_id="hold-0001")
    await family.back("ReverseRedemption", 1, redemption_txn_id=redeemed.txn_id)
    async with asyncio.timeout(60):
        while (await family.points()) != (0, 0) or (await world.balance()).available_points != 250:
            wake_jobs(world.app)
            await asyncio.sleep(0.1)
    # Whoever was in it is free for another.
    assert (await family.create(1)).owner_member_id == world.member_id(1)


async def test_a_pool_and_its_owner_get_no_more_than_they_have_room_for(family: Family) -> None:
    world = family.world
    await world.sell(10_000, member=1)
    await world.fill(2**53 - 1 - 250, wallet_id=ids.from_edge("fpl", family.pool, "pool_id"))
    await refused(family.ask("ContributeToPool", 1, points=51), "POINTS_OUT_OF_BOUNDS")
    assert (await world.balance(1)).available_points == 150
    await family.ask("ContributeToPool", 1, points=50)
    # The owner has points of their own: the pool ends, and what it holds waits until they have room.
    await family.ask("DissolveFamilyPool")
    assert await family.points() == (2**53 - 1, 0)
    assert (await world.balance()).available_points == 50
    await world.redeem(50)
    async with asyncio.timeout(20):
        while (await family.points())[0]:
            wake_jobs(world.app)
            await asyncio.sleep(0.05)
    assert (await world.balance()).available_points == 2**53 - 1


async def test_points_of_a_pool_expire_in_it(family: Family) -> None:
    await set_time(family.world.app, NOON + timedelta(days=500))
    await run_jobs(family.world, await family.world.app.db.now())
    assert await family.points() == (0, 0)
    assert (await family.world.totals()).total.expired_points == 300
    rows = await family.world.app.db.pool.fetch(
        "SELECT * FROM ledger_outbox WHERE kind = 5 AND owner_id IS NOT NULL AND group_id = $1", family.world.group_id
    )
    expired = [events_pb2.PointsExpired.FromString(next(iter(events_of(row))).payload) for row in rows]
    assert {one.member_id for one in expired} == {family.world.member_id(0)}
    assert sum(one.points for one in expired) == 200


async def test_what_was_put_in_arrives_after_a_crash(family: Family) -> None:
    world = family.world
    lanes = world.app.settings.points_lanes
    pool_lane = lane_of(ids.from_edge("fpl", family.pool, ""), lanes)
    while not (apart := [n for n, one in enumerate(world.members) if n > 1 and lane_of(one, lanes) != pool_lane]):
        await world.join(1)
    who = apart[0]
    await family.add(who)
    await world.sell(5_000, member=who)
    pool = world.app.db.pool
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT * FROM lane WHERE lane = $1 FOR UPDATE", pool_lane)
        giving = asyncio.ensure_future(family.ask("ContributeToPool", who, points=20))
        async with asyncio.timeout(10):
            while not await pool.fetchval("SELECT count(*) FROM transfer WHERE NOT has_arrived"):
                await asyncio.sleep(0.01)
        giving.cancel()
        assert await family.points() == (200, 0)
    async with asyncio.timeout(20):
        while await pool.fetchval("SELECT count(*) FROM transfer WHERE NOT has_arrived"):
            wake_jobs(world.app)
            await asyncio.sleep(0.05)
    assert await family.points() == (220, 0)


async def test_events_name_the_spender_and_the_pool(family: Family) -> None:
    await family.spend(50, 1)
    rows = await family.world.app.db.pool.fetch(
        "SELECT * FROM ledger_outbox WHERE kind IN (3, 12, 13) AND group_id = $1 ORDER BY kind", family.world.group_id
    )
    events = [next(iter(events_of(row))) for row in rows]
    spent = events_pb2.PointsRedeemed.FromString(events[0].payload)
    assert (spent.member_id, spent.spending.pool_id) == (family.world.member_id(1), family.pool)
    assert sum(lot.points for lot in spent.lots) == 50
    outs = [events_pb2.PointsTransferredOut.FromString(event.payload) for event in events if "Out" in event.type]
    ins = [events_pb2.PointsTransferredIn.FromString(event.payload) for event in events if "In" in event.type]
    assert {(one.member_id, one.to_member_id, one.pool_id) for one in outs} == {
        (family.world.member_id(who), "", family.pool) for who in (0, 1)
    }
    assert {(one.from_member_id, one.member_id, one.pool_id) for one in ins} == {
        (family.world.member_id(who), "", family.pool) for who in (0, 1)
    }


@pytest.mark.parametrize("seed", range(2))
async def test_a_lively_household_loses_nothing(family: Family, seed: int) -> None:
    world, chance = family.world, random.Random(seed)
    await family.add(2, limit=40)
    await world.sell(10_000, member=2, shop=2)
    before = 200 + sum([(await world.balance(who)).available_points for who in range(3)])

    async def move() -> Any:
        who = chance.randrange(3)
        match chance.randrange(4):
            case 0:
                return await family.ask("ContributeToPool", who, points=chance.randint(1, 20))
            case 1:
                held = await family.hold(chance.randint(1, 20), who)
                await family.back("Capture", who, hold_id=held.hold_id, points=1)
                return points_pb2.RedeemResponse(points=1)
            case _:
                return await family.spend(chance.randint(1, 20), who)

    answers = await asyncio.gather(*(move() for _ in range(80)), return_exceptions=True)
    assert all(not isinstance(answer, BaseException) or isinstance(answer, AppError) for answer in answers)
    spent = sum(answer.points for answer in answers if isinstance(answer, points_pb2.RedeemResponse))
    after = (await family.points())[0] + sum([(await world.balance(who)).available_points for who in range(3)])
    assert after == before - spent
    assert sum((await family.spent()).values()) == spent
