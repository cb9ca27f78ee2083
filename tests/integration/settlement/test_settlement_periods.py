"""Contracts, closing of months, late facts, reconciliation."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import ids, rpc
from chassis.errors import AppError
from chassis.jobs import RowsFailed
from chassis.upstream import has_applied, has_passed
from huitong.common.v1 import control_pb2, types_pb2
from huitong.points.v1 import points_pb2, points_pb2_grpc
from huitong.settlement.v1 import settlement_pb2 as pb
from services.settlement import operations
from tests.apps import GROUP
from tests.integration.settlement.feed import Feed, clawed, earned, merchant_id, redeemed, share, stay

# Midnight of 1 April in Shanghai, and the earliest moment at which March may close.
MARCH_ENDS = datetime(2017, 3, 31, 16, tzinfo=UTC)
MARCH_CLOSES = MARCH_ENDS + timedelta(hours=6)


async def periods(feed: Feed) -> dict[str, Any]:
    answer = await feed.call("ListPeriods", pb.ListPeriodsRequest())
    for period in answer.periods:
        assert period.imbalance_minor == 0
    return {period.period: period for period in answer.periods}


async def march(feed: Feed) -> None:
    await feed.structure("grocer", "spa")
    await feed.set_contract("grocer", issue_price_centi=300)
    await feed.send("points", earned("a", 1000), redeemed("r", share("a", "grocer", 100)))


async def test_a_month_closes_six_hours_after_its_end_and_not_before(feed: Feed) -> None:
    await march(feed)
    await feed.jobs.close_periods(MARCH_CLOSES - timedelta(microseconds=1))
    assert not (await periods(feed))["2017-03"].is_closed
    await feed.jobs.close_periods(MARCH_CLOSES)
    assert (await periods(feed))["2017-03"].is_closed
    statement = (await feed.statement("grocer")).statement
    assert (statement.is_closed, statement.net_minor) == (True, -3000)


async def test_a_month_waits_for_the_last_zone_of_the_group(feed: Feed) -> None:
    await march(feed)
    await feed.structure("diner", unit="new-york", time_zone="America/New_York")
    await feed.jobs.close_periods(MARCH_CLOSES)
    assert not (await periods(feed))["2017-03"].is_closed
    # Midnight in New York is 04:00 UTC in summer.
    await feed.jobs.close_periods(datetime(2017, 4, 1, 10, tzinfo=UTC))
    assert (await periods(feed))["2017-03"].is_closed


async def test_a_group_whose_month_cannot_close_holds_up_no_other(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    await march(feed)
    broken, accrue = UUID(int=0), operations.accrue

    async def fail(tx: Any, group_id: UUID, facts: Any) -> Any:
        if group_id == broken:
            raise ValueError("a defect")
        return await accrue(tx, group_id, facts)

    async def groups() -> list[UUID]:
        return [broken, GROUP]

    monkeypatch.setattr(operations, "accrue", fail)
    monkeypatch.setattr(feed.jobs, "_groups", groups)
    for run in (feed.jobs.post_waiting, feed.jobs.close_periods):
        with pytest.raises(RowsFailed):
            await run(MARCH_CLOSES)
    assert (await periods(feed))["2017-03"].is_closed


async def test_a_month_waits_for_its_producers(feed: Feed) -> None:
    await march(feed)
    feed.is_past = False
    await feed.jobs.close_periods(MARCH_CLOSES)
    assert not (await periods(feed))["2017-03"].is_closed


async def test_closing_again_and_at_once_changes_nothing(feed: Feed) -> None:
    events = "SELECT count(*) FROM outbox WHERE type LIKE '%PeriodClosed'"
    told_before = await feed.app.db.pool.fetchval(events)
    await march(feed)
    await asyncio.gather(*(feed.jobs.close_periods(MARCH_CLOSES) for _ in range(5)))
    before = await feed.snapshot()
    await feed.jobs.close_periods(MARCH_CLOSES)
    assert await feed.snapshot() == before
    assert await feed.app.db.pool.fetchval(events) == told_before + 1


async def test_a_late_fact_goes_to_the_next_month_and_keeps_its_date(feed: Feed) -> None:
    await march(feed)
    await feed.jobs.close_periods(MARCH_CLOSES)
    before = (await feed.statement("grocer")).statement
    await feed.send("points", earned("late", 7), clawed("a", 500))
    assert (await feed.statement("grocer")).statement == before
    april = await feed.statement("grocer", "2017-04")
    assert (april.statement.issued_points, april.statement.claw_back_minor) == (7, 1500)
    assert str(await feed.app.db.pool.fetchval("SELECT max(business_date) FROM entry")) == "2017-03-15"


async def test_months_close_in_order_also_empty_ones(feed: Feed) -> None:
    await march(feed)
    await feed.send("points", earned("june", 5, day=(2017, 6, 30)))
    await feed.jobs.close_periods(datetime(2017, 7, 5, tzinfo=UTC))
    closed = await periods(feed)
    assert list(closed) == ["2017-03", "2017-04", "2017-05", "2017-06"]
    assert all(period.is_closed for period in closed.values())
    assert closed["2017-04"].entry_count == 0


async def test_a_new_contract_counts_from_its_date_and_leaves_what_was_accrued(feed: Feed) -> None:
    await march(feed)
    await feed.set_contract("grocer", (2017, 3, 20), issue_price_centi=900)
    await feed.send("points", earned("b", 100, day=(2017, 3, 19)), earned("c", 100, day=(2017, 3, 20)))
    movements = (await feed.statement("grocer")).movements
    assert sorted(movement.amount_minor for movement in movements) == [-3000, -900, -300]


async def test_a_merchant_without_a_contract_has_default_terms_that_are_listed(feed: Feed) -> None:
    await feed.structure("grocer", "spa")
    listed = await feed.call("ListContracts", pb.ListContractsRequest(page_size=1))
    assert listed.next_page_token
    rest = await feed.call("ListContracts", pb.ListContractsRequest(page_token=listed.next_page_token))
    contracts = [*listed.contracts, *rest.contracts]
    assert {one.merchant_id for one in contracts} == {merchant_id("grocer"), merchant_id("spa")}
    for one in contracts:
        assert (one.effective_date.year, one.issue_price_centi, one.redeem_price_centi) == (1900, 100, 100)
        assert (one.platform_fee_bps, one.parking_waiver_bps, one.merchant_keeps_breakage) == (0, 0, False)
    await feed.send("points", earned("a", 55))
    assert (await feed.statement("grocer")).statement.net_minor == -55


async def refusal(call: Any) -> str:
    with pytest.raises(AppError) as refused:
        await call
    return refused.value.reason


async def test_what_a_contract_is_refused_for(feed: Feed) -> None:
    await feed.structure("grocer")
    await feed.set_contract("grocer")
    assert await refusal(feed.set_contract("grocer")) == "EFFECTIVE_DATE_TAKEN"
    assert await refusal(feed.set_contract("grocer", (2017, 2, 30))) == "INVALID_ARGUMENT"
    # org does not run here: whether the merchant exists cannot be known.
    assert await refusal(feed.set_contract("nobody")) == "UNAVAILABLE"
    day = types_pb2.BusinessDate(year=2018, month=1, day=1)
    request = pb.SetContractRequest(
        request_id="contract-1", contract=pb.Contract(merchant_id=merchant_id("grocer"), effective_date=day)
    )
    first = await feed.call("SetContract", request)
    assert await feed.call("SetContract", request) == first
    request.contract.platform_fee_bps = 1
    assert await refusal(feed.call("SetContract", request)) == "REQUEST_ID_REUSED"


async def test_a_bad_line_of_many_contracts_does_not_hold_up_the_others(feed: Feed) -> None:
    await feed.structure("grocer", "spa")
    day = types_pb2.BusinessDate(year=2018, month=1, day=1)
    lines = [
        pb.SetContractRequest(request_id=ids.new().hex, contract=pb.Contract(merchant_id=merchant, effective_date=day))
        for merchant in (merchant_id("grocer"), "mch_wrong", merchant_id("spa"))
    ]
    results = (await feed.call("SetContracts", pb.SetContractsRequest(contracts=lines))).results
    assert [result.problem.reason for result in results] == ["", "INVALID_ARGUMENT", ""]


async def test_months_and_tokens_that_are_none_are_refused(feed: Feed) -> None:
    await feed.structure("grocer")
    for period in ("2017-13", "2017-3", "0000-01"):
        reason = await refusal(feed.call("ListStatements", pb.ListStatementsRequest(period=period)))
        assert reason in ("INVALID_ARGUMENT", "PERIOD_INVALID")
    bad = pb.ListStatementsRequest(period="2017-03", page_token="bm9uc2Vuc2U")
    assert await refusal(feed.call("ListStatements", bad)) == "INVALID_ARGUMENT"


class Ledger(points_pb2_grpc.LedgerServiceServicer):
    """points, as far as reconciliation asks it."""

    def __init__(self) -> None:
        self.answer = points_pb2.GetTotalsResponse()

    async def GetTotals(self, request: Any, context: Any) -> points_pb2.GetTotalsResponse:
        return self.answer


async def test_reconciliation_names_every_difference(feed: Feed) -> None:
    await march(feed)
    assert await refusal(feed.call("Reconcile", pb.ReconcileRequest())) == "UNAVAILABLE"
    server = rpc.open_server("points", feed.apps.tokens)
    ledger = Ledger()
    points_pb2_grpc.add_LedgerServiceServicer_to_server(ledger, server)
    server.add_insecure_port(feed.apps.settings.address("points"))
    await server.start()
    try:
        grocer = ledger.answer.merchants.add(merchant_id=merchant_id("grocer"))
        grocer.issued.issued_points, grocer.issued.redeemed_points = 1000, 100
        ledger.answer.merchants.add(merchant_id=merchant_id("spa"), accepted_points=100)
        async with asyncio.timeout(10):
            while True:  # the channel found nobody a moment ago and tries again by itself
                try:
                    answer = await feed.call("Reconcile", pb.ReconcileRequest())
                    break
                except AppError:
                    await asyncio.sleep(0.1)
        assert (answer.is_equal, answer.merchant_count) == (True, 2)
        grocer.issued.expired_points = 3
        answer = await feed.call("Reconcile", pb.ReconcileRequest())
        assert not answer.is_equal
        assert [
            (one.merchant_id, one.figure, one.ledger_points, one.settlement_points) for one in answer.differences
        ] == [(merchant_id("grocer"), "expired_points", 3, 0)]
    finally:
        await server.stop(None)


def test_a_producer_has_passed_when_its_clock_and_jobs_have() -> None:
    progress = control_pb2.GetProgressResponse()
    progress.business_time.FromDatetime(MARCH_CLOSES)
    assert has_passed(progress, MARCH_ENDS)
    job = progress.jobs.add(job="expire")
    assert not has_passed(progress, MARCH_ENDS)  # never ran
    job.done_until.FromDatetime(MARCH_ENDS - timedelta(seconds=1))
    assert not has_passed(progress, MARCH_ENDS)
    job.done_until.FromDatetime(MARCH_ENDS)
    assert has_passed(progress, MARCH_ENDS)


def test_a_producers_facts_are_in_when_every_lane_is_applied() -> None:
    progress = control_pb2.GetProgressResponse()
    lane = progress.produced.add(lane=0, pack_no=3)
    progress.produced.add(lane=1, pack_no=1)
    assert has_applied(progress, {0: 3, 1: 1})
    assert not has_applied(progress, {0: 2, 1: 1})
    assert not has_applied(progress, {0: 3})
    lane.waiting_event_count = 1
    assert not has_applied(progress, {0: 3, 1: 1})


async def test_a_parking_benefit_counts_on_the_day_of_leaving(feed: Feed) -> None:
    await feed.structure("parking", unit="car-park", time_zone="Europe/Berlin")
    await feed.set_contract("parking", parking_waiver_bps=10000)
    # 22:30 UTC on 31 March is past midnight in Berlin since summer time began.
    await feed.send("parking", stay("s", 800, datetime(2017, 3, 31, 22, 30, tzinfo=UTC)))
    assert (await feed.statement("parking", "2017-04")).statement.parking_waiver_minor == 800
