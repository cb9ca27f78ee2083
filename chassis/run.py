"""Start services: settings, telemetry, database, NATS, gRPC, consumers, jobs; drain on SIGTERM.

`services/<name>/__main__.py` defines `build(app)`, which wires the service, and calls `run_service(name)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import asyncpg
import grpc
import redis.asyncio
import structlog
import uvloop
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from nats.aio.client import Client as NatsClient
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import BadRequestError
from sqlalchemy import text

from chassis import acts, rpc, subjects
from chassis.act_sender import ActSender
from chassis.activity import Activity
from chassis.config import Settings, settings
from chassis.control import ControlServicer
from chassis.db import Database
from chassis.events import Consumer, EventSource, Handler, JoinedSources, OutboxSource, Relay, RelayProcess
from chassis.identity import TokenBook
from chassis.jobs import Job
from chassis.telemetry import setup_telemetry
from huitong.common.v1 import acts_pb2_grpc, control_pb2, control_pb2_grpc, events_pb2

log = structlog.get_logger()
Stub = TypeVar("Stub")
DAYS_IN_STREAM = 7
HEALTH_CHECK_SECONDS = 2.0


class App:
    """One service in a process. `build(app)` says what it serves, consumes and does regularly."""

    def __init__(self, name: str, config: Settings) -> None:
        self.name, self.settings = name, config
        # The same for a process that replaces one that died: it takes over leases at once instead of waiting them out.
        self.holder = f"{socket.gethostname()}:{config.address(name)}"
        self.tokens = TokenBook(config.internal_key.get_secret_value())
        self.db = Database(config.database_url(name), may_set_time=config.may_set_time, name=f"huitong-{name}")
        self.redis = redis.asyncio.from_url(config.redis_url, socket_timeout=1.0, socket_connect_timeout=1.0)
        self.activity = Activity()
        self.jobs: list[Job] = []
        self.consumers: list[Consumer] = []
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._start_hooks: list[Callable[[], Awaitable[None]]] = []
        self._stop_hooks: list[Callable[[], Awaitable[None]]] = []
        self._loops: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._services: list[tuple[Callable[[Any, Any], None], object]] = []
        self._health = health.aio.HealthServicer()
        self._nats = NatsClient()
        self._jetstream: JetStreamContext = self._nats.jetstream()
        self._server: grpc.aio.Server | None = None
        self._draining = False
        self.relay = self._relay_of(OutboxSource(self.db.lane_count))
        self._wants_relay_process = False
        self._relay_process: RelayProcess | None = None

    def _relay_of(self, source: EventSource) -> Relay:
        return Relay(
            self.db,
            source,
            producer=self.name,
            stream=self.settings.stream,
            holder=self.holder,
            activity=self.activity,
        )

    # ---- what build() calls

    def serve(self, add_to_server: Callable[[Any, Any], None], servicer: object) -> None:
        """Serve a gRPC service: `add_…Servicer_to_server` and its servicer."""
        self._services.append((add_to_server, servicer))

    def stub(self, stub_class: Callable[[grpc.aio.Channel], Stub], service: str) -> Stub:
        """A stub of another service; connects when first used."""
        if service not in self._channels:
            self._channels[service] = rpc.open_channel(self.settings.address(service))
        return stub_class(self._channels[service])

    def produce_from(self, source: EventSource, *, in_own_process: bool = False) -> None:
        """Relay events from `source` too: its lanes come before those of the chassis' outbox, which stays.

        `in_own_process` is for a service whose own thread has enough to do (docs/decisions/0019).
        """
        self._wants_relay_process = in_own_process
        self.relay = self._relay_of(JoinedSources(source, OutboxSource(self.db.lane_count)))

    def consume(
        self,
        producer: str,
        handlers: Mapping[type[Message], Handler],
        *,
        needed: Callable[[], Awaitable[bool]] | None = None,
    ) -> Consumer:
        """Apply the events of another service; with `needed`, from when that says that somebody needs them.

        Raises ValueError when the service's package does not say that it listens to that one: NATS would refuse.
        """
        if producer not in subjects.listens_to(self.name):
            raise ValueError(f"services.{self.name}.LISTENS_TO does not name {producer}")
        control = self.stub(control_pb2_grpc.ControlServiceStub, producer)

        async def load_packs(lane: int, first: int, last: int) -> Sequence[events_pb2.EventPack]:
            request = control_pb2.ListPacksRequest(lane=lane, first_pack_no=first, last_pack_no=last)
            answer = await rpc.call(control.ListPacks, request, group_id=rpc.NO_GROUP, timeout_s=10)
            return list(answer.packs)

        async def read_heads() -> dict[int, int]:
            progress = await rpc.call(control.GetProgress, control_pb2.GetProgressRequest(), group_id=rpc.NO_GROUP)
            return {produced.lane: produced.pack_no for produced in progress.produced}

        consumer = Consumer(
            self.db,
            service=self.name,
            producer=producer,
            stream=self.settings.stream,
            handlers=handlers,
            load_packs=load_packs,
            read_heads=read_heads,
            activity=self.activity,
            needed=needed,
        )
        self.consumers.append(consumer)
        return consumer

    @property
    def producers(self) -> list[str]:
        """The services whose events this one applies now."""
        return [consumer.producer for consumer in self.consumers if consumer.is_listening]

    def job(self, name: str, run: Callable[[datetime], Awaitable[None]], *, every_seconds: float) -> Job:
        """Do something regularly; see chassis.jobs. What it answers can be woken."""
        job = Job(self.db, name, run, every_seconds=every_seconds, holder=self.holder, activity=self.activity)
        self.jobs.append(job)
        return job

    def on_start(self, hook: Callable[[], Awaitable[None]]) -> None:
        """Run `hook` once the database is there, before the first call is taken."""
        self._start_hooks.append(hook)

    def on_stop(self, hook: Callable[[], Awaitable[None]]) -> None:
        """Run `hook` after the last call was answered."""
        self._stop_hooks.append(hook)

    def background(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Keep `run` running; it is started again when it fails."""
        self._loops.append((name, run))

    def wake_relay(self) -> None:
        """There may be new events: publish them now instead of at the next poll."""
        (self._relay_process or self.relay).wake()

    # ---- life

    def allow_relay_process(self) -> None:
        """This is a program of its own: start the relay's process if the service wants one."""
        if self._wants_relay_process:
            self._relay_process = RelayProcess(self.name, self.settings.environment(), moved=self.activity.moved)

    async def start(self) -> None:
        """Connect, start everything, and answer calls. Raises when the database or NATS is not there."""
        rpc.speak_as(self.name, self.tokens)
        await self._connect()
        for hook in self._start_hooks:
            await hook()
        server = self._server = rpc.open_server(self.name, self.tokens)
        for add_to_server, servicer in self._services:
            add_to_server(servicer, server)
        control_pb2_grpc.add_ControlServiceServicer_to_server(ControlServicer(self), server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (*_served_names(self._services), reflection.SERVICE_NAME, health.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        if server.add_insecure_port(self.settings.address(self.name)) == 0:
            raise OSError(f"{self.name} cannot listen on {self.settings.address(self.name)}")
        await server.start()
        if self._relay_process is not None:
            self._spawn("relay-process", self._relay_process.run)
        else:
            self._spawn_relay()
        for consumer in self.consumers:
            self._spawn(f"consume-{consumer.producer}", partial(consumer.run, self._jetstream))
        for job in self.jobs:
            self._spawn(f"job-{job.name}", job.loop)
        for name, run in self._loops:
            self._spawn(name, run)
        if self.name != acts.KEEPER:
            keeper = self.stub(acts_pb2_grpc.ActServiceStub, acts.KEEPER)
            self._spawn("acts", ActSender(self.db, keeper).run)
        self._spawn("health", self._watch_health)
        log.info("service_started", service=self.name, address=self.settings.address(self.name))

    async def start_relay(self) -> None:
        """Connect, and relay events instead of all the rest. Raises when the database or NATS is not there."""
        self._stop_hooks.clear()  # nothing is started that they would stop
        await self._connect()
        self._spawn_relay()

    async def _connect(self) -> None:
        await self.db.open()
        await self._connect_nats()

    def _spawn_relay(self) -> None:
        for lane in self.relay.source.lanes:
            self._spawn(f"relay-{lane}", partial(self._run_relay, lane))
        self._spawn("relay-wake", self._listen)

    async def stop(self) -> None:
        """Drain: say no to health checks, finish the calls under way, stop the loops, disconnect."""
        self._draining = True
        await self._set_health(False)
        if self._server is not None:
            await self._server.stop(self.settings.drain_seconds)
        # Asked until all have ended: up to Python 3.11 asyncio.wait_for, which libraries use, forgets a cancellation
        # that comes in the same moment as what it waits for.
        running = set(self._tasks)
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=1.0)
        for hook in self._stop_hooks:
            await hook()
        for channel in self._channels.values():
            await channel.close()
        with contextlib.suppress(Exception):
            await self._nats.close()
        await self.redis.aclose()
        await self.db.close()
        log.info("service_stopped", service=self.name)

    def _spawn(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        async def keep_running() -> None:
            while True:
                try:
                    await run()
                except asyncio.CancelledError:
                    raise
                except Exception as error:
                    log.error("background_failed", service=self.name, task=name, exc_info=error)
                await asyncio.sleep(1.0)

        self._tasks.append(asyncio.create_task(keep_running(), name=f"{self.name}-{name}"))

    async def _connect_nats(self) -> None:
        async def quiet(error: Exception) -> None:
            log.warning("nats_error", service=self.name, error=repr(error))

        await self._nats.connect(
            self.settings.events_url(self.name),
            name=f"huitong-{self.name}",
            inbox_prefix=subjects.inbox(self.name),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,  # type: ignore[arg-type]  # seconds, a fraction is fine
            connect_timeout=2,
            error_cb=quiet,
            allow_reconnect=True,
        )
        await self._ensure_stream()

    async def _ensure_stream(self) -> None:
        stream = self.settings.stream
        config = StreamConfig(
            name=stream, subjects=[f"{stream}.>"], max_age=DAYS_IN_STREAM * 86400, duplicate_window=120
        )
        with contextlib.suppress(BadRequestError):  # it exists, created by another service or with other limits
            await self._jetstream.add_stream(config)

    async def _run_relay(self, lane: int) -> None:
        with contextlib.suppress(NatsError, TimeoutError):
            await self._ensure_stream()
        await self.relay.run(lane, self._jetstream)

    async def _listen(self) -> None:
        """Wake the relay when any replica has committed events."""
        connection = await asyncpg.connect(self.db.url, timeout=5)
        try:
            await connection.add_listener("outbox", lambda *_: self.relay.wake())
            while not connection.is_closed():
                await asyncio.sleep(1.0)
        finally:
            connection.terminate()

    async def _watch_health(self) -> None:
        while True:
            await self._set_health(not self._draining and await self._is_healthy())
            await asyncio.sleep(HEALTH_CHECK_SECONDS)

    async def _is_healthy(self) -> bool:
        if not self._nats.is_connected:
            return False
        try:
            async with asyncio.timeout(2.0):
                async with self.db.engine.connect() as connection:
                    await connection.execute(text("SELECT 1"))
        except Exception:
            return False
        return True

    async def _set_health(self, serving: bool) -> None:
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        await self._health.set("", status)


def _served_names(services: Sequence[tuple[Callable[[Any, Any], None], object]]) -> list[str]:
    """Full names of the gRPC services, from the servicers' generated bases."""
    names = []
    for add_to_server, _ in services:
        short = add_to_server.__name__.removeprefix("add_").removesuffix("Servicer_to_server")
        module = importlib.import_module(add_to_server.__module__.removesuffix("_grpc"))
        names.append(module.DESCRIPTOR.services_by_name[short].full_name)
    return names


def build_app(name: str, config: Settings) -> App:
    """The service's App, wired by its own build()."""
    app = App(name, config)
    importlib.import_module(f"services.{name}.__main__").build(app)
    return app


def quieten_gc() -> None:
    """What was imported and built lives as long as the process: keep the collector from walking it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def serve(names: Sequence[str], config: Settings | None = None) -> None:
    """Run services in this process until SIGTERM or SIGINT, then drain."""
    chosen = config or settings()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    apps = [build_app(name, chosen) for name in names]
    for app in apps:
        app.allow_relay_process()
    started: list[App] = []
    try:
        for app in apps:
            started.append(app)
            await asyncio.create_task(app.start())
        quieten_gc()
        await stopping.wait()
    finally:
        for app in reversed(started):
            await app.stop()


def run_service(*names: str) -> None:
    """The whole program of one or more services."""
    config = settings()
    setup_telemetry("+".join(names), config)
    uvloop.run(serve(names, config))
