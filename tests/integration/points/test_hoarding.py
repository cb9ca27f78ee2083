"""Members who have points and do not spend them: noted when the time is over, and not a day too early."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from chassis import rpc
from huitong.points.v1 import events_pb2, retention_pb2, retention_pb2_grpc
from services.points.convert import from_date, to_date
from services.points.lookup import Lookup
from services.points.retention import hoarding, reminders
from services.points.retention.hoarding import Hoarding
from tests.integration.points.test_expiry_policies import close_day
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World, set_time

START = datetime(2026, 3, 15, 4, tzinfo=UTC)
STARTED, ENDED = events_pb2.PointsHoardingStarted, events_pb2.PointsHoardingEnded


class Eye:
    """Runs the job as a new process would, and tells what it has noted."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.service = world.apps.stub(retention_pb2_grpc.RetentionServiceStub, "points")

    async def look(self, now: datetime) -> None:
        app = self.world.app
        await set_time(app, now)
        lookup = Lookup(app.db, app.settings.points_lanes, org=None, member=None, ladder=None)
        await Hoarding(app.db, lookup).look(now)

    async def page(self, size: int = 0, token: str = "") -> retention_pb2.ListHoardingMembersResponse:
        request = retention_pb2.ListHoardingMembersRequest(page_size=size, page_token=token)
        return await self.world.call(self.service.ListHoardingMembers, request)

    async def hoarders(self) -> set[int]:
        found = {member.member_id for member in (await self.page()).members}
        return {n for n in range(len(self.world.members)) if self.world.member_id(n) in found}

    async def told(self) -> list[tuple[str, int]]:
        """Event and member, in order."""
        rows = await self.world.app.db.pool.fetch(
            "SELECT type, key FROM outbox WHERE group_id = $1 ORDER BY xid, id", self.world.group_id
        )
        number = {self.world.member_id(n): n for n in range(len(self.world.members))}
        names = {STARTED.DESCRIPTOR.full_name: "started", ENDED.DESCRIPTOR.full_name: "ended"}
        return [(names[row["type"]], number[row["key"]]) for row in rows if row["type"] in names]


@pytest.fixture
async def eye(world: World) -> Eye:
    """Rules of six months; everybody joined years ago."""
    world.now = START
    await set_time(world.app, START)
    await world.app.db.pool.execute("UPDATE wallet SET idle_since = '2020-01-01' WHERE group_id = $1", world.group_id)
    await world.publish(world.rule_set(hoarding_months=6, expiry_months=24, effective_date=to_date(date(2020, 1, 1))))
    return Eye(world)


async def test_six_months_without_spending_and_not_a_day_less(world: World, eye: Eye) -> None:
    await world.sell(10_000, member=0)  # never spends: counted from their first points, not from joining
    await world.sell(10_000, member=1)
    await world.redeem(100, member=1)  # has nothing left
    await eye.look(datetime(2026, 9, 14, 23, tzinfo=UTC))
    assert await eye.hoarders() == set()
    for _ in range(2):
        await eye.look(datetime(2026, 9, 15, 1, tzinfo=UTC))
        assert await eye.hoarders() == {0}
    assert await eye.told() == [("started", 0)]
    (member,) = (await eye.page()).members
    assert (member.available_points, from_date(member.idle_since)) == (100, date(2026, 3, 15))


async def test_it_is_over_when_points_are_spent_or_gone(world: World, eye: Eye) -> None:
    for member in range(3):
        await world.sell(10_000, member=member)
    await eye.look(datetime(2026, 10, 1, tzinfo=UTC))
    assert await eye.hoarders() == {0, 1, 2}
    await set_time(world.app, datetime(2026, 10, 1, tzinfo=UTC))
    await world.redeem(1, member=0)
    await world.redeem(100, member=1)
    await eye.look(datetime(2026, 10, 2, tzinfo=UTC))
    assert await eye.hoarders() == {2}
    # The one who spent a little hoards again half a year later; the points of the other two run out.
    await eye.look(datetime(2027, 4, 1, tzinfo=UTC))
    assert await eye.hoarders() == {0, 2}
    await close_day(world, START + timedelta(days=900))
    await eye.look(START + timedelta(days=900))
    assert await eye.hoarders() == set()
    told = await eye.told()
    assert sorted(told[:3]) == [("started", 0), ("started", 1), ("started", 2)]
    assert sorted(told[3:5]) == [("ended", 0), ("ended", 1)]
    assert told[5] == ("started", 0)
    assert sorted(told[6:]) == [("ended", 0), ("ended", 2)]


async def test_what_is_captured_of_a_hold_is_spending(world: World, eye: Eye) -> None:
    await world.sell(10_000)
    await set_time(world.app, datetime(2026, 9, 1, tzinfo=UTC))
    hold = await world.hold(10)
    await world.capture(hold)
    await eye.look(datetime(2026, 10, 1, tzinfo=UTC))
    assert await eye.hoarders() == set()


async def test_rules_that_ask_for_nothing_end_it(world: World, eye: Eye) -> None:
    await world.sell(10_000)
    await eye.look(datetime(2026, 10, 1, tzinfo=UTC))
    assert await eye.hoarders() == {0}
    await world.publish(world.rule_set(effective_date=to_date(date(2021, 1, 1))))
    await eye.look(datetime(2026, 10, 2, tzinfo=UTC))
    assert await eye.hoarders() == set()
    assert await eye.told() == [("started", 0), ("ended", 0)]


async def test_pages_show_everybody_once(world: World, eye: Eye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hoarding, "CHUNK", 4)
    await world.join(8)
    for member in range(len(world.members)):
        await world.sell(1_000, member=member)
    await eye.look(datetime(2026, 10, 1, tzinfo=UTC))
    found: list[str] = []
    token = ""
    while True:
        page = await eye.page(3, token)
        found += [member.member_id for member in page.members]
        token = page.next_page_token
        if not token:
            break
    assert sorted(found) == sorted(world.member_id(n) for n in range(11))
    assert len(found) == len(set(found)) == len(await eye.told())
    await refused(eye.page(3, "nonsense"), "INVALID_ARGUMENT")


async def test_who_is_looked_at_is_found_by_index(world: World, eye: Eye) -> None:
    idle = {
        "group_id": world.group_id,
        "limit": date(2026, 1, 1),
        "after_date": hoarding.NOBODY,
        "after_id": world.members[0],
        "chunk": 500,
    }
    soon = (START, START, world.members[0], [world.group_id], 500, START)
    async with world.app.db.transaction(rpc.internal_caller("points", world.group_id)) as tx:
        # The tables of a test are too small for any index; of large ones these are the only good ones.
        await tx.execute(text("SET LOCAL enable_seqscan = off"))
        await tx.execute(text("SET LOCAL enable_bitmapscan = off"))
        plan = (await tx.execute(text(f"EXPLAIN {hoarding._IDLE.text}"), idle)).scalars().all()
    assert any("wallet_by_idle" in line for line in plan), plan
    assert not any("Sort Key: w.idle_since" in line for line in plan), plan
    async with world.app.db.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        rows = await connection.fetch(f"EXPLAIN {reminders._DUE}", *soon)
    assert any("wallet_by_expiry" in row[0] for row in rows), "\n".join(row[0] for row in rows)
