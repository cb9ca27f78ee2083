"""Services in the test's own process, on real PostgreSQL, NATS and Valkey, called over real gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import grpc
from google.protobuf.message import Message

from chassis import acts, ids, rpc
from chassis.config import SERVICES, Settings, load_settings
from chassis.errors import from_rpc_error
from chassis.identity import PROOF_SCOPE, Caller, CallerKind, TokenBook
from chassis.migrate import migrate
from chassis.run import App, build_app
from huitong.common.v1 import access_pb2, acts_pb2, control_pb2, control_pb2_grpc
from huitong.org.v1 import audit_pb2, audit_pb2_grpc
from tests.support import Sandbox

Stub = TypeVar("Stub")
GROUP = ids.derive("group", "test-group")
EVERY_PROOF = " ".join(access_pb2.Proof.keys()[1:])


class Apps:
    """Starts services of one sandbox, calls them as anybody, and waits until their events have been applied."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        addresses = _addresses(sandbox)
        values = {
            name.removeprefix("HUITONG_").lower(): value for name, value in {**sandbox.environment, **addresses}.items()
        }
        self.settings: Settings = load_settings(**values)
        self.running: dict[str, App] = {}
        self.tokens = TokenBook(self.settings.internal_key.get_secret_value())
        self._channels: dict[str, grpc.aio.Channel] = {}

    async def start(self, *names: str) -> dict[str, App]:
        """Migrate (once a sandbox) and start services in order."""
        for name in names:
            await self.migrate(name)
            await self.start_app(build_app(name, self.settings))
        return self.running

    async def migrate(self, name: str) -> None:
        """Bring the service's database up to date, once a sandbox."""
        done: set[str] = self.sandbox.__dict__.setdefault("migrated", set())
        if (url := self.settings.database_url(name)) not in done:
            await migrate(name, self.settings)
            done.add(url)

    async def as_owner(self, service: str, sql: str) -> None:
        """Run in the database of `service` what its own role may not."""
        await self.sandbox.as_owner(service, sql)

    async def start_app(self, app: App) -> App:
        """Start an App that the test has wired itself."""
        self.running[app.name] = app
        await asyncio.create_task(app.start())
        return app

    async def stop(self, *names: str) -> None:
        """Stop some services, or all."""
        for name in list(names or reversed(list(self.running))):
            await self.running.pop(name).stop()
            if name in self._channels:
                await self._channels.pop(name).close()

    async def stop_all_but(self, *names: str) -> None:
        """Stop the services that are not among these."""
        for name in [name for name in reversed(list(self.running)) if name not in names]:
            await self.stop(name)

    def stub(self, stub_class: Callable[[grpc.aio.Channel], Stub], service: str) -> Stub:
        """A stub to be used with `call`."""
        return stub_class(self.channel(service))

    def channel(self, service: str) -> grpc.aio.Channel:
        """The channel to a service."""
        if service not in self._channels:
            self._channels[service] = rpc.open_channel(self.settings.address(service))
        return self._channels[service]

    async def call(
        self, method: Any, request: Message, caller: Caller, timeout_s: float = 10.0, reason: str = ""
    ) -> Any:
        """Call as `caller`, for a reason that is told beside the request. Raises the AppError that was answered."""
        metadata = (("authorization", f"Bearer {self.tokens.mint(caller)}"), (acts.REASON, quote(reason)))
        try:
            return await method(request, timeout=timeout_s, metadata=metadata)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    async def progress(self) -> dict[str, control_pb2.GetProgressResponse]:
        """GetProgress of every running service."""
        answers = {}
        for name in self.running:
            control = self.stub(control_pb2_grpc.ControlServiceStub, name)
            answers[name] = await self.call(control.GetProgress, control_pb2.GetProgressRequest(), internal("suite"))
        return answers

    async def drain(self, timeout_s: float = 20.0) -> None:
        """Wait until every event of the running services has been applied by their running consumers."""
        async with asyncio.timeout(timeout_s):
            while not _is_drained(await self.progress()):
                await asyncio.sleep(0.02)


async def noted(app: App, action: str) -> list[acts_pb2.Act]:
    """Acts that the service has noted and, while org is not there, tells nobody; oldest first."""
    rows = await app.db.pool.fetch("SELECT act FROM operator_act ORDER BY deliver_time, act_id")
    found = [acts_pb2.Act.FromString(row["act"]) for row in rows]
    return [act for act in found if act.action == action]


async def count_untold(apps: Apps) -> int:
    """Acts of which org has not been told."""
    count = "SELECT count(*) FROM operator_act"
    return sum([await app.db.pool.fetchval(count) for app in apps.running.values()])


async def acts_told(apps: Apps) -> list[audit_pb2.AuditEntry]:
    """What the audit has of all services but org, oldest first, once org has been told of everything."""
    async with asyncio.timeout(20):
        while await count_untold(apps):
            await asyncio.sleep(0.02)
    stub = apps.stub(audit_pb2_grpc.AuditServiceStub, "org")
    found = (await apps.call(stub.ListAuditEntries, audit_pb2.ListAuditEntriesRequest(page_size=200), system())).entries
    return [entry for entry in reversed(found) if entry.service != "org"]


def wake_jobs(*apps: App) -> None:
    """Give every job of these services its turn now: it would come within seconds, but tests are many."""
    for app in apps:
        for job in app.jobs:
            job.wake()


def _is_drained(progress: dict[str, control_pb2.GetProgressResponse]) -> bool:
    heads = {(name, produced.lane): produced for name, answer in progress.items() for produced in answer.produced}
    if any(produced.waiting_event_count for produced in heads.values()):
        return False
    for answer in progress.values():
        marks = {(consumed.producer, consumed.lane): consumed.pack_no for consumed in answer.consumed}
        producers = {producer for producer, _ in marks}
        for (producer, lane), head in heads.items():
            if producer in producers and marks.get((producer, lane), 0) < head.pack_no:
                return False
    return True


def _addresses(sandbox: Sandbox) -> dict[str, str]:
    known: dict[str, str] = sandbox.__dict__.setdefault("addresses", {})
    if not known:
        known.update({f"HUITONG_{name.upper()}_ADDRESS": f"127.0.0.1:{sandbox.free_port()}" for name in SERVICES})
    return known


def internal(service: str, group_id: UUID = GROUP) -> Caller:
    """Another service of the suite."""
    return Caller(CallerKind.INTERNAL, service, group_id)


def system(group_id: UUID = GROUP) -> Caller:
    """A back-office system of the group."""
    return Caller(CallerKind.SYSTEM, "key_test", group_id)


def operator(name: str, group_id: UUID = GROUP) -> Caller:
    """A person who may do everything in the group, as the gateway would hand them on."""
    return Caller(CallerKind.OPERATOR, f"opr_{name}", group_id, "ops_1", {"": "*"})


def member(member_id: str, group_id: UUID = GROUP) -> Caller:
    """A member who is logged in, and has proved themselves for whatever may be asked for."""
    return Caller(CallerKind.MEMBER, member_id, group_id, bound_id=member_id, scopes={PROOF_SCOPE: EVERY_PROOF})


def terminal(store_id: str, group_id: UUID = GROUP) -> Caller:
    """A till of a store."""
    return Caller(CallerKind.TERMINAL, "trm_test", group_id, bound_id=store_id)


def vendor(car_park_id: str, group_id: UUID = GROUP) -> Caller:
    """A car-park vendor's system."""
    return Caller(CallerKind.VENDOR, "key_vendor", group_id, bound_id=car_park_id)


def public() -> Caller:
    """Somebody who has not logged in."""
    return Caller(CallerKind.PUBLIC, "")
