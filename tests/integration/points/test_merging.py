"""Members that become one, and two again: their points, whoever names whom, whatever breaks in between."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from chassis.events import Fact
from chassis.rpc import internal_caller
from huitong.member.v1 import events_pb2 as member_events
from huitong.points.v1 import events_pb2, lots_pb2, lots_pb2_grpc, points_pb2
from services.points.convert import to_date
from services.points.ledger.ledger import Ledger, lane_of
from services.points.lookup import Lookup
from services.points.merging import operations as merging
from services.points.merging import queries as merge_queries
from services.points.merging.operations import Merges
from tests.apps import member
from tests.integration.points import test_rules_life as rules_life
from tests.integration.points.bank import on_a_shard
from tests.integration.points.test_awards import offer, publish
from tests.integration.points.test_renewals import Desk
from tests.integration.points.test_wallets import Wallets
from tests.integration.points.world import World, set_time

pytestmark = on_a_shard

NOON = datetime(2019, 3, 15, 4, tzinfo=UTC)
SURVIVOR, ABSORBED = 0, 1


class Office:
    """Tells points of merges as member does, and lets the job run when the test says so."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.number = 0

    def event(self, kind: Any) -> Any:
        return kind(
            merge_id=ids.to_edge("mrg", ids.derive("merge", self.world.group_id, self.number)),
            survivor_id=self.world.member_id(SURVIVOR),
            absorbed_id=self.world.member_id(ABSORBED),
        )

    async def tell(self, handler: Any, kind: Any) -> None:
        group_id, event = self.world.group_id, self.event(kind)
        fact = Fact(ids.new(), group_id, event.absorbed_id, self.world.now, event)
        async with self.world.app.db.transaction(internal_caller("member", group_id)) as tx:
            await handler(tx, [fact])

    async def merge(self) -> None:
        self.number += 1
        await self.tell(merging.on_merged, member_events.MemberMerged)
        await self.run()

    async def unmerge(self) -> None:
        await self.tell(merging.on_unmerged, member_events.MemberUnmerged)
        await self.run()

    async def run(self) -> None:
        db = self.world.app.db
        ledger = Ledger(db.url, self.world.app.settings.points_lanes, now_sql=db.now_sql)
        await ledger.open()
        try:
            lookup = Lookup(db, len(ledger.lanes), org=None, member=None, ladder=None)
            await Merges(db, lookup, ledger).run(self.world.now)
        finally:
            await ledger.close()

    async def state(self) -> int:
        merge_id = ids.from_edge("mrg", self.event(member_events.MemberMerged).merge_id, "merge_id")
        return await self.world.app.db.pool.fetchval("SELECT state FROM member_merge WHERE merge_id = $1", merge_id)

    async def points(self) -> tuple[int, int]:
        """What is in each one's wallet: available, held and pending, less what it owes."""
        rows = await self.world.app.db.pool.fetch(
            "SELECT wallet_id, available_points + held_points + pending_points - debt_points AS points FROM wallet"
        )
        found = {row["wallet_id"]: row["points"] for row in rows}
        return found[self.world.members[SURVIVOR]], found[self.world.members[ABSORBED]]

    async def charges(self) -> tuple[int, int]:
        (row,) = await self.world.app.db.pool.fetch(
            """SELECT payload FROM outbox WHERE type LIKE '%MergeFollowed'
               ORDER BY xid::text::bigint DESC, id DESC LIMIT 1"""
        )
        event = events_pb2.MergeFollowed.FromString(row["payload"])
        assert event.is_unmerge
        return event.charged_points, event.uncharged_points


class Died(BaseException):
    """The process: nobody catches that."""


@pytest.fixture
async def office(world: World) -> Office:
    """Two members in two lanes; points wait for seven days."""
    for name in ("points-merges", "points-day-close"):
        job = next(one for one in world.app.jobs if one.name == name)
        job.run_once = _nothing  # type: ignore[method-assign]
    await set_time(world.app, NOON)
    world.now = NOON
    await world.join(30)
    members, lanes = world.members, world.app.settings.points_lanes
    lane = lane_of(members[SURVIVOR], lanes)
    other = next(place for place, member_id in enumerate(members) if lane_of(member_id, lanes) != lane)
    members[ABSORBED], members[other] = members[other], members[ABSORBED]
    return Office(world)


async def _nothing() -> bool:
    return False


async def waiting_rules(world: World) -> None:
    await world.publish(world.rule_set(effective_date=to_date(date(2019, 3, 15)), pending_days=7))


async def test_everything_follows_the_survivor(office: Office) -> None:
    world = office.world
    for days in (0, 120, 60):
        await world.sell(4_000, member=ABSORBED, sale_time=NOON - timedelta(days=days), shop=days // 60)
    await world.sell(1_000, member=SURVIVOR)
    owing = world.sale(2_000, member=ABSORBED, shop=2)
    await world.call(world.sales.RecordSale, owing)
    await world.redeem(20, member=ABSORBED)  # of the lot of 120 days ago: 20 left of it
    hold = await world.hold(30, member=ABSORBED)
    await waiting_rules(world)
    waiting = world.sale(5_000, member=ABSORBED)
    await world.call(world.sales.RecordSale, waiting)
    before, totals = await world.balance(ABSORBED), await world.totals()
    assert (before.available_points, before.held_points, before.pending_points) == (90, 30, 50)

    await office.merge()
    await office.run()
    assert await office.state() == merge_queries.MERGED
    assert await office.points() == (10 + 90 + 50, 30)
    after = await world.balance(SURVIVOR)
    assert (after.available_points, after.held_points, after.pending_points) == (100, 0, 50)
    assert (await world.balance(ABSORBED)).member_id == world.member_id(SURVIVOR)
    # Lots keep their expiry and issuer, and nobody's points became more or fewer.
    assert [one.points for one in after.next_expiries] == [30, 70]
    assert [one.points for one in after.next_unlocks] == [50]
    assert await world.totals() == totals
    # So does what its sales say of them: who pays for them.
    lots_of = world.apps.stub(lots_pb2_grpc.LotServiceStub, "points").ListLots
    lots = (await world.call(lots_of, lots_pb2.ListLotsRequest(member_id=world.member_id(ABSORBED)))).lots
    assert len(lots) == 5
    assert all([one.funder_id for one in lot.funders] == [lot.issuer_merchant_id] for lot in lots)
    came = (await world.statement(SURVIVOR))[0]
    assert (came.kind, came.points, came.pending_points) == (points_pb2.MOVEMENT_KIND_MERGE_IN, 140, 50)
    assert (came.other_member_id, came.merge_id[:4]) == (world.member_id(ABSORBED), "mrg_")
    history = points_pb2.ListStatementRequest(
        member_id=world.member_id(SURVIVOR), absorbed_member_id=world.member_id(ABSORBED)
    )
    entries = (await world.call(world.wallets.ListStatement, history)).entries
    assert [entry.kind for entry in entries][:2] == [
        points_pb2.MOVEMENT_KIND_MERGE_OUT,
        points_pb2.MOVEMENT_KIND_EARN,
    ]
    assert len(entries) == 7
    sale = points_pb2.GetSaleRequest(member_id=world.member_id(SURVIVOR), sale_id=entries[1].txn_id)
    assert (await world.call(world.sales.GetSale, sale)).points == 50

    # The hold finishes where it is, whoever names it, and what it frees follows.
    captured = await world.capture(hold, 10, member=SURVIVOR)
    assert captured.available_points == 120
    assert (await world.reverse(captured, member=ABSORBED)).available_points == 130

    # Who names the absorbed member means the survivor. What came before is known again.
    again = await world.call(world.sales.RecordSale, waiting)
    assert (again.is_replay, again.available_points) == (True, 130)
    new = await world.sell(3_000, member=ABSORBED)
    assert (new.points, new.pending_points, new.available_points) == (30, 30, 130)
    assert (await world.balance(SURVIVOR)).pending_points == 80
    spent = await world.redeem(15, member=ABSORBED)
    assert spent.available_points == 115

    # A return takes the sale's own lot from wherever it is by now.
    returned = await world.call(world.sales.RefundSale, world.refund(waiting))
    assert (returned.clawed_back_points, returned.debt_points, returned.available_points) == (50, 0, 115)
    returned = await world.call(world.sales.RefundSale, world.refund(owing))
    assert (returned.clawed_back_points, returned.debt_points, returned.available_points) == (20, 0, 95)
    assert await office.points() == (95 + 30, 0)
    await world.redeem(95, member=SURVIVOR)
    # Nothing is there to take any more (the 30 are pending), so the survivor owes what comes back.
    late = world.sale(700, member=ABSORBED, sale_time=NOON - timedelta(days=1))
    await world.call(world.sales.RecordSale, late)
    await world.redeem(7, member=SURVIVOR)
    assert (await world.call(world.sales.RefundSale, world.refund(late))).debt_points == 7
    assert await office.points() == (30 - 7, 0)
    assert (await world.balance(SURVIVOR)).debt_points == 7


async def test_an_unmerge_gives_each_its_own(office: Office) -> None:
    world = office.world
    first = world.sale(10_000, member=ABSORBED, sale_time=NOON - timedelta(days=100))
    await world.call(world.sales.RecordSale, first)
    await world.sell(5_000, member=SURVIVOR, sale_time=NOON - timedelta(days=50))
    await office.merge()
    assert await office.points() == (150, 0)

    # Both go on: 40 of the absorbed member's lot are spent by the survivor, 20 under its own id; both earn.
    await world.redeem(40, member=SURVIVOR)
    named = await world.redeem(20, member=ABSORBED)
    await world.sell(800, member=ABSORBED)
    await world.sell(600, member=SURVIVOR)
    held = await world.hold(10, member=SURVIVOR)
    assert await office.points() == (150 - 60 + 14, 0)

    await office.unmerge()
    # Ten of the lot are held still: they may be spent yet, so nobody can say who owes whom.
    assert await office.state() == merge_queries.UNMERGING
    await world.capture(held, 4, member=SURVIVOR)
    await office.run()
    await office.run()
    assert await office.state() == merge_queries.UNMERGED
    # The absorbed member has what it would have alone: 100 - 20 + 8. The survivor paid for 44: 56 - 44.
    assert await office.points() == (12, 88)
    assert await office.charges() == (44, 0)
    # Each acts for itself again, and what was spent in one name comes back to that one.
    assert (await world.sell(100, member=ABSORBED)).available_points == 89
    assert (await world.sell(100, member=SURVIVOR)).available_points == 13
    assert (await world.reverse(named, member=ABSORBED)).available_points == 109
    assert await office.points() == (13, 109)
    assert (await world.call(world.sales.RefundSale, world.refund(first))).clawed_back_points == 100
    assert await office.points() == (13, 9)

    # What is told again changes nothing any more.
    for handler, kind in (
        (merging.on_merged, member_events.MemberMerged),
        (merging.on_unmerged, member_events.MemberUnmerged),
    ):
        await office.tell(handler, kind)
        await office.run()
        assert (await office.state(), await office.points()) == (merge_queries.UNMERGED, (13, 9))

    # A second merge of the same two is another one.
    await office.merge()
    assert await office.points() == (22, 0)
    await office.unmerge()
    assert await office.points() == (13, 9)
    assert await office.charges() == (0, 0)


async def test_a_merge_waits_for_a_survivor_without_room_and_holds_up_no_other(office: Office) -> None:
    world = office.world
    await world.fill(2**53 - 1 - 99, member=SURVIVOR)
    sale = world.sale(10_000, member=ABSORBED)
    await world.call(world.sales.RecordSale, sale)
    await office.merge()
    assert await office.state() == merge_queries.MERGING
    assert await office.points() == (2**53 - 1 - 99, 100)
    # Sales and returns of the absorbed member's go on.
    assert (await world.sell(1_000, member=ABSORBED)).points == 10
    back = await world.call(world.sales.RefundSale, world.refund(sale, (1, 1_000)))
    assert (back.clawed_back_points, back.debt_points) == (10, 0)
    await world.redeem(1)
    await office.run()
    assert await office.state() == merge_queries.MERGED
    assert await office.points() == (2**53 - 1, 0)


async def test_what_finds_the_survivor_filled_meanwhile_waits_in_between(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = office.world
    await world.fill(2**53 - 1 - 99, member=SURVIVOR)
    await world.sell(10_000, member=ABSORBED)
    with monkeypatch.context() as patch:
        patch.setattr(merging, "has_room", _always)  # as if it had been filled right after the look
        await office.merge()
    assert await office.points() == (2**53 - 1 - 99, 0)
    await office.run()
    assert await office.state() == merge_queries.MERGING
    await world.redeem(1)
    await office.run()
    assert await office.state() == merge_queries.MERGED
    assert await office.points() == (2**53 - 1, 0)


async def _always(*_: Any) -> bool:
    return True


async def test_other_currencies_and_renewed_lots_follow_too(office: Office) -> None:
    world = office.world
    wallets = await Wallets(world).build()
    await publish(wallets, offer(wallets, bonus_bps=10_000))
    sale = world.sale(5_000, member=ABSORBED, shop=2)
    await world.call(world.sales.RecordSale, sale)
    await world.sell(1_000, member=SURVIVOR)
    desk = Desk(world)
    await desk.renew(before=NOON + timedelta(days=700), until=NOON + timedelta(days=800), member=ABSORBED)
    await office.merge()
    assert (await wallets.balance(wallets.hotel, SURVIVOR)).available_points == 50
    spent = points_pb2.RedeemRequest(
        request_id=world.request_id(), member_id=world.member_id(ABSORBED), points=20, currency_id=wallets.hotel,
        spending=world.spending(2),
    )  # fmt: skip
    assert (await world.call(world.wallets.Redeem, spent)).available_points == 30
    # The return takes the lot of its own sale, which a renewal has given another expiry, and not what expires first.
    returned = await world.call(world.sales.RefundSale, world.refund(sale, (1, 2_500)))
    assert (returned.clawed_back_points, returned.returned_awards[0].points) == (25, 25)
    assert [one.points for one in (await world.balance(SURVIVOR)).next_expiries] == [10, 25]
    await office.unmerge()
    assert await office.state() == merge_queries.UNMERGED
    assert await office.points() == (10, 25)
    assert (await wallets.balance(wallets.hotel, ABSORBED)).available_points == 5
    assert await office.charges() == (0, 0)


async def test_what_the_survivor_cannot_pay_is_named(office: Office) -> None:
    world = office.world
    debtor = world.sale(3_000, member=ABSORBED)
    await world.call(world.sales.RecordSale, debtor)
    await world.redeem(30, member=ABSORBED)
    assert (await world.call(world.sales.RefundSale, world.refund(debtor))).debt_points == 30
    await office.merge()
    assert (await world.balance(SURVIVOR)).debt_points == 30
    # A purchase of the survivor repays 20 of it, and another of the absorbed's earns 50, which the survivor spends.
    await world.sell(2_000, member=SURVIVOR)
    await world.sell(5_000, member=ABSORBED)
    await world.redeem(50, member=SURVIVOR)
    await office.unmerge()
    assert await office.points() == (0, -10)
    assert await office.charges() == (0, 30)
    assert (await world.balance(ABSORBED)).debt_points == 10


async def test_a_merge_of_many_lots_goes_on_after_each_crash(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    world = office.world
    request = points_pb2.RecordSalesRequest(sales=[world.sale(100, member=ABSORBED) for _ in range(250)])
    await world.call(world.sales.RecordSales, request)
    monkeypatch.setattr(merging, "LOTS_AT_ONCE", 100)
    for kind in (member_events.MemberMerged, member_events.MemberUnmerged):
        number = 0
        while True:
            number += 1
            with _dying_at(monkeypatch, number) as alive, pytest.MonkeyPatch.context() as patch:
                patch.setattr(merging, "CHUNK", 1)
                try:
                    if number == 1:
                        await (office.merge() if kind is member_events.MemberMerged else office.unmerge())
                    else:
                        await office.run()
                except Died:
                    continue
                assert alive
                break
        assert number > 3
        assert await office.points() == ((250, 0) if kind is member_events.MemberMerged else (0, 250))


class _dying_at:
    """The n-th call of the ledger is the last thing this process does: done, but nobody hears of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
        self._patch, self._left, self._apply = monkeypatch, number % 3 + 1, Ledger.apply_one

    def __enter__(self) -> Any:
        async def apply_one(ledger: Ledger, *args: Any, **kwargs: Any) -> Any:
            outcome = await self._apply(ledger, *args, **kwargs)
            self._left -= 1
            if self._left == 0:
                raise Died
            return outcome

        self._patch.setattr(Ledger, "apply_one", apply_one)
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.setattr(Ledger, "apply_one", self._apply)


async def test_sales_and_spending_while_members_are_merged_and_parted(office: Office) -> None:
    world = office.world
    await world.sell(20_000, member=ABSORBED)
    await world.sell(10_000, member=SURVIVOR)
    earned = spent = 0

    async def live(member: int) -> None:
        nonlocal earned, spent
        for number in range(8):
            sale = world.sale(1_000, member=member)
            await world.call(world.sales.RecordSale, sale)
            earned += 10
            if number % 2:
                await world.call(world.sales.RefundSale, world.refund(sale))
                earned -= 10
            try:
                redeemed = await world.redeem(3, member=member)
                spent += redeemed.points
            except AppError as error:
                assert error.reason == "INSUFFICIENT_POINTS"

    async def part() -> None:
        await office.merge()
        await office.run()
        await office.unmerge()

    await asyncio.gather(live(SURVIVOR), live(ABSORBED), part())
    while await office.state() != merge_queries.UNMERGED:
        await office.run()
    assert sum(await office.points()) == 300 + earned - spent
    await office.merge()
    await office.run()
    assert await office.points() == (300 + earned - spent, 0)


async def test_what_came_back_while_they_were_one_is_not_given_over_again(office: Office) -> None:
    world = office.world
    await world.sell(5_000, member=SURVIVOR)
    await office.merge()
    spent = await world.redeem(20, member=ABSORBED)
    await world.reverse(spent, member=ABSORBED, request_id="reversal-1")
    await office.unmerge()
    assert await office.points() == (50, 0)
    assert (await world.reverse(spent, member=ABSORBED, request_id="reversal-1")).is_replay
    assert await office.points() == (50, 0)


async def test_a_lot_that_both_have_parts_of_is_charged_for_no_more_than_is_missing(office: Office) -> None:
    world = office.world
    await world.publish(world.rule_set(transfer_limit_points=100, effective_date=to_date(date(2016, 1, 1))))
    await world.sell(3_000, member=SURVIVOR)
    await world.sell(5_000, member=ABSORBED, sale_time=NOON - timedelta(days=1))
    gift = points_pb2.TransferPointsRequest(
        request_id=world.request_id(),
        member_id=world.member_id(SURVIVOR),
        to_member_id=world.member_id(ABSORBED),
        points=10,
    )
    await world.call(world.wallets.TransferPoints, gift, member(world.member_id(SURVIVOR), world.group_id))
    await office.merge()
    assert await office.points() == (80, 0)
    # In one wallet: 20 of the survivor's own purchase and the 10 given, and 50 of the absorbed member's.
    await world.redeem(75, member=SURVIVOR)
    await office.unmerge()
    survivor, absorbed = await office.points()
    charged, uncharged = await office.charges()
    # The survivor had 20 and spent 75: 55 of it was the absorbed member's, of which nothing is left to be charged.
    assert (survivor, absorbed, charged, uncharged) == (0, 5, 0, 55)


async def test_limits_of_a_member_are_one_for_both_while_they_are_one(office: Office) -> None:
    world = office.world
    limited = rules_life.offer(bonus_bps=10_000, max_points_per_member_day=25)
    ceiling = points_pb2.MemberCeiling(points_per_day=60, points_per_month=1_000)
    await world.publish(rules_life.with_offers(world, limited, member_ceiling=ceiling))
    await office.merge()
    found = [(await world.sell(1_000, member=who)).points for who in (SURVIVOR, ABSORBED, SURVIVOR, ABSORBED, ABSORBED)]
    assert found == [20, 20, 15, 5, 0]  # 10 + 10, 10 + 10, 10 + 5, and of the next only what the day has left
    await office.unmerge()
    # What it earned as the survivor has used up the survivor's day; its own has all that is left.
    found = [(await world.sell(1_000, member=who)).points for who in (ABSORBED, ABSORBED, ABSORBED, SURVIVOR)]
    assert found == [20, 20, 15, 0]
