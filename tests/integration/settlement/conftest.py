"""A running settlement whose invariants are checked after every test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.apps import Apps
from tests.integration.settlement.feed import Feed

_TABLES = (
    "book, merchant, business_unit, contract, entry, line, lot_part, issue, issue_funder, redemption, total, "
    "statement, period, deferred_fact, watermark, parked_event, request_log"
)


@pytest.fixture
async def feed(apps: Apps) -> AsyncIterator[Feed]:
    """Settlement alone, empty; its own jobs find no producer and therefore close nothing by themselves."""
    await apps.migrate("settlement")
    app = (await apps.start("settlement"))["settlement"]
    await apps.as_owner("settlement", f"TRUNCATE {_TABLES}")
    running = Feed(apps, app)
    yield running
    assert await running.violations() == {}
