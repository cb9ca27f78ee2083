"""Points that wait until an event confirms the sale: through gRPC, the ledger and the day close."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids
from chassis.errors import AppError
from chassis.jobs import RowsFailed
from huitong.points.v1 import doors_pb2, events_pb2, points_pb2
from huitong.points.v1 import sale_cases_pb2 as pb
from services.points.convert import to_date
from services.points.ledger.events_source import events_of
from services.points.ledger.ledger import Ledger
from tests.apps import internal, noted, operator
from tests.audits import assert_told
from tests.integration.points.cases import RELEASE, Office, dying
from tests.integration.points.test_sales import refused
from tests.integration.points.test_spending import run_jobs
from tests.integration.points.world import World, set_time

NOON = datetime(2019, 3, 15, 4, tzinfo=UTC)  # in Shanghai
WAIT_DAYS = 30


@pytest.fixture
async def hotel(world: World) -> World:
    """Sales of the hotel's folio wait for the checkout, 30 days at most; it is noon of 15 March 2019 in Shanghai."""
    await set_time(world.app, NOON)
    world.now = NOON
    rule = doors_pb2.ConfirmationRule(sources=["hotel-folio"], longest_wait_days=WAIT_DAYS)
    await world.publish(world.rule_set(effective_date=to_date(date(2019, 1, 1)), confirmation=rule))
    return world


async def stay(world: World, amount: int = 10_000, **options: object) -> points_pb2.RecordSaleRequest:
    """A folio that is recorded."""
    sale = world.sale(amount, source="hotel-folio", **options)  # type: ignore[arg-type]
    answer = await world.call(world.sales.RecordSale, sale)
    assert answer.outcome == doors_pb2.SALE_OUTCOME_WAITING
    return sale


async def test_points_of_a_stay_wait_for_the_checkout(hotel: World) -> None:
    office = Office(hotel)
    plain = await hotel.sell(5_000)
    assert (plain.pending_points, plain.outcome) == (0, doors_pb2.SALE_OUTCOME_UNSPECIFIED)
    sale = hotel.sale(10_000, source="hotel-folio")
    sold = await hotel.call(hotel.sales.RecordSale, sale)
    assert (sold.points, sold.pending_points, sold.available_points) == (100, 100, 50)
    (wait,) = sold.explanation.waits
    assert wait.kind == doors_pb2.SALE_CASE_KIND_CONFIRMATION
    assert minute(wait.until_time) == NOON + timedelta(days=WAIT_DAYS)
    assert sold.unlock_time == wait.until_time == sold.explanation.unlock_time
    await refused(hotel.redeem(51), "INSUFFICIENT_POINTS")

    await set_time(hotel.app, NOON + timedelta(days=2))
    confirmed = await office.confirm(sale)
    assert (confirmed.activated_points, confirmed.HasField("unlock_time")) == (100, False)
    balance = await hotel.balance()
    assert (balance.available_points, balance.pending_points) == (150, 0)
    activated, earned, _ = await hotel.statement()
    assert (activated.kind, activated.points, activated.pending_points, activated.available_points) == (
        points_pb2.MOVEMENT_KIND_ACTIVATE,
        0,
        -100,
        150,
    )
    assert minute(activated.occur_time) == NOON + timedelta(days=2)
    assert earned.pending_points == 100
    # A replay says what it said the first time.
    again = await hotel.call(hotel.sales.RecordSale, sale)
    assert (again.is_replay, again.pending_points, again.outcome) == (True, 100, doors_pb2.SALE_OUTCOME_WAITING)
    assert (await hotel.redeem(150)).available_points == 0


async def test_confirming_again_answers_the_same_and_moves_nothing(hotel: World) -> None:
    office = Office(hotel)
    sale, other = await stay(hotel), await stay(hotel, 7_000)
    first = await office.confirm(sale, request_id="checkout-1")
    assert await office.confirm(sale, request_id="checkout-1") == first
    assert await office.confirm(sale, request_id="checkout-2") == first
    assert (await hotel.balance()).available_points == 100
    error = await refused(office.confirm(other, request_id="checkout-1"), "REQUEST_ID_REUSED")
    assert isinstance(error, AppError)
    await refused(office.reject(sale), "SALE_CASE_DECIDED")
    assert (await hotel.balance()).pending_points == 70


async def test_rejected_sale_gives_all_of_its_points_back(hotel: World) -> None:
    office = Office(hotel)
    await hotel.sell(5_000)
    sale = await stay(hotel)
    await hotel.call(hotel.sales.RefundSale, refund_of(hotel, sale, (1, 4_000)))
    rejected = await office.reject(sale, request_id="cancelled-1")
    assert (rejected.clawed_back_points, rejected.debt_points) == (60, 0)
    assert await office.reject(sale, request_id="cancelled-1") == rejected
    assert await office.reject(sale, request_id="cancelled-2") == rejected
    await refused(office.confirm(sale), "SALE_CASE_DECIDED")
    await refused(hotel.call(hotel.sales.RefundSale, refund_of(hotel, sale)), "REFUND_EXCEEDS_SALE")
    balance = await hotel.balance()
    assert (balance.available_points, balance.pending_points, balance.debt_points) == (50, 0, 0)
    events = await events_of_member(hotel)
    # What the sale counted for elsewhere, for tiers and for settlement, is gone with it.
    assert sum(event.refunded.amount_minor for event in events["SaleRefunded"]) == 10_000
    # Growth is taken off the day of the sale.
    assert {event.sale_business_date.day for event in events["SaleRefunded"]} == {15}
    assert sum(event.points for event in events["PointsClawedBack"]) == 100


async def test_the_audit_says_who_decided_what_of_which_sale_and_why(hotel: World) -> None:
    office = Office(hotel)
    who = operator("desk", hotel.group_id)
    confirmed, rejected, plain = await stay(hotel), await stay(hotel), hotel.sale(1_000)
    await hotel.call(hotel.sales.RecordSale, plain)
    answers: list[Any] = [await office.confirm(sale, who=who, why="has checked out") for sale in (confirmed, plain)]
    answers.append(await office.reject(rejected, who=who))
    waited = {case.receipt_no: case.case_id for case in await office.list()}
    abouts = [{answer.sale_id, answer.member_id, confirmed.store_id} for answer in answers]
    awaited, unawaited = await noted(hotel.app, "ConfirmSale")
    (rejection,) = await noted(hotel.app, "RejectSale")

    def case_of(sale: points_pb2.RecordSaleRequest, state: str, **decision: str) -> dict[str, Any]:
        return {"cases": [{"case_id": waited[sale.receipt_no], "kind": "SALE_CASE_KIND_CONFIRMATION",
                           "state": f"SALE_CASE_STATE_{state}", **decision}]}  # fmt: skip

    assert_told("SaleCaseService.ConfirmSale", awaited, who, reason="has checked out",
                subjects=abouts[0] | {waited[confirmed.receipt_no]}, before=case_of(confirmed, "OPEN"),
                after=case_of(confirmed, "RELEASED", decided_by=who.subject))  # fmt: skip
    assert_told("SaleCaseService.ConfirmSale", unawaited, who, reason="has checked out", subjects=abouts[1],
                after={"sale_id": answers[1].sale_id})  # fmt: skip
    assert_told("SaleCaseService.RejectSale", rejection, who, reason="cancelled",
                subjects=abouts[2] | {waited[rejected.receipt_no]}, before=case_of(rejected, "OPEN"),
                after=case_of(rejected, "REJECTED", decided_by=who.subject, decision_note="cancelled"))  # fmt: skip


async def test_points_that_nobody_confirmed_unlock_after_the_longest_wait_and_can_still_be_rejected(
    hotel: World,
) -> None:
    office = Office(hotel)
    sale = await stay(hotel)
    end = NOON + timedelta(days=WAIT_DAYS)
    await set_time(hotel.app, end - timedelta(seconds=1))
    await run_jobs(hotel, end - timedelta(seconds=1))
    assert (await hotel.balance()).pending_points == 100
    end += timedelta(minutes=1)
    await set_time(hotel.app, end)
    await run_jobs(hotel, end)
    assert (await hotel.balance()).available_points == 100
    await hotel.redeem(30)
    rejected = await office.reject(sale)
    assert (rejected.clawed_back_points, rejected.debt_points) == (100, 30)


async def test_the_longest_wait_ends_before_the_points_expire(hotel: World) -> None:
    rule = doors_pb2.ConfirmationRule(longest_wait_days=366)
    await hotel.publish(hotel.rule_set(effective_date=to_date(date(2019, 3, 1)), expiry_months=1, confirmation=rule))
    sold = await hotel.sell(10_000)
    assert sold.pending_points == 100
    assert sold.unlock_time.seconds == sold.expire_time.seconds - 1


async def test_return_window_goes_on_after_the_confirmation(hotel: World) -> None:
    office = Office(hotel)
    rule = doors_pb2.ConfirmationRule(longest_wait_days=WAIT_DAYS)
    await hotel.publish(hotel.rule_set(effective_date=to_date(date(2019, 3, 1)), pending_days=7, confirmation=rule))
    early, late = hotel.sale(10_000), hotel.sale(7_000)
    for sale in (early, late):
        answer = await hotel.call(hotel.sales.RecordSale, sale)
        assert minute(answer.unlock_time) == NOON + timedelta(days=WAIT_DAYS)
    confirmed = await office.confirm(early)
    window = datetime(2019, 3, 21, 16, tzinfo=UTC)  # 22 March, 00:00 in Shanghai
    assert confirmed.activated_points == 0
    assert confirmed.unlock_time.ToDatetime(tzinfo=UTC) == window
    assert [unlock.points for unlock in (await hotel.balance()).next_unlocks] == [100, 70]
    await set_time(hotel.app, window)
    await run_jobs(hotel, window)
    balance = await hotel.balance()
    assert (balance.available_points, balance.pending_points) == (100, 70)
    # Past its window the other one waits for nothing else.
    assert (await office.confirm(late)).activated_points == 70


async def test_what_waits_for_no_event_is_left_as_it_is(hotel: World) -> None:
    office = Office(hotel)
    sale = hotel.sale(10_000)
    await refused(office.confirm(sale), "SALE_UNKNOWN")
    await refused(office.reject(sale), "SALE_UNKNOWN")
    await hotel.call(hotel.sales.RecordSale, sale)
    assert (await office.confirm(sale)).activated_points == 0
    await refused(office.reject(sale), "SALE_NOT_AWAITED")
    assert (await hotel.balance()).available_points == 100
    # A stay that earns nothing has nothing to wait for.
    nothing = hotel.sale(50, source="hotel-folio")
    assert (await hotel.call(hotel.sales.RecordSale, nothing)).outcome == doors_pb2.SALE_OUTCOME_UNSPECIFIED


async def test_returned_stay_has_nothing_left_to_confirm_or_to_reject(hotel: World) -> None:
    office = Office(hotel)
    confirmed, rejected = await stay(hotel), await stay(hotel, 7_000)
    for sale in (confirmed, rejected):
        await hotel.call(hotel.sales.RefundSale, refund_of(hotel, sale))
    assert (await office.confirm(confirmed)).activated_points == 0
    assert (await office.reject(rejected)).clawed_back_points == 0
    balance = await hotel.balance()
    assert (balance.available_points, balance.pending_points) == (0, 0)


async def test_debt_is_repaid_by_a_waiting_sale_and_comes_back_when_it_is_rejected(hotel: World) -> None:
    office = Office(hotel)
    spent = hotel.sale(10_000)
    await hotel.call(hotel.sales.RecordSale, spent)
    await hotel.redeem(100)
    await hotel.call(hotel.sales.RefundSale, hotel.refund(spent))
    sale = await stay(hotel, 15_000)
    balance = await hotel.balance()
    assert (balance.debt_points, balance.pending_points) == (0, 50)
    assert (await office.reject(sale)).debt_points == 100
    balance = await hotel.balance()
    assert (balance.debt_points, balance.pending_points, balance.available_points) == (100, 0, 0)


async def test_decisions_returns_spending_and_the_day_close_at_once_stay_exact(hotel: World) -> None:
    office = Office(hotel)
    sales = [await stay(hotel, 10_000, member=number % 3) for number in range(24)]
    end = NOON + timedelta(days=WAIT_DAYS, minutes=1)
    await set_time(hotel.app, end)

    async def allowed(call: object, *reasons: str) -> None:
        try:
            await call  # type: ignore[misc]
        except AppError as error:
            assert error.reason in reasons, error.reason

    calls = []
    for sale in sales:
        calls += [
            allowed(office.confirm(sale), "SALE_CASE_DECIDED"),
            allowed(office.reject(sale), "SALE_CASE_DECIDED"),
            allowed(office.confirm(sale), "SALE_CASE_DECIDED"),
            allowed(hotel.call(hotel.sales.RefundSale, refund_of(hotel, sale, (1, 3_000))), "REFUND_EXCEEDS_SALE"),
        ]
    calls += [allowed(hotel.redeem(50, member=number % 3), "INSUFFICIENT_POINTS") for number in range(9)]
    calls += [run_jobs(hotel, end) for _ in range(2)]
    random.Random(6).shuffle(calls)
    await asyncio.gather(*calls)
    await run_jobs(hotel, end)
    cases = await office.list()
    assert {case.state for case in cases} <= {pb.SALE_CASE_STATE_RELEASED, pb.SALE_CASE_STATE_REJECTED}
    balances = [await hotel.balance(number) for number in range(3)]
    assert [balance.pending_points for balance in balances] == [0, 0, 0]
    rejected = sum(case.state == pb.SALE_CASE_STATE_REJECTED for case in cases)
    taken = sum(balance.clawed_back_points_total for balance in balances)
    assert rejected * 100 <= taken <= 24 * 30 + rejected * 70


async def test_of_a_confirmation_and_a_rejection_at_once_one_is_refused(hotel: World) -> None:
    office = Office(hotel)
    sales = [await stay(hotel, 10_000, member=number % 3) for number in range(30)]
    calls = [call for sale in sales for call in (office.confirm(sale), office.reject(sale))]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for confirmed, rejected in zip(answers[::2], answers[1::2], strict=True):
        refusals = [answer for answer in (confirmed, rejected) if isinstance(answer, AppError)]
        assert [refusal.reason for refusal in refusals] == ["SALE_CASE_DECIDED"]
    kept = sum(isinstance(answer, pb.ConfirmSaleResponse) for answer in answers)
    balances = [await hotel.balance(number) for number in range(3)]
    assert sum(balance.available_points for balance in balances) == 100 * kept


@pytest.mark.parametrize("decision", ["confirm", "reject"])
async def test_a_decision_that_never_reached_the_ledger_is_done_by_the_job(
    hotel: World, decision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(hotel)
    sale = await stay(hotel)
    with dying(monkeypatch, Ledger, "apply_one"):
        await refused(getattr(office, decision)(sale, request_id="lost-answer"), "INTERNAL")
    assert (await hotel.balance()).pending_points == 100
    await office.finish(NOON)
    await office.finish(NOON)
    balance = await hotel.balance()
    assert balance.pending_points == 0
    assert balance.available_points == (100 if decision == "confirm" else 0)
    # Whoever lost the answer asks again and is told.
    again = await getattr(office, decision)(sale, request_id="lost-answer")
    assert (again.activated_points if decision == "confirm" else again.clawed_back_points) == 100
    assert not await hotel.app.db.pool.fetchval("SELECT count(*) FROM sale_case WHERE state <> 1 AND NOT is_applied")


async def test_a_decision_that_cannot_be_done_holds_up_none_behind_it(hotel: World) -> None:
    office, pool = Office(hotel), hotel.app.db.pool
    bad, good = await stay(hotel, member=0), await stay(hotel, member=1)
    for sale in (bad, good):
        await office.confirm(sale)
    await pool.execute("UPDATE sale_case SET is_applied = false WHERE group_id = $1", hotel.group_id)
    # The sale is not there: as if the case led to another wallet.
    await pool.execute(
        "UPDATE sale_case SET wallet_id = $2, decide_time = decide_time - interval '1 minute' WHERE wallet_id = $1",
        hotel.members[0],
        hotel.members[2],
    )
    with pytest.raises(RowsFailed):
        await office.finish(NOON)
    cases = "SELECT wallet_id, is_applied FROM sale_case WHERE group_id = $1 ORDER BY decide_time"
    assert [tuple(row) for row in await pool.fetch(cases, hotel.group_id)] == [
        (hotel.members[2], False),
        (hotel.members[1], True),
    ]
    await pool.execute("UPDATE sale_case SET wallet_id = $1 WHERE wallet_id = $2", hotel.members[0], hotel.members[2])
    await office.finish(NOON)
    assert [row["is_applied"] for row in await pool.fetch(cases, hotel.group_id)] == [True, True]


async def test_a_crash_between_the_case_and_the_ledger_leaves_no_trace_but_the_case(
    hotel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(hotel)
    sale = hotel.sale(10_000, source="hotel-folio")
    with dying(monkeypatch, Ledger, "apply"):
        await refused(hotel.call(hotel.sales.RecordSale, sale), "INTERNAL")
    (case,) = await office.list()
    assert (case.receipt_no, case.points) == ("", 0)
    await refused(office.confirm(sale), "SALE_UNKNOWN")
    await set_time(hotel.app, NOON + timedelta(days=1))
    sold = await hotel.call(hotel.sales.RecordSale, sale)
    # The retry finds its own case, with the wait that began then.
    assert (sold.is_replay, sold.pending_points) == (False, 100)
    assert minute(sold.unlock_time) == NOON + timedelta(days=WAIT_DAYS)
    (case,) = await office.list()
    assert (case.receipt_no, case.points) == (sale.receipt_no, 100)


async def test_cases_are_listed_by_page_state_and_kind(hotel: World) -> None:
    office = Office(hotel)
    sales = [await stay(hotel) for _ in range(5)]
    await office.confirm(sales[0])
    await office.reject(sales[1])
    assert len(await office.list(page_size=2)) == 5
    (rejected,) = await office.list(state=pb.SALE_CASE_STATE_REJECTED)
    assert (rejected.receipt_no, rejected.decision_note, rejected.decided_by) == (
        sales[1].receipt_no,
        "cancelled",
        "mall",
    )
    assert len(await office.list(state=pb.SALE_CASE_STATE_OPEN)) == 3
    assert await office.list(kind=doors_pb2.SALE_CASE_KIND_SUSPICIOUS) == []
    stranger = pb.ListSaleCasesRequest()
    await refused(
        hotel.call(office.stub.ListSaleCases, stranger, internal("mall", hotel.group_id)), "PERMISSION_DENIED"
    )
    await refused(office.decide(pb.SaleCase(case_id="cas_x"), RELEASE), "INVALID_ARGUMENT")
    unknown = pb.SaleCase(case_id=ids.to_edge("cas", ids.derive("no case")))
    await refused(office.decide(unknown, RELEASE), "SALE_CASE_UNKNOWN")


async def test_an_unlock_takes_one_lot_out_of_its_turn_and_tells_of_it(hotel: World) -> None:
    office = Office(hotel)
    sales = [await stay(hotel, 1_000 * number) for number in (1, 2, 3)]
    await office.confirm(sales[1])
    balance = await hotel.balance()
    assert (balance.available_points, balance.pending_points) == (20, 40)
    (activated,) = (await events_of_member(hotel))["PointsActivated"]
    assert (activated.points, [lot.points for lot in activated.lots]) == (20, [20])
    assert minute(activated.unlock_time) == NOON


def minute(stamp: Timestamp) -> datetime:
    """Business time goes on while a test runs."""
    return stamp.ToDatetime(tzinfo=UTC).replace(second=0, microsecond=0)


def refund_of(
    world: World, sale: points_pb2.RecordSaleRequest, *lines: tuple[int, int]
) -> points_pb2.RefundSaleRequest:
    request = world.refund(sale, *lines)
    request.source = sale.source
    return request


async def events_of_member(world: World) -> dict[str, list[Any]]:
    connection = await asyncpg.connect(world.app.db.url)
    rows = await connection.fetch("SELECT * FROM ledger_outbox WHERE wallet_id = $1 ORDER BY lane, n", world.members[0])
    await connection.close()
    found: dict[str, list[Any]] = {}
    for event in itertools.chain.from_iterable(map(events_of, rows)):
        name = event.type.rpartition(".")[2]
        found.setdefault(name, []).append(getattr(events_pb2, name).FromString(event.payload))
    return found
