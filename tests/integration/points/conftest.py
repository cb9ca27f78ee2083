"""The points service in the test's process; every test ends with all invariants at zero."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis.identity import Caller
from services.points.ledger.ledger import Ledger
from services.points.rule_sets.second_persons import SecondPersons
from tests.apps import Apps
from tests.integration.points.bank import TABLES, Bank, on_shard, open_bank
from tests.integration.points.world import World, violations
from tests.support import Sandbox


@pytest.fixture(scope="module")
async def points_service(request: pytest.FixtureRequest, sandbox: Sandbox) -> AsyncIterator[Apps]:
    """The points service that a module's worlds are in: to start and stop it for each would take longer than a test."""
    running = Apps(sandbox)
    async with on_shard(running, getattr(request, "param", "")):
        yield running
        await running.stop()


@pytest.fixture
async def apps(sandbox: Sandbox, points_service: Apps) -> AsyncIterator[Apps]:
    """Nothing runs yet."""
    await points_service.stop()
    running = Apps(sandbox)
    yield running
    await running.stop()


async def _agreed(_: SecondPersons, who: Caller, *__: Any) -> str:
    return who.subject


@pytest.fixture
async def world(points_service: Apps) -> AsyncIterator[World]:
    """A group of its own in a running points service. What else a test starts, or stops, is as before after it."""
    if "points" not in points_service.running:
        await points_service.start("points")
    await points_service.running["points"].db.pool.execute("DELETE FROM business_clock")
    # org is not there: it agrees to what persons decide. With the real one: test_second_persons.py.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SecondPersons, "_decide_at_org", _agreed)
        yield await World(points_service, points_service.running["points"]).build()
    await points_service.stop_all_but("points")
    assert await violations(points_service.settings.database_url("points")) == {}


@pytest.fixture(params=TABLES)
def tables(request: pytest.FixtureRequest) -> tuple[int, str]:
    """Everything of it is done twice: as on one PostgreSQL, and as on a shard of a distributed one."""
    return request.param


@pytest.fixture
async def bank(tables: tuple[int, str], sandbox: Sandbox) -> AsyncIterator[Bank]:
    """A ledger without the service around it."""
    lane_count, suffix = tables
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
