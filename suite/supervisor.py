"""Runs a suite: starts its parts in order, starts those that die again, stops everything in order.

`huitong up` starts this module detached. It owns the home's lock; commands talk to it by signals and read its state.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from suite.errors import HomeUnusable, PartFailed, SuiteError
from suite.health import Probe
from suite.home import PROJECT, Home
from suite.local import LocalServers, ensure_databases
from suite.parts import Part, addresses, suite_parts, told
from suite.processes import Process
from suite.servers import last_words, tail
from suite.state import PartState, Phase, SuiteState, write, write_environment

FIRST_BACKOFF_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 5.0
STEADY_SECONDS = 10.0  # alive for this long, a part's backoff starts anew
DEATHS_THAT_ARE_A_FAILURE = 5
READY_SECONDS = 60.0
DRAIN_SECONDS = 20.0
LOG_BYTES = 64 * 1024 * 1024

log = logging.getLogger("huitong.supervisor")


class Stopping(Exception):
    """The supervisor was told to stop while it waited."""


class Supervisor:
    """One suite. `run()` returns when it was told to stop and everything has ended."""

    def __init__(
        self,
        servers: LocalServers,
        parts: Sequence[Part],
        *,
        mode: str,
        migration: Sequence[str],
        working_folder: Path = PROJECT,
    ) -> None:
        self.home = servers.home
        self.servers = servers
        self.parts = list(parts)
        self.mode = mode
        self.migration = list(migration)
        self.working_folder = working_folder
        self.stopping = asyncio.Event()
        self.settings: dict[str, str] = {}
        self._popen: dict[str, subprocess.Popen[bytes]] = {}
        self._ever_ready: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        own = Process.of(os.getpid())
        gateway = next((part for part in self.parts if part.is_gateway), None)
        self.state = SuiteState(
            mode=mode,
            pid=os.getpid(),
            identity=own.identity if own else "",
            gateway_url=f"http://{_shown(gateway.host)}:{gateway.port}" if gateway else "",
            parts=[
                *(PartState(name, "server") for name in ("postgres", "nats", "valkey")),
                PartState("migrations", "step"),
                *(PartState(part.name, "service", address=part.address) for part in self.parts),
            ],
        )

    async def run(self) -> int:
        """Start, watch, stop. Returns the exit code: 1 when the suite could not be started."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        lock = self.home.lock("supervisor")
        try:
            self._publish()
            await self._start()
            self.state.phase = Phase.READY
            self._publish()
            log.info("ready after %.1f s", time.time() - self.state.started)
            self._tasks.append(asyncio.create_task(self._keep_logs_small()))
            await self.stopping.wait()
        except Stopping:
            pass
        except SuiteError as error:
            log.error("%s", error)
            self.state.problem = str(error)
        finally:
            await self._stop()
            os.close(lock)
        return 1 if self.state.problem else 0

    # Starting

    async def _start(self) -> None:
        await asyncio.to_thread(stop_leftover_services, self.home, [part.name for part in self.parts])
        self.servers.acquire()
        for state in self.state.parts:
            if state.kind == "server":
                _rotate(self.home.log(state.name))
        names = [state.name for state in self.state.parts if state.kind == "server"]
        await self._all([self._start_server(name) for name in names])
        self._settle_settings()
        await self._migrate()
        for wave in sorted({part.wave for part in self.parts}):
            await self._all([self._first_start(part) for part in self.parts if part.wave == wave])

    async def _all(self, steps: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Run steps together; the first problem, or being told to stop, ends the waiting for the others."""
        tasks = [asyncio.create_task(step) for step in steps]
        told = asyncio.create_task(self.stopping.wait())
        try:
            pending: set[asyncio.Task[Any]] = set(tasks)
            while pending:
                done, pending = await asyncio.wait({*pending, told}, return_when=asyncio.FIRST_COMPLETED)
                if told in done:
                    raise Stopping
                pending.discard(told)
                for task in done:
                    task.result()
        finally:
            for task in [*tasks, told]:
                task.cancel()
            await asyncio.gather(*tasks, told, return_exceptions=True)

    async def _start_server(self, name: str) -> None:
        state = self.state.part(name)
        state.phase = Phase.STARTING
        self._publish()
        began = time.monotonic()
        await _in_thread(self.servers.start_one, name)
        self._note_server(state, time.monotonic() - began)
        self._tasks.append(asyncio.create_task(self._watch_server(name)))

    def _note_server(self, state: PartState, seconds: float) -> None:
        process = self.servers.process(state.name)
        state.pid, state.identity = (process.pid, process.identity) if process else (0, "")
        state.address = self.servers.address(state.name)
        state.detail = "" if state.name in self.servers.names else "given by the environment"
        state.phase, state.since, state.seconds = Phase.READY, time.time(), seconds
        log.info("%s is ready at %s", state.name, state.address)
        self._publish()

    def _settle_settings(self) -> None:
        given = {name: value for name, value in os.environ.items() if name.startswith("HUITONG_") and value}
        found = {**self.servers.environment(), **addresses(self.parts), "HUITONG_MODE": self.mode}
        own = ("HUITONG_INTERNAL_KEY", "HUITONG_ACCESS_KEY", "HUITONG_DATA_KEY")
        keys: dict[str, str] = {name: given[name] for name in own if name in given}
        self.settings = {**given, **found, **keys}
        write_environment(self.home, self.settings)

    async def _migrate(self) -> None:
        services = [part.name for part in self.parts if part.readiness == "grpc"]
        state = self.state.part("migrations")
        state.phase = Phase.STARTING
        self._publish()
        began = time.monotonic()
        prefix = self.settings.get("HUITONG_DATABASE_PREFIX", "huitong_")
        try:
            made = await ensure_databases(self.servers.postgres_url, [f"{prefix}{name}" for name in services])
        except Exception as error:  # whatever the driver raises, a user must read what is wrong
            raise PartFailed(problem=f"the databases could not be made: {error}") from error
        _rotate(self.home.log("migrations"))
        popen = self._spawn("migrations", [*self.migration, *services], self.settings)
        while popen.poll() is None:
            await self._pause(0.05)
        self._popen.pop("migrations")
        self.home.forget("migrations")
        if popen.returncode != 0:
            state.phase, self.state.failed_part = Phase.FAILED, "migrations"
            said = "\n".join(tail(self.home.log("migrations"), 40))
            raise PartFailed(problem=last_words(said))
        state.phase, state.seconds = Phase.READY, time.monotonic() - began
        state.detail = f"{len(made)} databases made" if made else ""
        self._publish()

    async def _first_start(self, part: Part) -> None:
        _rotate(self.home.log(part.name))
        state = self.state.part(part.name)
        task = asyncio.create_task(self._keep_running(part))
        self._tasks.append(task)
        deadline = time.monotonic() + READY_SECONDS
        while part.name not in self._ever_ready:
            failed = state.phase == Phase.FAILED
            if failed or time.monotonic() > deadline or task.done():
                self.state.failed_part = part.name
                state.phase = Phase.FAILED
                said = last_words("\n".join(tail(self.home.log(part.name), 40)))
                late = "" if failed else f"not ready within {READY_SECONDS:.0f} s; "
                raise PartFailed(problem=f"{late}{said}")
            await asyncio.sleep(0.05)

    def _spawn(self, name: str, command: Sequence[str], settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        inherited = {each: value for each, value in os.environ.items() if not each.startswith("HUITONG_")}
        with self.home.log(name).open("ab") as output:
            popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.working_folder,
                env={**inherited, **settings, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        self._popen[name] = popen
        if process := Process.of(popen.pid):
            self.home.record(name, process)
        return popen

    # Watching

    async def _keep_running(self, part: Part) -> None:
        """Start the part, and again whenever it ends, a little later each time it ends soon."""
        state = self.state.part(part.name)
        backoff, deaths = FIRST_BACKOFF_SECONDS, 0
        probe = Probe(part)
        try:
            while not self.stopping.is_set():
                began = time.monotonic()
                was_ready = await self._one_life(part, state, probe)
                if self.stopping.is_set():
                    return
                deaths = 0 if was_ready else deaths + 1
                if deaths >= DEATHS_THAT_ARE_A_FAILURE and part.name not in self._ever_ready:
                    state.phase = Phase.FAILED
                    self._publish()
                    return
                if time.monotonic() - began > STEADY_SECONDS:
                    backoff = FIRST_BACKOFF_SECONDS
                state.restarts += 1
                state.phase = Phase.RESTARTING
                self._publish()
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
        finally:
            await probe.close()

    async def _one_life(self, part: Part, state: PartState, probe: Probe) -> bool:
        """From start to end of one process of the part; True when it became ready in between."""
        began = time.monotonic()
        popen = self._spawn(part.name, part.command, told(part.name, self.settings))
        process = Process.of(popen.pid)
        state.pid, state.identity = popen.pid, process.identity if process else ""
        state.phase, state.since = Phase.STARTING, time.time()
        self._publish()
        was_ready = False
        next_probe = began
        while popen.poll() is None and not self.stopping.is_set():
            if time.monotonic() >= next_probe:
                ready = await probe.ready()
                if popen.poll() is not None:
                    break
                if ready and not was_ready:
                    was_ready = True
                    self._ever_ready.add(part.name)
                    state.seconds = time.monotonic() - began
                    log.info("%s is ready at %s after %.1f s", part.name, part.address, state.seconds)
                phase = Phase.READY if ready else (Phase.UNREADY if was_ready else Phase.STARTING)
                if phase != state.phase and not self.stopping.is_set():
                    state.phase = phase
                    self._publish()
                next_probe = time.monotonic() + (1.0 if ready else 0.1)
            await asyncio.sleep(0.05)
        if popen.returncode is not None:
            log.warning("%s (pid %d) ended with code %d", part.name, popen.pid, popen.returncode)
            state.pid, state.identity = 0, ""
        return was_ready

    async def _watch_server(self, name: str) -> None:
        """Start a server again when it dies; say so when one that is not ours stops answering."""
        state = self.state.part(name)
        ours = name in self.servers.names
        backoff, next_look = FIRST_BACKOFF_SECONDS, 0.0
        while not self.stopping.is_set():
            await asyncio.sleep(0.1)
            if ours and (state.process is None or self.servers.process(name) is None):
                if time.time() - state.since > STEADY_SECONDS:
                    backoff = FIRST_BACKOFF_SECONDS
                log.warning("%s died", name)
                state.phase, state.restarts = Phase.RESTARTING, state.restarts + 1
                self._publish()
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
                await self._restart_server(state)
            elif time.monotonic() > next_look:
                answers = await asyncio.to_thread(self.servers.answers, name)
                phase = Phase.READY if answers else Phase.UNREADY
                if phase != state.phase and not self.stopping.is_set():
                    state.phase = phase
                    self._publish()
                next_look = time.monotonic() + 2.0

    async def _restart_server(self, state: PartState) -> None:
        before, began = self.servers.url(state.name), time.monotonic()
        try:
            await _in_thread(self.servers.restart, state.name)
        except SuiteError as error:
            log.error("%s", error)
            state.detail = str(error)
            return
        self._note_server(state, time.monotonic() - began)
        if self.servers.url(state.name) != before:
            # Its port was taken while it was down: everybody has to learn the new address.
            self._settle_settings()
            for part in self.parts:
                if (popen := self._popen.get(part.name)) and popen.poll() is None:
                    popen.terminate()

    async def _keep_logs_small(self) -> None:
        while True:
            await asyncio.sleep(20)
            for path in self.home.logs.glob("*.log"):
                with contextlib.suppress(OSError):
                    if path.stat().st_size > LOG_BYTES:
                        path.with_name(f"{path.name}.1").write_bytes(path.read_bytes())
                        os.truncate(path, 0)  # writers append, so they go on at the new end

    # Stopping

    async def _stop(self) -> None:
        """The gateway first, so that nothing new comes in; then the services; then what they stand on."""
        failed = bool(self.state.problem)
        self.stopping.set()
        self.state.phase = Phase.STOPPING
        for wave in (["gateway", "migrations"], [name for name in self._popen if name != "gateway"]):
            await asyncio.gather(*(self._stop_part(name) for name in wave if name in self._popen))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for state in self.state.parts:
            if state.kind == "server" and state.name in self.servers.names and state.phase != Phase.FAILED:
                state.phase = Phase.STOPPING
        self._publish()
        await asyncio.to_thread(self.servers.stop)
        for state in self.state.parts:
            if state.phase != Phase.FAILED:
                state.phase = Phase.STOPPED
            state.pid, state.identity = 0, ""
        self.state.phase = Phase.FAILED if failed else Phase.STOPPED
        self._publish()
        log.info("stopped")

    async def _stop_part(self, name: str) -> None:
        popen, state = self._popen[name], self.state.part(name)
        if state.phase != Phase.FAILED:
            state.phase = Phase.STOPPING
        self._publish()
        deadline = time.monotonic() + DRAIN_SECONDS
        if popen.poll() is None:
            popen.terminate()
        while popen.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        if popen.poll() is None:
            log.warning("%s did not end within %.0f s and is killed", name, DRAIN_SECONDS)
            popen.kill()
            popen.wait(5)
        self.home.forget(name)
        if state.phase != Phase.FAILED:
            state.phase = Phase.STOPPED
        self._publish()

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self.stopping.is_set():
            raise Stopping

    def _publish(self) -> None:
        try:
            write(self.home, self.state)
        except HomeUnusable as error:
            log.error("%s", error)  # a full disk must not take the suite down with it


async def _in_thread(call: Callable[[str], None], name: str) -> None:
    """Run `call` in a thread; when cancelled, wait for its end, since a half-started server cannot be stopped."""
    task = asyncio.ensure_future(asyncio.to_thread(call, name))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _shown(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104


def _rotate(path: Path) -> None:
    """Start a log anew and keep the one before."""
    if path.exists() and path.stat().st_size:
        path.replace(path.with_name(f"{path.name}.1"))


def stop_leftover_services(home: Home, first: Sequence[str] = ()) -> list[str]:
    """End services that a killed supervisor left running, the gateway first; return their names."""
    left = {
        name: process for name, process in home.all_recorded().items() if name not in ("postgres", "nats", "valkey")
    }
    for name in sorted(left, key=lambda name: name != "gateway"):
        if name == "gateway":
            left[name].stop(seconds=DRAIN_SECONDS)
        else:
            left[name].send(signal.SIGTERM)
    for name, process in left.items():
        process.stop(seconds=DRAIN_SECONDS)
        home.forget(name)
    return list(left)


def main(mode: str) -> int:
    """Run the project's suite until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    from suite.home import default_home

    usual = os.environ.get("HUITONG_USUAL_PORTS", "1") != "0"
    try:
        servers = LocalServers(default_home(), usual_ports=usual)
        parts = suite_parts(servers.home, usual_ports=usual, simulated=mode != "production")
        migration = [sys.executable, "-m", "chassis.migrate"]
        return asyncio.run(Supervisor(servers, parts, mode=mode, migration=migration).run())
    except SuiteError as error:
        log.error("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "production"))
