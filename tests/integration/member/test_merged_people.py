"""What belongs to a person is one, whichever id of merged members is named: benefits, states, referrals, notes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis import ids
from chassis.errors import AppError
from huitong.common.v1 import types_pb2
from huitong.member.v1 import attributes_pb2 as notes
from huitong.member.v1 import (
    attributes_pb2_grpc,
    merging_pb2,
    merging_pb2_grpc,
    profile_pb2,
    profile_pb2_grpc,
    referral_pb2,
    referral_pb2_grpc,
    risk_pb2,
    risk_pb2_grpc,
)
from huitong.org.v1 import org_pb2, org_pb2_grpc
from tests.apps import member, system
from tests.integration.member.conftest import People
from tests.integration.member.test_benefits import GIFT, LOUNGE, Desk
from tests.integration.member.test_benefits import desk as desk

pytestmark = pytest.mark.timeout(60)
VOID, WAITING = referral_pb2.REFERRAL_STATE_VOID, referral_pb2.REFERRAL_STATE_WAITING


def rid() -> str:
    return ids.new().hex


class Merges:
    """Merges of members; the services that would have to follow have nothing to do."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.stub = people.apps.stub(merging_pb2_grpc.MemberMergeServiceStub, "member")

    async def merge(self, survivor: str, absorbed: str) -> str:
        request = merging_pb2.MergeMembersRequest(
            request_id=rid(), survivor_id=survivor, absorbed_id=absorbed, reason="one person"
        )
        merge_id = str((await self.people.apps.call(self.stub.MergeMembers, request, system())).merge.merge_id)
        await self.people.db.pool.execute("UPDATE member_merge SET state = 2, waiting_for = '{}' WHERE state = 1")
        return merge_id

    async def unmerge(self, merge_id: str) -> None:
        request = merging_pb2.UnmergeMembersRequest(request_id=rid(), merge_id=merge_id, reason="two people")
        await self.people.apps.call(self.stub.UnmergeMembers, request, system())
        await self.people.db.pool.execute("UPDATE member_merge SET state = 4, waiting_for = '{}' WHERE state = 3")


async def test_whatever_id_is_named_it_is_one_person_until_they_are_parted(desk: Desk, refusal: Any) -> None:
    await _check_that_nothing_is_given_twice(desk, refusal)
    await _check_states_referrals_and_notes(desk, refusal)


async def _check_that_nothing_is_given_twice(desk: Desk, refusal: Any) -> None:
    merges = Merges(desk.people)
    await desk.set("MEMBER", GIFT, LOUNGE)
    anna, guest = [(await desk.people.join(f"+861380000001{n}", birth_month=3)).member.member_id for n in range(2)]
    given = await desk.use(guest, "GIFT", "cake")
    await desk.use(guest, "LOUNGE", "visit-1")
    visit = await desk.use(anna, "LOUNGE", "visit-2")
    merge_id = await merges.merge(anna, guest)

    # The guest's gift was the person's, and what is used for one thing stays used for it.
    for one in (anna, guest):
        assert await desk.left(one) == {"GIFT": 0, "LOUNGE": 3}
        assert await refusal(desk.use(one, "GIFT", "another cake")) == "BENEFIT_QUOTA_USED"
        assert not (await desk.call("CheckBenefit", member_id=one, benefit_code="GIFT")).is_usable
        assert (await desk.use(one, "GIFT", "cake")).use.use_id == given.use.use_id
        assert (await desk.use(one, "LOUNGE", "visit-2")).use.use_id == visit.use.use_id
        assert len((await desk.call("ListBenefitUses", system(), member_id=one)).uses) == 3

    # Under both ids at once no more is used than is left.
    async def enter(number: int) -> str:
        try:
            return str((await desk.use((anna, guest)[number % 2], "LOUNGE", f"at-once-{number}")).use.member_id)
        except AppError as error:
            assert error.reason == "BENEFIT_QUOTA_USED"
            return ""

    entered = [who for who in await asyncio.gather(*map(enter, range(16))) if who]
    assert len(entered) == 3 and (await desk.left(guest))["LOUNGE"] == 0
    await desk.call("ReturnBenefit", use_id=given.use.use_id)
    assert (await desk.use(anna, "GIFT", "flowers")).left == 0

    # Apart again: each has used what was used in its own name.
    await merges.unmerge(merge_id)
    own = {one: 5 - 1 - entered.count(one) for one in (anna, guest)}
    assert await desk.left(anna) == {"GIFT": 0, "LOUNGE": own[anna]}
    assert await desk.left(guest) == {"GIFT": 1, "LOUNGE": own[guest]}


async def _check_states_referrals_and_notes(desk: Desk, refusal: Any) -> None:
    people, merges = desk.people, Merges(desk.people)
    call, stub = people.apps.call, people.apps.stub
    risk = stub(risk_pb2_grpc.RiskServiceStub, "member")
    referrals = stub(referral_pb2_grpc.ReferralServiceStub, "member")
    attributes = stub(attributes_pb2_grpc.AttributeServiceStub, "member")
    profiles = stub(profile_pb2_grpc.ProfileServiceStub, "member")
    anna, guest, third = [(await people.join(f"+861380000002{n}")).member.member_id for n in range(3)]

    structure = stub(org_pb2_grpc.StructureServiceStub, "org")
    merchant = (await call(structure.ListMerchants, org_pb2.ListMerchantsRequest(), system())).merchants[0]
    program = referral_pb2.ReferralProgram(
        referrer_points=500,
        friend_points=200,
        min_amount=types_pb2.Money(amount_minor=10_000, currency_code="CNY"),
        merchant_id=merchant.merchant_id,
        use_within_days=30,
        return_window_days=7,
        is_open=True,
    )
    await call(
        referrals.SetReferralProgram,
        referral_pb2.SetReferralProgramRequest(request_id=rid(), program=program),
        system(),
    )

    async def code_of(one: str) -> str:
        request = referral_pb2.GetReferralCodeRequest(member_id=one)
        return str((await call(referrals.GetReferralCode, request, member(one))).referral_code)

    async def bring(code: str, friend: str) -> Any:
        request = referral_pb2.UseReferralCodeRequest(request_id=rid(), member_id=friend, referral_code=code)
        return await call(referrals.UseReferralCode, request, member(friend))

    async def states(one: str) -> list[int]:
        request = referral_pb2.ListReferralsRequest(member_id=one)
        return [each.state for each in (await call(referrals.ListReferrals, request, member(one))).referrals]

    async def tag(one: str, name: str) -> None:
        item = notes.TagItem(member_id=one, tag=name)
        await call(attributes.AddTags, notes.AddTagsRequest(request_id=rid(), items=[item]), system())

    async def tagged(name: str) -> list[str]:
        request = notes.ListMembersByTagRequest(tag=name)
        return list((await call(attributes.ListMembersByTag, request, system())).member_ids)

    guest_code = await code_of(guest)
    await bring(await code_of(anna), guest)
    await bring(await code_of(anna), third)
    assert await states(anna) == [WAITING, WAITING]
    for one in (anna, guest):
        await tag(one, "TEA")
    merge_id = await merges.merge(anna, guest)

    # Who brought themselves gets nothing; who is brought, is brought once, whoever's code it is.
    assert sorted(await states(anna)) == [WAITING, VOID]
    assert await code_of(guest) == await code_of(anna)
    assert await refusal(bring(guest_code, third)) == "REFERRAL_ALREADY_MADE"
    assert await refusal(bring(await code_of(third), anna)) == "REFERRAL_ALREADY_MADE"

    # Tags, profile: the survivor's, and listed once.
    assert await tagged("TEA") == [anna]
    await tag(guest, "COFFEE")
    assert await tagged("COFFEE") == [anna]
    of_guest = await call(attributes.GetMemberAttributes, notes.GetMemberAttributesRequest(member_id=guest), system())
    assert [each.tag for each in of_guest.tags] == ["COFFEE", "TEA"]
    told = profile_pb2.UpdateProfileRequest(
        request_id=rid(),
        member_id=guest,
        profile=profile_pb2.Profile(name="Anna"),
        update_mask=FieldMask(paths=["name"]),
    )
    await call(profiles.UpdateProfile, told, system())
    shown = await call(profiles.GetProfile, profile_pb2.GetProfileRequest(member_id=anna), system())
    assert shown.profile.name == "Anna"

    # Frozen under the absorbed id is frozen under both.
    freeze = risk_pb2.FreezeMemberRequest(request_id=rid(), member_id=guest, reason_code="FRAUD")
    assert (await call(risk.FreezeMember, freeze, system())).standing.member_id == anna
    for one in (anna, guest):
        standing = (await call(risk.GetMemberState, risk_pb2.GetMemberStateRequest(member_id=one), system())).standing
        assert (standing.member_id, standing.state) == (anna, risk_pb2.MEMBER_STATE_FROZEN)
        again = risk_pb2.FreezeMemberRequest(request_id=rid(), member_id=one, reason_code="FRAUD")
        assert await refusal(call(risk.FreezeMember, again, system())) == "MEMBER_FROZEN"
    thaw = risk_pb2.UnfreezeMemberRequest(request_id=rid(), member_id=guest, reason_code="CLEARED")
    await call(risk.UnfreezeMember, thaw, system())

    await merges.unmerge(merge_id)
    assert sorted(await tagged("TEA")) == sorted([anna, guest])
    get = profile_pb2.GetProfileRequest(member_id=guest)
    assert (await call(profiles.GetProfile, get, system())).profile.name == ""
