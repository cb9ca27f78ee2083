"""Processes and ports: who is alive, who is who, and where there is room to listen."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from suite.errors import NoFreePort

_PROC = Path("/proc")
PORTS = range(20_000, 32_000)  # below the range that outgoing connections use


def identity(pid: int) -> str | None:
    """What tells this process from a later one with the same pid; None when it is gone or a zombie."""
    if (_PROC / "self/stat").exists():
        try:
            stat = (_PROC / str(pid) / "stat").read_text()
        except OSError:
            return None
        state, *rest = stat.rpartition(")")[2].split()
        if state in "ZX":
            return None
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{rest[18]}"  # field 22 of proc(5): start time in ticks since boot
    done = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state_and_start = done.stdout.strip()
    return None if not state_and_start or state_and_start.startswith("Z") else state_and_start.split(None, 1)[1]


@dataclass(frozen=True)
class Process:
    """A process that can be recognised later, also by another process than the one that started it."""

    pid: int
    identity: str

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process `pid`, or None when it is gone."""
        known = identity(pid)
        return cls(pid, known) if known else None

    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        return identity(self.pid) == self.identity

    def send(self, number: int) -> None:
        """Send a signal; a process that is gone is left alone."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait_gone(self, seconds: float) -> bool:
        """Wait up to `seconds` for its end; False when it still runs."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def stop(self, *, number: int = signal.SIGTERM, seconds: float = 20.0) -> bool:
        """Ask it to end with signal `number`, and kill it after `seconds`. True when asking was enough."""
        self.send(number)
        if self.wait_gone(seconds):
            return True
        self.send(signal.SIGKILL)
        self.wait_gone(5.0)
        return False


def postgres_processes(data: Path) -> Iterator[Process]:
    """PostgreSQL's processes on the data directory `data`, as far as they can be seen; Linux only.

    All of them work in that directory, but in a container root may not look where another user's processes work.
    The first one also names it in its arguments, which everybody may read.
    """
    if not _PROC.joinpath("self/cwd").exists():
        return
    wanted = {str(data), str(data.resolve())}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (_works_in(entry, wanted) or _serves(entry, wanted)):
            process = Process.of(int(entry.name))
            if process:
                yield process


def _works_in(entry: Path, folders: set[str]) -> bool:
    try:
        return os.readlink(entry / "cwd") in folders
    except OSError:
        return False


def _serves(entry: Path, folders: set[str]) -> bool:
    try:
        program, *arguments = (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    named = {os.fsdecode(argument) for argument in arguments}
    return program.endswith(b"/postgres") and bool(named & folders)


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on host:port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose_port(
    name: str,
    *,
    preferred: Collection[int],
    avoid: Collection[int] = (),
    scatter: bool = False,
    among: range = PORTS,
) -> int:
    """The first of `preferred` that is free, else another one `among` those below what outgoing connections use.

    `scatter` starts the search anywhere, so that suites that start at the same time do not chase each other.
    Raises: NoFreePort.
    """
    for port in preferred:
        if port not in avoid and port_is_free(port):
            return port
    first = next(iter(preferred), 0) % 10_000 % len(among)
    candidates = [*among[first:], *among[:first]]
    if scatter:
        turn = random.randrange(len(candidates))
        candidates = candidates[turn:] + candidates[:turn]
    for port in candidates:
        if port not in avoid and port_is_free(port):
            return port
    raise NoFreePort(name=name)
