"""Sales and refunds through gRPC: once, for the right member, and with the reason."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from google.rpc import code_pb2, error_details_pb2

from chassis import ids
from chassis.errors import AppError, RemoteError
from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2, rules_pb2, rules_pb2_grpc
from services.points.convert import to_date
from services.points.ledger import ledger
from tests.apps import member, system, terminal
from tests.integration.points.world import World


async def refused(answer, reason: str) -> AppError:
    with pytest.raises(AppError) as caught:
        await answer
    assert caught.value.reason == reason
    return caught.value


async def test_full_queue_is_answered_with_a_retry_delay(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sale = world.sale(1_000)
    monkeypatch.setattr(ledger, "WAITING_ITEMS", 0)
    error = await refused(world.call(world.sales.RecordSale, sale), "OVERLOADED")
    assert isinstance(error, RemoteError)
    assert error.status.code == code_pb2.RESOURCE_EXHAUSTED
    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in error.status.details)
    assert retry.retry_delay.ToMilliseconds() > 0
    # What was refused left nothing that keeps the same request from being done later.
    monkeypatch.undo()
    assert (await world.call(world.sales.RecordSale, sale)).points == 10


async def test_sale_earns_and_says_why(world: World) -> None:
    answer = await world.sell(1_250, 3_780)
    assert (answer.points, answer.available_points, answer.is_replay) == (50, 50, False)
    assert [(line.line_no, line.points) for line in answer.explanation.lines] == [(1, 12), (2, 38)]
    assert [(rule.rule_id, rule.points) for rule in answer.explanation.rules] == [("base", 50)]
    sale = await world.call(
        world.sales.GetSale,
        points_pb2.GetSaleRequest(member_id=world.member_id(), sale_id=answer.sale_id),
        member(world.member_id(), world.group_id),
    )
    assert sale.explanation == answer.explanation
    assert [line.amount_minor for line in sale.lines] == [1_250, 3_780]
    assert (sale.points, sale.source, sale.total.amount_minor) == (50, "pos", 5_030)


async def test_sale_without_points_is_recorded(world: World) -> None:
    answer = await world.sell(0)
    assert (answer.points, answer.available_points) == (0, 0)
    assert not answer.HasField("expire_time")
    assert (await world.sell(99)).points == 0
    assert await world.statement() == []
    totals = await world.totals()
    assert (totals.total.sale_count, totals.total.sales_minor, totals.total.issued_points) == (2, 99, 0)


async def test_replayed_sale_returns_the_first_answer(world: World) -> None:
    request = world.sale(10_000)
    first = await world.call(world.sales.RecordSale, request)
    await world.sell(5_000)
    again = await world.call(world.sales.RecordSale, request)
    other_door = points_pb2.RecordSaleRequest()
    other_door.CopyFrom(request)
    other_door.request_id, other_door.source = world.request_id(), "pos"
    another = await world.call(world.sales.RecordSale, other_door)
    for replay in (again, another):
        assert replay.is_replay
        replay.is_replay = False
        assert replay == first
    assert (await world.balance()).available_points == 150


async def test_changed_receipt_is_refused(world: World) -> None:
    request = world.sale(10_000)
    await world.call(world.sales.RecordSale, request)
    changed = world.sale(20_000, receipt_no=request.receipt_no)
    await refused(world.call(world.sales.RecordSale, changed), "RECEIPT_CHANGED")
    other_member = world.sale(10_000, receipt_no=request.receipt_no, member=1)
    await refused(world.call(world.sales.RecordSale, other_member), "RECEIPT_CHANGED")
    # The refused request ids are free for what they should have been sent with.
    await world.sell(1_000, request_id=changed.request_id)
    assert (await world.balance()).available_points == 110


async def test_request_id_of_another_receipt_is_refused_and_leaves_the_receipt_free(world: World) -> None:
    first = world.sale(10_000)
    await world.call(world.sales.RecordSale, first)
    second = world.sale(5_000, request_id=first.request_id)
    await refused(world.call(world.sales.RecordSale, second), "REQUEST_ID_REUSED")
    answer = await world.sell(7_000, receipt_no=second.receipt_no, member=1)
    assert (answer.points, answer.is_replay) == (70, False)


async def test_same_receipt_number_of_another_store_or_source_is_another_sale(world: World) -> None:
    for options in ({}, {"shop": 1}, {"source": "kiosk"}):
        assert not (await world.sell(1_000, receipt_no="0001", **options)).is_replay
    assert (await world.balance()).available_points == 30


async def test_fifty_identical_sales_at_once_make_one(world: World) -> None:
    request = world.sale(12_345)
    answers = await asyncio.gather(*(world.call(world.sales.RecordSale, request) for _ in range(50)))
    assert sum(not answer.is_replay for answer in answers) == 1
    assert {(answer.sale_id, answer.points, answer.available_points) for answer in answers} == {
        (answers[0].sale_id, 123, 123)
    }
    assert len(await world.statement()) == 1


async def test_fifty_contents_of_one_receipt_at_once_make_one(world: World) -> None:
    requests = [world.sale(10_000 + 100 * n, receipt_no="same", member=n % 3) for n in range(50)]
    answers = await asyncio.gather(
        *(world.call(world.sales.RecordSale, request) for request in requests), return_exceptions=True
    )
    assert sum(not isinstance(answer, AppError) for answer in answers) == 1
    assert {answer.reason for answer in answers if isinstance(answer, AppError)} == {"RECEIPT_CHANGED"}


async def test_bad_sales_of_a_batch_do_not_hold_up_the_good_ones(world: World) -> None:
    good = world.sale(1_000)
    twin = points_pb2.RecordSaleRequest()
    twin.CopyFrom(good)
    twin.request_id = world.request_id()
    sum_is_wrong = world.sale(1_000)
    sum_is_wrong.total.amount_minor = 999
    negative = world.sale(1_000)
    negative.lines[0].amount_minor = -5
    same_line = world.sale(1_000, 1_000)
    same_line.lines[1].line_no = 1
    cases = [
        (good, ""),
        (sum_is_wrong, "LINES_DO_NOT_SUM"),
        (world.sale(1_000, store_id="sto_nonsense"), "INVALID_ARGUMENT"),
        (world.sale(1_000, member_id="sto_" + "0" * 32), "INVALID_ARGUMENT"),
        (negative, "INVALID_ARGUMENT"),
        (same_line, "INVALID_ARGUMENT"),
        (world.sale(1_000, sale_time=datetime(1999, 12, 31, tzinfo=UTC)), "SALE_TIME_INVALID"),
        (world.sale(1_000, sale_time=datetime.now(UTC) + timedelta(hours=25)), "SALE_TIME_INVALID"),
        (
            world.sale(1_000, total=types_pb2.Money(amount_minor=1_000, currency_code="USD")),
            "CURRENCY_MISMATCH",
        ),
        (world.sale(1_000, sale_time=datetime(2014, 6, 1, tzinfo=UTC)), "RULE_SET_UNKNOWN"),
        (world.sale(2_000, receipt_no=good.receipt_no), "RECEIPT_CHANGED"),
        (world.sale(3_000, request_id=good.request_id), "REQUEST_ID_REUSED"),
        (twin, ""),
        (world.sale(4_000, member=1), ""),
    ]
    answer = await world.call(
        world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=[request for request, _ in cases])
    )
    assert [result.problem.reason for result in answer.results] == [reason for _, reason in cases]
    recorded = [result.recorded for result in answer.results if result.HasField("recorded")]
    assert [(each.points, each.is_replay) for each in recorded] == [(10, False), (10, True), (40, False)]
    assert all(result.problem.message_zh for result in answer.results if result.HasField("problem"))


async def test_batch_replayed_split_and_merged_earns_once(world: World) -> None:
    sales = [world.sale(1_000 + n, member=n % 3, shop=n % 2) for n in range(60)]

    async def send(part: list[points_pb2.RecordSaleRequest]) -> None:
        answer = await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=part))
        assert not any(result.HasField("problem") for result in answer.results)

    await asyncio.gather(
        *(send(sales[start : start + size]) for size in (60, 7, 13, 25, 1) for start in range(0, 60, size))
    )
    totals = await world.totals()
    assert (totals.total.sale_count, totals.total.sales_minor) == (60, sum(1_000 + n for n in range(60)))


async def test_order_of_arrival_does_not_matter(world: World) -> None:
    await world.join(1)
    sales = [world.sale(10_000 + n, sale_time=world.now - timedelta(days=n), member=3) for n in range(20)]
    for request in reversed(sales):
        await world.call(world.sales.RecordSale, request)
    assert (await world.balance(3)).earned_points_total == 2_000


async def test_rule_set_in_force_on_the_business_date_counts(world: World) -> None:
    await world.publish(world.rule_set(effective_date=to_date(date(2017, 3, 8)), base_points=2))
    before = datetime(2017, 3, 7, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    assert (await world.sell(1_000, sale_time=before)).points == 10
    assert (await world.sell(1_000, sale_time=before + timedelta(minutes=1))).points == 20


async def test_tier_and_birthday_count(world: World) -> None:
    await world.join(1, tier="GOLD", multiplier_bps=12_500, birth_month=3)
    birthday = points_pb2.EarningRule(rule_id="birthday", kind=points_pb2.RULE_KIND_BIRTHDAY, bonus_bps=10_000)
    await world.publish(
        world.rule_set(effective_date=to_date(date(2016, 1, 1)), rules=[*world.rule_set().rules, birthday])
    )
    answer = await world.sell(1_000, member=3, sale_time=datetime(2017, 3, 31, 15, 0, tzinfo=UTC))
    assert (answer.points, answer.explanation.tier_code) == (25, "GOLD")
    assert [(rule.rule_id, rule.points) for rule in answer.explanation.rules] == [
        ("base", 10),
        ("birthday", 10),
        ("tier-gold", 5),
    ]
    assert answer.expire_time.ToDatetime(tzinfo=UTC) == datetime(2018, 3, 31, 16, tzinfo=UTC)
    # 16:00 UTC is April in Shanghai
    assert (await world.sell(1_000, member=3, sale_time=datetime(2017, 3, 31, 16, tzinfo=UTC))).points == 12
    # and still March where this member lives
    await world.join(1, tier="GOLD", multiplier_bps=12_500, birth_month=3, time_zone="Europe/London")
    assert (await world.sell(1_000, member=4, sale_time=datetime(2017, 3, 31, 16, tzinfo=UTC))).points == 25


async def test_a_till_sells_for_its_own_store_only(world: World) -> None:
    till = terminal(ids.to_edge("sto", world.stores[0]), world.group_id)
    assert (await world.call(world.sales.RecordSale, world.sale(1_000), till)).points == 10
    await refused(world.call(world.sales.RecordSale, world.sale(1_000, shop=1), till), "NOT_YOURS")
    batch = points_pb2.RecordSalesRequest(sales=[world.sale(1_000), world.sale(1_000, shop=1)])
    await refused(world.call(world.sales.RecordSales, batch, till), "NOT_YOURS")


async def test_a_merchants_own_base_rate_counts_and_is_explained_and_given_back(world: World) -> None:
    rate = points_pb2.BaseRate(
        rate_id="grocers",
        name="Grocers",
        name_zh="超市",
        merchant_ids=[ids.to_edge("mch", world.merchants[0])],
        base_points=1,
        base_step_minor=1_000,
    )
    await world.publish(world.rule_set(base_rates=[rate], effective_date=to_date(date(2015, 1, 2))))
    sale = world.sale(4_000, 6_000)
    answer = await world.call(world.sales.RecordSale, sale)
    applied = answer.explanation.base_rate
    assert (answer.points, applied.rate_id, applied.base_step_minor) == (10, "grocers", 1_000)
    elsewhere = await world.sell(10_000, shop=1)
    assert elsewhere.points == 100 and not elsewhere.explanation.HasField("base_rate")
    back = await world.call(world.sales.RefundSale, world.refund(sale, (1, 4_000)))
    assert back.clawed_back_points == 4
    nowhere = points_pb2.BaseRate(rate_id="nowhere", base_points=1, base_step_minor=100)
    draft = rules_pb2.CreateRuleDraftRequest(
        request_id=world.request_id(), rule_set=world.rule_set(base_rates=[nowhere, rate, rate])
    )
    drafts = world.apps.stub(rules_pb2_grpc.RuleDraftServiceStub, "points")
    error = await refused(world.call(drafts.CreateRuleDraft, draft, system(world.group_id)), "RULES_INVALID")
    assert "nowhere names no place and no item category" in error.message and "grocers is there twice" in error.message


async def test_points_stay_within_what_every_client_can_read(world: World) -> None:
    largest = {"base_points": 1_000_000, "base_step_minor": 1, "effective_date": to_date(date(2015, 1, 2))}
    await world.publish(world.rule_set(**largest))
    await refused(world.sell(1_000_001), "SALE_EARNS_TOO_MUCH")
    assert (await world.sell(1_000_000)).points == 10**12
    # As if thousands of such sales had been before.
    wallet, near = world.members[0], 2**53 - 1 - 10**12
    pool = world.app.db.pool
    await pool.execute("UPDATE wallet SET earned_points = $2 WHERE wallet_id = $1", wallet, near)
    before = await world.balance()
    over = world.sale(1_000_000, 100, receipt_no="over")
    others = [world.sale(100, member=1), over, world.sale(1_000_000)]
    answers = (await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=others))).results
    assert [each.problem.reason for each in answers] == ["", "SALE_EARNS_TOO_MUCH", ""]
    await refused(world.sell(100), "POINTS_OUT_OF_BOUNDS")
    after = await world.balance()
    assert after.available_points == before.available_points + 10**12
    assert after.earned_points_total == 2**53 - 1
    await pool.execute("UPDATE wallet SET earned_points = $2 WHERE wallet_id = $1", wallet, 2 * 10**12)


async def test_other_groups_see_nothing(world: World) -> None:
    request = world.sale(1_000)
    sale = await world.call(world.sales.RecordSale, request)
    stranger = World(world.apps, world.app)
    await stranger.build()
    foreign = system(stranger.group_id)
    get = points_pb2.GetSaleRequest(member_id=world.member_id(), sale_id=sale.sale_id)
    await refused(world.call(world.sales.GetSale, get, foreign), "SALE_UNKNOWN")
    assert len((await stranger.totals()).merchants) == 0


async def test_refund_takes_back_what_the_lines_earned(world: World) -> None:
    request = world.sale(1_250, 3_780, 0)
    await world.call(world.sales.RecordSale, request)
    first = await world.call(world.sales.RefundSale, world.refund(request, (2, 1_000)))
    assert (first.clawed_back_points, first.debt_points, first.available_points) == (10, 0, 40)
    assert [(line.line_no, line.points) for line in first.lines] == [(2, 10)]
    rest = await world.call(world.sales.RefundSale, world.refund(request))
    assert (rest.clawed_back_points, rest.available_points, rest.refunded_minor) == (40, 0, 4_030)
    await refused(world.call(world.sales.RefundSale, world.refund(request)), "REFUND_EXCEEDS_SALE")
    get = points_pb2.GetSaleRequest(member_id=world.member_id(), sale_id=first.sale_id)
    sale = await world.call(world.sales.GetSale, get)
    assert (sale.clawed_back_points, sale.refunded_minor) == (50, 5_030)


async def test_refund_of_spent_points_makes_debt_that_earning_repays(world: World) -> None:
    request = world.sale(10_000)
    await world.call(world.sales.RecordSale, request)
    await world.redeem(80)
    refund = await world.call(world.sales.RefundSale, world.refund(request))
    assert (refund.clawed_back_points, refund.debt_points, refund.available_points) == (100, 80, 0)
    balance = await world.balance()
    assert (balance.available_points, balance.debt_points) == (0, 80)
    repaying = await world.sell(3_000, shop=1)
    assert (repaying.points, repaying.debt_repaid_points, repaying.available_points) == (30, 30, 0)
    batch = points_pb2.RecordSalesRequest(sales=[world.sale(4_000), world.sale(4_000, shop=2), world.sale(500)])
    answers = [each.recorded for each in (await world.call(world.sales.RecordSales, batch)).results]
    assert sum(answer.debt_repaid_points for answer in answers) == 50
    balance = await world.balance()
    assert (balance.available_points, balance.debt_points) == (35, 0)
    assert sum(entry.points for entry in await world.statement()) == 35


async def test_refund_takes_the_sale_s_own_lot_first(world: World) -> None:
    early = await world.sell(5_000, sale_time=world.now - timedelta(days=90))
    request = world.sale(10_000)
    await world.call(world.sales.RecordSale, request)
    await world.call(world.sales.RefundSale, world.refund(request, (1, 6_000)))
    expiries = (await world.balance()).next_expiries
    assert [expiry.points for expiry in expiries] == [50, 40]
    assert expiries[0].expire_time == early.expire_time


async def test_replayed_refund_returns_the_first_answer(world: World) -> None:
    request = world.sale(10_000)
    await world.call(world.sales.RecordSale, request)
    refund = world.refund(request)
    first = await world.call(world.sales.RefundSale, refund)
    again = await world.call(world.sales.RefundSale, refund)
    assert again.is_replay
    again.is_replay = False
    assert again == first
    other = world.refund(request, (1, 100), request_id=refund.request_id)
    await refused(world.call(world.sales.RefundSale, other), "REQUEST_ID_REUSED")


async def test_concurrent_refunds_of_one_sale_take_back_no_more_than_it_earned(world: World) -> None:
    request = world.sale(10_050)
    await world.call(world.sales.RecordSale, request)
    refunds = [world.refund(request, (1, 1_005)) for _ in range(15)]
    answers = await asyncio.gather(
        *(world.call(world.sales.RefundSale, refund) for refund in [*refunds, *refunds]), return_exceptions=True
    )
    done = [answer for answer in answers if not isinstance(answer, BaseException) and not answer.is_replay]
    assert len(done) == 10
    assert sum(answer.clawed_back_points for answer in done) == 100
    reasons = {answer.reason for answer in answers if isinstance(answer, AppError)}
    assert reasons == {"REFUND_EXCEEDS_SALE"}
    assert (await world.balance()).available_points == 0


async def test_a_refund_that_names_a_member_is_of_that_member_s_sale(world: World) -> None:
    sale = world.sale(1_000)
    await world.call(world.sales.RecordSale, sale)

    def of(member_id: str) -> points_pb2.RefundSaleRequest:
        request = world.refund(sale, (1, 500))
        request.member_id = member_id
        return request

    await refused(world.call(world.sales.RefundSale, of(world.member_id(1))), "SALE_OF_ANOTHER_MEMBER")
    await refused(world.call(world.sales.RefundSale, of("somebody")), "INVALID_ARGUMENT")
    assert (await world.balance()).available_points == 10
    assert (await world.call(world.sales.RefundSale, of(world.member_id()))).clawed_back_points == 5
    # By the card that was shown, or by whom its member has become.
    await world.app.db.pool.execute(
        "UPDATE member SET survivor_id = $2 WHERE member_id = $1", world.members[0], world.members[1]
    )
    rest = of(world.member_id(1))
    assert (await world.call(world.sales.RefundSale, rest)).clawed_back_points == 5
    assert (await world.call(world.sales.RefundSale, rest)).is_replay


async def test_refunds_that_cannot_be(world: World) -> None:
    request = world.sale(1_000)
    await refused(world.call(world.sales.RefundSale, world.refund(request)), "SALE_UNKNOWN")
    await world.call(world.sales.RecordSale, request)
    await refused(world.call(world.sales.RefundSale, world.refund(request, (7, 1))), "LINE_UNKNOWN")
    await refused(world.call(world.sales.RefundSale, world.refund(request, (1, 1_001))), "REFUND_EXCEEDS_SALE")
