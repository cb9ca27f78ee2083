"""One running suite for all tests that a suite after its first day is enough for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from suite.invariants import check
from tests.collector import Collector
from tests.e2e.demo_suite import DemoSuite


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """What the suite exports as traces."""
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[DemoSuite]:
    """A suite after its first day, that logs and exports all that it can.

    Whatever is done to it, its invariants hold at the end.
    """
    telling = {"HUITONG_LOG_LEVEL": "debug", "HUITONG_OTLP_ENDPOINT": collector.address}
    folder = tmp_path_factory.mktemp("first-day") / "home"
    suite = DemoSuite(folder, **telling, OTEL_BSP_SCHEDULE_DELAY="200")
    try:
        suite.demo(1)
        yield suite
        results = asyncio.run(check(suite.settings))
        assert [(one.service, one.name, one.examples) for one in results if one.violation_count] == []
    finally:
        suite.close()
