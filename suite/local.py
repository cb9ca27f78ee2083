"""PostgreSQL, NATS JetStream and Valkey on this machine, from packages: for `huitong up` and for tests.

    with LocalServers(tmp_path, usual_ports=False) as servers:
        connect(servers.postgres_url, servers.nats_url, servers.redis_url)
        servers.kill("postgres")
        servers.restart("postgres")

An address in the environment (HUITONG_POSTGRES_URL, HUITONG_NATS_URL, HUITONG_REDIS_URL) is used instead of a server of
ours. Otherwise the package's server runs, or one installed on the system.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from suite.errors import ServerUnreachable
from suite.home import Home
from suite.parts import SERVICES, own_variable
from suite.postgres import Postgres
from suite.processes import Process
from suite.servers import Nats, Server, Valkey, url_answers

SERVERS: tuple[type[Server], ...] = (Postgres, Nats, Valkey)
KEPT = ("nats", "valkey", "logs", "run", "secrets.json", "ports.json", "state.json", "environment.json", "demo.json")


class LocalServers:
    """The three servers of one home. Data and ports are kept from one start to the next.

    Only one process at a time runs a home's servers (`HomeBusy` otherwise); what a killed one left is taken over.
    """

    def __init__(
        self,
        home: Path,
        *,
        usual_ports: bool = True,
        durable: bool = True,
        postgres_settings: Mapping[str, str] | None = None,
        stream: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`usual_ports=False` takes any free ports; `durable=False` turns fsync off (tests that lose nothing by it).

        `environment` is where addresses are looked for, `os.environ` unless told. `stream` is the one that services may
        use, HUITONG_STREAM unless told; `*` is any. Raises HomeUnusable.
        """
        self.home = Home(home.absolute())
        self.home.prepare()
        given = os.environ if environment is None else environment
        self.external = {kind.name: given[kind.variable] for kind in SERVERS if given.get(kind.variable)}
        chosen = {
            "postgres": dict(postgres_settings or {}),
            "nats": {"stream": stream or given.get("HUITONG_STREAM") or "huitong"},
        }
        self._servers: dict[str, Server] = {
            kind.name: kind(
                self.home,
                usual_ports=usual_ports,
                durable=durable,
                settings=chosen.get(kind.name, {}),
            )
            for kind in SERVERS
            if kind.name not in self.external
        }
        self._lock: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The servers that are ours to run."""
        return tuple(self._servers)

    @property
    def postgres_url(self) -> str:
        """postgresql://user:password@host:port, no database."""
        return self.url("postgres")

    @property
    def nats_url(self) -> str:
        """nats://user:password@host:port."""
        return self.url("nats")

    @property
    def redis_url(self) -> str:
        """redis://:password@host:port/0."""
        return self.url("valkey")

    def url(self, name: str) -> str:
        """The address of `postgres`, `nats` or `valkey`, ours or given."""
        return self.external[name] if name in self.external else self._servers[name].url

    def address(self, name: str) -> str:
        """host:port, fit to be shown."""
        parts = urlsplit(self.url(name))
        return f"{parts.hostname}:{parts.port}"

    def environment(self) -> dict[str, str]:
        """The settings that name these servers, also as each service's own user, and the suite's keys."""
        secrets = self.home.secrets()
        own = {
            own_variable(server.variable, service): url
            for server in self._servers.values()
            for service in SERVICES
            if (url := server.url_of(service))
        }
        return {
            **{kind.variable: self.url(kind.name) for kind in SERVERS},
            **own,
            "HUITONG_INTERNAL_KEY": secrets.internal_key,
            "HUITONG_ACCESS_KEY": secrets.access_key,
            "HUITONG_DATA_KEY": secrets.data_key,
        }

    def start(self) -> Self:
        """Start what is not running, in parallel, and wait until all answer.

        Raises: HomeBusy, HomeUnusable, ServerMissing, ServerFailed, ServerUnreachable, DataIncompatible, NoFreePort.
        """
        self.acquire()
        try:
            with ThreadPoolExecutor(max_workers=len(SERVERS)) as pool:
                for started in [pool.submit(self.start_one, kind.name) for kind in SERVERS]:
                    started.result()
        except BaseException:
            self.stop()
            raise
        return self

    def acquire(self) -> None:
        """Become the one process that runs this home's servers. Raises HomeBusy."""
        if self._lock is None:
            self._lock = self.home.lock("servers")

    def start_one(self, name: str) -> None:
        """Start one server unless it runs; for a given address, make sure that somebody answers there."""
        if name in self.external:
            if not self.answers(name):
                kind = next(kind for kind in SERVERS if kind.name == name)
                raise ServerUnreachable(variable=kind.variable, address=self.address(name), problem="no answer")
            return
        server = self._servers[name]
        if self._lock is not None and server.process() and server.answers():
            return
        server.start()

    def stop(self) -> None:
        """Stop ours in order and let others use the home."""
        with ThreadPoolExecutor(max_workers=len(SERVERS)) as pool:
            list(pool.map(self.stop_one, self.names))
        self._unlock()

    def stop_one(self, name: str) -> None:
        """Stop one server in order, its data complete on disk."""
        self._servers[name].stop()

    def kill(self, name: str) -> None:
        """End one server as a crash would."""
        self._servers[name].kill()

    def restart(self, name: str) -> None:
        """Start one server anew, on its port unless that was taken in between."""
        self._servers[name].start()

    def process(self, name: str) -> Process | None:
        """The process of one of our servers, None when it is down or not ours."""
        return self._servers[name].process() if name in self._servers else None

    def data(self, name: str) -> Path:
        """The folder of one of our servers' data."""
        return self._servers[name].data

    def answers(self, name: str) -> bool:
        """Whether a client would be served now."""
        if name in self.external:
            kind = next(kind for kind in SERVERS if kind.name == name)
            return url_answers(kind.variable, self.external[name])
        return self._servers[name].answers()

    def detach(self) -> None:
        """Leave the servers running; `LocalServers(home)` anywhere finds them, `stop_servers(home)` ends them."""
        for server in self._servers.values():
            server.release()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


def stop_servers(home: Path) -> None:
    """Stop the servers of `home`, whoever started them. Raises HomeBusy while their owner lives."""
    if home.exists():
        servers = LocalServers(home, environment={})
        servers.acquire()
        servers.stop()


def erase(home: Path) -> None:
    """Stop the servers of `home` and remove everything that the suite ever wrote there, and nothing else."""
    if not home.exists():
        return
    stop_servers(home)
    Postgres(Home(home.absolute()), usual_ports=True, durable=True, settings={}).erase()
    for name in KEPT:
        path = home / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    if not any(home.iterdir()):
        home.rmdir()


async def ensure_databases(postgres_url: str, names: list[str]) -> list[str]:
    """Create those of `names` that do not exist yet and return them."""
    import asyncpg

    connection = await asyncpg.connect(f"{postgres_url.rstrip('/')}/postgres", timeout=10)
    try:
        present = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        missing = [name for name in names if name not in present]
        for name in missing:
            await connection.execute(f'CREATE DATABASE "{name}"')
        return missing
    finally:
        await connection.close()


async def drop_databases(postgres_url: str, prefix: str) -> None:
    """Drop every database whose name starts with `prefix`, also when sessions are still open."""
    import asyncpg

    connection = await asyncpg.connect(f"{postgres_url.rstrip('/')}/postgres", timeout=10)
    try:
        rows = await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname::text, $1)", prefix)
        for row in rows:
            await connection.execute(f'DROP DATABASE IF EXISTS "{row["datname"]}" WITH (FORCE)')
    finally:
        await connection.close()
