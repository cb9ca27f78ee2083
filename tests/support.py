"""What tests of every kind share: a module's own corner of the shared servers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nats.js import JetStreamContext

from suite.local import LocalServers, drop_databases, ensure_databases
from suite.processes import PORTS, choose_port

RUN = "HUITONG_TEST_RUN"  # this run's folder, told to the workers


@dataclass
class Sandbox:
    """Databases, a stream and a Valkey database that nobody else uses, on the servers that all tests share."""

    servers: LocalServers
    valkey_database: int
    prefix: str = field(default_factory=lambda: f"t_{secrets.token_hex(4)}_")

    @property
    def stream(self) -> str:
        """The JetStream stream and subject prefix."""
        return self.prefix.rstrip("_")

    @property
    def postgres_url(self) -> str:
        """The server, no database."""
        return self.servers.postgres_url

    @property
    def nats_url(self) -> str:
        """The shared NATS; keep to `stream`."""
        return self.servers.nats_url

    @property
    def redis_url(self) -> str:
        """A Valkey database of our own."""
        return f"{self.servers.redis_url.rpartition('/')[0]}/{self.valkey_database}"

    @property
    def environment(self) -> dict[str, str]:
        """Every setting that a service of this sandbox needs, addresses of other services aside."""
        return {
            **self.servers.environment(),
            "HUITONG_MODE": "test",
            "HUITONG_REDIS_URL": self.redis_url,
            "HUITONG_DATABASE_PREFIX": self.prefix,
            "HUITONG_STREAM": self.stream,
        }

    def database_url(self, service: str) -> str:
        """The address of the database of `service`, whether it exists or not, as its owner: not as the service."""
        return f"{self.postgres_url}/{self.prefix}{service}"

    async def as_owner(self, service: str, sql: str) -> None:
        """Run in the database of `service` what its own role may not: rows that are never changed, tables."""
        import asyncpg

        connection = await asyncpg.connect(self.database_url(service))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def create_database(self, service: str) -> str:
        """Create the (empty) database of `service` unless it is there, and return its address."""
        await ensure_databases(self.postgres_url, [f"{self.prefix}{service}"])
        return self.database_url(service)

    @asynccontextmanager
    async def jetstream(self) -> AsyncIterator[JetStreamContext]:
        """JetStream as the suite's own user, which may do what no service may."""
        import nats

        client = await nats.connect(self.nats_url)
        try:
            yield client.jetstream()
        finally:
            await client.close()

    @staticmethod
    def free_port() -> int:
        """A port to listen on, now or later: no other test of this run gets it, and suites take theirs elsewhere."""
        while True:
            port = choose_port("a test", preferred=[], scatter=True, among=range(12_000, PORTS.start))
            with contextlib.suppress(FileExistsError):
                (Path(os.environ[RUN]) / f"port-{port}").touch(exist_ok=False)
                return port

    async def clear(self) -> None:
        """Remove the databases, streams and keys."""
        from redis.asyncio import Redis

        await drop_databases(self.postgres_url, self.prefix)
        async with self.jetstream() as jetstream:
            for name in [found.config.name for found in await jetstream.streams_info()]:
                if name and name.lower().startswith(self.stream):
                    await jetstream.delete_stream(name)
        redis: Any = Redis.from_url(self.redis_url)
        await redis.flushdb()
        await redis.aclose()

    def clear_from_anywhere(self) -> None:
        """`clear()` for a place where another event loop may be running."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            pool.submit(lambda: asyncio.run(self.clear())).result()
