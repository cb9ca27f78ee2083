"""Operators over gRPC on a real database: invitation, enrolment, login, lock-out, sessions, grants."""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import Any
from uuid import UUID

import pytest
from argon2 import PasswordHasher, extract_parameters, profiles

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from huitong.org.v1 import operators_pb2 as pb
from services.org.operators.passwords import Passwords
from tests.apps import GROUP, Apps, internal, system
from tests.people import M1, MALL, PASSWORD, S1, People, Person, grant, totp

OTHER_GROUP = ids.derive("group", "other-group")


@pytest.fixture
async def people(apps: Apps) -> People:
    return await People(apps).start()


async def refusal(call: Any) -> str:
    with pytest.raises(AppError) as refused:
        await call
    return refused.value.reason


async def look_up(people: People, token: str) -> Any:
    request = pb.GetOperatorSessionRequest(token_hash=hashlib.sha256(token.encode()).digest())
    return await people.apps.call(people.sessions.GetOperatorSession, request, internal("gateway", UUID(int=0)))


async def test_an_invited_person_enrols_and_logs_in(people: People) -> None:
    invited = await people.invite(grant("MERCHANT_OWNER", M1), login="wang.wu")
    assert invited.operator.state == pb.OPERATOR_STATE_INVITED
    begun = await people.open("BeginEnrolment", pb.BeginEnrolmentRequest(invitation=invited.invitation))
    assert begun.login == "wang.wu"
    assert begun.totp_uri.startswith("otpauth://totp/Huitong:wang.wu?") and begun.totp_secret in begun.totp_uri
    again = await people.open("BeginEnrolment", pb.BeginEnrolmentRequest(invitation=invited.invitation))
    assert again == begun
    person = await people.take_up(invited)
    opened = await people.open("LogIn", people.login(person, login="Wang.Wu"))
    assert opened.session_token.startswith("hts_")
    assert opened.operator.state == pb.OPERATOR_STATE_ACTIVE
    assert 11.9 * 3600 < opened.expire_time.ToSeconds() - time.time() < 12.1 * 3600
    found = await look_up(people, opened.session_token)
    assert (found.group_id, found.operator_id) == (ids.to_edge("grp", GROUP), person.operator_id)
    assert list(found.permissions) == [M1]
    assert "settlement.statements.read" in found.permissions[M1].split()


async def test_an_invitation_is_answered_again_to_its_request_and_is_good_once(people: People) -> None:
    request = pb.InviteOperatorRequest(request_id=ids.new().hex, login=f"l{ids.new().hex[-9:]}", name="N")
    first, second = await people.call("InviteOperator", request), await people.call("InviteOperator", request)
    assert first == second and first.invitation.startswith("hti_")
    await people.take_up(first)
    begin = pb.BeginEnrolmentRequest(invitation=first.invitation)
    assert await refusal(people.open("BeginEnrolment", begin)) == "INVITATION_INVALID"
    assert await refusal(people.invite(login=request.login)) == "LOGIN_TAKEN"
    other = await people.invite(login=request.login, group_id=OTHER_GROUP)
    assert other.operator.operator_id != first.operator.operator_id


async def test_a_reset_gives_another_invitation_whatever_the_requests_are_called(people: People) -> None:
    request = pb.InviteOperatorRequest(request_id="reset:alike-01", login=f"l{ids.new().hex[-9:]}", name="N")
    invited = await people.call("InviteOperator", request)
    await people.take_up(invited)
    reset = pb.ResetOperatorRequest(request_id="alike-01", operator_id=invited.operator.operator_id)
    again = await people.call("ResetOperator", reset)
    assert again.invitation != invited.invitation
    begin = pb.BeginEnrolmentRequest(invitation=invited.invitation)
    assert await refusal(people.open("BeginEnrolment", begin)) == "INVITATION_INVALID"
    await people.take_up(again)


async def test_an_invitation_ends_after_seven_days(people: People) -> None:
    invited = await people.invite()
    days = (invited.operator.invitation_expire_time.ToSeconds() - time.time()) / 86400
    assert 6.9 < days < 7.1
    operator_id = ids.from_edge("opr", invited.operator.operator_id, "")
    await people.db.pool.execute(
        "UPDATE operator SET invitation_expire_time = clock_timestamp() WHERE operator_id = $1", operator_id
    )
    begin = pb.BeginEnrolmentRequest(invitation=invited.invitation)
    assert await refusal(people.open("BeginEnrolment", begin)) == "INVITATION_INVALID"


async def test_enrolment_needs_the_app_s_code_and_a_good_password(people: People) -> None:
    invited = await people.invite()
    fields = {"invitation": invited.invitation, "password": PASSWORD, "totp_code": "000000"}
    complete = pb.CompleteEnrolmentRequest(**fields)
    assert await refusal(people.open("CompleteEnrolment", complete)) == "ENROLMENT_NOT_BEGUN"
    begun = await people.open("BeginEnrolment", pb.BeginEnrolmentRequest(invitation=invited.invitation))
    wrong = totp(begun.totp_secret, step=10)
    complete = pb.CompleteEnrolmentRequest(**(fields | {"totp_code": wrong}))
    assert await refusal(people.open("CompleteEnrolment", complete)) == "TOTP_CODE_WRONG"
    for password in ("short", "aaaaaaaaaaaaaaaa", f"xyz-{invited.operator.login.upper()}-12345"):
        request = pb.CompleteEnrolmentRequest(**(fields | {"password": password}))
        assert await refusal(people.open("CompleteEnrolment", request)) == "PASSWORD_WEAK"
    assert (await people.take_up(invited)).login == invited.operator.login


async def test_every_wrong_thing_is_answered_alike_and_checks_a_password(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await people.enrol(grant("GROUP_ADMIN"))
    disabled = await people.enrol()
    await people.call(
        "DisableOperator", pb.DisableOperatorRequest(request_id="d" * 8, operator_id=disabled.operator_id)
    )
    invited = (await people.invite()).operator.login
    checked: list[str] = []
    verify = Passwords._verify

    def counting(self: Passwords, password_hash: str, password: str) -> bool:
        checked.append(password_hash.rsplit("$", 2)[0])
        return verify(self, password_hash, password)

    monkeypatch.setattr(Passwords, "_verify", counting)
    tries = [
        {"login": "nobody.here"},
        {"password": "wrong horse battery"},
        {"totp_code": totp(person.totp_secret, step=7)},
        {"group_code": "no-such-group"},
        {"group_code": "other-group"},
        {"login": invited},
    ]
    answers = set()
    for changes in tries:
        with pytest.raises(AppError) as refused:
            await people.open("LogIn", people.login(person, **changes))
        answers.add((refused.value.code, refused.value.reason, refused.value.message, len(refused.value.values)))
    with pytest.raises(AppError) as refused:
        await people.open("LogIn", people.login(disabled))
    answers.add((refused.value.code, refused.value.reason, refused.value.message, len(refused.value.values)))
    assert {answer[1] for answer in answers} == {"LOGIN_REFUSED"} and len(answers) == 1
    # Each compared one hash, all made with the same parameters: they take the same time.
    assert len(checked) == len(tries) + 1 and len(set(checked)) == 1


async def test_a_code_works_once_and_one_step_to_either_side(people: People) -> None:
    person = await people.enrol()
    now = time.time()
    request = people.login(person, totp_code=totp(person.totp_secret, now=now))
    await people.open("LogIn", request)
    assert await refusal(people.open("LogIn", request)) == "LOGIN_REFUSED"
    before = people.login(person, totp_code=totp(person.totp_secret, now=now, step=-1))
    assert await refusal(people.open("LogIn", before)) == "LOGIN_REFUSED", "older than one that was used"
    await people.open("LogIn", people.login(person, totp_code=totp(person.totp_secret, now=now, step=1)))


async def test_a_code_that_many_use_at_once_opens_one_session(people: People) -> None:
    person = await people.enrol()
    calls = (people.open("LogIn", people.login(person), f"10.1.0.{n}") for n in range(4))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(answer, pb.LogInResponse) for answer in answers) == 1


async def test_a_login_waits_longer_after_each_failure_and_guesses_at_once_are_counted(people: People) -> None:
    person = await people.enrol()

    async def guess(login: str, number: int) -> AppError:
        with pytest.raises(AppError) as refused:
            request = people.login(person, login=login, password=f"wrong wrong wrong {number}")
            await people.open("LogIn", request, f"10.2.0.{number}")
        return refused.value

    for login in ("not.an.operator", person.login):
        answers = [error.reason for error in await asyncio.gather(*(guess(login, n) for n in range(12)))]
        assert sorted(answers) == ["LOGIN_LOCKED"] * 7 + ["LOGIN_REFUSED"] * 5
        waits = []
        for number in range(6):
            error = await guess(login, 100 + number)
            assert error.reason == "LOGIN_LOCKED"
            waits.append(int(error.values["retry_seconds"]))
            await people.db.pool.execute("UPDATE login_tries SET locked_until = clock_timestamp()")
            assert (await guess(login, 200 + number)).reason == "LOGIN_REFUSED"
        assert [round(wait, -1) for wait in waits] == [60, 120, 240, 480, 900, 900]
    assert await refusal(people.open("LogIn", people.login(person))) == "LOGIN_LOCKED", "the right password waits, too"
    await people.db.pool.execute("UPDATE login_tries SET locked_until = clock_timestamp()")
    await people.log_in(person)
    assert (await guess(person.login, 1)).reason == "LOGIN_REFUSED", "a success forgets the failures before it"


async def test_an_address_that_guesses_at_many_logins_waits(people: People) -> None:
    person = await people.enrol()
    reasons = []
    for number in range(32):
        request = people.login(person, login=f"nobody{number}")
        reasons.append(await refusal(people.open("LogIn", request, "10.3.0.1")))
    assert reasons == ["LOGIN_REFUSED"] * 30 + ["LOGIN_LOCKED"] * 2
    assert await people.log_in(person, "10.3.0.2")


@pytest.mark.usefixtures("real_passwords")
async def test_a_hash_with_older_parameters_is_made_anew_at_login(people: People) -> None:
    person = await people.enrol()
    operator_id = ids.from_edge("opr", person.operator_id, "")
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    await people.db.pool.execute("UPDATE operator SET password_hash = $2 WHERE operator_id = $1", operator_id, old)
    await people.log_in(person)
    new = await people.db.pool.fetchval("SELECT password_hash FROM operator WHERE operator_id = $1", operator_id)
    assert new != old and new.startswith("$argon2id$")
    assert extract_parameters(new) == profiles.RFC_9106_LOW_MEMORY
    await people.log_in(person)


@pytest.mark.parametrize("column", ["last_use_time = last_use_time - interval '30 minutes'", "expire_time = now()"])
async def test_a_session_ends_when_idle_and_in_any_case(people: People, column: str) -> None:
    token = await people.log_in(await people.enrol())
    await look_up(people, token)
    await people.db.pool.execute(f"UPDATE operator_session SET {column}")
    assert await refusal(look_up(people, token)) == "SESSION_UNKNOWN"


async def test_use_keeps_a_session_from_being_idle(people: People) -> None:
    token = await people.log_in(await people.enrol())
    await people.db.pool.execute("UPDATE operator_session SET last_use_time = last_use_time - interval '29 minutes'")
    await look_up(people, token)
    await people.db.pool.execute("UPDATE operator_session SET last_use_time = last_use_time - interval '29 minutes'")
    await look_up(people, token)


async def test_sessions_are_listed_and_end_by_logout_by_an_admin_by_reset_and_by_disabling(people: People) -> None:
    person = await people.enrol(grant("AUDITOR"))
    which: dict[str, Any] = {"operator_id": person.operator_id}

    async def fresh() -> str:
        token = await people.log_in(person, "10.9.8.7")
        await look_up(people, token)
        return token

    async def is_over(token: str) -> bool:
        return await refusal(look_up(people, token)) == "SESSION_UNKNOWN"

    first, second = await fresh(), await fresh()
    listed = await people.call("ListOperatorSessions", pb.ListOperatorSessionsRequest(**which))
    assert [one.address for one in listed.sessions] == ["10.9.8.7"] * 2
    await people.open("LogOut", pb.LogOutRequest(session_token=first))
    assert await is_over(first)
    await look_up(people, second)
    await people.open("LogOut", pb.LogOutRequest(session_token="hts_unknown"))
    request = pb.EndOperatorSessionsRequest(request_id=ids.new().hex, **which)
    assert (await people.call("EndOperatorSessions", request)).ended_count == 1
    assert await is_over(second)
    third = await fresh()
    reset = await people.call("ResetOperator", pb.ResetOperatorRequest(request_id=ids.new().hex, **which))
    assert await is_over(third)
    assert await refusal(people.open("LogIn", people.login(person))) == "LOGIN_REFUSED"
    old_secret = person.totp_secret
    person = await people.take_up(reset, "another horse battery")
    assert person.totp_secret != old_secret
    fourth = await fresh()
    disable = pb.DisableOperatorRequest(request_id=ids.new().hex, **which)
    assert (await people.call("DisableOperator", disable)).operator.state == pb.OPERATOR_STATE_DISABLED
    assert await is_over(fourth)
    for rpc, request_type in (
        ("ResetOperator", pb.ResetOperatorRequest),
        ("SetOperatorGrants", pb.SetOperatorGrantsRequest),
    ):
        assert await refusal(people.call(rpc, request_type(request_id=ids.new().hex, **which))) == "OPERATOR_DISABLED"


async def test_no_secret_of_a_person_is_in_the_database(people: People) -> None:
    invited = await people.invite()
    person = await people.take_up(invited)
    token = await people.log_in(person)
    secrets = [invited.invitation, person.totp_secret, person.password, token]
    tables = [
        row[0] for row in await people.db.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ]
    for table in tables:
        for row in await people.db.pool.fetch(f"SELECT * FROM {table}"):
            for value in row.values():
                content = value if isinstance(value, bytes) else str(value).encode()
                assert not any(secret.encode() in content for secret in secrets), table


async def test_grants_are_checked_and_replaced(people: People) -> None:
    bad = [
        (grant("GROUP_ADMIN", MALL), "GRANT_SCOPE_WRONG"),
        (grant("MERCHANT_OWNER"), "GRANT_SCOPE_WRONG"),
        (grant("MERCHANT_OWNER", S1), "GRANT_SCOPE_WRONG"),
        (grant("UNIT_OPERATOR", "key_1"), "GRANT_SCOPE_WRONG"),
        (grant("UNIT_OPERATOR", "unt_1"), "INVALID_ARGUMENT"),
        (grant("UNIT_OPERATOR", ids.to_edge("unt", ids.new())), "BUSINESS_UNIT_UNKNOWN"),
        (grant("MERCHANT_CLERK", ids.to_edge("mch", ids.new())), "MERCHANT_UNKNOWN"),
        (grant("MERCHANT_CLERK", ids.to_edge("sto", ids.new())), "STORE_UNKNOWN"),
    ]
    for each, reason in bad:
        assert await refusal(people.invite(each)) == reason
    assert await refusal(people.invite(grant("MERCHANT_OWNER", M1), group_id=OTHER_GROUP)) == "MERCHANT_UNKNOWN"
    person = await people.enrol(grant("MERCHANT_CLERK", S1))
    token = await people.log_in(person)
    request = pb.SetOperatorGrantsRequest(
        request_id=ids.new().hex, operator_id=person.operator_id, grants=[grant("AUDITOR"), grant("MERCHANT_OWNER", M1)]
    )
    changed = (await people.call("SetOperatorGrants", request)).operator
    assert [(one.role, one.scope_id) for one in changed.grants] == [(pb.ROLE_AUDITOR, ""), (pb.ROLE_MERCHANT_OWNER, M1)]
    assert set((await look_up(people, token)).permissions) == {"", M1}
    assert (await people.call("GetOperator", pb.GetOperatorRequest(operator_id=person.operator_id))).operator == changed


async def test_nobody_changes_their_own_access(people: People) -> None:
    person = await people.enrol(grant("GROUP_ADMIN"))
    who = Caller(CallerKind.OPERATOR, person.operator_id, GROUP, "ops_1", {"": "*"})
    own: dict[str, Any] = {"request_id": ids.new().hex, "operator_id": person.operator_id}
    for rpc in ("SetOperatorGrants", "DisableOperator", "ResetOperator"):
        request = getattr(pb, f"{rpc}Request")(**own)
        assert await refusal(people.call(rpc, request, who)) == "OWN_ACCOUNT"
    other: Person = await people.enrol()
    await people.call("DisableOperator", pb.DisableOperatorRequest(**(own | {"operator_id": other.operator_id})), who)


async def test_operators_are_listed_by_login_and_stay_in_their_group(people: People) -> None:
    made = sorted([(await people.invite()).operator.login for _ in range(3)])
    seen, token = [], ""
    while True:
        page = await people.call("ListOperators", pb.ListOperatorsRequest(page_size=2, page_token=token))
        seen += [one.login for one in page.operators]
        token = page.next_page_token
        if not token:
            break
    assert seen == sorted(seen) and set(made) <= set(seen)
    one = page.operators[0].operator_id
    elsewhere = await people.call("ListOperators", pb.ListOperatorsRequest(page_size=200), system(OTHER_GROUP))
    assert not {operator.login for operator in elsewhere.operators} & set(made)
    for rpc in ("DisableOperator", "ResetOperator", "EndOperatorSessions", "SetOperatorGrants"):
        request = getattr(pb, f"{rpc}Request")(request_id=ids.new().hex, operator_id=one)
        assert await refusal(people.call(rpc, request, system(OTHER_GROUP))) == "OPERATOR_UNKNOWN"


async def test_only_the_gateway_looks_sessions_up(people: People) -> None:
    request = pb.GetOperatorSessionRequest(token_hash=bytes(32))
    for who in (internal("member"), system()):
        call = people.apps.call(people.sessions.GetOperatorSession, request, who)
        assert await refusal(call) == "PERMISSION_DENIED"
