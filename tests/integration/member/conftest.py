"""member beside org, with two groups that member has heard of."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.member.v1 import events_pb2, member_pb2, member_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from services.member.invariants import INVARIANTS
from tests.apps import GROUP, Apps, internal, member, public, system
from tests.support import Sandbox

OTHER_GROUP = ids.derive("group", "other-group")
STRUCTURE = (
    "kind,code,name,parent_code,unit_kind,time_zone,currency_code,category,floor\n"
    "unit,MALL,Mall,,mall,Asia/Shanghai,CNY,,\n"
    "unit,HOTEL,Hotel,,hotel,Asia/Shanghai,CNY,,\n"
    "unit,OFFICE,Office,,office,Asia/Shanghai,CNY,,\n"
    "merchant,M1,Grocer,MALL,,,,supermarket,\n"
    "store,S1,Grocer 1,M1,,,,,L1\n"
)
TABLES = (
    "member, member_identity, join_request, code_use, tier_ladder, tier, tier_task, growth_day, growth_entry, "
    "tier_match, tier_grant, tier_recalculation, benefit, benefit_counter, benefit_use, standing, "
    "login_challenge, login_outbox, session, proof, phone_change, member_merge, referral, member_attribute, "
    "member_tag, outbox, request_log"
)


class People:
    """Calls member as whoever it takes."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps
        self.db: Any = None
        self.members = apps.stub(member_pb2_grpc.MemberServiceStub, "member")
        self.tiers = apps.stub(member_pb2_grpc.TierServiceStub, "member")
        self.sessions = apps.stub(member_pb2_grpc.SessionServiceStub, "member")
        self.simulator = apps.stub(member_pb2_grpc.SimulatorServiceStub, "member")

    async def start(self) -> People:
        for name in ("org", "member"):
            if name not in self.apps.running:
                await self.apps.start(name)
        self.db = self.apps.running["member"].db
        structure = self.apps.stub(org_pb2_grpc.StructureServiceStub, "org")
        for code in ("test-group", "other-group"):
            group = org_pb2.CreateGroupRequest(request_id=f"create-{code}", code=code, name=code)
            await self.apps.call(structure.CreateGroup, group, internal("suite"))
            load = org_pb2.ImportStructureRequest(request_id="import-structure", csv=STRUCTURE)
            await self.apps.call(structure.ImportStructure, load, system(ids.derive("group", code)))
        await self.apps.drain()
        await self.apps.as_owner("member", f"TRUNCATE {TABLES}")
        return self

    async def join(self, phone: str = "+8613800000001", group_id: UUID = GROUP, **values: Any) -> Any:
        request = member_pb2.JoinMemberRequest(**{"request_id": ids.new().hex, "phone": phone, **values})
        return await self.apps.call(self.members.JoinMember, request, system(group_id))

    async def join_all(self, lines: list[dict[str, Any]], group_id: UUID = GROUP) -> list[Any]:
        request = member_pb2.JoinMembersRequest(members=[member_pb2.JoinMemberRequest(**line) for line in lines])
        return list((await self.apps.call(self.members.JoinMembers, request, system(group_id))).results)

    async def identify(self, group_id: UUID = GROUP, **values: Any) -> Any:
        request = member_pb2.IdentifyMemberRequest(**values)
        return await self.apps.call(self.members.IdentifyMember, request, system(group_id))

    async def code(self, member_id: str) -> Any:
        request = member_pb2.GetMemberCodeRequest(member_id=member_id)
        return await self.apps.call(self.members.GetMemberCode, request, member(member_id))

    async def public(self, rpc: str, request: Any) -> Any:
        return await self.apps.call(getattr(self.sessions, rpc), request, public())

    async def count(self, table: str) -> int:
        return await self.db.pool.fetchval(f"SELECT count(*) FROM {table}")

    async def events(self, name: str = "") -> list[Any]:
        rows = await self.db.pool.fetch("SELECT type, payload FROM outbox ORDER BY xid::text::bigint, id")
        typed = [(row["type"].rpartition(".")[2], row["payload"]) for row in rows]
        return [getattr(events_pb2, kind).FromString(data) for kind, data in typed if name in ("", kind)]

    async def assert_invariants(self) -> None:
        for name, query in INVARIANTS.items():
            assert await self.db.pool.fetch(query) == [], name

    async def find_in_database(self, *needles: str) -> list[str]:
        """Tables that hold one of these texts, as text or bytes (in hex or base64 too)."""
        forms = [form for needle in needles for form in _forms(needle)]
        found = []
        tables = await self.db.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            for row in await self.db.pool.fetch(f"SELECT * FROM {table}"):
                content = b"\n".join(
                    value if isinstance(value, bytes) else str(value).encode() for value in row.values()
                )
                if any(form in content for form in forms):
                    found.append(table)
        return found


def _forms(needle: str) -> list[bytes]:
    raw = needle.encode()
    return [raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"=")[:-1]]


@pytest.fixture(scope="module")
async def services(sandbox: Sandbox) -> AsyncIterator[Apps]:
    """org and member of a module's tests: to start and stop them for each would take longer than a test."""
    running = Apps(sandbox)
    yield running
    await running.stop()


@pytest.fixture
async def apps(sandbox: Sandbox, services: Apps) -> AsyncIterator[Apps]:
    """Nothing runs yet."""
    await services.stop()
    running = Apps(sandbox)
    yield running
    await running.stop()


@pytest.fixture
async def people(services: Apps) -> AsyncIterator[People]:
    """Nobody has joined yet. What else a test starts is stopped after it; what must hold holds in the end."""
    settings = services.settings
    people = await People(services).start()
    yield people
    if "member" in services.running:
        await people.assert_invariants()
    if services.settings != settings:
        await services.stop()
        services.settings = settings
    await services.stop_all_but("org", "member")


@pytest.fixture
def refusal() -> Any:
    async def reason_of(call: Any) -> str:
        with pytest.raises(AppError) as refused:
            await call
        return refused.value.reason

    return reason_of
