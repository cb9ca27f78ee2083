"""Login through a mini-program, against a simulator of the platform over real HTTP."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from chassis.errors import AppError
from chassis.identity import access_tokens
from huitong.member.v1 import member_pb2, miniprogram_pb2, miniprogram_pb2_grpc
from services.member.miniprogram import rules
from services.member.miniprogram.wechat import Credentials, WeChat
from suite.simulators.wechat import WeChatSimulator
from tests.apps import GROUP, Apps, public, system
from tests.integration.member.conftest import OTHER_GROUP, People
from tests.integration.member.test_merged_people import Merges

APP, SECRET = "wx1234567890", "a-secret-of-the-app"
PHONE = "+8613800000001"


class Phone:
    """A simulated platform, and mini-programs that log in by it."""

    def __init__(self, people: People, simulator: WeChatSimulator) -> None:
        self.people, self.simulator = people, simulator
        self.now_s = 1_000.0
        self.requests = itertools.count()
        simulator.clock = lambda: self.now_s
        self.stub = people.apps.stub(miniprogram_pb2_grpc.MiniProgramServiceStub, "member")

    async def register(self, app_id: str = APP, group_id: Any = GROUP, secret: str = SECRET) -> Any:
        self.simulator.add_app(app_id, SECRET)
        request = miniprogram_pb2.SetMiniProgramRequest(
            request_id=f"set-mini-program-{next(self.requests)}", app_id=app_id, app_secret=secret
        )
        return await self.people.apps.call(self.stub.SetMiniProgram, request, system(group_id))

    async def log_in(self, phone: str = PHONE, app_id: str = APP, *, shows_phone: bool = False, **proof: Any) -> Any:
        self.simulator.add_person(phone)
        values: dict[str, Any] = proof or {"login_code": self.simulator.login_code(app_id, phone)}
        if shows_phone:
            values["phone_code"] = self.simulator.phone_code(app_id, phone)
        request = miniprogram_pb2.LogInByMiniProgramRequest(app_id=app_id, **values)
        return await self.people.apps.call(self.stub.LogInByMiniProgram, request, public())


@pytest.fixture
async def phone(apps: Apps) -> AsyncIterator[Phone]:
    simulator = WeChatSimulator()
    server = uvicorn.Server(uvicorn.Config(simulator.app(), host="127.0.0.1", port=0, log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    apps.settings = apps.settings.model_copy(update={"wechat_url": f"http://127.0.0.1:{port}"})
    people = await People(apps).start()
    await people.apps.as_owner("member", "TRUNCATE mini_program")
    yield Phone(people, simulator)
    server.should_exit = True
    await serving


async def test_a_stranger_is_asked_for_a_phone_and_is_known_from_then_on(phone: Phone) -> None:
    await phone.register()
    asked = await phone.log_in()
    assert asked.link_ticket and not asked.HasField("member") and not asked.HasField("tokens")
    assert await phone.people.count("member") == 0
    first = await phone.log_in(link_ticket=asked.link_ticket, shows_phone=True)
    assert first.member.masked_phone == "138****0001" and first.tokens.refresh_token
    again = await phone.log_in()
    assert again.member == first.member and not again.link_ticket
    who = access_tokens(phone.people.apps.settings)
    assert who.check(again.tokens.access_token).bound_id == first.member.member_id


async def test_a_phone_that_joined_at_a_till_is_the_same_member(phone: Phone) -> None:
    await phone.register()
    joined = (await phone.people.join(PHONE)).member
    assert (await phone.log_in(shows_phone=True)).member == joined
    assert (await phone.log_in()).member == joined
    assert await phone.people.count("member") == 1


async def test_two_apps_of_one_company_know_each_others_members_by_the_union_id(phone: Phone) -> None:
    await phone.register()
    await phone.register("wx-second-app")
    first = await phone.log_in(shows_phone=True)
    assert (await phone.log_in(app_id="wx-second-app")).member == first.member


async def test_without_a_union_id_the_openid_is_known(phone: Phone) -> None:
    phone.simulator.has_union_ids = False
    await phone.register()
    first = await phone.log_in(shows_phone=True)
    assert (await phone.log_in()).member == first.member
    # The company is registered later: the same person now comes with a union id, too.
    phone.simulator.has_union_ids = True
    assert (await phone.log_in()).member == first.member
    await phone.register("wx-second-app")
    assert (await phone.log_in(app_id="wx-second-app")).member == first.member


async def test_concurrent_logins_of_a_stranger_make_one_member(phone: Phone) -> None:
    await phone.register()
    answers = await asyncio.gather(*(phone.log_in(shows_phone=True) for _ in range(30)))
    assert len({answer.member.member_id for answer in answers}) == 1
    assert await phone.people.count("member") == 1


async def test_the_same_account_with_two_phones_at_once_ends_at_one_member(phone: Phone) -> None:
    await phone.register()
    other = "+8613800000002"
    person = phone.simulator.add_person(PHONE)
    phone.simulator.add_person(other).union_id = person.union_id
    answers = await asyncio.gather(
        *(phone.log_in(each, shows_phone=True) for each in (PHONE, other) * 5), return_exceptions=True
    )
    reasons = {answer.reason for answer in answers if isinstance(answer, AppError)}
    assert reasons <= {"IDENTITY_TAKEN"}
    members = {answer.member.member_id for answer in answers if not isinstance(answer, BaseException)}
    assert len(members) == 1
    assert (await phone.log_in()).member.member_id in members
    assert await phone.people.count("member") == 1


async def test_whoever_logs_in_while_merged_is_themselves_when_parted(phone: Phone, refusal: Any) -> None:
    await phone.register()
    other, merges = "+8613800000002", Merges(phone.people)
    anna, guest = [(await phone.people.join(number)).member.member_id for number in (PHONE, other)]
    merge_id = await merges.merge(anna, guest)
    # The guest comes with the own WeChat for the first time, and again, with the union id that was not there before.
    phone.simulator.has_union_ids = False
    first = await phone.log_in(other, shows_phone=True)
    phone.simulator.has_union_ids = True
    again = await phone.log_in(other)
    assert first.member.member_id == again.member.member_id == anna
    await merges.unmerge(merge_id)

    # What was opened as the other's has ended; from now on the account opens its own member.
    for opened in (first, again):
        request = member_pb2.RefreshSessionRequest(refresh_token=opened.tokens.refresh_token)
        assert await refusal(phone.people.public("RefreshSession", request)) == "SESSION_ENDED"
    assert (await phone.log_in(other)).member.member_id == guest
    await phone.register("wx-second-app")
    assert (await phone.log_in(other, app_id="wx-second-app")).member.member_id == guest
    assert (await phone.log_in(PHONE, shows_phone=True)).member.member_id == anna


async def test_codes_are_good_once_and_for_five_minutes(phone: Phone, refusal: Any) -> None:
    await phone.register()
    phone.simulator.add_person(PHONE)
    code = phone.simulator.login_code(APP, PHONE)
    await phone.log_in(login_code=code)
    assert await refusal(phone.log_in(login_code=code)) == "MINI_PROGRAM_CODE_INVALID"
    late = phone.simulator.login_code(APP, PHONE)
    phone.now_s += 301
    assert await refusal(phone.log_in(login_code=late)) == "MINI_PROGRAM_CODE_INVALID"
    assert await refusal(phone.log_in(login_code="made-up")) == "MINI_PROGRAM_CODE_INVALID"
    ticket = (await phone.log_in()).link_ticket
    used = phone.simulator.phone_code(APP, PHONE)
    await phone.log_in(link_ticket=ticket, phone_code=used)
    await phone.people.apps.as_owner("member", "TRUNCATE member_identity, member, standing")
    assert await refusal(phone.log_in(link_ticket=ticket, phone_code=used)) == "MINI_PROGRAM_CODE_INVALID"


async def test_a_ticket_is_for_its_app_and_its_time(
    phone: Phone, refusal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await phone.register()
    await phone.register("wx-second-app")
    ticket = (await phone.log_in()).link_ticket
    assert await refusal(phone.log_in(app_id="wx-second-app", link_ticket=ticket)) == "MINI_PROGRAM_TICKET_EXPIRED"
    for wrong in (ticket[:-8], "A" * len(ticket), "not base64 at all!", ticket[:20] + "AAAA" + ticket[24:]):
        assert await refusal(phone.log_in(link_ticket=wrong)) == "MINI_PROGRAM_TICKET_EXPIRED", wrong
    real_time = time.time
    monkeypatch.setattr(time, "time", lambda: real_time() + rules.TICKET_SECONDS + 1)
    assert await refusal(phone.log_in(link_ticket=ticket)) == "MINI_PROGRAM_TICKET_EXPIRED"


async def test_what_the_platform_refuses_has_its_reason(phone: Phone, refusal: Any) -> None:
    assert await refusal(phone.log_in(app_id=APP, login_code="x")) == "MINI_PROGRAM_UNKNOWN"
    await phone.register(secret="another-secret")
    assert await refusal(phone.log_in()) == "MINI_PROGRAM_REFUSED"
    await phone.register()
    phone.simulator.busy = True
    assert await refusal(phone.log_in()) == "MINI_PROGRAM_BUSY"
    phone.simulator.busy, phone.simulator.is_failing = False, True
    assert await refusal(phone.log_in()) == "UNAVAILABLE"
    phone.simulator.is_failing = False
    phone.simulator.add_person(PHONE).is_blocked = True
    assert await refusal(phone.log_in()) == "MINI_PROGRAM_BLOCKED"


async def test_a_token_that_the_platform_replaced_is_fetched_anew(phone: Phone) -> None:
    await phone.register()
    await phone.log_in(shows_phone=True)
    phone.simulator.end_tokens()
    assert (await phone.log_in("+8613800000009", shows_phone=True)).member.masked_phone == "138****0009"


async def test_a_platform_that_is_away_or_answers_nonsense_is_unavailable(apps: Apps) -> None:
    async def serve_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>")
        writer.close()

    server = await asyncio.start_server(serve_nonsense, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        for wechat in (WeChat(f"http://127.0.0.1:{port}"), WeChat(f"http://127.0.0.1:{apps.sandbox.free_port()}")):
            with pytest.raises(AppError) as refused:
                await wechat.user_behind(Credentials(APP, SECRET), "code")
            assert refused.value.reason == "UNAVAILABLE"
            await wechat.close()


async def test_an_app_id_belongs_to_one_group_and_lists_without_its_secret(phone: Phone, refusal: Any) -> None:
    await phone.register()
    assert await refusal(phone.register(group_id=OTHER_GROUP)) == "MINI_PROGRAM_TAKEN"
    request = miniprogram_pb2.ListMiniProgramsRequest(page_size=1)
    listed = await phone.people.apps.call(phone.stub.ListMiniPrograms, request, system())
    assert [each.app_id for each in listed.mini_programs] == [APP] and not listed.next_page_token
    other = await phone.people.apps.call(phone.stub.ListMiniPrograms, request, system(OTHER_GROUP))
    assert not other.mini_programs


async def test_neither_secret_nor_openid_nor_phone_is_stored_readably(phone: Phone) -> None:
    await phone.register()
    await phone.log_in(shows_phone=True)
    person = phone.simulator.add_person(PHONE)
    assert await phone.people.find_in_database(SECRET, person.openid(APP), person.union_id, PHONE, PHONE[3:]) == []
