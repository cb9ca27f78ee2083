"""A service says no when its database or NATS is gone, and finishes the calls under way when it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.run import App
from huitong.org.v1 import org_pb2, org_pb2_grpc
from suite.local import LocalServers
from tests.apps import Apps, system
from tests.support import Sandbox

pytestmark = pytest.mark.timeout(90)
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.parametrize("part", ["postgres", "nats"])
async def test_health_says_no_while_a_server_is_gone(own_servers: LocalServers, part: str) -> None:
    apps = Apps(Sandbox(own_servers, valkey_database=1))
    await apps.migrate("org")
    await apps.start_app(App("org", apps.settings))
    stub = apps.stub(health_pb2_grpc.HealthStub, "org")

    async def becomes(status: int) -> None:
        async with asyncio.timeout(20):
            while (await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)).status != status:
                await asyncio.sleep(0.05)

    try:
        await becomes(SERVING)
        await asyncio.to_thread(own_servers.kill, part)
        await becomes(NOT_SERVING)
        await asyncio.to_thread(own_servers.restart, part)
        await becomes(SERVING)
    finally:
        await apps.stop()


async def test_a_stopping_service_finishes_the_calls_under_way(apps: Apps) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    class Slow(org_pb2_grpc.StructureServiceServicer):
        async def GetStore(self, request: Any, context: Any) -> org_pb2.GetStoreResponse:
            begun.set()
            await finish.wait()
            return org_pb2.GetStoreResponse(store=org_pb2.Store(store_id=request.store_id))

    await apps.migrate("org")
    app = App("org", apps.settings)
    app.serve(org_pb2_grpc.add_StructureServiceServicer_to_server, Slow())  # type: ignore[abstract]
    await apps.start_app(app)
    stub = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
    call = asyncio.create_task(apps.call(stub.GetStore, org_pb2.GetStoreRequest(store_id="sto_1"), system()))
    await begun.wait()
    stopping = asyncio.create_task(app.stop())
    await asyncio.sleep(0)
    finish.set()
    assert (await call).store.store_id == "sto_1"
    await stopping
    apps.running.clear()


async def test_a_loop_that_misses_its_cancellation_does_not_keep_a_service_from_stopping(apps: Apps) -> None:
    # As a library does that takes a cancellation for the answer that it was waiting for.
    begun = asyncio.Event()

    async def forgetful(_now: datetime) -> None:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    await apps.migrate("org")
    app = App("org", apps.settings)
    app.job("forgetful", forgetful, every_seconds=3600)
    await apps.start_app(app)
    await begun.wait()
    async with asyncio.timeout(20):
        await apps.stop("org")


async def test_a_job_that_is_woken_in_the_moment_it_is_stopped_stops(apps: Apps) -> None:
    await apps.migrate("org")
    app = App("org", apps.settings)

    async def quick(_now: datetime) -> None:
        return

    app.job("quick", quick, every_seconds=3600)
    await apps.start_app(app)
    (task,) = [task for task in app._tasks if task.get_name() == "org-job-quick"]
    async with asyncio.timeout(20):
        while not await app.db.pool.fetchval("SELECT done_until IS NOT NULL FROM job_state WHERE job = 'quick'"):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # it has heard of it too, and waits for its next turn
    app.jobs[0].wake()
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.done(), "the cancellation was forgotten"
    await apps.stop("org")
