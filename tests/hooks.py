"""org, and a partner's server that hears its webhooks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiohttp import web

from chassis import ids
from chassis.identity import Caller
from huitong.member.v1 import member_pb2, member_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc, webhooks_pb2_grpc
from huitong.org.v1 import webhooks_pb2 as pb
from tests.apps import Apps, internal, system
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

    async def call(self, rpc: str, request: Any, who: Caller | None = None, why: str = "") -> Any:
        stub = self.apps.stub(webhooks_pb2_grpc.WebhookServiceStub, "org")
        return await self.apps.call(getattr(stub, rpc), request, who or system(), reason=why)

    async def register(self, path: str, *types: str, who: Caller | None = None, partner_id: str = "") -> Any:
        request = pb.CreateWebhookEndpointRequest(
            request_id=ids.new().hex,
            name=path,
            url=self.partner.url(path),
            event_types=types or ["member.joined"],
            partner_id=partner_id,
        )
        return await self.call("CreateWebhookEndpoint", request, who)

    async def test_event(self, endpoint_id: str, who: Caller | None = None) -> str:
        request = pb.SendTestEventRequest(request_id=ids.new().hex, webhook_endpoint_id=endpoint_id)
        return (await self.call("SendTestEvent", request, who)).event_id

    async def change(
        self, rpc: str, endpoint_id: str, *, who: Caller | None = None, why: str = "", **values: Any
    ) -> Any:
        request = getattr(pb, f"{rpc}Request")
        made = request(request_id=ids.new().hex, webhook_endpoint_id=endpoint_id, **values)
        return await self.call(rpc, made, who, why)

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


def id_of(made: Any) -> str:
    return str(made.webhook_endpoint.webhook_endpoint_id)


def uuid_of(made: Any) -> UUID:
    return ids.from_edge("whe", id_of(made), "id")
