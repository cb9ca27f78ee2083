"""Another expiry for points that a member has: which of them, once, and found by whatever comes back later."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis import ids
from huitong.points.v1 import events_pb2, points_pb2, retention_pb2, retention_pb2_grpc
from services.points.convert import to_date, to_timestamp
from services.points.ledger.events_source import events_of
from services.points.ledger.ledger import Kind, Ledger, Outcome, Status
from tests.integration.points.bank import NOW, Bank
from tests.integration.points.test_expiry_policies import close_day
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World, set_time

START = datetime(2026, 3, 15, 4, tzinfo=UTC)
NEXT_YEAR = datetime(2028, 1, 1, tzinfo=UTC)
FIRST_EXPIRY = datetime(2027, 3, 31, 16, tzinfo=UTC)  # 12 months, to the end of the month in Shanghai


class Desk:
    """Renews points of the world's members."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.service = world.apps.stub(retention_pb2_grpc.RetentionServiceStub, "points")

    async def renew(
        self,
        *,
        before: datetime = NEXT_YEAR,
        until: datetime = NEXT_YEAR,
        member: int = 0,
        request_id: str = "",
    ) -> retention_pb2.RenewPointsResponse:
        request = retention_pb2.RenewPointsRequest(
            request_id=request_id or self.world.request_id(),
            member_id=self.world.member_id(member),
            expiring_before=to_timestamp(before),
            expire_time=to_timestamp(until),
        )
        return await self.world.call(self.service.RenewPoints, request)


@pytest.fixture
async def desk(world: World) -> Desk:
    world.now = START
    await set_time(world.app, START)
    return Desk(world)


async def expiries(world: World) -> list[tuple[datetime, int]]:
    return [(due.expire_time.ToDatetime(UTC), due.points) for due in (await world.balance()).next_expiries]


async def events(world: World, message: Any) -> list[Any]:
    rows = await world.app.db.pool.fetch("SELECT * FROM ledger_outbox WHERE group_id = $1 ORDER BY n", world.group_id)
    found = [event for row in rows for event in events_of(row) if event.type == message.DESCRIPTOR.full_name]
    return [message.FromString(event.payload) for event in found]


async def test_points_that_expire_before_an_instant_get_another_expiry_once(world: World, desk: Desk) -> None:
    await world.sell(10_000)
    await world.sell(5_000, shop=1, sale_time=START - timedelta(days=31))
    answer = await desk.renew(request_id="renew-0001", before=FIRST_EXPIRY)
    assert (answer.renewed_points, answer.expire_time.ToDatetime(UTC), answer.is_replay) == (50, NEXT_YEAR, False)
    assert await expiries(world) == [(FIRST_EXPIRY, 100), (NEXT_YEAR, 50)]
    again = await desk.renew(request_id="renew-0001", before=FIRST_EXPIRY)
    assert (again.renewed_points, again.txn_id, again.is_replay) == (50, answer.txn_id, True)
    await refused(desk.renew(request_id="renew-0001"), "REQUEST_ID_REUSED")
    await refused(desk.renew(request_id="renew-0001", before=FIRST_EXPIRY, member=1), "REQUEST_ID_REUSED")

    entry = (await world.statement())[0]
    assert (entry.kind, entry.points, entry.renewed_points, entry.available_points) == (
        points_pb2.MOVEMENT_KIND_RENEW,
        0,
        50,
        150,
    )
    assert entry.expire_time.ToDatetime(UTC) == NEXT_YEAR
    (event,) = await events(world, events_pb2.PointsRenewed)
    assert (event.points, [lot.points for lot in event.lots]) == (50, [50])
    assert event.lots[0].issuer_merchant_id == ids.to_edge("mch", world.merchants[1])
    assert event.expire_time.ToDatetime(UTC) == NEXT_YEAR
    # They expire then, as their issuer's.
    await close_day(world, NEXT_YEAR)
    last = (await events(world, events_pb2.PointsExpired))[-1]
    assert [(lot.issuer_merchant_id, lot.points) for lot in last.lots] == [(ids.to_edge("mch", world.merchants[1]), 50)]


async def test_what_cannot_be_renewed_is_left_as_it_is(world: World, desk: Desk) -> None:
    await refused(desk.renew(), "NOTHING_TO_RENEW")
    await refused(desk.renew(until=START), "EXPIRY_PAST")
    await world.sell(10_000)
    await refused(desk.renew(before=FIRST_EXPIRY), "NOTHING_TO_RENEW")  # they expire at that instant, not before it
    await refused(desk.renew(until=FIRST_EXPIRY - timedelta(days=1)), "NOTHING_TO_RENEW")  # later already
    await world.hold(30)
    assert (await desk.renew()).renewed_points == 70
    # Pending points stay, and what is over its time is over.
    await world.publish(world.rule_set(effective_date=to_date(date(2026, 1, 1)), pending_days=7))
    await world.sell(4_000)
    await refused(desk.renew(), "NOTHING_TO_RENEW")
    await close_day(world, START + timedelta(days=8))
    await set_time(world.app, FIRST_EXPIRY)
    await refused(desk.renew(until=NEXT_YEAR + timedelta(days=1), before=FIRST_EXPIRY), "NOTHING_TO_RENEW")
    assert await expiries(world) == [(NEXT_YEAR, 70)]
    # Asked for again with its id it finds itself, also when its time is over by now.
    span: dict[str, Any] = {"before": NEXT_YEAR + timedelta(hours=1), "until": NEXT_YEAR + timedelta(days=1)}
    done = await desk.renew(request_id="renew-0002", **span)
    await close_day(world, NEXT_YEAR + timedelta(days=2))
    assert (await desk.renew(request_id="renew-0002", **span)).txn_id == done.txn_id


async def test_a_return_takes_the_renewed_points_of_its_own_sale_first(world: World, desk: Desk) -> None:
    first = world.sale(10_000, sale_time=START - timedelta(days=31))
    await world.call(world.sales.RecordSale, first)
    await world.sell(5_000, shop=1)
    await world.hold(60)  # of the first sale, so that its points are in two places
    assert (await desk.renew(before=FIRST_EXPIRY)).renewed_points == 40
    # Other points expire earlier now, and are left alone all the same.
    refund = await world.call(world.sales.RefundSale, world.refund(first, (1, 4_000)))
    assert (refund.clawed_back_points, refund.debt_points) == (40, 0)
    assert await expiries(world) == [(FIRST_EXPIRY, 50)]
    refund = await world.call(world.sales.RefundSale, world.refund(first))
    assert (refund.clawed_back_points, refund.debt_points, refund.available_points) == (60, 10, 0)


async def test_spending_before_and_after_a_renewal_comes_back_to_where_it_was_taken(world: World, desk: Desk) -> None:
    await world.sell(10_000)
    before = await world.redeem(30)
    await desk.renew()
    after = await world.redeem(20)
    await world.reverse(before)
    await world.reverse(after)
    assert await expiries(world) == [(FIRST_EXPIRY, 30), (NEXT_YEAR, 70)]
    # Both parts of the one lot in one spending, held, captured in part, and given back.
    hold = await world.hold(60)
    taken = await world.capture(hold, 50)
    assert await expiries(world) == [(NEXT_YEAR, 50)]
    await world.reverse(taken, 25)
    assert await expiries(world) == [(FIRST_EXPIRY, 5), (NEXT_YEAR, 70)]
    # Again: the lot has three expiries by now.
    assert (await desk.renew(until=NEXT_YEAR)).renewed_points == 5
    assert (await desk.renew(before=NEXT_YEAR + timedelta(1), until=NEXT_YEAR + timedelta(9))).renewed_points == 75
    await world.redeem(75)
    assert (await world.balance()).available_points == 0


async def test_renewals_at_once_and_with_the_expiry_run_keep_every_point(world: World, desk: Desk) -> None:
    for _ in range(4):
        await world.sell(2_500)
    await set_time(world.app, FIRST_EXPIRY - timedelta(minutes=1))
    answers = await asyncio.gather(
        *(desk.renew(until=NEXT_YEAR + timedelta(days=n)) for n in range(4)),
        *(world.redeem(5) for _ in range(4)),
        return_exceptions=True,
    )
    await close_day(world, FIRST_EXPIRY)
    balance = await world.balance()
    assert (balance.available_points, balance.expired_points_total) == (80, 0), answers


async def test_a_renewal_in_one_batch_with_everything_else(bank: Bank, ledger: Ledger) -> None:
    (wallet,) = await bank.open_wallets(1)
    sale, other = bank.earn(wallet, 50), bank.earn(wallet, 7, shop=1)
    until = NOW + timedelta(days=90_000)
    renew = bank.move(Kind.RENEW, wallet, expire_time=until, unlock_time=until)
    items = [
        sale,
        bank.move(Kind.REDEEM, wallet, 10, detail=b""),
        renew,
        other,
        bank.move(Kind.REDEEM, wallet, 8, detail=b""),
        bank.claw_back(sale, 50),
    ]
    rows = await ledger.lanes[ledger.lane_of(wallet)]._call(items)
    assert [(row["status"], row["points"], row["available_points"]) for row in rows] == [
        (Status.APPLIED, 50, 50),
        (Status.APPLIED, 10, 40),
        (Status.APPLIED, 40, 40),
        (Status.APPLIED, 7, 47),
        (Status.APPLIED, 8, 39),  # 7 that expire earlier, and one that was renewed
        (Status.APPLIED, 50, 0),
    ]
    assert (await ledger.apply([renew]))[0] == Outcome(Status.REPLAY, 40, 0, 40, until)
    renew.request_hash = b"other"
    assert (await ledger.apply_one(renew)).status is Status.CONFLICT
