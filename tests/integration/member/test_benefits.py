"""Benefits of tiers: quotas under concurrency, uses that count once, and what each tier gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.member.v1 import benefits_pb2 as pb
from huitong.member.v1 import benefits_pb2_grpc, risk_pb2, risk_pb2_grpc
from tests.apps import internal, member, system, terminal
from tests.integration.member.conftest import OTHER_GROUP, People
from tests.integration.member.test_tier_program import YEAR, Program

LOUNGE, PARKING, GIFT, PRICE = (
    {"benefit_code": "LOUNGE", "kind": pb.BENEFIT_KIND_LOUNGE_ENTRY, "period": pb.QUOTA_PERIOD_MONTH, "quota": 5},
    {"benefit_code": "PARK", "kind": pb.BENEFIT_KIND_FREE_PARKING_HOURS, "period": pb.QUOTA_PERIOD_DAY, "quota": 3},
    {"benefit_code": "GIFT", "kind": pb.BENEFIT_KIND_BIRTHDAY_GIFT, "period": pb.QUOTA_PERIOD_YEAR, "quota": 1},
    {
        "benefit_code": "PRICE",
        "kind": pb.BENEFIT_KIND_MEMBER_PRICE,
        "period": pb.QUOTA_PERIOD_MEMBERSHIP,
        "price_bps": 9500,
    },
)
SHOP, OTHER_SHOP = (ids.to_edge("sto", ids.derive("store", name)) for name in ("a", "b"))


class Desk:
    """Where benefits are used."""

    def __init__(self, program: Program) -> None:
        self.program, self.people = program, program.people
        self.stub = self.people.apps.stub(benefits_pb2_grpc.BenefitServiceStub, "member")

    async def call(self, rpc: str, who: Any = None, **values: Any) -> Any:
        request_type = getattr(pb, f"{rpc}Request")
        if "request_id" in request_type.DESCRIPTOR.fields_by_name:
            values.setdefault("request_id", ids.new().hex)
        return await self.people.apps.call(getattr(self.stub, rpc), request_type(**values), who or internal("mall"), 30)

    async def set(self, tier_code: str, *benefits: dict[str, Any]) -> Any:
        named = [pb.Benefit(**{"name": one["benefit_code"].title(), **one}) for one in benefits]
        return await self.call("SetTierBenefits", system(), tier_code=tier_code, benefits=named)

    async def use(self, member_id: str, code: str, reference: str, who: Any = None, **values: Any) -> Any:
        return await self.call("UseBenefit", who, member_id=member_id, benefit_code=code, reference=reference, **values)

    async def code(self, member_id: str) -> str:
        return str((await self.people.code(member_id)).member_code)

    async def left(self, member_id: str) -> dict[str, int | None]:
        answer = await self.call("ListMyBenefits", member(member_id), member_id=member_id)
        return {one.benefit.benefit_code: one.left if one.HasField("left") else None for one in answer.benefits}


@pytest.fixture
async def desk(people: People) -> AsyncIterator[Desk]:
    desk = Desk(Program(people))
    await desk.program.set_time(2026, 3, 10)
    await desk.set("MEMBER", LOUNGE, PRICE)
    yield desk
    await people.db.pool.execute("DELETE FROM business_clock")


async def test_a_quota_of_five_is_used_five_times_by_two_hundred_at_once(desk: Desk) -> None:
    anna = (await desk.people.join()).member.member_id
    bert = (await desk.people.join("+8613800000002")).member.member_id
    refused: list[str] = []

    async def enter(number: int) -> Any:
        while True:
            try:
                return await desk.use(anna, "LOUNGE", f"visit-{number}")
            except AppError as error:
                if error.reason == "BENEFIT_QUOTA_USED":
                    refused.append(error.reason)
                    return None
                assert error.reason in ("OVERLOADED", "UNAVAILABLE")  # too many for one small process: ask again

    answers = await asyncio.gather(*(enter(number) for number in range(200)))
    used = [answer for answer in answers if answer]
    assert (len(used), len(refused)) == (5, 195)
    assert sorted(answer.left for answer in used) == [0, 1, 2, 3, 4]
    events = [one.use.use_id for one in await _events(desk, "BenefitUsed")]
    assert sorted(events) == sorted(answer.use.use_id for answer in used)
    assert await desk.people.count("benefit_use") == 5
    assert await desk.left(bert) == {"LOUNGE": 5, "PRICE": None}

    # Fifty askings of one use, with and without the same request id, are one use.
    same = await asyncio.gather(
        *(desk.use(bert, "LOUNGE", "visit-1", request_id=f"use-{number // 2:08}") for number in range(50))
    )
    assert len({answer.use.use_id for answer in same}) == 1 and await desk.left(bert) == {"LOUNGE": 4, "PRICE": None}

    # What is given back, however often, can be used once more.
    for _ in range(2):
        back = await desk.call("ReturnBenefit", use_id=used[0].use.use_id)
    assert back.use.HasField("return_time") and (await desk.left(anna))["LOUNGE"] == 1
    assert (await enter(201)).left == 0
    assert len(await _events(desk, "BenefitReturned")) == 1


async def test_uses_are_what_they_were(desk: Desk, refusal: Any) -> None:
    anna = (await desk.people.join(birth_month=4)).member.member_id
    await desk.set("MEMBER", LOUNGE, PARKING, GIFT, PRICE)
    shown = {"member_code": await desk.code(anna), "request_id": "use-parking-1"}
    first = await desk.use(anna, "PARK", "stay-1", terminal(SHOP), store_id=SHOP, quantity=2, **shown)
    assert (first.left, first.use.quantity, first.use.tier_code) == (1, 2, "MEMBER")
    price = await desk.use(anna, "PRICE", "order-1")
    assert not price.HasField("left") and (first.use.price_bps, price.use.price_bps) == (0, 9500)
    checks = {
        quantity: await desk.call("CheckBenefit", member_id=anna, benefit_code="PARK", quantity=quantity)
        for quantity in (1, 2)
    }
    assert [(one.is_usable, one.reason) for one in checks.values()] == [(True, ""), (False, "BENEFIT_QUOTA_USED")]
    park = {"member_id": anna, "benefit_code": "PARK"}
    for call, reason in (
        (desk.use(anna, "PARK", "stay-2", quantity=2), "BENEFIT_QUOTA_USED"),
        (desk.use(anna, "PARK", "stay-1", quantity=1), "BENEFIT_REFERENCE_REUSED"),
        (desk.use(anna, "GIFT", "gift"), "BENEFIT_NOT_NOW"),  # born in April
        (desk.use(anna, "YACHT", "x"), "BENEFIT_UNKNOWN"),
        (desk.use(anna, "PARK", "x", terminal(SHOP), store_id=OTHER_SHOP), "NOT_YOURS"),
        (desk.call("UseBenefit", system(OTHER_GROUP), reference="x", **park), "MEMBER_UNKNOWN"),
        (desk.call("UseBenefit", member(anna), reference="x", **park), "PERMISSION_DENIED"),
        (desk.call("ListMyBenefits", member(anna), member_id=ids.to_edge("mbr", ids.new())), "NOT_YOURS"),
        (
            desk.call("ReturnBenefit", terminal(OTHER_SHOP), use_id=first.use.use_id, store_id=OTHER_SHOP),
            "BENEFIT_USE_UNKNOWN",
        ),
        (desk.call("ReturnBenefit", system(OTHER_GROUP), use_id=first.use.use_id), "BENEFIT_USE_UNKNOWN"),
        (desk.set("MEMBER", LOUNGE, LOUNGE), "BENEFIT_INVALID"),
        (desk.set("MEMBER", {**PRICE, "price_bps": 0}), "BENEFIT_INVALID"),
        (desk.set("NONE", LOUNGE), "TIER_UNKNOWN"),
    ):
        assert await refusal(call) == reason
    assert await desk.left(anna) == {"GIFT": 1, "LOUNGE": 5, "PARK": 1, "PRICE": None}  # nothing half done
    page = await desk.call("ListBenefitUses", member(anna), member_id=anna, page_size=1)
    rest = await desk.call("ListBenefitUses", member(anna), member_id=anna, page_token=page.next_page_token)
    assert [one.reference for one in (*page.uses, *rest.uses)] == ["order-1", "stay-1"]
    await desk.call("ReturnBenefit", terminal(SHOP), use_id=first.use.use_id, store_id=SHOP)
    assert await refusal(desk.use(anna, "PARK", "stay-1", quantity=2)) == "BENEFIT_RETURNED"
    listed = await desk.call("ListTierBenefits", system(), page_size=3)
    more = await desk.call("ListTierBenefits", system(), page_token=listed.next_page_token)
    assert [one.benefit.benefit_code for one in (*listed.benefits, *more.benefits)] == [
        "GIFT",
        "LOUNGE",
        "PARK",
        "PRICE",
    ]


async def test_a_reference_that_is_cancelled_uses_nothing_before_or_after(desk: Desk, refusal: Any) -> None:
    anna = (await desk.people.join()).member.member_id
    lounge = {"member_id": anna, "benefit_code": "LOUNGE"}
    # Whichever comes first, use or cancellation, however often: nothing is used in the end.
    for number in range(5):
        reference = f"order-{number}"
        calls = [desk.use(anna, "LOUNGE", reference) for _ in range(3)]
        calls += [desk.call("CancelBenefitUse", reference=reference, **lounge) for _ in range(3)]
        calls = calls[::-1] if number % 2 else calls
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            assert not isinstance(outcome, BaseException) or getattr(outcome, "reason", "") == "BENEFIT_RETURNED"
        assert await refusal(desk.use(anna, "LOUNGE", reference)) == "BENEFIT_RETURNED"
        assert (await desk.left(anna))["LOUNGE"] == 5
    never = await desk.call("CancelBenefitUse", reference="never", **lounge)
    assert not never.HasField("use")
    assert await refusal(desk.use(anna, "LOUNGE", "never")) == "BENEFIT_RETURNED"
    listed = await desk.call("ListBenefitUses", member(anna), member_id=anna)
    assert "never" not in {use.reference for use in listed.uses} and all(
        use.HasField("return_time") for use in listed.uses
    )
    assert len(await _events(desk, "BenefitUsed")) == len(await _events(desk, "BenefitReturned"))
    stranger = {**lounge, "member_id": ids.to_edge("mbr", ids.new())}
    assert await refusal(desk.call("CancelBenefitUse", reference="x", **stranger)) == "MEMBER_UNKNOWN"
    assert await refusal(desk.call("CancelBenefitUse", system(), reference="x", **lounge)) == "PERMISSION_DENIED"


async def test_at_a_till_the_member_shows_a_code_that_is_good_once(desk: Desk, refusal: Any) -> None:
    anna, ben = [(await desk.people.join(f"+8613800000{n:03}")).member.member_id for n in (1, 2)]
    till: dict[str, Any] = {"who": terminal(SHOP), "store_id": SHOP}
    # A card or a phone number finds a member, and is for earning only.
    assert await refusal(desk.use(anna, "LOUNGE", "visit", **till)) == "BENEFIT_NEEDS_CODE"
    code = await desk.code(anna)
    assert await refusal(desk.use(ben, "LOUNGE", "visit", member_code=code, **till)) == "MEMBER_CODE_INVALID"
    use: dict[str, Any] = {"reference": "visit", "member_code": code, "request_id": "use-lounge-1", **till}
    used = await desk.use(anna, "LOUNGE", **use)
    assert await desk.use(anna, "LOUNGE", **use) == used and used.left == 4
    assert await refusal(desk.use(anna, "LOUNGE", **{**use, "request_id": "use-lounge-2"})) == "MEMBER_CODE_USED"
    assert await refusal(desk.people.identify(member_code=code, spend_request_id="order-1")) == "MEMBER_CODE_USED"
    refused = {**use, "request_id": "use-lounge-3", "quantity": 9, "reference": "party"}
    refused["member_code"] = await desk.code(anna)
    assert await refusal(desk.use(anna, "LOUNGE", **refused)) == "BENEFIT_QUOTA_USED"
    # What was refused has not used the code up.
    assert (await desk.use(anna, "LOUNGE", **{**refused, "quantity": 1})).left == 3


async def test_who_is_frozen_or_closed_uses_nothing(desk: Desk, refusal: Any) -> None:
    anna = (await desk.people.join()).member.member_id
    risk = desk.people.apps.stub(risk_pb2_grpc.RiskServiceStub, "member")
    before = await desk.use(anna, "LOUNGE", "visit-1")
    for kind, rpc, reason in (
        (risk_pb2.FreezeMemberRequest, risk.FreezeMember, "MEMBER_FROZEN"),
        (risk_pb2.CloseMemberRequest, risk.CloseMember, "MEMBER_CLOSED"),
    ):
        await desk.people.apps.call(rpc, kind(request_id=ids.new().hex, member_id=anna, reason_code="FRAUD"), system())
        assert await refusal(desk.use(anna, "LOUNGE", "visit-2")) == reason
        # What was used stays used, and is answered again; what an order has taken is given back.
        assert (await desk.use(anna, "LOUNGE", "visit-1")).use == before.use
    returned = await desk.call("ReturnBenefit", use_id=before.use.use_id)
    assert returned.use.HasField("return_time")


async def test_a_period_and_a_tier_decide_what_there_is(desk: Desk) -> None:
    program = desk.program
    await program.set_ladder(window=YEAR)
    anna = (await desk.people.join(birth_month=4)).member.member_id
    await desk.set("MEMBER", LOUNGE, PARKING, GIFT)
    await desk.set("GOLD", {**LOUNGE, "quota": 8}, {**PRICE, "quota": 2})
    await desk.use(anna, "LOUNGE", "a", quantity=3)
    await desk.use(anna, "PARK", "a", quantity=3)
    await program.buy(anna, 2500, date(2026, 3, 10))
    assert (await program.progress(anna)).tier.code == "GOLD"
    assert await desk.left(anna) == {"GIFT": 1, "LOUNGE": 2, "PARK": 0}  # GOLD counts from tomorrow
    await program.set_time(2026, 3, 11)
    assert await desk.left(anna) == {"LOUNGE": 5, "PRICE": 2}  # three of the eight are used
    assert (await desk.use(anna, "PRICE", "b", quantity=2)).left == 0
    await program.set_time(2026, 4, 1)
    assert await desk.left(anna) == {"LOUNGE": 8, "PRICE": 0}
    await program.set_time(2027, 1, 1)
    await program.close_day()  # the year's growth keeps GOLD for another one
    assert await desk.left(anna) == {"LOUNGE": 8, "PRICE": 2}
    bert = (await desk.people.join("+8613800000002", birth_month=1)).member.member_id
    assert (await desk.use(bert, "GIFT", "2027")).left == 0


async def _events(desk: Desk, name: str) -> list[Any]:
    rows = await desk.people.db.pool.fetch("SELECT payload FROM outbox WHERE type = $1", f"huitong.member.v1.{name}")
    return [getattr(pb, name).FromString(row["payload"]) for row in rows]
