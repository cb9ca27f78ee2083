"""Manual credits and debits: asked for by one person, decided by another, applied once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from huitong.points.v1 import adjustments_pb2 as pb
from huitong.points.v1 import adjustments_pb2_grpc, events_pb2, points_pb2
from services.points.ledger.events_source import events_of
from tests.apps import internal, member, operator, terminal, wake_jobs
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World, set_time


class Desk:
    """Two people of the group's back office."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stub = world.apps.stub(adjustments_pb2_grpc.AdjustmentServiceStub, "points")
        self.anna = Caller(CallerKind.SYSTEM, "key_anna", world.group_id)
        self.bo = operator("bo", world.group_id)

    async def ask(self, points: int, *, by: Caller | None = None, **changes: Any) -> pb.Adjustment:
        """A credit of the first merchant, or a debit when `points` is negative."""
        values: dict[str, Any] = {
            "request_id": self.world.request_id(),
            "member_id": self.world.member_id(),
            "direction": pb.ADJUSTMENT_DIRECTION_CREDIT if points > 0 else pb.ADJUSTMENT_DIRECTION_DEBIT,
            "points": abs(points),
            "merchant_id": ids.to_edge("mch", self.world.merchants[0]) if points > 0 else "",
            "reason_code": "GOODWILL",
            "reason_text": "The till was down.",
        }
        return await self.send({**values, **changes}, by)

    async def send(self, values: dict[str, Any], by: Caller | None = None) -> pb.Adjustment:
        request = pb.RequestAdjustmentRequest(**values)
        return (await self.world.call(self.stub.RequestAdjustment, request, by or self.anna)).adjustment

    async def approve(
        self, adjustment: pb.Adjustment, *, by: Caller | None = None, request_id: str = "", note: str = "fine"
    ) -> pb.ApproveAdjustmentResponse:
        request = pb.ApproveAdjustmentRequest(
            request_id=request_id or self.world.request_id(),
            adjustment_id=adjustment.adjustment_id,
            decision_note=note,
        )
        return await self.world.call(self.stub.ApproveAdjustment, request, by or self.bo)

    async def reject(
        self, adjustment: pb.Adjustment, *, by: Caller | None = None, request_id: str = ""
    ) -> pb.RejectAdjustmentResponse:
        request = pb.RejectAdjustmentRequest(
            request_id=request_id or self.world.request_id(),
            adjustment_id=adjustment.adjustment_id,
            decision_note="no",
        )
        return await self.world.call(self.stub.RejectAdjustment, request, by or self.bo)

    async def list(self, by: Caller | None = None, **options: Any) -> list[pb.Adjustment]:
        """Over all pages."""
        found: list[pb.Adjustment] = []
        token = ""
        while True:
            request = pb.ListAdjustmentsRequest(page_token=token, **options)
            answer = await self.world.call(self.stub.ListAdjustments, request, by or self.bo)
            found += answer.adjustments
            token = answer.next_page_token
            if not token:
                return found

    async def state(self, adjustment: pb.Adjustment) -> int:
        return next(one.state for one in await self.list() if one.adjustment_id == adjustment.adjustment_id)

    async def count_txns(self, adjustment: pb.Adjustment) -> int:
        return await self.world.app.db.pool.fetchval(
            "SELECT count(*) FROM txn WHERE txn_id = $1",
            ids.from_edge("adj", adjustment.adjustment_id, "adjustment_id"),
        )


@pytest.fixture
async def desk(world: World) -> Desk:
    return Desk(world)


async def test_credit_moves_nothing_until_a_second_person_approves(world: World, desk: Desk) -> None:
    asked = await desk.ask(120)
    assert (asked.state, asked.requested_by, asked.txn_id) == (pb.ADJUSTMENT_STATE_PENDING, "key_anna", "")
    assert asked.lapse_time.ToDatetime() - asked.create_time.ToDatetime() == timedelta(days=7)
    assert (await world.balance()).available_points == 0
    await refused(desk.approve(asked, by=desk.anna), "SECOND_PERSON_REQUIRED")
    await refused(desk.reject(asked, by=desk.anna), "SECOND_PERSON_REQUIRED")
    key = Caller(CallerKind.SYSTEM, "key_another", world.group_id)
    await refused(desk.approve(asked, by=key), "SECOND_PERSON_REQUIRED")
    assert await desk.state(asked) == pb.ADJUSTMENT_STATE_PENDING

    answer = await desk.approve(asked)
    assert (answer.available_points, answer.adjustment.state) == (120, pb.ADJUSTMENT_STATE_APPLIED)
    assert (answer.adjustment.decided_by, answer.adjustment.decision_note) == ("opr_bo", "fine")
    (entry,) = await world.statement()
    assert (entry.kind, entry.points, entry.available_points) == (points_pb2.MOVEMENT_KIND_CREDIT, 120, 120)
    assert (entry.txn_id, entry.reference) == (answer.adjustment.txn_id, asked.adjustment_id)
    assert entry.expire_time == answer.adjustment.points_expire_time
    totals = {one.merchant_id: one for one in (await world.totals()).merchants}
    issued = totals[ids.to_edge("mch", world.merchants[0])].issued
    assert (issued.issued_points, issued.outstanding_points, issued.sale_count) == (120, 120, 0)
    assert (await world.redeem(120)).available_points == 0


async def test_credit_expires_as_a_sale_of_that_day_and_place_would(world: World, desk: Desk) -> None:
    # Half past midnight of 1 April in Shanghai: the month has begun there.
    await set_time(world.app, datetime(2019, 3, 31, 16, 30, tzinfo=UTC))
    answer = await desk.approve(await desk.ask(10))
    expiry = answer.adjustment.points_expire_time.ToDatetime(tzinfo=UTC)
    assert expiry == datetime(2020, 4, 30, 16, tzinfo=UTC)


async def test_credit_repays_debt_first(world: World, desk: Desk) -> None:
    sale = world.sale(10_000)
    await world.call(world.sales.RecordSale, sale)
    await world.redeem(70)
    await world.call(world.sales.RefundSale, world.refund(sale))
    answer = await desk.approve(await desk.ask(100))
    assert (answer.debt_repaid_points, answer.available_points) == (70, 30)
    assert (await world.balance()).debt_points == 0


async def test_debit_takes_the_earliest_expiry_first_back_to_its_issuers(world: World, desk: Desk) -> None:
    for days in (0, 120, 60):
        await world.sell(10_000, sale_time=world.now - timedelta(days=days), shop=days // 60)
    answer = await desk.approve(await desk.ask(-150))
    assert answer.available_points == 150
    assert [expiry.points for expiry in (await world.balance()).next_expiries] == [50, 100]
    merchants = {entry.merchant_id: entry.issued for entry in (await world.totals()).merchants}
    issuers = [merchants[ids.to_edge("mch", merchant)] for merchant in world.merchants]
    assert [issuer.clawed_back_points for issuer in issuers] == [0, 50, 100]
    assert [issuer.outstanding_points for issuer in issuers] == [100, 50, 0]
    assert [issuer.redeemed_points for issuer in issuers] == [0, 0, 0]
    entry = (await world.statement())[0]
    assert (entry.kind, entry.points) == (points_pb2.MOVEMENT_KIND_DEBIT, -150)


async def test_debit_of_more_than_is_available_is_refused_for_good(world: World, desk: Desk) -> None:
    await world.sell(10_000)
    await world.hold(60)
    asked = await desk.ask(-41)
    error = await refused(desk.approve(asked, request_id="approve-0001"), "INSUFFICIENT_POINTS")
    assert error.values == {"available_points": "40", "requested_points": "41"}
    assert await desk.state(asked) == pb.ADJUSTMENT_STATE_REFUSED
    # More points change nothing any more: whoever asks again is told the same.
    await world.sell(10_000)
    again = await refused(desk.approve(asked, request_id="approve-0001"), "INSUFFICIENT_POINTS")
    assert again.values == error.values
    error = await refused(desk.approve(asked), "ADJUSTMENT_DECIDED")
    assert error.values["state"] == "REFUSED"
    balance = await world.balance()
    assert (balance.available_points, balance.held_points, balance.debt_points) == (140, 60, 0)
    assert len(await world.statement()) == 2
    assert (await desk.approve(await desk.ask(-41))).available_points == 99


async def test_credit_is_undone_by_a_debit_and_a_debit_by_a_credit(world: World, desk: Desk) -> None:
    await desk.approve(await desk.ask(100))
    await desk.approve(await desk.ask(-100))
    await desk.approve(await desk.ask(100))
    assert [entry.points for entry in await world.statement()] == [100, -100, 100]
    balance = await world.balance()
    assert (balance.available_points, balance.earned_points_total) == (100, 100)


async def test_request_again_is_one_request_and_with_other_content_none(world: World, desk: Desk) -> None:
    first = await desk.ask(50, request_id="adjust-0001")
    again = await desk.ask(50, request_id="adjust-0001")
    assert again == first
    await refused(desk.ask(51, request_id="adjust-0001"), "REQUEST_ID_REUSED")
    assert len(await desk.list()) == 1


async def test_approval_again_and_at_once_has_one_effect(world: World, desk: Desk) -> None:
    asked = await desk.ask(50)
    answers = await asyncio.gather(*(desk.approve(asked, request_id="approve-0002") for _ in range(10)))
    assert {answer.available_points for answer in answers} == {50}
    await refused(desk.approve(asked), "ADJUSTMENT_DECIDED")
    await refused(desk.reject(asked), "ADJUSTMENT_DECIDED")
    await refused(desk.approve(asked, request_id="approve-0002", note="other"), "REQUEST_ID_REUSED")
    other = await desk.ask(60)
    await refused(desk.approve(other, request_id="approve-0002"), "REQUEST_ID_REUSED")
    assert (await world.balance()).available_points == 50
    assert await desk.count_txns(asked) == 1


async def test_two_people_who_approve_and_reject_at_once_decide_once(world: World, desk: Desk) -> None:
    third = operator("third", world.group_id)
    for _ in range(5):
        asked = await desk.ask(10)
        before = (await world.balance()).available_points
        answers = await asyncio.gather(
            desk.approve(asked), desk.reject(asked, by=third), desk.approve(asked, by=third), return_exceptions=True
        )
        assert sum(not isinstance(answer, AppError) for answer in answers) == 1
        rejected = not isinstance(answers[1], AppError)
        assert (await world.balance()).available_points == before + (0 if rejected else 10)


async def test_rejected_request_stays_rejected(world: World, desk: Desk) -> None:
    asked = await desk.ask(50)
    answer = await desk.reject(asked, request_id="reject-0001")
    assert (answer.adjustment.state, answer.adjustment.decision_note) == (pb.ADJUSTMENT_STATE_REJECTED, "no")
    assert await desk.reject(asked, request_id="reject-0001") == answer
    error = await refused(desk.approve(asked), "ADJUSTMENT_DECIDED")
    assert error.values["state"] == "REJECTED"
    assert await desk.count_txns(asked) == 0


async def test_request_lapses_after_seven_days(world: World, desk: Desk) -> None:
    await set_time(world.app, world.now)
    early, late = await desk.ask(10), await desk.ask(20)
    await set_time(world.app, world.now + timedelta(days=7, seconds=-2))
    assert (await desk.approve(early)).available_points == 10
    await set_time(world.app, world.now + timedelta(days=7, seconds=60))
    await refused(desk.approve(late), "ADJUSTMENT_LAPSED")
    await refused(desk.reject(late), "ADJUSTMENT_LAPSED")
    assert await desk.state(late) == pb.ADJUSTMENT_STATE_LAPSED
    assert [one.points for one in await desk.list(state=pb.ADJUSTMENT_STATE_LAPSED)] == [20]
    assert await desk.list(state=pb.ADJUSTMENT_STATE_PENDING) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"points": 0}, "INVALID_ARGUMENT"),
        ({"points": -5, "direction": 1}, "INVALID_ARGUMENT"),
        # Beyond what one adjustment may move, and beyond what JSON numbers hold.
        ({"points": 1_000_000_001}, "INVALID_ARGUMENT"),
        ({"points": 2**53}, "INVALID_ARGUMENT"),
        ({"points": 2**63 - 1}, "INVALID_ARGUMENT"),
        ({"direction": 0}, "INVALID_ARGUMENT"),
        ({"direction": 9}, "INVALID_ARGUMENT"),
        ({"member_id": "mch_" + "0" * 32}, "INVALID_ARGUMENT"),
        # A credit needs an issuer, a debit has those of its lots.
        ({"merchant_id": ""}, "INVALID_ARGUMENT"),
        ({"direction": 2}, "INVALID_ARGUMENT"),
        ({"reason_code": "because"}, "INVALID_ARGUMENT"),
        ({"reason_text": ""}, "INVALID_ARGUMENT"),
        ({"request_id": "short"}, "INVALID_ARGUMENT"),
    ],
)
async def test_bad_requests_leave_no_trace(world: World, desk: Desk, changes: dict[str, Any], reason: str) -> None:
    credit = {
        "request_id": world.request_id(),
        "member_id": world.member_id(),
        "direction": pb.ADJUSTMENT_DIRECTION_CREDIT,
        "points": 5,
        "merchant_id": ids.to_edge("mch", world.merchants[0]),
        "reason_code": "GOODWILL",
        "reason_text": "The till was down.",
    }
    await refused(desk.send({**credit, **changes}), reason)
    assert await desk.list() == []


async def test_unknown_member_and_unknown_merchant_are_refused(world: World, desk: Desk) -> None:
    await world.start_neighbours()
    await refused(desk.ask(5, member_id=ids.to_edge("mbr", ids.derive("nobody"))), "MEMBER_UNKNOWN")
    await refused(desk.ask(5, merchant_id=ids.to_edge("mch", ids.derive("nobody"))), "MERCHANT_UNKNOWN")
    # Those of this group are unknown to another one.
    stranger = Caller(CallerKind.SYSTEM, "key_anna", ids.derive("another group"))
    await refused(desk.ask(-5, by=stranger), "MEMBER_UNKNOWN")
    assert await desk.list() == []


async def test_nothing_crosses_groups(world: World, desk: Desk) -> None:
    asked = await desk.ask(50)
    stranger = operator("bo", ids.derive("another group"))
    await refused(desk.approve(asked, by=stranger), "ADJUSTMENT_UNKNOWN")
    await refused(desk.reject(asked, by=stranger), "ADJUSTMENT_UNKNOWN")
    assert await desk.list(by=stranger) == []
    unknown = pb.Adjustment(adjustment_id=ids.to_edge("adj", ids.derive("none")))
    await refused(desk.approve(unknown), "ADJUSTMENT_UNKNOWN")
    assert await desk.state(asked) == pb.ADJUSTMENT_STATE_PENDING


async def test_members_tills_and_services_cannot_adjust(world: World, desk: Desk) -> None:
    for caller in (
        member(world.member_id(), world.group_id),
        terminal(ids.to_edge("sto", world.stores[0]), world.group_id),
        internal("mall", world.group_id),
    ):
        with pytest.raises(AppError) as caught:
            await desk.ask(5, by=caller)
        assert caught.value.reason == "PERMISSION_DENIED"


async def test_list_pages_newest_first_and_filters(world: World, desk: Desk) -> None:
    asked = [await desk.ask(points, member_id=world.member_id(points % 2)) for points in range(1, 8)]
    await desk.approve(asked[0])
    await desk.reject(asked[1])
    assert [one.points for one in await desk.list(page_size=3)] == [7, 6, 5, 4, 3, 2, 1]
    assert [one.points for one in await desk.list(page_size=2, state=pb.ADJUSTMENT_STATE_PENDING)] == [7, 6, 5, 4, 3]
    assert [one.points for one in await desk.list(state=pb.ADJUSTMENT_STATE_APPLIED)] == [1]
    assert [one.points for one in await desk.list(member_id=world.member_id(0), page_size=1)] == [6, 4, 2]
    broken = pb.ListAdjustmentsRequest(page_token="nonsense")
    await refused(world.call(desk.stub.ListAdjustments, broken, desk.bo), "INVALID_ARGUMENT")


@pytest.mark.parametrize("points", [70, -70])
async def test_what_was_approved_is_applied_after_a_crash(world: World, desk: Desk, points: int) -> None:
    await world.sell(10_000)
    asked = await desk.ask(points)
    lanes = await asyncpg.connect(world.app.db.url)
    try:
        # The ledger does not answer: the decision is made, and whoever waits for it is gone before it is applied.
        async with lanes.transaction():
            await lanes.execute("SELECT * FROM lane FOR UPDATE")
            approving = asyncio.ensure_future(desk.approve(asked, request_id="approve-0003"))
            async with asyncio.timeout(10):
                while await desk.state(asked) != pb.ADJUSTMENT_STATE_APPROVED:
                    await asyncio.sleep(0.01)
            approving.cancel()
            await refused(desk.reject(asked), "ADJUSTMENT_DECIDED")
            assert (await desk.count_txns(asked), (await world.balance()).available_points) == (0, 100)
    finally:
        await lanes.close()
    async with asyncio.timeout(20):
        while await desk.state(asked) != pb.ADJUSTMENT_STATE_APPLIED:
            wake_jobs(world.app)
            await asyncio.sleep(0.05)
    assert await desk.count_txns(asked) == 1
    retried = await desk.approve(asked, request_id="approve-0003")
    assert (retried.available_points, retried.adjustment.state) == (100 + points, pb.ADJUSTMENT_STATE_APPLIED)
    assert (await world.balance()).available_points == 100 + points


@pytest.mark.parametrize("points", [70, -70, -170])
async def test_job_applies_what_a_crash_kept_from_the_ledger(world: World, desk: Desk, points: int) -> None:
    await world.sell(10_000)
    asked = await desk.ask(points)
    # As the decision's transaction leaves it.
    await world.app.db.pool.execute(
        """UPDATE adjustment SET state = 2, decided_by = 'opr_bo', decision_note = '', decide_time = now(),
                                 points_expire_time = CASE WHEN direction = 1 THEN now() + interval '1 year' END
           WHERE adjustment_id = $1""",
        ids.from_edge("adj", asked.adjustment_id, "adjustment_id"),
    )
    async with asyncio.timeout(20):
        while (state := await desk.state(asked)) == pb.ADJUSTMENT_STATE_APPROVED:
            wake_jobs(world.app)
            await asyncio.sleep(0.05)
    is_possible = points > -100
    assert state == (pb.ADJUSTMENT_STATE_APPLIED if is_possible else pb.ADJUSTMENT_STATE_REFUSED)
    assert (await world.balance()).available_points == 100 + (points if is_possible else 0)
    assert await desk.count_txns(asked) == 1


async def test_a_credit_that_a_wallet_has_no_room_for_holds_up_none_behind_it(world: World, desk: Desk) -> None:
    await world.fill(2**53 - 2)
    full = await desk.ask(2)
    await refused(desk.approve(full), "POINTS_OUT_OF_BOUNDS")
    assert await desk.state(full) == pb.ADJUSTMENT_STATE_APPROVED
    behind = await desk.ask(7, member_id=world.member_id(1))
    await desk.approve(behind)
    await world.app.db.pool.execute(
        "UPDATE adjustment SET state = 2 WHERE adjustment_id = $1",
        ids.from_edge("adj", behind.adjustment_id, "adjustment_id"),
    )
    async with asyncio.timeout(20):
        while await desk.state(behind) != pb.ADJUSTMENT_STATE_APPLIED:
            wake_jobs(world.app)
            await asyncio.sleep(0.05)
    assert await desk.state(full) == pb.ADJUSTMENT_STATE_APPROVED


async def test_events_tell_of_adjustments_and_not_of_their_texts(world: World, desk: Desk) -> None:
    await desk.approve(await desk.ask(100))
    await desk.approve(await desk.ask(-30))
    await refused(desk.approve(await desk.ask(-71)), "INSUFFICIENT_POINTS")
    rows = await world.app.db.pool.fetch(
        "SELECT * FROM ledger_outbox WHERE wallet_id = $1 ORDER BY lane, n", world.members[0]
    )
    credited, debited, refusal = (next(iter(events_of(row))) for row in rows)
    credit = events_pb2.PointsCredited.FromString(credited.payload)
    assert (credit.points, credit.lot.points, credit.reason_code) == (100, 100, "GOODWILL")
    assert credit.lot.issuer_merchant_id == ids.to_edge("mch", world.merchants[0])
    debit = events_pb2.PointsDebited.FromString(debited.payload)
    assert (debit.points, [(lot.lot_id, lot.points) for lot in debit.lots]) == (30, [(credit.lot.lot_id, 30)])
    assert refusal.type == events_pb2.PointsDebitRefused.DESCRIPTOR.full_name
    assert all(b"till was down" not in event.payload for event in (credited, debited, refusal))
