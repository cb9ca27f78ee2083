"""Orders of vouchers for points: stock, limits, the saga over points, the voucher's use."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis import rpc
from chassis.crypto import Vault
from chassis.errors import AppError
from huitong.mall.v1 import mall_pb2
from services.mall.codes import Codes
from services.mall.neighbours import Neighbours
from services.mall.orders import operations
from services.mall.orders.steps import order_saga
from tests.apps import GROUP, Apps, member, system
from tests.integration.mall.mall import ANNA, BORIS, OTHER_GROUP, CrashPoint, Mall, as_uuid, rid, running_mall

pytestmark = pytest.mark.timeout(120)
PENDING, COMPLETED = mall_pb2.ORDER_STATE_PENDING, mall_pb2.ORDER_STATE_COMPLETED
REJECTED, CANCELLED = mall_pb2.ORDER_STATE_REJECTED, mall_pb2.ORDER_STATE_CANCELLED


@pytest.fixture
async def mall(apps: Apps) -> AsyncIterator[Mall]:
    async with running_mall(apps) as running:
        running.points.available[ANNA] = 1000
        yield running


async def reason_of(awaitable: Any) -> str:
    with pytest.raises(AppError) as caught:
        await awaitable
    return caught.value.reason


async def test_an_order_takes_points_and_stock_and_gives_a_voucher(mall: Mall) -> None:
    item = await mall.item(stock=3, price=100)
    order = await mall.order(item)
    assert (order.state, order.points) == (COMPLETED, 100)
    assert len(order.voucher.code) == 16 and not order.voucher.is_used
    assert mall.balance() == (900, 0, 100)
    left = await mall.call("Catalogue", "GetItem", mall_pb2.GetItemRequest(item_id=item.item_id))
    assert left.item.stock_left == 2
    ((name, event),) = await mall.events()
    assert (name, event.order_id, event.points) == ("OrderCompleted", order.order_id, 100)
    await mall.assert_invariants()


async def test_fifty_identical_calls_make_one_order_one_voucher_one_event(mall: Mall) -> None:
    item = await mall.item()
    request_id = rid()
    orders = await asyncio.gather(*(mall.order(item, request_id=request_id) for _ in range(50)))
    assert len({order.order_id for order in orders}) == 1
    assert {(order.state, order.voucher.code) for order in orders} == {(COMPLETED, orders[0].voucher.code)}
    assert mall.balance() == (900, 0, 100)
    assert len(await mall.events()) == 1
    assert mall.points.calls["Hold"] == 1
    await mall.assert_invariants()


async def test_two_hundred_orders_for_fifty_sell_exactly_fifty(mall: Mall) -> None:
    item = await mall.item(stock=50, price=1)

    async def one() -> str:
        request_id = rid()
        for _ in range(20):
            try:
                order = await mall.order(item, request_id=request_id)
                return mall_pb2.OrderState.Name(order.state)
            except AppError as error:
                if error.reason not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
                    return error.reason
        return "gave up"

    outcomes = Counter(await asyncio.gather(*(one() for _ in range(200))))
    await mall.settle()
    await mall.assert_invariants()
    row = await mall.db.pool.fetchrow("SELECT count(*) FILTER (WHERE state = 'COMPLETED') AS sold FROM voucher_order")
    assert row["sold"] == 50
    assert outcomes["OUT_OF_STOCK"] == 150
    assert mall.balance() == (950, 0, 50)
    assert len(await mall.events("OrderCompleted")) == 50


async def test_too_few_points_give_the_stock_back_and_every_retry_hears_the_same(mall: Mall) -> None:
    item = await mall.item(stock=1, price=5000)
    request_id = rid()
    assert await reason_of(mall.order(item, request_id=request_id)) == "INSUFFICIENT_POINTS"
    mall.points.available[ANNA] = 100_000
    assert await reason_of(mall.order(item, request_id=request_id)) == "INSUFFICIENT_POINTS"
    listed = await mall.call("Order", "ListOrders", mall_pb2.ListOrdersRequest(member_id=ANNA), member(ANNA))
    assert [(order.state, order.reject_reason) for order in listed.orders] == [(REJECTED, "INSUFFICIENT_POINTS")]
    assert (await mall.order(item)).state == COMPLETED  # the one in stock is there again
    assert mall.points.held[ANNA] == 0
    await mall.assert_invariants()


async def test_what_is_refused_before_anything_is_taken_leaves_no_trace(mall: Mall) -> None:
    item = await mall.item(stock=0)
    request_id = rid()
    assert await reason_of(mall.order(item, request_id=request_id)) == "OUT_OF_STOCK"
    add = mall_pb2.AddStockRequest(request_id=rid(), item_id=item.item_id, quantity=5)
    for _ in range(2):  # the second is a replay
        assert (await mall.call("Catalogue", "AddStock", add)).item.stock_left == 5
    assert (await mall.order(item, request_id=request_id)).state == COMPLETED
    await mall.assert_invariants()


async def test_a_request_id_with_other_content_is_refused(mall: Mall) -> None:
    first, second = await mall.item("A"), await mall.item("B")
    request_id = rid()
    await mall.order(first, request_id=request_id)
    assert await reason_of(mall.order(second, request_id=request_id)) == "REQUEST_ID_REUSED"
    assert mall.balance() == (900, 0, 100)


async def test_the_limit_per_member_holds_under_concurrency_and_frees_with_a_cancellation(mall: Mall) -> None:
    mall.points.available[BORIS] = 1000
    item = await mall.item(stock=20, price=10, limit=2)
    outcomes = await asyncio.gather(*(mall.order(item) for _ in range(8)), return_exceptions=True)
    refused = [outcome.reason for outcome in outcomes if isinstance(outcome, AppError)]
    done = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert (len(done), refused) == (2, ["LIMIT_REACHED"] * 6)
    assert (await mall.order(item, member_id=BORIS)).state == COMPLETED
    await mall.cancel(done[0])
    assert (await mall.order(item)).state == COMPLETED
    await mall.assert_invariants()


async def test_cancelling_gives_points_and_stock_back_once(mall: Mall) -> None:
    item = await mall.item(stock=1)
    order = await mall.order(item)
    request_id = rid()
    answers = await asyncio.gather(*(mall.cancel(order, request_id=request_id) for _ in range(10)))
    assert {answer.state for answer in answers} == {CANCELLED}
    assert not answers[0].HasField("voucher")
    assert mall.balance() == (1000, 0, 0)
    assert [name for name, _ in await mall.events()] == ["OrderCompleted", "OrderCancelled"]
    assert await reason_of(mall.use(order.voucher.code)) == "VOUCHER_CANCELLED"
    await mall.assert_invariants()


async def test_a_voucher_is_used_once_and_only_at_its_merchants_stores(mall: Mall) -> None:
    order = await mall.order(await mall.item())
    code = order.voucher.code
    assert await reason_of(mall.use(code, store="B1")) == "WRONG_STORE"
    assert await reason_of(mall.use("AAAAAAAAAAAAAAAA")) == "VOUCHER_UNKNOWN"
    typed = f" {code[:4].lower()}-{code[4:]} "
    request_id = rid()
    used = await mall.use(typed, store="A2", request_id=request_id)
    assert used.voucher.is_used and used.voucher.HasField("use_time")
    assert await mall.use(typed, store="A2", request_id=request_id) == used  # lost answer
    assert await reason_of(mall.use(code)) == "VOUCHER_USED"
    assert await reason_of(mall.cancel(order)) == "VOUCHER_USED"
    assert [name for name, _ in await mall.events()] == ["OrderCompleted", "VoucherUsed"]
    await mall.assert_invariants()


async def test_two_tills_race_for_one_voucher(mall: Mall) -> None:
    order = await mall.order(await mall.item())
    outcomes = await asyncio.gather(*(mall.use(order.voucher.code) for _ in range(10)), return_exceptions=True)
    assert Counter(getattr(outcome, "reason", "used") for outcome in outcomes) == {"used": 1, "VOUCHER_USED": 9}
    assert len(await mall.events("VoucherUsed")) == 1


async def test_nothing_crosses_groups_or_members(mall: Mall) -> None:
    item = await mall.item()
    order = await mall.order(item)
    foreign = mall_pb2.GetItemRequest(item_id=item.item_id)
    assert await reason_of(mall.call("Catalogue", "GetItem", foreign, system(OTHER_GROUP))) == "ITEM_UNKNOWN"
    place = mall_pb2.PlaceOrderRequest(request_id=rid(), member_id=ANNA, item_id=item.item_id)
    assert await reason_of(mall.call("Order", "PlaceOrder", place, system(OTHER_GROUP))) == "ITEM_UNKNOWN"
    assert await reason_of(mall.get_order(order, member_id=BORIS)) == "ORDER_UNKNOWN"
    assert await reason_of(mall.cancel(order, member_id=BORIS)) == "ORDER_UNKNOWN"
    as_boris = mall.call("Order", "PlaceOrder", place, member(BORIS))
    assert await reason_of(as_boris) == "NOT_YOURS"
    merchant = mall_pb2.CreateItemRequest(
        request_id=rid(), code="X", name="X", merchant_id=mall.merchants["A"], price_points=1
    )
    assert await reason_of(mall.call("Catalogue", "CreateItem", merchant, system(OTHER_GROUP))) == "MERCHANT_UNKNOWN"


async def test_orders_and_items_are_paged(mall: Mall) -> None:
    items = [await mall.item(f"I{number}", price=10 * number) for number in (3, 1, 2)]
    page = await mall.call("Catalogue", "ListItems", mall_pb2.ListItemsRequest(page_size=2))
    rest = await mall.call(
        "Catalogue", "ListItems", mall_pb2.ListItemsRequest(page_size=2, page_token=page.next_page_token)
    )
    assert [item.code for item in [*page.items, *rest.items]] == ["I1", "I2", "I3"] and not rest.next_page_token
    placed = [(await mall.order(item)).order_id for item in items]
    first = mall_pb2.ListOrdersRequest(member_id=ANNA, page_size=2)
    page = await mall.call("Order", "ListOrders", first, member(ANNA))
    second = mall_pb2.ListOrdersRequest(member_id=ANNA, page_size=2, page_token=page.next_page_token)
    rest = await mall.call("Order", "ListOrders", second, member(ANNA))
    assert [order.order_id for order in [*page.orders, *rest.orders]] == placed[::-1]
    broken = mall_pb2.ListOrdersRequest(member_id=ANNA, page_token="nonsense")
    assert await reason_of(mall.call("Order", "ListOrders", broken, member(ANNA))) == "INVALID_ARGUMENT"


async def test_a_code_is_taken_once_and_a_retry_answers_the_first_item(mall: Mall) -> None:
    await mall.item("COFFEE")
    assert await reason_of(mall.item("COFFEE")) == "CODE_TAKEN"


# ---- crashes and unknown outcomes


@pytest.mark.parametrize("method", ["Hold", "Capture"])
@pytest.mark.parametrize("fault", ["before", "after"])
async def test_an_unknown_outcome_is_answered_pending_and_finished_by_itself(
    mall: Mall, method: str, fault: str
) -> None:
    item = await mall.item(stock=1)
    mall.points.faults[method] = [fault]
    request_id = rid()
    order = await mall.order(item, request_id=request_id)
    assert order.state == PENDING and not order.HasField("voucher")
    await mall.settle()
    done = await mall.order(item, request_id=request_id)
    assert (done.state, done.order_id) == (COMPLETED, order.order_id)
    assert mall.balance() == (900, 0, 100)
    assert len(await mall.events("OrderCompleted")) == 1
    await mall.assert_invariants()


async def test_points_down_leaves_orders_pending_until_it_is_back(mall: Mall) -> None:
    item = await mall.item()
    await mall.standins.stop("points")
    order = await mall.order(item)
    assert order.state == PENDING
    await mall.standins.start("points")
    await mall.settle()
    assert (await mall.get_order(order)).state == COMPLETED
    await mall.assert_invariants()


@pytest.mark.parametrize("number", range(1, 6))
async def test_a_placing_killed_at_any_point_converges(
    mall: Mall, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    item = await mall.item(stock=1)
    crash = CrashPoint(monkeypatch, number)
    request_id = rid()
    with pytest.raises(AppError):
        await mall.order(item, request_id=request_id)
    assert not crash.is_armed
    await mall.settle()
    assert (await mall.order(item, request_id=request_id)).state == COMPLETED
    assert mall.balance() == (900, 0, 100)
    assert len(await mall.events()) == 1
    await mall.assert_invariants()


@pytest.mark.parametrize("number", range(1, 4))
async def test_a_cancellation_killed_at_any_point_converges(
    mall: Mall, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    order = await mall.order(await mall.item(stock=1))
    crash = CrashPoint(monkeypatch, number)
    request_id = rid()
    with contextlib.suppress(AppError):  # none when it is the worker that came first and died
        await mall.cancel(order, request_id=request_id)
    assert not crash.is_armed
    assert await reason_of(mall.use(order.voucher.code)) == "VOUCHER_CANCELLED"  # from the first step on
    await mall.settle()
    assert (await mall.cancel(order, request_id=request_id)).state == CANCELLED
    assert mall.balance() == (1000, 0, 0)
    assert [name for name, _ in await mall.events()] == ["OrderCompleted", "OrderCancelled"]
    await mall.assert_invariants()


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("Hold", "before"),  # cancelled before anything was tried
        ("Hold", "after"),  # the points are held, the mall does not know
        ("Capture", "before"),  # held and known
        ("Capture", "after"),  # spent, the mall does not know
    ],
)
async def test_an_order_cancelled_while_it_is_under_way_gives_everything_back(
    mall: Mall, method: str, fault: str
) -> None:
    item = await mall.item(stock=1)
    mall.points.faults[method] = [fault] * 2
    mall.points.faults["Release"] = mall.points.faults["ReverseRedemption"] = ["after"]
    order = await mall.order(item)
    assert order.state == PENDING
    await mall.cancel(order)
    await mall.settle()
    assert (await mall.get_order(order)).state == CANCELLED
    assert mall.balance() == (1000, 0, 0)
    assert len(await mall.events("OrderCompleted")) == len(await mall.events("OrderCancelled"))
    await mall.assert_invariants()


async def test_a_refusal_that_another_driver_was_spared_leaves_nothing_held(mall: Mall) -> None:
    """One driver's hold is granted and its answer lost; the next one is refused for want of points."""
    item = await mall.item(stock=1)
    mall.points.faults["Hold"] = ["after", "INSUFFICIENT_POINTS"]
    order = await mall.order(item)
    assert order.state == PENDING and mall.points.held[ANNA] == 100
    await mall.settle()
    assert (await mall.get_order(order)).state == REJECTED
    assert mall.balance() == (1000, 0, 0)
    await mall.assert_invariants()


async def test_ten_drivers_of_one_row_do_its_work_once(mall: Mall) -> None:
    """Leases only save work: without them nothing happens twice either."""
    app = mall.apps.running["mall"]
    rpc.speak_as("mall", mall.apps.tokens)
    saga = order_saga(app.db, Neighbours(app), Codes(Vault("k" * 32)))
    async with app.db.transaction(system()) as tx:
        item_id = as_uuid((await mall.item(stock=5)).item_id)
        order, _ = await operations.place_order(
            tx, request_id=rid(), request_hash=b"x", member_id=as_uuid(ANNA), item_id=item_id
        )
    done = await asyncio.gather(*(saga.advance(order) for _ in range(10)))
    assert {one.state for one in done} == {"COMPLETED"}
    assert mall.balance() == (900, 0, 100) and len(await mall.events("OrderCompleted")) == 1
    async with app.db.transaction(system()) as tx:
        _, cancelling = await operations.cancel_order(
            tx, order_id=order.order_id, member_id=order.member_id, request_id=rid()
        )
    done = await asyncio.gather(*(saga.advance(cancelling) for _ in range(10)))
    assert {one.state for one in done} == {"CANCELLED"}
    assert mall.balance() == (1000, 0, 0) and len(await mall.events("OrderCancelled")) == 1
    await mall.assert_invariants()


async def test_a_hold_that_timed_out_rejects_the_order(mall: Mall) -> None:
    item = await mall.item(stock=1)
    mall.points.faults["Capture"] = ["HOLD_RELEASED"]
    assert await reason_of(mall.order(item)) == "HOLD_RELEASED"
    await mall.assert_invariants()


async def test_totals_count_what_was_not_given_back(mall: Mall) -> None:
    item = await mall.item(price=50)
    kept, cancelled = await mall.order(item), await mall.order(item)
    await mall.cancel(cancelled)
    await mall.use(kept.voucher.code)
    totals = await mall.call("MallReport", "GetMallTotals", mall_pb2.GetMallTotalsRequest())
    assert (totals.order_completed_count, totals.order_cancelled_count) == (1, 1)
    assert (totals.order_points, totals.voucher_used_count) == (50, 1)
    other = await mall.call("MallReport", "GetMallTotals", mall_pb2.GetMallTotalsRequest(), system(OTHER_GROUP))
    assert other == mall_pb2.GetMallTotalsResponse()
    assert GROUP != OTHER_GROUP
