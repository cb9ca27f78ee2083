"""Webhooks for two files of tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from aiohttp import web

from tests.hooks import Hooks, Partner
from tests.support import Sandbox


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
