"""The suite's folder (`.huitong/`): data, logs, secrets, chosen ports, records of what runs."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite.errors import HomeBusy, HomeUnusable
from suite.processes import Process

_lock = threading.Lock()  # the servers start in parallel

PROJECT = Path(__file__).resolve().parent.parent


def default_home() -> Path:
    """HUITONG_HOME, else `.huitong` in the project, else (installed without a checkout) in the working directory."""
    if given := os.environ.get("HUITONG_HOME"):
        return Path(given).expanduser().absolute()
    root = PROJECT if (PROJECT / "pyproject.toml").exists() else Path.cwd()
    return root / ".huitong"


def write_atomically(path: Path, content: str, *, mode: int = 0o600, durable: bool = True) -> None:
    """Replace `path` in one step: a reader sees the old or the new content, never half of it. Raises HomeUnusable."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise HomeUnusable(path=path.parent, problem=error.strerror or error) from error


def read_json(path: Path) -> dict[str, Any]:
    """The object in `path`; empty when there is none or it is damaged."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


@dataclass(frozen=True)
class Secrets:
    """Made at first start and kept: without the data key, stored personal data could not be read again."""

    server_password: str
    internal_key: str
    access_key: str
    data_key: str

    def password_of(self, service: str) -> str:
        """One service's own password for PostgreSQL and NATS. It leads neither to another's nor to the servers' own."""
        return hmac.new(self.server_password.encode(), service.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Home:
    """Where everything of one suite is kept."""

    path: Path

    @property
    def logs(self) -> Path:
        """One log per part."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Records of running processes and the servers' generated settings."""
        return self.path / "run"

    def log(self, name: str) -> Path:
        """The log of one part."""
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Create the folders. Raises HomeUnusable."""
        try:
            for folder in (self.path, self.logs, self.run):
                folder.mkdir(parents=True, exist_ok=True)
            self.run.chmod(0o700)
            probe = self.run / f"probe.{os.getpid()}"
            probe.write_bytes(b"0" * 4096)
            probe.unlink()
        except OSError as error:
            raise HomeUnusable(path=self.path, problem=error.strerror or error) from error

    def lock(self, name: str) -> int:
        """Take the lock `name` until the returned descriptor is closed or this process ends. Raises HomeBusy."""
        self.prepare()
        descriptor = os.open(self.run / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise HomeBusy(path=self.path) from error
        return descriptor

    def locked(self, name: str) -> bool:
        """Whether some process holds the lock `name`."""
        if not (self.run / f"{name}.lock").exists():
            return False
        try:
            os.close(self.lock(name))
        except HomeBusy:
            return True
        return False

    def secrets(self) -> Secrets:
        """The suite's secrets, made at first use. Raises HomeUnusable when they were lost and data needs them."""
        with _lock:
            return self._secrets()

    def _secrets(self) -> Secrets:
        path = self.path / "secrets.json"
        known = read_json(path)
        fields = Secrets.__dataclass_fields__
        if path.exists() and not known:
            # New keys would make the stored data unreadable: better to stop than to go on with others.
            raise HomeUnusable(path=path, problem="the file is damaged")
        if not known and ((self.path / "postgres").exists() or (self.path / "postgres.location").exists()):
            raise HomeUnusable(path=path, problem="the file is missing, and the data beside it needs it")
        if any(name not in known for name in fields):
            known = {name: known.get(name) or secrets.token_urlsafe(36) for name in fields}
            write_atomically(path, json.dumps(known, indent=1))
        return Secrets(**{name: known[name] for name in fields})

    def ports(self) -> dict[str, int]:
        """The ports chosen last time, by part."""
        found = read_json(self.path / "ports.json")
        return {name: port for name, port in found.items() if isinstance(port, int)}

    def keep_port(self, name: str, port: int) -> None:
        """Remember a part's port for the next start."""
        with _lock:
            ports = self.ports()
            if ports.get(name) != port:
                write_atomically(self.path / "ports.json", json.dumps({**ports, name: port}, indent=1), mode=0o644)

    def record(self, name: str, process: Process, **more: object) -> None:
        """Remember that `process` is the part `name`, for whoever has to stop it if we cannot."""
        content = {"pid": process.pid, "identity": process.identity, **more}
        write_atomically(self.run / f"{name}.json", json.dumps(content), durable=False)

    def forget(self, name: str) -> None:
        """Drop the record of a part that has ended."""
        (self.run / f"{name}.json").unlink(missing_ok=True)

    def recorded(self, name: str) -> Process | None:
        """The recorded process of the part `name` when it is still the same and alive."""
        found = read_json(self.run / f"{name}.json")
        if "pid" not in found:
            return None
        process = Process(found["pid"], found["identity"])
        return process if process.alive() else None

    def all_recorded(self) -> dict[str, Process]:
        """All recorded processes that are alive, by part."""
        names = [path.stem for path in sorted(self.run.glob("*.json"))] if self.run.exists() else []
        return {name: process for name in names if (process := self.recorded(name))}
