"""The gateway in front of real members: tokens whose key changes, and proofs, all over HTTP."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from pydantic import SecretStr
from redis.exceptions import ConnectionError

from chassis import ended_sessions, ids
from gateway.app import App, Parts, mount
from huitong.org.v1 import org_pb2, org_pb2_grpc
from tests.apps import Apps, internal
from tests.integration.points.world import violations
from tests.integration.test_gateway_with_org import Outside

OLD, NEW = SecretStr("o" * 40), SecretStr("n" * 40)
NO_KEY = SecretStr("")


class Person:
    """A member with their app."""

    def __init__(self, town: Town, phone: str, opened: dict[str, Any]) -> None:
        self.town, self.phone = town, phone
        self.member_id: str = opened["member"]["member_id"]
        self.access, self.refresh = opened["tokens"]["access_token"], opened["tokens"]["refresh_token"]

    async def post(self, path: str, *, proof: str = "", client: httpx.AsyncClient | None = None, **fields: Any) -> Any:
        headers = {"authorization": f"Bearer {self.access}"} | ({"huitong-proof": proof} if proof else {})
        path, fields = path.replace("{me}", self.member_id), {"request_id": ids.new().hex} | fields
        return await (client or self.town.client).post(path, json=fields, headers=headers)

    async def balance(self, client: httpx.AsyncClient | None = None) -> httpx.Response:
        path, headers = f"/v1/members/{self.member_id}/balance", {"authorization": f"Bearer {self.access}"}
        return await (client or self.town.client).get(path, headers=headers)

    async def prove(self, purpose: str) -> str:
        """A proof by a code at the phone."""
        started = await self.post("/v1/members/{me}/proofs:start", purpose=purpose)
        assert started.status_code == 200, started.text
        code = await self.town.newest_code(self.phone)
        done = await self.post("/v1/members/{me}/proofs:complete", purpose=purpose, one_time_code=code)
        assert done.status_code == 200, done.text
        proof: str = done.json()["proof"]
        return proof

    async def renew(self) -> None:
        """New tokens by the refresh token."""
        done = await self.town.client.post("/v1/login:refresh", json={"refresh_token": self.refresh})
        assert done.status_code == 200, done.text
        tokens = done.json()["tokens"]
        self.access, self.refresh = tokens["access_token"], tokens["refresh_token"]


class Town(Outside):
    """A group whose members have points, behind a gateway."""

    def __init__(self, client: httpx.AsyncClient, made: org_pb2.CreateGroupResponse, apps: Apps) -> None:
        super().__init__(client, made.system_credential.key_id, made.secret)
        self.apps = apps

    async def newest_code(self, phone: str) -> str:
        sent = await self.done("GET", f"/v1/simulator/messages?phone=%2B{phone[1:]}")
        code: str = sent["messages"][0]["one_time_code"]
        return code

    async def log_in(self, phone: str) -> Person:
        login = {"group_code": "town", "phone": phone}
        assert (await self.client.post("/v1/login:start", json=login)).status_code == 200
        login["one_time_code"] = await self.newest_code(phone)
        done = await self.client.post("/v1/login:complete", json=login)
        assert done.status_code == 200, done.text
        return Person(self, phone, done.json())

    async def forget_waiting(self) -> None:
        """As if a minute had passed since codes were sent."""
        pool = self.apps.running["member"].db.pool
        await pool.execute("UPDATE login_challenge SET send_time = send_time - interval '61 seconds'")


@asynccontextmanager
async def gateway(apps: Apps, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    parts, app = Parts.of(apps.settings.model_copy(update=settings)), App()
    mount(app, parts)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway")
    try:
        yield client
    finally:
        await client.aclose()
        await parts.upstream.close()
        await parts.gate.close()


@pytest_asyncio.fixture
async def town(apps: Apps) -> AsyncIterator[Town]:
    apps.settings = apps.settings.model_copy(update={"access_key": OLD})
    await apps.start("org", "member", "points")
    structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
    request = org_pb2.CreateGroupRequest(request_id="create-town", code="town", name="Town")
    made = await apps.call(structure.CreateGroup, request, internal("suite"))
    async with gateway(apps) as client:
        await apps.drain()
        yield Town(client, made, apps)


async def test_the_key_changes_and_nobody_is_logged_out(town: Town) -> None:
    person = await town.log_in("+8613800000001")
    assert key_of(person.access) == key_of((await town.log_in("+8613800000002")).access)
    assert (await person.balance()).status_code in (200, 404)
    # First the gateways: they take both, and member still signs with the old one.
    both = {"access_key": NEW, "access_key_previous": OLD}
    async with gateway(town.apps, **both) as renewed:
        assert (await person.balance(renewed)).status_code == (await person.balance()).status_code
        before = person.access
        # Then member.
        town.apps.settings = town.apps.settings.model_copy(update=both)
        await town.apps.stop("member")
        await town.apps.start("member")
        town.client = renewed
        assert (await person.balance()).status_code != 401
        await person.renew()
        assert key_of(person.access) != key_of(before)
        assert (await person.balance()).status_code != 401
    # The old one is taken out: what it signed is refused, what the new one signed goes on, and so does the session.
    async with gateway(town.apps, access_key=NEW, access_key_previous=NO_KEY) as settled:
        town.client, after, person.access = settled, person.access, before
        refused = await person.balance()
        assert (refused.status_code, refused.json()["reason"]) == (401, "UNAUTHENTICATED")
        person.access = after
        assert (await person.balance()).status_code != 401
        await person.renew()


async def test_who_logs_out_is_out_with_the_token_that_would_be_good_for_minutes(town: Town) -> None:
    here = await town.log_in("+8613800000021")
    await town.forget_waiting()
    there, other = await town.log_in(here.phone), await town.log_in("+8613800000022")
    assert 401 not in {(await each.balance()).status_code for each in (here, there, other)}

    async def is_out(person: Person) -> None:
        async with asyncio.timeout(5):
            while (answer := await person.balance()).status_code != 401:
                await asyncio.sleep(0.02)
        assert answer.json()["reason"] == "SESSION_ENDED"

    ended = await town.client.post("/v1/login:end", json={"refresh_token": here.refresh})
    assert ended.status_code == 200
    await is_out(here)
    assert 401 not in {(await each.balance()).status_code for each in (there, other)}
    # Everywhere at once, and by whoever may lock somebody out.
    assert (await there.post("/v1/members/{me}/sessions:endAll")).json()["ended_session_count"] == 1
    await is_out(there)
    await town.done("POST", f"/v1/members/{other.member_id}:freeze", reason_code="FRAUD")
    await is_out(other)


async def test_ends_of_sessions_wait_for_valkey(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    person, tries, is_away = await town.log_in("+8613800000031"), 0, True
    tell = ended_sessions.tell

    async def tell_if_there(*args: Any) -> None:
        nonlocal tries
        tries += 1
        if is_away:
            raise ConnectionError
        await tell(*args)

    monkeypatch.setattr(ended_sessions, "tell", tell_if_there)
    await town.client.post("/v1/login:end", json={"refresh_token": person.refresh})
    async with asyncio.timeout(10):
        while tries < 2:
            await asyncio.sleep(0.02)
        assert (await person.balance()).status_code != 401
        is_away = False
        while (await person.balance()).status_code != 401:
            await asyncio.sleep(0.02)


def key_of(token: str) -> str:
    head = token.split(".")[0]
    found: str = orjson.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
    return found


async def test_a_member_gives_points_away_with_one_proof_for_one_gift(town: Town) -> None:
    giver, friend = await town.log_in("+8613800000011"), await town.log_in("+8613800000012")
    await furnish(town, giver)
    door = "/v1/members/{me}/transfers"
    gift: dict[str, Any] = {"to_member_id": friend.member_id, "points": 10}
    refused = (await giver.post(door, **gift)).json()
    assert (refused["status"], refused["reason"]) == (403, "PROOF_NEEDED")
    start_at = f"/v1/members/{giver.member_id}/proofs:start"
    assert refused["metadata"] == {"purpose": "PROOF_GIFTING", "start_at": start_at}
    proof = await giver.prove("PROOF_GIFTING")
    # Spoken for by one request, which may come again; nobody and nothing else can use it.
    again = {**gift, "request_id": "gift-request-1"}
    answers = await asyncio.gather(*(giver.post(door, proof=proof, **again) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5, answers[0].text
    assert len({answer.json()["txn_id"] for answer in answers}) == 1
    for other in ({**again, "points": 11}, gift):
        used = await giver.post(door, proof=proof, **other)
        assert (used.status_code, used.json()["reason"]) == (401, "PROOF_USED")
    await town.forget_waiting()
    second = await giver.prove("PROOF_GIFTING")
    # Two different requests at once with a proof: one of them.
    racing = await asyncio.gather(*(giver.post(door, proof=second, **gift | {"points": n}) for n in range(1, 6)))
    assert sorted(answer.status_code for answer in racing) == [200, 401, 401, 401, 401]
    wrong = [
        giver.post(door, proof=await giver.prove("PROOF_SPENDING"), **gift),  # another purpose
        giver.post(door, proof=await friend.prove("PROOF_GIFTING"), **gift),  # another member
        giver.post(door, proof=giver.access, **gift),  # no proof at all
        giver.post(door, proof=second[:-2] + ("AA" if second[-2:] != "AA" else "BB"), **gift),
        giver.post(door, proof="x.y.z", **gift),
    ]
    await town.forget_waiting()
    elsewhere = await town.log_in(giver.phone)
    wrong.append(elsewhere.post(door, proof=second, **gift))  # another session of theirs
    for refusal in await asyncio.gather(*wrong):
        assert (refusal.status_code, refusal.json()["reason"]) == (401, "PROOF_INVALID")
    # A proof is no access token.
    giver.access, kept = second, giver.access
    assert (await giver.balance()).json()["reason"] == "UNAUTHENTICATED"
    giver.access = kept
    # The group's own systems need none.
    path = f"/v1/members/{giver.member_id}/transfers"
    await town.done("POST", path, **gift)
    given = next(answer.json() for answer in racing if answer.status_code == 200)
    left = (await giver.balance()).json()["available_points"]
    assert left == given["available_points"] - 10
    assert await violations(town.apps.sandbox.database_url("points")) == {}


async def furnish(town: Town, person: Person) -> None:
    """A shop, rules that allow gifts, and a purchase."""
    unit = {"code": "MALL", "name": "商场", "kind": "UNIT_KIND_MALL", "time_zone": "Asia/Shanghai"}
    made = await town.done("POST", "/v1/business-units", **unit, currency_code="CNY")
    unit_id = made["business_unit"]["business_unit_id"]
    made = await town.done("POST", "/v1/merchants", code="M", name="Grocer", business_unit_id=unit_id)
    made = await town.done("POST", "/v1/stores", code="S", name="Grocer", merchant_id=made["merchant"]["merchant_id"])
    ladder = [{"code": "BASIC", "name": "Basic", "min_growth": 0, "earn_multiplier_bps": 10000}]
    await town.done("POST", "/v1/tier-ladder", tiers=ladder)
    rule_set = {
        "effective_date": {"year": 2015, "month": 1, "day": 1},
        "base_points": 1,
        "base_step_minor": 100,
        "rules": [{"rule_id": "base", "kind": "RULE_KIND_BASE", "name": "Base"}],
        "expiry_months": 12,
        "transfer_limit_points": 1000,
    }
    await town.done("POST", "/v1/rule-sets", rule_set=rule_set)
    await town.apps.drain()
    sale = {
        "store_id": made["store"]["store_id"],
        "receipt_no": "r1",
        "sale_time": datetime.now(UTC).isoformat(),
        "member_id": person.member_id,
        "total": {"amount_minor": 50_000, "currency_code": "CNY"},
        "lines": [{"line_no": 1, "amount_minor": 50_000}],
    }
    assert (await town.done("POST", "/v1/sales", **sale))["available_points"] == 500
