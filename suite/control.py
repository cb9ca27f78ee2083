"""Bringing the suite up and down from a command: `huitong up`, `down`, `demo`."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from rich.console import Console

from suite.errors import HomeUnusable, ModeDiffers, SuiteFailed, say
from suite.home import Home
from suite.processes import Process
from suite.screen import watch, watch_stopping
from suite.servers import tail
from suite.state import Phase, SuiteState, read

SUPERVISOR = (sys.executable, "-m", "suite.supervisor")
LONGEST_STOP_SECONDS = 75.0  # longer than the supervisor's own escalation takes


def bring_up(home: Home, *, mode: str, console: Console) -> tuple[SuiteState, bool]:
    """Make sure that the suite serves in `mode`, showing progress; return its state and whether we started it.

    Raises: ModeDiffers, SuiteFailed (the last lines of the log that says why are printed), HomeUnusable.
    """
    home.prepare()
    state = read(home)
    process: Process | None = None
    if state and state.supervised:
        if state.phase in (Phase.STOPPING, Phase.STOPPED, Phase.FAILED):
            _follow_stop(home, state, console)
        elif state.mode != mode:
            raise ModeDiffers(mode=state.mode)
        elif state.ready:
            return state, False
        else:
            process = Process(state.pid, state.identity)
    supervisor = process or _start_supervisor(home, mode)

    def current() -> SuiteState:
        found = read(home)
        alive = supervisor is not None and supervisor.alive()
        if found is None:
            return SuiteState(mode=mode, phase=Phase.STARTING if alive else Phase.FAILED)
        if not alive and found.phase not in (Phase.FAILED, Phase.STOPPED):
            found.phase = Phase.FAILED
        return found

    watch(console, current)
    state = current()
    if state.phase != Phase.READY:
        raise _failure(home, state, console)
    return state, True


def _start_supervisor(home: Home, mode: str) -> Process | None:
    try:
        (home.path / "state.json").unlink(missing_ok=True)
        with home.log("supervisor").open("wb") as output:
            popen = subprocess.Popen(
                [*SUPERVISOR, str(mode)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
    except OSError as error:
        raise HomeUnusable(path=home.path, problem=error.strerror or error) from error
    process = Process.of(popen.pid)
    popen.returncode = 0  # it outlives us; or Python warns of a child that was never waited for
    return process


def _failure(home: Home, state: SuiteState, console: Console) -> SuiteFailed:
    name = state.failed_part or "supervisor"
    for line in tail(home.log(name), 15):
        console.print(f"  {line}", style="dim", highlight=False, markup=False, soft_wrap=True)
    problem = state.problem or say("it ended before everything was ready.", "在全部就绪之前已退出。")
    return SuiteFailed(name=name, problem=problem, log=home.log(name))


def bring_down(home: Home, *, console: Console) -> list[str]:
    """Stop everything in order, showing progress. Data stays.

    Returns the services that a killed supervisor had left running. Raises HomeBusy when the servers belong to a test
    or another program that still runs.
    """
    from suite.local import stop_servers
    from suite.supervisor import stop_leftover_services

    state = read(home)
    if state and state.supervised:
        Process(state.pid, state.identity).send(signal.SIGTERM)
        _follow_stop(home, state, console)
    if not home.path.exists():
        return []
    left = stop_leftover_services(home)
    stop_servers(home.path)
    return left


def _follow_stop(home: Home, state: SuiteState, console: Console) -> None:
    process = Process(state.pid, state.identity)
    deadline = time.monotonic() + LONGEST_STOP_SECONDS
    watch_stopping(console, home, lambda: process.alive() and time.monotonic() < deadline)
    if process.alive():
        process.stop(number=signal.SIGKILL, seconds=5.0)
