"""Checkout: identify, quote, commit, void; the saga over coupon and points."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller
from huitong.mall.v1 import mall_pb2
from tests.apps import GROUP, Apps, system, terminal
from tests.integration.mall.mall import ANNA, BORIS, OTHER_GROUP, CrashPoint, Mall, at, rid

pytestmark = pytest.mark.timeout(120)
PENDING, COMMITTED = mall_pb2.CHECKOUT_STATE_PENDING, mall_pb2.CHECKOUT_STATE_COMMITTED
REJECTED, VOIDED = mall_pb2.CHECKOUT_STATE_REJECTED, mall_pb2.CHECKOUT_STATE_VOIDED
CODE = f"code:{ANNA}"


class Till(Mall):
    """The mall as the till of store A1 sees it."""

    def request(self, **values: Any) -> mall_pb2.CommitCheckoutRequest:
        defaults: dict[str, Any] = {
            "request_id": rid(),
            "store_id": self.stores["A1"],
            "receipt_no": "R1",
            "sale_time": at("2026-03-01T10:00:00"),
            "total": {"amount_minor": 10000, "currency_code": "CNY"},
            "lines": [
                {"line_no": 1, "amount_minor": 6001, "category": "GROCERY", "quantity": 2},
                {"line_no": 2, "amount_minor": 3999, "category": "PASTRY", "item_code": "X"},
            ],
        }
        if "member_id" not in values:
            defaults["member_code"] = CODE
        return mall_pb2.CommitCheckoutRequest(**{**defaults, **values})

    async def commit(self, request: mall_pb2.CommitCheckoutRequest, caller: Caller | None = None) -> Any:
        who = caller or terminal(self.stores["A1"])
        return (await self.call("Checkout", "CommitCheckout", request, who)).checkout

    async def void(self, checkout: Any, *, store: str = "A1", request_id: str = "") -> Any:
        request = mall_pb2.VoidCheckoutRequest(
            request_id=request_id or rid(), store_id=self.stores[store], checkout_id=checkout.checkout_id
        )
        return (await self.call("Checkout", "VoidCheckout", request, terminal(self.stores[store]))).checkout

    async def get(self, checkout: Any, *, store: str = "A1") -> Any:
        request = mall_pb2.GetCheckoutRequest(store_id=self.stores[store], checkout_id=checkout.checkout_id)
        return (await self.call("Checkout", "GetCheckout", request, terminal(self.stores[store]))).checkout

    async def coupon_code(self, code: str = "TEN", **values: Any) -> str:
        return str((await self.issue(await self.create_template(code, **values))).code)

    async def coupon_state(self) -> str:
        return str(await self.db.pool.fetchval("SELECT state FROM coupon"))

    def sale(self, receipt_no: str = "R1") -> Any:
        return self.points.sales.get((self.stores["A1"], "checkout", receipt_no))


@pytest.fixture
async def till(apps: Apps) -> AsyncIterator[Till]:
    running = Till(apps)
    await running.start()
    running.points.available[ANNA] = 1000
    try:
        yield running
    finally:
        await running.stop()


async def reason_of(awaitable: Any) -> str:
    with pytest.raises(AppError) as caught:
        await awaitable
    return caught.value.reason


async def test_a_quote_finds_the_best_coupon_and_the_most_points(till: Till) -> None:
    small = await till.coupon_code("SMALL", amount_off_minor=300)
    best = await till.coupon_code("BEST", amount_off_minor=2500, categories=["GROCERY"])
    await till.coupon_code("OTHER", amount_off_minor=9000, merchant_id=till.merchants["B"])
    await till.coupon_code("HIGH", amount_off_minor=9000, min_spend_minor=10001)
    commit = till.request()
    request = mall_pb2.QuoteCheckoutRequest(
        store_id=commit.store_id, member_code=CODE, sale_time=commit.sale_time, total=commit.total, lines=commit.lines
    )
    quote = await till.call("Checkout", "QuoteCheckout", request, terminal(till.stores["A1"]))
    assert [(offer.coupon_code, offer.discount.amount_minor) for offer in quote.coupons] == [(best, 2500), (small, 300)]
    assert quote.member_id == ANNA
    # 15% of 75.00 is 11.25: three steps of 3.00
    assert (quote.max_points, quote.max_offset.amount_minor, quote.payable.amount_minor) == (300, 900, 6600)
    assert till.standins.members.spent_for == {}


async def test_a_checkout_takes_coupon_and_points_and_earns_on_what_is_paid(till: Till) -> None:
    code = await till.coupon_code(amount_off_minor=2500, categories=["GROCERY"], platform_share_bps=4000)
    done = await till.commit(till.request(coupon_code=code, offset_points=300))
    assert done.state == COMMITTED
    amounts = [done.total, done.coupon_discount, done.points_offset, done.payable]
    assert [money.amount_minor for money in amounts] == [10000, 2500, 900, 6600]
    assert (done.offset_points, done.earned_points, done.available_points) == (300, 66, 766)
    assert done.sale_id and done.explanation.rule_set_version == 1
    assert till.balance() == (766, 0, 300)
    sale = till.sale()
    assert sale.total.amount_minor == 6600 and sale.member_id == ANNA
    # coupon 25.00 on line 1 only; 9.00 over 35.01 and 39.99: 4.2012 and 4.7988
    assert [(line.line_no, line.amount_minor) for line in sale.lines] == [(1, 3081), (2, 3519)]
    assert sale.lines[0].category == "GROCERY" and sale.lines[1].item_code == "X"
    ((name, event),) = await till.events()
    assert (name, event.discount.amount_minor, event.platform_share_bps) == ("CouponWrittenOff", 2500, 4000)
    assert await till.get(done) == done
    assert await reason_of(till.get(done, store="A2")) == "WRONG_STORE"
    assert await reason_of(till.reverse(code)) == "COUPON_IN_CHECKOUT"
    await till.assert_invariants()


async def test_a_lost_answer_is_asked_for_again_even_when_the_code_has_expired(till: Till) -> None:
    request = till.request(offset_points=100)
    done = await till.commit(request)
    till.standins.members.known.clear()  # the member's code does not work any more
    assert await till.commit(request) == done
    changed = till.request(offset_points=100, request_id=request.request_id, receipt_no="R2")
    assert await reason_of(till.commit(changed)) == "REQUEST_ID_REUSED"
    assert till.balance() == (1000 - 100 + 97, 0, 100)


async def test_thirty_identical_commits_make_one_checkout(till: Till) -> None:
    request = till.request(coupon_code=await till.coupon_code(), offset_points=400)
    answers = await asyncio.gather(*(till.commit(request) for _ in range(30)))
    assert len({answer.SerializeToString(deterministic=True) for answer in answers}) == 1
    assert answers[0].state == COMMITTED
    assert till.points.calls["RecordSale"] == 1
    assert len(await till.events()) == 1
    await till.assert_invariants()


async def test_two_checkouts_race_for_one_coupon(till: Till) -> None:
    code = await till.coupon_code()
    requests = [till.request(coupon_code=code, receipt_no=f"R{number}") for number in range(10)]
    outcomes = await asyncio.gather(*(till.commit(request) for request in requests), return_exceptions=True)
    counts = Counter(getattr(outcome, "reason", "done") for outcome in outcomes)
    assert counts["done"] == 1 and counts["COUPON_USED"] + counts["COUPON_LOCKED"] == 9
    assert len(till.points.sales) == 1
    await till.assert_invariants()


async def test_one_receipt_is_checked_out_once_whatever_the_request_id(till: Till) -> None:
    first = await till.commit(till.request())
    assert await reason_of(till.commit(till.request())) == "RECEIPT_CHANGED"
    await till.void(first)
    assert await reason_of(till.commit(till.request())) == "RECEIPT_CHANGED"
    await till.assert_invariants()


async def test_spending_needs_a_fresh_code_except_for_the_groups_own_system(till: Till) -> None:
    by_id = till.request(member_id=ANNA, offset_points=100)
    assert await reason_of(till.commit(by_id)) == "SPENDING_NEEDS_CODE"
    assert (await till.commit(till.request(member_id=ANNA))).state == COMMITTED  # earning does not
    spending = till.request(member_id=ANNA, offset_points=100, receipt_no="R2")
    assert (await till.commit(spending, system())).state == COMMITTED
    used_up = till.request(offset_points=100, receipt_no="R3")
    assert (await till.commit(used_up)).state == COMMITTED
    again = till.request(offset_points=100, receipt_no="R4")
    assert await reason_of(till.commit(again)) == "MEMBER_CODE_USED"
    await till.assert_invariants()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"offset_points": 600}, "OFFSET_TOO_LARGE"),  # 15% of 100.00 allows 500
        ({"offset_points": 150}, "INVALID_ARGUMENT"),  # not a multiple of 100
        ({"coupon_code": "AAAAAAAAAAAA"}, "COUPON_UNKNOWN"),
        ({"total": {"amount_minor": 9999, "currency_code": "CNY"}}, "LINES_DO_NOT_SUM"),
        ({"total": {"amount_minor": 10000, "currency_code": "USD"}}, "CURRENCY_MISMATCH"),
        ({"member_code": "code:nobody"}, "MEMBER_CODE_INVALID"),
        ({"member_id": ids.to_edge("mbr", ids.derive("stranger"))}, "MEMBER_UNKNOWN"),
        ({"lines": [{"line_no": 1, "amount_minor": 5000}] * 2}, "INVALID_ARGUMENT"),  # a line number twice
    ],
)
async def test_what_is_wrong_is_told_before_anything_is_taken(till: Till, values: Any, reason: str) -> None:
    till.points.available[ANNA] = 1_000_000
    request = till.request(**values)
    assert await reason_of(till.commit(request)) == reason
    assert till.points.sales == {} and till.points.holds == {}
    assert till.standins.members.spent_for == {}
    assert await till.db.pool.fetchval("SELECT count(*) FROM checkout") == 0


async def test_too_few_points_free_the_coupon_and_every_retry_hears_the_same(till: Till) -> None:
    till.points.available[ANNA] = 99
    code = await till.coupon_code()
    request = till.request(coupon_code=code, offset_points=100)
    for _ in range(2):
        assert await reason_of(till.commit(request)) == "INSUFFICIENT_POINTS"
    assert await till.coupon_state() == "ISSUED"
    retry = till.request(coupon_code=code)  # the same receipt, paid without points
    assert (await till.commit(retry)).state == COMMITTED
    await till.assert_invariants()


async def test_a_sale_that_points_refuses_gives_points_and_coupon_back(till: Till) -> None:
    till.points.faults["RecordSale"] = ["SALE_TIME_INVALID"]
    request = till.request(coupon_code=await till.coupon_code(), offset_points=300)
    assert await reason_of(till.commit(request)) == "SALE_TIME_INVALID"
    assert till.balance() == (1000, 0, 0)
    assert await till.coupon_state() == "ISSUED" and till.sale() is None
    await till.assert_invariants()


async def test_somebody_elses_coupon_does_not_exist(till: Till) -> None:
    template = await till.create_template()
    coupon = await till.issue(template, member_id=BORIS)
    assert await reason_of(till.commit(till.request(coupon_code=coupon.code))) == "COUPON_UNKNOWN"


async def test_a_void_gives_everything_back_once(till: Till) -> None:
    code = await till.coupon_code()
    done = await till.commit(till.request(coupon_code=code, offset_points=300))
    assert await reason_of(till.void(done, store="A2")) == "WRONG_STORE"
    request_id = rid()
    answers = await asyncio.gather(*(till.void(done, request_id=request_id) for _ in range(10)))
    assert {answer.state for answer in answers} == {VOIDED}
    assert (await till.void(done)).state == VOIDED
    assert till.balance() == (1000, 0, 0)
    assert await till.coupon_state() == "ISSUED"
    assert [name for name, _ in await till.events()] == ["CouponWrittenOff", "CouponWriteOffReversed"]
    unknown = mall_pb2.Checkout(checkout_id=ids.to_edge("chk", ids.new()))
    assert await reason_of(till.void(unknown)) == "CHECKOUT_UNKNOWN"
    await till.assert_invariants()


async def test_lines_that_were_returned_before_do_not_stop_a_void(till: Till) -> None:
    done = await till.commit(till.request(offset_points=100))
    till.points.faults["RefundSale"] = ["REFUND_EXCEEDS_SALE"]
    assert (await till.void(done)).state == VOIDED
    assert till.balance()[2] == 0


async def test_a_hold_that_timed_out_undoes_the_sale(till: Till) -> None:
    till.points.faults["Capture"] = ["HOLD_RELEASED"]
    done = await till.commit(till.request(coupon_code=await till.coupon_code(), offset_points=100))
    assert (done.state, done.reject_reason) == (VOIDED, "HOLD_RELEASED")
    assert await till.coupon_state() == "ISSUED" and len(till.points.refunded) == 1
    assert await till.events() == []
    await till.assert_invariants()


async def test_nothing_crosses_groups(till: Till) -> None:
    done = await till.commit(till.request())
    foreign = terminal(till.stores["A1"], OTHER_GROUP)
    get = mall_pb2.GetCheckoutRequest(store_id=till.stores["A1"], checkout_id=done.checkout_id)
    assert await reason_of(till.call("Checkout", "GetCheckout", get, foreign)) == "CHECKOUT_UNKNOWN"
    assert await reason_of(till.commit(till.request(), foreign)) == "STORE_UNKNOWN"
    elsewhere = terminal(till.stores["B1"])
    assert await reason_of(till.commit(till.request(), elsewhere)) == "NOT_YOURS"


async def test_a_purchase_that_a_coupon_pays_in_full_is_recorded_with_nothing_to_earn(till: Till) -> None:
    done = await till.commit(till.request(coupon_code=await till.coupon_code(amount_off_minor=99999)))
    assert (done.state, done.payable.amount_minor, done.earned_points) == (COMMITTED, 0, 0)
    assert till.sale().total.amount_minor == 0
    await till.assert_invariants()


# ---- crashes and unknown outcomes


@pytest.mark.parametrize("method", ["Hold", "RecordSale", "Capture"])
@pytest.mark.parametrize("fault", ["before", "after"])
async def test_an_unknown_outcome_is_answered_pending_and_finished_by_itself(
    till: Till, method: str, fault: str
) -> None:
    till.points.faults[method] = [fault] * 2
    request = till.request(coupon_code=await till.coupon_code(), offset_points=300)
    assert (await till.commit(request)).state == PENDING
    await till.settle()
    done = await till.commit(request)
    assert (done.state, done.earned_points) == (COMMITTED, 81)
    assert till.balance() == (781, 0, 300)
    assert await till.coupon_state() == "USED" and len(await till.events()) == 1
    await till.assert_invariants()


@pytest.mark.parametrize("number", range(1, 8))
async def test_a_commit_killed_at_any_point_converges(till: Till, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    request = till.request(coupon_code=await till.coupon_code(), offset_points=300)
    crash = CrashPoint(monkeypatch, number)
    with pytest.raises(AppError):
        await till.commit(request)
    assert not crash.is_armed
    await till.settle()
    assert (await till.commit(request)).state == COMMITTED
    assert till.balance() == (781, 0, 300)
    assert len(till.points.sales) == 1 and len(await till.events()) == 1
    await till.assert_invariants()


@pytest.mark.parametrize("number", range(1, 6))
async def test_a_rejection_killed_at_any_point_converges(
    till: Till, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    till.points.faults["RecordSale"] = ["RECEIPT_CHANGED", "RECEIPT_CHANGED"]
    request = till.request(coupon_code=await till.coupon_code(), offset_points=300)
    crash = CrashPoint(monkeypatch, number)
    with pytest.raises(AppError):
        await till.commit(request)
    assert not crash.is_armed
    await till.settle()
    assert await reason_of(till.commit(request)) == "RECEIPT_CHANGED"
    assert till.balance() == (1000, 0, 0) and till.points.sales == {}
    assert await till.coupon_state() == "ISSUED" and await till.events() == []
    await till.assert_invariants()


@pytest.mark.parametrize("number", range(1, 6))
@pytest.mark.parametrize("fault", ["", "after"])
async def test_a_void_killed_at_any_point_converges(
    till: Till, monkeypatch: pytest.MonkeyPatch, number: int, fault: str
) -> None:
    done = await till.commit(till.request(coupon_code=await till.coupon_code(), offset_points=300))
    crash = CrashPoint(monkeypatch, number)
    request_id = rid()
    with contextlib.suppress(AppError):  # none when it is the worker that came first and died
        await till.void(done, request_id=request_id)
    assert not crash.is_armed
    till.points.faults["ReverseRedemption"] = [fault]
    await till.settle()
    assert (await till.void(done, request_id=request_id)).state == VOIDED
    assert till.balance() == (1000, 0, 0)
    assert await till.coupon_state() == "ISSUED" and len(await till.events()) == 2
    await till.assert_invariants()


@pytest.mark.parametrize("method", ["Hold", "RecordSale", "Capture"])
@pytest.mark.parametrize("fault", ["before", "after"])
async def test_a_checkout_voided_while_it_is_under_way_gives_everything_back(
    till: Till, method: str, fault: str
) -> None:
    till.points.faults[method] = [fault] * 3
    for later in ("Release", "RefundSale", "ReverseRedemption"):
        till.points.faults[later] = ["after"]
    pending = await till.commit(till.request(coupon_code=await till.coupon_code(), offset_points=300))
    assert pending.state == PENDING
    await till.void(pending)
    await till.settle()
    assert (await till.get(pending)).state == VOIDED
    assert till.balance() == (1000, 0, 0)
    assert await till.coupon_state() == "ISSUED"
    assert Counter(name for name, _ in await till.events()) in (
        {},
        {"CouponWrittenOff": 1, "CouponWriteOffReversed": 1},
    )
    await till.assert_invariants()


async def test_many_checkouts_with_failing_points_all_converge(till: Till) -> None:
    till.points.available[ANNA] = 100_000
    for method in ("Hold", "RecordSale", "Capture", "RefundSale", "ReverseRedemption"):
        till.points.faults[method] = ["", "before", "", "after", ""] * 6
    requests = [
        till.request(member_id=ANNA, offset_points=100 * (number % 5), receipt_no=f"R{number}") for number in range(30)
    ]
    placed = await asyncio.gather(*(till.commit(request, system()) for request in requests))
    await asyncio.gather(*(till.void(checkout) for checkout in placed[::3]))
    await till.settle(20)
    done = [await till.get(checkout) for checkout in placed]
    assert Counter(checkout.state for checkout in done) == {COMMITTED: 20, VOIDED: 10}
    spent = sum(checkout.offset_points for checkout in done if checkout.state == COMMITTED)
    earned = sum(checkout.earned_points for checkout in done if checkout.state == COMMITTED)
    assert till.balance() == (100_000 - spent + earned, 0, spent)
    totals = await till.call("MallReport", "GetMallTotals", mall_pb2.GetMallTotalsRequest())
    assert (totals.checkout_count, totals.checkout_offset_minor) == (20, spent // 100 * 300)
    await till.assert_invariants()
    assert GROUP != OTHER_GROUP
