"""One suite for all files here; each has a group of its own in it, so that what one does disturbs no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support import Sandbox
from tests.whole.logged import faults, kept_logs
from tests.whole.suite import WholeSuite


@pytest.fixture(scope="package")
def whole(package_sandbox: Sandbox) -> Iterator[WholeSuite]:
    """All services and the gateway, with the group that the contract's examples name.

    At the end all that they logged is looked through: whatever came, nothing broke, and nothing of the inside was told.
    """
    with kept_logs() as lines:
        suite = WholeSuite(package_sandbox)
        yield suite
        suite.close()
    assert b'"route":"/v1/' in b"".join(lines), "nothing was logged, so this shows nothing"
    assert faults(lines, suite.secrets) == []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that the contract generates get ids of their own: workers are given tests by id, each id once."""
    for item in items:
        if label := getattr(item, "operation_label", ""):
            item._id = replace(item.id, params=label)
