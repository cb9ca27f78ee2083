"""What the suite is doing now, written by the supervisor and read by every command.

state = read(Home(default_home()))          # None when it was never started
settings = environment(Home(default_home()))  # HUITONG_* as the services got them; SuiteNotRunning
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from suite.errors import SuiteNotRunning
from suite.home import Home, read_json, write_atomically
from suite.processes import Process


class Phase(StrEnum):
    """Where a part, or the whole suite, is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    UNREADY = "unready"  # runs, but says that it cannot serve
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass
class PartState:
    """One server, step or service."""

    name: str
    kind: str  # server, step, service
    phase: Phase = Phase.WAITING
    address: str = ""
    pid: int = 0
    identity: str = ""
    restarts: int = 0
    since: float = 0.0  # when its process started, seconds since 1970
    seconds: float = 0.0  # how long its last start took
    detail: str = ""

    @property
    def process(self) -> Process | None:
        """Its process when it is alive."""
        process = Process(self.pid, self.identity)
        return process if self.pid and process.alive() else None


@dataclass
class SuiteState:
    """The whole suite."""

    mode: str
    phase: Phase = Phase.STARTING
    pid: int = 0
    identity: str = ""
    gateway_url: str = ""
    problem: str = ""
    failed_part: str = ""
    started: float = field(default_factory=time.time)
    parts: list[PartState] = field(default_factory=list)

    def part(self, name: str) -> PartState:
        """One part by name. Raises KeyError."""
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(name)

    @property
    def supervised(self) -> bool:
        """Whether the supervisor that wrote this is alive."""
        return bool(self.pid) and Process(self.pid, self.identity).alive()

    @property
    def ready(self) -> bool:
        """Whether everything serves."""
        return self.supervised and self.phase == Phase.READY and all(part.phase == Phase.READY for part in self.parts)


def write(home: Home, state: SuiteState) -> None:
    """Publish the state in one step. Raises HomeUnusable."""
    write_atomically(home.path / "state.json", json.dumps(asdict(state), indent=1), mode=0o644, durable=False)


def read(home: Home) -> SuiteState | None:
    """The last published state, None when there is none. A supervisor that was killed shows in `supervised`."""
    found = read_json(home.path / "state.json")
    try:
        parts = [PartState(**{**part, "phase": Phase(part["phase"])}) for part in found.pop("parts")]
        return SuiteState(**{**found, "phase": Phase(found["phase"]), "parts": parts})
    except (KeyError, TypeError, ValueError):
        return None


def write_environment(home: Home, settings: dict[str, str]) -> None:
    """Keep the settings that the services got; private, since keys and passwords are among them."""
    write_atomically(home.path / "environment.json", json.dumps(settings, indent=1))


def environment(home: Home) -> dict[str, str]:
    """The HUITONG_* settings of the running suite. Raises SuiteNotRunning."""
    state = read(home)
    settings = read_json(home.path / "environment.json")
    if state is None or not state.supervised or not settings:
        raise SuiteNotRunning
    return {name: str(value) for name, value in settings.items()}
