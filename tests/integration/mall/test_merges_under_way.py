"""Merges while the mall works on what the absorbed member has: it ends in the name it began in, and follows then."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message

from chassis import ids, rpc
from chassis.db import Tx
from huitong.common.v1 import events_pb2
from huitong.mall.v1 import mall_pb2
from huitong.member.v1 import events_pb2 as member_events
from services.mall.merging import store
from services.mall.merging.store import MERGED, MERGING, UNMERGED, UNMERGING
from tests.apps import GROUP, Apps
from tests.integration.mall.mall import ANNA, BORIS, as_uuid
from tests.integration.mall.test_checkout import COMMITTED, VOIDED, Till

pytestmark = pytest.mark.timeout(120)
COMPLETED, PENDING, CANCELLED = (
    mall_pb2.ORDER_STATE_COMPLETED,
    mall_pb2.ORDER_STATE_PENDING,
    mall_pb2.ORDER_STATE_CANCELLED,
)
FOR_LONG = 1_000  # calls that fail, more than there will be
MERGE = ids.to_edge("mrg", ids.derive("merge", "anna", "boris"))


class Twins(Till):
    """Anna, who absorbs Boris, and what the mall asks of points in whose name."""

    asked: list[tuple[str, str]]

    async def begin(self) -> Twins:
        await self.start()
        await self.apps.as_owner("mall", "TRUNCATE member_merge, merged_item")
        for who in (ANNA, BORIS):
            self.points.available[who] = 1_000
        self.asked = []
        once = self.points.once

        async def noted(method: str, request: Any, effect: Any) -> Any:
            if hasattr(request, "member_id"):
                self.asked.append((method, request.member_id))
            return await once(method, request, effect)

        self.points.once = noted  # type: ignore[method-assign]
        return self

    def asked_for(self) -> set[str]:
        """In whose names points was asked since the last time."""
        names = {who for _, who in self.asked if who}  # a return names its sale
        self.asked.clear()
        return names

    async def hear(self, message: Message) -> None:
        """What member tells, through the real consumer."""
        consumer = next(one for one in self.apps.running["mall"].consumers if one.producer == "member")
        mark = await self.db.pool.fetchval("SELECT max(pack_no) FROM watermark WHERE producer = 'member'")
        pack = events_pb2.EventPack(producer="member", pack_no=(mark or 0) + 1)
        event = pack.events.add(
            event_id=ids.new().bytes,
            type=message.DESCRIPTOR.full_name,
            group_id=GROUP.bytes,
            payload=message.SerializeToString(),
        )
        event.occur_time.FromDatetime(datetime.now(UTC))
        await consumer.take([pack])

    async def merge(self, merge_id: str = MERGE) -> None:
        await self.hear(member_events.MemberMerged(merge_id=merge_id, survivor_id=ANNA, absorbed_id=BORIS))

    async def unmerge(self, merge_id: str = MERGE) -> None:
        await self.hear(member_events.MemberUnmerged(merge_id=merge_id, survivor_id=ANNA, absorbed_id=BORIS))

    async def follow(self) -> None:
        """A whole turn of the follower."""
        app = self.apps.running["mall"]
        rpc.speak_as("mall", app.tokens)
        (job,) = (job for job in app.jobs if job.name == "mall-merges")
        assert await job.run_once()

    async def merge_state(self, merge_id: str = MERGE) -> int:
        query = "SELECT state FROM member_merge WHERE merge_id = $1"
        return int(await self.db.pool.fetchval(query, as_uuid(merge_id)))

    async def followed(self, merge_id: str = MERGE) -> list[bool]:
        """For each MergeFollowed whether it was an unmerge."""
        return [one.is_unmerge for _, one in await self.events("MergeFollowed") if one.merge_id == merge_id]

    async def owner(self, table: str) -> str:
        """Whose the order or coupon is."""
        return ids.to_edge("mbr", await self.db.pool.fetchval(f"SELECT member_id FROM {table}"))

    def break_points(self, method: str, fault: str) -> None:
        self.points.faults[method] = [fault] * FOR_LONG

    def mend_points(self) -> None:
        self.points.faults.clear()


@pytest.fixture
async def twins(apps: Apps) -> AsyncIterator[Twins]:
    running = Twins(apps)
    try:
        yield await running.begin()
        await running.assert_invariants()
    finally:
        await running.stop()


@pytest.mark.parametrize("fault", ["before", "after"])
@pytest.mark.parametrize("method", ["Hold", "Capture"])
async def test_an_order_under_way_ends_in_its_members_name_and_follows_then(
    twins: Twins, method: str, fault: str
) -> None:
    item = await twins.item()
    twins.break_points(method, fault)
    order = await twins.order(item, member_id=BORIS)
    assert order.state == PENDING
    await twins.merge()
    await twins.follow()
    assert (await twins.merge_state(), await twins.owner("voucher_order")) == (MERGING, BORIS)
    assert await twins.followed() == []

    twins.mend_points()
    await twins.settle()
    await twins.follow()
    assert twins.asked_for() == {BORIS}
    assert (await twins.merge_state(), await twins.owner("voucher_order")) == (MERGED, ANNA)
    for who in (ANNA, BORIS):
        assert (await twins.get_order(order, member_id=who)).state == COMPLETED
    assert twins.balance(BORIS) == (900, 0, 100)

    # Anna gives it back, and points is away when they are parted: it is hers until that has ended.
    twins.break_points("ReverseRedemption", fault)
    assert (await twins.cancel(order, member_id=ANNA)).state == PENDING
    await twins.unmerge()
    await twins.follow()
    assert (await twins.merge_state(), await twins.owner("voucher_order")) == (UNMERGING, ANNA)
    twins.mend_points()
    await twins.settle()
    await twins.follow()
    assert twins.asked_for() == {ANNA}
    assert (await twins.merge_state(), await twins.owner("voucher_order")) == (UNMERGED, BORIS)
    assert (await twins.get_order(order, member_id=BORIS)).state == CANCELLED
    assert await twins.followed() == [False, True]
    await twins.follow()
    assert await twins.followed() == [False, True]
    assert twins.balance(BORIS) == (1_000, 0, 0)


@pytest.mark.parametrize("method", ["Hold", "RecordSale", "Capture"])
async def test_a_locked_coupon_is_its_checkouts_until_that_has_ended(twins: Twins, method: str) -> None:
    code = (await twins.issue(await twins.create_template(), member_id=BORIS)).code
    twins.break_points(method, "after")
    request = twins.request(member_code=f"code:{BORIS}", coupon_code=code, offset_points=300)
    pending = await twins.commit(request)
    assert await twins.coupon_state() == "LOCKED"
    await twins.merge()
    await twins.follow()
    assert (await twins.merge_state(), await twins.owner("coupon")) == (MERGING, BORIS)

    twins.mend_points()
    await twins.settle()
    await twins.follow()
    assert twins.asked_for() == {BORIS}
    assert (await twins.get(pending)).state == COMMITTED
    assert (await twins.merge_state(), await twins.owner("coupon"), await twins.coupon_state()) == (
        MERGED, ANNA, "USED",
    )  # fmt: skip
    # The goods come back: the checkout is Boris' for ever, the coupon is Anna's now.
    assert (await twins.void(pending)).state == VOIDED
    assert twins.asked_for() == {BORIS}
    assert (await twins.owner("coupon"), await twins.coupon_state()) == (ANNA, "ISSUED")
    assert twins.balance(BORIS) == (1_000, 0, 0)

    # Anna pays with it, and points is away when they are parted.
    twins.break_points(method, "before")
    second = twins.request(member_code=f"code:{ANNA}", coupon_code=code, offset_points=300, receipt_no="R2")
    pending = await twins.commit(second)
    await twins.unmerge()
    await twins.follow()
    assert (await twins.merge_state(), await twins.owner("coupon"), await twins.coupon_state()) == (
        UNMERGING, ANNA, "LOCKED",
    )  # fmt: skip
    twins.mend_points()
    await twins.settle()
    await twins.follow()
    assert twins.asked_for() == {ANNA}
    assert (await twins.get(pending)).state == COMMITTED
    # A coupon that the survivor has used comes back used.
    assert (await twins.merge_state(), await twins.owner("coupon"), await twins.coupon_state()) == (
        UNMERGED, BORIS, "USED",
    )  # fmt: skip
    assert await twins.followed() == [False, True]


async def test_a_merge_that_cannot_be_followed_holds_up_no_other(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = (ids.to_edge("mrg", one) for one in sorted(ids.derive("merge", name) for name in ("one", "two")))
    for merge_id in (bad, good):
        await twins.merge(merge_id)
    lock = store.lock_merge

    async def fail(tx: Tx, merge_id: UUID) -> int:
        if merge_id == as_uuid(bad):
            raise ValueError("a defect")
        return await lock(tx, merge_id)

    with monkeypatch.context() as patch:
        patch.setattr(store, "lock_merge", fail)
        await twins.follow()
    assert [await twins.merge_state(one) for one in (bad, good)] == [MERGING, MERGED]
    await twins.follow()
    assert await twins.merge_state(bad) == MERGED


class Died(BaseException):
    """The process: nobody catches that."""


async def test_a_follower_that_dies_anywhere_moves_everything_once(
    twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, template = await twins.item(), await twins.create_template()
    for _ in range(2):
        await twins.order(item, member_id=BORIS)
        await twins.issue(template, member_id=BORIS)
    await twins.order(item, member_id=ANNA)
    execute = Tx.execute
    left = 0

    async def dying(tx: Tx, *statement: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Died
        return await execute(tx, *statement)

    monkeypatch.setattr(Tx, "execute", dying)

    async def owners() -> dict[str, int]:
        rows = await twins.db.pool.fetch(
            """SELECT member_id, count(*) FROM (SELECT member_id FROM voucher_order
               UNION ALL SELECT member_id FROM coupon) AS things GROUP BY member_id"""
        )
        return {ids.to_edge("mbr", row["member_id"]): row["count"] for row in rows}

    died = 0
    for place in range(1, 9):
        merge_id = ids.to_edge("mrg", ids.derive("merge", place))
        for tell, end, then in (
            (twins.merge, MERGED, {ANNA: 5}),
            (twins.unmerge, UNMERGED, {ANNA: 1, BORIS: 4}),
        ):
            await tell(merge_id)
            left = place
            while await twins.merge_state(merge_id) != end:
                assert await owners() in ({ANNA: 1, BORIS: 4}, {ANNA: 5})  # all of it or nothing
                with contextlib.suppress(Died):
                    await twins.follow()
                    continue
                died += 1
            left = 0
            assert await owners() == then
        assert await twins.followed(merge_id) == [False, True]
    assert died >= 10
