"""The main job, as a newcomer runs it: replay, the figures recomputed independently, repeated and interrupted."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from suite.demo import progress
from suite.demo.progress import Memory
from tests.e2e.demo_suite import DemoSuite
from tests.figures.compare import differences
from tests.figures.recompute import recompute

pytestmark = pytest.mark.timeout(400)
RECEIPTS = 1500
GONE = Memory(
    group_id="grp_gone",
    system={"key_id": "key_gone", "secret": "gone"},
    prepared=True,
    done_until="2017-01-31",
    receipt_count=9_999,
)


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DemoSuite, str]]:
    """A suite whose replay was killed halfway and repeated, and what the command printed then.

    It begins with what a demo remembers whose databases are gone.
    """
    suite = DemoSuite(tmp_path_factory.mktemp("demo") / "home")
    try:
        suite.home.prepare()
        progress.save(suite.home, GONE)
        running = suite.start("demo", "--receipts", str(RECEIPTS))
        deadline = time.monotonic() + 120
        while (suite.memory == GONE or not suite.memory.done_until) and time.monotonic() < deadline:
            assert running.poll() is None, running.stdout.read() if running.stdout else ""
            time.sleep(0.02)
        time.sleep(0.15)  # somewhere inside the next day
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert 0 < suite.memory.receipt_count < RECEIPTS
        yield suite, suite.demo(RECEIPTS)
    finally:
        suite.close()


async def test_after_a_kill_halfway_every_figure_equals_the_independent_recomputation(
    replayed: tuple[DemoSuite, str],
) -> None:
    suite, _ = replayed
    assert differences(recompute(RECEIPTS), await suite.reported()) == []


def test_a_demo_whose_databases_are_gone_has_begun_anew(replayed: tuple[DemoSuite, str]) -> None:
    suite, _ = replayed
    memory = suite.memory
    assert RECEIPTS <= memory.receipt_count < GONE.receipt_count and memory.members
    assert memory.group_id != GONE.group_id and memory.system != GONE.system


def test_the_demo_prints_its_tables_and_no_violation(replayed: tuple[DemoSuite, str]) -> None:
    _, printed = replayed
    for title in (
        "Members by tier",
        "Points by issuing unit",
        "Top 10 merchants",
        "Parking",
        "Settlement",
        "Invariants",
    ):
        assert title in printed
    assert re.search(r"\d+ invariants, 0 violations", printed)
    assert re.search(r"[\d,]+ receipts until 2017-01-\d\d in [\d.]+ s", printed)


def test_check_invariants_prints_each_with_its_count(replayed: tuple[DemoSuite, str]) -> None:
    suite, _ = replayed
    done = suite.run("check-invariants")
    assert done.returncode == 0, done.stdout
    numbers = set(re.findall(r"│ (\d+) \w", done.stdout))
    assert {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"} <= numbers


async def test_the_demo_run_twice_gives_the_same_figures(replayed: tuple[DemoSuite, str]) -> None:
    suite, _ = replayed
    before = await suite.reports()
    suite.demo(RECEIPTS)
    assert await suite.reports() == before


def test_reports_are_whole_numbers(replayed: tuple[DemoSuite, str], tmp_path: Path) -> None:
    suite, _ = replayed
    target = tmp_path / "reports.json"
    assert suite.run("demo", "--receipts", str(RECEIPTS), "--json", str(target)).returncode == 0

    def fractions(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [found for one in value.values() for found in fractions(one)]
        if isinstance(value, list):
            return [found for one in value for found in fractions(one)]
        return [value] if isinstance(value, float) else []

    assert fractions(json.loads(target.read_text())) == []
