"""A running car park whose invariants are checked after every test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chassis.run import build_app
from tests.apps import Apps
from tests.integration.parking.lot import Lot

_TABLES = (
    "car_park, merchant, member, member_tier, plate_binding, tariff, vehicle, stay, pay_intent, watermark, "
    "parked_event, request_log"
)


@pytest.fixture
async def lot(apps: Apps) -> AsyncIterator[Lot]:
    """Parking and a points ledger; the worker runs when the test says so."""
    await apps.migrate("parking")
    app = build_app("parking", apps.settings)
    jobs, app.jobs = app.jobs, []
    await apps.start_app(app)
    app.jobs = jobs
    await apps.as_owner("parking", f"TRUNCATE {_TABLES}")
    running = Lot(apps, app)
    await running.open_points()
    await running.set_up()
    yield running
    try:
        assert await running.violations() == {}
    finally:
        await running.close_points()
