"""Proofs of members, and the change of the phone."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

from chassis import ids
from chassis.errors import AppError
from chassis.identity import PROOF_SCOPE, SESSION_SCOPE, Caller, access_tokens, proof_tokens
from huitong.common.v1.access_pb2 import PROOF_GIFTING, PROOF_SPENDING
from huitong.member.v1 import member_pb2, proofs_pb2, proofs_pb2_grpc
from tests.apps import member, system
from tests.integration.member.conftest import People
from tests.integration.member.test_login import PHONE, log_in, newest_code, pass_time, refresh, sent
from tests.integration.member.test_mini_program import APP, Phone, phone

__all__ = ["phone"]
NEW_PHONE = "+8613800000009"


class Holder:
    """A member who is logged in, proving themselves."""

    def __init__(self, people: People, opened: Any) -> None:
        self.people, self.tokens, self.member_id = people, opened.tokens, opened.member.member_id
        self.stub = people.apps.stub(proofs_pb2_grpc.ProofServiceStub, "member")
        self.caller: Caller = access_tokens(people.apps.settings).check(self.tokens.access_token)

    async def call(self, rpc: str, caller: Caller | None = None, **fields: Any) -> Any:
        kind = getattr(proofs_pb2, f"{rpc}Request")
        request = kind(**{"request_id": ids.new().hex, "member_id": self.member_id, **fields})
        return await self.people.apps.call(getattr(self.stub, rpc), request, caller or self.caller)

    async def start(self, purpose: int = PROOF_SPENDING, **fields: Any) -> str:
        """A code for a proof."""
        assert (await self.call("StartProof", purpose=purpose, **fields)).retry_seconds == 60
        return await newest_code(self.people, PHONE)

    async def change(self, code: str, new_phone: str = NEW_PHONE, **fields: Any) -> Any:
        """Change the phone, with a proof as the gateway tells of it."""
        scopes = {**self.caller.scopes, PROOF_SCOPE: "PROOF_PHONE_CHANGE"}
        proved = replace(self.caller, scopes=scopes)
        return await self.call("ChangePhone", proved, new_phone=new_phone, one_time_code=code, **fields)

    async def code_at_new_phone(self, new_phone: str = NEW_PHONE) -> str:
        await self.call("StartPhoneChange", new_phone=new_phone)
        return await newest_code(self.people, new_phone)


async def logged_in(people: People, number: str = PHONE) -> Holder:
    return Holder(people, await log_in(people, number))


async def test_a_code_at_the_phone_gives_a_proof_of_one_purpose_and_session(people: People, refusal: Any) -> None:
    holder = await logged_in(people)
    code = await holder.start()
    assert (await sent(people, PHONE)).messages[0].purpose == "spending"
    # Neither a login, nor another purpose, nor another session of the member is opened by it.
    login = member_pb2.CompleteLoginRequest(group_code="test-group", phone=PHONE, one_time_code=code)
    assert await refusal(people.public("CompleteLogin", login)) == "LOGIN_CODE_EXPIRED"
    complete: dict[str, Any] = {"purpose": PROOF_SPENDING, "one_time_code": code, "request_id": "proof-request-1"}
    assert await refusal(holder.call("CompleteProof", **complete | {"purpose": PROOF_GIFTING})) == "LOGIN_CODE_EXPIRED"
    await pass_time(people, "61 seconds")
    second = await logged_in(people)
    assert await refusal(second.call("CompleteProof", **complete)) == "LOGIN_CODE_WRONG"
    # Ten at once and one later: one request, one proof.
    given = await asyncio.gather(*(holder.call("CompleteProof", **complete) for _ in range(10)))
    given.append(await holder.call("CompleteProof", **complete))
    assert len({each.proof for each in given}) == 1 and await people.count("proof") == 1
    assert 290 <= given[0].expire_time.ToSeconds() - time.time() <= 301
    shown = proof_tokens(people.apps.settings).check(given[0].proof)
    assert (shown.subject, shown.scopes[PROOF_SCOPE]) == (holder.member_id, "PROOF_SPENDING")
    assert shown.scopes[SESSION_SCOPE] == holder.caller.scopes[SESSION_SCOPE]
    assert await refusal(holder.call("CompleteProof", **complete | {"one_time_code": "000000"})) == "REQUEST_ID_REUSED"
    assert (
        await refusal(holder.call("CompleteProof", **complete | {"request_id": "another-one"})) == "LOGIN_CODE_EXPIRED"
    )
    assert await people.find_in_database(given[0].proof, code) == []


async def test_five_wrong_tries_end_a_proof_s_code_and_it_is_sent_once_a_minute(people: People, refusal: Any) -> None:
    holder = await logged_in(people)
    code = await holder.start(request_id="start-proof-1")
    await holder.call("StartProof", purpose=PROOF_SPENDING, request_id="start-proof-1")  # a retry sends nothing
    assert await refusal(holder.call("StartProof", purpose=PROOF_SPENDING)) == "LOGIN_TOO_OFTEN"
    wrong: dict[str, Any] = {"purpose": PROOF_SPENDING, "one_time_code": f"{(int(code) + 1) % 10**6:06}"}
    tries = await asyncio.gather(*(holder.call("CompleteProof", **wrong) for _ in range(8)), return_exceptions=True)
    reasons = sorted(each.reason for each in tries if isinstance(each, AppError))
    assert reasons == ["LOGIN_CODE_EXPIRED"] * 3 + ["LOGIN_CODE_WRONG"] * 5
    right: dict[str, Any] = {"purpose": PROOF_SPENDING, "one_time_code": code}
    assert await refusal(holder.call("CompleteProof", **right)) == "LOGIN_CODE_EXPIRED"
    assert await people.count("proof") == 0


async def test_an_ended_session_and_a_stranger_prove_nothing(people: People, refusal: Any) -> None:
    holder, other = await logged_in(people), await logged_in(people, "+8613800000002")
    code = await holder.start()
    assert await refusal(holder.call("StartProof", other.caller, purpose=PROOF_SPENDING)) == "NOT_YOURS"
    bare = member(holder.member_id)  # a token that names no session
    assert await refusal(holder.call("StartProof", bare, purpose=PROOF_SPENDING)) == "SESSION_ENDED"
    stolen = replace(holder.caller, scopes=other.caller.scopes)  # another member's session
    assert await refusal(holder.call("StartProof", stolen, purpose=PROOF_SPENDING)) == "SESSION_ENDED"
    request = member_pb2.EndAllSessionsRequest(request_id="everywhere-1", member_id=holder.member_id)
    await people.apps.call(people.sessions.EndAllSessions, request, holder.caller)
    complete: dict[str, Any] = {"purpose": PROOF_SPENDING, "one_time_code": code}
    assert await refusal(holder.call("CompleteProof", **complete)) == "SESSION_ENDED"
    assert await refusal(holder.call("StartPhoneChange", new_phone=NEW_PHONE)) == "SESSION_ENDED"
    assert await refusal(holder.change("000000")) == "SESSION_ENDED"


async def test_a_fresh_login_of_the_mini_program_is_a_proof(phone: Phone, refusal: Any) -> None:
    await phone.register()
    holder = Holder(phone.people, await phone.log_in(shows_phone=True))
    await phone.log_in("+8613800000002", shows_phone=True)

    def shown(number: str, **more: str) -> dict[str, Any]:
        login = {"app_id": APP, "login_code": phone.simulator.login_code(APP, number), **more}
        return {"purpose": PROOF_GIFTING, "mini_program_login": login}

    mine = {**shown(PHONE), "request_id": "proof-request-1"}
    given = await holder.call("CompleteProof", **mine)
    assert proof_tokens(phone.people.apps.settings).check(given.proof).proofs == ["PROOF_GIFTING"]
    assert await holder.call("CompleteProof", **mine) == given  # a retry, although the code is used up
    again = {**mine, "request_id": "proof-request-2"}
    assert await refusal(holder.call("CompleteProof", **again)) == "MINI_PROGRAM_CODE_INVALID"
    assert await refusal(holder.call("CompleteProof", **shown("+8613800000002"))) == "PROOF_NOT_THE_MEMBER"
    assert await refusal(holder.call("CompleteProof", **shown(PHONE, app_id="wx-other"))) == "MINI_PROGRAM_UNKNOWN"


async def test_the_phone_changes_and_the_old_one_is_free(people: People, refusal: Any) -> None:
    holder = await logged_in(people)
    await pass_time(people, "61 seconds")
    elsewhere = await logged_in(people)
    # Without a proof the service itself refuses, whatever the gateway said.
    unproved = holder.call("ChangePhone", new_phone=NEW_PHONE, one_time_code="000000")
    assert await refusal(unproved) == "PROOF_NEEDED"
    code = await holder.code_at_new_phone()
    assert (await sent(people, NEW_PHONE)).messages[0].purpose == "new-phone"
    assert await refusal(holder.change(f"{(int(code) + 1) % 10**6:06}")) == "LOGIN_CODE_WRONG"
    assert await refusal(holder.change(code, "+8613800000008")) == "LOGIN_CODE_EXPIRED"
    results = await asyncio.gather(*(holder.change(code, request_id="change-phone-1") for _ in range(5)))
    assert {each.member.masked_phone for each in results} == {"138****0009"}
    assert len(await people.events("MemberPhoneChanged")) == 1
    assert await refusal(holder.change("000000", request_id="change-phone-1")) == "REQUEST_ID_REUSED"
    # The session that changed it goes on, the other one has ended.
    assert (await refresh(people, holder.tokens.refresh_token)).access_token
    assert await refusal(refresh(people, elsewhere.tokens.refresh_token)) == "SESSION_ENDED"
    assert (await people.identify(phone=NEW_PHONE)).member_id == holder.member_id
    newcomer = (await people.join(PHONE)).member
    assert newcomer.member_id != holder.member_id
    assert (await log_in(people, NEW_PHONE)).member.member_id == holder.member_id
    assert await people.find_in_database(NEW_PHONE, PHONE, code) == []


async def test_a_phone_of_another_member_is_refused_and_two_changes_are_the_most(people: People, refusal: Any) -> None:
    holder = await logged_in(people)
    await people.join(NEW_PHONE)
    code = await holder.code_at_new_phone()
    # The member is held up as well as the phone: nobody sends messages to as many phones as they like.
    assert await refusal(holder.code_at_new_phone("+8613800000007")) == "LOGIN_TOO_OFTEN"
    assert await refusal(holder.change(code)) == "PHONE_TAKEN"
    assert (await people.identify(phone=PHONE)).member_id == holder.member_id
    for number in ("+8613800000006", "+8613800000005"):
        await pass_time(people, "61 seconds")
        await holder.change(await holder.code_at_new_phone(number), number)
    await pass_time(people, "61 seconds")
    assert await refusal(holder.code_at_new_phone("+8613800000004")) == "PHONE_CHANGED_TOO_OFTEN"
    await people.db.pool.execute("UPDATE phone_change SET change_time = change_time - interval '31 days'")
    await holder.code_at_new_phone("+8613800000004")
    owned = "SELECT count(*) FROM member_identity WHERE kind = 'phone' AND member_id = $1"
    assert await people.db.pool.fetchval(owned, ids.from_edge("mbr", holder.member_id, "")) == 1


async def test_only_a_member_proves_themselves_and_for_something(people: People, refusal: Any) -> None:
    holder = await logged_in(people)
    assert await refusal(holder.call("StartProof", system(), purpose=PROOF_SPENDING)) == "PERMISSION_DENIED"
    for purpose in (0, 99):
        noise = holder.call("CompleteProof", purpose=purpose, one_time_code="000000")
        assert await refusal(noise) == "INVALID_ARGUMENT"
