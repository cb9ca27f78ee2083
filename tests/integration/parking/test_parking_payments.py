"""Paying with points and money: once, over crashes at every step, a silent points service, races and the gate."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from unittest.mock import AsyncMock

import pytest

from chassis.errors import AppError
from huitong.points.v1 import points_pb2
from services.parking import intents, payments
from tests.integration.parking.lot import Lot, at, member_id


async def refusal(call: Any) -> str:
    with pytest.raises(AppError) as refused:
        await call
    return refused.value.reason


def parts(fee: Any) -> tuple[int, ...]:
    return tuple(
        getattr(fee, name).amount_minor for name in ("tariff_fee", "tier_waived", "points_paid", "money_paid", "due")
    )


# ---- the plain way


async def test_a_quote_tells_the_fee_and_what_points_could_pay(lot: Lot) -> None:
    await lot.enter()
    quote = await lot.quote(100)
    assert (parts(quote.fee), quote.max_points, quote.max_points_value.amount_minor) == (
        (1600, 0, 0, 0, 1600),
        500,
        1500,
    )
    lot.points.balances[member_id()] = 250
    assert (await lot.quote(100)).max_points == 200
    assert (await lot.quote(30)).max_points == 0


async def test_points_pay_whole_steps_and_money_the_rest(lot: Lot) -> None:
    entered = await lot.enter()
    answer = await lot.pay(100, points=True)
    assert (answer.stay_id, parts(answer.fee), answer.fee.points) == (entered.stay_id, (1600, 0, 1500, 100, 0), 500)
    assert answer.leave_before_time == at(115)
    (redemption,) = lot.points.redemptions.values()
    assert redemption.spending.reference == entered.stay_id
    assert redemption.spending.offset_minor == 1500
    assert (await lot.leave(115)).may_leave
    (event,) = await lot.ended()
    assert (parts(event.fee), event.fee.points) == ((1600, 0, 1500, 100, 0), 500)


async def test_points_pay_by_the_terms_that_are_quoted(lot: Lot) -> None:
    entered = await lot.enter()
    lot.points.quote = points_pb2.QuoteOffsetResponse(
        max_points=400, step_points=10, step_minor=20, min_points=50, quote_token="quote-1"
    )
    quote = await lot.quote(100)
    assert (quote.max_points, quote.max_points_value.amount_minor) == (400, 800)
    answer = await lot.pay(100, points=True)
    assert (answer.stay_id, parts(answer.fee), answer.fee.points) == (entered.stay_id, (1600, 0, 800, 800, 0), 400)
    (redemption,) = lot.points.redemptions.values()
    assert (redemption.spending.offset_minor, redemption.spending.quote_token) == (800, "quote-1")


async def test_terms_that_allow_no_points_leave_the_fee_to_money(lot: Lot) -> None:
    await lot.enter()
    lot.points.quote = points_pb2.QuoteOffsetResponse(step_points=10, step_minor=20)
    assert (await lot.quote(100)).max_points == 0
    assert parts((await lot.pay(100, points=True)).fee) == (1600, 0, 0, 1600, 0)
    assert not lot.points.redemptions


async def test_after_the_grace_the_fee_goes_on_and_can_be_paid_again(lot: Lot) -> None:
    await lot.enter()
    await lot.pay(140)  # 1600 until minute 150
    refused = await lot.leave(156)
    assert (refused.may_leave, refused.due.amount_minor) == (False, 800)
    assert parts((await lot.pay(156, points=True)).fee) == (2400, 0, 600, 1800, 0)
    assert (await lot.leave(171)).may_leave


async def test_without_points_the_ledger_is_not_asked(lot: Lot) -> None:
    await lot.enter()
    await lot.close_points()
    assert parts((await lot.pay(100)).fee) == (1600, 0, 0, 1600, 0)
    assert not lot.points.calls


@pytest.mark.parametrize("points", [True, False])
async def test_what_paying_is_refused_for(lot: Lot, points: bool) -> None:
    await lot.join("bob")
    assert await refusal(lot.pay(100, points=points)) == "PLATE_NOT_INSIDE"
    await lot.enter()
    assert await refusal(lot.pay(30, points=points)) == "NOTHING_DUE"
    assert await refusal(lot.pay(100, points=points, name="bob")) == "NOT_YOUR_VEHICLE"
    assert await refusal(lot.pay(-1, points=points)) == "PLATE_NOT_INSIDE"
    await lot.pay(100, points=points, request_id="pay-once")
    assert await refusal(lot.pay(101, points=points, request_id="pay-once")) == "REQUEST_ID_REUSED"
    assert await refusal(lot.pay(101, points=points)) == "NOTHING_DUE"


# ---- once


@pytest.mark.parametrize("points", [True, False])
async def test_fifty_identical_payments_are_one(lot: Lot, points: bool) -> None:
    await lot.enter()
    answers = await asyncio.gather(*(lot.pay(100, points=points, request_id="pay-fifty") for _ in range(50)))
    assert all(answer == answers[0] for answer in answers)
    assert lot.points.calls["Redeem"] == (1 if points else 0)
    assert await lot.states() == ["done"]
    assert await lot.pay(100, points=points, request_id="pay-fifty") == answers[0]


async def test_a_call_that_looked_before_the_same_one_had_paid_answers_as_it(
    lot: Lot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lot.enter()
    paid = await lot.pay(100, points=True, request_id="pay-looked")
    monkeypatch.setattr(payments.Payments, "_claim", AsyncMock(return_value=None))
    assert await lot.pay(100, points=True, request_id="pay-looked") == paid
    assert await refusal(lot.pay(100, points=True)) == "NOTHING_DUE"


async def test_of_many_different_payments_of_a_stay_one_pays(lot: Lot) -> None:
    await lot.enter()
    results = await asyncio.gather(*(lot.pay(100, points=True) for _ in range(10)), return_exceptions=True)
    refused = {result.reason for result in results if isinstance(result, AppError)}
    assert refused <= {"NOTHING_DUE", "PAYMENT_IN_PROGRESS"}
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    assert lot.points.taken == 500


# ---- points away


async def test_while_points_is_down_the_answer_is_quick_and_nothing_is_half_done(lot: Lot) -> None:
    await lot.enter()
    await lot.close_points()
    start = time.monotonic()
    assert await refusal(lot.pay(100, points=True, request_id="pay-down")) == "UNAVAILABLE"
    assert time.monotonic() - start < 3
    assert await lot.states() == []
    quote = await lot.quote(100)
    assert (quote.points_unavailable, quote.max_points, parts(quote.fee)) == (True, 0, (1600, 0, 0, 0, 1600))
    assert not (await lot.leave(100)).may_leave
    assert (await lot.leave(100, paid=1600)).may_leave


async def test_a_redemption_that_was_refused_in_between_leaves_no_trace(lot: Lot) -> None:
    await lot.enter()
    plain = lot.points.GetBalance

    async def optimistic(request: Any, context: Any) -> Any:
        answer = await plain(request, context)
        answer.available_points = 10_000
        return answer

    lot.points.GetBalance = optimistic  # type: ignore[method-assign]
    lot.points.balances[member_id()] = 100
    # The door is bound to the servicer's methods when it opens.
    await lot.close_points()
    await lot.open_points()
    async with asyncio.timeout(10):
        while (reason := await refusal(lot.pay(100, points=True, request_id="pay-short"))) == "UNAVAILABLE":
            await asyncio.sleep(0.05)  # the channel reconnects
    assert reason == "INSUFFICIENT_POINTS"
    assert await lot.states() == ["refused"]
    lot.points.balances[member_id()] = 10_000
    assert parts((await lot.pay(100, points=True, request_id="pay-short")).fee) == (1600, 0, 1500, 100, 0)


# ---- crashes: each step, then a retry, or the worker


CRASHES = [
    "redeem unreachable",  # planned; points never heard of it
    "redeem unanswered",  # points took, the answer was lost
    "before recording",  # points took and answered, the process died
    "before commit",  # all was written, the commit did not come
]


def arm(lot: Lot, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if where == "redeem unreachable":
        lot.points.fail_before = {"Redeem"}
    elif where == "redeem unanswered":
        lot.points.fail_after = {"Redeem"}
    elif where == "before recording":

        async def crash(*_: Any) -> None:
            raise RuntimeError("killed")

        monkeypatch.setattr(payments, "record_payment", crash)
    else:
        plain = intents.finish

        async def crash_after(*arguments: Any) -> None:
            await plain(*arguments)
            raise RuntimeError("killed")

        monkeypatch.setattr(intents, "finish", crash_after)


async def heal(lot: Lot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    lot.points.fail_before, lot.points.fail_after = set(), set()
    await lot.lapse_leases()


@pytest.mark.parametrize("where", CRASHES)
async def test_a_retry_after_a_crash_finishes_the_payment(
    lot: Lot, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lot.enter()
    arm(lot, where, monkeypatch)
    assert await refusal(lot.pay(100, points=True, request_id="pay-crash")) in ("UNAVAILABLE", "INTERNAL")
    assert await lot.states() == ["pending"]
    assert not (await lot.leave(100)).may_leave  # what is not recorded does not count at the gate
    await heal(lot, monkeypatch)
    answer = await lot.pay(100, points=True, request_id="pay-crash")
    assert parts(answer.fee) == (1600, 0, 1500, 100, 0)
    assert await lot.pay(100, points=True, request_id="pay-crash") == answer
    assert lot.points.taken == 500
    assert (await lot.leave(115)).may_leave


@pytest.mark.parametrize("where", CRASHES)
async def test_the_worker_finishes_what_a_crash_left(lot: Lot, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await lot.enter()
    arm(lot, where, monkeypatch)
    assert await refusal(lot.pay(100, points=True, request_id="pay-crash")) in ("UNAVAILABLE", "INTERNAL")
    await heal(lot, monkeypatch)
    await asyncio.gather(*(lot.work() for _ in range(3)))
    await lot.work()
    assert await lot.states() == ["done"]
    assert lot.points.taken == 500
    answer = await lot.pay(100, points=True, request_id="pay-crash")
    assert parts(answer.fee) == (1600, 0, 1500, 100, 0)


@pytest.mark.parametrize("where", CRASHES)
async def test_points_come_back_when_the_gate_was_paid_in_money_meanwhile(
    lot: Lot, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lot.enter()
    arm(lot, where, monkeypatch)
    assert await refusal(lot.pay(100, points=True, request_id="pay-crash")) in ("UNAVAILABLE", "INTERNAL")
    assert (await lot.leave(101, paid=1600)).may_leave
    await heal(lot, monkeypatch)
    await lot.work()
    await lot.work()
    assert await lot.states() == ["reversed"]
    assert (lot.points.taken, lot.points.balances[member_id()]) == (0, 10_000)
    assert await refusal(lot.pay(100, points=True, request_id="pay-crash")) == "PLATE_NOT_INSIDE"
    (event,) = await lot.ended()
    assert parts(event.fee) == (1600, 0, 0, 1600, 0)


@pytest.mark.parametrize("where", CRASHES)
async def test_points_do_not_pay_what_the_gate_took_in_part_meanwhile(
    lot: Lot, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lot.enter()
    arm(lot, where, monkeypatch)
    assert await refusal(lot.pay(100, points=True, request_id="pay-crash")) in ("UNAVAILABLE", "INTERNAL")
    assert not (await lot.leave(100, paid=700)).may_leave
    await heal(lot, monkeypatch)
    # The first plan would pay too much: its points go back, and the same request plans what is due now.
    answer = await lot.pay(100, points=True, request_id="pay-crash")
    assert parts(answer.fee) == (1600, 0, 900, 700, 0)
    assert (lot.points.taken, lot.points.balances[member_id()]) == (300, 9_700)


async def test_points_do_not_pay_a_later_stay(lot: Lot, monkeypatch: pytest.MonkeyPatch) -> None:
    await lot.enter()
    arm(lot, "redeem unanswered", monkeypatch)
    assert await refusal(lot.pay(100, points=True, request_id="pay-crash")) == "UNAVAILABLE"
    assert (await lot.leave(101, paid=1600)).may_leave
    await lot.enter(102)
    await heal(lot, monkeypatch)
    await lot.work()
    assert await lot.states() == ["reversed"]
    assert (await lot.leave(102 + 31)).due.amount_minor == 800
    assert lot.points.taken == 0


@pytest.mark.parametrize("how", ["unreachable", "unanswered"])
async def test_giving_back_survives_points_going_away_again(
    lot: Lot, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lot.enter()
    arm(lot, "redeem unanswered", monkeypatch)
    assert await refusal(lot.pay(100, points=True, request_id="pay-crash")) == "UNAVAILABLE"
    assert (await lot.leave(101, paid=1600)).may_leave
    await heal(lot, monkeypatch)
    broken = {"ReverseRedemption"}
    lot.points.fail_before, lot.points.fail_after = (broken, set()) if how == "unreachable" else (set(), broken)
    await lot.work()
    assert await lot.states() == ["reversing"]
    await heal(lot, monkeypatch)
    await lot.work()
    assert await lot.states() == ["reversed"]
    assert (lot.points.taken, lot.points.balances[member_id()]) == (0, 10_000)


@pytest.mark.parametrize("where", CRASHES)
async def test_another_payment_takes_the_place_of_an_abandoned_one(
    lot: Lot, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lot.enter()
    arm(lot, where, monkeypatch)
    assert await refusal(lot.pay(100, points=True, request_id="pay-crash")) in ("UNAVAILABLE", "INTERNAL")
    await heal(lot, monkeypatch)
    assert parts((await lot.pay(100)).fee) == (1600, 0, 0, 1600, 0)  # the member gives up and pays with money
    await lot.work()
    assert sorted(await lot.states()) == ["done", "reversed"]
    assert (lot.points.taken, lot.points.balances[member_id()]) == (0, 10_000)


async def test_a_driver_that_was_overtaken_records_nothing(lot: Lot, monkeypatch: pytest.MonkeyPatch) -> None:
    await lot.enter()
    plain = payments.record_payment
    held, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        if not held.is_set():
            held.set()
            await go_on.wait()
        return await plain(*arguments)

    monkeypatch.setattr(payments, "record_payment", slow)
    first = asyncio.create_task(lot.pay(100, points=True, request_id="pay-slow"))
    await held.wait()
    await lot.lapse_leases()
    await lot.work()  # takes over and finishes
    go_on.set()
    answer = await first
    assert parts(answer.fee) == (1600, 0, 1500, 100, 0)
    assert lot.points.taken == 500


async def test_paying_races_with_leaving_and_nothing_is_paid_twice(lot: Lot) -> None:
    for number in range(5):
        plate = f"沪C0000{number}"
        await lot.bind("ann", plate)
        await lot.enter(plate_no=plate)
        await asyncio.gather(
            lot.pay(100, points=True, plate_no=plate),
            lot.leave(100, paid=1600, plate_no=plate),
            lot.pay(100, plate_no=plate),
            return_exceptions=True,
        )
    await lot.lapse_leases()
    await lot.work()
    assert not {"pending", "reversing"} & set(await lot.states())
