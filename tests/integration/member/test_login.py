"""Login by phone and one-time code, and sessions."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from chassis.identity import CallerKind, access_tokens
from huitong.member.v1 import member_pb2
from services.member.sessions.rules import read_refresh_token
from tests.apps import GROUP, Apps, member, system
from tests.integration.member.conftest import OTHER_GROUP, People

PHONE = "+8613800000001"


async def start(people: People, phone: str = PHONE, group_code: str = "test-group") -> Any:
    return await people.public("StartLogin", member_pb2.StartLoginRequest(group_code=group_code, phone=phone))


async def complete(people: People, code: str, phone: str = PHONE, group_code: str = "test-group") -> Any:
    request = member_pb2.CompleteLoginRequest(group_code=group_code, phone=phone, one_time_code=code)
    return await people.public("CompleteLogin", request)


async def sent(people: People, phone: str = "", group_id: Any = GROUP, **page: Any) -> Any:
    request = member_pb2.ListSentMessagesRequest(phone=phone, **page)
    return await people.apps.call(people.simulator.ListSentMessages, request, system(group_id))


async def newest_code(people: People, phone: str = PHONE) -> str:
    return (await sent(people, phone)).messages[0].one_time_code


async def log_in(people: People, phone: str = PHONE) -> Any:
    await start(people, phone)
    return await complete(people, await newest_code(people, phone), phone)


async def refresh(people: People, token: str) -> Any:
    answer = await people.public("RefreshSession", member_pb2.RefreshSessionRequest(refresh_token=token))
    return answer.tokens


async def pass_time(people: People, interval: str) -> None:
    """Real time passes for codes and messages: everything noted so far moves into the past."""
    columns = {
        "login_challenge": ("send_time", "expire_time", "day_start_time"),
        "login_outbox": ("send_time",),
        "session": ("expire_time",),
    }
    for table, names in columns.items():
        changes = ", ".join(f"{name} = {name} - interval '{interval}'" for name in names)
        await people.db.pool.execute(f"UPDATE {table} SET {changes}")


async def test_new_phone_joins_and_a_known_one_is_recognised(people: People) -> None:
    assert (await start(people)).retry_seconds == 60
    first = await complete(people, await newest_code(people))
    assert first.member.masked_phone == "138****0001"
    assert [event.member_id for event in await people.events("MemberJoined")] == [first.member.member_id]
    await pass_time(people, "61 seconds")
    assert (await log_in(people)).member == first.member
    joined = (await people.join("+8613800000002")).member
    assert (await log_in(people, "+8613800000002")).member == joined


async def test_access_token_says_who_and_lasts_fifteen_minutes(people: People) -> None:
    done = await log_in(people)
    book = access_tokens(people.apps.settings)
    who = book.check(done.tokens.access_token)
    assert (who.kind, who.group_id) == (CallerKind.MEMBER, GROUP)
    assert who.subject == who.bound_id == done.member.member_id
    left = done.tokens.access_expire_time.ToSeconds() - time.time()
    assert 440 < left <= 901


async def test_code_works_once(people: People, refusal: Any) -> None:
    await start(people)
    code = await newest_code(people)
    outcomes = await asyncio.gather(*(complete(people, code) for _ in range(10)), return_exceptions=True)
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert await refusal(complete(people, code)) == "LOGIN_CODE_EXPIRED"
    assert await people.count("session") == 1


async def test_five_wrong_tries_end_the_code_also_when_tried_at_once(people: People, refusal: Any) -> None:
    await start(people)
    code = await newest_code(people)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    outcomes = await asyncio.gather(*(complete(people, wrong) for _ in range(20)), return_exceptions=True)
    reasons = sorted(outcome.reason for outcome in outcomes if isinstance(outcome, Exception))  # type: ignore[attr-defined]
    assert reasons == ["LOGIN_CODE_EXPIRED"] * 15 + ["LOGIN_CODE_WRONG"] * 5
    assert await refusal(complete(people, code)) == "LOGIN_CODE_EXPIRED"
    assert await people.count("member") == 0


async def test_four_wrong_tries_do_not(people: People, refusal: Any) -> None:
    await start(people)
    code = await newest_code(people)
    for _ in range(4):
        assert await refusal(complete(people, f"{(int(code) + 1) % 10**6:06}")) == "LOGIN_CODE_WRONG"
    assert (await complete(people, code)).member.member_id


async def test_code_ends_after_five_minutes_and_is_another_each_time(people: People, refusal: Any) -> None:
    await start(people)
    code = await newest_code(people)
    await pass_time(people, "5 minutes")
    assert await refusal(complete(people, code)) == "LOGIN_CODE_EXPIRED"
    await start(people)
    assert (await complete(people, await newest_code(people))).tokens.refresh_token


async def test_code_of_another_phone_or_group_is_wrong(people: People, refusal: Any) -> None:
    await start(people)
    code = await newest_code(people)
    assert await refusal(complete(people, code, phone="+8613800000002")) == "LOGIN_CODE_EXPIRED"
    assert await refusal(complete(people, code, group_code="other-group")) == "LOGIN_CODE_EXPIRED"


async def test_codes_are_sent_once_a_minute_and_twenty_times_a_day(people: People, refusal: Any) -> None:
    outcomes = await asyncio.gather(*(start(people) for _ in range(10)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len(refused) == 9
    assert {outcome.reason for outcome in refused} == {"LOGIN_TOO_OFTEN"}  # type: ignore[attr-defined]
    assert 0 < int(refused[0].values["retry_seconds"]) <= 61  # type: ignore[attr-defined]
    for _ in range(19):
        await pass_time(people, "1 minute")
        await start(people)
    await pass_time(people, "1 minute")
    assert await refusal(start(people)) == "LOGIN_TOO_OFTEN"
    await pass_time(people, "1 day")
    await start(people)
    # Another phone was never held up, and a member's phone gets the same answer as a stranger's.
    await people.join("+8613800000002")
    assert await start(people, "+8613800000002") == await start(people, "+8613800000003")


async def test_unknown_group_is_refused(people: People, refusal: Any) -> None:
    assert await refusal(start(people, group_code="no-such-group")) == "GROUP_UNKNOWN"
    assert await refusal(complete(people, "000000", group_code="no\x00group")) == "GROUP_UNKNOWN"


async def test_refresh_rotates_and_an_old_token_ends_the_session(people: People, refusal: Any) -> None:
    first = (await log_in(people)).tokens
    second = await refresh(people, first.refresh_token)
    third = await refresh(people, second.refresh_token)
    assert len({tokens.refresh_token for tokens in (first, second, third)}) == 3
    assert third.access_token
    assert await refusal(refresh(people, first.refresh_token)) == "SESSION_ENDED"
    assert await refusal(refresh(people, third.refresh_token)) == "SESSION_ENDED"


async def test_lost_answer_is_forgiven_once(people: People, refusal: Any) -> None:
    first = (await log_in(people)).tokens
    lost = await refresh(people, first.refresh_token)
    third = await refresh(people, first.refresh_token)
    fourth = await refresh(people, third.refresh_token)
    # The answer was not lost but stolen: whoever uses it ends the session.
    assert await refusal(refresh(people, lost.refresh_token)) == "SESSION_ENDED"
    assert await refusal(refresh(people, fourth.refresh_token)) == "SESSION_ENDED"


async def test_one_token_used_many_times_at_once_leads_to_no_second_line(people: People, refusal: Any) -> None:
    # Twice at once is a lost answer: the newer of the two answers goes on, and only that one.
    token = (await log_in(people)).tokens.refresh_token
    two = await asyncio.gather(*(refresh(people, token) for _ in range(2)))
    newest = max((each.refresh_token for each in two), key=generation_of)
    assert (await refresh(people, newest)).access_token
    # Twenty times is theft: two are answered before it is seen, and the line ends with all that came of it.
    token = (await log_in(people, "+8613800000002")).tokens.refresh_token
    outcomes = await asyncio.gather(*(refresh(people, token) for _ in range(20)), return_exceptions=True)
    answered = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert len(answered) == 2
    for each in answered:
        assert await refusal(refresh(people, each.refresh_token)) == "SESSION_ENDED"
    assert await people.count("session") == 2
    assert await people.db.pool.fetchval("SELECT count(*) FROM session WHERE end_time IS NULL") == 1


def generation_of(refresh_token: str) -> int:
    token = read_refresh_token(refresh_token)
    assert token is not None
    return token.generation


async def test_session_ends_when_told_or_after_thirty_days(people: People, refusal: Any) -> None:
    token = (await log_in(people)).tokens.refresh_token
    for _ in range(2):
        await people.public("EndSession", member_pb2.EndSessionRequest(refresh_token=token))
    assert await refusal(refresh(people, token)) == "SESSION_ENDED"
    token = (await log_in(people, "+8613800000002")).tokens.refresh_token
    await pass_time(people, "29 days 23 hours")
    token = (await refresh(people, token)).refresh_token
    await pass_time(people, "30 days")
    assert await refusal(refresh(people, token)) == "SESSION_ENDED"


@pytest.mark.parametrize("token", ["x", "mrt_", "mrt_" + "A" * 70, "mrt_\x00", "mrt_" + "令" * 20])
async def test_noise_opens_and_ends_nothing(people: People, refusal: Any, token: str) -> None:
    good = (await log_in(people)).tokens.refresh_token
    assert await refusal(refresh(people, token)) == "SESSION_ENDED"
    await people.public("EndSession", member_pb2.EndSessionRequest(refresh_token=token))
    altered = good[:-2] + ("AA" if good[-2:] != "AA" else "BB")
    assert await refusal(refresh(people, altered)) == "SESSION_ENDED"
    await people.public("EndSession", member_pb2.EndSessionRequest(refresh_token=altered))
    assert (await refresh(people, good)).access_token


async def test_codes_and_tokens_are_nowhere_in_the_database(people: People) -> None:
    await start(people)
    code = await newest_code(people)
    tokens = (await complete(people, code)).tokens
    assert await people.find_in_database(tokens.refresh_token, tokens.access_token) == []
    stored = await people.db.pool.fetchrow("SELECT sealed_code, sealed_phone FROM login_outbox")
    assert not any(code.encode() in value for value in stored.values())


async def test_simulator_lists_the_groups_messages_of_ten_minutes(people: People) -> None:
    for number in range(5):
        await start(people, f"+861380000000{number}")
    await start(people, PHONE, "other-group")
    seen, token = [], ""
    while True:
        page = await sent(people, page_size=2, page_token=token)
        seen += [message.phone for message in page.messages]
        token = page.next_page_token
        if not token:
            break
    assert seen == [f"+861380000000{number}" for number in (4, 3, 2, 1, 0)]
    assert [message.phone for message in (await sent(people, group_id=OTHER_GROUP)).messages] == [PHONE]
    await pass_time(people, "11 minutes")
    assert not (await sent(people)).messages
    job = next(job for job in people.apps.running["member"].jobs if job.name == "forget")
    await job._run(await people.db.now())
    assert await people.count("login_outbox") == 0


async def test_production_mode_has_no_simulator(apps: Apps, refusal: Any) -> None:
    apps.settings = apps.settings.model_copy(update={"mode": "production"})
    people = await People(apps).start()
    assert await refusal(sent(people)) == "UNIMPLEMENTED"
    assert await refusal(start(people)) == "LOGIN_PROVIDER_MISSING"
    assert await people.count("login_challenge") == 0


async def test_all_sessions_of_a_member_end_together_and_no_others(people: People, refusal: Any) -> None:
    mine = [await log_in(people)]
    await pass_time(people, "61 seconds")
    mine.append(await log_in(people))
    other = await log_in(people, "+8613800000002")
    member_id = mine[0].member.member_id
    request = member_pb2.EndAllSessionsRequest(request_id="everywhere-1", member_id=member_id)
    end_all = people.sessions.EndAllSessions
    assert await refusal(people.apps.call(end_all, request, member(other.member.member_id))) == "NOT_YOURS"
    foreign = await people.apps.call(end_all, request, system(OTHER_GROUP))
    assert foreign.ended_session_count == 0
    for _ in range(2):  # a retry answers the same
        assert (await people.apps.call(end_all, request, member(member_id))).ended_session_count == 2
    for each in mine:
        assert await refusal(refresh(people, each.tokens.refresh_token)) == "SESSION_ENDED"
    assert (await refresh(people, other.tokens.refresh_token)).access_token
