"""One person comes in through every door there is, at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from huitong.member.v1 import imports_pb2, imports_pb2_grpc, member_pb2, miniprogram_pb2
from tests.apps import GROUP, Apps, public, system
from tests.integration.member.test_login import newest_code, start
from tests.integration.member.test_mini_program import APP, PHONE, Phone
from tests.integration.member.test_mini_program import phone as phone

pytestmark = pytest.mark.timeout(120)
EACH = 40
STORE = ids.to_edge("sto", ids.derive(GROUP, "store", "S1"))
HOTEL = ids.to_edge("unt", ids.derive(GROUP, "unit", "HOTEL"))


async def patiently(apps: Apps, method: Any, make: Callable[[], Message], by: Caller) -> Any:
    """Two hundred at once are many for one small process: who is sent away asks again, and nobody hurries."""
    while True:
        try:
            return await apps.call(method, make(), by, timeout_s=60)
        except AppError as error:
            if error.reason not in ("OVERLOADED", "UNAVAILABLE"):
                raise


async def test_two_hundred_joins_through_five_doors_make_one_member(phone: Phone) -> None:
    people, apps, simulator = phone.people, phone.people.apps, phone.simulator
    await phone.register()
    simulator.add_person(PHONE)
    await start(people, PHONE)
    one_time_code = await newest_code(people, PHONE)
    files = apps.stub(imports_pb2_grpc.MemberImportServiceStub, "member")
    begin = imports_pb2.CreateMemberImportRequest(
        request_id="begin-guests", business_unit_id=HOTEL, scheme=imports_pb2.NUMBER_SCHEME_HOTEL_GUEST, name="g.csv"
    )
    import_id = (await apps.call(files.CreateMemberImport, begin, system())).member_import.import_id

    async def at_a_till(number: int) -> tuple[str, bool]:
        till = Caller(CallerKind.TERMINAL, f"trm_{number}", GROUP, bound_id=STORE)
        request = member_pb2.JoinMemberRequest(request_id=f"at-till-{number:02}", phone=PHONE, store_id=STORE)
        answer = await patiently(apps, people.members.JoinMember, lambda: request, till)
        return answer.member.member_id, answer.is_new

    async def in_a_batch(number: int) -> tuple[str, bool]:
        line = member_pb2.JoinMemberRequest(request_id=f"in-batch-{number:02}", phone=PHONE)
        request = member_pb2.JoinMembersRequest(members=[line])
        (result,) = (await patiently(apps, people.members.JoinMembers, lambda: request, system())).results
        return result.joined.member.member_id, result.joined.is_new

    async def by_phone(number: int) -> str:
        """A code is good once, whoever shows it how often."""
        request = member_pb2.CompleteLoginRequest(
            group_code="test-group", phone=PHONE, one_time_code=one_time_code, device_id=f"device-{number:04}"
        )
        try:
            answer = await patiently(apps, people.sessions.CompleteLogin, lambda: request, public())
        except AppError as error:
            return error.reason
        return str(answer.member.member_id)

    async def by_mini_program(number: int) -> str:
        def request() -> Message:  # each code is good once
            codes = {"login_code": simulator.login_code(APP, PHONE), "phone_code": simulator.phone_code(APP, PHONE)}
            return miniprogram_pb2.LogInByMiniProgramRequest(app_id=APP, **codes)

        return str((await patiently(apps, phone.stub.LogInByMiniProgram, request, public())).member.member_id)

    async def by_a_file(number: int) -> tuple[str, bool]:
        row = imports_pb2.MemberRow(request_id=f"row-{number:02}", number=f"G-{number}", phone=PHONE)
        request = imports_pb2.ImportMembersRequest(request_id=f"file-{number:06}", import_id=import_id, rows=[row])
        (result,) = (await patiently(apps, files.ImportMembers, lambda: request, system())).results
        return result.member_id, result.outcome == imports_pb2.IMPORT_OUTCOME_NEW

    doors = (at_a_till, in_a_batch, by_phone, by_mini_program, by_a_file)
    answers: list[Any] = await asyncio.gather(*(door(number) for number in range(EACH) for door in doors))
    tills, batches, logins, programs, rows = (answers[place :: len(doors)] for place in range(len(doors)))
    said_whether_new = [*tills, *batches, *rows]
    opened = [one for one in logins if one.startswith("mbr_")]
    (who,) = {*(one for one, _ in said_whether_new), *opened, *programs}
    assert len(opened) == 1 and logins.count("LOGIN_CODE_EXPIRED") == EACH - 1
    assert sum(is_new for _, is_new in said_whether_new) <= 1
    (joined,) = await people.events("MemberJoined")
    assert joined.member_id == who
    assert await people.count("member") == await people.count("standing") == 1
    # Each hotel number, the phone and the WeChat account are this member's.
    kinds = await people.db.pool.fetch("SELECT kind, count(*) FROM member_identity GROUP BY kind")
    counts = {row["kind"]: row["count"] for row in kinds}
    assert counts.pop("phone") == 1 and EACH in counts.values()
    assert sum(counts.values()) == EACH + 2
    await people.assert_invariants()
