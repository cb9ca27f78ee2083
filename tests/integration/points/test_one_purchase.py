"""One purchase earns once, whichever doors it comes through: payments in common, and doubtful pairs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from chassis import ids
from huitong.points.v1 import doors_pb2, points_pb2
from huitong.points.v1 import sale_cases_pb2 as pb
from services.points.doors.operations import Doors, Passage
from services.points.doors.rules import DoorRules
from services.points.ledger.ledger import Item, Kind, Ledger
from tests.integration.points.cases import REJECT, RELEASE, Office, dying
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World

DUPLICATE, WAITING = doors_pb2.SALE_OUTCOME_DUPLICATE, doors_pb2.SALE_OUTCOME_WAITING
PAIR = doors_pb2.SALE_CASE_KIND_DOUBTFUL_PAIR


def paid(world: World, amount: int, source: str, payment_id: str, **options: Any) -> points_pb2.RecordSaleRequest:
    """A sale with its payment's id."""
    origin = doors_pb2.SaleOrigin(payment_provider=options.pop("provider", "wechat-pay"), payment_id=payment_id)
    return world.sale(amount, source=source, origin=origin, **options)


async def record(world: World, sale: points_pb2.RecordSaleRequest) -> points_pb2.RecordSaleResponse:
    return await world.call(world.sales.RecordSale, sale)


@pytest.fixture
async def matching(world: World) -> World:
    """The group looks for pairs within ten minutes."""
    await world.publish(world.rule_set(matching=doors_pb2.MatchingRule()))
    return world


# ---- a payment in common


async def test_second_door_of_a_payment_earns_nothing_and_is_told_of_the_first(world: World) -> None:
    till = await record(world, paid(world, 10_000, "pos", "4200001"))
    assert (till.points, till.outcome, till.duplicate_of_sale_id) == (100, 0, "")
    notice = paid(world, 10_000, "payment-notice", "4200001", sale_time=world.now + timedelta(hours=2))
    answer = await record(world, notice)
    assert (answer.outcome, answer.duplicate_of_sale_id) == (DUPLICATE, till.sale_id)
    assert (answer.points, answer.sale_id, answer.member_id) == (0, "", world.member_id())
    # Asked again it says the same; the first one stays what it is.
    assert await record(world, notice) == answer
    again = await record(world, paid(world, 10_000, "pos", "4200001", receipt_no="r1"))
    assert (again.is_replay, again.points) == (True, 100)
    balance = await world.balance()
    assert (balance.available_points, balance.lifetime_points_total) == (100, 100)
    assert (await world.totals()).total.sale_count == 1
    await refused(world.call(world.sales.RefundSale, _refund(world, notice)), "SALE_UNKNOWN")


async def test_payment_counts_whoever_the_second_door_takes_the_member_for(world: World) -> None:
    first = await record(world, paid(world, 10_000, "pos", "4200002"))
    other = await record(world, paid(world, 9_000, "payment-notice", "4200002", member=1))
    assert (other.outcome, other.duplicate_of_sale_id) == (DUPLICATE, first.sale_id)
    assert (await world.balance(1)).lifetime_points_total == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"payment_id": "4200004"},  # another payment
        {"provider": "alipay"},  # another platform's id
        {"shop": 1},  # another merchant's
    ],
)
async def test_what_is_not_the_same_payment_earns(world: World, changes: dict[str, Any]) -> None:
    await record(world, paid(world, 10_000, "pos", "4200003"))
    values = {"payment_id": "4200003", "source": "payment-notice", **changes}
    answer = await record(world, paid(world, 10_000, values.pop("source"), values.pop("payment_id"), **values))
    assert (answer.points, answer.outcome) == (100, 0)


async def test_a_bulk_upload_does_not_stumble_over_duplicates(world: World) -> None:
    await record(world, paid(world, 10_000, "pos", "p-2"))
    sales = [paid(world, 1_000 * number, "payment-notice", f"p-{number}") for number in (1, 2, 3)]
    # Twice in one upload, from two sources.
    sales.append(paid(world, 3_000, "app-order", "p-3"))
    results = await upload(world, sales)
    assert [result.HasField("problem") for result in results] == [False] * 4
    assert [result.recorded.outcome for result in results] == [0, DUPLICATE, 0, DUPLICATE]
    assert [result.recorded.points for result in results] == [10, 0, 30, 0]
    assert results[3].recorded.duplicate_of_sale_id == results[2].recorded.sale_id


@pytest.mark.parametrize(
    "origin", [{"payment_id": "p"}, {"payment_provider": "p"}, {"device_id": "d"}, {"device_seq": 1}]
)
async def test_half_an_origin_is_refused(world: World, origin: dict[str, Any]) -> None:
    sale = world.sale(1_000, origin=doors_pb2.SaleOrigin(**origin))
    await refused(record(world, sale), "INVALID_ARGUMENT")


async def test_a_hundred_postings_of_one_purchase_through_two_doors_earn_once(world: World) -> None:
    for number in range(4):
        sales = [
            paid(
                world,
                10_000,
                source,
                f"race-{number}",
                receipt_no=f"{source}-{number}",
                request_id=f"request-{source}-{number}",
                member=number % 3,
            )
            for source in ("pos", "payment-notice")
            for _ in range(50)
        ]
        answers = await asyncio.gather(*(record(world, sale) for sale in sales))
        earned = {answer.sale_id for answer in answers if answer.points}
        duplicates = [answer for answer in answers if answer.outcome == DUPLICATE]
        assert len(earned) == 1
        assert len(duplicates) == 50
        assert {answer.duplicate_of_sale_id for answer in duplicates} == earned
        assert sum(answer.points > 0 and not answer.is_replay for answer in answers) == 1
    total = (await world.totals()).total
    assert (total.sale_count, total.issued_points) == (4, 400)


async def test_a_crash_between_the_payment_and_the_ledger_leaves_it_to_the_retry(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = paid(world, 10_000, "pos", "crash-1")
    with dying(monkeypatch, Ledger, "apply"):
        await refused(record(world, till), "INTERNAL")
    notice = paid(world, 10_000, "payment-notice", "crash-1")
    # The purchase is the till's, which will come again; the other door cannot earn it in between.
    stopped = await record(world, notice)
    assert stopped.outcome == DUPLICATE
    recorded = await record(world, till)
    assert (recorded.points, recorded.is_replay, recorded.sale_id) == (100, False, stopped.duplicate_of_sale_id)
    assert (await record(world, notice)).outcome == DUPLICATE
    assert (await world.balance()).available_points == 100


# ---- no id in common


async def test_later_half_of_a_doubtful_pair_waits_for_a_decision(matching: World) -> None:
    office = Office(matching)
    till = matching.sale(10_000)
    first = await record(matching, till)
    assert (first.pending_points, first.outcome) == (0, 0)
    notice = matching.sale(10_000, source="payment-notice", sale_time=matching.now + timedelta(minutes=9))
    second = await record(matching, notice)
    assert (second.points, second.pending_points, second.outcome) == (100, 100, WAITING)
    assert [wait.kind for wait in second.explanation.waits] == [PAIR]
    (case,) = await office.list(kind=PAIR, state=pb.SALE_CASE_STATE_OPEN)
    assert (case.sale_id, case.other_sale_id) == (second.sale_id, first.sale_id)
    assert (case.other_source, case.other_receipt_no) == ("pos", till.receipt_no)
    assert (case.receipt_no, case.amount_minor, case.points) == (notice.receipt_no, 10_000, 100)
    # Neither half, sent again, is taken for a further purchase.
    assert (await record(matching, till)).is_replay and (await record(matching, notice)).is_replay
    assert len(await office.list()) == 1


async def test_the_same_purchase_is_taken_back_and_a_different_one_is_released(matching: World) -> None:
    office = Office(matching)
    for member, decision in enumerate((REJECT, RELEASE)):
        await record(matching, matching.sale(10_000, member=member))
        await record(matching, matching.sale(10_000, member=member, source="payment-notice"))
        (case,) = await office.list(state=pb.SALE_CASE_STATE_OPEN)
        answer = await office.decide(case, decision, request_id=f"decision-{member}")
        assert await office.decide(case, decision, request_id=f"decision-{member}") == answer
        assert await office.decide(case, decision) == answer
        other_way = RELEASE if decision == REJECT else REJECT
        await refused(office.decide(case, other_way), "SALE_CASE_DECIDED")
        balance = await matching.balance(member)
        assert balance.pending_points == 0
        assert balance.available_points == (100 if decision == REJECT else 200)
        assert (answer.clawed_back_points, answer.activated_points) == ((100, 0) if decision == REJECT else (0, 100))
        assert (answer.sale_case.decided_by, answer.sale_case.decision_note) == ("key_test", "looked at")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 10_001},
        {"member": 1},
        {"shop": 1},
        {"minutes": 11},
        {"source": "pos"},  # two receipts of one till are two purchases
    ],
)
async def test_what_differs_is_no_pair(matching: World, changes: dict[str, Any]) -> None:
    await record(matching, matching.sale(10_000))
    values = {"source": "payment-notice", "sale_time": matching.now + timedelta(minutes=changes.pop("minutes", 0))}
    answer = await record(matching, matching.sale(changes.pop("amount", 10_000), **{**values, **changes}))
    assert (answer.points, answer.pending_points) == (100, 0)


async def test_window_of_pairs_is_the_rule_sets(world: World) -> None:
    await world.publish(world.rule_set(matching=doors_pb2.MatchingRule(window_minutes=60, longest_wait_days=2)))
    await record(world, world.sale(10_000))
    # Also when the later one to arrive was earlier in time.
    answer = await record(
        world, world.sale(10_000, source="payment-notice", sale_time=world.now - timedelta(minutes=59))
    )
    assert answer.pending_points == 100
    waited = answer.unlock_time.seconds - world.now.timestamp()
    assert abs(waited - 2 * 86_400) < 600


async def test_two_payments_of_one_platform_are_told_apart_by_their_ids(matching: World) -> None:
    await record(matching, paid(matching, 10_000, "pos", "a-1"))
    other = await record(matching, paid(matching, 10_000, "payment-notice", "a-2"))
    assert (other.points, other.pending_points) == (100, 0)
    # Without an id, or with another platform's, it may be either.
    third = await record(matching, paid(matching, 10_000, "app-order", "x-1", provider="alipay"))
    assert third.pending_points == 100


async def test_two_purchases_alike_through_both_doors_make_two_pairs(matching: World) -> None:
    firsts = [await record(matching, matching.sale(10_000)) for _ in range(2)]
    for _ in range(2):
        await record(matching, matching.sale(10_000, source="payment-notice"))
    cases = await Office(matching).list()
    assert {case.other_sale_id for case in cases} == {first.sale_id for first in firsts}


async def test_halves_of_a_pair_at_once_do_not_both_earn_at_once(matching: World) -> None:
    for number in range(10):
        amount = 10_000 + number * 100
        sales = [matching.sale(amount, member=number % 3, source=source) for source in ("pos", "payment-notice")]
        answers = await asyncio.gather(*(record(matching, sale) for sale in sales for _ in range(3)))
        by_sale = {answer.sale_id: answer for answer in answers}
        assert sorted(answer.pending_points for answer in by_sale.values()) == [0, amount // 100]
    assert len(await Office(matching).list()) == 10


async def test_halves_of_a_pair_in_two_processes_see_each_other(matching: World) -> None:
    rules = DoorRules(pair_seconds=600, pair_days=30)
    processes = [Doors(matching.app.db.url) for _ in range(2)]
    for process in processes:
        await process.open()
    try:
        for number in range(40):
            items = [_item(matching, number, source) for source in ("pos", "payment-notice")]
            await asyncio.gather(
                *(
                    process.watch([(item, Passage(item.reference, watched_by=rules))], matching.now)
                    for process, item in zip(processes, items, strict=True)
                )
            )
            assert sum(item.unlock_time is not None for item in items) == 1
    finally:
        for process in processes:
            await process.close()


async def test_a_pair_is_remembered_over_a_crash_before_the_ledger(
    matching: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    till, notice = matching.sale(10_000), matching.sale(10_000, source="payment-notice")
    with dying(monkeypatch, Ledger, "apply"):
        await refused(record(matching, till), "INTERNAL")
        await refused(record(matching, notice), "INTERNAL")
    (case,) = await Office(matching).list()
    assert case.receipt_no == ""
    await refused(Office(matching).decide(case, RELEASE), "SALE_UNKNOWN")
    assert (await record(matching, notice)).pending_points == 100
    assert (await record(matching, till)).pending_points == 0


async def test_sales_are_recorded_plainly_when_they_cannot_be_compared(
    matching: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record(matching, matching.sale(10_000))
    monkeypatch.setattr("services.points.doors.operations.WATCH_SECONDS", 0.2)
    async with matching.app.db.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE sale_seen")
        async with asyncio.timeout(8):  # long before the comparison itself would give up
            answer = await record(matching, matching.sale(10_000, source="payment-notice"))
    assert (answer.points, answer.pending_points) == (100, 0)


async def test_an_agreed_event_is_waited_for_also_when_nothing_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = doors_pb2.ConfirmationRule(longest_wait_days=30)
    await world.publish(world.rule_set(confirmation=rule, matching=doors_pb2.MatchingRule()))
    monkeypatch.setattr("services.points.doors.operations.WATCH_SECONDS", 0.2)
    monkeypatch.setattr("services.points.ledger.batched.PATIENCE_SECONDS", 0.0)
    sale = world.sale(10_000)
    await world.apps.as_owner("points", "ALTER FUNCTION watch_sales RENAME TO watch_sales_gone")
    try:
        await refused(record(world, sale), "UNAVAILABLE")
    finally:
        await world.apps.as_owner("points", "ALTER FUNCTION watch_sales_gone RENAME TO watch_sales")
    assert (await record(world, sale)).pending_points == 100


async def test_the_ordinary_way_asks_nothing_of_the_doors(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("asked")

    for name in ("admit", "watch", "record_devices"):
        monkeypatch.setattr(Doors, name, never)
    assert (await record(world, world.sale(10_000))).points == 100
    results = await upload(world, [world.sale(1_000) for _ in range(20)])
    assert [result.recorded.points for result in results] == [10] * 20


async def upload(world: World, sales: Sequence[points_pb2.RecordSaleRequest]) -> list[points_pb2.RecordSalesResult]:
    return list((await world.call(world.sales.RecordSales, points_pb2.RecordSalesRequest(sales=sales))).results)


def _refund(world: World, sale: points_pb2.RecordSaleRequest) -> points_pb2.RefundSaleRequest:
    request = world.refund(sale)
    request.source = sale.source
    return request


def _item(world: World, number: int, source: str) -> Item:
    return Item(
        kind=Kind.EARN,
        wallet_id=world.members[0],
        group_id=world.group_id,
        txn_id=ids.derive("half", world.group_id, number, source),
        request_hash=b"",
        points=number + 1,
        occur_time=world.now,
        merchant_id=world.merchants[0],
        store_id=world.stores[0],
        expire_time=world.now + timedelta(days=400),
        amount_minor=100 * (number + 1),
        reference=source,
    )
