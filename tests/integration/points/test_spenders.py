"""Who may spend: frozen and closed members, those who have just joined, those who spend too often."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis import ids, rpc
from chassis.valkey import open_valkey
from huitong.member.v1 import member_pb2, member_pb2_grpc, risk_pb2, risk_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from huitong.points.v1 import points_pb2
from services.points import store
from tests.apps import GROUP, Apps, internal, system
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World, violations

FROZEN, CLOSED = risk_pb2.MEMBER_STATE_FROZEN, risk_pb2.MEMBER_STATE_CLOSED


async def change(world: World, state: int, version: int, member: int = 0) -> None:
    """What the member service's event does."""
    async with world.app.db.transaction(rpc.internal_caller("points", world.group_id)) as tx:
        close_time = world.now if state == CLOSED else None
        await store.save_states(tx, [store.MemberChange(world.members[member], state, version, close_time)])


async def limit(world: World, *, cool_down_hours: int = 0, spends_per_hour: int = 0) -> None:
    async with world.app.db.transaction(rpc.internal_caller("points", world.group_id)) as tx:
        await store.save_spend_policy(
            tx, world.group_id, cool_down_hours=cool_down_hours, spends_per_hour=spends_per_hour
        )


async def forget_counts(world: World) -> None:
    valkey = open_valkey(world.apps.settings.redis_url)
    await valkey.flushdb()
    await valkey.aclose()


def transfer(world: World, points: int, *, member: int = 0, to: int = 1, request_id: str = "") -> Any:
    request = points_pb2.TransferPointsRequest(
        request_id=request_id or world.request_id(),
        member_id=world.member_id(member),
        to_member_id=world.member_id(to),
        points=points,
    )
    return world.call(world.wallets.TransferPoints, request, system(world.group_id))


async def test_a_frozen_member_earns_and_does_not_spend(world: World) -> None:
    await world.publish(world.rule_set(transfer_limit_points=1_000))
    await world.sell(100_000)
    hold = await world.hold(100)
    done = await world.redeem(50, request_id="redeem-before")
    given = await transfer(world, 10, request_id="transfer-before")
    await change(world, FROZEN, 1)
    for spend in (world.redeem(1), world.hold(1), transfer(world, 1)):
        error = await refused(spend, "MEMBER_FROZEN")
        assert error.values == {"member_id": world.member_id()}
    assert (await world.sell(10_000)).points == 100
    # What was done is answered again, what was reserved is the order's, and what is given back comes back.
    assert (await world.redeem(50, request_id="redeem-before")).txn_id == done.txn_id
    assert (await transfer(world, 10, request_id="transfer-before")).txn_id == given.txn_id
    assert (await world.capture(hold, 60)).points == 60
    assert (await world.reverse(done)).points == 50
    # A change that comes late is older than what is known.
    await change(world, risk_pb2.MEMBER_STATE_ACTIVE, 3)
    await change(world, FROZEN, 2)
    assert (await world.redeem(1)).points == 1


async def test_a_closed_member_earns_nothing_from_then_on(world: World) -> None:
    await world.publish(world.rule_set(transfer_limit_points=1_000))
    await world.sell(10_000, member=1)
    before = world.sale(10_000, sale_time=world.now - timedelta(hours=1))
    await change(world, CLOSED, 1)
    await refused(world.sell(10_000), "MEMBER_CLOSED")
    sales = [world.sale(10_000), world.sale(10_000, member=1)]
    batch = await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=sales))
    assert [result.problem.reason for result in batch.results] == ["MEMBER_CLOSED", ""]
    # A till that was offline sends what it sold before.
    assert (await world.call(world.sales.RecordSale, before)).points == 100
    for spend in (world.redeem(1), transfer(world, 1, member=1, to=0)):
        await refused(spend, "MEMBER_CLOSED")
    assert (await world.balance()).available_points == 100


async def test_new_members_wait_as_long_as_the_group_says(world: World) -> None:
    await world.sell(10_000)
    joined = datetime.now(UTC) - timedelta(hours=5)
    await world.app.db.pool.execute("UPDATE member SET join_time = $2 WHERE member_id = $1", world.members[0], joined)
    assert (await world.redeem(1, request_id="redeem-before")).points == 1
    await limit(world, cool_down_hours=24)
    error = await refused(world.redeem(1), "SPENDING_COOLS_DOWN")
    assert error.values == {"spend_from_time": (joined + timedelta(hours=24)).isoformat()}
    assert (await world.redeem(1, request_id="redeem-before")).is_replay
    # Members of whom nobody knows when they joined have been there for long.
    await world.sell(10_000, member=1)
    assert (await world.redeem(1, member=1)).points == 1
    await limit(world, cool_down_hours=5)
    assert (await world.redeem(1)).points == 1


async def test_so_many_spendings_an_hour_however_many_at_once(world: World) -> None:
    await world.sell(100_000)
    await limit(world, spends_per_hour=3)
    first = world.request_id()
    tries: list[Any] = [world.redeem(1, request_id=first), world.redeem(1, request_id=first)]
    tries += [world.redeem(1) if number % 2 else world.hold(1) for number in range(6)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    refusals = [getattr(one, "reason", "") for one in answers if isinstance(one, Exception)]
    assert refusals == ["SPENDING_TOO_OFTEN"] * len(refusals)
    moved = await world.app.db.pool.fetchval(
        """SELECT (SELECT count(*) FROM txn WHERE wallet_id = $1 AND points < 0)
                + (SELECT count(*) FROM hold WHERE wallet_id = $1)""",
        world.members[0],
    )
    assert moved == 3
    await world.sell(100_000, member=1)
    assert (await world.redeem(1, member=1)).points == 1


async def test_what_the_ledger_has_counts_when_valkey_has_forgotten_it(world: World) -> None:
    await world.sell(100_000)
    await limit(world, spends_per_hour=3)
    await world.redeem(1, request_id="redeem-first")
    await world.redeem(1)
    await world.hold(1)
    await forget_counts(world)
    await refused(world.redeem(1), "SPENDING_TOO_OFTEN")
    await refused(world.hold(1), "SPENDING_TOO_OFTEN")
    assert (await world.redeem(1, request_id="redeem-first")).is_replay
    await world.app.db.pool.execute("UPDATE hold SET create_time = create_time - interval '61 minutes'")
    await forget_counts(world)
    assert (await world.redeem(1)).points == 1
    await refused(world.redeem(1), "SPENDING_TOO_OFTEN")


async def test_when_nobody_counts_nobody_spends_where_counting_is_asked_for(apps: Apps) -> None:
    apps.settings = apps.settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{apps.sandbox.free_port()}/0"})
    await apps.start("points")
    world = await World(apps, apps.running["points"]).build()
    await world.sell(10_000)
    assert (await world.redeem(1, request_id="redeem-before")).points == 1
    await limit(world, spends_per_hour=100)
    await refused(world.redeem(1), "SPENDING_NOT_CHECKED")
    assert (await world.redeem(1, request_id="redeem-before")).is_replay
    assert (await world.sell(10_000)).points == 100
    assert await violations(world.app.db.url) == {}


async def test_points_hears_from_member_who_is_frozen_and_how_long_to_wait(apps: Apps) -> None:
    await apps.start("org", "member", "points")
    structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
    group = org_pb2.CreateGroupRequest(request_id="create-group", code="test-group", name="Group")
    await apps.call(structure.CreateGroup, group, internal("suite"))
    csv = (
        "kind,code,name,parent_code,unit_kind,time_zone,currency_code,category,floor\n"
        "unit,MALL,Mall,,mall,Asia/Shanghai,CNY,,\nmerchant,M1,Grocer,MALL,,,,supermarket,\n"
        "store,S1,Grocer 1,M1,,,,,L1\n"
    )
    load = org_pb2.ImportStructureRequest(request_id="import-structure", csv=csv)
    await apps.call(structure.ImportStructure, load, system())
    await apps.drain()
    members = apps.stub(member_pb2_grpc.MemberServiceStub, "member")
    risk = apps.stub(risk_pb2_grpc.RiskServiceStub, "member")

    world = World(apps, apps.running["points"])
    world.group_id = GROUP
    (row,) = await world.app.db.pool.fetch("SELECT merchant_id FROM store WHERE group_id = $1", GROUP)
    world.merchants = [row["merchant_id"]]
    join = member_pb2.JoinMemberRequest(request_id="join-member-1", phone="+8613800000001")
    joined = (await apps.call(members.JoinMember, join, system())).member
    world.members = [ids.from_edge("mbr", joined.member_id, "member_id")]
    await apps.drain()
    await refused(world.redeem(1), "INSUFFICIENT_POINTS")
    policy = risk_pb2.SetRiskPolicyRequest(
        request_id="set-policy-1", policy=risk_pb2.RiskPolicy(spend_cool_down_hours=24)
    )
    await apps.call(risk.SetRiskPolicy, policy, system())
    await apps.drain()
    await refused(world.redeem(1), "SPENDING_COOLS_DOWN")
    freeze = risk_pb2.FreezeMemberRequest(
        request_id="freeze-member-1", member_id=joined.member_id, reason_code="STOLEN_PHONE"
    )
    await apps.call(risk.FreezeMember, freeze, system())
    await apps.drain()
    await refused(world.redeem(1), "MEMBER_FROZEN")
    # One that no event has told of is asked for, state and all.
    await world.app.db.pool.execute("DELETE FROM member WHERE member_id = $1", world.members[0])
    await refused(world.redeem(1), "MEMBER_FROZEN")
