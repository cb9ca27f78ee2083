"""Frozen and closed members, the deny list, and how fast people may join."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from redis.asyncio import Redis

from chassis import ids
from chassis.identity import Caller, CallerKind
from huitong.member.v1 import member_pb2, risk_pb2, risk_pb2_grpc
from tests.apps import GROUP, Apps, internal, member, system
from tests.integration.member.conftest import OTHER_GROUP, People

PHONE = "+8613800000001"
STORE = ids.to_edge("sto", ids.derive("store", GROUP, "S1"))
OPERATOR = Caller(CallerKind.OPERATOR, "opr_1", GROUP, "ses_1", {"": "member.risk.*"})


class Risk:
    """RiskService as the group's system, and people who join and log in."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.stub = people.apps.stub(risk_pb2_grpc.RiskServiceStub, "member")
        self.phones = iter(range(10_000, 99_999))

    def phone(self) -> str:
        return f"+86139000{next(self.phones)}"

    async def do(self, rpc: str, by: Caller | None = None, **values: Any) -> Any:
        kind = getattr(risk_pb2, f"{rpc}Request")
        if "request_id" in kind.DESCRIPTOR.fields_by_name:
            values.setdefault("request_id", ids.new().hex)
        if "reason_code" in kind.DESCRIPTOR.fields_by_name:
            values.setdefault("reason_code", "STOLEN_PHONE")
        return await self.people.apps.call(getattr(self.stub, rpc), kind(**values), by or OPERATOR)

    async def set_policy(self, **limits: int) -> None:
        await self.do("SetRiskPolicy", policy=risk_pb2.RiskPolicy(**limits))

    async def log_in(self, phone: str, *, device_id: str = "", address: str = "192.0.2.1") -> Any:
        """Whether or not a code was sent within the last minute."""
        start = member_pb2.StartLoginRequest(group_code="test-group", phone=phone)
        await self.people.db.pool.execute("UPDATE login_challenge SET send_time = send_time - interval '1 hour'")
        await self.people.public("StartLogin", start)
        sent = await self.people.apps.call(
            self.people.simulator.ListSentMessages, member_pb2.ListSentMessagesRequest(phone=phone), system()
        )
        request = member_pb2.CompleteLoginRequest(
            group_code="test-group", phone=phone, one_time_code=sent.messages[0].one_time_code, device_id=device_id
        )
        by = Caller(CallerKind.PUBLIC, address)
        return await self.people.apps.call(self.people.sessions.CompleteLogin, request, by)

    async def join_at_till(self, phone: str, till: str = "trm_1", **values: Any) -> Any:
        request = member_pb2.JoinMemberRequest(
            **{"request_id": ids.new().hex, "phone": phone, "store_id": STORE, **values}
        )
        by = Caller(CallerKind.TERMINAL, till, GROUP, bound_id=STORE)
        return await self.people.apps.call(self.people.members.JoinMember, request, by)


async def forget(people: People) -> None:
    await people.apps.as_owner("member", "TRUNCATE member_state, denied_identity, member_device, risk_policy")


@pytest.fixture
async def risk(people: People) -> Risk:
    await forget(people)
    valkey: Any = Redis.from_url(people.apps.settings.redis_url)
    await valkey.flushdb()
    await valkey.aclose()
    return Risk(people)


async def test_a_frozen_member_is_locked_out_until_unfrozen(risk: Risk, refusal: Any) -> None:
    people, opened = risk.people, await risk.log_in(PHONE)
    who, token = opened.member.member_id, opened.tokens.refresh_token
    code = (await people.code(who)).member_code
    assert opened.member.state == risk_pb2.MEMBER_STATE_ACTIVE and not opened.member.state_version
    freeze = {"request_id": "freeze-member-1", "member_id": who}
    frozen = await risk.do("FreezeMember", **freeze)
    assert (frozen.ended_session_count, frozen.standing.changed_by) == (1, "opr_1")
    assert await risk.do("FreezeMember", **freeze) == frozen
    assert await refusal(risk.do("FreezeMember", member_id=who)) == "MEMBER_FROZEN"

    refresh = member_pb2.RefreshSessionRequest(refresh_token=token)
    assert await refusal(people.public("RefreshSession", refresh)) == "SESSION_ENDED"
    assert await refusal(risk.log_in(PHONE)) == "MEMBER_FROZEN"
    assert await refusal(people.code(who)) == "MEMBER_FROZEN"
    seed = member_pb2.GetMemberCodeSeedRequest(member_id=who)
    assert await refusal(people.apps.call(people.members.GetMemberCodeSeed, seed, member(who))) == "MEMBER_FROZEN"
    # A code from before is good for earning, not for spending.
    assert await refusal(people.identify(member_code=code, spend_request_id="order-1")) == "MEMBER_FROZEN"
    assert not (await people.identify(member_code=code)).may_spend
    assert (await people.join(PHONE)).member.state == risk_pb2.MEMBER_STATE_FROZEN

    await risk.do("UnfreezeMember", member_id=who, reason_code="PHONE_FOUND")
    assert await refusal(risk.do("UnfreezeMember", member_id=who)) == "MEMBER_NOT_FROZEN"
    # Whoever has the lost phone makes no more codes; the member's own are new.
    assert await refusal(people.identify(member_code=code, spend_request_id="order-1")) == "MEMBER_CODE_INVALID"
    code = (await people.code(who)).member_code
    assert (await people.identify(member_code=code, spend_request_id="order-1")).may_spend
    assert (await risk.log_in(PHONE)).member.state_version == 2
    events = await people.events("MemberStateChanged")
    assert [(event.previous_state, event.state, event.version) for event in events] == [(1, 2, 1), (2, 1, 2)]


async def test_a_login_under_way_while_freezing_cannot_be_refreshed(risk: Risk, refusal: Any) -> None:
    opened = await risk.log_in(PHONE)
    await risk.do("FreezeMember", member_id=opened.member.member_id)
    # As one that read the state before and wrote its session after.
    await risk.people.db.pool.execute("UPDATE session SET end_time = NULL")
    refresh = member_pb2.RefreshSessionRequest(refresh_token=opened.tokens.refresh_token)
    assert await refusal(risk.people.public("RefreshSession", refresh)) == "SESSION_ENDED"


async def test_closing_is_for_good(risk: Risk, refusal: Any) -> None:
    people, who = risk.people, (await risk.log_in(PHONE)).member.member_id
    assert (await risk.do("CloseMember", member_id=who)).ended_session_count == 1
    for rpc in ("CloseMember", "FreezeMember", "UnfreezeMember"):
        assert await refusal(risk.do(rpc, member_id=who)) == "MEMBER_CLOSED"
    assert await refusal(people.identify(phone=PHONE)) == "MEMBER_CLOSED"
    assert await refusal(risk.log_in(PHONE)) == "MEMBER_CLOSED"
    standing = (await risk.do("GetMemberState", internal("points"), member_id=who)).standing
    assert (standing.state, standing.reason_code) == (risk_pb2.MEMBER_STATE_CLOSED, "STOLEN_PHONE")


async def test_states_are_the_groups_own_and_not_everybodys_to_change(risk: Risk, refusal: Any) -> None:
    who = (await risk.people.join(PHONE)).member.member_id
    for rpc in ("FreezeMember", "CloseMember", "GetMemberState"):
        assert await refusal(risk.do(rpc, system(OTHER_GROUP), member_id=who)) == "MEMBER_UNKNOWN"
        assert await refusal(risk.do(rpc, member(who), member_id=who)) == "PERMISSION_DENIED"
    # Of many at once one freezes.
    tries = await asyncio.gather(*(risk.do("FreezeMember", member_id=who) for _ in range(8)), return_exceptions=True)
    assert len([one for one in tries if not isinstance(one, Exception)]) == 1
    assert (await risk.do("GetMemberState", member_id=who)).standing.version == 1


async def test_who_is_denied_neither_joins_nor_logs_in(risk: Risk, refusal: Any) -> None:
    people, known = risk.people, risk.phone()
    await people.join(known)
    denial = (await risk.do("DenyIdentity", phone=PHONE)).denial
    assert (denial.kind, denial.denied_by) == (risk_pb2.IDENTITY_KIND_PHONE, "opr_1")
    assert (await risk.do("DenyIdentity", phone=PHONE, reason_code="AGAIN")).denial == denial
    assert await refusal(people.join(PHONE)) == "IDENTITY_DENIED"
    assert await refusal(risk.join_at_till(PHONE)) == "IDENTITY_DENIED"
    results = await people.join_all(
        [{"request_id": f"line-{phone}", "phone": phone} for phone in (PHONE, risk.phone())]
    )
    assert [result.problem.reason for result in results] == ["IDENTITY_DENIED", ""]
    # In other groups nobody knows of it.
    assert (await people.join(PHONE, OTHER_GROUP)).is_new
    # A member stays one, and cannot log in.
    await risk.do("DenyIdentity", phone=known)
    assert not (await people.join(known)).is_new
    assert await refusal(risk.log_in(known)) == "IDENTITY_DENIED"
    await risk.do("DenyIdentity", device_id="device-0001")
    assert await refusal(risk.log_in(risk.phone(), device_id="device-0001")) == "IDENTITY_DENIED"

    page = await risk.do("ListDeniedIdentities", page_size=2)
    rest = await risk.do("ListDeniedIdentities", page_size=2, page_token=page.next_page_token)
    assert len({one.denial_id for one in [*page.denials, *rest.denials]}) == 3 and not rest.next_page_token
    await risk.do("LiftDenial", denial_id=denial.denial_id)
    assert await refusal(risk.do("LiftDenial", denial_id=denial.denial_id)) == "DENIAL_UNKNOWN"
    assert (await people.join(PHONE)).is_new
    await people.apps.as_owner("member", "TRUNCATE login_outbox")
    assert await people.find_in_database(PHONE, known, "device-0001") == []


async def test_a_freeze_can_deny_all_that_the_member_is_known_by(risk: Risk, refusal: Any) -> None:
    who = (await risk.log_in(PHONE, device_id="device-0001")).member.member_id
    await risk.do("FreezeMember", member_id=who, deny_identities=True)
    kinds = [one.kind for one in (await risk.do("ListDeniedIdentities")).denials]
    assert sorted(kinds) == [risk_pb2.IDENTITY_KIND_PHONE, risk_pb2.IDENTITY_KIND_DEVICE]
    assert await refusal(risk.log_in(risk.phone(), device_id="device-0001")) == "IDENTITY_DENIED"


async def test_a_till_joins_so_many_an_hour_and_knows_its_members_beyond(risk: Risk, refusal: Any) -> None:
    await risk.set_policy(joins_per_terminal_hour=3)
    phones = [risk.phone() for _ in range(8)]
    tries = await asyncio.gather(*(risk.join_at_till(phone) for phone in phones), return_exceptions=True)
    joined = [phone for phone, one in zip(phones, tries, strict=True) if not isinstance(one, Exception)]
    assert len(joined) == 3 == await risk.people.count("member")
    refused = next(one for one in tries if isinstance(one, Exception))
    assert refused.reason == "JOIN_TOO_OFTEN" and refused.values["what"] == "terminal"  # type: ignore[attr-defined]
    assert not (await risk.join_at_till(joined[0])).is_new
    # Another till, and the group's own systems, go on.
    assert (await risk.join_at_till(risk.phone(), till="trm_2")).is_new
    assert (await risk.people.join(risk.phone())).is_new


async def test_an_address_and_a_device_join_so_many(risk: Risk, refusal: Any) -> None:
    await risk.set_policy(joins_per_address_hour=2, joins_per_device_day=1)
    first = risk.phone()
    await risk.log_in(first, device_id="device-0001")
    assert await refusal(risk.log_in(risk.phone(), device_id="device-0001")) == "JOIN_TOO_OFTEN"
    assert await refusal(risk.join_at_till(risk.phone(), device_id="device-0001")) == "JOIN_TOO_OFTEN"
    await risk.log_in(risk.phone(), device_id="device-0002")
    late = risk.phone()
    assert await refusal(risk.log_in(late)) == "JOIN_TOO_OFTEN"
    # Members log in as often as they like, and who was refused can join elsewhere.
    await risk.log_in(first, device_id="device-0001")
    await risk.log_in(late, address="192.0.2.2")


@pytest.fixture
def without_valkey(apps: Apps, local_servers: Any) -> Iterator[None]:
    """Services of this test find nobody where Valkey should be."""
    apps.settings = apps.settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{apps.sandbox.free_port()}/0"})
    yield


async def test_without_counters_tills_join_people_and_strangers_wait(
    apps: Apps, without_valkey: None, refusal: Any, capfd: Any
) -> None:
    risk = Risk(await People(apps).start())
    await forget(risk.people)
    member_id = (await risk.join_at_till(PHONE)).member.member_id
    assert "join_velocity_not_checked" in capfd.readouterr().out
    assert await refusal(risk.log_in(risk.phone())) == "UNAVAILABLE"
    # Who is a member already is not counted.
    assert (await risk.log_in(PHONE)).member.member_id == member_id
