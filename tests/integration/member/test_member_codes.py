"""Dynamic member codes at a till, by the real clock."""

from __future__ import annotations

import asyncio
import hmac
import time
from typing import Any

import pytest

from chassis import ids
from chassis.identity import Caller, CallerKind
from huitong.member.v1 import member_pb2, risk_pb2, risk_pb2_grpc
from services.member import api
from tests.apps import GROUP, member, operator, system, terminal
from tests.integration.member.conftest import OTHER_GROUP, People


class Clock:
    """The real clock as member's api sees it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = (time.time() // 30) * 30 + 10
        monkeypatch.setattr(api, "time", self)

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def test_code_is_read_without_being_used_up(people: People, clock: Clock) -> None:
    member_id = (await people.join()).member.member_id
    shown = await people.code(member_id)
    for _ in range(3):
        found = await people.identify(member_code=shown.member_code)
        assert (found.member_id, found.may_spend) == (member_id, True)
    assert await people.count("code_use") == 0
    assert shown.expire_time.ToSeconds() == clock.now - 10 + 60


async def test_code_is_spent_once_and_the_purchase_that_spent_it_may_ask_again(
    people: People, clock: Clock, refusal: Any
) -> None:
    member_id = (await people.join()).member.member_id
    code = (await people.code(member_id)).member_code
    first = await people.identify(member_code=code, spend_request_id="purchase-1")
    assert first.may_spend
    assert await people.identify(member_code=code, spend_request_id="purchase-1") == first
    assert await refusal(people.identify(member_code=code, spend_request_id="purchase-2")) == "MEMBER_CODE_USED"
    assert not (await people.identify(member_code=code)).may_spend  # good for earning still
    fresh = (await people.code(member_id)).member_code
    assert fresh != code  # the member need not wait for the next half minute
    assert (await people.identify(member_code=fresh, spend_request_id="purchase-2")).may_spend
    clock.now += 300
    assert await people.identify(member_code=code, spend_request_id="purchase-1") == first
    assert await refusal(people.identify(member_code=code, spend_request_id="purchase-3")) == "MEMBER_CODE_EXPIRED"
    assert await refusal(people.identify(member_code=code)) == "MEMBER_CODE_EXPIRED"


async def test_of_twenty_purchases_at_once_one_gets_the_code(people: People, clock: Clock) -> None:
    code = (await people.code((await people.join()).member.member_id)).member_code
    outcomes = await asyncio.gather(
        *(people.identify(member_code=code, spend_request_id=f"purchase-{number}") for number in range(20)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len(refused) == 19
    assert {outcome.reason for outcome in refused} == {"MEMBER_CODE_USED"}  # type: ignore[attr-defined]
    assert await people.count("code_use") == 1


async def test_code_ends_after_its_next_step(people: People, clock: Clock, refusal: Any) -> None:
    code = (await people.code((await people.join()).member.member_id)).member_code
    clock.now += 49.9
    assert (await people.identify(member_code=code)).may_spend
    clock.now += 0.2
    assert await refusal(people.identify(member_code=code, spend_request_id="late")) == "MEMBER_CODE_EXPIRED"


async def test_forged_or_foreign_code_is_invalid(people: People, clock: Clock, refusal: Any) -> None:
    code = (await people.code((await people.join()).member.member_id)).member_code
    last = str((int(code[-1]) + 1) % 10)
    for wrong in (code[:-1] + last, code[:-1], code + "0", "x" * 24, "１" * 24, "\x00" * 24):
        assert await refusal(people.identify(member_code=wrong)) == "MEMBER_CODE_INVALID"
    assert await refusal(people.identify(OTHER_GROUP, member_code=code)) == "MEMBER_CODE_INVALID"
    broken = people.identify(member_code=code, spend_request_id="a\x00b")
    assert await refusal(broken) == "INVALID_ARGUMENT"


async def test_code_is_shown_to_its_member_only(people: People, refusal: Any) -> None:
    mine, other = (await people.join()).member, (await people.join("+8613800000002")).member
    request = member_pb2.GetMemberCodeRequest(member_id=mine.member_id)
    for who, reason in ((member(other.member_id), "NOT_YOURS"), (system(), "PERMISSION_DENIED")):
        assert await refusal(people.apps.call(people.members.GetMemberCode, request, who)) == reason
    foreign = member(mine.member_id, OTHER_GROUP)
    assert await refusal(people.apps.call(people.members.GetMemberCode, request, foreign)) == "MEMBER_UNKNOWN"


def phone_code(seed: member_pb2.GetMemberCodeSeedResponse, phone_time_s: float, serial: int) -> str:
    """As a phone makes it from what the proto's comment says, without our code."""
    step = int(phone_time_s // seed.step_seconds)
    parts = [part for value in (step, serial) for part in (len(str(value)).to_bytes(4, "big"), str(value).encode())]
    digest = hmac.digest(bytes.fromhex(seed.seed), b"".join(parts), "sha256")
    return f"{seed.member_no}{step % 1000:03}{serial}{int.from_bytes(digest) % 10**10:010}"


async def test_a_phone_that_is_offline_makes_codes_that_are_good_once(
    people: People, clock: Clock, refusal: Any
) -> None:
    member_id = (await people.join()).member.member_id
    asked = member_pb2.GetMemberCodeSeedRequest(member_id=member_id)
    seed = await people.apps.call(people.members.GetMemberCodeSeed, asked, member(member_id))
    for error_s in (-60, 0, 60):
        code = phone_code(seed, clock.now + error_s, seed.first_serial)
        found = await people.identify(member_code=code, spend_request_id=f"purchase{error_s}")
        assert (found.member_id, found.may_spend) == (member_id, True)
        again = people.identify(member_code=code, spend_request_id=f"second-till{error_s}")
        assert await refusal(again) == "MEMBER_CODE_USED"
    fresh = phone_code(seed, clock.now, seed.last_serial)
    assert (await people.identify(member_code=fresh, spend_request_id="next")).may_spend
    old = phone_code(seed, clock.now - 180, seed.first_serial)
    assert await refusal(people.identify(member_code=old)) == "MEMBER_CODE_EXPIRED"
    early = phone_code(seed, clock.now + 120, seed.first_serial)
    assert await refusal(people.identify(member_code=early)) == "MEMBER_CODE_INVALID"


async def test_a_seed_is_its_members_alone(people: People, refusal: Any) -> None:
    mine, other = (await people.join()).member, (await people.join("+8613800000002")).member
    request = member_pb2.GetMemberCodeSeedRequest(member_id=mine.member_id)
    for who, reason in ((member(other.member_id), "NOT_YOURS"), (system(), "PERMISSION_DENIED")):
        assert await refusal(people.apps.call(people.members.GetMemberCodeSeed, request, who)) == reason


async def test_a_seed_ends_with_everything_that_locks_a_phone_out(people: People, clock: Clock, refusal: Any) -> None:
    joined = (await people.join()).member
    risk = people.apps.stub(risk_pb2_grpc.RiskServiceStub, "member")
    asked = member_pb2.GetMemberCodeSeedRequest(member_id=joined.member_id)

    async def seed() -> member_pb2.GetMemberCodeSeedResponse:
        found: member_pb2.GetMemberCodeSeedResponse = await people.apps.call(
            people.members.GetMemberCodeSeed, asked, member(joined.member_id)
        )
        return found

    async def freeze_and_thaw() -> None:
        freeze = risk_pb2.FreezeMemberRequest(request_id=ids.new().hex, member_id=joined.member_id, reason_code="LOST")
        await people.apps.call(risk.FreezeMember, freeze, system())
        thaw = risk_pb2.UnfreezeMemberRequest(request_id=ids.new().hex, member_id=joined.member_id, reason_code="FOUND")
        await people.apps.call(risk.UnfreezeMember, thaw, system())

    async def log_out() -> None:
        request = member_pb2.EndAllSessionsRequest(request_id=ids.new().hex, member_id=joined.member_id)
        await people.apps.call(people.sessions.EndAllSessions, request, member(joined.member_id))

    for lock_out in (freeze_and_thaw, log_out):
        stolen, shown = await seed(), (await people.code(joined.member_id)).member_code
        code = phone_code(stolen, clock.now, stolen.first_serial)
        assert (await people.identify(member_code=code)).may_spend
        await lock_out()
        assert await refusal(people.identify(member_code=code, spend_request_id="thief")) == "MEMBER_CODE_INVALID"
        assert await refusal(people.identify(member_code=shown)) == "MEMBER_CODE_INVALID"
        fresh = await seed()
        assert (await people.identify(member_code=phone_code(fresh, clock.now, fresh.first_serial))).may_spend
        assert (await people.identify(member_code=(await people.code(joined.member_id)).member_code)).may_spend


async def test_who_looks_at_a_code_keeps_nothing_for_later(people: People, refusal: Any) -> None:
    joined = (await people.join()).member
    code = (await people.code(joined.member_id)).member_code
    request = member_pb2.IdentifyMemberRequest(member_code=code, spend_request_id="benefit of-later")
    till = terminal(ids.to_edge("sto", ids.derive(GROUP, "store", "S1")))
    partner = Caller(CallerKind.PARTNER, "ptn_1", GROUP, scopes={"": "member.members.identify"})
    for who in (till, partner, operator("clerk")):
        assert await refusal(people.apps.call(people.members.IdentifyMember, request, who)) == "INVALID_ARGUMENT"
    assert await people.count("code_use") == 0
    assert (await people.identify(member_code=code, spend_request_id="purchase-now")).may_spend
