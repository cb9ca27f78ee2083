"""One suite for all files here; each has a group of its own in it, so that what one does disturbs no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support import Sandbox
from tests.whole.suite import WholeSuite


@pytest.fixture(scope="package")
def whole(package_sandbox: Sandbox) -> Iterator[WholeSuite]:
    """All services and the gateway, with the group that the contract's examples name."""
    suite = WholeSuite(package_sandbox)
    yield suite
    suite.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that the contract generates get ids of their own: workers are given tests by id, each id once."""
    for item in items:
        if label := getattr(item, "operation_label", ""):
            item._id = replace(item.id, params=label)
