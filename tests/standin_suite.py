"""A suite of stand-ins for the supervisor's tests: parts that only answer health checks, and misbehave when told to.

`python -m tests.standin_suite supervise MODE` supervises them as `suite.supervisor` does the real ones;
a file `<home>/<part>.behaviour` says how a part behaves: crash, never (ready), stubborn (ignores SIGTERM), refuse (says
that it does not serve).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from suite.home import default_home
from suite.local import LocalServers
from suite.parts import suite_parts


def behaviour(name: str) -> str:
    """What the test wants of this part."""
    path = Path(os.environ["HUITONG_HOME"]) / f"{name}.behaviour"
    return path.read_text().strip() if path.exists() else ""


async def service(name: str) -> None:
    """Answer health checks on the service's address until SIGTERM."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc, unused-ignore]
        async def Check(self, request, context):
            serving = behaviour(name) not in ("never", "refuse")
            return health_pb2.HealthCheckResponse(status=1 if serving else 2)

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
    server.add_insecure_port(os.environ[f"HUITONG_{name.upper()}_ADDRESS"])
    await server.start()
    await until_told(name)
    await server.stop(0.1)


async def gateway() -> None:
    """Answer /healthz until SIGTERM."""

    async def answer(reader, writer):
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", int(os.environ["HUITONG_GATEWAY_PORT"])):
        await until_told("gateway")


async def until_told(name: str) -> None:
    """Wait for SIGTERM; note the order in which parts were told."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    while True:
        await told.wait()
        with (Path(os.environ["HUITONG_HOME"]) / "stops").open("a") as file:
            file.write(f"{name} {time.monotonic()}\n")
        if behaviour(name) != "stubborn":
            return
        told.clear()


def supervise(mode: str) -> int:
    """As suite.supervisor.main, with stand-ins."""
    import suite.supervisor as real

    servers = LocalServers(default_home(), usual_ports=False, environment={})
    parts = [
        replace(part, command=(sys.executable, "-m", "tests.standin_suite", "part", part.name))
        for part in suite_parts(servers.home, usual_ports=False, environment={})
    ]
    # Those that never become ready need not be waited for long.
    patience = 1.0 if any(behaviour(part.name) == "never" for part in parts) else 6.0
    real.READY_SECONDS, real.DRAIN_SECONDS = patience, 1.5
    migration = [sys.executable, "-m", "tests.standin_suite", "migrate"]
    return asyncio.run(real.Supervisor(servers, parts, mode=mode, migration=migration).run())


def main() -> int:
    """supervise MODE | part NAME | migrate SERVICE…"""
    what, *rest = sys.argv[1:]
    if what == "supervise":
        return supervise(rest[0])
    if behaviour(rest[0] if what == "part" else "migrations") == "crash":
        print("HUITONG_DATA_KEY: is missing")
        return 1
    if what == "part":
        asyncio.run(gateway() if rest[0] == "gateway" else service(rest[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
