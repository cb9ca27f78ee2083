"""Merges while a payment of the absorbed member is under way: it ends in the name it began in, and then all follows."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from chassis import ids, rpc
from chassis.db import Tx
from chassis.jobs import RowsFailed
from huitong.member.v1 import events_pb2 as member_events
from huitong.parking.v1 import events_pb2 as parking_events
from huitong.parking.v1 import parking_pb2 as pb
from services.parking import intents, merging
from services.parking.merging import MERGED, MERGING, UNMERGED, UNMERGING
from tests.integration.parking.lot import ENTRY, Lot, member_id
from tests.integration.parking.test_parking_payments import parts, refusal

MERGE = ids.to_edge("mrg", ids.derive("merge", "ann", "ben"))
BEN_PLATE = "沪B12345"
FAULTS = ["unreachable", "unanswered"]


class Dying(BaseException):
    """The process died here."""


class Twins:
    """Ann, who absorbs Ben, his car inside, and the follower's turns."""

    def __init__(self, lot: Lot) -> None:
        self.lot, self.points = lot, lot.points
        self.ann, self.ben = member_id("ann"), member_id("ben")

    async def begin(self) -> Twins:
        await self.lot.apps.as_owner("parking", "TRUNCATE member_merge, merged_item, outbox")
        await self.lot.join("ben")
        await self.lot.bind("ben", BEN_PLATE)
        self.points.balances[self.ben] = 10_000
        await self.lot.enter(plate_no=BEN_PLATE)
        return self

    async def merge(self, merge_id: str = MERGE) -> None:
        await self.lot.take(
            "member", member_events.MemberMerged(merge_id=merge_id, survivor_id=self.ann, absorbed_id=self.ben)
        )

    async def unmerge(self, merge_id: str = MERGE) -> None:
        await self.lot.take(
            "member", member_events.MemberUnmerged(merge_id=merge_id, survivor_id=self.ann, absorbed_id=self.ben)
        )

    async def follow(self) -> None:
        """A whole turn of the follower."""
        (job,) = (job for job in self.lot.app.jobs if job.name == "parking.merges")
        rpc.speak_as("parking", self.lot.apps.tokens)
        await job._run(ENTRY)

    async def state(self, merge_id: str = MERGE) -> int:
        query = "SELECT state FROM member_merge WHERE merge_id = $1"
        return int(await self.lot.app.db.pool.fetchval(query, ids.from_edge("mrg", merge_id, "")))

    async def followed(self, merge_id: str = MERGE) -> list[bool]:
        """For each MergeFollowed whether it was an unmerge."""
        kind = parking_events.MergeFollowed
        rows = await self.lot.app.db.pool.fetch(
            "SELECT payload FROM outbox WHERE type = $1 ORDER BY id", kind.DESCRIPTOR.full_name
        )
        events = [kind.FromString(row["payload"]) for row in rows]
        return [event.is_unmerge for event in events if event.merge_id == merge_id]

    async def stay_of(self) -> str:
        """Whose Ben's stay is."""
        query = "SELECT member_id FROM stay WHERE plate_no = $1"
        return ids.to_edge("mbr", await self.lot.app.db.pool.fetchval(query, BEN_PLATE))

    async def plates(self, who: str) -> set[str]:
        request = pb.ListPlatesRequest(member_id=who)
        return {one.plate_no for one in (await self.lot.call("ListPlates", request)).plates}

    def fail(self, how: str, *methods: str) -> None:
        """Points is away, or does it and its answer is lost."""
        broken = set(methods)
        self.points.fail_before, self.points.fail_after = (broken, set()) if how == FAULTS[0] else (set(), broken)

    def mend(self) -> None:
        self.points.fail_before, self.points.fail_after = set(), set()

    async def somebody_waits(self) -> bool:
        """Whether a transaction waits for another one here."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(await self.lot.app.db.pool.fetchval(query))

    def spenders(self) -> list[str]:
        """In whose names points was spent, in order."""
        return [request.member_id for request in self.points.redemptions.values()]


@pytest.fixture
async def twins(lot: Lot) -> Twins:
    return await Twins(lot).begin()


@pytest.mark.parametrize("how", FAULTS)
async def test_a_pending_payment_is_made_in_the_name_it_began_in(twins: Twins, how: str) -> None:
    lot = twins.lot
    twins.fail(how, "Redeem")
    pay: dict[str, Any] = {"points": True, "name": "ben", "plate_no": BEN_PLATE, "request_id": "pay-of-ben"}
    assert await refusal(lot.pay(100, **pay)) == "UNAVAILABLE"
    await twins.merge()
    await twins.follow()
    # The plate is Ann's, the stay waits for its payment.
    assert (await twins.state(), await twins.stay_of(), await lot.states()) == (MERGING, twins.ben, ["pending"])
    assert await twins.plates(twins.ann) == {"沪A12345", BEN_PLATE}
    assert await twins.followed() == []

    twins.mend()
    answer = await lot.pay(100, **pay)
    assert parts(answer.fee) == (1600, 0, 1500, 100, 0)
    assert twins.spenders() == [twins.ben]
    await twins.follow()
    assert (await twins.state(), await twins.stay_of()) == (MERGED, twins.ann)
    assert await lot.pay(100, **pay) == answer
    assert (twins.points.balances[twins.ben], twins.points.balances[twins.ann]) == (9_500, 10_000)

    # Ann pays for the next hours, and points is away when they are parted.
    twins.fail(how, "Redeem")
    pay_more: dict[str, Any] = {"points": True, "name": "ann", "plate_no": BEN_PLATE, "request_id": "pay-of-ann"}
    assert await refusal(lot.pay(230, **pay_more)) == "UNAVAILABLE"
    await twins.unmerge()
    await twins.follow()
    assert (await twins.state(), await twins.stay_of()) == (UNMERGING, twins.ann)
    twins.mend()
    await lot.lapse_leases()
    await lot.work()
    await twins.follow()
    assert await lot.states() == ["done", "done"]
    assert twins.spenders() == [twins.ben, twins.ann]
    assert (await twins.state(), await twins.stay_of()) == (UNMERGED, twins.ben)
    assert (await twins.plates(twins.ann), await twins.plates(twins.ben)) == ({"沪A12345"}, {BEN_PLATE})
    assert await twins.followed() == [False, True]
    await twins.follow()
    assert await twins.followed() == [False, True]
    assert (await lot.leave(235, plate_no=BEN_PLATE)).may_leave


@pytest.mark.parametrize("how", FAULTS)
async def test_points_of_a_payment_that_came_too_late_go_back_to_whom_they_are(twins: Twins, how: str) -> None:
    lot = twins.lot
    twins.fail("unanswered", "Redeem")
    pay: dict[str, Any] = {"points": True, "name": "ben", "plate_no": BEN_PLATE, "request_id": "pay-of-ben"}
    assert await refusal(lot.pay(100, **pay)) == "UNAVAILABLE"
    assert (await lot.leave(101, paid=1600, plate_no=BEN_PLATE)).may_leave
    twins.mend()
    twins.fail(how, "ReverseRedemption")
    await lot.work()
    assert await lot.states() == ["reversing"]
    await twins.merge()
    await twins.follow()
    assert (await twins.state(), await twins.stay_of()) == (MERGING, twins.ben)
    await twins.follow()
    assert await twins.followed() == []

    twins.mend()
    await lot.lapse_leases()
    await lot.work()
    assert await lot.states() == ["reversed"]
    assert (twins.points.taken, twins.points.balances[twins.ben]) == (0, 10_000)
    assert twins.points.balances[twins.ann] == 10_000
    await twins.follow()
    assert (await twins.state(), await twins.stay_of()) == (MERGED, twins.ann)
    await twins.unmerge()
    await twins.follow()
    assert (await twins.state(), await twins.stay_of()) == (UNMERGED, twins.ben)
    assert await twins.followed() == [False, True]


@pytest.mark.parametrize("points", [True, False])
async def test_a_payment_that_begins_while_they_are_parted_leaves_each_their_own(
    twins: Twins, points: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lot, save = twins.lot, intents.save
    await twins.merge()
    await twins.follow()
    parting: list[asyncio.Task[None]] = []

    async def part_meanwhile(tx: Tx, intent: intents.Intent) -> None:
        await save(tx, intent)
        await twins.unmerge()
        parting.append(asyncio.create_task(twins.follow()))
        async with asyncio.timeout(10):
            while not parting[0].done() and not await twins.somebody_waits():
                await asyncio.sleep(0.01)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(intents, "save", part_meanwhile)
        await lot.pay(100, points=points, name="ann", plate_no=BEN_PLATE)
    await parting[0]
    await twins.follow()
    assert (await twins.state(), await twins.stay_of()) == (UNMERGED, twins.ben)
    assert twins.spenders() == [twins.ann] * points
    assert await twins.followed() == [False, True]


async def test_a_merge_that_cannot_be_followed_holds_up_no_other(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = sorted(ids.derive("merge", name) for name in ("one", "two"))
    edges = [ids.to_edge("mrg", one) for one in (bad, good)]
    for merge_id in edges:
        await twins.merge(merge_id)
    follow = merging._follow

    async def fail(tx: Tx, merge: Any) -> None:
        if merge["merge_id"] == bad:
            raise ValueError("a defect")
        await follow(tx, merge)

    with monkeypatch.context() as patch:
        patch.setattr(merging, "_follow", fail)
        with pytest.raises(RowsFailed):
            await twins.follow()
    assert [await twins.state(one) for one in edges] == [MERGING, MERGED]
    await twins.follow()
    assert await twins.state(edges[0]) == MERGED


async def test_a_follower_that_dies_anywhere_moves_everything_once(
    twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    lot = twins.lot
    second = "沪B54321"
    await lot.bind("ben", second)
    await lot.enter(plate_no=second)
    await lot.enter()
    execute = Tx.execute
    left = 0

    async def dying(tx: Tx, *statement: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Dying
        return await execute(tx, *statement)

    monkeypatch.setattr(Tx, "execute", dying)

    async def owners() -> dict[str, int]:
        rows = await lot.app.db.pool.fetch(
            """SELECT member_id, count(*) FROM (SELECT member_id FROM plate_binding
               UNION ALL SELECT member_id FROM stay) AS things GROUP BY member_id"""
        )
        return {ids.to_edge("mbr", row["member_id"]): row["count"] for row in rows}

    apart, together = {twins.ann: 2, twins.ben: 4}, {twins.ann: 6}
    died = 0
    for place in range(1, 9):
        merge_id = ids.to_edge("mrg", ids.derive("merge", place))
        for tell, end, then in ((twins.merge, MERGED, together), (twins.unmerge, UNMERGED, apart)):
            await tell(merge_id)
            left = place
            while await twins.state(merge_id) != end:
                assert await owners() in (apart, together)  # all of it or nothing
                with contextlib.suppress(Dying):
                    await twins.follow()
                    continue
                died += 1
            left = 0
            assert await owners() == then
        assert await twins.followed(merge_id) == [False, True]
    assert died >= 10
