"""The points service in the test's process; every test ends with all invariants at zero."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.apps import Apps
from tests.integration.points.world import World, violations
from tests.support import Sandbox


@pytest.fixture
async def apps(sandbox: Sandbox) -> AsyncIterator[Apps]:
    """Nothing runs yet."""
    running = Apps(sandbox)
    yield running
    await running.stop()


@pytest.fixture
async def world(apps: Apps) -> AsyncIterator[World]:
    """A group of its own in a running points service."""
    await apps.start("points")
    await apps.running["points"].db.pool.execute("DELETE FROM business_clock")
    yield await World(apps, apps.running["points"]).build()
    assert await violations(apps.running["points"].db.url) == {}
