"""One running suite for all tests that a suite after its first day is enough for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from suite.invariants import check
from tests.e2e.demo_suite import DemoSuite


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSuite]:
    """A suite after its first day. Whatever is done to it, its invariants hold at the end."""
    suite = DemoSuite(tmp_path_factory.mktemp("first-day") / "home", HUITONG_LOG_LEVEL="debug")
    try:
        suite.demo(1)
        yield suite
        results = asyncio.run(check(suite.settings))
        assert [(one.service, one.name, one.examples) for one in results if one.violation_count] == []
    finally:
        suite.close()
