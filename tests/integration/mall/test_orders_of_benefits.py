"""Orders of what a tier is worth: a unit of a benefit, points, or both, all or nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis.errors import AppError
from huitong.mall.v1 import mall_pb2
from tests.apps import Apps
from tests.integration.mall.mall import ANNA, CrashPoint, Mall, rid, running_mall

pytestmark = pytest.mark.timeout(120)
PENDING, COMPLETED = mall_pb2.ORDER_STATE_PENDING, mall_pb2.ORDER_STATE_COMPLETED
REJECTED, CANCELLED = mall_pb2.ORDER_STATE_REJECTED, mall_pb2.ORDER_STATE_CANCELLED


@pytest.fixture
async def mall(apps: Apps) -> AsyncIterator[Mall]:
    async with running_mall(apps) as running:
        running.points.available[ANNA] = 1000
        running.standins.benefits.left[ANNA] = 1
        yield running


def left(mall: Mall) -> int:
    return mall.standins.benefits.left[ANNA]


async def stock(mall: Mall, item: Any) -> int:
    request = mall_pb2.GetItemRequest(item_id=item.item_id)
    return int((await mall.call("Catalogue", "GetItem", request)).item.stock_left)


async def refusal_of(awaitable: Any) -> str:
    with pytest.raises(AppError) as caught:
        await awaitable
    return caught.value.reason


async def test_a_gift_takes_a_unit_of_the_benefit_and_no_points(mall: Mall) -> None:
    item = await mall.item("CAKE", stock=3, price=0, benefit="BIRTHDAY")
    assert item.benefit_code == "BIRTHDAY"
    request_id = rid()
    orders = await asyncio.gather(*(mall.order(item, request_id=request_id) for _ in range(20)))
    assert {(one.state, one.points, one.benefit_code) for one in orders} == {(COMPLETED, 0, "BIRTHDAY")}
    assert {one.voucher.code for one in orders} == {orders[0].voucher.code}
    assert (left(mall), await stock(mall, item), mall.balance()) == (0, 2, (1000, 0, 0))
    assert mall.points.calls["Hold"] == 0
    assert (await mall.use(orders[0].voucher.code)).voucher.is_used
    assert [name for name, _ in await mall.events()] == ["OrderCompleted", "VoucherUsed"]
    # The next one is more than the tier gives: the same answer however often, and nothing is taken.
    request_id = rid()
    for _ in range(2):
        assert await refusal_of(mall.order(item, request_id=request_id)) == "BENEFIT_QUOTA_USED"
    assert (left(mall), await stock(mall, item)) == (0, 2)
    await mall.assert_invariants()


async def test_an_item_costs_points_a_benefit_or_both(mall: Mall) -> None:
    assert await refusal_of(mall.item("FREE", price=0)) == "INVALID_ARGUMENT"
    assert await refusal_of(mall.item("FREE", price=0, benefit="no code")) == "INVALID_ARGUMENT"


@pytest.mark.parametrize(("price", "price_bps", "points"), [(100, 0, 100), (100, 9500, 95), (99, 9000, 90), (1, 1, 1)])
async def test_a_member_price_is_rounded_up(mall: Mall, price: int, price_bps: int, points: int) -> None:
    mall.standins.benefits.price_bps = price_bps
    order = await mall.order(await mall.item(price=price, benefit="PRICE"))
    assert (order.state, order.points, left(mall)) == (COMPLETED, points, 0)
    assert mall.balance() == (1000 - points, 0, points)
    ((_, event),) = await mall.events()
    assert event.points == points
    await mall.assert_invariants()


async def test_a_refusal_by_points_gives_the_unit_back(mall: Mall) -> None:
    item = await mall.item(stock=1, price=5000, benefit="PRICE")
    assert await refusal_of(mall.order(item)) == "INSUFFICIENT_POINTS"
    mall.points.faults["Capture"] = ["HOLD_RELEASED"]
    mall.standins.benefits.price_bps = 100
    assert await refusal_of(mall.order(item)) == "HOLD_RELEASED"
    assert (left(mall), await stock(mall, item), mall.points.spent[ANNA]) == (1, 1, 0)
    assert await mall.events() == []
    await mall.assert_invariants()


@pytest.mark.parametrize("price", [0, 100])
async def test_cancelling_gives_everything_back_once(mall: Mall, price: int) -> None:
    item = await mall.item(stock=1, price=price, benefit="GIFT")
    order = await mall.order(item)
    request_id = rid()
    answers = await asyncio.gather(*(mall.cancel(order, request_id=request_id) for _ in range(10)))
    assert {answer.state for answer in answers} == {CANCELLED}
    assert (left(mall), await stock(mall, item), mall.balance()) == (1, 1, (1000, 0, 0))
    assert Counter(name for name, _ in await mall.events()) == {"OrderCompleted": 1, "OrderCancelled": 1}
    assert await refusal_of(mall.use(order.voucher.code)) == "VOUCHER_CANCELLED"
    await mall.assert_invariants()


async def test_member_down_leaves_orders_pending_until_it_is_back(mall: Mall) -> None:
    item = await mall.item(price=0, benefit="GIFT")
    await mall.standins.stop("member")
    order = await mall.order(item)
    assert order.state == PENDING
    await mall.standins.start("member")
    await mall.settle()
    assert (await mall.get_order(order)).state == COMPLETED and left(mall) == 0
    await mall.assert_invariants()


async def test_a_refusal_that_another_driver_was_spared_leaves_nothing_used(mall: Mall) -> None:
    """One driver's use is granted and its answer lost; the next one is refused because nothing is left."""
    item = await mall.item(stock=1, price=0, benefit="GIFT")
    mall.points.faults["UseBenefit"] = ["after", "BENEFIT_QUOTA_USED"]
    order = await mall.order(item)
    assert order.state == PENDING and left(mall) == 0
    await mall.settle()
    assert (await mall.get_order(order)).state == REJECTED
    assert (left(mall), await stock(mall, item)) == (1, 1)
    await mall.assert_invariants()


@pytest.mark.parametrize(("price", "number"), [*((0, number) for number in range(1, 4)), (100, 2), (100, 3), (100, 5)])
async def test_a_placing_killed_at_any_point_converges(
    mall: Mall, monkeypatch: pytest.MonkeyPatch, price: int, number: int
) -> None:
    item = await mall.item(stock=1, price=price, benefit="GIFT")
    crash = CrashPoint(monkeypatch, number)
    request_id = rid()
    with pytest.raises(AppError):
        await mall.order(item, request_id=request_id)
    assert not crash.is_armed
    await mall.settle()
    assert (await mall.order(item, request_id=request_id)).state == COMPLETED
    assert (left(mall), mall.balance()) == (0, (1000 - price, 0, price))
    assert len(await mall.events()) == 1
    await mall.assert_invariants()


@pytest.mark.parametrize(("price", "number"), [*((0, number) for number in range(1, 4)), (100, 3), (100, 4), (100, 5)])
async def test_a_cancellation_killed_at_any_point_converges(
    mall: Mall, monkeypatch: pytest.MonkeyPatch, price: int, number: int
) -> None:
    order = await mall.order(await mall.item(stock=1, price=price, benefit="GIFT"))
    crash = CrashPoint(monkeypatch, number)
    request_id = rid()
    with contextlib.suppress(AppError):  # none when it is the worker that came first and died
        await mall.cancel(order, request_id=request_id)
    assert not crash.is_armed
    await mall.settle()
    assert (await mall.cancel(order, request_id=request_id)).state == CANCELLED
    assert (left(mall), mall.balance()) == (1, (1000, 0, 0))
    assert [name for name, _ in await mall.events()] == ["OrderCompleted", "OrderCancelled"]
    await mall.assert_invariants()


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("UseBenefit", "before"),  # cancelled before anything was tried
        ("UseBenefit", "after"),  # the unit is used, the mall does not know
        ("Hold", "after"),  # used and known, the points are held, the mall does not know
        ("Capture", "after"),  # spent, the mall does not know
    ],
)
async def test_an_order_cancelled_while_it_is_under_way_gives_everything_back(
    mall: Mall, method: str, fault: str
) -> None:
    item = await mall.item(stock=1, benefit="GIFT")
    mall.points.faults[method] = [fault] * 2
    for undoing in ("Release", "ReverseRedemption", "CancelBenefitUse"):
        mall.points.faults[undoing] = ["after"]
    order = await mall.order(item)
    assert order.state == PENDING
    await mall.cancel(order)
    await mall.settle()
    assert (await mall.get_order(order)).state == CANCELLED
    assert (left(mall), await stock(mall, item), mall.balance()) == (1, 1, (1000, 0, 0))
    assert len(await mall.events("OrderCompleted")) == len(await mall.events("OrderCancelled"))
    await mall.assert_invariants()
