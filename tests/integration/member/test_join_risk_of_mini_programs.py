"""Who may come in by a mini-program: devices and addresses are counted there, and denied accounts are not let in."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from chassis.identity import Caller, CallerKind
from huitong.member.v1 import merging_pb2, merging_pb2_grpc, miniprogram_pb2, risk_pb2
from tests.apps import system
from tests.integration.member.test_join_risk import OPERATOR, Risk, forget
from tests.integration.member.test_mini_program import APP, PHONE, Phone
from tests.integration.member.test_mini_program import phone as phone

OTHER_APP = "wx-second-app"


class Visitors:
    """People with WeChat, each with a phone and a device, behind addresses."""

    def __init__(self, phone: Phone) -> None:
        self.phone, self.people = phone, phone.people
        self.risk = Risk(phone.people)

    async def come(
        self, number: str, *, app_id: str = APP, device_id: str = "", address: str = "192.0.2.1", **proof: Any
    ) -> Any:
        """Log in with the phone shown, or by what else is given."""
        simulator = self.phone.simulator
        simulator.add_person(number)
        if not proof:
            proof = {"login_code": simulator.login_code(app_id, number)}
        proof.setdefault("phone_code", simulator.phone_code(app_id, number))
        request = miniprogram_pb2.LogInByMiniProgramRequest(app_id=app_id, device_id=device_id, **proof)
        by = Caller(CallerKind.PUBLIC, address)
        return await self.people.apps.call(self.phone.stub.LogInByMiniProgram, request, by)

    async def deny(self, number: str, app_id: str = APP) -> Any:
        openid = self.phone.simulator.add_person(number).openid(app_id)
        account = risk_pb2.MiniProgramAccount(app_id=app_id, openid=openid)
        return (await self.risk.do("DenyIdentity", OPERATOR, account=account)).denial


@pytest.fixture
async def visitors(phone: Phone) -> Visitors:
    await forget(phone.people)
    valkey: Any = Redis.from_url(phone.people.apps.settings.redis_url)
    await valkey.flushdb()
    await valkey.aclose()
    await phone.register()
    return Visitors(phone)


async def test_an_address_and_a_device_bring_so_many(visitors: Visitors, refusal: Any) -> None:
    await visitors.risk.set_policy(joins_per_address_hour=2, joins_per_device_day=1)
    first, second, third = (visitors.risk.phone() for _ in range(3))
    joined = await visitors.come(first, device_id="device-0001")
    assert await refusal(visitors.come(second, device_id="device-0001")) == "JOIN_TOO_OFTEN"
    # The phone login counts with it: the device is the same one.
    assert await refusal(visitors.risk.log_in(second, device_id="device-0001")) == "JOIN_TOO_OFTEN"
    await visitors.come(second, device_id="device-0002")
    assert await refusal(visitors.come(third, device_id="device-0003")) == "JOIN_TOO_OFTEN"
    assert await visitors.people.count("member") == 2
    # Whoever is a member comes as often as they like, and who was refused can come from elsewhere, under the same code.
    again = await visitors.come(first, device_id="device-0001")
    assert again.member == joined.member
    assert (await visitors.come(third, device_id="device-0003", address="192.0.2.2")).HasField("member")
    assert await visitors.people.count("member") == 3


async def test_a_denied_account_neither_joins_nor_logs_in(visitors: Visitors, refusal: Any) -> None:
    known = visitors.risk.phone()
    await visitors.come(known)
    ticket = (await visitors.phone.log_in(PHONE)).link_ticket
    denial = await visitors.deny(PHONE)
    assert denial.kind == risk_pb2.IDENTITY_KIND_WECHAT
    assert await refusal(visitors.come(PHONE)) == "IDENTITY_DENIED"
    # A ticket of before is of the account; showing another's phone does not help it.
    assert await refusal(visitors.come(PHONE, link_ticket=ticket)) == "IDENTITY_DENIED"
    code = visitors.phone.simulator.login_code(APP, PHONE)
    assert await refusal(visitors.come(known, login_code=code)) == "IDENTITY_DENIED"
    assert await visitors.people.count("member") == 1
    # The account is denied, not the phone.
    assert (await visitors.people.join(PHONE)).is_new

    # Whoever is a member already does not log in by a denied account any more, nor by anything else of theirs.
    other_denial = await visitors.deny(known)
    assert await refusal(visitors.come(known)) == "IDENTITY_DENIED"
    assert await refusal(visitors.risk.log_in(known)) == "IDENTITY_DENIED"
    await visitors.risk.do("LiftDenial", OPERATOR, denial_id=other_denial.denial_id)
    assert (await visitors.risk.log_in(known)).HasField("tokens")

    await visitors.risk.do("LiftDenial", OPERATOR, denial_id=denial.denial_id)
    assert (await visitors.come(PHONE)).member.masked_phone == "138****0001"


async def test_a_known_account_does_not_log_in_while_its_member_s_phone_is_denied(
    visitors: Visitors, refusal: Any
) -> None:
    number, other = visitors.risk.phone(), visitors.risk.phone()
    first, second = await visitors.come(number), await visitors.come(other)
    denial = (await visitors.risk.do("DenyIdentity", OPERATOR, phone=number, reason_code="FRAUD")).denial
    assert await refusal(visitors.risk.log_in(number)) == "IDENTITY_DENIED"
    assert await refusal(visitors.come(number)) == "IDENTITY_DENIED"
    assert (await visitors.come(other)).member == second.member
    # One person, whichever of the two merged records the phone is of.
    merges = visitors.people.apps.stub(merging_pb2_grpc.MemberMergeServiceStub, "member")
    request = merging_pb2.MergeMembersRequest(
        request_id="denied-merge", survivor_id=second.member.member_id, absorbed_id=first.member.member_id, reason="one"
    )
    await visitors.people.apps.call(merges.MergeMembers, request, system())
    for one in (number, other):
        assert await refusal(visitors.come(one)) == "IDENTITY_DENIED"
    await visitors.risk.do("LiftDenial", OPERATOR, denial_id=denial.denial_id)
    assert (await visitors.come(number)).member.member_id == second.member.member_id


async def test_a_freeze_denies_the_account_in_every_app_of_the_company(visitors: Visitors, refusal: Any) -> None:
    await visitors.phone.register(OTHER_APP)
    who = (await visitors.come(PHONE, device_id="device-0001")).member.member_id
    await visitors.risk.do("FreezeMember", OPERATOR, member_id=who, deny_identities=True)
    kinds = {one.kind for one in (await visitors.risk.do("ListDeniedIdentities", OPERATOR)).denials}
    assert kinds == {
        risk_pb2.IDENTITY_KIND_PHONE,
        risk_pb2.IDENTITY_KIND_WECHAT,
        risk_pb2.IDENTITY_KIND_DEVICE,
    }
    for app_id in (APP, OTHER_APP):
        assert await refusal(visitors.come(PHONE, app_id=app_id)) == "IDENTITY_DENIED"
    # Another account on the same device, and the same account with a new phone.
    other = visitors.risk.phone()
    assert await refusal(visitors.come(other, device_id="device-0001")) == "IDENTITY_DENIED"
    code = visitors.phone.simulator.login_code(OTHER_APP, PHONE)
    visitors.phone.simulator.add_person(other)
    shown = visitors.phone.simulator.phone_code(OTHER_APP, other)
    assert await refusal(visitors.come(other, app_id=OTHER_APP, login_code=code, phone_code=shown)) == "IDENTITY_DENIED"
    assert await visitors.people.count("member") == 1
