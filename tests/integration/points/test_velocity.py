"""Suspicious earning: limits, cases with their evidence, decisions; and limits on interaction points."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.points.v1 import adjustments_pb2, doors_pb2, points_pb2, rewards_pb2, rewards_pb2_grpc
from huitong.points.v1 import sale_cases_pb2 as pb
from services.points.convert import to_date
from services.points.doors.sale_cases import SaleCases
from services.points.ledger.ledger import Ledger
from services.points.lookup import Lookup
from services.points.merging.operations import Merges
from tests.apps import internal, noted, operator, system
from tests.audits import assert_told
from tests.integration.points.cases import REJECT, RELEASE, Office, dying
from tests.integration.points.test_adjustments import Desk
from tests.integration.points.test_merging import ABSORBED, SURVIVOR
from tests.integration.points.test_merging import Office as MergingOffice
from tests.integration.points.test_one_purchase import record, upload
from tests.integration.points.test_sales import refused
from tests.integration.points.test_spending import run_jobs
from tests.integration.points.world import World, set_time, violations

MEMBER, TERMINAL, STORE = (
    doors_pb2.LIMIT_SCOPE_MEMBER,
    doors_pb2.LIMIT_SCOPE_TERMINAL,
    doors_pb2.LIMIT_SCOPE_STORE,
)
SUSPICIOUS = doors_pb2.SALE_CASE_KIND_SUSPICIOUS


async def limit(world: World, *limits: dict[str, Any], **rules: Any) -> None:
    """Publish limits; each has a window of an hour unless it says otherwise."""
    velocity = doors_pb2.VelocityRule(
        limits=[
            doors_pb2.VelocityLimit(**{"limit_id": f"limit-{number}", "window_seconds": 3_600, **values})
            for number, values in enumerate(limits, 1)
        ]
    )
    await world.publish(world.rule_set(velocity=velocity, **rules))


async def evidence(world: World) -> list[tuple[str, str, int, int]]:
    """Of all cases, oldest first."""
    cases = await Office(world).list(kind=SUSPICIOUS)
    return [(one.limit_id, one.measure, one.seen, one.allowed) for case in reversed(cases) for one in case.evidence]


async def test_sale_above_a_limit_is_recorded_and_its_points_wait(world: World) -> None:
    office = Office(world)
    await limit(world, {"scope": MEMBER, "max_sales": 3})
    answers = [await record(world, world.sale(1_000 + number)) for number in range(5)]
    assert [answer.pending_points for answer in answers] == [0, 0, 0, 10, 10]
    assert {answer.outcome for answer in answers[3:]} == {doors_pb2.SALE_OUTCOME_WAITING}
    assert await evidence(world) == [("limit-1", "SALES", 4, 3)] * 2
    # Another member's sales are not counted with these.
    assert (await record(world, world.sale(1_000, member=1))).pending_points == 0
    fifth, fourth = await office.list(state=pb.SALE_CASE_STATE_OPEN)
    who = operator("watch", world.group_id)
    assert (await office.decide(fourth, RELEASE, who=who)).activated_points == 10
    assert (await office.decide(fifth, REJECT, who=who)).clawed_back_points == 10
    acts = await noted(world.app, "DecideSaleCase")
    for case, act, state in zip((fourth, fifth), acts, ("RELEASED", "REJECTED"), strict=True):
        one, decided = {"case_id": case.case_id, "receipt_no": case.receipt_no}, f"SALE_CASE_STATE_{state}"
        assert_told("SaleCaseService.DecideSaleCase", act, who, reason="looked at",
                    subjects={case.case_id, case.sale_id, case.member_id, case.store_id},
                    before={"cases": [one | {"state": "SALE_CASE_STATE_OPEN"}]},
                    after={"cases": [one | {"state": decided, "decided_by": who.subject}]})  # fmt: skip
    balance = await world.balance()
    assert (balance.available_points, balance.pending_points) == (40, 0)
    assert await office.list(state=pb.SALE_CASE_STATE_OPEN) == []


async def test_a_replay_is_not_counted_again(world: World) -> None:
    await limit(world, {"scope": MEMBER, "max_sales": 2})
    sales = [world.sale(1_000 + number) for number in range(2)]
    for _ in range(5):
        for sale in sales:
            assert (await record(world, sale)).pending_points == 0
    assert await evidence(world) == []


async def test_points_of_a_window_are_limited(world: World) -> None:
    await limit(world, {"scope": MEMBER, "max_points": 100})
    answers = [
        await record(world, world.sale(amount, sale_time=world.now - timedelta(minutes=ago)))
        for amount, ago in ((6_000, 130), (6_000, 50), (4_000, 20), (100, 10))
    ]
    assert [answer.pending_points for answer in answers] == [0, 0, 0, 1]
    assert await evidence(world) == [("limit-1", "POINTS", 101, 100)]


async def test_terminals_are_told_apart_by_device_or_else_by_source(world: World) -> None:
    await limit(world, {"scope": TERMINAL, "max_sales": 2})

    async def sell(seq: int, **changes: Any) -> int:
        device = changes.pop("device", "")
        if device:
            changes["origin"] = doors_pb2.SaleOrigin(device_id=device, device_seq=seq)
        return (await record(world, world.sale(1_000 + seq, member=seq % 3, **changes))).pending_points

    assert [await sell(seq, device="till-1") for seq in (1, 2)] == [0, 0]
    assert [await sell(seq, device="till-2") for seq in (1, 2)] == [0, 0]
    assert [await sell(seq, source="kiosk") for seq in (1, 2)] == [0, 0]
    assert [await sell(seq, device="till-1", shop=1) for seq in (1, 2)] == [0, 0]
    assert await sell(3, device="till-1") == 10
    assert await sell(3, source="kiosk") == 10
    assert await sell(3) == 0


async def test_store_pattern_of_repeated_amounts(world: World) -> None:
    await limit(world, {"scope": STORE, "max_same_amount": 3})
    amounts = (9_900, 9_900, 5_000, 9_900, 5_000, 9_900)
    answers = [await record(world, world.sale(amount, member=n % 3)) for n, amount in enumerate(amounts)]
    assert [answer.pending_points for answer in answers] == [0, 0, 0, 0, 0, 99]
    assert await evidence(world) == [("limit-1", "SAME_AMOUNT", 4, 3)]


async def test_successive_receipts_of_one_member(world: World) -> None:
    await limit(world, {"scope": MEMBER, "max_successive_receipts": 2, "window_seconds": 60})
    seconds = timedelta(seconds=1)

    async def sell(receipt_no: str, member: int = 0, **changes: Any) -> int:
        sale = world.sale(1_000, member=member, receipt_no=receipt_no, **changes)
        return (await record(world, sale)).pending_points

    assert [await sell(f"A-00{number}", sale_time=world.now + number * seconds) for number in (7, 8)] == [0, 0]
    assert await sell("A-009", member=1) == 0  # another member's
    assert await sell("A-010", sale_time=world.now + 9 * seconds) == 0  # not successive
    assert await sell("A-009", shop=1, sale_time=world.now + 9 * seconds) == 0  # another store's
    assert await sell("B-009", source="kiosk", sale_time=world.now + 9 * seconds) == 0  # another numbering
    assert await sell("B-9", sale_time=world.now + 9 * seconds) == 10
    assert await evidence(world) == [("limit-1", "SUCCESSIVE_RECEIPTS", 3, 2)]
    assert await sell("no number at all") == 0


async def test_amount_far_above_what_is_usual_in_the_store(world: World) -> None:
    await limit(world, {"scope": STORE, "max_times_average": 10, "window_seconds": 86_400})
    assert (await record(world, world.sale(1_000_000))).pending_points == 0  # nothing to compare with
    await upload(world, [world.sale(1_000, shop=1, member=n % 3) for n in range(20)])
    assert (await record(world, world.sale(10_000, shop=1))).pending_points == 0
    assert (await record(world, world.sale(100_000, shop=1))).pending_points == 1_000
    assert await evidence(world) == [("limit-1", "TIMES_AVERAGE", 70, 10)]


async def test_evidence_names_every_limit_that_is_exceeded(world: World) -> None:
    await limit(
        world,
        {"scope": MEMBER, "max_sales": 1, "max_points": 15, "limit_id": "member-hour"},
        {"scope": STORE, "max_same_amount": 1, "limit_id": "store-amounts"},
        {"scope": STORE, "max_sales": 100, "limit_id": "store-hour"},
    )
    await record(world, world.sale(1_000))
    await record(world, world.sale(1_000))
    assert sorted(await evidence(world)) == [
        ("member-hour", "POINTS", 20, 15),
        ("member-hour", "SALES", 2, 1),
        ("store-amounts", "SAME_AMOUNT", 2, 1),
    ]


async def test_members_that_have_become_one_have_one_limit_and_one_purchase(world: World) -> None:
    await limit(world, {"scope": MEMBER, "max_sales": 3}, matching=doors_pb2.MatchingRule())
    await record(world, world.sale(1_000, member=ABSORBED))
    await record(world, world.sale(1_100, member=SURVIVOR))
    merging = MergingOffice(world)
    await merging.merge()
    # What either bought before counts, too, whichever card is shown now.
    answers = [
        await record(world, world.sale(1_200, member=SURVIVOR)),
        await record(world, world.sale(1_300, member=ABSORBED)),
        await record(world, world.sale(1_400, member=SURVIVOR)),
    ]
    assert [bool(answer.explanation.waits) for answer in answers] == [False, True, True]
    assert await evidence(world) == [("limit-1", "SALES", 4, 3)] * 2
    again = await record(world, world.sale(1_000, member=SURVIVOR, source="payments"))
    assert [wait.kind for wait in again.explanation.waits] == [doors_pb2.SALE_CASE_KIND_DOUBTFUL_PAIR, SUSPICIOUS]
    # Two again, each has a limit of its own.
    await merging.unmerge()
    assert not (await record(world, world.sale(1_500, member=ABSORBED))).explanation.waits  # the third


async def test_a_bulk_upload_out_of_order_is_counted_by_sale_time(world: World) -> None:
    await limit(world, {"scope": MEMBER, "max_sales": 2})
    # Three hours of one member's sales, one every half hour: never more than two in an hour.
    sales = [world.sale(1_000 + n, sale_time=world.now - timedelta(minutes=31 * n)) for n in range(6)]
    results = await upload(world, [sales[position] for position in (3, 0, 5, 1, 4, 2)])
    assert [result.recorded.pending_points for result in results] == [0] * 6


async def test_at_once_no_more_than_the_limit_earn_plainly(world: World) -> None:
    await limit(world, {"scope": MEMBER, "max_sales": 5})
    answers = await asyncio.gather(*(record(world, world.sale(1_000 + n)) for n in range(40)))
    assert sum(answer.pending_points == 0 for answer in answers) == 5
    assert sum(answer.points for answer in answers) == 40 * 10
    assert len(await Office(world).list(page_size=7)) == 35


async def test_undecided_points_unlock_after_the_longest_wait_and_can_still_be_rejected(world: World) -> None:
    office = Office(world)
    noon = datetime(2020, 3, 4, 4, tzinfo=UTC)
    await set_time(world.app, noon)
    world.now = noon
    rule = doors_pb2.VelocityRule(
        limits=[doors_pb2.VelocityLimit(limit_id="one", scope=MEMBER, window_seconds=60, max_sales=1)],
        longest_wait_days=3,
    )
    await world.publish(world.rule_set(effective_date=to_date(date(2020, 1, 1)), velocity=rule))
    await record(world, world.sale(1_000))
    await record(world, world.sale(2_000))
    end = noon + timedelta(days=3, minutes=1)
    await set_time(world.app, end)
    await run_jobs(world, end)
    assert (await world.balance()).available_points == 30
    unit_id = ids.to_edge("unt", ids.derive("unit", world.group_id))
    another = ids.to_edge("unt", ids.derive("another unit", world.group_id))
    assert await office.list(state=pb.SALE_CASE_STATE_OPEN, business_unit_id=another) == []
    (case,) = await office.list(state=pb.SALE_CASE_STATE_OPEN, business_unit_id=unit_id)
    await refused(office.decide(case, REJECT, unit_id=another), "SALE_CASE_UNKNOWN")
    answer = await office.decide(case, REJECT, unit_id=unit_id)
    assert (answer.clawed_back_points, answer.debt_points) == (20, 0)
    assert (await world.balance()).available_points == 10


async def test_rejecting_spent_points_that_nobody_owes_writes_them_off(world: World) -> None:
    office = Office(world)
    noon = datetime(2020, 3, 4, 4, tzinfo=UTC)
    await set_time(world.app, noon)
    world.now = noon
    await limit(
        world,
        {"scope": MEMBER, "max_sales": 1},
        effective_date=to_date(date(2020, 1, 1)),
        debt_policy=points_pb2.DEBT_POLICY_WITHIN_BALANCE,
    )
    await record(world, world.sale(1_000))
    await record(world, world.sale(2_000))
    end = noon + timedelta(days=31)
    await set_time(world.app, end)
    await run_jobs(world, end)
    await world.redeem(25)
    (case,) = await office.list(state=pb.SALE_CASE_STATE_OPEN)
    answer = await office.decide(case, REJECT)
    assert (answer.clawed_back_points, answer.debt_points) == (5, 0)
    assert (await world.balance()).available_points == 0
    assert await violations(world.app.db.url) == {}


async def test_points_wait_for_all_that_holds_them(world: World) -> None:
    """An event, a doubtful pair and a limit: the last of the decisions unlocks."""
    office = Office(world)
    await limit(
        world,
        {"scope": MEMBER, "max_sales": 1},
        confirmation=doors_pb2.ConfirmationRule(sources=["hotel-folio"], longest_wait_days=60),
        matching=doors_pb2.MatchingRule(longest_wait_days=20),
    )
    await record(world, world.sale(10_000))
    sale = world.sale(10_000, source="hotel-folio")
    answer = await record(world, sale)
    assert len(answer.explanation.waits) == 3
    assert answer.unlock_time == max(
        (wait.until_time for wait in answer.explanation.waits), key=lambda stamp: stamp.seconds
    )
    by_kind = {case.kind: case for case in await office.list()}
    pair, risk = by_kind[doors_pb2.SALE_CASE_KIND_DOUBTFUL_PAIR], by_kind[SUSPICIOUS]
    confirmed = await office.confirm(sale)
    assert (confirmed.activated_points, confirmed.unlock_time) == (0, risk.until_time)
    assert (await office.decide(risk, RELEASE)).activated_points == 0
    (unlock,) = (await world.balance()).next_unlocks
    assert unlock.unlock_time == pair.until_time
    assert (await office.decide(pair, RELEASE)).activated_points == 100
    assert (await world.balance()).available_points == 200


async def test_rejecting_one_case_rejects_the_others_of_the_sale(world: World) -> None:
    office = Office(world)
    await limit(world, {"scope": MEMBER, "max_sales": 1}, matching=doors_pb2.MatchingRule())
    await record(world, world.sale(10_000))
    await record(world, world.sale(10_000, source="kiosk"))
    first, second = await office.list()
    assert (await office.decide(first, REJECT)).clawed_back_points == 100
    await refused(office.decide(second, RELEASE), "SALE_CASE_DECIDED")
    assert (await office.decide(second, REJECT)).clawed_back_points == 100
    assert (await world.balance()).available_points == 100


async def test_decisions_at_once_on_all_cases_of_a_sale_unlock_it(world: World) -> None:
    office = Office(world)
    await limit(
        world,
        {"scope": MEMBER, "max_sales": 1, "window_seconds": 1},
        confirmation=doors_pb2.ConfirmationRule(sources=["kiosk"], longest_wait_days=60),
        matching=doors_pb2.MatchingRule(window_minutes=1),
    )
    for number in range(10):
        at = world.now - timedelta(hours=number)
        await record(world, world.sale(10_000, sale_time=at))
        sale = world.sale(10_000, source="kiosk", sale_time=at)
        answer = await record(world, sale)
        assert len(answer.explanation.waits) == 3
        cases = [case for case in await office.list() if case.sale_id == answer.sale_id]
        decisions = [office.decide(case, RELEASE) for case in cases if case.kind != 1]
        await asyncio.gather(office.confirm(sale), *decisions)
        assert (await world.balance()).pending_points == 0


async def test_a_decision_that_never_reached_the_ledger_is_done_by_the_job(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(world)
    await limit(world, {"scope": MEMBER, "max_sales": 1})
    for _ in range(3):
        await record(world, world.sale(1_000))
    second, first = await office.list()
    with dying(monkeypatch, Ledger, "apply_one"):
        await refused(office.decide(first, RELEASE), "INTERNAL")
        await refused(office.decide(second, REJECT), "INTERNAL")
    assert (await world.balance()).pending_points == 20
    await office.finish(world.now)
    balance = await world.balance()
    assert (balance.available_points, balance.pending_points) == (20, 0)


async def test_sales_are_forgotten_when_no_window_reaches_them(world: World) -> None:
    await limit(world, {"scope": MEMBER, "max_sales": 100})
    await record(world, world.sale(1_000))
    await record(world, world.sale(1_000, sale_time=world.now - timedelta(days=41)))
    ledger = Ledger(world.app.db.url, world.app.settings.points_lanes)
    lookup = Lookup(world.app.db, 1, org=None, member=None, ladder=None)
    await SaleCases(world.app.db, lookup, ledger, Merges(world.app.db, lookup, ledger)).forget(world.now)
    assert await world.app.db.pool.fetchval("SELECT count(*) FROM sale_seen WHERE group_id = $1", world.group_id) == 1


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        ([{"scope": MEMBER}], "no maximum"),
        ([{"scope": MEMBER, "max_sales": 1}, {"scope": STORE, "max_sales": 1, "limit_id": "limit-1"}], "differ"),
        ([{"scope": STORE, "max_successive_receipts": 2}], "MEMBER"),
        ([{"scope": MEMBER, "max_times_average": 2}], "STORE"),
    ],
)
async def test_limits_that_make_no_sense_are_refused(world: World, limits: list[dict[str, Any]], word: str) -> None:
    error = await refused(limit(world, *limits), "RULES_INVALID")
    assert word in error.values["problem"]
    wrong = points_pb2.PublishRuleSetRequest(
        request_id=world.request_id(), rule_set=world.rule_set(velocity=doors_pb2.VelocityRule())
    )
    await refused(world.call(world.rules.PublishRuleSet, wrong, system(world.group_id)), "INVALID_ARGUMENT")


# ---- interaction points


async def test_interaction_points_of_a_day_are_limited_by_member_and_reason(world: World) -> None:
    desk = Desk(world)
    limits = [doors_pb2.InteractionLimit(reason_code="CHECK_IN", max_points_per_member_day=50)]
    noon = datetime(2020, 3, 4, 4, tzinfo=UTC)
    await set_time(world.app, noon)
    await world.publish(world.rule_set(effective_date=to_date(date(2020, 1, 1)), interaction_limits=limits))
    await desk.approve(await desk.ask(30, reason_code="CHECK_IN"))
    too_much = await desk.ask(30, reason_code="CHECK_IN")
    error = await refused(desk.approve(too_much), "INTERACTION_LIMIT_REACHED")
    assert (error.values["limit_points"], error.values["left_points"]) == ("50", "20")
    await desk.approve(await desk.ask(20, reason_code="CHECK_IN"))
    await desk.approve(await desk.ask(500))  # another reason
    await desk.approve(await desk.ask(50, reason_code="CHECK_IN", member_id=world.member_id(1)))
    await desk.approve(await desk.ask(-10, reason_code="CHECK_IN"))  # a debit takes nothing of it
    assert (await world.balance()).available_points == 540
    # It stays undecided, and the next day has room for it.
    (waiting,) = await desk.list(state=adjustments_pb2.ADJUSTMENT_STATE_PENDING)
    await set_time(world.app, noon + timedelta(days=1))
    await desk.approve(waiting)
    assert (await world.balance()).available_points == 570


async def test_rewards_take_of_the_same_limit_as_credits(world: World) -> None:
    desk = Desk(world)
    limits = [doors_pb2.InteractionLimit(reason_code="CHECK_IN", max_points_per_member_day=50)]
    noon = datetime(2020, 3, 4, 4, tzinfo=UTC)
    await set_time(world.app, noon)
    await world.publish(world.rule_set(effective_date=to_date(date(2020, 1, 1)), interaction_limits=limits))
    stub = world.apps.stub(rewards_pb2_grpc.RewardServiceStub, "points")

    def reward(points: int, **changes: Any) -> rewards_pb2.GiveRewardRequest:
        values: dict[str, Any] = {"request_id": world.request_id(), "member_id": world.member_id(), "points": points}
        values |= {"merchant_id": ids.to_edge("mch", world.merchants[0]), "reason_code": "CHECK_IN"}
        values |= {"reason": "Check-in", "reference": "check-in-1"}
        return rewards_pb2.GiveRewardRequest(**values | changes)

    async def give(request: rewards_pb2.GiveRewardRequest) -> rewards_pb2.GiveRewardResponse:
        return await world.call(stub.GiveReward, request, internal("member", world.group_id))

    first = reward(30)
    assert (await give(first)).points == 30
    too_much = reward(30)
    error = await refused(give(too_much), "INTERACTION_LIMIT_REACHED")
    assert (error.values["limit_points"], error.values["left_points"]) == ("50", "20")
    await refused(desk.approve(await desk.ask(30, reason_code="CHECK_IN")), "INTERACTION_LIMIT_REACHED")
    await desk.approve(await desk.ask(20, reason_code="CHECK_IN"))
    await refused(give(reward(1)), "INTERACTION_LIMIT_REACHED")
    assert (await give(first)).is_replay  # takes nothing anew
    assert (await give(reward(500, reason_code="SURVEY"))).points == 500
    at_once = [reward(30, member_id=world.member_id(1)) for _ in range(4)]
    answers = await asyncio.gather(*map(give, at_once), return_exceptions=True)
    assert sum(isinstance(answer, rewards_pb2.GiveRewardResponse) for answer in answers) == 1
    await set_time(world.app, noon + timedelta(days=1))
    assert (await give(too_much)).points == 30


async def test_interaction_points_approved_at_once_stay_within_the_limit(world: World) -> None:
    desk = Desk(world)
    limits = [doors_pb2.InteractionLimit(reason_code="SURVEY", max_points_per_member_day=50)]
    await world.publish(world.rule_set(interaction_limits=limits))
    asked = [await desk.ask(10, reason_code="SURVEY") for _ in range(12)]

    async def approve(adjustment: adjustments_pb2.Adjustment) -> bool:
        try:
            await desk.approve(adjustment)
        except AppError as error:
            assert error.reason == "INTERACTION_LIMIT_REACHED"
            return False
        return True

    assert sum(await asyncio.gather(*map(approve, asked))) == 5
    assert (await world.balance()).available_points == 50
