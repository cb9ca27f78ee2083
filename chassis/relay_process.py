"""`python -m chassis.relay_process <service>`: the relay of a service and nothing else, while that lives.

A service whose own thread has enough to do runs it: see chassis.events.process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys

import uvloop

from chassis.config import Settings, settings
from chassis.events.process import LOOK
from chassis.run import build_app, quieten_gc
from chassis.telemetry import setup_telemetry


async def relay(service: str, config: Settings) -> None:
    """Relay the events of `service` until standard input is closed."""
    loop = asyncio.get_running_loop()
    # A terminal and a supervisor mean the service: the relay goes on while that finishes its calls.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: None)
    service_looks = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(service_looks), sys.stdin)
    os.set_blocking(sys.stdout.fileno(), False)
    app = build_app(service, config)
    app.activity.listen(_tell_service)
    try:
        await app.start_relay()
        quieten_gc()
        while await service_looks.read(4096):
            app.relay.wake()
    finally:
        await app.stop()


def _tell_service() -> None:
    with contextlib.suppress(BlockingIOError, BrokenPipeError):  # enough lies there to be read, or nobody reads
        os.write(sys.stdout.fileno(), LOOK)


def main() -> None:
    """The program."""
    service = sys.argv[1]
    config = settings()
    setup_telemetry(f"{service}-relay", config)
    uvloop.run(relay(service, config))


if __name__ == "__main__":
    main()
