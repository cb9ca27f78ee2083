"""Webhooks on a real database, to a real server of a partner, with a real producer of events behind them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from huitong.member.v1 import member_pb2, member_pb2_grpc
from huitong.org.v1 import events_pb2, org_pb2, org_pb2_grpc, webhooks_pb2_grpc
from huitong.org.v1 import webhooks_pb2 as pb
from services.org.webhooks import store
from tests.apps import GROUP, Apps, internal, system
from tests.support import Sandbox

OTHER_GROUP = ids.derive("group", "other-group")
PATIENCE_SECONDS = 20


@dataclass
class Call:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed_by(self, secret: str) -> bool:
        """Standard Webhooks 1.0, as a receiver would write it."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = f"{self.webhook_id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        wanted = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return f"v1,{wanted}" in self.headers["webhook-signature"].split()


@dataclass
class Partner:
    """A server. `answers` says for each path what it answers next: a status, None to hang; 200 when nothing is left."""

    port: int = 0
    calls: list[Call] = field(default_factory=list)
    answers: dict[str, list[int | None]] = field(default_factory=dict)
    hanging: int = 0
    most_hanging: int = 0
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str) -> str:
        return f"http://localhost:{self.port}{path}"

    async def hear(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        self.calls.append(Call(request.path, headers, body))
        self.moved.set()
        planned = self.answers.get(request.path) or [200]
        status = planned.pop(0) if len(planned) > 1 or request.path not in self.answers else planned[0]
        if status is None:
            self.hanging += 1
            self.most_hanging = max(self.most_hanging, self.hanging)
            try:
                await asyncio.sleep(PATIENCE_SECONDS)
            finally:
                self.hanging -= 1
        return web.Response(
            status=status or 200, text="heard " + "x" * 500, headers={"location": self.url("/elsewhere")}
        )

    def at(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]


class Hooks:
    """org with two groups, and a partner of theirs."""

    def __init__(self, sandbox: Sandbox, partner: Partner) -> None:
        self.apps, self.partner = Apps(sandbox), partner
        changes = {"webhook_private_hosts": True, "webhook_retry_seconds": 0.05, "webhook_timeout_seconds": 1.0}
        self.apps.settings = self.apps.settings.model_copy(update=changes)

    async def start(self) -> None:
        await self.apps.start("org")
        structure = self.apps.stub(org_pb2_grpc.StructureServiceStub, "org")
        for code in ("test-group", "other-group"):
            group = org_pb2.CreateGroupRequest(request_id=f"create-{code}", code=code, name=code)
            await self.apps.call(structure.CreateGroup, group, internal("suite"))

    async def group(self, code: str) -> Caller:
        """The system of a group that no other test uses."""
        structure = self.apps.stub(org_pb2_grpc.StructureServiceStub, "org")
        group = org_pb2.CreateGroupRequest(request_id=f"create-{code}", code=code, name=code)
        await self.apps.call(structure.CreateGroup, group, internal("suite"))
        return system(ids.derive("group", code))

    async def start_members(self) -> None:
        """A service that says things: somebody who joins is told to partners."""
        await self.apps.start("member")
        tiers = self.apps.stub(member_pb2_grpc.TierServiceStub, "member")
        ladder = member_pb2.SetTierLadderRequest(
            request_id="webhook-ladder", tiers=[member_pb2.Tier(code="BASIC", name="B", earn_multiplier_bps=10000)]
        )
        await self.apps.call(tiers.SetTierLadder, ladder, system())

    @property
    def pool(self) -> Any:
        return self.apps.running["org"].db.pool

    async def call(self, rpc: str, request: Any, who: Caller | None = None) -> Any:
        stub = self.apps.stub(webhooks_pb2_grpc.WebhookServiceStub, "org")
        return await self.apps.call(getattr(stub, rpc), request, who or system())

    async def register(self, path: str, *types: str, who: Caller | None = None) -> Any:
        request = pb.CreateWebhookEndpointRequest(
            request_id=ids.new().hex, name=path, url=self.partner.url(path), event_types=types or ["member.joined"]
        )
        return await self.call("CreateWebhookEndpoint", request, who)

    async def test_event(self, endpoint_id: str, who: Caller | None = None) -> str:
        request = pb.SendTestEventRequest(request_id=ids.new().hex, webhook_endpoint_id=endpoint_id)
        return (await self.call("SendTestEvent", request, who)).event_id

    async def change(self, rpc: str, endpoint_id: str, *, who: Caller | None = None, **values: Any) -> Any:
        request = getattr(pb, f"{rpc}Request")
        made = request(request_id=ids.new().hex, webhook_endpoint_id=endpoint_id, **values)
        return await self.call(rpc, made, who)

    async def join(self, phone: str) -> str:
        members = self.apps.stub(member_pb2_grpc.MemberServiceStub, "member")
        request = member_pb2.JoinMemberRequest(request_id=ids.new().hex, phone=phone)
        joined = await self.apps.call(members.JoinMember, request, system())
        await self.apps.drain()
        return joined.member.member_id

    async def deliveries(self, endpoint_id: str, state: str = "UNSPECIFIED", who: Caller | None = None) -> list[Any]:
        request = pb.ListWebhookDeliveriesRequest(
            webhook_endpoint_id=endpoint_id, state=f"WEBHOOK_DELIVERY_STATE_{state}"
        )
        return list((await self.call("ListWebhookDeliveries", request, who)).deliveries)

    async def endpoint(self, endpoint_id: str) -> Any:
        listed = await self.call("ListWebhookEndpoints", pb.ListWebhookEndpointsRequest(page_size=50))
        return next(one for one in listed.webhook_endpoints if one.webhook_endpoint_id == endpoint_id)

    async def until(self, is_so: Callable[[], Any]) -> Any:
        """Wait for what a function, or what it awaits, says."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = is_so()
                found = await found if asyncio.iscoroutine(found) else found
                if found:
                    return found
                self.partner.moved.clear()
                try:
                    async with asyncio.timeout(0.05):
                        await self.partner.moved.wait()
                except TimeoutError:
                    pass

    async def delivered(self, endpoint_id: str, count: int = 1, who: Caller | None = None) -> list[Any]:
        async def found() -> list[Any] | None:
            done = await self.deliveries(endpoint_id, "DELIVERED", who)
            return done if len(done) >= count else None

        return list(await self.until(found))


@pytest_asyncio.fixture
async def hooks(sandbox: Sandbox) -> AsyncIterator[Hooks]:
    partner = Partner()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", partner.hear)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    partner.port = runner.addresses[0][1]
    hooks = Hooks(sandbox, partner)
    await hooks.start()
    try:
        yield hooks
        assert await hooks.pool.fetchval("SELECT count(*) FROM parked_event") == 0
        await hooks.pool.execute("UPDATE webhook_endpoint SET disable_cause = 'REQUESTED' WHERE disable_cause = ''")
    finally:
        await hooks.apps.stop()
        await runner.cleanup()


def id_of(made: Any) -> str:
    return str(made.webhook_endpoint.webhook_endpoint_id)


async def test_a_partner_hears_once_of_what_it_asked_for_signed_and_without_personal_data(hooks: Hooks) -> None:
    await hooks.start_members()
    made = await hooks.register("/joined")
    others = await hooks.register("/orders", "order.completed")
    member_id = await hooks.join("+8613811110001")
    (done,) = await hooks.delivered(id_of(made))
    (call,) = hooks.partner.at("/joined")
    assert call.is_signed_by(made.secret) and not call.is_signed_by(others.secret)
    assert abs(int(call.headers["webhook-timestamp"]) - time.time()) < 60
    assert (call.headers["content-type"], call.headers["huitong-secret-no"]) == ("application/json", "1")
    said = orjson.loads(call.body)
    assert said == {
        "id": call.webhook_id, "type": "member.joined", "timestamp": said["timestamp"], "group_id": f"grp_{GROUP.hex}",
        "data": {"member_id": member_id, "tier_code": "BASIC"},
    }  # fmt: skip
    assert (done.event_id, done.event_type, done.attempt_count) == (call.webhook_id, "member.joined", 1)
    assert (done.last_status, done.last_error) == (200, "")
    assert done.last_answer == "heard " + "x" * 194, "no more than 200 bytes of what was answered"
    assert (await hooks.endpoint(id_of(made))).HasField("last_success_time")
    assert hooks.partner.at("/orders") == [] and await hooks.deliveries(id_of(others)) == []
    # A retry answers the same endpoint and secret; somebody else with the same request gets none.
    request = pb.CreateWebhookEndpointRequest(
        request_id="webhook-twice", name="t", url=hooks.partner.url("/t"), event_types=["order.completed"]
    )
    once = await hooks.call("CreateWebhookEndpoint", request)
    assert await hooks.call("CreateWebhookEndpoint", request) == once
    with pytest.raises(AppError) as refused:
        await hooks.call("CreateWebhookEndpoint", request, Caller(CallerKind.SYSTEM, "key_another", GROUP))
    assert refused.value.reason == "NOT_YOURS"
    stored = await hooks.pool.fetch("SELECT response FROM request_log")
    assert all(once.secret.encode() not in row["response"] for row in stored)


async def test_what_fails_or_hangs_comes_again_the_same_with_a_new_time_and_no_redirect_is_followed(
    hooks: Hooks,
) -> None:
    made = await hooks.register("/shaky")
    hooks.partner.answers["/shaky"] = [500, None, 302, 200]
    event_id = await hooks.test_event(id_of(made))
    (done,) = await hooks.delivered(id_of(made))
    calls = hooks.partner.at("/shaky")
    assert [call.webhook_id for call in calls] == [event_id] * 4 and len({call.body for call in calls}) == 1
    assert all(call.is_signed_by(made.secret) for call in calls)
    times = [int(call.headers["webhook-timestamp"]) for call in calls]
    assert times == sorted(times) and times[-1] > times[0], "each try has its own time"
    assert (done.attempt_count, done.last_error, done.HasField("next_attempt_time")) == (4, "", False)
    assert hooks.partner.at("/elsewhere") == []
    assert not (await hooks.endpoint(id_of(made))).HasField("failing_since_time")
    # One that fails for three days is given up; a replay would start anew.
    hooks.partner.answers["/shaky"] = [500]
    await hooks.test_event(id_of(made))
    await hooks.until(lambda: len(hooks.partner.at("/shaky")) >= 6)
    await hooks.pool.execute("UPDATE webhook_delivery SET start_time = start_time - interval '3 days'")
    (lost,) = await hooks.until(lambda: hooks.deliveries(id_of(made), "GIVEN_UP"))
    assert (lost.last_status, lost.last_error) == (500, "HTTP_STATUS")


async def test_a_partner_that_hangs_does_not_hold_up_another(hooks: Hooks) -> None:
    dead, alive = await hooks.register("/dead"), await hooks.register("/alive")
    hooks.partner.answers["/dead"] = [None]
    for _ in range(8):
        await hooks.test_event(id_of(dead))
    await hooks.until(lambda: hooks.partner.hanging == 4)
    event_id = await hooks.test_event(id_of(alive))
    (done,) = await hooks.delivered(id_of(alive))
    assert done.event_id == event_id and hooks.partner.most_hanging == 4
    assert await hooks.deliveries(id_of(dead), "DELIVERED") == []


async def test_what_a_killed_sender_had_in_hand_is_sent_by_the_next(hooks: Hooks) -> None:
    made = await hooks.register("/kept")
    hooks.partner.answers["/kept"] = [None, 200]
    event_id = await hooks.test_event(id_of(made))
    await hooks.until(lambda: hooks.partner.hanging)
    # Cut off in the middle of a try: nothing is written, the lease stays.
    await hooks.apps.stop("org")
    await hooks.apps.start("org")
    await hooks.delivered(id_of(made))
    assert [call.webhook_id for call in hooks.partner.at("/kept")] == [event_id] * 2
    # What another replica holds is left alone until its lease is over.
    await hooks.change("DisableWebhookEndpoint", id_of(made))
    held = ids.from_edge("evt", event_id, "event_id")
    await hooks.pool.execute(
        """UPDATE webhook_delivery SET state = 'PENDING', lease_holder = 'another', next_attempt_time = now(),
           lease_until = now() + interval '1 hour' WHERE event_id = $1""",
        held,
    )
    await hooks.change("EnableWebhookEndpoint", id_of(made))
    second = await hooks.test_event(id_of(made))
    await hooks.until(lambda: any(call.webhook_id == second for call in hooks.partner.at("/kept")))
    assert len(hooks.partner.at("/kept")) == 3
    await hooks.pool.execute("UPDATE webhook_delivery SET lease_until = now() WHERE event_id = $1", held)
    await hooks.until(lambda: len(hooks.partner.at("/kept")) == 4)
    assert hooks.partner.calls[-1].webhook_id == event_id


async def test_what_happened_while_it_was_disabled_is_replayed_from_a_date(hooks: Hooks) -> None:
    await hooks.start_members()
    made = await hooks.register("/replayed")
    await hooks.join("+8613811110002")
    await hooks.delivered(id_of(made))
    first = hooks.partner.at("/replayed")[0]
    disabled = await hooks.change("DisableWebhookEndpoint", id_of(made), reason="maintenance")
    assert disabled.webhook_endpoint.disable_cause == pb.WEBHOOK_DISABLE_CAUSE_REQUESTED
    missed = await hooks.join("+8613811110003")
    assert len(await hooks.deliveries(id_of(made))) == 1
    # What waits at it goes on waiting, while others are served.
    await hooks.pool.execute("UPDATE webhook_delivery SET state = 'PENDING', next_attempt_time = now()")
    other = await hooks.register("/other")
    await hooks.test_event(id_of(other))
    await hooks.delivered(id_of(other))
    await hooks.pool.execute("UPDATE webhook_delivery SET state = 'DELIVERED'")
    assert len(hooks.partner.at("/replayed")) == 1
    span: dict[str, Any] = {"since_time": _stamp(first)}
    for rpc, values in (("SendTestEvent", {}), ("ReplayWebhook", span)):
        with pytest.raises(AppError) as refused:
            await hooks.change(rpc, id_of(made), **values)
        assert refused.value.reason == "WEBHOOK_ENDPOINT_DISABLED"
    enabled = await hooks.change("EnableWebhookEndpoint", id_of(made))
    assert not enabled.webhook_endpoint.disable_cause and len(hooks.partner.at("/replayed")) == 1
    later = Timestamp()
    later.FromNanoseconds(span["since_time"].ToNanoseconds() + 1000)
    assert (await hooks.change("ReplayWebhook", id_of(made), since_time=later)).event_count == 1
    await hooks.delivered(id_of(made), 2)
    (again,) = hooks.partner.at("/replayed")[1:]
    assert orjson.loads(again.body)["data"]["member_id"] == missed
    # What was delivered before comes again under the id that it had.
    span["until_time"] = later
    assert (await hooks.change("ReplayWebhook", id_of(made), **span)).event_count == 1
    await hooks.until(lambda: len(hooks.partner.at("/replayed")) == 3)
    assert hooks.partner.calls[-1].webhook_id == first.webhook_id and hooks.partner.calls[-1].body == first.body


def _stamp(call: Call) -> Timestamp:
    stamp = Timestamp()
    stamp.FromJsonString(orjson.loads(call.body)["timestamp"])
    return stamp


async def test_an_endpoint_that_fails_for_long_or_is_gone_is_disabled_and_says_why(hooks: Hooks) -> None:
    failing, gone = await hooks.register("/failing"), await hooks.register("/gone")
    hooks.partner.answers |= {"/failing": [503], "/gone": [410]}
    await hooks.test_event(id_of(failing))
    await hooks.until(lambda: _failing(hooks, id_of(failing)))
    await hooks.pool.execute(
        "UPDATE webhook_endpoint SET failing_since_time = now() - interval '5 days' WHERE endpoint_id = $1",
        ids.from_edge("whe", id_of(failing), "id"),
    )
    await hooks.test_event(id_of(gone))
    for made, cause in ((failing, "FAILING"), (gone, "GONE")):
        one = await hooks.until(partial(_disabled, hooks, id_of(made)))
        assert pb.WebhookDisableCause.Name(one.disable_cause) == f"WEBHOOK_DISABLE_CAUSE_{cause}"
        assert one.HasField("disable_time")
        rows = await hooks.pool.fetch("SELECT payload FROM outbox WHERE type LIKE '%WebhookEndpointDisabled'")
        told = [events_pb2.WebhookEndpointDisabled.FromString(row["payload"]).webhook_endpoint for row in rows]
        assert id_of(made) in [each.webhook_endpoint_id for each in told]
        entries = await hooks.pool.fetch("SELECT reason, actor FROM audit_entry WHERE subjects = $1", id_of(made))
        assert (cause, "org") in [(row["reason"], row["actor"]) for row in entries]
    hooks.partner.answers["/failing"] = [200]
    enabled = await hooks.change("EnableWebhookEndpoint", id_of(failing))
    assert not enabled.webhook_endpoint.HasField("failing_since_time")
    await hooks.delivered(id_of(failing))


async def test_what_waits_at_an_endpoint_that_is_enabled_is_tried_anew(hooks: Hooks) -> None:
    made = await hooks.register("/again")
    hooks.partner.answers["/again"] = [500]
    await hooks.test_event(id_of(made))
    await hooks.until(lambda: len(hooks.partner.at("/again")) >= 3)
    await hooks.change("DisableWebhookEndpoint", id_of(made))
    await hooks.until(lambda: _is_waiting(hooks, id_of(made)))
    # Four days later, in the middle of a long wait.
    await hooks.pool.execute(
        """UPDATE webhook_delivery SET start_time = start_time - interval '4 days',
           last_attempt_time = now() - interval '1 hour', next_attempt_time = now() + interval '6 hours'
           WHERE endpoint_id = $1""",
        _uuid(made),
    )
    hooks.partner.answers["/again"] = [500, 200]
    await hooks.change("EnableWebhookEndpoint", id_of(made))
    (done,) = await hooks.delivered(id_of(made))
    assert done.attempt_count == 2


def _uuid(made: Any) -> UUID:
    return ids.from_edge("whe", id_of(made), "id")


async def _is_waiting(hooks: Hooks, endpoint_id: str) -> bool:
    """Whether the last try is written down and the next one has not begun."""
    (one,) = await hooks.deliveries(endpoint_id)
    return (
        one.attempt_count == len(hooks.partner.at("/again"))
        and one.last_status == 500
        and not (
            await hooks.pool.fetchval("SELECT count(*) FROM webhook_delivery WHERE lease_until > clock_timestamp()")
        )
    )


async def test_a_deleted_endpoint_is_listed_no_more_and_nothing_is_sent_to_it(hooks: Hooks) -> None:
    await hooks.start_members()
    made, other = await hooks.register("/deleted"), await hooks.register("/stays")
    await hooks.test_event(id_of(other))
    await hooks.delivered(id_of(other))
    await hooks.change("DisableWebhookEndpoint", id_of(made))
    await hooks.pool.execute(
        """INSERT INTO webhook_delivery (endpoint_id, event_id, group_id, state, attempt_count, last_status, last_error,
                                         last_answer, create_time, start_time, next_attempt_time, lease_holder)
           SELECT $1, event_id, group_id, 'PENDING', 0, 0, '', '', now(), now(), now(), ''
           FROM webhook_delivery WHERE endpoint_id = $2""",
        _uuid(made),
        _uuid(other),
    )
    request = pb.DeleteWebhookEndpointRequest(
        request_id="delete-endpoint", webhook_endpoint_id=id_of(made), reason="has moved"
    )
    deleted = await hooks.call("DeleteWebhookEndpoint", request)
    assert deleted.webhook_endpoint.disable_cause == pb.WEBHOOK_DISABLE_CAUSE_REQUESTED
    assert await hooks.call("DeleteWebhookEndpoint", request) == deleted
    listed = await hooks.call("ListWebhookEndpoints", pb.ListWebhookEndpointsRequest(page_size=50))
    there = {one.webhook_endpoint_id for one in listed.webhook_endpoints}
    assert id_of(other) in there and id_of(made) not in there
    calls: dict[str, dict[str, Any]] = {
        "UpdateWebhookEndpoint": {"name": "again"}, "EnableWebhookEndpoint": {}, "RotateWebhookSecret": {},
        "DeleteWebhookEndpoint": {}, "SendTestEvent": {}, "ReplayWebhook": {"since_time": Timestamp()},
    }  # fmt: skip
    for rpc, values in calls.items():
        with pytest.raises(AppError) as refused:
            await hooks.change(rpc, id_of(made), **values)
        assert refused.value.reason == "WEBHOOK_ENDPOINT_UNKNOWN", rpc
    with pytest.raises(AppError) as refused:
        await hooks.deliveries(id_of(made))
    assert refused.value.reason == "WEBHOOK_ENDPOINT_UNKNOWN"
    entry = await hooks.pool.fetchrow("SELECT * FROM audit_entry WHERE action = 'DeleteWebhookEndpoint'")
    assert (entry["subjects"], entry["reason"]) == (id_of(made), "has moved")
    # What happens from then on goes to the other only, and what waited has ended.
    await hooks.join("+8613811110005")
    await hooks.delivered(id_of(other), 2)
    assert hooks.partner.at("/deleted") == []
    secrets = await hooks.pool.fetchval(
        "SELECT count(*) FROM webhook_secret WHERE endpoint_id = $1 AND end_time IS NULL",
        _uuid(made),
    )
    assert secrets == 0


async def test_a_group_has_fifty_endpoints_at_most(hooks: Hooks) -> None:
    who = await hooks.group("many-endpoints")
    made = await hooks.register("/first", who=who)
    await hooks.pool.execute(
        """INSERT INTO webhook_endpoint (endpoint_id, group_id, name, url, event_types, disable_cause, create_time)
           SELECT gen_random_uuid(), group_id, name, url, event_types, 'REQUESTED', create_time
           FROM webhook_endpoint, generate_series(2, 50) WHERE endpoint_id = $1""",
        _uuid(made),
    )
    with pytest.raises(AppError) as refused:
        await hooks.register("/one-too-many", who=who)
    assert refused.value.reason == "WEBHOOK_ENDPOINT_LIMIT"
    await hooks.register("/of-another-group")
    await hooks.change("DeleteWebhookEndpoint", id_of(made), who=who)
    await hooks.register("/in-its-place", who=who)


async def test_a_replay_has_its_limit(hooks: Hooks) -> None:
    who = await hooks.group("much-to-replay")
    made = await hooks.register("/long-ago", who=who)
    await hooks.pool.execute(
        """INSERT INTO webhook_event (event_id, group_id, type, occur_time, receive_time, body)
           SELECT gen_random_uuid(), $1, 'member.joined', '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 s',
                  now(), 'x'
           FROM generate_series(0, 100000) AS n""",
        who.group_id,
    )
    since = Timestamp(seconds=1767225600)  # 2026-01-01T00:00:00Z
    with pytest.raises(AppError) as refused:
        await hooks.change("ReplayWebhook", id_of(made), who=who, since_time=since)
    assert refused.value.reason == "WEBHOOK_REPLAY_TOO_LARGE"
    assert await hooks.deliveries(id_of(made), who=who) == []
    span: dict[str, Any] = {"since_time": since, "until_time": Timestamp(seconds=since.seconds + 2)}
    assert (await hooks.change("ReplayWebhook", id_of(made), who=who, **span)).event_count == 2
    await hooks.delivered(id_of(made), 2, who)


async def test_what_is_kept_no_longer_is_deleted_batch_by_batch(hooks: Hooks) -> None:
    who = await hooks.group("much-to-forget")
    made = await hooks.register("/young", who=who)
    event_id = await hooks.test_event(id_of(made), who)
    await hooks.delivered(id_of(made), who=who)
    await hooks.pool.execute(
        """INSERT INTO webhook_event (event_id, group_id, type, occur_time, receive_time, body)
           SELECT gen_random_uuid(), $1, 'member.joined', now(), now() - interval '31 days', 'x'
           FROM generate_series(1, 2500)""",
        who.group_id,
    )
    await hooks.pool.execute(
        """INSERT INTO webhook_delivery (endpoint_id, event_id, group_id, state, attempt_count, last_status, last_error,
                                         last_answer, create_time, start_time, next_attempt_time, lease_holder)
           SELECT $1, event_id, group_id, 'GIVEN_UP', 1, 0, '', '', now(), now(), now(), ''
           FROM webhook_event WHERE group_id = $2 AND receive_time < now() - interval '30 days'""",
        _uuid(made),
        who.group_id,
    )
    db = hooks.apps.running["org"].db
    async with db.transaction(internal("org")) as tx:
        assert await store.delete_old(tx, most=1000) == 1000
    of_group = "SELECT count(*) FROM webhook_event WHERE group_id = $1"
    assert await hooks.pool.fetchval(of_group, who.group_id) == 1501
    forget = next(job for job in hooks.apps.running["org"].jobs if job.name == "forget-webhooks")
    assert await forget.run_once()
    assert [one.event_id for one in await hooks.deliveries(id_of(made), who=who)] == [event_id]
    assert await hooks.pool.fetchval(of_group, who.group_id) == 1


async def _failing(hooks: Hooks, endpoint_id: str) -> bool:
    return bool((await hooks.endpoint(endpoint_id)).HasField("failing_since_time"))


async def _disabled(hooks: Hooks, endpoint_id: str) -> Any:
    one = await hooks.endpoint(endpoint_id)
    return one if one.disable_cause else None


async def test_addresses_of_our_own_are_refused_when_registered_and_when_called(hooks: Hooks) -> None:
    made = await hooks.register("/inside")
    await hooks.change("DisableWebhookEndpoint", id_of(made))
    await hooks.apps.stop("org")
    outside = {"webhook_private_hosts": False}
    hooks.apps.settings = hooks.apps.settings.model_copy(update=outside)
    await hooks.apps.start("org")
    for url in (
        "http://partner.example/", "https://localhost/", f"https://localhost:{hooks.partner.port}/", "https://10.0.0.1/",
        "https://[::1]/", "https://[::ffff:169.254.169.254]/", "https://me:secret@1.1.1.1/", "https://1.1.1.1:25/",
    ):  # fmt: skip
        with pytest.raises(AppError) as refused:
            request = pb.CreateWebhookEndpointRequest(
                request_id=ids.new().hex, name="n", url=url, event_types=["member.joined"]
            )
            await hooks.call("CreateWebhookEndpoint", request)
        assert refused.value.reason == "WEBHOOK_URL_REFUSED", url
        with pytest.raises(AppError) as refused:
            await hooks.change("UpdateWebhookEndpoint", id_of(made), url=url)
        assert refused.value.reason == "WEBHOOK_URL_REFUSED", url
    # A name that was fine when it was registered, and leads to us now.
    await hooks.pool.execute("UPDATE webhook_endpoint SET url = 'https://localhost/inside' WHERE name = '/inside'")
    await hooks.change("EnableWebhookEndpoint", id_of(made))
    await hooks.test_event(id_of(made))
    tried = await hooks.until(lambda: _tried(hooks, id_of(made)))
    assert (tried.last_error, tried.last_status) == ("ADDRESS_REFUSED", 0)
    assert hooks.partner.calls == []


async def _tried(hooks: Hooks, endpoint_id: str) -> Any:
    (one,) = await hooks.deliveries(endpoint_id)
    return one if one.last_error else None


async def test_two_secrets_sign_until_the_overlap_is_over(hooks: Hooks) -> None:
    made = await hooks.register("/rotated")
    request = pb.RotateWebhookSecretRequest(
        request_id="rotate-webhook-1", webhook_endpoint_id=id_of(made), overlap_seconds=3600
    )
    rotated = await hooks.call("RotateWebhookSecret", request)
    assert rotated.secret != made.secret and await hooks.call("RotateWebhookSecret", request) == rotated
    await hooks.test_event(id_of(made))
    await hooks.delivered(id_of(made))
    both = hooks.partner.at("/rotated")[0]
    assert both.is_signed_by(made.secret) and both.is_signed_by(rotated.secret)
    assert both.headers["huitong-secret-no"] == "2 1" and len(both.headers["webhook-signature"].split()) == 2
    last = await hooks.change("RotateWebhookSecret", id_of(made), overlap_seconds=0)
    await hooks.test_event(id_of(made))
    await hooks.delivered(id_of(made), 2)
    newest = hooks.partner.at("/rotated")[1]
    assert newest.is_signed_by(last.secret) and newest.headers["huitong-secret-no"] == "3"
    assert not newest.is_signed_by(rotated.secret) and not newest.is_signed_by(made.secret)


async def test_a_rotation_and_a_registration_may_have_ids_that_look_alike(hooks: Hooks) -> None:
    request = pb.CreateWebhookEndpointRequest(
        request_id="rotate:alike-01", name="a", url=hooks.partner.url("/alike"), event_types=["order.completed"]
    )
    made = await hooks.call("CreateWebhookEndpoint", request)
    rotate = pb.RotateWebhookSecretRequest(request_id="alike-01", webhook_endpoint_id=id_of(made))
    rotated = await hooks.call("RotateWebhookSecret", rotate)
    assert rotated.secret != made.secret and await hooks.call("RotateWebhookSecret", rotate) == rotated
    assert await hooks.call("CreateWebhookEndpoint", request) == made


async def test_another_group_neither_sees_nor_hears_anything(hooks: Hooks) -> None:
    await hooks.start_members()
    mine = await hooks.register("/mine")
    theirs = await hooks.register("/theirs", who=system(OTHER_GROUP))
    await hooks.join("+8613811110004")
    await hooks.delivered(id_of(mine))
    assert hooks.partner.at("/theirs") == []
    stranger = system(OTHER_GROUP)
    listed = await hooks.call("ListWebhookEndpoints", pb.ListWebhookEndpointsRequest(), stranger)
    assert [one.webhook_endpoint_id for one in listed.webhook_endpoints] == [id_of(theirs)]
    calls: dict[str, dict[str, Any]] = {
        "UpdateWebhookEndpoint": {"name": "taken"}, "DisableWebhookEndpoint": {}, "EnableWebhookEndpoint": {},
        "DeleteWebhookEndpoint": {},
        "RotateWebhookSecret": {}, "SendTestEvent": {}, "ReplayWebhook": {"since_time": Timestamp()},
    }  # fmt: skip
    for rpc, values in calls.items():
        request = getattr(pb, f"{rpc}Request")(request_id=ids.new().hex, webhook_endpoint_id=id_of(mine), **values)
        with pytest.raises(AppError) as refused:
            await hooks.call(rpc, request, stranger)
        assert refused.value.reason == "WEBHOOK_ENDPOINT_UNKNOWN", rpc
    with pytest.raises(AppError) as refused:
        await hooks.call(
            "ListWebhookDeliveries", pb.ListWebhookDeliveriesRequest(webhook_endpoint_id=id_of(mine)), stranger
        )
    assert refused.value.reason == "WEBHOOK_ENDPOINT_UNKNOWN"
    # Pages, newest first, and what is kept no longer goes.
    for _ in range(3):
        await hooks.test_event(id_of(mine))
    await hooks.delivered(id_of(mine), 4)
    seen, token = [], ""
    while True:
        request = pb.ListWebhookDeliveriesRequest(webhook_endpoint_id=id_of(mine), page_size=2, page_token=token)
        page = await hooks.call("ListWebhookDeliveries", request)
        seen += [one.event_type for one in page.deliveries]
        if not (token := page.next_page_token):
            break
    assert seen == ["webhook.test"] * 3 + ["member.joined"]
    await hooks.pool.execute("UPDATE webhook_event SET receive_time = now() - interval '31 days'")
    forget = next(job for job in hooks.apps.running["org"].jobs if job.name == "forget-webhooks")
    assert await forget.run_once()
    assert await hooks.deliveries(id_of(mine)) == []
