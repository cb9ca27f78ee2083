"""`huitong up`, `down`, `status` over real servers and stand-ins for the services."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

import suite.cli
import suite.control
from suite.errors import SuiteNotRunning
from suite.home import Home
from suite.local import erase
from suite.parts import SERVICES
from suite.state import Phase, SuiteState, environment, read
from suite.supervisor import stop_leftover_services


class Suite:
    """The `huitong` command on a home of the test's own."""

    def __init__(self, path: Path) -> None:
        self.home = Home(path)
        path.mkdir()

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(suite.cli.app, list(arguments))

    def misbehave(self, part: str, how: str) -> None:
        (self.home.path / f"{part}.behaviour").write_text(how)

    @property
    def state(self) -> SuiteState:
        state = read(self.home)
        assert state is not None
        return state

    def until(self, holds: Callable[[SuiteState], bool], seconds: float = 10.0) -> SuiteState:
        deadline = time.monotonic() + seconds
        while not holds(state := self.state):
            assert time.monotonic() < deadline, state
            time.sleep(0.05)
        return state


@pytest.fixture
def huitong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Suite]:
    path = tmp_path / "home"
    monkeypatch.setenv("HUITONG_HOME", str(path))
    monkeypatch.setenv("LANG", "C.UTF-8")
    for name in ("HUITONG_MODE", "HUITONG_POSTGRES_URL", "HUITONG_NATS_URL", "HUITONG_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("suite.control.SUPERVISOR", (sys.executable, "-m", "tests.standin_suite", "supervise"))
    made = Suite(path)
    yield made
    state = read(made.home)
    if state and state.supervised:
        os.kill(state.pid, signal.SIGKILL)
    stop_leftover_services(made.home)
    erase(path)


async def test_up_starts_in_order_and_down_stops_in_order(huitong: Suite) -> None:
    result = huitong("up", "--mode", "test")
    assert result.exit_code == 0, result.output
    state = huitong.state
    assert state.ready
    assert state.mode == "test"
    started = {part.name: part.since + part.seconds for part in state.parts if part.kind == "service"}
    assert started["org"] < started["member"]
    assert max(started[name] for name in SERVICES) < started["gateway"]
    for shown in (state.gateway_url, "/docs", state.part("postgres").address, "huitong down"):
        assert shown in result.output
    settings = environment(huitong.home)
    assert settings["HUITONG_MODE"] == "test"
    assert settings["HUITONG_POINTS_ADDRESS"] == state.part("points").address
    connection = await asyncpg.connect(f"{settings['HUITONG_POSTGRES_URL']}/huitong_points")
    await connection.close()

    again = huitong("up", "--mode", "test")
    assert again.exit_code == 0
    assert "Already up" in again.output
    assert state.gateway_url in again.output
    assert huitong.state.pid == state.pid
    assert huitong("up", "--mode", "demo").exit_code == 1
    shown_status = huitong("status")
    assert shown_status.exit_code == 0
    assert "settlement" in shown_status.output

    assert huitong("down").exit_code == 0
    assert huitong.state.phase == Phase.STOPPED
    assert not huitong.home.all_recorded()
    stops = [line.split()[0] for line in (huitong.home.path / "stops").read_text().splitlines()]
    assert stops[0] == "gateway"
    assert set(stops) == {*SERVICES, "gateway"}
    assert huitong("status").exit_code == 1
    with pytest.raises(SuiteNotRunning):
        environment(huitong.home)

    ports = huitong.home.ports()
    assert huitong("up", "--mode", "demo").exit_code == 0
    assert huitong.home.ports() == ports
    assert huitong("down", "--erase").exit_code == 0
    assert {path.name for path in huitong.home.path.iterdir()} == {"stops"}


def test_what_dies_is_started_again(huitong: Suite) -> None:
    assert huitong("up", "--mode", "test").exit_code == 0
    for name in ("points", "gateway", "postgres", "nats", "valkey"):
        before = huitong.state.part(name)
        os.kill(before.pid, signal.SIGKILL)
        after = huitong.until(lambda state, name=name: state.part(name).restarts == 1 and state.ready).part(name)  # type: ignore[misc]
        assert after.pid not in (0, before.pid)
        assert after.address == before.address
    assert huitong("status").exit_code == 0


def test_unready_part_is_shown_and_not_killed(huitong: Suite) -> None:
    assert huitong("up", "--mode", "test").exit_code == 0
    pid = huitong.state.part("mall").pid
    huitong.misbehave("mall", "refuse")
    huitong.until(lambda state: state.part("mall").phase == Phase.UNREADY)
    assert huitong("status").exit_code == 1
    huitong.misbehave("mall", "")
    assert huitong.until(lambda state: state.ready).part("mall").pid == pid


@pytest.mark.parametrize("part", ["member", "migrations"])
def test_part_that_cannot_start_fails_the_start_with_its_reason(huitong: Suite, part: str) -> None:
    huitong.misbehave(part, "crash")
    result = huitong("up", "--mode", "test")
    assert result.exit_code == 1
    assert "HUITONG_DATA_KEY: is missing" in result.output
    assert "Traceback" not in result.output
    assert huitong.state.failed_part == part
    assert not huitong.home.all_recorded()  # nothing is left half up


def test_part_that_never_becomes_ready_fails_the_start(huitong: Suite) -> None:
    huitong.misbehave("org", "never")
    result = huitong("up", "--mode", "test")
    assert result.exit_code == 1
    assert "not ready within" in result.output
    assert not huitong.home.all_recorded()


def test_part_that_ignores_the_request_to_stop_is_killed(huitong: Suite) -> None:
    assert huitong("up", "--mode", "test").exit_code == 0
    huitong.misbehave("parking", "stubborn")
    process = huitong.state.part("parking").process
    assert process is not None
    assert huitong("down").exit_code == 0
    assert not process.alive()


def test_killed_supervisor_is_noticed_and_replaced(huitong: Suite) -> None:
    assert huitong("up", "--mode", "test").exit_code == 0
    first = huitong.state
    os.kill(first.pid, signal.SIGKILL)
    time.sleep(0.1)
    result = huitong("status")
    assert result.exit_code == 1
    assert "huitong up" in result.output
    assert huitong("up", "--mode", "test").exit_code == 0
    second = huitong.until(lambda state: state.ready)
    assert second.pid != first.pid
    assert second.part("postgres").pid == first.part("postgres").pid  # it was well
    assert all(part.process is None for part in first.parts if part.kind == "service")


def test_down_stops_what_a_killed_supervisor_left(huitong: Suite) -> None:
    assert huitong("up", "--mode", "test").exit_code == 0
    state = huitong.state
    os.kill(state.pid, signal.SIGKILL)
    result = huitong("down")
    assert result.exit_code == 0
    assert "points" in result.output
    assert all(part.process is None for part in state.parts)
    assert not huitong.home.all_recorded()


def test_down_while_starting_stops_at_once(huitong: Suite) -> None:
    huitong.misbehave("org", "refuse")
    import subprocess

    starting = subprocess.Popen((*suite.control.SUPERVISOR, "test"), start_new_session=True)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not (
        (state := read(huitong.home)) and state.part("org").phase == Phase.STARTING
    ):
        time.sleep(0.05)
    assert huitong("down").exit_code == 0
    assert starting.wait(5) == 0
    assert not huitong.home.all_recorded()


def test_logs_of_every_part_can_be_read(huitong: Suite) -> None:
    assert huitong("up", "--mode", "test").exit_code == 0
    result = huitong("logs", "postgres", "-n", "200")
    assert "ready to accept connections" in result.output
    assert huitong("logs").exit_code == 0
    assert huitong("logs", "nobody").exit_code == 1
    exported = huitong("env").output
    assert "export HUITONG_POSTGRES_URL=postgresql://" in exported
