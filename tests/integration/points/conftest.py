"""The points service in the test's process; every test ends with all invariants at zero."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.points.ledger.ledger import Ledger
from tests.apps import Apps
from tests.integration.points.bank import Bank, open_bank
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


@pytest.fixture(
    params=[(2, ""), (4, "_102008")], ids=["two_lanes_on_plain_tables", "four_lanes_on_the_tables_of_a_shard"]
)
async def bank(request: pytest.FixtureRequest, sandbox: Sandbox) -> AsyncIterator[Bank]:
    """A ledger without the service around it, twice: as on one PostgreSQL, and as on a shard of a distributed one."""
    lane_count, suffix = request.param
    bank = await open_bank(sandbox, lane_count=lane_count, suffix=suffix)
    yield bank
    assert await bank.violations() == {}


@pytest.fixture
async def ledger(bank: Bank) -> AsyncIterator[Ledger]:
    """The lanes of one process."""
    opened = bank.ledger()
    await opened.open()
    yield opened
    await opened.close()
