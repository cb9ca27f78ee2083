"""Members bring friends, from the code to both statements; every test ends with the ledger's invariants at zero."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis import ids, rpc
from chassis.identity import Caller
from huitong.common.v1 import types_pb2
from huitong.member.v1 import (
    member_pb2,
    member_pb2_grpc,
    merging_pb2,
    merging_pb2_grpc,
    referral_pb2,
    referral_pb2_grpc,
    risk_pb2,
    risk_pb2_grpc,
)
from huitong.org.v1 import org_pb2, org_pb2_grpc
from huitong.points.v1 import points_pb2, points_pb2_grpc
from services.member.referral import operations
from services.points.convert import to_timestamp
from services.points.rule_sets import operations as rule_sets
from tests.apps import Apps, internal, member, system
from tests.integration.member.conftest import STRUCTURE
from tests.integration.points.world import set_time, violations

_numbers = itertools.count(1)
POINTS_EACH = {"referrer_points": 500, "friend_points": 200}


class Circle:
    """A group of its own: a shop, a program, members who bring each other."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps
        number = next(_numbers)
        self.code = f"circle-{number}"
        self.group_id = ids.derive("group", self.code)
        self.phones = (f"+86137{number:03}{n:05}" for n in itertools.count())
        self.receipts = itertools.count(1)
        self.members = apps.stub(member_pb2_grpc.MemberServiceStub, "member")
        self.referrals = apps.stub(referral_pb2_grpc.ReferralServiceStub, "member")
        self.risk = apps.stub(risk_pb2_grpc.RiskServiceStub, "member")
        self.sales = apps.stub(points_pb2_grpc.SalesServiceStub, "points")
        self.wallets = apps.stub(points_pb2_grpc.WalletServiceStub, "points")
        self.now = datetime.now(UTC)

    async def build(self) -> Circle:
        await self.apps.start("org", "member", "points")
        for name in ("member", "points"):
            await self.apps.running[name].db.pool.execute("DELETE FROM business_clock")
        structure = self.apps.stub(org_pb2_grpc.StructureServiceStub, "org")
        group = org_pb2.CreateGroupRequest(request_id=f"create-{self.code}", code=self.code, name=self.code)
        await self.apps.call(structure.CreateGroup, group, internal("suite"))
        load = org_pb2.ImportStructureRequest(request_id="import-structure", csv=STRUCTURE)
        await self.call(structure.ImportStructure, load)
        self.store_id = (await self.call(structure.ListStores, org_pb2.ListStoresRequest())).stores[0].store_id
        merchants = await self.call(structure.ListMerchants, org_pb2.ListMerchantsRequest())
        self.merchant_id = merchants.merchants[0].merchant_id
        rule_set = points_pb2.RuleSet(
            effective_date=types_pb2.BusinessDate(year=2015, month=1, day=1),
            base_points=1,
            base_step_minor=100,
            rules=[points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")],
            expiry_months=12,
        )
        async with self.apps.running["points"].db.transaction(rpc.internal_caller("points", self.group_id)) as tx:
            await rule_sets.publish_rule_set(tx, rule_set)
        await self.apps.drain()
        return self

    async def call(self, method: Any, request: Any, by: Caller | None = None) -> Any:
        return await self.apps.call(method, request, by or system(self.group_id))

    async def set_program(self, **changes: Any) -> Any:
        values = {
            **POINTS_EACH,
            "min_amount": types_pb2.Money(amount_minor=10_000, currency_code="CNY"),
            "merchant_id": self.merchant_id,
            "use_within_days": 30,
            "return_window_days": 7,
            "is_open": True,
        }
        program = referral_pb2.ReferralProgram(**{**values, **changes})
        request = referral_pb2.SetReferralProgramRequest(request_id=ids.new().hex, program=program)
        return await self.call(self.referrals.SetReferralProgram, request)

    async def join(self, device_id: str = "") -> str:
        request = member_pb2.JoinMemberRequest(request_id=ids.new().hex, phone=next(self.phones), device_id=device_id)
        return str((await self.call(self.members.JoinMember, request)).member.member_id)

    async def code_of(self, who: str) -> str:
        request = referral_pb2.GetReferralCodeRequest(member_id=who)
        answer = await self.call(self.referrals.GetReferralCode, request, member(who, self.group_id))
        return str(answer.referral_code)

    async def use(self, friend: str, code: str, request_id: str = "") -> Any:
        request = referral_pb2.UseReferralCodeRequest(
            request_id=request_id or ids.new().hex, member_id=friend, referral_code=code
        )
        answer = await self.call(self.referrals.UseReferralCode, request, member(friend, self.group_id))
        return answer.referral

    async def bring(self, referrer: str, friend: str) -> Any:
        return await self.use(friend, await self.code_of(referrer))

    async def brought_by(self, who: str) -> list[Any]:
        request = referral_pb2.ListReferralsRequest(member_id=who)
        answer = await self.call(self.referrals.ListReferrals, request, member(who, self.group_id))
        return list(answer.referrals)

    async def sell(self, who: str, amount_minor: int, **values: Any) -> points_pb2.RecordSaleRequest:
        request = points_pb2.RecordSaleRequest(
            **{
                "request_id": ids.new().hex,
                "store_id": self.store_id,
                "receipt_no": f"r{next(self.receipts)}",
                "sale_time": to_timestamp(self.now),
                "member_id": who,
                "total": types_pb2.Money(amount_minor=amount_minor, currency_code="CNY"),
                "lines": [points_pb2.SaleLine(line_no=1, amount_minor=amount_minor)],
                **values,
            }
        )
        await self.call(self.sales.RecordSale, request)
        await self.apps.drain()
        return request

    async def bring_back(self, sale: points_pb2.RecordSaleRequest, amount_minor: int) -> None:
        request = points_pb2.RefundSaleRequest(
            request_id=ids.new().hex,
            store_id=sale.store_id,
            receipt_no=sale.receipt_no,
            refund_time=to_timestamp(self.now),
            lines=[points_pb2.RefundLine(line_no=1, amount_minor=amount_minor)],
        )
        await self.call(self.sales.RefundSale, request)
        await self.apps.drain()

    async def pass_days(self, days: int) -> None:
        """Business time goes on, and what is due by then is given."""
        self.now += timedelta(days=days, minutes=1)
        for name in ("member", "points"):
            await set_time(self.apps.running[name], self.now)
        await self.give()

    async def give(self) -> None:
        app = self.apps.running["member"]
        rpc.speak_as("member", app.tokens)
        (job,) = (job for job in app.jobs if job.name == "member-referrals")
        assert await job.run_once()
        await self.apps.drain()

    async def available(self, who: str) -> int:
        request = points_pb2.GetBalanceRequest(member_id=who)
        return int((await self.call(self.wallets.GetBalance, request)).available_points)

    async def statement(self, who: str) -> list[Any]:
        request = points_pb2.ListStatementRequest(member_id=who)
        return list((await self.call(self.wallets.ListStatement, request)).entries)


@pytest.fixture
async def circle(apps: Apps) -> AsyncIterator[Circle]:
    yield await Circle(apps).build()
    assert await violations(apps.running["points"].db.url) == {}


async def test_both_get_their_points_once_the_purchase_is_kept(circle: Circle) -> None:
    await circle.set_program()
    anna, ben = await circle.join(), await circle.join()
    codes = await asyncio.gather(*(circle.code_of(anna) for _ in range(5)))
    code = codes[0]
    assert set(codes) == {code} and len(code) == 8
    made = await circle.use(ben, f"{code[:4].lower()}-{code[4:]}", request_id="use-code-1")
    assert await circle.use(ben, f"{code[:4].lower()}-{code[4:]}", request_id="use-code-1") == made
    assert (made.state, made.friend_points) == (referral_pb2.REFERRAL_STATE_WAITING, 200)

    await circle.sell(ben, 9_999)
    assert [one.state for one in await circle.brought_by(anna)] == [referral_pb2.REFERRAL_STATE_WAITING]
    sale = await circle.sell(ben, 12_000)
    (qualified,) = await circle.brought_by(anna)
    assert qualified.state == referral_pb2.REFERRAL_STATE_QUALIFIED
    await circle.bring_back(sale, 1_000)
    await circle.pass_days(6)
    assert [one.state for one in await circle.brought_by(anna)] == [referral_pb2.REFERRAL_STATE_QUALIFIED]
    # Less than the least amount is kept: it waits for another purchase, whose window begins anew.
    await circle.bring_back(sale, 2_000)
    await circle.pass_days(2)
    assert [one.state for one in await circle.brought_by(anna)] == [referral_pb2.REFERRAL_STATE_WAITING]
    assert await circle.available(anna) == 0
    # The program of today does not change what was promised.
    await circle.set_program(referrer_points=1, is_open=False)
    await circle.sell(ben, 10_000)
    before = await circle.available(ben)
    await circle.pass_days(7)
    await circle.give()
    (done,) = await circle.brought_by(anna)
    assert (done.state, done.is_referrer_rewarded, done.is_friend_rewarded) == (4, True, True)
    assert (await circle.available(anna), await circle.available(ben) - before) == (500, 200)

    for who, reason_code, points in ((anna, "REFERRAL_REFERRER", 500), (ben, "REFERRAL_FRIEND", 200)):
        entry = (await circle.statement(who))[0]
        assert (entry.kind, entry.points) == (points_pb2.MOVEMENT_KIND_CREDIT, points)
        assert (entry.reason_code, entry.reference) == (reason_code, done.referral_id)
        assert (entry.merchant_id, entry.rules[0].points) == (circle.merchant_id, points) and entry.rules[0].name_zh
    # What is brought back later stays the member's: the window was the time for it.
    await circle.sell(ben, 10_000)
    assert await circle.available(anna) == 500


async def test_a_crash_between_the_two_sides_gives_each_once(circle: Circle, monkeypatch: Any) -> None:
    await circle.set_program(return_window_days=0)
    anna, ben = await circle.join(), await circle.join()
    await circle.bring(anna, ben)
    await circle.sell(ben, 10_000)

    async def crash(*_: Any, **__: Any) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(operations, "end_reward", crash)
        with pytest.raises(OSError):
            await circle.give()
    assert [one.state for one in await circle.brought_by(anna)] == [referral_pb2.REFERRAL_STATE_REWARDING]
    await circle.give()
    await circle.give()
    assert [one.state for one in await circle.brought_by(anna)] == [referral_pb2.REFERRAL_STATE_REWARDED]
    assert (await circle.available(anna), await circle.available(ben)) == (500, 300)


async def test_what_is_no_referral_is_refused(circle: Circle, refusal: Any) -> None:
    anna, ben, cleo = [await circle.join() for _ in range(3)]
    code = await circle.code_of(anna)
    assert await refusal(circle.use(ben, code)) == "REFERRAL_NOT_OFFERED"
    unknown = types_pb2.Money(amount_minor=1, currency_code="CNY")
    somebody = ids.to_edge("mch", ids.new())
    assert await refusal(circle.set_program(merchant_id=somebody, min_amount=unknown)) == "MERCHANT_UNKNOWN"
    await circle.set_program()
    assert await refusal(circle.use(anna, code)) == "REFERRAL_TO_SELF"
    mistyped = code[:3] + ("A" if code[3] != "A" else "B") + code[4:]
    assert await refusal(circle.use(ben, mistyped)) == "REFERRAL_CODE_INVALID"
    assert await refusal(circle.use(ben, "00000000")) == "REFERRAL_CODE_UNKNOWN"
    # Another phone in the same hand.
    first, second = await circle.join(device_id="device-0001"), await circle.join(device_id="device-0001")
    assert await refusal(circle.bring(first, second)) == "REFERRAL_TO_SELF"

    await circle.bring(anna, ben)
    assert await refusal(circle.bring(cleo, ben)) == "REFERRAL_ALREADY_MADE"
    await circle.bring(ben, cleo)
    for ancestor in (ben, cleo):
        assert await refusal(circle.bring(ancestor, anna)) == "REFERRAL_LOOP"

    buyer, late = await circle.join(), await circle.join()
    await circle.sell(buyer, 1_000)
    assert await refusal(circle.bring(anna, buyer)) == "REFERRAL_TOO_LATE"
    freeze = risk_pb2.FreezeMemberRequest(request_id=ids.new().hex, member_id=anna, reason_code="FRAUD")
    await circle.call(circle.risk.FreezeMember, freeze)
    assert await refusal(circle.use(late, code)) == "REFERRAL_CODE_UNKNOWN"
    assert await refusal(circle.code_of(anna)) == "MEMBER_FROZEN"
    await circle.pass_days(31)
    assert await refusal(circle.bring(cleo, late)) == "REFERRAL_TOO_LATE"


async def test_limits_and_loops_hold_however_many_come_at_once(circle: Circle) -> None:
    await circle.set_program(referrals_per_month=3)
    anna, *friends = [await circle.join() for _ in range(9)]
    code = await circle.code_of(anna)
    tries = await asyncio.gather(*(circle.use(friend, code) for friend in friends), return_exceptions=True)
    refusals = [getattr(one, "reason", "") for one in tries if isinstance(one, Exception)]
    assert refusals == ["REFERRAL_LIMIT_REACHED"] * 5
    assert len(await circle.brought_by(anna)) == 3
    await circle.pass_days(32)
    await circle.set_program(referrals_per_month=3, use_within_days=365)
    await circle.use(friends[[isinstance(one, Exception) for one in tries].index(True)], code)

    ring = [await circle.join() for _ in range(4)]
    codes = [await circle.code_of(who) for who in ring]
    tries = await asyncio.gather(
        *(circle.use(who, codes[place - 1]) for place, who in enumerate(ring)), return_exceptions=True
    )
    assert [getattr(one, "reason", "") for one in tries if isinstance(one, Exception)] == ["REFERRAL_LOOP"]


async def test_merged_members_are_one_side(circle: Circle, refusal: Any) -> None:
    await circle.set_program(return_window_days=0, referrals_per_month=2)
    anna, ben, cleo, dora, emil = [await circle.join() for _ in range(5)]
    merges = circle.apps.stub(merging_pb2_grpc.MemberMergeServiceStub, "member")

    async def merge(survivor: str, absorbed: str) -> None:
        request = merging_pb2.MergeMembersRequest(
            request_id=ids.new().hex, survivor_id=survivor, absorbed_id=absorbed, reason="one person"
        )
        await circle.call(merges.MergeMembers, request)
        await circle.apps.drain()

    # A friend who has become one with another member buys in that one's name.
    await circle.bring(anna, ben)
    await merge(cleo, ben)
    await circle.sell(cleo, 20_000)
    await circle.give()
    assert [one.state for one in await circle.brought_by(anna)] == [referral_pb2.REFERRAL_STATE_REWARDED]
    assert await circle.available(anna) == 500
    # Who was brought brings nobody back who brought them, under whichever id they go on.
    await merge(dora, anna)
    assert await refusal(circle.bring(cleo, dora)) == "REFERRAL_LOOP"
    # And what both have brought counts for one.
    await circle.bring(dora, emil)
    assert await refusal(circle.bring(dora, await circle.join())) == "REFERRAL_LIMIT_REACHED"


async def test_a_purchase_of_before_voids_and_a_closed_side_gets_nothing(circle: Circle) -> None:
    await circle.set_program(return_window_days=0)
    anna, ben, cleo = [await circle.join() for _ in range(3)]
    await circle.bring(anna, ben)
    # A till that was offline sends it now.
    await circle.sell(ben, 20_000, sale_time=to_timestamp(circle.now - timedelta(hours=1)))
    assert [one.state for one in await circle.brought_by(anna)] == [referral_pb2.REFERRAL_STATE_VOID]

    await circle.bring(anna, cleo)
    await circle.sell(cleo, 20_000)
    close = risk_pb2.CloseMemberRequest(request_id=ids.new().hex, member_id=cleo, reason_code="ON_REQUEST")
    await circle.call(circle.risk.CloseMember, close)
    await circle.apps.drain()
    await circle.give()
    newest = (await circle.brought_by(anna))[0]
    assert (newest.state, newest.is_referrer_rewarded, newest.is_friend_rewarded) == (4, True, False)
    assert await circle.available(anna) == 500
